//! Mailed tokens, orders of guests, and what is erased.

use chrono::TimeDelta;
use domain::auth::TokenPurpose;
use domain::id::OrderId;
use engine::actor::Caller;
use engine::auth::token::ORDER_LINK_LIFE;
use engine::db::{StatementCount, statement};
use engine::order::ops::GrantAccess;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::buying::{Placed, address, faults};
use crate::support::customers::{Account, PASSWORD};
use crate::support::invariants::invariants;
use crate::support::socket::Socket;

const ORDER: &str = "query($id: ID!, $token: String) { order(id: $id, accessToken: $token) { id email } }";

async fn german_shop() -> (Shop, String) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.tee("20.00", 50).await;
    (shop, tee)
}

/// An order that was bought with this e-mail, signed in or not.
async fn bought(shop: &Shop, client: &crate::support::client::Client, tee: &str, email: &str) -> Placed {
    let mut to = address("DE");
    to["lastName"] = json!(email);
    let input = json!({ "lines": [{ "variantId": tee, "quantity": 1 }], "buyer": { "email": email },
        "addresses": { "shipping": to, "billing": to } });
    let mut cart = shop.cart_of(input).await;
    cart.client = client.clone();
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    let answer = cart.complete(&uuid::Uuid::new_v4().to_string()).await;
    Placed::of(cart, &answer)
}

const PURPOSES: [TokenPurpose; 4] = [
    TokenPurpose::CustomerVerification,
    TokenPurpose::PasswordRecovery,
    TokenPurpose::EmailChange,
    TokenPurpose::OrderClaim,
];

/// The mutation that takes tokens of a purpose, with a token.
async fn present(shop: &Shop, account: &Account, purpose: TokenPurpose, token: &str) -> crate::support::Answer {
    match purpose {
        TokenPurpose::CustomerVerification => {
            shop.guest("customerVerify", json!({ "token": token, "password": PASSWORD }), "verified").await
        }
        TokenPurpose::PasswordRecovery => {
            shop.guest("customerPasswordReset", json!({ "token": token, "password": PASSWORD }), "reset").await
        }
        TokenPurpose::EmailChange => {
            shop.guest("customerEmailChangeConfirm", json!({ "token": token }), "changed").await
        }
        TokenPurpose::OrderClaim => account.mutate("orderClaim", json!({ "token": token }), "claimed").await,
        staff => panic!("{staff} is no customer's"),
    }
}

/// A token of this purpose, for an account that it makes sense for.
async fn token_for(shop: &Shop, ada: &Account, purpose: TokenPurpose) -> String {
    match purpose {
        TokenPurpose::CustomerVerification => {
            shop.register("fresh@shopper.example", PASSWORD).await.done();
            shop.mailed(purpose, shop.account_id("fresh@shopper.example").await).await
        }
        TokenPurpose::EmailChange => {
            let ask = json!({ "email": "moved@shopper.example", "password": PASSWORD });
            ada.mutate("customerEmailChangeRequest", ask, "accepted").await.done();
            shop.mailed(purpose, ada.id).await
        }
        TokenPurpose::PasswordRecovery | TokenPurpose::OrderClaim => shop.mailed(purpose, ada.id).await,
        staff => panic!("{staff} is no customer's"),
    }
}

#[tokio::test]
async fn a_token_opens_what_it_is_for_and_nothing_else() {
    let (shop, tee) = german_shop().await;
    let ada = shop.customer("ada@shopper.example").await;
    let placed = bought(&shop, &shop.store, &tee, "guest@shopper.example").await;
    let access = shop.session(domain::auth::ActorKind::Customer, ada.id.into(), domain::auth::Surface::Store).await;
    let mut refused = 0;
    for purpose in PURPOSES {
        let token = token_for(&shop, &ada, purpose).await;
        for endpoint in PURPOSES.into_iter().filter(|endpoint| *endpoint != purpose) {
            let answer = present(&shop, &ada, endpoint, &token).await;
            assert_eq!(faults(&answer), ["TOKEN_INVALID token"], "{purpose} at {endpoint}");
            refused += 1;
        }
        // Nor is it a credential, a refresh token, a cart's token or an order's link.
        assert_eq!(shop.store.bearer(&token).send("{ customer { id } }", json!({})).await.status, 401);
        let refresh = shop.guest("customerTokenRefresh", json!({ "refreshToken": token }), "tokens { accessToken }");
        assert_eq!(refresh.await.refusals(), ["TOKEN_INVALID"]);
        let order = shop.store.send(ORDER, json!({ "id": placed.id, "token": token })).await;
        assert_eq!(order.at("order"), json!(null));
        let cart = "query($id: ID!, $token: String) { cart(id: $id, token: $token) { id } }";
        let cart = shop.store.send(cart, json!({ "id": placed.cart.id, "token": token })).await;
        assert_eq!(cart.at("cart"), json!(null));
    }
    for other in [&access, &ada.refresh, &placed.access_token, &placed.cart.token, &String::new()] {
        for endpoint in PURPOSES {
            assert_eq!(faults(&present(&shop, &ada, endpoint, other).await), ["TOKEN_INVALID token"], "{endpoint}");
            refused += 1;
        }
    }
    assert_eq!(refused, 12 + 20);
}

#[tokio::test]
async fn a_token_works_once_and_not_for_long_and_only_its_hash_is_kept() {
    let (shop, _) = german_shop().await;
    let ada = shop.customer("ada@shopper.example").await;
    for (purpose, life) in [
        (TokenPurpose::CustomerVerification, TimeDelta::hours(24)),
        (TokenPurpose::PasswordRecovery, TimeDelta::hours(1)),
        (TokenPurpose::EmailChange, TimeDelta::hours(1)),
        (TokenPurpose::OrderClaim, TimeDelta::hours(1)),
    ] {
        assert_eq!(engine::auth::one_time::life(purpose), life);
    }
    let ada = shop.again(&ada.email, PASSWORD).await;
    let token = shop.mailed(TokenPurpose::OrderClaim, ada.id).await;
    let kept = entity::one_time_token::Entity::find().all(&shop.app.read()).await.unwrap();
    assert!(kept.iter().all(|row| row.hash.len() == 32 && row.hash != token.as_bytes()));
    assert_eq!(ada.mutate("orderClaim", json!({ "token": token }), "claimed").await.done()["claimed"], 0);
    assert_eq!(faults(&ada.mutate("orderClaim", json!({ "token": token }), "claimed").await), ["TOKEN_INVALID token"]);
    let late = shop.mailed(TokenPurpose::PasswordRecovery, ada.id).await;
    shop.pass(TimeDelta::minutes(61));
    let reset = json!({ "token": late, "password": "a new password" });
    assert_eq!(faults(&shop.guest("customerPasswordReset", reset, "reset").await), ["TOKEN_INVALID token"]);
    // What is over is forgotten.
    engine::sweeper::sweep(&shop.app).await.unwrap();
    let open = entity::one_time_token::Entity::find().all(&shop.app.read()).await.unwrap();
    assert!(open.iter().all(|row| row.expires_at > shop.app.clock.now()), "{open:?}");
}

#[tokio::test]
async fn orders_of_a_guest_join_an_account_by_proof_of_the_mailbox_alone() {
    let (shop, tee) = german_shop().await;
    let placed = bought(&shop, &shop.store, &tee, "ada@shopper.example").await;
    let ada = shop.customer("ada@shopper.example").await;
    let mine = "{ customer { orders(first: 5) { nodes { id } } } }";
    assert_eq!(
        ada.client.send(mine, json!({})).await.at("customer.orders.nodes"),
        json!([]),
        "registering adopts none"
    );
    let seen = ada.client.send(ORDER, json!({ "id": placed.id })).await;
    assert_eq!(seen.at("order"), json!(null));

    mutate_bare(&ada, "orderClaimRequest").await;
    assert_eq!(shop.mail_for(ada.id.into()).await.last().unwrap(), "customer.order_claim");
    let token = shop.mailed(TokenPurpose::OrderClaim, ada.id).await;
    let bob = shop.customer("bob@shopper.example").await;
    let stolen = bob.mutate("orderClaim", json!({ "token": token }), "claimed").await;
    assert_eq!(faults(&stolen), ["TOKEN_INVALID token"], "a token is its customer's");
    let guest = shop.guest("orderClaim", json!({ "token": token }), "claimed").await;
    assert_eq!(guest.error_code(), "UNAUTHENTICATED");
    assert_eq!(ada.mutate("orderClaim", json!({ "token": token }), "claimed").await.done()["claimed"], 1);
    let listed = ada.client.send(mine, json!({})).await;
    assert_eq!(listed.at("customer.orders.nodes.0.id"), placed.id.as_str());
    assert_eq!(ada.client.send(ORDER, json!({ "id": placed.id })).await.at("order.id"), placed.id.as_str());
    assert_eq!(bob.client.send(ORDER, json!({ "id": placed.id })).await.at("order"), json!(null));
    invariants(&shop).await;
}

async fn mutate_bare(account: &Account, mutation: &str) {
    let query = format!("mutation {{ {mutation} {{ accepted userErrors {{ code }} }} }}");
    assert_eq!(account.client.send(&query, json!({})).await.done()["accepted"], true);
}

#[tokio::test]
async fn number_and_address_ask_for_a_link_and_open_nothing() {
    let (shop, tee) = german_shop().await;
    let placed = bought(&shop, &shop.store, &tee, "ada@shopper.example").await;
    let socket = Socket::open(&format!("ws://{}/store/graphql", shop.address), json!({})).await.unwrap();
    let update = "subscription($id: ID!, $token: String) { orderUpdated(orderId: $id, accessToken: $token) {
        sequence event { kind } order { id } } }";
    let mut live = socket.subscribe(update, json!({ "id": placed.id, "token": placed.access_token }));
    live.next(std::time::Duration::from_secs(10)).await;

    let ask = |number: i64, email: &str| {
        let input = json!({ "number": number, "email": email });
        let shop = &shop;
        async move { shop.guest("orderAccessRequest", input, "accepted").await.body.to_string() }
    };
    let right = ask(placed.number, "Ada@shopper.example").await;
    for (number, email) in
        [(placed.number, "bob@shopper.example"), (placed.number + 1, "ada@shopper.example"), (-1, "x@y.z")]
    {
        assert_eq!(ask(number, email).await, right);
    }
    let order: OrderId = placed.id.parse().unwrap();
    assert_eq!(shop.mail_for(order.into()).await, ["customer.order_access"], "one of them matched");
    let told = live.next(std::time::Duration::from_secs(10)).await;
    assert_eq!((&told["sequence"], &told["event"]), (&json!(3), &Value::Null), "the store learns its sequence alone");

    let link = shop.app.run(&Caller::system(), &GrantAccess { order, life: ORDER_LINK_LIFE }).await.unwrap();
    let token = shop.app.keys.sign_order_link(order, link.id, link.created_at, link.expires_at).unwrap();
    let seen = shop.store.send(ORDER, json!({ "id": placed.id, "token": token })).await;
    assert_eq!(seen.at("order.email"), "ada@shopper.example");
}

/// Every text in the database, table by table.
async fn everything(shop: &Shop) -> String {
    let conn = shop.app.read();
    let mut all = String::new();
    for table in [
        "customer",
        "address",
        "auth_identity",
        "session",
        "one_time_token",
        "\"order\"",
        "cart",
        "checkout",
        "payment_session",
        "event",
        "audit_entry",
        "customer_group_member",
        "idempotency",
        "access_attempt",
        "notification",
    ] {
        let sql = match conn.get_database_backend() {
            sea_orm::DbBackend::Postgres => format!("select cast(row_to_json(t) as text) from {table} t"),
            _ => {
                let names = format!(
                    "select group_concat('quote(\"' || name || '\")', ' || ') from pragma_table_info('{}')",
                    table.trim_matches('"')
                );
                let row = conn.query_one_raw(engine::db::statement(&conn, &names, [])).await.unwrap().unwrap();
                let columns: String = row.try_get_by_index(0).unwrap();
                format!("select {columns} from {table}")
            }
        };
        for row in conn.query_all_raw(engine::db::statement(&conn, &sql, [])).await.unwrap() {
            all.push_str(&row.try_get_by_index::<String>(0).unwrap());
            all.push('\n');
        }
    }
    all
}

/// What a provider told of his payment, and what staff wrote when they gave money back.
async fn told_by_a_provider(shop: &Shop, email: &str) {
    let conn = shop.app.read();
    let orders = entity::order::Entity::find().all(&conn).await.unwrap();
    let order = orders.into_iter().find(|order| order.email.as_str() == email).unwrap();
    let payments = engine::payment::repo::of_orders(&conn, &[order.id]).await.unwrap();
    let row = entity::provider_event::ActiveModel {
        id: Set(uuid::Uuid::now_v7().into()),
        received_at: Set(shop.app.clock.now()),
        provider: Set("manual".to_owned()),
        event_id: Set("evt_1".to_owned()),
        kind: Set("payment".to_owned()),
        reference: Set(payments[0].provider_reference.clone()),
        checkout_id: Set(None),
        payment_id: Set(None),
        amount_minor: Set(None),
        currency: Set(None),
        body: Set(format!("{{\"receipt_email\":\"{email}\"}}")),
        attempts: Set(0),
        look_at: Set(shop.app.clock.now()),
        processed_at: Set(Some(shop.app.clock.now())),
        outcome: Set(None),
    };
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    row.insert(&conn).await.unwrap();
    let sql = "update payment_entry set note = 'for Marker' where payment_id = ?";
    conn.execute_raw(statement(&conn, sql, [uuid::Uuid::from(payments[0].id).into()])).await.unwrap();
    conn.commit().await.unwrap();
}

#[tokio::test]
async fn erasing_a_person_leaves_amounts_and_nobody() {
    let (shop, tee) = german_shop().await;
    let ada = shop.customer("marker@shopper.example").await;
    let name = json!({ "firstName": "Markerfirst", "lastName": "Markerlast", "phone": "0815-marker",
        "taxNumber": "FR99112233445" });
    ada.mutate("customerUpdate", name, "customer { id }").await.done();
    let mut home = address("DE");
    home["lastName"] = json!("Markerhome");
    ada.mutate("customerAddressCreate", json!({ "address": home }), "address { id }").await.done();
    let placed = bought(&shop, &ada.client, &tee, "marker@shopper.example").await;
    bought(&shop, &shop.store, &tee, "somebody@shopper.example").await;
    let staff = json!({ "id": ada.id.to_string(), "phone": "0816-marker" });
    shop.set("customerUpdate", staff, "customer { id }").await.done();

    let export = "mutation { customerDataExport { data userErrors { code } } }";
    let data = ada.client.send(export, json!({})).await.done()["data"].clone();
    assert_eq!(data["customer"]["email"], "marker@shopper.example");
    assert_eq!(data["orders"][0]["taxNumber"], "FR99112233445");
    assert_eq!(data["addresses"][0]["address"]["last_name"], "Markerhome");
    assert_eq!(data["orders"][0]["lines"][0]["title"], "Tee");
    assert_eq!(shop.store.send(export, json!({})).await.error_code(), "UNAUTHENTICATED");

    let wrong = ada.mutate("customerDelete", json!({ "password": "wrong one" }), "deletedId").await;
    assert_eq!(faults(&wrong), ["CREDENTIALS_INVALID password"]);
    let open = ada.mutate("customerDelete", json!({ "password": PASSWORD }), "deletedId").await;
    assert_eq!(faults(&open), ["STATE_INVALID"], "an order is on its way");
    assert_eq!(open.at("customerDelete.userErrors.0.entityId"), placed.id.as_str());
    told_by_a_provider(&shop, "marker@shopper.example").await;
    let cancel = json!({ "idempotencyKey": "c", "orderId": placed.id });
    shop.set("orderCancel", cancel, "order { id }").await.done();
    let kept = everything(&shop).await.to_lowercase();
    assert!(kept.contains("marker") && kept.contains("fr99112233445"));
    ada.mutate("customerDelete", json!({ "password": PASSWORD }), "deletedId").await.done();

    let left = everything(&shop).await.to_lowercase();
    let found = left.lines().find(|line| line.contains("marker") || line.contains("fr99112233445"));
    assert_eq!(found, None);
    assert!(left.contains("somebody@shopper.example"), "others are left alone");
    assert_eq!(ada.client.send("{ customer { id } }", json!({})).await.status, 401);
    let seen = shop.store.send(ORDER, json!({ "id": placed.id, "token": placed.access_token })).await;
    assert_eq!(seen.at("order"), json!(null), "its links are revoked");
    let kept = "query($id: ID!) { order(id: $id) { total { amount } email shippingAddress { city } } }";
    let kept = shop.admin.send(kept, json!({ "id": placed.id })).await;
    assert_eq!(kept.at("order.total.amount"), "24.90");
    assert_eq!(kept.at("order.email"), "erased@erased.invalid");
    assert_eq!(kept.at("order.shippingAddress"), json!(null));
    assert_eq!(shop.log_in("marker@shopper.example", PASSWORD).await.refusals(), ["CREDENTIALS_INVALID"]);
    shop.register("marker@shopper.example", PASSWORD).await.done();
    assert_ne!(shop.account_id("marker@shopper.example").await, ada.id, "the address is free again");

    invariants(&shop).await;
}

/// By every path that ends in an account: what the victim bought as a guest stays his.
#[tokio::test]
async fn who_types_the_victim_s_address_sees_none_of_his_orders() {
    let (shop, tee) = german_shop().await;
    let victim = "victim@shopper.example";
    let placed = bought(&shop, &shop.store, &tee, victim).await;
    let mallory = shop.customer("mallory@shopper.example").await;
    let mine = "{ customer { orders(first: 5) { nodes { id } } } }";
    let sees_nothing = async |account: &Account, path: &str| {
        assert_eq!(account.client.send(mine, json!({})).await.at("customer.orders.nodes"), json!([]), "{path}");
        assert_eq!(account.client.send(ORDER, json!({ "id": placed.id })).await.at("order"), json!(null), "{path}");
    };
    // He registers the address: without the mail nothing can be done with it.
    shop.register(victim, "chosen by Mallory").await.done();
    assert_eq!(shop.log_in(victim, "chosen by Mallory").await.refusals(), ["CREDENTIALS_INVALID"]);
    // He wants his account to have it: not before the mail, and the claim goes to the mailbox that he has.
    let ask = json!({ "email": victim, "password": PASSWORD });
    mallory.mutate("customerEmailChangeRequest", ask, "accepted").await.done();
    mutate_bare(&mallory, "orderClaimRequest").await;
    let claim = shop.mailed(TokenPurpose::OrderClaim, mallory.id).await;
    assert_eq!(mallory.mutate("orderClaim", json!({ "token": claim }), "claimed").await.done()["claimed"], 0);
    sees_nothing(&mallory, "a change that is not confirmed").await;
    // What was mailed to him for his own account confirms no other.
    let own = shop.mailed(TokenPurpose::PasswordRecovery, mallory.id).await;
    for (mutation, selection) in [("customerVerify", "verified"), ("customerEmailChangeConfirm", "changed")] {
        let refused = shop.guest(mutation, json!({ "token": own }), selection).await;
        assert_eq!(faults(&refused), ["TOKEN_INVALID token"], "{mutation}");
    }
    // He buys with the victim's address while he is signed in: that order is his, the others are not.
    let his = bought(&shop, &mallory.client, &tee, victim).await;
    let seen = mallory.client.send(mine, json!({})).await;
    assert_eq!(seen.at("customer.orders.nodes"), json!([{ "id": his.id }]));
    assert_eq!(mallory.client.send(ORDER, json!({ "id": placed.id })).await.at("order"), json!(null));
    // Even proof of the mailbox alone adopts nothing: the victim asks for it by himself.
    let id = shop.account_id(victim).await;
    let token = shop.mailed(TokenPurpose::CustomerVerification, id).await;
    shop.guest("customerVerify", json!({ "token": token, "password": PASSWORD }), "verified").await.done();
    let owner = shop.again(victim, PASSWORD).await;
    sees_nothing(&owner, "a proved account").await;
    assert_eq!(shop.log_in(victim, "chosen by Mallory").await.refusals(), ["CREDENTIALS_INVALID"]);
    let claim = shop.mailed(TokenPurpose::OrderClaim, id).await;
    assert_eq!(owner.mutate("orderClaim", json!({ "token": claim }), "claimed").await.done()["claimed"], 1);
    assert_eq!(owner.client.send(ORDER, json!({ "id": placed.id })).await.at("order.id"), placed.id.as_str());
    invariants(&shop).await;
}
