//! Categories: a tree that grows, moves and is shown.

use domain::auth::VIEWER;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::support::buying::faults;
use crate::support::{Answer, Shop};

async fn set(shop: &Shop, input: Value) -> Answer {
    shop.set("categorySet", input, "category { id handle version position active }").await
}

async fn made(shop: &Shop, title: &str, parent: Option<&Value>) -> Value {
    let input = json!({ "title": title, "parentId": parent });
    set(shop, input).await.done()["category"]["id"].clone()
}

async fn product(shop: &Shop, title: &str, categories: &[&Value]) -> Value {
    let input = json!({ "title": title, "status": "PUBLISHED" });
    let id = shop.set("productCreate", input, "product { id }").await.done()["product"]["id"].clone();
    put(shop, &id, categories).await.done();
    id
}

async fn put(shop: &Shop, product: &Value, categories: &[&Value]) -> Answer {
    let input = json!({ "productId": product, "categoryIds": categories });
    shop.set("productCategoriesSet", input, "product { id version categories { handle } }").await
}

fn handles(nodes: &Value) -> Vec<String> {
    nodes.as_array().unwrap().iter().map(|node| node["handle"].as_str().unwrap().to_owned()).collect()
}

/// Handles directly below a category, or at the top, as staff see them in order.
async fn below(shop: &Shop, parent: Option<&Value>) -> Vec<String> {
    let query = "query($filter: AdminCategoryFilter) { categories(first: 250, filter: $filter) {
        nodes { handle position } } }";
    let answer = shop.admin.send(query, json!({ "filter": { "parentId": parent } })).await;
    let nodes = answer.at("categories.nodes");
    let places: Vec<_> = nodes.as_array().unwrap().iter().map(|node| node["position"].as_u64().unwrap()).collect();
    assert_eq!(places, (0..places.len() as u64).collect::<Vec<_>>(), "places have no holes");
    handles(&nodes)
}

#[tokio::test]
async fn a_tree_is_shown_with_breadcrumbs_and_the_products_below() {
    let shop = Shop::open().await;
    let home = made(&shop, "Home", None).await;
    let kitchen = made(&shop, "Kitchen", Some(&home)).await;
    let mugs = made(&shop, "Mugs", Some(&kitchen)).await;
    let garden = made(&shop, "Garden", None).await;
    product(&shop, "Mug", &[&mugs, &garden]).await;
    product(&shop, "Pan", &[&kitchen]).await;
    product(&shop, "Spade", &[&garden]).await;

    let query = "{ categories { handle children { handle children { handle } } }
        deep: categories(parent: { handle: \"kitchen\" }) { handle }
        category(by: { handle: \"mugs\" }) { title ancestors { handle } children { handle } }
        products(filter: { category: { handle: \"home\" } }, sort: [{ field: TITLE }]) { nodes { handle categories { handle } } } }";
    let answer = shop.store.send(query, json!({})).await;
    let tree = json!([
        { "handle": "home", "children": [{ "handle": "kitchen", "children": [{ "handle": "mugs" }] }] },
        { "handle": "garden", "children": [] },
    ]);
    assert_eq!(answer.at("categories"), tree);
    assert_eq!(handles(&answer.at("deep")), ["mugs"]);
    let crumbs =
        json!({ "title": "Mugs", "ancestors": [{ "handle": "home" }, { "handle": "kitchen" }], "children": [] });
    assert_eq!(answer.at("category"), crumbs);
    assert_eq!(handles(&answer.at("products.nodes")), ["mug", "pan"]);
    assert_eq!(handles(&answer.at("products.nodes.0.categories")), ["mugs", "garden"], "the main one first");

    let products = "query($id: ID!) { category(by: { id: $id }) { products(sort: [{ field: TITLE }]) { totalCount nodes { handle } } }
        node(id: $id) { id } }";
    let of_home = shop.store.send(products, json!({ "id": home })).await;
    assert_eq!(handles(&of_home.at("category.products.nodes")), ["mug", "pan"]);
    assert_eq!((of_home.at("category.products.totalCount"), of_home.at("node.id")), (json!(2), home.clone()));
    let of_garden = shop.store.send(products, json!({ "id": garden })).await;
    assert_eq!(handles(&of_garden.at("category.products.nodes")), ["mug", "spade"]);
}

#[tokio::test]
async fn what_is_below_something_inactive_is_not_to_be_seen() {
    let shop = Shop::open().await;
    let home = made(&shop, "Home", None).await;
    let kitchen = made(&shop, "Kitchen", Some(&home)).await;
    let mugs = made(&shop, "Mugs", Some(&kitchen)).await;
    product(&shop, "Mug", &[&mugs]).await;
    product(&shop, "Sofa", &[&home]).await;
    let rule = json!({ "title": "Rule", "rule": { "conditions": [{ "categoryId": kitchen }] } });
    shop.set("collectionSet", rule, "collection { id }").await.done();
    set(&shop, json!({ "id": kitchen, "active": false })).await.done();

    let query =
        "query($id: ID!) { category(by: { id: $id }) { id } node(id: $id) { id } categories { children { handle } }
        below: categories(parent: { id: $id }) { handle }
        inside: products(filter: { category: { id: $id } }) { nodes { handle } }
        home: products(filter: { category: { handle: \"home\" } }) { nodes { handle categories { handle } } }
        mug: product(by: { handle: \"mug\" }) { categories { handle } collections { handle } } }";
    for hidden in [&kitchen, &mugs] {
        let answer = shop.store.send(query, json!({ "id": hidden })).await;
        assert_eq!((answer.at("category"), answer.at("node")), (json!(null), json!(null)));
        assert_eq!((answer.at("below"), answer.at("inside.nodes")), (json!([]), json!([])));
        assert_eq!(answer.at("categories.0.children"), json!([]));
        assert_eq!(handles(&answer.at("home.nodes")), ["sofa"]);
        let mug = json!({ "categories": [], "collections": [{ "handle": "rule" }] });
        assert_eq!(answer.at("mug"), mug, "rules look at the whole tree");
    }
    let admin = "query($id: ID!) { category(by: { id: $id }) { active ancestors { handle active } products { nodes { handle } } }
        node(id: $id) { id } products(filter: { product: { category: { id: $id } } }) { nodes { handle categories { handle } } } }";
    let staff = shop.admin.send(admin, json!({ "id": mugs })).await;
    let ancestors = json!([{ "handle": "home", "active": true }, { "handle": "kitchen", "active": false }]);
    assert_eq!((staff.at("category.active"), staff.at("category.ancestors")), (json!(true), ancestors));
    assert_eq!(handles(&staff.at("category.products.nodes")), ["mug"]);
    assert_eq!(handles(&staff.at("products.nodes.0.categories")), ["mugs"]);
    set(&shop, json!({ "id": kitchen, "active": true })).await.done();
    let answer = shop.store.send(query, json!({ "id": mugs })).await;
    assert_eq!(handles(&answer.at("home.nodes")), ["sofa", "mug"]);
}

#[tokio::test]
async fn a_category_moves_with_all_below_it_and_its_siblings_close_up() {
    let shop = Shop::open().await;
    let a = made(&shop, "A", None).await;
    let b = made(&shop, "B", None).await;
    let c = made(&shop, "C", None).await;
    let a1 = made(&shop, "A1", Some(&a)).await;
    let a2 = made(&shop, "A2", Some(&a)).await;
    let deep = made(&shop, "Deep", Some(&a1)).await;
    product(&shop, "Thing", &[&deep]).await;
    let go = async |id: &Value, parent: Option<&Value>, position: Value| {
        let input = json!({ "id": id, "parentId": parent, "position": position });
        shop.set("categoryMove", input, "category { version position ancestors { handle } }").await
    };
    go(&c, None, json!(0)).await.done();
    assert_eq!(below(&shop, None).await, ["c", "a", "b"]);
    go(&c, None, json!(1)).await.done();
    assert_eq!(below(&shop, None).await, ["a", "c", "b"]);
    go(&a, None, json!(null)).await.done();
    assert_eq!(below(&shop, None).await, ["c", "b", "a"]);
    let moved = go(&a1, Some(&b), json!(5)).await.done();
    assert_eq!(moved["category"], json!({ "version": 2, "position": 0, "ancestors": [{ "handle": "b" }] }));
    assert_eq!(
        (below(&shop, Some(&a)).await, below(&shop, Some(&b)).await),
        (vec!["a2".to_owned()], vec!["a1".to_owned()])
    );
    let query = "{ category(by: { handle: \"deep\" }) { ancestors { handle } }
        a: products(filter: { category: { handle: \"a\" } }) { totalCount }
        b: products(filter: { category: { handle: \"b\" } }) { totalCount } }";
    let answer = shop.store.send(query, json!({})).await;
    assert_eq!(handles(&answer.at("category.ancestors")), ["b", "a1"]);
    assert_eq!((answer.at("a.totalCount"), answer.at("b.totalCount")), (json!(0), json!(1)));
    set(&shop, json!({ "id": a2, "parentId": b, "position": 0 })).await.done();
    assert_eq!(below(&shop, Some(&b)).await, ["a2", "a1"]);
    set(&shop, json!({ "id": a2, "title": "A two" })).await.done();
    assert_eq!(below(&shop, Some(&b)).await, ["a2", "a1"], "what is left out stays");

    assert_eq!(faults(&go(&b, Some(&deep), json!(null)).await), ["INVALID parentId"]);
    assert_eq!(faults(&go(&b, Some(&b), json!(null)).await), ["INVALID parentId"]);
    assert_eq!(faults(&go(&b, None, json!(-1)).await), ["INVALID position"]);
    let nowhere = json!("cat_01h2xcejqtf2nbrexx3vqjhp41");
    assert_eq!(faults(&go(&b, Some(&nowhere), json!(null)).await), ["NOT_FOUND parentId"]);
    let stale = json!({ "id": a1, "expectedVersion": 1 });
    assert_eq!(faults(&shop.set("categoryMove", stale.clone(), "category { id }").await), ["CONFLICT expectedVersion"]);
    assert_eq!(faults(&shop.set("categoryDelete", stale, "deletedCategoryId").await), ["CONFLICT expectedVersion"]);

    assert_eq!(faults(&shop.set("categoryDelete", json!({ "id": a1 }), "deletedCategoryId").await), ["IN_USE id"]);
    shop.set("categoryDelete", json!({ "id": deep }), "deletedCategoryId").await.done();
    shop.set("categoryDelete", json!({ "id": a2 }), "deletedCategoryId").await.done();
    assert_eq!(below(&shop, Some(&b)).await, ["a1"]);
    let thing = shop.admin.send("{ product(by: { handle: \"thing\" }) { categories { handle } } }", json!({})).await;
    assert_eq!(thing.at("product.categories"), json!([]));
    assert_eq!(below(&shop, None).await, ["c", "b", "a"]);
}

#[tokio::test]
async fn the_tree_is_at_most_eight_deep() {
    let shop = Shop::open().await;
    let mut chain: Vec<Value> = Vec::new();
    for level in 1..=8 {
        chain.push(made(&shop, &format!("L{level}"), chain.last()).await);
    }
    let ninth = set(&shop, json!({ "title": "L9", "parentId": chain[7] })).await;
    assert_eq!(faults(&ninth), ["TOO_MANY parentId"]);
    assert_eq!(ninth.at("categorySet.userErrors.0.limit"), 8);
    let other = made(&shop, "Other", None).await;
    let under = json!({ "id": chain[0], "parentId": other });
    assert_eq!(faults(&shop.set("categoryMove", under, "category { id }").await), ["TOO_MANY parentId"]);
    let half = json!({ "id": chain[4], "parentId": other });
    shop.set("categoryMove", half, "category { id }").await.done();
    let query = "{ category(by: { handle: \"l8\" }) { ancestors { handle } } }";
    let answer = shop.store.send(query, json!({})).await;
    assert_eq!(handles(&answer.at("category.ancestors")), ["other", "l5", "l6", "l7"]);
}

#[tokio::test]
async fn everything_wrong_with_a_category_is_named_at_once() {
    let shop = Shop::open().await;
    let input = json!({ "title": " ", "handle": "Not One", "parentId": "cat_01h2xcejqtf2nbrexx3vqjhp41" });
    assert_eq!(faults(&set(&shop, input).await), ["INVALID handle", "REQUIRED title", "NOT_FOUND parentId"]);
    let one = made(&shop, "One", None).await;
    made(&shop, "Two", None).await;
    assert_eq!(faults(&set(&shop, json!({ "id": one, "handle": "two" })).await), ["TAKEN handle"]);
    let safe = json!({ "id": one, "descriptionHtml": "<i>x</i><script>1</script>", "seoDescription": "S" });
    set(&shop, safe).await.done();
    let shown =
        shop.store.send("{ category(by: { handle: \"one\" }) { descriptionHtml seoDescription } }", json!({})).await;
    assert_eq!(shown.at("category"), json!({ "descriptionHtml": "<i>x</i>", "seoDescription": "S" }));

    let mug = product(&shop, "Mug", &[&one]).await;
    let twice = put(&shop, &mug, &[&one, &one, &json!("cat_01h2xcejqtf2nbrexx3vqjhp41")]).await;
    assert_eq!(faults(&twice), ["DUPLICATE categoryIds.1", "NOT_FOUND categoryIds.2"]);
    let many = vec![&one; 51];
    assert_eq!(faults(&put(&shop, &mug, &many).await), ["TOO_MANY categoryIds"]);
    let stale = json!({ "productId": mug, "categoryIds": [], "expectedVersion": 1 });
    let stale = shop.set("productCategoriesSet", stale, "product { id }").await;
    assert_eq!(faults(&stale), ["CONFLICT expectedVersion"]);
}

#[tokio::test]
async fn staff_need_permission_and_what_they_did_is_kept() {
    let shop = Shop::open().await;
    let one = made(&shop, "One", None).await;
    let viewer = shop.staff(VIEWER).await;
    let list = "{ categories(filter: { text: \"ONE\", active: true }, sort: [{ field: TITLE }]) { totalCount nodes { handle } } }";
    assert_eq!(viewer.send(list, json!({})).await.at("categories.totalCount"), 1);
    let write = r#"mutation { categorySet(input: { title: "X" }) { category { id } userErrors { code } } }"#;
    assert_eq!(viewer.send(write, json!({})).await.error_code(), "FORBIDDEN");
    assert_eq!(shop.anonymous_admin.send(list, json!({})).await.error_code(), "UNAUTHENTICATED");
    shop.set("categoryMove", json!({ "id": one }), "category { id }").await.done();
    shop.set("categoryDelete", json!({ "id": one }), "deletedCategoryId").await.done();

    let conn = shop.app.read();
    let events = entity::event::Entity::find().all(&conn).await.unwrap();
    let own = events.iter().filter(|event| event.aggregate_type == "category");
    let told: Vec<_> = own.map(|event| (event.sequence, event.kind.as_str())).collect();
    assert_eq!(told, [(1, "category.created"), (2, "category.moved"), (3, "category.deleted")]);
    let kept = entity::audit_entry::Entity::find().all(&conn).await.unwrap();
    let ops: Vec<_> = kept.iter().filter(|row| row.op.starts_with("category.")).map(|row| row.op.as_str()).collect();
    assert_eq!(ops, ["category.set", "category.move", "category.delete"]);
}

#[tokio::test]
async fn statements_do_not_grow_with_the_tree() {
    let shop = Shop::open().await;
    let menu = "{ categories { handle ancestors { handle } children { handle ancestors { handle } products(first: 1) { nodes { handle } } } } }";
    let of_products = "{ products(first: 100) { nodes { handle categories { handle ancestors { handle } } } } }";
    let mut counts = Vec::new();
    let mut size = 0;
    for wanted in [1, 3, 9] {
        while size < wanted {
            let top = made(&shop, &format!("Top {size}"), None).await;
            let below = made(&shop, &format!("Below {size}"), Some(&top)).await;
            product(&shop, &format!("P{size}"), &[&below, &top]).await;
            size += 1;
        }
        let tree = shop.store.send(menu, json!({})).await;
        assert_eq!(tree.at("categories").as_array().unwrap().len(), size);
        assert_eq!(tree.at("categories.0.children.0.products.nodes"), json!([{ "handle": "p0" }]));
        let listed = shop.store.send(of_products, json!({})).await;
        assert_eq!(handles(&listed.at("products.nodes.0.categories.0.ancestors")), [format!("top-{}", size - 1)]);
        counts.push((tree.statements, listed.statements));
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    assert!(counts[0].0 <= 6 && counts[0].1 <= 3, "{counts:?}");
}
