//! Orders of guests: opened by a mailed link, attached to an account by a
//! mailed token. Knowing number and address opens nothing.

use std::sync::Arc;

use domain::auth::TokenPurpose;
use domain::customer::MAX_CLAIMED;
use domain::id::CustomerId;
use domain::refusal::Refusal;
use domain::text::Email;
use serde_json::json;

use super::mail::{self, template};
use super::{hold_own, repo};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::auth::attempt::{self, Attempt};
use crate::auth::one_time;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// Asks for a link that opens an order. The answer is the same whatever matched.
pub async fn request_access(app: &Arc<App>, caller: &Caller, number: i64, email: &str) -> Result<()> {
    let email: Email = email.parse().map_err(|refusal: Refusal| refusal.at(["email"]))?;
    attempt::count(app, caller, Attempt::Mail, email.as_str()).await?;
    attempt::evenly(app.run(caller, &RequestAccess { number, email })).await
}

struct RequestAccess {
    number: i64,
    email: Email,
}

impl Op for RequestAccess {
    const NAME: &'static str = "order.request_access";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        match repo::lock_order_of(tx, self.number, &self.email).await? {
            Some(order) => {
                let payload = json!({ "template": template::ORDER_ACCESS });
                tx.emit(crate::order::aggregate(order), crate::order::MAIL_REQUESTED, payload);
            }
            None => attempt::spend(tx, self.email.as_str(), 1).await?,
        }
        Ok(())
    }
}

/// Asks for the token that attaches what was bought with the caller's mailbox
/// as a guest. The answer is the same when there is no such order.
pub async fn request_claim(app: &Arc<App>, caller: &Caller) -> Result<()> {
    let id = caller.actor.customer().ok_or(Error::Unauthenticated)?;
    attempt::count(app, caller, Attempt::Mail, &id.to_string()).await?;
    app.run(caller, &RequestClaim).await
}

struct RequestClaim;

impl Op for RequestClaim {
    const NAME: &'static str = "customer.request_order_claim";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let row = hold_own(tx).await?;
        mail::request(tx, row.id, template::ORDER_CLAIM);
        Ok(())
    }
}

/// Attaches the orders that were bought as a guest with the mailbox that the
/// token was sent to. Only the customer for whom it was issued can use it.
#[derive(Debug, Clone)]
pub struct ClaimOrders {
    /// What was mailed.
    pub token: String,
}

impl Op for ClaimOrders {
    const NAME: &'static str = "customer.claim_orders";
    const NEEDS: Need = Need::Nothing;
    type Out = usize;

    async fn run(&self, tx: &mut Tx) -> Result<usize> {
        let row = hold_own(tx).await?;
        let redeemed = one_time::redeem(tx, TokenPurpose::OrderClaim, &self.token).await?;
        if CustomerId(redeemed.subject) != row.id || redeemed.detail.as_deref() != Some(row.email.as_str()) {
            return Err(one_time::invalid().into());
        }
        let claimed = repo::claim_orders(tx, row.id, &row.email, MAX_CLAIMED).await?;
        for order in &claimed {
            let payload = json!({ "customerId": row.id.to_string() });
            tx.emit(crate::order::aggregate(*order), "order.claimed", payload);
        }
        Ok(claimed.len())
    }
}
