//! Stock for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{InventoryItemId, VariantId};
use entity::{inventory_item, reservation, stock_level, variant, variant_item};

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::inventory::repo::{self, StockRow, items, waiting};

/// The stock behind a variant, everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StockOf(pub VariantId);

impl Loader<StockOf> for Batch {
    type Value = Arc<Vec<StockRow>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[StockOf]) -> Result<HashMap<StockOf, Self::Value>, Self::Error> {
        let variants: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::of_variants(&self.conn, &variants).await?;
        Ok(group(rows.into_iter().map(|row| (StockOf(row.variant), row))))
    }
}

/// How many wait to be told that a variant can be bought again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct WaitingFor(pub VariantId);

impl Loader<WaitingFor> for Batch {
    type Value = i32;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[WaitingFor]) -> Result<HashMap<WaitingFor, Self::Value>, Self::Error> {
        let variants: Vec<_> = keys.iter().map(|key| key.0).collect();
        let counts = waiting::counts(&self.conn, &variants).await?;
        let count = |(variant, count)| (WaitingFor(variant), i32::try_from(count).unwrap_or(i32::MAX));
        Ok(counts.into_iter().map(count).collect())
    }
}

/// Declares a key whose value is a list of rows about an item.
macro_rules! item_loader {
    ($(#[$doc:meta])* $key:ident => $row:ty, $fetch:path, $item:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $key(pub InventoryItemId);

        impl Loader<$key> for Batch {
            type Value = Arc<Vec<$row>>;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, Self::Value>, Self::Error> {
                let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
                let rows = $fetch(&self.conn, &ids).await?;
                let item: fn(&$row) -> InventoryItemId = $item;
                Ok(group(rows.into_iter().map(|row| ($key(item(&row)), row))))
            }
        }
    };
}

/// An item by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ItemBy(pub InventoryItemId);

impl Loader<ItemBy> for Batch {
    type Value = Option<inventory_item::Model>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ItemBy]) -> Result<HashMap<ItemBy, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = items::by_ids(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|row| (ItemBy(row.id), Some(row))).collect())
    }
}

item_loader! {
    /// What lies of an item at each location.
    LevelsOf => stock_level::Model, items::levels_of, |row| row.item_id
}

item_loader! {
    /// The variants that take from an item.
    TakersOf => (variant_item::Model, variant::Model), items::variants_of, |(link, _)| link.item_id
}

item_loader! {
    /// The latest promises of an item.
    PromisesOf => reservation::Model, items::promises_of, |row| row.item_id
}
