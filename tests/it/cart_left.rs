//! Carts that nobody comes back to: told, ended, erased.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::auth::{OWNER, VIEWER};
use engine::app::App;
use engine::cart::left;
use engine::db::{Conn, StatementCount, statement};
use engine::sweeper::{EVENTS_KEPT, MOST, TURNS, sweep};
use entity::{cart, cart_line, event, provider_event};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::CartSession;
use crate::support::client::Client;
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::pictures::faults;
use crate::support::rows::Reader;

const LEFT: &str = "query($filter: AdminAbandonedCartFilter) { abandonedCarts(filter: $filter) { totalCount nodes {
    id state resumed email customerId recoveryUrl subtotal { amount currencyCode }
    lines { title variantTitle sku quantity includesTax unitPrice { amount } total { amount } }
    recoveredOrder { number } } } }";

async fn listed(staff: &Client, filter: Value) -> Vec<Value> {
    let answer = staff.send(LEFT, json!({ "filter": filter })).await;
    let nodes = answer.at("abandonedCarts.nodes").as_array().unwrap().clone();
    assert_eq!(answer.at("abandonedCarts.totalCount"), nodes.len());
    nodes
}

/// How often it was told that a cart was left.
async fn told(shop: &Shop, cart: &CartSession) -> u64 {
    let id: domain::id::CartId = cart.id.parse().unwrap();
    let find = event::Entity::find().filter(event::Column::Kind.eq("cart.abandoned"));
    find.filter(event::Column::AggregateId.eq(uuid::Uuid::from(id))).count(&shop.app.read()).await.unwrap()
}

/// Lets time pass, after which staff log in again.
async fn later(shop: &mut Shop, time: TimeDelta) {
    shop.pass(time);
    shop.admin = shop.staff(OWNER).await;
}

async fn row_of(shop: &Shop, cart: &CartSession) -> Option<cart::Model> {
    let id: domain::id::CartId = cart.id.parse().unwrap();
    cart::Entity::find_by_id(id).one(&shop.app.read()).await.unwrap()
}

async fn write(app: &Arc<App>, sql: &str) {
    let conn = app.db.begin(&StatementCount::default()).await.unwrap();
    conn.execute_raw(statement(&conn, sql, [])).await.unwrap();
    conn.commit().await.unwrap();
}

async fn state_of(shop: &Shop, cart: &CartSession) -> Option<String> {
    row_of(shop, cart).await.map(|row| row.state.as_str().to_owned())
}

async fn move_to(shop: &Shop, cart: &CartSession, state: &str) {
    let id: domain::id::CartId = cart.id.parse().unwrap();
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    let sql = "update cart set state = ? where id = ?";
    conn.execute_raw(statement(&conn, sql, [state.into(), uuid::Uuid::from(id).into()])).await.unwrap();
    conn.commit().await.unwrap();
}

async fn count(conn: &Conn, sql: &str) -> i64 {
    let row = conn.query_one_raw(statement(conn, sql, [])).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn set_channel(shop: &Shop, mut input: Value) {
    input["id"] = json!(shop.app.settings().channels[0].id.to_string());
    shop.set("channelUpdate", input, "channel { id }").await.done();
}

#[tokio::test]
async fn a_cart_that_is_left_is_told_once_for_each_pause() {
    let mut shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 50).await;
    let lines = json!([{ "variantId": tee, "quantity": 1 }]);
    let mut left = shop.cart(&[(&tee, 2)]).await;
    let nobody_s = shop.cart_of(json!({ "lines": lines })).await;
    let empty = shop.cart_of(json!({ "buyer": { "email": "eve@example.com" } })).await;
    let bought = shop.checkout_all(&[(&tee, 1)], "manual", "1").await;

    later(&mut shop, TimeDelta::minutes(59)).await;
    left::sweep(&shop.app).await.unwrap();
    assert_eq!(told(&shop, &left).await, 0, "an hour has not passed");
    later(&mut shop, TimeDelta::minutes(2)).await;
    for _ in 0..3 {
        left::sweep(&shop.app).await.unwrap();
    }
    for (cart, times) in [(&left, 1), (&nobody_s, 0), (&empty, 0), (&bought.cart, 0)] {
        assert_eq!(told(&shop, cart).await, times, "{:?}", row_of(&shop, cart).await);
    }

    // Looked at by its shopper it is still left; changed, it is not, until it is left again.
    left.show().await;
    assert_eq!(listed(&shop.admin, json!({})).await[0]["resumed"], false);
    left.select_delivery().await.done();
    assert_eq!(listed(&shop.admin, json!({})).await[0]["resumed"], true);
    later(&mut shop, TimeDelta::minutes(61)).await;
    left::sweep(&shop.app).await.unwrap();
    left::sweep(&shop.app).await.unwrap();
    assert_eq!((told(&shop, &left).await, told(&shop, &nobody_s).await), (2, 0));

    // Who gives his mailbox later is told of then.
    let mut named = nobody_s;
    named.mutate("cartBuyerUpdate", json!({ "email": "eve@example.com" })).await.done();
    set_channel(&shop, json!({ "abandonedAfterMinutes": 10 })).await;
    later(&mut shop, TimeDelta::minutes(11)).await;
    left::sweep(&shop.app).await.unwrap();
    assert_eq!(told(&shop, &named).await, 1);
    set_channel(&shop, json!({ "abandonedAfterMinutes": null })).await;
    named.select_delivery().await;
    later(&mut shop, TimeDelta::days(2)).await;
    left::sweep(&shop.app).await.unwrap();
    assert_eq!(told(&shop, &named).await, 1, "the channel wants to know of none");
    for wrong in [4, 10_081] {
        let id = shop.app.settings().channels[0].id.to_string();
        let input = json!({ "id": id, "abandonedAfterMinutes": wrong });
        let refused = shop.set("channelUpdate", input, "channel { id }").await;
        assert_eq!(faults(&refused, "channelUpdate"), ["INVALID abandonedAfterMinutes"]);
    }
    invariants(&shop).await;
}

#[tokio::test]
async fn what_was_left_long_ago_is_no_news_and_a_closed_channel_tells_nothing() {
    let mut shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.set("channelCreate", json!({ "name": "Second" }), "channel { id }").await.done();
    let tee = shop.tee("20.00", 50).await;
    set_channel(&shop, json!({ "abandonedAfterMinutes": null })).await;
    let old = shop.cart(&[(&tee, 1)]).await;
    later(&mut shop, TimeDelta::days(2)).await;
    let young = shop.cart(&[(&tee, 1)]).await;
    later(&mut shop, TimeDelta::hours(20)).await;
    set_channel(&shop, json!({ "abandonedAfterMinutes": 60, "active": false })).await;
    left::sweep(&shop.app).await.unwrap();
    assert_eq!((told(&shop, &old).await, told(&shop, &young).await), (0, 0), "the channel is closed");
    set_channel(&shop, json!({ "active": true })).await;
    for _ in 0..2 {
        left::sweep(&shop.app).await.unwrap();
    }
    assert_eq!((told(&shop, &old).await, told(&shop, &young).await), (0, 1));
    assert_eq!(listed(&shop.admin, json!({})).await.len(), 1);
}

#[tokio::test]
async fn of_two_processes_one_tells_of_each_cart() {
    let mut shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 90).await;
    let mut carts = Vec::new();
    for _ in 0..30 {
        carts.push(shop.cart(&[(&tee, 1)]).await);
    }
    let other = App::builder(&shop.database.url).await.unwrap().clock(shop.clock.clone()).open().await.unwrap();
    later(&mut shop, TimeDelta::minutes(61)).await;
    for _ in 0..5 {
        let (one, two) = tokio::join!(left::sweep(&shop.app), left::sweep(&other));
        one.unwrap();
        two.unwrap();
    }
    for cart in &carts {
        assert_eq!(told(&shop, cart).await, 1);
    }
    other.db.close().await;
    invariants(&shop).await;
}

#[tokio::test]
async fn staff_see_carts_that_were_left_and_what_became_of_them() {
    let mut shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let tee = shop.tee("20.00", 50).await;
    let first = shop.ready_cart(&[(&tee, 2)], "manual").await;
    later(&mut shop, TimeDelta::minutes(61)).await;
    left::sweep(&shop.app).await.unwrap();
    let second = shop.cart(&[(&tee, 1)]).await;
    later(&mut shop, TimeDelta::minutes(61)).await;
    left::sweep(&shop.app).await.unwrap();

    let seen = listed(&shop.admin, json!({})).await;
    assert_eq!(seen.iter().map(|cart| cart["id"].as_str().unwrap()).collect::<Vec<_>>(), [&second.id, &first.id]);
    assert_eq!(
        seen[1],
        json!({
            "id": first.id, "state": "OPEN", "resumed": false, "email": "ada@example.com", "customerId": null,
            "recoveryUrl": null, "subtotal": { "amount": "40.00", "currencyCode": "EUR" },
            "lines": [{ "title": "Tee", "variantTitle": seen[1]["lines"][0]["variantTitle"], "sku": null, "quantity": 2,
                "includesTax": true, "unitPrice": { "amount": "20.00" }, "total": { "amount": "40.00" } }],
            "recoveredOrder": null,
        })
    );
    set_channel(&shop, json!({ "storefrontUrl": "https://shop.example", "linkPaths": { "cart": "/basket/{cartId}" } }))
        .await;
    assert_eq!(
        listed(&shop.admin, json!({})).await[1]["recoveryUrl"],
        format!("https://shop.example/basket/{}", first.id)
    );
    set_channel(&shop, json!({ "linkPaths": { "cart": null } })).await;
    assert_eq!(
        listed(&shop.admin, json!({})).await[1]["recoveryUrl"],
        format!("https://shop.example/cart?id={}", first.id)
    );

    first.complete("1").await.done();
    let ids = async |filter: Value| {
        let nodes = listed(&shop.admin, filter).await;
        nodes.iter().map(|cart| cart["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let recovered = listed(&shop.admin, json!({ "recovered": true })).await;
    assert_eq!((&recovered[0]["id"], &recovered[0]["recoveredOrder"]), (&json!(first.id), &json!({ "number": 1001 })));
    assert_eq!(ids(json!({ "recovered": false })).await, [second.id.as_str()]);
    assert_eq!(ids(json!({ "hasEmail": false })).await, [""; 0]);
    assert_eq!(ids(json!({ "hasEmail": true })).await.len(), 2);
    let since = row_of(&shop, &second).await.unwrap().abandoned_at.unwrap();
    assert_eq!(ids(json!({ "since": since.to_rfc3339() })).await, [second.id.as_str()]);

    // A role that reaches another channel sees none of these, whatever it asks for.
    let made = shop.set("channelCreate", json!({ "name": "Second" }), "channel { id }").await;
    made.done();
    let (here, there) = (shop.app.settings().channels[0].id.to_string(), made.text("channelCreate.channel.id"));
    assert_eq!(ids(json!({ "channelId": here })).await.len(), 2);
    assert_eq!(ids(json!({ "channelId": there })).await.len(), 0);
    let viewer = shop.staff(VIEWER).await;
    assert_eq!(listed(&viewer, json!({})).await.len(), 2);
    let me = viewer.send("{ me { id } }", json!({})).await.at("me.id");
    let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
    let role = roles.as_array().unwrap().iter().find(|known| known["name"] == VIEWER).unwrap();
    let wish = json!({ "roleId": role["id"], "channelIds": [there], "locationIds": [] });
    shop.set("staffUpdate", json!({ "id": me, "roles": [wish] }), "staff { id }").await.done();
    assert_eq!(listed(&viewer, json!({})).await.len(), 0);
    assert_eq!(listed(&viewer, json!({ "channelId": here })).await.len(), 0);

    let one =
        "{ abandonedCarts(first: 1) { nodes { id lines { title } recoveredOrder { number } subtotal { amount } } } }";
    let many = one.replace("first: 1", "first: 50");
    let (one, many) = (shop.admin.send(one, json!({})).await, shop.admin.send(&many, json!({})).await);
    assert_eq!(many.statements, one.statements + 2, "the second of these two became an order: {many:?}");
}

#[tokio::test]
async fn carts_end_and_are_erased_and_one_that_is_being_bought_is_left_alone() {
    let mut shop = Shop::on(Arc::new(TestDatabase::copy().await), |builder| builder.test_cards(true)).await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual", "test"]).await;
    let tee = shop.tee("20.00", 50).await;
    let mut over = shop.ready_cart(&[(&tee, 2)], "manual").await;
    over.enter(&["TRIED"]).await;
    let mut declined = shop.cart(&[(&tee, 1)]).await;
    declined.enter(&["TRIED"]).await;
    declined.select_delivery().await.done();
    declined.pay_with("test", json!({ "card": "decline" })).await;
    declined.complete("1").await;
    let buying = shop.cart(&[(&tee, 1)]).await;
    let bought = shop.checkout_all(&[(&tee, 1)], "manual", "2").await;
    move_to(&shop, &buying, "COMPLETING").await;
    later(&mut shop, TimeDelta::days(31)).await;
    sweep(&shop.app).await.unwrap();
    assert_eq!(state_of(&shop, &over).await.as_deref(), Some("ABANDONED"));
    assert_eq!(state_of(&shop, &declined).await.as_deref(), Some("ABANDONED"));
    assert_eq!(state_of(&shop, &buying).await.as_deref(), Some("COMPLETING"), "never touched");
    assert_eq!(state_of(&shop, &bought.cart).await.as_deref(), Some("COMPLETED"));
    assert_eq!(row_of(&shop, &over).await.unwrap().email.unwrap().as_str(), "ada@example.com");

    later(&mut shop, TimeDelta::days(30)).await;
    sweep(&shop.app).await.unwrap();
    assert_eq!(state_of(&shop, &buying).await.as_deref(), Some("COMPLETING"), "never touched");
    assert_eq!(row_of(&shop, &over).await, None, "nothing is left of it");
    let kept = row_of(&shop, &declined).await.unwrap();
    assert!(kept.email.is_none() && kept.shipping_address.is_none() && kept.erased_at.is_some(), "{kept:?}");
    let lines = cart_line::Entity::find().filter(cart_line::Column::CartId.eq(kept.id));
    assert_eq!(lines.count(&shop.app.read()).await.unwrap(), 0);
    // Of the three that are left, only the order and the cart that can still be bought tell of somebody.
    let reader = Reader::of(&shop).await;
    let rows = reader.rows(&shop).await;
    let carts: Vec<_> =
        rows.iter().filter(|row| row.starts_with("cart: ") && row.contains("ada@example.com")).collect();
    assert_eq!(carts.len(), 2, "{carts:?}");
    let checkouts = rows.iter().filter(|row| row.starts_with("checkout: ") && row.contains("ada@example.com")).count();
    assert_eq!(checkouts, 1, "that of the order");
    move_to(&shop, &buying, "OPEN").await;
    sweep(&shop.app).await.unwrap();
    assert_eq!(row_of(&shop, &bought.cart).await.unwrap().state.as_str(), "COMPLETED", "orders keep their carts");
    invariants(&shop).await;
}

#[tokio::test]
async fn however_much_is_over_goes_in_small_transactions() {
    let shop = Shop::open().await;
    let (database, clock) = (shop.database.clone(), shop.clock.clone());
    // Its own sweeper ends with it.
    drop(shop);
    let app = App::builder(&database.url).await.unwrap().clock(clock.clone()).open().await.unwrap();
    let many = 200_000_i64;
    write(
        &app,
        &format!(
            "insert into idempotency (actor, operation, key, input_hash, entity_id, created_at, expires_at)
                with recursive n (n) as (select 1 union all select n + 1 from n where n < {many})
                select 'system', 'test', cast(n as text), {bytes}, null, {past}, {past} from n",
            bytes = "(select secret from signing_key limit 1)",
            past = "(select min(at) from event)",
        ),
    )
    .await;
    let keys = async || count(&app.read(), "select count(*) from idempotency").await;
    assert_eq!(keys().await, many);
    clock.pass(TimeDelta::days(1));
    assert_eq!(engine::op::forget_expired_keys(&app).await.unwrap(), MOST, "one transaction");
    assert_eq!(keys().await, many - MOST as i64);
    sweep(&app).await.unwrap();
    let most_of_a_look = MOST as i64 * i64::from(TURNS);
    assert_eq!(keys().await, many - MOST as i64 - most_of_a_look, "the rest waits for the next look");
    app.db.close().await;
}

#[tokio::test]
async fn events_of_providers_are_forgotten_when_nobody_can_send_them_again() {
    let shop = Shop::open().await;
    let now = shop.app.clock.now();
    let row = |name: &str, processed: Option<TimeDelta>| provider_event::Model {
        id: uuid::Uuid::now_v7().into(),
        received_at: now,
        provider: "stripe".to_owned(),
        event_id: name.to_owned(),
        kind: "payment_intent.succeeded".to_owned(),
        reference: None,
        checkout_id: None,
        payment_id: None,
        amount_minor: None,
        currency: None,
        body: "{}".to_owned(),
        attempts: 1,
        look_at: now + TimeDelta::days(900),
        processed_at: processed.map(|ago| now - ago),
        outcome: None,
    };
    let minute = TimeDelta::minutes(1);
    let rows = [row("old", Some(EVENTS_KEPT + minute)), row("young", Some(EVENTS_KEPT - minute)), row("waiting", None)];
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    engine::db::insert_all::<provider_event::Entity>(&conn, rows.to_vec()).await.unwrap();
    conn.commit().await.unwrap();
    sweep(&shop.app).await.unwrap();
    let mut kept: Vec<String> = provider_event::Entity::find()
        .all(&shop.app.read())
        .await
        .unwrap()
        .into_iter()
        .map(|row| row.event_id)
        .collect();
    kept.sort();
    assert_eq!(kept, ["waiting", "young"]);
}
