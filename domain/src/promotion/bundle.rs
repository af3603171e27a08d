//! Buy X get Y: which units qualify, and which are given.
//!
//! Units of one line are alike, so lines are walked and not units. A line's
//! loose units are of one of three kinds: they may only qualify, only be given,
//! or either. First as many as possible are given, then, among all ways to that,
//! the cheapest are given and the dearest of the rest qualify.

use std::cmp::Ordering;

use super::PromotionClass;
use super::basket::{Basket, Bound, LOOSE, Lot, Row, Sight};
use super::compiled::FilterIndex;
use super::offer::BuyGet;
use super::outcome::{Gap, NotApplied, PromotionObstacle};
use super::plan::{Plan, cut, off_given};

/// The loose units of a line that the promotion is about.
struct Stack {
    row: usize,
    position: i32,
    lot: Lot,
    qualifies: bool,
    is_given: bool,
    given: i64,
    bought: i64,
}

impl Stack {
    /// By what is left of one unit, the cheapest first, of equal ones the later line: lines that stand
    /// first qualify first.
    fn by_price(&self, other: &Self) -> Ordering {
        let one = i128::from(self.lot.left) * i128::from(other.lot.units);
        let two = i128::from(other.lot.left) * i128::from(self.lot.units);
        one.cmp(&two).then(other.position.cmp(&self.position))
    }
}

/// How many units there are of each kind.
#[derive(Debug, Clone, Copy, Default)]
struct Supply {
    only_buy: i64,
    only_get: i64,
    either: i64,
}

impl Supply {
    /// How many units can be given after so many have qualified.
    fn free_after(self, bought: i64) -> i64 {
        self.only_get + self.either - (bought - self.only_buy).max(0)
    }

    /// The number of times that gives most units, and of several the least; with the units given.
    fn times(self, offer: &BuyGet) -> (i64, i64) {
        let (buy, get) = (i64::from(offer.buy_quantity.max(1)), i64::from(offer.get_quantity.max(1)));
        let most = (self.only_buy + self.either) / buy;
        let most = offer.at_most_times.map_or(most, |times| most.min(times.into()));
        let given = |times: i64| (times * get).min(self.free_after(times * buy));
        // What is asked for grows with the times and what is there shrinks: the best lies where they meet.
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = (low + high + 1) / 2;
            if middle * get <= self.free_after(middle * buy) { low = middle } else { high = middle - 1 }
        }
        if low < most && given(low + 1) > given(low) { (low + 1, given(low + 1)) } else { (low, given(low)) }
    }
}

impl Sight<'_> {
    /// What a buy-X-get-Y promotion would give, or why nothing.
    pub(super) fn buy_get(
        &self,
        offer: &BuyGet,
        (buy, get): (FilterIndex, FilterIndex),
        basket: &Basket,
    ) -> Result<Plan, NotApplied> {
        let mut stacks = self.stacks((buy, get), basket);
        let mut supply = Supply::default();
        for stack in &stacks {
            let kind = match (stack.qualifies, stack.is_given) {
                (true, true) => &mut supply.either,
                (true, false) => &mut supply.only_buy,
                _ => &mut supply.only_get,
            };
            *kind += stack.lot.units;
        }
        let wanted = i64::from(offer.buy_quantity.max(1));
        let there = supply.only_buy + supply.either;
        if there < wanted {
            return Err(NotApplied::lacking(PromotionObstacle::TooFewBought, Gap::Units(wanted - there)));
        }
        let (times, given) = supply.times(offer);
        if given == 0 {
            return Err(NotApplied::new(PromotionObstacle::NothingToGive));
        }
        stacks.sort_by(Stack::by_price);
        if offer.gives_dearest {
            stacks.reverse();
        }
        deal(&mut stacks, (times * wanted, given), supply);
        self.given(offer, &stacks, basket)
    }

    /// What counts as bought or may be given, and costs something.
    fn stacks(&self, (buy, get): (FilterIndex, FilterIndex), basket: &Basket) -> Vec<Stack> {
        let (buy, get) = (self.passing(buy), self.passing(get));
        let stack = |(row, known): (usize, &Row)| Stack {
            row,
            position: known.position,
            lot: known.lots[LOOSE],
            qualifies: known.counted && buy.binary_search(&row).is_ok(),
            is_given: known.reached && get.binary_search(&row).is_ok(),
            given: 0,
            bought: 0,
        };
        let stacks = basket.rows.iter().enumerate().map(stack);
        stacks.filter(|stack| stack.lot.left > 0 && (stack.qualifies || stack.is_given)).collect()
    }

    fn given(&self, offer: &BuyGet, stacks: &[Stack], basket: &Basket) -> Result<Plan, NotApplied> {
        let mut bound = Vec::new();
        let mut given = Vec::new();
        for stack in stacks.iter().filter(|stack| stack.given + stack.bought > 0) {
            let one = Bound { row: stack.row, bought: stack.bought, given: stack.given };
            // On a copy: whether the promotion gives anything is not certain yet.
            let lot = basket.rows[stack.row].clone().bind(&one);
            bound.push(one);
            if lot.units > 0 {
                given.push((stack.row, Row::new(stack.position, lot.units, lot.left)));
            }
        }
        given.sort_by_key(|(_, row)| row.position);
        let rows: Vec<(usize, &Row)> = given.iter().map(|(place, row)| (*place, row)).collect();
        let cuts = cut(&rows, &offer.reduction, PromotionClass::Item, self.facts.buyer.currency)?;
        bound.sort_by_key(|bound| bound.row);
        Ok(Plan { cuts: off_given(cuts), bound, ..Plan::default() })
    }
}

/// Gives units from the front and lets the others qualify from the back, so that enough are left to qualify.
fn deal(stacks: &mut [Stack], (buy, give): (i64, i64), supply: Supply) {
    // So many of those that could do either may be given.
    let mut spare = supply.only_buy + supply.either - buy;
    let mut owed = give;
    for stack in stacks.iter_mut().filter(|stack| stack.is_given) {
        let units = stack.lot.units.min(owed);
        stack.given = if stack.qualifies { units.min(spare) } else { units };
        owed -= stack.given;
        spare -= if stack.qualifies { stack.given } else { 0 };
    }
    let mut wanted = buy;
    for stack in stacks.iter_mut().rev().filter(|stack| stack.qualifies) {
        stack.bought = (stack.lot.units - stack.given).min(wanted);
        wanted -= stack.bought;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promotion::condition::Items;
    use crate::promotion::offer::Reduction;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn nothing_more_could_be_given(
            (only_buy, only_get, either) in (0..12_i64, 0..12_i64, 0..12_i64),
            (buy_quantity, get_quantity) in (1..5, 1..5),
            at_most_times in prop::option::of(1..6),
        ) {
            let supply = Supply { only_buy, only_get, either };
            let offer = BuyGet {
                buy: Items::default(),
                buy_quantity,
                get: Items::default(),
                get_quantity,
                reduction: Reduction::Free,
                at_most_times,
                gives_dearest: false,
            };
            let mut best = (0, 0);
            for times in 1..=(only_buy + either) / i64::from(buy_quantity) {
                // Those that can't be given qualify first.
                let left = only_get + either - (times * i64::from(buy_quantity) - only_buy).max(0);
                let given = left.min(times * i64::from(get_quantity));
                if given > best.1 && at_most_times.is_none_or(|most| times <= most.into()) {
                    best = (times, given);
                }
            }
            let found = supply.times(&offer);
            prop_assert_eq!(found.1, best.1);
            prop_assert!(best.1 == 0 || found.0 == best.0, "{:?} {:?}", found, best);
        }
    }
}
