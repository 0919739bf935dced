//! How keepers, windows and the command line talk to the owner.
//!
//! Responsible for one connection with many exchanges under way, and for starting the owner when there is none. What is started, and
//! how, is the caller's business.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use interprocess::local_socket::tokio::{Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ToFsName};
use process::LineReader;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{CLIENT_LINE_BYTES, EXCHANGE};
use protocol::pod::{InitializeParams, Outgoing, RpcError};
use protocol::pods::ToolProgress;
use protocol::sidecar::{SidecarCall, SidecarNews, TOOLBOX_PROTOCOL};
use protocol::tools::{CancelTool, ToolAnswer};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::OwnerFile;
use crate::limits::{OWNER_START, SENDING};

/// For the answer to a call that was cancelled.
const CANCELLED: Duration = Duration::from_secs(10);

/// Requests without an answer; nothing once the connection is lost.
type Waiting = Arc<Mutex<Option<Requests>>>;
type Requests = HashMap<u64, oneshot::Sender<Result<Value, WireError>>>;

/// See the module. A handle: clones share the connection.
#[derive(Clone)]
pub struct OwnerClient {
    out: mpsc::Sender<Vec<u8>>,
    waiting: Waiting,
    next: Arc<AtomicU64>,
    news: broadcast::Sender<SidecarNews>,
    /// Its sender goes with the reader.
    gone: watch::Receiver<()>,
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

/// Connects to the owner; where there is none, `start` starts one. It returns when that one can be reached, or has ended because there
/// is another one that can.
///
/// # Errors
/// [`ErrorCode::Unreachable`] when there is none in time, or what `start` says.
pub async fn connect<F>(run: &Path, client: &str, start: impl FnOnce() -> F) -> Result<OwnerClient, WireError>
where
    F: Future<Output = Result<(), WireError>>,
{
    match OwnerClient::open(run, client).await {
        Ok(connected) => return Ok(connected),
        Err(error) if error.code == ErrorCode::NotAuthorised => return Err(error),
        Err(_) => {}
    }
    timeout(OWNER_START, start()).await.map_err(|_| unreachable("the one that was started says nothing"))??;
    OwnerClient::open(run, client).await
}

/// Starts an owner, for [`connect`]; it lies beside `outrigger`. Waits for its one word that it can be reached, or its end: of several
/// that are started at once one stays.
///
/// # Errors
/// When it cannot be started.
pub async fn spawn(outrigger: &Path) -> Result<(), WireError> {
    let program = protocol::programs::toolbox(outrigger);
    let mut command = tokio::process::Command::new(&program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    // The mark of a pod that we may run in belongs to what that pod started, not to an owner, which outlives it.
    command.env(process::MARK_VARIABLE, process::OWNER_MARK).env_remove(process::HOME_VARIABLE);
    let mut owner = command.spawn().map_err(|error| {
        let message = format!("failed to start {}: {error}; reinstall Outrigger", program.display());
        WireError::new(ErrorCode::Internal, message)
    })?;
    if let Some(mut stdout) = owner.stdout.take() {
        let _ = stdout.read_u8().await;
    }
    // It outlives us; should it end before, it is taken off the process table.
    tokio::spawn(async move { owner.wait().await });
    Ok(())
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
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let (lives, gone) = watch::channel(());
        let reading = read(reader, Arc::clone(&waiting), news.clone());
        let reading = tokio::spawn(async move {
            reading.await;
            drop(lives);
        });
        let _reading = Arc::new(Reading(reading.abort_handle()));
        let this = Self { out, waiting, next: Arc::default(), news, gone, _reading };
        let params =
            InitializeParams { protocol: TOOLBOX_PROTOCOL, oldest: None, token: file.token, client: client.to_owned() };
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
        self.waiting().as_mut().ok_or_else(|| unreachable("it hung up"))?.insert(id, answer);
        let message = Outgoing { jsonrpc: "2.0", id: Some(id), method, params };
        let mut line = serde_json::to_vec(&message).map_err(|error| unreachable(&error.to_string()))?;
        line.push(b'\n');
        let exchange = async {
            self.out.send(line).await.map_err(|_| unreachable("it hung up"))?;
            answered.await.map_err(|_| unreachable("it hung up"))?
        };
        let answer = timeout(limit, exchange).await;
        self.waiting().as_mut().map(|waiting| waiting.remove(&id));
        let value = answer.map_err(|_| unreachable("no answer in time"))??;
        serde_json::from_value(value).map_err(|error| unreachable(&format!("its answer cannot be read: {error}")))
    }

    /// Calls a tool. `limit` is how long the owner may take, beyond the tool's own time. When `nobody_waits` is done the call is
    /// cancelled, and its answer says so. All progress is told before the answer.
    ///
    /// # Errors
    /// What the owner says, or that it did not answer in time. A tool that fails answers.
    pub async fn call(
        &self,
        call: &SidecarCall,
        limit: Duration,
        mut on_progress: impl FnMut(ToolProgress),
        nobody_waits: impl Future<Output = ()>,
    ) -> Result<ToolAnswer, WireError> {
        let mut news = self.news();
        let mut tell = |one: SidecarNews| {
            if let SidecarNews::Progress { call_id, progress, total, message } = one
                && call_id == call.call_id
            {
                on_progress(ToolProgress { call_id, progress, total, message });
            }
        };
        let answer = self.ask("tools/call", call, limit);
        tokio::pin!(answer, nobody_waits);
        let mut told = true;
        let answered = loop {
            tokio::select! {
                answered = &mut answer => break answered,
                () = &mut nobody_waits => {
                    let cancel = CancelTool { call_id: call.call_id.clone() };
                    self.ask::<_, Value>("tools/cancel", &cancel, CANCELLED).await?;
                    break timeout(CANCELLED, &mut answer).await.map_err(|_| unreachable("no answer in time"))?;
                }
                one = news.recv(), if told => match one {
                    Ok(one) => tell(one),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => told = false,
                },
            }
        };
        while let Ok(one) = news.try_recv() {
            tell(one);
        }
        answered
    }

    /// Whether the connection is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.gone.has_changed().is_err()
    }

    /// Waits until the connection is lost.
    pub async fn lost(&self) {
        let mut gone = self.gone.clone();
        while gone.changed().await.is_ok() {}
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Requests>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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
                    let to =
                        waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(|all| all.remove(&id));
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
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
}

fn unreachable(why: &str) -> WireError {
    let message = format!("the owner of the tool sidecars cannot be reached: {why}");
    WireError::new(ErrorCode::Unreachable, message)
}
