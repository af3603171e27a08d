//! Prices out of files on the admin surface.

use async_graphql::{Context, ID, InputObject, Object};
use domain::catalog::OnError;
use domain::pricing::sheet::PriceImportMode;

use crate::api::call::call;
use crate::api::guard::catalog_write_everywhere;
use crate::api::payload::payload;
use crate::api::scalar::parse_id;
use crate::api::word::Enum;
use crate::job::types::AdminJob;
use engine::media::receive::arrived;
use engine::pricing::import::{PriceImportInput, StartPriceImport};

/// Which prices are brought in, and how.
#[derive(Debug, InputObject)]
pub struct AdminPriceListPricesImportInput {
    /// In which price list.
    pub price_list_id: ID,
    /// The file: what you uploaded to the address of `stagedUploadCreate` as `text/csv`. Its first line names the
    /// columns: `sku`, `currency` and `amount`, and as you like `compareAt`, `minQuantity`, `maxQuantity`,
    /// `includesTax` (`TRUE`, `FALSE`) and `rules` (JSON, as `emporion export prices` writes it). Amounts are decimals
    /// such as `12.34`. A row with nothing but a SKU says that the variant shall have no price in the list.
    pub staged_upload_id: ID,
    /// What becomes of the prices that the list has.
    pub mode: Enum<PriceImportMode>,
    /// Go through everything, count what would be created, updated, left alone and refused, and keep nothing.
    #[graphql(default)]
    pub dry_run: bool,
    /// What a refused row does to the others; when absent it refuses all of them, so that nothing is changed. A
    /// variant of which a row is refused keeps its prices.
    pub on_error: Option<Enum<OnError>>,
}

payload! {
    /// What `priceListPricesImport` did.
    AdminPriceListPricesImportPayload {
        /// The job that does it; follow it with `jobProgress`. Its entries are rows.
        job: AdminJob
    }
}

/// Mutations that bring prices in.
#[derive(Debug, Default)]
pub struct PriceImportAdminMutation;

#[Object]
impl PriceImportAdminMutation {
    /// Brings the prices of a price list in from a CSV file, however long it is. Nothing is written before the whole
    /// file was looked over. It may be run again: what is as the file says stays as it is.
    #[graphql(guard = "catalog_write_everywhere()")]
    async fn price_list_prices_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which prices, and how.")] input: AdminPriceListPricesImportInput,
    ) -> async_graphql::Result<AdminPriceListPricesImportPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let list = parse_id(&input.price_list_id, &["priceListId"])?;
            let upload = parse_id(&input.staged_upload_id, &["stagedUploadId"])?;
            arrived(&call.app, &call.conn(), upload).await?;
            let import = PriceImportInput {
                path: None,
                hash: String::new(),
                name: String::new(),
                list,
                mode: input.mode.0,
                on_error: input.on_error.map_or(OnError::Abort, |on_error| on_error.0),
            };
            let op = StartPriceImport { upload, input: import, dry_run: input.dry_run };
            call.app.run(&call.caller, &op).await.map(AdminJob::from)
        };
        AdminPriceListPricesImportPayload::answer(outcome.await)
    }
}
