//! Regions on the admin surface.

use async_graphql::{Context, InputObject, Object};
use domain::totals::TaxRounding;

use super::types::AdminRegion;
use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::payload::payload;
use crate::api::scalar::{Country, CurrencyCode};
use crate::api::word::Enum;
use engine::region::ops::SetRegion;

/// Queries about regions.
#[derive(Debug, Default)]
pub struct RegionAdminQuery;

#[Object]
impl RegionAdminQuery {
    /// Every region, oldest first. A shop has at most 250.
    #[graphql(guard = "settings_read()")]
    async fn regions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminRegion>> {
        Ok(call(ctx)?.settings.regions.iter().cloned().map(AdminRegion).collect())
    }
}

/// A region as you want it.
#[derive(Debug, InputObject)]
pub struct AdminRegionSetInput {
    /// Which region: a known handle changes that one, a new handle makes one. Made from the name when absent.
    pub handle: Option<String>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// Its currency; a known region keeps the one that it has.
    pub currency_code: CurrencyCode,
    /// The countries that it sells to; a country is in one region at most.
    pub countries: Vec<Country>,
    /// Whether prices entered for its currency include tax.
    #[graphql(default = false)]
    pub prices_include_tax: bool,
    /// Where tax is rounded; on each line when absent.
    pub tax_rounding: Option<Enum<TaxRounding>>,
    /// The names of the payment providers that it offers; `manual` when absent.
    pub payment_providers: Option<Vec<String>>,
}

payload! {
    /// What `regionSet` did.
    AdminRegionSetPayload {
        /// The region as it is now.
        region: AdminRegion
    }
}

/// Mutations of regions.
#[derive(Debug, Default)]
pub struct RegionAdminMutation;

#[Object]
impl RegionAdminMutation {
    /// Makes or changes a region.
    #[graphql(guard = "settings_write()")]
    async fn region_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The region as you want it.")] input: AdminRegionSetInput,
    ) -> async_graphql::Result<AdminRegionSetPayload> {
        let call = call(ctx)?;
        let op = SetRegion {
            handle: input.handle,
            expected_version: input.expected_version,
            name: input.name,
            currency: input.currency_code.0,
            countries: input.countries.into_iter().map(|country| country.0).collect(),
            prices_include_tax: input.prices_include_tax,
            tax_rounding: input.tax_rounding.map_or(TaxRounding::Line, |rounding| rounding.0),
            providers: input.payment_providers.unwrap_or_else(|| vec!["manual".to_owned()]),
            known_providers: call.app.payments.names(),
        };
        AdminRegionSetPayload::answer(call.app.run(&call.caller, &op).await.map(AdminRegion))
    }
}
