//! Simulation: what a promotion would do to carts, before staff let it go.

use super::campaign::Campaign;
use super::compiled::Compiled;
use super::facts::Facts;
use super::outcome::{Applied, NotApplied, Outcome};
use super::{Promotion, PromotionMethod};
use crate::id::PromotionId;

/// The promotions of the shop twice: as they are, and with one more on trial.
///
/// On trial a promotion counts wherever its conditions are met, as if it were
/// active at that moment and its code, if it has codes, had been entered; its
/// window is left out, its limits and budget are not. So orders of the past
/// can be asked as well as a cart of today.
#[derive(Debug, Clone)]
pub struct Trial {
    promotion: PromotionId,
    without: Compiled,
    with: Compiled,
}

/// What a promotion on trial would do to one cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// What comes off without it.
    pub without: Outcome,
    /// What comes off with it.
    pub with: Outcome,
}

impl Trial {
    /// Puts a promotion on trial beside others, which may hold it already in another form.
    pub fn new(trial: Promotion, others: &[Promotion], campaigns: &[Campaign]) -> Self {
        Self::beside(Promotion { method: PromotionMethod::Automatic, ..trial }, others, campaigns)
    }

    /// The same, where one of its codes lies in the cart: it comes by that, so that what is wrong with the code counts.
    pub fn by_code(trial: Promotion, others: &[Promotion], campaigns: &[Campaign]) -> Self {
        Self::beside(trial, others, campaigns)
    }

    fn beside(tried: Promotion, others: &[Promotion], campaigns: &[Campaign]) -> Self {
        let id = tried.id;
        let beside = || others.iter().filter(|other| other.id != id).cloned();
        let compile = |promotions: Vec<Promotion>| Compiled::new(promotions, campaigns.iter().cloned());
        let with = compile(beside().chain([tried]).collect());
        Self { promotion: id, without: compile(beside().collect()), with: with.on_trial(id) }
    }

    /// What it would do to a cart.
    pub fn run(&self, facts: &Facts<'_>) -> Simulation {
        Simulation { without: self.without.apply(facts), with: self.with.apply(facts) }
    }

    /// Why it would give a cart nothing.
    pub fn why_not<'s>(&self, simulation: &'s Simulation) -> Option<&'s NotApplied> {
        simulation.with.why_not(self.promotion)
    }

    /// What it would give a cart; nothing where it gives nothing.
    pub fn given<'s>(&self, simulation: &'s Simulation) -> Option<&'s Applied> {
        let applied = simulation.with.applied.iter().find(|applied| applied.promotion == self.promotion);
        applied.filter(|applied| applied.spent_minor > 0)
    }

    /// The promotions without the one on trial, and with it.
    pub fn into_compiled(self) -> (Compiled, Compiled) {
        (self.without, self.with)
    }

    /// Which facts are asked for.
    pub fn needs(&self) -> &super::compiled::Needs {
        self.with.needs()
    }
}

impl Simulation {
    /// What the cart would cost the shop more: above zero, or below where the promotion keeps out a greater one. Gifts
    /// count with what they would cost, also before they lie in the cart.
    pub fn cost_minor(&self) -> i64 {
        let given = |outcome: &Outcome| outcome.applied.iter().map(|applied| applied.spent_minor).sum::<i64>();
        given(&self.with) - given(&self.without)
    }
}
