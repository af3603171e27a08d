//! What every payment provider does, whatever it calls things.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use domain::id::CustomerId;
use domain::money::{Currency, Money};
use domain::payment::CaptureMode;
use engine::provider::payment::stripe::{Stripe, StripeConfig};
use engine::provider::payment::test::{DELAY, TestCards};
use engine::provider::payment::vault::{PaymentVault, Saving};
use engine::provider::payment::{Known, Manual, NewPayment, Outcome, PaymentProvider, PaymentStep, Silent, Sums};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::database::TestDatabase;
use crate::support::stripe::{FakeStripe, Trouble};

/// A provider and the world around it.
#[async_trait]
trait World: Send + Sync {
    fn provider(&self) -> &dyn PaymentProvider;

    /// Whether it says no, and knows what was done.
    fn keeps_books(&self) -> bool {
        true
    }

    /// What a client says who pays so: `success`, `decline`, `3ds`, `delayed`.
    fn data(&self, way: &str) -> Value;

    /// The shopper says that it is he, or that it is not.
    async fn act(&self, reference: &str, confirmed: bool);

    /// Money on its way arrives.
    async fn arrive(&self, reference: &str);

    /// The answer to the next call gets lost, and what it asked for is done. Answers with what a client says who pays then.
    async fn lose_the_next_answer(&self) -> Value;

    /// So much time passes that a provider may have forgotten its keys.
    async fn grow_old(&self) {}

    /// How often money was promised or taken with this key.
    async fn charges(&self, key: &str) -> usize;
}

const TOTAL: i64 = 4_490;

fn euro(minor: i64) -> Money {
    Money::new(minor, "EUR".parse::<Currency>().unwrap())
}

fn payment(key: &str, capture: CaptureMode, data: Value) -> NewPayment {
    NewPayment {
        idempotency_key: key.to_owned(),
        repeated: false,
        age: chrono::TimeDelta::zero(),
        amount: euro(TOTAL),
        capture,
        data,
        return_url: Some("https://shop.example/pay".to_owned()),
        saving: Saving::default(),
    }
}

fn step(key: &str, reference: &str, minor: i64) -> PaymentStep {
    PaymentStep { idempotency_key: key.to_owned(), old: false, reference: reference.to_owned(), amount: euro(minor) }
}

async fn reference(world: &dyn World, key: &str, capture: CaptureMode, way: &str) -> String {
    let outcome = world.provider().create(&payment(key, capture, world.data(way))).await.unwrap();
    outcome.reference().unwrap_or_else(|| panic!("{outcome:?}")).to_owned()
}

async fn known(world: &dyn World, reference: &str) -> Known {
    world.provider().look_up(reference).await.unwrap().expect("it knows its payments")
}

/// Whether the books say this, where there are any.
async fn books(world: &dyn World, reference: &str, captured_minor: i64, refunded_minor: i64) {
    let expected = world.keeps_books().then_some(Sums { amount: euro(TOTAL), captured_minor, refunded_minor });
    assert_eq!(known(world, reference).await.sums, expected);
}

async fn keeps_the_contract(world: &dyn World) {
    let provider = world.provider();
    assert_eq!(provider.look_up("nobody").await.unwrap(), None, "a payment that was never made");
    promises_and_takes(world).await;
    gives_up(world).await;
    gives_back(world).await;
    if world.keeps_books() {
        says_no(world).await;
        waits_for_the_shopper(world).await;
        waits_for_money(world).await;
        charges_once(world).await;
        recalls(world).await;
        remembers(world).await;
    }
    if let Some(vault) = provider.vault() {
        saves(world, vault).await;
        pays_with_what_was_saved(world, vault).await;
    }
}

/// A payment by card that has something to do with what was saved.
fn with(world: &dyn World, key: &str, way: &str, saving: &Saving) -> NewPayment {
    NewPayment { saving: saving.clone(), ..payment(key, CaptureMode::Automatic, world.data(way)) }
}

async fn saves(world: &dyn World, vault: &dyn PaymentVault) {
    let provider = world.provider();
    assert!(vault.methods("nobody").await.unwrap().is_none_or(|methods| methods.is_empty()));
    let id = CustomerId(uuid::Uuid::new_v4());
    let customer = vault.create_customer(id).await.unwrap();
    assert!(!vault.owns("nobody", "nothing").await.unwrap().unwrap_or_default());
    assert_eq!(vault.create_customer(id).await.unwrap(), customer, "who is known keeps his name");
    assert_eq!(vault.methods(&customer).await.unwrap(), Some(Vec::new()));
    let save = Saving { customer: Some(customer.clone()), method: None, save: true };
    let not = Saving { save: false, ..save.clone() };
    for (key, way, saving) in [("save:no", "decline", &save), ("save:not", "success", &not)] {
        provider.create(&with(world, key, way, saving)).await.unwrap();
        assert_eq!(vault.methods(&customer).await.unwrap(), Some(Vec::new()), "{way}");
    }
    let waits = provider.create(&with(world, "save:3ds", "3ds", &save)).await.unwrap();
    assert_eq!(vault.methods(&customer).await.unwrap(), Some(Vec::new()), "it has not worked yet");
    world.act(waits.reference().unwrap(), true).await;
    assert_eq!(vault.methods(&customer).await.unwrap().unwrap().len(), 1);
    for key in ["save:1", "save:1", "save:2"] {
        provider.create(&with(world, key, "success", &save)).await.unwrap();
        let methods = vault.methods(&customer).await.unwrap().unwrap();
        assert_eq!(methods.len(), 2, "each card once: {methods:?}");
    }
    for name in [Some(customer.as_str()), None, Some("nobody")] {
        vault.forget_customer(id, name).await.unwrap();
    }
    assert!(vault.methods(&customer).await.unwrap().is_none_or(|methods| methods.is_empty()));
}

async fn pays_with_what_was_saved(world: &dyn World, vault: &dyn PaymentVault) {
    let provider = world.provider();
    let [id, other] = [1, 2].map(|_| CustomerId(uuid::Uuid::new_v4()));
    let (own, other) = (vault.create_customer(id).await.unwrap(), vault.create_customer(other).await.unwrap());
    let save = Saving { customer: Some(own.clone()), method: None, save: true };
    provider.create(&with(world, "own:save", "success", &save)).await.unwrap();
    let method = vault.methods(&own).await.unwrap().unwrap().remove(0).reference;
    assert_eq!(vault.owns(&own, &method).await.unwrap(), Some(true));
    assert_eq!(
        (vault.owns(&own, "x").await.unwrap(), vault.owns(&other, &method).await.unwrap()),
        (Some(false), Some(false))
    );
    let by = |customer: Option<&str>| Saving {
        customer: customer.map(str::to_owned),
        method: Some(method.clone()),
        save: false,
    };
    let nothing = |key: &str, saving: &Saving| NewPayment { data: json!({}), ..with(world, key, "success", saving) };
    let Outcome::Captured { reference } = provider.create(&nothing("own:1", &by(Some(&own)))).await.unwrap() else {
        panic!("it is his")
    };
    books(world, &reference, TOTAL, 0).await;
    for (key, customer) in [("own:other", Some(other.as_str())), ("own:nobody", None)] {
        let said = provider.create(&nothing(key, &by(customer))).await.unwrap();
        assert!(matches!(said, Outcome::Declined { .. }), "{said:?}");
        assert_eq!(world.charges(key).await, 0);
    }
    assert!(!vault.forget_method(&other, &method).await.unwrap(), "it is not his");
    assert!(!vault.forget_method(&own, "nothing").await.unwrap());
    assert!(vault.forget_method(&own, &method).await.unwrap());
    assert!(!vault.forget_method(&own, &method).await.unwrap(), "it is gone");
    let said = provider.create(&nothing("own:gone", &by(Some(&own)))).await.unwrap();
    assert!(matches!(said, Outcome::Declined { .. }), "{said:?}");
    // What it paid before is found again by the same call, even when the customer is forgotten meanwhile.
    vault.forget_customer(id, None).await.unwrap();
    for saving in [by(Some(&own)), by(None)] {
        let again = NewPayment { repeated: true, ..nothing("own:1", &saving) };
        assert_eq!(provider.create(&again).await.unwrap(), Outcome::Captured { reference: reference.clone() });
    }
    assert_eq!(world.charges("own:1").await, 1);
}

async fn promises_and_takes(world: &dyn World) {
    let provider = world.provider();
    let whole = reference(world, "take", CaptureMode::Manual, "success").await;
    assert_eq!(known(world, &whole).await.outcome, Outcome::Authorized { reference: whole.clone() });
    books(world, &whole, 0, 0).await;
    if world.keeps_books() {
        provider.capture(&step("take:much", &whole, TOTAL + 1)).await.unwrap().unwrap_err();
        books(world, &whole, 0, 0).await;
    }
    let taken = provider.capture(&step("take:all", &whole, TOTAL)).await.unwrap().unwrap();
    let again = provider.capture(&step("take:all", &whole, TOTAL)).await.unwrap().unwrap();
    assert_eq!(taken, again, "the same key takes once");
    books(world, &whole, TOTAL, 0).await;

    let parts = reference(world, "parts", CaptureMode::Manual, "success").await;
    provider.capture(&step("parts:1", &parts, 1_000)).await.unwrap().unwrap();
    books(world, &parts, 1_000, 0).await;
    let second = provider.capture(&step("parts:2", &parts, 2_000)).await.unwrap();
    assert_eq!(second.is_ok(), provider.captures_in_parts(), "{second:?}");
    books(world, &parts, if provider.captures_in_parts() { 3_000 } else { 1_000 }, 0).await;

    if world.keeps_books() {
        let at_once = provider.create(&payment("once", CaptureMode::Automatic, world.data("success"))).await.unwrap();
        let Outcome::Captured { reference } = at_once else { panic!("{at_once:?}") };
        books(world, &reference, TOTAL, 0).await;
    }
}

async fn gives_up(world: &dyn World) {
    let provider = world.provider();
    let given = reference(world, "void", CaptureMode::Manual, "success").await;
    for key in ["void:1", "void:1", "void:2"] {
        provider.void(&step(key, &given, TOTAL)).await.unwrap().unwrap();
    }
    if world.keeps_books() {
        assert_eq!(known(world, &given).await.outcome, Outcome::Canceled { reference: given.clone() });
        provider.capture(&step("void:take", &given, TOTAL)).await.unwrap().unwrap_err();
        let taken = reference(world, "void taken", CaptureMode::Automatic, "success").await;
        provider.void(&step("void:taken", &taken, TOTAL)).await.unwrap().unwrap_err();
        books(world, &taken, TOTAL, 0).await;
    }
}

async fn gives_back(world: &dyn World) {
    let provider = world.provider();
    let paid = reference(world, "back", CaptureMode::Manual, "success").await;
    provider.capture(&step("back:take", &paid, TOTAL)).await.unwrap().unwrap();
    for _ in 0..2 {
        provider.refund(&step("back:1", &paid, 490)).await.unwrap().unwrap();
    }
    books(world, &paid, TOTAL, 490).await;
    if world.keeps_books() {
        provider.refund(&step("back:much", &paid, 4_001)).await.unwrap().unwrap_err();
    }
    provider.refund(&step("back:2", &paid, 4_000)).await.unwrap().unwrap();
    books(world, &paid, TOTAL, TOTAL).await;
}

async fn says_no(world: &dyn World) {
    let said = world.provider().create(&payment("no", CaptureMode::Automatic, world.data("decline"))).await.unwrap();
    let Outcome::Declined { reference, reason } = said else { panic!("{said:?}") };
    assert!(!reason.is_empty() && !reason.contains('_'), "words for a shopper: {reason}");
    if let Some(reference) = reference {
        books(world, &reference, 0, 0).await;
        world.provider().void(&step("no:void", &reference, TOTAL)).await.unwrap().unwrap();
        assert!(matches!(known(world, &reference).await.outcome, Outcome::Canceled { .. }));
    }
}

async fn waits_for_the_shopper(world: &dyn World) {
    for (key, confirmed) in [("act", true), ("fail", false)] {
        let said = world.provider().create(&payment(key, CaptureMode::Automatic, world.data("3ds"))).await.unwrap();
        let Outcome::RequiresAction { reference, next_action } = said.clone() else { panic!("{said:?}") };
        assert!(next_action["type"].is_string(), "{next_action}");
        assert_eq!(known(world, &reference).await.outcome, said, "nothing has happened yet");
        world.act(&reference, confirmed).await;
        let outcome = known(world, &reference).await.outcome;
        match confirmed {
            true => assert_eq!(outcome, Outcome::Captured { reference: reference.clone() }),
            false => assert!(matches!(outcome, Outcome::Declined { .. }), "{outcome:?}"),
        }
        books(world, &reference, if confirmed { TOTAL } else { 0 }, 0).await;
    }
    let left = reference(world, "left", CaptureMode::Automatic, "3ds").await;
    world.provider().void(&step("left:void", &left, TOTAL)).await.unwrap().unwrap();
    world.act(&left, true).await;
    assert_eq!(known(world, &left).await.outcome, Outcome::Canceled { reference: left }, "it comes too late");
}

async fn waits_for_money(world: &dyn World) {
    let said = world.provider().create(&payment("late", CaptureMode::Automatic, world.data("delayed"))).await.unwrap();
    let Outcome::Processing { reference } = said else { panic!("{said:?}") };
    assert_eq!(known(world, &reference).await.outcome, Outcome::Processing { reference: reference.clone() });
    books(world, &reference, 0, 0).await;
    world.provider().void(&step("late:void", &reference, TOTAL)).await.unwrap().unwrap_err();
    world.arrive(&reference).await;
    assert_eq!(known(world, &reference).await.outcome, Outcome::Captured { reference: reference.clone() });
    books(world, &reference, TOTAL, 0).await;
}

async fn charges_once(world: &dyn World) {
    let data = world.lose_the_next_answer().await;
    let lost = payment("lost", CaptureMode::Automatic, data);
    world.provider().create(&lost).await.unwrap_err();
    assert_eq!(world.charges("lost").await, 1, "it was charged, and nobody was told");
    for _ in 0..3 {
        let said = world.provider().create(&NewPayment { repeated: true, ..lost.clone() }).await.unwrap();
        let Outcome::Captured { reference } = said else { panic!("{said:?}") };
        books(world, &reference, TOTAL, 0).await;
    }
    assert_eq!(world.charges("lost").await, 1);
}

/// What was recalled takes no money any more, whether it came before or comes later.
async fn recalls(world: &dyn World) {
    let provider = world.provider();
    let late = payment("never", CaptureMode::Automatic, world.data("success"));
    for _ in 0..2 {
        let recalled = provider.recall(&late).await.unwrap();
        let held = recalled.is_some_and(|known| {
            matches!(known.outcome, Outcome::Authorized { .. } | Outcome::Captured { .. } | Outcome::Processing { .. })
        });
        assert!(!held, "there was nothing to find, and nothing was taken");
    }
    let came = provider.create(&late).await;
    let paid = matches!(came, Ok(Outcome::Authorized { .. } | Outcome::Captured { .. } | Outcome::Processing { .. }));
    assert!(!paid, "it comes too late: {came:?}");
    assert_eq!(world.charges("never").await, 0);

    let data = world.lose_the_next_answer().await;
    let lost = payment("recalled", CaptureMode::Automatic, data);
    provider.create(&lost).await.unwrap_err();
    for _ in 0..2 {
        let known = provider.recall(&lost).await.unwrap().expect("it was made");
        let Outcome::Captured { reference } = known.outcome else { panic!("{:?}", known.outcome) };
        books(world, &reference, TOTAL, 0).await;
    }
    assert_eq!(world.charges("recalled").await, 1);
}

/// What was done so long ago that its key may be forgotten is not done again.
async fn remembers(world: &dyn World) {
    let provider = world.provider();
    let paid = reference(world, "remembered", CaptureMode::Manual, "success").await;
    let again = |key: &str, minor| PaymentStep { old: true, ..step(key, &paid, minor) };
    provider.capture(&step("remembered:take", &paid, TOTAL)).await.unwrap().unwrap();
    world.grow_old().await;
    provider.capture(&again("remembered:take", TOTAL)).await.unwrap().unwrap();
    books(world, &paid, TOTAL, 0).await;
    let first = provider.refund(&step("remembered:1", &paid, 1_000)).await.unwrap().unwrap();
    provider.refund(&step("remembered:2", &paid, 1_000)).await.unwrap().unwrap();
    world.grow_old().await;
    assert_eq!(provider.refund(&again("remembered:1", 1_000)).await.unwrap().unwrap(), first);
    books(world, &paid, TOTAL, 2_000).await;
    // One that never came is made now.
    provider.refund(&again("remembered:3", 1_000)).await.unwrap().unwrap();
    books(world, &paid, TOTAL, 3_000).await;
}

struct ByHand;

#[async_trait]
impl World for ByHand {
    fn provider(&self) -> &dyn PaymentProvider {
        &Manual
    }

    fn keeps_books(&self) -> bool {
        false
    }

    fn data(&self, _: &str) -> Value {
        json!({})
    }

    async fn act(&self, _: &str, _: bool) {}

    async fn arrive(&self, _: &str) {}

    async fn lose_the_next_answer(&self) -> Value {
        json!({})
    }

    async fn charges(&self, _: &str) -> usize {
        0
    }
}

#[tokio::test]
async fn what_is_paid_by_hand_keeps_it() {
    keeps_the_contract(&ByHand).await;
}

struct Cards {
    shop: Shop,
    cards: TestCards,
}

#[async_trait]
impl World for Cards {
    fn provider(&self) -> &dyn PaymentProvider {
        &self.cards
    }

    fn data(&self, way: &str) -> Value {
        json!({ "card": way })
    }

    async fn act(&self, reference: &str, confirmed: bool) {
        self.cards.answer(reference, confirmed).await.unwrap().unwrap();
    }

    async fn arrive(&self, _: &str) {
        self.shop.pass(DELAY + TimeDelta::seconds(1));
    }

    async fn lose_the_next_answer(&self) -> Value {
        json!({ "card": "lost" })
    }

    async fn charges(&self, key: &str) -> usize {
        use sea_orm::EntityTrait;
        let rows = entity::test_payment::Entity::find().all(&self.shop.app.read()).await.unwrap();
        rows.iter().filter(|row| row.idempotency_key == key && row.captured_minor > 0).count()
    }
}

#[tokio::test]
async fn test_cards_keep_it() {
    let database = Arc::new(TestDatabase::copy().await);
    let shop = Shop::on(database, |builder| builder.test_cards(true)).await;
    let cards = shop.app.test_cards.clone().unwrap();
    keeps_the_contract(&Cards { shop, cards }).await;
}

struct AtStripe {
    fake: FakeStripe,
    client: Stripe,
}

#[async_trait]
impl World for AtStripe {
    fn provider(&self) -> &dyn PaymentProvider {
        &self.client
    }

    fn data(&self, way: &str) -> Value {
        let method = match way {
            "success" => "pm_card_visa",
            "decline" => "pm_card_chargeDeclined",
            "3ds" => "pm_card_authenticationRequired",
            "delayed" => "pm_usBankAccount_success",
            other => panic!("{other}"),
        };
        json!({ "paymentMethodId": method })
    }

    async fn act(&self, reference: &str, confirmed: bool) {
        self.fake.act(reference, confirmed);
    }

    async fn arrive(&self, reference: &str) {
        self.fake.arrive(reference);
    }

    async fn lose_the_next_answer(&self) -> Value {
        self.fake.will([Trouble::Lost]);
        self.data("success")
    }

    async fn grow_old(&self) {
        self.fake.forget_keys();
    }

    async fn charges(&self, key: &str) -> usize {
        self.fake.charges(key)
    }
}

#[tokio::test]
async fn stripe_keeps_it() {
    let fake = FakeStripe::start().await;
    keeps_the_contract(&AtStripe { client: fake.client(), fake }).await;
}

/// A client that tries something at a new fake, with what the fake held afterwards.
async fn at_stripe(trouble: &[Trouble], payment: NewPayment) -> (Result<Outcome, Silent>, FakeStripe) {
    let fake = FakeStripe::start().await;
    fake.will(trouble.iter().copied());
    (fake.client().create(&payment).await, fake)
}

#[tokio::test]
async fn what_stripe_can_t_answer_is_silence_and_the_same_key_asks_again() {
    let visa = || payment("k", CaptureMode::Automatic, json!({ "paymentMethodId": "pm_card_visa" }));
    for status in [409, 429, 500, 502, 503] {
        let (said, fake) = at_stripe(&[Trouble::Status(status)], visa()).await;
        said.unwrap_err();
        assert_eq!(fake.charges("k"), 0);
        let again = fake.client().create(&NewPayment { repeated: true, ..visa() }).await.unwrap();
        assert!(matches!(again, Outcome::Captured { .. }), "{status}: {again:?}");
        assert_eq!(fake.charges("k"), 1);
    }
    // A key that was used for something else finds what it was used for, and makes nothing new.
    let (said, fake) = at_stripe(&[], visa()).await;
    let other = NewPayment { return_url: None, repeated: true, ..visa() };
    assert_eq!(fake.client().create(&other).await, said);
    // One that Stripe may have forgotten is looked for before anything is made.
    let old = NewPayment { age: TimeDelta::hours(21), repeated: true, ..visa() };
    assert_eq!(fake.client().create(&old).await, said);
    assert_eq!(fake.calls().iter().filter(|call| call.ends_with("/search")).count(), 2);
    assert_eq!((fake.charges("k"), fake.kept()), (1, TOTAL));
}

#[tokio::test]
async fn a_key_that_stripe_does_not_take_is_told_once_and_never_shown() {
    let fake = FakeStripe::start().await;
    let config = StripeConfig { secret_key: "sk_test_another".to_owned(), ..fake.config() };
    let client = Stripe::new(&config).unwrap();
    let visa = || payment("k", CaptureMode::Automatic, json!({ "paymentMethodId": "pm_card_visa" }));
    assert_eq!(client.create(&visa()).await, Ok(Outcome::Unavailable));
    let repeated = client.create(&NewPayment { repeated: true, ..visa() }).await;
    let told = format!("{:?} {repeated:?} {client:?} {config:?}", client.check().await.unwrap_err());
    assert!(repeated.is_err(), "the first call may have had an effect");
    assert!(!told.contains("sk_test_another") && !told.contains("whsec_"), "{told}");
    assert_eq!(fake.client().check().await, Ok("Stripe answers in test mode".to_owned()));
    for (secret_key, webhook) in
        [("pk_test_1", "whsec_1"), ("sk_test_", "whsec_1"), ("sk_test_1", "1"), ("sk_test_ü", "whsec_1")]
    {
        let config =
            StripeConfig { secret_key: secret_key.to_owned(), webhook_secrets: vec![webhook.to_owned()], api: None };
        let fault = Stripe::new(&config).unwrap_err();
        assert!(fault.contains("begins with"), "{fault}");
    }
}

#[tokio::test]
async fn the_shopper_is_told_why_in_words_and_never_what_the_bank_suspects() {
    let card = |name: &str| payment("k", CaptureMode::Automatic, json!({ "paymentMethodId": name }));
    for (method, words) in [
        ("pm_card_chargeDeclined", "The payment was declined."),
        ("pm_card_chargeDeclinedInsufficientFunds", "There is not enough money on the account."),
        ("pm_card_chargeDeclinedStolenCard", "The payment was declined."),
        ("pm_card_nobodyKnows", "This way to pay can't be used; choose another one."),
        ("tok_visa", "No payment method was given."),
    ] {
        let (said, fake) = at_stripe(&[], card(method)).await;
        let Ok(Outcome::Declined { reason, .. }) = said else { panic!("{said:?}") };
        assert_eq!((reason.as_str(), fake.kept()), (words, 0), "{method}");
    }
    let (token, _) =
        at_stripe(&[], payment("k", CaptureMode::Manual, json!({ "confirmationTokenId": "ctoken_visa" }))).await;
    assert!(matches!(token, Ok(Outcome::Authorized { .. })), "{token:?}");
    let dinar = Money::new(1_995, "KWD".parse().unwrap());
    let (odd, fake) = at_stripe(&[], NewPayment { amount: dinar, ..card("pm_card_visa") }).await;
    assert!(matches!(odd, Ok(Outcome::Declined { reference: None, .. })), "{odd:?}");
    assert!(fake.calls().is_empty(), "what Stripe can't count is not sent");
    let whole = Money::new(1_990, "KWD".parse().unwrap());
    let (_, fake) = at_stripe(&[], NewPayment { amount: whole, ..card("pm_card_visa") }).await;
    assert_eq!((&fake.intents()[0]["amount"], &fake.intents()[0]["currency"]), (&json!(1_990), &json!("kwd")));
    // Without a way back, no method that leads elsewhere is taken.
    let (action, _) = at_stripe(&[], NewPayment { return_url: None, ..card("pm_card_authenticationRequired") }).await;
    let Ok(Outcome::RequiresAction { next_action, .. }) = action else { panic!("{action:?}") };
    assert_eq!(next_action["type"], "use_stripe_sdk");
    assert!(next_action["clientSecret"].as_str().unwrap().contains("_secret_"), "{next_action}");
}
