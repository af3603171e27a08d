//! How often promotions were used, and what they gave: the counters that hold the limits, and the uses behind them.

use std::collections::HashMap;

use domain::id::{CampaignId, CartId, CheckoutId, CustomerId, OrderId, PromotionCodeId, PromotionId};
use domain::money::Currency;
use domain::promotion::campaign::Spent;
use entity::{campaign_spending, promotion_use};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, FromQueryResult, QueryResult, Value};
use uuid::Uuid;

use crate::db::{Conn, any_sql, insert_all, statement};
use crate::error::Result;
use crate::op::Tx;

/// Who buys: his id, and what stands for his e-mail address.
#[derive(Debug, Clone, Default)]
pub struct BuyerKey {
    /// Who he is, when he has signed in.
    pub customer: Option<CustomerId>,
    /// The hash of his e-mail address.
    pub buyer: Option<String>,
}

/// How often promotions were used by everybody.
pub async fn of_promotions(conn: &Conn, ids: &[PromotionId]) -> Result<HashMap<PromotionId, i64>> {
    let (list, value) = any_sql(conn, ids.iter().copied());
    let sql = format!("select id, uses from promotion where id {list}");
    pairs(conn.query_all_raw(statement(conn, &sql, [value])).await?)
}

/// How often one buyer used promotions.
pub async fn of_buyer(conn: &Conn, ids: &[PromotionId], who: &BuyerKey) -> Result<HashMap<PromotionId, i64>> {
    let (list, value) = any_sql(conn, ids.iter().copied());
    let sql = format!(
        "select promotion_id, count(*) from promotion_use
            where promotion_id {list} and state <> 'RELEASED' and (customer_id = ? or buyer = ?) group by promotion_id"
    );
    let customer = Value::from(who.customer.map(Uuid::from));
    let values = [value, customer, Value::from(who.buyer.clone())];
    pairs(conn.query_all_raw(statement(conn, &sql, values)).await?)
}

fn pairs(rows: Vec<QueryResult>) -> Result<HashMap<PromotionId, i64>> {
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// What campaigns gave, their money in one currency.
pub async fn of_campaigns(conn: &Conn, ids: &[CampaignId], currency: Currency) -> Result<HashMap<CampaignId, Spent>> {
    let (list, value) = any_sql(conn, ids.iter().copied());
    let sql = format!(
        "select campaign.id, campaign.uses, coalesce(campaign_spending.spent_minor, 0) from campaign
            left join campaign_spending on campaign_spending.campaign_id = campaign.id
                and campaign_spending.currency = ? where campaign.id {list}"
    );
    let rows = conn.query_all_raw(statement(conn, &sql, [currency.code().into(), value])).await?;
    let read = |row: &QueryResult| {
        let spent = Spent { uses: row.try_get_by_index(1)?, amount_minor: row.try_get_by_index(2)? };
        Ok((row.try_get_by_index(0)?, spent))
    };
    rows.iter().map(read).collect()
}

/// What the checkouts of a cart hold or have used.
pub async fn of_cart(conn: &Conn, cart: CartId) -> Result<Vec<promotion_use::Model>> {
    let sql = "select promotion_use.* from promotion_use join checkout on checkout.id = promotion_use.checkout_id
        where checkout.cart_id = ? and promotion_use.state <> 'RELEASED'";
    let rows = conn.query_all_raw(statement(conn, sql, [Uuid::from(cart).into()])).await?;
    Ok(rows.iter().map(|row| promotion_use::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// How many orders a buyer placed that were not canceled.
pub async fn orders_of(conn: &Conn, customer: Option<CustomerId>, email: Option<&str>) -> Result<i64> {
    let sql = "select count(*) from \"order\" where status <> 'CANCELED' and (customer_id = ? or email = ?)";
    let values = [Value::from(customer.map(Uuid::from)), Value::from(email.map(str::to_owned))];
    let row = conn.query_one_raw(statement(conn, sql, values)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
}

/// How many orders the buyers of orders had placed before these and not canceled.
pub async fn orders_before(conn: &Conn, orders: &[OrderId]) -> Result<HashMap<OrderId, i64>> {
    let (list, value) = any_sql(conn, orders.iter().copied());
    let sql = format!(
        "select bought.id, (select count(*) from \"order\" as earlier where earlier.status <> 'CANCELED'
            and (earlier.customer_id = bought.customer_id or earlier.email = bought.email)
            and earlier.placed_at < bought.placed_at)
            from \"order\" as bought where bought.id {list}"
    );
    let rows = conn.query_all_raw(statement(conn, &sql, [value])).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

/// Counts one more use of a promotion that is still let go; `false` when its limit is reached.
pub async fn take(tx: &mut Tx, id: PromotionId) -> Result<bool> {
    let sql = "update promotion set uses = uses + 1 where id = ? and deleted_at is null and status = 'ACTIVE'
        and (limit_in_all is null or uses < limit_in_all)";
    changed(tx, sql, vec![Uuid::from(id).into()]).await
}

/// Counts one more use of a code; `false` when it was used so often, or is gone.
pub async fn take_code(tx: &mut Tx, id: PromotionCodeId, limit: i64) -> Result<bool> {
    let sql = "update promotion_code set uses = uses + 1 where id = ? and deleted_at is null and uses < ?";
    changed(tx, sql, vec![Uuid::from(id).into(), limit.into()]).await
}

/// Counts one more use of a campaign; `false` when its budget of uses is spent.
pub async fn take_campaign(tx: &mut Tx, id: CampaignId, limit: i64) -> Result<bool> {
    let sql = "update campaign set uses = uses + 1 where id = ? and deleted_at is null and uses < ?";
    changed(tx, sql, vec![Uuid::from(id).into(), limit.into()]).await
}

/// Spends so much of a campaign's budget; `false` when less is left.
pub async fn spend(tx: &mut Tx, id: CampaignId, (currency, minor): (Currency, i64), bound: i64) -> Result<bool> {
    let row = campaign_spending::ActiveModel { campaign_id: Set(id), currency: Set(currency), spent_minor: Set(0) };
    campaign_spending::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    let sql = "update campaign_spending set spent_minor = spent_minor + ?
        where campaign_id = ? and currency = ? and spent_minor <= ?";
    let left = bound.saturating_sub(minor);
    changed(tx, sql, vec![minor.into(), Uuid::from(id).into(), currency.code().into(), left.into()]).await
}

/// Counts one use less of a promotion.
pub async fn give_back(tx: &mut Tx, id: PromotionId) -> Result<bool> {
    changed(tx, "update promotion set uses = uses - 1 where id = ?", vec![Uuid::from(id).into()]).await
}

/// Counts one use less of a code.
pub async fn give_back_code(tx: &mut Tx, id: PromotionCodeId) -> Result<bool> {
    changed(tx, "update promotion_code set uses = uses - 1 where id = ?", vec![Uuid::from(id).into()]).await
}

/// Counts one use less of a campaign, and what it spent.
pub async fn give_back_campaign(tx: &mut Tx, id: CampaignId, (currency, minor): (Currency, i64)) -> Result<bool> {
    changed(tx, "update campaign set uses = uses - 1 where id = ?", vec![Uuid::from(id).into()]).await?;
    let sql = "update campaign_spending set spent_minor = spent_minor - ? where campaign_id = ? and currency = ?";
    changed(tx, sql, vec![minor.into(), Uuid::from(id).into(), currency.code().into()]).await
}

async fn changed(tx: &mut Tx, sql: &str, values: Vec<Value>) -> Result<bool> {
    Ok(tx.conn.execute_raw(statement(&tx.conn, sql, values)).await?.rows_affected() > 0)
}

/// Writes new uses.
pub async fn insert(tx: &mut Tx, rows: Vec<promotion_use::Model>) -> Result<()> {
    Ok(insert_all::<promotion_use::Entity>(&tx.conn, rows).await?)
}

/// What a checkout held has been used by the order that it became.
pub async fn settle(tx: &mut Tx, checkout: CheckoutId, order: OrderId) -> Result<()> {
    let sql = "update promotion_use set state = 'USED', order_id = ?, updated_at = ?
        where checkout_id = ? and state = 'RESERVED'";
    let values = vec![Uuid::from(order).into(), tx.now().into(), Uuid::from(checkout).into()];
    changed(tx, sql, values).await.map(drop)
}

/// What a checkout held, or its order used, counts no more; answers with it.
pub async fn release(tx: &mut Tx, checkout: CheckoutId) -> Result<Vec<promotion_use::Model>> {
    let sql = "update promotion_use set state = 'RELEASED', updated_at = ?
        where checkout_id = ? and state <> 'RELEASED' returning *";
    let values = [tx.now().into(), Uuid::from(checkout).into()];
    let rows = tx.conn.query_all_raw(statement(&tx.conn, sql, values)).await?;
    Ok(rows.iter().map(|row| promotion_use::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}
