//! What is wrong with a shop, and how to mend it: what `emporion doctor` says.
//!
//! | to change | edit |
//! |---|---|
//! | what is looked at in the settings | [`settings`] |
//! | what is looked at in the rows | [`repo`] |
//! | what is looked at on the machine | `src/cli/doctor.rs` |

pub mod repo;

use chrono::{DateTime, TimeDelta, Utc};
use domain::shipping::ShippingOptionKind;

use crate::app::App;
use crate::db::Conn;
use crate::error::Result;
use crate::notification;
use crate::provider::payment::PaymentProviders;
use crate::provider::payment::test;
use crate::provider::rate::RateProviders;
use crate::settings::{Region, Settings};

/// How long events may wait for their position while the shop is served.
const BEHIND: TimeDelta = TimeDelta::seconds(60);
/// Below this many bytes a disk is called full.
const LOW_DISK: u64 = 500 * 1024 * 1024;
/// The fewest characters of a secret that nobody guesses.
const SECRET: usize = 32;
/// The fewest characters of it that differ.
const DIFFERENT: usize = 10;
/// How far apart the clocks of the database and of this machine may be.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// The shop works, but somebody will miss something.
    Warning,
    /// Something does not work.
    Fault,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub what: String,
    /// What to do; empty when all is well.
    pub remedy: String,
}

impl Finding {
    /// All is well.
    pub fn fine(what: impl Into<String>) -> Self {
        Self { severity: Severity::Fine, what: what.into(), remedy: String::new() }
    }

    /// The shop works, but somebody will miss something.
    pub fn warning(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, what: what.into(), remedy: remedy.into() }
    }

    /// Something does not work.
    pub fn fault(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity: Severity::Fault, what: what.into(), remedy: remedy.into() }
    }
}

/// Looks at everything that the database and Redis can tell.
pub async fn examine(app: &App) -> Result<Vec<Finding>> {
    let now = app.clock.now();
    let conn = app.read();
    let mut found = vec![clock(repo::database_time(&conn).await?, now)];
    found.extend(redis(app).await);
    found.extend(mail(app, &conn, now).await?);
    if !repo::has_active_owner(&conn).await? {
        found.push(Finding::fault(
            "no owner can log in",
            "emporion staff create --email … --name … makes one, emporion staff reset-password … gives a new password",
        ));
    }
    let keys = repo::count_signing_keys(&conn).await?;
    found.push(Finding::fine(format!("{keys} signing key(s) in the database")));
    found.extend(settings(&app.settings()));
    found.extend(nameless(&app.settings(), &app.rate_providers));
    found.extend(payless(&crate::region::repo::all(&conn).await?, &app.payments));
    let currencies: Vec<String> = app.settings().regions.iter().map(|region| region.row.currency.to_string()).collect();
    for currency in currencies.iter().enumerate().filter(|(at, code)| !currencies[..*at].contains(code)) {
        found.extend(unpriced(currency.1, repo::unpriced(&conn, currency.1).await?));
    }
    found.push(match repo::unstamped_since(&conn, now - BEHIND).await? {
        0 => Finding::fine("the event log is up to date"),
        waiting => Finding::warning(
            format!("{waiting} event(s) have waited for over a minute"),
            "no process serves the shop, or its relay is stuck: start emporion serve and look at its log",
        ),
    });
    match repo::overdue_flows(&conn, now - BEHIND).await? {
        0 => {}
        waiting => found.push(Finding::warning(
            format!("{waiting} checkout(s) or other runs are past their deadline"),
            "a serving process takes them up again; look at its log for the payment provider's answer",
        )),
    }
    match repo::failed_flows(&conn).await? {
        0 => {}
        failed => found.push(Finding::warning(
            format!("{failed} checkout(s) or other runs failed for good"),
            "read why in the log of the serving process, and settle them with the payment provider",
        )),
    }
    Ok(found)
}

/// Payment providers that regions offer and nobody has set up.
fn payless(regions: &[Region], known: &PaymentProviders) -> Vec<Finding> {
    let offered = regions.iter().flat_map(|region| region.providers.iter().map(move |name| (region, name)));
    let missing = offered.filter(|(_, name)| name.as_str() != test::NAME && known.get(name).is_none());
    let told = missing.map(|(region, name)| {
        let what = format!(
            "the region {:?} offers the payment provider {name:?}, which is not set up",
            region.row.handle.as_str()
        );
        Finding::fault(what, "set it up in every process of the shop, or take it out of the region with regionSet")
    });
    told.collect()
}

/// Providers of rates that staff chose and no operator describes: nobody can be asked.
pub fn nameless(settings: &Settings, known: &RateProviders) -> Vec<Finding> {
    let remedy = "describe it in the file of --rate-providers, the same for all processes, or let staff choose another";
    let countries = settings.taxes.0.regions().iter().filter_map(|region| {
        let (provider, _) = region.provider.as_ref().filter(|(provider, _)| !known.tax.contains_key(provider))?;
        Some(Finding::fault(
            format!("nobody describes the tax provider {provider:?} of {}", region.area.country),
            remedy,
        ))
    });
    let options = settings.shipping_options.iter().filter_map(|option| {
        let asks = option.row.kind == ShippingOptionKind::Calculated;
        let provider = Some(&option.row.provider).filter(|name| asks && !known.shipping.contains_key(*name))?;
        let what = format!(
            "nobody describes the provider {provider:?} of the shipping option {:?}",
            option.row.handle.as_str()
        );
        Some(Finding::fault(what, remedy))
    });
    countries.chain(options).collect()
}

/// Compares the database's clock with this machine's.
pub fn clock(database: DateTime<Utc>, now: DateTime<Utc>) -> Finding {
    let apart = (database - now).abs();
    if apart <= SKEW {
        return Finding::fine("the clock agrees with the database");
    }
    Finding::warning(
        format!("this machine's clock and the database's are {} s apart", apart.num_seconds()),
        "let both follow a time server: prices, tokens and publication depend on the time",
    )
}

/// Looks at the room that is left for a folder.
pub fn disk(free: u64, folder: &str) -> Finding {
    let megabytes = free / (1024 * 1024);
    match free {
        LOW_DISK.. => Finding::fine(format!("{megabytes} MB are free for {folder}")),
        _ => Finding::fault(
            format!("only {megabytes} MB are free for {folder}"),
            "make room, or move the shop to a larger disk with --data-dir, --files-dir or --database-url",
        ),
    }
}

/// Looks at `EMPORION_SECRET`, without ever repeating it. A shop on one machine does without; one that several
/// processes serve needs one that all of them share.
pub fn secret(value: Option<&str>, shared: bool) -> Option<Finding> {
    let remedy = "set it to what `openssl rand -hex 32` prints, the same for every process of the shop, and keep it";
    let different = |value: &str| value.chars().collect::<std::collections::BTreeSet<_>>().len();
    match value {
        None | Some("") => shared.then(|| Finding::warning("EMPORION_SECRET is not set", remedy)),
        Some(value) if value.chars().count() < SECRET || different(value) < DIFFERENT => {
            Some(Finding::fault("EMPORION_SECRET is weak: it is short or repeats itself", remedy))
        }
        Some(_) => Some(Finding::fine("EMPORION_SECRET is set")),
    }
}

async fn redis(app: &App) -> Option<Finding> {
    let redis = app.redis.as_ref()?;
    Some(match redis.answers().await {
        true => Finding::fine("Redis answers"),
        false => Finding::warning(
            "Redis does not answer",
            "start it or mend --redis-url; meanwhile other processes notice changes by polling, and nothing is lost",
        ),
    })
}

/// Looks at how mail leaves the shop, and at what could not.
async fn mail(app: &App, conn: &Conn, now: DateTime<Utc>) -> Result<Vec<Finding>> {
    use domain::notification::NotificationState::{Failed, Unknown};
    let mut found = Vec::new();
    let remedy = "set mail_provider to smtp, with mail_smtp_host and mail_from";
    match &app.mail.provider {
        None => found.push(Finding::warning("mail is switched off: nobody is written to", remedy)),
        Some(provider) => match provider.check().await {
            Ok(what) if provider.name() == "file" => found.push(Finding::warning(what, remedy)),
            Ok(what) => found.push(Finding::fine(what)),
            Err(error) => found.push(Finding::fault(
                format!("mail can't be sent: {error}"),
                "mend mail_smtp_host, mail_smtp_port, mail_smtp_tls, mail_smtp_user or mail_smtp_password",
            )),
        },
    }
    if app.mail.provider.as_ref().is_some_and(|provider| provider.name() == "smtp") && app.mail.from.is_none() {
        let silent = app.settings().channels.iter().filter(|row| row.active && row.mail_from.is_none()).count();
        if silent > 0 {
            found.push(Finding::fault(
                format!("{silent} channel(s) have no sender, so mail servers refuse their mail"),
                "set mail_from, or mailFrom with channelUpdate",
            ));
        }
    }
    match notification::repo::count_in(conn, &[Failed, Unknown]).await? {
        0 => {}
        lost => found.push(Finding::warning(
            format!("{lost} mail(s) failed, or may not have arrived"),
            "read why with notifications(filter: { states: [FAILED, UNKNOWN] }) and send them with notificationResend",
        )),
    }
    match notification::repo::overdue(conn, now - BEHIND).await? {
        0 => {}
        waiting => found.push(Finding::warning(
            format!("{waiting} mail(s) have been due for over a minute"),
            "no process serves the shop, or the mail server is slow: start emporion serve and look at its log",
        )),
    }
    Ok(found)
}

fn unpriced(currency: &str, (count, handles): (i64, Vec<String>)) -> Option<Finding> {
    (count > 0).then(|| {
        Finding::warning(
            format!(
                "{count} published product(s) have a variant without a price in {currency}: {}",
                handles.join(", ")
            ),
            format!("give them one with productUpdate, or take the region in {currency} away"),
        )
    })
}

/// Looks at channels, regions, taxes, shipping and locations.
pub fn settings(settings: &Settings) -> Vec<Finding> {
    let mut found = Vec::new();
    if settings.channels.iter().all(|channel| !channel.active) {
        found.push(Finding::fault("no sales channel is active", "activate one with channelUpdate"));
    }
    if settings.regions.is_empty() {
        found.push(Finding::fault("there is no region, so nothing can be sold", "make one with regionSet"));
    }
    for channel in settings.channels.iter().filter(|channel| channel.active) {
        let handle = &channel.handle;
        if settings.locations_of(channel.id).is_empty() {
            found.push(Finding::fault(
                format!("channel {handle} has no location, so it has no stock"),
                "make a location with locationSet",
            ));
        }
        if channel.storefront_url.is_none() {
            found.push(Finding::warning(
                format!("channel {handle} has no storefront address"),
                "set storefrontUrl with channelUpdate: links in mail begin with it",
            ));
        }
    }
    for region in &settings.regions {
        found.extend(region_findings(settings, region));
    }
    let shipped = settings.shipping_options.iter().flat_map(|option| &option.countries);
    let taxed = settings.taxes.countries();
    let mut homeless: Vec<&str> =
        shipped.chain(taxed).filter(|code| settings.region_of(code).is_none()).map(|code| code.as_str()).collect();
    homeless.sort_unstable();
    homeless.dedup();
    if !homeless.is_empty() {
        found.push(Finding::warning(
            format!("shipping or taxes are set up for countries in no region: {}", homeless.join(", ")),
            "add them to a region with regionSet",
        ));
    }
    if found.is_empty() {
        found.push(Finding::fine("channels, regions, taxes, shipping and locations fit together"));
    }
    found
}

fn region_findings(settings: &Settings, region: &crate::settings::Region) -> Vec<Finding> {
    let mut found = Vec::new();
    let handle = &region.row.handle;
    if region.countries.is_empty() {
        found.push(Finding::fault(format!("region {handle} sells to no country"), "give it countries with regionSet"));
    }
    if region.providers.is_empty() {
        found.push(Finding::fault(
            format!("region {handle} offers no way to pay"),
            "give it payment providers with regionSet",
        ));
    }
    let missing = |holds: &dyn Fn(&domain::text::CountryCode) -> bool| -> Vec<&str> {
        region.countries.iter().filter(|code| !holds(code)).map(|code| code.as_str()).collect()
    };
    let untaxed = missing(&|code| settings.taxes.any_in(code));
    if region.row.automatic_taxes && !untaxed.is_empty() {
        found.push(Finding::warning(
            format!("region {handle} has no tax rate for {}", untaxed.join(", ")),
            "set one with taxRateSet; until then orders there are charged no tax",
        ));
    }
    let currency = region.row.currency;
    let shipped = |code: &domain::text::CountryCode| {
        let options = &settings.shipping_options;
        options.iter().any(|option| option.countries.contains(code) && option.is_priced_in(currency))
    };
    let unshipped = missing(&shipped);
    if !unshipped.is_empty() {
        found.push(Finding::warning(
            format!("nothing that is sent can be sold to {} in region {handle}", unshipped.join(", ")),
            format!("set a shipping option with a price in {} with shippingOptionSet", currency),
        ));
    }
    found
}
