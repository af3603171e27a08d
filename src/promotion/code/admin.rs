//! Codes of promotions on the admin surface.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::catalog::OnError;
use domain::id::{PromotionCodeId, PromotionId};
use domain::promotion::code::normalize;

use super::types::{AdminPromotionCode, AdminPromotionCodeConnection};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write, catalog_write_everywhere};
use crate::api::input::parse_ids;
use crate::api::page::{ADMIN_MAX, Page, PageArgs};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{id, parse_id};
use crate::api::word::Enum;
use crate::job::types::AdminJob;
use engine::media::receive::arrived;
use engine::promotion::batch::{BatchInput, StartBatch};
use engine::promotion::codes::{AddCodes, DeleteCodes, MAX_AT_ONCE};
use engine::promotion::export;
use engine::promotion::import::{CodeImportInput, StartCodeImport};
use engine::promotion::repo::codes as repo;

/// Queries about codes.
#[derive(Debug, Default)]
pub struct CodeAdminQuery;

#[Object]
impl CodeAdminQuery {
    /// The codes of a promotion, the oldest first.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn promotion_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the promotion.")] promotion_id: ID,
        #[graphql(desc = "Only those that were made or brought together under this name.")] batch: Option<String>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<AdminPromotionCodeConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let promotion: PromotionId = parse_id(&promotion_id, &["promotionId"])?;
            let args = PageArgs { first, after, last, before, offset: None };
            let page = Page::read(args, ADMIN_MAX, false, &("codes", promotion, &batch))?;
            repo::page(&call.conn(), promotion, batch.as_deref(), page, count).await
        };
        outcome.await.map(AdminPromotionCodeConnection::from).map_err(top_level)
    }

    /// The codes of a promotion as CSV, part after part: put together they are a file that `promotionCodesImport` takes.
    #[graphql(guard = "catalog_read()")]
    async fn promotion_codes_csv(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id of the promotion.")] promotion_id: ID,
        #[graphql(desc = "Only those that were made or brought together under this name.")] batch: Option<String>,
        #[graphql(desc = "The `next` of the part before; the first part when absent.")] after: Option<String>,
    ) -> async_graphql::Result<AdminPromotionCodeCsvPart> {
        let call = call(ctx)?;
        let outcome = async {
            let promotion: PromotionId = parse_id(&promotion_id, &["promotionId"])?;
            let after = after.map(|after| parse_id(&ID(after), &["after"])).transpose()?;
            export::part(&call.conn(), (promotion, batch.as_deref()), after).await
        };
        outcome.await.map(AdminPromotionCodeCsvPart::from).map_err(top_level)
    }

    /// A code by its text, whatever its capitals; null when there is none.
    #[graphql(guard = "catalog_read()")]
    async fn promotion_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code.")] code: String,
    ) -> async_graphql::Result<Option<AdminPromotionCode>> {
        let rows = repo::named(&call(ctx)?.conn(), &[normalize(&code)]).await.map_err(top_level)?;
        Ok(rows.into_iter().next().map(AdminPromotionCode::from))
    }
}

/// Some rows of the codes of a promotion, as CSV.
#[derive(Debug, SimpleObject)]
pub struct AdminPromotionCodeCsvPart {
    /// At most 5000 rows that end with a line break; the first part begins with the names of the columns: `code`,
    /// `batch`, `endsAt` and `uses`.
    pub text: String,
    /// How many codes it holds.
    pub codes: i32,
    /// Send it as `after` to get the next part; null when this is the last one.
    pub next: Option<String>,
}

impl From<export::Part> for AdminPromotionCodeCsvPart {
    fn from(part: export::Part) -> Self {
        let codes = i32::try_from(part.written).unwrap_or(i32::MAX);
        Self { text: part.text, codes, next: part.last.map(|last| last.to_string()) }
    }
}

/// Codes that are made.
#[derive(Debug, InputObject)]
pub struct AdminPromotionCodesMakeInput {
    /// The promotion, which comes by code.
    pub promotion_id: ID,
    /// What you call them, 1 to 100 characters; a promotion has one batch of a name.
    pub batch: String,
    /// How many, 1 to 1000000.
    pub count: i32,
    /// What they begin with, a hyphen behind it; nothing when absent.
    #[graphql(default)]
    pub prefix: String,
    /// How many random characters each has, 6 to 32: digits and letters of which no two look alike. So many that a
    /// guess hardly hits one of them.
    #[graphql(default = 12)]
    pub length: i32,
    /// After so many of them stands a hyphen; none when 0.
    #[graphql(default = 4)]
    pub group: i32,
    /// When they end before their promotion does, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Codes that are brought in.
#[derive(Debug, InputObject)]
pub struct AdminPromotionCodesImportInput {
    /// The promotion, which comes by code.
    pub promotion_id: ID,
    /// What you call them, 1 to 100 characters.
    pub batch: String,
    /// The file: what you uploaded to the address of `stagedUploadCreate` as `text/csv`, at most 1000000 rows. Its
    /// first line names the columns: `code`, and others that `promotionCodesCsv` writes, which are not read.
    pub staged_upload_id: ID,
    /// What a refused row does to the others; when absent it refuses all of them, so that nothing is changed.
    pub on_error: Option<Enum<OnError>>,
}

/// Codes that you write.
#[derive(Debug, InputObject)]
pub struct AdminPromotionCodesAddInput {
    /// The promotion, which comes by code.
    pub promotion_id: ID,
    /// The codes, 1 to 250: 3 to 64 letters A to Z, digits, and single hyphens or underscores between them, whatever
    /// their capitals.
    pub codes: Vec<String>,
    /// When they end before their promotion does, exclusive.
    pub ends_at: Option<DateTime<Utc>>,
}

/// Codes that go.
#[derive(Debug, InputObject)]
pub struct AdminPromotionCodesDeleteInput {
    /// The ids of the codes, at most 250.
    pub ids: Vec<ID>,
}

payload! {
    /// What `promotionCodesAdd` did.
    AdminPromotionCodesAddPayload {
        /// The new codes, in the order of the input. At most 250.
        codes: Vec<AdminPromotionCode>
    }
}

payload! {
    /// What `promotionCodesMake` did.
    AdminPromotionCodesMakePayload {
        /// The job that makes them; follow it with `jobProgress`. Its entries are codes.
        job: AdminJob
    }
}

payload! {
    /// What `promotionCodesImport` did.
    AdminPromotionCodesImportPayload {
        /// The job that brings them in; follow it with `jobProgress`. Its entries are rows.
        job: AdminJob
    }
}

payload! {
    /// What `promotionCodesDelete` did.
    AdminPromotionCodesDeletePayload {
        /// The ids of the codes that are gone. At most 250.
        deleted_ids: Vec<ID>
    }
}

/// Mutations of codes.
#[derive(Debug, Default)]
pub struct CodeAdminMutation;

#[Object]
impl CodeAdminMutation {
    /// Gives a promotion codes that you write.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_codes_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The codes.")] input: AdminPromotionCodesAddInput,
    ) -> async_graphql::Result<AdminPromotionCodesAddPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let promotion = parse_id(&input.promotion_id, &["promotionId"])?;
            let op = AddCodes { promotion, codes: input.codes, ends_at: input.ends_at };
            let rows = call.app.run(&call.caller, &op).await?;
            Ok(rows.into_iter().map(AdminPromotionCode::from).collect())
        };
        AdminPromotionCodesAddPayload::answer(outcome.await)
    }

    /// Makes codes of a promotion, up to 1000000 at once: unlike each other and all others. A job does it.
    #[graphql(guard = "catalog_write_everywhere()")]
    async fn promotion_codes_make(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which codes.")] input: AdminPromotionCodesMakeInput,
    ) -> async_graphql::Result<AdminPromotionCodesMakePayload> {
        let call = call(ctx)?;
        let outcome = async {
            // What is below zero is refused as what is too little.
            let number = |number: i32| usize::try_from(number).unwrap_or(0);
            let batch = BatchInput {
                promotion: parse_id(&input.promotion_id, &["promotionId"])?,
                batch: input.batch,
                count: number(input.count),
                prefix: input.prefix,
                length: number(input.length),
                group: number(input.group),
                ends_at: input.ends_at,
            };
            call.app.run(&call.caller, &StartBatch(batch)).await.map(AdminJob::from)
        };
        AdminPromotionCodesMakePayload::answer(outcome.await)
    }

    /// Brings codes of a promotion in from a CSV file. Nothing is written before the whole file was looked over. It may
    /// be run again: what the promotion has already stays as it is. A job does it.
    #[graphql(guard = "catalog_write_everywhere()")]
    async fn promotion_codes_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which codes, and how.")] input: AdminPromotionCodesImportInput,
    ) -> async_graphql::Result<AdminPromotionCodesImportPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let promotion = parse_id(&input.promotion_id, &["promotionId"])?;
            let upload = parse_id(&input.staged_upload_id, &["stagedUploadId"])?;
            arrived(&call.app, &call.conn(), upload).await?;
            let import = CodeImportInput {
                path: None,
                hash: String::new(),
                name: String::new(),
                promotion,
                batch: input.batch,
                on_error: input.on_error.map_or(OnError::Abort, |on_error| on_error.0),
            };
            call.app.run(&call.caller, &StartCodeImport { upload, input: import }).await.map(AdminJob::from)
        };
        AdminPromotionCodesImportPayload::answer(outcome.await)
    }

    /// Takes codes out of use. Orders keep what they gave; each may be given anew.
    #[graphql(guard = "catalog_write()")]
    async fn promotion_codes_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which codes.")] input: AdminPromotionCodesDeleteInput,
    ) -> async_graphql::Result<AdminPromotionCodesDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let ids: Vec<PromotionCodeId> = parse_ids(&input.ids, "ids", MAX_AT_ONCE)?;
            let gone = call.app.run(&call.caller, &DeleteCodes { ids }).await?;
            Ok(gone.into_iter().map(id).collect())
        };
        AdminPromotionCodesDeletePayload::answer(outcome.await)
    }
}
