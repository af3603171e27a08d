//! The way of PostgreSQL's own programs, as docs/BACKUP.md has it.

use std::sync::Arc;
use std::time::Duration;

use engine::db::{DatabaseUrl, Db, StatementCount, statement};
use entity::order;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait};
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::support::buying::eventually;
use crate::support::database::{TestDatabase, on_postgres};
use crate::support::node::{Node, run_command};
use crate::support::postgres::{PrivatePostgres, client_program, server_folder};
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
    sleep(Duration::from_millis(800)).await;
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

/// The first column of the one row of a question.
async fn ask(db: &Db, sql: &str) -> String {
    let conn = db.read(&StatementCount::default());
    conn.query_one_raw(statement(&conn, sql, [])).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn has_order(db: &Db, id: &str) -> bool {
    let id: domain::id::OrderId = id.parse().unwrap();
    order::Entity::find_by_id(id).one(&db.read(&StatementCount::default())).await.unwrap().is_some()
}

#[tokio::test]
async fn a_shop_goes_back_to_a_moment_with_the_archived_log() {
    if !on_postgres() {
        return;
    }
    let archive = server_folder();
    let place = archive.path().display();
    let settings = ["archive_mode=on".to_owned(), format!("archive_command=test ! -f {place}/%f && cp %p {place}/%f")];
    let server = PrivatePostgres::start_with(&settings).await;
    let database = TestDatabase::at(server.url());
    let mut node = Node::start(&database, &["--demo"], &[]).await;
    let base = server.base_backup().await;
    let variant = in_stock(&node.store).await;
    let kept = buy(&node.store, &variant, 1).await;
    let db = Db::open(&database.url).await.unwrap();
    let moment = ask(&db, "select cast(clock_timestamp() as text)").await;
    sleep(Duration::from_millis(300)).await;
    let lost = buy(&node.store, &variant, 1).await;
    let segment = ask(&db, "select pg_walfile_name(pg_switch_wal())").await;
    // A file in the archive may still grow; the archiver says when it is whole.
    let archived = "select coalesce(last_archived_wal, '') from pg_stat_archiver";
    eventually("the segment is archived", async || ask(&db, archived).await >= segment).await;
    assert!(has_order(&db, &kept.id).await && has_order(&db, &lost.id).await);
    db.close().await;
    node.process.terminate().await;
    drop(server);

    std::fs::write(base.path().join("recovery.signal"), "").unwrap();
    let settings = [
        format!("restore_command=cp {place}/%f %p"),
        format!("recovery_target_time={moment}"),
        "recovery_target_action=promote".to_owned(),
    ];
    let again = PrivatePostgres::on(base, &settings).await;
    let database = TestDatabase::at(again.url());
    let db = Db::open(&database.url).await.unwrap();
    assert!(has_order(&db, &kept.id).await && !has_order(&db, &lost.id).await);
    let checked = run_command(&database, &["check"]).await;
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && told.contains("0 broken row(s)"), "{told}");
    let node = Node::start(&database, &[], &[]).await;
    buy(&node.store, &variant, 1).await;
}
