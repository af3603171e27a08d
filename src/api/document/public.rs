//! Which root fields of the store answer everybody alike who asks without a
//! credential, in one channel, region and language.

/// Fields whose answers may be kept and told to others.
pub const PUBLIC: &[&str] = &[
    "categories",
    "category",
    "collection",
    "collections",
    "countries",
    "product",
    "productRecommendations",
    "products",
    "search",
    "searchSuggestions",
    "shop",
];

/// Fields whose answers are for whoever asks: by who he is, or by a token that
/// he holds.
pub const PERSONAL: &[&str] = &["cart", "customer", "giftCard", "node", "nodes", "order", "paymentLink", "quote"];

/// Whether this field of this type may be part of an answer that is kept. What
/// lies below a root is as public as the root.
pub fn is_public(of: Option<&str>, field: &str) -> bool {
    match of {
        Some("StoreQuery") => field == "__typename" || PUBLIC.contains(&field),
        Some("Query") => matches!(field, "__typename" | "store"),
        Some("AdminQuery" | "AdminMutation" | "StoreMutation" | "Mutation" | "Subscription") => false,
        _ => true,
    }
}
