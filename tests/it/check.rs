//! `emporion check` names what is broken, and nothing else.

use std::sync::Arc;

use engine::app::App;
use engine::check::{check, rules};
use engine::db::{StatementCount, statement};
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::support::Shop;
use crate::support::invariants::invariants;
use crate::support::node::run_command;
use crate::support::promoting::{off_shipping, percent_off};
use crate::support::walker::new_key;

/// What breaks each rule, and what mends it.
const BREAKS: &[(&str, &str, &str)] = &[
    (
        "what is reserved of a level",
        "update stock_level set reserved = reserved + 1",
        "update stock_level set reserved = reserved - 1",
    ),
    (
        "what is stocked at a level",
        "update stock_level set stocked = stocked + 1",
        "update stock_level set stocked = stocked - 1",
    ),
    (
        "what is on its way to a level",
        "update stock_level set incoming = incoming + 1",
        "update stock_level set incoming = incoming - 1",
    ),
    (
        "no more is promised to those who may not wait",
        "update stock_level set stocked = 1 where stocked = 9",
        "update stock_level set stocked = 9 where stocked = 1",
    ),
    (
        "what is promised or moved has a level",
        "delete from stock_level",
        "insert into stock_level (item_id, location_id, stocked, reserved, updated_at, safety, incoming, low_stock)
            select item_id, location_id, 9, 5, max(at), 0, 0, 3 from stock_movement group by item_id, location_id",
    ),
    (
        "what is on a gift card or store credit",
        "insert into ledger_account (id, version, created_at, updated_at, created_by, kind, currency, balance_minor, code_hash)
            select id, 1, created_at, created_at, 'system', 'GIFT_CARD', 'EUR', 100, frozen_hash from checkout limit 1",
        "delete from ledger_account",
    ),
    (
        "gift cards and store credit gave to a checkout",
        "update payment set provider = 'gift_card'",
        "update payment set provider = 'manual'",
    ),
    (
        "a provider is to forget",
        "insert into payment_customer (customer_id, provider, created_at)
            select id, 'manual', created_at from customer where deleted_at is not null",
        "delete from payment_customer",
    ),
    (
        "the checkouts of an erased cart",
        "update checkout set saved_method = 'pm_1' where cart_id in (select id from cart where erased_at is not null)",
        "update checkout set saved_method = null",
    ),
    ("a checkout that was placed", "update checkout set state = 'ABANDONED'", "update checkout set state = 'PLACED'"),
    (
        "a cart is completing",
        "update cart set state = 'COMPLETING' where state = 'COMPLETED'",
        "update cart set state = 'COMPLETED' where state = 'COMPLETING'",
    ),
    (
        "what a checkout that was given up",
        "update checkout set state = 'ABANDONED'",
        "update checkout set state = 'PLACED'",
    ),
    (
        "an order that costs something",
        "update payment set amount_minor = amount_minor - 1",
        "update payment set amount_minor = amount_minor + 1",
    ),
    (
        "no more of a payment is taken",
        "update payment_entry set amount_minor = amount_minor + 1 where kind = 'CAPTURE'",
        "update payment_entry set amount_minor = amount_minor - 1 where kind = 'CAPTURE'",
    ),
    (
        "the lines and deliveries",
        "update order_line set total_minor = total_minor + 1",
        "update order_line set total_minor = total_minor - 1",
    ),
    (
        "the taxes of an order's rows",
        "update line_tax set tax_minor = tax_minor + 1",
        "update line_tax set tax_minor = tax_minor - 1",
    ),
    (
        "every order has a number",
        "update \"order\" set number = null where number = 1002",
        "update \"order\" set number = 1002 where number is null",
    ),
    (
        "order numbers",
        "update \"order\" set number = 1004 where number = 1002",
        "update \"order\" set number = 1002 where number = 1004",
    ),
    (
        "the sequence of a history",
        "update event set sequence = 4 where kind = 'payment.captured'",
        "update event set sequence = 3 where kind = 'payment.captured'",
    ),
    (
        "the positions of the log",
        "update event set position = -position where position = 2",
        "update event set position = 2 where position = -2",
    ),
    (
        "the next order number",
        "update counter set value = value + 1 where name = 'order_number'",
        "update counter set value = value - 1 where name = 'order_number'",
    ),
    (
        "nobody has read further",
        "update consumer set position = position + 100000",
        "update consumer set position = position - 100000",
    ),
    (
        "the options of a product",
        "update product_option set rank = rank + 1",
        "update product_option set rank = rank - 1",
    ),
    ("the tags of a product", "update product_tag set rank = 1", TAGS_IN_ORDER),
    ("the areas of a service zone", "update geo_zone set position = 4", "update geo_zone set position = 0"),
    (
        "each product of a collection",
        "update collection_product set rank = 7",
        "update collection_product set rank = (select count(*) from collection_product as other
            where other.product_id < collection_product.product_id)",
    ),
    (
        "each line of a cart",
        "update cart_line set position = 7",
        "update cart_line set position = (select count(*) from cart_line as other
            where other.cart_id = cart_line.cart_id and other.id < cart_line.id)",
    ),
    (
        "what promotions took off a line",
        "update line_adjustment set amount_minor = amount_minor - 1 where order_line_id is not null",
        "update line_adjustment set amount_minor = amount_minor + 1 where order_line_id is not null",
    ),
    (
        "what promotions took off a delivery",
        "update line_adjustment set amount_minor = amount_minor - 1 where order_shipping_line_id is not null",
        "update line_adjustment set amount_minor = amount_minor + 1 where order_shipping_line_id is not null",
    ),
    ("a promotion was used as often", "update promotion set uses = uses + 1", "update promotion set uses = uses - 1"),
    (
        "a code was used as often",
        "update promotion_code set uses = uses + 1",
        "update promotion_code set uses = uses - 1",
    ),
    ("a campaign was used as often", "update campaign set uses = uses + 1", "update campaign set uses = uses - 1"),
    (
        "a campaign has spent",
        "update campaign_spending set spent_minor = spent_minor + 1",
        "update campaign_spending set spent_minor = spent_minor - 1",
    ),
    (
        "what a checkout used of a promotion",
        "update promotion_use set state = 'RESERVED'",
        "update promotion_use set state = 'USED'",
    ),
    (
        "nothing lies, is promised or was packed",
        "update location set deleted_at = created_at",
        "update location set deleted_at = null",
    ),
    (
        "the prices of a listing",
        "update listing_price set min_minor = min_minor + 1 where min_minor is not null",
        "update listing_price set min_minor = min_minor - 1 where min_minor is not null",
    ),
    (
        "the prices of a listing",
        "update listing_price set listed = not listed",
        "update listing_price set listed = not listed",
    ),
    (
        "a run goes on when it is due",
        // Of a kind that nobody takes up.
        "update flow set state = 'RUNNING', kind = 'nobody', run_at = created_at",
        "update flow set state = 'DONE', kind = 'checkout'",
    ),
    (
        "what is held or put aside",
        "update reservation set expires_at = created_at",
        "update reservation set expires_at = null",
    ),
    ("the state of a payment", "update payment set state = 'VOIDED'", "update payment set state = 'CAPTURED'"),
    (
        "the payment status of an order",
        "update \"order\" set payment_status = 'NOT_PAID'",
        "update \"order\" set payment_status = 'CAPTURED'",
    ),
    (
        "the fulfillment status of an order",
        "update \"order\" set fulfillment_status = 'DELIVERED'",
        "update \"order\" set fulfillment_status = 'NOT_FULFILLED'",
    ),
    (
        "what a payment provider is being asked",
        "update payment_entry set state = 'PENDING' where kind = 'CAPTURE'",
        "update payment_entry set state = 'SUCCEEDED' where kind = 'CAPTURE'",
    ),
];

const GONE: &str = "insert into customer (id, version, created_at, updated_at, deleted_at, email, has_account,
    accepts_marketing, search_text, tax_exempt)
    select id, 1, created_at, created_at, created_at, 'erased@invalid', false, false, '', false from checkout limit 1";

const TAGS_IN_ORDER: &str = "update product_tag set rank = (select count(*) from product_tag as other
    where other.product_id = product_tag.product_id and other.tag_id < product_tag.tag_id)";

async fn write(app: &Arc<App>, sql: &str) {
    let conn = app.db.begin(&StatementCount::default()).await.unwrap();
    let changed = conn.execute_raw(statement(&conn, sql, [])).await.unwrap();
    assert!(changed.rows_affected() > 0, "{sql} changes nothing");
    conn.commit().await.unwrap();
}

#[tokio::test]
async fn every_rule_is_broken_by_what_breaks_it_and_names_the_row() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.tee("20.00", 9).await;
    let cup = json!({ "title": "Cup", "status": "PUBLISHED", "tags": ["blue", "small"], "options": [{ "name": "Size",
        "values": ["S", "M"] }], "variants": [{ "options": [{ "name": "Size", "value": "S" }] }] });
    let cup = shop.set("productCreate", cup, "product { id variants { id } }").await.done()["product"].clone();
    let mug = shop.product("Mug").price("3.00").create().await;
    let picks = json!({ "title": "Picks", "productIds": [cup["id"], mug.product] });
    shop.set("collectionSet", picks, "collection { id }").await.done();
    shop.cart(&[(&tee, 1), (&mug.variant, 1)]).await;
    let campaign = shop.campaign(json!({ "title": "All year" })).await;
    let more = json!({ "campaignId": campaign, "combinesWith": ["ORDER", "SHIPPING"] });
    let promotion = shop.promotion("A tenth", "CODE", percent_off("10"), more).await;
    shop.code(&promotion, "TENTH").await;
    let more = json!({ "combinesWith": ["ORDER", "SHIPPING"] });
    shop.promotion("Half the way", "AUTOMATIC", off_shipping(json!({ "percentage": { "percent": "50" } })), more).await;
    let mut cart = shop.ready_cart(&[(&tee, 1)], "manual").await;
    cart.enter(&["TENTH"]).await;
    let mut orders = vec![cart.complete("0").await.text("cartComplete.order.id")];
    for key in ["1", "2"] {
        orders.push(shop.checkout_all(&[(&tee, 2)], "manual", key).await.id);
    }
    for order in orders {
        let payments = "query($id: ID!) { order(id: $id) { payments { id } } }";
        let payment = shop.admin.send(payments, json!({ "id": order })).await.at("order.payments.0.id");
        let capture = json!({ "idempotencyKey": new_key(), "paymentId": payment });
        shop.set("paymentCapture", capture, "payment { id }").await.done();
    }
    invariants(&shop).await;
    shop.pass(chrono::TimeDelta::hours(1));
    // Nobody mends anything meanwhile: the shop's own work has ended.
    let (database, clock) = (shop.database.clone(), shop.clock.clone());
    drop(shop);
    let app = App::builder(&database.url).await.unwrap().clock(clock).open().await.unwrap();
    assert_eq!(check(&app).await.unwrap(), []);
    // Of those who have gone there is one of each.
    write(&app, GONE).await;
    write(&app, "update cart set erased_at = created_at where state = 'COMPLETED'").await;
    for (rule, breaks, mends) in BREAKS {
        write(&app, breaks).await;
        let found = check(&app).await.unwrap();
        let named = found.iter().find(|broken| broken.rule.starts_with(rule));
        let named = named.unwrap_or_else(|| panic!("{rule}: not found after {breaks}, but {found:?}"));
        assert!(!named.row.is_empty() && named.found.contains("instead of") || named.found == "no run", "{named:?}");
        write(&app, mends).await;
        assert_eq!(check(&app).await.unwrap(), [], "after {mends}");
    }
    let unbroken: Vec<_> = rules::RULES
        .iter()
        .map(|rule| rule.says)
        .filter(|says| !BREAKS.iter().any(|(rule, ..)| says.starts_with(rule)))
        .collect();
    assert_eq!(unbroken, [""; 0], "nothing here breaks these");
}

#[tokio::test]
async fn the_command_ends_with_one_when_something_is_broken() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.tee("20.00", 9).await;
    let run = async || run_command(&shop.database, &["check"]).await;
    let fine = run().await;
    assert_eq!(
        (fine.status.code(), String::from_utf8_lossy(&fine.stdout).contains("0 broken row(s)")),
        (Some(0), true),
        "{fine:?}"
    );
    write(&shop.app, "update stock_level set stocked = 8").await;
    let broken = run().await;
    let said = String::from_utf8_lossy(&broken.stdout).into_owned();
    assert_eq!(broken.status.code(), Some(1), "{said}");
    assert!(said.contains("what is stocked at a level is the sum of its movements: iitem_"), "{said}");
    assert!(said.contains("8 instead of 9"), "{said}");
    write(&shop.app, "update stock_level set stocked = 9").await;
}
