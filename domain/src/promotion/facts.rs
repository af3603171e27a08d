//! What is known of a cart when promotions look at it. [`super::compiled::Needs`]
//! tells which of it any promotion asks for; the rest may be left out.

use std::collections::HashMap;

use super::campaign::Spent;
use super::condition::Weekday;
use crate::address::area::Place;
use crate::id::{
    CampaignId, CategoryId, CollectionId, MetafieldDefinitionId, ProductId, ProductTypeId, PromotionId,
    ShippingOptionId, TagId, VariantId,
};
use crate::metafield::Key;
use crate::money::Currency;
use crate::rule::Attributes;

/// What is known of what a line sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemFacts {
    /// The variant.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// The product's type.
    pub product_type: Option<ProductTypeId>,
    /// The product's tags.
    pub tags: Vec<TagId>,
    /// The collections that the product is in.
    pub collections: Vec<CollectionId>,
    /// The product's categories and every one above them.
    pub categories: Vec<CategoryId>,
    /// The metafields of product and variant that are asked for; one entry per key.
    pub metafields: Vec<(MetafieldDefinitionId, Key)>,
    /// Whether there is a price to strike through.
    pub on_sale: bool,
    /// The price of one unit in minor units, as it is shown.
    pub unit_price_minor: i64,
    /// Whether promotions may lower its price: where they may not, neither does a discount on the whole order.
    pub discountable: bool,
    /// Whether it is a gift card: money is never discounted, and buying it is no spending.
    pub gift_card: bool,
}

/// A line of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFacts {
    /// The stored position, distinct among the lines.
    pub position: i32,
    /// Units.
    pub quantity: i32,
    /// The promotion whose gift the line is. It is free as long as that promotion
    /// gives it, meets no condition and is reached by no other promotion.
    pub gift_of: Option<PromotionId>,
    /// What it sells.
    pub item: ItemFacts,
}

/// A shipping charge of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeFacts {
    /// The stored position, distinct among the charges.
    pub position: i32,
    /// The chosen option.
    pub option: ShippingOptionId,
    /// The charge in minor units, as it is shown.
    pub amount_minor: i64,
}

/// A gift that can be had at this moment. What is sold out, must not be
/// discounted or is a gift card is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GiftFacts {
    /// The variant.
    pub variant: VariantId,
    /// What one unit would cost, in minor units.
    pub unit_price_minor: i64,
}

/// A code that a shopper entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnteredCode {
    /// The stored position, distinct among the codes.
    pub position: i32,
    /// The code in its one form ([`super::code::normalize`]).
    pub code: String,
    /// What it is, when it is known.
    pub known: Option<KnownCode>,
}

/// A code as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCode {
    /// Whose code it is.
    pub promotion: PromotionId,
    /// How often it was used, with what checkouts under way hold.
    pub uses: i64,
    /// When it ends before its promotion does, exclusive.
    pub ends_at: Option<i64>,
}

/// How often a promotion was used, with what checkouts under way hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
    /// By everybody.
    pub in_all: i64,
    /// By this buyer; absent as long as nobody knows who buys.
    pub by_buyer: Option<i64>,
}

/// What was used and spent, as far as something has a bound ([`super::compiled::Needs`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of promotions; who is missing was never used.
    pub promotions: HashMap<PromotionId, Uses>,
    /// Of campaigns, in the cart's currency; who is missing gave nothing.
    pub campaigns: HashMap<CampaignId, Spent>,
}

/// The day and time where the shop is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// The day of the week.
    pub weekday: Weekday,
    /// Minutes since midnight.
    pub minute: i32,
}

/// Who buys, where and when.
#[derive(Debug, Clone, Copy)]
pub struct BuyerFacts<'f> {
    /// The currency of every amount.
    pub currency: Currency,
    /// The moment.
    pub now: i64,
    /// The same moment where the shop is.
    pub local: LocalTime,
    /// What is known of the buyer: customer, groups, channel, region, country.
    pub attributes: &'f Attributes,
    /// Where it is sent, once that is known.
    pub place: Option<&'f Place>,
    /// How many orders he has placed and not canceled; absent as long as nobody knows who buys.
    pub orders: Option<i64>,
}

/// All that is known of a cart.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'f> {
    /// Who buys, where and when.
    pub buyer: BuyerFacts<'f>,
    /// The lines, in any order.
    pub lines: &'f [LineFacts],
    /// The charges of the delivery options that were chosen, in any order.
    pub charges: &'f [ChargeFacts],
    /// Whether anything of it is delivered, so that charges may yet come.
    pub ships: bool,
    /// The codes that were entered, in any order.
    pub codes: &'f [EnteredCode],
    /// The gifts that can be had.
    pub gifts: &'f [GiftFacts],
    /// What was used and spent.
    pub counts: &'f Counts,
}
