//! Rows of gift cards, of store credit, and of their ledgers.

use chrono::{DateTime, Utc};
use domain::id::{CustomerId, LedgerAccountId, LedgerEntryId, OrderId, OrderLineId};
use domain::ledger::{LedgerEntry, LedgerKind};
use domain::money::Currency;
use entity::{ledger_account, ledger_entry};
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::{Conn, any, any_sql, expression, insert_all, page_of, statement};
use crate::error::Result;
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// An account by id.
pub async fn find(conn: &Conn, id: LedgerAccountId) -> Result<Option<ledger_account::Model>> {
    Ok(ledger_account::Entity::find_by_id(id).one(conn).await?)
}

/// Accounts by id.
pub async fn by_ids(conn: &Conn, ids: &[LedgerAccountId]) -> Result<Vec<ledger_account::Model>> {
    let find = ledger_account::Entity::find().filter(any(conn, ledger_account::Column::Id, ids.iter().copied()));
    Ok(find.all(conn).await?)
}

/// Takes an amount from an account that can be spent now and holds as much; nothing when it can't.
pub async fn take(tx: &mut Tx, id: LedgerAccountId, amount_minor: i64) -> Result<Option<ledger_account::Model>> {
    let sql = "update ledger_account set balance_minor = balance_minor - ?, version = version + 1, updated_at = ?
        where id = ? and balance_minor >= ? and frozen_at is null and (expires_at is null or expires_at > ?)
            and (kind <> 'GIFT_CARD' or customer_id is null)
        returning *";
    let id = Uuid::from(id).into();
    let values = [amount_minor.into(), tx.now().into(), id, amount_minor.into(), tx.now().into()];
    let row = tx.conn.query_one_raw(statement(&tx.conn, sql, values)).await?;
    Ok(row.map(|row| ledger_account::Model::from_query_result(&row, "")).transpose()?)
}

/// The cards that were bought with lines of an order.
pub async fn bought(conn: &Conn, lines: &[OrderLineId]) -> Result<Vec<ledger_account::Model>> {
    Ok(ledger_account::Entity::find()
        .filter(any(conn, ledger_account::Column::OrderLineId, lines.iter().copied()))
        .order_by_asc(ledger_account::Column::Id)
        .all(conn)
        .await?)
}

/// Writes cards that were bought, with their first entries.
pub async fn insert_bought(
    tx: &mut Tx,
    rows: Vec<ledger_account::Model>,
    entries: Vec<ledger_entry::Model>,
) -> Result<()> {
    insert_all::<ledger_account::Entity>(&tx.conn, rows).await?;
    Ok(insert_all::<ledger_entry::Entity>(&tx.conn, entries).await?)
}

/// An account, locked until the transaction ends.
pub async fn lock(tx: &Tx, id: LedgerAccountId) -> Result<Option<ledger_account::Model>> {
    Ok(ledger_account::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Accounts, locked until the transaction ends: gift cards first, each kind by id, as everybody locks them.
pub async fn lock_all(tx: &Tx, ids: &[LedgerAccountId]) -> Result<Vec<ledger_account::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(ledger_account::Entity::find()
        .filter(any(&tx.conn, ledger_account::Column::Id, ids.iter().copied()))
        .order_by_asc(ledger_account::Column::Kind)
        .order_by_asc(ledger_account::Column::Id)
        .lock_exclusive()
        .all(&tx.conn)
        .await?)
}

/// Accounts, which nobody changes until the transaction ends.
pub async fn hold_all(tx: &Tx, ids: &[LedgerAccountId]) -> Result<Vec<ledger_account::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(ledger_account::Entity::find()
        .filter(any(&tx.conn, ledger_account::Column::Id, ids.iter().copied()))
        .order_by_asc(ledger_account::Column::Id)
        .lock_shared()
        .all(&tx.conn)
        .await?)
}

/// The cards that are found by one of these hashes.
pub async fn by_hashes(conn: &Conn, hashes: Vec<Vec<u8>>) -> Result<Vec<ledger_account::Model>> {
    let find = ledger_account::Entity::find().filter(ledger_account::Column::CodeHash.is_in(hashes));
    Ok(find.order_by_asc(ledger_account::Column::Id).all(conn).await?)
}

/// What the shop owes a customer in a currency, locked until the transaction ends.
pub async fn lock_credit(tx: &Tx, customer: CustomerId, currency: Currency) -> Result<Option<ledger_account::Model>> {
    Ok(ledger_account::Entity::find()
        .filter(ledger_account::Column::Kind.eq(LedgerKind::StoreCredit))
        .filter(ledger_account::Column::CustomerId.eq(customer))
        .filter(ledger_account::Column::Currency.eq(currency))
        .lock_exclusive()
        .one(&tx.conn)
        .await?)
}

/// What the shop owes customers, by currency.
pub async fn credits_of(conn: &Conn, customers: &[CustomerId]) -> Result<Vec<ledger_account::Model>> {
    Ok(ledger_account::Entity::find()
        .filter(ledger_account::Column::Kind.eq(LedgerKind::StoreCredit))
        .filter(any(conn, ledger_account::Column::CustomerId, customers.iter().copied()))
        .order_by_asc(ledger_account::Column::Currency)
        .all(conn)
        .await?)
}

/// Writes a new account.
pub async fn insert(tx: &mut Tx, row: ledger_account::Model) -> Result<ledger_account::Model> {
    Ok(row.into_active_model().insert(&tx.conn).await?)
}

/// Writes a new account of a customer's credit, unless he has one in this currency.
pub async fn insert_credit(tx: &mut Tx, row: ledger_account::Model) -> Result<()> {
    let there = OnConflict::new().do_nothing().to_owned();
    ledger_account::Entity::insert(row.into_active_model()).on_conflict(there).exec_without_returning(&tx.conn).await?;
    Ok(())
}

/// Writes what has become of an account.
pub async fn update(tx: &mut Tx, row: ledger_account::Model) -> Result<ledger_account::Model> {
    Ok(row.into_active_model().reset_all().update(&tx.conn).await?)
}

/// Writes an entry.
pub async fn insert_entry(tx: &mut Tx, row: ledger_entry::Model) -> Result<LedgerEntryId> {
    let id = row.id;
    ledger_entry::Entity::insert(row.into_active_model()).exec_without_returning(&tx.conn).await?;
    Ok(id)
}

/// An entry of this account, which stands at this balance after it.
pub fn entry(tx: &Tx, account: LedgerAccountId, entry: LedgerEntry, balance_minor: i64) -> ledger_entry::Model {
    ledger_entry::Model {
        id: tx.id(),
        at: tx.now(),
        account_id: account,
        kind: entry.kind,
        amount_minor: entry.amount_minor,
        balance_minor,
        checkout_id: None,
        order_id: None,
        other_account_id: None,
        actor: tx.actor().to_string(),
        note: None,
    }
}

/// An entry by id.
pub async fn find_entry(conn: &Conn, id: LedgerEntryId) -> Result<Option<ledger_entry::Model>> {
    Ok(ledger_entry::Entity::find_by_id(id).one(conn).await?)
}

/// The newest entries of accounts, at most so many of each.
pub async fn newest_entries(conn: &Conn, accounts: &[LedgerAccountId], most: u64) -> Result<Vec<ledger_entry::Model>> {
    let (among, ids) = any_sql(conn, accounts.iter().copied());
    let sql = format!(
        "id in (select id from (select id, row_number() over (partition by account_id order by id desc) as place
            from ledger_entry where account_id {among}) ranked where place <= ?)"
    );
    let newest = expression(conn, &sql, vec![ids, i64::try_from(most).unwrap_or(i64::MAX).into()]);
    Ok(ledger_entry::Entity::find().filter(newest).order_by_desc(ledger_entry::Column::Id).all(conn).await?)
}

/// What gift cards must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct GiftCardFilter {
    /// Its code ends so.
    pub last_characters: Option<String>,
    /// This customer claimed it.
    pub customer: Option<CustomerId>,
    /// It was bought with this order.
    pub order: Option<OrderId>,
    /// Its currency.
    pub currency: Option<Currency>,
    /// Whether something is on it.
    pub has_balance: Option<bool>,
    /// Whether staff have frozen it.
    pub frozen: Option<bool>,
    /// Whether its time is over.
    pub expired: Option<bool>,
}

impl GiftCardFilter {
    fn condition(&self, conn: &Conn, now: DateTime<Utc>) -> Condition {
        use ledger_account::Column;
        let over = Column::ExpiresAt.is_not_null().and(Column::ExpiresAt.lte(now));
        Condition::all()
            .add(Column::Kind.eq(LedgerKind::GiftCard))
            .add_option(self.last_characters.as_deref().map(|last| Column::LastCharacters.eq(last)))
            .add_option(self.customer.map(|id| Column::CustomerId.eq(id)))
            .add_option(self.order.map(|id| {
                let of = "order_line_id in (select id from order_line where order_id = ?)";
                expression(conn, of, [Uuid::from(id).into()])
            }))
            .add_option(self.currency.map(|currency| Column::Currency.eq(currency)))
            .add_option(
                self.has_balance.map(|has| if has { Column::BalanceMinor.gt(0) } else { Column::BalanceMinor.eq(0) }),
            )
            .add_option(
                self.frozen.map(|is| if is { Column::FrozenAt.is_not_null() } else { Column::FrozenAt.is_null() }),
            )
            .add_option(self.expired.map(|is| if is { over.clone() } else { over.clone().not() }))
    }
}

/// By what gift cards are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiftCardSort {
    /// When they were made.
    CreatedAt,
    /// What is on them, in minor units whatever the currency.
    Balance,
}

/// A page of gift cards.
pub async fn gift_cards(
    conn: &Conn,
    (filter, now): (&GiftCardFilter, DateTime<Utc>),
    sort: GiftCardSort,
    page: Page,
    count: bool,
) -> Result<Rows<ledger_account::Model>> {
    use ledger_account::Column;
    let (column, key): (Column, fn(&ledger_account::Model) -> Key) = match sort {
        GiftCardSort::CreatedAt => (Column::CreatedAt, |row| Key::Time(row.created_at)),
        GiftCardSort::Balance => (Column::BalanceMinor, |row| Key::Number(row.balance_minor)),
    };
    let place = |row: &ledger_account::Model| Place { key: key(row), id: Uuid::from(row.id) };
    let find = ledger_account::Entity::find().filter(filter.condition(conn, now));
    Ok(page_of(conn, find, (column, Column::Id), page, count, place).await?)
}
