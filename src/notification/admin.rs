//! Mail on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::NotificationId;
use domain::notification::{About, NotificationState, NotificationTemplate};
use domain::refusal::{ErrorCode, Refusal};

use super::types::{
    AdminNotification, AdminNotificationConnection, AdminNotificationDraftInput, AdminNotificationPreview,
    AdminNotificationTemplate,
};
use crate::api::call::{Call, call};
use crate::api::guard::{
    customers_read_everywhere, customers_write_everywhere, settings_read_everywhere, settings_write_everywhere,
};
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::parse_id;
use crate::api::word::Enum;
use engine::actor::Need;
use engine::error::{Error, Result};
use engine::notification::compose::{self, Preview};
use engine::notification::ops::{Resend, ResetText, SetText};
use engine::notification::render::Text;
use engine::notification::repo::{self, NotificationFilter};
use engine::op::IdempotencyKey;

/// What notifications must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminNotificationFilter {
    /// In one of these.
    pub states: Option<Vec<Enum<NotificationState>>>,
    /// Of one of these kinds.
    pub templates: Option<Vec<Enum<NotificationTemplate>>>,
    /// About this order.
    pub order_id: Option<ID>,
    /// About this customer's account or orders.
    pub customer_id: Option<ID>,
    /// To this mailbox, whatever its capitals.
    pub to: Option<String>,
    /// Asked for at this moment or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Asked for before this moment.
    pub created_before: Option<DateTime<Utc>>,
}

impl AdminNotificationFilter {
    fn read(self, with_staff: bool) -> Result<NotificationFilter> {
        fn bare<W: domain::word::Word>(words: Vec<Enum<W>>, name: &str) -> Result<Vec<W>> {
            if words.len() > W::ALL.len() {
                let refusal = Refusal::new(ErrorCode::TooMany, "There are not so many.").limit(W::ALL.len() as i64);
                return Err(refusal.at(["filter", name]).into());
            }
            Ok(words.into_iter().map(|word| word.0).collect())
        }
        let email = self.to.as_deref().map(str::parse).transpose();
        Ok(NotificationFilter {
            states: self.states.map(|words| bare(words, "states")).transpose()?,
            templates: self.templates.map(|words| bare(words, "templates")).transpose()?,
            order: self.order_id.as_ref().map(|id| parse_id(id, &["filter", "orderId"])).transpose()?,
            customer: self.customer_id.as_ref().map(|id| parse_id(id, &["filter", "customerId"])).transpose()?,
            recipient: email.map_err(|refusal: Refusal| refusal.at(["filter", "to"]))?,
            from: self.created_from,
            before: self.created_before,
            with_staff,
        })
    }
}

/// Whether the caller sees mail to staff.
fn sees_staff(call: &Call) -> bool {
    call.caller.actor.check(Need::Everywhere(Permission::AccessRead)).is_ok()
}

/// A notification, if the caller may see it.
pub async fn find(call: &Call, id: NotificationId) -> Result<Option<AdminNotification>> {
    let row = repo::find(&call.conn(), id).await?;
    let seen = row.filter(|row| row.template.about() != About::Staff || sees_staff(call));
    Ok(seen.map(AdminNotification::from))
}

/// Queries about mail.
#[derive(Debug, Default)]
pub struct NotificationAdminQuery;

#[Object]
impl NotificationAdminQuery {
    /// All mail that the shop sent or will send, the newest first. Mail to staff is in it for those who may see staff.
    #[graphql(guard = "customers_read_everywhere()")]
    #[allow(clippy::too_many_arguments)]
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the notifications must be.")] filter: Option<AdminNotificationFilter>,
        #[graphql(desc = "Which way the list runs; the newest first when absent.")] direction: Option<SortDirection>,
    ) -> async_graphql::Result<AdminNotificationConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default().read(sees_staff(call))?;
            let descending = direction != Some(SortDirection::Asc);
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, descending, &("notifications", descending, &filter))?;
            repo::page(&call.conn(), &filter, page, count).await
        };
        outcome.await.map(AdminNotificationConnection::from).map_err(top_level)
    }

    /// One mail that the shop sent or will send; null when there is none.
    #[graphql(guard = "customers_read_everywhere()")]
    async fn notification(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The notification's id.")] id: ID,
    ) -> async_graphql::Result<Option<AdminNotification>> {
        let Ok(id) = parse_id(&id, &["id"]) else { return Ok(None) };
        find(call(ctx)?, id).await.map_err(top_level)
    }

    /// The texts that staff wrote, at most 250, by kind and language. What they did not write is built in.
    #[graphql(guard = "settings_read_everywhere()")]
    async fn notification_templates(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this kind of mail; of all when absent.")] template: Option<Enum<NotificationTemplate>>,
    ) -> async_graphql::Result<Vec<AdminNotificationTemplate>> {
        let rows = repo::texts(&call(ctx)?.conn(), template.map(|word| word.0)).await.map_err(top_level)?;
        Ok(rows.into_iter().map(AdminNotificationTemplate::from).collect())
    }

    /// The text with which a kind of mail is sent. The language itself comes first, then the same without its
    /// region, then the channel's default, then English; in each language the channel's own text, then the shop's,
    /// then what is built in.
    #[graphql(guard = "settings_read_everywhere()")]
    async fn notification_template(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which kind of mail.")] template: Enum<NotificationTemplate>,
        #[graphql(desc = "In which language: a BCP 47 tag; the channel's default when absent.")] locale: Option<String>,
        #[graphql(desc = "As this channel sends it; the shop's first when absent.")] channel_id: Option<ID>,
    ) -> async_graphql::Result<AdminNotificationTemplate> {
        let call = call(ctx)?;
        let outcome = async {
            let channel = match channel_id.as_ref().map(|id| parse_id(id, &["channelId"])).transpose()? {
                Some(id) => call.settings.channels.iter().find(|row| row.id == id).ok_or_else(no_channel)?,
                None => call.settings.default_channel()?,
            };
            let locale = locale.unwrap_or_else(|| channel.default_locale.clone());
            let locale = domain::channel::locale(&locale).map_err(|refusal| refusal.at(["locale"]))?;
            let texts = repo::texts(&call.conn(), Some(template.0)).await?;
            let chosen = compose::choose(template.0, channel, &locale, &texts);
            let chosen = chosen.ok_or_else(|| Error::internal("a kind of mail has no text"))?;
            Ok::<_, Error>(AdminNotificationTemplate::chosen(template.0, chosen))
        };
        outcome.await.map_err(top_level)
    }

    /// A mail as it would be, about a real order or customer or, without one, about a sample. Nothing is sent and no
    /// token is made: its links open nothing. An order needs `ORDERS_READ`, a customer `CUSTOMERS_READ`.
    #[graphql(guard = "settings_read_everywhere()")]
    #[allow(clippy::too_many_arguments)]
    async fn notification_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which kind of mail.")] template: Enum<NotificationTemplate>,
        #[graphql(desc = "About this order, for mail about orders.")] order_id: Option<ID>,
        #[graphql(desc = "About this customer, for mail about accounts.")] customer_id: Option<ID>,
        #[graphql(desc = "In this language: a BCP 47 tag; that of the order or customer when absent.")] locale: Option<
            String,
        >,
        #[graphql(desc = "As this channel sends it; the order's, or the shop's first, when absent.")]
        channel_id: Option<ID>,
        #[graphql(desc = "With this text instead of the one that is kept.")] draft: Option<AdminNotificationDraftInput>,
    ) -> async_graphql::Result<AdminNotificationPreview> {
        let call = call(ctx)?;
        let outcome = async {
            let wish = Preview {
                template: template.0,
                order: order_id.as_ref().map(|id| parse_id(id, &["orderId"])).transpose()?,
                customer: customer_id.as_ref().map(|id| parse_id(id, &["customerId"])).transpose()?,
                locale,
                channel: channel_id.as_ref().map(|id| parse_id(id, &["channelId"])).transpose()?,
                draft: draft.map(Text::from),
            };
            // Who writes texts sees nobody's order by it: what he may not read is not there.
            for (asked, permission, name) in [
                (wish.order.is_some(), Permission::OrdersRead, "orderId"),
                (wish.customer.is_some(), Permission::CustomersRead, "customerId"),
            ] {
                if asked && call.caller.actor.check(Need::Everywhere(permission)).is_err() {
                    return Err(Refusal::new(ErrorCode::NotFound, "There is nothing with this id.").at([name]).into());
                }
            }
            compose::preview(&call.app, &call.conn(), &wish).await
        };
        outcome.await.map(Into::into).map_err(top_level)
    }
}

fn no_channel() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(["channelId"])
}

/// Which mail is sent once more.
#[derive(Debug, InputObject)]
pub struct AdminNotificationResendInput {
    /// Your name for this intention, 1 to 255 characters: the same key again has the same effect once.
    pub idempotency_key: String,
    /// Which notification.
    pub id: ID,
}

/// The text of a kind of mail.
#[derive(Debug, InputObject)]
pub struct AdminNotificationTemplateSetInput {
    /// Which kind of mail.
    pub template: Enum<NotificationTemplate>,
    /// For this channel alone; for the whole shop when absent.
    pub channel_id: Option<ID>,
    /// In which language: a BCP 47 tag.
    pub locale: String,
    /// The version that you read, when there is a text of your own; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// The subject, at most 500 characters; sent in one line of at most 250.
    pub subject: String,
    /// The body as plain text, at most 65536 bytes.
    pub text: String,
    /// The body as HTML, at most 65536 bytes: a piece, which is put into a plain page, or a page of its own.
    pub html: String,
}

/// Which text of your own is taken away.
#[derive(Debug, InputObject)]
pub struct AdminNotificationTemplateResetInput {
    /// Of which kind of mail.
    pub template: Enum<NotificationTemplate>,
    /// For this channel; for the whole shop when absent.
    pub channel_id: Option<ID>,
    /// In which language: a BCP 47 tag.
    pub locale: String,
}

payload! {
    /// What `notificationResend` did.
    AdminNotificationResendPayload {
        /// The new notification; the one that was sent before stays as it was.
        notification: AdminNotification
    }
}

payload! {
    /// What `notificationTemplateSet` did.
    AdminNotificationTemplateSetPayload {
        /// The text as it is now.
        notification_template: AdminNotificationTemplate
    }
}

payload! {
    /// What `notificationTemplateReset` did.
    AdminNotificationTemplateResetPayload {
        /// What mail of this kind says from now on, in this language and channel.
        notification_template: AdminNotificationTemplate
    }
}

/// Mutations of mail.
#[derive(Debug, Default)]
pub struct NotificationAdminMutation;

#[Object]
impl NotificationAdminMutation {
    /// Sends a mail once more, with what is true now; a token in it is a new one and ends the older. Mail to staff
    /// needs `ACCESS_WRITE` besides.
    #[graphql(guard = "customers_write_everywhere()")]
    async fn notification_resend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which mail.")] input: AdminNotificationResendInput,
    ) -> async_graphql::Result<AdminNotificationResendPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = Resend(parse_id(&input.id, &["id"])?);
            let key = IdempotencyKey { actor: call.caller.actor.to_string(), key: input.idempotency_key };
            let id = call.app.run_once(&call.caller, &op, key).await?;
            let row = repo::find(&call.conn(), id).await?;
            Ok::<_, Error>(AdminNotification::from(row.ok_or_else(|| Error::internal("a notification vanished"))?))
        };
        AdminNotificationResendPayload::answer(outcome.await)
    }

    /// Writes the text of a kind of mail for a language. A template that does not work, or that names a variable
    /// that is not there, is refused with its line.
    #[graphql(guard = "settings_write_everywhere()")]
    async fn notification_template_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The text.")] input: AdminNotificationTemplateSetInput,
    ) -> async_graphql::Result<AdminNotificationTemplateSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = SetText {
                template: input.template.0,
                channel: input.channel_id.as_ref().map(|id| parse_id(id, &["channelId"])).transpose()?,
                locale: input.locale,
                expected_version: input.expected_version,
                text: Text { subject: input.subject, text: input.text, html: input.html },
            };
            call.app.run(&call.caller, &op).await.map(AdminNotificationTemplate::from)
        };
        AdminNotificationTemplateSetPayload::answer(outcome.await)
    }

    /// Takes a text of your own away: what stands behind it counts again.
    #[graphql(guard = "settings_write_everywhere()")]
    async fn notification_template_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which text.")] input: AdminNotificationTemplateResetInput,
    ) -> async_graphql::Result<AdminNotificationTemplateResetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let template = input.template.0;
            let channel = input.channel_id.as_ref().map(|id| parse_id(id, &["channelId"])).transpose()?;
            call.app.run(&call.caller, &ResetText { template, channel, locale: input.locale.clone() }).await?;
            let channel = match channel {
                Some(id) => call.settings.channels.iter().find(|row| row.id == id).ok_or_else(no_channel)?,
                None => call.settings.default_channel()?,
            };
            let texts = repo::texts(&call.conn(), Some(template)).await?;
            let chosen = compose::choose(template, channel, &input.locale, &texts);
            let chosen = chosen.ok_or_else(|| Error::internal("a kind of mail has no text"))?;
            Ok::<_, Error>(AdminNotificationTemplate::chosen(template, chosen))
        };
        AdminNotificationTemplateResetPayload::answer(outcome.await)
    }
}
