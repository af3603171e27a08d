//! Invitations of staff, and passwords that were forgotten.

use chrono::TimeDelta;
use domain::auth::{OWNER, TokenPurpose, VIEWER};
use domain::id::StaffId;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{faults, mutate};
use crate::support::client::Answer;
use crate::support::people::STAFF_PASSWORD;
use crate::support::rows::Reader;

const PERSON: &str = "staff { id email active joinedAt roleAssignments { role { name } channelIds locationIds } }";

async fn role(shop: &Shop, name: &str) -> Value {
    let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
    roles.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap()["id"].clone()
}

async fn invite(shop: &Shop, email: &str) -> (StaffId, Value) {
    let channel = shop.admin.send("{ channels { id } }", json!({})).await.at("channels.0.id");
    let roles = json!([{ "roleId": role(shop, VIEWER).await, "channelIds": [channel] }]);
    let input = json!({ "email": email, "name": "Bob", "roles": roles });
    let made = shop.set("staffInvite", input, PERSON).await.done()["staff"].clone();
    (made["id"].as_str().unwrap().parse().unwrap(), made)
}

async fn accept(shop: &Shop, token: &str, password: &str) -> Answer {
    shop.stranger("staffInvitationAccept", json!({ "token": token, "password": password }), "staffId").await
}

#[tokio::test]
async fn an_invited_person_logs_in_once_he_has_accepted() {
    let shop = Shop::open().await;
    let (id, made) = invite(&shop, "Bob@shop.example").await;
    assert_eq!((&made["email"], &made["joinedAt"]), (&json!("bob@shop.example"), &json!(null)));
    let held = &made["roleAssignments"][0];
    assert_eq!((&held["role"]["name"], held["channelIds"].as_array().unwrap().len()), (&json!(VIEWER), 1));
    let wanted = json!({ "template": "staff.invitation", "staffId": id.to_string() });
    assert_eq!(shop.staff_mail_wanted(id).await, [wanted], "a mail is asked for by ids alone");

    let early = shop.staff_log_in("bob@shop.example", "").await;
    assert_eq!(early.refusals(), ["CREDENTIALS_INVALID"]);
    let token = shop.staff_mail(TokenPurpose::StaffInvitation, id).await.unwrap();
    assert_eq!(faults(&accept(&shop, &token, "short").await), ["INVALID password"]);
    assert_eq!(faults(&accept(&shop, "x", STAFF_PASSWORD).await), ["TOKEN_INVALID token"]);
    let done = accept(&shop, &token, STAFF_PASSWORD).await.done();
    assert_eq!(done["staffId"], json!(id.to_string()));
    let bob = shop.logged_in("bob@shop.example").await;
    let me = bob.send("{ me { email limits { channelIds } } }", json!({})).await;
    assert_eq!(me.at("me.email"), "bob@shop.example");
    assert_eq!(me.at("me.limits.0.channelIds"), held["channelIds"]);
    assert_eq!(faults(&accept(&shop, &token, STAFF_PASSWORD).await), ["TOKEN_INVALID token"], "once");
    assert_eq!(shop.staff_mail(TokenPurpose::StaffInvitation, id).await, None, "there is nothing to accept any more");
    let again = shop.set("staffInvitationResend", json!({ "id": id.to_string() }), PERSON).await;
    assert_eq!(faults(&again), ["STATE_INVALID id"]);
    let back = shop.set("staffInvitationRevoke", json!({ "id": id.to_string() }), "revokedId").await;
    assert_eq!(faults(&back), ["STATE_INVALID id"]);
}

#[tokio::test]
async fn a_newer_invitation_ends_the_older_and_each_ends_after_a_week() {
    let shop = Shop::open().await;
    let (id, _) = invite(&shop, "bob@shop.example").await;
    let first = shop.staff_mail(TokenPurpose::StaffInvitation, id).await.unwrap();
    shop.set("staffInvitationResend", json!({ "id": id.to_string() }), PERSON).await.done();
    assert_eq!(shop.staff_mail_wanted(id).await.len(), 2);
    let second = shop.staff_mail(TokenPurpose::StaffInvitation, id).await.unwrap();
    assert_eq!(faults(&accept(&shop, &first, STAFF_PASSWORD).await), ["TOKEN_INVALID token"]);
    shop.pass(TimeDelta::days(7));
    assert_eq!(faults(&accept(&shop, &second, STAFF_PASSWORD).await), ["TOKEN_INVALID token"]);
    let third = shop.staff_mail(TokenPurpose::StaffInvitation, id).await.unwrap();
    shop.pass(TimeDelta::days(7) - TimeDelta::seconds(1));
    accept(&shop, &third, STAFF_PASSWORD).await.done();
}

#[tokio::test]
async fn an_invitation_that_was_taken_back_opens_nothing_and_frees_the_address() {
    let shop = Shop::open().await;
    let (id, _) = invite(&shop, "bob@shop.example").await;
    let token = shop.staff_mail(TokenPurpose::StaffInvitation, id).await.unwrap();
    let back = shop.set("staffInvitationRevoke", json!({ "id": id.to_string() }), "revokedId").await.done();
    assert_eq!(back["revokedId"], json!(id.to_string()));
    assert_eq!(faults(&accept(&shop, &token, STAFF_PASSWORD).await), ["TOKEN_INVALID token"]);
    assert_eq!(shop.staff_mail(TokenPurpose::StaffInvitation, id).await, None);
    let (other, _) = invite(&shop, "bob@shop.example").await;
    assert_ne!(other, id);
}

#[tokio::test]
async fn nobody_invites_beyond_what_he_holds_and_each_fault_is_named() {
    let shop = Shop::open().await;
    shop.person("ada@shop.example", VIEWER).await;
    let wrong = json!({ "email": "x", "name": "", "roles": [] });
    let refused = shop.set("staffInvite", wrong, PERSON).await;
    assert_eq!(faults(&refused), ["INVALID email", "REQUIRED name", "REQUIRED roles"]);
    let owner = role(&shop, OWNER).await;
    let taken = json!({ "email": "ADA@shop.example", "name": "Ada", "roles": [{ "roleId": owner }] });
    assert_eq!(faults(&shop.set("staffInvite", taken, PERSON).await), ["TAKEN email"]);

    let input = json!({ "name": "Access", "permissions": ["ACCESS_READ", "ACCESS_WRITE"] });
    shop.set("roleSet", input, "role { id }").await.done();
    let lesser = shop.staff("Access").await;
    let beyond = json!({ "email": "eve@shop.example", "name": "Eve", "roles": [{ "roleId": owner }] });
    let refused = mutate(&lesser, "Admin", "staffInvite", beyond.clone(), PERSON).await;
    assert_eq!(faults(&refused), ["GRANT_EXCEEDS_OWN roles"]);
    let (id, _) = invite(&shop, "bob@shop.example").await;
    for (mutation, selection) in [("staffInvitationResend", "staff { id }"), ("staffInvitationRevoke", "revokedId")] {
        let refused = mutate(&lesser, "Admin", mutation, json!({ "id": id.to_string() }), selection).await;
        assert_eq!(faults(&refused), ["GRANT_EXCEEDS_OWN id"], "{mutation}");
    }
    let viewer = shop.staff(VIEWER).await;
    assert_eq!(mutate(&viewer, "Admin", "staffInvite", beyond, PERSON).await.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn an_invited_owner_is_not_the_owner_that_the_shop_keeps() {
    let shop = Shop::open().await;
    let owner = role(&shop, OWNER).await;
    let input = json!({ "email": "bob@shop.example", "name": "Bob", "roles": [{ "roleId": owner }] });
    shop.set("staffInvite", input, PERSON).await.done();
    let me = shop.admin.send("{ me { id } }", json!({})).await.at("me.id");
    let down = json!({ "id": me, "roleIds": [role(&shop, VIEWER).await] });
    assert_eq!(faults(&shop.set("staffUpdate", down, PERSON).await), ["IN_USE roleIds"]);
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_mail_and_ends_every_session() {
    let shop = Shop::open().await;
    let id = shop.person("ada@shop.example", VIEWER).await;
    let ada = shop.logged_in("ada@shop.example").await;
    let ask = |email: &'static str| shop.stranger("staffRecoveryRequest", json!({ "email": email }), "accepted");
    let (known, unknown) = (ask("ADA@shop.example").await, ask("nobody@shop.example").await);
    assert_eq!(known.body, unknown.body, "the answer tells nobody who has access");
    assert_eq!(known.done()["accepted"], json!(true));
    assert_eq!(faults(&ask("x").await), ["INVALID email"]);
    let wanted = json!({ "template": "staff.recovery", "staffId": id.to_string() });
    assert_eq!(shop.staff_mail_wanted(id).await, [wanted]);

    let token = shop.staff_mail(TokenPurpose::StaffRecovery, id).await.unwrap();
    let recover = |token: String, password: &'static str| {
        shop.stranger("staffRecover", json!({ "token": token, "password": password }), "recovered")
    };
    assert_eq!(faults(&recover(token.clone(), "short").await), ["INVALID password"]);
    assert_eq!(faults(&accept(&shop, &token, STAFF_PASSWORD).await), ["TOKEN_INVALID token"], "no invitation");
    let customer = json!({ "token": token, "password": "a much better one" });
    let foreign = shop.guest("customerPasswordReset", customer, "reset").await;
    assert_eq!(faults(&foreign), ["TOKEN_INVALID token"], "no customer's token");
    recover(token.clone(), "a much better one").await.done();
    assert_eq!(ada.send("{ me { id } }", json!({})).await.status, 401);
    assert_eq!(shop.staff_log_in("ada@shop.example", STAFF_PASSWORD).await.refusals(), ["CREDENTIALS_INVALID"]);
    shop.staff_log_in("ada@shop.example", "a much better one").await.done();
    assert_eq!(faults(&recover(token, "another good one").await), ["TOKEN_INVALID token"]);

    let late = shop.staff_mail(TokenPurpose::StaffRecovery, id).await.unwrap();
    shop.pass(TimeDelta::hours(1));
    assert_eq!(faults(&recover(late, "another good one").await), ["TOKEN_INVALID token"]);
    let last = shop.staff_mail(TokenPurpose::StaffRecovery, id).await.unwrap();
    let owner = shop.staff(OWNER).await;
    let lock_out = json!({ "id": id.to_string(), "active": false });
    mutate(&owner, "Admin", "staffUpdate", lock_out, PERSON).await.done();
    assert_eq!(faults(&recover(last, "another good one").await), ["TOKEN_INVALID token"], "locked out is locked out");
    assert_eq!(shop.staff_mail(TokenPurpose::StaffRecovery, id).await, None);
}

#[tokio::test]
async fn mail_to_one_address_is_asked_for_ten_times_and_then_waited_for() {
    let shop = Shop::open().await;
    let id = shop.person("ada@shop.example", VIEWER).await;
    for _ in 0..10 {
        shop.stranger("staffRecoveryRequest", json!({ "email": "ada@shop.example" }), "accepted").await.done();
    }
    let refused = shop.stranger("staffRecoveryRequest", json!({ "email": "ada@shop.example" }), "accepted").await;
    assert_eq!(refused.refusals(), ["THROTTLED"]);
    assert_eq!(shop.staff_mail_wanted(id).await.len(), 10);
}

#[tokio::test]
async fn a_wish_to_recover_costs_the_same_work_for_every_address() {
    let shop = Shop::open().await;
    let known = shop.person("ada@shop.example", VIEWER).await;
    let locked = shop.person("locked@shop.example", VIEWER).await;
    shop.set("staffUpdate", json!({ "id": locked.to_string(), "active": false }), "staff { id }").await.done();
    let (invited, _) = invite(&shop, "invited@shop.example").await;
    let before = shop.staff_mail_wanted(invited).await.len();
    let rows = Reader::of(&shop).await;
    let written = async || {
        let tries = "select cast(coalesce(sum(count), 0) as bigint) from access_attempt";
        let conn = shop.app.read();
        let row = conn.query_one_raw(engine::db::statement(&conn, tries, [])).await.unwrap().unwrap();
        (rows.rows(&shop).await, row.try_get_by_index::<i64>(0).unwrap())
    };
    let mut costs = Vec::new();
    for name in ["ada", "locked", "invited", "nobody"] {
        let (rows, tries) = written().await;
        let input = json!({ "email": format!("{name}@shop.example") });
        let answer = shop.stranger("staffRecoveryRequest", input, "accepted").await;
        let (rows_then, tries_then) = written().await;
        // Three counts are of the wish itself: here, of this place, and everywhere; what comes behind them waits for the disk too.
        assert!(rows_then != rows || tries_then > tries + 3, "{name} is answered without a write");
        costs.push((answer.body.clone(), answer.statements));
    }
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
    let wanted = [shop.staff_mail_wanted(known).await.len(), shop.staff_mail_wanted(locked).await.len()];
    assert_eq!((wanted, shop.staff_mail_wanted(invited).await.len()), ([1, 0], before));
}
