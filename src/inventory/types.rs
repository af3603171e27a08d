//! How an item of stock looks to staff.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::LocationId;
use domain::reach::Reach;
use entity::{inventory_item, reservation};

use super::admin::AdminStockLevel;
use super::load::{LevelsOf, PromisesOf, TakersOf};
use crate::api::call::call;
use crate::api::page::connection;
use crate::api::scalar::id;
use crate::catalog::variant::types::AdminVariant;

/// Something that is counted: what lies of it where, and who takes from it.
#[derive(Debug, Clone)]
pub struct AdminInventoryItem(inventory_item::Model);

impl From<inventory_item::Model> for AdminInventoryItem {
    fn from(row: inventory_item::Model) -> Self {
        Self(row)
    }
}

connection! {
    /// A page of items.
    AdminInventoryItemConnection, AdminInventoryItemEdge, AdminInventoryItem, inventory_item::Model
}

/// A variant that takes from an item.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminInventoryTaker {
    /// The variant.
    pub variant: AdminVariant,
    /// How many of the item one piece of it takes.
    pub quantity: i32,
}

/// Pieces that are promised.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminReservation {
    /// Its id.
    pub id: ID,
    /// Where.
    pub location_id: ID,
    /// How many.
    pub quantity: i32,
    /// Whether to an order; else to a checkout that is under way.
    pub ordered: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

impl From<&reservation::Model> for AdminReservation {
    fn from(row: &reservation::Model) -> Self {
        Self {
            id: id(row.id),
            location_id: id(row.location_id),
            quantity: row.quantity,
            ordered: row.order_line_id.is_some(),
            created_at: row.created_at,
        }
    }
}

/// The locations that the caller sees.
pub(super) fn reach(ctx: &Context<'_>) -> async_graphql::Result<Reach<LocationId>> {
    Ok(engine::scope::locations(&call(ctx)?.caller.actor, Permission::CatalogRead))
}

/// Something that is counted: what lies of it where, and who takes from it.
#[Object]
impl AdminInventoryItem {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Your number for it: that of its variant, when it has one.
    async fn sku(&self) -> Option<&str> {
        self.0.sku.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// What lies of it at each location that your roles reach. At most 250.
    async fn stock_levels(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminStockLevel>> {
        let reach = reach(ctx)?;
        let levels = call(ctx)?.load(LevelsOf(self.0.id)).await?;
        Ok(levels.iter().filter(|row| reach.holds(row.location_id)).map(AdminStockLevel::from).collect())
    }

    /// The variants that take from it: one, unless kits share it.
    async fn takers(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminInventoryTaker>> {
        let takers = call(ctx)?.load(TakersOf(self.0.id)).await?;
        let taker = |(link, row): &(entity::variant_item::Model, entity::variant::Model)| AdminInventoryTaker {
            variant: AdminVariant::from(row.clone()),
            quantity: link.required_quantity,
        };
        Ok(takers.iter().map(taker).collect())
    }

    /// What is promised of it at the locations that your roles reach: the latest 50, the latest first.
    async fn reservations(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminReservation>> {
        let reach = reach(ctx)?;
        let promises = call(ctx)?.load(PromisesOf(self.0.id)).await?;
        Ok(promises.iter().filter(|row| reach.holds(row.location_id)).map(AdminReservation::from).collect())
    }
}
