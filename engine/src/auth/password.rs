//! Passwords, kept as argon2id hashes and compared off the async threads.

use std::sync::atomic::{AtomicU64, Ordering};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// How many hashes are computed at a time: each takes 19 MiB and tens of milliseconds.
static TURNS: Semaphore = Semaphore::const_new(2);
/// How many hashes were computed so far: what a test counts to see that an
/// unknown address costs the same work.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// How many hashes this process has computed, right or for nothing.
pub fn runs() -> u64 {
    RUNS.load(Ordering::Relaxed)
}

/// The hash of a password in PHC form.
pub async fn hash(password: String) -> Result<String> {
    let _turn = TURNS.acquire().await.map_err(Error::internal)?;
    RUNS.fetch_add(1, Ordering::Relaxed);
    let hashed = tokio::task::spawn_blocking(move || {
        Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string())
    });
    hashed.await?.map_err(Error::internal)
}

/// Whether the password belongs to the hash. Without a hash the same work is
/// done for nothing, so that time does not tell who has an account.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    let Some(hash) = hash else {
        self::hash(password).await?;
        return Ok(false);
    };
    let _turn = TURNS.acquire().await.map_err(Error::internal)?;
    RUNS.fetch_add(1, Ordering::Relaxed);
    let verified = tokio::task::spawn_blocking(move || {
        Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok()
    });
    Ok(verified.await?)
}
