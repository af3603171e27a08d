//! What Begin freezes and Place writes: the order as it was when the shopper
//! agreed, whatever changes meanwhile.

use std::collections::HashMap;

use domain::address::Address;
use domain::id::{
    ChannelId, CheckoutId, CustomerId, OrderId, OrderLineId, ProductId, PromotionId, RegionId, ShippingOptionId,
    VariantId,
};
use domain::money::Currency;
use domain::order::{FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::pricing::kept::KeptPrice;
use domain::promotion::outcome::{AdjustedRow, Adjustment};
use domain::shipping::ShippingReason;
use domain::tax::{AppliedRate, TaxExemption, TaxNumber, reason};
use domain::text::Email;
use domain::totals::{RowTotals, Totals};
use domain::translation::TranslatableField;
use entity::{line_adjustment, line_tax, order, order_line, order_shipping_line, order_token};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::auth::token::ORDER_LINK_LIFE;
use crate::cart::quote::Quote;
use crate::error::{Error, Result};
use crate::ledger::spend::{FrozenMeans, frozen};
use crate::op::Tx;
use crate::order::repo::NewOrder;
use crate::promotion::reserve::used;
use crate::settings::Settings;
use crate::translation::Texts;

/// The order that a checkout will become.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Frozen {
    /// Its id, so that what is promised to it can name it.
    pub order: OrderId,
    /// In which channel it was bought.
    pub channel: ChannelId,
    /// In which region.
    pub region: RegionId,
    /// The currency of its amounts.
    pub currency: Currency,
    /// Who bought it, when signed in.
    pub customer: Option<CustomerId>,
    /// Where mail about it goes.
    pub email: Email,
    /// In which language.
    pub locale: String,
    /// Where it is sent.
    pub shipping_address: Option<Address>,
    /// Where it is billed to.
    pub billing_address: Option<Address>,
    /// Its lines.
    pub lines: Vec<FrozenLine>,
    /// Its shipping charges.
    pub shipping: Vec<FrozenShipping>,
    /// What it comes to.
    pub totals: Totals,
    /// The buyer's VAT number.
    #[serde(default)]
    pub tax_number: Option<TaxNumber>,
    /// Why no tax was due though rates would have applied.
    #[serde(default)]
    pub tax_exemption: Option<TaxExemption>,
    /// The promotions of which it takes a use.
    #[serde(default)]
    pub promotions: Vec<PromotionId>,
    /// What promotions take off its lines and charges, in the order in which they came.
    #[serde(default)]
    pub adjustments: Vec<FrozenAdjustment>,
    /// What gift cards and store credit pay, in the order in which they are spent.
    #[serde(default)]
    pub means: Vec<FrozenMeans>,
}

/// What a promotion takes off a line or a charge, with its title as it was when the shopper agreed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenAdjustment {
    /// What shoppers read.
    pub title: String,
    /// What comes off, and how that was found.
    pub taken: Adjustment,
}

/// A line of the order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenLine {
    /// Its id, so that reservations can name it.
    pub id: OrderLineId,
    /// Its place.
    pub position: i32,
    /// What was bought.
    pub variant: VariantId,
    /// Of which product.
    pub product: ProductId,
    /// The product's title.
    pub title: String,
    /// The variant's title.
    pub variant_title: String,
    /// The merchant's number for it.
    pub sku: Option<String>,
    /// Names of options and values.
    pub options: Vec<(String, String)>,
    /// The address of a picture.
    pub thumbnail: Option<String>,
    /// Whether it is sent to an address.
    pub requires_shipping: bool,
    /// How many.
    pub quantity: i32,
    /// What one piece cost.
    pub unit_price_minor: i64,
    /// Whether that included tax.
    pub includes_tax: bool,
    /// What the line comes to.
    pub totals: RowTotals,
    /// The tax rates that applied, and why.
    #[serde(default)]
    pub rates: Vec<AppliedRate>,
    /// Why one piece costs what it does.
    #[serde(default)]
    pub price: Option<KeptPrice>,
    /// Whether each piece is a gift card.
    #[serde(default)]
    pub gift_card: bool,
}

/// A shipping charge of the order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FrozenShipping {
    /// Its place.
    pub position: i32,
    /// Which option.
    pub option: ShippingOptionId,
    /// Its name.
    pub name: String,
    /// Whether its amount includes tax.
    pub includes_tax: bool,
    /// What it comes to.
    pub totals: RowTotals,
    /// As [`FrozenLine::rates`].
    #[serde(default)]
    pub rates: Vec<AppliedRate>,
    /// How its amount was found.
    #[serde(default)]
    pub reason: Option<ShippingReason>,
}

/// Freezes a cart that nothing stands against, its texts in the cart's language.
pub async fn freeze(tx: &Tx, settings: &Settings, quote: &Quote) -> Result<Frozen> {
    let cart = &quote.rows.cart;
    let lines: Vec<_> = quote
        .lines
        .iter()
        .map(|line| {
            let offer =
                line.offer.as_ref().ok_or_else(|| Error::internal("a line without an offer was let through"))?;
            Ok((line, offer))
        })
        .collect::<Result<_>>()?;
    let products: Vec<ProductId> = lines.iter().map(|(_, offer)| offer.product.id).collect();
    let mut thumbnails: HashMap<ProductId, String> = HashMap::new();
    for (product, media) in crate::catalog::repo::media_of(&tx.conn, &products).await? {
        thumbnails.entry(product).or_insert(media.url);
    }
    let with_options: Vec<VariantId> = lines
        .iter()
        .filter(|(_, offer)| !offer.variant.combination.is_empty())
        .map(|(_, offer)| offer.variant.id)
        .collect();
    let (chain, texts) = texts(tx, settings, quote, &products).await?;
    let text = |id: Uuid, field: TranslatableField, own: &str| {
        texts.find(&chain, id, field).map_or_else(|| own.to_owned(), str::to_owned)
    };
    let mut options: HashMap<VariantId, Vec<(String, String)>> = HashMap::new();
    if !with_options.is_empty() {
        for (variant, row) in crate::catalog::repo::selected_of(&tx.conn, &with_options).await? {
            let name = text(row.option.into(), TranslatableField::Name, &row.name);
            let value = text(row.value.into(), TranslatableField::Name, &row.value_name);
            options.entry(variant).or_default().push((name, value));
        }
    }
    let mut prices = quote.kept_prices(&tx.conn, settings).await?;
    let lines = lines.into_iter().map(|(line, offer)| FrozenLine {
        id: tx.id(),
        position: line.row.position,
        variant: offer.variant.id,
        product: offer.product.id,
        title: text(offer.product.id.into(), TranslatableField::Title, &offer.product.title),
        variant_title: text(offer.variant.id.into(), TranslatableField::Title, &offer.variant.title),
        sku: offer.variant.sku.clone(),
        options: options.remove(&offer.variant.id).unwrap_or_default(),
        thumbnail: thumbnails.get(&offer.product.id).cloned(),
        requires_shipping: offer.variant.requires_shipping,
        quantity: line.row.quantity,
        unit_price_minor: line.price.as_ref().map_or(line.row.unit_price_minor, |price| price.amount_minor),
        includes_tax: line.price.as_ref().map_or(line.row.includes_tax, |price| price.includes_tax),
        totals: line.totals.clone(),
        rates: line.tax.applied.clone(),
        price: prices.remove(&line.row.id),
        gift_card: offer.product.gift_card,
    });
    let shipping = quote.groups.iter().zip(&quote.delivery_taxes).filter_map(|(group, tax)| {
        let option = group.chosen.as_ref()?;
        let totals = quote.totals.shipping.iter().find(|row| row.position == group.row.position)?;
        Some(FrozenShipping {
            position: group.row.position,
            option: option.id,
            name: text(option.id.into(), TranslatableField::Name, &option.name),
            includes_tax: option.includes_tax,
            totals: totals.clone(),
            rates: tax.applied.clone(),
            reason: Some(option.reason.clone()),
        })
    });
    Ok(Frozen {
        order: tx.id(),
        channel: cart.channel_id,
        region: cart.region_id,
        currency: cart.currency,
        customer: cart.customer_id,
        email: cart.email.clone().ok_or_else(|| Error::internal("a cart without an e-mail was let through"))?,
        locale: cart.locale.clone(),
        shipping_address: cart.shipping_address.clone().filter(|_| quote.needs_address),
        billing_address: cart.billing_address.clone().or_else(|| cart.shipping_address.clone()),
        lines: lines.collect(),
        shipping: shipping.collect(),
        totals: quote.totals.clone(),
        tax_number: cart.tax_number.clone(),
        tax_exemption: quote.tax_exemption,
        promotions: used(quote).into_iter().map(|applied| applied.promotion).collect(),
        adjustments: adjustments(settings, quote),
        means: frozen(&quote.means),
    })
}

fn adjustments(settings: &Settings, quote: &Quote) -> Vec<FrozenAdjustment> {
    let titled = |taken: &Adjustment| {
        let row = settings.promotions.find(taken.promotion);
        FrozenAdjustment { title: row.map(|row| row.title.clone()).unwrap_or_default(), taken: taken.clone() }
    };
    quote.outcome.adjustments.iter().map(titled).collect()
}

/// What the order's texts are in the cart's language: no statement when that is the shop's own.
async fn texts(tx: &Tx, settings: &Settings, quote: &Quote, products: &[ProductId]) -> Result<(Vec<String>, Texts)> {
    let mut texts = Texts::default();
    let cart = &quote.rows.cart;
    let channel = settings.channels.iter().find(|channel| channel.id == cart.channel_id);
    let chain = channel.map(|channel| settings.text_chain(&cart.locale, channel)).unwrap_or_default();
    if !chain.is_empty() {
        texts.extend(crate::translation::repo::of_families(&tx.conn, products, &chain, false).await?);
        let chosen: Vec<Uuid> =
            quote.groups.iter().filter_map(|group| Some(group.chosen.as_ref()?.id.into())).collect();
        if !chosen.is_empty() {
            texts.extend(crate::translation::repo::of_entities(&tx.conn, &chosen, &chain).await?);
        }
    }
    Ok((chain, texts))
}

impl Frozen {
    /// The rows of the order, placed now.
    pub fn rows(&self, tx: &Tx, checkout: CheckoutId) -> NewOrder {
        let shipping: Vec<order_shipping_line::Model> =
            self.shipping.iter().map(|charge| self.shipping_row(tx, charge)).collect();
        let mut taxes: Vec<line_tax::Model> = Vec::new();
        for line in &self.lines {
            taxes.extend(self.taxes(tx, (&line.totals, &line.rates), Some(line.id), None));
        }
        for (row, charge) in shipping.iter().zip(&self.shipping) {
            taxes.extend(self.taxes(tx, (&charge.totals, &charge.rates), None, Some(row.id)));
        }
        let adjustments = self.adjustment_rows(tx, &shipping);
        NewOrder {
            order: self.order_row(tx, checkout),
            adjustments,
            lines: self.lines.iter().map(|line| self.line_row(line)).collect(),
            shipping,
            taxes,
            token: order_token::Model {
                id: tx.id(),
                order_id: self.order,
                created_at: tx.now(),
                expires_at: tx.now() + ORDER_LINK_LIFE,
                revoked_at: None,
            },
        }
    }

    fn adjustment_rows(&self, tx: &Tx, shipping: &[order_shipping_line::Model]) -> Vec<line_adjustment::Model> {
        let row = |(place, adjustment): (usize, &FrozenAdjustment)| {
            let taken = &adjustment.taken;
            let (line, charge) = match taken.row {
                AdjustedRow::Line(position) => (self.lines.iter().find(|line| line.position == position), None),
                AdjustedRow::Charge(position) => (None, shipping.iter().find(|charge| charge.position == position)),
            };
            line_adjustment::Model {
                id: tx.id(),
                order_id: self.order,
                order_line_id: line.map(|line| line.id),
                order_shipping_line_id: charge.map(|charge| charge.id),
                position: place as i32,
                promotion_id: taken.promotion,
                title: adjustment.title.clone(),
                code: taken.code.clone(),
                units: taken.units,
                of_minor: taken.of_minor,
                amount_minor: taken.amount_minor,
                explanation: taken.how,
            }
        };
        self.adjustments.iter().enumerate().map(row).collect()
    }

    fn order_row(&self, tx: &Tx, checkout: CheckoutId) -> order::Model {
        order::Model {
            id: self.order,
            version: 1,
            created_at: tx.now(),
            updated_at: tx.now(),
            number: None,
            channel_id: self.channel,
            region_id: self.region,
            currency: self.currency,
            customer_id: self.customer,
            checkout_id: checkout,
            email: self.email.clone(),
            locale: self.locale.clone(),
            status: OrderStatus::Open,
            payment_status: PaymentStatus::NotPaid,
            fulfillment_status: FulfillmentStatus::NotFulfilled,
            subtotal_minor: self.totals.subtotal_minor,
            discount_minor: self.totals.discount_minor,
            shipping_minor: self.totals.shipping_minor,
            tax_minor: self.totals.tax_minor,
            total_minor: self.totals.total_minor,
            shipping_address: self.shipping_address.clone(),
            billing_address: self.billing_address.clone(),
            placed_at: tx.now(),
            canceled_at: None,
            tax_number: self.tax_number.clone(),
            tax_exemption: self.tax_exemption,
        }
    }

    fn line_row(&self, line: &FrozenLine) -> order_line::Model {
        order_line::Model {
            id: line.id,
            order_id: self.order,
            position: line.position,
            variant_id: Some(line.variant),
            product_id: Some(line.product),
            title: line.title.clone(),
            variant_title: line.variant_title.clone(),
            sku: line.sku.clone(),
            options: serde_json::json!(line.options),
            thumbnail: line.thumbnail.clone(),
            requires_shipping: line.requires_shipping,
            unit_price_minor: line.unit_price_minor,
            includes_tax: line.includes_tax,
            subtotal_minor: line.totals.subtotal_minor,
            discount_minor: line.totals.discount_minor,
            net_minor: line.totals.net_minor,
            tax_minor: line.totals.tax_minor,
            total_minor: line.totals.total_minor,
            ordered: line.quantity,
            fulfilled: 0,
            shipped: 0,
            delivered: 0,
            canceled: 0,
            explanation: line.price.as_ref().map(|price| serde_json::json!(price)),
            gift_card: line.gift_card,
        }
    }

    fn shipping_row(&self, tx: &Tx, charge: &FrozenShipping) -> order_shipping_line::Model {
        order_shipping_line::Model {
            id: tx.id(),
            order_id: self.order,
            position: charge.position,
            shipping_option_id: Some(charge.option),
            name: charge.name.clone(),
            amount_minor: charge.totals.subtotal_minor,
            includes_tax: charge.includes_tax,
            discount_minor: charge.totals.discount_minor,
            net_minor: charge.totals.net_minor,
            tax_minor: charge.totals.tax_minor,
            total_minor: charge.totals.total_minor,
            explanation: charge.reason.as_ref().map(|reason| serde_json::json!(reason)),
        }
    }

    fn taxes<'t>(
        &'t self,
        tx: &'t Tx,
        (row, rates): (&'t RowTotals, &'t [AppliedRate]),
        line: Option<OrderLineId>,
        shipping: Option<domain::id::OrderShippingLineId>,
    ) -> impl Iterator<Item = line_tax::Model> + 't {
        row.taxes.iter().map(move |tax| line_tax::Model {
            id: tx.id(),
            order_id: self.order,
            order_line_id: line,
            order_shipping_line_id: shipping,
            code: tax.code.clone(),
            name: tax.name.clone(),
            rate_ppm: tax.rate_ppm,
            base_minor: tax.base_minor,
            tax_minor: tax.tax_minor,
            explanation: reason(rates, tax).map(|reason| serde_json::json!(reason)),
        })
    }
}
