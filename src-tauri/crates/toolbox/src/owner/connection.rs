//! One client of the owner: it shows the token, then asks; each request is answered when its thing is done.
//!
//! A client that hangs up cancels its calls: nobody waits for them any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use process::{Line, LineReader};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{EXCHANGE, LINE_BYTES};
use protocol::pod::{InitializeParams, Outgoing, Request, Response, RpcError};
use protocol::sidecar::{
    SidecarCall, SidecarNamed, SidecarNews, SidecarPlace, SidecarStop, TOOLBOX_PROTOCOL, TrustAnswer,
};
use protocol::tools::{CancelTool, ToolList};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Clients;
use crate::broker::Broker;
use crate::callback::same;
use crate::limits::{PROGRESS_WAITING, SENDING};

/// Calls under way, by their ids. Dropped with the connection, which cancels them.
type Calls = Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>;

#[derive(Clone)]
struct Session {
    broker: Broker,
    out: mpsc::Sender<Vec<u8>>,
    calls: Calls,
    clients: Arc<Clients>,
}

/// Serves one client until it hangs up.
pub(super) async fn serve<R, W>(reader: R, writer: W, broker: Broker, clients: Arc<Clients>, token: &str)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let (out, writing) = outbox(writer);
    let mut lines = LineReader::new(reader, LINE_BYTES);
    let Ok(Ok(Some(batch))) = tokio::time::timeout(EXCHANGE, lines.next_batch()).await else { return };
    let mut batch = batch.into_iter();
    let Some(first) = batch.next() else { return };
    let (id, greeted) = greet(&first, token);
    let refused = greeted.is_err();
    if out.send(answer(id, greeted)).await.is_err() || refused {
        drop(out);
        let _ = tokio::time::timeout(EXCHANGE, writing).await;
        return;
    }
    let session = Session { broker, out, calls: Calls::default(), clients };
    batch.for_each(|line| request(line, &session));
    while let Ok(Some(batch)) = lines.next_batch().await {
        batch.into_iter().for_each(|line| request(line, &session));
    }
    // Dropping what would cancel a call cancels it.
    session.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
    // What is still to be told has no reader.
    writing.abort();
}

fn greet(line: &Line, token: &str) -> (Value, Result<Value, WireError>) {
    let refused = |message: &str| Err(WireError::new(ErrorCode::NotAuthorised, message));
    let Ok(request) = serde_json::from_slice::<Request<'_>>(&line.bytes) else {
        return (Value::Null, refused("the first line is no JSON-RPC request"));
    };
    let id = request.id.clone().unwrap_or(Value::Null);
    if request.method != "initialize" {
        return (id, refused("the first request must be `initialize` with the owner's token"));
    }
    match parse::<InitializeParams>(&request) {
        Err(error) => (id, Err(error)),
        Ok(params) if params.protocol != TOOLBOX_PROTOCOL => {
            (id, refused("the owner of the tool sidecars speaks another version; end it and try again"))
        }
        Ok(params) if !same(params.token.as_bytes(), token.as_bytes()) => {
            (id, refused("wrong token; read it anew from toolbox.json in the run folder"))
        }
        Ok(_) => (id, Ok(json!({ "protocol": TOOLBOX_PROTOCOL }))),
    }
}

/// Answers one request in a task of its own, so that a cancellation can overtake its call.
fn request(line: Line, session: &Session) {
    let session = session.clone();
    tokio::spawn(async move {
        let request = match serde_json::from_slice::<Request<'_>>(&line.bytes) {
            Ok(request) if line.cut_from.is_none() => request,
            Ok(_) | Err(_) => {
                let error = WireError::new(ErrorCode::BadRequest, "not a JSON-RPC request, or too long a one");
                let _ = session.out.send(answer(Value::Null, Err(error))).await;
                return;
            }
        };
        let id = request.id.clone().unwrap_or(Value::Null);
        // What is subscribed to begins before it is answered, so that nothing falls in between.
        let news = (request.method == "subscribe").then(|| session.broker.subscribe());
        let result = handle(&request, &session).await;
        let _ = session.out.send(answer(id, result)).await;
        if let Some(news) = news {
            tell(news, session.out).await;
        }
    });
}

async fn handle(request: &Request<'_>, session: &Session) -> Result<Value, WireError> {
    let broker = &session.broker;
    match request.method.as_ref() {
        "subscribe" => Ok(json!({})),
        "toolbox/end" => {
            session.clients.end.notify_one();
            Ok(json!({}))
        }
        "sidecar/list" => to_json(&broker.sidecars(&parse::<SidecarPlace>(request)?)),
        "sidecar/start" | "sidecar/stop" | "sidecar/restart" | "sidecar/logs" => by_hand(request, broker).await,
        "sidecar/trust" => {
            let TrustAnswer { place, name, hash, trusted } = parse(request)?;
            broker.trust(&place, &name, &hash, trusted).await.map_err(bad)?;
            Ok(json!({}))
        }
        "tools/list" => to_json(&ToolList { tools: broker.tools(&parse::<SidecarPlace>(request)?).await }),
        "tools/again" => to_json(&ToolList { tools: broker.tools_again(&parse::<SidecarPlace>(request)?).await }),
        "tools/call" => call(parse(request)?, session).await,
        "tools/cancel" => {
            let id = parse::<CancelTool>(request)?.call_id;
            session.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            Ok(json!({}))
        }
        other => {
            let message = format!("the owner of the tool sidecars has no method `{other}`");
            Err(WireError::new(ErrorCode::NotSupported, message))
        }
    }
}

async fn by_hand(request: &Request<'_>, broker: &Broker) -> Result<Value, WireError> {
    let SidecarNamed { place, name } = parse(request)?;
    let instance = broker.named_sidecar(&place, &name).map_err(bad)?;
    match request.method.as_ref() {
        "sidecar/start" => instance.start().await,
        "sidecar/stop" => instance.stop(SidecarStop::Asked).await,
        "sidecar/restart" => instance.restart().await,
        _ => return to_json(&instance.log().lines()),
    }
    to_json(&instance.look().state.shown())
}

async fn call(params: SidecarCall, session: &Session) -> Result<Value, WireError> {
    let (cancel, cancelled) = oneshot::channel::<()>();
    let id = params.call_id.clone();
    {
        let mut calls = session.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.contains_key(&id) {
            return Err(bad(format!("a call with the id {id:?} is under way")));
        }
        calls.insert(id.clone(), cancel);
    }
    let (progress, mut heard) = mpsc::channel::<crate::Progress>(PROGRESS_WAITING);
    let (out, call_id) = (session.out.clone(), id.clone());
    let telling = async move {
        while let Some(step) = heard.recv().await {
            let (progress, total, message) = (step.progress, step.total, step.message);
            let news = SidecarNews::Progress { call_id: call_id.clone(), progress, total, message };
            if out.send(notification(&news)).await.is_err() {
                return;
            }
        }
    };
    // Both a message and the loss of the sender mean that nobody waits any more.
    let called = session.broker.call(params, progress, async {
        let _ = cancelled.await;
    });
    let (answer, ()) = tokio::join!(called, telling);
    session.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    to_json(&answer)
}

async fn tell(mut news: broadcast::Receiver<SidecarNews>, out: mpsc::Sender<Vec<u8>>) {
    loop {
        let one = tokio::select! {
            one = news.recv() => one,
            () = out.closed() => return,
        };
        let one = match one {
            Ok(one) => one,
            Err(broadcast::error::RecvError::Lagged(_)) => SidecarNews::Missed,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if out.send(notification(&one)).await.is_err() {
            return;
        }
    }
}

fn notification(news: &SidecarNews) -> Vec<u8> {
    line(&Outgoing { jsonrpc: "2.0", id: None, method: "sidecar/event", params: news })
}

fn answer(id: Value, result: Result<Value, WireError>) -> Vec<u8> {
    let (result, error) = match result {
        Ok(result) => (Some(result), None),
        Err(error) => (None, Some(RpcError { code: code(&error), message: error.message.clone(), data: Some(error) })),
    };
    line(&Response { jsonrpc: "2.0".into(), id: Some(id), result, error })
}

fn code(error: &WireError) -> i32 {
    match error.code {
        ErrorCode::BadRequest => -32602,
        ErrorCode::NotSupported => -32601,
        _ => -32000,
    }
}

fn line<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

fn outbox(mut writer: impl AsyncWrite + Unpin + Send + 'static) -> (mpsc::Sender<Vec<u8>>, JoinHandle<()>) {
    let (sender, mut lines) = mpsc::channel::<Vec<u8>>(SENDING);
    let writing = tokio::spawn(async move {
        while let Some(line) = lines.recv().await {
            if writer.write_all(&line).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
    });
    (sender, writing)
}

/// Parameters that are absent read as `{}`.
fn parse<P: DeserializeOwned>(request: &Request<'_>) -> Result<P, WireError> {
    let params = request.params.map_or("{}", |raw| raw.get());
    serde_json::from_str(params).map_err(|error| bad(format!("bad parameters for `{}`: {error}", request.method)))
}

fn bad(message: String) -> WireError {
    WireError::new(ErrorCode::BadRequest, message)
}

fn to_json<T: Serialize>(value: &T) -> Result<Value, WireError> {
    serde_json::to_value(value).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))
}
