//! Gathers the evidence of an agent's health: what it said and when, and what its processes did.
//!
//! Its processes are looked at while a turn runs, and only then: an idle agent costs no timer. What the evidence means is said by
//! `health`.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use process::{Liveness, ProcessEntry, ProcessRef};
use protocol::failure::{FailureClass, RetryBy};
use protocol::health::{Health, HealthThresholds};
use protocol::limits::HEALTH_LOOK;
use protocol::pod::{PodState, Work};
use protocol::record::HostRecord;
use protocol::runner::{RunnerLine, StopReason};
use providers::Hint;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::below::of_agent;
use crate::exchange::Input;
use crate::health::{At, Evidence, Growth, assess};
use crate::pod_state::Pod;

/// Errors that are remembered; more do not change a verdict.
const ERRORS_KEPT: usize = 64;

/// See the module.
pub(crate) struct HealthLook {
    thresholds: HealthThresholds,
    runner: ProcessRef,
    /// Whether the runner lives, by the newest look or its own end.
    liveness: Liveness,
    /// What the agent did at the newest assessment, and since when.
    work: Option<Work>,
    since: Instant,
    heard: Instant,
    errors: VecDeque<Instant>,
    auth_failed: bool,
    seen: Option<Sample>,
    growth: Option<Growth>,
    next: Option<Instant>,
    looking: Option<JoinHandle<Sample>>,
    health: Health,
}

/// What a look saw.
#[derive(Debug)]
pub(crate) struct Sample {
    taken: Instant,
    runner: Liveness,
    /// The processes below the keeper.
    entries: Vec<ProcessEntry>,
}

impl HealthLook {
    /// Nothing is looked at before a turn runs.
    pub(crate) fn new(thresholds: HealthThresholds) -> Self {
        let now = Instant::now();
        Self {
            thresholds,
            runner: ProcessRef::current(),
            liveness: Liveness::Alive,
            work: None,
            since: now,
            heard: now,
            errors: VecDeque::new(),
            auth_failed: false,
            seen: None,
            growth: None,
            next: None,
            looking: None,
            health: Health::default(),
        }
    }

    /// Whose life is looked at.
    pub(crate) fn watch(&mut self, runner: ProcessRef) {
        self.runner = runner;
    }

    /// How the agent is, by the newest assessment.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Resolves with what a look saw, when one is due; never while no turn runs.
    pub(crate) async fn looked(&mut self) -> Sample {
        loop {
            if let Some(look) = &mut self.looking {
                let looked = look.await;
                self.looking = None;
                self.next = self.work.is_some().then(|| Instant::now() + HEALTH_LOOK);
                match looked {
                    Ok(sample) => return sample,
                    Err(error) => tracing::warn!(%error, "a look at the agent's processes failed"),
                }
            }
            match self.next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
            let runner = self.runner;
            self.looking = Some(tokio::task::spawn_blocking(move || sample(runner)));
        }
    }

    /// Takes note of what came from the runner.
    pub(crate) fn heard(&mut self, input: &Input) {
        let now = Instant::now();
        match input {
            Input::Output => self.heard = now,
            Input::Hinted(hints) => {
                for hint in hints {
                    match hint {
                        Hint::Retrying { class, .. } => self.note_error(*class, now),
                        Hint::ToolStarted { .. }
                        | Hint::ToolEnded { .. }
                        | Hint::CompactingStarted
                        | Hint::CompactingEnded
                        | Hint::Said => {}
                    }
                }
            }
            Input::Line(RunnerLine::AgentError { code, .. }) => self.note_error(FailureClass::of(code), now),
            Input::Line(RunnerLine::TurnEnded { stop_reason, .. }) => match stop_reason {
                StopReason::EndTurn | StopReason::MaxTurns | StopReason::Refused => self.auth_failed = false,
                StopReason::Interrupted | StopReason::Error => {}
            },
            Input::RunnerExited => self.liveness = Liveness::Dead,
            Input::Permission { .. }
            | Input::Line(_)
            | Input::Asked(..)
            | Input::RetryDue
            | Input::TurnRefused(_)
            | Input::RunnerGone(_) => {}
        }
    }

    fn note_error(&mut self, class: FailureClass, now: Instant) {
        self.auth_failed |= class == FailureClass::Auth;
        if class.may_pass() {
            self.errors.push_back(now);
            if self.errors.len() > ERRORS_KEPT {
                self.errors.pop_front();
            }
        }
    }

    /// Takes in what a look saw, and gives its processes back.
    pub(crate) fn take(&mut self, sample: Sample) -> Vec<ProcessEntry> {
        // The runner's end was told by the system; a look that began before it knows less.
        if self.liveness != Liveness::Dead {
            self.liveness = sample.runner.clone();
        }
        let entries = sample.entries.clone();
        // A turn that has ended in the meantime leaves nothing for the next one to be compared with.
        if self.work.is_some() {
            self.growth = self.seen.as_ref().map(|earlier| growth(earlier, &sample));
            self.seen = Some(sample);
        }
        entries
    }

    /// Judges anew, after something happened, and gives a change of the verdict as a record. `now` is RFC 3339.
    pub(crate) fn assess(&mut self, pod: &Pod, now: &str) -> Option<HostRecord> {
        let state = pod.state();
        self.follow(&state);
        let evidence = self.evidence(pod, &state);
        let (verdict, reasons) = assess(&evidence, &self.thresholds);
        let was = std::mem::replace(&mut self.health.verdict, verdict);
        self.health.reasons.clone_from(&reasons);
        if verdict == was {
            return None;
        }
        tracing::info!(?verdict, ?was, reasons = reasons.join("; "), "the agent's health");
        self.health.since = Some(now.to_owned());
        // That an agent which is about to end is in no trouble any more is no news.
        (evidence.at != At::Ending).then_some(HostRecord::Health { verdict, was, reasons })
    }

    /// Looks begin with a turn and end with it. What ends a wait also ends the silence in it.
    fn follow(&mut self, state: &PodState) {
        let work = match state {
            PodState::Working { on, .. } => Some(on.clone()),
            PodState::Starting
            | PodState::Idle
            | PodState::Stopping
            | PodState::Draining
            | PodState::Ended { .. }
            | PodState::Failed { .. } => None,
        };
        if work == self.work {
            return;
        }
        self.since = Instant::now();
        self.heard = self.since;
        if work.is_none() {
            (self.seen, self.growth, self.next) = (None, None, None);
        } else if self.next.is_none() {
            self.next = Some(self.since + HEALTH_LOOK);
        }
        self.work = work;
    }

    fn evidence(&self, pod: &Pod, state: &PodState) -> Evidence {
        let now = Instant::now();
        let at = match state {
            PodState::Working { on, .. } => match (pod.retry().map(|retry| retry.by), on) {
                (Some(RetryBy::Outrigger), _) => At::Retry,
                (Some(RetryBy::Agent), Work::Model) => At::OwnRetry,
                (_, Work::Model) => At::Model,
                (_, Work::Tool { name, .. }) => At::Tool { name: name.clone(), running: now - self.since },
                (_, Work::Permission { .. }) => At::Permission,
                (_, Work::Compacting) => At::Compacting,
            },
            PodState::Starting | PodState::Idle | PodState::Draining | PodState::Failed { .. } => At::Idle,
            PodState::Stopping | PodState::Ended { .. } => At::Ending,
        };
        Evidence {
            at,
            silent: now - self.heard,
            transient_errors: self.errors.iter().map(|at| now - *at).collect(),
            auth_failed: self.auth_failed,
            growth: self.growth,
            runner: self.liveness.clone(),
        }
    }
}

/// Reads the process table; some milliseconds of work.
fn sample(runner: ProcessRef) -> Sample {
    let taken = Instant::now();
    Sample { taken, runner: runner.liveness(), entries: of_agent(process::descendants(ProcessRef::current().pid)) }
}

/// What the processes did between two looks. One that is new counts with all it has done; one that has gone cannot be asked.
fn growth(earlier: &Sample, later: &Sample) -> Growth {
    let before: HashMap<ProcessRef, &ProcessEntry> =
        earlier.entries.iter().map(|entry| (entry.process, entry)).collect();
    let mut growth = Growth {
        over: later.taken.saturating_duration_since(earlier.taken),
        cpu: Duration::ZERO,
        io_bytes: 0,
        processes: later.entries.len(),
    };
    for entry in &later.entries {
        let (cpu, io) = before.get(&entry.process).map_or((0, 0), |entry| (entry.cpu_ms, entry.io_bytes));
        growth.cpu += Duration::from_millis(entry.cpu_ms.saturating_sub(cpu));
        growth.io_bytes += entry.io_bytes.saturating_sub(io);
    }
    growth
}
