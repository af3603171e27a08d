//! Who may do what.

use crate::word::words;

words! {
    /// The two sides of the shop; a credential of one opens nothing on the other.
    pub enum Surface {
        /// The shopper's.
        Store = "STORE",
        /// The staff's.
        Admin = "ADMIN",
    }
}

words! {
    /// Whose identity or session it is.
    pub enum ActorKind {
        /// A shopper with an account.
        Customer = "CUSTOMER",
        /// A person with admin access.
        Staff = "STAFF",
    }
}

words! {
    /// What a mailed token is for; it opens nothing else.
    pub enum TokenPurpose {
        /// Proves the mailbox of a new account.
        CustomerVerification = "CUSTOMER_VERIFICATION",
        /// Sets a new password.
        PasswordRecovery = "PASSWORD_RECOVERY",
        /// Proves the mailbox that an account shall have from now on.
        EmailChange = "EMAIL_CHANGE",
        /// Attaches the orders that were bought with this mailbox as a guest.
        OrderClaim = "ORDER_CLAIM",
        /// Accepts an invitation to the staff.
        StaffInvitation = "STAFF_INVITATION",
        /// Sets a new password of a member of staff.
        StaffRecovery = "STAFF_RECOVERY",
        /// Ends a log-in with the second factor; it is answered, not mailed.
        StaffLogin = "STAFF_LOGIN",
    }
}

words! {
    /// What a role may grant. Each admin field needs one of these.
    pub enum Permission {
        /// See products, prices, promotions and stock.
        CatalogRead = "CATALOG_READ",
        /// Change products, prices and promotions.
        CatalogWrite = "CATALOG_WRITE",
        /// Change stock.
        InventoryWrite = "INVENTORY_WRITE",
        /// See orders, payments and fulfillments.
        OrdersRead = "ORDERS_READ",
        /// Fulfill and cancel orders.
        OrdersWrite = "ORDERS_WRITE",
        /// Capture and refund money.
        PaymentsWrite = "PAYMENTS_WRITE",
        /// See channels, regions, taxes, shipping and locations.
        SettingsRead = "SETTINGS_READ",
        /// Change channels, regions, taxes, shipping and locations.
        SettingsWrite = "SETTINGS_WRITE",
        /// See customers, their addresses and groups.
        CustomersRead = "CUSTOMERS_READ",
        /// Change, group and erase customers.
        CustomersWrite = "CUSTOMERS_WRITE",
        /// See staff, roles, keys, sessions and the audit log.
        AccessRead = "ACCESS_READ",
        /// Give and take access.
        AccessWrite = "ACCESS_WRITE",
    }
}

impl Permission {
    /// Whether it lets one look without changing anything.
    pub fn only_reads(self) -> bool {
        use Permission::{AccessRead, CatalogRead, CustomersRead, OrdersRead, SettingsRead};
        matches!(self, AccessRead | CatalogRead | CustomersRead | OrdersRead | SettingsRead)
    }
}

/// The name of the role that has every permission.
pub const OWNER: &str = "owner";
/// The name of the role that may look at everything and change nothing.
pub const VIEWER: &str = "viewer";

/// The permissions of the two roles that every shop has.
pub fn built_in_role(name: &str) -> Option<Vec<Permission>> {
    let all = Permission::ALL.iter().copied();
    match name {
        OWNER => Some(all.collect()),
        VIEWER => Some(all.filter(|permission| permission.only_reads()).collect()),
        _ => None,
    }
}

/// The most roles of a shop.
pub const MAX_ROLES: usize = 100;
/// The most API keys of a shop that are in force at once.
pub const MAX_API_KEYS: usize = 100;
/// The most roles of one member of staff.
pub const MAX_ROLES_EACH: usize = 20;

/// The shortest password that staff may set, in characters.
pub const MIN_PASSWORD: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_changes_nothing() {
        let viewer = built_in_role(VIEWER).unwrap();
        assert!(viewer.iter().all(|permission| permission.as_str().ends_with("_READ")));
        assert_eq!(built_in_role(OWNER).unwrap().len(), Permission::ALL.len());
        assert_eq!(built_in_role("admin"), None);
    }
}
