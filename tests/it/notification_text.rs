//! What mail says: texts of the shop, texts of staff, previews.

use domain::notification::dialect::{self, variables};
use domain::notification::{About, MAX_BODY, NotificationTemplate};
use engine::notification::built_in::{LOCALES, text};
use engine::notification::context::{Context, sample, sparse};
use engine::notification::render::{Text, check, render};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::faults;
use crate::support::post::post_shop;

const TEXT: &str = "notificationTemplate { source locale channelId subject text html version }";

fn wish(locale: &str, subject: &str) -> Value {
    json!({ "template": "ORDER_CONFIRMATION", "locale": locale, "subject": subject,
        "text": "{{ order.total }}", "html": "<p>{{ order.total }}</p>" })
}

async fn chosen(shop: &Shop, locale: &str, channel: Option<&Value>) -> (String, String) {
    let query = "query($locale: String, $channel: ID) {
        notificationTemplate(template: ORDER_CONFIRMATION, locale: $locale, channelId: $channel) { source subject } }";
    let answer = shop.admin.send(query, json!({ "locale": locale, "channel": channel })).await;
    (answer.text("notificationTemplate.source"), answer.text("notificationTemplate.subject"))
}

#[test]
fn every_built_in_text_works_in_each_language() {
    for template in NotificationTemplate::ALL {
        for locale in LOCALES {
            let text = text(*template, locale).expect("a text");
            assert_eq!(check(*template, &text), Ok(()), "{template} {locale}");
            for context in [sample(*template), sparse(*template)] {
                let said = render(&text, &context, locale).unwrap();
                for part in [&said.subject, &said.text, &said.html] {
                    let bare = part.replace("text-decoration:none", "").to_lowercase();
                    assert!(!bare.contains("none") && !bare.contains("{{"), "{template} {locale}: {part}");
                    assert!(!bare.contains("undefined") && !bare.trim().is_empty(), "{template} {locale}: {part}");
                }
                assert!(said.html.contains(&format!("<html lang=\"{locale}\">")));
                if let Some(link) = &context.link {
                    assert!(said.text.contains(link.as_str()), "{template} {locale} leads nowhere: {}", said.text);
                }
            }
        }
        assert_eq!(text(*template, "fr"), None);
    }
}

#[test]
fn a_mail_knows_what_its_kind_knows_and_no_more() {
    for template in NotificationTemplate::ALL {
        let known = variables(&sample(*template).value().unwrap());
        assert_eq!(known.iter().any(|name| name.starts_with("order.")), template.about() == About::Order, "{template}");
        assert_eq!(known.iter().any(|name| name.starts_with("staff.")), template.about() == About::Staff, "{template}");
        assert!(known.iter().any(|name| name == "shop.name") && known.iter().any(|name| name == "link"), "{known:?}");
        let kept = known.iter().filter(|name| name.contains("password") || name.contains("id"));
        assert_eq!(kept.filter(|name| *name != "validHours").count(), 0, "{known:?}");
    }
    let known = sample(NotificationTemplate::OrderShipped).value().unwrap();
    for source in ["{{ customer.name }}", "{{ refund.amount }}", "{{ order.metadata }}"] {
        assert!(dialect::check(source, &known).is_err(), "{source}");
    }
}

fn one(source: &str) -> Text {
    Text { subject: "S".to_owned(), text: source.to_owned(), html: source.to_owned() }
}

fn long_order(lines: usize) -> Context {
    let mut context = sample(NotificationTemplate::OrderConfirmation);
    let order = context.order.as_mut().unwrap();
    order.lines = vec![order.lines[0].clone(); lines];
    context
}

#[test]
fn a_text_can_neither_run_nor_write_for_ever() {
    let mut nested = "x".to_owned();
    for depth in 0..8 {
        nested = format!("{{% for a{depth} in order.lines %}}{nested}{{% endfor %}}");
    }
    assert_eq!(check(NotificationTemplate::OrderConfirmation, &one(&nested)), Ok(()), "with one line it is short");
    let started = std::time::Instant::now();
    let fault = render(&one(&nested), &long_order(100), "en").unwrap_err();
    assert!(fault.to_string().contains("too many steps"), "{fault}");
    let wordy = format!("{{% for line in order.lines %}}{}{{% endfor %}}", "x".repeat(60_000));
    let fault = render(&one(&wordy), &long_order(100), "en").unwrap_err();
    assert!(fault.to_string().contains("more than 512 KiB"), "{fault}");
    let deep = "(".repeat(5_000) + "link" + &")".repeat(5_000);
    let fault = check(NotificationTemplate::OrderConfirmation, &one(&format!("{{{{ {deep} }}}}")));
    assert!(fault.is_err());
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn what_may_be_missing_is_refused_with_a_word_on_how_to_ask_for_it() {
    let lines = "{% for line in order.shippingAddress.lines %}{{ line }}{% endfor %}";
    let refused = check(NotificationTemplate::OrderConfirmation, &one(lines)).unwrap_err();
    assert_eq!(refused.len(), 1, "{refused:?}");
    let hint = "Not every such mail has it: ask for it with {% if … %} first.";
    assert!(refused[0].message.starts_with("Line 1: ") && refused[0].message.ends_with(hint), "{refused:?}");
    let asked = format!("{{% if order.shippingAddress %}}{lines}{{% endif %}}");
    assert_eq!(check(NotificationTemplate::OrderConfirmation, &one(&asked)), Ok(()));
}

#[test]
fn html_is_escaped_by_itself_and_plain_text_is_not() {
    let mut context = sample(NotificationTemplate::OrderConfirmation);
    context.order.as_mut().unwrap().lines[0].title = "<script>alert('x')</script>".to_owned();
    context.order.as_mut().unwrap().name = Some("Eve\r\nBcc: eve@evil.example".to_owned());
    let source = Text {
        subject: "For {{ order.name }}".to_owned(),
        text: "{{ order.lines | length }} {% for line in order.lines %}{{ line.title | upper }}{% endfor %}".to_owned(),
        html: "{% for line in order.lines %}<a title=\"{{ line.title }}\">{% endfor %}".to_owned(),
    };
    let said = render(&source, &context, "en").unwrap();
    assert_eq!(said.subject, "For Eve Bcc: eve@evil.example");
    assert_eq!(said.text, "1 <SCRIPT>ALERT('X')</SCRIPT>");
    assert!(
        !said.html.contains("<script>") && said.html.contains("&lt;script&gt;alert(&#x27;x&#x27;)"),
        "{}",
        said.html
    );
    let page = "<!DOCTYPE html><title>Mine</title>";
    let whole = Text { html: page.to_owned(), ..source };
    assert_eq!(render(&whole, &context, "en").unwrap().html, page, "a page of one's own stays as it is");
}

#[tokio::test]
async fn staff_write_a_text_for_a_language_and_a_channel() {
    let (shop, post) = post_shop().await;
    let main = json!(shop.app.settings().channels[0].id.to_string());
    let input = json!({ "id": main, "locales": ["de-AT"] });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let trade = shop.set("channelCreate", json!({ "name": "Trade" }), "channel { id }").await.done();
    let trade = trade["channel"]["id"].clone();
    assert_eq!(chosen(&shop, "de-AT", None).await, ("BUILT_IN".into(), "Ihre Bestellung {{ order.number }}".into()));

    let made = shop.set("notificationTemplateSet", wish("de", "Danke {{ order.number }}"), TEXT).await.done();
    assert_eq!(made["notificationTemplate"]["source"], "SHOP");
    assert_eq!(made["notificationTemplate"]["version"], 1);
    let mut own = wish("de", "Handel {{ order.number }}");
    own["channelId"] = trade.clone();
    shop.set("notificationTemplateSet", own.clone(), TEXT).await.done();
    shop.set("notificationTemplateSet", wish("de-AT", "Servus {{ order.number }}"), TEXT).await.done();
    assert_eq!(chosen(&shop, "de-AT", None).await, ("SHOP".into(), "Servus {{ order.number }}".into()));
    assert_eq!(chosen(&shop, "de-CH", None).await, ("SHOP".into(), "Danke {{ order.number }}".into()));
    assert_eq!(chosen(&shop, "de", Some(&trade)).await, ("CHANNEL".into(), "Handel {{ order.number }}".into()));
    assert_eq!(chosen(&shop, "ja", None).await.0, "BUILT_IN", "the channel's language, which is English");

    // The version that was read counts, and every change is in the audit log.
    let mut late = wish("de", "Zu spät");
    late["expectedVersion"] = json!(2);
    let refused = shop.set("notificationTemplateSet", late, TEXT).await;
    assert_eq!(faults(&refused), ["CONFLICT expectedVersion"]);
    let mut again = wish("de", "Vielen Dank {{ order.number }}");
    again["expectedVersion"] = json!(1);
    let again = shop.set("notificationTemplateSet", again, TEXT).await.done();
    assert_eq!(again["notificationTemplate"]["version"], 2);
    let audit = "{ auditEntries(first: 1, filter: { ops: [\"notification_text.set\"] }) { nodes { before after } } }";
    let kept = shop.admin.send(audit, json!({})).await.at("auditEntries.nodes.0");
    assert_eq!(
        (&kept["before"]["subject"], &kept["after"]["subject"]),
        (&json!("Danke {{ order.number }}"), &json!("Vielen Dank {{ order.number }}"))
    );
    let list = "{ notificationTemplates(template: ORDER_CONFIRMATION) { locale channelId version } }";
    let all = shop.admin.send(list, json!({})).await;
    assert_eq!(all.at("notificationTemplates").as_array().unwrap().len(), 3);
    assert_eq!(all.statements, 2);
    assert_eq!(
        shop.admin
            .send("{ notificationTemplates(template: ORDER_SHIPPED) { locale } }", json!({}))
            .await
            .at("notificationTemplates"),
        json!([])
    );

    let tee = shop.tee("20.00", 5).await;
    let input = json!({ "lines": [{ "variantId": tee, "quantity": 1 }], "buyer": { "email": "ada@example.com" },
        "addresses": { "shipping": crate::support::buying::address("DE") } });
    let mut cart = shop.cart_of_client(&shop.store.with("accept-language", "de-AT"), input).await;
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    cart.complete("a").await.done();
    shop.mail_is_done().await;
    let mail = post.last();
    assert_eq!(
        (mail.subject.as_str(), mail.text.as_str(), mail.locale.as_str()),
        ("Servus 1001", "24,90\u{a0}€", "de-AT")
    );

    for locale in ["de-AT", "de"] {
        let reset = json!({ "template": "ORDER_CONFIRMATION", "locale": locale });
        shop.set("notificationTemplateReset", reset, TEXT).await.done();
    }
    assert_eq!(chosen(&shop, "de-AT", None).await.0, "BUILT_IN");
    let gone = json!({ "template": "ORDER_CONFIRMATION", "locale": "de" });
    assert_eq!(faults(&shop.set("notificationTemplateReset", gone, TEXT).await), ["NOT_FOUND locale"]);
    assert_eq!(chosen(&shop, "de", Some(&trade)).await.0, "CHANNEL", "the channel's own is left");
}

#[tokio::test]
async fn a_text_that_does_not_work_is_refused_with_its_line() {
    let shop = Shop::open().await;
    let refused = async |subject: &str, text: &str, html: &str| {
        let input =
            json!({ "template": "ORDER_SHIPPED", "locale": "en", "subject": subject, "text": text, "html": html });
        let answer = shop.set("notificationTemplateSet", input, TEXT).await;
        let payload = &answer.body["data"]["notificationTemplateSet"]["userErrors"];
        let told = payload.as_array().unwrap().iter().map(|refusal| {
            format!("{}: {}", refusal["path"][0].as_str().unwrap(), refusal["message"].as_str().unwrap())
        });
        told.collect::<Vec<_>>()
    };
    let all = refused("{{ order.nmber }}", "ok\n{{ customer.name }}", "\n\n{% set x = 1 %}").await;
    assert_eq!(
        all,
        [
            "subject: Line 1: There is no variable order.nmber.",
            "text: Line 2: There is no variable customer.name.",
            "html: Line 3: '=' can't stand in braces: there are variables, comparisons and filters.",
        ]
    );
    let told = refused("S", "a\nb {% if order.name %}", "x").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("text: Line 2: "), "{told:?}");
    let told = refused("S", "x", "1\n2\n{{ order.lines }}").await;
    assert!(told[0].starts_with("html: Line 3: ") && told[0].contains("can't be written"), "{told:?}");
    let told = refused("S", "{{ order.number | upper }}", "x").await;
    assert!(told[0].contains("this filter is for texts"), "{told:?}");
    assert_eq!(refused("{% if order.discount %}x{% endif %}", "x", "x").await, ["subject: A mail needs a subject."]);
    let told = refused(&"s".repeat(501), " ", &"x".repeat(MAX_BODY + 1)).await;
    assert_eq!(
        told,
        [
            "subject: A subject has at most 500 characters.",
            "text: A mail has both bodies.",
            "html: A body has at most 65536 bytes.",
        ]
    );
    let wrong = json!({ "template": "ORDER_SHIPPED", "locale": "English", "channelId": "chan_01h2xcejqtf2nbrexx3vqjhp41",
        "subject": "s", "text": "t", "html": "h" });
    let answer = shop.set("notificationTemplateSet", wrong, TEXT).await;
    assert_eq!(faults(&answer), ["NOT_FOUND channelId", "INVALID locale"]);
    let kept = entity::notification_text::Entity::find().count(&shop.app.read()).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_preview_shows_a_real_order_and_sends_nothing() {
    let (shop, post) = post_shop().await;
    let main = shop.app.settings().channels[0].id.to_string();
    let input = json!({ "id": main, "storefrontUrl": "https://shop.example" });
    shop.set("channelUpdate", input, "channel { id }").await.done();
    let tee = shop.product("Tee <i>").price("20.00").stock(5).create().await.variant;
    let placed = shop.checkout_all(&[(&tee, 2)], "manual", "a").await;
    shop.register("ada@shopper.example", crate::support::customers::PASSWORD).await.done();
    let ada = shop.account_id("ada@shopper.example").await.to_string();
    shop.mail_is_done().await;
    let tokens = async || {
        let conn = shop.app.read();
        let links = entity::order_token::Entity::find().count(&conn).await.unwrap();
        (links, entity::one_time_token::Entity::find().count(&conn).await.unwrap(), post.asked())
    };
    let before = tokens().await;
    let query = "query($template: NotificationTemplate!, $order: ID, $customer: ID, $locale: String,
            $draft: AdminNotificationDraftInput) {
        notificationPreview(template: $template, orderId: $order, customerId: $customer, locale: $locale, draft: $draft) {
            subject text html locale from to source } }";
    let show = async |variables: Value| shop.admin.send(query, variables).await;
    let german = show(json!({ "template": "ORDER_CONFIRMATION", "order": placed.id, "locale": "de" })).await;
    let seen = german.at("notificationPreview");
    assert_eq!(seen["subject"], format!("Ihre Bestellung {}", placed.number));
    assert_eq!(
        (&seen["to"], &seen["locale"], &seen["source"]),
        (&json!("ada@example.com"), &json!("de"), &json!("BUILT_IN"))
    );
    assert_eq!(seen["from"], "Orders <orders@shop.example>");
    let text = seen["text"].as_str().unwrap();
    assert!(text.contains("2 x Tee <i>: 40,00\u{a0}€"), "{text}");
    assert!(text.contains(&format!("https://shop.example/orders/{}?token=PREVIEW", placed.id)), "{text}");
    assert!(seen["html"].as_str().unwrap().contains("Tee &lt;i&gt;"));

    for (template, needle) in [
        ("ORDER_SHIPPED", "is on its way"),
        ("ORDER_REFUNDED", "€44.90"),
        ("ORDER_CANCELED", "was canceled"),
        ("ORDER_ACCESS", "The link"),
    ] {
        let seen = show(json!({ "template": template, "order": placed.id })).await;
        assert!(seen.text("notificationPreview.subject").contains(needle), "{template}: {seen:?}");
    }
    let account = show(json!({ "template": "CUSTOMER_RECOVERY", "customer": ada })).await;
    assert_eq!(account.at("notificationPreview.to"), "ada@shopper.example");
    assert!(account.text("notificationPreview.text").contains("/account/reset?token=PREVIEW"));
    let invited = show(json!({ "template": "STAFF_INVITATION" })).await;
    assert_eq!(invited.at("notificationPreview.to"), json!(null));
    assert!(invited.text("notificationPreview.text").contains("https://shop.example/staff/invitation?token=PREVIEW"));

    let draft = json!({ "subject": "Hi {{ order.number }}", "text": "t", "html": "h" });
    let drafted = show(json!({ "template": "ORDER_CONFIRMATION", "order": placed.id, "draft": draft })).await;
    assert_eq!(drafted.at("notificationPreview.subject"), format!("Hi {}", placed.number));
    assert_eq!(drafted.at("notificationPreview.source"), json!(null));
    let draft = json!({ "subject": "Hi", "text": "\n{{ order.nmber }}", "html": "h" });
    let broken = show(json!({ "template": "ORDER_CONFIRMATION", "order": placed.id, "draft": draft })).await;
    assert_eq!(
        (broken.error_code().as_str(), broken.error()),
        ("INVALID", "Line 2: There is no variable order.nmber.".into())
    );
    for wrong in
        [json!({ "order": "order_01h2xcejqtf2nbrexx3vqjhp41" }), json!({ "order": "x" }), json!({ "locale": "?" })]
    {
        let mut asked = json!({ "template": "ORDER_CONFIRMATION" });
        asked.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert!(!show(asked.clone()).await.body["errors"].is_null(), "{asked}");
    }
    assert_eq!(tokens().await, before, "no token was made and nothing was sent");

    let set = json!({ "name": "Writer", "permissions": ["SETTINGS_READ", "SETTINGS_WRITE"] });
    shop.set("roleSet", set, "role { id }").await.done();
    let writer = shop.staff("Writer").await;
    let sampled = writer.send(query, json!({ "template": "ORDER_CONFIRMATION" })).await;
    assert_eq!(sampled.at("notificationPreview.subject"), "Your order 1001");
    for about in [
        json!({ "template": "ORDER_CONFIRMATION", "order": placed.id }),
        json!({ "template": "CUSTOMER_RECOVERY", "customer": ada }),
    ] {
        assert_eq!(writer.send(query, about).await.error_code(), "NOT_FOUND", "a text is no way to people's data");
    }
    let viewer = shop.staff(domain::auth::VIEWER).await;
    let write = "mutation($input: AdminNotificationTemplateSetInput!) { notificationTemplateSet(input: $input) {
        userErrors { code } } }";
    assert_eq!(viewer.send(write, json!({ "input": wish("de", "x") })).await.error_code(), "FORBIDDEN");
    assert_eq!(
        shop.anonymous_admin.send(query, json!({ "template": "ORDER_CONFIRMATION" })).await.error_code(),
        "UNAUTHENTICATED"
    );
}
