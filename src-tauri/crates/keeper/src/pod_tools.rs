//! The tools by which the agent commands other agents, as a source of tools: each call is done by a process of its own.
//!
//! That process (`outrigger pod-tool`) works outside of the agent's scope, with the keeper's own environment, and says the answer in
//! one line. Here it is started, given its time, and ended when nobody waits any more.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use process::{Child, ChildStderr, ChildStdout, Command, HOME_VARIABLE, LineReader, OWNER_MARK, ProcessRef};
use protocol::limits::{LINE_BYTES, POD_WAIT, POD_WAIT_AT_MOST, STDERR_LINE_BYTES};
use protocol::tools::{PodToolOrder, ToolAnswer, ToolCall, ToolDefinition, ToolList};
use protocol::{PodId, SessionId};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::sync::{OnceCell, oneshot};
use tokio::time::timeout;

use crate::tools::{Heard, Later, ToolSource};

/// For a call that asks a pod or the ledger.
const ASKING: Duration = Duration::from_secs(30);
/// For a call that starts or stops pods, which have limits of their own.
const STARTING: Duration = Duration::from_secs(120);
/// Beside the time that a call waits by itself.
const BESIDE: Duration = Duration::from_secs(15);
/// For a process that was asked to end: a pod that it was starting is stopped again meanwhile.
const ENDING: Duration = Duration::from_secs(40);

/// See the module.
pub(crate) struct PodTools {
    program: PathBuf,
    session: SessionId,
    pod: PodId,
    known: OnceCell<Vec<ToolDefinition>>,
}

impl PodTools {
    /// The tools for the agent of a session, done by `program`.
    pub(crate) fn new(program: PathBuf, session: SessionId, pod: PodId) -> Self {
        Self { program, session, pod, known: OnceCell::new() }
    }

    async fn ask_for_list(&self) -> Result<Vec<ToolDefinition>, String> {
        let (_cancel, nobody_waits) = oneshot::channel();
        let line = self.run(&["pod-tool", "--list"], Vec::new(), ASKING, nobody_waits).await?;
        serde_json::from_slice::<ToolList>(&line).map(|list| list.tools).map_err(|error| error.to_string())
    }

    async fn answer(&self, call: ToolCall, nobody_waits: oneshot::Receiver<()>) -> Result<ToolAnswer, String> {
        let keeper = ProcessRef::current();
        let limit = limit(&call);
        let order = PodToolOrder {
            session: self.session,
            pod: self.pod,
            keeper_pid: keeper.pid,
            keeper_started: keeper.started,
            call,
        };
        let order = serde_json::to_vec(&order).map_err(|error| error.to_string())?;
        let line = self.run(&["pod-tool"], order, limit, nobody_waits).await?;
        serde_json::from_slice(&line).map_err(|error| format!("its answer could not be understood: {error}"))
    }

    /// Runs the program with this on its stdin, and returns its first line.
    async fn run(
        &self,
        args: &[&str],
        stdin: Vec<u8>,
        limit: Duration,
        nobody_waits: oneshot::Receiver<()>,
    ) -> Result<Vec<u8>, String> {
        let mut child = self.command(args)?.spawn().map_err(|error| error.to_string())?;
        let pipes = (child.take_stdin(), child.take_stdout(), child.take_stderr());
        let (Some(mut input), Some(output), Some(errors)) = pipes else { return Err("it has no pipes".to_owned()) };
        let answered = async move {
            // A process that ends without reading tells why by its answer or its exit.
            let _ = input.write_all(&stdin).await;
            drop(input);
            first_line(output, errors).await
        };
        let answer = tokio::select! {
            line = answered => line,
            _ = nobody_waits => Err("nobody waits for the answer any more".to_owned()),
            () = tokio::time::sleep(limit) => Err(format!("it did not answer within {} s", limit.as_secs())),
        };
        end(child, answer.is_ok()).await;
        answer
    }

    fn command(&self, args: &[&str]) -> Result<Command, String> {
        let vars =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let mut env: BTreeMap<String, String> = vars.collect();
        env.remove(HOME_VARIABLE);
        let cwd = std::env::current_dir().map_err(|error| error.to_string())?;
        let args = args.iter().map(Into::into).collect();
        // It is no part of the pod: what it starts outlives it.
        Ok(Command { program: self.program.clone(), args, cwd, env, mark: Some(OWNER_MARK.to_owned()) })
    }
}

impl ToolSource for PodTools {
    fn list(&self) -> Later<'_, Result<Vec<ToolDefinition>, String>> {
        Box::pin(async { self.known.get_or_try_init(|| self.ask_for_list()).await.cloned() })
    }

    fn offers<'a>(&'a self, name: &'a str) -> Later<'a, bool> {
        Box::pin(async move { self.list().await.is_ok_and(|tools| tools.iter().any(|tool| tool.name == name)) })
    }

    fn sidecar_of(&self, _name: &str) -> Option<String> {
        None
    }

    fn call(&self, call: ToolCall, _heard: Heard, nobody_waits: oneshot::Receiver<()>) -> Later<'_, ToolAnswer> {
        Box::pin(async move {
            let name = call.name.clone();
            let answer = self.answer(call, nobody_waits).await;
            answer.unwrap_or_else(|why| ToolAnswer::failed(format!("{name} failed: {why}")))
        })
    }
}

/// How long a call may take.
fn limit(call: &ToolCall) -> Duration {
    match call.name.as_str() {
        "wait_for_pods" => {
            let wanted = call.arguments.get("timeoutSeconds").and_then(Value::as_u64).map(Duration::from_secs);
            wanted.unwrap_or(POD_WAIT).min(POD_WAIT_AT_MOST) + BESIDE
        }
        "spawn_pod" | "stop_pod" => STARTING,
        _ => ASKING,
    }
}

/// The first line of its output; what it says on stderr is for the debug log.
async fn first_line(output: ChildStdout, errors: ChildStderr) -> Result<Vec<u8>, String> {
    let mut lines = LineReader::new(output, LINE_BYTES);
    let mut said = LineReader::new(errors, STDERR_LINE_BYTES);
    let mut last = String::new();
    let mut saying = true;
    loop {
        tokio::select! {
            batch = lines.next_batch() => {
                let batch = batch.map_err(|error| error.to_string())?;
                let Some(batch) = batch else { return Err(format!("it ended without an answer. {last}")) };
                if let Some(line) = batch.into_iter().find(|line| !line.bytes.is_empty()) {
                    return Ok(line.bytes.to_vec());
                }
            }
            batch = said.next_batch(), if saying => match batch {
                Ok(Some(batch)) => for line in batch {
                    last = String::from_utf8_lossy(&line.bytes).into_owned();
                    tracing::info!(source = "pod tool", "{last}");
                },
                Ok(None) | Err(_) => saying = false,
            },
        }
    }
}

/// Waits for its end; one that nobody waits for is asked to end first.
async fn end(mut child: Child, answered: bool) {
    if !answered {
        child.group().terminate();
    }
    if timeout(ENDING, child.wait()).await.is_err() {
        tracing::warn!("a call of a pod tool did not end by itself");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_waits_has_its_own_time_and_more() {
        let call = |name: &str, seconds: Option<u64>| {
            let arguments = seconds.map(|seconds| ("timeoutSeconds".to_owned(), seconds.into())).into_iter().collect();
            limit(&ToolCall { name: name.to_owned(), arguments, call_id: String::new() })
        };
        assert_eq!(call("wait_for_pods", Some(7)), Duration::from_secs(7) + BESIDE);
        assert_eq!(call("wait_for_pods", None), POD_WAIT + BESIDE);
        assert_eq!(call("wait_for_pods", Some(u64::MAX)), POD_WAIT_AT_MOST + BESIDE);
        assert_eq!(call("list_pods", Some(7)), ASKING);
    }
}
