//! Many buyers and few uses of a promotion, and a machine that is lost in the middle of a checkout with a code.

use chrono::{TimeDelta, Utc};
use engine::db::{Db, StatementCount, statement};
use entity::{order, promotion, promotion_use};
use futures_util::StreamExt;
use futures_util::stream::iter;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::support::buying::{euro, eventually, mutate};
use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::invariants::invariants;
use crate::support::node::Node;
use crate::support::promoting::percent_off;
use crate::support::socket::PATIENCE;
use crate::support::walker::{COMPLETE, Walker, in_stock, new_key, stocked};
use crate::support::{Answer, Shop};

/// How many rounds there are: `EMPORION_TEST_ROUNDS` for a long run.
pub fn rounds(usual: usize) -> usize {
    std::env::var("EMPORION_TEST_ROUNDS").map_or(usual, |rounds| rounds.parse().unwrap())
}

/// What who comes too late for a code is told.
const TOO_LATE: &[&str] = &["CODE_NOT_APPLIED", "TOTAL_CHANGED"];
const BUYERS: usize = 200;
const USES: usize = 10;
/// How many buyers speak at once.
const AT_ONCE: usize = 32;

/// Everybody buys at once with the same code or gift card; answers with how many could, and all others are told this.
pub async fn race(stores: &[&Client], variant: &str, code: &str, buyers: usize, told: &[&str]) -> usize {
    let at = |place: usize| stores[place % stores.len()];
    // Everybody has seen what it gives before anybody buys.
    let carts = iter((0..buyers).map(|place| Walker::ready_with(at(place), variant, 1, code)));
    let walkers: Vec<Walker> = carts.buffered(AT_ONCE).collect().await;
    let calls = iter(
        walkers.iter().enumerate().map(async |(place, walker)| walker.complete_at(at(place + 1), &new_key()).await),
    );
    let answers: Vec<Answer> = calls.buffer_unordered(AT_ONCE).collect().await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.refusals().is_empty());
    for answer in lost {
        assert_eq!(answer.refusals(), told);
    }
    won.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_buyers_use_a_code_ten_times() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let variant = stocked(&shop, "Plenty", 100_000).await;
    let rounds = rounds(2);
    for place in 1..=rounds {
        let limits = if place % 2 == 1 { json!({ "inAll": USES }) } else { json!({ "perCode": USES }) };
        let title = format!("Half {place}");
        let id = shop.promotion(&title, "CODE", percent_off("50"), json!({ "limits": limits })).await;
        let code = format!("HALF-{place}");
        shop.code(&id, &code).await;
        assert_eq!(race(&[&shop.store], &variant, &code, BUYERS, TOO_LATE).await, USES, "round {place}");
        assert_eq!(shop.uses(&id).await, USES as i64);
    }
    let orders = order::Entity::find().all(&shop.app.read()).await.unwrap();
    assert_eq!(orders.len(), rounds * USES);
    assert!(orders.iter().all(|order| order.discount_minor == 500), "each was placed with its discount");
    invariants(&shop).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_budget_is_never_spent_twice_and_a_buyer_never_gets_a_second_one() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let variant = stocked(&shop, "Plenty", 100_000).await;
    for place in 1..=rounds(1) {
        // 27.00 pay five times 5.00; two promotions draw on them.
        let budget = json!({ "title": format!("Year {place}"), "budget": { "spend": [euro("27.00")] } });
        let campaign = shop.campaign(budget).await;
        let more = json!({ "campaignId": campaign });
        let id = shop.promotion(&format!("Budget {place}"), "CODE", percent_off("50"), more).await;
        let code = format!("BUDGET-{place}");
        shop.code(&id, &code).await;
        assert_eq!(race(&[&shop.store], &variant, &code, 60, TOO_LATE).await, 5, "round {place}");

        let more = json!({ "limits": { "perCustomer": 1 } });
        let id = shop.promotion(&format!("Own {place}"), "CODE", percent_off("50"), more).await;
        let code = format!("OWN-{place}");
        shop.code(&id, &code).await;
        // All of them have the same mailbox.
        assert_eq!(race(&[&shop.store], &variant, &code, 40, TOO_LATE).await, 1, "round {place}");
    }
    invariants(&shop).await;
}

/// A promotion that is let go, with a code, as staff of a process make it.
pub async fn half(admin: &Client, code: &str, limits: Value) -> String {
    let input = json!({ "title": code, "method": "CODE", "offer": percent_off("50"), "limits": limits });
    let made = mutate(admin, "Admin", "promotionCreate", input, "promotion { id }").await.done();
    let id = made["promotion"]["id"].as_str().unwrap().to_owned();
    mutate(admin, "Admin", "promotionActivate", json!({ "id": id }), "promotion { id }").await.done();
    let input = json!({ "promotionId": id, "codes": [code] });
    mutate(admin, "Admin", "promotionCodesAdd", input, "codes { id }").await.done();
    id
}

/// Something to buy in many rounds: of what the demo sells there is too little.
pub async fn plenty(admin: &Client) -> String {
    let input = json!({ "by": { "handle": "plenty" }, "title": "Plenty", "status": "PUBLISHED",
        "variants": [{ "sku": "PLENTY", "stock": 100_000, "prices": [{ "amount": euro("10.00") }] }] });
    let made = mutate(admin, "Admin", "productSet", input, "product { variants { id } }").await.done();
    made["product"]["variants"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn buyers_at_two_processes_use_a_code_ten_times() {
    // A shop on SQLite is one process.
    if !on_postgres() {
        return;
    }
    let database = TestDatabase::copy().await;
    let mut first = Node::start(&database, &["--demo", "--rate-address", "off"], &[]).await;
    let mut second = Node::start(&database, &["--rate-address", "off"], &[]).await;
    let owner = first.owner_token().await;
    let admin = first.anonymous_admin.bearer(&owner);
    let variant = plenty(&admin).await;
    let rounds = rounds(1);
    let buyers = if rounds > 1 { BUYERS } else { BUYERS / 4 };
    for place in 1..=rounds {
        let code = format!("HALF-{place}");
        half(&admin, &code, json!({ "inAll": USES })).await;
        // Each fills the cart at the one and buys at the other.
        let won = race(&[&first.store, &second.store], &variant, &code, buyers, TOO_LATE).await;
        assert_eq!(won, USES, "round {place}");
    }
    for node in [&mut first, &mut second] {
        assert!(node.process.terminate().await.success());
    }
}

/// How often the one promotion was used by its counter, and in which states its uses are.
pub async fn used(db: &Db) -> (i64, Vec<String>) {
    let conn = db.read(&StatementCount::default());
    let promotion = promotion::Entity::find().one(&conn).await.unwrap().unwrap();
    let uses = promotion_use::Entity::find().all(&conn).await.unwrap();
    (promotion.uses, uses.iter().map(|used| used.state.to_string()).collect())
}

pub async fn end_the_lease(db: &Db) {
    let conn = db.begin(&StatementCount::default()).await.unwrap();
    let past = Utc::now() - TimeDelta::minutes(5);
    conn.execute_raw(statement(&conn, "update flow set run_at = ? where state = 'RUNNING'", [past.into()]))
        .await
        .unwrap();
    conn.commit().await.unwrap();
}

/// Dies in the middle of a checkout with a code that may be used once; answers with what goes on from there.
async fn a_crash_at(failpoint: &str, card: Option<&str>) -> (TestDatabase, Walker, String) {
    let database = TestDatabase::copy().await;
    let mut node = Node::start(&database, &["--demo"], &[("EMPORION_FAILPOINT", failpoint)]).await;
    let owner = node.owner_token().await;
    half(&node.anonymous_admin.bearer(&owner), "HALF", json!({ "inAll": 1 })).await;
    let variant = in_stock(&node.store).await;
    let walker = Walker::ready_with(&node.store, &variant, 1, "half").await;
    if let Some(card) = card {
        walker.pay_with(&node.store, "test", json!({ "card": card })).await;
    }
    let key = new_key();
    let call = json!({ "query": COMPLETE, "variables": walker.completion(&key) });
    assert!(reqwest::Client::new().post(&node.store_url).json(&call).send().await.is_err());
    assert!(!node.process.ended().await.success());
    (database, walker, key)
}

/// Makes the last call until nobody else is at it.
pub async fn until_done(walker: &Walker, store: &Client, key: &str) -> Answer {
    let calls = async {
        loop {
            let answer = walker.complete_at(store, key).await;
            if answer.refusals() != ["IDEMPOTENCY_IN_FLIGHT"] {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, calls).await.expect("the run is taken up in time")
}

#[tokio::test]
async fn a_use_outlives_a_crash_and_is_used_once() {
    for failpoint in ["checkout.begun", "checkout.asked"] {
        let (database, walker, key) = a_crash_at(failpoint, None).await;
        let db = Db::open(&database.url).await.unwrap();
        assert_eq!(used(&db).await, (1, vec!["RESERVED".to_owned()]));
        let node = Node::start(&database, &[], &[]).await;
        end_the_lease(&db).await;
        until_done(&walker, &node.store, &key).await.done();
        assert_eq!(used(&db).await, (1, vec!["USED".to_owned()]), "{failpoint}");
        db.close().await;
    }
}

#[tokio::test]
async fn a_use_comes_back_when_the_checkout_fails_after_a_crash() {
    let (database, walker, _) = a_crash_at("checkout.begun", Some("decline")).await;
    let db = Db::open(&database.url).await.unwrap();
    assert_eq!(used(&db).await, (1, vec!["RESERVED".to_owned()]));
    let node = Node::start(&database, &[], &[]).await;
    end_the_lease(&db).await;
    eventually("the use comes back", async || used(&db).await == (0, vec!["RELEASED".to_owned()])).await;
    walker.pay_with(&node.store, "manual", json!({})).await;
    until_done(&walker, &node.store, &new_key()).await.done();
    let (uses, mut states) = used(&db).await;
    states.sort();
    assert_eq!((uses, states), (1, vec!["RELEASED".to_owned(), "USED".to_owned()]));
    db.close().await;
}
