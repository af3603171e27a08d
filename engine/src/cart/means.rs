//! What gift cards and store credit pay of a cart: the cards in the order in which they were added, then the credit.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::cart::CartState;
use domain::id::LedgerAccountId;
use domain::ledger::{LedgerAccount, LedgerKind, LedgerObstacle, LedgerSpending, spend};
use domain::money::Money;
use domain::refusal::{ErrorCode, Refusal};
use entity::{cart_code, ledger_account};

use super::quote::Issue;
use super::repo::CartRows;
use crate::db::Conn;
use crate::error::Result;
use crate::ledger::{account, repo};

/// The accounts that were to pay for a cart, and what each of them pays.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// The accounts in the order in which they are spent, each once.
    pub accounts: Vec<ledger_account::Model>,
    /// What they pay.
    pub spending: LedgerSpending,
}

/// What a gift card does for a cart in which its code lies.
#[derive(Debug, Clone, Copy)]
pub struct PaidByCard<'m> {
    /// The card.
    pub card: &'m ledger_account::Model,
    /// What it pays, in minor units.
    pub amount_minor: i64,
    /// Why it pays nothing.
    pub obstacle: Option<LedgerObstacle>,
}

impl Means {
    /// What an account pays, in minor units.
    fn paid(&self, id: LedgerAccountId) -> i64 {
        self.spending.takes.iter().find(|take| take.account == id).map_or(0, |take| take.amount_minor)
    }

    /// What the gift card of a code pays; nothing when the code is of none.
    pub fn of_code(&self, codes: &[cart_code::Model], code: &cart_code::Model) -> Option<PaidByCard<'_>> {
        let id = code.ledger_account_id?;
        let card = self.accounts.iter().find(|row| row.id == id)?;
        let again = codes.iter().any(|row| row.position < code.position && row.ledger_account_id == Some(id));
        if again {
            return Some(PaidByCard { card, amount_minor: 0, obstacle: Some(LedgerObstacle::Duplicate) });
        }
        let idle = self.spending.idle.iter().find(|(account, _)| *account == id);
        Some(PaidByCard { card, amount_minor: self.paid(id), obstacle: idle.map(|(_, why)| *why) })
    }

    /// What the customer's store credit pays, in minor units.
    pub fn of_credit(&self) -> i64 {
        let credits = self.accounts.iter().filter(|row| row.kind == LedgerKind::StoreCredit);
        credits.map(|row| self.paid(row.id)).sum()
    }
}

/// What gift cards and store credit pay of a total at a moment: no statement for a cart that uses none.
pub(super) async fn means(conn: &Conn, rows: &CartRows, total: Money, now: DateTime<Utc>) -> Result<Means> {
    let mut cards: Vec<LedgerAccountId> = Vec::new();
    for id in rows.codes.iter().filter_map(|code| code.ledger_account_id) {
        if !cards.contains(&id) {
            cards.push(id);
        }
    }
    let mut accounts = Vec::new();
    if !cards.is_empty() {
        accounts = repo::by_ids(conn, &cards).await?;
        accounts.sort_by_key(|row| cards.iter().position(|id| *id == row.id));
    }
    if let (true, Some(customer)) = (rows.cart.uses_store_credit, rows.cart.customer_id) {
        let credits = repo::credits_of(conn, &[customer]).await?;
        accounts.extend(credits.into_iter().filter(|row| row.currency == rows.cart.currency));
    }
    if accounts.is_empty() {
        return Ok(Means { accounts, spending: LedgerSpending { due_minor: total.minor, ..Default::default() } });
    }
    let held = match rows.cart.state {
        CartState::Open => HashMap::new(),
        // What its own checkout took is not gone for it.
        _ => repo::spent_on_cart(conn, rows.cart.id).await?,
    };
    let seen = |row: &ledger_account::Model| {
        let own = held.get(&row.id).copied().unwrap_or(0);
        LedgerAccount { balance_minor: row.balance_minor.saturating_add(own), ..account(row) }
    };
    let seen: Vec<LedgerAccount> = accounts.iter().map(seen).collect();
    let spending = spend(total, &seen, now.timestamp_micros());
    Ok(Means { accounts, spending })
}

/// What is to be said of gift cards that pay nothing though something is due.
pub(super) fn issues(codes: &[cart_code::Model], means: &Means) -> Vec<Issue> {
    let issue = |code: &cart_code::Model| {
        let why = match means.of_code(codes, code)?.obstacle? {
            LedgerObstacle::NotNeeded => return None,
            LedgerObstacle::Frozen => "the shop has frozen it",
            LedgerObstacle::Expired => "its time is over",
            LedgerObstacle::OtherCurrency => "it is in another currency than the cart",
            LedgerObstacle::Empty => "nothing is left on it",
            LedgerObstacle::Duplicate => "it stands before it already",
        };
        let at = ["codes".to_owned(), code.position.to_string()];
        let message = format!("The gift card {:?} pays nothing: {why}.", code.code);
        Some(Issue::new(Refusal::new(ErrorCode::CodeNotApplied, message).at(at), None, false))
    };
    codes.iter().filter_map(issue).collect()
}
