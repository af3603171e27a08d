//! What a promotion would do before staff let it go: to a cart that they think of, and to orders of the past.
//! Nothing is written. What "on trial" means is said in `domain::promotion::simulation`.

pub mod orders;

use std::sync::Arc;

use domain::promotion::PromotionMethod;
use domain::promotion::code::normalize;
use domain::promotion::compiled::Compiled;
use domain::promotion::simulation::Trial;
use entity::promotion;

use super::repo::codes;
use super::{Running, rows};
use crate::app::App;
use crate::cart::quote::Quote;
use crate::cart::rehearse::{Rehearsal, rehearse};
use crate::db::Conn;
use crate::error::Result;
use crate::settings::Settings;

/// What a promotion would do to a cart that somebody thinks of.
#[derive(Debug, Clone)]
pub struct CartTrial {
    /// What the cart costs without it.
    pub without: Quote,
    /// What it costs with it.
    pub with: Quote,
    /// The settings in which the promotion is let go.
    pub settings: Arc<Settings>,
}

/// Works out what a promotion would do to a cart.
pub async fn on_cart(
    app: &Arc<App>,
    conn: impl Fn() -> Conn,
    settings: &Settings,
    row: &promotion::Model,
    asked: &Rehearsal,
) -> Result<CartTrial> {
    let texts: Vec<String> = asked.codes.iter().map(|text| normalize(text)).collect();
    let named = match row.method == PromotionMethod::Code && !texts.is_empty() {
        true => codes::named(&conn(), &texts).await?,
        false => Vec::new(),
    };
    let comes_by_code = named.iter().any(|code| code.promotion_id == row.id);
    let (without, with) = trial(settings, row, comes_by_code).into_compiled();
    let beside = |compiled: Compiled, own: Option<&promotion::Model>| {
        let known = &settings.promotions;
        let others = known.rows.iter().filter(|other| other.id != row.id);
        let rows = others.chain(own).cloned().collect();
        let promotions = Running { rows, campaigns: known.campaigns.clone(), compiled: Arc::new(compiled) };
        Settings { promotions, ..settings.clone() }
    };
    let (without, with) = (beside(without, None), Arc::new(beside(with, Some(row))));
    Ok(CartTrial {
        without: rehearse(app, conn(), &without, asked).await?,
        with: rehearse(app, conn(), &with, asked).await?,
        settings: with,
    })
}

/// A promotion on trial beside those that are let go.
fn trial(settings: &Settings, row: &promotion::Model, comes_by_code: bool) -> Trial {
    let known = &settings.promotions;
    let others: Vec<_> = known.rows.iter().map(rows::promotion).collect();
    let campaigns: Vec<_> = known.campaigns.iter().map(rows::campaign).collect();
    let tried = rows::promotion(row);
    match comes_by_code {
        true => Trial::by_code(tried, &others, &campaigns),
        false => Trial::new(tried, &others, &campaigns),
    }
}
