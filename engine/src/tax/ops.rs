//! What staff change about taxes.

use domain::auth::Permission;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{CountryCode, title};
use entity::tax_rate;
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::check_version;

/// The default tax rate of a country as staff want it.
#[derive(Debug, Clone)]
pub struct SetTaxRate {
    /// Which country.
    pub country: CountryCode,
    /// The version that staff saw, when it is known.
    pub expected_version: Option<i32>,
    /// A short code for invoices, such as `VAT`.
    pub code: String,
    /// Its name for shoppers.
    pub name: String,
    /// Parts per million.
    pub rate_ppm: i32,
}

impl Op for SetTaxRate {
    const NAME: &'static str = "tax_rate.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = (CountryCode, tax_rate::Model);

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let code = refusals.keep(title(&self.code).map_err(|refusal| refusal.at(["code"])));
        if !(0..=10_000_000).contains(&self.rate_ppm) {
            refusals.push(Refusal::new(ErrorCode::Invalid, "A rate is between 0 and 1000 percent.").at(["percent"]));
        }
        refusals.into_result()?;
        let (Some(name), Some(code)) = (name, code) else { return Err(Error::internal("a refusal was lost")) };
        let region = repo::region_of(tx, &self.country).await?;
        let known = repo::default_rate(tx, region.id).await?;
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let summary = |row: &tax_rate::Model| json!({ "code": row.code, "name": row.name, "ratePpm": row.rate_ppm });
        let row = tax_rate::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            tax_region_id: region.id,
            code,
            name,
            rate_ppm: self.rate_ppm,
            is_default: true,
            combinable: false,
        };
        let row = repo::save(tx, row, known.is_none()).await?;
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        tx.touch_settings().await?;
        Ok((self.country.clone(), row))
    }
}
