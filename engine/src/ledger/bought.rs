//! Gift cards that were bought: one for each piece, made in the transaction that takes the last of the order's money,
//! so that each is made exactly once, and mailed to the buyer.

use domain::id::{LedgerAccountId, OrderLineId};
use domain::ledger::{LedgerEntryKind, LedgerKind, are_bought_cards_due};
use domain::money::Money;
use domain::order::{OrderStatus, Paid};
use domain::refusal::{ErrorCode, Refusal};
use entity::{ledger_account, ledger_entry, order, order_line};
use serde_json::json;

use super::ops::{moved, opened};
use super::{aggregate, code, repo};
use crate::error::Result;
use crate::op::Tx;

/// Makes the gift cards of an order once all of its money is taken, each once; freezes them when all of it was given
/// back. The order must be locked, or new.
pub async fn follow(tx: &mut Tx, order: &order::Model, lines: &[order_line::Model], paid: &Paid) -> Result<()> {
    let lines: Vec<&order_line::Model> = lines.iter().filter(|line| line.gift_card).collect();
    if lines.is_empty() || order.status == OrderStatus::Canceled {
        return Ok(());
    }
    if are_bought_cards_due(order.total_minor, paid) {
        return issue(tx, order, &lines).await;
    }
    if paid.captured_minor > 0 && paid.refunded_minor >= paid.captured_minor {
        return freeze(tx, &lines).await;
    }
    Ok(())
}

/// Keeps cards from being spent whose money was given back; staff let them go again, or take what is on them.
async fn freeze(tx: &mut Tx, lines: &[&order_line::Model]) -> Result<()> {
    let ids: Vec<OrderLineId> = lines.iter().map(|line| line.id).collect();
    let cards: Vec<LedgerAccountId> = repo::bought(&tx.conn, &ids).await?.iter().map(|row| row.id).collect();
    for card in repo::lock_all(tx, &cards).await?.into_iter().filter(|card| card.frozen_at.is_none()) {
        let row = ledger_account::Model { frozen_at: Some(tx.now()), version: card.version + 1, ..card };
        let row = repo::update(tx, row).await?;
        tx.emit(aggregate(&row), "gift_card.updated", json!({ "version": row.version }));
    }
    Ok(())
}

async fn issue(tx: &mut Tx, order: &order::Model, lines: &[&order_line::Model]) -> Result<()> {
    let ids: Vec<OrderLineId> = lines.iter().map(|line| line.id).collect();
    let made = repo::bought(&tx.conn, &ids).await?;
    let (mut accounts, mut entries) = (Vec::new(), Vec::new());
    for line in lines {
        let wanted = 1..=line.ordered - line.canceled;
        let is_new = |unit: &i32| !made.iter().any(|row| (row.order_line_id, row.unit) == (Some(line.id), Some(*unit)));
        for unit in wanted.filter(|_| line.unit_price_minor > 0).filter(is_new) {
            let (account, entry) = card(tx, order, line, unit)?;
            accounts.push(account);
            entries.push(entry);
        }
    }
    for row in &accounts {
        let told = json!({ "amountMinor": row.balance_minor, "currency": row.currency, "order": order.id,
            "channelId": order.channel_id, "mail": true });
        tx.emit(aggregate(row), "gift_card.issued", told);
    }
    repo::insert_bought(tx, accounts, entries).await
}

/// A card over what one piece cost.
fn card(
    tx: &Tx,
    order: &order::Model,
    line: &order_line::Model,
    unit: i32,
) -> Result<(ledger_account::Model, ledger_entry::Model)> {
    let empty = opened(tx, LedgerKind::GiftCard, order.currency);
    let written = code::written(tx.vault(), empty.id, &code::made())?;
    let (row, entry) = moved(tx, &empty, LedgerEntryKind::Issue, Money::new(line.unit_price_minor, order.currency))?;
    let row = ledger_account::Model {
        version: 1,
        code_hash: Some(written.hash),
        code_sealed: Some(written.sealed),
        last_characters: Some(written.last),
        order_line_id: Some(line.id),
        unit: Some(unit),
        recipient: Some(order.email.clone()),
        locale: Some(order.locale.clone()),
        ..row
    };
    Ok((row, ledger_entry::Model { order_id: Some(order.id), ..entry }))
}

/// The cards that were bought with these lines.
pub async fn cards(tx: &Tx, lines: &[order_line::Model]) -> Result<Vec<LedgerAccountId>> {
    let ids: Vec<OrderLineId> = lines.iter().filter(|line| line.gift_card).map(|line| line.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(repo::bought(&tx.conn, &ids).await?.iter().map(|row| row.id).collect())
}

/// Takes what was bought off the cards of an order that is canceled: their codes are worth nothing any more. The order
/// must be locked.
///
/// # Errors
/// `STATE_INVALID` when something was spent of one, or somebody claimed it: its money is gone.
pub async fn take_back(
    tx: &mut Tx,
    order: &order::Model,
    lines: &[order_line::Model],
    cards: &[LedgerAccountId],
) -> Result<()> {
    for card in repo::lock_all(tx, cards).await? {
        let line = lines.iter().find(|line| Some(line.id) == card.order_line_id);
        let worth = line.map_or(0, |line| line.unit_price_minor);
        if card.balance_minor < worth || card.customer_id.is_some() {
            let message = "A gift card that was bought with this order was spent or claimed already.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).about(card.id).into());
        }
        let amount = Money::new(worth, card.currency);
        let (row, entry) = moved(tx, &card, LedgerEntryKind::Debit, amount)?;
        // What staff put on it besides stays its holder's.
        let row = match row.balance_minor {
            0 => ledger_account::Model { frozen_at: card.frozen_at.or(Some(tx.now())), code_sealed: None, ..row },
            _ => row,
        };
        let row = repo::update(tx, row).await?;
        repo::insert_entry(tx, ledger_entry::Model { order_id: Some(order.id), ..entry }).await?;
        let told = json!({ "kind": LedgerEntryKind::Debit, "amountMinor": -amount.minor, "currency": amount.currency, "order": order.id });
        tx.emit(aggregate(&row), "gift_card.adjusted", told);
    }
    Ok(())
}
