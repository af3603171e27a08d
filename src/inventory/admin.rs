//! Stock on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::inventory::MovementReason;

use crate::api::call::call;
use crate::api::guard::inventory_write;
use crate::api::payload::payload;
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use engine::inventory::ops::{AdjustInventory, Adjusted};
use engine::inventory::repo::StockRow;
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

impl From<Adjusted> for AdminStockLevel {
    fn from((_, row): Adjusted) -> Self {
        let available = (row.stocked - row.reserved).max(0);
        Self { location_id: id(row.location_id), stocked: row.stocked, reserved: row.reserved, available }
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
