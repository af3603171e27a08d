//! Live availability.

use async_graphql::{Context, ID, SimpleObject, Subscription};
use domain::inventory::Availability;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use engine::inventory::live::{Follower, Told};
use futures_util::Stream;

use crate::api::call::call;
use crate::api::feed::until_it_ends;
use crate::api::payload::top_level;
use crate::api::scalar::id;
use crate::api::selection::fingerprint;
use crate::api::shown::Shown;
use crate::api::word::Enum;
use crate::catalog::variant::types::Variant;
use crate::collection::admin::parse_ids;

/// How many variants one subscription follows at most.
const MAX_VARIANTS: usize = 100;

/// A message about what can be bought of a variant.
#[derive(Debug, Clone, SimpleObject)]
pub struct VariantAvailabilityUpdate {
    /// Which variant.
    pub variant_id: ID,
    /// The variant as it is now; null when it is not for sale in the channel any more.
    pub variant: Option<Variant>,
    /// Whether it can be bought now.
    pub availability: Enum<Availability>,
    /// Whether it could be bought by the message before; null in the first about it.
    pub previous: Option<Enum<Availability>>,
}

impl From<Told> for VariantAvailabilityUpdate {
    fn from(told: Told) -> Self {
        Self {
            variant_id: id(told.id),
            variant: told.variant.map(Variant::from),
            availability: Enum(told.availability),
            previous: told.previous.map(Enum),
        }
    }
}

/// Live availability of the store surface.
#[derive(Debug, Default)]
pub struct InventoryStoreSubscription;

#[Subscription]
impl InventoryStoreSubscription {
    /// Whether variants can be bought, as that changes in the channel of the request. One message for each of them
    /// comes first, so that nothing is missed when you come back.
    async fn variant_availability_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which variants, 1 to 100.")] variant_ids: Vec<ID>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Shown<VariantAvailabilityUpdate>>>> {
        let call = call(ctx)?;
        let follower = async {
            if !(1..=MAX_VARIANTS).contains(&variant_ids.len()) {
                let message = format!("Name 1 to {MAX_VARIANTS} variants.");
                return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_VARIANTS as i64).into());
            }
            let mut refusals = Refusals::default();
            let variants = parse_ids(&variant_ids, "variantIds", &mut refusals);
            refusals.into_result()?;
            Follower::open(call.app.clone(), variants, call.channel.id).await
        };
        let follower = follower.await.map_err(top_level)?;
        // Wake-ups are counted for each list of variants.
        let selected = fingerprint(ctx, (call.audience(), &variant_ids));
        Ok(until_it_ends(follower, move |follower| {
            Box::pin(async move {
                let told = follower.next().await?;
                let [before, now] =
                    [told.previous, Some(told.availability)].map(|state| state.map_or(-1, |state| state as i64));
                let question = (told.id.into(), 16 * before + now, told.wakes.cast_signed(), selected);
                Ok(Some(Shown::to_all(told.into(), question)))
            })
        }))
    }
}
