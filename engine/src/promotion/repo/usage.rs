//! What has become of the uses of promotions and codes, counted.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::id::{PromotionCodeId, PromotionId};
use domain::money::Currency;
use domain::promotion::PromotionUseState;
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use crate::db::{Conn, any_sql, statement};
use crate::error::Result;

/// Uses that began in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// At this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// Uses of one state in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// What has become of them.
    pub state: PromotionUseState,
    /// In which currency.
    pub currency: Currency,
    /// How many they are.
    pub uses: i64,
    /// What came off, in minor units.
    pub discount_minor: i64,
    /// What their orders came to, in minor units, those left out that were canceled.
    pub revenue_minor: i64,
}

/// Of promotions.
pub async fn of_promotions(conn: &Conn, ids: &[PromotionId], span: Span) -> Result<HashMap<PromotionId, Vec<Usage>>> {
    let found = counted(conn, "promotion_id", ids.iter().map(|id| Uuid::from(*id)), span).await?;
    Ok(found.into_iter().map(|(id, rows)| (PromotionId(id), rows)).collect())
}

/// Of codes.
pub async fn of_codes(
    conn: &Conn,
    ids: &[PromotionCodeId],
    span: Span,
) -> Result<HashMap<PromotionCodeId, Vec<Usage>>> {
    let found = counted(conn, "promotion_code_id", ids.iter().map(|id| Uuid::from(*id)), span).await?;
    Ok(found.into_iter().map(|(id, rows)| (PromotionCodeId(id), rows)).collect())
}

async fn counted(
    conn: &Conn,
    column: &'static str,
    ids: impl Iterator<Item = Uuid>,
    span: Span,
) -> Result<HashMap<Uuid, Vec<Usage>>> {
    let (list, value) = any_sql(conn, ids);
    let mut values = vec![value];
    let mut only = String::new();
    for (comparison, moment) in [(">=", span.from), ("<", span.until)] {
        if let Some(moment) = moment {
            only += &format!(" and used.created_at {comparison} ?");
            values.push(moment.into());
        }
    }
    let sql = format!(
        "select used.{column}, used.state, used.currency, count(*), cast(sum(used.amount_minor) as bigint),
            cast(coalesce(sum(case when bought.status <> 'CANCELED' then bought.total_minor end), 0) as bigint)
            from promotion_use as used left join \"order\" as bought on bought.id = used.order_id
            where used.{column} {list}{only}
            group by used.{column}, used.state, used.currency order by used.currency, used.state"
    );
    let mut found: HashMap<Uuid, Vec<Usage>> = HashMap::new();
    for row in conn.query_all_raw(statement(conn, &sql, values)).await? {
        found.entry(row.try_get_by_index(0)?).or_default().push(read(&row)?);
    }
    Ok(found)
}

fn read(row: &QueryResult) -> Result<Usage> {
    Ok(Usage {
        state: row.try_get_by_index(1)?,
        currency: row.try_get_by_index(2)?,
        uses: row.try_get_by_index(3)?,
        discount_minor: row.try_get_by_index(4)?,
        revenue_minor: row.try_get_by_index(5)?,
    })
}
