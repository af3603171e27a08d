//! Batches of codes: made, brought in and written out.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use domain::job::JobState;
use engine::actor::Caller;
use engine::db::{Db, StatementCount, statement};
use engine::promotion::ops::DeletePromotion;
use engine::promotion::repo::codes::GO;
use entity::{job, promotion_code};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{eventually, faults, mutate};
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::node::Node;
use crate::support::pictures::{sent, stage};
use crate::support::promoting::percent_off;
use crate::support::socket::PATIENCE;

const JOB: &str = "job { id kind state done total created unchanged refused
    errors { row column value message code } failure }";

/// A job once it has ended.
async fn ended(shop: &Shop, job: &Value) -> Value {
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

/// Every code of a promotion, as the parts of the file say.
async fn written(shop: &Shop, promotion: &str, batch: Option<&str>) -> Vec<String> {
    let query = "query($id: ID!, $batch: String, $after: String) {
        promotionCodesCsv(promotionId: $id, batch: $batch, after: $after) { text codes next } }";
    let (mut text, mut after) = (String::new(), Value::Null);
    loop {
        let part = shop.admin.send(query, json!({ "id": promotion, "batch": batch, "after": after })).await;
        let part = part.at("promotionCodesCsv");
        text += part["text"].as_str().unwrap();
        after = part["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("code,batch,endsAt,uses"));
    lines.map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_batch_is_made_unlike_every_other_and_each_code_works_once() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 50).await;
    let limits = json!({ "limits": { "perCode": 1 } });
    let id = shop.promotion("Letter", "CODE", percent_off("10"), limits).await;
    let input = json!({ "promotionId": id, "batch": "Letter 1", "count": 6_001, "prefix": "vip", "length": 7 });
    let refused = shop.set("promotionCodesMake", input.clone(), JOB).await;
    assert_eq!(faults(&refused), ["INVALID length"], "so many of so few could be guessed");
    let mut input = input;
    input["length"] = json!(12);
    let made = ended(&shop, &shop.set("promotionCodesMake", input.clone(), JOB).await.done()["job"]).await;
    assert_eq!((&made["state"], &made["kind"]), (&json!("SUCCEEDED"), &json!("CODE_BATCH")));
    assert_eq!((&made["done"], &made["total"], &made["created"]), (&json!(6_001), &json!(6_001), &json!(6_001)));
    assert_eq!(faults(&shop.set("promotionCodesMake", input, JOB).await), ["TAKEN batch"]);
    let codes = written(&shop, &id, Some("Letter 1")).await;
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 6_001);
    assert!(codes.iter().all(|code| code.len() == 18 && code.starts_with("VIP-")), "{}", codes[0]);
    assert_eq!(written(&shop, &id, Some("Letter 2")).await, [""; 0]);

    let mut first = shop.ready_cart(&[(&tee, 1)], "manual").await;
    first.enter(&[&codes[0].to_lowercase()]).await;
    first.complete("1").await.done();
    let mut second = shop.ready_cart(&[(&tee, 1)], "manual").await;
    assert_eq!(second.verdicts(&[&codes[0]]).await, [format!("{} LIMIT_REACHED", codes[0])]);
    assert_eq!(second.verdicts(&[&codes[1]]).await, [format!("{} APPLIED", codes[1])]);
    let query = "query($code: String!) { promotionCode(code: $code) { code batch uses } }";
    let told = shop.admin.send(query, json!({ "code": codes[0].to_lowercase() })).await.at("promotionCode");
    assert_eq!(told, json!({ "code": codes[0], "batch": "Letter 1", "uses": 1 }));
    let list = "query($id: ID!) { promotionCodes(promotionId: $id, first: 2) { totalCount nodes { id code } } }";
    let listed = shop.admin.send(list, json!({ "id": id })).await.at("promotionCodes");
    assert_eq!((&listed["totalCount"], listed["nodes"].as_array().unwrap().len()), (&json!(6_001), 2));
    let gone = json!({ "ids": [listed["nodes"][0]["id"]] });
    shop.set("promotionCodesDelete", gone, "deletedIds").await.done();
    let code = listed["nodes"][0]["code"].as_str().unwrap();
    assert_eq!(second.verdicts(&[code]).await, [format!("{code} UNKNOWN")]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_file_of_codes_is_brought_in_whole_or_not_and_again_without_effect() {
    let shop = Shop::open().await;
    let id = shop.promotion("Letter", "CODE", percent_off("10"), json!({})).await;
    let other = shop.promotion("Other", "CODE", percent_off("20"), json!({})).await;
    shop.code(&other, "TAKEN").await;
    let import = async |text: &str, on_error: &str| {
        let upload = sent(&shop, "text/csv", text.as_bytes()).await;
        let input = json!({ "promotionId": id, "batch": "Brought", "stagedUploadId": upload, "onError": on_error });
        let started = shop.set("promotionCodesImport", input, JOB).await.done()["job"].clone();
        ended(&shop, &started).await
    };
    let text = "code\nspring-1\nTaken\nno blanks\nspring-2\nSPRING-1\nspring-1\n";
    let refused = import(text, "ABORT").await;
    assert_eq!((&refused["state"], &refused["refused"]), (&json!("FAILED"), &json!(2)));
    let errors: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|error| json!([error["row"], error["code"]])).collect();
    assert_eq!(json!(errors), json!([[4, "INVALID"], [3, "TAKEN"]]));
    assert_eq!(written(&shop, &id, None).await, [""; 0]);
    let skipped = import(text, "SKIP_ROW").await;
    let counts = ["created", "unchanged", "refused"].map(|name| skipped[name].as_i64().unwrap());
    assert_eq!((&skipped["state"], counts), (&json!("SUCCEEDED"), [2, 2, 2]));
    assert_eq!(written(&shop, &id, Some("Brought")).await, ["SPRING-1", "SPRING-2"]);
    let again = import("code,uses\nSPRING-2,7\nSPRING-3,0\n", "ABORT").await;
    let counts = ["created", "unchanged", "refused"].map(|name| again[name].as_i64().unwrap());
    assert_eq!((&again["state"], counts), (&json!("SUCCEEDED"), [1, 1, 0]));
    let broken = import("kode\nA-B-C\n", "ABORT").await;
    assert_eq!((&broken["state"], broken["errors"].as_array().unwrap().len()), (&json!("FAILED"), 2));
    invariants(&shop).await;
}

/// A process whose staff make and bring codes, and what they make them of: `begin` starts a job.
struct Codes {
    database: TestDatabase,
    promotion: String,
}

impl Codes {
    async fn open(variables: &[(&str, &str)]) -> (Self, Node, Client) {
        let database = TestDatabase::copy().await;
        let mut node = Node::start(&database, &["--demo"], variables).await;
        let owner = node.owner().await;
        let input = json!({ "title": "Letter", "method": "CODE", "offer": percent_off("10") });
        let made = mutate(&owner, "Admin", "promotionCreate", input, "promotion { id }").await.done();
        let promotion = made["promotion"]["id"].as_str().unwrap().to_owned();
        (Self { database, promotion }, node, owner)
    }

    /// How often each code is in use, the job, and how many there are.
    async fn found(&self, db: &Db) -> (usize, usize, job::Model) {
        let conn = db.read(&StatementCount::default());
        let rows = promotion_code::Entity::find().all(&conn).await.unwrap();
        let distinct: BTreeSet<&str> = rows.iter().map(|row| row.code.as_str()).collect();
        (rows.len(), distinct.len(), job::Entity::find().one(&conn).await.unwrap().unwrap())
    }

    async fn found_job(&self, db: &Db) -> job::Model {
        job::Entity::find().one(&db.read(&StatementCount::default())).await.unwrap().unwrap()
    }

    /// Another process goes on with what the lost one held; answers with the job once it has ended.
    async fn go_on(&self, db: &Db) -> job::Model {
        let conn = db.begin(&StatementCount::default()).await.unwrap();
        let past = Utc::now() - TimeDelta::minutes(1);
        let sql = "update job set lease_until = ? where state = 'RUNNING'";
        conn.execute_raw(statement(&conn, sql, [past.into()])).await.unwrap();
        conn.commit().await.unwrap();
        let mut node = Node::start(&self.database, &[], &[]).await;
        eventually("the job ends", async || self.found(db).await.2.state != JobState::Running).await;
        assert!(node.process.terminate().await.success());
        self.found(db).await.2
    }
}

#[tokio::test]
async fn a_batch_that_is_killed_in_the_middle_makes_as_many_codes_as_were_wanted() {
    let (codes, mut node, owner) = Codes::open(&[("EMPORION_FAILPOINT", "code_batch.chunk")]).await;
    let input = json!({ "promotionId": codes.promotion, "batch": "Letter 1", "count": 6_001 });
    mutate(&owner, "Admin", "promotionCodesMake", input, JOB).await.done();
    assert!(!node.process.ended().await.success());
    let db = Db::open(&codes.database.url).await.unwrap();
    let (rows, _, broken) = codes.found(&db).await;
    assert_eq!((rows as i64, broken.state), (broken.done, JobState::Running));
    assert!((1..6_001).contains(&rows), "{rows}");
    let ended = codes.go_on(&db).await;
    assert_eq!((ended.state, ended.done, ended.created), (JobState::Succeeded, 6_001, 6_001));
    let (rows, distinct, _) = codes.found(&db).await;
    assert_eq!((rows, distinct), (6_001, 6_001), "each code once");
    db.close().await;
}

#[tokio::test]
async fn an_import_of_codes_that_is_killed_in_the_middle_brings_each_code_once() {
    let (codes, mut node, owner) = Codes::open(&[("EMPORION_FAILPOINT", "code_import.chunk")]).await;
    let text: String = (0..5_000).map(|number| format!("\r\nspring-{number}")).collect();
    let text = format!("code{text}");
    let upload = stage(&owner, "text/csv", text.len()).await.done()["stagedUpload"].clone();
    let address = format!("{}{}", node.store_url.trim_end_matches("/store/graphql"), upload["url"].as_str().unwrap());
    let request = reqwest::Client::new().put(address).header("content-type", "text/csv").body(text);
    assert_eq!(request.send().await.unwrap().status(), 201);
    let input = json!({ "promotionId": codes.promotion, "batch": "Brought", "stagedUploadId": upload["id"] });
    mutate(&owner, "Admin", "promotionCodesImport", input, JOB).await.done();
    assert!(!node.process.ended().await.success());
    let db = Db::open(&codes.database.url).await.unwrap();
    let (rows, _, broken) = codes.found(&db).await;
    assert_eq!((rows as i64, broken.state), (broken.done, JobState::Running));
    assert!((1..5_000).contains(&rows), "{rows}");
    let ended = codes.go_on(&db).await;
    assert_eq!((ended.state, ended.created, ended.unchanged), (JobState::Succeeded, 5_000, 0));
    let (rows, distinct, _) = codes.found(&db).await;
    assert_eq!((rows, distinct), (5_000, 5_000), "each code once");
    db.close().await;
}

/// The codes of a promotion that is deleted go some at a time. Nobody sees them meanwhile, and whoever wants one gets it.
#[tokio::test]
async fn the_codes_of_a_promotion_that_is_deleted_go_in_small_transactions() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 50).await;
    let id = shop.promotion("Letter", "CODE", percent_off("10"), json!({})).await;
    let input = json!({ "promotionId": id, "batch": "Letter 1", "count": 6_001 });
    ended(&shop, &shop.set("promotionCodesMake", input, JOB).await.done()["job"]).await;
    let codes = written(&shop, &id, None).await;
    let left = async || {
        let find = promotion_code::Entity::find().filter(promotion_code::Column::DeletedAt.is_null());
        find.count(&shop.app.read()).await.unwrap()
    };
    // Its own sweeper is quick; what one transaction does is seen within the one that deletes.
    let (app, caller) = (&shop.app, Caller::system());
    let deleted = DeletePromotion { id: id.parse().unwrap(), expected_version: None };
    app.run(&caller, &deleted).await.unwrap();
    assert!(left().await <= 6_001 - GO, "some go at once");
    let last = codes.last().unwrap();
    let query = "query($code: String!, $id: ID!) { promotionCode(code: $code) { code }
        promotionCodes(promotionId: $id) { totalCount } }";
    let told = shop.admin.send(query, json!({ "code": last, "id": id })).await;
    assert_eq!((told.at("promotionCode"), told.at("promotionCodes.totalCount")), (Value::Null, json!(0)));
    assert_eq!(written(&shop, &id, None).await, [""; 0]);
    let mut cart = shop.cart(&[(&tee, 1)]).await;
    assert_eq!(cart.verdicts(&[last]).await, [format!("{last} UNKNOWN")]);
    let other = shop.promotion("Other", "CODE", percent_off("20"), json!({})).await;
    shop.code(&other, last).await;
    assert_eq!(cart.verdicts(&[last]).await, [format!("{last} APPLIED")]);
    eventually("all of them go", async || left().await == 1).await;
    assert_eq!(cart.verdicts(&[last]).await, [format!("{last} APPLIED")]);
    invariants(&shop).await;
}

/// How many codes there are in the long form: `EMPORION_TEST_CODES`, such as 1000000.
fn many() -> usize {
    std::env::var("EMPORION_TEST_CODES").map_or(10_000, |codes| codes.parse().unwrap())
}

/// Made, counted, written out and deleted: none takes memory by the number of codes, none holds others up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_codes_are_made_written_and_deleted_in_little_memory_and_nobody_waits() {
    let (codes, mut node, owner) = Codes::open(&[]).await;
    let many = many();
    let before = node.process.memory();
    let watched = Instant::now();
    let mut peak = before;
    let input = json!({ "promotionId": codes.promotion, "batch": "Letter 1", "count": many });
    mutate(&owner, "Admin", "promotionCodesMake", input, JOB).await.done();
    let db = Db::open(&codes.database.url).await.unwrap();
    loop {
        peak = peak.max(node.process.memory());
        let job = codes.found_job(&db).await;
        if job.state != JobState::Running && job.state != JobState::Queued {
            assert_eq!((job.state, job.created), (JobState::Succeeded, many as i64));
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let made = watched.elapsed();

    let watched = Instant::now();
    let query = "query($id: ID!) { promotion(id: $id) { codesCount } promotionCodes(promotionId: $id, first: 250) {
        totalCount nodes { code } } }";
    let told = owner.send(query, json!({ "id": codes.promotion })).await;
    assert_eq!(told.at("promotion.codesCount"), json!(many));
    let counted = watched.elapsed();

    let watched = Instant::now();
    let query = "query($id: ID!, $after: String) { promotionCodesCsv(promotionId: $id, after: $after) {
        text codes next } }";
    let (mut written, mut after) = (0, Value::Null);
    loop {
        let part = owner.send(query, json!({ "id": codes.promotion, "after": after })).await.at("promotionCodesCsv");
        written += part["codes"].as_u64().unwrap() as usize;
        after = part["next"].clone();
        peak = peak.max(node.process.memory());
        if after.is_null() {
            break;
        }
    }
    assert_eq!(written, many);
    let exported = watched.elapsed();

    // Beside it somebody else writes, all the time.
    let watched = Instant::now();
    mutate(&owner, "Admin", "promotionDelete", json!({ "id": codes.promotion }), "deletedId").await.done();
    let deleted = watched.elapsed();
    let mut slowest = Duration::ZERO;
    loop {
        let one = Instant::now();
        let input = json!({ "title": "Beside", "method": "CODE", "offer": percent_off("10") });
        mutate(&owner, "Admin", "promotionCreate", input, "promotion { id }").await.done();
        slowest = slowest.max(one.elapsed());
        peak = peak.max(node.process.memory());
        let find = promotion_code::Entity::find().filter(promotion_code::Column::DeletedAt.is_null());
        if find.one(&db.read(&StatementCount::default())).await.unwrap().is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let gone = watched.elapsed();
    let grown = peak.saturating_sub(before) / 1024 / 1024;
    println!(
        "{many} codes: made in {made:?}, counted in {counted:?}, written in {exported:?}; deleted in {deleted:?}, all \
         gone in {gone:?}, meanwhile the slowest write took {slowest:?}; memory grew by {grown} MiB"
    );
    assert!(grown < 200, "{grown} MiB");
    assert!(deleted < Duration::from_secs(5) && slowest < Duration::from_secs(5), "{deleted:?} {slowest:?}");
    assert!(node.process.terminate().await.success());
    db.close().await;
}
