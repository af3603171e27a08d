//! What is known of a buyer when a price is chosen, and which lists might serve him.

use chrono::{DateTime, Utc};
use domain::id::{ChannelId, CustomerGroupId, CustomerId, PriceListId};
use domain::money::Currency;
use domain::pricing::PriceListState::Running;
use domain::pricing::{Candidate, PriceList, Situation};
use domain::rule::{Attributes, Rules, attribute};
use domain::text::CountryCode;

use crate::db::Conn;
use crate::error::Result;
use crate::settings::{Region, Settings};

/// Whom a price is for.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// What is known of him.
    pub attributes: Attributes,
    /// Who he is, when he is signed in and more may be learned of him.
    unasked: Option<CustomerId>,
}

impl Buyer {
    /// What a request knows by itself.
    pub fn new(
        channel: ChannelId,
        region: &Region,
        customer: Option<CustomerId>,
        country: Option<&CountryCode>,
    ) -> Self {
        let mut attributes = Attributes::new();
        attributes.add(attribute::CHANNEL, channel);
        attributes.add(attribute::REGION, region.row.id);
        if let Some(customer) = customer {
            attributes.add(attribute::CUSTOMER, customer);
        }
        if let Some(country) = country {
            attributes.add(attribute::COUNTRY, country);
        }
        Self { attributes, unasked: customer }
    }

    /// He is in these groups.
    pub fn joins(&mut self, groups: impl IntoIterator<Item = CustomerGroupId>) {
        self.unasked = None;
        groups.into_iter().for_each(|group| self.attributes.add(attribute::CUSTOMER_GROUP, group));
    }

    /// Reads which groups he is in, once.
    pub async fn learn(&mut self, conn: &Conn) -> Result<()> {
        if let Some(customer) = self.unasked {
            let groups = crate::customer::repo::groups_of(conn, &[customer]).await?;
            self.joins(groups.into_iter().map(|(_, group)| group.id));
        }
        Ok(())
    }

    /// The customer whose groups must be known before the lists are, when a list that runs asks for them.
    pub fn asked(&self, settings: &Settings, now: DateTime<Utc>) -> Option<CustomerId> {
        let asks = |list: &PriceList| asks_groups(&list.rules) && list.state(now.timestamp_micros()) == Running;
        self.unasked.filter(|_| settings.lists.iter().any(asks))
    }

    /// The lists whose prices are to be read for him.
    pub fn lists(&self, settings: &Settings, now: DateTime<Utc>) -> Vec<PriceListId> {
        let serving = settings.lists.iter().filter(|list| list.serves(now.timestamp_micros(), &self.attributes));
        serving.map(|list| list.id).collect()
    }

    /// The same; reads his groups when a list asks for them.
    pub async fn read_lists(
        &mut self,
        conn: &Conn,
        settings: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Vec<PriceListId>> {
        if self.asked(settings, now).is_some() {
            self.learn(conn).await?;
        }
        Ok(self.lists(settings, now))
    }

    /// The customer whose groups a price asks for and who has not been asked.
    pub fn asked_by(&self, price: &Candidate) -> Option<CustomerId> {
        self.unasked.filter(|_| asks_groups(&price.rules))
    }

    /// Reads his groups when a price asks for them.
    pub async fn meet(&mut self, conn: &Conn, prices: impl IntoIterator<Item = &Candidate>) -> Result<()> {
        if prices.into_iter().any(|price| self.asked_by(price).is_some()) {
            self.learn(conn).await?;
        }
        Ok(())
    }

    /// His situation for so many pieces in a region.
    pub fn situation<'s>(
        &'s self,
        settings: &'s Settings,
        region: &Region,
        quantity: i32,
        now: DateTime<Utc>,
    ) -> Situation<'s> {
        self.situation_on(settings, Basis::of(settings, region), quantity, now)
    }

    /// The same, where the basis is known already.
    pub fn situation_on<'s>(
        &'s self,
        settings: &'s Settings,
        basis: Basis,
        quantity: i32,
        now: DateTime<Utc>,
    ) -> Situation<'s> {
        Situation {
            currency: basis.currency,
            quantity,
            attributes: &self.attributes,
            lists: &settings.lists,
            now: now.timestamp_micros(),
            default_rate_ppm: basis.default_rate_ppm,
        }
    }
}

/// What the prices of a region are compared on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Basis {
    currency: Currency,
    default_rate_ppm: i32,
}

impl Basis {
    /// That of a region.
    pub fn of(settings: &Settings, region: &Region) -> Self {
        Self { currency: region.row.currency, default_rate_ppm: settings.default_rate_ppm(region) }
    }
}

fn asks_groups(rules: &Rules) -> bool {
    rules.0.iter().any(|rule| rule.attribute == attribute::CUSTOMER_GROUP)
}

/// A row as the rule sees it. One that is deleted has ended: what it made
/// cheaper before is remembered. What it was before it was changed last is
/// another one, of which the history knows.
pub fn list(row: &entity::price_list::Model) -> PriceList {
    let micros = |moment: Option<DateTime<Utc>>| moment.map(|moment| moment.timestamp_micros());
    PriceList {
        id: row.id,
        kind: row.kind,
        status: row.status,
        starts_at: micros([row.starts_at, row.terms_at].into_iter().flatten().max()),
        ends_at: micros([row.ends_at, row.deleted_at].into_iter().flatten().min()),
        priority: row.priority,
        rules: row.rules.clone(),
    }
}
