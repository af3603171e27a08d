//! Media on the admin surface.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object};
use domain::catalog::MediaKind;
use domain::id::MediaId;
use domain::refusal::Refusals;

use super::types::{AdminMedia, AdminMediaConnection, AdminStagedUpload};
use crate::api::call::call;
use crate::api::guard::{catalog_read, catalog_write};
use crate::api::input::change;
use crate::api::page::{ADMIN_MAX, Page, PageArgs};
use crate::api::payload::{payload, top_level};
use crate::api::scalar::{Decimal, Int64, id, parse_id};
use crate::api::word::Enum;
use crate::catalog::types::AdminProduct;
use crate::catalog::variant::types::AdminVariant;
use engine::auth::token::random_token;
use engine::error::{Error, Result};
use engine::media::ops::{CreateMedia, CreateStagedUpload, DeleteMedia, SetProductMedia, SetVariantMedia, UpdateMedia};
use engine::media::receive::arrived;
use engine::media::repo;

/// What media must be to be in the list. What you leave out is not asked.
#[derive(Debug, Clone, Default, InputObject)]
pub struct AdminMediaFilter {
    /// One of these kinds, at most 3.
    pub kind: Option<Vec<Enum<MediaKind>>>,
    /// No product and no variant shows it; or with `false`, one does.
    pub unused: Option<bool>,
}

/// Queries about media.
#[derive(Debug, Default)]
pub struct MediaAdminQuery;

#[Object]
impl MediaAdminQuery {
    /// All pictures, films and files, the newest first.
    #[graphql(guard = "catalog_read()")]
    #[allow(clippy::too_many_arguments)]
    async fn media(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the front: 20 when absent, at most 250.")] first: Option<i32>,
        #[graphql(desc = "Behind this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the back, at most 250.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
        #[graphql(desc = "Skip so many, at most 10000.")] offset: Option<i32>,
        #[graphql(desc = "What the media must be.")] filter: Option<AdminMediaFilter>,
    ) -> async_graphql::Result<AdminMediaConnection> {
        let call = call(ctx)?;
        let count = ctx.look_ahead().field("totalCount").exists();
        let outcome = async {
            let filter = filter.unwrap_or_default();
            let kinds = filter.kind.map(|kinds| {
                let mut kinds: Vec<MediaKind> = kinds.into_iter().map(|kind| kind.0).collect();
                kinds.sort_unstable();
                kinds.dedup();
                kinds
            });
            let filter = repo::Filter { kinds, unused: filter.unused };
            let args = PageArgs { first, after, last, before, offset };
            let asked = Page::read(args, ADMIN_MAX, true, &("media", &filter))?;
            repo::page(&call.conn(), &filter, asked, count).await
        };
        outcome.await.map(AdminMediaConnection::from).map_err(top_level)
    }
}

/// A file that you want to upload.
#[derive(Debug, InputObject)]
pub struct AdminStagedUploadCreateInput {
    /// Its name, 1 to 255 characters, for staff alone.
    pub filename: String,
    /// Its type: `image/jpeg`, `image/png`, `image/webp`, `image/gif` or `image/svg+xml`, whose bytes must agree; for
    /// imports also `text/csv` and `application/json`.
    pub content_type: String,
    /// Its exact length in bytes; at most 20 MiB unless the shop is set up otherwise.
    pub size: Int64,
}

/// The point of a picture that is never cut off, in parts of its edges.
#[derive(Debug, Clone, InputObject)]
pub struct AdminFocalPointInput {
    /// From the left: `0` is the left edge, `1` the right one.
    pub x: Decimal,
    /// From the top: `0` is the upper edge, `1` the lower one.
    pub y: Decimal,
}

impl AdminFocalPointInput {
    fn read(self) -> (String, String) {
        (self.x.0, self.y.0)
    }
}

/// A new medium: exactly one of `stagedUploadId` and `url`.
#[derive(Debug, InputObject)]
pub struct AdminMediaCreateInput {
    /// What you uploaded.
    pub staged_upload_id: Option<ID>,
    /// Where it lies: `https://…` or `http://…`, at most 2048 bytes, without a name or password. The shop never
    /// fetches it; browsers do.
    pub url: Option<String>,
    /// What it is, when it lies elsewhere; a picture when absent.
    pub kind: Option<Enum<MediaKind>>,
    /// What is shown or read aloud in its place, at most 512 characters.
    pub alt: Option<String>,
    /// The point that is never cut off; the middle when absent.
    pub focal_point: Option<AdminFocalPointInput>,
}

/// What changes about a medium; what you leave out stays, null clears.
#[derive(Debug, InputObject)]
pub struct AdminMediaUpdateInput {
    /// Which medium.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// What is shown or read aloud in its place, at most 512 characters.
    pub alt: MaybeUndefined<String>,
    /// The point that is never cut off; null is the middle.
    pub focal_point: MaybeUndefined<AdminFocalPointInput>,
}

/// Which medium goes.
#[derive(Debug, InputObject)]
pub struct AdminMediaDeleteInput {
    /// Which medium.
    pub id: ID,
    /// The version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
}

/// The media of a product.
#[derive(Debug, InputObject)]
pub struct AdminProductMediaSetInput {
    /// Which product.
    pub product_id: ID,
    /// The product's version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// These media in this order and no others, at most 100; the first one is shown in lists.
    pub media_ids: Vec<ID>,
}

/// The media of a variant.
#[derive(Debug, InputObject)]
pub struct AdminVariantMediaSetInput {
    /// Which variant.
    pub variant_id: ID,
    /// The variant's version that you read; another one in the database is a `CONFLICT`.
    pub expected_version: Option<i32>,
    /// These media in this order and no others, at most 100; the first one stands for the variant.
    pub media_ids: Vec<ID>,
}

payload! {
    /// What `stagedUploadCreate` did.
    AdminStagedUploadCreatePayload {
        /// Where and how to send the file.
        staged_upload: AdminStagedUpload
    }
}

payload! {
    /// What `mediaCreate` did.
    AdminMediaCreatePayload {
        /// The new medium.
        media: AdminMedia
    }
}

payload! {
    /// What `mediaUpdate` did.
    AdminMediaUpdatePayload {
        /// The medium as it is now.
        media: AdminMedia
    }
}

payload! {
    /// What `mediaDelete` did.
    AdminMediaDeletePayload {
        /// The id of the medium that is gone.
        deleted_media_id: ID
    }
}

payload! {
    /// What `productMediaSet` did.
    AdminProductMediaSetPayload {
        /// The product as it is now.
        product: AdminProduct
    }
}

payload! {
    /// What `variantMediaSet` did.
    AdminVariantMediaSetPayload {
        /// The variant as it is now.
        variant: AdminVariant
    }
}

/// The owner's id and the ids of his media; all faults at once.
fn read_list<T: std::str::FromStr>(owner: &ID, name: &str, ids: &[ID]) -> Result<(T, Vec<MediaId>)> {
    let mut refusals = Refusals::default();
    let owner = refusals.keep(parse_id(owner, &[name]));
    let read = |(place, id): (usize, &ID)| parse_id(id, &["mediaIds", &place.to_string()]);
    let ids = ids.iter().enumerate().filter_map(|each| refusals.keep(read(each))).collect();
    refusals.into_result()?;
    Ok((owner.ok_or_else(|| Error::internal("a refusal was lost"))?, ids))
}

/// Mutations of media.
#[derive(Debug, Default)]
pub struct MediaAdminMutation;

#[Object]
impl MediaAdminMutation {
    /// Asks for the permission to upload a file. Send the file to the address within 15 minutes, then make a medium of
    /// it with `mediaCreate`.
    #[graphql(guard = "catalog_write()")]
    async fn staged_upload_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: AdminStagedUploadCreateInput,
    ) -> async_graphql::Result<AdminStagedUploadCreatePayload> {
        let call = call(ctx)?;
        let op = CreateStagedUpload {
            filename: input.filename,
            content_type: input.content_type,
            size: input.size.0,
            token: random_token(""),
            largest: call.app.files.max_upload(),
        };
        let outcome = call.app.run(&call.caller, &op).await;
        AdminStagedUploadCreatePayload::answer(outcome.map(|row| AdminStagedUpload::new(row, &op.token)))
    }

    /// Makes a medium of what you uploaded, or of an address on another server.
    #[graphql(guard = "catalog_write()")]
    async fn media_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new medium.")] input: AdminMediaCreateInput,
    ) -> async_graphql::Result<AdminMediaCreatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let upload = input.staged_upload_id.as_ref().map(|id| parse_id(id, &["stagedUploadId"])).transpose()?;
            if let Some(upload) = upload {
                arrived(&call.app, &call.conn(), upload).await?;
            }
            let op = CreateMedia {
                upload,
                url: input.url,
                kind: input.kind.map(|kind| kind.0),
                alt: input.alt,
                focal_point: input.focal_point.map(AdminFocalPointInput::read),
            };
            call.app.run(&call.caller, &op).await.map(AdminMedia::from)
        };
        AdminMediaCreatePayload::answer(outcome.await)
    }

    /// Changes what is said about a medium. Its file never changes: upload another one and replace it.
    #[graphql(guard = "catalog_write()")]
    async fn media_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: AdminMediaUpdateInput,
    ) -> async_graphql::Result<AdminMediaUpdatePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = UpdateMedia {
                id: parse_id(&input.id, &["id"])?,
                expected_version: input.expected_version,
                alt: change(input.alt),
                focal_point: change(input.focal_point).try_map(|point| Ok::<_, Error>(point.read()))?,
            };
            call.app.run(&call.caller, &op).await.map(AdminMedia::from)
        };
        AdminMediaUpdatePayload::answer(outcome.await)
    }

    /// Takes a medium out of the shop, with its file when nothing else shows it. While products show it, this is
    /// refused with `IN_USE`, once for each of them, at most 20 times.
    #[graphql(guard = "catalog_write()")]
    async fn media_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The medium.")] input: AdminMediaDeleteInput,
    ) -> async_graphql::Result<AdminMediaDeletePayload> {
        let call = call(ctx)?;
        let outcome = async {
            let op = DeleteMedia { id: parse_id(&input.id, &["id"])?, expected_version: input.expected_version };
            call.app.run(&call.caller, &op).await.map(id)
        };
        AdminMediaDeletePayload::answer(outcome.await)
    }

    /// Says which media a product shows, in which order.
    #[graphql(guard = "catalog_write()")]
    async fn product_media_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The product and its media.")] input: AdminProductMediaSetInput,
    ) -> async_graphql::Result<AdminProductMediaSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let (product, media) = read_list(&input.product_id, "productId", &input.media_ids)?;
            let op = SetProductMedia { product, expected_version: input.expected_version, media };
            call.app.run(&call.caller, &op).await.map(AdminProduct::from)
        };
        AdminProductMediaSetPayload::answer(outcome.await)
    }

    /// Says which media show a variant, in which order.
    #[graphql(guard = "catalog_write()")]
    async fn variant_media_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The variant and its media.")] input: AdminVariantMediaSetInput,
    ) -> async_graphql::Result<AdminVariantMediaSetPayload> {
        let call = call(ctx)?;
        let outcome = async {
            let (variant, media) = read_list(&input.variant_id, "variantId", &input.media_ids)?;
            let op = SetVariantMedia { variant, expected_version: input.expected_version, media };
            call.app.run(&call.caller, &op).await.map(AdminVariant::from)
        };
        AdminVariantMediaSetPayload::answer(outcome.await)
    }
}
