//! Log-ins of staff at an identity provider that others wrote.

use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use domain::auth::{OWNER, TokenPurpose, VIEWER};
use engine::auth::oidc::{ProviderConfig, Providers};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::Shop;
use crate::support::buying::{faults, mutate};
use crate::support::client::{Answer, Client};
use crate::support::database::TestDatabase;
use crate::support::people::AuthenticatorApp;

const BACK: &str = "https://admin.shop.example/back";
const ADA: &str = "ada@shop.example";
const ENDED: &str = "tokens { accessToken } secondFactorRequired challenge";

/// A running identity provider.
struct Foreign {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    issuer: String,
}

impl Foreign {
    async fn start() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name}: run make test"));
        let mut child = Command::new(variable("EMPORION_TEST_NODE"))
            .arg("provider.mjs")
            .current_dir(variable("EMPORION_TEST_FOREIGN"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(Duration::from_secs(60), output.next_line());
        let issuer = line.await.expect("the provider starts").unwrap().unwrap();
        Self { _child: child, input, output, issuer }
    }

    /// Says what it does from now on.
    async fn wish(&mut self, wish: Value) {
        self.input.write_all(format!("{wish}\n").as_bytes()).await.unwrap();
        let line = tokio::time::timeout(Duration::from_secs(30), self.output.next_line());
        assert_eq!(line.await.expect("an answer").unwrap().as_deref(), Some("ok"));
    }

    /// The usual: Ada with a verified address.
    async fn ada(&mut self) {
        self.wish(json!({ "claims": { "email": ADA, "email_verified": true, "name": "Ada" } })).await;
    }

    fn config(&self) -> ProviderConfig {
        ProviderConfig {
            name: "company".to_owned(),
            title: "Company".to_owned(),
            issuer: self.issuer.clone(),
            client_id: "emporion".to_owned(),
            client_secret: None,
            redirect_url: BACK.to_owned(),
            email_domains: Vec::new(),
            provision_role: None,
            trusted_for_second_factor: false,
        }
    }
}

/// A shop whose staff log in at a provider, configured as the test says.
async fn scene(change: impl FnOnce(&mut ProviderConfig)) -> (Shop, Foreign) {
    let foreign = Foreign::start().await;
    let mut config = foreign.config();
    change(&mut config);
    let providers = Providers::new(vec![config]).unwrap();
    let database = std::sync::Arc::new(TestDatabase::copy().await);
    (Shop::on(database, |builder| builder.identity_providers(providers)).await, foreign)
}

/// A parameter of an address.
fn parameter(address: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(address).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

async fn start(shop: &Shop) -> Value {
    let input = json!({ "provider": "company" });
    shop.stranger("staffIdentityLoginStart", input, "authorizationUrl state loginToken").await.done()
}

/// Where the provider sends somebody back to.
async fn sent_back(address: &str) -> String {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = http.get(address).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn finish(shop: &Shop, started: &Value, back: &str) -> Answer {
    let input = json!({
        "code": parameter(back, "code"), "state": parameter(back, "state"), "loginToken": started["loginToken"],
    });
    shop.stranger("staffIdentityLoginFinish", input, ENDED).await
}

/// A whole log-in.
async fn log_in(shop: &Shop) -> Answer {
    let started = start(shop).await;
    let back = sent_back(started["authorizationUrl"].as_str().unwrap()).await;
    finish(shop, &started, &back).await
}

#[tokio::test]
async fn somebody_known_by_his_verified_address_logs_in_and_is_linked() {
    let (shop, mut foreign) = scene(|_| {}).await;
    let id = shop.person(ADA, VIEWER).await;
    let list = shop.anonymous_admin.send("{ staffIdentityProviders { name title } }", json!({})).await;
    assert_eq!(list.at("staffIdentityProviders"), json!([{ "name": "company", "title": "Company" }]));
    foreign.ada().await;
    let started = start(&shop).await;
    let address = started["authorizationUrl"].as_str().unwrap();
    assert!(address.starts_with(&format!("{}/authorize?", foreign.issuer)), "{address}");
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "emporion"),
        ("redirect_uri", BACK),
        ("scope", "openid email profile"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(address, name).as_deref(), Some(expected));
    }
    assert_eq!(parameter(address, "state").as_deref(), started["state"].as_str());
    let back = sent_back(address).await;
    let done = finish(&shop, &started, &back).await.done();
    let ada = shop.anonymous_admin.bearer(done["tokens"]["accessToken"].as_str().unwrap());
    assert_eq!(ada.send("{ me { id } }", json!({})).await.at("me.id"), json!(id.to_string()));
    let again = finish(&shop, &started, &back).await;
    assert_eq!(faults(&again), ["TOKEN_INVALID state"], "a state works once");

    foreign.wish(json!({ "claims": { "email": "other@elsewhere.example" } })).await;
    let done = log_in(&shop).await.done();
    let ada = shop.anonymous_admin.bearer(done["tokens"]["accessToken"].as_str().unwrap());
    let me = ada.send("{ me { id } }", json!({})).await;
    assert_eq!(me.at("me.id"), json!(id.to_string()), "he is known by the provider's name for him");
    shop.set("staffUpdate", json!({ "id": id.to_string(), "active": false }), "staff { id }").await.done();
    assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"], "locked out is locked out");
}

#[tokio::test]
async fn an_address_that_is_not_verified_or_not_let_in_opens_nothing() {
    let (shop, mut foreign) = scene(|config| config.email_domains = vec!["Shop.example".to_owned()]).await;
    shop.person(ADA, OWNER).await;
    shop.person("eve@evil-shop.example", OWNER).await;
    for claims in [
        json!({ "email": ADA }),
        json!({ "email": ADA, "email_verified": false }),
        json!({ "email": ADA, "email_verified": "yes" }),
        json!({ "email_verified": true }),
        json!({ "email": "eve@evil-shop.example", "email_verified": true }),
        json!({ "email": "nobody@shop.example", "email_verified": true }),
    ] {
        foreign.wish(json!({ "claims": claims })).await;
        assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"], "{claims}");
    }
    foreign.wish(json!({ "claims": { "email": ADA, "email_verified": "true" } })).await;
    log_in(&shop).await.done();
}

#[tokio::test]
async fn what_the_token_does_not_say_the_provider_is_asked_for() {
    let (shop, mut foreign) = scene(|_| {}).await;
    shop.person(ADA, VIEWER).await;
    foreign.wish(json!({ "userinfo": { "sub": "somebody else", "email": ADA, "email_verified": true } })).await;
    assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"], "the two must speak of one person");
    foreign.wish(json!({ "userinfo": { "email": ADA, "email_verified": true } })).await;
    log_in(&shop).await.done();
}

#[tokio::test]
async fn an_id_token_that_is_not_for_this_log_in_counts_for_nothing() {
    let (shop, mut foreign) = scene(|_| {}).await;
    shop.person(ADA, OWNER).await;
    let now = shop.app.clock.now().timestamp();
    for more in [
        json!({ "iss": "http://localhost:1" }),
        json!({ "iss": null }),
        json!({ "aud": "another" }),
        json!({ "aud": ["emporion", "another"] }),
        json!({ "aud": ["emporion", "another"], "azp": "another" }),
        json!({ "azp": "another" }),
        json!({ "exp": now - 61 }),
        json!({ "exp": null }),
        json!({ "iat": now + 3600 }),
        json!({ "nonce": "of another log-in" }),
        json!({ "nonce": null }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
    ] {
        let mut claims = json!({ "email": ADA, "email_verified": true });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        foreign.wish(json!({ "claims": claims })).await;
        assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"], "{more}");
    }
    let several = json!({ "email": ADA, "email_verified": true, "aud": ["emporion", "another"], "azp": "emporion" });
    foreign.wish(json!({ "claims": several })).await;
    log_in(&shop).await.done();
}

#[tokio::test]
async fn a_token_that_the_provider_did_not_sign_counts_for_nothing() {
    let (shop, mut foreign) = scene(|config| config.client_secret = Some("shared".to_owned())).await;
    shop.person(ADA, OWNER).await;
    let claims = json!({ "email": ADA, "email_verified": true });
    foreign.wish(json!({ "claims": claims, "forge": "none" })).await;
    assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"], "no signature");
    let started = start(&shop).await;
    let back = sent_back(started["authorizationUrl"].as_str().unwrap()).await;
    let now = shop.app.clock.now().timestamp();
    let payload = json!({
        "iss": foreign.issuer, "aud": "emporion", "sub": "johndoe", "iat": now, "exp": now + 600, "email": ADA,
        "email_verified": true,
        "nonce": parameter(started["authorizationUrl"].as_str().unwrap(), "nonce"),
    });
    let sign = json!({ "secret": "shared", "payload": payload });
    foreign.wish(json!({ "forge": "HS256", "sign": sign })).await;
    let forged = finish(&shop, &started, &back).await;
    assert_eq!(forged.refusals(), ["CREDENTIALS_INVALID"], "a shared secret signs nothing");
    foreign.wish(json!({ "claims": claims })).await;
    log_in(&shop).await.done();
}

#[tokio::test]
async fn a_new_key_is_found_and_an_invented_one_asked_for_once_a_minute() {
    let (shop, mut foreign) = scene(|_| {}).await;
    shop.person(ADA, VIEWER).await;
    foreign.ada().await;
    log_in(&shop).await.done();
    let claims = json!({ "email": ADA, "email_verified": true });
    // With two keys the provider signs the ID token with the second.
    foreign.wish(json!({ "claims": claims, "generate": { "alg": "ES256", "kid": "second" } })).await;
    assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"], "asked for keys within the last minute");
    shop.pass(TimeDelta::seconds(60));
    log_in(&shop).await.done();
    shop.pass(TimeDelta::seconds(60));
    foreign.wish(json!({ "claims": claims, "kid": "invented" })).await;
    assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"]);
    foreign.wish(json!({ "claims": claims, "kid": "first" })).await;
    assert_eq!(log_in(&shop).await.refusals(), ["CREDENTIALS_INVALID"], "a key is of one algorithm");
}

#[tokio::test]
async fn a_log_in_belongs_to_the_browser_that_began_it_and_ends_in_time() {
    let (shop, mut foreign) = scene(|_| {}).await;
    shop.person(ADA, VIEWER).await;
    foreign.ada().await;
    let (mine, other) = (start(&shop).await, start(&shop).await);
    let back = sent_back(mine["authorizationUrl"].as_str().unwrap()).await;
    assert_eq!(faults(&finish(&shop, &other, &back).await), ["TOKEN_INVALID state"], "another browser's token");
    assert_eq!(faults(&finish(&shop, &mine, &back).await), ["TOKEN_INVALID state"], "and it ended with that");

    let late = start(&shop).await;
    let back = sent_back(late["authorizationUrl"].as_str().unwrap()).await;
    shop.pass(TimeDelta::minutes(10));
    assert_eq!(faults(&finish(&shop, &late, &back).await), ["TOKEN_INVALID state"]);

    // A code of another log-in doesn't fit this one's verifier.
    let (one, two) = (start(&shop).await, start(&shop).await);
    let back = sent_back(one["authorizationUrl"].as_str().unwrap()).await;
    let swapped = back.replace(one["state"].as_str().unwrap(), two["state"].as_str().unwrap());
    assert_eq!(faults(&finish(&shop, &two, &swapped).await), ["CREDENTIALS_INVALID code"]);

    let unknown = shop.stranger("staffIdentityLoginStart", json!({ "provider": "x" }), "state").await;
    assert_eq!(faults(&unknown), ["NOT_FOUND provider"]);
    let input = json!({ "code": "", "state": "x", "loginToken": "y" });
    assert_eq!(faults(&shop.stranger("staffIdentityLoginFinish", input, ENDED).await), ["INVALID code"]);
}

#[tokio::test]
async fn a_second_factor_is_still_wanted_unless_the_provider_is_trusted_for_it() {
    for trusted in [false, true] {
        let (shop, mut foreign) = scene(|config| config.trusted_for_second_factor = trusted).await;
        shop.person(ADA, VIEWER).await;
        foreign.ada().await;
        let done = log_in(&shop).await.done();
        let ada = shop.anonymous_admin.bearer(done["tokens"]["accessToken"].as_str().unwrap());
        let (app, _): (AuthenticatorApp, _) = shop.with_app(&ada).await;
        let done = log_in(&shop).await.done();
        assert_eq!(done["secondFactorRequired"], json!(!trusted));
        let token = match trusted {
            true => done["tokens"]["accessToken"].clone(),
            false => {
                let input = json!({ "challenge": done["challenge"], "code": app.code(&shop, 1) });
                let done = shop.stranger("staffLoginSecondFactor", input, "tokens { accessToken }").await.done();
                done["tokens"]["accessToken"].clone()
            }
        };
        let ada = shop.anonymous_admin.bearer(token.as_str().unwrap());
        assert_eq!(ada.send("{ channels { handle } }", json!({})).await.at("channels.0.handle"), "default");
    }
}

#[tokio::test]
async fn who_has_no_password_logs_in_again_to_set_a_second_factor_up() {
    let (shop, mut foreign) = scene(|config| {
        config.email_domains = vec!["shop.example".to_owned()];
        config.provision_role = Some(VIEWER.to_owned());
    })
    .await;
    foreign.ada().await;
    let session = async || {
        let done = log_in(&shop).await.done();
        shop.anonymous_admin.bearer(done["tokens"]["accessToken"].as_str().unwrap())
    };
    let enroll =
        async |who: &Client, input: Value| mutate(who, "Admin", "staffSecondFactorEnroll", input, "secret").await;
    let old = session().await;
    shop.pass(TimeDelta::minutes(5));
    for input in [json!({}), json!({ "password": "" }), json!({ "password": "anything" })] {
        assert_eq!(faults(&enroll(&old, input).await), ["CREDENTIALS_INVALID password"]);
    }
    let fresh = session().await;
    shop.with_app(&fresh).await;
}

#[tokio::test]
async fn who_is_unknown_gets_the_role_of_the_provider_where_it_has_one() {
    let (shop, mut foreign) = scene(|config| {
        config.email_domains = vec!["shop.example".to_owned()];
        config.provision_role = Some(VIEWER.to_owned());
    })
    .await;
    foreign.ada().await;
    let done = log_in(&shop).await.done();
    let ada = shop.anonymous_admin.bearer(done["tokens"]["accessToken"].as_str().unwrap());
    let me = ada.send("{ me { name email } roles { name } }", json!({})).await;
    assert_eq!((me.at("me.name"), me.at("me.email")), (json!("Ada"), json!(ADA)));
    let create = r#"mutation { channelCreate(input: { name: "X" }) { channel { id } userErrors { code } } }"#;
    assert_eq!(ada.send(create, json!({})).await.error_code(), "FORBIDDEN");
    log_in(&shop).await.done();
    assert_eq!(shop.admin.send("{ staff { totalCount } }", json!({})).await.at("staff.totalCount"), 2);
}

#[tokio::test]
async fn an_invitation_is_accepted_by_logging_in_with_its_mailbox() {
    let (shop, mut foreign) = scene(|_| {}).await;
    let viewer = shop.admin.send("{ roles { id } }", json!({})).await.at("roles.1.id");
    let input = json!({ "email": ADA, "name": "Ada", "roles": [{ "roleId": viewer }] });
    let made = shop.set("staffInvite", input, "staff { id }").await.done();
    let id = made["staff"]["id"].as_str().unwrap().parse().unwrap();
    foreign.ada().await;
    log_in(&shop).await.done();
    assert_eq!(shop.staff_mail(TokenPurpose::StaffInvitation, id).await, None);
    let query = "query($id: ID!) { staffMember(id: $id) { joinedAt } }";
    let member = shop.admin.send(query, json!({ "id": made["staff"]["id"] })).await;
    assert!(member.at("staffMember.joinedAt").is_string());
}

#[tokio::test]
async fn a_provider_that_fails_is_said_to_fail_and_no_more() {
    let (shop, mut foreign) = scene(|_| {}).await;
    shop.person(ADA, VIEWER).await;
    for wish in [json!({ "status": 500 }), json!({ "padding": 300_000 })] {
        foreign.wish(wish.clone()).await;
        assert_eq!(log_in(&shop).await.refusals(), ["IDENTITY_PROVIDER_UNAVAILABLE"], "{wish}");
    }
    let (shop, _foreign) = scene(|config| config.issuer.push('/')).await;
    let refused = shop.stranger("staffIdentityLoginStart", json!({ "provider": "company" }), "state").await;
    assert_eq!(refused.refusals(), ["IDENTITY_PROVIDER_UNAVAILABLE"], "it calls itself otherwise");
    let (shop, _foreign) = scene(|config| config.issuer = "http://127.0.0.1:1".to_owned()).await;
    let refused = shop.stranger("staffIdentityLoginStart", json!({ "provider": "company" }), "state").await;
    assert_eq!(refused.refusals(), ["IDENTITY_PROVIDER_UNAVAILABLE"], "nobody answers there");
}

#[test]
fn what_an_operator_can_get_wrong_is_said_in_words() {
    let good = || ProviderConfig {
        name: "company".to_owned(),
        title: "Company".to_owned(),
        issuer: "https://id.example".to_owned(),
        client_id: "emporion".to_owned(),
        client_secret: None,
        redirect_url: BACK.to_owned(),
        email_domains: Vec::new(),
        provision_role: None,
        trusted_for_second_factor: false,
    };
    assert_eq!(Providers::new(vec![good()]).unwrap().all().len(), 1);
    type Fault = fn(&mut ProviderConfig);
    let wrong: [(&str, Fault); 7] = [
        ("name", |config| config.name = "My Company".to_owned()),
        ("title", |config| config.title.clear()),
        ("issuer", |config| config.issuer = "http://id.example".to_owned()),
        ("issuer", |config| config.issuer = "https://user:secret@id.example".to_owned()),
        ("redirect_url", |config| config.redirect_url = "javascript:alert(1)".to_owned()),
        ("domain", |config| config.email_domains = vec!["shop example".to_owned()]),
        ("email_domains", |config| config.provision_role = Some("viewer".to_owned())),
    ];
    for (named, change) in wrong {
        let mut config = good();
        change(&mut config);
        let fault = Providers::new(vec![config]).unwrap_err();
        assert!(fault.contains(named), "{fault}");
    }
    assert!(Providers::new(vec![good(), good()]).unwrap_err().contains("two"));
}
