//! Paying what an order owes, on the store surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{OrderId, PaymentId};
use domain::refusal::{ErrorCode, Refusal};

use crate::api::call::{Call, call};
use crate::api::payload::{UserError, part, payload};
use crate::api::scalar::{Int64, Json, Money, MoneyInput, parse_id};
use crate::cart::store::session_data;
use crate::order::types::Order;
use crate::payment::types::Payment;
use engine::error::{Error, Result};
use engine::op::{IdempotencyKey, Rehearsal, find_key};
use engine::order::access;
use engine::payment::due;
use engine::payment::due::link::{left_by, named_by, opened_by};
use engine::payment::due::ops::{BeginPayment, OPERATION, Opens, no_order};
use engine::payment::method::{Choice, prepare};
use engine::payment::repo;
use engine::payment::wanted::{Came, Wanted, cancel as cancel_wanted};

/// What is paid, how, and of which order: either `orderId`, or `linkToken`.
#[derive(Debug, InputObject)]
pub struct OrderPayInput {
    /// Your name for this intention, 1 to 255 characters: the same key again goes on with the same payment.
    pub idempotency_key: String,
    /// Which order.
    pub order_id: Option<ID>,
    /// What `cartComplete` gave with it; not needed for a signed-in customer's order.
    pub access_token: Option<String>,
    /// The token of a payment link.
    pub link_token: Option<String>,
    /// How much: what the shopper saw and agreed to, at most what is left to be paid.
    pub amount: MoneyInput,
    /// The name of a provider that the order's region offers.
    pub provider: String,
    /// What the provider needs to know, such as a payment method; at most 16 KiB as text.
    pub data: Option<Json>,
    /// A payment method that the signed-in customer saved at this provider (`Customer.paymentMethods`); it pays then.
    /// Only for the order of that customer.
    pub payment_method_id: Option<ID>,
    /// Whether what pays is saved for the signed-in customer, once it has worked: only when he has agreed to it.
    #[graphql(default)]
    pub save_payment_method: bool,
}

/// Which payment is called off, and what opens it: either `orderId`, or `linkToken`.
#[derive(Debug, InputObject)]
pub struct OrderPaymentCancelInput {
    /// Of which order.
    pub order_id: Option<ID>,
    /// What `cartComplete` gave with it; not needed for a signed-in customer's order.
    pub access_token: Option<String>,
    /// The token of the payment link by which it was begun.
    pub link_token: Option<String>,
    /// Which payment.
    pub payment_id: ID,
}

/// What `orderPay` did.
#[derive(Debug, Default, SimpleObject)]
pub struct OrderPayPayload {
    /// The payment; null when it was refused.
    pub payment: Option<Payment>,
    /// The order, unless it was paid by a link: a link opens no order.
    pub order: Option<Order>,
    /// What the shopper must do at the payment provider; call again with the same key afterwards.
    pub next_action: Option<Json>,
    /// Whether the money is on its way. Call again with the same key to see.
    pub processing: bool,
    /// Every reason why nothing was paid; empty on success.
    pub user_errors: Vec<UserError>,
}

payload! {
    /// What `orderPaymentCancel` did.
    OrderPaymentCancelPayload {
        /// The payment as it is now.
        payment: Payment
    }
}

/// What whoever holds a link to pay by sees of an order.
#[derive(Debug, SimpleObject)]
pub struct PaymentLink {
    /// The number of the order.
    pub order_number: Int64,
    /// How much is left to be paid by it; zero when all is paid, or the order takes no payments any more.
    pub amount: Money,
    /// Through whom it can be paid, for `orderPay`.
    pub payment_providers: Vec<String>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Queries about what is still to be paid.
#[derive(Debug, Default)]
pub struct DueStoreQuery;

#[Object]
impl DueStoreQuery {
    /// What a link asks to be paid; null when it is not good, or not any more.
    async fn payment_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the link holds.")] token: String,
    ) -> async_graphql::Result<Option<PaymentLink>> {
        let call = call(ctx)?;
        let conn = call.conn();
        let (order, link) = match opened_by(&call.app, &conn, &token).await {
            Ok(found) => found,
            Err(Error::Refused(_)) => return Ok(None),
            Err(error) => return Err(crate::api::payload::top_level(error)),
        };
        let left = left_by(&conn, &order, &link).await.map_err(crate::api::payload::top_level)?;
        let region = call.settings.region(order.region_id);
        Ok(Some(PaymentLink {
            order_number: Int64(order.number.unwrap_or_default()),
            amount: Money::new(left, order.currency),
            payment_providers: region.map(|region| region.providers.clone()).unwrap_or_default(),
            expires_at: link.expires_at,
        }))
    }
}

/// Mutations that pay what an order owes.
#[derive(Debug, Default)]
pub struct DueStoreMutation;

#[Object]
impl DueStoreMutation {
    /// Pays what an order still owes (`Order.amountDue`), or a part of it: when a payment was given up, was taken in
    /// part, or came to nothing. More than that is refused with `AMOUNT_TOO_LARGE`; while another payment is under way,
    /// with `PAYMENT_PENDING`.
    async fn order_pay(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and how.")] input: OrderPayInput,
    ) -> async_graphql::Result<OrderPayPayload> {
        let call = call(ctx)?;
        let (answer, user_errors) = part(pay(call, input).await)?;
        Ok(OrderPayPayload { user_errors, ..answer.unwrap_or_default() })
    }

    /// Calls off a payment of an order that waits for the shopper, or whose money is on its way: at the provider first,
    /// then here. Money that arrives all the same goes back. The order can be
    /// paid otherwise then. One that has ended stays as it is.
    async fn order_payment_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment.")] input: OrderPaymentCancelInput,
    ) -> async_graphql::Result<OrderPaymentCancelPayload> {
        OrderPaymentCancelPayload::answer(cancel(call(ctx)?, input).await)
    }
}

/// An order that is open to the caller, and what opens it.
async fn opened(
    call: &Call,
    order_id: Option<&ID>,
    access_token: Option<&str>,
    link_token: Option<&str>,
) -> Result<(entity::order::Model, Opens)> {
    match (order_id, link_token) {
        (Some(id), None) => {
            let id: OrderId = parse_id(id, &["orderId"])?;
            let (conn, actor) = (call.conn(), &call.caller.actor);
            let row = access::open(&call.app, &conn, actor, Permission::PaymentsWrite, id, access_token).await;
            let token = access_token.and_then(|token| access::named_by(&call.app, id, token));
            Ok((row.map_err(|error| hidden(error, no_order()))?, Opens::Order(token)))
        }
        (None, Some(token)) => {
            let (order, link) = named_by(&call.app, &call.conn(), token).await?;
            Ok((order, Opens::Link(link.id)))
        }
        _ => Err(Refusal::new(ErrorCode::Invalid, "Give either orderId or linkToken.").at(["orderId"]).into()),
    }
}

/// A refusal with the path of this input.
fn hidden(error: Error, refusal: Refusal) -> Error {
    if matches!(error, Error::Refused(_)) { refusal.into() } else { error }
}

async fn pay(call: &Call, input: OrderPayInput) -> Result<OrderPayPayload> {
    let opened = opened(call, input.order_id.as_ref(), input.access_token.as_deref(), input.link_token.as_deref());
    let (order, opens) = opened.await?;
    let method = input.payment_method_id.as_ref().map(|id| id.as_str());
    let choice = Choice::read(&input.provider, method, input.save_payment_method)?;
    let begin = BeginPayment {
        order: order.id,
        opens,
        amount: input.amount.check(&["amount"])?,
        provider: input.provider,
        data: session_data(input.data)?,
        choice,
        key: IdempotencyKey { actor: order.id.to_string(), key: input.idempotency_key }.check()?,
    };
    // The same call again asks nobody whether the method is still there.
    if begin.choice != Choice::default() && find_key(&call.conn(), OPERATION, &begin.key).await?.is_none() {
        // The provider is told of nobody whom the shop would refuse.
        call.app.run(&call.caller, &Rehearsal(&begin)).await?;
        prepare(&call.app, &call.caller, &begin.provider, &begin.choice).await?;
    }
    let (id, paying) = due::pay(&call.app, &call.caller, &begin).await?;
    let conn = call.conn();
    let payment = repo::find(&conn, id).await?.ok_or_else(|| Error::internal("a payment vanished"))?;
    let order = match opens {
        Opens::Order(_) => engine::order::repo::find(&conn, order.id).await?.map(Order::from),
        Opens::Link(_) => None,
    };
    let (next_action, processing) = match paying {
        Came::Done(()) => (None, false),
        Came::NextAction(action) => (Some(Json(action)), false),
        Came::Processing => (None, true),
    };
    let payment = Some(Payment::from(payment));
    Ok(OrderPayPayload { payment, order, next_action, processing, user_errors: Vec::new() })
}

async fn cancel(call: &Call, input: OrderPaymentCancelInput) -> Result<Payment> {
    let opened = opened(call, input.order_id.as_ref(), input.access_token.as_deref(), input.link_token.as_deref());
    let (order, opens) = opened.await?;
    let id: PaymentId = parse_id(&input.payment_id, &["paymentId"])?;
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such payment.").at(["paymentId"]);
    let row = repo::find(&call.conn(), id).await?.filter(|row| row.order_id == Some(order.id));
    let row = row.filter(|row| match opens {
        Opens::Order(_) => true,
        Opens::Link(link) => row.link_id == Some(link),
    });
    let row = row.ok_or_else(missing)?;
    if row.is_open() {
        cancel_wanted::<entity::payment::Model>(&call.app, &call.caller, id).await?;
    }
    Ok(repo::find(&call.conn(), id).await?.ok_or_else(missing)?.into())
}
