//! What staff change about translations.

use std::collections::BTreeSet;

use domain::auth::Permission;
use domain::channel::locale;
use domain::id::ProductId;
use domain::refusal::{ErrorCode, Refusal, Refusals};
use domain::translation::{MAX_ENTRIES, MAX_LANGUAGES, TranslatableField, TranslatableType, check_text};
use entity::translation;
use serde_json::json;

use super::digest;
use super::repo::{self, Source};
use crate::actor::Need;
use crate::error::Result;
use crate::event::Aggregate;
use crate::op::{Op, Tx};

/// An entity with its own texts and their translations.
#[derive(Debug, Clone)]
pub struct Translated {
    /// The entity.
    pub source: Source,
    /// By language and field.
    pub rows: Vec<translation::Model>,
}

/// A text in a language.
#[derive(Debug, Clone)]
pub struct Entry {
    /// A BCP 47 tag.
    pub locale: String,
    /// Which text.
    pub field: TranslatableField,
    /// The translation; nothing takes it out.
    pub value: Option<String>,
}

/// Translations of one entity: all are written or none.
#[derive(Debug, Clone)]
pub struct SetTranslations {
    /// The id of the entity.
    pub entity: String,
    /// At most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
}

/// Looks an entity up by its text id and locks it, when the caller may change its texts.
async fn open(tx: &Tx, id: &str) -> Result<Source> {
    let none = || Refusal::new(ErrorCode::NotFound, "There is nothing to translate with this id.").at(["entityId"]);
    let Some((kind, uuid)) = TranslatableType::of_id(id) else {
        tx.actor().check(Need::Permission(Permission::CatalogWrite))?;
        return Err(none().into());
    };
    let needed = match kind {
        TranslatableType::ShippingOption | TranslatableType::Policy => Permission::SettingsWrite,
        _ => Permission::CatalogWrite,
    };
    tx.actor().check(Need::Permission(needed))?;
    repo::lock(tx, kind, uuid).await?;
    let source = repo::source(&tx.conn, kind, uuid).await?.ok_or_else(none)?;
    if let Some(channel) = source.policy_of
        && !crate::policy::ops::reaches(tx.actor(), needed, channel)
    {
        return Err(none().into());
    }
    Ok(source)
}

async fn tell(tx: &mut Tx, source: &Source, locales: &BTreeSet<&str>) -> Result<()> {
    let product = match source.kind {
        TranslatableType::Product => Some(ProductId(source.id)),
        TranslatableType::Variant => {
            let rows = crate::catalog::repo::variants_by_ids(&tx.conn, &[source.id.into()]).await?;
            rows.first().map(|row| row.product_id)
        }
        // What products share stands in no one product's history, but each is found by it.
        kind => {
            let sharing = repo::sharing(&tx.conn, kind, source.id).await?;
            tx.find_anew(sharing);
            None
        }
    };
    if let Some(product) = product {
        let payload = json!({ "entity": source.kind.id(source.id), "locales": locales });
        tx.emit(Aggregate::new("product", product), "product.translated", payload);
    }
    Ok(())
}

fn summary(rows: &[translation::Model]) -> serde_json::Value {
    let named = |row: &translation::Model| (format!("{}.{}", row.locale, row.field), json!(row.value));
    serde_json::Value::Object(rows.iter().map(named).collect())
}

impl Op for SetTranslations {
    const NAME: &'static str = "translation.set";
    // What is needed depends on the entity: the op asks for it.
    const NEEDS: Need = Need::Admin;
    type Out = Translated;

    async fn run(&self, tx: &mut Tx) -> Result<Translated> {
        if self.entries.len() > MAX_ENTRIES {
            let message = format!("At most {MAX_ENTRIES} translations at once.");
            let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_ENTRIES as i64);
            return Err(refusal.at(["translations"]).into());
        }
        let source = open(tx, &self.entity).await?;
        let before = repo::of_entity(&tx.conn, source.id).await?;
        let mut refusals = Refusals::default();
        let (rows, gone) = self.read(tx, &source, &mut refusals);
        let known = before.iter().map(|row| row.locale.as_str());
        let languages: BTreeSet<&str> = known.chain(rows.iter().map(|row| row.locale.as_str())).collect();
        if languages.len() > MAX_LANGUAGES {
            let message = format!("An entity is translated into at most {MAX_LANGUAGES} languages.");
            let refusal = Refusal::new(ErrorCode::TooMany, message).limit(MAX_LANGUAGES as i64);
            refusals.push(refusal.at(["translations"]));
        }
        refusals.into_result()?;
        repo::delete(tx, source.id, &gone).await?;
        repo::save(tx, rows).await?;
        let rows = repo::of_entity(&tx.conn, source.id).await?;
        tx.audit(source.kind.id(source.id), Some(summary(&before)), Some(summary(&rows)));
        let locales = self.entries.iter().map(|entry| entry.locale.as_str()).collect();
        tell(tx, &source, &locales).await?;
        Ok(Translated { source, rows })
    }
}

impl SetTranslations {
    /// What shall be written and what shall go.
    fn read(
        &self,
        tx: &Tx,
        source: &Source,
        refusals: &mut Refusals,
    ) -> (Vec<translation::Model>, Vec<(String, TranslatableField)>) {
        let mut seen = BTreeSet::new();
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        for (place, entry) in self.entries.iter().enumerate() {
            let at = |refusal: Refusal, field: &str| {
                refusal.at(["translations".to_owned(), place.to_string(), field.to_owned()])
            };
            let tag = refusals.keep(locale(&entry.locale).map_err(|refusal| at(refusal, "locale")));
            if !source.kind.fields().contains(&entry.field) {
                let message = format!("An entity of type {} has no text {}.", source.kind, entry.field);
                refusals.push(at(Refusal::new(ErrorCode::Invalid, message), "field"));
                continue;
            }
            if !seen.insert((entry.locale.as_str(), entry.field)) {
                refusals.push(at(Refusal::new(ErrorCode::Duplicate, "This stands here twice."), "field"));
                continue;
            }
            let value = entry.value.as_deref().map(|text| check_text(entry.field, text)).transpose();
            let value = refusals.keep(value.map_err(|refusal| at(refusal, "value")));
            let (Some(tag), Some(value)) = (tag, value) else { continue };
            match value {
                None => gone.push((tag, entry.field)),
                Some(value) => rows.push(translation::Model {
                    entity_id: source.id,
                    locale: tag,
                    field: entry.field,
                    entity_type: source.kind,
                    value: if entry.field.is_html() { ammonia::clean(&value) } else { value },
                    source_digest: digest(source.text(entry.field).unwrap_or_default()),
                    updated_at: tx.now(),
                }),
            }
        }
        (rows, gone)
    }
}

/// Takes translations of one entity out.
#[derive(Debug, Clone)]
pub struct DeleteTranslations {
    /// The id of the entity.
    pub entity: String,
    /// Of these languages; of all when absent.
    pub locales: Option<Vec<String>>,
    /// Of these texts; of all when absent.
    pub fields: Option<Vec<TranslatableField>>,
}

impl Op for DeleteTranslations {
    const NAME: &'static str = "translation.delete";
    const NEEDS: Need = Need::Admin;
    type Out = Translated;

    async fn run(&self, tx: &mut Tx) -> Result<Translated> {
        let listed = self.locales.as_ref().map_or(0, Vec::len).max(self.fields.as_ref().map_or(0, Vec::len));
        if listed > MAX_ENTRIES {
            let message = format!("At most {MAX_ENTRIES} languages and texts at once.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_ENTRIES as i64).into());
        }
        let source = open(tx, &self.entity).await?;
        let before = repo::of_entity(&tx.conn, source.id).await?;
        let goes = |row: &translation::Model| {
            self.locales.as_ref().is_none_or(|locales| locales.contains(&row.locale))
                && self.fields.as_ref().is_none_or(|fields| fields.contains(&row.field))
        };
        let (gone, rows): (Vec<_>, Vec<_>) = before.iter().cloned().partition(goes);
        let places: Vec<_> = gone.iter().map(|row| (row.locale.clone(), row.field)).collect();
        repo::delete(tx, source.id, &places).await?;
        if !gone.is_empty() {
            tx.audit(source.kind.id(source.id), Some(summary(&before)), Some(summary(&rows)));
            let locales = gone.iter().map(|row| row.locale.as_str()).collect();
            tell(tx, &source, &locales).await?;
        }
        Ok(Translated { source, rows })
    }
}

/// Whether an entity's text changed since it was translated.
pub fn is_outdated(source: &Source, row: &translation::Model) -> bool {
    row.source_digest != digest(source.text(row.field).unwrap_or_default())
}

/// What reading the translations of an entity needs.
pub fn read_need(kind: TranslatableType) -> Need {
    Need::Permission(match kind {
        TranslatableType::ShippingOption | TranslatableType::Policy => Permission::SettingsRead,
        _ => Permission::CatalogRead,
    })
}
