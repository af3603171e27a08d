//! A checkout is one attempt to turn a cart into an order (DESIGN section 4).

use crate::id::CartDeliveryId;
use crate::refusal::{ErrorCode, Refusal};
use crate::text::CountryCode;
use crate::word::words;

words! {
    /// Where an attempt stands.
    pub enum CheckoutState {
        /// Begun: lines and totals are frozen, stock is reserved.
        Pending = "PENDING",
        /// The provider wants the shopper; the run is parked.
        RequiresAction = "REQUIRES_ACTION",
        /// The order is written. Final.
        Placed = "PLACED",
        /// Given up: everything is released and the cart is open again. Final.
        Abandoned = "ABANDONED",
    }
}

/// How far the choice of a delivery group is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryChoice {
    /// Nothing is chosen.
    Missing,
    /// What was chosen is offered.
    Offered,
    /// What was chosen is not offered; a sentence says why.
    Unavailable(String),
}

/// What is known of a cart that wants to become an order.
#[derive(Debug, Clone)]
pub struct Readiness<'a> {
    /// How many lines it has.
    pub lines: usize,
    /// Whether it has an e-mail address.
    pub has_email: bool,
    /// Whether anything of it is sent to an address, and not all of it picked up.
    pub needs_address: bool,
    /// The country of the shipping address, when there is one.
    pub country: Option<&'a CountryCode>,
    /// The country of the billing address, when there is one.
    pub billing_country: Option<&'a CountryCode>,
    /// The countries of its region.
    pub region_countries: &'a [CountryCode],
    /// How far each delivery group is; none when nothing is sent.
    pub deliveries: &'a [(CartDeliveryId, DeliveryChoice)],
    /// What is left to pay, in minor units.
    pub due_minor: i64,
    /// Whether a payment session is chosen.
    pub has_payment: bool,
    /// Whether its provider is offered in the region.
    pub payment_offered: bool,
}

/// Everything that stands between a cart and an order, apart from its lines.
/// Nothing to ship needs no delivery choice, and an address only where the region
/// leaves open in which country tax is due; nothing due needs no payment
/// (DESIGN section 4).
pub fn missing(cart: &Readiness<'_>) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    let mut refuse = |code, message: &str| refusals.push(Refusal::new(code, message));
    if cart.lines == 0 {
        refuse(ErrorCode::CartEmpty, "The cart is empty.");
    }
    if !cart.has_email {
        refuse(ErrorCode::EmailMissing, "The cart has no e-mail address: set it with cartBuyerUpdate.");
    }
    if cart.needs_address {
        match cart.country {
            None => refuse(
                ErrorCode::ShippingAddressMissing,
                "The cart has no shipping address: set it with cartAddressesUpdate.",
            ),
            Some(country) if !cart.region_countries.contains(country) => {
                refuse(ErrorCode::CountryNotServed, "The cart's region does not sell to the country of its address.");
            }
            Some(_) => {}
        }
    }
    if !cart.needs_address && cart.deliveries.is_empty() && cart.due_minor > 0 {
        match cart.country.or(cart.billing_country) {
            None if cart.region_countries.len() > 1 => refuse(
                ErrorCode::BillingAddressMissing,
                "Nobody knows in which country tax is due: set the billing address with cartAddressesUpdate.",
            ),
            Some(country) if !cart.region_countries.contains(country) => {
                refuse(ErrorCode::CountryNotServed, "The cart's region does not sell to the country of its address.");
            }
            _ => {}
        }
    }
    for (group, choice) in cart.deliveries {
        let refusal = match choice {
            DeliveryChoice::Offered => continue,
            DeliveryChoice::Missing => {
                let message = "A delivery group has no option: choose one with cartDeliverySelect.";
                Refusal::new(ErrorCode::DeliveryMissing, message)
            }
            DeliveryChoice::Unavailable(why) => {
                Refusal::new(ErrorCode::DeliveryUnavailable, format!("The chosen delivery option falls away. {why}"))
            }
        };
        refusals.push(refusal.about(group));
    }
    let mut refuse = |code, message: &str| refusals.push(Refusal::new(code, message));
    if cart.due_minor > 0 && !cart.has_payment {
        refuse(ErrorCode::PaymentMissing, "Money is due: choose a payment with paymentSessionCreate.");
    }
    if cart.due_minor > 0 && cart.has_payment && !cart.payment_offered {
        refuse(
            ErrorCode::PaymentProviderUnavailable,
            "The chosen payment provider is not offered in the cart's region any more: choose another one.",
        );
    }
    refusals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_missing_is_named_at_once_and_nothing_needless() {
        let germany: CountryCode = "DE".parse().unwrap();
        let countries = [germany.clone()];
        let group = CartDeliveryId(uuid::Uuid::nil());
        let bare = Readiness {
            lines: 0,
            has_email: false,
            needs_address: true,
            country: None,
            billing_country: None,
            region_countries: &countries,
            deliveries: &[(group, DeliveryChoice::Missing)],
            due_minor: 1,
            has_payment: false,
            payment_offered: true,
        };
        let codes = |cart: &Readiness<'_>| missing(cart).into_iter().map(|refusal| refusal.code).collect::<Vec<_>>();
        use ErrorCode::*;
        assert_eq!(codes(&bare), [CartEmpty, EmailMissing, ShippingAddressMissing, DeliveryMissing, PaymentMissing]);
        let digital = Readiness {
            lines: 1,
            has_email: true,
            needs_address: false,
            deliveries: &[],
            due_minor: 0,
            ..bare.clone()
        };
        assert_eq!(codes(&digital), []);
        // Where tax is due must be known, and be where the region sells.
        let two = [germany.clone(), "AT".parse().unwrap()];
        let paid = Readiness { due_minor: 1, has_payment: true, ..digital.clone() };
        let abroad: CountryCode = "US".parse().unwrap();
        assert_eq!(codes(&paid), []);
        assert_eq!(codes(&Readiness { region_countries: &two, ..paid.clone() }), [BillingAddressMissing]);
        let billed = Readiness { region_countries: &two, billing_country: Some(&germany), ..paid.clone() };
        assert_eq!(codes(&billed), []);
        assert_eq!(codes(&Readiness { billing_country: Some(&abroad), ..paid }), [CountryNotServed]);
        let france: CountryCode = "FR".parse().unwrap();
        let collected = Readiness {
            lines: 1,
            has_email: true,
            needs_address: false,
            deliveries: &[(group, DeliveryChoice::Offered)],
            due_minor: 0,
            ..bare.clone()
        };
        assert_eq!(codes(&collected), []);
        let abroad = Readiness {
            lines: 1,
            has_email: true,
            country: Some(&france),
            deliveries: &[(group, DeliveryChoice::Unavailable("Too far.".to_owned()))],
            has_payment: true,
            ..bare
        };
        assert_eq!(codes(&abroad), [CountryNotServed, DeliveryUnavailable]);
    }
}
