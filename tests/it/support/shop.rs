//! The scenario builder.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use domain::auth::{ActorKind, OWNER, Surface};
use domain::media::MAX_UPLOAD;
use domain::throttle::{Budget, MOST};
use emporion::cli::serve::serve;
use emporion::http::gate::{Edge, Gate};
use emporion::http::rate::{Limit, Rates};
use engine::actor::Caller;
use engine::app::App;
use engine::auth::ops::{CreateStaff, OpenSession};
use engine::media::files::Files;
use engine::provider::notification::Mailer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::buying::eventually;
use super::client::{Answer, Client};
use super::clock::TestClock;
use super::database::TestDatabase;
use super::log;

/// A shop that is being served, with an owner who is logged in.
pub struct Shop {
    pub app: Arc<App>,
    pub clock: Arc<TestClock>,
    pub database: Arc<TestDatabase>,
    pub address: SocketAddr,
    pub store: Client,
    pub admin: Client,
    pub anonymous_admin: Client,
    stop: CancellationToken,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
        log::nothing_leaked();
    }
}

impl Shop {
    /// An empty shop: the default channel, the default location, an owner.
    pub async fn open() -> Self {
        Self::on(Arc::new(TestDatabase::copy().await), |builder| builder).await
    }

    /// The same on a database that may hold something, built as the test says.
    pub async fn on(
        database: Arc<TestDatabase>,
        build: impl FnOnce(engine::app::AppBuilder) -> engine::app::AppBuilder,
    ) -> Self {
        log::watch();
        let clock = Arc::new(TestClock::default());
        let builder = App::builder(&database.url).await.unwrap().clock(clock.clone());
        // A token in a mail would end the one that a test issues itself.
        let builder = builder.files(Files::new(database.files(), MAX_UPLOAD)).mail(Mailer::off());
        let app = build(builder).open().await.unwrap();
        emporion::cli::setup::furnish(&app).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        // All of a test's shoppers are at one address, some tests are a whole town, and in some one customer asks all
        // that there is to ask; `rate` serves by the defaults.
        let most = Limit(Some(Budget { capacity: MOST, per_second: MOST }));
        let rates = Rates { rate_address: most, rate_customer: most, ..Rates::default() };
        let edge = Edge { rates, ..Edge::default() };
        tokio::spawn(serve(app.clone(), listener, Gate::new(edge, stop.clone())));
        let anonymous_admin = Client::new(format!("http://{address}/admin/graphql"));
        let mut shop = Self {
            store: Client::new(format!("http://{address}/store/graphql")),
            admin: anonymous_admin.clone(),
            anonymous_admin,
            app,
            clock,
            database,
            address,
            stop,
        };
        shop.admin = shop.staff(OWNER).await;
        shop
    }

    /// A client of the admin surface who has just been given this role.
    pub async fn staff(&self, role: &str) -> Client {
        let op = CreateStaff {
            email: format!("{}@shop.example", uuid::Uuid::new_v4().simple()),
            name: role.to_owned(),
            role: role.to_owned(),
            secret_hash: String::new(),
        };
        let staff = self.app.run(&Caller::system(), &op).await.unwrap();
        let token = self.session(ActorKind::Staff, staff.id.into(), Surface::Admin).await;
        self.anonymous_admin.bearer(&token)
    }

    /// The access token of a new session.
    pub async fn session(&self, kind: ActorKind, actor: uuid::Uuid, surface: Surface) -> String {
        let op = OpenSession::new(kind, actor, surface);
        let session = self.app.run(&Caller::system(), &op).await.unwrap();
        let access = op.tokens(&self.app, &session).unwrap().access;
        log::plant(&access);
        access
    }

    /// Lets time pass.
    pub fn pass(&self, time: TimeDelta) {
        self.clock.pass(time);
    }

    /// Serves the shop once more, behind another gate.
    pub async fn served_at(&self, gate: Arc<Gate>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(self.app.clone(), listener, gate));
        address
    }

    /// A region that sells in euro to these countries at 19 % in each, with a
    /// flat shipping option of 4.90.
    pub async fn europe(&self, countries: &[&str], prices_include_tax: bool) -> Value {
        let set = "mutation($input: AdminRegionSetInput!) { regionSet(input: $input) {
            region { id handle version currencyCode } userErrors { code message path } } }";
        let input = json!({
            "handle": "europe", "name": "Europe", "currencyCode": "EUR", "countries": countries,
            "pricesIncludeTax": prices_include_tax,
        });
        let region = self.admin.send(set, json!({ "input": input })).await.done();
        for country in countries {
            let set = "mutation($input: AdminTaxRateSetInput!) { taxRateSet(input: $input) {
                taxRate { id } userErrors { code message path } } }";
            let input = json!({ "countryCode": country, "code": "VAT", "name": "VAT", "percent": "19" });
            self.admin.send(set, json!({ "input": input })).await.done();
        }
        let set = "mutation($input: AdminShippingOptionSetInput!) { shippingOptionSet(input: $input) {
            shippingOption { id } userErrors { code message path } } }";
        let input = json!({
            "handle": "parcel", "name": "Parcel", "countries": countries,
            "prices": [{ "amount": "4.90", "currencyCode": "EUR" }], "pricesIncludeTax": prices_include_tax,
        });
        self.admin.send(set, json!({ "input": input })).await.done();
        self.follow_regions().await;
        region["region"].clone()
    }

    /// Lets listings follow the taxes of the regions at once, as they do within seconds by themselves.
    pub async fn follow_regions(&self) {
        eventually("the shop has taken up its settings", async || {
            self.app.settings().version == engine::settings::version(&self.app.read()).await.unwrap()
        })
        .await;
        engine::pricing::listing::follow_regions(&self.app).await.unwrap();
    }

    /// Sends an admin mutation of the usual shape and answers with the payload.
    pub async fn set(&self, mutation: &str, input: Value, selection: &str) -> Answer {
        let mut name = mutation.to_owned();
        name.replace_range(..1, &mutation[..1].to_uppercase());
        let query = format!(
            "mutation($input: Admin{name}Input!) {{ {mutation}(input: $input) {{
                {selection} userErrors {{ code message path quantityAvailable limit currentVersion entityId }} }} }}"
        );
        self.admin.send(&query, json!({ "input": input })).await
    }
}
