//! Promotions: what takes money off a cart, automatically or by code, and why.
//!
//! | to change | edit |
//! |---|---|
//! | what a promotion gives | [`offer`] |
//! | when it counts, and for which items | [`condition`] |
//! | what staff may enter | [`check`] |
//! | windows and budgets that several have in common | [`campaign`] |
//! | what is known of a cart | [`facts`] |
//! | how promotions are kept ready for carts | [`compiled`] |
//! | who stands beside whom, and the order of things | `apply` |
//! | the arithmetic of one offer | `plan`, `bundle` |
//! | what comes out, and how it explains itself | [`outcome`] |
//! | what staff are told before they let one go | [`hint`], [`simulation`] |
//! | codes, and how a file holds them | [`code`], [`sheet`] |
//!
//! The rules (DESIGN section 6): line, then order, then shipping; within each
//! the highest priority first, then the oldest. Each takes off what the ones
//! before it left, and its conditions see that, too. Where two may not stand
//! together the one of higher priority stays, then the older one. An answer
//! depends on stored positions, priority and age, never on the order of lists.
//!
//! Moments are microseconds since 1970, UTC.

mod apply;
mod basket;
mod bundle;
pub mod campaign;
pub mod check;
pub mod code;
pub mod compiled;
pub mod condition;
pub mod facts;
pub mod hint;
pub mod offer;
pub mod outcome;
mod plan;
pub mod sheet;
pub mod simulation;

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::id::{CampaignId, PromotionId};
use crate::word::words;

use campaign::Campaign;
use condition::Conditions;
use offer::Offer;

words! {
    /// How a promotion comes to a cart.
    pub enum PromotionMethod {
        /// By itself, wherever its conditions are met.
        Automatic = "AUTOMATIC",
        /// By one of its codes.
        Code = "CODE",
    }
}

words! {
    /// Whether staff have let a promotion go.
    pub enum PromotionStatus {
        /// Not yet.
        Draft = "DRAFT",
        /// It counts from its start to its end.
        Active = "ACTIVE",
        /// It was let go and is held back for now.
        Paused = "PAUSED",
    }
}

words! {
    /// Where a promotion is at a moment.
    pub enum PromotionState {
        /// Staff have not let it go yet.
        Draft = "DRAFT",
        /// It has not started yet.
        Scheduled = "SCHEDULED",
        /// It counts.
        Active = "ACTIVE",
        /// It is held back.
        Paused = "PAUSED",
        /// It is over.
        Expired = "EXPIRED",
    }
}

words! {
    /// What a promotion takes its money off; also the order in which promotions come.
    pub enum PromotionClass {
        /// Some lines.
        Item = "ITEM",
        /// The lines as a whole.
        Order = "ORDER",
        /// Shipping charges.
        Shipping = "SHIPPING",
    }
}

words! {
    /// What has become of one use of a promotion.
    pub enum PromotionUseState {
        /// A checkout under way holds it.
        Reserved = "RESERVED",
        /// An order was placed with it.
        Used = "USED",
        /// The checkout was called off, or the order canceled: it counts no more.
        Released = "RELEASED",
    }
}

/// How often a promotion may be used; an absent limit is none. A use is one
/// checkout or order that the promotion gave something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// By everybody together.
    pub in_all: Option<i64>,
    /// By one buyer: a customer, or an e-mail address. Before the buyer is known
    /// it is not asked; a checkout has an address, so there it is.
    pub per_customer: Option<i64>,
    /// Of one of its codes.
    pub per_code: Option<i64>,
}

/// A promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its id; breaks the last tie.
    pub id: PromotionId,
    /// What shoppers read.
    pub title: String,
    /// How it comes to a cart.
    pub method: PromotionMethod,
    /// Whether staff have let it go.
    pub status: PromotionStatus,
    /// The highest comes first.
    pub priority: i32,
    /// When it was made: of equal priority the oldest comes first.
    pub created_at: i64,
    /// When it starts, inclusive; always when absent.
    pub starts_at: Option<i64>,
    /// When it ends, exclusive; never when absent.
    pub ends_at: Option<i64>,
    /// The campaign that it is part of.
    pub campaign: Option<CampaignId>,
    /// Whether it stands alone: beside it no other promotion counts.
    pub exclusive: bool,
    /// The classes of promotions that may stand beside it. Two stand together
    /// when each names the class of the other.
    pub combines_with: Vec<PromotionClass>,
    /// How often it may be used.
    pub limits: Limits,
    /// When it counts.
    pub conditions: Conditions,
    /// What it gives.
    pub offer: Offer,
}

impl Promotion {
    /// Where it is at a moment, by itself and as a part of its campaign.
    pub fn state(&self, campaign: Option<&Campaign>, now: i64) -> PromotionState {
        let (campaign_start, campaign_end) =
            campaign.map_or((None, None), |campaign| (campaign.starts_at, campaign.ends_at));
        let over = |end: Option<i64>| end.is_some_and(|end| end <= now);
        let to_come = |start: Option<i64>| start.is_some_and(|start| now < start);
        match self.status {
            PromotionStatus::Draft => PromotionState::Draft,
            _ if over(self.ends_at) || over(campaign_end) => PromotionState::Expired,
            PromotionStatus::Paused => PromotionState::Paused,
            _ if to_come(self.starts_at) || to_come(campaign_start) => PromotionState::Scheduled,
            PromotionStatus::Active => PromotionState::Active,
        }
    }

    /// What it takes its money off.
    pub fn class(&self) -> PromotionClass {
        self.offer.class()
    }

    /// Its place among the others: the lowest comes first.
    pub fn rank(&self) -> impl Ord + use<> {
        (Reverse(self.priority), self.created_at, self.id)
    }

    /// Whether both may stand in one cart.
    pub fn combines(&self, other: &Self) -> bool {
        let admits = |one: &Self, other: &Self| !one.exclusive && one.combines_with.contains(&other.class());
        admits(self, other) && admits(other, self)
    }
}

#[cfg(test)]
mod tests;
