//! The shop's own work in a process of its own.

use serde_json::json;

use crate::support::buying::eventually;
use crate::support::database::TestDatabase;
use crate::support::node::{Node, Process, run_command};
use crate::support::socket::{PATIENCE, Socket};
use crate::support::walker::{buy, in_stock, sequence, watch};
use engine::db::{Db, StatementCount, statement};
use sea_orm::ConnectionTrait;

const FEED: &str = "subscription { orderEvents { order { id } event { kind } } }";

/// How many events have no position.
async fn waiting(db: &Db) -> i64 {
    let conn = db.read(&StatementCount::default());
    let row = conn.query_one_raw(statement(&conn, "select count(*) from event where position is null", [])).await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_server_that_does_no_work_and_a_worker_are_one_shop() {
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &["--demo", "--no-worker"], &[]).await;
    let token = node.owner_token().await;
    let db = Db::open(&database.url).await.unwrap();
    assert!(waiting(&db).await > 30, "nobody has stamped what the demo shop told");

    let address = database.address();
    let arguments = ["worker", "--health-listen", "127.0.0.1:0", "--database-url", address.as_str()];
    let mut worker = Process::start(&arguments, &[]);
    assert!(worker.line().await.starts_with("Emporion works for the shop in "));
    let ready = worker.told("health").await;
    eventually("positions of what was there", async || waiting(&db).await == 0).await;
    assert_eq!(reqwest::get(&ready).await.unwrap().text().await.unwrap(), "ready\n");
    let live = ready.replace("/ready", "/live");
    assert_eq!(reqwest::get(&live).await.unwrap().text().await.unwrap(), "live\n");
    let door = ready.replace("/health/ready", "/store/graphql");
    assert_eq!(reqwest::get(&door).await.unwrap().status(), 404, "a worker has no doors");

    let credentials = json!({ "Authorization": format!("Bearer {token}") });
    let staff = Socket::open(&node.admin_socket, credentials).await.unwrap();
    let mut feed = staff.subscribe(FEED, json!({}));
    let variant = in_stock(&node.store).await;
    let placed = buy(&node.store, &variant, 1).await;
    // Staff see only what has a position, and only the worker gives one.
    let told = feed.next(PATIENCE).await;
    assert_eq!((&told["order"]["id"], &told["event"]["kind"]), (&json!(placed.id), &json!("order.placed")));
    let shopper = Socket::open(&node.store_socket, json!({})).await.unwrap();
    let mut watched = watch(&shopper, &placed, Some(0));
    assert_eq!(sequence(&watched.next(PATIENCE).await), 1);
    eventually("a position for each", async || waiting(&db).await == 0).await;

    assert!(worker.terminate().await.success(), "a worker ends when it is told to");
    buy(&node.store, &variant, 1).await;
    assert_eq!(waiting(&db).await, 2, "without a worker they wait");
    assert!(node.process.terminate().await.success());
}

#[tokio::test]
async fn a_worker_makes_no_shop_and_says_who_does() {
    let database = TestDatabase::empty().await;
    let output = run_command(&database, &["worker"]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("emporion migrate up"), "{told}");
    assert!(run_command(&database, &["migrate", "up"]).await.status.success());
    assert!(run_command(&database, &["migrate", "down"]).await.status.success());
    let output = run_command(&database, &["worker"]).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("emporion migrate up"), "{told}");
}
