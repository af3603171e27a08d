//! The legal texts of the demo shop. They say that the shop sells nothing, and
//! are no advice.

use std::sync::Arc;

use domain::policy::PolicyKind;

use crate::actor::Caller;
use crate::app::App;
use crate::error::Result;
use crate::policy::ops::SetPolicy;

const TEXTS: [(PolicyKind, &str); 6] = [
    (
        PolicyKind::Privacy,
        "<p>This is a demo shop. It keeps what you type into it until whoever runs it removes its folder.</p>\
         <h2>What is kept</h2><ul><li>The names, addresses and e-mail addresses of orders and accounts.</li>\
         <li>What was ordered and when.</li></ul><p>Invent what you type.</p>",
    ),
    (
        PolicyKind::TermsOfSale,
        "<p>Nothing in this demo shop is for sale. An order is no contract, no money moves and no parcel is sent.</p>",
    ),
    (
        PolicyKind::Refund,
        "<p>If goods were sold here, they could be sent back within 30 days, unused and in their box, and the money \
         would come back the way it was paid.</p>",
    ),
    (
        PolicyKind::Shipping,
        "<table><thead><tr><th>Way</th><th>Europe</th><th>United States</th></tr></thead><tbody>\
         <tr><td>Standard</td><td>4.90 EUR</td><td>6.90 USD</td></tr>\
         <tr><td>Express</td><td>12.90 EUR</td><td>18.90 USD</td></tr></tbody></table>",
    ),
    (
        PolicyKind::LegalNotice,
        "<p>Demo shop of the Emporion gateway. Nobody runs it but you. Put the name and the address of your company \
         here before you sell anything.</p>",
    ),
    (PolicyKind::Contact, "<p>Nobody reads mail here. Put your e-mail address and telephone number in this place.</p>"),
];

/// Writes the texts of the kinds of which the shop has none.
pub(super) async fn write(app: &Arc<App>) -> Result<()> {
    for (kind, body) in TEXTS {
        if app.settings().policies.iter().any(|known| known.kind == kind) {
            continue;
        }
        let op = SetPolicy { kind, channel: None, expected_version: None, title: None, body_html: body.to_owned() };
        app.run(&Caller::system(), &op).await?;
    }
    Ok(())
}
