//! Payments on the admin surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, Object, SimpleObject};
use domain::auth::Permission;
use domain::id::PaymentId;
use domain::payment::RefundReason;

use super::types::AdminPayment;
use crate::api::call::{Call, call};
use crate::api::guard::payments_write;
use crate::api::payload::{UserError, part};
use crate::api::scalar::{MoneyInput, parse_id};
use crate::api::word::Enum;
use crate::order::types::AdminOrder;
use engine::error::{Error, Result};
use engine::op::IdempotencyKey;
use engine::order::access;
use engine::payment::flow::settle;
use engine::payment::ops::{RequestCapture, RequestRefund, RequestVoid, Why};
use engine::payment::repo;

/// Which money is taken.
#[derive(Debug, InputObject)]
pub struct AdminPaymentCaptureInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Which payment.
    pub payment_id: ID,
    /// How much; all that can still be taken when absent.
    pub amount: Option<MoneyInput>,
}

/// Which promise is given up.
#[derive(Debug, InputObject)]
pub struct AdminPaymentVoidInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Which payment.
    pub payment_id: ID,
}

/// Which money is given back, and why.
#[derive(Debug, InputObject)]
pub struct AdminRefundCreateInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Which payment.
    pub payment_id: ID,
    /// How much; all that can still be given back when absent.
    pub amount: Option<MoneyInput>,
    /// Why.
    pub reason: Enum<RefundReason>,
    /// What there is to say about it, for staff alone; at most 1000 characters.
    pub note: Option<String>,
    /// Where it goes.
    #[graphql(default_with = "AdminRefundTo::Original")]
    pub to: AdminRefundTo,
}

/// Where money goes that is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdminRefundTo {
    /// To where it came from: through its provider, or onto the gift card or store credit that paid.
    Original,
    /// It becomes store credit of the order's customer, who must have an account. The provider keeps nothing to do.
    StoreCredit,
}

/// What `paymentVoid` did.
#[derive(Debug, SimpleObject)]
pub struct AdminPaymentVoidPayload {
    /// The payment as it is now.
    pub payment: Option<AdminPayment>,
    /// Its order as it is now.
    pub order: Option<AdminOrder>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// What `refundCreate` did.
#[derive(Debug, SimpleObject)]
pub struct AdminRefundCreatePayload {
    /// The payment as it is now.
    pub payment: Option<AdminPayment>,
    /// Its order as it is now.
    pub order: Option<AdminOrder>,
    /// Every reason why nothing was given back; empty on success.
    pub user_errors: Vec<UserError>,
}

/// What `paymentCapture` did.
#[derive(Debug, SimpleObject)]
pub struct AdminPaymentCapturePayload {
    /// The payment as it is now.
    pub payment: Option<AdminPayment>,
    /// Its order as it is now.
    pub order: Option<AdminOrder>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// Mutations of payments.
#[derive(Debug, Default)]
pub struct PaymentAdminMutation;

#[Object]
impl PaymentAdminMutation {
    /// Takes money that was promised, or a part of it.
    #[graphql(guard = "payments_write()")]
    async fn payment_capture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which money.")] input: AdminPaymentCaptureInput,
    ) -> async_graphql::Result<AdminPaymentCapturePayload> {
        let call = call(ctx)?;
        let (done, user_errors) = part(capture(call, input).await)?;
        let (payment, order) = done.unzip();
        Ok(AdminPaymentCapturePayload { payment, order, user_errors })
    }

    /// Gives up what was promised and not taken: nothing more can be taken of this payment.
    #[graphql(guard = "payments_write()")]
    async fn payment_void(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which payment.")] input: AdminPaymentVoidInput,
    ) -> async_graphql::Result<AdminPaymentVoidPayload> {
        let call = call(ctx)?;
        let (done, user_errors) = part(give_up(call, input).await)?;
        let (payment, order) = done.unzip();
        Ok(AdminPaymentVoidPayload { payment, order, user_errors })
    }

    /// Gives taken money back, or a part of it. More than what is left of it is refused with `AMOUNT_TOO_LARGE`, and
    /// `limit` says how much that is in minor units.
    #[graphql(guard = "payments_write()")]
    async fn refund_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which money, and why.")] input: AdminRefundCreateInput,
    ) -> async_graphql::Result<AdminRefundCreatePayload> {
        let call = call(ctx)?;
        let (done, user_errors) = part(refund(call, input).await)?;
        let (payment, order) = done.unzip();
        Ok(AdminRefundCreatePayload { payment, order, user_errors })
    }
}

async fn give_up(call: &Call, input: AdminPaymentVoidInput) -> Result<(AdminPayment, AdminOrder)> {
    let id: PaymentId = parse_id(&input.payment_id, &["paymentId"])?;
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
    let entry = call.app.run_once(&call.caller, &RequestVoid { payment: id }, key).await?;
    settle(&call.app, &call.caller, entry).await?;
    shown(call, id).await
}

async fn refund(call: &Call, input: AdminRefundCreateInput) -> Result<(AdminPayment, AdminOrder)> {
    let id: PaymentId = parse_id(&input.payment_id, &["paymentId"])?;
    let amount = input.amount.map(|amount| amount.check(&["amount"])).transpose()?;
    let note = input.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    let op = RequestRefund {
        payment: id,
        amount: amount.map(|money| (money.minor, money.currency.to_string())),
        why: Why { reason: Some(input.reason.0), note },
        to_credit: input.to == AdminRefundTo::StoreCredit,
    };
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
    let entry = call.app.run_once(&call.caller, &op, key).await?;
    settle(&call.app, &call.caller, entry).await?;
    shown(call, id).await
}

async fn capture(call: &Call, input: AdminPaymentCaptureInput) -> Result<(AdminPayment, AdminOrder)> {
    let id: PaymentId = parse_id(&input.payment_id, &["paymentId"])?;
    let amount = input.amount.map(|amount| amount.check(&["amount"])).transpose()?;
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
    let entry = call.app.run_once(&call.caller, &RequestCapture::new(id, amount), key).await?;
    settle(&call.app, &call.caller, entry).await?;
    shown(call, id).await
}

/// A payment with its order as they are now.
async fn shown(call: &Call, id: PaymentId) -> Result<(AdminPayment, AdminOrder)> {
    let conn = call.conn();
    let payment = repo::find(&conn, id).await?.ok_or_else(|| Error::internal("a payment vanished"))?;
    let order = match payment.order_id {
        Some(order) => access::find(&conn, &call.caller.actor, Permission::PaymentsWrite, order).await?,
        None => None,
    };
    let order = order.ok_or_else(|| Error::not_found("order"))?;
    Ok((payment.into(), order.into()))
}
