//! Orders as a table with one row for each line, for spreadsheets and books.

use std::collections::HashMap;
use std::io::Write;

use domain::address::Address;
use domain::id::OrderId;
use domain::money::Money;
use domain::payment::Entry;
use entity::{order, order_line};

use super::repo::{self, OrderFilter};
use crate::app::App;
use crate::catalog::export::unwritten;
use crate::db::Conn;
use crate::error::Result;
use crate::page::{ADMIN_MAX, Page, PageArgs};
use crate::settings::Settings;

/// The columns, in their order. Amounts of the order as a whole stand in the
/// row of its first line only, so that a column can be summed.
pub const COLUMNS: [&str; 47] = [
    "number",
    "order_id",
    "placed_at",
    "canceled_at",
    "status",
    "payment_status",
    "fulfillment_status",
    "channel",
    "region",
    "currency",
    "email",
    "customer_id",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "total",
    "paid",
    "refunded",
    "ship_to_name",
    "ship_to_company",
    "ship_to_address1",
    "ship_to_address2",
    "ship_to_city",
    "ship_to_province",
    "ship_to_postal_code",
    "ship_to_country",
    "ship_to_phone",
    "line",
    "product",
    "variant",
    "sku",
    "options",
    "quantity",
    "unit_price",
    "prices_include_tax",
    "line_subtotal",
    "line_discount",
    "line_net",
    "line_tax",
    "line_total",
    "packed",
    "shipped",
    "delivered",
    "canceled",
    "product_id",
    "variant_id",
];

/// Writes orders by the time at which they were placed, the oldest first,
/// telling `progress` how many of how many are done. Answers with their number.
pub async fn export_orders(
    app: &App,
    filter: &OrderFilter,
    out: impl Write,
    mut progress: impl FnMut(usize, usize),
) -> Result<usize> {
    let conn = app.read();
    let settings = app.settings();
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    csv.write_record(COLUMNS).map_err(unwritten)?;
    let (mut done, mut after, mut total) = (0, None, None);
    loop {
        let args = PageArgs { first: Some(ADMIN_MAX), after, ..PageArgs::default() };
        let page = Page::read(args, ADMIN_MAX, false, &"export")?;
        let rows = repo::page(&conn, filter, page, total.is_none()).await?;
        let all = *total.get_or_insert(rows.total.unwrap_or(0));
        progress(done, usize::try_from(all).unwrap_or(0).max(done));
        done += rows.rows.len();
        after = rows.rows.last().filter(|_| rows.has_next).map(|(_, place)| rows.cursor(place));
        let orders: Vec<order::Model> = rows.rows.into_iter().map(|(row, _)| row).collect();
        for record in records(&conn, &settings, orders).await? {
            csv.write_record(record.iter().map(|cell| harmless(cell))).map_err(unwritten)?;
        }
        if after.is_none() {
            break;
        }
    }
    csv.flush().map_err(unwritten)?;
    Ok(done)
}

/// A cell that no spreadsheet takes for a formula: shoppers write names and
/// addresses, and staff open the file.
fn harmless(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

async fn records(conn: &Conn, settings: &Settings, orders: Vec<order::Model>) -> Result<Vec<Vec<String>>> {
    let ids: Vec<OrderId> = orders.iter().map(|row| row.id).collect();
    let mut lines: HashMap<OrderId, Vec<order_line::Model>> = HashMap::new();
    for line in repo::lines_of(conn, &ids).await? {
        lines.entry(line.order_id).or_default().push(line);
    }
    let payments = crate::payment::repo::of_orders(conn, &ids).await?;
    let of_payment: HashMap<_, _> = payments.iter().filter_map(|row| Some((row.id, row.order_id?))).collect();
    let payment_ids: Vec<_> = payments.iter().map(|row| row.id).collect();
    let mut ledgers: HashMap<OrderId, Vec<Entry>> = HashMap::new();
    for row in crate::payment::repo::entries_of(conn, &payment_ids).await? {
        if let Some(order) = of_payment.get(&row.payment_id) {
            ledgers.entry(*order).or_default().push(crate::payment::repo::entry(&row));
        }
    }
    let mut records = Vec::new();
    for order in orders {
        let ledger = ledgers.remove(&order.id).unwrap_or_default();
        let head = head(settings, &order);
        let amounts = amounts(&order, &ledger);
        let address = address(order.shipping_address.as_ref());
        let own = lines.remove(&order.id).unwrap_or_default();
        for (place, line) in own.iter().enumerate() {
            let amounts = if place == 0 { amounts.clone() } else { vec![String::new(); amounts.len()] };
            records.push([head.clone(), amounts, address.clone(), line_cells(&order, place, line)].concat());
        }
    }
    Ok(records)
}

fn head(settings: &Settings, order: &order::Model) -> Vec<String> {
    let channel = settings.channels.iter().find(|channel| channel.id == order.channel_id);
    let region = settings.region(order.region_id);
    let moment = |at: chrono::DateTime<chrono::Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    vec![
        order.number.map(|number| number.to_string()).unwrap_or_default(),
        order.id.to_string(),
        moment(order.placed_at),
        order.canceled_at.map(moment).unwrap_or_default(),
        order.status.to_string(),
        order.payment_status.to_string(),
        order.fulfillment_status.to_string(),
        channel.map_or_else(|| order.channel_id.to_string(), |channel| channel.handle.to_string()),
        region.map_or_else(|| order.region_id.to_string(), |region| region.row.handle.to_string()),
        order.currency.to_string(),
        order.email.to_string(),
        order.customer_id.map(|id| id.to_string()).unwrap_or_default(),
    ]
}

fn amounts(order: &order::Model, ledger: &[Entry]) -> Vec<String> {
    let paid = domain::payment::ledger(ledger);
    let figures = [
        order.subtotal_minor,
        order.discount_minor,
        order.shipping_minor,
        order.tax_minor,
        order.total_minor,
        paid.captured_minor,
        paid.refunded_minor,
    ];
    figures.into_iter().map(|minor| Money::new(minor, order.currency).decimal()).collect()
}

fn address(address: Option<&Address>) -> Vec<String> {
    let Some(address) = address else { return vec![String::new(); 9] };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = [address.first_name.as_deref(), Some(address.last_name.as_str())];
    vec![
        name.into_iter().flatten().collect::<Vec<_>>().join(" "),
        text(&address.company),
        address.address1.clone(),
        text(&address.address2),
        address.city.clone(),
        text(&address.province),
        text(&address.postal_code),
        address.country.to_string(),
        text(&address.phone),
    ]
}

fn line_cells(order: &order::Model, place: usize, line: &order_line::Model) -> Vec<String> {
    let money = |minor: i64| Money::new(minor, order.currency).decimal();
    let options: Vec<(String, String)> = serde_json::from_value(line.options.clone()).unwrap_or_default();
    let options: Vec<String> = options.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    vec![
        (place + 1).to_string(),
        line.title.clone(),
        line.variant_title.clone(),
        line.sku.clone().unwrap_or_default(),
        options.join(", "),
        line.ordered.to_string(),
        money(line.unit_price_minor),
        line.includes_tax.to_string(),
        money(line.subtotal_minor),
        money(line.discount_minor),
        money(line.net_minor),
        money(line.tax_minor),
        money(line.total_minor),
        line.fulfilled.to_string(),
        line.shipped.to_string(),
        line.delivered.to_string(),
        line.canceled.to_string(),
        line.product_id.map(|id| id.to_string()).unwrap_or_default(),
        line.variant_id.map(|id| id.to_string()).unwrap_or_default(),
    ]
}
