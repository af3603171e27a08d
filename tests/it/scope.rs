//! How far roles reach: channels and locations.

use std::time::Duration;

use domain::auth::OWNER;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{faults, mutate};
use crate::support::client::{Answer, Client};
use crate::support::limits::{By, FIELDS};
use crate::support::socket::{PATIENCE, Socket};
use crate::support::walker::{Placed, buy, new_key, stocked};

use By::Shop as WholeShop;

#[tokio::test]
async fn every_admin_root_field_says_what_limits_it() {
    let shop = Shop::open().await;
    let query = "{ __schema { queryType { fields { name } } mutationType { fields { name } }
        subscriptionType { fields { name } } } }";
    let schema = shop.admin.send(query, json!({})).await.at("__schema");
    let roots = ["queryType", "mutationType", "subscriptionType"];
    let names = roots.iter().flat_map(|root| schema[root]["fields"].as_array().unwrap().clone());
    let names: Vec<String> = names.map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    let missing: Vec<_> = names.iter().filter(|name| !FIELDS.iter().any(|(known, _)| known == name)).collect();
    assert!(missing.is_empty(), "say in FIELDS what limits these: {missing:?}");
    let gone: Vec<_> = FIELDS.iter().filter(|(known, _)| !names.iter().any(|name| name == known)).collect();
    assert!(gone.is_empty(), "these are no fields any more: {gone:?}");
}

#[tokio::test]
async fn what_is_the_whole_shop_s_needs_a_role_without_limits() {
    let scene = Scene::open().await;
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let one = json!({ "amount": "1", "currencyCode": "EUR" });
    let (card, nobody) = ("ledger_00000000000000000000000000", "cust_00000000000000000000000000");
    for (mutation, input) in [
        ("channelCreate", json!({ "name": "X" })),
        ("regionSet", json!({ "name": "X", "currencyCode": "EUR", "countries": ["FR"] })),
        ("regionDelete", json!({ "id": "reg_00000000000000000000000000" })),
        ("taxRateSet", json!({ "countryCode": "DE", "code": "VAT", "name": "VAT", "percent": "7" })),
        ("taxRateDelete", json!({ "id": "taxrate_00000000000000000000000000" })),
        ("taxRegionSet", json!({ "countryCode": "FR" })),
        ("taxRegionDelete", json!({ "id": "taxreg_00000000000000000000000000" })),
        (
            "shippingOptionSet",
            json!({ "name": "X", "countries": ["DE"], "prices": [{ "amount": "1", "currencyCode": "EUR" }] }),
        ),
        ("shippingOptionDelete", json!({ "id": "shipopt_00000000000000000000000000" })),
        ("shippingProfileSet", json!({ "name": "X" })),
        ("shippingProfileDelete", json!({ "id": "shipprof_00000000000000000000000000" })),
        ("serviceZoneSet", json!({ "name": "X", "areas": [{ "countryCode": "DE" }] })),
        ("serviceZoneDelete", json!({ "id": "zone_00000000000000000000000000" })),
        ("priceListSet", json!({ "name": "X", "kind": "SALE" })),
        ("priceListDelete", json!({ "id": "pricelist_00000000000000000000000000" })),
        ("priceListPricesBulkSet", json!({ "priceListId": "pricelist_00000000000000000000000000", "rows": [] })),
        (
            "priceListPricesImport",
            json!({ "priceListId": "pricelist_00000000000000000000000000", "mode": "MERGE",
                "stagedUploadId": "upload_00000000000000000000000000" }),
        ),
        ("variantPricesBulkSet", json!({ "rows": [] })),
        ("metafieldDefinitionDelete", json!({ "id": "mfdef_00000000000000000000000000" })),
        ("customerErase", json!({ "id": "cust_00000000000000000000000000" })),
        ("staffSecuritySet", json!({ "secondFactorRequired": false })),
        ("inventoryItemSet", json!({ "title": "Part" })),
        ("variantItemsSet", json!({ "variantId": "variant_00000000000000000000000000", "items": [] })),
        ("flowRetry", json!({ "flowId": "flow_00000000000000000000000000" })),
        ("flowCancel", json!({ "flowId": "flow_00000000000000000000000000" })),
        ("promotionCreate", json!({ "title": "X", "method": "CODE", "offer": { "gifts": [] } })),
        ("promotionUpdate", json!({ "id": "promo_00000000000000000000000000" })),
        ("promotionDelete", json!({ "id": "promo_00000000000000000000000000" })),
        ("promotionActivate", json!({ "id": "promo_00000000000000000000000000" })),
        ("promotionPause", json!({ "id": "promo_00000000000000000000000000" })),
        ("promotionDuplicate", json!({ "id": "promo_00000000000000000000000000" })),
        ("promotionCodesAdd", json!({ "promotionId": "promo_00000000000000000000000000", "codes": ["ABC"] })),
        ("promotionCodesDelete", json!({ "ids": [] })),
        ("promotionCodesMake", json!({ "promotionId": "promo_00000000000000000000000000", "batch": "X", "count": 1 })),
        (
            "promotionCodesImport",
            json!({ "promotionId": "promo_00000000000000000000000000", "batch": "X",
                "stagedUploadId": "upload_00000000000000000000000000" }),
        ),
        ("campaignCreate", json!({ "title": "X" })),
        ("campaignUpdate", json!({ "id": "camp_00000000000000000000000000" })),
        ("campaignDelete", json!({ "id": "camp_00000000000000000000000000" })),
        ("productImport", json!({ "stagedUploadId": "upload_00000000000000000000000000" })),
        ("giftCardIssue", json!({ "idempotencyKey": "k", "amount": one })),
        ("giftCardUpdate", json!({ "id": card })),
        ("giftCardAdjust", json!({ "idempotencyKey": "k", "giftCardId": card, "kind": "CREDIT", "amount": one })),
        ("storeCreditAdjust", json!({ "idempotencyKey": "k", "customerId": nobody, "kind": "CREDIT", "amount": one })),
    ] {
        let refused = mutate(&limited, "Admin", mutation, input, "__typename").await;
        assert_eq!(refused.error_code(), "FORBIDDEN", "{mutation}");
    }
    let card = format!("{{ giftCard(id: \"{card}\") {{ id }} }}");
    for list in
        ["{ auditEntries { nodes { op } } }", "{ flows { nodes { id } } }", "{ giftCards { nodes { id } } }", &card]
    {
        assert_eq!(limited.send(list, json!({})).await.error_code(), "FORBIDDEN", "{list}");
    }
    let checked =
        ["channelCreate", "regionSet", "regionDelete", "taxRateSet", "shippingOptionSet", "metafieldDefinitionDelete"];
    let taxes = ["taxRateDelete", "taxRegionSet", "taxRegionDelete"];
    let checked = [
        &checked[..],
        &taxes[..],
        &["shippingOptionDelete", "shippingProfileSet", "shippingProfileDelete", "serviceZoneSet", "serviceZoneDelete"],
        &["priceListSet", "priceListDelete", "priceListPricesBulkSet", "priceListPricesImport", "variantPricesBulkSet"],
        &["customerErase", "auditEntries", "metafieldDefinitionSet", "staffSecuritySet", "productImport"],
        &["promotionCreate", "promotionUpdate", "promotionDelete", "promotionActivate", "promotionPause"],
        &["promotionDuplicate", "campaignCreate", "campaignUpdate", "campaignDelete"],
        &["promotionCodesAdd", "promotionCodesDelete", "promotionCodesMake", "promotionCodesImport"],
        &["inventoryItemSet", "variantItemsSet", "flows", "flowRetry", "flowCancel"],
        &["giftCard", "giftCards", "giftCardIssue", "giftCardUpdate", "giftCardAdjust", "storeCreditAdjust"],
    ]
    .concat();
    let shop_wide = FIELDS.iter().filter(|(_, by)| *by == WholeShop).map(|(name, _)| *name);
    let unchecked: Vec<_> = shop_wide.filter(|name| !checked.contains(name) && !OTHERS.contains(name)).collect();
    assert!(unchecked.is_empty(), "nobody checks {unchecked:?}");
}

/// Fields of the whole shop that the tests of their own nouns check.
const OTHERS: &[&str] = &[
    "notification",
    "notificationPreview",
    "notificationResend",
    "notificationTemplate",
    "notificationTemplateReset",
    "notificationTemplateSet",
    "notificationTemplates",
    "notifications",
];

/// A shop with two channels, two locations, and an order in each channel.
struct Scene {
    shop: Shop,
    a: String,
    b: String,
    here: String,
    there: String,
    in_a: Placed,
    in_b: Placed,
    variant: String,
}

impl Scene {
    async fn open() -> Self {
        let shop = Shop::open().await;
        shop.europe(&["DE"], true).await;
        let a = shop.admin.send("{ channels { id } }", json!({})).await.text("channels.0.id");
        let here = shop.admin.send("{ locations { id } }", json!({})).await.text("locations.0.id");
        let made = shop.set("channelCreate", json!({ "name": "Second" }), "channel { id }").await;
        made.done();
        let b = made.text("channelCreate.channel.id");
        let made = shop.set("locationSet", json!({ "name": "Depot", "priority": 5 }), "location { id }").await;
        made.done();
        let there = made.text("locationSet.location.id");
        let key = json!({ "title": "Second", "channelId": b });
        let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await;
        key.done();
        let second = shop.store.with("x-publishable-key", &key.text("publishableKeyCreate.publishableKey.token"));
        let variant = stocked(&shop, "Lamp", 10).await;
        let in_a = buy(&shop.store, &variant, 1).await;
        let in_b = buy(&second, &variant, 1).await;
        Self { shop, a, b, here, there, in_a, in_b, variant }
    }

    /// A client of somebody with a role that reaches so far.
    async fn limited(&self, role: &str, channels: &[&String], locations: &[&String]) -> Client {
        let client = self.shop.staff(role).await;
        let me = client.send("{ me { id } }", json!({})).await.at("me.id");
        let roles = self.shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
        let role = roles.as_array().unwrap().iter().find(|known| known["name"] == role).unwrap();
        let wish = json!({ "roleId": role["id"], "channelIds": channels, "locationIds": locations });
        self.shop.set("staffUpdate", json!({ "id": me, "roles": [wish] }), "staff { id }").await.done();
        client
    }

    async fn product(&self) -> Value {
        let query = "query($id: ID!) { productVariant(by: { id: $id }) { product { id } } }";
        let found = self.shop.admin.send(query, json!({ "id": self.variant })).await;
        found.at("productVariant.product.id")
    }
}

async fn admin(client: &Client, mutation: &str, input: Value, selection: &str) -> Answer {
    mutate(client, "Admin", mutation, input, selection).await
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn orders_of_other_channels_are_not_there() {
    let scene = Scene::open().await;
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let list = "{ orders { totalCount nodes { id } } }";
    let seen = limited.send(list, json!({})).await;
    assert_eq!(ids(&seen.at("orders.nodes")), std::slice::from_ref(&scene.in_b.id));
    assert_eq!(seen.at("orders.totalCount"), 1);
    let all = scene.shop.admin.send(list, json!({})).await;
    assert_eq!(all.at("orders.totalCount"), 2);
    assert_eq!(seen.statements, all.statements, "a limit costs no statement");

    let one = "query($id: ID!) { order(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id } }";
    let own = limited.send(one, json!({ "id": scene.in_b.id })).await;
    assert_eq!(own.at("order.id"), json!(scene.in_b.id));
    let other = limited.send(one, json!({ "id": scene.in_a.id })).await;
    assert_eq!((other.at("order"), other.at("node")), (json!(null), json!(null)));
    assert_eq!(other.at("nodes"), json!([null]));

    let cancel = |order: &str| json!({ "idempotencyKey": new_key(), "orderId": order });
    let refused = admin(&limited, "orderCancel", cancel(&scene.in_a.id), "order { id }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND orderId"]);
    let refused = admin(&limited, "fulfillmentCreate", cancel(&scene.in_a.id), "order { id }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND orderId"]);
    let payment = "query($id: ID!) { order(id: $id) { payments { id } } }";
    let payment = scene.shop.admin.send(payment, json!({ "id": scene.in_a.id })).await.at("order.payments.0.id");
    let capture = json!({ "idempotencyKey": new_key(), "paymentId": payment });
    let refused = admin(&limited, "paymentCapture", capture, "order { id }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND paymentId"]);
    admin(&limited, "orderCancel", cancel(&scene.in_b.id), "order { status }").await.done();
}

#[tokio::test]
async fn a_metafield_of_an_order_is_written_where_the_order_is_in_reach() {
    let scene = Scene::open().await;
    let definition = json!({
        "ownerType": "ORDER", "namespace": "desk", "key": "note", "name": "Note", "type": "SINGLE_LINE_TEXT",
    });
    scene.shop.set("metafieldDefinitionSet", definition.clone(), "metafieldDefinition { id }").await.done();
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let entry = |order: &str| json!({ "metafields": [{ "ownerId": order, "namespace": "desk", "key": "note", "value": "Hello" }] });
    let refused = admin(&limited, "metafieldsSet", entry(&scene.in_a.id), "metafields { value }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND metafields.0.ownerId"]);
    admin(&limited, "metafieldsSet", entry(&scene.in_b.id), "metafields { value }").await.done();
    let refused = admin(&limited, "metafieldDefinitionSet", definition, "metafieldDefinition { id }").await;
    assert_eq!(refused.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn a_customer_s_orders_are_those_in_reach() {
    let scene = Scene::open().await;
    let made = scene.shop.set("customerCreate", json!({ "email": "ada@shopper.example" }), "customer { id }").await;
    made.done();
    let customer: domain::id::CustomerId = made.text("customerCreate.customer.id").parse().unwrap();
    let sql = format!("update \"order\" set customer_id = {}", literal(customer.into()));
    sea_orm::ConnectionTrait::execute_unprepared(scene.shop.app.db.admin(), &sql).await.unwrap();
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let query = "query($id: ID!) { customer(by: { id: $id }) { orders(first: 1) { id } } }";
    let seen = limited.send(query, json!({ "id": customer.to_string() })).await;
    assert_eq!(ids(&seen.at("customer.orders")), std::slice::from_ref(&scene.in_b.id));
    let limited = scene.limited(OWNER, &[&scene.a], &[]).await;
    let seen = limited.send(query, json!({ "id": customer.to_string() })).await;
    assert_eq!(ids(&seen.at("customer.orders")), std::slice::from_ref(&scene.in_a.id), "the newest of those in reach");
}

/// An id as both databases read it in plain SQL.
fn literal(id: uuid::Uuid) -> String {
    match crate::support::database::on_postgres() {
        true => format!("'{id}'"),
        false => format!("x'{}'", id.simple()),
    }
}

#[tokio::test]
async fn the_feed_of_orders_tells_of_those_in_reach_and_ends_when_the_reach_changes() {
    let scene = Scene::open().await;
    let role = json!({ "title": "Screen", "role": "viewer", "channelIds": [scene.b] });
    let made = scene.shop.set("apiKeyCreate", role, "apiKey { id channelIds locationIds } secret").await.done();
    assert_eq!((&made["apiKey"]["channelIds"], &made["apiKey"]["locationIds"]), (&json!([scene.b]), &json!([])));
    let url = format!("ws://{}/admin/graphql", scene.shop.address);
    let bearer = json!({ "Authorization": format!("Bearer {}", made["secret"].as_str().unwrap()) });
    let socket = Socket::open(&url, bearer).await.unwrap();
    let feed = "subscription { orderEvents(after: \"feed_0\") { order { id } event { kind } } }";
    let mut live = socket.subscribe(feed, json!({}));
    for kind in ["order.placed", "payment.authorized"] {
        let item = live.next(PATIENCE).await;
        assert_eq!((&item["order"]["id"], &item["event"]["kind"]), (&json!(scene.in_b.id), &json!(kind)));
    }
    assert!(live.try_next(Duration::from_millis(400)).await.is_none(), "the other channel's events are not told");
    scene.shop.set("apiKeyRevoke", json!({ "id": made["apiKey"]["id"] }), "apiKey { id }").await.done();
    let cancel = json!({ "idempotencyKey": new_key(), "orderId": scene.in_b.id });
    scene.shop.set("orderCancel", cancel, "order { id }").await.done();
    assert_eq!(live.error().await.0, "UNAUTHENTICATED");
}

/// What lies elsewhere is neither listed nor counted, moved or put aside.
async fn others_stock(scene: &Scene, limited: &Client) {
    let query =
        "{ reservations { totalCount } stockMovements { nodes { locationId } } inventoryItems { nodes { id } } }";
    let seen = limited.send(query, json!({})).await;
    assert_eq!(seen.at("reservations.totalCount"), 0, "two orders are promised goods elsewhere");
    let moved = seen.at("stockMovements.nodes");
    assert!(moved.as_array().unwrap().iter().all(|row| row["locationId"] == json!(scene.there)), "{moved}");
    let item = seen.text("inventoryItems.nodes.0.id");
    let (here, there) = (&scene.here, &scene.there);
    let pieces = json!([{ "inventoryItemId": item, "quantity": 1 }]);
    let key = new_key();
    for (mutation, input, fault) in [
        ("inventoryCount", json!({ "idempotencyKey": key, "locationId": here, "items": pieces }), "locationId"),
        ("inventoryReceive", json!({ "idempotencyKey": key, "locationId": here, "items": pieces }), "locationId"),
        (
            "inventoryTransfer",
            json!({ "idempotencyKey": key, "fromLocationId": here, "toLocationId": there, "items": pieces }),
            "fromLocationId",
        ),
        (
            "inventoryTransfer",
            json!({ "idempotencyKey": key, "fromLocationId": there, "toLocationId": here, "items": pieces }),
            "toLocationId",
        ),
        ("stockLevelSet", json!({ "inventoryItemId": item, "locationId": here, "safety": 1 }), "locationId"),
        (
            "reservationCreate",
            json!({ "idempotencyKey": key, "inventoryItemId": item, "locationId": here, "quantity": 1 }),
            "locationId",
        ),
    ] {
        let refused = admin(limited, mutation, input, "__typename").await;
        assert_eq!(faults(&refused), [format!("NOT_FOUND {fault}")], "{mutation}");
    }
    let aside = json!({ "idempotencyKey": new_key(), "inventoryItemId": item, "locationId": here, "quantity": 1 });
    let made = scene.shop.set("reservationCreate", aside, "reservation { id }").await.done();
    let id = &made["reservation"]["id"];
    for mutation in ["reservationUpdate", "reservationDelete"] {
        let refused = admin(limited, mutation, json!({ "id": id }), "__typename").await;
        assert_eq!(faults(&refused), ["NOT_FOUND id"], "{mutation}");
    }
    scene.shop.set("reservationDelete", json!({ "id": id }), "deletedId").await.done();
}

#[tokio::test]
async fn goods_of_other_locations_are_neither_seen_nor_packed_nor_counted() {
    let scene = Scene::open().await;
    let adjust = |location: &str, delta: i32| {
        json!({ "idempotencyKey": new_key(), "variantId": scene.variant, "locationId": location, "delta": delta,
                "reason": "RECEIVED" })
    };
    scene.shop.set("inventoryAdjust", adjust(&scene.there, 7), "stockLevel { stocked }").await.done();
    let limited = scene.limited(OWNER, &[], &[&scene.there]).await;
    let query = "query($id: ID!) { locations { id }
        productVariant(by: { id: $id }) { stockLevels { locationId stocked } } }";
    let seen = limited.send(query, json!({ "id": scene.variant })).await;
    assert_eq!(ids(&seen.at("locations")), std::slice::from_ref(&scene.there));
    let own = json!([{ "locationId": scene.there, "stocked": 7 }]);
    assert_eq!(seen.at("productVariant.stockLevels"), own);

    let refused = admin(&limited, "inventoryAdjust", adjust(&scene.here, 1), "stockLevel { stocked }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND locationId"]);
    let mut anywhere = adjust(&scene.there, 1);
    anywhere.as_object_mut().unwrap().remove("locationId");
    let done = admin(&limited, "inventoryAdjust", anywhere, "stockLevel { locationId stocked }").await.done();
    let level = json!({ "locationId": scene.there, "stocked": 8 });
    assert_eq!(done["stockLevel"], level, "the first location in reach");

    others_stock(&scene, &limited).await;

    let pack = |location: Option<&String>| json!({ "idempotencyKey": new_key(), "orderId": scene.in_a.id, "locationId": location });
    let refused = admin(&limited, "fulfillmentCreate", pack(None), "fulfillment { id }").await;
    assert_eq!(faults(&refused), ["OUT_OF_SCOPE"], "the goods are promised elsewhere");
    let refused = admin(&limited, "fulfillmentCreate", pack(Some(&scene.here)), "fulfillment { id }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND locationId"]);

    let packed = scene.shop.set("fulfillmentCreate", pack(None), "fulfillment { id }").await.done();
    let fulfillment = &packed["fulfillment"]["id"];
    let shown = "query($id: ID!) { order(id: $id) { fulfillments { id } } }";
    let all = scene.shop.admin.send(shown, json!({ "id": scene.in_a.id })).await;
    assert_eq!(all.at("order.fulfillments.0.id"), *fulfillment);
    let none = limited.send(shown, json!({ "id": scene.in_a.id })).await;
    assert_eq!(none.at("order.fulfillments"), json!([]));
    for mutation in ["fulfillmentShip", "fulfillmentDeliver"] {
        let refused = admin(&limited, mutation, json!({ "id": fulfillment }), "order { id }").await;
        assert_eq!(faults(&refused), ["NOT_FOUND id"], "{mutation}");
    }
    let unpack = json!({ "idempotencyKey": new_key(), "id": fulfillment });
    assert_eq!(faults(&admin(&limited, "fulfillmentCancel", unpack, "order { id }").await), ["NOT_FOUND id"]);
    let cancel = json!({ "idempotencyKey": new_key(), "orderId": scene.in_a.id });
    assert_eq!(faults(&admin(&limited, "orderCancel", cancel, "order { id }").await), ["OUT_OF_SCOPE"]);

    let rename = json!({ "handle": "default", "name": "Mine" });
    assert_eq!(admin(&limited, "locationSet", rename, "location { id }").await.error_code(), "FORBIDDEN");
    let new = json!({ "name": "Third" });
    assert_eq!(admin(&limited, "locationSet", new, "location { id }").await.error_code(), "FORBIDDEN");
    let own = json!({ "handle": "depot", "name": "Yard", "priority": 5 });
    assert_eq!(admin(&limited, "locationSet", own, "location { name }").await.done()["location"]["name"], "Yard");
}

#[tokio::test]
async fn a_new_variant_s_stock_lies_where_its_maker_reaches() {
    let scene = Scene::open().await;
    let limited = scene.limited(OWNER, &[], &[&scene.there]).await;
    let lamp = json!({ "title": "Torch", "variants": [{ "stock": 3 }] });
    let selection = "product { variants { stockLevels { locationId stocked } } }";
    let made = admin(&limited, "productCreate", lamp, selection).await.done();
    let level = json!([{ "locationId": scene.there, "stocked": 3 }]);
    assert_eq!(made["product"]["variants"][0]["stockLevels"], level);
}

#[tokio::test]
async fn a_channel_out_of_reach_is_neither_seen_nor_changed() {
    let scene = Scene::open().await;
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let query = "query($id: ID!) { channels { id } channel(id: $id) { id } }";
    let seen = limited.send(query, json!({ "id": scene.a })).await;
    assert_eq!((ids(&seen.at("channels")), seen.at("channel")), (vec![scene.b.clone()], json!(null)));
    let rename = |id: &str| json!({ "id": id, "name": "Mine" });
    let refused = admin(&limited, "channelUpdate", rename(&scene.a), "channel { id }").await;
    assert_eq!(refused.refusals(), ["NOT_FOUND"]);
    admin(&limited, "channelUpdate", rename(&scene.b), "channel { id }").await.done();
    let key = json!({ "title": "Key", "channelId": scene.a });
    let refused = admin(&limited, "publishableKeyCreate", key, "publishableKey { id }").await;
    assert_eq!(faults(&refused), ["NOT_FOUND channelId"]);
}

#[tokio::test]
async fn products_are_put_on_sale_and_taken_off_in_reach_alone() {
    let scene = Scene::open().await;
    let product = scene.product().await;
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let sale = "product { status publications { channel { id } } }";
    let channels = |list: &Value| -> Vec<String> {
        let rows = list.as_array().unwrap().iter();
        rows.map(|row| row["channel"]["id"].as_str().unwrap().to_owned()).collect()
    };
    let everywhere = "query($id: ID!) { product(by: { id: $id }) { status publications { channel { id } } } }";
    let all = || async { scene.shop.admin.send(everywhere, json!({ "id": product })).await.at("product") };
    let own = limited.send(everywhere, json!({ "id": product })).await;
    assert_eq!(channels(&own.at("product.publications")), std::slice::from_ref(&scene.b));

    let publish = |channels: &[&String]| json!({ "id": product, "channelIds": channels });
    let refused = admin(&limited, "productPublish", publish(&[&scene.b, &scene.a]), sale).await;
    assert_eq!(faults(&refused), ["NOT_FOUND channelIds.1"]);
    let refused = admin(&limited, "productUnpublish", publish(&[&scene.a]), sale).await;
    assert_eq!(faults(&refused), ["NOT_FOUND channelIds.0"]);
    admin(&limited, "productUnpublish", json!({ "id": product }), sale).await.done();
    assert_eq!(channels(&all().await["publications"]), std::slice::from_ref(&scene.a), "only out of the own channel");
    admin(&limited, "productPublish", publish(&[&scene.b]), sale).await.done();
    let mut both = vec![scene.a.clone(), scene.b.clone()];
    both.sort();
    assert_eq!(channels(&all().await["publications"]), both, "the other channel's row stays");

    for (mutation, input) in [
        ("productArchive", json!({ "id": product })),
        ("productDelete", json!({ "id": product })),
        ("productSet", json!({ "by": { "id": product }, "status": "DRAFT" })),
    ] {
        let refused = admin(&limited, mutation, input, "__typename").await;
        assert_eq!(faults(&refused), ["OUT_OF_SCOPE"], "{mutation}");
    }
    assert_eq!(all().await["status"], "PUBLISHED");
    let new = json!({ "title": "Torch", "status": "PUBLISHED", "variants": [{}] });
    let made = admin(&limited, "productCreate", new, sale).await.done();
    assert_eq!(channels(&made["product"]["publications"]), std::slice::from_ref(&scene.b), "where its maker reaches");
}

#[tokio::test]
async fn collections_are_shown_and_hidden_in_reach_alone() {
    let scene = Scene::open().await;
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let shown = "collection { id publications { channel { id } } }";
    let set = |channels: &[&String]| json!({ "handle": "lamps", "title": "Lamps", "channelIds": channels });
    let refused = admin(&limited, "collectionSet", set(&[&scene.a]), shown).await;
    assert_eq!(faults(&refused), ["NOT_FOUND channelIds.0"]);
    scene.shop.set("collectionSet", set(&[&scene.a]), shown).await.done();
    let own = admin(&limited, "collectionSet", set(&[&scene.b]), shown).await.done();
    assert_eq!(own["collection"]["publications"], json!([{ "channel": { "id": scene.b } }]));
    let query = "query($id: ID!) { collection(by: { id: $id }) { publications { channel { id } } } }";
    let all = scene.shop.admin.send(query, json!({ "id": own["collection"]["id"] })).await;
    assert_eq!(all.at("collection.publications").as_array().unwrap().len(), 2, "the other channel's row stays");
    let filtered = "query($id: ID!) { collections(filter: { channelId: $id }) { totalCount } }";
    let shown_in = async |client: &Client, channel: &str| {
        client.send(filtered, json!({ "id": channel })).await.at("collections.totalCount")
    };
    assert_eq!(shown_in(&scene.shop.admin, &scene.a).await, 1);
    assert_eq!(shown_in(&limited, &scene.b).await, 1);
    assert_eq!(shown_in(&limited, &scene.a).await, 0, "what is shown out of reach is not told");
    let gone = admin(&limited, "collectionDelete", json!({ "id": own["collection"]["id"] }), "__typename").await;
    assert_eq!(faults(&gone), ["OUT_OF_SCOPE"]);
}

#[tokio::test]
async fn nobody_grants_beyond_his_own_reach() {
    let scene = Scene::open().await;
    let shop = &scene.shop;
    let limited = scene.limited(OWNER, &[&scene.b], &[]).await;
    let colleague = shop.staff("viewer").await.send("{ me { id } }", json!({})).await.at("me.id");
    let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
    let (owner, viewer) = (&roles[0]["id"], &roles[1]["id"]);
    let wish = |role: &Value, channels: &[&String]| json!([{ "roleId": role, "channelIds": channels }]);
    let give = |roles: Value| json!({ "id": colleague, "roles": roles });
    let staff = "staff { roleAssignments { role { name } channelIds locationIds } }";

    let over_him = admin(&limited, "staffUpdate", give(wish(viewer, &[&scene.b])), staff).await;
    assert_eq!(faults(&over_him), ["GRANT_EXCEEDS_OWN roles"], "what he has reaches further");
    shop.set("staffUpdate", give(wish(viewer, &[&scene.b])), staff).await.done();
    for channels in [&[][..], &[&scene.a], &[&scene.a, &scene.b]] {
        let refused = admin(&limited, "staffUpdate", give(wish(owner, channels)), staff).await;
        assert_eq!(faults(&refused), ["GRANT_EXCEEDS_OWN roles"], "{channels:?}");
    }
    let done = admin(&limited, "staffUpdate", give(wish(owner, &[&scene.b])), staff).await.done();
    let held = json!([{ "role": { "name": "owner" }, "channelIds": [scene.b], "locationIds": [] }]);
    assert_eq!(done["staff"]["roleAssignments"], held);

    let key = json!({ "title": "Key", "role": "viewer" });
    assert_eq!(faults(&admin(&limited, "apiKeyCreate", key, "secret").await), ["GRANT_EXCEEDS_OWN role"]);
    let key = json!({ "title": "Key", "role": "viewer", "channelIds": [scene.b] });
    admin(&limited, "apiKeyCreate", key, "secret").await.done();
    let desk = |id: Option<&Value>| json!({ "id": id, "name": "Desk", "permissions": ["ORDERS_READ"] });
    let made = admin(&limited, "roleSet", desk(None), "role { id }").await.done();
    let again = admin(&limited, "roleSet", desk(Some(&made["role"]["id"])), "role { id }").await;
    assert_eq!(faults(&again), ["GRANT_EXCEEDS_OWN permissions"], "somebody may have it everywhere");
    let me = limited.send("{ me { id limits { permission channelIds locationIds } } }", json!({})).await;
    let first = json!({ "permission": "CATALOG_READ", "channelIds": [scene.b], "locationIds": null });
    assert_eq!(me.at("me.limits.0"), first);
    let up = json!({ "id": me.at("me.id"), "roleIds": [owner] });
    assert_eq!(faults(&admin(&limited, "staffUpdate", up, staff).await), ["GRANT_EXCEEDS_OWN roleIds"]);
}

#[tokio::test]
async fn an_owner_with_limits_is_not_the_owner_that_the_shop_keeps() {
    let scene = Scene::open().await;
    scene.limited(OWNER, &[&scene.b], &[]).await;
    let me = scene.shop.admin.send("{ me { id } roles { id } }", json!({})).await;
    let wish = json!([{ "roleId": me.at("roles.0.id"), "channelIds": [scene.b] }]);
    let limit = json!({ "id": me.at("me.id"), "roles": wish });
    assert_eq!(faults(&scene.shop.set("staffUpdate", limit, "staff { id }").await), ["IN_USE roles"]);
}

#[tokio::test]
async fn a_wrong_limit_names_its_place() {
    let scene = Scene::open().await;
    let me = scene.shop.admin.send("{ me { id } roles { id } }", json!({})).await;
    let viewer = me.at("roles.1.id");
    let (channel, location) = ("chan_00000000000000000000000000", "loc_00000000000000000000000000");
    let wishes = json!([
        { "roleId": viewer, "channelIds": [scene.b, channel], "locationIds": [location] },
        { "roleId": viewer },
    ]);
    let update = json!({ "id": me.at("me.id"), "roles": wishes });
    let refused = scene.shop.set("staffUpdate", update, "staff { id }").await;
    let expected = [
        "NOT_FOUND roles.0.channelIds.1",
        "NOT_FOUND roles.0.locationIds.0",
        "DUPLICATE roles.1.roleId",
        "IN_USE roles",
    ];
    assert_eq!(faults(&refused), expected);
    let wishes = json!([{ "roleId": "x", "channelIds": ["y"] }]);
    let update = json!({ "id": me.at("me.id"), "roles": wishes });
    let refused = scene.shop.set("staffUpdate", update, "staff { id }").await;
    assert_eq!(faults(&refused), ["INVALID roles.0.roleId", "INVALID roles.0.channelIds.0"]);
    let both = json!({ "id": me.at("me.id"), "roles": [], "roleIds": [viewer] });
    assert_eq!(faults(&scene.shop.set("staffUpdate", both, "staff { id }").await), ["INVALID roleIds"]);
    let key = json!({ "title": "Key", "role": "viewer", "channelIds": [channel] });
    assert_eq!(faults(&scene.shop.set("apiKeyCreate", key, "secret").await), ["NOT_FOUND channelIds.0"]);
}

/// The orders that a feed tells of from the beginning of the log, one for each event.
async fn fed(scene: &Scene, filter: Value, count: usize) -> Vec<String> {
    let url = format!("ws://{}/admin/graphql", scene.shop.address);
    let socket = Socket::open(&url, json!({ "Authorization": scene.shop.admin.credential() })).await.unwrap();
    let feed = "subscription($filter: AdminOrderFeedFilter) {
        orderEvents(filter: $filter, after: \"feed_0\") { order { id } } }";
    let mut live = socket.subscribe(feed, json!({ "filter": filter }));
    let mut orders = Vec::new();
    for _ in 0..count {
        orders.push(live.next(PATIENCE).await["order"]["id"].as_str().unwrap().to_owned());
    }
    assert!(live.try_next(Duration::from_millis(700)).await.is_none(), "{filter}");
    orders
}

#[tokio::test]
async fn a_feed_tells_of_the_channels_and_locations_that_are_asked_for() {
    let scene = Scene::open().await;
    // Each order has been placed and its payment authorized.
    fed(&scene, json!({}), 4).await;
    assert_eq!(fed(&scene, json!({ "channelIds": [scene.b] }), 2).await, [scene.in_b.id.as_str(); 2]);
    assert_eq!(fed(&scene, json!({ "channelIds": [scene.a], "kind": ["order.placed"] }), 1).await, [&*scene.in_a.id]);
    fed(&scene, json!({ "locationIds": [scene.here] }), 4).await;
    fed(&scene, json!({ "locationIds": [scene.there] }), 0).await;
    fed(&scene, json!({ "locationIds": [scene.here, scene.there], "channelIds": [scene.a, scene.b] }), 4).await;
    fed(&scene, json!({ "channelIds": [] }), 0).await;

    let url = format!("ws://{}/admin/graphql", scene.shop.address);
    let socket = Socket::open(&url, json!({ "Authorization": scene.shop.admin.credential() })).await.unwrap();
    let many: Vec<_> = (0..251).map(|_| scene.a.clone()).collect();
    for (filter, code) in [
        (json!({ "channelIds": [scene.here] }), "INVALID"),
        (json!({ "locationIds": ["nonsense"] }), "INVALID"),
        (json!({ "channelIds": many }), "TOO_MANY"),
    ] {
        let feed = "subscription($filter: AdminOrderFeedFilter) { orderEvents(filter: $filter) { cursor } }";
        assert_eq!(socket.subscribe(feed, json!({ "filter": filter })).error().await.0, code, "{filter}");
    }
}
