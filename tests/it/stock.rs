//! Stock: many places, kits and shared items, what is kept back, expected, held or put aside.

use chrono::TimeDelta;
use futures_util::future::join_all;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{CartSession, Placed, address, faults, mutate};
use crate::support::client::Client;
use crate::support::invariants::invariants;
use crate::support::walker::new_key;

const LEVELS: &str = "stockLevels { locationId stocked reserved safety available incoming lowStock }";

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE", "AT", "ES"], true).await;
    shop.offer(&["manual"]).await;
    shop
}

/// Another place that holds stock.
async fn place(shop: &Shop, handle: &str, country: &str, priority: i32) -> String {
    let input = json!({ "handle": handle, "name": handle, "countryCode": country, "priority": priority });
    text(&shop.set("locationSet", input, "location { id }").await.done()["location"]["id"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn first_place(shop: &Shop) -> String {
    shop.app.settings().locations[0].id.to_string()
}

/// The only item of a variant.
async fn item_of(shop: &Shop, variant: &str) -> String {
    let query = "query($id: ID!) { productVariant(by: { id: $id }) { items { quantity inventoryItem { id } } } }";
    let items = shop.admin.send(query, json!({ "id": variant })).await.at("productVariant.items");
    assert_eq!(items[0]["quantity"], 1);
    text(&items[0]["inventoryItem"]["id"])
}

async fn receive(shop: &Shop, location: &str, item: &str, quantity: i32) {
    let input = json!({ "idempotencyKey": new_key(), "locationId": location,
        "items": [{ "inventoryItemId": item, "quantity": quantity }] });
    shop.set("inventoryReceive", input, "stockLevels { stocked }").await.done();
}

async fn set_level(shop: &Shop, location: &str, item: &str, mut input: Value) {
    input["inventoryItemId"] = json!(item);
    input["locationId"] = json!(location);
    shop.set("stockLevelSet", input, "stockLevel { safety }").await.done();
}

async fn takes(shop: &Shop, variant: &str, items: &[(&str, i32)]) {
    let items: Vec<_> =
        items.iter().map(|(item, quantity)| json!({ "inventoryItemId": item, "quantity": quantity })).collect();
    let input = json!({ "variantId": variant, "items": items });
    shop.set("variantItemsSet", input, "variant { id }").await.done();
}

async fn channel(shop: &Shop, mut input: Value) {
    input["id"] = json!(shop.app.settings().channels[0].id.to_string());
    shop.set("channelUpdate", input, "channel { id }").await.done();
}

/// What the shopper is told of a variant: its state, and how many there are.
async fn told(shop: &Shop, variant: &str) -> (String, Value) {
    let query = "query($id: ID!) { node(id: $id) { ... on Variant { availability quantityAvailable } } }";
    let node = shop.store.send(query, json!({ "id": variant })).await.at("node");
    (text(&node["availability"]), node["quantityAvailable"].clone())
}

/// How many are promised of an item at each place, by the handle of the place.
async fn promised(shop: &Shop, item: &str) -> Vec<(String, i64)> {
    let query =
        format!("query($id: ID!) {{ inventoryItem(by: {{ id: $id }}) {{ {LEVELS} }} locations {{ id handle }} }}");
    let answer = shop.admin.send(&query, json!({ "id": item })).await;
    let (levels, places) = (answer.at("inventoryItem.stockLevels"), answer.at("locations"));
    let handle = |id: &Value| {
        let place = places.as_array().unwrap().iter().find(|place| place["id"] == *id).unwrap();
        text(&place["handle"])
    };
    let row = |level: &Value| (handle(&level["locationId"]), level["reserved"].as_i64().unwrap());
    let mut rows: Vec<_> = levels.as_array().unwrap().iter().map(row).filter(|(_, reserved)| *reserved > 0).collect();
    rows.sort();
    rows
}

/// A cart that only has to be completed, which goes to this country.
async fn ready(shop: &Shop, lines: &[(&str, i64)], country: &str) -> CartSession {
    let lines: Vec<_> =
        lines.iter().map(|(variant, quantity)| json!({ "variantId": variant, "quantity": quantity })).collect();
    let input = json!({ "lines": lines, "buyer": { "email": "ada@shopper.example" },
        "addresses": { "shipping": address(country) } });
    let mut cart = shop.cart_of(input).await;
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    cart
}

async fn buy(shop: &Shop, lines: &[(&str, i64)], country: &str) -> Placed {
    let cart = ready(shop, lines, country).await;
    let answer = cart.complete(&new_key()).await;
    Placed::of(cart, &answer)
}

#[tokio::test]
async fn what_is_counted_and_kept_nowhere_can_t_be_bought() {
    let shop = shop().await;
    let tee = shop.tee("20.00", 3).await;
    let part = json!({ "title": "A part that nobody has" });
    let part = text(&shop.set("inventoryItemSet", part, "inventoryItem { id }").await.done()["inventoryItem"]["id"]);
    takes(&shop, &tee, &[(&part, 1)]).await;
    assert_eq!(told(&shop, &tee).await.0, "OUT_OF_STOCK");
    let cart = shop.cart(&[(&tee, 1)]).await;
    assert!(cart.issues().contains(&"INSUFFICIENT_STOCK".to_owned()), "{:?}", cart.issues());
    let filter = "{ products(filter: { available: true }) { totalCount } }";
    assert_eq!(shop.store.send(filter, json!({})).await.at("products.totalCount"), 0);
}

#[tokio::test]
async fn kits_share_what_they_are_made_of() {
    let shop = shop().await;
    let here = first_place(&shop);
    let cup = shop.product("Cup").price("5.00").stock(7).create().await.variant;
    let pot = shop.product("Pot").price("15.00").stock(2).create().await.variant;
    let set = shop.product("Tea set").price("40.00").stock(0).create().await.variant;
    let (cups, pots) = (item_of(&shop, &cup).await, item_of(&shop, &pot).await);
    let refused = |input: Value| {
        let shop = &shop;
        async move { faults(&shop.set("variantItemsSet", input, "variant { id }").await) }
    };
    assert_eq!(refused(json!({ "variantId": set, "items": [] })).await, ["REQUIRED items"]);
    let twice =
        json!({ "variantId": set, "items": [{ "inventoryItemId": cups }, { "inventoryItemId": cups, "quantity": 0 }] });
    let expected = ["DUPLICATE items.1.inventoryItemId", "QUANTITY_OUT_OF_RANGE items.1.quantity"];
    assert_eq!(refused(twice).await, expected);
    takes(&shop, &set, &[(&cups, 3), (&pots, 1)]).await;
    channel(&shop, json!({ "showsQuantity": true })).await;
    assert_eq!(told(&shop, &set).await, ("LOW_STOCK".to_owned(), json!(2)));
    assert_eq!(told(&shop, &cup).await, ("IN_STOCK".to_owned(), json!(7)));
    let by_variant = json!({ "idempotencyKey": "1", "variantId": set, "delta": 1, "reason": "RECEIVED" });
    assert_eq!(faults(&shop.set("inventoryAdjust", by_variant, "stockLevel { stocked }").await), ["INVALID variantId"]);

    let placed = buy(&shop, &[(&set, 2)], "DE").await;
    assert_eq!((told(&shop, &set).await.1, told(&shop, &cup).await.1), (json!(0), json!(1)));
    // Two lines that share an item are promised no more than there is.
    let both = shop.cart(&[(&set, 1), (&cup, 2)]).await;
    let short: Vec<_> = both.issues().into_iter().filter(|issue| issue == "INSUFFICIENT_STOCK").collect();
    assert_eq!(short.len(), 3, "the pot and the cups of the set, and the cups");
    let pack = json!({ "idempotencyKey": new_key(), "orderId": placed.id });
    shop.set("fulfillmentCreate", pack, "fulfillment { id }").await.done();
    let query = format!("query($id: ID!) {{ inventoryItem(by: {{ id: $id }}) {{ {LEVELS} }} }}");
    let levels = shop.admin.send(&query, json!({ "id": cups })).await.at("inventoryItem.stockLevels");
    let level = json!([{ "locationId": here, "stocked": 1, "reserved": 0, "safety": 0, "available": 1, "incoming": 0,
        "lowStock": 3 }]);
    assert_eq!(levels, level);
    invariants(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn buyers_of_kits_and_of_their_parts_never_get_more_than_there_is() {
    let shop = shop().await;
    let cup = shop.product("Cup").price("5.00").stock(20).create().await.variant;
    let set = shop.product("Set").price("9.00").stock(0).create().await.variant;
    let cups = item_of(&shop, &cup).await;
    takes(&shop, &set, &[(&cups, 3)]).await;
    let carts = join_all((0..30).map(|place| {
        let line = if place % 2 == 0 { (cup.as_str(), 1) } else { (set.as_str(), 1) };
        ready(&shop, std::slice::from_ref(Box::leak(Box::new(line))), "DE")
    }))
    .await;
    let answers = join_all(carts.iter().map(async |cart| cart.complete(&new_key()).await)).await;
    let mut sold = 0;
    for (place, answer) in answers.iter().enumerate() {
        match answer.refusals().as_slice() {
            [] => sold += if place % 2 == 0 { 1 } else { 3 },
            refused => assert_eq!(refused, ["INSUFFICIENT_STOCK"]),
        }
    }
    // Whoever wants three may come too late for the last two.
    assert!((18..=20).contains(&sold), "{sold} of 20 are sold");
    assert_eq!(promised(&shop, &cups).await, [("default".to_owned(), sold)]);
    invariants(&shop).await;
}

#[tokio::test]
async fn the_channel_says_which_location_gives() {
    let shop = shop().await;
    let vienna = place(&shop, "vienna", "AT", 5).await;
    let madrid = place(&shop, "madrid", "ES", 6).await;
    let tee = shop.tee("20.00", 3).await;
    let mug = shop.product("Mug").price("8.00").stock(0).create().await.variant;
    let (tees, mugs) = (item_of(&shop, &tee).await, item_of(&shop, &mug).await);
    for (location, item, quantity) in [(&vienna, &tees, 2), (&madrid, &tees, 4), (&madrid, &mugs, 9)] {
        receive(&shop, location, item, quantity).await;
    }
    let main = first_place(&shop);
    let rows = |rows: &[(&str, i64)]| -> Vec<(String, i64)> {
        rows.iter().map(|(handle, quantity)| ((*handle).to_owned(), *quantity)).collect()
    };
    // By the numbers: main has 3; 4 are only in Madrid; 8 are shared.
    buy(&shop, &[(&tee, 1)], "ES").await;
    assert_eq!(promised(&shop, &tees).await, rows(&[("default", 1)]));
    buy(&shop, &[(&tee, 4)], "DE").await;
    assert_eq!(promised(&shop, &tees).await, rows(&[("default", 1), ("madrid", 4)]));
    buy(&shop, &[(&tee, 4)], "DE").await;
    assert_eq!(promised(&shop, &tees).await, rows(&[("default", 3), ("madrid", 4), ("vienna", 2)]));
    for location in [&main, &vienna, &madrid] {
        receive(&shop, location, &tees, 5).await;
    }
    channel(&shop, json!({ "allocation": "NEAREST" })).await;
    buy(&shop, &[(&tee, 1)], "ES").await;
    buy(&shop, &[(&tee, 2)], "AT").await;
    assert_eq!(promised(&shop, &tees).await, rows(&[("default", 3), ("madrid", 5), ("vienna", 4)]));
    channel(&shop, json!({ "allocation": "FEWEST_PARCELS" })).await;
    buy(&shop, &[(&tee, 1), (&mug, 1)], "DE").await;
    assert_eq!(promised(&shop, &tees).await, rows(&[("default", 3), ("madrid", 6), ("vienna", 4)]));
    assert_eq!(promised(&shop, &mugs).await, rows(&[("madrid", 1)]));
    invariants(&shop).await;
}

#[tokio::test]
async fn what_is_kept_back_comes_and_is_not_out_yet_is_told() {
    let shop = shop().await;
    let main = first_place(&shop);
    let tee = shop.tee("20.00", 5).await;
    let item = item_of(&shop, &tee).await;
    channel(&shop, json!({ "showsQuantity": true })).await;
    set_level(&shop, &main, &item, json!({ "safety": 3, "lowStock": 1 })).await;
    assert_eq!(told(&shop, &tee).await, ("IN_STOCK".to_owned(), json!(2)));
    set_level(&shop, &main, &item, json!({ "lowStock": 2 })).await;
    assert_eq!(told(&shop, &tee).await, ("LOW_STOCK".to_owned(), json!(2)));
    buy(&shop, &[(&tee, 2)], "DE").await;
    assert_eq!(told(&shop, &tee).await, ("OUT_OF_STOCK".to_owned(), json!(0)));
    assert!(shop.cart(&[(&tee, 1)]).await.issues().contains(&"INSUFFICIENT_STOCK".to_owned()));

    // Three are promised on what comes, and no fourth.
    let row = |field: &str, value: Value| json!({ "rows": [{ "variant": { "id": tee, (field): value } }], "onError": "ABORT" });
    let set = async |input: Value| shop.set("productVariantsBulkSet", input, "results { outcome }").await.done();
    set(row("backorder", json!("INCOMING"))).await;
    assert_eq!(told(&shop, &tee).await.0, "OUT_OF_STOCK");
    set_level(&shop, &main, &item, json!({ "incoming": 3, "incomingAt": "2030-01-01T00:00:00Z" })).await;
    assert_eq!(told(&shop, &tee).await.0, "BACKORDER");
    let filter = "{ products(filter: { available: true }) { totalCount } }";
    assert_eq!(shop.store.send(filter, json!({})).await.at("products.totalCount"), 1);
    let carts = [ready(&shop, &[(&tee, 2)], "DE").await, ready(&shop, &[(&tee, 2)], "DE").await];
    let answers = join_all(carts.iter().map(async |cart| cart.complete(&new_key()).await)).await;
    let mut refused: Vec<_> = answers.iter().flat_map(|answer| answer.refusals()).collect();
    assert_eq!(refused.pop().as_deref(), Some("INSUFFICIENT_STOCK"));
    assert_eq!(refused, [""; 0]);
    receive(&shop, &main, &item, 3).await;
    let query = format!("query($id: ID!) {{ inventoryItem(by: {{ id: $id }}) {{ {LEVELS} }} }}");
    let level = shop.admin.send(&query, json!({ "id": item })).await.at("inventoryItem.stockLevels.0");
    assert_eq!(
        (&level["stocked"], &level["reserved"], &level["incoming"], &level["available"]),
        (&json!(8), &json!(4), &json!(0), &json!(1))
    );

    let release = (shop.app.clock.now() + TimeDelta::days(3)).to_rfc3339();
    set(row("releaseAt", json!(release))).await;
    assert_eq!(told(&shop, &tee).await.0, "PREORDER");
    buy(&shop, &[(&tee, 1)], "DE").await;
    assert_eq!(told(&shop, &tee).await.0, "OUT_OF_STOCK");
    receive(&shop, &main, &item, 9).await;
    shop.pass(TimeDelta::days(3));
    assert_eq!(told(&shop, &tee).await.0, "IN_STOCK");
    invariants(&shop).await;
}

#[tokio::test]
async fn who_may_wait_is_not_packed_what_was_promised_to_who_may_not() {
    let shop = shop().await;
    let tee = shop.tee("20.00", 5).await;
    let item = item_of(&shop, &tee).await;
    let firm = buy(&shop, &[(&tee, 5)], "DE").await;
    let row = json!({ "rows": [{ "variant": { "id": tee, "backorder": "ALLOW" } }], "onError": "ABORT" });
    shop.set("productVariantsBulkSet", row, "results { outcome }").await.done();
    let waits = buy(&shop, &[(&tee, 3)], "DE").await;
    let pack = async |placed: &Placed| {
        let input = json!({ "idempotencyKey": new_key(), "orderId": placed.id });
        shop.set("fulfillmentCreate", input, "fulfillment { id }").await
    };
    assert_eq!(faults(&pack(&waits).await), ["INSUFFICIENT_STOCK lines"]);
    invariants(&shop).await;
    receive(&shop, &first_place(&shop), &item, 3).await;
    pack(&waits).await.done();
    pack(&firm).await.done();
    assert_eq!(shop.level(&tee).await, (0, 0));
    invariants(&shop).await;
}

#[tokio::test]
async fn staff_count_take_in_and_move_goods() {
    let shop = shop().await;
    let (main, north) = (first_place(&shop), place(&shop, "north", "DE", 5).await);
    let tee = shop.tee("20.00", 9).await;
    let item = item_of(&shop, &tee).await;
    buy(&shop, &[(&tee, 4)], "DE").await;
    let pieces = |quantity: i32| json!([{ "inventoryItemId": item, "quantity": quantity }]);
    let count = |key: &str, quantity: i32| json!({ "idempotencyKey": key, "locationId": main, "items": pieces(quantity), "note": "by hand" });
    let levels = "stockLevels { locationId stocked incoming }";
    let refused = shop.set("inventoryCount", count("a", 3), levels).await;
    assert_eq!(faults(&refused), ["INSUFFICIENT_STOCK items.0.quantity"]);
    assert_eq!(refused.at("inventoryCount.userErrors.0.quantityAvailable"), 5);
    for _ in 0..2 {
        let counted = shop.set("inventoryCount", count("a", 7), levels).await.done();
        assert_eq!(counted["stockLevels"], json!([{ "locationId": main, "stocked": 7, "incoming": 0 }]));
    }
    assert_eq!(
        faults(&shop.set("inventoryCount", count("a", 8), levels).await),
        ["IDEMPOTENCY_MISMATCH idempotencyKey"]
    );
    let wrong = json!({ "idempotencyKey": "w", "locationId": main, "items": [
        { "inventoryItemId": item, "quantity": -1 },
        { "inventoryItemId": domain::id::InventoryItemId(uuid::Uuid::now_v7()).to_string(), "quantity": 1 }] });
    let expected = ["QUANTITY_OUT_OF_RANGE items.0.quantity", "NOT_FOUND items.1.inventoryItemId"];
    assert_eq!(faults(&shop.set("inventoryCount", wrong, levels).await), expected);
    let none = json!({ "idempotencyKey": "w", "locationId": main, "items": [] });
    assert_eq!(faults(&shop.set("inventoryReceive", none, levels).await), ["REQUIRED items"]);

    let send = |key: &str, quantity: i32, in_transit: bool| {
        json!({ "idempotencyKey": key, "fromLocationId": main, "toLocationId": north, "items": pieces(quantity),
            "inTransit": in_transit, "note": "van" })
    };
    let refused = shop.set("inventoryTransfer", send("b", 4, false), levels).await;
    assert_eq!(faults(&refused), ["INSUFFICIENT_STOCK items.0.quantity"], "four of seven are promised");
    shop.set("inventoryTransfer", send("b", 1, false), levels).await.done();
    let sent = shop.set("inventoryTransfer", send("c", 2, true), levels).await.done();
    let mut sent: Vec<_> = sent["stockLevels"].as_array().unwrap().clone();
    sent.sort_by_key(|level| level["locationId"] != json!(main));
    assert_eq!(
        sent,
        [
            json!({ "locationId": main, "stocked": 4, "incoming": 0 }),
            json!({ "locationId": north, "stocked": 1, "incoming": 2 })
        ]
    );
    receive(&shop, &north, &item, 3).await;
    let query = "query($id: ID!) { stockMovements(filter: { inventoryItemId: $id }) { totalCount
        nodes { locationId count delta reason cause inventoryItem { id } } } }";
    let log = shop.admin.send(query, json!({ "id": item })).await.at("stockMovements");
    let rows: Vec<_> = log["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let at = if row["locationId"] == json!(main) { "main" } else { "north" };
            format!("{at} {} {} {}", text(&row["count"]), row["delta"], text(&row["reason"]))
        })
        .collect();
    let mut expected = vec![
        "north STOCKED 3 RECEIVED",
        "north INCOMING -2 RECEIVED",
        "north INCOMING 2 TRANSFERRED",
        "main STOCKED -2 TRANSFERRED",
        "north STOCKED 1 TRANSFERRED",
        "main STOCKED -1 TRANSFERRED",
        "main STOCKED -2 CORRECTION",
        "main STOCKED 9 INITIAL",
    ];
    let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    assert_eq!((log["totalCount"].clone(), rows[7]), (json!(8), "main STOCKED 9 INITIAL"));
    rows.sort_unstable();
    expected.sort_unstable();
    assert_eq!(rows, expected);
    invariants(&shop).await;
}

#[tokio::test]
async fn staff_put_stock_aside() {
    let shop = shop().await;
    let main = first_place(&shop);
    let tee = shop.tee("20.00", 5).await;
    let item = item_of(&shop, &tee).await;
    let aside = |key: &str, quantity: i32| json!({ "idempotencyKey": key, "inventoryItemId": item, "locationId": main, "quantity": quantity, "note": "for the show" });
    let shown = "reservation { id quantity kind note expiresAt }";
    let refused = shop.set("reservationCreate", aside("1", 6), shown).await;
    assert_eq!(faults(&refused), ["INSUFFICIENT_STOCK quantity"]);
    assert_eq!(refused.at("reservationCreate.userErrors.0.quantityAvailable"), 5);
    let made = shop.set("reservationCreate", aside("1", 4), shown).await.done();
    assert_eq!(shop.set("reservationCreate", aside("1", 4), shown).await.done(), made, "once");
    let id = made["reservation"]["id"].clone();
    assert!(shop.cart(&[(&tee, 2)]).await.issues().contains(&"INSUFFICIENT_STOCK".to_owned()));
    let change = |quantity: i32| json!({ "id": id, "quantity": quantity });
    assert_eq!(faults(&shop.set("reservationUpdate", change(6), shown).await), ["INSUFFICIENT_STOCK quantity"]);
    shop.set("reservationUpdate", change(5), shown).await.done();
    assert_eq!(told(&shop, &tee).await.0, "OUT_OF_STOCK");
    shop.set("reservationUpdate", change(3), shown).await.done();
    let placed = buy(&shop, &[(&tee, 1)], "DE").await;
    let query = "query($kind: AdminReservationFilter) { reservations(filter: $kind) { nodes { id kind quantity orderLineId } } }";
    let of =
        async |kind: &str| shop.admin.send(query, json!({ "kind": { "kind": kind } })).await.at("reservations.nodes");
    let sold = of("SALE").await;
    assert_eq!(
        (sold[0]["quantity"].clone(), sold[0]["orderLineId"].is_string(), of("CART").await),
        (json!(1), true, json!([]))
    );
    let theirs = shop.set("reservationDelete", json!({ "id": sold[0]["id"] }), "deletedId").await;
    assert_eq!(faults(&theirs), ["STATE_INVALID id"], "an order is no staff's promise");
    assert_eq!(of("MANUAL").await[0]["id"], id);
    shop.set("reservationDelete", json!({ "id": id }), "deletedId").await.done();
    assert_eq!(faults(&shop.set("reservationDelete", json!({ "id": id }), "deletedId").await), ["NOT_FOUND id"]);

    let mut soon = aside("2", 2);
    soon["expiresAt"] = json!((shop.app.clock.now() - TimeDelta::hours(1)).to_rfc3339());
    assert_eq!(faults(&shop.set("reservationCreate", soon.clone(), shown).await), ["INVALID expiresAt"]);
    soon["expiresAt"] = json!((shop.app.clock.now() + TimeDelta::hours(1)).to_rfc3339());
    shop.set("reservationCreate", soon, shown).await.done();
    assert_eq!(promised(&shop, &item).await, [("default".to_owned(), 3)]);
    shop.pass(TimeDelta::hours(1));
    engine::inventory::expire::end_expired(&shop.app).await.unwrap();
    assert_eq!(shop.level(&tee).await, (5, 1));
    drop(placed);
    invariants(&shop).await;
}

#[tokio::test]
async fn what_lies_in_a_cart_is_held_for_a_while() {
    let shop = shop().await;
    channel(&shop, json!({ "holdMinutes": 15 })).await;
    let too_long = json!({ "id": shop.app.settings().channels[0].id.to_string(), "holdMinutes": 1441 });
    assert_eq!(faults(&shop.set("channelUpdate", too_long, "channel { id }").await), ["INVALID holdMinutes"]);
    let tee = shop.tee("20.00", 3).await;
    let item = item_of(&shop, &tee).await;
    let held = async |cart: &CartSession| {
        let query =
            "query($id: ID!, $token: String) { cart(id: $id, token: $token) { holdExpiresAt issues { code } } }";
        shop.store.send(query, json!({ "id": cart.id, "token": cart.token })).await.at("cart")
    };
    let mut first = ready(&shop, &[(&tee, 2)], "DE").await;
    let end = held(&first).await["holdExpiresAt"].clone();
    assert!(end.is_string());
    assert_eq!(promised(&shop, &item).await, [("default".to_owned(), 2)]);
    assert_eq!(held(&first).await["issues"], json!([]), "what it holds itself is there for it");
    let second = ready(&shop, &[(&tee, 2)], "DE").await;
    assert!(second.issues().contains(&"INSUFFICIENT_STOCK".to_owned()), "one is left, and that is held");
    assert_eq!(promised(&shop, &item).await, [("default".to_owned(), 3)]);
    assert_eq!(second.complete(&new_key()).await.refusals(), ["INSUFFICIENT_STOCK"]);
    // A change within the time doesn't prolong it.
    shop.pass(TimeDelta::minutes(10));
    let lines = json!({ "lines": [{ "variantId": tee, "quantity": 1 }] });
    first.mutate("cartLinesAdd", lines).await.done();
    assert_eq!(held(&first).await["holdExpiresAt"], end);
    assert_eq!(first.issues(), ["INSUFFICIENT_STOCK"], "the last one is the other cart's");
    let line = first.show().await["lines"][0]["id"].clone();
    first.mutate("cartLinesUpdate", json!({ "lines": [{ "lineId": line, "quantity": 2 }] })).await.done();
    let placed = first.complete(&new_key()).await;
    let placed = Placed::of(first, &placed);
    assert_eq!(promised(&shop, &item).await, [("default".to_owned(), 3)]);
    shop.pass(TimeDelta::minutes(6));
    engine::inventory::expire::end_expired(&shop.app).await.unwrap();
    assert_eq!(shop.level(&tee).await, (3, 2), "the other cart's time is over");
    assert_eq!(held(&second).await["holdExpiresAt"], Value::Null);
    let third = ready(&shop, &[(&tee, 1)], "DE").await;
    assert_eq!(shop.level(&tee).await, (3, 3));
    let admin = shop.staff(domain::auth::OWNER).await;
    let off = json!({ "id": shop.app.settings().channels[0].id.to_string(), "holdMinutes": null });
    mutate(&admin, "Admin", "channelUpdate", off, "channel { id }").await.done();
    engine::inventory::expire::end_expired(&shop.app).await.unwrap();
    assert_eq!(shop.level(&tee).await, (3, 2), "nothing is held where nothing shall be");
    assert_eq!(third.complete(&new_key()).await.refusals(), [""; 0]);
    drop(placed);
    invariants(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn held_stock_is_bought_by_its_holders_alone_however_many_race() {
    let shop = shop().await;
    channel(&shop, json!({ "holdMinutes": 15 })).await;
    let tee = shop.tee("20.00", 10).await;
    let lines = [(tee.as_str(), 1_i64)];
    let carts = join_all((0..25).map(|_| ready(&shop, &lines, "DE"))).await;
    let item = item_of(&shop, &tee).await;
    assert_eq!(promised(&shop, &item).await, [("default".to_owned(), 10)]);
    let holders: Vec<bool> = carts.iter().map(|cart| cart.issues().is_empty()).collect();
    let answers = join_all(carts.iter().map(async |cart| cart.complete(&new_key()).await)).await;
    let won = answers.iter().filter(|answer| answer.refusals().is_empty()).count();
    assert_eq!(won, 10);
    // Who saw no issue when the cart was ready got what he held.
    for (holds, answer) in holders.iter().zip(&answers) {
        assert!(!holds || answer.refusals().is_empty());
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn whoever_waits_for_goods_is_told_once_that_they_are_back() {
    let (shop, post) = crate::support::post::post_shop().await;
    channel(&shop, json!({ "storefrontUrl": "https://shop.example" })).await;
    let main = first_place(&shop);
    let tee = shop.tee("20.00", 1).await;
    let item = item_of(&shop, &tee).await;
    let wait =
        async |client: &Client, input: Value| mutate(client, "", "backInStockRequest", input, "variant { id }").await;
    let of = |email: &str| json!({ "variantId": tee, "email": email });
    assert_eq!(faults(&wait(&shop.store, of("eve@shopper.example")).await), ["STATE_INVALID variantId"]);
    buy(&shop, &[(&tee, 1)], "DE").await;
    assert_eq!(faults(&wait(&shop.store, of("no mailbox")).await), ["INVALID email"]);
    assert_eq!(faults(&wait(&shop.store, json!({ "variantId": tee })).await), ["EMAIL_MISSING email"]);
    let gone =
        json!({ "variantId": domain::id::VariantId(uuid::Uuid::now_v7()).to_string(), "email": "a@shopper.example" });
    assert_eq!(faults(&wait(&shop.store, gone).await), ["NOT_FOUND variantId"]);
    for _ in 0..2 {
        wait(&shop.store, of("eve@shopper.example")).await.done();
        wait(&shop.store, of("ada@shopper.example")).await.done();
    }
    let waiting = "query($id: ID!) { productVariant(by: { id: $id }) { backInStockRequests } }";
    let waiting =
        async || shop.admin.send(waiting, json!({ "id": tee })).await.at("productVariant.backInStockRequests");
    assert_eq!(waiting().await, 2);
    shop.mail_is_done().await;
    let before = post.taken().len();
    for quantity in [1, 5] {
        receive(&shop, &main, &item, quantity).await;
        shop.mail_is_done().await;
    }
    let mails = post.taken();
    let mut told: Vec<_> = mails[before..].iter().map(|mail| (mail.to.to_string(), mail.subject.clone())).collect();
    told.sort();
    let back = |to: &str| (to.to_owned(), "Tee is back".to_owned());
    assert_eq!(told, [back("ada@shopper.example"), back("eve@shopper.example")]);
    assert!(mails[before].text.contains("https://shop.example/products/tee"), "{}", mails[before].text);
    assert_eq!(waiting().await, 0);
    let events = entity::event::Entity::find().all(&shop.app.read()).await.unwrap();
    let of_stock: Vec<_> =
        events.iter().filter(|event| event.kind.starts_with("inventory.")).map(|event| event.kind.as_str()).collect();
    assert_eq!(
        of_stock,
        ["inventory.back_in_stock"],
        "one was low from the start; of one back, six are more, not news"
    );
    invariants(&shop).await;
}

#[tokio::test]
async fn whoever_waits_for_a_kit_is_told_when_there_is_enough_for_one() {
    let (shop, post) = crate::support::post::post_shop().await;
    let main = first_place(&shop);
    let pair = shop.product("Pair").price("9.00").stock(0).create().await.variant;
    let item = item_of(&shop, &pair).await;
    takes(&shop, &pair, &[(&item, 2)]).await;
    let wait = json!({ "variantId": pair, "email": "eve@shopper.example" });
    mutate(&shop.store, "", "backInStockRequest", wait, "variant { id }").await.done();
    receive(&shop, &main, &item, 1).await;
    shop.mail_is_done().await;
    assert_eq!(post.taken().len(), 0, "one is half a pair");
    receive(&shop, &main, &item, 1).await;
    shop.mail_is_done().await;
    assert_eq!(post.last().subject, "Pair is back");
}

#[tokio::test]
async fn no_request_outlives_the_person() {
    let shop = shop().await;
    let tee = shop.tee("20.00", 0).await;
    let ada = shop.customer("ada@shopper.example").await;
    let own = json!({ "variantId": tee });
    mutate(&ada.client, "", "backInStockRequest", own, "variant { id }").await.done();
    let as_guest = json!({ "variantId": tee, "email": "Ada@shopper.example" });
    mutate(&shop.store, "", "backInStockRequest", as_guest, "variant { id }").await.done();
    let requests = async || {
        let rows = entity::back_in_stock_request::Entity::find().all(&shop.app.read()).await.unwrap();
        rows.into_iter().map(|row| row.email.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(requests().await, ["ada@shopper.example"], "one mailbox waits once");
    shop.set("customerErase", json!({ "id": ada.id.to_string() }), "erasedId").await.done();
    assert_eq!(requests().await, [""; 0]);
}
