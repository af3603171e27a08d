//! Prices for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{PriceListId, VariantId};
use domain::money::Currency;
use domain::pricing::Candidate;
use domain::pricing::history::Past;
use entity::price;

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::pricing::listing::REMEMBERED;
use engine::pricing::repo;

/// The prices of a variant in one currency: base prices and those of these lists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PricesOf(pub VariantId, pub Currency, pub Arc<[PriceListId]>);

impl Loader<PricesOf> for Batch {
    type Value = Arc<Vec<Candidate>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PricesOf]) -> Result<HashMap<PricesOf, Self::Value>, Self::Error> {
        // One statement per region of the request, which is one unless it compares.
        let mut variants: HashMap<(Currency, &Arc<[PriceListId]>), Vec<VariantId>> = HashMap::new();
        for PricesOf(variant, currency, lists) in keys {
            variants.entry((*currency, lists)).or_default().push(*variant);
        }
        let mut found = HashMap::new();
        for ((currency, lists), variants) in variants {
            let rows = repo::candidates_of(&self.conn, &variants, currency, lists).await?;
            let placed = rows.into_iter().map(|(variant, price)| (PricesOf(variant, currency, lists.clone()), price));
            found.extend(group(placed));
        }
        Ok(found)
    }
}

/// What a variant costs in a currency, and what it cost before, as far as that may matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PastOf(pub VariantId, pub Currency);

impl Loader<PastOf> for Batch {
    type Value = Arc<Past>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PastOf]) -> Result<HashMap<PastOf, Self::Value>, Self::Error> {
        let mut variants: HashMap<Currency, Vec<VariantId>> = HashMap::new();
        for PastOf(variant, currency) in keys {
            variants.entry(*currency).or_default().push(*variant);
        }
        let mut found = HashMap::new();
        for (currency, variants) in variants {
            let past = repo::past_of(&self.conn, &variants, currency, self.now - REMEMBERED).await?;
            found.extend(past.into_iter().map(|(variant, past)| (PastOf(variant, currency), Arc::new(past))));
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

/// How many prices a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PriceCountOf(pub PriceListId);

impl Loader<PriceCountOf> for Batch {
    type Value = i32;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PriceCountOf]) -> Result<HashMap<PriceCountOf, i32>, Self::Error> {
        let lists: Vec<_> = keys.iter().map(|key| key.0).collect();
        let counts = repo::counts(&self.conn, &lists).await?;
        let count = |(list, count): (PriceListId, i64)| (PriceCountOf(list), i32::try_from(count).unwrap_or(i32::MAX));
        Ok(counts.into_iter().map(count).collect())
    }
}
