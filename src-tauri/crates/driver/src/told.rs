//! How is what the host must know written down? The runner's side of the protocol, one line for each.
//!
//! The words of the protocol only; when something is told is decided elsewhere.

use protocol::provider::Capabilities;
use protocol::runner::{PermissionAsk, RUNNER_PROTOCOL, StopReason, Usage};
use serde::Serialize;
use serde_json::Value;

/// How much of a line that is no JSON object, or that was cut, is passed on, in bytes.
const TEXT_LINE_BYTES: usize = 1024 * 1024;

/// A line for the host.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum Told<'a> {
    Ready {
        protocol: u32,
        provider: &'a str,
        runner_version: &'static str,
        capabilities: Capabilities,
    },
    Pong,
    AgentStarted {
        session_id: &'a str,
        #[serde(flatten)]
        known: &'a Known,
    },
    TurnStarted {
        session_id: &'a str,
        turn_id: &'a str,
    },
    TurnEnded {
        session_id: &'a str,
        turn_id: &'a str,
        stop_reason: StopReason,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        #[serde(skip_serializing_if = "Option::is_none")]
        background_tasks: Option<u32>,
    },
    PermissionRequest {
        session_id: &'a str,
        #[serde(flatten)]
        ask: PermissionAsk,
    },
    PermissionCancelled {
        session_id: &'a str,
        request_id: &'a str,
    },
    SteerAccepted {
        session_id: &'a str,
        accepted: &'static str,
    },
    AgentError {
        #[serde(skip_serializing_if = "str::is_empty")]
        session_id: &'a str,
        #[serde(flatten)]
        failure: Failure,
    },
    AgentStopped {
        session_id: &'a str,
        exit_code: Option<i32>,
        signal: Option<String>,
    },
    Log {
        level: &'static str,
        message: String,
    },
    Error {
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        command: Option<&'a str>,
    },
}

/// What is known about the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Known {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) native_session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cli_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
}

/// What went wrong, and what to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stderr_tail: Option<Vec<String>>,
}

impl Failure {
    /// A failure that will be there again when the same is tried again.
    pub(crate) fn lasting(code: &'static str, message: String) -> Self {
        Self { code, message, ..Self::default() }
    }
}

impl Told<'_> {
    /// That we are ready.
    pub(crate) fn ready(provider: &str, capabilities: Capabilities) -> Told<'_> {
        Told::Ready { protocol: RUNNER_PROTOCOL, provider, runner_version: env!("CARGO_PKG_VERSION"), capabilities }
    }

    /// The line with its end.
    pub(crate) fn line(&self) -> Vec<u8> {
        // Strings and numbers always can be written.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// An event of the provider. The bytes of its object are put in as they are, never written anew, so that nothing about them
/// changes: not the order of keys, not the size of numbers, not half a surrogate pair.
pub(crate) fn event(session: &str, object: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(object.len() + session.len() + 64);
    line.extend_from_slice(br#"{"type":"agent_event","sessionId":"#);
    line.extend_from_slice(Value::from(session).to_string().as_bytes());
    line.extend_from_slice(br#","event":"#);
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    line
}

/// A line of the CLI that is no JSON object, or that was too long to be kept whole: `size` bytes in all.
pub(crate) fn text_line(session: &str, bytes: &[u8], cut_from: Option<u64>) -> Vec<u8> {
    let kept = bytes.get(..TEXT_LINE_BYTES).unwrap_or(bytes);
    let cut = cut_from.or((kept.len() < bytes.len()).then_some(bytes.len() as u64));
    let mut object = serde_json::Map::new();
    object.insert("type".to_owned(), "text_line".into());
    object.insert("text".to_owned(), lossless(kept).into());
    if let Some(size) = cut {
        object.insert("cut".to_owned(), true.into());
        object.insert("bytes".to_owned(), size.into());
    }
    event(session, Value::Object(object).to_string().as_bytes())
}

/// Bytes as text; what is no UTF-8 becomes `\xNN`, so that nothing is lost without a trace.
pub(crate) fn lossless(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_passed_on_byte_by_byte() {
        let object = b"{ \"z\":1.00,\"a\":\"\\ud83d\",\"raw\":\"\xe2\x80\xa8\xff\" }";
        let line = event("s\"1", object);
        assert!(line.starts_with(b"{\"type\":\"agent_event\",\"sessionId\":\"s\\\"1\",\"event\":{ \"z\":1.00,"));
        assert!(line.windows(object.len()).any(|part| part == object) && line.ends_with(b"}\n"));
    }

    #[test]
    fn text_is_kept_with_its_invalid_bytes_and_long_text_is_cut() {
        let of = |bytes: &[u8], cut| {
            let line: Value = serde_json::from_slice(&text_line("s", bytes, cut)).unwrap();
            line["event"].clone()
        };
        assert_eq!(of(b"a\xff\xfeb", None), serde_json::json!({"type": "text_line", "text": "a\\xff\\xfeb"}));
        let long = vec![b'x'; TEXT_LINE_BYTES + 5];
        let event = of(&long, None);
        assert_eq!((&event["cut"], &event["bytes"]), (&true.into(), &(TEXT_LINE_BYTES + 5).into()));
        assert_eq!(of(b"x", Some(12_000_000))["bytes"], 12_000_000);
    }

    #[test]
    fn lines_have_the_words_of_the_protocol() {
        let known = Known { model: Some("m".into()), ..Known::default() };
        let line = String::from_utf8(Told::AgentStarted { session_id: "s", known: &known }.line()).unwrap();
        assert_eq!(line, "{\"type\":\"agent_started\",\"sessionId\":\"s\",\"model\":\"m\"}\n");
        let failure = Failure::lasting("cli_missing", "none".into());
        let line = String::from_utf8(Told::AgentError { session_id: "s", failure }.line()).unwrap();
        assert_eq!(
            line,
            "{\"type\":\"agent_error\",\"sessionId\":\"s\",\"code\":\"cli_missing\",\"message\":\"none\",\"retryable\":false}\n"
        );
        let ended = Told::TurnEnded {
            session_id: "s",
            turn_id: "t",
            stop_reason: StopReason::EndTurn,
            usage: None,
            background_tasks: None,
        };
        assert!(String::from_utf8(ended.line()).unwrap().contains("\"stopReason\":\"endTurn\""));
    }
}
