//! Our client and our fake of Stripe beside software that we did not write: the official library at the fake, and
//! `localstripe` as the server of our client.

use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use domain::id::CustomerId;
use domain::money::Money;
use domain::payment::CaptureMode;
use engine::provider::payment::stripe::{Stripe, StripeConfig};
use engine::provider::payment::vault::{PaymentVault, SavedMethod, Saving};
use engine::provider::payment::{NewPayment, Outcome, PaymentProvider, PaymentStep};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use uuid::Uuid;

use crate::support::stripe::{FakeStripe, KEY, WEBHOOK_SECRET, signature};

const SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/stripe_sdk.py");
const SOON: Duration = Duration::from_secs(60);
const TOTAL: i64 = 4_490;

fn python() -> Command {
    let python = std::env::var("EMPORION_TEST_PYTHON_STRIPE").expect("run the tests with make test, which installs it");
    let mut command = Command::new(python);
    command.kill_on_drop(true);
    command
}

fn euro(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn payment(key: &str, capture: CaptureMode, method: &str) -> NewPayment {
    NewPayment {
        idempotency_key: key.to_owned(),
        repeated: false,
        age: chrono::TimeDelta::zero(),
        amount: euro(TOTAL),
        capture,
        data: json!({ "paymentMethodId": method }),
        return_url: Some("https://shop.example/pay".to_owned()),
        saving: Saving::default(),
    }
}

fn step(key: &str, reference: &str, minor: i64) -> PaymentStep {
    PaymentStep { idempotency_key: key.to_owned(), old: false, reference: reference.to_owned(), amount: euro(minor) }
}

#[tokio::test]
async fn the_official_library_takes_the_fake_for_stripe() {
    let fake = FakeStripe::start().await;
    let made = fake.client().create(&payment("ours", CaptureMode::Automatic, "pm_card_visa")).await.unwrap();
    let event = fake.event("payment_intent.succeeded", made.reference().unwrap()).to_string();
    let signed = signature(&["whsec_another", WEBHOOK_SECRET], chrono::Utc::now().timestamp(), event.as_bytes());
    let mut command = python();
    command.args([SDK, &fake.url, KEY, WEBHOOK_SECRET, &signed]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(event.as_bytes()).await.unwrap();
    let output = timeout(SOON, child.wait_with_output()).await.expect("an end in time").unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Ours, and of the library's one that was given back whole, a part, and two of a customer.
    assert_eq!(fake.kept(), TOTAL + 1_000 + 2 * TOTAL);
}

/// `localstripe` behind a proxy that leaves out what it does not know.
struct Local {
    _server: Child,
    server: String,
    proxy: String,
}

impl Local {
    async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let mut command = python();
        command.args(["-m", "localstripe", "--from-scratch", "--port", &port.to_string()]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = format!("http://127.0.0.1:{port}");
        let answers = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(SOON, answers).await.expect("it answers in time");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(pass_on).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { _server: process, server, proxy }
    }

    fn client(&self) -> Stripe {
        let config = StripeConfig {
            secret_key: "sk_test_local".to_owned(),
            webhook_secrets: Vec::new(),
            api: Some(self.proxy.clone()),
        };
        Stripe::new(&config).unwrap()
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = reqwest::Client::new().post(format!("{}{path}", self.server)).bearer_auth("sk_test_local");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What a browser makes of a card.
    async fn method(&self, number: &str) -> String {
        let form = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2040"),
            ("card[cvc]", "123"),
        ];
        self.post("/v1/payment_methods", &form).await["id"].as_str().unwrap().to_owned()
    }

    async fn act(&self, outcome: &Outcome, confirmed: bool) {
        let Outcome::RequiresAction { reference, next_action } = outcome else { panic!("{outcome:?}") };
        let secret = next_action["clientSecret"].as_str().unwrap();
        let form = [("client_secret", secret), ("success", if confirmed { "true" } else { "false" })];
        self.post(&format!("/v1/payment_intents/{reference}/_authenticate"), &form).await;
    }
}

/// Passes a call on without the parameters that `localstripe` does not know. It can't search, and lists what a customer
/// saved at the older address.
async fn pass_on(State(server): State<String>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let known = |name: &str| {
        !name.starts_with("automatic_payment_methods")
            && name != "return_url"
            && !name.starts_with("payment_method_options")
    };
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(&body).into_owned().filter(|(name, _)| known(name)).collect();
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut url = format!("{server}{}", uri.path_and_query().unwrap());
    if uri.path() == "/v1/customers/search" {
        return Response::new(Body::from(r#"{"object":"search_result","data":[]}"#));
    }
    if let Some(customer) = uri.path().strip_suffix("/payment_methods").and_then(|path| path.rsplit('/').next()) {
        url = format!("{server}/v1/payment_methods?customer={customer}&type=card");
    }
    let mut request = reqwest::Client::new().request(method.as_str().parse().unwrap(), url);
    if method == Method::POST {
        request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
    }
    let answer = request.header("authorization", headers["authorization"].to_str().unwrap()).send().await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.bytes().await.unwrap();
    Response::builder().status(status).header("content-type", "application/json").body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn our_client_gets_on_with_a_server_that_others_wrote() {
    let local = Local::start().await;
    let client = local.client();
    let visa = local.method("4242424242424242").await;

    let taken = client.create(&payment("a", CaptureMode::Automatic, &visa)).await.unwrap();
    let Outcome::Captured { reference } = &taken else { panic!("{taken:?}") };
    let known = client.look_up(reference).await.unwrap().unwrap();
    assert_eq!((known.outcome, known.sums.unwrap().amount), (taken.clone(), euro(TOTAL)));
    client.refund(&step("a:1", reference, 490)).await.unwrap().unwrap();
    client.refund(&step("a:2", reference, 4_000)).await.unwrap().unwrap();
    assert_eq!(client.look_up(reference).await.unwrap().unwrap().sums.unwrap().refunded_minor, TOTAL);

    let promised = client.create(&payment("b", CaptureMode::Manual, &visa)).await.unwrap();
    let Outcome::Authorized { reference } = &promised else { panic!("{promised:?}") };
    client.capture(&step("b:1", reference, TOTAL)).await.unwrap().unwrap();
    assert!(matches!(client.look_up(reference).await.unwrap().unwrap().outcome, Outcome::Captured { .. }));

    let given_up = client.create(&payment("c", CaptureMode::Manual, &visa)).await.unwrap();
    let reference = given_up.reference().unwrap();
    for key in ["c:1", "c:2"] {
        client.void(&step(key, reference, TOTAL)).await.unwrap().unwrap();
    }
    assert!(matches!(client.look_up(reference).await.unwrap().unwrap().outcome, Outcome::Canceled { .. }));

    let secure = local.method("4000002760003184").await;
    for (key, confirmed) in [("d", true), ("e", false)] {
        let waiting = client.create(&payment(key, CaptureMode::Automatic, &secure)).await.unwrap();
        local.act(&waiting, confirmed).await;
        let outcome = client.look_up(waiting.reference().unwrap()).await.unwrap().unwrap().outcome;
        match confirmed {
            true => assert!(matches!(outcome, Outcome::Captured { .. }), "{outcome:?}"),
            false => assert!(matches!(outcome, Outcome::Declined { .. }), "{outcome:?}"),
        }
    }
    let id = CustomerId(Uuid::new_v4());
    let customer = client.create_customer(id).await.unwrap();
    assert_eq!(client.methods(&customer).await, Ok(Some(Vec::new())));
    for method in [&visa, &local.method("4242424242424242").await, &local.method("5555555555554444").await] {
        local.post(&format!("/v1/payment_methods/{method}/attach"), &[("customer", &customer)]).await;
    }
    let kept = client.methods(&customer).await.unwrap().unwrap();
    let shown = |method: &SavedMethod| (method.last_digits.clone().unwrap(), method.expires);
    assert_eq!(kept.len(), 2, "each card once: {kept:?}");
    assert!(kept.iter().map(shown).any(|shown| shown == ("4242".to_owned(), Some((12, 2040)))), "{kept:?}");
    let saving = Saving { customer: Some(customer.clone()), method: Some(visa.clone()), save: false };
    let saved = NewPayment { data: json!({}), saving, ..payment("g", CaptureMode::Automatic, "") };
    assert!(matches!(client.create(&saved).await.unwrap(), Outcome::Captured { .. }));
    assert_eq!(client.forget_method(&customer, &visa).await, Ok(true));
    assert_eq!(client.methods(&customer).await.unwrap().unwrap().len(), 1, "with its double");
    for _ in 0..2 {
        client.forget_customer(id, Some(&customer)).await.unwrap();
    }
    assert_eq!(client.methods(&customer).await, Ok(None));
    let declined = local.method("4000000000000341").await;
    let said = client.create(&payment("f", CaptureMode::Automatic, &declined)).await.unwrap();
    assert!(matches!(said, Outcome::Declined { .. }), "{said:?}");
    assert_eq!(client.look_up("pi_nobody").await, Ok(None));
}
