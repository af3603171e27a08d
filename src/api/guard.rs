//! The second wall before every admin field; the first is that the store's
//! schema does not hold it.

use async_graphql::{Context, Guard};

use super::call::call;
use super::payload::top_level;
use engine::actor::Need;

/// Lets through who holds what the field needs.
#[derive(Debug, Clone, Copy)]
pub struct Needs(pub Need);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> async_graphql::Result<()> {
        call(ctx)?.caller.actor.check(self.0).map_err(top_level)
    }
}

/// Any admin credential.
pub fn admin() -> Needs {
    Needs(Need::Admin)
}

/// An admin credential that grants reading who has access, without limit to
/// channels or locations: for what tells of the whole shop.
pub fn access_read_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::AccessRead))
}

/// The same for giving and taking access.
pub fn access_write_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::AccessWrite))
}

/// The same for orders, of whatever channel.
pub fn orders_read_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::OrdersRead))
}

/// The same for money.
pub fn payments_write_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::PaymentsWrite))
}

/// The same for reading customers: mail names them, whatever they bought and where.
pub fn customers_read_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::CustomersRead))
}

/// The same for writing to customers.
pub fn customers_write_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::CustomersWrite))
}

/// The same for changing the catalog in every channel and location.
pub fn catalog_write_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::CatalogWrite))
}

/// The same for reading settings that every channel shares.
pub fn settings_read_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::SettingsRead))
}

/// The same for changing them.
pub fn settings_write_everywhere() -> Needs {
    Needs(Need::Everywhere(domain::auth::Permission::SettingsWrite))
}

macro_rules! permission_guards {
    ($($name:ident = $permission:ident;)*) => {$(
        /// An admin credential that grants the permission of this name.
        pub fn $name() -> Needs {
            Needs(Need::Permission(domain::auth::Permission::$permission))
        }
    )*};
}

permission_guards! {
    catalog_read = CatalogRead;
    catalog_write = CatalogWrite;
    inventory_write = InventoryWrite;
    orders_read = OrdersRead;
    orders_write = OrdersWrite;
    payments_write = PaymentsWrite;
    settings_read = SettingsRead;
    settings_write = SettingsWrite;
    access_read = AccessRead;
    customers_read = CustomersRead;
    customers_write = CustomersWrite;
    access_write = AccessWrite;
}
