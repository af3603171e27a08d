//! Rows of tax regions and rates.

use std::collections::HashMap;

use domain::address::area::Area;
use domain::id::{CustomerGroupId, CustomerId, ProductId, ProductTypeId, ShippingOptionId, TaxRateId, TaxRegionId};
use domain::tax::{TaxMap, TaxRate, TaxRegion, TaxTarget};
use domain::text::CountryCode;
use domain::totals::Rate;
use entity::{customer_group, product_type, shipping_option, tax_rate, tax_rate_target, tax_region};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, sea_query::Query,
};
use uuid::Uuid;

use super::Taxes;
use crate::db::{Conn, any, insert_all, page_of, statement};
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::page::{Key, Page, Place, Rows};

/// Every tax region with its rates.
pub async fn all(conn: &Conn) -> Result<Taxes> {
    let mut targets: HashMap<TaxRateId, Vec<TaxTarget>> = HashMap::new();
    for row in tax_rate_target::Entity::find().all(conn).await? {
        targets.entry(row.tax_rate_id).or_default().push(TaxTarget::of(row.kind, row.target_id));
    }
    let mut rates: HashMap<TaxRegionId, Vec<TaxRate>> = HashMap::new();
    for row in tax_rate::Entity::find().all(conn).await? {
        let targets = targets.remove(&row.id).unwrap_or_default();
        rates.entry(row.tax_region_id).or_default().push(TaxRate {
            id: row.id,
            rate: Rate { code: row.code, name: row.name, rate_ppm: row.rate_ppm },
            is_default: row.is_default,
            combinable: row.combinable,
            targets,
        });
    }
    let mut regions = Vec::new();
    for row in tax_region::Entity::find().all(conn).await? {
        let rates = rates.remove(&row.id).unwrap_or_default();
        let (id, parent, reverse_charge) = (row.id, row.parent_id, row.reverse_charge);
        let provider = row.provider.clone().map(|provider| (provider, row.provider_fallback));
        regions.push(TaxRegion { id, parent, area: area(row)?, reverse_charge, rates, provider });
    }
    Ok(Taxes(TaxMap::new(regions)))
}

/// The area of a tax region.
pub fn area(row: tax_region::Model) -> Result<Area> {
    let postal = serde_json::from_value(row.postal).map_err(Error::internal)?;
    Ok(Area { country: row.country, province: row.province, county: row.county, city: row.city, postal })
}

/// Whether a customer owes no tax: he himself, and one of his groups.
pub async fn exempt(conn: &Conn, customer: CustomerId) -> Result<(bool, bool)> {
    let sql = "select customer.tax_exempt, exists (
            select 1 from customer_group_member
            join customer_group on customer_group.id = customer_group_member.group_id
            where customer_group_member.customer_id = customer.id and customer_group.tax_exempt
                and customer_group.deleted_at is null)
        from customer where customer.id = ?";
    let row = conn.query_one_raw(statement(conn, sql, [Uuid::from(customer).into()])).await?;
    let Some(row) = row else { return Ok((false, false)) };
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}

/// Whether one of these customer groups owes no tax.
pub async fn exempts(conn: &Conn, groups: &[CustomerGroupId]) -> Result<bool> {
    if groups.is_empty() {
        return Ok(false);
    }
    let find = customer_group::Entity::find().filter(any(conn, customer_group::Column::Id, groups.iter().copied()));
    let find = find.filter(customer_group::Column::TaxExempt.eq(true));
    Ok(find.filter(customer_group::Column::DeletedAt.is_null()).count(conn).await? > 0)
}

/// A tax region, locked until the transaction ends.
pub async fn lock_region(tx: &Tx, id: TaxRegionId) -> Result<Option<tax_region::Model>> {
    Ok(tax_region::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a tax region, new or known.
pub async fn save_region(tx: &mut Tx, row: tax_region::Model, new: bool) -> Result<tax_region::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}

/// Deletes a tax region with its rates.
pub async fn delete_region(tx: &mut Tx, id: TaxRegionId) -> Result<()> {
    tax_rate::Entity::delete_many().filter(tax_rate::Column::TaxRegionId.eq(id)).exec(&tx.conn).await?;
    tax_region::Entity::delete_by_id(id).exec(&tx.conn).await?;
    Ok(())
}

/// A tax rate, locked until the transaction ends.
pub async fn lock_rate(tx: &Tx, id: TaxRateId) -> Result<Option<tax_rate::Model>> {
    Ok(tax_rate::Entity::find_by_id(id).lock_exclusive().one(&tx.conn).await?)
}

/// Writes a rate, new or known, and what it is an override for.
pub async fn save_rate(tx: &mut Tx, row: tax_rate::Model, new: bool, targets: &[TaxTarget]) -> Result<tax_rate::Model> {
    let active = row.into_active_model().reset_all();
    let row = if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? };
    tax_rate_target::Entity::delete_many().filter(tax_rate_target::Column::TaxRateId.eq(row.id)).exec(&tx.conn).await?;
    let target = |target: &TaxTarget| {
        let (kind, target_id) = target.parts();
        tax_rate_target::Model { tax_rate_id: row.id, target_id, kind }
    };
    insert_all::<tax_rate_target::Entity>(&tx.conn, targets.iter().map(target).collect()).await?;
    Ok(row)
}

/// Deletes a rate; orders keep what they were charged.
pub async fn delete_rate(tx: &mut Tx, id: TaxRateId) -> Result<()> {
    tax_rate::Entity::delete_by_id(id).exec(&tx.conn).await?;
    Ok(())
}

/// Which of these products there are.
pub async fn products(conn: &Conn, ids: &[ProductId]) -> Result<Vec<ProductId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = crate::catalog::repo::by_ids(conn, ids).await?;
    Ok(rows.into_iter().filter(|row| row.deleted_at.is_none()).map(|row| row.id).collect())
}

/// The product types of these names, by folded name.
pub async fn types_named(conn: &Conn, names: &[String]) -> Result<HashMap<String, ProductTypeId>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let folds = names.iter().map(|name| name.trim().to_lowercase());
    let rows = product_type::Entity::find().filter(product_type::Column::Fold.is_in(folds)).all(conn).await?;
    Ok(rows.into_iter().map(|row| (row.fold, row.id)).collect())
}

/// Which of these shipping options there are.
pub async fn shipping_options(conn: &Conn, ids: &[ShippingOptionId]) -> Result<Vec<ShippingOptionId>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let find = shipping_option::Entity::find().filter(shipping_option::Column::DeletedAt.is_null());
    let rows = find.filter(any(conn, shipping_option::Column::Id, ids.iter().copied())).all(conn).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Tax regions by id.
pub async fn regions_by_ids(conn: &Conn, ids: &[TaxRegionId]) -> Result<Vec<tax_region::Model>> {
    Ok(tax_region::Entity::find().filter(any(conn, tax_region::Column::Id, ids.iter().copied())).all(conn).await?)
}

/// The rates of tax regions, by code.
pub async fn rates_of(conn: &Conn, regions: &[TaxRegionId]) -> Result<Vec<tax_rate::Model>> {
    Ok(tax_rate::Entity::find()
        .filter(any(conn, tax_rate::Column::TaxRegionId, regions.iter().copied()))
        .order_by_asc(tax_rate::Column::Code)
        .all(conn)
        .await?)
}

/// What rates are overrides for.
pub async fn targets_of(conn: &Conn, rates: &[TaxRateId]) -> Result<Vec<tax_rate_target::Model>> {
    Ok(tax_rate_target::Entity::find()
        .filter(any(conn, tax_rate_target::Column::TaxRateId, rates.iter().copied()))
        .order_by_asc(tax_rate_target::Column::TargetId)
        .all(conn)
        .await?)
}

/// What tax regions must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct RegionFilter {
    /// Of this country.
    pub country: Option<CountryCode>,
    /// Right within this one.
    pub parent: Option<TaxRegionId>,
}

/// A page of tax regions: a country's before what lies in it, the older first.
pub async fn region_page(
    conn: &Conn,
    filter: &RegionFilter,
    page: Page,
    count: bool,
) -> Result<Rows<tax_region::Model>> {
    use tax_region::Column;
    let narrow = Condition::all()
        .add_option(filter.country.as_ref().map(|country| Column::Country.eq(country.clone())))
        .add_option(filter.parent.map(|parent| Column::ParentId.eq(parent)));
    let place = |row: &tax_region::Model| Place { key: Key::Text(row.country.to_string()), id: Uuid::from(row.id) };
    let find = tax_region::Entity::find().filter(narrow);
    Ok(page_of(conn, find, (Column::Country, Column::Id), page, count, place).await?)
}

/// What tax rates must be to be in a list.
#[derive(Debug, Clone, Default)]
pub struct RateFilter {
    /// Of this tax region.
    pub region: Option<TaxRegionId>,
    /// Of the tax regions of this country.
    pub country: Option<CountryCode>,
    /// Those that count where no other of their region does, or the others.
    pub is_default: Option<bool>,
    /// Made for this product, type or shipping option.
    pub target: Option<Uuid>,
}

/// What a list of tax rates may be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateSortKey {
    /// Their code.
    Code,
    /// Since when there is one.
    CreatedAt,
}

/// A page of tax rates.
pub async fn rate_page(
    conn: &Conn,
    filter: &RateFilter,
    sort: RateSortKey,
    page: Page,
    count: bool,
) -> Result<Rows<tax_rate::Model>> {
    use tax_rate::Column;
    let of_country = filter.country.as_ref().map(|country| {
        let mut regions = Query::select();
        regions
            .column(tax_region::Column::Id)
            .from(tax_region::Entity)
            .and_where(tax_region::Column::Country.eq(country.clone()));
        Column::TaxRegionId.in_subquery(regions)
    });
    let targeted = filter.target.map(|target| {
        let mut rates = Query::select();
        rates
            .column(tax_rate_target::Column::TaxRateId)
            .from(tax_rate_target::Entity)
            .and_where(tax_rate_target::Column::TargetId.eq(target));
        Column::Id.in_subquery(rates)
    });
    let narrow = Condition::all()
        .add_option(filter.region.map(|region| Column::TaxRegionId.eq(region)))
        .add_option(of_country)
        .add_option(filter.is_default.map(|is| Column::IsDefault.eq(is)))
        .add_option(targeted);
    let column = match sort {
        RateSortKey::Code => Column::Code,
        RateSortKey::CreatedAt => Column::CreatedAt,
    };
    let place = |row: &tax_rate::Model| {
        let key = match sort {
            RateSortKey::Code => Key::Text(row.code.clone()),
            RateSortKey::CreatedAt => Key::Time(row.created_at),
        };
        Place { key, id: Uuid::from(row.id) }
    };
    let find = tax_rate::Entity::find().filter(narrow);
    Ok(page_of(conn, find, (column, Column::Id), page, count, place).await?)
}
