//! Who may see an order: its owner, staff who may read orders, or whoever
//! holds a link that the shop signed. An id alone opens nothing, and what is
//! not yours is not there.

use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{OrderId, OrderTokenId};
use domain::refusal::{ErrorCode, Refusal};
use entity::{order, order_token};

use super::repo;
use crate::actor::Actor;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::scope;

/// The order, if it is the caller's, if he holds a link to it, or if he is staff and `permission` reaches it.
pub async fn open(
    app: &App,
    conn: &Conn,
    actor: &Actor,
    permission: Permission,
    id: OrderId,
    access_token: Option<&str>,
) -> Result<order::Model> {
    let link = access_token.and_then(|token| named_by(app, id, token));
    let links = match link {
        Some(link) => repo::find_token(conn, link).await?,
        None => None,
    };
    let row = repo::find(conn, id).await?;
    let allowed = |row: &order::Model| allowed(row, links.as_slice(), actor, permission, link, app.clock.now());
    row.filter(allowed).ok_or_else(|| Error::not_found("order"))
}

/// Whether an order is open to the caller at this moment: `link` is the one that his token names, `links` are those that
/// may open it, `permission` is what opens it to staff.
pub fn allowed(
    order: &order::Model,
    links: &[order_token::Model],
    actor: &Actor,
    permission: Permission,
    link: Option<OrderTokenId>,
    now: DateTime<Utc>,
) -> bool {
    let own = order.customer_id.is_some() && order.customer_id == actor.customer();
    let is_good = |row: &order_token::Model| {
        Some(row.id) == link && row.order_id == order.id && row.revoked_at.is_none() && row.expires_at > now
    };
    own || scope::channels(actor, permission).holds(order.channel_id) || links.iter().any(is_good)
}

/// The link to this order that a token names, when the shop signed it and its time is not over.
pub fn named_by(app: &App, order: OrderId, token: &str) -> Option<OrderTokenId> {
    let (named, link) = app.keys.read_order_link(token, app.clock.now())?;
    (named == order).then_some(link)
}

/// The refusal of a sequence that an order has not come to.
pub fn not_that_far(head: i64) -> Refusal {
    let message = format!("This order has not come that far: its last sequence is {head}.");
    Refusal::new(ErrorCode::Invalid, message).limit(head).at(["afterSequence"])
}

/// The order, if it is in a channel in which staff may do this.
pub async fn find(conn: &Conn, actor: &Actor, permission: Permission, id: OrderId) -> Result<Option<order::Model>> {
    let reach = scope::channels(actor, permission);
    Ok(repo::find(conn, id).await?.filter(|row| reach.holds(row.channel_id)))
}

/// The same for the caller of an op, locked until the transaction ends.
pub async fn lock(tx: &Tx, permission: Permission, id: OrderId) -> Result<Option<order::Model>> {
    let reach = scope::channels(tx.actor(), permission);
    Ok(repo::lock(tx, id).await?.filter(|row| reach.holds(row.channel_id)))
}
