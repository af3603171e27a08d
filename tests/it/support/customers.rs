//! How tests speak of customers: accounts, mailed tokens, mail that is wanted.

use domain::auth::TokenPurpose;
use domain::id::CustomerId;
use engine::actor::Caller;
use engine::customer::mail::IssueToken;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::buying::mutate;
use super::client::Client;
use super::log;
use super::{Answer, Shop};

/// The password of every customer who doesn't say otherwise.
pub const PASSWORD: &str = "correct horse";

/// A customer who is logged in.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: CustomerId,
    pub email: String,
    pub client: Client,
    pub refresh: String,
}

impl Account {
    /// Sends a mutation of the store.
    pub async fn mutate(&self, mutation: &str, input: Value, selection: &str) -> Answer {
        mutate(&self.client, "", mutation, input, selection).await
    }
}

impl Shop {
    /// Sends a mutation of the store as a guest.
    pub async fn guest(&self, mutation: &str, input: Value, selection: &str) -> Answer {
        mutate(&self.store, "", mutation, input, selection).await
    }

    /// Asks for an account.
    pub async fn register(&self, email: &str, password: &str) -> Answer {
        self.guest("customerRegister", json!({ "email": email, "password": password }), "accepted").await
    }

    /// The account with this address, whether it is proved or not.
    pub async fn account_id(&self, email: &str) -> CustomerId {
        let email = email.parse().unwrap();
        engine::customer::repo::find_account(&self.app.read(), &email).await.unwrap().expect("an account").id
    }

    /// What would be mailed: the token of this purpose.
    pub async fn mailed(&self, purpose: TokenPurpose, customer: CustomerId) -> String {
        let op = IssueToken { purpose, customer };
        let secret = self.app.run(&Caller::system(), &op).await.unwrap().expect("a mail").secret;
        log::plant(&secret);
        secret
    }

    /// Logs in.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        let select = "tokens { accessToken refreshToken accessTokenExpiresIn } customer { id email }";
        self.guest("customerLogin", json!({ "email": email, "password": password }), select).await
    }

    /// A customer with a proved mailbox who has logged in.
    pub async fn customer(&self, email: &str) -> Account {
        self.register(email, PASSWORD).await.done();
        let id = self.account_id(email).await;
        let token = self.mailed(TokenPurpose::CustomerVerification, id).await;
        self.guest("customerVerify", json!({ "token": token }), "verified").await.done();
        self.again(email, PASSWORD).await
    }

    /// Another session of a customer.
    pub async fn again(&self, email: &str, password: &str) -> Account {
        let tokens = self.log_in(email, password).await.done()["tokens"].clone();
        let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
        log::plant(&text("refreshToken"));
        Account {
            id: self.account_id(email).await,
            email: email.to_owned(),
            client: self.store.bearer(&text("accessToken")),
            refresh: text("refreshToken"),
        }
    }

    /// The templates of the mail that was asked for about an aggregate, oldest first.
    pub async fn mail_for(&self, aggregate: uuid::Uuid) -> Vec<String> {
        let events = entity::event::Entity::find()
            .filter(entity::event::Column::AggregateId.eq(aggregate))
            .filter(entity::event::Column::Kind.is_in(["customer.mail_requested", "order.mail_requested"]))
            .order_by_asc(entity::event::Column::Sequence)
            .all(&self.app.read())
            .await
            .unwrap();
        events.iter().map(|event| event.payload["template"].as_str().unwrap().to_owned()).collect()
    }
}
