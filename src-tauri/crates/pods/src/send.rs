//! `send_to_pod`: a user turn for a pod further below.

use client::sessions;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::EXCHANGE;
use protocol::pod::{IfBusy, PromptParams};
use protocol::tools::ToolAnswer;
use serde_json::{Map, Value, json};

use crate::answer::Failed;
use crate::arguments::{Message, parsed};
use crate::{Call, family::Family};

pub(crate) async fn send(call: Call<'_>, arguments: &Map<String, Value>) -> Result<ToolAnswer, Failed> {
    let Message { name, message } = parsed("send_to_pod", arguments)?;
    if message.trim().is_empty() {
        return Err(Failed::new("the message is empty; say what the pod shall do"));
    }
    let family = Family::of(&call).await?;
    let session = family.named(&name)?.session;
    let from = family.own_name();
    let prompt = PromptParams { text: message, attachments: Vec::new(), if_busy: IfBusy::Reject, from };
    let sending = async {
        let mut pod = sessions::connect(call.machine, session, "pods").await?;
        tokio::time::timeout(EXCHANGE, pod.prompt(prompt)).await.map_err(|_| late())?
    };
    match sending.await {
        Ok(_) => Ok(ToolAnswer::said(format!("sent message to `{name}`"), Some(json!({ "name": name })))),
        Err(error) => Err(refused(&name, error)),
    }
}

fn late() -> WireError {
    let message = format!("it did not begin a turn within {} s; it may still do so", EXCHANGE.as_secs());
    WireError::new(ErrorCode::Unreachable, message)
}

fn refused(name: &str, error: WireError) -> Failed {
    match error.code {
        ErrorCode::AlreadyRunning => Failed::new(format!(
            "pod `{name}` is already running a turn; wait for it to finish (wait_for_pods) and retry"
        )),
        ErrorCode::SessionEnded | ErrorCode::NoSuchSession => Failed::new(format!(
            "pod `{name}` is stopped; read what it said with read_pod_output, and spawn another pod to go on"
        )),
        _ => Failed::of(&format!("send to `{name}`"), error),
    }
}
