//! Who of the staff, or which key, did what, with before and after.

use domain::id::AuditEntryId;
use entity::audit_entry;
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::error::Result;
use crate::op::Tx;

/// One change that an op wants kept.
#[derive(Debug, Clone)]
pub struct NewAudit {
    /// The text id of what was changed.
    pub entity: String,
    /// How it was.
    pub before: Option<serde_json::Value>,
    /// How it is.
    pub after: Option<serde_json::Value>,
}

/// Writes what an op noted, or, when it noted nothing, that it ran.
pub async fn append(tx: &Tx, op: &'static str, audits: Vec<NewAudit>) -> Result<()> {
    let entry = |entity: Option<String>, before, after| audit_entry::ActiveModel {
        id: Set(tx.id::<AuditEntryId>()),
        at: Set(tx.now()),
        actor: Set(tx.actor().to_string()),
        op: Set(op.to_owned()),
        entity: Set(entity),
        before: Set(before),
        after: Set(after),
    };
    let mut rows: Vec<_> =
        audits.into_iter().map(|audit| entry(Some(audit.entity), audit.before, audit.after)).collect();
    if rows.is_empty() {
        rows.push(entry(None, None, None));
    }
    audit_entry::Entity::insert_many(rows).exec_without_returning(&tx.conn).await?;
    Ok(())
}
