//! A shop in which customer B has one of everything, and those who would like
//! to have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::auth::{ActorKind, OWNER, Permission, Surface, VIEWER};
use domain::id::{self, FulfillmentId, JobId, OrderId, OrderLineId, PaymentId, RoleId};
use domain::job::{JobKind, JobState, JobStep};
use engine::actor::{Caller, Need};
use engine::auth::keys::CreateApiKey;
use engine::auth::token::random_token;
use entity::{job, role};
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel};
use serde_json::{Value, json};
use uuid::Uuid;

use super::document::{Book, SAVED};
use crate::support::Shop;
use crate::support::buying::{Placed, address};
use crate::support::client::Client;
use crate::support::customers::Account;
use crate::support::database::TestDatabase;
use crate::support::pictures::{made, png, staged};
use crate::support::walker::{new_key, pack};

/// What everybody may see: an id of it opens nothing by itself.
const PUBLIC: &[&str] = &[
    "prod",
    "variant",
    "coll",
    "cat",
    "media",
    "opt",
    "optval",
    "chan",
    "reg",
    "loc",
    "shipopt",
    "shipprof",
    "zone",
    "taxrate",
    "taxreg",
    "pkey",
    "mfdef",
    "policy",
    "pricelist",
    "promo",
    "pcode",
    "camp",
    "iitem",
    "resv",
];
/// What can be hidden from shoppers.
pub const HIDEABLE: &[&str] = &["prod", "variant", "coll", "cat"];

/// Somebody at the admin surface.
pub struct Person {
    pub name: String,
    pub client: Client,
    /// What he sends when he opens a socket.
    pub introduction: Value,
    /// What he holds; nothing at all, not even the empty list, without an admin credential.
    pub holds: Option<Vec<Permission>>,
}

impl Person {
    /// Whether he has what a field needs.
    pub fn has(&self, need: Need) -> bool {
        match need {
            Need::Nothing => true,
            Need::Admin => self.holds.is_some(),
            Need::Permission(permission) => self.holds.as_ref().is_some_and(|held| held.contains(&permission)),
            _ => false,
        }
    }

    /// The one code with which he is refused.
    pub fn refusal(&self) -> &'static str {
        if self.holds.is_some() { "FORBIDDEN" } else { "UNAUTHENTICATED" }
    }
}

/// The shop, its customers, and the ids.
pub struct Scene {
    pub shop: Shop,
    pub ada: Account,
    pub bob: Account,
    /// A client that names another channel than the default one.
    pub keyed: Client,
    /// What names customer B's things in the database.
    pub named: Vec<Uuid>,
    own: Ids,
    hidden: Ids,
    texts: BTreeMap<&'static str, Value>,
    number: i64,
}

async fn found(shop: &Shop, sql: &str, of: &[Uuid]) -> Uuid {
    let conn = shop.app.read();
    let values: Vec<sea_orm::Value> = of.iter().map(|id| (*id).into()).collect();
    let row = conn.query_one_raw(engine::db::statement(&conn, sql, values)).await.unwrap();
    row.unwrap_or_else(|| panic!("nothing is found by {sql}")).try_get_by_index(0).unwrap()
}

async fn ordered(shop: &Shop, client: &Client, variant: &str, email: &str, payment: Value) -> Placed {
    let input = json!({ "lines": [{ "variantId": variant, "quantity": 2 }], "buyer": { "email": email },
        "addresses": { "shipping": address("DE"), "billing": address("DE") } });
    let mut cart = shop.cart_of(input).await;
    cart.client = client.clone();
    cart.select_delivery().await.done();
    cart.mutate("paymentSessionCreate", payment).await.done();
    let answer = cart.complete(&new_key()).await;
    Placed::of(cart, &answer)
}

type Ids = BTreeMap<&'static str, String>;

/// Makes the merchant's things: what is for sale, what is hidden, and all that staff have besides.
async fn furnished(shop: &Shop) -> (Ids, Ids) {
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual", "test"]).await;
    let red = json!([{ "name": "Color", "values": ["Red"] }]);
    let variant = json!([{ "options": [{ "name": "Color", "value": "Red" }], "stock": 50,
        "prices": [{ "amount": { "amount": "20.00", "currencyCode": "EUR" } }] }]);
    let tee = json!({ "title": "Tee", "status": "PUBLISHED", "options": red, "variants": variant });
    let tee = shop.set("productCreate", tee, "product { id variants { id } }").await.done()["product"].clone();
    let secret = shop.product("Secret").with("status", json!("DRAFT")).price("9.00").stock(5).create().await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut shown = BTreeMap::from([("prod", text(&tee["id"])), ("variant", text(&tee["variants"][0]["id"]))]);
    let mut hidden = BTreeMap::from([("prod", secret.product), ("variant", secret.variant)]);
    for (title, to) in [("Picks", &mut shown), ("Plans", &mut hidden)] {
        let mut input = json!({ "title": title, "productIds": [tee["id"]] });
        if title == "Plans" {
            input["channelIds"] = json!([]);
        }
        let made = shop.set("collectionSet", input, "collection { id }").await.done();
        to.insert("coll", text(&made["collection"]["id"]));
        let input = json!({ "title": title, "active": title == "Picks" });
        let made = shop.set("categorySet", input, "category { id }").await.done();
        to.insert("cat", text(&made["category"]["id"]));
    }
    let definition = json!({ "ownerType": "PRODUCT", "namespace": "custom", "key": "color", "name": "Color",
        "type": "SINGLE_LINE_TEXT" });
    shop.set("metafieldDefinitionSet", definition, "metafieldDefinition { id }").await.done();
    let policy = json!({ "kind": "PRIVACY", "bodyHtml": "<p>We keep little.</p>" });
    shop.set("policySet", policy, "policy { id }").await.done();
    let sale = json!({ "name": "Sale", "kind": "SALE" });
    shop.set("priceListSet", sale, "priceList { id }").await.done();
    shop.set("campaignCreate", json!({ "title": "Autumn" }), "campaign { id }").await.done();
    let off = json!({ "reduce": { "target": { "order": true }, "reduction": { "percentage": { "percent": "10" } } } });
    let promotion = json!({ "title": "Ten off", "method": "CODE", "offer": off });
    let drafted = shop.set("promotionCreate", promotion, "promotion { id }").await.done();
    let codes = json!({ "promotionId": drafted["promotion"]["id"], "codes": ["TENOFF"] });
    shop.set("promotionCodesAdd", codes, "codes { id }").await.done();
    made(shop, "image/png", &png(4, 4), json!({})).await;
    staged(shop, "image/png", png(4, 4).len()).await;
    shop.set("roleSet", json!({ "name": "Target", "permissions": ["CATALOG_READ"] }), "role { id }").await.done();
    let card = json!({ "idempotencyKey": new_key(), "amount": { "amount": "5.00", "currencyCode": "EUR" } });
    shop.set("giftCardIssue", card, "giftCard { id }").await.done();
    shop.set("apiKeyCreate", json!({ "title": "Target", "role": "viewer" }), "apiKey { id }").await.done();
    shop.staff("Target").await;
    (shown, hidden)
}

/// A link by which an order could be paid.
async fn payable(shop: &Shop, order: &str) {
    let now = shop.app.clock.now();
    let row = entity::payment_link::Model {
        id: Uuid::now_v7().into(),
        order_id: order.parse().unwrap(),
        created_at: now,
        created_by: "staff".to_owned(),
        expires_at: now + chrono::TimeDelta::days(14),
        revoked_at: None,
        amount_minor: None,
        currency: "EUR".parse().unwrap(),
    };
    let conn = shop.app.db.begin(&engine::db::StatementCount::default()).await.unwrap();
    row.into_active_model().insert(&conn).await.unwrap();
    conn.commit().await.unwrap();
}

impl Scene {
    /// Opens the shop.
    pub async fn open() -> Self {
        let database = Arc::new(TestDatabase::copy().await);
        let shop = Shop::on(database, |builder| builder.test_cards(true)).await;
        let (mut own, hidden) = furnished(&shop).await;
        let variant = own["variant"].clone();
        let (ada, bob) = (shop.customer("ada@shopper.example").await, shop.customer("bob@shopper.example").await);
        for account in [&ada, &bob] {
            account.mutate("customerAddressCreate", json!({ "address": address("DE") }), "address { id }").await.done();
        }
        let variant_id = [id::parse(&variant).unwrap().1];
        let item = found(&shop, "select item_id from variant_item where variant_id = ?", &variant_id).await;
        let aside = json!({ "idempotencyKey": new_key(), "inventoryItemId": id::InventoryItemId(item).to_string(),
            "locationId": shop.app.settings().locations[0].id.to_string(), "quantity": 1 });
        shop.set("reservationCreate", aside, "reservation { id }").await.done();
        let group = json!({ "name": "Friends", "add": [bob.id.to_string()] });
        shop.set("customerGroupSet", group, "group { id }").await.done();
        let by_hand = json!({ "provider": "manual" });
        let foreign = ordered(&shop, &ada.client, &variant, &ada.email, by_hand.clone()).await;
        let saving = json!({ "provider": "test", "savePaymentMethod": true });
        ordered(&shop, &bob.client, &variant, &bob.email, saving).await;
        let saved = bob.client.send("{ customer { paymentMethods { id } } }", json!({})).await;
        let saved = saved.at("customer.paymentMethods")[0]["id"].as_str().unwrap().to_owned();
        own.insert(SAVED, saved);
        let placed = ordered(&shop, &bob.client, &variant, &bob.email, by_hand).await;
        payable(&shop, &placed.id).await;
        pack(&shop.admin, &placed.id).await;
        let mut cart = shop.cart(&[(&variant, 1)]).await;
        cart.client = bob.client.clone();
        cart.select_delivery().await.done();
        let theirs = shop.cart(&[(&variant, 1)]).await;
        let channel = json!({ "name": "Second", "handle": "second" });
        let channel = shop.set("channelCreate", channel, "channel { id }").await.done()["channel"]["id"].clone();
        let key = json!({ "title": "Web", "channelId": channel });
        let key = shop.set("publishableKeyCreate", key, "publishableKey { token }").await.done();
        let keyed = shop.store.with("x-publishable-key", key["publishableKey"]["token"].as_str().unwrap());
        let texts = BTreeMap::from([("cartToken", json!(theirs.token)), ("accessToken", json!(foreign.access_token))]);
        let mut scene = Self { number: placed.number, shop, ada, bob, keyed, named: Vec::new(), own, hidden, texts };
        scene.shop.mail_is_done().await;
        scene.done_job().await;
        scene.gather(&placed.id, &cart.id).await;
        scene
    }

    /// Looks up one id of each kind: customer B's own wherever there is one.
    async fn gather(&mut self, order: &str, cart: &str) {
        let raw = |text: &str| id::parse(text).unwrap().1;
        let (bob, order, cart) = (Uuid::from(self.bob.id), raw(order), raw(cart));
        macro_rules! one {
            ($($kind:ident: $sql:literal of $of:expr;)*) => {$(
                let id = found(&self.shop, $sql, &$of).await;
                self.own.insert(id::$kind::PREFIX, id::$kind(id).to_string());
                if !PUBLIC.contains(&id::$kind::PREFIX) {
                    self.named.push(id);
                }
            )*};
        }
        one! {
            CustomerId: "select id from customer where id = ?" of [bob];
            AddressId: "select id from address where customer_id = ?" of [bob];
            CustomerGroupId: "select group_id from customer_group_member where customer_id = ?" of [bob];
            SessionId: "select id from session where actor_id = ?" of [bob];
            CartId: "select id from cart where customer_id = ? and id = ?" of [bob, cart];
            CartLineId: "select id from cart_line where cart_id = ?" of [cart];
            CartDeliveryId: "select id from cart_delivery where cart_id = ?" of [cart];
            OrderId: "select id from \"order\" where customer_id = ? and id = ?" of [bob, order];
            OrderLineId: "select id from order_line where order_id = ?" of [order];
            PaymentId: "select id from payment where order_id = ?" of [order];
            PaymentLinkId: "select id from payment_link where order_id = ?" of [order];
            FulfillmentId: "select id from fulfillment where order_id = ?" of [order];
            FlowId: "select id from flow where kind = 'checkout' limit 1" of [];
            JobId: "select id from job limit 1" of [];
            NotificationId: "select id from notification where order_id = ?" of [order];
            StaffId: "select staff_id from staff_role join role on role.id = role_id where name = 'Target'" of [];
            RoleId: "select id from role where name = 'Target'" of [];
            ApiKeyId: "select id from api_key where title = 'Target'" of [];
            StagedUploadId: "select id from staged_upload order by id desc limit 1" of [];
            MediaId: "select id from media limit 1" of [];
            InventoryItemId: "select item_id from reservation where checkout_id is null" of [];
            ReservationId: "select id from reservation where checkout_id is null" of [];
            OptionId: "select id from \"option\" limit 1" of [];
            OptionValueId: "select id from option_value limit 1" of [];
            ChannelId: "select id from channel where handle = 'default'" of [];
            RegionId: "select id from region limit 1" of [];
            LedgerAccountId: "select id from ledger_account where kind = 'GIFT_CARD' limit 1" of [];
            LocationId: "select id from location limit 1" of [];
            ShippingProfileId: "select id from shipping_profile limit 1" of [];
            ServiceZoneId: "select id from service_zone limit 1" of [];
            ShippingOptionId: "select id from shipping_option limit 1" of [];
            TaxRateId: "select id from tax_rate limit 1" of [];
            TaxRegionId: "select id from tax_region limit 1" of [];
            PublishableKeyId: "select id from publishable_key limit 1" of [];
            PolicyId: "select id from policy limit 1" of [];
            PriceListId: "select id from price_list limit 1" of [];
            PromotionId: "select id from promotion limit 1" of [];
            CampaignId: "select id from campaign limit 1" of [];
            PromotionCodeId: "select id from promotion_code limit 1" of [];
            MetafieldDefinitionId: "select id from metafield_definition limit 1" of [];
        }
    }

    /// A job that has ended, so that nobody works on it while others are asked about it.
    async fn done_job(&self) {
        let now = self.shop.app.clock.now();
        let row = job::Model {
            id: JobId(Uuid::now_v7()),
            version: 1,
            created_at: now,
            updated_at: now,
            kind: JobKind::ProductImport,
            state: JobState::Succeeded,
            step: JobStep::Work,
            actor: "system".to_owned(),
            fingerprint: "done".to_owned(),
            input: json!({}),
            file_hash: None,
            dry_run: false,
            done: 0,
            total: Some(0),
            created: 0,
            changed: 0,
            unchanged: 0,
            refused: 0,
            errors: json!([]),
            error_count: 0,
            failure: None,
            cancel_requested: false,
            attempts: 1,
            run_at: now,
            lease_owner: None,
            lease_until: None,
            paced_at: None,
            paced_from: 0,
            told_at: None,
            started_at: Some(now),
            finished_at: Some(now),
        };
        row.into_active_model().reset_all().insert(self.shop.app.db.admin()).await.unwrap();
    }

    fn book(&self, key: &str, email: &str, number: i64) -> Book {
        let mut texts = self.texts.clone();
        texts.extend([("email", json!(email)), ("number", json!(number))]);
        // To demand a second factor of everybody would end what the others here may do.
        texts.insert("secondFactorRequired", json!(false));
        Book { ids: self.own.clone(), texts, key: key.to_owned() }
    }

    /// Customer B's ids, address and number, with tokens that open something else.
    pub fn theirs(&self) -> Book {
        self.book("theirs", &self.bob.email, self.number)
    }

    /// The same with ids, an address and a number that nobody has.
    pub fn nobodys(&self) -> Book {
        let mut book = self.book("nobody's", "nobody@shopper.example", 999_999);
        for (prefix, id) in &mut book.ids {
            if !PUBLIC.contains(prefix) {
                *id = unknown(prefix);
            }
        }
        book
    }

    /// Customer B's ids, but of orders and what belongs to them some that nobody has.
    pub fn without_orders(&self) -> Book {
        let mut book = self.theirs();
        for prefix in [OrderId::PREFIX, OrderLineId::PREFIX, PaymentId::PREFIX, FulfillmentId::PREFIX] {
            book.ids.insert(prefix, unknown(prefix));
        }
        book
    }

    /// Somebody with every permission, in a channel and at a location where customer B never bought.
    pub async fn elsewhere(&self) -> Client {
        let shop = &self.shop;
        let client = shop.staff(OWNER).await;
        let me = client.send("{ me { id } }", json!({})).await.at("me.id");
        let roles = shop.admin.send("{ roles { id name } }", json!({})).await.at("roles");
        let owner = roles.as_array().unwrap().iter().find(|role| role["name"] == OWNER).unwrap();
        let channels = shop.admin.send("{ channels { id handle } }", json!({})).await.at("channels");
        let second = channels.as_array().unwrap().iter().find(|channel| channel["handle"] == "second").unwrap();
        let depot = shop.set("locationSet", json!({ "name": "Depot", "priority": 5 }), "location { id }").await.done();
        let wish = json!({ "roleId": owner["id"], "channelIds": [second["id"]],
            "locationIds": [depot["location"]["id"]] });
        shop.set("staffUpdate", json!({ "id": me, "roles": [wish] }), "staff { id }").await.done();
        client
    }

    /// What nobody has, and of what is for sale what shoppers may not see.
    pub fn hidden(&self) -> Book {
        let mut book = self.nobodys();
        book.ids.extend(self.hidden.clone());
        book
    }

    /// What nobody has, and nothing that is for sale either.
    pub fn gone(&self) -> Book {
        let mut book = self.nobodys();
        book.ids.extend(HIDEABLE.iter().map(|prefix| (*prefix, unknown(prefix))));
        book
    }

    /// Forgets the tries: a matrix would otherwise meet the throttle alone.
    pub async fn forget_tries(&self) {
        self.shop.app.db.admin().execute_unprepared("delete from access_attempt").await.unwrap();
    }

    async fn member(&self, name: &str, role: &str, holds: Vec<Permission>) -> Person {
        let client = self.shop.staff(role).await;
        let introduction = json!({ "Authorization": client.credential() });
        Person { name: name.to_owned(), client, introduction, holds: Some(holds) }
    }

    async fn key(&self, name: &str, role: &str, holds: Vec<Permission>) -> Person {
        let op = CreateApiKey {
            title: name.to_owned(),
            role: role.to_owned(),
            secret: random_token(engine::auth::API_KEY_PREFIX),
        };
        self.shop.app.run(&Caller::system(), &op).await.unwrap();
        let client = self.shop.anonymous_admin.bearer(&op.secret);
        let introduction = json!({ "Authorization": client.credential() });
        Person { name: name.to_owned(), client, introduction, holds: Some(holds) }
    }

    /// A role of the database's own making: no operation makes one that grants nothing.
    async fn role(&self, name: &str, permissions: &[Permission]) {
        let words: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        let now = self.shop.app.clock.now();
        let row = role::Model {
            id: RoleId(Uuid::now_v7()),
            version: 1,
            created_at: now,
            updated_at: now,
            name: name.to_owned(),
            permissions: json!(words),
        };
        row.into_active_model().reset_all().insert(self.shop.app.db.admin()).await.unwrap();
    }

    /// Everybody who may come to the admin surface.
    pub async fn people(&self) -> Vec<Person> {
        let stranger = |name: &str, client: Client, introduction: Value| Person {
            name: name.to_owned(),
            client,
            introduction,
            holds: None,
        };
        let anonymous = &self.shop.anonymous_admin;
        let session = self.shop.session(ActorKind::Customer, self.ada.id.into(), Surface::Store).await;
        let customer = anonymous.bearer(&session);
        let credential = json!({ "Authorization": customer.credential() });
        let key = self.keyed.header("x-publishable-key");
        let keyed = anonymous.with("x-publishable-key", &key);
        let mut people = vec![
            stranger("a guest", anonymous.clone(), json!({})),
            stranger("customer A", customer, credential),
            stranger("a publishable key", keyed, json!({ "X-Publishable-Key": key })),
        ];
        self.role("Nothing", &[]).await;
        people.push(self.member("staff who hold nothing", "Nothing", Vec::new()).await);
        people.push(self.key("a key that holds nothing", "Nothing", Vec::new()).await);
        for permission in Permission::ALL {
            let role = format!("Only {permission}");
            self.role(&role, &[*permission]).await;
            people.push(self.member(&format!("staff with {permission}"), &role, vec![*permission]).await);
        }
        let narrow = Permission::CatalogRead;
        people.push(self.key("a narrow key", &format!("Only {narrow}"), vec![narrow]).await);
        let reads = Permission::ALL.iter().copied().filter(|permission| permission.only_reads()).collect();
        people.push(self.member("a viewer", VIEWER, reads).await);
        people.push(self.member("an owner", OWNER, Permission::ALL.to_vec()).await);
        people
    }
}

fn unknown(prefix: &str) -> String {
    let known = id::OrderId(Uuid::now_v7()).to_string();
    match prefix {
        SAVED => known.replacen("order", "test:test_card", 1),
        prefix => known.replacen("order", prefix, 1),
    }
}
