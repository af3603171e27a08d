//! What checkouts and orders do with gift cards and store credit: taken in Begin, given back by Abandon, cancel and
//! refund.
//!
//! Whoever takes from an account changes its row, on the condition that enough is on it, and holds that row until he
//! commits. Gift cards come first, then store credit, each by id, so that no two checkouts wait for each other. A card
//! on which too little is left means that somebody was faster since the cart was worked out.

use domain::id::{CheckoutId, LedgerAccountId, OrderId};
use domain::ledger::{LedgerEntryKind, LedgerKind, LedgerTake, transfer};
use domain::money::Money;
use entity::{checkout, ledger_account, ledger_entry};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ops::{carry_over, credit, moved};
use super::{account, aggregate, repo};
use crate::cart::means::Means;
use crate::error::{Error, Result};
use crate::op::Tx;

/// What an account pays of an order, frozen when the shopper agreed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenMeans {
    /// Which account.
    pub account: LedgerAccountId,
    /// What it is.
    pub kind: LedgerKind,
    /// How much, in minor units of the order's currency.
    pub amount_minor: i64,
}

/// The provider's name of payments that gift cards make.
pub const GIFT_CARD: &str = "gift_card";
/// The provider's name of payments that store credit makes.
pub const STORE_CREDIT: &str = "store_credit";

/// The provider's name of payments that an account makes.
pub fn provider_of(kind: LedgerKind) -> &'static str {
    match kind {
        LedgerKind::GiftCard => GIFT_CARD,
        LedgerKind::StoreCredit => STORE_CREDIT,
    }
}

/// Whether a payment was made from an account here: nobody is asked for its money.
pub fn pays_here(provider: &str) -> bool {
    matches!(provider, GIFT_CARD | STORE_CREDIT)
}

/// What the accounts of a cart pay, in the order in which they are spent.
pub fn frozen(means: &Means) -> Vec<FrozenMeans> {
    let frozen = |take: &LedgerTake| {
        let row = means.accounts.iter().find(|row| row.id == take.account)?;
        Some(FrozenMeans { account: row.id, kind: row.kind, amount_minor: take.amount_minor })
    };
    means.spending.takes.iter().filter_map(frozen).collect()
}

/// What a checkout took from accounts: what was frozen says so, and costs no statement.
pub fn of_checkout(row: &checkout::Model) -> Result<Vec<FrozenMeans>> {
    match row.frozen.get("means") {
        Some(means) => serde_json::from_value(means.clone()).map_err(Error::internal),
        None => Ok(Vec::new()),
    }
}

/// For what money moves.
#[derive(Debug, Clone, Copy)]
pub struct Cause {
    /// Of which checkout.
    pub checkout: CheckoutId,
    /// Of which order, once there is one.
    pub order: Option<OrderId>,
}

/// Takes what a checkout pays from accounts. No statement when none pays.
///
/// # Errors
/// [`Error::Raced`] when somebody else was faster.
pub async fn take(tx: &mut Tx, means: &[FrozenMeans], checkout: CheckoutId) -> Result<()> {
    let mut means: Vec<&FrozenMeans> = means.iter().collect();
    means.sort_by_key(|one| (one.kind != LedgerKind::GiftCard, one.account));
    for one in means {
        let row = repo::take(tx, one.account, one.amount_minor).await?.ok_or(Error::Raced)?;
        let entry = domain::ledger::LedgerEntry { kind: LedgerEntryKind::Spend, amount_minor: -one.amount_minor };
        let entry = repo::entry(tx, row.id, entry, row.balance_minor);
        repo::insert_entry(tx, ledger_entry::Model { checkout_id: Some(checkout), ..entry }).await?;
        let told = json!({ "amountMinor": one.amount_minor, "currency": row.currency, "checkout": checkout });
        tx.emit(aggregate(&row), spent_event(row.kind), told);
    }
    Ok(())
}

fn spent_event(kind: LedgerKind) -> &'static str {
    match kind {
        LedgerKind::GiftCard => "gift_card.spent",
        LedgerKind::StoreCredit => "store_credit.spent",
    }
}

fn returned_event(kind: LedgerKind) -> &'static str {
    match kind {
        LedgerKind::GiftCard => "gift_card.returned",
        LedgerKind::StoreCredit => "store_credit.returned",
    }
}

/// Gives back what a checkout took that was called off. It must have ended in this transaction, so that doing it twice
/// does it once.
pub async fn release(tx: &mut Tx, means: &[FrozenMeans], checkout: CheckoutId) -> Result<()> {
    let takes: Vec<LedgerTake> =
        means.iter().map(|one| LedgerTake { account: one.account, amount_minor: one.amount_minor }).collect();
    give_back(tx, &takes, LedgerEntryKind::Release, Cause { checkout, order: None }).await
}

/// Puts money back onto the accounts that it came from. What a card gets back that somebody claimed since is his store
/// credit, as the rest of the card is: whoever else has the code must not spend it.
pub async fn give_back(tx: &mut Tx, takes: &[LedgerTake], kind: LedgerEntryKind, cause: Cause) -> Result<()> {
    let mut rows = Vec::with_capacity(takes.len());
    for take in takes {
        let row = repo::find(&tx.conn, take.account).await?.ok_or_else(gone)?;
        rows.push((row.kind != LedgerKind::GiftCard, row.id, take.amount_minor));
    }
    rows.sort_unstable();
    let mut claimed = Vec::new();
    for (_, id, amount_minor) in rows {
        let row = put(tx, id, kind, amount_minor, cause).await?;
        if row.kind == LedgerKind::GiftCard && row.customer_id.is_some() {
            claimed.push((row, amount_minor));
        }
    }
    for (card, amount_minor) in claimed {
        hand_on(tx, card, amount_minor).await?;
    }
    Ok(())
}

fn gone() -> Error {
    Error::internal("an account that paid is gone")
}

/// Puts money onto an account.
pub(super) async fn put(
    tx: &mut Tx,
    id: LedgerAccountId,
    kind: LedgerEntryKind,
    amount_minor: i64,
    cause: Cause,
) -> Result<ledger_account::Model> {
    let row = repo::lock(tx, id).await?.ok_or_else(gone)?;
    let (row, entry) = moved(tx, &row, kind, Money::new(amount_minor, row.currency))?;
    let row = repo::update(tx, row).await?;
    let (checkout_id, order_id) = (Some(cause.checkout), cause.order);
    repo::insert_entry(tx, ledger_entry::Model { checkout_id, order_id, ..entry }).await?;
    let told = json!({ "amountMinor": amount_minor, "currency": row.currency, "order": cause.order });
    tx.emit(aggregate(&row), returned_event(row.kind), told);
    Ok(row)
}

/// Moves what came back to a claimed card to its owner's store credit; what can't be moved stays where it is.
async fn hand_on(tx: &mut Tx, card: ledger_account::Model, amount_minor: i64) -> Result<()> {
    let Some(customer) = card.customer_id else { return Ok(()) };
    let credit = credit(tx, customer, card.currency).await?;
    let only = domain::ledger::LedgerAccount { balance_minor: amount_minor, ..account(&card) };
    let Ok((out, into)) = transfer(&only, &account(&credit), tx.now().timestamp_micros()) else { return Ok(()) };
    let amount = Money::new(amount_minor, card.currency);
    carry_over(tx, (card, out.kind), (credit, into.kind), amount).await.map(drop)
}
