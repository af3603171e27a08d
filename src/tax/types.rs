//! How taxes explain themselves, and how staff see tax regions and rates.

use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::tax::{PassedOver, TaxBasis, TaxFallback, TaxPassedOver, TaxPlace, TaxReason, TaxTarget};
use entity::{tax_rate, tax_region};

use super::load::{RatesOf, TargetsOf, TaxRegionOf};
use crate::api::call::call;
use crate::api::page::connection;
use crate::api::payload::top_level;
use crate::api::scalar::{Country, Decimal, id, ppm_to_percent};
use crate::api::word::Enum;
use crate::catalog::load::TypeBy;

/// Why a tax was levied.
#[derive(Debug, Clone, SimpleObject)]
pub struct TaxExplanation {
    /// Why the rate applies.
    pub basis: Enum<TaxBasis>,
    /// Where the rate holds.
    pub place: TaxArea,
    /// Whose tax it is, such as a county; null unless the basis is `PROVIDER` and the provider says so.
    pub jurisdiction: Option<String>,
}

impl From<&TaxReason> for TaxExplanation {
    fn from(reason: &TaxReason) -> Self {
        let (basis, jurisdiction) = (Enum(reason.basis), reason.jurisdiction.clone());
        Self { basis, place: TaxArea::from(&reason.place), jurisdiction }
    }
}

/// A country or a part of it, with taxes of its own.
#[derive(Debug, Clone, SimpleObject)]
pub struct TaxArea {
    /// The country.
    pub country_code: Country,
    /// The province, by its code; null when it doesn't matter.
    pub province_code: Option<String>,
    /// The county; null when it doesn't matter.
    pub county: Option<String>,
    /// The city; null when it doesn't matter.
    pub city: Option<String>,
}

impl From<&TaxPlace> for TaxArea {
    fn from(place: &TaxPlace) -> Self {
        Self {
            country_code: Country(place.country.clone()),
            province_code: place.province.clone(),
            county: place.county.clone(),
            city: place.city.clone(),
        }
    }
}

/// A tax rate that does not apply though the address lies where it holds.
#[derive(Debug, Clone, SimpleObject)]
pub struct PassedOverTax {
    /// Its code; null when the area has no rate for this at all.
    pub code: Option<String>,
    /// Where it holds.
    pub place: TaxArea,
    /// Why it does not apply.
    pub reason: Enum<TaxPassedOver>,
}

impl From<&PassedOver> for PassedOverTax {
    fn from(passed: &PassedOver) -> Self {
        Self { code: passed.code.clone(), place: TaxArea::from(&passed.place), reason: Enum(passed.reason) }
    }
}

connection! {
    /// A page of tax regions.
    AdminTaxRegionConnection, AdminTaxRegionEdge, AdminTaxRegion, tax_region::Model
}

connection! {
    /// A page of tax rates.
    AdminTaxRateConnection, AdminTaxRateEdge, AdminTaxRate, tax_rate::Model
}

/// An area with tax rates of its own.
#[derive(Debug, Clone)]
pub struct AdminTaxRegion(pub tax_region::Model);

impl From<tax_region::Model> for AdminTaxRegion {
    fn from(row: tax_region::Model) -> Self {
        Self(row)
    }
}

/// An area with tax rates of its own.
#[Object]
impl AdminTaxRegion {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The tax region around it; null for a whole country.
    async fn parent(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminTaxRegion>> {
        let Some(parent) = self.0.parent_id else { return Ok(None) };
        let found = call(ctx)?.load(TaxRegionOf(parent)).await?;
        Ok(found.map(|row| AdminTaxRegion((*row).clone())))
    }

    /// The country that it is or lies in.
    async fn country_code(&self) -> Country {
        Country(self.0.country.clone())
    }

    /// The province, by its code; null when it doesn't matter.
    async fn province_code(&self) -> Option<&str> {
        self.0.province.as_deref()
    }

    /// The county; null when it doesn't matter. Who is in it say the postal patterns.
    async fn county(&self) -> Option<&str> {
        self.0.county.as_deref()
    }

    /// The city; null when it doesn't matter.
    async fn city(&self) -> Option<&str> {
        self.0.city.as_deref()
    }

    /// Patterns of postal codes, at most 250, one of which must fit; none when postal codes don't matter.
    async fn postal_patterns(&self) -> async_graphql::Result<Vec<String>> {
        let area = engine::tax::repo::area(self.0.clone()).map_err(top_level)?;
        Ok(area.postal.iter().map(ToString::to_string).collect())
    }

    /// Whether buyers who have a VAT number of this country owe its tax themselves when goods come from another one.
    async fn reverse_charge(&self) -> bool {
        self.0.reverse_charge
    }

    /// The tax provider that names the rates of the country; null when the shop's own rates count.
    async fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// What is charged when the provider gives no answer.
    async fn provider_fallback(&self) -> Enum<TaxFallback> {
        Enum(self.0.provider_fallback)
    }

    /// Its rates, by code: one for each of its codes, at most 1000.
    async fn rates(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminTaxRate>> {
        let rows = call(ctx)?.load(RatesOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(AdminTaxRate::from).collect())
    }
}

/// A tax rate of an area.
#[derive(Debug, Clone)]
pub struct AdminTaxRate(pub tax_rate::Model);

impl From<tax_rate::Model> for AdminTaxRate {
    fn from(row: tax_rate::Model) -> Self {
        Self(row)
    }
}

impl AdminTaxRate {
    async fn targets(
        &self,
        ctx: &Context<'_>,
        read: impl Fn(&TaxTarget) -> Option<ID>,
    ) -> async_graphql::Result<Vec<ID>> {
        let targets = call(ctx)?.load(TargetsOf(self.0.id)).await?;
        Ok(targets.iter().filter_map(read).collect())
    }
}

/// A tax rate of an area.
#[Object]
impl AdminTaxRate {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The area in which it is due.
    async fn tax_region(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminTaxRegion>> {
        let found = call(ctx)?.load(TaxRegionOf(self.0.tax_region_id)).await?;
        Ok(found.map(|row| AdminTaxRegion((*row).clone())))
    }

    /// A short code for invoices.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Its name for shoppers.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The rate in percent, such as `"19"` or `"8.875"`.
    async fn percent(&self) -> Decimal {
        ppm_to_percent(self.0.rate_ppm)
    }

    /// Whether it counts where no other rate of its area does.
    async fn default(&self) -> bool {
        self.0.is_default
    }

    /// Whether the rate of the area around is due as well.
    async fn combinable(&self) -> bool {
        self.0.combinable
    }

    /// The products for which it was made, at most 250.
    async fn product_ids(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ID>> {
        self.targets(ctx, |target| match target {
            TaxTarget::Product(product) => Some(id(*product)),
            _ => None,
        })
        .await
    }

    /// The product types for whose products it was made, at most 250.
    async fn product_types(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<String>> {
        let call = call(ctx)?;
        let targets = call.load(TargetsOf(self.0.id)).await?;
        let kinds = targets.iter().filter_map(|target| match target {
            TaxTarget::ProductType(kind) => Some(call.load(TypeBy(*kind))),
            _ => None,
        });
        let rows = futures_util::future::try_join_all(kinds).await?;
        Ok(rows.into_iter().flatten().map(|row| row.value.clone()).collect())
    }

    /// The shipping options for which it was made, at most 250.
    async fn shipping_option_ids(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ID>> {
        self.targets(ctx, |target| match target {
            TaxTarget::ShippingOption(option) => Some(id(*option)),
            _ => None,
        })
        .await
    }

    /// Since when there is one.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}
