//! What staff change about shipping options.

use domain::auth::Permission;
use domain::money::Money;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{CountryCode, Handle, title};
use entity::{price, shipping_option};
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::settings::ShippingOption;
use crate::version::check_version;

/// The most shipping options of a shop.
pub const MAX_SHIPPING_OPTIONS: usize = 250;

/// A shipping option as staff want it; the handle says which one it is.
#[derive(Debug, Clone)]
pub struct SetShippingOption {
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// Its name for shoppers.
    pub name: String,
    /// Where it goes.
    pub countries: Vec<CountryCode>,
    /// What it costs, one price per currency.
    pub prices: Vec<Money>,
    /// Whether the prices include tax.
    pub includes_tax: bool,
}

impl Op for SetShippingOption {
    const NAME: &'static str = "shipping_option.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = ShippingOption;

    async fn run(&self, tx: &mut Tx) -> Result<ShippingOption> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        refusals.extend(self.check_parts());
        let known = match &handle {
            Some(handle) => repo::lock_handle(tx, handle).await?,
            None => None,
        };
        if known.is_none() && settings.shipping_options.len() >= MAX_SHIPPING_OPTIONS {
            let message = format!("A shop has at most {MAX_SHIPPING_OPTIONS} shipping options.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_SHIPPING_OPTIONS as i64));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle)) = (name, handle) else { return Err(Error::internal("a refusal was lost")) };
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let row = shipping_option::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name,
            service_zone_id: known.as_ref().map_or_else(|| tx.id(), |row| row.service_zone_id),
            provider: "manual".to_owned(),
        };
        let row = repo::save(tx, row, known.is_none()).await?;
        let prices: Vec<price::Model> = self.prices.iter().map(|money| self.price(tx, &row, *money)).collect();
        let mut countries = self.countries.clone();
        countries.sort();
        repo::replace_parts(tx, &row, &countries, prices.clone()).await?;
        let after = json!({ "name": row.name, "countries": countries, "prices": self.prices.iter().map(Money::to_string).collect::<Vec<_>>() });
        tx.audit(row.id, known.as_ref().map(|row| json!({ "name": row.name })), Some(after));
        tx.touch_settings().await?;
        Ok(ShippingOption { row, countries, prices })
    }
}

impl SetShippingOption {
    fn check_parts(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if self.countries.is_empty() {
            refusals.push(
                Refusal::new(ErrorCode::Required, "A shipping option goes to at least one country.").at(["countries"]),
            );
        }
        for (place, country) in self.countries.iter().enumerate() {
            if self.countries[..place].contains(country) {
                refusals.push(
                    Refusal::new(ErrorCode::Duplicate, "This country stands here twice.")
                        .at(["countries".to_owned(), place.to_string()]),
                );
            }
        }
        if self.prices.is_empty() {
            refusals
                .push(Refusal::new(ErrorCode::Required, "A shipping option has at least one price.").at(["prices"]));
        }
        for (place, price) in self.prices.iter().enumerate() {
            let at = ["prices".to_owned(), place.to_string()];
            if price.minor < 0 {
                refusals.push(Refusal::new(ErrorCode::Invalid, "A price can't be negative.").at(at));
            } else if self.prices[..place].iter().any(|other| other.currency == price.currency) {
                refusals.push(Refusal::new(ErrorCode::Duplicate, "This currency has a price already.").at(at));
            }
        }
        refusals
    }

    fn price(&self, tx: &Tx, option: &shipping_option::Model, money: Money) -> price::Model {
        price::Model {
            id: tx.id(),
            created_at: tx.now(),
            updated_at: tx.now(),
            variant_id: None,
            shipping_option_id: Some(option.id),
            currency: money.currency,
            amount_minor: money.minor,
            compare_at_minor: None,
            includes_tax: self.includes_tax,
            min_quantity: None,
            max_quantity: None,
            rule_count: 0,
            price_list_id: None,
            rules: None,
        }
    }
}
