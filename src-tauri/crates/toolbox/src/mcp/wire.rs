//! MCP on lines: a pipe or a local socket.
//!
//! Responsible for bounded memory whatever the other side sends: long lines, floods of notifications and requests, and text that is no
//! MCP at all. Only answers to what we asked go on to the protocol; everything else is dealt with here. A line over the limit fails
//! the requests that it may have been the answer to, so that nobody waits for it in vain.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use process::{Line, LineReader};
use rmcp::model::{
    ClientNotification, ClientRequest, CustomResult, ErrorData, JsonRpcMessage, RequestId, ServerResult,
};
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use super::ears::{Ears, Progress, key};
use crate::limits::{LINE_BYTES, SENDING};
use crate::log::LogSource;

/// See the module.
pub(crate) struct Wire<R> {
    lines: LineReader<R>,
    waiting: VecDeque<Line>,
    failed: VecDeque<RequestId>,
    too_long: u64,
    out: Option<mpsc::Sender<Vec<u8>>>,
    asked: Asked,
    ears: Ears,
}

/// Requests of ours that wait for an answer, and whether the protocol wants to understand it itself. Of the others it is passed on as
/// it is: nothing of it is lost, and a long one is read but once.
type Asked = Arc<Mutex<HashMap<RequestId, bool>>>;

/// As much of a message as tells what it is.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    id: Option<Value>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

impl<R: AsyncRead + Unpin + Send> Wire<R> {
    pub(crate) fn new<W>(reader: R, writer: W, ears: Ears) -> Self
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        Self::from_lines(LineReader::new(reader, LINE_BYTES), VecDeque::new(), writer, ears)
    }

    /// Of a connection from which some lines were read already.
    pub(crate) fn from_lines<W>(lines: LineReader<R>, waiting: VecDeque<Line>, writer: W, ears: Ears) -> Self
    where
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let out = Some(write(writer));
        Self { lines, waiting, failed: VecDeque::new(), too_long: 0, out, asked: Asked::default(), ears }
    }

    async fn next_line(&mut self) -> Option<Line> {
        while self.waiting.is_empty() {
            match self.lines.next_batch().await {
                Ok(Some(batch)) => self.waiting.extend(batch),
                Ok(None) => return None,
                Err(error) => {
                    self.ears.log(LogSource::Outrigger, format!("its output could not be read: {error}").as_bytes());
                    return None;
                }
            }
        }
        self.waiting.pop_front()
    }

    /// The message of a line, if it answers something.
    fn understood(&mut self, line: &Line) -> Option<RxJsonRpcMessage<RoleClient>> {
        if line.bytes.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        if let Some(length) = line.cut_from {
            self.too_long = length;
            self.failed.extend(lock(&self.asked).drain().map(|(id, _)| id));
            let told = format!("a line of {length} bytes is over the limit of {LINE_BYTES} and was not read");
            self.ears.log(LogSource::Outrigger, told.as_bytes());
            return None;
        }
        let understood = match serde_json::from_slice::<Message<'_>>(&line.bytes) {
            Ok(Message { method: Some(method), id, params, .. }) => {
                let params = params.and_then(|params| serde_json::from_str(params.get()).ok());
                self.said(&method, id, params);
                return None;
            }
            Ok(Message { id: Some(id), result, .. }) => self.answered(line, id, result),
            Ok(Message { id: None, .. }) | Err(_) => None,
        };
        if understood.is_none() {
            self.ears.log(LogSource::Stdout, &line.bytes);
        }
        understood
    }

    fn answered(&self, line: &Line, id: Value, result: Option<&RawValue>) -> Option<RxJsonRpcMessage<RoleClient>> {
        let id: RequestId = serde_json::from_value(id).ok()?;
        let by_protocol = lock(&self.asked).remove(&id);
        match (by_protocol, result) {
            (Some(false), Some(result)) => {
                let result = ServerResult::CustomResult(CustomResult(serde_json::from_str(result.get()).ok()?));
                Some(JsonRpcMessage::response(result, id))
            }
            (Some(_), _) => serde_json::from_slice(&line.bytes).ok(),
            // The answer to a call that was given up, or to none.
            (None, _) => None,
        }
    }

    /// A notification or a request of the server.
    fn said(&self, method: &str, id: Option<Value>, params: Option<Value>) {
        let params = params.unwrap_or_default();
        match (method, id) {
            ("notifications/progress", None) => self.progress(&params),
            ("notifications/tools/list_changed", None) => self.ears.list_has_changed(),
            ("notifications/message", None) => {
                let data = params.get("data").map(Value::to_string).unwrap_or_default();
                self.ears.log(LogSource::Mcp, data.as_bytes());
            }
            (_, None) => {}
            ("ping", Some(id)) => self.answer(&serde_json::json!({ "jsonrpc": "2.0", "id": id, "result": {} })),
            (method, Some(id)) => {
                let message = format!("Outrigger offers no `{method}` to tool sidecars");
                let error = serde_json::json!({ "code": -32601, "message": message });
                self.answer(&serde_json::json!({ "jsonrpc": "2.0", "id": id, "error": error }));
            }
        }
    }

    fn progress(&self, params: &Value) {
        let token = params.get("progressToken").and_then(|token| serde_json::from_value(token.clone()).ok());
        let Some(token) = token else { return };
        let progress = Progress {
            progress: params.get("progress").and_then(Value::as_f64).unwrap_or_default(),
            total: params.get("total").and_then(Value::as_f64),
            message: params.get("message").and_then(Value::as_str).map(str::to_owned),
        };
        self.ears.progress(key(&token), progress);
    }

    fn answer(&self, message: &Value) {
        if let Some(out) = &self.out {
            // A server that asks and does not read gets no answer.
            let _ = out.try_send(line_of(message.to_string().into_bytes()));
        }
    }
}

impl<R: AsyncRead + Unpin + Send> Transport<RoleClient> for Wire<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), io::Error>> + Send + 'static {
        note(&self.asked, &item);
        let out = self.out.clone();
        async move {
            let line = line_of(serde_json::to_vec(&item)?);
            let closed = || io::Error::new(io::ErrorKind::NotConnected, "the connection is closed");
            out.ok_or_else(closed)?.send(line).await.map_err(|_| closed())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            if let Some(id) = self.failed.pop_front() {
                let message = format!(
                    "the sidecar answered with a line of {} bytes; the limit is {LINE_BYTES}. Let it answer with less, or with a file",
                    self.too_long
                );
                return Some(JsonRpcMessage::error(ErrorData::internal_error(message, None), Some(id)));
            }
            let line = self.next_line().await?;
            if let Some(message) = self.understood(&line) {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), io::Error> {
        self.out = None;
        Ok(())
    }
}

fn note(asked: &Asked, item: &TxJsonRpcMessage<RoleClient>) {
    match item {
        JsonRpcMessage::Request(request) => {
            let by_protocol = matches!(request.request, ClientRequest::InitializeRequest(_));
            lock(asked).insert(request.id.clone(), by_protocol);
        }
        JsonRpcMessage::Notification(notification) => {
            if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                && let Some(id) = &cancelled.params.request_id
            {
                lock(asked).remove(id);
            }
        }
        JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_) => {}
    }
}

fn lock(asked: &Asked) -> std::sync::MutexGuard<'_, HashMap<RequestId, bool>> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

fn line_of(mut message: Vec<u8>) -> Vec<u8> {
    message.push(b'\n');
    message
}

/// Owns the writing half until the last sender is gone; a server that does not read holds up only its own callers.
fn write(mut writer: impl AsyncWrite + Unpin + Send + 'static) -> mpsc::Sender<Vec<u8>> {
    let (sender, mut lines) = mpsc::channel::<Vec<u8>>(SENDING);
    tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            if writer.write_all(&line).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
    });
    sender
}
