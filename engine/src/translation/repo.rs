//! Rows of translations, and the texts that they translate.

use domain::id::{
    ChannelId, OptionId, OptionValueId, PolicyId, ProductId, ProductTypeId, ShippingOptionId, TagId, VariantId,
};
use domain::translation::{TranslatableField, TranslatableType};
use entity::{
    option, option_value, policy, product, product_option, product_type, shipping_option, tag, translation, variant,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::db::{Conn, any, any_sql, statement};
use crate::error::Result;
use crate::op::Tx;

/// An entity with its own texts.
#[derive(Debug, Clone)]
pub struct Source {
    /// What it is.
    pub kind: TranslatableType,
    /// Which one.
    pub id: Uuid,
    /// Its texts; one that it doesn't have is nothing.
    pub texts: Vec<(TranslatableField, Option<String>)>,
    /// Of a policy, the channel that it is for, or that it is for all: who doesn't reach it doesn't see it.
    pub policy_of: Option<Option<ChannelId>>,
}

impl Source {
    /// A text of it.
    pub fn text(&self, field: TranslatableField) -> Option<&str> {
        self.texts.iter().find(|(known, _)| *known == field)?.1.as_deref()
    }

    fn named(kind: TranslatableType, id: impl Into<Uuid>, field: TranslatableField, text: String) -> Self {
        Self { kind, id: id.into(), texts: vec![(field, Some(text))], policy_of: None }
    }
}

fn of_product(row: product::Model) -> Source {
    use TranslatableField as F;
    let texts = vec![
        (F::Title, Some(row.title)),
        (F::Subtitle, row.subtitle),
        (F::DescriptionHtml, Some(row.description_html).filter(|text| !text.is_empty())),
        (F::SeoTitle, row.seo_title),
        (F::SeoDescription, row.seo_description),
    ];
    Source { kind: TranslatableType::Product, id: row.id.into(), texts, policy_of: None }
}

fn of_variant(row: variant::Model) -> Source {
    Source::named(TranslatableType::Variant, row.id, TranslatableField::Title, row.title)
}

fn of_option(row: option::Model) -> Source {
    Source::named(TranslatableType::Option, row.id, TranslatableField::Name, row.name)
}

fn of_value(row: option_value::Model) -> Source {
    Source::named(TranslatableType::OptionValue, row.id, TranslatableField::Name, row.name)
}

fn of_tag(row: tag::Model) -> Source {
    Source::named(TranslatableType::Tag, row.id, TranslatableField::Name, row.value)
}

fn of_type(row: product_type::Model) -> Source {
    Source::named(TranslatableType::ProductType, row.id, TranslatableField::Name, row.value)
}

fn of_policy(row: policy::Model) -> Source {
    use TranslatableField as F;
    let texts = vec![(F::Title, Some(row.title)), (F::BodyHtml, Some(row.body_html))];
    Source { kind: TranslatableType::Policy, id: row.id.into(), texts, policy_of: Some(row.channel_id) }
}

/// An entity that is not deleted, with its own texts; held until the
/// transaction ends when there is one.
pub async fn source(conn: &Conn, kind: TranslatableType, id: Uuid) -> Result<Option<Source>> {
    Ok(match kind {
        TranslatableType::Product => {
            let find = product::Entity::find_by_id(ProductId(id)).filter(product::Column::DeletedAt.is_null());
            find.one(conn).await?.map(of_product)
        }
        TranslatableType::Variant => {
            let find = variant::Entity::find_by_id(VariantId(id)).filter(variant::Column::DeletedAt.is_null());
            find.one(conn).await?.map(of_variant)
        }
        TranslatableType::Option => option::Entity::find_by_id(OptionId(id)).one(conn).await?.map(of_option),
        TranslatableType::OptionValue => {
            option_value::Entity::find_by_id(OptionValueId(id)).one(conn).await?.map(of_value)
        }
        TranslatableType::ShippingOption => {
            let find = shipping_option::Entity::find_by_id(ShippingOptionId(id))
                .filter(shipping_option::Column::DeletedAt.is_null());
            let named = |row: shipping_option::Model| Source::named(kind, row.id, TranslatableField::Name, row.name);
            find.one(conn).await?.map(named)
        }
        TranslatableType::Tag => tag::Entity::find_by_id(TagId(id)).one(conn).await?.map(of_tag),
        TranslatableType::ProductType => {
            product_type::Entity::find_by_id(ProductTypeId(id)).one(conn).await?.map(of_type)
        }
        TranslatableType::Policy => crate::policy::repo::find(conn, PolicyId(id)).await?.map(of_policy),
    })
}

/// The products that are found by a text of an entity which many of them share.
pub async fn sharing(conn: &Conn, kind: TranslatableType, id: Uuid) -> Result<Vec<ProductId>> {
    let sql = match kind {
        TranslatableType::OptionValue => {
            "select distinct variant.product_id from variant
                join variant_option_value on variant_option_value.variant_id = variant.id
                where variant_option_value.option_value_id = ? and variant.deleted_at is null"
        }
        TranslatableType::Tag => "select product_tag.product_id from product_tag where product_tag.tag_id = ?",
        TranslatableType::ProductType => {
            "select product.id from product where product.type_id = ? and product.deleted_at is null"
        }
        _ => return Ok(Vec::new()),
    };
    let rows = conn.query_all_raw(statement(conn, sql, [id.into()])).await?;
    rows.iter().map(|row| Ok(ProductId(row.try_get_by_index(0)?))).collect()
}

/// How many parts of an entity are listed.
const MAX_PARTS: u64 = 500;

/// What belongs to an entity and has texts of its own: options, variants, type
/// and tags of a product, values of an option.
pub async fn parts(conn: &Conn, kind: TranslatableType, id: Uuid) -> Result<Vec<Source>> {
    match kind {
        TranslatableType::Product => {
            let product = ProductId(id);
            let options: Vec<OptionId> = product_option::Entity::find()
                .filter(product_option::Column::ProductId.eq(product))
                .order_by_asc(product_option::Column::Rank)
                .all(conn)
                .await?
                .into_iter()
                .map(|row| row.option_id)
                .collect();
            let mut found =
                option::Entity::find().filter(any(conn, option::Column::Id, options.iter().copied())).all(conn).await?;
            found.sort_by_key(|row| options.iter().position(|id| *id == row.id));
            let variants = crate::catalog::repo::variants_of(conn, &[product]).await?;
            let row = product::Entity::find_by_id(product).one(conn).await?;
            let types = match row.and_then(|row| row.type_id) {
                Some(id) => crate::catalog::repo::types_by_ids(conn, &[id]).await?,
                None => Vec::new(),
            };
            let tags = crate::catalog::repo::tags_of(conn, &[product]).await?;
            let own = found.into_iter().map(of_option).chain(variants.into_iter().map(of_variant));
            let shared = types.into_iter().map(of_type).chain(tags.into_iter().map(|(_, tag)| of_tag(tag)));
            Ok(own.chain(shared).collect())
        }
        TranslatableType::Option => {
            let find = option_value::Entity::find().filter(option_value::Column::OptionId.eq(OptionId(id)));
            let find = find.order_by_asc(option_value::Column::Rank).order_by_asc(option_value::Column::Id);
            Ok(find.limit(MAX_PARTS).all(conn).await?.into_iter().map(of_value).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// Locks an entity, so that its history and its translations change one after the other.
pub async fn lock(tx: &Tx, kind: TranslatableType, id: Uuid) -> Result<()> {
    match kind {
        TranslatableType::Product => drop(crate::catalog::repo::lock(tx, ProductId(id)).await?),
        TranslatableType::Variant => {
            let rows = crate::catalog::repo::variants_by_ids(&tx.conn, &[VariantId(id)]).await?;
            if let Some(row) = rows.first() {
                drop(crate::catalog::repo::lock(tx, row.product_id).await?);
            }
        }
        TranslatableType::Option => {
            option::Entity::find_by_id(OptionId(id)).lock_exclusive().one(&tx.conn).await?;
        }
        TranslatableType::OptionValue => {
            option_value::Entity::find_by_id(OptionValueId(id)).lock_exclusive().one(&tx.conn).await?;
        }
        TranslatableType::ShippingOption => {
            shipping_option::Entity::find_by_id(ShippingOptionId(id)).lock_exclusive().one(&tx.conn).await?;
        }
        TranslatableType::Tag => {
            tag::Entity::find_by_id(TagId(id)).lock_exclusive().one(&tx.conn).await?;
        }
        TranslatableType::ProductType => {
            product_type::Entity::find_by_id(ProductTypeId(id)).lock_exclusive().one(&tx.conn).await?;
        }
        TranslatableType::Policy => drop(crate::policy::repo::lock(tx, PolicyId(id)).await?),
    }
    Ok(())
}

/// Every translation of an entity, by language and field.
pub async fn of_entity(conn: &Conn, id: Uuid) -> Result<Vec<translation::Model>> {
    let find = translation::Entity::find().filter(translation::Column::EntityId.eq(id));
    let mut rows = find.all(conn).await?;
    rows.sort_by(|a, b| (&a.locale, a.field).cmp(&(&b.locale, b.field)));
    Ok(rows)
}

/// Translations of entities into some languages.
pub async fn of_entities(conn: &Conn, ids: &[Uuid], locales: &[String]) -> Result<Vec<translation::Model>> {
    Ok(translation::Entity::find()
        .filter(any(conn, translation::Column::EntityId, ids.iter().copied()))
        .filter(translation::Column::Locale.is_in(locales.iter().cloned()))
        .all(conn)
        .await?)
}

/// Translations of products and of all that is shown with them (variants,
/// options, values, type, tags) in one statement; descriptions only when they are wanted.
pub async fn of_families(
    conn: &Conn,
    products: &[ProductId],
    locales: &[String],
    descriptions: bool,
) -> Result<Vec<translation::Model>> {
    if products.is_empty() || locales.is_empty() {
        return Ok(Vec::new());
    }
    let (listed, list) = any_sql(conn, products.iter().copied());
    let marks = vec!["?"; locales.len()].join(", ");
    let short = if descriptions { "" } else { "and translation.field <> 'DESCRIPTION_HTML'" };
    let sql = format!(
        "select translation.* from translation where translation.locale in ({marks}) {short}
            and translation.entity_id in (
                select product.id from product where product.id {listed}
                union select product.type_id from product where product.id {listed}
                union select product_tag.tag_id from product_tag where product_tag.product_id {listed}
                union select variant.id from variant where variant.product_id {listed} and variant.deleted_at is null
                union select product_option.option_id from product_option where product_option.product_id {listed}
                union select variant_option_value.option_value_id from variant_option_value
                    join variant on variant.id = variant_option_value.variant_id
                    where variant.product_id {listed} and variant.deleted_at is null)"
    );
    let locales = locales.iter().map(|locale| sea_orm::Value::from(locale.clone()));
    let values = locales.chain(std::iter::repeat_n(list, 6));
    let rows = conn.query_all_raw(statement(conn, &sql, values)).await?;
    Ok(rows.iter().map(|row| translation::Model::from_query_result(row, "")).collect::<Result<_, _>>()?)
}

/// Writes translations, new or known.
pub async fn save(tx: &mut Tx, rows: Vec<translation::Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
    let key = [translation::Column::EntityId, translation::Column::Locale, translation::Column::Field];
    let conflict = OnConflict::columns(key)
        .update_columns([translation::Column::Value, translation::Column::SourceDigest, translation::Column::UpdatedAt])
        .to_owned();
    translation::Entity::insert_many(rows).on_conflict(conflict).exec_without_returning(&tx.conn).await?;
    Ok(())
}

/// Takes translations of an entity out.
pub async fn delete(tx: &mut Tx, id: Uuid, places: &[(String, TranslatableField)]) -> Result<()> {
    if places.is_empty() {
        return Ok(());
    }
    let gone = places.iter().fold(Condition::any(), |whole, (locale, field)| {
        let locale = translation::Column::Locale.eq(locale.clone());
        whole.add(Condition::all().add(locale).add(translation::Column::Field.eq(*field)))
    });
    let delete = translation::Entity::delete_many().filter(translation::Column::EntityId.eq(id));
    delete.filter(gone).exec(&tx.conn).await?;
    Ok(())
}
