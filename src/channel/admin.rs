//! Channels on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use domain::auth::Permission;

use super::types::{AdminChannel, AdminPublishableKey};
use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::input::change;
use crate::api::payload::payload;
use crate::api::scalar::parse_id;
use crate::api::word::Enum;
use domain::inventory::AllocationPolicy;
use domain::notification::link::LinkKind;
use engine::auth::token::random_token;
use engine::channel::KEY_PREFIX;
use engine::channel::ops::{CreateChannel, CreatePublishableKey, UpdateChannel};
use engine::scope;

/// Queries about channels.
#[derive(Debug, Default)]
pub struct ChannelAdminQuery;

#[Object]
impl ChannelAdminQuery {
    /// Every channel that your roles reach, oldest first. A shop has at most 100.
    #[graphql(guard = "settings_read()")]
    async fn channels(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminChannel>> {
        let call = call(ctx)?;
        let reach = scope::channels(&call.caller.actor, Permission::SettingsRead);
        let reached = call.settings.channels.iter().filter(|channel| reach.holds(channel.id));
        Ok(reached.cloned().map(AdminChannel).collect())
    }

    /// One channel.
    #[graphql(guard = "settings_read()")]
    async fn channel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The channel's id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminChannel>> {
        let Ok(id) = parse_id(&id, &["id"]) else { return Ok(None) };
        let call = call(ctx)?;
        let reach = scope::channels(&call.caller.actor, Permission::SettingsRead);
        let mut reached = call.settings.channels.iter().filter(|channel| reach.holds(channel.id));
        Ok(reached.find(|channel| channel.id == id).cloned().map(AdminChannel))
    }
}

/// What a new channel is.
#[derive(Debug, InputObject)]
pub struct AdminChannelCreateInput {
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// Its handle; made from the name when absent.
    pub handle: Option<String>,
    /// The region of carts that name none.
    pub default_region_id: Option<ID>,
    /// The language of requests that name none, such as `en` or `pt-BR`; `en` when absent.
    pub default_locale: Option<String>,
    /// The languages that it speaks besides, at most 50.
    pub locales: Option<Vec<String>>,
    /// Where its storefront is, such as `https://shop.example`.
    pub storefront_url: Option<String>,
}

/// What changes about a channel; what you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminChannelUpdateInput {
    /// Which channel.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name, 1 to 255 characters.
    pub name: Option<String>,
    /// The region of carts that name none; null clears it.
    pub default_region_id: MaybeUndefined<ID>,
    /// The language of requests that name none.
    pub default_locale: Option<String>,
    /// All languages that it speaks besides, at most 50.
    pub locales: Option<Vec<String>>,
    /// Where its storefront is; null clears it.
    pub storefront_url: MaybeUndefined<String>,
    /// Where links in mail lead below that.
    pub link_paths: Option<AdminLinkPathsInput>,
    /// From whom its mail comes, such as `Shop <orders@shop.example>`; null is the sender of the whole shop.
    pub mail_from: MaybeUndefined<String>,
    /// Which location gives when several could.
    pub allocation: Option<Enum<AllocationPolicy>>,
    /// Whether shoppers are told how many pieces of a variant there are, as `quantityAvailable`.
    pub shows_quantity: Option<bool>,
    /// For how many minutes what lies in a cart is held for it, 1 to 1440; null: nothing is held.
    pub hold_minutes: MaybeUndefined<i32>,
    /// After how many minutes without a change a cart with lines and somebody to write to counts as abandoned, 5 to 10080;
    /// null: none does.
    pub abandoned_after_minutes: MaybeUndefined<i32>,
    /// Whether it is open. The last open channel can't be closed.
    pub active: Option<bool>,
}

/// Where links in mail lead: paths that begin with a slash, at most 500 characters each. Each but `account`, `cart` and `product`
/// holds `{token}`; those to an order and to its payment may hold `{orderId}`. Null is the default again, what you leave out stays.
#[derive(Debug, Default, InputObject)]
pub struct AdminLinkPathsInput {
    /// To an order.
    pub order: MaybeUndefined<String>,
    /// To the page that pays what an order owes, with the token for `paymentLink` and `orderPay`.
    pub payment: MaybeUndefined<String>,
    /// To the proof of a new account's mailbox.
    pub verification: MaybeUndefined<String>,
    /// To a new password.
    pub recovery: MaybeUndefined<String>,
    /// To the proof of the mailbox that an account shall have.
    pub email_change: MaybeUndefined<String>,
    /// To what was bought as a guest.
    pub order_claim: MaybeUndefined<String>,
    /// To the account.
    pub account: MaybeUndefined<String>,
    /// To a product; it holds `{handle}` and no token.
    pub product: MaybeUndefined<String>,
    /// To a cart; it may hold `{cartId}` and no token.
    pub cart: MaybeUndefined<String>,
    /// To the first log-in of a member of staff.
    pub staff_invitation: MaybeUndefined<String>,
    /// To a new password of a member of staff.
    pub staff_recovery: MaybeUndefined<String>,
}

impl AdminLinkPathsInput {
    /// What changes: the kind with its path, none for the default.
    fn changes(self) -> Vec<(LinkKind, Option<String>)> {
        [
            (LinkKind::Order, self.order),
            (LinkKind::Payment, self.payment),
            (LinkKind::Verification, self.verification),
            (LinkKind::Recovery, self.recovery),
            (LinkKind::EmailChange, self.email_change),
            (LinkKind::OrderClaim, self.order_claim),
            (LinkKind::Account, self.account),
            (LinkKind::Product, self.product),
            (LinkKind::Cart, self.cart),
            (LinkKind::StaffInvitation, self.staff_invitation),
            (LinkKind::StaffRecovery, self.staff_recovery),
        ]
        .into_iter()
        .filter(|(_, path)| !path.is_undefined())
        .map(|(kind, path)| (kind, path.take()))
        .collect()
    }
}

/// What a new publishable key is.
#[derive(Debug, InputObject)]
pub struct AdminPublishableKeyCreateInput {
    /// What staff call it, 1 to 255 characters.
    pub title: String,
    /// The channel that it names.
    pub channel_id: ID,
}

payload! {
    /// What `channelCreate` did.
    AdminChannelCreatePayload {
        /// The new channel.
        channel: AdminChannel
    }
}

payload! {
    /// What `channelUpdate` did.
    AdminChannelUpdatePayload {
        /// The channel as it is now.
        channel: AdminChannel
    }
}

payload! {
    /// What `publishableKeyCreate` did.
    AdminPublishableKeyCreatePayload {
        /// The new key.
        publishable_key: AdminPublishableKey
    }
}

/// Mutations of channels.
#[derive(Debug, Default)]
pub struct ChannelAdminMutation;

#[Object]
impl ChannelAdminMutation {
    /// Makes a sales channel. It needs SETTINGS_WRITE without limit to channels or locations.
    #[graphql(guard = "settings_write()")]
    async fn channel_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new channel.")] input: AdminChannelCreateInput,
    ) -> async_graphql::Result<AdminChannelCreatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let default_region = input.default_region_id.as_ref().map(|id| parse_id(id, &["defaultRegionId"]));
            let op = CreateChannel {
                name: input.name,
                handle: input.handle,
                default_region: default_region.transpose()?,
                default_locale: input.default_locale,
                locales: input.locales.unwrap_or_default(),
                storefront_url: input.storefront_url,
            };
            call.app.run(&call.caller, &op).await.map(AdminChannel)
        };
        AdminChannelCreatePayload::answer(outcome.await)
    }

    /// Changes a sales channel.
    #[graphql(guard = "settings_write()")]
    async fn channel_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminChannelUpdateInput,
    ) -> async_graphql::Result<AdminChannelUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = UpdateChannel {
                id: parse_id(&input.id, &["id"])?,
                expected_version: input.expected_version,
                name: input.name,
                default_region: change(input.default_region_id).try_map(|id| parse_id(&id, &["defaultRegionId"]))?,
                default_locale: input.default_locale,
                locales: input.locales,
                storefront_url: change(input.storefront_url),
                link_paths: input.link_paths.unwrap_or_default().changes(),
                mail_from: change(input.mail_from),
                allocation: input.allocation.map(|policy| policy.0),
                shows_quantity: input.shows_quantity,
                hold_minutes: change(input.hold_minutes),
                abandoned_after_minutes: change(input.abandoned_after_minutes),
                active: input.active,
            };
            call.app.run(&call.caller, &op).await.map(AdminChannel)
        };
        AdminChannelUpdatePayload::answer(outcome.await)
    }

    /// Makes a key that names a channel to the store surface. It is no secret:
    /// storefronts carry it openly.
    #[graphql(guard = "settings_write()")]
    async fn publishable_key_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new key.")] input: AdminPublishableKeyCreateInput,
    ) -> async_graphql::Result<AdminPublishableKeyCreatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = CreatePublishableKey {
                title: input.title,
                channel: parse_id(&input.channel_id, &["channelId"])?,
                token: random_token(KEY_PREFIX),
            };
            call.app.run(&call.caller, &op).await.map(AdminPublishableKey::from)
        };
        AdminPublishableKeyCreatePayload::answer(outcome.await)
    }
}
