//! Texts in the language of a request.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use async_graphql::dataloader::Loader;
use domain::id::ProductId;
use domain::translation::TranslatableField;
use entity::translation;
use std::sync::Arc;
use uuid::Uuid;

use crate::api::call::{Batch, Call, group};
use crate::api::payload::top_level;
use engine::error::{Error, Result};
use engine::translation::{Texts, repo};

/// Who reads a text: shoppers in their language, staff the text itself unless
/// they name a language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// On the store surface.
    Shopper,
    /// On the admin surface.
    Staff,
}

/// The translations of an entity into one language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TextsOf(pub Uuid, pub String);

impl Loader<TextsOf> for Batch {
    type Value = Arc<Vec<translation::Model>>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[TextsOf]) -> Result<HashMap<TextsOf, Self::Value>, Self::Error> {
        let ids: HashSet<Uuid> = keys.iter().map(|key| key.0).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let mut locales: Vec<String> = keys.iter().map(|key| key.1.clone()).collect();
        locales.sort();
        locales.dedup();
        let rows = repo::of_entities(&self.conn, &ids, &locales).await?;
        Ok(group(rows.into_iter().map(|row| (TextsOf(row.entity_id, row.locale.clone()), row))))
    }
}

/// What a root field read for everything below it: products with their
/// variants, options and values, in the language of the request.
#[derive(Debug, Default)]
pub struct Fed(Mutex<Families>);

#[derive(Debug, Default)]
struct Families {
    /// Which products, and whether their descriptions are among the texts.
    known: HashMap<ProductId, bool>,
    texts: Texts,
}

/// Reads the texts of products and all that belongs to them in one statement;
/// in none when the request is in the shop's own language.
pub async fn feed(call: &Call, products: &[ProductId], descriptions: bool) -> Result<()> {
    if call.chain.is_empty() || products.is_empty() {
        return Ok(());
    }
    let rows = repo::of_families(&call.conn(), products, &call.chain, descriptions).await?;
    if let Ok(mut fed) = call.fed.0.lock() {
        fed.known.extend(products.iter().map(|id| (*id, descriptions)));
        fed.texts.extend(rows);
    }
    Ok(())
}

/// The same for a product that is seen alone.
pub async fn feed_one(call: &Call, product: Option<ProductId>) -> Result<()> {
    match product {
        Some(product) => feed(call, &[product], true).await,
        None => Ok(()),
    }
}

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub struct TextAt {
    /// With which product it is shown, when it is with one.
    pub product: Option<ProductId>,
    /// Of what.
    pub entity: Uuid,
    /// Which text.
    pub field: TranslatableField,
}

impl TextAt {
    /// A text of a product or of what belongs to it.
    pub fn of(product: ProductId, entity: impl Into<Uuid>, field: TranslatableField) -> Self {
        Self { product: Some(product), entity: entity.into(), field }
    }

    /// A text of anything.
    pub fn alone(entity: impl Into<Uuid>, field: TranslatableField) -> Self {
        Self { product: None, entity: entity.into(), field }
    }

    /// The translation for a reader; nothing when the text itself is to be shown.
    pub async fn read(
        self,
        call: &Call,
        reader: Reader,
        locale: Option<&str>,
    ) -> async_graphql::Result<Option<String>> {
        let chain = match (locale, reader) {
            (Some(tag), _) => {
                let tag = domain::channel::locale(tag).map_err(|refusal| top_level(refusal.at(["locale"]).into()))?;
                call.settings.text_chain(&tag, &call.channel)
            }
            (None, Reader::Staff) => return Ok(None),
            (None, Reader::Shopper) => call.chain.clone(),
        };
        self.in_chain(call, &chain).await
    }

    /// The text in the first of these languages that it has.
    pub async fn in_chain(self, call: &Call, chain: &[String]) -> async_graphql::Result<Option<String>> {
        if chain.is_empty() {
            return Ok(None);
        }
        if *chain == *call.chain
            && let Some(found) = self.fed(call)
        {
            return Ok(found);
        }
        let rows = call.load_all(chain.iter().map(|tag| TextsOf(self.entity, tag.clone()))).await?;
        let mut texts = Texts::default();
        texts.extend(rows.values().flat_map(|rows| rows.iter().cloned()));
        Ok(texts.find(chain, self.entity, self.field).map(str::to_owned))
    }

    fn fed(self, call: &Call) -> Option<Option<String>> {
        let fed = call.fed.0.lock().ok()?;
        let descriptions = *fed.known.get(&self.product?)?;
        if self.field == TranslatableField::DescriptionHtml && !descriptions {
            return None;
        }
        Some(fed.texts.find(&call.chain, self.entity, self.field).map(str::to_owned))
    }
}
