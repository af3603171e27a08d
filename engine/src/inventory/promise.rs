//! Stock that staff put aside by hand: for a phone call, for a repair, for a show.

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{InventoryItemId, LocationId, ReservationId};
use domain::inventory::{MAX_STOCK_CHANGE, Take};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::title;
use entity::reservation;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

use super::ops::{WRITE, location_within};
use super::repo;
use crate::actor::Need;
use crate::error::Result;
use crate::op::{Op, Repeatable, Tx};
use crate::version::Change;

/// Puts stock aside.
#[derive(Debug, Clone, Serialize)]
pub struct CreateReservation {
    /// Of what.
    pub item: InventoryItemId,
    /// Where.
    pub location: LocationId,
    /// How many.
    pub quantity: i32,
    /// Why.
    pub note: Option<String>,
    /// When it ends by itself; it stays when absent.
    pub expires_at: Option<DateTime<Utc>>,
}

fn check_quantity(quantity: i32, refusals: &mut Refusals) {
    if !(1..=MAX_STOCK_CHANGE).contains(&quantity) {
        let message = format!("This lies between 1 and {MAX_STOCK_CHANGE}.");
        let refusal = Refusal::new(ErrorCode::QuantityOutOfRange, message).limit(MAX_STOCK_CHANGE.into());
        refusals.push(refusal.at(["quantity"]));
    }
}

fn check_end(tx: &Tx, end: Option<DateTime<Utc>>, refusals: &mut Refusals) {
    if end.is_some_and(|end| end <= tx.now()) {
        refusals.push(Refusal::new(ErrorCode::Invalid, "This is over already.").at(["expiresAt"]));
    }
}

fn checked_note(note: &str, refusals: &mut Refusals) -> Option<String> {
    refusals.keep(title(note).map_err(|refusal| refusal.at(["note"])))
}

/// Promises so many more units, or names how many can be.
async fn promise(tx: &mut Tx, place: repo::Place, quantity: i32) -> Result<()> {
    let take = Take { item: place.0, location: place.1, quantity, firm: quantity, covered: quantity };
    if repo::reserve(tx, &[take], BTreeMap::new()).await?.is_none() {
        return Ok(());
    }
    let level = repo::lock_level(tx, place).await?;
    let free = level.map_or(0, |row| domain::inventory::free(row.stocked, row.reserved, row.safety));
    let free = i32::try_from(free.max(0)).unwrap_or(i32::MAX);
    let refusal = Refusal::new(ErrorCode::InsufficientStock, "Fewer units than this are free there.");
    Err(refusal.available(free).at(["quantity"]).into())
}

fn told(row: &reservation::Model) -> serde_json::Value {
    json!({ "item": row.item_id, "location": row.location_id, "quantity": row.quantity, "note": row.note,
        "expiresAt": row.expires_at })
}

impl Op for CreateReservation {
    const NAME: &'static str = "reservation.create";
    const NEEDS: Need = WRITE;
    type Out = reservation::Model;

    async fn run(&self, tx: &mut Tx) -> Result<reservation::Model> {
        let mut refusals = Refusals::default();
        check_quantity(self.quantity, &mut refusals);
        check_end(tx, self.expires_at, &mut refusals);
        let note = self.note.as_deref().and_then(|note| checked_note(note, &mut refusals));
        if repo::items::find(&tx.conn, self.item).await?.is_none() {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such item.").at(["inventoryItemId"]));
        }
        refusals.into_result()?;
        let place = (self.item, location_within(tx, Some(self.location), "locationId").await?);
        promise(tx, place, self.quantity).await?;
        let row = reservation::Model { note, expires_at: self.expires_at, ..repo::promise(tx, place, self.quantity) };
        repo::insert_reservations(tx, vec![row.clone()]).await?;
        tx.audit(row.id, None, Some(told(&row)));
        Ok(row)
    }
}

impl Repeatable for CreateReservation {
    fn entity(out: &reservation::Model) -> Uuid {
        out.id.into()
    }

    async fn replay(&self, tx: &mut Tx, entity: Uuid) -> Result<reservation::Model> {
        let row = repo::find_reservation(&tx.conn, entity.into()).await?;
        let message = "What this call put aside has been let go since.";
        Ok(row.ok_or_else(|| Refusal::new(ErrorCode::NotFound, message))?)
    }
}

/// Changes what is put aside; what orders and carts are promised is not staff's to change here.
#[derive(Debug, Clone)]
pub struct UpdateReservation {
    /// Which promise.
    pub id: ReservationId,
    /// How many.
    pub quantity: Option<i32>,
    /// Why.
    pub note: Change<String>,
    /// When it ends by itself.
    pub expires_at: Change<DateTime<Utc>>,
}

/// A promise that was made by hand, locked, at a location in reach.
async fn lock_own(tx: &Tx, id: ReservationId) -> Result<reservation::Model> {
    let reach = crate::scope::locations(tx.actor(), Permission::InventoryWrite);
    let row = repo::lock_reservation(tx, id).await?.filter(|row| reach.holds(row.location_id));
    let row = row.ok_or_else(|| Refusal::new(ErrorCode::NotFound, "There is no such reservation.").at(["id"]))?;
    if row.checkout_id.is_some() || row.cart_id.is_some() {
        let message = "This is promised to a cart or an order: change that instead.";
        return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).into());
    }
    Ok(row)
}

impl Op for UpdateReservation {
    const NAME: &'static str = "reservation.update";
    const NEEDS: Need = WRITE;
    type Out = reservation::Model;

    async fn run(&self, tx: &mut Tx) -> Result<reservation::Model> {
        let before = lock_own(tx, self.id).await?;
        let mut after = before.clone();
        let mut refusals = Refusals::default();
        after.quantity = self.quantity.unwrap_or(before.quantity);
        check_quantity(after.quantity, &mut refusals);
        match &self.note {
            Change::Keep => {}
            Change::Clear => after.note = None,
            Change::To(note) => after.note = checked_note(note, &mut refusals),
        }
        if let Change::To(end) = &self.expires_at {
            check_end(tx, Some(*end), &mut refusals);
        }
        self.expires_at.clone().apply(&mut after.expires_at);
        refusals.into_result()?;
        let place = (before.item_id, before.location_id);
        match after.quantity - before.quantity {
            0 => {}
            more if more > 0 => promise(tx, place, more).await?,
            fewer => repo::free(tx, place, -fewer).await?,
        }
        repo::update_reservation(tx, after.clone()).await?;
        tx.audit(after.id, Some(told(&before)), Some(told(&after)));
        Ok(after)
    }
}

/// Lets go of what was put aside.
#[derive(Debug, Clone)]
pub struct DeleteReservation(pub ReservationId);

impl Op for DeleteReservation {
    const NAME: &'static str = "reservation.delete";
    const NEEDS: Need = WRITE;
    type Out = ReservationId;

    async fn run(&self, tx: &mut Tx) -> Result<ReservationId> {
        let row = lock_own(tx, self.0).await?;
        repo::release(tx, &row, row.quantity).await?;
        tx.audit(row.id, Some(told(&row)), None);
        Ok(row.id)
    }
}
