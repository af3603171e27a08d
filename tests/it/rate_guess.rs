//! Guessing: passwords, codes, one password on many accounts, and what an
//! attacker can do to the owner of an account.

use async_graphql::Request;
use chrono::TimeDelta;
use domain::auth::TokenPurpose;
use emporion::api::call::Call;
use emporion::api::store_schema;
use engine::actor::{Actor, Caller};
use engine::auth::attempt::{Attempt, MAX_ATTEMPTS, MAX_FROM_EVERYWHERE, MAX_FROM_ONE_PLACE, count};
use engine::db::{StatementCount, statement};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::mutate;
use crate::support::client::Client;
use crate::support::customers::PASSWORD;
use crate::support::people::STAFF_PASSWORD;

/// Somebody without a name, from 10.0.x.y.
fn guest_at(place: u16) -> Caller {
    let [x, y] = place.to_be_bytes();
    Caller { from: Some([10, 0, x, y].into()), ..Caller::new(Actor::Guest) }
}

async fn log_in(client: &Client, email: &str, password: &str) -> Vec<String> {
    let input = json!({ "email": email, "password": password });
    mutate(client, "", "customerLogin", input, "customer { id }").await.refusals()
}

#[tokio::test]
async fn a_hundred_aliased_log_ins_are_a_refused_document_and_would_be_a_hundred_attempts() {
    let shop = Shop::open().await;
    shop.customer("ada@shopper.example").await;
    let login = |number| {
        let input = format!("{{ email: \"ada@shopper.example\", password: \"guess number {number}\" }}");
        format!("a{number}: customerLogin(input: {input}) {{ userErrors {{ code }} }} ")
    };
    let document = |count| format!("mutation {{ {} }}", (0..count).map(login).collect::<String>());
    let counted = async || {
        let conn = shop.app.read();
        let asked = statement(&conn, "select count(*) from access_attempt", []);
        let told: i64 = conn.query_one_raw(asked).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        told
    };
    let before = counted().await;
    for (count, measure) in [(2, "authentications"), (20, "authentications"), (60, "rootFields")] {
        let refused = shop.store.send(&document(count), json!({})).await;
        assert_eq!(refused.error_code(), "DOCUMENT_TOO_COSTLY");
        assert_eq!(refused.body["errors"][0]["extensions"]["measure"], measure);
    }
    assert_eq!(counted().await, before, "none of them was tried");

    // Were the document let through, each field would count by itself.
    let call = Call::new(shop.app.clone(), guest_at(1), None, None, None).unwrap();
    let answer = store_schema(false).execute(Request::new(document(100)).data(call)).await;
    let answer: Value = serde_json::to_value(&answer).unwrap();
    let codes: Vec<&str> = (0..100)
        .map(|number| answer["data"][format!("a{number}")]["userErrors"][0]["code"].as_str().unwrap())
        .collect();
    let (tried, throttled) = codes.split_at(MAX_ATTEMPTS as usize);
    assert!(tried.iter().all(|code| *code == "CREDENTIALS_INVALID"), "{codes:?}");
    assert!(throttled.iter().all(|code| *code == "THROTTLED"), "{codes:?}");
}

#[tokio::test]
async fn what_can_t_be_counted_is_not_tried() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    shop.person("ben@shop.example", "viewer").await;
    let begun = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    begun.execute_unprepared("alter table access_attempt rename to gone").await.unwrap();
    begun.commit().await.unwrap();
    let right = json!({ "email": ada.email, "password": PASSWORD });
    let answer = shop.guest("customerLogin", right, "tokens { accessToken }").await;
    assert!(answer.body["data"]["customerLogin"]["tokens"].is_null(), "{}", answer.body);
    assert_eq!(answer.error_code(), "INTERNAL");
    let right = json!({ "email": "ben@shop.example", "password": STAFF_PASSWORD });
    let answer = mutate(&shop.anonymous_admin, "Admin", "staffLogin", right, "tokens { accessToken }").await;
    assert!(answer.body["data"]["staffLogin"]["tokens"].is_null(), "{}", answer.body);
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
    let answer = ada.mutate("customerPasswordChange", change, "changed").await;
    assert_eq!(answer.error_code(), "INTERNAL");
}

#[tokio::test]
async fn one_password_is_not_tried_on_a_thousand_accounts() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let elsewhere = shop.store.at("127.0.0.2");
    let mut thief = Caller::new(Actor::Guest);
    thief.from = Some([127, 0, 0, 2].into());
    for number in 0..MAX_FROM_ONE_PLACE {
        let email = format!("shopper{number}@shopper.example");
        count(&shop.app, &thief, Attempt::CustomerPassword, &email).await.unwrap();
    }
    for email in [&ada.email, "nobody@shopper.example"] {
        assert_eq!(log_in(&elsewhere, email, PASSWORD).await, ["THROTTLED"], "{email}");
        assert_eq!(log_in(&shop.store, email, "wrong password").await, ["CREDENTIALS_INVALID"], "{email}");
    }
    // An office may well log in more often than that: only what was wrong is left.
    let office = Caller { from: Some([127, 0, 0, 3].into()), ..thief };
    for _ in 0..MAX_FROM_ONE_PLACE - 1 {
        let email = format!("{}@shopper.example", uuid::Uuid::new_v4().simple());
        count(&shop.app, &office, Attempt::CustomerPassword, &email).await.unwrap();
    }
    for _ in 0..3 {
        assert_eq!(log_in(&shop.store.at("127.0.0.3"), &ada.email, PASSWORD).await, [""; 0]);
    }
    shop.pass(TimeDelta::minutes(16));
    assert_eq!(log_in(&elsewhere, &ada.email, PASSWORD).await, [""; 0]);
}

#[tokio::test]
async fn who_has_the_mailbox_gets_in_whatever_others_try() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let attack = async || {
        for guess in 0..MAX_FROM_EVERYWHERE + 10 {
            let _ = count(&shop.app, &guest_at((guess / 10) as u16), Attempt::CustomerPassword, &ada.email).await;
        }
    };
    attack().await;
    assert_eq!(log_in(&shop.store, &ada.email, PASSWORD).await, ["THROTTLED"], "from everywhere it is enough");
    assert_eq!(ada.client.send("{ customer { id } }", json!({})).await.status, 200, "who is in stays in");
    // Whoever asked for the mail: she has it.
    let token = shop.mailed(TokenPurpose::PasswordRecovery, ada.id).await;
    let reset = json!({ "token": token, "password": "a new password" });
    shop.guest("customerPasswordReset", reset, "reset").await.done();
    attack().await;
    assert_eq!(log_in(&shop.store, &ada.email, "a new password").await, [""; 0]);
    assert_eq!(log_in(&shop.store.at("127.0.0.2"), &ada.email, "a new password").await, ["THROTTLED"]);
    // That she is trusted here gives nobody more guesses from here.
    for _ in 0..MAX_ATTEMPTS {
        assert_eq!(log_in(&shop.store, &ada.email, "wrong password").await, ["CREDENTIALS_INVALID"]);
    }
    assert_eq!(log_in(&shop.store, &ada.email, "a new password").await, ["THROTTLED"]);
}

#[tokio::test]
async fn an_open_session_of_staff_guesses_its_password_ten_times() {
    let shop = Shop::open().await;
    shop.person("ben@shop.example", "viewer").await;
    let right = json!({ "email": "ben@shop.example", "password": STAFF_PASSWORD });
    let tokens = mutate(&shop.anonymous_admin, "Admin", "staffLogin", right, "tokens { accessToken }").await.done();
    let ben = shop.anonymous_admin.bearer(tokens["tokens"]["accessToken"].as_str().unwrap());
    let change = async |current: &str| {
        let input = json!({ "currentPassword": current, "newPassword": "another long password" });
        mutate(&ben, "Admin", "staffPasswordChange", input, "staffId").await.refusals()
    };
    let long = "x".repeat(5_000);
    for guess in 0..MAX_ATTEMPTS {
        let guess = if guess == 0 { long.clone() } else { format!("guess number {guess}") };
        assert_eq!(change(&guess).await, ["CREDENTIALS_INVALID"]);
    }
    assert_eq!(change(STAFF_PASSWORD).await, ["THROTTLED"]);
    shop.pass(TimeDelta::minutes(14));
    assert_eq!(change(STAFF_PASSWORD).await, ["THROTTLED"]);
}
