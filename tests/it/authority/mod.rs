//! Who may do what: every root field of every surface, asked by everybody,
//! with ids of customer B. The fields and their arguments come from the schema,
//! what a field needs comes from its guard in the source: a new field falls
//! under these tests without a change here.

mod document;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::auth::Permission;
use engine::actor::Need;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use syn::visit::Visit;

use self::document::{Book, Document, Root, Schema};
use self::scene::{HIDEABLE, Person, Scene};
use crate::schema::OPEN;
use crate::support::Answer;
use crate::support::client::Client;
use crate::support::customers::Account;
use crate::support::rows::{Reader, difference};
use crate::support::socket::Socket;

/// How long a subscription may take to say that somebody has no right to it.
const AT_ONCE: Duration = Duration::from_millis(300);

/// How deep the answers of the store are looked into: what shows through there is a leak.
const SHOWN: usize = 2;
/// How deep those of the admin surface are: more of it costs more than one request may.
const REACHED: usize = 1;

/// An answer without what differs from one call to the next.
#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    data: Value,
    errors: Vec<(Value, Value)>,
}

impl Told {
    fn of(answer: &Answer, space: Option<&str>) -> Self {
        let data = &answer.body["data"];
        let data = space.map_or(data, |space| &data[space]);
        let errors = answer.body["errors"].as_array().into_iter().flatten();
        Self {
            status: answer.status,
            data: masked(data),
            errors: errors.map(|error| (error["message"].clone(), error["extensions"]["code"].clone())).collect(),
        }
    }

    /// Whether something was said to be wrong, here or below.
    fn refused(&self) -> bool {
        fn within(value: &Value) -> bool {
            match value {
                Value::Object(fields) => fields.iter().any(|(name, value)| {
                    (name == "userErrors" && value.as_array().is_some_and(|list| !list.is_empty())) || within(value)
                }),
                _ => false,
            }
        }
        !self.errors.is_empty() || within(&self.data)
    }
}

/// Ids keep their kind alone; moments and secrets are told apart by nobody.
fn masked(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), masked(value))).collect(),
        Value::Array(values) => values.iter().map(masked).collect(),
        Value::String(text) => {
            let moment = text.len() >= 20 && text.as_bytes()[4] == b'-' && text.contains('T') && !text.contains(' ');
            match domain::id::parse(text) {
                Ok((prefix, _)) => json!(prefix),
                Err(_) if moment => json!("a moment"),
                Err(_) if text.len() >= 40 && !text.contains(' ') => json!("a secret"),
                Err(_) => value.clone(),
            }
        }
        _ => value.clone(),
    }
}

/// What a shopper is told. A document that is no question at all would be
/// answered alike for everybody.
async fn ask(scene: &Scene, client: &Client, root: Root, document: &Document) -> Answer {
    if root == Root::Mutation {
        scene.forget_tries().await;
    }
    let answer = client.send(&document.operation(root), json!({})).await;
    must_be_understood(&document.field, &answer);
    answer
}

#[track_caller]
fn must_be_understood(operation: &str, answer: &Answer) {
    for error in answer.body["errors"].as_array().into_iter().flatten() {
        let code = error["extensions"]["code"].as_str();
        let code = code.unwrap_or_else(|| {
            panic!("tests/it/authority must learn to ask for {operation}: {error}");
        });
        assert_ne!(code, "INTERNAL", "{operation} gave {}", answer.body);
    }
}

/// The fields that answer with something: subscriptions are asked over sockets.
fn answered(schema: &Schema) -> Vec<(Root, String)> {
    let mut fields = schema.roots();
    fields.retain(|(root, _)| *root != Root::Subscription);
    // What takes something away comes last, what ends the session at the very end.
    fields.sort_by_key(|(_, name)| match name {
        name if name.ends_with("Logout") => 3,
        name if name.ends_with("Delete") || name.ends_with("Erase") => 2,
        name if ["Archive", "Cancel", "Revoke", "Remove"].iter().any(|end| name.ends_with(end)) => 1,
        _ => 0,
    });
    fields
}

#[tokio::test]
async fn what_is_b_s_is_for_everybody_else_as_if_it_were_not_there() {
    let scene = Scene::open().await;
    let schema = Schema::of(&scene.shop.store, SHOWN).await;
    let rows = Reader::of(&scene.shop).await;
    let mut names: Vec<String> = scene.named.iter().map(|id| rows.written(*id)).collect();
    names.push(scene.bob.email.clone());
    let names_b = |row: &str| names.iter().any(|name| row.contains(name));
    let books = (scene.theirs(), scene.nobodys());
    let strangers =
        [("a guest", &scene.shop.store), ("a guest with a key", &scene.keyed), ("customer A", &scene.ada.client)];
    let mut compared = BTreeSet::new();
    for (who, client) in strangers {
        let mut before = rows.rows(&scene.shop).await;
        for (root, field) in answered(&schema) {
            let documents = schema.documents(root, &field, &books.0);
            let others = schema.documents(root, &field, &books.1);
            for (theirs, nobodys) in documents.iter().zip(&others) {
                let told = Told::of(&ask(&scene, client, root, theirs).await, None);
                if root == Root::Mutation {
                    let after = rows.rows(&scene.shop).await;
                    let changed = difference(&before, &after);
                    if told.refused() {
                        assert!(changed.is_empty(), "{who}: {field} was refused and changed {changed:#?}");
                    }
                    // That a mail was asked for is all that a stranger can bring about.
                    let theirs: Vec<_> = changed.iter().filter(|row| names_b(row)).collect();
                    let harmless = theirs.iter().all(|row| row.starts_with("+ event:"));
                    assert!(harmless, "{who}: {field} changed what is B's: {theirs:#?}");
                }
                if theirs.field != nobodys.field {
                    let other = Told::of(&ask(&scene, client, root, nobodys).await, None);
                    assert_eq!(told, other, "{who}: {}", theirs.field);
                    compared.insert(field.clone());
                }
                if root == Root::Mutation {
                    before = rows.rows(&scene.shop).await;
                }
            }
        }
    }
    assert!(compared.len() >= 20, "only {compared:?}");
}

#[tokio::test]
async fn staff_of_another_channel_and_place_find_no_order_of_b_s() {
    let scene = Scene::open().await;
    let elsewhere = scene.elsewhere().await;
    let schema = Schema::of(&elsewhere, REACHED).await;
    let rows = Reader::of(&scene.shop).await;
    let books = (scene.theirs(), scene.without_orders());
    let mut compared = BTreeSet::new();
    for (root, field) in answered(&schema) {
        let documents = schema.documents(root, &field, &books.0);
        let others = schema.documents(root, &field, &books.1);
        for (theirs, nobodys) in documents.iter().zip(&others).filter(|(theirs, other)| theirs.field != other.field) {
            let before = rows.rows(&scene.shop).await;
            let told = Told::of(&ask(&scene, &elsewhere, root, theirs).await, None);
            let after = rows.rows(&scene.shop).await;
            let changed = difference(&before, &after);
            assert!(changed.is_empty(), "{field} changed {changed:#?}");
            let other = Told::of(&ask(&scene, &elsewhere, root, nobodys).await, None);
            assert_eq!(told, other, "{}", theirs.field);
            compared.insert(field.clone());
        }
    }
    for field in ["order", "orderCancel", "paymentCapture", "fulfillmentCreate", "fulfillmentShip"] {
        assert!(compared.contains(field), "{field} is not in {compared:?}");
    }
}

#[tokio::test]
async fn what_is_hidden_is_for_shoppers_as_if_it_were_not_there() {
    let scene = Scene::open().await;
    let schema = Schema::of(&scene.shop.store, SHOWN).await;
    let books = (scene.hidden(), scene.gone());
    let mut compared = 0;
    for client in [&scene.shop.store, &scene.ada.client] {
        for (root, field) in answered(&schema) {
            let documents = schema.documents(root, &field, &books.0);
            let others = schema.documents(root, &field, &books.1);
            for (hidden, gone) in documents.iter().zip(&others) {
                if hidden.ids.iter().any(|prefix| HIDEABLE.contains(prefix)) {
                    let told = Told::of(&ask(&scene, client, root, hidden).await, None);
                    let other = Told::of(&ask(&scene, client, root, gone).await, None);
                    assert_eq!(told, other, "{}", hidden.field);
                    compared += 1;
                }
            }
        }
    }
    assert!(compared >= 2 * 8, "only {compared} were asked");
}

/// Without this, the comparisons above would also hold of documents that open nothing for anybody.
#[tokio::test]
async fn the_same_documents_open_b_s_things_for_b() {
    let scene = Scene::open().await;
    let schema = Schema::of(&scene.shop.store, SHOWN).await;
    let books = (scene.theirs(), scene.nobodys());
    let Account { client, .. } = &scene.bob;
    let mut opened = 0;
    for (root, field) in answered(&schema) {
        let documents = schema.documents(root, &field, &books.0);
        let others = schema.documents(root, &field, &books.1);
        let pairs = || documents.iter().zip(&others).filter(|(theirs, _)| !theirs.proves);
        let asked = pairs().any(|(theirs, nobodys)| theirs.ids != BTreeSet::new() && theirs.field != nobodys.field);
        // With an address alone nobody learns anything, not even its owner.
        let mut differs = false;
        for (theirs, nobodys) in pairs() {
            let told = Told::of(&ask(&scene, client, root, theirs).await, None);
            let other = Told::of(&ask(&scene, client, root, nobodys).await, None);
            differs |= told != other;
        }
        let private = documents.iter().zip(&others).any(|(one, other)| {
            one.ids.iter().any(|prefix| books.0.ids[prefix] != books.1.ids[prefix]) && one.field != other.field
        });
        if asked && private {
            assert!(differs, "{field} tells B no more of his own than of what is nobody's");
            opened += 1;
        }
    }
    assert!(opened >= 12, "only {opened} fields were asked");
}

/// What each admin root field needs, as its guard in the source says.
fn guards() -> BTreeMap<(Root, String), Need> {
    struct Guards(BTreeMap<(Root, String), Need>);
    impl<'ast> Visit<'ast> for Guards {
        fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
            let syn::Type::Path(path) = &*item.self_ty else { return };
            let part = path.path.segments.last().unwrap().ident.to_string();
            let ends = [("AdminQuery", Root::Query), ("AdminMutation", Root::Mutation)];
            let ends = ends.into_iter().chain([("AdminSubscription", Root::Subscription)]);
            let Some((_, root)) = ends.into_iter().find(|(end, _)| part.ends_with(end)) else { return };
            for inner in &item.items {
                let syn::ImplItem::Fn(field) = inner else { continue };
                for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("graphql")) {
                    let written = match &attribute.meta {
                        syn::Meta::List(list) => list.tokens.to_string(),
                        _ => continue,
                    };
                    let Some(guard) = written.split("guard = \"").nth(1) else { continue };
                    let guard = guard.split('"').next().unwrap();
                    let name = camel(&field.sig.ident.to_string());
                    assert!(self.0.insert((root, name.clone()), need(guard, &name)).is_none(), "two fields {name}");
                }
            }
        }
    }
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => walk(&path, found),
                path => found.push(path),
            }
        }
    }
    let mut files = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut guards = Guards(BTreeMap::new());
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
        guards.visit_file(&syn::parse_file(&std::fs::read_to_string(file).unwrap()).unwrap());
    }
    guards.0
}

fn need(guard: &str, field: &str) -> Need {
    // Where a permission must reach everywhere, those here do: none of them is limited to channels or locations.
    let name = guard.rsplit("::").next().unwrap().trim_end_matches("()").trim_end_matches("_everywhere").to_uppercase();
    match name.as_str() {
        "ADMIN" => Need::Admin,
        _ => {
            let permission = name.parse::<Permission>();
            Need::Permission(permission.unwrap_or_else(|_| panic!("say what the guard {guard} of {field} asks for")))
        }
    }
}

fn camel(name: &str) -> String {
    let mut words = name.trim_start_matches("r#").split('_');
    let first = words.next().unwrap().to_owned();
    words.fold(first, |name, word| format!("{name}{}{}", word[..1].to_uppercase(), &word[1..]))
}

#[tokio::test]
async fn every_admin_field_has_one_guard_and_a_viewer_s_reads_are_the_queries() {
    let scene = Scene::open().await;
    let schema = Schema::of(&scene.shop.anonymous_admin, REACHED).await;
    let guards = guards();
    let fields: BTreeSet<(Root, String)> = schema.roots().into_iter().collect();
    let guarded: BTreeSet<(Root, String)> = guards.keys().cloned().collect();
    let bare: Vec<_> = fields.difference(&guarded).map(|(_, name)| name.as_str()).collect();
    assert_eq!(bare.iter().copied().collect::<BTreeSet<_>>(), OPEN.iter().copied().collect(), "without a guard");
    assert_eq!(guarded.difference(&fields).collect::<Vec<_>>(), Vec::<&(Root, String)>::new());
    for ((root, name), need) in guards {
        if let Need::Permission(permission) = need {
            assert_eq!(permission.only_reads(), root != Root::Mutation, "{name} needs {permission}");
        }
    }
}

/// The documents of a surface with what their guards ask for; those without a guard have none.
fn guarded(schema: &Schema, book: &Book) -> Vec<(Root, String, Option<Need>, Document)> {
    let guards = guards();
    let mut found = Vec::new();
    for (root, field) in answered(schema) {
        let need = guards.get(&(root, field.clone())).copied();
        let documents = schema.documents(root, &field, book).into_iter();
        found.extend(documents.map(|document| (root, field.clone(), need, document)));
    }
    found
}

/// Asks for many things at a time, in whatever order.
async fn all_at_once(client: &Client, operations: Vec<String>) -> Vec<(String, Answer)> {
    let asked = stream::iter(operations).map(|operation| async move {
        let answer = client.send(&operation, json!({})).await;
        (operation, answer)
    });
    asked.buffer_unordered(8).collect().await
}

#[track_caller]
fn assert_refused(person: &Person, operation: &str, answer: &Answer) {
    let code = &answer.body["errors"][0]["extensions"]["code"];
    assert_eq!(code, person.refusal(), "{}: {operation} gave {}", person.name, answer.body);
    let told = &answer.body["data"];
    let nothing = told.is_null() || told.as_object().is_some_and(|data| data.values().all(Value::is_null));
    assert!(nothing, "{}: {operation} gave {told}", person.name);
}

/// Whether he came past the guards of the field and of the operation behind it.
#[track_caller]
fn let_through(person: &Person, operation: &str, answer: &Answer) -> bool {
    must_be_understood(operation, answer);
    let errors = answer.body["errors"].as_array().into_iter().flatten();
    let mut refusals = errors
        .filter(|error| ["FORBIDDEN", "UNAUTHENTICATED"].contains(&error["extensions"]["code"].as_str().unwrap()));
    // What lies below a field may need more than the field itself; whoever holds everything has that too.
    let everything = person.holds.as_ref().is_some_and(|held| held.len() == Permission::ALL.len());
    !refusals.any(|error| everything || error["path"].as_array().is_none_or(|path| path.len() < 2))
}

#[tokio::test]
async fn who_lacks_what_an_admin_field_needs_is_refused_and_changes_nothing() {
    let scene = Scene::open().await;
    let people = scene.people().await;
    let schema = Schema::of(&scene.shop.anonymous_admin, REACHED).await;
    let rows = Reader::of(&scene.shop).await;
    let (theirs, nobodys) = (guarded(&schema, &scene.theirs()), guarded(&schema, &scene.nobodys()));
    let mut refused = 0;
    for (place, person) in people.iter().enumerate() {
        let before = rows.rows(&scene.shop).await;
        // Whether an id is B's or nobody's makes no difference; to see that, a few will do.
        let books = if place < 5 { vec![&theirs, &nobodys] } else { vec![&theirs] };
        let lacking = books.into_iter().flatten().filter(|(_, _, need, _)| need.is_some_and(|need| !person.has(need)));
        let operations: Vec<_> = lacking.map(|(root, _, _, document)| document.operation(*root)).collect();
        for (operation, answer) in all_at_once(&person.client, operations).await {
            assert_refused(person, &operation, &answer);
            refused += 1;
        }
        let changed = difference(&before, &rows.rows(&scene.shop).await);
        assert!(changed.is_empty(), "{} was refused everything and changed {changed:#?}", person.name);
    }
    assert!(refused > 1_000, "only {refused} calls were refused");
    // What needs no credential asks for another proof, which nobody here has, or for a mail to somebody who is none.
    let before = rows.rows(&scene.shop).await;
    for (root, field, _, document) in theirs.iter().filter(|(_, _, need, _)| need.is_none()) {
        scene.forget_tries().await;
        let answer = scene.shop.anonymous_admin.send(&document.operation(*root), json!({})).await;
        assert!(let_through(&people[0], field, &answer), "{}", answer.body);
    }
    let changed = difference(&before, &rows.rows(&scene.shop).await);
    assert!(changed.is_empty(), "wrong proofs changed {changed:#?}");
}

#[tokio::test]
async fn exactly_the_permission_of_its_guard_opens_an_admin_field() {
    let scene = Scene::open().await;
    let people = scene.people().await;
    let schema = Schema::of(&scene.shop.anonymous_admin, REACHED).await;
    let fields = guarded(&schema, &scene.theirs());
    let mut opened = 0;
    for person in &people {
        for (root, _, need, document) in &fields {
            let Some(need @ Need::Permission(_)) = need else { continue };
            if person.has(*need) {
                let operation = document.operation(*root);
                let answer = person.client.send(&operation, json!({})).await;
                assert!(let_through(person, &operation, &answer), "{}: {operation}: {}", person.name, answer.body);
                opened += 1;
            }
        }
    }
    assert!(opened > 200, "only {opened} calls were let through");
}

/// Where what is needed depends on the id, it is one permission again, or none.
#[tokio::test]
async fn a_field_for_all_staff_opens_what_one_permission_opens_or_what_all_may_have() {
    let scene = Scene::open().await;
    let people = scene.people().await;
    let schema = Schema::of(&scene.shop.anonymous_admin, REACHED).await;
    let rows = Reader::of(&scene.shop).await;
    let staff: Vec<&Person> =
        people.iter().filter(|person| person.name.contains("staff") || person.name == "a viewer").collect();
    assert_eq!(staff.len(), Permission::ALL.len() + 2);
    let mut narrow = 0;
    for (root, field, _, document) in
        guarded(&schema, &scene.theirs()).iter().filter(|(_, _, need, _)| *need == Some(Need::Admin))
    {
        let operation = document.operation(*root);
        let mut through = Vec::new();
        let mut before = rows.rows(&scene.shop).await;
        for person in &staff {
            let answer = person.client.send(&operation, json!({})).await;
            let opened = let_through(person, &operation, &answer);
            let after = if *root == Root::Mutation { rows.rows(&scene.shop).await } else { before.clone() };
            if opened {
                through.push(*person);
            } else {
                let changed = difference(&before, &after);
                assert!(changed.is_empty(), "{} was refused {field} and changed {changed:#?}", person.name);
            }
            before = after;
        }
        let nobody_lacks_it = through.iter().any(|person| person.holds.as_ref().is_some_and(Vec::is_empty));
        if nobody_lacks_it {
            assert_eq!(through.len(), staff.len(), "{operation}");
            continue;
        }
        let singles: Vec<_> = through.iter().filter_map(|person| Some(person.holds.as_ref()?.as_slice())).collect();
        let one: Vec<Permission> = singles.iter().filter(|held| held.len() == 1).map(|held| held[0]).collect();
        assert_eq!(one.len(), 1, "{operation} is opened by {one:?}");
        assert_eq!(one[0].only_reads(), *root == Root::Query, "{operation}");
        assert_eq!(through.len(), 1 + usize::from(one[0].only_reads()), "{operation}: and by the viewer who has it");
        narrow += 1;
    }
    assert!(narrow >= 8, "only {narrow} were narrow");
}

#[tokio::test]
async fn the_unified_endpoint_answers_like_the_two() {
    let scene = Scene::open().await;
    let (store, admin) =
        (Schema::of(&scene.shop.store, SHOWN).await, Schema::of(&scene.shop.anonymous_admin, REACHED).await);
    let unified = Client::new(format!("http://{}/graphql", scene.shop.address));
    let people = scene.people().await;
    let at = |client: &Client| unified.with("authorization", &client.credential());
    let everything = Schema::of(&at(&people.last().unwrap().client), REACHED).await;
    for (flat, part) in [(&store, "Store"), (&admin, "Admin")] {
        for root in ["Query", "Mutation"] {
            assert_eq!(flat.fields_of(root), everything.fields_of(&format!("{part}{root}")), "{part}{root}");
        }
    }
    let both = store.fields_of("Subscription").union(&admin.fields_of("Subscription")).cloned().collect();
    assert_eq!(everything.fields_of("Subscription"), both);

    let rows = Reader::of(&scene.shop).await;
    let before = rows.rows(&scene.shop).await;
    let fields = guarded(&admin, &scene.theirs());
    for person in &people {
        let client = if person.name == "a guest" { unified.clone() } else { at(&person.client) };
        if person.holds.is_none() && person.name != "a publishable key" {
            let operations = fields.iter().map(|(root, _, _, document)| document.operation_in(*root, "admin"));
            for (operation, answer) in all_at_once(&client, operations.collect()).await {
                assert!(answer.error().contains("Unknown field"), "{}: {operation}", person.name);
            }
        } else if person.holds.as_ref().is_some_and(|held| held.len() <= 1) && !person.name.contains("staff with") {
            let lacking = fields.iter().filter(|(_, _, need, _)| need.is_some_and(|need| !person.has(need)));
            let operations = lacking.map(|(root, _, _, document)| document.operation_in(*root, "admin"));
            for (operation, answer) in all_at_once(&client, operations.collect()).await {
                assert_refused(person, &operation, &answer);
            }
        }
    }
    let changed = difference(&before, &rows.rows(&scene.shop).await);
    assert!(changed.is_empty(), "the unified endpoint refused and changed {changed:#?}");

    for (flat, client) in [(&scene.shop.store, unified.clone()), (&scene.ada.client, at(&scene.ada.client))] {
        for (root, field) in answered(&store) {
            for document in store.documents(root, &field, &scene.theirs()) {
                let told = Told::of(&ask(&scene, flat, root, &document).await, None);
                scene.forget_tries().await;
                if told.refused() || root == Root::Query {
                    let answer = client.send(&document.operation_in(root, "store"), json!({})).await;
                    assert_eq!(Told::of(&answer, Some("store")).data, told.data, "{}", document.field);
                }
            }
        }
    }
}

/// The first message of a subscription, or the refusal to listen at all.
async fn first(url: &str, introduction: &Value, document: &Document) -> Option<Value> {
    match Socket::open(url, introduction.clone()).await {
        Ok(socket) => socket.subscribe(&document.operation(Root::Subscription), json!({})).first(AT_ONCE).await,
        Err(closed) => Some(json!({ "closed": closed.code })),
    }
}

/// Subscriptions about what every shopper may see.
const FOR_EVERYBODY: &[&str] = &["variantAvailabilityChanged"];

#[tokio::test]
async fn a_subscription_is_opened_by_whom_it_is_for() {
    let scene = Scene::open().await;
    let (store, admin) =
        (Schema::of(&scene.shop.store, SHOWN).await, Schema::of(&scene.shop.anonymous_admin, REACHED).await);
    let (store_url, admin_url) =
        (format!("ws://{}/store/graphql", scene.shop.address), format!("ws://{}/admin/graphql", scene.shop.address));
    let live = |schema: &Schema| schema.roots().into_iter().filter(|(root, _)| *root == Root::Subscription);
    let signed_in = |client: &Client| json!({ "Authorization": client.credential() });
    for (root, field) in live(&store).collect::<Vec<_>>() {
        let documents = store.documents(root, &field, &scene.theirs());
        let others = store.documents(root, &field, &scene.nobodys());
        for (theirs, nobodys) in documents.iter().zip(&others) {
            for introduction in [json!({}), signed_in(&scene.ada.client)] {
                let told = first(&store_url, &introduction, theirs).await;
                if FOR_EVERYBODY.contains(&field.as_str()) {
                    assert!(told.is_some_and(|told| told["errors"].is_null()), "{field} is open to everybody");
                    continue;
                }
                let other = first(&store_url, &introduction, nobodys).await;
                let code = &told.as_ref().unwrap_or_else(|| panic!("{field} is open to strangers"))["errors"][0];
                assert_eq!(code["extensions"]["code"], "NOT_FOUND", "{field}: {told:?}");
                assert_eq!(told, other, "{field}");
            }
            let own = first(&store_url, &signed_in(&scene.bob.client), theirs).await;
            assert!(own.is_none_or(|message| message["errors"].is_null()), "{field} is open to B");
        }
    }
    let (people, guards) = (scene.people().await, guards());
    for (root, field) in live(&admin).collect::<Vec<_>>() {
        let need = guards[&(root, field.clone())];
        for document in admin.documents(root, &field, &scene.theirs()) {
            for person in &people {
                // What all staff may ask for may still be refused for what it names.
                if need == Need::Admin && person.holds.is_some() {
                    continue;
                }
                let told = first(&admin_url, &person.introduction, &document).await;
                let code = told.as_ref().map(|told| &told["errors"][0]["extensions"]["code"]);
                let refused = told.as_ref().is_some_and(|told| told["closed"].is_u64())
                    || code.is_some_and(|code| code == person.refusal());
                assert_eq!(refused, !person.has(need), "{}: {field} gave {told:?}", person.name);
            }
        }
    }
}
