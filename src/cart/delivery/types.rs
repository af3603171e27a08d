//! How the options of a delivery group look.

use async_graphql::{ID, SimpleObject};
use domain::shipping::DeliveryUnavailableReason;
use domain::translation::TranslatableField;

use crate::address::types::Address;
use crate::api::call::Call;
use crate::api::ready::at_once;
use crate::api::scalar::{Money, id};
use crate::api::word::Enum;
use crate::shipping::types::ShippingExplanation;
use crate::translation::load::TextAt;
use engine::shipping::offers::{DeliveryOption as Offered, UnavailableOption};

/// A way to send a delivery group, or to pick it up.
#[derive(Debug, Clone, SimpleObject)]
pub struct DeliveryOption {
    /// Its id, for `cartDeliverySelect`.
    pub id: ID,
    /// Its name.
    pub name: String,
    /// More about it, in the shop's own language.
    pub description: Option<String>,
    /// What it costs.
    pub amount: Money,
    /// Whether that includes tax.
    pub includes_tax: bool,
    /// How what it costs was found.
    pub explanation: ShippingExplanation,
    /// Where the group is picked up; null when it is sent.
    pub pickup: Option<PickupPoint>,
}

/// An option with its texts in a language.
pub async fn named_option(
    call: &Call,
    currency: domain::money::Currency,
    option: &Offered,
    chain: &[String],
) -> async_graphql::Result<DeliveryOption> {
    let name = TextAt::alone(option.id, TranslatableField::Name).in_chain(call, chain).await?;
    let location = call.settings.locations.iter().find(|location| Some(location.id) == option.pickup);
    let pickup = location.and_then(|location| {
        Some(PickupPoint { name: location.name.clone(), address: location.address.clone()?.into() })
    });
    Ok(DeliveryOption {
        id: id(option.id),
        name: name.unwrap_or_else(|| option.name.clone()),
        description: option.description.clone(),
        amount: Money::new(option.amount_minor, currency),
        includes_tax: option.includes_tax,
        explanation: ShippingExplanation::new(&option.reason, currency),
        pickup,
    })
}

/// Where a delivery group is picked up.
#[derive(Debug, Clone, SimpleObject)]
pub struct PickupPoint {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub address: Address,
}

/// A way to send a delivery group that it is not offered.
#[derive(Debug, Clone, SimpleObject)]
pub struct UnavailableDeliveryOption {
    /// Its id.
    pub id: ID,
    /// Its name.
    pub name: String,
    /// The first reason why not, for your program.
    pub reason: Enum<DeliveryUnavailableReason>,
    /// An English sentence for the developer.
    pub message: String,
}

impl From<&UnavailableOption> for UnavailableDeliveryOption {
    fn from(option: &UnavailableOption) -> Self {
        Self {
            id: id(option.id),
            name: option.name.clone(),
            reason: Enum(option.why.reason),
            message: option.why.message.clone(),
        }
    }
}

at_once!(DeliveryOption { id, name, amount, includes_tax });
