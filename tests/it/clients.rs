//! The shop as clients meet it that others wrote, and our own in
//! `clients/js`: programs in JavaScript, each of which names what it checks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::database::TestDatabase;
use crate::support::mailbox::certificate;
use crate::support::node::{Node, Process};
use crate::support::walker::{Placed, buy, in_stock};

/// How long one program may take.
const PATIENCE: Duration = Duration::from_secs(240);
/// What no client can bring about: the server's own failures.
const FAILURES: [&str; 2] = ["1011", "1013"];

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name}: run make test"))
}

fn foreign() -> PathBuf {
    variable("EMPORION_TEST_FOREIGN").into()
}

/// A program of node's test runner, which tells on its standard error.
fn program(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(variable("EMPORION_TEST_NODE"));
    let tap = ["--no-warnings", "--test-reporter=tap", "--test-reporter-destination=stderr", name];
    command.args(tap).current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A process of a shop and what a program is told of it.
struct Scene {
    database: TestDatabase,
    more: Vec<&'static str>,
    node: Node,
    owner: String,
    orders: Vec<Placed>,
}

impl Scene {
    /// A shop with three orders.
    async fn new(more: &[&'static str]) -> Self {
        let database = TestDatabase::copy().await;
        let mut node = Node::start(&database, &[more, &["--demo"]].concat(), &[]).await;
        let owner = node.owner_token().await;
        let variant = in_stock(&node.store).await;
        let mut orders = Vec::new();
        for _ in 0..3 {
            orders.push(buy(&node.store, &variant, 1).await);
        }
        Self { database, more: more.to_vec(), node, owner, orders }
    }

    fn told(&self) -> Value {
        let orders: Vec<_> = self.orders.iter().map(|order| json!({ "id": order.id, "token": order.token })).collect();
        let admin = self.node.admin_socket.replacen("ws://", "http://", 1);
        json!({ "store": self.node.store_url, "admin": admin, "owner": self.owner, "orders": orders })
    }

    /// Runs a program to its end and does what it wishes; answers with the names of its checks.
    async fn passes(mut self, name: &str) -> Vec<String> {
        let mut command = program(&foreign(), name);
        let mut child = command.env("EMPORION_TEST_SCENE", self.told().to_string()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut wishes = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut report = child.stderr.take().unwrap();
        let reading = tokio::spawn(async move {
            let mut text = String::new();
            report.read_to_string(&mut text).await.unwrap();
            text
        });
        let serving = async {
            while let Some(wish) = wishes.next_line().await.unwrap() {
                match wish.as_str() {
                    "kill" => self.node.process.kill().await,
                    "terminate" => assert!(self.node.process.terminate().await.success()),
                    other => panic!("{name} says {other:?}"),
                }
                self.node = Node::start(&self.database, &self.more, &[]).await;
                input.write_all(format!("{}\n", self.told()).as_bytes()).await.unwrap();
            }
            child.wait().await.unwrap()
        };
        let status = timeout(PATIENCE, serving).await;
        drop(child);
        let report = reading.await.unwrap();
        let status = status.unwrap_or_else(|_| panic!("{name} has not ended:\n{report}"));
        checks(name, status.success(), &report)
    }
}

/// The names of the checks that a report tells of, all of which must have passed.
fn checks(name: &str, success: bool, report: &str) -> Vec<String> {
    let named = |mark: &str| -> Vec<String> {
        let lines = report.lines().filter_map(|line| line.trim_start().strip_prefix(mark)?.split_once(" - "));
        lines.map(|(_, name)| name.to_owned()).collect()
    };
    let failed = named("not ok ");
    assert!(failed.is_empty() && success, "{name} failed: {}\n\n{report}", failed.join("; "));
    let left_out = report.lines().any(|line| line.contains("# SKIP") || line.contains("# TODO"));
    let passed = named("ok ");
    assert!(!passed.is_empty() && !left_out, "{name} has left something out:\n{report}");
    passed
}

#[tokio::test]
async fn the_websocket_is_what_graphql_ws_expects_and_every_close_code_is_met() {
    let checked = Scene::new(&[]).await.passes("sockets.mjs").await.join("\n");
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let table = readme.split_once("### Live connections").unwrap().1;
    let codes =
        table.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    let codes = codes.flat_map(|line| line.split('|').nth(1).unwrap().split(',').map(str::trim));
    let known: Vec<&str> = codes.filter(|code| !FAILURES.contains(code)).collect();
    assert!(known.len() >= 12, "{known:?}");
    for code in known {
        assert!(checked.contains(code), "no check names {code}:\n{checked}");
    }
}

#[tokio::test]
async fn the_events_are_what_graphql_sse_and_an_event_source_expect() {
    Scene::new(&[]).await.passes("events.mjs").await;
}

#[tokio::test]
async fn the_older_protocol_is_what_its_own_client_expects() {
    Scene::new(&["--legacy-sockets"]).await.passes("legacy.mjs").await;
}

#[tokio::test]
async fn documents_are_named_as_urql_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("documents.json");
    fs::write(&file, json!({ "locale-1": "query Locale { shop { locale } }" }).to_string()).unwrap();
    let file: &'static str = file.to_str().unwrap().to_owned().leak();
    Scene::new(&["--trusted-documents", file]).await.passes("persisted.mjs").await;
}

#[tokio::test]
async fn our_client_tells_each_event_once_whatever_breaks() {
    Scene::new(&[]).await.passes("watch.mjs").await;
}

#[tokio::test]
async fn our_client_does_by_itself_what_it_promises() {
    let folder = foreign().join("node_modules/emporion-live");
    let output = timeout(PATIENCE, program(&folder, "test/watch.test.js").output()).await.expect("an end").unwrap();
    checks("watch.test.js", output.status.success(), &String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn our_client_has_the_types_that_it_declares() {
    let mut compiler = Command::new(variable("EMPORION_TEST_NODE"));
    let project = foreign().join("node_modules/emporion-live");
    compiler.arg("../typescript/bin/tsc").args(["--noEmit", "--project", "."]).current_dir(project);
    let output = timeout(PATIENCE, compiler.kill_on_drop(true).output()).await.expect("an end").unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn an_order_is_watched_over_tls_and_only_where_the_certificate_is_known() {
    let scene = Scene::new(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(folder.path());
    let inside = scene.node.store_url.split('/').nth(2).unwrap().to_owned();
    let mut proxy = Command::new(variable("EMPORION_TEST_NODE"));
    proxy.arg("tls.mjs").args([&certificate, &key, &inside]).current_dir(foreign());
    let mut proxy = proxy.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(proxy.stdout.take().unwrap()).lines();
    let port = timeout(PATIENCE, lines.next_line()).await.expect("a port in time").unwrap().unwrap();

    let Placed { id, token } = &scene.orders[0];
    let watch = |url: &str, variables: &[(&str, &str)]| {
        Process::start(&["watch", "order", id, "--token", token, "--after", "0", "--url", url], variables)
    };
    let known = [("SSL_CERT_FILE", certificate.as_str())];
    let plain = scene.node.store_url.clone();
    for (url, variables) in [
        (format!("https://localhost:{port}/store/graphql"), &known[..]),
        (format!("wss://localhost:{port}/store/graphql"), &known),
        (plain.replacen("http", "ws", 1), &[]),
        (plain, &[]),
    ] {
        let mut watching = watch(&url, variables);
        for number in [1, 2] {
            let line = watching.line().await;
            assert!(line.starts_with(&format!("#{number}  ")), "{url}: {line}");
        }
        watching.kill().await;
    }
    for (url, variables) in [
        (format!("https://localhost:{port}/store/graphql"), &[][..]),
        (format!("https://127.0.0.1:{port}/store/graphql"), &known),
        ("ftp://localhost/".to_owned(), &[]),
    ] {
        assert!(!watch(&url, variables).ended().await.success(), "{url}");
    }
}
