//! Carts and promotions for the tests of this folder.

mod amounts;
mod conditions;
mod entered;
mod standing;

use uuid::Uuid;

use super::campaign::{Budget, Campaign};
use super::compiled::Compiled;
use super::condition::{CartTest, Conditions, ItemTest, Items, Tree, Weekday};
use super::facts::{
    BuyerFacts, ChargeFacts, Counts, EnteredCode, Facts, GiftFacts, ItemFacts, KnownCode, LineFacts, LocalTime,
};
use super::offer::{Amount, Amounts, FixedAllocation, Offer, Reduction, Target};
use super::outcome::{AdjustedRow, Outcome};
use super::{Limits, Promotion, PromotionClass, PromotionMethod, PromotionStatus};
use crate::address::area::Place;
use crate::collection::PriceRange;
use crate::id::{CampaignId, ProductId, PromotionId, ShippingOptionId, VariantId};
use crate::money::Currency;
use crate::rule::Attributes;

pub const NOW: i64 = 1_000_000;

pub fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub fn promotion_id(number: u128) -> PromotionId {
    PromotionId(uuid(number))
}

pub fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

pub fn amounts(amounts: &[(&str, i64)]) -> Amounts {
    let amount = |(code, amount_minor): &(&str, i64)| Amount { currency: currency(code), amount_minor: *amount_minor };
    Amounts(amounts.iter().map(amount).collect())
}

pub fn percent(percent: i32) -> Reduction {
    Reduction::Percentage { rate_ppm: percent * 10_000, at_most: Amounts::default() }
}

pub fn fixed(code: &str, minor: i64, allocation: FixedAllocation) -> Reduction {
    Reduction::Fixed { amounts: amounts(&[(code, minor)]), allocation }
}

pub fn everything() -> Target {
    Target::Items(Items::default())
}

/// The product of the line at a position.
pub fn product(position: i32) -> Items {
    Tree::Is(ItemTest::Product(vec![ProductId(uuid(position as u128))]))
}

pub fn off(target: Target, reduction: Reduction) -> Offer {
    Offer::Reduce { target, reduction }
}

pub fn spend(at_least: i64) -> CartTest {
    let range = PriceRange { currency: currency("EUR"), at_least: Some(at_least), at_most: None };
    CartTest::Spend { of: Items::default(), ranges: vec![range] }
}

/// An automatic promotion without conditions that combines with all; the higher its number, the younger.
pub fn promotion(number: u128, offer: Offer) -> Promotion {
    Promotion {
        id: promotion_id(number),
        title: format!("Promotion {number}"),
        method: PromotionMethod::Automatic,
        status: PromotionStatus::Active,
        priority: 0,
        created_at: number as i64,
        starts_at: None,
        ends_at: None,
        campaign: None,
        exclusive: false,
        combines_with: PromotionClass::ALL.to_vec(),
        limits: Limits::default(),
        conditions: Conditions::default(),
        offer,
    }
}

impl Promotion {
    pub fn when(self, conditions: Tree<CartTest>) -> Self {
        Self { conditions: Conditions(conditions), ..self }
    }

    pub fn by_code(self) -> Self {
        Self { method: PromotionMethod::Code, ..self }
    }

    pub fn alone(self) -> Self {
        Self { exclusive: true, ..self }
    }

    pub fn first(self, priority: i32) -> Self {
        Self { priority, ..self }
    }

    pub fn within(self, campaign: &Campaign) -> Self {
        Self { campaign: Some(campaign.id), ..self }
    }
}

pub fn campaign(budget: Budget) -> Campaign {
    let id = CampaignId(uuid(900));
    Campaign { id, title: "Summer".to_owned(), starts_at: None, ends_at: None, budget: Some(budget) }
}

/// A cart that can be asked.
#[derive(Debug, Clone)]
pub struct Cart {
    pub currency: Currency,
    pub now: i64,
    pub local: LocalTime,
    pub attributes: Attributes,
    pub place: Option<Place>,
    pub orders: Option<i64>,
    pub lines: Vec<LineFacts>,
    pub charges: Vec<ChargeFacts>,
    pub ships: bool,
    pub codes: Vec<EnteredCode>,
    pub gifts: Vec<GiftFacts>,
    pub counts: Counts,
}

/// A cart of lines of one quantity and unit price each, at positions from 1 on.
pub fn cart(code: &str, lines: &[(i32, i64)]) -> Cart {
    let line = |((quantity, unit_price_minor), position): (&(i32, i64), i32)| LineFacts {
        position,
        quantity: *quantity,
        gift_of: None,
        item: ItemFacts {
            variant: VariantId(uuid(position as u128)),
            product: ProductId(uuid(position as u128)),
            product_type: None,
            tags: Vec::new(),
            collections: Vec::new(),
            categories: Vec::new(),
            metafields: Vec::new(),
            on_sale: false,
            unit_price_minor: *unit_price_minor,
            discountable: true,
            gift_card: false,
        },
    };
    Cart {
        currency: currency(code),
        now: NOW,
        local: LocalTime { weekday: Weekday::Monday, minute: 600 },
        attributes: Attributes::new(),
        place: None,
        orders: None,
        lines: lines.iter().zip(1..).map(line).collect(),
        charges: Vec::new(),
        ships: true,
        codes: Vec::new(),
        gifts: Vec::new(),
        counts: Counts::default(),
    }
}

impl Cart {
    pub fn with_charges(mut self, charges: &[i64]) -> Self {
        let charge = |(amount, position): (&i64, i32)| ChargeFacts {
            position,
            option: ShippingOptionId(uuid(position as u128)),
            amount_minor: *amount,
        };
        self.charges = charges.iter().zip(1..).map(charge).collect();
        self
    }

    /// With a code of this promotion, if it is one of any.
    pub fn with_code(mut self, code: &str, of: Option<u128>) -> Self {
        let known = of.map(|number| KnownCode { promotion: promotion_id(number), uses: 0, ends_at: None });
        self.codes.push(EnteredCode { position: self.codes.len() as i32, code: code.to_owned(), known });
        self
    }

    pub fn ask_in(&self, compiled: &Compiled) -> Outcome {
        compiled.apply(&Facts {
            buyer: BuyerFacts {
                currency: self.currency,
                now: self.now,
                local: self.local,
                attributes: &self.attributes,
                place: self.place.as_ref(),
                orders: self.orders,
            },
            lines: &self.lines,
            charges: &self.charges,
            ships: self.ships,
            codes: &self.codes,
            gifts: &self.gifts,
            counts: &self.counts,
        })
    }

    pub fn ask(&self, promotions: &[Promotion]) -> Outcome {
        self.ask_in(&Compiled::new(promotions.iter().cloned(), []))
    }

    pub fn ask_with(&self, promotions: &[Promotion], campaign: &Campaign) -> Outcome {
        self.ask_in(&Compiled::new(promotions.iter().cloned(), [campaign.clone()]))
    }
}

/// What comes off each line, by position.
pub fn off_lines(cart: &Cart, outcome: &Outcome) -> Vec<i64> {
    cart.lines.iter().map(|line| outcome.discount_of(AdjustedRow::Line(line.position))).collect()
}

/// The numbers of the promotions that give something, in their order.
pub fn given(outcome: &Outcome) -> Vec<u128> {
    outcome.applied.iter().map(|applied| applied.promotion.0.as_u128()).collect()
}

/// Why a promotion gives nothing, as a client reads it.
pub fn why(outcome: &Outcome, number: u128) -> &'static str {
    outcome.why_not(promotion_id(number)).map_or("", |why| why.obstacle.as_str())
}
