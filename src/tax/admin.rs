//! Taxes on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::text::CountryCode;
use entity::tax_rate;

use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::payload::payload;
use crate::api::scalar::{Country, Decimal, id, percent_to_ppm, ppm_to_percent};
use engine::tax::ops::SetTaxRate;

/// The tax rate of a country.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminTaxRate {
    /// Its id.
    pub id: ID,
    /// Rises with every change; send it as `expectedVersion`.
    pub version: i32,
    /// The country in which it is due.
    pub country_code: Country,
    /// A short code for invoices.
    pub code: String,
    /// Its name for shoppers.
    pub name: String,
    /// The rate in percent, such as `"19"` or `"8.875"`.
    pub percent: Decimal,
}

impl From<(CountryCode, tax_rate::Model)> for AdminTaxRate {
    fn from((country, row): (CountryCode, tax_rate::Model)) -> Self {
        Self {
            id: id(row.id),
            version: row.version,
            country_code: Country(country),
            code: row.code,
            name: row.name,
            percent: ppm_to_percent(row.rate_ppm),
        }
    }
}

/// Queries about taxes.
#[derive(Debug, Default)]
pub struct TaxAdminQuery;

#[Object]
impl TaxAdminQuery {
    /// Every tax rate, by country. At most one per country.
    #[graphql(guard = "settings_read()")]
    async fn tax_rates(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminTaxRate>> {
        let rates = &call(ctx)?.settings.tax_rates;
        let mut countries: Vec<_> = rates.iter().collect();
        countries.sort_by_key(|(country, _)| *country);
        let each = |(country, rows): (&CountryCode, &Vec<tax_rate::Model>)| {
            rows.iter().map(|row| (country.clone(), row.clone()).into()).collect::<Vec<AdminTaxRate>>()
        };
        Ok(countries.into_iter().flat_map(each).collect())
    }
}

/// The default tax rate of a country as you want it.
#[derive(Debug, InputObject)]
pub struct AdminTaxRateSetInput {
    /// Which country.
    pub country_code: Country,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// A short code for invoices, such as `VAT`.
    pub code: String,
    /// Its name for shoppers.
    pub name: String,
    /// The rate in percent, such as `"19"`, between 0 and 1000 with up to four decimals.
    pub percent: Decimal,
}

payload! {
    /// What `taxRateSet` did.
    AdminTaxRateSetPayload {
        /// The rate as it is now.
        tax_rate: AdminTaxRate
    }
}

/// Mutations of taxes.
#[derive(Debug, Default)]
pub struct TaxAdminMutation;

#[Object]
impl TaxAdminMutation {
    /// Sets the default tax rate of a country.
    #[graphql(guard = "settings_write()")]
    async fn tax_rate_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rate as you want it.")] input: AdminTaxRateSetInput,
    ) -> async_graphql::Result<AdminTaxRateSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = SetTaxRate {
                country: input.country_code.0,
                expected_version: input.expected_version,
                code: input.code,
                name: input.name,
                rate_ppm: percent_to_ppm(&input.percent, &["percent"])?,
            };
            call.app.run(&call.caller, &op).await.map(AdminTaxRate::from)
        };
        AdminTaxRateSetPayload::answer(outcome.await)
    }
}
