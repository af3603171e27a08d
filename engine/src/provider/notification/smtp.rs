//! Mail through a server that speaks SMTP.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::NotificationId;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::time::timeout;

use super::message::message;
use super::{Failure, Mail, NotificationProvider};

/// How long connecting, TLS and log-in may take.
const CONNECTING: Duration = Duration::from_secs(20);
/// How long the server may take for one mail.
const SENDING: Duration = Duration::from_secs(60);

/// How the line to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all: for a server on this machine or in the same trusted network.
    None,
    /// It begins in the open and must become TLS before anything is said: port 587.
    StartTls,
    /// TLS from the first byte: port 465.
    Implicit,
}

impl SmtpTls {
    /// The port that servers use for it.
    pub fn default_port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Implicit => 465,
        }
    }
}

/// A mail server.
#[derive(Clone)]
pub struct SmtpServer {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is protected.
    pub tls: SmtpTls,
    /// Name and password, when it wants some.
    pub credentials: Option<(String, String)>,
}

impl std::fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No password, whoever prints it.
        write!(f, "smtp {}:{} {:?}", self.host, self.port, self.tls)
    }
}

/// Sends each mail over a connection of its own.
#[derive(Debug, Clone)]
pub struct SmtpMail {
    server: SmtpServer,
}

impl SmtpMail {
    /// Through this server.
    pub fn new(server: SmtpServer) -> Self {
        Self { server }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let server = &self.server;
        let connecting = async {
            let hello = ClientId::default();
            let tls = |wanted: SmtpTls| match server.tls == wanted {
                true => TlsParameters::new(server.host.clone()).map(Some),
                false => Ok(None),
            };
            let address = (server.host.as_str(), server.port);
            let implicit = tls(SmtpTls::Implicit)?;
            let mut line =
                AsyncSmtpConnection::connect_tokio1(address, Some(CONNECTING), &hello, implicit, None).await?;
            if let Some(parameters) = tls(SmtpTls::StartTls)? {
                line.starttls(parameters, &hello).await?;
            }
            if let Some((user, secret)) = &server.credentials {
                let credentials = Credentials::new(user.clone(), secret.clone());
                line.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
            }
            Ok::<_, SmtpError>(line)
        };
        match timeout(CONNECTING, connecting).await {
            Ok(line) => line.map_err(|error| format!("{server:?}: {}", told(&error))),
            Err(_) => Err(format!("{server:?}: no answer within {} s", CONNECTING.as_secs())),
        }
    }
}

/// An error with what it came from.
fn told(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[async_trait]
impl NotificationProvider for SmtpMail {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn send(&self, mail: &Mail) -> Result<(), Failure> {
        let message = message(mail)?;
        // Before the first command of the mail nobody can have taken it.
        let mut line = self.connect().await.map_err(Failure::NotTaken)?;
        match timeout(SENDING, line.send(message.envelope(), &message.formatted())).await {
            Ok(Ok(_)) => {
                // It is taken; how the server says good-bye changes nothing.
                let _ = timeout(CONNECTING, line.quit()).await;
                Ok(())
            }
            Ok(Err(error)) if error.is_transient() => Err(Failure::NotTaken(told(&error))),
            Ok(Err(error)) if error.is_permanent() || error.is_client() => Err(Failure::Refused(told(&error))),
            Ok(Err(error)) => Err(Failure::Unknown(told(&error))),
            Err(_) => Err(Failure::Unknown(format!("the mail server said nothing for {} s", SENDING.as_secs()))),
        }
    }

    async fn forget(&self, _: NotificationId) -> Result<(), Failure> {
        Ok(())
    }

    async fn check(&self) -> Result<String, String> {
        let mut line = self.connect().await?;
        let _ = timeout(CONNECTING, line.quit()).await;
        Ok(format!("the mail server {}:{} answers", self.server.host, self.server.port))
    }
}
