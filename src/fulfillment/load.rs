//! Fulfillments for loaders.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{FulfillmentId, OrderId};
use entity::{fulfillment, fulfillment_line, tracking};

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::fulfillment::repo;

/// The fulfillments of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FulfillmentsOf(pub OrderId);

impl Loader<FulfillmentsOf> for Batch {
    type Value = Arc<Vec<fulfillment::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[FulfillmentsOf]) -> Result<HashMap<FulfillmentsOf, Self::Value>, Self::Error> {
        let orders: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::of_orders(&self.conn, &orders).await?;
        Ok(group(rows.into_iter().map(|row| (FulfillmentsOf(row.order_id), row))))
    }
}

/// What is in a fulfillment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PackedIn(pub FulfillmentId);

impl Loader<PackedIn> for Batch {
    type Value = Arc<Vec<fulfillment_line::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PackedIn]) -> Result<HashMap<PackedIn, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::lines_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (PackedIn(row.fulfillment_id), row))))
    }
}

/// The parcels of a fulfillment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackingsOf(pub FulfillmentId);

impl Loader<TrackingsOf> for Batch {
    type Value = Arc<Vec<tracking::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[TrackingsOf]) -> Result<HashMap<TrackingsOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::trackings_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (TrackingsOf(row.fulfillment_id), row))))
    }
}
