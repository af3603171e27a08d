//! What a customer sees and changes of himself, on the store surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::id::AddressId;

use super::types::{Customer, CustomerAddress, PersonInput};
use crate::address::types::AddressInput;
use crate::api::call::{Call, call};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Int64, Json, id, parse_id};
use domain::refusal::{ErrorCode, Refusal};
use engine::customer::claim::{self, ClaimOrders};
use engine::customer::email::{self, ConfirmChange};
use engine::customer::profile::{CreateAddress, DeleteAddress, Entry, UpdateAddress, UpdateProfile};
use engine::customer::{erase, export, repo};
use engine::error::{Error, Result};

/// Queries about the caller.
#[derive(Debug, Default)]
pub struct CustomerStoreQuery;

#[Object]
impl CustomerStoreQuery {
    /// Who you are; null when you have not logged in.
    async fn customer(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Customer>> {
        let call = call(ctx)?;
        let Some(id) = call.caller.actor.customer() else { return Ok(None) };
        let row = repo::find(&call.conn(), id).await.map_err(top_level)?;
        Ok(row.map(Customer::from))
    }
}

/// What changes about you. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct CustomerUpdateInput {
    /// What changes.
    #[graphql(flatten)]
    pub person: PersonInput,
}

/// Another mailbox for your account.
#[derive(Debug, InputObject)]
pub struct CustomerEmailChangeRequestInput {
    /// The mailbox that you want.
    pub email: String,
    /// Your password.
    pub password: String,
}

/// Proof of the mailbox that an account shall have.
#[derive(Debug, InputObject)]
pub struct CustomerEmailChangeConfirmInput {
    /// What was mailed to it.
    pub token: String,
}

/// A new entry of your address book.
#[derive(Debug, InputObject)]
pub struct CustomerAddressCreateInput {
    /// The address.
    pub address: AddressInput,
    /// Whether things are sent there from now on. The first address is the default for everything.
    pub default_shipping: Option<bool>,
    /// Whether you are billed there from now on.
    pub default_billing: Option<bool>,
}

/// What an entry of your address book becomes. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct CustomerAddressUpdateInput {
    /// Which entry.
    pub id: ID,
    /// The whole address.
    pub address: Option<AddressInput>,
    /// Whether things are sent there.
    pub default_shipping: Option<bool>,
    /// Whether you are billed there.
    pub default_billing: Option<bool>,
}

/// Which entry of your address book goes.
#[derive(Debug, InputObject)]
pub struct CustomerAddressDeleteInput {
    /// Which entry.
    pub id: ID,
}

/// Which order a link is wanted for.
#[derive(Debug, InputObject)]
pub struct OrderAccessRequestInput {
    /// The number of the order.
    pub number: Int64,
    /// The e-mail that it was bought with.
    pub email: String,
}

/// Proof of the mailbox with which orders were bought.
#[derive(Debug, InputObject)]
pub struct OrderClaimInput {
    /// What was mailed.
    pub token: String,
}

/// That you mean it.
#[derive(Debug, InputObject)]
pub struct CustomerDeleteInput {
    /// Your password.
    pub password: String,
}

payload! {
    /// What `customerUpdate` did.
    CustomerUpdatePayload {
        /// You as you are known now.
        customer: Customer
    }
}

payload! {
    /// What `customerEmailChangeRequest` did.
    CustomerEmailChangeRequestPayload {
        /// True: look into the new mailbox. It is the same whether that has an account or not.
        accepted: bool
    }
}

payload! {
    /// What `customerEmailChangeConfirm` did.
    CustomerEmailChangeConfirmPayload {
        /// True: the account has the new mailbox, and the old one is told.
        changed: bool
    }
}

payload! {
    /// What `customerAddressCreate` did.
    CustomerAddressCreatePayload {
        /// The new entry.
        address: CustomerAddress
    }
}

payload! {
    /// What `customerAddressUpdate` did.
    CustomerAddressUpdatePayload {
        /// The entry as it is now.
        address: CustomerAddress
    }
}

payload! {
    /// What `customerAddressDelete` did.
    CustomerAddressDeletePayload {
        /// The id of the entry that is gone.
        deleted_id: ID
    }
}

payload! {
    /// What `orderAccessRequest` did.
    OrderAccessRequestPayload {
        /// True: look into the mailbox. It is the same whatever matched.
        accepted: bool
    }
}

payload! {
    /// What `orderClaimRequest` did.
    OrderClaimRequestPayload {
        /// True: look into your mailbox. It is the same whether there is an order to claim or not.
        accepted: bool
    }
}

payload! {
    /// What `orderClaim` did.
    OrderClaimPayload {
        /// How many orders are yours from now on, at most 1000 at once.
        claimed: i32
    }
}

payload! {
    /// What `customerDelete` did.
    CustomerDeletePayload {
        /// Your id, which nobody has any more.
        deleted_id: ID
    }
}

payload! {
    /// What `customerDataExport` did.
    CustomerDataExportPayload {
        /// Everything that the shop keeps about you.
        data: Json
    }
}

/// Mutations of the caller's own data.
#[derive(Debug, Default)]
pub struct CustomerStoreMutation;

#[Object]
impl CustomerStoreMutation {
    /// Changes what you are called and how you are written to.
    async fn customer_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: CustomerUpdateInput,
    ) -> async_graphql::Result<CustomerUpdatePayload> {
        let call = call(ctx)?;
        let outcome = call.app.run(&call.caller, &UpdateProfile(input.person.into())).await;
        CustomerUpdatePayload::answer(outcome.map(Customer::from))
    }

    /// Asks to move your account to another mailbox: a token is mailed there.
    async fn customer_email_change_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which mailbox.")] input: CustomerEmailChangeRequestInput,
    ) -> async_graphql::Result<CustomerEmailChangeRequestPayload> {
        let call = call(ctx)?;
        let outcome = email::request_change(&call.app, &call.caller, &input.email, input.password).await;
        CustomerEmailChangeRequestPayload::answer(outcome.map(|()| true))
    }

    /// Moves an account to the mailbox that the token was sent to.
    async fn customer_email_change_confirm(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof.")] input: CustomerEmailChangeConfirmInput,
    ) -> async_graphql::Result<CustomerEmailChangeConfirmPayload> {
        let call = call(ctx)?;
        let outcome = call.app.run(&call.caller, &ConfirmChange { token: input.token }).await;
        CustomerEmailChangeConfirmPayload::answer(outcome.map(|_| true))
    }

    /// Puts an address into your book, which holds at most 100.
    async fn customer_address_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new entry.")] input: CustomerAddressCreateInput,
    ) -> async_graphql::Result<CustomerAddressCreatePayload> {
        let call = call(ctx)?;
        let op = CreateAddress(Entry {
            address: Some(input.address.into()),
            default_shipping: input.default_shipping,
            default_billing: input.default_billing,
        });
        CustomerAddressCreatePayload::answer(call.app.run(&call.caller, &op).await.map(CustomerAddress::from))
    }

    /// Changes an entry of your address book.
    async fn customer_address_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it becomes.")] input: CustomerAddressUpdateInput,
    ) -> async_graphql::Result<CustomerAddressUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = UpdateAddress {
                id: address_id(call, &input.id)?,
                entry: Entry {
                    address: input.address.map(Into::into),
                    default_shipping: input.default_shipping,
                    default_billing: input.default_billing,
                },
            };
            call.app.run(&call.caller, &op).await.map(CustomerAddress::from)
        };
        CustomerAddressUpdatePayload::answer(outcome.await)
    }

    /// Takes an entry out of your address book. Orders keep their own copy.
    async fn customer_address_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry.")] input: CustomerAddressDeleteInput,
    ) -> async_graphql::Result<CustomerAddressDeletePayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &DeleteAddress(address_id(call, &input.id)?)).await.map(id) };
        CustomerAddressDeletePayload::answer(outcome.await)
    }

    /// Asks for a link that opens an order, by mail to the address that it was bought with. Number and e-mail
    /// open nothing by themselves, and the answer is the same whatever matched.
    async fn order_access_request(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which order.")] input: OrderAccessRequestInput,
    ) -> async_graphql::Result<OrderAccessRequestPayload> {
        let call = call(ctx)?;
        let outcome = claim::request_access(&call.app, &call.caller, input.number.0, &input.email).await;
        OrderAccessRequestPayload::answer(outcome.map(|()| true))
    }

    /// Asks for the token with which the orders that were bought with your mailbox as a guest join your account.
    async fn order_claim_request(&self, ctx: &Context<'_>) -> async_graphql::Result<OrderClaimRequestPayload> {
        let call = call(ctx)?;
        let outcome = claim::request_claim(&call.app, &call.caller).await;
        OrderClaimRequestPayload::answer(outcome.map(|()| true))
    }

    /// Attaches the orders of a guest to your account by the token that was mailed to you.
    async fn order_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The proof.")] input: OrderClaimInput,
    ) -> async_graphql::Result<OrderClaimPayload> {
        let call = call(ctx)?;
        let outcome = call.app.run(&call.caller, &ClaimOrders { token: input.token }).await;
        OrderClaimPayload::answer(outcome.map(|claimed| claimed as i32))
    }

    /// Erases you: profile, addresses, carts and whom your orders were for. Orders keep their amounts. Refused
    /// while an order of yours is not completed; claim orders of a guest first, to have them erased too.
    async fn customer_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "That you mean it.")] input: CustomerDeleteInput,
    ) -> async_graphql::Result<CustomerDeletePayload> {
        let call = call(ctx)?;
        let outcome = erase::delete_own(&call.app, &call.caller, input.password).await;
        CustomerDeletePayload::answer(outcome.map(id))
    }

    /// Everything that the shop keeps about you, as JSON.
    async fn customer_data_export(&self, ctx: &Context<'_>) -> async_graphql::Result<CustomerDataExportPayload> {
        let call = call(ctx)?;
        let outcome = match call.caller.actor.customer() {
            Some(id) => export::export(&call.conn(), id).await,
            None => Err(Error::Unauthenticated),
        };
        CustomerDataExportPayload::answer(outcome.map(Json))
    }
}

/// An id of another kind is an address that isn't there; a guest has none.
fn address_id(call: &Call, text: &ID) -> Result<AddressId> {
    if call.caller.actor.customer().is_none() {
        return Err(Error::Unauthenticated);
    }
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such address.").at(["id"]);
    Ok(parse_id(text, &["id"]).map_err(|_| missing())?)
}
