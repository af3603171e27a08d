//! Batches of codes: made, brought in and written out.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::faults;
use crate::support::invariants::invariants;
use crate::support::pictures::sent;
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
