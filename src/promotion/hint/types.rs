//! How hints about promotions look to staff.

use async_graphql::{ID, SimpleObject};
use domain::id::PromotionId;
use domain::promotion::hint::{Hint, HintCode};

use crate::api::call::Call;
use crate::api::scalar::id;
use crate::api::word::Enum;

/// Something that you hardly want of a promotion.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionHint {
    /// What it is.
    pub code: Enum<HintCode>,
    /// The same as one English sentence.
    pub message: String,
    /// The id of the other promotion that it is about; null when it is about this one alone.
    pub other_id: Option<ID>,
    /// The title of the other promotion.
    pub other_title: Option<String>,
}

impl AdminPromotionHint {
    /// What a hint says of one of the promotions that it names.
    pub fn new(call: &Call, hint: &Hint, of: PromotionId) -> Self {
        let (code, other) = (hint.code(of), hint.other(of));
        let title = other.and_then(|other| call.settings.promotions.find(other)).map(|row| row.title.clone());
        Self {
            code: Enum(code),
            message: code.message(title.as_deref().unwrap_or_default()),
            other_id: other.map(id),
            other_title: title,
        }
    }
}
