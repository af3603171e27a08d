//! Imports on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::catalog::OnError;
use domain::import::ImportDialect;

use crate::api::call::call;
use crate::api::guard::catalog_write_everywhere;
use crate::api::payload::payload;
use crate::api::scalar::{CurrencyCode, parse_id};
use crate::api::word::Enum;
use crate::job::types::AdminJob;
use engine::catalog::import::{ImportInput, StartImport};
use engine::media::receive::arrived;

/// What is imported, and how.
#[derive(Debug, InputObject)]
pub struct AdminProductImportInput {
    /// The file: what you uploaded to the address of `stagedUploadCreate` as `text/csv` or `application/json`. It can
    /// be imported as often as you like within an hour, so rehearse first.
    pub staged_upload_id: ID,
    /// How it is written; found out from its first line when absent.
    pub dialect: Option<Enum<ImportDialect>>,
    /// The currency of prices that name none, as in Shopify's files; that of the default channel's region when absent.
    pub currency_code: Option<CurrencyCode>,
    /// Go through everything, count what would be created, updated, left alone and refused, and keep nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// What a refused product does to the others; when absent it refuses all of them, so that nothing is changed.
    pub on_error: Option<Enum<OnError>>,
    /// Where pictures lie that the file names by a path alone, such as `https://cdn.example/media`. Without it such a
    /// path goes to the metadata.
    pub media_base: Option<String>,
}

payload! {
    /// What `productImport` did.
    AdminProductImportPayload {
        /// The job that does it; follow it with `jobProgress`.
        job: AdminJob
    }
}

/// Mutations that bring products in.
#[derive(Debug, Default)]
pub struct ImportAdminMutation;

#[Object]
impl ImportAdminMutation {
    /// Brings products in from a file of another shop: Shopify's CSV, Medusa's templates, Saleor's objects. Encoding
    /// and delimiter are found out. Nothing is written before the whole file was looked over. It may be run again: what
    /// is known is brought up to date, stock is left alone.
    #[graphql(guard = "catalog_write_everywhere()")]
    async fn product_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is imported, and how.")] input: AdminProductImportInput,
    ) -> async_graphql::Result<AdminProductImportPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let upload = parse_id(&input.staged_upload_id, &["stagedUploadId"])?;
            arrived(&call.app, &call.conn(), upload).await?;
            let import = ImportInput {
                path: None,
                hash: String::new(),
                name: String::new(),
                dialect: input.dialect.map(|dialect| dialect.0),
                currency: input.currency_code.map(|code| code.0),
                on_error: input.on_error.map_or(OnError::Abort, |on_error| on_error.0),
                media_base: input.media_base,
            };
            let op = StartImport { upload, input: import, dry_run: input.dry_run };
            call.app.run(&call.caller, &op).await.map(AdminJob::from)
        };
        AdminProductImportPayload::answer(outcome.await)
    }
}
