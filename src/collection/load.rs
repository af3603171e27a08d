//! Collections for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{ChannelId, CollectionId, MediaId, ProductId, RegionId};
use entity::{collection, collection_channel, media};

use crate::api::call::{Batch, Call, group};
use engine::catalog::repo::listing::View;
use engine::collection::repo;
use engine::error::Error;

/// The collections that a product is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CollectionsOf {
    product: ProductId,
    channel: ChannelId,
    region: Option<RegionId>,
    staff: bool,
}

impl CollectionsOf {
    /// Those of a product as this request sees them.
    pub fn new(product: ProductId, call: &Call, staff: bool) -> Self {
        let region = call.region.as_ref().map(|region| region.row.id);
        Self { product, channel: call.channel.id, region, staff }
    }
}

impl Loader<CollectionsOf> for Batch {
    type Value = Arc<Vec<Arc<collection::Model>>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CollectionsOf]) -> Result<HashMap<CollectionsOf, Self::Value>, Self::Error> {
        let mut products: HashMap<(ChannelId, Option<RegionId>, bool), Vec<ProductId>> = HashMap::new();
        for key in keys {
            products.entry((key.channel, key.region, key.staff)).or_default().push(key.product);
        }
        let mut found = HashMap::new();
        // A request has one channel and one region, so this is one turn.
        for ((channel, region, staff), products) in products {
            let view = View {
                channel: (!staff).then_some(channel),
                price_channel: channel,
                region,
                locations: self.settings.locations_of(channel).iter().map(|location| location.id).collect(),
                now: self.now,
                // No rule asks for a text.
                languages: Vec::new(),
            };
            let rows = repo::of_products(&self.conn, &view, &products, &self.settings.rule_collections).await?;
            let keyed = |(product, rows)| (CollectionsOf { product, channel, region, staff }, Arc::new(rows));
            found.extend(rows.into_iter().map(keyed));
        }
        Ok(found)
    }
}

/// The channels in which a collection is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChannelsOf(pub CollectionId);

impl Loader<ChannelsOf> for Batch {
    type Value = Arc<Vec<collection_channel::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[ChannelsOf]) -> Result<HashMap<ChannelsOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::channels_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (ChannelsOf(row.collection_id), row))))
    }
}

/// A medium by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MediumBy(pub MediaId);

impl Loader<MediumBy> for Batch {
    type Value = Option<Arc<media::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[MediumBy]) -> Result<HashMap<MediumBy, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::media_by_ids(&self.conn, &ids).await?;
        Ok(rows.into_iter().map(|row| (MediumBy(row.id), Some(Arc::new(row)))).collect())
    }
}
