//! How a policy looks: to shoppers, and to staff.

use async_graphql::{Context, ID, Object, OneofObject};
use chrono::{DateTime, Utc};
use domain::policy::{PolicyKind, in_force};
use domain::translation::TranslatableField;
use entity::policy;

use super::load::BodyOf;
use crate::api::call::{Call, call};
use crate::api::scalar::id;
use crate::api::word::Enum;
use crate::channel::types::AdminChannel;
use crate::translation::load::{Reader, TextAt};
use engine::policy::repo::Heading;

/// Which legal text is asked for.
#[derive(Debug, OneofObject)]
pub enum PolicyBy {
    /// By what it is about.
    Kind(Enum<PolicyKind>),
    /// By its part of the web address, such as `privacy-policy`.
    Handle(String),
}

impl PolicyBy {
    /// The kind that is asked for, when there is one.
    pub fn kind(self) -> Option<PolicyKind> {
        match self {
            Self::Kind(kind) => Some(kind.0),
            Self::Handle(handle) => PolicyKind::of_handle(&handle),
        }
    }
}

/// A legal text of the merchant, as it counts in the channel of the request.
#[derive(Debug, Clone)]
pub struct Policy(Heading);

impl Policy {
    /// Those that count in the channel of a request.
    pub fn in_force(call: &Call) -> Vec<Self> {
        let headings = call.settings.policies.iter();
        let texts = headings.map(|heading| (heading.kind, heading.channel_id, heading));
        in_force(texts, call.channel.id).into_iter().cloned().map(Self).collect()
    }

    /// What it is about.
    pub fn kind_of(&self) -> PolicyKind {
        self.0.kind
    }
}

/// A legal text of the merchant, as it counts in the channel of the request.
#[Object]
impl Policy {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What it is about.
    async fn kind(&self) -> Enum<PolicyKind> {
        Enum(self.0.kind)
    }

    /// Its part of the web address, the same in every language and channel.
    async fn handle(&self) -> &str {
        self.0.kind.handle()
    }

    /// Its title.
    async fn title(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language: a BCP 47 tag; that of the request when absent.")] locale: Option<String>,
    ) -> async_graphql::Result<String> {
        let text = TextAt::alone(self.0.id, TranslatableField::Title);
        let found = text.read(call(ctx)?, Reader::Shopper, locale.as_deref()).await?;
        Ok(found.unwrap_or_else(|| self.0.title.clone()))
    }

    /// The text as HTML: headings, paragraphs, lists, tables and links, and nothing that runs.
    async fn body_html(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In this language: a BCP 47 tag; that of the request when absent.")] locale: Option<String>,
    ) -> async_graphql::Result<String> {
        let call = call(ctx)?;
        let text = TextAt::alone(self.0.id, TranslatableField::BodyHtml);
        if let Some(found) = text.read(call, Reader::Shopper, locale.as_deref()).await? {
            return Ok(found);
        }
        let body = call.load(BodyOf(self.0.id)).await?;
        Ok(body.to_string())
    }

    /// When it was last changed in the shop's own language.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A legal text of the merchant as staff see it.
#[derive(Debug, Clone)]
pub struct AdminPolicy(pub policy::Model);

/// A legal text of the merchant as staff see it. Write it in other languages with `translationsSet`.
#[Object]
impl AdminPolicy {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// What it is about.
    async fn kind(&self) -> Enum<PolicyKind> {
        Enum(self.0.kind)
    }

    /// The channel that it is for alone; null when it is for every channel without one of its own.
    async fn channel(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<AdminChannel>> {
        let channels = &call(ctx)?.settings.channels;
        Ok(channels.iter().find(|row| Some(row.id) == self.0.channel_id).cloned().map(AdminChannel))
    }

    /// Its part of the web address, the same in every language and channel.
    async fn handle(&self) -> &str {
        self.0.kind.handle()
    }

    /// Its title in the shop's own language.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The text in the shop's own language, as HTML.
    async fn body_html(&self) -> &str {
        &self.0.body_html
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}
