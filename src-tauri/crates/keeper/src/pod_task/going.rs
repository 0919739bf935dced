//! How the runner and what it started are ended, and what is done before the pod itself is gone.

use process::{Action, Exit, Input as LadderInput, ProcessRef, Sweep};
use protocol::runner::HostLine;
use protocol::scope::PodOutcome;
use tokio::time::Instant;

use super::PodTask;
use crate::exchange::{Gone, Input};
use crate::kin;

impl PodTask {
    pub(super) fn exited(&mut self, exit: std::io::Result<Exit>) {
        let exit = exit.unwrap_or_else(|error| {
            tracing::warn!(%error, "waiting for the runner failed");
            Exit { code: None, signal: None }
        });
        tracing::info!(code = exit.code, signal = exit.signal, "the runner has ended");
        self.exit = Some(exit);
        self.step(Input::RunnerExited);
        self.climb(LadderInput::Exited);
    }

    pub(super) fn climb(&mut self, input: LadderInput) {
        for action in self.ladder.step(input) {
            tracing::debug!(?action, "stop ladder");
            self.act(action);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::ListDescendants => self.list_descendants(),
            Action::SendStop => self.tell(HostLine::Stop { session_id: self.order.session }),
            Action::CloseStdin => self.stdin = None,
            Action::TerminateGroup => self.signal_group(process::Group::terminate),
            Action::KillGroup => self.signal_group(process::Group::kill),
            Action::KillDescendants => process::kill_processes(&self.known),
            Action::StartTimer(after) => self.ladder_timer = Some(Instant::now() + after),
            Action::ClosePipes => self.closing_pipes = true,
            Action::Sweep => {
                self.stdin = None;
                self.list_descendants();
                let (mark, known) = (self.mark.clone(), self.known.clone());
                self.sweeping = Some(tokio::spawn(async move { process::sweep(&mark, &known).await }));
            }
            // The end is told when the sweep is done, in `swept`.
            Action::Report(by) => tracing::info!(?by, "the runner's processes have been ended"),
        }
    }

    fn list_descendants(&mut self) {
        let descendants = process::part_of_pod(&self.mark, ProcessRef::current().pid);
        for entry in &descendants {
            if !self.known.contains(&entry.process) {
                self.known.push(entry.process);
            }
        }
        self.notes.note_processes(descendants);
    }

    fn signal_group(&self, signal: impl Fn(&process::Group)) {
        if let Some(group) = &self.group {
            signal(group);
        }
    }

    pub(super) fn swept(&mut self, sweep: Sweep) {
        self.climb(LadderInput::Swept);
        let Exit { code, signal } = self.exit.clone().unwrap_or(Exit { code: None, signal: None });
        let survivors =
            sweep.survivors.iter().map(|entry| format!("{} {}", entry.process.pid, entry.command)).collect();
        self.finish_open_blocks();
        self.gone = Some(Gone { code, signal, stderr_tail: self.stderr_tail.lines(), survivors });
        if let Some(watching) = self.holding.unwatch() {
            self.beside.unwatch(watching);
        }
        self.go();
    }

    /// Ends the session, unless something comes before: whoever stopped it is answered when the pods below are gone too.
    pub(super) fn go(&mut self) {
        if self.beside.holds_up_the_end() {
            return;
        }
        if let Some(gone) = self.gone.take() {
            self.step(Input::RunnerGone(gone));
        }
    }

    /// How the pod's end counts in the tree.
    pub(super) fn pod_outcome(&self) -> PodOutcome {
        kin::outcome(self.outcome, self.stop_asked)
    }

    /// Gives the place in the tree back, then answers those who waited for the end: they may use what was given back.
    pub(super) async fn part(&mut self) {
        self.tree.leave(self.pod_outcome()).await;
        self.holding.clean_up();
        for (reply, answer) in self.parting.drain(..) {
            // Whoever asked may have hung up.
            let _ = reply.send(answer);
        }
    }
}
