//! Who stands beside whom, and the order of things.
//!
//! First every promotion that can't count whatever the others do is set aside
//! with its reason. Of the rest, where some don't combine, rank alone says who
//! stays: each is tried beside those of higher rank. What is left is then worked
//! out in its order: line, order, shipping. A promotion that kept another one
//! out and in the end gives nothing itself is set aside, and all begins anew, so
//! that whoever is refused for another's sake is refused for one that stands.

use std::collections::HashMap;

use super::basket::{Basket, Sight};
use super::campaign::BudgetRefusal;
use super::compiled::{Compiled, Ready, ReadyOffer, ReadyTarget};
use super::facts::{EnteredCode, Facts, KnownCode, Uses};
use super::offer::Reduction;
use super::outcome::{
    Adjustment, Applied, CodeAnswer, CodeVerdict, Gap, Missing, NotApplied, Outcome, PromotionObstacle,
};
use super::plan::Plan;
use super::{PromotionClass, PromotionMethod, PromotionState};
use crate::id::PromotionId;

/// What is known of a promotion so far.
#[derive(Debug, Clone)]
enum Standing {
    /// It is looked at still.
    Open,
    /// It gives something.
    Gives(Box<Plan>),
    /// It gives nothing.
    Not(NotApplied),
}

/// A promotion that comes into question.
struct Candidate<'f> {
    ready: &'f Ready,
    code: Option<&'f EnteredCode>,
    standing: Standing,
    /// Whether its reason is final, whatever the others do.
    aside: bool,
}

/// What codes tell before any promotion is worked out.
struct ReadCodes<'f> {
    /// The answer to each, by position; the promotion that has the last word on it.
    answers: Vec<(CodeAnswer, Option<PromotionId>)>,
    /// The code by which each promotion comes: the first one that holds.
    entered: HashMap<PromotionId, &'f EnteredCode>,
}

impl Compiled {
    /// Works out what promotions come to on a cart.
    pub fn apply(&self, facts: &Facts<'_>) -> Outcome {
        let sight = Sight::new(self, facts);
        let ReadCodes { answers: mut codes, entered } = self.read_codes(facts);
        let mut candidates = self.candidates(&sight, &entered);
        let order = sight.decide(&mut candidates);
        for (answer, of) in &mut codes {
            let candidate = of.and_then(|id| candidates.iter().find(|one| one.ready.promotion.id == id));
            if let Some(candidate) = candidate {
                candidate.answer(answer);
            }
        }
        let mut outcome =
            Outcome { codes: codes.into_iter().map(|(answer, _)| answer).collect(), ..Default::default() };
        for place in order {
            outcome.add(&sight, &candidates[place]);
        }
        for candidate in &candidates {
            if let Standing::Not(why) = &candidate.standing {
                outcome.not_applied.push((candidate.ready.promotion.id, why.clone()));
                outcome.missing.extend(candidate.missing(why.gap));
            }
        }
        outcome.missing.sort_by_key(|missing| match missing.gap {
            Gap::Spend(minor) => (missing.class, 0, minor),
            Gap::Units(units) => (missing.class, 1, units),
        });
        outcome
    }

    fn find(&self, id: PromotionId) -> Option<&Ready> {
        self.promotions.iter().find(|ready| ready.promotion.id == id)
    }

    fn read_codes<'f>(&self, facts: &'f Facts<'_>) -> ReadCodes<'f> {
        let mut sorted: Vec<&EnteredCode> = facts.codes.iter().collect();
        sorted.sort_by_key(|code| code.position);
        let mut entered: HashMap<PromotionId, &EnteredCode> = HashMap::new();
        let mut answers = Vec::with_capacity(sorted.len());
        for entry in sorted {
            let ready = entry.known.and_then(|known| Some((known, self.find(known.promotion)?)));
            let ready = ready.filter(|(_, ready)| ready.promotion.method == PromotionMethod::Code);
            let mut answer = CodeAnswer {
                position: entry.position,
                code: entry.code.clone(),
                verdict: CodeVerdict::Unknown,
                promotion: None,
                why: None,
                amount_minor: 0,
            };
            let mut of = None;
            if let Some((known, ready)) = ready {
                let id = ready.promotion.id;
                match self.code_obstacle(ready, known, facts.buyer.now) {
                    Some(why) => answer.refuse(id, why),
                    None if entered.contains_key(&id) => {
                        answer.verdict = CodeVerdict::AlreadyEntered;
                        answer.promotion = Some(id);
                    }
                    None => {
                        entered.insert(id, entry);
                        of = Some(id);
                    }
                }
            }
            answers.push((answer, of));
        }
        ReadCodes { answers, entered }
    }

    /// What is wrong with a code itself.
    fn code_obstacle(&self, ready: &Ready, known: KnownCode, now: i64) -> Option<NotApplied> {
        let promotion = &ready.promotion;
        NotApplied::by_state(self.state(promotion, now)).or_else(|| {
            if known.ends_at.is_some_and(|end| end <= now) {
                Some(NotApplied::new(PromotionObstacle::CodeExpired))
            } else if promotion.limits.per_code.is_some_and(|limit| known.uses >= limit) {
                Some(NotApplied::new(PromotionObstacle::CodeLimitReached))
            } else {
                None
            }
        })
    }

    /// The automatic promotions and those that were entered, by rank; those that can't count are set aside.
    fn candidates<'f>(
        &'f self,
        sight: &Sight<'_>,
        entered: &HashMap<PromotionId, &'f EnteredCode>,
    ) -> Vec<Candidate<'f>> {
        let basket = sight.basket();
        let candidate = |ready: &'f Ready| {
            let code = entered.get(&ready.promotion.id).copied();
            if ready.promotion.method == PromotionMethod::Code && code.is_none() {
                return None;
            }
            let aside = sight.aside(ready, &basket);
            let standing = aside.clone().map_or(Standing::Open, Standing::Not);
            Some(Candidate { ready, code, standing, aside: aside.is_some() })
        };
        self.promotions.iter().filter_map(candidate).collect()
    }
}

impl Sight<'_> {
    /// Why a promotion can't count, whatever the others do.
    fn aside(&self, ready: &Ready, basket: &Basket) -> Option<NotApplied> {
        let promotion = &ready.promotion;
        let state = self.compiled.state(promotion, self.facts.buyer.now);
        if state != PromotionState::Active {
            return NotApplied::by_state(state);
        }
        let uses = self.facts.counts.promotions.get(&promotion.id).copied();
        let uses = uses.unwrap_or(Uses { in_all: 0, by_buyer: Some(0) });
        let reached =
            |uses: Option<i64>, limit: Option<i64>| matches!((uses, limit), (Some(uses), Some(limit)) if uses >= limit);
        if reached(Some(uses.in_all), promotion.limits.in_all) {
            return Some(NotApplied::new(PromotionObstacle::LimitReached));
        }
        if reached(uses.by_buyer, promotion.limits.per_customer) {
            return Some(NotApplied::new(PromotionObstacle::CustomerLimitReached));
        }
        if let Err(refused) = self.pays(ready, 0, basket) {
            return Some(refused);
        }
        let anyway = ready.conditions.weigh(&mut |test| self.meets_anyway(test, basket));
        (anyway == Some(false)).then(|| self.unmet(ready, basket))
    }

    /// Whether the campaign's budget pays so much more.
    fn pays(&self, ready: &Ready, amount_minor: i64, basket: &Basket) -> Result<(), NotApplied> {
        let Some(campaign) = self.compiled.campaign(&ready.promotion) else { return Ok(()) };
        let Some(budget) = &campaign.budget else { return Ok(()) };
        let spent = basket.spent.get(&campaign.id).copied().unwrap_or_default();
        budget.admits(spent, self.facts.buyer.currency, amount_minor).map_err(|refused| match refused {
            BudgetRefusal::OtherCurrency => NotApplied::new(PromotionObstacle::BudgetCurrency),
            BudgetRefusal::Spent { .. } => NotApplied::new(PromotionObstacle::BudgetSpent),
        })
    }

    fn unmet(&self, ready: &Ready, basket: &Basket) -> NotApplied {
        let (place, test) = ready.conditions.fault(&mut |test| self.meets(test, basket));
        let gap = ready.conditions.missing(&mut |test| self.lacks(test, basket));
        NotApplied {
            condition: place,
            test: test.map(|test| test.test.name()),
            gap: gap.filter(|minor| *minor > 0).map(Gap::Spend),
            ..NotApplied::new(PromotionObstacle::ConditionUnmet)
        }
    }

    /// What a promotion would give of what is left, or why nothing.
    fn attempt(&self, ready: &Ready, basket: &Basket) -> Result<Plan, NotApplied> {
        // Where nothing is delivered, nobody is told what is missing to free shipping.
        if ready.promotion.class() == PromotionClass::Shipping && !self.facts.ships {
            return Err(NotApplied::new(PromotionObstacle::NothingShipped));
        }
        if !ready.conditions.holds(&mut |test| self.meets(test, basket)) {
            return Err(self.unmet(ready, basket));
        }
        let plan = self.plan(ready, basket)?;
        self.pays(ready, plan.spent(), basket)?;
        Ok(plan)
    }

    /// Settles what becomes of every candidate; answers with the places of those that give something, in their order.
    fn decide(&self, candidates: &mut [Candidate<'_>]) -> Vec<usize> {
        loop {
            let kept_out = self.contend(candidates);
            let order = self.work_out(candidates, &kept_out);
            let mut again = false;
            for winner in kept_out.values().copied() {
                if !candidates[winner].stands() && !candidates[winner].aside {
                    candidates[winner].aside = true;
                    again = true;
                }
            }
            if !again {
                return order;
            }
        }
    }

    /// Who is kept out by whom. Each is tried beside those of higher rank, on what these leave: items on what item
    /// promotions leave, for they come first.
    fn contend(&self, candidates: &[Candidate<'_>]) -> HashMap<usize, usize> {
        let mut kept_out = HashMap::new();
        let open: Vec<usize> = (0..candidates.len()).filter(|place| !candidates[*place].aside).collect();
        let all_combine = |place: &usize| {
            let promotion = &candidates[*place].ready.promotion;
            !promotion.exclusive && PromotionClass::ALL.iter().all(|class| promotion.combines_with.contains(class))
        };
        if open.iter().all(all_combine) {
            return kept_out;
        }
        let (mut items, mut whole) = (self.basket(), self.basket());
        let mut stays: Vec<usize> = Vec::new();
        for place in open {
            let ready = candidates[place].ready;
            let beside = |other: &&usize| !ready.promotion.combines(&candidates[**other].ready.promotion);
            if let Some(other) = stays.iter().find(beside) {
                kept_out.insert(place, *other);
                continue;
            }
            let is_item = ready.promotion.class() == PromotionClass::Item;
            let found = self.attempt(ready, if is_item { &items } else { &whole });
            if !is_standing(&found) {
                continue;
            }
            stays.push(place);
            if let (true, Ok(plan)) = (is_item, &found) {
                self.commit(ready, plan, &mut items);
            }
            let on_whole = if is_item { self.attempt(ready, &whole) } else { found };
            if let Ok(plan) = on_whole {
                self.commit(ready, &plan, &mut whole);
            }
        }
        kept_out
    }

    /// Works out all that are not kept out, in their order.
    fn work_out(&self, candidates: &mut [Candidate<'_>], kept_out: &HashMap<usize, usize>) -> Vec<usize> {
        let mut basket = self.basket();
        let mut stands: Vec<usize> = Vec::new();
        let mut order: Vec<usize> = (0..candidates.len()).filter(|place| !candidates[*place].aside).collect();
        // Stable, so those of one class stay in the order of their rank.
        order.sort_by_key(|place| candidates[*place].ready.promotion.class());
        for place in order {
            let ready = candidates[place].ready;
            let beside = |other: &&usize| !ready.promotion.combines(&candidates[**other].ready.promotion);
            let mut found = match kept_out.get(&place) {
                Some(other) => Err(NotApplied::beside(candidates[*other].ready.promotion.id)),
                None => self.attempt(ready, &basket),
            };
            // It counts only thanks to what others took off, and one of these does not combine with it.
            if let (true, Some(other)) = (is_standing(&found), stands.iter().find(beside)) {
                found = Err(NotApplied::beside(candidates[*other].ready.promotion.id));
            }
            if is_standing(&found) {
                stands.push(place);
            }
            candidates[place].standing = match found {
                Ok(plan) => {
                    self.commit(ready, &plan, &mut basket);
                    Standing::Gives(Box::new(plan))
                }
                Err(why) => Standing::Not(why),
            };
        }
        stands.retain(|place| matches!(candidates[*place].standing, Standing::Gives(_)));
        stands
    }
}

/// Whether a promotion takes a place among the others: one that waits for a delivery does, lest choosing one
/// change what comes off the lines.
fn is_standing(found: &Result<Plan, NotApplied>) -> bool {
    found.as_ref().err().is_none_or(|why| why.obstacle == PromotionObstacle::DeliveryMissing)
}

impl Candidate<'_> {
    fn stands(&self) -> bool {
        match &self.standing {
            Standing::Gives(_) => true,
            Standing::Not(why) => why.obstacle == PromotionObstacle::DeliveryMissing,
            Standing::Open => false,
        }
    }

    fn answer(&self, answer: &mut CodeAnswer) {
        let id = self.ready.promotion.id;
        match &self.standing {
            Standing::Gives(plan) => {
                answer.promotion = Some(id);
                answer.verdict = CodeVerdict::Applied;
                answer.amount_minor = plan.amount();
            }
            Standing::Not(why) => answer.refuse(id, why.clone()),
            Standing::Open => {}
        }
    }

    /// What more this promotion would give.
    fn missing(&self, gap: Option<Gap>) -> Option<Missing> {
        let promotion = &self.ready.promotion;
        let (tier, reduction) = match &self.ready.offer {
            ReadyOffer::Tiers(_, tiers) => {
                let tier = match &self.standing {
                    Standing::Gives(plan) => plan.next.map(|(tier, _)| tier)?,
                    _ => 0,
                };
                (Some(tier), tiers.get(tier).map(|tier| &tier.reduction))
            }
            ReadyOffer::Reduce(_, reduction) => (None, Some(reduction)),
            ReadyOffer::BuyGet { .. } | ReadyOffer::Gifts(_) => (None, None),
        };
        let is_shipping = match &self.ready.offer {
            ReadyOffer::Reduce(target, _) | ReadyOffer::Tiers(target, _) => matches!(target, ReadyTarget::Shipping),
            _ => false,
        };
        Some(Missing {
            promotion: promotion.id,
            class: promotion.class(),
            free_shipping: is_shipping && reduction.is_some_and(Reduction::takes_all),
            tier,
            gap: gap?,
        })
    }
}

impl CodeAnswer {
    fn refuse(&mut self, promotion: PromotionId, why: NotApplied) {
        self.verdict = why.obstacle.into();
        // Who tries codes learns of none that is not let go.
        self.promotion = (self.verdict != CodeVerdict::Unknown).then_some(promotion);
        self.why = Some(why);
    }
}

impl Outcome {
    fn add(&mut self, sight: &Sight<'_>, candidate: &Candidate<'_>) {
        let Standing::Gives(plan) = &candidate.standing else { return };
        let promotion = &candidate.ready.promotion;
        let code = candidate.code.map(|entry| entry.code.clone());
        let adjustment = |cut: &super::plan::Cut| Adjustment {
            promotion: promotion.id,
            code: code.clone(),
            row: cut.row,
            units: cut.units,
            of_minor: cut.of,
            amount_minor: cut.amount(),
            how: cut.how,
        };
        let adjusted: Vec<Adjustment> = plan.cuts.iter().map(adjustment).collect();
        self.adjustments.extend(adjusted);
        self.gifts.extend(plan.gifts.iter().copied());
        self.missing.extend(plan.next.and_then(|(_, gap)| candidate.missing(Some(gap))));
        let qualified = plan.bound.iter().filter(|bound| bound.bought > 0);
        let bought = qualified.map(|bound| (sight.lines[bound.row].position, bound.bought)).collect();
        self.applied.push(Applied {
            promotion: promotion.id,
            code,
            class: promotion.class(),
            campaign: promotion.campaign,
            amount_minor: plan.amount(),
            spent_minor: plan.spent(),
            tier: plan.tier,
            bought,
        });
    }
}
