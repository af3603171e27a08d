//! Mail of the shop: which kinds there are, what becomes of one, and when it
//! is tried again.

pub mod dialect;
pub mod format;
pub mod link;
pub mod sender;

use crate::word::words;

words! {
    /// A kind of mail that the shop sends by itself.
    pub enum NotificationTemplate {
        /// To a buyer: the order was placed.
        OrderConfirmation = "ORDER_CONFIRMATION",
        /// To a buyer: parcels of the order are on their way.
        OrderShipped = "ORDER_SHIPPED",
        /// To a buyer: money was given back.
        OrderRefunded = "ORDER_REFUNDED",
        /// To a buyer: the order was canceled.
        OrderCanceled = "ORDER_CANCELED",
        /// To a buyer: the link that opens an order, which somebody asked for.
        OrderAccess = "ORDER_ACCESS",
        /// To a buyer: the link by which he pays what the order owes.
        OrderPaymentLink = "ORDER_PAYMENT_LINK",
        /// To a new customer: proves the mailbox.
        CustomerVerification = "CUSTOMER_VERIFICATION",
        /// To a customer: sets a new password.
        CustomerRecovery = "CUSTOMER_RECOVERY",
        /// To the mailbox that an account shall have: proves it.
        CustomerEmailChange = "CUSTOMER_EMAIL_CHANGE",
        /// To the mailbox that an account left: says so.
        CustomerEmailChanged = "CUSTOMER_EMAIL_CHANGED",
        /// To a customer: attaches what was bought as a guest.
        CustomerOrderClaim = "CUSTOMER_ORDER_CLAIM",
        /// To a customer: somebody wanted an account with this mailbox, which has one.
        CustomerRegisteredAgain = "CUSTOMER_REGISTERED_AGAIN",
        /// To whoever asked for it: a variant can be bought again.
        BackInStock = "BACK_IN_STOCK",
        /// To who bought a gift card, or to whom staff send one: its code.
        GiftCard = "GIFT_CARD",
        /// To a new member of staff: opens the account.
        StaffInvitation = "STAFF_INVITATION",
        /// To a member of staff: sets a new password.
        StaffRecovery = "STAFF_RECOVERY",
    }
}

words! {
    /// What has become of a notification.
    pub enum NotificationState {
        /// It waits for its turn, or for its next try.
        Pending = "PENDING",
        /// It is being sent at this moment.
        Sending = "SENDING",
        /// The mail server took it, or the file was written.
        Sent = "SENT",
        /// It was refused for good, or tried too often.
        Failed = "FAILED",
        /// The line broke, or the process ended, while it was being sent: it may have arrived, so it is not sent
        /// again by itself.
        Unknown = "UNKNOWN",
        /// There was no reason any more to send it.
        Skipped = "SKIPPED",
    }
}

words! {
    /// Where the text of a mail comes from.
    pub enum NotificationSource {
        /// It is part of Emporion.
        BuiltIn = "BUILT_IN",
        /// Staff wrote it for the whole shop.
        Shop = "SHOP",
        /// Staff wrote it for one channel.
        Channel = "CHANNEL",
    }
}

/// What a kind of mail is about, and so what its text may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// An order; it goes to whoever bought it.
    Order,
    /// An account; it goes to its owner.
    Customer,
    /// A variant; it goes to a mailbox that somebody named.
    Variant,
    /// A gift card; it goes to who bought it, or to the mailbox that staff named.
    GiftCard,
    /// Access to the admin surface; it goes to a member of staff.
    Staff,
}

impl NotificationTemplate {
    /// The kind that an event asks for by this name.
    pub fn requested(name: &str) -> Option<Self> {
        Some(match name {
            "customer.verification" => Self::CustomerVerification,
            "customer.recovery" => Self::CustomerRecovery,
            "customer.email_change" => Self::CustomerEmailChange,
            "customer.email_changed" => Self::CustomerEmailChanged,
            "customer.order_access" => Self::OrderAccess,
            "order.payment_link" => Self::OrderPaymentLink,
            "customer.order_claim" => Self::CustomerOrderClaim,
            "customer.registered_again" => Self::CustomerRegisteredAgain,
            "staff.invitation" => Self::StaffInvitation,
            "staff.recovery" => Self::StaffRecovery,
            _ => return None,
        })
    }

    /// What it is about.
    pub fn about(self) -> About {
        match self {
            Self::OrderConfirmation
            | Self::OrderShipped
            | Self::OrderRefunded
            | Self::OrderCanceled
            | Self::OrderAccess
            | Self::OrderPaymentLink => About::Order,
            Self::CustomerVerification
            | Self::CustomerRecovery
            | Self::CustomerEmailChange
            | Self::CustomerEmailChanged
            | Self::CustomerOrderClaim
            | Self::CustomerRegisteredAgain => About::Customer,
            Self::BackInStock => About::Variant,
            Self::GiftCard => About::GiftCard,
            Self::StaffInvitation | Self::StaffRecovery => About::Staff,
        }
    }

    /// Those that are about staff.
    pub const STAFF: &'static [Self] = &[Self::StaffInvitation, Self::StaffRecovery];
}

impl NotificationState {
    /// Whether nothing more happens to it by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Sending)
    }
}

/// How often a mail is tried that certainly was not taken.
pub const MAX_ATTEMPTS: i32 = 10;
/// The most texts of one's own, over all kinds, channels and languages.
pub const MAX_OVERRIDES: usize = 250;
/// The longest template of a subject, in characters.
pub const MAX_SUBJECT: usize = 500;
/// The longest template of a body, in bytes.
pub const MAX_BODY: usize = 65_536;
/// The longest subject that is sent, in characters.
pub const MAX_SENT_SUBJECT: usize = 250;

/// How many seconds after its `attempts`th try a mail is tried again: half a
/// minute, doubling to an hour; never after [`MAX_ATTEMPTS`].
pub fn retry_after(attempts: i32) -> Option<i64> {
    (attempts < MAX_ATTEMPTS).then(|| (15_i64 << attempts.clamp(1, 8)).min(3_600))
}

/// A subject in one line: what would begin another header is a blank.
pub fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    words.join(" ").chars().take(MAX_SENT_SUBJECT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_become_rarer_and_end() {
        let waits: Vec<_> = (1..=MAX_ATTEMPTS).map(retry_after).collect();
        assert_eq!(waits[..3], [Some(30), Some(60), Some(120)]);
        assert_eq!(waits[8..], [Some(3_600), None]);
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(one_line(" Order\r\nBcc: eve@x.example\u{2028}\t1 "), "Order Bcc: eve@x.example 1");
        assert_eq!(one_line(&"x".repeat(400)).len(), MAX_SENT_SUBJECT);
    }

    #[test]
    fn every_name_of_an_event_is_a_kind_of_its_noun() {
        for (name, about) in [
            ("customer.verification", About::Customer),
            ("customer.order_access", About::Order),
            ("staff.invitation", About::Staff),
        ] {
            assert_eq!(NotificationTemplate::requested(name).unwrap().about(), about);
        }
        assert_eq!(NotificationTemplate::requested("customer.poem"), None);
        let staff: Vec<_> =
            NotificationTemplate::ALL.iter().copied().filter(|kind| kind.about() == About::Staff).collect();
        assert_eq!(staff, NotificationTemplate::STAFF);
    }
}
