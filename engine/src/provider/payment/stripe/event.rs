//! Events that Stripe sends, signed over the body as it came.

use aws_lc_rs::hmac;
use chrono::{DateTime, Utc};
use domain::provider::stripe::from_stripe;
use serde_json::Value;

use super::super::{Event, Forged, TOLERANCE};
use super::intent::is_name;

/// An event, when one of these secrets signed it a moment ago.
pub(super) fn read(
    keys: &[hmac::Key],
    live: bool,
    signature: Option<&str>,
    body: &[u8],
    now: DateTime<Utc>,
) -> Result<Event, Forged> {
    proven(keys, signature.ok_or(Forged::Unsigned)?, body, now)?;
    let event: Value = serde_json::from_slice(body).map_err(|_| Forged::Unreadable)?;
    // What a platform hears of the accounts that are connected to it is not about this shop.
    if event["account"].is_string() || event["livemode"].as_bool() != Some(live) {
        return Err(Forged::OtherAccount);
    }
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let id = text(&event["id"]).filter(|id| is_name(id, "evt_")).ok_or(Forged::Unreadable)?;
    let kind = text(&event["type"]).filter(|kind| kind.len() <= 100).ok_or(Forged::Unreadable)?;
    let object = &event["data"]["object"];
    let is_intent = object["object"] == "payment_intent";
    let reference = if is_intent { &object["id"] } else { &object["payment_intent"] };
    let amount = object["amount"].as_i64().zip(object["currency"].as_str()).filter(|_| is_intent);
    Ok(Event {
        id,
        kind,
        reference: text(reference).filter(|id| is_name(id, "pi_")),
        key: text(&object["metadata"]["checkout"]),
        amount: amount.and_then(|(amount, currency)| from_stripe(amount, currency)),
        foreign_currency: amount.is_some_and(|(amount, currency)| from_stripe(amount, currency).is_none()),
    })
}

/// `t=…,v1=…,v1=…`: a time, and a signature for each secret in force.
fn proven(keys: &[hmac::Key], header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), Forged> {
    let fields = || header.split(',').filter_map(|field| field.trim().split_once('='));
    let time = fields().find(|(name, _)| *name == "t").map(|(_, time)| time).ok_or(Forged::Unsigned)?;
    let at: i64 = time.parse().map_err(|_| Forged::Unsigned)?;
    let message = [time.as_bytes(), b".", body].concat();
    let signatures: Vec<Vec<u8>> =
        fields().filter(|(name, _)| *name == "v1").take(10).filter_map(|(_, text)| bytes(text)).collect();
    // Compared in constant time, each with each.
    let by = |key: &hmac::Key, tag: &Vec<u8>| hmac::verify(key, &message, tag).is_ok();
    let signed = keys.iter().fold(false, |any, key| signatures.iter().fold(any, |any, tag| any | by(key, tag)));
    if !signed {
        return Err(Forged::Unsigned);
    }
    if now.timestamp().abs_diff(at) > TOLERANCE.num_seconds().unsigned_abs() { Err(Forged::Old) } else { Ok(()) }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    (0..32).map(|place| u8::from_str_radix(&hex[place * 2..place * 2 + 2], 16).ok()).collect()
}
