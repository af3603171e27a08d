//! The arithmetic of one offer: what it would take off what is left.

use super::PromotionClass;
use super::basket::{Basket, Bound, GIVEN, LOOSE, Lot, Row, Sight};
use super::check::WHOLE;
use super::compiled::{FilterIndex, Ready, ReadyOffer, ReadyTarget};
use super::facts::GiftFacts;
use super::offer::{FixedAllocation, Gift, Offer, Reduction, Target, Tier, TierStart};
use super::outcome::{AdjustedRow, Arithmetic, Gap, GivenGift, NotApplied, PromotionObstacle};
use crate::money::{Currency, divide_rounded};
use crate::totals::share_discount;

/// What comes off one line or charge.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// Its place among the lines or charges of the basket.
    pub(super) place: usize,
    pub(super) row: AdjustedRow,
    pub(super) lots: [i64; 3],
    pub(super) units: i64,
    pub(super) of: i64,
    pub(super) how: Arithmetic,
}

impl Cut {
    pub(super) fn amount(&self) -> i64 {
        self.lots.iter().sum()
    }
}

/// What a promotion would give.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    pub(super) cuts: Vec<Cut>,
    /// The units that buy X get Y takes into account, given and bought.
    pub(super) bound: Vec<Bound>,
    pub(super) gifts: Vec<GivenGift>,
    /// What the gifts are worth.
    pub(super) gifts_minor: i64,
    pub(super) tier: Option<usize>,
    /// The tier after it, and what is missing to it.
    pub(super) next: Option<(usize, Gap)>,
}

impl Plan {
    /// What comes off.
    pub(super) fn amount(&self) -> i64 {
        self.cuts.iter().map(Cut::amount).sum()
    }

    /// What a budget pays: gifts count whether they are in the cart yet or not.
    pub(super) fn spent(&self) -> i64 {
        self.amount().max(self.gifts_minor)
    }
}

/// Some rows of a basket, each with its place there.
type Rows<'b> = Vec<(usize, &'b Row)>;

fn no(obstacle: PromotionObstacle) -> NotApplied {
    NotApplied::new(obstacle)
}

impl Sight<'_> {
    /// What an offer would give, or why nothing.
    pub(super) fn plan(&self, ready: &Ready, basket: &Basket) -> Result<Plan, NotApplied> {
        match &ready.offer {
            ReadyOffer::Reduce(target, reduction) => {
                let cuts = self.reduce(ready, (*target, reduction), basket)?;
                Ok(Plan { cuts, ..Plan::default() })
            }
            ReadyOffer::Tiers(target, tiers) => self.tiers(ready, (*target, tiers), basket),
            ReadyOffer::BuyGet { buy, get } => match &ready.promotion.offer {
                Offer::BuyGet(offer) => self.buy_get(offer, (*buy, *get), basket),
                _ => Err(no(PromotionObstacle::NoItem)),
            },
            ReadyOffer::Gifts(gifts) => self.gifts(ready, gifts, basket),
        }
    }

    fn currency(&self) -> Currency {
        self.facts.buyer.currency
    }

    /// The lines that pass a filter and may be lowered.
    fn reached<'b>(&self, filter: FilterIndex, basket: &'b Basket) -> Rows<'b> {
        let rows = self.passing(filter).iter().map(|place| (*place, &basket.rows[*place]));
        rows.filter(|(_, row)| row.reached).collect()
    }

    /// The charges that an offer comes off.
    fn charges<'b>(&self, ready: &Ready, basket: &'b Basket) -> Result<Rows<'b>, NotApplied> {
        if !self.facts.ships {
            return Err(no(PromotionObstacle::NothingShipped));
        }
        if basket.charges.is_empty() {
            return Err(no(PromotionObstacle::DeliveryMissing));
        }
        let named = match &ready.promotion.offer {
            Offer::Reduce { target: Target::Shipping(options), .. }
            | Offer::Tiers { target: Target::Shipping(options), .. } => options.as_slice(),
            _ => &[],
        };
        let option = |row: &Row| self.facts.charges.iter().find(|charge| charge.position == row.position);
        let meant = |row: &Row| named.is_empty() || option(row).is_some_and(|charge| named.contains(&charge.option));
        Ok(basket.charges.iter().enumerate().filter(|(_, row)| meant(row)).collect())
    }

    fn reduce(
        &self,
        ready: &Ready,
        (target, reduction): (ReadyTarget, &Reduction),
        basket: &Basket,
    ) -> Result<Vec<Cut>, NotApplied> {
        let rows = match target {
            ReadyTarget::Items(filter) => self.reached(filter, basket),
            ReadyTarget::Order => basket.rows.iter().enumerate().filter(|(_, row)| row.reached).collect(),
            ReadyTarget::Shipping => self.charges(ready, basket)?,
        };
        cut(&rows, reduction, ready.promotion.class(), self.currency())
    }

    fn tiers(
        &self,
        ready: &Ready,
        (target, tiers): (ReadyTarget, &[Tier]),
        basket: &Basket,
    ) -> Result<Plan, NotApplied> {
        let counted: Vec<&Row> = match target {
            ReadyTarget::Items(filter) => self.passing(filter).iter().map(|place| &basket.rows[*place]).collect(),
            ReadyTarget::Order | ReadyTarget::Shipping => basket.rows.iter().collect(),
        };
        let counted = counted.into_iter().filter(|row| row.counted);
        let (spend, units) = counted.fold((0, 0), |(spend, units), row| (spend + row.left(), units + row.units()));
        // How far it is to a tier; zero when it is reached.
        let gap = |tier: &Tier| match &tier.from {
            TierStart::Quantity(from) => Some(Gap::Units((i64::from(*from) - units).max(0))),
            TierStart::Spend(amounts) => Some(Gap::Spend((amounts.in_currency(self.currency())? - spend).max(0))),
        };
        let is_reached = |tier: &Tier| matches!(gap(tier), Some(Gap::Units(0) | Gap::Spend(0)));
        let reached = tiers.iter().rposition(is_reached);
        let next_place = reached.map_or(0, |place| place + 1);
        let next = tiers.get(next_place).and_then(|tier| Some((next_place, gap(tier)?)));
        let Some(tier) = reached else {
            return Err(match next {
                Some((_, gap)) => NotApplied::lacking(PromotionObstacle::TierNotReached, gap),
                None => no(PromotionObstacle::CurrencyMissing),
            });
        };
        let cuts = self.reduce(ready, (target, &tiers[tier].reduction), basket)?;
        Ok(Plan { cuts, tier: Some(tier), next, ..Plan::default() })
    }

    fn gifts(&self, ready: &Ready, gifts: &[Gift], basket: &Basket) -> Result<Plan, NotApplied> {
        let mut plan = Plan::default();
        for gift in gifts {
            let there = |known: &&GiftFacts| known.variant == gift.variant;
            let known = self.facts.gifts.iter().find(there).ok_or_else(|| no(PromotionObstacle::GiftUnavailable))?;
            let promotion = ready.promotion.id;
            plan.gifts.push(GivenGift { promotion, variant: gift.variant, quantity: gift.quantity });
            let worth = known.unit_price_minor.max(0).saturating_mul(gift.quantity.into());
            plan.gifts_minor = plan.gifts_minor.saturating_add(worth);
            let mut owed = i64::from(gift.quantity);
            for (place, line) in self.lines.iter().enumerate() {
                let given = line.gift_of == Some(promotion) && line.item.variant == gift.variant;
                if !given || line.item.gift_card || !line.item.discountable {
                    continue;
                }
                let mut loose = basket.rows[place].lots[LOOSE];
                let free = loose.split(owed);
                owed -= free.units;
                if free.left > 0 {
                    let row = AdjustedRow::Line(line.position);
                    let lots = [free.left, 0, 0];
                    plan.cuts.push(Cut { place, row, lots, units: free.units, of: free.left, how: Arithmetic::Free });
                }
            }
        }
        Ok(plan)
    }

    /// Takes what a plan gives out of a basket.
    pub(super) fn commit(&self, ready: &Ready, plan: &Plan, basket: &mut Basket) {
        for bound in &plan.bound {
            basket.rows[bound.row].bind(bound);
        }
        for cut in &plan.cuts {
            let rows = match cut.row {
                AdjustedRow::Line(_) => &mut basket.rows,
                AdjustedRow::Charge(_) => &mut basket.charges,
            };
            rows[cut.place].cut(cut.lots);
        }
        if let Some(campaign) = ready.promotion.campaign {
            let spent = basket.spent.entry(campaign).or_default();
            *spent = spent.and(plan.spent());
        }
    }
}

/// What a reduction takes off some rows, or why nothing.
pub(super) fn cut(
    rows: &[(usize, &Row)],
    reduction: &Reduction,
    class: PromotionClass,
    currency: Currency,
) -> Result<Vec<Cut>, NotApplied> {
    if rows.is_empty() {
        return Err(no(PromotionObstacle::NoItem));
    }
    let lefts: Vec<(i32, i64)> = rows.iter().map(|(_, row)| (row.position, row.left())).collect();
    let over: i64 = lefts.iter().map(|(_, left)| left).sum();
    let whole = match reduction {
        Reduction::Percentage { rate_ppm, .. } if class == PromotionClass::Order => Some(part(over, *rate_ppm)),
        Reduction::Fixed { amounts, allocation: FixedAllocation::Once } => Some(amount(amounts, currency)?),
        _ => None,
    };
    let mut cuts = Vec::with_capacity(rows.len());
    match whole {
        Some(whole) => {
            let shares = share_discount(whole, &lefts);
            let how = Arithmetic::Shared { whole_minor: whole.min(over), over_minor: over };
            for ((place, row), share) in rows.iter().zip(shares) {
                cuts.push((*place, *row, row.shares(share), how));
            }
        }
        None => {
            for (place, row) in rows {
                let (lots, how) = cut_row(row, reduction, currency)?;
                cuts.push((*place, *row, lots, how));
            }
        }
    }
    if let Reduction::Percentage { at_most, .. } = reduction
        && let Some(most) = at_most.in_currency(currency)
    {
        cap(&mut cuts, most);
    }
    let cuts: Vec<Cut> = cuts
        .into_iter()
        .filter(|(_, _, lots, _)| lots.iter().sum::<i64>() > 0)
        .map(|(place, row, lots, how)| {
            let position = row.position;
            let adjusted = match class {
                PromotionClass::Shipping => AdjustedRow::Charge(position),
                PromotionClass::Item | PromotionClass::Order => AdjustedRow::Line(position),
            };
            // Units that cost nothing any more had no part in it.
            let paid = row.lots.iter().filter(|lot| lot.left > 0).map(|lot| lot.units).sum();
            Cut { place, row: adjusted, lots, units: paid, of: row.left(), how }
        })
        .collect();
    if cuts.is_empty() { Err(no(PromotionObstacle::NothingLeft)) } else { Ok(cuts) }
}

/// Brings cuts down to a sum, each by its part of them.
fn cap(cuts: &mut [(usize, &Row, [i64; 3], Arithmetic)], most: i64) {
    let wanted: Vec<(i32, i64)> = cuts.iter().map(|(_, row, lots, _)| (row.position, lots.iter().sum())).collect();
    let instead_of_minor = wanted.iter().map(|(_, amount)| amount).sum();
    if most >= instead_of_minor {
        return;
    }
    let shares = share_discount(most, &wanted);
    for ((_, row, lots, how), share) in cuts.iter_mut().zip(shares) {
        *lots = row.shares(share);
        *how = Arithmetic::Capped { whole_minor: most, instead_of_minor };
    }
}

fn amount(amounts: &super::offer::Amounts, currency: Currency) -> Result<i64, NotApplied> {
    amounts.in_currency(currency).ok_or_else(|| no(PromotionObstacle::CurrencyMissing))
}

fn part(of: i64, rate_ppm: i32) -> i64 {
    divide_rounded(i128::from(of) * i128::from(rate_ppm), WHOLE.into())
}

/// What a reduction takes off one row by itself.
fn cut_row(row: &Row, reduction: &Reduction, currency: Currency) -> Result<([i64; 3], Arithmetic), NotApplied> {
    // No lot gives more than it has, and what costs nothing pays for no other.
    let by_lot = |each: &dyn Fn(&Lot) -> i64| row.lots.each_ref().map(|lot| each(lot).clamp(0, lot.left));
    Ok(match reduction {
        Reduction::Percentage { rate_ppm, .. } => {
            (row.shares(part(row.left(), *rate_ppm)), Arithmetic::Percentage { rate_ppm: *rate_ppm })
        }
        Reduction::Fixed { amounts, allocation: FixedAllocation::EachUnit } => {
            let each_minor = amount(amounts, currency)?;
            (by_lot(&|lot| each_minor.saturating_mul(lot.units)), Arithmetic::EachUnit { each_minor })
        }
        Reduction::Fixed { amounts, .. } => {
            let each_minor = amount(amounts, currency)?;
            (row.shares(each_minor.min(row.left())), Arithmetic::EachLine { each_minor })
        }
        Reduction::FixedPrice { amounts } => {
            let each_minor = amount(amounts, currency)?;
            let above = |lot: &Lot| lot.left.saturating_sub(each_minor.saturating_mul(lot.units));
            (by_lot(&above), Arithmetic::FixedPrice { each_minor })
        }
        Reduction::Free => (row.lots.map(|lot| lot.left), Arithmetic::Free),
    })
}

/// The cuts of units that were given, off the lots of their lines that hold these.
pub(super) fn off_given(cuts: Vec<Cut>) -> Vec<Cut> {
    let moved = |cut: Cut| {
        let mut lots = [0; 3];
        lots[GIVEN] = cut.amount();
        Cut { lots, ..cut }
    };
    cuts.into_iter().map(moved).collect()
}
