//! What staff decide about items and levels: what is kept back, what is low, what is expected, what a variant takes.

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{InventoryItemId, LocationId, VariantId};
use domain::inventory::{MAX_KIT_ITEMS, MAX_KIT_QUANTITY, MAX_STOCK_CHANGE, MAX_TAKERS, MovementReason};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::title;
use entity::{inventory_item, stock_level, variant, variant_item};
use serde_json::json;

use super::ops::{Level, Pieces, WRITE, location_within};
use super::repo::{self, Moved};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

/// Makes an item, or changes what it is called.
#[derive(Debug, Clone)]
pub struct SetItem {
    /// Which one; a new one when absent.
    pub id: Option<InventoryItemId>,
    /// The merchant's number for it.
    pub sku: Change<String>,
    /// What staff call it.
    pub title: Change<String>,
}

impl Op for SetItem {
    const NAME: &'static str = "inventory_item.set";
    const NEEDS: Need = WRITE;
    type Out = inventory_item::Model;

    async fn run(&self, tx: &mut Tx) -> Result<inventory_item::Model> {
        let known = match self.id {
            None => None,
            Some(id) => {
                let row = repo::items::lock(tx, id).await?;
                let missing = || Refusal::new(ErrorCode::NotFound, "There is no such item.").at(["id"]);
                Some(row.ok_or_else(missing)?)
            }
        };
        let mut refusals = Refusals::default();
        let fresh = || inventory_item::Model { id: tx.id(), created_at: tx.now(), sku: None, title: None };
        let mut row = known.clone().unwrap_or_else(fresh);
        for (change, place, field) in [(&self.sku, &mut row.sku, "sku"), (&self.title, &mut row.title, "title")] {
            let checked = change.clone().try_map(|text| title(&text));
            if let Some(checked) = refusals.keep(checked.map_err(|refusal| refusal.at([field]))) {
                checked.apply(place);
            }
        }
        if row.sku.is_none() && row.title.is_none() {
            let message = "Give it a number or a name, so that it can be found.";
            refusals.push(Refusal::new(ErrorCode::Required, message).at(["title"]));
        }
        refusals.into_result()?;
        let told = |row: &inventory_item::Model| json!({ "sku": row.sku, "title": row.title });
        tx.audit(row.id, known.as_ref().map(told), Some(told(&row)));
        repo::items::save(tx, row, known.is_none()).await
    }
}

/// Changes what is decided about the stock of an item at a location. A level that isn't there is made.
#[derive(Debug, Clone)]
pub struct SetLevel {
    /// Of what.
    pub item: InventoryItemId,
    /// Where.
    pub location: LocationId,
    /// How many are kept back.
    pub safety: Option<i32>,
    /// From how many free units down it is low.
    pub low_stock: Option<i32>,
    /// How many are on their way, all in all.
    pub incoming: Option<i32>,
    /// When they are expected.
    pub incoming_at: Change<DateTime<Utc>>,
}

impl SetLevel {
    fn check(&self) -> Result<()> {
        let mut refusals = Refusals::default();
        for (quantity, field) in [(self.safety, "safety"), (self.low_stock, "lowStock"), (self.incoming, "incoming")] {
            if quantity.is_some_and(|quantity| !(0..=MAX_STOCK_CHANGE).contains(&quantity)) {
                let message = format!("This lies between 0 and {MAX_STOCK_CHANGE}.");
                let refusal = Refusal::new(ErrorCode::QuantityOutOfRange, message).limit(MAX_STOCK_CHANGE.into());
                refusals.push(refusal.at([field]));
            }
        }
        Ok(refusals.into_result()?)
    }
}

impl Op for SetLevel {
    const NAME: &'static str = "stock_level.set";
    const NEEDS: Need = WRITE;
    type Out = Level;

    async fn run(&self, tx: &mut Tx) -> Result<Level> {
        self.check()?;
        let location = location_within(tx, Some(self.location), "locationId").await?;
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such item.").at(["inventoryItemId"]);
        let item = repo::items::find(&tx.conn, self.item).await?.ok_or_else(missing)?.id;
        let place = (item, location);
        let gone = || Error::internal("a stock level vanished");
        if repo::lock_level(tx, place).await?.is_none() {
            repo::open_level(tx, place).await?;
        }
        let before = repo::lock_level(tx, place).await?.ok_or_else(gone)?;
        if let Some(incoming) = self.incoming.filter(|incoming| *incoming != before.incoming) {
            let delta = incoming - before.incoming;
            repo::change_incoming(tx, place, Moved { delta, reason: MovementReason::Expected, cause: None }).await?;
        }
        let mut after = repo::lock_level(tx, place).await?.ok_or_else(gone)?;
        after.safety = self.safety.unwrap_or(after.safety);
        after.low_stock = self.low_stock.unwrap_or(after.low_stock);
        self.incoming_at.clone().apply(&mut after.incoming_at);
        if after.incoming == 0 {
            after.incoming_at = None;
        }
        repo::set_level(tx, &before, &after).await?;
        let told = |row: &stock_level::Model| {
            json!({ "location": row.location_id, "safety": row.safety, "lowStock": row.low_stock,
                "incoming": row.incoming, "incomingAt": row.incoming_at })
        };
        tx.audit(item, Some(told(&before)), Some(told(&after)));
        Ok(after)
    }
}

/// Says which items a variant takes, and how many of each for one piece: several make a kit, and variants may share
/// one.
#[derive(Debug, Clone)]
pub struct SetVariantItems {
    /// Which variant.
    pub variant: VariantId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// All that it takes.
    pub items: Vec<Pieces>,
}

impl Op for SetVariantItems {
    const NAME: &'static str = "variant.set_items";
    const NEEDS: Need = Need::Everywhere(Permission::InventoryWrite);
    type Out = variant::Model;

    async fn run(&self, tx: &mut Tx) -> Result<variant::Model> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such variant.").at(["variantId"]);
        let before = repo::items::lock_variant(tx, self.variant).await?.ok_or_else(missing)?;
        check_version(self.expected_version, before.version)?;
        let rows = self.rows(tx).await?;
        let held = repo::items::of_variant(&tx.conn, self.variant).await?;
        repo::items::replace(tx, self.variant, rows.clone()).await?;
        let after = repo::items::raise_version(tx, before).await?;
        for link in held.iter().chain(&rows) {
            tx.wake(link.item_id);
        }
        let told = |rows: &[variant_item::Model]| {
            let told = |row: &variant_item::Model| json!({ "item": row.item_id, "quantity": row.required_quantity });
            json!({ "items": rows.iter().map(told).collect::<Vec<_>>() })
        };
        tx.audit(after.id, Some(told(&held)), Some(told(&rows)));
        tx.emit(Aggregate::new("product", after.product_id), "product.updated", json!({ "variant": after.id }));
        Ok(after)
    }
}

impl SetVariantItems {
    async fn rows(&self, tx: &Tx) -> Result<Vec<variant_item::Model>> {
        let mut refusals = Refusals::default();
        if self.items.is_empty() {
            let message = "What is sold takes from at least one item; say manageInventory: false if nobody counts it.";
            refusals.push(Refusal::new(ErrorCode::Required, message).at(["items"]));
        }
        if self.items.len() > MAX_KIT_ITEMS {
            let message = format!("A variant takes from at most {MAX_KIT_ITEMS} items.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_KIT_ITEMS as i64).at(["items"]));
        }
        let known = repo::items::known(&tx.conn, self.items.iter().map(|pieces| pieces.item)).await?;
        let mut rows: Vec<variant_item::Model> = Vec::new();
        let taken = repo::items::takers(&tx.conn, self.variant, known.iter().copied()).await?;
        for (at, Pieces { item, quantity }) in self.items.iter().enumerate() {
            let path = |field: &str| ["items".to_owned(), at.to_string(), field.to_owned()];
            if taken.get(item).is_some_and(|takers| *takers >= MAX_TAKERS) {
                let message = format!("At most {MAX_TAKERS} variants take from one item.");
                let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_TAKERS);
                refusals.push(refusal.at(path("inventoryItemId")));
            }
            if !known.contains(item) {
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such item.").at(path("inventoryItemId")));
            }
            if rows.iter().any(|row| row.item_id == *item) {
                let refusal = Refusal::new(ErrorCode::Duplicate, "This item is named twice.");
                refusals.push(refusal.at(path("inventoryItemId")));
            }
            if !(1..=MAX_KIT_QUANTITY).contains(quantity) {
                let message = format!("This lies between 1 and {MAX_KIT_QUANTITY}.");
                let refusal = Refusal::new(ErrorCode::QuantityOutOfRange, message).limit(MAX_KIT_QUANTITY.into());
                refusals.push(refusal.at(path("quantity")));
            }
            let row = variant_item::Model { variant_id: self.variant, item_id: *item, required_quantity: *quantity };
            rows.push(row);
        }
        refusals.into_result()?;
        Ok(rows)
    }
}
