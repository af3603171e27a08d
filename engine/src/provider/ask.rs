//! What providers of rates are asked, and the answers that are kept.
//!
//! No provider is called while a transaction is open. Whoever works a cart out looks for the answers to his questions;
//! when one is missing, he gives up with [`Error::Unanswered`], the question is asked and what came of it is kept, and
//! he begins anew: [`crate::op`] does so for writes, [`App::asking`] for reads. All nodes keep answers in one place, so
//! what the shopper saw is what the order is placed with.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::shipping::asked::{RateAnswer, RateQuestion};
use domain::tax::asked::{TaxAnswer, TaxQuestion};
use entity::provider_answer;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, try_join_all};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::{Silent, repo};
use crate::actor::{Caller, Need};
use crate::app::App;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::op::{Op, Tx};

/// How long an answer counts before the provider is asked again.
const FRESH: TimeDelta = TimeDelta::minutes(10);
/// How long nobody asks again after a provider gave no answer. The last answer to the same question counts meanwhile.
const SILENCE: TimeDelta = TimeDelta::seconds(15);
/// How long an answer is kept for the case that there is no newer one.
const KEPT: TimeDelta = TimeDelta::hours(2);
/// How often one call asks: prices of shipping, then taxes on them, and once more for what changed meanwhile.
pub const ROUNDS: usize = 4;

/// What a provider is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Question {
    /// The tax rates of a cart.
    Tax(String, TaxQuestion),
    /// What shipping options cost a delivery group.
    ShippingRates(String, RateQuestion),
}

impl Question {
    fn provider(&self) -> &str {
        match self {
            Self::Tax(provider, _) | Self::ShippingRates(provider, _) => provider,
        }
    }

    /// The same for the same question to the same provider, and for no other.
    fn fingerprint(&self) -> Result<Vec<u8>> {
        Ok(Sha256::digest(serde_json::to_vec(self).map_err(Error::internal)?).to_vec())
    }
}

/// What is kept for each of these questions, in their order: an answer, or nothing when the provider gave none. One
/// statement; none without a question.
///
/// # Errors
/// [`Error::Unanswered`] when one of them has to be asked first.
pub async fn answers<A: DeserializeOwned + Clone>(
    conn: &Conn,
    now: DateTime<Utc>,
    questions: &[Question],
) -> Result<Vec<Option<A>>> {
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let fingerprints = questions.iter().map(Question::fingerprint).collect::<Result<Vec<_>>>()?;
    let kept = repo::fresh(conn, &fingerprints, now).await?;
    let told = |row: provider_answer::Model| {
        // Silence lets an answer count on, but not for ever.
        let answer = row.answer.filter(|_| row.asked_at > now - KEPT);
        let read = answer.map(serde_json::from_value).transpose().unwrap_or_else(|error| {
            tracing::warn!(provider = row.provider, %error, "a kept answer can't be read");
            None
        });
        (row.fingerprint, read)
    };
    let kept: HashMap<Vec<u8>, Option<A>> = kept.into_iter().map(told).collect();
    let open = fingerprints.iter().zip(questions).filter(|(fingerprint, _)| !kept.contains_key(*fingerprint));
    let open: Vec<Question> = open.map(|(_, question)| question.clone()).collect();
    if !open.is_empty() {
        return Err(Error::Unanswered(open.into()));
    }
    Ok(fingerprints.iter().map(|fingerprint| kept.get(fingerprint).cloned().flatten()).collect())
}

/// What becomes of a question, for all who wait for it.
type Asking = Shared<BoxFuture<'static, Result<()>>>;

/// Questions that this process is asking: whoever has the same one waits for the same answer.
#[derive(Default)]
pub struct Asked(Mutex<HashMap<Vec<u8>, Asking>>);

impl Asked {
    fn held(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Asking>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Works something out that may need answers of providers, and asks them in between.
    pub async fn asking<T, F: Future<Output = Result<T>>>(self: &Arc<Self>, work: impl Fn() -> F) -> Result<T> {
        for _ in 1..ROUNDS {
            match work().await {
                Err(Error::Unanswered(questions)) => self.ask(&questions).await?,
                outcome => return outcome,
            }
        }
        work().await
    }

    /// Asks all of these at once, and keeps what came of it.
    pub fn ask<'a>(self: &'a Arc<Self>, questions: &'a [Question]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let asked = questions.iter().map(async |question| self.ask_once(question)?.await);
            try_join_all(asked).await.map(drop)
        })
    }

    /// Asks a question unless this process is asking it already. It is asked to its end, whoever gives up waiting.
    fn ask_once(self: &Arc<Self>, question: &Question) -> Result<Asking> {
        let fingerprint = question.fingerprint()?;
        let mut held = self.asked.held();
        if let Some(asking) = held.get(&fingerprint) {
            return Ok(asking.clone());
        }
        let (app, question, key) = (self.clone(), question.clone(), fingerprint.clone());
        let task = tokio::spawn(async move {
            let outcome = app.answer_and_keep(&question, &key).await;
            app.asked.held().remove(&key);
            outcome
        });
        let asking = task.map(|outcome| outcome.unwrap_or_else(|gone| Err(gone.into()))).boxed().shared();
        held.insert(fingerprint, asking.clone());
        Ok(asking)
    }

    async fn answer_and_keep(self: &Arc<Self>, question: &Question, fingerprint: &[u8]) -> Result<()> {
        // Whoever found none may come here after somebody else's was kept.
        if !repo::fresh(&self.read(), &[fingerprint.to_vec()], self.clock.now()).await?.is_empty() {
            return Ok(());
        }
        let answer = self.answer(question).await.ok();
        let (fingerprint, provider) = (fingerprint.to_vec(), question.provider().to_owned());
        self.run(&Caller::system(), &Keep { fingerprint, provider, answer }).await
    }

    async fn answer(&self, question: &Question) -> Result<serde_json::Value, Silent> {
        let unknown = || {
            tracing::warn!(provider = question.provider(), "nobody describes a provider that staff chose");
            Silent(format!("there is no provider {:?}", question.provider()))
        };
        let unwritten = |error: serde_json::Error| Silent(error.to_string());
        match question {
            Question::Tax(name, question) => {
                let provider = self.rate_providers.tax.get(name).ok_or_else(unknown)?;
                let answer: TaxAnswer = provider.tax_rates(question).await?;
                serde_json::to_value(answer).map_err(unwritten)
            }
            Question::ShippingRates(name, question) => {
                let provider = self.rate_providers.shipping.get(name).ok_or_else(unknown)?;
                let answer: RateAnswer = provider.shipping_rates(question).await?;
                serde_json::to_value(answer).map_err(unwritten)
            }
        }
    }
}

/// What came of a question; no answer when the provider gave none.
struct Keep {
    fingerprint: Vec<u8>,
    provider: String,
    answer: Option<serde_json::Value>,
}

impl Op for Keep {
    const NAME: &'static str = "provider_answer.keep";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let (now, answer) = (tx.now(), self.answer.clone());
        let fresh_until = now + if answer.is_some() { FRESH } else { SILENCE };
        let (fingerprint, provider) = (self.fingerprint.clone(), self.provider.clone());
        repo::keep(tx, provider_answer::Model { fingerprint, provider, answer, asked_at: now, fresh_until }).await
    }
}

/// Forgets answers that are too old to stand in for a newer one.
pub async fn forget_stale(app: &Arc<App>) -> Result<()> {
    if repo::has_stale(&app.read(), app.clock.now() - KEPT).await? {
        app.run(&Caller::system(), &ForgetStale).await?;
    }
    Ok(())
}

struct ForgetStale;

impl Op for ForgetStale {
    const NAME: &'static str = "provider_answer.forget_stale";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let before = tx.now() - KEPT;
        repo::delete_stale(tx, before).await
    }
}
