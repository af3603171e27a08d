//! What takes longer than a second says how far it is: on a terminal as a bar,
//! else as a plain line now and then, and not at all with `--quiet`. It goes to
//! the standard error, so that what a command prints stays what it answers.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::Args;

/// What is done sooner needs no word.
const SOON: Duration = Duration::from_secs(1);
/// How often a bar is drawn anew.
const DRAWN: Duration = Duration::from_millis(100);
/// How often a plain line is written.
const SPOKEN: Duration = Duration::from_secs(5);
/// How wide a bar is, in characters.
const WIDTH: usize = 30;

/// Whether a command tells how far it is.
#[derive(Debug, Clone, Copy, Args)]
pub struct Progress {
    /// Don't tell how far it is.
    #[arg(long)]
    quiet: bool,
}

impl Progress {
    /// A bar over so many of `unit`, which is a plural such as `products`.
    pub fn bar(self, unit: &'static str) -> Bar {
        let way = match (self.quiet, std::io::stderr().is_terminal()) {
            (true, _) => Way::Silent,
            (false, true) => Way::Drawn,
            (false, false) => Way::Lines,
        };
        let now = Instant::now();
        Bar { unit, way, began: now, told: now, from: None, shown: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Silent,
    Drawn,
    Lines,
}

/// How far something is. Dropping it leaves the terminal's line to what is printed next.
#[derive(Debug)]
pub struct Bar {
    unit: &'static str,
    way: Way,
    began: Instant,
    told: Instant,
    /// What was done when it began: what goes on where it was cut is no slower for that.
    from: Option<usize>,
    shown: bool,
}

impl Bar {
    /// So many of so many are done.
    pub fn show(&mut self, done: usize, total: usize) {
        let from = *self.from.get_or_insert(done);
        let (now, every) = (Instant::now(), if self.way == Way::Drawn { DRAWN } else { SPOKEN });
        let due = now.duration_since(self.began) >= SOON && now.duration_since(self.told) >= every;
        if self.way == Way::Silent || !due {
            return;
        }
        self.told = now;
        let told = line(self.unit, from, done, total, now.duration_since(self.began));
        let mut out = std::io::stderr().lock();
        // Nobody reads any more: no reason to stop the work.
        let _ = match self.way {
            Way::Drawn => write!(out, "\r\u{1b}[K[{}] {told}", drawn(done, total)).and_then(|()| out.flush()),
            _ => writeln!(out, "{told}"),
        };
        self.shown = true;
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.shown && self.way == Way::Drawn {
            eprint!("\r\u{1b}[K");
        }
    }
}

fn drawn(done: usize, total: usize) -> String {
    let full = (done * WIDTH).checked_div(total).unwrap_or(WIDTH).min(WIDTH);
    format!("{}{}", "#".repeat(full), "-".repeat(WIDTH - full))
}

/// Done, total, rate and what is left, in words.
pub fn line(unit: &str, from: usize, done: usize, total: usize, passed: Duration) -> String {
    let rate = done.saturating_sub(from) as f64 / passed.as_secs_f64().max(0.001);
    let left = if rate > 0.0 { total.saturating_sub(done) as f64 / rate } else { 0.0 };
    let (minutes, seconds) = (left as u64 / 60, left as u64 % 60);
    format!("{done} of {total} {unit}, {rate:.0}/s, {minutes}:{seconds:02} left")
}
