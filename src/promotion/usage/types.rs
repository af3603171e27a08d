//! How what has become of the uses of promotions and codes looks to staff.

use async_graphql::SimpleObject;
use domain::promotion::PromotionUseState;

use crate::api::scalar::{CurrencyCode, Int64, Money};
use engine::promotion::repo::usage::Usage;

/// What has become of the uses of a promotion or a code. A use is one checkout or order that it gave something.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionUsage {
    /// How many checkouts under way hold.
    pub reserved: Int64,
    /// How many became orders.
    pub used: Int64,
    /// How many count no more: the checkout was called off, or the order canceled.
    pub released: Int64,
    /// What was given and what the orders brought, for each currency. At most 200.
    pub amounts: Vec<AdminPromotionUsageAmount>,
}

/// What a promotion or a code gave and brought in one currency. Only what became an order and was not canceled counts.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPromotionUsageAmount {
    /// The currency.
    pub currency_code: CurrencyCode,
    /// How many orders they are.
    pub orders: Int64,
    /// What came off.
    pub discount: Money,
    /// What the orders came to, with tax and shipping, after all discounts. What was given back since is not taken off;
    /// a canceled order does not count at all. An order with several promotions counts for each of them.
    pub revenue: Money,
}

impl AdminPromotionUsage {
    /// What was counted.
    pub fn new(rows: &[Usage]) -> Self {
        let count =
            |state: PromotionUseState| Int64(rows.iter().filter(|row| row.state == state).map(|row| row.uses).sum());
        let used = rows.iter().filter(|row| row.state == PromotionUseState::Used);
        let amount = |row: &Usage| AdminPromotionUsageAmount {
            currency_code: CurrencyCode(row.currency),
            orders: Int64(row.uses),
            discount: Money::new(row.discount_minor, row.currency),
            revenue: Money::new(row.revenue_minor, row.currency),
        };
        Self {
            reserved: count(PromotionUseState::Reserved),
            used: count(PromotionUseState::Used),
            released: count(PromotionUseState::Released),
            amounts: used.map(amount).collect(),
        }
    }
}
