//! One exchange with another pod's keeper: a child's, to stop it, or the parent's, to tell it something.
//!
//! The keeper's own small part of what the client crate does, because a keeper stays small.

use std::time::Duration;

use interprocess::local_socket::tokio::{Stream, prelude::*};
use interprocess::local_socket::{GenericFilePath, ToFsName};
use process::LineReader;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{EXCHANGE, LINE_BYTES};
use protocol::pod::{InitializeParams, Outgoing, Response};
use protocol::session::PodFile;
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

/// Asks another pod one thing, and waits `limit` for the answer.
///
/// # Errors
/// What it says; [`ErrorCode::Unreachable`] when it says nothing, which does not mean that it is dead.
pub(crate) async fn ask(
    pod: &PodFile,
    method: &str,
    params: impl Serialize,
    limit: Duration,
) -> Result<Value, WireError> {
    let connect = async {
        let name = pod.socket.as_str().to_fs_name::<GenericFilePath>()?;
        Stream::connect(name).await
    };
    let stream = timeout(EXCHANGE, connect).await.map_err(|_| unreachable(pod, "no answer"))?;
    let (reader, writer) = tokio::io::split(stream.map_err(|error| unreachable(pod, &error.to_string()))?);
    let mut line = Line { pod, reader: LineReader::new(reader, LINE_BYTES), writer };
    let greeting = InitializeParams::to_pod(&pod.token, "keeper");
    line.exchange(1, "initialize", greeting, EXCHANGE).await?;
    line.exchange(2, method, params, limit).await
}

struct Line<'a> {
    pod: &'a PodFile,
    reader: LineReader<ReadHalf<Stream>>,
    writer: WriteHalf<Stream>,
}

impl Line<'_> {
    async fn exchange(
        &mut self,
        id: u64,
        method: &str,
        params: impl Serialize,
        limit: Duration,
    ) -> Result<Value, WireError> {
        let request = Outgoing { jsonrpc: "2.0", id: Some(id), method, params };
        let mut text = serde_json::to_vec(&request).map_err(|error| {
            WireError::new(ErrorCode::Internal, format!("`{method}` could not be written: {error}"))
        })?;
        text.push(b'\n');
        let pod = self.pod;
        let answered = async {
            self.writer.write_all(&text).await?;
            self.writer.flush().await?;
            let batch = self.reader.next_batch().await?;
            Ok::<_, std::io::Error>(batch.and_then(|lines| lines.into_iter().next()))
        };
        let line = timeout(limit, answered).await.map_err(|_| unreachable(pod, "no answer"))?;
        let line = line.map_err(|error| unreachable(pod, &error.to_string()))?;
        let line = line.ok_or_else(|| unreachable(pod, "it has hung up"))?;
        let response: Response<Value> =
            serde_json::from_slice(&line.bytes).map_err(|error| unreachable(pod, &error.to_string()))?;
        match response.error {
            Some(error) => Err(error.data.unwrap_or_else(|| WireError::new(ErrorCode::Internal, error.message))),
            None => Ok(response.result.unwrap_or(Value::Null)),
        }
    }
}

fn unreachable(pod: &PodFile, why: &str) -> WireError {
    WireError::new(ErrorCode::Unreachable, format!("the pod of session {} could not be reached: {why}", pod.session))
}
