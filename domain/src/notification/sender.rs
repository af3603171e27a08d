//! From whom mail comes.

use std::fmt;
use std::str::FromStr;

use crate::refusal::{ErrorCode, Refusal};
use crate::text::{Email, MAX_TITLE};

/// A mailbox, perhaps with a name before it: `Shop <orders@shop.example>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// What is shown; the channel's name when absent.
    pub name: Option<String>,
    /// The mailbox.
    pub email: Email,
}

impl FromStr for Sender {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::new(ErrorCode::Invalid, "This is not a sender such as Shop <orders@shop.example>.");
        let text = text.trim();
        let (name, mailbox) = match text.strip_suffix('>') {
            Some(rest) => rest.split_once('<').ok_or_else(malformed)?,
            None => ("", text),
        };
        let name = name.trim();
        let name = name.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(name).trim();
        let unfit = |c: char| c.is_control() || matches!(c, '<' | '>' | '"' | '\\');
        if name.chars().any(unfit) || name.chars().count() > MAX_TITLE {
            return Err(malformed());
        }
        let email: Email = mailbox.parse().map_err(|_| malformed())?;
        if email.as_str().contains(['<', '>', ',', ';', '"', '\\', '(', ')']) {
            return Err(malformed());
        }
        Ok(Self { name: Some(name.to_owned()).filter(|name| !name.is_empty()), email })
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.email),
            None => self.email.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders() {
        for (text, name, email) in [
            ("orders@shop.example", None, "orders@shop.example"),
            ("<orders@shop.example>", None, "orders@shop.example"),
            ("Käse, Brot & Co <Orders@Shop.Example>", Some("Käse, Brot & Co"), "orders@shop.example"),
            ("\"The Shop\" <a@b.c>", Some("The Shop"), "a@b.c"),
        ] {
            let sender: Sender = text.parse().unwrap();
            assert_eq!((sender.name.as_deref(), sender.email.as_str()), (name, email), "{text}");
            assert_eq!(sender.to_string().parse(), Ok(sender));
        }
        for text in ["", "Shop", "Shop <>", "Shop <a@b.c", "a@b.c, d@e.f", "A\nBcc: x <a@b.c>", "A <b> <c@d.e>"] {
            assert!(text.parse::<Sender>().is_err(), "{text:?}");
        }
    }
}
