//! Pictures of the demo shop's products, drawn from a shape and two colors, so
//! that the shop has something to show without any file or outside address.

/// The shapes that [`svg`] draws.
pub const SHAPES: [&str; 21] = [
    "bag",
    "basket",
    "blanket",
    "bottle",
    "bowl",
    "candle",
    "chair",
    "clock",
    "cushion",
    "frame",
    "glove",
    "lamp",
    "mug",
    "notebook",
    "pen",
    "plant",
    "shelf",
    "tool",
    "tray",
    "vase",
    "watering-can",
];

/// A square SVG of 800 units that shows the shape in `color_a` with details in
/// `color_b`, both `#rrggbb`. `None` for an unknown shape or a malformed color:
/// nothing but checked colors gets into the markup.
pub fn svg(shape: &str, color_a: &str, color_b: &str) -> Option<String> {
    let colors = Colors::new(Color::parse(color_a)?, Color::parse(color_b)?);
    let (drawing, shadow) = match shape {
        "bag" => (bag(&colors), 190),
        "basket" => (basket(&colors), 220),
        "blanket" => (blanket(&colors), 235),
        "bottle" => (bottle(&colors), 110),
        "bowl" => (bowl(&colors), 180),
        "candle" => (candle(&colors), 150),
        "chair" => (chair(&colors), 190),
        "clock" => (clock(&colors), 150),
        "cushion" => (cushion(&colors), 210),
        "frame" => (frame(&colors), 200),
        "glove" => (glove(&colors), 130),
        "lamp" => (lamp(&colors), 150),
        "mug" => (mug(&colors), 170),
        "notebook" => (notebook(&colors), 190),
        "pen" => (pen(&colors), 160),
        "plant" => (plant(&colors), 150),
        "shelf" => (shelf(&colors), 0),
        "tool" => (tool(&colors), 170),
        "tray" => (tray(&colors), 265),
        "vase" => (vase(&colors), 130),
        "watering-can" => (watering_can(&colors), 200),
        _ => return None,
    };
    let Colors { wall, floor, shade, .. } = &colors;
    let shadow = match shadow {
        0 => String::new(),
        radius => format!(r#"<ellipse cx="400" cy="652" rx="{radius}" ry="20" fill="{shade}"/>"#),
    };
    Some(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 800" width="800" height="800"><rect width="800" height="800" fill="{wall}"/><circle cx="400" cy="380" r="300" fill="{floor}"/>{shadow}{drawing}</svg>"#
    ))
}

#[derive(Clone, Copy)]
struct Color([u8; 3]);

const WHITE: Color = Color([255, 255, 255]);
const INK: Color = Color([38, 34, 30]);

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        // from_str_radix takes a sign, so the digits are looked at first.
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let part = |start: usize| u8::from_str_radix(digits.get(start..start + 2)?, 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// This color with `percent` of the other mixed in.
    fn mixed(self, other: Self, percent: u32) -> Self {
        let mut parts = self.0;
        for (part, other) in parts.iter_mut().zip(other.0) {
            // The mean of two bytes is a byte.
            *part = ((u32::from(*part) * (100 - percent) + u32::from(other) * percent) / 100) as u8;
        }
        Self(parts)
    }
}

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The colors of one picture, all made from the two that were given.
struct Colors {
    body: Color,
    dark: Color,
    light: Color,
    accent: Color,
    accent_dark: Color,
    wall: Color,
    floor: Color,
    shade: Color,
    paper: Color,
    ink: Color,
}

impl Colors {
    fn new(body: Color, accent: Color) -> Self {
        let wall = accent.mixed(WHITE, 84);
        Self {
            body,
            dark: body.mixed(INK, 24),
            light: body.mixed(WHITE, 26),
            accent,
            accent_dark: accent.mixed(INK, 26),
            wall,
            floor: accent.mixed(WHITE, 72),
            shade: accent.mixed(WHITE, 72).mixed(INK, 16),
            paper: accent.mixed(WHITE, 94),
            ink: INK,
        }
    }
}

fn bag(colors: &Colors) -> String {
    let Colors { body, dark, accent, .. } = colors;
    format!(
        r#"<path d="M310 330V260a90 90 0 0 1 180 0v70" fill="none" stroke="{dark}" stroke-width="22"/><path d="M220 310h360l30 340H190z" fill="{body}"/><path d="M520 310h60l30 340H540z" fill="{dark}"/><rect x="300" y="430" width="170" height="120" rx="10" fill="{accent}"/><circle cx="310" cy="345" r="11" fill="{accent}"/><circle cx="490" cy="345" r="11" fill="{accent}"/>"#
    )
}

fn basket(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, .. } = colors;
    let mut weave = String::new();
    for row in 0..5 {
        for column in 0..9 {
            let (x, y) = (208 + column * 44 + (row % 2) * 22, 430 + row * 44);
            weave.push_str(&format!(r#"<rect x="{x}" y="{y}" width="26" height="20" rx="8" fill="{light}"/>"#));
        }
    }
    format!(
        r#"<path d="M240 400C250 190 550 190 560 400" fill="none" stroke="{dark}" stroke-width="24"/><path d="M250 400c20-70 90-90 150-60 70-40 130 0 150 60z" fill="{accent}"/><clipPath id="basket"><path d="M180 400h440l-45 225a32 32 0 0 1-32 25H257a32 32 0 0 1-32-25z"/></clipPath><g clip-path="url(#basket)"><rect x="170" y="400" width="460" height="260" fill="{body}"/>{weave}</g><rect x="165" y="385" width="470" height="36" rx="18" fill="{dark}"/>"#
    )
}

fn blanket(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, .. } = colors;
    let mut fringe = String::new();
    for place in 0..14 {
        let x = 196 + place * 31;
        fringe.push_str(&format!(r#"<rect x="{x}" y="612" width="10" height="38" rx="5" fill="{dark}"/>"#));
    }
    format!(
        r#"{fringe}<rect x="180" y="300" width="440" height="90" rx="45" fill="{light}"/><rect x="180" y="370" width="440" height="90" rx="45" fill="{dark}"/><path d="M180 470a45 45 0 0 1 45-45h350a45 45 0 0 1 45 45v150H180z" fill="{body}"/><rect x="180" y="500" width="440" height="24" fill="{accent}"/><rect x="180" y="544" width="440" height="12" fill="{accent}"/>"#
    )
}

fn bottle(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, paper, accent_dark, .. } = colors;
    format!(
        r#"<rect x="362" y="150" width="76" height="70" rx="12" fill="{accent_dark}"/><path d="M370 216h60v50c0 40 65 50 65 120v230a34 34 0 0 1-34 34H339a34 34 0 0 1-34-34V386c0-70 65-80 65-120z" fill="{body}"/><path d="M450 312c25 18 45 38 45 74v230a34 34 0 0 1-34 34h-30c16-8 24-20 24-40V380c0-30-2-50-5-68z" fill="{dark}"/><rect x="325" y="390" width="14" height="200" rx="7" fill="{light}"/><rect x="305" y="430" width="190" height="130" fill="{paper}"/><rect x="335" y="462" width="130" height="12" rx="6" fill="{accent}"/><rect x="335" y="490" width="90" height="12" rx="6" fill="{accent}"/><rect x="335" y="518" width="110" height="12" rx="6" fill="{accent}"/>"#
    )
}

fn bowl(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, .. } = colors;
    format!(
        r#"<rect x="330" y="612" width="140" height="40" rx="10" fill="{dark}"/><path d="M170 400h460c0 140-90 230-200 230h-60c-110 0-200-90-200-230z" fill="{body}"/><path d="M540 400h90c0 140-90 230-200 230h-20c90-30 130-120 130-230z" fill="{dark}"/><ellipse cx="400" cy="400" rx="230" ry="46" fill="{light}"/><ellipse cx="400" cy="406" rx="196" ry="32" fill="{dark}"/><path d="M186 470h428c-3 14-6 26-11 38H197c-5-12-8-24-11-38z" fill="{accent}"/>"#
    )
}

fn candle(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, paper, ink, .. } = colors;
    format!(
        r##"<path d="M400 190c46 62 50 92 50 112a50 50 0 0 1-100 0c0-20 4-50 50-112z" fill="#f6b04a"/><path d="M400 250c24 34 26 50 26 62a26 26 0 0 1-52 0c0-12 2-28 26-62z" fill="#fde3a3"/><rect x="394" y="330" width="12" height="60" rx="6" fill="{ink}"/><rect x="260" y="370" width="280" height="280" rx="26" fill="{body}"/><path d="M470 370h44a26 26 0 0 1 26 26v228a26 26 0 0 1-26 26h-44z" fill="{dark}"/><ellipse cx="400" cy="384" rx="128" ry="22" fill="{light}"/><rect x="310" y="455" width="180" height="120" rx="8" fill="{paper}"/><rect x="345" y="490" width="110" height="12" rx="6" fill="{accent}"/><rect x="365" y="522" width="70" height="12" rx="6" fill="{accent}"/>"##
    )
}

fn chair(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, .. } = colors;
    format!(
        r#"<path d="M275 480l-40 172M525 480l40 172" stroke="{accent_dark}" stroke-width="22" stroke-linecap="round"/><path d="M330 490l-14 150M470 490l14 150" stroke="{accent}" stroke-width="20" stroke-linecap="round"/><rect x="262" y="170" width="276" height="250" rx="70" fill="{body}"/><rect x="300" y="210" width="200" height="170" rx="44" fill="{light}"/><rect x="300" y="400" width="24" height="70" fill="{accent_dark}"/><rect x="476" y="400" width="24" height="70" fill="{accent_dark}"/><rect x="228" y="440" width="344" height="66" rx="33" fill="{dark}"/><rect x="228" y="432" width="344" height="50" rx="25" fill="{body}"/>"#
    )
}

fn clock(colors: &Colors) -> String {
    let Colors { body, dark, accent, paper, ink, .. } = colors;
    let mut marks = String::new();
    for hour in 0..12 {
        let turn = hour * 30;
        marks.push_str(&format!(
            r#"<rect x="394" y="222" width="12" height="30" rx="6" fill="{dark}" transform="rotate({turn} 400 400)"/>"#
        ));
    }
    format!(
        r#"<path d="M300 600l-30 50M500 600l30 50" stroke="{dark}" stroke-width="24" stroke-linecap="round"/><circle cx="400" cy="400" r="230" fill="{body}"/><circle cx="400" cy="400" r="195" fill="{paper}"/>{marks}<path d="M400 400L330 330" stroke="{ink}" stroke-width="18" stroke-linecap="round"/><path d="M400 400L500 300" stroke="{ink}" stroke-width="12" stroke-linecap="round"/><circle cx="400" cy="400" r="18" fill="{accent}"/>"#
    )
}

fn cushion(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, .. } = colors;
    format!(
        r#"<clipPath id="cushion"><path d="M180 240q220 50 440 0-50 200 0 410-220-50-440 0 50-210 0-410z"/></clipPath><g clip-path="url(#cushion)"><rect x="160" y="220" width="480" height="450" fill="{body}"/><path d="M160 330h480v40H160zM160 520h480v40H160z" fill="{accent}"/><path d="M160 400h480v14H160zM160 476h480v14H160z" fill="{light}"/><path d="M560 220h90v450h-90q-40-220 0-450z" fill="{dark}" opacity="0.35"/></g><circle cx="400" cy="445" r="16" fill="{dark}"/>"#
    )
}

fn frame(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, paper, .. } = colors;
    format!(
        r##"<rect x="200" y="150" width="400" height="500" rx="8" fill="{body}"/><path d="M600 158v484a8 8 0 0 1-8 8H208l30-36h326V180z" fill="{dark}"/><rect x="236" y="186" width="328" height="428" fill="{paper}"/><clipPath id="frame"><rect x="280" y="234" width="240" height="332"/></clipPath><g clip-path="url(#frame)"><rect x="280" y="234" width="240" height="332" fill="{light}"/><circle cx="450" cy="320" r="40" fill="#fbe3b0"/><path d="M270 480l90-120 80 110 50-50 60 80v80H270z" fill="{accent}"/><path d="M270 530q130-60 260 0v50H270z" fill="{accent_dark}"/></g>"##
    )
}

fn glove(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, .. } = colors;
    format!(
        r#"<path d="M310 500L232 412" stroke="{body}" stroke-width="68" stroke-linecap="round"/><g fill="{body}"><rect x="290" y="215" width="58" height="240" rx="29"/><rect x="352" y="170" width="58" height="280" rx="29"/><rect x="414" y="190" width="58" height="260" rx="29"/><rect x="476" y="250" width="54" height="200" rx="27"/><path d="M290 400h240v90c0 40-20 60-20 90H310c0-30-20-50-20-90z"/></g><path d="M350 300v110M412 290v120M474 310v100" stroke="{dark}" stroke-width="6" stroke-linecap="round"/><path d="M340 480q70 40 140 0" fill="none" stroke="{light}" stroke-width="12" stroke-linecap="round"/><rect x="296" y="566" width="228" height="86" rx="14" fill="{accent}"/><rect x="296" y="586" width="228" height="14" fill="{accent_dark}"/>"#
    )
}

fn lamp(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, .. } = colors;
    format!(
        r##"<path d="M300 380L210 640h380L500 380z" fill="#fdf0c4" opacity="0.55"/><rect x="390" y="370" width="20" height="250" fill="{accent_dark}"/><rect x="290" y="612" width="220" height="38" rx="19" fill="{accent}"/><path d="M320 170h160l80 220H240z" fill="{body}"/><path d="M430 170h50l80 220H470z" fill="{dark}"/><path d="M330 200l20 0-50 160-24 0z" fill="{light}"/><path d="M470 390v70" stroke="{accent_dark}" stroke-width="6"/><circle cx="470" cy="468" r="11" fill="{accent}"/>"##
    )
}

fn mug(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, shade, .. } = colors;
    format!(
        r##"<path d="M330 250c-30-40 30-60 0-100M410 250c-30-40 30-60 0-100" fill="none" stroke="{shade}" stroke-width="14" stroke-linecap="round"/><path d="M540 380h40a85 85 0 0 1 0 170h-50" fill="none" stroke="{dark}" stroke-width="38"/><path d="M220 310h330v270a70 70 0 0 1-70 70H290a70 70 0 0 1-70-70z" fill="{body}"/><path d="M490 310h60v270a70 70 0 0 1-70 70h-40a70 70 0 0 0 50-70z" fill="{dark}"/><path d="M220 500h330v50H220z" fill="{accent}"/><ellipse cx="385" cy="310" rx="165" ry="34" fill="{light}"/><ellipse cx="385" cy="314" rx="140" ry="22" fill="#5b3d2b"/>"##
    )
}

fn notebook(colors: &Colors) -> String {
    let Colors { body, dark, accent, accent_dark, paper, .. } = colors;
    format!(
        r#"<rect x="240" y="170" width="350" height="480" rx="18" fill="{dark}"/><rect x="240" y="164" width="336" height="470" rx="14" fill="{paper}"/><rect x="222" y="150" width="346" height="490" rx="18" fill="{body}"/><path d="M240 150h44v490h-44a18 18 0 0 1-18-18V168a18 18 0 0 1 18-18z" fill="{dark}"/><rect x="330" y="240" width="180" height="100" rx="8" fill="{paper}"/><rect x="355" y="272" width="130" height="10" rx="5" fill="{accent_dark}"/><rect x="355" y="298" width="90" height="10" rx="5" fill="{accent}"/><rect x="520" y="150" width="18" height="490" fill="{accent}"/><path d="M440 640h26v46l-13-12-13 12z" fill="{accent_dark}"/>"#
    )
}

fn pen(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, ink, .. } = colors;
    format!(
        r#"<path d="M250 650q80-30 150 0t150-10" fill="none" stroke="{accent_dark}" stroke-width="8" stroke-linecap="round"/><g transform="rotate(38 400 400)"><rect x="366" y="130" width="68" height="250" rx="30" fill="{body}"/><rect x="366" y="350" width="68" height="170" fill="{dark}"/><rect x="380" y="150" width="14" height="190" rx="7" fill="{light}"/><rect x="362" y="344" width="76" height="24" rx="6" fill="{accent}"/><rect x="426" y="160" width="18" height="150" rx="9" fill="{accent_dark}"/><path d="M366 520h68l-34 120z" fill="{accent}"/><path d="M388 598h24l-12 42z" fill="{ink}"/></g>"#
    )
}

fn plant(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, .. } = colors;
    format!(
        r#"<path d="M400 500V260M400 440C350 420 320 380 300 330M400 420c50-20 80-60 100-120" fill="none" stroke="{dark}" stroke-width="12"/><path d="M400 300c-70-60-60-130 0-180 60 50 70 120 0 180z" fill="{light}"/><path d="M330 400c-90 10-140-40-150-120 90 0 150 40 150 120z" fill="{body}"/><path d="M470 380c10-80 70-130 160-130-10 90-70 140-160 130z" fill="{dark}"/><path d="M380 490c-80 20-140-10-170-70 80-20 150 0 170 70z" fill="{dark}"/><path d="M420 490c20-60 80-90 160-70-30 60-90 90-160 70z" fill="{body}"/><path d="M272 500h256l-30 130a26 26 0 0 1-26 20H328a26 26 0 0 1-26-20z" fill="{accent}"/><path d="M460 500h68l-30 130a26 26 0 0 1-26 20h-44z" fill="{accent_dark}"/><rect x="256" y="478" width="288" height="46" rx="12" fill="{accent}"/>"#
    )
}

fn shelf(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, paper, .. } = colors;
    format!(
        r#"<path d="M250 454v70h40zM550 454v70h-40z" fill="{dark}"/><rect x="160" y="420" width="480" height="40" rx="8" fill="{body}"/><rect x="160" y="446" width="480" height="14" rx="7" fill="{dark}"/><rect x="210" y="270" width="44" height="150" rx="5" fill="{accent}"/><rect x="258" y="250" width="36" height="170" rx="5" fill="{accent_dark}"/><rect x="298" y="290" width="50" height="130" rx="5" fill="{paper}"/><rect x="352" y="280" width="32" height="140" rx="5" fill="{light}"/><path d="M470 340h110l-14 80h-82z" fill="{accent_dark}"/><path d="M525 340c-60-10-80-60-70-110 50 10 75 50 70 110zM525 340c0-60 20-90 70-100 10 50-15 90-70 100z" fill="{accent}"/>"#
    )
}

fn tool(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, .. } = colors;
    format!(
        r#"<g transform="rotate(-28 400 400)"><rect x="366" y="130" width="68" height="210" rx="34" fill="{accent}"/><path d="M410 130a34 34 0 0 1 24 34v142a34 34 0 0 1-24 34z" fill="{accent_dark}"/><circle cx="400" cy="168" r="12" fill="{light}"/><rect x="384" y="330" width="32" height="90" fill="{dark}"/><path d="M320 410h160v110c0 70-40 120-80 160-40-40-80-90-80-160z" fill="{body}"/><path d="M400 410h80v110c0 70-40 120-80 160z" fill="{dark}"/><path d="M352 440v90c0 30 10 56 22 78" fill="none" stroke="{light}" stroke-width="12" stroke-linecap="round"/></g>"#
    )
}

fn tray(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, paper, .. } = colors;
    format!(
        r#"<rect x="290" y="390" width="110" height="170" rx="14" fill="{accent}"/><rect x="360" y="390" width="40" height="170" rx="14" fill="{accent_dark}"/><rect x="420" y="440" width="120" height="120" rx="20" fill="{paper}"/><path d="M540 470h16a32 32 0 0 1 0 64h-16" fill="none" stroke="{paper}" stroke-width="14"/><ellipse cx="345" cy="392" rx="55" ry="12" fill="{accent_dark}"/><path d="M130 520h540l-40 112a26 26 0 0 1-25 18H195a26 26 0 0 1-25-18z" fill="{body}"/><path d="M148 570h504l-22 62a26 26 0 0 1-25 18H195a26 26 0 0 1-25-18z" fill="{dark}"/><rect x="118" y="508" width="564" height="30" rx="15" fill="{light}"/><rect x="330" y="588" width="140" height="26" rx="13" fill="{light}"/>"#
    )
}

fn vase(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, accent_dark, .. } = colors;
    format!(
        r#"<path d="M400 330C395 250 370 200 340 150M405 330c10-90 40-130 80-170" fill="none" stroke="{accent_dark}" stroke-width="9"/><path d="M340 150c-40-10-55-40-45-75 36 8 56 36 45 75zM485 160c-5-40 15-66 52-72 8 38-14 66-52 72zM372 220c-40 6-66-12-76-46 38-8 68 8 76 46zM440 228c4-38 30-58 68-54-2 38-30 60-68 54z" fill="{accent}"/><path d="M345 300h110v30c0 50 75 80 75 180 0 80-40 140-80 140H350c-40 0-80-60-80-140 0-100 75-130 75-180z" fill="{body}"/><path d="M425 300h30v30c0 50 75 80 75 180 0 80-40 140-80 140h-50c50-20 70-70 70-140 0-90-45-120-45-180z" fill="{dark}"/><path d="M310 480c4-40 20-66 40-92" fill="none" stroke="{light}" stroke-width="14" stroke-linecap="round"/><rect x="330" y="286" width="140" height="26" rx="13" fill="{light}"/>"#
    )
}

fn watering_can(colors: &Colors) -> String {
    let Colors { body, dark, light, accent, .. } = colors;
    format!(
        r#"<path d="M300 400C300 210 560 210 610 420c10 60-20 110-70 120" fill="none" stroke="{dark}" stroke-width="26"/><path d="M330 560L190 360l34-24L350 480z" fill="{dark}"/><path d="M150 372l92-64 16 24-92 64z" fill="{accent}"/><path d="M300 390h240l20 220a36 36 0 0 1-36 40H316a36 36 0 0 1-36-40z" fill="{body}"/><path d="M470 390h70l20 220a36 36 0 0 1-36 40h-50z" fill="{dark}"/><rect x="288" y="376" width="264" height="30" rx="15" fill="{light}"/><rect x="290" y="500" width="260" height="18" fill="{accent}"/>"#
    )
}
