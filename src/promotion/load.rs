//! Promotions for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{CampaignId, PromotionId};
use entity::campaign_spending;

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::promotion::repo;

/// How many codes a promotion has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeCountOf(pub PromotionId);

impl Loader<CodeCountOf> for Batch {
    type Value = i32;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CodeCountOf]) -> Result<HashMap<CodeCountOf, i32>, Self::Error> {
        let promotions: Vec<_> = keys.iter().map(|key| key.0).collect();
        let counts = repo::codes::code_counts(&self.conn, &promotions).await?;
        let count = |(id, count): (PromotionId, i64)| (CodeCountOf(id), i32::try_from(count).unwrap_or(i32::MAX));
        Ok(counts.into_iter().map(count).collect())
    }
}

/// What a campaign has given, by currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpendingOf(pub CampaignId);

impl Loader<SpendingOf> for Batch {
    type Value = Arc<Vec<campaign_spending::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SpendingOf]) -> Result<HashMap<SpendingOf, Self::Value>, Self::Error> {
        let campaigns: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::spendings(&self.conn, &campaigns).await?;
        Ok(group(rows.into_iter().map(|row| (SpendingOf(row.campaign_id), row))))
    }
}
