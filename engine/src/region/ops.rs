//! What staff change about regions.

use std::collections::BTreeMap;

use domain::auth::Permission;
use domain::id::RegionId;
use domain::money::Currency;
use domain::payment::CaptureMode;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{CountryCode, Handle, title};
use domain::totals::TaxRounding;
use entity::region;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::settings::Region;
use crate::version::check_version;

/// The most regions of a shop.
pub const MAX_REGIONS: usize = 250;

/// A region as staff want it; the handle says which one it is.
#[derive(Debug, Clone)]
pub struct SetRegion {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name.
    pub name: String,
    /// Its currency; a known region keeps the one that it has.
    pub currency: Currency,
    /// The countries that it sells to.
    pub countries: Vec<CountryCode>,
    /// Whether prices entered for it include tax.
    pub prices_include_tax: bool,
    /// Where tax is rounded.
    pub tax_rounding: TaxRounding,
    /// The payment providers that it offers.
    pub providers: Vec<String>,
    /// When their money is taken; of those that are not named as [`CaptureMode::usual`] says.
    pub captures: Vec<(String, CaptureMode)>,
    /// Every provider that this shop has.
    pub known_providers: Vec<String>,
}

impl Op for SetRegion {
    const NAME: &'static str = "region.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = Region;

    async fn run(&self, tx: &mut Tx) -> Result<Region> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let known = match &handle {
            Some(handle) => repo::lock_handle(tx, handle).await?,
            None => None,
        };
        refusals.extend(self.check_members(&settings.regions, known.as_ref()));
        if known.is_none() && settings.regions.len() >= MAX_REGIONS {
            let message = format!("A shop has at most {MAX_REGIONS} regions.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_REGIONS as i64));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let before = known.as_ref().map(|row| json!({ "name": row.name, "pricesIncludeTax": row.prices_include_tax }));
        let row = region::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name,
            currency: self.currency,
            prices_include_tax: self.prices_include_tax,
            tax_rounding: self.tax_rounding,
            automatic_taxes: true,
            // Listings follow it when its countries have another tax.
            listed_rate_ppm: known.as_ref().and_then(|row| row.listed_rate_ppm),
        };
        let row = repo::save(tx, row, known.is_none()).await?;
        let mut countries = self.countries.clone();
        countries.sort();
        let captures = self.captures();
        repo::replace_members(tx, row.id, &countries, &captures).await?;
        tx.touch_settings().await?;
        if known.is_none() {
            crate::pricing::listing::list_region(tx, row.id).await?;
        }
        tx.audit(row.id, before, Some(json!({ "name": row.name, "pricesIncludeTax": row.prices_include_tax })));
        Ok(Region { row, countries, providers: captures.keys().cloned().collect(), captures })
    }
}

/// Takes a region away: its countries are free for others, and its orders stay as they are.
#[derive(Debug, Clone, Copy)]
pub struct DeleteRegion {
    /// Which one.
    pub id: RegionId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
}

impl Op for DeleteRegion {
    const NAME: &'static str = "region.delete";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = RegionId;

    async fn run(&self, tx: &mut Tx) -> Result<RegionId> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such region.").at(["id"]);
        // Before the region itself: whoever writes listing prices holds the settings, and then needs the region.
        tx.touch_settings().await?;
        // Whoever makes a cart in it waits for this, or this for him.
        let row = repo::lock(tx, self.id).await?.ok_or_else(missing)?;
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        refusals.keep(check_version(self.expected_version, row.version));
        let in_use = |message: String| Refusal::new(ErrorCode::InUse, message).at(["id"]);
        for channel in settings.channels.iter().filter(|channel| channel.default_region_id == Some(row.id)) {
            let message = format!("It is the default region of the channel {:?}.", channel.handle.as_str());
            refusals.push(in_use(message).about(channel.id));
        }
        if settings.regions.len() < 2 {
            refusals.push(in_use("It is the shop's last region: without one nothing is sold.".to_owned()));
        }
        let carts = crate::cart::repo::count_in_region(tx, row.id).await?;
        if carts > 0 {
            refusals.push(in_use(format!("{carts} carts in it may still become orders.")));
        }
        refusals.into_result()?;
        let countries = settings.region(row.id).map(|region| region.countries.clone()).unwrap_or_default();
        let before =
            json!({ "handle": row.handle, "name": row.name, "currency": row.currency, "countries": countries });
        repo::release_members(tx, row.id).await?;
        let (version, deleted_at) = (row.version + 1, Some(tx.now()));
        let row = repo::save(tx, region::Model { version, deleted_at, updated_at: tx.now(), ..row }, false).await?;
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}

impl SetRegion {
    /// When the money of each provider is taken.
    fn captures(&self) -> BTreeMap<String, CaptureMode> {
        let named = |provider: &str| self.captures.iter().find(|(name, _)| name == provider).map(|(_, mode)| *mode);
        let mode = |provider: &String| named(provider).unwrap_or_else(|| CaptureMode::usual(provider));
        self.providers.iter().map(|provider| (provider.clone(), mode(provider))).collect()
    }

    fn check_members(&self, regions: &[Region], known: Option<&region::Model>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if self.countries.is_empty() {
            refusals
                .push(Refusal::new(ErrorCode::Required, "A region sells to at least one country.").at(["countries"]));
        }
        for (place, country) in self.countries.iter().enumerate() {
            let at = ["countries".to_owned(), place.to_string()];
            let other = regions.iter().find(|other| other.countries.contains(country));
            if self.countries[..place].contains(country) {
                refusals.push(Refusal::new(ErrorCode::Duplicate, "This country stands here twice.").at(at));
            } else if let Some(other) = other.filter(|other| known.is_none_or(|row| row.id != other.row.id)) {
                let message = format!("{country} is in the region {:?}.", other.row.handle.as_str());
                refusals.push(Refusal::new(ErrorCode::Taken, message).about(other.row.id).at(at));
            }
        }
        for (place, provider) in self.providers.iter().enumerate() {
            if !self.known_providers.contains(provider) || self.providers[..place].contains(provider) {
                let message = format!("There is no payment provider {provider:?}, or it stands here twice.");
                refusals.push(
                    Refusal::new(ErrorCode::PaymentProviderUnavailable, message)
                        .at(["paymentProviders".to_owned(), place.to_string()]),
                );
            }
        }
        for (place, (provider, _)) in self.captures.iter().enumerate() {
            let before = &self.captures[..place];
            if !self.providers.contains(provider) || before.iter().any(|(name, _)| name == provider) {
                let message = format!("The region does not offer {provider:?}, or it stands here twice.");
                let at = ["paymentCaptures".to_owned(), place.to_string(), "provider".to_owned()];
                refusals.push(Refusal::new(ErrorCode::Invalid, message).at(at));
            }
        }
        if known.is_some_and(|row| row.currency != self.currency) {
            let message = "A region keeps its currency: carts and prices stand on it. Make another region.";
            refusals.push(Refusal::new(ErrorCode::InUse, message).at(["currencyCode"]));
        }
        refusals
    }
}
