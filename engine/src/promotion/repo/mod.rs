//! Rows of promotions and campaigns.

pub mod codes;
pub mod usage;
pub mod uses;

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{CampaignId, PromotionId};
use domain::promotion::{PromotionMethod, PromotionState, PromotionStatus};
use entity::{campaign, campaign_spending, promotion};
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::Running;
use crate::db::{Conn, any, lower_contains, page_of};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// For so long it is told of a code that its time is over; later nobody knows it any more.
const REMEMBERED: TimeDelta = TimeDelta::days(60);

/// Everything that carts are asked about.
pub async fn running(conn: &Conn, now: DateTime<Utc>) -> Result<Running> {
    let over = promotion::Column::EndsAt.lte(now - REMEMBERED);
    let rows = promotion::Entity::find()
        .filter(promotion::Column::DeletedAt.is_null())
        .filter(promotion::Column::Status.ne(PromotionStatus::Draft))
        .filter(promotion::Column::EndsAt.is_null().or(over.not()))
        .order_by_asc(promotion::Column::CreatedAt)
        .order_by_asc(promotion::Column::Id)
        .all(conn)
        .await?;
    Ok(Running::new(rows, campaigns(conn).await?))
}

/// Every campaign, the oldest first.
pub async fn campaigns(conn: &Conn) -> Result<Vec<campaign::Model>> {
    let find = campaign::Entity::find().filter(campaign::Column::DeletedAt.is_null());
    Ok(find.order_by_asc(campaign::Column::CreatedAt).order_by_asc(campaign::Column::Id).all(conn).await?)
}

/// A promotion by id.
pub async fn find(conn: &Conn, id: PromotionId) -> Result<Option<promotion::Model>> {
    let find = promotion::Entity::find_by_id(id).filter(promotion::Column::DeletedAt.is_null());
    Ok(find.one(conn).await?)
}

/// Promotions by id, also those that are deleted.
pub async fn by_ids(conn: &Conn, ids: &[PromotionId]) -> Result<Vec<promotion::Model>> {
    Ok(promotion::Entity::find().filter(any(conn, promotion::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// A promotion, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: PromotionId) -> Result<Option<promotion::Model>> {
    let find = promotion::Entity::find_by_id(id).filter(promotion::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// A campaign, locked until the transaction ends.
pub async fn lock_campaign(tx: &Tx, id: CampaignId) -> Result<Option<campaign::Model>> {
    let find = campaign::Entity::find_by_id(id).filter(campaign::Column::DeletedAt.is_null());
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Writes a promotion.
pub async fn save(tx: &mut Tx, row: promotion::Model, new: bool) -> Result<promotion::Model> {
    let row = row.into_active_model();
    Ok(if new { row.insert(&tx.conn).await? } else { row.reset_all().update(&tx.conn).await? })
}

/// Writes a campaign.
pub async fn save_campaign(tx: &mut Tx, row: campaign::Model, new: bool) -> Result<campaign::Model> {
    let row = row.into_active_model();
    Ok(if new { row.insert(&tx.conn).await? } else { row.reset_all().update(&tx.conn).await? })
}

/// How many promotions there are.
pub async fn count(conn: &Conn) -> Result<u64> {
    Ok(promotion::Entity::find().filter(promotion::Column::DeletedAt.is_null()).count(conn).await?)
}

/// How many promotions are neither drafts nor over at a moment.
pub async fn count_running(conn: &Conn, now: DateTime<Utc>) -> Result<u64> {
    let find = promotion::Entity::find()
        .filter(promotion::Column::DeletedAt.is_null())
        .filter(promotion::Column::Status.ne(PromotionStatus::Draft))
        .filter(promotion::Column::EndsAt.is_null().or(promotion::Column::EndsAt.gt(now)));
    Ok(find.count(conn).await?)
}

/// How many promotions a campaign has.
pub async fn count_of_campaign(conn: &Conn, id: CampaignId) -> Result<u64> {
    let find = promotion::Entity::find().filter(promotion::Column::CampaignId.eq(id));
    Ok(find.filter(promotion::Column::DeletedAt.is_null()).count(conn).await?)
}

/// What campaigns have given, by currency.
pub async fn spendings(conn: &Conn, campaigns: &[CampaignId]) -> Result<Vec<campaign_spending::Model>> {
    let find = campaign_spending::Entity::find();
    let find = find.filter(any(conn, campaign_spending::Column::CampaignId, campaigns.iter().copied()));
    Ok(find.order_by_asc(campaign_spending::Column::Currency).all(conn).await?)
}

/// Campaigns by id, also those that are deleted.
pub async fn campaigns_by_ids(conn: &Conn, ids: &[CampaignId]) -> Result<Vec<campaign::Model>> {
    Ok(campaign::Entity::find().filter(any(conn, campaign::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// What promotions must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct PromotionFilter {
    /// It comes so.
    pub method: Option<PromotionMethod>,
    /// It is in one of these states.
    pub states: Option<Vec<PromotionState>>,
    /// It is part of this campaign.
    pub campaign: Option<CampaignId>,
    /// Its title contains this.
    pub words: Option<String>,
}

impl PromotionFilter {
    fn condition(&self, now: DateTime<Utc>) -> Condition {
        use promotion::Column;
        let states = self
            .states
            .as_ref()
            .map(|states| states.iter().fold(Condition::any(), |any, state| any.add(in_state(*state, now))));
        let words = self.words.as_deref().map(str::trim).filter(|words| !words.is_empty());
        Condition::all()
            .add(Column::DeletedAt.is_null())
            .add_option(self.method.map(|method| Column::Method.eq(method)))
            .add_option(states)
            .add_option(self.campaign.map(|id| Column::CampaignId.eq(id)))
            .add_option(words.map(|words| lower_contains(Column::Title, words)))
    }
}

/// As `domain::promotion::Promotion::state` decides.
fn in_state(state: PromotionState, now: DateTime<Utc>) -> Condition {
    use promotion::Column;
    let of_campaign = |condition: sea_orm::sea_query::SimpleExpr| {
        let campaigns =
            Query::select().column(campaign::Column::Id).from(campaign::Entity).and_where(condition).to_owned();
        Column::CampaignId.is_not_null().and(Column::CampaignId.in_subquery(campaigns))
    };
    let over = Condition::any()
        .add(Column::EndsAt.is_not_null().and(Column::EndsAt.lte(now)))
        .add(of_campaign(campaign::Column::EndsAt.is_not_null().and(campaign::Column::EndsAt.lte(now))));
    let to_come = Condition::any()
        .add(Column::StartsAt.is_not_null().and(Column::StartsAt.gt(now)))
        .add(of_campaign(campaign::Column::StartsAt.is_not_null().and(campaign::Column::StartsAt.gt(now))));
    let is = |status: PromotionStatus| Condition::all().add(Column::Status.eq(status));
    match state {
        PromotionState::Draft => is(PromotionStatus::Draft),
        PromotionState::Expired => Condition::all().add(Column::Status.ne(PromotionStatus::Draft)).add(over),
        PromotionState::Paused => is(PromotionStatus::Paused).add(over.not()),
        PromotionState::Scheduled => is(PromotionStatus::Active).add(over.not()).add(to_come),
        PromotionState::Active => is(PromotionStatus::Active).add(over.not()).add(to_come.not()),
    }
}

/// By what promotions are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotionSort {
    /// When they were made.
    CreatedAt,
    /// Their title.
    Title,
    /// Their priority.
    Priority,
}

/// A page of promotions.
pub async fn page(
    conn: &Conn,
    (filter, now): (&PromotionFilter, DateTime<Utc>),
    sort: PromotionSort,
    page: Page,
    count: bool,
) -> Result<Rows<promotion::Model>> {
    let column = match sort {
        PromotionSort::CreatedAt => promotion::Column::CreatedAt,
        PromotionSort::Title => promotion::Column::Title,
        PromotionSort::Priority => promotion::Column::Priority,
    };
    let place = |row: &promotion::Model| {
        let key = match sort {
            PromotionSort::CreatedAt => Key::Time(row.created_at),
            PromotionSort::Title => Key::Text(row.title.clone()),
            PromotionSort::Priority => Key::Number(row.priority.into()),
        };
        Place { key, id: Uuid::from(row.id) }
    };
    let find = promotion::Entity::find().filter(filter.condition(now));
    Ok(page_of(conn, find, (column, promotion::Column::Id), page, count, place).await?)
}
