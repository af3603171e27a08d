//! Who may see an order: its owner, staff who may read orders, or whoever
//! holds a link that the shop signed. An id alone opens nothing, and what is
//! not yours is not there.

use domain::auth::Permission;
use domain::id::OrderId;
use entity::order;

use super::repo;
use crate::actor::Actor;
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::scope;

/// The order, if the caller may see it.
pub async fn open(
    app: &App,
    conn: &Conn,
    actor: &Actor,
    id: OrderId,
    access_token: Option<&str>,
) -> Result<order::Model> {
    let linked = match access_token {
        Some(token) => opens(app, conn, id, token).await?,
        None => false,
    };
    let row = repo::find(conn, id).await?;
    let allowed = |row: &order::Model| {
        linked
            || (row.customer_id.is_some() && row.customer_id == actor.customer())
            || scope::channels(actor, Permission::OrdersRead).holds(row.channel_id)
    };
    row.filter(allowed).ok_or_else(|| Error::not_found("order"))
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

async fn opens(app: &App, conn: &Conn, id: OrderId, token: &str) -> Result<bool> {
    let now = app.clock.now();
    match app.keys.read_order_link(token, now) {
        Some((order, link)) if order == id => {
            let row = repo::find_token(conn, link).await?;
            Ok(row.is_some_and(|row| row.order_id == id && row.revoked_at.is_none() && row.expires_at > now))
        }
        _ => Ok(false),
    }
}
