//! Mail through a mail server that we did not write, and what is left when
//! the machine is lost in between.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use domain::notification::{NotificationState, NotificationTemplate};
use engine::db::{Db, StatementCount, statement};
use engine::provider::notification::{Mailer, NotificationProvider, SmtpMail, SmtpServer, SmtpTls};
use entity::notification;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{eventually, mutate};
use crate::support::client::Client;
use crate::support::customers::PASSWORD;
use crate::support::database::TestDatabase;
use crate::support::mailbox::{Mailbox, certificate, header};
use crate::support::node::{Node, TASK_ENDED, run_command};
use crate::support::post::kinds;

use NotificationState::{Failed, Sent, Unknown};
use NotificationTemplate::{CustomerVerification, OrderConfirmation};

fn server(port: u16) -> SmtpServer {
    SmtpServer { host: "127.0.0.1".to_owned(), port, tls: SmtpTls::None, credentials: None }
}

async fn shop_at(mailbox: &Mailbox) -> Shop {
    let provider = Arc::new(SmtpMail::new(server(mailbox.port)));
    let from = Some("\"Käse & Brot\" <orders@shop.example>".parse().unwrap());
    let mailer = Mailer { provider: Some(provider), from };
    let shop = Shop::on(Arc::new(TestDatabase::copy().await), |builder| builder.mail(mailer)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    shop
}

#[tokio::test]
async fn a_mail_server_gets_one_mail_with_both_bodies() {
    let mut mailbox = Mailbox::start(&[]).await;
    let shop = shop_at(&mailbox).await;
    let channel = shop.app.settings().channels[0].id.to_string();
    let input = json!({ "id": channel, "storefrontUrl": "https://shop.example", "defaultLocale": "de" });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let hut = shop.product("Grüner Hut <b>&").price("20.00").stock(5).create().await.variant;
    let placed = shop.checkout_all(&[(&hut, 2)], "manual", "a").await;
    let mail = mailbox.next().await;
    assert_eq!((&mail["to"], &mail["from"]), (&json!(["ada@example.com"]), &json!("orders@shop.example")));
    assert_eq!(header(&mail, "to"), ["ada@example.com"]);
    assert_eq!(header(&mail, "from"), ["Käse & Brot <orders@shop.example>"]);
    assert_eq!(header(&mail, "subject"), [format!("Ihre Bestellung {}", placed.number)]);
    assert_eq!(header(&mail, "auto-submitted"), ["auto-generated"]);
    assert_eq!(header(&mail, "content-language"), ["de"]);
    assert_eq!((header(&mail, "message-id").len(), header(&mail, "date").len()), (1, 1));
    assert_eq!(mail["kind"], "multipart/alternative");
    assert_eq!(mail["defects"], json!([]));
    let parts = mail["parts"].as_array().unwrap();
    let kinds_of: Vec<_> = parts.iter().map(|part| part["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds_of, ["text/plain", "text/html"]);
    let text = |place: usize| parts[place]["text"].as_str().unwrap();
    assert!(text(0).contains("2 x Grüner Hut <b>&: 40,00\u{a0}€"), "{}", text(0));
    assert!(text(1).contains("2 × Grüner Hut &lt;b&gt;&amp;"), "{}", text(1));
    let link = format!("https://shop.example/orders/{}?token=", placed.id);
    assert!(text(0).contains(&link), "{}", text(0));

    shop.mail_is_done().await;
    assert!(mailbox.is_quiet().await, "one mail, once");
    assert_eq!(kinds(&shop).await, [(OrderConfirmation, Sent)]);
    let row = notification::Entity::find().one(&shop.app.read()).await.unwrap().unwrap();
    assert_eq!(row.message_id.as_deref(), header(&mail, "message-id").first().copied());
}

#[tokio::test]
async fn what_a_mail_server_says_decides_what_becomes_of_a_mail() {
    let mut mailbox = Mailbox::start(&["451 4.3.0 later", "250 taken", "550 5.1.1 nobody", "cut"]).await;
    let shop = shop_at(&mailbox).await;
    shop.register("later@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    assert!(mailbox.is_quiet().await);
    shop.pass(TimeDelta::seconds(31));
    shop.mail_is_done().await;
    assert_eq!(mailbox.next().await["to"], json!(["later@shopper.example"]));
    shop.register("nobody@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    shop.register("doubt@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    assert_eq!(mailbox.next().await["to"], json!(["doubt@shopper.example"]));
    shop.pass(TimeDelta::days(1));
    shop.mail_is_done().await;
    assert!(mailbox.is_quiet().await, "what may have arrived is not sent again");
    let states: Vec<_> = kinds(&shop).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, [Sent, Failed, Unknown]);
    let rows = notification::Entity::find().all(&shop.app.read()).await.unwrap();
    let refused = rows.iter().find(|row| row.state == Failed).unwrap();
    let error = refused.error.as_deref().unwrap();
    assert!(error.contains("550") && error.contains("nobody"), "{error}");
    assert_eq!(refused.attempts, 1);
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_asked_again() {
    let mailbox = Mailbox::start(&[]).await;
    let port = mailbox.port;
    drop(mailbox);
    let provider = SmtpMail::new(server(port));
    eventually("the server is away", async || provider.check().await.is_err()).await;
    let mailer = Mailer { provider: Some(Arc::new(provider)), from: None };
    let shop = Shop::on(Arc::new(TestDatabase::copy().await), |builder| builder.mail(mailer)).await;
    shop.register("ada@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    let row = notification::Entity::find().one(&shop.app.read()).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempts), (NotificationState::Pending, 1));
    assert!(row.error.unwrap().contains(&format!("127.0.0.1:{port}")));
}

async fn register(store: &Client, email: &str) {
    let input = json!({ "email": email, "password": PASSWORD });
    mutate(store, "", "customerRegister", input, "accepted").await.done();
}

async fn rows(database: &TestDatabase) -> Vec<notification::Model> {
    let db = Db::open(&database.url).await.unwrap();
    let rows = notification::Entity::find().all(&db.read(&StatementCount::default())).await.unwrap();
    db.close().await;
    rows
}

#[tokio::test]
async fn a_line_is_protected_and_only_by_a_certificate_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = certificate(folder.path());
    let options = ["--tls", &certificate, &key, "--user", "shop", "--password", "secret word"];
    let mut mailbox = Mailbox::start(&options).await;
    let port = mailbox.port.to_string();
    let arguments = [
        "--mail-provider",
        "smtp",
        "--mail-smtp-host",
        "localhost",
        "--mail-smtp-port",
        &port,
        "--mail-from",
        "orders@shop.example",
    ];
    let known = ("SSL_CERT_FILE", certificate.as_str());
    let user = ("EMPORION_MAIL_SMTP_USER", "shop");
    let password = ("EMPORION_MAIL_SMTP_PASSWORD", "secret word");

    let database = TestDatabase::empty().await;
    let node = Node::start(&database, &arguments, &[known, user, password]).await;
    register(&node.store, "ada@shopper.example").await;
    let mail = mailbox.next().await;
    assert_eq!(
        (&mail["to"], &mail["tls"], &mail["user"]),
        (&json!(["ada@shopper.example"]), &json!(true), &json!("shop"))
    );
    drop(node);

    for (variables, said) in [
        (&[user, password][..], "certificate"),
        (&[known, user, ("EMPORION_MAIL_SMTP_PASSWORD", "wrong")][..], "535"),
        (&[known][..], "530"),
    ] {
        let database = TestDatabase::empty().await;
        let node = Node::start(&database, &arguments, variables).await;
        register(&node.store, "eve@shopper.example").await;
        eventually("the mail was tried", async || rows(&database).await.iter().any(|row| row.error.is_some())).await;
        let error = rows(&database).await[0].error.clone().unwrap();
        assert!(error.to_lowercase().contains(said), "{said} in {error}");
        assert!(!error.contains("wrong") && !error.contains("secret word"), "{error}");
        drop(node);
    }
    assert!(mailbox.is_quiet().await, "nothing went over a line that is not trusted");
}

/// Lets the time pass for which the lost process held the mail.
async fn end_the_lease(database: &TestDatabase) {
    let db = Db::open(&database.url).await.unwrap();
    let conn = db.begin(&StatementCount::default()).await.unwrap();
    let past = Utc::now() - TimeDelta::minutes(1);
    let sql = "update notification set due_at = ? where state = 'SENDING'";
    let changed = conn.execute_raw(statement(&conn, sql, [past.into()])).await.unwrap();
    assert_eq!(changed.rows_affected(), 1, "one mail was left behind");
    conn.commit().await.unwrap();
    db.close().await;
}

async fn state_of(database: &TestDatabase) -> (NotificationTemplate, NotificationState, usize) {
    let rows = rows(database).await;
    (rows[0].template, rows[0].state, rows.len())
}

/// Arguments that send mail through this mailbox.
fn through(mailbox: &Mailbox) -> Vec<String> {
    let port = mailbox.port.to_string();
    let named = [("provider", "smtp"), ("smtp-host", "127.0.0.1"), ("smtp-port", &*port), ("smtp-tls", "none")];
    let arguments = named.into_iter().chain([("from", "orders@shop.example")]);
    arguments.flat_map(|(name, value)| [format!("--mail-{name}"), value.to_owned()]).collect()
}

/// A process is lost at this point of sending; `arrived` says whether the mail server had taken the mail.
async fn lost_at(failpoint: &str, arrived: bool) {
    let mut mailbox = Mailbox::start(&[]).await;
    let arguments = through(&mailbox);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let database = TestDatabase::empty().await;
    let mut node = Node::start(&database, &arguments, &[("EMPORION_FAILPOINT", failpoint)]).await;
    let token = node.owner_token().await;
    let input = json!({ "email": "ada@shopper.example", "password": PASSWORD });
    let query = "mutation($input: CustomerRegisterInput!) { customerRegister(input: $input) { accepted } }";
    // The process may be lost before its answer is out.
    let call = json!({ "query": query, "variables": { "input": input } });
    let _ = reqwest::Client::new().post(&node.store_url).json(&call).send().await;
    assert!(!node.process.ended().await.success());
    assert_eq!(state_of(&database).await, (CustomerVerification, NotificationState::Sending, 1));

    let node = Node::start(&database, &arguments, &[]).await;
    if arrived {
        assert_eq!(mailbox.next().await["to"], json!(["ada@shopper.example"]));
    }
    assert!(mailbox.is_quiet().await, "the lost process might still be at it");
    end_the_lease(&database).await;
    eventually("it is given up", async || state_of(&database).await.1 == Unknown).await;
    assert!(mailbox.is_quiet().await, "nobody knows whether it arrived, so nobody repeats it by himself");

    let told = run_command(&database, &["doctor", "--mail-provider", "file"]).await;
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("1 mail(s) failed, or may not have arrived"), "{told}");
    let owner = node.anonymous_admin.bearer(&token);
    let id = rows(&database).await[0].id.to_string();
    let input = json!({ "idempotencyKey": "again", "id": id });
    mutate(&owner, "Admin", "notificationResend", input, "notification { id }").await.done();
    let mail: Value = mailbox.next().await;
    assert_eq!(mail["to"], json!(["ada@shopper.example"]));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(mailbox.is_quiet().await);
}

/// A mistake of ours in making one mail holds up none of the others.
#[tokio::test]
async fn a_mail_that_panics_is_tried_again_and_the_next_one_goes_out() {
    let mut mailbox = Mailbox::start(&[]).await;
    let arguments = through(&mailbox);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let database = TestDatabase::empty().await;
    let once = [("EMPORION_FAILPOINT", "panic-once:notification.attempt")];
    let mut node = Node::start(&database, &arguments, &once).await;
    let register = async |email: &str| {
        let query = "mutation($input: CustomerRegisterInput!) { customerRegister(input: $input) { accepted } }";
        node.store
            .send(query, json!({ "input": { "email": email, "password": PASSWORD } }))
            .await
            .at("customerRegister");
    };
    register("ada@shopper.example").await;
    eventually("a record", async || node.process.logged("a mail could not be made").len() == 1).await;
    register("bob@shopper.example").await;
    assert_eq!(mailbox.next().await["to"], json!(["bob@shopper.example"]));
    let record = node.process.logged("a mail could not be made").remove(0);
    let settled = async || rows(&database).await.iter().map(|row| (row.state, row.attempts)).collect::<Vec<_>>();
    eventually("one waits", async || settled().await.contains(&(NotificationState::Pending, 1))).await;
    assert_eq!(record["level"], "ERROR");
    assert!(node.process.logged(TASK_ENDED).is_empty(), "the task itself goes on");
    assert!(node.process.terminate().await.success());
}

#[tokio::test]
async fn a_process_that_is_lost_before_the_mail_server_leaves_it_to_staff() {
    lost_at("notification.claimed", false).await;
}

#[tokio::test]
async fn a_process_that_is_lost_after_the_mail_server_sends_nothing_twice() {
    lost_at("notification.sent", true).await;
}

#[tokio::test]
async fn the_settings_of_mail_are_checked_and_no_password_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], file: &str| {
        std::fs::write(folder.path().join("emporion.toml"), file).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_emporion"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("EMPORION_")) {
            command.env_remove(name);
        }
        let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let file = "[mail]\nprovider = \"smtp\"\n[mail.smtp]\nhost = \"mx.example\"\nuser = \"u\"\npassword = \"hidden\"\n";
    let told = run(&["config", "print"], file);
    for line in [
        "mail_provider = \"smtp\"  # emporion.toml",
        "mail_smtp_host = \"mx.example\"  # emporion.toml",
        "# mail_smtp_password is set  # emporion.toml",
        "mail_smtp_tls = \"starttls\"  # default",
    ] {
        assert!(told.lines().any(|known| known == line), "{line} in {told}");
    }
    assert!(!told.contains("hidden"), "{told}");
    assert!(!run(&["serve", "--help"], file).contains("hidden"));
    assert!(run(&["config", "print"], "[mail]\nporvider = \"smtp\"\n").contains("mail_porvider"));
    let told = run(&["serve", "--mail-provider", "smtp"], "");
    assert!(told.contains("mail_smtp_host"), "{told}");
    let told = run(&["serve", "--mail-provider", "smtp", "--mail-smtp-host", "x", "--mail-smtp-user", "u"], "");
    assert!(told.contains("mail_smtp_password go together"), "{told}");
    for wrong in [&["serve", "--mail-from", "Shop"][..], &["serve", "--mail-smtp-port", "99999"]] {
        assert!(run(wrong, "").contains("invalid value"), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_doctor_looks_at_mail() {
    let shop = Shop::open().await;
    let mailbox = Mailbox::start(&[]).await;
    let port = mailbox.port.to_string();
    let told = async |arguments: &[&str]| {
        let output = run_command(&shop.database, &[&["doctor"][..], arguments].concat()).await;
        String::from_utf8(output.stdout).unwrap()
    };
    let smtp =
        ["--mail-provider", "smtp", "--mail-smtp-host", "127.0.0.1", "--mail-smtp-tls", "none", "--mail-smtp-port"];
    let well = told(&[&smtp[..], &[port.as_str(), "--mail-from", "a@b.c"]].concat()).await;
    assert!(well.contains(&format!("ok       the mail server 127.0.0.1:{port} answers")), "{well}");
    assert!(!well.contains("have no sender"), "{well}");
    let nameless = told(&[&smtp[..], &[port.as_str()]].concat()).await;
    assert!(nameless.contains("fault    1 channel(s) have no sender"), "{nameless}");
    let away = told(&[&smtp[..], &["1", "--mail-from", "a@b.c"]].concat()).await;
    assert!(away.contains("fault    mail can't be sent: ") && away.contains("mend mail_smtp_host"), "{away}");
    assert!(told(&["--mail-provider", "none"]).await.contains("warning  mail is switched off"));
    assert!(told(&["--mail-provider", "file"]).await.contains("warning  mail is written to files in"));
}
