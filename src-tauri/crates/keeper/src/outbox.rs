//! Lines on their way to one client. Bounded: who sends waits while the client does not read.

use protocol::error::{ErrorCode, WireError};
use protocol::pod::{Response, RpcError};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

/// Lines that may wait; each is at most one event notification.
const WAITING_LINES: usize = 16;

/// The sending end.
#[derive(Clone)]
pub(crate) struct Outbox {
    lines: mpsc::Sender<Waiting>,
}

enum Waiting {
    Line(Vec<u8>),
    /// Answered when everything before it has been written.
    Flush(oneshot::Sender<()>),
}

/// The client is gone.
#[derive(Debug)]
pub(crate) struct HungUp;

impl Outbox {
    /// Sends a line, when there is room for it.
    pub(crate) async fn send(&self, line: Vec<u8>) -> Result<(), HungUp> {
        self.lines.send(Waiting::Line(line)).await.map_err(|_| HungUp)
    }

    /// Waits until everything sent before has been handed to the system, or the client is gone.
    pub(crate) async fn flushed(&self) {
        let (done, written) = oneshot::channel();
        if self.lines.send(Waiting::Flush(done)).await.is_ok() {
            let _ = written.await;
        }
    }
}

/// Owns the writing half of a connection until the last sender is gone or the client hangs up.
pub(crate) fn open(mut writer: impl AsyncWrite + Unpin + Send + 'static) -> Outbox {
    let (sender, mut waiting) = mpsc::channel::<Waiting>(WAITING_LINES);
    tokio::spawn(async move {
        while let Some(next) = waiting.recv().await {
            match next {
                Waiting::Line(line) => {
                    if writer.write_all(&line).await.is_err() {
                        return;
                    }
                }
                Waiting::Flush(done) => {
                    let _ = writer.flush().await;
                    let _ = done.send(());
                }
            }
        }
    });
    Outbox { lines: sender }
}

/// The line that answers a request.
pub(crate) fn answer<R: Serialize>(id: Value, result: Result<R, WireError>) -> Vec<u8> {
    let (result, error) = match result {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(rpc_error(error))),
    };
    let response = Response { jsonrpc: "2.0".into(), id: Some(id), result, error };
    let mut line = serde_json::to_vec(&response).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be serialised");
        br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"the answer could not be serialised"}}"#
            .to_vec()
    });
    line.push(b'\n');
    line
}

fn rpc_error(error: WireError) -> RpcError {
    let code = match error.code {
        ErrorCode::BadRequest => -32602,
        ErrorCode::NotSupported => -32601,
        _ => -32000,
    };
    RpcError { code, message: error.message.clone(), data: Some(error) }
}
