//! Shipping options on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};

use crate::api::call::call;
use crate::api::guard::{settings_read, settings_write};
use crate::api::payload::payload;
use crate::api::scalar::{Country, Money, MoneyInput, id};
use engine::settings::ShippingOption;
use engine::shipping::ops::SetShippingOption;

/// What the merchant offers to bring an order to the shopper.
#[derive(Debug, Clone)]
pub struct AdminShippingOption(pub ShippingOption);

/// What the merchant offers to bring an order to the shopper.
#[Object]
impl AdminShippingOption {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.row.id)
    }

    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.row.version
    }

    /// Its handle.
    async fn handle(&self) -> &str {
        self.0.row.handle.as_str()
    }

    /// Its name for shoppers.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// The countries to which it goes. At most 249.
    async fn countries(&self) -> Vec<Country> {
        self.0.countries.iter().cloned().map(Country).collect()
    }

    /// What it costs, one price per currency.
    async fn prices(&self) -> Vec<Money> {
        self.0.prices.iter().map(|price| Money::new(price.amount_minor, price.currency)).collect()
    }

    /// Whether its prices include tax.
    async fn prices_include_tax(&self) -> bool {
        self.0.prices.iter().any(|price| price.includes_tax)
    }
}

/// Queries about shipping.
#[derive(Debug, Default)]
pub struct ShippingAdminQuery;

#[Object]
impl ShippingAdminQuery {
    /// Every shipping option, oldest first. A shop has at most 250.
    #[graphql(guard = "settings_read()")]
    async fn shipping_options(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminShippingOption>> {
        Ok(call(ctx)?.settings.shipping_options.iter().cloned().map(AdminShippingOption).collect())
    }
}

/// A shipping option as you want it.
#[derive(Debug, InputObject)]
pub struct AdminShippingOptionSetInput {
    /// Which option: a known handle changes that one, a new handle makes one. Made from the name when absent.
    pub handle: Option<String>,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Its name for shoppers, 1 to 255 characters.
    pub name: String,
    /// The countries to which it goes.
    pub countries: Vec<Country>,
    /// What it costs, one price per currency.
    pub prices: Vec<MoneyInput>,
    /// Whether the prices include tax.
    #[graphql(default = false)]
    pub prices_include_tax: bool,
}

payload! {
    /// What `shippingOptionSet` did.
    AdminShippingOptionSetPayload {
        /// The shipping option as it is now.
        shipping_option: AdminShippingOption
    }
}

/// Mutations of shipping options.
#[derive(Debug, Default)]
pub struct ShippingAdminMutation;

#[Object]
impl ShippingAdminMutation {
    /// Makes or changes a shipping option.
    #[graphql(guard = "settings_write()")]
    async fn shipping_option_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The shipping option as you want it.")] input: AdminShippingOptionSetInput,
    ) -> async_graphql::Result<AdminShippingOptionSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = domain::refusal::Refusals::default();
            let check = |(place, price): (usize, &MoneyInput)| price.check(&["prices", &place.to_string()]);
            let prices: Vec<_> =
                input.prices.iter().enumerate().filter_map(|each| refusals.keep(check(each))).collect();
            refusals.into_result()?;
            let op = SetShippingOption {
                handle: input.handle,
                expected_version: input.expected_version,
                name: input.name,
                countries: input.countries.into_iter().map(|country| country.0).collect(),
                prices,
                includes_tax: input.prices_include_tax,
            };
            call.app.run(&call.caller, &op).await.map(AdminShippingOption)
        };
        AdminShippingOptionSetPayload::answer(outcome.await)
    }
}
