//! Stripe as its documentation tells of it, as far as shops use it: PaymentIntents, refunds, idempotency keys, test
//! payment methods, signed events. It knows nothing of our client; the official SDK is pointed at it, too.

mod form;
mod vault;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::provider::payment::stripe::{Stripe, StripeConfig};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use form::{number, tree};

/// The key that it takes.
pub const KEY: &str = "sk_test_51NotARealKey";
/// What it signs events with.
pub const WEBHOOK_SECRET: &str = "whsec_notarealsecret";

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// Nothing: the one after it is what trouble is for.
    Nothing,
    /// It is carried out, and the connection ends before the answer.
    Lost,
    /// It is not carried out, and this is the status.
    Status(u16),
}

#[derive(Debug, Default)]
struct Books {
    loses_new: bool,
    confirming: Option<Trouble>,
    intents: BTreeMap<String, Value>,
    charges: BTreeMap<String, Value>,
    refunds: BTreeMap<String, Value>,
    vault: vault::Vault,
    /// By key: what was asked, and the first answer.
    keys: HashMap<String, (String, u16, Value)>,
    trouble: VecDeque<Trouble>,
    calls: Vec<String>,
    made: usize,
}

/// A running fake. It ends with the test.
#[derive(Clone)]
pub struct FakeStripe {
    /// Where it is.
    pub url: String,
    books: Arc<Mutex<Books>>,
}

type Answer = (u16, Value);

fn refused(status: u16, kind: &str, code: &str, message: &str) -> Answer {
    (status, json!({ "error": { "type": kind, "code": code, "message": message } }))
}

fn invalid(code: &str, message: &str) -> Answer {
    refused(400, "invalid_request_error", code, message)
}

fn missing(what: &str) -> Answer {
    refused(404, "invalid_request_error", "resource_missing", &format!("No such {what}"))
}

impl FakeStripe {
    pub async fn start() -> Self {
        let books = Arc::<Mutex<Books>>::default();
        let app = Router::new().fallback(answer).with_state(books.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, books }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }

    /// How the operator describes it.
    pub fn config(&self) -> StripeConfig {
        StripeConfig {
            secret_key: KEY.to_owned(),
            webhook_secrets: vec!["whsec_anolderone".to_owned(), WEBHOOK_SECRET.to_owned()],
            api: Some(self.url.clone()),
        }
    }

    /// Our client of it.
    pub fn client(&self) -> Stripe {
        Stripe::new(&self.config()).unwrap()
    }

    /// This goes wrong with the next calls.
    pub fn will(&self, trouble: impl IntoIterator<Item = Trouble>) {
        self.books().trouble.extend(trouble);
    }

    /// Whether the first answer about each new payment is lost, after it was made.
    pub fn loses_new(&self, loses: bool) {
        self.books().loses_new = loses;
    }

    /// This goes wrong with every call that takes money of a shopper, until further notice.
    pub fn confirming(&self, trouble: Option<Trouble>) {
        self.books().confirming = trouble;
    }

    /// What it was called with: method and path.
    pub fn calls(&self) -> Vec<String> {
        self.books().calls.clone()
    }

    /// Whether money of a payment that carries this checkout is promised or taken, and not given up: how often.
    pub fn charges(&self, checkout: &str) -> usize {
        let books = self.books();
        let of = |intent: &&Value| intent["metadata"]["checkout"] == checkout && intent["latest_charge"].is_string();
        books.intents.values().filter(of).count()
    }

    /// Every intent.
    pub fn intents(&self) -> Vec<Value> {
        self.books().intents.values().cloned().collect()
    }

    /// How much is taken and not given back over all.
    pub fn kept(&self) -> i64 {
        let minor = |value: &Value| value.as_i64().unwrap_or(0);
        let books = self.books();
        let of = |charge: &Value| match &books.intents[charge["payment_intent"].as_str().unwrap()]["status"] {
            status if status == "succeeded" => minor(&charge["amount"]) - minor(&charge["amount_refunded"]),
            _ => 0,
        };
        books.charges.values().map(of).sum()
    }

    /// The shopper says at his bank whether it is he.
    pub fn act(&self, id: &str, confirmed: bool) {
        self.books().act(id, confirmed);
    }

    /// Money on its way arrives.
    pub fn arrive(&self, id: &str) {
        let mut books = self.books();
        assert_eq!(books.intents[id]["status"], "processing");
        books.pay(id);
    }

    /// The customers whom it knows.
    pub fn customers(&self) -> Vec<String> {
        self.books().vault.customers()
    }

    /// Somebody deletes a customer at its dashboard.
    pub fn delete_customer(&self, id: &str) {
        assert_eq!(self.books().vault.delete(id).0, 200);
    }

    /// What a customer saved.
    pub fn methods_of(&self, customer: &str) -> Vec<Value> {
        self.books().vault.methods_of(customer)
    }

    /// A day passes: it remembers no key.
    pub fn forget_keys(&self) {
        self.books().keys.clear();
    }

    /// The newest refund can't be delivered: its money comes back.
    pub fn fail_refund(&self) {
        let mut books = self.books();
        let refund = books.refunds.values_mut().next_back().unwrap();
        refund["status"] = json!("failed");
        let (charge, amount) = (refund["charge"].as_str().unwrap().to_owned(), refund["amount"].as_i64().unwrap());
        let charge = books.charges.get_mut(&charge).unwrap();
        charge["amount_refunded"] = json!(charge["amount_refunded"].as_i64().unwrap() - amount);
        charge["refunded"] = json!(false);
    }

    /// An event about the newest refund.
    pub fn refund_event(&self, kind: &str) -> Value {
        let refund = self.books().refunds.values().next_back().cloned();
        self.event_about(kind, refund.unwrap())
    }

    /// Changes what it holds of an intent, as somebody at its dashboard would.
    pub fn change(&self, id: &str, field: &str, value: Value) {
        self.books().intents.get_mut(id).unwrap()[field] = value;
    }

    /// An event of this kind about an intent as it is now.
    pub fn event(&self, kind: &str, id: &str) -> Value {
        let intent = self.books().intents[id].clone();
        self.event_about(kind, intent)
    }

    fn event_about(&self, kind: &str, object: Value) -> Value {
        json!({
            "id": self.books().name("evt"), "object": "event", "api_version": "2024-06-20",
            "created": chrono::Utc::now().timestamp(), "livemode": false, "type": kind, "data": { "object": object },
        })
    }
}

/// The header that signs a body at a moment, with each of these secrets.
pub fn signature(secrets: &[&str], at: i64, body: &[u8]) -> String {
    let message = [at.to_string().as_bytes(), b".", body].concat();
    let signed = secrets.iter().map(|secret| {
        let signed = crypto::sign(&message, &EncodingKey::from_secret(secret.as_bytes()), Algorithm::HS256).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signed).unwrap();
        format!(",v1={}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    });
    format!("t={at}{}", signed.collect::<String>())
}

async fn answer(
    State(books): State<Arc<Mutex<Books>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let form = match method {
        Method::GET => uri.query().unwrap_or_default().to_owned(),
        _ => String::from_utf8(body.to_vec()).unwrap(),
    };
    let mut books = books.lock().unwrap();
    books.calls.push(format!("{method} {}", uri.path()));
    if text("authorization") != Some(format!("Bearer {KEY}")) {
        let (status, body) = refused(401, "invalid_request_error", "", "Invalid API Key provided");
        return (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
    }
    let confirms = method == Method::POST && form.contains("confirm=true");
    let trouble = books.confirming.filter(|_| confirms).or_else(|| books.trouble.pop_front());
    if let Some(Trouble::Status(status)) = trouble {
        let (status, body) = refused(status, "api_error", "", "Something went wrong");
        return (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
    }
    let key = text("idempotency-key").filter(|_| method == Method::POST);
    let asked = format!("{} {form}", uri.path());
    let ((status, body), replayed) = match key.as_ref().and_then(|key| books.keys.get(key)) {
        Some((first, status, body)) if *first == asked => ((*status, body.clone()), true),
        Some(_) => {
            let message = "Keys for idempotent requests can only be used with the same parameters";
            ((400, json!({ "error": { "type": "idempotency_error", "message": message } })), false)
        }
        None => {
            let (done, executed) = books.run(&method, uri.path(), &tree(&form));
            if let Some(key) = key.filter(|_| executed) {
                books.keys.insert(key, (asked, done.0, done.1.clone()));
            }
            (done, false)
        }
    };
    let new = method == Method::POST && uri.path() == "/v1/payment_intents" && !replayed;
    if matches!(trouble, Some(Trouble::Lost)) || (new && books.loses_new) {
        let cut = futures_util::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
        return Response::new(Body::from_stream(cut));
    }
    let mut response = (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response();
    if replayed {
        response.headers_mut().insert("idempotent-replayed", "true".parse().unwrap());
    }
    response
}

/// What may stand in a call; anything else is refused.
const CREATE: [&str; 15] = [
    "amount",
    "automatic_payment_methods",
    "capture_method",
    "confirm",
    "confirmation_token",
    "currency",
    "customer",
    "description",
    "expand",
    "metadata",
    "payment_method",
    "payment_method_options",
    "payment_method_types",
    "return_url",
    "setup_future_usage",
];

impl Books {
    fn name(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}_3fake{:012}", self.made)
    }

    /// Carries out a call; whether it got as far as being carried out.
    fn run(&mut self, method: &Method, path: &str, form: &Value) -> (Answer, bool) {
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        let known = |allowed: &[&str]| {
            let unknown = form.as_object().unwrap().keys().find(|name| !allowed.contains(&name.as_str())).cloned();
            unknown.map(|name| invalid("parameter_unknown", &format!("Received unknown parameter: {name}")))
        };
        let looked = |found: Option<Value>, what: &str| (found.map_or_else(|| missing(what), |row| (200, row)), false);
        match (method, parts.as_slice()) {
            (&Method::GET, ["balance"]) => ((200, json!({ "object": "balance", "livemode": false })), false),
            (&Method::GET, ["payment_intents", "search"]) => ((200, self.search(form)), false),
            (&Method::GET, ["payment_intents", id]) => looked(self.expanded(id, &form["expand"]), "payment_intent"),
            (&Method::GET, ["refunds"]) => ((200, self.refunds_of(form)), false),
            (&Method::GET, ["refunds", id]) => looked(self.refunds.get(*id).cloned(), "refund"),
            (&Method::GET, ["charges", id]) => looked(self.charges.get(*id).cloned(), "charge"),
            (&Method::POST, ["payment_intents"]) => match known(&CREATE).or_else(|| wrong(form)) {
                Some(refused) => (refused, false),
                None => (self.create(form), true),
            },
            (&Method::POST, ["payment_intents", id, step]) => {
                if !self.intents.contains_key(*id) {
                    return (missing("payment_intent"), false);
                }
                match *step {
                    "capture" => match known(&["amount_to_capture", "expand"]) {
                        Some(refused) => (refused, false),
                        None => (self.capture(id, form), true),
                    },
                    "cancel" => match known(&["cancellation_reason", "expand"]) {
                        Some(refused) => (refused, false),
                        None => (self.cancel(id), true),
                    },
                    _ => (missing("url"), false),
                }
            }
            (&Method::POST, ["refunds"]) => {
                match known(&["amount", "payment_intent", "charge", "reason", "metadata"]) {
                    Some(refused) => (refused, false),
                    None => (self.refund(form), true),
                }
            }
            _ => self.of_customers(method, &parts, form),
        }
    }

    fn search(&self, form: &Value) -> Value {
        let query = form["query"].as_str().unwrap();
        let wanted = query.strip_prefix("metadata['checkout']:'").unwrap().strip_suffix('\'').unwrap();
        let found = self.intents.iter().filter(|(_, intent)| intent["metadata"]["checkout"] == wanted);
        let expand = json!(["latest_charge"]);
        let data: Vec<_> = found.filter_map(|(id, _)| self.expanded(id, &expand)).collect();
        json!({ "object": "search_result", "has_more": false, "data": data })
    }

    /// The newest first, as many as were asked for.
    fn refunds_of(&self, form: &Value) -> Value {
        let of = |refund: &&Value| refund["payment_intent"] == form["payment_intent"];
        let after = |refund: &&Value| form["starting_after"].is_null() || refund["id"] != form["starting_after"];
        let all: Vec<&Value> = self.refunds.values().rev().filter(of).collect();
        let start = all.iter().position(|refund| !after(refund)).map_or(0, |place| place + 1);
        let limit = usize::try_from(number(&form["limit"])).unwrap_or(10);
        let data: Vec<&Value> = all[start..].iter().take(limit).copied().collect();
        json!({ "object": "list", "url": "/v1/refunds", "has_more": all.len() > start + data.len(), "data": data })
    }

    fn expanded(&self, id: &str, expand: &Value) -> Option<Value> {
        let mut intent = self.intents.get(id)?.clone();
        if expand.as_array().is_some_and(|names| names.iter().any(|name| name == "latest_charge"))
            && let Some(charge) = intent["latest_charge"].as_str().and_then(|id| self.charges.get(id))
        {
            intent["latest_charge"] = charge.clone();
        }
        Some(intent)
    }

    fn create(&mut self, form: &Value) -> Answer {
        let id = self.name("pi");
        let secret = format!("{id}_secret_{}", self.made);
        let confirm = form["confirm"] == "true";
        let method = form["payment_method"].as_str().map(str::to_owned);
        let token = form["confirmation_token"].as_str().map(|token| token.replacen("ctoken_", "pm_card_", 1));
        let method = method.or(token);
        if let Some(refused) = self.vault.refuses(method.as_deref(), form["customer"].as_str()) {
            return refused;
        }
        self.intents.insert(
            id.clone(),
            json!({
                "id": id, "object": "payment_intent", "amount": number(&form["amount"]), "amount_capturable": 0,
                "amount_received": 0, "currency": form["currency"], "client_secret": secret, "livemode": false,
                "capture_method": form["capture_method"].as_str().unwrap_or("automatic_async"),
                "metadata": form["metadata"].as_object().cloned().unwrap_or_default(),
                "payment_method": method, "latest_charge": null, "next_action": null, "last_payment_error": null,
                "return_url": form["return_url"], "status": "requires_payment_method", "customer": form["customer"],
                "created": chrono::Utc::now().timestamp(), "canceled_at": null, "cancellation_reason": null,
                "setup_future_usage": form["setup_future_usage"], "payment_method_options": form["payment_method_options"],
            }),
        );
        if !confirm {
            let status = if method.is_some() { "requires_confirmation" } else { "requires_payment_method" };
            self.intents.get_mut(&id).unwrap()["status"] = json!(status);
            return (200, self.intents[&id].clone());
        }
        match self.vault.token(method.as_deref()).as_deref() {
            Some("pm_card_visa") => self.pay(&id),
            Some("pm_card_authenticationRequired") => {
                let intent = self.intents.get_mut(&id).unwrap();
                intent["status"] = json!("requires_action");
                let url = "https://hooks.stripe.example/3d_secure";
                intent["next_action"] = match intent["return_url"].as_str() {
                    Some(back) => {
                        json!({ "type": "redirect_to_url", "redirect_to_url": { "url": url, "return_url": back } })
                    }
                    None => {
                        json!({ "type": "use_stripe_sdk", "use_stripe_sdk": { "type": "three_d_secure_redirect" } })
                    }
                };
            }
            Some("pm_usBankAccount_success") => {
                self.intents.get_mut(&id).unwrap()["status"] = json!("processing");
            }
            Some("pm_card_chargeDeclined") => return self.decline(&id, "card_declined", "generic_decline"),
            Some("pm_card_chargeDeclinedInsufficientFunds") => {
                return self.decline(&id, "card_declined", "insufficient_funds");
            }
            Some("pm_card_chargeDeclinedStolenCard") => return self.decline(&id, "card_declined", "stolen_card"),
            _ => {
                self.intents.remove(&id);
                return invalid("resource_missing", "No such PaymentMethod");
            }
        }
        (200, self.intents[&id].clone())
    }

    /// The money is there, as far as the way of capture goes.
    fn pay(&mut self, id: &str) {
        let (charge, kept) = (self.name("ch"), self.name("pm"));
        let intent = self.intents.get_mut(id).unwrap();
        self.vault.attach(intent, kept);
        let manual = intent["capture_method"] == "manual";
        let amount = intent["amount"].clone();
        let captured = if manual { json!(0) } else { amount.clone() };
        intent["status"] = json!(if manual { "requires_capture" } else { "succeeded" });
        intent["amount_capturable"] = if manual { amount.clone() } else { json!(0) };
        intent["amount_received"] = captured.clone();
        intent["latest_charge"] = json!(charge);
        intent["next_action"] = Value::Null;
        let row = json!({
            "id": charge, "object": "charge", "payment_intent": id, "amount": amount, "amount_captured": captured,
            "amount_refunded": 0, "captured": !manual, "paid": true, "refunded": false, "currency": intent["currency"],
        });
        self.charges.insert(charge, row);
    }

    fn decline(&mut self, id: &str, code: &str, decline_code: &str) -> Answer {
        let intent = self.intents.get_mut(id).unwrap();
        intent["status"] = json!("requires_payment_method");
        let error = json!({
            "type": "card_error", "code": code, "decline_code": decline_code, "message": "Your card was declined.",
        });
        intent["last_payment_error"] = error.clone();
        let mut error = error;
        error["payment_intent"] = intent.clone();
        (402, json!({ "error": error }))
    }

    fn act(&mut self, id: &str, confirmed: bool) {
        if self.intents[id]["status"] != "requires_action" {
            return;
        }
        if confirmed {
            self.pay(id);
        } else {
            self.decline(id, "payment_intent_authentication_failure", "authentication_required");
            self.intents.get_mut(id).unwrap()["next_action"] = Value::Null;
        }
    }

    fn unexpected(&self, id: &str, step: &str) -> Answer {
        let status = self.intents[id]["status"].clone();
        let message = format!("This PaymentIntent could not be {step} because it has a status of {status}.");
        let (code, mut body) = invalid("payment_intent_unexpected_state", &message);
        body["error"]["payment_intent"] = self.intents[id].clone();
        (code, body)
    }

    fn capture(&mut self, id: &str, form: &Value) -> Answer {
        if self.intents[id]["status"] != "requires_capture" {
            return self.unexpected(id, "captured");
        }
        let intent = self.intents.get_mut(id).unwrap();
        let all = intent["amount_capturable"].as_i64().unwrap();
        let amount = if form["amount_to_capture"].is_null() { all } else { number(&form["amount_to_capture"]) };
        if amount < 1 || amount > all {
            return invalid(
                "amount_too_large",
                "The amount could not be captured because it is greater than the rest.",
            );
        }
        // The rest is let go.
        intent["amount_capturable"] = json!(0);
        intent["amount_received"] = json!(amount);
        intent["status"] = json!("succeeded");
        let charge = self.charges.get_mut(intent["latest_charge"].as_str().unwrap()).unwrap();
        charge["amount_captured"] = json!(amount);
        charge["captured"] = json!(true);
        // As Stripe tells it: the rest was given back.
        charge["amount_refunded"] = json!(all - amount);
        (200, intent.clone())
    }

    fn cancel(&mut self, id: &str) -> Answer {
        let status = self.intents[id]["status"].as_str().unwrap().to_owned();
        let open = ["requires_payment_method", "requires_capture", "requires_confirmation", "requires_action"];
        if !open.contains(&status.as_str()) {
            return self.unexpected(id, "canceled");
        }
        let intent = self.intents.get_mut(id).unwrap();
        intent["status"] = json!("canceled");
        intent["amount_capturable"] = json!(0);
        intent["canceled_at"] = json!(chrono::Utc::now().timestamp());
        let (intent, promised) = (intent.clone(), intent["latest_charge"].as_str().map(str::to_owned));
        if let Some(charge) = promised.and_then(|id| self.charges.get_mut(&id)) {
            charge["amount_refunded"] = charge["amount"].clone();
            charge["refunded"] = json!(true);
        }
        (200, intent)
    }

    fn refund(&mut self, form: &Value) -> Answer {
        let intent = form["payment_intent"].as_str().and_then(|id| self.intents.get(id));
        let Some(charge) = intent.and_then(|intent| intent["latest_charge"].as_str()).map(str::to_owned) else {
            return invalid("resource_missing", "No such payment_intent with a charge");
        };
        let id = self.name("re");
        let charge = self.charges.get_mut(&charge).unwrap();
        let left = charge["amount"].as_i64().unwrap() - charge["amount_refunded"].as_i64().unwrap();
        let amount = if form["amount"].is_null() { left } else { number(&form["amount"]) };
        if left == 0 {
            return invalid("charge_already_refunded", "The charge has already been refunded.");
        }
        if amount < 1 || amount > left {
            return invalid("amount_too_large", "Refund amount is greater than the unrefunded amount on the charge.");
        }
        charge["amount_refunded"] = json!(charge["amount_refunded"].as_i64().unwrap() + amount);
        charge["refunded"] = json!(amount == left);
        let refund = json!({
            "id": id, "object": "refund", "amount": amount, "status": "succeeded", "charge": charge["id"],
            "payment_intent": form["payment_intent"], "currency": charge["currency"], "reason": form["reason"],
            "metadata": form["metadata"].as_object().cloned().unwrap_or_default(),
        });
        self.refunds.insert(id, refund.clone());
        (200, refund)
    }
}

/// What is wrong with a new intent before it is made.
fn wrong(form: &Value) -> Option<Answer> {
    let currency = form["currency"].as_str().unwrap_or_default();
    if number(&form["amount"]) < 1 {
        return Some(invalid("parameter_invalid_integer", "Invalid positive integer"));
    }
    if currency.len() != 3 || currency != currency.to_lowercase() {
        return Some(invalid("parameter_invalid", "Invalid currency"));
    }
    if currency == "kwd" && number(&form["amount"]) % 10 != 0 {
        return Some(invalid("parameter_invalid_integer", "The last digit must be zero."));
    }
    let both = !form["payment_method"].is_null() && !form["confirmation_token"].is_null();
    if both {
        return Some(invalid("parameter_invalid", "Only one of payment_method and confirmation_token"));
    }
    let redirects = form["automatic_payment_methods"]["enabled"] == "true"
        && form["automatic_payment_methods"]["allow_redirects"] != "never";
    if form["confirm"] == "true" && redirects && form["return_url"].is_null() {
        return Some(invalid("parameter_missing", "You must provide a return_url"));
    }
    None
}
