//! Everything that a database holds, row by row, to see what a request changed.

use std::collections::{BTreeMap, BTreeSet};

use engine::db::statement;
use sea_orm::{ConnectionTrait, DbBackend};
use uuid::Uuid;

use super::Shop;

/// Tables that change whoever asks for whatever: tries are counted, and the
/// shop's own tasks write what they have done.
const BY_THEMSELVES: &[&str] = &["access_attempt", "consumer", "job", "notification"];
/// The columns of the other tables of which the same is true.
const COLUMNS_BY_THEMSELVES: &[(&str, &str)] =
    &[("event", "position"), ("api_key", "last_used_at"), ("region", "listed_rate_ppm")];

/// Reads every row of a shop's database as text.
#[derive(Debug)]
pub struct Reader {
    sql: String,
    postgres: bool,
}

impl Reader {
    /// Learns which tables there are.
    pub async fn of(shop: &Shop) -> Self {
        let conn = shop.app.read();
        let postgres = conn.get_database_backend() == DbBackend::Postgres;
        let columns = match postgres {
            true => {
                "select cast(table_name as text), cast(column_name as text) from information_schema.columns
                where table_schema = 'public' order by table_name, ordinal_position"
            }
            false => {
                "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c
                where m.type = 'table' and m.name not like 'sqlite%' and m.name not like 'search_index%'
                order by m.name, c.cid"
            }
        };
        let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in conn.query_all_raw(statement(&conn, columns, [])).await.unwrap() {
            let (table, column): (String, String) =
                (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
            if !COLUMNS_BY_THEMSELVES.contains(&(table.as_str(), column.as_str())) {
                tables.entry(table).or_default().push(match postgres {
                    true => format!("coalesce(cast(\"{column}\" as text), 'null')"),
                    false => format!("quote(\"{column}\")"),
                });
            }
        }
        let selects = tables
            .iter()
            .filter(|(table, _)| !BY_THEMSELVES.contains(&table.as_str()))
            .map(|(table, columns)| format!("select '{table}: ' || {} from \"{table}\"", columns.join(" || ' ' || ")));
        let sql = selects.collect::<Vec<_>>().join(" union all ");
        assert!(tables.len() > 50, "{} tables", tables.len());
        Self { sql, postgres }
    }

    /// Every row, as `table: column column`.
    pub async fn rows(&self, shop: &Shop) -> BTreeSet<String> {
        let conn = shop.app.read();
        let rows = conn.query_all_raw(statement(&conn, &self.sql, [])).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap().to_lowercase()).collect()
    }

    /// How a row names an id.
    pub fn written(&self, id: Uuid) -> String {
        if self.postgres { id.hyphenated().to_string() } else { id.simple().to_string() }
    }
}

/// What is in one and not in the other, for a message.
pub fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    let gone = before.difference(after).map(|row| format!("- {row}"));
    gone.chain(after.difference(before).map(|row| format!("+ {row}"))).collect()
}
