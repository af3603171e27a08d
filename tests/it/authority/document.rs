//! Documents for every root field, made from the schema: arguments are filled
//! by type and name, ids by what the name says that they are of.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use crate::support::client::{Client, pick};

/// Stands for saved payment methods, whose ids their provider gives.
pub const SAVED: &str = "saved";

/// What a name of an argument or of an input says that an id is of, as the
/// prefixes of ids. `id` alone is of what its input or its root field is named
/// after. Several prefixes make as many documents.
const KINDS: &[(&str, &[&str])] = &[
    ("actor", &["staff"]),
    ("add", &["cust"]),
    ("address", &["addr"]),
    ("apiKey", &["apikey"]),
    ("campaign", &["camp"]),
    ("cart", &["cart"]),
    ("category", &["cat"]),
    ("channel", &["chan"]),
    ("collection", &["coll"]),
    ("customer", &["cust"]),
    ("customerAddress", &["addr"]),
    ("customerGroup", &["cgroup"]),
    ("deliveryGroup", &["cdeliv"]),
    ("deliveryOption", &["shipopt"]),
    ("entity", &["prod", "coll", "order", "cust"]),
    ("flow", &["flow"]),
    ("fulfillment", &["ful"]),
    ("giftCard", &["ledger"]),
    ("group", &["cgroup"]),
    ("inventoryItem", &["iitem"]),
    ("job", &["job"]),
    ("line", &["cline"]),
    ("location", &["loc"]),
    ("media", &["media"]),
    ("metafieldDefinition", &["mfdef"]),
    ("notification", &["notif"]),
    ("node", &["prod", "variant", "coll", "cat", "media", "order", "cust", "cgroup", "addr", "cart", "cline", "pay"]),
    ("option", &["opt"]),
    ("optionValue", &["optval"]),
    ("order", &["order"]),
    ("orderLine", &["oline"]),
    ("owner", &["prod", "order"]),
    ("parent", &["cat", "taxreg"]),
    ("payment", &["pay"]),
    ("paymentLink", &["paylink"]),
    ("paymentMethod", &[SAVED]),
    ("pickupLocation", &["loc"]),
    ("policy", &["policy"]),
    ("priceList", &["pricelist"]),
    ("product", &["prod"]),
    ("productVariant", &["variant"]),
    ("promotion", &["promo"]),
    ("promotionCode", &["pcode"]),
    ("publishableKey", &["pkey"]),
    ("region", &["reg"]),
    ("related", &["prod"]),
    ("remove", &["cust"]),
    ("reservation", &["resv"]),
    ("role", &["role"]),
    ("serviceZone", &["zone"]),
    ("session", &["sess"]),
    ("shippingOption", &["shipopt"]),
    ("shippingProfile", &["shipprof"]),
    ("staff", &["staff"]),
    ("stagedUpload", &["upload"]),
    ("target", &["prod"]),
    ("taxRate", &["taxrate"]),
    ("taxRegion", &["taxreg"]),
    ("translatable", &["prod", "coll", "cat", "opt"]),
    ("variant", &["variant"]),
];

/// What stands in a document where the schema says no more than "text".
fn text(name: &str) -> &'static str {
    let name = name.to_lowercase();
    let samples: &[(&str, &str)] = &[
        ("email", "somebody@shopper.example"),
        ("newpassword", "a long enough password"),
        ("password", "not the password"),
        ("taxnumber", "DE123456789"),
        ("token", "0123456789012345678901234567890123456789012"),
        ("url", "https://elsewhere.example/x"),
        ("contenttype", "image/png"),
        ("locale", "de"),
        ("provider", "test"),
        ("role", "viewer"),
        ("region", "europe"),
        ("query", "tee"),
        ("key", "color"),
        ("namespace", "custom"),
        ("handle", "named"),
    ];
    samples.iter().find(|(part, _)| name.contains(part)).map_or("Name", |(_, sample)| sample)
}

/// Which of the three roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    Query,
    Mutation,
    Subscription,
}

impl Root {
    /// The word that begins an operation.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// The ids and the texts that documents are filled with.
#[derive(Debug, Clone, Default)]
pub struct Book {
    /// An id for each prefix.
    pub ids: BTreeMap<&'static str, String>,
    /// Texts and numbers by the name of what they are for, before the samples.
    pub texts: BTreeMap<&'static str, Value>,
    /// Begins every idempotency key.
    pub key: String,
}

/// A document and what was put into it.
#[derive(Debug, Clone)]
pub struct Document {
    /// The field with its arguments and its selection.
    pub field: String,
    /// The prefixes of the ids in it.
    pub ids: BTreeSet<&'static str>,
    /// The names of the texts of the book in it.
    pub texts: BTreeSet<&'static str>,
    /// Whether it proves who asks by a password.
    pub proves: bool,
    ways: usize,
}

impl Document {
    /// The operation.
    pub fn operation(&self, root: Root) -> String {
        format!("{} {{ {} }}", root.keyword(), self.field)
    }

    /// The operation below a namespace of the unified endpoint.
    pub fn operation_in(&self, root: Root, space: &str) -> String {
        format!("{} {{ {space} {{ {} }} }}", root.keyword(), self.field)
    }
}

/// The schema of a surface as it tells of itself.
#[derive(Debug)]
pub struct Schema {
    types: HashMap<String, Value>,
    roots: [Option<String>; 3],
    depth: usize,
}

impl Schema {
    /// Asks a surface for its schema; documents will select objects so many steps below an answer.
    pub async fn of(client: &Client, depth: usize) -> Self {
        const TYPE: &str = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
            ofType { kind name } } } } }";
        let argument = format!("name defaultValue type {{ {TYPE} }}");
        let query = format!(
            "{{ __schema {{ queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }}
                types {{ kind name isOneOf fields {{ name args {{ {argument} }} type {{ {TYPE} }} }}
                    inputFields {{ {argument} }} enumValues {{ name }} possibleTypes {{ name }} }} }} }}"
        );
        let schema = client.send(&query, json!({})).await.at("__schema");
        let root = |name: &str| pick(&schema, &format!("{name}.name")).as_str().map(str::to_owned);
        let types = schema["types"].as_array().unwrap().iter();
        Self {
            depth,
            roots: [root("queryType"), root("mutationType"), root("subscriptionType")],
            types: types.map(|kind| (kind["name"].as_str().unwrap().to_owned(), kind.clone())).collect(),
        }
    }

    /// The names of the fields of a type.
    pub fn fields_of(&self, name: &str) -> BTreeSet<String> {
        let fields = self.types.get(name).and_then(|kind| kind["fields"].as_array());
        fields.into_iter().flatten().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Every root field, in the order of the schema.
    pub fn roots(&self) -> Vec<(Root, String)> {
        let mut found = Vec::new();
        for (root, name) in [Root::Query, Root::Mutation, Root::Subscription].into_iter().zip(&self.roots) {
            let fields = name.iter().flat_map(|name| self.types[name]["fields"].as_array().unwrap());
            found.extend(fields.map(|field| (root, field["name"].as_str().unwrap().to_owned())));
        }
        found
    }

    /// The documents of a root field; one that can't be made says what is missing.
    pub fn documents(&self, root: Root, field: &str, book: &Book) -> Vec<Document> {
        let first = self.document(root, field, book, 0);
        let ways = first.ways;
        let more = (1..ways).map(|way| self.document(root, field, book, way));
        std::iter::once(first).chain(more).collect()
    }

    fn document(&self, root: Root, field: &str, book: &Book, way: usize) -> Document {
        let name = self.roots[root as usize].as_ref().unwrap();
        let declared = self.types[name]["fields"].as_array().unwrap();
        let declared = declared.iter().find(|declared| declared["name"] == field).unwrap();
        let document =
            Document { field: String::new(), ids: BTreeSet::new(), texts: BTreeSet::new(), proves: false, ways: 1 };
        let mut filler = Filler { schema: self, book, way, open: Vec::new(), document };
        let arguments = filler.named(&declared["args"], field).unwrap_or_else(|missing| {
            panic!("no document for the root field {field} can be made: {missing}");
        });
        let arguments = if arguments.is_empty() { arguments } else { format!("({arguments})") };
        let mut document = filler.document;
        document.field =
            format!("{field}{arguments} {}", self.selection(&declared["type"], self.depth, &mut Vec::new()));
        document
    }

    fn named_type(&self, kind: &Value) -> &Value {
        match kind["ofType"].is_object() {
            true => self.named_type(&kind["ofType"]),
            false => &self.types[kind["name"].as_str().unwrap()],
        }
    }

    /// Every leaf of a type, and those of the objects below it so many steps deep; no type within itself.
    fn selection<'s>(&'s self, kind: &'s Value, depth: usize, open: &mut Vec<&'s str>) -> String {
        let kind = self.named_type(kind);
        match kind["kind"].as_str().unwrap() {
            "SCALAR" | "ENUM" => String::new(),
            "UNION" | "INTERFACE" => {
                let possible = kind["possibleTypes"].as_array().unwrap().iter();
                let possible = possible.map(|one| one["name"].as_str().unwrap());
                let identified = possible.filter(|one| self.fields_of(one).contains("id"));
                let parts = identified.map(|one| format!("... on {one} {{ id }}")).collect::<Vec<_>>();
                format!("{{ __typename {} }}", parts.join(" "))
            }
            _ => {
                let mut parts = vec!["__typename".to_owned()];
                open.push(kind["name"].as_str().unwrap());
                for field in kind["fields"].as_array().unwrap() {
                    let name = field["name"].as_str().unwrap();
                    let arguments = field["args"].as_array().unwrap();
                    if name == "edges" || arguments.iter().any(must_be_given) {
                        continue;
                    }
                    let below = self.named_type(&field["type"]);
                    // The cost of a list counts as long as it may be.
                    let short = arguments.iter().any(|argument| argument["name"] == "first");
                    let short = if short { "(first: 2)" } else { "" };
                    if ["SCALAR", "ENUM"].contains(&below["kind"].as_str().unwrap()) {
                        parts.push(name.to_owned());
                    } else if depth > 0 && !open.contains(&below["name"].as_str().unwrap()) {
                        parts.push(format!("{name}{short} {}", self.selection(&field["type"], depth - 1, open)));
                    }
                }
                open.pop();
                format!("{{ {} }}", parts.join(" "))
            }
        }
    }
}

fn must_be_given(input: &Value) -> bool {
    input["type"]["kind"] == "NON_NULL" && input["defaultValue"].is_null()
}

fn lower_first(name: &str) -> String {
    let name = name.strip_prefix("Admin").unwrap_or(name);
    format!("{}{}", name[..1].to_lowercase(), &name[1..])
}

/// What an id of this name in this input, or of this root field, may be of.
fn kinds_of(name: &str, owner: &str) -> Option<&'static [&'static str]> {
    let stem = name.strip_suffix("Ids").or_else(|| name.strip_suffix("Id"));
    let word = match name {
        "id" | "ids" => {
            let owner = lower_first(owner).to_lowercase();
            let begins = KINDS.iter().filter(|(word, _)| owner.starts_with(&word.to_lowercase()));
            return begins.max_by_key(|(word, _)| word.len()).map(|(_, prefixes)| *prefixes);
        }
        _ => stem.unwrap_or(name).to_lowercase(),
    };
    let ends = KINDS.iter().filter(|(known, _)| word.ends_with(&known.to_lowercase()));
    ends.max_by_key(|(known, _)| known.len()).map(|(_, prefixes)| *prefixes)
}

struct Filler<'s> {
    schema: &'s Schema,
    book: &'s Book,
    way: usize,
    open: Vec<String>,
    document: Document,
}

impl Filler<'_> {
    /// The inputs that must be given, and those that hold an id.
    fn named(&mut self, inputs: &Value, owner: &str) -> Result<String, String> {
        let mut parts = Vec::new();
        for input in inputs.as_array().unwrap() {
            if must_be_given(input) || self.holds_id(&input["type"], &mut self.open.clone()) {
                let name = input["name"].as_str().unwrap();
                parts.push(format!("{name}: {}", self.value(&input["type"], name, owner)?));
            } else if input["name"] == "first" {
                parts.push("first: 5".to_owned());
            } else if let Some((known, text)) = self.known_text(input) {
                self.document.texts.insert(known);
                parts.push(format!("{known}: {text}"));
            }
        }
        Ok(parts.join(", "))
    }

    /// A text of the book that may be left out, such as the token of a cart.
    fn known_text(&self, input: &Value) -> Option<(&'static str, String)> {
        let name = input["name"].as_str()?;
        let (known, text) = self.book.texts.get_key_value(name)?;
        (input["type"]["name"] == "String").then(|| (*known, text.to_string()))
    }

    fn holds_id(&self, kind: &Value, open: &mut Vec<String>) -> bool {
        let kind = self.schema.named_type(kind);
        let name = kind["name"].as_str().unwrap();
        if kind["kind"] != "INPUT_OBJECT" {
            return name == "ID";
        }
        if open.iter().any(|known| known == name) {
            return false;
        }
        open.push(name.to_owned());
        kind["inputFields"].as_array().unwrap().iter().any(|field| self.holds_id(&field["type"], open))
    }

    fn value(&mut self, kind: &Value, name: &str, owner: &str) -> Result<String, String> {
        match kind["kind"].as_str().unwrap() {
            "NON_NULL" => self.value(&kind["ofType"], name, owner),
            "LIST" => Ok(format!("[{}]", self.value(&kind["ofType"], name, owner)?)),
            "ENUM" => Ok(self.schema.named_type(kind)["enumValues"][0]["name"].as_str().unwrap().to_owned()),
            "INPUT_OBJECT" => self.object(kind["name"].as_str().unwrap()),
            _ => self.scalar(kind["name"].as_str().unwrap(), name, owner),
        }
    }

    fn object(&mut self, name: &str) -> Result<String, String> {
        let declared = &self.schema.types[name];
        let fields = &declared["inputFields"];
        self.open.push(name.to_owned());
        let filled = if declared["isOneOf"] == true {
            let fields = fields.as_array().unwrap();
            let chosen = fields.iter().find(|field| field["name"] == "id").unwrap_or(&fields[0]);
            let field = chosen["name"].as_str().unwrap();
            self.value(&chosen["type"], field, name).map(|value| format!("{field}: {value}"))
        } else {
            self.named(fields, name)
        };
        self.open.pop();
        Ok(format!("{{ {} }}", filled?))
    }

    fn scalar(&mut self, kind: &str, name: &str, owner: &str) -> Result<String, String> {
        if let Some((known, value)) = self.book.texts.get_key_value(name)
            && kind != "ID"
        {
            self.document.texts.insert(known);
            return Ok(value.to_string());
        }
        Ok(match kind {
            "ID" => return self.id(name, owner),
            "String" if name == "idempotencyKey" => json!(format!("{} {owner}", self.book.key)).to_string(),
            "String" => {
                self.document.proves |= name.to_lowercase().contains("password");
                json!(text(name)).to_string()
            }
            "Int" | "Int64" => "1".to_owned(),
            "Boolean" => "true".to_owned(),
            "Decimal" => json!("1").to_string(),
            "CurrencyCode" => json!("EUR").to_string(),
            "CountryCode" => json!("DE").to_string(),
            "DateTime" => json!("2026-01-01T00:00:00Z").to_string(),
            "JSON" => "{}".to_owned(),
            other => {
                return Err(format!("add a value of the scalar {other} to Filler::scalar in tests/it/authority"));
            }
        })
    }

    fn id(&mut self, name: &str, owner: &str) -> Result<String, String> {
        let Some(prefixes) = kinds_of(name, owner) else {
            return Err(format!("say in KINDS of tests/it/authority/document.rs what {name} of {owner} is an id of"));
        };
        self.document.ways = self.document.ways.max(prefixes.len());
        let prefix = prefixes[self.way % prefixes.len()];
        let Some(id) = self.book.ids.get(prefix) else {
            return Err(format!("add an id that begins with {prefix}_ to Scene::open in tests/it/authority/scene.rs"));
        };
        self.document.ids.insert(prefix);
        Ok(json!(id).to_string())
    }
}
