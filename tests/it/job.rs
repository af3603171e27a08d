//! Jobs: taken up, told, called off, tried again, and lost with their process.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::auth::{OWNER, VIEWER};
use domain::job::JobState;
use engine::actor::Caller;
use engine::db::{Db, StatementCount, statement};
use engine::job::ops::{CancelJob, TakeJob, Taken};
use engine::job::{repo, runner};
use entity::job;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::Shop;
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::files::skipping;
use crate::support::node::{Node, TASK_ENDED, run_command};
use crate::support::pictures::{png, sent, stage};
use crate::support::socket::{PATIENCE, Socket};

const JOB: &str = "job { id kind state step actorId filename dryRun done total created updated unchanged refused
    errors { row column value message } errorCount failure cancelRequested attempts ratePerSecond remainingSeconds }";

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop
}

/// A file of so many products with two variants each.
fn file(products: usize) -> String {
    let mut text =
        String::from("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Tags,Type,Image Src\n");
    for number in 0..products {
        text.push_str(&format!(
            "p-{number},Product {number},Size,S,P-{number}-S,1.00,\"tag {}, new\",Type {},https://a.example/{number}\n\
             p-{number},,,L,P-{number}-L,2.00,,,\n",
            number % 7,
            number % 3
        ));
    }
    text
}

async fn started(shop: &Shop, upload: &str, more: Value) -> Value {
    let mut input = json!({ "stagedUploadId": upload });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.set("productImport", input, JOB).await.done()["job"].clone()
}

/// The job when it has ended.
async fn ended(client: &Client, id: &str) -> Value {
    let query = format!("query($id: ID!) {{ job(id: $id) {{ {} }} }}", &JOB[6..JOB.len() - 2]);
    let wait = async {
        loop {
            let job = client.send(&query, json!({ "id": id })).await.at("job");
            if ["SUCCEEDED", "FAILED", "CANCELED"].contains(&job["state"].as_str().unwrap()) {
                return job;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("an end in time")
}

fn id_of(job: &Value) -> String {
    job["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_uploaded_file_is_rehearsed_and_then_imported() {
    let shop = shop().await;
    let text = file(3) + "bad,Bad,,,B-1,cheap,,,\n";
    let upload = sent(&shop, "text/csv", text.as_bytes()).await;
    let job = started(&shop, &upload, json!({ "dryRun": true })).await;
    assert_eq!((&job["kind"], &job["dryRun"]), (&json!("PRODUCT_IMPORT"), &json!(true)));
    let rehearsed = ended(&shop.admin, &id_of(&job)).await;
    assert_eq!(
        (&rehearsed["state"], &rehearsed["created"], &rehearsed["refused"]),
        (&json!("SUCCEEDED"), &json!(3), &json!(1))
    );
    let error = json!([{
        "row": 8, "column": "Variant Price", "value": "cheap",
        "message": "This is not a decimal number such as 12.50 (EUR).",
    }]);
    assert_eq!((&rehearsed["errors"], &rehearsed["errorCount"]), (&error, &json!(1)));
    assert_eq!(entity::product::Entity::find().all(&shop.app.read()).await.unwrap().len(), 0);

    let refused = ended(&shop.admin, &id_of(&started(&shop, &upload, json!({})).await)).await;
    assert_eq!((&refused["state"], &refused["step"]), (&json!("FAILED"), &json!("CHECK")));
    assert_eq!(refused["failure"], "1 of 4 products are refused; nothing was changed.");
    let done =
        started(&shop, &upload, json!({ "onError": "SKIP_ROW", "dialect": "SHOPIFY", "currencyCode": "EUR" })).await;
    let done = ended(&shop.admin, &id_of(&done)).await;
    assert_eq!((&done["state"], &done["done"], &done["total"]), (&json!("SUCCEEDED"), &json!(4), &json!(4)));
    assert_eq!((&done["created"], &done["refused"], &done["remainingSeconds"]), (&json!(3), &json!(1), &json!(null)));
    let audited = shop
        .admin
        .send("{ auditEntries(first: 50, filter: { ops: [\"product.import\"] }) { nodes { actorId } } }", json!({}))
        .await;
    let entries = audited.at("auditEntries.nodes");
    assert_eq!(entries.as_array().unwrap().len(), 3, "each product, in the name of whoever started it");
    assert_eq!(entries[0]["actorId"], done["actorId"]);
}

#[tokio::test]
async fn what_can_t_be_imported_is_refused_at_once() {
    let shop = shop().await;
    let picture = sent(&shop, "image/png", &png(10, 10)).await;
    let answer = shop.set("productImport", json!({ "stagedUploadId": picture }), JOB).await;
    assert_eq!(answer.refusals(), ["INVALID"]);
    assert_eq!(answer.at("productImport.userErrors.0.path"), json!(["stagedUploadId"]));
    let upload = sent(&shop, "text/csv", file(1).as_bytes()).await;
    let input = json!({ "stagedUploadId": upload, "currencyCode": "USD", "mediaBase": "ftp://x" });
    let answer = shop.set("productImport", input, JOB).await;
    assert_eq!(answer.refusals(), ["INVALID", "REGION_MISSING"]);
    assert_eq!(answer.at("productImport.userErrors.0.path"), json!(["mediaBase"]));
    assert_eq!(answer.at("productImport.userErrors.1.path"), json!(["currencyCode"]));
    let medium = shop.set("mediaCreate", json!({ "stagedUploadId": upload }), "media { id }").await;
    assert_eq!(medium.refusals(), ["INVALID"], "a table is no picture");
    let other = shop.staff(OWNER).await;
    let query = "mutation($input: AdminProductImportInput!) { productImport(input: $input) { userErrors { code } } }";
    let answer = other.send(query, json!({ "input": { "stagedUploadId": upload } })).await;
    assert_eq!(answer.refusals(), ["NOT_FOUND"], "an upload is its owner's");
}

#[tokio::test]
async fn whoever_may_not_write_starts_calls_off_and_retries_nothing() {
    let shop = shop().await;
    let upload = sent(&shop, "text/csv", file(1).as_bytes()).await;
    let job = id_of(&started(&shop, &upload, json!({})).await);
    ended(&shop.admin, &job).await;
    let viewer = shop.staff(VIEWER).await;
    assert_eq!(ended(&viewer, &job).await["state"], "SUCCEEDED", "whoever may read the catalog sees its jobs");
    let start = "mutation($id: ID!) { productImport(input: { stagedUploadId: $id }) { userErrors { code } } }";
    assert_eq!(viewer.send(start, json!({ "id": upload })).await.error_code(), "FORBIDDEN");
    for verb in ["jobCancel", "jobRetry"] {
        let query = format!("mutation($id: ID!) {{ {verb}(input: {{ id: $id }}) {{ userErrors {{ code }} }} }}");
        assert_eq!(viewer.send(&query, json!({ "id": job })).await.error_code(), "FORBIDDEN");
        assert_eq!(shop.anonymous_admin.send(&query, json!({ "id": job })).await.error_code(), "UNAUTHENTICATED");
        let late = shop.admin.send(&query, json!({ "id": job })).await;
        assert_eq!(late.refusals(), ["STATE_INVALID"], "it succeeded");
    }
    let role = json!({ "name": "Orders desk", "permissions": ["ORDERS_READ"] });
    shop.set("roleSet", role, "role { id }").await.done();
    let desk = shop.staff("Orders desk").await;
    assert_eq!(desk.send("query($id: ID!) { job(id: $id) { id } }", json!({ "id": job })).await.at("job"), json!(null));
    let list = "{ jobs(first: 5) { totalCount nodes { id } } }";
    assert_eq!(desk.send(list, json!({})).await.at("jobs.totalCount"), 0);
    let listed = shop.admin.send(list, json!({})).await;
    assert_eq!((listed.at("jobs.totalCount"), listed.statements), (json!(1), 3), "session, count, page");
    let filtered = "{ jobs(filter: { state: [FAILED], kind: [PRODUCT_IMPORT] }) { nodes { id } } }";
    assert_eq!(shop.admin.send(filtered, json!({})).await.at("jobs.nodes"), json!([]));
    let node = "query($id: ID!) { node(id: $id) { id __typename } }";
    assert_eq!(shop.admin.send(node, json!({ "id": job })).await.at("node.__typename"), "AdminJob");
}

#[tokio::test]
async fn whoever_lost_his_rights_imports_nothing() {
    let shop = shop().await;
    let folder = tempfile::tempdir().unwrap();
    let mut job = held(&shop, &folder.path().join("goods.csv"), &file(2), "here").await;
    // As it stands when the starter was dismissed before a process was free.
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    let gone = domain::id::StaffId(uuid::Uuid::now_v7()).to_string();
    let values = [gone.clone().into(), uuid::Uuid::from(job.id).into()];
    conn.execute_raw(statement(&conn, "update job set actor = ? where id = ?", values)).await.unwrap();
    conn.commit().await.unwrap();
    job.actor = gone;
    let ended = runner::work(&shop.app, job, &CancellationToken::new(), &|_| {}).await.unwrap();
    assert_eq!((ended.state, ended.done), (JobState::Failed, 0));
    assert_eq!(ended.failure.as_deref(), Some("Whoever started the job may not do this any more."));
    assert_eq!(entity::product::Entity::find().all(&shop.app.read()).await.unwrap().len(), 0);
}

#[tokio::test]
async fn progress_is_told_as_it_goes_and_ends_with_the_job() {
    let shop = shop().await;
    let made = shop.set("apiKeyCreate", json!({ "title": "Screen", "role": "viewer" }), "secret").await.done();
    let token = json!({ "Authorization": format!("Bearer {}", made["secret"].as_str().unwrap()) });
    let socket = Socket::open(&format!("ws://{}/admin/graphql", shop.address), token).await.unwrap();
    let upload = sent(&shop, "text/csv", file(900).as_bytes()).await;
    let job = id_of(&started(&shop, &upload, json!({})).await);
    let query = format!("subscription($id: ID!) {{ jobProgress(jobId: $id) {{ sequence {JOB} }} }}");
    let mut live = socket.subscribe(&query, json!({ "id": job }));
    let (mut sequence, mut done, mut messages) = (-1, -1, 0);
    loop {
        let message = live.next(PATIENCE).await;
        let (next, now) = (message["sequence"].as_i64().unwrap(), message["job"]["done"].as_i64().unwrap());
        assert!(next > sequence && now >= done, "{message}");
        (sequence, done) = (next, now);
        messages += 1;
        if message["job"]["state"] == "SUCCEEDED" {
            assert_eq!((now, &message["job"]["created"]), (900, &json!(900)));
            break;
        }
    }
    live.ended().await;
    assert!(messages >= 2, "the present state and the end at least");
    let kinds =
        engine::event::after(&shop.app.read(), engine::job::aggregate(job.parse().unwrap()), 0, 100).await.unwrap();
    assert_eq!((kinds[0].kind.as_str(), kinds[1].kind.as_str()), ("job.created", "job.started"));
    assert_eq!(kinds.last().unwrap().kind, "job.finished");
    assert!(kinds.iter().all(|event| !event.payload.to_string().contains("Product")), "ids and counts only");

    let mut late = socket.subscribe(&query, json!({ "id": job }));
    assert_eq!(late.next(PATIENCE).await["job"]["state"], "SUCCEEDED");
    late.ended().await;
    let nobody = domain::id::JobId(uuid::Uuid::now_v7()).to_string();
    let (code, _) = socket.subscribe(&query, json!({ "id": nobody })).error().await;
    assert_eq!(code, "NOT_FOUND");
}

/// A job of this file that this process holds.
async fn held(shop: &Shop, path: &std::path::Path, text: &str, owner: &str) -> job::Model {
    std::fs::write(path, text).unwrap();
    let hash = engine::job::text::hash_of(path.to_owned(), owner.to_owned()).await.unwrap().unwrap();
    let mut input = skipping();
    (input.path, input.hash) = (Some(path.to_owned()), hash);
    shop.app.run(&Caller::system(), &input.job(false, Some(owner.to_owned())).unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_job_that_is_called_off_stops_and_goes_on_when_it_is_tried_again() {
    let shop = shop().await;
    let folder = tempfile::tempdir().unwrap();
    let job = held(&shop, &folder.path().join("goods.csv"), &file(900), "here").await;
    let (app, id) = (shop.app.clone(), job.id);
    // Called off after the first products, from where the bar is drawn.
    let (sender, receiver) = std::sync::mpsc::channel();
    let watch = move |row: &job::Model| {
        let _ = sender.send(row.done);
    };
    let going_on = CancellationToken::new();
    let work = runner::work(&app, job, &going_on, &watch);
    let cancel = async {
        loop {
            if receiver.try_iter().any(|done| done > 0) {
                break shop.app.run(&Caller::system(), &CancelJob { id }).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    let (ended_job, asked) = tokio::join!(work, cancel);
    let ended_job = ended_job.unwrap();
    assert!(asked.cancel_requested);
    assert_eq!(ended_job.state, JobState::Canceled);
    assert!((1..900).contains(&ended_job.done), "{}", ended_job.done);
    let stored = entity::product::Entity::find().all(&shop.app.read()).await.unwrap().len();
    assert_eq!(stored as i64, ended_job.done, "what is done stays, and is counted");

    let query = format!("mutation($id: ID!) {{ jobRetry(input: {{ id: $id }}) {{ {JOB} userErrors {{ code }} }} }}");
    let again = shop.admin.send(&query, json!({ "id": id.to_string() })).await;
    again.done();
    assert_eq!(again.at("jobRetry.job.state"), "QUEUED");
    let done = ended(&shop.admin, &id.to_string()).await;
    assert_eq!((&done["state"], &done["created"], &done["unchanged"]), (&json!("SUCCEEDED"), &json!(900), &json!(0)));
}

#[tokio::test]
async fn a_job_is_held_by_one_process_until_it_is_silent_for_too_long() {
    let shop = shop().await;
    let folder = tempfile::tempdir().unwrap();
    let job = held(&shop, &folder.path().join("goods.csv"), &file(10), "lost").await;
    let take = |owner: &str| TakeJob { owner: owner.to_owned(), fingerprint: Some(job.fingerprint.clone()) };
    let taken = shop.app.run(&Caller::system(), &take("other")).await.unwrap();
    assert!(matches!(taken, Taken::Busy(_)), "{taken:?}");
    shop.pass(TimeDelta::seconds(21));
    // The server's own runner takes it up, and does it.
    let done = ended(&shop.admin, &job.id.to_string()).await;
    assert_eq!((&done["state"], &done["created"]), (&json!("SUCCEEDED"), &json!(10)));
    assert_eq!(done["attempts"], 2);
    let late = runner::work(&shop.app, job, &CancellationToken::new(), &|_| {}).await;
    assert!(late.is_err(), "whoever lost it writes nothing more");
}

/// What the tables of the catalog hold, whatever the ids are: each row without
/// its ids and times, sorted.
async fn contents(db: &Db) -> BTreeMap<&'static str, Vec<String>> {
    const TABLES: &[(&str, &str)] = &[
        ("product", "select handle, title, status, version from product"),
        (
            "variant",
            "select product.handle, variant.title, variant.sku, variant.rank, variant.version from variant
                join product on product.id = variant.product_id",
        ),
        (
            "price",
            "select variant.sku, price.currency, price.amount_minor from price
                join variant on variant.id = price.variant_id",
        ),
        (
            "stock",
            "select variant.sku, inventory_item.sku, stock_level.stocked from variant
                join variant_item on variant_item.variant_id = variant.id
                join inventory_item on inventory_item.id = variant_item.item_id
                join stock_level on stock_level.item_id = inventory_item.id",
        ),
        (
            "tag",
            "select product.handle, tag.value, product_tag.rank from product_tag
                join product on product.id = product_tag.product_id join tag on tag.id = product_tag.tag_id",
        ),
        (
            "media",
            "select product.handle, media.url, product_media.rank from product_media
                join product on product.id = product_media.product_id join media on media.id = product_media.media_id",
        ),
        (
            "value",
            "select variant.sku, option_value.name from variant_option_value
                join variant on variant.id = variant_option_value.variant_id
                join option_value on option_value.id = variant_option_value.option_value_id",
        ),
        ("search", "select title, code, keyword from search_product"),
        ("words", "select word, products from search_word"),
        ("listing", "select min_minor, max_minor from listing_price"),
        ("events", "select kind, aggregate_type from event where aggregate_type = 'product'"),
    ];
    let conn = db.read(&StatementCount::default());
    let mut found = BTreeMap::new();
    for (table, sql) in TABLES {
        let rows = conn.query_all_raw(statement(&conn, sql, [])).await.unwrap();
        let text = |row: &sea_orm::QueryResult| {
            (0..row.column_names().len())
                .map(|column| {
                    let text = row.try_get_by_index::<String>(column);
                    let wide = || row.try_get_by_index::<i64>(column).map(|number| number.to_string());
                    let narrow = || row.try_get_by_index::<i32>(column).map(|number| number.to_string());
                    text.or_else(|_| wide()).or_else(|_| narrow()).unwrap_or_default()
                })
                .collect::<Vec<_>>()
                .join("|")
        };
        let mut rows: Vec<String> = rows.iter().map(text).collect();
        rows.sort();
        found.insert(*table, rows);
    }
    found
}

/// A migrated shop with a region in euro, without a server.
async fn furnished() -> TestDatabase {
    let database = TestDatabase::copy().await;
    let seeded = run_command(&database, &["seed", "demo"]).await;
    assert!(seeded.status.success(), "{seeded:?}");
    database
}

#[tokio::test]
async fn an_import_that_is_killed_in_the_middle_ends_like_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("goods.csv");
    std::fs::write(&path, file(700)).unwrap();
    let path = path.to_str().unwrap();
    let (whole, killed) = (furnished().await, furnished().await);
    let import = ["import", "products", path, "--currency", "EUR"];
    let output = run_command(&whole, &import).await;
    assert!(output.status.success(), "{output:?}");

    let address = killed.address();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_emporion"));
    command.args(import).args(["--database-url", &address]).env("EMPORION_FAILPOINT", "import.chunk");
    let output = tokio::time::timeout(PATIENCE * 2, command.output()).await.unwrap().unwrap();
    assert!(!output.status.success(), "{output:?}");
    let db = Db::open(&killed.url).await.unwrap();
    let conn = db.read(&StatementCount::default());
    let broken: Vec<job::Model> = job::Entity::find().all(&conn).await.unwrap();
    assert_eq!((broken.len(), broken[0].state), (1, JobState::Running));
    assert!((1..700).contains(&broken[0].done), "{}", broken[0].done);
    // The lost process held the job until now.
    let tx = db.begin(&StatementCount::default()).await.unwrap();
    let sql = "update job set lease_until = ? where state = 'RUNNING'";
    tx.execute_raw(statement(&tx, sql, [(Utc::now() - TimeDelta::minutes(1)).into()])).await.unwrap();
    tx.commit().await.unwrap();

    let output = run_command(&killed, &import).await;
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "created 700, updated 0, unchanged 0, refused 0\n", "nothing was done twice");
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken off at product"), "{output:?}");
    let other = Db::open(&whole.url).await.unwrap();
    let (expected, found) = (contents(&other).await, contents(&db).await);
    for (table, rows) in &expected {
        assert!(!rows.is_empty(), "{table} is empty");
        assert_eq!(found.get(table), Some(rows), "{table}");
    }
    let output = run_command(&killed, &import).await;
    assert_eq!(String::from_utf8_lossy(&output.stdout), "created 0, updated 0, unchanged 700, refused 0\n");
    assert_eq!(repo::find(&conn, broken[0].id).await.unwrap().unwrap().state, JobState::Succeeded);
    db.close().await;
    other.close().await;
}

/// A mistake of ours ends one try at a job, not the loop that works on jobs.
#[tokio::test]
async fn a_job_that_panics_is_tried_again() {
    let database = TestDatabase::empty().await;
    let once = [("EMPORION_FAILPOINT", "panic-once:job.begun")];
    let mut node = Node::start(&database, &["--demo"], &once).await;
    let (owner, text) = (node.owner().await, file(2));
    let upload = stage(&owner, "text/csv", text.len()).await.done()["stagedUpload"].clone();
    let address = format!("{}{}", node.store_url.trim_end_matches("/store/graphql"), upload["url"].as_str().unwrap());
    let request = reqwest::Client::new().put(address).header("content-type", "text/csv").body(text);
    assert_eq!(request.send().await.unwrap().status(), 201);
    let query = format!(
        "mutation($id: ID!) {{ productImport(input: {{ stagedUploadId: $id, currencyCode: \"EUR\" }}) {{ {JOB}
            userErrors {{ code message }} }} }}"
    );
    let begun = owner.send(&query, json!({ "id": upload["id"] })).await.done()["job"].clone();
    let job = ended(&owner, &id_of(&begun)).await;
    assert_eq!((&job["state"], &job["created"], &job["attempts"]), (&json!("SUCCEEDED"), &json!(2), &json!(2)));
    let failed = node.process.logged("a job was interrupted");
    assert_eq!(failed.iter().map(|record| &record["level"]).collect::<Vec<_>>(), ["ERROR"]);
    assert!(node.process.logged(TASK_ENDED).is_empty(), "the loop itself goes on");
    assert!(node.process.terminate().await.success());
}

#[tokio::test]
async fn the_command_line_imports_whatever_the_dialect() {
    let database = furnished().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let bad = format!("{folder}/medusa/invalid-column.csv");
    let output = run_command(&database, &["import", "products", &bad]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.starts_with("row 1, column \"Product field\""), "{said}");
    assert!(said.ends_with("created 0, updated 0, unchanged 0, refused 0\n"), "{said}");
    let saleor = format!("{folder}/saleor/populatedb_data.json");
    let output = run_command(&database, &["import", "products", &saleor, "--dry-run", "--quiet"]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "created 32, updated 0, unchanged 0, refused 0 (dry run: nothing was written)\n", "{output:?}");
    let output = run_command(&database, &["import", "products", &saleor, "--dialect", "woo"]).await;
    assert!(String::from_utf8_lossy(&output.stderr).contains("medusa-v1"), "{output:?}");
}
