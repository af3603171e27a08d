//! Who may do what.

use domain::auth::{ActorKind, Permission, Surface, VIEWER};
use domain::id::{ApiKeyId, CustomerId, SessionId, StaffId};
use domain::reach::Grants;
use engine::actor::{Actor, Need};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Shop;
use crate::support::customers::PASSWORD;
use crate::support::rows::Reader;

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

#[test]
fn whatever_else_is_held_the_permission_that_is_needed_decides() {
    let (id, session) = (StaffId(Uuid::nil()), SessionId(Uuid::nil()));
    let all = Permission::ALL;
    assert!(all.len() < 20, "every set of {} permissions is tried", all.len());
    for set in 0..1_u32 << all.len() {
        let held: Vec<Permission> =
            all.iter().enumerate().filter(|(place, _)| set & (1 << place) != 0).map(|(_, held)| *held).collect();
        let staff = Actor::Staff { id, session, grants: Grants::everywhere(&held) };
        let key = Actor::ApiKey { id: ApiKeyId(Uuid::nil()), grants: Grants::everywhere(&held) };
        for actor in [staff, key] {
            for needed in all {
                for need in [Need::Permission(*needed), Need::Everywhere(*needed)] {
                    assert_eq!(actor.check(need).is_ok(), held.contains(needed), "{held:?} and {need:?}");
                }
            }
            assert!(actor.check(Need::Admin).is_ok() && actor.check(Need::System).is_err());
        }
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
    assert_eq!(refused.error_code(), "INVALID");
    let literal = r#"{ product(by: { handle: "a\u0000" }) { id } }"#;
    assert_eq!(shop.store.send(literal, json!({})).await.error_code(), "INVALID");
}

/// Tokens that are signed with the shop's own key and wrong all the same.
#[tokio::test]
async fn a_token_that_is_wrong_in_any_part_opens_nothing() {
    let shop = Shop::open().await;
    let secret = entity::signing_key::Entity::find().one(&shop.app.read()).await.unwrap().unwrap();
    let session = shop.session(ActorKind::Staff, me(&shop).await, Surface::Admin).await;
    let key = EncodingKey::from_secret(&secret.secret);
    let issuer = format!("emporion:{}", shop.app.keys.shop_id());
    let now = shop.app.clock.now().timestamp();
    let jti = shop.app.keys.read_access(Surface::Admin, &session, shop.app.clock.now()).unwrap().to_string();
    let good = json!({ "iss": issuer, "aud": "admin", "sub": "staff", "iat": now, "exp": now + 60, "jti": jti });
    let signed = |algorithm: Algorithm, kid: Option<&str>, claims: &Value| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, claims, &key).unwrap()
    };
    let status = async |token: &str| shop.anonymous_admin.bearer(token).send("{ me { id } }", json!({})).await.status;
    let own = signed(Algorithm::HS256, Some(&secret.kid), &good);
    assert_eq!(status(&own).await, 200, "the forger knows how it is done");

    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    let mut wrong = vec![
        with("exp", json!((now + 60).to_string())),
        with("exp", json!(now as f64 + 60.5)),
        with("exp", json!(null)),
        with("exp", json!(now - 1)),
        with("exp", json!(-1)),
        with("exp", json!([now + 60])),
        with("iss", json!("emporion:elsewhere")),
        with("iss", json!(["elsewhere"])),
        with("aud", json!("store")),
        with("aud", json!("order")),
        with("aud", json!("")),
        with("jti", json!("sess_00000000000000000000000000")),
        with("jti", json!("' or 1 = 1 --")),
        with("jti", json!(1)),
        with("iat", json!("yesterday")),
    ];
    wrong.extend(["exp", "iss", "aud", "sub", "jti", "iat"].map(without));
    for claims in wrong {
        let token = signed(Algorithm::HS256, Some(&secret.kid), &claims);
        assert_eq!(status(&token).await, 401, "{claims}");
    }
    for (algorithm, kid) in [
        (Algorithm::HS384, Some("1")),
        (Algorithm::HS512, Some("1")),
        (Algorithm::HS256, None),
        (Algorithm::HS256, Some("2")),
        (Algorithm::HS256, Some("../1")),
        (Algorithm::HS256, Some("' or 1 = 1 --")),
    ] {
        assert_eq!(status(&signed(algorithm, kid, &good)).await, 401, "{algorithm:?} {kid:?}");
    }
    let (rest, signature) = own.rsplit_once('.').unwrap();
    let claims = rest.split('.').nth(1).unwrap();
    // Headers {"alg":"none"…} and {"alg":"RS256"…}, both with the right kid.
    for header in
        ["eyJhbGciOiJub25lIiwidHlwIjoiSldUIiwia2lkIjoiMSJ9", "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ"]
    {
        for end in ["", signature] {
            assert_eq!(status(&format!("{header}.{claims}.{end}")).await, 401, "{header}");
        }
    }
    let stranger = EncodingKey::from_secret(b"the public half of some other key");
    let header = Header { kid: Some(secret.kid.clone()), ..Header::new(Algorithm::HS256) };
    assert_eq!(status(&jsonwebtoken::encode(&header, &good, &stranger).unwrap()).await, 401);
    assert_eq!(status(&own).await, 200, "and the right one still is");
}

async fn me(shop: &Shop) -> Uuid {
    let id = shop.admin.send("{ me { id } }", json!({})).await.text("me.id");
    id.parse::<StaffId>().unwrap().into()
}

/// Links are made from what the merchant set up, never from what a request says of its host.
#[tokio::test]
async fn no_answer_and_no_row_repeats_the_host_that_a_request_names() {
    const EVIL: &str = "evil.example";
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let poisoned = |client: &crate::support::client::Client| {
        let names = ["host", "x-forwarded-host", "x-forwarded-server", "x-host", "x-original-url", "origin", "referer"];
        let client = names.iter().fold(client.clone(), |client, name| client.with(name, EVIL));
        client.with("forwarded", "host=evil.example;proto=https")
    };
    let (store, admin) = (poisoned(&shop.store), poisoned(&shop.admin));
    let mut told = Vec::new();
    for (mutation, input) in [
        ("customerRegister", json!({ "email": "new@shopper.example", "password": PASSWORD })),
        ("customerVerificationRequest", json!({ "email": "new@shopper.example" })),
        ("customerPasswordRecover", json!({ "email": ada.email })),
        ("orderAccessRequest", json!({ "number": 1_001, "email": ada.email })),
    ] {
        let answer = crate::support::buying::mutate(&store, "", mutation, input, "accepted").await;
        answer.done();
        told.push(answer.body.to_string());
    }
    let upload = json!({ "filename": "a.png", "contentType": "image/png", "size": 10 });
    let staged = crate::support::buying::mutate(&admin, "Admin", "stagedUploadCreate", upload, "stagedUpload { url }");
    told.push(staged.await.done().to_string());
    told.extend(Reader::of(&shop).await.rows(&shop).await);
    assert!(told.iter().any(|row| row.contains("new@shopper.example")), "the rows are looked at");
    assert_eq!(told.iter().find(|text| text.contains(EVIL)), None);
}
