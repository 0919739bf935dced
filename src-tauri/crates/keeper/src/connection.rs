//! One client's connection: it shows the token, then asks; each request is answered when its thing is done.

use std::sync::Arc;

use process::{Line, LineReader};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{EXCHANGE, LINE_BYTES};
use protocol::pod::{
    AnswerParams, ForgetRuleParams, InitializeParams, POD_PROTOCOL, Request, SetParams, SteerParams, StopParams,
    SubscribeParams, SubscribeResult, UnqueueParams, agreed,
};
use protocol::pods::NoteBudget;
use protocol::record::HostRecord;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::bridge;
use crate::exchange::{Answer, Ask};
use crate::outbox::{self, Outbox, answer};
use crate::reading;
use crate::shared::Shared;
use crate::subscription;

/// Serves one client until it hangs up.
pub(crate) async fn serve<R, W>(reader: R, writer: W, shared: Arc<Shared>)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let outbox = outbox::open(writer);
    let mut lines = LineReader::new(reader, LINE_BYTES);
    let greeting = tokio::time::timeout(EXCHANGE, lines.next_batch()).await;
    let Ok(Ok(Some(batch))) = greeting else { return };
    let mut batch = batch.into_iter();
    match batch.next().map(|line| greet(&line, &shared)) {
        Some((id, Ok((opens, version)))) => {
            if outbox.send(answer(id, Ok(shared.welcome(version)))).await.is_err() {
                return;
            }
            match opens {
                Opens::Tools => return bridge::serve(lines, batch, shared, outbox).await,
                Opens::Everything => {}
            }
        }
        Some((id, Err(error))) => {
            tracing::warn!(reason = %error, "a client was refused");
            let _ = outbox.send(answer::<Value>(id, Err(error))).await;
            return;
        }
        None => return,
    }
    for line in batch {
        request(line, &shared, &outbox);
    }
    while let Ok(Some(batch)) = lines.next_batch().await {
        for line in batch {
            request(line, &shared, &outbox);
        }
    }
}

/// What a token opens.
#[derive(Debug, Clone, Copy)]
enum Opens {
    Everything,
    /// The agent's own way in.
    Tools,
}

/// Checks the first request, which must be `initialize` with one of the pod's tokens, and agrees on a version with its client.
fn greet(line: &Line, shared: &Shared) -> (Value, Result<(Opens, u32), WireError>) {
    let refused = |message: String| Err(WireError::new(ErrorCode::NotAuthorised, message));
    let request =
        match std::str::from_utf8(&line.bytes).ok().and_then(|text| serde_json::from_str::<Request<'_>>(text).ok()) {
            Some(request) => request,
            None => return (Value::Null, refused("the first line is no JSON-RPC request".to_owned())),
        };
    let id = request.id.clone().unwrap_or(Value::Null);
    if request.method != "initialize" {
        return (id, refused("the first request must be `initialize` with the pod's token".to_owned()));
    }
    let params = match parse::<InitializeParams>(&request) {
        Ok(params) => params,
        Err(error) => return (id, Err(error)),
    };
    let Some(version) = agreed(params.protocol, params.oldest) else {
        let message = format!(
            "this pod speaks protocol {POD_PROTOCOL}, the client {}; let the session end and resume it with the newer program",
            params.protocol
        );
        return (id, refused(message));
    };
    let is = |token: &str| same(params.token.as_bytes(), token.as_bytes());
    let opens = match (is(&shared.token), is(&shared.tools_token)) {
        (true, _) => Opens::Everything,
        (false, true) => Opens::Tools,
        (false, false) => {
            return (id, refused("wrong token; read it anew from pod.json in the session's folder".to_owned()));
        }
    };
    tracing::debug!(client = params.client, ?opens, version, "a client has connected");
    (id, Ok((opens, version)))
}

/// Compares without telling by its time how much was right.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Answers one request in a task of its own, so that an interrupt can overtake a prompt that waits.
fn request(line: Line, shared: &Arc<Shared>, outbox: &Outbox) {
    let shared = Arc::clone(shared);
    let outbox = outbox.clone();
    tokio::spawn(async move {
        // The keeper's end waits for answers that are on their way.
        let _under_way = shared.feed.changes();
        if line.cut_from.is_some() {
            let error = WireError::new(ErrorCode::BadRequest, format!("a request may have {LINE_BYTES} bytes at most"));
            let _ = outbox.send(answer::<Value>(Value::Null, Err(error))).await;
            return;
        }
        let text = String::from_utf8_lossy(&line.bytes);
        let request = match serde_json::from_str::<Request<'_>>(&text) {
            Ok(request) => request,
            Err(error) => {
                let error = WireError::new(ErrorCode::BadRequest, format!("not a JSON-RPC request: {error}"));
                let _ = outbox.send(answer::<Value>(Value::Null, Err(error))).await;
                return;
            }
        };
        let id = request.id.clone().unwrap_or(Value::Null);
        if request.method == "session/subscribe" {
            subscribe(id, &request, shared, outbox).await;
            return;
        }
        let result = handle(&request, &shared).await;
        if outbox.send(answer(id, result)).await.is_ok() {
            outbox.flushed().await;
        }
    });
}

/// The answer goes out before the first event.
async fn subscribe(id: Value, request: &Request<'_>, shared: Arc<Shared>, outbox: Outbox) {
    let params = match parse::<SubscribeParams>(request) {
        Ok(params) => params,
        Err(error) => {
            let _ = outbox.send(answer::<Value>(id, Err(error))).await;
            return;
        }
    };
    let status = (*shared.feed.status()).clone();
    let result = SubscribeResult { last_seq: shared.feed.last_seq(), status };
    if outbox.send(answer(id, Ok(result))).await.is_ok() {
        let feed = Arc::clone(&shared.feed);
        subscription::follow(feed, shared.folder.clone(), &shared.adapter, params, outbox).await;
    }
}

async fn handle(request: &Request<'_>, shared: &Shared) -> Result<Value, WireError> {
    let ask = match request.method.as_ref() {
        "pod/prompt" => Ask::Prompt(shared.taken_in(parse(request)?).await?),
        "pod/goOn" => Ask::GoOn,
        "pod/edit" => Ask::Edit(parse(request)?),
        "pod/forgetRule" => Ask::ForgetRule(parse::<ForgetRuleParams>(request)?.rule),
        "pod/steer" => Ask::Steer(parse::<SteerParams>(request)?.text),
        "pod/unqueue" => Ask::Unqueue(parse::<UnqueueParams>(request)?.prompt_id),
        "pod/interrupt" => Ask::Interrupt,
        "pod/stop" => Ask::Stop { force: parse::<StopParams>(request)?.force },
        "pod/set" => Ask::Set(parse::<SetParams>(request)?),
        "pod/answer" => Ask::Answer(parse::<AnswerParams>(request)?),
        "pod/childSpawned" => Ask::ChildSpawned(parse(request)?),
        "pod/notify" => Ask::Notify(parse(request)?),
        "pod/noteBudget" => Ask::Note(HostRecord::BudgetChanged { budget: parse::<NoteBudget>(request)?.budget }),
        "pod/lookAtTools" => {
            shared.look_at_tools();
            return Ok(Value::Object(serde_json::Map::new()));
        }
        "pod/status" => return json(&*shared.feed.status()),
        "pod/processes" => return json(&shared.processes()),
        "session/read" => return json(&reading::read(shared, parse(request)?).await?),
        other => {
            let message = format!("this pod has no method `{other}`");
            return Err(WireError::new(ErrorCode::NotSupported, message));
        }
    };
    match shared.ask(ask).await? {
        Answer::Prompt(result) => json(&result),
        Answer::Stop(result) => json(&result),
        Answer::Done => Ok(Value::Object(serde_json::Map::new())),
    }
}

/// Parameters that are absent read as `{}`.
pub(crate) fn parse<P: DeserializeOwned>(request: &Request<'_>) -> Result<P, WireError> {
    let params = request.params.map_or("{}", |raw| raw.get());
    serde_json::from_str(params).map_err(|error| {
        WireError::new(ErrorCode::BadRequest, format!("bad parameters for `{}`: {error}", request.method))
    })
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<Value, WireError> {
    serde_json::to_value(value).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))
}
