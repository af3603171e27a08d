//! Rows of tax regions and rates.

use std::collections::HashMap;

use domain::id::TaxRegionId;
use domain::text::CountryCode;
use entity::{tax_rate, tax_region};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use crate::db::Conn;
use crate::error::{Error, Result};
use crate::op::Tx;

/// The rates of each country.
pub async fn all(conn: &Conn) -> Result<HashMap<CountryCode, Vec<tax_rate::Model>>> {
    let regions = tax_region::Entity::find().all(conn).await?;
    let countries: HashMap<TaxRegionId, CountryCode> = regions.into_iter().map(|row| (row.id, row.country)).collect();
    let mut rates: HashMap<CountryCode, Vec<tax_rate::Model>> = HashMap::new();
    for row in tax_rate::Entity::find().order_by_asc(tax_rate::Column::Id).all(conn).await? {
        if let Some(country) = countries.get(&row.tax_region_id) {
            rates.entry(country.clone()).or_default().push(row);
        }
    }
    Ok(rates)
}

/// The tax region of a country, made when there is none.
pub async fn region_of(tx: &mut Tx, country: &CountryCode) -> Result<tax_region::Model> {
    let row = tax_region::Model {
        id: tx.id(),
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
        country: country.clone(),
    };
    tax_region::Entity::insert(row.into_active_model().reset_all())
        .on_conflict(OnConflict::column(tax_region::Column::Country).do_nothing().to_owned())
        .exec_without_returning(&tx.conn)
        .await?;
    let found = tax_region::Entity::find().filter(tax_region::Column::Country.eq(country.clone()));
    found.one(&tx.conn).await?.ok_or_else(|| Error::internal("the tax region vanished"))
}

/// The default rate of a tax region.
pub async fn default_rate(tx: &Tx, region: TaxRegionId) -> Result<Option<tax_rate::Model>> {
    let find = tax_rate::Entity::find().filter(tax_rate::Column::TaxRegionId.eq(region));
    Ok(find.filter(tax_rate::Column::IsDefault.eq(true)).one(&tx.conn).await?)
}

/// Writes a rate, new or known.
pub async fn save(tx: &mut Tx, row: tax_rate::Model, new: bool) -> Result<tax_rate::Model> {
    let active = row.into_active_model().reset_all();
    Ok(if new { active.insert(&tx.conn).await? } else { active.update(&tx.conn).await? })
}
