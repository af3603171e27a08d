//! An order's three statuses. They are derived here from amounts and
//! quantities and stored in the transaction that changed those
//! (`reference/medusa.md` S-1 to S-3, DESIGN section 4).

use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

words! {
    /// Where an order stands as a whole.
    pub enum OrderStatus {
        /// Being put together by staff; nothing is promised yet.
        Draft = "DRAFT",
        /// Placed and not done.
        Open = "OPEN",
        /// Paid and delivered.
        Completed = "COMPLETED",
        /// Called off; it stays so.
        Canceled = "CANCELED",
        /// Put away by staff.
        Archived = "ARCHIVED",
    }
}

words! {
    /// Where an order's money stands.
    pub enum PaymentStatus {
        /// No payment was begun.
        NotPaid = "NOT_PAID",
        /// A payment was begun and nothing is authorized yet.
        Awaiting = "AWAITING",
        /// The whole total is authorized.
        Authorized = "AUTHORIZED",
        /// A part of the total is authorized.
        PartiallyAuthorized = "PARTIALLY_AUTHORIZED",
        /// The whole total is captured, or there was nothing to pay.
        Captured = "CAPTURED",
        /// A part of the total is captured.
        PartiallyCaptured = "PARTIALLY_CAPTURED",
        /// All that was captured is given back.
        Refunded = "REFUNDED",
        /// A part of what was captured is given back.
        PartiallyRefunded = "PARTIALLY_REFUNDED",
        /// Every payment is void and nothing was captured.
        Canceled = "CANCELED",
        /// A provider wants something of the shopper or of staff.
        RequiresAction = "REQUIRES_ACTION",
    }
}

words! {
    /// Where an order's goods stand. The highest step that any line has reached
    /// counts; it is partial until every unit that is not canceled has reached it.
    pub enum FulfillmentStatus {
        /// Nothing is packed.
        NotFulfilled = "NOT_FULFILLED",
        /// Some units are packed.
        PartiallyFulfilled = "PARTIALLY_FULFILLED",
        /// All units are packed.
        Fulfilled = "FULFILLED",
        /// Some units are on their way.
        PartiallyShipped = "PARTIALLY_SHIPPED",
        /// All units are on their way.
        Shipped = "SHIPPED",
        /// Some units have arrived.
        PartiallyDelivered = "PARTIALLY_DELIVERED",
        /// All units have arrived.
        Delivered = "DELIVERED",
        /// Every unit is canceled.
        Canceled = "CANCELED",
    }
}

/// What happened to an order's money, in minor units of its currency, summed
/// over its payments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paid {
    /// What is authorized and can still be captured, with what was ever captured.
    pub authorized_minor: i64,
    /// What was ever captured, with what was refunded since.
    pub captured_minor: i64,
    /// What was given back.
    pub refunded_minor: i64,
    /// There are payments, and every one is void.
    pub voided: bool,
    /// A payment waits for its provider.
    pub awaiting: bool,
    /// A payment waits for the shopper or for staff.
    pub requires_action: bool,
}

/// The payment status of an order over `total_minor`.
///
/// Precedence as in S-2: action, refunds, captures, voids, authorizations,
/// waiting. Voids stand before authorizations because a void payment still
/// counts as once authorized.
pub fn payment_status(total_minor: i64, paid: &Paid) -> PaymentStatus {
    if paid.requires_action {
        PaymentStatus::RequiresAction
    } else if paid.refunded_minor > 0 {
        if paid.refunded_minor >= paid.captured_minor {
            PaymentStatus::Refunded
        } else {
            PaymentStatus::PartiallyRefunded
        }
    } else if paid.captured_minor >= total_minor {
        PaymentStatus::Captured
    } else if paid.captured_minor > 0 {
        PaymentStatus::PartiallyCaptured
    } else if paid.voided {
        PaymentStatus::Canceled
    } else if paid.authorized_minor >= total_minor {
        PaymentStatus::Authorized
    } else if paid.authorized_minor > 0 {
        PaymentStatus::PartiallyAuthorized
    } else if paid.awaiting {
        PaymentStatus::Awaiting
    } else {
        PaymentStatus::NotPaid
    }
}

/// How many units of an order line got how far. Each counter holds the units
/// that ever took the step, so a delivered unit is still a fulfilled one; one
/// that needs no shipping may be delivered without being shipped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCounters {
    /// Units bought.
    pub ordered: i32,
    /// Units packed.
    pub fulfilled: i32,
    /// Units handed to a carrier.
    pub shipped: i32,
    /// Units arrived.
    pub delivered: i32,
    /// Units called off before they were packed.
    pub canceled: i32,
}

impl LineCounters {
    /// Units that are to arrive.
    fn live(&self) -> i32 {
        self.ordered.saturating_sub(self.canceled).max(0)
    }
}

/// The fulfillment status of an order with these lines; of none, not fulfilled.
pub fn fulfillment_status(lines: &[LineCounters]) -> FulfillmentStatus {
    if lines.iter().all(|line| line.live() == 0) {
        return if lines.iter().any(|line| line.ordered > 0) {
            FulfillmentStatus::Canceled
        } else {
            FulfillmentStatus::NotFulfilled
        };
    }
    // `None` when no unit has reached the step, else whether all have.
    let reached = |units: fn(&LineCounters) -> i32| {
        let some = lines.iter().any(|line| units(line) > 0);
        some.then(|| lines.iter().all(|line| units(line) >= line.live()))
    };
    match (reached(|line| line.delivered), reached(|line| line.shipped), reached(|line| line.fulfilled)) {
        (Some(true), _, _) => FulfillmentStatus::Delivered,
        (Some(false), _, _) => FulfillmentStatus::PartiallyDelivered,
        (None, Some(true), _) => FulfillmentStatus::Shipped,
        (None, Some(false), _) => FulfillmentStatus::PartiallyShipped,
        (None, None, Some(true)) => FulfillmentStatus::Fulfilled,
        (None, None, Some(false)) => FulfillmentStatus::PartiallyFulfilled,
        (None, None, None) => FulfillmentStatus::NotFulfilled,
    }
}

/// The order's status after its money or goods moved: an open order is
/// completed once all is captured and delivered. Nothing else moves by itself.
pub fn order_status(current: OrderStatus, payment: PaymentStatus, fulfillment: FulfillmentStatus) -> OrderStatus {
    match (current, payment, fulfillment) {
        (OrderStatus::Open, PaymentStatus::Captured, FulfillmentStatus::Delivered) => OrderStatus::Completed,
        _ => current,
    }
}

/// Whether an order can be called off: not when it was before, nor when it is
/// archived (it may have been before), nor when any unit has left the house.
/// `STATE_INVALID` otherwise.
pub fn may_cancel(status: OrderStatus, fulfillment: FulfillmentStatus) -> Result<(), Refusal> {
    let no = |message: &str| Err(Refusal::new(ErrorCode::StateInvalid, message));
    match status {
        OrderStatus::Canceled => return no("The order is canceled already."),
        OrderStatus::Archived => return no("The order is archived."),
        OrderStatus::Draft | OrderStatus::Open | OrderStatus::Completed => {}
    }
    match fulfillment {
        FulfillmentStatus::PartiallyShipped
        | FulfillmentStatus::Shipped
        | FulfillmentStatus::PartiallyDelivered
        | FulfillmentStatus::Delivered => no("Goods have left the house: take them back instead."),
        FulfillmentStatus::NotFulfilled
        | FulfillmentStatus::PartiallyFulfilled
        | FulfillmentStatus::Fulfilled
        | FulfillmentStatus::Canceled => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paid(authorized_minor: i64, captured_minor: i64, refunded_minor: i64) -> Paid {
        Paid { authorized_minor, captured_minor, refunded_minor, ..Paid::default() }
    }

    fn line(ordered: i32, fulfilled: i32, shipped: i32, delivered: i32, canceled: i32) -> LineCounters {
        LineCounters { ordered, fulfilled, shipped, delivered, canceled }
    }

    #[test]
    fn payment_follows_the_amounts() {
        for (paid, status) in [
            (paid(0, 0, 0), PaymentStatus::NotPaid),
            (Paid { awaiting: true, ..paid(0, 0, 0) }, PaymentStatus::Awaiting),
            (paid(60, 0, 0), PaymentStatus::PartiallyAuthorized),
            (Paid { awaiting: true, ..paid(100, 0, 0) }, PaymentStatus::Authorized),
            (paid(100, 40, 0), PaymentStatus::PartiallyCaptured),
            (paid(100, 100, 0), PaymentStatus::Captured),
            (paid(100, 100, 1), PaymentStatus::PartiallyRefunded),
            (paid(100, 40, 40), PaymentStatus::Refunded),
            (Paid { voided: true, ..paid(100, 0, 0) }, PaymentStatus::Canceled),
            (Paid { requires_action: true, ..paid(100, 100, 0) }, PaymentStatus::RequiresAction),
        ] {
            assert_eq!(payment_status(100, &paid), status, "{paid:?}");
        }
        assert_eq!(payment_status(0, &paid(0, 0, 0)), PaymentStatus::Captured);
    }

    #[test]
    fn fulfillment_follows_the_counters() {
        let open = line(2, 0, 0, 0, 0);
        for (lines, status) in [
            (vec![], FulfillmentStatus::NotFulfilled),
            (vec![open.clone()], FulfillmentStatus::NotFulfilled),
            (vec![line(2, 1, 0, 0, 0)], FulfillmentStatus::PartiallyFulfilled),
            (vec![line(2, 2, 0, 0, 0), open.clone()], FulfillmentStatus::PartiallyFulfilled),
            (vec![line(2, 1, 0, 0, 1)], FulfillmentStatus::Fulfilled),
            (vec![line(2, 2, 1, 0, 0)], FulfillmentStatus::PartiallyShipped),
            (vec![line(2, 2, 2, 0, 0), line(1, 0, 0, 0, 1)], FulfillmentStatus::Shipped),
            (vec![line(2, 2, 2, 1, 0)], FulfillmentStatus::PartiallyDelivered),
            (vec![line(2, 2, 2, 0, 0), line(1, 1, 0, 1, 0)], FulfillmentStatus::PartiallyDelivered),
            (vec![line(2, 2, 2, 2, 0), line(1, 1, 0, 1, 0)], FulfillmentStatus::Delivered),
            (vec![line(2, 0, 0, 0, 2)], FulfillmentStatus::Canceled),
        ] {
            assert_eq!(fulfillment_status(&lines), status, "{lines:?}");
        }
    }

    #[test]
    fn only_an_open_order_completes() {
        for status in OrderStatus::ALL {
            let after = order_status(*status, PaymentStatus::Captured, FulfillmentStatus::Delivered);
            assert_eq!(after, if *status == OrderStatus::Open { OrderStatus::Completed } else { *status });
            assert_eq!(order_status(*status, PaymentStatus::Captured, FulfillmentStatus::Shipped), *status);
            assert_eq!(order_status(*status, PaymentStatus::Authorized, FulfillmentStatus::Delivered), *status);
        }
    }

    #[test]
    fn what_left_the_house_is_not_canceled() {
        assert_eq!(may_cancel(OrderStatus::Open, FulfillmentStatus::NotFulfilled), Ok(()));
        assert_eq!(may_cancel(OrderStatus::Open, FulfillmentStatus::Fulfilled), Ok(()));
        for (status, fulfillment) in [
            (OrderStatus::Open, FulfillmentStatus::PartiallyShipped),
            (OrderStatus::Completed, FulfillmentStatus::Delivered),
            (OrderStatus::Canceled, FulfillmentStatus::NotFulfilled),
            (OrderStatus::Archived, FulfillmentStatus::NotFulfilled),
        ] {
            assert_eq!(may_cancel(status, fulfillment).unwrap_err().code, ErrorCode::StateInvalid);
        }
    }

    proptest! {
        #[test]
        fn the_order_of_lines_does_not_matter(
            lines in prop::collection::vec((0..4_i32, 0..4_i32, 0..4_i32, 0..4_i32, 0..4_i32), 0..6),
        ) {
            let mut lines: Vec<_> = lines.into_iter().map(|(o, f, s, d, c)| line(o, f, s, d, c)).collect();
            let before = fulfillment_status(&lines);
            lines.reverse();
            prop_assert_eq!(fulfillment_status(&lines), before);
        }
    }
}
