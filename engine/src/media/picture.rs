//! Opening, cutting, resizing and writing pictures. Everything here takes its
//! time: call [`draw`] where blocking is allowed.

use std::io::Cursor;

use domain::media::{FileType, MAX_EDGE, MAX_PIXELS, MediaFormat, Plan};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage};

/// How good a JPEG looks, of 100.
const QUALITY: u8 = 82;
/// The most memory that opening a picture may take, in bytes: the largest one
/// that is let in, in its costliest form.
const MEMORY: u64 = MAX_PIXELS * 8 + 64 * 1024 * 1024;

/// Why a picture can't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It would take too much memory.
    #[error("the picture is too large")]
    TooLarge,
    /// It breaks the rules of its format.
    #[error("the picture can't be read")]
    Broken,
}

impl From<ImageError> for Unusable {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            _ => Self::Broken,
        }
    }
}

fn format(kind: FileType) -> Option<ImageFormat> {
    match kind {
        FileType::Jpeg => Some(ImageFormat::Jpeg),
        FileType::Png => Some(ImageFormat::Png),
        FileType::Webp => Some(ImageFormat::WebP),
        FileType::Gif => Some(ImageFormat::Gif),
        FileType::Svg | FileType::Csv | FileType::Json => None,
    }
}

fn open(bytes: &[u8]) -> Result<impl ImageDecoder + '_, Unusable> {
    let format = FileType::of(bytes).and_then(format).ok_or(Unusable::Broken)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width > MAX_EDGE || height > MAX_EDGE {
        return Err(Unusable::TooLarge);
    }
    if width == 0 || height == 0 { Err(Unusable::Broken) } else { Ok(decoder) }
}

/// The size of a picture as it is seen, read from its beginning: nothing is
/// decoded. A camera that was held upright says so beside the pixels.
pub fn measure(bytes: &[u8]) -> Result<(u32, u32), Unusable> {
    let mut decoder = open(bytes)?;
    let (width, height) = decoder.dimensions();
    Ok(match decoder.orientation().unwrap_or(Orientation::NoTransforms) {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
        _ => (width, height),
    })
}

/// Draws a picture to a plan. What a camera noted beside the pixels, such as
/// the place, is not taken along.
pub fn draw(bytes: &[u8], plan: &Plan) -> Result<Vec<u8>, Unusable> {
    let mut decoder = open(bytes)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let mut picture = match picture.color().has_alpha() {
        true => DynamicImage::ImageRgba8(picture.into_rgba8()),
        false => DynamicImage::ImageRgb8(picture.into_rgb8()),
    };
    if (picture.width(), picture.height()) != plan.part {
        picture = picture.crop_imm(plan.from.0, plan.from.1, plan.part.0, plan.part.1);
    }
    if plan.size != plan.part {
        picture = picture.resize_exact(plan.size.0, plan.size.1, FilterType::CatmullRom);
    }
    write(picture, plan.format)
}

fn write(picture: DynamicImage, format: MediaFormat) -> Result<Vec<u8>, Unusable> {
    let mut written = Cursor::new(Vec::new());
    match format {
        MediaFormat::Jpeg => {
            let opaque = on_white(picture);
            JpegEncoder::new_with_quality(&mut written, QUALITY).encode_image(&opaque)?;
        }
        MediaFormat::Png => picture.write_to(&mut written, ImageFormat::Png)?,
        MediaFormat::Webp => picture.write_to(&mut written, ImageFormat::WebP)?,
    }
    Ok(written.into_inner())
}

fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let mut opaque = RgbImage::new(picture.width(), picture.height());
    for (from, to) in picture.pixels().zip(opaque.pixels_mut()) {
        let [red, green, blue, alpha] = from.0;
        let over = |color: u8| {
            let (color, alpha) = (u32::from(color), u32::from(alpha));
            ((color * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        to.0 = [over(red), over(green), over(blue)];
    }
    opaque
}
