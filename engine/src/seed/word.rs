//! What the invented products and people are made of.

/// When something is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Season {
    /// All the year.
    Always,
    /// March to June.
    Spring,
    /// May to August.
    Summer,
    /// October to January.
    Winter,
    /// November and December.
    Gifts,
}

impl Season {
    /// Whether it is this season's time.
    pub fn holds(self, month: u32) -> bool {
        match self {
            Self::Always => true,
            Self::Spring => (3..=6).contains(&month),
            Self::Summer => (5..=8).contains(&month),
            Self::Winter => month >= 10 || month == 1,
            Self::Gifts => month >= 11,
        }
    }

    /// The tag of its products.
    pub fn tag(self) -> Option<&'static str> {
        match self {
            Self::Always => None,
            Self::Spring => Some("spring"),
            Self::Summer => Some("summer"),
            Self::Winter => Some("winter"),
            Self::Gifts => Some("gift"),
        }
    }
}

/// A kind of product.
#[derive(Debug)]
pub(super) struct Noun {
    pub name: &'static str,
    pub product_type: &'static str,
    /// The handle of the demo product whose picture it borrows.
    pub picture: &'static str,
    /// Prices in whole euros.
    pub euros: (i64, i64),
    pub grams: i64,
    pub materials: &'static [&'static str],
    pub sizes: &'static [&'static str],
    pub colored: bool,
    pub season: Season,
}

const fn noun(
    (name, product_type, picture): (&'static str, &'static str, &'static str),
    euros: (i64, i64),
    grams: i64,
    materials: &'static [&'static str],
    (sizes, colored): (&'static [&'static str], bool),
    season: Season,
) -> Noun {
    Noun { name, product_type, picture, euros, grams, materials, sizes, colored, season }
}

const SIZES: &[&str] = &["Small", "Medium", "Large"];
const CLAY: &[&str] = &["Stoneware", "Porcelain", "Earthenware"];
const WOOD: &[&str] = &["Oak", "Ash", "Walnut", "Beech"];
const CLOTH: &[&str] = &["Linen", "Cotton", "Wool"];
const METAL: &[&str] = &["Steel", "Brass", "Copper"];

/// What there is, in the order in which the products are made of it.
pub(super) const NOUNS: [Noun; 30] = [
    noun(("Mug", "Kitchen", "harbor-mug"), (9, 24), 380, CLAY, (&[], true), Season::Always),
    noun(
        ("Cushion", "Textiles", "stripe-cushion"),
        (19, 59),
        700,
        CLOTH,
        (&["45 × 45 cm", "60 × 60 cm"], true),
        Season::Always,
    ),
    noun(("Table Lamp", "Lighting", "drift-table-lamp"), (49, 189), 2400, WOOD, (&[], true), Season::Winter),
    noun(
        ("Notebook", "Stationery", "field-notebook"),
        (6, 22),
        260,
        &["Paper", "Linen", "Leather"],
        (&["A5", "A6"], true),
        Season::Always,
    ),
    noun(("Planter", "Garden tools", "ribbed-vase"), (12, 79), 1900, CLAY, (SIZES, false), Season::Spring),
    noun(("Bowl", "Kitchen", "breakfast-bowl"), (8, 34), 450, CLAY, (SIZES, true), Season::Always),
    noun(("Blanket", "Textiles", "island-wool-blanket"), (59, 189), 1500, CLOTH, (&[], true), Season::Winter),
    noun(
        ("Shelf", "Furniture", "wall-shelf-ash"),
        (39, 159),
        3900,
        WOOD,
        (&["60 cm", "80 cm", "120 cm"], false),
        Season::Always,
    ),
    noun(("Tote", "Bags", "market-tote"), (14, 49), 300, &["Cotton", "Canvas", "Jute"], (&[], true), Season::Summer),
    noun(
        ("Candle", "Home fragrance", "evening-candle"),
        (9, 39),
        420,
        &["Beeswax", "Soy", "Rapeseed"],
        (&[], false),
        Season::Gifts,
    ),
    noun(("Trowel", "Garden tools", "hand-trowel"), (9, 29), 340, METAL, (&[], false), Season::Spring),
    noun(
        ("Basket", "Storage", "rush-basket"),
        (15, 69),
        900,
        &["Rush", "Willow", "Seagrass"],
        (SIZES, false),
        Season::Always,
    ),
    noun(("Carafe", "Kitchen", "glass-carafe"), (19, 59), 800, &["Glass", "Crystal"], (&[], false), Season::Summer),
    noun(("Vase", "Home decor", "ribbed-vase"), (15, 89), 1100, CLAY, (&[], true), Season::Gifts),
    noun(
        ("Print", "Wall art", "wall-print-coast"),
        (19, 79),
        350,
        &["Paper", "Canvas"],
        (&["A4", "A3", "A2"], false),
        Season::Always,
    ),
    noun(("Bottle", "Travel", "steel-bottle"), (15, 39), 310, METAL, (&["500 ml", "750 ml"], true), Season::Summer),
    noun(("Stool", "Furniture", "pine-side-chair"), (49, 149), 4200, WOOD, (&[], true), Season::Always),
    noun(("Tea Towel", "Kitchen", "linen-tea-towels"), (7, 19), 110, CLOTH, (&[], true), Season::Always),
    noun(("Fern", "Plants", "potted-olive"), (9, 45), 1800, &["Potted", "Hanging"], (SIZES, false), Season::Spring),
    noun(("Desk Lamp", "Lighting", "clamp-desk-lamp"), (39, 149), 1700, METAL, (&[], false), Season::Winter),
    noun(("Pen", "Stationery", "brass-pen"), (5, 59), 40, METAL, (&[], false), Season::Gifts),
    noun(
        ("Watering Can", "Garden tools", "watering-can-5l"),
        (19, 59),
        1200,
        METAL,
        (&["3 l", "5 l"], false),
        Season::Spring,
    ),
    noun(("Clock", "Home decor", "mantel-clock"), (29, 129), 900, WOOD, (&[], false), Season::Gifts),
    noun(
        ("Weekend Bag", "Bags", "weekend-bag"),
        (79, 219),
        1600,
        &["Canvas", "Leather", "Wool"],
        (&[], true),
        Season::Summer,
    ),
    noun(("Tray", "Kitchen", "oak-serving-tray"), (19, 69), 900, WOOD, (&["Small", "Large"], false), Season::Always),
    noun(("Herbs", "Plants", "herb-trio"), (7, 19), 1400, &["Potted", "Boxed"], (&[], false), Season::Spring),
    noun(
        ("Gloves", "Garden tools", "garden-gloves"),
        (9, 29),
        150,
        &["Leather", "Cotton"],
        (&["S", "M", "L"], false),
        Season::Spring,
    ),
    noun(("Organizer", "Stationery", "desk-organizer"), (15, 49), 700, WOOD, (&[], false), Season::Always),
    noun(("Espresso Cup", "Kitchen", "espresso-cup-pair"), (8, 29), 190, CLAY, (&[], true), Season::Gifts),
    noun(("Throw", "Textiles", "island-wool-blanket"), (35, 99), 900, CLOTH, (&[], true), Season::Winter),
];

/// How a series is called: one of each.
pub(super) const SERIES: ([&str; 25], [&str; 15]) = (
    [
        "Al", "Bran", "Cor", "Dun", "El", "Fen", "Gar", "Hol", "Ing", "Jor", "Kel", "Lor", "Mar", "Nor", "Os", "Pel",
        "Quin", "Ros", "Sel", "Tor", "Ul", "Ver", "Wil", "Yar", "Zel",
    ],
    ["by", "den", "dale", "ford", "ham", "lea", "mere", "more", "ness", "rick", "stead", "ton", "vale", "wick", "wyn"],
);

pub(super) const COLORS: [&str; 10] =
    ["Natural", "Pine", "Fog", "Rust", "Slate", "Navy", "Oat", "Moss", "Heather", "Ember"];

pub(super) const VENDORS: [&str; 12] = [
    "Harbor & Pine",
    "Kiln Street Studio",
    "Fjordwood",
    "Northbay Goods",
    "Lumen & Loom",
    "Hive & Hollow",
    "Saltmarsh Mill",
    "Marsh Weavers",
    "Paper Pier",
    "Green Quay Nursery",
    "Rook & Spade",
    "Tallow & Thread",
];

pub(super) const GIVEN: [&str; 24] = [
    "Ada", "Ben", "Carla", "David", "Elif", "Felix", "Greta", "Hugo", "Ines", "Jan", "Klara", "Leon", "Mia", "Nora",
    "Oskar", "Paula", "Quentin", "Rosa", "Samir", "Tilda", "Umut", "Vera", "Wim", "Yara",
];

pub(super) const FAMILY: [&str; 24] = [
    "Adler", "Bakker", "Conti", "Dubois", "Ekman", "Fischer", "Garcia", "Hofer", "Ivanov", "Jansen", "Keller",
    "Lorenz", "Moreau", "Novak", "Olsen", "Peeters", "Quirin", "Rossi", "Schmidt", "Torres", "Ullrich", "Vogel",
    "Weber", "Young",
];

pub(super) const STREETS: [&str; 12] = [
    "Example Street",
    "Mill Lane",
    "Station Road",
    "Garden Way",
    "Harbor Street",
    "Church Square",
    "Linden Avenue",
    "Market Street",
    "School Lane",
    "River Bank",
    "Castle Hill",
    "North Gate",
];

/// A city with its postal code and the code of its province, which is empty where none is written.
type Town = (&'static str, &'static str, &'static str);

/// A country, how many of a hundred buy there, and towns.
type Country = (&'static str, usize, [Town; 3]);

/// Where it is bought from.
pub(super) const COUNTRIES: [Country; 7] = [
    ("DE", 42, [("Berlin", "10115", ""), ("Hamburg", "20095", ""), ("München", "80331", "")]),
    ("FR", 15, [("Paris", "75001", ""), ("Lyon", "69001", ""), ("Nantes", "44000", "")]),
    ("AT", 9, [("Wien", "1010", ""), ("Graz", "8010", ""), ("Linz", "4020", "")]),
    ("NL", 10, [("Amsterdam", "1012 AB", ""), ("Utrecht", "3511 AA", ""), ("Groningen", "9711 AA", "")]),
    ("IT", 8, [("Milano", "20121", "MI"), ("Torino", "10121", "TO"), ("Bologna", "40121", "BO")]),
    ("ES", 6, [("Madrid", "28001", "M"), ("Sevilla", "41001", "SE"), ("Bilbao", "48001", "BI")]),
    ("US", 10, [("Portland", "97201", "OR"), ("Boston", "02108", "MA"), ("Austin", "78701", "TX")]),
];

/// How much is bought in each month, in percent of a usual one.
pub(super) const MONTHS: [u64; 12] = [85, 80, 95, 105, 110, 100, 85, 80, 95, 105, 150, 190];
