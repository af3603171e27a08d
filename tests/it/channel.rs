//! Sales channels.

use serde_json::json;

use crate::support::Shop;

#[tokio::test]
async fn a_new_shop_has_one_channel_and_shoppers_are_in_it() {
    let shop = Shop::open().await;
    let answer = shop.store.send("{ shop { channel { handle name } region { handle } locale } }", json!({})).await;
    assert_eq!(answer.at("shop.channel.handle"), "default");
    assert_eq!(answer.at("shop.region"), json!(null));
    assert_eq!(answer.at("shop.locale"), "en");
    assert_eq!(answer.statements, 0, "the settings come from memory");
}

#[tokio::test]
async fn shoppers_are_told_to_which_countries_the_shop_sells() {
    let shop = Shop::open().await;
    assert_eq!(shop.store.send("{ countries { code } }", json!({})).await.at("countries"), json!([]));
    shop.europe(&["FR", "DE"], true).await;
    let swiss = json!({ "handle": "swiss", "name": "Swiss", "currencyCode": "CHF", "countries": ["CH"],
        "pricesIncludeTax": true });
    shop.set("regionSet", swiss, "region { id }").await.done();
    let answer = shop.store.send("{ countries { code region { handle currencyCode } } }", json!({})).await;
    let europe = json!({ "handle": "europe", "currencyCode": "EUR" });
    let swiss = json!({ "handle": "swiss", "currencyCode": "CHF" });
    let expected = json!([{ "code": "CH", "region": swiss }, { "code": "DE", "region": europe },
        { "code": "FR", "region": europe }]);
    assert_eq!((answer.at("countries"), answer.statements), (expected, 0));
}

#[tokio::test]
async fn a_publishable_key_names_a_channel() {
    let shop = Shop::open().await;
    let created = shop
        .set("channelCreate", json!({ "name": "Wholesale", "defaultLocale": "de" }), "channel { id handle version }")
        .await;
    let channel = created.done()["channel"].clone();
    assert_eq!(channel["handle"], "wholesale");
    let key = shop
        .set("publishableKeyCreate", json!({ "title": "Web", "channelId": channel["id"] }), "publishableKey { token }")
        .await;
    let token = key.done()["publishableKey"]["token"].as_str().unwrap().to_owned();

    let store = shop.store.with("x-publishable-key", &token);
    let answer = store.send("{ shop { channel { handle } locale } }", json!({})).await;
    assert_eq!(answer.at("shop"), json!({ "channel": { "handle": "wholesale" }, "locale": "de" }));
    let listed = shop.admin.send("{ channels { handle publishableKeys { title } } }", json!({})).await;
    assert_eq!(listed.at("channels.1"), json!({ "handle": "wholesale", "publishableKeys": [{ "title": "Web" }] }));
    assert_eq!(listed.statements, 2, "one for the session, one for the keys of every channel");

    let unknown = shop.store.with("x-publishable-key", "pk_unknown").send("{ shop { locale } }", json!({})).await;
    assert_eq!((unknown.status, unknown.error_code().as_str()), (400, "NOT_FOUND"));
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let shop = Shop::open().await;
    let input = json!({ "name": "Web", "storefrontUrl": "https://shop.example/" });
    let channel = shop.set("channelCreate", input, "channel { id version }").await.done()["channel"].clone();
    let select = "channel { name version storefrontUrl defaultLocale active }";
    let update = shop.set("channelUpdate", json!({ "id": channel["id"], "name": "Shop" }), select).await.done();
    let kept = json!({
        "name": "Shop", "version": 2, "storefrontUrl": "https://shop.example", "defaultLocale": "en", "active": true,
    });
    assert_eq!(update["channel"], kept);
    let cleared = shop.set("channelUpdate", json!({ "id": channel["id"], "storefrontUrl": null }), select).await.done();
    assert_eq!(cleared["channel"]["storefrontUrl"], json!(null));

    let stale =
        shop.set("channelUpdate", json!({ "id": channel["id"], "name": "X", "expectedVersion": 1 }), select).await;
    assert_eq!(stale.refusals(), ["CONFLICT"]);
    assert_eq!(stale.at("channelUpdate.userErrors.0.currentVersion"), 3);
}

#[tokio::test]
async fn everything_wrong_is_named_at_once_and_nothing_is_made() {
    let shop = Shop::open().await;
    let input = json!({ "name": " ", "handle": "Not A Handle", "defaultLocale": "english", "storefrontUrl": "shop" });
    let refused = shop.set("channelCreate", input, "channel { id }").await;
    let paths: Vec<_> =
        refused.at("channelCreate.userErrors").as_array().unwrap().iter().map(|e| e["path"][0].clone()).collect();
    assert_eq!(paths, ["name", "handle", "defaultLocale", "storefrontUrl"]);
    assert_eq!(shop.set("channelCreate", json!({ "name": "Default" }), "channel { id }").await.refusals(), ["TAKEN"]);
    assert_eq!(shop.admin.send("{ channels { id } }", json!({})).await.at("channels").as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_last_open_channel_stays_open() {
    let shop = Shop::open().await;
    let listed = shop.admin.send("{ channels { id } }", json!({})).await;
    let input = json!({ "id": listed.at("channels.0.id"), "active": false });
    assert_eq!(shop.set("channelUpdate", input, "channel { id }").await.refusals(), ["IN_USE"]);
}
