//! A payment is a ledger: what is authorized, captured and refunded are sums of
//! its entries (DATA-MODEL, "Payment"). Amounts are in minor units of the
//! payment's currency.

use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

words! {
    /// What an entry does.
    pub enum EntryKind {
        /// Sets money of the shopper aside.
        Authorize = "AUTHORIZE",
        /// Takes money that was set aside.
        Capture = "CAPTURE",
        /// Lets go of what was set aside and not taken.
        Void = "VOID",
        /// Gives taken money back.
        Refund = "REFUND",
        /// A refund that came back, because it could not be delivered: the shop has the money again.
        Reversal = "REVERSAL",
    }
}

words! {
    /// What the provider said to an entry.
    pub enum EntryState {
        /// Nothing yet: it may still succeed, so it holds its amount.
        Pending = "PENDING",
        /// Yes.
        Succeeded = "SUCCEEDED",
        /// No.
        Failed = "FAILED",
    }
}

words! {
    /// When promised money is taken.
    pub enum CaptureMode {
        /// At once, when the order is placed.
        Automatic = "AUTOMATIC",
        /// When staff say so.
        Manual = "MANUAL",
    }
}

impl CaptureMode {
    /// How a provider's money is taken where staff say nothing: what comes by
    /// transfer or in cash is never there at once.
    pub fn usual(provider: &str) -> Self {
        if provider == "manual" { Self::Manual } else { Self::Automatic }
    }
}

words! {
    /// Why money is given back.
    pub enum RefundReason {
        /// The shopper asked for it.
        Requested = "REQUESTED",
        /// Goods came back.
        Returned = "RETURNED",
        /// Goods are missing, damaged or not as described.
        Faulty = "FAULTY",
        /// It was paid twice.
        Duplicate = "DUPLICATE",
        /// Somebody else's money was used.
        Fraudulent = "FRAUDULENT",
        /// The order was canceled.
        Canceled = "CANCELED",
        /// Something else: the note says what.
        Other = "OTHER",
    }
}

words! {
    /// Where a payment stands.
    pub enum PaymentState {
        /// Nothing is decided yet.
        Pending = "PENDING",
        /// The provider wants the shopper.
        RequiresAction = "REQUIRES_ACTION",
        /// Money is set aside and none is taken.
        Authorized = "AUTHORIZED",
        /// The whole amount is taken.
        Captured = "CAPTURED",
        /// A part of the amount is taken.
        PartiallyCaptured = "PARTIALLY_CAPTURED",
        /// All that was taken is given back.
        Refunded = "REFUNDED",
        /// A part of what was taken is given back.
        PartiallyRefunded = "PARTIALLY_REFUNDED",
        /// What was set aside is let go and none was taken.
        Voided = "VOIDED",
        /// The provider said no.
        Failed = "FAILED",
    }
}

/// One movement of a payment in its latest state: never both as pending and as
/// succeeded. Entries come in the order in which they were begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it does.
    pub kind: EntryKind,
    /// What the provider said.
    pub state: EntryState,
    /// How much, not negative.
    pub amount_minor: i64,
}

/// What a payment's entries come to, counting those that succeeded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Ever authorized, with what was captured since.
    pub authorized_minor: i64,
    /// Ever captured, with what was refunded since.
    pub captured_minor: i64,
    /// Given back, less what came back of that.
    pub refunded_minor: i64,
    /// What was authorized and not captured is let go.
    pub voided: bool,
}

impl Ledger {
    /// What of an order it pays for: what is promised and can still be taken, and what was ever taken. What was given
    /// back of that is not owed again.
    pub fn covered_minor(&self) -> i64 {
        if self.voided { self.captured_minor } else { self.authorized_minor }
    }
}

/// What is left of an order's total to be paid, never below zero: less what its payments cover or may yet.
pub fn owed<'e>(total_minor: i64, ledgers: impl IntoIterator<Item = &'e [Entry]>) -> i64 {
    ledgers.into_iter().fold(total_minor, |left, entries| left.saturating_sub(share(entries))).max(0)
}

/// What one payment covers, or may yet.
pub fn share(entries: &[Entry]) -> i64 {
    let pending = sum(entries, EntryKind::Authorize, &[EntryState::Pending]);
    ledger(entries).covered_minor().saturating_add(pending)
}

/// Whether it is not known yet if any money is promised.
pub fn is_under_way(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.kind == EntryKind::Authorize && entry.state == EntryState::Pending)
}

/// The sum of one kind's entries in these states.
fn sum(entries: &[Entry], kind: EntryKind, states: &[EntryState]) -> i64 {
    let counted = entries.iter().filter(|entry| entry.kind == kind && states.contains(&entry.state));
    counted.fold(0, |sum, entry| sum.saturating_add(entry.amount_minor))
}

const DONE: &[EntryState] = &[EntryState::Succeeded];
const DONE_OR_HELD: &[EntryState] = &[EntryState::Succeeded, EntryState::Pending];

/// What the entries come to.
pub fn ledger(entries: &[Entry]) -> Ledger {
    Ledger {
        authorized_minor: sum(entries, EntryKind::Authorize, DONE),
        captured_minor: sum(entries, EntryKind::Capture, DONE),
        refunded_minor: sum(entries, EntryKind::Refund, DONE) - sum(entries, EntryKind::Reversal, DONE),
        voided: entries.iter().any(|entry| entry.kind == EntryKind::Void && entry.state == EntryState::Succeeded),
    }
}

/// What can still be captured: authorized less every capture that succeeded or
/// may yet. Nothing once a void succeeded or may yet.
pub fn capturable(entries: &[Entry]) -> i64 {
    if entries.iter().any(|entry| entry.kind == EntryKind::Void && entry.state != EntryState::Failed) {
        return 0;
    }
    let authorized = sum(entries, EntryKind::Authorize, DONE);
    authorized.saturating_sub(sum(entries, EntryKind::Capture, DONE_OR_HELD)).max(0)
}

/// What can still be refunded: captured less every refund that succeeded or may yet, and did not come back.
pub fn refundable(entries: &[Entry]) -> i64 {
    let captured = sum(entries, EntryKind::Capture, DONE);
    let given = sum(entries, EntryKind::Refund, DONE_OR_HELD) - sum(entries, EntryKind::Reversal, DONE);
    captured.saturating_sub(given).max(0)
}

/// The state of a payment over `amount_minor`; `acts` says whether the
/// provider wants the shopper, which entries don't tell.
///
/// A failed capture or refund leaves the payment where it was; a failed
/// authorization fails it unless another one is under way.
pub fn state(amount_minor: i64, entries: &[Entry], acts: bool) -> PaymentState {
    let sums = ledger(entries);
    if sums.refunded_minor > 0 {
        if sums.refunded_minor >= sums.captured_minor {
            PaymentState::Refunded
        } else {
            PaymentState::PartiallyRefunded
        }
    } else if sums.captured_minor > 0 {
        if sums.captured_minor >= amount_minor { PaymentState::Captured } else { PaymentState::PartiallyCaptured }
    } else if sums.voided {
        PaymentState::Voided
    } else if sums.authorized_minor > 0 {
        PaymentState::Authorized
    } else {
        let tried = |state| entries.iter().any(|entry| entry.state == state);
        if tried(EntryState::Failed) && !tried(EntryState::Pending) {
            PaymentState::Failed
        } else if acts {
            PaymentState::RequiresAction
        } else {
            PaymentState::Pending
        }
    }
}

/// Whether `amount_minor` may be captured: `INVALID` below 1, `AMOUNT_TOO_LARGE`
/// with the limit beyond [`capturable`].
pub fn check_capture(entries: &[Entry], amount_minor: i64) -> Result<(), Refusal> {
    check(amount_minor, capturable(entries), "This is more than is left to capture.")
}

/// Whether `amount_minor` may be refunded: `INVALID` below 1, `AMOUNT_TOO_LARGE`
/// with the limit beyond [`refundable`].
pub fn check_refund(entries: &[Entry], amount_minor: i64) -> Result<(), Refusal> {
    check(amount_minor, refundable(entries), "This is more than is left to refund.")
}

/// Whether what is promised may be given up: `STATE_INVALID` when nothing is left of it, or when a part of it is
/// being taken at this moment.
pub fn check_void(entries: &[Entry]) -> Result<(), Refusal> {
    let taking = |entry: &Entry| entry.kind == EntryKind::Capture && entry.state == EntryState::Pending;
    if entries.iter().any(taking) {
        let message = "Money of this payment is being taken; try again when that has settled.";
        Err(Refusal::new(ErrorCode::StateInvalid, message))
    } else if capturable(entries) == 0 {
        Err(Refusal::new(ErrorCode::StateInvalid, "Nothing of this payment is left to be given up."))
    } else {
        Ok(())
    }
}

fn check(amount_minor: i64, left_minor: i64, too_large: &str) -> Result<(), Refusal> {
    if amount_minor < 1 {
        Err(Refusal::new(ErrorCode::Invalid, "The amount must be above zero."))
    } else if amount_minor > left_minor {
        Err(Refusal::new(ErrorCode::AmountTooLarge, too_large).limit(left_minor))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::EntryKind::{Authorize, Capture, Refund, Reversal, Void};
    use super::EntryState::{Failed, Pending, Succeeded};
    use super::*;
    use proptest::prelude::*;

    fn entries(entries: &[(EntryKind, EntryState, i64)]) -> Vec<Entry> {
        entries
            .iter()
            .map(|(kind, state, amount_minor)| Entry { kind: *kind, state: *state, amount_minor: *amount_minor })
            .collect()
    }

    #[test]
    fn what_may_still_succeed_is_held() {
        let of = entries(&[
            (Authorize, Succeeded, 100),
            (Authorize, Pending, 50),
            (Capture, Succeeded, 40),
            (Capture, Pending, 25),
            (Capture, Failed, 90),
            (Refund, Succeeded, 10),
            (Refund, Pending, 5),
        ]);
        assert_eq!(
            ledger(&of),
            Ledger { authorized_minor: 100, captured_minor: 40, refunded_minor: 10, voided: false }
        );
        assert_eq!((capturable(&of), refundable(&of)), (35, 25));
        assert_eq!(check_capture(&of, 35), Ok(()));
        assert_eq!(check_refund(&of, 25), Ok(()));
        let refused = check_capture(&of, 36).unwrap_err();
        assert_eq!((refused.code, refused.limit), (ErrorCode::AmountTooLarge, Some(35)));
        assert_eq!(check_refund(&of, 26).unwrap_err().limit, Some(25));
        assert_eq!(check_refund(&of, 0).unwrap_err().code, ErrorCode::Invalid);
        assert_eq!(check_capture(&of, -1).unwrap_err().code, ErrorCode::Invalid);
    }

    #[test]
    fn what_came_back_can_be_given_back_again() {
        let of = entries(&[
            (Authorize, Succeeded, 100),
            (Capture, Succeeded, 100),
            (Refund, Succeeded, 60),
            (Refund, Succeeded, 40),
            (Reversal, Succeeded, 60),
        ]);
        assert_eq!((ledger(&of).refunded_minor, refundable(&of)), (40, 60));
    }

    #[test]
    fn what_is_owed_is_what_no_payment_covers() {
        let of = |ledgers: &[Vec<Entry>]| owed(100, ledgers.iter().map(Vec::as_slice));
        let authorized = (Authorize, Succeeded, 100);
        assert_eq!(of(&[]), 100);
        assert_eq!(of(&[entries(&[authorized])]), 0);
        let let_go = entries(&[authorized, (Capture, Succeeded, 40), (Void, Succeeded, 60)]);
        assert_eq!(of(std::slice::from_ref(&let_go)), 60);
        assert_eq!(of(&[let_go.clone(), entries(&[(Authorize, Pending, 50)])]), 10);
        assert_eq!(of(&[let_go.clone(), entries(&[(Authorize, Failed, 50)])]), 60);
        assert_eq!(of(&[let_go, entries(&[authorized])]), 0, "never below zero");
        let given_back = entries(&[authorized, (Capture, Succeeded, 100), (Refund, Succeeded, 100)]);
        assert_eq!(of(&[given_back]), 0, "what was given back is not owed again");
        let waits = entries(&[(Authorize, Pending, 100)]);
        assert_eq!(
            (state(100, &waits, true), state(100, &waits, false)),
            (PaymentState::RequiresAction, PaymentState::Pending)
        );
        assert!(is_under_way(&waits) && !is_under_way(&entries(&[authorized])));
    }

    #[test]
    fn a_void_ends_capturing() {
        for (state, left) in [(Pending, 0), (Succeeded, 0), (Failed, 100)] {
            assert_eq!(capturable(&entries(&[(Authorize, Succeeded, 100), (Void, state, 100)])), left);
        }
    }

    #[test]
    fn what_is_being_taken_is_not_given_up() {
        let authorized = (Authorize, Succeeded, 100);
        assert_eq!(check_void(&entries(&[authorized])), Ok(()));
        assert_eq!(check_void(&entries(&[authorized, (Capture, Succeeded, 40)])), Ok(()));
        for more in [(Capture, Pending, 40), (Capture, Succeeded, 100), (Void, Pending, 100), (Void, Succeeded, 100)] {
            let refused = check_void(&entries(&[authorized, more])).unwrap_err();
            assert_eq!(refused.code, ErrorCode::StateInvalid, "{more:?}");
        }
    }

    #[test]
    fn the_state_follows_the_entries() {
        let authorized = (Authorize, Succeeded, 100);
        for (of, expected) in [
            (vec![], PaymentState::Pending),
            (vec![(Authorize, Pending, 100)], PaymentState::Pending),
            (vec![(Authorize, Failed, 100)], PaymentState::Failed),
            (vec![(Authorize, Failed, 100), (Authorize, Pending, 100)], PaymentState::Pending),
            (vec![authorized], PaymentState::Authorized),
            (vec![authorized, (Capture, Failed, 100)], PaymentState::Authorized),
            (vec![authorized, (Capture, Succeeded, 40)], PaymentState::PartiallyCaptured),
            (vec![authorized, (Capture, Succeeded, 40), (Void, Succeeded, 60)], PaymentState::PartiallyCaptured),
            (vec![authorized, (Capture, Succeeded, 40), (Capture, Succeeded, 60)], PaymentState::Captured),
            (vec![authorized, (Capture, Succeeded, 100), (Refund, Failed, 100)], PaymentState::Captured),
            (vec![authorized, (Capture, Succeeded, 100), (Refund, Succeeded, 1)], PaymentState::PartiallyRefunded),
            (vec![authorized, (Capture, Succeeded, 40), (Refund, Succeeded, 40)], PaymentState::Refunded),
            (
                vec![authorized, (Capture, Succeeded, 100), (Refund, Succeeded, 60), (Reversal, Succeeded, 60)],
                PaymentState::Captured,
            ),
            (vec![authorized, (Void, Succeeded, 100)], PaymentState::Voided),
        ] {
            assert_eq!(state(100, &entries(&of), false), expected, "{of:?}");
        }
    }

    proptest! {
        #[test]
        fn no_run_of_checked_steps_takes_or_gives_too_much(
            authorized in 1..10_000_i64,
            steps in prop::collection::vec((any::<bool>(), 0..5_000_i64, prop::sample::select(EntryState::ALL)), 0..20),
        ) {
            let mut of = entries(&[(Authorize, Succeeded, authorized)]);
            for (capture, amount_minor, state) in steps {
                let (kind, checked) = if capture {
                    (Capture, check_capture(&of, amount_minor))
                } else {
                    (Refund, check_refund(&of, amount_minor))
                };
                if checked.is_ok() {
                    of.push(Entry { kind, state, amount_minor });
                }
            }
            // Even if everything pending succeeds.
            let settled: Vec<_> = of.iter().cloned().map(|entry| match entry.state {
                Pending => Entry { state: Succeeded, ..entry },
                Succeeded | Failed => entry,
            }).collect();
            for sums in [ledger(&of), ledger(&settled)] {
                prop_assert!(sums.refunded_minor <= sums.captured_minor && sums.captured_minor <= sums.authorized_minor);
            }
        }
    }
}
