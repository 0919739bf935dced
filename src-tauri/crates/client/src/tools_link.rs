//! The bridge's line to a keeper: lists tools, calls them, several at once, and hears when the list has changed.
//!
//! It shows the tools token, which opens nothing else: whatever an agent can read, it can use. A keeper that is gone ends every call
//! that waits with an error; the line is not opened again, because the agent's runner ends with its keeper.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use interprocess::local_socket::tokio::{Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ToFsName};
use process::LineReader;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{CLIENT_LINE_BYTES, EXCHANGE};
use protocol::pod::{InitializeParams, Outgoing, RpcError};
use protocol::pods::{TOOL_PROGRESS, TOOLS_CHANGED, ToolProgress};
use protocol::tools::{CancelTool, ToolAnswer, ToolCall, ToolList};
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

/// For a list that may have to be asked of the user's tool programs.
const LIST: Duration = Duration::from_secs(15);

/// See the module. Calls may be made from several tasks.
pub struct ToolsLink {
    writer: AsyncMutex<WriteHalf<Stream>>,
    waiting: Arc<Waiting>,
    next_id: AtomicU64,
}

/// What the keeper says unasked.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolsNews {
    /// The list of tools is another one now.
    Changed,
    /// A call goes on.
    Progress(ToolProgress),
}

type Answered = Result<Value, WireError>;

/// Requests without an answer; nothing once the line is broken.
#[derive(Default)]
struct Waiting {
    requests: Mutex<Option<HashMap<u64, oneshot::Sender<Answered>>>>,
}

/// A line of the keeper: an answer or a notification.
#[derive(Deserialize)]
struct Incoming {
    id: Option<u64>,
    method: Option<String>,
    params: Option<Value>,
    result: Option<Value>,
    error: Option<RpcError>,
}

impl ToolsLink {
    /// Connects to a keeper's socket and shows the token.
    ///
    /// # Errors
    /// When nobody answers within the limit of an exchange, or the token is refused.
    pub async fn open(socket: &str, token: &str) -> Result<(Self, mpsc::UnboundedReceiver<ToolsNews>), WireError> {
        let connect = async {
            let name = socket.to_fs_name::<GenericFilePath>()?;
            Stream::connect(name).await
        };
        let connected = tokio::time::timeout(EXCHANGE, connect).await;
        let stream = connected.map_err(|_| gone("it does not answer"))?.map_err(|error| gone(&error.to_string()))?;
        let (reader, writer) = tokio::io::split(stream);
        let waiting = Arc::new(Waiting { requests: Mutex::new(Some(HashMap::new())) });
        let (news, heard) = mpsc::unbounded_channel();
        tokio::spawn(hear(LineReader::new(reader, CLIENT_LINE_BYTES), Arc::clone(&waiting), news));
        let link = Self { writer: AsyncMutex::new(writer), waiting, next_id: AtomicU64::new(1) };
        let greeting = InitializeParams::to_pod(token, "bridge");
        link.limited::<_, Value>("initialize", greeting, EXCHANGE).await?;
        Ok((link, heard))
    }

    /// All tools.
    ///
    /// # Errors
    /// What the keeper says, or that it is gone.
    pub async fn list(&self) -> Result<ToolList, WireError> {
        self.limited("tools/list", Value::Object(serde_json::Map::new()), LIST).await
    }

    /// Calls a tool; the keeper knows how long that may take.
    ///
    /// # Errors
    /// What the keeper says, or that it is gone. A tool that fails answers.
    pub async fn call(&self, call: ToolCall) -> Result<ToolAnswer, WireError> {
        self.request("tools/call", call).await
    }

    /// Says that nobody waits for a call any more.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn cancel(&self, call_id: &str) -> Result<(), WireError> {
        let cancel = CancelTool { call_id: call_id.to_owned() };
        self.limited::<_, Value>("tools/cancel", cancel, EXCHANGE).await.map(drop)
    }

    async fn limited<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        params: P,
        limit: Duration,
    ) -> Result<R, WireError> {
        let answered = tokio::time::timeout(limit, self.request(method, params)).await;
        answered.map_err(|_| gone(&format!("`{method}` was not answered within {} s", limit.as_secs())))?
    }

    async fn request<P: Serialize, R: DeserializeOwned>(&self, method: &str, params: P) -> Result<R, WireError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let answer = self.waiting.add(id).ok_or_else(|| gone("its socket was closed"))?;
        let request = Outgoing { jsonrpc: "2.0", id: Some(id), method, params };
        let mut line = serde_json::to_vec(&request).map_err(|error| odd(method, &error.to_string()))?;
        line.push(b'\n');
        self.writer.lock().await.write_all(&line).await.map_err(|error| gone(&error.to_string()))?;
        let result = answer.await.map_err(|_| gone("its socket was closed"))??;
        serde_json::from_value(result).map_err(|error| odd(method, &error.to_string()))
    }
}

impl Waiting {
    fn add(&self, id: u64) -> Option<oneshot::Receiver<Answered>> {
        let (sender, receiver) = oneshot::channel();
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.as_mut()?.insert(id, sender);
        Some(receiver)
    }

    fn answer(&self, id: u64, answer: Answered) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = requests.as_mut().and_then(|requests| requests.remove(&id)) {
            // Whoever asked may wait no longer.
            let _ = sender.send(answer);
        }
    }

    /// Whoever waits hears at once that nothing will come.
    fn close(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

async fn hear(mut lines: LineReader<ReadHalf<Stream>>, waiting: Arc<Waiting>, news: mpsc::UnboundedSender<ToolsNews>) {
    while let Ok(Some(batch)) = lines.next_batch().await {
        for line in batch {
            match serde_json::from_slice::<Incoming>(&line.bytes) {
                Ok(incoming) => take(incoming, &waiting, &news),
                Err(error) => tracing::warn!(%error, "the keeper said something that is no JSON-RPC"),
            }
        }
    }
    waiting.close();
}

fn take(incoming: Incoming, waiting: &Waiting, news: &mpsc::UnboundedSender<ToolsNews>) {
    let Incoming { id, method, params, result, error } = incoming;
    let heard = match (method.as_deref(), id) {
        (Some(TOOLS_CHANGED), _) => Some(ToolsNews::Changed),
        (Some(TOOL_PROGRESS), _) => {
            params.and_then(|params| serde_json::from_value(params).ok()).map(ToolsNews::Progress)
        }
        // A newer keeper may say more than we know.
        (Some(_), _) | (None, None) => None,
        (None, Some(id)) => {
            let plain = |error: RpcError| WireError::new(ErrorCode::Internal, error.message);
            let failed = error.map(|mut error| error.data.take().unwrap_or_else(|| plain(error)));
            waiting.answer(id, failed.map_or(Ok(result.unwrap_or(Value::Null)), Err));
            None
        }
    };
    if let Some(heard) = heard {
        let _ = news.send(heard);
    }
}

fn gone(why: &str) -> WireError {
    let message = format!("the keeper of this session cannot be reached ({why}), so its tools cannot be used");
    WireError::new(ErrorCode::Unreachable, message)
}

fn odd(method: &str, why: &str) -> WireError {
    WireError::new(ErrorCode::Internal, format!("the answer to `{method}` could not be understood: {why}"))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, BufReader};
    use tokio::net::{UnixListener, UnixStream};

    use super::*;

    struct Keeper {
        lines: tokio::io::Lines<BufReader<tokio::net::unix::OwnedReadHalf>>,
        writer: tokio::net::unix::OwnedWriteHalf,
    }

    impl Keeper {
        fn of(stream: UnixStream) -> Self {
            let (reader, writer) = stream.into_split();
            Self { lines: BufReader::new(reader).lines(), writer }
        }

        async fn heard(&mut self) -> Value {
            serde_json::from_str(&self.lines.next_line().await.unwrap().unwrap()).unwrap()
        }

        async fn say(&mut self, line: Value) {
            self.writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        }
    }

    /// A link to a keeper that has taken its token.
    async fn linked() -> (tempfile::TempDir, Arc<ToolsLink>, mpsc::UnboundedReceiver<ToolsNews>, Keeper) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let opening = tokio::spawn(async move { ToolsLink::open(path.to_str().unwrap(), "secret").await });
        let mut keeper = Keeper::of(listener.accept().await.unwrap().0);
        let greeting = keeper.heard().await;
        assert_eq!((&greeting["params"]["token"], &greeting["params"]["client"]), (&"secret".into(), &"bridge".into()));
        keeper.say(serde_json::json!({ "jsonrpc": "2.0", "id": greeting["id"], "result": {} })).await;
        let Ok((link, news)) = opening.await.unwrap() else { panic!("the greeting was answered") };
        (folder, Arc::new(link), news, keeper)
    }

    fn calling(link: &Arc<ToolsLink>, name: &str) -> tokio::task::JoinHandle<Result<ToolAnswer, WireError>> {
        let link = Arc::clone(link);
        let call = ToolCall { name: name.to_owned(), arguments: serde_json::Map::new(), call_id: name.to_owned() };
        tokio::spawn(async move { link.call(call).await })
    }

    #[tokio::test]
    async fn calls_are_answered_in_any_order_and_news_come_between() {
        let (_folder, link, mut news, mut keeper) = linked().await;
        let (first, second) = (calling(&link, "one"), calling(&link, "two"));
        let (a, b) = (keeper.heard().await, keeper.heard().await);
        keeper.say(serde_json::json!({ "jsonrpc": "2.0", "method": "tools/changed" })).await;
        let progress = serde_json::json!({ "callId": "one", "progress": 1.0 });
        keeper.say(serde_json::json!({ "jsonrpc": "2.0", "method": "tools/progress", "params": progress })).await;
        for request in [b, a] {
            let answer = ToolAnswer::said(request["params"]["name"].as_str().unwrap(), None);
            keeper.say(serde_json::json!({ "jsonrpc": "2.0", "id": request["id"], "result": answer })).await;
        }
        assert_eq!(first.await.unwrap().unwrap().text(), "one");
        assert_eq!(second.await.unwrap().unwrap().text(), "two");
        assert_eq!(news.recv().await, Some(ToolsNews::Changed));
        assert!(matches!(news.recv().await, Some(ToolsNews::Progress(progress)) if progress.call_id == "one"));
    }

    #[tokio::test]
    async fn a_keeper_that_dies_ends_what_waits_and_what_comes() {
        let (_folder, link, _news, mut keeper) = linked().await;
        let waiting = calling(&link, "one");
        keeper.heard().await;
        drop(keeper);
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!(error.code, ErrorCode::Unreachable);
        assert_eq!(calling(&link, "two").await.unwrap().unwrap_err().code, ErrorCode::Unreachable);
    }

    #[tokio::test]
    async fn nobody_at_the_socket_is_told() {
        let error = ToolsLink::open("/nowhere/s", "x").await.err().unwrap();
        assert!(error.message.contains("cannot be reached"), "{error}");
    }
}
