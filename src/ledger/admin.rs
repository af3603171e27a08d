//! Gift cards and store credit on the admin surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, MaybeUndefined, Object};
use chrono::{DateTime, Utc};
use domain::id::{CustomerId, LedgerAccountId};
use domain::ledger::{LedgerEntryKind, LedgerKind};

use super::types::{AdminGiftCard, AdminGiftCardConnection, AdminStoreCredit};
use crate::api::call::{Call, call};
use crate::api::guard::{orders_read_everywhere, payments_write_everywhere};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, one_sort};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{CurrencyCode, MoneyInput, parse_id};
use engine::error::{Error, Result};
use engine::ledger::ops::{AdjustGiftCard, AdjustStoreCredit, IssueGiftCard, UpdateGiftCard};
use engine::ledger::repo::{self, GiftCardFilter, GiftCardSort};
use engine::op::IdempotencyKey;

/// What gift cards must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminGiftCardFilter {
    /// Its code ends so: four characters.
    pub last_characters: Option<String>,
    /// This customer claimed it.
    pub customer_id: Option<ID>,
    /// It was bought with this order.
    pub order_id: Option<ID>,
    /// It is in this currency.
    pub currency_code: Option<CurrencyCode>,
    /// Whether something is on it.
    pub has_balance: Option<bool>,
    /// Whether staff have frozen it.
    pub frozen: Option<bool>,
    /// Whether its time is over.
    pub expired: Option<bool>,
}

impl AdminGiftCardFilter {
    fn read(self) -> Result<GiftCardFilter> {
        let customer = self.customer_id.as_ref().map(|id| parse_id(id, &["filter", "customerId"])).transpose()?;
        Ok(GiftCardFilter {
            last_characters: self.last_characters.map(|last| last.trim().to_uppercase()),
            customer,
            order: self.order_id.as_ref().map(|id| parse_id(id, &["filter", "orderId"])).transpose()?,
            currency: self.currency_code.map(|code| code.0),
            has_balance: self.has_balance,
            frozen: self.frozen,
            expired: self.expired,
        })
    }
}

/// By what gift cards are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdminGiftCardSortField {
    /// When they were made.
    CreatedAt,
    /// What is on them, in minor units whatever the currency.
    Balance,
}

/// How gift cards are sorted.
#[derive(Debug, Clone, InputObject)]
pub struct AdminGiftCardSort {
    /// By what.
    pub field: AdminGiftCardSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

/// Queries about gift cards.
#[derive(Debug, Default)]
pub struct LedgerAdminQuery;

#[Object]
impl LedgerAdminQuery {
    /// All gift cards, the newest first.
    #[graphql(guard = "orders_read_everywhere()")]
    #[allow(clippy::too_many_arguments)]
    async fn gift_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the gift cards must be.")] filter: Option<AdminGiftCardFilter>,
        #[graphql(desc = "How the list is sorted, by one field; the newest first when absent.")] sort: Option<
            Vec<AdminGiftCardSort>,
        >,
    ) -> async_graphql::Result<AdminGiftCardConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default().read()?;
            let newest = AdminGiftCardSort { field: AdminGiftCardSortField::CreatedAt, direction: SortDirection::Desc };
            let sort = one_sort(sort, newest)?;
            let key = match sort.field {
                AdminGiftCardSortField::CreatedAt => GiftCardSort::CreatedAt,
                AdminGiftCardSortField::Balance => GiftCardSort::Balance,
            };
            let descending = sort.direction == SortDirection::Desc;
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, descending, &("gift_cards", key, descending, &filter))?;
            repo::gift_cards(&call.conn(), (&filter, call.app.clock.now()), key, page, count).await
        };
        outcome.await.map(AdminGiftCardConnection::from).map_err(top_level)
    }

    /// A gift card; null when there is none.
    #[graphql(guard = "orders_read_everywhere()")]
    async fn gift_card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminGiftCard>> {
        let Ok(id) = parse_id::<LedgerAccountId>(&id, &["id"]) else { return Ok(None) };
        let row = repo::find(&call(ctx)?.conn(), id).await.map_err(top_level)?;
        Ok(row.filter(|row| row.kind == LedgerKind::GiftCard).map(AdminGiftCard::from))
    }
}

/// A new gift card.
#[derive(Debug, InputObject)]
pub struct AdminGiftCardIssueInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// What is on it, above zero.
    pub amount: MoneyInput,
    /// Its code, when you bring one from elsewhere: at least 12 letters and digits. Made when absent.
    pub code: Option<String>,
    /// Until when it can be spent, exclusive; for ever when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// What there is to say about it, for staff alone; at most 1000 characters.
    pub note: Option<String>,
    /// The mailbox to which it is sent; nobody is told when absent.
    pub send_to: Option<String>,
    /// The language of that mail, a BCP 47 tag; the shop's own when absent.
    pub locale: Option<String>,
}

payload! {
    /// What `giftCardIssue` did.
    AdminGiftCardIssuePayload {
        /// The card, with its code.
        gift_card: AdminGiftCard
    }
}

/// Whether staff put something on an account or take it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdminLedgerAdjustment {
    /// It gets more.
    Credit,
    /// It gets less, never below zero.
    Debit,
}

impl From<AdminLedgerAdjustment> for LedgerEntryKind {
    fn from(kind: AdminLedgerAdjustment) -> Self {
        match kind {
            AdminLedgerAdjustment::Credit => Self::Credit,
            AdminLedgerAdjustment::Debit => Self::Debit,
        }
    }
}

/// What is put on a gift card, or taken off it.
#[derive(Debug, InputObject)]
pub struct AdminGiftCardAdjustInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Which card.
    pub gift_card_id: ID,
    /// Whether it gets more or less.
    pub kind: AdminLedgerAdjustment,
    /// How much, above zero, in the card's currency.
    pub amount: MoneyInput,
    /// Why, for staff alone; at most 1000 characters.
    pub note: Option<String>,
}

payload! {
    /// What `giftCardAdjust` did.
    AdminGiftCardAdjustPayload {
        /// The card as it is now.
        gift_card: AdminGiftCard
    }
}

/// What changes of a gift card. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminGiftCardUpdateInput {
    /// Which card.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Until when it can be spent, exclusive; null for ever.
    pub expires_at: MaybeUndefined<DateTime<Utc>>,
    /// Whether it pays nothing until further notice.
    pub frozen: Option<bool>,
    /// What there is to say about it, for staff alone; at most 1000 characters; null for nothing.
    pub note: MaybeUndefined<String>,
}

payload! {
    /// What `giftCardUpdate` did.
    AdminGiftCardUpdatePayload {
        /// The card as it is now.
        gift_card: AdminGiftCard
    }
}

/// What is put on a customer's store credit, or taken off it.
#[derive(Debug, InputObject)]
pub struct AdminStoreCreditAdjustInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Whose.
    pub customer_id: ID,
    /// Whether it gets more or less.
    pub kind: AdminLedgerAdjustment,
    /// How much, above zero: each currency has a balance of its own.
    pub amount: MoneyInput,
    /// Why, for staff alone; at most 1000 characters.
    pub note: Option<String>,
}

payload! {
    /// What `storeCreditAdjust` did.
    AdminStoreCreditAdjustPayload {
        /// The credit as it is now.
        store_credit: AdminStoreCredit
    }
}

/// Mutations about gift cards and store credit.
#[derive(Debug, Default)]
pub struct LedgerAdminMutation;

#[Object]
impl LedgerAdminMutation {
    /// Makes a gift card.
    #[graphql(guard = "payments_write_everywhere()")]
    async fn gift_card_issue(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The card.")] input: AdminGiftCardIssueInput,
    ) -> async_graphql::Result<AdminGiftCardIssuePayload> {
        AdminGiftCardIssuePayload::answer(issue(call(ctx)?, input).await)
    }

    /// Puts something on a gift card, or takes something off it. More than is there is refused with `AMOUNT_TOO_LARGE`.
    #[graphql(guard = "payments_write_everywhere()")]
    async fn gift_card_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and which way.")] input: AdminGiftCardAdjustInput,
    ) -> async_graphql::Result<AdminGiftCardAdjustPayload> {
        AdminGiftCardAdjustPayload::answer(adjust(call(ctx)?, input).await)
    }

    /// Freezes a gift card or lets it go again, and sets until when it can be spent.
    #[graphql(guard = "payments_write_everywhere()")]
    async fn gift_card_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminGiftCardUpdateInput,
    ) -> async_graphql::Result<AdminGiftCardUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = UpdateGiftCard {
                card: parse_id(&input.id, &["id"])?,
                expected_version: input.expected_version,
                expires_at: change(input.expires_at),
                frozen: input.frozen,
                note: change(input.note),
            };
            call.app.run(&call.caller, &op).await.map(AdminGiftCard::from)
        };
        AdminGiftCardUpdatePayload::answer(outcome.await)
    }

    /// Puts something on a customer's store credit, or takes something off it.
    #[graphql(guard = "payments_write_everywhere()")]
    async fn store_credit_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and which way.")] input: AdminStoreCreditAdjustInput,
    ) -> async_graphql::Result<AdminStoreCreditAdjustPayload> {
        AdminStoreCreditAdjustPayload::answer(adjust_credit(call(ctx)?, input).await)
    }
}

fn gone() -> Error {
    Error::internal("an account vanished")
}

fn key(call: &Call, key: String) -> IdempotencyKey {
    IdempotencyKey { actor: call.caller.actor.to_string(), key }
}

async fn issue(call: &Call, input: AdminGiftCardIssueInput) -> Result<AdminGiftCard> {
    let amount = input.amount.check(&["amount"])?;
    let op = IssueGiftCard {
        amount: (amount.minor, amount.currency),
        code: input.code,
        expires_at: input.expires_at,
        note: input.note,
        send_to: input.send_to,
        locale: input.locale,
    };
    let id = call.app.run_once(&call.caller, &op, key(call, input.idempotency_key)).await?;
    Ok(repo::find(&call.conn(), id).await?.ok_or_else(gone)?.into())
}

async fn adjust(call: &Call, input: AdminGiftCardAdjustInput) -> Result<AdminGiftCard> {
    let amount = input.amount.check(&["amount"])?;
    let card: LedgerAccountId = parse_id(&input.gift_card_id, &["giftCardId"])?;
    let (kind, note) = (input.kind.into(), input.note);
    let op = AdjustGiftCard { card, kind, amount: (amount.minor, amount.currency), note };
    call.app.run_once(&call.caller, &op, key(call, input.idempotency_key)).await?;
    Ok(repo::find(&call.conn(), card).await?.ok_or_else(gone)?.into())
}

async fn adjust_credit(call: &Call, input: AdminStoreCreditAdjustInput) -> Result<AdminStoreCredit> {
    let amount = input.amount.check(&["amount"])?;
    let customer: CustomerId = parse_id(&input.customer_id, &["customerId"])?;
    let (kind, note) = (input.kind.into(), input.note);
    let op = AdjustStoreCredit { customer, kind, amount: (amount.minor, amount.currency), note };
    let entry = call.app.run_once(&call.caller, &op, key(call, input.idempotency_key)).await?;
    let conn = call.conn();
    let entry = repo::find_entry(&conn, entry).await?.ok_or_else(gone)?;
    Ok(AdminStoreCredit(repo::find(&conn, entry.account_id).await?.ok_or_else(gone)?))
}
