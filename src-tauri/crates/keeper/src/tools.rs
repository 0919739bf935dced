//! The tools that the agent is offered by Outrigger: from which sources they come, and which of these does a call.
//!
//! What a tool does is its source's business. A source is added where a session begins; a name that two of them offer is the
//! first one's.

use std::pin::Pin;
use std::sync::Arc;

use protocol::tools::{ToolAnswer, ToolCall, ToolDefinition, ToolList};
use tokio::sync::{oneshot, watch};

/// What a source answers, later.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where tools come from.
pub(crate) trait ToolSource: Send + Sync {
    /// What it offers now; the words are why that cannot be told.
    fn list(&self) -> Later<'_, Result<Vec<ToolDefinition>, String>>;

    /// Does a call. Ends early when `nobody_waits` is told, or dropped.
    fn call(&self, call: ToolCall, nobody_waits: oneshot::Receiver<()>) -> Later<'_, ToolAnswer>;
}

/// All sources of a session.
pub(crate) struct Tools {
    sources: Vec<Arc<dyn ToolSource>>,
    changed: watch::Sender<u64>,
}

impl Tools {
    /// The tools of these sources, the first one's first.
    pub(crate) fn of(sources: Vec<Arc<dyn ToolSource>>) -> Self {
        Self { sources, changed: watch::Sender::new(0) }
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
    pub(crate) async fn call(&self, call: ToolCall, nobody_waits: oneshot::Receiver<()>) -> ToolAnswer {
        for source in &self.sources {
            if source.list().await.is_ok_and(|tools| tools.iter().any(|tool| tool.name == call.name)) {
                return source.call(call, nobody_waits).await;
            }
        }
        ToolAnswer::failed(format!("there is no tool `{}` now; list the tools again", call.name))
    }

    /// Counts up whenever the list is another one.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
