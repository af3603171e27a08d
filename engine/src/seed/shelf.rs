//! The collections and the categories of the demo shop. What is there already
//! stays as staff left it.

use std::collections::HashMap;
use std::sync::Arc;

use domain::collection::{Condition, Rule, RuleMatch};
use domain::id::{CategoryId, ProductId};

use crate::actor::Caller;
use crate::app::App;
use crate::catalog::listing::Named;
use crate::catalog::texts::TextChange;
use crate::category::ops::{SetCategory, SetProductCategories};
use crate::collection::ops::SetCollection;
use crate::error::Result;
use crate::version::Change;

/// A category of the demo shop.
struct Branch {
    handle: &'static str,
    title: &'static str,
    above: Option<&'static str>,
    /// The product types whose products are in it.
    types: &'static [&'static str],
}

const fn branch(
    handle: &'static str,
    title: &'static str,
    above: Option<&'static str>,
    types: &'static [&'static str],
) -> Branch {
    Branch { handle, title, above, types }
}

/// The tree, parents before what is below them.
const TREE: [Branch; 12] = [
    branch("home", "Home", None, &[]),
    branch("kitchen", "Kitchen", Some("home"), &["Kitchen"]),
    branch("lighting", "Lighting", Some("home"), &["Lighting"]),
    branch("furniture", "Furniture and storage", Some("home"), &["Furniture", "Storage"]),
    branch("textiles", "Textiles", Some("home"), &["Textiles"]),
    branch("decor", "Decor", Some("home"), &["Home decor", "Home fragrance", "Wall art"]),
    branch("garden", "Garden", None, &[]),
    branch("plants", "Plants", Some("garden"), &["Plants"]),
    branch("garden-tools", "Garden tools", Some("garden"), &["Garden tools"]),
    branch("desk-and-travel", "Desk and travel", None, &[]),
    branch("stationery", "Stationery", Some("desk-and-travel"), &["Stationery"]),
    branch("bags", "Bags", Some("desk-and-travel"), &["Travel", "Bags"]),
];

/// Collections that list their products: handle, title, description, products.
const LISTED: [(&str, &str, &str, &[&str]); 2] = [
    (
        "a-tidy-desk",
        "A tidy desk",
        "<p>What a good working day needs, and nothing more.</p>",
        &["desk-organizer", "clamp-desk-lamp", "field-notebook", "brass-pen"],
    ),
    (
        "slow-sunday",
        "Slow Sunday",
        "<p>Breakfast in bed, and the afternoon under a blanket.</p>",
        &["island-wool-blanket", "espresso-cup-pair", "breakfast-bowl", "beeswax-candle", "stripe-cushion"],
    ),
];

/// A product of the demo shop that has been stored.
pub(super) struct Stored {
    pub handle: &'static str,
    pub product_type: &'static str,
    pub id: ProductId,
}

/// The handle of the category whose products are of a type.
pub(super) fn branch_of(product_type: &str) -> Option<&'static str> {
    TREE.iter().find(|branch| branch.types.contains(&product_type)).map(|branch| branch.handle)
}

/// Collections of what a season buys: handle, title, tag.
const SEASONS: [(&str, &str, &str); 3] = [
    ("spring", "Spring in the garden", "spring"),
    ("summer", "Long summer days", "summer"),
    ("winter", "Warm and bright", "winter"),
];

/// Makes the collections of a shop with more products than the demo's own.
pub(super) async fn seasons(app: &Arc<App>) -> Result<()> {
    for (handle, title, tag) in SEASONS {
        let rule = Rule { matching: RuleMatch::All, conditions: vec![Condition::Tag(vec![tag.to_owned()])] };
        make_collection(app, SetCollection { rule: Some(rule), ..collection(handle, title, "") }).await?;
    }
    Ok(())
}

/// Makes the categories and collections that are not there yet.
pub(super) async fn furnish(app: &Arc<App>, products: &[Stored]) -> Result<()> {
    categories(app, products).await?;
    for (handle, title, description, listed) in LISTED {
        let ids = listed.iter().filter_map(|handle| products.iter().find(|product| product.handle == *handle));
        let ids = ids.map(|product| product.id).collect();
        let op = SetCollection { products: Some(ids), ..collection(handle, title, description) };
        make_collection(app, op).await?;
    }
    let conditions = vec![Condition::Tag(vec!["gift".to_owned()]), Condition::Available(true)];
    let op = SetCollection {
        rule: Some(Rule { matching: RuleMatch::All, conditions }),
        ..collection("gifts", "Gifts", "<p>Ready to be wrapped: everything here is in stock.</p>")
    };
    make_collection(app, op).await
}

fn collection(handle: &str, title: &str, description_html: &str) -> SetCollection {
    let texts = TextChange {
        title: Some(title.to_owned()),
        description_html: Some(description_html.to_owned()),
        ..TextChange::default()
    };
    SetCollection { handle: Some(handle.to_owned()), texts, ..SetCollection::default() }
}

async fn make_collection(app: &Arc<App>, op: SetCollection) -> Result<()> {
    let named = Named::Handle(op.handle.clone().unwrap_or_default());
    if crate::collection::repo::find(&app.read(), &named, None).await?.is_none() {
        app.run(&Caller::system(), &op).await?;
    }
    Ok(())
}

async fn categories(app: &Arc<App>, products: &[Stored]) -> Result<()> {
    // Any category at all: staff have a tree of their own, or took ours apart.
    if !crate::category::repo::top(&app.read(), false).await?.is_empty() {
        return Ok(());
    }
    let mut made: HashMap<&str, CategoryId> = HashMap::new();
    for branch in &TREE {
        let texts = TextChange { title: Some(branch.title.to_owned()), ..TextChange::default() };
        let parent = branch.above.and_then(|above| made.get(above)).map_or(Change::Keep, |id| Change::To(*id));
        let op = SetCategory { handle: Some(branch.handle.to_owned()), texts, parent, ..SetCategory::default() };
        made.insert(branch.handle, app.run(&Caller::system(), &op).await?.id);
    }
    for product in products {
        let own = TREE.iter().filter(|branch| branch.types.contains(&product.product_type));
        let categories = own.filter_map(|branch| made.get(branch.handle).copied()).collect();
        let op = SetProductCategories { product: product.id, expected_version: None, categories };
        app.run(&Caller::system(), &op).await?;
    }
    Ok(())
}
