//! How much the schema lets anybody ask for and send: lists have an end, and
//! what shoppers send holds nothing that the shop decides.

use std::collections::BTreeSet;

use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use crate::support::Shop;
use crate::support::client::Client;

async fn types_of(client: &Client) -> Vec<Value> {
    const TYPE: &str = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";
    let query = format!(
        "{{ __schema {{ types {{ kind name description
            fields {{ name description type {{ {TYPE} }} args {{ name description type {{ {TYPE} }} }} }}
            inputFields {{ name description type {{ {TYPE} }} }} }} }} }}"
    );
    let types = client.send(&query, json!({})).await.at("__schema.types");
    let own = |kind: &&Value| !kind["name"].as_str().unwrap().starts_with("__");
    types.as_array().unwrap().iter().filter(own).cloned().collect()
}

fn is_list(kind: &Value) -> bool {
    kind["kind"] == "LIST" || (kind["kind"] == "NON_NULL" && is_list(&kind["ofType"]))
}

/// The name of a type without brackets.
fn bare(kind: &Value) -> &str {
    if kind["ofType"].is_object() { bare(&kind["ofType"]) } else { kind["name"].as_str().unwrap() }
}

/// Lists that say no number, and where they end all the same.
const ENDING: &[(&str, &[&str])] = &[
    (
        "a closed set of words: permissions, languages of a mail, kinds of text",
        &[
            "AdminMe.limits",
            "AdminMe.permissions",
            "AdminNotificationTemplate.variables",
            "Query.policies",
            "AdminRole.permissions",
            "AdminTranslatable.fields",
            "AdminTranslatablePart.fields",
            "CartUpdate.changes",
            "SearchFacets.availability",
            "Shop.policies",
        ],
    ),
    (
        "what was written in one input, whose lists end at 250 or sooner",
        &[
            "AdminCollectionCondition.price",
            "AdminCollectionCondition.productType",
            "AdminCollectionCondition.tag",
            "AdminCollectionCondition.vendor",
            "AdminMetafieldsSetPayload.metafields",
            "AdminPermissionLimit.channelIds",
            "AdminPermissionLimit.locationIds",
            "AdminProductVariantsBulkSetPayload.results",
            "AdminStaff.roleAssignments",
            "Product.related",
            "UserError.path",
        ],
    ),
    (
        "one for each country, currency, region, location, definition or language of the shop, which end at 250",
        &[
            "AdminOrder.metafields",
            "AdminProduct.metafields",
            "AdminShippingOption.prices",
            "AdminTranslatable.translations",
            "AdminVariant.metafields",
            "AdminVariant.stockLevels",
            "Order.metafields",
            "Product.metafields",
            "Variant.metafields",
        ],
    ),
    (
        "names of what is built in, or shown once",
        &[
            "AdminRegion.paymentCaptures",
            "AdminRegion.paymentProviders",
            "PaymentLink.paymentProviders",
            "AdminStaffRecoveryCodesRegeneratePayload.recoveryCodes",
            "AdminStaffSecondFactorConfirmPayload.recoveryCodes",
            "AdminStagedUpload.headers",
            "Region.paymentProviders",
        ],
    ),
    (
        "what hangs on one cart or order, whose lines, deliveries and payments end",
        &[
            "AdminOrder.fulfillments",
            "AdminOrder.payments",
            "AdminOrder.shippingLines",
            "AdminOrder.taxes",
            "AdminPayment.entries",
            "Cart.deliveryGroups",
            "Cart.issues",
            "Cart.taxes",
            "CustomerLoginPayload.cartErrors",
            "Order.fulfillments",
            "Order.paymentProviders",
            "Order.payments",
            "Order.shippingLines",
            "Order.taxes",
        ],
    ),
    (
        "what hangs on one variant or option, whose values end at 250",
        &["AdminOption.values", "AdminOptionValues.values", "OrderLine.selectedOptions", "ProductOption.optionValues"],
    ),
    (
        "a page or a count that an argument or the search itself bounds",
        &[
            "AdminCustomer.orders",
            "Search.edges",
            "Search.nodes",
            "SearchFacets.prices",
            "SearchOptionFacet.values",
            "SearchSuggestions.products",
            "Query.productRecommendations",
        ],
    ),
    (
        "a customer's groups, a channel's keys: both end where they are made",
        &["AdminChannel.publishableKeys", "AdminCustomer.groups"],
    ),
];

#[tokio::test]
async fn every_list_is_a_page_or_says_where_it_ends() {
    let shop = Shop::open().await;
    let mut endless = BTreeSet::new();
    let mut lists = 0;
    for client in [&shop.store, &shop.admin] {
        for kind in types_of(client).await {
            let name = kind["name"].as_str().unwrap();
            for field in kind["fields"].as_array().into_iter().flatten() {
                let field_name = field["name"].as_str().unwrap();
                let of_page = (name.ends_with("Connection") && ["edges", "nodes"].contains(&field_name))
                    || field_name == "userErrors";
                if !is_list(&field["type"]) || of_page {
                    continue;
                }
                lists += 1;
                let said = field["description"].as_str().unwrap().chars().any(|c| c.is_ascii_digit());
                if !said {
                    endless.insert(format!("{name}.{field_name}"));
                }
            }
        }
    }
    assert!(lists > 60, "only {lists}");
    let known: BTreeSet<String> = ENDING.iter().flat_map(|(_, lists)| *lists).map(|list| (*list).to_owned()).collect();
    let unknown: Vec<_> = endless.difference(&known).collect();
    assert!(unknown.is_empty(), "say in the description how long these get at most: {unknown:?}");
    let gone: Vec<_> = known.difference(&endless).collect();
    assert!(gone.is_empty(), "these are no such lists any more: {gone:?}");
}

#[tokio::test]
async fn no_page_is_longer_than_its_surface_lets_it_be() {
    let shop = Shop::open().await;
    let ada = shop.customer("ada@shopper.example").await;
    for (client, space, most) in [(&ada.client, "store", 100), (&shop.admin, "admin", 250)] {
        let types = types_of(client).await;
        let query = types.iter().find(|kind| kind["name"] == "Query").unwrap();
        let mut pages = 0;
        for field in query["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let arguments = field["args"].as_array().unwrap();
            let takes = |argument: &str| arguments.iter().any(|known| known["name"] == argument);
            let needs = arguments.iter().any(|argument| argument["type"]["kind"] == "NON_NULL");
            let is_page = bare(&field["type"]).ends_with("Connection") || name == "search";
            if !takes("first") || !is_page || (needs && name != "search") {
                continue;
            }
            pages += 1;
            let query = if name == "search" { "query: \"\", " } else { "" };
            for argument in ["first", "last"].into_iter().filter(|argument| takes(argument)) {
                let ask = async |length: i64| {
                    let document = format!("{{ {name}({query}{argument}: {length}) {{ __typename }} }}");
                    client.send(&document, json!({})).await
                };
                assert_eq!(ask(most).await.body.get("errors"), None, "{space} {name} {argument}");
                for length in [most + 1, -1, i64::from(i32::MAX)] {
                    let refused = ask(length).await;
                    let code = refused.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("no refusal");
                    let known = ["INVALID", "TOO_MANY", "DOCUMENT_TOO_COSTLY"].contains(&code);
                    assert!(known, "{space} {name}({argument}: {length}) gave {}", refused.body);
                }
            }
        }
        assert!(pages >= 3, "only {pages} pages of {space}");
    }
}

/// Lists that shoppers send, each with what it is at most.
#[tokio::test]
async fn no_list_that_a_shopper_sends_goes_on_without_end() {
    let shop = Shop::open().await;
    let types = types_of(&shop.store).await;
    let mut endless = BTreeSet::new();
    for kind in &types {
        let name = kind["name"].as_str().unwrap();
        let inputs = kind["inputFields"].as_array().into_iter().flatten().map(|field| (name.to_owned(), field));
        let fields = kind["fields"].as_array().into_iter().flatten();
        let arguments = fields.flat_map(|field| {
            let of = format!("{name}.{}", field["name"].as_str().unwrap());
            field["args"].as_array().into_iter().flatten().map(move |argument| (of.clone(), argument))
        });
        for (of, input) in inputs.chain(arguments) {
            if is_list(&input["type"]) && !input["description"].as_str().unwrap().chars().any(|c| c.is_ascii_digit()) {
                endless.insert(format!("{of}.{}", input["name"].as_str().unwrap()));
            }
        }
    }
    let known: BTreeSet<String> = SENT.iter().map(|list| (*list).to_owned()).collect();
    assert_eq!(endless, known, "say in the description how long a list may be");
}

/// Lists of shoppers' that take one entry, as they say in a word, or that end with the nesting of the filter.
const SENT: &[&str] = &[
    "Category.products.sort",
    "Collection.products.sort",
    "Query.collections.sort",
    "Query.products.sort",
    "Query.search.sort",
];

/// Words of what the shop decides, or keeps to itself.
const DECIDED: &[&str] = &[
    "status",
    "state",
    "price",
    "amount",
    "tax",
    "total",
    "discount",
    "customerid",
    "owner",
    "channel",
    "metadata",
    "metafield",
    "private",
    "internal",
    "version",
    "paid",
    "group",
    "permission",
    "role",
    "verified",
    "number",
];
/// Inputs with such a word in their name, and why a shopper may send them: the total that he saw, which is compared and
/// never stored; the number of an order of which he asks for the link; his VAT number; what he filters lists by.
const ASKED: &[&str] = &[
    "CartBuyerInput.taxNumber",
    "CartBuyerUpdateInput.taxNumber",
    "CartCompleteInput.expectedAmountDue",
    "CartCompleteInput.expectedTotal",
    "CartDeliverySelectInput.deliveryGroupId",
    "CustomerUpdateInput.taxNumber",
    "MoneyInput.amount",
    "OrderAccessRequestInput.number",
    // What the shopper agreed to; more than is owed is refused.
    "OrderPayInput.amount",
    "ProductFilter.metafields",
    "ProductFilter.price",
];

#[tokio::test]
async fn what_shoppers_send_holds_nothing_that_the_shop_decides() {
    let shop = Shop::open().await;
    let mut found = BTreeSet::new();
    let mut inputs = 0;
    for kind in types_of(&shop.store).await {
        let name = kind["name"].as_str().unwrap();
        for field in kind["inputFields"].as_array().into_iter().flatten() {
            inputs += 1;
            let field = field["name"].as_str().unwrap();
            if DECIDED.iter().any(|word| field.to_lowercase().contains(word)) {
                found.insert(format!("{name}.{field}"));
            }
        }
    }
    assert!(inputs > 80, "only {inputs}");
    assert_eq!(found, ASKED.iter().map(|path| (*path).to_owned()).collect());
}

#[tokio::test]
async fn a_long_history_is_shown_from_its_end() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.offer(&["manual"]).await;
    let tee = shop.tee("20.00", 9).await;
    let placed = shop.checkout_all(&[(&tee, 1)], "manual", "one").await;
    let conn = shop.app.read();
    let order = domain::id::parse(&placed.id).unwrap().1;
    let one = entity::event::Entity::find().filter(entity::event::Column::AggregateId.eq(order)).one(&conn).await;
    let one = one.unwrap().unwrap();
    let rows = (10_i64..310).map(|number| {
        let id = uuid::Uuid::now_v7();
        let row = entity::event::Model { id: id.into(), sequence: number, position: None, ..one.clone() };
        row.into_active_model().reset_all()
    });
    entity::event::Entity::insert_many(rows).exec_without_returning(shop.app.db.admin()).await.unwrap();
    let query = "query($id: ID!) { order(id: $id) { events { sequence } } }";
    let events = shop.admin.send(query, json!({ "id": placed.id })).await.at("order.events");
    let events: Vec<i64> = events.as_array().unwrap().iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    assert_eq!(events, (60..310).collect::<Vec<_>>());
}

#[tokio::test]
async fn keys_that_were_revoked_are_listed_for_a_while() {
    let shop = Shop::open().await;
    let made = json!({ "title": "In force", "role": "viewer" });
    shop.set("apiKeyCreate", made, "apiKey { id }").await.done();
    let one = entity::api_key::Entity::find().one(&shop.app.read()).await.unwrap().unwrap();
    let rows = (0_u16..260).map(|number| {
        let revoked_at = Some(one.created_at);
        let (title, prefix) = (format!("Gone {number}"), format!("{number:08}"));
        let id = domain::id::ApiKeyId(uuid::Uuid::now_v7());
        let hash = number.to_be_bytes().to_vec();
        entity::api_key::Model { id, title, prefix, hash, revoked_at, ..one.clone() }.into_active_model().reset_all()
    });
    entity::api_key::Entity::insert_many(rows).exec_without_returning(shop.app.db.admin()).await.unwrap();
    let keys = shop.admin.send("{ apiKeys { title } }", json!({})).await.at("apiKeys");
    let titles: Vec<&str> = keys.as_array().unwrap().iter().map(|key| key["title"].as_str().unwrap()).collect();
    assert_eq!((titles.len(), titles[0], titles[1], titles[250]), (251, "In force", "Gone 259", "Gone 10"));
}

#[tokio::test]
async fn a_filter_has_so_many_conditions_and_the_database_takes_them() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    shop.tee("20.00", 9).await;
    for (client, kind, staff) in [(&shop.store, "ProductFilter", false), (&shop.admin, "AdminProductFilter", true)] {
        let query =
            format!("query($filter: {kind}) {{ products(filter: $filter) {{ totalCount nodes {{ title }} }} }}");
        for (within, count, told) in [
            ("or", 100, None),
            ("and", 100, None),
            ("or", 101, Some("TOO_MANY")),
            ("or", 2_000, Some("TOO_MANY")),
            ("and", 101, Some("TOO_MANY")),
        ] {
            let part = json!({ "not": { "tag": { "eq": "none" } } });
            let filter = json!({ within: vec![part; count] });
            let filter = if staff { json!({ "product": filter }) } else { filter };
            let answer = client.send(&query, json!({ "filter": filter })).await;
            let code = answer.body["errors"][0]["extensions"]["code"].as_str();
            assert_eq!(code, told, "{kind} {within} {count}: {}", answer.body);
            if told.is_none() {
                assert_eq!(answer.at("products.totalCount"), 1, "{kind} {within}");
            }
        }
    }
}
