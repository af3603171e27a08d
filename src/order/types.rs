//! How an order looks: what both surfaces show is written once.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::id::{OrderId, OrderShippingLineId};
use domain::metafield::MetafieldOwnerType;
use domain::order::{FulfillmentStatus, OrderStatus, PaymentStatus};
use domain::pricing::kept::KeptPrice;
use domain::reach::Reach;
use domain::shipping::ShippingReason;
use domain::tax::{TaxExemption, TaxReason};
use domain::totals::TaxAmount;
use entity::{event, line_tax, order, order_line, order_shipping_line};

use super::load::{AdjustmentsOf, EventsOf, LinesOf, ShippingOf, TaxesOf};
use crate::address::types::Address;
use crate::api::call::call;
use crate::api::page::connection;
use crate::api::payload::top_level;
use crate::api::ready::{Ready, at_once};
use crate::api::scalar::{CurrencyCode, Int64, Json, Money, id};
use crate::api::word::Enum;
use crate::cart::types::Tax;
use crate::catalog::variant::types::SelectedOption;
use crate::fulfillment::load::FulfillmentsOf;
use crate::fulfillment::types::Fulfillment;
use crate::metafield::types::Metafields;
use crate::payment::due::admin::AdminPaymentLink;
use crate::payment::load::{LedgersOf, PaymentLinksOf, PaymentsOf};
use crate::payment::types::{AdminPayment, Payment};
use crate::pricing::types::PriceReason;
use crate::promotion::shown::types::Adjustment;
use crate::shipping::types::ShippingExplanation;
use engine::payment::due::ops::due;

/// A placed order as its shopper sees it.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct Order(OrderCore, OrderShopper, Metafields);

/// A placed order as staff see it.
#[derive(MergedObject, Debug, Clone)]
#[graphql(crate = "crate::api::eager")]
pub struct AdminOrder(OrderCore, OrderStaff, Metafields);

impl From<order::Model> for Order {
    fn from(row: order::Model) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<order::Model>> for Order {
    fn from(row: Arc<order::Model>) -> Self {
        let metafields = Metafields::store(MetafieldOwnerType::Order, row.id);
        Self(OrderCore(row.clone()), OrderShopper(row), metafields)
    }
}

impl From<order::Model> for AdminOrder {
    fn from(row: order::Model) -> Self {
        Arc::new(row).into()
    }
}

impl From<Arc<order::Model>> for AdminOrder {
    fn from(row: Arc<order::Model>) -> Self {
        let metafields = Metafields::staff(MetafieldOwnerType::Order, row.id);
        Self(OrderCore(row.clone()), OrderStaff(row), metafields)
    }
}

impl Order {
    /// The id, for `Node`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

impl AdminOrder {
    /// The id, for `AdminNode`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

connection! {
    /// A page of a customer's orders.
    OrderConnection, OrderEdge, Order, order::Model
}

connection! {
    /// A page of orders as staff see them.
    AdminOrderConnection, AdminOrderEdge, AdminOrder, order::Model
}

/// What both surfaces show of an order.
#[derive(Debug, Clone)]
pub struct OrderCore(Arc<order::Model>);

impl OrderCore {
    fn money(&self, minor: i64) -> Ready<Money> {
        Ready(Money::new(minor, self.0.currency))
    }
}

#[Object]
impl OrderCore {
    /// Its id. It opens nothing by itself.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// Its number, which has no holes.
    async fn number(&self) -> Int64 {
        // A number is given before anybody can see the order.
        Int64(self.0.number.unwrap_or_default())
    }

    /// Where it stands.
    async fn status(&self) -> Enum<OrderStatus> {
        Enum(self.0.status)
    }

    /// What is paid of it.
    async fn payment_status(&self) -> Enum<PaymentStatus> {
        Enum(self.0.payment_status)
    }

    /// How far its goods have come.
    async fn fulfillment_status(&self) -> Enum<FulfillmentStatus> {
        Enum(self.0.fulfillment_status)
    }

    /// Where mail about it goes.
    async fn email(&self) -> &str {
        self.0.email.as_str()
    }

    /// Its language: a BCP 47 tag.
    async fn locale(&self) -> &str {
        &self.0.locale
    }

    /// The currency of all its amounts.
    async fn currency_code(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency)
    }

    /// Its lines as they were bought, at most 100.
    async fn lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<OrderLine>> {
        let lines = call(ctx)?.load(LinesOf(self.0.id)).await?;
        Ok(lines.iter().map(|line| OrderLine(line.clone(), self.0.clone())).collect())
    }

    /// Its shipping charges.
    async fn shipping_lines(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Vec<OrderShippingLine>>> {
        let lines = call(ctx)?.load(ShippingOf(self.0.id)).await?;
        Ok(Ready(lines.iter().map(|line| OrderShippingLine::new(line, &self.0)).collect()))
    }

    /// The sum of its lines before discounts, in the basis in which their prices were shown.
    async fn subtotal(&self) -> Ready<Money> {
        self.money(self.0.subtotal_minor)
    }

    /// The sum of its discounts.
    async fn discount(&self) -> Ready<Money> {
        self.money(self.0.discount_minor)
    }

    /// The sum of its shipping charges, in the basis in which they were shown.
    async fn shipping(&self) -> Ready<Money> {
        self.money(self.0.shipping_minor)
    }

    /// The sum of its taxes.
    async fn tax(&self) -> Ready<Money> {
        self.money(self.0.tax_minor)
    }

    /// Its taxes by rate.
    async fn taxes(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Vec<Tax>>> {
        let rows = call(ctx)?.load(TaxesOf(self.0.id)).await?;
        let taxes = by_rate(&rows);
        Ok(Ready(taxes.iter().map(|(tax, reason)| Tax::new(tax, self.0.currency, reason.as_ref())).collect()))
    }

    /// Why no tax was due though rates would have applied; null when tax was due.
    async fn tax_exemption(&self) -> Option<Enum<TaxExemption>> {
        self.0.tax_exemption.map(Enum)
    }

    /// The buyer's VAT number.
    async fn tax_number(&self) -> Option<String> {
        self.0.tax_number.as_ref().map(ToString::to_string)
    }

    /// What was to pay.
    async fn total(&self) -> Ready<Money> {
        self.money(self.0.total_minor)
    }

    /// What is still to be paid: the total less what payments cover or may yet. What was given back is not owed again.
    async fn amount_due(&self, ctx: &Context<'_>) -> async_graphql::Result<Money> {
        let ledgers = call(ctx)?.load(LedgersOf(self.0.id)).await?;
        Ok(Money::new(due(&self.0, ledgers.iter().map(Vec::as_slice)), self.0.currency))
    }

    /// Where it is sent.
    async fn shipping_address(&self) -> Ready<Option<Address>> {
        Ready(self.0.shipping_address.clone().map(Address::from))
    }

    /// Where it is billed to.
    async fn billing_address(&self) -> Ready<Option<Address>> {
        Ready(self.0.billing_address.clone().map(Address::from))
    }

    /// What was packed, shipped and delivered; staff see what was packed at the locations that their roles reach.
    async fn fulfillments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Fulfillment>> {
        let call = call(ctx)?;
        let rows = call.load(FulfillmentsOf(self.0.id)).await?;
        // Whoever bought it sees all of it; staff see what lies in their reach.
        let reach = match call.caller.actor.is_admin() {
            true => engine::scope::locations(&call.caller.actor, Permission::OrdersRead),
            false => Reach::Everything,
        };
        Ok(rows.iter().filter(|row| reach.holds(row.location_id)).cloned().map(Fulfillment).collect())
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime<Utc> {
        self.0.placed_at
    }

    /// When it was canceled.
    async fn canceled_at(&self) -> Option<DateTime<Utc>> {
        self.0.canceled_at
    }
}

/// The taxes by rate, each with the reason that its first row was charged at it.
fn by_rate(rows: &[line_tax::Model]) -> Vec<(TaxAmount, Option<TaxReason>)> {
    let mut rates: Vec<(TaxAmount, Option<TaxReason>)> = Vec::new();
    for row in rows {
        match rates.iter_mut().find(|(rate, _)| rate.code == row.code && rate.rate_ppm == row.rate_ppm) {
            Some((rate, _)) => {
                rate.base_minor += row.base_minor;
                rate.tax_minor += row.tax_minor;
            }
            None => {
                let tax = TaxAmount {
                    code: row.code.clone(),
                    name: row.name.clone(),
                    rate_ppm: row.rate_ppm,
                    base_minor: row.base_minor,
                    tax_minor: row.tax_minor,
                };
                let reason = row.explanation.clone().and_then(|reason| serde_json::from_value(reason).ok());
                rates.push((tax, reason));
            }
        }
    }
    rates
}

/// What only the shopper's type has.
#[derive(Debug, Clone)]
pub struct OrderShopper(Arc<order::Model>);

#[Object]
impl OrderShopper {
    /// Through whom what is still to be paid can be paid, for `orderPay`.
    async fn payment_providers(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<String>> {
        let region = call(ctx)?.settings.region(self.0.region_id);
        Ok(region.map(|region| region.providers.clone()).unwrap_or_default())
    }

    /// How it is paid.
    async fn payments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Payment>> {
        let rows = call(ctx)?.load(PaymentsOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(Payment::from).collect())
    }
}

/// How many links to pay by are shown.
const MAX_LINKS: usize = 50;

/// What only staff see of an order.
#[derive(Debug, Clone)]
pub struct OrderStaff(Arc<order::Model>);

#[Object]
impl OrderStaff {
    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// How it is paid, with ledgers.
    async fn payments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPayment>> {
        let rows = call(ctx)?.load(PaymentsOf(self.0.id)).await?;
        Ok(rows.iter().cloned().map(AdminPayment::from).collect())
    }

    /// The links to pay what it owes that were made last, at most 50, oldest first.
    async fn payment_links(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminPaymentLink>> {
        let call = call(ctx)?;
        let rows = call.load(PaymentLinksOf(self.0.id)).await?;
        let last = &rows[rows.len().saturating_sub(MAX_LINKS)..];
        let shown = last.iter().map(|row| AdminPaymentLink::new(call, &self.0, row));
        shown.collect::<engine::error::Result<_>>().map_err(top_level)
    }

    /// The last 250 things that happened to it, oldest first.
    async fn events(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<AdminOrderEvent>> {
        let rows = call(ctx)?.load(EventsOf(self.0.id)).await?;
        Ok(rows.iter().map(AdminOrderEvent::from).collect())
    }
}

/// A line of an order as it was bought.
#[derive(Debug, Clone)]
pub struct OrderLine(order_line::Model, Arc<order::Model>);

impl OrderLine {
    fn money(&self, minor: i64) -> Ready<Money> {
        Ready(Money::new(minor, self.1.currency))
    }

    /// What was kept of its price; nothing of orders that were placed before it was.
    fn kept(&self) -> KeptPrice {
        let kept = self.0.explanation.clone().and_then(|kept| serde_json::from_value(kept).ok());
        kept.unwrap_or_default()
    }
}

/// A line of an order as it was bought.
#[Object(crate = "crate::api::eager")]
impl OrderLine {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// The id of the variant that was bought, which may be gone by now.
    async fn variant_id(&self) -> Option<ID> {
        self.0.variant_id.map(id)
    }

    /// The title of the product.
    async fn title(&self) -> &str {
        &self.0.title
    }

    /// The title of the variant.
    async fn variant_title(&self) -> &str {
        &self.0.variant_title
    }

    /// The merchant's number for the variant.
    async fn sku(&self) -> Option<&str> {
        self.0.sku.as_deref()
    }

    /// The variant's value of each option.
    async fn selected_options(&self) -> Ready<Vec<SelectedOption>> {
        let pairs: Vec<(String, String)> = serde_json::from_value(self.0.options.clone()).unwrap_or_default();
        Ready(pairs.into_iter().map(|(name, value)| SelectedOption { name, value }).collect())
    }

    /// The address of a picture.
    async fn thumbnail_url(&self) -> Option<&str> {
        self.0.thumbnail.as_deref()
    }

    /// How many pieces were bought.
    async fn quantity(&self) -> i32 {
        self.0.ordered
    }

    /// How many of them are packed.
    async fn quantity_fulfilled(&self) -> i32 {
        self.0.fulfilled
    }

    /// How many of them are shipped.
    async fn quantity_shipped(&self) -> i32 {
        self.0.shipped
    }

    /// How many of them have arrived.
    async fn quantity_delivered(&self) -> i32 {
        self.0.delivered
    }

    /// How many of them are canceled.
    async fn quantity_canceled(&self) -> i32 {
        self.0.canceled
    }

    /// What one piece cost.
    async fn unit_price(&self) -> Ready<Money> {
        self.money(self.0.unit_price_minor)
    }

    /// What one piece cost before; null unless that was more, and for orders that were placed before it was kept.
    async fn compare_at(&self) -> Ready<Option<Money>> {
        Ready(self.kept().compare_at_minor.map(|minor| self.money(minor).0))
    }

    /// The lowest price of the 30 days before the reduction; null without one, and for orders that were placed before
    /// it was kept.
    async fn lowest_before(&self) -> Ready<Option<Money>> {
        Ready(self.kept().lowest_before_minor.map(|minor| self.money(minor).0))
    }

    /// Whether staff had agreed on the price of one piece with the shopper.
    async fn custom_price(&self) -> bool {
        self.kept().custom
    }

    /// Why its price was what it was: every price that was meant for the buyer or for everybody, with what became of
    /// it, the chosen one first, as it stood when the order was placed. Empty when staff agreed on the price, and for
    /// orders that were placed before it was kept. At most 20.
    async fn explanation(&self) -> Vec<PriceReason> {
        self.kept().reasons.iter().map(|one| PriceReason::new(one, self.1.currency)).collect()
    }

    /// Whether prices of this line include tax.
    async fn includes_tax(&self) -> bool {
        self.0.includes_tax
    }

    /// Unit price times quantity.
    async fn subtotal(&self) -> Ready<Money> {
        self.money(self.0.subtotal_minor)
    }

    /// What came off.
    async fn discount(&self) -> Ready<Money> {
        self.money(self.0.discount_minor)
    }

    /// What each promotion took off, in the order in which they came. At most 500.
    async fn adjustments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Adjustment>> {
        let rows = call(ctx)?.load(AdjustmentsOf(self.0.order_id)).await?;
        let own = rows.iter().filter(|row| row.order_line_id == Some(self.0.id));
        Ok(own.map(|row| Adjustment::kept(row, self.1.currency)).collect())
    }

    /// The tax on it.
    async fn tax(&self) -> Ready<Money> {
        self.money(self.0.tax_minor)
    }

    /// The taxes on it by rate, at most 6; none when the order was exempt.
    async fn taxes(&self, ctx: &Context<'_>) -> async_graphql::Result<Ready<Vec<Tax>>> {
        let rows = call(ctx)?.load(TaxesOf(self.0.order_id)).await?;
        let own: Vec<_> = rows.iter().filter(|row| row.order_line_id == Some(self.0.id)).cloned().collect();
        let taxes = by_rate(&own);
        Ok(Ready(taxes.iter().map(|(tax, reason)| Tax::new(tax, self.1.currency, reason.as_ref())).collect()))
    }

    /// What it came to with tax.
    async fn total(&self) -> Ready<Money> {
        self.money(self.0.total_minor)
    }
}

/// A shipping charge of an order.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct OrderShippingLine {
    /// Its id.
    pub id: ID,
    /// The name of the shipping option.
    pub name: String,
    /// What it cost, in the basis in which it was shown.
    pub amount: Money,
    /// Whether that includes tax.
    pub includes_tax: bool,
    /// What came off.
    pub discount: Money,
    /// The tax on it.
    pub tax: Money,
    /// What it came to with tax.
    pub total: Money,
    /// How what it cost was found; null for orders that were placed before it was kept.
    pub explanation: Option<ShippingExplanation>,
    #[graphql(skip)]
    row: (OrderId, OrderShippingLineId),
}

at_once!(OrderShippingLine { id, name, amount, includes_tax, discount, tax, total });

#[ComplexObject]
impl OrderShippingLine {
    /// What each promotion took off, in the order in which they came. At most 500.
    async fn adjustments(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Adjustment>> {
        let (order, own) = self.row;
        let rows = call(ctx)?.load(AdjustmentsOf(order)).await?;
        let own = rows.iter().filter(|row| row.order_shipping_line_id == Some(own));
        Ok(own.map(|row| Adjustment::kept(row, self.amount.currency_code.0)).collect())
    }
}

impl OrderShippingLine {
    fn new(row: &order_shipping_line::Model, order: &order::Model) -> Self {
        let money = |minor| Money::new(minor, order.currency);
        Self {
            id: id(row.id),
            name: row.name.clone(),
            amount: money(row.amount_minor),
            includes_tax: row.includes_tax,
            discount: money(row.discount_minor),
            row: (row.order_id, row.id),
            tax: money(row.tax_minor),
            total: money(row.total_minor),
            explanation: row.explanation.clone().and_then(|kept| {
                let reason: ShippingReason = serde_json::from_value(kept).ok()?;
                Some(ShippingExplanation::new(&reason, order.currency))
            }),
        }
    }
}

/// Something that happened to an order.
#[derive(Debug, Clone, SimpleObject)]
pub struct OrderEvent {
    /// What: `order.placed`, `payment.authorized`, `payment.captured`, `payment.voided`, `payment.refunded`,
    /// `payment.refund_failed` (the money came back to the shop), `payment.failed`, `payment.created`,
    /// `payment.requires_action`, `payment.processing`, `fulfillment.created`,
    /// `fulfillment.shipped`, `fulfillment.delivered`, `fulfillment.canceled`, `order.canceled`, `order.claimed`; more
    /// may come.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<&event::Model> for OrderEvent {
    fn from(row: &event::Model) -> Self {
        Self { kind: row.kind.clone(), at: row.at }
    }
}

/// Something that happened to an order, as staff see it.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminOrderEvent {
    /// Its place in the history of the order: 1, 2, 3 and so on.
    pub sequence: Int64,
    /// What: `noun.past`.
    pub kind: String,
    /// Who did it: `guest`, `system`, or an id.
    pub actor: String,
    /// Ids and amounts.
    pub payload: Json,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<&event::Model> for AdminOrderEvent {
    fn from(row: &event::Model) -> Self {
        Self {
            sequence: Int64(row.sequence),
            kind: row.kind.clone(),
            actor: row.actor.clone(),
            payload: Json(row.payload.clone()),
            at: row.at,
        }
    }
}
