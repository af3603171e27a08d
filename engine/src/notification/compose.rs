//! From a notification to a mail: whom it is for, what it leads to, what it
//! says. The token that goes into it is issued here, at the last moment.

use std::sync::Arc;

use domain::auth::TokenPurpose;
use domain::id::{ChannelId, CustomerId, OrderId};
use domain::notification::link::LinkKind;
use domain::notification::sender::Sender;
use domain::notification::{About, NotificationSource, NotificationTemplate};
use domain::text::Email;
use entity::{channel, customer, notification, notification_text, order};

use super::context::{self, Context, PersonView, ShopView};
use super::render::{PartFault, Text, render};
use super::{built_in, repo};
use crate::actor::Caller;
use crate::app::App;
use crate::auth::one_time;
use crate::auth::token::ORDER_LINK_LIFE;
use crate::customer::mail::IssueToken;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::order::ops::GrantAccess;
use crate::provider::notification::Mail;
use crate::settings::Settings;

/// From whom mail comes when nobody said: no answer reaches it.
const NOBODY: &str = "noreply@localhost";
/// What stands for a token in a preview.
pub const PREVIEW_TOKEN: &str = "PREVIEW";
/// What stands for a product's handle in a preview.
const PREVIEW_HANDLE: &str = "tee";

/// What became of a notification that was looked at.
#[derive(Debug, Clone)]
pub enum Composed {
    /// A mail.
    Ready(Box<Mail>),
    /// There is no reason any more to send it.
    Pointless(&'static str),
    /// Its text does not work.
    Broken(PartFault),
}

/// Where a mail to a customer goes.
pub fn mailbox_of(row: &customer::Model, template: NotificationTemplate) -> Option<Email> {
    match template {
        NotificationTemplate::CustomerEmailChange => row.new_email.clone(),
        NotificationTemplate::CustomerEmailChanged => row.previous_email.clone(),
        _ => Some(row.email.clone()),
    }
}

/// A text with where it came from.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The templates.
    pub text: Text,
    /// Their language.
    pub locale: String,
    /// Whose they are.
    pub source: NotificationSource,
    /// The row, when staff wrote it.
    pub row: Option<notification_text::Model>,
}

/// The text of a kind of mail: language by language, in each the channel's own
/// text first, then the shop's, then what Emporion brings along.
pub fn choose(
    template: NotificationTemplate,
    channel: &channel::Model,
    locale: &str,
    texts: &[notification_text::Model],
) -> Option<Chosen> {
    let parents = |tag: &str| {
        std::iter::successors(Some(tag.to_owned()), |tag| tag.rsplit_once('-').map(|(up, _)| up.to_owned()))
    };
    let chain = parents(locale).chain(parents(&channel.default_locale)).chain([built_in::LOCALES[0].to_owned()]);
    chain.into_iter().find_map(|locale| {
        let of = |channel: Option<ChannelId>| {
            texts.iter().find(|row| {
                row.template == template && row.channel_id == channel && row.locale.eq_ignore_ascii_case(&locale)
            })
        };
        let own = |row: &notification_text::Model, source| Chosen {
            text: Text { subject: row.subject.clone(), text: row.text.clone(), html: row.html.clone() },
            locale: row.locale.clone(),
            source,
            row: Some(row.clone()),
        };
        let written = of(Some(channel.id)).map(|row| own(row, NotificationSource::Channel));
        let written = written.or_else(|| of(None).map(|row| own(row, NotificationSource::Shop)));
        written.or_else(|| {
            let text = built_in::text(template, &locale)?;
            Some(Chosen { text, locale: locale.clone(), source: NotificationSource::BuiltIn, row: None })
        })
    })
}

/// The channel of a mail, open or closed.
fn channel_of(settings: &Settings, id: ChannelId) -> Result<&channel::Model> {
    let found = settings.channels.iter().find(|channel| channel.id == id);
    found.ok_or_else(|| Error::internal("a mail names a channel that is gone"))
}

fn shop(channel: &channel::Model) -> Context {
    Context::new(ShopView { name: channel.name.clone(), url: channel.storefront_url.clone() })
}

/// Puts a link into a context: below the address that staff gave the channel, never one that a request named.
/// `subject` is the order's id or the product's handle, where the link names one.
fn lead(context: &mut Context, channel: &channel::Model, kind: LinkKind, subject: &str, token: &str) {
    let paths = channel.link_paths.clone().unwrap_or_default();
    context.link = channel.storefront_url.as_deref().map(|base| paths.link(kind, base, subject, token));
}

/// What the mail of a kind leads to, when it is about a customer, and what its token is for.
fn customer_link(template: NotificationTemplate) -> (LinkKind, Option<TokenPurpose>) {
    match template {
        NotificationTemplate::CustomerVerification => {
            (LinkKind::Verification, Some(TokenPurpose::CustomerVerification))
        }
        NotificationTemplate::CustomerRecovery => (LinkKind::Recovery, Some(TokenPurpose::PasswordRecovery)),
        NotificationTemplate::CustomerEmailChange => (LinkKind::EmailChange, Some(TokenPurpose::EmailChange)),
        NotificationTemplate::CustomerOrderClaim => (LinkKind::OrderClaim, Some(TokenPurpose::OrderClaim)),
        _ => (LinkKind::Account, None),
    }
}

/// Composes the mail of a notification that was claimed.
pub async fn compose(app: &Arc<App>, row: &notification::Model) -> Result<Composed> {
    let settings = app.settings();
    let channel = channel_of(&settings, row.channel_id)?;
    let mut context = shop(channel);
    let to = match row.template.about() {
        About::Order => order_mail(app, row, channel, &mut context).await?,
        About::Customer => customer_mail(app, row, channel, &mut context).await?,
        About::Variant => variant_mail(app, row, channel, &mut context).await?,
        About::GiftCard => gift_card_mail(app, row, &mut context).await?,
        About::Staff => staff_mail(app, row, channel, &mut context).await?,
    };
    let Some(to) = to else { return Ok(Composed::Pointless("What it was about is over.")) };
    let texts = repo::texts(&app.read(), Some(row.template)).await?;
    let chosen = choose(row.template, channel, &row.locale, &texts);
    let chosen = chosen.ok_or_else(|| Error::internal("a kind of mail has no text"))?;
    let said = match render(&chosen.text, &context, &chosen.locale) {
        Ok(said) => said,
        Err(fault) => return Ok(Composed::Broken(fault)),
    };
    let from = sender(app, channel)?;
    let domain = from.email.as_str().rsplit('@').next().unwrap_or("localhost");
    Ok(Composed::Ready(Box::new(Mail {
        id: row.id,
        message_id: format!("<{}@{domain}>", row.id),
        from: from.clone(),
        to,
        subject: said.subject,
        text: said.text,
        html: said.html,
        locale: chosen.locale,
        date: app.clock.now().into(),
    })))
}

/// From whom a channel's mail comes.
fn sender(app: &App, channel: &channel::Model) -> Result<Sender> {
    let own = channel.mail_from.as_deref().map(str::parse::<Sender>).transpose()?;
    let mut from = match own.or_else(|| app.mail.from.clone()) {
        Some(from) => from,
        None => NOBODY.parse()?,
    };
    from.name.get_or_insert_with(|| channel.name.clone());
    Ok(from)
}

async fn order_mail(
    app: &Arc<App>,
    row: &notification::Model,
    channel: &channel::Model,
    context: &mut Context,
) -> Result<Option<Email>> {
    let conn = app.read();
    let Some(id) = row.order_id else { return Ok(None) };
    let Some(order) = crate::order::repo::find(&conn, id).await? else { return Ok(None) };
    if order.email == Email::erased() {
        return Ok(None);
    }
    about_order(&conn, row, &order, context).await?;
    if row.template == NotificationTemplate::OrderPaymentLink {
        return payment_link(app, &conn, (row, &order), channel, context).await;
    }
    let granted = app.run(&Caller::system(), &GrantAccess { order: id, life: ORDER_LINK_LIFE }).await?;
    let token = app.keys.sign_order_link(id, granted.id, granted.created_at, granted.expires_at)?;
    lead(context, channel, LinkKind::Order, &id.to_string(), &token);
    context.token = Some(token);
    context.valid_hours = Some(ORDER_LINK_LIFE.num_hours());
    Ok(Some(order.email))
}

/// Writes a link to pay by into a context. Nobody is told of what is paid or revoked by now.
async fn payment_link(
    app: &App,
    conn: &Conn,
    (row, order): (&notification::Model, &order::Model),
    channel: &channel::Model,
    context: &mut Context,
) -> Result<Option<Email>> {
    use crate::payment::due::link;
    let now = app.clock.now();
    let Some(id) = row.payment_link_id else { return Ok(None) };
    let Some(found) = link::good(conn, id, now).await? else { return Ok(None) };
    let left = link::left_by(conn, order, &found).await?;
    if left == 0 {
        return Ok(None);
    }
    let token = link::token(app, &found)?;
    lead(context, channel, LinkKind::Payment, &order.id.to_string(), &token);
    context.due = Some(context::AmountView { amount: context::amount(left, order.currency, &order.locale) });
    context.token = Some(token);
    context.valid_hours = Some((found.expires_at - now).num_hours());
    Ok(Some(order.email.clone()))
}

/// Writes an order, and what the kind of mail says besides, into a context.
async fn about_order(
    conn: &Conn,
    row: &notification::Model,
    order: &order::Model,
    context: &mut Context,
) -> Result<()> {
    let lines = crate::order::repo::lines_of(conn, &[order.id]).await?;
    let shipping = crate::order::repo::shipping_of(conn, &[order.id]).await?;
    match row.template {
        NotificationTemplate::OrderShipped => {
            let ids: Vec<_> = row.fulfillment_id.into_iter().collect();
            let packed = crate::fulfillment::repo::lines_of(conn, &ids).await?;
            let trackings = crate::fulfillment::repo::trackings_of(conn, &ids).await?;
            context.fulfillment = Some(context::fulfillment(&packed, &trackings, &lines));
        }
        NotificationTemplate::OrderRefunded => {
            let amount = context::amount(row.amount_minor.unwrap_or_default(), order.currency, &row.locale);
            context.refund = Some(context::AmountView { amount });
        }
        _ => {}
    }
    context.order = Some(context::order(order, &lines, &shipping, &row.locale));
    Ok(())
}

async fn customer_mail(
    app: &Arc<App>,
    row: &notification::Model,
    channel: &channel::Model,
    context: &mut Context,
) -> Result<Option<Email>> {
    let Some(id) = row.customer_id else { return Ok(None) };
    let Some(customer) = crate::customer::repo::find(&app.read(), id).await? else { return Ok(None) };
    let (kind, purpose) = customer_link(row.template);
    let mut to = mailbox_of(&customer, row.template);
    let mut token = String::new();
    if let Some(purpose) = purpose {
        let Some(mailed) = app.run(&Caller::system(), &IssueToken { purpose, customer: id }).await? else {
            return Ok(None);
        };
        to = Some(mailed.to);
        token = mailed.secret;
        context.token = Some(token.clone());
        context.valid_hours = Some(one_time::life(purpose).num_hours());
    }
    lead(context, channel, kind, "", &token);
    let to = to.filter(|to| *to != Email::erased());
    context.customer = to.as_ref().map(|to| named(&customer, row.template, to));
    Ok(to)
}

/// A customer as his mail names him. Nobody has proved yet that the mailbox is his who typed the name: what goes to
/// it would carry a stranger's words.
fn named(row: &customer::Model, template: NotificationTemplate, to: &Email) -> PersonView {
    use NotificationTemplate::{CustomerEmailChange, CustomerVerification};
    match template {
        CustomerVerification | CustomerEmailChange => context::person(None, None, to.as_str()),
        _ => context::person(row.first_name.as_deref(), row.last_name.as_deref(), to.as_str()),
    }
}

/// Whoever asked for a variant is told that it is back, though others may have been faster since.
async fn variant_mail(
    app: &Arc<App>,
    row: &notification::Model,
    channel: &channel::Model,
    context: &mut Context,
) -> Result<Option<Email>> {
    let conn = app.read();
    let variants: Vec<_> = row.variant_id.into_iter().collect();
    let found = crate::inventory::repo::for_sale(&conn, &variants, channel.id, app.clock.now()).await?;
    let Some(variant) = found.into_iter().next() else { return Ok(None) };
    let product = crate::catalog::repo::by_ids(&conn, &[variant.product_id]).await?.into_iter().next();
    let product = product.ok_or_else(|| Error::internal("a variant without a product"))?;
    lead(context, channel, LinkKind::Product, product.handle.as_str(), "");
    context.product = Some(context::product(&product, &variant));
    Ok(row.recipient.clone())
}

/// A card with its code, as long as nobody has claimed it and it can be spent. What it is over is what it was made over,
/// however late the mail goes.
async fn gift_card_mail(app: &Arc<App>, row: &notification::Model, context: &mut Context) -> Result<Option<Email>> {
    let Some(id) = row.ledger_account_id else { return Ok(None) };
    let Some(card) = crate::ledger::repo::find(&app.read(), id).await? else { return Ok(None) };
    let Some(code) = crate::ledger::code::read(&app.vault, &card)? else { return Ok(None) };
    if crate::ledger::account(&card).spendable(app.clock.now().timestamp_micros()) == 0 {
        return Ok(None);
    }
    let worth = row.amount_minor.unwrap_or(card.balance_minor);
    context.gift_card = Some(context::gift_card(&card, worth, code, &row.locale));
    context.link.clone_from(&context.shop.url);
    Ok(row.recipient.clone())
}

/// What the mail of a kind leads to, when it is about staff, and what its token is for.
fn staff_link(template: NotificationTemplate) -> (LinkKind, TokenPurpose) {
    match template {
        NotificationTemplate::StaffRecovery => (LinkKind::StaffRecovery, TokenPurpose::StaffRecovery),
        _ => (LinkKind::StaffInvitation, TokenPurpose::StaffInvitation),
    }
}

async fn staff_mail(
    app: &Arc<App>,
    row: &notification::Model,
    channel: &channel::Model,
    context: &mut Context,
) -> Result<Option<Email>> {
    let Some(id) = row.staff_id else { return Ok(None) };
    let (kind, purpose) = staff_link(row.template);
    let issue = crate::staff::mail::IssueToken { purpose, staff: id };
    let Some(mailed) = app.run(&Caller::system(), &issue).await? else { return Ok(None) };
    lead(context, channel, kind, "", &mailed.secret);
    context.token = Some(mailed.secret);
    context.valid_hours = Some(one_time::life(purpose).num_hours());
    context.staff = Some(context::person(None, Some(&mailed.name), mailed.to.as_str()));
    Ok(Some(mailed.to))
}

/// What is previewed.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Which kind of mail.
    pub template: NotificationTemplate,
    /// About this order.
    pub order: Option<OrderId>,
    /// About this customer.
    pub customer: Option<CustomerId>,
    /// In this language; the order's or the customer's own when absent.
    pub locale: Option<String>,
    /// As this channel sends it; the order's own, or the shop's first, when absent.
    pub channel: Option<ChannelId>,
    /// With this text instead of the one that is kept.
    pub draft: Option<Text>,
}

/// A mail as it would be; no token is issued, and nothing is sent.
#[derive(Debug, Clone)]
pub struct Previewed {
    /// What it would say.
    pub said: Text,
    /// In which language.
    pub locale: String,
    /// To whom it would go; a sample goes to nobody.
    pub to: Option<Email>,
    /// From whom.
    pub from: Sender,
    /// Whose text it is.
    pub source: Option<NotificationSource>,
}

/// Composes a mail without sending it. Without an order or a customer it
/// speaks of a sample.
pub async fn preview(app: &Arc<App>, conn: &Conn, wish: &Preview) -> Result<Previewed> {
    use domain::refusal::{ErrorCode, Refusal};
    let settings = app.settings();
    let missing = |what: &str, name: &'static str| {
        Error::from(Refusal::new(ErrorCode::NotFound, format!("There is no such {what}.")).at([name]))
    };
    let order = match wish.order.filter(|_| wish.template.about() == About::Order) {
        Some(id) => Some(crate::order::repo::find(conn, id).await?.ok_or_else(|| missing("order", "orderId"))?),
        None => None,
    };
    let customer = match wish.customer.filter(|_| wish.template.about() == About::Customer) {
        Some(id) => {
            let found = crate::customer::repo::find(conn, id).await?;
            Some(found.ok_or_else(|| missing("customer", "customerId"))?)
        }
        None => None,
    };
    let channel = match wish.channel.or_else(|| order.as_ref().map(|order| order.channel_id)) {
        Some(id) => settings.channels.iter().find(|row| row.id == id).ok_or_else(|| missing("channel", "channelId"))?,
        None => settings.default_channel()?,
    };
    let own = order.as_ref().map(|row| row.locale.clone());
    let own = own.or_else(|| customer.as_ref().and_then(|row| row.locale.clone()));
    let locale = wish.locale.clone().or(own).unwrap_or_else(|| channel.default_locale.clone());
    let locale = domain::channel::locale(&locale).map_err(|refusal| refusal.at(["locale"]))?;
    let mut context = Context { shop: shop(channel).shop, ..context::sample(wish.template) };
    let to = subject_of(conn, wish.template, &locale, order.as_ref(), customer.as_ref(), &mut context).await?;
    let kind = match wish.template.about() {
        About::Order if wish.template == NotificationTemplate::OrderPaymentLink => LinkKind::Payment,
        About::Order => LinkKind::Order,
        About::Customer => customer_link(wish.template).0,
        About::Variant => LinkKind::Product,
        About::GiftCard => LinkKind::Account,
        About::Staff => staff_link(wish.template).0,
    };
    let subject = order.as_ref().map(|row| row.id.to_string()).unwrap_or_else(|| PREVIEW_HANDLE.to_owned());
    lead(&mut context, channel, kind, &subject, PREVIEW_TOKEN);
    if wish.template.about() == About::GiftCard {
        context.link.clone_from(&context.shop.url);
    }
    context.token = context.token.map(|_| PREVIEW_TOKEN.to_owned());
    let chosen = choose(wish.template, channel, &locale, &repo::texts(conn, Some(wish.template)).await?);
    let chosen = chosen.ok_or_else(|| Error::internal("a kind of mail has no text"))?;
    let (text, locale, source) = match &wish.draft {
        Some(draft) => {
            super::render::check(wish.template, draft)?;
            (draft, &locale, None)
        }
        None => (&chosen.text, &chosen.locale, Some(chosen.source)),
    };
    let said = render(text, &context, locale)
        .map_err(|fault| Refusal::new(ErrorCode::Invalid, fault.to_string()).at([fault.part]))?;
    Ok(Previewed { said, locale: locale.clone(), to, from: sender(app, channel)?, source })
}

/// Puts the order or the customer of a preview in place of the sample.
async fn subject_of(
    conn: &Conn,
    template: NotificationTemplate,
    locale: &str,
    order: Option<&order::Model>,
    customer: Option<&customer::Model>,
    context: &mut Context,
) -> Result<Option<Email>> {
    if let Some(order) = order {
        let lines = crate::order::repo::lines_of(conn, &[order.id]).await?;
        let shipping = crate::order::repo::shipping_of(conn, &[order.id]).await?;
        context.order = Some(context::order(order, &lines, &shipping, locale));
        if template == NotificationTemplate::OrderShipped {
            // The last one, or what one would look like.
            if let Some(last) = crate::fulfillment::repo::of_orders(conn, &[order.id]).await?.last() {
                let packed = crate::fulfillment::repo::lines_of(conn, &[last.id]).await?;
                let trackings = crate::fulfillment::repo::trackings_of(conn, &[last.id]).await?;
                context.fulfillment = Some(context::fulfillment(&packed, &trackings, &lines));
            }
        }
        if template == NotificationTemplate::OrderRefunded {
            let amount = context::amount(order.total_minor, order.currency, locale);
            context.refund = Some(context::AmountView { amount });
        }
        if template == NotificationTemplate::OrderPaymentLink {
            let amount = context::amount(order.total_minor, order.currency, locale);
            context.due = Some(context::AmountView { amount });
        }
        return Ok(Some(order.email.clone()));
    }
    if let Some(customer) = customer {
        let to = mailbox_of(customer, template).unwrap_or_else(|| customer.email.clone());
        context.customer = Some(named(customer, template, &to));
        return Ok(Some(to));
    }
    Ok(None)
}
