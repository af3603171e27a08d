//! Items of stock as staff list them.

use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::mutate;
use crate::support::invariants::invariants;
use crate::support::post::post_shop;
use crate::support::provider::{Says, scripted_shop};
use crate::support::walker::new_key;

const ITEMS: &str = "query($first: Int, $after: String, $filter: AdminInventoryItemFilter) {
    inventoryItems(first: $first, after: $after, filter: $filter) { totalCount pageInfo { hasNextPage endCursor }
        nodes { sku stockLevels { locationId stocked reserved available } takers { quantity variant { sku } }
            reservations { quantity kind locationId } } } }";

fn skus(items: &Value) -> Vec<&str> {
    items["nodes"].as_array().unwrap().iter().map(|item| item["sku"].as_str().unwrap_or("")).collect()
}

#[tokio::test]
async fn staff_see_what_is_counted_where_and_what_is_promised_of_it() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.tee("20.00", 5).await;
    for (sku, stock) in [("MUG", 3), ("CAP", 0)] {
        let input = json!({ "title": sku, "status": "PUBLISHED", "variants": [{ "sku": sku, "stock": stock }] });
        shop.set("productCreate", input, "product { id }").await.done();
    }
    shop.checkout_all(&[(&tee, 2)], "manual", "key").await;
    let answer = shop.admin.send(ITEMS, json!({})).await;
    let items = answer.at("inventoryItems");
    assert_eq!((&items["totalCount"], skus(&items)[..2].to_vec()), (&json!(3), vec!["CAP", "MUG"]));
    let location = shop.app.settings().locations[0].id.to_string();
    let level = |stocked: i32, reserved: i32| json!([{ "locationId": location, "stocked": stocked, "reserved": reserved, "available": stocked - reserved }]);
    assert_eq!(items["nodes"][1]["stockLevels"], level(3, 0));
    assert_eq!(items["nodes"][1]["takers"], json!([{ "quantity": 1, "variant": { "sku": "MUG" } }]));
    assert_eq!((&items["nodes"][2]["stockLevels"], &items["nodes"][1]["reservations"]), (&level(5, 2), &json!([])));
    let promised = json!([{ "quantity": 2, "kind": "SALE", "locationId": location }]);
    assert_eq!(items["nodes"][2]["reservations"], promised);
    assert_eq!(answer.statements, 6, "session, count, page, levels, takers, promises");

    let page = shop.admin.send(ITEMS, json!({ "first": 2 })).await.at("inventoryItems");
    let rest = shop.admin.send(ITEMS, json!({ "after": page["pageInfo"]["endCursor"] })).await.at("inventoryItems");
    assert_eq!((skus(&page).len(), rest["nodes"].as_array().unwrap().len()), (2, 1));
    let some = json!({ "filter": { "sku": { "in": ["MUG", "HAT"] } } });
    assert_eq!(skus(&shop.admin.send(ITEMS, some).await.at("inventoryItems")), ["MUG"]);
}

#[tokio::test]
async fn items_are_seen_where_a_role_reaches() {
    let shop = Shop::open().await;
    let input = json!({ "title": "Mug", "status": "PUBLISHED", "variants": [{ "sku": "MUG", "stock": 3 }] });
    let made = shop.set("productCreate", input, "product { variants { id } }").await.done();
    let mug = made["product"]["variants"][0]["id"].clone();
    let other = json!({ "handle": "north", "name": "North", "priority": 9 });
    let north = shop.set("locationSet", other, "location { id }").await.done()["location"]["id"].clone();
    let mine = json!({ "title": "North", "role": "viewer", "locationIds": [north] });
    let key = shop.set("apiKeyCreate", mine, "secret").await.done();
    let reader = shop.anonymous_admin.bearer(key["secret"].as_str().unwrap());
    let seen = async |filter: Value| reader.send(ITEMS, json!({ "filter": filter })).await.at("inventoryItems");
    assert_eq!(seen(json!(null)).await["totalCount"], 0, "it is kept elsewhere");
    let input =
        json!({ "idempotencyKey": "1", "variantId": mug, "locationId": north, "delta": 4, "reason": "RECEIVED" });
    shop.set("inventoryAdjust", input, "stockLevel { stocked }").await.done();
    let items = seen(json!({ "locationId": north })).await;
    let level = json!([{ "locationId": north, "stocked": 4, "reserved": 0, "available": 4 }]);
    assert_eq!((skus(&items), &items["nodes"][0]["stockLevels"]), (vec!["MUG"], &level));
    let first = shop.app.settings().locations[0].id.to_string();
    assert_eq!(seen(json!({ "locationId": first })).await["totalCount"], 0, "out of reach is not there");
}

#[tokio::test]
async fn a_cart_whose_card_was_declined_holds_its_stock_again() {
    let (shop, provider) = scripted_shop().await;
    let channel = shop.app.settings().channels[0].id.to_string();
    shop.set("channelUpdate", json!({ "id": channel, "holdMinutes": 15 }), "channel { id }").await.done();
    let tee = shop.tee("20.00", 2).await;
    let mut cart = shop.ready_cart(&[(&tee, 2)], "scripted").await;
    provider.will_say([Says::Declined]);
    assert_eq!(cart.complete(&new_key()).await.refusals(), ["PAYMENT_DECLINED"]);
    assert_eq!(shop.level(&tee).await, (2, 2), "it is nobody else's");
    let other = shop.ready_cart(&[(&tee, 1)], "scripted").await;
    assert_eq!(other.complete(&new_key()).await.refusals(), ["INSUFFICIENT_STOCK"]);
    invariants(&shop).await;
    cart.pay("scripted").await.done();
    cart.complete(&new_key()).await.done();
    assert_eq!(shop.level(&tee).await, (2, 2));
    invariants(&shop).await;
}

#[tokio::test]
async fn whoever_waits_is_told_when_goods_may_be_sold_before_they_are_there() {
    let (shop, post) = post_shop().await;
    let tee = shop.tee("20.00", 0).await;
    let hat = shop.product("Hat").price("9.00").stock(0).create().await.variant;
    for variant in [&tee, &hat] {
        let wait = json!({ "variantId": variant, "email": "eve@shopper.example" });
        mutate(&shop.store, "", "backInStockRequest", wait, "variant { id }").await.done();
    }
    let set = async |field: &str, value: Value| {
        let row = json!({ "rows": [{ "variant": { "id": tee, (field): value } }], "onError": "ABORT" });
        shop.set("productVariantsBulkSet", row, "results { outcome }").await.done();
        shop.mail_is_done().await;
    };
    let before = post.taken().len();
    set("backorder", json!("INCOMING")).await;
    assert_eq!(post.taken().len(), before, "nothing is on its way");
    set("backorder", json!("ALLOW")).await;
    set("backorder", json!("ALLOW")).await;
    assert_eq!(post.taken().len(), before + 1, "once, and of this one alone");
}
