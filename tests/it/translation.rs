//! Texts in other languages: negotiated, shown, frozen, and told apart when they are out of date.

use serde_json::{Value, json};

use crate::support::buying::faults;
use crate::support::client::Client;
use crate::support::{Answer, Shop};

/// A shop whose channel speaks English, German and Portuguese.
async fn polyglot() -> Shop {
    let shop = Shop::open().await;
    let listed = shop.admin.send("{ channels { id } }", json!({})).await;
    let input = json!({ "id": listed.at("channels.0.id"), "locales": ["de", "pt", "pt-BR"] });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    shop
}

fn speaking(shop: &Shop, header: &str) -> Client {
    shop.store.with("accept-language", header)
}

fn text(locale: &str, field: &str, value: &str) -> Value {
    json!({ "locale": locale, "field": field, "value": value })
}

async fn translate(shop: &Shop, entity: &Value, texts: Value) -> Answer {
    let input = json!({ "entityId": entity, "translations": texts });
    shop.set("translationsSet", input, "translatable { translations { locale field value outdated } }").await
}

async fn shirt(shop: &Shop, title: &str) -> Value {
    let variant = |size: &str| {
        json!({
            "options": [{ "name": "Size", "value": size }], "stock": 9,
            "prices": [{ "amount": { "amount": "20.00", "currencyCode": "EUR" } }],
        })
    };
    let input = json!({
        "title": title, "subtitle": "Light", "descriptionHtml": "<p>Good</p>", "seoTitle": "Seo", "status": "PUBLISHED",
        "variants": [variant("Small"), variant("Large")],
    });
    let select = "product { id variants { id } }";
    shop.set("productCreate", input, select).await.done()["product"].clone()
}

/// The ids of what belongs to an entity.
async fn parts(shop: &Shop, entity: &Value) -> Vec<Value> {
    let query = "query($id: ID!) { translatable(id: $id) { parts { id type fields { value } } } }";
    let found = shop.admin.send(query, json!({ "id": entity })).await;
    found.at("translatable.parts").as_array().unwrap().clone()
}

/// Gives a product and all that belongs to it German texts.
async fn in_german(shop: &Shop, product: &Value) {
    let texts = json!([
        text("de", "TITLE", "Hemd"),
        text("de", "SUBTITLE", "Leicht"),
        text("de", "SEO_TITLE", "Suche"),
        text("de", "DESCRIPTION_HTML", "<p onclick=\"x()\">Gut</p><script>alert(1)</script>"),
        text("pt", "TITLE", "Camisa"),
        text("pt-BR", "SUBTITLE", "Leve"),
    ]);
    translate(shop, &product["id"], texts).await.done();
    let family = parts(shop, &product["id"]).await;
    let kinds: Vec<_> = family.iter().map(|part| part["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["OPTION", "VARIANT", "VARIANT"]);
    translate(shop, &family[0]["id"], json!([text("de", "NAME", "Größe")])).await.done();
    translate(shop, &family[1]["id"], json!([text("de", "TITLE", "Klein")])).await.done();
    let values = parts(shop, &family[0]["id"]).await;
    assert_eq!(values[0]["fields"], json!([{ "value": "Small" }]));
    translate(shop, &values[0]["id"], json!([text("de", "NAME", "klein")])).await.done();
}

const SHOWN: &str = "query($id: ID!) { product(by: { id: $id }) {
    title subtitle descriptionHtml seoTitle seoDescription options { name values }
    variants { title selectedOptions { name value } } } }";

#[tokio::test]
async fn every_text_is_shown_in_the_language_that_was_asked_for() {
    let shop = polyglot().await;
    let product = shirt(&shop, "Shirt").await;
    in_german(&shop, &product).await;
    let german = speaking(&shop, "fr, de-AT;q=0.8, en;q=0.5").send(SHOWN, json!({ "id": product["id"] })).await;
    assert_eq!(german.language, "de");
    let expected = json!({
        "title": "Hemd", "subtitle": "Leicht", "descriptionHtml": "<p>Gut</p>", "seoTitle": "Suche",
        "seoDescription": null, "options": [{ "name": "Größe", "values": ["klein", "Large"] }],
        "variants": [
            { "title": "Klein", "selectedOptions": [{ "name": "Größe", "value": "klein" }] },
            { "title": "Large", "selectedOptions": [{ "name": "Größe", "value": "Large" }] },
        ],
    });
    assert_eq!(german.at("product"), expected, "what has no translation is shown as it is");
    let english = speaking(&shop, "fr").send(SHOWN, json!({ "id": product["id"] })).await;
    assert_eq!((english.language.as_str(), english.at("product.title")), ("en", json!("Shirt")));
    assert_eq!(german.statements, english.statements + 1, "all texts are one statement, and none in the shop's own");
    let staff = shop.admin.with("accept-language", "de").send(SHOWN, json!({ "id": product["id"] })).await;
    assert_eq!(staff.at("product.options.0.name"), "Size", "staff see the texts themselves");
    let node = "query($id: ID!) { node(id: $id) { ... on Product { title } ... on Variant { title } } }";
    for (id, title) in [(&product["id"], "Hemd"), (&product["variants"][0]["id"], "Klein")] {
        assert_eq!(speaking(&shop, "de").send(node, json!({ "id": id })).await.at("node.title"), title);
    }
}

#[tokio::test]
async fn a_text_falls_back_step_by_step_and_a_field_may_ask_for_its_own_language() {
    let shop = polyglot().await;
    let product = shirt(&shop, "Shirt").await;
    in_german(&shop, &product).await;
    let brazil = speaking(&shop, "pt-BR").send(SHOWN, json!({ "id": product["id"] })).await;
    assert_eq!(brazil.language, "pt-BR");
    assert_eq!(brazil.at("product.title"), "Camisa", "from pt");
    assert_eq!(brazil.at("product.subtitle"), "Leve", "from pt-BR");
    assert_eq!(brazil.at("product.seoTitle"), "Seo", "its own");
    let query = "query($id: ID!, $tag: String) { product(by: { id: $id }) { title a: title(locale: $tag) } }";
    for (tag, title) in [("de", "Hemd"), ("pt-PT", "Camisa"), ("en", "Shirt"), ("fr", "Shirt")] {
        let answer = speaking(&shop, "de").send(query, json!({ "id": product["id"], "tag": tag })).await;
        assert_eq!(answer.at("product"), json!({ "title": "Hemd", "a": title }), "{tag}");
    }
    let wrong = shop.store.send(query, json!({ "id": product["id"], "tag": "german" })).await;
    assert_eq!(wrong.error_code(), "INVALID");
    let staff = shop.admin.send(query, json!({ "id": product["id"], "tag": "de" })).await;
    assert_eq!(staff.at("product"), json!({ "title": "Shirt", "a": "Hemd" }));
}

#[tokio::test]
async fn a_channel_s_default_language_stands_before_the_entity_s_own() {
    let shop = polyglot().await;
    let product = shirt(&shop, "Shirt").await;
    in_german(&shop, &product).await;
    let input = json!({ "name": "Berlin", "defaultLocale": "de", "locales": ["fr", "de"] });
    let made = shop.set("channelCreate", input, "channel { id locales }").await.done()["channel"].clone();
    assert_eq!(made["locales"], json!(["fr"]));
    let key = json!({ "title": "Web", "channelId": made["id"] });
    let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await;
    let listed = shop.admin.send("{ channels { id } }", json!({})).await.at("channels");
    let all: Vec<_> = listed.as_array().unwrap().iter().map(|channel| channel["id"].clone()).collect();
    let publish = json!({ "id": product["id"], "channelIds": all });
    shop.set("productPublish", publish, "product { id }").await.done();
    let berlin = shop.store.with("x-publishable-key", &key.text("publishableKeyCreate.publishableKey.token"));
    for header in ["fr", "es", "en"] {
        let answer = berlin.with("accept-language", header).send(SHOWN, json!({ "id": product["id"] })).await;
        assert_eq!(answer.at("product.title"), "Hemd", "{header}");
    }
    let shown = berlin.send("{ shop { locale channel { defaultLocale locales } } }", json!({})).await;
    assert_eq!(shown.at("shop"), json!({ "locale": "de", "channel": { "defaultLocale": "de", "locales": ["fr"] } }));
    let wrong = json!({ "name": "X", "locales": ["de", "x", "de"] });
    let wrong = shop.set("channelCreate", wrong, "channel { id }").await;
    assert_eq!(faults(&wrong), ["INVALID locales.1", "DUPLICATE locales.2"]);
}

#[tokio::test]
async fn a_listing_takes_one_statement_more_in_another_language_and_none_in_the_shop_s() {
    let shop = polyglot().await;
    shop.europe(&["DE"], true).await;
    let card = "title handle featuredMedia { url } options { name values }
        variants { title price { amount { amount } } availability }";
    let listing = format!("{{ products(first: 100) {{ nodes {{ {card} }} }} }}");
    let mut counts = Vec::new();
    for number in 0..4 {
        let product = shirt(&shop, &format!("Shirt {number}")).await;
        let own = shop.store.send(&listing, json!({})).await;
        let before = speaking(&shop, "de").send(&listing, json!({})).await;
        assert_eq!(before.at("products.nodes.0.title"), json!(format!("Shirt {number}")));
        in_german(&shop, &product).await;
        let german = speaking(&shop, "de").send(&listing, json!({})).await;
        assert_eq!(german.at("products.nodes.0.title"), "Hemd");
        assert_eq!(german.at("products.nodes.0.variants.0.title"), "Klein");
        counts.push((own.statements, before.statements, german.statements));
    }
    let (own, before, german) = counts[0];
    assert!(own <= 6 && before == own + 1 && german == own + 1, "{counts:?}");
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[tokio::test]
async fn an_order_keeps_its_texts_in_the_cart_s_language() {
    let shop = polyglot().await;
    shop.europe(&["DE"], true).await;
    let product = shirt(&shop, "Shirt").await;
    in_german(&shop, &product).await;
    let options = shop.admin.send("{ shippingOptions { id } }", json!({})).await;
    translate(&shop, &options.at("shippingOptions.0.id"), json!([text("de", "NAME", "Paket")])).await.done();

    let variant = product["variants"][0]["id"].as_str().unwrap().to_owned();
    let mut cart = shop.ready_cart(&[(&variant, 1)], "manual").await;
    cart.mutate("cartBuyerUpdate", json!({ "locale": "de" })).await.done();
    assert_eq!(cart.shown["deliveryGroups"][0]["selected"]["name"], "Paket");
    let shown = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { lines { title } } }";
    let shown = shop.store.send(shown, json!({ "id": cart.id, "token": cart.token })).await;
    assert_eq!(shown.at("cart.lines.0.title"), "Hemd");
    let answer = cart.complete("k").await;
    let placed = crate::support::buying::Placed::of(cart, &answer);
    translate(&shop, &product["id"], json!([text("de", "TITLE", "Bluse")])).await.done();
    let query = "query($id: ID!, $token: String!) { order(id: $id, accessToken: $token) { locale shippingLines { name }
        lines { title variantTitle selectedOptions { name value } } } }";
    let variables = json!({ "id": placed.id, "token": placed.access_token });
    let order = shop.store.send(query, variables).await.at("order");
    let line = json!({
        "title": "Hemd", "variantTitle": "Klein", "selectedOptions": [{ "name": "Größe", "value": "klein" }],
    });
    assert_eq!(order, json!({ "locale": "de", "shippingLines": [{ "name": "Paket" }], "lines": [line] }));
}

#[tokio::test]
async fn a_translation_is_out_of_date_once_the_text_changes() {
    let shop = polyglot().await;
    let product = shirt(&shop, "Shirt").await;
    let texts = json!([text("de", "TITLE", " Hemd "), text("de", "SUBTITLE", "Leicht")]);
    let written = translate(&shop, &product["id"], texts).await.done();
    let fresh = json!([
        { "locale": "de", "field": "TITLE", "value": "Hemd", "outdated": false },
        { "locale": "de", "field": "SUBTITLE", "value": "Leicht", "outdated": false },
    ]);
    assert_eq!(written["translatable"]["translations"], fresh);
    shop.set("productUpdate", json!({ "id": product["id"], "title": "Tee" }), "product { id }").await.done();
    let query = "query($id: ID!, $locale: String) { translatable(id: $id, locale: $locale) {
        type fields { field value } translations { field outdated } } }";
    let found = shop.admin.send(query, json!({ "id": product["id"], "locale": "de" })).await.at("translatable");
    let outdated = json!([{ "field": "TITLE", "outdated": true }, { "field": "SUBTITLE", "outdated": false }]);
    assert_eq!((&found["translations"], &found["type"]), (&outdated, &json!("PRODUCT")));
    assert_eq!(found["fields"][0], json!({ "field": "TITLE", "value": "Tee" }));
    let other = shop.admin.send(query, json!({ "id": product["id"], "locale": "fr" })).await;
    assert_eq!(other.at("translatable.translations"), json!([]));
    let again = translate(&shop, &product["id"], json!([text("de", "TITLE", "Hemd")])).await.done();
    assert_eq!(again["translatable"]["translations"], fresh);

    let select = "translatable { translations { field } }";
    let gone = json!({ "entityId": product["id"], "fields": ["SUBTITLE"], "locales": ["de"] });
    let left = shop.set("translationsDelete", gone, select).await.done();
    assert_eq!(left["translatable"]["translations"], json!([{ "field": "TITLE" }]));
    let none = json!([{ "locale": "de", "field": "TITLE", "value": null }]);
    assert_eq!(translate(&shop, &product["id"], none).await.done()["translatable"]["translations"], json!([]));
    let shown = speaking(&shop, "de").send(SHOWN, json!({ "id": product["id"] })).await;
    assert_eq!(shown.at("product.title"), "Tee");
}

#[tokio::test]
async fn bad_translations_are_all_named_and_nothing_is_written() {
    let shop = polyglot().await;
    let product = shirt(&shop, "Shirt").await;
    let texts = json!([
        text("german", "TITLE", "Hemd"),
        text("de", "NAME", "Hemd"),
        text("de", "TITLE", " "),
        text("pt", "TITLE", "a"),
        text("pt", "TITLE", "b"),
        text("fr", "SUBTITLE", "Bien"),
    ]);
    let expected = [
        "INVALID translations.0.locale",
        "INVALID translations.1.field",
        "REQUIRED translations.2.value",
        "DUPLICATE translations.4.field",
    ];
    assert_eq!(faults(&translate(&shop, &product["id"], texts).await), expected);
    let query = "query($id: ID!) { translatable(id: $id) { translations { locale } } }";
    let found = shop.admin.send(query, json!({ "id": product["id"] })).await;
    assert_eq!(found.at("translatable.translations"), json!([]));
    for id in ["order_01h2xcejqtf2nbrexx3vqjhp41", "prod_01h2xcejqtf2nbrexx3vqjhp41", "x"] {
        let refused = translate(&shop, &json!(id), json!([text("de", "TITLE", "Hemd")])).await;
        assert_eq!(faults(&refused), ["NOT_FOUND entityId"]);
        assert_eq!(shop.admin.send(query, json!({ "id": id })).await.at("translatable"), json!(null));
    }
    let many = vec![text("de", "TITLE", "Hemd"); 251];
    assert_eq!(faults(&translate(&shop, &product["id"], json!(many)).await), ["TOO_MANY translations"]);
}

#[tokio::test]
async fn viewers_and_guests_translate_nothing() {
    let shop = polyglot().await;
    let product = shirt(&shop, "Shirt").await;
    let set = "mutation($input: AdminTranslationsSetInput!) { translationsSet(input: $input) { userErrors { code } } }";
    let delete = "mutation($input: AdminTranslationsDeleteInput!) {
        translationsDelete(input: $input) { userErrors { code } } }";
    let viewer = shop.staff("viewer").await;
    let calls = [
        (set, json!({ "entityId": product["id"], "translations": [text("de", "TITLE", "Hemd")] })),
        (delete, json!({ "entityId": product["id"] })),
    ];
    for (mutation, input) in calls {
        assert_eq!(viewer.send(mutation, json!({ "input": input })).await.error_code(), "FORBIDDEN");
        let stranger = shop.anonymous_admin.send(mutation, json!({ "input": input })).await;
        assert_eq!(stranger.error_code(), "UNAUTHENTICATED");
    }
    let read = "query($id: ID!) { translatable(id: $id) { translations { locale } } }";
    let seen = viewer.send(read, json!({ "id": product["id"] })).await;
    assert_eq!(seen.at("translatable.translations"), json!([]));
    assert_eq!(shop.anonymous_admin.send(read, json!({ "id": product["id"] })).await.error_code(), "UNAUTHENTICATED");
}
