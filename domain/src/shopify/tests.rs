use proptest::prelude::*;

use std::collections::BTreeMap;

use super::*;
use crate::catalog::{BackorderPolicy, CheckedProduct, ProductStatus};
use crate::import::{Context, Imported, Record, RefusedProduct, RowRefusal};
use crate::money::Currency;

const HEADER: &str = "Handle|Title|Option1 Name|Option1 Value|Option2 Name|Option2 Value|Variant Price|Image Src|Image Position|Variant Inventory Policy";

/// What a file holds, both lists in the order of the first records.
#[derive(Debug)]
struct Reading {
    products: Vec<Imported>,
    refused: Vec<RefusedProduct>,
}

/// Gathers the records of each handle, as whoever reads a file does.
fn read(header: &[String], records: &[Record], currency: Currency) -> Result<Reading, Vec<RowRefusal>> {
    let sheet = Sheet::new(header)?;
    let mut groups: BTreeMap<usize, Vec<Record>> = BTreeMap::new();
    for (place, record) in records.iter().enumerate() {
        if record.cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let key = sheet.key(&record.cells);
        let first = records.iter().position(|other| !key.is_empty() && sheet.key(&other.cells) == key);
        groups.entry(first.unwrap_or(place)).or_default().push(record.clone());
    }
    let mut reading = Reading { products: Vec::new(), refused: Vec::new() };
    for records in groups.values() {
        match read_product(&sheet, records, &Context::new(currency)) {
            Ok(imported) => reading.products.push(imported),
            Err(refused) => reading.refused.push(refused),
        }
    }
    Ok(reading)
}

/// Reads records whose cells stand between bars; the first one is in line 2.
fn reading(header: &str, lines: &[&str]) -> Reading {
    let cells = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
    let records: Vec<_> =
        lines.iter().enumerate().map(|(place, line)| Record { row: place + 2, cells: cells(line) }).collect();
    read(&cells(header), &records, "EUR".parse().unwrap()).unwrap()
}

/// The one product of a file without faults.
fn product(header: &str, lines: &[&str]) -> CheckedProduct {
    let mut reading = reading(header, lines);
    assert_eq!(reading.refused, []);
    assert_eq!(reading.products.len(), 1);
    reading.products.remove(0).product
}

/// `row column value` of each refusal of the one refused product.
fn faults(header: &str, lines: &[&str]) -> Vec<String> {
    let reading = reading(header, lines);
    assert_eq!((reading.products.len(), reading.refused.len()), (0, 1));
    let refusals = &reading.refused[0].refusals;
    refusals.iter().map(|refusal| format!("{} {} {}", refusal.row, refusal.column, refusal.value)).collect()
}

#[test]
fn default_title_means_no_options() {
    let lamp = product(HEADER, &["lamp|Lamp|Title|Default Title|||69.99|https://a.example/1.jpg|1|deny"]);
    assert_eq!((lamp.handle.as_str(), lamp.title.as_str()), ("lamp", "Lamp"));
    assert!(lamp.options.is_empty());
    assert_eq!(lamp.variants[0].prices[0].amount_minor, 6999);
    assert_eq!(lamp.variants[0].title, "Lamp");
    assert_eq!(lamp.status, ProductStatus::Published);
}

#[test]
fn records_of_a_handle_need_not_stand_together() {
    let lines = [
        "shirt|Shirt|Color|Green|Size|M|10|https://a.example/2.jpg|2|deny",
        "lamp|Lamp|Title|Default Title|||69.99|||",
        "shirt|Another title||Red||L|12.50|||continue",
        "|||||||||",
        "shirt|||||||https://a.example/1.jpg|1|",
        "shirt|||||||https://a.example/2.jpg||",
    ];
    let reading = reading(HEADER, &lines);
    assert_eq!(reading.refused, []);
    assert_eq!(reading.products.iter().map(|imported| imported.row).collect::<Vec<_>>(), [2, 3]);
    let shirt = &reading.products[0].product;
    assert_eq!(shirt.title, "Shirt");
    assert_eq!(
        shirt.variants.iter().map(|variant| variant.title.as_str()).collect::<Vec<_>>(),
        ["Green / M", "Red / L"]
    );
    assert_eq!(shirt.variants[1].backorder, BackorderPolicy::Allow);
    let urls: Vec<_> = shirt.media.iter().map(|medium| medium.url.as_str()).collect();
    assert_eq!(urls, ["https://a.example/1.jpg", "https://a.example/2.jpg"]);
}

#[test]
fn every_fault_is_told_at_once() {
    let lines = [
        "shirt||Color|Green|Size|M|12,50|ftp://a.example|x|maybe",
        "shirt|||Red|||-1|javascript:x||",
        "shirt||Cut|Green||M|||||extra",
        "shirt|||Green||M||||",
        "shirt|||||||||deny",
        "shirt|||Green||M|1.999|||",
    ];
    let expected = [
        "2 Image Position x",
        "2 Title ",
        "2 Variant Inventory Policy maybe",
        "2 Variant Price 12,50",
        "3 Image Src javascript:x",
        "3 Option2 Value ",
        "3 Variant Price -1",
        "4 Handle shirt",
        "5 Option1 Value Green",
        "5 Variant Price ",
        "6 Handle shirt",
        "7 Option1 Value Green",
        "7 Variant Price 1.999",
    ];
    let mut found = faults(HEADER, &lines);
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_refused_product_leaves_the_others_alone() {
    let lines = ["Floor Lamp|Lamp|||||1|||", "|Stray|||||1|||", "ok|Ok|||||1|||", "ok2|Ok", "|Stray|||||1|||"];
    let reading = reading(HEADER, &lines);
    assert_eq!(reading.products.len(), 1);
    let refused: Vec<_> = reading.refused.iter().map(|refused| (refused.handle.as_str(), refused.row)).collect();
    assert_eq!(refused, [("Floor Lamp", 2), ("", 3), ("ok2", 5), ("", 6)]);
    assert_eq!(reading.refused[2].refusals.len(), 1);
    assert_eq!(reading.refused[2].refusals[0].reason, "The record has 2 cells where the header has 10.");
}

#[test]
fn option_names_come_from_the_first_record() {
    let lines = ["a|A|Color|Red|||1|||", "a||Size|Blue||L|1|||", "a|||Blue|||1|||"];
    assert_eq!(faults(HEADER, &lines), ["3 Option2 Value L", "3 Option1 Name Size", "4 Option1 Value Blue"]);
}

#[test]
fn the_fields_of_variants() {
    let header = "Handle|Title|Variant Price|Variant Compare At Price|Variant Grams|Variant Inventory Tracker|Variant Inventory Qty|Variant Barcode|Variant Requires Shipping|Variant Image";
    let mug = product(header, &["mug|Mug|5|8.00|249.5|shipwire|3|'4006381333931|FALSE|/mug.jpg"]);
    let variant = &mug.variants[0];
    assert_eq!(variant.prices[0].compare_at_minor, Some(800));
    assert_eq!((variant.weight_grams, variant.stock, variant.manage_inventory), (Some(250), Some(3), true));
    assert_eq!(variant.barcode.as_deref(), Some("4006381333931"));
    assert!(!variant.requires_shipping);
    assert_eq!(mug.media[0].url, "/mug.jpg");
    assert_eq!(variant.metadata["Variant Inventory Tracker"], "shipwire");
    let mug = product(header, &["mug|Mug|5|0.00|0.49||-3|||"]);
    let variant = &mug.variants[0];
    assert_eq!(variant.prices[0].compare_at_minor, None);
    assert_eq!((variant.weight_grams, variant.stock, variant.manage_inventory), (Some(0), Some(0), false));
    let expected = [
        "2 Variant Grams 99999999999",
        "2 Variant Requires Shipping yes",
        "2 Variant Inventory Qty -3",
        "2 Variant Compare At Price -1",
        "2 Variant Image mug.jpg",
    ];
    let mut found = faults(header, &["mug|Mug|5|-1|99999999999|shopify|-3||yes|mug.jpg"]);
    found.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_product_is_published_when_both_columns_say_so() {
    let header = "Handle|Title|Variant Price|Published|Status";
    let status = |published: &str, status: &str| product(header, &[&format!("a|A|1|{published}|{status}")]).status;
    assert_eq!(status("", ""), ProductStatus::Published);
    assert_eq!(status("TRUE", "active"), ProductStatus::Published);
    assert_eq!(status("false", ""), ProductStatus::Draft);
    assert_eq!(status("false", "active"), ProductStatus::Draft);
    assert_eq!(status("true", "draft"), ProductStatus::Draft);
    assert_eq!(status("false", "archived"), ProductStatus::Archived);
    assert_eq!(faults(header, &["a|A|1|no|gone"]), ["2 Published no", "2 Status gone"]);
}

#[test]
fn what_has_no_place_is_kept() {
    let header = "Handle|Title|Option1 Name|Option1 Value|Variant Price|Image Src|Variant Tax Code|Cost per item|Google Shopping / MPN||Tags";
    let lines = ["a|A|Size|S|1||T1|0.50|M-1||b, A,,B ", "a|||L|1||T2||M-1|note|", "a|||||/a.jpg|T3||M-2||"];
    let a = product(header, &lines);
    let expected = [
        ("Column 10", "note"),
        ("Google Shopping / MPN", "M-1"),
        ("Google Shopping / MPN (row 4)", "M-2"),
        ("Variant Tax Code (row 4)", "T3"),
    ];
    assert_eq!(a.metadata, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(a.variants[0].metadata["Cost per item"], "0.50");
    assert_eq!(a.variants[1].metadata["Variant Tax Code"], "T2");
    assert_eq!(a.tags, ["b", "A"]);
}

#[test]
fn a_header_is_whole_and_has_each_column_once() {
    let header: Vec<_> = ["\u{feff}handle", "Vendor", "VENDOR "].map(str::to_owned).to_vec();
    let refusals = read(&header, &[], "EUR".parse().unwrap()).unwrap_err();
    let found: Vec<_> = refusals.iter().map(|refusal| (refusal.row, refusal.column.as_str())).collect();
    assert_eq!(found, [(1, "VENDOR"), (1, "Title")]);
}

proptest! {
    #[test]
    fn no_cells_panic(lines in prop::collection::vec(prop::collection::vec("([ab]|[0-9.,-]{0,3}|\\PC{0,3})", 9..12), 0..6)) {
        let header: Vec<_> = HEADER.split('|').map(str::to_owned).collect();
        let records: Vec<_> =
            lines.into_iter().enumerate().map(|(place, cells)| Record { row: place + 2, cells }).collect();
        let reading = read(&header, &records, "EUR".parse().unwrap()).unwrap();
        for refused in reading.refused {
            prop_assert!(!refused.refusals.is_empty());
        }
    }
}

#[test]
fn the_present_format_means_the_same() {
    let header = "Title|URL handle|Description|Published on online store|Status|SKU|Barcode|Option1 name|\
        Option1 value|Price|Compare-at price|Cost per item|Inventory tracker|Inventory quantity|\
        Continue selling when out of stock|Weight value (grams)|Requires shipping|Product image URL|Image position|\
        Image alt text|Variant image URL|Gift card|SEO title|Collection|Care (product.metafields.custom.care)|\
        Fit (variant.metafields.custom.fit)";
    let lines = [
        "Cap|cap|<p>Warm</p>|TRUE|active|C-S|4006381333931|Size|S|9.50|12|4.00|shopify|7|TRUE|250|TRUE|\
            https://a.example/c.jpg|1|A cap|https://a.example/s.jpg|FALSE|Caps|Winter things|Wash cold|tight",
        "|cap||||C-L|||L|9.50|||shopify|0|FALSE||TRUE|||||||||",
    ];
    let mut reading = reading(header, &lines);
    assert_eq!(reading.refused, []);
    let cap = reading.products.remove(0);
    assert_eq!(
        (cap.rows.as_slice(), cap.columns.sku.as_str(), cap.columns.handle.as_str()),
        (&[2, 3][..], "SKU", "URL handle")
    );
    assert_eq!(cap.collections[0].handle, "winter-things");
    let fields: Vec<_> =
        cap.fields.iter().map(|field| (field.variant, field.key.as_str(), field.value.to_string())).collect();
    assert_eq!(fields, [(None, "care", "Wash cold".to_owned()), (Some(0), "fit", "tight".to_owned())]);
    assert_eq!(cap.new_fields.len(), 2);
    let product = &cap.product;
    assert_eq!((product.status, product.seo_title.as_deref()), (ProductStatus::Published, Some("Caps")));
    assert_eq!(product.media[0].alt.as_deref(), Some("A cap"));
    let small = &product.variants[0];
    assert_eq!((small.sku.as_deref(), small.stock, small.weight_grams), (Some("C-S"), Some(7), Some(250)));
    assert_eq!(
        (small.backorder, small.media_url.as_deref()),
        (BackorderPolicy::Allow, Some("https://a.example/s.jpg"))
    );
    assert_eq!(small.prices[0].compare_at_minor, Some(1200));
    assert_eq!(small.metadata["Cost per item"], "4.00");
    assert_eq!(product.variants[1].backorder, BackorderPolicy::Deny);

    let wrong = "Cap|cap||maybe|active|C-S||Size|S|cheap||||||||||||||||";
    let found = faults(header, &[wrong]);
    assert_eq!(found, ["2 Price cheap", "2 Published on online store maybe"]);
}
