//! Items, levels, and what variants take, on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};
use domain::id::InventoryItemId;
use domain::refusal::Refusals;

use crate::api::call::call;
use crate::api::guard::{Needs, inventory_write};
use crate::api::input::change;
use crate::api::payload::payload;
use crate::api::scalar::parse_id;
use crate::catalog::variant::types::AdminVariant;
use crate::inventory::admin::AdminStockLevel;
use crate::inventory::types::AdminInventoryItem;
use engine::actor::Need;
use engine::inventory::ops::Pieces;
use engine::inventory::set::{SetItem, SetLevel, SetVariantItems};

/// Changing stock in every location.
fn inventory_write_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::InventoryWrite))
}

/// An item as you want it. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminInventoryItemSetInput {
    /// Which item; a new one when absent.
    pub id: Option<ID>,
    /// Your number for it, 1 to 255 characters; that of an item with a variant of its own follows the variant's.
    pub sku: MaybeUndefined<String>,
    /// What you call it, 1 to 255 characters. It has a number or a name.
    pub title: MaybeUndefined<String>,
}

/// The stock of an item at a location, as far as you decide about it. What you leave out stays; what lies there is
/// changed by `inventoryAdjust` and the like.
#[derive(Debug, InputObject)]
pub struct AdminStockLevelSetInput {
    /// Of which item.
    pub inventory_item_id: ID,
    /// Where. A level that isn't there yet is made.
    pub location_id: ID,
    /// How many are kept back: they lie there and are not sold.
    pub safety: Option<i32>,
    /// From how many available pieces down the stock is low: shoppers are told so, and the event
    /// `inventory.low_stock` comes.
    pub low_stock: Option<i32>,
    /// How many are on their way there, all in all.
    pub incoming: Option<i32>,
    /// When they are expected; null: nobody knows.
    pub incoming_at: MaybeUndefined<DateTime<Utc>>,
}

/// What a variant takes of an item.
#[derive(Debug, InputObject)]
pub struct AdminVariantItemInput {
    /// Which item.
    pub inventory_item_id: ID,
    /// How many of it for one piece of the variant, 1 to 1000.
    #[graphql(default = 1)]
    pub quantity: i32,
}

/// All that a variant takes.
#[derive(Debug, InputObject)]
pub struct AdminVariantItemsSetInput {
    /// Which variant.
    pub variant_id: ID,
    /// The version of the variant that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Everything that one piece takes, 1 to 50 items: several make a kit, and variants may share one.
    pub items: Vec<AdminVariantItemInput>,
}

payload! {
    /// What `inventoryItemSet` did.
    AdminInventoryItemSetPayload {
        /// The item as it is now.
        inventory_item: AdminInventoryItem
    }
}

payload! {
    /// What `stockLevelSet` did.
    AdminStockLevelSetPayload {
        /// The level as it is now.
        stock_level: AdminStockLevel
    }
}

payload! {
    /// What `variantItemsSet` did.
    AdminVariantItemsSetPayload {
        /// The variant as it is now.
        variant: AdminVariant
    }
}

/// Mutations of items and levels.
#[derive(Debug, Default)]
pub struct LevelAdminMutation;

#[Object]
impl LevelAdminMutation {
    /// Makes an item that is counted, or changes what it is called. Every new variant has an item of its own already;
    /// make others for the parts of kits. It needs INVENTORY_WRITE without limit to channels or locations.
    #[graphql(guard = "inventory_write_everywhere()")]
    async fn inventory_item_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The item as you want it.")] input: AdminInventoryItemSetInput,
    ) -> async_graphql::Result<AdminInventoryItemSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let id = input.id.as_ref().map(|id| parse_id::<InventoryItemId>(id, &["id"])).transpose()?;
            let op = SetItem { id, sku: change(input.sku), title: change(input.title) };
            call.app.run(&call.caller, &op).await.map(AdminInventoryItem::from)
        };
        AdminInventoryItemSetPayload::answer(outcome.await)
    }

    /// Changes what is kept back of an item at a location, what is low there and what is on its way.
    #[graphql(guard = "inventory_write()")]
    async fn stock_level_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminStockLevelSetInput,
    ) -> async_graphql::Result<AdminStockLevelSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = SetLevel {
                item: parse_id(&input.inventory_item_id, &["inventoryItemId"])?,
                location: parse_id(&input.location_id, &["locationId"])?,
                safety: input.safety,
                low_stock: input.low_stock,
                incoming: input.incoming,
                incoming_at: change(input.incoming_at),
            };
            call.app.run(&call.caller, &op).await.map(|level| AdminStockLevel::from(&level))
        };
        AdminStockLevelSetPayload::answer(outcome.await)
    }

    /// Says which items a variant takes, and how many of each: the whole list. What orders were promised stays
    /// promised. It needs INVENTORY_WRITE without limit to channels or locations.
    #[graphql(guard = "inventory_write_everywhere()")]
    async fn variant_items_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "All that the variant takes.")] input: AdminVariantItemsSetInput,
    ) -> async_graphql::Result<AdminVariantItemsSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let mut items = Vec::with_capacity(input.items.len());
            for (at, taken) in input.items.iter().enumerate() {
                let item = parse_id(&taken.inventory_item_id, &["items", &at.to_string(), "inventoryItemId"]);
                items.extend(refusals.keep(item).map(|item| Pieces { item, quantity: taken.quantity }));
            }
            refusals.into_result()?;
            let variant = parse_id(&input.variant_id, &["variantId"])?;
            let op = SetVariantItems { variant, expected_version: input.expected_version, items };
            call.app.run(&call.caller, &op).await.map(AdminVariant::from)
        };
        AdminVariantItemsSetPayload::answer(outcome.await)
    }
}
