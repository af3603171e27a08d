//! Who asks for prices in one region: worked out once for a request.

use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use domain::id::{CustomerGroupId, CustomerId, PriceListId};
use domain::pricing::{Candidate, Situation};
use engine::error::Error;
use engine::pricing::buyer::{Basis, Buyer};
use engine::settings::{Region, Settings};

use crate::api::call::Call;
use crate::customer::load::GroupsOf;

/// Who asks for prices in one region.
#[derive(Debug, Clone)]
pub struct Shopper {
    /// The region.
    pub region: Region,
    /// The lists whose prices are read.
    pub lists: Arc<[PriceListId]>,
    buyer: Buyer,
    now: DateTime<Utc>,
    basis: Basis,
}

impl Shopper {
    /// The situation for so many pieces.
    pub fn situation<'s>(&'s self, settings: &'s Settings, quantity: i32) -> Situation<'s> {
        self.buyer.situation_on(settings, self.basis, quantity, self.now)
    }
}

impl Call {
    /// Who asks for prices in a region.
    pub async fn shopper(&self, region: &Region) -> Result<Arc<Shopper>, Arc<Error>> {
        if let Some(shopper) = self.known(region) {
            return Ok(shopper);
        }
        let now = self.app.clock.now();
        let mut buyer = Buyer::new(self.channel.id, region, self.caller.actor.customer(), None);
        if let Some(customer) = buyer.asked(&self.settings, now) {
            buyer.joins(self.groups_of(customer).await?);
        }
        let lists = buyer.lists(&self.settings, now).into();
        let basis = Basis::of(&self.settings, region);
        let shopper = Arc::new(Shopper { region: region.clone(), lists, buyer, now, basis });
        self.keep(shopper.clone());
        Ok(shopper)
    }

    /// The same shopper, of whom more is known when a price asks for it.
    pub async fn meet(&self, shopper: Arc<Shopper>, prices: &[Candidate]) -> Result<Arc<Shopper>, Arc<Error>> {
        let Some(customer) = prices.iter().find_map(|price| shopper.buyer.asked_by(price)) else { return Ok(shopper) };
        let mut more = Shopper::clone(&shopper);
        more.buyer.joins(self.groups_of(customer).await?);
        let more = Arc::new(more);
        self.keep(more.clone());
        Ok(more)
    }

    async fn groups_of(&self, customer: CustomerId) -> Result<Vec<CustomerGroupId>, Arc<Error>> {
        Ok(self.read(GroupsOf(customer)).await?.iter().map(|group| group.id).collect())
    }

    fn known(&self, region: &Region) -> Option<Arc<Shopper>> {
        let known = self.shoppers.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().find(|shopper| shopper.region.row.id == region.row.id).cloned()
    }

    fn keep(&self, shopper: Arc<Shopper>) {
        let mut known = self.shoppers.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|one| one.region.row.id != shopper.region.row.id);
        known.push(shopper);
    }
}
