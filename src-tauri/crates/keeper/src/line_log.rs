//! Logs every protocol line's type and size at a bounded cost: one by one while few come, summed up while many do.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Lines that are logged one by one within [`WINDOW`]; the others are counted.
const ONE_BY_ONE: u32 = 50;
const WINDOW: Duration = Duration::from_secs(1);
/// Sums are written no oftener than this, and at the end of a turn.
const SUM: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub(crate) struct LineLog {
    window_began: Instant,
    sums_began: Instant,
    logged: u32,
    summed: BTreeMap<String, Sum>,
}

#[derive(Debug, Default)]
struct Sum {
    lines: u64,
    bytes: u64,
}

impl Default for LineLog {
    fn default() -> Self {
        let now = Instant::now();
        Self { window_began: now, sums_began: now, logged: 0, summed: BTreeMap::new() }
    }
}

impl LineLog {
    /// A line that is shown or kept.
    pub(crate) fn line(&mut self, line_type: &str, bytes: usize) {
        if self.logged < ONE_BY_ONE {
            self.logged += 1;
            tracing::debug!(source = "runner", line_type, bytes, "line");
        } else {
            self.sum(line_type, bytes);
        }
    }

    /// A line of which there are very many; always summed up.
    pub(crate) fn ephemeral(&mut self, line_type: &str, bytes: usize) {
        self.sum(line_type, bytes);
    }

    /// Called after each batch: begins a new window when the old one is over.
    pub(crate) fn batch_done(&mut self) {
        if self.window_began.elapsed() < WINDOW {
            return;
        }
        self.window_began = Instant::now();
        self.logged = 0;
        if self.sums_began.elapsed() >= SUM {
            self.flush();
        }
    }

    /// Writes the sums and begins new ones.
    pub(crate) fn flush(&mut self) {
        for (line_type, Sum { lines, bytes }) in std::mem::take(&mut self.summed) {
            tracing::debug!(source = "runner", line_type, lines, bytes, "lines");
        }
        self.sums_began = Instant::now();
    }

    fn sum(&mut self, line_type: &str, bytes: usize) {
        let sum = match self.summed.get_mut(line_type) {
            Some(sum) => sum,
            None => self.summed.entry(line_type.to_owned()).or_default(),
        };
        sum.lines += 1;
        sum.bytes += bytes as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn sums_are_written_every_ten_seconds() {
        let mut log = LineLog::default();
        for _ in 0..9 {
            log.ephemeral("delta", 8);
            advance(Duration::from_secs(1)).await;
            log.batch_done();
        }
        assert_eq!(log.summed["delta"].lines, 9);
        advance(Duration::from_secs(1)).await;
        log.batch_done();
        assert!(log.summed.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_lines_in_a_second_most_are_summed_up() {
        let mut log = LineLog::default();
        for _ in 0..=ONE_BY_ONE {
            log.line("item", 8);
        }
        assert_eq!(log.summed["item"].lines, 1);
        advance(WINDOW).await;
        log.batch_done();
        log.line("item", 8);
        assert_eq!(log.summed["item"].lines, 1, "the next second has its own");
    }
}
