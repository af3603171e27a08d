//! The index: written along with the products, asked by words.

pub mod facet;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::catalog::ProductStatus;
use domain::id::ProductId;
use domain::search::{Document, Part, Query, Term, Text, Translated, closest, documents, pieces, pieces_of_slip};
use domain::translation::TranslatableField;
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use super::Matching;
use crate::catalog::repo::listing::View;
use crate::db::search::{Scope, has_word_sql, index_query, matches_sql, put_document, remove_document};
use crate::db::{Conn, any_sql, expression, statement};
use crate::error::Result;
use crate::op::Tx;

/// Rows that one statement writes.
const ROWS: usize = 500;
/// Words of the vocabulary that are compared with one that nobody wrote.
const CANDIDATES: usize = 200;

/// Products whose texts one statement reads.
const PRODUCTS: usize = 500;

/// What a product says about itself, in which languages, and what the index says of it now.
#[derive(Debug, Default)]
struct Said {
    texts: Vec<Text>,
    translated: Vec<Translated>,
    /// By language.
    held: BTreeMap<String, Document>,
}

/// The texts of a product under which it is found: each with the number of its
/// part, what it is a text of, and in which language it is. The last four are
/// the documents that it has.
const TEXTS: &str = "
    select product.id, 0, product.title, product.id, 'TITLE', '' from product
        where product.id {ids} and product.deleted_at is null
    union all select product.id, 2, product.handle, product.id, '', '' from product
        where product.id {ids} and product.deleted_at is null
    union all select product.id, 2, coalesce(product.subtitle, ''), product.id, 'SUBTITLE', '' from product
        where product.id {ids}
    union all select product.id, 2, product.vendor, product.id, '', '' from product
        where product.id {ids} and product.vendor is not null
    union all select product.id, 3, product.description_html, product.id, 'DESCRIPTION_HTML', '' from product
        where product.id {ids}
    union all select product.id, 2, product_type.value, product_type.id, 'NAME', '' from product
        join product_type on product_type.id = product.type_id where product.id {ids}
    union all select product_tag.product_id, 2, tag.value, tag.id, 'NAME', '' from product_tag
        join tag on tag.id = product_tag.tag_id where product_tag.product_id {ids}
    union all select variant.product_id, 1, variant.sku, variant.id, '', '' from variant
        where variant.product_id {ids} and variant.deleted_at is null and variant.sku is not null
    union all select variant.product_id, 1, variant.barcode, variant.id, '', '' from variant
        where variant.product_id {ids} and variant.deleted_at is null and variant.barcode is not null
    union all select variant.product_id, 2, option_value.name, option_value.id, 'NAME', '' from variant
        join variant_option_value on variant_option_value.variant_id = variant.id
        join option_value on option_value.id = variant_option_value.option_value_id
        where variant.product_id {ids} and variant.deleted_at is null
    union all select product.id, 20, translation.value, product.id, translation.field, translation.locale from product
        join translation on translation.entity_id = product.id where product.id {ids}
    union all select product.id, 20, translation.value, translation.entity_id, translation.field, translation.locale
        from product join translation on translation.entity_id = product.type_id where product.id {ids}
    union all select product_tag.product_id, 20, translation.value, translation.entity_id, translation.field,
        translation.locale from product_tag
        join translation on translation.entity_id = product_tag.tag_id where product_tag.product_id {ids}
    union all select variant.product_id, 20, translation.value, translation.entity_id, translation.field,
        translation.locale from variant
        join variant_option_value on variant_option_value.variant_id = variant.id
        join translation on translation.entity_id = variant_option_value.option_value_id
        where variant.product_id {ids} and variant.deleted_at is null
    union all select product_id, 10, title, product_id, '', locale from search_product where product_id {ids}
    union all select product_id, 11, code, product_id, '', locale from search_product where product_id {ids}
    union all select product_id, 12, keyword, product_id, '', locale from search_product where product_id {ids}
    union all select product_id, 13, body, product_id, '', locale from search_product where product_id {ids}";

/// What products say, in one statement.
async fn said(conn: &Conn, products: &[ProductId]) -> Result<HashMap<ProductId, Said>> {
    let (listed, value) = any_sql(conn, products.iter().copied());
    let sql = TEXTS.replace("{ids}", listed);
    let count = sql.matches('?').count();
    let rows = conn.query_all_raw(statement(conn, &sql, vec![value; count])).await?;
    let mut found: HashMap<ProductId, Said> = HashMap::new();
    for row in rows {
        let said = found.entry(ProductId(row.try_get_by_index(0)?)).or_default();
        let kind: i32 = row.try_get_by_index(1)?;
        let text: String = row.try_get_by_index(2)?;
        let field: String = row.try_get_by_index(4)?;
        let entity: Uuid = row.try_get_by_index(3)?;
        let of = field.parse::<TranslatableField>().ok().map(|field| (entity, field));
        let locale: String = row.try_get_by_index(5)?;
        let part = match kind {
            0 => Part::Title,
            1 => Part::Code,
            2 => Part::Keyword,
            3 => Part::Body,
            20 => {
                said.translated.extend(of.map(|of| Translated { of, locale, text }));
                continue;
            }
            held => {
                let document = said.held.entry(locale).or_default();
                *match held {
                    10 => &mut document.title,
                    11 => &mut document.code,
                    12 => &mut document.keyword,
                    _ => &mut document.body,
                } = text;
                continue;
            }
        };
        said.texts.push(Text { part, of, text });
    }
    Ok(found)
}

/// Brings the index of products up to date. What already is as it should be is
/// not touched.
pub async fn refresh(tx: &Tx, products: &[ProductId]) -> Result<()> {
    let mut changes: BTreeMap<String, i64> = BTreeMap::new();
    for some in products.chunks(PRODUCTS) {
        for (product, Said { texts, translated, held }) in said(&tx.conn, some).await? {
            let after = documents(&texts, &translated);
            let languages: BTreeSet<&String> = held.keys().chain(after.keys()).collect();
            for language in languages {
                let (before, after) = (held.get(language), after.get(language));
                if before == after {
                    continue;
                }
                match after {
                    Some(document) => put_document(&tx.conn, product, language, document).await?,
                    None => remove_document(&tx.conn, product, language).await?,
                }
                for (document, change) in [(before, -1), (after, 1)] {
                    for word in document.into_iter().flat_map(Document::vocabulary) {
                        *changes.entry(word.to_owned()).or_default() += change;
                    }
                }
            }
        }
    }
    changes.retain(|_, change| *change != 0);
    count_words(&tx.conn, changes.into_iter().collect()).await
}

/// Counts in how many documents words stand. In the order of the words, so that
/// two transactions never wait for each other.
async fn count_words(conn: &Conn, changes: Vec<(String, i64)>) -> Result<()> {
    let (mut new, mut gone) = (Vec::new(), Vec::new());
    for some in changes.chunks(ROWS) {
        let marks = vec!["(?, ?)"; some.len()].join(", ");
        let sql = format!(
            "insert into search_word (word, products) values {marks} on conflict (word)
                do update set products = search_word.products + excluded.products returning word, products"
        );
        let values = some.iter().flat_map(|(word, change)| [Value::from(word.as_str()), (*change).into()]);
        let change: HashMap<&str, i64> = some.iter().map(|(word, change)| (word.as_str(), *change)).collect();
        for row in conn.query_all_raw(statement(conn, &sql, values)).await? {
            let (word, products): (String, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            if products <= 0 {
                gone.push(word);
            } else if change.get(word.as_str()) == Some(&products) {
                new.push(word);
            }
        }
    }
    write_slips(conn, "insert into search_slip (piece, word) values {pairs} on conflict do nothing", &new).await?;
    write_slips(conn, "delete from search_slip where (piece, word) in (values {pairs})", &gone).await?;
    for some in gone.chunks(ROWS) {
        let marks = vec!["?"; some.len()].join(", ");
        let sql = format!("delete from search_word where products <= 0 and word in ({marks})");
        conn.execute_raw(statement(conn, &sql, some.iter().map(|word| Value::from(word.as_str())))).await?;
    }
    Ok(())
}

async fn write_slips(conn: &Conn, sql: &str, words: &[String]) -> Result<()> {
    let mut pairs: Vec<(String, &str)> =
        words.iter().flat_map(|word| pieces(word).into_iter().map(move |piece| (piece, word.as_str()))).collect();
    pairs.sort_unstable();
    for some in pairs.chunks(ROWS) {
        let sql = sql.replace("{pairs}", &vec!["(?, ?)"; some.len()].join(", "));
        let values = some.iter().flat_map(|(piece, word)| [Value::from(piece.as_str()), Value::from(*word)]);
        conn.execute_raw(statement(conn, &sql, values)).await?;
    }
    Ok(())
}

/// The ids of products that are not deleted, behind one.
pub async fn products_after(conn: &Conn, after: Option<ProductId>, most: u64) -> Result<Vec<ProductId>> {
    let after = Uuid::from(after.unwrap_or(ProductId(Uuid::nil())));
    let sql = format!("select id from product where deleted_at is null and id > ? order by id limit {most}");
    let rows = conn.query_all_raw(statement(conn, &sql, [after.into()])).await?;
    rows.iter().map(|row| Ok(ProductId(row.try_get_by_index(0)?))).collect()
}

/// Whether there are products and no index.
pub async fn is_missing(conn: &Conn) -> Result<bool> {
    let sql = "select 1 where exists (select 1 from product where deleted_at is null)
        and not exists (select 1 from search_product)";
    Ok(conn.query_one_raw(statement(conn, sql, [])).await?.is_some())
}

/// The condition that a row of `search_product` is the one that somebody who
/// looks from here finds its product by: that of the first of his languages
/// that it has, else that of its own texts.
fn spoken(view: &View) -> (String, Vec<Value>) {
    let languages = &view.languages;
    if languages.is_empty() {
        return ("search_product.locale = ''".to_owned(), Vec::new());
    }
    let marks = vec!["?"; languages.len()].join(", ");
    let place = |table: &str| {
        let whens: Vec<String> = (0..languages.len()).map(|place| format!("when ? then {place}")).collect();
        format!("case {table}.locale {} else {} end", whens.join(" "), languages.len())
    };
    let sql = format!(
        "search_product.locale in ('', {marks}) and not exists (select 1 from search_product as closer
            where closer.product_id = search_product.product_id and closer.locale in ({marks})
            and {} < {})",
        place("closer"),
        place("search_product")
    );
    let values = languages.iter().map(|tag| Value::from(tag.as_str()));
    (sql, std::iter::repeat_n(values, 4).flatten().collect())
}

/// The condition that somebody who looks from here may see a row of
/// `search_product`, and its values.
fn visible(view: &View) -> (String, Vec<Value>) {
    let (spoken, mut values) = spoken(view);
    let Some(channel) = view.channel else {
        // Everything in the index is staff's to see.
        return (format!(" and {spoken}"), values);
    };
    values.extend([ProductStatus::Published.into(), Uuid::from(channel).into(), view.now.into()]);
    let sql = format!(
        " and {spoken} and exists (select 1 from product
            join product_channel on product_channel.product_id = product.id
            where product.id = search_product.product_id and product.deleted_at is null and product.status = ?
            and product_channel.channel_id = ? and product_channel.published_at <= ?)"
    );
    (sql, values)
}

/// Looks up every word of some texts in one statement: a word that nobody can
/// see on any product is replaced by the closest ones that somebody can.
pub async fn resolve(conn: &Conn, view: &View, queries: &[Query]) -> Result<Vec<Matching>> {
    let mut known: HashMap<usize, Vec<(String, i64)>> = HashMap::new();
    if let Some(asked) = words_statement(conn, view, queries) {
        for row in conn.query_all_raw(asked).await? {
            let place: i64 = row.try_get_by_index(0)?;
            let word = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            known.entry(usize::try_from(place).unwrap_or(0)).or_default().push(word);
        }
    }
    let mut places = 0..;
    let matching = queries.iter().map(|query| correct(query.terms(), &mut places, &known));
    Ok(matching.collect())
}

/// Asks for the words of the vocabulary that may stand for words that nobody
/// can see; nothing when no word may be a slip.
pub fn words_statement(conn: &Conn, view: &View, queries: &[Query]) -> Option<Statement> {
    let mut parts: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let (seen, seen_values) = visible(view);
    let (matches, has_word) = (matches_sql(conn), has_word_sql(conn));
    for (place, term) in queries.iter().flat_map(Query::terms).enumerate() {
        let close: BTreeSet<String> = term.forms.iter().flat_map(|word| pieces_of_slip(word)).collect();
        if close.is_empty() {
            continue;
        }
        let marks = vec!["?"; close.len()].join(", ");
        parts.push(format!(
            "select * from (select cast({place} as bigint), search_word.word, search_word.products from search_word
                where search_word.word in (select search_slip.word from search_slip where piece in ({marks}))
                and not exists (select 1 from search_product where {matches}{seen})
                and exists (select 1 from search_product where {has_word}{seen})
                order by search_word.products desc, search_word.word limit {CANDIDATES}) close_{place}"
        ));
        values.extend(close.into_iter().map(Value::from));
        values.push(index_query(conn, std::slice::from_ref(&term), Scope::Whole, true).into());
        values.extend(seen_values.iter().chain(&seen_values).cloned());
    }
    (!parts.is_empty()).then(|| statement(conn, &parts.join(" union all "), values))
}

/// Puts the closest words in place of those that were not found.
fn correct(
    terms: Vec<Term>,
    places: &mut impl Iterator<Item = usize>,
    known: &HashMap<usize, Vec<(String, i64)>>,
) -> Matching {
    let mut corrected = false;
    let terms: Vec<Term> = terms
        .into_iter()
        .zip(places)
        .map(|(term, place)| {
            let others = known.get(&place).map(Vec::as_slice).unwrap_or_default();
            let forms = term.forms.first().map(|word| closest(word, others)).unwrap_or_default();
            if forms.is_empty() {
                return term;
            }
            corrected = true;
            Term { forms, open: false }
        })
        .collect();
    let first = |term: &Term| term.forms.first().cloned().unwrap_or_default();
    let corrected = corrected.then(|| terms.iter().map(first).collect::<Vec<_>>().join(" "));
    Matching { terms, corrected }
}

/// The condition that a product matches.
pub fn condition(conn: &Conn, view: &View, matching: &Matching) -> sea_orm::sea_query::SimpleExpr {
    if matching.is_void() {
        return expression(conn, "1 = 0", []);
    }
    let (spoken, values) = spoken(view);
    let sql = format!(
        "product.id in (select search_product.product_id from search_product where {} and {spoken})",
        matches_sql(conn)
    );
    let query = Value::from(index_query(conn, &matching.terms, Scope::Whole, true));
    expression(conn, &sql, [query].into_iter().chain(values))
}

/// How well a product matches, and its values: where the words stand counts
/// more than whether the last one is whole. It is worked out product by product
/// for those that [`condition`] let through: joined, SQLite would walk all hits
/// for each of them.
pub fn score(conn: &Conn, view: &View, matching: &Matching) -> (String, Vec<Value>) {
    let tiers = [
        (6, Scope::Title, false),
        (5, Scope::Title, true),
        (4, Scope::Keyword, false),
        (3, Scope::Keyword, true),
        (2, Scope::Whole, false),
    ];
    let matches = matches_sql(conn);
    let (spoken, values) = spoken(view);
    let cases: Vec<String> = tiers.iter().map(|(score, ..)| format!("when {matches} then {score}")).collect();
    let query = |(_, scope, open): &(i32, Scope, bool)| Value::from(index_query(conn, &matching.terms, *scope, *open));
    let sql = format!(
        "(select case {} else 1 end from search_product where search_product.product_id = product.id and {spoken})",
        cases.join(" ")
    );
    (sql, tiers.iter().map(query).chain(values).collect())
}
