//! The merchant's legal texts: which count where, in which language, and who may write them.

use domain::auth::{OWNER, VIEWER};
use domain::policy::{MAX_BODY, PolicyKind};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::{Answer, Shop};

const SHOWN: &str = "{ shop { policies { kind handle title bodyHtml } } }";

async fn write(shop: &Shop, input: Value) -> Answer {
    shop.set("policySet", input, "policy { id version kind handle title bodyHtml channel { handle } }").await
}

/// A second channel: its id, and a storefront in it.
async fn second_channel(shop: &Shop) -> (Value, Client) {
    let made = shop.set("channelCreate", json!({ "name": "Second" }), "channel { id }").await.done();
    let channel = made["channel"]["id"].clone();
    let key = json!({ "title": "Web", "channelId": channel });
    let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await.done();
    (channel, shop.store.with("x-publishable-key", key["publishableKey"]["token"].as_str().unwrap()))
}

async fn titles(store: &Client) -> Value {
    let answer = store.send("{ shop { policies { title } } }", json!({})).await;
    json!(answer.at("shop.policies").as_array().unwrap().iter().map(|one| one["title"].clone()).collect::<Vec<_>>())
}

#[tokio::test]
async fn shoppers_see_the_texts_by_kind_and_headings_cost_no_statement() {
    let shop = Shop::open().await;
    assert_eq!(shop.store.send(SHOWN, json!({})).await.at("shop.policies"), json!([]));
    let refund = json!({ "kind": "REFUND", "title": "Money back", "bodyHtml": "<h2>30 days</h2><p>No questions.</p>" });
    let made = write(&shop, refund).await.done();
    assert_eq!((&made["policy"]["version"], &made["policy"]["channel"]), (&json!(1), &json!(null)));
    write(&shop, json!({ "kind": "PRIVACY", "bodyHtml": "<p>We keep little.</p>" })).await.done();

    let privacy = json!({ "kind": "PRIVACY", "handle": "privacy-policy", "title": "Privacy policy",
        "bodyHtml": "<p>We keep little.</p>" });
    let refund = json!({ "kind": "REFUND", "handle": "refund-policy", "title": "Money back",
        "bodyHtml": "<h2>30 days</h2><p>No questions.</p>" });
    let answer = shop.store.send(SHOWN, json!({})).await;
    assert_eq!((answer.at("shop.policies"), answer.statements), (json!([privacy, refund]), 1));

    let one = |by: &str| format!("{{ shop {{ policy(by: {{ {by} }}) {{ title }} }} }}");
    for (by, title) in [
        ("kind: REFUND", json!({ "title": "Money back" })),
        ("handle: \"privacy-policy\"", json!({ "title": "Privacy policy" })),
        ("kind: SHIPPING", json!(null)),
        ("handle: \"' or 1=1\"", json!(null)),
    ] {
        let answer = shop.store.send(&one(by), json!({})).await;
        assert_eq!((answer.at("shop.policy"), answer.statements), (title, 0), "{by}");
    }
    let neither = shop.store.send("{ shop { policy(by: {}) { title } } }", json!({})).await;
    assert_eq!(neither.body["data"], json!(null));
}

#[tokio::test]
async fn a_channel_s_own_text_stands_in_for_the_shop_s_until_it_is_taken_away() {
    let shop = Shop::open().await;
    let (channel, second) = second_channel(&shop).await;
    write(&shop, json!({ "kind": "PRIVACY", "title": "For all", "bodyHtml": "<p>all</p>" })).await.done();
    write(&shop, json!({ "kind": "REFUND", "title": "Money back", "bodyHtml": "<p>all</p>" })).await.done();
    let own = json!({ "kind": "PRIVACY", "title": "For these", "bodyHtml": "<p>own</p>", "channelId": channel });
    let own = write(&shop, own).await.done()["policy"].clone();
    assert_eq!(own["channel"]["handle"], "second");
    let only = json!({ "kind": "CONTACT", "title": "Call us", "bodyHtml": "<p>own</p>", "channelId": channel });
    write(&shop, only).await.done();
    assert_eq!(titles(&shop.store).await, json!(["For all", "Money back"]));
    assert_eq!(titles(&second).await, json!(["For these", "Money back", "Call us"]));

    let listed = "query($id: ID) { policies(channelId: $id) { kind title } }";
    let of_shop = shop.admin.send(listed, json!({ "id": null })).await.at("policies");
    assert_eq!(of_shop.as_array().unwrap().len(), 2);
    let of_channel = shop.admin.send(listed, json!({ "id": channel })).await.at("policies");
    let expected = json!([{ "kind": "PRIVACY", "title": "For these" }, { "kind": "CONTACT", "title": "Call us" }]);
    assert_eq!(of_channel, expected);

    shop.set("policyDelete", json!({ "id": own["id"] }), "deletedId").await.done();
    assert_eq!(titles(&second).await, json!(["For all", "Money back", "Call us"]));
    let again = shop.set("policyDelete", json!({ "id": own["id"] }), "deletedId").await;
    assert_eq!(again.refusals(), ["NOT_FOUND"]);
    let anew = json!({ "kind": "PRIVACY", "title": "Anew", "bodyHtml": "<p>anew</p>", "channelId": channel });
    let anew = write(&shop, anew).await.done()["policy"].clone();
    assert_eq!((&anew["version"], anew["id"] != own["id"]), (&json!(1), true));
    assert_eq!(titles(&second).await, json!(["Anew", "Money back", "Call us"]));
}

#[tokio::test]
async fn a_text_is_shown_in_the_language_of_the_request() {
    let shop = Shop::open().await;
    let listed = shop.admin.send("{ channels { id } }", json!({})).await;
    let input = json!({ "id": listed.at("channels.0.id"), "locales": ["de", "pt", "pt-BR"] });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let made = write(&shop, json!({ "kind": "PRIVACY", "bodyHtml": "<p>We keep little.</p>" })).await.done();
    let policy = made["policy"]["id"].clone();
    let text = |locale: &str, field: &str, value: &str| json!({ "locale": locale, "field": field, "value": value });
    let texts = json!([
        text("de", "TITLE", "Datenschutz"),
        text("de", "BODY_HTML", "<p onclick=\"x()\">Wenig.</p><script>alert(1)</script>"),
        text("pt", "TITLE", "Privacidade"),
    ]);
    let input = json!({ "entityId": policy, "translations": texts });
    let select = "translatable { type translations { locale field outdated } }";
    let done = shop.set("translationsSet", input, select).await.done();
    assert_eq!(done["translatable"]["type"], "POLICY");

    let query = "{ shop { policies { title bodyHtml } } }";
    for (language, title, body) in [
        ("de", "Datenschutz", "<p>Wenig.</p>"),
        ("pt-BR", "Privacidade", "<p>We keep little.</p>"),
        ("en", "Privacy policy", "<p>We keep little.</p>"),
    ] {
        let answer = shop.store.with("accept-language", language).send(query, json!({})).await;
        assert_eq!(answer.at("shop.policies"), json!([{ "title": title, "bodyHtml": body }]), "{language}");
    }
    let by_name = "{ shop { policy(by: { kind: PRIVACY }) { title(locale: \"pt\") } } }";
    assert_eq!(shop.store.send(by_name, json!({})).await.at("shop.policy.title"), "Privacidade");

    write(&shop, json!({ "kind": "PRIVACY", "bodyHtml": "<p>We keep nothing.</p>" })).await.done();
    let query = "query($id: ID!) { translatable(id: $id) { translations { locale field outdated } } }";
    let found = shop.admin.send(query, json!({ "id": policy })).await.at("translatable.translations");
    let outdated = found.as_array().unwrap().iter().filter(|row| row["outdated"] == true);
    assert_eq!(
        outdated.cloned().collect::<Vec<_>>(),
        [json!({ "locale": "de", "field": "BODY_HTML", "outdated": true })]
    );
    let wrong = json!({ "entityId": policy, "translations": [text("de", "NAME", "x")] });
    assert_eq!(shop.set("translationsSet", wrong, "translatable { id }").await.refusals(), ["INVALID"]);
}

#[tokio::test]
async fn what_is_not_safe_is_taken_out_and_what_is_too_long_or_empty_is_refused() {
    let shop = Shop::open().await;
    let evil = "<h1>Terms</h1><script>alert(1)</script><a href=\"javascript:x()\" onclick=\"x()\">a</a>\
                <a href=\"https://law.example\">b</a><table><tr><td>c</td></tr></table><iframe src=\"//x\"></iframe>";
    let made = write(&shop, json!({ "kind": "TERMS_OF_SERVICE", "bodyHtml": evil })).await.done();
    let kept = made["policy"]["bodyHtml"].as_str().unwrap().to_owned();
    for gone in ["script", "javascript", "onclick", "iframe"] {
        assert!(!kept.contains(gone), "{gone} in {kept}");
    }
    for stays in ["<h1>Terms</h1>", "href=\"https://law.example\"", "<td>c</td>"] {
        assert!(kept.contains(stays), "no {stays} in {kept}");
    }
    let long = "ä".repeat(MAX_BODY + 1);
    for (input, code, path) in [
        (json!({ "kind": "REFUND", "bodyHtml": " \n" }), "REQUIRED", "bodyHtml"),
        (json!({ "kind": "REFUND", "bodyHtml": "<script>only()</script>" }), "REQUIRED", "bodyHtml"),
        (json!({ "kind": "REFUND", "bodyHtml": long }), "INVALID", "bodyHtml"),
        (json!({ "kind": "REFUND", "bodyHtml": "x", "title": "a\nb" }), "INVALID", "title"),
        (
            json!({ "kind": "REFUND", "bodyHtml": "x", "channelId": "chan_00000000000000000000000000" }),
            "NOT_FOUND",
            "channelId",
        ),
        (json!({ "kind": "TERMS_OF_SERVICE", "bodyHtml": "x", "expectedVersion": 7 }), "CONFLICT", "expectedVersion"),
    ] {
        let refused = write(&shop, input).await;
        let error = refused.at("policySet.userErrors.0");
        assert_eq!((error["code"].as_str(), error["path"][0].as_str()), (Some(code), Some(path)), "{error}");
    }
}

#[tokio::test]
async fn who_is_limited_to_a_channel_writes_that_channel_s_texts_alone() {
    let shop = Shop::open().await;
    let (channel, _) = second_channel(&shop).await;
    let shop_s = write(&shop, json!({ "kind": "PRIVACY", "bodyHtml": "<p>all</p>" })).await.done()["policy"].clone();
    let first = shop.admin.send("{ channels { id } }", json!({})).await.at("channels.0.id");
    let other = json!({ "kind": "PRIVACY", "bodyHtml": "<p>first</p>", "channelId": first });
    let other = write(&shop, other).await.done()["policy"].clone();

    let limited = shop.staff(OWNER).await;
    let me = limited.send("{ me { id } }", json!({})).await.at("me.id");
    let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
    let owner = roles.as_array().unwrap().iter().find(|role| role["name"] == OWNER).unwrap();
    let wish = json!({ "roleId": owner["id"], "channelIds": [channel] });
    shop.set("staffUpdate", json!({ "id": me, "roles": [wish] }), "staff { id }").await.done();

    let set = "mutation($input: AdminPolicySetInput!) { policySet(input: $input) { userErrors { code path } } }";
    let input = |of: &Value| json!({ "input": { "kind": "REFUND", "bodyHtml": "x", "channelId": of } });
    assert_eq!(limited.send(set, input(&json!(null))).await.error_code(), "FORBIDDEN");
    assert_eq!(limited.send(set, input(&first)).await.refusals(), ["NOT_FOUND"]);
    limited.send(set, input(&channel)).await.done();
    let delete =
        "mutation($input: AdminPolicyDeleteInput!) { policyDelete(input: $input) { userErrors { code path } } }";
    let translate = "mutation($input: AdminTranslationsSetInput!) {
        translationsSet(input: $input) { userErrors { code path } } }";
    for policy in [&shop_s, &other] {
        let refused = limited.send(delete, json!({ "input": { "id": policy["id"] } })).await;
        assert_eq!(refused.refusals(), ["NOT_FOUND"]);
        let texts = json!([{ "locale": "de", "field": "TITLE", "value": "x" }]);
        let input = json!({ "entityId": policy["id"], "translations": texts });
        assert_eq!(limited.send(translate, json!({ "input": input })).await.refusals(), ["NOT_FOUND"]);
    }
    let listed = "query($id: ID) { policies(channelId: $id) { bodyHtml } }";
    for (of, count) in [(json!(null), 1), (first, 0), (channel, 1)] {
        let found = limited.send(listed, json!({ "id": of })).await.at("policies");
        assert_eq!(found.as_array().unwrap().len(), count, "{of}");
    }
    let seen = "query($id: ID!) { translatable(id: $id) { id } }";
    assert_eq!(limited.send(seen, json!({ "id": other["id"] })).await.at("translatable"), json!(null));
    assert_eq!(limited.send(seen, json!({ "id": shop_s["id"] })).await.at("translatable.id"), shop_s["id"]);

    let viewer = shop.staff(VIEWER).await;
    assert_eq!(viewer.send(listed, json!({ "id": null })).await.at("policies.0.bodyHtml"), "<p>all</p>");
    assert_eq!(viewer.send(set, input(&json!(null))).await.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn what_a_text_said_before_and_after_is_in_the_audit_log() {
    let shop = Shop::open().await;
    let made = write(&shop, json!({ "kind": "PRIVACY", "bodyHtml": "<p>one</p>" })).await.done()["policy"].clone();
    let input = json!({ "kind": "PRIVACY", "bodyHtml": "<p>two</p>", "expectedVersion": 1 });
    let changed = write(&shop, input).await.done()["policy"].clone();
    assert_eq!((&changed["id"], &changed["version"]), (&made["id"], &json!(2)));
    shop.set("policyDelete", json!({ "id": made["id"], "expectedVersion": 2 }), "deletedId").await.done();
    let log = shop.admin.send("{ auditEntries(first: 3) { nodes { op entityId before after } } }", json!({})).await;
    let body = |entry: &Value, side: &str| entry[side]["bodyHtml"].clone();
    let entries = log.at("auditEntries.nodes");
    let entries = entries.as_array().unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (body(entry, "before"), body(entry, "after"))).collect();
    let expected = [
        (json!("<p>two</p>"), json!(null)),
        (json!("<p>one</p>"), json!("<p>two</p>")),
        (json!(null), json!("<p>one</p>")),
    ];
    assert_eq!(told, expected);
    assert!(entries.iter().all(|entry| entry["entityId"] == made["id"]));
}

#[tokio::test]
async fn two_who_write_the_same_text_at_once_leave_one() {
    let shop = Shop::open().await;
    let input = || json!({ "kind": "PRIVACY", "bodyHtml": "<p>one</p>" });
    let answers = futures_util::future::join_all((0..8).map(|_| write(&shop, input()))).await;
    for answer in &answers {
        assert!(answer.refusals().iter().all(|code| code == "TAKEN"), "{}", answer.body);
    }
    assert!(answers.iter().any(|answer| answer.refusals().is_empty()));
    let listed = shop.admin.send("{ policies { kind version } }", json!({})).await.at("policies");
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_demo_shop_has_texts_and_leaves_those_of_staff_alone() {
    let shop = Shop::open().await;
    write(&shop, json!({ "kind": "PRIVACY", "title": "Mine", "bodyHtml": "<p>mine</p>" })).await.done();
    engine::seed::demo(&shop.app).await.unwrap();
    let seen = titles(&shop.store).await;
    assert_eq!(seen[0], "Mine");
    assert!(seen.as_array().unwrap().len() >= 6 && seen.as_array().unwrap().len() <= PolicyKind::ALL.len());
    let bodies = shop.store.send(SHOWN, json!({})).await.at("shop.policies");
    assert!(bodies.as_array().unwrap().iter().all(|one| one["bodyHtml"].as_str().unwrap().len() > 10));
    engine::seed::demo(&shop.app).await.unwrap();
    assert_eq!(titles(&shop.store).await, seen);
}
