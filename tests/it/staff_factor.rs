//! The second factor of staff.

use chrono::TimeDelta;
use domain::auth::{OWNER, TokenPurpose, VIEWER};
use engine::auth::factor::code_at;
use engine::auth::vault::Vault;
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{faults, mutate};
use crate::support::client::{Answer, Client};
use crate::support::node::run_command;
use crate::support::people::{AuthenticatorApp, STAFF_PASSWORD};

const ADA: &str = "ada@shop.example";
const STATE: &str = "{ staffSecondFactor { enabled required passed recoveryCodesLeft } }";

async fn scene(role: &str) -> (Shop, Client) {
    let shop = Shop::open().await;
    shop.at_a_new_code();
    shop.person(ADA, role).await;
    let ada = shop.logged_in(ADA).await;
    (shop, ada)
}

async fn challenge(shop: &Shop) -> Value {
    let answer = shop.staff_log_in(ADA, STAFF_PASSWORD).await.done();
    assert_eq!((&answer["tokens"], &answer["secondFactorRequired"]), (&json!(null), &json!(true)));
    answer["challenge"].clone()
}

async fn finish(shop: &Shop, challenge: &Value, code: &str) -> Answer {
    let input = json!({ "challenge": challenge, "code": code });
    shop.stranger("staffLoginSecondFactor", input, "tokens { accessToken }").await
}

async fn admin(client: &Client, mutation: &str, input: Value, selection: &str) -> Answer {
    mutate(client, "Admin", mutation, input, selection).await
}

#[test]
fn codes_are_those_of_rfc_6238() {
    // Appendix B gives eight digits; six are the last of them.
    for (seconds, expected) in
        [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (20_000_000_000, "353130")]
    {
        assert_eq!(code_at(b"12345678901234567890", domain::totp::step(seconds)), expected, "{seconds}");
    }
}

#[test]
fn what_is_sealed_is_opened_by_its_owner_and_key_alone() {
    let (one, two) = ("a secret of thirty-two characters", "another one of thirty-two letters");
    let plain = Vault::new("shop", None).unwrap();
    let sealed = plain.seal("ada", b"hidden").unwrap();
    assert_eq!(plain.open("ada", &sealed).unwrap(), b"hidden");
    assert!(plain.open("bob", &sealed).is_err(), "bound to its owner");
    let keyed = Vault::new("shop", Some(one)).unwrap();
    assert_eq!(keyed.open("ada", &sealed).unwrap(), b"hidden", "what the shop's key sealed stays readable");
    let sealed = keyed.seal("ada", b"hidden").unwrap();
    assert!(!sealed.windows(6).any(|part| part == b"hidden"));
    assert!(
        plain.open("ada", &sealed).is_err() && Vault::new("shop", Some(two)).unwrap().open("ada", &sealed).is_err()
    );
    let mut damaged = sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(
        keyed.open("ada", &damaged).is_err() && keyed.open("ada", b"").is_err() && keyed.open("ada", b"\x01a").is_err()
    );
}

#[tokio::test]
async fn a_log_in_takes_a_password_and_then_a_code() {
    let (shop, ada) = scene(VIEWER).await;
    let other = shop.logged_in(ADA).await;
    let made = admin(&ada, "staffSecondFactorEnroll", json!({}), "secret otpauthUri").await.done();
    let secret = made["secret"].as_str().unwrap();
    let uri = format!("otpauth://totp/Emporion:ada@shop.example?secret={secret}&issuer=Emporion&period=30&digits=6");
    assert_eq!((secret.len(), &made["otpauthUri"]), (32, &json!(uri)));
    shop.logged_in(ADA).await;
    let app = AuthenticatorApp::of(secret);
    let wrong = admin(&ada, "staffSecondFactorConfirm", json!({ "code": "000000x" }), "recoveryCodes").await;
    assert_eq!(faults(&wrong), ["CREDENTIALS_INVALID code"]);
    let code = json!({ "code": app.code(&shop, 0) });
    let done = admin(&ada, "staffSecondFactorConfirm", code, "recoveryCodes").await.done();
    assert_eq!(done["recoveryCodes"].as_array().unwrap().len(), 10);
    let state = json!({ "enabled": true, "required": false, "passed": true, "recoveryCodesLeft": 10 });
    assert_eq!(ada.send(STATE, json!({})).await.at("staffSecondFactor"), state);
    assert_eq!(other.send("{ me { id } }", json!({})).await.status, 401, "sessions without it have ended");

    let challenge = challenge(&shop).await;
    assert_eq!(faults(&finish(&shop, &challenge, "000000x").await), ["CREDENTIALS_INVALID code"]);
    assert_eq!(
        faults(&finish(&shop, &challenge, &app.code(&shop, 0)).await),
        ["CREDENTIALS_INVALID code"],
        "the code that confirmed it was taken"
    );
    assert_eq!(faults(&finish(&shop, &json!("x"), &app.code(&shop, 1)).await), ["TOKEN_INVALID challenge"]);
    let done = finish(&shop, &challenge, &app.code(&shop, 1)).await.done();
    let session = shop.anonymous_admin.bearer(done["tokens"]["accessToken"].as_str().unwrap());
    assert_eq!(session.send("{ channels { handle } }", json!({})).await.at("channels.0.handle"), "default");
    let again = finish(&shop, &challenge, &app.code(&shop, 1)).await;
    assert_eq!(faults(&again), ["TOKEN_INVALID challenge"], "a challenge ends with its log-in");
}

#[tokio::test]
async fn a_code_is_taken_once_and_one_step_late_or_early() {
    let (shop, ada) = scene(VIEWER).await;
    let (app, _) = shop.with_app(&ada).await;
    shop.pass(TimeDelta::seconds(300));
    shop.at_a_new_code();
    for (steps, right) in
        [(-2, false), (2, false), (-1, true), (-1, false), (0, true), (0, false), (1, true), (0, false)]
    {
        let challenge = challenge(&shop).await;
        let answer = finish(&shop, &challenge, &app.code(&shop, steps)).await;
        assert_eq!(answer.refusals().is_empty(), right, "{steps}");
    }
}

#[tokio::test]
async fn a_challenge_ends_after_five_minutes_and_with_the_next() {
    let (shop, ada) = scene(VIEWER).await;
    let (app, _) = shop.with_app(&ada).await;
    let first = challenge(&shop).await;
    let second = challenge(&shop).await;
    shop.pass(TimeDelta::seconds(299));
    assert_eq!(faults(&finish(&shop, &first, &app.code(&shop, 0)).await), ["TOKEN_INVALID challenge"]);
    finish(&shop, &second, &app.code(&shop, 0)).await.done();
    let third = challenge(&shop).await;
    shop.pass(TimeDelta::minutes(5));
    assert_eq!(faults(&finish(&shop, &third, &app.code(&shop, 0)).await), ["TOKEN_INVALID challenge"]);
}

#[tokio::test]
async fn whoever_guesses_codes_gets_ten_tries() {
    let (shop, ada) = scene(VIEWER).await;
    let (app, codes) = shop.with_app(&ada).await;
    shop.pass(TimeDelta::minutes(1));
    let challenge = challenge(&shop).await;
    for _ in 0..10 {
        assert_eq!(finish(&shop, &challenge, "abc").await.refusals(), ["CREDENTIALS_INVALID"]);
    }
    assert_eq!(finish(&shop, &challenge, &app.code(&shop, 0)).await.refusals(), ["THROTTLED"], "even a right one");
    let codes = admin(&ada, "staffRecoveryCodesRegenerate", json!({ "code": codes[0] }), "recoveryCodes").await;
    assert_eq!(codes.refusals(), ["THROTTLED"], "every use of a code counts together");
}

#[tokio::test]
async fn a_recovery_code_stands_for_the_app_once() {
    let (shop, ada) = scene(VIEWER).await;
    let (app, codes) = shop.with_app(&ada).await;
    let typed = codes[3].to_uppercase().replace('-', " ");
    finish(&shop, &challenge(&shop).await, &typed).await.done();
    let again = finish(&shop, &challenge(&shop).await, &codes[3]).await;
    assert_eq!(faults(&again), ["CREDENTIALS_INVALID code"]);
    assert_eq!(ada.send(STATE, json!({})).await.at("staffSecondFactor.recoveryCodesLeft"), 9);

    shop.pass(TimeDelta::minutes(1));
    let renewed = json!({ "code": app.code(&shop, 0) });
    let renewed = admin(&ada, "staffRecoveryCodesRegenerate", renewed, "recoveryCodes").await.done();
    assert_eq!(finish(&shop, &challenge(&shop).await, &codes[0]).await.refusals(), ["CREDENTIALS_INVALID"]);
    let new = renewed["recoveryCodes"][0].as_str().unwrap();
    finish(&shop, &challenge(&shop).await, new).await.done();
}

#[tokio::test]
async fn a_second_factor_goes_with_password_and_code() {
    let (shop, ada) = scene(VIEWER).await;
    let disable = |password: &str, code: &str| {
        let input = json!({ "password": password, "code": code });
        let ada = ada.clone();
        async move { admin(&ada, "staffSecondFactorDisable", input, "staffId").await }
    };
    assert_eq!(disable(STAFF_PASSWORD, "123456").await.refusals(), ["STATE_INVALID"]);
    let (_, codes) = shop.with_app(&ada).await;
    let again = admin(&ada, "staffSecondFactorEnroll", json!({ "password": STAFF_PASSWORD }), "secret").await;
    assert_eq!(again.refusals(), ["STATE_INVALID"], "it isn't replaced unasked");
    assert_eq!(faults(&disable("wrong", &codes[0]).await), ["CREDENTIALS_INVALID password"]);
    assert_eq!(faults(&disable(STAFF_PASSWORD, "000000x").await), ["CREDENTIALS_INVALID code"]);
    disable(STAFF_PASSWORD, &codes[0]).await.done();
    let state = json!({ "enabled": false, "required": false, "passed": true, "recoveryCodesLeft": 0 });
    assert_eq!(ada.send(STATE, json!({})).await.at("staffSecondFactor"), state);
    shop.logged_in(ADA).await;
}

#[tokio::test]
async fn an_open_session_alone_neither_sets_a_second_factor_up_nor_removes_it() {
    let (shop, ada) = scene(VIEWER).await;
    let enroll = async |input: Value| admin(&ada, "staffSecondFactorEnroll", input, "secret").await;
    shop.pass(TimeDelta::minutes(5) - TimeDelta::seconds(1));
    enroll(json!({})).await.done();
    shop.pass(TimeDelta::seconds(1));
    assert_eq!(faults(&enroll(json!({})).await), ["CREDENTIALS_INVALID password"], "the log-in was five minutes ago");
    for wrong in ["", "wrong", &"x".repeat(2_000)] {
        assert_eq!(faults(&enroll(json!({ "password": wrong })).await), ["CREDENTIALS_INVALID password"]);
    }
    let secret = enroll(json!({ "password": STAFF_PASSWORD })).await.done()["secret"].clone();
    let app = AuthenticatorApp::of(secret.as_str().unwrap());
    let code = json!({ "code": app.code(&shop, 0) });
    let done = admin(&ada, "staffSecondFactorConfirm", code, "recoveryCodes").await.done();
    let codes: Vec<&str> =
        done["recoveryCodes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();

    let disable = async |who: &Client, input: Value| admin(who, "staffSecondFactorDisable", input, "staffId").await;
    assert_eq!(faults(&disable(&ada, json!({ "code": codes[0] })).await), ["CREDENTIALS_INVALID password"]);
    let answer = finish(&shop, &challenge(&shop).await, codes[1]).await.done();
    let fresh = shop.anonymous_admin.bearer(answer["tokens"]["accessToken"].as_str().unwrap());
    assert_eq!(faults(&disable(&fresh, json!({ "code": codes[1] })).await), ["CREDENTIALS_INVALID code"], "used");
    disable(&fresh, json!({ "code": codes[2] })).await.done();
}

#[tokio::test]
async fn refreshing_a_session_is_no_log_in() {
    let (shop, _) = scene(VIEWER).await;
    let select = "tokens { accessToken refreshToken }";
    let input = json!({ "email": ADA, "password": STAFF_PASSWORD });
    let tokens = shop.stranger("staffLogin", input, select).await.done();
    shop.pass(TimeDelta::minutes(6));
    let input = json!({ "refreshToken": tokens["tokens"]["refreshToken"] });
    let tokens = shop.stranger("staffTokenRefresh", input, select).await.done();
    let ada = shop.anonymous_admin.bearer(tokens["tokens"]["accessToken"].as_str().unwrap());
    let answer = admin(&ada, "staffSecondFactorEnroll", json!({}), "secret").await;
    assert_eq!(faults(&answer), ["CREDENTIALS_INVALID password"]);
}

#[tokio::test]
async fn passwords_are_guessed_ten_times_at_an_open_session() {
    let (_shop, ada) = scene(VIEWER).await;
    let enroll =
        async |password: &str| admin(&ada, "staffSecondFactorEnroll", json!({ "password": password }), "secret").await;
    for _ in 0..9 {
        assert_eq!(enroll("wrong").await.refusals(), ["CREDENTIALS_INVALID"]);
    }
    enroll(STAFF_PASSWORD).await.done();
    for _ in 0..10 {
        assert_eq!(enroll("wrong").await.refusals(), ["CREDENTIALS_INVALID"], "a right one forgets the tries");
    }
    assert_eq!(enroll(STAFF_PASSWORD).await.refusals(), ["THROTTLED"]);
}

#[tokio::test]
async fn who_lost_his_app_is_helped_by_somebody_who_holds_as_much() {
    let (shop, ada) = scene(OWNER).await;
    shop.with_app(&ada).await;
    let id = ada.send("{ me { id } }", json!({})).await.at("me.id");
    let reset = json!({ "id": id });
    let staff = "staff { secondFactorEnabled sessions { id } }";
    assert_eq!(faults(&admin(&ada, "staffSecondFactorReset", reset.clone(), staff).await), ["STATE_INVALID id"]);
    let input = json!({ "name": "Access", "permissions": ["ACCESS_READ", "ACCESS_WRITE"] });
    shop.set("roleSet", input, "role { id }").await.done();
    let lesser = shop.staff("Access").await;
    let refused = admin(&lesser, "staffSecondFactorReset", reset.clone(), staff).await;
    assert_eq!(faults(&refused), ["GRANT_EXCEEDS_OWN id"]);
    let list = shop.admin.send("{ staff { nodes { secondFactorEnabled } } }", json!({})).await;
    assert_eq!(list.at("staff.nodes").as_array().unwrap().len(), 3);
    assert_eq!(list.statements, 3, "session, staff, factors");
    let done = shop.set("staffSecondFactorReset", reset, staff).await.done();
    assert_eq!(done["staff"], json!({ "secondFactorEnabled": false, "sessions": [] }));
    assert_eq!(ada.send("{ me { id } }", json!({})).await.status, 401);
    shop.logged_in(ADA).await;
    let log = "query($id: ID!) { auditEntries(filter: { entityId: $id, ops: [\"second_factor.reset\"] }) {
        nodes { before after } } }";
    let log = shop.admin.send(log, json!({ "id": id })).await;
    let entry = json!({ "before": { "secondFactor": true }, "after": { "secondFactor": false } });
    assert_eq!(log.at("auditEntries.nodes"), json!([entry]));
}

#[tokio::test]
async fn where_the_shop_demands_it_a_session_without_it_can_only_set_it_up() {
    let (shop, ada) = scene(VIEWER).await;
    let set = |required: bool| json!({ "secondFactorRequired": required });
    let select = "staffSecurity { secondFactorRequired }";
    let early = shop.set("staffSecuritySet", set(true), select).await;
    assert_eq!(faults(&early), ["STATE_INVALID secondFactorRequired"], "nobody locks himself out");
    assert_eq!(admin(&ada, "staffSecuritySet", set(true), select).await.error_code(), "FORBIDDEN");
    shop.with_app(&shop.admin).await;
    shop.set("staffSecuritySet", set(true), select).await.done();
    let state = "{ staffSecurity { secondFactorRequired } }";
    assert_eq!(shop.admin.send(state, json!({})).await.at("staffSecurity.secondFactorRequired"), true);

    assert_eq!(ada.send("{ channels { id } }", json!({})).await.error_code(), "FORBIDDEN");
    let me = ada.send("{ me { permissions } staffSecondFactor { required passed } }", json!({})).await;
    assert_eq!(me.at("me.permissions"), json!([]));
    assert_eq!(me.at("staffSecondFactor"), json!({ "required": true, "passed": false }));
    shop.with_app(&ada).await;
    assert_eq!(ada.send("{ channels { handle } }", json!({})).await.at("channels.0.handle"), "default");
    let key = json!({ "title": "Key", "role": "viewer" });
    let key = shop.set("apiKeyCreate", key, "secret").await.done();
    let key = shop.anonymous_admin.bearer(key["secret"].as_str().unwrap());
    assert_eq!(key.send("{ channels { handle } }", json!({})).await.status, 200, "a program has no app");

    let fresh = shop.staff(VIEWER).await;
    assert_eq!(fresh.send("{ channels { id } }", json!({})).await.error_code(), "FORBIDDEN");
    shop.set("staffSecuritySet", set(false), select).await.done();
    assert_eq!(fresh.send("{ channels { handle } }", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_new_password_by_mail_does_not_stand_for_the_second_factor() {
    let (shop, ada) = scene(VIEWER).await;
    shop.with_app(&ada).await;
    let id = ada.send("{ me { id } }", json!({})).await.text("me.id").parse().unwrap();
    let token = shop.staff_mail(TokenPurpose::StaffRecovery, id).await.unwrap();
    let input = json!({ "token": token, "password": "a much better one" });
    shop.stranger("staffRecover", input, "recovered").await.done();
    let answer = shop.staff_log_in(ADA, "a much better one").await.done();
    assert_eq!((&answer["tokens"], &answer["secondFactorRequired"]), (&json!(null), &json!(true)));
}

#[tokio::test]
async fn the_command_line_gives_a_password_and_on_demand_takes_the_second_factor() {
    let (shop, ada) = scene(OWNER).await;
    shop.with_app(&ada).await;
    let reset = async |more: &[&str]| {
        let arguments = [&["staff", "reset-password", ADA], more].concat();
        let output = run_command(&shop.database, &arguments).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text} {}", String::from_utf8_lossy(&output.stderr));
        let line = text.lines().find(|line| line.contains("password")).unwrap().to_owned();
        line.split_whitespace().last().unwrap().to_owned()
    };
    let password = reset(&[]).await;
    let answer = shop.staff_log_in(ADA, &password).await.done();
    assert_eq!(answer["secondFactorRequired"], json!(true), "the second factor stays");
    let password = reset(&["--reset-second-factor"]).await;
    let answer = shop.staff_log_in(ADA, &password).await.done();
    assert_eq!(answer["secondFactorRequired"], json!(false));
}
