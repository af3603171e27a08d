//! Taxes on the admin surface.

use async_graphql::{Context, Enum as GraphqlEnum, ID, InputObject, MaybeUndefined, Object};
use domain::address::area::NewArea;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::tax::TaxFallback;
use uuid::Uuid;

use super::types::{AdminTaxRate, AdminTaxRateConnection, AdminTaxRegion, AdminTaxRegionConnection};
use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, one_sort};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Country, Decimal, id, parse_id, percent_to_ppm};
use crate::api::word::Enum;
use engine::error::Result;
use engine::tax::ops::{DeleteTaxRate, SetTaxRate, Where};
use engine::tax::region::{DeleteTaxRegion, SetTaxRegion};
use engine::tax::repo::{self, RateFilter, RateSortKey, RegionFilter};

/// What tax regions must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminTaxRegionFilter {
    /// Of this country.
    pub country_code: Option<Country>,
    /// Right within this one.
    pub parent_id: Option<ID>,
}

/// What tax rates must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminTaxRateFilter {
    /// Of this tax region.
    pub tax_region_id: Option<ID>,
    /// Of the tax regions of this country.
    pub country_code: Option<Country>,
    /// Those that count where no other of their region does, or the others.
    pub default: Option<bool>,
    /// Made for this product or shipping option.
    pub target_id: Option<ID>,
}

impl AdminTaxRateFilter {
    fn read(self) -> Result<RateFilter> {
        let region = self.tax_region_id.as_ref().map(|id| parse_id(id, &["filter", "taxRegionId"])).transpose()?;
        let target = self.target_id.as_ref().map(target).transpose()?;
        Ok(RateFilter { region, country: self.country_code.map(|code| code.0), is_default: self.default, target })
    }
}

fn target(id: &ID) -> Result<Uuid, Refusal> {
    let known = domain::id::parse(id).ok().filter(|(prefix, _)| ["prod", "shipopt"].contains(prefix));
    known.map(|(_, uuid)| uuid).ok_or_else(|| {
        let message = "This is no id of a product or a shipping option.";
        Refusal::new(ErrorCode::Invalid, message).at(["filter", "targetId"])
    })
}

/// What a list of tax rates is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, GraphqlEnum)]
pub enum AdminTaxRateSortField {
    /// Their code.
    Code,
    /// Since when there is one.
    CreatedAt,
}

/// How a list of tax rates is sorted.
#[derive(Debug, Clone, InputObject)]
pub struct AdminTaxRateSort {
    /// By what.
    pub field: AdminTaxRateSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

/// Queries about taxes.
#[derive(Debug, Default)]
pub struct TaxAdminQuery;

#[Object]
impl TaxAdminQuery {
    /// Tax regions by country, the older first: a country before what lies in it.
    #[graphql(guard = "settings_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn tax_regions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the tax regions must be.")] filter: Option<AdminTaxRegionFilter>,
    ) -> async_graphql::Result<AdminTaxRegionConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default();
            let parent = filter.parent_id.as_ref().map(|id| parse_id(id, &["filter", "parentId"])).transpose()?;
            let filter = RegionFilter { country: filter.country_code.map(|code| code.0), parent };
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, false, &("taxRegions", &filter))?;
            repo::region_page(&call.conn(), &filter, page, count).await
        };
        outcome.await.map(AdminTaxRegionConnection::from).map_err(top_level)
    }

    /// Tax rates of all tax regions, by code.
    #[graphql(guard = "settings_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn tax_rates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the rates must be.")] filter: Option<AdminTaxRateFilter>,
        #[graphql(desc = "How the list is sorted, by one field; by code when absent.")] sort: Option<
            Vec<AdminTaxRateSort>,
        >,
    ) -> async_graphql::Result<AdminTaxRateConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default().read()?;
            let by_code = AdminTaxRateSort { field: AdminTaxRateSortField::Code, direction: SortDirection::Asc };
            let sort = one_sort(sort, by_code)?;
            let key = match sort.field {
                AdminTaxRateSortField::Code => RateSortKey::Code,
                AdminTaxRateSortField::CreatedAt => RateSortKey::CreatedAt,
            };
            let descending = sort.direction == SortDirection::Desc;
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, descending, &("taxRates", key, descending, &filter))?;
            repo::rate_page(&call.conn(), &filter, key, page, count).await
        };
        outcome.await.map(AdminTaxRateConnection::from).map_err(top_level)
    }
}

/// A tax region as you want it: a country, or a part of the region around it.
#[derive(Debug, InputObject)]
pub struct AdminTaxRegionSetInput {
    /// Which one changes. When absent, the one with this very area, else a new one is made.
    pub id: Option<ID>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// The tax region around it; absent for a whole country. It stays the same.
    pub parent_id: Option<ID>,
    /// The country.
    pub country_code: Country,
    /// The province, by code or name as in addresses; absent when it doesn't matter.
    pub province_code: Option<String>,
    /// The county, which needs postal patterns: addresses name no county.
    pub county: Option<String>,
    /// The city, whatever its capitals and accents; absent when it doesn't matter.
    pub city: Option<String>,
    /// Patterns of postal codes, at most 250: `94105`, `941*` or `94000-94999`. Absent when they don't matter.
    pub postal_patterns: Option<Vec<String>>,
    /// For a whole country: buyers who have a VAT number of it owe its tax themselves when goods come from another
    /// country. Only the shape of the number is checked.
    #[graphql(default)]
    pub reverse_charge: bool,
    /// For a whole country: the tax provider that names its rates, by the name that the operator gave it. Null lets
    /// the shop's own rates count again; when absent it stays.
    pub provider: MaybeUndefined<String>,
    /// What is charged when the provider gives no answer; it stays when absent, and is `BUILT_IN` at first.
    pub provider_fallback: Option<Enum<TaxFallback>>,
}

/// Which tax region goes.
#[derive(Debug, InputObject)]
pub struct AdminTaxRegionDeleteInput {
    /// Which one.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// A tax rate as you want it.
#[derive(Debug, InputObject)]
pub struct AdminTaxRateSetInput {
    /// Which one changes. When absent, the one of the tax region with this code, else a new one is made.
    pub id: Option<ID>,
    /// The tax region whose rate it is. Give this or `countryCode`.
    pub tax_region_id: Option<ID>,
    /// The country as a whole whose rate it is; its tax region is made when there is none.
    pub country_code: Option<Country>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// A short code for invoices, such as `VAT`; one rate of a tax region has it.
    pub code: String,
    /// Its name for shoppers.
    pub name: String,
    /// The rate in percent, such as `"19"`, between 0 and 1000 with up to four decimals.
    pub percent: Decimal,
    /// Whether it counts where no other rate of the tax region does; one is the default at most.
    #[graphql(default = true)]
    pub default: bool,
    /// Whether the rate of the tax region around is due as well.
    #[graphql(default)]
    pub combinable: bool,
    /// Products for which it is made, at most 250; they come before types and the default.
    pub product_ids: Option<Vec<ID>>,
    /// Product types for whose products it is made, at most 250; they come before the default.
    pub product_types: Option<Vec<String>>,
    /// Shipping options for which it is made, at most 250.
    pub shipping_option_ids: Option<Vec<ID>>,
}

/// Which tax rate goes.
#[derive(Debug, InputObject)]
pub struct AdminTaxRateDeleteInput {
    /// Which one.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `taxRegionSet` did.
    AdminTaxRegionSetPayload {
        /// The tax region as it is now.
        tax_region: AdminTaxRegion
    }
}

payload! {
    /// What `taxRegionDelete` did.
    AdminTaxRegionDeletePayload {
        /// The id of the tax region that is gone.
        deleted_id: ID
    }
}

payload! {
    /// What `taxRateSet` did.
    AdminTaxRateSetPayload {
        /// The rate as it is now.
        tax_rate: AdminTaxRate
    }
}

payload! {
    /// What `taxRateDelete` did.
    AdminTaxRateDeletePayload {
        /// The id of the rate that is gone.
        deleted_id: ID
    }
}

impl AdminTaxRegionSetInput {
    fn read(self) -> Result<SetTaxRegion> {
        Ok(SetTaxRegion {
            id: self.id.as_ref().map(|id| parse_id(id, &["id"])).transpose()?,
            expected_version: self.expected_version,
            parent: self.parent_id.as_ref().map(|id| parse_id(id, &["parentId"])).transpose()?,
            area: NewArea {
                country: self.country_code.0,
                province: self.province_code,
                county: self.county,
                city: self.city,
                postal_patterns: self.postal_patterns.unwrap_or_default(),
            },
            reverse_charge: self.reverse_charge,
            provider: change(self.provider),
            provider_fallback: self.provider_fallback.map(|fallback| fallback.0),
        })
    }
}

impl AdminTaxRateSetInput {
    fn read(self) -> Result<SetTaxRate> {
        let mut refusals = Refusals::default();
        let of = match (&self.tax_region_id, self.country_code) {
            (Some(id), None) => refusals.keep(parse_id(id, &["taxRegionId"])).map(Where::Region),
            (None, Some(country)) => Some(Where::Country(country.0)),
            _ => {
                let message = "Give the tax region or the country, and not both.";
                refusals.push(Refusal::new(ErrorCode::Required, message).at(["taxRegionId"]));
                None
            }
        };
        let id = self.id.as_ref().and_then(|id| refusals.keep(parse_id(id, &["id"])));
        let rate_ppm = refusals.keep(percent_to_ppm(&self.percent, &["percent"]));
        let products = ids(self.product_ids, "productIds", &mut refusals);
        let shipping_options = ids(self.shipping_option_ids, "shippingOptionIds", &mut refusals);
        refusals.into_result()?;
        let (Some(of), Some(rate_ppm)) = (of, rate_ppm) else {
            return Err(engine::error::Error::internal("a refusal was lost"));
        };
        Ok(SetTaxRate {
            id,
            of,
            expected_version: self.expected_version,
            code: self.code,
            name: self.name,
            rate_ppm,
            is_default: self.default,
            combinable: self.combinable,
            products,
            product_types: self.product_types.unwrap_or_default(),
            shipping_options,
        })
    }
}

fn ids<T: std::str::FromStr>(list: Option<Vec<ID>>, name: &str, refusals: &mut Refusals) -> Vec<T> {
    let list = list.unwrap_or_default();
    let each = list.iter().enumerate();
    each.filter_map(|(place, id)| refusals.keep(parse_id(id, &[name, &place.to_string()]))).collect()
}

/// Mutations of taxes.
#[derive(Debug, Default)]
pub struct TaxAdminMutation;

#[Object]
impl TaxAdminMutation {
    /// Makes a tax region or changes it.
    #[graphql(guard = "settings_write()")]
    async fn tax_region_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tax region as you want it.")] input: AdminTaxRegionSetInput,
    ) -> async_graphql::Result<AdminTaxRegionSetPayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &input.read()?).await.map(AdminTaxRegion::from) };
        AdminTaxRegionSetPayload::answer(outcome.await)
    }

    /// Takes a tax region away with its rates. Orders keep what they were charged.
    #[graphql(guard = "settings_write()")]
    async fn tax_region_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tax region.")] input: AdminTaxRegionDeleteInput,
    ) -> async_graphql::Result<AdminTaxRegionDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteTaxRegion { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminTaxRegionDeletePayload::answer(outcome.await)
    }

    /// Makes a tax rate or changes it.
    #[graphql(guard = "settings_write()")]
    async fn tax_rate_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The rate as you want it.")] input: AdminTaxRateSetInput,
    ) -> async_graphql::Result<AdminTaxRateSetPayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &input.read()?).await.map(AdminTaxRate::from) };
        AdminTaxRateSetPayload::answer(outcome.await)
    }

    /// Takes a tax rate away. Orders keep what they were charged.
    #[graphql(guard = "settings_write()")]
    async fn tax_rate_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rate.")] input: AdminTaxRateDeleteInput,
    ) -> async_graphql::Result<AdminTaxRateDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteTaxRate { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminTaxRateDeletePayload::answer(outcome.await)
    }
}
