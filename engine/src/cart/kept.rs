//! What an order keeps of why its lines cost what they do.

use std::collections::HashMap;

use domain::id::CartLineId;
use domain::pricing::Weighed;
use domain::pricing::history::lowest_before;
use domain::pricing::kept::{KeptList, KeptPrice, KeptReason, MAX_KEPT};

use super::quote::{Quote, QuotedLine};
use crate::db::Conn;
use crate::error::Result;
use crate::pricing::listing::REMEMBERED;
use crate::settings::Settings;

/// A price with what became of it, in words that stay when its list is gone.
pub fn kept(settings: &Settings, one: &Weighed<'_>) -> KeptReason {
    let row = one.price.list.and_then(|list| settings.price_lists.iter().find(|row| row.id == list));
    let list = |row: &entity::price_list::Model| KeptList {
        name: row.name.clone(),
        handle: row.handle.as_str().to_owned(),
        kind: row.kind,
    };
    KeptReason {
        amount_minor: one.price.amount_minor,
        includes_tax: one.price.includes_tax,
        min_quantity: one.price.min_quantity.unwrap_or(1),
        max_quantity: one.price.max_quantity,
        list: row.map(list),
        verdict: one.verdict,
        unmet: one.unmet.cloned(),
    }
}

impl Quote {
    /// What is kept of the price of each line. What was before is read only of
    /// lines that are reduced: three statements, however many these are.
    pub async fn kept_prices(&self, conn: &Conn, settings: &Settings) -> Result<HashMap<CartLineId, KeptPrice>> {
        let reduced = |line: &&QuotedLine| line.price.is_some_and(|price| price.compare_at_minor.is_some());
        let variants: Vec<_> = self.lines.iter().filter(reduced).map(|line| line.row.variant_id).collect();
        let past = match variants.is_empty() {
            true => HashMap::new(),
            false => {
                let after = self.at - REMEMBERED;
                crate::pricing::repo::past_of(conn, &variants, self.rows.cart.currency, after).await?
            }
        };
        let kept = |line: &QuotedLine| {
            let price = line.price?;
            let situation = self.buyer.situation(settings, &self.region, line.row.quantity, self.at);
            let before = past.get(&line.row.variant_id).filter(|_| price.compare_at_minor.is_some());
            let told = self.reasons(settings, line).iter().map(|one| kept(settings, one)).collect::<Vec<_>>();
            let price = KeptPrice {
                compare_at_minor: price.compare_at_minor,
                lowest_before_minor: before.and_then(|past| lowest_before(past, &situation)),
                custom: price.id.is_none(),
                reasons: told.into_iter().filter(KeptReason::is_told).take(MAX_KEPT).collect(),
            };
            Some((line.row.id, price))
        };
        Ok(self.lines.iter().filter_map(kept).collect())
    }
}
