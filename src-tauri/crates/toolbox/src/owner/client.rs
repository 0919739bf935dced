//! How keepers, windows and the command line talk to the owner.
//!
//! Responsible for one connection with many exchanges under way, and for starting the owner when there is none. What is started, and
//! how, is the caller's business.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use interprocess::local_socket::tokio::{Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ToFsName};
use process::LineReader;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{CLIENT_LINE_BYTES, EXCHANGE};
use protocol::pod::{InitializeParams, Outgoing, RpcError};
use protocol::sidecar::{SidecarNews, TOOLBOX_PROTOCOL};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncWriteExt, ReadHalf};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::OwnerFile;
use crate::limits::{OWNER_START, SENDING};

/// Between two looks for an owner that was just started.
const LOOK_EVERY: Duration = Duration::from_millis(20);

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Result<Value, WireError>>>>>;

/// See the module. A handle: clones share the connection.
#[derive(Clone)]
pub struct OwnerClient {
    out: mpsc::Sender<Vec<u8>>,
    waiting: Waiting,
    next: Arc<AtomicU64>,
    news: broadcast::Sender<SidecarNews>,
    _reading: Arc<Reading>,
}

/// The reader ends with the last handle; as long as it waited for news the connection would stay open.
struct Reading(AbortHandle);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A line of the owner: an answer, or news.
#[derive(Deserialize)]
struct Incoming {
    id: Option<u64>,
    #[serde(default)]
    result: Option<Value>,
    #[serde(default)]
    error: Option<RpcError>,
    #[serde(default)]
    params: Option<Value>,
}

/// Connects to the owner; where there is none, `start` starts one (it returns when the process is on its way), and that is waited for.
///
/// # Errors
/// [`ErrorCode::Unreachable`] when there is none in time, or what `start` says.
pub async fn connect(
    run: &Path,
    client: &str,
    start: impl FnOnce() -> Result<(), WireError>,
) -> Result<OwnerClient, WireError> {
    if let Ok(connected) = OwnerClient::open(run, client).await {
        return Ok(connected);
    }
    start()?;
    let deadline = Instant::now() + OWNER_START;
    loop {
        match OwnerClient::open(run, client).await {
            Ok(connected) => return Ok(connected),
            Err(error) if error.code == ErrorCode::NotAuthorised || Instant::now() >= deadline => return Err(error),
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// Starts an owner: `program` is `outrigger`. For [`connect`]; of several that are started at once one stays.
///
/// # Errors
/// When it cannot be started.
pub fn spawn(program: &Path) -> Result<(), WireError> {
    let mut command = std::process::Command::new(program);
    command.arg("toolbox").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // The mark of a pod that we may run in belongs to what that pod started, not to an owner, which outlives it.
    command.env(process::MARK_VARIABLE, process::OWNER_MARK).env_remove(process::HOME_VARIABLE);
    command.spawn().map(drop).map_err(|error| {
        let message = format!("failed to start {} toolbox: {error}; reinstall Outrigger", program.display());
        WireError::new(ErrorCode::Internal, message)
    })
}

impl OwnerClient {
    /// Connects to the owner that there is, and shows the token.
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`] when nobody answers.
    pub async fn open(run: &Path, client: &str) -> Result<Self, WireError> {
        let file = OwnerFile::read(run).ok_or_else(|| unreachable("there is none"))?;
        let connect = async { Stream::connect(file.socket.as_str().to_fs_name::<GenericFilePath>()?).await };
        let stream = timeout(EXCHANGE, connect).await.map_err(|_| unreachable("no answer"))?;
        let (reader, mut writer) = tokio::io::split(stream.map_err(|error| unreachable(&error.to_string()))?);
        let (out, mut lines) = mpsc::channel::<Vec<u8>>(SENDING);
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                if writer.write_all(&line).await.is_err() {
                    return;
                }
            }
        });
        let (news, _) = broadcast::channel(1024);
        let waiting = Waiting::default();
        let reading = tokio::spawn(read(reader, Arc::clone(&waiting), news.clone())).abort_handle();
        let this = Self { out, waiting, next: Arc::default(), news, _reading: Arc::new(Reading(reading)) };
        let params = InitializeParams { protocol: TOOLBOX_PROTOCOL, oldest: None, token: file.token, client: client.to_owned() };
        this.ask::<_, Value>("initialize", &params, EXCHANGE).await?;
        Ok(this)
    }

    /// One exchange. Calls of tools take as long as they take: give them a limit beyond their own.
    ///
    /// # Errors
    /// What the owner says, or that it did not answer in time.
    pub async fn ask<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        params: &P,
        limit: Duration,
    ) -> Result<R, WireError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, answer);
        let message = Outgoing { jsonrpc: "2.0", id: Some(id), method, params };
        let mut line = serde_json::to_vec(&message).map_err(|error| unreachable(&error.to_string()))?;
        line.push(b'\n');
        let exchange = async {
            self.out.send(line).await.map_err(|_| unreachable("it hung up"))?;
            answered.await.map_err(|_| unreachable("it hung up"))?
        };
        let answer = timeout(limit, exchange).await;
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let value = answer.map_err(|_| unreachable("no answer in time"))??;
        serde_json::from_value(value).map_err(|error| unreachable(&format!("its answer cannot be read: {error}")))
    }

    /// The news of this connection: progress of its calls, and after `subscribe` all others.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<SidecarNews> {
        self.news.subscribe()
    }
}

async fn read(reader: ReadHalf<Stream>, waiting: Waiting, news: broadcast::Sender<SidecarNews>) {
    let mut lines = LineReader::new(reader, CLIENT_LINE_BYTES);
    while let Ok(Some(batch)) = lines.next_batch().await {
        for line in batch {
            let Ok(incoming) = serde_json::from_slice::<Incoming>(&line.bytes) else { continue };
            match incoming.id {
                Some(id) => {
                    let to = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
                    let result = match incoming.error {
                        Some(RpcError { data: Some(error), .. }) => Err(error),
                        Some(error) => Err(unreachable(&error.message)),
                        None => Ok(incoming.result.unwrap_or_default()),
                    };
                    to.map(|to| to.send(result));
                }
                None => {
                    let one = incoming.params.and_then(|params| serde_json::from_value(params).ok());
                    one.map(|one| news.send(one));
                }
            }
        }
    }
    // Whoever waits is told that nobody answers any more.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

fn unreachable(why: &str) -> WireError {
    let message = format!("the owner of the tool sidecars cannot be reached: {why}");
    WireError::new(ErrorCode::Unreachable, message)
}
