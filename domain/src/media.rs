//! Pictures: which files may be uploaded, how an address from outside must
//! look, and what a picture becomes when it is asked for in another size.

use crate::catalog::{MAX_ALT, MAX_URL};
use crate::money::{format_decimal, parse_decimal};
use crate::refusal::{ErrorCode, Refusal};
use crate::word::words;

/// The largest upload when nothing else is set, in bytes: 20 MiB.
pub const MAX_UPLOAD: u64 = 20 * 1024 * 1024;
/// The most pixels of a picture: more would take too much memory to open.
pub const MAX_PIXELS: u64 = 50_000_000;
/// The longest edge of a picture, in pixels.
pub const MAX_EDGE: u32 = 32_767;
/// The most uploads that one member of staff may have open.
pub const MAX_OPEN_UPLOADS: u64 = 250;
/// The most media that a variant has.
pub const MAX_VARIANT_MEDIA: usize = 100;
/// The whole of an edge, in the parts in which a focal point is kept.
pub const WHOLE: i32 = 1_000_000;
/// The edges that pictures are resized to. What is asked for is rounded up to
/// one of these, so that nobody can fill the disk with sizes.
pub const LADDER: &[u32] = &[48, 96, 160, 240, 320, 480, 640, 800, 960, 1280, 1600, 1920, 2560];
/// The largest edge that may be asked for; beyond the ladder it means its end.
pub const MAX_ASKED: u32 = 10_000;

words! {
    /// What a file is, found out from its bytes.
    pub enum FileType {
        /// A photograph.
        Jpeg = "image/jpeg",
        /// A picture without loss.
        Png = "image/png",
        /// A picture of either kind.
        Webp = "image/webp",
        /// A picture of few colors, perhaps moving; resized, its first frame.
        Gif = "image/gif",
        /// A drawing. It may hold programs, so browsers are told to download it.
        Svg = "image/svg+xml",
        /// A table, for an import.
        Csv = "text/csv",
        /// A list of objects, for an import.
        Json = "application/json",
    }
}

words! {
    /// How a picture is brought into the width and height that you name.
    pub enum MediaFit {
        /// It fills both; what lies far from the focal point is cut off.
        Cover = "COVER",
        /// All of it is seen; one edge may be shorter than asked.
        Contain = "CONTAIN",
    }
}

words! {
    /// The format in which a picture is sent.
    pub enum MediaFormat {
        /// WebP without loss: small for drawings, large for photographs.
        Webp = "WEBP",
        /// JPEG: small for photographs; what was transparent is white.
        Jpeg = "JPEG",
        /// PNG: without loss.
        Png = "PNG",
    }
}

impl FileType {
    /// What the bytes are, whatever anybody says they are.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            _ => is_svg(bytes).then_some(Self::Svg),
        }
    }

    /// Whether it has pixels, and so can be resized.
    pub fn has_pixels(self) -> bool {
        self != Self::Svg && !self.is_data()
    }

    /// Whether it is for an import: what its bytes are is found out there, and
    /// no medium is made of it.
    pub fn is_data(self) -> bool {
        matches!(self, Self::Csv | Self::Json)
    }

    /// The format in which it is resized when none is named.
    pub fn resized(self) -> MediaFormat {
        match self {
            Self::Jpeg => MediaFormat::Jpeg,
            Self::Webp => MediaFormat::Webp,
            Self::Png | Self::Gif | Self::Svg | Self::Csv | Self::Json => MediaFormat::Png,
        }
    }
}

impl MediaFormat {
    /// What the answer is called.
    pub fn file_type(self) -> FileType {
        match self {
            Self::Webp => FileType::Webp,
            Self::Jpeg => FileType::Jpeg,
            Self::Png => FileType::Png,
        }
    }

    /// How its file names end, and what addresses call it.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
        }
    }
}

/// Whether it is text whose first element is `svg`.
fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->")
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            instruction.split_once("?>")
        } else if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype")) {
            // An internal subset may define entities: no drawing program writes one.
            rest.split_once('>').filter(|(inner, _)| !inner.contains('['))
        } else {
            let name = rest.strip_prefix("<svg");
            return name.is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/'));
        };
        match after {
            Some((_, behind)) => rest = behind.trim_start(),
            None => return false,
        }
    }
}

/// The name of a file on the computer that it came from, for staff alone.
pub fn filename(text: &str) -> Result<String, Refusal> {
    let name = crate::text::title(text)?;
    if name.contains(['/', '\\']) || name == "." || name == ".." {
        return Err(Refusal::new(ErrorCode::Invalid, "This is a path; give the file's name alone."));
    }
    Ok(name)
}

/// The type that staff say a file has.
pub fn declared_type(text: &str) -> Result<FileType, Refusal> {
    text.trim().to_ascii_lowercase().parse().map_err(|_| {
        let known: Vec<_> = FileType::ALL.iter().map(|kind| kind.as_str()).collect();
        Refusal::new(ErrorCode::Invalid, format!("Files of this type are not taken, only {}.", known.join(", ")))
    })
}

/// An address of another server, for browsers: http or https, with a host and
/// without a name or password in it. The shop itself never fetches it.
pub fn external_url(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.len() > MAX_URL {
        let message = format!("This is longer than {MAX_URL} bytes.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_URL as i64));
    }
    let scheme = |name: &str| {
        let (start, rest) = text.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(rest)
    };
    let rest = scheme("https://").or_else(|| scheme("http://"));
    let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(Refusal::new(ErrorCode::Invalid, "An address that everybody sees can't hold a name or password."));
    }
    let has_host = authority.is_some_and(|authority| !authority.is_empty() && !authority.starts_with(':'));
    if has_host && !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
        Ok(text.to_owned())
    } else {
        Err(Refusal::new(ErrorCode::Invalid, "This is no address that begins with https:// or http://."))
    }
}

/// What is shown or read aloud in place of a picture; blank is none.
pub fn alt(text: &str) -> Result<Option<String>, Refusal> {
    let text = text.trim();
    if text.chars().nth(MAX_ALT).is_some() {
        let message = format!("This is longer than {MAX_ALT} characters.");
        return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_ALT as i64));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The point of a picture that is never cut off, in millionths of its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FocalPoint {
    /// From the left.
    pub x: i32,
    /// From the top.
    pub y: i32,
}

impl FocalPoint {
    /// The middle, where nothing else is said.
    pub const CENTER: Self = Self { x: WHOLE / 2, y: WHOLE / 2 };

    /// Reads both parts, each between `0` and `1`.
    pub fn parse(x: &str, y: &str) -> Result<Self, Vec<Refusal>> {
        let part = |text: &str, name: &str| match parse_decimal(text, 6) {
            Ok(part @ 0..=1_000_000) => Ok(part as i32),
            _ => {
                let message = "A part of an edge is between 0 and 1, with up to six decimals.";
                Err(Refusal::new(ErrorCode::Invalid, message).at(["focalPoint", name]))
            }
        };
        match (part(x, "x"), part(y, "y")) {
            (Ok(x), Ok(y)) => Ok(Self { x, y }),
            (x, y) => Err([x.err(), y.err()].into_iter().flatten().collect()),
        }
    }
}

/// A part of an edge as decimal text: 250000 is `0.25`.
pub fn part_of_edge(millionths: i32) -> String {
    let text = format_decimal(millionths.into(), 6);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How somebody wants to see a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transform {
    /// At most so wide.
    pub width: Option<u32>,
    /// At most so high. An edge that is not named ends with the ladder.
    pub height: Option<u32>,
    /// How it is brought into both.
    pub fit: MediaFit,
    /// As what it is sent; near to what it is when absent.
    pub format: Option<MediaFormat>,
}

impl Transform {
    /// Refuses edges that nobody can mean, and rounds the rest up to the ladder.
    pub fn checked(self) -> Result<Self, Refusal> {
        let edge = |asked: Option<u32>, name: &str| match asked {
            Some(0) | Some(MAX_ASKED..) => {
                let message = format!("An edge is between 1 and {} pixels.", MAX_ASKED - 1);
                Err(Refusal::new(ErrorCode::Invalid, message).limit((MAX_ASKED - 1).into()).at([name]))
            }
            asked => Ok(asked.map(rung)),
        };
        Ok(Self { width: edge(self.width, "width")?, height: edge(self.height, "height")?, ..self })
    }

    /// Whether it asks for anything else than the file as it is.
    pub fn changes(&self) -> bool {
        self.width.is_some() || self.height.is_some() || self.format.is_some()
    }
}

/// The first rung of the ladder that is high enough, or its end.
pub fn rung(edge: u32) -> u32 {
    let end = LADDER.last().copied().unwrap_or(edge);
    LADDER.iter().copied().find(|rung| *rung >= edge).unwrap_or(end)
}

/// What is done with a picture: a part of it is cut out, brought to a size and
/// written in a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Where the part begins: from the left and from the top.
    pub from: (u32, u32),
    /// How large the part is.
    pub part: (u32, u32),
    /// How large it becomes; never larger than it was.
    pub size: (u32, u32),
    /// As what it is written.
    pub format: MediaFormat,
}

impl Plan {
    /// A name that tells this outcome from all others of the same picture.
    pub fn name(&self) -> String {
        let Self { from, part, size, format } = self;
        let extension = format.extension();
        format!("{}x{}-{}-{}-{}x{}.{extension}", size.0, size.1, from.0, from.1, part.0, part.1)
    }
}

/// What becomes of a picture of this type, size and focal point when it is
/// asked for like this.
pub fn plan(kind: FileType, original: (u32, u32), focal: FocalPoint, asked: &Transform) -> Plan {
    let format = asked.format.unwrap_or(kind.resized());
    let (width, height) = original;
    if let (Some(wide), Some(high), MediaFit::Cover) = (asked.width, asked.height, asked.fit) {
        let (w, h, tw, th) = (u64::from(width), u64::from(height), u64::from(wide), u64::from(high));
        let part = match w * th >= h * tw {
            true => (rounded(h * tw, th).clamp(1, width), height),
            false => (width, rounded(w * th, tw).clamp(1, height)),
        };
        let from = (begin(width, part.0, focal.x), begin(height, part.1, focal.y));
        let size = (part.0.min(wide), part.1.min(high));
        return Plan { from, part, size, format };
    }
    let end = rung(u32::MAX);
    let (wide, high) = (asked.width.unwrap_or(end), asked.height.unwrap_or(end));
    let (w, h, tw, th) = (u64::from(width), u64::from(height), u64::from(wide), u64::from(high));
    let size = if width <= wide && height <= high {
        original
    } else if w * th >= h * tw {
        (wide, rounded(h * tw, w).max(1))
    } else {
        (rounded(w * th, h).max(1), high)
    };
    Plan { from: (0, 0), part: original, size, format }
}

fn rounded(numerator: u64, denominator: u64) -> u32 {
    let denominator = denominator.max(1);
    u32::try_from((numerator * 2 + denominator) / (denominator * 2)).unwrap_or(u32::MAX)
}

/// Where a part of this length begins so that the focal point lies in its
/// middle, or as near to it as the picture's edges let it.
fn begin(edge: u32, part: u32, focal: i32) -> u32 {
    let point = i64::from(edge) * i64::from(focal) / i64::from(WHOLE);
    let begin = (point - i64::from(part) / 2).clamp(0, i64::from(edge - part));
    u32::try_from(begin).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(width: Option<u32>, height: Option<u32>, fit: MediaFit) -> Transform {
        Transform { width, height, fit, format: None }.checked().unwrap()
    }

    #[test]
    fn files_are_what_their_bytes_say() {
        assert_eq!(FileType::of(b"\xFF\xD8\xFF\xE0rest"), Some(FileType::Jpeg));
        assert_eq!(FileType::of(b"\x89PNG\r\n\x1a\nrest"), Some(FileType::Png));
        assert_eq!(FileType::of(b"GIF89a..."), Some(FileType::Gif));
        assert_eq!(FileType::of(b"RIFF\0\0\0\0WEBPVP8 "), Some(FileType::Webp));
        for svg in [
            "<svg/>",
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- x -->\n<!DOCTYPE svg PUBLIC \"x\" \"y\">\n<svg xmlns=\"z\"></svg>",
        ] {
            assert_eq!(FileType::of(svg.as_bytes()), Some(FileType::Svg), "{svg}");
        }
        for other in
            ["", "<html><svg/></html>", "<svgx>", "<!-- <svg>", "%PDF-1.7", "<!DOCTYPE svg [<!ENTITY a \"b\">]><svg/>"]
        {
            assert_eq!(FileType::of(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn addresses_from_outside_are_for_browsers_and_hold_no_secret() {
        for text in
            ["https://cdn.example/a.jpg", "HTTP://cdn.example", "https://cdn.example/@ada/x?y#z", "https://[::1]:1/"]
        {
            assert!(external_url(text).is_ok(), "{text}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL));
        for text in [
            "",
            "/media/a.jpg",
            "ftp://a.example/x",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://:80/",
            "https://ada:secret@a.example/",
            "https://ada@a.example/",
            "https://a.example/ x",
            "https://a.example\\x",
            "data:image/png;base64,AA",
            long.as_str(),
        ] {
            assert!(external_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_files_are_no_paths() {
        assert_eq!(filename(" lamp.jpg ").unwrap(), "lamp.jpg");
        for text in ["", "../lamp.jpg", "a/b", "a\\b", "..", "a\nb"] {
            assert!(filename(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_focal_point_is_two_parts_of_an_edge() {
        assert_eq!(FocalPoint::parse("0.25", "1").unwrap(), FocalPoint { x: 250_000, y: WHOLE });
        assert_eq!(
            (part_of_edge(250_000), part_of_edge(WHOLE), part_of_edge(0)),
            ("0.25".into(), "1".into(), "0".into())
        );
        assert_eq!(FocalPoint::parse("-0.1", "1.000001").unwrap_err().len(), 2);
    }

    #[test]
    fn sizes_are_rounded_up_to_the_ladder() {
        assert_eq!([1, 48, 49, 2560, 9_999].map(rung), [48, 48, 96, 2560, 2560]);
        let too = |width| Transform { width: Some(width), height: None, fit: MediaFit::Cover, format: None }.checked();
        assert!(too(0).is_err() && too(MAX_ASKED).is_err() && too(MAX_ASKED - 1).is_ok());
    }

    #[test]
    fn cover_cuts_around_the_focal_point() {
        let of = |focal| plan(FileType::Png, (400, 200), focal, &asked(Some(96), Some(96), MediaFit::Cover));
        let center = of(FocalPoint::CENTER);
        assert_eq!((center.from, center.part, center.size), ((100, 0), (200, 200), (96, 96)));
        assert_eq!(of(FocalPoint { x: 0, y: 0 }).from, (0, 0));
        assert_eq!(of(FocalPoint { x: WHOLE, y: WHOLE }).from, (200, 0));
        assert_eq!(of(FocalPoint { x: 300_000, y: 0 }).from, (20, 0));
    }

    #[test]
    fn nothing_grows() {
        let small = plan(FileType::Jpeg, (50, 30), FocalPoint::CENTER, &asked(Some(320), None, MediaFit::Contain));
        assert_eq!((small.size, small.format), ((50, 30), MediaFormat::Jpeg));
        let square = plan(FileType::Jpeg, (50, 30), FocalPoint::CENTER, &asked(Some(320), Some(320), MediaFit::Cover));
        assert_eq!((square.part, square.size), ((30, 30), (30, 30)));
    }

    #[test]
    fn contain_shows_all_of_it() {
        let of = |width, height| {
            plan(FileType::Png, (400, 200), FocalPoint::CENTER, &asked(width, height, MediaFit::Contain)).size
        };
        assert_eq!(of(Some(96), Some(96)), (96, 48));
        assert_eq!(of(None, Some(96)), (192, 96));
        assert_eq!(of(Some(160), None), (160, 80));
        let huge = plan(
            FileType::Gif,
            (9_000, 90),
            FocalPoint::CENTER,
            &Transform { format: Some(MediaFormat::Webp), ..asked(None, None, MediaFit::Cover) },
        );
        assert_eq!((huge.size, huge.format), ((2560, 26), MediaFormat::Webp));
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_picture(
            w in 1u32..40_000, h in 1u32..40_000, x in 0i32..=WHOLE, y in 0i32..=WHOLE,
            wide in proptest::option::of(1u32..MAX_ASKED), high in proptest::option::of(1u32..MAX_ASKED), cover: bool,
        ) {
            let fit = if cover { MediaFit::Cover } else { MediaFit::Contain };
            let plan = plan(FileType::Png, (w, h), FocalPoint { x, y }, &asked(wide, high, fit));
            prop_assert!(plan.part.0 >= 1 && plan.part.1 >= 1);
            prop_assert!(plan.from.0 + plan.part.0 <= w && plan.from.1 + plan.part.1 <= h);
            prop_assert!(plan.size.0 >= 1 && plan.size.0 <= plan.part.0.max(1));
            prop_assert!(plan.size.1 >= 1 && plan.size.1 <= plan.part.1.max(1));
            prop_assert!(plan.size.0 <= 2560 && plan.size.1 <= 2560);
        }
    }
}
