//! How customers look: what both surfaces show is written once.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use entity::{address, customer, customer_group};

use super::load::{AddressesOf, CartOf, GroupsOf, MembersOf, NewestOrdersOf};
use crate::address::types::Address;
use crate::api::call::call;
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs, STORE_MAX, connection};
use crate::api::payload::top_level;
use crate::api::scalar::id;
use crate::cart::types::Cart;
use crate::ledger::load::CreditsOf;
use crate::ledger::types::{AdminStoreCredit, StoreCredit};
use crate::order::types::{AdminOrder, OrderConnection};
use crate::payment::store::PaymentMethod;
use domain::refusal::{ErrorCode, Refusal};
use engine::customer::profile::Person;
use engine::order::repo::OrderFilter;

/// A customer as he sees himself.
#[derive(MergedObject, Debug, Clone)]
pub struct Customer(CustomerCore, CustomerSelf);

/// A customer as staff see him.
#[derive(MergedObject, Debug, Clone)]
pub struct AdminCustomer(CustomerCore, CustomerStaff);

impl From<customer::Model> for Customer {
    fn from(row: customer::Model) -> Self {
        let row = Arc::new(row);
        Self(CustomerCore(row.clone()), CustomerSelf(row))
    }
}

impl From<customer::Model> for AdminCustomer {
    fn from(row: customer::Model) -> Self {
        let row = Arc::new(row);
        Self(CustomerCore(row.clone()), CustomerStaff(row))
    }
}

impl Customer {
    /// The id, for `Node`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

impl AdminCustomer {
    /// The id, for `AdminNode`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

connection! {
    /// A page of customers.
    AdminCustomerConnection, AdminCustomerEdge, AdminCustomer, customer::Model
}

/// What both surfaces show of a customer.
#[derive(Debug, Clone)]
pub struct CustomerCore(Arc<customer::Model>);

#[Object]
impl CustomerCore {
    /// His id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// His mailbox, which is also his name at log-in.
    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    /// The mailbox that he wants instead and has not proved yet.
    async fn pending_email(&self) -> Option<&str> {
        self.0.new_email.as_ref().map(|email| email.as_str())
    }

    /// His given name.
    async fn first_name(&self) -> Option<&str> {
        self.0.first_name.as_deref()
    }

    /// His family name.
    async fn last_name(&self) -> Option<&str> {
        self.0.last_name.as_deref()
    }

    /// His telephone number.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// The language in which he is written to: a BCP 47 tag.
    async fn locale(&self) -> Option<&str> {
        self.0.locale.as_deref()
    }

    /// Whether he wants to be sent news.
    async fn accepts_marketing(&self) -> bool {
        self.0.accepts_marketing
    }

    /// His VAT number, in capitals and without blanks; his carts begin with it.
    async fn tax_number(&self) -> Option<String> {
        self.0.tax_number.as_ref().map(ToString::to_string)
    }

    /// Whether he owes no tax. Who is in a group that owes none owes none either.
    async fn tax_exempt(&self) -> bool {
        self.0.tax_exempt
    }

    /// Since when the shop knows him.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// His address book, at most 100 entries, the oldest first.
    async fn addresses(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<CustomerAddress>> {
        let rows = call(ctx)?.load(AddressesOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(CustomerAddress::from).collect())
    }

    /// Where things are sent to unless he says otherwise.
    async fn default_shipping_address(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<CustomerAddress>> {
        let rows = call(ctx)?.load(AddressesOf(self.0.id)).await?;
        Ok(rows.iter().find(|row| row.default_shipping).cloned().map(CustomerAddress::from))
    }

    /// Where he is billed to unless he says otherwise.
    async fn default_billing_address(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<CustomerAddress>> {
        let rows = call(ctx)?.load(AddressesOf(self.0.id)).await?;
        Ok(rows.iter().find(|row| row.default_billing).cloned().map(CustomerAddress::from))
    }
}

/// What only the customer's own type has.
#[derive(Debug, Clone)]
pub struct CustomerSelf(Arc<customer::Model>);

#[Object]
impl CustomerSelf {
    /// Your orders, the newest first.
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 100.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<OrderConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let filter = OrderFilter { customer: Some(self.0.id), ..OrderFilter::default() };
        let args = PageArgs { first, after, last, before, offset: None };
        let page = Page::read(args, STORE_MAX, true, &("customer_orders", self.0.id));
        let page = page.map_err(|refusal| top_level(refusal.into()))?;
        let rows = engine::order::repo::page(&call.conn(), &filter, page, count).await.map_err(top_level)?;
        Ok(OrderConnection::from(rows))
    }

    /// The ways to pay that you saved, at most 100 of each provider, the newest first. The providers are asked for them at this moment:
    /// null with the error `PAYMENT_PROVIDER_UNAVAILABLE` while one of them does not answer.
    async fn payment_methods(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Vec<PaymentMethod>>> {
        let methods = async { engine::payment::method::of(&call(ctx)?.app, self.0.id).await.map_err(top_level) };
        // An error inside of what may be null leaves the rest of the answer as it is.
        Some(methods.await.map(|methods| methods.into_iter().map(PaymentMethod::from).collect()))
    }

    /// What the shop owes you: one balance for each currency, at most 200.
    async fn store_credit(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<StoreCredit>> {
        let rows = call(ctx)?.load(CreditsOf(self.0.id)).await?;
        Ok(rows.iter().map(StoreCredit::from).collect())
    }

    /// Your open cart that was changed last, wherever you filled it.
    async fn cart(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Cart>> {
        let call = call(ctx)?;
        let told = call.app.asking(async || Ok(call.read(CartOf(self.0.id, call.app.clock.now())).await?)).await;
        Ok(told.map_err(top_level)?.map(Cart))
    }
}

/// What only staff see of a customer.
#[derive(Debug, Clone)]
pub struct CustomerStaff(Arc<customer::Model>);

#[Object]
impl CustomerStaff {
    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whether he has an account; otherwise he is a guest.
    async fn has_account(&self) -> bool {
        self.0.has_account
    }

    /// When he proved that the mailbox is his; he can't log in before.
    async fn verified_at(&self) -> Option<DateTime<Utc>> {
        self.0.verified_at
    }

    /// When he was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// The groups that he is in.
    async fn groups(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCustomerGroup>> {
        let rows = call(ctx)?.load(GroupsOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(AdminCustomerGroup::from).collect())
    }

    /// What the shop owes him: one balance for each currency, at most 200.
    #[graphql(guard = "crate::api::guard::orders_read_everywhere()")]
    async fn store_credit(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminStoreCredit>> {
        let rows = call(ctx)?.load(CreditsOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(AdminStoreCredit).collect())
    }

    /// His newest orders in the channels that your roles reach. All of them: `orders(filter: {customerId})`.
    #[graphql(guard = "crate::api::guard::orders_read()")]
    async fn orders(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many, between 0 and 250.", default = 20)] first: i32,
    ) -> async_graphql::Result<Vec<AdminOrder>> {
        if !(0..=ADMIN_MAX).contains(&first) {
            let message = format!("first is between 0 and {ADMIN_MAX}.");
            let refusal = Refusal::new(ErrorCode::Invalid, message).limit(ADMIN_MAX.into()).at(["first"]);
            return Err(top_level(refusal.into()));
        }
        let call = call(ctx)?;
        let reach = engine::scope::channels(&call.caller.actor, Permission::OrdersRead);
        let rows = call.load(NewestOrdersOf(self.0.id, first.into(), reach)).await?;
        Ok(rows.iter().cloned().map(AdminOrder::from).collect())
    }
}

/// An entry of an address book.
#[derive(Debug, Clone, SimpleObject)]
pub struct CustomerAddress {
    /// Its id.
    pub id: ID,
    /// The address.
    pub address: Address,
    /// Whether things are sent there unless the customer says otherwise.
    pub default_shipping: bool,
    /// Whether he is billed there unless he says otherwise.
    pub default_billing: bool,
}

impl From<address::Model> for CustomerAddress {
    fn from(row: address::Model) -> Self {
        Self {
            id: id(row.id),
            address: row.address.into(),
            default_shipping: row.default_shipping,
            default_billing: row.default_billing,
        }
    }
}

/// Customers whom the shop treats alike.
#[derive(Debug, Clone)]
pub struct AdminCustomerGroup(pub customer_group::Model);

impl From<customer_group::Model> for AdminCustomerGroup {
    fn from(row: customer_group::Model) -> Self {
        Self(row)
    }
}

/// Customers whom the shop treats alike.
#[Object]
impl AdminCustomerGroup {
    /// Its id.
    pub async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Its handle.
    async fn handle(&self) -> &str {
        self.0.handle.as_str()
    }

    /// What staff call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// Whether its members owe no tax.
    async fn tax_exempt(&self) -> bool {
        self.0.tax_exempt
    }

    /// How many are in it. Who: `customers(filter: {groupId})`.
    async fn member_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let count = call(ctx)?.load(MembersOf(self.0.id)).await?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// What is known of a person besides his mailbox. What you leave out stays.
#[derive(Debug, Clone, Default, InputObject)]
pub struct PersonInput {
    /// The given name; null clears it.
    pub first_name: MaybeUndefined<String>,
    /// The family name; null clears it.
    pub last_name: MaybeUndefined<String>,
    /// The telephone number; null clears it.
    pub phone: MaybeUndefined<String>,
    /// The language in which to write: a BCP 47 tag such as `en` or `pt-BR`; null clears it.
    pub locale: MaybeUndefined<String>,
    /// Whether to send news.
    pub accepts_marketing: Option<bool>,
    /// The VAT number with the letters of its country, such as `DE123456789`; null clears it. Only its shape is checked.
    pub tax_number: MaybeUndefined<String>,
}

impl From<PersonInput> for Person {
    fn from(input: PersonInput) -> Self {
        Self {
            first_name: change(input.first_name),
            last_name: change(input.last_name),
            phone: change(input.phone),
            locale: change(input.locale),
            accepts_marketing: input.accepts_marketing,
            tax_number: change(input.tax_number),
        }
    }
}
