//! What checkouts and orders do with gift cards and store credit: taken in Begin, given back by Abandon, cancel and
//! refund.
//!
//! Whoever takes from an account changes its row, on the condition that enough is on it, and holds that row until he
//! commits. Gift cards come first, then store credit, each by id, so that no two checkouts wait for each other. A card
//! on which too little is left means that somebody was faster since the cart was worked out.

use domain::id::{CheckoutId, CustomerId, LedgerAccountId, OrderId};
use domain::ledger::{LedgerEntry, LedgerEntryKind, LedgerKind, LedgerTake};
use domain::money::Money;
use entity::{checkout, ledger_account, ledger_entry};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ops::{carry_over, credit, moved};
use super::{aggregate, repo};
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
        let entry = LedgerEntry { kind: LedgerEntryKind::Spend, amount_minor: -one.amount_minor };
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

/// Holds accounts until the transaction ends, in the one order.
pub async fn hold(tx: &mut Tx, accounts: impl Iterator<Item = LedgerAccountId>) -> Result<()> {
    let ids: Vec<LedgerAccountId> = accounts.collect();
    repo::lock_all(tx, &ids).await.map(drop)
}

/// Puts money back onto the accounts that it came from. What a card gets back that somebody claimed since is his store
/// credit, as the rest of the card is: whoever else has the code must not spend it.
pub async fn give_back(tx: &mut Tx, takes: &[LedgerTake], kind: LedgerEntryKind, cause: Cause) -> Result<()> {
    let ids: Vec<LedgerAccountId> = takes.iter().map(|take| take.account).collect();
    let mut claimed = Vec::new();
    for row in repo::lock_all(tx, &ids).await? {
        let amounts = takes.iter().filter(|take| take.account == row.id);
        let amount_minor: i64 = amounts.map(|take| take.amount_minor).sum();
        let row = put(tx, row, kind, amount_minor, cause).await?;
        if let (LedgerKind::GiftCard, Some(customer)) = (row.kind, row.customer_id) {
            claimed.push((customer, row, amount_minor));
        }
    }
    claimed.sort_by_key(|(customer, ..)| *customer);
    for (customer, card, amount_minor) in claimed {
        hand_on(tx, customer, card, amount_minor).await?;
    }
    Ok(())
}

/// Puts money onto an account that is locked.
async fn put(
    tx: &mut Tx,
    row: ledger_account::Model,
    kind: LedgerEntryKind,
    amount_minor: i64,
    cause: Cause,
) -> Result<ledger_account::Model> {
    let (row, entry) = moved(tx, &row, kind, Money::new(amount_minor, row.currency))?;
    let row = repo::update(tx, row).await?;
    let (checkout_id, order_id) = (Some(cause.checkout), cause.order);
    repo::insert_entry(tx, ledger_entry::Model { checkout_id, order_id, ..entry }).await?;
    let told = json!({ "amountMinor": amount_minor, "currency": row.currency, "order": cause.order });
    tx.emit(aggregate(&row), returned_event(row.kind), told);
    Ok(row)
}

/// Moves what came back to a claimed card to its owner's store credit, frozen or over as the card may be. Of an owner
/// who was erased it stays on the card, where staff find it and nobody spends it.
async fn hand_on(tx: &mut Tx, customer: CustomerId, card: ledger_account::Model, amount_minor: i64) -> Result<()> {
    let owner = crate::customer::repo::find(&tx.conn, customer).await?;
    if owner.is_none_or(|owner| owner.deleted_at.is_some()) {
        return Ok(());
    }
    let credit = credit(tx, customer, card.currency).await?;
    let amount = Money::new(amount_minor, card.currency);
    let (out, into) = (LedgerEntryKind::TransferOut, LedgerEntryKind::TransferIn);
    carry_over(tx, (card, out), (credit, into), amount).await.map(drop)
}
