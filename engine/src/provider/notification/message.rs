//! A mail in the form of the internet: headers and two bodies.

use lettre::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use super::{Failure, Mail};

/// Declares a header with a value that we choose.
macro_rules! header {
    ($(#[$doc:meta])* $name:ident = $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        struct $name(String);

        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($text)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}

header! {
    /// Says that a machine wrote it (RFC 3834), so that machines don't answer.
    AutoSubmitted = "Auto-Submitted"
}
header! {
    /// The same for servers that know another header.
    AutoResponseSuppress = "X-Auto-Response-Suppress"
}
header! {
    /// The language (RFC 3282).
    ContentLanguage = "Content-Language"
}

fn refused(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::Refused(format!("{what}: {error}"))
}

fn mailbox(name: Option<&str>, email: &str) -> Result<Mailbox, Failure> {
    let address: Address = email.parse().map_err(|error| refused("this is no address that mail can go to", error))?;
    let name = name.map(domain::notification::one_line).filter(|name| !name.is_empty());
    Ok(Mailbox::new(name, address))
}

/// The message as lettre sends it: headers typed, so that none can begin
/// within another, and exactly one mailbox to go to.
pub(super) fn message(mail: &Mail) -> Result<Message, Failure> {
    let part = |kind: ContentType, body: &str| SinglePart::builder().header(kind).body(body.to_owned());
    Message::builder()
        .from(mailbox(mail.from.name.as_deref(), mail.from.email.as_str())?)
        .to(mailbox(None, mail.to.as_str())?)
        .subject(domain::notification::one_line(&mail.subject))
        .date(mail.date)
        .message_id(Some(mail.message_id.clone()))
        .header(AutoSubmitted("auto-generated".to_owned()))
        .header(AutoResponseSuppress("All".to_owned()))
        .header(ContentLanguage(domain::notification::one_line(&mail.locale)))
        .multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, &mail.text))
                .singlepart(part(ContentType::TEXT_HTML, &mail.html)),
        )
        .map_err(|error| refused("the mail can't be written", error))
}

/// The bytes of a message.
pub fn formatted(mail: &Mail) -> Result<Vec<u8>, Failure> {
    Ok(message(mail)?.formatted())
}
