//! Mail that the shop sends by itself: which, to whom, how often.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::auth::{OWNER, VIEWER};
use domain::notification::{NotificationState, NotificationTemplate};
use engine::app::App;
use engine::db::StatementCount;
use engine::notification::worker;
use engine::provider::notification::{Failure, formatted};
use engine::provider::notification::{FileMail, Mail, Mailer};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{Placed, address, eventually, faults, mutate};
use crate::support::customers::PASSWORD;
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::post::{Post, kinds, post_shop};
use crate::support::walker::new_key;

use NotificationState::{Failed, Sent, Skipped, Unknown};
use NotificationTemplate::{
    CustomerEmailChange, CustomerEmailChanged, CustomerOrderClaim, CustomerRecovery, CustomerRegisteredAgain,
    CustomerVerification, OrderAccess, OrderCanceled, OrderConfirmation, OrderRefunded, OrderShipped,
};

const LIST: &str = "query($filter: AdminNotificationFilter) { notifications(filter: $filter, direction: ASC) {
    totalCount nodes { id template state to locale orderId customerId attempts nextAttemptAt sentAt messageId error
        resendOfId channel { handle } } } }";

async fn listed(shop: &Shop, filter: Value) -> Vec<Value> {
    let answer = shop.admin.send(LIST, json!({ "filter": filter })).await;
    answer.at("notifications.nodes").as_array().unwrap().clone()
}

async fn resend(shop: &Shop, id: &Value, key: &str) -> crate::support::Answer {
    let input = json!({ "idempotencyKey": key, "id": id });
    mutate(&shop.admin, "Admin", "notificationResend", input, "notification { id state resendOfId }").await
}

/// What stands behind `token=` in a text.
fn token_in(text: &str) -> String {
    let after = text.split("token=").nth(1).unwrap_or_else(|| panic!("no token in {text}"));
    after.split_whitespace().next().unwrap().to_owned()
}

/// Writes into the database beside the shop.
async fn write(shop: &Shop, sql: &str, values: Vec<sea_orm::Value>) {
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    conn.execute_raw(engine::db::statement(&conn, sql, values)).await.unwrap();
    conn.commit().await.unwrap();
}

async fn at_home(shop: &Shop, url: &str) {
    let channel = shop.app.settings().channels[0].id;
    let input = json!({ "id": channel.to_string(), "storefrontUrl": url });
    shop.set("channelUpdate", input, "channel { id }").await.done();
}

async fn shipped(shop: &Shop, placed: &Placed) {
    let pack = json!({ "idempotencyKey": new_key(), "orderId": placed.id });
    let packed = shop.set("fulfillmentCreate", pack, "fulfillment { id }").await.done();
    let parcel = json!({ "number": "00340434161094000001", "carrier": "DHL", "url": "https://carrier.example/1?a&b" });
    let ship = json!({ "id": packed["fulfillment"]["id"], "trackings": [parcel] });
    shop.set("fulfillmentShip", ship, "fulfillment { state }").await.done();
}

async fn captured(shop: &Shop, placed: &Placed) {
    let query = "query($id: ID!) { order(id: $id) { payments { id } } }";
    let payment = shop.admin.send(query, json!({ "id": placed.id })).await.text("order.payments.0.id");
    let input = json!({ "idempotencyKey": new_key(), "paymentId": payment });
    shop.set("paymentCapture", input, "payment { state }").await.done();
}

#[tokio::test]
async fn each_step_of_an_order_is_told_once() {
    let (shop, post) = post_shop().await;
    at_home(&shop, "https://shop.example").await;
    let tee = shop.tee("20.00", 5).await;
    let first = shop.checkout_all(&[(&tee, 2)], "manual", "a").await;
    shop.mail_is_done().await;
    let mail = post.last();
    assert_eq!((mail.to.as_str(), mail.from.to_string()), ("ada@example.com", "Orders <orders@shop.example>".into()));
    assert_eq!(mail.subject, format!("Your order {}", first.number));
    for line in ["Hello Ada Lovelace,", "2 x Tee: €40.00", "Shipping: €4.90", "10115 Town"] {
        assert!(mail.text.lines().any(|text| text == line), "{line} in {}", mail.text);
    }
    assert!(mail.text.contains("Total: €44.90 (including tax €7.17)"), "{}", mail.text);
    assert!(mail.html.contains("<td style=\"text-align:right\">€40.00</td>"), "{}", mail.html);
    // The link opens the order, and nothing else does.
    let link = format!("https://shop.example/orders/{}?token=", first.id);
    assert!(mail.text.contains(&link), "{}", mail.text);
    let open = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) { number } }";
    let opened = shop.store.send(open, json!({ "id": first.id, "token": token_in(&mail.text) })).await;
    assert_eq!(opened.at("order.number"), first.number);

    shipped(&shop, &first).await;
    shop.mail_is_done().await;
    let mail = post.last();
    assert_eq!(mail.subject, format!("Your order {} is on its way", first.number));
    assert!(mail.text.contains("Parcel: DHL 00340434161094000001\nhttps://carrier.example/1?a&b\n"), "{}", mail.text);
    assert!(mail.html.contains("href=\"https:&#x2f;&#x2f;carrier.example&#x2f;1?a&amp;b\""), "{}", mail.html);

    let second = shop.checkout_all(&[(&tee, 1)], "manual", "b").await;
    captured(&shop, &second).await;
    let cancel = json!({ "idempotencyKey": new_key(), "orderId": second.id });
    shop.set("orderCancel", cancel, "order { id }").await.done();
    shop.mail_is_done().await;
    let refunded = post.taken().into_iter().find(|mail| mail.subject.contains("€24.90")).expect("a refund");
    assert_eq!(refunded.subject, format!("€24.90 for your order {}", second.number));

    let sent = |template| (template, Sent);
    let mut told = kinds(&shop).await;
    told[3..].sort();
    let wanted = [OrderConfirmation, OrderShipped, OrderConfirmation, OrderRefunded, OrderCanceled].map(sent);
    assert_eq!(told, wanted);
    assert_eq!((post.taken().len(), post.asked()), (5, 5));
    let mut ids: Vec<_> = post.taken().iter().map(|mail| mail.message_id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert!(ids.iter().all(|id| id.starts_with("<notif_") && id.ends_with("@shop.example>")), "{ids:?}");
    invariants(&shop).await;
}

#[tokio::test]
async fn each_mail_of_an_account_leads_where_it_must() {
    let (shop, post) = post_shop().await;
    at_home(&shop, "https://shop.example").await;
    let next = async || {
        shop.mail_is_done().await;
        let mail = post.last();
        (mail.to.to_string(), mail.text)
    };
    shop.register("ada@shopper.example", PASSWORD).await.done();
    let (to, text) = next().await;
    assert!(text.contains("https://shop.example/account/verify?token="), "{text}");
    assert_eq!(to, "ada@shopper.example");
    shop.guest("customerVerify", json!({ "token": token_in(&text) }), "verified").await.done();
    let ada = shop.again("ada@shopper.example", PASSWORD).await;

    shop.register("ada@shopper.example", PASSWORD).await.done();
    let (_, text) = next().await;
    assert!(text.contains("https://shop.example/account\n") && !text.contains("token"), "{text}");

    let ask = json!({ "email": "ada@shopper.example" });
    shop.guest("customerPasswordRecover", ask, "accepted").await.done();
    let (_, text) = next().await;
    assert!(text.contains("https://shop.example/account/reset?token=") && text.contains("1 hour."), "{text}");
    let reset = json!({ "token": token_in(&text), "password": "another password" });
    shop.guest("customerPasswordReset", reset, "reset").await.done();

    let ada = shop.again(&ada.email, "another password").await;
    let claim = "mutation { orderClaimRequest { accepted userErrors { code } } }";
    ada.client.send(claim, json!({})).await.done();
    let (_, text) = next().await;
    assert!(text.contains("https://shop.example/account/claim?token="), "{text}");
    ada.mutate("orderClaim", json!({ "token": token_in(&text) }), "claimed").await.done();

    let change = json!({ "email": "new@shopper.example", "password": "another password" });
    ada.mutate("customerEmailChangeRequest", change, "accepted").await.done();
    let (to, text) = next().await;
    assert_eq!(to, "new@shopper.example");
    let confirm = json!({ "token": token_in(&text) });
    shop.guest("customerEmailChangeConfirm", confirm, "changed").await.done();
    let (to, text) = next().await;
    assert_eq!(to, "ada@shopper.example", "the old mailbox is told");
    assert!(!text.contains("new@shopper.example"), "and not where the account went: {text}");

    let told: Vec<_> = kinds(&shop).await.into_iter().map(|(template, _)| template).collect();
    let wanted = [
        CustomerVerification,
        CustomerRegisteredAgain,
        CustomerRecovery,
        CustomerOrderClaim,
        CustomerEmailChange,
        CustomerEmailChanged,
    ];
    assert_eq!(told, wanted);
}

#[tokio::test]
async fn links_lead_to_the_channel_s_storefront_whatever_a_request_says() {
    let (shop, post) = post_shop().await;
    at_home(&shop, "https://shop.example").await;
    let forged = shop.store.with("host", "evil.example").with("x-forwarded-host", "evil.example");
    let forged = forged.with("origin", "https://evil.example").with("referer", "https://evil.example/");
    let input = json!({ "email": "ada@shopper.example", "password": PASSWORD });
    mutate(&forged, "", "customerRegister", input, "accepted").await.done();
    shop.mail_is_done().await;
    let mail = post.last();
    assert!(mail.text.contains("https://shop.example/account/verify?token="), "{}", mail.text);
    assert!(!format!("{mail:?}").contains("evil"), "{mail:?}");

    // Another channel has another storefront, other paths and another sender.
    let made = shop.set("channelCreate", json!({ "name": "Trade", "defaultLocale": "de" }), "channel { id }").await;
    let trade = made.done()["channel"]["id"].clone();
    let paths = json!({ "verification": "/#/ja/{token}" });
    let input = json!({ "id": trade, "storefrontUrl": "https://trade.example/shop/", "linkPaths": paths,
        "mailFrom": "trade@trade.example" });
    let select = "channel { mailFrom linkPaths { verification account } }";
    let updated = shop.set("channelUpdate", input, select).await.done();
    let kept = json!({ "mailFrom": "trade@trade.example",
        "linkPaths": { "verification": "/#/ja/{token}", "account": "/account" } });
    assert_eq!(updated["channel"], kept);
    let key = json!({ "title": "Web", "channelId": trade });
    let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await.done();
    let key = key["publishableKey"]["token"].as_str().unwrap().to_owned();
    let input = json!({ "email": "bob@shopper.example", "password": PASSWORD });
    let trading = shop.store.with("x-publishable-key", &key);
    mutate(&trading, "", "customerRegister", input, "accepted").await.done();
    shop.mail_is_done().await;
    let mail = post.last();
    assert!(mail.text.contains("https://trade.example/shop/#/ja/"), "{}", mail.text);
    assert_eq!(mail.from.to_string(), "Trade <trade@trade.example>");
    assert_eq!(mail.subject, "Bitte bestätigen Sie Ihre E-Mail-Adresse");

    let wrong = json!({ "id": trade, "mailFrom": "A\nBcc: x <a@b.c>",
        "linkPaths": { "recovery": "//evil.example/{token}", "order": "/o" } });
    let refused = shop.set("channelUpdate", wrong, "channel { id }").await;
    let mut told = faults(&refused);
    told.sort();
    assert_eq!(told, ["INVALID linkPaths.order", "INVALID linkPaths.recovery", "INVALID mailFrom"]);
    let back = json!({ "id": trade, "mailFrom": null, "linkPaths": { "verification": null } });
    let back = shop.set("channelUpdate", back, select).await.done();
    assert_eq!(back["channel"]["linkPaths"]["verification"], "/account/verify?token={token}");
}

#[tokio::test]
async fn mail_speaks_the_language_in_which_was_bought() {
    let (shop, post) = post_shop().await;
    let channel = shop.app.settings().channels[0].id;
    let input = json!({ "id": channel.to_string(), "locales": ["de-AT", "fr"] });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let tee = shop.tee("1200.00", 5).await;
    for (languages, subject, amount) in [
        ("de-AT", "Ihre Bestellung", "1 x Tee: 1.200,00\u{a0}€"),
        // Nobody wrote French: the channel's own language stands in, amounts and all else are French.
        ("fr", "Your order", "1 x Tee: 1\u{a0}200,00\u{a0}€"),
    ] {
        let input = json!({ "lines": [{ "variantId": tee, "quantity": 1 }], "buyer": { "email": "ada@example.com" },
            "addresses": { "shipping": address("DE") } });
        let client = shop.store.with("accept-language", languages);
        let mut cart = shop.cart_of_client(&client, input).await;
        cart.select_delivery().await.done();
        cart.pay("manual").await.done();
        let placed = Placed::of(cart.clone(), &cart.complete(&new_key()).await);
        shop.mail_is_done().await;
        let mail = post.last();
        assert_eq!(mail.subject, format!("{subject} {}", placed.number), "{languages}");
        assert!(mail.text.contains(amount), "{}", mail.text);
    }
}

#[tokio::test]
async fn what_was_not_taken_is_tried_again_later_and_not_for_ever() {
    let (shop, post) = post_shop().await;
    let busy = || Failure::NotTaken("451 come back later".to_owned());
    post.will_say([busy(), busy()]);
    shop.register("ada@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    let waits = listed(&shop, json!({ "states": ["PENDING"] })).await;
    assert_eq!((waits.len(), &waits[0]["attempts"], &waits[0]["error"]), (1, &json!(1), &json!("451 come back later")));
    assert_ne!(waits[0]["nextAttemptAt"], json!(null));
    shop.pass(TimeDelta::seconds(29));
    shop.mail_is_done().await;
    assert_eq!(post.asked(), 1, "not before its time");
    shop.pass(TimeDelta::seconds(2));
    shop.mail_is_done().await;
    assert_eq!(post.asked(), 2);
    shop.pass(TimeDelta::seconds(61));
    shop.mail_is_done().await;
    assert_eq!(kinds(&shop).await, [(CustomerVerification, Sent)]);
    let done = listed(&shop, json!({ "states": ["SENT"] })).await;
    assert_eq!((&done[0]["attempts"], &done[0]["error"]), (&json!(3), &json!(null)));
    // The token of the mail that arrived is the one that counts.
    let token = last_token(&post);
    shop.guest("customerVerify", json!({ "token": token }), "verified").await.done();

    post.will_say((0..20).map(|_| busy()));
    let ask = json!({ "email": "ada@shopper.example" });
    shop.guest("customerPasswordRecover", ask, "accepted").await.done();
    for _ in 0..12 {
        shop.mail_is_done().await;
        shop.pass(TimeDelta::hours(1));
    }
    shop.mail_is_done().await;
    assert_eq!(kinds(&shop).await[1], (CustomerRecovery, Failed));
    assert_eq!(post.asked(), 3 + 10);
}

fn last_token(post: &Post) -> String {
    let text = post.last().text;
    let after = text.split("code:\n").nth(1).unwrap_or_else(|| panic!("no code in {text}"));
    after.lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_refused_or_is_in_doubt_is_sent_again_by_hand_alone() {
    let (mut shop, post) = post_shop().await;
    post.will_say([Failure::Refused("550 no such user".into()), Failure::Unknown("the line broke".into())]);
    shop.register("ada@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    shop.register("bob@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    shop.pass(TimeDelta::days(2));
    shop.admin = shop.staff(OWNER).await;
    shop.mail_is_done().await;
    assert_eq!(kinds(&shop).await, [(CustomerVerification, Failed), (CustomerVerification, Unknown)]);
    assert_eq!((post.asked(), post.taken().len()), (2, 0));
    let rows = listed(&shop, json!({ "states": ["FAILED", "UNKNOWN"] })).await;
    assert_eq!((&rows[0]["error"], &rows[1]["error"]), (&json!("550 no such user"), &json!("the line broke")));

    let again = resend(&shop, &rows[1]["id"], "once").await.done();
    assert_eq!(again["notification"]["resendOfId"], rows[1]["id"]);
    let same = resend(&shop, &rows[1]["id"], "once").await.done();
    assert_eq!(same["notification"]["id"], again["notification"]["id"], "a double click is one mail");
    let other = resend(&shop, &rows[0]["id"], "once").await;
    assert_eq!(faults(&other), ["IDEMPOTENCY_MISMATCH idempotencyKey"]);
    shop.mail_is_done().await;
    assert_eq!((post.asked(), post.last().to.as_str()), (3, "bob@shopper.example"));
    shop.guest("customerVerify", json!({ "token": last_token(&post) }), "verified").await.done();
    let first = listed(&shop, json!({ "states": ["UNKNOWN"] })).await;
    assert_eq!(first.len(), 1, "the first one stays as it was");
    let audit = "{ auditEntries(filter: { ops: [\"notification.resend\"] }) { nodes { after } } }";
    let kept = shop.admin.send(audit, json!({})).await.at("auditEntries.nodes");
    let told: Vec<_> = kept.as_array().unwrap().iter().map(|entry| &entry["after"]["resendOf"]).collect();
    assert_eq!(told, [&Value::Null, &rows[1]["id"]], "the second time it ran and changed nothing");

    // Sent again, it has become pointless: the mailbox is proved.
    let resent = again["notification"]["id"].clone();
    resend(&shop, &resent, "twice").await.done();
    shop.mail_is_done().await;
    assert_eq!(kinds(&shop).await[3], (CustomerVerification, Skipped));

    post.will_say([Failure::NotTaken("451".into())]);
    shop.register("eve@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    let waits = listed(&shop, json!({ "states": ["PENDING"] })).await;
    assert_eq!(faults(&resend(&shop, &waits[0]["id"], "thrice").await), ["STATE_INVALID id"]);
    let nobody = json!("notif_01h2xcejqtf2nbrexx3vqjhp41");
    assert_eq!(faults(&resend(&shop, &nobody, "four").await), ["NOT_FOUND id"]);
    assert_eq!(faults(&resend(&shop, &json!("order_1"), "five").await), ["INVALID id"]);
}

#[tokio::test]
async fn two_processes_send_each_mail_once() {
    let (shop, post) = post_shop().await;
    let other = App::builder(&shop.database.url).await.unwrap().clock(shop.clock.clone()).mail(post.mailer());
    let other = other.open().await.unwrap();
    for number in 0..25 {
        shop.register(&format!("c{number}@shopper.example"), PASSWORD).await.done();
    }
    let (a, b, c) = tokio::join!(worker::work(&other), worker::work(&shop.app), worker::work(&other));
    let _ = (a.unwrap(), b.unwrap(), c.unwrap());
    shop.mail_is_done().await;
    let mut to: Vec<_> = post.taken().iter().map(|mail| mail.to.to_string()).collect();
    assert_eq!(to.len(), 25);
    to.sort();
    to.dedup();
    assert_eq!(to.len(), 25, "nobody twice, nobody left out");
    assert!(kinds(&shop).await.iter().all(|kind| *kind == (CustomerVerification, Sent)));
    other.db.close().await;
}

#[tokio::test]
async fn an_event_makes_one_mail_however_often_the_log_is_read() {
    let (shop, post) = post_shop().await;
    shop.register("ada@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    assert_eq!(post.asked(), 1);
    let rewind = "update consumer set position = 0 where name = 'notification'";
    write(&shop, rewind, vec![]).await;
    shop.mail_is_done().await;
    assert_eq!((post.asked(), kinds(&shop).await.len()), (1, 1), "the log was read twice");

    // What happened long ago is no news, even when nothing was sent then.
    write(&shop, "delete from notification", vec![]).await;
    shop.pass(TimeDelta::days(4));
    write(&shop, rewind, vec![]).await;
    shop.mail_is_done().await;
    assert_eq!((post.asked(), kinds(&shop).await.len()), (1, 0));
}

#[tokio::test]
async fn a_guest_is_mailed_the_link_that_he_asked_for() {
    let (shop, post) = post_shop().await;
    at_home(&shop, "https://shop.example").await;
    let tee = shop.tee("20.00", 5).await;
    let placed = shop.checkout_all(&[(&tee, 1)], "manual", "a").await;
    shop.mail_is_done().await;
    for (number, email) in [(placed.number, "eve@example.com"), (placed.number, "ada@example.com")] {
        let input = json!({ "number": number, "email": email });
        shop.guest("orderAccessRequest", input, "accepted").await.done();
    }
    shop.mail_is_done().await;
    assert_eq!(kinds(&shop).await, [(OrderConfirmation, Sent), (OrderAccess, Sent)]);
    let mail = post.last();
    assert_eq!(mail.to.as_str(), "ada@example.com");
    let open = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) { number } }";
    let opened = shop.store.send(open, json!({ "id": placed.id, "token": token_in(&mail.text) })).await;
    assert_eq!(opened.at("order.number"), placed.number);
}

fn hostile() -> Mail {
    Mail {
        id: uuid::Uuid::nil().into(),
        message_id: "<a@b.c>".to_owned(),
        from: domain::notification::sender::Sender {
            name: Some("Shop\r\nBcc: eve@evil.example\r\n".to_owned()),
            email: "orders@shop.example".parse().unwrap(),
        },
        to: "ada@example.com".parse().unwrap(),
        subject: "Order\r\nBcc: eve@evil.example\r\n\r\n<h1>evil".to_owned(),
        text: "Hello\n.\nMAIL FROM:<eve@evil.example>\r.\r\nBye ä".to_owned(),
        html: "<p>Hello</p>".to_owned(),
        locale: "en\r\nBcc: eve@evil.example".to_owned(),
        date: std::time::SystemTime::UNIX_EPOCH,
    }
}

#[test]
fn nothing_that_people_type_begins_another_header() {
    let bytes = formatted(&hostile()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let headers: Vec<&str> = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])).collect();
    let names: Vec<_> = headers.iter().map(|line| line.split_once(':').expect("a header").0.to_lowercase()).collect();
    let mut once = names.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), names.len(), "{names:?}");
    assert!(!names.iter().any(|name| name == "bcc"), "{head}");
    for name in ["from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"] {
        assert!(names.iter().any(|known| known == name), "{name} in {head}");
    }
    assert!(head.contains("multipart/alternative"), "{head}");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "every line ends as the protocol wants it");
    assert!(body.contains("text/plain; charset=utf-8") && body.contains("text/html; charset=utf-8"), "{body}");
    for address in ["ada@example.com,eve@evil.example", "\"a b\"@", "<ada@example.com>"] {
        let Ok(to) = address.parse() else { continue };
        assert!(formatted(&Mail { to, ..hostile() }).is_err(), "{address} is not one mailbox");
    }
}

#[tokio::test]
async fn erasing_a_person_takes_his_mailbox_and_his_mail_away() {
    let database = Arc::new(TestDatabase::copy().await);
    let folder = database.mail();
    let mut shop = Shop::on(database, |builder| builder.mail(Mailer::files(&folder))).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    shop.register("marker@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    let files = || -> Vec<String> {
        let files = std::fs::read_dir(&folder).unwrap().flatten();
        files.map(|file| std::fs::read_to_string(file.path()).unwrap()).collect()
    };
    assert_eq!(files().len(), 1);
    let mail = &files()[0];
    assert!(mail.contains("To: marker@shopper.example\r\n"), "{mail}");
    // What a newcomer does: look into the file, take the code, prove the mailbox.
    let token = mail.split("Your code:\r\n").nth(1).unwrap().lines().next().unwrap().to_owned();
    shop.guest("customerVerify", json!({ "token": token }), "verified").await.done();
    let marker = shop.again("marker@shopper.example", PASSWORD).await;
    let tee = shop.tee("20.00", 5).await;
    let input = json!({ "lines": [{ "variantId": tee, "quantity": 1 }],
        "buyer": { "email": "marker@shopper.example" }, "addresses": { "shipping": address("DE") } });
    let mut cart = shop.cart_of(input).await;
    cart.client = marker.client.clone();
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    let placed = Placed::of(cart.clone(), &cart.complete(&new_key()).await);
    let cancel = json!({ "idempotencyKey": new_key(), "orderId": placed.id });
    shop.set("orderCancel", cancel, "order { id }").await.done();
    shop.register("other@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    assert_eq!(files().len(), 4);
    let his = listed(&shop, json!({ "customerId": marker.id.to_string() })).await;
    assert_eq!(his.len(), 3);
    assert_eq!(listed(&shop, json!({ "to": "MARKER@shopper.example" })).await.len(), 3);

    // One more waits at the moment of erasure: it is never sent.
    let query = "update notification set state = 'PENDING', due_at = ?, error = '550 marker@shopper.example'
        where template = 'ORDER_CANCELED'";
    let later = shop.app.clock.now() + TimeDelta::hours(1);
    write(&shop, query, vec![later.into()]).await;
    marker.mutate("customerDelete", json!({ "password": PASSWORD }), "deletedId").await.done();
    shop.pass(TimeDelta::hours(2));
    shop.admin = shop.staff(OWNER).await;
    shop.mail_is_done().await;
    eventually("the files are gone", async || files().len() == 1).await;
    assert!(files()[0].contains("other@shopper.example"));
    let rows = entity::notification::Entity::find().all(&shop.app.read()).await.unwrap();
    assert!(!format!("{rows:?}").contains("marker"), "{rows:?}");
    let his = listed(&shop, json!({ "orderId": placed.id })).await;
    let seen: Vec<_> = his.iter().map(|row| (row["state"].clone(), row["to"].clone())).collect();
    assert_eq!(seen, [(json!("SENT"), json!(null)), (json!("SKIPPED"), json!(null))]);
    assert_eq!(faults(&resend(&shop, &his[0]["id"], "again").await), ["STATE_INVALID id"]);
    invariants(&shop).await;
}

#[tokio::test]
async fn a_file_of_mail_is_for_its_owner_s_eyes() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let files = FileMail::new(folder.path().join("mail"));
    let mail = hostile();
    engine::provider::notification::NotificationProvider::send(&files, &mail).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path().join("mail")), mode(&files.path(mail.id))), (0o700, 0o600));
    assert_eq!(std::fs::read_dir(folder.path().join("mail")).unwrap().count(), 1, "nothing half-written is left");
}

#[tokio::test]
async fn a_shop_without_mail_says_so_of_each() {
    let shop = Shop::open().await;
    shop.register("ada@shopper.example", PASSWORD).await.done();
    shop.mail_is_done().await;
    let rows = listed(&shop, json!({})).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["state"], &rows[0]["error"]), (&json!("SKIPPED"), &json!("Mail is switched off.")));
    let tokens = entity::one_time_token::Entity::find().all(&shop.app.read()).await.unwrap();
    assert_eq!(tokens, [], "no token is made for nobody");
}

#[tokio::test]
async fn staff_see_what_was_sent_as_far_as_they_may() {
    let (shop, _post) = post_shop().await;
    for name in ["ada", "bob", "eve"] {
        shop.register(&format!("{name}@shopper.example"), PASSWORD).await.done();
        shop.mail_is_done().await;
    }
    let op = engine::auth::ops::CreateStaff {
        email: "staff@shop.example".to_owned(),
        name: "Staff".to_owned(),
        role: VIEWER.to_owned(),
        secret_hash: String::new(),
    };
    let member = shop.app.run(&engine::actor::Caller::system(), &op).await.unwrap();
    let first = entity::notification::Entity::find().one(&shop.app.read()).await.unwrap().unwrap();
    let to_staff = entity::notification::Model {
        id: uuid::Uuid::now_v7().into(),
        template: NotificationTemplate::StaffInvitation,
        event_id: None,
        customer_id: None,
        staff_id: Some(member.id),
        created_at: first.created_at + TimeDelta::hours(1),
        ..first
    };
    let to_staff_id = to_staff.id.to_string();
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    engine::db::insert_all::<entity::notification::Entity>(&conn, vec![to_staff]).await.unwrap();
    conn.commit().await.unwrap();

    let page = "{ notifications(first: 2) { totalCount pageInfo { hasNextPage endCursor } nodes { to template
        channel { handle } } } }";
    let answer = shop.admin.send(page, json!({})).await;
    assert_eq!(answer.at("notifications.totalCount"), 4);
    assert_eq!(answer.at("notifications.nodes.0.template"), "STAFF_INVITATION");
    assert_eq!(answer.at("notifications.nodes.1.to"), "eve@shopper.example");
    assert_eq!(answer.statements, 3, "one for the session, one for the count, one for the page");
    let all = shop.admin.send("{ notifications(first: 4) { nodes { to channel { handle } } } }", json!({})).await;
    assert_eq!(all.statements, 2, "the same for any page");
    let cursor = answer.text("notifications.pageInfo.endCursor");
    let next = "query($after: String) { notifications(first: 2, after: $after) { nodes { to } } }";
    let next = shop.admin.send(next, json!({ "after": cursor })).await;
    let rest = json!([{ "to": "bob@shopper.example" }, { "to": "ada@shopper.example" }]);
    assert_eq!(next.at("notifications.nodes"), rest);

    let set = json!({ "name": "Desk", "permissions": ["CUSTOMERS_READ", "CUSTOMERS_WRITE"] });
    shop.set("roleSet", set, "role { id }").await.done();
    let desk = shop.staff("Desk").await;
    let seen = desk.send(page, json!({})).await;
    assert_eq!(seen.at("notifications.totalCount"), 3, "mail to staff is for those who may see staff");
    let one = "query($id: ID!) { notification(id: $id) { id } node(id: $id) { id } }";
    assert_eq!(desk.send(one, json!({ "id": to_staff_id })).await.at("notification"), json!(null));
    let both = shop.admin.send(one, json!({ "id": to_staff_id })).await;
    assert_eq!(both.at("notification.id"), both.at("node.id"));
    let resend_it = "mutation($id: ID!) { notificationResend(input: { idempotencyKey: \"k\", id: $id }) {
        notification { id } userErrors { code } } }";
    assert_eq!(desk.send(resend_it, json!({ "id": to_staff_id })).await.refusals(), ["NOT_FOUND"]);

    let viewer = shop.staff(VIEWER).await;
    assert_eq!(viewer.send(page, json!({})).await.at("notifications.totalCount"), 4);
    let ada = listed(&shop, json!({ "to": "ada@shopper.example" })).await;
    assert_eq!(viewer.send(resend_it, json!({ "id": ada[0]["id"] })).await.error_code(), "FORBIDDEN");
    let set = json!({ "name": "Stock", "permissions": ["CATALOG_READ"] });
    shop.set("roleSet", set, "role { id }").await.done();
    let stock = shop.staff("Stock").await;
    assert_eq!(stock.send(page, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(stock.send(one, json!({ "id": ada[0]["id"] })).await.error_code(), "FORBIDDEN");
    let wrong = shop.admin.send(LIST, json!({ "filter": { "to": "nobody" } })).await;
    assert_eq!(wrong.error_code(), "INVALID");
    assert_eq!(listed(&shop, json!({ "templates": ["ORDER_SHIPPED"] })).await.len(), 0);
}
