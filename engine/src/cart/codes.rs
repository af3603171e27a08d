//! The codes of a cart: the whole list at once, an answer to each, and a bound to guessing.
//!
//! A code is one of a promotion or of a gift card. Of a card the cart keeps which it is and how its code ends, never
//! the code itself: whoever sends the end back, behind its mask, keeps the card.
//!
//! Every code that is sent and does not lie in the cart yet counts as a guess, before it is looked up; those that the
//! shop knows are taken back.

use std::sync::Arc;

use domain::id::{CartId, LedgerAccountId};
use domain::money::Currency;
use domain::promotion::code::{MAX_LENGTH, normalize};
use domain::promotion::outcome::{CodeAnswer, CodeVerdict, Outcome};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::cart_code;

use super::ops::{CartAccess, finish, hold_open};
use super::quote::{Issue, Quote};
use super::repo;
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::auth::attempt::{self, Attempt};
use crate::auth::vault::Vault;
use crate::db::Conn;
use crate::error::Result;
use crate::ledger;
use crate::ledger::code::{MASK, masked};
use crate::op::{Op, Tx};

/// The most codes of one cart.
pub const MAX_CODES: usize = 20;

/// Codes as they lie in a cart, in their one form.
pub(super) fn entered(
    cart: CartId,
    texts: &[String],
    held: &[cart_code::Model],
) -> Result<Vec<cart_code::Model>, Vec<Refusal>> {
    if texts.len() > MAX_CODES {
        let message = format!("At most {MAX_CODES} codes at once.");
        return Err(vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_CODES as i64).at(["codes"])]);
    }
    let mut refusals = Refusals::default();
    let mut codes = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let code = normalize(text);
        let at = ["codes".to_owned(), place.to_string()];
        if code.chars().count() > MAX_LENGTH {
            let message = format!("A code has at most {MAX_LENGTH} characters.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_LENGTH as i64).at(at));
        } else {
            let applied = held.iter().any(|row| row.code == code && row.applied);
            let ledger_account_id = kept_card(held, &codes, &code);
            codes.push(cart_code::Model { cart_id: cart, position: place as i32, code, applied, ledger_account_id });
        }
    }
    refusals.into_result().map(|()| codes)
}

/// The card of a masked code that lies in the cart: the first of those that end so and were not sent before it.
fn kept_card(held: &[cart_code::Model], sent: &[cart_code::Model], code: &str) -> Option<LedgerAccountId> {
    let mut cards = held.iter().filter(|row| row.code == code).filter_map(|row| row.ledger_account_id);
    cards.find(|id| !sent.iter().any(|row| row.ledger_account_id == Some(*id)))
}

/// Finds out which of these codes are of gift cards: one statement, none when all are known.
pub(super) async fn find_cards(conn: &Conn, vault: &Vault, codes: &mut [cart_code::Model]) -> Result<()> {
    let is_open = |row: &cart_code::Model| row.ledger_account_id.is_none() && !row.code.starts_with(MASK);
    let open: Vec<String> = codes.iter().filter(|row| is_open(row)).map(|row| row.code.clone()).collect();
    if open.is_empty() {
        return Ok(());
    }
    let mut cards = ledger::code::cards(conn, vault, &open).await?.into_iter();
    for place in 0..codes.len() {
        if !is_open(&codes[place]) {
            continue;
        }
        if let Some(card) = cards.next().flatten() {
            codes[place].code = own_mask(codes, &masked(&card), card.id);
            codes[place].ledger_account_id = Some(card.id);
        }
    }
    Ok(())
}

/// How a card's code is shown beside these: each card's otherwise, though two may end alike.
fn own_mask(codes: &[cart_code::Model], mask: &str, card: LedgerAccountId) -> String {
    let taken = |mask: &str| codes.iter().any(|row| row.code == mask && row.ledger_account_id != Some(card));
    let mut own = mask.to_owned();
    let mut number = 2;
    while taken(&own) {
        own = format!("{mask}#{number}");
        number += 1;
    }
    own
}

/// What is to be said of the codes that give nothing. One that gave something when the shopper looked last stands in
/// the way of an order until he has seen that.
pub(super) fn issues(held: &[cart_code::Model], outcome: &Outcome, currency: Currency) -> Vec<Issue> {
    let issue = |answer: &CodeAnswer| {
        let gave = held.iter().any(|row| row.position == answer.position && row.applied);
        let at = ["codes".to_owned(), answer.position.to_string()];
        let code = &answer.code;
        let refusal = match (answer.verdict, &answer.why) {
            (CodeVerdict::Applied | CodeVerdict::Waiting, _) => return None,
            (CodeVerdict::Unknown, _) => {
                let message = format!("There is no code {code:?}, or it is not valid at this moment.");
                Refusal::new(ErrorCode::CodeUnknown, message)
            }
            (CodeVerdict::AlreadyEntered, _) => {
                let message = format!("{code:?}: another code of the same promotion stands before it.");
                Refusal::new(ErrorCode::CodeNotApplied, message)
            }
            (_, why) => {
                let why = why.as_ref().map(|why| why.message(currency)).unwrap_or_default();
                Refusal::new(ErrorCode::CodeNotApplied, format!("{code:?}: {why}"))
            }
        };
        Some(Issue::new(refusal.at(at), None, gave))
    };
    outcome.codes.iter().filter_map(issue).collect()
}

/// The codes as the shopper has been shown them now.
pub(super) fn shown(held: &[cart_code::Model], outcome: &Outcome) -> Vec<cart_code::Model> {
    let applied = |row: &cart_code::Model| {
        let answer = outcome.codes.iter().find(|answer| answer.position == row.position);
        answer.is_some_and(|answer| answer.verdict == CodeVerdict::Applied)
    };
    held.iter().map(|row| cart_code::Model { applied: applied(row), ..row.clone() }).collect()
}

/// The codes of two carts that become one.
pub(super) fn joined(cart: CartId, own: &[cart_code::Model], more: &[cart_code::Model]) -> Vec<cart_code::Model> {
    let mut all = own.to_vec();
    for row in more {
        let is_same = |known: &cart_code::Model| match row.ledger_account_id {
            Some(card) => known.ledger_account_id == Some(card),
            None => known.code == row.code,
        };
        if all.len() < MAX_CODES && !all.iter().any(is_same) {
            let code = row.ledger_account_id.map(|card| own_mask(&all, &row.code, card));
            let position = all.len() as i32;
            all.push(cart_code::Model {
                cart_id: cart,
                position,
                code: code.unwrap_or(row.code.clone()),
                ..row.clone()
            });
        }
    }
    all
}

/// How many of a cart's codes the shop knows, of those at places that are new.
fn right(told: &Quote, is_new: impl Fn(i32) -> bool) -> i64 {
    let unknown = |row: &cart_code::Model| {
        let answer = told.outcome.codes.iter().find(|answer| answer.position == row.position);
        answer.is_some_and(|answer| answer.verdict == CodeVerdict::Unknown)
    };
    told.rows.codes.iter().filter(|row| is_new(row.position) && !unknown(row)).count() as i64
}

/// Counts guesses at codes that are sent together with what is named `at`: nothing else is counted under that name,
/// so the place alone sets a bound. More than a cart may have are refused without a look at any.
pub async fn count_guesses(app: &Arc<App>, caller: &Caller, at: &str, texts: &[String]) -> Result<()> {
    for _ in texts.iter().filter(|_| texts.len() <= MAX_CODES) {
        attempt::count(app, caller, Attempt::Code, at).await?;
    }
    Ok(())
}

/// The same for codes that are sent to a cart, but those that lie in it already.
pub async fn count_guesses_at(app: &Arc<App>, caller: &Caller, cart: CartId, texts: &[String]) -> Result<()> {
    let asks = !texts.is_empty() && texts.len() <= MAX_CODES;
    let known = if asks { repo::codes_of(&app.read(), cart).await? } else { return Ok(()) };
    let is_new = |text: &&String| !known.iter().any(|row| row.code == normalize(text));
    let new: Vec<String> = texts.iter().filter(is_new).cloned().collect();
    count_guesses(app, caller, &cart.to_string(), &new).await
}

/// Takes back the guesses of a cart that were right, those at places that are new.
pub(super) async fn forgive(tx: &mut Tx, at: &str, told: &Quote, is_new: impl Fn(i32) -> bool) -> Result<()> {
    match right(told, is_new) {
        0 => Ok(()),
        right => attempt::take_back_within(tx, Attempt::Code, at, right).await,
    }
}

/// The same for codes that lie in no cart.
pub async fn forgive_all(app: &Arc<App>, caller: &Caller, at: &str, told: &Quote) -> Result<()> {
    match right(told, |_| true) {
        0 => Ok(()),
        right => attempt::take_back(app, caller, Attempt::Code, at, right).await,
    }
}

/// Makes the codes of a cart what they are here.
#[derive(Debug, Clone)]
pub struct UpdateCodes {
    /// Whose cart.
    pub access: CartAccess,
    /// All of them.
    pub codes: Vec<String>,
}

impl Op for UpdateCodes {
    const NAME: &'static str = "cart.update_codes";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let (mut rows, settings) = hold_open(tx, &self.access).await?;
        let held = std::mem::take(&mut rows.codes);
        rows.codes = entered(rows.cart.id, &self.codes, &held)?;
        let is_new = |row: &&cart_code::Model| !held.iter().any(|known| known.code == row.code);
        let new: Vec<i32> = rows.codes.iter().filter(is_new).map(|row| row.position).collect();
        find_cards(&tx.conn, tx.vault(), &mut rows.codes).await?;
        rows.cart = repo::put_codes(tx, rows.cart, &rows.codes).await?;
        let told = finish(tx, &settings, rows, false, &[]).await?;
        forgive(tx, &told.rows.cart.id.to_string(), &told, |place| new.contains(&place)).await?;
        Ok(told)
    }
}
