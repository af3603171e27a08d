//! What staff change about collections.

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::catalog::{MAX_ALT, MediaKind, address};
use domain::collection::Condition;
use domain::collection::{CollectionKind, MAX_COLLECTIONS, MAX_RULE_COLLECTIONS, Rule, check_rule};
use domain::id::{ChannelId, CollectionId, MediaId, ProductId};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Handle;
use entity::{collection, collection_channel};
use serde_json::json;

use super::{list, repo};
use crate::actor::Need;
use crate::catalog::texts::{TextChange, Texts};
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

const WRITE: Need = Need::Permission(Permission::CatalogWrite);

/// A picture by its address.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Absolute, or a path of the shop.
    pub url: String,
    /// What is shown or read aloud in its place.
    pub alt: Option<String>,
}

/// A collection as staff want it; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct SetCollection {
    /// Which one; without it the handle says which.
    pub id: Option<CollectionId>,
    /// Its handle; made from the title when neither is given.
    pub handle: Option<String>,
    /// The version that staff saw; 0 when there shall be none yet.
    pub expected_version: Option<i32>,
    /// Its texts.
    pub texts: TextChange,
    /// Its picture.
    pub picture: Change<Picture>,
    /// The rule that chooses its products.
    pub rule: Option<Rule>,
    /// All its products in order.
    pub products: Option<Vec<ProductId>>,
    /// In these channels and in no other; in every open one when it is new and none is named.
    pub channels: Option<Vec<ChannelId>>,
    /// From when on; now when absent, and channels that it is in already stay as they are.
    pub publish_at: Option<DateTime<Utc>>,
}

impl Op for SetCollection {
    const NAME: &'static str = "collection.set";
    const NEEDS: Need = WRITE;
    type Out = collection::Model;

    async fn run(&self, tx: &mut Tx) -> Result<collection::Model> {
        let mut refusals = Refusals::default();
        let (known, handle) = self.lock(tx, &mut refusals).await?;
        if let Some(handle) = &handle
            && known.as_ref().is_some_and(|row| row.handle != *handle)
            && repo::lock_handle(tx, handle).await?.is_some()
        {
            refusals.push(handle.taken());
        }
        let texts = self.texts.apply(known.as_ref().map(texts_of), &mut refusals);
        let rule = self.checked_rule(tx, &mut refusals).await?;
        if self.rule.is_some() && self.products.is_some() {
            let message = "A collection has a rule or a list of products, not both.";
            refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["productIds"]));
        }
        if let Some(products) = &self.products {
            refusals.extend(list::check_products(tx, products, "productIds").await?);
        }
        self.check_number(tx, known.as_ref(), &mut refusals).await?;
        let picture = self.checked_picture(&mut refusals);
        let channels = self.channels(tx, known.as_ref(), &mut refusals).await?;
        refusals.into_result()?;
        let handle = handle.ok_or_else(|| Error::internal("a refusal was lost"))?;
        check_version(self.expected_version, known.as_ref().map_or(0, |row| row.version))?;
        let media_id = match picture {
            Change::Keep => known.as_ref().and_then(|row| row.media_id),
            Change::Clear => None,
            Change::To(picture) => Some(save_picture(tx, known.as_ref(), picture).await?),
        };
        let kept = known.as_ref().filter(|_| self.products.is_none()).and_then(|row| row.rule.clone());
        let rule = match rule {
            Some(rule) => Some(serde_json::to_value(rule).map_err(Error::internal)?),
            None => kept,
        };
        let row = collection::Model {
            id: known.as_ref().map_or_else(|| tx.id(), |row| row.id),
            version: known.as_ref().map_or(1, |row| row.version + 1),
            created_at: known.as_ref().map_or(tx.now(), |row| row.created_at),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            kind: if rule.is_some() { CollectionKind::Rules } else { CollectionKind::Manual },
            title_fold: texts.title.to_lowercase(),
            title: texts.title,
            description_html: texts.description_html,
            seo_title: texts.seo_title,
            seo_description: texts.seo_description,
            media_id,
            rule,
        };
        let row = repo::save(tx, row, known.is_none()).await?;
        self.save_products(tx, row.id).await?;
        if let Some(channels) = channels {
            let rows =
                channels.into_iter().map(|channel| collection_channel::Model { collection_id: row.id, ..channel });
            repo::replace_channels(tx, row.id, rows.collect()).await?;
        }
        // The settings hold the rules: what had one or has one now changes them.
        if row.rule.is_some() || known.as_ref().is_some_and(|row| row.rule.is_some()) {
            tx.touch_settings().await?;
        }
        let kind = if known.is_none() { "collection.created" } else { "collection.changed" };
        tx.emit(Aggregate::new("collection", row.id), kind, json!({ "version": row.version }));
        tx.audit(row.id, known.as_ref().map(summary), Some(summary(&row)));
        Ok(row)
    }
}

fn texts_of(row: &collection::Model) -> Texts {
    Texts {
        title: row.title.clone(),
        description_html: row.description_html.clone(),
        seo_title: row.seo_title.clone(),
        seo_description: row.seo_description.clone(),
    }
}

fn summary(row: &collection::Model) -> serde_json::Value {
    json!({ "handle": row.handle, "title": row.title, "kind": row.kind, "rule": row.rule })
}

impl SetCollection {
    /// The collection that is meant, and the handle that it shall have.
    async fn lock(&self, tx: &Tx, refusals: &mut Refusals) -> Result<(Option<collection::Model>, Option<Handle>)> {
        if let Some(id) = self.id {
            let row = repo::lock(tx, id).await?.ok_or_else(|| Error::not_found("collection"))?;
            let handle = match &self.handle {
                Some(text) => refusals.keep(text.parse().map_err(|refusal: Refusal| refusal.at(["handle"]))),
                None => Some(row.handle.clone()),
            };
            return Ok((Some(row), handle));
        }
        let title = self.texts.title.as_deref().unwrap_or_default();
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), title));
        let known = match &handle {
            Some(handle) => repo::lock_handle(tx, handle).await?,
            None => None,
        };
        Ok((known, handle))
    }

    async fn checked_rule(&self, tx: &Tx, refusals: &mut Refusals) -> Result<Option<Rule>> {
        let Some(rule) = self.rule.clone() else { return Ok(None) };
        let rule = match check_rule(rule) {
            Ok(rule) => rule,
            Err(refused) => {
                refusals.extend(refused);
                return Ok(None);
            }
        };
        for (place, condition) in rule.conditions.iter().enumerate() {
            if let Condition::Category(id) = condition
                && crate::category::repo::by_ids(&tx.conn, &[*id]).await?.is_empty()
            {
                let at = ["rule", "conditions", &place.to_string(), "categoryId"].map(str::to_owned);
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such category.").at(at));
            }
        }
        Ok(Some(rule))
    }

    async fn check_number(&self, tx: &Tx, known: Option<&collection::Model>, refusals: &mut Refusals) -> Result<()> {
        let new_rule = self.rule.is_some() && known.is_none_or(|row| row.kind != CollectionKind::Rules);
        if known.is_some() && !new_rule {
            return Ok(());
        }
        let (all, by_rule) = repo::count(&tx.conn).await?;
        if known.is_none() && all >= MAX_COLLECTIONS {
            let message = format!("A shop has at most {MAX_COLLECTIONS} collections.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_COLLECTIONS as i64));
        }
        if new_rule && by_rule >= MAX_RULE_COLLECTIONS {
            let message = format!("A shop has at most {MAX_RULE_COLLECTIONS} collections by rule.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_RULE_COLLECTIONS as i64).at(["rule"]));
        }
        Ok(())
    }

    fn checked_picture(&self, refusals: &mut Refusals) -> Change<Picture> {
        let Change::To(picture) = &self.picture else { return self.picture.clone() };
        let alt = picture.alt.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        if alt.as_ref().is_some_and(|text| text.chars().nth(MAX_ALT).is_some()) {
            let message = format!("This is longer than {MAX_ALT} characters.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(MAX_ALT as i64).at(["picture", "alt"]));
        }
        match refusals.keep(address(&picture.url).map_err(|refusal| refusal.at(["picture", "url"]))) {
            Some(url) => Change::To(Picture { url, alt }),
            None => Change::Keep,
        }
    }

    /// The channels that it shall be in; none when they stay as they are.
    async fn channels(
        &self,
        tx: &mut Tx,
        known: Option<&collection::Model>,
        refusals: &mut Refusals,
    ) -> Result<Option<Vec<collection_channel::Model>>> {
        let settings = tx.settings().await?;
        let held = match known {
            Some(row) => repo::channels_of(&tx.conn, &[row.id]).await?,
            None => Vec::new(),
        };
        let wanted: Vec<ChannelId> = match (&self.channels, known, self.publish_at) {
            (Some(ids), _, _) => ids.clone(),
            (None, None, _) => {
                settings.channels.iter().filter(|channel| channel.active).map(|channel| channel.id).collect()
            }
            (None, Some(_), Some(_)) => held.iter().map(|row| row.channel_id).collect(),
            (None, Some(_), None) => return Ok(None),
        };
        let mut rows = Vec::with_capacity(wanted.len());
        for (place, channel_id) in wanted.iter().copied().enumerate() {
            let at = ["channelIds".to_owned(), place.to_string()];
            if !settings.channels.iter().any(|channel| channel.id == channel_id) {
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(at));
            } else if wanted[..place].contains(&channel_id) {
                refusals.push(Refusal::new(ErrorCode::Duplicate, "This channel stands here twice.").at(at));
            }
            let before = held.iter().find(|row| row.channel_id == channel_id).map(|row| row.published_at);
            let published_at = self.publish_at.or(before).unwrap_or(tx.now());
            let collection_id = CollectionId(uuid::Uuid::nil());
            rows.push(collection_channel::Model { collection_id, channel_id, published_at });
        }
        Ok(Some(rows))
    }

    async fn save_products(&self, tx: &mut Tx, id: CollectionId) -> Result<()> {
        if self.rule.is_none() && self.products.is_none() {
            return Ok(());
        }
        repo::empty(tx, id).await?;
        let placed: Vec<_> = self.products.iter().flatten().copied().zip(0..).collect();
        repo::put(tx, id, &placed).await
    }
}

/// The medium of a picture: the one that the collection has, if that is it.
async fn save_picture(tx: &mut Tx, known: Option<&collection::Model>, picture: Picture) -> Result<MediaId> {
    if let Some(id) = known.and_then(|row| row.media_id) {
        let held = repo::media_by_ids(&tx.conn, &[id]).await?;
        if held.iter().any(|row| row.url == picture.url && row.alt == picture.alt) {
            return Ok(id);
        }
    }
    let row = crate::media::external(tx.id(), tx.now(), MediaKind::Image, picture.url, picture.alt);
    let id = row.id;
    repo::insert_media(tx, row).await?;
    Ok(id)
}

/// Takes a collection out of the shop; its products stay.
#[derive(Debug, Clone)]
pub struct DeleteCollection {
    /// Which one.
    pub id: CollectionId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteCollection {
    const NAME: &'static str = "collection.delete";
    const NEEDS: Need = WRITE;
    type Out = CollectionId;

    async fn run(&self, tx: &mut Tx) -> Result<CollectionId> {
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("collection"))?;
        check_version(self.expected_version, row.version)?;
        let before = summary(&row);
        row.deleted_at = Some(tx.now());
        row.updated_at = tx.now();
        row.version += 1;
        let row = repo::save(tx, row, false).await?;
        repo::empty(tx, row.id).await?;
        repo::replace_channels(tx, row.id, Vec::new()).await?;
        if row.rule.is_some() {
            tx.touch_settings().await?;
        }
        tx.emit(Aggregate::new("collection", row.id), "collection.deleted", json!({}));
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}
