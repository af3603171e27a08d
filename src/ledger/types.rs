//! How gift cards and store credit look.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{CheckoutId, OrderId};
use domain::ledger::LedgerEntryKind;
use domain::refusal::{ErrorCode, Refusal};
use engine::actor::Need;
use entity::{customer, ledger_account, ledger_entry};

use super::load::{NewestEntriesOf, OrderOfCheckout};
use crate::api::call::call;
use crate::api::page::{ADMIN_MAX, connection};
use crate::api::payload::top_level;
use crate::api::scalar::{Money, id};
use crate::api::word::Enum;
use crate::customer::load::CustomerOf;
use crate::customer::types::AdminCustomer;

/// A gift card, as whoever has its code sees it.
#[derive(Debug, SimpleObject)]
pub struct GiftCard {
    /// How its code ends.
    pub last_characters: String,
    /// What is on it.
    pub balance: Money,
    /// Until when it can be spent, exclusive; for ever when null.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it can be spent now: not when the shop has frozen it, or its time is over.
    pub spendable: bool,
}

impl GiftCard {
    /// A card at a moment.
    pub fn at(row: &ledger_account::Model, now: DateTime<Utc>) -> Self {
        Self {
            last_characters: row.last_characters.clone().unwrap_or_default(),
            balance: Money::new(row.balance_minor, row.currency),
            expires_at: row.expires_at,
            spendable: engine::ledger::account(row).spendable(now.timestamp_micros()) > 0,
        }
    }
}

/// What the shop owes you in a currency.
#[derive(Debug, SimpleObject)]
pub struct StoreCredit {
    /// How much.
    pub balance: Money,
}

impl From<&ledger_account::Model> for StoreCredit {
    fn from(row: &ledger_account::Model) -> Self {
        Self { balance: Money::new(row.balance_minor, row.currency) }
    }
}

/// A movement of a gift card or of store credit. None is ever changed.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub struct AdminLedgerEntry {
    /// Its id.
    pub id: ID,
    /// When it was.
    pub at: DateTime<Utc>,
    /// What it does.
    pub kind: Enum<LedgerEntryKind>,
    /// What it adds: below zero when it takes.
    pub amount: Money,
    /// What is there after it.
    pub balance: Money,
    /// Who did it.
    pub actor: String,
    /// What staff wrote about it.
    pub note: Option<String>,
    #[graphql(skip)]
    order: Option<OrderId>,
    #[graphql(skip)]
    checkout: Option<CheckoutId>,
}

#[ComplexObject]
impl AdminLedgerEntry {
    /// The order that was paid or given back with it, or that bought the card; null also for a checkout that was
    /// called off.
    async fn order_id(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<ID>> {
        if let (None, Some(checkout)) = (self.order, self.checkout) {
            return Ok(call(ctx)?.load(OrderOfCheckout(checkout)).await?.map(id));
        }
        Ok(self.order.map(id))
    }
}

impl AdminLedgerEntry {
    fn of(account: &ledger_account::Model, row: &ledger_entry::Model) -> Self {
        Self {
            id: id(row.id),
            at: row.at,
            kind: Enum(row.kind),
            amount: Money::new(row.amount_minor, account.currency),
            balance: Money::new(row.balance_minor, account.currency),
            actor: row.actor.clone(),
            note: row.note.clone(),
            order: row.order_id,
            checkout: row.checkout_id,
        }
    }
}

async fn entries(
    ctx: &Context<'_>,
    account: &ledger_account::Model,
    first: i32,
) -> async_graphql::Result<Vec<AdminLedgerEntry>> {
    if !(0..=ADMIN_MAX).contains(&first) {
        let message = format!("first is between 0 and {ADMIN_MAX}.");
        let refusal = Refusal::new(ErrorCode::Invalid, message).limit(ADMIN_MAX.into()).at(["first"]);
        return Err(top_level(refusal.into()));
    }
    let rows = call(ctx)?.load(NewestEntriesOf(account.id, first as u64)).await?;
    Ok(rows.iter().map(|row| AdminLedgerEntry::of(account, row)).collect())
}

/// A gift card, as staff see it.
#[derive(Debug, Clone)]
pub struct AdminGiftCard(pub Arc<ledger_account::Model>);

impl From<ledger_account::Model> for AdminGiftCard {
    fn from(row: ledger_account::Model) -> Self {
        Self(Arc::new(row))
    }
}

connection! {
    /// A page of gift cards.
    AdminGiftCardConnection, AdminGiftCardEdge, AdminGiftCard, ledger_account::Model
}

/// A gift card: whoever has its code spends it.
#[Object]
impl AdminGiftCard {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// How its code ends.
    async fn last_characters(&self) -> &str {
        self.0.last_characters.as_deref().unwrap_or_default()
    }

    /// Its code, to be given to whoever gets it: null once somebody claimed it, and without PAYMENTS_WRITE everywhere.
    async fn code(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let call = call(ctx)?;
        if call.caller.actor.check(Need::Everywhere(Permission::PaymentsWrite)).is_err() {
            return Ok(None);
        }
        engine::ledger::code::read(&call.app.vault, &self.0).map_err(top_level)
    }

    /// What is on it.
    async fn balance(&self) -> Money {
        Money::new(self.0.balance_minor, self.0.currency)
    }

    /// Until when it can be spent, exclusive; for ever when null.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// Since when it pays nothing, because staff have frozen it.
    async fn frozen_at(&self) -> Option<DateTime<Utc>> {
        self.0.frozen_at
    }

    /// Who claimed it: what was on it is his store credit now.
    #[graphql(guard = "crate::api::guard::customers_read_everywhere()")]
    async fn customer(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminCustomer>> {
        let Some(customer) = self.0.customer_id else { return Ok(None) };
        let row = call(ctx)?.load(CustomerOf(customer)).await?;
        Ok(row.map(|row| AdminCustomer::from(customer::Model::clone(&row))))
    }

    /// Where its code was mailed; null when it was not, without PAYMENTS_WRITE everywhere, and once whom it was for was
    /// erased.
    async fn recipient(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let call = call(ctx)?;
        let seen = call.caller.actor.check(Need::Everywhere(Permission::PaymentsWrite)).is_ok();
        Ok(self.0.recipient.as_ref().filter(|_| seen).map(ToString::to_string))
    }

    /// What staff wrote about it.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// Who made it.
    async fn created_by(&self) -> &str {
        &self.0.created_by
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// Its newest movements, at most 250. Their sum is what is on it.
    async fn entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many, between 0 and 250.", default = 20)] first: i32,
    ) -> async_graphql::Result<Vec<AdminLedgerEntry>> {
        entries(ctx, &self.0, first).await
    }
}

/// What the shop owes a customer in a currency, as staff see it.
#[derive(Debug, Clone)]
pub struct AdminStoreCredit(pub ledger_account::Model);

/// What the shop owes a customer in a currency.
#[Object]
impl AdminStoreCredit {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// How much.
    async fn balance(&self) -> Money {
        Money::new(self.0.balance_minor, self.0.currency)
    }

    /// Its newest movements, at most 250. Their sum is the balance.
    async fn entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many, between 0 and 250.", default = 20)] first: i32,
    ) -> async_graphql::Result<Vec<AdminLedgerEntry>> {
        entries(ctx, &self.0, first).await
    }
}
