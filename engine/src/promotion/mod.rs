//! Promotions: what takes money off carts, and what staff make of them.
//!
//! What they give is decided by `domain::promotion`. Those that are let go lie
//! in the settings' snapshot, made ready for carts ([`Running`]).
//!
//! | to change | edit |
//! |---|---|
//! | what a promotion can be and give | `domain::promotion` |
//! | how it is stored | [`rows`] |
//! | what a checkout takes of limits and budgets, and gives back | [`reserve`] |
//! | what a cart is asked for | `cart::promote`, and of its products [`assigned`] |
//! | what staff are told before they let one go | [`simulation`] |
//! | what staff do with promotions and campaigns | [`ops`], [`campaign`], `src/promotion/admin.rs` |
//! | what staff do with codes | [`codes`], `src/promotion/code/admin.rs` |
//! | how many codes are made, brought in and written out | [`batch`], [`import`], [`export`] |

pub mod assigned;
pub mod batch;
pub mod campaign;
pub mod codes;
pub mod export;
pub mod import;
pub mod ops;
pub mod repo;
pub mod reserve;
pub mod rows;
pub mod simulation;

use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike, Utc};
use domain::id::{CampaignId, PromotionId};
use domain::promotion::compiled::Compiled;
use domain::promotion::condition::Weekday;
use domain::promotion::facts::LocalTime;
use domain::refusal::{ErrorCode, Refusal};
use entity::{campaign as campaign_row, promotion};

/// The most promotions of a shop, drafts and those that are over with the others.
pub const MAX_PROMOTIONS: u64 = 10_000;

/// The promotions that staff have let go, without those that are over for long, and every campaign.
#[derive(Debug, Clone, Default)]
pub struct Running {
    /// The promotions.
    pub rows: Vec<promotion::Model>,
    /// The campaigns.
    pub campaigns: Vec<campaign_row::Model>,
    /// The same, made ready for carts.
    pub compiled: Arc<Compiled>,
}

impl Running {
    /// Makes promotions ready.
    pub fn new(rows: Vec<promotion::Model>, campaigns: Vec<campaign_row::Model>) -> Self {
        let compiled = Compiled::new(rows.iter().map(rows::promotion), campaigns.iter().map(rows::campaign));
        Self { rows, campaigns, compiled: Arc::new(compiled) }
    }

    /// A promotion by id.
    pub fn find(&self, id: PromotionId) -> Option<&promotion::Model> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// A campaign by id.
    pub fn campaign(&self, id: CampaignId) -> Option<&campaign_row::Model> {
        self.campaigns.iter().find(|row| row.id == id)
    }
}

fn no_promotion() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "There is no such promotion.").at(["id"])
}

/// The day and time of the shop, whose clock shows UTC.
pub fn local(at: DateTime<Utc>) -> LocalTime {
    let day = at.weekday().num_days_from_monday() as usize;
    let weekday = Weekday::ALL.get(day).copied().unwrap_or(Weekday::Sunday);
    LocalTime { weekday, minute: (at.hour() * 60 + at.minute()) as i32 }
}
