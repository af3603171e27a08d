//! What staff change about channels.

use domain::auth::Permission;
use domain::cart::{LEAST_PAUSE_MINUTES, MOST_PAUSE_MINUTES, PAUSE_MINUTES};
use domain::channel::{MAX_CHANNELS, MAX_KEYS, locale, storefront_url};
use domain::id::{ChannelId, PublishableKeyId, RegionId};
use domain::inventory::{AllocationPolicy, MAX_HOLD_MINUTES};
use domain::locale::Locales;
use domain::notification::link::{LinkKind, LinkPaths};
use domain::notification::sender::Sender;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::{Handle, title};
use entity::{channel, publishable_key};
use serde_json::json;

use super::repo;
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

const WRITE: Need = Need::Permission(Permission::SettingsWrite);

/// A new channel.
#[derive(Debug, Clone, Default)]
pub struct CreateChannel {
    /// Its name for staff.
    pub name: String,
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The region of carts that name none.
    pub default_region: Option<RegionId>,
    /// The language of requests that name none.
    pub default_locale: Option<String>,
    /// The languages that it speaks besides.
    pub locales: Vec<String>,
    /// Where its storefront is.
    pub storefront_url: Option<String>,
}

impl Op for CreateChannel {
    const NAME: &'static str = "channel.create";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = channel::Model;

    async fn run(&self, tx: &mut Tx) -> Result<channel::Model> {
        let settings = tx.settings().await?;
        let mut refusals = Refusals::default();
        if settings.channels.len() >= MAX_CHANNELS {
            let message = format!("A shop has at most {MAX_CHANNELS} channels.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_CHANNELS as i64));
        }
        let name = refusals.keep(title(&self.name).map_err(|refusal| refusal.at(["name"])));
        let handle = refusals.keep(Handle::given_or_made(self.handle.as_deref(), &self.name));
        let language = self.default_locale.as_deref().unwrap_or("en");
        let default_locale = refusals.keep(locale(language).map_err(|refusal| refusal.at(["defaultLocale"])));
        let locales = Locales::check(&self.locales, language).map_err(|found| refusals.extend(found)).ok();
        let address = self.storefront_url.as_deref().map(storefront_url).transpose();
        let address = refusals.keep(address.map_err(|refusal| refusal.at(["storefrontUrl"])));
        if self.default_region.is_some_and(|id| settings.region(id).is_none()) {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such region.").at(["defaultRegionId"]));
        }
        refusals.into_result()?;
        let (Some(name), Some(handle), Some(default_locale), Some(locales), Some(storefront_url)) =
            (name, handle, default_locale, locales, address)
        else {
            return Err(Error::internal("a refusal was lost"));
        };
        if repo::find_handle(&tx.conn, &handle).await?.is_some() {
            return Err(handle.taken().into());
        }
        let row = channel::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            deleted_at: None,
            handle,
            name,
            default_region_id: self.default_region,
            default_locale,
            locales,
            storefront_url,
            active: true,
            link_paths: None,
            mail_from: None,
            allocation: AllocationPolicy::Priority,
            shows_quantity: false,
            hold_minutes: None,
            abandoned_after_minutes: Some(PAUSE_MINUTES),
        };
        let row = repo::insert(tx, row).await?;
        tx.audit(row.id, None, Some(json!({ "handle": row.handle, "name": row.name })));
        tx.touch_settings().await?;
        crate::pricing::listing::list_channel(tx, row.id).await?;
        Ok(row)
    }
}

/// What staff change about a channel; what is not given stays.
#[derive(Debug, Clone)]
pub struct UpdateChannel {
    /// Which one.
    pub id: ChannelId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// Its name for staff.
    pub name: Option<String>,
    /// The region of carts that name none.
    pub default_region: Change<RegionId>,
    /// The language of requests that name none.
    pub default_locale: Option<String>,
    /// All languages that it speaks besides.
    pub locales: Option<Vec<String>>,
    /// Where its storefront is.
    pub storefront_url: Change<String>,
    /// Where links in mail lead below that; nothing is the default path.
    pub link_paths: Vec<(LinkKind, Option<String>)>,
    /// From whom its mail comes.
    pub mail_from: Change<String>,
    /// Which location gives when several could.
    pub allocation: Option<AllocationPolicy>,
    /// Whether shoppers are told how many pieces there are.
    pub shows_quantity: Option<bool>,
    /// For how many minutes what lies in a cart is held.
    pub hold_minutes: Change<i32>,
    /// After how many minutes without a change a cart is told to be abandoned.
    pub abandoned_after_minutes: Change<i32>,
    /// Whether it is open.
    pub active: Option<bool>,
}

impl UpdateChannel {
    /// A change of nothing.
    pub fn of(id: ChannelId) -> Self {
        Self {
            id,
            expected_version: None,
            name: None,
            default_region: Change::Keep,
            default_locale: None,
            locales: None,
            storefront_url: Change::Keep,
            link_paths: Vec::new(),
            mail_from: Change::Keep,
            allocation: None,
            shows_quantity: None,
            hold_minutes: Change::Keep,
            abandoned_after_minutes: Change::Keep,
            active: None,
        }
    }

    /// Writes how it sells its stock.
    fn change_stock(&self, after: &mut channel::Model, refusals: &mut Refusals) {
        after.allocation = self.allocation.unwrap_or(after.allocation);
        after.shows_quantity = self.shows_quantity.unwrap_or(after.shows_quantity);
        match self.hold_minutes {
            Change::Keep => {}
            Change::Clear => after.hold_minutes = None,
            Change::To(minutes) if (1..=MAX_HOLD_MINUTES).contains(&minutes) => after.hold_minutes = Some(minutes),
            Change::To(_) => {
                let message = format!("Stock is held for 1 to {MAX_HOLD_MINUTES} minutes.");
                let refusal = Refusal::new(ErrorCode::Invalid, message).limit(MAX_HOLD_MINUTES.into());
                refusals.push(refusal.at(["holdMinutes"]));
            }
        }
    }

    /// Writes when its carts count as left.
    fn change_pause(&self, after: &mut channel::Model, refusals: &mut Refusals) {
        let range = LEAST_PAUSE_MINUTES..=MOST_PAUSE_MINUTES;
        match self.abandoned_after_minutes {
            Change::Keep => {}
            Change::Clear => after.abandoned_after_minutes = None,
            Change::To(minutes) if range.contains(&minutes) => after.abandoned_after_minutes = Some(minutes),
            Change::To(_) => {
                let message = format!("A cart is left after {LEAST_PAUSE_MINUTES} to {MOST_PAUSE_MINUTES} minutes.");
                let refusal = Refusal::new(ErrorCode::Invalid, message).limit(MOST_PAUSE_MINUTES.into());
                refusals.push(refusal.at(["abandonedAfterMinutes"]));
            }
        }
    }

    /// Writes what mail needs to know.
    fn change_mail(&self, after: &mut channel::Model, refusals: &mut Refusals) {
        let mut paths = after.link_paths.take().unwrap_or_default();
        for (kind, path) in &self.link_paths {
            let checked = path.as_deref().map(|path| kind.check(path)).transpose();
            if let Some(path) = refusals.keep(checked.map_err(|refusal| refusal.at(["linkPaths", kind.field()]))) {
                *paths.own_mut(*kind) = path;
            }
        }
        after.link_paths = Some(paths).filter(|paths| *paths != LinkPaths::default());
        match &self.mail_from {
            Change::Keep => {}
            Change::Clear => after.mail_from = None,
            Change::To(text) => {
                let sender = text.parse::<Sender>().map_err(|refusal| refusal.at(["mailFrom"]));
                after.mail_from = refusals.keep(sender).map(|sender| sender.to_string());
            }
        }
    }
}

impl Op for UpdateChannel {
    const NAME: &'static str = "channel.update";
    const NEEDS: Need = WRITE;
    type Out = channel::Model;

    async fn run(&self, tx: &mut Tx) -> Result<channel::Model> {
        let settings = tx.settings().await?;
        let before = lock_within(tx, self.id).await?.ok_or_else(|| Error::not_found("channel"))?;
        check_version(self.expected_version, before.version)?;
        let mut after = before.clone();
        let mut refusals = Refusals::default();
        if let Some(name) = &self.name
            && let Some(name) = refusals.keep(title(name).map_err(|refusal| refusal.at(["name"])))
        {
            after.name = name;
        }
        if let Some(text) = &self.default_locale
            && let Some(text) = refusals.keep(locale(text).map_err(|refusal| refusal.at(["defaultLocale"])))
        {
            after.default_locale = text;
        }
        let wished = self.locales.as_ref().unwrap_or(&before.locales.0);
        match Locales::check(wished, &after.default_locale) {
            Ok(locales) => after.locales = locales,
            Err(found) => refusals.extend(found),
        }
        match &self.default_region {
            Change::Keep => {}
            Change::Clear => after.default_region_id = None,
            Change::To(id) if settings.region(*id).is_some() => after.default_region_id = Some(*id),
            Change::To(_) => {
                refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such region.").at(["defaultRegionId"]));
            }
        }
        match &self.storefront_url {
            Change::Keep => {}
            Change::Clear => after.storefront_url = None,
            Change::To(text) => {
                after.storefront_url =
                    refusals.keep(storefront_url(text).map_err(|refusal| refusal.at(["storefrontUrl"])));
            }
        }
        self.change_mail(&mut after, &mut refusals);
        self.change_stock(&mut after, &mut refusals);
        self.change_pause(&mut after, &mut refusals);
        if let Some(active) = self.active {
            let others = settings.channels.iter().any(|channel| channel.active && channel.id != self.id);
            if !active && !others {
                refusals
                    .push(Refusal::new(ErrorCode::InUse, "The last active channel can't be closed.").at(["active"]));
            }
            after.active = active;
        }
        refusals.into_result()?;
        after.version += 1;
        after.updated_at = tx.now();
        if after.hold_minutes.is_none() && before.hold_minutes.is_some() {
            crate::inventory::repo::end_holds_of(tx, after.id).await?;
        }
        let after = repo::update(tx, after).await?;
        tx.audit(after.id, Some(summary(&before)), Some(summary(&after)));
        tx.touch_settings().await?;
        Ok(after)
    }
}

/// A new key that names a channel to the store surface.
#[derive(Debug, Clone)]
pub struct CreatePublishableKey {
    /// What staff call it.
    pub title: String,
    /// Which channel it names.
    pub channel: ChannelId,
    /// The key itself, drawn at random by the caller.
    pub token: String,
}

impl Op for CreatePublishableKey {
    const NAME: &'static str = "publishable_key.create";
    const NEEDS: Need = WRITE;
    type Out = publishable_key::Model;

    async fn run(&self, tx: &mut Tx) -> Result<publishable_key::Model> {
        let mut refusals = Refusals::default();
        let name = refusals.keep(title(&self.title).map_err(|refusal| refusal.at(["title"])));
        if lock_within(tx, self.channel).await?.is_none() {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(["channelId"]));
        }
        if repo::count_keys(&tx.conn).await? >= MAX_KEYS as u64 {
            let message = format!("A shop has at most {MAX_KEYS} publishable keys.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_KEYS as i64));
        }
        refusals.into_result()?;
        let row = publishable_key::Model {
            id: tx.id::<PublishableKeyId>(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            token: self.token.clone(),
            title: name.unwrap_or_default(),
            channel_id: self.channel,
            revoked_at: None,
        };
        let row = repo::insert_key(tx, row).await?;
        tx.audit(row.id, None, Some(json!({ "title": row.title, "channel": row.channel_id })));
        tx.touch_settings().await?;
        Ok(row)
    }
}

/// A channel that the caller may change, locked until the transaction ends.
async fn lock_within(tx: &Tx, id: ChannelId) -> Result<Option<channel::Model>> {
    let reach = crate::scope::channels(tx.actor(), Permission::SettingsWrite);
    Ok(repo::lock(tx, id).await?.filter(|row| reach.holds(row.id)))
}

fn summary(row: &channel::Model) -> serde_json::Value {
    json!({
        "name": row.name,
        "defaultRegion": row.default_region_id,
        "defaultLocale": row.default_locale,
        "locales": row.locales,
        "storefrontUrl": row.storefront_url,
        "linkPaths": row.link_paths,
        "mailFrom": row.mail_from,
        "allocation": row.allocation,
        "showsQuantity": row.shows_quantity,
        "holdMinutes": row.hold_minutes,
        "abandonedAfterMinutes": row.abandoned_after_minutes,
        "active": row.active,
    })
}
