//! Products beside products for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use chrono::{DateTime, Utc};
use domain::id::{ChannelId, ProductId};
use entity::product;

use crate::api::call::{Batch, group};
use engine::catalog::repo::related::{in_channel, of_products};
use engine::error::Error;

/// What staff put beside a product, in order, whoever may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelatedOf(pub ProductId);

impl Loader<RelatedOf> for Batch {
    type Value = Arc<Vec<product::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[RelatedOf]) -> Result<HashMap<RelatedOf, Self::Value>, Self::Error> {
        let ids: Vec<ProductId> = keys.iter().map(|key| key.0).collect();
        let rows = of_products(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|(beside, row)| (RelatedOf(beside), row))))
    }
}

/// What stands beside a product in a channel, in order, with the moment from
/// which on each is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ShownBeside(pub ProductId, pub ChannelId);

impl Loader<ShownBeside> for Batch {
    type Value = Arc<Vec<(product::Model, DateTime<Utc>)>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ShownBeside]) -> Result<HashMap<ShownBeside, Self::Value>, Self::Error> {
        let mut found = Vec::new();
        let mut channels: Vec<ChannelId> = keys.iter().map(|key| key.1).collect();
        channels.sort_unstable();
        channels.dedup();
        // A request has one channel.
        for channel in channels {
            let ids: Vec<ProductId> = keys.iter().filter(|key| key.1 == channel).map(|key| key.0).collect();
            let rows = in_channel(&self.conn, &ids, channel).await?;
            found.extend(rows.into_iter().map(|(beside, row, at)| (ShownBeside(beside, channel), (row, at))));
        }
        Ok(group(found))
    }
}
