//! Live carts.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use domain::cart::CartChange;
use engine::cart::live::{Follower, Told};
use engine::error::Error;
use futures_util::Stream;

use super::store::access;
use super::types::Cart;
use crate::api::call::call;
use crate::api::feed::until_it_ends;
use crate::api::payload::top_level;
use crate::api::shown::Shown;
use crate::api::word::Enum;

/// A message about a cart.
#[derive(Debug, Clone, SimpleObject)]
pub struct CartUpdate {
    /// The cart as it is now, with what it comes to and what stands between it and an order.
    pub cart: Cart,
    /// What is different since the last message, each once; empty in the first.
    pub changes: Vec<Enum<CartChange>>,
}

impl From<Told> for CartUpdate {
    fn from((quote, changes): Told) -> Self {
        Self { cart: Cart(quote), changes: changes.into_iter().map(Enum).collect() }
    }
}

/// Live carts of the store surface.
#[derive(Debug, Default)]
pub struct CartStoreSubscription;

#[Subscription]
impl CartStoreSubscription {
    /// A cart as its price, its stock, its delivery or its payment changes, wherever that comes from: staff, other
    /// shoppers, another window, the payment provider. The first message tells the present state, so that nothing is
    /// missed when you come back; changes that follow each other within a second come in one message. It ends when the
    /// cart has become an order.
    async fn cart_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart's id.")] cart_id: ID,
        #[graphql(desc = "The token that came with it; not needed for a signed-in customer's cart.")]
        cart_token: Option<String>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Shown<CartUpdate>>>> {
        let call = call(ctx)?;
        let follower = async {
            let access = access(&cart_id, cart_token).map_err(|_| Error::not_found("cart"))?;
            Follower::open(call.app.clone(), call.caller.actor.clone(), access).await
        };
        let follower = follower.await.map_err(top_level)?;
        Ok(until_it_ends(follower, |follower| {
            Box::pin(async { Ok(follower.next().await?.map(|told| Shown::alone(told.into()))) })
        }))
    }
}
