//! The machine is lost in the middle of a checkout.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::cart::CartState;
use domain::id::CartId;
use engine::db::{Conn, Db, StatementCount, statement};
use entity::{cart, order, payment, payment_entry, reservation};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use serde_json::json;

use crate::support::Answer;
use crate::support::buying::eventually;
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::node::{Node, TASK_ENDED};
use crate::support::socket::PATIENCE;
use crate::support::walker::{COMPLETE, Walker, in_stock, new_key};

const QUANTITY: i64 = 2;

fn reader(db: &Db) -> Conn {
    db.read(&StatementCount::default())
}

/// How many pieces of the whole shop are promised, by the levels and by the promises.
async fn promised(db: &Db) -> (i64, i64) {
    let conn = reader(db);
    let sql = "select coalesce(sum(reserved), 0) from stock_level";
    let row = conn.query_one_raw(statement(&conn, sql, [])).await.unwrap().unwrap();
    let rows = reservation::Entity::find().all(&conn).await.unwrap();
    (row.try_get_by_index(0).unwrap(), rows.iter().map(|row| i64::from(row.quantity)).sum())
}

async fn state_of(db: &Db, walker: &Walker) -> CartState {
    let id: CartId = walker.cart.parse().unwrap();
    cart::Entity::find_by_id(id).one(&reader(db)).await.unwrap().unwrap().state
}

/// Lets the time pass for which the lost process held the run.
async fn end_the_lease(db: &Db) {
    let conn = db.begin(&StatementCount::default()).await.unwrap();
    let past = Utc::now() - TimeDelta::minutes(5);
    let sql = "update flow set run_at = ? where state = 'RUNNING'";
    let changed = conn.execute_raw(statement(&conn, sql, [past.into()])).await.unwrap();
    assert_eq!(changed.rows_affected(), 1, "one run was left behind");
    conn.commit().await.unwrap();
}

/// Makes the same call until nobody else is at it: the sweeper takes the run up, too.
async fn until_done(walker: &Walker, store: &Client, key: &str) -> Answer {
    let calls = async {
        loop {
            let answer = walker.complete_at(store, key).await;
            if answer.refusals() != ["IDEMPOTENCY_IN_FLIGHT"] {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, calls).await.expect("the run is taken up in time")
}

async fn a_crash_at(failpoint: &str) {
    let database = TestDatabase::copy().await;
    let mut node = Node::start(&database, &["--demo"], &[("EMPORION_FAILPOINT", failpoint)]).await;
    let variant = in_stock(&node.store).await;
    let walker = Walker::ready(&node.store, &variant, QUANTITY).await;
    let key = new_key();
    let call = json!({ "query": COMPLETE, "variables": walker.completion(&key) });
    let answer = reqwest::Client::new().post(&node.store_url).json(&call).send().await;
    assert!(answer.is_err(), "the connection is lost: {answer:?}");
    assert!(!node.process.ended().await.success());

    let db = Db::open(&database.url).await.unwrap();
    assert_eq!(state_of(&db, &walker).await, CartState::Completing);
    assert_eq!(promised(&db).await, (QUANTITY, QUANTITY));
    assert_eq!(order::Entity::find().count(&reader(&db)).await.unwrap(), 0);

    let node = Node::start(&database, &[], &[]).await;
    let early = walker.complete_at(&node.store, &key).await;
    assert_eq!(early.refusals(), ["IDEMPOTENCY_IN_FLIGHT"], "the lost process might still be at it");
    let other = walker.complete_at(&node.store, &new_key()).await;
    assert_eq!(other.refusals(), ["CART_COMPLETING"]);
    assert_eq!(order::Entity::find().count(&reader(&db)).await.unwrap(), 0);

    end_the_lease(&db).await;
    let placed = until_done(&walker, &node.store, &key).await;
    placed.done();
    let again = walker.complete_at(&node.store, &key).await;
    again.done();
    for part in ["order", "accessToken"] {
        let part = format!("cartComplete.{part}");
        assert_eq!(placed.at(&part), again.at(&part), "the same key is the same order");
    }
    assert_eq!(state_of(&db, &walker).await, CartState::Completed);
    assert_eq!(promised(&db).await, (QUANTITY, QUANTITY), "promised once");
    let conn = reader(&db);
    assert_eq!(order::Entity::find().count(&conn).await.unwrap(), 1);
    assert_eq!(payment::Entity::find().count(&conn).await.unwrap(), 1);
    assert_eq!(payment_entry::Entity::find().count(&conn).await.unwrap(), 1);
    let other = walker.complete_at(&node.store, &new_key()).await;
    assert_eq!(other.refusals(), ["CART_COMPLETED"]);
    db.close().await;
}

#[tokio::test]
async fn a_crash_before_the_provider_becomes_one_order() {
    a_crash_at("checkout.begun").await;
}

#[tokio::test]
async fn a_crash_after_the_provider_becomes_one_order() {
    a_crash_at("checkout.asked").await;
}

/// A mistake of ours in taking up one run holds up neither it nor the sweeper.
#[tokio::test]
async fn a_run_that_panics_when_it_is_taken_up_is_taken_up_again() {
    let database = TestDatabase::copy().await;
    let mut lost = Node::start(&database, &["--demo"], &[("EMPORION_FAILPOINT", "checkout.begun")]).await;
    let variant = in_stock(&lost.store).await;
    let walker = Walker::ready(&lost.store, &variant, QUANTITY).await;
    let call = json!({ "query": COMPLETE, "variables": walker.completion(&new_key()) });
    assert!(reqwest::Client::new().post(&lost.store_url).json(&call).send().await.is_err());
    assert!(!lost.process.ended().await.success());

    let db = Db::open(&database.url).await.unwrap();
    end_the_lease(&db).await;
    let mut node = Node::start(&database, &[], &[("EMPORION_FAILPOINT", "panic-once:sweeper.resume")]).await;
    eventually("an order", async || order::Entity::find().count(&reader(&db)).await.unwrap() == 1).await;
    assert_eq!(state_of(&db, &walker).await, CartState::Completed);
    let failed = node.process.logged("a run could not be taken up");
    assert_eq!(failed.iter().map(|record| &record["level"]).collect::<Vec<_>>(), ["ERROR"]);
    assert!(node.process.logged(TASK_ENDED).is_empty(), "the sweeper itself goes on");
    db.close().await;
    assert!(node.process.terminate().await.success());
}
