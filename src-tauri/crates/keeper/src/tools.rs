//! The tools that the agent is offered by Outrigger: from which sources they come, and which of these does a call.
//!
//! What a tool does is its source's business. A source is added where a session begins; a name that two of them offer is the
//! first one's.

use std::pin::Pin;
use std::sync::Arc;

use protocol::pods::ToolProgress;
use protocol::tools::{ToolAnswer, ToolCall, ToolDefinition, ToolList};
use tokio::sync::{mpsc, oneshot, watch};

/// What a source answers, later.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where tools come from.
pub(crate) trait ToolSource: Send + Sync {
    /// What it offers now; the words are why that cannot be told.
    fn list(&self) -> Later<'_, Result<Vec<ToolDefinition>, String>>;

    /// Whether a tool of this name is its to call.
    fn offers<'a>(&'a self, name: &'a str) -> Later<'a, bool>;

    /// Does a call, and tells how it gets on. Ends early when `nobody_waits` is told, or dropped.
    fn call(&self, call: ToolCall, heard: Heard, nobody_waits: oneshot::Receiver<()>) -> Later<'_, ToolAnswer>;

    /// The tool sidecar that serves this tool; none for Outrigger's own.
    fn sidecar_of(&self, name: &str) -> Option<String>;
}

/// Where the progress of a call is told. What its reader has no room for is left out.
#[derive(Clone)]
pub(crate) struct Heard(mpsc::Sender<ToolProgress>);

impl Heard {
    /// With a reader that may be so many steps behind.
    pub(crate) fn new(behind: usize) -> (Self, mpsc::Receiver<ToolProgress>) {
        let (sender, receiver) = mpsc::channel(behind);
        (Self(sender), receiver)
    }

    pub(crate) fn tell(&self, progress: ToolProgress) {
        let _ = self.0.try_send(progress);
    }
}

/// Tells everybody that the list is another one. A handle: clones share it.
#[derive(Clone)]
pub(crate) struct Changed(Arc<watch::Sender<u64>>);

impl Changed {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    pub(crate) fn tell(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}

/// What came of a call, and who did it.
pub(crate) struct Called {
    pub(crate) answer: ToolAnswer,
    /// The tool sidecar; none for Outrigger's own tools.
    pub(crate) sidecar: Option<String>,
}

/// All sources of a session.
pub(crate) struct Tools {
    sources: Vec<Arc<dyn ToolSource>>,
    changed: Changed,
}

impl Tools {
    /// The tools of these sources, the first one's first. They tell by `changed` that they offer others.
    pub(crate) fn of(sources: Vec<Arc<dyn ToolSource>>, changed: Changed) -> Self {
        Self { sources, changed }
    }

    /// All of them. A source that cannot tell is left out.
    pub(crate) async fn list(&self) -> ToolList {
        let mut tools: Vec<ToolDefinition> = Vec::new();
        for source in &self.sources {
            match source.list().await {
                Ok(offered) => {
                    let new = |tool: &ToolDefinition| !tools.iter().any(|known| known.name == tool.name);
                    let new: Vec<ToolDefinition> = offered.into_iter().filter(new).collect();
                    tools.extend(new);
                }
                Err(why) => tracing::warn!(why, "a source of tools could not tell what it offers"),
            }
        }
        ToolList { tools }
    }

    /// Does a call, by the first source that offers the tool.
    pub(crate) async fn call(&self, call: ToolCall, heard: Heard, nobody_waits: oneshot::Receiver<()>) -> Called {
        for source in &self.sources {
            if source.offers(&call.name).await {
                let sidecar = source.sidecar_of(&call.name);
                return Called { answer: source.call(call, heard, nobody_waits).await, sidecar };
            }
        }
        let text = format!("there is no tool `{}` now; list the tools again", call.name);
        Called { answer: ToolAnswer::failed(text), sidecar: None }
    }

    /// Counts up whenever the list is another one.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.0.subscribe()
    }
}
