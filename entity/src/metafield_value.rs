//! A key by which a metafield is looked up: one for each entry of a list.

use domain::id::MetafieldDefinitionId;
use sea_orm::entity::prelude::*;

/// A key by which a metafield is looked up: one for each entry of a list.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "metafield_value")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub definition_id: MetafieldDefinitionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub owner_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// What is equal or not; the currency of money.
    pub text_value: Option<String>,
    /// What has an order.
    pub number_value: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
