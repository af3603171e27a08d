//! What a mail may speak of: the whole of it, by kind. A template sees these
//! values, ready to be read in its language, and nothing else.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use domain::address::Address;
use domain::money::{Currency, Money};
use domain::notification::{About, NotificationTemplate, format};
use entity::{fulfillment_line, ledger_account, order, order_line, order_shipping_line, product, tracking, variant};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};

/// The shop as the reader knows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ShopView {
    /// The channel's name.
    pub name: String,
    /// Where its storefront is.
    pub url: Option<String>,
}

/// A person.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    /// Given and family name, as far as they are known.
    pub name: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The mailbox.
    pub email: String,
}

/// A line of an order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LineView {
    /// The product's title.
    pub title: String,
    /// The variant's title, when it says more.
    pub variant_title: Option<String>,
    /// The merchant's number for it.
    pub sku: Option<String>,
    /// How many.
    pub quantity: i32,
    /// What one piece cost.
    pub unit_price: String,
    /// What the line comes to.
    pub total: String,
}

/// An address, line by line.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddressView {
    /// Name, company, street, place, country.
    pub lines: Vec<String>,
}

/// An order.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// Its number.
    pub number: i64,
    /// The day on which it was placed.
    pub placed_on: String,
    /// Who bought it.
    pub email: String,
    /// The name to which it goes.
    pub name: Option<String>,
    /// What was bought.
    pub lines: Vec<LineView>,
    /// How it is sent, by name.
    pub shipping_methods: Vec<String>,
    /// Before discounts and shipping.
    pub subtotal: String,
    /// What was taken off; nothing when nothing was.
    pub discount: Option<String>,
    /// What sending costs.
    pub shipping: String,
    /// The taxes.
    pub tax: String,
    /// Whether the prices include the taxes.
    pub tax_included: bool,
    /// What it comes to.
    pub total: String,
    /// Where it is sent.
    pub shipping_address: Option<AddressView>,
    /// Where it is billed to.
    pub billing_address: Option<AddressView>,
}

/// A line of a fulfillment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PackedView {
    /// The product's title.
    pub title: String,
    /// The variant's title, when it says more.
    pub variant_title: Option<String>,
    /// How many.
    pub quantity: i32,
}

/// A parcel.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParcelView {
    /// Its number at its carrier.
    pub number: String,
    /// The carrier's name.
    pub carrier: Option<String>,
    /// Where it can be followed.
    pub url: Option<String>,
}

/// What is on its way.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FulfillmentView {
    /// What is in it.
    pub lines: Vec<PackedView>,
    /// Its parcels.
    pub trackings: Vec<ParcelView>,
}

/// A variant with its product.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductView {
    /// The product's title.
    pub title: String,
    /// The variant's title, when it says more.
    pub variant_title: Option<String>,
}

/// How a variant is named in mail.
pub fn product(product: &product::Model, variant: &variant::Model) -> ProductView {
    let own = Some(variant.title.clone()).filter(|title| *title != product.title);
    ProductView { title: product.title.clone(), variant_title: own }
}

/// Money that was given back, or is still to be paid.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AmountView {
    /// How much.
    pub amount: String,
}

/// A gift card.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GiftCardView {
    /// Its code.
    pub code: String,
    /// What it was made over.
    pub amount: String,
    /// The last day on which it can be spent, when there is one.
    pub expires_on: Option<String>,
}

/// A card over so much in a language.
pub fn gift_card(row: &ledger_account::Model, worth_minor: i64, code: String, locale: &str) -> GiftCardView {
    let last = row.expires_at.map(|end| day(end - TimeDelta::seconds(1), locale));
    GiftCardView { code, amount: amount(worth_minor, row.currency, locale), expires_on: last }
}

/// Everything that a mail may speak of. A part that its kind doesn't have is
/// absent; a value that is not known is none.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// The shop.
    pub shop: ShopView,
    /// Where the mail leads; none while the channel has no storefront address.
    pub link: Option<String>,
    /// What the link opens with, for those who have no storefront yet.
    pub token: Option<String>,
    /// For how many hours the token is good.
    pub valid_hours: Option<i64>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderView>,
    /// What is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fulfillment: Option<FulfillmentView>,
    /// What was given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund: Option<AmountView>,
    /// What is still to be paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<AmountView>,
    /// The product of a variant that is back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductView>,
    /// A gift card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift_card: Option<GiftCardView>,
    /// The customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<PersonView>,
    /// The member of staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staff: Option<PersonView>,
}

impl Context {
    /// The shop with nothing else.
    pub fn new(shop: ShopView) -> Self {
        Self {
            shop,
            link: None,
            token: None,
            valid_hours: None,
            order: None,
            fulfillment: None,
            refund: None,
            due: None,
            product: None,
            gift_card: None,
            customer: None,
            staff: None,
        }
    }

    /// As a template sees it.
    pub fn value(&self) -> Result<Value> {
        serde_json::to_value(self).map_err(Error::internal)
    }
}

/// A person by what is known of his name.
pub fn person(first: Option<&str>, last: Option<&str>, email: &str) -> PersonView {
    let known: Vec<&str> = [first, last].into_iter().flatten().collect();
    PersonView {
        name: Some(known.join(" ")).filter(|name| !name.is_empty()),
        first_name: first.map(str::to_owned),
        last_name: last.map(str::to_owned),
        email: email.to_owned(),
    }
}

fn address(address: &Address) -> AddressView {
    let person = person(address.first_name.as_deref(), Some(address.last_name.as_str()), "").name;
    let place = [address.postal_code.as_deref(), Some(address.city.as_str()), address.province_line()];
    let place: Vec<&str> = place.into_iter().flatten().collect();
    let lines = [
        person,
        address.company.clone(),
        Some(address.address1.clone()),
        address.address2.clone(),
        Some(place.join(" ")),
        Some(address.country.to_string()),
    ];
    AddressView { lines: lines.into_iter().flatten().filter(|line| !line.is_empty()).collect() }
}

fn more(variant_title: &str, title: &str) -> Option<String> {
    Some(variant_title.to_owned()).filter(|text| !text.is_empty() && text != title && text != "Default")
}

fn day(at: DateTime<Utc>, locale: &str) -> String {
    format::day(at.year(), at.month(), at.day(), locale)
}

/// An amount as a language writes it.
pub fn amount(minor: i64, currency: Currency, locale: &str) -> String {
    format::money(Money::new(minor, currency), locale)
}

/// An order in a language.
pub fn order(
    row: &order::Model,
    lines: &[order_line::Model],
    shipping: &[order_shipping_line::Model],
    locale: &str,
) -> OrderView {
    let money = |minor: i64| amount(minor, row.currency, locale);
    let line = |line: &order_line::Model| LineView {
        title: line.title.clone(),
        variant_title: more(&line.variant_title, &line.title),
        sku: line.sku.clone(),
        quantity: line.ordered,
        unit_price: money(line.unit_price_minor),
        total: money(line.subtotal_minor - line.discount_minor),
    };
    let name = row.shipping_address.as_ref().or(row.billing_address.as_ref());
    OrderView {
        number: row.number.unwrap_or_default(),
        placed_on: day(row.placed_at, locale),
        email: row.email.to_string(),
        name: name.and_then(|to| person(to.first_name.as_deref(), Some(to.last_name.as_str()), "").name),
        lines: lines.iter().map(line).collect(),
        shipping_methods: shipping.iter().map(|line| line.name.clone()).collect(),
        subtotal: money(row.subtotal_minor),
        discount: (row.discount_minor != 0).then(|| money(row.discount_minor)),
        shipping: money(row.shipping_minor),
        tax: money(row.tax_minor),
        tax_included: !lines.is_empty() && lines.iter().all(|line| line.includes_tax),
        total: money(row.total_minor),
        shipping_address: row.shipping_address.as_ref().map(address),
        billing_address: row.billing_address.as_ref().map(address),
    }
}

/// What is in a fulfillment of an order.
pub fn fulfillment(
    packed: &[fulfillment_line::Model],
    trackings: &[tracking::Model],
    lines: &[order_line::Model],
) -> FulfillmentView {
    let view = |part: &fulfillment_line::Model| {
        let line = lines.iter().find(|line| line.id == part.order_line_id)?;
        let variant_title = more(&line.variant_title, &line.title);
        Some(PackedView { title: line.title.clone(), variant_title, quantity: part.quantity })
    };
    let parcel = |row: &tracking::Model| ParcelView {
        number: row.number.clone(),
        carrier: row.carrier.clone(),
        url: row.url.clone(),
    };
    FulfillmentView {
        lines: packed.iter().filter_map(view).collect(),
        trackings: trackings.iter().map(parcel).collect(),
    }
}

/// A context of a kind in which nothing is missing: what templates are checked
/// against, and what they are said to know.
pub fn sample(template: NotificationTemplate) -> Context {
    let text = |text: &str| text.to_owned();
    let mut context = Context::new(ShopView { name: text("Shop"), url: Some(text("https://shop.example")) });
    context.link = Some(text("https://shop.example/?token=TOKEN"));
    context.token = Some(text("TOKEN"));
    context.valid_hours = Some(24);
    let ada = person(Some("Ada"), Some("Lovelace"), "ada@example.com");
    match template.about() {
        About::Order => context.order = Some(sample_order()),
        About::Customer => context.customer = Some(ada),
        About::Variant => {
            context.product = Some(ProductView { title: text("Tee"), variant_title: Some(text("Blue")) });
            context.link = Some(text("https://shop.example/products/tee"));
            (context.token, context.valid_hours) = (None, None);
        }
        About::GiftCard => {
            let (code, last) = (text("4F7K-9QRT-3MNP-7XYZ"), text("November 21, 2026"));
            context.gift_card = Some(GiftCardView { code, amount: text("€50.00"), expires_on: Some(last) });
            context.link = Some(text("https://shop.example"));
            (context.token, context.valid_hours) = (None, None);
        }
        About::Staff => context.staff = Some(ada),
    }
    match template {
        NotificationTemplate::OrderShipped => {
            let packed = PackedView { title: text("Tee"), variant_title: Some(text("Blue")), quantity: 1 };
            let parcel = ParcelView {
                number: text("0034"),
                carrier: Some(text("DHL")),
                url: Some(text("https://carrier.example/0034")),
            };
            context.fulfillment = Some(FulfillmentView { lines: vec![packed], trackings: vec![parcel] });
        }
        NotificationTemplate::OrderRefunded => context.refund = Some(AmountView { amount: text("€5.00") }),
        NotificationTemplate::OrderPaymentLink => context.due = Some(AmountView { amount: text("€5.00") }),
        _ => {}
    }
    context
}

fn sample_order() -> OrderView {
    let text = |text: &str| text.to_owned();
    let address =
        || Some(AddressView { lines: vec![text("Ada Lovelace"), text("Elm Street 1"), text("10115 Berlin")] });
    let line = LineView {
        title: text("Tee"),
        variant_title: Some(text("Blue")),
        sku: Some(text("TEE-1")),
        quantity: 2,
        unit_price: text("€10.00"),
        total: text("€20.00"),
    };
    OrderView {
        number: 1001,
        placed_on: text("November 21, 2026"),
        email: text("ada@example.com"),
        name: Some(text("Ada Lovelace")),
        lines: vec![line],
        shipping_methods: vec![text("Parcel")],
        subtotal: text("€20.00"),
        discount: Some(text("€1.00")),
        shipping: text("€4.90"),
        tax: text("€3.82"),
        tax_included: true,
        total: text("€23.90"),
        shipping_address: address(),
        billing_address: address(),
    }
}

/// The same with everything missing that may be.
pub fn sparse(template: NotificationTemplate) -> Context {
    let mut context = sample(template);
    context.shop.url = None;
    (context.link, context.token, context.valid_hours) = (None, None, None);
    if let Some(order) = &mut context.order {
        (order.name, order.discount, order.shipping_address, order.billing_address) = (None, None, None, None);
        order.shipping_methods = Vec::new();
        order.tax_included = false;
        for line in &mut order.lines {
            (line.variant_title, line.sku) = (None, None);
        }
    }
    if let Some(fulfillment) = &mut context.fulfillment {
        fulfillment.trackings = Vec::new();
        fulfillment.lines.iter_mut().for_each(|line| line.variant_title = None);
    }
    if let Some(card) = &mut context.gift_card {
        card.expires_on = None;
    }
    if let Some(product) = &mut context.product {
        product.variant_title = None;
    }
    for person in [&mut context.customer, &mut context.staff].into_iter().flatten() {
        (person.name, person.first_name, person.last_name) = (None, None, None);
    }
    context
}
