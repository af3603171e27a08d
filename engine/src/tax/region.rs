//! What staff change about tax regions.

use domain::address::area::{Area, NewArea};
use domain::auth::Permission;
use domain::id::TaxRegionId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::tax::{MAX_LEVELS, TaxFallback, TaxMap};
use domain::text::CountryCode;
use entity::tax_region;
use serde_json::json;

use super::{MAX_REGIONS, no_region, repo};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

/// A tax region as staff want it.
#[derive(Debug, Clone)]
pub struct SetTaxRegion {
    /// Which one; the one with this very area when absent, else a new one.
    pub id: Option<TaxRegionId>,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// The region around; none for a country.
    pub parent: Option<TaxRegionId>,
    /// The places in it.
    pub area: NewArea,
    /// Whether buyers elsewhere with a VAT number of the country owe its tax themselves.
    pub reverse_charge: bool,
    /// Who is asked for the rates of the country; a new one has nobody.
    pub provider: Change<String>,
    /// What counts when he gives no answer; the shop's own rates at a new one.
    pub provider_fallback: Option<TaxFallback>,
}

impl Op for SetTaxRegion {
    const NAME: &'static str = "tax_region.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = tax_region::Model;

    async fn run(&self, tx: &mut Tx) -> Result<tax_region::Model> {
        // First of all, so that nobody makes another region meanwhile.
        tx.touch_settings().await?;
        let area = self.area.clone().check(&[])?;
        let map = repo::all(&tx.conn).await?.0;
        let same = || map.within(self.parent).find(|region| region.area == area).map(|region| region.id);
        let known = match self.id.or_else(same) {
            Some(id) => Some(repo::lock_region(tx, id).await?.ok_or_else(|| no_region().at(["id"]))?),
            None => None,
        };
        let mut refusals = Refusals::default();
        refusals.extend(self.refused(&map, &area, known.as_ref().map(|row| row.id)));
        if known.as_ref().is_some_and(|row| row.parent_id != self.parent) {
            let message = "A tax region stays within the same one: make another.";
            refusals.push(Refusal::new(ErrorCode::InUse, message).at(["parentId"]));
        }
        if known.is_none() && map.regions().len() >= MAX_REGIONS {
            let message = format!("A shop has at most {MAX_REGIONS} tax regions.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_REGIONS as i64));
        }
        let mut provider = known.as_ref().and_then(|row| row.provider.clone());
        self.provider.clone().apply(&mut provider);
        refusals.extend(self.unknown_provider(tx));
        refusals.keep(check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version)));
        refusals.into_result()?;
        let fallback = known.as_ref().map_or(TaxFallback::BuiltIn, |row| row.provider_fallback);
        let row = tax_region::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            parent_id: self.parent,
            country: area.country,
            province: area.province,
            county: area.county,
            city: area.city,
            postal: json!(area.postal),
            reverse_charge: self.reverse_charge,
            provider,
            provider_fallback: self.provider_fallback.unwrap_or(fallback),
        };
        let row = repo::save_region(tx, row, known.is_none()).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        Ok(row)
    }
}

impl SetTaxRegion {
    fn refused(&self, map: &TaxMap, area: &Area, known: Option<TaxRegionId>) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        match self.parent {
            None if area.depth() > 0 => {
                let message = "Only a whole country lies within no other tax region.";
                refusals.push(Refusal::new(ErrorCode::Required, message).at(["parentId"]));
            }
            None => {}
            Some(parent) => refusals.extend(self.misplaced(map, area, parent)),
        }
        let others = map.within(self.parent).filter(|region| Some(region.id) != known);
        if let Some(other) = others.into_iter().find(|other| other.area.overlaps(area)) {
            let message = "Another tax region has places of this one and is as deep: nothing would say which counts.";
            refusals.push(Refusal::new(ErrorCode::Taken, message).about(other.id));
        }
        let outside = |id| map.within(Some(id)).find(|region| !region.area.meets(area));
        if let Some(inner) = known.and_then(outside) {
            let message = "A tax region that lies within this one would lie outside.";
            refusals.push(Refusal::new(ErrorCode::InUse, message).about(inner.id));
        }
        refusals
    }

    /// What is wrong with lying within another region.
    fn misplaced(&self, map: &TaxMap, area: &Area, parent: TaxRegionId) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        let around = map.around(parent);
        let Some(parent) = around.first() else { return vec![no_region().at(["parentId"])] };
        if !parent.area.meets(area) || parent.area == *area {
            let message = "It must be a part of the tax region around it.";
            refusals.push(Refusal::new(ErrorCode::Invalid, message).about(parent.id).at(["parentId"]));
        }
        if around.len() >= MAX_LEVELS {
            let message = format!("Tax regions lie at most {MAX_LEVELS} deep within one another.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_LEVELS as i64).at(["parentId"]));
        }
        if self.reverse_charge {
            let message = "Only a whole country says who owes its tax.";
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["reverseCharge"]));
        }
        if matches!(self.provider, Change::To(_)) {
            let message = "Only a whole country has a tax provider.";
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["provider"]));
        }
        refusals
    }

    /// Whether it is to ask somebody whom the operator has not named.
    fn unknown_provider(&self, tx: &Tx) -> Option<Refusal> {
        let Change::To(provider) = &self.provider else { return None };
        let message = || match tx.tax_providers().next() {
            Some(first) => format!("There is no tax provider {provider:?}; one of them is {first:?}."),
            None => "The operator has named no tax provider.".to_owned(),
        };
        let known = tx.tax_providers().any(|known| known == provider);
        (!known).then(|| Refusal::new(ErrorCode::NotFound, message()).at(["provider"]))
    }
}

/// The tax region of a whole country, made when there is none; after the settings were touched.
pub(super) async fn of_country(tx: &mut Tx, map: &TaxMap, country: &CountryCode) -> Result<TaxRegionId> {
    if let Some(known) = map.within(None).find(|region| region.area.country == *country) {
        return Ok(known.id);
    }
    let row = tax_region::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        parent_id: None,
        country: country.clone(),
        province: None,
        county: None,
        city: None,
        postal: json!([]),
        reverse_charge: false,
        provider: None,
        provider_fallback: TaxFallback::BuiltIn,
    };
    Ok(repo::save_region(tx, row, true).await?.id)
}

/// Takes a tax region away with its rates; orders keep what they were charged.
#[derive(Debug, Clone, Copy)]
pub struct DeleteTaxRegion {
    /// Which one.
    pub id: TaxRegionId,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
}

impl Op for DeleteTaxRegion {
    const NAME: &'static str = "tax_region.delete";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = TaxRegionId;

    async fn run(&self, tx: &mut Tx) -> Result<TaxRegionId> {
        tx.touch_settings().await?;
        let row = repo::lock_region(tx, self.id).await?.ok_or_else(|| no_region().at(["id"]))?;
        check_version(self.expected_version, row.version)?;
        let map = repo::all(&tx.conn).await?.0;
        if let Some(inner) = map.within(Some(self.id)).next() {
            let message = "Other tax regions lie within this one: take them away first.";
            return Err(Refusal::new(ErrorCode::InUse, message).about(inner.id).at(["id"]).into());
        }
        repo::delete_region(tx, self.id).await?;
        tx.audit(row.id, Some(summary(&row)), None);
        Ok(row.id)
    }
}

fn summary(row: &tax_region::Model) -> serde_json::Value {
    json!({
        "parent": row.parent_id, "country": row.country, "province": row.province, "county": row.county,
        "city": row.city, "postal": row.postal, "reverseCharge": row.reverse_charge,
        "provider": row.provider, "providerFallback": row.provider_fallback,
    })
}

/// As [`Error::internal`] for a refusal that the caller has answered before.
pub(super) fn lost() -> Error {
    Error::internal("a refusal was lost")
}
