//! Stock on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, OneofObject, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::LocationId;
use domain::inventory::MovementReason;
use domain::reach::Reach;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::stock_level;

use super::types::{AdminInventoryItem, AdminInventoryItemConnection, reach};
use crate::api::call::{Call, call};
use crate::api::guard::{catalog_read, inventory_write};
use crate::api::page::{ADMIN_MAX, Page, PageArgs};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use crate::catalog::store::TextFilter;
use crate::catalog::variant::admin::one_of;
use engine::error::Error;
use engine::inventory::ops::{
    AdjustInventory, CountInventory, Level, Pieces, ReceiveInventory, TransferInventory, Which,
};
use engine::inventory::repo::items::{self, ItemFilter};
use engine::op::{IdempotencyKey, Repeatable};

/// What lies of an item at a location.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminStockLevel {
    /// The location.
    pub location_id: ID,
    /// How many pieces lie there.
    pub stocked: i32,
    /// How many of them are promised to carts, checkouts and orders, or put aside.
    pub reserved: i32,
    /// How many of them are kept back.
    pub safety: i32,
    /// How many can be sold: what lies there less what is promised and kept back, never below zero.
    pub available: i32,
    /// How many are on their way there.
    pub incoming: i32,
    /// When those are expected.
    pub incoming_at: Option<DateTime<Utc>>,
    /// From how many available pieces down its stock is low.
    pub low_stock: i32,
}

impl From<&stock_level::Model> for AdminStockLevel {
    fn from(row: &stock_level::Model) -> Self {
        let free = domain::inventory::free(row.stocked, row.reserved, row.safety);
        Self {
            location_id: id(row.location_id),
            stocked: row.stocked,
            reserved: row.reserved,
            safety: row.safety,
            available: i32::try_from(free.max(0)).unwrap_or(i32::MAX),
            incoming: row.incoming,
            incoming_at: row.incoming_at,
            low_stock: row.low_stock,
        }
    }
}

/// What items of stock must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, InputObject)]
pub struct AdminInventoryItemFilter {
    /// It has this SKU.
    pub sku: Option<TextFilter>,
    /// It is kept at this location.
    pub location_id: Option<ID>,
    /// Its stock is low at that location, or at any that your roles reach.
    pub low_stock: Option<bool>,
}

/// Which item.
#[derive(Debug, OneofObject)]
pub enum AdminInventoryItemBy {
    /// By its id.
    Id(ID),
    /// By your number for it.
    Sku(String),
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
            let (sku, location, low) =
                filter.map(|filter| (filter.sku, filter.location_id, filter.low_stock)).unwrap_or_default();
            let skus = one_of(sku, "sku")?;
            let locations = locations(&reach, location)?;
            let filter = ItemFilter { skus, locations, low: low == Some(true) };
            let args = PageArgs { first, after, last, before, offset };
            let asked = Page::read(args, ADMIN_MAX, true, &("inventory items", &filter))?;
            items::page(&call.conn(), &filter, asked, count).await
        };
        outcome.await.map(AdminInventoryItemConnection::from).map_err(top_level)
    }

    /// What is counted: one item, by its id or by your number for it. Null when it is kept nowhere in reach.
    #[graphql(guard = "catalog_read()")]
    async fn inventory_item(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which item.")] by: AdminInventoryItemBy,
    ) -> async_graphql::Result<Option<AdminInventoryItem>> {
        let call = call(ctx)?;
        let reach = reach(ctx)?;
        let outcome = async {
            let row = match by {
                AdminInventoryItemBy::Id(id) => items::find(&call.conn(), parse_id(&id, &["by", "id"])?).await?,
                AdminInventoryItemBy::Sku(sku) => items::find_sku(&call.conn(), &sku).await?,
            };
            let Some(row) = row else { return Ok(None) };
            if reach.is_everything() {
                return Ok(Some(row));
            }
            let levels = items::levels_of(&call.conn(), &[row.id]).await?;
            Ok(Some(row).filter(|_| levels.iter().any(|level| reach.holds(level.location_id))))
        };
        let found: Result<_, Error> = outcome.await;
        Ok(found.map_err(top_level)?.map(AdminInventoryItem::from))
    }
}

/// The locations that a list is about: the one that is asked for, as far as it is in reach, else all that are.
pub fn locations(reach: &Reach<LocationId>, asked: Option<ID>) -> Result<Option<Vec<LocationId>>, Refusal> {
    let asked = asked.map(|id| parse_id::<LocationId>(&id, &["filter", "locationId"])).transpose()?;
    Ok(match (asked, reach.limits()) {
        (Some(asked), _) if reach.holds(asked) => Some(vec![asked]),
        (Some(_), _) => Some(Vec::new()),
        (None, limits) => limits.map(<[LocationId]>::to_vec),
    })
}

/// How stock changes.
#[derive(Debug, InputObject)]
pub struct AdminInventoryAdjustInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Of which variant, which takes from one item alone; or say `inventoryItemId`.
    pub variant_id: Option<ID>,
    /// Of which item.
    pub inventory_item_id: Option<ID>,
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

/// So many pieces of an item.
#[derive(Debug, InputObject)]
pub struct AdminInventoryPiecesInput {
    /// Of which item.
    pub inventory_item_id: ID,
    /// How many.
    pub quantity: i32,
}

/// What lies at a location, as it was counted.
#[derive(Debug, InputObject)]
pub struct AdminInventoryCountInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Where it was counted.
    pub location_id: ID,
    /// What lies there of each item, 1 to 250 of them. Not below what is promised of it.
    pub items: Vec<AdminInventoryPiecesInput>,
    /// Why, in your own words.
    pub note: Option<String>,
}

/// Goods that came in.
#[derive(Debug, InputObject)]
pub struct AdminInventoryReceiveInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Where they came in.
    pub location_id: ID,
    /// What came in, 1 to 250 items. As far as it was on its way there, it is so no longer.
    pub items: Vec<AdminInventoryPiecesInput>,
    /// From whom, in your own words.
    pub note: Option<String>,
}

/// Goods that go from one location to another.
#[derive(Debug, InputObject)]
pub struct AdminInventoryTransferInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// From where.
    pub from_location_id: ID,
    /// To where.
    pub to_location_id: ID,
    /// What, 1 to 250 items. Not what is promised.
    pub items: Vec<AdminInventoryPiecesInput>,
    /// Whether they are on their way until `inventoryReceive` says that they came; else they are there at once.
    #[graphql(default = false)]
    pub in_transit: bool,
    /// Why, in your own words.
    pub note: Option<String>,
}

payload! {
    /// What `inventoryCount` did.
    AdminInventoryCountPayload {
        /// The levels as they are now. At most 250.
        stock_levels: Vec<AdminStockLevel>
    }
}

payload! {
    /// What `inventoryReceive` did.
    AdminInventoryReceivePayload {
        /// The levels as they are now. At most 250.
        stock_levels: Vec<AdminStockLevel>
    }
}

payload! {
    /// What `inventoryTransfer` did.
    AdminInventoryTransferPayload {
        /// The levels as they are now, of both locations. At most 500.
        stock_levels: Vec<AdminStockLevel>
    }
}

fn pieces(inputs: &[AdminInventoryPiecesInput]) -> Result<Vec<Pieces>, Error> {
    let mut refusals = Refusals::default();
    let mut pieces = Vec::with_capacity(inputs.len());
    for (at, input) in inputs.iter().enumerate() {
        let item = parse_id(&input.inventory_item_id, &["items", &at.to_string(), "inventoryItemId"]);
        pieces.extend(refusals.keep(item).map(|item| Pieces { item, quantity: input.quantity }));
    }
    refusals.into_result()?;
    Ok(pieces)
}

/// Does it once per key and answers with the levels.
async fn once<O: Repeatable<Out = Vec<Level>>>(
    call: &Call,
    op: Result<O, Error>,
    key: String,
) -> Result<Vec<AdminStockLevel>, Error> {
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key };
    let levels = call.app.run_once(&call.caller, &op?, key).await?;
    Ok(levels.iter().map(AdminStockLevel::from).collect())
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
            let variant = input.variant_id.as_ref().map(|id| parse_id(id, &["variantId"])).transpose()?;
            let item = input.inventory_item_id.as_ref().map(|id| parse_id(id, &["inventoryItemId"])).transpose()?;
            let which = match (item, variant) {
                (Some(item), None) => Which::Item(item),
                (None, Some(variant)) => Which::Variant(variant),
                _ => {
                    let message = "Name a variant or an item, and not both.";
                    return Err(Refusal::new(ErrorCode::Invalid, message).at(["inventoryItemId"]).into());
                }
            };
            let op = AdjustInventory {
                which,
                location: input.location_id.as_ref().map(|id| parse_id(id, &["locationId"])).transpose()?,
                delta: input.delta,
                reason: input.reason.0,
                note: input.note,
            };
            let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
            call.app.run_once(&call.caller, &op, key).await.map(|level| AdminStockLevel::from(&level))
        };
        AdminInventoryAdjustPayload::answer(outcome.await)
    }

    /// Writes what a count of the shelves found: what lies there is what was counted, and the difference is kept as a
    /// correction. All of it, or nothing.
    #[graphql(guard = "inventory_write()")]
    async fn inventory_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was counted.")] input: AdminInventoryCountInput,
    ) -> async_graphql::Result<AdminInventoryCountPayload> {
        let op = async {
            let location = parse_id(&input.location_id, &["locationId"])?;
            Ok(CountInventory { location, items: pieces(&input.items)?, note: input.note })
        };
        AdminInventoryCountPayload::answer(once(call(ctx)?, op.await, input.idempotency_key).await)
    }

    /// Takes goods in. All of them, or none.
    #[graphql(guard = "inventory_write()")]
    async fn inventory_receive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What came in.")] input: AdminInventoryReceiveInput,
    ) -> async_graphql::Result<AdminInventoryReceivePayload> {
        let op = async {
            let location = parse_id(&input.location_id, &["locationId"])?;
            Ok(ReceiveInventory { location, items: pieces(&input.items)?, note: input.note })
        };
        AdminInventoryReceivePayload::answer(once(call(ctx)?, op.await, input.idempotency_key).await)
    }

    /// Sends goods from one location to another. All of them, or none.
    #[graphql(guard = "inventory_write()")]
    async fn inventory_transfer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What goes where.")] input: AdminInventoryTransferInput,
    ) -> async_graphql::Result<AdminInventoryTransferPayload> {
        let op = async {
            Ok(TransferInventory {
                from: parse_id(&input.from_location_id, &["fromLocationId"])?,
                to: parse_id(&input.to_location_id, &["toLocationId"])?,
                items: pieces(&input.items)?,
                in_transit: input.in_transit,
                note: input.note,
            })
        };
        AdminInventoryTransferPayload::answer(once(call(ctx)?, op.await, input.idempotency_key).await)
    }
}
