//! What staff do with customers. The audit log names what changed and never
//! repeats it: people can be erased, the log can't.

use domain::auth::{ActorKind, Permission};
use domain::id::CustomerId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::text::Email;
use entity::customer;
use serde_json::json;

use super::mail::{self, template};
use super::profile::Person;
use super::{account, aggregate, email, repo, save, searched};
use crate::actor::Need;
use crate::auth::{one_time, repo as access};
use crate::error::{Error, Result};
use crate::op::{Op, Tx};
use crate::version::check_version;

/// The refusal for a customer who is not there.
pub fn no_customer() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such customer.").at(["id"])
}

fn taken() -> Refusal {
    Refusal::new(ErrorCode::Taken, "A customer with an account has this e-mail.").at(["email"])
}

/// A new customer, with or without an account.
#[derive(Debug, Clone)]
pub struct CreateCustomer {
    /// His mailbox.
    pub email: String,
    /// What else is known of him.
    pub person: Person,
    /// Whether he gets an account, whose password he chooses by mail.
    pub account: bool,
    /// Whether he owes no tax.
    pub tax_exempt: bool,
}

impl Op for CreateCustomer {
    const NAME: &'static str = "customer.create";
    const NEEDS: Need = Need::Permission(Permission::CustomersWrite);
    type Out = customer::Model;

    async fn run(&self, tx: &mut Tx) -> Result<customer::Model> {
        let mut refusals = Refusals::default();
        let email = refusals.keep(self.email.parse::<Email>().map_err(|refusal| refusal.at(["email"])));
        let mut row = email.as_ref().map(|email| account::blank(tx, email.clone()));
        let mut spare = account::blank(tx, domain::text::Email::erased());
        self.person.apply(row.as_mut().unwrap_or(&mut spare), &mut refusals);
        if let (true, Some(email)) = (self.account, &email)
            && repo::find_account(&tx.conn, email).await?.is_some()
        {
            refusals.push(taken());
        }
        refusals.into_result()?;
        let mut row = row.ok_or_else(|| Error::internal("a refusal was lost"))?;
        row.has_account = self.account;
        row.tax_exempt = self.tax_exempt;
        row.search_text = searched(&row);
        let row = repo::insert(tx, row).await?;
        tx.emit(aggregate(row.id), "customer.created", json!({}));
        if self.account {
            access::insert_password(tx, ActorKind::Customer, row.id.into(), &row.email, None).await?;
            mail::request(tx, row.id, template::VERIFICATION);
        }
        tx.audit(row.id, None, Some(json!({ "account": self.account })));
        Ok(row)
    }
}

/// Changes a customer.
#[derive(Debug, Clone)]
pub struct UpdateCustomer {
    /// Which customer.
    pub id: CustomerId,
    /// The version that the caller saw.
    pub expected_version: Option<i32>,
    /// Another mailbox.
    pub email: Option<String>,
    /// What else changes.
    pub person: Person,
    /// Whether he owes no tax.
    pub tax_exempt: Option<bool>,
}

impl Op for UpdateCustomer {
    const NAME: &'static str = "customer.update";
    const NEEDS: Need = Need::Permission(Permission::CustomersWrite);
    type Out = customer::Model;

    async fn run(&self, tx: &mut Tx) -> Result<customer::Model> {
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(no_customer)?;
        let mut refusals = Refusals::default();
        refusals.keep(check_version(self.expected_version, row.version));
        let wanted = self.email.as_deref().map(|text| text.parse::<Email>().map_err(|refusal| refusal.at(["email"])));
        let wanted = wanted.and_then(|email| refusals.keep(email)).filter(|email| *email != row.email);
        if let Some(email) = &wanted
            && row.has_account
            && repo::find_account(&tx.conn, email).await?.is_some()
        {
            refusals.push(taken());
        }
        let before = row.clone();
        self.person.apply(&mut row, &mut refusals);
        row.tax_exempt = self.tax_exempt.unwrap_or(row.tax_exempt);
        refusals.into_result()?;
        let moved = wanted.is_some();
        if let Some(email) = wanted {
            email::move_to(&mut row, email);
        }
        let row = save(tx, row).await?;
        if moved && row.has_account {
            email::follow(tx, row.id, &row.email).await?;
            one_time::end_all(tx, row.id.into()).await?;
            mail::request(tx, row.id, template::EMAIL_CHANGED);
        }
        tx.emit(aggregate(row.id), "customer.updated", json!({}));
        tx.audit(row.id, None, Some(json!({ "changed": changed(&before, &row) })));
        Ok(row)
    }
}

fn changed(before: &customer::Model, after: &customer::Model) -> Vec<&'static str> {
    let differ = [
        ("email", before.email != after.email),
        ("firstName", before.first_name != after.first_name),
        ("lastName", before.last_name != after.last_name),
        ("phone", before.phone != after.phone),
        ("locale", before.locale != after.locale),
        ("acceptsMarketing", before.accepts_marketing != after.accepts_marketing),
        ("taxNumber", before.tax_number != after.tax_number),
        ("taxExempt", before.tax_exempt != after.tax_exempt),
    ];
    differ.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// Ends every session of a customer.
#[derive(Debug, Clone, Copy)]
pub struct RevokeSessions(pub CustomerId);

impl Op for RevokeSessions {
    const NAME: &'static str = "customer.revoke_sessions";
    const NEEDS: Need = Need::Permission(Permission::CustomersWrite);
    type Out = customer::Model;

    async fn run(&self, tx: &mut Tx) -> Result<customer::Model> {
        let row = repo::lock(tx, self.0).await?.ok_or_else(no_customer)?;
        let revoked = access::revoke_sessions(tx, ActorKind::Customer, row.id.into(), None).await?;
        tx.audit(row.id, None, Some(json!({ "revoked": revoked })));
        Ok(row)
    }
}
