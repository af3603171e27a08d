//! Many carts and one card: no cent is spent twice, at one process and at two, and a machine that is lost in the middle
//! keeps nothing.

use engine::db::{Db, StatementCount};
use entity::{ledger_account, order};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::promotion_race::{end_the_lease, half, plenty, race, rounds, until_done, used};
use crate::support::Shop;
use crate::support::buying::{euro, eventually, mutate};
use crate::support::client::Client;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::giving::Card;
use crate::support::invariants::invariants;
use crate::support::node::Node;
use crate::support::walker::{COMPLETE, Walker, in_stock, new_key};

const CARTS: usize = 100;
/// What who comes too late for a card is told.
const TOO_LATE: &[&str] = &["TOTAL_CHANGED"];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_carts_at_ten_spend_a_card_of_fifty_five_times() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    // 5.10 and 4.90 to send it.
    let variant = shop.tee("5.10", 100_000).await;
    let rounds = rounds(2);
    for round in 1..=rounds {
        let card = shop.gift_card("50.00").await;
        assert_eq!(race(&[&shop.store], &variant, &card.code, CARTS, TOO_LATE).await, 5, "round {round}");
        assert_eq!(shop.left_on(&card).await, "0.00");
        let mut expected = vec!["ISSUE 50.00"];
        expected.extend(["SPEND -10.00"; 5]);
        assert_eq!(shop.moves_of(&card).await, expected);
    }
    let orders = order::Entity::find().all(&shop.app.read()).await.unwrap();
    assert_eq!(orders.len(), rounds * 5);
    invariants(&shop).await;
}

async fn issued(admin: &Client, amount: &str) -> Card {
    let input = json!({ "idempotencyKey": new_key(), "amount": euro(amount) });
    let made = mutate(admin, "Admin", "giftCardIssue", input, "giftCard { id code lastCharacters }").await.done();
    Card::of(&made["giftCard"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn buyers_at_two_processes_spend_a_card_once() {
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
    let due =
        Walker::ready(&first.store, &variant, 1).await.completion("k")["input"]["expectedTotal"]["amount"].clone();
    let cents: i64 = due.as_str().unwrap().replace('.', "").parse().unwrap();
    let rounds = rounds(1);
    let carts = if rounds > 1 { CARTS } else { CARTS / 4 };
    for round in 1..=rounds {
        let worth = cents * 5;
        let card = issued(&admin, &format!("{}.{:02}", worth / 100, worth % 100)).await;
        // Each fills the cart at the one and buys at the other.
        assert_eq!(
            race(&[&first.store, &second.store], &variant, &card.code, carts, TOO_LATE).await,
            5,
            "round {round}"
        );
    }
    for node in [&mut first, &mut second] {
        assert!(node.process.terminate().await.success());
    }
}

async fn balance(db: &Db) -> i64 {
    let conn = db.read(&StatementCount::default());
    let accounts = ledger_account::Entity::find().all(&conn).await.unwrap();
    assert_eq!(accounts.len(), 1);
    accounts[0].balance_minor
}

/// Dies in the middle of a checkout that uses a code and a card.
async fn a_crash_at(failpoint: &str, payment: Value) -> (TestDatabase, Walker, String) {
    let database = TestDatabase::copy().await;
    let mut node = Node::start(&database, &["--demo"], &[("EMPORION_FAILPOINT", failpoint)]).await;
    let owner = node.owner_token().await;
    let admin = node.anonymous_admin.bearer(&owner);
    half(&admin, "HALF", json!({ "inAll": 1 })).await;
    let card = issued(&admin, "1.00").await;
    let variant = in_stock(&node.store).await;
    let walker = Walker::ready_with_all(&node.store, &variant, 1, &["half", &card.code]).await;
    walker.pay_with(&node.store, "test", payment).await;
    let key = new_key();
    let call = json!({ "query": COMPLETE, "variables": walker.completion(&key) });
    assert!(reqwest::Client::new().post(&node.store_url).json(&call).send().await.is_err());
    assert!(!node.process.ended().await.success());
    (database, walker, key)
}

#[tokio::test]
async fn a_code_and_a_card_come_back_when_the_checkout_fails_after_a_crash() {
    let (database, walker, _) = a_crash_at("checkout.begun", json!({ "card": "decline" })).await;
    let db = Db::open(&database.url).await.unwrap();
    assert_eq!((balance(&db).await, used(&db).await), (0, (1, vec!["RESERVED".to_owned()])));
    let node = Node::start(&database, &[], &[]).await;
    end_the_lease(&db).await;
    let released = (100, (0, vec!["RELEASED".to_owned()]));
    eventually("both come back", async || (balance(&db).await, used(&db).await) == released).await;
    walker.pay_with(&node.store, "manual", json!({})).await;
    until_done(&walker, &node.store, &new_key()).await.done();
    assert_eq!((balance(&db).await, used(&db).await.0), (0, 1));
    db.close().await;
}

#[tokio::test]
async fn a_code_and_a_card_are_spent_once_when_the_order_outlives_a_crash() {
    for failpoint in ["checkout.begun", "checkout.asked"] {
        let (database, walker, key) = a_crash_at(failpoint, json!({ "card": "success" })).await;
        let db = Db::open(&database.url).await.unwrap();
        assert_eq!(balance(&db).await, 0);
        let node = Node::start(&database, &[], &[]).await;
        end_the_lease(&db).await;
        until_done(&walker, &node.store, &key).await.done();
        assert_eq!((balance(&db).await, used(&db).await), (0, (1, vec!["USED".to_owned()])), "{failpoint}");
        db.close().await;
    }
}
