//! A durable run of named steps around calls to the outside.

use domain::flow::FlowState;
use domain::id::FlowId;
use sea_orm::entity::prelude::*;

/// A durable run of named steps around calls to the outside.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "flow")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FlowId,
    pub version: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub kind: String,
    /// What the run is about; there is one run per key.
    pub key: String,
    pub state: FlowState,
    /// The step to run next.
    pub step: String,
    /// Tries of the present step so far.
    pub attempts: i32,
    /// Not before this moment; the sweeper looks at it.
    pub run_at: DateTimeUtc,
    /// A parked run is undone after it.
    pub deadline: DateTimeUtc,
    pub data: Json,
    /// Whether somebody works on it until then.
    pub held: bool,
    /// Whom it asks; each provider's runs are gone on with apart from the others'.
    pub provider: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
