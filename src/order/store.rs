//! Orders on the store surface.

use async_graphql::{Context, ID, Object};
use domain::auth::Permission;
use domain::id::OrderId;

use super::types::Order;
use crate::api::call::call;
use crate::api::payload::find;
use crate::api::scalar::parse_id;
use engine::error::Error;
use engine::order::access::open;

/// Queries about orders.
#[derive(Debug, Default)]
pub struct OrderStoreQuery;

#[Object]
impl OrderStoreQuery {
    /// An order; null when there is none, or it isn't yours.
    async fn order(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The order's id.")] id: ID,
        #[graphql(desc = "What `cartComplete` gave with it; not needed for a signed-in customer's order.")]
        access_token: Option<String>,
    ) -> async_graphql::Result<Option<Order>> {
        let call = call(ctx)?;
        let outcome = async {
            let id: OrderId = parse_id(&id, &["id"]).map_err(|_| Error::not_found("order"))?;
            open(&call.app, &call.conn(), &call.caller.actor, Permission::OrdersRead, id, access_token.as_deref()).await
        };
        Ok(find(outcome.await)?.map(Order::from))
    }
}
