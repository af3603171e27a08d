//! What happens to notifications: taken, settled, lost, sent again; and the
//! texts that staff write.

use chrono::TimeDelta;
use domain::auth::Permission;
use domain::id::{ChannelId, NotificationId};
use domain::notification::{About, MAX_OVERRIDES, NotificationState, NotificationTemplate, retry_after};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Email;
use entity::{notification, notification_text};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::render::{self, Text};
use super::{LEASE, repo};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::op::{Op, Repeatable, Tx};
use crate::version::check_version;

/// The longest error that is kept, in characters.
const MAX_ERROR: usize = 500;

/// Says that a notification is being sent, before it is; answers with it, or
/// with nothing when another process has it.
#[derive(Debug, Clone, Copy)]
pub struct Claim(pub NotificationId);

impl Op for Claim {
    const NAME: &'static str = "notification.claim";
    const NEEDS: Need = Need::System;
    type Out = Option<notification::Model>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<notification::Model>> {
        if !repo::claim(tx, self.0, tx.now() + LEASE).await? {
            return Ok(None);
        }
        repo::find(&tx.conn, self.0).await
    }
}

/// What became of a try.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was taken.
    Sent {
        /// Where it went.
        to: Email,
        /// Its name in the world.
        message_id: String,
    },
    /// Nobody took it; another try may work.
    NotTaken(String),
    /// It was refused.
    Refused(String),
    /// It may have been taken.
    Unknown(String),
    /// It was not worth a try.
    Pointless(String),
}

/// Writes what became of a try.
#[derive(Debug, Clone)]
pub struct Settle {
    /// Which notification.
    pub id: NotificationId,
    /// What became of it.
    pub outcome: Outcome,
}

impl Op for Settle {
    const NAME: &'static str = "notification.settle";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let Some(mut row) = repo::lock(tx, self.id).await? else { return Ok(()) };
        // A process that was taken for lost comes back with the truth.
        if !matches!(row.state, NotificationState::Sending | NotificationState::Unknown) {
            return Ok(());
        }
        let erased = row.recipient.is_none();
        let kept = |text: &str| (!erased).then(|| text.chars().take(MAX_ERROR).collect::<String>());
        row.due_at = None;
        match &self.outcome {
            Outcome::Sent { to, message_id } => {
                row.state = NotificationState::Sent;
                row.sent_at = Some(tx.now());
                row.message_id = Some(message_id.clone());
                row.error = None;
                row.recipient = Some(to.clone()).filter(|_| !erased);
            }
            Outcome::NotTaken(error) => {
                row.error = kept(error);
                match retry_after(row.attempts).filter(|_| !erased) {
                    Some(seconds) => {
                        row.state = NotificationState::Pending;
                        row.due_at = Some(tx.now() + TimeDelta::seconds(seconds));
                    }
                    None => row.state = NotificationState::Failed,
                }
            }
            Outcome::Refused(error) => {
                row.state = NotificationState::Failed;
                row.error = kept(error);
            }
            Outcome::Unknown(error) => {
                row.state = NotificationState::Unknown;
                row.error = kept(error);
            }
            Outcome::Pointless(reason) => {
                row.state = NotificationState::Skipped;
                row.error = Some(reason.clone());
            }
        }
        if row.forget_copy {
            // The person was erased while it was being sent: what was written meanwhile goes, too.
            row.due_at = Some(tx.now());
        }
        row.version += 1;
        row.updated_at = tx.now();
        repo::update(tx, row).await?;
        Ok(())
    }
}

/// Gives up a notification whose process was lost while sending.
#[derive(Debug, Clone, Copy)]
pub struct Lose(pub NotificationId);

impl Op for Lose {
    const NAME: &'static str = "notification.lose";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let Some(mut row) = repo::lock(tx, self.0).await? else { return Ok(()) };
        if row.state != NotificationState::Sending || row.due_at.is_none_or(|due| due > tx.now()) {
            return Ok(());
        }
        row.state = NotificationState::Unknown;
        row.error = Some("The process ended while it was being sent; it may have arrived.".to_owned());
        row.due_at = row.forget_copy.then(|| tx.now());
        row.version += 1;
        row.updated_at = tx.now();
        repo::update(tx, row).await?;
        Ok(())
    }
}

/// Notes that the provider's copy of a mail is gone.
#[derive(Debug, Clone, Copy)]
pub struct Forgotten(pub NotificationId);

impl Op for Forgotten {
    const NAME: &'static str = "notification.forget";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let Some(mut row) = repo::lock(tx, self.0).await? else { return Ok(()) };
        if row.forget_copy && row.state.is_final() {
            row.forget_copy = false;
            row.due_at = None;
            row.version += 1;
            row.updated_at = tx.now();
            repo::update(tx, row).await?;
        }
        Ok(())
    }
}

/// Sends a notification once more, with what is true now and a new token. The
/// one that was sent stays as it was.
#[derive(Debug, Clone, Serialize)]
pub struct Resend(pub NotificationId);

impl Op for Resend {
    const NAME: &'static str = "notification.resend";
    const NEEDS: Need = Need::Everywhere(Permission::CustomersWrite);
    type Out = NotificationId;

    async fn run(&self, tx: &mut Tx) -> Result<NotificationId> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such notification.").at(["id"]);
        let found = repo::find(&tx.conn, self.0).await?.ok_or_else(missing)?;
        // Held first, so that nobody is erased while his mailbox is copied.
        repo::hold_customers(tx, found.customer_id.as_slice()).await?;
        repo::hold_orders(tx, found.order_id.as_slice()).await?;
        crate::ledger::repo::hold_all(tx, found.ledger_account_id.as_slice()).await?;
        let first = repo::lock(tx, self.0).await?.ok_or_else(missing)?;
        let about_staff = first.template.about() == About::Staff;
        if about_staff && tx.actor().check(Need::Everywhere(Permission::AccessWrite)).is_err() {
            return Err(missing().into());
        }
        let refuse = |message: &str| Refusal::new(ErrorCode::StateInvalid, message).at(["id"]).about(first.id);
        if !first.state.is_final() {
            return Err(refuse("It has not been sent yet: wait for it.").into());
        }
        if first.recipient.is_none() {
            return Err(refuse("Whom it was for has been erased.").into());
        }
        let row = notification::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            event_id: None,
            state: NotificationState::Pending,
            attempts: 0,
            due_at: Some(tx.now()),
            sent_at: None,
            message_id: None,
            error: None,
            resend_of: Some(first.id),
            forget_copy: false,
            ..first
        };
        let row = repo::insert(tx, row).await?;
        tx.audit(row.id, None, Some(json!({ "resendOf": row.resend_of, "template": row.template })));
        Ok(row.id)
    }
}

impl Repeatable for Resend {
    fn entity(out: &NotificationId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<NotificationId> {
        Ok(entity.into())
    }
}

/// Writes the text of a kind of mail for a language.
#[derive(Debug, Clone)]
pub struct SetText {
    /// Which kind.
    pub template: NotificationTemplate,
    /// For this channel alone; for the whole shop when absent.
    pub channel: Option<ChannelId>,
    /// In which language.
    pub locale: String,
    /// The version that staff saw, when there is a text of theirs already.
    pub expected_version: Option<i32>,
    /// The templates.
    pub text: Text,
}

async fn known(tx: &mut Tx, channel: Option<ChannelId>, refusals: &mut Refusals) -> Result<()> {
    let settings = tx.settings().await?;
    if channel.is_some_and(|id| !settings.channels.iter().any(|row| row.id == id)) {
        refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such channel.").at(["channelId"]));
    }
    Ok(())
}

impl Op for SetText {
    const NAME: &'static str = "notification_text.set";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = notification_text::Model;

    async fn run(&self, tx: &mut Tx) -> Result<notification_text::Model> {
        let mut refusals = Refusals::default();
        known(tx, self.channel, &mut refusals).await?;
        let locale = refusals.keep(domain::channel::locale(&self.locale).map_err(|refusal| refusal.at(["locale"])));
        refusals.extend(render::check(self.template, &self.text).err().unwrap_or_default());
        refusals.into_result()?;
        let locale = locale.ok_or_else(|| Error::internal("a refusal was lost"))?;
        let before = repo::lock_text(tx, self.template, self.channel, &locale).await?;
        let summary = |row: &notification_text::Model| {
            json!({ "template": row.template, "channel": row.channel_id, "locale": row.locale,
                "subject": row.subject, "text": row.text, "html": row.html })
        };
        let (before, after) = match before {
            Some(before) => {
                check_version(self.expected_version, before.version)?;
                let mut after = before.clone();
                after.version += 1;
                after.updated_at = tx.now();
                after.subject.clone_from(&self.text.subject);
                after.text.clone_from(&self.text.text);
                after.html.clone_from(&self.text.html);
                (Some(summary(&before)), repo::update_text(tx, after).await?)
            }
            None => {
                if repo::count_texts(&tx.conn).await? >= MAX_OVERRIDES as u64 {
                    let message = format!("A shop has at most {MAX_OVERRIDES} texts of its own.");
                    return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_OVERRIDES as i64).into());
                }
                let row = notification_text::Model {
                    id: tx.id(),
                    version: 1,
                    created_at: tx.now(),
                    updated_at: tx.now(),
                    template: self.template,
                    channel_id: self.channel,
                    locale,
                    subject: self.text.subject.clone(),
                    text: self.text.text.clone(),
                    html: self.text.html.clone(),
                };
                (None, repo::insert_text(tx, row).await?)
            }
        };
        tx.audit(after.id, before, Some(summary(&after)));
        Ok(after)
    }
}

/// Takes a text of staff's away: what is behind it counts again.
#[derive(Debug, Clone)]
pub struct ResetText {
    /// Of which kind.
    pub template: NotificationTemplate,
    /// For this channel; for the whole shop when absent.
    pub channel: Option<ChannelId>,
    /// In which language.
    pub locale: String,
}

impl Op for ResetText {
    const NAME: &'static str = "notification_text.reset";
    const NEEDS: Need = Need::Everywhere(Permission::SettingsWrite);
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let missing =
            || Refusal::new(ErrorCode::NotFound, "There is no text of your own in this language.").at(["locale"]);
        let row = repo::lock_text(tx, self.template, self.channel, &self.locale).await?.ok_or_else(missing)?;
        repo::delete_text(tx, &row).await?;
        let before = json!({ "template": row.template, "channel": row.channel_id, "locale": row.locale,
            "subject": row.subject, "text": row.text, "html": row.html });
        tx.audit(row.id, Some(before), None);
        Ok(())
    }
}
