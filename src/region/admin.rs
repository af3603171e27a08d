//! Regions on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::id::RegionId;
use domain::payment::CaptureMode;
use domain::totals::TaxRounding;

use super::types::AdminRegion;
use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::page::{SortDirection, one_sort};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Country, CurrencyCode, id, parse_id};
use crate::api::word::Enum;
use engine::region::ops::{DeleteRegion, SetRegion};
use engine::settings::Region;

/// What regions must be to be in the list; all that you name must hold.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminRegionFilter {
    /// It sells in this currency.
    pub currency_code: Option<CurrencyCode>,
    /// It sells to this country.
    pub country_code: Option<Country>,
    /// It offers this payment provider.
    pub payment_provider: Option<String>,
    /// Its name or its handle contains this, whatever its capitals.
    pub query: Option<String>,
}

/// By what regions are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
pub enum AdminRegionSortField {
    /// When they were made.
    CreatedAt,
    /// Their name.
    Name,
    /// Their currency, by its code.
    CurrencyCode,
}

/// How regions are sorted.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct AdminRegionSort {
    /// By what.
    pub field: AdminRegionSortField,
    /// Which way; upwards when absent.
    pub direction: Option<SortDirection>,
}

/// Queries about regions.
#[derive(Debug, Default)]
pub struct RegionAdminQuery;

#[Object]
impl RegionAdminQuery {
    /// The regions, the oldest first unless you sort them. A shop has at most 250.
    #[graphql(guard = "settings_read()")]
    async fn regions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What they must be.")] filter: Option<AdminRegionFilter>,
        #[graphql(desc = "At most one.")] sort: Option<Vec<AdminRegionSort>>,
    ) -> async_graphql::Result<Vec<AdminRegion>> {
        let oldest = AdminRegionSort { field: AdminRegionSortField::CreatedAt, direction: None };
        let sort = one_sort(sort, oldest).map_err(|refusal| top_level(refusal.into()))?;
        let filter = filter.unwrap_or_default();
        let words = filter.query.map(|text| text.trim().to_lowercase());
        let fits = |region: &&Region| {
            let (row, named) = (&region.row, |words: &String| {
                region.row.name.to_lowercase().contains(words) || region.row.handle.as_str().contains(words)
            });
            filter.currency_code.as_ref().is_none_or(|code| code.0 == row.currency)
                && filter.country_code.as_ref().is_none_or(|country| region.countries.contains(&country.0))
                && filter.payment_provider.as_ref().is_none_or(|provider| region.providers.contains(provider))
                && words.as_ref().is_none_or(named)
        };
        let mut regions: Vec<&Region> = call(ctx)?.settings.regions.iter().filter(fits).collect();
        match sort.field {
            AdminRegionSortField::CreatedAt => {}
            AdminRegionSortField::Name => regions.sort_by_cached_key(|region| region.row.name.to_lowercase()),
            AdminRegionSortField::CurrencyCode => regions.sort_by_key(|region| region.row.currency.code()),
        }
        if sort.direction == Some(SortDirection::Desc) {
            regions.reverse();
        }
        Ok(regions.into_iter().cloned().map(AdminRegion).collect())
    }

    /// A region; null when there is none.
    #[graphql(guard = "settings_read()")]
    async fn region(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminRegion>> {
        let id: RegionId = parse_id(&id, &["id"]).map_err(|refusal| top_level(refusal.into()))?;
        Ok(call(ctx)?.settings.region(id).cloned().map(AdminRegion))
    }
}

/// Which region is deleted.
#[derive(Debug, InputObject)]
pub struct AdminRegionDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `regionDelete` did.
    AdminRegionDeletePayload {
        /// The id of the region that was deleted.
        deleted_id: ID
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
    /// When the money of which of these providers is taken. Of one that is not named here it is taken automatically,
    /// except of `manual`.
    pub payment_captures: Option<Vec<AdminPaymentCaptureSettingInput>>,
}

/// When a provider's money is taken.
#[derive(Debug, InputObject)]
pub struct AdminPaymentCaptureSettingInput {
    /// The name of a provider that the region offers.
    pub provider: String,
    /// When its money is taken; carts that are being completed keep what was said when that began.
    pub mode: Enum<CaptureMode>,
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
            captures: input.payment_captures.into_iter().flatten().map(|set| (set.provider, set.mode.0)).collect(),
            known_providers: call.app.payments.names(),
        };
        AdminRegionSetPayload::answer(call.app.run(&call.caller, &op).await.map(AdminRegion))
    }

    /// Deletes a region: its countries are free for others, orders that were placed in it stay as they are. Refused
    /// with `IN_USE` while a channel has it as default, while carts in it may still become orders, and when it is the
    /// last one.
    #[graphql(guard = "settings_write()")]
    async fn region_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which region.")] input: AdminRegionDeleteInput,
    ) -> async_graphql::Result<AdminRegionDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteRegion { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminRegionDeletePayload::answer(outcome.await)
    }
}
