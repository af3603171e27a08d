//! What is on offer for a product, as shoppers read it beside the product.

use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::euro;
use crate::support::client::Client;
use crate::support::promoting::{off_items, off_shipping, percent_off};

fn tenth() -> Value {
    json!({ "percentage": { "percent": "10" } })
}

async fn named(client: &Client, product: &str) -> Vec<String> {
    let query = "query($id: ID!) { product(by: { id: $id }) { promotions { title class } } }";
    let told = client.send(query, json!({ "id": product })).await.at("product.promotions");
    told.as_array().unwrap().iter().map(|one| one["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_product_tells_which_promotions_may_lower_its_price() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.product("Tee").price("20.00").stock(5).create().await;
    let mug = shop.product("Mug").price("8.50").stock(5).with("tags", json!(["gift"])).create().await;
    let collected = json!({ "title": "Gifts", "rule": { "conditions": [{ "tag": ["gift"] }] } });
    let gifts = shop.set("collectionSet", collected, "collection { id }").await.done();
    let gifts = gifts["collection"]["id"].clone();
    let kept = json!({ "by": { "handle": "bond" }, "title": "Bond", "status": "PUBLISHED", "discountable": false,
        "variants": [{ "sku": "BOND", "prices": [{ "amount": euro("5.00") }] }] });
    let bond = shop.set("productSet", kept, "product { id }").await.done()["product"]["id"].clone();

    let automatic =
        async |title: &str, offer: Value, more: Value| shop.promotion(title, "AUTOMATIC", offer, more).await;
    let of = |test: Value| json!({ "is": test });
    automatic("Collected", off_items(of(json!({ "collection": [gifts] })), tenth()), json!({})).await;
    automatic("Variant", off_items(of(json!({ "variant": [tee.variant] })), tenth()), json!({ "priority": 3 })).await;
    let cheap = of(json!({ "unitPrice": [{ "lte": euro("10.00") }] }));
    automatic("Cheap", off_items(cheap, tenth()), json!({})).await;
    let spend = of(json!({ "spend": { "ranges": [{ "gte": euro("500.00") }] } }));
    let whole = automatic("Whole", percent_off("10"), json!({ "conditions": spend, "priority": 9 })).await;
    automatic("Members", percent_off("5"), json!({ "conditions": of(json!({ "signedIn": true })) })).await;
    automatic("First", percent_off("5"), json!({ "conditions": of(json!({ "firstOrder": true })) })).await;
    automatic("Sent", off_shipping(json!({ "free": true })), json!({})).await;
    shop.promotion("By code", "CODE", percent_off("50"), json!({})).await;

    assert_eq!(named(&shop.store, &tee.product).await, ["Whole", "Variant", "First"]);
    assert_eq!(named(&shop.store, &mug.product).await, ["Whole", "Collected", "Cheap", "First"]);
    assert_eq!(named(&shop.store, bond.as_str().unwrap()).await, [""; 0], "nothing may lower it");
    shop.set("promotionPause", json!({ "id": whole }), "promotion { id }").await.done();
    assert_eq!(named(&shop.store, &tee.product).await, ["Variant", "First"]);
}

/// What a customer is told is his: a guest who asks the same right before and right after is not told it.
#[tokio::test]
async fn what_is_for_a_group_is_told_to_its_members_alone() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.product("Tee").price("20.00").stock(5).create().await;
    let group = shop.set("customerGroupSet", json!({ "name": "Wholesale" }), "group { id }").await.done();
    let group = group["group"]["id"].clone();
    let rule = json!({ "is": { "buyer": { "attribute": "customerGroup", "operator": "EQ", "values": [group] } } });
    shop.promotion("For the trade", "AUTOMATIC", percent_off("30"), json!({ "conditions": rule })).await;
    let first = json!({ "is": { "firstOrder": true } });
    shop.promotion("Welcome", "AUTOMATIC", percent_off("5"), json!({ "conditions": first })).await;
    let (ada, bob) = (shop.customer("ada@example.com").await, shop.customer("bob@example.com").await);
    let add = json!({ "id": group, "customerIds": [ada.id.to_string()] });
    shop.set("customerGroupMembersAdd", add, "group { id }").await.done();
    for _ in 0..2 {
        assert_eq!(named(&shop.store, &tee.product).await, ["Welcome"]);
        assert_eq!(named(&ada.client, &tee.product).await, ["For the trade", "Welcome"]);
        assert_eq!(named(&bob.client, &tee.product).await, ["Welcome"]);
    }
    let input = json!({ "lines": [{ "variantId": tee.variant }], "buyer": { "email": "bob@example.com" },
        "addresses": { "shipping": crate::support::buying::address("DE") } });
    let mut cart = shop.cart_of_client(&bob.client, input).await;
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    cart.complete("1").await.done();
    assert_eq!(named(&bob.client, &tee.product).await, [""; 0], "it was his first one");
    assert_eq!(named(&shop.store, &tee.product).await, ["Welcome"]);
}

/// The id of the one tag.
async fn tag(shop: &Shop) -> String {
    let rows = entity::tag::Entity::find().all(&shop.app.read()).await.unwrap();
    rows[0].id.to_string()
}

/// On several threads, as a server is: what is asked for while the fields are looked at is read at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_listing_with_promotions_takes_8_statements() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    for number in 0..20 {
        let variant = |size: &str| {
            json!({ "sku": format!("{number}-{size}"), "stock": 5, "options": [{ "name": "Size", "value": size }],
                "prices": [{ "amount": euro("10.00") }] })
        };
        let input = json!({ "by": { "handle": format!("thing-{number}") }, "title": "Thing", "status": "PUBLISHED",
            "tags": ["thing"], "options": [{ "name": "Size", "values": ["S", "M"] }],
            "variants": [variant("S"), variant("M")] });
        shop.set("productSet", input, "product { id }").await.done();
    }
    let items = |items: Value| off_items(json!({ "is": items }), tenth());
    shop.promotion("Whole", "AUTOMATIC", percent_off("10"), json!({})).await;
    shop.promotion("Tagged", "AUTOMATIC", items(json!({ "tag": [tag(&shop).await] })), json!({})).await;
    let tags = shop.admin.send("{ products(first: 1) { nodes { id } } }", json!({})).await;
    let one = tags.at("products.nodes.0.id");
    shop.promotion("One", "AUTOMATIC", items(json!({ "product": [one] })), json!({})).await;
    let listing = |first: i32, promotions: &str| {
        format!(
            "{{ products(first: {first}) {{ nodes {{ title media {{ url }} tags collections {{ title }} {promotions}
                options {{ name values }} variants {{ sku availability selectedOptions {{ name value }}
                    price {{ amount {{ amount }} }} }} }} }} }}"
        )
    };
    let bare = shop.store.send(&listing(20, ""), json!({})).await;
    assert!(bare.statements <= 8, "who does not ask for promotions pays nothing: {}", bare.statements);
    let told = shop.store.send(&listing(20, "promotions { title }"), json!({})).await;
    assert_eq!(told.statements, bare.statements, "what they ask for is read already");
    let counts: Vec<usize> =
        (0..20).map(|place| told.at(&format!("products.nodes.{place}.promotions")).as_array().unwrap().len()).collect();
    assert_eq!((counts.iter().filter(|count| **count == 3).count(), counts.iter().sum::<usize>()), (1, 41));

    // What is not read for a listing, or not at the same moment, costs a statement for each kind, however long the page.
    shop.promotion("Cheap", "AUTOMATIC", items(json!({ "unitPrice": [{ "lte": euro("10.00") }] })), json!({})).await;
    let collected = json!({ "title": "Things", "rule": { "conditions": [{ "tag": ["thing"] }] } });
    let collection = shop.set("collectionSet", collected, "collection { id }").await.done();
    let things = items(json!({ "collection": [collection["collection"]["id"]] }));
    shop.promotion("Things", "AUTOMATIC", things, json!({})).await;
    let (short, long) = (listing(2, "promotions { title }"), listing(19, "promotions { title }"));
    let (short, long) = (shop.store.send(&short, json!({})).await, shop.store.send(&long, json!({})).await);
    for page in [&short, &long] {
        assert!(page.statements <= bare.statements + 2, "{}", page.statements);
        assert_eq!(page.at("products.nodes.0.promotions").as_array().unwrap().len() / 4, 1);
    }
}
