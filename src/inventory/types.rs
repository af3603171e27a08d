//! How an item of stock looks to staff.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::LocationId;
use domain::inventory::ReservationKind;
use domain::reach::Reach;
use entity::{inventory_item, reservation};

use super::admin::AdminStockLevel;
use super::load::{ItemBy, LevelsOf, PromisesOf, TakersOf};
use crate::api::call::call;
use crate::api::page::connection;
use crate::api::scalar::id;
use crate::api::word::Enum;
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
#[derive(Debug, Clone)]
pub struct AdminReservation(reservation::Model);

impl From<reservation::Model> for AdminReservation {
    fn from(row: reservation::Model) -> Self {
        Self(row)
    }
}

/// Pieces that are promised.
#[Object]
impl AdminReservation {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// For whom.
    async fn kind(&self) -> Enum<ReservationKind> {
        Enum(match (self.0.checkout_id, self.0.cart_id) {
            (Some(_), _) => ReservationKind::Sale,
            (None, Some(_)) => ReservationKind::Cart,
            (None, None) => ReservationKind::Manual,
        })
    }

    /// Of what.
    async fn inventory_item(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminInventoryItem>> {
        Ok(call(ctx)?.load(ItemBy(self.0.item_id)).await?.map(AdminInventoryItem::from))
    }

    /// Where.
    async fn location_id(&self) -> ID {
        id(self.0.location_id)
    }

    /// How many.
    async fn quantity(&self) -> i32 {
        self.0.quantity
    }

    /// The line of an order that it is for, or that it will be for once a checkout has become an order.
    async fn order_line_id(&self) -> Option<ID> {
        self.0.order_line_id.map(id)
    }

    /// Why staff put it aside.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// When it ends by itself.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// Since when.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// The locations that the caller sees.
pub fn reach(ctx: &Context<'_>) -> async_graphql::Result<Reach<LocationId>> {
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

    /// What you call it.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
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

    /// The variants that take from it: one, unless kits share it. At most 250.
    async fn takers(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminInventoryTaker>> {
        let takers = call(ctx)?.load(TakersOf(self.0.id)).await?;
        let taker = |(link, row): &(entity::variant_item::Model, entity::variant::Model)| AdminInventoryTaker {
            variant: AdminVariant::from(row.clone()),
            quantity: link.required_quantity,
        };
        Ok(takers.iter().map(taker).collect())
    }

    /// Of the latest 50 promises of it, those at locations that your roles reach, the latest first. `reservations` lists
    /// all of them.
    async fn reservations(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminReservation>> {
        let reach = reach(ctx)?;
        let promises = call(ctx)?.load(PromisesOf(self.0.id)).await?;
        Ok(promises.iter().filter(|row| reach.holds(row.location_id)).cloned().map(AdminReservation::from).collect())
    }
}
