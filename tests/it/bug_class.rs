//! What the pages in `docs` say of tests is true: the tests that they name are there.

use std::fs;
use std::path::Path;

/// Every `file::function` between backticks whose file is one of the tests.
fn named(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let pairs = quoted.filter_map(|name| name.split_once("::"));
    pairs.filter(|(file, name)| is_word(file) && is_word(name) && source(file).is_some()).collect()
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn source(file: &str) -> Option<String> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let found = [tests.join(format!("{file}.rs")), tests.join(file).join("mod.rs")];
    found.iter().find_map(|path| fs::read_to_string(path).ok())
}

#[test]
fn the_tests_that_are_named_are_there() {
    for (page, least) in [("docs/ARCHITECTURE.md", 25), ("docs/RELIABILITY.md", 40)] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        let names = named(&text);
        assert!(names.len() >= least, "{} names in {page}", names.len());
        for (file, name) in names {
            let source = source(file).unwrap();
            assert!(source.contains(&format!("fn {name}(")), "{page} names {file}::{name}, which isn't there");
        }
    }
}

/// A crate, the first version without the fault, and who named the fault.
const FLOORS: &[(&str, &str, &str)] = &[
    ("ammonia", "4.1.2", "RUSTSEC-2025-0071, what foreign namespaces hide"),
    ("async-graphql", "4.0.6", "RUSTSEC-2022-0037, a stack that nested documents fill"),
    ("h2", "0.4.16", "RUSTSEC-2026-0258"),
    ("hashbrown", "0.15.1", "RUSTSEC-2024-0402, for 0.15.0 alone"),
    ("idna", "1.0.0", "RUSTSEC-2024-0421, names that only look like others"),
    ("jsonwebtoken", "10.3.0", "CVE-2026-25537, times that are no numbers are passed over"),
    ("lettre", "0.11.22", "RUSTSEC-2026-0141"),
    ("quick-xml", "0.41.0", "RUSTSEC-2026-0194 and RUSTSEC-2026-0195"),
    ("ring", "0.17.12", "RUSTSEC-2025-0009"),
    ("rustls", "0.23.18", "RUSTSEC-2024-0399"),
    ("sqlx", "0.8.1", "RUSTSEC-2024-0363, lengths that are cut"),
    ("sqlx-core", "0.8.1", "RUSTSEC-2024-0363"),
    ("tokio", "1.44.2", "RUSTSEC-2025-0023"),
    ("tracing-subscriber", "0.3.20", "RUSTSEC-2025-0055, terminal sequences in logs"),
    ("tungstenite", "0.20.1", "RUSTSEC-2023-0065"),
];
/// Crates of which no version is without the fault.
const BANNED: &[(&str, &str)] = &[("rsa", "RUSTSEC-2023-0071, time that tells of the key")];
/// Crates that must be there: were they looked for under a wrong name, nothing would be found out.
const SURE: &[&str] =
    &["ammonia", "async-graphql", "jsonwebtoken", "lettre", "rustls", "sqlx-core", "tokio", "tungstenite"];

/// The crates of a lock file with their versions.
fn locked(text: &str) -> Vec<(&str, Vec<u64>)> {
    let mut found = Vec::new();
    for package in text.split("[[package]]").skip(1) {
        let of = |part: &'static str| {
            let line = package.lines().find(|line| line.starts_with(part)).unwrap_or_default();
            line.split('"').nth(1).unwrap_or_default()
        };
        found.push((of("name = "), numbers(of("version = "))));
    }
    found
}

/// The numbers of a version; what stands behind a hyphen or a plus is left out.
fn numbers(version: &str) -> Vec<u64> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    plain.split('.').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn no_crate_is_of_a_version_with_a_known_fault() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let crates = locked(&lock);
    assert!(crates.len() > 200, "only {} crates", crates.len());
    for name in SURE {
        assert!(crates.iter().any(|(known, _)| known == name), "no {name} in Cargo.lock");
    }
    for (name, version) in &crates {
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| banned == name) {
            panic!("{name} must not be used: {why}");
        }
        let floor = FLOORS.iter().find(|(known, ..)| known == name);
        // Of hashbrown, one version alone had it.
        if let Some((_, least, why)) = floor {
            let old_line = *name == "hashbrown" && version[..2] != [0, 15];
            assert!(old_line || *version >= numbers(least), "{name} {version:?} is older than {least}: {why}");
        }
    }
}
