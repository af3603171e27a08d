//! How prices look: to shoppers, and to staff.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, InputObject, SimpleObject};
use domain::id::{ProductId, VariantId};
use domain::money::Currency;
use domain::pricing::history::lowest_before;
use domain::pricing::kept::KeptReason;
use domain::pricing::{Candidate, PriceListKind, PriceVerdict, choose, explain};
use domain::rule::{Rule, RuleOperator, Rules};
use entity::price;

use super::load::{PastOf, PricesOf};
use super::shopper::Shopper;
use crate::api::call::{Call, call};
use crate::api::payload::top_level;
use crate::api::ready::at_once;
use crate::api::scalar::{Money, id};
use crate::api::word::Enum;
use crate::tax::store::{TaxPlaceInput, TaxedPrice, taxed};
use engine::cart::kept::kept;
use engine::error::Error;
use engine::settings::Region;

/// For whom and how much: what you leave out is as in the request.
#[derive(Debug, Clone, Default, InputObject)]
pub struct PriceContextInput {
    /// The region, by id or handle. Ask for several regions side by side with aliases.
    pub region: Option<String>,
    /// How many pieces, at least 1; one when absent.
    pub quantity: Option<i32>,
}

/// What something costs to this shopper.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(complex)]
pub struct Price {
    /// What it costs.
    pub amount: Money,
    /// What it cost before; null unless that was more.
    pub compare_at: Option<Money>,
    /// Whether both include tax.
    pub includes_tax: bool,
    /// What kind of price list made it; null when it is the price that everybody pays.
    pub list_kind: Option<Enum<PriceListKind>>,
    #[graphql(skip)]
    product: ProductId,
    #[graphql(skip)]
    variant: VariantId,
    #[graphql(skip)]
    quantity: i32,
    #[graphql(skip)]
    shopper: Arc<Shopper>,
}

at_once!(Price { amount, compare_at, includes_tax, list_kind });

#[ComplexObject]
impl Price {
    /// What it comes to with and without tax; null when the region has several countries and you don't say where.
    async fn taxed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where it goes; the region's country when absent.")] place: Option<TaxPlaceInput>,
    ) -> async_graphql::Result<Option<TaxedPrice>> {
        let price = (self.amount.amount_minor.0, self.amount.currency_code.0, self.includes_tax);
        taxed(call(ctx)?, &self.shopper.region, self.product, price, place).await
    }

    /// The lowest price of the 30 days before this price came to apply, as European shops must name it beside a
    /// reduction; null when it has no price before it.
    async fn lowest_before(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Money>> {
        let call = call(ctx)?;
        let past = call.load(PastOf(self.variant, self.amount.currency_code.0)).await?;
        let lowest = lowest_before(&past, &self.shopper.situation(&call.settings, self.quantity));
        Ok(lowest.map(|minor| Money::new(minor, self.amount.currency_code.0)))
    }

    /// Why it is this price: every price of the variant that is meant for you or for everybody, with what became of
    /// it, the chosen one first. At most 100 of each list.
    async fn explanation(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<PriceReason>> {
        let call = call(ctx)?;
        let (shopper, prices) = candidates(call, self.variant, &self.shopper.region).await?;
        let told = explain(&prices, &shopper.situation(&call.settings, self.quantity));
        let reasons = told.iter().map(|one| kept(&call.settings, one));
        let shown = reasons.filter(KeptReason::is_told);
        Ok(shown.map(|one| PriceReason::new(&one, self.amount.currency_code.0)).collect())
    }
}

/// A price with what became of it when one was chosen.
#[derive(Debug, Clone, SimpleObject)]
pub struct PriceReason {
    /// The price of one piece.
    pub amount: Money,
    /// Whether it includes tax.
    pub includes_tax: bool,
    /// The first quantity for which it is.
    pub min_quantity: i32,
    /// The last quantity for which it is; null when there is no last one.
    pub max_quantity: Option<i32>,
    /// The name of the price list in which it stands; null when it stands in none.
    pub list_name: Option<String>,
    /// The handle of that list.
    pub list_handle: Option<String>,
    /// What kind of list that is.
    pub list_kind: Option<Enum<PriceListKind>>,
    /// What became of it.
    pub verdict: Enum<PriceVerdict>,
    /// The rule that is not met, when that is the reason.
    pub unmet: Option<PriceRule>,
}

impl PriceReason {
    /// A price that was weighed.
    pub fn new(one: &KeptReason, currency: Currency) -> Self {
        Self {
            amount: Money::new(one.amount_minor, currency),
            includes_tax: one.includes_tax,
            min_quantity: one.min_quantity,
            max_quantity: one.max_quantity,
            list_name: one.list.as_ref().map(|list| list.name.clone()),
            list_handle: one.list.as_ref().map(|list| list.handle.clone()),
            list_kind: one.list.as_ref().map(|list| Enum(list.kind)),
            verdict: Enum(one.verdict),
            unmet: one.unmet.as_ref().map(PriceRule::from),
        }
    }
}

/// From how many pieces on a price applies.
#[derive(Debug, Clone, SimpleObject)]
pub struct PriceTier {
    /// The first quantity.
    pub min_quantity: i32,
    /// What one piece costs then.
    pub price: Price,
}

/// A comparison that must hold for a price to count.
#[derive(Debug, Clone, SimpleObject)]
pub struct PriceRule {
    /// The name of the attribute, such as `customerGroup`.
    pub attribute: String,
    /// How it is compared.
    pub operator: Enum<RuleOperator>,
    /// What with. At most 250.
    pub values: Vec<String>,
}

impl From<&Rule> for PriceRule {
    fn from(rule: &Rule) -> Self {
        Self { attribute: rule.attribute.clone(), operator: Enum(rule.operator), values: rule.values.clone() }
    }
}

/// A comparison that must hold for a price to count.
#[derive(Debug, Clone, InputObject)]
pub struct AdminPriceRuleInput {
    /// The name of the attribute: `region`, `channel`, `customerGroup` or `customer` (ids), `country` (a code).
    pub attribute: String,
    /// How it is compared; `EQ` when absent.
    pub operator: Option<Enum<RuleOperator>>,
    /// What with: one value, several with `IN`, at most 250 of at most 200 characters.
    pub values: Vec<String>,
}

/// Rules for the engine.
pub fn rules(inputs: Option<Vec<AdminPriceRuleInput>>) -> Rules {
    let rule = |input: AdminPriceRuleInput| Rule {
        attribute: input.attribute,
        operator: input.operator.map_or(RuleOperator::Eq, |operator| operator.0),
        values: input.values,
    };
    Rules(inputs.unwrap_or_default().into_iter().map(rule).collect())
}

/// A price as staff entered it.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminPrice {
    /// Its id.
    pub id: ID,
    /// The variant that it is for.
    pub variant_id: Option<ID>,
    /// What it costs.
    pub amount: Money,
    /// What it cost before.
    pub compare_at: Option<Money>,
    /// Whether both include tax.
    pub includes_tax: bool,
    /// The first quantity for which it is; null when it is for every quantity that has no other price.
    pub min_quantity: Option<i32>,
    /// The last quantity for which it is.
    pub max_quantity: Option<i32>,
    /// The price list in which it stands; null when it stands in none.
    pub price_list_id: Option<ID>,
    /// For whom it is: all of them must hold. At most 20.
    pub rules: Vec<PriceRule>,
}

impl From<&price::Model> for AdminPrice {
    fn from(row: &price::Model) -> Self {
        Self {
            id: id(row.id),
            variant_id: row.variant_id.map(id),
            amount: Money::new(row.amount_minor, row.currency),
            compare_at: row.compare_at_minor.map(|minor| Money::new(minor, row.currency)),
            includes_tax: row.includes_tax,
            min_quantity: row.min_quantity,
            max_quantity: row.max_quantity,
            price_list_id: row.price_list_id.map(id),
            rules: row.rules.iter().flat_map(|rules| &rules.0).map(PriceRule::from).collect(),
        }
    }
}

impl From<price::Model> for AdminPrice {
    fn from(row: price::Model) -> Self {
        Self::from(&row)
    }
}

/// The region that a price is asked for.
fn region_of<'c>(call: &'c Call, named: Option<&str>) -> async_graphql::Result<Option<&'c Region>> {
    match named {
        Some(name) => {
            let found = call.settings.region_named(name);
            found.map(Some).ok_or_else(|| top_level(Error::not_found("region")))
        }
        None => Ok(call.region.as_ref()),
    }
}

/// What a variant costs to the caller.
pub async fn offered(
    call: &Call,
    (product, variant): (ProductId, VariantId),
    context: Option<PriceContextInput>,
) -> async_graphql::Result<Option<Price>> {
    let context = context.unwrap_or_default();
    let quantity = match context.quantity {
        Some(quantity) => domain::cart::quantity(quantity.into()).map_err(|refusal| top_level(refusal.into()))?,
        None => 1,
    };
    let Some(region) = region_of(call, context.region.as_deref())? else { return Ok(None) };
    let (shopper, prices) = candidates(call, variant, region).await?;
    Ok(price(call, (product, variant), shopper, &prices, quantity))
}

/// What a variant costs to the caller from which quantity on.
pub async fn tiers(
    call: &Call,
    (product, variant): (ProductId, VariantId),
    region: Option<String>,
) -> async_graphql::Result<Vec<PriceTier>> {
    let Some(region) = region_of(call, region.as_deref())? else { return Ok(Vec::new()) };
    let (shopper, prices) = candidates(call, variant, region).await?;
    let ends = prices.iter().filter_map(|price| price.max_quantity?.checked_add(1));
    let mut steps: Vec<i32> = prices.iter().filter_map(|price| price.min_quantity).chain(ends).chain([1]).collect();
    steps.sort_unstable();
    steps.dedup();
    let mut tiers: Vec<PriceTier> = Vec::new();
    for min_quantity in steps.into_iter().filter(|step| *step <= domain::cart::MAX_QUANTITY) {
        let Some(price) = price(call, (product, variant), shopper.clone(), &prices, min_quantity) else { continue };
        let same = |last: &PriceTier| {
            last.price.amount.amount_minor.0 == price.amount.amount_minor.0
                && last.price.includes_tax == price.includes_tax
        };
        if !tiers.last().is_some_and(same) {
            tiers.push(PriceTier { min_quantity, price });
        }
    }
    Ok(tiers)
}

type Candidates = (Arc<Shopper>, Arc<Vec<Candidate>>);

async fn candidates(call: &Call, variant: VariantId, region: &Region) -> async_graphql::Result<Candidates> {
    let failed = |error: Arc<Error>| top_level((*error).clone());
    let shopper = call.shopper(region).await.map_err(failed)?;
    let prices = call.load(PricesOf(variant, region.row.currency, shopper.lists.clone())).await?;
    let shopper = call.meet(shopper, &prices).await.map_err(failed)?;
    Ok((shopper, prices))
}

fn price(
    call: &Call,
    (product, variant): (ProductId, VariantId),
    shopper: Arc<Shopper>,
    prices: &[Candidate],
    quantity: i32,
) -> Option<Price> {
    let situation = shopper.situation(&call.settings, quantity);
    let choice = choose(prices, &situation)?;
    let chosen = choice.price;
    let compare_at = choice.compare_at(&situation).map(|minor| Money::new(minor, chosen.currency));
    let (amount, list_kind) =
        (Money::new(chosen.amount_minor, chosen.currency), choice.list.map(|list| Enum(list.kind)));
    Some(Price {
        amount,
        compare_at,
        includes_tax: chosen.includes_tax,
        list_kind,
        product,
        variant,
        quantity,
        shopper,
    })
}
