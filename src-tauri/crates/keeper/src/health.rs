//! How is an agent, going by what was seen of it? A pure function from evidence to a verdict with its reasons.
//!
//! It knows no clock, process or socket (`health_look` gathers the evidence), and nothing is ever ended because of it.

use std::time::Duration;

use process::Liveness;
use protocol::health::{HealthThresholds, HealthVerdict};

/// CPU time of less than a fiftieth of the time between two looks is the ticking of a program that waits. Measured while they wait
/// for their providers, five seconds apart: claude uses 20 ms (70 ms right after its start), codex 60 ms.
const WAITING_CPU: u32 = 50;
/// So many bytes between two looks are what a program's own timers and wake-ups read and write. Measured as above: claude moves
/// 250 bytes, codex 350 KiB, because it writes the log of its own into a database every ten seconds.
const WAITING_IO: u64 = 768 * 1024;

/// What was seen of an agent. Times are from a monotonic clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What it does.
    pub at: At,
    /// How long it has said nothing meaningful, counted from the turn's begin or the end of what it waited for at the earliest.
    pub silent: Duration,
    /// How long ago its provider failed for a time, each time.
    pub transient_errors: Vec<Duration>,
    /// Its provider refused the credentials, and no turn has succeeded since.
    pub auth_failed: bool,
    /// What the last two looks at its processes saw between them; none before the second look.
    pub growth: Option<Growth>,
    /// Whether its runner lives.
    pub runner: Liveness,
}

/// What an agent does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// No turn runs.
    Idle,
    /// It waits for, or reads from, the model.
    Model,
    /// A tool runs.
    Tool {
        /// Which.
        name: String,
        /// For how long.
        running: Duration,
    },
    /// Somebody has to answer it.
    Permission,
    /// It makes its context smaller.
    Compacting,
    /// A failed prompt waits to be sent again by Outrigger.
    Retry,
    /// Its own CLI waits to try again.
    OwnRetry,
    /// Its session ends, or has ended as it should.
    Ending,
}

/// How much the processes of an agent did between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// The time between the looks.
    pub over: Duration,
    /// CPU time that was used.
    pub cpu: Duration,
    /// Bytes that were read and written.
    pub io_bytes: u64,
    /// Processes that were counted at the second look.
    pub processes: usize,
}

impl Growth {
    /// Whether they did more than wait.
    #[must_use]
    pub fn is_work(&self) -> bool {
        self.cpu * WAITING_CPU > self.over || self.io_bytes > WAITING_IO
    }
}

/// The verdict, and the reasons for it in words; none when all is well.
#[must_use]
pub fn assess(evidence: &Evidence, thresholds: &HealthThresholds) -> (HealthVerdict, Vec<String>) {
    if evidence.at != At::Ending {
        match &evidence.runner {
            Liveness::Dead => return (HealthVerdict::Gone, vec!["its runner is gone".to_owned()]),
            Liveness::Zombie => return (HealthVerdict::Gone, vec!["its runner has ended".to_owned()]),
            Liveness::Unknown(why) => {
                return (
                    HealthVerdict::Unknown,
                    vec![format!("the system does not say whether its runner lives: {why}")],
                );
            }
            Liveness::Alive => {}
        }
    }
    if evidence.auth_failed {
        return (HealthVerdict::AuthFailed, vec!["its provider does not accept the credentials".to_owned()]);
    }
    let (verdict, mut reasons) = silence(evidence, thresholds);
    match degraded(evidence, thresholds) {
        Some(reason) => {
            reasons.insert(0, reason);
            (HealthVerdict::Degraded, reasons)
        }
        None => (verdict, reasons),
    }
}

fn degraded(evidence: &Evidence, thresholds: &HealthThresholds) -> Option<String> {
    let within = Duration::from_secs(thresholds.degraded_within);
    let recent = evidence.transient_errors.iter().filter(|age| **age <= within).count();
    let enough = thresholds.degraded_errors > 0 && recent >= thresholds.degraded_errors as usize;
    enough.then(|| format!("its provider failed {recent} times in the last {}", spoken(within)))
}

/// What its silence means, by what it could be waiting for.
fn silence(evidence: &Evidence, thresholds: &HealthThresholds) -> (HealthVerdict, Vec<String>) {
    let quiet = evidence.silent >= Duration::from_secs(thresholds.quiet_after);
    let long = evidence.silent >= Duration::from_secs(thresholds.stalled_after);
    let reason = match &evidence.at {
        At::Idle | At::Permission | At::Retry | At::Ending => return (HealthVerdict::Ok, Vec::new()),
        At::Model | At::Tool { .. } | At::Compacting | At::OwnRetry if !quiet => {
            return (HealthVerdict::Ok, Vec::new());
        }
        At::Tool { name, running } => format!("busy in {name} since {}", spoken(*running)),
        At::Compacting => "it makes its context smaller".to_owned(),
        At::OwnRetry => "its CLI waits to try again".to_owned(),
        At::Model => return waiting_for_the_model(evidence, long),
    };
    (HealthVerdict::Quiet, vec![said_nothing(evidence), reason])
}

fn waiting_for_the_model(evidence: &Evidence, long: bool) -> (HealthVerdict, Vec<String>) {
    let mut reasons = vec![said_nothing(evidence)];
    let verdict = match &evidence.growth {
        Some(growth) if growth.is_work() => {
            reasons.push("its processes are at work".to_owned());
            HealthVerdict::Quiet
        }
        Some(growth) if long => {
            let processes = match growth.processes {
                1 => "its process".to_owned(),
                several => format!("its {several} processes"),
            };
            reasons.push("no tool runs".to_owned());
            reasons.push(format!("{processes} used no CPU and moved no data"));
            HealthVerdict::Stalled
        }
        Some(_) | None => HealthVerdict::Quiet,
    };
    (verdict, reasons)
}

fn said_nothing(evidence: &Evidence) -> String {
    format!("said nothing for {}", spoken(evidence.silent))
}

/// A time as people say it: `40 s`, `2 min 10 s`, `3 min`, `1 h 5 min`.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, min, 0) => format!("{min} min"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}
