//! What Stripe tells of a PaymentIntent, in our words.

use domain::provider::stripe::from_stripe;
use serde_json::{Value, json};

use super::super::{Known, Outcome, Silent, Sums};

/// What an intent has become.
///
/// # Errors
/// When it can't be understood, which is no answer.
pub(super) fn known(intent: &Value) -> Result<Known, Silent> {
    let unclear = |what: &str| Silent(format!("a PaymentIntent without {what}"));
    let reference = intent["id"].as_str().filter(|id| is_name(id, "pi_")).ok_or_else(|| unclear("an id"))?.to_owned();
    let currency = intent["currency"].as_str().ok_or_else(|| unclear("a currency"))?;
    let minor = |value: &Value| from_stripe(value.as_i64().unwrap_or(0), currency).map(|money| money.minor);
    let amount = intent["amount"].as_i64().and_then(|amount| from_stripe(amount, currency));
    let sums = Sums {
        amount: amount.ok_or_else(|| unclear("an amount"))?,
        captured_minor: minor(&intent["amount_received"]).unwrap_or(0),
        refunded_minor: refunded(intent, &minor),
    };
    let outcome = match intent["status"].as_str().unwrap_or_default() {
        "succeeded" => Outcome::Captured { reference },
        "requires_capture" => Outcome::Authorized { reference },
        "processing" => Outcome::Processing { reference },
        "canceled" => Outcome::Canceled { reference },
        "requires_action" => Outcome::RequiresAction { reference, next_action: next_action(intent) },
        "requires_payment_method" | "requires_confirmation" => {
            let reason = words(&intent["last_payment_error"]).to_owned();
            Outcome::Declined { reference: Some(reference), reason }
        }
        _ => return Err(unclear("a known status")),
    };
    Ok(Known { outcome, sums: Some(sums) })
}

/// What was given back of what was taken; only known when the charge was asked for. Stripe counts as given back, too,
/// what was promised and then let go of: by taking a part, or by giving all of it up.
fn refunded(intent: &Value, minor: &impl Fn(&Value) -> Option<i64>) -> i64 {
    let charge = &intent["latest_charge"];
    let counted = minor(&charge["amount_refunded"]).unwrap_or(0);
    let ended = ["succeeded", "canceled"].contains(&intent["status"].as_str().unwrap_or_default());
    let released = match (minor(&charge["amount"]), minor(&intent["amount_received"])) {
        (Some(amount), Some(captured)) if ended && charge.is_object() && intent["amount_received"].is_i64() => {
            amount - captured
        }
        _ => 0,
    };
    if counted >= released { counted - released } else { counted }
}

/// What the client needs: an address to go to, or the secret with which Stripe's own library goes on.
fn next_action(intent: &Value) -> Value {
    let action = &intent["next_action"];
    let mut next = json!({ "type": action["type"], "clientSecret": intent["client_secret"] });
    if let Some(url) = action["redirect_to_url"]["url"].as_str() {
        next["type"] = json!("redirect");
        next["url"] = json!(url);
    }
    next
}

/// Why a card was declined, in words for the shopper. What the bank suspects is not for him.
pub(super) fn words(error: &Value) -> &'static str {
    let code = error["decline_code"].as_str().or(error["code"].as_str()).unwrap_or_default();
    match code {
        "insufficient_funds" => "There is not enough money on the account.",
        "expired_card" => "The card has expired.",
        "incorrect_cvc" | "invalid_cvc" => "The security code of the card is wrong.",
        "incorrect_number" | "invalid_number" => "The number of the card is wrong.",
        "invalid_expiry_month" | "invalid_expiry_year" => "The date of expiry is wrong.",
        "incorrect_zip" | "incorrect_address" => "The address does not fit the card.",
        "card_velocity_exceeded" | "withdrawal_count_limit_exceeded" => "The limit of the card is reached.",
        "card_not_supported" | "currency_not_supported" => "The card can't be used for this payment.",
        "authentication_required" | "authentication_not_handled" => "The bank wants the payment to be confirmed.",
        "payment_intent_authentication_failure" => "The payment was not confirmed.",
        "processing_error" | "reenter_transaction" | "try_again_later" | "issuer_not_available" => {
            "The bank could not be reached; try again."
        }
        _ => "The payment was declined.",
    }
}

/// Whether a text is a name of Stripe's: it becomes part of an address.
pub(super) fn is_name(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    (1..=120).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
