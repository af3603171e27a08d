//! Products out of files of several shops, in several spellings.

use domain::job::JobState;
use engine::actor::Caller;
use engine::inventory::ops::{AdjustInventory, Which};
use entity::{channel, event, inventory_item, product};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::files::{Report, cells, counts, import_bytes, skipping, whole};

const V2: &[u8] = include_bytes!("../data/medusa/exported-products-comma.csv");
const V2_SEMICOLON: &[u8] = include_bytes!("../data/medusa/exported-products-semicolon.csv");
const V2_REGION: &[u8] = include_bytes!("../data/medusa/prices-with-region.csv");
const V2_CATEGORIES: &[u8] = include_bytes!("../data/medusa/product-with-categories.csv");
const V1: &[u8] = include_bytes!("../data/medusa/v1-template.csv");
const BAD_COLUMN: &[u8] = include_bytes!("../data/medusa/invalid-column.csv");
const BAD_PRICES: &[u8] = include_bytes!("../data/medusa/invalid-prices.csv");
const SALEOR: &[u8] = include_bytes!("../data/saleor/populatedb_data.json");

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop
}

/// A region in dollars of the name that Medusa's files use.
async fn with_test_region(shop: &Shop) {
    let input = json!({
        "handle": "test", "name": "Test Region", "currencyCode": "USD", "countries": ["US"], "pricesIncludeTax": false,
    });
    shop.set("regionSet", input, "region { id }").await.done();
}

async fn taken(shop: &Shop, bytes: &[u8]) -> Report {
    import_bytes(shop, bytes, whole(), false).await
}

async fn products(shop: &Shop) -> u64 {
    let find = product::Entity::find().filter(product::Column::DeletedAt.is_null());
    find.count(&shop.app.read()).await.unwrap()
}

async fn events(shop: &Shop) -> u64 {
    let find = event::Entity::find().filter(event::Column::AggregateType.is_in(["product", "category", "collection"]));
    find.count(&shop.app.read()).await.unwrap()
}

async fn shown(shop: &Shop, handle: &str) -> Value {
    let query = "query($handle: String!) { product(by: { handle: $handle }) {
        title status tags productType metadata version externalReference media { url alt } options { name values }
        categories { handle } metafields { namespace key type value }
        variants { id title sku barcode metadata weightGrams media { url } externalReference
            metafields { key value } stockLevels { stocked locationId }
            prices { amount { amount currencyCode } } } } }";
    shop.admin.send(query, json!({ "handle": handle })).await.at("product")
}

fn amounts(variant: &Value) -> Vec<String> {
    let prices = variant["prices"].as_array().unwrap().iter();
    let text = |price: &Value| {
        let amount = &price["amount"];
        format!("{} {}", amount["amount"].as_str().unwrap(), amount["currencyCode"].as_str().unwrap())
    };
    let mut texts: Vec<String> = prices.map(text).collect();
    texts.sort();
    texts
}

#[tokio::test]
async fn medusa_s_export_comes_in_whatever_stands_between_its_cells() {
    let shop = shop().await;
    let report = taken(&shop, V2).await;
    assert_eq!(counts(&report), [2, 0, 0, 0], "{:?}", report.errors);
    let base = shown(&shop, "base-product").await;
    assert_eq!((&base["title"], &base["status"]), (&json!("Base product"), &json!("DRAFT")));
    assert_eq!(base["externalReference"], "prod_01J44RRJZ3M5F63NY82434RNM5");
    assert_eq!(base["tags"], json!(["123", "456"]));
    assert_eq!(
        base["options"],
        json!([{ "name": "size", "values": ["large", "small"] }, { "name": "color", "values": ["green"] }])
    );
    assert_eq!(base["metadata"]["Product Image 2"], "test-image-2.png", "nobody said where pictures lie");
    let variants = base["variants"].as_array().unwrap();
    assert_eq!(variants.iter().map(|one| &one["title"]).collect::<Vec<_>>(), ["Test variant", "Test variant 2"]);
    assert_eq!(amounts(&variants[0]), ["100.00 USD", "30.00 DKK", "45.00 EUR"]);
    assert_eq!(amounts(&variants[1]), ["200.00 USD", "50.00 DKK", "65.00 EUR"]);

    let (before, written) = (products(&shop).await, events(&shop).await);
    assert_eq!(counts(&taken(&shop, V2_SEMICOLON).await), [0, 0, 2, 0], "the same in other words");
    assert_eq!((products(&shop).await, events(&shop).await), (before, written));
}

#[tokio::test]
async fn medusa_s_products_are_found_again_by_their_ids() {
    let shop = shop().await;
    taken(&shop, V2).await;
    let text = String::from_utf8(V2.to_vec()).unwrap();
    let renamed = text.replace("base-product", "renamed-product").replace(",large,", ",huge,");
    assert_eq!(counts(&taken(&shop, renamed.as_bytes()).await), [0, 2, 0, 0]);
    assert_eq!((products(&shop).await, shown(&shop, "base-product").await), (2, json!(null)));
    let product = shown(&shop, "renamed-product").await;
    assert_eq!(product["options"][0]["values"], json!(["huge", "small"]), "a variant keeps its id with another value");
    assert_eq!(product["variants"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn medusa_s_first_template_comes_in_with_collections_types_and_stock() {
    let shop = shop().await;
    with_test_region(&shop).await;
    let mut input = whole();
    input.media_base = Some("https://pictures.example/shop".to_owned());
    let report = import_bytes(&shop, V1, input.clone(), false).await;
    assert_eq!(counts(&report), [3, 0, 0, 0], "{:?}", report.errors);
    let first = shown(&shop, "test-product-product-1").await;
    let variant = &first["variants"][0];
    assert_eq!((&variant["sku"], &variant["barcode"]), (&json!("test-sku-1"), &json!("test-barcode-1")));
    assert_eq!(variant["stockLevels"][0]["stocked"], 10);
    assert_eq!(amounts(variant), ["1.00 USD"], "the only region in dollars pays its own price");
    assert_eq!(first["media"][0]["url"], "https://pictures.example/shop/test-image.png");
    let second = shown(&shop, "test-product-product-2").await;
    assert_eq!(
        (&second["productType"], &second["externalReference"]),
        (&json!("test-type"), &json!("existing-product-id"))
    );
    let titles: Vec<_> = second["variants"].as_array().unwrap().iter().map(|one| one["title"].clone()).collect();
    assert_eq!(titles, ["Test variant", "Test variant", "Test variant changed"]);
    assert_eq!(second["variants"][2]["externalReference"], "existing-variant-id");
    let listed = shop
        .admin
        .send("{ collection(by: { handle: \"test-collection2\" }) { title products { nodes { handle } } } }", json!({}))
        .await;
    assert_eq!(listed.at("collection.title"), "Test collection");
    assert_eq!(listed.at("collection.products.nodes"), json!([{ "handle": "test-product-product-2" }]));
    assert_eq!(counts(&import_bytes(&shop, V1, input, false).await), [0, 0, 3, 0]);
}

#[tokio::test]
async fn a_wrong_column_or_region_refuses_the_file_and_changes_nothing() {
    let shop = shop().await;
    for dry_run in [true, false] {
        let report = import_bytes(&shop, BAD_COLUMN, whole(), dry_run).await;
        assert_eq!(report.job.state, JobState::Failed);
        assert_eq!(cells(&report), ["1 Product field Product field"]);
        assert!(report.job.failure.as_ref().unwrap().contains("Nothing was changed"), "{:?}", report.job.failure);
        let report = import_bytes(&shop, BAD_PRICES, skipping(), dry_run).await;
        assert_eq!(cells(&report), ["1 Variant Price nonexistent [EUR] Variant Price nonexistent [EUR]"]);
    }
    assert_eq!((products(&shop).await, events(&shop).await), (0, 0));
    let report = taken(&shop, V2_REGION).await;
    assert_eq!(cells(&report), ["1 Variant Price Test Region [USD] Variant Price Test Region [USD]"]);
    with_test_region(&shop).await;
    assert_eq!(counts(&taken(&shop, V2_REGION).await), [1, 0, 0, 0]);
    let product = shown(&shop, "product-with-prices").await;
    assert_eq!(amounts(&product["variants"][0]), ["45.00 USD"]);
    assert_eq!(counts(&taken(&shop, V2_CATEGORIES).await), [1, 0, 0, 0]);
    assert_eq!(shown(&shop, "base-product").await["categories"], json!([]), "an id of another shop is no category");
}

#[tokio::test]
async fn one_refused_product_refuses_the_file_unless_one_wants_the_others() {
    let shop = shop().await;
    let taken_sku = json!({ "title": "Mug", "variants": [{ "sku": "M-1" }] });
    shop.set("productCreate", taken_sku, "product { id }").await.done();
    let text = b"Handle,Title,Variant SKU,Variant Price\ncup,Cup,C-1,5.00\nbad,Bad,B-1,cheap\nmug2,Mug,M-1,3.00\n";
    let written = events(&shop).await;
    let report = import_bytes(&shop, text, whole(), false).await;
    assert_eq!((report.job.state, counts(&report)), (JobState::Failed, [0, 0, 0, 2]));
    assert_eq!(cells(&report), ["3 Variant Price cheap", "4 Variant SKU M-1"]);
    assert_eq!((products(&shop).await, events(&shop).await), (1, written));
    let rehearsal = import_bytes(&shop, text, whole(), true).await;
    assert_eq!((rehearsal.job.state, counts(&rehearsal)), (JobState::Succeeded, [1, 0, 0, 2]));
    let report = import_bytes(&shop, text, skipping(), false).await;
    assert_eq!((report.job.state, counts(&report)), (JobState::Succeeded, [1, 0, 0, 2]));
    assert_eq!(products(&shop).await, 2);
}

#[tokio::test]
async fn saleor_s_objects_become_products_with_all_that_belongs_to_them() {
    let shop = shop().await;
    let report = taken(&shop, SALEOR).await;
    assert_eq!(counts(&report), [32, 0, 0, 0], "{:?}", report.errors);
    let shoe = shown(&shop, "white-plimsolls").await;
    assert_eq!((&shoe["status"], &shoe["productType"]), (&json!("PUBLISHED"), &json!("Shoe")));
    let sizes = json!([{ "name": "Shoe size", "values": ["39", "40", "41", "42", "43", "44", "45"] }]);
    assert_eq!(shoe["options"], sizes);
    assert_eq!(shoe["categories"].as_array().unwrap().len(), 1);
    let variant = &shoe["variants"][0];
    assert_eq!((&variant["sku"], &variant["weightGrams"]), (&json!("918223582"), &json!(1000)));
    let places = shop.admin.send("{ locations { id handle } }", json!({})).await.at("locations");
    let global = places.as_array().unwrap().iter().find(|place| place["handle"] == "global").unwrap();
    assert_eq!(variant["stockLevels"], json!([{ "stocked": 500, "locationId": global["id"] }]));
    assert_eq!(amounts(variant).len(), 2, "in dollars and in złoty");
    let book = shown(&shop, "headless-omnichannel-commerce").await;
    let publisher = json!([{
        "namespace": "saleor", "key": "publisher", "type": "SINGLE_LINE_TEXT", "value": "Digital Audio",
    }]);
    assert_eq!(book["metafields"], publisher);
    let variants = entity::variant::Entity::find().count(&shop.app.read()).await.unwrap();
    assert_eq!(variants, 73);
    let channels =
        channel::Entity::find().order_by_asc(channel::Column::CreatedAt).all(&shop.app.read()).await.unwrap();
    let handles: Vec<_> = channels.iter().map(|row| row.handle.as_str()).collect();
    assert_eq!(handles.len(), 3);
    assert!(handles.contains(&"channel-pln") && handles.contains(&"default-channel"), "{handles:?}");
    let tree = shop.admin.send("{ categories(first: 50) { totalCount } }", json!({})).await;
    assert_eq!(tree.at("categories.totalCount"), 16);
    let listed = "{ collection(by: { handle: \"summer-picks\" }) { products { totalCount } } }";
    assert_eq!(shop.admin.send(listed, json!({})).await.at("collection.products.totalCount"), 4);
    let written = events(&shop).await;
    assert_eq!(counts(&taken(&shop, SALEOR).await), [0, 0, 32, 0]);
    assert_eq!(events(&shop).await, written);
}

#[tokio::test]
async fn text_is_read_however_it_was_written() {
    let shop = shop().await;
    let text = "Handle;Title;Variant Price\r\ncafe;Café – schön;5.00\r\n";
    let utf16 = |big: bool| {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<u8>>()
    };
    let ansi = b"Handle;Title;Variant Price\r\ncafe;Caf\xe9 \x96 sch\xf6n;5.00\r\n".to_vec();
    let marked = format!("\u{feff}{text}").into_bytes();
    let tabs = text.replace(';', "\t").into_bytes();
    assert_eq!(counts(&taken(&shop, text.as_bytes()).await), [1, 0, 0, 0]);
    assert_eq!(shown(&shop, "cafe").await["title"], "Café – schön");
    for bytes in [marked, utf16(true), utf16(false), ansi, tabs] {
        assert_eq!(counts(&taken(&shop, &bytes).await), [0, 0, 1, 0], "{bytes:?}");
    }
    let report = taken(&shop, b"Product Variant ID,SKU,Price USD\na,b,1\n").await;
    assert!(report.errors[0].reason.contains("no file of products"), "{report:?}");
    let report = taken(&shop, b"{\"a\": 1}").await;
    assert!(report.errors[0].reason.contains("no JSON list"), "{report:?}");
}

#[tokio::test]
async fn metafield_columns_become_typed_metafields() {
    let shop = shop().await;
    let definition = json!({
        "ownerType": "PRODUCT", "namespace": "custom", "key": "wash", "name": "Wash at", "type": "INTEGER",
        "validations": { "max": "95" }, "storeAccess": "READ",
    });
    shop.set("metafieldDefinitionSet", definition, "metafieldDefinition { id }").await.done();
    let header = "Title,URL handle,SKU,Option1 name,Option1 value,Price,Wash (product.metafields.custom.wash),\
        Metafield: custom.vegan [boolean],Fit (variant.metafields.custom.fit)";
    let file = format!("{header}\nCap,cap,C-S,Size,S,5,40,TRUE,tight\n,cap,C-L,,L,5,,,wide\n");
    assert_eq!(counts(&taken(&shop, file.as_bytes()).await), [1, 0, 0, 0]);
    let cap = shown(&shop, "cap").await;
    let fields = json!([
        { "namespace": "custom", "key": "vegan", "type": "BOOLEAN", "value": "true" },
        { "namespace": "custom", "key": "wash", "type": "INTEGER", "value": "40" },
    ]);
    assert_eq!(cap["metafields"], fields);
    assert_eq!(cap["variants"][1]["metafields"], json!([{ "key": "fit", "value": "wide" }]));
    assert_eq!(counts(&taken(&shop, file.as_bytes()).await), [0, 0, 1, 0]);
    let warmer = file.replace(",40,", ",60,");
    assert_eq!(counts(&taken(&shop, warmer.as_bytes()).await), [0, 1, 0, 0]);
    assert_eq!(shown(&shop, "cap").await["metafields"][1]["value"], "60");
    let hot = file.replace(",40,", ",100,");
    let report = taken(&shop, hot.as_bytes()).await;
    assert_eq!(cells(&report), ["2 Wash (product.metafields.custom.wash) 100"]);
}

#[tokio::test]
async fn a_second_file_carries_pictures_numbers_and_values_over() {
    let shop = shop().await;
    let header = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Tracker,\
        Variant Inventory Qty,Image Src,Image Alt Text,Variant Image";
    let before = format!(
        "{header}\ncap,Cap,Size,S,C-1,5,shopify,7,https://a.example/1.jpg,,\n\
         cap,,,L,C-2,5,shopify,3,https://a.example/2.jpg,,https://a.example/1.jpg\n"
    );
    taken(&shop, before.as_bytes()).await;
    let first = shown(&shop, "cap").await;
    let sold = AdjustInventory {
        which: Which::Variant(first["variants"][0]["id"].as_str().unwrap().parse().unwrap()),
        location: None,
        delta: -2,
        reason: domain::inventory::MovementReason::Correction,
        note: None,
    };
    shop.app.run(&Caller::system(), &sold).await.unwrap();
    let after = before
        .replace("https://a.example/1.jpg,,\n", "https://a.example/1.jpg,From the front,https://a.example/2.jpg\n")
        .replace(",L,C-2,", ",XL,C-2,")
        .replace(",S,C-1,", ",S,C-9,")
        .replace("2.jpg,,https://a.example/1.jpg", "2.jpg,,https://a.example/2.jpg");
    assert_eq!(counts(&taken(&shop, after.as_bytes()).await), [0, 1, 0, 0]);
    let second = shown(&shop, "cap").await;
    for place in 0..2 {
        assert_eq!(second["variants"][place]["id"], first["variants"][place]["id"]);
        assert_eq!(second["variants"][place]["media"]["url"], "https://a.example/2.jpg");
    }
    assert_eq!(second["media"][0]["alt"], "From the front");
    assert_eq!(second["options"], json!([{ "name": "Size", "values": ["S", "XL"] }]));
    assert_eq!(second["variants"][0]["stockLevels"][0]["stocked"], 5, "stock is left alone");
    let items = inventory_item::Entity::find().order_by_asc(inventory_item::Column::Id).all(&shop.app.read()).await;
    let skus: Vec<_> = items.unwrap().into_iter().map(|item| item.sku.unwrap()).collect();
    assert_eq!(skus, ["C-9", "C-2"], "what is counted has the number of its variant");
    assert_eq!(counts(&taken(&shop, after.as_bytes()).await), [0, 0, 1, 0]);

    let staff_text = json!({ "id": product_id(&shop, "cap").await, "subtitle": "Warm", "discountable": false });
    shop.set("productUpdate", staff_text, "product { id }").await.done();
    assert_eq!(counts(&taken(&shop, after.as_bytes()).await), [0, 0, 1, 0], "what the file can't say stays");
}

async fn product_id(shop: &Shop, handle: &str) -> String {
    let query = "query($handle: String!) { product(by: { handle: $handle }) { id } }";
    shop.admin.send(query, json!({ "handle": handle })).await.text("product.id")
}
