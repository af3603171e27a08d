//! Codes of gift cards: made, found, and kept from being guessed.

use std::sync::Arc;

use domain::id::LedgerAccountId;
use domain::promotion::code::{Shape, normalize};
use entity::ledger_account;

use super::{owner, repo};
use crate::actor::Caller;
use crate::app::App;
use crate::auth::attempt::{self, Attempt};
use crate::auth::token::random_bytes;
use crate::auth::vault::Vault;
use crate::db::Conn;
use crate::error::Result;
use crate::op::Tx;
use crate::throttle::place;

/// For what the hash of a code is made.
const PURPOSE: &str = "gift card";
/// With what the code of a card begins that is not told.
pub const MASK: &str = "****";
/// How many characters of a code are shown, to tell cards apart.
const SHOWN: usize = 4;

/// What of a code counts: shoppers leave hyphens out, or type blanks.
fn core(code: &str) -> String {
    normalize(code).chars().filter(|c| !matches!(c, '-' | '_') && !c.is_whitespace()).collect()
}

/// A code as it stands in the row of its card.
pub(super) struct Written {
    /// What the card is found by.
    pub hash: Vec<u8>,
    /// The code, for its card alone.
    pub sealed: Vec<u8>,
    /// How it ends.
    pub last: String,
}

/// A code as no card has it.
pub(super) fn made() -> String {
    let mut bytes = std::iter::repeat_with(random_bytes::<32>).flatten();
    Shape::gift_card().make(&mut || bytes.next().unwrap_or_default())
}

/// What is kept of a code.
pub(super) fn written(vault: &Vault, id: LedgerAccountId, code: &str) -> Result<Written> {
    let length = code.chars().count();
    Ok(Written {
        hash: vault.fingerprint(PURPOSE, &core(code)),
        sealed: vault.seal(&owner(id), code.as_bytes())?,
        last: code.chars().skip(length.saturating_sub(SHOWN)).collect(),
    })
}

/// The code of a card that nobody has claimed.
///
/// # Errors
/// When it can't be opened: the secret is another one.
pub fn read(vault: &Vault, row: &ledger_account::Model) -> Result<Option<String>> {
    let Some(sealed) = &row.code_sealed else { return Ok(None) };
    let code = vault.open(&owner(row.id), sealed)?;
    Ok(Some(String::from_utf8_lossy(&code).into_owned()))
}

/// The card of each of these codes; no attempt is counted.
pub async fn cards(conn: &Conn, vault: &Vault, codes: &[String]) -> Result<Vec<Option<ledger_account::Model>>> {
    let hashes: Vec<Vec<Vec<u8>>> = codes.iter().map(|code| vault.fingerprints(PURPOSE, &core(code))).collect();
    let found = repo::by_hashes(conn, hashes.iter().flatten().cloned().collect()).await?;
    let of = |own: &Vec<Vec<u8>>| {
        found.iter().find(|row| row.code_hash.as_ref().is_some_and(|hash| own.contains(hash))).cloned()
    };
    Ok(hashes.iter().map(of).collect())
}

/// How the code of a card stands in a cart: only its end is told, and nobody can enter that elsewhere.
pub fn masked(row: &ledger_account::Model) -> String {
    format!("{MASK}{}", row.last_characters.as_deref().unwrap_or_default())
}

/// Under whose name guesses are counted: a customer's own, or those from where the caller is.
fn guesser(caller: &Caller) -> String {
    match caller.actor.customer() {
        Some(customer) => customer.to_string(),
        None => caller.from.map(|from| place(from).to_string()).unwrap_or_default(),
    }
}

/// The card of a code; nothing when there is none. Every look is counted before it is taken, and one that finds
/// something is taken back.
///
/// # Errors
/// `THROTTLED` after too many that found nothing.
pub async fn look_up(app: &Arc<App>, caller: &Caller, code: &str) -> Result<Option<ledger_account::Model>> {
    let guesser = guesser(caller);
    attempt::count(app, caller, Attempt::GiftCard, &guesser).await?;
    let found = cards(&app.read(), &app.vault, &[code.to_owned()]).await?.pop().flatten();
    if found.is_some() {
        attempt::take_back(app, caller, Attempt::GiftCard, &guesser, 1).await?;
    }
    Ok(found)
}

/// The same within a transaction: it is locked, and the attempt was counted before.
pub(super) async fn lock(tx: &Tx, code: &str) -> Result<Option<ledger_account::Model>> {
    match cards(&tx.conn, tx.vault(), &[code.to_owned()]).await?.pop().flatten() {
        Some(row) => repo::lock(tx, row.id).await,
        None => Ok(None),
    }
}
