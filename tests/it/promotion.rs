//! Promotions and campaigns as staff make them.

use chrono::{DateTime, TimeDelta, Utc};
use engine::clock::Clock;
use serde_json::{Value, json};

use crate::support::buying::{euro, faults};
use crate::support::invariants::invariants;
use crate::support::{Answer, Shop};

const SHOWN: &str = "promotion { id version title method status state class priority startsAt endsAt exclusive
    combinesWith limits { inAll perCustomer perCode } conditions offer uses codesCount campaign { id title } }";

/// A moment so many minutes from now.
fn at(shop: &Shop, minutes: i64) -> DateTime<Utc> {
    shop.clock.now() + TimeDelta::minutes(minutes)
}

/// So many percent off the order.
fn percent_off(percent: &str) -> Value {
    json!({ "reduce": { "target": { "order": true }, "reduction": { "percentage": { "percent": percent } } } })
}

async fn create(shop: &Shop, input: Value) -> Answer {
    shop.set("promotionCreate", input, SHOWN).await
}

async fn created(shop: &Shop, input: Value) -> String {
    create(shop, input).await.done()["promotion"]["id"].as_str().unwrap().to_owned()
}

async fn stands(shop: &Shop, id: &str) -> String {
    let query = "query($id: ID!) { promotion(id: $id) { status state version } }";
    let told = shop.admin.send(query, json!({ "id": id })).await.at("promotion");
    format!("{} {} {}", told["status"].as_str().unwrap(), told["state"].as_str().unwrap(), told["version"])
}

#[tokio::test]
async fn a_promotion_is_read_as_it_was_written() {
    let shop = Shop::open().await;
    let tee = shop.product("Tee").price("20.00").create().await;
    let definition = json!({ "ownerType": "PRODUCT", "namespace": "make", "key": "year", "name": "Year",
        "type": "INTEGER" });
    let made = shop.set("metafieldDefinitionSet", definition, "metafieldDefinition { id }").await.done();
    let year = &made["metafieldDefinition"]["id"];
    let items = json!({ "all": [
        { "any": [{ "is": { "product": [tee.product] } }, { "is": { "variant": [tee.variant] } }] },
        { "not": { "is": { "onSale": true } } },
        { "is": { "metafield": { "definition": year, "operator": "GTE", "values": ["2020"] } } },
        { "is": { "unitPrice": [{ "gte": euro("5.00"), "lte": euro("99.90") }] } },
        { "is": { "quantity": { "atLeast": 2 } } },
    ] });
    let conditions = json!({ "all": [
        { "is": { "buyer": { "attribute": "country", "operator": "IN", "values": ["AT", "DE"] } } },
        { "is": { "currency": ["EUR"] } },
        { "is": { "address": [{ "countryCode": "DE", "postalPatterns": ["10*"] }] } },
        { "is": { "signedIn": false } },
        { "is": { "firstOrder": true } },
        { "is": { "weekday": ["MONDAY", "SUNDAY"] } },
        { "is": { "timeOfDay": { "from": 1320, "until": 360 } } },
        { "any": [
            { "is": { "spend": { "of": items, "ranges": [{ "gte": euro("50.00") }] } } },
            { "is": { "lines": { "of": { "all": [] }, "atLeast": 3 } } },
        ] },
    ] });
    let offer = json!({ "tiers": { "target": { "order": true }, "tiers": [
        { "from": { "spend": [euro("50.00")] }, "reduction": { "percentage": { "percent": "10", "atMost": [] } } },
        { "from": { "spend": [euro("100.00")] },
            "reduction": { "percentage": { "percent": "20.5", "atMost": [euro("40.00")] } } },
    ] } });
    let limits = json!({ "inAll": 1_000, "perCustomer": 1, "perCode": 1 });
    let input = json!({ "title": "  Spend more ", "method": "CODE", "priority": 7, "startsAt": at(&shop, 1),
        "endsAt": at(&shop, 48), "combinesWith": ["SHIPPING", "ITEM"], "limits": limits,
        "conditions": conditions, "offer": offer });
    let told = create(&shop, input).await.done()["promotion"].clone();
    let shown = |field: &str| told[field].clone();
    assert_eq!(shown("conditions"), conditions);
    assert_eq!(shown("offer"), offer);
    assert_eq!((shown("title"), shown("priority")), (json!("Spend more"), json!(7)));
    assert_eq!((shown("method"), shown("class"), shown("status")), (json!("CODE"), json!("ORDER"), json!("DRAFT")));
    assert_eq!((shown("state"), shown("limits"), shown("uses")), (json!("DRAFT"), limits, json!(0)));
    assert_eq!((shown("combinesWith"), shown("exclusive")), (json!(["ITEM", "SHIPPING"]), json!(false)));

    // What was read is sent again and is the same.
    let again = json!({ "id": told["id"], "expectedVersion": 1, "conditions": told["conditions"],
        "offer": told["offer"] });
    let told = shop.set("promotionUpdate", again, SHOWN).await.done()["promotion"].clone();
    assert_eq!((&told["conditions"], &told["offer"], &told["version"]), (&conditions, &offer, &json!(2)));
    for offer in [
        json!({ "buyGet": { "buy": items, "buyQuantity": 2, "get": { "is": { "product": [tee.product] } },
            "getQuantity": 1, "reduction": { "free": true }, "atMostTimes": 3, "givesDearest": true } }),
        json!({ "gifts": [{ "variant": tee.variant, "quantity": 1 }] }),
        json!({ "reduce": { "target": { "shipping": [] }, "reduction": { "free": true } } }),
        json!({ "reduce": { "target": { "items": { "is": { "variant": [tee.variant] } } },
            "reduction": { "fixedPrice": { "amounts": [euro("9.90")] } } } }),
        json!({ "reduce": { "target": { "items": { "all": [] } },
            "reduction": { "fixed": { "amounts": [euro("3.00")], "allocation": "EACH_UNIT" } } } }),
    ] {
        let told = shop.set("promotionUpdate", json!({ "id": told["id"], "offer": offer }), SHOWN).await.done();
        assert_eq!(told["promotion"]["offer"], offer);
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn every_fault_of_a_promotion_is_named_where_it_stands() {
    let shop = Shop::open().await;
    let conditions = json!({ "all": [
        { "is": { "weekday": [] } },
        { "is": { "spend": { "ranges": [{ "gte": euro("50.00"), "lte": euro("40.00") }] } } },
        { "is": { "quantity": { "of": { "is": { "product": [] } } } } },
    ] });
    let input = json!({ "title": " ", "method": "AUTOMATIC", "priority": 2_000_000, "startsAt": at(&shop, 2),
        "endsAt": at(&shop, 1), "limits": { "perCode": 1 }, "conditions": conditions, "offer": percent_off("101") });
    let refused = faults(&create(&shop, input).await);
    assert_eq!(
        refused,
        [
            "REQUIRED title",
            "INVALID priority",
            "INVALID endsAt",
            "INVALID limits.perCode",
            "REQUIRED conditions.all.0.is.weekday",
            "INVALID conditions.all.1.is.spend.ranges.0",
            "REQUIRED conditions.all.2.is.quantity",
            "REQUIRED conditions.all.2.is.quantity.of.is.product",
            "INVALID offer.reduce.reduction.percentage.percent",
        ]
    );
    let conditions = json!({ "any": [
        { "is": { "address": [{ "countryCode": "DE", "provinceCode": "Nowhere" }] } },
        { "is": { "spend": { "ranges": [{ "gte": euro("5.005") }] } } },
        { "is": { "lines": { "of": { "is": { "metafield": { "definition": "mfdef_00000000000000000000000000",
            "values": ["1"] } } } } } },
    ] });
    let offer =
        json!({ "reduce": { "target": { "order": false }, "reduction": { "percentage": { "percent": "1e5" } } } });
    let answer = create(&shop, json!({ "title": "X", "method": "CODE", "conditions": conditions })).await;
    assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("offer"), "{}", answer.body);
    let input = json!({ "title": "X", "method": "CODE", "conditions": conditions, "offer": offer,
        "campaignId": "camp_00000000000000000000000000" });
    let refused = create(&shop, input.clone()).await;
    assert!(refused.body["errors"][0]["message"].as_str().unwrap().contains("Decimal"), "{}", refused.body);
    let mut input = input;
    input["offer"]["reduce"]["reduction"]["percentage"]["percent"] = json!("10.00001");
    assert_eq!(
        faults(&create(&shop, input).await),
        [
            "INVALID conditions.any.0.is.address.0.provinceCode",
            "INVALID conditions.any.1.is.spend.ranges.0.gte.amount",
            "NOT_FOUND conditions.any.2.is.lines.of.is.metafield.definition",
            "INVALID offer.reduce.reduction.percentage.percent",
            "INVALID offer.reduce.target.order",
        ]
    );
    let input = json!({ "title": "X", "method": "CODE", "offer": percent_off("10"),
        "campaignId": "camp_00000000000000000000000000" });
    assert_eq!(faults(&create(&shop, input).await), ["NOT_FOUND campaignId"]);
    assert_eq!(shop.admin.send("{ promotions { totalCount } }", json!({})).await.at("promotions.totalCount"), 0);
}

#[tokio::test]
async fn a_promotion_is_let_go_held_back_copied_and_deleted() {
    let shop = Shop::open().await;
    let input = json!({ "title": "Weekend", "method": "AUTOMATIC", "offer": percent_off("10"),
        "startsAt": at(&shop, 1), "endsAt": at(&shop, 3) });
    let id = created(&shop, input).await;
    let by_id = json!({ "id": id });
    assert_eq!(faults(&shop.set("promotionPause", by_id.clone(), SHOWN).await), ["STATE_INVALID id"]);
    let stale = json!({ "id": id, "expectedVersion": 9 });
    for mutation in ["promotionActivate", "promotionPause", "promotionUpdate"] {
        assert_eq!(faults(&shop.set(mutation, stale.clone(), SHOWN).await), ["CONFLICT expectedVersion"]);
    }
    shop.set("promotionActivate", json!({ "id": id, "expectedVersion": 1 }), SHOWN).await.done();
    assert_eq!(stands(&shop, &id).await, "ACTIVE SCHEDULED 2");
    // Twice is once.
    shop.set("promotionActivate", by_id.clone(), SHOWN).await.done();
    assert_eq!(stands(&shop, &id).await, "ACTIVE SCHEDULED 2");
    shop.pass(TimeDelta::minutes(1));
    assert_eq!(stands(&shop, &id).await, "ACTIVE ACTIVE 2");
    shop.set("promotionPause", by_id.clone(), SHOWN).await.done();
    assert_eq!(stands(&shop, &id).await, "PAUSED PAUSED 3");

    let copied = shop.set("promotionDuplicate", json!({ "id": id, "title": "Next weekend" }), SHOWN).await.done();
    assert_eq!(
        (&copied["promotion"]["title"], &copied["promotion"]["status"]),
        (&json!("Next weekend"), &json!("DRAFT"))
    );
    assert_eq!(
        copied["promotion"]["offer"],
        json!({ "reduce": { "target": { "order": true },
        "reduction": { "percentage": { "percent": "10", "atMost": [] } } } })
    );

    let gone = shop.set("promotionDelete", by_id.clone(), "deletedId").await.done();
    assert_eq!(gone["deletedId"], id);
    assert_eq!(faults(&shop.set("promotionActivate", by_id.clone(), SHOWN).await), ["NOT_FOUND id"]);
    let lists =
        shop.admin.send("{ promotions(sort: [{ field: TITLE }]) { totalCount nodes { title } } }", json!({})).await;
    assert_eq!(lists.at("promotions"), json!({ "totalCount": 1, "nodes": [{ "title": "Next weekend" }] }));

    let audit = "{ auditEntries(first: 9, filter: { ops: [\"promotion.set_status\"] }) { nodes { op before after } } }";
    let kept = shop.admin.send(audit, json!({})).await.at("auditEntries.nodes");
    let turns: Vec<_> =
        kept.as_array().unwrap().iter().map(|one| (&one["before"]["status"], &one["after"]["status"])).collect();
    let (draft, active, paused, nothing) = (json!("DRAFT"), json!("ACTIVE"), json!("PAUSED"), Value::Null);
    assert_eq!(turns, [(&active, &paused), (&nothing, &nothing), (&draft, &active)]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_campaign_has_a_window_and_a_budget_for_its_promotions() {
    let shop = Shop::open().await;
    let selection =
        "campaign { id version title startsAt endsAt budget { spend { amount } uses } uses spent { amount } }";
    let input = json!({ "title": "Autumn", "endsAt": at(&shop, 2), "budget": { "spend": [euro("500.00")] } });
    let made = shop.set("campaignCreate", input, selection).await.done()["campaign"].clone();
    assert_eq!(made["budget"], json!({ "spend": [{ "amount": "500.00" }], "uses": null }));
    assert_eq!((&made["uses"], &made["spent"]), (&json!(0), &json!([])));
    let id = made["id"].as_str().unwrap();
    for (input, expected) in [
        (json!({ "title": "", "budget": { "uses": 0 } }), vec!["REQUIRED title", "INVALID budget.uses"]),
        (json!({ "title": "X", "budget": { "spend": [] } }), vec!["REQUIRED budget.spend"]),
        (json!({ "title": "X", "budget": { "spend": [euro("1.001")] } }), vec!["INVALID budget.spend.0.amount"]),
    ] {
        assert_eq!(faults(&shop.set("campaignCreate", input, selection).await), expected);
    }

    let input = json!({ "title": "Ten", "method": "AUTOMATIC", "offer": percent_off("10"), "campaignId": id });
    let promotion = created(&shop, input).await;
    shop.set("promotionActivate", json!({ "id": promotion }), SHOWN).await.done();
    assert_eq!(stands(&shop, &promotion).await, "ACTIVE ACTIVE 2");
    assert_eq!(faults(&shop.set("campaignDelete", json!({ "id": id }), "deletedId").await), ["IN_USE id"]);
    shop.pass(TimeDelta::minutes(2));
    assert_eq!(stands(&shop, &promotion).await, "ACTIVE EXPIRED 2");
    let states = |word: &str| format!("{{ promotions(filter: {{ states: [{word}] }}) {{ nodes {{ id }} }} }}");
    for (word, expected) in [("EXPIRED", 1), ("ACTIVE", 0), ("SCHEDULED", 0), ("PAUSED", 0), ("DRAFT", 0)] {
        let listed = shop.admin.send(&states(word), json!({})).await.at("promotions.nodes");
        assert_eq!(listed.as_array().unwrap().len(), expected, "{word}");
    }
    let update = json!({ "id": id, "endsAt": null, "startsAt": at(&shop, 1), "budget": { "uses": 10 } });
    let told = shop.set("campaignUpdate", update, selection).await.done()["campaign"].clone();
    assert_eq!(told["budget"], json!({ "spend": null, "uses": 10 }));
    assert_eq!(stands(&shop, &promotion).await, "ACTIVE SCHEDULED 2");
    shop.set("promotionUpdate", json!({ "id": promotion, "campaignId": null }), SHOWN).await.done();
    assert_eq!(stands(&shop, &promotion).await, "ACTIVE ACTIVE 3");
    shop.set("campaignDelete", json!({ "id": id }), "deletedId").await.done();
    assert_eq!(shop.admin.send("{ campaigns { id } }", json!({})).await.at("campaigns"), json!([]));
    invariants(&shop).await;
}
