//! How pictures, films and files look.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MergedObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::catalog::MediaKind;
use domain::media::{MediaFit, MediaFormat, Transform, part_of_edge};
use domain::refusal::{ErrorCode, Refusal};
use entity::{media, staged_upload};

use crate::api::page::connection;
use crate::api::payload::top_level;
use crate::api::ready::at_once;
use crate::api::scalar::{Decimal, Int64, id};
use crate::api::word::Enum;
use engine::media::{address, focal_point};

/// A picture, film or file.
#[derive(Debug, Clone)]
pub struct Media(Arc<media::Model>);

impl From<media::Model> for Media {
    fn from(row: media::Model) -> Self {
        Self(Arc::new(row))
    }
}

at_once!(Media, |media| {
    id: id(media.0.id),
    kind: Enum(media.0.kind),
    url: media.0.url.as_str(),
    alt: media.0.alt.as_deref(),
    width: media.0.width,
    height: media.0.height,
    focal_point: media.point(),
    content_type: media.0.file_type.map(|kind| kind.as_str()),
});

impl Media {
    fn point(&self) -> Option<MediaFocalPoint> {
        let point = focal_point(&self.0)?;
        Some(MediaFocalPoint { x: Decimal(part_of_edge(point.x)), y: Decimal(part_of_edge(point.y)) })
    }
}

impl From<Arc<media::Model>> for Media {
    fn from(row: Arc<media::Model>) -> Self {
        Self(row)
    }
}

/// How you want to see a picture that the shop stores.
#[derive(Debug, Clone, Default, InputObject)]
pub struct MediaTransformInput {
    /// Its width in pixels, 1 to 9999. It is rounded up to the next of 48, 96, 160, 240, 320, 480, 640, 800, 960,
    /// 1280, 1600, 1920 and 2560; a picture never grows.
    pub width: Option<i32>,
    /// Its height in pixels, rounded up like the width.
    pub height: Option<i32>,
    /// How it is brought into both; it fills both when absent.
    pub fit: Option<Enum<MediaFit>>,
    /// The format in which it is sent; the one that it has when absent, PNG for a GIF.
    pub format: Option<Enum<MediaFormat>>,
}

impl MediaTransformInput {
    fn read(&self) -> Result<Transform, Refusal> {
        let edge = |asked: Option<i32>, name: &str| match asked.map(u32::try_from) {
            None => Ok(None),
            Some(Ok(edge)) => Ok(Some(edge)),
            Some(Err(_)) => Err(Refusal::new(ErrorCode::Invalid, "An edge can't be negative.").at(["transform", name])),
        };
        let transform = Transform {
            width: edge(self.width, "width")?,
            height: edge(self.height, "height")?,
            fit: self.fit.map_or(MediaFit::Cover, |fit| fit.0),
            format: self.format.map(|format| format.0),
        };
        transform.checked()
    }
}

/// A point of a picture, in parts of its edges.
#[derive(Debug, Clone, SimpleObject)]
pub struct MediaFocalPoint {
    /// From the left: `0` is the left edge, `1` the right one.
    pub x: Decimal,
    /// From the top: `0` is the upper edge, `1` the lower one.
    pub y: Decimal,
}

at_once!(MediaFocalPoint { x, y });

/// A picture, film or file.
#[Object]
impl Media {
    /// Its id.
    async fn id(&self) -> ID {
        id(self.0.id)
    }

    /// What it is.
    async fn kind(&self) -> Enum<MediaKind> {
        Enum(self.0.kind)
    }

    /// Its address: absolute, or a path on this server. A picture that the shop stores can be had in another size
    /// and format; drawings (SVG) and what lies on another server come as they are, whatever you ask.
    async fn url(
        &self,
        #[graphql(desc = "How you want to see it; the file as it was uploaded when absent.")] transform: Option<
            MediaTransformInput,
        >,
    ) -> async_graphql::Result<String> {
        let asked = transform.unwrap_or_default().read().map_err(|refusal| top_level(refusal.into()))?;
        Ok(address(&self.0, &asked))
    }

    /// What is shown or read aloud in its place.
    async fn alt(&self) -> Option<&str> {
        self.0.alt.as_deref()
    }

    /// The width in pixels of the picture as it was uploaded; null when the shop doesn't store it, or it has none.
    async fn width(&self) -> Option<i32> {
        self.0.width
    }

    /// The height in pixels of the picture as it was uploaded; null when the shop doesn't store it, or it has none.
    async fn height(&self) -> Option<i32> {
        self.0.height
    }

    /// The point that is never cut off; null is the middle.
    async fn focal_point(&self) -> Option<MediaFocalPoint> {
        self.point()
    }

    /// The type of the file as it was uploaded, such as `image/jpeg`; null when the shop doesn't store it.
    async fn content_type(&self) -> Option<&str> {
        self.0.file_type.map(|kind| kind.as_str())
    }
}

/// What only staff see of a medium.
#[derive(Debug, Clone)]
pub struct MediaStaff(Arc<media::Model>);

#[Object]
impl MediaStaff {
    /// Rises with every change; send it as `expectedVersion`.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// The name of the file on the computer that it came from; null when the shop doesn't store it.
    async fn filename(&self) -> Option<&str> {
        self.0.filename.as_deref()
    }

    /// The length of the file in bytes; null when the shop doesn't store it.
    async fn size(&self) -> Option<Int64> {
        self.0.file_size.map(Int64)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was changed last.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A picture, film or file as staff see it.
#[derive(MergedObject, Debug, Clone)]
pub struct AdminMedia(Media, MediaStaff);

impl From<media::Model> for AdminMedia {
    fn from(row: media::Model) -> Self {
        let row = Arc::new(row);
        Self(Media(row.clone()), MediaStaff(row))
    }
}

impl AdminMedia {
    /// The id, for `AdminNode`.
    pub async fn id(&self, _: &Context<'_>) -> async_graphql::Result<ID> {
        Ok(id(self.0.0.id))
    }
}

connection! {
    /// A page of media.
    AdminMediaConnection, AdminMediaEdge, AdminMedia, media::Model
}

/// A header that a request must have.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminUploadHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A permission to upload one file: send it as the body of one request, without cookies or other credentials.
#[derive(Debug, Clone, SimpleObject)]
pub struct AdminStagedUpload {
    /// Its id, for `mediaCreate`. It is yours: nobody else can use it.
    pub id: ID,
    /// Where the file goes: a path on this server. It holds a secret and is good for one try.
    pub url: String,
    /// The method of the request: `PUT`.
    pub method: String,
    /// The headers that the request must have.
    pub headers: Vec<AdminUploadHeader>,
    /// When the address stops working. What was uploaded waits an hour for `mediaCreate`.
    pub expires_at: DateTime<Utc>,
}

impl AdminStagedUpload {
    /// With the secret, which is shown once.
    pub fn new(row: staged_upload::Model, token: &str) -> Self {
        let header = |name: &str, value: String| AdminUploadHeader { name: name.to_owned(), value };
        Self {
            id: id(row.id),
            url: format!("/uploads/{token}"),
            method: "PUT".to_owned(),
            headers: vec![
                header("Content-Type", row.file_type.to_string()),
                header("Content-Length", row.file_size.to_string()),
            ],
            expires_at: row.expires_at,
        }
    }
}
