//! How mail looks to staff.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::notification::dialect::variables;
use domain::notification::{NotificationSource, NotificationState, NotificationTemplate};
use entity::{notification, notification_text};

use crate::api::call::call;
use crate::api::page::connection;
use crate::api::scalar::id;
use crate::api::word::Enum;
use crate::channel::types::AdminChannel;
use engine::notification::compose::{Chosen, Previewed};
use engine::notification::context::sample;
use engine::notification::render::Text;

/// A mail that the shop sends by itself, and what became of it.
#[derive(Debug, Clone)]
pub struct AdminNotification(pub notification::Model);

/// A mail that the shop sends by itself, and what became of it.
#[Object]
impl AdminNotification {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Which kind of mail it is.
    async fn template(&self) -> Enum<NotificationTemplate> {
        Enum(self.0.template)
    }

    /// What has become of it.
    async fn state(&self) -> Enum<NotificationState> {
        Enum(self.0.state)
    }

    /// Where it goes; null once the person was erased.
    async fn to(&self) -> Option<&str> {
        self.0.recipient.as_ref().map(|email| email.as_str())
    }

    /// In which language: a BCP 47 tag.
    async fn locale(&self) -> &str {
        &self.0.locale
    }

    /// The channel whose storefront its links lead to.
    async fn channel(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminChannel>> {
        let settings = &call(ctx)?.settings;
        Ok(settings.channels.iter().find(|row| row.id == self.0.channel_id).cloned().map(AdminChannel))
    }

    /// The order that it is about.
    async fn order_id(&self) -> Option<ID> {
        self.0.order_id.map(id)
    }

    /// The fulfillment that it is about.
    async fn fulfillment_id(&self) -> Option<ID> {
        self.0.fulfillment_id.map(id)
    }

    /// The customer whose account or order it is about.
    async fn customer_id(&self) -> Option<ID> {
        self.0.customer_id.map(id)
    }

    /// The member of staff whom it is for.
    async fn staff_id(&self) -> Option<ID> {
        self.0.staff_id.map(id)
    }

    /// How often it was tried.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// When it is tried next, while it waits.
    async fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.0.due_at.filter(|_| self.0.state == NotificationState::Pending)
    }

    /// When the mail server took it, or the file was written.
    async fn sent_at(&self) -> Option<DateTime<Utc>> {
        self.0.sent_at
    }

    /// Its `Message-ID`, by which mail servers know it.
    async fn message_id(&self) -> Option<&str> {
        self.0.message_id.as_deref()
    }

    /// Why it was not sent, in the mail server's own words when it said some.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// The notification that was sent once more with this one.
    async fn resend_of_id(&self) -> Option<ID> {
        self.0.resend_of.map(id)
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

impl From<notification::Model> for AdminNotification {
    fn from(row: notification::Model) -> Self {
        Self(row)
    }
}

connection! {
    /// A page of notifications.
    AdminNotificationConnection, AdminNotificationEdge, AdminNotification, notification::Model
}

/// The text of a kind of mail in a language.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct AdminNotificationTemplate {
    /// Which kind of mail it is.
    pub template: Enum<NotificationTemplate>,
    /// Whose it is.
    pub source: Enum<NotificationSource>,
    /// The channel that it is for; null for the whole shop.
    pub channel_id: Option<ID>,
    /// In which language: a BCP 47 tag.
    pub locale: String,
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML: a piece, which is put into a plain page, or a page of its own.
    pub html: String,
    /// Rises with every change; send it as `expectedVersion`. Null for what is built in.
    pub version: Option<i32>,
    /// When it was changed last. Null for what is built in.
    pub updated_at: Option<DateTime<Utc>>,
}

#[ComplexObject]
impl AdminNotificationTemplate {
    /// What it may speak of, such as `order.number`. What each entry of a list has stands behind `[]`: in
    /// `{% for line in order.lines %}`, `order.lines[].title` is `line.title`.
    async fn variables(&self) -> async_graphql::Result<Vec<String>> {
        Ok(variables(&sample(self.template.0).value().map_err(crate::api::payload::top_level)?))
    }
}

impl AdminNotificationTemplate {
    /// A text with where it came from.
    pub fn chosen(template: NotificationTemplate, chosen: Chosen) -> Self {
        Self {
            template: Enum(template),
            source: Enum(chosen.source),
            channel_id: chosen.row.as_ref().and_then(|row| row.channel_id).map(id),
            locale: chosen.locale,
            subject: chosen.text.subject,
            text: chosen.text.text,
            html: chosen.text.html,
            version: chosen.row.as_ref().map(|row| row.version),
            updated_at: chosen.row.as_ref().map(|row| row.updated_at),
        }
    }
}

impl From<notification_text::Model> for AdminNotificationTemplate {
    fn from(row: notification_text::Model) -> Self {
        let source = match row.channel_id {
            Some(_) => NotificationSource::Channel,
            None => NotificationSource::Shop,
        };
        Self {
            template: Enum(row.template),
            source: Enum(source),
            channel_id: row.channel_id.map(id),
            locale: row.locale,
            subject: row.subject,
            text: row.text,
            html: row.html,
            version: Some(row.version),
            updated_at: Some(row.updated_at),
        }
    }
}

/// A mail as it would be. Nothing was sent, and its links open nothing.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminNotificationPreview {
    /// The subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// In which language its text is: a BCP 47 tag.
    pub locale: String,
    /// From whom it would come.
    pub from: String,
    /// Where it would go; null for a sample.
    pub to: Option<String>,
    /// Whose text it is; null for a draft.
    pub source: Option<Enum<NotificationSource>>,
}

impl From<Previewed> for AdminNotificationPreview {
    fn from(preview: Previewed) -> Self {
        Self {
            subject: preview.said.subject,
            text: preview.said.text,
            html: preview.said.html,
            locale: preview.locale,
            from: preview.from.to_string(),
            to: preview.to.map(|email| email.to_string()),
            source: preview.source.map(Enum),
        }
    }
}

/// The three parts of a mail: Jinja templates with variables, `if`, `for`, comparisons and the filters `default`,
/// `first`, `last`, `length`, `lower`, `trim` and `upper`. HTML is escaped by itself.
#[derive(Debug, Clone, InputObject)]
pub struct AdminNotificationDraftInput {
    /// The subject, at most 500 characters; sent in one line of at most 250.
    pub subject: String,
    /// The body as plain text, at most 65536 bytes.
    pub text: String,
    /// The body as HTML, at most 65536 bytes: a piece, which is put into a plain page, or a page of its own.
    pub html: String,
}

impl From<AdminNotificationDraftInput> for Text {
    fn from(input: AdminNotificationDraftInput) -> Self {
        Self { subject: input.subject, text: input.text, html: input.html }
    }
}
