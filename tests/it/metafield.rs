//! Metafields: defined, written, read, filtered by, and kept from those who may not see them.

use serde_json::{Value, json};

use crate::support::buying::faults;
use crate::support::{Answer, Shop};

async fn define(shop: &Shop, key: &str, kind: &str, more: Value) -> Answer {
    let mut input = json!({ "ownerType": "PRODUCT", "namespace": "spec", "key": key, "name": key, "type": kind });
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let select =
        "metafieldDefinition { id version type validations { min max maxLength choices } storeAccess filterable }";
    shop.set("metafieldDefinitionSet", input, select).await
}

fn open() -> Value {
    json!({ "storeAccess": "READ", "filterable": true })
}

fn entry(owner: &str, key: &str, value: Value) -> Value {
    json!({ "ownerId": owner, "namespace": "spec", "key": key, "value": value })
}

async fn write(shop: &Shop, entries: Value) -> Answer {
    shop.set("metafieldsSet", json!({ "metafields": entries }), "metafields { key value }").await
}

const READ: &str = "query($id: ID!) { product(by: { id: $id }) {
    metafields { key type value jsonValue } metafield(namespace: \"spec\", key: \"note\") { value } } }";

#[tokio::test]
async fn every_type_is_kept_in_its_one_form_and_read_as_text_and_as_json() {
    let shop = Shop::open().await;
    let mug = shop.product("Mug").create().await;
    let media = json!({ "title": "Cup", "status": "PUBLISHED", "media": [{ "url": "/a.jpg" }] });
    let cup = shop.set("productCreate", media, "product { id media { id } }").await.done()["product"].clone();
    let file = cup["media"][0]["id"].clone();
    let money = json!({ "amount": "5.00", "currencyCode": "EUR" });
    let cases = [
        ("SINGLE_LINE_TEXT", json!(" Wash cold "), json!("Wash cold"), json!("Wash cold")),
        ("MULTI_LINE_TEXT", json!("a\r\nb"), json!("a\nb"), json!("a\nb")),
        ("INTEGER", json!("007"), json!("7"), json!(7)),
        ("DECIMAL", json!("1.50"), json!("1.5"), json!("1.5")),
        ("BOOLEAN", json!("true"), json!("true"), json!(true)),
        ("DATE", json!("2024-02-29"), json!("2024-02-29"), json!("2024-02-29")),
        ("DATE_TIME", json!("2026-01-01T01:00:00+01:00"), json!("2026-01-01T00:00:00Z"), json!("2026-01-01T00:00:00Z")),
        ("URL", json!("https://example.com/a"), json!("https://example.com/a"), json!("https://example.com/a")),
        ("COLOR", json!("#1E90FF"), json!("#1e90ff"), json!("#1e90ff")),
        ("JSON", json!("{ \"a\": [1] }"), json!("{\"a\":[1]}"), json!({ "a": [1] })),
        ("MONEY", json!("{\"amount\":\"5\",\"currencyCode\":\"EUR\"}"), json!(money.to_string()), money),
        ("PRODUCT_REFERENCE", cup["id"].clone(), cup["id"].clone(), cup["id"].clone()),
        ("VARIANT_REFERENCE", json!(mug.variant), json!(mug.variant), json!(mug.variant)),
        ("FILE_REFERENCE", file.clone(), file.clone(), file),
        ("LIST_INTEGER", json!("[3, 1]"), json!("[3,1]"), json!([3, 1])),
        ("LIST_DECIMAL", json!("[\"1.50\"]"), json!("[\"1.5\"]"), json!(["1.5"])),
        ("LIST_SINGLE_LINE_TEXT", json!("[\"b\", \"a\"]"), json!("[\"b\",\"a\"]"), json!(["b", "a"])),
    ];
    let mut entries = Vec::new();
    for (kind, given, _, _) in &cases {
        define(&shop, &kind.to_lowercase(), kind, json!({ "storeAccess": "READ" })).await.done();
        entries.push(entry(&mug.product, &kind.to_lowercase(), given.clone()));
    }
    let written = write(&shop, json!(entries)).await.done();
    assert_eq!(written["metafields"].as_array().unwrap().len(), cases.len());
    let answer = shop.store.send(READ, json!({ "id": mug.product })).await;
    let seen = answer.at("product.metafields");
    for (kind, _, text, read) in &cases {
        let found = seen.as_array().unwrap().iter().find(|field| field["type"] == *kind).unwrap();
        assert_eq!((&found["value"], &found["jsonValue"]), (text, read), "{kind}");
    }
    assert_eq!(answer.statements, 2, "the product, and every metafield together");
}

#[tokio::test]
async fn bad_values_are_all_named_by_their_place_and_nothing_is_written() {
    let shop = Shop::open().await;
    let mug = shop.product("Mug").create().await;
    let bounds = json!({ "validations": { "min": "1", "max": "9" } });
    define(&shop, "stars", "INTEGER", bounds).await.done();
    define(&shop, "size", "SINGLE_LINE_TEXT", json!({ "validations": { "choices": ["S", "M"], "maxLength": 5 } }))
        .await
        .done();
    define(&shop, "like", "PRODUCT_REFERENCE", json!({})).await.done();
    let nobody = "prod_01h2xcejqtf2nbrexx3vqjhp41";
    let entries = json!([
        entry(&mug.product, "stars", json!("10")),
        entry(&mug.product, "size", json!("L")),
        entry(&mug.product, "like", json!(nobody)),
        entry(&mug.product, "unknown", json!("1")),
        entry(nobody, "stars", json!("5")),
        entry("region_x", "stars", json!("5")),
        entry(&mug.variant, "stars", json!("5")),
        entry(&mug.product, "stars", json!("5")),
        entry(&mug.product, "size", json!("M")),
    ]);
    let mut found = faults(&write(&shop, entries).await);
    found.sort();
    let expected = [
        "DUPLICATE metafields.7.key",
        "DUPLICATE metafields.8.key",
        "INVALID metafields.0.value",
        "INVALID metafields.1.value",
        "INVALID metafields.5.ownerId",
        "NOT_FOUND metafields.2.value",
        "NOT_FOUND metafields.3.key",
        "NOT_FOUND metafields.4.ownerId",
        "NOT_FOUND metafields.6.key",
    ];
    assert_eq!(found, expected);
    let answer = shop.admin.send(READ, json!({ "id": mug.product })).await;
    assert_eq!(answer.at("product.metafields"), json!([]));
    let many = vec![entry(&mug.product, "stars", json!("5")); 251];
    assert_eq!(faults(&write(&shop, json!(many)).await), ["TOO_MANY metafields"]);
}

#[tokio::test]
async fn a_definition_keeps_its_type_and_stays_while_there_are_values() {
    let shop = Shop::open().await;
    let mug = shop.product("Mug").create().await;
    let made = define(&shop, "stars", "INTEGER", json!({ "validations": { "min": "01" } })).await.done();
    assert_eq!(made["metafieldDefinition"]["validations"]["min"], "1");
    define(&shop, "stars", "DECIMAL", json!({})).await.done();
    define(&shop, "stars", "INTEGER", json!({})).await.done();
    write(&shop, json!([entry(&mug.product, "stars", json!("5"))])).await.done();
    assert_eq!(faults(&define(&shop, "stars", "DECIMAL", json!({})).await), ["IN_USE type"]);
    let stale = define(&shop, "stars", "INTEGER", json!({ "expectedVersion": 1 })).await;
    assert_eq!(faults(&stale), ["CONFLICT expectedVersion"]);
    assert_eq!(stale.at("metafieldDefinitionSet.userErrors.0.currentVersion"), 3);
    let wrong = json!({ "key": "No", "filterable": true, "validations": { "min": "1" } });
    let refused = faults(&define(&shop, "x", "JSON", wrong).await);
    assert_eq!(refused, ["INVALID key", "INVALID validations.min", "INVALID filterable"]);

    let id = made["metafieldDefinition"]["id"].clone();
    let kept = shop.set("metafieldDefinitionDelete", json!({ "id": id }), "deletedId").await;
    assert_eq!(faults(&kept), ["IN_USE deleteValues"]);
    let gone = json!({ "id": id, "deleteValues": true });
    assert_eq!(shop.set("metafieldDefinitionDelete", gone.clone(), "deletedId").await.done()["deletedId"], id);
    let again = shop.set("metafieldDefinitionDelete", gone, "deletedId").await;
    assert_eq!(faults(&again), ["NOT_FOUND id"]);
    let listed = shop.admin.send("{ metafieldDefinitions(ownerType: PRODUCT) { key } }", json!({})).await;
    assert_eq!(listed.at("metafieldDefinitions"), json!([]));
    let answer = shop.admin.send(READ, json!({ "id": mug.product })).await;
    assert_eq!(answer.at("product.metafields"), json!([]));
}

#[tokio::test]
async fn null_and_delete_take_values_out_and_a_second_value_replaces_the_first() {
    let shop = Shop::open().await;
    let mug = shop.product("Mug").create().await;
    define(&shop, "note", "SINGLE_LINE_TEXT", open()).await.done();
    let read = async || shop.store.send(READ, json!({ "id": mug.product })).await.at("product.metafield");
    for text in ["a", "b"] {
        write(&shop, json!([entry(&mug.product, "note", json!(text))])).await.done();
        assert_eq!(read().await, json!({ "value": text }));
    }
    assert_eq!(listed(&shop, json!([{ "namespace": "spec", "key": "note", "eq": "a" }])).await, [""; 0]);
    write(&shop, json!([entry(&mug.product, "note", json!(null))])).await.done();
    assert_eq!(read().await, json!(null));
    write(&shop, json!([entry(&mug.product, "note", json!("c"))])).await.done();
    let name = json!({ "metafields": [{ "ownerId": mug.product, "namespace": "spec", "key": "note" }] });
    assert_eq!(shop.set("metafieldsDelete", name, "deletedCount").await.done()["deletedCount"], 1);
    assert_eq!(read().await, json!(null));
}

#[tokio::test]
async fn what_shoppers_may_not_read_is_for_them_as_if_it_were_not_there() {
    let shop = Shop::open().await;
    let mug = shop.product("Mug").create().await;
    define(&shop, "note", "SINGLE_LINE_TEXT", json!({ "filterable": true })).await.done();
    write(&shop, json!([entry(&mug.product, "note", json!("secret"))])).await.done();
    let query = "query($id: ID!, $key: String!) { product(by: { id: $id }) {
        metafield(namespace: \"spec\", key: $key) { value } metafields(keys: [\"spec.note\"]) { value } } }";
    let hidden = shop.store.send(query, json!({ "id": mug.product, "key": "note" })).await;
    let unknown = shop.store.send(query, json!({ "id": mug.product, "key": "nothing" })).await;
    assert_eq!(hidden.at("product"), json!({ "metafield": null, "metafields": [] }));
    assert_eq!((hidden.body, hidden.statements), (unknown.body, unknown.statements));
    let staff = shop.admin.send(query, json!({ "id": mug.product, "key": "note" })).await;
    assert_eq!(staff.at("product.metafield.value"), "secret");

    let list = "query($key: String!) { products(filter: {
        metafields: [{ namespace: \"spec\", key: $key, eq: \"secret\" }] }) { nodes { handle } } }";
    let hidden = shop.store.send(list, json!({ "key": "note" })).await;
    let unknown = shop.store.send(list, json!({ "key": "nothing" })).await;
    assert_eq!((hidden.error_code(), unknown.error_code()), ("INVALID".to_owned(), "INVALID".to_owned()));
    assert_eq!(hidden.error().replace("note", "nothing"), unknown.error());
    let staff =
        "{ products(filter: { product: { metafields: [{ namespace: \"spec\", key: \"note\", eq: \"secret\" }] } }) {
        nodes { handle } } }";
    assert_eq!(shop.admin.send(staff, json!({})).await.at("products.nodes.0.handle"), "mug");

    define(&shop, "note", "SINGLE_LINE_TEXT", json!({ "storeAccess": "READ" })).await.done();
    let readable = shop.store.send(query, json!({ "id": mug.product, "key": "note" })).await;
    assert_eq!(readable.at("product.metafield.value"), "secret");
    let unfilterable = shop.store.send(list, json!({ "key": "note" })).await;
    assert_eq!(unfilterable.error_code(), "INVALID");
}

/// The handles of the products that shoppers are shown under a filter, by title.
async fn listed(shop: &Shop, metafields: Value) -> Vec<String> {
    let query = "query($filter: ProductFilter) { products(filter: $filter, sort: [{ field: TITLE }]) {
        nodes { handle } } }";
    let answer = shop.store.send(query, json!({ "filter": { "metafields": metafields } })).await;
    assert_eq!(answer.statements, 1, "the list is one statement");
    let nodes = answer.at("products.nodes");
    nodes.as_array().unwrap().iter().map(|node| node["handle"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn products_are_found_by_their_metafields() {
    let shop = Shop::open().await;
    let mut goods = Vec::new();
    for title in ["A", "B", "C"] {
        goods.push(shop.product(title).create().await.product);
    }
    for (key, kind) in [
        ("note", "SINGLE_LINE_TEXT"),
        ("stars", "INTEGER"),
        ("score", "DECIMAL"),
        ("day", "DATE"),
        ("fee", "MONEY"),
        ("load", "WEIGHT"),
        ("tags", "LIST_SINGLE_LINE_TEXT"),
        ("new", "BOOLEAN"),
    ] {
        define(&shop, key, kind, open()).await.done();
    }
    let fee = |amount: &str, code: &str| json!(json!({ "amount": amount, "currencyCode": code }).to_string());
    let load = |value: &str, unit: &str| json!(json!({ "value": value, "unit": unit }).to_string());
    let rows = [
        ("note", json!("x"), json!("Y")),
        ("stars", json!("-2"), json!("10")),
        ("score", json!("9.5"), json!("10.25")),
        ("day", json!("1969-12-31"), json!("2026-01-01")),
        ("fee", fee("5.00", "EUR"), fee("7", "JPY")),
        ("load", load("999", "GRAMS"), load("1", "KILOGRAMS")),
        ("tags", json!("[\"red\",\"blue\"]"), json!("[\"green\"]")),
        ("new", json!("true"), json!("false")),
    ];
    let both =
        |(key, a, b): &(&str, Value, Value)| [entry(&goods[0], key, a.clone()), entry(&goods[1], key, b.clone())];
    let entries: Vec<Value> = rows.iter().flat_map(both).collect();
    write(&shop, json!(entries)).await.done();
    let asked = |key: &str, test: &str, value: Value| json!([{ "namespace": "spec", "key": key, test: value }]);
    let cases = [
        (asked("note", "eq", json!("x")), vec!["a"]),
        (asked("note", "eq", json!("y")), vec![]),
        (asked("note", "in", json!(["x", "Y"])), vec!["a", "b"]),
        (asked("note", "in", json!([])), vec![]),
        (asked("note", "exists", json!(true)), vec!["a", "b"]),
        (asked("note", "exists", json!(false)), vec!["c"]),
        (asked("stars", "gt", json!("-2")), vec!["b"]),
        (asked("stars", "gte", json!("-2")), vec!["a", "b"]),
        (asked("stars", "lt", json!("9")), vec!["a"]),
        (asked("score", "lte", json!("9.50")), vec!["a"]),
        (asked("score", "gt", json!("9.5")), vec!["b"]),
        (asked("day", "lt", json!("1970-01-01")), vec!["a"]),
        (asked("fee", "gte", fee("5", "EUR")), vec!["a"]),
        (asked("fee", "eq", fee("7", "JPY")), vec!["b"]),
        (asked("load", "gte", load("1000", "GRAMS")), vec!["b"]),
        (asked("tags", "eq", json!("blue")), vec!["a"]),
        (asked("tags", "in", json!(["blue", "green"])), vec!["a", "b"]),
        (asked("new", "eq", json!("false")), vec!["b"]),
        (
            json!([
                { "namespace": "spec", "key": "stars", "gte": "-5", "lte": "5" },
                { "namespace": "spec", "key": "new", "eq": "true" },
            ]),
            vec!["a"],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(listed(&shop, filter.clone()).await, expected, "{filter}");
    }
    let query = "query($filter: ProductFilter) { products(filter: $filter) { nodes { handle } } }";
    for filter in [asked("note", "gt", json!("a")), asked("stars", "eq", json!("x"))] {
        let refused = shop.store.send(query, json!({ "filter": { "metafields": filter } })).await;
        assert_eq!(refused.error_code(), "INVALID");
    }
    let not = json!({ "filter": { "not": { "metafields": asked("note", "exists", json!(true)) } } });
    assert_eq!(shop.store.send(query, not).await.at("products.nodes"), json!([{ "handle": "c" }]));
}

#[tokio::test]
async fn variants_and_orders_have_metafields_of_their_own() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let mug = shop.product("Mug").price("5.00").stock(3).create().await;
    let placed = shop.checkout_all(&[(&mug.variant, 1)], "manual", "k").await;
    for (owner, access) in [("VARIANT", "READ"), ("ORDER", "READ")] {
        define(&shop, "note", "SINGLE_LINE_TEXT", json!({ "ownerType": owner, "storeAccess": access })).await.done();
    }
    define(&shop, "inner", "SINGLE_LINE_TEXT", json!({ "ownerType": "ORDER" })).await.done();
    let entries = json!([
        entry(&mug.variant, "note", json!("variant")),
        entry(&placed.id, "note", json!("order")),
        entry(&placed.id, "inner", json!("secret")),
    ]);
    write(&shop, entries).await.done();
    let query = "query($id: ID!, $token: String!, $product: ID!) {
        order(id: $id, accessToken: $token) { metafields { value } }
        product(by: { id: $product }) { variants { metafields(namespace: \"spec\", keys: [\"note\"]) { value } } } }";
    let variables = json!({ "id": placed.id, "token": placed.access_token, "product": mug.product });
    let seen = shop.store.send(query, variables).await;
    assert_eq!(seen.at("order.metafields"), json!([{ "value": "order" }]));
    assert_eq!(seen.at("product.variants.0.metafields"), json!([{ "value": "variant" }]));
    let staff = "query($id: ID!) { order(id: $id) { metafields(first: 1) { key } all: metafields { key } } }";
    let seen = shop.admin.send(staff, json!({ "id": placed.id })).await;
    assert_eq!(
        seen.at("order"),
        json!({ "metafields": [{ "key": "inner" }], "all": [{ "key": "inner" }, { "key": "note" }] })
    );
}

#[tokio::test]
async fn reading_takes_one_statement_whatever_the_page() {
    let shop = Shop::open().await;
    for (key, kind) in [("note", "SINGLE_LINE_TEXT"), ("stars", "INTEGER")] {
        define(&shop, key, kind, open()).await.done();
    }
    let query = "{ products(first: 100) { nodes { metafields { value }
        a: metafield(namespace: \"spec\", key: \"note\") { value } } } }";
    let mut counts = Vec::new();
    for title in ["A", "B", "C"] {
        let made = shop.product(title).create().await.product;
        write(&shop, json!([entry(&made, "note", json!("n")), entry(&made, "stars", json!("1"))])).await.done();
        let answer = shop.store.send(query, json!({})).await;
        assert_eq!(answer.at("products.nodes.0.metafields").as_array().unwrap().len(), 2);
        counts.push(answer.statements);
    }
    assert_eq!(counts, [2, 2, 2]);
}

#[tokio::test]
async fn viewers_and_guests_change_nothing() {
    let shop = Shop::open().await;
    let mug = shop.product("Mug").create().await;
    let made = define(&shop, "note", "SINGLE_LINE_TEXT", open()).await.done()["metafieldDefinition"]["id"].clone();
    let viewer = shop.staff("viewer").await;
    let set = "mutation($input: AdminMetafieldDefinitionSetInput!) {
        metafieldDefinitionSet(input: $input) { userErrors { code } } }";
    let delete = "mutation($input: AdminMetafieldDefinitionDeleteInput!) {
        metafieldDefinitionDelete(input: $input) { userErrors { code } } }";
    let write = "mutation($input: AdminMetafieldsSetInput!) { metafieldsSet(input: $input) { userErrors { code } } }";
    let clear =
        "mutation($input: AdminMetafieldsDeleteInput!) { metafieldsDelete(input: $input) { userErrors { code } } }";
    let name = json!({ "ownerId": mug.product, "namespace": "spec", "key": "note" });
    let calls = [
        (set, json!({ "ownerType": "PRODUCT", "namespace": "a", "key": "b", "name": "c", "type": "INTEGER" })),
        (delete, json!({ "id": made })),
        (write, json!({ "metafields": [entry(&mug.product, "note", json!("x"))] })),
        (clear, json!({ "metafields": [name] })),
    ];
    for (mutation, input) in calls {
        let refused = viewer.send(mutation, json!({ "input": input })).await;
        assert_eq!(refused.error_code(), "FORBIDDEN", "{mutation}");
        let refused = shop.anonymous_admin.send(mutation, json!({ "input": input })).await;
        assert_eq!(refused.error_code(), "UNAUTHENTICATED", "{mutation}");
    }
    let definitions = "{ metafieldDefinitions(ownerType: PRODUCT) { key } }";
    assert_eq!(viewer.send(definitions, json!({})).await.at("metafieldDefinitions.0.key"), "note");
    assert_eq!(shop.anonymous_admin.send(definitions, json!({})).await.error_code(), "UNAUTHENTICATED");
}
