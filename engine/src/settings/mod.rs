//! The settings of the shop as one versioned snapshot in memory: channels,
//! regions, taxes, shipping options, locations, the rules of collections, policies, price lists, promotions. A request spends its
//! statements on its own data; a write checks the version within its
//! transaction ([`crate::op::Tx::settings`]).
//!
//! | to change | edit |
//! |---|---|
//! | what is in the snapshot | [`Settings::load`] and the noun's `repo::all` |
//! | when it is renewed | [`crate::relay`], which follows `settings.changed` |

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::address::area::Area;
use domain::id::{ChannelId, LocationId, RegionId, ServiceZoneId, ShippingOptionId, ShippingProfileId};
use domain::metafield::{MetafieldOwnerType, MetafieldStoreAccess};
use domain::payment::CaptureMode;
use domain::pricing::PriceList;
use domain::text::CountryCode;
use domain::totals::Rate;
use entity::{
    channel, channel_location, collection, location, metafield_definition, price, price_list, region, service_zone,
    shipping_option, shipping_profile,
};
use sea_orm::ConnectionTrait;

use crate::db::{Conn, statement};
use crate::error::{Error, Result};
use crate::policy::repo::Heading;
use crate::promotion::Running;
use crate::provider::payment::PaymentProviders;
use crate::tax::Taxes;

/// A region with what hangs on it.
#[derive(Debug, Clone)]
pub struct Region {
    /// The region itself.
    pub row: region::Model,
    /// The countries that it sells to, in the order of their codes.
    pub countries: Vec<CountryCode>,
    /// The payment providers that it offers.
    pub providers: Vec<String>,
    /// When the money of each of them is taken.
    pub captures: BTreeMap<String, CaptureMode>,
}

impl Region {
    /// When a provider's money is taken.
    pub fn capture_of(&self, provider: &str) -> CaptureMode {
        self.captures.get(provider).copied().unwrap_or_else(|| CaptureMode::usual(provider))
    }
}

/// A shipping option with where it goes and what it costs.
#[derive(Debug, Clone)]
pub struct ShippingOption {
    /// The option itself.
    pub row: shipping_option::Model,
    /// The areas of its zone.
    pub areas: Arc<Vec<Area>>,
    /// The countries that its zone lies in, by code.
    pub countries: Vec<CountryCode>,
    /// Its flat prices, by currency.
    pub prices: Vec<price::Model>,
}

/// Where shipping options go.
#[derive(Debug, Clone)]
pub struct ServiceZone {
    /// The zone itself.
    pub row: service_zone::Model,
    /// Its areas in the order in which staff put them.
    pub areas: Arc<Vec<Area>>,
}

/// A collection whose products a rule chooses, and where it is shown.
#[derive(Debug, Clone)]
pub struct RuleCollection {
    /// The collection itself.
    pub row: Arc<collection::Model>,
    /// The channels in which it is published, and from when on.
    pub channels: Vec<(ChannelId, DateTime<Utc>)>,
}

impl RuleCollection {
    /// Whether it is to be seen in a channel at a moment; staff, who name none, see all.
    pub fn is_seen(&self, seen_in: Option<(ChannelId, DateTime<Utc>)>) -> bool {
        let Some((channel, now)) = seen_in else { return true };
        self.channels.iter().any(|(known, from)| *known == channel && *from <= now)
    }
}

/// The settings at one version.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Rises with every change.
    pub version: i64,
    /// Every channel, oldest first.
    pub channels: Vec<channel::Model>,
    /// Publishable keys in force.
    pub keys: HashMap<String, ChannelId>,
    /// Which locations serve which channel.
    pub channel_locations: Vec<channel_location::Model>,
    /// Every region, oldest first.
    pub regions: Vec<Region>,
    /// The tax regions with their rates.
    pub taxes: Taxes,
    /// Every shipping profile, oldest first.
    pub shipping_profiles: Vec<shipping_profile::Model>,
    /// Every zone of shipping options, oldest first.
    pub service_zones: Vec<ServiceZone>,
    /// Every shipping option, oldest first.
    pub shipping_options: Vec<ShippingOption>,
    /// Every location, the one that is taken from first in front.
    pub locations: Vec<location::Model>,
    /// What metafields there are, by namespace and key.
    pub metafield_definitions: Vec<metafield_definition::Model>,
    /// Every collection whose products a rule chooses.
    pub rule_collections: Vec<RuleCollection>,
    /// Every policy in force, without the texts.
    pub policies: Vec<Heading>,
    /// Every price list, oldest first, also those that are deleted and whose prices are still remembered.
    pub price_lists: Vec<price_list::Model>,
    /// The same lists as the choice of a price sees them.
    pub lists: Vec<PriceList>,
    /// The promotions that staff have let go, and every campaign.
    pub promotions: Running,
}

impl Settings {
    /// Reads everything at one version; what has been over for long at this moment is left out.
    pub async fn load(conn: &Conn, now: DateTime<Utc>) -> Result<Self> {
        // The version comes first: what changes while the rest is read raises
        // it, and the next check reads again.
        let version = version(conn).await?;
        let (channels, keys, channel_locations) = crate::channel::repo::all(conn).await?;
        let price_lists = crate::pricing::repo::lists(conn).await?;
        let service_zones = crate::shipping::repo::zones(conn).await?;
        Ok(Self {
            version,
            channels,
            keys,
            channel_locations,
            regions: crate::region::repo::all(conn).await?,
            taxes: crate::tax::repo::all(conn).await?,
            shipping_profiles: crate::shipping::repo::profiles(conn).await?,
            shipping_options: crate::shipping::repo::all(conn, &service_zones).await?,
            service_zones,
            locations: crate::location::repo::all(conn).await?,
            metafield_definitions: crate::metafield::repo::definitions(conn).await?,
            rule_collections: crate::collection::repo::by_rule(conn).await?,
            policies: crate::policy::repo::headings(conn).await?,
            lists: price_lists.iter().map(crate::pricing::buyer::list).collect(),
            price_lists,
            promotions: crate::promotion::repo::running(conn, now).await?,
        })
    }

    /// The same without the payment providers that this shop does not have: nobody could be paid through them.
    #[must_use]
    pub fn paid_through(mut self, known: &PaymentProviders) -> Self {
        for region in &mut self.regions {
            region.providers.retain(|name| known.get(name).is_some());
            region.captures.retain(|name, _| known.get(name).is_some());
        }
        self
    }

    /// A channel that is active.
    pub fn channel(&self, id: ChannelId) -> Option<&channel::Model> {
        self.channels.iter().find(|channel| channel.id == id && channel.active)
    }

    /// The addresses of the storefronts that are open.
    pub fn storefronts(&self) -> impl Iterator<Item = &str> {
        self.channels.iter().filter(|channel| channel.active).filter_map(|channel| channel.storefront_url.as_deref())
    }

    /// The channel of a request that names none: the oldest active one.
    pub fn default_channel(&self) -> Result<&channel::Model> {
        let oldest = self.channels.iter().find(|channel| channel.active);
        oldest.ok_or_else(|| Error::internal("the shop has no active channel"))
    }

    /// The language of the entities' own texts: the default of the oldest channel.
    pub fn source_locale(&self) -> &str {
        self.channels.first().map_or("en", |channel| channel.default_locale.as_str())
    }

    /// Where a text is looked for in a language, before the entity's own:
    /// nowhere when that is in this language.
    pub fn text_chain(&self, locale: &str, channel: &channel::Model) -> Vec<String> {
        domain::locale::chain(locale, &channel.default_locale, self.source_locale())
    }

    /// What there is of metafields on a kind of owner; shoppers know only what they may read.
    pub fn metafields_of(
        &self,
        owner: MetafieldOwnerType,
        staff: bool,
    ) -> impl Iterator<Item = &metafield_definition::Model> {
        let seen = move |row: &&metafield_definition::Model| {
            row.owner_type == owner && (staff || row.store_access == MetafieldStoreAccess::Read)
        };
        self.metafield_definitions.iter().filter(seen)
    }

    /// The countries of the locations that serve a channel, from which its goods may come.
    pub fn origins_of(&self, channel: ChannelId) -> Vec<CountryCode> {
        let mut origins: Vec<CountryCode> =
            self.locations_of(channel).iter().filter_map(|location| location.country.clone()).collect();
        origins.sort();
        origins.dedup();
        origins
    }

    /// A region by id.
    pub fn region(&self, id: RegionId) -> Option<&Region> {
        self.regions.iter().find(|region| region.row.id == id)
    }

    /// A region by its id in text form or by its handle.
    pub fn region_named(&self, name: &str) -> Option<&Region> {
        match name.parse() {
            Ok(id) => self.region(id),
            Err(_) => self.regions.iter().find(|region| region.row.handle.as_str() == name),
        }
    }

    /// The region that sells to a country.
    pub fn region_of(&self, country: &CountryCode) -> Option<&Region> {
        self.regions.iter().find(|region| region.countries.contains(country))
    }

    /// The region of a channel: its default, else the oldest.
    pub fn channel_region(&self, channel: &channel::Model) -> Option<&Region> {
        channel.default_region_id.and_then(|id| self.region(id)).or_else(|| self.regions.first())
    }

    /// The default tax rates of a country as a whole, for the calculator.
    pub fn rates(&self, country: &CountryCode) -> Vec<Rate> {
        self.taxes.of_country(country)
    }

    /// A zone of shipping options by id.
    pub fn service_zone(&self, id: ServiceZoneId) -> Option<&ServiceZone> {
        self.service_zones.iter().find(|zone| zone.row.id == id)
    }

    /// The profile of products and shipping options that name none.
    pub fn default_profile(&self) -> Result<ShippingProfileId> {
        let found = self.shipping_profiles.iter().find(|profile| profile.is_default);
        found.map(|row| row.id).ok_or_else(|| Error::internal("the shop has no default shipping profile"))
    }

    /// The profile that this one is: the default one when there is none of this id.
    pub fn profile_or_default(&self, id: Option<ShippingProfileId>) -> Result<ShippingProfileId> {
        let known = id.filter(|id| self.shipping_profiles.iter().any(|profile| profile.id == *id));
        known.map_or_else(|| self.default_profile(), Ok)
    }

    /// The tax that an inclusive price of a region is taken to hold when prices are
    /// compared, in parts per million: that of its first country with a rate.
    pub fn default_rate_ppm(&self, region: &Region) -> i32 {
        let mut rates = region.countries.iter().map(|country| self.rates(country));
        rates.find(|rates| !rates.is_empty()).map_or(0, |rates| rates.iter().map(|rate| rate.rate_ppm).sum())
    }

    /// A shipping option by id.
    pub fn shipping_option(&self, id: ShippingOptionId) -> Option<&ShippingOption> {
        self.shipping_options.iter().find(|option| option.row.id == id)
    }

    /// The locations that serve a channel, the first to take from in front.
    pub fn locations_of(&self, channel: ChannelId) -> Vec<&location::Model> {
        let named: Vec<LocationId> = self
            .channel_locations
            .iter()
            .filter(|serves| serves.channel_id == channel)
            .map(|serves| serves.location_id)
            .collect();
        self.locations.iter().filter(|location| named.is_empty() || named.contains(&location.id)).collect()
    }
}

/// The version in the database.
pub async fn version(conn: &Conn) -> Result<i64> {
    let sql = "select value from counter where name = 'settings'";
    number(conn, sql).await
}

/// Raises the version by one and answers with it.
pub async fn raise_version(conn: &Conn) -> Result<i64> {
    let sql = "update counter set value = value + 1 where name = 'settings' returning value";
    number(conn, sql).await
}

async fn number(conn: &Conn, sql: &str) -> Result<i64> {
    let row = conn.query_one_raw(statement(conn, sql, [])).await?;
    let row = row.ok_or_else(|| Error::internal("the counter of the settings is missing; run emporion migrate up"))?;
    Ok(row.try_get_by_index(0)?)
}
