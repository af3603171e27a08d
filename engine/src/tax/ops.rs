//! What staff change about tax rates.

use domain::auth::Permission;
use domain::id::{ProductId, ShippingOptionId, TaxRateId, TaxRegionId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::tax::{MAX_RATE_PPM, TaxMap, TaxRate, TaxTarget};
use domain::text::{CountryCode, title};
use entity::tax_rate;
use serde_json::json;

use super::{no_rate, no_region, region, repo};
use crate::actor::Need;
use crate::error::Result;
use crate::op::{Op, Tx};
use crate::version::check_version;

/// The most products, types and shipping options of one rate, each.
pub const MAX_TARGETS: usize = 250;

/// Whose rate it is.
#[derive(Debug, Clone)]
pub enum Where {
    /// A tax region's.
    Region(TaxRegionId),
    /// A whole country's, whose tax region is made when there is none.
    Country(CountryCode),
}

/// A tax rate as staff want it.
#[derive(Debug, Clone)]
pub struct SetTaxRate {
    /// Which rate; the one of the region with this code when absent, else a new one.
    pub id: Option<TaxRateId>,
    /// Whose it is.
    pub of: Where,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// A short code for invoices, such as `VAT`.
    pub code: String,
    /// Its name for shoppers.
    pub name: String,
    /// Parts per million.
    pub rate_ppm: i32,
    /// Whether it counts where no other of the region does.
    pub is_default: bool,
    /// Whether the rate of the region around is due as well.
    pub combinable: bool,
    /// The products for which it is made.
    pub products: Vec<ProductId>,
    /// The types for whose products it is made, by name.
    pub product_types: Vec<String>,
    /// The shipping options for which it is made.
    pub shipping_options: Vec<ShippingOptionId>,
}

impl Op for SetTaxRate {
    const NAME: &'static str = "tax_rate.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = tax_rate::Model;

    async fn run(&self, tx: &mut Tx) -> Result<tax_rate::Model> {
        // First of all, so that nobody makes another rate meanwhile.
        tx.touch_settings().await?;
        let map = repo::all(&tx.conn).await?.0;
        let region = match &self.of {
            Where::Country(country) => region::of_country(tx, &map, country).await?,
            Where::Region(id) => map.region(*id).ok_or_else(|| no_region().at(["taxRegionId"]))?.id,
        };
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let code = refusals.keep(title(&self.code).map_err(|refusal| refusal.at(["code"])));
        if !(0..=MAX_RATE_PPM).contains(&self.rate_ppm) {
            refusals.push(Refusal::new(ErrorCode::Invalid, "A rate is between 0 and 1000 percent.").at(["percent"]));
        }
        let rates = map.region(region).map(|region| region.rates.as_slice()).unwrap_or_default();
        let by_code = || rates.iter().find(|rate| Some(&rate.rate.code) == code.as_ref()).map(|rate| rate.id);
        let known = match self.id.or_else(by_code) {
            Some(id) => repo::lock_rate(tx, id).await?.filter(|row| row.tax_region_id == region),
            None => None,
        };
        if self.id.is_some() && known.is_none() {
            refusals.push(no_rate().at(["id"]));
        }
        refusals.keep(check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version)));
        let own = known.as_ref().map(|row| row.id);
        let others: Vec<&TaxRate> = rates.iter().filter(|rate| Some(rate.id) != own).collect();
        refusals.extend(self.refused(&map, region, &others));
        let targets = self.checked_targets(tx, &others, &mut refusals).await?;
        refusals.into_result()?;
        let (Some(name), Some(code)) = (name, code) else { return Err(region::lost()) };
        let row = tax_rate::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            tax_region_id: region,
            code,
            name,
            rate_ppm: self.rate_ppm,
            is_default: self.is_default,
            combinable: self.combinable,
        };
        let row = repo::save_rate(tx, row, known.is_none(), &targets).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        Ok(row)
    }
}

impl SetTaxRate {
    /// What other rates stand against it.
    fn refused(&self, map: &TaxMap, region: TaxRegionId, others: &[&TaxRate]) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let code = self.code.trim();
        let same = |rate: &&&TaxRate| rate.rate.code == code;
        if let Some(other) = others.iter().find(same) {
            let message = "Another rate of this tax region has this code.";
            refusals.push(Refusal::new(ErrorCode::Taken, message).about(other.id).at(["code"]));
        } else if let Some(other) = self.beside(map, region, code) {
            let message = "A rate that is due together with this one has this code.";
            refusals.push(Refusal::new(ErrorCode::Taken, message).about(other).at(["code"]));
        }
        if self.is_default
            && let Some(other) = others.iter().find(|rate| rate.is_default)
        {
            let message = format!("{:?} is the default of this tax region already.", other.rate.code);
            refusals.push(Refusal::new(ErrorCode::Taken, message).about(other.id).at(["default"]));
        }
        if !self.is_default && [self.products.len(), self.product_types.len(), self.shipping_options.len()] == [0; 3] {
            let message = "A rate is the default, or it is for products, types or shipping options.";
            refusals.push(Refusal::new(ErrorCode::Required, message).at(["default"]));
        }
        if self.combinable && map.around(region).len() < 2 {
            let message = "No tax region lies around a country: its rate can't be combined with another.";
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["combinable"]));
        }
        refusals
    }

    /// A rate of a region around or within, with the same code, that may be due together with this one.
    fn beside(&self, map: &TaxMap, region: TaxRegionId, code: &str) -> Option<TaxRateId> {
        let coded = |rates: &[TaxRate], combined: bool| {
            let mut same = rates.iter().filter(|rate| rate.rate.code == code && (rate.combinable || !combined));
            same.next().map(|rate| rate.id)
        };
        let around = map.around(region);
        let outer = around.iter().skip(1).find_map(|outer| coded(&outer.rates, false)).filter(|_| self.combinable);
        outer.or_else(|| {
            let within = |inner: TaxRegionId| map.around(inner).iter().skip(1).any(|outer| outer.id == region);
            map.regions().iter().filter(|inner| within(inner.id)).find_map(|inner| coded(&inner.rates, true))
        })
    }

    /// What it is an override for; refuses what is not there, stands twice or has another rate here.
    async fn checked_targets(&self, tx: &Tx, others: &[&TaxRate], refusals: &mut Refusals) -> Result<Vec<TaxTarget>> {
        for (length, name) in [
            (self.products.len(), "productIds"),
            (self.product_types.len(), "productTypes"),
            (self.shipping_options.len(), "shippingOptionIds"),
        ] {
            if length > MAX_TARGETS {
                let message = format!("A rate is for at most {MAX_TARGETS} of them.");
                refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_TARGETS as i64).at([name]));
                return Ok(Vec::new());
            }
        }
        let products = repo::products(&tx.conn, &self.products).await?;
        let types = repo::types_named(&tx.conn, &self.product_types).await?;
        let options = repo::shipping_options(&tx.conn, &self.shipping_options).await?;
        let products = self.products.iter().map(|id| products.contains(id).then_some(TaxTarget::Product(*id)));
        let types = self.product_types.iter().map(|name| types.get(&name.trim().to_lowercase()).copied());
        let types = types.map(|id| id.map(TaxTarget::ProductType));
        let options =
            self.shipping_options.iter().map(|id| options.contains(id).then_some(TaxTarget::ShippingOption(*id)));
        let wanted = products
            .enumerate()
            .map(|(place, target)| ("productIds", place, target))
            .chain(types.enumerate().map(|(place, target)| ("productTypes", place, target)))
            .chain(options.enumerate().map(|(place, target)| ("shippingOptionIds", place, target)));
        let mut targets: Vec<TaxTarget> = Vec::new();
        for (name, place, target) in wanted {
            let at = [name.to_owned(), place.to_string()];
            let Some(target) = target else {
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such thing in the shop.").at(at));
                continue;
            };
            if let Some(other) = others.iter().find(|rate| rate.targets.contains(&target)) {
                let message = format!("{:?} of the same tax region is for it.", other.rate.code);
                refusals.push(Refusal::new(ErrorCode::Taken, message).about(other.id).at(at));
            } else if targets.contains(&target) {
                refusals.push(Refusal::new(ErrorCode::Duplicate, "This stands here twice.").at(at));
            } else {
                targets.push(target);
            }
        }
        Ok(targets)
    }
}

/// Takes a rate away; orders keep what they were charged.
#[derive(Debug, Clone, Copy)]
pub struct DeleteTaxRate {
    /// Which one.
    pub id: TaxRateId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
}

impl Op for DeleteTaxRate {
    const NAME: &'static str = "tax_rate.delete";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = TaxRateId;

    async fn run(&self, tx: &mut Tx) -> Result<TaxRateId> {
        tx.touch_settings().await?;
        let row = repo::lock_rate(tx, self.id).await?.ok_or_else(|| no_rate().at(["id"]))?;
        check_version(self.expected_version, row.version)?;
        repo::delete_rate(tx, self.id).await?;
        tx.audit(row.id, Some(summary(&row)), None);
        Ok(row.id)
    }
}

fn summary(row: &tax_rate::Model) -> serde_json::Value {
    json!({
        "taxRegion": row.tax_region_id, "code": row.code, "name": row.name, "ratePpm": row.rate_ppm,
        "default": row.is_default, "combinable": row.combinable,
    })
}
