//! The stop ladder as a pure state machine: what happened goes in, what to do comes out.
//!
//! Responsible for the order of the rungs and for every pair of state and input. It performs nothing, sends nothing
//! and knows no clock: the owner of the child carries out the actions and reports back.

use std::time::Duration;

use protocol::limits::{DRAIN, STOP_GRACE, TERM_GRACE};

/// Where the end of a child stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// Nobody asked for its end.
    Running(Pipes),
    /// The child was told to stop in its own language.
    Asked(Pipes),
    /// stdin is closed and the group has SIGTERM.
    Terminating(Pipes),
    /// The group and the descendants that left it have SIGKILL.
    Killing(Pipes),
    /// The child has ended, its pipes are read until they end or the time is over.
    Draining(EndedBy),
    /// What is left of its descendants is being ended.
    Sweeping(EndedBy),
    /// Everything is reported.
    Done(EndedBy),
}

/// Whether the child's output has ended; it may end before the child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pipes {
    /// Somebody holds the writing end of stdout or stderr.
    Open,
    /// Both have reached their end.
    Closed,
}

/// What it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// It ended without being asked.
    Itself,
    /// It ended after the `stop` request.
    Request,
    /// It ended after SIGTERM.
    Terminate,
    /// It ended after SIGKILL.
    Kill,
    /// It did not end within the time after SIGKILL: the system holds it.
    Nothing,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Somebody asked for the end; asked again, it skips to the next rung.
    Stop,
    /// The timer of the newest [`Action::StartTimer`] ran out.
    Elapsed,
    /// The child has ended.
    Exited,
    /// stdout and stderr have reached their end.
    PipesClosed,
    /// The sweep is done.
    Swept,
}

/// What the owner of the child does now, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Add [`crate::descendants`] of the child to the known ones. Comes before every signal: a process whose parent
    /// was ended can't be found by descent any more.
    ListDescendants,
    /// Write the `stop` line to the child.
    SendStop,
    /// Close the child's stdin.
    CloseStdin,
    /// [`crate::Group::terminate`].
    TerminateGroup,
    /// [`crate::Group::kill`].
    KillGroup,
    /// [`crate::kill_processes`] on the known descendants.
    KillDescendants,
    /// Start the timer; it replaces the one before.
    StartTimer(Duration),
    /// Stop reading the pipes. One that is still open is held by a descendant: say so.
    ClosePipes,
    /// [`crate::sweep`] with the pod's mark and the known descendants, then [`Input::Swept`].
    Sweep,
    /// Tell how it ended and what survived.
    Report(EndedBy),
}

/// The ladder of one child. A thin holder of the current [`Rung`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    rung: Rung,
}

impl Default for Ladder {
    fn default() -> Ladder {
        Ladder { rung: Rung::Running(Pipes::Open) }
    }
}

impl Ladder {
    /// The ladder of a child that was just started.
    #[must_use]
    pub fn new() -> Ladder {
        Ladder::default()
    }

    /// Where it stands.
    #[must_use]
    pub fn rung(&self) -> Rung {
        self.rung
    }

    /// Takes what happened; what to do about it.
    pub fn step(&mut self, input: Input) -> Vec<Action> {
        let (rung, actions) = self.rung.next(input);
        self.rung = rung;
        actions
    }
}

impl Rung {
    /// The transition. Total: every pair is answered, the ignored ones with no action.
    #[must_use]
    pub fn next(self, input: Input) -> (Rung, Vec<Action>) {
        match self {
            Rung::Running(pipes) => running(pipes, input),
            Rung::Asked(pipes) => asked(pipes, input),
            Rung::Terminating(pipes) => terminating(pipes, input),
            Rung::Killing(pipes) => killing(pipes, input),
            Rung::Draining(by) => draining(by, input),
            Rung::Sweeping(by) => sweeping(by, input),
            Rung::Done(by) => (Rung::Done(by), Vec::new()),
        }
    }
}

fn running(pipes: Pipes, input: Input) -> (Rung, Vec<Action>) {
    match input {
        Input::Stop => {
            let actions = vec![Action::ListDescendants, Action::SendStop, Action::StartTimer(STOP_GRACE)];
            (Rung::Asked(pipes), actions)
        }
        Input::Exited => ended(EndedBy::Itself, pipes),
        Input::PipesClosed => (Rung::Running(Pipes::Closed), Vec::new()),
        Input::Elapsed | Input::Swept => (Rung::Running(pipes), Vec::new()),
    }
}

fn asked(pipes: Pipes, input: Input) -> (Rung, Vec<Action>) {
    match input {
        Input::Stop | Input::Elapsed => {
            let actions = vec![
                Action::ListDescendants,
                Action::CloseStdin,
                Action::TerminateGroup,
                Action::StartTimer(TERM_GRACE),
            ];
            (Rung::Terminating(pipes), actions)
        }
        Input::Exited => ended(EndedBy::Request, pipes),
        Input::PipesClosed => (Rung::Asked(Pipes::Closed), Vec::new()),
        Input::Swept => (Rung::Asked(pipes), Vec::new()),
    }
}

fn terminating(pipes: Pipes, input: Input) -> (Rung, Vec<Action>) {
    match input {
        Input::Stop | Input::Elapsed => {
            let actions = vec![
                Action::ListDescendants,
                Action::KillGroup,
                Action::KillDescendants,
                Action::StartTimer(TERM_GRACE),
            ];
            (Rung::Killing(pipes), actions)
        }
        Input::Exited => ended(EndedBy::Terminate, pipes),
        Input::PipesClosed => (Rung::Terminating(Pipes::Closed), Vec::new()),
        Input::Swept => (Rung::Terminating(pipes), Vec::new()),
    }
}

fn killing(pipes: Pipes, input: Input) -> (Rung, Vec<Action>) {
    match input {
        Input::Exited => ended(EndedBy::Kill, pipes),
        // There is no rung above SIGKILL; what does not end now is reported as a survivor.
        Input::Stop | Input::Elapsed => ended(EndedBy::Nothing, pipes),
        Input::PipesClosed => (Rung::Killing(Pipes::Closed), Vec::new()),
        Input::Swept => (Rung::Killing(pipes), Vec::new()),
    }
}

fn draining(by: EndedBy, input: Input) -> (Rung, Vec<Action>) {
    match input {
        Input::Stop | Input::Elapsed | Input::PipesClosed => swept_next(by),
        // The system let go of it after all.
        Input::Exited => (Rung::Draining(late(by)), Vec::new()),
        Input::Swept => (Rung::Draining(by), Vec::new()),
    }
}

fn sweeping(by: EndedBy, input: Input) -> (Rung, Vec<Action>) {
    match input {
        Input::Swept => (Rung::Done(by), vec![Action::Report(by)]),
        Input::Exited => (Rung::Sweeping(late(by)), Vec::new()),
        Input::Stop | Input::Elapsed | Input::PipesClosed => (Rung::Sweeping(by), Vec::new()),
    }
}

/// The child itself is over, or given up: what is left are its pipes and its descendants.
fn ended(by: EndedBy, pipes: Pipes) -> (Rung, Vec<Action>) {
    match pipes {
        Pipes::Open => (Rung::Draining(by), vec![Action::StartTimer(DRAIN)]),
        Pipes::Closed => swept_next(by),
    }
}

fn swept_next(by: EndedBy) -> (Rung, Vec<Action>) {
    (Rung::Sweeping(by), vec![Action::ClosePipes, Action::Sweep])
}

fn late(by: EndedBy) -> EndedBy {
    match by {
        EndedBy::Nothing => EndedBy::Kill,
        EndedBy::Itself | EndedBy::Request | EndedBy::Terminate | EndedBy::Kill => by,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INPUTS: [Input; 5] = [Input::Stop, Input::Elapsed, Input::Exited, Input::PipesClosed, Input::Swept];

    fn walk(inputs: &[Input]) -> (Rung, Vec<Action>) {
        let mut ladder = Ladder::new();
        let actions = inputs.iter().flat_map(|input| ladder.step(*input)).collect();
        (ladder.rung(), actions)
    }

    #[test]
    fn the_whole_ladder_by_time() {
        let (rung, actions) =
            walk(&[Input::Stop, Input::Elapsed, Input::Elapsed, Input::Exited, Input::Elapsed, Input::Swept]);
        assert_eq!(rung, Rung::Done(EndedBy::Kill));
        let expected = [
            Action::ListDescendants,
            Action::SendStop,
            Action::StartTimer(STOP_GRACE),
            Action::ListDescendants,
            Action::CloseStdin,
            Action::TerminateGroup,
            Action::StartTimer(TERM_GRACE),
            Action::ListDescendants,
            Action::KillGroup,
            Action::KillDescendants,
            Action::StartTimer(TERM_GRACE),
            Action::StartTimer(DRAIN),
            Action::ClosePipes,
            Action::Sweep,
            Action::Report(EndedBy::Kill),
        ];
        assert_eq!(actions, expected);
    }

    #[test]
    fn a_second_and_third_stop_skip_to_the_next_rung() {
        assert_eq!(walk(&[Input::Stop, Input::Stop]).0, Rung::Terminating(Pipes::Open));
        assert_eq!(walk(&[Input::Stop, Input::Stop, Input::Stop]).0, Rung::Killing(Pipes::Open));
    }

    #[test]
    fn pipes_that_ended_before_the_child_need_no_drain() {
        let (rung, actions) = walk(&[Input::PipesClosed, Input::Exited]);
        assert_eq!(rung, Rung::Sweeping(EndedBy::Itself));
        assert_eq!(actions, [Action::ClosePipes, Action::Sweep]);
    }

    #[test]
    fn a_process_that_survives_sigkill_is_reported_and_not_waited_for() {
        let inputs = [Input::Stop, Input::Stop, Input::Stop, Input::Elapsed, Input::Elapsed, Input::Swept];
        assert_eq!(walk(&inputs).0, Rung::Done(EndedBy::Nothing));
    }

    proptest! {
        #[test]
        fn descendants_are_listed_before_any_signal_and_the_report_comes_once(
            picks in proptest::collection::vec(0_usize..INPUTS.len(), 0..40),
        ) {
            let inputs: Vec<Input> = picks.iter().map(|pick| INPUTS[*pick]).collect();
            let (_, actions) = walk(&inputs);
            let at = |wanted: Action| actions.iter().position(|action| *action == wanted);
            for signal in [Action::TerminateGroup, Action::KillGroup, Action::KillDescendants] {
                if let Some(sent) = at(signal) {
                    prop_assert!(at(Action::ListDescendants).unwrap() < sent);
                }
            }
            let reports = actions.iter().filter(|action| matches!(action, Action::Report(_))).count();
            prop_assert!(reports <= 1);
        }

        #[test]
        fn time_alone_ends_every_stop(picks in proptest::collection::vec(0_usize..INPUTS.len(), 0..40)) {
            let mut ladder = Ladder::new();
            for pick in picks {
                ladder.step(INPUTS[pick]);
            }
            ladder.step(Input::Stop);
            for _ in 0..4 {
                ladder.step(Input::Elapsed);
            }
            ladder.step(Input::Swept);
            prop_assert!(matches!(ladder.rung(), Rung::Done(_)));
        }
    }
}
