//! How payments look.

use async_graphql::{Context, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::payment::{Entry, EntryKind, EntryState, PaymentState, RefundReason, ledger};
use entity::{payment, payment_entry};
use std::sync::Arc;

use super::load::EntriesOf;
use crate::api::call::call;
use crate::api::scalar::{Money, id};
use crate::api::word::Enum;
use crate::ledger::load::LedgerAccountOf;
use engine::ledger::spend::GIFT_CARD;
use engine::payment::repo::entry;

/// Money promised or taken for an order, as shoppers see it.
#[derive(MergedObject, Debug, Clone)]
pub struct Payment(PaymentCore);

/// Money promised or taken for an order, as staff see it.
#[derive(MergedObject, Debug, Clone)]
pub struct AdminPayment(PaymentCore, PaymentStaff);

impl From<payment::Model> for Payment {
    fn from(row: payment::Model) -> Self {
        Self(PaymentCore(Arc::new(row)))
    }
}

impl From<payment::Model> for AdminPayment {
    fn from(row: payment::Model) -> Self {
        let row = Arc::new(row);
        Self(PaymentCore(row.clone()), PaymentStaff(row))
    }
}

/// What both surfaces show of a payment.
#[derive(Debug, Clone)]
pub struct PaymentCore(Arc<payment::Model>);

impl PaymentCore {
    async fn entries(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Entry>> {
        Ok(call(ctx)?.load(EntriesOf(self.0.id)).await?.iter().map(entry).collect())
    }
}

#[Object]
impl PaymentCore {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The name of the provider; `gift_card` and `store_credit` are the shop's own.
    async fn provider(&self) -> &str {
        &self.0.provider
    }

    /// How the code of the gift card ends that paid; null when it was paid otherwise.
    async fn gift_card_last_characters(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let named = self.0.provider_reference.as_deref().filter(|_| self.0.provider == GIFT_CARD);
        let Some(id) = named.and_then(|text| text.parse().ok()) else { return Ok(None) };
        let card = call(ctx)?.load(LedgerAccountOf(id)).await?;
        Ok(card.and_then(|card| card.last_characters.clone()))
    }

    /// Where it stands.
    async fn state(&self) -> Enum<PaymentState> {
        Enum(self.0.state)
    }

    /// What it was made for.
    async fn amount(&self) -> Money {
        Money::new(self.0.amount_minor, self.0.currency)
    }

    /// What was taken of it.
    async fn captured(&self, ctx: &Context<'_>) -> async_graphql::Result<Money> {
        Ok(Money::new(ledger(&self.entries(ctx).await?).captured_minor, self.0.currency))
    }

    /// What was given back of it.
    async fn refunded(&self, ctx: &Context<'_>) -> async_graphql::Result<Money> {
        Ok(Money::new(ledger(&self.entries(ctx).await?).refunded_minor, self.0.currency))
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// What only staff see of a payment.
#[derive(Debug, Clone)]
pub struct PaymentStaff(Arc<payment::Model>);

#[Object]
impl PaymentStaff {
    /// The provider's name for it; the id of the account when a gift card or store credit paid.
    async fn provider_reference(&self) -> Option<&str> {
        self.0.provider_reference.as_deref()
    }

    /// Why it came to nothing, as the shopper was told.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// Everything that was done with it, oldest first; nothing is ever taken out of this list.
    async fn entries(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPaymentEntry>> {
        let rows = call(ctx)?.load(EntriesOf(self.0.id)).await?;
        Ok(rows.iter().map(|row| AdminPaymentEntry::new(row, &self.0)).collect())
    }
}

/// Something that was done with a payment.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPaymentEntry {
    /// Its id.
    pub id: ID,
    /// What was done.
    pub kind: Enum<EntryKind>,
    /// How it ended.
    pub state: Enum<EntryState>,
    /// With how much.
    pub amount: Money,
    /// The provider's name for it.
    pub provider_reference: Option<String>,
    /// What caused it.
    pub cause: String,
    /// Why money was given back, when staff said so.
    pub reason: Option<Enum<RefundReason>>,
    /// What staff wrote about it.
    pub note: Option<String>,
    /// When it was asked for.
    pub at: DateTime<Utc>,
}

impl AdminPaymentEntry {
    fn new(row: &payment_entry::Model, payment: &payment::Model) -> Self {
        Self {
            id: id(row.id),
            kind: Enum(row.kind),
            state: Enum(row.state),
            amount: Money::new(row.amount_minor, payment.currency),
            provider_reference: row.provider_reference.clone(),
            cause: row.cause.clone(),
            reason: row.reason.map(Enum),
            note: row.note.clone(),
            at: row.at,
        }
    }
}
