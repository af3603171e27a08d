//! Products one after the other, for a file.

use chrono::{DateTime, Utc};
use domain::id::{ChannelId, ProductId};
use entity::{product, product_channel};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::db::Conn;
use crate::error::Result;

/// Which products are written.
#[derive(Debug, Clone, Default)]
pub struct ExportFilter {
    /// Those that are for sale in this channel.
    pub channel: Option<ChannelId>,
    /// Those that were changed at this moment or later.
    pub since: Option<DateTime<Utc>>,
    /// Those that were changed before this moment.
    pub until: Option<DateTime<Utc>>,
}

impl ExportFilter {
    fn condition(&self) -> Condition {
        use product::Column;
        let in_channel = |channel: ChannelId| {
            let link = |column| Expr::col((product_channel::Entity, column));
            Column::Id.in_subquery(
                Query::select()
                    .column(product_channel::Column::ProductId)
                    .from(product_channel::Entity)
                    .and_where(link(product_channel::Column::ChannelId).eq(channel))
                    .take(),
            )
        };
        Condition::all()
            .add(Column::DeletedAt.is_null())
            .add_option(self.channel.map(in_channel))
            .add_option(self.since.map(|since| Column::UpdatedAt.gte(since)))
            .add_option(self.until.map(|until| Column::UpdatedAt.lt(until)))
    }
}

/// How many there are.
pub async fn count(conn: &Conn, filter: &ExportFilter) -> Result<usize> {
    let count = product::Entity::find().filter(filter.condition()).count(conn).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Some of them by id, behind one.
pub async fn page(
    conn: &Conn,
    filter: &ExportFilter,
    behind: Option<ProductId>,
    most: u64,
) -> Result<Vec<product::Model>> {
    let behind = behind.map(|id| product::Column::Id.gt(id));
    let condition = filter.condition().add_option(behind);
    let find = product::Entity::find().filter(condition).order_by_asc(product::Column::Id);
    Ok(find.limit(most).all(conn).await?)
}
