//! Saleor's objects, as its `dumpdata` writes them: a JSON list of objects that
//! name one another by number. Attributes by which one chooses a variant become
//! options, the others typed metafields; listings say where a product is for
//! sale and what it costs, stocks what lies where.
//!
//! A fault is told with the place of its object in the list, counted from 1.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::field::{FieldName, Fields, name_part};
use super::{Columns, Context, Imported, Listing, Named, RefusedProduct, RowRefusal};
use crate::catalog::{
    self, BackorderPolicy, MediaDraft, MediaKind, PriceDraft, ProductDraft, ProductStatus, VariantDraft,
};
use crate::metafield::{MetafieldOwnerType, MetafieldType};
use crate::money::{Currency, Money};
use crate::text::Handle;

/// Under which namespace attributes become metafields.
const NAMESPACE: &str = "saleor";

/// One object of the list.
#[derive(Debug)]
struct Object {
    row: usize,
    pk: String,
    fields: Map<String, Value>,
}

impl Object {
    fn text(&self, name: &str) -> String {
        match self.fields.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            _ => String::new(),
        }
    }

    fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    fn flag(&self, name: &str) -> bool {
        self.fields.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn number(&self, name: &str) -> i64 {
        self.fields.get(name).and_then(Value::as_i64).unwrap_or(0)
    }

    fn refuse(&self, name: &str, reason: impl Into<String>) -> RowRefusal {
        RowRefusal::new(self.row, name, &self.text(name), reason)
    }
}

/// The objects of each model in the order of the list.
#[derive(Debug, Default)]
struct Objects(HashMap<String, Vec<Object>>);

impl Objects {
    fn of(&self, model: &str) -> &[Object] {
        self.0.get(model).map(Vec::as_slice).unwrap_or_default()
    }

    fn by_key(&self, model: &str) -> HashMap<&str, &Object> {
        self.of(model).iter().map(|object| (object.pk.as_str(), object)).collect()
    }

    /// The objects that name the same one in a field, sorted by their place in it.
    fn by(&self, model: &str, field: &str) -> HashMap<String, Vec<&Object>> {
        let mut found: HashMap<String, Vec<&Object>> = HashMap::new();
        for object in self.of(model) {
            found.entry(object.text(field)).or_default().push(object);
        }
        for objects in found.values_mut() {
            objects.sort_by_key(|object| object.number("sort_order"));
        }
        found
    }
}

/// What every product is read with.
struct Shop<'o> {
    types: HashMap<&'o str, &'o Object>,
    attributes: HashMap<&'o str, &'o Object>,
    values: HashMap<&'o str, &'o Object>,
    channels: HashMap<&'o str, &'o Object>,
    warehouses: HashMap<&'o str, &'o Object>,
    categories: HashMap<&'o str, &'o Object>,
    collections: HashMap<&'o str, &'o Object>,
    variants: HashMap<String, Vec<&'o Object>>,
    listings: HashMap<String, Vec<&'o Object>>,
    prices: HashMap<String, Vec<&'o Object>>,
    stocks: HashMap<String, Vec<&'o Object>>,
    media: HashMap<String, Vec<&'o Object>>,
    listed: HashMap<String, Vec<&'o Object>>,
    product_values: HashMap<String, Vec<&'o Object>>,
    variant_assignments: HashMap<String, Vec<&'o Object>>,
    variant_values: HashMap<String, Vec<&'o Object>>,
    /// Attributes of a type's variants by which one chooses.
    selections: HashMap<String, Vec<&'o Object>>,
    columns: Arc<Columns>,
}

/// What a list holds, in its order.
pub type Reading = Vec<Result<Imported, RefusedProduct>>;

/// Reads the whole list. `Err` is for text that is no such list.
pub fn read(text: &str, context: &Context) -> Result<Reading, Vec<RowRefusal>> {
    let objects = objects(text)?;
    let attribute_variants = objects.by("attribute.attributevariant", "product_type");
    let shop = Shop {
        types: objects.by_key("product.producttype"),
        attributes: objects.by_key("attribute.attribute"),
        values: objects.by_key("attribute.attributevalue"),
        channels: objects.by_key("channel.channel"),
        warehouses: objects.by_key("warehouse.warehouse"),
        categories: objects.by_key("product.category"),
        collections: objects.by_key("product.collection"),
        variants: objects.by("product.productvariant", "product"),
        listings: objects.by("product.productchannellisting", "product"),
        prices: objects.by("product.productvariantchannellisting", "variant"),
        stocks: objects.by("warehouse.stock", "product_variant"),
        media: objects.by("product.productmedia", "product"),
        listed: objects.by("product.collectionproduct", "product"),
        product_values: objects.by("attribute.assignedproductattributevalue", "product"),
        variant_assignments: objects.by("attribute.assignedvariantattribute", "variant"),
        variant_values: objects.by("attribute.assignedvariantattributevalue", "assignment"),
        selections: attribute_variants
            .into_iter()
            .map(|(kind, links)| (kind, links.into_iter().filter(|link| link.flag("variant_selection")).collect()))
            .collect(),
        columns: Arc::new(Columns {
            handle: "slug".to_owned(),
            option: "name".to_owned(),
            sku: "sku".to_owned(),
            reference: "pk".to_owned(),
            variant_reference: "pk".to_owned(),
        }),
    };
    Ok(objects.of("product.product").iter().map(|product| shop.product(product, context)).collect())
}

fn objects(text: &str) -> Result<Objects, Vec<RowRefusal>> {
    let whole = |reason: String| vec![RowRefusal::new(1, "", "", reason)];
    let list: Vec<Value> = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| vec![RowRefusal::new(error.line(), "", "", format!("This is no JSON list: {error}."))])?;
    let mut objects = Objects::default();
    for (place, value) in list.into_iter().enumerate() {
        let row = place + 1;
        let Value::Object(mut object) = value else {
            return Err(vec![RowRefusal::new(row, "", "", "This is no object.")]);
        };
        let pk = match object.remove("pk") {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (Some(Value::String(model)), Some(Value::Object(fields))) =
            (object.remove("model"), object.remove("fields"))
        else {
            return Err(vec![RowRefusal::new(row, "model", "", "The object has no model and fields.")]);
        };
        objects.0.entry(model).or_default().push(Object { row, pk, fields });
    }
    if objects.of("product.product").is_empty() {
        return Err(whole("There is no object of the model product.product in the list.".to_owned()));
    }
    Ok(objects)
}

fn of<'s, 'o>(found: &'s HashMap<String, Vec<&'o Object>>, key: &str) -> &'s [&'o Object] {
    found.get(key).map(Vec::as_slice).unwrap_or_default()
}

impl Shop<'_> {
    fn product(&self, product: &Object, context: &Context) -> Result<Imported, RefusedProduct> {
        let mut refusals = Vec::new();
        let handle = product.text("slug");
        let outcome = self.read(product, context, &mut refusals);
        match outcome {
            Some(imported) if refusals.is_empty() => Ok(imported),
            _ => Err(RefusedProduct { handle, row: product.row, refusals }),
        }
    }

    fn read(&self, product: &Object, context: &Context, refusals: &mut Vec<RowRefusal>) -> Option<Imported> {
        let kind = self.types.get(product.text("product_type").as_str()).copied();
        let variants = of(&self.variants, &product.pk);
        let listings = of(&self.listings, &product.pk);
        let published = listings.iter().any(|listing| listing.flag("is_published"));
        let slug = product.text("slug");
        let parsed = slug.parse::<Handle>();
        let handle = parsed.map_err(|refusal| refusals.push(product.refuse("slug", refusal.message))).ok();
        let mut draft = ProductDraft {
            handle,
            title: product.text("name"),
            description_html: description(product),
            product_type: kind.and_then(|kind| kind.some("name")),
            status: if published { ProductStatus::Published } else { ProductStatus::Draft },
            gift_card: kind.is_some_and(|kind| kind.text("kind") == "gift_card"),
            seo_title: product.some("seo_title"),
            seo_description: product.some("seo_description"),
            metadata: texts(product),
            ..ProductDraft::default()
        };
        self.media(product, context, &mut draft);
        let mut fields = Fields::default();
        for assigned in of(&self.product_values, &product.pk) {
            self.field(assigned, None, context, &mut fields);
        }
        let mut stocks = Vec::with_capacity(variants.len());
        for (place, variant) in variants.iter().enumerate() {
            draft.variants.push(self.variant(product, variant, kind, place, context, &mut fields, refusals));
            stocks.push(self.stock(variant, refusals));
        }
        refusals.append(&mut fields.refusals);
        let checked = match catalog::check_product(draft) {
            Ok(checked) => checked,
            Err(found) => {
                let place = |refusal: &crate::refusal::Refusal| match refusal.path.as_slice() {
                    [list, place, field, ..] if list == "variants" => {
                        let variant = place.parse().ok().and_then(|place: usize| variants.get(place));
                        variant.map_or(product, |variant| variant).refuse(field, refusal.message.clone())
                    }
                    [field, ..] => product.refuse(field, refusal.message.clone()),
                    [] => product.refuse("slug", refusal.message.clone()),
                };
                refusals.extend(found.iter().map(place));
                return None;
            }
        };
        let rows = variants.iter().map(|variant| variant.row).collect();
        Some(Imported {
            stocks,
            fields: fields.fields,
            new_fields: fields.new,
            categories: self.category(&product.text("category")),
            collections: self.collections(product),
            channels: Some(self.channels(listings)),
            ..Imported::plain(product.row, checked, rows, self.columns.clone())
        })
    }

    #[allow(clippy::too_many_arguments)]
    fn variant(
        &self,
        product: &Object,
        variant: &Object,
        kind: Option<&Object>,
        place: usize,
        context: &Context,
        fields: &mut Fields,
        refusals: &mut Vec<RowRefusal>,
    ) -> VariantDraft {
        let mut options = Vec::new();
        let chosen = kind.map(|kind| of(&self.selections, &kind.pk)).unwrap_or_default();
        for assignment in of(&self.variant_assignments, &variant.pk) {
            for assigned in of(&self.variant_values, &assignment.pk) {
                let Some(value) = self.values.get(assigned.text("value").as_str()) else { continue };
                let attribute = value.text("attribute");
                let selects = chosen.iter().any(|link| link.text("attribute") == attribute);
                match self.attributes.get(attribute.as_str()) {
                    Some(attribute) if selects => options.push((attribute.text("name"), value.text("name"))),
                    _ => self.field(assigned, Some(place), context, fields),
                }
            }
        }
        let several = of(&self.variants, &product.pk).len() > 1;
        if options.is_empty() && several {
            // Told apart by their names alone.
            let name = variant.some("name").unwrap_or_else(|| variant.pk.clone());
            options.push(("Variant".to_owned(), name));
        }
        let mut prices: Vec<PriceDraft> = Vec::new();
        for listing in of(&self.prices, &variant.pk) {
            if let Some(price) = price(listing, refusals)
                && prices.iter().all(|known| known.currency != price.currency)
            {
                prices.push(price);
            }
        }
        let grams = |object: &Object| weight(&object.text("weight"));
        let weight_grams = grams(variant).or_else(|| grams(product)).or_else(|| kind.and_then(grams));
        VariantDraft {
            sku: variant.some("sku"),
            options,
            weight_grams,
            requires_shipping: kind.is_none_or(|kind| kind.flag("is_shipping_required")),
            manage_inventory: variant.flag("track_inventory"),
            backorder: BackorderPolicy::Deny,
            prices,
            metadata: texts(variant),
            ..VariantDraft::default()
        }
    }

    fn stock(&self, variant: &Object, refusals: &mut Vec<RowRefusal>) -> Vec<(Named, i32)> {
        let mut found = Vec::new();
        for stock in of(&self.stocks, &variant.pk) {
            let Some(warehouse) = self.warehouses.get(stock.text("warehouse").as_str()) else { continue };
            match i32::try_from(stock.number("quantity")) {
                Ok(quantity) if (0..=catalog::MAX_STOCK).contains(&quantity) => found.push((name(warehouse), quantity)),
                _ => refusals.push(stock.refuse("quantity", "This is no number of pieces.")),
            }
        }
        found
    }

    fn media(&self, product: &Object, context: &Context, draft: &mut ProductDraft) {
        for (place, medium) in of(&self.media, &product.pk).iter().enumerate() {
            let Some(text) = medium.some("external_url").or_else(|| medium.some("image")) else { continue };
            let kind = if medium.text("type") == "VIDEO" { MediaKind::Video } else { MediaKind::Image };
            match context.media_url(&text) {
                Some(url) => draft.media.push(MediaDraft { url, alt: medium.some("alt"), kind }),
                // Nobody said where pictures lie: the path alone is kept.
                None => {
                    draft.metadata.insert(format!("image {}", place + 1), text);
                }
            }
        }
    }

    fn field(&self, assigned: &Object, variant: Option<usize>, context: &Context, fields: &mut Fields) {
        use MetafieldType as T;
        let Some(value) = self.values.get(assigned.text("value").as_str()) else { return };
        let Some(attribute) = self.attributes.get(value.text("attribute").as_str()) else { return };
        let Some(key) = name_part(&attribute.text("slug")) else { return };
        let (kind, text) = match attribute.text("input_type").as_str() {
            "boolean" => (Some(T::Boolean), value.text("boolean")),
            "numeric" => (Some(T::Decimal), value.text("name")),
            "date" => (Some(T::Date), value.text("date_time").chars().take(10).collect()),
            "date-time" => (Some(T::DateTime), value.text("date_time")),
            "rich-text" => (Some(T::Json), value.fields.get("rich_text").map(Value::to_string).unwrap_or_default()),
            "plain-text" => (Some(T::MultiLineText), value.text("plain_text")),
            "multiselect" => (Some(T::ListSingleLineText), value.text("name")),
            _ => (Some(T::SingleLineText), value.text("name")),
        };
        let owner = if variant.is_some() { MetafieldOwnerType::Variant } else { MetafieldOwnerType::Product };
        let label = attribute.text("name");
        let name = FieldName { owner, namespace: NAMESPACE.to_owned(), key: key.clone(), name: label, kind };
        let known = fields.fields.iter_mut().find(|field| field.variant == variant && field.key == key);
        match (known, kind) {
            // One value of several: each is assigned by itself.
            (Some(known), Some(T::ListSingleLineText)) => {
                if let crate::metafield::Value::List(list) = &mut known.value {
                    list.push(crate::metafield::Value::Line(text));
                }
            }
            (Some(_), _) => {}
            (None, Some(T::ListSingleLineText)) => {
                let list = Value::from(vec![text]).to_string();
                fields.add(context, &name, variant, &list, (value.row, "name"));
            }
            (None, _) => fields.add(context, &name, variant, &text, (value.row, "name")),
        }
    }

    /// A category, with all above it in front.
    fn category(&self, key: &str) -> Vec<Named> {
        let object = self.categories.get(key).copied();
        let named = object.map(|object| {
            let above = self.categories.get(object.text("parent").as_str()).map(|above| name(above).handle);
            Named { above, ..name(object) }
        });
        named.into_iter().collect()
    }

    fn collections(&self, product: &Object) -> Vec<Named> {
        let listed = of(&self.listed, &product.pk).iter();
        listed
            .filter_map(|link| self.collections.get(link.text("collection").as_str()))
            .map(|found| name(found))
            .collect()
    }

    fn channels(&self, listings: &[&Object]) -> Vec<Listing> {
        let open = listings.iter().filter(|listing| listing.flag("is_published"));
        open.filter_map(|listing| {
            let channel = name(self.channels.get(listing.text("channel").as_str())?);
            Some(Listing { channel, since: listing.some("published_at") })
        })
        .collect()
    }
}

/// The whole tree of categories, each behind the one above it.
pub fn categories(text: &str) -> Result<Vec<Named>, Vec<RowRefusal>> {
    let objects = objects(text)?;
    let by_key = objects.by_key("product.category");
    let depth = |object: &Object| {
        let above = |object: &&Object| by_key.get(object.text("parent").as_str()).copied();
        std::iter::successors(Some(object), above).take(crate::category::MAX_DEPTH + 1).count()
    };
    let mut found: Vec<(usize, Named)> = objects
        .of("product.category")
        .iter()
        .map(|object| {
            let above = by_key.get(object.text("parent").as_str()).map(|above| name(above).handle);
            (depth(object), Named { above, ..name(object) })
        })
        .collect();
    found.sort_by_key(|(depth, _)| *depth);
    Ok(found.into_iter().map(|(_, named)| named).collect())
}

/// A thing by its slug and name.
fn name(object: &Object) -> Named {
    let slug = object.text("slug");
    let handle = slug.parse::<Handle>().ok().or_else(|| Handle::from_title(&object.text("name")));
    let title = object.some("name").unwrap_or_else(|| slug.clone());
    Named { handle: handle.map_or(slug, |handle| handle.to_string()), title, above: None }
}

fn price(listing: &Object, refusals: &mut Vec<RowRefusal>) -> Option<PriceDraft> {
    let text = listing.some("price_amount")?;
    let Ok(currency) = listing.text("currency").parse::<Currency>() else {
        refusals.push(listing.refuse("currency", "This is no ISO 4217 currency code."));
        return None;
    };
    match Money::parse(&text, currency) {
        Ok(money) => Some(PriceDraft { currency, amount_minor: money.minor, compare_at_minor: None }),
        Err(error) => {
            refusals.push(listing.refuse("price_amount", format!("This {error} ({currency}).")));
            None
        }
    }
}

/// `1000.0:g`, `1.5:kg`.
fn weight(text: &str) -> Option<i32> {
    let (number, unit) = text.split_once(':')?;
    let thousandths = crate::money::parse_decimal(number, 3).ok()?;
    let milligrams = match unit {
        "g" => i128::from(thousandths),
        "kg" => i128::from(thousandths) * 1_000,
        "lb" => i128::from(thousandths) * 453_592 / 1_000,
        "oz" => i128::from(thousandths) * 28_350 / 1_000,
        _ => return None,
    };
    i32::try_from(crate::money::divide_rounded(milligrams, 1_000)).ok().filter(|grams| *grams > 0)
}

fn texts(object: &Object) -> BTreeMap<String, String> {
    let Some(Value::Object(data)) = object.fields.get("metadata") else { return BTreeMap::new() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    data.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// The blocks of Saleor's editor as HTML; it is made safe when it is stored.
fn description(product: &Object) -> String {
    let blocks = match product.fields.get("description") {
        Some(Value::Object(editor)) => editor.get("blocks").and_then(Value::as_array),
        _ => None,
    };
    let Some(blocks) = blocks else { return product.text("description_plaintext") };
    let mut html = String::new();
    for block in blocks {
        let data = &block["data"];
        let text = data["text"].as_str().unwrap_or_default();
        match block["type"].as_str().unwrap_or_default() {
            "header" => {
                let level = data["level"].as_i64().unwrap_or(2).clamp(1, 6);
                html.push_str(&format!("<h{level}>{text}</h{level}>"));
            }
            "list" => {
                let items = data["items"].as_array().map(Vec::as_slice).unwrap_or_default();
                let items: String =
                    items.iter().filter_map(Value::as_str).map(|item| format!("<li>{item}</li>")).collect();
                let tag = if data["style"] == "ordered" { "ol" } else { "ul" };
                html.push_str(&format!("<{tag}>{items}</{tag}>"));
            }
            "quote" => html.push_str(&format!("<blockquote>{text}</blockquote>")),
            _ if text.is_empty() => {}
            _ => html.push_str(&format!("<p>{text}</p>")),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"[
        {"model":"channel.channel","pk":1,"fields":{"name":"US","slug":"us","currency_code":"USD"}},
        {"model":"warehouse.warehouse","pk":"w","fields":{"name":"Global","slug":"global"}},
        {"model":"product.category","pk":2,"fields":{"name":"Shoes","slug":"shoes","parent":1}},
        {"model":"product.category","pk":1,"fields":{"name":"Wear","slug":"wear","parent":null}},
        {"model":"product.producttype","pk":5,"fields":{"name":"Shoe","is_shipping_required":true,"weight":"1.5:kg"}},
        {"model":"attribute.attribute","pk":7,"fields":{"slug":"size","name":"Size","input_type":"dropdown"}},
        {"model":"attribute.attribute","pk":8,"fields":{"slug":"vegan","name":"Vegan","input_type":"boolean"}},
        {"model":"attribute.attributevalue","pk":70,"fields":{"name":"39","attribute":7}},
        {"model":"attribute.attributevalue","pk":71,"fields":{"name":"40","attribute":7}},
        {"model":"attribute.attributevalue","pk":80,"fields":{"name":"Vegan: Yes","boolean":true,"attribute":8}},
        {"model":"attribute.attributevariant","pk":1,
            "fields":{"attribute":7,"product_type":5,"variant_selection":true}},
        {"model":"product.product","pk":100,"fields":{"name":"Boot","slug":"boot","product_type":5,"category":2,
            "description":{"blocks":[{"type":"paragraph","data":{"text":"Of <b>felt</b>"}}]}}},
        {"model":"product.productchannellisting","pk":1,
            "fields":{"product":100,"channel":1,"is_published":true,"published_at":"2022-05-13T00:00:00Z"}},
        {"model":"product.productvariant","pk":1001,
            "fields":{"product":100,"sku":"B-40","name":"40","sort_order":1,"track_inventory":true}},
        {"model":"product.productvariant","pk":1000,
            "fields":{"product":100,"sku":"B-39","name":"39","sort_order":0,"track_inventory":true}},
        {"model":"product.productvariantchannellisting","pk":1,
            "fields":{"variant":1000,"channel":1,"currency":"USD","price_amount":"10.000"}},
        {"model":"warehouse.stock","pk":1,"fields":{"warehouse":"w","product_variant":1000,"quantity":5}},
        {"model":"attribute.assignedvariantattribute","pk":50,"fields":{"variant":1000,"assignment":1}},
        {"model":"attribute.assignedvariantattribute","pk":51,"fields":{"variant":1001,"assignment":1}},
        {"model":"attribute.assignedvariantattributevalue","pk":1,"fields":{"value":70,"assignment":50}},
        {"model":"attribute.assignedvariantattributevalue","pk":2,"fields":{"value":71,"assignment":51}},
        {"model":"attribute.assignedproductattributevalue","pk":1,"fields":{"value":80,"product":100}},
        {"model":"product.productmedia","pk":1,
            "fields":{"product":100,"image":"boot.png","type":"IMAGE","alt":"A boot"}}
    ]"#;

    fn context() -> Context {
        Context { media_base: Some("https://m.example".into()), ..Context::new("USD".parse().unwrap()) }
    }

    #[test]
    fn objects_come_together() {
        let boot = read(LIST, &context()).unwrap().remove(0).unwrap();
        let product = &boot.product;
        assert_eq!((product.handle.as_str(), product.description_html.as_str()), ("boot", "<p>Of <b>felt</b></p>"));
        let told: Vec<_> =
            product.variants.iter().map(|variant| (variant.title.as_str(), variant.weight_grams)).collect();
        assert_eq!(told, [("39", Some(1500)), ("40", Some(1500))], "in their order, with the weight of the type");
        assert_eq!(product.variants[0].prices[0].amount_minor, 1000);
        assert_eq!(product.media[0].url, "https://m.example/boot.png");
        assert_eq!((boot.stocks[0][0].0.handle.as_str(), boot.stocks[0][0].1, boot.stocks[1].len()), ("global", 5, 0));
        assert_eq!((boot.categories[0].handle.as_str(), boot.categories[0].above.as_deref()), ("shoes", Some("wear")));
        assert_eq!((boot.fields[0].key.as_str(), boot.fields[0].value.to_string()), ("vegan", "true".to_owned()));
        assert_eq!(boot.channels.as_ref().unwrap()[0].since.as_deref(), Some("2022-05-13T00:00:00Z"));
        let tree: Vec<String> = categories(LIST).unwrap().into_iter().map(|named| named.handle).collect();
        assert_eq!(tree, ["wear", "shoes"], "what is above comes first");
    }

    #[test]
    fn faults_name_the_object() {
        let wrong = LIST.replace("10.000", "10.001").replace("\"slug\":\"boot\"", "\"slug\":\"A Boot\"");
        let refused = read(&wrong, &context()).unwrap().remove(0).unwrap_err();
        let told: Vec<_> = refused.refusals.iter().map(|told| (told.row, told.column.as_str())).collect();
        assert_eq!(told, [(12, "slug"), (16, "price_amount")]);
        assert_eq!(read("[1]", &context()).unwrap_err()[0].reason, "This is no object.");
        assert_eq!(read("[\n{]", &context()).unwrap_err()[0].row, 2);
        assert!(read("[]", &context()).unwrap_err()[0].reason.contains("product.product"));
    }
}
