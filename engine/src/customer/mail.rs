//! Mail that is wanted, and the tokens that go into it.

use domain::auth::TokenPurpose;
use domain::id::CustomerId;
use domain::text::Email;
use serde_json::json;

use super::{aggregate, repo};
use crate::actor::Need;
use crate::auth::one_time;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// What kind of mail a customer is sent.
pub mod template {
    /// To prove the mailbox of a new account.
    pub const VERIFICATION: &str = "customer.verification";
    /// To set a new password.
    pub const RECOVERY: &str = "customer.recovery";
    /// To prove the mailbox that the account shall have.
    pub const EMAIL_CHANGE: &str = "customer.email_change";
    /// To tell the old mailbox that the account left it.
    pub const EMAIL_CHANGED: &str = "customer.email_changed";
    /// To open an order.
    pub const ORDER_ACCESS: &str = "customer.order_access";
    /// To attach the orders of a guest.
    pub const ORDER_CLAIM: &str = "customer.order_claim";
    /// To tell an owner that somebody wanted an account with his address.
    pub const REGISTERED_AGAIN: &str = "customer.registered_again";
}

/// Asks for a mail to a customer, who must be locked or new. Its links lead to the channel in which it is asked for.
pub(super) fn request(tx: &mut Tx, customer: CustomerId, template: &str) {
    let mut payload = json!({ "template": template, "customerId": customer.to_string() });
    if let Some(channel) = tx.channel() {
        payload["channelId"] = json!(channel);
    }
    tx.emit(aggregate(customer), "customer.mail_requested", payload);
}

/// A token and the mailbox that it is for.
#[derive(Debug, Clone)]
pub struct Mailed {
    /// Where the mail goes.
    pub to: Email,
    /// The token: it goes into the mail and is kept nowhere.
    pub secret: String,
}

/// Issues the token of a mail that is about to be sent; the older one of its
/// kind ends. Answers with nothing when the mail has become pointless.
#[derive(Debug, Clone, Copy)]
pub struct IssueToken {
    /// What it is for.
    pub purpose: TokenPurpose,
    /// Whose account it is for.
    pub customer: CustomerId,
}

impl Op for IssueToken {
    const NAME: &'static str = "customer.issue_token";
    const NEEDS: Need = Need::System;
    type Out = Option<Mailed>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Mailed>> {
        let row = repo::lock(tx, self.customer).await?.ok_or_else(|| Error::not_found("customer"))?;
        let to = match self.purpose {
            TokenPurpose::CustomerVerification => Some(row.email).filter(|_| row.verified_at.is_none()),
            TokenPurpose::PasswordRecovery => Some(row.email),
            TokenPurpose::OrderClaim => Some(row.email).filter(|_| row.verified_at.is_some()),
            TokenPurpose::EmailChange => row.new_email,
            TokenPurpose::StaffInvitation | TokenPurpose::StaffRecovery | TokenPurpose::StaffLogin => None,
        };
        let Some(to) = to.filter(|_| row.has_account) else { return Ok(None) };
        let life = one_time::life(self.purpose);
        let secret = one_time::issue(tx, self.purpose, row.id.into(), Some(to.to_string()), life).await?;
        Ok(Some(Mailed { to, secret }))
    }
}
