//! Gift cards that were bought: one for each piece, made in the transaction that takes the last of the order's money,
//! so that each is made exactly once, and mailed to the buyer.

use domain::id::OrderLineId;
use domain::ledger::{LedgerEntryKind, LedgerKind};
use domain::money::Money;
use domain::order::PaymentStatus;
use domain::refusal::{ErrorCode, Refusal};
use entity::{ledger_account, ledger_entry, order, order_line};
use serde_json::json;

use super::ops::{moved, opened};
use super::{aggregate, code, repo};
use crate::error::Result;
use crate::op::Tx;

/// Makes the gift cards of an order that is paid; none when it is not, or when they were made before. The order must
/// be locked, or new.
pub async fn issue(tx: &mut Tx, order: &order::Model, lines: &[order_line::Model]) -> Result<()> {
    let lines: Vec<&order_line::Model> = lines.iter().filter(|line| line.gift_card).collect();
    if lines.is_empty() || order.payment_status != PaymentStatus::Captured {
        return Ok(());
    }
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

/// Takes back the cards of an order that is canceled: nobody can spend them any more. The order must be locked.
///
/// # Errors
/// `STATE_INVALID` when something was spent of one, or somebody claimed it: its money is gone.
pub async fn take_back(tx: &mut Tx, order: &order::Model, lines: &[order_line::Model]) -> Result<()> {
    let ids: Vec<OrderLineId> = lines.iter().filter(|line| line.gift_card).map(|line| line.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    for card in repo::bought(&tx.conn, &ids).await? {
        let Some(card) = repo::lock(tx, card.id).await? else { continue };
        let line = lines.iter().find(|line| Some(line.id) == card.order_line_id);
        let worth = line.map_or(0, |line| line.unit_price_minor);
        if card.balance_minor < worth || card.customer_id.is_some() {
            let message = "A gift card that was bought with this order was spent or claimed already.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).about(card.id).into());
        }
        let amount = Money::new(card.balance_minor, card.currency);
        let (row, entry) = moved(tx, &card, LedgerEntryKind::Debit, amount)?;
        let row = ledger_account::Model { frozen_at: card.frozen_at.or(Some(tx.now())), ..row };
        let row = repo::update(tx, row).await?;
        repo::insert_entry(tx, ledger_entry::Model { order_id: Some(order.id), ..entry }).await?;
        let told = json!({ "kind": LedgerEntryKind::Debit, "amountMinor": -amount.minor, "currency": amount.currency, "order": order.id });
        tx.emit(aggregate(&row), "gift_card.adjusted", told);
    }
    Ok(())
}
