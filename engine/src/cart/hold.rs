//! Stock that is held for a cart for a while, where its channel wants that: what lies in it can't be bought by others
//! until the time is over. A hold begins when the cart first holds something and is not prolonged by later changes; the
//! first change after its end begins another one. A checkout takes the hold over; when it comes to nothing, another one
//! begins with what it gives back.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::CartId;
use domain::inventory::{Demand, Level, Take};
use entity::{cart, reservation};

use super::quote::{Quote, quote};
use super::stock::demand;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::inventory::repo::{self, Place};
use crate::op::Tx;
use crate::settings::Settings;

/// What is held for a cart.
#[derive(Debug, Clone, Default)]
pub struct Holds {
    rows: Vec<reservation::Model>,
    /// For how long the channel holds what lies in a cart; nothing when it doesn't.
    life: Option<TimeDelta>,
    now: DateTime<Utc>,
}

impl Holds {
    /// What is held for a cart now: one statement where the channel holds anything, none elsewhere.
    pub(super) async fn of(conn: &Conn, settings: &Settings, cart: &cart::Model, now: DateTime<Utc>) -> Result<Self> {
        let minutes = settings.channel(cart.channel_id).and_then(|channel| channel.hold_minutes);
        let Some(minutes) = minutes else { return Ok(Self { now, ..Self::default() }) };
        let rows = repo::holds_of(conn, cart.id).await?;
        Ok(Self { rows, life: Some(TimeDelta::minutes(minutes.into())), now })
    }

    /// How much of an item is held at a location.
    pub(super) fn of_place(&self, place: Place) -> i32 {
        let here = self.rows.iter().filter(|row| (row.item_id, row.location_id) == place);
        here.map(|row| row.quantity).sum()
    }

    /// Until when; nothing when nothing is held.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.rows.iter().filter_map(|row| row.expires_at).min().filter(|end| *end > self.now)
    }
}

/// Holds what lies in a cart, as much of it as there is. The cart is locked by the caller.
pub(super) async fn hold(tx: &mut Tx, told: &mut Quote) -> Result<()> {
    let Some(life) = told.holds.life else { return Ok(()) };
    let takes = holdable(told);
    let kept: BTreeMap<Place, i32> = takes.iter().map(|take| ((take.item, take.location), take.quantity)).collect();
    let mut held: BTreeMap<Place, i32> = BTreeMap::new();
    for row in &told.holds.rows {
        *held.entry((row.item_id, row.location_id)).or_default() += row.quantity;
    }
    let end = told.holds.expires_at();
    if kept == held && (end.is_some() || held.is_empty()) {
        return Ok(());
    }
    take_over(tx, told.rows.cart.id, &told.holds, &takes).await?;
    let expires_at = Some(end.unwrap_or(tx.now() + life));
    let row = |take: &Take| reservation::Model {
        cart_id: Some(told.rows.cart.id),
        expires_at,
        ..repo::promise(tx, (take.item, take.location), take.quantity)
    };
    let rows: Vec<_> = takes.iter().map(row).collect();
    repo::insert_reservations(tx, rows.clone()).await?;
    told.holds.rows = rows;
    Ok(())
}

/// Holds again what lies in a cart whose checkout, which took the hold over, came to nothing. The cart is locked by the
/// caller.
pub async fn hold_again(tx: &mut Tx, cart: cart::Model) -> Result<()> {
    let settings = tx.settings().await?;
    let holds = settings.channel(cart.channel_id).is_some_and(|channel| channel.hold_minutes.is_some());
    if !holds || cart.expires_at <= tx.now() {
        return Ok(());
    }
    let rows = crate::cart::repo::rows_of(&tx.conn, cart).await?;
    match quote(&tx.conn, &settings, rows, tx.now()).await {
        Ok(mut told) => hold(tx, &mut told).await,
        Err(error @ (Error::Database(_) | Error::Raced)) => Err(error),
        // A cart that can't be worked out, because its region is gone or somebody outside must be asked, is opened all the
        // same.
        Err(_) => Ok(()),
    }
}

/// Promises the takes in the place of what is held for the cart, level by level in the order of item and location.
///
/// # Errors
/// [`Error::Raced`] when somebody else was faster, or the time of the hold was over at this moment.
pub async fn take_over(tx: &mut Tx, cart: CartId, holds: &Holds, takes: &[Take]) -> Result<()> {
    let held = &holds.rows;
    if !held.is_empty() && repo::delete_holds(tx, cart).await? != held.len() as u64 {
        return Err(Error::Raced);
    }
    let places = held.iter().map(|row| (row.item_id, row.location_id));
    match repo::reserve(tx, takes, places.map(|place| (place, holds.of_place(place))).collect()).await? {
        None => Ok(()),
        // The stock was there a moment ago: look again, and name what is short.
        Some(_) => Err(Error::Raced),
    }
}

/// What can be held of what lies in the cart: nothing that has yet to come, and of what is short, what there is.
fn holdable(told: &Quote) -> Vec<Take> {
    let wished = told.lines.iter().flat_map(|line| demand(&line.row, line.offer.as_ref(), &told.items));
    let mut wished: Vec<Demand> =
        wished.map(|wish| Demand { backorder: domain::catalog::BackorderPolicy::Deny, ..wish }).collect();
    if !told.takes.is_empty() {
        let firm = told.takes.iter().map(|take| Take { quantity: take.firm, covered: take.firm, ..*take });
        return firm.filter(|take| take.quantity > 0).collect();
    }
    let free = |item| -> i64 {
        let here = told.levels.iter().filter(|level| level.item == item);
        here.map(|level| level.free().max(0)).sum()
    };
    let mut left: BTreeMap<_, i64> = wished.iter().map(|wish| (wish.item, free(wish.item))).collect();
    for wish in &mut wished {
        let Some(left) = left.get_mut(&wish.item) else { continue };
        wish.quantity = wish.quantity.min(i32::try_from(*left).unwrap_or(i32::MAX));
        *left -= i64::from(wish.quantity);
    }
    let levels: &[Level] = &told.levels;
    domain::inventory::reserve(&wished, levels, domain::inventory::AllocationPolicy::Priority).unwrap_or_default()
}

/// Frees what is held for a cart that is not bought any more.
pub(super) async fn drop_holds(tx: &mut Tx, settings: &Settings, cart: &cart::Model) -> Result<()> {
    let holds = Holds::of(&tx.conn, settings, cart, tx.now()).await?;
    take_over(tx, cart.id, &holds, &[]).await
}
