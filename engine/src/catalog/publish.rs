//! Where and from when on a product is for sale. A time that is still to come
//! needs no job: what is shown is compared with the clock.

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::catalog::ProductStatus;
use domain::id::{ChannelId, ProductId};
use domain::reach::Reach;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::{product, product_channel};
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::scope;
use crate::version::check_version;

const WRITE: Need = Need::Permission(Permission::CatalogWrite);

/// The channels in which the caller may put products on sale.
pub(super) fn reach(tx: &Tx) -> Reach<ChannelId> {
    scope::channels(tx.actor(), Permission::CatalogWrite)
}

/// Refuses what would also change where a product is for sale beyond the caller's reach.
pub(super) async fn refuse_out_of_scope(tx: &Tx, product: ProductId) -> Result<()> {
    let reach = reach(tx);
    if reach.is_everything() {
        return Ok(());
    }
    let held = repo::channels_of(&tx.conn, &[product]).await?;
    match held.iter().all(|row| reach.holds(row.channel_id)) {
        true => Ok(()),
        false => Err(scope::out_of_scope("a channel").about(product).into()),
    }
}

/// The channels in which a new product is for sale when nobody says: every open one that the caller reaches.
pub(super) async fn default_channels(tx: &mut Tx, status: ProductStatus) -> Result<Vec<ChannelId>> {
    let settings = tx.settings().await?;
    let reach = reach(tx);
    let open = settings.channels.iter().filter(|channel| channel.active && status == ProductStatus::Published);
    Ok(open.map(|channel| channel.id).filter(|id| reach.holds(*id)).collect())
}

/// Rows for channels from one moment on, now when absent.
pub(super) async fn publications(
    tx: &mut Tx,
    product: ProductId,
    channels: &[ChannelId],
    at: Option<DateTime<Utc>>,
) -> Result<Vec<product_channel::Model>> {
    let wished: Vec<_> = channels.iter().map(|channel| (*channel, at)).collect();
    let place = |place: usize| vec!["channelIds".to_owned(), place.to_string()];
    let rows = checked(tx, product, &wished, &[], place).await?;
    Ok(rows)
}

/// Rows for channels each from its own moment on. Without one, a product that
/// is for sale already has been since then.
async fn checked(
    tx: &mut Tx,
    product: ProductId,
    wished: &[(ChannelId, Option<DateTime<Utc>>)],
    held: &[product_channel::Model],
    path: impl Fn(usize) -> Vec<String>,
) -> Result<Vec<product_channel::Model>> {
    let settings = tx.settings().await?;
    let reach = reach(tx);
    let mut refusals = Refusals::default();
    for (place, (id, _)) in wished.iter().enumerate() {
        if !reach.holds(*id) || !settings.channels.iter().any(|channel| channel.id == *id) {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(path(place)));
        } else if wished[..place].iter().any(|(earlier, _)| earlier == id) {
            refusals.push(Refusal::new(ErrorCode::Duplicate, "This channel stands here twice.").at(path(place)));
        }
    }
    refusals.into_result()?;
    let now = tx.now();
    let row = |(channel_id, at): &(ChannelId, Option<DateTime<Utc>>)| {
        let since = held.iter().find(|row| row.channel_id == *channel_id && row.published_at <= now);
        let published_at = at.unwrap_or_else(|| since.map_or(now, |row| row.published_at));
        product_channel::Model { product_id: product, channel_id: *channel_id, published_at }
    };
    Ok(wished.iter().map(row).collect())
}

/// Says in which channels a product is for sale from one moment on, all of them.
#[derive(Debug, Clone)]
pub struct PublishProduct {
    /// Which product.
    pub id: ProductId,
    /// In these channels and in no other.
    pub channels: Vec<ChannelId>,
    /// From when on; now when absent.
    pub at: Option<DateTime<Utc>>,
}

impl Op for PublishProduct {
    const NAME: &'static str = "product.publish";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let wished: Vec<_> = self.channels.iter().map(|channel| (*channel, self.at)).collect();
        publish(tx, self.id, &wished, |place| vec!["channelIds".to_owned(), place.to_string()]).await
    }
}

/// Says in which channels a product is for sale, each from its own moment on.
#[derive(Debug, Clone)]
pub struct ScheduleProduct {
    /// Which product.
    pub id: ProductId,
    /// In these channels and in no other, each from when on; now when absent.
    pub channels: Vec<(ChannelId, Option<DateTime<Utc>>)>,
}

impl Op for ScheduleProduct {
    const NAME: &'static str = "product.publish";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let path = |place: usize| ["channels", &place.to_string(), "channelId"].map(str::to_owned).to_vec();
        publish(tx, self.id, &self.channels, path).await
    }
}

async fn publish(
    tx: &mut Tx,
    id: ProductId,
    wished: &[(ChannelId, Option<DateTime<Utc>>)],
    path: impl Fn(usize) -> Vec<String>,
) -> Result<product::Model> {
    let row = repo::lock(tx, id).await?.ok_or_else(|| Error::not_found("product"))?;
    refuse_archived(&row)?;
    let held = repo::channels_of(&tx.conn, &[id]).await?;
    let mut rows = checked(tx, id, wished, &held, path).await?;
    // Out of reach it stays for sale as it is.
    let reach = reach(tx);
    rows.extend(held.into_iter().filter(|row| !reach.holds(row.channel_id)));
    put(tx, row, rows, "product.published").await
}

/// What is archived comes back first, so that nothing does by mistake.
fn refuse_archived(row: &product::Model) -> Result<()> {
    if row.status == ProductStatus::Archived {
        let message = "The product is archived; bring it back with productUnarchive first.";
        return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).about(row.id).into());
    }
    Ok(())
}

async fn put(
    tx: &mut Tx,
    mut row: product::Model,
    rows: Vec<product_channel::Model>,
    kind: &'static str,
) -> Result<product::Model> {
    let channels: Vec<ChannelId> = rows.iter().map(|row| row.channel_id).collect();
    let before = row.status;
    row.status = if channels.is_empty() { ProductStatus::Draft } else { ProductStatus::Published };
    if row.status != before {
        refuse_out_of_scope(tx, row.id).await?;
    }
    repo::replace_channels(tx, row.id, rows).await?;
    row.version += 1;
    row.updated_at = tx.now();
    let row = repo::update(tx, row).await?;
    crate::pricing::listing::refresh_product(tx, row.id).await?;
    tx.emit(Aggregate::new("product", row.id), kind, json!({ "channels": channels }));
    let after = json!({ "status": row.status, "channels": channels });
    tx.audit(row.id, Some(json!({ "status": before })), Some(after));
    Ok(row)
}

/// Takes a product off sale. In its last channel it becomes a draft.
#[derive(Debug, Clone)]
pub struct UnpublishProduct {
    /// Which product.
    pub id: ProductId,
    /// In these channels; in all when absent.
    pub channels: Option<Vec<ChannelId>>,
}

impl Op for UnpublishProduct {
    const NAME: &'static str = "product.unpublish";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("product"))?;
        refuse_archived(&row)?;
        let held = repo::channels_of(&tx.conn, &[self.id]).await?;
        let reach = reach(tx);
        let mut refusals = Refusals::default();
        for (place, id) in self.channels.iter().flatten().enumerate() {
            if !reach.holds(*id) || !held.iter().any(|row| row.channel_id == *id) {
                let message = "The product is not for sale in this channel.";
                let at = ["channelIds".to_owned(), place.to_string()];
                refusals.push(Refusal::new(ErrorCode::NotFound, message).at(at));
            }
        }
        refusals.into_result()?;
        let goes = |row: &product_channel::Model| {
            reach.holds(row.channel_id)
                && self.channels.as_ref().is_none_or(|channels| channels.contains(&row.channel_id))
        };
        let stays: Vec<_> = held.iter().filter(|row| !goes(row)).cloned().collect();
        if stays.len() == held.len() && row.status == ProductStatus::Draft {
            return Ok(row);
        }
        put(tx, row, stays, "product.unpublished").await
    }
}

/// Takes a product out of the shop and keeps it for its orders, or brings it
/// back as a draft, which still knows its channels.
#[derive(Debug, Clone)]
pub struct ArchiveProduct {
    /// Which product.
    pub id: ProductId,
    /// Whether it goes; otherwise it comes back.
    pub archived: bool,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for ArchiveProduct {
    const NAME: &'static str = "product.archive";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("product"))?;
        check_version(self.expected_version, row.version)?;
        let before = row.status;
        if (before == ProductStatus::Archived) == self.archived {
            return Ok(row);
        }
        refuse_out_of_scope(tx, row.id).await?;
        row.status = if self.archived { ProductStatus::Archived } else { ProductStatus::Draft };
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update(tx, row).await?;
        let kind = if self.archived { "product.archived" } else { "product.unarchived" };
        tx.emit(Aggregate::new("product", row.id), kind, json!({ "version": row.version }));
        tx.audit(row.id, Some(json!({ "status": before })), Some(json!({ "status": row.status })));
        Ok(row)
    }
}
