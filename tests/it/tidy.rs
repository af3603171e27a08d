//! What can be held by reading the source.

use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::Visit;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

fn all_files() -> Vec<(String, String)> {
    ["benches", "domain", "engine", "entity", "migration", "src", "tests"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .collect()
}

/// Every path that a file names, such as `sea_orm::EntityTrait`.
fn paths(source: &str) -> Vec<String> {
    #[derive(Default)]
    struct Paths(Vec<String>);
    impl<'ast> Visit<'ast> for Paths {
        fn visit_path(&mut self, path: &'ast syn::Path) {
            let words: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.0.push(words.join("::"));
            syn::visit::visit_path(self, path);
        }

        fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
            fn walk(tree: &syn::UseTree, before: &str, found: &mut Vec<String>) {
                match tree {
                    syn::UseTree::Path(path) => walk(&path.tree, &format!("{before}{}::", path.ident), found),
                    syn::UseTree::Name(name) => found.push(format!("{before}{}", name.ident)),
                    syn::UseTree::Rename(name) => found.push(format!("{before}{}", name.ident)),
                    syn::UseTree::Glob(_) => found.push(format!("{before}*")),
                    syn::UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, before, found)),
                }
            }
            walk(&item.tree, "", &mut self.0);
        }
    }
    let mut found = Paths::default();
    found.visit_file(&syn::parse_file(source).unwrap());
    found.0
}

fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

#[test]
fn files_have_at_most_600_lines() {
    let long = all_files().into_iter().filter(|(_, source)| source.lines().count() > 600);
    none(long.map(|(name, _)| name).collect(), "longer than 600 lines");
}

#[test]
fn functions_have_at_most_100_lines() {
    struct Long<'s>(&'s str, Vec<String>);
    impl Long<'_> {
        fn check(&mut self, name: &syn::Ident, block: &syn::Block) {
            let lines = block.brace_token.span.close().end().line - name.span().start().line + 1;
            if lines > 100 {
                self.1.push(format!("{}: {name} has {lines}", self.0));
            }
        }
    }
    impl<'ast> Visit<'ast> for Long<'_> {
        fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
            self.check(&item.sig.ident, &item.block);
            syn::visit::visit_item_fn(self, item);
        }

        fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
            self.check(&item.sig.ident, &item.block);
            syn::visit::visit_impl_item_fn(self, item);
        }
    }
    let mut found = Vec::new();
    for (name, source) in all_files() {
        let mut long = Long(&name, Vec::new());
        long.visit_file(&syn::parse_file(&source).unwrap());
        found.extend(long.1);
    }
    none(found, "functions longer than 100 lines");
}

#[test]
fn no_file_or_type_has_a_name_that_says_nothing() {
    const EMPTY_WORDS: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "service", "misc"];
    struct Names(Vec<String>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
            self.0.push(item.ident.to_string());
        }
        fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
            self.0.push(item.ident.to_string());
        }
        fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
            self.0.push(item.ident.to_string());
        }
        fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
            self.0.push(item.ident.to_string());
        }
    }
    let mut found = Vec::new();
    for (file, source) in all_files() {
        let mut names = Names(vec![file.trim_end_matches(".rs").to_owned()]);
        names.visit_file(&syn::parse_file(&source).unwrap());
        for name in names.0 {
            let parts = name.to_lowercase();
            let suffixed = EMPTY_WORDS.iter().any(|word| parts.split('/').any(|part| part == *word))
                || ["manager", "service", "helper"].iter().any(|end| parts.ends_with(end));
            if suffixed {
                found.push(format!("{file}: {name}"));
            }
        }
    }
    none(found, "names that say nothing");
}

#[test]
fn the_domain_does_no_io() {
    let manifest = fs::read_to_string(root().join("domain/Cargo.toml")).unwrap();
    for forbidden in ["tokio", "sqlx", "async-graphql", "axum", "chrono", "rand"] {
        assert!(!manifest.contains(&format!("\n{forbidden} ")), "domain depends on {forbidden}");
        assert!(!manifest.contains(&format!("\n{forbidden}.")), "domain depends on {forbidden}");
    }
    let mut found = Vec::new();
    for (name, source) in rust_files("domain/src") {
        for path in paths(&source) {
            let io = ["std::fs", "std::net", "std::env", "std::time", "std::process", "std::thread"];
            if io.iter().any(|io| path.starts_with(io)) {
                found.push(format!("{name}: {path}"));
            }
        }
    }
    none(found, "IO in the domain");
}

/// The engine and the gateway: what runs.
fn running_code() -> Vec<(String, String)> {
    [rust_files("engine/src"), rust_files("src")].concat()
}

fn layer(name: &str) -> &str {
    Path::new(name).file_stem().unwrap().to_str().unwrap()
}

#[test]
fn only_presenting_files_name_async_graphql() {
    let allowed = |name: &str| {
        name.starts_with("src/api/")
            || name.starts_with("src/http/")
            || ["types", "store", "admin", "load", "subs"].contains(&layer(name))
    };
    let named = running_code()
        .into_iter()
        .filter(|(name, source)| !allowed(name) && paths(source).iter().any(|path| path.starts_with("async_graphql")));
    let manifest = fs::read_to_string(root().join("engine/Cargo.toml")).unwrap();
    assert!(!manifest.contains("async-graphql"), "the engine names no GraphQL");
    none(named.map(|(name, _)| name).collect(), "async-graphql outside the presenting files");
}

#[test]
fn only_repo_and_the_frame_s_storage_build_queries() {
    const BUILDERS: &[&str] = &["QueryFilter", "QuerySelect", "QueryOrder", "EntityTrait", "ActiveModelTrait"];
    let allowed = |name: &str| {
        let Some(name) = name.strip_prefix("engine/src/") else { return false };
        layer(name) == "repo"
            || name.starts_with("db/")
            || ["op.rs", "event.rs", "flow/mod.rs", "audit.rs", "relay.rs", "auth/token.rs"].contains(&name)
            || name.contains("/repo/")
    };
    let named = running_code().into_iter().filter(|(name, source)| {
        !allowed(name)
            && paths(source)
                .iter()
                .any(|path| path.starts_with("sea_orm::") && BUILDERS.iter().any(|builder| path.ends_with(builder)))
    });
    none(named.map(|(name, _)| name).collect(), "queries outside repo");
}

#[test]
fn few_files_speak_http() {
    let clients = [
        "engine/src/auth/oidc/client.rs",
        "engine/src/provider/http/mod.rs",
        "engine/src/provider/http/guard.rs",
        "engine/src/provider/payment/stripe/client.rs",
    ];
    let named = running_code().into_iter().filter(|(name, source)| {
        !clients.contains(&name.as_str()) && paths(source).iter().any(|path| path.starts_with("reqwest::"))
    });
    none(named.map(|(name, _)| name).collect(), "HTTP clients outside those that call who the operator names");
}

/// The feature comes with the tests' own dependencies: the server that they start is built with them, and no other is.
#[test]
fn failpoints_are_built_for_tests_alone() {
    let mut named = Vec::new();
    for folder in ["", "benches", "domain", "engine", "entity", "migration"] {
        let manifest: toml::Table =
            fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap().parse().unwrap();
        for (section, content) in &manifest {
            if content.to_string().contains("failpoints") {
                named.push((folder, section.clone()));
            }
        }
    }
    assert_eq!(named, [("", "dev-dependencies".to_owned()), ("engine", "features".to_owned())]);
    let manifest: toml::Table = fs::read_to_string(root().join("engine/Cargo.toml")).unwrap().parse().unwrap();
    assert!(manifest["features"].get("default").is_none());
    const { assert!(engine::failpoint::BUILT_IN) };
}

#[test]
fn sea_orm_is_never_imported_by_glob() {
    let globs = running_code().into_iter().filter(|(_, source)| paths(source).iter().any(|path| path == "sea_orm::*"));
    none(globs.map(|(name, _)| name).collect(), "glob imports of sea_orm");
}

#[test]
fn migrations_import_no_entity() {
    let named = rust_files("migration/src")
        .into_iter()
        .filter(|(_, source)| paths(source).iter().any(|path| path.starts_with("entity::")));
    none(named.map(|(name, _)| name).collect(), "entities in migrations");
}

#[test]
fn both_databases_differ_in_the_frame_s_storage_alone() {
    let allowed = |name: &str| name.starts_with("engine/src/db/") || name == "engine/src/relay.rs";
    let named = running_code()
        .into_iter()
        .filter(|(name, source)| !allowed(name) && paths(source).iter().any(|path| path.starts_with("DbBackend::")));
    none(named.map(|(name, _)| name).collect(), "backend branches outside engine/src/db");
}

/// What may be put into the text of a statement: parts of statements that are written out in the same file, places for
/// values, and numbers of our own. Nothing that somebody sent has one of these names; it goes beside the text, as a value.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "CANDIDATES", "CATEGORY", "EACH", "EXAMPLES", "FREE", "LIST", "MAX_OPTION_VALUES", "MAX_PROMISES", "MOST", "MAX_VALUES", "OPTION",
    "PRICE", "UNUSED", "below", "bound", "column", "comparison", "facet", "few", "has_word", "head", "id", "label", "last",
    "list", "listed", "marks", "matches", "most", "name", "only", "own", "owner", "place", "reached", "rows", "seen",
    "set", "short", "shown", "spoken", "sql", "table", "test", "tests", "value", "which", "among",
];

#[test]
fn what_somebody_sent_never_stands_in_the_text_of_a_statement() {
    /// Every text with holes that a macro fills, such as those of `format!`.
    #[derive(Default)]
    struct Filled(Vec<String>);
    impl<'ast> Visit<'ast> for Filled {
        fn visit_macro(&mut self, found: &'ast syn::Macro) {
            let named = found.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            let mut tokens = found.tokens.clone().into_iter();
            if ["format", "write", "concat"].contains(&named.as_str())
                && let Some(text) = tokens.find_map(|token| syn::parse2::<syn::LitStr>(token.into()).ok())
            {
                self.0.push(text.value());
            }
        }
    }
    let statement = |text: &str| {
        let low = text.to_lowercase();
        let begins = ["select ", "insert ", "update ", "delete ", "with ", "exists (", "(select ", " and ", " where "];
        begins.iter().any(|word| low.trim_start().starts_with(word.trim_start()) || low.contains(" where "))
            || low.contains(" in (")
    };
    let mut found = Vec::new();
    let mut seen = 0;
    for (name, source) in rust_files("engine/src") {
        if !(name.contains("/repo") || name.starts_with("engine/src/db/")) {
            continue;
        }
        let mut filled = Filled::default();
        filled.visit_file(&syn::parse_file(&source).unwrap());
        for text in filled.0.iter().filter(|text| statement(text)) {
            seen += 1;
            for hole in text.replace("{{", "").replace("}}", "").split('{').skip(1) {
                let hole = hole.split('}').next().unwrap().split(':').next().unwrap();
                if !hole.is_empty() && !PARTS.contains(&hole) {
                    found.push(format!("{name}: {{{hole}}}"));
                }
            }
        }
    }
    assert!(seen > 25, "only {seen} statements with parts");
    none(found, "parts of statements: give the value beside the text, or say in PARTS what this is");
}

#[test]
fn statements_without_values_beside_their_text_are_made_in_two_places() {
    let allowed = |name: &str| name.starts_with("engine/src/db/") || name == "engine/src/relay.rs";
    let named = running_code().into_iter().filter(|(name, source)| {
        let bare = ["Statement::from_string", "Statement::from_sql_and_values"];
        let raw = [".execute_unprepared(", "AssertSqlSafe", "query_unchecked", "sqlx::raw_sql("];
        let paths = paths(source);
        !allowed(name)
            && (bare.iter().any(|bare| paths.iter().any(|path| path.ends_with(bare)))
                || raw.iter().any(|raw| source.contains(raw)))
    });
    none(named.map(|(name, _)| name).collect(), "statements outside engine/src/db");
}
