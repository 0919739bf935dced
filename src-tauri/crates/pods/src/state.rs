//! What is a pod doing, in a few words for a model?

use client::{Machine, sessions};
use protocol::SessionId;
use protocol::health::HealthVerdict;
use protocol::pod::{PodState, Work};
use protocol::record::Outcome;
use protocol::scope::{HeldRule, PodOutcome, ScopePermission, ScopeReach, TreeEntry};
use protocol::session::Liveness;

/// A pod at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// For programs.
    pub(crate) kind: Kind,
    /// For the model.
    pub(crate) words: String,
}

/// What a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It runs a turn, or is about to.
    Working,
    /// It waits for a message.
    Idle,
    /// It is over.
    Ended,
    /// It does not answer, which does not mean that it is dead.
    Unknown,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Idle => "idle",
            Self::Ended => "ended",
            Self::Unknown => "unknown",
        }
    }
}

impl State {
    fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    /// Asks the pod, unless the tree says that it has ended.
    pub(crate) async fn of(machine: &Machine, entry: &TreeEntry) -> Self {
        if let Some(outcome) = entry.outcome {
            return Self::new(Kind::Ended, ended(outcome));
        }
        Self::of_session(machine, entry.session).await
    }

    async fn of_session(machine: &Machine, session: SessionId) -> Self {
        match sessions::summary(machine, session).await {
            Ok(summary) => Self::told(&summary.liveness),
            // Its keeper has not made its folder yet.
            Err(_) => Self::new(Kind::Working, "starting"),
        }
    }

    fn told(liveness: &Liveness) -> Self {
        match liveness {
            Liveness::Live { state, health, health_reasons, retry, .. } => {
                let mut told = Self::live(state);
                let health = health.filter(|verdict| *verdict != HealthVerdict::Unknown);
                if let Some(verdict) = health {
                    told.words.push_str(&format!(", {}", unwell(verdict, health_reasons)));
                }
                if let Some(retry) = retry {
                    told.words.push_str(&format!(", trying again ({} of {})", retry.attempt, retry.of));
                }
                told
            }
            Liveness::Unknown { reason } => Self::new(Kind::Unknown, format!("unreachable ({reason})")),
            Liveness::Ended { outcome, .. } => Self::new(Kind::Ended, over(*outcome)),
            Liveness::Interrupted => Self::new(Kind::Ended, ended(PodOutcome::Disconnected)),
        }
    }

    pub(crate) fn live(state: &PodState) -> Self {
        match state {
            PodState::Starting => Self::new(Kind::Working, "starting"),
            PodState::Idle => Self::new(Kind::Idle, "idle"),
            PodState::Working { on, .. } => match on {
                Work::Model => Self::new(Kind::Working, "working"),
                Work::Tool { name, .. } => Self::new(Kind::Working, format!("working (tool {name})")),
                Work::Permission { .. } => Self::new(Kind::Working, "working (waits for the user's permission)"),
                Work::Compacting => Self::new(Kind::Working, "working (compacting)"),
            },
            PodState::Stopping | PodState::Draining => Self::new(Kind::Working, "stopping"),
            PodState::Ended { outcome } => Self::new(Kind::Ended, over(*outcome)),
            PodState::Failed { reason, .. } => Self::new(Kind::Ended, format!("stopped (failed: {reason})")),
        }
    }
}

fn unwell(verdict: HealthVerdict, reasons: &[String]) -> String {
    let word = match verdict {
        HealthVerdict::Ok | HealthVerdict::Unknown => "well",
        HealthVerdict::Quiet => "quiet",
        HealthVerdict::Stalled => "stalled",
        HealthVerdict::Degraded => "degraded",
        HealthVerdict::AuthFailed => "cannot sign in",
        HealthVerdict::Gone => "gone",
    };
    if reasons.is_empty() { word.to_owned() } else { format!("{word}: {}", reasons.join("; ")) }
}

fn over(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => ended(PodOutcome::Completed),
        Outcome::Failed => ended(PodOutcome::Failed),
        Outcome::Stopped => ended(PodOutcome::Cancelled),
        Outcome::Interrupted => ended(PodOutcome::Disconnected),
    }
}

fn ended(outcome: PodOutcome) -> &'static str {
    match outcome {
        PodOutcome::Completed => "stopped (completed)",
        PodOutcome::Failed => "stopped (failed)",
        PodOutcome::Cancelled => "stopped (cancelled)",
        PodOutcome::Disconnected => "stopped (disconnected: its process died)",
    }
}

/// A scope as the tools tell it: `write:src/`, `read:README.md`, with paths relative to the workspace.
pub(crate) fn scope(rules: Option<&[HeldRule]>, workspace: &str) -> String {
    let Some(rules) = rules else { return "everything".to_owned() };
    if rules.is_empty() {
        return "(none)".to_owned();
    }
    rules.iter().map(|rule| one_rule(rule, workspace)).collect::<Vec<_>>().join(", ")
}

fn one_rule(rule: &HeldRule, workspace: &str) -> String {
    let permission = match rule.permission {
        ScopePermission::Read => "read",
        ScopePermission::Write => "write",
    };
    let inside = std::path::Path::new(&rule.path).strip_prefix(workspace).ok();
    let path = inside.map_or_else(|| rule.path.clone(), |inside| inside.display().to_string());
    let path = match (rule.reach, path.is_empty()) {
        (ScopeReach::File, _) => path,
        (ScopeReach::Entries, true) => "*".to_owned(),
        (ScopeReach::Entries, false) => format!("{path}/*"),
        (ScopeReach::Tree, true) => ".".to_owned(),
        (ScopeReach::Tree, false) => format!("{path}/"),
    };
    format!("{permission}:{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_told_as_it_is_asked_for() {
        let rule = |permission, path: &str, reach| HeldRule { permission, path: path.to_owned(), reach };
        let rules = [
            rule(ScopePermission::Write, "/w/src", ScopeReach::Tree),
            rule(ScopePermission::Write, "/w", ScopeReach::Entries),
            rule(ScopePermission::Read, "/else/README.md", ScopeReach::File),
            rule(ScopePermission::Read, "/w", ScopeReach::Tree),
        ];
        assert_eq!(scope(Some(&rules), "/w"), "write:src/, write:*, read:/else/README.md, read:.");
        assert_eq!(scope(Some(&[]), "/w"), "(none)");
        assert_eq!(scope(None, "/w"), "everything");
    }
}
