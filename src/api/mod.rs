//! The schemas: six root groups, defined once, projected on three endpoints.
//!
//! What is only staff's is absent from the store's registry: not hidden, absent.

pub mod call;
pub mod check;
pub mod document;
pub mod eager;
pub mod feed;
pub mod gather;
pub mod guard;
pub mod input;
pub mod late;
pub mod node;
pub mod page;
pub mod payload;
pub mod ready;
pub mod request_id;
pub mod scalar;
pub mod selection;
pub mod shown;
mod variables;
pub mod word;

use async_graphql::{MergedObject, MergedSubscription, Object, Schema};

use self::node::{NodeAdminQuery, NodeStoreQuery};
use crate::audit::admin::AuditAdminQuery;
use crate::auth::admin::{AuthAdminMutation, AuthAdminQuery};
use crate::auth::factor::admin::{FactorAdminMutation, FactorAdminQuery};
use crate::auth::oidc::admin::{OidcAdminMutation, OidcAdminQuery};
use crate::cart::admin::CartAdminQuery;
use crate::cart::store::{CartStoreMutation, CartStoreQuery};
use crate::cart::subs::CartStoreSubscription;
use crate::catalog::admin::{CatalogAdminMutation, CatalogAdminQuery};
use crate::catalog::import::admin::ImportAdminMutation;
use crate::catalog::option::admin::{OptionAdminMutation, OptionAdminQuery};
use crate::catalog::product::admin::ProductAdminMutation;
use crate::catalog::related::admin::RelatedAdminMutation;
use crate::catalog::related::store::RelatedStoreQuery;
use crate::catalog::store::CatalogStoreQuery;
use crate::catalog::variant::admin::{VariantAdminMutation, VariantAdminQuery};
use crate::category::admin::{CategoryAdminMutation, CategoryAdminQuery};
use crate::category::store::CategoryStoreQuery;
use crate::channel::admin::{ChannelAdminMutation, ChannelAdminQuery};
use crate::channel::store::ShopStoreQuery;
use crate::checkout::store::CheckoutStoreMutation;
use crate::collection::admin::{CollectionAdminMutation, CollectionAdminQuery};
use crate::collection::store::CollectionStoreQuery;
use crate::customer::account::store::AccountStoreMutation;
use crate::customer::admin::{CustomerAdminMutation, CustomerAdminQuery};
use crate::customer::group::admin::{CustomerGroupAdminMutation, CustomerGroupAdminQuery};
use crate::customer::store::{CustomerStoreMutation, CustomerStoreQuery};
use crate::flow::admin::{FlowAdminMutation, FlowAdminQuery};
use crate::fulfillment::admin::FulfillmentAdminMutation;
use crate::inventory::admin::{InventoryAdminMutation, InventoryAdminQuery};
use crate::inventory::level::admin::LevelAdminMutation;
use crate::inventory::reservation::admin::{ReservationAdminMutation, ReservationAdminQuery};
use crate::inventory::store::InventoryStoreMutation;
use crate::inventory::subs::InventoryStoreSubscription;
use crate::job::admin::{JobAdminMutation, JobAdminQuery};
use crate::job::subs::JobAdminSubscription;
use crate::ledger::admin::{LedgerAdminMutation, LedgerAdminQuery};
use crate::ledger::store::{LedgerStoreMutation, LedgerStoreQuery};
use crate::location::admin::{LocationAdminMutation, LocationAdminQuery};
use crate::media::admin::{MediaAdminMutation, MediaAdminQuery};
use crate::metafield::admin::{MetafieldAdminMutation, MetafieldAdminQuery};
use crate::notification::admin::{NotificationAdminMutation, NotificationAdminQuery};
use crate::order::admin::{OrderAdminMutation, OrderAdminQuery};
use crate::order::store::OrderStoreQuery;
use crate::order::subs::{OrderAdminSubscription, OrderStoreSubscription};
use crate::payment::admin::PaymentAdminMutation;
use crate::payment::due::admin::DueAdminMutation;
use crate::payment::due::store::{DueStoreMutation, DueStoreQuery};
use crate::payment::store::MethodStoreMutation;
use crate::policy::admin::{PolicyAdminMutation, PolicyAdminQuery};
use crate::pricing::admin::{PricingAdminMutation, PricingAdminQuery};
use crate::pricing::import::admin::PriceImportAdminMutation;
use crate::promotion::admin::{PromotionAdminMutation, PromotionAdminQuery};
use crate::promotion::campaign::admin::{CampaignAdminMutation, CampaignAdminQuery};
use crate::promotion::code::admin::{CodeAdminMutation, CodeAdminQuery};
use crate::promotion::simulation::admin::SimulationAdminQuery;
use crate::quote::admin::{QuoteAdminMutation, QuoteAdminQuery};
use crate::quote::store::QuoteStoreQuery;
use crate::region::admin::{RegionAdminMutation, RegionAdminQuery};
use crate::search::store::SearchStoreQuery;
use crate::shipping::admin::{ShippingAdminMutation, ShippingAdminQuery};
use crate::shipping::profile::admin::{ProfileAdminMutation, ProfileAdminQuery};
use crate::shipping::zone::admin::{ZoneAdminMutation, ZoneAdminQuery};
use crate::staff::admin::{StaffAdminMutation, StaffAdminQuery};
use crate::staff::invitation::admin::InvitationAdminMutation;
use crate::tax::admin::{TaxAdminMutation, TaxAdminQuery};
use crate::translation::admin::{TranslationAdminMutation, TranslationAdminQuery};

/// Declares a root group under two names: flat on its own endpoint, and as a
/// namespace of the unified one.
macro_rules! root {
    ($(#[$doc:meta])* $flat:ident as $name:literal, $space:ident as $space_name:literal, $($serial:ident)? [$($part:ident),* $(,)?]) => {
        $(#[$doc])*
        #[derive(MergedObject, Default)]
        #[graphql(name = $name $(, $serial)?)]
        pub struct $flat($($part),*);

        $(#[$doc])*
        #[derive(MergedObject, Default)]
        #[graphql(name = $space_name $(, $serial)?)]
        pub struct $space($($part),*);
    };
}

root! {
    /// What shoppers ask.
    StoreQuery as "Query", StoreQuerySpace as "StoreQuery", [
        CartStoreQuery,
        CatalogStoreQuery,
        CategoryStoreQuery,
        CollectionStoreQuery,
        CustomerStoreQuery,
        NodeStoreQuery,
        LedgerStoreQuery,
        OrderStoreQuery,
        DueStoreQuery,
        QuoteStoreQuery,
        RelatedStoreQuery,
        SearchStoreQuery,
        ShopStoreQuery,
    ]
}

root! {
    /// What shoppers do.
    StoreMutation as "Mutation", StoreMutationSpace as "StoreMutation", serial [
        AccountStoreMutation,
        CartStoreMutation,
        CheckoutStoreMutation,
        DueStoreMutation,
        MethodStoreMutation,
        LedgerStoreMutation,
        CustomerStoreMutation,
        InventoryStoreMutation,
    ]
}

root! {
    /// What staff ask.
    AdminQuery as "Query", AdminQuerySpace as "AdminQuery", [
        AuditAdminQuery,
        FlowAdminQuery,
        AuthAdminQuery,
        CatalogAdminQuery,
        CategoryAdminQuery,
        CartAdminQuery,
        ChannelAdminQuery,
        CollectionAdminQuery,
        CustomerAdminQuery,
        CustomerGroupAdminQuery,
        JobAdminQuery,
        FactorAdminQuery,
        InventoryAdminQuery,
        LedgerAdminQuery,
        ReservationAdminQuery,
        LocationAdminQuery,
        MediaAdminQuery,
        MetafieldAdminQuery,
        NodeAdminQuery,
        NotificationAdminQuery,
        OidcAdminQuery,
        OptionAdminQuery,
        OrderAdminQuery,
        PolicyAdminQuery,
        PricingAdminQuery,
        PromotionAdminQuery,
        CampaignAdminQuery,
        CodeAdminQuery,
        SimulationAdminQuery,
        ProfileAdminQuery,
        QuoteAdminQuery,
        RegionAdminQuery,
        ShippingAdminQuery,
        StaffAdminQuery,
        TaxAdminQuery,
        TranslationAdminQuery,
        VariantAdminQuery,
        ZoneAdminQuery,
    ]
}

root! {
    /// What staff do.
    AdminMutation as "Mutation", AdminMutationSpace as "AdminMutation", serial [
        AuthAdminMutation,
        CatalogAdminMutation,
        CategoryAdminMutation,
        ChannelAdminMutation,
        CollectionAdminMutation,
        CustomerAdminMutation,
        CustomerGroupAdminMutation,
        FactorAdminMutation,
        FulfillmentAdminMutation,
        ImportAdminMutation,
        InventoryAdminMutation,
        LedgerAdminMutation,
        LevelAdminMutation,
        ReservationAdminMutation,
        JobAdminMutation,
        LocationAdminMutation,
        MediaAdminMutation,
        MetafieldAdminMutation,
        NotificationAdminMutation,
        InvitationAdminMutation,
        OidcAdminMutation,
        OptionAdminMutation,
        OrderAdminMutation,
        PaymentAdminMutation,
        DueAdminMutation,
        FlowAdminMutation,
        ProductAdminMutation,
        PromotionAdminMutation,
        CampaignAdminMutation,
        CodeAdminMutation,
        PolicyAdminMutation,
        PriceImportAdminMutation,
        PricingAdminMutation,
        ProfileAdminMutation,
        QuoteAdminMutation,
        RegionAdminMutation,
        RelatedAdminMutation,
        ShippingAdminMutation,
        StaffAdminMutation,
        TaxAdminMutation,
        TranslationAdminMutation,
        VariantAdminMutation,
        ZoneAdminMutation,
    ]
}

/// What shoppers watch.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct StoreSubscription(CartStoreSubscription, InventoryStoreSubscription, OrderStoreSubscription);

/// What staff watch.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct AdminSubscription(JobAdminSubscription, OrderAdminSubscription);

/// What shoppers and staff watch: the names are disjoint.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct UnifiedSubscription(
    CartStoreSubscription,
    InventoryStoreSubscription,
    OrderStoreSubscription,
    JobAdminSubscription,
    OrderAdminSubscription,
);

/// The schema of `/store/graphql`.
pub type StoreSchema = Schema<StoreQuery, StoreMutation, StoreSubscription>;
/// The schema of `/admin/graphql`.
pub type AdminSchema = Schema<AdminQuery, AdminMutation, AdminSubscription>;
/// The schema of `/graphql` for callers with an admin credential.
pub type UnifiedSchema = Schema<UnifiedQuery, UnifiedMutation, UnifiedSubscription>;

/// The roots of both surfaces.
#[derive(Debug, Default)]
pub struct UnifiedQuery;

/// The queries of both surfaces.
#[Object(name = "Query")]
impl UnifiedQuery {
    /// The queries of the store surface.
    async fn store(&self) -> StoreQuerySpace {
        StoreQuerySpace::default()
    }

    /// The queries of the admin surface.
    async fn admin(&self) -> AdminQuerySpace {
        AdminQuerySpace::default()
    }
}

/// The mutations of both surfaces.
#[derive(Debug, Default)]
pub struct UnifiedMutation;

/// The mutations of both surfaces. Use one namespace per operation: within a
/// namespace they run one after the other.
#[Object(name = "Mutation", serial)]
impl UnifiedMutation {
    /// The mutations of the store surface.
    async fn store(&self) -> StoreMutationSpace {
        StoreMutationSpace::default()
    }

    /// The mutations of the admin surface.
    async fn admin(&self) -> AdminMutationSpace {
        AdminMutationSpace::default()
    }
}

/// The roots of the store surface alone, for callers of `/graphql` without an
/// admin credential: what is only staff's is not in their registry either.
#[derive(Debug, Default)]
pub struct StoreOnlyQuery;

/// The queries of the store surface.
#[Object(name = "Query")]
impl StoreOnlyQuery {
    /// The queries of the store surface.
    async fn store(&self) -> StoreQuerySpace {
        StoreQuerySpace::default()
    }
}

/// The mutations of the store surface alone.
#[derive(Debug, Default)]
pub struct StoreOnlyMutation;

/// The mutations of the store surface.
#[Object(name = "Mutation", serial)]
impl StoreOnlyMutation {
    /// The mutations of the store surface.
    async fn store(&self) -> StoreMutationSpace {
        StoreMutationSpace::default()
    }
}

/// The schema of `/graphql` for everybody else.
pub type StoreOnlySchema = Schema<StoreOnlyQuery, StoreOnlyMutation, StoreSubscription>;

/// The schema as [`document::judge`] leaves it work to do: what is too large
/// is refused there, so the library needs no limits of its own. `suggests`
/// says whether a name that is not there is answered with those that are.
fn built<
    Q: async_graphql::ObjectType + 'static,
    M: async_graphql::ObjectType + 'static,
    S: async_graphql::SubscriptionType + 'static,
>(
    (query, mutation, subscription): (Q, M, S),
    suggests: bool,
) -> Schema<Q, M, S> {
    let builder = Schema::build(query, mutation, subscription).limit_recursive_depth(usize::MAX);
    if suggests { builder.finish() } else { builder.disable_suggestions().finish() }
}

/// Builds the store's schema.
pub fn store_schema(suggests: bool) -> StoreSchema {
    built(Default::default(), suggests)
}

/// Builds the staff's schema.
pub fn admin_schema(suggests: bool) -> AdminSchema {
    built(Default::default(), suggests)
}

/// Builds the schema of both surfaces.
pub fn unified_schema(suggests: bool) -> UnifiedSchema {
    built(Default::default(), suggests)
}

/// Builds the schema of `/graphql` for callers without an admin credential.
pub fn store_only_schema(suggests: bool) -> StoreOnlySchema {
    built(Default::default(), suggests)
}
