//! Stock for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{LocationId, VariantId};
use domain::inventory::kits;

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

/// How many units of a variant these locations can still promise, of the rows of its items.
pub fn available(rows: &[StockRow], locations: &[LocationId]) -> i64 {
    let free = |row: &StockRow| if locations.contains(&row.location) { row.stocked - row.reserved } else { 0 };
    kits(rows.iter().map(|row| (row.item, row.required, free(row))))
}
