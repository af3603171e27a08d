//! Checkout on the store surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::cart::CartState;
use domain::refusal::{ErrorCode, Refusal};

use crate::api::call::{Call, call};
use crate::api::payload::{UserError, part, payload};
use crate::api::scalar::{Json, MoneyInput};
use crate::cart::store::access;
use crate::cart::types::Cart;
use crate::order::types::Order;
use engine::cart::ops::{CartAccess, is_own, no_cart};
use engine::cart::quote::quote;
use engine::checkout::begin::Begin;
use engine::checkout::flow::complete;
use engine::checkout::repo;
use engine::error::{Error, Result};
use engine::op::IdempotencyKey;
use engine::payment::wanted::{Came, cancel};

/// What turns a cart into an order.
#[derive(Debug, InputObject)]
pub struct CartCompleteInput {
    /// Your name for this intention, 1 to 255 characters: the same key again gives the same order.
    pub idempotency_key: String,
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
    /// The total that the shopper saw and agreed to. Another total now is refused with `TOTAL_CHANGED`.
    pub expected_total: MoneyInput,
    /// What he saw to be left to pay (`Cart.amountDue`). Required when gift cards or store credit pay a part; another
    /// amount now is refused with `TOTAL_CHANGED`.
    pub expected_amount_due: Option<MoneyInput>,
}

/// What calls a checkout off.
#[derive(Debug, InputObject)]
pub struct CheckoutCancelInput {
    /// Which cart.
    pub cart_id: ID,
    /// The token that came with the cart; not needed for a signed-in customer's cart.
    pub cart_token: Option<String>,
}

/// What `cartComplete` did.
#[derive(Debug, Default, SimpleObject)]
pub struct CartCompletePayload {
    /// The order; null while the shopper must do something, or when it was refused.
    pub order: Option<Order>,
    /// Opens the order for whoever holds it, for 90 days: for `order` and `orderUpdated`.
    pub access_token: Option<String>,
    /// What the shopper must do at the payment provider; call again with the same key afterwards.
    pub next_action: Option<Json>,
    /// Whether the money is on its way, as with a debit of a bank account: the order comes by itself when it has
    /// arrived. Call again with the same key to see.
    pub processing: bool,
    /// Every reason why there is no order; empty on success.
    pub user_errors: Vec<UserError>,
}

payload! {
    /// What `checkoutCancel` did.
    CheckoutCancelPayload {
        /// The cart, open again.
        cart: Cart
    }
}

/// Mutations of checkouts.
#[derive(Debug, Default)]
pub struct CheckoutStoreMutation;

#[Object]
impl CheckoutStoreMutation {
    /// Turns a cart into an order: checks everything and names all that is missing, promises stock,
    /// asks the payment provider, places the order. All of it, or nothing.
    async fn cart_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cart, and the total that the shopper saw.")] input: CartCompleteInput,
    ) -> async_graphql::Result<CartCompletePayload> {
        let call = call(ctx)?;
        let (answer, user_errors) = part(finish(call, input).await)?;
        Ok(CartCompletePayload { user_errors, ..answer.unwrap_or_default() })
    }

    /// Calls off a checkout that waits for the shopper: at the provider first, then here. The cart is open again.
    async fn checkout_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cart.")] input: CheckoutCancelInput,
    ) -> async_graphql::Result<CheckoutCancelPayload> {
        let call = call(ctx)?;
        let outcome = async { release(call, access(&input.cart_id, input.cart_token)?).await };
        CheckoutCancelPayload::answer(outcome.await)
    }
}

async fn finish(call: &Call, input: CartCompleteInput) -> Result<CartCompletePayload> {
    let access = access(&input.cart_id, input.cart_token)?;
    let key = IdempotencyKey { actor: access.id.to_string(), key: input.idempotency_key }.check()?;
    let expected = input.expected_total.check(&["expectedTotal"])?;
    let expected_due = input.expected_amount_due.map(|due| due.check(&["expectedAmountDue"])).transpose()?;
    let begin = Begin { access, expected, expected_due, key };
    match complete(&call.app, &call.caller, &begin).await? {
        Came::NextAction(action) => {
            Ok(CartCompletePayload { next_action: Some(Json(action)), ..CartCompletePayload::default() })
        }
        Came::Processing => Ok(CartCompletePayload { processing: true, ..CartCompletePayload::default() }),
        Came::Done(id) => {
            let found = engine::order::repo::find_with_token(&call.conn(), id).await?;
            let (order, token) = found.ok_or_else(|| Error::internal("an order vanished"))?;
            let link = call.app.keys.sign_order_link(id, token.id, token.created_at, token.expires_at)?;
            Ok(CartCompletePayload {
                order: Some(Order::from(order)),
                access_token: Some(link),
                ..CartCompletePayload::default()
            })
        }
    }
}

async fn release(call: &Call, access: CartAccess) -> Result<Cart> {
    let conn = call.conn();
    let find = async || -> Result<entity::cart::Model> {
        let row = engine::cart::repo::find(&conn, access.id).await?;
        let own = row.filter(|row| is_own(row, &call.caller.actor, access.token.as_deref()));
        own.ok_or_else(|| Error::from(no_cart()))
    };
    let cart = find().await?;
    let last = repo::last_of(&conn, cart.id).await?;
    match (&last, cart.state) {
        (_, CartState::Completed) => {
            return Err(Refusal::new(ErrorCode::CartCompleted, "This cart has become an order.").into());
        }
        (None, _) => {
            return Err(Refusal::new(ErrorCode::CheckoutMissing, "There is no checkout of this cart to cancel.").into());
        }
        (Some(row), _) => cancel::<entity::checkout::Model>(&call.app, &call.caller, row.id).await?,
    }
    let quoted = async || {
        let rows = engine::cart::repo::rows_of(&conn, find().await?).await?;
        quote(&conn, &call.settings, rows, call.app.clock.now()).await
    };
    Ok(Cart::from(call.app.asking(quoted).await?))
}
