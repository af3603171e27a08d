//! The option values that variants have.

use std::collections::HashMap;

use domain::id::{OptionId, OptionValueId, ProductId, VariantId};
use sea_orm::{ConnectionTrait, Value};

use super::OptionRow;
use crate::db::{Conn, any_sql, statement};
use crate::error::Result;

/// The option values of variants, with both names, in the order of the options.
pub async fn selected_of(conn: &Conn, variants: &[VariantId]) -> Result<Vec<(VariantId, OptionRow)>> {
    let (list, value) = any_sql(conn, variants.iter().copied());
    let (which, among) = (format!("variant.id {list}"), "in (select product_id from grid)");
    selected(conn, &which, among, vec![value]).await
}

/// The option values of all variants of products, with both names, in the order of the options, then of the variants.
pub async fn selected_of_products(conn: &Conn, products: &[ProductId]) -> Result<Vec<(VariantId, OptionRow)>> {
    let (list, value) = any_sql(conn, products.iter().copied());
    let which = format!("variant.product_id {list} and variant.deleted_at is null");
    selected(conn, &which, list, vec![value.clone(), value]).await
}

/// A value of an option.
struct Named {
    name: String,
    swatch_color: Option<String>,
    swatch_url: Option<String>,
}

/// One statement with three kinds of rows: which variant has which value, the options of the products, and the values.
/// Joined, each name would be looked up and told once for each variant.
async fn selected(conn: &Conn, which: &str, among: &str, values: Vec<Value>) -> Result<Vec<(VariantId, OptionRow)>> {
    let sql = format!(
        "with grid as materialized (
            select chosen.variant_id, variant.product_id, chosen.option_id, chosen.option_value_id, variant.rank
            from variant join variant_option_value chosen on chosen.variant_id = variant.id where {which}
        )
        select option_id, product_id, variant_id, option_value_id, rank, null as name, null as color, null as url
            from grid
        union all
        select option.id, own.product_id, null, null, own.rank, option.name, null, null
            from product_option own join option on option.id = own.option_id where own.product_id {among}
        union all
        select option_id, null, null, id, null, name, swatch_color, swatch_url
            from option_value where id in (select option_value_id from grid)"
    );
    let mut chosen: Vec<(VariantId, i32, ProductId, OptionId, OptionValueId)> = Vec::new();
    let mut options: HashMap<(ProductId, OptionId), (i32, String)> = HashMap::new();
    let mut names: HashMap<OptionValueId, Named> = HashMap::new();
    for row in conn.query_all_raw(statement(conn, &sql, values)).await? {
        let option = row.try_get_by_index(0)?;
        let (product, value): (Option<ProductId>, Option<OptionValueId>) =
            (row.try_get_by_index(1)?, row.try_get_by_index(3)?);
        match (product, value) {
            (Some(product), Some(value)) => {
                chosen.push((row.try_get_by_index(2)?, row.try_get_by_index(4)?, product, option, value));
            }
            (Some(product), None) => {
                options.insert((product, option), (row.try_get_by_index(4)?, row.try_get_by_index(5)?));
            }
            (None, Some(value)) => {
                let (name, swatch_color) = (row.try_get_by_index(5)?, row.try_get_by_index(6)?);
                names.insert(value, Named { name, swatch_color, swatch_url: row.try_get_by_index(7)? });
            }
            (None, None) => {}
        }
    }
    let placed = chosen.into_iter().filter_map(|(variant, rank, product, option, value)| {
        let ((place, name), named) = (options.get(&(product, option))?, names.get(&value)?);
        let row = OptionRow {
            product,
            option,
            name: name.clone(),
            value,
            value_name: named.name.clone(),
            swatch_color: named.swatch_color.clone(),
            swatch_url: named.swatch_url.clone(),
        };
        Some(((*place, rank), (variant, row)))
    });
    let mut placed: Vec<_> = placed.collect();
    placed.sort_by_key(|(place, _)| *place);
    Ok(placed.into_iter().map(|(_, row)| row).collect())
}
