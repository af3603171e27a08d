//! Regions: found, and taken away when nothing needs them any more.

use chrono::TimeDelta;
use domain::auth::OWNER;
use engine::db::{StatementCount, statement};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{eventually, faults};
use crate::support::invariants::invariants;

/// A shop that sells in Europe, America and Japan.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE", "FR"], true).await;
    for (handle, name, currency, country) in
        [("america", "The Americas", "USD", "US"), ("japan", "Japan", "JPY", "JP"), ("swiss", "alpine", "EUR", "CH")]
    {
        let input = json!({ "handle": handle, "name": name, "currencyCode": currency, "countries": [country] });
        shop.set("regionSet", input, "region { id }").await.done();
    }
    shop
}

async fn handles(shop: &Shop, arguments: &str) -> Value {
    let query = format!("{{ regions{arguments} {{ handle }} }}");
    let regions = shop.admin.send(&query, json!({})).await.at("regions");
    regions.as_array().unwrap().iter().map(|region| region["handle"].clone()).collect()
}

fn id_of(shop: &Shop, handle: &str) -> String {
    shop.app.settings().region_named(handle).unwrap().row.id.to_string()
}

async fn delete(shop: &Shop, id: &str) -> Vec<String> {
    faults(&shop.set("regionDelete", json!({ "id": id }), "deletedId").await)
}

#[tokio::test]
async fn regions_are_found_by_what_they_are_and_sorted() {
    let shop = shop().await;
    for (arguments, expected) in [
        ("", json!(["europe", "america", "japan", "swiss"])),
        ("(sort: [{ field: CREATED_AT, direction: DESC }])", json!(["swiss", "japan", "america", "europe"])),
        ("(sort: [{ field: NAME }])", json!(["swiss", "europe", "japan", "america"])),
        ("(sort: [{ field: CURRENCY_CODE }])", json!(["europe", "swiss", "japan", "america"])),
        ("(filter: { currencyCode: \"EUR\" })", json!(["europe", "swiss"])),
        ("(filter: { countryCode: \"FR\" })", json!(["europe"])),
        ("(filter: { currencyCode: \"EUR\", countryCode: \"US\" })", json!([])),
        ("(filter: { query: \" AMERICA\" })", json!(["america"])),
        ("(filter: { query: \"swiss\", paymentProvider: \"manual\" })", json!(["swiss"])),
        ("(filter: { paymentProvider: \"nobody\" })", json!([])),
    ] {
        assert_eq!(handles(&shop, arguments).await, expected, "{arguments}");
    }
    let one = "query($id: ID!) { region(id: $id) { handle currencyCode } }";
    let found = shop.admin.send(one, json!({ "id": id_of(&shop, "japan") })).await;
    assert_eq!(found.at("region"), json!({ "handle": "japan", "currencyCode": "JPY" }));
    let twice = "{ regions(sort: [{ field: NAME }, { field: CREATED_AT }]) { handle } }";
    assert_eq!(shop.admin.send(twice, json!({})).await.error_code(), "TOO_MANY");
}

/// How many listing prices there are in a region.
async fn listed(shop: &Shop, region: &str) -> i64 {
    let conn = shop.app.db.read(&StatementCount::default());
    let id: domain::id::RegionId = region.parse().unwrap();
    let sql = "select count(*) from listing_price where region_id = ?";
    let row = conn.query_one_raw(statement(&conn, sql, [uuid::Uuid::from(id).into()])).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_region_goes_when_nothing_needs_it_and_says_what_does() {
    let mut shop = shop().await;
    let tee = shop.product("Tee").price("20.00").price_in("22.00", "USD").stock(9).create().await.variant;
    let (europe, america) = (id_of(&shop, "europe"), id_of(&shop, "america"));
    let channel = shop.admin.send("{ channels { id } }", json!({})).await.text("channels.0.id");
    let input = json!({ "id": channel, "defaultRegionId": europe });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let told = shop.set("regionDelete", json!({ "id": europe }), "deletedId").await;
    assert_eq!(faults(&told), ["IN_USE id"]);
    assert_eq!(told.at("regionDelete.userErrors.0.entityId"), json!(channel));

    let line = json!([{ "variantId": tee, "quantity": 1 }]);
    let mut cart = shop.cart_of(json!({ "lines": line })).await;
    cart.mutate("cartBuyerUpdate", json!({ "region": "america" })).await.done();
    let told = shop.set("regionDelete", json!({ "id": america }), "deletedId").await;
    assert_eq!(faults(&told), ["IN_USE id"]);
    let message = told.at("regionDelete.userErrors.0.message");
    assert_eq!(message, "1 carts in it may still become orders.");
    let stale = json!({ "id": america, "expectedVersion": 7 });
    let told = faults(&shop.set("regionDelete", stale, "deletedId").await);
    assert_eq!(told, ["CONFLICT expectedVersion", "IN_USE id"]);
    cart.mutate("cartBuyerUpdate", json!({ "region": "europe" })).await.done();
    assert_eq!(listed(&shop, &america).await, 1);

    assert_eq!(delete(&shop, &america).await, [""; 0]);
    assert_eq!(delete(&shop, &america).await, ["NOT_FOUND id"]);
    assert_eq!(handles(&shop, "").await, json!(["europe", "japan", "swiss"]));
    eventually("its listing prices go", async || listed(&shop, &america).await == 0).await;
    let audited =
        "{ auditEntries(first: 5, filter: { ops: [\"region.delete\"] }) { nodes { entityId before after } } }";
    let entry = shop.admin.send(audited, json!({})).await.at("auditEntries.nodes.0");
    assert_eq!((&entry["entityId"], &entry["before"]["countries"]), (&json!(america), &json!(["US"])));
    // Its countries and its handle are free.
    let again = json!({ "handle": "america", "name": "States", "currencyCode": "USD", "countries": ["US", "CA"] });
    shop.set("regionSet", again, "region { id }").await.done();
    let other = id_of(&shop, "america");
    assert_ne!(other, america);
    let new = "{ regions(filter: { countryCode: \"US\" }) { id } }";
    assert_eq!(shop.admin.send(new, json!({})).await.text("regions.0.id"), other);
    // Carts whose time is over hold nothing.
    let mut late = shop.cart_of(json!({ "lines": line })).await;
    late.mutate("cartBuyerUpdate", json!({ "region": "swiss" })).await.done();
    let swiss = id_of(&shop, "swiss");
    assert_eq!(delete(&shop, &swiss).await, ["IN_USE id"]);
    shop.pass(TimeDelta::days(400));
    shop.admin = shop.staff(OWNER).await;
    for region in [swiss, other, id_of(&shop, "japan")] {
        assert_eq!(delete(&shop, &region).await, [""; 0]);
    }
    let input = json!({ "id": channel, "defaultRegionId": null });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let told = shop.set("regionDelete", json!({ "id": europe }), "deletedId").await;
    assert_eq!(
        told.at("regionDelete.userErrors.0.message"),
        "It is the shop's last region: without one nothing is sold."
    );
    invariants(&shop).await;
}
