//! What the shop writes when staff wrote nothing.

use domain::notification::NotificationTemplate;

use super::render::Text;

/// The languages that it writes, the one for all others in front.
pub const LOCALES: &[&str] = &["en", "de"];

/// The files of a kind of mail in a language.
macro_rules! files {
    ($name:literal, $locale:literal) => {
        (
            include_str!(concat!("templates/", $name, ".", $locale, ".subject")),
            include_str!(concat!("templates/", $name, ".", $locale, ".txt")),
            include_str!(concat!("templates/", $name, ".", $locale, ".html")),
        )
    };
}

macro_rules! languages {
    ($locale:expr, $name:literal) => {
        match $locale {
            "en" => files!($name, "en"),
            "de" => files!($name, "de"),
            _ => return None,
        }
    };
}

/// The text of a kind of mail in one of [`LOCALES`].
pub fn text(template: NotificationTemplate, locale: &str) -> Option<Text> {
    use NotificationTemplate::{
        BackInStock, CustomerEmailChange, CustomerEmailChanged, CustomerOrderClaim, CustomerRecovery,
        CustomerRegisteredAgain, CustomerVerification, GiftCard, OrderAccess, OrderCanceled, OrderConfirmation,
        OrderPaymentLink, OrderRefunded, OrderShipped, StaffInvitation, StaffRecovery,
    };
    let (subject, text, html) = match template {
        OrderConfirmation => languages!(locale, "order_confirmation"),
        OrderShipped => languages!(locale, "order_shipped"),
        OrderRefunded => languages!(locale, "order_refunded"),
        OrderCanceled => languages!(locale, "order_canceled"),
        OrderAccess => languages!(locale, "order_access"),
        OrderPaymentLink => languages!(locale, "order_payment_link"),
        CustomerVerification => languages!(locale, "customer_verification"),
        CustomerRecovery => languages!(locale, "customer_recovery"),
        CustomerEmailChange => languages!(locale, "customer_email_change"),
        CustomerEmailChanged => languages!(locale, "customer_email_changed"),
        CustomerOrderClaim => languages!(locale, "customer_order_claim"),
        CustomerRegisteredAgain => languages!(locale, "customer_registered_again"),
        BackInStock => languages!(locale, "back_in_stock"),
        GiftCard => languages!(locale, "gift_card"),
        StaffInvitation => languages!(locale, "staff_invitation"),
        StaffRecovery => languages!(locale, "staff_recovery"),
    };
    Some(Text { subject: subject.trim_end().to_owned(), text: text.to_owned(), html: html.to_owned() })
}
