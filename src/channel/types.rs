//! How a channel looks: to shoppers, and to staff.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::id::ChannelId;
use domain::inventory::AllocationPolicy;
use domain::notification::link::{LinkKind, LinkPaths};
use entity::{channel, publishable_key};

use crate::api::call::{Batch, call, group};
use crate::api::scalar::id;
use crate::api::word::Enum;
use crate::region::types::AdminRegion;
use engine::channel::repo;
use engine::error::Error;

/// The channel that a request is in.
#[derive(Debug, Clone, SimpleObject)]
pub struct Channel {
    /// Its id.
    pub id: ID,
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub name: String,
    /// The language of requests that name none: a BCP 47 tag.
    pub default_locale: String,
    /// The languages that it speaks besides: BCP 47 tags, at most 50. Ask for one with `Accept-Language`.
    pub locales: Vec<String>,
}

impl From<&channel::Model> for Channel {
    fn from(row: &channel::Model) -> Self {
        Self {
            id: id(row.id),
            handle: row.handle.to_string(),
            name: row.name.clone(),
            default_locale: row.default_locale.clone(),
            locales: row.locales.0.clone(),
        }
    }
}

/// A sales channel as staff see it.
#[derive(Debug, Clone)]
pub struct AdminChannel(pub channel::Model);

/// A sales channel as staff see it.
#[Object]
impl AdminChannel {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Its handle.
    async fn handle(&self) -> &str {
        self.0.handle.as_str()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it is open.
    async fn active(&self) -> bool {
        self.0.active
    }

    /// The language of requests that name none: a BCP 47 tag.
    async fn default_locale(&self) -> &str {
        &self.0.default_locale
    }

    /// The languages that it speaks besides: BCP 47 tags, at most 50.
    async fn locales(&self) -> &[String] {
        &self.0.locales.0
    }

    /// The region of carts that name none.
    async fn default_region(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminRegion>> {
        let settings = &call(ctx)?.settings;
        let region = self.0.default_region_id.and_then(|id| settings.region(id));
        Ok(region.cloned().map(AdminRegion))
    }

    /// Where its storefront is: what links in mail begin with.
    async fn storefront_url(&self) -> Option<&str> {
        self.0.storefront_url.as_deref()
    }

    /// Where links in mail lead, below the storefront's address.
    async fn link_paths(&self) -> AdminLinkPaths {
        AdminLinkPaths::of(&self.0.link_paths.clone().unwrap_or_default())
    }

    /// From whom its mail comes, such as `Shop <orders@shop.example>`; null is the sender of the whole shop.
    async fn mail_from(&self) -> Option<&str> {
        self.0.mail_from.as_deref()
    }

    /// Which location gives when several could.
    async fn allocation(&self) -> Enum<AllocationPolicy> {
        Enum(self.0.allocation)
    }

    /// Whether shoppers are told how many pieces of a variant there are, as `quantityAvailable`.
    async fn shows_quantity(&self) -> bool {
        self.0.shows_quantity
    }

    /// For how many minutes what lies in a cart is held for it; null: nothing is held.
    async fn hold_minutes(&self) -> Option<i32> {
        self.0.hold_minutes
    }

    /// After how many minutes without a change a cart with lines and somebody to write to counts as abandoned, which the
    /// event `cart.abandoned` and `abandonedCarts` tell; null: none does.
    async fn abandoned_after_minutes(&self) -> Option<i32> {
        self.0.abandoned_after_minutes
    }

    /// The publishable keys that name it and are in force.
    async fn publishable_keys(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPublishableKey>> {
        let keys = call(ctx)?.load(KeysOf(self.0.id)).await?;
        Ok(keys.iter().cloned().map(AdminPublishableKey::from).collect())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Where links in mail lead: paths below the storefront's address. `{token}` stands for what the link opens with,
/// `{orderId}` for the order's id.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminLinkPaths {
    /// To an order.
    pub order: String,
    /// To the page that pays what an order owes; `{orderId}` stands for the order's id.
    pub payment: String,
    /// To the proof of a new account's mailbox.
    pub verification: String,
    /// To a new password.
    pub recovery: String,
    /// To the proof of the mailbox that an account shall have.
    pub email_change: String,
    /// To what was bought as a guest.
    pub order_claim: String,
    /// To the account.
    pub account: String,
    /// To a product; `{handle}` stands for its handle.
    pub product: String,
    /// To a cart; `{cartId}` stands for its id.
    pub cart: String,
    /// To the first log-in of a member of staff.
    pub staff_invitation: String,
    /// To a new password of a member of staff.
    pub staff_recovery: String,
}

impl AdminLinkPaths {
    fn of(paths: &LinkPaths) -> Self {
        let path = |kind| paths.path(kind).to_owned();
        Self {
            order: path(LinkKind::Order),
            payment: path(LinkKind::Payment),
            verification: path(LinkKind::Verification),
            recovery: path(LinkKind::Recovery),
            email_change: path(LinkKind::EmailChange),
            order_claim: path(LinkKind::OrderClaim),
            account: path(LinkKind::Account),
            product: path(LinkKind::Product),
            cart: path(LinkKind::Cart),
            staff_invitation: path(LinkKind::StaffInvitation),
            staff_recovery: path(LinkKind::StaffRecovery),
        }
    }
}

/// A key that names a channel to the store surface. It is no secret.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPublishableKey {
    /// Its id.
    pub id: ID,
    /// What the storefront sends as `X-Publishable-Key`.
    pub token: String,
    /// What staff call it.
    pub title: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl From<publishable_key::Model> for AdminPublishableKey {
    fn from(row: publishable_key::Model) -> Self {
        Self { id: id(row.id), token: row.token, title: row.title, created_at: row.created_at }
    }
}

/// The keys of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeysOf(pub ChannelId);

impl Loader<KeysOf> for Batch {
    type Value = Arc<Vec<publishable_key::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[KeysOf]) -> Result<HashMap<KeysOf, Self::Value>, Self::Error> {
        let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::keys_of(&self.conn, &ids).await?;
        Ok(group(rows.into_iter().map(|row| (KeysOf(row.channel_id), row))))
    }
}
