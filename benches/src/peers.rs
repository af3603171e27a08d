//! The catalog that the peers were measured with: 1,000 products of four
//! variants in two currencies, with three pictures each, in 20 categories and
//! 10 collections, all in stock, taxed by a fifth.

use serde_json::{Value, json};

use crate::Result;
use crate::http::Http;
use crate::server::Server;

const CATEGORIES: usize = 20;
const COLLECTIONS: usize = 10;
/// More than any run can sell.
const STOCK: i32 = 100_000_000;
/// How many products a collection is given at once.
const AT_ONCE: usize = 100;

const REGION: &str = "mutation($input: AdminRegionSetInput!) { regionSet(input: $input) {
    region { id } userErrors { code message } } }";
const CHANNEL: &str = "mutation($input: AdminChannelUpdateInput!) { channelUpdate(input: $input) {
    channel { id } userErrors { code message } } }";
const TAX: &str = "mutation($input: AdminTaxRateSetInput!) { taxRateSet(input: $input) {
    taxRate { id } userErrors { code message } } }";
const SHIPPING: &str = "mutation($input: AdminShippingOptionSetInput!) { shippingOptionSet(input: $input) {
    shippingOption { id } userErrors { code message } } }";
const PRODUCT: &str = "mutation($input: AdminProductSetInput!) { productSet(input: $input) {
    product { id variants { id } } userErrors { code message } } }";
const CATEGORY: &str = "mutation($input: AdminCategorySetInput!) { categorySet(input: $input) {
    category { id } userErrors { code message } } }";
const PLACE: &str = "mutation($input: AdminProductCategoriesSetInput!) { productCategoriesSet(input: $input) {
    product { id } userErrors { code message } } }";
const COLLECTION: &str = "mutation($input: AdminCollectionSetInput!) { collectionSet(input: $input) {
    collection { id } userErrors { code message } } }";

/// What cases ask for.
#[derive(Debug)]
pub struct Catalog {
    /// How many products there are.
    pub products: usize,
    /// The ids of all variants.
    pub variants: Vec<String>,
}

/// The handle of a product.
pub fn handle(number: usize) -> String {
    format!("product-{number}")
}

/// Makes regions, taxes, shipping and so many products.
pub async fn fill(server: &Server, count: usize) -> Result<Catalog> {
    let mut staff = server.staff().await?;
    set_up(&mut staff).await?;
    let mut categories = Vec::new();
    for number in 0..CATEGORIES {
        let answer = set(&mut staff, CATEGORY, json!({ "title": format!("Category {number}") })).await?;
        categories.push(text(&answer, "/categorySet/category/id")?);
    }
    let (mut catalog, mut products) = (Catalog { products: count, variants: Vec::new() }, Vec::new());
    for number in 0..count {
        let answer = set(&mut staff, PRODUCT, product(number)).await?;
        let id = text(&answer, "/productSet/product/id")?;
        let variants = answer.pointer("/productSet/product/variants").and_then(Value::as_array).ok_or("no variants")?;
        catalog.variants.extend(variants.iter().filter_map(|variant| variant["id"].as_str()).map(str::to_owned));
        let category = &categories[number % CATEGORIES];
        set(&mut staff, PLACE, json!({ "productId": id, "categoryIds": [category] })).await?;
        products.push(id);
    }
    for number in 0..COLLECTIONS {
        let members: Vec<_> = products.iter().skip(number).step_by(COLLECTIONS).take(AT_ONCE).collect();
        let input = json!({ "title": format!("Collection {number}"), "productIds": members });
        set(&mut staff, COLLECTION, input).await?;
    }
    Ok(catalog)
}

async fn set_up(staff: &mut Http) -> Result<()> {
    let mut home = Value::Null;
    for (handle, currency, country) in [("usa", "USD", "US"), ("europe", "EUR", "DE")] {
        let input = json!({
            "handle": handle, "name": handle, "currencyCode": currency, "countries": [country],
            "pricesIncludeTax": false,
        });
        home = set(staff, REGION, input).await?["regionSet"]["region"]["id"].take();
        let input = json!({ "countryCode": country, "code": "VAT", "name": "VAT", "percent": "20" });
        set(staff, TAX, input).await?;
        let input = json!({
            "handle": format!("post-{handle}"), "name": "Post", "countries": [country],
            "prices": [{ "amount": "5.00", "currencyCode": currency }],
        });
        set(staff, SHIPPING, input).await?;
    }
    let channels = staff.send("{ channels { id } }", json!({})).await?;
    let channel = text(&channels, "/channels/0/id")?;
    set(staff, CHANNEL, json!({ "id": channel, "defaultRegionId": home })).await?;
    Ok(())
}

fn product(number: usize) -> Value {
    let variant = |size: &str, color: &str, place: usize| {
        let cents = 1_000 + (number * 4 + place) * 7 % 9_000;
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        json!({
            "sku": format!("SKU-{number}-{place}"), "stock": STOCK,
            "options": [{ "name": "Size", "value": size }, { "name": "Color", "value": color }],
            "prices": [{ "amount": { "amount": amount, "currencyCode": "EUR" } },
                { "amount": { "amount": amount, "currencyCode": "USD" } }],
        })
    };
    let pictures = (1..=3).map(|place| json!({ "url": format!("https://pictures.example/{number}-{place}.jpg") }));
    json!({
        "by": { "handle": handle(number) }, "title": format!("Product {number}"), "status": "PUBLISHED",
        "descriptionHtml": format!("<p>Product {number} is what it says, made with care for those who need one.</p>"),
        "vendor": "Peers", "productType": "Thing", "tags": ["measured", format!("tag-{}", number % 10)],
        "media": pictures.collect::<Vec<_>>(),
        "options": [{ "name": "Size", "values": ["S", "L"] }, { "name": "Color", "values": ["Red", "Blue"] }],
        "variants": [variant("S", "Red", 0), variant("S", "Blue", 1), variant("L", "Red", 2), variant("L", "Blue", 3)],
    })
}

async fn set(staff: &mut Http, mutation: &str, input: Value) -> Result<Value> {
    staff.send(mutation, json!({ "input": input })).await
}

/// The text at a place of an answer.
pub fn text(answer: &Value, pointer: &str) -> Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    Ok(found.ok_or_else(|| format!("no {pointer} in {answer}"))?.to_owned())
}
