//! Links by which whoever holds one may pay what an order owes, and sees no
//! more of it than that.

use chrono::{DateTime, TimeDelta, Utc};
use domain::auth::Permission;
use domain::id::{OrderId, PaymentLinkId};
use domain::money::Money;
use domain::notification::link::LinkKind;
use domain::refusal::{ErrorCode, Refusal};
use entity::{order, payment_link};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::super::repo;
use super::ops::{check_amount, left, may_owe, no_order, written};
use crate::actor::Need;
use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::op::{Op, Repeatable, Tx};
use crate::order::access;

/// How long a link is good when staff say nothing.
pub const LIFE: TimeDelta = TimeDelta::days(14);
/// The longest that a link may be good.
const MAX_LIFE: TimeDelta = TimeDelta::days(90);
/// How many links of an order may be good at once.
const MAX_OPEN: usize = 20;
/// The template of the mail that brings a link.
pub const TEMPLATE: &str = "order.payment_link";

/// A link was made.
pub const LINK_CREATED: &str = "payment_link.created";
/// A link is worthless from now on.
pub const LINK_REVOKED: &str = "payment_link.revoked";

/// The refusal of a link that opens nothing.
pub fn no_link() -> Refusal {
    Refusal::new(ErrorCode::TokenInvalid, "This link is not good, or not any more.").at(["linkToken"])
}

/// Whether a link is good at this moment.
pub(super) fn is_good(row: &payment_link::Model, now: DateTime<Utc>) -> bool {
    row.revoked_at.is_none() && row.expires_at > now
}

/// A link of an order, good or not.
pub(super) async fn find(conn: &Conn, id: PaymentLinkId, order: OrderId) -> Result<payment_link::Model> {
    let row = repo::find_link(conn, id).await?;
    Ok(row.filter(|row| row.order_id == order).ok_or_else(no_link)?)
}

/// The order and the link that a token names, when the shop signed it and its time is not over. The link may have been
/// revoked: what was begun by it goes on.
///
/// # Errors
/// `TOKEN_INVALID` when it is none of ours, or not any more.
pub async fn named_by(app: &App, conn: &Conn, token: &str) -> Result<(order::Model, payment_link::Model)> {
    let (order, id) = app.keys.read_payment_link(token, app.clock.now()).ok_or_else(no_link)?;
    let row = find(conn, id, order).await?;
    let order = crate::order::repo::find(conn, order).await?.ok_or_else(no_link)?;
    Ok((order, row))
}

/// The same of a link that is good.
///
/// # Errors
/// `TOKEN_INVALID` when it is not, or not any more.
pub async fn opened_by(app: &App, conn: &Conn, token: &str) -> Result<(order::Model, payment_link::Model)> {
    let (order, row) = named_by(app, conn, token).await?;
    if is_good(&row, app.clock.now()) { Ok((order, row)) } else { Err(no_link().into()) }
}

/// How much may be paid by a link now, in minor units.
pub async fn left_by(conn: &Conn, order: &order::Model, link: &payment_link::Model) -> Result<i64> {
    Ok(left(order, &repo::with_ledgers(conn, &[order.id]).await?, Some(link)))
}

/// The token of a link; the same row gives the same token.
pub fn token(app: &App, row: &payment_link::Model) -> Result<String> {
    app.keys.sign_payment_link(row.order_id, row.id, row.created_at, row.expires_at)
}

/// The address of a link on the storefront of its order's channel; nothing when that has none.
pub fn address(app: &App, order: &order::Model, token: &str) -> Option<String> {
    let settings = app.settings();
    let channel = settings.channel(order.channel_id)?;
    let storefront = channel.storefront_url.as_deref()?;
    let paths = channel.link_paths.clone().unwrap_or_default();
    Some(paths.link(LinkKind::Payment, storefront, &order.id.to_string(), token))
}

/// Makes a link to pay by.
#[derive(Debug, Clone, Serialize)]
pub struct CreateLink {
    /// For which order.
    pub order: OrderId,
    /// How much is to be paid; all that the order owes, whenever that is, when absent.
    #[serde(serialize_with = "written")]
    pub amount: Option<Money>,
    /// Until when it is good; [`LIFE`] when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it is mailed to whoever bought.
    pub mails: bool,
}

impl Op for CreateLink {
    const NAME: &'static str = "payment_link.create";
    const NEEDS: Need = Need::Permission(Permission::PaymentsWrite);
    type Out = PaymentLinkId;

    async fn run(&self, tx: &mut Tx) -> Result<PaymentLinkId> {
        let order = access::lock(tx, Permission::PaymentsWrite, self.order).await?.ok_or_else(no_order)?;
        let now = tx.now();
        let expires_at = self.expires_at.unwrap_or(now + LIFE);
        if expires_at <= now || expires_at > now + MAX_LIFE {
            let message = format!("A link is good for {} days at most, and not until yesterday.", MAX_LIFE.num_days());
            return Err(Refusal::new(ErrorCode::Invalid, message).limit(MAX_LIFE.num_days()).at(["expiresAt"]).into());
        }
        if repo::links_of(&tx.conn, &[order.id]).await?.iter().filter(|row| is_good(row, now)).count() >= MAX_OPEN {
            let message = format!("An order has at most {MAX_OPEN} links that are good; revoke one.");
            return Err(Refusal::new(ErrorCode::TooMany, message).limit(MAX_OPEN as i64).into());
        }
        let left = left(&order, &repo::with_ledgers(&tx.conn, &[order.id]).await?, None);
        let amount = self.amount.unwrap_or_else(|| Money::new(left, order.currency));
        may_owe(&order)?;
        check_amount(amount, order.currency, left)?;
        let row = payment_link::Model {
            id: tx.id(),
            order_id: order.id,
            created_at: now,
            created_by: tx.actor().to_string(),
            expires_at,
            revoked_at: None,
            amount_minor: self.amount.map(|amount| amount.minor),
            currency: order.currency,
        };
        let id = row.id;
        repo::insert_link(tx, row).await?;
        tx.audit(order.id, None, Some(json!({ "paymentLink": id, "amountMinor": amount.minor, "mails": self.mails })));
        let history = crate::order::aggregate(order.id);
        tx.emit(history, LINK_CREATED, json!({ "paymentLink": id }));
        if self.mails {
            let payload = json!({ "template": TEMPLATE, "paymentLink": id });
            tx.emit(history, crate::order::MAIL_REQUESTED, payload);
        }
        Ok(id)
    }
}

impl Repeatable for CreateLink {
    fn entity(out: &PaymentLinkId) -> Uuid {
        (*out).into()
    }

    async fn replay(&self, _: &mut Tx, entity: Uuid) -> Result<PaymentLinkId> {
        Ok(entity.into())
    }
}

/// Makes a link worthless; doing it twice does it once.
#[derive(Debug, Clone, Copy)]
pub struct RevokeLink {
    /// Which link.
    pub link: PaymentLinkId,
}

impl Op for RevokeLink {
    const NAME: &'static str = "payment_link.revoke";
    const NEEDS: Need = Need::Permission(Permission::PaymentsWrite);
    type Out = ();

    async fn run(&self, tx: &mut Tx) -> Result<()> {
        let missing = || Refusal::new(ErrorCode::NotFound, "There is no such link.").at(["paymentLinkId"]);
        let found = repo::find_link(&tx.conn, self.link).await?.ok_or_else(missing)?;
        access::lock(tx, Permission::PaymentsWrite, found.order_id).await?.ok_or_else(missing)?;
        if repo::revoke_link(tx, self.link).await? {
            tx.audit(found.order_id, None, Some(json!({ "revokedPaymentLink": self.link })));
            let history = crate::order::aggregate(found.order_id);
            tx.emit(history, LINK_REVOKED, json!({ "paymentLink": self.link }));
        }
        Ok(())
    }
}

/// A link by its id, when it is good.
pub async fn good(conn: &Conn, id: PaymentLinkId, now: DateTime<Utc>) -> Result<Option<payment_link::Model>> {
    Ok(repo::find_link(conn, id).await?.filter(|row| is_good(row, now)))
}
