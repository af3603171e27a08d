//! The buckets that all processes of a shop share, in Redis.
//!
//! A request asks once, for all its buckets. Redis that is lost, silent or slow
//! is asked no more until it has answered quickly again, which somebody finds
//! out in the background: no request waits for that.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use domain::throttle::Budget;
use redis::aio::MultiplexedConnection;
use tokio::time::{Instant, sleep, timeout};

use super::Key;

/// How long a request waits for Redis at most. After the first that waited so long nobody asks.
const PATIENCE: Duration = Duration::from_millis(100);
/// An answer that took longer is late.
const LATE: Duration = Duration::from_millis(20);
/// So many late answers in a row, and nobody asks either.
const MOST_LATE: u32 = 5;
/// How often it is looked whether Redis is back.
const REST: Duration = Duration::from_millis(500);
/// How long connecting may take: nobody waits for it.
const CONNECT: Duration = Duration::from_secs(2);

/// Takes from all buckets, or from none when one has not enough. A key that is
/// not there is a full bucket, and goes when the bucket is full again. It goes
/// by the clock of Redis, so that those of the processes make no difference.
///
/// For each key: what it holds when full, what it gains in a millisecond, what
/// is taken. Answers 1 or 0, and what each of them holds then.
const TAKE: &str = "
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    local function write(key, level, full, gain)
        redis.call('SET', key, string.format('%.0f %.0f', level, now), 'PX', math.ceil((full - level) / gain) + 1000)
    end
    local buckets, enough = {}, 1
    for i, key in ipairs(KEYS) do
        local full, gain, charge = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
        local level, kept = full, redis.call('GET', key)
        if kept then
            local held, at = string.match(kept, '^(%d+) (%d+)$')
            held, at = tonumber(held), tonumber(at)
            level = math.min(full, held + math.max(0, now - at) * gain)
            if at > now then write(key, level, full, gain) end
        end
        buckets[i] = { level, full, gain, charge }
        if level < charge then enough = 0 end
    end
    local told = { enough }
    for i, bucket in ipairs(buckets) do
        local level, full, gain, charge = unpack(bucket)
        if enough == 1 then
            level = level - charge
            write(KEYS[i], level, full, gain)
        end
        told[i + 1] = level
    end
    return told";

/// What Redis said of a bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// What it holds, in thousandths of a point.
    pub level: u64,
    /// Whether it had enough.
    pub enough: bool,
}

#[derive(Debug)]
struct Way {
    connection: MultiplexedConnection,
    /// The name under which Redis knows the script.
    script: String,
}

/// The way to the buckets of a shop.
#[derive(Debug)]
pub(super) struct Remote {
    client: redis::Client,
    prefix: String,
    /// Nothing while nobody shall ask.
    way: ArcSwapOption<Way>,
    late: AtomicU32,
    is_looked_after: AtomicBool,
}

impl Remote {
    /// Begins to connect. `shop` keeps the shops of one Redis apart.
    pub(super) fn open(client: redis::Client, shop: &str) -> Arc<Self> {
        let remote = Arc::new(Self {
            client,
            // In braces: all of a shop's keys lie on one node of a cluster, where one script can reach them.
            prefix: format!("emporion:{{{shop}}}:throttle"),
            way: ArcSwapOption::empty(),
            late: AtomicU32::new(0),
            is_looked_after: AtomicBool::new(false),
        });
        remote.find_again();
        remote
    }

    /// What the buckets hold after so many points were taken; nothing when Redis can't say so quickly.
    pub(super) async fn take(self: &Arc<Self>, wanted: &[(Key, Budget)], points: u64) -> Option<Vec<Told>> {
        let way = self.way.load_full()?;
        let mut ask = redis::cmd("EVALSHA");
        ask.arg(&way.script).arg(wanted.len());
        for (key, _) in wanted {
            ask.arg(format!("{}:{}:{:032x}", self.prefix, key.policy.as_str(), key.id));
        }
        for (_, budget) in wanted {
            ask.arg(budget.full()).arg(budget.per_second).arg(budget.charge(points));
        }
        let (begun, mut connection) = (Instant::now(), way.connection.clone());
        let answer: Option<Vec<u64>> = match timeout(PATIENCE, ask.query_async(&mut connection)).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(error)) => {
                tracing::debug!(%error, "Redis took no part in a rate limit");
                None
            }
            Err(_) => None,
        };
        let late = match begun.elapsed() > LATE {
            true => self.late.fetch_add(1, Ordering::Relaxed) + 1,
            false => {
                self.late.store(0, Ordering::Relaxed);
                0
            }
        };
        if answer.is_none() || late >= MOST_LATE {
            self.give_up(&way);
        }
        let answer = answer?;
        let (enough, levels) = answer.split_first()?;
        let told = |(level, (_, budget)): (&u64, &(Key, Budget))| Told {
            level: *level,
            enough: *enough == 1 || *level >= budget.charge(points),
        };
        (levels.len() == wanted.len()).then(|| levels.iter().zip(wanted).map(told).collect())
    }

    /// Nobody asks from now on, unless somebody has found another way already.
    fn give_up(self: &Arc<Self>, lost: &Arc<Way>) {
        let known = self.way.compare_and_swap(lost, None);
        if known.as_ref().is_some_and(|known| Arc::ptr_eq(known, lost)) {
            tracing::warn!("Redis is slow or away: each process limits rates by itself");
            self.find_again();
        }
    }

    fn find_again(self: &Arc<Self>) {
        if !self.is_looked_after.swap(true, Ordering::AcqRel) {
            tokio::spawn(look_after(Arc::downgrade(self)));
        }
    }

    /// Connects, and finds out whether Redis answers quickly.
    async fn connect(&self) -> Option<Way> {
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(CONNECT));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = timeout(CONNECT, connecting).await.ok()?.ok()?;
        let mut load = redis::cmd("SCRIPT");
        let script: String = load.arg("LOAD").arg(TAKE).query_async(&mut connection).await.ok()?;
        let begun = Instant::now();
        let () = redis::cmd("PING").exec_async(&mut connection).await.ok()?;
        (begun.elapsed() <= LATE).then_some(Way { connection, script })
    }
}

/// Looks for a way until there is one, or nobody wants one any more.
async fn look_after(remote: Weak<Remote>) {
    while let Some(remote) = remote.upgrade() {
        if let Some(way) = remote.connect().await {
            remote.late.store(0, Ordering::Relaxed);
            remote.is_looked_after.store(false, Ordering::Release);
            remote.way.store(Some(Arc::new(way)));
            tracing::info!("rates are limited for all processes together, in Redis");
            return;
        }
        drop(remote);
        sleep(REST).await;
    }
}
