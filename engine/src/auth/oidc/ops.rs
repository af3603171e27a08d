//! How a log-in at a provider begins and ends, and who is let in.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::id::StaffId;
use domain::reach::Reach;
use domain::refusal::{ErrorCode, Refusal};
use domain::text::{Email, title};
use entity::{oidc_login, staff};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use super::token::Claims;
use super::{Provider, ProviderConfig, repo, token as id_token};
use crate::actor::{Actor, Caller, Need};
use crate::app::App;
use crate::auth::factor::{self, LogIn};
use crate::auth::repo as identities;
use crate::auth::token;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::staff::repo as people;
use crate::staff::roles::HeldRole;

/// How long somebody may take at the provider.
const LIFE: TimeDelta = TimeDelta::minutes(10);
/// The most log-ins that are under way at once.
const MAX_UNDER_WAY: u64 = 10_000;
/// The longest code of a provider, in bytes.
const MAX_CODE: usize = 4096;

/// Where somebody proves who he is, and what his client keeps meanwhile.
#[derive(Debug, Clone)]
pub struct Started {
    /// Where the client sends him.
    pub address: String,
    /// Comes back with him; the client compares it.
    pub state: String,
    /// What only the client that began knows.
    pub token: String,
}

fn system(caller: &Caller) -> Caller {
    Caller { actor: Actor::System, ..caller.clone() }
}

fn owner(state_hash: &[u8]) -> String {
    format!("oidc_login:{}", BASE64_URL_SAFE_NO_PAD.encode(state_hash))
}

/// Begins a log-in at a provider.
pub async fn start(app: &Arc<App>, caller: &Caller, name: &str) -> Result<Started> {
    let provider = app
        .identity_providers
        .find(name)
        .ok_or_else(|| Refusal::new(ErrorCode::NotFound, "There is no such identity provider.").at(["provider"]))?;
    let config = &provider.config;
    let discovery = provider.client.discovery(config, app.clock.now()).await?;
    let (state, nonce, verifier) = (token::random_token(""), token::random_token(""), token::random_token(""));
    let mut address: Url = discovery.authorization_endpoint.parse().map_err(Error::internal)?;
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
    address.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", config.client_id.as_str()),
        ("redirect_uri", config.redirect_url.as_str()),
        ("scope", "openid email profile"),
        ("state", state.as_str()),
        ("nonce", nonce.as_str()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ]);
    let op = Begin { provider: config.name.clone(), state, nonce, verifier, token: token::random_token("") };
    app.run(&system(caller), &op).await?;
    Ok(Started { address: address.into(), state: op.state, token: op.token })
}

struct Begin {
    provider: String,
    state: String,
    nonce: String,
    verifier: String,
    token: String,
}

impl Op for Begin {
    const NAME: &'static str = "oidc.begin";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        if repo::count(&tx.conn, tx.now()).await? >= MAX_UNDER_WAY {
            let mut refusal = Refusal::new(ErrorCode::Throttled, "Too many log-ins are under way; wait and try again.");
            refusal.retry_after_ms = Some(60_000);
            return Err(refusal.into());
        }
        let state_hash = token::hash(&self.state);
        let row = oidc_login::Model {
            provider: self.provider.clone(),
            token_hash: token::hash(&self.token),
            nonce: self.nonce.clone(),
            verifier: tx.vault().seal(&owner(&state_hash), self.verifier.as_bytes())?,
            expires_at: tx.now() + LIFE,
            state_hash,
        };
        repo::insert(tx, row).await
    }
}

/// Ends a log-in with what came back from the provider. A second factor is
/// still wanted, unless the provider is trusted for it.
pub async fn finish(app: &Arc<App>, caller: &Caller, state: &str, token: &str, code: &str) -> Result<LogIn> {
    if code.is_empty() || code.len() > MAX_CODE {
        return Err(Refusal::new(ErrorCode::Invalid, "This is not a code.").at(["code"]).into());
    }
    // The state ends here, whatever comes of it: a second try begins anew.
    let take = Take { state_hash: token::hash(state), token_hash: token::hash(token) };
    let taken = app.run(&system(caller), &take).await?;
    let (row, verifier) = taken.ok_or_else(|| {
        let message = "This log-in is unknown, ended or too old; begin again.";
        Refusal::new(ErrorCode::TokenInvalid, message).at(["state"])
    })?;
    let provider = app.identity_providers.find(&row.provider).ok_or_else(|| Error::not_found("identity provider"))?;
    let claims = claims_of(app, provider, code, &verifier, &row.nonce).await?;
    let op = LetIn { config: provider.config.clone(), claims };
    let staff = app.run(&system(caller), &op).await?;
    factor::log_in(app, caller, staff, provider.config.trusted_for_second_factor, None).await
}

struct Take {
    state_hash: Vec<u8>,
    token_hash: Vec<u8>,
}

impl Op for Take {
    const NAME: &'static str = "oidc.take";
    const NEEDS: Need = Need::System;
    /// A refusal would keep the row; nothing is an answer.
    type Out = Option<(oidc_login::Model, String)>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        let row = repo::take(tx, &self.state_hash).await?;
        let good =
            |row: &oidc_login::Model| row.expires_at > tx.now() && token::same(&row.token_hash, &self.token_hash);
        let Some(row) = row.filter(good) else { return Ok(None) };
        let verifier = tx.vault().open(&owner(&self.state_hash), &row.verifier)?;
        let verifier = String::from_utf8(verifier).map_err(Error::internal)?;
        Ok(Some((row, verifier)))
    }
}

/// What the provider says of whoever comes with a code.
async fn claims_of(app: &App, provider: &Provider, code: &str, verifier: &str, nonce: &str) -> Result<Claims> {
    let (config, client, now) = (&provider.config, &provider.client, app.clock.now());
    let discovery = client.discovery(config, now).await?;
    let answer = client.change(config, &discovery, code, verifier).await?;
    let answer = answer.ok_or_else(|| {
        Refusal::new(ErrorCode::CredentialsInvalid, "The identity provider refused the code.").at(["code"])
    })?;
    let claims = id_token::read(config, client, &answer.id_token, nonce, now).await?;
    match (&claims.email, &answer.access_token) {
        (None, Some(access)) => {
            let more: Option<Claims> = client.user_info(config, &discovery, access).await?;
            // The two must speak of one person.
            Ok(more.filter(|more| more.sub == claims.sub).unwrap_or(claims))
        }
        _ => Ok(claims),
    }
}

/// Finds who it is; links somebody who is known by his address, and makes
/// somebody who is unknown, where the provider is configured for it.
struct LetIn {
    config: ProviderConfig,
    claims: Claims,
}

fn stranger(message: &str) -> Error {
    Refusal::new(ErrorCode::CredentialsInvalid, message).into()
}

impl LetIn {
    /// The address, when the provider has seen that it is his and it is one that is let in.
    fn email(&self) -> Result<Email> {
        let email = self.claims.email.as_deref().and_then(|text| text.parse::<Email>().ok());
        let email = email.ok_or_else(|| stranger("The identity provider names no e-mail address of yours."))?;
        if !self.claims.email_verified {
            return Err(stranger("The identity provider has not verified your e-mail address."));
        }
        if !self.config.lets_in(&email) {
            return Err(stranger("E-mail addresses of your domain are not let in."));
        }
        Ok(email)
    }

    async fn provision(&self, tx: &mut Tx, email: Email, role: &str) -> Result<staff::Model> {
        let role = identities::role_named(tx, role).await?;
        let role = role.ok_or_else(|| Error::internal("the role of provision_role doesn't exist"))?;
        let name = self.claims.name.as_deref().and_then(|name| title(name).ok());
        let row = staff::Model {
            id: tx.id(),
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            deleted_at: None,
            name: name.unwrap_or_else(|| email.to_string()),
            email,
            active: true,
            joined_at: Some(tx.now()),
        };
        let row = people::insert(tx, row).await?;
        let held = HeldRole { role, channels: Reach::Everything, locations: Reach::Everything };
        people::replace_roles(tx, row.id, &[held]).await?;
        tx.emit(Aggregate::new("staff", row.id), "staff.provisioned", json!({ "provider": self.config.name }));
        Ok(row)
    }
}

impl Op for LetIn {
    const NAME: &'static str = "oidc.let_in";
    const NEEDS: Need = Need::System;
    type Out = StaffId;

    async fn run(&self, tx: &mut Tx) -> Result<StaffId> {
        let key = self.config.key();
        if let Some(id) = repo::find_identity(&tx.conn, &key, &self.claims.sub).await? {
            if !self.config.email_domains.is_empty() {
                self.email()?;
            }
            let row = people::lock(tx, id).await?.filter(|row| row.active);
            return row.map(|row| row.id).ok_or_else(|| stranger("You have no access to this shop."));
        }
        let email = self.email()?;
        let row = match (people::lock_email(tx, &email).await?, &self.config.provision_role) {
            (Some(row), _) if !row.active => return Err(stranger("You have no access to this shop.")),
            (Some(mut row), _) if row.joined_at.is_none() => {
                // The mailbox was proved: that accepts the invitation.
                row.joined_at = Some(tx.now());
                row.version += 1;
                row.updated_at = tx.now();
                let row = people::update(tx, row).await?;
                crate::auth::one_time::end_all(tx, row.id.into()).await?;
                row
            }
            (Some(row), _) => row,
            (None, Some(role)) => self.provision(tx, email, role).await?,
            (None, None) => return Err(stranger("You have no access to this shop.")),
        };
        let id: StaffId = row.id;
        repo::insert_identity(tx, id, &key, &self.claims.sub).await?;
        tx.emit(Aggregate::new("staff", id), "staff.identity_linked", json!({ "provider": self.config.name }));
        Ok(id)
    }
}
