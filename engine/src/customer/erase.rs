//! Erasing a person: what the shop must keep stays, whom it was about is gone.

use std::sync::Arc;

use domain::auth::Permission;
use domain::id::CustomerId;
use domain::refusal::{ErrorCode, Refusal};
use entity::customer;
use serde_json::json;

use super::account::prove;
use super::{aggregate, repo};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// Blanks everything that tells who the customer is. Orders keep their amounts.
async fn erase(tx: &mut Tx, row: &customer::Model) -> Result<()> {
    if repo::erase::is_paying(tx, row.id).await? {
        let message = "A checkout or a payment is under way: let it end, or cancel it.";
        return Err(Refusal::new(ErrorCode::CartCompleting, message).into());
    }
    let open = repo::erase::open_orders(tx, row.id).await?;
    if !open.is_empty() {
        let refuse = |order: &domain::id::OrderId| {
            let message = "This order is not completed: it can't be sent to nobody. Complete or cancel it first.";
            Refusal::new(ErrorCode::StateInvalid, message).about(order)
        };
        return Err(open.iter().map(refuse).collect::<Vec<_>>().into());
    }
    repo::erase::blank(tx, row).await?;
    tx.emit(aggregate(row.id), "customer.erased", json!({}));
    Ok(())
}

/// Erases the caller, who gave his password again.
pub async fn delete_own(app: &Arc<App>, caller: &Caller, secret: String) -> Result<CustomerId> {
    let (row, _) = prove(app, caller, secret, "password").await?;
    app.run(caller, &DeleteOwn).await?;
    Ok(row.id)
}

struct DeleteOwn;

impl Op for DeleteOwn {
    const NAME: &'static str = "customer.delete";
    const NEEDS: Need = Need::Nothing;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let id = tx.actor().customer().ok_or(Error::Unauthenticated)?;
        let row = repo::lock(tx, id).await?.ok_or(Error::Unauthenticated)?;
        erase(tx, &row).await
    }
}

/// Erases a customer for staff.
#[derive(Debug, Clone, Copy)]
pub struct EraseCustomer(pub CustomerId);

impl Op for EraseCustomer {
    const NAME: &'static str = "customer.erase";
    // His orders in every channel are blanked.
    const NEEDS: Need = Need::Everywhere(Permission::CustomersWrite);
    type Out = CustomerId;

    async fn run(&self, tx: &mut Tx) -> Result<CustomerId> {
        let row = repo::lock(tx, self.0).await?.ok_or_else(super::staff::no_customer)?;
        erase(tx, &row).await?;
        tx.audit(row.id, None, None);
        Ok(row.id)
    }
}
