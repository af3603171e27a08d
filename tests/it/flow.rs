//! What staff see of runs around payment providers, and do with those that hang.

use chrono::TimeDelta;
use engine::sweeper::sweep;
use serde_json::{Value, json};

use crate::support::buying::{eventually, faults};
use crate::support::invariants::invariants;
use crate::support::provider::{Says, scripted_shop};
use crate::support::walker::new_key;
use crate::support::{Answer, Shop};

const FLOW: &str = "id kind subjectId state step attempts held hung";

async fn flows(shop: &Shop, filter: Value) -> Vec<Value> {
    let query =
        format!("query($filter: AdminFlowFilter) {{ flows(filter: $filter) {{ totalCount nodes {{ {FLOW} }} }} }}");
    let answer = shop.admin.send(&query, json!({ "filter": filter })).await;
    answer.at("flows.nodes").as_array().unwrap().clone()
}

async fn hung(shop: &Shop) -> Vec<Value> {
    flows(shop, json!({ "hung": true })).await
}

async fn wish(shop: &Shop, mutation: &str, flow: &Value) -> Answer {
    shop.set(mutation, json!({ "flowId": flow["id"] }), &format!("flow {{ {FLOW} }}")).await
}

/// Lets time pass until a run was tried so often that it hangs.
async fn until_it_hangs(shop: &Shop) -> Value {
    let mut found = Vec::new();
    eventually("it hangs", async || {
        shop.pass(TimeDelta::seconds(40));
        sweep(&shop.app).await.unwrap();
        found = hung(shop).await;
        found.len() == 1
    })
    .await;
    found.remove(0)
}

#[tokio::test]
async fn a_checkout_without_an_answer_is_seen_and_tried_or_called_off() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    for ends in ["flowRetry", "flowCancel"] {
        let mut cart = shop.ready_cart(&[(&tee, 1)], "scripted").await;
        provider.will_say(vec![Says::Silence; 200]);
        assert_eq!(cart.complete("k").await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
        let run = until_it_hangs(&shop).await;
        assert_eq!((&run["kind"], &run["state"], &run["hung"]), (&json!("checkout"), &json!("RUNNING"), &json!(true)));
        provider.forget_script();
        // The sweeper may be at it at this very moment.
        eventually("it is done", async || {
            let answer = wish(&shop, ends, &run).await;
            let refused = answer.refusals();
            assert!(
                refused.is_empty() || refused == ["IDEMPOTENCY_IN_FLIGHT"] || refused == ["STATE_INVALID"],
                "{}",
                answer.body
            );
            cart.show().await["state"] != "COMPLETING"
        })
        .await;
        let own = flows(&shop, json!({ "kinds": ["checkout"] })).await;
        let ended = own.iter().find(|row| row["id"] == run["id"]).unwrap();
        assert!(["DONE", "ABANDONED"].contains(&ended["state"].as_str().unwrap()), "{ended}");
        assert_eq!(wish(&shop, ends, &run).await.refusals(), ["STATE_INVALID"], "it has ended");
    }
    assert!(hung(&shop).await.is_empty());
    let nobody = json!({ "id": "flow_00000000000000000000000000" });
    assert_eq!(faults(&wish(&shop, "flowRetry", &nobody).await), ["NOT_FOUND flowId"]);
    let audit = "{ auditEntries(filter: { ops: [\"flow.hurry\"] }) { nodes { after } } }";
    let kept = shop.admin.send(audit, json!({})).await.at("auditEntries.nodes");
    assert!(kept.as_array().unwrap().iter().any(|row| row["after"]["wish"] == "retry"), "{kept}");
    invariants(&shop).await;
}

#[tokio::test]
async fn money_that_may_have_moved_is_never_called_off() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let placed = shop.checkout_all(&[(&tee, 1)], "scripted", "k").await;
    let query = "query($id: ID!) { order(id: $id) { paymentStatus payments { id } } }";
    let payment = shop.admin.send(query, json!({ "id": placed.id })).await.at("order.payments.0.id");
    provider.fall_silent(true);
    let input = json!({ "idempotencyKey": new_key(), "paymentId": payment });
    let asked = shop.set("paymentCapture", input, "payment { state }").await;
    assert_eq!(asked.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    let run = until_it_hangs(&shop).await;
    assert_eq!(run["kind"], "payment_entry");
    assert!(run["subjectId"].as_str().unwrap().starts_with("payent_"));
    assert_eq!(faults(&wish(&shop, "flowCancel", &run).await), ["STATE_INVALID flowId"]);
    provider.fall_silent(false);
    eventually("it is taken", async || {
        wish(&shop, "flowRetry", &run).await;
        shop.admin.send(query, json!({ "id": placed.id })).await.at("order.paymentStatus") == "CAPTURED"
    })
    .await;
    invariants(&shop).await;
}

#[tokio::test]
async fn a_shopper_who_is_waited_for_is_asked_for_and_not_called_off() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let mut cart = shop.ready_cart(&[(&tee, 1)], "scripted").await;
    provider.will_say([Says::RequiresAction, Says::RequiresAction, Says::Authorized]);
    cart.complete("k").await.done();
    let run = flows(&shop, json!({ "states": ["PARKED"] })).await.remove(0);
    assert_eq!(run["hung"], false);
    assert_eq!(wish(&shop, "flowRetry", &run).await.done()["flow"]["state"], "PARKED", "he has not paid yet");
    assert_eq!(wish(&shop, "flowRetry", &run).await.done()["flow"]["state"], "DONE");
    assert_eq!(cart.show().await["state"], "COMPLETED");
    invariants(&shop).await;
}
