//! How mail leaves the shop: the settings that begin with `mail`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use domain::notification::sender::Sender;
use engine::error::{Error, Result};
use engine::provider::notification::{FileMail, Mailer, SmtpMail, SmtpServer, SmtpTls};

/// Who delivers mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Provider {
    /// Nobody: each mail is a file that mail programs open.
    File,
    /// A mail server.
    Smtp,
    /// Nobody, and nothing is written either.
    None,
}

/// How the line to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tls {
    /// Not at all.
    None,
    /// It begins in the open and must become TLS: port 587.
    Starttls,
    /// From the first byte: port 465.
    Implicit,
}

impl From<Tls> for SmtpTls {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::None => Self::None,
            Tls::Starttls => Self::StartTls,
            Tls::Implicit => Self::Implicit,
        }
    }
}

/// How mail leaves the shop.
#[derive(Clone, Args)]
pub(super) struct Mail {
    /// Who delivers mail: files in a folder, a mail server, or nobody.
    #[arg(
        long,
        global = true,
        env = "EMPORION_MAIL_PROVIDER",
        value_enum,
        default_value = "file",
        value_name = "PROVIDER"
    )]
    mail_provider: Provider,
    /// From whom mail comes: `Shop <orders@shop.example>`; a channel may have a sender of its own.
    #[arg(long, global = true, env = "EMPORION_MAIL_FROM", value_name = "MAILBOX", value_parser = sender)]
    mail_from: Option<Sender>,
    /// The folder of mail that is written to files; `mail` in the data folder when absent.
    #[arg(long, global = true, env = "EMPORION_MAIL_DIR", value_name = "DIR")]
    mail_dir: Option<PathBuf>,
    /// The mail server's name, which its certificate must have.
    #[arg(long, global = true, env = "EMPORION_MAIL_SMTP_HOST", value_name = "HOST")]
    mail_smtp_host: Option<String>,
    /// The mail server's port; 587, 465 or 25 by the protection of the line when absent.
    #[arg(long, global = true, env = "EMPORION_MAIL_SMTP_PORT", value_name = "PORT")]
    mail_smtp_port: Option<u16>,
    /// How the line to the mail server is protected.
    #[arg(
        long,
        global = true,
        env = "EMPORION_MAIL_SMTP_TLS",
        value_enum,
        default_value = "starttls",
        value_name = "TLS"
    )]
    mail_smtp_tls: Tls,
    /// The name with which the shop logs in at the mail server.
    #[arg(long, global = true, env = "EMPORION_MAIL_SMTP_USER", value_name = "USER")]
    mail_smtp_user: Option<String>,
    /// The password; the variable keeps it out of the list of processes.
    #[arg(
        long,
        global = true,
        env = "EMPORION_MAIL_SMTP_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true,
        hide_default_value = true
    )]
    mail_smtp_password: Option<String>,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("provider", &self.mail_provider).finish_non_exhaustive()
    }
}

impl Mail {
    /// What the settings come to.
    pub(super) fn mailer(&self, data_dir: &Path) -> Result<Mailer> {
        let from = self.mail_from.clone();
        let provider: Option<Arc<dyn engine::provider::notification::NotificationProvider>> = match self.mail_provider {
            Provider::None => None,
            Provider::File => {
                let folder = self.mail_dir.clone().unwrap_or_else(|| data_dir.join("mail"));
                Some(Arc::new(FileMail::new(folder)))
            }
            Provider::Smtp => {
                let host = self.mail_smtp_host.clone().ok_or_else(|| {
                    Error::internal("mail through a server needs its name: set mail_smtp_host (--mail-smtp-host)")
                })?;
                let credentials = match (&self.mail_smtp_user, &self.mail_smtp_password) {
                    (Some(user), Some(secret)) => Some((user.clone(), secret.clone())),
                    (None, None) => None,
                    _ => {
                        let message = "mail_smtp_user and mail_smtp_password go together: set both or none";
                        return Err(Error::internal(message));
                    }
                };
                let tls = SmtpTls::from(self.mail_smtp_tls);
                let port = self.mail_smtp_port.unwrap_or(tls.default_port());
                Some(Arc::new(SmtpMail::new(SmtpServer { host, port, tls, credentials })))
            }
        };
        Ok(Mailer { provider, from })
    }
}

fn sender(text: &str) -> std::result::Result<Sender, String> {
    text.parse().map_err(|refusal: domain::refusal::Refusal| refusal.message)
}
