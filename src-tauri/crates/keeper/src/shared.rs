//! What the connections share: who the pod is, what its readers see, and the way to its task.

use std::sync::Arc;

use journal::SessionFolder;
use process::ProcessRef;
use protocol::error::{ErrorCode, WireError};
use protocol::pod::{InitializeResult, POD_PROTOCOL};
use protocol::processes::{ProcessInfo, ProcessPurpose};
use protocol::{PodId, SessionId};
use tokio::sync::{mpsc, oneshot};

use crate::exchange::{Answer, Ask};
use crate::feed::Feed;

/// An ask on its way to the pod's task, and where its answer goes.
pub(crate) type Asked = (Ask, oneshot::Sender<Result<Answer, WireError>>);

/// See the module.
pub(crate) struct Shared {
    pub(crate) pod: PodId,
    pub(crate) session: SessionId,
    pub(crate) generation: u64,
    pub(crate) token: String,
    pub(crate) folder: SessionFolder,
    pub(crate) adapter: String,
    pub(crate) feed: Arc<Feed>,
    pub(crate) asks: mpsc::Sender<Asked>,
}

impl Shared {
    /// The answer to `initialize`.
    pub(crate) fn welcome(&self) -> InitializeResult {
        InitializeResult {
            protocol: POD_PROTOCOL,
            pod: self.pod,
            session: self.session,
            generation: self.generation,
            state: self.feed.status().state.clone(),
            last_seq: self.feed.last_seq(),
        }
    }

    /// Asks the pod's task and waits for its answer.
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer, WireError> {
        let over = || WireError::new(ErrorCode::SessionEnded, format!("session {} has ended", self.session));
        let (reply, answer) = oneshot::channel();
        self.asks.send((ask, reply)).await.map_err(|_| over())?;
        answer.await.map_err(|_| over())?
    }

    /// The process tree under the pod.
    pub(crate) fn processes(&self) -> Vec<ProcessInfo> {
        let tree = process::descendants(ProcessRef::current().pid);
        tree.into_iter()
            .map(|entry| ProcessInfo {
                pid: entry.process.pid,
                parent: entry.parent,
                command: entry.command,
                rss: entry.rss,
                cpu_ms: entry.cpu_ms,
                purpose: ProcessPurpose::Tool,
                age_ms: None,
            })
            .collect()
    }
}
