//! Who may see an order: its owner, staff who may read orders, or whoever
//! holds a link that the shop signed. An id alone opens nothing, and what is
//! not yours is not there.

use domain::auth::Permission;
use domain::id::OrderId;
use entity::order;

use super::repo;
use crate::actor::{Actor, Need};
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};

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
            || actor.check(Need::Permission(Permission::OrdersRead)).is_ok()
    };
    row.filter(allowed).ok_or_else(|| Error::not_found("order"))
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
