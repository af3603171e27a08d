//! Documents as large as are read: how soon the server has judged each of
//! them, whatever it is made of.

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::Result;
use crate::http::Http;
use crate::server::Server;
use crate::table::{Table, quantile};

/// The most bytes that the server reads.
const BYTES: usize = 64 * 1024;
/// The most tokens that it reads.
const TOKENS: usize = 2_000;
/// From sending a document until its answer is there, in milliseconds. The goal is 2; this is what no
/// machine may need that does something else besides.
const JUDGED: f64 = 4.0;
/// How often each of them is sent.
const TIMES: usize = 41;

/// Times each kind of document; each must be answered, by data or by a refusal. The fastest time counts: the others
/// tell of the machine.
pub async fn judge(server: &Server, table: &mut Table) -> Result<()> {
    let mut wire = Http::connect(server.address, "/store/graphql", None).await?;
    for (name, document) in corpus() {
        let body = json!({ "query": document }).to_string();
        let mut taken = Vec::new();
        for _ in 0..TIMES {
            let began = Instant::now();
            let answer: Value = serde_json::from_slice(&wire.exchange(&body).await?)?;
            taken.push(began.elapsed().as_secs_f64() * 1_000.0);
            if answer["data"].is_null() && answer["errors"][0]["extensions"]["code"].is_null() {
                return Err(format!("neither data nor a refusal for {name}: {answer}").into());
            }
        }
        table.note(&name, "ms", Some(JUDGED), quantile(&taken, 0.0));
    }
    Ok(())
}

/// Documents of one thing each, that can be parsed: as long as any may be, and as much of it as is let through to the
/// parser.
fn corpus() -> Vec<(String, String)> {
    let mut corpus: Vec<(String, String)> = Vec::new();
    let mut long = |name: &str, head: &str, each: &str, tail: &str| {
        for (size, room) in [("64 KiB", BYTES - 100), ("32 KiB", BYTES / 2 - 800)] {
            let times = room.saturating_sub(head.len() + tail.len()) / each.len();
            corpus.push((format!("{size} of {name}"), format!("{head}{}{tail}", each.repeat(times))));
        }
    };
    long("white space", "{ shop ", " ", "{ name } }");
    long("comments", "{ shop { name } }", "#\n", "");
    long("one comment", "{ shop { name } } #", "x", "");
    long("fields", "{ ", "a ", "}");
    long("one text", "{ a(b: \"", "x", "\") }");
    long("escapes", "{ a(b: \"", "\\n", "\") }");
    long("letters by number", "{ a(b: \"", "\\u00e9", "\") }");
    long("letters of four bytes", "{ a(b: \"", "𝄞", "\") }");
    long("one block of text", "{ a(b: \"\"\"", "x", "\"\"\") }");
    long("a block of short lines", "{ a(b: \"\"\"", "\n  x", "\"\"\") }");
    // Each so often as tokens allow, with names that are as long as they may be without counting twice.
    let mut many = |name: &str, head: &str, each: &dyn Fn(usize) -> String, tokens: usize, tail: &str| {
        let times = (TOKENS - 100) / tokens;
        let document = format!("{head}{}{tail}", (0..times).map(each).collect::<String>());
        corpus.push((format!("{times} {name}"), document));
    };
    many("fields", "{ ", &|place| format!("abc{place:04} "), 1, "}");
    many("long fields", "{ ", &|place| format!("{place:a>251} "), 32, "}");
    many("aliases", "{ ", &|place| format!("abc{place:04}: __typename "), 4, "}");
    many("empty texts", "{ a(b: [", &|_| "\"\" ".to_owned(), 1, "]) }");
    many("short texts", "{ a(b: [", &|place| format!("\"x{place:04}\" "), 1, "]) }");
    many("numbers", "{ a(b: [", &|_| "-1.5e10 ".to_owned(), 1, "]) }");
    many("objects", "{ a(b: [", &|place| format!("{{c: $d{place:04}}} "), 6, "]) }");
    many("arguments", "{ a(", &|place| format!("abc{place:04}: 1 "), 3, ") }");
    many("variables", "query(", &|place| format!("$ab{place:04}: [Int!]! = 1 "), 10, ") { shop { name } }");
    many("directives", "{ shop ", &|place| format!("@abc{place:04} "), 2, "{ name } }");
    many(
        "fragments",
        "{ ...F0000 } ",
        &|place| format!("fragment F{place:04} on Query {{ ...F{:04} }} ", place + 1),
        9,
        "",
    );
    corpus
}
