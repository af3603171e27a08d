//! How fulfillments look, alike on both surfaces.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::fulfillment::FulfillmentState;
use entity::fulfillment;

use super::load::{PackedIn, TrackingsOf};
use crate::api::call::call;
use crate::api::scalar::id;
use crate::api::word::Enum;

/// What was packed together.
#[derive(Debug, Clone)]
pub struct Fulfillment(pub fulfillment::Model);

/// What was packed together.
#[Object]
impl Fulfillment {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Where it is on its way.
    async fn state(&self) -> Enum<FulfillmentState> {
        Enum(self.0.state)
    }

    /// What is in it, at most 100 lines.
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<FulfillmentLine>> {
        let rows = call(ctx)?.load(PackedIn(self.0.id)).await?;
        let line = |row: &entity::fulfillment_line::Model| FulfillmentLine {
            order_line_id: id(row.order_line_id),
            quantity: row.quantity,
        };
        Ok(rows.iter().map(line).collect())
    }

    /// The numbers of its parcels, at most 100.
    async fn trackings(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Tracking>> {
        let rows = call(ctx)?.load(TrackingsOf(self.0.id)).await?;
        let parcel = |row: &entity::tracking::Model| Tracking {
            number: row.number.clone(),
            carrier: row.carrier.clone(),
            url: row.url.clone(),
        };
        Ok(rows.iter().map(parcel).collect())
    }

    /// When it was packed.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was shipped.
    async fn shipped_at(&self) -> Option<DateTime<Utc>> {
        self.0.shipped_at
    }

    /// When it arrived.
    async fn delivered_at(&self) -> Option<DateTime<Utc>> {
        self.0.delivered_at
    }

    /// When it was canceled.
    async fn canceled_at(&self) -> Option<DateTime<Utc>> {
        self.0.canceled_at
    }
}

/// How much of an order line is in a fulfillment.
#[derive(Debug, Clone, SimpleObject)]
pub struct FulfillmentLine {
    /// Which line of the order.
    pub order_line_id: ID,
    /// How many pieces.
    pub quantity: i32,
}

/// A parcel's number at its carrier.
#[derive(Debug, Clone, SimpleObject)]
pub struct Tracking {
    /// The number.
    pub number: String,
    /// The carrier's name.
    pub carrier: Option<String>,
    /// Where the parcel can be followed.
    pub url: Option<String>,
}
