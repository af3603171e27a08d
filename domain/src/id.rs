//! Typed ids: a UUIDv7 in the database, `prefix_` and 26 letters of Crockford's
//! base32 on the wire (the TypeID form, <https://github.com/jetify-com/typeid>).
//! A client treats the text as opaque; the prefix makes logs readable and lets
//! `node(id:)` find the type.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 26;

/// The text is no id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedId;

impl fmt::Display for MalformedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed id")
    }
}

impl std::error::Error for MalformedId {}

fn encode(prefix: &str, uuid: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let value = uuid.as_u128();
    write!(f, "{prefix}_")?;
    for place in (0..TEXT_LENGTH).rev() {
        let digit = (value >> (place * 5)) & 31;
        write!(f, "{}", ALPHABET[digit as usize] as char)?;
    }
    Ok(())
}

/// Splits `prefix_xxxxxxxxxxxxxxxxxxxxxxxxxx` into its prefix and its UUID.
pub fn parse(text: &str) -> Result<(&str, Uuid), MalformedId> {
    let (prefix, digits) = text.rsplit_once('_').ok_or(MalformedId)?;
    if digits.len() != TEXT_LENGTH {
        return Err(MalformedId);
    }
    let mut value: u128 = 0;
    for (index, byte) in digits.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|letter| *letter == byte).ok_or(MalformedId)? as u128;
        // 26 digits hold 130 bits: the first one may not use the two bits that do not exist.
        if index == 0 && digit > 7 {
            return Err(MalformedId);
        }
        value = (value << 5) | digit;
    }
    Ok((prefix, Uuid::from_u128(value)))
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "orm", derive(sea_orm::DeriveValueType))]
        pub struct $name(pub Uuid);

        impl $name {
            /// What the text form begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode($prefix, self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode($prefix, self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                match parse(text)? {
                    ($prefix, uuid) => Ok(Self(uuid)),
                    _ => Err(MalformedId),
                }
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }

        crate::word::serde_as_text!($name);

        #[cfg(feature = "orm")]
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*

        /// Every prefix in use, so that a test can hold them distinct.
        pub const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

ids! {
    /// A sales channel.
    ChannelId = "chan";
    /// A key that names a channel to the store surface.
    PublishableKeyId = "pkey";
    /// A place that holds stock.
    LocationId = "loc";
    /// A market: currency, countries, tax display.
    RegionId = "reg";
    /// An area with tax rates of its own.
    TaxRegionId = "taxreg";
    /// A tax rate.
    TaxRateId = "taxrate";
    /// A legal text of the merchant.
    PolicyId = "policy";
    /// What products are shipped alike.
    ShippingProfileId = "shipprof";
    /// Where shipping options go.
    ServiceZoneId = "zone";
    /// A shipping option, as the merchant set it up.
    ShippingOptionId = "shipopt";
    /// A product.
    ProductId = "prod";
    /// An option shared by products, such as a colour.
    OptionId = "opt";
    /// One value of an option.
    OptionValueId = "optval";
    /// A variant: what can be bought.
    VariantId = "variant";
    /// A picture, film or other file shown with a product.
    MediaId = "media";
    /// A permission to upload one file.
    StagedUploadId = "upload";
    /// A tag.
    TagId = "tag";
    /// A product type.
    ProductTypeId = "ptype";
    /// A collection: products shown together.
    CollectionId = "coll";
    /// A category: a place in the tree of the catalog.
    CategoryId = "cat";
    /// A price.
    PriceId = "price";
    /// A price list.
    PriceListId = "pricelist";
    /// What is counted in stock.
    InventoryItemId = "iitem";
    /// A promise of stock.
    ReservationId = "resv";
    /// A wish to know when a variant is back.
    BackInStockRequestId = "backreq";
    /// An entry of the stock ledger.
    StockMovementId = "move";
    /// A customer.
    CustomerId = "cust";
    /// An address of a customer's book.
    AddressId = "addr";
    /// A group of customers.
    CustomerGroupId = "cgroup";
    /// A token that was mailed and works once.
    OneTimeTokenId = "onetime";
    /// A person with admin access.
    StaffId = "staff";
    /// A set of permissions.
    RoleId = "role";
    /// A way to prove who someone is.
    AuthIdentityId = "authid";
    /// A log-in that can be refreshed and revoked.
    SessionId = "sess";
    /// A secret key of an integration.
    ApiKeyId = "apikey";
    /// An entry of the audit log.
    AuditEntryId = "audit";
    /// A cart.
    CartId = "cart";
    /// A line of a cart.
    CartLineId = "cline";
    /// A group of lines of a cart that ship together.
    CartDeliveryId = "cdeliv";
    /// The provider and method data chosen on a cart.
    PaymentSessionId = "psess";
    /// One attempt to turn a cart into an order.
    CheckoutId = "chk";
    /// An order.
    OrderId = "order";
    /// A line of an order.
    OrderLineId = "oline";
    /// A shipping charge of an order.
    OrderShippingLineId = "oship";
    /// A tax on a line or on shipping.
    TaxLineId = "taxline";
    /// A payment with its ledger.
    PaymentId = "pay";
    /// An entry of a payment's ledger.
    PaymentEntryId = "payent";
    /// A link to pay by.
    PaymentLinkId = "paylink";
    /// Something that a payment provider told by itself.
    ProviderEventId = "payevt";
    /// A fulfillment: what was packed together.
    FulfillmentId = "ful";
    /// A part of a fulfillment.
    FulfillmentLineId = "fline";
    /// A parcel's number at its carrier.
    TrackingId = "track";
    /// A signed link to one order.
    OrderTokenId = "otok";
    /// An entry of the event log.
    EventId = "event";
    /// A durable run of steps.
    FlowId = "flow";
    /// A mail that the shop sends by itself.
    NotificationId = "notif";
    /// A text of such mail that staff wrote.
    NotificationTextId = "ntext";
    /// Work that takes longer than a request.
    JobId = "job";
    /// What a metafield holds, and who reads it.
    MetafieldDefinitionId = "mfdef";
    /// A value of a metafield.
    MetafieldId = "mfield";
    /// A promotion.
    PromotionId = "promo";
    /// A campaign: promotions with a time and a budget in common.
    CampaignId = "camp";
    /// A code of a promotion.
    PromotionCodeId = "pcode";
    /// One use of a promotion by a checkout or an order.
    PromotionUseId = "puse";
    /// What a promotion took off a line or a shipping charge.
    AdjustmentId = "adj";
    /// A gift card, or a customer's store credit in one currency.
    LedgerAccountId = "ledger";
    /// An entry of a gift card's or a store credit's ledger.
    LedgerEntryId = "lentry";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_form_is_typeid() {
        let id = OrderId(Uuid::from_u128(0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881));
        assert_eq!(id.to_string(), "order_01h2xcejqtf2nbrexx3vqjhp41");
    }

    #[test]
    fn prefixes_are_distinct() {
        let mut sorted = PREFIXES.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), PREFIXES.len());
    }

    #[test]
    fn other_kinds_and_damaged_text_are_refused() {
        for text in [
            "",
            "order",
            "order_",
            "cart_01h2xcejqtf2nbrexx3vqjhp41",
            "order_81h2xcejqtf2nbrexx3vqjhp41",
            "order_01H2XCEJQTF2NBREXX3VQJHP41",
            "order_01h2xcejqtf2nbrexx3vqjhp4é",
        ] {
            assert_eq!(text.parse::<OrderId>(), Err(MalformedId), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_uuid_comes_back(value: u128) {
            let id = CartId(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse::<CartId>(), Ok(id));
        }

        #[test]
        fn text_sorts_like_the_uuid(a: u128, b: u128) {
            let (a, b) = (CartId(Uuid::from_u128(a)), CartId(Uuid::from_u128(b)));
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<CartId>();
        }
    }
}
