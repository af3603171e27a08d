//! Translations on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::auth::Permission;
use domain::translation::{TranslatableField, TranslatableType};

use crate::api::call::call;
use crate::api::guard::admin;
use crate::api::payload::{payload, top_level};
use crate::api::word::Enum;
use engine::error::Result;
use engine::scope;
use engine::translation::ops::{DeleteTranslations, Entry, SetTranslations, Translated, is_outdated, read_need};
use engine::translation::repo::{self, Source};

/// An entity whose texts are translated.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminTranslatable {
    /// Its id.
    pub id: ID,
    /// What it is.
    pub r#type: Enum<TranslatableType>,
    /// Its texts, in the shop's own language.
    pub fields: Vec<AdminTranslatableText>,
    /// Its translations, by language and field.
    pub translations: Vec<AdminTranslation>,
    /// What belongs to it and has texts of its own: options, variants, type and tags of a product, values of
    /// an option. Read with `translatable` alone; at most 500.
    pub parts: Vec<AdminTranslatablePart>,
}

/// A text that is translated.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminTranslatableText {
    /// Which one.
    pub field: Enum<TranslatableField>,
    /// The text in the shop's own language; null when there is none.
    pub value: Option<String>,
}

/// What belongs to an entity and is translated by an id of its own.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminTranslatablePart {
    /// Its id.
    pub id: ID,
    /// What it is.
    pub r#type: Enum<TranslatableType>,
    /// Its texts, in the shop's own language.
    pub fields: Vec<AdminTranslatableText>,
}

/// A text in another language.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminTranslation {
    /// The language: a BCP 47 tag.
    pub locale: String,
    /// Which text.
    pub field: Enum<TranslatableField>,
    /// The translation.
    pub value: String,
    /// Whether the text itself changed since.
    pub outdated: bool,
    /// When it was written.
    pub updated_at: DateTime<Utc>,
}

fn texts(source: &Source) -> Vec<AdminTranslatableText> {
    let text = |(field, value): &(TranslatableField, Option<String>)| AdminTranslatableText {
        field: Enum(*field),
        value: value.clone(),
    };
    source.texts.iter().map(text).collect()
}

impl From<Translated> for AdminTranslatable {
    fn from(found: Translated) -> Self {
        let source = &found.source;
        let translation = |row: &entity::translation::Model| AdminTranslation {
            locale: row.locale.clone(),
            field: Enum(row.field),
            value: row.value.clone(),
            outdated: is_outdated(source, row),
            updated_at: row.updated_at,
        };
        Self {
            id: ID(source.kind.id(source.id)),
            r#type: Enum(source.kind),
            fields: texts(source),
            translations: found.rows.iter().map(translation).collect(),
            parts: Vec::new(),
        }
    }
}

/// Queries about translations.
#[derive(Debug, Default)]
pub struct TranslationAdminQuery;

#[Object]
impl TranslationAdminQuery {
    /// The texts of a product, variant, option, option value, tag, product type, shipping option or policy with
    /// their translations; null when there is none. Shipping options and policies need `SETTINGS_READ`, all else
    /// `CATALOG_READ`.
    #[graphql(guard = "admin()")]
    async fn translatable(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the entity.")] id: ID,
        #[graphql(desc = "Only translations into this language.")] locale: Option<String>,
    ) -> async_graphql::Result<Option<AdminTranslatable>> {
        let call = call(ctx)?;
        let with_parts = ctx.look_ahead().field("parts").exists();
        let outcome: Result<_> = async {
            let Some((kind, uuid)) = TranslatableType::of_id(&id) else { return Ok(None) };
            call.caller.actor.check(read_need(kind))?;
            let conn = call.conn();
            let Some(source) = repo::source(&conn, kind, uuid).await? else { return Ok(None) };
            // The shop's own policies are everybody's to read, as on the store surface.
            if let Some(Some(channel)) = source.policy_of
                && !scope::channels(&call.caller.actor, Permission::SettingsRead).holds(channel)
            {
                return Ok(None);
            }
            let rows = repo::of_entity(&conn, uuid).await?;
            let rows = rows.into_iter().filter(|row| locale.as_ref().is_none_or(|wanted| *wanted == row.locale));
            let mut found = AdminTranslatable::from(Translated { source, rows: rows.collect() });
            if with_parts {
                let part = |source: &Source| AdminTranslatablePart {
                    id: ID(source.kind.id(source.id)),
                    r#type: Enum(source.kind),
                    fields: texts(source),
                };
                found.parts = repo::parts(&conn, kind, uuid).await?.iter().map(part).collect();
            }
            Ok(Some(found))
        }
        .await;
        outcome.map_err(top_level)
    }
}

/// A text in another language.
#[derive(Debug, InputObject)]
pub struct AdminTranslationInput {
    /// The language: a BCP 47 tag such as `de` or `pt-BR`.
    pub locale: String,
    /// Which text.
    pub field: Enum<TranslatableField>,
    /// The translation, by the rules of the text itself; null takes it out.
    pub value: Option<String>,
}

/// Translations of an entity.
#[derive(Debug, InputObject)]
pub struct AdminTranslationsSetInput {
    /// The id of a product, a variant, an option, a value of an option, a tag, a product type, a shipping option or
    /// a policy.
    pub entity_id: ID,
    /// At most 250. All are written, or none; what you leave out stays.
    pub translations: Vec<AdminTranslationInput>,
}

/// Translations that go.
#[derive(Debug, InputObject)]
pub struct AdminTranslationsDeleteInput {
    /// The id of the entity.
    pub entity_id: ID,
    /// Of these languages; of all when absent.
    pub locales: Option<Vec<String>>,
    /// Of these texts; of all when absent.
    pub fields: Option<Vec<Enum<TranslatableField>>>,
}

payload! {
    /// What `translationsSet` did.
    AdminTranslationsSetPayload {
        /// The entity with all its translations.
        translatable: AdminTranslatable
    }
}

payload! {
    /// What `translationsDelete` did.
    AdminTranslationsDeletePayload {
        /// The entity with the translations that are left.
        translatable: AdminTranslatable
    }
}

/// Mutations of translations.
#[derive(Debug, Default)]
pub struct TranslationAdminMutation;

#[Object]
impl TranslationAdminMutation {
    /// Writes texts of an entity in other languages. Shipping options and policies need `SETTINGS_WRITE`, all else
    /// `CATALOG_WRITE`.
    #[graphql(guard = "admin()")]
    async fn translations_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The translations.")] input: AdminTranslationsSetInput,
    ) -> async_graphql::Result<AdminTranslationsSetPayload> {
        let call = call(ctx)?;
        let entry =
            |given: AdminTranslationInput| Entry { locale: given.locale, field: given.field.0, value: given.value };
        let op =
            SetTranslations { entity: input.entity_id.0, entries: input.translations.into_iter().map(entry).collect() };
        AdminTranslationsSetPayload::answer(call.app.run(&call.caller, &op).await.map(AdminTranslatable::from))
    }

    /// Takes texts in other languages out. Needs what `translationsSet` needs.
    #[graphql(guard = "admin()")]
    async fn translations_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which translations.")] input: AdminTranslationsDeleteInput,
    ) -> async_graphql::Result<AdminTranslationsDeletePayload> {
        let call = call(ctx)?;
        let op = DeleteTranslations {
            entity: input.entity_id.0,
            locales: input.locales,
            fields: input.fields.map(|fields| fields.into_iter().map(|field| field.0).collect()),
        };
        AdminTranslationsDeletePayload::answer(call.app.run(&call.caller, &op).await.map(AdminTranslatable::from))
    }
}
