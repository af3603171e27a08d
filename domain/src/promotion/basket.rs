//! A cart on its way through its promotions: what is left of each line and charge.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::campaign::Spent;
use super::compiled::{Compiled, FilterIndex, ReadyTest, in_bounds, in_range};
use super::condition::CartTest;
use super::facts::{Facts, LineFacts};
use crate::id::CampaignId;
use crate::money::{MAX_MINOR, allocate, divide_rounded};

/// Units of a line that fared alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lot {
    pub(super) units: i64,
    /// What is left of them, in minor units.
    pub(super) left: i64,
}

impl Lot {
    /// Takes out so many units, with their part of what is left.
    pub(super) fn split(&mut self, units: i64) -> Self {
        let units = units.clamp(0, self.units);
        if units == 0 {
            return Self::default();
        }
        let left = divide_rounded(i128::from(self.left) * i128::from(units), self.units.into());
        self.units -= units;
        self.left -= left;
        Self { units, left }
    }

    fn add(&mut self, other: Self) {
        self.units += other.units;
        self.left += other.left;
    }
}

/// The units that no buy-X-get-Y promotion has touched, those that qualified for one, and those that one gave.
pub(super) const LOOSE: usize = 0;
pub(super) const BOUGHT: usize = 1;
pub(super) const GIVEN: usize = 2;

/// A line or a charge.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) position: i32,
    pub(super) lots: [Lot; 3],
    /// Whether promotions may lower it.
    pub(super) reached: bool,
    /// Whether conditions count it.
    pub(super) counted: bool,
}

impl Row {
    pub(super) fn new(position: i32, units: i64, left: i64) -> Self {
        let loose = Lot { units, left: left.clamp(0, MAX_MINOR) };
        Self { position, lots: [loose, Lot::default(), Lot::default()], reached: true, counted: true }
    }

    fn of_line(line: &LineFacts) -> Self {
        let units = i64::from(line.quantity.max(0));
        let row = Self::new(line.position, units, line.item.unit_price_minor.saturating_mul(units));
        let own = line.gift_of.is_none() && !line.item.gift_card;
        Self { reached: own && line.item.discountable, counted: own, ..row }
    }

    pub(super) fn left(&self) -> i64 {
        self.lots.iter().map(|lot| lot.left).sum()
    }

    pub(super) fn units(&self) -> i64 {
        self.lots.iter().map(|lot| lot.units).sum()
    }

    /// What each lot gives of an amount, by what is left of it.
    pub(super) fn shares(&self, amount: i64) -> [i64; 3] {
        let parts = allocate(amount, &self.lots.map(|lot| lot.left));
        [parts[LOOSE], parts[BOUGHT], parts[GIVEN]]
    }
}

/// What promotions see of a cart while they come one after the other.
#[derive(Debug, Clone)]
pub(super) struct Basket {
    /// In the order of [`Sight::lines`].
    pub(super) rows: Vec<Row>,
    /// By position.
    pub(super) charges: Vec<Row>,
    /// What campaigns have given with what they give here.
    pub(super) spent: HashMap<CampaignId, Spent>,
}

/// The parts of a cart that no promotion changes, with the lines that each filter lets pass.
pub(super) struct Sight<'f> {
    pub(super) compiled: &'f Compiled,
    pub(super) facts: &'f Facts<'f>,
    /// By position.
    pub(super) lines: Vec<&'f LineFacts>,
    passing: Vec<OnceCell<Vec<usize>>>,
}

impl<'f> Sight<'f> {
    pub(super) fn new(compiled: &'f Compiled, facts: &'f Facts<'f>) -> Self {
        let mut lines: Vec<&LineFacts> = facts.lines.iter().collect();
        lines.sort_by_key(|line| line.position);
        Self { compiled, facts, lines, passing: vec![OnceCell::new(); compiled.filters.len()] }
    }

    /// The cart before any promotion.
    pub(super) fn basket(&self) -> Basket {
        let charge = |charge: &super::facts::ChargeFacts| Row::new(charge.position, 1, charge.amount_minor);
        let mut charges: Vec<Row> = self.facts.charges.iter().map(charge).collect();
        charges.sort_by_key(|row| row.position);
        let rows = self.lines.iter().map(|line| Row::of_line(line)).collect();
        Basket { rows, charges, spent: self.facts.counts.campaigns.clone() }
    }

    /// The lines that pass a filter, by place in [`Sight::lines`].
    pub(super) fn passing(&self, filter: FilterIndex) -> &[usize] {
        self.passing[filter].get_or_init(|| {
            let currency = self.facts.buyer.currency;
            let tree = &self.compiled.filters[filter];
            let passes = |line: &LineFacts| tree.holds(&mut |test| test.passes(line, currency));
            (0..self.lines.len()).filter(|place| passes(self.lines[*place])).collect()
        })
    }

    /// The lines that pass and count in conditions.
    fn counted<'b>(&'b self, test: &ReadyTest, basket: &'b Basket) -> impl Iterator<Item = &'b Row> {
        let places = test.of.map(|filter| self.passing(filter)).unwrap_or_default();
        places.iter().map(|place| &basket.rows[*place]).filter(|row| row.counted)
    }

    /// Whether a condition is met by what is left.
    pub(super) fn meets(&self, test: &ReadyTest, basket: &Basket) -> bool {
        if let Some(met) = test.of_buyer(&self.facts.buyer) {
            return met;
        }
        let units = |bound: &Option<i32>| bound.map(i64::from);
        match &test.test {
            CartTest::Quantity { at_least, at_most, .. } => {
                let quantity = self.counted(test, basket).map(Row::units).sum();
                in_bounds(quantity, units(at_least), units(at_most))
            }
            CartTest::Lines { at_least, at_most, .. } => {
                in_bounds(self.counted(test, basket).count() as i64, units(at_least), units(at_most))
            }
            CartTest::Spend { ranges, .. } => in_range(ranges, self.facts.buyer.currency, self.spend(test, basket)),
            _ => false,
        }
    }

    /// The same before anything is known of what other promotions leave.
    pub(super) fn meets_anyway(&self, test: &ReadyTest, basket: &Basket) -> Option<bool> {
        if matches!(test.test, CartTest::Spend { .. }) { None } else { Some(self.meets(test, basket)) }
    }

    /// How much more must be spent until a condition is met; zero when it is, `None` when that is not what it lacks.
    pub(super) fn lacks(&self, test: &ReadyTest, basket: &Basket) -> Option<i64> {
        if self.meets(test, basket) {
            return Some(0);
        }
        let CartTest::Spend { ranges, .. } = &test.test else { return None };
        let range = ranges.iter().find(|range| range.currency == self.facts.buyer.currency)?;
        let gap = range.at_least? - self.spend(test, basket);
        (gap > 0).then_some(gap)
    }

    fn spend(&self, test: &ReadyTest, basket: &Basket) -> i64 {
        self.counted(test, basket).map(Row::left).sum()
    }
}

/// Units of a line that leave the loose ones for good.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) row: usize,
    pub(super) bought: i64,
    pub(super) given: i64,
}

impl Row {
    /// Splits off the units that are given, then those that qualify; answers with what the former came to.
    pub(super) fn bind(&mut self, bound: &Bound) -> Lot {
        let given = self.lots[LOOSE].split(bound.given);
        let bought = self.lots[LOOSE].split(bound.bought);
        self.lots[GIVEN].add(given);
        self.lots[BOUGHT].add(bought);
        given
    }

    pub(super) fn cut(&mut self, amounts: [i64; 3]) {
        for (lot, amount) in self.lots.iter_mut().zip(amounts) {
            lot.left -= amount;
        }
    }
}
