//! Who may ask how much: token buckets by address and by credential, in this
//! process or, for all processes together, in Redis.
//!
//! | to change | edit |
//! |---|---|
//! | how a bucket fills and is emptied | `domain/src/throttle.rs` |
//! | whose bucket a request takes from | here |
//! | what is kept in this process, and what is forgotten when that is too much | `local.rs` |
//! | what Redis keeps, and what happens while it is away | `remote.rs` |
//! | what a request is worth, and how it is refused | `src/http/rate.rs` |
//!
//! A guest takes from the bucket of his address. A customer takes from his
//! session's too, so that many accounts are no more than one address. Staff and
//! API keys take from their own alone: whoever works in the office of a shop
//! does not use up what shoppers behind the same address need. A credential
//! counts as nothing until it is proven, so that inventing one is no way out.
//!
//! Every take is remembered here, also what Redis decided. While Redis is away
//! the process goes on where it was.

mod local;
mod remote;

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::auth::Surface;
use domain::throttle::{Bucket, Budget};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::local::Buckets;
use self::remote::Remote;
use crate::auth::API_KEY_PREFIX;
use crate::auth::token::Keys;
use crate::relay::Redis;

/// How many keys are remembered as good ones. More than a shop has.
const MOST_PROVEN: usize = 4_096;

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Of all who come from one address.
    Address,
    /// Of a customer's session.
    Customer,
    /// Of a session of staff.
    Staff,
    /// Of an API key.
    ApiKey,
}

impl Policy {
    /// The name by which clients know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::ApiKey => "api-key",
        }
    }
}

/// The budgets of a shop; nothing where there is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Budgets {
    /// Of an address.
    pub address: Option<Budget>,
    /// Of a customer's session.
    pub customer: Option<Budget>,
    /// Of a session of staff.
    pub staff: Option<Budget>,
    /// Of an API key.
    pub api_key: Option<Budget>,
}

impl Budgets {
    fn of(&self, policy: Policy) -> Option<Budget> {
        match policy {
            Policy::Address => self.address,
            Policy::Customer => self.customer,
            Policy::Staff => self.staff,
            Policy::ApiKey => self.api_key,
        }
    }
}

/// Whose bucket it is: never a credential itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    policy: Policy,
    id: u128,
}

impl Key {
    fn of_address(address: IpAddr) -> Self {
        let id = match place(address) {
            IpAddr::V4(address) => u128::from(address.to_bits()),
            IpAddr::V6(address) => address.to_bits(),
        };
        Self { policy: Policy::Address, id }
    }

    fn of_api_key(secret: &str) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(secret)[..16]);
        Self { policy: Policy::ApiKey, id: u128::from_be_bytes(id) }
    }
}

/// Where an address is: whoever has one address of IPv6 has a whole network of them.
pub fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

/// Who asks, as far as that is known without asking the database.
#[derive(Debug, Clone, Copy)]
pub struct Asker {
    address: Option<Key>,
    credential: Option<Key>,
    is_proven: bool,
}

impl Asker {
    /// Somebody at an address of whom nothing else is known.
    pub fn at(address: Option<IpAddr>) -> Self {
        Self { address: address.map(Key::of_address), credential: None, is_proven: false }
    }

    /// The buckets that he takes from.
    fn keys(&self) -> impl Iterator<Item = Key> {
        let own = self.credential.filter(|_| self.is_proven);
        let shares = own.is_none_or(|own| own.policy == Policy::Customer);
        own.into_iter().chain(self.address.filter(|_| shares))
    }
}

/// How a bucket stands after somebody has taken from it, or tried to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whose budget it is.
    pub policy: Policy,
    /// How much it is.
    pub budget: Budget,
    /// What is left.
    pub bucket: Bucket,
    /// How long until there is enough, when there was not.
    pub wait: Option<Duration>,
}

/// The buckets of a process.
#[derive(Debug)]
pub struct Throttle {
    budgets: Budgets,
    local: Buckets,
    remote: Option<Arc<Remote>>,
    proven: Mutex<HashSet<u128>>,
}

impl Throttle {
    /// Full buckets, shared through Redis when there is one.
    pub fn new(budgets: Budgets, redis: Option<&Redis>) -> Self {
        let remote = redis.map(|redis| Remote::open(redis.client().clone(), redis.shop()));
        Self { budgets, local: Buckets::new(budgets), remote, proven: Mutex::default() }
    }

    /// Who asks. A session is known by its token's signature, an API key by having been let in before.
    pub fn asker(
        &self,
        keys: &Keys,
        surfaces: &[Surface],
        secret: Option<&str>,
        from: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> Asker {
        let unknown = Asker::at(from);
        let Some(secret) = secret else { return unknown };
        if secret.starts_with(API_KEY_PREFIX) {
            let key = Key::of_api_key(secret);
            let is_proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner).contains(&key.id);
            return Asker { credential: Some(key), is_proven, ..unknown };
        }
        let session = surfaces.iter().find_map(|surface| Some((*surface, keys.read_access(*surface, secret, now)?)));
        let credential = session.map(|(surface, session)| Key {
            policy: match surface {
                Surface::Store => Policy::Customer,
                Surface::Admin => Policy::Staff,
            },
            id: Uuid::from(session).as_u128(),
        });
        Asker { credential, is_proven: credential.is_some(), ..unknown }
    }

    /// Remembers whether an API key was let in.
    pub fn note(&self, asker: &Asker, let_in: bool) {
        let Some(key) = asker.credential.filter(|key| key.policy == Policy::ApiKey && let_in != asker.is_proven) else {
            return;
        };
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if let_in {
            if proven.len() >= MOST_PROVEN {
                proven.clear();
            }
            proven.insert(key.id);
        } else {
            proven.remove(&key.id);
        }
    }

    /// Looks whether somebody could take so much, as far as this process knows: it costs no way to Redis.
    pub fn look(&self, asker: &Asker, points: u64) -> Vec<Standing> {
        self.wanted(asker).map(|(key, budget)| self.local.look(key, budget, points)).collect()
    }

    /// How many buckets this process keeps.
    pub fn kept(&self) -> usize {
        self.local.kept()
    }

    /// Takes so many points from every bucket of somebody, or from none when one has not enough.
    pub async fn take(&self, asker: &Asker, points: u64) -> Vec<Standing> {
        let wanted: Vec<(Key, Budget)> = self.wanted(asker).collect();
        if wanted.is_empty() {
            return vec![];
        }
        if let Some(remote) = &self.remote
            && let Some(levels) = remote.take(&wanted, points).await
        {
            let told = wanted.iter().zip(levels);
            return told.map(|((key, budget), told)| self.local.put(*key, *budget, told, points)).collect();
        }
        self.local.take(&wanted, points)
    }

    fn wanted(&self, asker: &Asker) -> impl Iterator<Item = (Key, Budget)> {
        asker.keys().filter_map(|key| Some((key, self.budgets.of(key.policy)?)))
    }
}
