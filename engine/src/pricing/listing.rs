//! `listing_price`: what sorts and filters a listing by price. It holds what the
//! choice answers for somebody of whom only channel and region are known and
//! who wants one piece.
//!
//! It is renewed in the transaction that changes a price, a publication or a
//! region; when a price list changes, starts or ends, soon afterwards by the
//! sweeper ([`follow_lists`]). Every product has a row for each region of each
//! channel, also where it has no price or is not for sale: one walk finds all
//! in order.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::id::{ChannelId, PriceListId, ProductId, RegionId};
use domain::pricing::{PriceListState, PriceListStatus, choose};
use entity::{listing_price, price_list};

use super::buyer::Buyer;
use super::repo::{self, listing as rows};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::db::hold_settings;
use crate::error::Result;
use crate::op::{Op, Tx};

/// Products whose rows are renewed together.
const PRODUCTS: usize = 500;
/// Behind every price.
const NO_PRICE: i64 = 9_007_199_254_740_991;

/// What is renewed of each product: all, or the rows of one region or one channel.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    region: Option<RegionId>,
    channel: Option<ChannelId>,
}

/// Renews the listing prices of a product.
pub async fn refresh_product(tx: &mut Tx, product: ProductId) -> Result<()> {
    refresh_products(tx, &[product]).await
}

/// Renews the listing prices of many products.
pub async fn refresh_products(tx: &mut Tx, products: &[ProductId]) -> Result<()> {
    // A region that is made meanwhile would not be seen here, nor this product there.
    if let Some(version) = hold_settings(&tx.conn).await? {
        tx.settings_at(version).await?;
    }
    for some in products.chunks(PRODUCTS) {
        refresh(tx, some, Part::default()).await?;
    }
    Ok(())
}

/// Renews the listing prices of a region; after the settings were touched, so
/// that no product comes by meanwhile.
pub async fn refresh_region(tx: &mut Tx, region: RegionId) -> Result<()> {
    refresh_all(tx, Part { region: Some(region), channel: None }).await
}

/// Writes the listing prices of a new channel; after the settings were touched.
pub async fn list_channel(tx: &mut Tx, channel: ChannelId) -> Result<()> {
    refresh_all(tx, Part { region: None, channel: Some(channel) }).await
}

async fn refresh_all(tx: &mut Tx, part: Part) -> Result<()> {
    let mut last = None;
    loop {
        let some = rows::products(&tx.conn, last, PRODUCTS).await?;
        let Some(end) = some.last() else { return Ok(()) };
        last = Some(*end);
        refresh(tx, &some, part).await?;
    }
}

async fn refresh(tx: &mut Tx, products: &[ProductId], part: Part) -> Result<()> {
    let settings = tx.settings().await?;
    let now = tx.now();
    let running: Vec<PriceListId> = {
        let micros = now.timestamp_micros();
        let running = settings.lists.iter().filter(|list| list.state(micros) == PriceListState::Running);
        running.map(|list| list.id).collect()
    };
    let prices = rows::prices_of(&tx.conn, products, &running).await?;
    let listed: HashSet<_> = rows::publications(&tx.conn, products).await?.into_iter().collect();
    let known = rows::existing(&tx.conn, products).await?;
    let mut listings = Vec::with_capacity(known.len());
    let channels = settings.channels.iter().filter(|row| part.channel.is_none_or(|channel| channel == row.id));
    for channel in channels {
        for region in settings.regions.iter().filter(|region| part.region.is_none_or(|id| id == region.row.id)) {
            let buyer = Buyer::new(channel.id, region, None, None);
            let situation = buyer.situation(&settings, region, 1, now);
            for product in &known {
                let of_product = prices.get(product).into_iter().flatten();
                let own = of_product.filter(|((_, currency), _)| *currency == region.row.currency);
                let amounts: Vec<i64> = own
                    .filter_map(|(_, prices)| choose(prices, &situation))
                    .map(|choice| choice.price.amount_minor)
                    .collect();
                let min_minor = amounts.iter().min().copied();
                listings.push(listing_price::Model {
                    product_id: *product,
                    channel_id: channel.id,
                    region_id: region.row.id,
                    currency: region.row.currency,
                    min_minor,
                    max_minor: amounts.iter().max().copied(),
                    key_minor: min_minor.unwrap_or(NO_PRICE),
                    listed: listed.contains(&(*product, channel.id)),
                });
            }
        }
    }
    rows::replace(tx, products, (part.region, part.channel), listings).await
}

/// When a list starts, ends or is deleted is a moment like any other; what
/// staff change about it forgets until when listings follow it.
fn is_due(row: &price_list::Model, now: DateTime<Utc>) -> bool {
    match row.shown_at {
        None => row.deleted_at.is_some() || row.status == PriceListStatus::Active || row.version > 1,
        Some(shown) => {
            let own = [row.starts_at, row.ends_at].into_iter().filter(|_| row.status == PriceListStatus::Active);
            own.chain([row.deleted_at]).flatten().any(|moment| shown < moment && moment <= now)
        }
    }
}

/// Brings listings up to date with every list that changed, started or ended;
/// answers with how many lists these were.
pub async fn follow_lists(app: &Arc<App>) -> Result<usize> {
    let now = app.clock.now();
    let due: Vec<PriceListId> =
        app.settings().price_lists.iter().filter(|row| is_due(row, now)).map(|row| row.id).collect();
    for list in &due {
        let mut after = None;
        while let Some(last) = app.run(&Caller::system(), &FollowList { list: *list, after, now }).await? {
            after = Some(last);
        }
    }
    Ok(due.len())
}

/// Renews the listing prices of some products of a list; the last ones note that it is done.
struct FollowList {
    list: PriceListId,
    after: Option<ProductId>,
    now: DateTime<Utc>,
}

impl Op for FollowList {
    const NAME: &'static str = "price_list.follow";
    const NEEDS: Need = Need::System;
    type Out = Option<ProductId>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<ProductId>> {
        // Another node may have been here first.
        let Some(row) = repo::lock_any_list(tx, self.list).await?.filter(|row| is_due(row, self.now)) else {
            return Ok(None);
        };
        let some = rows::products_of(&tx.conn, self.list, self.after, PRODUCTS).await?;
        if row.deleted_at.is_some() {
            let gone = repo::ids_in_list(&tx.conn, self.list, &some).await?;
            repo::delete(tx, &gone).await?;
        }
        refresh_products(tx, &some).await?;
        if some.len() == PRODUCTS {
            return Ok(some.last().copied());
        }
        rows::note_shown(tx, row.id, self.now).await?;
        tx.touch_settings().await?;
        Ok(None)
    }
}
