//! Tokens: what is signed, what is random, what is kept as a hash.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::Surface;
use domain::id::{OrderId, OrderTokenId, PaymentLinkId, SessionId};
use entity::{setting, signing_key};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::TryRngCore;
use rand::rngs::OsRng;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::db::{Conn, Db, StatementCount};
use crate::error::{Error, Result};

/// How long an access token is good for.
pub const ACCESS_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How long a session can be refreshed without a new log-in.
pub const SESSION_LIFE: TimeDelta = TimeDelta::days(30);
/// How long a guest's link opens his order.
pub const ORDER_LINK_LIFE: TimeDelta = TimeDelta::days(90);

const ALGORITHM: Algorithm = Algorithm::HS256;

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// The signing keys of the shop. They live in the database, so that every
/// node has the same; the newest signs, all that are kept verify.
pub struct Keys {
    shop: String,
    vault: String,
    keys: Vec<(String, EncodingKey, DecodingKey)>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("shop", &self.shop).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads the keys, making the first one when the shop is new.
    pub async fn load(db: &Db, now: DateTime<Utc>) -> Result<Self> {
        let conn = db.begin(&StatementCount::default()).await?;
        let first = signing_key::ActiveModel {
            kid: Set("1".to_owned()),
            secret: Set(random_bytes::<32>().to_vec()),
            created_at: Set(now),
            retired_at: Set(None),
        };
        // Nodes that start together agree on whichever key came first.
        signing_key::Entity::insert(first)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&conn)
            .await?;
        let shop = made_once(&conn, "shop_id").await?;
        let vault = made_once(&conn, "vault_key").await?;
        let rows = signing_key::Entity::find().order_by_desc(signing_key::Column::CreatedAt).all(&conn).await?;
        conn.commit().await?;
        let key = |row: signing_key::Model| {
            (row.kid, EncodingKey::from_secret(&row.secret), DecodingKey::from_secret(&row.secret))
        };
        Ok(Self { shop, vault, keys: rows.into_iter().map(key).collect() })
    }

    /// What tells this shop from others.
    pub fn shop_id(&self) -> String {
        self.shop.clone()
    }

    /// What seals secrets where the operator gives none.
    pub fn vault_key(&self) -> &str {
        &self.vault
    }

    /// An access token for a session.
    pub fn sign_access(
        &self,
        surface: Surface,
        session: SessionId,
        subject: &str,
        now: DateTime<Utc>,
    ) -> Result<String> {
        self.sign(&audience(surface), subject, &session.to_string(), now, now + ACCESS_LIFE)
    }

    /// The session of an access token, when it is ours, for this surface and in time.
    pub fn read_access(&self, surface: Surface, token: &str, now: DateTime<Utc>) -> Option<SessionId> {
        self.read(&audience(surface), token, now)?.jti.parse().ok()
    }

    /// The token that opens one order; the same row gives the same token.
    pub fn sign_order_link(
        &self,
        order: OrderId,
        id: OrderTokenId,
        created_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<String> {
        self.sign("order", &order.to_string(), &id.to_string(), created_at, expires_at)
    }

    /// The order and the row behind a link, when it is ours and in time.
    pub fn read_order_link(&self, token: &str, now: DateTime<Utc>) -> Option<(OrderId, OrderTokenId)> {
        let claims = self.read("order", token, now)?;
        Some((claims.sub.parse().ok()?, claims.jti.parse().ok()?))
    }

    /// The token of a link to pay by; the same row gives the same token.
    pub fn sign_payment_link(
        &self,
        order: OrderId,
        id: PaymentLinkId,
        created_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<String> {
        self.sign("payment", &order.to_string(), &id.to_string(), created_at, expires_at)
    }

    /// The order and the row behind a link to pay by, when it is ours and in time.
    pub fn read_payment_link(&self, token: &str, now: DateTime<Utc>) -> Option<(OrderId, PaymentLinkId)> {
        let claims = self.read("payment", token, now)?;
        Some((claims.sub.parse().ok()?, claims.jti.parse().ok()?))
    }

    fn sign(&self, aud: &str, sub: &str, jti: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<String> {
        let (kid, key, _) = self.keys.first().ok_or_else(|| Error::internal("the shop has no signing key"))?;
        let header = Header { kid: Some(kid.clone()), ..Header::new(ALGORITHM) };
        let claims = Claims {
            iss: self.issuer(),
            aud: aud.to_owned(),
            sub: sub.to_owned(),
            iat: from.timestamp(),
            exp: to.timestamp(),
            jti: jti.to_owned(),
        };
        jsonwebtoken::encode(&header, &claims, key).map_err(Error::internal)
    }

    fn read(&self, aud: &str, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let (_, _, key) = self.keys.iter().find(|(known, _, _)| *known == kid)?;
        let mut validation = Validation::new(ALGORITHM);
        validation.set_audience(&[aud]);
        validation.set_issuer(&[self.issuer()]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        // The shop's own clock decides; claims that are no numbers don't parse.
        validation.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).ok()?.claims;
        (claims.exp > now.timestamp()).then_some(claims)
    }

    fn issuer(&self) -> String {
        format!("emporion:{}", self.shop)
    }
}

/// A random setting that is made the first time that it is asked for.
/// What tells the shop of a database from others.
pub async fn shop_of(conn: &Conn) -> Result<String> {
    let row = setting::Entity::find_by_id("shop_id".to_owned()).one(conn).await?;
    Ok(row.ok_or_else(|| Error::internal("the shop was never opened"))?.value)
}

async fn made_once(conn: &Conn, key: &str) -> Result<String> {
    let row = setting::ActiveModel { key: Set(key.to_owned()), value: Set(random_token("")) };
    setting::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(conn)
        .await?;
    let row = setting::Entity::find_by_id(key.to_owned()).one(conn).await?;
    Ok(row.ok_or_else(|| Error::internal(format!("the setting {key} is missing")))?.value)
}

fn audience(surface: Surface) -> String {
    surface.as_str().to_lowercase()
}

/// 256 bits at random as text, behind a prefix that tells what it is.
pub fn random_token(prefix: &str) -> String {
    format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<32>()))
}

/// So many bytes at random.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator fails only where nothing secret can be made at all.
    #[allow(clippy::expect_used)]
    OsRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// What is kept of a random token. A fast hash suffices: there is nothing to guess.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

/// Compares hashes without telling by time how much of them agrees.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}
