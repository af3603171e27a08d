//! Customers on the admin surface.

use async_graphql::{Context, Enum, ID, InputObject, Object, OneofObject};
use chrono::{DateTime, Utc};
use domain::id::CustomerId;
use domain::refusal::Refusal;

use super::types::{AdminCustomer, AdminCustomerConnection, PersonInput};
use crate::api::call::call;
use crate::api::guard::{customers_read, customers_write};
use crate::api::page::{ADMIN_MAX, Page, PageArgs, SortDirection, one_sort};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use engine::customer::erase::EraseCustomer;
use engine::customer::repo;
use engine::customer::repo::list::{self, CustomerFilter, SortKey};
use engine::customer::staff::{CreateCustomer, RevokeSessions, UpdateCustomer};
use engine::error::Result;

/// What customers must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminCustomerFilter {
    /// Every word of it stands in e-mail, names or telephone number.
    pub text: Option<String>,
    /// With this e-mail, whatever its capitals.
    pub email: Option<String>,
    /// With an account, or guests.
    pub has_account: Option<bool>,
    /// Who wants to be sent news, or doesn't.
    pub accepts_marketing: Option<bool>,
    /// In this group.
    pub group_id: Option<ID>,
    /// Known since this moment or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Known since before this moment.
    pub created_before: Option<DateTime<Utc>>,
}

impl AdminCustomerFilter {
    fn read(self) -> Result<CustomerFilter> {
        let email = self.email.as_deref().map(str::parse).transpose();
        let group = self.group_id.as_ref().map(|id| parse_id(id, &["filter", "groupId"])).transpose();
        Ok(CustomerFilter {
            text: self.text,
            email: email.map_err(|refusal: Refusal| refusal.at(["filter", "email"]))?,
            has_account: self.has_account,
            accepts_marketing: self.accepts_marketing,
            group: group?,
            created_from: self.created_from,
            created_before: self.created_before,
        })
    }
}

/// What a list of customers is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AdminCustomerSortField {
    /// Since when the shop knows them.
    CreatedAt,
    /// Their e-mail.
    Email,
}

/// How a list of customers is sorted.
#[derive(Debug, Clone, InputObject)]
pub struct AdminCustomerSort {
    /// By what.
    pub field: AdminCustomerSortField,
    /// Which way.
    #[graphql(default_with = "SortDirection::Asc")]
    pub direction: SortDirection,
}

/// Which customer; give exactly one.
#[derive(Debug, OneofObject)]
pub enum AdminCustomerBy {
    /// By id.
    Id(ID),
    /// By e-mail: the one with the account, else the oldest guest.
    Email(String),
}

/// Queries about customers.
#[derive(Debug, Default)]
pub struct CustomerAdminQuery;

#[Object]
impl CustomerAdminQuery {
    /// All customers, accounts and guests, the newest first.
    #[graphql(guard = "customers_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn customers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the customers must be.")] filter: Option<AdminCustomerFilter>,
        #[graphql(desc = "How the list is sorted, by one field; the newest first when absent.")] sort: Option<
            Vec<AdminCustomerSort>,
        >,
    ) -> async_graphql::Result<AdminCustomerConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default().read()?;
            let newest = AdminCustomerSort { field: AdminCustomerSortField::CreatedAt, direction: SortDirection::Desc };
            let sort = one_sort(sort, newest)?;
            let key = match sort.field {
                AdminCustomerSortField::CreatedAt => SortKey::CreatedAt,
                AdminCustomerSortField::Email => SortKey::Email,
            };
            let descending = sort.direction == SortDirection::Desc;
            let args = PageArgs { first, after, last, before, offset };
            let page = Page::read(args, ADMIN_MAX, descending, &("customers", key, descending, &filter))?;
            list::page(&call.conn(), &filter, key, page, count).await
        };
        outcome.await.map(AdminCustomerConnection::from).map_err(top_level)
    }

    /// One customer; null when there is none.
    #[graphql(guard = "customers_read()")]
    async fn customer(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which customer.")] by: AdminCustomerBy,
    ) -> async_graphql::Result<Option<AdminCustomer>> {
        let conn = call(ctx)?.conn();
        let row = match by {
            AdminCustomerBy::Id(id) => match parse_id::<CustomerId>(&id, &["by", "id"]) {
                Ok(id) => repo::find(&conn, id).await,
                Err(_) => Ok(None),
            },
            AdminCustomerBy::Email(text) => match text.parse() {
                Ok(email) => repo::find_by_email(&conn, &email).await,
                Err(_) => Ok(None),
            },
        };
        Ok(row.map_err(top_level)?.map(AdminCustomer::from))
    }
}

/// A new customer.
#[derive(Debug, InputObject)]
pub struct AdminCustomerCreateInput {
    /// The mailbox.
    pub email: String,
    /// Whether the customer gets an account. A mail invites to prove the mailbox and choose a password.
    #[graphql(default)]
    pub account: bool,
    /// Whether the customer owes no tax.
    #[graphql(default)]
    pub tax_exempt: bool,
    /// What else is known.
    #[graphql(flatten)]
    pub person: PersonInput,
}

/// What changes about a customer. What you leave out stays.
#[derive(Debug, InputObject)]
pub struct AdminCustomerUpdateInput {
    /// Which customer.
    pub id: ID,
    /// The version that you saw; another one now is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// Another mailbox; the old one is told when there is an account.
    pub email: Option<String>,
    /// Whether the customer owes no tax.
    pub tax_exempt: Option<bool>,
    /// What else changes.
    #[graphql(flatten)]
    pub person: PersonInput,
}

/// Whose sessions end.
#[derive(Debug, InputObject)]
pub struct AdminCustomerSessionsRevokeInput {
    /// Which customer.
    pub id: ID,
}

/// Who is erased.
#[derive(Debug, InputObject)]
pub struct AdminCustomerEraseInput {
    /// Which customer.
    pub id: ID,
}

payload! {
    /// What `customerCreate` did.
    AdminCustomerCreatePayload {
        /// The new customer.
        customer: AdminCustomer
    }
}

payload! {
    /// What `customerUpdate` did.
    AdminCustomerUpdatePayload {
        /// The customer as he is known now.
        customer: AdminCustomer
    }
}

payload! {
    /// What `customerSessionsRevoke` did.
    AdminCustomerSessionsRevokePayload {
        /// Whose sessions have ended.
        customer: AdminCustomer
    }
}

payload! {
    /// What `customerErase` did.
    AdminCustomerErasePayload {
        /// The id of the customer, whom nobody finds any more.
        erased_id: ID
    }
}

/// Mutations of customers.
#[derive(Debug, Default)]
pub struct CustomerAdminMutation;

#[Object]
impl CustomerAdminMutation {
    /// Makes a customer, with an account or as a guest.
    #[graphql(guard = "customers_write()")]
    async fn customer_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new customer.")] input: AdminCustomerCreateInput,
    ) -> async_graphql::Result<AdminCustomerCreatePayload> {
        let call = call(ctx)?;
        let op = CreateCustomer {
            email: input.email,
            person: input.person.into(),
            account: input.account,
            tax_exempt: input.tax_exempt,
        };
        AdminCustomerCreatePayload::answer(call.app.run(&call.caller, &op).await.map(AdminCustomer::from))
    }

    /// Changes what is known of a customer.
    #[graphql(guard = "customers_write()")]
    async fn customer_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminCustomerUpdateInput,
    ) -> async_graphql::Result<AdminCustomerUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = UpdateCustomer {
                id: parse_id(&input.id, &["id"])?,
                expected_version: input.expected_version,
                email: input.email,
                person: input.person.into(),
                tax_exempt: input.tax_exempt,
            };
            call.app.run(&call.caller, &op).await.map(AdminCustomer::from)
        };
        AdminCustomerUpdatePayload::answer(outcome.await)
    }

    /// Ends every session of a customer: he must log in again everywhere.
    #[graphql(guard = "customers_write()")]
    async fn customer_sessions_revoke(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: AdminCustomerSessionsRevokeInput,
    ) -> async_graphql::Result<AdminCustomerSessionsRevokePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = RevokeSessions(parse_id(&input.id, &["id"])?);
            call.app.run(&call.caller, &op).await.map(AdminCustomer::from)
        };
        AdminCustomerSessionsRevokePayload::answer(outcome.await)
    }

    /// Erases a person: profile, addresses, carts and whom the orders were for. Orders keep their amounts. Refused
    /// while one of the orders is not completed or canceled. There is no way back.
    #[graphql(guard = "customers_write()")]
    async fn customer_erase(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who.")] input: AdminCustomerEraseInput,
    ) -> async_graphql::Result<AdminCustomerErasePayload> {
        let call = call(ctx)?;
        let outcome = async { call.app.run(&call.caller, &EraseCustomer(parse_id(&input.id, &["id"])?)).await.map(id) };
        AdminCustomerErasePayload::answer(outcome.await)
    }
}
