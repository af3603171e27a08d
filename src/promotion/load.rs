//! Promotions for loaders.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use domain::id::{CampaignId, CustomerId, PromotionCodeId, PromotionId};
use domain::promotion::PromotionStatus;
use domain::promotion::hint::{Hint, hints_of};
use entity::{campaign_spending, promotion};

use crate::api::call::{Batch, group};
use engine::error::Error;
use engine::promotion::repo::usage::{Span, Usage};
use engine::promotion::{repo, rows};

/// How many codes a promotion has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CodeCountOf(pub PromotionId);

impl Loader<CodeCountOf> for Batch {
    type Value = i32;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[CodeCountOf]) -> Result<HashMap<CodeCountOf, i32>, Self::Error> {
        let promotions: Vec<_> = keys.iter().map(|key| key.0).collect();
        let counts = repo::codes::code_counts(&self.conn, &promotions).await?;
        let count = |(id, count): (PromotionId, i64)| (CodeCountOf(id), i32::try_from(count).unwrap_or(i32::MAX));
        Ok(counts.into_iter().map(count).collect())
    }
}

/// What a campaign has given, by currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpendingOf(pub CampaignId);

impl Loader<SpendingOf> for Batch {
    type Value = Arc<Vec<campaign_spending::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SpendingOf]) -> Result<HashMap<SpendingOf, Self::Value>, Self::Error> {
        let campaigns: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = repo::spendings(&self.conn, &campaigns).await?;
        Ok(group(rows.into_iter().map(|row| (SpendingOf(row.campaign_id), row))))
    }
}

/// What has become of the uses of a promotion that began in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsageOf(pub PromotionId, pub Span);

/// The same of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UsageOfCode(pub PromotionCodeId, pub Span);

/// The keys of each span: a statement each.
fn by_span<I: Copy>(keys: impl Iterator<Item = (I, Span)>) -> HashMap<Span, Vec<I>> {
    let mut spans: HashMap<Span, Vec<I>> = HashMap::new();
    keys.for_each(|(id, span)| spans.entry(span).or_default().push(id));
    spans
}

impl Loader<UsageOf> for Batch {
    type Value = Vec<Usage>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[UsageOf]) -> Result<HashMap<UsageOf, Self::Value>, Self::Error> {
        let mut found = HashMap::new();
        for (span, ids) in by_span(keys.iter().map(|key| (key.0, key.1))) {
            let rows = repo::usage::of_promotions(&self.conn, &ids, span).await?;
            found.extend(rows.into_iter().map(|(id, rows)| (UsageOf(id, span), rows)));
        }
        Ok(found)
    }
}

impl Loader<UsageOfCode> for Batch {
    type Value = Vec<Usage>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[UsageOfCode]) -> Result<HashMap<UsageOfCode, Self::Value>, Self::Error> {
        let mut found = HashMap::new();
        for (span, ids) in by_span(keys.iter().map(|key| (key.0, key.1))) {
            let rows = repo::usage::of_codes(&self.conn, &ids, span).await?;
            found.extend(rows.into_iter().map(|(id, rows)| (UsageOfCode(id, span), rows)));
        }
        Ok(found)
    }
}

/// The hints that name a promotion.
#[derive(Debug, Clone)]
pub struct HintsOf(pub Arc<promotion::Model>);

impl PartialEq for HintsOf {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for HintsOf {}

impl Hash for HintsOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl Loader<HintsOf> for Batch {
    type Value = Vec<Hint>;
    type Error = Arc<Error>;

    /// Each is looked at beside those that are let go and not held back; no statement.
    async fn load(&self, keys: &[HintsOf]) -> Result<HashMap<HintsOf, Self::Value>, Self::Error> {
        let known = &self.settings.promotions;
        let campaigns: Vec<_> = known.campaigns.iter().map(rows::campaign).collect();
        let active = |row: &&promotion::Model| row.status == PromotionStatus::Active;
        let mut all: Vec<_> = known.rows.iter().filter(active).map(rows::promotion).collect();
        let running = all.len();
        let now = self.now.timestamp_micros();
        let told = keys.iter().map(|key| {
            let own = key.0.id;
            // Others do not know of it as long as it is a draft or held back.
            all.truncate(running);
            if key.0.status != PromotionStatus::Active {
                all.push(rows::promotion(&key.0));
            }
            (key.clone(), hints_of(own, &all, &campaigns, now))
        });
        Ok(told.collect())
    }
}

/// How many orders a customer has placed and not canceled. The store shows each caller himself alone, so there is one
/// key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlacedBy(pub CustomerId);

impl Loader<PlacedBy> for Batch {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[PlacedBy]) -> Result<HashMap<PlacedBy, i64>, Self::Error> {
        let mut found = HashMap::new();
        for key in keys {
            found.insert(*key, repo::uses::orders_of(&self.conn, Some(key.0), None).await?);
        }
        Ok(found)
    }
}
