//! Ways to pay that customers saved: kept by the provider, used by nobody else, forgotten with the customer.

use std::sync::Arc;

use engine::sweeper::sweep;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::buying::{CartSession, address, euro, eventually, faults, mutate};
use crate::support::client::Client;
use crate::support::customers::Account;
use crate::support::database::TestDatabase;
use crate::support::invariants::invariants;
use crate::support::stripe::{FakeStripe, Trouble};
use crate::support::walker::new_key;
use crate::support::{Answer, Shop};

const VISA: &str = "pm_card_visa";
const THREE_D_SECURE: &str = "pm_card_authenticationRequired";
const METHODS: &str = "{ customer { paymentMethods { id provider kind brand lastDigits expiryMonth expiryYear } } }";
const SESSION: &str = "paymentSession { provider paymentMethodId savesPaymentMethod }";

struct Scene {
    shop: Shop,
    fake: FakeStripe,
    tee: String,
}

impl Scene {
    async fn open() -> Self {
        let fake = FakeStripe::start().await;
        let database = Arc::new(TestDatabase::copy().await);
        let account = Arc::new(fake.client());
        let shop = Shop::on(database, |builder| builder.stripe(Some(account)).test_cards(true)).await;
        shop.europe(&["DE"], true).await;
        shop.offer(&["manual", "stripe", "test"]).await;
        let tee = shop.tee("20.00", 500).await;
        Self { shop, fake, tee }
    }

    /// A cart of this customer, or of a guest, that lacks only how it is paid.
    async fn cart(&self, client: &Client) -> CartSession {
        let input = json!({
            "lines": [{ "variantId": self.tee, "quantity": 2 }], "buyer": { "email": "ada@example.com" },
            "addresses": { "shipping": address("DE") },
        });
        let mut cart = self.shop.cart_of_client(client, input).await;
        cart.select_delivery().await.done();
        cart
    }

    /// Pays a new cart so; how that went.
    async fn buy(&self, client: &Client, payment: Value) -> Answer {
        let mut cart = self.cart(client).await;
        cart.mutate("paymentSessionCreate", payment).await.done();
        cart.complete(&new_key()).await
    }
}

fn saving(method: &str) -> Value {
    json!({ "provider": "stripe", "data": { "paymentMethodId": method }, "savePaymentMethod": true })
}

fn saved(method: &Value) -> Value {
    let provider = method.as_str().unwrap().split_once(':').unwrap().0;
    json!({ "provider": provider, "paymentMethodId": method })
}

async fn methods(who: &Account) -> Vec<Value> {
    who.client.send(METHODS, json!({})).await.at("customer.paymentMethods").as_array().unwrap().clone()
}

#[tokio::test]
async fn what_a_customer_saved_pays_his_next_order() {
    let scene = Scene::open().await;
    let ada = scene.shop.customer("ada@example.com").await;
    assert_eq!(methods(&ada).await, Vec::<Value>::new());
    assert!(scene.fake.customers().is_empty(), "who saves nothing is not told of");

    let mut cart = scene.cart(&ada.client).await;
    let chosen = cart.try_mutate("paymentSessionCreate", saving(VISA), SESSION).await.done();
    let session = json!({ "provider": "stripe", "paymentMethodId": null, "savesPaymentMethod": true });
    assert_eq!(chosen["paymentSession"], session);
    cart.show().await;
    cart.complete("first").await.done();
    let [visa] = &methods(&ada).await[..] else { panic!("one method") };
    let shown = json!({
        "id": visa["id"], "provider": "stripe", "kind": "card", "brand": "visa", "lastDigits": "4242",
        "expiryMonth": 8, "expiryYear": 2031,
    });
    assert_eq!(*visa, shown);

    let mut cart = scene.cart(&ada.client).await;
    let chosen = cart.try_mutate("paymentSessionCreate", saved(&visa["id"]), SESSION).await.done();
    let session = json!({ "provider": "stripe", "paymentMethodId": visa["id"], "savesPaymentMethod": false });
    assert_eq!(chosen["paymentSession"], session);
    cart.show().await;
    let placed = cart.complete("second").await.done();
    assert_eq!(placed["order"]["paymentStatus"], "CAPTURED");
    let newest = scene.fake.intents().pop().unwrap();
    let reference = visa["id"].as_str().unwrap().strip_prefix("stripe:").unwrap();
    assert_eq!(
        (&newest["payment_method"], &newest["customer"]),
        (&json!(reference), &json!(scene.fake.customers()[0]))
    );

    // The same card once more is shown once, and forgotten as one.
    scene.buy(&ada.client, saving(VISA)).await.done();
    assert_eq!((methods(&ada).await.len(), scene.fake.customers().len()), (1, 1));
    assert_eq!(scene.fake.methods_of(&scene.fake.customers()[0]).len(), 2);
    let shown = methods(&ada).await[0]["id"].clone();
    let gone = ada.mutate("paymentMethodDelete", json!({ "id": shown }), "deletedId").await.done();
    assert_eq!(gone["deletedId"], shown);
    assert_eq!(methods(&ada).await, Vec::<Value>::new());
    let again = ada.mutate("paymentMethodDelete", json!({ "id": shown }), "deletedId").await;
    assert_eq!(faults(&again), ["NOT_FOUND id"]);
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn what_another_saved_pays_for_nobody() {
    let scene = Scene::open().await;
    let ada = scene.shop.customer("ada@example.com").await;
    let eve = scene.shop.customer("eve@example.com").await;
    scene.buy(&ada.client, saving(VISA)).await.done();
    scene.buy(&eve.client, saving(VISA)).await.done();
    let own = methods(&ada).await[0]["id"].clone();
    assert_eq!(methods(&eve).await.len(), 1);

    let mut cart = scene.cart(&eve.client).await;
    let taken = cart.mutate("paymentSessionCreate", saved(&own)).await;
    assert_eq!(faults(&taken), ["NOT_FOUND paymentMethodId"]);
    let deleted = eve.mutate("paymentMethodDelete", json!({ "id": own }), "deletedId").await;
    assert_eq!(faults(&deleted), ["NOT_FOUND id"]);
    for name in ["", "stripe:", "stripe:pm_nobody", "manual:pm_1", "pm_1", ":", "nobody:pm_1"] {
        let deleted = eve.mutate("paymentMethodDelete", json!({ "id": name }), "deletedId").await;
        assert_eq!(faults(&deleted), ["NOT_FOUND id"], "{name}");
    }
    // Nor by the name that the provider gives it.
    let raw = own.as_str().unwrap().strip_prefix("stripe:").unwrap();
    let data = json!({ "paymentMethodId": raw });
    for save in [false, true] {
        let payment = json!({ "provider": "stripe", "data": data, "savePaymentMethod": save });
        assert_eq!(scene.buy(&eve.client, payment).await.refusals(), ["PAYMENT_DECLINED"]);
    }
    assert_eq!(
        scene.buy(&scene.shop.store, json!({ "provider": "stripe", "data": data })).await.refusals(),
        ["PAYMENT_DECLINED"]
    );
    // A guest's cart for which Ada chose what she saved is hers: Eve, who holds its token, places no order with it.
    let guest = scene.cart(&scene.shop.store).await;
    let mut hers = CartSession { client: ada.client.clone(), ..guest.clone() };
    hers.mutate("paymentSessionCreate", saved(&own)).await.done();
    for client in [&eve.client, &scene.shop.store] {
        let other = CartSession { client: client.clone(), ..hers.clone() };
        assert_eq!(other.complete("eve").await.refusals(), ["NOT_FOUND"]);
    }
    assert_eq!(methods(&ada).await.len(), 1);
    let kept = scene.fake.kept();
    assert_eq!(kept, 2 * 4_490, "each paid once");
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn who_may_save_what() {
    let scene = Scene::open().await;
    let ada = scene.shop.customer("ada@example.com").await;
    let mut guest = scene.cart(&scene.shop.store).await;
    for payment in [saving(VISA), saved(&json!("stripe:pm_1"))] {
        let refused = guest.mutate("paymentSessionCreate", payment).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{}", refused.body);
    }
    assert!(scene.shop.store.send(METHODS, json!({})).await.at("customer").is_null());
    let mut cart = scene.cart(&ada.client).await;
    let by_hand = json!({ "provider": "manual", "savePaymentMethod": true });
    assert_eq!(faults(&cart.mutate("paymentSessionCreate", by_hand).await), ["INVALID savePaymentMethod"]);
    let by_hand = json!({ "provider": "manual", "paymentMethodId": "manual:1" });
    assert_eq!(faults(&cart.mutate("paymentSessionCreate", by_hand).await), ["INVALID paymentMethodId"]);
    let nobody = json!({ "provider": "nobody", "savePaymentMethod": true });
    assert_eq!(faults(&cart.mutate("paymentSessionCreate", nobody).await), ["PAYMENT_PROVIDER_UNAVAILABLE provider"]);
    // A cart that is not his is refused before anybody is told of him.
    let mut foreign = CartSession { id: guest.id.clone(), token: "no".to_owned(), ..cart.clone() };
    assert_eq!(faults(&foreign.mutate("paymentSessionCreate", saving(VISA)).await), ["NOT_FOUND cartId"]);
    assert!(scene.fake.customers().is_empty());
    let both = json!({ "provider": "stripe", "paymentMethodId": "stripe:pm_1", "savePaymentMethod": true });
    assert_eq!(faults(&cart.mutate("paymentSessionCreate", both).await), ["INVALID paymentMethodId"]);
    let other = json!({ "provider": "test", "paymentMethodId": "stripe:pm_1" });
    assert_eq!(faults(&cart.mutate("paymentSessionCreate", other).await), ["NOT_FOUND paymentMethodId"]);

    // Nothing is saved of what was declined, or of what the shopper did not confirm.
    let declined = scene.buy(&ada.client, saving("pm_card_chargeDeclined")).await;
    assert_eq!(declined.refusals(), ["PAYMENT_DECLINED"]);
    let waiting = scene.buy(&ada.client, saving(THREE_D_SECURE)).await.done();
    assert!(waiting["nextAction"].is_object());
    assert_eq!(methods(&ada).await, Vec::<Value>::new());
    let intent = scene.fake.intents().pop().unwrap();
    scene.fake.act(intent["id"].as_str().unwrap(), true);
    assert_eq!(methods(&ada).await.len(), 1);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_or_knows_him_no_more() {
    let scene = Scene::open().await;
    let ada = scene.shop.customer("ada@example.com").await;
    let mut cart = scene.cart(&ada.client).await;
    scene.fake.will([Trouble::Status(503)]);
    let silent = cart.mutate("paymentSessionCreate", saving(VISA)).await;
    assert_eq!(faults(&silent), ["PAYMENT_PROVIDER_UNAVAILABLE savePaymentMethod"]);
    // The answer about a new customer gets lost: there is one all the same.
    scene.fake.will([Trouble::Nothing, Trouble::Lost]);
    let silent = cart.mutate("paymentSessionCreate", saving(VISA)).await;
    assert_eq!(faults(&silent), ["PAYMENT_PROVIDER_UNAVAILABLE savePaymentMethod"]);
    assert_eq!(scene.fake.customers().len(), 1);
    scene.fake.forget_keys();
    scene.buy(&ada.client, saving(VISA)).await.done();
    assert_eq!(scene.fake.customers().len(), 1);
    let visa = methods(&ada).await[0]["id"].clone();

    scene.fake.will([Trouble::Status(503)]);
    let silent = ada.client.send(METHODS, json!({})).await;
    assert_eq!(silent.body["errors"][0]["extensions"]["code"], "PAYMENT_PROVIDER_UNAVAILABLE");
    assert_eq!(silent.body["data"], json!({ "customer": { "paymentMethods": null } }));
    scene.fake.will([Trouble::Status(503)]);
    let silent = cart.mutate("paymentSessionCreate", saved(&visa)).await;
    assert_eq!(faults(&silent), ["PAYMENT_PROVIDER_UNAVAILABLE paymentMethodId"]);
    scene.fake.will([Trouble::Status(503)]);
    let silent = ada.mutate("paymentMethodDelete", json!({ "id": visa }), "deletedId").await;
    assert_eq!(faults(&silent), ["PAYMENT_PROVIDER_UNAVAILABLE id"]);

    // Somebody deletes him at the provider while a cart that he would pay with it is open.
    cart.mutate("paymentSessionCreate", saved(&visa)).await.done();
    scene.fake.delete_customer(&scene.fake.customers()[0]);
    assert_eq!(cart.complete("late").await.refusals(), ["PAYMENT_DECLINED"]);
    assert_eq!(methods(&ada).await, Vec::<Value>::new());
    let mut other = scene.cart(&ada.client).await;
    assert_eq!(faults(&other.mutate("paymentSessionCreate", saved(&visa)).await), ["NOT_FOUND paymentMethodId"]);
    scene.buy(&ada.client, saving(VISA)).await.done();
    assert_eq!((methods(&ada).await.len(), scene.fake.customers().len()), (1, 1));
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn what_an_order_owes_is_paid_by_its_customer_with_what_he_saved() {
    let scene = Scene::open().await;
    let ada = scene.shop.customer("ada@example.com").await;
    let eve = scene.shop.customer("eve@example.com").await;
    scene.buy(&eve.client, saving(VISA)).await.done();
    let mut cart = scene.cart(&ada.client).await;
    cart.pay("manual").await.done();
    let placed = cart.complete("k").await.done();
    let (order, token) = (placed["order"]["id"].clone(), placed["accessToken"].clone());
    let query = "query($id: ID!) { order(id: $id) { payments { id } } }";
    let payment = scene.shop.admin.send(query, json!({ "id": order })).await.at("order.payments")[0]["id"].clone();
    let input = json!({ "idempotencyKey": new_key(), "paymentId": payment });
    scene.shop.set("paymentVoid", input, "payment { state }").await.done();

    let pay = async |client: &Client, amount: &str, with: Value| {
        let mut input = json!({
            "idempotencyKey": new_key(), "orderId": order, "accessToken": token, "amount": euro(amount),
        });
        input.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        mutate(client, "", "orderPay", input, "payment { state } order { paymentStatus }").await
    };
    // Whoever holds the link to the order saves nothing with it.
    assert_eq!(faults(&pay(&eve.client, "10.00", saving(VISA)).await), ["INVALID savePaymentMethod"]);
    let hers = saved(&methods(&eve).await[0]["id"]);
    assert_eq!(faults(&pay(&eve.client, "10.00", hers).await), ["INVALID paymentMethodId"]);
    pay(&ada.client, "10.00", saving(VISA)).await.done();
    let own = methods(&ada).await[0]["id"].clone();
    let with = saved(&own);
    let mut input = json!({
        "idempotencyKey": "rest", "orderId": order, "accessToken": token, "amount": euro("34.90"),
    });
    input.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    let select = "payment { id state } order { paymentStatus }";
    let paid = mutate(&ada.client, "", "orderPay", input.clone(), select).await.done();
    assert_eq!(paid["order"]["paymentStatus"], "CAPTURED");
    // The same call again is the same payment, though the method is gone and the provider away.
    ada.mutate("paymentMethodDelete", json!({ "id": own }), "deletedId").await.done();
    let asked = scene.fake.calls().len();
    for client in [&ada.client, &scene.shop.store] {
        let again = mutate(client, "", "orderPay", input.clone(), select).await.done();
        assert_eq!(again["payment"]["id"], paid["payment"]["id"]);
    }
    assert_eq!(scene.fake.calls().len(), asked);
    invariants(&scene.shop).await;
}

#[tokio::test]
async fn who_is_erased_is_forgotten_at_the_provider() {
    let scene = Scene::open().await;
    let ada = scene.shop.customer("ada@example.com").await;
    let card = json!({ "provider": "test", "data": { "card": "success" }, "savePaymentMethod": true });
    let paid = [scene.buy(&ada.client, saving(VISA)).await.done(), scene.buy(&ada.client, card).await.done()];
    assert_eq!(methods(&ada).await.len(), 2);
    for placed in &paid {
        let input = json!({ "orderId": placed["order"]["id"], "idempotencyKey": new_key() });
        scene.shop.set("orderCancel", input, "order { status }").await.done();
    }
    // The provider is away when he goes.
    scene.fake.will([Trouble::Status(503)]);
    let input = json!({ "id": ada.id.to_string() });
    scene.shop.set("customerErase", input, "erasedId").await.done();
    eventually("the provider is asked", async || {
        sweep(&scene.shop.app).await.unwrap();
        scene.fake.calls().last().is_some_and(|call| call.starts_with("DELETE"))
    })
    .await;
    let asked = scene.fake.calls().len();
    sweep(&scene.shop.app).await.unwrap();
    assert_eq!((scene.fake.customers().len(), scene.fake.calls().len()), (1, asked), "it is left alone for a while");
    scene.shop.pass(chrono::TimeDelta::minutes(11));
    eventually("the provider forgets him", async || {
        sweep(&scene.shop.app).await.unwrap();
        scene.fake.customers().is_empty()
    })
    .await;
    eventually("and the shop, under what name he was known", async || {
        let rows = entity::payment_customer::Entity::find().all(&scene.shop.app.read()).await.unwrap();
        let cards = entity::test_payment_method::Entity::find().all(&scene.shop.app.read()).await.unwrap();
        rows.is_empty() && cards.is_empty()
    })
    .await;
    invariants(&scene.shop).await;
}
