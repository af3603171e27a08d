//! What a request is worth, and how it is refused when its budget is used up:
//! one rule for HTTP, websockets and events. Whose buckets it takes from is in
//! [`engine::throttle`].
//!
//! What a server sends by itself costs nothing: a subscription pays when it begins.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, ServerError};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response as HttpResponse;
use clap::Args;
use domain::auth::Surface;
use domain::throttle::{Bucket, Budget, LEAST, Unreadable, worth};
use tokio::time::Instant;

use super::answer::{coded, write};
use super::log::Line;
use super::negotiate::Media;
use super::ready::{Context, Refused};
use super::{Door, Endpoint};
use crate::api::call::Call;
use crate::api::document::{Judged, Left};
use engine::actor::Actor;
use engine::error::{Error, Result as Outcome};
use engine::throttle::{Asker, Budgets, Standing};

/// What is charged for a request that is turned away: it was read, and perhaps its credential looked for.
const TURNED_AWAY: u64 = 100;
/// What judging a document is worth: one point for so many bytes.
const BYTES: u64 = 64;
/// How many messages a socket takes at once, and in a second; what comes faster waits in the line.
const MESSAGES: Budget = Budget { capacity: 200, per_second: 100 };

/// How much anybody may ask, in points: what an operation costs, and more where it writes or checks a password.
///
/// An address is often an office or a whole network of telephones: its bucket holds the checkouts of some twenty
/// shoppers who all buy at this moment, and gains what fifty of them ask who go on looking. That is a burst of
/// some seconds of a machine's time and a tenth of one of its cores from then on.
#[derive(Debug, Clone, Copy, Args)]
pub struct Rates {
    /// How much one client address may ask as a guest or with a customer's session: POINTS at once and so many each
    /// second, or `off`.
    #[arg(long, env = "EMPORION_RATE_ADDRESS", value_name = "POINTS/SECOND", default_value_t = Limit::of(1_500_000, 20_000))]
    pub rate_address: Limit,
    /// How much one customer's session may ask, wherever from.
    #[arg(long, env = "EMPORION_RATE_CUSTOMER", value_name = "POINTS/SECOND", default_value_t = Limit::of(300_000, 4_000))]
    pub rate_customer: Limit,
    /// How much one session of staff may ask.
    #[arg(long, env = "EMPORION_RATE_STAFF", value_name = "POINTS/SECOND", default_value_t = Limit::of(2_000_000, 100_000))]
    pub rate_staff: Limit,
    /// How much one API key may ask.
    #[arg(long, env = "EMPORION_RATE_API_KEY", value_name = "POINTS/SECOND", default_value_t = Limit::of(5_000_000, 200_000))]
    pub rate_api_key: Limit,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            rate_address: Limit::of(1_500_000, 20_000),
            rate_customer: Limit::of(300_000, 4_000),
            rate_staff: Limit::of(2_000_000, 100_000),
            rate_api_key: Limit::of(5_000_000, 200_000),
        }
    }
}

impl Rates {
    /// By whose budget they are.
    pub fn budgets(&self) -> Budgets {
        Budgets {
            address: self.rate_address.0,
            customer: self.rate_customer.0,
            staff: self.rate_staff.0,
            api_key: self.rate_api_key.0,
        }
    }
}

/// A budget, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub Option<Budget>);

impl Limit {
    const fn of(capacity: u32, per_second: u32) -> Self {
        Self(Some(Budget { capacity, per_second }))
    }
}

impl FromStr for Limit {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        match text {
            "off" | "0" => Ok(Self(None)),
            text => text.parse().map(|budget| Self(Some(budget))),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(budget) => budget.fmt(f),
            None => f.write_str("off"),
        }
    }
}

/// What a request took, and what is left.
#[derive(Debug, Clone, Default)]
pub struct Toll(Vec<Standing>);

impl Toll {
    /// The toll, unless a bucket had not enough.
    fn passed(standings: Vec<Standing>) -> Result<Self, Refused> {
        match standings.iter().any(|standing| standing.wait.is_some()) {
            true => Err(Refused::Throttled(Self(standings))),
            false => Ok(Self(standings)),
        }
    }

    /// How long to wait, when there was not enough.
    fn wait(&self) -> Duration {
        self.0.iter().filter_map(|standing| standing.wait).max().unwrap_or_default()
    }

    /// How the bucket stands of which the smallest part is left.
    fn left(&self) -> Option<Left> {
        let part = |standing: &&Standing| standing.bucket.level.saturating_mul(1_000) / standing.budget.full();
        self.0.iter().min_by_key(part).map(|standing| Left {
            policy: standing.policy.as_str(),
            available: standing.bucket.points(),
            capacity: standing.budget.capacity,
            per_second: standing.budget.per_second,
        })
    }

    /// Tells it in the headers of draft-ietf-httpapi-ratelimit-headers-11. The unit is ours: the draft knows requests
    /// and bytes.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let is_refused = self.0.iter().any(|standing| standing.wait.is_some());
        let (mut policies, mut limits) = (vec![], vec![]);
        for Standing { policy, budget, bucket, wait } in &self.0 {
            let name = policy.as_str();
            let (capacity, window) = (budget.capacity, budget.window());
            policies.push(format!("\"{name}\";q={capacity};qu=\"emporion-cost\";w={window}"));
            // Nobody is asked to wait longer than for the bucket that had not enough.
            if wait.is_some() == is_refused {
                let until = wait.unwrap_or(Duration::from_millis(bucket.until_full(*budget)));
                limits.push(format!("\"{name}\";r={};t={}", bucket.points(), whole_seconds(until)));
            }
        }
        for (name, values) in [("ratelimit-policy", policies), ("ratelimit", limits)] {
            if let (false, Ok(value)) = (values.is_empty(), HeaderValue::from_str(&values.join(", "))) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }

    /// The error that the client of an operation is told.
    pub fn error(&self) -> ServerError {
        let mut error = coded("Too much was asked in too short a time: wait and try again.", "THROTTLED");
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("retryAfterMs", u64::try_from(self.wait().as_millis()).unwrap_or(u64::MAX));
        if let Some(standing) = self.0.iter().find(|standing| standing.wait.is_some()) {
            extensions.set("policy", standing.policy.as_str());
        }
        error
    }

    /// The answer to what came too early.
    pub fn refuse(&self, media: Media) -> HttpResponse {
        let mut answer = write(media, StatusCode::TOO_MANY_REQUESTS, &[self.error()]);
        answer.headers_mut().insert(header::RETRY_AFTER, whole_seconds(self.wait()).into());
        self.tell(answer.headers_mut());
        answer
    }
}

/// Rounded up, and at least one.
fn whole_seconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1)
}

impl<S> Endpoint<S> {
    fn asker(&self, context: &Context) -> Asker {
        let surfaces: &[Surface] = match self.door {
            Door::Store => &[Surface::Store],
            Door::Admin => &[Surface::Admin],
            Door::Unified => &[Surface::Admin, Surface::Store],
        };
        let secret = context.secret().ok().flatten();
        self.throttle.asker(&self.app.keys, surfaces, secret, context.from, self.app.clock.now())
    }

    /// Judges the operation that a request runs, and takes what it is worth. Who
    /// has not enough left for being judged is not.
    ///
    /// # Errors
    /// What is wrong with the document, or that there is not enough for it.
    pub async fn begin(
        &self,
        request: &mut Request,
        context: &Context,
        line: &Line,
    ) -> Result<(Judged, Toll), Refused> {
        let begun = self.judge_and_charge(request, context, line).await;
        if let Err(Refused::Throttled(toll)) = &begun {
            line.refused(&[toll.error()]);
        }
        begun
    }

    async fn judge_and_charge(
        &self,
        request: &mut Request,
        context: &Context,
        line: &Line,
    ) -> Result<(Judged, Toll), Refused> {
        let asker = self.asker(context);
        let judging = u64::try_from(request.query.len()).unwrap_or(u64::MAX) / BYTES;
        Toll::passed(self.throttle.look(&asker, LEAST + judging))?;
        match self.judge(request, line) {
            Ok(mut judged) => {
                let worth = worth(&judged.weight, judged.kind == OperationType::Mutation);
                let toll = Toll::passed(self.throttle.take(&asker, worth).await)?;
                judged.left = toll.left();
                Ok((judged, toll))
            }
            Err(errors) => {
                self.charge(&asker, TURNED_AWAY + judging).await?;
                Err(Refused::Document(errors))
            }
        }
    }

    /// Takes so much, or all that is left of it: who had not enough for what was done for him anyway starts from nothing.
    async fn charge(&self, asker: &Asker, points: u64) -> Result<Toll, Refused> {
        let refused = match Toll::passed(self.throttle.take(asker, points).await) {
            Err(Refused::Throttled(toll)) => toll,
            passed => return passed,
        };
        let rest = refused.0.iter().map(|standing| standing.bucket.points()).min().unwrap_or(0);
        let _ = self.throttle.take(asker, rest).await;
        Err(Refused::Throttled(refused))
    }

    /// Takes the least from the address for an answer that another was told a moment ago: it takes no work but its
    /// sending.
    ///
    /// # Errors
    /// That there is not even so much.
    pub async fn pay(&self, peer: SocketAddr, headers: &HeaderMap) -> Result<Toll, Refused> {
        let asker = Asker::at(Some(self.gate.client(peer, headers)));
        Toll::passed(self.throttle.take(&asker, LEAST).await)
    }

    /// Charges the address for a connection that is opened for many operations.
    ///
    /// # Errors
    /// That there is not enough for it.
    pub async fn knock(&self, address: IpAddr) -> Result<(), Refused> {
        Toll::passed(self.throttle.take(&Asker::at(Some(address)), LEAST).await).map(drop)
    }

    /// Charges the address for a request that brings no operation that could be read.
    pub async fn turn_away(&self, peer: SocketAddr, headers: &HeaderMap, mut answer: HttpResponse) -> HttpResponse {
        let asker = Asker::at(Some(self.gate.client(peer, headers)));
        match self.charge(&asker, TURNED_AWAY).await {
            Ok(toll) => {
                toll.tell(answer.headers_mut());
                answer
            }
            Err(Refused::Throttled(toll)) => toll.refuse(Media::Json),
            Err(_) => answer,
        }
    }

    /// Notes whether a credential was good, and charges the address for one that was not.
    ///
    /// # Errors
    /// That there is not enough for one more try.
    pub async fn note(&self, context: &Context, opened: &Outcome<Call>) -> Result<(), Refused> {
        let let_in = match opened {
            Ok(call) if matches!(call.caller.actor, Actor::ApiKey { .. }) => true,
            Err(Error::Unauthenticated) if context.credential.is_some() => false,
            _ => return Ok(()),
        };
        self.throttle.note(&self.asker(context), let_in);
        match let_in {
            true => Ok(()),
            false => self.charge(&Asker::at(context.from), TURNED_AWAY).await.map(drop),
        }
    }
}

/// How fast a socket's messages are taken.
#[derive(Debug)]
pub struct Pace {
    begun: Instant,
    bucket: Bucket,
}

impl Pace {
    /// Nothing was said yet.
    pub fn new(begun: Instant) -> Self {
        Self { begun, bucket: Bucket::full(MESSAGES, 0) }
    }

    /// One message was taken; answers when the next may be, unless that is at once.
    pub fn step(&mut self, now: Instant) -> Option<Instant> {
        let passed = u64::try_from((now - self.begun).as_millis()).unwrap_or(u64::MAX);
        let _ = self.bucket.take(MESSAGES, passed, 1);
        let wait = self.bucket.clone().take(MESSAGES, passed, 1).err()?;
        Some(now + Duration::from_millis(wait))
    }
}
