//! Accounts: what their owners do, and what nobody learns about them.

use chrono::TimeDelta;
use domain::auth::{ActorKind, Surface, TokenPurpose};
use engine::actor::{Actor, Caller};
use engine::auth::attempt::{Attempt, count};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;

use crate::support::Shop;
use crate::support::buying::{address, faults, mutate};
use crate::support::client::Client;
use crate::support::customers::PASSWORD;
use crate::support::rows::Reader;

const ME: &str = "{ customer { id email pendingEmail firstName lastName phone locale acceptsMarketing
    addresses { id address { city } defaultShipping defaultBilling } defaultShippingAddress { id }
    defaultBillingAddress { id } orders(first: 5) { totalCount nodes { id number } } cart { id } } }";

#[tokio::test]
async fn a_customer_registers_proves_the_mailbox_and_logs_in() {
    let shop = Shop::open().await;
    let input = json!({ "email": " Ada@Shopper.example", "password": PASSWORD, "firstName": " Ada ",
        "lastName": "Lovelace", "acceptsMarketing": true, "locale": "de" });
    shop.guest("customerRegister", input, "accepted").await.done();
    let id = shop.account_id("ada@shopper.example").await;
    assert_eq!(shop.mail_for(id.into()).await, ["customer.verification"]);
    assert_eq!(shop.log_in("ada@shopper.example", PASSWORD).await.refusals(), ["CREDENTIALS_INVALID"]);

    let token = shop.mailed(TokenPurpose::CustomerVerification, id).await;
    assert_eq!(shop.guest("customerVerify", json!({ "token": token }), "verified").await.done()["verified"], true);
    let ada = shop.again("ADA@shopper.example", PASSWORD).await;
    let me = ada.client.send(ME, json!({})).await;
    assert_eq!(me.at("customer.firstName"), "Ada");
    assert_eq!(me.at("customer.locale"), "de");
    assert_eq!(me.at("customer.acceptsMarketing"), true);
    assert_eq!(me.at("customer.orders.totalCount"), 0);
    assert_eq!(me.at("customer.cart"), json!(null));
    assert!(me.statements <= 6, "{}", me.statements);
    assert_eq!(shop.store.send("{ customer { id } }", json!({})).await.at("customer"), json!(null));
    let node = ada.client.send("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id.to_string() })).await;
    assert_eq!(node.at("node.id"), id.to_string());
}

#[tokio::test]
async fn everything_wrong_with_a_registration_is_named_at_once() {
    let shop = Shop::open().await;
    let input = json!({ "email": "ada", "password": "short", "firstName": "a\tb", "locale": "german" });
    let refused = shop.guest("customerRegister", input, "accepted").await;
    assert_eq!(faults(&refused), ["INVALID email", "INVALID password", "INVALID firstName", "INVALID locale"]);
    let long = shop.register("ada@shopper.example", &"x".repeat(129)).await;
    assert_eq!(faults(&long), ["INVALID password"]);
    assert!(entity::customer::Entity::find().one(&shop.app.read()).await.unwrap().is_none());
}

#[tokio::test]
async fn no_answer_tells_who_has_an_account() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    shop.register("unproved@shopper.example", PASSWORD).await.done();
    let known = ["ada@shopper.example", "unproved@shopper.example"];
    for email in known {
        for (mutation, input, selection) in [
            ("customerRegister", json!({ "password": "another password" }), "accepted"),
            ("customerVerificationRequest", json!({}), "accepted"),
            ("customerPasswordRecover", json!({}), "accepted"),
            ("customerLogin", json!({ "password": "wrong password" }), "tokens { accessToken } customer { id }"),
            ("orderAccessRequest", json!({ "number": 1 }), "accepted"),
        ] {
            let with = |email: &str| {
                let mut input = input.clone();
                input["email"] = json!(email);
                input
            };
            let before = engine::auth::password::runs();
            let one = shop.guest(mutation, with(email), selection).await;
            let between = engine::auth::password::runs();
            let stranger = format!("{mutation}@{email}");
            let stranger = stranger.replacen('@', "-", 1);
            let other = shop.guest(mutation, with(&stranger), selection).await;
            let after = engine::auth::password::runs();
            assert_eq!((one.status, one.body.to_string()), (other.status, other.body.to_string()), "{mutation}");
            if mutation == "customerLogin" || mutation == "customerRegister" {
                assert!(between > before && after > between, "{mutation} does the same work");
            }
        }
    }
    // An address that is taken is answered like a free one when an e-mail is changed.
    shop.customer("bob@shopper.example").await;
    let ask = |email: &str| json!({ "email": email, "password": PASSWORD });
    let taken = ada.mutate("customerEmailChangeRequest", ask("bob@shopper.example"), "accepted").await;
    let free = ada.mutate("customerEmailChangeRequest", ask("free@shopper.example"), "accepted").await;
    assert_eq!(taken.body.to_string(), free.body.to_string());
    let told = shop.mail_for(shop.account_id("bob@shopper.example").await.into()).await;
    assert_eq!(told, ["customer.verification", "customer.registered_again"]);
}

/// Counted, not timed: hashes, statements, and whether the disk is waited for, which any write makes sure of.
#[tokio::test]
async fn known_and_unknown_addresses_cost_the_same_work() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    shop.customer("bob@shopper.example").await;
    shop.register("unproved@shopper.example", PASSWORD).await.done();
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.tee("20.00", 5).await;
    let placed = shop.checkout_all(&[(&tee, 1)], "manual", "key").await;
    let rows = Reader::of(&shop).await;
    let kept = async || {
        let tries = "select cast(coalesce(sum(count), 0) as bigint) from access_attempt";
        let conn = shop.app.read();
        let row = conn.query_one_raw(engine::db::statement(&conn, tries, [])).await.unwrap().unwrap();
        (rows.rows(&shop).await, row.try_get_by_index::<i64>(0).unwrap())
    };
    for (mutation, more, selection) in [
        ("customerLogin", json!({ "password": "wrong password" }), "tokens { accessToken }"),
        ("customerRegister", json!({ "password": "another password" }), "accepted"),
        ("customerPasswordRecover", json!({}), "accepted"),
        ("customerVerificationRequest", json!({}), "accepted"),
        ("orderAccessRequest", json!({ "number": placed.number }), "accepted"),
        ("customerEmailChangeRequest", json!({ "password": PASSWORD }), "accepted"),
    ] {
        let hashes = u64::from(more["password"].is_string());
        let strangers = ["nobody", "stranger"].map(|name| format!("{name}-{mutation}@shopper.example"));
        // The order was bought as a guest with another address.
        let first = if mutation == "orderAccessRequest" { "ada@example.com" } else { "bob@shopper.example" };
        let known = [first.to_owned(), "unproved@shopper.example".to_owned()];
        let mut costs = Vec::new();
        for email in known.into_iter().chain(strangers) {
            let mut input = more.clone();
            input["email"] = json!(email);
            let runs = engine::auth::password::runs();
            let (before, tries) = kept().await;
            let answer = match mutation {
                "customerEmailChangeRequest" => ada.mutate(mutation, input, selection).await,
                _ => shop.guest(mutation, input, selection).await,
            };
            assert!(answer.refusals().iter().all(|code| code == "CREDENTIALS_INVALID"), "{}", answer.body);
            let (after, tried) = kept().await;
            // Three counts are of the try itself: here, of this place, and everywhere; what comes behind them writes too.
            let writes = before != after || tried > tries + 3;
            assert_eq!(writes, mutation != "customerLogin", "{mutation} for {email}");
            let hashed = engine::auth::password::runs() - runs;
            // Where tests share a process, others hash meanwhile.
            let alone = std::env::var_os("NEXTEST").is_some();
            assert!(hashed == hashes || (hashed > hashes && !alone), "{mutation} for {email} hashed {hashed} times");
            costs.push(answer.statements);
        }
        assert!(costs.iter().all(|cost| *cost == costs[0]), "{mutation} takes {costs:?} statements");
    }
    let login = "mutation($email: String!, $password: String!) {
        staffLogin(input: { email: $email, password: $password }) { tokens { accessToken } userErrors { code } } }";
    let staff = shop.admin.send("{ me { email } }", json!({})).await.text("me.email");
    let mut statements = Vec::new();
    for email in [staff.as_str(), "nobody@shop.example"] {
        let runs = engine::auth::password::runs();
        let answer = shop.anonymous_admin.send(login, json!({ "email": email, "password": "wrong password" })).await;
        assert_eq!(answer.refusals(), ["CREDENTIALS_INVALID"]);
        assert!(engine::auth::password::runs() > runs, "{email} costs a hash");
        statements.push(answer.statements);
    }
    assert_eq!(statements[0], statements[1], "staffLogin");
}

#[tokio::test]
async fn two_who_register_an_unproved_address_give_it_no_password() {
    let shop = Shop::open().await;
    shop.register("victim@shopper.example", "attacker's own").await.done();
    shop.register("victim@shopper.example", "victim's own one").await.done();
    let id = shop.account_id("victim@shopper.example").await;
    let token = shop.mailed(TokenPurpose::CustomerVerification, id).await;
    let refused = shop.guest("customerVerify", json!({ "token": token }), "verified").await;
    assert_eq!(faults(&refused), ["REQUIRED password"]);
    let chosen = json!({ "token": token, "password": "chosen with proof" });
    shop.guest("customerVerify", chosen, "verified").await.done();
    for wrong in ["attacker's own", "victim's own one"] {
        assert_eq!(shop.log_in("victim@shopper.example", wrong).await.refusals(), ["CREDENTIALS_INVALID"]);
    }
    shop.log_in("victim@shopper.example", "chosen with proof").await.done();
}

#[tokio::test]
async fn guesses_are_throttled_alike_with_and_without_an_account() {
    let shop = Shop::open().await;
    shop.customer("ada@shopper.example").await;
    for email in ["ada@shopper.example", "stranger@shopper.example"] {
        for _ in 0..10 {
            assert_eq!(shop.log_in(email, "wrong password").await.refusals(), ["CREDENTIALS_INVALID"]);
        }
        let throttled = shop.log_in(email, PASSWORD).await;
        assert_eq!(throttled.refusals(), ["THROTTLED"], "{email}");
        let wait = throttled.at("customerLogin.userErrors.0.retryAfterMs").as_i64().unwrap();
        assert!((1..=15 * 60_000).contains(&wait), "{wait}");
        for _ in 0..10 {
            shop.guest("customerPasswordRecover", json!({ "email": email }), "accepted").await;
        }
        let mailed = shop.guest("customerPasswordRecover", json!({ "email": email }), "accepted").await;
        assert_eq!(mailed.refusals(), ["THROTTLED"], "{email}");
    }
    shop.pass(TimeDelta::minutes(16));
    shop.log_in("ada@shopper.example", PASSWORD).await.done();
    for _ in 0..9 {
        shop.log_in("ada@shopper.example", "wrong password").await;
    }
    shop.log_in("ada@shopper.example", PASSWORD).await.done();
    assert_eq!(shop.log_in("ada@shopper.example", "wrong").await.refusals(), ["CREDENTIALS_INVALID"], "counted anew");
}

#[tokio::test]
async fn who_guesses_is_stopped_where_he_is_and_locks_nobody_out_elsewhere() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let elsewhere = shop.store.at("127.0.0.2");
    let log_in = async |client: &Client, password: &str| {
        let input = json!({ "email": ada.email, "password": password });
        mutate(client, "", "customerLogin", input, "customer { id }").await.refusals()
    };
    for _ in 0..10 {
        assert_eq!(log_in(&elsewhere, "wrong password").await, ["CREDENTIALS_INVALID"]);
    }
    for _ in 0..20 {
        assert_eq!(log_in(&elsewhere, PASSWORD).await, ["THROTTLED"], "he is stopped, right or wrong");
    }
    assert_eq!(log_in(&shop.store, PASSWORD).await, [""; 0], "and she is not");

    // From many places he gets further, but not much: 10 were his until here, and her own right one counts no more.
    let try_from = async |place: u8| {
        let mut caller = Caller::new(Actor::Guest);
        caller.from = Some([10, 0, 0, place].into());
        count(&shop.app, &caller, Attempt::CustomerPassword, &ada.email).await
    };
    for guess in 0..90 {
        try_from(guess / 10).await.unwrap_or_else(|_| panic!("guess {guess} is still counted alone"));
    }
    assert!(try_from(99).await.is_err(), "a hundred from everywhere are enough");
    assert_eq!(log_in(&shop.store, PASSWORD).await, ["THROTTLED"]);
    // Whoever has the mailbox is not kept waiting by him: what is mailed is counted for itself.
    shop.guest("customerPasswordRecover", json!({ "email": ada.email }), "accepted").await.done();
    shop.pass(TimeDelta::minutes(16));
    assert_eq!(log_in(&shop.store, PASSWORD).await, [""; 0]);
    // A whole network of IPv6 is one place.
    let neighbors = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:0:9::"];
    for number in 0..11 {
        let mut caller = Caller::new(Actor::Guest);
        caller.from = Some(neighbors[number % 3].parse().unwrap());
        let counted = count(&shop.app, &caller, Attempt::CustomerPassword, "bob@shopper.example").await;
        assert_eq!(counted.is_ok(), number < 10, "{number}");
    }
}

#[tokio::test]
async fn mail_to_one_mailbox_is_counted_from_wherever_it_is_asked_for() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let ask = async |place: &str| {
        let client = shop.store.at(place);
        let input = json!({ "email": ada.email });
        mutate(&client, "", "customerPasswordRecover", input, "accepted").await.refusals()
    };
    // One was the mail for her registering.
    for number in 2..11 {
        assert_eq!(ask(&format!("127.0.0.{number}")).await, [""; 0], "{number}");
    }
    assert_eq!(ask("127.0.0.99").await, ["THROTTLED"]);
}

#[tokio::test]
async fn sessions_are_refreshed_once_and_end_here_or_everywhere() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let refresh = |token: &str| {
        let input = json!({ "refreshToken": token });
        let shop = &shop;
        async move { shop.guest("customerTokenRefresh", input, "tokens { accessToken refreshToken }").await }
    };
    let renewed = refresh(&ada.refresh).await.done()["tokens"].clone();
    assert_eq!(refresh(&ada.refresh).await.refusals(), ["TOKEN_INVALID"], "used before");
    let ended = refresh(renewed["refreshToken"].as_str().unwrap()).await;
    assert_eq!(ended.refusals(), ["TOKEN_INVALID"], "reuse ends the session");
    assert_eq!(ada.client.send(ME, json!({})).await.status, 401);

    let (one, two) = (shop.again(&ada.email, PASSWORD).await, shop.again(&ada.email, PASSWORD).await);
    let out = "mutation { customerLogout { loggedOut userErrors { code } } }";
    assert_eq!(one.client.send(out, json!({})).await.done()["loggedOut"], true);
    assert_eq!(one.client.send(ME, json!({})).await.status, 401);
    assert_eq!(two.client.send(ME, json!({})).await.status, 200);
    let three = shop.again(&ada.email, PASSWORD).await;
    three.mutate("customerLogout", json!({ "everywhere": true }), "loggedOut").await.done();
    for ended in [&two, &three] {
        assert_eq!(ended.client.send(ME, json!({})).await.status, 401);
        assert_eq!(refresh(&ended.refresh).await.refusals(), ["TOKEN_INVALID"]);
    }
    assert_eq!(shop.store.send(out, json!({})).await.done()["loggedOut"], false, "a guest has none");
}

#[tokio::test]
async fn a_session_of_one_surface_opens_nothing_on_the_other() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let refused = ada.client.send("{ customer { id } }", json!({})).await;
    assert_eq!(refused.status, 200);
    let access = shop.session(ActorKind::Customer, ada.id.into(), Surface::Store).await;
    assert_eq!(shop.anonymous_admin.bearer(&access).send("{ me { id } }", json!({})).await.status, 401);
    let refresh = "mutation($token: String!) { staffTokenRefresh(input: { refreshToken: $token }) {
        tokens { accessToken } userErrors { code } } }";
    let crossed = shop.anonymous_admin.send(refresh, json!({ "token": ada.refresh })).await;
    assert_eq!(crossed.refusals(), ["TOKEN_INVALID"]);
    let again = json!({ "refreshToken": ada.refresh });
    shop.guest("customerTokenRefresh", again, "tokens { accessToken }").await.done();
    let login = "mutation($email: String!, $password: String!) {
        staffLogin(input: { email: $email, password: $password }) { tokens { accessToken } userErrors { code } } }";
    let crossed = shop.anonymous_admin.send(login, json!({ "email": ada.email, "password": PASSWORD })).await;
    assert_eq!(crossed.refusals(), ["CREDENTIALS_INVALID"]);
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let shop = Shop::open().await;
    let (ada, other) = (shop.customer("ada@shopper.example").await, shop.again("ada@shopper.example", PASSWORD).await);
    let change = |current: &str, next: &str| json!({ "currentPassword": current, "newPassword": next });
    let wrong = ada.mutate("customerPasswordChange", change("wrong password", "a new password"), "changed").await;
    assert_eq!(faults(&wrong), ["CREDENTIALS_INVALID currentPassword"]);
    let short = ada.mutate("customerPasswordChange", change(PASSWORD, "short"), "changed").await;
    assert_eq!(faults(&short), ["INVALID newPassword"]);
    ada.mutate("customerPasswordChange", change(PASSWORD, "a new password"), "changed").await.done();
    assert_eq!(ada.client.send(ME, json!({})).await.status, 200);
    assert_eq!(other.client.send(ME, json!({})).await.status, 401);
    assert_eq!(shop.log_in(&ada.email, PASSWORD).await.refusals(), ["CREDENTIALS_INVALID"]);
    shop.log_in(&ada.email, "a new password").await.done();
    let guest = shop.guest("customerPasswordChange", change(PASSWORD, "a new password"), "changed").await;
    assert_eq!(guest.error_code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_and_every_session_ends() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    shop.guest("customerPasswordRecover", json!({ "email": ada.email }), "accepted").await.done();
    assert_eq!(shop.mail_for(ada.id.into()).await, ["customer.verification", "customer.recovery"]);
    let older = shop.mailed(TokenPurpose::PasswordRecovery, ada.id).await;
    let token = shop.mailed(TokenPurpose::PasswordRecovery, ada.id).await;
    let reset = |token: &str, password: &str| json!({ "token": token, "password": password });
    let ended = shop.guest("customerPasswordReset", reset(&older, "a new password"), "reset").await;
    assert_eq!(faults(&ended), ["TOKEN_INVALID token"], "a newer one ends the older");
    let short = shop.guest("customerPasswordReset", reset(&token, "short"), "reset").await;
    assert_eq!(faults(&short), ["INVALID password"], "and the token is still good");
    shop.guest("customerPasswordReset", reset(&token, "a new password"), "reset").await.done();
    let twice = shop.guest("customerPasswordReset", reset(&token, "a third password"), "reset").await;
    assert_eq!(faults(&twice), ["TOKEN_INVALID token"]);
    assert_eq!(ada.client.send(ME, json!({})).await.status, 401);
    shop.log_in(&ada.email, "a new password").await.done();
}

#[tokio::test]
async fn an_account_moves_to_a_mailbox_that_was_proved() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    let recovery = shop.mailed(TokenPurpose::PasswordRecovery, ada.id).await;
    let ask = |email: &str, password: &str| json!({ "email": email, "password": password });
    let wrong = ada.mutate("customerEmailChangeRequest", ask("new@shopper.example", "wrong one"), "accepted").await;
    assert_eq!(faults(&wrong), ["CREDENTIALS_INVALID password"]);
    ada.mutate("customerEmailChangeRequest", ask("typo@shopper.example", PASSWORD), "accepted").await.done();
    let typo = shop.mailed(TokenPurpose::EmailChange, ada.id).await;
    // Somebody typed the new address first and never proved it: that takes nothing from its owner.
    shop.register("new@shopper.example", "somebody else").await.done();
    ada.mutate("customerEmailChangeRequest", ask("new@shopper.example", PASSWORD), "accepted").await.done();
    assert_eq!(ada.client.send(ME, json!({})).await.at("customer.pendingEmail"), "new@shopper.example");
    let confirm = |token: &str| json!({ "token": token });
    let bound = shop.guest("customerEmailChangeConfirm", confirm(&typo), "changed").await;
    assert_eq!(faults(&bound), ["TOKEN_INVALID token"], "a token is bound to the address that it was sent to");
    let token = shop.mailed(TokenPurpose::EmailChange, ada.id).await;
    shop.guest("customerEmailChangeConfirm", confirm(&token), "changed").await.done();
    let me = ada.client.send(ME, json!({})).await;
    assert_eq!((me.at("customer.email"), me.at("customer.pendingEmail")), (json!("new@shopper.example"), json!(null)));
    assert_eq!(shop.mail_for(ada.id.into()).await.last().unwrap(), "customer.email_changed");
    let row = engine::customer::repo::find(&shop.app.read(), ada.id).await.unwrap().unwrap();
    assert_eq!(row.previous_email.unwrap().as_str(), "ada@shopper.example", "the old mailbox can be told");
    let reset = json!({ "token": recovery, "password": "a new password" });
    let stale = shop.guest("customerPasswordReset", reset, "reset").await;
    assert_eq!(faults(&stale), ["TOKEN_INVALID token"], "what went to the old mailbox opens nothing");
    assert_eq!(shop.log_in("ada@shopper.example", PASSWORD).await.refusals(), ["CREDENTIALS_INVALID"]);
    shop.log_in("new@shopper.example", PASSWORD).await.done();
    assert_eq!(shop.account_id("new@shopper.example").await, ada.id);
}

#[tokio::test]
async fn the_profile_and_the_address_book_are_the_customer_s_own() {
    let shop = Shop::open().await;
    let (ada, bob) = (shop.customer("ada@shopper.example").await, shop.customer("bob@shopper.example").await);
    let update = json!({ "firstName": "Ada", "phone": " +49 30 1 ", "locale": "de", "acceptsMarketing": true });
    ada.mutate("customerUpdate", update, "customer { id }").await.done();
    ada.mutate("customerUpdate", json!({ "phone": null }), "customer { id }").await.done();
    let me = ada.client.send(ME, json!({})).await;
    assert_eq!((me.at("customer.firstName"), me.at("customer.phone")), (json!("Ada"), json!(null)));

    let select = "address { id defaultShipping defaultBilling address { city } }";
    let create = json!({ "address": address("DE") });
    let first = ada.mutate("customerAddressCreate", create.clone(), select).await.done()["address"].clone();
    assert_eq!((&first["defaultShipping"], &first["defaultBilling"]), (&json!(true), &json!(true)));
    let second = json!({ "address": address("AT"), "defaultShipping": true });
    let second = ada.mutate("customerAddressCreate", second, select).await.done()["address"].clone();
    let me = ada.client.send(ME, json!({})).await;
    assert_eq!(me.at("customer.defaultShippingAddress.id"), second["id"]);
    assert_eq!(me.at("customer.defaultBillingAddress.id"), first["id"]);
    let mut bad = create;
    bad["address"]["city"] = json!(" ");
    assert_eq!(faults(&ada.mutate("customerAddressCreate", bad, select).await), ["REQUIRED address.city"]);

    for (mutation, selection) in [("customerAddressUpdate", select), ("customerAddressDelete", "deletedId")] {
        let stolen = bob.mutate(mutation, json!({ "id": first["id"] }), selection).await;
        let missing = bob.mutate(mutation, json!({ "id": "addr_00000000000000000000000000" }), selection).await;
        assert_eq!(faults(&stolen), ["NOT_FOUND id"]);
        assert_eq!(stolen.body, missing.body, "another's is not there");
        let guest = shop.guest(mutation, json!({ "id": first["id"] }), selection).await;
        assert_eq!(guest.error_code(), "UNAUTHENTICATED");
    }
    let node = "query($id: ID!) { node(id: $id) { id } }";
    assert_eq!(bob.client.send(node, json!({ "id": ada.id.to_string() })).await.at("node"), json!(null));
    ada.mutate("customerAddressDelete", json!({ "id": second["id"] }), "deletedId").await.done();
    let me = ada.client.send(ME, json!({})).await;
    assert_eq!(me.at("customer.addresses").as_array().unwrap().len(), 1);
    assert_eq!(me.at("customer.defaultShippingAddress"), json!(null));

    let conn = shop.app.read();
    let sql = "select count(*) from address where default_shipping and default_billing";
    let count = conn.query_one_raw(engine::db::statement(&conn, sql, [])).await.unwrap().unwrap();
    assert_eq!(count.try_get_by_index::<i64>(0).unwrap(), 0);
}

#[tokio::test]
async fn an_address_book_holds_a_hundred() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    for number in 0..100 {
        let made = ada.mutate("customerAddressCreate", json!({ "address": address("DE") }), "address { id }").await;
        assert_eq!(made.refusals(), [""; 0], "{number}");
    }
    let full = ada.mutate("customerAddressCreate", json!({ "address": address("DE") }), "address { id }").await;
    assert_eq!(faults(&full), ["TOO_MANY address"]);
    assert_eq!(full.at("customerAddressCreate.userErrors.0.limit"), 100);
}
