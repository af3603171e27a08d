//! What staff change about shipping profiles.

use domain::auth::Permission;
use domain::id::ShippingProfileId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Handle, title};
use entity::shipping_profile;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::check_version;

/// The most shipping profiles of a shop.
pub const MAX_SHIPPING_PROFILES: usize = 100;

/// A profile as staff want it; the handle says which one it is.
#[derive(Debug, Clone)]
pub struct SetShippingProfile {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name.
    pub name: String,
}

fn summary(row: &shipping_profile::Model) -> serde_json::Value {
    json!({ "handle": row.handle, "name": row.name })
}

impl Op for SetShippingProfile {
    const NAME: &'static str = "shipping_profile.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = shipping_profile::Model;

    async fn run(&self, tx: &mut Tx) -> Result<shipping_profile::Model> {
        tx.touch_settings().await?;
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let known = match &handle {
            Some(handle) => repo::lock_profile_handle(tx, handle).await?,
            None => None,
        };
        if known.is_none() && settings.shipping_profiles.len() >= MAX_SHIPPING_PROFILES {
            let message = format!("A shop has at most {MAX_SHIPPING_PROFILES} shipping profiles.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_SHIPPING_PROFILES as i64));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let row = shipping_profile::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name,
            is_default: known.as_ref().is_some_and(|row| row.is_default),
        };
        let row = repo::save_profile(tx, row, known.is_none()).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        Ok(row)
    }
}

/// Takes a profile away of which nothing is any more.
#[derive(Debug, Clone)]
pub struct DeleteShippingProfile {
    /// Which one.
    pub id: ShippingProfileId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteShippingProfile {
    const NAME: &'static str = "shipping_profile.delete";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = ShippingProfileId;

    async fn run(&self, tx: &mut Tx) -> Result<ShippingProfileId> {
        // A product that is given this profile at this very moment ships by the default one.
        tx.touch_settings().await?;
        let settings = tx.settings().await?;
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such shipping profile.").at(["id"]);
        let mut row = repo::lock_profile(tx, self.id).await?.ok_or_else(missing)?;
        check_version(self.expected_version, row.version)?;
        let mut refusals = Refusals::default();
        if row.is_default {
            let message = "This profile is that of every product which names none.";
            refusals.push(Refusal::new(ErrorCode::InUse, message).at(["id"]));
        }
        let of_it = settings.shipping_options.iter().find(|option| option.row.shipping_profile_id == Some(row.id));
        if let Some(option) = of_it {
            let message = format!("The shipping option {:?} is of this profile.", option.row.handle.as_str());
            refusals.push(Refusal::new(ErrorCode::InUse, message).about(option.row.id).at(["id"]));
        }
        let products = repo::count_products(&tx.conn, row.id).await?;
        if products > 0 {
            let message = format!("{products} products are of this profile: give them another one.");
            refusals.push(Refusal::new(ErrorCode::InUse, message).at(["id"]));
        }
        refusals.into_result()?;
        tx.audit(row.id, Some(summary(&row)), None);
        row.version += 1;
        row.updated_at = tx.now();
        row.deleted_at = Some(tx.now());
        Ok(repo::save_profile(tx, row, false).await?.id)
    }
}

/// Refuses a profile that is not there. Paths begin with `shippingProfileId`.
pub fn must_be_known(known: &[shipping_profile::Model], wished: Option<ShippingProfileId>) -> Option<Refusal> {
    let id = wished?;
    let refusal = || Refusal::new(ErrorCode::NotFound, "There is no such shipping profile.").at(["shippingProfileId"]);
    (!known.iter().any(|profile| profile.id == id)).then(refusal)
}
