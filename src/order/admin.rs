//! Orders on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::OrderId;
use domain::order::{FulfillmentStatus, OrderStatus, PaymentStatus};

use super::types::{AdminOrder, AdminOrderConnection};
use crate::api::call::{Call, call};
use crate::api::guard::{orders_read, orders_write};
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Int64, parse_id};
use crate::api::word::Enum;
use engine::actor::Actor;
use engine::error::{Error, Result};
use engine::op::IdempotencyKey;
use engine::order::access;
use engine::order::ops::CancelOrder;
use engine::order::repo::{self, OrderFilter};
use engine::scope;

/// What orders must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminOrderFilter {
    /// In one of these.
    pub status: Option<Vec<Enum<OrderStatus>>>,
    /// In one of these.
    pub payment_status: Option<Vec<Enum<PaymentStatus>>>,
    /// In one of these.
    pub fulfillment_status: Option<Vec<Enum<FulfillmentStatus>>>,
    /// With this number.
    pub number: Option<Int64>,
    /// Bought with this e-mail, whatever its capitals.
    pub email: Option<String>,
    /// Bought by this customer's account.
    pub customer_id: Option<ID>,
    /// Placed at this moment or later.
    pub placed_from: Option<DateTime<Utc>>,
    /// Placed before this moment.
    pub placed_before: Option<DateTime<Utc>>,
}

impl AdminOrderFilter {
    fn read(self, actor: &Actor) -> Result<OrderFilter> {
        fn bare<W>(words: Vec<Enum<W>>) -> Vec<W> {
            words.into_iter().map(|word| word.0).collect()
        }
        let email = self.email.as_deref().map(str::parse).transpose();
        let customer = self.customer_id.as_ref().map(|id| parse_id(id, &["filter", "customerId"])).transpose()?;
        Ok(OrderFilter {
            customer,
            channel: None,
            status: self.status.map(bare),
            payment_status: self.payment_status.map(bare),
            fulfillment_status: self.fulfillment_status.map(bare),
            number: self.number.map(|number| number.0),
            email: email.map_err(|refusal: domain::refusal::Refusal| refusal.at(["filter", "email"]))?,
            placed_from: self.placed_from,
            placed_before: self.placed_before,
            channels: scope::channels(actor, Permission::OrdersRead),
        })
    }
}

/// Queries about orders.
#[derive(Debug, Default)]
pub struct OrderAdminQuery;

#[Object]
impl OrderAdminQuery {
    /// All orders of the channels that your roles reach, by the time at which they were placed, the newest first.
    #[graphql(guard = "orders_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the orders must be.")] filter: Option<AdminOrderFilter>,
        #[graphql(desc = "Which way the list runs; the newest first when absent.")] direction: Option<SortDirection>,
    ) -> async_graphql::Result<AdminOrderConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default().read(&call.caller.actor)?;
            let descending = direction != Some(SortDirection::Asc);
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, descending, &("orders", descending, &filter))?;
            repo::page(&call.conn(), &filter, page, count).await
        };
        outcome.await.map(AdminOrderConnection::from).map_err(top_level)
    }

    /// One order with its history; null when there is none.
    #[graphql(guard = "orders_read()")]
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminOrder>> {
        let Ok(id) = parse_id::<OrderId>(&id, &["id"]) else { return Ok(None) };
        let call = call(ctx)?;
        let row = access::find(&call.conn(), &call.caller.actor, Permission::OrdersRead, id).await;
        Ok(row.map_err(top_level)?.map(AdminOrder::from))
    }
}

/// Which order is canceled.
#[derive(Debug, InputObject)]
pub struct AdminOrderCancelInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Which order.
    pub order_id: ID,
    /// Why, in your own words; kept in the audit log.
    pub reason: Option<String>,
}

payload! {
    /// What `orderCancel` did.
    AdminOrderCancelPayload {
        /// The order as it is now.
        order: AdminOrder
    }
}

/// Mutations of orders.
#[derive(Debug, Default)]
pub struct OrderAdminMutation;

#[Object]
impl OrderAdminMutation {
    /// Cancels an order of which nothing was shipped: goods are free again, money is given up or given back
    /// through its provider.
    #[graphql(guard = "orders_write()")]
    async fn order_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: AdminOrderCancelInput,
    ) -> async_graphql::Result<AdminOrderCancelPayload> {
        AdminOrderCancelPayload::answer(cancel(call(ctx)?, input).await)
    }
}

async fn cancel(call: &Call, input: AdminOrderCancelInput) -> Result<AdminOrder> {
    let order: OrderId = parse_id(&input.order_id, &["orderId"])?;
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
    let op = CancelOrder { order, reason: input.reason };
    let id = call.app.run_once(&call.caller, &op, key).await?;
    let conn = call.conn();
    for entry in engine::payment::repo::pending_of(&conn, id).await? {
        engine::payment::flow::settle(&call.app, &call.caller, entry).await?;
    }
    let row = access::find(&conn, &call.caller.actor, Permission::OrdersWrite, id).await?;
    Ok(row.ok_or_else(|| Error::not_found("order"))?.into())
}
