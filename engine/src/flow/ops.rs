//! The transactions of a run that are about nothing else.

use entity::flow;

use super::back_off;
use crate::actor::Need;
use crate::error::Result;
use crate::op::{Op, Tx};

/// How often a provider is asked for a payment that it does not know: for a quarter of an hour.
const UNKNOWN_TRIES: i32 = 10;

/// Takes a run up that nobody holds; nothing when somebody does, or it has ended.
#[derive(Debug, Clone)]
pub struct Take {
    /// The key of the run.
    pub run: String,
    /// What the run is for from now on; as before when absent.
    pub step: Option<&'static str>,
}

impl Op for Take {
    const NAME: &'static str = "flow.take";
    const NEEDS: Need = Need::System;
    type Out = Option<flow::Model>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<flow::Model>> {
        super::take(tx, &self.run, self.step).await
    }
}

/// Says what a run that the caller holds is for from now on.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The run.
    pub run: flow::Model,
    /// What it is for.
    pub step: &'static str,
}

impl Op for Turn {
    const NAME: &'static str = "flow.turn";
    const NEEDS: Need = Need::System;
    type Out = flow::Model;

    async fn run(&self, tx: &mut Tx) -> Result<flow::Model> {
        super::turn(tx, &self.run, self.step).await
    }
}

/// Lets go of a run whose provider gave no answer: it is asked again later. One that does not know the payment is asked
/// so often, and then staff must look.
#[derive(Debug, Clone)]
pub struct Postpone {
    /// The run.
    pub run: flow::Model,
    /// What it is for from now on; as before when absent.
    pub step: Option<&'static str>,
    /// Whether the provider answered that it does not know the payment.
    pub unknown: bool,
}

impl Op for Postpone {
    const NAME: &'static str = "flow.postpone";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        if self.unknown && self.run.attempts >= UNKNOWN_TRIES {
            tracing::error!(
                run = self.run.key,
                kind = self.run.kind,
                "the provider does not know its payment: staff must look"
            );
            return super::leave(tx, &self.run, self.step).await;
        }
        super::postpone(tx, &self.run, back_off(tx.now(), self.run.attempts), self.step).await
    }
}
