//! What staff change about stock.

use domain::auth::Permission;
use domain::id::{InventoryItemId, LocationId, VariantId};
use domain::inventory::{MovementReason, adjust};
use domain::refusal::{ErrorCode, Refusal};
use entity::stock_level;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Repeatable, Tx};

/// Changes what lies at a location.
#[derive(Debug, Clone, Serialize)]
pub struct AdjustInventory {
    /// Of which variant.
    pub variant: VariantId,
    /// Where; the location that is taken from first when absent.
    pub location: Option<LocationId>,
    /// How many more, or fewer.
    pub delta: i32,
    /// Why.
    pub reason: MovementReason,
    /// Why, in staff's own words.
    pub note: Option<String>,
}

/// A level with the variant that staff asked about.
pub type Adjusted = (VariantId, stock_level::Model);

impl AdjustInventory {
    async fn level(&self, tx: &mut Tx) -> Result<(InventoryItemId, LocationId)> {
        let settings = tx.settings().await?;
        let reach = crate::scope::locations(tx.actor(), Permission::InventoryWrite);
        let mut known = settings.locations.iter().filter(|location| reach.holds(location.id));
        let location = match self.location {
            Some(id) => known.find(|location| location.id == id),
            None => known.next(),
        };
        let location = location
            .ok_or_else(|| Refusal::new(ErrorCode::NotFound, "There is no such location.").at(["locationId"]))?;
        let item = repo::single_item(&tx.conn, self.variant).await?;
        let item =
            item.ok_or_else(|| Refusal::new(ErrorCode::NotFound, "There is no such variant.").at(["variantId"]))?;
        Ok((item, location.id))
    }
}

impl Op for AdjustInventory {
    const NAME: &'static str = "inventory.adjust";
    const NEEDS: Need = Need::Permission(Permission::InventoryWrite);
    type Out = Adjusted;

    async fn run(&self, tx: &mut Tx) -> Result<Adjusted> {
        if self.delta == 0 {
            return Err(Refusal::new(ErrorCode::Invalid, "An adjustment of nothing changes nothing.")
                .at(["delta"])
                .into());
        }
        let (item, location) = self.level(tx).await?;
        let before = repo::lock_level(tx, item, location).await?;
        let (stocked, reserved) = before.as_ref().map_or((0, 0), |level| (level.stocked, level.reserved));
        let after = adjust(stocked, reserved, self.delta).map_err(|refusal| refusal.at(["delta"]))?;
        repo::change_stocked(tx, item, location, self.delta, self.reason, self.note.clone()).await?;
        let change = |stocked: i32| json!({ "location": location, "stocked": stocked });
        tx.audit(self.variant, Some(change(stocked)), Some(change(after)));
        let level = repo::lock_level(tx, item, location).await?;
        Ok((self.variant, level.ok_or_else(|| Error::internal("the stock level vanished"))?))
    }
}

impl Repeatable for AdjustInventory {
    fn entity(out: &Adjusted) -> Uuid {
        out.0.into()
    }

    async fn replay(&self, tx: &mut Tx, _: Uuid) -> Result<Adjusted> {
        let (item, location) = self.level(tx).await?;
        let level = repo::lock_level(tx, item, location).await?;
        Ok((self.variant, level.ok_or_else(|| Error::internal("the stock level vanished"))?))
    }
}
