//! Tables: what a shipping option costs by weight, subtotal or number of pieces.

use serde::{Deserialize, Serialize};

use crate::money::{Currency, MAX_MINOR};
use crate::refusal::{ErrorCode, Refusal, Refusals};

/// The most tables of an option, one per currency, and the most amounts from which it is free.
pub const MAX_TABLES: usize = 100;
/// The most bands of a table.
pub const MAX_BANDS: usize = 100;

/// One band of a table: from a bound, inclusive, to another, which the next band begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The first measure of the band: grams, minor units or pieces.
    pub from: i64,
    /// The first measure beyond it; none has no end.
    pub below: Option<i64>,
    /// What it costs in minor units of the table's currency.
    pub amount_minor: i64,
}

/// What an option costs in one currency, band by band.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Of the amounts, and of the bounds of a table by subtotal.
    pub currency: Currency,
    /// Its bands, the lowest first.
    pub bands: Vec<Band>,
}

/// The tables of an option, one per currency, as a column holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(transparent)]
pub struct Tables(pub Vec<Table>);

/// From which subtotal on an option costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Its currency.
    pub currency: Currency,
    /// The first subtotal for which it is free, in minor units.
    pub amount_minor: i64,
}

/// The amounts from which an option is free, one per currency, as a column holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(sea_orm::FromJsonQueryResult))]
#[serde(transparent)]
pub struct FreeFrom(pub Vec<Threshold>);

impl Table {
    /// The band that covers a measure, if one does.
    pub fn band(&self, measure: i64) -> Option<&Band> {
        let covers = |band: &&Band| band.from <= measure && band.below.is_none_or(|below| measure < below);
        self.bands.iter().find(covers)
    }

    /// Puts the bands in order and refuses those that can't be, that cover the same, or that leave something out
    /// between them. Paths begin with `path`.
    pub fn check(self, path: &[&str]) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        let at = |rest: &[&str]| path.iter().chain(rest).map(|step| (*step).to_owned()).collect::<Vec<_>>();
        if self.bands.is_empty() {
            refusals.push(Refusal::new(ErrorCode::Required, "A table has at least one band.").at(at(&["bands"])));
        }
        if self.bands.len() > MAX_BANDS {
            let message = format!("A table has at most {MAX_BANDS} bands.");
            return Err(vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_BANDS as i64).at(at(&["bands"]))]);
        }
        for (place, band) in self.bands.iter().enumerate() {
            let place = place.to_string();
            let mut refuse = |message: &str, field: &str| {
                refusals.push(Refusal::new(ErrorCode::Invalid, message).at(at(&["bands", &place, field])));
            };
            if !(0..=MAX_MINOR).contains(&band.from) {
                refuse("A band begins at zero or above.", "from");
            }
            if band.below.is_some_and(|below| below <= band.from || below > MAX_MINOR) {
                refuse("A band ends above where it begins.", "below");
            }
            if !(0..=MAX_MINOR).contains(&band.amount_minor) {
                refuse("A price can't be negative.", "amount");
            }
        }
        refusals.into_result()?;
        let mut ordered: Vec<(usize, Band)> = self.bands.into_iter().enumerate().collect();
        ordered.sort_by_key(|(place, band)| (band.from, *place));
        let mut refusals = Refusals::default();
        for pair in ordered.windows(2) {
            let [(_, before), (place, after)] = pair else { continue };
            let place = at(&["bands", &place.to_string(), "from"]);
            match before.below {
                Some(below) if below == after.from => {}
                Some(below) if below < after.from => {
                    let message = format!("Nothing covers what lies from {below} to {}.", after.from - 1);
                    refusals.push(Refusal::new(ErrorCode::Gap, message).limit(below).at(place));
                }
                _ => {
                    let message = format!("The band that begins at {} covers this already.", before.from);
                    refusals.push(Refusal::new(ErrorCode::Overlap, message).at(place));
                }
            }
        }
        refusals.into_result()?;
        Ok(Self { currency: self.currency, bands: ordered.into_iter().map(|(_, band)| band).collect() })
    }
}

impl Tables {
    /// The table in a currency.
    pub fn in_currency(&self, currency: Currency) -> Option<&Table> {
        self.0.iter().find(|table| table.currency == currency)
    }

    /// Checks every table; a currency has one. Paths begin with `tables`.
    pub fn check(self) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        refusals.extend(one_per_currency("tables", self.0.iter().map(|table| table.currency)));
        let mut tables = Vec::with_capacity(self.0.len());
        for (place, table) in self.0.into_iter().enumerate() {
            match table.check(&["tables", &place.to_string()]) {
                Ok(table) => tables.push(table),
                Err(refused) => refusals.extend(refused),
            }
        }
        refusals.into_result().map(|()| Self(tables))
    }
}

impl FreeFrom {
    /// The first subtotal for which an option is free in a currency, in minor units.
    pub fn in_currency(&self, currency: Currency) -> Option<i64> {
        self.0.iter().find(|free| free.currency == currency).map(|free| free.amount_minor)
    }

    /// Checks every amount; a currency has one. Paths begin with `freeFrom`.
    pub fn check(self) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Refusals::default();
        refusals.extend(one_per_currency("freeFrom", self.0.iter().map(|free| free.currency)));
        for (place, free) in self.0.iter().enumerate() {
            if !(0..=MAX_MINOR).contains(&free.amount_minor) {
                let at = ["freeFrom".to_owned(), place.to_string()];
                refusals.push(Refusal::new(ErrorCode::Invalid, "This amount can't be negative.").at(at));
            }
        }
        refusals.into_result().map(|()| self)
    }
}

fn one_per_currency(list: &str, currencies: impl Iterator<Item = Currency>) -> Vec<Refusal> {
    let currencies: Vec<Currency> = currencies.collect();
    if currencies.len() > MAX_TABLES {
        let message = format!("These are more than {MAX_TABLES} entries.");
        return vec![Refusal::new(ErrorCode::TooMany, message).limit(MAX_TABLES as i64).at([list])];
    }
    let twice = |(place, currency): (usize, &Currency)| {
        let refusal = Refusal::new(ErrorCode::Duplicate, "This currency stands here twice.");
        currencies[..place].contains(currency).then(|| refusal.at([list.to_owned(), place.to_string()]))
    };
    currencies.iter().enumerate().filter_map(twice).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn band(from: i64, below: Option<i64>, amount_minor: i64) -> Band {
        Band { from, below, amount_minor }
    }

    fn table(bands: Vec<Band>) -> Table {
        Table { currency: "EUR".parse().unwrap(), bands }
    }

    fn told(bands: Vec<Band>) -> Vec<(ErrorCode, String)> {
        let refused = table(bands).check(&["t"]).err().unwrap_or_default();
        refused.into_iter().map(|refusal| (refusal.code, refusal.path.join("."))).collect()
    }

    #[test]
    fn a_lower_bound_belongs_to_its_band_and_the_upper_one_to_the_next() {
        let weights = table(vec![band(5_000, Some(31_501), 990), band(0, Some(5_000), 490)]).check(&[]).unwrap();
        assert_eq!(
            [0, 4_999, 5_000, 31_500, 31_501].map(|grams| weights.band(grams).map(|band| band.amount_minor)),
            [Some(490), Some(490), Some(990), Some(990), None]
        );
        let heavy = table(vec![band(31_501, None, 4_900)]).check(&[]).unwrap();
        let costs = [31_500, 31_501, i64::MAX].map(|grams| heavy.band(grams).map(|band| band.amount_minor));
        assert_eq!(costs, [None, Some(4_900), Some(4_900)]);
    }

    #[test]
    fn gaps_overlaps_and_impossible_bands_are_named_where_they_stand() {
        use ErrorCode::{Gap, Invalid, Overlap, Required, TooMany};
        for (bands, refused) in [
            (vec![], vec![(Required, "t.bands")]),
            (vec![band(0, Some(10), 1), band(11, None, 2)], vec![(Gap, "t.bands.1.from")]),
            (vec![band(9, None, 2), band(0, Some(10), 1)], vec![(Overlap, "t.bands.0.from")]),
            (vec![band(0, None, 1), band(10, None, 2)], vec![(Overlap, "t.bands.1.from")]),
            (vec![band(0, Some(5), 1), band(0, Some(5), 1)], vec![(Overlap, "t.bands.1.from")]),
            (
                vec![band(-1, Some(-1), -1)],
                vec![(Invalid, "t.bands.0.from"), (Invalid, "t.bands.0.below"), (Invalid, "t.bands.0.amount")],
            ),
            (vec![band(0, None, 1); MAX_BANDS + 1], vec![(TooMany, "t.bands")]),
        ] {
            let refused: Vec<_> = refused.into_iter().map(|(code, path)| (code, path.to_owned())).collect();
            assert_eq!(told(bands), refused);
        }
    }

    #[test]
    fn a_currency_has_one_table_and_one_threshold() {
        let one = || table(vec![band(0, None, 1)]);
        let refused = Tables(vec![one(), one()]).check().unwrap_err();
        assert_eq!((refused[0].code, refused[0].path.join(".")), (ErrorCode::Duplicate, "tables.1".to_owned()));
        let free = |amount_minor| Threshold { currency: "EUR".parse().unwrap(), amount_minor };
        let refused = FreeFrom(vec![free(-1), free(5)]).check().unwrap_err();
        let paths: Vec<_> = refused.iter().map(|refusal| refusal.path.join(".")).collect();
        assert_eq!(paths, ["freeFrom.1", "freeFrom.0"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn a_table_that_was_accepted_covers_one_stretch_once(
            bands in prop::collection::vec((0..60_i64, prop::option::of(1..60_i64)), 1..6),
        ) {
            let bands = bands.into_iter().zip(1..).map(|((from, below), amount)| band(from, below, amount)).collect();
            if let Ok(table) = table(bands).check(&[]) {
                let covering = |measure: i64| table.bands.iter()
                    .filter(|band| band.from <= measure && band.below.is_none_or(|below| measure < below)).count();
                let covered: Vec<bool> = (0..70).map(|measure| covering(measure) == 1).collect();
                prop_assert!((0..70).all(|measure| covering(measure) <= 1));
                let edges = covered.windows(2).filter(|pair| pair[0] != pair[1]).count();
                prop_assert!(edges <= if covered[0] { 1 } else { 2 }, "{:?}", table);
            }
        }
    }
}
