//! What staff change about shipping options. Every op here holds the settings from its first statement on, so that no
//! zone, profile or location goes while an option is made that names it.

use domain::auth::Permission;
use domain::id::{LocationId, ServiceZoneId, ShippingOptionId, ShippingProfileId};
use domain::money::Money;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::rule::Rules;
use domain::shipping::table::{FreeFrom, Tables};
use domain::shipping::{ShippingOptionKind, check_rules};
use domain::text::{CountryCode, Handle, title};
use entity::{price, shipping_option};
use serde_json::json;

use super::profile::must_be_known;
use super::{repo, zone};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::settings::{Settings, ShippingOption};
use crate::version::{Change, check_version};

/// The most shipping options of a shop.
pub const MAX_SHIPPING_OPTIONS: usize = 250;
/// The longest description, in characters.
pub const MAX_DESCRIPTION: usize = 2_000;
/// The provider of what no other system ships.
pub const MANUAL: &str = "manual";

/// A shipping option as staff want it; the handle says which one it is. What is left out of a known one stays.
#[derive(Debug, Clone, Default)]
pub struct SetShippingOption {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name for shoppers.
    pub name: String,
    /// More about it for shoppers.
    pub description: Change<String>,
    /// The products that it is for; a new one is for those of the default profile.
    pub profile: Change<ShippingProfileId>,
    /// Whole countries that it goes to: its own zone.
    pub countries: Option<Vec<CountryCode>>,
    /// The zone that it goes to, with others or alone.
    pub zone: Option<ServiceZoneId>,
    /// How its price is found; a new one is flat.
    pub kind: Option<ShippingOptionKind>,
    /// Who calculates its price; a new one has nobody.
    pub provider: Option<String>,
    /// What it costs, one price per currency; of a calculated one, while the provider gives no answer.
    pub prices: Option<Vec<Money>>,
    /// What it costs by weight, subtotal or pieces.
    pub tables: Option<Tables>,
    /// Whether what it costs includes tax.
    pub includes_tax: Option<bool>,
    /// From when on it is free.
    pub free_from: Option<FreeFrom>,
    /// For whom it is.
    pub rules: Option<Rules>,
    /// Where it is picked up; it is sent when there is none.
    pub pickup: Change<LocationId>,
}

impl Op for SetShippingOption {
    const NAME: &'static str = "shipping_option.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = ShippingOption;

    async fn run(&self, tx: &mut Tx) -> Result<ShippingOption> {
        tx.touch_settings().await?;
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let known = match &handle {
            Some(handle) => repo::lock_handle(tx, handle).await?,
            None => None,
        };
        if known.is_none() && settings.shipping_options.len() >= MAX_SHIPPING_OPTIONS {
            let message = format!("A shop has at most {MAX_SHIPPING_OPTIONS} shipping options.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_SHIPPING_OPTIONS as i64));
        }
        let before = known.as_ref().and_then(|row| settings.shipping_option(row.id));
        // What is refused for want of a handle has other faults too.
        let handle = handle.or_else(|| Handle::from_title("none"));
        let handle = handle.ok_or_else(|| Error::internal("a refusal was lost"))?;
        let mut row = self.begin(tx, known, handle);
        self.apply(&settings, &mut row, &mut refusals);
        let held = before.map(|option| option.prices.as_slice()).unwrap_or_default();
        let prices = self.priced(tx, &row, held);
        refusals.extend(check_costs(&settings, &row, &prices));
        refusals.extend(check_provider(tx, &row));
        refusals.extend(self.check_where(&settings, before));
        refusals.into_result()?;
        check_version(self.expected_version, before.map_or(0, |option| option.row.version))?;
        let areas = match &self.countries {
            Some(countries) => {
                let own = before.map(|option| option.row.service_zone_id);
                zone::write_own(tx, &settings, own, &row.handle, &row.name, countries).await?
            }
            None => {
                let id = self.zone.unwrap_or(row.service_zone_id);
                settings.service_zone(id).cloned().ok_or_else(|| Error::internal("the zone of an option is gone"))?
            }
        };
        row.service_zone_id = areas.row.id;
        let row = repo::save(tx, row, before.is_none()).await?;
        repo::replace_prices(tx, row.id, prices.clone()).await?;
        let after = ShippingOption::new(areas.areas, prices, row);
        tx.audit(after.row.id, before.map(summary), Some(summary(&after)));
        Ok(after)
    }
}

impl SetShippingOption {
    /// The row as it is, or a new one, with the next version.
    fn begin(&self, tx: &Tx, known: Option<shipping_option::Model>, handle: Handle) -> shipping_option::Model {
        if let Some(row) = known {
            return shipping_option::Model { version: row.version + 1, updated_at: tx.now(), ..row };
        }
        shipping_option::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name: String::new(),
            service_zone_id: tx.id(),
            provider: MANUAL.to_owned(),
            shipping_profile_id: None,
            description: None,
            kind: ShippingOptionKind::Flat,
            includes_tax: false,
            tables: Tables::default(),
            free_from: FreeFrom::default(),
            rules: Rules::default(),
            pickup_location_id: None,
        }
    }

    /// Brings the row to what is wished, as far as it can be.
    fn apply(&self, settings: &Settings, row: &mut shipping_option::Model, refusals: &mut Refusals) {
        if let Some(name) = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"]))) {
            row.name = name;
        }
        if let Some(description) = refusals.keep(self.description.clone().try_map(described)) {
            description.apply(&mut row.description);
        }
        self.profile.clone().apply(&mut row.shipping_profile_id);
        refusals.extend(must_be_known(&settings.shipping_profiles, row.shipping_profile_id));
        row.kind = self.kind.unwrap_or(row.kind);
        if let Some(provider) = &self.provider {
            row.provider = provider.clone();
        }
        row.includes_tax = self.includes_tax.unwrap_or(row.includes_tax);
        let mut keep = |refused| refusals.extend(refused);
        if let Some(tables) = &self.tables {
            row.tables = tables.clone().check().unwrap_or_else(|refused| {
                keep(refused);
                tables.clone()
            });
        }
        if let Some(free_from) = &self.free_from {
            row.free_from = free_from.clone().check().unwrap_or_else(|refused| {
                keep(refused);
                free_from.clone()
            });
        }
        if let Some(rules) = &self.rules {
            row.rules = check_rules(rules.clone()).unwrap_or_else(|refused| {
                keep(refused);
                rules.clone()
            });
        }
        self.pickup.clone().apply(&mut row.pickup_location_id);
        let open = |id| settings.locations.iter().any(|location| location.id == id && location.pickup);
        if let Change::To(id) = self.pickup
            && !open(id)
        {
            let message = "There is no such location, or nothing can be picked up there: set pickup with locationSet.";
            refusals.push(Refusal::new(ErrorCode::NotFound, message).at(["pickupLocationId"]));
        }
    }

    /// The flat prices that it will have; those that it has when none are named.
    fn priced(&self, tx: &Tx, row: &shipping_option::Model, held: &[price::Model]) -> Vec<price::Model> {
        let Some(wished) = &self.prices else {
            return held.iter().map(|price| price::Model { includes_tax: row.includes_tax, ..price.clone() }).collect();
        };
        let new = |money: &Money| price::Model {
            id: tx.id(),
            created_at: tx.now(),
            updated_at: tx.now(),
            variant_id: None,
            shipping_option_id: Some(row.id),
            currency: money.currency,
            amount_minor: money.minor,
            compare_at_minor: None,
            includes_tax: row.includes_tax,
            min_quantity: None,
            max_quantity: None,
            rule_count: 0,
            price_list_id: None,
            rules: None,
        };
        wished.iter().map(new).collect()
    }

    /// Refuses a zone that can't be, or can't be changed through this option.
    fn check_where(&self, settings: &Settings, before: Option<&ShippingOption>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if let Some(id) = self.zone
            && settings.service_zone(id).is_none()
        {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such zone.").at(["serviceZoneId"]));
        }
        let Some(countries) = &self.countries else {
            if self.zone.is_none() && before.is_none() {
                let message = "A shipping option goes to at least one country: name countries or a zone.";
                refusals.push(Refusal::new(ErrorCode::Required, message).at(["countries"]));
            }
            return refusals;
        };
        if self.zone.is_some() {
            let message = "Name countries or a zone, not both.";
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["serviceZoneId"]));
        }
        if countries.is_empty() {
            let message = "A shipping option goes to at least one country.";
            refusals.push(Refusal::new(ErrorCode::Required, message).at(["countries"]));
        }
        for (place, country) in countries.iter().enumerate() {
            if countries[..place].contains(country) {
                let refusal = Refusal::new(ErrorCode::Duplicate, "This country stands here twice.");
                refusals.push(refusal.at(["countries".to_owned(), place.to_string()]));
            }
        }
        let handle = Handle::given_or_made(self.handle.as_deref(), &self.name).ok();
        let zone = settings.service_zones.iter().find(|zone| match before {
            Some(option) => option.row.service_zone_id == zone.row.id,
            None => handle.as_ref() == Some(&zone.row.handle),
        });
        let others = |option: &&ShippingOption| {
            zone.is_some_and(|zone| option.row.service_zone_id == zone.row.id)
                && before.is_none_or(|before| before.row.id != option.row.id)
        };
        if let (Some(zone), Some(_)) = (zone, settings.shipping_options.iter().find(others)) {
            let message = "Other options go to this zone too: change it with serviceZoneSet, or name another one.";
            refusals.push(Refusal::new(ErrorCode::InUse, message).about(zone.row.id).at(["countries"]));
        }
        refusals
    }
}

fn described(text: String) -> Result<String, Refusal> {
    let text = text.trim().to_owned();
    if text.chars().count() > MAX_DESCRIPTION {
        let message = format!("A description has at most {MAX_DESCRIPTION} characters.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_DESCRIPTION as i64).at(["description"]));
    }
    Ok(text)
}

/// Refuses prices that can't be, that are missing for the kind, and currencies in which no region sells.
fn check_costs(settings: &Settings, row: &shipping_option::Model, prices: &[price::Model]) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    match row.kind {
        ShippingOptionKind::Flat if prices.is_empty() => {
            let message = "A flat shipping option has at least one price.";
            refusals.push(Refusal::new(ErrorCode::Required, message).at(["prices"]));
        }
        kind if kind.has_tables() && row.tables.0.is_empty() => {
            let message = format!("A shipping option {kind} has at least one table.");
            refusals.push(Refusal::new(ErrorCode::Required, message).at(["tables"]));
        }
        _ => {}
    }
    for (place, price) in prices.iter().enumerate() {
        let at = ["prices".to_owned(), place.to_string()];
        if price.amount_minor < 0 {
            refusals.push(Refusal::new(ErrorCode::Invalid, "A price can't be negative.").at(at));
        } else if prices[..place].iter().any(|other| other.currency == price.currency) {
            refusals.push(Refusal::new(ErrorCode::Duplicate, "This currency has a price already.").at(at));
        }
    }
    let sold = |currency| settings.regions.iter().any(|region| region.row.currency == currency);
    let mut known = |list: &str, currencies: Vec<domain::money::Currency>| {
        for (place, currency) in currencies.into_iter().enumerate().filter(|(_, currency)| !sold(*currency)) {
            let message = format!("No region sells in {currency}: make one with regionSet first.");
            let refusal = Refusal::new(ErrorCode::RegionMissing, message);
            refusals.push(refusal.at([list.to_owned(), place.to_string()]));
        }
    };
    known("prices", prices.iter().map(|price| price.currency).collect());
    known("tables", row.tables.0.iter().map(|table| table.currency).collect());
    known("freeFrom", row.free_from.0.iter().map(|free| free.currency).collect());
    refusals
}

/// Refuses a price that nobody calculates.
fn check_provider(tx: &Tx, row: &shipping_option::Model) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let calculates = tx.shipping_rate_providers().any(|known| known == row.provider);
    if row.provider != MANUAL && !calculates {
        let message = format!("There is no provider {:?}: the operator names those that there are.", row.provider);
        refusals.push(Refusal::new(ErrorCode::NotFound, message).at(["provider"]));
    } else if row.kind == ShippingOptionKind::Calculated && !calculates {
        let message = format!("The provider {:?} calculates no prices.", row.provider);
        refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["kind"]));
    } else if row.kind == ShippingOptionKind::Calculated && row.pickup_location_id.is_some() {
        let message = "What is picked up goes nowhere: no provider calculates what it costs.";
        refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["kind"]));
    }
    refusals
}

fn summary(option: &ShippingOption) -> serde_json::Value {
    let row = &option.row;
    let prices: Vec<String> =
        option.prices.iter().map(|price| Money::new(price.amount_minor, price.currency).to_string()).collect();
    json!({
        "handle": row.handle, "name": row.name, "description": row.description, "profile": row.shipping_profile_id,
        "zone": row.service_zone_id, "kind": row.kind, "provider": row.provider, "prices": prices, "tables": row.tables,
        "includesTax": row.includes_tax, "freeFrom": row.free_from, "rules": row.rules,
        "pickup": row.pickup_location_id, "countries": option.countries,
    })
}

/// Takes a shipping option out of the shop. Carts that chose it must choose again; orders keep its name.
#[derive(Debug, Clone)]
pub struct DeleteShippingOption {
    /// Which one.
    pub id: ShippingOptionId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteShippingOption {
    const NAME: &'static str = "shipping_option.delete";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = ShippingOptionId;

    async fn run(&self, tx: &mut Tx) -> Result<ShippingOptionId> {
        tx.touch_settings().await?;
        let settings = tx.settings().await?;
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such shipping option.").at(["id"]);
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(missing)?;
        check_version(self.expected_version, row.version)?;
        tx.audit(row.id, settings.shipping_option(row.id).map(summary), None);
        row.version += 1;
        row.updated_at = tx.now();
        row.deleted_at = Some(tx.now());
        Ok(repo::save(tx, row, false).await?.id)
    }
}
