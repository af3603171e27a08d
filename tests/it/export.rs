//! What the shop holds, in files.

use std::path::Path;

use serde_json::json;

use crate::support::Shop;
use crate::support::buying::{address, faults};
use crate::support::node::run_command;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shopify/packt-product-data.csv");

/// Runs a verb; answers whether it ended well, with what it answered and what it told.
async fn run(shop: &Shop, arguments: &[&str]) -> (bool, String, String) {
    let output = run_command(&shop.database, arguments).await;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// The cells of a file without quotes.
fn cells(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.trim_end_matches('\r').split(',').collect()).collect()
}

/// The cell of a column in a row of such a file.
#[track_caller]
fn cell<'t>(rows: &[Vec<&'t str>], row: usize, column: &str) -> &'t str {
    let place = rows[0].iter().position(|name| *name == column).unwrap_or_else(|| panic!("no column {column}"));
    rows[row][place]
}

async fn import(shop: &Shop, file: &Path) -> String {
    let (_, answered, told) =
        run(shop, &["import", "shopify", file.to_str().unwrap(), "--currency", "EUR", "--quiet"]).await;
    // Whoever takes no such flag is asked without it.
    if told.contains("unexpected argument") {
        return run(shop, &["import", "shopify", file.to_str().unwrap(), "--currency", "EUR"]).await.1;
    }
    answered
}

#[tokio::test]
async fn products_that_are_written_and_brought_in_again_are_as_they_were() {
    let shop = Shop::open().await;
    engine::seed::demo(&shop.app).await.unwrap();
    import(&shop, Path::new(PATH)).await;
    let folder = tempfile::tempdir().unwrap();
    let free = folder.path().join("free.csv");
    let columns = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Season,Variant Taxable,Note,Cost per item";
    std::fs::write(&free, format!("{columns}\nold,Old,Size,S,5.00,=1+1,TRUE,\"n, m\",2\nold,,,M,6.00,,FALSE,,3\n"))
        .unwrap();
    assert_eq!(import(&shop, &free).await, "created 1, updated 0, unchanged 0, refused 0\n");
    let odd = json!({
        "title": "Odd \"one\", with\nlines", "subtitle": "Under it", "discountable": false, "externalReference": "X-1",
        "status": "DRAFT", "tags": ["b", "a"], "seoTitle": "Seo",
        "variants": [
            { "options": [{ "name": "Size", "value": "S" }], "sku": "=S", "barcode": "0042", "hsCode": "610910",
              "originCountry": "PT", "lengthMm": 10, "externalReference": "XS", "title": "Own",
              "prices": [{ "amount": { "amount": "5.00", "currencyCode": "EUR" } }] },
            { "options": [{ "name": "Size", "value": "M" }], "backorder": "ALLOW", "manageInventory": false,
              "prices": [{ "amount": { "amount": "6.00", "currencyCode": "EUR" },
                           "compareAt": { "amount": "7.50", "currencyCode": "EUR" } }] }],
    });
    let made = shop.set("productCreate", odd, "product { handle }").await;
    assert_eq!(faults(&made), [""; 0]);

    let file = folder.path().join("goods.csv");
    let (done, answered, told) = run(&shop, &["export", "products", "--output", file.to_str().unwrap()]).await;
    assert!(done && answered.is_empty(), "{told}");
    assert_eq!(told, "wrote 52 products with prices in EUR\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "no half file is left");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\r\n") && text.contains("\"Odd \"\"one\"\", with lines\""), "{text}");
    assert!(text.lines().next().unwrap().starts_with("Handle,Title,Body (HTML),Vendor,Type,Tags,Published,"));
    let (_, answered, _) = run(&shop, &["export", "products", "--currency", "EUR"]).await;
    assert_eq!(answered, text, "the standard output gets the same");

    assert_eq!(import(&shop, &file).await, "created 0, updated 0, unchanged 52, refused 0\n");
    let query = "{ product(by: { handle: \"odd-one-with-lines\" }) { subtitle discountable externalReference
        variants { title sku hsCode lengthMm externalReference } } }";
    let kept = shop.admin.send(query, json!({})).await.at("product");
    assert_eq!(kept["subtitle"], "Under it");
    assert_eq!(kept["variants"][0]["title"], "Own");
    assert_eq!(kept["variants"][0]["hsCode"], "610910");

    // In an empty shop it makes the same again.
    let other = Shop::open().await;
    other.europe(&["DE"], true).await;
    assert_eq!(import(&other, &file).await, "created 52, updated 0, unchanged 0, refused 0\n");
    let again = folder.path().join("again.csv");
    run(&other, &["export", "products", "--output", again.to_str().unwrap()]).await;
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&std::fs::read_to_string(&again).unwrap()), sorted(&text));
}

#[tokio::test]
async fn what_no_column_can_hold_is_told() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.product("Cup").price_in("5.00", "USD").create().await;
    let value = |name: &str| json!({ "name": name, "value": "x" });
    let wide = json!({ "title": "Wide", "variants": [{ "prices": [],
        "options": [value("A"), value("B"), value("C"), value("D")] }] });
    shop.set("productCreate", wide, "product { id }").await.done();
    let (done, answered, told) = run(&shop, &["export", "products"]).await;
    assert!(done, "{told}");
    let rows = cells(&answered);
    assert_eq!((rows.len(), cell(&rows, 1, "Handle"), cell(&rows, 1, "Variant Price")), (2, "cup", ""));
    assert_eq!(
        told,
        "wrote 1 products with prices in EUR\nleft out 1 products with more than three options\n\
         1 variants have no price in EUR: their products can't be brought in\n"
    );
}

#[tokio::test]
async fn orders_are_written_line_by_line_and_no_cell_is_a_formula() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let (tee, cup) = (shop.tee("10.00", 9).await, shop.product("Cup").price("2.50").stock(9).create().await.variant);
    let mut evil = address("DE");
    evil["lastName"] = json!("=1+1");
    evil["city"] = json!("@town");
    let lines = json!([{ "variantId": tee, "quantity": 2 }, { "variantId": cup, "quantity": 1 }]);
    let input = json!({ "lines": lines, "buyer": { "email": "ada@example.com" }, "addresses": { "shipping": evil } });
    let mut cart = shop.cart_of(input).await;
    cart.select_delivery().await.done();
    cart.pay("manual").await.done();
    cart.complete("one").await.done();
    shop.checkout_all(&[(tee.as_str(), 1)], "manual", "two").await;

    let (done, answered, told) = run(&shop, &["export", "orders"]).await;
    assert!(done, "{told}");
    assert_eq!(told, "wrote 2 orders\n");
    let rows = cells(&answered);
    assert_eq!(rows.len(), 4, "{answered}");
    let of = |row: usize, columns: &[&str]| columns.iter().map(|column| cell(&rows, row, column)).collect::<Vec<_>>();
    let whole = ["number", "status", "payment_status", "currency", "subtotal", "shipping", "tax", "total", "paid"];
    assert_eq!(of(1, &whole), ["1001", "OPEN", "AUTHORIZED", "EUR", "22.50", "4.90", "4.37", "27.40", "0.00"]);
    assert_eq!(of(2, &whole), ["1001", "OPEN", "AUTHORIZED", "EUR", "", "", "", "", ""], "sums count once");
    assert_eq!(of(3, &["number", "line", "total"]), ["1002", "1", "14.90"]);
    let line = ["line", "product", "quantity", "unit_price", "line_net", "line_tax", "line_total", "shipped"];
    assert_eq!(of(1, &line), ["1", "Tee", "2", "10.00", "16.81", "3.19", "20.00", "0"]);
    assert_eq!(of(2, &line), ["2", "Cup", "1", "2.50", "2.10", "0.40", "2.50", "0"]);
    assert_eq!(of(1, &["ship_to_name", "ship_to_city"]), ["Ada =1+1", "'@town"]);
    assert!(rows.iter().flatten().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{answered}");

    for (arguments, expected) in [
        (&["--since", "2020-01-01"][..], 4),
        (&["--since", "2099-01-01"], 1),
        (&["--until", "2020-01-01"], 1),
        (&["--channel", "default"], 4),
    ] {
        let (_, answered, _) = run(&shop, &[&["export", "orders"], arguments].concat()).await;
        assert_eq!(answered.lines().count(), expected, "{arguments:?}");
    }
}

#[tokio::test]
async fn a_file_is_there_only_once_it_is_whole() {
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("goods.csv");
    std::fs::write(&file, "kept").unwrap();
    // No region says which currency: it is refused before the file is touched.
    let (done, _, told) = run(&shop, &["export", "products", "--output", file.to_str().unwrap()]).await;
    assert!(!done && told.contains("--currency"), "{told}");
    let missing = folder.path().join("none/goods.csv");
    let (done, _, told) = run(&shop, &["export", "orders", "--output", missing.to_str().unwrap()]).await;
    assert!(!done && told.contains("none/goods.csv can't be written"), "{told}");
    let (done, _, told) = run(&shop, &["export", "orders", "--channel", "moon"]).await;
    assert!(!done && told.contains("no such channel"), "{told}");
    let (done, _, told) = run(&shop, &["export", "orders", "--since", "yesterday"]).await;
    assert!(!done && told.contains("2026-01-01"), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
