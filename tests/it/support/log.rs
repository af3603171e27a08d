//! What the servers of the tests log, at every level, searched for what has no
//! place there: who the shoppers and the staff are, what they wrote, and
//! whatever opens something.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, Once, RwLock};

use emporion::cli::telemetry::{Format, written};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Texts that the tests' shoppers and staff write: passwords, names, streets, telephones, the number of a card.
/// `eyJ` is how every access token begins.
const MARKERS: &[&str] =
    &["correct horse", "Lovelace", "Elm Street", "Marker Street", "4242424242424242", "+49 30 901820", "eyJ"];

/// Secrets that were made while the tests ran.
static PLANTED: LazyLock<RwLock<HashSet<String>>> = LazyLock::new(RwLock::default);
static FOUND: LazyLock<Arc<Mutex<Vec<String>>>> = LazyLock::new(Arc::default);

/// From now on this secret may be in no record.
pub fn plant(secret: &str) {
    assert!(secret.len() >= 16, "too short to be a secret: it would be found by accident");
    PLANTED.write().unwrap().insert(secret.to_owned());
}

/// What a record holds that it may not.
pub fn leak(record: &str) -> Option<String> {
    if let Some(marker) = MARKERS.iter().find(|marker| record.contains(*marker)) {
        return Some((*marker).to_owned());
    }
    // Every mailbox of the tests is at a domain that is reserved for examples.
    let behind = record.split('@').skip(1);
    let domains = behind.map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').next());
    let example = |domain: &&str| ["example", "example.com", "example.org"].iter().any(|end| domain.ends_with(end));
    if let Some(domain) = domains.flatten().find(example) {
        return Some(format!("a mailbox at {domain}"));
    }
    let planted = PLANTED.read().unwrap();
    let words = record.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
    words.filter(|word| word.len() >= 16).find(|word| planted.contains(*word)).map(|_| "a secret".to_owned())
}

/// Looks through a record, and remembers what it should not hold.
pub fn search(record: &str) {
    search_into(record, &FOUND);
}

fn search_into(record: &str, found: &Mutex<Vec<String>>) {
    if let Some(leaked) = leak(record) {
        found.lock().unwrap().push(format!("{leaked}, in: {record}"));
    }
}

/// Fails when a record held what it may not. Asked whenever a shop or a process of a test ends.
pub fn nothing_leaked() {
    let found = FOUND.lock().unwrap().join("\n");
    if !found.is_empty() && !std::thread::panicking() {
        panic!("the log holds\n{found}");
    }
}

/// Writes records nowhere, and searches them.
#[derive(Debug, Clone)]
struct Searcher(Arc<Mutex<Vec<String>>>);

impl io::Write for Searcher {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        search_into(&String::from_utf8_lossy(record), &self.0);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Searcher {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

/// Searches all that this process logs from now on, at every level.
pub fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let layer = written(EnvFilter::new("trace"), Format::Text, false, Searcher(FOUND.clone()));
        tracing_subscriber::registry().with(layer).init();
    });
}

/// What is found in all that some work logs, as it would be while a shop is open.
pub fn found_while(work: impl FnOnce()) -> Vec<String> {
    let found = Arc::default();
    let layer = written(EnvFilter::new("trace"), Format::Text, false, Searcher(Arc::clone(&found)));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    let found = found.lock().unwrap();
    found.clone()
}
