//! Groups of customers, on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::id::CustomerId;
use domain::refusal::Refusals;

use crate::api::call::call;
use crate::api::guard::{customers_read, customers_write};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::customer::types::AdminCustomerGroup;
use engine::customer::group::{ChangeMembers, DeleteGroup, Members, SetGroup};
use engine::customer::repo::groups;
use engine::error::Result;

/// Queries about groups.
#[derive(Debug, Default)]
pub struct CustomerGroupAdminQuery;

#[Object]
impl CustomerGroupAdminQuery {
    /// All groups by handle, at most 1000.
    #[graphql(guard = "customers_read()")]
    async fn customer_groups(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminCustomerGroup>> {
        let rows = groups::all_groups(&call(ctx)?.conn()).await.map_err(top_level)?;
        Ok(rows.into_iter().map(AdminCustomerGroup::from).collect())
    }
}

/// What a group is, and who comes into it and leaves it.
#[derive(Debug, InputObject)]
pub struct AdminCustomerGroupSetInput {
    /// Which group: the one with this handle is changed, otherwise a new one is made. Made from the name when absent.
    pub handle: Option<String>,
    /// What staff call it, 1 to 255 characters.
    pub name: String,
    /// The version that you saw; another one now is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Whether its members owe no tax; as it was when absent.
    pub tax_exempt: Option<bool>,
    /// Customers who come in, at most 250 at once.
    pub add: Option<Vec<ID>>,
    /// Customers who leave, at most 250 at once.
    pub remove: Option<Vec<ID>>,
}

/// Who comes into a group.
#[derive(Debug, InputObject)]
pub struct AdminCustomerGroupMembersAddInput {
    /// Which group.
    pub id: ID,
    /// Who comes in, at most 250 at once; who is in stays.
    pub customer_ids: Vec<ID>,
}

/// Who leaves a group.
#[derive(Debug, InputObject)]
pub struct AdminCustomerGroupMembersRemoveInput {
    /// Which group.
    pub id: ID,
    /// Who leaves, at most 250 at once; who is not in stays out.
    pub customer_ids: Vec<ID>,
}

/// Which group goes.
#[derive(Debug, InputObject)]
pub struct AdminCustomerGroupDeleteInput {
    /// Which group.
    pub id: ID,
    /// The version that you saw; another one now is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

payload! {
    /// What `customerGroupSet` did.
    AdminCustomerGroupSetPayload {
        /// The group as it is now.
        group: AdminCustomerGroup
    }
}

payload! {
    /// What `customerGroupMembersAdd` did.
    AdminCustomerGroupMembersAddPayload {
        /// The group as it is now.
        group: AdminCustomerGroup
    }
}

payload! {
    /// What `customerGroupMembersRemove` did.
    AdminCustomerGroupMembersRemovePayload {
        /// The group as it is now.
        group: AdminCustomerGroup
    }
}

payload! {
    /// What `customerGroupDelete` did.
    AdminCustomerGroupDeletePayload {
        /// The id of the group that is gone.
        deleted_id: ID
    }
}

fn customers(ids: &[ID], name: &str, refusals: &mut Refusals) -> Vec<CustomerId> {
    let ids = ids.iter().enumerate();
    ids.filter_map(|(place, id)| refusals.keep(parse_id(id, &[name, &place.to_string()]))).collect()
}

/// Mutations of groups.
#[derive(Debug, Default)]
pub struct CustomerGroupAdminMutation;

#[Object]
impl CustomerGroupAdminMutation {
    /// Makes a group, or changes the one with this handle.
    #[graphql(guard = "customers_write()")]
    async fn customer_group_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The group.")] input: AdminCustomerGroupSetInput,
    ) -> async_graphql::Result<AdminCustomerGroupSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let mut refusals = Refusals::default();
            let members = Members {
                add: customers(&input.add.unwrap_or_default(), "add", &mut refusals),
                remove: customers(&input.remove.unwrap_or_default(), "remove", &mut refusals),
            };
            refusals.into_result()?;
            let op = SetGroup {
                handle: input.handle,
                name: input.name,
                expected_version: input.expected_version,
                tax_exempt: input.tax_exempt,
                members,
            };
            call.app.run(&call.caller, &op).await.map(AdminCustomerGroup::from)
        };
        AdminCustomerGroupSetPayload::answer(outcome.await)
    }

    /// Lets customers into a group.
    #[graphql(guard = "customers_write()")]
    async fn customer_group_members_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who comes in.")] input: AdminCustomerGroupMembersAddInput,
    ) -> async_graphql::Result<AdminCustomerGroupMembersAddPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = change(&input.id, &input.customer_ids, |add| Members { add, remove: Vec::new() })?;
            call.app.run(&call.caller, &op).await.map(AdminCustomerGroup::from)
        };
        AdminCustomerGroupMembersAddPayload::answer(outcome.await)
    }

    /// Takes customers out of a group.
    #[graphql(guard = "customers_write()")]
    async fn customer_group_members_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who leaves.")] input: AdminCustomerGroupMembersRemoveInput,
    ) -> async_graphql::Result<AdminCustomerGroupMembersRemovePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = change(&input.id, &input.customer_ids, |remove| Members { add: Vec::new(), remove })?;
            call.app.run(&call.caller, &op).await.map(AdminCustomerGroup::from)
        };
        AdminCustomerGroupMembersRemovePayload::answer(outcome.await)
    }

    /// Deletes a group. Its members stay customers.
    #[graphql(guard = "customers_write()")]
    async fn customer_group_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which group.")] input: AdminCustomerGroupDeleteInput,
    ) -> async_graphql::Result<AdminCustomerGroupDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let group = parse_id(&input.id, &["id"])?;
            let op = DeleteGroup { group, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminCustomerGroupDeletePayload::answer(outcome.await)
    }
}

fn change(group: &ID, ids: &[ID], members: impl FnOnce(Vec<CustomerId>) -> Members) -> Result<ChangeMembers> {
    let mut refusals = Refusals::default();
    let group = refusals.keep(parse_id(group, &["id"]));
    let ids = customers(ids, "customerIds", &mut refusals);
    refusals.into_result()?;
    let group = group.ok_or_else(|| engine::error::Error::internal("a refusal was lost"))?;
    Ok(ChangeMembers { group, members: members(ids) })
}
