//! Shipping options on the admin surface.

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object};
use domain::id::{ServiceZoneId, ShippingProfileId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::rule::Rules;
use domain::shipping::ShippingOptionKind;
use domain::shipping::table::{Band, FreeFrom, MAX_BANDS, MAX_TABLES, Table, Tables, Threshold};

use super::types::{AdminShippingOption, AdminShippingRuleInput, AdminShippingTableInput};
use crate::api::call::{Call, call};
use crate::api::guard::{settings_read, settings_write};
use crate::api::input::change;
use crate::api::page::{SortDirection, one_sort};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Country, CurrencyCode, MoneyInput, id, parse_id};
use crate::api::word;
use engine::error::Result;
use engine::settings::ShippingOption;
use engine::shipping::ops::{DeleteShippingOption, SetShippingOption};

/// What shipping options must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminShippingOptionFilter {
    /// For products of this profile.
    pub shipping_profile_id: Option<ID>,
    /// Going to this zone.
    pub service_zone_id: Option<ID>,
    /// Going to this country, or to a part of it.
    pub country_code: Option<Country>,
    /// With a price in this currency.
    pub currency_code: Option<CurrencyCode>,
    /// With a price that is found so.
    pub kind: Option<word::Enum<ShippingOptionKind>>,
    /// Picked up, or not.
    pub pickup: Option<bool>,
}

/// What shipping options are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AdminShippingOptionSortField {
    /// When they were made.
    CreatedAt,
    /// Their name.
    Name,
}

/// How shipping options are sorted.
#[derive(Debug, Clone, InputObject)]
pub struct AdminShippingOptionSort {
    /// By what.
    pub field: AdminShippingOptionSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

impl AdminShippingOptionFilter {
    /// Those of the shop's options that are so, oldest first.
    fn of(self, call: &Call) -> Result<Vec<ShippingOption>> {
        let mut refusals = Refusals::default();
        let profile = self.shipping_profile_id.as_ref().map(|id| parse_id(id, &["filter", "shippingProfileId"]));
        let profile: Option<ShippingProfileId> = refusals.keep(profile.transpose()).flatten();
        let zone = self.service_zone_id.as_ref().map(|id| parse_id(id, &["filter", "serviceZoneId"]));
        let zone: Option<ServiceZoneId> = refusals.keep(zone.transpose()).flatten();
        refusals.into_result()?;
        let default = call.settings.default_profile()?;
        let fits = |option: &&ShippingOption| {
            let row = &option.row;
            profile.is_none_or(|profile| row.shipping_profile_id.unwrap_or(default) == profile)
                && zone.is_none_or(|zone| row.service_zone_id == zone)
                && self.country_code.as_ref().is_none_or(|country| option.countries.contains(&country.0))
                && self.currency_code.as_ref().is_none_or(|currency| option.is_priced_in(currency.0))
                && self.kind.is_none_or(|kind| row.kind == kind.0)
                && self.pickup.is_none_or(|pickup| row.pickup_location_id.is_some() == pickup)
        };
        Ok(call.settings.shipping_options.iter().filter(fits).cloned().collect())
    }
}

/// Queries about shipping.
#[derive(Debug, Default)]
pub struct ShippingAdminQuery;

#[Object]
impl ShippingAdminQuery {
    /// Every shipping option, oldest first. A shop has at most 250.
    #[graphql(guard = "settings_read()")]
    async fn shipping_options(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the options must be.")] filter: Option<AdminShippingOptionFilter>,
        #[graphql(desc = "At most one.")] sort: Option<Vec<AdminShippingOptionSort>>,
    ) -> async_graphql::Result<Vec<AdminShippingOption>> {
        let call = call(ctx)?;
        let oldest =
            AdminShippingOptionSort { field: AdminShippingOptionSortField::CreatedAt, direction: SortDirection::Asc };
        let sort = one_sort(sort, oldest).map_err(|refusal| top_level(refusal.into()))?;
        let mut options = filter.unwrap_or_default().of(call).map_err(top_level)?;
        match sort.field {
            AdminShippingOptionSortField::CreatedAt => options.sort_by_key(|option| option.row.id),
            AdminShippingOptionSortField::Name => {
                options.sort_by_cached_key(|option| (option.row.name.to_lowercase(), option.row.id));
            }
        }
        if sort.direction == SortDirection::Desc {
            options.reverse();
        }
        Ok(options.into_iter().map(AdminShippingOption).collect())
    }
}

/// A shipping option as you want it. What you leave out of a known one stays as it is; a list that you give is the
/// whole list.
#[derive(Debug, InputObject)]
pub struct AdminShippingOptionSetInput {
    /// Which option: a known handle changes that one, a new handle makes one. Made from the name when absent.
    pub handle: Option<String>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name for shoppers, 1 to 255 characters.
    pub name: String,
    /// More about it for shoppers, at most 2000 characters.
    pub description: MaybeUndefined<String>,
    /// The profile of the products that it is for; null is the default one, which a new one has when absent.
    pub shipping_profile_id: MaybeUndefined<ID>,
    /// The zone that it goes to, which other options may share. A new option needs this or `countries`.
    pub service_zone_id: Option<ID>,
    /// The whole countries to which it goes, instead of a zone by id: they become the zone of this option, which must
    /// be no other's.
    pub countries: Option<Vec<Country>>,
    /// How its price is found; `FLAT` for a new one when absent.
    pub kind: Option<word::Enum<ShippingOptionKind>>,
    /// Who calculates its price when it is `CALCULATED`, by the name that the operator gave the provider; `manual` for
    /// a new one when absent.
    pub provider: Option<String>,
    /// What it costs when it is `FLAT`, one price per currency; when it is `CALCULATED`, what it costs while the
    /// provider gives no answer: without such a price it is not offered then.
    pub prices: Option<Vec<MoneyInput>>,
    /// What it costs by weight, subtotal or pieces, one table per currency, at most 100.
    pub tables: Option<Vec<AdminShippingTableInput>>,
    /// Whether what it costs includes tax; not at a new one when absent.
    pub prices_include_tax: Option<bool>,
    /// From which subtotal of a delivery group on, after discounts, it is free: one amount per currency, at most 100.
    pub free_from: Option<Vec<MoneyInput>>,
    /// For whom it is: all rules must be met, at most 20.
    pub rules: Option<Vec<AdminShippingRuleInput>>,
    /// The location where it is picked up; null when it is sent.
    pub pickup_location_id: MaybeUndefined<ID>,
}

/// Which shipping option is taken away.
#[derive(Debug, InputObject)]
pub struct AdminShippingOptionDeleteInput {
    /// Its id.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `shippingOptionSet` did.
    AdminShippingOptionSetPayload {
        /// The shipping option as it is now.
        shipping_option: AdminShippingOption
    }
}

payload! {
    /// What `shippingOptionDelete` did.
    AdminShippingOptionDeletePayload {
        /// The id of the shipping option that was taken away.
        deleted_id: ID
    }
}

/// Refuses a list that is longer than anybody reads.
fn short(length: usize, most: usize, path: &[&str]) -> Result<(), Refusal> {
    let refusal = || Refusal::new(ErrorCode::TooMany, format!("These are more than {most} entries."));
    if length > most { Err(refusal().limit(most as i64).at(path.iter().copied())) } else { Ok(()) }
}

fn monies(inputs: &[MoneyInput], list: &str, refusals: &mut Refusals) -> Vec<domain::money::Money> {
    let read = |(place, money): (usize, &MoneyInput)| money.check(&[list, &place.to_string()]);
    inputs.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect()
}

fn tables(inputs: &[AdminShippingTableInput], refusals: &mut Refusals) -> Tables {
    let mut tables = Vec::with_capacity(inputs.len());
    for (place, input) in inputs.iter().enumerate() {
        let place = place.to_string();
        if refusals.keep(short(input.bands.len(), MAX_BANDS, &["tables", &place, "bands"])).is_none() {
            continue;
        }
        let mut bands = Vec::with_capacity(input.bands.len());
        for (number, band) in input.bands.iter().enumerate() {
            let money = MoneyInput { amount: band.amount.clone(), currency_code: input.currency_code };
            let amount = refusals.keep(money.check(&["tables", &place, "bands", &number.to_string()]));
            let below = band.below.map(|below| below.0);
            bands.extend(amount.map(|amount| Band { from: band.from.0, below, amount_minor: amount.minor }));
        }
        tables.push(Table { currency: input.currency(), bands });
    }
    Tables(tables)
}

impl AdminShippingOptionSetInput {
    fn op(self) -> Result<SetShippingOption> {
        let mut refusals = Refusals::default();
        let lists = [
            (self.prices.as_ref().map_or(0, Vec::len), "prices"),
            (self.free_from.as_ref().map_or(0, Vec::len), "freeFrom"),
            (self.tables.as_ref().map_or(0, Vec::len), "tables"),
        ];
        for (length, list) in lists {
            refusals.keep(short(length, MAX_TABLES, &[list]));
        }
        refusals.into_result()?;
        let mut refusals = Refusals::default();
        let profile = change(self.shipping_profile_id).try_map(|id| parse_id(&id, &["shippingProfileId"]));
        let profile = refusals.keep(profile).unwrap_or_default();
        let pickup = change(self.pickup_location_id).try_map(|id| parse_id(&id, &["pickupLocationId"]));
        let pickup = refusals.keep(pickup).unwrap_or_default();
        let zone = self.service_zone_id.as_ref().map(|id| parse_id(id, &["serviceZoneId"]));
        let zone = refusals.keep(zone.transpose()).flatten();
        let prices = self.prices.map(|prices| monies(&prices, "prices", &mut refusals));
        let tables = self.tables.map(|inputs| tables(&inputs, &mut refusals));
        let threshold = |free: domain::money::Money| Threshold { currency: free.currency, amount_minor: free.minor };
        let free_from = self.free_from.map(|free| monies(&free, "freeFrom", &mut refusals));
        let free_from = free_from.map(|free| FreeFrom(free.into_iter().map(threshold).collect()));
        refusals.into_result()?;
        Ok(SetShippingOption {
            handle: self.handle,
            expected_version: self.expected_version,
            name: self.name,
            description: change(self.description),
            profile,
            countries: self.countries.map(|countries| countries.into_iter().map(|country| country.0).collect()),
            zone,
            kind: self.kind.map(|kind| kind.0),
            provider: self.provider,
            prices,
            tables,
            includes_tax: self.prices_include_tax,
            free_from,
            rules: self.rules.map(|rules| Rules(rules.into_iter().map(Into::into).collect())),
            pickup,
        })
    }
}

/// Mutations of shipping options.
#[derive(Debug, Default)]
pub struct ShippingAdminMutation;

#[Object]
impl ShippingAdminMutation {
    /// Makes or changes a shipping option.
    #[graphql(guard = "settings_write()")]
    async fn shipping_option_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shipping option as you want it.")] input: AdminShippingOptionSetInput,
    ) -> async_graphql::Result<AdminShippingOptionSetPayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &input.op()?).await.map(AdminShippingOption) };
        AdminShippingOptionSetPayload::answer(outcome.await)
    }

    /// Takes a shipping option away. Carts that chose it must choose again; orders keep what they paid for.
    #[graphql(guard = "settings_write()")]
    async fn shipping_option_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which shipping option.")] input: AdminShippingOptionDeleteInput,
    ) -> async_graphql::Result<AdminShippingOptionDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let wished = parse_id(&input.id, &["id"])?;
            let op = DeleteShippingOption { id: wished, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminShippingOptionDeletePayload::answer(outcome.await)
    }
}
