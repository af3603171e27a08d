//! What staff do with an order as a whole.

use chrono::TimeDelta;
use domain::auth::Permission;
use domain::id::OrderId;
use domain::ledger::LedgerEntryKind;
use domain::order::{OrderStatus, may_cancel};
use domain::refusal::{ErrorCode, Refusal};
use entity::order_token;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{access, aggregate, repo};
use crate::actor::Need;
use crate::error::{Error, Result};
use crate::ledger::bought;
use crate::ledger::spend::{Cause, give_back, hold};
use crate::op::{Op, Repeatable, Tx};

/// Cancels an order: what was packed is unpacked, what was promised is free
/// again, what was promised of money is given up and what was taken is given
/// back through its provider.
#[derive(Debug, Clone, Serialize)]
pub struct CancelOrder {
    /// Which order.
    pub order: OrderId,
    /// Why, in staff's own words.
    pub reason: Option<String>,
}

impl Op for CancelOrder {
    const NAME: &'static str = "order.cancel";
    const NEEDS: Need = Need::Permission(Permission::OrdersWrite);
    type Out = OrderId;

    async fn run(&self, tx: &mut Tx) -> Result<OrderId> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such order.").at(["orderId"]);
        let mut order = access::lock(tx, Permission::OrdersWrite, self.order).await?.ok_or_else(missing)?;
        may_cancel(order.status, order.fulfillment_status)?;
        let back = crate::payment::ops::request_return(tx, order.id).await?;
        let mut lines = repo::lines_of(&tx.conn, &[order.id]).await?;
        crate::fulfillment::ops::unpack_all(tx, &order, &mut lines).await?;
        let ids: Vec<_> = lines.iter().map(|line| line.id).collect();
        for row in crate::inventory::repo::reservations_of_lines(&tx.conn, &ids).await? {
            crate::inventory::repo::release(tx, &row, row.quantity).await?;
        }
        crate::promotion::reserve::release(tx, order.checkout_id).await?;
        let cards = bought::cards(tx, &lines).await?;
        hold(tx, cards.iter().copied().chain(back.iter().map(|take| take.account))).await?;
        bought::take_back(tx, &order, &lines, &cards).await?;
        let cause = Cause { checkout: order.checkout_id, order: Some(order.id) };
        give_back(tx, &back, LedgerEntryKind::Release, cause).await?;
        for line in &mut lines {
            line.canceled = line.ordered - line.fulfilled;
            repo::update_line(tx, line.clone()).await?;
        }
        order.status = OrderStatus::Canceled;
        order.canceled_at = Some(tx.now());
        let paid = crate::payment::repo::paid_of(&tx.conn, order.id).await?;
        let order = repo::save_statuses(tx, order, &paid, &lines).await?;
        tx.emit(aggregate(order.id), "order.canceled", json!({}));
        tx.audit(order.id, None, Some(json!({ "status": order.status, "reason": self.reason })));
        Ok(order.id)
    }
}

/// Makes a link that opens an order for a while: for a mail that is about to
/// be sent. `Keys::sign_order_link` signs it.
#[derive(Debug, Clone, Copy)]
pub struct GrantAccess {
    /// Which order.
    pub order: OrderId,
    /// For how long.
    pub life: TimeDelta,
}

impl Op for GrantAccess {
    const NAME: &'static str = "order.grant_access";
    const NEEDS: Need = Need::System;
    type Out = order_token::Model;

    async fn run(&self, tx: &mut Tx) -> Result<order_token::Model> {
        let order = repo::lock(tx, self.order).await?.ok_or_else(|| Error::not_found("order"))?;
        let row = order_token::Model {
            id: tx.id(),
            order_id: order.id,
            created_at: tx.now(),
            expires_at: tx.now() + self.life,
            revoked_at: None,
        };
        repo::insert_token(tx, row.clone()).await?;
        Ok(row)
    }
}

impl Repeatable for CancelOrder {
    fn entity(out: &OrderId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<OrderId> {
        Ok(entity.into())
    }
}
