//! Numbers that products of a file hand to each other. While the file is looked
//! over, who takes a number that another product has is noted; then the products
//! that have them are asked what the file makes of them. What is given up is
//! freed in the transaction in which it is taken, wherever in the file its
//! holder stands.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use domain::auth::Permission;
use domain::id::{ProductId, VariantId};
use domain::import::handover::{Want, met};
use domain::import::{Imported, RowRefusal};

use super::super::repo::import::{Holder, holders};
use super::Import;
use super::known::sku_taken;
use super::write::given_up;
use crate::actor::Need;
use crate::db::Conn;
use crate::error::Result;
use crate::op::{Op, Tx};

/// Numbers with the variants that have them.
pub(super) type Handed = HashMap<String, VariantId>;

/// What is known of the numbers of a file while it is looked over.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Where in the file a product stands, by the hash of what it is found by.
    places: HashMap<u64, usize>,
    taken: Vec<Taken>,
}

/// A number that is another product's.
#[derive(Debug)]
struct Taken {
    taker: usize,
    holder: Holder,
    told: RowRefusal,
}

fn key(what: &str, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (what, text).hash(&mut hasher);
    hasher.finish()
}

fn by_id(id: ProductId) -> u64 {
    key("id", &id.to_string())
}

impl Numbers {
    /// Notes products of the file with their places in it, and which numbers of
    /// others they take; answers with those.
    pub(super) async fn look(&mut self, conn: &Conn, products: &[Imported], places: &[usize]) -> Result<Handed> {
        let mut skus = Vec::new();
        for (product, place) in products.iter().zip(places) {
            let own = &product.product;
            self.places.insert(key("handle", own.handle.as_str()), *place);
            self.places.extend(own.external_reference.as_ref().map(|text| (key("reference", text), *place)));
            self.places.extend(product.id.map(|id| (by_id(id), *place)));
            skus.extend(own.variants.iter().filter_map(|variant| variant.sku.clone()));
        }
        let holders: HashMap<String, Holder> =
            holders(conn, skus).await?.into_iter().map(|holder| (holder.sku.clone(), holder)).collect();
        let mut handed = Handed::new();
        for (product, taker) in products.iter().zip(places).filter(|_| !holders.is_empty()) {
            let own = &product.product;
            let is_own = |holder: &Holder| match product.id {
                Some(id) => id == holder.product,
                None => {
                    own.handle.as_str() == holder.handle
                        || (own.external_reference.is_some() && own.external_reference == holder.reference)
                }
            };
            for (place, variant) in own.variants.iter().enumerate() {
                let holder = variant.sku.as_ref().and_then(|sku| holders.get(sku));
                if let Some(holder) = holder.filter(|holder| !is_own(holder)) {
                    handed.insert(holder.sku.clone(), holder.variant);
                    let told = product.in_cell(&sku_taken(place));
                    self.taken.push(Taken { taker: *taker, holder: holder.clone(), told });
                }
            }
        }
        Ok(handed)
    }

    /// Where the product that has a number stands in the file.
    fn place_of(&self, holder: &Holder) -> Option<usize> {
        let keys = [
            Some(by_id(holder.product)),
            holder.reference.as_ref().map(|text| key("reference", text)),
            Some(key("handle", &holder.handle)),
        ];
        keys.into_iter().flatten().find_map(|key| self.places.get(&key).copied())
    }
}

impl Import<'_> {
    /// Finds out which numbers are handed over; answers with what is said of
    /// the others, each with the place of its taker.
    pub(super) async fn hand_over(&mut self, numbers: Numbers) -> Result<Vec<(usize, RowRefusal)>> {
        let givers: Vec<Option<usize>> = numbers.taken.iter().map(|taken| numbers.place_of(&taken.holder)).collect();
        let mut refused = self.refused.clone();
        let mut given: HashMap<(usize, VariantId), HashSet<String>> = HashMap::new();
        let mut asked: BTreeSet<usize> = givers.iter().flatten().copied().collect();
        while let Some(from) = asked.first().copied() {
            let (mut products, mut places) = (Vec::new(), Vec::new());
            for (place, product) in self.read(from).await?.into_iter().enumerate() {
                if !asked.remove(&(from + place)) || self.refused.contains(&(from + place)) {
                    continue;
                }
                if let Ok(product) = product {
                    products.push(product);
                    places.push(from + place);
                }
            }
            let told = self.run.app.run(&self.run.caller, &GiveUp { products: Arc::new(products) }).await?;
            for (place, freed) in places.into_iter().zip(told) {
                match freed {
                    Some(freed) => {
                        for (sku, variant) in freed {
                            given.entry((place, variant)).or_default().insert(sku);
                        }
                    }
                    None => {
                        refused.insert(place);
                    }
                }
            }
        }
        let wants: Vec<Want> = numbers
            .taken
            .iter()
            .zip(givers)
            .map(|(taken, giver)| {
                let gives = |place: &usize| {
                    given.get(&(*place, taken.holder.variant)).is_some_and(|skus| skus.contains(&taken.holder.sku))
                };
                Want { taker: taken.taker, giver: giver.filter(gives) }
            })
            .collect();
        let (mut handed, mut told) = (Handed::new(), Vec::new());
        for (taken, met) in numbers.taken.into_iter().zip(met(&wants, &refused)) {
            match met {
                true => drop(handed.insert(taken.holder.sku, taken.holder.variant)),
                false => told.push((taken.taker, taken.told)),
            }
        }
        self.handed = Arc::new(handed);
        Ok(told)
    }
}

/// Asks what products would give up; writes nothing.
struct GiveUp {
    products: Arc<Vec<Imported>>,
}

impl Op for GiveUp {
    const NAME: &'static str = "product.import_numbers";
    const NEEDS: Need = Need::Everywhere(Permission::CatalogWrite);
    type Out = Vec<Option<Vec<(String, VariantId)>>>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Out> {
        given_up(tx, &self.products).await
    }

    fn commits(&self) -> bool {
        false
    }
}
