//! What an order owes, on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{OrderId, PaymentLinkId};
use entity::payment_link;

use crate::api::call::{Call, call};
use crate::api::guard::payments_write;
use crate::api::payload::{UserError, part, payload};
use crate::api::scalar::{Money, MoneyInput, id, parse_id};
use crate::order::types::AdminOrder;
use crate::payment::types::AdminPayment;
use engine::actor::Need;
use engine::error::{Error, Result};
use engine::op::IdempotencyKey;
use engine::order::access;
use engine::payment::due::link::{self, CreateLink, RevokeLink};
use engine::payment::due::ops::MarkPaid;
use engine::payment::repo;

/// Which money came.
#[derive(Debug, InputObject)]
pub struct AdminOrderMarkPaidInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// For which order.
    pub order_id: ID,
    /// How much; all that the order owes when absent.
    pub amount: Option<MoneyInput>,
    /// What there is to say about it, for staff alone; at most 1000 characters.
    pub note: Option<String>,
}

/// What `orderMarkPaid` did.
#[derive(Debug, SimpleObject)]
pub struct AdminOrderMarkPaidPayload {
    /// The payment that stands for the money.
    pub payment: Option<AdminPayment>,
    /// The order as it is now.
    pub order: Option<AdminOrder>,
    /// Every reason why nothing was done; empty on success.
    pub user_errors: Vec<UserError>,
}

/// Which link is made.
#[derive(Debug, InputObject)]
pub struct AdminPaymentLinkCreateInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// For which order.
    pub order_id: ID,
    /// How much is to be paid by it; whatever the order owes when it is opened, when absent.
    pub amount: Option<MoneyInput>,
    /// Until when it is good: 90 days at most, 14 days when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is mailed to whoever bought.
    #[graphql(default)]
    pub send_mail: bool,
}

payload! {
    /// What `paymentLinkCreate` did.
    AdminPaymentLinkCreatePayload {
        /// The link.
        payment_link: AdminPaymentLink
    }
}

/// Which link is worthless from now on.
#[derive(Debug, InputObject)]
pub struct AdminPaymentLinkRevokeInput {
    /// Which link.
    pub payment_link_id: ID,
}

payload! {
    /// What `paymentLinkRevoke` did.
    AdminPaymentLinkRevokePayload {
        /// The link as it is now.
        payment_link: AdminPaymentLink
    }
}

/// A link by which whoever holds it may pay what an order owes. It opens no order.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPaymentLink {
    /// Its id.
    pub id: ID,
    /// Where it leads on the channel's storefront; null when the channel has no address, and without PAYMENTS_WRITE.
    pub url: Option<String>,
    /// What it holds, for `paymentLink` and `orderPay` on the store surface; null without PAYMENTS_WRITE.
    pub token: Option<String>,
    /// How much is to be paid by it; null: whatever the order owes.
    pub amount: Option<Money>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
    /// When staff made it worthless.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl AdminPaymentLink {
    /// A link as staff see it.
    pub fn new(call: &Call, order: &entity::order::Model, row: &payment_link::Model) -> Result<Self> {
        let pays = call.caller.actor.check(Need::Permission(Permission::PaymentsWrite)).is_ok();
        let token = if pays { Some(link::token(&call.app, row)?) } else { None };
        Ok(Self {
            id: id(row.id),
            url: token.as_ref().and_then(|token| link::address(&call.app, order, token)),
            token,
            amount: row.amount_minor.map(|minor| Money::new(minor, row.currency)),
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        })
    }

    async fn find(call: &Call, id: PaymentLinkId) -> Result<Self> {
        let conn = call.conn();
        let gone = || Error::internal("a payment link vanished");
        let row = repo::find_link(&conn, id).await?.ok_or_else(gone)?;
        let order = engine::order::repo::find(&conn, row.order_id).await?.ok_or_else(gone)?;
        Self::new(call, &order, &row)
    }
}

/// Mutations about what an order owes.
#[derive(Debug, Default)]
pub struct DueAdminMutation;

#[Object]
impl DueAdminMutation {
    /// Writes down money that came by itself, by transfer or in cash: a payment of the provider `manual`, which is
    /// taken. More than the order owes is refused with `AMOUNT_TOO_LARGE`.
    #[graphql(guard = "payments_write()")]
    async fn order_mark_paid(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which money.")] input: AdminOrderMarkPaidInput,
    ) -> async_graphql::Result<AdminOrderMarkPaidPayload> {
        let (done, user_errors) = part(mark_paid(call(ctx)?, input).await)?;
        let (payment, order) = done.unzip();
        Ok(AdminOrderMarkPaidPayload { payment, order, user_errors })
    }

    /// Makes a link by which whoever holds it may pay what an order owes.
    #[graphql(guard = "payments_write()")]
    async fn payment_link_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For which order.")] input: AdminPaymentLinkCreateInput,
    ) -> async_graphql::Result<AdminPaymentLinkCreatePayload> {
        AdminPaymentLinkCreatePayload::answer(create_link(call(ctx)?, input).await)
    }

    /// Makes a link worthless. A payment that was begun by it goes on.
    #[graphql(guard = "payments_write()")]
    async fn payment_link_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which link.")] input: AdminPaymentLinkRevokeInput,
    ) -> async_graphql::Result<AdminPaymentLinkRevokePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let link: PaymentLinkId = parse_id(&input.payment_link_id, &["paymentLinkId"])?;
            call.app.run(&call.caller, &RevokeLink { link }).await?;
            AdminPaymentLink::find(call, link).await
        };
        AdminPaymentLinkRevokePayload::answer(outcome.await)
    }
}

async fn mark_paid(call: &Call, input: AdminOrderMarkPaidInput) -> Result<(AdminPayment, AdminOrder)> {
    let order: OrderId = parse_id(&input.order_id, &["orderId"])?;
    let amount = input.amount.map(|amount| amount.check(&["amount"])).transpose()?;
    let note = input.note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
    let entry = call.app.run_once(&call.caller, &MarkPaid { order, amount, note }, key).await?;
    let conn = call.conn();
    let gone = || Error::internal("a payment vanished");
    let entry = repo::find_entry(&conn, entry).await?.ok_or_else(gone)?;
    let payment = repo::find(&conn, entry.payment_id).await?.ok_or_else(gone)?;
    let order = access::find(&conn, &call.caller.actor, Permission::PaymentsWrite, order).await?;
    Ok((payment.into(), order.ok_or_else(|| Error::not_found("order"))?.into()))
}

async fn create_link(call: &Call, input: AdminPaymentLinkCreateInput) -> Result<AdminPaymentLink> {
    let op = CreateLink {
        order: parse_id(&input.order_id, &["orderId"])?,
        amount: input.amount.map(|amount| amount.check(&["amount"])).transpose()?,
        expires_at: input.expires_at,
        mails: input.send_mail,
    };
    let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
    let link = call.app.run_once(&call.caller, &op, key).await?;
    AdminPaymentLink::find(call, link).await
}
