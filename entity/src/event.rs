//! The one append-only log: what happened to an aggregate.

use domain::id::EventId;
use sea_orm::entity::prelude::*;

/// The one append-only log: what happened to an aggregate.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// The noun whose history this is: `order`, `product`, `settings`.
    pub aggregate_type: String,
    pub aggregate_id: Uuid,
    /// Dense per aggregate from 1, taken under the aggregate's lock.
    pub sequence: i64,
    /// `noun.past`, such as `order.placed`.
    pub kind: String,
    /// Version of the payload's shape.
    pub version: i32,
    /// Ids and amounts only: people can be erased, history can't.
    pub payload: Json,
    /// Who did it: `guest`, `system`, or a text id.
    pub actor: String,
    pub at: DateTimeUtc,
    /// Dense over all, stamped after commit by the one relay.
    pub position: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
