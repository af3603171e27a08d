//! What objects on the hot path tell by themselves is what the library would tell.

use serde_json::json;

use crate::support::Shop;

/// Documents, each different and each time the same ones.
struct Writer {
    state: u64,
    fragments: Vec<String>,
}

impl Writer {
    /// A number below `bound`.
    fn dice(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound
    }

    /// What is selected of an object: `Type { field field Type { field } }`, a field before each nested type. The
    /// sign `%` stands where an object may be asked for its `__typename` once more.
    fn object(&mut self, words: &mut std::iter::Peekable<std::str::SplitWhitespace<'_>>) -> String {
        let on = words.next().unwrap();
        assert_eq!(words.next(), Some("{"));
        let mut told = "{ __typename%".to_owned();
        while let Some(field) = words.next().filter(|word| *word != "}") {
            let begun = self.fragments.len();
            let nested = words.peek().is_some_and(|word| word.starts_with(char::is_uppercase));
            let below = if nested { self.object(words) } else { String::new() };
            if self.dice(4) == 0 {
                self.fragments.truncate(begun);
                continue;
            }
            let alias = if self.dice(3) == 0 { format!("as{}: ", self.dice(1_000_000)) } else { String::new() };
            let directive = ["", "", "", " @include(if: true)", " @skip(if: false)", " @skip(if: true)"];
            let directive = directive[self.dice(6) as usize];
            let field = format!("{alias}{field}{directive} {below}");
            let number = self.fragments.len();
            let wrapped = match self.dice(8) {
                0 => format!("... on {on} {{ {field} }}"),
                1 => format!("... {{ {field} }}"),
                2 => format!("... on {on} @include(if: true) {{ ... {{ {field} }} }}"),
                3 if field.starts_with("id ") && NODES.contains(&on) => format!("... on Node {{ {field} }}"),
                4 => {
                    self.fragments.push(format!("fragment part{number} on {on} {{ {field} }}"));
                    format!("...part{number}")
                }
                _ => field,
            };
            told += &format!(" {wrapped}");
        }
        told + " }"
    }

    fn document(&mut self, root: &str, tree: &str) -> String {
        self.fragments.clear();
        let object = self.object(&mut tree.split_whitespace().peekable());
        format!("{{ {root} {object} }} {}", self.fragments.join(" "))
    }
}

/// What `Node` can be.
const NODES: [&str; 4] = ["Category", "Collection", "Product", "Variant"];

const PRODUCT: &str = "Product { id handle title subtitle descriptionHtml vendor productType tags giftCard
    options ProductOption { id name values optionValues ProductOptionValue { id name swatch Swatch { color imageUrl } } }
    media Media { id kind url alt width height focalPoint MediaFocalPoint { x y } contentType }
    featuredMedia Media { url(transform:{width:100}) alt } seoTitle seoDescription createdAt updatedAt
    collections Collection { id handle title descriptionHtml picture Media { url alt } createdAt }
    categories Category { id handle title }
    variants Variant { id title sku barcode selectedOptions SelectedOption { name value } media Media { url }
        gallery Media { id } weightGrams requiresShipping availability product Product { id title }
        price Price { amount Money { amount amountMinor currencyCode } compareAt Money { amount } includesTax } } }";

const CART: &str = "Cart { id state region Region { id name } currencyCode email locale
    shippingAddress Address { firstName lastName address1 address2 city province provinceName postalCode countryCode }
    lines CartLine { id variantId title quantity unitPrice Money { amount } includesTax total Money { amountMinor }
        variant Variant { id sku price Price { amount Money { amount } } } }
    totalQuantity deliveryGroups DeliveryGroup { id options DeliveryOption { id name amount Money { amount } }
        selected DeliveryOption { id includesTax } }
    paymentSession PaymentSession { id provider data } subtotal Money { amount } tax Money { amount }
    taxes Tax { code name percent base Money { amount } amount Money { amount } } total Money { amount currencyCode }
    issues CartIssue { code message lineId quantityAvailable blocking } expiresAt updatedAt }";

/// Whoever asks for a field twice is answered by the library.
async fn told_alike(shop: &Shop, root: &str, tree: &str) {
    let mut writer = Writer { state: 7, fragments: Vec::new() };
    let mut longest = 0;
    for _ in 0..60 {
        let document = writer.document(root, tree);
        let (own, library) = (document.replace('%', ""), document.replace('%', " __typename"));
        let (own, library) = (shop.store.text(&own).await, shop.store.text(&library).await);
        assert!(own.starts_with("{\"data\":{") && !own.contains("\"errors\""), "{own}: {document}");
        assert_eq!(own, library, "{document}");
        longest = longest.max(own.len());
    }
    assert!(longest > 1_000, "{longest}");
}

#[tokio::test]
async fn products_are_told_as_the_library_tells_them() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    for number in 0..3 {
        let variant = |size: &str| {
            json!({ "sku": format!("{number}-{size}"), "stock": number, "options": [{ "name": "Size", "value": size }],
                "prices": [{ "amount": { "amount": "10.00", "currencyCode": "EUR" },
                    "compareAt": { "amount": "12.00", "currencyCode": "EUR" } }] })
        };
        let variants = ["S", "M"].map(variant);
        let input = json!({ "by": { "handle": format!("thing-{number}") }, "title": "Thing \"é\"", "status": "PUBLISHED",
            "tags": ["thing", "other"], "options": [{ "name": "Size", "values": ["S", "M"] }],
            "media": [{ "url": "https://example.com/a.jpg", "alt": "A" }, { "url": "https://example.com/b.jpg" }],
            "variants": variants });
        shop.set("productSet", input, "product { id }").await.done();
    }
    let collected = json!({ "title": "Things", "rule": { "conditions": [{ "tag": ["thing"] }] } });
    shop.set("collectionSet", collected, "collection { id }").await.done();
    told_alike(&shop, "products(first: 3)", &format!("ProductConnection {{ nodes {PRODUCT} }}")).await;
}

#[tokio::test]
async fn carts_are_told_as_the_library_tells_them() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let (tee, mug) = (shop.tee("20.00", 5).await, shop.product("Mug").price("8.50").stock(1).create().await.variant);
    let cart = shop.ready_cart(&[(&tee, 2), (&mug, 1)], "manual").await;
    let by = format!("cart(id: {}, token: {})", json!(cart.id), json!(cart.token));
    told_alike(&shop, &by, CART).await;
}

/// The library says what went wrong in a field beside those that did not; so do we.
#[tokio::test]
async fn a_field_that_fails_is_told_as_the_library_tells_it() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.product("Mug").price("8.50").stock(1).create().await;
    let failing = "{ product(by: { handle: \"mug\" }) { __typename% handle related(first: 21) { handle }
        variants { __typename% sku } media { __typename% url(transform: { width: 0 }) } } }";
    let own = shop.store.text(&failing.replace('%', "")).await;
    assert!(own.contains("\"errors\"") && own.contains("related"), "{own}");
    let answer = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let (own, library) = (answer(&own), answer(&shop.store.text(&failing.replace('%', " __typename")).await));
    assert_eq!((&own["data"], &own["errors"][0]["path"]), (&library["data"], &library["errors"][0]["path"]));
}
