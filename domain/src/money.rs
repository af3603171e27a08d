//! Money is a whole number of minor units (cents for EUR, yen for JPY, fils for
//! KWD) and a currency. There is no float and no unrounded figure outside the
//! calculator; there is one rounding function, [`divide_rounded`].

use std::fmt;
use std::str::FromStr;

/// The largest number of minor units that any figure of the shop may have, in
/// either direction: what a JSON number keeps exact (2^53 − 1).
pub const MAX_MINOR: i64 = (1 << 53) - 1;

/// An ISO 4217 currency, with the number of decimals that its minor unit has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "orm", derive(sea_orm::DeriveValueType), sea_orm(value_type = "String"))]
pub struct Currency(iso_currency::Currency);

/// The text is no current ISO 4217 currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownCurrency;

impl fmt::Display for UnknownCurrency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown currency code")
    }
}

impl std::error::Error for UnknownCurrency {}

#[cfg(feature = "orm")]
impl sea_orm::TryFromU64 for Currency {
    fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
        Err(sea_orm::DbErr::ConvertFromU64("Currency"))
    }
}

impl Currency {
    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Decimals of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        self.0.exponent().unwrap_or(0).into()
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        let known = iso_currency::Currency::from_code(text).ok_or(UnknownCurrency)?;
        // Metals and codes kept for tests have no minor unit: nobody pays with them.
        known.exponent().ok_or(UnknownCurrency)?;
        Ok(Self(known))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

crate::word::serde_as_text!(Currency);

/// An amount in minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units: 1999 is 19.99 EUR, or 1999 JPY.
    pub minor: i64,
    /// The currency that the minor units belong to.
    pub currency: Currency,
}

/// Why a decimal text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountError {
    /// Not an optional minus, digits, and at most one point with digits around it.
    Malformed,
    /// More decimals than the currency has.
    TooPrecise,
    /// Beyond [`MAX_MINOR`].
    TooLarge,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "is not a decimal number such as 12.50",
            Self::TooPrecise => "has more decimals than the currency",
            Self::TooLarge => "is too large",
        })
    }
}

impl std::error::Error for AmountError {}

impl Money {
    /// `minor` units of `currency`.
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads decimal text such as `19.99`. Trailing zeros beyond the currency's
    /// decimals are accepted, anything else beyond them is refused.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, AmountError> {
        Ok(Self { minor: parse_decimal(text, currency.exponent())?, currency })
    }

    /// The amount as decimal text with exactly the currency's decimals.
    pub fn decimal(self) -> String {
        format_decimal(self.minor, self.currency.exponent())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

/// Reads decimal text into whole units of 10^−`exponent`.
pub fn parse_decimal(text: &str, exponent: u32) -> Result<i64, AmountError> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return Err(AmountError::Malformed),
        None => (digits, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(AmountError::Malformed);
    }
    let kept = fraction.trim_end_matches('0');
    if kept.len() > exponent as usize {
        return Err(AmountError::TooPrecise);
    }
    let mut minor: i64 = 0;
    for byte in whole.bytes().chain(kept.bytes()).chain(std::iter::repeat_n(b'0', exponent as usize - kept.len())) {
        minor = minor * 10 + i64::from(byte - b'0');
        if minor > MAX_MINOR {
            return Err(AmountError::TooLarge);
        }
    }
    Ok(if negative { -minor } else { minor })
}

/// Writes whole units of 10^−`exponent` as decimal text.
pub fn format_decimal(minor: i64, exponent: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0width$}", minor.unsigned_abs(), width = exponent as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent as usize);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `numerator ÷ denominator`, rounded half away from zero: the one rounding of
/// the shop (DESIGN section 6), symmetric so that a refund mirrors its charge.
///
/// `denominator` must be positive. The result is clamped to ±`i64::MAX`, which no
/// figure within [`MAX_MINOR`] can reach.
pub fn divide_rounded(numerator: i128, denominator: i128) -> i64 {
    debug_assert!(denominator > 0);
    let magnitude = (numerator.unsigned_abs() * 2 + denominator.unsigned_abs()) / (denominator.unsigned_abs() * 2);
    let rounded = if numerator < 0 { -(magnitude as i128) } else { magnitude as i128 };
    rounded.clamp(-i128::from(i64::MAX), i128::from(i64::MAX)) as i64
}

/// Splits `total` by `weights` so that the parts sum to it exactly: each part
/// is the whole part of its share, and the units left over go to the largest
/// remainders, ties to the earlier place. With no weight above zero everything
/// goes to the first place.
pub fn allocate(total: i64, weights: &[i64]) -> Vec<i64> {
    debug_assert!(weights.iter().all(|weight| *weight >= 0));
    if weights.is_empty() {
        return Vec::new();
    }
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        let mut parts = vec![0; weights.len()];
        parts[0] = total;
        return parts;
    }
    let sign = total.signum();
    let magnitude = i128::from(total.unsigned_abs());
    let mut parts: Vec<i64> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    let mut left = magnitude;
    for (place, weight) in weights.iter().enumerate() {
        let share = magnitude * i128::from(*weight);
        parts.push((share / sum) as i64);
        left -= share / sum;
        remainders.push((share % sum, place));
    }
    remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, place) in remainders.into_iter().take(left as usize) {
        parts[place] += 1;
    }
    for part in &mut parts {
        *part *= sign;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn exponents_are_iso() {
        assert_eq!(["JPY", "EUR", "KWD"].map(|code| currency(code).exponent()), [0, 2, 3]);
        assert_eq!("XXX".parse::<Currency>(), Err(UnknownCurrency));
        assert_eq!("eur".parse::<Currency>(), Err(UnknownCurrency));
    }

    #[test]
    fn decimal_text_is_read_exactly() {
        let read = |text, code| Money::parse(text, currency(code)).map(|money| money.minor);
        assert_eq!(read("19.99", "EUR"), Ok(1999));
        assert_eq!(read("19.9", "EUR"), Ok(1990));
        assert_eq!(read("-0.01", "EUR"), Ok(-1));
        assert_eq!(read("19.9900", "EUR"), Ok(1999));
        assert_eq!(read("1", "KWD"), Ok(1000));
        assert_eq!(read("500", "JPY"), Ok(500));
        assert_eq!(read("19.999", "EUR"), Err(AmountError::TooPrecise));
        assert_eq!(read("0.5", "JPY"), Err(AmountError::TooPrecise));
        assert_eq!(read("99999999999999999999", "EUR"), Err(AmountError::TooLarge));
        for text in ["", ".", "1.", ".5", "1,50", "1e3", "+1", "--1", " 1", "NaN", "١"] {
            assert_eq!(read(text, "EUR"), Err(AmountError::Malformed), "{text}");
        }
    }

    #[test]
    fn halves_go_away_from_zero() {
        assert_eq!([5, 15, 14, -5, -15, -14].map(|n| divide_rounded(n, 10)), [1, 2, 1, -1, -2, -1]);
    }

    #[test]
    fn the_first_of_equal_remainders_gets_the_cent() {
        assert_eq!(allocate(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(allocate(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(allocate(7, &[0, 0]), [7, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn text_comes_back(minor in -MAX_MINOR..=MAX_MINOR, exponent in 0u32..4) {
            prop_assert_eq!(parse_decimal(&format_decimal(minor, exponent), exponent), Ok(minor));
        }

        #[test]
        fn parts_sum_to_the_whole(total in -MAX_MINOR..=MAX_MINOR, weights in prop::collection::vec(0..MAX_MINOR, 1..20)) {
            prop_assert_eq!(allocate(total, &weights).iter().sum::<i64>(), total);
        }

        #[test]
        fn rounding_is_symmetric(numerator in -(1i128 << 100)..(1i128 << 100), denominator in 1i128..1_000_000_000) {
            prop_assert_eq!(divide_rounded(-numerator, denominator), -divide_rounded(numerator, denominator));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = parse_decimal(&text, 2);
        }
    }
}
