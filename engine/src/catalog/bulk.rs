//! Many variants of one or several products at once: new, changed, deleted.
//! Each product is checked as the whole that it would become, and written
//! together with the others, so that statements grow by chunks and not by rows.

use std::collections::{HashMap, HashSet};

use domain::auth::Permission;
use domain::catalog::{
    CheckedProduct, MAX_BULK_ROWS, MAX_VARIANTS, OnError, VariantDraft, WriteOutcome, check_product, option_handle,
};
use domain::id::{MediaId, OptionId, OptionValueId, ProductId, VariantId};
use domain::refusal::{ErrorCode, Refusal};
use domain::text::Handle;
use entity::{media, product, product_media, variant};
use serde_json::{Value, json};

use super::held::{self, Held};
use super::repo::{self, write};
use super::rows::{self, Values, VariantRows, combination};
use super::set::WishedVariant;
use crate::actor::Need;
use crate::db::insert_all;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};

/// One row: a variant that is to be made, changed or deleted.
#[derive(Debug, Clone)]
pub struct Row {
    /// Of which product; needed for a new one.
    pub product: Option<ProductId>,
    /// Which variant, and what is wished of it.
    pub variant: WishedVariant,
    /// Whether it goes.
    pub delete: bool,
}

/// Writes many variants.
#[derive(Debug, Clone)]
pub struct SetVariants {
    /// At most [`MAX_BULK_ROWS`].
    pub rows: Vec<Row>,
    /// What a refused row does to the others.
    pub on_error: OnError,
    /// What was refused before, by row: ids that are none and amounts that can't be read.
    pub refused: Vec<(usize, Refusal)>,
}

/// What became of a row.
#[derive(Debug, Clone)]
pub struct Done {
    /// What became of it.
    pub outcome: WriteOutcome,
    /// The variant, if there is one now.
    pub variant: Option<VariantId>,
    /// Every reason against it, with paths that begin at `rows`.
    pub refusals: Vec<Refusal>,
}

/// What is known of a row once the database was asked.
#[derive(Debug, Clone, Default)]
struct Meant {
    product: Option<ProductId>,
    known: Option<VariantId>,
}

/// Everything that the rows are held against.
struct Board {
    products: Vec<Held>,
    meant: Vec<Meant>,
    /// Merchant's numbers and numbers of other systems, with who has them outside these products.
    skus: HashSet<String>,
    references: HashSet<String>,
}

type Faults = Vec<Vec<Refusal>>;

fn at(row: usize, rest: &[&str]) -> Vec<String> {
    let start = ["rows".to_owned(), row.to_string()];
    start.into_iter().chain(rest.iter().map(ToString::to_string)).collect()
}

impl Op for SetVariants {
    const NAME: &'static str = "variant.bulk_set";
    const NEEDS: Need = Need::Permission(Permission::CatalogWrite);
    type Out = Vec<Done>;

    async fn run(&self, tx: &mut Tx) -> Result<Vec<Done>> {
        if self.rows.is_empty() {
            return Err(Refusal::new(ErrorCode::Required, "There is no row.").at(["rows"]).into());
        }
        if self.rows.len() > MAX_BULK_ROWS {
            let message = format!("At most {MAX_BULK_ROWS} rows at once.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_BULK_ROWS as i64).at(["rows"]).into());
        }
        let mut faults: Faults = vec![Vec::new(); self.rows.len()];
        for (row, refusal) in &self.refused {
            faults[*row].push(refusal.clone());
        }
        let board = self.board(tx, &mut faults).await?;
        let checked = self.check(&board, &mut faults)?;
        if self.on_error == OnError::Abort && faults.iter().any(|faults| !faults.is_empty()) {
            return Err(Error::Refused(faults.into_iter().flatten().collect()));
        }
        let mut done = self.write(tx, &board, checked, &faults).await?;
        for (done, refusals) in done.iter_mut().zip(faults) {
            done.refusals = refusals;
        }
        Ok(done)
    }
}

impl SetVariants {
    /// Finds what the rows mean, locks the products and reads them.
    async fn board(&self, tx: &mut Tx, faults: &mut Faults) -> Result<Board> {
        let text = |text: &Option<Option<String>>| {
            text.as_ref().and_then(|text| text.as_ref()).map(|text| text.trim().to_owned())
        };
        let ids: Vec<VariantId> = self.rows.iter().filter_map(|row| row.variant.id).collect();
        let references = self.rows.iter().filter_map(|row| text(&row.variant.change.external_reference));
        let skus = self.rows.iter().filter_map(|row| text(&row.variant.change.sku));
        let found = repo::variants_by_ids(&tx.conn, &ids).await?;
        let by_reference = write::variants_by_references(&tx.conn, references.collect()).await?;
        let by_sku = write::variants_by_skus(&tx.conn, skus.collect()).await?;
        let mut meant = Vec::with_capacity(self.rows.len());
        let mut taken: HashMap<VariantId, usize> = HashMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            let wished = &row.variant;
            // A number of another product's variant does not say which variant is meant.
            let own = |known: &&variant::Model| row.product.is_none_or(|product| product == known.product_id);
            let (reference, sku) = (text(&wished.change.external_reference), text(&wished.change.sku));
            let by_number = || {
                let reference = reference.as_ref()?;
                by_reference.iter().filter(own).find(|known| known.external_reference.as_ref() == Some(reference))
            };
            let by_sku = || by_sku.iter().filter(own).find(|known| known.sku.is_some() && known.sku == sku);
            let known = match wished.id {
                Some(id) => found.iter().find(|known| known.id == id),
                None => by_number().or_else(by_sku),
            };
            let meaning = Meant {
                known: known.map(|known| known.id),
                product: known.map(|known| known.product_id).or(row.product),
            };
            if let Some(fault) = unclear(row, known) {
                faults[place].push(fault.1.at(at(place, fault.0)));
            } else if let Some(earlier) = known.and_then(|known| taken.insert(known.id, place)) {
                let message = format!("Row {earlier} is this variant already.");
                faults[place].push(Refusal::new(ErrorCode::Duplicate, message).at(at(place, &["variant", "id"])));
            }
            meant.push(meaning);
        }
        let mut products: Vec<ProductId> = meant.iter().filter_map(|meant| meant.product).collect();
        products.sort_unstable();
        products.dedup();
        let locked = write::lock_products(tx, &products).await?;
        for (place, meant) in meant.iter().enumerate() {
            let gone = meant.product.is_some_and(|id| !locked.iter().any(|row| row.id == id));
            if gone && faults[place].is_empty() {
                let refusal = Refusal::new(ErrorCode::NotFound, "There is no such product.");
                faults[place].push(refusal.at(at(place, &["productId"])));
            }
        }
        let inside = |row: &variant::Model| locked.iter().any(|product| product.id == row.product_id);
        let skus = by_sku.iter().filter(|row| !inside(row)).filter_map(|row| row.sku.clone()).collect();
        let outside = by_reference.iter().filter(|row| !inside(row));
        let references = outside.filter_map(|row| row.external_reference.clone()).collect();
        Ok(Board { products: held::load(&tx.conn, locked).await?, meant, skus, references })
    }

    /// The products as they would become. Rows are refused until what is left
    /// holds together; in the end each product without rows is left out.
    fn check(&self, board: &Board, faults: &mut Faults) -> Result<Vec<(usize, CheckedProduct, Vec<Source>)>> {
        loop {
            let mut checked = Vec::new();
            let mut fresh = false;
            let mut seen = Seen { skus: board.skus.clone(), references: board.references.clone() };
            for (place, held) in board.products.iter().enumerate() {
                let (draft, sources) = self.become_of(board, held, faults, &mut fresh);
                if !sources.iter().any(|source| source.row.is_some()) && !self.deletes(board, held, faults) {
                    draft.variants.iter().for_each(|variant| drop(seen.note(variant)));
                    continue;
                }
                for (source, variant) in sources.iter().zip(&draft.variants) {
                    for (field, message) in seen.note(variant) {
                        let Some(row) = source.row else { continue };
                        let refusal = Refusal::new(ErrorCode::Taken, message);
                        faults[row].push(refusal.at(at(row, &["variant", field])));
                        fresh = true;
                    }
                }
                match check_product(draft) {
                    Ok(product) => checked.push((place, product, sources)),
                    Err(refusals) => {
                        fresh = true;
                        blame(refusals, &sources, faults)?;
                    }
                }
            }
            if !fresh {
                return Ok(checked);
            }
        }
    }

    fn deletes(&self, board: &Board, held: &Held, faults: &Faults) -> bool {
        self.of(board, held, faults).any(|(_, row)| row.delete)
    }

    /// The rows of a product that nothing stands against yet.
    fn of<'s, 'b, 'f>(
        &'s self,
        board: &'b Board,
        held: &'b Held,
        faults: &'f Faults,
    ) -> impl Iterator<Item = (usize, &'s Row)> + use<'s, 'b, 'f> {
        let own = move |(place, _): &(usize, &Row)| {
            board.meant[*place].product == Some(held.product.id) && faults[*place].is_empty()
        };
        self.rows.iter().enumerate().filter(own)
    }

    /// A product with its rows written over it, and where each variant comes from:
    /// untouched ones first, then known ones, so that doubles are the fault of a row, and rather of a new one.
    fn become_of(
        &self,
        board: &Board,
        held: &Held,
        faults: &mut Faults,
        fresh: &mut bool,
    ) -> (domain::catalog::ProductDraft, Vec<Source>) {
        let mut rows: Vec<(usize, &Row)> = self.of(board, held, faults).collect();
        rows.sort_by_key(|(place, _)| board.meant[*place].known.is_none());
        let touched: HashSet<VariantId> = rows.iter().filter_map(|(place, _)| board.meant[*place].known).collect();
        let mut draft = held.draft();
        draft.variants.clear();
        let mut sources = Vec::new();
        for row in held.variants.iter().filter(|row| !touched.contains(&row.id)) {
            draft.variants.push(held.variant(row));
            sources.push(Source { known: Some(row.id), row: None });
        }
        let mut room = MAX_VARIANTS.saturating_sub(
            sources.len()
                + rows.iter().filter(|(place, row)| board.meant[*place].known.is_some() && !row.delete).count(),
        );
        for (place, row) in &rows {
            let known = board.meant[*place].known;
            if row.delete {
                continue;
            }
            if known.is_none() && room == 0 {
                let message = format!("A product has at most {MAX_VARIANTS} variants.");
                let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_VARIANTS as i64);
                faults[*place].push(refusal.at(at(*place, &["variant"])));
                *fresh = true;
                continue;
            }
            room -= usize::from(known.is_none());
            let before = known.and_then(|id| held.variants.iter().find(|row| row.id == id));
            let mut wish = before.map_or_else(VariantDraft::default, |row| held.variant(row));
            row.variant.change.apply(&mut wish);
            draft.variants.push(wish);
            sources.push(Source { known, row: Some(*place) });
        }
        if draft.variants.is_empty()
            && let Some((place, _)) = rows.iter().rev().find(|(_, row)| row.delete)
        {
            let message = "A product has at least one variant; delete the product instead.";
            faults[*place].push(Refusal::new(ErrorCode::InUse, message).at(at(*place, &["delete"])));
            *fresh = true;
        }
        (draft, sources)
    }
}

/// Where a variant of a checked product comes from.
#[derive(Debug, Clone, Copy)]
struct Source {
    known: Option<VariantId>,
    row: Option<usize>,
}

/// The numbers that are given out so far, over all products.
struct Seen {
    skus: HashSet<String>,
    references: HashSet<String>,
}

impl Seen {
    /// Notes a variant's numbers; answers with those that somebody has.
    fn note(&mut self, variant: &VariantDraft) -> Vec<(&'static str, &'static str)> {
        let mut taken = Vec::new();
        let number =
            |text: &Option<String>| text.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        if number(&variant.sku).is_some_and(|sku| !self.skus.insert(sku)) {
            taken.push(("sku", "Another variant has this SKU."));
        }
        if number(&variant.external_reference).is_some_and(|text| !self.references.insert(text)) {
            taken.push(("externalReference", "Another variant has this external reference."));
        }
        taken
    }
}

/// What is unclear about a row by itself.
fn unclear<'p>(row: &Row, known: Option<&variant::Model>) -> Option<(&'p [&'p str], Refusal)> {
    let missing = || Refusal::new(ErrorCode::NotFound, "There is no such variant.");
    match known {
        None if row.variant.id.is_some() || row.delete => Some((&["variant", "id"], missing())),
        None if row.product.is_none() => {
            Some((&["productId"], Refusal::new(ErrorCode::Required, "A new variant needs a product.")))
        }
        Some(known) if row.product.is_some_and(|product| product != known.product_id) => {
            Some((&["productId"], Refusal::new(ErrorCode::Invalid, "The variant is one of another product.")))
        }
        _ => None,
    }
}

/// Puts each fault of a product at the row that caused it: what lies in no
/// variant, at the first row.
fn blame(refusals: Vec<Refusal>, sources: &[Source], faults: &mut Faults) -> Result<()> {
    let first = sources.iter().find_map(|source| source.row);
    for refusal in refusals {
        let path: Vec<&str> = refusal.path.iter().map(String::as_str).collect();
        let (row, rest) = match path.as_slice() {
            ["variants", place, rest @ ..] => {
                let place = place.parse::<usize>().ok().and_then(|place| sources.get(place));
                (place.and_then(|source| source.row).or(first), rest.to_vec())
            }
            _ => (first, Vec::new()),
        };
        let row = row.ok_or_else(|| Error::internal(format!("a stored product is faulty: {refusal}")))?;
        let path = at(row, &["variant"]).into_iter().chain(rest.iter().map(ToString::to_string));
        let path: Vec<String> = path.collect();
        let known = faults[row].iter().any(|known| known.path == path);
        if !known {
            faults[row].push(refusal.at(path));
        }
    }
    Ok(())
}

/// What the writing of all products gathers.
#[derive(Default)]
struct Gathered {
    rows: VariantRows,
    media: Vec<media::Model>,
    links: Vec<product_media::Model>,
    changed: Vec<(ProductId, Vec<Value>)>,
}

impl SetVariants {
    async fn write(
        &self,
        tx: &mut Tx,
        board: &Board,
        checked: Vec<(usize, CheckedProduct, Vec<Source>)>,
        faults: &Faults,
    ) -> Result<Vec<Done>> {
        let refused = |refusals: &Vec<Refusal>| match refusals.is_empty() {
            true => WriteOutcome::Unchanged,
            false => WriteOutcome::Refused,
        };
        let done = faults.iter().map(|faults| Done { outcome: refused(faults), variant: None, refusals: Vec::new() });
        let mut done: Vec<Done> = done.collect();
        let settings = tx.settings().await?;
        let known: Vec<VariantId> = board.meant.iter().filter_map(|meant| meant.known).collect();
        let prices = crate::pricing::repo::all_of_variants(&tx.conn, &known).await?;
        let values = values(tx, board, &checked).await?;
        let mut all = Gathered::default();
        for (place, product, sources) in &checked {
            let held = &board.products[*place];
            let mut changes = Vec::new();
            let media = new_media(tx, held, product, &mut all);
            for (row, _) in self.of(board, held, faults).filter(|(_, row)| row.delete) {
                let Some(id) = board.meant[row].known else { continue };
                all.rows.remove(id);
                done[row].outcome = WriteOutcome::Deleted;
                changes.push(json!({ "variant": id, "outcome": WriteOutcome::Deleted }));
            }
            let next = held.variants.iter().map(|row| row.rank + 1).max().unwrap_or(0);
            for (number, (source, wished)) in sources.iter().zip(&product.variants).enumerate() {
                let Some(row) = source.row else { continue };
                let chosen = pairs(held, &wished.options, &values)?;
                let combination = combination(&chosen);
                let medium = wished.media_url.as_ref().and_then(|url| media.get(url)).copied();
                let before = source.known.and_then(|id| held.variants.iter().find(|row| row.id == id));
                let (id, outcome) = match before {
                    Some(before) => {
                        let after = rows::wished_row(tx, wished, before, before.rank, combination);
                        let mut changed = all.rows.change(tx, before, after, chosen);
                        if held.shown.get(&before.id) != wished.media_url.as_ref() {
                            all.rows.show(before.id, medium, false);
                            changed = true;
                        }
                        let priced = (&*wished.prices, wished.prices_whole);
                        changed |= all.rows.price(tx, &settings, before.id, priced, &prices);
                        (before.id, if changed { WriteOutcome::Updated } else { WriteOutcome::Unchanged })
                    }
                    None => {
                        let new = rows::new_row(tx, wished, held.product.id, next + number as i32, combination);
                        let id = new.id;
                        all.rows.add(new, chosen, wished.stock.unwrap_or(0));
                        all.rows.show(id, medium, true);
                        all.rows.price(tx, &settings, id, (&wished.prices, wished.prices_whole), &[]);
                        (id, WriteOutcome::Created)
                    }
                };
                (done[row].outcome, done[row].variant) = (outcome, Some(id));
                if outcome != WriteOutcome::Unchanged {
                    changes.push(json!({ "variant": id, "outcome": outcome }));
                }
            }
            if !changes.is_empty() {
                all.changed.push((held.product.id, changes));
            }
        }
        finish(tx, board, all).await?;
        Ok(done)
    }
}

async fn finish(tx: &mut Tx, board: &Board, all: Gathered) -> Result<()> {
    if all.changed.is_empty() {
        return Ok(());
    }
    let settings = tx.settings().await?;
    insert_all::<media::Entity>(&tx.conn, all.media).await?;
    insert_all::<product_media::Entity>(&tx.conn, all.links).await?;
    all.rows.write(tx, &settings).await?;
    let products: Vec<ProductId> = all.changed.iter().map(|(id, _)| *id).collect();
    write::raise_versions(tx, &products).await?;
    crate::pricing::listing::refresh_products(tx, &products).await?;
    for (id, changes) in all.changed {
        let version = |row: &product::Model| row.version;
        let held = board.products.iter().find(|held| held.product.id == id);
        let before = held.map(|held| version(&held.product)).unwrap_or_default();
        tx.emit(Aggregate::new("product", id), "product.updated", json!({ "version": before + 1 }));
        let after = json!({ "version": before + 1, "variants": changes });
        tx.audit(id, Some(json!({ "version": before })), Some(after));
    }
    Ok(())
}

type ValueIds = HashMap<(OptionId, Handle), OptionValueId>;

fn spell(name: &str) -> Result<Handle> {
    option_handle(name).ok_or_else(|| Error::internal("an option value without a name was let through"))
}

/// The ids of all values that the rows use, made when missing.
async fn values(tx: &mut Tx, board: &Board, checked: &[(usize, CheckedProduct, Vec<Source>)]) -> Result<ValueIds> {
    let mut wished = Vec::new();
    for (place, product, _) in checked {
        let options = &board.products[*place].options;
        for (option, used) in options.iter().zip(&product.options) {
            for value in &used.values {
                wished.push((option.id, spell(value)?, value.clone()));
            }
        }
    }
    if wished.is_empty() {
        return Ok(HashMap::new());
    }
    write::values_of_options(tx, &wished).await
}

fn pairs(held: &Held, chosen: &[(String, String)], values: &ValueIds) -> Result<Values> {
    let pair = |(option, (_, value)): (&entity::option::Model, &(String, String))| {
        let id = values.get(&(option.id, spell(value)?));
        Ok((option.id, *id.ok_or_else(|| Error::internal("an option value vanished"))?))
    };
    held.options.iter().zip(chosen).map(pair).collect()
}

/// The media of a product by address, with those that its rows brought.
fn new_media(tx: &Tx, held: &Held, product: &CheckedProduct, all: &mut Gathered) -> HashMap<String, MediaId> {
    let mut ids: HashMap<String, MediaId> = held.media.iter().map(|row| (row.url.clone(), row.id)).collect();
    for wished in &product.media {
        if ids.contains_key(&wished.url) {
            continue;
        }
        let (url, alt, kind) = (wished.url.clone(), wished.alt.clone(), wished.kind);
        let row = crate::media::external(tx.id(), tx.now(), kind, url, alt);
        let rank = ids.len() as i32;
        all.links.push(product_media::Model { product_id: held.product.id, media_id: row.id, rank });
        ids.insert(row.url.clone(), row.id);
        all.media.push(row);
    }
    ids
}
