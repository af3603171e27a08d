//! Tax regions and rates for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{TaxRateId, TaxRegionId};
use domain::tax::TaxTarget;
use engine::error::Error;
use engine::tax::repo;
use entity::{tax_rate, tax_region};

use crate::api::call::{Batch, group};

/// A tax region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaxRegionOf(pub TaxRegionId);

impl Loader<TaxRegionOf> for Batch {
    type Value = Option<Arc<tax_region::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[TaxRegionOf]) -> Result<HashMap<TaxRegionOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::regions_by_ids(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|row| (TaxRegionOf(row.id), Some(Arc::new(row)))).collect())
    }
}

/// The rates of a tax region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RatesOf(pub TaxRegionId);

impl Loader<RatesOf> for Batch {
    type Value = Arc<Vec<tax_rate::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[RatesOf]) -> Result<HashMap<RatesOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::rates_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (RatesOf(row.tax_region_id), row))))
    }
}

/// What a tax rate is an override for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TargetsOf(pub TaxRateId);

impl Loader<TargetsOf> for Batch {
    type Value = Arc<Vec<TaxTarget>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[TargetsOf]) -> Result<HashMap<TargetsOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::targets_of(&self.conn, &ids).await?;
        let of_rate =
            |row: entity::tax_rate_target::Model| (TargetsOf(row.tax_rate_id), TaxTarget::of(row.kind, row.target_id));
        Ok(group(rows.into_iter().map(of_rate)))
    }
}
