//! One bridge's connection (`outrigger-keeper mcp`, beside the agent): it lists tools, calls them, and hears when the list has changed.
//!
//! Its token opens nothing else: whatever the agent can read it can use, and it must never answer its own requests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use process::{Line, LineReader};
use protocol::error::{ErrorCode, WireError};
use protocol::pod::{Outgoing, Request};
use protocol::pods::{TOOL_PROGRESS, TOOLS_CHANGED};
use protocol::record::HostRecord;
use protocol::tools::{CancelTool, ToolAnswer, ToolCall};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::AsyncRead;
use tokio::sync::oneshot;

use crate::connection::{json, parse};
use crate::exchange::{Ask, ToldOf};
use crate::outbox::{Outbox, answer};
use crate::shared::Shared;
use crate::tools::{Called, Heard};

/// Calls of one bridge at one time.
const CALLS: usize = 32;
/// Steps of a call's progress that wait for the bridge; what does not fit is left out.
const PROGRESS: usize = 64;
/// Characters of a call's arguments, and of its answer, that its record keeps.
const KEPT: usize = 1000;

/// The calls under way.
#[derive(Default)]
struct Bridge {
    calls: Mutex<HashMap<String, oneshot::Sender<()>>>,
}

impl Bridge {
    fn calls(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<()>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a bridge until it hangs up; what it called ends then.
pub(crate) async fn serve<R: AsyncRead + Unpin>(
    mut lines: LineReader<R>,
    first: impl Iterator<Item = Line>,
    shared: Arc<Shared>,
    outbox: Outbox,
) {
    let bridge = Arc::new(Bridge::default());
    let mut changes = shared.tools.changes();
    for line in first {
        request(line, &bridge, &shared, &outbox);
    }
    loop {
        tokio::select! {
            batch = lines.next_batch() => {
                let Ok(Some(batch)) = batch else { break };
                for line in batch {
                    request(line, &bridge, &shared, &outbox);
                }
            }
            Ok(()) = changes.changed() => {
                if outbox.send(notification(TOOLS_CHANGED, &json!({}))).await.is_err() {
                    break;
                }
            }
        }
    }
    bridge.calls().clear();
}

fn notification<P: Serialize>(method: &str, params: &P) -> Vec<u8> {
    let notification = Outgoing { jsonrpc: "2.0", id: None, method, params };
    let mut line = serde_json::to_vec(&notification).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Answers one request in a task of its own, so that a cancel can overtake the call.
fn request(line: Line, bridge: &Arc<Bridge>, shared: &Arc<Shared>, outbox: &Outbox) {
    let (bridge, shared, outbox) = (Arc::clone(bridge), Arc::clone(shared), outbox.clone());
    tokio::spawn(async move {
        let text = String::from_utf8_lossy(&line.bytes);
        let (id, result) = match serde_json::from_str::<Request<'_>>(&text) {
            Ok(request) => {
                (request.id.clone().unwrap_or(Value::Null), handle(&request, &bridge, &shared, &outbox).await)
            }
            Err(error) => {
                let error = WireError::new(ErrorCode::BadRequest, format!("not a JSON-RPC request: {error}"));
                (Value::Null, Err(error))
            }
        };
        // A bridge that has hung up waits for nothing.
        let _ = outbox.send(answer(id, result)).await;
    });
}

async fn handle(request: &Request<'_>, bridge: &Bridge, shared: &Shared, outbox: &Outbox) -> Result<Value, WireError> {
    match request.method.as_ref() {
        "tools/list" => json(&shared.tools.list().await),
        "tools/call" => json(&call(parse(request)?, bridge, shared, outbox).await?),
        "tools/cancel" => {
            bridge.calls().remove(&parse::<CancelTool>(request)?.call_id);
            Ok(json!({}))
        }
        other => {
            let message = format!("this token opens the tools only, not `{other}`");
            Err(WireError::new(ErrorCode::NotAuthorised, message))
        }
    }
}

async fn call(call: ToolCall, bridge: &Bridge, shared: &Shared, outbox: &Outbox) -> Result<ToolAnswer, WireError> {
    let (cancel, nobody_waits) = oneshot::channel();
    {
        let mut calls = bridge.calls();
        if calls.len() >= CALLS {
            let message = format!("{CALLS} calls of tools are under way already; wait for one of them");
            return Err(WireError::new(ErrorCode::BadRequest, message));
        }
        // A second call of the same id ends the first one.
        calls.insert(call.call_id.clone(), cancel);
    }
    let began = Instant::now();
    let (heard, mut steps) = Heard::new(PROGRESS);
    let calling = shared.tools.call(call.clone(), heard, nobody_waits);
    // All of it is told before the answer.
    let telling = async {
        while let Some(step) = steps.recv().await {
            let _ = outbox.send(notification(TOOL_PROGRESS, &step)).await;
        }
    };
    let (Called { answer, sidecar }, ()) = tokio::join!(calling, telling);
    bridge.calls().remove(&call.call_id);
    // It stands in the journal before the agent has it.
    let _ = shared.ask(Ask::Note(record(&call, &answer, sidecar, began.elapsed()))).await;
    let _ = shared.ask(Ask::ToldOf(told(&call, &answer))).await;
    Ok(answer)
}

fn record(call: &ToolCall, answer: &ToolAnswer, sidecar: Option<String>, took: Duration) -> HostRecord {
    HostRecord::ToolCalled {
        name: call.name.clone(),
        arguments: shortened(&Value::Object(call.arguments.clone()).to_string()),
        answer: shortened(&answer.text()),
        is_error: answer.is_error,
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        sidecar,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(KEPT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Of which children the agent knows now how they are.
fn told(call: &ToolCall, answer: &ToolAnswer) -> ToldOf {
    let named = |value: &Value| value.as_str().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
    let structured = answer.structured_content.as_ref().filter(|_| !answer.is_error);
    let names = match (call.name.as_str(), structured) {
        ("read_pod_output", Some(_)) => call.arguments.get("name").and_then(named).into_iter().collect(),
        ("stop_pod", Some(data)) => data["stopped"].as_array().into_iter().flatten().filter_map(named).collect(),
        // A pod that still works will have something to tell.
        ("wait_for_pods", Some(data)) => {
            let pods = data["pods"].as_array().into_iter().flatten();
            pods.filter(|pod| pod["state"] != "working").filter_map(|pod| named(&pod["name"])).collect()
        }
        _ => Vec::new(),
    };
    ToldOf { names, stopped: call.name == "stop_pod" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, arguments: Value, answer: Value) -> ToldOf {
        let Value::Object(arguments) = arguments else { panic!() };
        let call = ToolCall { name: name.to_owned(), arguments, call_id: String::new() };
        told(&call, &ToolAnswer::said("", Some(answer)))
    }

    #[test]
    fn what_an_answer_tells_the_agent_it_need_not_be_told_again() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(of("read_pod_output", json!({ "name": "a/b" }), json!({})).names, names(&["b"]));
        let waited = json!({ "pods": [{ "name": "a", "state": "idle" }, { "name": "b", "state": "working" }] });
        assert_eq!(of("wait_for_pods", json!({}), waited).names, names(&["a"]));
        let stopped = of("stop_pod", json!({ "name": "a" }), json!({ "stopped": ["b", "a"] }));
        assert_eq!((stopped.names, stopped.stopped), (names(&["b", "a"]), true));
        assert_eq!(of("list_pods", json!({}), json!({})).names, names(&[]));
    }
}
