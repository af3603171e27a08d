//! What staff see of runs around payment providers, and do with those that hang.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::auth::OWNER;
use domain::flow::FlowState;
use engine::app::App;
use engine::flow::LEASE;
use engine::sweeper::sweep;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::buying::{eventually, faults};
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::provider::{Says, Scripted, scripted_shop};
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

/// What the provider says once it may.
fn once(gate: &Arc<Semaphore>, says: Says) -> Says {
    Says::OnceLetThrough(gate.clone(), Box::new(says))
}

/// The one run that has not ended.
async fn open_run(shop: &Shop) -> entity::flow::Model {
    let runs = entity::flow::Entity::find().all(&shop.app.read()).await.unwrap();
    let open = [FlowState::Running, FlowState::Parked, FlowState::Stuck];
    runs.into_iter().find(|run| open.contains(&run.state)).unwrap()
}

async fn orders(shop: &Shop) -> usize {
    entity::order::Entity::find().all(&shop.app.read()).await.unwrap().len()
}

#[tokio::test]
async fn who_stood_still_writes_nothing_over_what_the_next_one_does() {
    let (shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let late = [Says::Silence, Says::Authorized, Says::RequiresAction, Says::Processing, Says::Declined];
    for (count, says) in late.into_iter().enumerate() {
        let (first, second) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        provider.will_say([once(&first, says.clone()), once(&second, Says::Authorized)]);
        let cart = shop.ready_cart(&[(&tee, 1)], "scripted").await;
        let before = provider.asked("create").len();
        let asked = {
            let cart = cart.clone();
            tokio::spawn(async move { cart.complete("k").await })
        };
        eventually("the first one asks", async || provider.asked("create").len() == before + 1).await;
        shop.pass(LEASE + TimeDelta::seconds(1));
        eventually("another one goes on", async || provider.asked("create").len() == before + 2).await;
        let held = open_run(&shop).await;
        assert!(held.held);
        // The first one is heard of again while the second one is at work.
        first.add_permits(1);
        assert_eq!(asked.await.unwrap().refusals(), ["IDEMPOTENCY_IN_FLIGHT"], "{says:?}");
        assert_eq!(open_run(&shop).await, held, "{says:?}: it is still the second one's");
        assert_eq!((orders(&shop).await, provider.asked("void").len()), (count, 0), "{says:?}");
        second.add_permits(1);
        eventually("the order", async || orders(&shop).await == count + 1).await;
        cart.complete("k").await.done();
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn nobody_makes_an_order_of_what_another_one_is_giving_up() {
    let (mut shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    let gate = Arc::new(Semaphore::new(0));
    let mut cart = shop.ready_cart(&[(&tee, 1)], "scripted").await;
    // He has not paid when he is looked for, and pays while it is called off.
    let late = [Says::RequiresAction, Says::RequiresAction, once(&gate, Says::Captured), Says::Captured];
    provider.will_say(late);
    cart.complete("k").await.done();
    shop.pass(TimeDelta::minutes(61));
    eventually("it is called off", async || provider.asked("look_up").len() == 2).await;
    shop.pass(LEASE + TimeDelta::seconds(1));
    // Another process, that is: this one knows that it is still at it.
    let builder = App::builder(&shop.database.url).await.unwrap().clock(shop.clock.clone());
    let other = builder.payment(provider.clone()).open().await.unwrap();
    eventually("another one goes on", async || {
        sweep(&other).await.unwrap();
        cart.show().await["state"] != "COMPLETING"
    })
    .await;
    other.db.close().await;
    gate.add_permits(1);
    eventually("both gave it back", async || provider.asked("refund").len() == 2).await;
    let refunds = provider.asked("refund");
    assert_eq!(refunds[0], refunds[1], "as one and the same");
    assert_eq!((orders(&shop).await, cart.show().await["state"].as_str()), (0, Some("OPEN")));
    shop.admin = shop.staff(OWNER).await;
    invariants(&shop).await;
}

#[tokio::test]
async fn a_provider_that_hangs_holds_up_nobody_else_s_runs() {
    let (slow, other) = (Scripted::named("scripted"), Scripted::named("other"));
    let (one, two) = (slow.clone(), other.clone());
    let database = Arc::new(TestDatabase::copy().await);
    let shop = Shop::on(database, |builder| builder.payment(one).payment(two)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual", "scripted", "other"]).await;
    let tee = shop.tee("20.00", 50).await;
    let gate = Arc::new(Semaphore::new(0));
    // The sweeper may ask again while carts are still filled.
    slow.will_say(vec![Says::Silence; 500]);
    other.will_say(vec![Says::Silence; 500]);
    for provider in ["scripted"; 12].into_iter().chain(["other"]) {
        let cart = shop.ready_cart(&[(&tee, 1)], provider).await;
        assert_eq!(cart.complete("k").await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
    }
    slow.forget_script();
    slow.will_say(vec![once(&gate, Says::Authorized); 100]);
    other.forget_script();
    let before = slow.asked("create").len();
    shop.pass(TimeDelta::minutes(6));
    let began = Instant::now();
    eventually("the other one's order", async || orders(&shop).await == 1).await;
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    // However many there are, so many hang at once and no more.
    eventually("all places are taken", async || slow.asked("create").len() - before >= 8).await;
    sweep(&shop.app).await.unwrap();
    assert_eq!(slow.asked("create").len() - before, 8);
    slow.forget_script();
    gate.add_permits(100);
    eventually("all orders", async || {
        shop.pass(TimeDelta::seconds(30));
        sweep(&shop.app).await.unwrap();
        orders(&shop).await == 13
    })
    .await;
    invariants(&shop).await;
}

/// Lets time pass until staff must look at what a provider does not know.
async fn until_it_is_stuck(shop: &Shop) {
    eventually("it is stuck", async || {
        shop.pass(TimeDelta::minutes(5));
        sweep(&shop.app).await.unwrap();
        open_run(shop).await.state == FlowState::Stuck
    })
    .await;
}

#[tokio::test]
async fn what_a_provider_does_not_know_is_not_asked_for_for_ever() {
    let (mut shop, provider) = scripted_shop().await;
    let tee = shop.tee("20.00", 50).await;
    for ends in ["flowRetry", "flowCancel"] {
        let mut cart = shop.ready_cart(&[(&tee, 1)], "scripted").await;
        provider.will_say([Says::RequiresAction]);
        cart.complete("k").await.done();
        provider.will_say(vec![Says::Unknown; 100]);
        let before = provider.asked("look_up").len();
        assert_eq!(cart.complete("k").await.refusals(), ["IDEMPOTENCY_IN_FLIGHT"]);
        until_it_is_stuck(&shop).await;
        let asked = provider.asked("look_up").len();
        assert_eq!(asked - before, 9, "the tenth time ends it");
        shop.pass(TimeDelta::hours(2));
        for _ in 0..2 {
            sweep(&shop.app).await.unwrap();
        }
        assert_eq!(provider.asked("look_up").len(), asked, "nobody asks again by himself");
        assert_eq!(cart.show().await["state"], "COMPLETING", "it may have been paid");
        shop.admin = shop.staff(OWNER).await;
        let run = hung(&shop).await.remove(0);
        assert_eq!((&run["state"], &run["hung"]), (&json!("STUCK"), &json!(true)));
        assert_eq!(wish(&shop, "flowRetry", &run).await.done()["flow"]["state"], "STUCK");
        assert_eq!(provider.asked("look_up").len(), asked + 1, "once more");
        if ends == "flowRetry" {
            provider.forget_script();
        }
        let done = wish(&shop, ends, &run).await.done();
        let (state, expected) = if ends == "flowRetry" { ("DONE", "COMPLETED") } else { ("ABANDONED", "OPEN") };
        assert_eq!(done["flow"]["state"], state);
        assert_eq!(cart.show().await["state"], expected);
        provider.forget_script();
    }
    assert!(provider.asked("void").is_empty() && hung(&shop).await.is_empty());
    invariants(&shop).await;
}
