//! What staff change about locations.

use domain::address::Address;
use domain::auth::Permission;
use domain::id::LocationId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{CountryCode, Handle, title};
use entity::location;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

/// The most locations of a shop.
pub const MAX_LOCATIONS: usize = 250;

/// A location as staff want it; the handle says which one it is.
#[derive(Debug, Clone)]
pub struct SetLocation {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name.
    pub name: String,
    /// The country that it is in.
    pub country: Option<CountryCode>,
    /// The lower number is taken from first.
    pub priority: i32,
    /// Whether shoppers may pick up what they bought; stays when absent, and nobody may at a new one.
    pub pickup: Option<bool>,
    /// Where it is, in its country.
    pub address: Change<LocationAddress>,
}

/// The address of a location, which its name and country complete.
#[derive(Debug, Clone)]
pub struct LocationAddress {
    /// Street and number.
    pub address1: String,
    /// Floor, building.
    pub address2: Option<String>,
    /// City.
    pub city: String,
    /// State, province or county.
    pub province: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// Telephone number.
    pub phone: Option<String>,
}

impl SetLocation {
    /// The address that it will have, under its new name and in its new country.
    fn address(&self, held: Option<&Address>, name: &str) -> Result<Option<Address>, Vec<Refusal>> {
        let parts = match (&self.address, held) {
            (Change::Clear, _) | (Change::Keep, None) => return Ok(None),
            (Change::To(wished), _) => wished.clone(),
            (Change::Keep, Some(held)) => LocationAddress {
                address1: held.address1.clone(),
                address2: held.address2.clone(),
                city: held.city.clone(),
                province: held.province.clone(),
                postal_code: held.postal_code.clone(),
                phone: held.phone.clone(),
            },
        };
        let Some(country) = self.country.clone() else {
            let message = "An address is in a country: name the country of the location.";
            return Err(vec![Refusal::new(ErrorCode::Required, message).at(["countryCode"])]);
        };
        let LocationAddress { address1, address2, city, province, postal_code, phone } = parts;
        let last_name = name.to_owned();
        let (first_name, company) = (None, None);
        let address =
            Address { first_name, last_name, company, address1, address2, city, province, postal_code, country, phone };
        address.check(&["address"]).map(Some)
    }
}

impl Op for SetLocation {
    const NAME: &'static str = "location.set";
    const NEEDS: Need = Need::Permission(Permission::SettingsWrite);
    type Out = location::Model;

    async fn run(&self, tx: &mut Tx) -> Result<location::Model> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let known = match &handle {
            Some(handle) => repo::lock_handle(tx, handle).await?,
            None => None,
        };
        let reach = crate::scope::locations(tx.actor(), Permission::SettingsWrite);
        let within = known.as_ref().map_or(reach.is_everything(), |row| reach.holds(row.id));
        if !within {
            // Whether the handle is taken out of reach is not told.
            return Err(Error::Forbidden);
        }
        if known.is_none() && settings.locations.len() >= MAX_LOCATIONS {
            let message = format!("A shop has at most {MAX_LOCATIONS} locations.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LOCATIONS as i64));
        }
        let held = known.as_ref().and_then(|row| row.address.as_ref());
        let address = self.address(held, name.as_deref().unwrap_or(&self.name)).unwrap_or_else(|refused| {
            refusals.extend(refused);
            None
        });
        let pickup = self.pickup.unwrap_or_else(|| known.as_ref().is_some_and(|row| row.pickup));
        if pickup && address.is_none() && refusals.is_empty() {
            let message = "Where something is picked up has an address.";
            refusals.push(Refusal::new(ErrorCode::Required, message).at(["address"]));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let summary = |row: &location::Model| {
            json!({ "name": row.name, "country": row.country, "priority": row.priority, "pickup": row.pickup,
                "address": row.address })
        };
        let row = location::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name,
            country: self.country.clone(),
            priority: self.priority,
            pickup,
            address,
        };
        let row = repo::save(tx, row, known.is_none()).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        tx.touch_settings().await?;
        Ok(row)
    }
}

/// Takes a location away. Its history stays, and so do the ledgers of what lay there.
#[derive(Debug, Clone, Copy)]
pub struct DeleteLocation {
    /// Which one.
    pub id: LocationId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
}

impl Op for DeleteLocation {
    const NAME: &'static str = "location.delete";
    const NEEDS: Need = Need::Permission(Permission::SettingsWrite);
    type Out = LocationId;

    async fn run(&self, tx: &mut Tx) -> Result<LocationId> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such location.").at(["id"]);
        let reach = crate::scope::locations(tx.actor(), Permission::SettingsWrite);
        // Whoever stocks or packs there waits for this, or this for him; so does whoever promises what lies there.
        let row = repo::lock(tx, self.id).await?.filter(|row| reach.holds(row.id)).ok_or_else(missing)?;
        crate::inventory::repo::close(tx, row.id).await?;
        tx.touch_settings().await?;
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        refusals.keep(check_version(self.expected_version, row.version));
        let in_use = |message: String| Refusal::new(ErrorCode::InUse, message).at(["id"]);
        let used = repo::used(tx, row.id).await?;
        if used.stocked > 0 {
            refusals.push(in_use(format!(
                "Of {} items something lies there or is on its way there: count it down or transfer it first.",
                used.stocked
            )));
        }
        if used.promised > 0 {
            refusals.push(in_use(format!("{} promises are of what lies there: let them end first.", used.promised)));
        }
        if used.open > 0 {
            refusals.push(in_use(format!("{} fulfillments that were packed there have not arrived.", used.open)));
        }
        for option in settings.shipping_options.iter().filter(|one| one.row.pickup_location_id == Some(row.id)) {
            let message = format!("The shipping option {:?} is picked up there.", option.row.handle.as_str());
            refusals.push(in_use(message).about(option.row.id));
        }
        for channel in &settings.channels {
            if matches!(settings.locations_of(channel.id).as_slice(), [only] if only.id == row.id) {
                let message = format!("It is the last location of the channel {:?}.", channel.handle.as_str());
                refusals.push(in_use(message).about(channel.id));
            }
        }
        refusals.into_result()?;
        repo::release_channels(tx, row.id).await?;
        let before = json!({ "handle": row.handle, "name": row.name, "country": row.country, "address": row.address });
        let (version, deleted_at) = (row.version + 1, Some(tx.now()));
        let row = repo::save(tx, location::Model { version, deleted_at, updated_at: tx.now(), ..row }, false).await?;
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}
