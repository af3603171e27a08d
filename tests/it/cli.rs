//! The command line's settings.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::Shop;
use crate::support::database::TestDatabase;
use crate::support::node::run_command;
use crate::support::stripe::{FakeStripe, KEY};

fn emporion(folder: &std::path::Path, args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_emporion"))
        .args(args)
        .current_dir(folder)
        .env_remove("EMPORION_DATABASE_URL")
        .env_remove("EMPORION_DATA_DIR")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[test]
fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("emporion.toml"), "data_dir = \"from-file\"\n").unwrap();
    let (done, text) = emporion(folder.path(), &["migrate", "up"]);
    assert!(done && folder.path().join("from-file/shop.db").exists(), "{text}");
    let (done, text) = emporion(folder.path(), &["migrate", "up", "--data-dir", "from-flag"]);
    assert!(done && folder.path().join("from-flag/shop.db").exists(), "{text}");
}

#[test]
fn a_file_with_an_unknown_key_is_refused_with_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("emporion.toml"), "databse_url = \"sqlite:x.db\"\n").unwrap();
    let (done, text) = emporion(folder.path(), &["migrate", "up"]);
    assert!(!done && text.contains("databse_url") && text.contains("database_url"), "{text}");
}

#[test]
fn a_command_without_a_shop_says_what_to_do_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["migrate", "status"][..], &["staff", "create", "--email", "a@b.c", "--name", "A"]] {
        let (done, text) = emporion(folder.path(), args);
        assert!(!done && text.contains("migrate up"), "{text}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn config_print_says_where_each_value_comes_from_and_no_password() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("emporion.toml"),
        "data_dir = \"shop\"\nredis_url = \"redis://user:secret@cache:6379\"\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_emporion"))
        .args(["config", "print"])
        .current_dir(folder.path())
        .env_remove("EMPORION_DATA_DIR")
        .env_remove("EMPORION_REDIS_URL")
        .env_remove("EMPORION_LISTEN")
        .env("EMPORION_DATABASE_URL", "postgres://user:secret@db:5433/shop")
        .env("EMPORION_STRIPE_SECRET_KEY", "sk_test_:secret")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for line in [
        "data_dir = \"shop\"  # emporion.toml",
        "database_url = \"postgres://db:5433/shop\"  # EMPORION_DATABASE_URL",
        "redis_url = \"redis://cache:6379\"  # emporion.toml",
        "listen = \"127.0.0.1:4000\"  # default",
        "# stripe_secret_key is set  # EMPORION_STRIPE_SECRET_KEY",
        "# stripe_webhook_secret is not set",
    ] {
        assert!(lines.contains(&line), "{line} in {text}");
    }
    assert!(!text.contains(":secret"), "{text}");
}

/// Runs a verb on the shop's database; answers whether it ended well, and with what it printed.
async fn run(database: &TestDatabase, arguments: &[&str]) -> (bool, String) {
    let output = run_command(database, arguments).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[tokio::test]
async fn the_doctor_asks_stripe_and_shows_no_secret() {
    let (shop, fake) = (Shop::open().await, FakeStripe::start().await);
    shop.europe(&["DE"], true).await;
    let with = |key: &'static str| {
        ["doctor", "--stripe-secret-key", key, "--stripe-api", fake.url.as_str()].map(str::to_owned)
    };
    for (key, told, well) in [
        (KEY, "ok       Stripe answers in test mode", true),
        ("sk_test_hidden77", "fault    Stripe does not take the secret key", false),
        ("hidden88", "stripe_secret_key begins with sk_test_", false),
    ] {
        let arguments = with(key);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (ended_well, text) = run(&shop.database, &arguments).await;
        assert!(text.contains(told) && !text.contains("sk_test_51") && !text.contains("hidden"), "{text}");
        assert!(well || !ended_well, "{text}");
    }
}

#[tokio::test]
async fn the_doctor_names_each_fault_with_its_remedy() {
    let shop = Shop::open().await;
    let (well, told) = run(&shop.database, &["doctor"]).await;
    assert!(!well, "without a region nothing can be sold: {told}");
    assert!(told.contains("fault    there is no region") && told.contains("regionSet"), "{told}");
    assert!(told.contains("every migration is applied"), "{told}");

    shop.europe(&["DE", "AT"], true).await;
    shop.product("Cup").price("5.00").create().await;
    let dollars = json!({ "handle": "us", "name": "US", "currencyCode": "USD", "countries": ["US"] });
    shop.set("regionSet", dollars, "region { id }").await.done();
    let (well, told) = run(&shop.database, &["doctor"]).await;
    for line in [
        "1 published product(s) have a variant without a price in USD: cup",
        "region us has no tax rate for US",
        "nothing that is sent can be sold to US in region us",
        "channel default has no storefront address",
    ] {
        assert!(told.contains(&format!("warning  {line}\n         → ")), "{line} in {told}");
    }
    assert!(well, "warnings are no faults: {told}");
}

#[tokio::test]
async fn the_doctor_sees_what_is_not_set_up() {
    let database = TestDatabase::empty().await;
    let (well, told) = run(&database, &["doctor"]).await;
    assert!(!well && told.contains("migrate up"), "{told}");
    let (well, told) = run(&database, &["doctor", "--redis-url", "redis://127.0.0.1:1"]).await;
    assert!(!well && !told.contains("panicked"), "{told}");
    run(&database, &["migrate", "up"]).await;
    let (well, told) = run(&database, &["doctor", "--redis-url", "redis://127.0.0.1:1"]).await;
    assert!(!well && told.contains("Redis does not answer") && told.contains("no owner can log in"), "{told}");
}

#[tokio::test]
async fn staff_are_listed_and_get_new_passwords_from_the_terminal() {
    let shop = Shop::open().await;
    let (done, told) =
        run(&shop.database, &["staff", "create", "--email", "Eve@shop.example", "--name", "Eve", "--role", "viewer"])
            .await;
    assert!(done, "{told}");
    let (_, list) = run(&shop.database, &["staff", "list"]).await;
    assert!(list.contains("eve@shop.example\tEve\tactive\tviewer"), "{list}");
    assert_eq!(list.lines().count(), 2, "{list}");

    let (done, told) = run(&shop.database, &["staff", "reset-password", "eve@shop.example"]).await;
    assert!(done, "{told}");
    let secret = told.lines().next().unwrap().rsplit(' ').next().unwrap();
    let login =
        "mutation($password: String!) { staffLogin(input: { email: \"eve@shop.example\", password: $password }) {
        tokens { accessToken } userErrors { code } } }";
    shop.anonymous_admin.send(login, json!({ "password": secret })).await.done();
    let (done, told) = run(&shop.database, &["staff", "reset-password", "nobody@shop.example"]).await;
    assert!(!done && told.contains("staff list"), "{told}");
}

#[tokio::test]
async fn keys_are_made_from_the_terminal() {
    let shop = Shop::open().await;
    let (done, secret) = run(&shop.database, &["key", "create", "--secret", "--title", "ERP"]).await;
    assert!(done, "{secret}");
    let erp = shop.anonymous_admin.bearer(secret.trim());
    assert_eq!(erp.send("{ channels { handle } }", json!({})).await.at("channels.0.handle"), "default");
    shop.set("channelCreate", json!({ "name": "Trade" }), "channel { id }").await.done();
    let (done, key) =
        run(&shop.database, &["key", "create", "--publishable", "--title", "Web", "--channel", "trade"]).await;
    assert!(done, "{key}");
    shop.app.refresh_settings().await.unwrap();
    let store = shop.store.with("x-publishable-key", key.trim());
    assert_eq!(store.send("{ shop { channel { handle } } }", json!({})).await.at("shop.channel.handle"), "trade");
    for wrong in [
        &["key", "create", "--title", "X"][..],
        &["key", "create", "--secret", "--publishable", "--title", "X"],
        &["key", "create", "--publishable", "--title", "X", "--channel", "moon"],
        &["key", "create", "--secret", "--title", "X", "--role", "nobody"],
    ] {
        assert!(!run(&shop.database, wrong).await.0, "{wrong:?}");
    }
}

#[test]
fn a_bar_says_done_total_rate_and_what_is_left() {
    let line = |from, done, seconds| emporion::cli::bar::line("rows", from, done, 1_000, Duration::from_secs(seconds));
    assert_eq!(line(0, 250, 10), "250 of 1000 rows, 25/s, 0:30 left");
    assert_eq!(line(900, 950, 100), "950 of 1000 rows, 0/s, 1:40 left", "what was done before it began is no rate");
    assert_eq!(line(0, 0, 3), "0 of 1000 rows, 0/s, 0:00 left");
}

#[test]
fn a_file_of_identity_providers_that_can_t_be_used_is_said_so_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("id.toml");
    let good = "[[provider]]\nname = \"company\"\ntitle = \"Company\"\nissuer = \"https://id.example\"\n\
        client_id = \"shop\"\nclient_secret = \"hush-hush\"\nredirect_url = \"https://admin.example\"\n";
    for (text, fault) in [
        (format!("{good}surprise = 1\n"), "surprise"),
        (good.replace("https://id", "http://id"), "issuer"),
        (good.replace("client_id", "client"), "client"),
        (format!("{good}= \"hush-hush\"\n"), "id.toml"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (done, text) = emporion(folder.path(), &["serve", "--identity-providers", "id.toml"]);
        assert!(!done && text.contains("id.toml") && text.contains(fault) && !text.contains("hush"), "{text}");
    }
    let (done, text) = emporion(folder.path(), &["serve", "--identity-providers", "none.toml"]);
    assert!(!done && text.contains("none.toml"), "{text}");
}

#[test]
fn a_secret_that_is_too_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (done, text) = emporion(folder.path(), &["migrate", "up", "--vault-secret", "abc"]);
    assert!(!done && text.contains("at least 32 characters"), "{text}");
    let (done, text) =
        emporion(folder.path(), &["migrate", "up", "--vault-secret", "0123456789abcdef0123456789abcdef"]);
    assert!(done, "{text}");
}
