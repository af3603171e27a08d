//! Ten price lists with 100,000 prices.

use std::time::Instant;

use serde_json::{Value, json};

use crate::Result;
use crate::peers::{Catalog, text};
use crate::server::Server;

/// How many lists there are.
const LISTS: usize = 10;
/// How many prices each has: as many as one call may set.
const PRICES: usize = 10_000;

const LIST: &str = "mutation($input: AdminPriceListSetInput!) { priceListSet(input: $input) {
    priceList { id } userErrors { code message } } }";
const SET: &str = "mutation($input: AdminPriceListPricesBulkSetInput!) { priceListPricesBulkSet(input: $input) {
    created userErrors { code message } } }";

/// Fills the lists; answers with the seconds that each of the ten calls took.
pub async fn fill(server: &Server, catalog: &Catalog) -> Result<Vec<f64>> {
    let mut staff = server.staff().await?;
    let mut taken = Vec::new();
    for number in 0..LISTS {
        let input = json!({ "name": format!("List {number}"), "kind": "SALE", "status": "ACTIVE", "priority": number });
        let made = staff.send(LIST, json!({ "input": input })).await?;
        let list = text(&made, "/priceListSet/priceList/id")?;
        let steps =
            [1, 10, 50].into_iter().flat_map(|step| catalog.variants.iter().map(move |variant| (variant, step)));
        let price = |(variant, step): (&String, i32)| {
            json!({ "variantId": variant, "minQuantity": step,
                "amount": { "amount": format!("{}.{:02}", 9 - step / 10, number), "currencyCode": "EUR" } })
        };
        let rows: Vec<Value> = steps.take(PRICES).map(price).collect();
        let input = json!({ "input": { "priceListId": list, "rows": rows } });
        let began = Instant::now();
        let set = staff.send(SET, input).await?;
        taken.push(began.elapsed().as_secs_f64());
        if set.pointer("/priceListPricesBulkSet/created") != Some(&json!(PRICES)) {
            return Err(format!("the prices were not set: {set}").into());
        }
    }
    Ok(taken)
}
