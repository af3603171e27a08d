//! Stock on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::id::LocationId;
use domain::inventory::MovementReason;
use entity::stock_level;

use super::types::{AdminInventoryItemConnection, reach};
use crate::api::call::call;
use crate::api::guard::{catalog_read, inventory_write};
use crate::api::page::{ADMIN_MAX, Page, PageArgs};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use crate::catalog::store::TextFilter;
use crate::catalog::variant::admin::one_of;
use engine::inventory::ops::{AdjustInventory, Adjusted};
use engine::inventory::repo::StockRow;
use engine::inventory::repo::items::{self, ItemFilter};
use engine::op::IdempotencyKey;

/// What lies of a variant at a location.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminStockLevel {
    /// The location.
    pub location_id: ID,
    /// How many pieces lie there.
    pub stocked: i32,
    /// How many of them are promised to checkouts and orders.
    pub reserved: i32,
    /// How many can be sold: what lies there less what is promised, never below zero.
    pub available: i32,
}

impl From<&StockRow> for AdminStockLevel {
    fn from(row: &StockRow) -> Self {
        let available = (row.stocked - row.reserved).max(0);
        Self { location_id: id(row.location), stocked: row.stocked, reserved: row.reserved, available }
    }
}

impl From<&stock_level::Model> for AdminStockLevel {
    fn from(row: &stock_level::Model) -> Self {
        let available = (row.stocked - row.reserved).max(0);
        Self { location_id: id(row.location_id), stocked: row.stocked, reserved: row.reserved, available }
    }
}

impl From<Adjusted> for AdminStockLevel {
    fn from((_, row): Adjusted) -> Self {
        Self::from(&row)
    }
}

/// What items of stock must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, InputObject)]
pub struct AdminInventoryItemFilter {
    /// It has this SKU.
    pub sku: Option<TextFilter>,
    /// It is kept at this location.
    pub location_id: Option<ID>,
}

/// Queries about stock.
#[derive(Debug, Default)]
pub struct InventoryAdminQuery;

#[Object]
impl InventoryAdminQuery {
    /// What is counted, the latest first, as far as it is kept at locations that your roles reach.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn inventory_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the items must be.")] filter: Option<AdminInventoryItemFilter>,
    ) -> async_graphql::Result<AdminInventoryItemConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let reach = reach(ctx)?;
        let outcome = async {
            let (sku, location) = filter.map(|filter| (filter.sku, filter.location_id)).unwrap_or_default();
            let skus = one_of(sku, "sku")?;
            let asked = location.map(|id| parse_id::<LocationId>(&id, &["filter", "locationId"])).transpose()?;
            let locations = match (asked, reach.limits()) {
                (Some(asked), _) if reach.holds(asked) => Some(vec![asked]),
                (Some(_), _) => Some(Vec::new()),
                (None, limits) => limits.map(<[LocationId]>::to_vec),
            };
            let filter = ItemFilter { skus, locations };
            let args = PageArgs { first, after, last, before, offset };
            let asked = Page::read(args, ADMIN_MAX, true, &("inventory items", &filter))?;
            items::page(&call.conn(), &filter, asked, count).await
        };
        outcome.await.map(AdminInventoryItemConnection::from).map_err(top_level)
    }
}

/// How stock changes.
#[derive(Debug, InputObject)]
pub struct AdminInventoryAdjustInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Of which variant.
    pub variant_id: ID,
    /// Where; the location that is taken from first when absent.
    pub location_id: Option<ID>,
    /// How many more, or with a minus, fewer. Not below what is promised.
    pub delta: i32,
    /// Why.
    pub reason: Enum<MovementReason>,
    /// Why, in your own words.
    pub note: Option<String>,
}

payload! {
    /// What `inventoryAdjust` did.
    AdminInventoryAdjustPayload {
        /// The level as it is now.
        stock_level: AdminStockLevel
    }
}

/// Mutations of stock.
#[derive(Debug, Default)]
pub struct InventoryAdminMutation;

#[Object]
impl InventoryAdminMutation {
    /// Changes what lies at a location. Every change is kept with its reason.
    #[graphql(guard = "inventory_write()")]
    async fn inventory_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How stock changes.")] input: AdminInventoryAdjustInput,
    ) -> async_graphql::Result<AdminInventoryAdjustPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = AdjustInventory {
                variant: parse_id(&input.variant_id, &["variantId"])?,
                location: input.location_id.as_ref().map(|id| parse_id(id, &["locationId"])).transpose()?,
                delta: input.delta,
                reason: input.reason.0,
                note: input.note,
            };
            let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
            call.app.run_once(&call.caller, &op, key).await.map(AdminStockLevel::from)
        };
        AdminInventoryAdjustPayload::answer(outcome.await)
    }
}
