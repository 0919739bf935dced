//! One connection to a pod: one exchange after the other, each with a limit, so that a stuck pod never holds up its caller.

use std::time::Duration;

use interprocess::local_socket::tokio::{Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ToFsName};
use process::{Line, LineReader};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{CLIENT_LINE_BYTES, EXCHANGE};
use protocol::pod::{
    AnswerParams, EditParams, ForgetRuleParams, InitializeParams, InitializeResult, Outgoing, POD_PROTOCOL, PodStatus,
    PromptParams, PromptResult, ReadParams, ReadResult, Response, SetParams, StopParams, StopResult, SubscribeParams,
    SubscribeResult, UnqueueParams,
};
use protocol::pods::{ChildSpawned, NoteBudget, Notify};
use protocol::processes::ProcessInfo;
use protocol::session::PodFile;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};

use crate::subscription::Subscription;

/// For what waits on an agent: its start, its stop.
const AGENT: Duration = Duration::from_secs(60);

/// See the module. Several connections to one pod may be open at once.
pub struct PodConnection {
    pub(crate) lines: LineReader<ReadHalf<Stream>>,
    pub(crate) early: std::collections::VecDeque<Line>,
    writer: WriteHalf<Stream>,
    next_id: u64,
    welcome: InitializeResult,
}

impl PodConnection {
    /// Connects and shows the token.
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`] when nobody answers in time, which does not mean that the pod is dead; otherwise what it said.
    pub async fn open(pod: &PodFile, client: &str) -> Result<Self, WireError> {
        let connect = async {
            let name = pod.socket.as_str().to_fs_name::<GenericFilePath>()?;
            Stream::connect(name).await
        };
        let stream = tokio::time::timeout(EXCHANGE, connect)
            .await
            .map_err(|_| unreachable(pod, "no answer"))?
            .map_err(|error| unreachable(pod, &error.to_string()))?;
        let (reader, writer) = tokio::io::split(stream);
        let lines = LineReader::new(reader, CLIENT_LINE_BYTES);
        let welcome = InitializeResult {
            protocol: POD_PROTOCOL,
            pod: pod.pod,
            session: pod.session,
            generation: pod.generation,
            state: protocol::pod::PodState::Starting,
            last_seq: 0,
        };
        let mut connection = Self { lines, early: std::collections::VecDeque::new(), writer, next_id: 1, welcome };
        let params = InitializeParams::to_pod(&pod.token, client);
        connection.welcome = connection.call("initialize", params, EXCHANGE).await?;
        Ok(connection)
    }

    /// What the pod said at the beginning.
    #[must_use]
    pub fn welcome(&self) -> &InitializeResult {
        &self.welcome
    }

    /// Sends a prompt; answers when its turn has begun, or it waits.
    ///
    /// # Errors
    /// What the pod says, or that it could not be reached.
    pub async fn prompt(&mut self, params: PromptParams) -> Result<PromptResult, WireError> {
        self.call("pod/prompt", params, AGENT).await
    }

    /// Takes a queued prompt back.
    ///
    /// # Errors
    /// As above.
    pub async fn unqueue(&mut self, prompt_id: &str) -> Result<(), WireError> {
        let params = UnqueueParams { prompt_id: prompt_id.to_owned() };
        self.call::<_, Value>("pod/unqueue", params, EXCHANGE).await.map(drop)
    }

    /// Gives a queued prompt other words; it keeps its place.
    ///
    /// # Errors
    /// As above.
    pub async fn edit(&mut self, prompt_id: &str, text: &str) -> Result<(), WireError> {
        let params = EditParams { prompt_id: prompt_id.to_owned(), text: text.to_owned() };
        self.call::<_, Value>("pod/edit", params, EXCHANGE).await.map(drop)
    }

    /// Sends the first of the prompts that wait after an interrupt; the others follow it, turn by turn.
    ///
    /// # Errors
    /// As above.
    pub async fn go_on(&mut self) -> Result<PromptResult, WireError> {
        self.call("pod/goOn", no_params(), AGENT).await
    }

    /// Takes a rule of the session back.
    ///
    /// # Errors
    /// As above.
    pub async fn forget_rule(&mut self, rule: &str) -> Result<(), WireError> {
        let params = ForgetRuleParams { rule: rule.to_owned() };
        self.call::<_, Value>("pod/forgetRule", params, EXCHANGE).await.map(drop)
    }

    /// Has it look whether the user's sidecars offer other tools now; it does so on its own time.
    ///
    /// # Errors
    /// As above.
    pub async fn look_at_tools(&mut self) -> Result<(), WireError> {
        self.call::<_, Value>("pod/lookAtTools", no_params(), EXCHANGE).await.map(drop)
    }

    /// Ends the turn; answers when it has ended.
    ///
    /// # Errors
    /// As above.
    pub async fn interrupt(&mut self) -> Result<(), WireError> {
        self.call::<_, Value>("pod/interrupt", no_params(), AGENT).await.map(drop)
    }

    /// Ends the session; answers when it has ended.
    ///
    /// # Errors
    /// As above.
    pub async fn stop(&mut self, force: bool) -> Result<StopResult, WireError> {
        self.call("pod/stop", StopParams { force }, AGENT).await
    }

    /// Changes the model or the mode.
    ///
    /// # Errors
    /// As above.
    pub async fn set(&mut self, params: SetParams) -> Result<(), WireError> {
        self.call::<_, Value>("pod/set", params, EXCHANGE).await.map(drop)
    }

    /// Answers a permission request.
    ///
    /// # Errors
    /// [`ErrorCode::NotPending`] when someone was faster.
    pub async fn answer(&mut self, params: AnswerParams) -> Result<(), WireError> {
        self.call::<_, Value>("pod/answer", params, EXCHANGE).await.map(drop)
    }

    /// What the pod is doing.
    ///
    /// # Errors
    /// As above.
    pub async fn status(&mut self) -> Result<PodStatus, WireError> {
        self.call("pod/status", no_params(), EXCHANGE).await
    }

    /// The processes under the pod.
    ///
    /// # Errors
    /// As above.
    pub async fn processes(&mut self) -> Result<Vec<ProcessInfo>, WireError> {
        self.call("pod/processes", no_params(), EXCHANGE).await
    }

    /// Tells the pod of a child that is about to be started; answers when that stands in its journal.
    ///
    /// # Errors
    /// As above.
    pub async fn child_spawned(&mut self, child: ChildSpawned) -> Result<(), WireError> {
        self.call::<_, Value>("pod/childSpawned", child, EXCHANGE).await.map(drop)
    }

    /// Tells the pod what became of a child.
    ///
    /// # Errors
    /// As above.
    pub async fn notify(&mut self, news: Notify) -> Result<(), WireError> {
        self.call::<_, Value>("pod/notify", news, EXCHANGE).await.map(drop)
    }

    /// Tells the pod that its budget is another one now.
    ///
    /// # Errors
    /// As above.
    pub async fn note_budget(&mut self, budget: NoteBudget) -> Result<(), WireError> {
        self.call::<_, Value>("pod/noteBudget", budget, EXCHANGE).await.map(drop)
    }

    /// A page of the session.
    ///
    /// # Errors
    /// As above.
    pub async fn read(&mut self, params: ReadParams) -> Result<ReadResult, WireError> {
        self.call("session/read", params, AGENT).await
    }

    /// Follows the session with this connection.
    ///
    /// # Errors
    /// As above.
    pub async fn subscribe(mut self, params: SubscribeParams) -> Result<(SubscribeResult, Subscription), WireError> {
        let result = self.call("session/subscribe", params, EXCHANGE).await?;
        Ok((result, Subscription::new(self)))
    }

    async fn call<P: Serialize, R: DeserializeOwned>(
        &mut self,
        method: &str,
        params: P,
        limit: Duration,
    ) -> Result<R, WireError> {
        let id = self.next_id;
        self.next_id += 1;
        let exchange = async {
            self.send(id, method, params).await?;
            self.response(id, method).await
        };
        tokio::time::timeout(limit, exchange).await.map_err(|_| {
            let message = format!(
                "the pod did not answer `{method}` within {} s; it may still do what was asked",
                limit.as_secs()
            );
            WireError::new(ErrorCode::Unreachable, message)
        })?
    }

    async fn send<P: Serialize>(&mut self, id: u64, method: &str, params: P) -> Result<(), WireError> {
        let request = Outgoing { jsonrpc: "2.0", id: Some(id), method, params };
        let mut line =
            serde_json::to_vec(&request).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))?;
        line.push(b'\n');
        self.writer.write_all(&line).await.map_err(|error| broken(method, &error.to_string()))
    }

    /// Reads until the answer comes. Events that come before it are kept for the subscription.
    async fn response<R: DeserializeOwned>(&mut self, id: u64, method: &str) -> Result<R, WireError> {
        loop {
            let batch = self.lines.next_batch().await.map_err(|error| broken(method, &error.to_string()))?;
            let Some(batch) = batch else { return Err(broken(method, "the connection was closed")) };
            let mut answer = None;
            for line in batch {
                match response_to(&line, id) {
                    Some(response) if answer.is_none() => answer = Some(response),
                    Some(_) | None => self.early.push_back(line),
                }
            }
            if let Some(response) = answer {
                return result(response, method);
            }
        }
    }
}

/// The answer to this request, if the line is one.
fn response_to(line: &Line, id: u64) -> Option<Response<Value>> {
    let text = std::str::from_utf8(&line.bytes).ok()?;
    if text.contains("\"method\":\"session/event\"") && text.starts_with("{\"jsonrpc\":\"2.0\",\"method\"") {
        return None;
    }
    let response: Response<Value> = serde_json::from_str(text).ok()?;
    // A request that could not even be read is answered with no id.
    let ours = response.id.as_ref().is_none_or(|found| found.is_null() || found.as_u64() == Some(id));
    ours.then_some(response)
}

fn result<R: DeserializeOwned>(response: Response<Value>, method: &str) -> Result<R, WireError> {
    if let Some(error) = response.error {
        return Err(error.data.unwrap_or_else(|| WireError::new(ErrorCode::Internal, error.message)));
    }
    serde_json::from_value(response.result.unwrap_or(Value::Null)).map_err(|error| {
        WireError::new(ErrorCode::Internal, format!("the answer to `{method}` could not be understood: {error}"))
    })
}

fn no_params() -> Value {
    Value::Object(serde_json::Map::new())
}

fn broken(method: &str, why: &str) -> WireError {
    WireError::new(ErrorCode::Unreachable, format!("the pod did not answer `{method}`: {why}"))
}

fn unreachable(pod: &PodFile, why: &str) -> WireError {
    let message = format!("the pod of session {} cannot be reached at {}: {why}", pod.session, pod.socket);
    WireError::new(ErrorCode::Unreachable, message)
}
