//! Secrets that must be read again, such as those of authenticator apps: kept
//! sealed (AES-256-GCM), bound to what they belong to.
//!
//! The key comes from `EMPORION_SECRET`, so that a copy of the database alone
//! opens nothing. Where that is not set, it comes from the shop's own random
//! key in the database; what was sealed with that one stays readable when a
//! secret is set later.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac;

use super::token::random_bytes;
use crate::error::{Error, Result};

/// The first byte of what was sealed: with which key.
const BY_SHOP: u8 = 0;
const BY_SECRET: u8 = 1;

/// Seals and opens.
pub struct Vault {
    shop: Keys,
    secret: Option<Keys>,
}

/// What is derived from one seed.
struct Keys {
    seals: LessSafeKey,
    hashes: hmac::Key,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("has_secret", &self.secret.is_some()).finish_non_exhaustive()
    }
}

fn failed(_: Unspecified) -> Error {
    Error::internal("a key could not be derived")
}

fn keys(seed: &[u8]) -> Result<Keys> {
    let derived = Salt::new(HKDF_SHA256, b"emporion").extract(seed);
    let bytes = |purpose: &[u8]| {
        let mut bytes = [0; 32];
        derived.expand(&[purpose], HKDF_SHA256).and_then(|key| key.fill(&mut bytes)).map_err(failed)?;
        Ok::<_, Error>(bytes)
    };
    Ok(Keys {
        seals: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes(b"vault 1")?).map_err(failed)?),
        hashes: hmac::Key::new(hmac::HMAC_SHA256, &bytes(b"fingerprint 1")?),
    })
}

impl Vault {
    /// Opens with the shop's own key and, when there is one, the operator's secret.
    pub fn new(shop: &str, secret: Option<&str>) -> Result<Self> {
        let secret = secret.map(|secret| keys(secret.as_bytes())).transpose()?;
        Ok(Self { shop: keys(shop.as_bytes())?, secret })
    }

    /// Seals a secret of `owner`: for anybody else it can't be opened.
    pub fn seal(&self, owner: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let (by, key) = match &self.secret {
            Some(keys) => (BY_SECRET, &keys.seals),
            None => (BY_SHOP, &self.shop.seals),
        };
        let nonce: [u8; NONCE_LEN] = random_bytes();
        let mut text = plain.to_vec();
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut text)
            .map_err(|_| Error::internal("a secret could not be sealed"))?;
        Ok([&[by], nonce.as_slice(), &text].concat())
    }

    /// Opens what was sealed for `owner`.
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let broken = || Error::internal("a sealed secret could not be opened: is EMPORION_SECRET another one?");
        let (by, rest) = sealed.split_first().ok_or_else(broken)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let key = match *by {
            BY_SHOP => &self.shop.seals,
            BY_SECRET => &self.secret.as_ref().ok_or_else(broken)?.seals,
            _ => return Err(broken()),
        };
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut text = text.to_vec();
        let plain = key.open_in_place(nonce, Aad::from(owner), &mut text).map_err(|_| broken())?;
        Ok(plain.to_vec())
    }

    /// What a text is found by whose own words are not kept: a keyed hash for this purpose.
    pub fn fingerprint(&self, purpose: &str, text: &str) -> Vec<u8> {
        match &self.secret {
            Some(keys) => fingerprint(BY_SECRET, keys, purpose, text),
            None => fingerprint(BY_SHOP, &self.shop, purpose, text),
        }
    }

    /// Everything by which a text may be found: what was written before a secret was set is found as well.
    pub fn fingerprints(&self, purpose: &str, text: &str) -> Vec<Vec<u8>> {
        let by_secret = self.secret.as_ref().map(|keys| fingerprint(BY_SECRET, keys, purpose, text));
        by_secret.into_iter().chain([fingerprint(BY_SHOP, &self.shop, purpose, text)]).collect()
    }
}

fn fingerprint(by: u8, keys: &Keys, purpose: &str, text: &str) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&keys.hashes);
    context.update(purpose.as_bytes());
    context.update(&[0]);
    context.update(text.as_bytes());
    [&[by], context.sign().as_ref()].concat()
}
