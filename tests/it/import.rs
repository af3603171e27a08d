//! Products out of a Shopify file.

use std::process::Output;

use domain::import::{ImportDialect, RowRefusal};
use domain::inventory::MovementReason;
use domain::refusal::ErrorCode;
use engine::actor::Caller;
use engine::inventory::ops::{AdjustInventory, Which};
use entity::{event, price, product, stock_level, variant};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::files::{Report, counts, import_bytes, skipping};

const FILE: &str = include_str!("../data/shopify/packt-product-data.csv");
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shopify/packt-product-data.csv");

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop
}

async fn import(shop: &Shop, text: &str, dry_run: bool) -> Report {
    let mut input = skipping();
    input.dialect = Some(ImportDialect::Shopify);
    input.currency = Some("EUR".parse().unwrap());
    import_bytes(shop, text.as_bytes(), input, dry_run).await
}

async fn imported(shop: &Shop, handle: &str) -> Value {
    let query = "query($handle: String!) { product(by: { handle: $handle }) {
        title descriptionHtml vendor productType status tags metadata version media { url } options { name values }
        variants { id title manageInventory backorder metadata stockLevels { stocked }
            prices { amount { amount currencyCode } compareAt { amount } includesTax } } } }";
    shop.admin.send(query, json!({ "handle": handle })).await.at("product")
}

/// Everything that an import writes, to tell whether it wrote something.
#[derive(Debug, PartialEq)]
struct Contents {
    products: Vec<product::Model>,
    variants: Vec<variant::Model>,
    prices: Vec<price::Model>,
    levels: Vec<stock_level::Model>,
    events: u64,
}

async fn contents(shop: &Shop) -> Contents {
    let conn = shop.app.read();
    let events = event::Entity::find().filter(event::Column::AggregateType.eq("product"));
    Contents {
        products: product::Entity::find().order_by_asc(product::Column::Id).all(&conn).await.unwrap(),
        variants: variant::Entity::find().order_by_asc(variant::Column::Id).all(&conn).await.unwrap(),
        prices: price::Entity::find().order_by_asc(price::Column::Id).all(&conn).await.unwrap(),
        levels: stock_level::Entity::find().order_by_asc(stock_level::Column::ItemId).all(&conn).await.unwrap(),
        events: events.count(&conn).await.unwrap(),
    }
}

/// The line of the file that begins so, counted from 1.
fn line_of(start: &str) -> usize {
    FILE.lines().position(|line| line.starts_with(start)).unwrap() + 1
}

#[tokio::test]
async fn a_real_export_comes_in_whole() {
    let shop = shop().await;
    assert_eq!(counts(&import(&shop, FILE, false).await), [20, 0, 0, 0]);

    let lamp = imported(&shop, "floor-lamp").await;
    assert_eq!((&lamp["title"], &lamp["vendor"]), (&json!("Floor Lamp"), &json!("Company 123")));
    assert_eq!((&lamp["productType"], &lamp["status"]), (&json!("Indoor"), &json!("PUBLISHED")));
    assert_eq!((&lamp["tags"], &lamp["options"]), (&json!(["Black", "Lamp"]), &json!([])));
    assert_eq!(lamp["descriptionHtml"], "<p>Black floor lamp</p>");
    let address = lamp["media"][0]["url"].as_str().unwrap();
    assert!(address.starts_with("https://cdn.shopify.com/") && address.ends_with(".jpg?v=1623104890"), "{address}");
    let variant = &lamp["variants"][0];
    assert_eq!(variant["manageInventory"], false, "the file names nobody who counts it");
    assert_eq!(variant["stockLevels"], json!([{ "stocked": 1 }]), "the figure is kept all the same");
    let price = json!([{
        "amount": { "amount": "69.99", "currencyCode": "EUR" }, "compareAt": { "amount": "85.00" },
        "includesTax": true,
    }]);
    assert_eq!(variant["prices"], price);
    let unplaced =
        json!({ "Variant Fulfillment Service": "manual", "Variant Taxable": "true", "Variant Weight Unit": "kg" });
    assert_eq!(variant["metadata"], unplaced);

    let wheelbarrow = imported(&shop, "grey-wheelbarrow").await;
    let variant = &wheelbarrow["variants"][0];
    assert_eq!((&variant["manageInventory"], &variant["backorder"]), (&json!(true), &json!("DENY")));
    assert_eq!(variant["stockLevels"], json!([{ "stocked": 8 }]));
    assert_eq!(variant["prices"][0]["amount"]["amount"], "10.00");
    assert_eq!(variant["prices"][0]["compareAt"], json!(null));

    let gloves = imported(&shop, "gardening-gloves").await;
    assert_eq!(gloves["options"], json!([{ "name": "Color", "values": ["Green", "Yellow"] }]));
    assert_eq!(gloves["media"].as_array().unwrap().len(), 2);
    let variants = gloves["variants"].as_array().unwrap();
    let told: Vec<_> =
        variants.iter().map(|each| (each["title"].clone(), each["prices"][0]["amount"]["amount"].clone())).collect();
    assert_eq!(told, [(json!("Green"), json!("9.99")), (json!("Yellow"), json!("15.99"))]);

    let listed = "{ products(filter: { handle: { eq: \"watering-can\" } }) {
        totalCount nodes { variants { availability price { amount { amount } } } } } }";
    let listed = shop.store.send(listed, json!({})).await;
    assert_eq!(listed.at("products.totalCount"), 1, "published in the default channel");
    let variant = json!({ "availability": "IN_STOCK", "price": { "amount": { "amount": "25.99" } } });
    assert_eq!(listed.at("products.nodes.0.variants"), json!([variant]), "nobody counts: it can be bought");
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let shop = shop().await;
    // Escaped, cut and sanitised text must find itself again too.
    let text = FILE.replacen("<p>Round wooden table</p>", "<p onclick=x()>Round & wooden</p><script>x()</script>", 1);
    import(&shop, &text, false).await;
    assert_eq!(imported(&shop, "round-table").await["descriptionHtml"], "<p>Round &amp; wooden</p>");
    let before = contents(&shop).await;
    assert_eq!((before.products.len(), before.variants.len(), before.events), (20, 21, 20));
    assert_eq!(counts(&import(&shop, &text, false).await), [0, 0, 20, 0]);
    assert_eq!(contents(&shop).await, before);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let shop = shop().await;
    let before = contents(&shop).await;
    assert_eq!(counts(&import(&shop, FILE, true).await), [20, 0, 0, 0]);
    assert_eq!(contents(&shop).await, before);
    assert_eq!(entity::tag::Entity::find().count(&shop.app.read()).await.unwrap(), 0);
    let one_number = "Handle,Title,Variant SKU,Variant Price\none,One,X-1,1.00\ntwo,Two,X-1,1.00\n";
    let rehearsal = import(&shop, one_number, true).await;
    assert_eq!(counts(&rehearsal), [1, 0, 0, 1], "it says what the real run will say");
    let real = import(&shop, one_number, false).await;
    assert_eq!(counts(&real), [1, 0, 0, 1]);
    assert_eq!(rehearsal.errors, real.errors);
}

#[tokio::test]
async fn prices_are_brought_up_to_date_and_stock_is_not() {
    let shop = shop().await;
    import(&shop, FILE, false).await;
    let wheelbarrow = imported(&shop, "grey-wheelbarrow").await;
    let sold = AdjustInventory {
        which: Which::Variant(wheelbarrow["variants"][0]["id"].as_str().unwrap().parse().unwrap()),
        location: None,
        delta: -5,
        reason: MovementReason::Correction,
        note: None,
    };
    shop.app.run(&Caller::system(), &sold).await.unwrap();

    let counted = FILE.replacen("shopify,8,deny", "shopify,80,deny", 1);
    assert_ne!(counted, FILE);
    assert_eq!(counts(&import(&shop, &counted, false).await), [0, 0, 20, 0]);
    assert_eq!(imported(&shop, "grey-wheelbarrow").await["variants"][0]["stockLevels"][0]["stocked"], 3);

    let cheaper = FILE.replacen("1,deny,manual,69.99,85.00", "1,deny,manual,59.99,85.00", 1);
    assert_ne!(cheaper, FILE);
    assert_eq!(counts(&import(&shop, &cheaper, false).await), [0, 1, 19, 0]);
    let lamp = imported(&shop, "floor-lamp").await;
    assert_eq!(lamp["variants"][0]["prices"][0]["amount"]["amount"], "59.99");
    assert_eq!(lamp["version"], 2);
}

#[tokio::test]
async fn a_new_variant_joins_its_product() {
    let shop = shop().await;
    import(&shop, FILE, false).await;
    let before = imported(&shop, "gardening-gloves").await;
    let yellow = FILE.lines().last().unwrap();
    let more = format!("{}\n{}\n", FILE.trim_end(), yellow.replacen("Yellow", "Blue", 1));
    assert_eq!(counts(&import(&shop, &more, false).await), [0, 1, 19, 0]);
    let after = imported(&shop, "gardening-gloves").await;
    assert_eq!(after["options"][0]["values"], json!(["Green", "Yellow", "Blue"]));
    assert_eq!(after["variants"][1]["id"], before["variants"][1]["id"]);
    assert_eq!(after["variants"][2]["stockLevels"], json!([{ "stocked": 3 }]));
}

#[tokio::test]
async fn a_broken_record_costs_its_whole_product_and_no_other() {
    let shop = shop().await;
    let broken = FILE.replacen("3,deny,manual,15.99,,true", "3,deny,manual,abc,,true", 1);
    // Excel writes a byte order mark and its own ends of lines: the rows stay the same.
    for text in [broken.clone(), format!("\u{feff}{}", broken.replace('\n', "\r\n"))] {
        let report = import(&shop, &text, true).await;
        assert_eq!(counts(&report), [19, 0, 0, 1]);
        let [refusal] = report.errors.as_slice() else { panic!("{report:?}") };
        assert_eq!((refusal.row, refusal.column.as_str()), (line_of("gardening-gloves,,"), "Variant Price"));
        assert_eq!(refusal.value, "abc");
        assert!(refusal.reason.contains("decimal number"), "{}", refusal.reason);
    }
    assert_eq!(counts(&import(&shop, &broken, false).await), [19, 0, 0, 1]);
    assert_eq!(imported(&shop, "gardening-gloves").await, json!(null));
    assert_ne!(imported(&shop, "floor-lamp").await, json!(null));

    let ragged = format!("{}\nshort,Short\n", FILE.trim_end());
    let report = import(&shop, &ragged, false).await;
    assert_eq!(counts(&report), [1, 0, 19, 1], "the product was mended, the new one is too short");
    assert!(report.errors[0].reason.contains("2 cells"), "{report:?}");
}

#[tokio::test]
async fn what_the_shop_refuses_is_told_like_a_cell() {
    let shop = shop().await;
    let taken = json!({ "title": "Mug", "variants": [{ "sku": "A-1" }] });
    shop.set("productCreate", taken, "product { id }").await.done();
    let report = import(&shop, "Handle,Title,Variant SKU,Variant Price\n\ncup,Cup,A-1,5.00\n", false).await;
    let told = RowRefusal::new(3, "Variant SKU", "A-1", "A variant of another product has this SKU.");
    let told = told.with(ErrorCode::Taken).of("A-1");
    assert_eq!(report.errors, [told]);

    let size = "Handle,Title,Option1 Name,Option1 Value,Variant Price\ncap,Cap,Size,S,5.00\n";
    assert_eq!(counts(&import(&shop, size, false).await), [1, 0, 0, 0]);
    let report = import(&shop, &size.replace("Size,S", "Color,Red"), false).await;
    let refusal = &report.errors[0];
    assert_eq!((refusal.row, refusal.column.as_str(), refusal.value.as_str()), (2, "Option1 Name", "Color"));

    let report = import(&shop, "Handle,Price\ncup,5.00\n", false).await;
    let refusal = &report.errors[0];
    assert_eq!((refusal.row, refusal.column.as_str()), (1, "Title"));
}

async fn emporion(shop: &Shop, arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_emporion"));
    command.args(arguments).args(["--database-url", &shop.database.address()]).output().await.unwrap()
}

#[tokio::test]
async fn the_command_line_says_what_it_did() {
    let shop = shop().await;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();

    let output = emporion(&shop, &["import", "shopify", PATH, "--currency", "USD"]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("No region of the shop sells in USD") && said.contains("regionSet(input:"), "{said}");

    let output = emporion(&shop, &["import", "shopify", "/nowhere/goods.csv", "--currency", "EUR"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nowhere/goods.csv"), "{output:?}");

    let output = emporion(&shop, &["import", "shopify", PATH, "--currency", "Taler"]).await;
    assert!(!output.status.success() && text(&output.stderr).contains("ISO 4217"), "{output:?}");

    let output = emporion(&shop, &["import", "shopify", PATH, "--currency", "EUR", "--dry-run"]).await;
    let said = text(&output.stdout);
    assert_eq!(said, "created 20, updated 0, unchanged 0, refused 0 (dry run: nothing was written)\n");
    let output = emporion(&shop, &["import", "shopify", PATH, "--currency", "EUR"]).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "created 20, updated 0, unchanged 0, refused 0\n");

    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.csv");
    std::fs::write(&broken, "Handle,Title,Variant Price\ncup,Cup,cheap\nmug,Mug,3.00\n").unwrap();
    let output = emporion(&shop, &["import", "shopify", broken.to_str().unwrap(), "--currency", "EUR"]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.starts_with("row 2, column \"Variant Price\", value \"cheap\": "), "{said}");
    assert!(said.ends_with("created 1, updated 0, unchanged 0, refused 1\n"), "{said}");

    let empty = format!("sqlite:{}", folder.path().join("none.db").display());
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_emporion"));
    command.args(["import", "shopify", PATH, "--currency", "EUR", "--database-url", &empty]);
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("emporion migrate up"), "{output:?}");
    assert!(!folder.path().join("none.db").exists(), "no empty shop is left behind");
}
