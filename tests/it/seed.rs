//! The demo shop.

use engine::seed::picture::{SHAPES, svg};
use engine::seed::{demo, picture};
use serde_json::json;

use crate::support::Shop;

#[tokio::test]
async fn the_demo_shop_is_made_once() {
    let shop = Shop::open().await;
    assert_eq!(demo(&shop.app).await.unwrap(), 30);
    let version = shop.app.settings().version;
    assert_eq!(demo(&shop.app).await.unwrap(), 0);
    assert_eq!(shop.app.settings().version, version, "nor are the settings touched");

    let query = "{ shop { region { handle } } products(first: 100) { totalCount
        nodes { handle title featuredMedia { url } variants { price { amount { currencyCode } includesTax } } } } }";
    for (region, currency, includes_tax) in [(None, "EUR", true), (Some("united-states"), "USD", false)] {
        let store = region.map_or_else(|| shop.store.clone(), |region| shop.store.with("x-region", region));
        let answer = store.send(query, json!({})).await;
        assert_eq!(answer.at("shop.region.handle"), region.unwrap_or("europe"));
        assert_eq!(answer.at("products.totalCount"), 30);
        for product in answer.at("products.nodes").as_array().unwrap() {
            let handle = product["handle"].as_str().unwrap();
            assert_eq!(product["featuredMedia"]["url"], format!("/media/demo/{handle}.svg"));
            let drawn = picture(handle).unwrap_or_default();
            assert!(drawn.starts_with("<svg ") && drawn.ends_with("</svg>"), "{handle}");
            for variant in product["variants"].as_array().unwrap() {
                let price = json!({ "amount": { "currencyCode": currency }, "includesTax": includes_tax });
                assert_eq!(variant["price"], price, "{handle}");
            }
        }
    }
    assert_eq!(picture("no-such-thing"), None);
    let query = "{ collections { nodes { handle products(first: 3) { totalCount nodes { handle } } } }
        categories { handle children { handle products { totalCount } } } }";
    let shelves = shop.store.send(query, json!({})).await;
    let handles = |at: &str| {
        let rows = shelves.at(at);
        rows.as_array().unwrap().iter().map(|row| row["handle"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(handles("collections.nodes"), ["a-tidy-desk", "gifts", "slow-sunday"]);
    let desk = ["desk-organizer", "clamp-desk-lamp", "field-notebook"];
    assert_eq!(handles("collections.nodes.0.products.nodes"), desk);
    assert_eq!(shelves.at("collections.nodes.1.products.totalCount"), 9, "the gifts that are in stock");
    assert_eq!(handles("categories"), ["home", "garden", "desk-and-travel"]);
    assert_eq!(handles("categories.1.children"), ["plants", "garden-tools"]);
    assert_eq!(shelves.at("categories.1.children.1.products.totalCount"), 3);
    let settings = shop.admin.send("{ taxRates { countryCode percent } shippingOptions { handle } }", json!({})).await;
    assert_eq!(settings.at("taxRates").as_array().unwrap().len(), 7);
    assert_eq!(settings.at("shippingOptions"), json!([{ "handle": "standard" }, { "handle": "express" }]));
}

#[test]
fn every_shape_is_drawn() {
    for shape in SHAPES {
        let picture = svg(shape, "#3a5F7d", "#d9a441").unwrap_or_default();
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"), "{shape}");
        assert!(picture.contains("#3a5f7d"), "{shape} has no main color");
        assert!(!picture.contains(['{', '}']), "{shape}");
        assert_eq!(picture.matches('<').count(), picture.matches('>').count(), "{shape}");
    }
}

#[test]
fn nothing_else_gets_in() {
    assert_eq!(svg("teapot", "#000000", "#ffffff"), None);
    for color in ["", "#", "000000", "#fff", "#+12345", "#00000g", "#0000000", "#é0000", "\"/><script>"] {
        assert_eq!(svg("mug", color, "#ffffff"), None, "{color}");
        assert_eq!(svg("mug", "#ffffff", color), None, "{color}");
    }
}
