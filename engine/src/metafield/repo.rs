//! Rows of metafields and of what they may be.

use domain::id::{ChannelId, MediaId, MetafieldDefinitionId, OrderId, ProductId, VariantId};
use domain::metafield::{Key, MetafieldOwnerType};
use domain::reach::Reach;
use entity::{media, metafield, metafield_definition, metafield_value, order, product, variant};
use sea_orm::sea_query::{OnConflict, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition as SqlCondition, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Value,
};
use uuid::Uuid;

use super::condition::{Asked, Condition};
use crate::db::{Conn, any, expression, insert_all};
use crate::error::Result;
use crate::op::Tx;

/// Every definition, by owner, namespace and key.
pub async fn definitions(conn: &Conn) -> Result<Vec<metafield_definition::Model>> {
    let mut rows = metafield_definition::Entity::find().all(conn).await?;
    // The databases' own orders of text differ.
    rows.sort_by(|a, b| (a.owner_type, &a.namespace, &a.key).cmp(&(b.owner_type, &b.namespace, &b.key)));
    Ok(rows)
}

/// A definition, locked until the transaction ends.
pub async fn lock_definition(tx: &Tx, id: MetafieldDefinitionId) -> Result<Option<metafield_definition::Model>> {
    Ok(metafield_definition::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// The definition of this name, locked until the transaction ends.
pub async fn lock_named(
    tx: &Tx,
    owner: MetafieldOwnerType,
    namespace: &str,
    key: &str,
) -> Result<Option<metafield_definition::Model>> {
    let find = metafield_definition::Entity::find()
        .filter(metafield_definition::Column::OwnerType.eq(owner))
        .filter(metafield_definition::Column::Namespace.eq(namespace))
        .filter(metafield_definition::Column::Key.eq(key));
    Ok(find.lock_exclusive().one(&tx.conn).await?)
}

/// Definitions, locked for others' changes of them until the transaction ends.
pub async fn hold_definitions(tx: &Tx, ids: &[MetafieldDefinitionId]) -> Result<Vec<metafield_definition::Model>> {
    let find = metafield_definition::Entity::find()
        .filter(any(&tx.conn, metafield_definition::Column::Id, ids.iter().copied()))
        .order_by_asc(metafield_definition::Column::Id);
    Ok(find.lock_shared().all(&tx.conn).await?)
}

/// Writes a definition, new or known.
pub async fn save_definition(
    tx: &mut Tx,
    row: metafield_definition::Model,
    new: bool,
) -> Result<metafield_definition::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// How many owners hold a value under a definition.
pub async fn count_values(conn: &Conn, id: MetafieldDefinitionId) -> Result<u64> {
    Ok(metafield::Entity::find().filter(metafield::Column::DefinitionId.eq(id)).count(conn).await?)
}

/// Takes a definition out with all its values.
pub async fn delete_definition(tx: &mut Tx, id: MetafieldDefinitionId) -> Result<()> {
    metafield_value::Entity::delete_many().filter(metafield_value::Column::DefinitionId.eq(id)).exec(&tx.conn).await?;
    metafield::Entity::delete_many().filter(metafield::Column::DefinitionId.eq(id)).exec(&tx.conn).await?;
    metafield_definition::Entity::delete_by_id(id).exec(&tx.conn).await?;
    Ok(())
}

/// What owners hold under definitions.
pub async fn values_of(
    conn: &Conn,
    owners: &[Uuid],
    definitions: &[MetafieldDefinitionId],
) -> Result<Vec<metafield::Model>> {
    Ok(metafield::Entity::find()
        .filter(any(conn, metafield::Column::OwnerId, owners.iter().copied()))
        .filter(any(conn, metafield::Column::DefinitionId, definitions.iter().copied()))
        .all(conn)
        .await?)
}

/// Takes values out with their keys.
pub async fn delete_values(tx: &mut Tx, pairs: &[(Uuid, MetafieldDefinitionId)]) -> Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let gone = pairs.iter().fold(SqlCondition::any(), |whole, (owner, definition)| {
        let owner = metafield::Column::OwnerId.eq(*owner);
        whole.add(SqlCondition::all().add(owner).add(metafield::Column::DefinitionId.eq(*definition)))
    });
    metafield::Entity::delete_many().filter(gone).exec(&tx.conn).await?;
    delete_keys(tx, pairs).await
}

async fn delete_keys(tx: &mut Tx, pairs: &[(Uuid, MetafieldDefinitionId)]) -> Result<()> {
    let gone = pairs.iter().fold(SqlCondition::any(), |whole, (owner, definition)| {
        let owner = metafield_value::Column::OwnerId.eq(*owner);
        whole.add(SqlCondition::all().add(owner).add(metafield_value::Column::DefinitionId.eq(*definition)))
    });
    metafield_value::Entity::delete_many().filter(gone).exec(&tx.conn).await?;
    Ok(())
}

/// Writes values, new or known, with the keys by which they are looked up.
pub async fn save_values(tx: &mut Tx, rows: Vec<(metafield::Model, Vec<Key>)>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let pairs: Vec<_> = rows.iter().map(|(row, _)| (row.owner_id, row.definition_id)).collect();
    delete_keys(tx, &pairs).await?;
    let key = |row: &metafield::Model, (place, key): (usize, Key)| metafield_value::Model {
        definition_id: row.definition_id,
        owner_id: row.owner_id,
        position: place as i32,
        text_value: key.text,
        number_value: key.number,
    };
    let mut models = Vec::with_capacity(rows.len());
    let mut keys = Vec::new();
    for (row, of_row) in rows {
        keys.extend(of_row.into_iter().enumerate().map(|each| key(&row, each)));
        models.push(row.into_active_model().reset_all());
    }
    let conflict = OnConflict::columns([metafield::Column::OwnerId, metafield::Column::DefinitionId])
        .update_columns([metafield::Column::Value, metafield::Column::UpdatedAt])
        .to_owned();
    metafield::Entity::insert_many(models).on_conflict(conflict).exec_without_returning(&tx.conn).await?;
    Ok(insert_all::<metafield_value::Entity>(&tx.conn, keys).await?)
}

/// Products that are not deleted, locked in the order of their ids.
pub async fn lock_products(tx: &Tx, ids: &[ProductId]) -> Result<Vec<ProductId>> {
    let find = product::Entity::find()
        .filter(any(&tx.conn, product::Column::Id, ids.iter().copied()))
        .filter(product::Column::DeletedAt.is_null())
        .order_by_asc(product::Column::Id);
    Ok(find.lock_exclusive().all(&tx.conn).await?.into_iter().map(|row| row.id).collect())
}

/// Which of these products are there.
pub async fn products_there(conn: &Conn, ids: &[ProductId]) -> Result<Vec<ProductId>> {
    let find = product::Entity::find()
        .filter(any(conn, product::Column::Id, ids.iter().copied()))
        .filter(product::Column::DeletedAt.is_null());
    Ok(find.all(conn).await?.into_iter().map(|row| row.id).collect())
}

/// Which of these variants are there, with their products.
pub async fn variants_there(conn: &Conn, ids: &[VariantId]) -> Result<Vec<(VariantId, ProductId)>> {
    let find = variant::Entity::find()
        .filter(any(conn, variant::Column::Id, ids.iter().copied()))
        .filter(variant::Column::DeletedAt.is_null());
    Ok(find.all(conn).await?.into_iter().map(|row| (row.id, row.product_id)).collect())
}

/// Which of these orders are there.
pub async fn orders_there(conn: &Conn, ids: &[OrderId], channels: &Reach<ChannelId>) -> Result<Vec<OrderId>> {
    let reached = SqlCondition::all().add_option(crate::scope::within(conn, order::Column::ChannelId, channels));
    let find = order::Entity::find().filter(any(conn, order::Column::Id, ids.iter().copied())).filter(reached);
    Ok(find.all(conn).await?.into_iter().map(|row| row.id).collect())
}

/// Which of these media are there.
pub async fn media_there(conn: &Conn, ids: &[MediaId]) -> Result<Vec<MediaId>> {
    let find = media::Entity::find().filter(any(conn, media::Column::Id, ids.iter().copied()));
    Ok(find.all(conn).await?.into_iter().map(|row| row.id).collect())
}

/// The condition that an owner, whose id is the SQL `owner`, holds what is asked.
pub fn matches(conn: &Conn, owner: &str, condition: &Condition) -> SimpleExpr {
    let definition = Value::from(Uuid::from(condition.definition));
    let (table, test, values) = match &condition.asked {
        Asked::Exists(true) => ("metafield", String::new(), Vec::new()),
        Asked::Exists(false) => {
            let sql = format!(
                "not exists (select 1 from metafield
                    where metafield.definition_id = ? and metafield.owner_id = {owner})"
            );
            return expression(conn, &sql, [definition]);
        }
        Asked::Any(keys) => {
            let mut values = Vec::new();
            let tests: Vec<String> = keys.iter().map(|key| same(key, &mut values)).collect();
            // No value is one of none.
            let tests = if tests.is_empty() { "1 = 0".to_owned() } else { tests.join(" or ") };
            ("metafield_value", format!(" and ({tests})"), values)
        }
        Asked::Compare(comparison, key) => {
            let mut values = Vec::new();
            let mut test = String::new();
            if let Some(text) = &key.text {
                test.push_str(" and metafield_value.text_value = ?");
                values.push(Value::from(text.clone()));
            }
            test.push_str(&format!(" and metafield_value.number_value {} ?", comparison.sign()));
            values.push(Value::from(key.number));
            ("metafield_value", test, values)
        }
    };
    let sql =
        format!("exists (select 1 from {table} where {table}.definition_id = ? and {table}.owner_id = {owner}{test})");
    expression(conn, &sql, std::iter::once(definition).chain(values))
}

fn same(key: &Key, values: &mut Vec<Value>) -> String {
    let mut tests = Vec::new();
    if let Some(text) = &key.text {
        tests.push("metafield_value.text_value = ?");
        values.push(Value::from(text.clone()));
    }
    if let Some(number) = key.number {
        tests.push("metafield_value.number_value = ?");
        values.push(Value::from(number));
    }
    format!("({})", tests.join(" and "))
}
