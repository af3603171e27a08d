//! What a shopper is told about the shop.

use async_graphql::{Context, Object};
use domain::text::CountryCode;

use super::types::Channel;
use crate::address::types::{AddressRules, Province};
use crate::api::call::call;
use crate::api::scalar::Country;
use crate::policy::types::{Policy, PolicyBy};
use crate::region::types::Region;

/// The shop as this request sees it.
#[derive(Debug)]
pub struct Shop;

/// The shop as this request sees it.
#[Object]
impl Shop {
    /// The channel of this request.
    async fn channel(&self, ctx: &Context<'_>) -> async_graphql::Result<Channel> {
        Ok(Channel::from(&call(ctx)?.channel))
    }

    /// The region of this request; null while the shop has none.
    async fn region(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Region>> {
        Ok(call(ctx)?.region.clone().map(Region))
    }

    /// Every region of the shop, oldest first. A shop has at most 250.
    async fn regions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Region>> {
        Ok(call(ctx)?.settings.regions.iter().cloned().map(Region).collect())
    }

    /// The language in which this request is answered: a BCP 47 tag.
    async fn locale<'a>(&self, ctx: &Context<'a>) -> async_graphql::Result<&'a str> {
        Ok(&call(ctx)?.locale)
    }

    /// The merchant's legal texts that count in this channel, by kind: its own, else those of the whole shop. One
    /// for each kind at most.
    async fn policies(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Policy>> {
        Ok(Policy::in_force(call(ctx)?))
    }

    /// One of them; null when the merchant has none of this kind.
    async fn policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] by: PolicyBy,
    ) -> async_graphql::Result<Option<Policy>> {
        let Some(kind) = by.kind() else { return Ok(None) };
        Ok(Policy::in_force(call(ctx)?).into_iter().find(|policy| policy.kind_of() == kind))
    }
}

/// A country to which the shop sells.
#[derive(Debug, Clone)]
pub struct Served {
    code: CountryCode,
    region: engine::settings::Region,
}

/// A country to which the shop sells.
#[Object(name = "Country")]
impl Served {
    /// Which country.
    async fn code(&self) -> Country {
        Country(self.code.clone())
    }

    /// The region that it belongs to: its currency, whether its prices include tax, how one pays.
    async fn region(&self) -> Region {
        Region(self.region.clone())
    }

    /// Its states, prefectures, departments or the like, by name; empty where they stand in no address. At most 110.
    async fn provinces(&self) -> Vec<Province> {
        Province::of(&self.code)
    }

    /// What its post wants of an address.
    async fn address_rules(&self) -> AddressRules {
        AddressRules(self.code.clone())
    }
}

/// Queries about the shop.
#[derive(Debug, Default)]
pub struct ShopStoreQuery;

#[Object]
impl ShopStoreQuery {
    /// The shop as this request sees it: channel, region, language, legal texts.
    async fn shop(&self) -> Shop {
        Shop
    }

    /// The countries to which the shop sells, by their codes; each belongs to one region. At most 249.
    async fn countries(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Served>> {
        let regions = &call(ctx)?.settings.regions;
        let of = |region: &engine::settings::Region| {
            let served = |code| Served { code, region: region.clone() };
            region.countries.iter().cloned().map(served).collect::<Vec<_>>()
        };
        let mut countries: Vec<Served> = regions.iter().flat_map(of).collect();
        countries.sort_by(|one, other| one.code.cmp(&other.code));
        Ok(countries)
    }
}
