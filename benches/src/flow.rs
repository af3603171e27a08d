//! Four requests from nothing to an order, again and again.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Result;
use crate::case::{FIRST, FOURTH, SECOND, THIRD, lines};
use crate::http::{Http, new_key};
use crate::peers::{Catalog, text};
use crate::server::Server;
use crate::table::quantile;
use crate::wrk::Load;

/// So many clients buy, each over one kept connection and one order after the other, for so many seconds. A latency is
/// that of a whole checkout.
pub async fn checkouts(server: &Server, catalog: &Catalog, clients: usize, seconds: u64) -> Result<Load> {
    let (took, bytes, next) = (RefCell::new(Vec::new()), Cell::new(0.0), Cell::new(0));
    let started = Instant::now();
    let until = started + Duration::from_secs(seconds);
    let client = async || {
        let mut shopper = server.shopper().await?;
        while Instant::now() < until {
            let begun = Instant::now();
            next.set(next.get() + 1);
            buy(&mut shopper, catalog, next.get()).await?;
            took.borrow_mut().push(begun.elapsed().as_secs_f64() * 1e3);
        }
        bytes.set(bytes.get() + shopper.received as f64);
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
    };
    try_join_all((0..clients).map(|_| client())).await?;
    let took = took.into_inner();
    let count = took.len() as f64;
    Ok(Load {
        requests: count,
        rate: count / started.elapsed().as_secs_f64(),
        p50: quantile(&took, 0.5),
        p99: quantile(&took, 0.99),
        bytes: bytes.get() / count,
    })
}

/// Buys two things; answers with how many statements that took, if the server says.
pub async fn buy(shopper: &mut Http, catalog: &Catalog, number: usize) -> Result<Option<u64>> {
    let before = shopper.statements;
    let input = json!({
        "lines": lines(catalog, number),
        "buyer": { "email": "ada@shopper.example" },
        "addresses": { "shipping": {
            "firstName": "Ada", "lastName": "Beispiel", "address1": "Musterweg 1", "postalCode": "10115",
            "city": "Berlin", "countryCode": "DE",
        } },
    });
    let made = shopper.send(FIRST, json!({ "input": input })).await?;
    let cart = text(&made, "/cartCreate/cart/id")?;
    let token = text(&made, "/cartCreate/cartToken")?;
    let option = text(&made, "/cartCreate/cart/deliveryGroups/0/options/0/id")?;
    let input = json!({ "cartId": cart, "cartToken": token, "deliveryOptionId": option });
    shopper.send(SECOND, json!({ "input": input })).await?;
    let input = json!({ "cartId": cart, "cartToken": token, "provider": "manual" });
    let chosen = shopper.send(THIRD, json!({ "input": input })).await?;
    let total = chosen.pointer("/paymentSessionCreate/cart/total").cloned().unwrap_or(Value::Null);
    let input = json!({ "idempotencyKey": new_key(), "cartId": cart, "cartToken": token, "expectedTotal": total });
    let placed = shopper.send(FOURTH, json!({ "input": input })).await?;
    text(&placed, "/cartComplete/order/id")?;
    Ok(shopper.statements.zip(before).map(|(after, before)| after - before))
}
