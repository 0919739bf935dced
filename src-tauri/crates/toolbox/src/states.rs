//! How a sidecar gets from one state to the next: what happened goes in, what to do comes out.
//!
//! Responsible for the life of one instance, from its first use to its end, and for when it is tried again. Pure and total: it
//! performs nothing and knows no clock. Who performs reports back, and says [`Event::Ended`] only when nothing is left of the process.

use std::time::Duration;

use protocol::sidecar::{FailedAt, SidecarFailure, SidecarState, SidecarStop, TryAgain};

use crate::limits::{RESTART_AFTER, RESTART_AFTER_AT_MOST, RESTARTS, STABLE};
use crate::manifest::Restart;

/// Where an instance stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nobody has used it yet.
    Idle,
    /// Its build steps run.
    Building,
    /// It was started; its tools are not listed yet.
    Starting,
    /// Its tools are listed and can be called.
    Connected {
        /// How many.
        tools: usize,
    },
    /// The connection is lost, the process is there.
    Disconnected {
        /// What was seen.
        why: String,
    },
    /// Build or process are being ended.
    Stopping {
        /// What comes then.
        then: Then,
    },
    /// It does not run, against what was wanted.
    Failed {
        /// Why.
        failure: SidecarFailure,
        /// Whether it is tried again.
        again: TryAgain,
    },
    /// It does not run, as was wanted.
    Stopped {
        /// Why.
        why: SidecarStop,
    },
}

/// What follows when everything of an instance has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// It stays so.
    Stopped(SidecarStop),
    /// It is tried again, or not.
    Failed(SidecarFailure),
    /// It begins anew.
    Begin,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants to use it.
    Wanted,
    /// Somebody starts it by hand.
    Start,
    /// Somebody starts it anew.
    Restart,
    /// It is to end.
    Stop(SidecarStop),
    /// All build steps are done.
    Built,
    /// A build step failed, and what it had started is gone.
    BuildFailed(SidecarFailure),
    /// Its tools are listed: after its start, after a lost connection, or because they changed.
    Listed {
        /// How many.
        tools: usize,
    },
    /// It could not be started, said no word, or not the right one.
    NotConnected(SidecarFailure),
    /// The connection that was there is lost.
    Lost(String),
    /// Its process has ended, and everything below it.
    Ended(End),
    /// The time of [`Effect::TryAfter`] is over.
    RetryDue,
    /// It was connected for [`STABLE`].
    Stable,
    /// Nobody has called it for its `idleStop`, and nobody does now.
    Unused,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Whether it ended with code 0.
    pub clean: bool,
    /// In words, with what it last said.
    pub failure: SidecarFailure,
}

/// What is done now, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Its tools are gone.
    ClearTools,
    /// Run the build steps.
    Build,
    /// Start the process, or connect.
    Launch,
    /// End build or process with everything below; [`Event::Ended`] when that is done. Asked again, it hurries.
    End,
    /// [`Event::RetryDue`] after this time.
    TryAfter(Duration),
    /// [`Event::Stable`] after this time, unless the state changes before.
    StableAfter(Duration),
}

/// What is reached, and so what a lost connection means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// By its stdin and stdout: without them it is of no use.
    ByPipes,
    /// By a socket that it connects to, and can connect to again.
    BySocket,
    /// By http: there is no process of ours.
    ByHttp,
}

/// The life of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    state: State,
    tries: u32,
    built: bool,
    has_build: bool,
    restart: Restart,
    reached: Reached,
}

type Next = (State, Vec<Effect>);

impl Life {
    /// Of a sidecar that nobody has used yet.
    #[must_use]
    pub fn new(has_build: bool, restart: Restart, reached: Reached) -> Self {
        Self { state: State::Idle, tries: 0, built: false, has_build, restart, reached }
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes what happened; what to do about it.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        let state = std::mem::replace(&mut self.state, State::Idle);
        let (state, effects) = match state {
            State::Idle => self.at_rest(State::Idle, event),
            State::Building => self.building(event),
            State::Starting => self.starting(event),
            State::Connected { tools } => self.connected(tools, event),
            State::Disconnected { why } => self.disconnected(why, event),
            State::Stopping { then } => self.stopping(then, event),
            State::Failed { failure, again } => self.failed(failure, again, event),
            State::Stopped { why } => self.stopped(why, event),
        };
        self.state = state;
        effects
    }

    /// Idle, failed or stopped: nothing of it runs.
    fn at_rest(&mut self, rest: State, event: Event) -> Next {
        match event {
            Event::Wanted => self.begin(),
            Event::Start | Event::Restart => self.begin_anew(),
            Event::Stop(why) => (State::Stopped { why }, Vec::new()),
            // Late news of what has ended.
            Event::Built
            | Event::BuildFailed(_)
            | Event::Listed { .. }
            | Event::NotConnected(_)
            | Event::Lost(_)
            | Event::Ended(_)
            | Event::RetryDue
            | Event::Stable
            | Event::Unused => (rest, Vec::new()),
        }
    }

    fn stopped(&mut self, why: SidecarStop, event: Event) -> Next {
        let rest = State::Stopped { why };
        match (event, why) {
            // What a person stopped, no agent starts.
            (Event::Wanted, SidecarStop::Asked | SidecarStop::Replaced | SidecarStop::Owner) => (rest, Vec::new()),
            (event, _) => self.at_rest(rest, event),
        }
    }

    fn failed(&mut self, failure: SidecarFailure, again: TryAgain, event: Event) -> Next {
        let rest = State::Failed { failure, again };
        match (event, again) {
            (Event::RetryDue, TryAgain::After { .. }) => self.begin(),
            (Event::Wanted, TryAgain::After { .. } | TryAgain::ByHand) => (rest, Vec::new()),
            (event, _) => self.at_rest(rest, event),
        }
    }

    fn building(&mut self, event: Event) -> Next {
        match event {
            Event::Built => {
                self.built = true;
                (State::Starting, vec![Effect::Launch])
            }
            // The same build would fail in the same way, so it is not tried again by itself.
            Event::BuildFailed(failure) => (State::Failed { failure, again: TryAgain::ByHand }, Vec::new()),
            Event::Stop(why) => ending(Then::Stopped(why)),
            Event::Restart => ending(Then::Begin),
            Event::Ended(end) => self.fail(end.failure),
            Event::Wanted
            | Event::Start
            | Event::Listed { .. }
            | Event::NotConnected(_)
            | Event::Lost(_)
            | Event::RetryDue
            | Event::Stable
            | Event::Unused => (State::Building, Vec::new()),
        }
    }

    fn starting(&mut self, event: Event) -> Next {
        match event {
            Event::Listed { tools } => (State::Connected { tools }, vec![Effect::StableAfter(STABLE)]),
            Event::NotConnected(failure) => ending(Then::Failed(failure)),
            Event::Lost(why) => ending(Then::Failed(never_listed(why))),
            // Whoever ends before the tools are listed has failed, whatever its code.
            Event::Ended(end) => self.fail(end.failure),
            Event::Stop(why) => ending(Then::Stopped(why)),
            Event::Restart => ending(Then::Begin),
            Event::Wanted
            | Event::Start
            | Event::Built
            | Event::BuildFailed(_)
            | Event::RetryDue
            | Event::Stable
            | Event::Unused => (State::Starting, Vec::new()),
        }
    }

    fn connected(&mut self, tools: usize, event: Event) -> Next {
        match event {
            Event::Listed { tools } => (State::Connected { tools }, Vec::new()),
            Event::NotConnected(failure) => self.lost(failure.message),
            Event::Lost(why) => self.lost(why),
            Event::Ended(end) => cleared(self.after_end(end)),
            Event::Stop(why) => cleared(ending(Then::Stopped(why))),
            Event::Restart => cleared(ending(Then::Begin)),
            Event::Unused => cleared(ending(Then::Stopped(SidecarStop::Unused))),
            Event::Stable => {
                self.tries = 0;
                (State::Connected { tools }, Vec::new())
            }
            Event::Wanted | Event::Start | Event::Built | Event::BuildFailed(_) | Event::RetryDue => {
                (State::Connected { tools }, Vec::new())
            }
        }
    }

    fn lost(&mut self, why: String) -> Next {
        cleared(match self.reached {
            Reached::BySocket => (State::Disconnected { why }, Vec::new()),
            // Most often it is ending by itself; what it does not do by itself is done for it.
            Reached::ByPipes => (State::Disconnected { why }, vec![Effect::End]),
            Reached::ByHttp => self.fail(failure(FailedAt::Connect, why)),
        })
    }

    fn disconnected(&mut self, why: String, event: Event) -> Next {
        match event {
            Event::Listed { tools } => (State::Connected { tools }, vec![Effect::StableAfter(STABLE)]),
            Event::Lost(why) => (State::Disconnected { why }, Vec::new()),
            Event::NotConnected(failure) => (State::Disconnected { why: failure.message }, Vec::new()),
            Event::Ended(end) => self.after_end(end),
            Event::Stop(why) => ending(Then::Stopped(why)),
            Event::Restart => ending(Then::Begin),
            Event::Unused => ending(Then::Stopped(SidecarStop::Unused)),
            Event::Wanted | Event::Start | Event::Built | Event::BuildFailed(_) | Event::RetryDue | Event::Stable => {
                (State::Disconnected { why }, Vec::new())
            }
        }
    }

    fn stopping(&mut self, then: Then, event: Event) -> Next {
        match event {
            // A build that fails now has ended, and that is all that is waited for.
            Event::Ended(_) | Event::BuildFailed(_) => match then {
                Then::Stopped(why) => (State::Stopped { why }, Vec::new()),
                Then::Failed(failure) => self.fail(failure),
                Then::Begin => self.begin_anew(),
            },
            Event::Stop(why) => ending(Then::Stopped(why)),
            Event::Start | Event::Restart => (State::Stopping { then: Then::Begin }, Vec::new()),
            Event::Wanted => {
                let unused = then == Then::Stopped(SidecarStop::Unused);
                (State::Stopping { then: if unused { Then::Begin } else { then } }, Vec::new())
            }
            Event::Built
            | Event::Listed { .. }
            | Event::NotConnected(_)
            | Event::Lost(_)
            | Event::RetryDue
            | Event::Stable
            | Event::Unused => (State::Stopping { then }, Vec::new()),
        }
    }

    fn begin_anew(&mut self) -> Next {
        self.tries = 0;
        self.built = false;
        self.begin()
    }

    /// What was built stays built, until somebody starts it anew.
    fn begin(&mut self) -> Next {
        if self.has_build && !self.built {
            (State::Building, vec![Effect::Build])
        } else {
            (State::Starting, vec![Effect::Launch])
        }
    }

    fn after_end(&mut self, end: End) -> Next {
        match (self.restart, end.clean) {
            (Restart::OnFailure | Restart::Never, true) => (State::Stopped { why: SidecarStop::Ended }, Vec::new()),
            (Restart::Always, _) | (Restart::OnFailure | Restart::Never, false) => self.fail(end.failure),
        }
    }

    fn fail(&mut self, failure: SidecarFailure) -> Next {
        if self.restart == Restart::Never {
            return (State::Failed { failure, again: TryAgain::WhenUsed }, Vec::new());
        }
        if self.tries >= RESTARTS {
            return (State::Failed { failure, again: TryAgain::ByHand }, Vec::new());
        }
        let after = wait_before(self.tries);
        self.tries += 1;
        let ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        (State::Failed { failure, again: TryAgain::After { ms, attempt: self.tries } }, vec![Effect::TryAfter(after)])
    }
}

/// How long the try waits that follows so many others.
#[must_use]
pub fn wait_before(tries: u32) -> Duration {
    let index = usize::try_from(tries).unwrap_or(usize::MAX);
    RESTART_AFTER.get(index).copied().unwrap_or(RESTART_AFTER_AT_MOST)
}

fn ending(then: Then) -> Next {
    (State::Stopping { then }, vec![Effect::End])
}

fn cleared((state, mut effects): Next) -> Next {
    effects.insert(0, Effect::ClearTools);
    (state, effects)
}

fn never_listed(why: String) -> SidecarFailure {
    failure(FailedAt::Connect, format!("the connection was lost before the tools were listed: {why}"))
}

/// A failure without output.
#[must_use]
pub fn failure(at: FailedAt, message: impl Into<String>) -> SidecarFailure {
    SidecarFailure { at, message: message.into(), output: Vec::new() }
}

impl State {
    /// As others are told of it.
    #[must_use]
    pub fn shown(&self) -> SidecarState {
        match self {
            State::Idle => SidecarState::Idle,
            State::Building => SidecarState::Building,
            State::Starting => SidecarState::Starting,
            State::Connected { tools } => SidecarState::Connected { tools: *tools },
            State::Disconnected { why } => SidecarState::Disconnected { why: why.clone() },
            State::Stopping { .. } => SidecarState::Stopping,
            State::Failed { failure, again } => SidecarState::Failed { failure: failure.clone(), again: *again },
            State::Stopped { why } => SidecarState::Stopped { why: *why },
        }
    }

    /// Whether it may be ready for calls later without anybody's doing.
    #[must_use]
    pub fn is_on_its_way(&self) -> bool {
        match self {
            State::Building | State::Starting | State::Disconnected { .. } => true,
            State::Stopping { then } => !matches!(then, Then::Stopped(_)),
            State::Failed { again, .. } => matches!(again, TryAgain::After { .. }),
            State::Idle | State::Connected { .. } | State::Stopped { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests;
