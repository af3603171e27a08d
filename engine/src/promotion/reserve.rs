//! Uses, limits and budgets: taken in Begin, given back by Abandon and cancel.
//!
//! Whoever takes a use changes the row that counts it, on the condition that its limit allows one more, and holds that
//! row until he commits: nobody else can take the same use. Promotions come first, then codes, then campaigns, each by
//! id, so that no two checkouts wait for each other. A counter that allows no more means that somebody was faster
//! since the cart was worked out: all begins anew, and then the shopper is told what his cart comes to now.

use domain::id::{CheckoutId, PromotionId};
use domain::promotion::PromotionUseState;
use domain::promotion::campaign::Budget;
use domain::promotion::outcome::Applied;
use domain::text::Email;
use entity::{checkout, promotion_code, promotion_use};
use sha2::{Digest, Sha256};

use super::repo::uses::{self, BuyerKey};
use crate::cart::quote::Quote;
use crate::error::{Error, Result};
use crate::op::Tx;
use crate::settings::Settings;

/// What stands for an e-mail address beside the uses of its owner, which does not tell it.
pub fn buyer_key(email: &Email) -> String {
    let hash = Sha256::digest(format!("buyer:{}", email.to_string().to_lowercase()));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The promotions of which an order takes a use: those that give this cart something.
pub fn used(quote: &Quote) -> Vec<&Applied> {
    // A gift that does not lie in the cart is not given.
    let mut used: Vec<&Applied> = quote.outcome.applied.iter().filter(|applied| applied.amount_minor > 0).collect();
    used.sort_by_key(|applied| applied.promotion);
    used
}

/// Takes a use of each promotion that gives the cart something. No statement when none does.
///
/// # Errors
/// [`Error::Raced`] when somebody else was faster.
pub async fn reserve(tx: &mut Tx, settings: &Settings, quote: &Quote, checkout: CheckoutId) -> Result<()> {
    let used = used(quote);
    let cart = &quote.rows.cart;
    let who = BuyerKey { customer: cart.customer_id, buyer: cart.email.as_ref().map(buyer_key) };
    for applied in &used {
        take(tx, settings, applied.promotion, &who).await?;
    }
    let mut rows = Vec::with_capacity(used.len());
    for applied in &used {
        let code = code_of(quote, applied);
        rows.push(promotion_use::Model {
            id: tx.id(),
            created_at: tx.now(),
            updated_at: tx.now(),
            promotion_id: applied.promotion,
            promotion_code_id: code.map(|code| code.id),
            campaign_id: applied.campaign,
            checkout_id: checkout,
            order_id: None,
            customer_id: who.customer,
            buyer: who.buyer.clone().unwrap_or_default(),
            currency: cart.currency,
            amount_minor: applied.amount_minor,
            spent_minor: applied.spent_minor,
            state: PromotionUseState::Reserved,
        });
    }
    let limit_of = |id: PromotionId| settings.promotions.find(id).and_then(|row| row.limit_per_code);
    let mut codes: Vec<_> = rows.iter().filter_map(|row| Some((row.promotion_code_id?, row.promotion_id))).collect();
    codes.sort_unstable();
    for (code, promotion) in codes {
        free(uses::take_code(tx, code, limit_of(promotion).unwrap_or(i64::MAX)).await?)?;
    }
    let mut campaigns: Vec<_> = rows.iter().filter_map(|row| Some((row.campaign_id?, row.spent_minor))).collect();
    campaigns.sort_unstable();
    for (campaign, minor) in campaigns {
        let budget = settings.promotions.campaign(campaign).and_then(|row| row.budget.as_ref());
        let (most_uses, most_minor) = match budget {
            Some(Budget::Uses(uses)) => (*uses, i64::MAX),
            Some(Budget::Spend(amounts)) => (i64::MAX, amounts.in_currency(cart.currency).unwrap_or(0)),
            None => (i64::MAX, i64::MAX),
        };
        free(uses::take_campaign(tx, campaign, most_uses).await?)?;
        free(uses::spend(tx, campaign, (cart.currency, minor), most_minor).await?)?;
    }
    uses::insert(tx, rows).await
}

async fn take(tx: &mut Tx, settings: &Settings, id: PromotionId, who: &BuyerKey) -> Result<()> {
    free(uses::take(tx, id).await?)?;
    // The promotion's row is held by now, so nobody else counts beside.
    let limit = settings.promotions.find(id).and_then(|row| row.limit_per_customer);
    if let Some(limit) = limit {
        let own = uses::of_buyer(&tx.conn, &[id], who).await?.remove(&id).unwrap_or(0);
        free(own < limit)?;
    }
    Ok(())
}

fn free(taken: bool) -> Result<()> {
    if taken { Ok(()) } else { Err(Error::Raced) }
}

fn code_of<'q>(quote: &'q Quote, applied: &Applied) -> Option<&'q promotion_code::Model> {
    let code = applied.code.as_ref()?;
    quote.codes.iter().find(|row| row.code == *code)
}

/// Gives back what a checkout held, or what the order that it became used. Doing it twice does it once.
pub async fn release(tx: &mut Tx, checkout: CheckoutId) -> Result<()> {
    let mut rows = uses::release(tx, checkout).await?;
    rows.sort_by_key(|row| row.promotion_id);
    for row in &rows {
        uses::give_back(tx, row.promotion_id).await?;
    }
    let mut codes: Vec<_> = rows.iter().filter_map(|row| row.promotion_code_id).collect();
    codes.sort_unstable();
    for code in codes {
        uses::give_back_code(tx, code).await?;
    }
    rows.sort_by_key(|row| row.campaign_id);
    for row in &rows {
        if let Some(campaign) = row.campaign_id {
            uses::give_back_campaign(tx, campaign, (row.currency, row.spent_minor)).await?;
        }
    }
    Ok(())
}

/// Whether a checkout holds uses: what was frozen says so, and costs no statement.
pub fn holds(row: &checkout::Model) -> bool {
    row.frozen["promotions"].as_array().is_some_and(|promotions| !promotions.is_empty())
}
