//! Prices of a list out of a file and into one.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::job::JobState;
use engine::db::{Db, StatementCount, statement};
use entity::job;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{euro, faults};
use crate::support::invariants::invariants;
use crate::support::node::run_command;
use crate::support::pictures::{png, sent};
use crate::support::socket::PATIENCE;

const JOB: &str = "job { id kind state step dryRun done total created updated unchanged refused
    errors { row column value message code sku } errorCount failure filename }";

/// A shop in euro and yen with so many variants, SKU-0 and on, and an empty price list.
async fn shop(variants: usize) -> (Shop, String) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let japan = json!({ "name": "Japan", "currencyCode": "JPY", "countries": ["JP"], "pricesIncludeTax": true });
    shop.set("regionSet", japan, "region { id }").await.done();
    let numbers: Vec<usize> = (0..variants).collect();
    for some in numbers.chunks(200) {
        let variant = |number: &usize| {
            json!({ "sku": format!("SKU-{number}"), "options": [{ "name": "Size", "value": format!("v{number}") }],
                "prices": [{ "amount": euro("50.00") }] })
        };
        let variants: Vec<Value> = some.iter().map(variant).collect();
        let input = json!({ "title": format!("From {}", some[0]), "status": "PUBLISHED", "variants": variants });
        shop.set("productCreate", input, "product { id }").await.done();
    }
    let list = json!({ "name": "Sale", "kind": "SALE", "status": "ACTIVE" });
    let list = shop.set("priceListSet", list, "priceList { id }").await.done();
    (shop, list["priceList"]["id"].as_str().unwrap().to_owned())
}

/// The job that brings a file in, once it has ended.
async fn import(shop: &Shop, list: &str, text: &str, more: Value) -> Value {
    let upload = sent(shop, "text/csv", text.as_bytes()).await;
    let mut input = json!({ "priceListId": list, "stagedUploadId": upload, "mode": "MERGE" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let job = shop.set("priceListPricesImport", input, JOB).await.done()["job"].clone();
    assert_eq!((&job["kind"], &job["filename"]), (&json!("PRICE_IMPORT"), &json!("lamp.bin")));
    let query = format!("query($id: ID!) {{ {} }}", JOB.replacen("job {", "job(id: $id) {", 1));
    let wait = async {
        loop {
            let job = shop.admin.send(&query, json!({ "id": job["id"] })).await.at("job");
            if ["SUCCEEDED", "FAILED", "CANCELED"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("an end in time")
}

/// Created, updated, unchanged, refused.
#[track_caller]
fn counts(job: &Value) -> [i64; 4] {
    assert_eq!(job["state"], "SUCCEEDED", "{job}");
    ["created", "updated", "unchanged", "refused"].map(|name| job[name].as_i64().unwrap())
}

async fn exported(shop: &Shop) -> String {
    let output = run_command(&shop.database, &["export", "prices", "--list", "sale"]).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

const HEADER: &str = "sku,currency,amount,compareAt,minQuantity,maxQuantity,includesTax,rules\n";

#[tokio::test]
async fn a_file_of_prices_is_brought_in_written_and_brought_in_again() {
    let (shop, list) = shop(3).await;
    let rules = r#""[{""attribute"":""country"",""operator"":""IN"",""values"":[""DE""]}]""#;
    let text = format!(
        "{HEADER}SKU-0,EUR,12.34,20.00,,,TRUE,\nSKU-1,EUR,9.50,,1,9,TRUE,\nSKU-0,JPY,1000,,,,TRUE,\n\
         SKU-1,EUR,8.00,,10,,TRUE,\nSKU-1,EUR,7.00,,,,FALSE,{rules}\n"
    );
    let rehearsed = import(&shop, &list, &text, json!({ "dryRun": true })).await;
    assert_eq!((counts(&rehearsed), rehearsed["dryRun"].clone()), ([5, 0, 0, 0], json!(true)));
    assert_eq!(exported(&shop).await, HEADER, "nothing is kept");
    let done = import(&shop, &list, &text, json!({})).await;
    assert_eq!((counts(&done), &done["done"], &done["total"]), ([5, 0, 0, 0], &json!(5), &json!(5)));
    let written = exported(&shop).await;
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&written), sorted(&text));
    for mode in ["MERGE", "REPLACE_VARIANTS", "REPLACE_LIST"] {
        let again = import(&shop, &list, &written, json!({ "mode": mode })).await;
        assert_eq!(counts(&again), [0, 0, 5, 0], "{mode}: what was written changes nothing");
    }
    assert_eq!(exported(&shop).await, written);
    let ops = "{ auditEntries(first: 50, filter: { ops: [\"price.import\"] }) { nodes { after } } }";
    let audited = shop.admin.send(ops, json!({})).await.at("auditEntries.nodes");
    let changes = audited.as_array().unwrap().iter().filter(|entry| !entry["after"].is_null()).count();
    assert_eq!(changes, 1, "only what changed something");
    // Products and listings follow.
    let price = "{ products(first: 1) { nodes { variants { price { amount { amount } } } } } }";
    let shown = shop.store.send(price, json!({})).await;
    assert_eq!(shown.at("products.nodes.0.variants.0.price.amount.amount"), "12.34");
    invariants(&shop).await;
}

#[tokio::test]
async fn the_mode_says_what_becomes_of_other_prices() {
    let (shop, list) = shop(3).await;
    let first = format!("{HEADER}SKU-0,EUR,10.00,,,,TRUE,\nSKU-0,JPY,1000,,,,TRUE,\nSKU-1,EUR,11.00,,,,TRUE,\n");
    assert_eq!(counts(&import(&shop, &list, &first, json!({})).await), [3, 0, 0, 0]);
    let second = "sku;currency;amount\nSKU-0;EUR;9.00\nSKU-2;EUR;12.00\n";
    let rows = |texts: &[&str]| texts.iter().fold(HEADER.to_owned(), |all, row| all + row + ",,,,TRUE,\n");

    assert_eq!(counts(&import(&shop, &list, second, json!({ "mode": "MERGE" })).await), [1, 1, 0, 0]);
    let merged = rows(&["SKU-0,JPY,1000", "SKU-0,EUR,9.00", "SKU-1,EUR,11.00", "SKU-2,EUR,12.00"]);
    assert_eq!(exported(&shop).await, merged);
    assert_eq!(counts(&import(&shop, &list, second, json!({ "mode": "REPLACE_VARIANTS" })).await), [0, 0, 2, 0]);
    let replaced = rows(&["SKU-0,EUR,9.00", "SKU-1,EUR,11.00", "SKU-2,EUR,12.00"]);
    assert_eq!(exported(&shop).await, replaced, "the yen of SKU-0 are gone");
    assert_eq!(counts(&import(&shop, &list, second, json!({ "mode": "REPLACE_LIST" })).await), [0, 0, 2, 0]);
    assert_eq!(exported(&shop).await, rows(&["SKU-0,EUR,9.00", "SKU-2,EUR,12.00"]));
    // A row with nothing but its SKU takes the variant's prices away, once.
    for (expected, mode) in [([0, 1, 0, 0], "MERGE"), ([0, 0, 1, 0], "REPLACE_VARIANTS")] {
        let gone = import(&shop, &list, "sku,currency,amount\nSKU-0,,\n", json!({ "mode": mode })).await;
        assert_eq!(counts(&gone), expected);
    }
    assert_eq!(exported(&shop).await, rows(&["SKU-2,EUR,12.00"]));
    // A step that would fall between those that stay is refused where it stands.
    let steps = "sku,currency,amount,minQuantity,maxQuantity\nSKU-2,JPY,900,1,9\nSKU-2,JPY,800,10,\n";
    assert_eq!(counts(&import(&shop, &list, steps, json!({})).await), [2, 0, 0, 0]);
    let between = "sku,currency,amount,minQuantity,maxQuantity\nSKU-2,JPY,850,5,\n";
    let refused = import(&shop, &list, between, json!({})).await;
    assert_eq!((&refused["state"], &refused["errors"][0]["code"]), (&json!("FAILED"), &json!("DUPLICATE")));
    invariants(&shop).await;
}

#[tokio::test]
async fn a_refused_row_is_told_with_its_number_its_sku_and_a_code() {
    let (shop, list) = shop(2).await;
    let text = "sku,currency,amount,minQuantity\nSKU-0,EUR,12.345,\nnobody,EUR,1.00,\nSKU-1,JPY,1000,\n\n,EUR,1.00,\n\
        SKU-0,JPY,900,\nSKU-1,EUR,-1,\n";
    let refused = import(&shop, &list, text, json!({})).await;
    assert_eq!(
        (&refused["state"], &refused["step"], &refused["failure"], &refused["refused"]),
        (&json!("FAILED"), &json!("CHECK"), &json!("6 of 6 rows are refused; nothing was changed."), &json!(6))
    );
    let told: Vec<Value> = refused["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| json!([error["row"], error["column"], error["value"], error["code"], error["sku"]]))
        .collect();
    assert_eq!(
        json!(told),
        json!([
            [2, "amount", "12.345", "INVALID", "SKU-0"],
            [7, "sku", "SKU-0", "INVALID", "SKU-0"],
            [6, "sku", "", "REQUIRED", null],
            [3, "sku", "nobody", "NOT_FOUND", "nobody"],
            [4, "sku", "SKU-1", "INVALID", "SKU-1"],
            [8, "amount", "-1", "INVALID", "SKU-1"],
        ])
    );
    assert_eq!(exported(&shop).await, HEADER);
    // With SKIP_ROW what is right is written, and a variant that isn't keeps what it has.
    let good = "sku,currency,amount\nSKU-1,JPY,1000\n";
    assert_eq!(counts(&import(&shop, &list, good, json!({})).await), [1, 0, 0, 0]);
    let mixed = "sku,currency,amount\nSKU-0,EUR,12.00\nSKU-1,EUR,x\nnobody,EUR,1.00\n";
    let skipped = import(&shop, &list, mixed, json!({ "onError": "SKIP_ROW", "mode": "REPLACE_LIST" })).await;
    assert_eq!((counts(&skipped), &skipped["errorCount"]), ([1, 0, 0, 2], &json!(2)));
    assert_eq!(exported(&shop).await, format!("{HEADER}SKU-0,EUR,12.00,,,,TRUE,\nSKU-1,JPY,1000,,,,TRUE,\n"));
    // A variant with more rows than it may have prices is one fault.
    let many: String = (0..150).map(|step| format!("SKU-0,EUR,1.00,{}\n", step + 1)).collect();
    let many = import(&shop, &list, &format!("sku,currency,amount,minQuantity\n{many}"), json!({})).await;
    assert_eq!((&many["refused"], &many["errorCount"]), (&json!(150), &json!(1)));
    assert_eq!(many["errors"][0]["code"], "TOO_MANY");

    let wrong = import(&shop, &list, "sku,currency,amount,min_quantity\nSKU-0,EUR,1,1\n", json!({})).await;
    assert_eq!((&wrong["state"], &wrong["errors"][0]["column"]), (&json!("FAILED"), &json!("min_quantity")));
    assert_eq!(counts(&import(&shop, &list, "sku,currency,amount\n", json!({ "mode": "REPLACE_LIST" })).await), [0; 4]);
    assert_eq!(exported(&shop).await, HEADER, "a file without rows empties the list");
    let picture = sent(&shop, "image/png", &png(10, 10)).await;
    let input =
        json!({ "priceListId": "pricelist_00000000000000000000000000", "mode": "MERGE", "stagedUploadId": picture });
    let answer = shop.set("priceListPricesImport", input, JOB).await;
    assert_eq!(faults(&answer), ["INVALID stagedUploadId", "NOT_FOUND priceListId"]);
}

#[tokio::test]
async fn staff_get_the_prices_of_a_list_part_by_part() {
    let (shop, list) = shop(0).await;
    for number in 0..45 {
        let variant = json!([{ "sku": format!("P-{number}"), "prices": [{ "amount": euro("50.00") }] }]);
        let input = json!({ "title": format!("P {number}"), "variants": variant });
        shop.set("productCreate", input, "product { id }").await.done();
    }
    let row = |number: usize, step: usize| format!("P-{number},EUR,{}.00,,{},,TRUE,\n", 90 - step, step + 1);
    let rows = (0..45).flat_map(|number| (0..40).map(move |step| row(number, step)));
    let text = rows.fold(HEADER.to_owned(), |all, row| all + &row);
    assert_eq!(counts(&import(&shop, &list, &text, json!({})).await), [1_800, 0, 0, 0]);
    let query = "query($list: ID!, $after: String) { priceListPricesCsv(priceListId: $list, after: $after) {
        text prices leftOut next } }";
    let (mut whole, mut after, mut parts) = (String::new(), json!(null), Vec::new());
    loop {
        let part = shop.admin.send(query, json!({ "list": list, "after": after })).await.at("priceListPricesCsv");
        whole += part["text"].as_str().unwrap();
        parts.push(part["prices"].as_i64().unwrap());
        after = part["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(parts, [1_120, 680]);
    let whole = whole.replace("\r\n", "\n");
    assert!(whole == text && whole == exported(&shop).await, "{} and {} rows", whole.lines().count(), parts.len());
    let nobody = json!({ "list": "pricelist_00000000000000000000000000" });
    assert_eq!(shop.admin.send(query, nobody).await.at("priceListPricesCsv"), json!(null));
    let viewer = shop.staff(domain::auth::VIEWER).await;
    assert_eq!(viewer.send(query, json!({ "list": list })).await.at("priceListPricesCsv.prices"), 1_120);
}

/// A file of so many prices, two steps for each variant.
fn file(variants: usize, euros: usize) -> String {
    let row = |number: usize| {
        format!("SKU-{number},EUR,{euros}.00,,1,9,TRUE,\nSKU-{number},EUR,{}.00,,10,,TRUE,\n", euros - 1)
    };
    (0..variants).fold(HEADER.to_owned(), |all, number| all + &row(number))
}

#[tokio::test]
async fn an_import_of_prices_that_is_killed_in_the_middle_goes_on_where_it_was() {
    let (shop, _) = shop(600).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.csv");
    std::fs::write(&path, file(590, 30)).unwrap();
    let path = path.to_str().unwrap();
    // What the file doesn't name stands there before.
    let old = folder.path().join("old.csv");
    std::fs::write(&old, "sku,currency,amount\nSKU-599,EUR,1.00\nSKU-0,JPY,100\n").unwrap();
    let merge = ["import", "prices", old.to_str().unwrap(), "--list", "sale", "--mode", "merge"];
    let output = run_command(&shop.database, &merge).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "created 2, updated 0, unchanged 0, refused 0\n", "{output:?}");

    let import = ["import", "prices", path, "--list", "sale", "--mode", "replace-list"];
    let address = shop.database.address();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_emporion"));
    command.args(import).args(["--database-url", &address]).env("EMPORION_FAILPOINT", "price_import.chunk");
    let output = tokio::time::timeout(PATIENCE * 2, command.output()).await.unwrap().unwrap();
    assert!(!output.status.success(), "{output:?}");
    let db = Db::open(&shop.database.url).await.unwrap();
    let conn = db.read(&StatementCount::default());
    let jobs: Vec<job::Model> = job::Entity::find().all(&conn).await.unwrap();
    let broken = jobs.into_iter().find(|row| row.state == JobState::Running).unwrap();
    assert!((1..1_180).contains(&broken.done), "{}", broken.done);
    let tx = db.begin(&StatementCount::default()).await.unwrap();
    let sql = "update job set lease_until = ? where state = 'RUNNING'";
    tx.execute_raw(statement(&tx, sql, [(Utc::now() - TimeDelta::minutes(1)).into()])).await.unwrap();
    tx.commit().await.unwrap();

    // The server or the command, whoever is first.
    let output = run_command(&shop.database, &import).await;
    assert!(output.status.success(), "{output:?}");
    let ended = async {
        while engine::job::repo::find(&conn, broken.id).await.unwrap().unwrap().state != JobState::Succeeded {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("an end in time");
    let row = engine::job::repo::find(&conn, broken.id).await.unwrap().unwrap();
    assert_eq!((row.created, row.changed, row.unchanged, row.refused), (1_180, 0, 0, 0), "nothing was done twice");
    assert_eq!(exported(&shop).await.lines().count(), 1_181, "what the file does not name is gone");
    let output = run_command(&shop.database, &import).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "created 0, updated 0, unchanged 1180, refused 0\n", "{output:?}");
    db.close().await;
    invariants(&shop).await;
}
