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
