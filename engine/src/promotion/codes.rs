//! What staff do with the codes of promotions.

use chrono::{DateTime, Utc};
use domain::id::{PromotionCodeId, PromotionId};
use domain::promotion::PromotionMethod;
use domain::promotion::code::check_all;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::{promotion, promotion_code};
use serde_json::json;

use super::ops::WRITE;
use super::repo::{self, codes};
use crate::actor::Need;
use crate::error::Result;
use crate::event::Aggregate;
use crate::op::{Op, Tx};

/// The most codes that are written or deleted by hand at once.
pub const MAX_AT_ONCE: usize = 250;

/// A promotion that comes by code, held until the transaction ends.
pub(super) async fn by_code(tx: &Tx, id: PromotionId) -> Result<promotion::Model> {
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such promotion.").at(["promotionId"]);
    let row = repo::lock(tx, id).await?.ok_or_else(missing)?;
    if row.method != PromotionMethod::Code {
        let message = "An automatic promotion has no codes.";
        return Err(Refusal::new(ErrorCode::StateInvalid, message).at(["promotionId"]).into());
    }
    Ok(row)
}

/// Gives a promotion codes that staff write.
#[derive(Debug, Clone)]
pub struct AddCodes {
    /// Which promotion.
    pub promotion: PromotionId,
    /// The codes.
    pub codes: Vec<String>,
    /// When they end before their promotion does, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Op for AddCodes {
    const NAME: &'static str = "promotion.add_codes";
    const NEEDS: Need = WRITE;
    type Out = Vec<promotion_code::Model>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<promotion_code::Model>> {
        let row = by_code(tx, self.promotion).await?;
        if self.codes.is_empty() || self.codes.len() > MAX_AT_ONCE {
            let message = format!("Send 1 to {MAX_AT_ONCE} codes; more are brought by promotionCodesImport.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_AT_ONCE as i64).at(["codes"]).into());
        }
        let wished = check_all(&self.codes)?;
        codes::free(tx, &wished).await?;
        let taken = codes::named(&tx.conn, &wished).await?;
        let mut refusals = Refusals::default();
        for (place, code) in wished.iter().enumerate() {
            if taken.iter().any(|row| row.code == *code) {
                let message = format!("There is a code {code} already.");
                refusals.push(Refusal::new(ErrorCode::Taken, message).at(["codes".to_owned(), place.to_string()]));
            }
        }
        refusals.into_result()?;
        let made = |code: String| promotion_code::Model {
            id: tx.id(),
            created_at: tx.now(),
            deleted_at: None,
            promotion_id: row.id,
            code,
            batch: None,
            ends_at: self.ends_at,
            uses: 0,
        };
        let rows: Vec<promotion_code::Model> = wished.into_iter().map(made).collect();
        codes::insert(tx, rows.clone()).await?;
        let history = Aggregate::new("promotion", row.id);
        tx.emit(history, "promotion.codes_added", json!({ "count": rows.len() }));
        let told: Vec<&str> = rows.iter().map(|row| row.code.as_str()).collect();
        tx.audit(row.id, None, Some(json!({ "codes": told, "endsAt": self.ends_at })));
        Ok(rows)
    }
}

/// Takes codes out of use; what is not there is gone already.
#[derive(Debug, Clone)]
pub struct DeleteCodes {
    /// Which ones.
    pub ids: Vec<PromotionCodeId>,
}

impl Op for DeleteCodes {
    const NAME: &'static str = "promotion.delete_codes";
    const NEEDS: Need = WRITE;
    type Out = Vec<PromotionCodeId>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<PromotionCodeId>> {
        let gone = codes::delete(tx, &self.ids).await?;
        let mut promotions: Vec<PromotionId> = gone.iter().map(|row| row.promotion_id).collect();
        promotions.sort_unstable();
        promotions.dedup();
        for promotion in promotions {
            let own = gone.iter().filter(|row| row.promotion_id == promotion);
            let told: Vec<&str> = own.map(|row| row.code.as_str()).collect();
            let history = Aggregate::new("promotion", promotion);
            tx.emit(history, "promotion.codes_deleted", json!({ "count": told.len() }));
            tx.audit(promotion, Some(json!({ "codes": told })), None);
        }
        Ok(gone.into_iter().map(|row| row.id).collect())
    }
}
