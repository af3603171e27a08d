//! The merchant's legal texts as storefronts show them: which there are, what
//! one may be, and which counts in a channel.

use crate::id::ChannelId;
use crate::refusal::{ErrorCode, Refusal};
use crate::text;
use crate::word::words;

/// The longest text, in characters, before it is sanitised.
pub const MAX_BODY: usize = 100_000;

words! {
    /// What a legal text is about.
    pub enum PolicyKind {
        /// What is done with personal data.
        Privacy = "PRIVACY",
        /// What is stored on a visitor's device.
        Cookies = "COOKIES",
        /// The terms under which goods are sold.
        TermsOfSale = "TERMS_OF_SALE",
        /// The terms under which the shop may be used.
        TermsOfService = "TERMS_OF_SERVICE",
        /// The right to withdraw from a purchase, and how that is done.
        Withdrawal = "WITHDRAWAL",
        /// When money is given back and goods are taken back.
        Refund = "REFUND",
        /// Where and how fast is delivered, and what it costs.
        Shipping = "SHIPPING",
        /// What is bought again and again, and how it is ended.
        Subscription = "SUBSCRIPTION",
        /// How the shop can be used by everybody.
        Accessibility = "ACCESSIBILITY",
        /// Who runs the shop, as the law wants it named.
        LegalNotice = "LEGAL_NOTICE",
        /// How to reach the merchant.
        Contact = "CONTACT",
    }
}

impl PolicyKind {
    /// The part of a web address that names it; the same in every language and channel.
    pub fn handle(self) -> &'static str {
        match self {
            Self::Privacy => "privacy-policy",
            Self::Cookies => "cookie-policy",
            Self::TermsOfSale => "terms-of-sale",
            Self::TermsOfService => "terms-of-service",
            Self::Withdrawal => "right-of-withdrawal",
            Self::Refund => "refund-policy",
            Self::Shipping => "shipping-policy",
            Self::Subscription => "subscription-policy",
            Self::Accessibility => "accessibility",
            Self::LegalNotice => "legal-notice",
            Self::Contact => "contact",
        }
    }

    /// The title when staff give none.
    pub fn title(self) -> &'static str {
        match self {
            Self::Privacy => "Privacy policy",
            Self::Cookies => "Cookie policy",
            Self::TermsOfSale => "Terms of sale",
            Self::TermsOfService => "Terms of service",
            Self::Withdrawal => "Right of withdrawal",
            Self::Refund => "Refund policy",
            Self::Shipping => "Shipping policy",
            Self::Subscription => "Subscription policy",
            Self::Accessibility => "Accessibility",
            Self::LegalNotice => "Legal notice",
            Self::Contact => "Contact",
        }
    }

    /// The kind with this handle.
    pub fn of_handle(handle: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.handle() == handle)
    }
}

/// The title of a text: what staff gave, else what it had, else its kind's.
pub fn title(kind: PolicyKind, given: Option<&str>, known: Option<&str>) -> Result<String, Refusal> {
    match given {
        Some(given) => text::title(given).map_err(|refusal| refusal.at(["title"])),
        None => Ok(known.unwrap_or(kind.title()).to_owned()),
    }
}

/// Checks a text before it is sanitised.
pub fn check_body(html: &str) -> Result<&str, Refusal> {
    let html = html.trim();
    if html.chars().nth(MAX_BODY).is_some() {
        let message = format!("This is longer than {MAX_BODY} characters.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_BODY as i64).at(["bodyHtml"]));
    }
    if html.is_empty() { Err(empty()) } else { Ok(html) }
}

/// The refusal of a text in which nothing stands, or nothing that is safe.
pub fn empty() -> Refusal {
    Refusal::new(ErrorCode::Required, "Nothing stands here; policyDelete takes a text away.").at(["bodyHtml"])
}

/// The texts that count in a channel, in the order of the kinds: its own, else
/// the shop's, which belong to no channel.
pub fn in_force<T>(texts: impl IntoIterator<Item = (PolicyKind, Option<ChannelId>, T)>, channel: ChannelId) -> Vec<T> {
    let mut found: Vec<_> = texts.into_iter().filter(|(_, of, _)| of.is_none_or(|of| of == channel)).collect();
    found.sort_by_key(|(kind, of, _)| (*kind, of.is_none()));
    found.dedup_by_key(|(kind, ..)| *kind);
    found.into_iter().map(|(.., text)| text).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::text::Handle;

    #[test]
    fn every_kind_has_a_handle_of_its_own_that_is_found_again() {
        let handles: BTreeSet<_> = PolicyKind::ALL.iter().map(|kind| kind.handle()).collect();
        assert_eq!(handles.len(), PolicyKind::ALL.len());
        for kind in PolicyKind::ALL {
            assert!(kind.handle().parse::<Handle>().is_ok(), "{kind}");
            assert_eq!(text::title(kind.title()).as_deref(), Ok(kind.title()));
            assert_eq!(PolicyKind::of_handle(kind.handle()), Some(*kind));
        }
        assert_eq!(PolicyKind::of_handle("privacy"), None);
    }

    #[test]
    fn a_text_has_a_body_and_a_title_of_its_own_or_its_kind_s() {
        assert_eq!(check_body(" <p>We keep little.</p>\n"), Ok("<p>We keep little.</p>"));
        assert_eq!(check_body(" \n").map_err(|refusal| refusal.code), Err(ErrorCode::Required));
        assert!(check_body(&"ä".repeat(MAX_BODY)).is_ok());
        assert_eq!(check_body(&"ä".repeat(MAX_BODY + 1)).map_err(|refusal| refusal.limit), Err(Some(MAX_BODY as i64)));
        assert_eq!(title(PolicyKind::Refund, None, None).unwrap(), "Refund policy");
        assert_eq!(title(PolicyKind::Refund, None, Some("Returns")).unwrap(), "Returns");
        assert_eq!(title(PolicyKind::Refund, Some(" Money back "), Some("Returns")).unwrap(), "Money back");
        assert!(title(PolicyKind::Refund, Some(" "), Some("Returns")).is_err());
    }

    proptest! {
        #[test]
        fn each_kind_counts_once_and_the_channel_s_own_before_the_shop_s(
            texts in proptest::collection::btree_set((0..PolicyKind::ALL.len(), proptest::option::of(1..4u128)), 0..30),
            channel in 1..4u128,
        ) {
            let id = |number: u128| ChannelId(Uuid::from_u128(number));
            let given = texts.iter().map(|(kind, of)| (PolicyKind::ALL[*kind], of.map(id), (*kind, *of)));
            let found = in_force(given.rev(), id(channel));
            prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for kind in 0..PolicyKind::ALL.len() {
                let own = Some((kind, Some(channel))).filter(|text| texts.contains(text));
                let shop_s = Some((kind, None)).filter(|text| texts.contains(text));
                let chosen = found.iter().find(|text| text.0 == kind).copied();
                prop_assert_eq!(chosen, own.or(shop_s));
            }
        }
    }
}
