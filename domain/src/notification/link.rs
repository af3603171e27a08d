//! Links in mail: the address of a channel's storefront, which staff set, and
//! a path that staff may set. Nothing that a request says is part of one.

use serde::{Deserialize, Serialize};

use crate::refusal::{ErrorCode, Refusal};

/// The longest path, in characters.
pub const MAX_PATH: usize = 500;

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// An order.
    Order,
    /// The page that pays what an order owes.
    Payment,
    /// The proof of a new account's mailbox.
    Verification,
    /// A new password.
    Recovery,
    /// The proof of the mailbox that an account shall have.
    EmailChange,
    /// The orders of a guest.
    OrderClaim,
    /// The account.
    Account,
    /// A product.
    Product,
    /// A cart. It opens nothing by itself: the storefront shows it to who has its token, or has logged in as its customer.
    Cart,
    /// The first log-in of a member of staff.
    StaffInvitation,
    /// A new password of a member of staff.
    StaffRecovery,
}

impl LinkKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Order,
        Self::Payment,
        Self::Verification,
        Self::Recovery,
        Self::EmailChange,
        Self::OrderClaim,
        Self::Account,
        Self::Product,
        Self::Cart,
        Self::StaffInvitation,
        Self::StaffRecovery,
    ];

    /// Its name as a field of an input.
    pub fn field(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Verification => "verification",
            Self::Recovery => "recovery",
            Self::EmailChange => "emailChange",
            Self::OrderClaim => "orderClaim",
            Self::Account => "account",
            Self::Product => "product",
            Self::Cart => "cart",
            Self::StaffInvitation => "staffInvitation",
            Self::StaffRecovery => "staffRecovery",
        }
    }

    /// The path when staff have set none.
    pub fn default_path(self) -> &'static str {
        match self {
            Self::Order => "/orders/{orderId}?token={token}",
            Self::Payment => "/pay?token={token}",
            Self::Verification => "/account/verify?token={token}",
            Self::Recovery => "/account/reset?token={token}",
            Self::EmailChange => "/account/email?token={token}",
            Self::OrderClaim => "/account/claim?token={token}",
            Self::Account => "/account",
            Self::Product => "/products/{handle}",
            Self::Cart => "/cart?id={cartId}",
            Self::StaffInvitation => "/staff/invitation?token={token}",
            Self::StaffRecovery => "/staff/recovery?token={token}",
        }
    }

    /// Checks a path: it begins with a slash, names nothing but what is known, and the token where one is needed.
    pub fn check(self, path: &str) -> Result<String, Refusal> {
        let invalid = |message: String| Refusal::new(ErrorCode::Invalid, message);
        if !path.starts_with('/') || path.starts_with("//") {
            return Err(invalid("A path begins with one slash.".to_owned()));
        }
        if path.len() > MAX_PATH {
            return Err(invalid(format!("A path has at most {MAX_PATH} characters.")).limit(MAX_PATH as i64));
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\<>\"'`".contains(&byte)) {
            return Err(invalid("A path has no blanks, quotes, angle brackets or backslashes.".to_owned()));
        }
        let (known, needed): (&[&str], Option<&str>) = match self {
            Self::Order | Self::Payment => (&["{token}", "{orderId}"], Some("{token}")),
            Self::Product => (&["{handle}"], Some("{handle}")),
            Self::Account => (&["{token}"], None),
            Self::Cart => (&["{cartId}"], None),
            _ => (&["{token}"], Some("{token}")),
        };
        let bare = known.iter().fold(path.to_owned(), |bare, known| bare.replace(known, ""));
        if bare.contains(['{', '}']) {
            let known = known.join(" and ");
            return Err(invalid(format!("What stands in braces is not known here; there is {known}.")));
        }
        if let Some(needed) = needed.filter(|needed| !path.contains(needed)) {
            return Err(invalid(format!("This link opens nothing without {needed}.")));
        }
        Ok(path.to_owned())
    }
}

/// The paths that staff set for a channel; the default where they set none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(default)]
pub struct LinkPaths {
    order: Option<String>,
    payment: Option<String>,
    verification: Option<String>,
    recovery: Option<String>,
    email_change: Option<String>,
    order_claim: Option<String>,
    account: Option<String>,
    product: Option<String>,
    cart: Option<String>,
    staff_invitation: Option<String>,
    staff_recovery: Option<String>,
}

impl LinkPaths {
    fn own(&self, kind: LinkKind) -> &Option<String> {
        match kind {
            LinkKind::Order => &self.order,
            LinkKind::Payment => &self.payment,
            LinkKind::Verification => &self.verification,
            LinkKind::Recovery => &self.recovery,
            LinkKind::EmailChange => &self.email_change,
            LinkKind::OrderClaim => &self.order_claim,
            LinkKind::Account => &self.account,
            LinkKind::Product => &self.product,
            LinkKind::Cart => &self.cart,
            LinkKind::StaffInvitation => &self.staff_invitation,
            LinkKind::StaffRecovery => &self.staff_recovery,
        }
    }

    /// The place of a path, to change it.
    pub fn own_mut(&mut self, kind: LinkKind) -> &mut Option<String> {
        match kind {
            LinkKind::Order => &mut self.order,
            LinkKind::Payment => &mut self.payment,
            LinkKind::Verification => &mut self.verification,
            LinkKind::Recovery => &mut self.recovery,
            LinkKind::EmailChange => &mut self.email_change,
            LinkKind::OrderClaim => &mut self.order_claim,
            LinkKind::Account => &mut self.account,
            LinkKind::Product => &mut self.product,
            LinkKind::Cart => &mut self.cart,
            LinkKind::StaffInvitation => &mut self.staff_invitation,
            LinkKind::StaffRecovery => &mut self.staff_recovery,
        }
    }

    /// The path of a link.
    pub fn path(&self, kind: LinkKind) -> &str {
        self.own(kind).as_deref().unwrap_or_else(|| kind.default_path())
    }

    /// A link below a storefront's address; `subject` is the id of the order or cart, or the handle of the product. Tokens,
    /// ids and handles are letters, digits, `.`, `_` and `-` and stand in an address as they are.
    pub fn link(&self, kind: LinkKind, storefront_url: &str, subject: &str, token: &str) -> String {
        let names = ["{orderId}", "{cartId}", "{handle}"];
        let path = names.iter().fold(self.path(kind).to_owned(), |path, name| path.replace(name, subject));
        let path = path.replace("{token}", token);
        format!("{storefront_url}{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_path_that_staff_could_set() {
        for kind in LinkKind::ALL {
            assert!(kind.check(kind.default_path()).is_ok(), "{kind:?}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        let good = |text| LinkKind::Order.check(text).is_ok();
        assert!(good("/#/o/{orderId}/{token}") && good("/o?t={token}"));
        for text in ["", "o/{token}", "//evil.example/{token}", "/o", "/{mail}{token}", "/a b{token}", "/\\{token}"] {
            assert!(!good(text), "{text}");
        }
        assert!(LinkKind::Recovery.check("/{orderId}/{token}").is_err(), "there is no order");
        assert!(LinkKind::Account.check("/me").is_ok());
        assert!(LinkKind::Cart.check("/c/{cartId}").is_ok() && LinkKind::Cart.check("/c/{token}").is_err());
        assert!(LinkKind::Product.check("/p").is_err() && LinkKind::Product.check("/p/{handle}?t={token}").is_err());
        assert!(LinkKind::Account.check(&format!("/{}", "x".repeat(500))).is_err());
    }

    #[test]
    fn a_link_is_the_storefront_s() {
        let mut paths = LinkPaths::default();
        let link = |paths: &LinkPaths| paths.link(LinkKind::Order, "https://shop.example", "order_1", "t.o-k_n");
        assert_eq!(link(&paths), "https://shop.example/orders/order_1?token=t.o-k_n");
        *paths.own_mut(LinkKind::Order) = Some("/o/{token}".to_owned());
        assert_eq!(link(&paths), "https://shop.example/o/t.o-k_n");
        let kept: LinkPaths = serde_json::from_str(&serde_json::to_string(&paths).unwrap()).unwrap();
        assert_eq!(kept, paths);
        assert_eq!(serde_json::from_str::<LinkPaths>("{}").unwrap(), LinkPaths::default());
    }
}
