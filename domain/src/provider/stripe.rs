//! Amounts as Stripe counts them: mostly the minor units of ISO 4217, with exceptions.

use crate::money::{Currency, Money};

/// What Stripe counts in hundredths of the unit though the currency has no smaller one.
const HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];
/// What Stripe counts in whole units though the currency has hundredths.
const WHOLE: [&str; 1] = ["MGA"];

/// By how much our minor units are multiplied, and then divided.
fn scale(currency: Currency) -> (i64, i64) {
    match currency.exponent() {
        0 if HUNDREDTHS.contains(&currency.code()) => (100, 1),
        2 if WHOLE.contains(&currency.code()) => (1, 100),
        _ => (1, 1),
    }
}

/// An amount as Stripe counts it.
///
/// # Errors
/// When Stripe can't take it, in words.
pub fn to_stripe(money: Money) -> Result<i64, String> {
    let (times, by) = scale(money.currency);
    let step = if money.currency.exponent() == 3 { 10 } else { by };
    if money.minor % step != 0 {
        return Err(format!("Stripe does not take {money}: the last digits must be zero"));
    }
    money.minor.checked_mul(times).map(|minor| minor / by).ok_or_else(|| format!("{money} is too much"))
}

/// An amount that Stripe counted; nothing when it is in no currency that we know.
pub fn from_stripe(amount: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.to_uppercase().parse().ok()?;
    let (times, by) = scale(currency);
    Some(Money::new(amount.checked_mul(by)? / times, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_counted_as_stripe_does() {
        let money = |minor, code: &str| Money::new(minor, code.parse().unwrap());
        for (minor, code, stripe) in [
            (1_999, "EUR", 1_999),
            (1_999, "JPY", 1_999),
            (1_999, "ISK", 199_900),
            (5, "UGX", 500),
            (1_990, "KWD", 1_990),
        ] {
            assert_eq!(to_stripe(money(minor, code)), Ok(stripe), "{code}");
            assert_eq!(from_stripe(stripe, &code.to_lowercase()), Some(money(minor, code)), "{code}");
        }
        let refused = to_stripe(money(1_995, "KWD")).unwrap_err();
        assert!(refused.contains("1.995 KWD"), "{refused}");
        if money(1, "MGA").currency.exponent() == 2 {
            assert_eq!((to_stripe(money(500, "MGA")), from_stripe(5, "mga")), (Ok(5), Some(money(500, "MGA"))));
            to_stripe(money(501, "MGA")).unwrap_err();
        }
        assert_eq!(from_stripe(1, "zzz"), None);
    }
}
