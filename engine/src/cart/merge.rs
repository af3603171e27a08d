//! A guest's cart becomes part of his account when he logs in.

use domain::cart::{CartState, LeftBehind, MAX_LINES, MAX_QUANTITY, merge, must_be_open};
use domain::id::{CartLineId, CustomerId};
use domain::refusal::{ErrorCode, Refusal};
use entity::{cart, cart_line};

use super::codes::joined;
use super::hold::drop_holds;
use super::ops::{CartAccess, LIFE, finish, is_own, no_cart};
use super::quote::{Issue, Quote};
use super::repo::{self, CartRows};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// Merges a guest's cart into the caller's open cart of the same channel, or
/// makes it his when he has none. What doesn't fit is told as an issue.
#[derive(Debug, Clone)]
pub struct MergeCart {
    /// The guest's cart and its token.
    pub access: CartAccess,
}

impl Op for MergeCart {
    const NAME: &'static str = "cart.merge";
    const NEEDS: Need = Need::Nothing;
    type Out = Quote;

    async fn run(&self, tx: &mut Tx) -> Result<Quote> {
        let customer = tx.actor().customer().ok_or(Error::Unauthenticated)?;
        let found = repo::find(&tx.conn, self.access.id).await?;
        let own = |row: &cart::Model, tx: &Tx| is_own(row, tx.actor(), self.access.token.as_deref());
        let guest = found.filter(|row| own(row, tx)).ok_or_else(no_cart)?;
        let target = match guest.customer_id {
            Some(_) => None,
            None => repo::open_of(&tx.conn, customer, Some(guest.channel_id), tx.now()).await?,
        };
        // Whoever locks two carts takes the older first.
        let mut ids = vec![guest.id];
        ids.extend(target.as_ref().map(|row| row.id));
        ids.sort_unstable();
        let mut held = Vec::new();
        let mut settings_version = 0;
        for id in ids {
            let until = tx.now() + LIFE;
            let (row, version) = repo::touch(tx, id, until).await?.ok_or_else(no_cart)?;
            settings_version = version;
            held.push(row);
        }
        let settings = tx.settings_at(settings_version).await?;
        let take = |held: &mut Vec<cart::Model>, id| {
            held.iter().position(|row| row.id == id).map(|place| held.swap_remove(place))
        };
        let guest = take(&mut held, guest.id).filter(|row| own(row, tx)).ok_or_else(no_cart)?;
        must_be_open(guest.state)?;
        let target = target
            .and_then(|row| take(&mut held, row.id))
            .filter(|row| row.state == CartState::Open && row.customer_id == Some(customer));
        let Some(target) = target else {
            let row = attach(tx, guest, customer).await?;
            let rows = repo::rows_of(&tx.conn, row).await?;
            return finish(tx, &settings, rows, false, &[]).await;
        };
        let guest = repo::rows_of(&tx.conn, guest).await?;
        let mut rows = repo::rows_of(&tx.conn, target).await?;
        let left = merge_rows(tx, &mut rows, &guest);
        rows.cart.shipping_address = rows.cart.shipping_address.or(guest.cart.shipping_address.clone());
        rows.cart.billing_address = rows.cart.billing_address.or(guest.cart.billing_address.clone());
        rows.cart.email = rows.cart.email.or(guest.cart.email.clone());
        rows.cart.tax_number = rows.cart.tax_number.or(guest.cart.tax_number.clone());
        if guest.codes.is_empty() {
            rows.cart = repo::update(tx, rows.cart).await?;
        } else {
            rows.codes = joined(rows.cart.id, &rows.codes, &guest.codes);
            rows.cart = repo::put_codes(tx, rows.cart, &rows.codes).await?;
        }
        repo::set_state(tx, guest.cart.id, CartState::Abandoned).await?;
        drop_holds(tx, &settings, &guest.cart).await?;
        let mut told = finish(tx, &settings, rows, true, &[]).await?;
        told.issues.extend(left.iter().map(|left| told_of(left, &told.rows.lines)));
        Ok(told)
    }
}

/// Makes a guest's cart the customer's: from now on it opens for him and no token.
pub async fn attach(tx: &mut Tx, mut row: cart::Model, customer: CustomerId) -> Result<cart::Model> {
    if row.email.is_none() || row.tax_number.is_none() {
        know(tx, &mut row, customer).await?;
    }
    row.customer_id = Some(customer);
    repo::update(tx, row).await
}

/// Puts in what the cart doesn't say and the customer's account does.
pub(super) async fn know(tx: &Tx, row: &mut cart::Model, customer: CustomerId) -> Result<()> {
    if let Some(owner) = crate::customer::repo::find(&tx.conn, customer).await? {
        row.tax_number = row.tax_number.take().or(owner.tax_number);
        row.email.get_or_insert(owner.email);
    }
    Ok(())
}

fn merge_rows(tx: &Tx, rows: &mut CartRows, guest: &CartRows) -> Vec<LeftBehind> {
    // Gifts come anew with their promotions.
    let bought = |line: &&cart_line::Model| line.gift_of.is_none();
    let pairs = |lines: &[cart_line::Model]| {
        lines.iter().filter(bought).map(|line| (line.variant_id, line.quantity)).collect::<Vec<_>>()
    };
    rows.lines.retain(|line| line.gift_of.is_none());
    let (lines, left) = merge(&pairs(&rows.lines), &pairs(&guest.lines));
    let next = rows.lines.iter().map(|line| line.position).max().map_or(0, |last| last + 1);
    let known = rows.lines.len();
    let lines = lines.into_iter().enumerate().map(|(place, (variant_id, quantity))| match rows.lines.get(place) {
        Some(line) => cart_line::Model { quantity, ..line.clone() },
        None => {
            let shown = guest.lines.iter().find(|line| line.variant_id == variant_id);
            let same = guest.cart.currency == rows.cart.currency;
            let shown = shown.filter(|_| same);
            cart_line::Model {
                id: tx.id::<CartLineId>(),
                cart_id: rows.cart.id,
                position: next + (place - known) as i32,
                variant_id,
                quantity,
                // The price that the guest saw, so that a change is told.
                price_id: shown.and_then(|line| line.price_id),
                unit_price_minor: shown.map_or(0, |line| line.unit_price_minor),
                includes_tax: shown.is_some_and(|line| line.includes_tax),
                currency: shown.and_then(|line| line.currency),
                custom_price: shown.is_some_and(|line| line.custom_price),
                gift_of: None,
            }
        }
    });
    rows.lines = lines.collect();
    left
}

fn told_of(left: &LeftBehind, lines: &[cart_line::Model]) -> Issue {
    let line = lines.iter().find(|line| line.variant_id == left.variant).map(|line| line.id);
    let refusal = if left.no_line {
        let message = format!("{} pieces were left behind: a cart has at most {MAX_LINES} lines.", left.quantity);
        Refusal::new(ErrorCode::TooMany, message).limit(MAX_LINES as i64)
    } else {
        let message = format!("{} pieces were left behind: a line has at most {MAX_QUANTITY}.", left.quantity);
        Refusal::new(ErrorCode::QuantityOutOfRange, message).limit(MAX_QUANTITY.into())
    };
    Issue::new(refusal.about(left.variant), line, false)
}
