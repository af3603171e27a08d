//! No text of a shopper's is syntax for a database: every argument of every
//! field of the store, however deep, is filled with quotes. What there is to
//! fill comes from the schema, so that a new argument is filled without a
//! change here.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::{Answer, Shop};

/// Each would end a text, begin a statement, or mean something to full-text search or a pattern.
const PAYLOADS: &[&str] =
    &["' or '1'='1", "it's \"so\" -- ; /* \\ %_$1 ?", "\") union all select null,null --", "*\"NEAR( -a OR b:c^ {d}"];
/// What only a database, or code that speaks to one, would say.
const LEAKS: &[&str] = &[
    "sqlite",
    "sqlx",
    "sqlstate",
    "sea_orm",
    "syntax error",
    "unterminated",
    "no such column",
    "no such table",
    "fts5",
    "tsquery",
    "panicked",
];

/// The schema of the store as it tells of itself.
struct Schema(HashMap<String, Value>);

/// A way through inputs to a leaf, by name.
type Path = Vec<String>;

impl Schema {
    async fn of(client: &Client) -> Self {
        const TYPE: &str = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";
        let input = format!("name defaultValue type {{ {TYPE} }}");
        let query = format!(
            "{{ __schema {{ types {{ kind name isOneOf fields {{ name args {{ {input} }} type {{ {TYPE} }} }}
                inputFields {{ {input} }} enumValues {{ name }} possibleTypes {{ name }} }} }} }}"
        );
        let types = client.send(&query, json!({})).await.at("__schema.types");
        Self(types.as_array().unwrap().iter().map(|one| (text(&one["name"]), one.clone())).collect())
    }

    fn named(&self, kind: &Value) -> &Value {
        if kind["ofType"].is_object() { self.named(&kind["ofType"]) } else { &self.0[kind["name"].as_str().unwrap()] }
    }

    fn fields(&self, of: &str) -> Vec<Value> {
        self.0[of]["fields"].as_array().cloned().unwrap_or_default()
    }

    /// The ways to everything that is written as text among inputs; no input within itself.
    fn leaves(&self, inputs: &Value, open: &mut Vec<String>) -> Vec<Path> {
        let mut found = Vec::new();
        for input in inputs.as_array().into_iter().flatten() {
            let kind = self.named(&input["type"]);
            let (name, kind_name) = (text(&input["name"]), text(&kind["name"]));
            match kind["kind"].as_str().unwrap() {
                "INPUT_OBJECT" if !open.contains(&kind_name) => {
                    open.push(kind_name);
                    let below = self.leaves(&kind["inputFields"], open);
                    open.pop();
                    found.extend(below.into_iter().map(|path| [vec![name.clone()], path].concat()));
                }
                "SCALAR" if !["Int", "Boolean"].contains(&kind_name.as_str()) => found.push(vec![name]),
                _ => {}
            }
        }
        found
    }

    /// Inputs in writing: what must be there, and what lies on the way, with the payload at its end.
    fn written(&self, inputs: &Value, path: &[String], payload: &str, one_of: bool) -> String {
        let mut parts = Vec::new();
        for (place, input) in inputs.as_array().into_iter().flatten().enumerate() {
            let name = text(&input["name"]);
            let on_the_way = path.first() == Some(&name);
            let needed = input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null();
            if on_the_way || (!one_of && needed) || (one_of && path.is_empty() && place == 0) {
                let rest = if on_the_way { Some(&path[1..]) } else { None };
                parts.push(format!("{name}: {}", self.value(&input["type"], rest, payload)));
            }
        }
        parts.join(", ")
    }

    fn value(&self, kind: &Value, path: Option<&[String]>, payload: &str) -> String {
        match kind["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(&kind["ofType"], path, payload),
            "LIST" => format!("[{}]", self.value(&kind["ofType"], path, payload)),
            "ENUM" => text(&self.named(kind)["enumValues"][0]["name"]),
            "INPUT_OBJECT" => {
                let kind = self.named(kind);
                let fields = &kind["inputFields"];
                format!("{{ {} }}", self.written(fields, path.unwrap_or_default(), payload, kind["isOneOf"] == true))
            }
            _ if path.is_some() => json!(payload).to_string(),
            _ => match kind["name"].as_str().unwrap() {
                "Int" | "Int64" => "1",
                "Boolean" => "true",
                "CurrencyCode" => "\"EUR\"",
                "CountryCode" => "\"DE\"",
                "DateTime" => "\"2026-01-01T00:00:00Z\"",
                _ => "\"1\"",
            }
            .to_owned(),
        }
    }

    /// What is selected of an answer: its name alone, or that of its type.
    fn selection(&self, kind: &Value) -> &'static str {
        if ["SCALAR", "ENUM"].contains(&self.named(kind)["kind"].as_str().unwrap()) { "" } else { "{ __typename }" }
    }

    /// A field with its arguments, one document for each way to a text.
    fn calls(&self, field: &Value, payload: &str) -> Vec<String> {
        let leaves = self.leaves(&field["args"], &mut Vec::new());
        let call = |path: &Path| {
            let arguments = self.written(&field["args"], path, payload, false);
            format!("{}({arguments}) {}", text(&field["name"]), self.selection(&field["type"]))
        };
        leaves.iter().map(call).collect()
    }

    /// How each type is reached from a query that finds something: what stands before and behind.
    fn reached(&self, roots: &[(&str, String)]) -> BTreeMap<String, (String, String)> {
        let mut found: BTreeMap<String, (String, String)> = BTreeMap::new();
        let mut next: Vec<(String, String, String)> =
            roots.iter().map(|(of, call)| ((*of).to_owned(), format!("{call} {{ "), " }".to_owned())).collect();
        while let Some((of, before, behind)) = next.pop() {
            if found.contains_key(&of) {
                continue;
            }
            for field in self.fields(&of) {
                let below = self.named(&field["type"]);
                let needs =
                    field["args"].as_array().unwrap().iter().any(|argument| argument["type"]["kind"] == "NON_NULL");
                if below["kind"] == "OBJECT" && !needs {
                    let step = format!("{before}{} {{ ", text(&field["name"]));
                    next.insert(0, (text(&below["name"]), step, format!("{behind} }}")));
                }
            }
            found.insert(of, (before, behind));
        }
        found
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Holds what no answer may be.
#[track_caller]
fn harmless(asked: &str, answer: &Answer) {
    assert!(answer.status == 200 || answer.status == 400, "{}: {asked} gave {}", answer.status, answer.body);
    let codes = answer.body["errors"].as_array().into_iter().flatten().map(|error| &error["extensions"]["code"]);
    for code in codes {
        assert!(!["INTERNAL", "UNAVAILABLE"].iter().any(|bad| code == bad), "{asked} gave {}", answer.body);
    }
    let told = answer.body.to_string().to_lowercase();
    for leak in LEAKS {
        assert!(!told.contains(leak), "{leak} in the answer to {asked}: {}", answer.body);
    }
}

/// A shop with something to find, and how a customer asks it.
async fn scene() -> (Shop, Client, Vec<(&'static str, String)>) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.product("Tee").price("20.00").stock(5).create().await;
    let cart = shop.cart(&[(&tee.variant, 1)]).await;
    shop.set("collectionSet", json!({ "title": "Picks", "productIds": [tee.product] }), "collection { id }")
        .await
        .done();
    shop.set("categorySet", json!({ "title": "Tops" }), "category { id }").await.done();
    shop.set("policySet", json!({ "kind": "PRIVACY", "bodyHtml": "<p>x</p>" }), "policy { id }").await.done();
    let ada = shop.customer("ada@shopper.example").await;
    let roots = vec![
        ("Product", format!("product(by: {{ id: {:?} }})", tee.product)),
        ("Collection", "collection(by: { handle: \"picks\" })".to_owned()),
        ("Category", "category(by: { handle: \"tops\" })".to_owned()),
        ("Cart", format!("cart(id: {:?}, token: {:?})", cart.id, cart.token)),
        ("Customer", "customer".to_owned()),
        ("Shop", "shop".to_owned()),
    ];
    (shop, ada.client, roots)
}

#[tokio::test]
async fn no_argument_of_the_store_is_syntax_for_a_database() {
    let (shop, client, roots) = scene().await;
    let schema = Schema::of(&shop.store).await;
    let counted = "{ products { totalCount } collections { totalCount } categories { id } }";
    let before = shop.store.send(counted, json!({})).await.body;
    let mut sent = 0;
    for payload in PAYLOADS {
        for (root, keyword) in [("Query", "query"), ("Mutation", "mutation")] {
            for field in schema.fields(root) {
                for call in schema.calls(&field, payload) {
                    let document = format!("{keyword} {{ {call} }}");
                    harmless(&document, &client.send(&document, json!({})).await);
                    sent += 1;
                }
            }
        }
        for (of, (open, close)) in schema.reached(&roots) {
            for field in schema.fields(&of) {
                for call in schema.calls(&field, payload) {
                    let document = format!("{{ {open}{call}{close} }}");
                    let answer = client.send(&document, json!({})).await;
                    harmless(&document, &answer);
                    sent += 1;
                }
            }
        }
    }
    assert!(sent > 4 * 150, "only {sent}");
    assert_eq!(shop.store.send(counted, json!({})).await.body, before);
}

#[tokio::test]
async fn no_header_is_syntax_for_a_database() {
    let (shop, client, roots) = scene().await;
    let names =
        ["x-region", "x-publishable-key", "accept-language", "authorization", "last-event-id", "content-language"];
    let (_, product) = &roots[0];
    let asked = format!("{{ shop {{ locale region {{ handle }} }} {product} {{ title }} products {{ totalCount }} }}");
    for name in names {
        for payload in PAYLOADS {
            for value in [(*payload).to_owned(), format!("Bearer {payload}"), format!("de;q=0.9,{payload}")] {
                // The bytes of a header are Latin: what the client library lets through is sent.
                let Ok(answer) = client.with(name, &value).try_send(&asked, json!({})).await else { continue };
                let known = [200, 400, 401].contains(&answer.status);
                assert!(known, "{name}: {value} gave {} {}", answer.status, answer.body);
                let told = answer.body.to_string().to_lowercase();
                assert!(
                    LEAKS.iter().chain(&["internal"]).all(|leak| !told.contains(leak)),
                    "{name}: {value} gave {told}"
                );
            }
        }
    }
    assert_eq!(shop.store.send("{ products { totalCount } }", json!({})).await.at("products.totalCount"), 1);
}
