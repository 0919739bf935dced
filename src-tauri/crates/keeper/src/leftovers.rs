//! What an agent leaves running when its CLI goes and its runner stays: servers and commands that nobody will ask for any more.
//!
//! Responsible for ending what carries the pod's mark and does not descend from the runner, and for the words about it. While the
//! CLI lives, what runs in the background is the agent's business; when the session ends, the stop ladder ends everything.

use process::{Group, ProcessEntry, ProcessRef, Rung, Sweep, named};
use protocol::record::{HostRecord, NoticeLevel};
use protocol::runner::RunnerLine;
use tokio::task::JoinSet;

use crate::exchange::Input;
use crate::own_program::is_keeper;

/// The looks for leftovers that are under way. Dropping it calls them off.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    looks: JoinSet<Sweep>,
}

impl Leftovers {
    /// Looks for leftovers if one of these inputs says that the CLI has gone while the session goes on.
    pub(crate) fn after(&mut self, inputs: &[Input], mark: &str, rung: Rung, runner: Option<&Group>) {
        let gone = inputs.iter().any(|input| matches!(input, Input::Line(RunnerLine::AgentStopped { .. })));
        let (true, Rung::Running(_), Some(runner)) = (gone, rung, runner) else { return };
        let (mark, runner) = (mark.to_owned(), runner.leader());
        self.looks.spawn(async move {
            let spare = spared(runner, process::descendants(std::process::id()));
            process::sweep_except(&mark, &[], &spare).await
        });
    }

    /// The next thing to be told about leftovers. Waits for ever when there is nothing to tell; cancel-safe.
    pub(crate) async fn told(&mut self) -> HostRecord {
        loop {
            match self.looks.join_next().await {
                Some(Ok(sweep)) => {
                    if let Some(record) = notice(&sweep) {
                        return record;
                    }
                }
                Some(Err(error)) => tracing::warn!(%error, "a look for leftovers broke off"),
                None => std::future::pending().await,
            }
        }
    }
}

/// The runner, and keepers of other sessions that the agent has started with the command line: those outlive who started them.
fn spared(runner: ProcessRef, below: Vec<ProcessEntry>) -> Vec<ProcessRef> {
    let keepers = below.into_iter().filter(|entry| is_keeper(&entry.command)).map(|entry| entry.process);
    keepers.chain([runner]).collect()
}

fn notice(sweep: &Sweep) -> Option<HostRecord> {
    let Sweep { ended, survivors } = sweep;
    if ended.is_empty() && survivors.is_empty() {
        return None;
    }
    let mut text = String::new();
    if !ended.is_empty() {
        text = format!("The agent's program is gone; what it had left running was ended: {}.", named(ended));
    }
    if !survivors.is_empty() {
        text += &format!("{}These could not be ended: {}.", if ended.is_empty() { "" } else { " " }, named(survivors));
    }
    let level = if survivors.is_empty() { NoticeLevel::Info } else { NoticeLevel::Warning };
    Some(HostRecord::Notice { level, code: "leftovers_ended".to_owned(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(pid: u32, command: &str) -> ProcessEntry {
        let process = ProcessRef { pid, started: 7 };
        let command = command.to_owned();
        ProcessEntry { process, parent: 1, group: pid, command, rss: 0, cpu_ms: 0, io_bytes: 0, age_ms: None }
    }

    #[test]
    fn the_notice_names_what_was_ended_and_what_was_not() {
        assert_eq!(notice(&Sweep::default()), None);
        let ended: Vec<ProcessEntry> = (1..=10).map(|pid| entry(pid, "sleep 600")).collect();
        let sweep = Sweep { ended, survivors: vec![entry(77, "stuck")] };
        let Some(HostRecord::Notice { level, text, .. }) = notice(&sweep) else { panic!("no notice") };
        assert_eq!(level, NoticeLevel::Warning);
        for part in ["sleep 600 (pid 1)", "and 2 more", "could not be ended: stuck (pid 77)"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn keepers_of_other_sessions_are_spared() {
        let own = std::env::current_exe().unwrap();
        let runner = ProcessRef { pid: 5, started: 1 };
        let below = vec![entry(6, &format!("{} keep", own.display())), entry(7, "housekeep"), entry(8, "other keep")];
        assert_eq!(spared(runner, below), [ProcessRef { pid: 6, started: 7 }, runner]);
    }
}
