//! Who may do what.

use domain::auth::{ActorKind, Permission, Surface, VIEWER};
use domain::id::{CustomerId, SessionId, StaffId};
use domain::reach::Grants;
use engine::actor::{Actor, Need};
use serde_json::json;
use uuid::Uuid;

use crate::support::Shop;

#[test]
fn the_guard_s_truth_table() {
    let staff = |permissions: &[Permission]| Actor::Staff {
        id: StaffId(Uuid::nil()),
        session: SessionId(Uuid::nil()),
        grants: Grants::everywhere(permissions),
    };
    let customer = Actor::Customer { id: CustomerId(Uuid::nil()), session: SessionId(Uuid::nil()) };
    let write = Need::Permission(Permission::CatalogWrite);
    for (actor, need, allowed) in [
        (Actor::Guest, Need::Nothing, true),
        (Actor::Guest, Need::Admin, false),
        (Actor::Guest, write, false),
        (Actor::Guest, Need::System, false),
        (customer.clone(), Need::Nothing, true),
        (customer.clone(), Need::Admin, false),
        (customer.clone(), write, false),
        (customer, Need::System, false),
        (staff(&[]), Need::Admin, true),
        (staff(&[]), write, false),
        (staff(&[Permission::CatalogRead]), write, false),
        (staff(&[Permission::CatalogWrite]), write, true),
        (staff(Permission::ALL), Need::System, false),
        (Actor::System, write, true),
        (Actor::System, Need::System, true),
    ] {
        assert_eq!(actor.check(need).is_ok(), allowed, "{actor:?} {need:?}");
    }
}

const CREATE: &str = r#"mutation { channelCreate(input: { name: "X" }) { channel { id } userErrors { code } } }"#;

#[tokio::test]
async fn a_viewer_looks_and_changes_nothing() {
    let shop = Shop::open().await;
    let viewer = shop.staff(VIEWER).await;
    assert_eq!(viewer.send("{ channels { handle } }", json!({})).await.at("channels.0.handle"), "default");
    assert_eq!(viewer.send(CREATE, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(shop.anonymous_admin.send(CREATE, json!({})).await.error_code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_of_one_surface_opens_nothing_on_the_other() {
    let shop = Shop::open().await;
    let customer = shop.session(ActorKind::Customer, Uuid::now_v7(), Surface::Store).await;
    assert_eq!(shop.store.bearer(&customer).send("{ shop { locale } }", json!({})).await.status, 200);
    let refused = shop.anonymous_admin.bearer(&customer).send(CREATE, json!({})).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (401, "UNAUTHENTICATED"));
    let staff = shop.session(ActorKind::Staff, Uuid::now_v7(), Surface::Admin).await;
    assert_eq!(shop.store.bearer(&staff).send("{ shop { locale } }", json!({})).await.status, 401);
}

#[tokio::test]
async fn staff_log_in_refresh_and_log_out() {
    let shop = Shop::open().await;
    let secret = "correct horse battery";
    let op = engine::auth::ops::CreateStaff {
        email: "Ada@shop.example".to_owned(),
        name: "Ada".to_owned(),
        role: "owner".to_owned(),
        secret_hash: engine::auth::password::hash(secret.to_owned()).await.unwrap(),
    };
    shop.app.run(&engine::actor::Caller::system(), &op).await.unwrap();
    let login =
        "mutation($email: String!, $password: String!) { staffLogin(input: { email: $email, password: $password }) {
        tokens { accessToken refreshToken accessTokenExpiresIn } userErrors { code message } } }";
    let admin = &shop.anonymous_admin;
    let wrong = admin.send(login, json!({ "email": "ada@shop.example", "password": "wrong" })).await;
    let nobody = admin.send(login, json!({ "email": "bob@shop.example", "password": "wrong" })).await;
    assert_eq!(wrong.refusals(), ["CREDENTIALS_INVALID"]);
    assert_eq!(wrong.body, nobody.body, "the answer does not tell who has an account");

    let tokens =
        admin.send(login, json!({ "email": " ADA@shop.example", "password": secret })).await.done()["tokens"].clone();
    let ada = admin.bearer(tokens["accessToken"].as_str().unwrap());
    assert_eq!(ada.send("{ me { name email } }", json!({})).await.at("me.name"), "Ada");

    let refresh = "mutation($token: String!) { staffTokenRefresh(input: { refreshToken: $token }) {
        tokens { accessToken refreshToken } userErrors { code } } }";
    let renewed = admin.send(refresh, json!({ "token": tokens["refreshToken"] })).await.done()["tokens"].clone();
    let stolen = admin.send(refresh, json!({ "token": tokens["refreshToken"] })).await;
    assert_eq!(stolen.refusals(), ["TOKEN_INVALID"]);
    let ended = admin.send(refresh, json!({ "token": renewed["refreshToken"] })).await;
    assert_eq!(ended.refusals(), ["TOKEN_INVALID"], "an old refresh token ends the session");
    assert_eq!(ada.send("{ me { name } }", json!({})).await.status, 401);

    let tokens =
        admin.send(login, json!({ "email": "ada@shop.example", "password": secret })).await.done()["tokens"].clone();
    let ada = admin.bearer(tokens["accessToken"].as_str().unwrap());
    ada.send("mutation { staffLogout { loggedOut userErrors { code } } }", json!({})).await.done();
    assert_eq!(ada.send("{ me { name } }", json!({})).await.status, 401);
}

#[tokio::test]
async fn an_access_token_expires_and_forgeries_open_nothing() {
    let shop = Shop::open().await;
    assert_eq!(shop.admin.send("{ me { id } }", json!({})).await.status, 200);
    shop.pass(chrono::TimeDelta::minutes(16));
    assert_eq!(shop.admin.send("{ me { id } }", json!({})).await.status, 401);
    // Headers {"alg":"none"} and {"alg":"HS256","kid":"../../etc/passwd"}.
    for token in [
        "",
        "x",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uLy4uL2V0Yy9wYXNzd2QifQ.e30.AA",
        "emp_sk_x",
    ] {
        let refused = shop.anonymous_admin.bearer(token).send("{ me { id } }", json!({})).await;
        assert_eq!(refused.status, 401, "{token}");
    }
    let basic = shop.anonymous_admin.with("authorization", "Basic eDp5").send("{ me { id } }", json!({})).await;
    assert_eq!(basic.status, 401);
}

#[tokio::test]
async fn an_api_key_is_shown_once_and_works() {
    let shop = Shop::open().await;
    let made =
        shop.set("apiKeyCreate", json!({ "title": "ERP", "role": "viewer" }), "apiKey { prefix } secret").await.done();
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with(made["apiKey"]["prefix"].as_str().unwrap()));
    let erp = shop.anonymous_admin.bearer(secret);
    assert_eq!(erp.send("{ channels { handle } }", json!({})).await.at("channels.0.handle"), "default");
    assert_eq!(erp.send(CREATE, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(shop.store.bearer(secret).send("{ shop { locale } }", json!({})).await.status, 401);
}

#[tokio::test]
async fn a_nul_character_is_refused_wherever_it_stands() {
    let shop = Shop::open().await;
    let create =
        "mutation($name: String!) { channelCreate(input: { name: $name }) { channel { id } userErrors { code } } }";
    let refused = shop.admin.send(create, json!({ "name": "a\0b" })).await;
    assert_eq!((refused.status, refused.error_code().as_str()), (400, "INVALID"));
    let literal = r#"{ product(by: { handle: "a\u0000" }) { id } }"#;
    assert_eq!(shop.store.send(literal, json!({})).await.status, 400);
}
