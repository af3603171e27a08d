//! Which ID tokens count (OpenID Connect Core, section 3.1.3.7).

use chrono::{DateTime, Utc};
use domain::refusal::{ErrorCode, Refusal};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Deserializer};

use super::ProviderConfig;
use super::client::Client;
use crate::auth::token::same;
use crate::error::Result;

/// Signatures that only the provider can make: a shared secret signs nothing here.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far the provider's clock may be off, in seconds.
const LEEWAY: i64 = 60;
/// The longest name that a provider gives somebody.
const MAX_SUBJECT: usize = 255;

/// What an ID token, or the provider beside it, says of somebody.
#[derive(Debug, Clone, Deserialize)]
pub struct Claims {
    /// The provider's name for him.
    pub sub: String,
    /// His address.
    pub email: Option<String>,
    /// Whether the provider has seen that the mailbox is his.
    #[serde(default, deserialize_with = "truth")]
    pub email_verified: bool,
    /// What he is called.
    pub name: Option<String>,
}

/// Some providers write the word instead of the value.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value == serde_json::Value::Bool(true) || value == "true")
}

#[derive(Debug, Deserialize)]
struct IdToken {
    #[serde(flatten)]
    claims: Claims,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The refusal of an ID token, whatever is wrong with it; why is logged.
pub fn refused(config: &ProviderConfig, why: impl std::fmt::Display) -> Refusal {
    tracing::warn!(provider = config.name, %why, "an ID token was refused");
    Refusal::new(ErrorCode::CredentialsInvalid, "What the identity provider says of you can't be trusted.")
}

/// What an ID token says, when it is the provider's, for this shop, for this log-in and in time.
pub async fn read(
    config: &ProviderConfig,
    client: &Client,
    text: &str,
    nonce: &str,
    now: DateTime<Utc>,
) -> Result<Claims> {
    let header = jsonwebtoken::decode_header(text).map_err(|error| refused(config, error))?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(refused(config, format!("{:?} is no algorithm of ours", header.alg)).into());
    }
    let key = client.key(config, header.kid.as_deref(), now).await?;
    let key = key.ok_or_else(|| refused(config, "its key is unknown"))?;
    if !fits(&key, header.alg) {
        return Err(refused(config, "its key is for something else").into());
    }
    let key = DecodingKey::from_jwk(&key).map_err(|error| refused(config, error))?;
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[&config.client_id]);
    validation.set_issuer(&[&config.issuer]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    // The shop's own clock decides, below.
    validation.validate_exp = false;
    let token = jsonwebtoken::decode::<IdToken>(text, &key, &validation).map_err(|error| refused(config, error))?;
    check(config, &token.claims, nonce, now.timestamp())?;
    Ok(token.claims.claims)
}

/// Whether a key is one for signatures of this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let signs = key.common.public_key_use.as_ref().is_none_or(|public| *public == PublicKeyUse::Signature);
    let named = |known: &KeyAlgorithm| known.to_string() == format!("{algorithm:?}");
    signs && key.common.key_algorithm.as_ref().is_none_or(named)
}

fn check(config: &ProviderConfig, token: &IdToken, nonce: &str, now: i64) -> Result<(), Refusal> {
    let several = matches!(&token.aud, Audience::Several(list) if list.len() > 1);
    let ours = |party: &String| *party == config.client_id;
    let foreign = matches!(&token.aud, Audience::One(one) if !ours(one));
    let this = token.nonce.as_ref().is_some_and(|own| same(own.as_bytes(), nonce.as_bytes()));
    let nobody = token.claims.sub.is_empty() || token.claims.sub.len() > MAX_SUBJECT;
    let faults = [
        (foreign, "it is for somebody else"),
        (several && token.azp.is_none(), "it is for several and names none of them"),
        (token.azp.as_ref().is_some_and(|party| !ours(party)), "it was given to somebody else"),
        (token.exp.saturating_add(LEEWAY) <= now, "it is too old"),
        (token.iat > now + LEEWAY, "it comes from the future"),
        (!this, "it belongs to another log-in"),
        (nobody, "it names nobody"),
    ];
    match faults.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, fault)) => Err(refused(config, fault)),
        None => Ok(()),
    }
}
