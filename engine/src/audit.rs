//! Who of the staff, or which key, did what, with before and after.

use chrono::{DateTime, Utc};
use domain::id::AuditEntryId;
use entity::audit_entry;
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter};

use crate::db::{Conn, page_of};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

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

/// What entries must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Done by this actor: the text id of a member of staff or of a key.
    pub actor: Option<String>,
    /// About this entity: its text id.
    pub entity: Option<String>,
    /// Done by one of these ops.
    pub ops: Option<Vec<String>>,
    /// At this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub before: Option<DateTime<Utc>>,
}

impl AuditFilter {
    fn condition(&self) -> Condition {
        use audit_entry::Column;
        Condition::all()
            .add_option(self.actor.as_ref().map(|actor| Column::Actor.eq(actor.as_str())))
            .add_option(self.entity.as_ref().map(|entity| Column::Entity.eq(entity.as_str())))
            .add_option(self.ops.as_ref().map(|ops| Column::Op.is_in(ops.iter().map(String::as_str))))
            .add_option(self.from.map(|from| Column::At.gte(from)))
            .add_option(self.before.map(|before| Column::At.lt(before)))
    }
}

/// A page of the log by time.
pub async fn page(conn: &Conn, filter: &AuditFilter, page: Page, count: bool) -> Result<Rows<audit_entry::Model>> {
    let find = audit_entry::Entity::find().filter(filter.condition());
    let place = |row: &audit_entry::Model| Place { key: Key::Time(row.at), id: row.id.into() };
    let sort = (audit_entry::Column::At, audit_entry::Column::Id);
    Ok(page_of(conn, find, sort, page, count, place).await?)
}
