//! Products of one file that hand their numbers to each other.

use chrono::{TimeDelta, Utc};
use domain::job::JobState;
use engine::db::{Db, StatementCount, statement};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::Shop;
use crate::support::database::TestDatabase;
use crate::support::files::{Report, cells, counts, import_bytes, skipping, whole};
use crate::support::node::run_command;
use crate::support::socket::PATIENCE;

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop
}

/// A file of products with one variant each: handle, number, price.
fn file(rows: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut text = "Handle,Title,Variant SKU,Variant Price\n".to_owned();
    for (handle, sku, price) in rows {
        text.push_str(&format!("{handle},{handle},{sku},{price}\n"));
    }
    text.into_bytes()
}

async fn taken(shop: &Shop, rows: &[(&str, &str, &str)]) -> Report {
    import_bytes(shop, &file(rows), whole(), false).await
}

/// Handle, number and item's number of every variant, by handle.
async fn numbers(shop: &Shop) -> Vec<[String; 3]> {
    let query = "{ products(first: 250, sort: [{ field: TITLE }]) { nodes { handle variants { sku } } } }";
    let products = shop.admin.send(query, json!({})).await.at("products.nodes");
    let conn = shop.app.read();
    let items = "select product.handle, coalesce(inventory_item.sku, '') from product
        join variant on variant.product_id = product.id join variant_item on variant_item.variant_id = variant.id
        join inventory_item on inventory_item.id = variant_item.item_id order by product.handle";
    let items = conn.query_all_raw(statement(&conn, items, [])).await.unwrap();
    let item = |handle: &str| {
        let row = items.iter().find(|row| row.try_get_by_index::<String>(0).unwrap() == handle).unwrap();
        row.try_get_by_index::<String>(1).unwrap()
    };
    let told = products.as_array().unwrap().iter().map(|product| {
        let handle = product["handle"].as_str().unwrap();
        [handle.to_owned(), product["variants"][0]["sku"].as_str().unwrap_or("").to_owned(), item(handle)]
    });
    told.collect()
}

fn expected(rows: &[(&str, &str)]) -> Vec<[String; 3]> {
    rows.iter().map(|(handle, sku)| [(*handle).to_owned(), (*sku).to_owned(), (*sku).to_owned()]).collect()
}

#[tokio::test]
async fn a_number_that_is_given_up_is_taken_whoever_stands_first() {
    let shop = shop().await;
    taken(&shop, &[("a", "1", "5.00"), ("b", "2", "5.00"), ("c", "3", "5.00")]).await;
    let report = taken(&shop, &[("b", "1", "5.00"), ("a", "4", "5.00")]).await;
    assert_eq!(counts(&report), [0, 2, 0, 0], "{:?}", report.errors);
    assert_eq!(numbers(&shop).await, expected(&[("a", "4"), ("b", "1"), ("c", "3")]));
    let report = taken(&shop, &[("a", "5", "5.00"), ("b", "4", "5.00")]).await;
    assert_eq!(counts(&report), [0, 2, 0, 0], "{:?}", report.errors);

    // Two swap, one joins them with what the third had, which gets none.
    let file = [("a", "4", "5.00"), ("b", "5", "5.00"), ("d", "3", "5.00"), ("c", "", "5.00")];
    let report = taken(&shop, &file).await;
    assert_eq!(counts(&report), [1, 3, 0, 0], "{:?}", report.errors);
    assert_eq!(numbers(&shop).await, expected(&[("a", "4"), ("b", "5"), ("c", ""), ("d", "3")]));
    assert_eq!(counts(&taken(&shop, &file).await), [0, 0, 4, 0]);
    let found =
        shop.admin.send(r#"{ products(filter: { product: { text: "5" } }) { nodes { handle } } }"#, json!({})).await;
    assert_eq!(found.at("products.nodes"), json!([{ "handle": "b" }]), "and found by it");
}

#[tokio::test]
async fn a_number_that_is_kept_is_refused_and_so_is_who_counts_on_it() {
    let shop = shop().await;
    let before = [("a", "1", "5.00"), ("b", "2", "5.00"), ("c", "3", "5.00"), ("d", "4", "5.00")];
    taken(&shop, &before).await;
    let kept = expected(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]);
    // The fourth is not in the file.
    let chain = [("a", "2", "5.00"), ("b", "3", "5.00"), ("c", "4", "5.00")];
    for input in [whole(), skipping()] {
        let report = import_bytes(&shop, &file(&chain), input, false).await;
        assert_eq!(counts(&report), [0, 0, 0, 3]);
        assert_eq!(cells(&report), ["2 Variant SKU 2", "3 Variant SKU 3", "4 Variant SKU 4"]);
        assert_eq!(numbers(&shop).await, kept);
    }
    // Who can't be read gives nothing up; the others are let in.
    let broken = [("a", "2", "5.00"), ("b", "1", "cheap"), ("c", "4", "6.00"), ("d", "3", "6.00")];
    let report = import_bytes(&shop, &file(&broken), skipping(), true).await;
    assert_eq!((counts(&report), numbers(&shop).await), ([0, 2, 0, 2], kept), "a rehearsal");
    let report = import_bytes(&shop, &file(&broken), skipping(), false).await;
    assert_eq!(counts(&report), [0, 2, 0, 2]);
    assert_eq!(cells(&report), ["3 Variant Price cheap", "2 Variant SKU 2"]);
    assert_eq!(numbers(&shop).await, expected(&[("a", "1"), ("b", "2"), ("c", "4"), ("d", "3")]));
    // A product that the file names, but not the variant that has the number.
    let sizes =
        "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\ncap,Cap,Size,S,5,5.00\ncap,,,M,6,5.00\n";
    assert_eq!(counts(&import_bytes(&shop, sizes.as_bytes(), whole(), false).await), [1, 0, 0, 0]);
    let one = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\ncap,Cap,Size,S,7,5.00\nhat,Hat,Size,S,6,5.00\n";
    let report = import_bytes(&shop, one.as_bytes(), whole(), false).await;
    assert_eq!((report.job.state, cells(&report)), (JobState::Failed, vec!["3 Variant SKU 6".to_owned()]));
}

/// So many products, each with the number that stands so many places further on.
fn ring(count: usize, shift: usize) -> Vec<u8> {
    let rows: Vec<(String, String)> =
        (0..count).map(|place| (format!("p{place:04}"), format!("N{:04}", (place + shift) % count))).collect();
    let rows: Vec<(&str, &str, &str)> =
        rows.iter().map(|(handle, sku)| (handle.as_str(), sku.as_str(), "5.00")).collect();
    file(&rows)
}

#[tokio::test]
async fn numbers_go_round_a_whole_file_even_when_it_is_killed_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str, shift: usize| {
        let path = folder.path().join(name);
        std::fs::write(&path, ring(450, shift)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (first, second) = (path("first.csv", 0), path("second.csv", 1));
    let database = TestDatabase::copy().await;
    assert!(run_command(&database, &["seed", "demo"]).await.status.success());
    let import = |file: &str, more: &str| {
        let file = file.to_owned();
        let more = more.to_owned();
        let database = &database;
        async move {
            let mut arguments = vec!["import", "products", &file, "--currency", "EUR"];
            arguments.extend((!more.is_empty()).then_some(more.as_str()));
            let output = run_command(database, &arguments).await;
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        }
    };
    assert_eq!(import(&first, "").await, "created 450, updated 0, unchanged 0, refused 0\n");
    let rehearsed = import(&second, "--dry-run").await;
    assert!(rehearsed.contains("450"), "{rehearsed}");

    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_emporion"));
    command.args(["import", "products", &second, "--currency", "EUR", "--database-url", &database.address()]);
    let output = tokio::time::timeout(PATIENCE * 2, command.env("EMPORION_FAILPOINT", "import.chunk").output());
    assert!(!output.await.unwrap().unwrap().status.success());
    let db = Db::open(&database.url).await.unwrap();
    let tx = db.begin(&StatementCount::default()).await.unwrap();
    let sql = "update job set lease_until = ? where state = 'RUNNING'";
    tx.execute_raw(statement(&tx, sql, [(Utc::now() - TimeDelta::minutes(1)).into()])).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(import(&second, "").await, "created 0, updated 450, unchanged 0, refused 0\n");
    let conn = db.read(&StatementCount::default());
    let sql = "select product.handle, variant.sku from variant join product on product.id = variant.product_id
        where product.handle like 'p0%' order by product.handle";
    let rows = conn.query_all_raw(statement(&conn, sql, [])).await.unwrap();
    let found: Vec<(String, Option<String>)> =
        rows.iter().map(|row| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap())).collect();
    let wanted = (0..450).map(|place| (format!("p{place:04}"), Some(format!("N{:04}", (place + 1) % 450))));
    assert_eq!(found, wanted.collect::<Vec<_>>());
    assert_eq!(import(&second, "").await, "created 0, updated 0, unchanged 450, refused 0\n");
    db.close().await;
}
