//! Promises and movements in lists, the latest first.

use domain::id::{InventoryItemId, LocationId};
use domain::inventory::{MovementReason, ReservationKind};
use entity::{reservation, stock_movement};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoSimpleExpr, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::{Conn, any};
use crate::error::Result;
use crate::page::{Key, Page, Place, Rows};

/// What promises and movements must be about to be in a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeptFilter {
    /// This item.
    pub item: Option<InventoryItemId>,
    /// One of these locations; any when absent.
    pub locations: Option<Vec<LocationId>>,
}

impl KeptFilter {
    fn condition<C: ColumnTrait>(&self, conn: &Conn, item: C, location: C) -> Condition {
        let of_item = self.item.map(|id| item.eq(Uuid::from(id)));
        let there = self.locations.as_ref().map(|there| any(conn, location, there.iter().copied()));
        Condition::all().add_option(of_item).add_option(there)
    }
}

/// A page of promises, those of one kind when it is named, and their number when it is asked for.
pub async fn reservations(
    conn: &Conn,
    (filter, kind): (&KeptFilter, Option<ReservationKind>),
    page: Page,
    count: bool,
) -> Result<Rows<reservation::Model>> {
    use reservation::Column;
    let mut condition = filter.condition(conn, Column::ItemId, Column::LocationId);
    condition = match kind {
        None => condition,
        Some(ReservationKind::Cart) => condition.add(Column::CartId.is_not_null()),
        Some(ReservationKind::Sale) => condition.add(Column::CheckoutId.is_not_null()),
        Some(ReservationKind::Manual) => condition.add(Column::CheckoutId.is_null()).add(Column::CartId.is_null()),
    };
    let find = reservation::Entity::find().filter(condition);
    let total = if count { Some(find.clone().count(conn).await? as i64) } else { None };
    let place =
        page.condition(Expr::expr(Column::CreatedAt.into_simple_expr()), Expr::expr(Column::Id.into_simple_expr()));
    let find = find.filter(place).order_by(Column::CreatedAt, page.order()).order_by(Column::Id, page.order());
    let rows = find.limit(page.limit()).offset(page.offset).all(conn).await?;
    let placed = |row: reservation::Model| {
        let place = Place { key: Key::Time(row.created_at), id: row.id.into() };
        (row, place)
    };
    Ok(page.rows(rows.into_iter().map(placed).collect(), total))
}

/// A page of movements, those of one reason when it is named, and their number when it is asked for.
pub async fn movements(
    conn: &Conn,
    (filter, reason): (&KeptFilter, Option<MovementReason>),
    page: Page,
    count: bool,
) -> Result<Rows<stock_movement::Model>> {
    use stock_movement::Column;
    let condition = filter.condition(conn, Column::ItemId, Column::LocationId);
    let condition = condition.add_option(reason.map(|reason| Column::Reason.eq(reason)));
    let find = stock_movement::Entity::find().filter(condition);
    let total = if count { Some(find.clone().count(conn).await? as i64) } else { None };
    let place = page.condition(Expr::expr(Column::At.into_simple_expr()), Expr::expr(Column::Id.into_simple_expr()));
    let find = find.filter(place).order_by(Column::At, page.order()).order_by(Column::Id, page.order());
    let rows = find.limit(page.limit()).offset(page.offset).all(conn).await?;
    let placed = |row: stock_movement::Model| {
        let place = Place { key: Key::Time(row.at), id: row.id.into() };
        (row, place)
    };
    Ok(page.rows(rows.into_iter().map(placed).collect(), total))
}
