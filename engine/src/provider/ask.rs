//! What providers of rates are asked, and the answers that are kept.
//!
//! No provider is called while a transaction is open. Whoever works a cart out looks for the answers to his questions;
//! when one is missing, he gives up with [`Error::Unanswered`], the question is asked and what came of it is kept, and
//! he begins anew: [`crate::op`] does so for writes, [`App::asking`] for reads. All nodes keep answers in one place, so
//! what the shopper saw is what the order is placed with.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::shipping::asked::{RateAnswer, RateQuestion};
use domain::tax::asked::{TaxAnswer, TaxQuestion};
use entity::provider_answer;
use futures_util::future::{BoxFuture, try_join_all};
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
pub async fn answers<A: DeserializeOwned>(
    conn: &Conn,
    now: DateTime<Utc>,
    questions: &[Question],
) -> Result<Vec<Option<A>>> {
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let fingerprints = questions.iter().map(Question::fingerprint).collect::<Result<Vec<_>>>()?;
    let kept = repo::fresh(conn, &fingerprints, now).await?;
    let kept: HashMap<Vec<u8>, Option<serde_json::Value>> =
        kept.into_iter().map(|row| (row.fingerprint, row.answer)).collect();
    let open = fingerprints.iter().zip(questions).filter(|(fingerprint, _)| !kept.contains_key(*fingerprint));
    let open: Vec<Question> = open.map(|(_, question)| question.clone()).collect();
    if !open.is_empty() {
        return Err(Error::Unanswered(open.into()));
    }
    let read = |fingerprint| {
        let answer = kept.get(fingerprint).cloned().flatten();
        answer.map(serde_json::from_value).transpose().map_err(Error::internal)
    };
    fingerprints.iter().map(read).collect()
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
            let asked = questions.iter().map(async |question| {
                let answer = self.answer(question).await.ok();
                Ok::<_, Error>((question.fingerprint()?, question.provider().to_owned(), answer))
            });
            let answers = try_join_all(asked).await?;
            self.run(&Caller::system(), &Keep(answers)).await
        })
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

/// What came of questions: the fingerprint of each, who was asked, and the answer when he gave one.
struct Keep(Vec<(Vec<u8>, String, Option<serde_json::Value>)>);

impl Op for Keep {
    const NAME: &'static str = "provider_answer.keep";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let now = tx.now();
        for (fingerprint, provider, answer) in self.0.iter().cloned() {
            let fresh_until = now + if answer.is_some() { FRESH } else { SILENCE };
            let row = provider_answer::Model { fingerprint, provider, answer, asked_at: now, fresh_until };
            repo::keep(tx, row).await?;
        }
        Ok(())
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
