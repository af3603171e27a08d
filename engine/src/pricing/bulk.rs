//! The prices of many variants at once: base prices, or those of one list. The
//! prices that are named for a variant stand in place of all that it had there.
//! Statements grow by chunks and not by rows.

use std::collections::{HashMap, HashSet};

use domain::auth::Permission;
use domain::catalog::{OnError, WriteOutcome};
use domain::id::{PriceId, PriceListId, ProductId, VariantId};
use domain::pricing::check::{MAX_BULK, PriceWish, check_prices};
use domain::refusal::{ErrorCode, Refusal};
use entity::price;
use serde_json::json;

use super::ops::no_list;
use super::{listing, repo};
use crate::actor::Need;
use crate::catalog::rows::includes_tax;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};

/// Which variant is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VariantName {
    /// The one with this id.
    Id(VariantId),
    /// The one with this number.
    Sku(String),
}

/// One row: a price of a variant, or that it shall have none.
#[derive(Debug, Clone)]
pub struct PriceRow {
    /// Which variant.
    pub variant: VariantName,
    /// The price; all prices of the variant go when absent.
    pub price: Option<PriceWish>,
}

/// Sets the prices of many variants.
#[derive(Debug, Clone)]
pub struct SetPrices {
    /// In which list; base prices when absent.
    pub list: Option<PriceListId>,
    /// At most [`MAX_BULK`].
    pub rows: Vec<PriceRow>,
    /// What a refused row does to the others.
    pub on_error: OnError,
    /// What was refused before, by row: ids that are none and amounts that can't be read.
    pub refused: Vec<(usize, Refusal)>,
    /// Whether prices of a variant stay that no row names.
    pub keeps: bool,
}

/// What became of a row.
#[derive(Debug, Clone)]
pub struct PriceDone {
    /// What became of it.
    pub outcome: WriteOutcome,
    /// The variant, when there is one.
    pub variant: Option<VariantId>,
    /// Every reason against it, with paths that begin at `rows`.
    pub refusals: Vec<Refusal>,
}

fn at(row: usize, rest: &[&str]) -> Vec<String> {
    let start = ["rows".to_owned(), row.to_string()];
    start.into_iter().chain(rest.iter().map(ToString::to_string)).collect()
}

impl Op for SetPrices {
    const NAME: &'static str = "price.bulk_set";
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = Vec<PriceDone>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<PriceDone>> {
        if self.rows.is_empty() {
            return Err(Refusal::new(ErrorCode::Required, "There is no row.").at(["rows"]).into());
        }
        if self.rows.len() > MAX_BULK {
            let message = format!("At most {MAX_BULK} rows at once.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_BULK as i64).at(["rows"]).into());
        }
        let (mut done, decided) = self.decide(tx).await?;
        if self.on_error == OnError::Abort && done.iter().any(|row| !row.refusals.is_empty()) {
            return Err(Error::Refused(done.into_iter().flat_map(|row| row.refusals).collect()));
        }
        self.write(tx, decided, &mut done).await?;
        Ok(done)
    }
}

/// A variant with the rows that speak of it, what they wish together, and the prices that it has.
struct Wished {
    variant: VariantId,
    rows: Vec<usize>,
    prices: Vec<PriceWish>,
    held: Vec<price::Model>,
}

/// What is to be written.
pub(super) struct Decided {
    wished: Vec<Wished>,
    products: HashMap<VariantId, ProductId>,
}

impl SetPrices {
    /// Says what becomes of each row, and what is to be written; locks the list
    /// and then the products, so that it stays true until then.
    pub(super) async fn decide(&self, tx: &mut Tx) -> Result<(Vec<PriceDone>, Decided)> {
        if let Some(list) = self.list {
            repo::lock_list(tx, list).await?.ok_or_else(no_list)?;
        }
        let mut done: Vec<PriceDone> = Vec::with_capacity(self.rows.len());
        done.resize_with(self.rows.len(), || PriceDone {
            outcome: WriteOutcome::Unchanged,
            variant: None,
            refusals: Vec::new(),
        });
        for (row, refusal) in &self.refused {
            done[*row].refusals.push(refusal.clone());
        }
        let products = self.find(tx, &mut done).await?;
        let mut named: Vec<ProductId> = products.values().copied().collect();
        named.sort();
        named.dedup();
        repo::listing::lock(tx, &named).await?;
        let variants: Vec<VariantId> = products.keys().copied().collect();
        let mut held: HashMap<VariantId, Vec<price::Model>> = HashMap::new();
        for row in repo::of_list(&tx.conn, self.list, &variants).await? {
            if let Some(variant) = row.variant_id {
                held.entry(variant).or_default().push(row);
            }
        }
        let wished = self.check(held, &mut done);
        for row in done.iter_mut().filter(|row| !row.refusals.is_empty()) {
            row.outcome = WriteOutcome::Refused;
        }
        Ok((done, Decided { wished, products }))
    }

    /// Finds the variants of the rows; answers with their products.
    async fn find(&self, tx: &Tx, done: &mut [PriceDone]) -> Result<HashMap<VariantId, ProductId>> {
        let (mut ids, mut skus) = (Vec::new(), Vec::new());
        for row in &self.rows {
            match &row.variant {
                VariantName::Id(id) => ids.push(*id),
                VariantName::Sku(sku) => skus.push(sku.clone()),
            }
        }
        skus.sort_unstable();
        skus.dedup();
        let found = repo::variants(&tx.conn, &ids, &skus).await?;
        let by_sku: HashMap<&str, VariantId> =
            found.iter().filter_map(|(id, sku, _)| Some((sku.as_deref()?, *id))).collect();
        let products: HashMap<VariantId, ProductId> = found.iter().map(|(id, _, product)| (*id, *product)).collect();
        for (place, (row, done)) in self.rows.iter().zip(done).enumerate() {
            let (known, field) = match &row.variant {
                VariantName::Id(id) => (products.contains_key(id).then_some(*id), "variantId"),
                VariantName::Sku(sku) => (by_sku.get(sku.as_str()).copied(), "sku"),
            };
            done.variant = known;
            if known.is_none() && done.refusals.is_empty() {
                let refusal = Refusal::new(ErrorCode::NotFound, "There is no such variant.");
                done.refusals.push(refusal.at(at(place, &[field])));
            }
        }
        Ok(products)
    }

    /// The rows by variant; a variant with a refused row is left out as a whole,
    /// and its other rows say why.
    fn check(&self, mut held: HashMap<VariantId, Vec<price::Model>>, done: &mut [PriceDone]) -> Vec<Wished> {
        let mut places: HashMap<VariantId, Vec<usize>> = HashMap::new();
        let mut order = Vec::new();
        for (place, row) in done.iter().enumerate() {
            let Some(variant) = row.variant else { continue };
            places.entry(variant).or_insert_with(|| {
                order.push(variant);
                Vec::new()
            });
            places.entry(variant).or_default().push(place);
        }
        let mut wished = Vec::new();
        for variant in order {
            let rows = places.remove(&variant).unwrap_or_default();
            let held = held.remove(&variant).unwrap_or_default();
            let checked = self.check_variant(&rows, &held, done);
            if let Some(faulty) = rows.iter().find(|row| !done[**row].refusals.is_empty()).copied() {
                for row in rows.iter().filter(|row| **row != faulty) {
                    if done[*row].refusals.is_empty() {
                        let message = "Another row of the same variant was refused.";
                        done[*row].refusals.push(Refusal::new(ErrorCode::Invalid, message).at(at(*row, &[])));
                    }
                }
                continue;
            }
            wished.push(Wished { variant, rows, prices: checked, held });
        }
        wished
    }

    /// What the rows of one variant wish together; what is wrong with them is noted.
    fn check_variant(&self, rows: &[usize], held: &[price::Model], done: &mut [PriceDone]) -> Vec<PriceWish> {
        let empty = rows.iter().filter(|row| self.rows[**row].price.is_none()).count();
        if empty > 0 && rows.len() > 1 {
            let first = rows.iter().find(|row| self.rows[**row].price.is_none()).copied().unwrap_or_default();
            let message = "A variant that shall have no price here has another row with one.";
            done[first].refusals.push(Refusal::new(ErrorCode::Duplicate, message).at(at(first, &[])));
        }
        let prices = rows.iter().filter_map(|row| Some((self.rows[*row].price.clone()?, at(*row, &[]))));
        let mut prices: Vec<(PriceWish, Vec<String>)> = prices.collect();
        let own = prices.len();
        if self.keeps && empty == 0 {
            // What is wrong with these is wrong with the variant's first row.
            let stays = held.iter().filter(|known| !prices[..own].iter().any(|(wish, _)| is_step(known, wish)));
            let stays: Vec<_> = stays.map(|known| (wish_of(known), at(rows[0], &[]))).collect();
            prices.extend(stays);
        }
        match check_prices(prices) {
            Ok(mut checked) => {
                checked.truncate(own);
                checked
            }
            Err(refusals) => {
                for refusal in refusals {
                    // Paths begin at the row.
                    let row = refusal.path.get(1).and_then(|row| row.parse::<usize>().ok()).unwrap_or(rows[0]);
                    done[row].refusals.push(refusal);
                }
                Vec::new()
            }
        }
    }

    /// Writes what was decided; each row says what became of it.
    pub(super) async fn write(&self, tx: &mut Tx, decided: Decided, done: &mut [PriceDone]) -> Result<()> {
        let settings = tx.settings().await?;
        let mut gone: Vec<PriceId> = Vec::new();
        let mut new = Vec::new();
        let mut changed: HashSet<ProductId> = HashSet::new();
        for Wished { variant, rows, prices, held: mut before } in decided.wished {
            let was_empty = before.is_empty();
            let mut touched = false;
            for (place, wish) in rows.iter().zip(&prices) {
                let taxed = wish.includes_tax.unwrap_or_else(|| includes_tax(&settings, wish.currency));
                let row = price_row(tx, self.list, variant, wish, taxed);
                let outcome = match before.iter().position(|known| is_step(known, wish)) {
                    Some(known) => {
                        let known = before.swap_remove(known);
                        if same_price(&known, &row) {
                            continue;
                        }
                        gone.push(known.id);
                        WriteOutcome::Updated
                    }
                    None => WriteOutcome::Created,
                };
                new.push(row);
                done[*place].outcome = outcome;
                touched = true;
            }
            if prices.is_empty() && !was_empty {
                rows.iter().for_each(|place| done[*place].outcome = WriteOutcome::Deleted);
            }
            if self.keeps && !prices.is_empty() {
                before.clear();
            }
            touched |= !before.is_empty();
            gone.extend(before.into_iter().map(|row| row.id));
            if touched {
                changed.extend(decided.products.get(&variant));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let count = (new.len(), gone.len());
        repo::delete(tx, &gone).await?;
        repo::insert(tx, new).await?;
        let mut changed: Vec<ProductId> = changed.into_iter().collect();
        changed.sort();
        listing::refresh_products(tx, &changed).await?;
        if self.list.is_none() {
            for product in &changed {
                tx.emit(Aggregate::new("product", *product), "product.priced", json!({}));
            }
        }
        let about = self.list.map_or_else(|| "base".to_owned(), |list| list.to_string());
        if let Some(list) = self.list {
            let payload = json!({ "written": count.0, "gone": count.1 });
            tx.emit(Aggregate::new("price_list", list), "price_list.priced", payload);
        }
        tx.audit(about, None, Some(json!({ "written": count.0, "gone": count.1, "products": changed.len() })));
        Ok(())
    }
}

fn price_row(
    tx: &Tx,
    list: Option<PriceListId>,
    variant: VariantId,
    wish: &PriceWish,
    includes_tax: bool,
) -> price::Model {
    price::Model {
        id: tx.id(),
        created_at: tx.now(),
        updated_at: tx.now(),
        variant_id: Some(variant),
        shipping_option_id: None,
        currency: wish.currency,
        amount_minor: wish.amount_minor,
        compare_at_minor: wish.compare_at_minor,
        includes_tax,
        min_quantity: wish.min_quantity,
        max_quantity: wish.max_quantity,
        rule_count: wish.rules.0.len() as i32,
        price_list_id: list,
        rules: Some(wish.rules.clone()).filter(|rules| !rules.0.is_empty()),
    }
}

/// Whether a price stands where a wished one shall stand.
fn is_step(known: &price::Model, wish: &PriceWish) -> bool {
    let rules = known.rules.clone().unwrap_or_default();
    (known.currency, known.min_quantity) == (wish.currency, wish.min_quantity) && rules.say_the_same(&wish.rules)
}

/// What a price was wished as.
pub(super) fn wish_of(row: &price::Model) -> PriceWish {
    PriceWish {
        currency: row.currency,
        amount_minor: row.amount_minor,
        compare_at_minor: row.compare_at_minor,
        includes_tax: Some(row.includes_tax),
        min_quantity: row.min_quantity,
        max_quantity: row.max_quantity,
        rules: row.rules.clone().unwrap_or_default(),
    }
}

fn same_price(a: &price::Model, b: &price::Model) -> bool {
    (a.amount_minor, a.compare_at_minor, a.includes_tax, a.max_quantity)
        == (b.amount_minor, b.compare_at_minor, b.includes_tax, b.max_quantity)
}
