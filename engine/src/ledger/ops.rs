//! What staff do with gift cards and store credit, and what customers do with a card.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{CustomerId, LedgerAccountId, LedgerEntryId};
use domain::ledger::{LedgerEntryKind, LedgerKind, enter, transfer};
use domain::money::{Currency, Money};
use domain::promotion::code::check;
use domain::refusal::{ErrorCode, Refusal};
use domain::text::Email;
use entity::{ledger_account, ledger_entry};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{account, aggregate, code, repo, summary};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::auth::attempt::{self, Attempt};
use crate::error::{Error, Result};
use crate::op::{Op, Repeatable, Tx};
use crate::version::{Change, check_version};

/// A card is good everywhere, and so is credit.
const WRITE: Need = Need::Everywhere(Permission::PaymentsWrite);
/// The longest note, in characters.
const MAX_NOTE: usize = 1_000;
/// The fewest characters of a code that staff bring: it must not be guessed.
const MIN_CODE: usize = 12;

fn no_card(field: &'static str) -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such gift card.").at([field])
}

fn check_note(note: Option<&str>) -> Result<(), Refusal> {
    if note.is_some_and(|note| note.chars().count() > MAX_NOTE) {
        let message = format!("A note has at most {MAX_NOTE} characters.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_NOTE as i64).at(["note"]));
    }
    Ok(())
}

fn check_expiry(expires_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Refusal::new(ErrorCode::Invalid, "A card can't end before now.").at(["expiresAt"]));
    }
    Ok(())
}

/// Moves an amount onto an account or off it; the row that is written, and the entry.
pub(super) fn moved(
    tx: &Tx,
    row: &ledger_account::Model,
    kind: LedgerEntryKind,
    amount: Money,
) -> Result<(ledger_account::Model, ledger_entry::Model), Refusal> {
    if amount.currency != row.currency {
        let message = format!("The account is in {}.", row.currency.code());
        return Err(Refusal::new(ErrorCode::Invalid, message).at(["amount", "currencyCode"]));
    }
    let (entry, balance_minor) = enter(row.balance_minor, kind, amount.minor)?;
    let entry = repo::entry(tx, row.id, entry, balance_minor);
    let row = ledger_account::Model { version: row.version + 1, updated_at: tx.now(), balance_minor, ..row.clone() };
    Ok((row, entry))
}

/// A new account with nothing on it.
pub(super) fn opened(tx: &Tx, kind: LedgerKind, currency: Currency) -> ledger_account::Model {
    ledger_account::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        created_by: tx.actor().to_string(),
        kind,
        currency,
        balance_minor: 0,
        customer_id: None,
        code_hash: None,
        code_sealed: None,
        last_characters: None,
        expires_at: None,
        frozen_at: None,
        note: None,
        order_line_id: None,
        unit: None,
        recipient: None,
        locale: None,
    }
}

/// Makes a gift card.
#[derive(Debug, Clone, Serialize)]
pub struct IssueGiftCard {
    /// What is on it, in minor units and a currency.
    pub amount: (i64, Currency),
    /// Its code, when staff bring one; otherwise one is made.
    pub code: Option<String>,
    /// Until when it can be spent, exclusive.
    pub expires_at: Option<DateTime<Utc>>,
    /// What staff write about it.
    pub note: Option<String>,
    /// Where it is mailed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_to: Option<String>,
    /// In which language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

impl Op for IssueGiftCard {
    const NAME: &'static str = "gift_card.issue";
    const NEEDS: Need = WRITE;
    type Out = LedgerAccountId;

    async fn run(&self, tx: &mut Tx) -> Result<LedgerAccountId> {
        check_note(self.note.as_deref())?;
        check_expiry(self.expires_at, tx.now())?;
        let amount = Money::new(self.amount.0, self.amount.1);
        let recipient = self.send_to.as_deref().map(str::parse::<Email>).transpose();
        let recipient = recipient.map_err(|refusal: Refusal| refusal.at(["sendTo"]))?;
        let locale = self.locale.as_deref().map(domain::channel::locale).transpose();
        let locale = locale.map_err(|refusal| refusal.at(["locale"]))?;
        let code = match &self.code {
            Some(code) => own_code(code)?,
            None => code::made(),
        };
        if code::cards(&tx.conn, tx.vault(), std::slice::from_ref(&code)).await?.iter().any(Option::is_some) {
            return Err(Refusal::new(ErrorCode::Taken, "Another gift card has this code.").at(["code"]).into());
        }
        let empty = opened(tx, LedgerKind::GiftCard, amount.currency);
        let written = code::written(tx.vault(), empty.id, &code)?;
        let (_, entry) = moved(tx, &empty, LedgerEntryKind::Issue, amount)?;
        let row = ledger_account::Model {
            balance_minor: entry.balance_minor,
            code_hash: Some(written.hash),
            code_sealed: Some(written.sealed),
            last_characters: Some(written.last),
            expires_at: self.expires_at,
            note: self.note.clone(),
            recipient,
            locale,
            ..empty
        };
        let row = repo::insert(tx, row).await?;
        repo::insert_entry(tx, entry).await?;
        let told = json!({ "amountMinor": amount.minor, "currency": row.currency, "mail": row.recipient.is_some() });
        tx.emit(aggregate(&row), "gift_card.issued", told);
        tx.audit(row.id, None, Some(summary(&row)));
        Ok(row.id)
    }
}

/// A code that staff bring, in its one form: long enough not to be guessed.
fn own_code(text: &str) -> Result<String, Refusal> {
    let code = check(text).map_err(|refusal| refusal.at(["code"]))?;
    if code.chars().filter(char::is_ascii_alphanumeric).count() < MIN_CODE {
        let message = format!("The code of a gift card has at least {MIN_CODE} letters and digits.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MIN_CODE as i64).at(["code"]));
    }
    Ok(code)
}

impl Repeatable for IssueGiftCard {
    fn entity(out: &LedgerAccountId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<LedgerAccountId> {
        Ok(entity.into())
    }
}

/// Whether staff put something on an account or take it off.
fn checked(kind: LedgerEntryKind) -> Result<LedgerEntryKind, Refusal> {
    match kind {
        LedgerEntryKind::Credit | LedgerEntryKind::Debit => Ok(kind),
        _ => Err(Refusal::new(ErrorCode::Invalid, "Staff credit an account or debit it.").at(["kind"])),
    }
}

/// Puts something on a gift card, or takes something off it.
#[derive(Debug, Clone, Serialize)]
pub struct AdjustGiftCard {
    /// Which card.
    pub card: LedgerAccountId,
    /// A credit or a debit.
    pub kind: LedgerEntryKind,
    /// How much, in minor units and a currency.
    pub amount: (i64, Currency),
    /// Why.
    pub note: Option<String>,
}

impl Op for AdjustGiftCard {
    const NAME: &'static str = "gift_card.adjust";
    const NEEDS: Need = WRITE;
    type Out = LedgerEntryId;

    async fn run(&self, tx: &mut Tx) -> Result<LedgerEntryId> {
        check_note(self.note.as_deref())?;
        let before = repo::lock(tx, self.card).await?.filter(|row| row.kind == LedgerKind::GiftCard);
        let before = before.ok_or_else(|| no_card("giftCardId"))?;
        if self.kind == LedgerEntryKind::Credit && before.customer_id.is_some() {
            let message = "Somebody has claimed this card: what is for him goes onto his store credit.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).about(before.id).into());
        }
        adjust(tx, before, checked(self.kind)?, self.amount, self.note.clone()).await
    }
}

impl Repeatable for AdjustGiftCard {
    fn entity(out: &LedgerEntryId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<LedgerEntryId> {
        Ok(entity.into())
    }
}

async fn adjust(
    tx: &mut Tx,
    before: ledger_account::Model,
    kind: LedgerEntryKind,
    (minor, currency): (i64, Currency),
    note: Option<String>,
) -> Result<LedgerEntryId> {
    let (row, entry) = moved(tx, &before, kind, Money::new(minor, currency))?;
    let told = json!({ "kind": kind, "amountMinor": entry.amount_minor, "currency": row.currency });
    let event = match row.kind {
        LedgerKind::GiftCard => "gift_card.adjusted",
        LedgerKind::StoreCredit => "store_credit.adjusted",
    };
    let row = repo::update(tx, row).await?;
    let id = repo::insert_entry(tx, ledger_entry::Model { note, ..entry }).await?;
    tx.emit(aggregate(&row), event, told);
    tx.audit(row.id, Some(summary(&before)), Some(summary(&row)));
    Ok(id)
}

/// Changes what a gift card is, but not what is on it.
#[derive(Debug, Clone)]
pub struct UpdateGiftCard {
    /// Which card.
    pub card: LedgerAccountId,
    /// The version that the caller read.
    pub expected_version: Option<i32>,
    /// Until when it can be spent, exclusive.
    pub expires_at: Change<DateTime<Utc>>,
    /// Whether it pays nothing until further notice.
    pub frozen: Option<bool>,
    /// What staff write about it.
    pub note: Change<String>,
}

impl Op for UpdateGiftCard {
    const NAME: &'static str = "gift_card.update";
    const NEEDS: Need = WRITE;
    type Out = ledger_account::Model;

    async fn run(&self, tx: &mut Tx) -> Result<ledger_account::Model> {
        let before = repo::lock(tx, self.card).await?.filter(|row| row.kind == LedgerKind::GiftCard);
        let before = before.ok_or_else(|| no_card("id"))?;
        check_version(self.expected_version, before.version)?;
        let mut row = before.clone();
        self.expires_at.clone().apply(&mut row.expires_at);
        self.note.clone().apply(&mut row.note);
        check_note(row.note.as_deref())?;
        if row.expires_at != before.expires_at {
            check_expiry(row.expires_at, tx.now())?;
        }
        row.frozen_at = match self.frozen {
            Some(true) => before.frozen_at.or(Some(tx.now())),
            Some(false) => None,
            None => before.frozen_at,
        };
        if row == before {
            return Ok(before);
        }
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update(tx, row).await?;
        tx.emit(aggregate(&row), "gift_card.updated", json!({ "version": row.version }));
        tx.audit(row.id, Some(summary(&before)), Some(summary(&row)));
        Ok(row)
    }
}

/// Puts something on a customer's store credit, or takes something off it.
#[derive(Debug, Clone, Serialize)]
pub struct AdjustStoreCredit {
    /// Whose.
    pub customer: CustomerId,
    /// A credit or a debit.
    pub kind: LedgerEntryKind,
    /// How much, in minor units and a currency: each currency has an account of its own.
    pub amount: (i64, Currency),
    /// Why.
    pub note: Option<String>,
}

impl Op for AdjustStoreCredit {
    const NAME: &'static str = "store_credit.adjust";
    const NEEDS: Need = WRITE;
    type Out = LedgerEntryId;

    async fn run(&self, tx: &mut Tx) -> Result<LedgerEntryId> {
        check_note(self.note.as_deref())?;
        let customer = crate::customer::repo::lock(tx, self.customer).await?;
        let customer = customer.ok_or_else(|| {
            Error::from(Refusal::new(ErrorCode::NotFound, "There is no such customer.").at(["customerId"]))
        })?;
        let row = credit(tx, customer.id, self.amount.1).await?;
        adjust(tx, row, checked(self.kind)?, self.amount, self.note.clone()).await
    }
}

impl Repeatable for AdjustStoreCredit {
    fn entity(out: &LedgerEntryId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<LedgerEntryId> {
        Ok(entity.into())
    }
}

/// What the shop owes a customer in a currency, locked; nothing yet when it is new.
pub(crate) async fn credit(tx: &mut Tx, customer: CustomerId, currency: Currency) -> Result<ledger_account::Model> {
    match repo::lock_credit(tx, customer, currency).await? {
        Some(row) => Ok(row),
        None => {
            let new = opened(tx, LedgerKind::StoreCredit, currency);
            repo::insert_credit(tx, ledger_account::Model { customer_id: Some(customer), ..new }).await?;
            repo::lock_credit(tx, customer, currency).await?.ok_or(Error::Raced)
        }
    }
}

/// Moves all that is on a gift card to the caller's store credit.
///
/// # Errors
/// `NOT_FOUND` for a code that no card has, `THROTTLED` after too many of them; why the card can't be spent.
pub async fn claim(app: &Arc<App>, caller: &Caller, code: &str) -> Result<ledger_account::Model> {
    let customer = caller.actor.customer().ok_or(Error::Unauthenticated)?;
    let guesser = customer.to_string();
    attempt::count(app, caller, Attempt::GiftCard, &guesser).await?;
    let credit = app.run(caller, &ClaimGiftCard { code: code.to_owned() }).await?;
    attempt::take_back(app, caller, Attempt::GiftCard, &guesser, 1).await?;
    Ok(credit)
}

/// Moves an amount from one account to another, both locked.
pub(super) async fn carry_over(
    tx: &mut Tx,
    (from, out): (ledger_account::Model, LedgerEntryKind),
    (to, into): (ledger_account::Model, LedgerEntryKind),
    amount: Money,
) -> Result<(ledger_account::Model, ledger_account::Model)> {
    let (from, out) = moved(tx, &from, out, amount)?;
    let (to, into) = moved(tx, &to, into, amount)?;
    let (from, to) = (repo::update(tx, from).await?, repo::update(tx, to).await?);
    repo::insert_entry(tx, ledger_entry::Model { other_account_id: Some(to.id), ..out }).await?;
    repo::insert_entry(tx, ledger_entry::Model { other_account_id: Some(from.id), ..into }).await?;
    Ok((from, to))
}

struct ClaimGiftCard {
    code: String,
}

impl Op for ClaimGiftCard {
    const NAME: &'static str = "gift_card.claim";
    const NEEDS: Need = Need::Nothing;
    type Out = ledger_account::Model;

    async fn run(&self, tx: &mut Tx) -> Result<ledger_account::Model> {
        let customer = tx.actor().customer().ok_or(Error::Unauthenticated)?;
        let customer = crate::customer::repo::lock(tx, customer).await?.ok_or(Error::Unauthenticated)?;
        let card = code::lock(tx, &self.code).await?.ok_or_else(|| no_card("code"))?;
        if card.customer_id.is_some() {
            let message = "Somebody has claimed this card.";
            return Err(Refusal::new(ErrorCode::StateInvalid, message).about(card.id).at(["code"]).into());
        }
        let credit = credit(tx, customer.id, card.currency).await?;
        let now = tx.now().timestamp_micros();
        let (out, into) = transfer(&account(&card), &account(&credit), now).map_err(|refusal| refusal.at(["code"]))?;
        let amount = Money::new(into.amount_minor, card.currency);
        let card = ledger_account::Model { customer_id: Some(customer.id), code_sealed: None, ..card };
        let (card, credit) = carry_over(tx, (card, out.kind), (credit, into.kind), amount).await?;
        let told = json!({ "amountMinor": amount.minor, "currency": card.currency });
        tx.emit(aggregate(&card), "gift_card.claimed", told);
        Ok(credit)
    }
}
