//! What the connections share: who the pod is, what its readers see, and the way to its task.

use std::path::Path;
use std::sync::Arc;

use journal::SessionFolder;
use process::{ProcessEntry, ProcessRef};
use protocol::error::{ErrorCode, WireError};
use protocol::pod::{InitializeResult, PromptParams};
use protocol::processes::{ProcessInfo, ProcessPurpose};
use protocol::{PodId, SessionId};
use tokio::sync::{mpsc, oneshot};

use crate::attachments;
use crate::below::of_agent;
use crate::exchange::{Answer, Ask, Prompt};
use crate::feed::Feed;
use crate::sidecars::Sidecars;
use crate::tools::Tools;

/// An ask on its way to the pod's task, and where its answer goes.
pub(crate) type Asked = (Ask, oneshot::Sender<Result<Answer, WireError>>);

/// See the module.
pub(crate) struct Shared {
    pub(crate) pod: PodId,
    pub(crate) session: SessionId,
    pub(crate) generation: u64,
    pub(crate) token: String,
    /// Opens the tools and nothing else.
    pub(crate) tools_token: String,
    pub(crate) tools: Tools,
    /// Those of the tools that the user's sidecars offer. None where there can be none.
    pub(crate) sidecars: Option<Sidecars>,
    pub(crate) folder: SessionFolder,
    pub(crate) adapter: String,
    pub(crate) feed: Arc<Feed>,
    pub(crate) asks: mpsc::Sender<Asked>,
    /// The process that the keeper started.
    pub(crate) runner: ProcessRef,
    /// The path of the provider's CLI, if it has one.
    pub(crate) cli: Option<String>,
    /// Where the agent works.
    pub(crate) cwd: String,
}

impl Shared {
    /// The answer to `initialize`, with the version that was agreed on.
    pub(crate) fn welcome(&self, protocol: u32) -> InitializeResult {
        InitializeResult {
            protocol,
            pod: self.pod,
            session: self.session,
            generation: self.generation,
            state: self.feed.status().state.clone(),
            last_seq: self.feed.last_seq(),
        }
    }

    /// A prompt with its attachments looked at and kept, in a thread that may wait for the disk.
    pub(crate) async fn taken_in(&self, params: PromptParams) -> Result<Prompt, WireError> {
        let PromptParams { text, attachments, if_busy, from } = params;
        if attachments.is_empty() {
            return Ok(Prompt { text, attached: Vec::new(), if_busy, from });
        }
        let (folder, cwd) = (self.folder.clone(), self.cwd.clone());
        let taking = tokio::task::spawn_blocking(move || attachments::take_in(&folder, Path::new(&cwd), attachments));
        let broke =
            |error| WireError::new(ErrorCode::Internal, format!("taking the attachments in broke off: {error}"));
        Ok(Prompt { text, attached: taking.await.map_err(broke)??, if_busy, from })
    }

    /// Looks whether the sidecars offer other tools now, beside everything else.
    pub(crate) fn look_at_tools(&self) {
        if let Some(sidecars) = self.sidecars.clone() {
            tokio::spawn(async move { sidecars.look().await });
        }
    }

    /// Asks the pod's task and waits for its answer.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, WireError> {
        let over = || WireError::new(ErrorCode::SessionEnded, format!("session {} has ended", self.session));
        let (reply, answer) = oneshot::channel();
        self.asks.send((ask, reply)).await.map_err(|_| over())?;
        answer.await.map_err(|_| over())?
    }

    /// The keeper and the process tree under it, parents before their children.
    pub(crate) fn processes(&self) -> Vec<ProcessInfo> {
        let keeper = ProcessRef::current();
        let own = process::entry(keeper.pid).map(|entry| entry.shown(ProcessPurpose::Keeper));
        let below = of_agent(process::descendants(keeper.pid)).into_iter().map(|entry| {
            let purpose = purpose(&entry, self.runner, self.cli.as_deref());
            entry.shown(purpose)
        });
        own.into_iter().chain(below).collect()
    }
}

/// What a process below the keeper is for. The CLI is told by its command, since a runner may start other programs too.
fn purpose(entry: &ProcessEntry, runner: ProcessRef, cli: Option<&str>) -> ProcessPurpose {
    if entry.process == runner {
        return ProcessPurpose::Runner;
    }
    let Some(cli) = cli.filter(|_| entry.parent == runner.pid) else { return ProcessPurpose::Tool };
    let name = Path::new(cli).file_name();
    let is_named = |word: &str| name.is_some() && Path::new(word).file_name() == name;
    // A CLI that is a script has its interpreter in front.
    let is_cli = entry.command.contains(cli) || entry.command.split(' ').take(2).any(is_named);
    if is_cli { ProcessPurpose::Cli } else { ProcessPurpose::Tool }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_its_purpose() {
        let runner = ProcessRef { pid: 7, started: 1 };
        let of = |pid: u32, parent: u32, command: &str| {
            let process = ProcessRef { pid, started: 1 };
            let command = command.to_owned();
            let (rss, cpu_ms, io_bytes) = (0, 0, 0);
            let entry = ProcessEntry { process, parent, group: pid, command, rss, cpu_ms, io_bytes, age_ms: None };
            purpose(&entry, runner, Some("/opt/tools/claude"))
        };
        assert_eq!(of(7, 1, "node claude.mjs"), ProcessPurpose::Runner);
        assert_eq!(of(8, 7, "/opt/tools/claude --print"), ProcessPurpose::Cli);
        assert_eq!(of(8, 7, "node /elsewhere/claude"), ProcessPurpose::Cli);
        assert_eq!(of(9, 8, "/opt/tools/claude"), ProcessPurpose::Tool, "a tool may start the CLI again");
        assert_eq!(of(9, 7, "sh -c x"), ProcessPurpose::Tool);
    }
}
