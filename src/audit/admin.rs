//! The audit log on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::refusal::{ErrorCode, Refusal};
use entity::audit_entry;

use crate::api::call::call;
use crate::api::guard::access_read_everywhere;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, connection};
use crate::api::payload::top_level;
use crate::api::scalar::{Json, id};
use engine::audit::{self, AuditFilter};

/// The most ops that are asked for at once.
const MAX_OPS: usize = 50;

/// One change that staff or an API key made.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminAuditEntry {
    /// Its id.
    pub id: ID,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: the id of a member of staff or of an API key.
    pub actor_id: String,
    /// What was done, as `noun.verb`.
    pub op: String,
    /// The id of what was changed.
    pub entity_id: Option<String>,
    /// How it was; null when it was made.
    pub before: Option<Json>,
    /// How it is; null when it was removed.
    pub after: Option<Json>,
}

impl From<audit_entry::Model> for AdminAuditEntry {
    fn from(row: audit_entry::Model) -> Self {
        Self {
            id: id(row.id),
            at: row.at,
            actor_id: row.actor,
            op: row.op,
            entity_id: row.entity,
            before: row.before.map(Json),
            after: row.after.map(Json),
        }
    }
}

connection! {
    /// A page of the audit log.
    AdminAuditEntryConnection, AdminAuditEntryEdge, AdminAuditEntry, audit_entry::Model
}

/// What entries must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminAuditFilter {
    /// Done by this member of staff or API key.
    pub actor_id: Option<ID>,
    /// About the entity with this id.
    pub entity_id: Option<ID>,
    /// One of these, such as `product.update`; at most 50.
    pub ops: Option<Vec<String>>,
    /// At this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub before: Option<DateTime<Utc>>,
}

/// Queries about the audit log.
#[derive(Debug, Default)]
pub struct AuditAdminQuery;

#[Object]
impl AuditAdminQuery {
    /// What staff and API keys changed, with before and after; the newest first. It tells of the whole shop, so it
    /// needs ACCESS_READ without limit to channels or locations.
    #[graphql(guard = "access_read_everywhere()")]
    #[allow(clippy::too_many_arguments)]
    async fn audit_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the entries must be.")] filter: Option<AdminAuditFilter>,
    ) -> async_graphql::Result<AdminAuditEntryConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default();
            if filter.ops.as_ref().is_some_and(|ops| ops.len() > MAX_OPS) {
                let refusal = Refusal::new(ErrorCode::TooMany, format!("At most {MAX_OPS} at once."));
                return Err(refusal.limit(MAX_OPS as i64).at(["filter", "ops"]).into());
            }
            let filter = AuditFilter {
                actor: filter.actor_id.map(|id| id.0),
                entity: filter.entity_id.map(|id| id.0),
                ops: filter.ops,
                from: filter.from,
                before: filter.before,
            };
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, true, &("audit", &filter))?;
            audit::page(&call.conn(), &filter, page, count).await
        };
        outcome.await.map(AdminAuditEntryConnection::from).map_err(top_level)
    }
}
