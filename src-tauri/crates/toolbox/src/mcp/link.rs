//! A connected server: its tools are listed and called, until the connection ends.
//!
//! Responsible for asking within time limits and for telling the server when nobody waits any more. Many calls may be under way at once.

use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientRequest, ListToolsRequest, PaginatedRequestParams, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle, RoleClient, RunningService, ServiceError};
use rmcp::transport::Transport;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::ears::{Ears, Progress, key};
use super::listing::Listing;
use crate::limits::TOOL_PAGES;

/// How long the word that a call is cancelled may take to be sent.
const FAREWELL: Duration = Duration::from_secs(1);

/// See the module. A handle: clones share the connection.
#[derive(Clone)]
pub(crate) struct Link {
    peer: Peer<RoleClient>,
    ears: Ears,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// The other end of a [`Link`]: tells when the connection is lost.
pub(crate) struct Lost(RunningService<RoleClient, Ears>);

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The server answered with an error.
    #[error("{0}")]
    Refused(String),
    /// It did not answer in time.
    #[error("it did not answer within {} ms and was told to give up", .0.as_millis())]
    TimedOut(Duration),
    /// Whoever called waits no longer.
    #[error("the call was cancelled")]
    Cancelled,
    /// The connection ended before the answer.
    #[error("it ended, or closed its connection, before it answered")]
    Lost,
}

impl Link {
    /// Shakes hands.
    ///
    /// # Errors
    /// In words, when the other side does not speak MCP or the connection ends. It has no time limit of its own.
    pub(crate) async fn open<T>(transport: T, ears: Ears) -> Result<(Self, Lost), String>
    where
        T: Transport<RoleClient> + 'static,
    {
        let running = rmcp::serve_client(ears.clone(), transport).await.map_err(|error| error.to_string())?;
        Ok((Self { peer: running.peer().clone(), ears }, Lost(running)))
    }

    /// Whether the connection has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.peer.is_transport_closed()
    }

    /// Lists the tools, all pages together within the limit.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn tools(&self, limit: Duration) -> Result<Listing, String> {
        let deadline = Instant::now() + limit;
        let mut listing = Listing::default();
        let mut cursor = None;
        for _ in 0..TOOL_PAGES {
            let mut params = PaginatedRequestParams::default();
            params.cursor = cursor.take();
            let asked = self.peer.send_request(ClientRequest::ListToolsRequest(ListToolsRequest::with_param(params)));
            let page = timeout_at(deadline, asked)
                .await
                .map_err(|_| format!("it did not list its tools within {} s", limit.as_secs_f32()))?
                .map_err(|error| format!("it did not list its tools: {error}"))?;
            let page = as_value(page)?;
            listing.add(&page)?;
            cursor = page.get("nextCursor").and_then(Value::as_str).filter(|c| !c.is_empty()).map(str::to_owned);
            if cursor.is_none() {
                return Ok(listing);
            }
        }
        Err(format!("its list of tools has more than {TOOL_PAGES} pages"))
    }

    /// Calls a tool. The answer is as the server gave it. The call is given up when `cancelled` is done.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(crate) async fn call(
        &self,
        name: &str,
        arguments: Map<String, Value>,
        limit: Duration,
        progress: mpsc::Sender<Progress>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Value, CallError> {
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let deadline = Instant::now() + limit;
        let sent = self.peer.send_cancellable_request(request, PeerRequestOptions::no_options());
        let handle = timeout_at(deadline, sent).await.map_err(|_| CallError::TimedOut(limit))?.map_err(why)?;
        let token = key(&handle.progress_token.0);
        // Also when nobody waits for the answer any more, and this is dropped.
        let _forgets = Forgets { ears: &self.ears, token: &token };
        self.ears.expect(&token, progress);
        wait(handle, deadline, limit, cancelled).await
    }
}

/// Forgets where the progress of a call goes, however that ends.
struct Forgets<'a> {
    ears: &'a Ears,
    token: &'a str,
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        self.ears.forget(self.token);
    }
}

async fn wait(
    mut handle: RequestHandle<RoleClient>,
    deadline: Instant,
    limit: Duration,
    cancelled: impl Future<Output = ()>,
) -> Result<Value, CallError> {
    let given_up = tokio::select! {
        answer = &mut handle.rx => {
            let result = answer.map_err(|_| CallError::Lost)?.map_err(why)?;
            return as_value(result).map_err(CallError::Refused);
        }
        () = tokio::time::sleep_until(deadline) => CallError::TimedOut(limit),
        () = cancelled => CallError::Cancelled,
    };
    // A server that does not read is not waited for.
    let _ = timeout(FAREWELL, handle.cancel(Some(given_up.to_string()))).await;
    Err(given_up)
}

fn why(error: ServiceError) -> CallError {
    match error {
        ServiceError::McpError(error) => CallError::Refused(error.message.into_owned()),
        ServiceError::TransportClosed | ServiceError::TransportSend(_) => CallError::Lost,
        ServiceError::Cancelled { .. } => CallError::Lost,
        other => CallError::Refused(other.to_string()),
    }
}

fn as_value(result: ServerResult) -> Result<Value, String> {
    serde_json::to_value(result).map_err(|error| format!("its answer could not be read: {error}"))
}

impl Lost {
    /// Waits until the connection is lost or closed.
    pub(crate) async fn lost(self) {
        let _ = self.0.waiting().await;
    }
}
