//! A running count of events that come too often for a line each.
//!
//! Responsible for saying in one line per second what would be thousands: how many of which kind, and how many bytes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Between two lines of one tally.
const EVERY: Duration = Duration::from_secs(1);
/// Kinds that are counted apart; what comes beyond is counted as `other`, so that hostile input can't grow the table.
const KINDS: usize = 64;

/// Counts lines of a stream by kind and logs the sums, at most once a second, at level `debug`.
#[derive(Debug)]
pub struct Tally {
    stream: &'static str,
    session: String,
    counts: BTreeMap<String, Count>,
    since: Instant,
}

#[derive(Debug, Default)]
struct Count {
    lines: u64,
    bytes: u64,
}

impl Tally {
    /// A tally of `stream` (such as `runner stdout`) in `session`.
    #[must_use]
    pub fn new(stream: &'static str, session: &str) -> Tally {
        Tally { stream, session: session.to_owned(), counts: BTreeMap::new(), since: Instant::now() }
    }

    /// Counts one line of this kind. Logs when the newest line of the log is a second old; costs a map look-up.
    pub fn add(&mut self, kind: &str, bytes: usize) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let full = self.counts.len() >= KINDS;
        let count = match self.counts.get_mut(kind) {
            Some(count) => count,
            None if full => self.counts.entry("other".to_owned()).or_default(),
            None => self.counts.entry(kind.to_owned()).or_default(),
        };
        count.lines += 1;
        count.bytes += bytes as u64;
        if self.since.elapsed() >= EVERY {
            self.flush();
        }
    }

    /// Logs what was counted since the last line, if anything. Call it when the stream pauses or ends.
    pub fn flush(&mut self) {
        self.since = Instant::now();
        if let Some(sums) = self.take() {
            tracing::debug!(session = self.session, "{}: {sums}", self.stream);
        }
    }

    fn take(&mut self) -> Option<String> {
        if self.counts.is_empty() {
            return None;
        }
        let mut sums = String::new();
        for (kind, count) in std::mem::take(&mut self.counts) {
            let comma = if sums.is_empty() { "" } else { ", " };
            let _ = write!(sums, "{comma}{} × {kind} ({} bytes)", count.lines, count.bytes);
        }
        Some(sums)
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_by_kind_in_bounded_memory() {
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry());
        let mut tally = Tally::new("runner stdout", "s1");
        tally.since = Instant::now() + Duration::from_secs(3600);
        for n in 0..1000 {
            tally.add("agent_event", 10);
            tally.add(&format!("invented {n}"), 1);
        }
        assert!(tally.counts.len() <= KINDS + 1);
        let sums = tally.take().unwrap();
        assert!(sums.contains("1000 × agent_event (10000 bytes)"), "{sums}");
        assert!(sums.contains("× other ("));
        assert_eq!(tally.take(), None);
    }
}
