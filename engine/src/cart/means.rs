//! What gift cards and store credit pay of a cart: the cards in the order in which they were added, then the credit.

use chrono::{DateTime, Utc};
use domain::cart::CartState;
use domain::checkout::CheckoutState;
use domain::id::{CartId, LedgerAccountId};
use domain::ledger::{LedgerAccount, LedgerKind, LedgerObstacle, LedgerSpending, LedgerTake, spend};
use domain::money::Money;
use domain::refusal::{ErrorCode, Refusal};
use entity::{cart_code, ledger_account};

use super::quote::Issue;
use super::repo::CartRows;
use crate::db::Conn;
use crate::error::Result;
use crate::ledger::spend::{FrozenMeans, of_checkout};
use crate::ledger::{account, repo};

/// The accounts that were to pay for a cart, and what each of them pays.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// The accounts in the order in which they are spent, each once.
    pub accounts: Vec<ledger_account::Model>,
    /// What they pay.
    pub spending: LedgerSpending,
    /// Whether that was taken, for a checkout that goes on or became an order.
    pub is_taken: bool,
}

/// What a gift card does for a cart in which its code lies.
#[derive(Debug, Clone, Copy)]
pub struct PaidByCard<'m> {
    /// The card.
    pub card: &'m ledger_account::Model,
    /// What is on it before it pays, in minor units; nothing once its money was taken for the cart, or somebody claimed
    /// it: what becomes of it then is no business of whoever has the cart.
    pub balance_minor: Option<i64>,
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
        let balance_minor = (!self.is_taken && card.customer_id.is_none()).then_some(card.balance_minor);
        let again = codes.iter().any(|row| row.position < code.position && row.ledger_account_id == Some(id));
        let (amount_minor, obstacle) = match again {
            true => (0, Some(LedgerObstacle::Duplicate)),
            false => (self.paid(id), self.spending.idle.iter().find(|(idle, _)| *idle == id).map(|(_, why)| *why)),
        };
        Some(PaidByCard { card, balance_minor, amount_minor, obstacle })
    }

    /// What the customer's store credit pays, in minor units.
    pub fn of_credit(&self) -> i64 {
        let credits = self.accounts.iter().filter(|row| row.kind == LedgerKind::StoreCredit);
        credits.map(|row| self.paid(row.id)).sum()
    }
}

/// What gift cards and store credit pay of a cart at a moment: no statement for one that uses none. `payable` is what
/// they may pay: its total without the gift cards that are bought, for money on a card that was frozen or is over must
/// not become a card that is not.
pub(super) async fn means(conn: &Conn, rows: &CartRows, payable: Money, now: DateTime<Utc>) -> Result<Means> {
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
        return Ok(Means::default());
    }
    if rows.cart.state != CartState::Open
        && let Some(spending) = taken(conn, rows.cart.id, &accounts).await?
    {
        return Ok(Means { accounts, spending, is_taken: true });
    }
    // Of a card that somebody claimed, what is on it is his.
    let seen = |row: &ledger_account::Model| match row.kind {
        LedgerKind::GiftCard if row.customer_id.is_some() => LedgerAccount { balance_minor: 0, ..account(row) },
        _ => account(row),
    };
    let seen: Vec<LedgerAccount> = accounts.iter().map(seen).collect();
    let spending = spend(payable, &seen, now.timestamp_micros());
    Ok(Means { accounts, spending, is_taken: false })
}

/// What the last checkout of a cart took, while it goes on or once it is an order.
async fn taken(conn: &Conn, cart: CartId, accounts: &[ledger_account::Model]) -> Result<Option<LedgerSpending>> {
    let last = crate::checkout::repo::last_of(conn, cart).await?;
    let Some(last) = last.filter(|last| last.state != CheckoutState::Abandoned) else { return Ok(None) };
    let frozen = of_checkout(&last)?;
    let take = |one: &FrozenMeans| LedgerTake { account: one.account, amount_minor: one.amount_minor };
    let takes: Vec<LedgerTake> = frozen.iter().map(take).collect();
    let paid_minor = takes.iter().map(|take| take.amount_minor).sum();
    let idle = accounts.iter().filter(|row| !takes.iter().any(|take| take.account == row.id));
    let idle = idle.map(|row| (row.id, LedgerObstacle::NotNeeded)).collect();
    Ok(Some(LedgerSpending { takes, idle, paid_minor, due_minor: last.total_minor }))
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
