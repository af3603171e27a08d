//! Prices for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::VariantId;
use domain::money::Currency;
use domain::pricing::Candidate;
use entity::price;

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::pricing::repo;

/// The prices of a variant in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PricesOf(pub VariantId, pub Currency);

impl Loader<PricesOf> for Batch {
    type Value = Arc<Vec<Candidate>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PricesOf]) -> Result<HashMap<PricesOf, Self::Value>, Self::Error> {
        let mut variants: HashMap<Currency, Vec<VariantId>> = HashMap::new();
        for PricesOf(variant, currency) in keys {
            variants.entry(*currency).or_default().push(*variant);
        }
        let mut found = HashMap::new();
        // One statement per currency of the request, which is one unless it compares.
        for (currency, variants) in variants {
            let rows = repo::candidates_of(&self.conn, &variants, currency).await?;
            found.extend(group(rows.into_iter().map(|(variant, price)| (PricesOf(variant, currency), price))));
        }
        Ok(found)
    }
}

/// Every price of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AllPricesOf(pub VariantId);

impl Loader<AllPricesOf> for Batch {
    type Value = Arc<Vec<price::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[AllPricesOf]) -> Result<HashMap<AllPricesOf, Self::Value>, Self::Error> {
        let variants: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::all_of_variants(&self.conn, &variants).await?;
        Ok(group(rows.into_iter().filter_map(|row| Some((AllPricesOf(row.variant_id?), row)))))
    }
}
