//! Lists of products walk along an index: a page costs what it shows, however long the list is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use domain::catalog::ProductStatus;
use domain::id::{CategoryId, CollectionId, ProductId, TagId};
use engine::catalog::listing::{Filter, Named, SortKey};
use engine::catalog::repo::listing::{Listing, View};
use engine::catalog::repo::weigh::{FEW, weigh};
use engine::db::{Conn, StatementCount, insert_all, statement};
use engine::page::{Page, PageArgs};
use entity::{collection_product, listing_price, product, product_category, product_channel, product_tag, tag};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::Shop;
use crate::support::database::on_postgres;

/// A shop with a region and a collection by hand, to be filled.
async fn shelves() -> (Shop, CollectionId) {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let made = shop.set("collectionSet", json!({ "title": "All", "productIds": [] }), "collection { id }").await.done();
    let collection = made["collection"]["id"].as_str().unwrap().parse().unwrap();
    (shop, collection)
}

/// Puts products on sale and into the collection, past every check: each third has no price.
async fn fill(shop: &Shop, collection: CollectionId, numbers: std::ops::Range<usize>) {
    let settings = shop.app.settings();
    let (channel_id, region) = (settings.channels[0].id, &settings.regions[0].row);
    let start: DateTime<Utc> = engine::clock::Clock::now(&*shop.clock) - TimeDelta::days(365);
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    let numbers: Vec<usize> = numbers.collect();
    for some in numbers.chunks(1_000) {
        let (mut products, mut places, mut prices, mut ranks) = (vec![], vec![], vec![], vec![]);
        for number in some.iter().copied() {
            let (id, at) = (ProductId(Uuid::new_v4()), start + TimeDelta::seconds(number as i64));
            // Not in the order in which they are made.
            let (title, minor) = (format!("shelf {:06}", number * 7_919 % 999_983), number as i64 * 31 % 5_003);
            let minor = (number % 3 > 0).then_some(minor);
            products.push(product(id, number, at, title));
            places.push(product_channel::Model { product_id: id, channel_id, published_at: at });
            prices.push(listing_price::Model {
                product_id: id,
                channel_id,
                region_id: region.id,
                currency: region.currency,
                min_minor: minor,
                max_minor: minor,
                key_minor: minor.unwrap_or(9_007_199_254_740_991),
                listed: true,
            });
            let rank = (number * 13 % 1_000_003) as i64;
            ranks.push(collection_product::Model { collection_id: collection, product_id: id, rank });
        }
        insert_all::<product::Entity>(&conn, products).await.unwrap();
        insert_all::<product_channel::Entity>(&conn, places).await.unwrap();
        insert_all::<listing_price::Entity>(&conn, prices).await.unwrap();
        insert_all::<collection_product::Entity>(&conn, ranks).await.unwrap();
    }
    conn.commit().await.unwrap();
    if on_postgres() {
        shop.app.db.admin().execute_unprepared("analyze").await.unwrap();
    }
}

fn product(id: ProductId, number: usize, at: DateTime<Utc>, title: String) -> product::Model {
    product::Model {
        id,
        version: 1,
        created_at: at,
        updated_at: at,
        deleted_at: None,
        handle: format!("shelf-{number}").parse().unwrap(),
        status: ProductStatus::Published,
        title_fold: title.clone(),
        title,
        subtitle: None,
        description_html: "<p>On the shelf.</p>".to_owned(),
        vendor: None,
        type_id: None,
        external_reference: None,
        discountable: true,
        gift_card: false,
        shipping_profile_id: None,
        seo_title: None,
        seo_description: None,
        metadata: json!({}),
    }
}

/// As staff see it.
fn from_behind(shop: &Shop) -> View {
    View { channel: None, ..view(shop) }
}

fn view(shop: &Shop) -> View {
    let settings = shop.app.settings();
    View {
        channel: Some(settings.channels[0].id),
        price_channel: settings.channels[0].id,
        region: Some(settings.regions[0].row.id),
        locations: Vec::new(),
        now: engine::clock::Clock::now(&*shop.clock),
        languages: Vec::new(),
    }
}

/// Every walk there is: its name, and the statement of its first page or of one from the middle.
async fn walks(shop: &Shop, collection: CollectionId, deep: bool) -> Vec<(String, Statement)> {
    let listed = Filter::All(vec![Filter::ListedIn(collection)]);
    let mut lists = vec![(view(shop), SortKey::Manual(collection), Some(listed.clone()))];
    for sort in [SortKey::Newest, SortKey::Title, SortKey::Price] {
        lists.push((view(shop), sort, None));
        lists.push((from_behind(shop), sort, None));
        // All are in it, so walking is quicker than beginning with them.
        lists.push((view(shop), sort, Some(listed.clone())));
    }
    let mut walks = Vec::new();
    for (view, sort, filter) in lists {
        for descending in [false, true] {
            let who = if view.channel.is_none() { " for staff" } else { "" };
            let name = format!(
                "{sort:?}{}{who} {}{}",
                if filter.is_some() { " of the collection" } else { "" },
                if descending { "down" } else { "up" },
                if deep { " deep" } else { "" }
            );
            walks.push((name, asked(shop, (&view, sort, filter.as_ref()), descending, deep).await));
        }
    }
    walks
}

/// The statement of a page.
async fn asked(
    shop: &Shop,
    (view, sort, filter): (&View, SortKey, Option<&Filter>),
    descending: bool,
    deep: bool,
) -> Statement {
    let conn = shop.app.read();
    let read = |args: PageArgs| Page::read(args, 100, descending, &()).unwrap();
    let mut args = PageArgs { first: Some(20), ..PageArgs::default() };
    if deep {
        // The cursor of the last row of a page that is as long as a page may be.
        let page = read(PageArgs { first: Some(100), ..PageArgs::default() });
        let found = engine::catalog::repo::listing::page(&conn, view, filter, sort, page, false).await.unwrap();
        args.after = found.rows.last().map(|(_, place)| found.cursor(place));
        assert!(args.after.is_some());
    }
    let mut listing = [Listing { view: view.clone(), filter: filter.cloned(), sort, page: read(args), count: false }];
    weigh(&conn, &mut listing).await.unwrap();
    conn.backend().build(&listing[0].rows(&conn))
}

async fn explained(conn: &Conn, how: &str, asked: &Statement) -> Vec<String> {
    let asked = Statement { sql: format!("{how} {}", asked.sql), ..asked.clone() };
    let rows = conn.query_all_raw(asked).await.unwrap();
    let column = if on_postgres() { 0 } else { 3 };
    rows.iter().map(|row| row.try_get_by_index::<String>(column).unwrap()).collect()
}

#[tokio::test]
async fn lists_are_read_along_an_index_and_nothing_is_sorted() {
    let (shop, collection) = shelves().await;
    fill(&shop, collection, 0..3_000).await;
    let conn = shop.app.read();
    for deep in [false, true] {
        for (name, asked) in walks(&shop, collection, deep).await {
            if on_postgres() {
                let plan = explained(&conn, "explain", &asked).await;
                let bad = |step: &&String| step.contains("Sort") || step.contains("Seq Scan");
                assert!(plan.iter().filter(bad).count() == 0, "{name} {plan:#?}");
                assert!(plan[0].starts_with("Limit"), "{name} {plan:#?}");
            } else {
                let plan = explained(&conn, "explain query plan", &asked).await;
                assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{name} {plan:#?}");
                // Titles, and for staff when they came, are an index of all products; everything else begins within one.
                let whole = ["USING INDEX product_title", "USING INDEX product_newest"];
                let walked =
                    |step: &&String| step.starts_with("SCAN") && !whole.iter().any(|index| step.contains(index));
                assert!(plan.iter().filter(walked).count() == 0, "{name} {plan:#?}");
            }
        }
    }
}

/// What a statement costs: steps of SQLite's machine, or pages that PostgreSQL touches.
async fn work(shop: &Shop, asked: &Statement) -> u64 {
    if on_postgres() {
        let asked =
            Statement { sql: format!("explain (analyze, buffers, format json) {}", asked.sql), ..asked.clone() };
        let row = shop.app.read().query_one_raw(asked).await.unwrap().unwrap();
        let plan: Value = row.try_get_by_index(0).unwrap();
        let pages = |name: &str| plan[0]["Plan"][name].as_u64().unwrap();
        return pages("Shared Hit Blocks") + pages("Shared Read Blocks");
    }
    let steps = Arc::new(AtomicU64::new(0));
    // There is one writer, so this is the connection that will run it.
    let pool = shop.app.db.admin().get_sqlite_connection_pool();
    let counted = steps.clone();
    let mut connection = pool.acquire().await.unwrap();
    connection.lock_handle().await.unwrap().set_progress_handler(1, move || {
        counted.fetch_add(1, Ordering::Relaxed);
        true
    });
    drop(connection);
    shop.app.db.admin().query_all_raw(asked.clone()).await.unwrap();
    pool.acquire().await.unwrap().lock_handle().await.unwrap().remove_progress_handler();
    steps.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_page_of_a_long_list_costs_what_one_of_a_short_list_costs() {
    let (shop, collection) = shelves().await;
    let mut costs: Vec<Vec<(String, u64)>> = Vec::new();
    // More than a list begins with, at first too.
    let short = FEW as usize + 200;
    for (from, to) in [(0, short), (short, short * 6)] {
        fill(&shop, collection, from..to).await;
        let mut all = Vec::new();
        for deep in [false, true] {
            for (name, asked) in walks(&shop, collection, deep).await {
                work(&shop, &asked).await;
                all.push((name, work(&shop, &asked).await));
            }
        }
        costs.push(all);
    }
    for ((name, short), (_, long)) in costs[0].iter().zip(&costs[1]) {
        // PostgreSQL counts pages, and a short index has few.
        let least = if on_postgres() { 2 } else { 20 };
        assert!(*short >= least, "{name} was not measured: {short}");
        // An index of ten times the rows may be a level deeper.
        assert!(*long * 2 <= *short * 3, "{name}: {short} with few products, {long} with six times as many");
    }
}

/// Puts each so many-th product into a category, under a tag and under a vendor.
async fn sprinkle(shop: &Shop, every: usize) -> Vec<Filter> {
    let made = shop.set("categorySet", json!({ "title": "Few" }), "category { id }").await.done();
    let category: CategoryId = made["category"]["id"].as_str().unwrap().parse().unwrap();
    let conn = shop.app.db.begin(&StatementCount::default()).await.unwrap();
    let ids = product::Entity::find().order_by_asc(product::Column::Id).all(&conn).await.unwrap();
    let tag = tag::Model { id: TagId(Uuid::new_v4()), value: "Few".to_owned(), fold: "few".to_owned() };
    let (mut places, mut tags) = (vec![], vec![]);
    for row in ids.iter().step_by(every) {
        places.push(product_category::Model { product_id: row.id, category_id: category, rank: 0 });
        tags.push(product_tag::Model { product_id: row.id, tag_id: tag.id, rank: 0 });
    }
    insert_all::<product_category::Entity>(&conn, places).await.unwrap();
    insert_all::<tag::Entity>(&conn, vec![tag]).await.unwrap();
    insert_all::<product_tag::Entity>(&conn, tags).await.unwrap();
    conn.commit().await.unwrap();
    if on_postgres() {
        shop.app.db.admin().execute_unprepared("analyze").await.unwrap();
    }
    let tagged = Filter::Tag(vec!["FEW".to_owned()]);
    vec![Filter::Category(Named::Id(category)), Filter::Members(Box::new(Filter::All(vec![tagged])))]
}

#[tokio::test]
async fn a_list_of_few_products_in_a_long_shop_begins_with_them() {
    let mut costs = Vec::new();
    for (size, every) in [(400, 10), (6_000, 150)] {
        let (shop, collection) = shelves().await;
        fill(&shop, collection, 0..size).await;
        for filter in sprinkle(&shop, every).await {
            let list = Filter::All(vec![filter]);
            for sort in [SortKey::Newest, SortKey::Title, SortKey::Price] {
                let conn = shop.app.read();
                let page = Page::read(PageArgs { first: Some(50), ..PageArgs::default() }, 100, true, &()).unwrap();
                let seen = view(&shop);
                let found =
                    engine::catalog::repo::listing::page(&conn, &seen, Some(&list), sort, page, true).await.unwrap();
                assert_eq!((found.rows.len(), found.total), (40, Some(40)), "{sort:?} {list:?}");
                let asked = asked(&shop, (&seen, sort, Some(&list)), true, false).await;
                work(&shop, &asked).await;
                costs.push(work(&shop, &asked).await);
            }
        }
    }
    let (short, long) = costs.split_at(costs.len() / 2);
    for (short, long) in short.iter().zip(long) {
        // PostgreSQL reads a short table whole; in a long one, some pages for each of the 40.
        let most = if on_postgres() { 40 * 12 } else { *short * 3 / 2 };
        assert!(*short > 10 && *long <= most, "{short} in a shop of 400, {long} in one of 6,000: {costs:?}");
    }
}

/// What products, channels and regions say that there is a price row for.
async fn every_product_has_its_rows(shop: &Shop) {
    let conn = shop.app.read();
    let count = async |sql: &str| {
        let row = conn.query_one_raw(statement(&conn, sql, [])).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).unwrap()
    };
    let all = "select count(*) from product cross join channel cross join region where product.deleted_at is null";
    assert_eq!(count("select count(*) from listing_price").await, count(all).await);
    let sold = "select count(*) from product_channel cross join region";
    assert_eq!(count("select count(*) from listing_price where listed").await, count(sold).await);
}

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String, $sort: [ProductSort!]) {
    products(first: $first, after: $after, last: $last, before: $before, sort: $sort) {
        nodes { title } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn titles(shop: &Shop, region: &str, arguments: Value) -> (Vec<String>, Value) {
    let answer = shop.store.with("x-region", region).send(PAGE, arguments).await;
    let nodes = answer.at("products.nodes");
    let titles = nodes.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap().to_owned()).collect();
    (titles, answer.at("products.pageInfo"))
}

#[tokio::test]
async fn pages_by_price_go_on_into_what_has_no_price_and_back() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    let mut ids = Vec::new();
    for (title, cents) in [("A", None), ("B", Some("3.00")), ("C", None), ("D", Some("1.00")), ("E", Some("2.00"))] {
        let prices = cents.map(|amount| json!([{ "amount": { "amount": amount, "currencyCode": "EUR" } }]));
        let input = json!({ "title": title, "status": "PUBLISHED", "variants": [{ "prices": prices }] });
        ids.push(shop.set("productCreate", input, "product { id }").await.done()["product"]["id"].clone());
    }
    every_product_has_its_rows(&shop).await;
    for (direction, expected) in [("ASC", ["D", "E", "B", "A", "C"]), ("DESC", ["C", "A", "B", "E", "D"])] {
        let sort = json!([{ "field": "PRICE", "direction": direction }]);
        for size in 1..=5 {
            let (mut forward, mut after) = (Vec::new(), json!(null));
            loop {
                let (some, info) =
                    titles(&shop, "europe", json!({ "first": size, "after": after, "sort": sort })).await;
                forward.extend(some);
                after = info["endCursor"].clone();
                if info["hasNextPage"] == false {
                    break;
                }
                assert!(forward.len() < 5, "never ends");
            }
            assert_eq!(forward, expected, "{direction} by {size}");
            let (mut backward, mut before) = (Vec::new(), json!(null));
            loop {
                let (some, info) =
                    titles(&shop, "europe", json!({ "last": size, "before": before, "sort": sort })).await;
                backward.splice(0..0, some);
                before = info["startCursor"].clone();
                if info["hasPreviousPage"] == false {
                    break;
                }
                assert!(backward.len() < 5, "never ends");
            }
            assert_eq!(backward, expected, "{direction} backwards by {size}");
        }
    }

    // A region that came later, in whose currency only one has a price.
    let america = json!({ "handle": "america", "name": "America", "currencyCode": "USD", "countries": ["US"],
        "pricesIncludeTax": false });
    shop.set("regionSet", america, "region { id }").await.done();
    let sort = json!([{ "field": "PRICE" }]);
    assert_eq!(titles(&shop, "america", json!({ "sort": sort })).await.0, ["A", "B", "C", "D", "E"]);
    let variant = "query($id: ID!) { product(by: { id: $id }) { variants { id } } }";
    let variant = shop.admin.send(variant, json!({ "id": ids[2] })).await.at("product.variants.0.id");
    let prices = json!([{ "amount": { "amount": "5.00", "currencyCode": "USD" } }]);
    let input = json!({ "id": ids[2], "variants": [{ "id": variant, "prices": prices }] });
    shop.set("productUpdate", input, "product { id }").await.done();
    assert_eq!(titles(&shop, "america", json!({ "sort": sort })).await.0, ["C", "A", "B", "D", "E"]);
    assert_eq!(titles(&shop, "europe", json!({ "sort": sort })).await.0, ["D", "E", "B", "A", "C"]);
    let dear = r#"{ products(filter: { price: { gte: { amount: "0", currencyCode: "EUR" } } }) { totalCount } }"#;
    assert_eq!(shop.store.send(dear, json!({})).await.at("products.totalCount"), 3, "no price is no high price");

    // What leaves the channel leaves the walk; what comes back has its price again.
    let off = json!({ "id": ids[3] });
    shop.set("productUnpublish", off, "product { id }").await.done();
    every_product_has_its_rows(&shop).await;
    assert_eq!(titles(&shop, "europe", json!({ "sort": sort })).await.0, ["E", "B", "A", "C"]);
    let channel = shop.app.settings().channels[0].id.to_string();
    let on = json!({ "id": ids[3], "channelIds": [channel] });
    shop.set("productPublish", on, "product { id }").await.done();
    every_product_has_its_rows(&shop).await;
    assert_eq!(titles(&shop, "europe", json!({ "sort": sort })).await.0, ["D", "E", "B", "A", "C"]);
    let staff = "{ products(sort: [{ field: PRICE }]) { nodes { title } } }";
    let staff = shop.admin.send(staff, json!({})).await.at("products.nodes");
    let staff: Vec<_> = staff.as_array().unwrap().iter().map(|node| node["title"].as_str().unwrap()).collect();
    assert_eq!(staff, ["D", "E", "B", "A", "C"]);
}

#[tokio::test]
async fn rows_are_counted_only_when_their_number_is_asked_for() {
    let shop = Shop::open().await;
    shop.set("productCreate", json!({ "title": "A", "status": "PUBLISHED" }), "product { id }").await.done();
    let plain = shop.store.send("{ products { nodes { title } } }", json!({})).await;
    let counted = shop.store.send("{ products { totalCount nodes { title } } }", json!({})).await;
    assert_eq!((counted.at("products.totalCount"), plain.statements, counted.statements), (json!(1), 1, 2));
}

#[tokio::test]
async fn regions_and_products_that_are_made_at_the_same_time_know_each_other() {
    let shop = Shop::open().await;
    shop.europe(&["DE"], true).await;
    for (round, country) in ["US", "CA", "MX"].into_iter().enumerate() {
        let product = |number: usize| {
            let input = json!({ "title": format!("Twin {round} {number}"), "status": "PUBLISHED" });
            shop.set("productCreate", input, "product { id }")
        };
        let input = json!({ "handle": country.to_lowercase(), "name": country, "currencyCode": "USD",
            "countries": [country], "pricesIncludeTax": false });
        let products = futures_util::future::join_all((0..8).map(product));
        let (products, region) = tokio::join!(products, shop.set("regionSet", input, "region { id }"));
        region.done();
        products.iter().for_each(|answer| drop(answer.done()));
        every_product_has_its_rows(&shop).await;
    }
}
