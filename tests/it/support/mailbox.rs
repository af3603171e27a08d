//! A mail server that we did not write, and its mailbox: `tests/foreign/mailbox.py`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/mailbox.py");
const SOON: Duration = Duration::from_secs(20);

/// A running mail server. It ends with the test.
#[derive(Debug)]
pub struct Mailbox {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    pub port: u16,
}

impl Mailbox {
    /// Starts it with these arguments: options, and what it says to the next mails.
    pub async fn start(arguments: &[&str]) -> Self {
        let python = std::env::var("EMPORION_TEST_PYTHON").expect("run the tests with make test, which installs it");
        let mut command = Command::new(python);
        command.arg(SCRIPT).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = timeout(SOON, lines.next_line()).await.expect("a port in time").unwrap().expect("a port");
        let first: Value = serde_json::from_str(&first).unwrap();
        Self { _child: child, lines, port: first["port"].as_u64().unwrap().try_into().unwrap() }
    }

    /// The next mail that it took.
    pub async fn next(&mut self) -> Value {
        let line = timeout(SOON, self.lines.next_line()).await.expect("a mail in time").unwrap().expect("a mail");
        serde_json::from_str(&line).unwrap()
    }

    /// Whether nothing more comes for a while.
    pub async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_millis(1_500), self.lines.next_line()).await.is_err()
    }
}

/// The values of a header of a mail.
pub fn header<'m>(mail: &'m Value, name: &str) -> Vec<&'m str> {
    let headers = mail["headers"].as_array().unwrap().iter();
    headers.filter(|header| header[0] == name).map(|header| header[1].as_str().unwrap()).collect()
}

/// A certificate of `localhost` with its key, made now.
pub fn certificate(folder: &Path) -> (String, String) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (certificate, key) = (path("certificate.pem"), path("key.pem"));
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", &key, "-out", &certificate])
        .output()
        .expect("openssl, which PostgreSQL's package brings along");
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}
