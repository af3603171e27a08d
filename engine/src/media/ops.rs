//! What staff change about media, and how uploads come to be.

use chrono::TimeDelta;
use domain::auth::Permission;
use domain::catalog::{MAX_MEDIA, MediaKind};
use domain::id::{MediaId, ProductId, StagedUploadId, VariantId};
use domain::media::{FocalPoint, MAX_OPEN_UPLOADS, MAX_VARIANT_MEDIA, alt, declared_type, external_url, filename};
use domain::refusal::{ErrorCode, Refusal, Refusals};
use entity::{media, product, staged_upload, variant};
use serde_json::{Value, json};

use super::{external, repo};
use crate::actor::{Actor, Need};
use crate::auth::token;
use crate::error::{Error, Result};
use crate::event::Aggregate;
use crate::op::{Op, Tx};
use crate::version::{Change, check_version};

const WRITE: Need = Need::Permission(Permission::CatalogWrite);
/// How long a token is good for.
const TOKEN_LIFE: TimeDelta = TimeDelta::minutes(15);
/// How long what was uploaded waits for a medium to be made of it.
const FILE_LIFE: TimeDelta = TimeDelta::hours(1);
/// How many products a refusal names.
const NAMED: u64 = 20;

/// A permission to upload one file.
#[derive(Debug, Clone)]
pub struct CreateStagedUpload {
    /// The file's name.
    pub filename: String,
    /// Its type, such as `image/jpeg`.
    pub content_type: String,
    /// Its length in bytes.
    pub size: i64,
    /// The secret of its address.
    pub token: String,
    /// The largest upload, in bytes.
    pub largest: u64,
}

impl Op for CreateStagedUpload {
    const NAME: &'static str = "stagedUpload.create";
    const NEEDS: Need = WRITE;
    type Out = staged_upload::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staged_upload::Model> {
        let mut refusals = Refusals::default();
        let name = refusals.keep(filename(&self.filename).map_err(|refusal| refusal.at(["filename"])));
        let kind = refusals.keep(declared_type(&self.content_type).map_err(|refusal| refusal.at(["contentType"])));
        let largest = i64::try_from(self.largest).unwrap_or(i64::MAX);
        if !(1..=largest).contains(&self.size) {
            let message = format!("A file has between 1 and {largest} bytes.");
            refusals.push(Refusal::new(ErrorCode::Invalid, message).limit(largest).at(["size"]));
        }
        let actor = tx.actor().to_string();
        if repo::count_open(tx, &actor).await? >= MAX_OPEN_UPLOADS {
            let message = format!("You have {MAX_OPEN_UPLOADS} uploads of which no medium was made yet.");
            refusals.push(Refusal::new(ErrorCode::TooMany, message).limit(MAX_OPEN_UPLOADS as i64));
        }
        refusals.into_result()?;
        let (Some(filename), Some(file_type)) = (name, kind) else {
            return Err(Error::internal("a refusal was lost"));
        };
        let row = staged_upload::Model {
            id: tx.id(),
            created_at: tx.now(),
            expires_at: tx.now() + TOKEN_LIFE,
            actor,
            token_hash: token::hash(&self.token),
            filename,
            file_type,
            file_size: self.size,
            taken_at: None,
            file_hash: None,
            width: None,
            height: None,
            media_id: None,
        };
        let row = repo::insert_upload(tx, row).await?;
        tx.audit(row.id, None, Some(json!({ "contentType": row.file_type, "size": row.file_size })));
        Ok(row)
    }
}

/// Uses a token up. Whoever has it may: it is the credential.
#[derive(Debug, Clone)]
pub struct ClaimUpload {
    /// The token.
    pub token: String,
}

impl Op for ClaimUpload {
    const NAME: &'static str = "stagedUpload.claim";
    const NEEDS: Need = Need::Nothing;
    type Out = staged_upload::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staged_upload::Model> {
        let hash = token::hash(&self.token);
        let mut row = repo::lock_unused(tx, &hash).await?.ok_or_else(|| Error::not_found("upload"))?;
        row.taken_at = Some(tx.now());
        // However late it began: it is not swept away while it comes in.
        row.expires_at = tx.now() + TOKEN_LIFE;
        repo::update_upload(tx, row).await
    }
}

/// Notes which file came. Only [`super::receive`] calls it.
#[derive(Debug, Clone)]
pub struct SettleUpload {
    /// Which upload.
    pub id: StagedUploadId,
    /// The hash of its bytes.
    pub hash: String,
    /// How large the picture is.
    pub size: Option<(u32, u32)>,
}

impl Op for SettleUpload {
    const NAME: &'static str = "stagedUpload.settle";
    const NEEDS: Need = Need::System;
    type Out = staged_upload::Model;

    async fn run(&self, tx: &mut Tx) -> Result<staged_upload::Model> {
        let mut row = repo::lock_upload(tx, self.id).await?.ok_or_else(|| Error::not_found("upload"))?;
        if row.taken_at.is_none() || row.file_hash.is_some() {
            return Err(Error::not_found("upload"));
        }
        row.file_hash = Some(self.hash.clone());
        row.width = self.size.map(|(width, _)| width as i32);
        row.height = self.size.map(|(_, height)| height as i32);
        row.expires_at = tx.now() + FILE_LIFE;
        repo::update_upload(tx, row).await
    }
}

/// Forgets an upload that was not taken. Only [`super::receive`] calls it.
#[derive(Debug, Clone)]
pub struct ForgetUpload {
    /// Which upload.
    pub id: StagedUploadId,
}

impl Op for ForgetUpload {
    const NAME: &'static str = "stagedUpload.forget";
    const NEEDS: Need = Need::System;
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        repo::delete_upload(tx, self.id).await
    }
}

/// A new medium: exactly one of an upload and an address.
#[derive(Debug, Clone, Default)]
pub struct CreateMedia {
    /// What was uploaded.
    pub upload: Option<StagedUploadId>,
    /// Where it lies.
    pub url: Option<String>,
    /// What it is, when it lies elsewhere.
    pub kind: Option<MediaKind>,
    /// What is shown or read aloud in its place.
    pub alt: Option<String>,
    /// The point that is never cut off, as decimal text.
    pub focal_point: Option<(String, String)>,
}

fn checked_alt(text: Option<&str>, refusals: &mut Refusals) -> Option<String> {
    refusals.keep(alt(text?).map_err(|refusal| refusal.at(["alt"]))).flatten()
}

fn checked_focal(point: Option<&(String, String)>, refusals: &mut Refusals) -> Option<FocalPoint> {
    match FocalPoint::parse(&point?.0, &point?.1) {
        Ok(point) => Some(point),
        Err(faults) => {
            refusals.extend(faults);
            None
        }
    }
}

fn summary(row: &media::Model) -> Value {
    json!({ "url": row.url, "alt": row.alt, "focalPoint": [row.focal_x, row.focal_y] })
}

impl Op for CreateMedia {
    const NAME: &'static str = "media.create";
    const NEEDS: Need = WRITE;
    type Out = media::Model;

    async fn run(&self, tx: &mut Tx) -> Result<media::Model> {
        let mut refusals = Refusals::default();
        let alt = checked_alt(self.alt.as_deref(), &mut refusals);
        let focal = checked_focal(self.focal_point.as_ref(), &mut refusals);
        let mut row = external(tx.id(), tx.now(), self.kind.unwrap_or(MediaKind::Image), String::new(), alt);
        row.focal_x = focal.map(|point| point.x);
        row.focal_y = focal.map(|point| point.y);
        let mut used = None;
        match (self.upload, &self.url) {
            (Some(upload), None) => {
                if self.kind.is_some_and(|kind| kind != MediaKind::Image) {
                    let message = "What is uploaded is a picture.";
                    refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["kind"]));
                }
                used = refusals.keep(usable(tx, upload).await?);
                if let Some(upload) = &used {
                    row.url = format!("/media/{}", row.id);
                    row.file_hash = upload.file_hash.clone();
                    row.file_type = Some(upload.file_type);
                    row.file_size = Some(upload.file_size);
                    row.filename = Some(upload.filename.clone());
                    (row.width, row.height) = (upload.width, upload.height);
                }
            }
            (None, Some(url)) => {
                let url = refusals.keep(external_url(url).map_err(|refusal| refusal.at(["url"])));
                row.url = url.unwrap_or_default();
            }
            (Some(_), Some(_)) => {
                let message = "Name an upload or an address, not both.";
                refusals.push(Refusal::new(ErrorCode::Invalid, message).at(["url"]));
            }
            (None, None) => {
                let message = "Name an upload or an address.";
                refusals.push(Refusal::new(ErrorCode::Required, message).at(["stagedUploadId"]));
            }
        }
        refusals.into_result()?;
        let row = repo::insert(tx, row).await?;
        if let Some(mut upload) = used {
            upload.media_id = Some(row.id);
            repo::update_upload(tx, upload).await?;
        }
        tx.emit(Aggregate::new("media", row.id), "media.created", json!({ "version": row.version }));
        tx.audit(row.id, None, Some(summary(&row)));
        Ok(row)
    }
}

/// An upload of the caller's of which a medium can be made.
async fn usable(tx: &Tx, id: StagedUploadId) -> Result<Result<staged_upload::Model, Refusal>> {
    let found = arrived(tx, id).await?;
    Ok(found.and_then(|row| match row.file_type.is_data() {
        true => {
            let refusal = Refusal::new(ErrorCode::Invalid, "This is a file to import, no picture.");
            Err(refusal.about(id).at(["stagedUploadId"]))
        }
        false => Ok(row),
    }))
}

/// An upload of the caller's that can be imported.
pub async fn importable(tx: &Tx, id: StagedUploadId) -> Result<Result<staged_upload::Model, Refusal>> {
    let found = arrived(tx, id).await?;
    Ok(found.and_then(|row| match row.file_type.is_data() {
        true => Ok(row),
        false => {
            let refusal = Refusal::new(ErrorCode::Invalid, "This is a picture, nothing to import.");
            Err(refusal.about(id).at(["stagedUploadId"]))
        }
    }))
}

/// An upload of the caller's that came and that nothing was made of yet.
async fn arrived(tx: &Tx, id: StagedUploadId) -> Result<Result<staged_upload::Model, Refusal>> {
    let row = repo::lock_upload(tx, id).await?;
    let own = |row: &staged_upload::Model| *tx.actor() == Actor::System || row.actor == tx.actor().to_string();
    let refusal = match row.filter(own) {
        None => Refusal::new(ErrorCode::NotFound, "There is no such upload."),
        Some(row) if row.media_id.is_some() => {
            Refusal::new(ErrorCode::StateInvalid, "A medium was made of this upload already.").about(id)
        }
        Some(row) if row.expires_at <= tx.now() => {
            Refusal::new(ErrorCode::StateInvalid, "The time of this upload is over; begin again.").about(id)
        }
        Some(row) if row.file_hash.is_none() => {
            Refusal::new(ErrorCode::StateInvalid, "Nothing was uploaded yet.").about(id)
        }
        Some(row) => return Ok(Ok(row)),
    };
    Ok(Err(refusal.at(["stagedUploadId"])))
}

/// What staff change about a medium; what is not given stays.
#[derive(Debug, Clone)]
pub struct UpdateMedia {
    /// Which medium.
    pub id: MediaId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// What is shown or read aloud in its place.
    pub alt: Change<String>,
    /// The point that is never cut off, as decimal text.
    pub focal_point: Change<(String, String)>,
}

impl Op for UpdateMedia {
    const NAME: &'static str = "media.update";
    const NEEDS: Need = WRITE;
    type Out = media::Model;

    async fn run(&self, tx: &mut Tx) -> Result<media::Model> {
        let before = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("medium"))?;
        check_version(self.expected_version, before.version)?;
        let mut refusals = Refusals::default();
        let mut after = before.clone();
        match &self.alt {
            Change::Keep => {}
            Change::Clear => after.alt = None,
            Change::To(text) => after.alt = checked_alt(Some(text), &mut refusals),
        }
        let focal = match &self.focal_point {
            Change::Keep => super::focal_point(&before),
            Change::Clear => None,
            Change::To(point) => checked_focal(Some(point), &mut refusals),
        };
        refusals.into_result()?;
        (after.focal_x, after.focal_y) = (focal.map(|point| point.x), focal.map(|point| point.y));
        after.version += 1;
        after.updated_at = tx.now();
        let after = repo::update(tx, after).await?;
        tx.emit(Aggregate::new("media", after.id), "media.updated", json!({ "version": after.version }));
        tx.audit(after.id, Some(summary(&before)), Some(summary(&after)));
        Ok(after)
    }
}

/// Takes a medium out of the shop, unless products show it.
#[derive(Debug, Clone)]
pub struct DeleteMedia {
    /// Which medium.
    pub id: MediaId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
}

impl Op for DeleteMedia {
    const NAME: &'static str = "media.delete";
    const NEEDS: Need = WRITE;
    type Out = MediaId;

    async fn run(&self, tx: &mut Tx) -> Result<MediaId> {
        let mut row = repo::lock(tx, self.id).await?.ok_or_else(|| Error::not_found("medium"))?;
        check_version(self.expected_version, row.version)?;
        let mut refusals = Refusals::default();
        for (product, handle) in repo::shown_by(&tx.conn, self.id, NAMED).await? {
            let message = format!("The product {handle:?} shows it; take it off there first.");
            refusals.push(Refusal::new(ErrorCode::InUse, message).at(["id"]).about(product));
        }
        for (collection, handle) in repo::pictured(&tx.conn, self.id, NAMED).await? {
            let message =
                format!("It is the picture of the collection {:?}; take it off there first.", handle.as_str());
            refusals.push(Refusal::new(ErrorCode::InUse, message).at(["id"]).about(collection));
        }
        refusals.into_result()?;
        let before = summary(&row);
        row.deleted_at = Some(tx.now());
        row.updated_at = tx.now();
        row.version += 1;
        let row = repo::update(tx, row).await?;
        tx.emit(Aggregate::new("media", row.id), "media.deleted", json!({}));
        tx.audit(row.id, Some(before), None);
        Ok(row.id)
    }
}

/// Refuses lists that are too long or name a medium twice or one that isn't there.
async fn check_list(tx: &Tx, ids: &[MediaId], most: usize) -> Result<()> {
    let mut refusals = Refusals::default();
    if ids.len() > most {
        let message = format!("There are more than {most} entries.");
        return Err(Refusal::new(ErrorCode::TooMany, message).limit(most as i64).at(["mediaIds"]).into());
    }
    let known: Vec<MediaId> = repo::lock_all(tx, ids).await?.into_iter().map(|row| row.id).collect();
    for (place, id) in ids.iter().enumerate() {
        let at = ["mediaIds".to_owned(), place.to_string()];
        if !known.contains(id) {
            refusals.push(Refusal::new(ErrorCode::NotFound, "There is no such medium.").at(at));
        } else if ids[..place].contains(id) {
            refusals.push(Refusal::new(ErrorCode::Duplicate, "This medium stands here twice.").at(at));
        }
    }
    Ok(refusals.into_result()?)
}

/// Says which media a product has, in which order.
#[derive(Debug, Clone)]
pub struct SetProductMedia {
    /// Which product.
    pub product: ProductId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// These media and no others; the first one is shown in lists.
    pub media: Vec<MediaId>,
}

impl Op for SetProductMedia {
    const NAME: &'static str = "product.mediaSet";
    const NEEDS: Need = WRITE;
    type Out = product::Model;

    async fn run(&self, tx: &mut Tx) -> Result<product::Model> {
        let row = crate::catalog::repo::lock(tx, self.product).await?;
        let mut row = row.ok_or_else(|| Error::not_found("product"))?;
        check_version(self.expected_version, row.version)?;
        check_list(tx, &self.media, MAX_MEDIA).await?;
        let before = repo::ids_of_product(&tx.conn, self.product).await?;
        repo::replace_of_product(tx, self.product, &self.media).await?;
        row.version += 1;
        row.updated_at = tx.now();
        let row = crate::catalog::repo::update(tx, row).await?;
        tx.emit(Aggregate::new("product", row.id), "product.updated", json!({ "version": row.version }));
        tx.audit(row.id, Some(json!({ "media": before })), Some(json!({ "media": self.media })));
        Ok(row)
    }
}

/// Says which media a variant has, in which order.
#[derive(Debug, Clone)]
pub struct SetVariantMedia {
    /// Which variant.
    pub variant: VariantId,
    /// The version that staff saw.
    pub expected_version: Option<i32>,
    /// These media and no others; the first one stands for the variant.
    pub media: Vec<MediaId>,
}

impl Op for SetVariantMedia {
    const NAME: &'static str = "variant.mediaSet";
    const NEEDS: Need = WRITE;
    type Out = variant::Model;

    async fn run(&self, tx: &mut Tx) -> Result<variant::Model> {
        let gone = || Error::not_found("variant");
        let known = crate::catalog::repo::variants_by_ids(&tx.conn, &[self.variant]).await?.pop().ok_or_else(gone)?;
        // The product first: the event is one of its own.
        let product = crate::catalog::repo::lock(tx, known.product_id).await?.ok_or_else(gone)?;
        let mut row = repo::lock_variant(tx, self.variant).await?.ok_or_else(gone)?;
        check_version(self.expected_version, row.version)?;
        check_list(tx, &self.media, MAX_VARIANT_MEDIA).await?;
        let before = repo::ids_of_variant(&tx.conn, self.variant).await?;
        repo::replace_of_variant(tx, self.variant, &self.media).await?;
        row.version += 1;
        row.updated_at = tx.now();
        let row = repo::update_variant(tx, row).await?;
        let payload = json!({ "version": product.version, "variant": row.id });
        tx.emit(Aggregate::new("product", product.id), "product.updated", payload);
        tx.audit(row.id, Some(json!({ "media": before })), Some(json!({ "media": self.media })));
        Ok(row)
    }
}
