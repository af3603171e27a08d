//! How tests speak of staff: accounts with a password, mailed tokens, codes of their apps.

use chrono::TimeDelta;
use domain::auth::TokenPurpose;
use domain::id::StaffId;
use engine::actor::Caller;
use engine::auth::factor::code_at;
use engine::auth::ops::CreateStaff;
use engine::staff::mail::IssueToken;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::buying::mutate;
use super::client::Client;
use super::{Answer, Shop};

/// The password of everybody of the staff.
pub const STAFF_PASSWORD: &str = "correct horse battery";

/// An authenticator app.
#[derive(Debug, Clone)]
pub struct AuthenticatorApp {
    secret: Vec<u8>,
}

impl AuthenticatorApp {
    /// An app that was given this secret in base32.
    pub fn of(secret: &str) -> Self {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let (mut held, mut bits, mut bytes) = (0_u64, 0, Vec::new());
        for letter in secret.chars() {
            held = (held << 5) | ALPHABET.find(letter).expect("base32") as u64;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(((held >> bits) & 255) as u8);
            }
        }
        Self { secret: bytes }
    }

    /// The code that it shows, so many steps from now.
    pub fn code(&self, shop: &Shop, steps: i64) -> String {
        code_at(&self.secret, shop.app.clock.now().timestamp().div_euclid(30) + steps)
    }
}

impl Shop {
    /// Somebody with this role who logs in with a password.
    pub async fn person(&self, email: &str, role: &str) -> StaffId {
        let secret_hash = engine::auth::password::hash(STAFF_PASSWORD.to_owned()).await.unwrap();
        let op = CreateStaff { email: email.to_owned(), name: "Ada".to_owned(), role: role.to_owned(), secret_hash };
        self.app.run(&Caller::system(), &op).await.unwrap().id
    }

    /// Lets time pass until apps have just begun to show another code.
    pub fn at_a_new_code(&self) {
        let into = self.app.clock.now().timestamp_millis().rem_euclid(30_000);
        self.pass(TimeDelta::milliseconds(30_000 - into));
    }

    /// Sends a mutation of the admin surface without a credential.
    pub async fn stranger(&self, mutation: &str, input: Value, selection: &str) -> Answer {
        mutate(&self.anonymous_admin, "Admin", mutation, input, selection).await
    }

    /// Tries a password.
    pub async fn staff_log_in(&self, email: &str, password: &str) -> Answer {
        let select = "tokens { accessToken } secondFactorRequired challenge";
        self.stranger("staffLogin", json!({ "email": email, "password": password }), select).await
    }

    /// The client of somebody who has logged in with his password alone.
    pub async fn logged_in(&self, email: &str) -> Client {
        let done = self.staff_log_in(email, STAFF_PASSWORD).await.done();
        self.anonymous_admin.bearer(done["tokens"]["accessToken"].as_str().expect("tokens"))
    }

    /// What would be mailed to a member of staff: the token of this purpose.
    pub async fn staff_mail(&self, purpose: TokenPurpose, staff: StaffId) -> Option<String> {
        let op = IssueToken { purpose, staff };
        self.app.run(&Caller::system(), &op).await.unwrap().map(|mail| mail.secret)
    }

    /// The templates of the mail to a member of staff that was asked for, oldest first.
    pub async fn staff_mail_wanted(&self, staff: StaffId) -> Vec<Value> {
        let events = entity::event::Entity::find()
            .filter(entity::event::Column::AggregateType.eq("staff"))
            .filter(entity::event::Column::AggregateId.eq(uuid::Uuid::from(staff)))
            .filter(entity::event::Column::Kind.eq("staff.mail_requested"))
            .order_by_asc(entity::event::Column::Sequence)
            .all(&self.app.read())
            .await
            .unwrap();
        events.into_iter().map(|event| event.payload).collect()
    }

    /// Sets a second factor up for whoever this client is, who has just logged in; answers with his app and his recovery codes.
    pub async fn with_app(&self, client: &Client) -> (AuthenticatorApp, Vec<String>) {
        let made = mutate(client, "Admin", "staffSecondFactorEnroll", json!({}), "secret").await.done();
        let app = AuthenticatorApp::of(made["secret"].as_str().unwrap());
        let code = json!({ "code": app.code(self, 0) });
        let done = mutate(client, "Admin", "staffSecondFactorConfirm", code, "recoveryCodes").await.done();
        let codes = done["recoveryCodes"].as_array().unwrap().iter();
        (app, codes.map(|code| code.as_str().unwrap().to_owned()).collect())
    }
}
