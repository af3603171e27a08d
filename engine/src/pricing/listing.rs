//! `listing_price`: what sorts and filters a listing by price. It holds what the
//! choice answers for somebody of whom only channel and region are known and
//! who wants one piece.
//!
//! It is renewed in the transaction that changes a price or a publication or
//! makes a region; when a price list changes, starts or ends, or a region's tax
//! becomes another one, soon afterwards by the task that follows them ([`run`]). Every product has a row for each region of each
//! channel, also where it has no price or is not for sale: one walk finds all
//! in order.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{ChannelId, PriceListId, ProductId, RegionId};
use domain::pricing::{PriceListState, PriceListStatus, choose};
use entity::{listing_price, price_list};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::buyer::Buyer;
use super::repo::{self, listing as rows};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::db::{Conn, hold_settings};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::settings::Settings;

/// Products whose rows are renewed together.
const PRODUCTS: usize = 500;
/// How long it is remembered what prices were.
pub const REMEMBERED: TimeDelta = TimeDelta::days(400);
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
    // Two who renew the same rows would each insert them.
    rows::lock(tx, products).await?;
    // A region that is made meanwhile would not be seen here, nor this product there.
    if let Some(version) = hold_settings(&tx.conn).await? {
        tx.settings_at(version).await?;
    }
    for some in products.chunks(PRODUCTS) {
        refresh(tx, some, Part::default()).await?;
    }
    Ok(())
}

/// Writes the listing prices of a new region; after the settings were touched,
/// so that no product comes by meanwhile.
pub async fn list_region(tx: &mut Tx, region: RegionId) -> Result<()> {
    let settings = tx.settings().await?;
    let rate_ppm = settings.region(region).map(|region| settings.default_rate_ppm(region));
    refresh_all(tx, Part { region: Some(region), channel: None }).await?;
    crate::region::repo::note_listed(tx, region, rate_ppm).await
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
    let mut listings = worked_out(&tx.conn, &settings, products, part, tx.now()).await?;
    let Some(region) = part.region else {
        return rows::replace(tx, products, (part.region, part.channel), listings).await;
    };
    // Few prices depend on the tax of a region: the others stay as they are written.
    let held = rows::of_region(&tx.conn, products, region).await?;
    let same = |row: &listing_price::Model| held.get(&(row.product_id, row.channel_id)) == Some(row);
    let changed: BTreeSet<ProductId> = listings.iter().filter(|row| !same(row)).map(|row| row.product_id).collect();
    listings.retain(|row| changed.contains(&row.product_id));
    let changed: Vec<ProductId> = changed.into_iter().collect();
    rows::replace(tx, &changed, (part.region, part.channel), listings).await
}

/// The rows of all channels and regions that products should have at a moment.
pub async fn expected(
    conn: &Conn,
    settings: &Settings,
    products: &[ProductId],
    now: DateTime<Utc>,
) -> Result<Vec<listing_price::Model>> {
    worked_out(conn, settings, products, Part::default(), now).await
}

async fn worked_out(
    conn: &Conn,
    settings: &Settings,
    products: &[ProductId],
    part: Part,
    now: DateTime<Utc>,
) -> Result<Vec<listing_price::Model>> {
    let running: Vec<PriceListId> = {
        let micros = now.timestamp_micros();
        let running = settings.lists.iter().filter(|list| list.state(micros) == PriceListState::Running);
        running.map(|list| list.id).collect()
    };
    let prices = rows::prices_of(conn, products, &running).await?;
    let listed: HashSet<_> = rows::publications(conn, products).await?.into_iter().collect();
    let known = rows::existing(conn, products).await?;
    let mut listings = Vec::with_capacity(known.len());
    let channels = settings.channels.iter().filter(|row| part.channel.is_none_or(|channel| channel == row.id));
    for channel in channels {
        for region in settings.regions.iter().filter(|region| part.region.is_none_or(|id| id == region.row.id)) {
            let buyer = Buyer::new(channel.id, region, None, None);
            let situation = buyer.situation(settings, region, 1, now);
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
    Ok(listings)
}

/// Whether a list or a region has changed so that listings follow it within seconds.
pub async fn is_behind(conn: &Conn, settings: &Settings, now: DateTime<Utc>) -> Result<bool> {
    let rate = |id| settings.region(id).map(|region| settings.default_rate_ppm(region));
    let regions = crate::region::repo::listed(conn).await?;
    let moved = regions.into_iter().any(|(id, listed, deleted)| deleted || listed != rate(id));
    Ok(moved || settings.price_lists.iter().any(|row| is_due(row, now)))
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
    let settings = app.settings();
    let due = settings.price_lists.iter().filter(|row| is_due(row, now)).map(|row| (row.id, row.version));
    let due: Vec<(PriceListId, i32)> = due.collect();
    let mut failed = None;
    for (list, version) in &due {
        let mut after = None;
        loop {
            match app.run(&Caller::system(), &FollowList { list: *list, version: *version, after, now }).await {
                Ok(Some(last)) => after = Some(last),
                Ok(None) => break,
                // The others are followed nevertheless.
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
    }
    failed.map_or(Ok(due.len()), Err)
}

/// Brings listings up to date with every region whose tax is another one than
/// when they were worked out: prices with tax and without are compared by it.
/// Forgets those of deleted regions. Answers with how many these were.
pub async fn follow_regions(app: &Arc<App>) -> Result<usize> {
    let settings = app.settings();
    let mut followed = 0;
    for (id, listed, deleted) in crate::region::repo::listed(&app.read()).await? {
        if deleted {
            app.run(&Caller::system(), &ForgetRegion { region: id }).await?;
            followed += 1;
            continue;
        }
        let rate = settings.region(id).map(|region| settings.default_rate_ppm(region));
        let Some(rate_ppm) = rate.filter(|rate| listed != Some(*rate)) else { continue };
        let mut after = None;
        while let Some(last) = app.run(&Caller::system(), &FollowRegion { region: id, rate_ppm, after }).await? {
            after = Some(last);
        }
        followed += 1;
    }
    Ok(followed)
}

/// How often it is looked for lists that start, end or change.
const EVERY: Duration = Duration::from_secs(1);
/// How often it is forgotten what nobody asks for any more, counted in looks.
const FORGETTING: u64 = 600;

/// Follows lists and regions until `stop`.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    // The version of the settings whose regions were followed.
    let mut regions = None;
    for look in 0_u64.. {
        let followed = stop.run_until_cancelled(async {
            follow_lists(&app).await?;
            let version = app.settings().version;
            if regions != Some(version) {
                follow_regions(&app).await?;
                regions = Some(version);
            }
            if look % FORGETTING == 0 {
                app.run(&Caller::system(), &ForgetHistory).await?;
            }
            Ok::<(), Error>(())
        });
        match followed.await {
            None => return,
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::warn!(%error, "listings will follow later"),
        }
        if stop.run_until_cancelled(sleep(EVERY)).await.is_none() {
            return;
        }
    }
}

/// Forgets what prices were long ago, and deleted lists of which nothing is remembered.
struct ForgetHistory;

impl Op for ForgetHistory {
    const NAME: &'static str = "price.forget_history";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let before = tx.now() - REMEMBERED;
        rows::forget(tx, before).await
    }
}

/// Renews the listing prices of some products of a list; the last ones note that it is done.
struct FollowList {
    list: PriceListId,
    version: i32,
    after: Option<ProductId>,
    now: DateTime<Utc>,
}

impl Op for FollowList {
    const NAME: &'static str = "price_list.follow";
    const NEEDS: Need = Need::System;
    type Out = Option<ProductId>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<ProductId>> {
        // Another node may have been here first; and what changed meanwhile is followed from the start.
        let wanted = |row: &price_list::Model| row.version == self.version && is_due(row, self.now);
        let Some(row) = repo::lock_any_list(tx, self.list).await?.filter(wanted) else {
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

/// Renews the listing prices of some products in a region; the last ones note that it is done.
struct FollowRegion {
    region: RegionId,
    rate_ppm: i32,
    after: Option<ProductId>,
}

impl Op for FollowRegion {
    const NAME: &'static str = "region.follow";
    const NEEDS: Need = Need::System;
    type Out = Option<ProductId>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<ProductId>> {
        let row = crate::region::repo::lock_any(tx, self.region).await?;
        // Another node may have been here first.
        if row.is_none_or(|row| row.deleted_at.is_some() || row.listed_rate_ppm == Some(self.rate_ppm)) {
            return Ok(None);
        }
        let some = rows::products(&tx.conn, self.after, PRODUCTS).await?;
        rows::lock(tx, &some).await?;
        if let Some(version) = hold_settings(&tx.conn).await? {
            tx.settings_at(version).await?;
        }
        let settings = tx.settings().await?;
        if settings.region(self.region).map(|region| settings.default_rate_ppm(region)) != Some(self.rate_ppm) {
            // What changed meanwhile is followed from the start.
            return Ok(None);
        }
        refresh(tx, &some, Part { region: Some(self.region), channel: None }).await?;
        if some.len() == PRODUCTS {
            return Ok(some.last().copied());
        }
        crate::region::repo::note_listed(tx, self.region, Some(self.rate_ppm)).await?;
        Ok(None)
    }
}

/// Forgets the listing prices of a deleted region.
struct ForgetRegion {
    region: RegionId,
}

impl Op for ForgetRegion {
    const NAME: &'static str = "region.forget_listing";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        rows::forget_region(tx, self.region).await?;
        crate::region::repo::note_listed(tx, self.region, None).await
    }
}
