//! The full-text index, which the two databases keep each in their own way:
//! FTS5 on SQLite, `tsvector` on PostgreSQL. Both are given words that
//! `domain::search` folded: letters and digits, nothing that either would read
//! as syntax.

use domain::id::ProductId;
use domain::search::{Document, Term};
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Value};
use uuid::Uuid;

use super::{Conn, expression, statement};

/// Which parts of a product are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Title and codes.
    Title,
    /// These, and what groups the product.
    Keyword,
    /// Everything.
    Whole,
}

/// The terms as the database's own query: all of them, each in one of its
/// forms. `open` lets the last word go on.
pub fn index_query(conn: &Conn, terms: &[Term], scope: Scope, open: bool) -> String {
    let postgres = conn.backend() == DbBackend::Postgres;
    let weights = match scope {
        Scope::Title => "A",
        Scope::Keyword => "AB",
        Scope::Whole => "",
    };
    let form = |word: &String, goes_on: bool| match (postgres, goes_on) {
        (true, true) => format!("'{word}':*{weights}"),
        (true, false) if weights.is_empty() => format!("'{word}'"),
        (true, false) => format!("'{word}':{weights}"),
        (false, true) => format!("\"{word}\"*"),
        (false, false) => format!("\"{word}\""),
    };
    let (or, and) = if postgres { (" | ", " & ") } else { (" OR ", " AND ") };
    let term = |term: &Term| {
        let forms: Vec<String> = term.forms.iter().map(|word| form(word, open && term.open)).collect();
        format!("({})", forms.join(or))
    };
    let query = terms.iter().map(term).collect::<Vec<_>>().join(and);
    match (postgres, scope) {
        (false, Scope::Title) => format!("{{title code}} : ({query})"),
        (false, Scope::Keyword) => format!("{{title code keyword}} : ({query})"),
        _ => query,
    }
}

/// The condition that a row of `search_product` matches the query `?`.
pub fn matches_sql(conn: &Conn) -> &'static str {
    match conn.backend() {
        DbBackend::Postgres => "search_product.document @@ ?::tsquery",
        _ => "search_product.number in (select rowid from search_index where search_index match ?)",
    }
}

/// The condition that a row of `search_product` has the word of `search_word`.
pub fn has_word_sql(conn: &Conn) -> &'static str {
    match conn.backend() {
        DbBackend::Postgres => "search_product.document @@ ('''' || search_word.word || '''')::tsquery",
        _ => {
            "search_product.number in (select rowid from search_index
                where search_index match '\"' || search_word.word || '\"')"
        }
    }
}

/// A key that sorts by score and then by time, as text.
pub fn rank_key(conn: &Conn, score: &str, time: &str, values: Vec<Value>) -> SimpleExpr {
    let sql = match conn.backend() {
        DbBackend::Postgres => format!(
            "({score} || ' ' || to_char({time} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')) collate \"C\""
        ),
        _ => format!("({score} || ' ' || {time})"),
    };
    expression(conn, &sql, values)
}

/// An id as text, which a statement can put beside other texts.
pub fn id_text(conn: &Conn, column: &str) -> String {
    match conn.backend() {
        DbBackend::Postgres => format!("cast({column} as text)"),
        _ => format!("hex({column})"),
    }
}

/// Puts the words of a product in a language into the index, in place of those it had.
pub async fn put_document(conn: &Conn, product: ProductId, locale: &str, document: &Document) -> Result<(), DbErr> {
    let id = Uuid::from(product);
    let texts =
        [&document.title, &document.code, &document.keyword, &document.body].map(|text| Value::from(text.as_str()));
    let [title, code, keyword, body] = texts.clone();
    if conn.backend() == DbBackend::Postgres {
        let sql = "insert into search_product (product_id, locale, title, code, keyword, body, document)
            values (?, ?, ?, ?, ?, ?, ?::tsvector) on conflict (product_id, locale) do update set
            title = excluded.title, code = excluded.code, keyword = excluded.keyword, body = excluded.body,
            document = excluded.document";
        let values = [id.into(), locale.into(), title, code, keyword, body, weighted(document).into()];
        conn.execute_raw(statement(conn, sql, values)).await?;
        return Ok(());
    }
    let sql = "insert into search_product (product_id, locale, title, code, keyword, body) values (?, ?, ?, ?, ?, ?)
        on conflict (product_id, locale) do update set title = excluded.title, code = excluded.code,
        keyword = excluded.keyword, body = excluded.body returning number";
    let row = conn.query_one_raw(statement(conn, sql, [id.into(), locale.into(), title, code, keyword, body])).await?;
    let number: i64 = row.ok_or_else(|| DbErr::RecordNotFound("search_product".into()))?.try_get_by_index(0)?;
    let sql = "insert or replace into search_index (rowid, title, code, keyword, body) values (?, ?, ?, ?, ?)";
    conn.execute_raw(statement(conn, sql, [number.into()].into_iter().chain(texts))).await?;
    Ok(())
}

/// Takes a product in a language out of the index.
pub async fn remove_document(conn: &Conn, product: ProductId, locale: &str) -> Result<(), DbErr> {
    let own = || [Uuid::from(product).into(), Value::from(locale)];
    if conn.backend() != DbBackend::Postgres {
        let sql = "delete from search_index where rowid in (
            select number from search_product where product_id = ? and locale = ?)";
        conn.execute_raw(statement(conn, sql, own())).await?;
    }
    let sql = "delete from search_product where product_id = ? and locale = ?";
    conn.execute_raw(statement(conn, sql, own())).await?;
    Ok(())
}

/// Empties the index and all that hangs on it.
pub async fn clear_documents(conn: &Conn) -> Result<(), DbErr> {
    if conn.backend() != DbBackend::Postgres {
        conn.execute_unprepared("insert into search_index (search_index) values ('delete-all')").await?;
    }
    for table in ["search_product", "search_slip", "search_word"] {
        conn.execute_unprepared(&format!("delete from {table}")).await?;
    }
    Ok(())
}

/// A document in the spelling of `tsvector`: what a word weighs is where it stands.
fn weighted(document: &Document) -> String {
    let parts = [(&document.title, "1A"), (&document.code, "1A"), (&document.keyword, "2B"), (&document.body, "3C")];
    let words = parts.into_iter().flat_map(|(text, weight)| {
        text.split(' ').filter(|word| !word.is_empty()).map(move |word| format!("'{word}':{weight}"))
    });
    words.collect::<Vec<_>>().join(" ")
}
