//! What each field of the schema costs, read once from the types themselves.
//!
//! A field costs one, and a page of a list five besides. What it selects is
//! counted as often as the list is long: a page by its `first` or `last`, a
//! look-up of several by its `ids`, any other list by what is usual for it.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::registry::{MetaField, MetaTypeName, Registry};
use async_graphql::{OutputType, SubscriptionType};

use crate::api::{UnifiedMutation, UnifiedQuery, UnifiedSubscription};

/// The mutations that check a password, a code or a mailed token, or that write
/// to a mailbox that the caller names: one of them in an operation, so that a
/// request is one guess.
pub const AUTHENTICATING: &[&str] = &[
    "backInStockRequest",
    "customerDelete",
    "customerEmailChangeConfirm",
    "customerEmailChangeRequest",
    "customerLogin",
    "customerPasswordChange",
    "customerPasswordRecover",
    "customerPasswordReset",
    "customerRegister",
    "customerTokenRefresh",
    "customerVerificationRequest",
    "customerVerify",
    "giftCardClaim",
    "orderAccessRequest",
    "orderClaim",
    "staffIdentityLoginFinish",
    "staffInvitationAccept",
    "staffLogin",
    "staffLoginSecondFactor",
    "staffPasswordChange",
    "staffRecover",
    "staffRecoveryCodesRegenerate",
    "staffRecoveryRequest",
    "staffSecondFactorConfirm",
    "staffSecondFactorDisable",
    "staffSecondFactorEnroll",
    "staffTokenRefresh",
];

/// How long a page is when nobody says.
const PAGE: u64 = 20;
/// What fields cost that do much of their own: a whole cart is worked out, the past of a price is gone through, somebody
/// outside is asked.
const COSTLY: &[(&str, &str, u64)] = &[
    ("AdminPromotion", "hints", 20),
    ("AdminPromotion", "usage", 20),
    ("AdminPromotionCode", "usage", 10),
    ("AdminPromotionSimulatePayload", "orders", 1_000),
    ("AdminQuery", "promotionSimulate", 100),
    ("AdminQuery", "quote", 50),
    ("Customer", "paymentMethods", 1_000),
    ("Price", "lowestBefore", 20),
    ("StoreQuery", "quote", 50),
];
/// What reading a page costs besides its rows.
const PAGE_COST: u64 = 5;
/// How long a list at the root is taken to be.
const ROOT_LIST: u64 = 20;
/// How long any other list is taken to be.
const LIST: u64 = 5;
/// Lists that are usually longer or shorter, and pages of another length when
/// nobody says, by type and field.
const LISTS: &[(&str, &str, u64)] = &[
    ("AdminAbandonedCart", "lines", 10),
    ("AdminCategory", "ancestors", 3),
    ("AdminCategory", "children", 10),
    ("AdminCollection", "publications", 3),
    ("AdminInventoryItem", "reservations", 10),
    ("AdminInventoryItem", "takers", 2),
    ("AdminOption", "values", 10),
    ("AdminOrder", "metafields", 50),
    ("AdminProduct", "categories", 3),
    ("AdminProduct", "metafields", 50),
    ("AdminProduct", "options", 3),
    ("AdminProduct", "publications", 3),
    ("AdminProduct", "related", 20),
    ("AdminProductVariantsBulkSetPayload", "results", 50),
    ("AdminQuery", "policies", 8),
    ("AdminQuery", "staffIdentityProviders", 3),
    ("AdminVariant", "gallery", 2),
    ("AdminVariant", "metafields", 50),
    ("AdminVariant", "prices", 3),
    ("AdminVariant", "selectedOptions", 3),
    ("AdminVariant", "stockLevels", 3),
    ("Cart", "lines", 10),
    ("CartLine", "explanation", 10),
    ("Category", "ancestors", 3),
    ("Category", "children", 10),
    ("Country", "provinces", 30),
    ("Order", "metafields", 50),
    ("OrderLine", "explanation", 10),
    ("OrderLine", "selectedOptions", 3),
    ("Price", "explanation", 10),
    ("Product", "categories", 3),
    ("Product", "metafields", 50),
    ("Product", "options", 3),
    ("QuoteLine", "explanation", 10),
    ("SearchSuggestions", "products", 1),
    ("Shop", "policies", 8),
    ("StoreQuery", "countries", 50),
    ("StoreQuery", "searchSuggestions", 5),
    ("Variant", "gallery", 2),
    ("Variant", "metafields", 50),
    ("Variant", "selectedOptions", 3),
];

/// Whose root types a document names: the endpoints call theirs alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// The store's are at the root.
    Store,
    /// The admin's are at the root.
    Admin,
    /// Both are namespaces.
    Unified,
}

impl Roots {
    /// The name of a type in the one table for all endpoints.
    pub fn type_name(self, name: &str) -> &str {
        match (self, name) {
            (Self::Store, "Query") => "StoreQuery",
            (Self::Store, "Mutation") => "StoreMutation",
            (Self::Admin, "Query") => "AdminQuery",
            (Self::Admin, "Mutation") => "AdminMutation",
            _ => name,
        }
    }
}

/// How often what a field selects is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// So often.
    Fixed(u64),
    /// As often as `first` or `last` say, else so often.
    Page(u64),
    /// Once for each of `ids`.
    Ids,
}

/// What is known of a field.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The type of what it answers, without brackets.
    pub answers: String,
    /// What it costs itself.
    pub own: u64,
    /// How often what it selects is answered.
    pub times: Times,
    /// Whether it checks a secret.
    pub authenticates: bool,
    /// Whether it is a namespace.
    pub namespace: bool,
}

/// The rules by type and field.
pub type Table = HashMap<String, HashMap<String, Rule>>;

/// What the schema says of itself, which is in no registry: type, field, what
/// it answers, how often. The lists cost as if the schema were small, so that
/// what code generators ask fits, and lists within lists within lists don't.
const INTROSPECTION: &[(&str, &str, &str, u64)] = &[
    ("Query", "__schema", "__Schema", 1),
    ("Query", "__type", "__Type", 1),
    ("__Directive", "args", "__InputValue", 5),
    ("__Field", "args", "__InputValue", 5),
    ("__Field", "type", "__Type", 1),
    ("__InputValue", "type", "__Type", 1),
    ("__Schema", "directives", "__Directive", 5),
    ("__Schema", "mutationType", "__Type", 1),
    ("__Schema", "queryType", "__Type", 1),
    ("__Schema", "subscriptionType", "__Type", 1),
    ("__Schema", "types", "__Type", 1),
    ("__Type", "enumValues", "__EnumValue", 30),
    ("__Type", "fields", "__Field", 30),
    ("__Type", "inputFields", "__InputValue", 30),
    ("__Type", "interfaces", "__Type", 30),
    ("__Type", "ofType", "__Type", 1),
    ("__Type", "possibleTypes", "__Type", 30),
];

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut registry = Registry::default();
    UnifiedQuery::create_type_info(&mut registry);
    UnifiedMutation::create_type_info(&mut registry);
    UnifiedSubscription::create_type_info(&mut registry);
    let mut table = Table::new();
    for (name, declared) in &registry.types {
        let Some(fields) = declared.fields() else { continue };
        let is_page = fields.contains_key("pageInfo");
        let rules = fields.iter().map(|(field, declared)| (field.clone(), rule(name, declared, is_page)));
        table.insert(name.clone(), rules.collect());
    }
    for (of, field, answers, times) in INTROSPECTION {
        let (roots, itself) = (["Query", "StoreQuery", "AdminQuery"], [*of]);
        for of in if *of == "Query" { &roots[..] } else { &itself[..] } {
            let rule = Rule {
                answers: (*answers).to_owned(),
                own: 1,
                times: Times::Fixed(*times),
                authenticates: false,
                namespace: false,
            };
            table.entry((*of).to_owned()).or_default().insert((*field).to_owned(), rule);
        }
    }
    table
});

fn rule(of: &str, field: &MetaField, of_page: bool) -> Rule {
    let name = field.name.as_str();
    let is_list = field.ty.starts_with('[');
    let pages = field.args.get("first").or_else(|| field.args.get("last"));
    let costly = COSTLY.iter().find(|(known, costly, _)| *known == of && *costly == name);
    let said = LISTS.iter().find(|(known, list, _)| *known == of && *list == name).map(|(_, _, size)| *size);
    let times = match pages {
        Some(first) => {
            let declared = first.default_value.as_ref().and_then(|text| text.parse().ok());
            Times::Page(declared.or(said).unwrap_or(PAGE))
        }
        None if is_list && field.args.contains_key("ids") => Times::Ids,
        None if !is_list => Times::Fixed(1),
        // The page itself has been counted where it was asked for.
        None if of_page && matches!(name, "edges" | "nodes") => Times::Fixed(1),
        None if of.ends_with("Query") => Times::Fixed(said.unwrap_or(ROOT_LIST)),
        None => Times::Fixed(said.unwrap_or(LIST)),
    };
    Rule {
        answers: MetaTypeName::concrete_typename(&field.ty).to_owned(),
        own: 1 + if pages.is_some() { PAGE_COST } else { costly.map_or(0, |(_, _, more)| *more) },
        times,
        authenticates: of.ends_with("Mutation") && AUTHENTICATING.contains(&name),
        namespace: matches!(of, "Query" | "Mutation"),
    }
}

/// What is known of the fields of a type.
pub fn fields(of: &str) -> Option<&'static HashMap<String, Rule>> {
    TABLE.get(of)
}

/// What is said here of fields that the schema does not have.
pub fn stale() -> Vec<String> {
    let known = |of: &str, field: &str| fields(of).is_some_and(|fields| fields.contains_key(field));
    let lists = LISTS
        .iter()
        .chain(COSTLY)
        .filter(|(of, field, _)| !known(of, field))
        .map(|(of, field, _)| format!("{of}.{field}"));
    let mutations = AUTHENTICATING.iter().filter(|name| !known("StoreMutation", name) && !known("AdminMutation", name));
    lists.chain(mutations.map(|name| (*name).to_owned())).collect()
}
