//! The index: written along with the products, asked by words.

pub mod facet;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::catalog::ProductStatus;
use domain::id::ProductId;
use domain::search::{Document, Part, Query, Term, closest, pieces, pieces_of_slip};
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use super::Matching;
use crate::catalog::repo::listing::View;
use crate::db::search::{Scope, has_word_sql, id_list, index_query, matches_sql, put_document, remove_document};
use crate::db::{Conn, expression, statement};
use crate::error::Result;
use crate::op::Tx;

/// Rows that one statement writes.
const ROWS: usize = 500;
/// Words of the vocabulary that are compared with one that nobody wrote.
const CANDIDATES: usize = 200;

/// What products say about themselves, and what the index says of them now.
type Documents = HashMap<ProductId, (Vec<(Part, String)>, Option<Document>)>;

/// The texts of a product under which it is found, each with the number of its
/// part; the last four are the document that it has.
const TEXTS: &str = "
    select product.id, 0, product.title from product where product.id in {ids} and product.deleted_at is null
    union all select product.id, 2, product.handle from product where product.id in {ids} and product.deleted_at is null
    union all select product.id, 2, product.subtitle from product where product.id in {ids}
        and product.subtitle is not null
    union all select product.id, 2, product.vendor from product where product.id in {ids}
        and product.vendor is not null
    union all select product.id, 3, product.description_html from product where product.id in {ids}
    union all select product.id, 2, product_type.value from product
        join product_type on product_type.id = product.type_id where product.id in {ids}
    union all select product_tag.product_id, 2, tag.value from product_tag
        join tag on tag.id = product_tag.tag_id where product_tag.product_id in {ids}
    union all select variant.product_id, 1, variant.sku from variant
        where variant.product_id in {ids} and variant.deleted_at is null and variant.sku is not null
    union all select variant.product_id, 1, variant.barcode from variant
        where variant.product_id in {ids} and variant.deleted_at is null and variant.barcode is not null
    union all select variant.product_id, 2, option_value.name from variant
        join variant_option_value on variant_option_value.variant_id = variant.id
        join option_value on option_value.id = variant_option_value.option_value_id
        where variant.product_id in {ids} and variant.deleted_at is null
    union all select product_id, 10, title from search_product where product_id in {ids}
    union all select product_id, 11, code from search_product where product_id in {ids}
    union all select product_id, 12, keyword from search_product where product_id in {ids}
    union all select product_id, 13, body from search_product where product_id in {ids}";

/// The texts of products and their documents, in one statement.
pub async fn documents(conn: &Conn, products: &[ProductId]) -> Result<Documents> {
    let (list, value) = id_list(conn, products.iter().copied());
    let sql = TEXTS.replace("{ids}", list);
    let count = sql.matches('?').count();
    let rows = conn.query_all_raw(statement(conn, &sql, vec![value; count])).await?;
    let mut found = Documents::new();
    for row in rows {
        let id = ProductId(row.try_get_by_index(0)?);
        let kind: i32 = row.try_get_by_index(1)?;
        let text: String = row.try_get_by_index(2)?;
        let (texts, held) = found.entry(id).or_default();
        match kind {
            0 => texts.push((Part::Title, text)),
            1 => texts.push((Part::Code, text)),
            2 => texts.push((Part::Keyword, text)),
            3 => texts.push((Part::Body, text)),
            10 => held.get_or_insert_default().title = text,
            11 => held.get_or_insert_default().code = text,
            12 => held.get_or_insert_default().keyword = text,
            _ => held.get_or_insert_default().body = text,
        }
    }
    Ok(found)
}

/// Brings the index of products up to date. What already is as it should be is
/// not touched.
pub async fn refresh(tx: &Tx, products: &[ProductId]) -> Result<()> {
    if products.is_empty() {
        return Ok(());
    }
    let mut changes: BTreeMap<String, i64> = BTreeMap::new();
    for (product, (texts, before)) in documents(&tx.conn, products).await? {
        // A product that is deleted has no title any more.
        let there = texts.iter().any(|(part, _)| *part == Part::Title);
        let after = there.then(|| Document::new(texts.iter().map(|(part, text)| (*part, text.as_str()))));
        if before == after {
            continue;
        }
        match &after {
            Some(document) => put_document(&tx.conn, product, document).await?,
            None => remove_document(&tx.conn, product).await?,
        }
        for (document, change) in [(&before, -1), (&after, 1)] {
            for word in document.iter().flat_map(Document::vocabulary) {
                *changes.entry(word.to_owned()).or_default() += change;
            }
        }
    }
    changes.retain(|_, change| *change != 0);
    count_words(&tx.conn, changes.into_iter().collect()).await
}

/// Counts in how many products words stand. In the order of the words, so that
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

/// The condition that somebody who looks from here may see a row of
/// `search_product`, and its values.
fn visible(view: &View) -> (&'static str, Vec<Value>) {
    match view.channel {
        // Everything in the index is staff's to see.
        None => ("", Vec::new()),
        Some(channel) => (
            " and exists (select 1 from product join product_channel on product_channel.product_id = product.id
                where product.id = search_product.product_id and product.deleted_at is null and product.status = ?
                and product_channel.channel_id = ? and product_channel.published_at <= ?)",
            vec![ProductStatus::Published.into(), Uuid::from(channel).into(), view.now.into()],
        ),
    }
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
pub fn condition(conn: &Conn, matching: &Matching) -> sea_orm::sea_query::SimpleExpr {
    if matching.is_void() {
        return expression(conn, "1 = 0", []);
    }
    let sql =
        format!("product.id in (select search_product.product_id from search_product where {})", matches_sql(conn));
    expression(conn, &sql, [index_query(conn, &matching.terms, Scope::Whole, true).into()])
}

/// How well a product matches, and its values: where the words stand counts
/// more than whether the last one is whole. It is worked out product by product
/// for those that [`condition`] let through: joined, SQLite would walk all hits
/// for each of them.
pub fn score(conn: &Conn, matching: &Matching) -> (String, Vec<Value>) {
    let tiers = [
        (6, Scope::Title, false),
        (5, Scope::Title, true),
        (4, Scope::Keyword, false),
        (3, Scope::Keyword, true),
        (2, Scope::Whole, false),
    ];
    let matches = matches_sql(conn);
    let cases: Vec<String> = tiers.iter().map(|(score, ..)| format!("when {matches} then {score}")).collect();
    let query = |(_, scope, open): &(i32, Scope, bool)| Value::from(index_query(conn, &matching.terms, *scope, *open));
    let sql = format!(
        "(select case {} else 1 end from search_product where search_product.product_id = product.id)",
        cases.join(" ")
    );
    (sql, tiers.iter().map(query).collect())
}
