//! How many agents work, wait for the user, or rest? Counted over all workspaces, for the tray and the title of the page.

use protocol::pod::{PodState, Work};
use protocol::session::{Liveness, SessionSummary};

/// See the module.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// A turn runs, or the agent is being started or stopped.
    pub(crate) working: u32,
    /// Permission requests that wait.
    pub(crate) waiting: u32,
    /// Live, and waits for a prompt.
    pub(crate) idle: u32,
    /// Its keeper does not answer.
    pub(crate) unknown: u32,
}

impl Tally {
    /// Counts.
    pub(crate) fn of(sessions: &[SessionSummary]) -> Self {
        let mut tally = Self::default();
        for session in sessions {
            tally.count(&session.liveness);
        }
        tally
    }

    fn count(&mut self, liveness: &Liveness) {
        match liveness {
            Liveness::Live { state, waiting, .. } => {
                self.waiting += waiting;
                match state {
                    PodState::Idle => self.idle += 1,
                    // One that only waits for an answer is counted there and works on nothing.
                    PodState::Working { on: Work::Permission { .. }, .. } => {}
                    PodState::Starting | PodState::Working { .. } | PodState::Stopping | PodState::Draining => {
                        self.working += 1;
                    }
                    PodState::Ended { .. } | PodState::Failed { .. } => {}
                }
            }
            Liveness::Unknown { .. } => self.unknown += 1,
            Liveness::Ended { .. } | Liveness::Interrupted => {}
        }
    }

    /// `2 working · 1 waiting · 3 idle`; what there is none of is left out.
    pub(crate) fn words(self) -> String {
        let parts = [
            (self.working, "working"),
            (self.waiting, "waiting for you"),
            (self.idle, "idle"),
            (self.unknown, "not answering"),
        ];
        let words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        if words.is_empty() { "No agents".to_owned() } else { words.join(" · ") }
    }

    /// As short as it gets, for beside the icon: nothing when nobody works or waits.
    pub(crate) fn mark(self) -> Option<String> {
        match (self.working, self.waiting) {
            (0, 0) => None,
            (working, 0) => Some(working.to_string()),
            (working, waiting) => Some(format!("{working} · {waiting}!")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(livenesses: &[Liveness]) -> Tally {
        let mut tally = Tally::default();
        livenesses.iter().for_each(|liveness| tally.count(liveness));
        tally
    }

    fn live(state: PodState, waiting: u32) -> Liveness {
        Liveness::Live {
            state,
            last_turn: None,
            waiting,
            queued: 0,
            health: None,
            health_reasons: vec![],
            recording: None,
            retry: None,
        }
    }

    #[test]
    fn an_agent_that_waits_for_an_answer_does_not_count_as_working() {
        let since = String::new;
        let asks = Work::Permission { request_id: "r".to_owned(), since: since() };
        let tally = tally(&[
            live(PodState::Working { on: asks, since: since() }, 1),
            live(PodState::Working { on: Work::Model, since: since() }, 0),
            live(PodState::Idle, 0),
            Liveness::Interrupted,
            Liveness::Unknown { reason: String::new() },
        ]);
        assert_eq!(tally, Tally { working: 1, waiting: 1, idle: 1, unknown: 1 });
        assert_eq!(tally.words(), "1 working · 1 waiting for you · 1 idle · 1 not answering");
        assert_eq!(tally.mark().as_deref(), Some("1 · 1!"));
    }

    #[test]
    fn nobody_is_nobody() {
        assert_eq!(Tally::default().words(), "No agents");
        assert_eq!(Tally::default().mark(), None);
    }
}
