//! What becomes of money and goods of an order: its statuses follow from its ledgers and its lines, by the rules that
//! set them.

use std::collections::HashMap;
use std::sync::Arc;

use domain::id::{OrderId, PaymentId};
use domain::order::{fulfillment_status, payment_status};
use domain::payment::{Entry, EntryKind, EntryState, state};
use entity::{order, order_line, payment, payment_entry};

use super::{Broken, MOST, repo};
use crate::app::App;
use crate::error::Result;
use crate::order::repo::counters;
use crate::payment::repo::{entry, paid};

/// How many orders are read at once.
const BATCH: u64 = 500;

/// What is broken, at most [`MOST`] rows.
pub async fn broken(app: &Arc<App>) -> Result<Vec<Broken>> {
    let running = repo::running(&app.read()).await?;
    let mut broken = Vec::new();
    let mut last: Option<OrderId> = None;
    loop {
        let conn = app.read();
        let orders = repo::orders_after(&conn, last, BATCH).await?;
        let Some(end) = orders.last() else { return Ok(broken) };
        last = Some(end.id);
        let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
        let payments = crate::payment::repo::of_orders(&conn, &ids).await?;
        let entries =
            crate::payment::repo::entries_of(&conn, &payments.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
        let lines = crate::order::repo::lines_of(&conn, &ids).await?;
        for row in entries.iter().filter(|row| row.state == EntryState::Pending) {
            // A new payment has a run of its own, what is done with one later another.
            let key = if row.kind == EntryKind::Authorize { row.payment_id.to_string() } else { row.id.to_string() };
            if !running.contains(&key) {
                broken.push(Broken {
                    rule: "what a payment provider is being asked has a run that settles it",
                    row: row.id.to_string(),
                    found: "no run".to_owned(),
                });
            }
        }
        broken.extend(statuses(&orders, &payments, &entries, &lines));
        if broken.len() >= MOST {
            broken.truncate(MOST);
            return Ok(broken);
        }
    }
}

fn statuses(
    orders: &[order::Model],
    payments: &[payment::Model],
    entries: &[payment_entry::Model],
    lines: &[order_line::Model],
) -> Vec<Broken> {
    let mut ledgers: HashMap<PaymentId, Vec<Entry>> = HashMap::new();
    for row in entries {
        ledgers.entry(row.payment_id).or_default().push(entry(row));
    }
    let ledger = |id: PaymentId| ledgers.get(&id).map(Vec::as_slice).unwrap_or_default();
    let mut broken = Vec::new();
    let mut compare = |rule, row: String, found: &str, expected: &str| {
        if found != expected {
            broken.push(Broken { rule, row, found: format!("{found} instead of {expected}") });
        }
    };
    for row in payments {
        let expected = state(row.amount_minor, ledger(row.id), row.next_action.is_some());
        let rule = "the state of a payment follows from its ledger";
        compare(rule, row.id.to_string(), row.state.as_str(), expected.as_str());
    }
    for order in orders {
        let own = payments.iter().filter(|row| row.order_id == Some(order.id)).map(|row| (row.state, ledger(row.id)));
        let expected = payment_status(order.total_minor, &paid(own));
        let rule = "the payment status of an order follows from its ledgers";
        compare(rule, order.id.to_string(), order.payment_status.as_str(), expected.as_str());
        let counted: Vec<_> = lines.iter().filter(|line| line.order_id == order.id).map(counters).collect();
        let expected = fulfillment_status(&counted);
        let rule = "the fulfillment status of an order follows from its lines";
        compare(rule, order.id.to_string(), order.fulfillment_status.as_str(), expected.as_str());
    }
    broken
}
