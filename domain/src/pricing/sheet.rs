//! Prices as a table: one row for each price, or for a variant that shall have none.

use super::check::PriceWish;
use crate::import::sheet::{Header, Row};
use crate::import::{Record, RowRefusal};
use crate::money::{Currency, Money};
use crate::refusal::{ErrorCode, Refusal};
use crate::rule::Rules;
use crate::word::words;

/// The columns, in the order in which they are written.
pub const COLUMNS: [&str; 8] =
    ["sku", "currency", "amount", "compareAt", "minQuantity", "maxQuantity", "includesTax", "rules"];
/// The columns without which a file means nothing.
const NEEDED: [&str; 3] = ["sku", "currency", "amount"];

words! {
    /// What a file of prices does to the prices that its list has already.
    pub enum PriceImportMode {
        /// Each row adds a price, or changes the one of its variant, currency, first quantity and rules. Others stay.
        Merge = "MERGE",
        /// The prices of a variant that the file names stand in place of all that it had in the list. Other variants
        /// keep theirs.
        ReplaceVariants = "REPLACE_VARIANTS",
        /// The list holds what the file holds: variants that the file does not name lose their prices in it.
        ReplaceList = "REPLACE_LIST",
    }
}

/// The header of such a table.
#[derive(Debug)]
pub struct PriceSheet {
    header: Header,
}

impl PriceSheet {
    /// Reads the header; a column that is missing, unknown or there twice refuses the file.
    pub fn new(names: &[String]) -> Result<Self, Vec<RowRefusal>> {
        let (header, mut refusals) = Header::new(names);
        for name in header.names() {
            if !COLUMNS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let message = format!("There is no such column: the columns of prices are {}.", COLUMNS.join(", "));
                refusals.push(RowRefusal::new(1, name, name, message));
            }
        }
        for name in NEEDED.iter().filter(|name| header.place(name).is_none()) {
            refusals.push(RowRefusal::new(1, name, "", "This column is missing.").with(ErrorCode::Required));
        }
        if refusals.is_empty() { Ok(Self { header }) } else { Err(refusals) }
    }

    /// The number of the variant that a record is about.
    pub fn sku<'r>(&self, cells: &'r [String]) -> &'r str {
        self.header.place("sku").and_then(|place| cells.get(place)).map_or("", |cell| cell.trim())
    }

    /// The price of a record; `None` when its variant shall have none.
    pub fn read(&self, record: &Record) -> Result<Option<PriceWish>, Vec<RowRefusal>> {
        let row = Row::new(&self.header, record);
        let mut refusals: Vec<RowRefusal> = row.ragged("sku").into_iter().collect();
        if row.cell("sku").is_empty() {
            refusals.push(row.refuse("sku", "Name the variant by its SKU.").with(ErrorCode::Required));
        }
        let price = match COLUMNS[1..].iter().all(|column| row.cell(column).is_empty()) {
            true => None,
            false => read_price(&row, &mut refusals),
        };
        let sku = row.cell("sku");
        if refusals.is_empty() { Ok(price) } else { Err(refusals.into_iter().map(|refusal| refusal.of(sku)).collect()) }
    }

    /// A refusal of a record's price as one of a cell; its path ends with the name of an argument.
    pub fn in_cell(&self, record: &Record, refusal: &Refusal) -> RowRefusal {
        let row = Row::new(&self.header, record);
        let named = |step: &String| COLUMNS.iter().find(|column| *column == step);
        let column = refusal.path.iter().find_map(named).copied().unwrap_or("sku");
        row.refuse(column, refusal.message.clone()).with(refusal.code).of(row.cell("sku"))
    }
}

fn read_price(row: &Row<'_>, refusals: &mut Vec<RowRefusal>) -> Option<PriceWish> {
    let currency = row.cell("currency").parse::<Currency>();
    if currency.is_err() {
        refusals.push(row.refuse("currency", "This is no ISO 4217 currency code such as EUR or USD."));
    }
    let mut amount = |column: &str| {
        let (text, currency) = (row.text(column)?, currency.as_ref().copied().ok()?);
        match Money::parse(&text, currency) {
            Ok(money) => Some(money.minor),
            Err(error) => {
                refusals.push(row.refuse(column, format!("This {error} ({currency}).")));
                None
            }
        }
    };
    let (amount_minor, compare_at_minor) = (amount("amount"), amount("compareAt"));
    if row.cell("amount").is_empty() {
        let message = "A price has an amount; a variant that shall have no price has its SKU alone.";
        refusals.push(row.refuse("amount", message).with(ErrorCode::Required));
    }
    let mut quantity = |column: &str| {
        let read = row.text(column)?.parse::<i32>().ok();
        if read.is_none() {
            refusals.push(row.refuse(column, "This is no whole number of pieces such as 10."));
        }
        read
    };
    let (min_quantity, max_quantity) = (quantity("minQuantity"), quantity("maxQuantity"));
    let includes_tax = match row.cell("includesTax").to_lowercase().as_str() {
        "" => None,
        "true" => Some(true),
        "false" => Some(false),
        _ => {
            refusals.push(row.refuse("includesTax", "This is neither TRUE nor FALSE."));
            None
        }
    };
    let rules = match row.text("rules").map_or(Ok(Rules::default()), |text| serde_json::from_str(&text)) {
        Ok(rules) => rules,
        Err(_) => {
            let message = r#"These are no rules such as [{"attribute":"country","operator":"IN","values":["DE"]}]."#;
            refusals.push(row.refuse("rules", message));
            Rules::default()
        }
    };
    let (currency, amount_minor) = (currency.ok()?, amount_minor?);
    Some(PriceWish { currency, amount_minor, compare_at_minor, includes_tax, min_quantity, max_quantity, rules })
}

/// A price as the cells of a record.
pub fn written(sku: &str, price: &PriceWish) -> [String; 8] {
    let amount = |minor: i64| Money::new(minor, price.currency).decimal();
    let number = |number: Option<i32>| number.map(|number| number.to_string()).unwrap_or_default();
    let flag = |holds: bool| if holds { "TRUE" } else { "FALSE" };
    let rules = Some(&price.rules).filter(|rules| !rules.0.is_empty());
    [
        sku.to_owned(),
        price.currency.to_string(),
        amount(price.amount_minor),
        price.compare_at_minor.map(amount).unwrap_or_default(),
        number(price.min_quantity),
        number(price.max_quantity),
        price.includes_tax.map(flag).unwrap_or_default().to_owned(),
        rules.and_then(|rules| serde_json::to_string(rules).ok()).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rule::{Rule, RuleOperator};

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    fn record(cells: &[&str]) -> Record {
        Record { row: 7, cells: cells.iter().map(ToString::to_string).collect() }
    }

    fn refused(cells: &[&str]) -> Vec<(ErrorCode, String, Option<String>)> {
        let sheet = PriceSheet::new(&COLUMNS.map(str::to_owned)).unwrap();
        let refusals = sheet.read(&record(cells)).unwrap_err();
        refusals.into_iter().map(|refusal| (refusal.code, refusal.column, refusal.sku)).collect()
    }

    #[test]
    fn a_header_names_what_is_known_and_all_that_is_needed() {
        assert!(PriceSheet::new(&names("\u{feff}SKU,Amount, currency ")).is_ok());
        let refusals = PriceSheet::new(&names("sku,sku,minimum")).unwrap_err();
        let told: Vec<_> = refusals.iter().map(|refusal| (refusal.code, refusal.column.as_str())).collect();
        assert_eq!(
            told,
            [
                (ErrorCode::Invalid, "sku"),
                (ErrorCode::Invalid, "minimum"),
                (ErrorCode::Required, "currency"),
                (ErrorCode::Required, "amount"),
            ]
        );
    }

    #[test]
    fn an_amount_has_the_decimals_of_its_currency() {
        let sheet = PriceSheet::new(&names("sku,currency,amount,compareAt")).unwrap();
        let read = |cells: &[&str]| sheet.read(&record(cells)).unwrap().unwrap();
        let euro = read(&["A", "EUR", "12.34", "15.00"]);
        assert_eq!((euro.amount_minor, euro.compare_at_minor), (1_234, Some(1_500)));
        assert_eq!(read(&["A", "JPY", "1000", ""]).amount_minor, 1_000);
        assert_eq!(read(&["A", "KWD", "1.5", ""]).amount_minor, 1_500);
        let none = sheet.read(&record(&["A", "", "", ""])).unwrap();
        assert_eq!(none, None, "the variant shall have no price");
        let refusals = sheet.read(&record(&["A", "JPY", "10.50", ""])).unwrap_err();
        assert_eq!(refusals[0].reason, "This has more decimals than the currency (JPY).");
    }

    #[test]
    fn each_faulty_cell_is_told_with_its_code_and_sku() {
        let at = |code, column: &str| (code, column.to_owned(), Some("A-1".to_owned()));
        assert_eq!(
            refused(&["A-1", "euro", "1", "", "many", "1.5", "perhaps", "[1]"]),
            ["currency", "minQuantity", "maxQuantity", "includesTax", "rules"].map(|name| at(ErrorCode::Invalid, name))
        );
        assert_eq!(refused(&["A-1", "EUR", "", "", "", "", "", ""]), [at(ErrorCode::Required, "amount")]);
        assert_eq!(refused(&["", "EUR", "1", "", "", "", "", ""]), [(ErrorCode::Required, "sku".to_owned(), None)]);
        assert_eq!(refused(&["A-1", "EUR", "1"]), [at(ErrorCode::Invalid, "sku")]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            minor in 0..crate::money::MAX_MINOR,
            before: Option<u32>,
            tier in proptest::option::of((1..1_000_i32, proptest::option::of(0..1_000_i32))),
            includes_tax: Option<bool>,
            code in prop::sample::select(vec!["EUR", "JPY", "KWD"]),
            values in prop::collection::vec("[a-z\"',\n]{1,8}", 0..3),
        ) {
            let rule = |value: String| Rule { attribute: "region".into(), operator: RuleOperator::Eq, values: vec![value] };
            let price = PriceWish {
                currency: code.parse().unwrap(),
                amount_minor: minor,
                compare_at_minor: before.map(i64::from),
                includes_tax,
                min_quantity: tier.map(|(min, _)| min),
                max_quantity: tier.and_then(|(min, more)| Some(min + more?)),
                rules: Rules(values.into_iter().map(rule).collect()),
            };
            let sheet = PriceSheet::new(&COLUMNS.map(str::to_owned)).unwrap();
            let record = Record { row: 2, cells: written("A-1", &price).to_vec() };
            prop_assert_eq!(sheet.read(&record), Ok(Some(price)));
        }
    }
}
