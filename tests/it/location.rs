//! Locations: taken away when nothing needs them any more.

use domain::auth::OWNER;
use engine::db::{StatementCount, statement};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::buying::faults;
use crate::support::invariants::invariants;
use crate::support::walker::new_key;
use crate::support::{Answer, Shop};

async fn refused(shop: &Shop, id: &Value) -> Vec<String> {
    let answer = shop.set("locationDelete", json!({ "id": id }), "deletedId").await;
    let told = answer.at("locationDelete.userErrors");
    let word = |one: &Value| one["message"].as_str().unwrap().split(':').next().unwrap().to_owned();
    assert!(
        told.as_array().unwrap().iter().all(|one| one["code"] == "IN_USE" && one["path"] == json!(["id"])),
        "{told}"
    );
    told.as_array().unwrap().iter().map(word).collect()
}

async fn location(shop: &Shop, name: &str, priority: i32) -> Value {
    let input = json!({ "name": name, "priority": priority });
    shop.set("locationSet", input, "location { id version }").await.done()["location"]["id"].clone()
}

async fn stock(shop: &Shop, variant: &str, location: &Value, delta: i32) {
    let input = json!({ "idempotencyKey": new_key(), "variantId": variant, "locationId": location, "delta": delta,
        "reason": "CORRECTION" });
    shop.set("inventoryAdjust", input, "__typename").await.done();
}

async fn handles(shop: &Shop) -> Vec<String> {
    let listed = shop.admin.send("{ locations { handle } }", json!({})).await.at("locations");
    listed.as_array().unwrap().iter().map(|one| one["handle"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_location_is_deleted_when_nothing_needs_it() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let home = shop.admin.send("{ locations { id } }", json!({})).await.at("locations.0.id");
    assert_eq!(refused(&shop, &home).await, ["It is the last location of the channel \"default\"."]);

    let depot = location(&shop, "Depot", -5).await;
    let tee = shop.product("Tee").price("20.00").create().await.variant;
    stock(&shop, &tee, &depot, 3).await;
    assert_eq!(refused(&shop, &depot).await.len(), 1, "something lies there");
    let placed = shop.checkout_all(&[(&tee, 3)], "manual", "1").await;
    let told = refused(&shop, &depot).await;
    assert_eq!(told[1], "1 promises are of what lies there", "{told:?}");
    let pack = json!({ "orderId": placed.id, "idempotencyKey": new_key() });
    let packed = shop.set("fulfillmentCreate", pack, "fulfillment { id }").await.done()["fulfillment"]["id"].clone();
    assert_eq!(refused(&shop, &depot).await, ["1 fulfillments that were packed there have not arrived."]);
    shop.set("fulfillmentShip", json!({ "id": packed }), "fulfillment { id }").await.done();
    assert_eq!(refused(&shop, &depot).await.len(), 1, "it is on its way");
    shop.set("fulfillmentDeliver", json!({ "id": packed }), "fulfillment { id }").await.done();

    // The channel that has no other keeps it, and so does what is picked up there.
    let serve = async |sql: &str| {
        let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
        conn.execute_raw(statement(&conn, sql, [])).await.unwrap();
        conn.commit().await.unwrap();
        shop.set(
            "channelUpdate",
            json!({ "id": shop.app.settings().channels[0].id.to_string(), "name": "Shop" }),
            "__typename",
        )
        .await
        .done();
    };
    serve(
        "insert into channel_location (channel_id, location_id) select channel.id, location.id from channel, location
        where location.handle = 'depot'",
    )
    .await;
    assert_eq!(refused(&shop, &depot).await, ["It is the last location of the channel \"default\"."]);
    serve("delete from channel_location").await;

    let stale = shop.set("locationDelete", json!({ "id": depot, "expectedVersion": 7 }), "deletedId").await;
    assert_eq!(faults(&stale), ["CONFLICT expectedVersion"]);
    let limited = shop.staff(OWNER).await;
    let me = limited.send("{ me { id } }", json!({})).await.at("me.id");
    let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
    let role = roles.as_array().unwrap().iter().find(|known| known["name"] == OWNER).unwrap();
    let wish = json!({ "roleId": role["id"], "channelIds": [], "locationIds": [home] });
    shop.set("staffUpdate", json!({ "id": me, "roles": [wish] }), "staff { id }").await.done();
    let query = "mutation($id: ID!) { locationDelete(input: { id: $id }) { deletedId userErrors { code path } } }";
    let elsewhere = limited.send(query, json!({ "id": depot })).await.at("locationDelete");
    assert_eq!(elsewhere, json!({ "deletedId": null, "userErrors": [{ "code": "NOT_FOUND", "path": ["id"] }] }));

    let gone = shop.set("locationDelete", json!({ "id": depot, "expectedVersion": 1 }), "deletedId").await;
    assert_eq!(gone.done()["deletedId"], depot);
    assert_eq!(handles(&shop).await, ["default"]);
    let again = shop.set("locationDelete", json!({ "id": depot }), "deletedId").await;
    assert_eq!(faults(&again), ["NOT_FOUND id"]);
    let input = json!({ "idempotencyKey": new_key(), "variantId": tee, "locationId": depot, "delta": 1, "reason": "CORRECTION" });
    assert_eq!(faults(&shop.set("inventoryAdjust", input, "__typename").await), ["NOT_FOUND locationId"]);
    let movements = shop.admin.send("{ stockMovements { nodes { locationId } } }", json!({})).await;
    assert_eq!(movements.at("stockMovements.nodes.0.locationId"), depot, "its history stays");
    location(&shop, "Depot", 5).await;
    assert_eq!(handles(&shop).await, ["default", "depot"], "its handle was free");
    invariants(&shop).await;
}

#[tokio::test]
async fn a_location_that_is_deleted_and_stocked_at_once_is_one_of_both() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.product("Tee").price("20.00").create().await.variant;
    for round in 0..10 {
        let depot = location(&shop, &format!("Depot {round}"), 5).await;
        let input = json!({ "idempotencyKey": new_key(), "variantId": tee, "locationId": depot, "delta": 2,
            "reason": "CORRECTION" });
        let (deleted, stocked) = tokio::join!(
            shop.set("locationDelete", json!({ "id": depot }), "deletedId"),
            shop.set("inventoryAdjust", input, "__typename"),
        );
        let (deleted, stocked) = (deleted.refusals(), stocked.refusals());
        let one = match (deleted.is_empty(), stocked.is_empty()) {
            (true, false) => stocked == ["NOT_FOUND"],
            (false, true) => deleted == ["IN_USE"],
            _ => false,
        };
        assert!(one, "deleted {deleted:?}, stocked {stocked:?}");
    }
    invariants(&shop).await;
}

/// Whether the location is gone, or was needed by what happened at the same moment.
fn is_gone(deleted: &Answer) -> bool {
    let refused = deleted.refusals();
    assert!(refused.is_empty() || refused == ["IN_USE"], "{refused:?}");
    refused.is_empty()
}

#[tokio::test]
async fn nothing_is_promised_packed_or_made_at_a_location_that_is_deleted_at_once() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let home = shop.admin.send("{ locations { id } }", json!({})).await.at("locations.0.id");
    let tee = shop.product("Tee").price("20.00").create().await.variant;
    let deed = shop.product("Deed").price("20.00").digital().create().await.variant;
    stock(&shop, &tee, &home, 1).await;
    stock(&shop, &tee, &home, -1).await;
    let rows = [json!({ "id": tee, "backorder": "ALLOW" }), json!({ "id": deed, "requiresShipping": true })];
    let rows = rows.map(|variant| json!({ "variant": variant }));
    let allow = json!({ "rows": rows, "onError": "ABORT" });
    let set = shop.set("productVariantsBulkSet", allow, "results { outcome }").await.done();
    assert_eq!(set["results"], json!([{ "outcome": "UPDATED" }, { "outcome": "UPDATED" }]));
    let delete = async |id: &Value| is_gone(&shop.set("locationDelete", json!({ "id": id }), "deletedId").await);
    let mut gone = [0; 3];
    for round in 0..12 {
        // What is sold before it is there is promised at the first location.
        let depot = location(&shop, &format!("Depot {round}"), -5).await;
        stock(&shop, &tee, &depot, 1).await;
        stock(&shop, &tee, &depot, -1).await;
        let (cart, key) = (shop.ready_cart(&[(&tee, 1)], "manual").await, new_key());
        let (deleted, bought) = tokio::join!(delete(&depot), cart.complete(&key));
        bought.done();
        gone[0] += usize::from(deleted);
        if !deleted {
            shop.set(
                "orderCancel",
                json!({ "idempotencyKey": new_key(), "orderId": bought.at("cartComplete.order.id") }),
                "order { id }",
            )
            .await
            .done();
            assert!(delete(&depot).await);
        }

        // What is not counted is packed where staff say.
        let desk = location(&shop, &format!("Desk {round}"), 5).await;
        let placed = shop.checkout_all(&[(&deed, 1)], "manual", &new_key()).await;
        let pack = json!({ "orderId": placed.id, "locationId": desk, "idempotencyKey": new_key() });
        let (deleted, packed) = tokio::join!(delete(&desk), shop.set("fulfillmentCreate", pack, "fulfillment { id }"));
        assert_eq!(packed.refusals().is_empty(), !deleted, "{}", packed.body);
        gone[1] += usize::from(deleted);

        // What is new lies at the first location.
        let shelf = location(&shop, &format!("Shelf {round}"), -9).await;
        let hat = format!("Hat {round}");
        let (deleted, _) = tokio::join!(delete(&shelf), shop.product(&hat).price("9.00").stock(3).create());
        gone[2] += usize::from(deleted);
    }
    println!("the location went first {gone:?} of 12 times");
    invariants(&shop).await;
}
