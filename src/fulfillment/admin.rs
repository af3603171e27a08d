//! Fulfillments on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::auth::Permission;
use domain::id::{FulfillmentId, OrderLineId};
use domain::refusal::Refusals;

use super::types::Fulfillment;
use crate::api::call::{Call, call};
use crate::api::guard::orders_write;
use crate::api::payload::{UserError, part};
use crate::api::scalar::parse_id;
use crate::order::types::AdminOrder;
use engine::error::{Error, Result};
use engine::fulfillment::ops::{
    CancelFulfillment, CreateFulfillment, DeliverFulfillment, NewTracking, ShipFulfillment,
};
use engine::fulfillment::repo;
use engine::op::IdempotencyKey;
use engine::order::access;

/// How many pieces of an order line are packed.
#[derive(Debug, InputObject)]
pub struct AdminFulfillmentLineInput {
    /// Which line of the order.
    pub order_line_id: ID,
    /// How many pieces.
    pub quantity: i32,
}

/// What is packed together.
#[derive(Debug, InputObject)]
pub struct AdminFulfillmentCreateInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Of which order.
    pub order_id: ID,
    /// Which lines and how many of each; everything that is open when absent.
    pub lines: Option<Vec<AdminFulfillmentLineInput>>,
    /// Where; when absent, the one location at which the goods are promised.
    pub location_id: Option<ID>,
}

/// A parcel's number at its carrier.
#[derive(Debug, InputObject)]
pub struct AdminTrackingInput {
    /// The number, 1 to 255 characters.
    pub number: String,
    /// The carrier's name.
    pub carrier: Option<String>,
    /// Where the parcel can be followed: `https://…`.
    pub url: Option<String>,
}

/// What is on its way.
#[derive(Debug, InputObject)]
pub struct AdminFulfillmentShipInput {
    /// Which fulfillment.
    pub id: ID,
    /// The numbers of its parcels, at most 100.
    pub trackings: Option<Vec<AdminTrackingInput>>,
}

/// What has arrived.
#[derive(Debug, InputObject)]
pub struct AdminFulfillmentDeliverInput {
    /// Which fulfillment.
    pub id: ID,
}

/// What is unpacked.
#[derive(Debug, InputObject)]
pub struct AdminFulfillmentCancelInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Which fulfillment.
    pub id: ID,
}

macro_rules! fulfillment_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, SimpleObject)]
        pub struct $name {
            /// The fulfillment as it is now.
            pub fulfillment: Option<Fulfillment>,
            /// Its order as it is now.
            pub order: Option<AdminOrder>,
            /// Every reason why nothing was done; empty on success.
            pub user_errors: Vec<UserError>,
        }

        impl $name {
            fn answer(outcome: Result<(Fulfillment, AdminOrder)>) -> async_graphql::Result<Self> {
                let (done, user_errors) = part(outcome)?;
                let (fulfillment, order) = done.unzip();
                Ok(Self { fulfillment, order, user_errors })
            }
        }
    };
}

fulfillment_payload! {
    /// What `fulfillmentCreate` did.
    AdminFulfillmentCreatePayload
}

fulfillment_payload! {
    /// What `fulfillmentShip` did.
    AdminFulfillmentShipPayload
}

fulfillment_payload! {
    /// What `fulfillmentDeliver` did.
    AdminFulfillmentDeliverPayload
}

fulfillment_payload! {
    /// What `fulfillmentCancel` did.
    AdminFulfillmentCancelPayload
}

async fn show(call: &Call, id: FulfillmentId) -> Result<(Fulfillment, AdminOrder)> {
    let conn = call.conn();
    let row = repo::find(&conn, id).await?.ok_or_else(|| Error::internal("a fulfillment vanished"))?;
    let order = access::find(&conn, &call.caller.actor, Permission::OrdersWrite, row.order_id).await?;
    Ok((Fulfillment(row), order.ok_or_else(|| Error::not_found("order"))?.into()))
}

/// Mutations of fulfillments.
#[derive(Debug, Default)]
pub struct FulfillmentAdminMutation;

#[Object]
impl FulfillmentAdminMutation {
    /// Packs lines of an order at one location. It uses the stock that was promised to them.
    #[graphql(guard = "orders_write()")]
    async fn fulfillment_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is packed together.")] input: AdminFulfillmentCreateInput,
    ) -> async_graphql::Result<AdminFulfillmentCreatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let order = refusals.keep(parse_id(&input.order_id, &["orderId"]));
            let lines = input.lines.map(|lines| {
                let read = |(place, line): (usize, &AdminFulfillmentLineInput)| {
                    let id =
                        parse_id::<OrderLineId>(&line.order_line_id, &["lines", &place.to_string(), "orderLineId"]);
                    id.map(|id| (id, line.quantity))
                };
                lines.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect()
            });
            let location = input.location_id.as_ref().map(|id| parse_id(id, &["locationId"])).transpose();
            let location = refusals.keep(location).flatten();
            refusals.into_result()?;
            let order = order.ok_or_else(|| Error::internal("a refusal was lost"))?;
            let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
            let op = CreateFulfillment { order, lines, location };
            show(call, call.app.run_once(&call.caller, &op, key).await?).await
        };
        AdminFulfillmentCreatePayload::answer(outcome.await)
    }

    /// Says that a fulfillment is on its way, with the numbers of its parcels.
    #[graphql(guard = "orders_write()")]
    async fn fulfillment_ship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is on its way.")] input: AdminFulfillmentShipInput,
    ) -> async_graphql::Result<AdminFulfillmentShipPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let parcel = |parcel: AdminTrackingInput| NewTracking {
                number: parcel.number,
                carrier: parcel.carrier,
                url: parcel.url,
            };
            let trackings = input.trackings.unwrap_or_default().into_iter().map(parcel).collect();
            let op = ShipFulfillment { id: parse_id(&input.id, &["id"])?, trackings };
            show(call, call.app.run(&call.caller, &op).await?).await
        };
        AdminFulfillmentShipPayload::answer(outcome.await)
    }

    /// Says that a fulfillment has arrived.
    #[graphql(guard = "orders_write()")]
    async fn fulfillment_deliver(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What has arrived.")] input: AdminFulfillmentDeliverInput,
    ) -> async_graphql::Result<AdminFulfillmentDeliverPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeliverFulfillment(parse_id(&input.id, &["id"])?);
            show(call, call.app.run(&call.caller, &op).await?).await
        };
        AdminFulfillmentDeliverPayload::answer(outcome.await)
    }

    /// Unpacks a fulfillment that was not shipped: the goods lie there again and stay promised to the order.
    #[graphql(guard = "orders_write()")]
    async fn fulfillment_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is unpacked.")] input: AdminFulfillmentCancelInput,
    ) -> async_graphql::Result<AdminFulfillmentCancelPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = CancelFulfillment(parse_id(&input.id, &["id"])?);
            let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
            show(call, call.app.run_once(&call.caller, &op, key).await?).await
        };
        AdminFulfillmentCancelPayload::answer(outcome.await)
    }
}
