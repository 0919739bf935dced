//! `outrigger-keeper mcp`: the MCP server beside an agent, on stdio. It passes what the agent asks on to the keeper, and knows no tool itself.
//!
//! It runs once for each agent and within the agent's scope, so it is small, opens no log, and holds nothing but the connection.
//! When the keeper is gone, calls fail with words that a model understands; nothing waits for it.

use std::collections::HashMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use client::tools_link::{ToolsLink, ToolsNews};
use protocol::error::{ErrorCode, WireError};
use protocol::pods::ToolProgress;
use protocol::tools::{
    TOOLS_SERVER, TOOLS_SOCKET_VARIABLE, TOOLS_TOKEN_VARIABLE, ToolAnswer, ToolCall, ToolDefinition,
};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ProgressNotificationParam, ProgressToken, ServerCapabilities, ServerConfig, Tool,
    ToolAnnotations,
};
use rmcp::service::{NotificationContext, Peer, RequestContext};
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use tokio::sync::mpsc::UnboundedReceiver;

const INSTRUCTIONS: &str = "Tools of Outrigger, which runs you. spawn_pod starts other agents below you, each in a part of the \
files that nobody else may write; you are told when they end their turns.";

/// After so long an agent has asked what there is, and what only the start needs is given back.
const STARTED: std::time::Duration = std::time::Duration::from_secs(2);

/// Serves until the agent hangs up.
pub(crate) fn mcp() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    let served = runtime.block_on(serve());
    // A thread that still reads stdin would hold up the exit.
    runtime.shutdown_background();
    served.map_or_else(|why| failed(&why), |()| ExitCode::SUCCESS)
}

fn failed(why: &str) -> ExitCode {
    // There is no other place to tell that this failed.
    let _ = writeln!(std::io::stderr(), "outrigger-keeper mcp: {why}");
    ExitCode::FAILURE
}

async fn serve() -> Result<(), String> {
    let (keeper, news) = match connect().await {
        Ok((link, news)) => (Ok(link), Some(news)),
        // The agent is told with its first call, where its model reads it.
        Err(error) => (Err(error), None),
    };
    let bridge = Bridge { keeper: Arc::new(keeper), calls: Arc::default(), news: Mutex::new(news) };
    let running = bridge.serve(rmcp::transport::io::stdio_pipes()).await.map_err(|error| error.to_string())?;
    tokio::spawn(async {
        tokio::time::sleep(STARTED).await;
        keeper::program_pages::give_back();
    });
    running.waiting().await.map(drop).map_err(|error| error.to_string())
}

async fn connect() -> Result<(ToolsLink, UnboundedReceiver<ToolsNews>), WireError> {
    let named = |name: &str| {
        let missing =
            || format!("{name} is not set: `outrigger-keeper mcp` is started by the agents that Outrigger runs");
        std::env::var(name).map_err(|_| WireError::new(ErrorCode::BadRequest, missing()))
    };
    ToolsLink::open(&named(TOOLS_SOCKET_VARIABLE)?, &named(TOOLS_TOKEN_VARIABLE)?).await
}

struct Bridge {
    keeper: Arc<Result<ToolsLink, WireError>>,
    calls: Arc<Calls>,
    /// Until the agent is ready to hear them.
    news: Mutex<Option<UnboundedReceiver<ToolsNews>>>,
}

/// The calls under way whose progress the agent wants to hear of.
#[derive(Default)]
struct Calls {
    newest: std::sync::atomic::AtomicU64,
    progress: Mutex<HashMap<String, ProgressToken>>,
}

impl Calls {
    fn begin(&self, progress: Option<ProgressToken>) -> String {
        let id = self.newest.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
        if let Some(token) = progress {
            self.progress.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), token);
        }
        id
    }

    fn end(&self, id: &str) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn token(&self, id: &str) -> Option<ProgressToken> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

impl ServerHandler for Bridge {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        let ourselves = Implementation::new(TOOLS_SERVER, env!("CARGO_PKG_VERSION")).with_title("Outrigger");
        ServerConfig::new(capabilities).with_server_info(ourselves).with_instructions(INSTRUCTIONS)
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(news) = news {
            tokio::spawn(pass_on(news, context.peer, Arc::clone(&self.calls)));
        }
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let failed = |error: &WireError| ErrorData::internal_error(error.message.clone(), None);
        let link = self.keeper.as_ref().as_ref().map_err(failed)?;
        let list = link.list().await.map_err(|error| failed(&error))?;
        Ok(ListToolsResult::with_all_items(list.tools.into_iter().map(tool).collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let link = match self.keeper.as_ref() {
            Ok(link) => link,
            Err(error) => return Ok(result(ToolAnswer::failed(&error.message)).into()),
        };
        let call_id = self.calls.begin(context.meta.get_progress_token());
        let call = ToolCall {
            name: request.name.into_owned(),
            arguments: request.arguments.unwrap_or_default(),
            call_id: call_id.clone(),
        };
        let answer = tokio::select! {
            answer = link.call(call) => answer,
            () = context.ct.cancelled() => {
                let _ = link.cancel(&call_id).await;
                Err(WireError::new(ErrorCode::BadRequest, "the call was cancelled"))
            }
        };
        self.calls.end(&call_id);
        Ok(result(answer.unwrap_or_else(|error| ToolAnswer::failed(error.message))).into())
    }
}

/// Passes on what the keeper says unasked.
async fn pass_on(mut news: UnboundedReceiver<ToolsNews>, agent: Peer<RoleServer>, calls: Arc<Calls>) {
    while let Some(news) = news.recv().await {
        let told = match news {
            ToolsNews::Changed => agent.notify_tool_list_changed().await,
            ToolsNews::Progress(progress) => match calls.token(&progress.call_id) {
                Some(token) => agent.notify_progress(progressed(token, progress)).await,
                // It did not ask for that.
                None => Ok(()),
            },
        };
        if told.is_err() {
            return;
        }
    }
}

fn progressed(token: ProgressToken, progress: ToolProgress) -> ProgressNotificationParam {
    let mut param = ProgressNotificationParam::new(token, progress.progress);
    param.total = progress.total;
    param.message = progress.message;
    param
}

fn tool(definition: ToolDefinition) -> Tool {
    let ToolDefinition { name, title, description, input_schema, read_only, sidecar: _ } = definition;
    let mut tool = Tool::new(name, description, Arc::new(input_schema));
    tool.title = title;
    tool.annotations = Some(ToolAnnotations::new().read_only(read_only));
    tool
}

fn result(answer: ToolAnswer) -> CallToolResult {
    let ToolAnswer { content, structured_content, is_error } = answer;
    let part = |part: serde_json::Value| {
        // A kind of content that this version does not know is passed on as it is written.
        serde_json::from_value(part.clone()).unwrap_or_else(|_| ContentBlock::text(part.to_string()))
    };
    let content: Vec<ContentBlock> = content.into_iter().map(part).collect();
    let mut result = if is_error { CallToolResult::error(content) } else { CallToolResult::success(content) };
    result.structured_content = structured_content;
    result
}
