//! The gifts of a cart: lines of their own that come and go with the promotions that give them.

use domain::cart::MAX_LINES;
use domain::id::CartLineId;
use domain::promotion::outcome::GivenGift;
use domain::refusal::{ErrorCode, Refusal};
use entity::cart_line;

use super::quote::{Issue, Quote};
use super::repo::CartRows;
use domain::promotion::outcome::Outcome;

fn is_of(line: &cart_line::Model, gift: &GivenGift) -> bool {
    line.gift_of == Some(gift.promotion) && line.variant_id == gift.variant
}

/// The lines with the gifts that are given now; nothing when they lie in the cart already.
pub(super) fn settled(told: &Quote, mut id: impl FnMut() -> CartLineId) -> Option<Vec<cart_line::Model>> {
    let (held, gifts) = (&told.rows.lines, &told.outcome.gifts);
    let keep = |line: &cart_line::Model| match line.gift_of {
        None => Some(line.clone()),
        Some(_) => {
            let gift = gifts.iter().find(|gift| is_of(line, gift))?;
            Some(cart_line::Model { quantity: gift.quantity, ..line.clone() })
        }
    };
    let mut lines: Vec<cart_line::Model> = held.iter().filter_map(keep).collect();
    for gift in gifts {
        if lines.len() >= MAX_LINES || lines.iter().any(|line| is_of(line, gift)) {
            continue;
        }
        let position = held.iter().chain(&lines).map(|line| line.position).max().map_or(0, |last| last + 1);
        lines.push(cart_line::Model {
            id: id(),
            cart_id: told.rows.cart.id,
            position,
            variant_id: gift.variant,
            quantity: gift.quantity,
            price_id: None,
            unit_price_minor: 0,
            includes_tax: false,
            currency: None,
            custom_price: false,
            gift_of: Some(gift.promotion),
        });
    }
    (lines != *held).then_some(lines)
}

/// Gifts that lie in the cart and are not given any more: nobody shall pay for them unasked.
pub(super) fn issues(rows: &CartRows, outcome: &Outcome) -> Vec<Issue> {
    let given =
        |line: &cart_line::Model| outcome.gifts.iter().any(|gift| is_of(line, gift) && gift.quantity == line.quantity);
    let gone = rows.lines.iter().filter(|line| line.gift_of.is_some() && !given(line));
    let issue = |line: &cart_line::Model| {
        let message = "This gift is not given any more: it goes with the next change of the cart.";
        Issue::new(Refusal::new(ErrorCode::GiftGone, message).about(line.variant_id), Some(line.id), true)
    };
    gone.map(issue).collect()
}

/// Refuses to change a gift by hand.
pub(super) fn fixed(place: usize, name: &str) -> Refusal {
    let message = "A gift comes and goes with the promotion that gives it.";
    Refusal::new(ErrorCode::StateInvalid, message).at([name.to_owned(), place.to_string()])
}
