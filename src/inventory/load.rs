//! Stock for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{InventoryItemId, LocationId, VariantId};

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::inventory::repo::{self, StockRow};

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

/// How many pieces of a variant can be had from these locations: of a kit, as
/// many as its scarcest item allows.
pub fn available(rows: &[StockRow], locations: &[LocationId]) -> i64 {
    let mut items: HashMap<InventoryItemId, (i32, i64)> = HashMap::new();
    for row in rows {
        let (_, sum) = items.entry(row.item).or_insert((row.required, 0));
        if locations.contains(&row.location) {
            *sum += i64::from((row.stocked - row.reserved).max(0));
        }
    }
    items.values().map(|(required, sum)| sum / i64::from(*required)).min().unwrap_or(0)
}
