//! The notification trait, and the providers that are shipped: a folder of
//! files, and a mail server.
//!
//! A provider is called with no transaction open. It says of a mail that was
//! not sent whether it certainly was not: only then is it tried again.

mod file;
mod message;
mod smtp;

use std::sync::Arc;

use async_trait::async_trait;
use domain::id::NotificationId;
use domain::notification::sender::Sender;
use domain::text::Email;

pub use file::FileMail;
pub use message::formatted;
pub use smtp::{SmtpMail, SmtpServer, SmtpTls};

/// A mail that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The notification that it is.
    pub id: NotificationId,
    /// Its name in the world, with angle brackets.
    pub message_id: String,
    /// From whom.
    pub from: Sender,
    /// To whom: one mailbox.
    pub to: Email,
    /// The subject, in one line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// Its language.
    pub locale: String,
    /// When it was made.
    pub date: std::time::SystemTime,
}

/// Why a mail was not sent, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nobody took it; it may be tried again.
    #[error("{0}")]
    NotTaken(String),
    /// It was refused, and will be the next time.
    #[error("{0}")]
    Refused(String),
    /// It was handed over and nothing was heard: it may have been taken.
    #[error("{0}")]
    Unknown(String),
}

/// Somebody who delivers mail.
#[async_trait]
pub trait NotificationProvider: std::fmt::Debug + Send + Sync {
    /// The name under which it is set.
    fn name(&self) -> &'static str;

    /// Hands a mail over.
    async fn send(&self, mail: &Mail) -> Result<(), Failure>;

    /// Removes the copy of a mail that it may keep.
    async fn forget(&self, id: NotificationId) -> Result<(), Failure>;

    /// Whether it could send: what it is in words, or what is wrong.
    async fn check(&self) -> Result<String, String>;
}

/// How the shop sends mail.
#[derive(Debug, Clone)]
pub struct Mailer {
    /// Who delivers; nobody when mail is switched off.
    pub provider: Option<Arc<dyn NotificationProvider>>,
    /// From whom mail comes, unless the channel says otherwise.
    pub from: Option<Sender>,
}

impl Mailer {
    /// Sends nothing.
    pub fn off() -> Self {
        Self { provider: None, from: None }
    }

    /// Files in this folder.
    pub fn files(folder: impl Into<std::path::PathBuf>) -> Self {
        Self { provider: Some(Arc::new(FileMail::new(folder))), from: None }
    }
}
