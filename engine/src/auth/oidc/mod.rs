//! Logging staff in by OpenID Connect: the code flow with PKCE, a state and a
//! nonce, against the providers that the operator names.
//!
//! Written on `jsonwebtoken` and `reqwest`, which the shop has anyway; the
//! `openidconnect` crate would bring RSA and two elliptic curves in pure Rust
//! into the first build. Addresses come from the operator's file and from what
//! his provider publishes there, never from a request; answers are bounded in
//! size and time, and no redirect is followed.
//!
//! | to change | edit |
//! |---|---|
//! | what a provider may be | [`ProviderConfig`] |
//! | what is asked of a provider | [`client`] |
//! | which ID tokens count | [`token`] |
//! | how a log-in begins and ends, who is let in | [`ops`] |

pub mod client;
pub mod ops;
pub mod repo;
pub mod token;

use std::sync::Arc;

use domain::text::Email;
use serde::Deserialize;
use url::{Host, Url};

use client::Client;

/// The most providers of a shop.
const MAX_PROVIDERS: usize = 20;

/// A provider as the operator describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// What it is called in the API and in the database: lower-case letters, digits and dashes.
    pub name: String,
    /// What people read on the button.
    pub title: String,
    /// The issuer, exactly as the provider spells it.
    pub issuer: String,
    /// The shop's id at the provider.
    pub client_id: String,
    /// The shop's secret at the provider; absent for a public client.
    pub client_secret: Option<String>,
    /// Where the provider sends people back to: a page of the admin UI.
    pub redirect_url: String,
    /// The only domains whose addresses are let in; all when empty.
    #[serde(default)]
    pub email_domains: Vec<String>,
    /// The role that people get who are not known yet; without one they are not let in.
    pub provision_role: Option<String>,
    /// Whether a log-in there stands for the shop's second factor as well.
    #[serde(default)]
    pub trusted_for_second_factor: bool,
}

/// What a provider's answer may not contain.
fn plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 2048 && !text.chars().any(char::is_control)
}

/// An address that the shop may call: encrypted, or on this machine.
pub(crate) fn callable(address: &str) -> Option<Url> {
    let url: Url = address.parse().ok()?;
    let local = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (bare && (url.scheme() == "https" || url.scheme() == "http" && local)).then_some(url)
}

impl ProviderConfig {
    fn check(&mut self) -> Result<(), String> {
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.chars().all(name) {
            return Err("name is 1 to 32 lower-case letters, digits and dashes".to_owned());
        }
        for (field, text) in [("title", &self.title), ("issuer", &self.issuer), ("client_id", &self.client_id)] {
            if !plain(text) {
                return Err(format!("{field} is missing"));
            }
        }
        if self.client_secret.as_deref().is_some_and(|secret| !plain(secret)) {
            return Err("client_secret is empty".to_owned());
        }
        if callable(&self.issuer).is_none_or(|url| url.query().is_some()) {
            return Err("issuer is an https address (http only on this machine) without a query".to_owned());
        }
        if callable(&self.redirect_url).is_none() {
            return Err("redirect_url is an https address (http only on this machine)".to_owned());
        }
        for domain in &mut self.email_domains {
            *domain = domain.trim().trim_start_matches('@').to_lowercase();
            if format!("a@{domain}").parse::<Email>().is_err() {
                return Err(format!("{domain:?} is no domain of e-mail addresses"));
            }
        }
        if self.provision_role.is_some() && self.email_domains.is_empty() {
            return Err("provision_role needs email_domains: otherwise everybody would be let in".to_owned());
        }
        Ok(())
    }

    /// Whether an address is one of those that are let in.
    pub fn lets_in(&self, email: &Email) -> bool {
        let domain = email.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
        self.email_domains.is_empty() || self.email_domains.iter().any(|known| known == domain)
    }

    /// What the identities of this provider are stored under.
    pub fn key(&self) -> String {
        format!("oidc:{}", self.name)
    }
}

/// A provider, with what it published of itself.
#[derive(Debug)]
pub struct Provider {
    /// What the operator says about it.
    pub config: ProviderConfig,
    pub(crate) client: Client,
}

/// The providers of the shop.
#[derive(Debug, Clone, Default)]
pub struct Providers(Arc<Vec<Provider>>);

impl Providers {
    /// The providers that an operator describes, or what is wrong with the description.
    pub fn new(configs: Vec<ProviderConfig>) -> Result<Self, String> {
        if configs.len() > MAX_PROVIDERS {
            return Err(format!("a shop has at most {MAX_PROVIDERS} identity providers"));
        }
        let mut providers: Vec<Provider> = Vec::with_capacity(configs.len());
        for mut config in configs {
            let named = config.name.clone();
            config.check().map_err(|fault| format!("identity provider {named:?}: {fault}"))?;
            if providers.iter().any(|known| known.config.name == config.name) {
                return Err(format!("there are two identity providers {named:?}"));
            }
            let client = Client::new().map_err(|error| error.to_string())?;
            providers.push(Provider { config, client });
        }
        Ok(Self(Arc::new(providers)))
    }

    /// All of them, as the operator lists them.
    pub fn all(&self) -> &[Provider] {
        &self.0
    }

    /// The one of this name.
    pub fn find(&self, name: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.config.name == name)
    }
}
