//! The way of PostgreSQL's own programs, as docs/BACKUP.md has it.

use std::sync::Arc;
use std::time::Duration;

use engine::db::{DatabaseUrl, Db, StatementCount};
use entity::order;
use sea_orm::{EntityTrait, PaginatorTrait};
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::support::buying::eventually;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::{Node, run_command};
use crate::support::postgres::client_program;
use crate::support::walker::{buy, in_stock};

#[tokio::test]
async fn the_command_says_what_to_use_instead() {
    if !on_postgres() {
        return;
    }
    let database = TestDatabase::copy().await;
    for verb in [&["backup", "create"][..], &["backup", "restore", "shop.tar"]] {
        let output = run_command(&database, verb).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains("pg_dump") && told.contains("docs/BACKUP.md"), "{told}");
    }
}

#[tokio::test]
async fn a_shop_that_is_dumped_while_orders_come_in_is_restored_whole() {
    if !on_postgres() {
        return;
    }
    let (database, other) = (TestDatabase::copy().await, TestDatabase::empty().await);
    let mut node = Node::start(&database, &["--demo", "--rate-address", "off"], &[]).await;
    let variants = crate::support::walker::all_in_stock(&node.store).await;
    let (acknowledged, stop) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
    let buyers: Vec<_> = variants
        .into_iter()
        .take(4)
        .map(|variant| {
            let (store, acknowledged, stop) = (node.store.clone(), acknowledged.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.is_cancelled() {
                    let placed = buy(&store, &variant, 1).await;
                    acknowledged.lock().await.push((Instant::now(), placed.id));
                    sleep(Duration::from_millis(400)).await;
                }
            })
        })
        .collect();
    eventually("somebody has bought", async || !acknowledged.lock().await.is_empty()).await;
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("shop.dump");
    let began = Instant::now();
    let mut dumping = client_program("pg_dump");
    dumping.args(["--format=custom", "--no-owner", "--file"]).arg(&dump).arg(database.address());
    ended_well(dumping).await;
    stop.cancel();
    for buyer in buyers {
        buyer.await.unwrap();
    }
    node.process.terminate().await;

    let mut restoring = client_program("pg_restore");
    restoring.args(["--exit-on-error", "--single-transaction", "--no-owner", "--dbname", &other.address()]).arg(&dump);
    ended_well(restoring).await;
    let checked = run_command(&other, &["check"]).await;
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && told.contains("0 broken row(s)"), "{told}");
    let db = Db::open(&other.url).await.unwrap();
    let kept = order::Entity::find().count(&db.read(&StatementCount::default())).await.unwrap();
    let before = acknowledged.lock().await.iter().filter(|(at, _)| *at < began).count() as u64;
    assert!(before > 0 && kept >= before, "{kept} of {before}");
    let restored = Node::start(&other, &[], &[]).await;
    let variant = in_stock(&restored.store).await;
    buy(&restored.store, &variant, 1).await;
    assert!(matches!(other.url, DatabaseUrl::Postgres(_)));
}

async fn ended_well(mut program: Command) {
    let output = program.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
