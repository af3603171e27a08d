//! The schema as a whole.

use std::collections::BTreeSet;

use emporion::api::unified_schema;
use serde_json::{Value, json};

use crate::support::Shop;

#[test]
fn schema_graphql_is_fresh() {
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert!(committed == unified_schema(true).sdl(), "schema.graphql is stale: run make schema");
}

const INTROSPECTION: &str = "{ __schema { types { name kind description
    fields { name description args { name description } }
    inputFields { name description } enumValues { name description } } } }";

async fn types_of(client: &crate::support::client::Client) -> Vec<Value> {
    client.send(INTROSPECTION, json!({})).await.at("__schema.types").as_array().unwrap().clone()
}

fn own(types: &[Value]) -> impl Iterator<Item = &Value> {
    types.iter().filter(|kind| !kind["name"].as_str().unwrap().starts_with("__"))
}

#[tokio::test]
async fn the_store_knows_no_admin_type() {
    let shop = Shop::open().await;
    let types = types_of(&shop.store).await;
    let leaked: Vec<_> = own(&types).filter(|kind| kind["name"].as_str().unwrap().starts_with("Admin")).collect();
    assert!(leaked.is_empty(), "{leaked:?}");
    let hidden = shop.store.send("{ channels { id } }", json!({})).await;
    assert!(hidden.error().contains("Unknown field"), "{}", hidden.error());
}

/// What graphql-js asks for code generators: types nested nine deep.
#[tokio::test]
async fn the_introspection_of_code_generators_is_answered() {
    let shop = Shop::open().await;
    let mut kind = "kind name".to_owned();
    for _ in 0..9 {
        kind = format!("kind name ofType {{ {kind} }}");
    }
    let query = format!(
        "{{ __schema {{ queryType {{ name }} types {{ kind name
            fields(includeDeprecated: true) {{ name args {{ name type {{ {kind} }} defaultValue }} type {{ {kind} }} }}
            inputFields {{ name type {{ {kind} }} }} interfaces {{ {kind} }} possibleTypes {{ {kind} }} }} }} }}"
    );
    for client in [&shop.store, &shop.admin] {
        let types = client.send(&query, json!({})).await.at("__schema.types");
        assert!(types.as_array().unwrap().len() > 50);
    }
}

#[tokio::test]
async fn the_unified_endpoint_shows_staff_everything_and_others_the_store() {
    let shop = Shop::open().await;
    let unified = crate::support::client::Client::new(format!("http://{}/graphql", shop.address));
    let store = unified.send("{ store { shop { locale } } }", json!({})).await;
    assert_eq!(store.at("store.shop.locale"), "en");
    let hidden = unified.send("{ admin { channels { id } } }", json!({})).await;
    assert!(hidden.error().contains("Unknown field"), "{}", hidden.error());
    let types = types_of(&unified).await;
    assert!(own(&types).all(|kind| !kind["name"].as_str().unwrap().starts_with("Admin")));

    let op = engine::auth::keys::CreateApiKey {
        title: "Tool".to_owned(),
        role: "viewer".to_owned(),
        secret: engine::auth::token::random_token(engine::auth::API_KEY_PREFIX),
    };
    shop.app.run(&engine::actor::Caller::system(), &op).await.unwrap();
    let both = unified.bearer(&op.secret);
    let query = "{ store { shop { locale } } admin { channels { handle } } }";
    assert_eq!(both.send(query, json!({})).await.at("admin.channels.0.handle"), "default");
    let write = r#"mutation { admin { channelCreate(input: { name: "X" }) { channel { id } userErrors { code } } } }"#;
    assert_eq!(both.send(write, json!({})).await.error_code(), "FORBIDDEN");
}

#[tokio::test]
async fn the_mutations_of_a_namespace_run_one_after_the_other() {
    let shop = Shop::open().await;
    let unified = crate::support::client::Client::new(format!("http://{}/graphql", shop.address));
    let key = engine::auth::keys::CreateApiKey {
        title: "Tool".to_owned(),
        role: "owner".to_owned(),
        secret: engine::auth::token::random_token(engine::auth::API_KEY_PREFIX),
    };
    shop.app.run(&engine::actor::Caller::system(), &key).await.unwrap();
    // Each one names the version that only the one before it makes.
    let steps: Vec<String> = (0..10)
        .map(|version| {
            let expected = if version == 0 { String::new() } else { format!(", expectedVersion: {version}") };
            let input = format!(r#"{{ handle: "chain", name: "Step {version}"{expected} }}"#);
            format!("s{version}: locationSet(input: {input}) {{ location {{ version }} userErrors {{ code }} }}")
        })
        .collect();
    let mutation = format!("mutation {{ admin {{ {} }} }}", steps.join(" "));
    let done = unified.bearer(&key.secret).send(&mutation, json!({})).await;
    for version in 0..10 {
        assert_eq!(done.at(&format!("admin.s{version}.location.version")), version + 1, "{done:?}");
    }
}

#[tokio::test]
async fn everything_has_a_description() {
    let shop = Shop::open().await;
    let mut bare = BTreeSet::new();
    for types in [types_of(&shop.store).await, types_of(&shop.admin).await] {
        for kind in own(&types) {
            let name = kind["name"].as_str().unwrap();
            if ["Query", "Mutation", "Subscription", "Boolean", "Int", "Float", "String", "ID"].contains(&name) {
                continue;
            }
            let mut check = |what: String, described: &Value| {
                if described["description"].as_str().unwrap_or_default().is_empty() {
                    bare.insert(what);
                }
            };
            check(name.to_owned(), kind);
            for list in ["fields", "inputFields", "enumValues"] {
                for part in kind[list].as_array().into_iter().flatten() {
                    check(format!("{name}.{}", part["name"]), part);
                    for argument in part["args"].as_array().into_iter().flatten() {
                        check(format!("{name}.{}({})", part["name"], argument["name"]), argument);
                    }
                }
            }
        }
    }
    assert!(bare.is_empty(), "without description: {bare:#?}");
}

const TYPE: &str = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";

/// The fields of the roots of a surface, and the input types that they take.
async fn roots_of(client: &crate::support::client::Client) -> Value {
    let argument = format!("name type {{ {TYPE} }}");
    let query = format!(
        "{{ __schema {{
            queryType {{ fields {{ name args {{ {argument} }} type {{ {TYPE} }} }} }}
            mutationType {{ fields {{ name args {{ {argument} }} type {{ {TYPE} }} }} }}
            types {{ name isOneOf inputFields {{ {argument} }} enumValues {{ name }} }} }} }}"
    );
    client.send(&query, json!({})).await.at("__schema")
}

fn fields(root: &Value) -> impl Iterator<Item = &Value> {
    root["fields"].as_array().into_iter().flatten()
}

#[tokio::test]
async fn every_mutation_has_one_input_and_one_payload() {
    let shop = Shop::open().await;
    for client in [&shop.store, &shop.admin] {
        let schema = roots_of(client).await;
        for field in fields(&schema["mutationType"]) {
            let name = field["name"].as_str().unwrap();
            let arguments = field["args"].as_array().unwrap();
            assert!(arguments.len() <= 1 && arguments.iter().all(|argument| argument["name"] == "input"), "{name}");
            assert_eq!(field["type"]["kind"], "NON_NULL", "{name}");
            assert!(field["type"]["ofType"]["name"].as_str().unwrap().ends_with("Payload"), "{name}");
        }
    }
}

/// The fields of the admin roots that answer callers without a credential.
pub const OPEN: &[&str] = &[
    "staffIdentityLoginFinish",
    "staffIdentityLoginStart",
    "staffIdentityProviders",
    "staffInvitationAccept",
    "staffLogin",
    "staffLoginSecondFactor",
    "staffRecover",
    "staffRecoveryRequest",
    "staffTokenRefresh",
];

#[tokio::test]
async fn every_admin_root_field_refuses_strangers() {
    let shop = Shop::open().await;
    let schema = roots_of(&shop.admin).await;
    let mut refused = 0;
    for (root, keyword) in [("queryType", "query"), ("mutationType", "mutation")] {
        for field in fields(&schema[root]) {
            let name = field["name"].as_str().unwrap();
            if OPEN.contains(&name) {
                continue;
            }
            let arguments = needed(&schema, &field["args"]);
            let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
            let selection = if is_leaf(&field["type"]) { "" } else { "{ __typename }" };
            let query = format!("{keyword} {{ {name}{arguments} {selection} }}");
            let answer = shop.anonymous_admin.send(&query, json!({})).await;
            assert_eq!(answer.error_code(), "UNAUTHENTICATED", "{query} gave {}", answer.body);
            refused += 1;
        }
    }
    assert!(refused > 10, "only {refused} fields were asked");
}

fn is_leaf(kind: &Value) -> bool {
    match kind["kind"].as_str() {
        Some("NON_NULL" | "LIST") => is_leaf(&kind["ofType"]),
        Some(kind) => ["SCALAR", "ENUM"].contains(&kind),
        None => false,
    }
}

/// Values of the right type for everything that is required.
fn needed(schema: &Value, inputs: &Value) -> String {
    let inputs = inputs.as_array().unwrap().iter();
    let required = inputs.filter(|input| input["type"]["kind"] == "NON_NULL");
    required
        .map(|input| format!("{}: {}", input["name"].as_str().unwrap(), literal(schema, &input["type"])))
        .collect::<Vec<_>>()
        .join(", ")
}

fn literal(schema: &Value, kind: &Value) -> String {
    let name = kind["name"].as_str().unwrap_or_default();
    let declared = || schema["types"].as_array().unwrap().iter().find(|kind| kind["name"] == name).unwrap();
    match kind["kind"].as_str().unwrap() {
        "NON_NULL" => literal(schema, &kind["ofType"]),
        "LIST" => format!("[{}]", literal(schema, &kind["ofType"])),
        "ENUM" => declared()["enumValues"][0]["name"].as_str().unwrap().to_owned(),
        "INPUT_OBJECT" if declared()["isOneOf"] == true => {
            let first = &declared()["inputFields"][0];
            format!("{{ {}: {} }}", first["name"].as_str().unwrap(), literal(schema, &first["type"]))
        }
        "INPUT_OBJECT" => format!("{{ {} }}", needed(schema, &declared()["inputFields"])),
        _ => match name {
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

/// Words that no field of a shopper's has.
const SECRET: &[&str] = &[
    "hash",
    "secret",
    "password",
    "private",
    "internal",
    "cost",
    "margin",
    "supplier",
    "note",
    "provider",
    "raw",
    "audit",
    "permission",
    "role",
    "session",
    "apikey",
    "signing",
    "token",
    "staff",
    "metadata",
    "incoming",
    "safety",
];
/// But for what is the shopper's own to keep, and the names of the ways to pay.
const OWN: &[&str] = &[
    "Cart.paymentSession",
    "CartCompletePayload.accessToken",
    "CartCreatePayload.cartToken",
    "CustomerLoginPayload.tokens",
    "CustomerTokenRefreshPayload.tokens",
    "CustomerTokens.accessToken",
    "CustomerTokens.accessTokenExpiresIn",
    "CustomerTokens.refreshToken",
    "Order.paymentProviders",
    "Payment.provider",
    "PaymentLink.paymentProviders",
    "PaymentMethod.provider",
    "PaymentSession.provider",
    "PaymentSessionCreatePayload.paymentSession",
    "Region.paymentProviders",
];

#[tokio::test]
async fn no_type_of_the_store_has_a_field_for_what_shoppers_may_not_know() {
    let shop = Shop::open().await;
    let types = types_of(&shop.store).await;
    let mut telling = BTreeSet::new();
    let mut seen = 0;
    for kind in own(&types) {
        let name = kind["name"].as_str().unwrap();
        for field in kind["fields"].as_array().into_iter().flatten() {
            let field = field["name"].as_str().unwrap();
            let (path, low) = (format!("{name}.{field}"), field.to_lowercase());
            seen += 1;
            if SECRET.iter().any(|word| low.contains(word)) && name != "Mutation" {
                telling.insert(path);
            }
        }
    }
    assert!(seen > 200, "only {seen} fields were looked at");
    assert_eq!(telling, OWN.iter().map(|path| (*path).to_owned()).collect());
}
