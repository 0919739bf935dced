//! What does the host want? Reads the host's lines; a line that cannot be read, or that nobody knows, is answered and never ends us.

use std::collections::BTreeMap;

use process::Line;
use protocol::json::parse_tolerant;
use protocol::provider::PermissionMode;
use protocol::record::PermissionOutcome;
use protocol::runner::ResumeMode;
use serde::Deserialize;
use serde_json::Value;

use crate::told::lossless;

/// A command of the host.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    Query(Box<Query>),
    Steer { text: String },
    Interrupt,
    Answer(Answer),
    Set(Change),
    Stop,
    Ping,
}

/// The first prompt, or a follow-up.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Query {
    pub(crate) session_id: String,
    pub(crate) prompt: String,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) cwd: String,
    pub(crate) model: Option<String>,
    pub(crate) system_prompt: Option<String>,
    pub(crate) max_turns: Option<u32>,
    pub(crate) permission_mode: PermissionMode,
    pub(crate) additional_directories: Vec<String>,
    pub(crate) worktree_name: Option<String>,
    pub(crate) resume_mode: ResumeMode,
    pub(crate) resume_session_id: Option<String>,
    pub(crate) mcp_servers: BTreeMap<String, Value>,
    pub(crate) cli: Option<String>,
    pub(crate) cli_version: Option<String>,
    pub(crate) provider_config: BTreeMap<String, Value>,
}

/// An image (`mimeType`, base64 `data`) or a file (`path`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Attachment {
    pub(crate) mime_type: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) path: Option<String>,
}

/// The answer to a permission request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) request_id: String,
    pub(crate) outcome: PermissionOutcome,
    #[serde(default)]
    pub(crate) updated_input: Option<Value>,
    #[serde(default)]
    pub(crate) message: Option<String>,
}

/// Another model or mode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Change {
    pub(crate) model: Option<String>,
    pub(crate) permission_mode: Option<PermissionMode>,
}

/// A line that cannot be followed: what to say, and which command it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misheard {
    pub(crate) message: String,
    pub(crate) command: Option<String>,
}

/// Which session we drive. The first query says so.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    session: Option<String>,
}

impl Hearing {
    /// The command of a line; None for an empty one.
    pub(crate) fn hear(&mut self, line: &Line) -> Option<Result<Command, Misheard>> {
        if line.bytes.is_empty() {
            return None;
        }
        Some(self.understand(line))
    }

    fn understand(&mut self, line: &Line) -> Result<Command, Misheard> {
        if let Some(size) = line.cut_from {
            return Err(misheard(None, format!("a host line of {size} bytes is over the limit and was not read")));
        }
        let text = String::from_utf8_lossy(&line.bytes);
        let said: Value = parse_tolerant(&text).unwrap_or_default();
        let Some(kind) = said["type"].as_str().map(str::to_owned) else {
            let beginning = lossless(line.bytes.get(..200).unwrap_or(&line.bytes));
            return Err(misheard(None, format!("a host line is no JSON object with a type: {beginning}")));
        };
        let command = command(&kind, &said)?;
        self.addressed(&kind, &command, said["sessionId"].as_str())?;
        Ok(command)
    }

    fn addressed(&mut self, kind: &str, command: &Command, to: Option<&str>) -> Result<(), Misheard> {
        let wrong = |message: String| Err(misheard(Some(kind), message));
        match (command, &self.session, to) {
            (Command::Query(_), None, None | Some("")) => wrong("a query needs a sessionId".to_owned()),
            (Command::Query(query), None, Some(_)) => {
                self.session = Some(query.session_id.clone());
                Ok(())
            }
            (Command::Stop, None, _) => Ok(()),
            (_, Some(ours), Some(to)) if ours != to => wrong(format!("this driver drives session {ours}, not {to}")),
            (_, None, Some(to)) => wrong(format!("this driver drives no session yet, not {to}")),
            (_, _, None) | (_, Some(_), Some(_)) => Ok(()),
        }
    }
}

fn misheard(command: Option<&str>, message: String) -> Misheard {
    Misheard { message, command: command.map(str::to_owned) }
}

fn command(kind: &str, said: &Value) -> Result<Command, Misheard> {
    // A field that is null is a field that is not there.
    let mut said = said.clone();
    if let Some(fields) = said.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    match kind {
        "query" => read(kind, said).map(|query| Command::Query(Box::new(query))),
        "steer" => Ok(Command::Steer { text: said["text"].as_str().unwrap_or_default().to_owned() }),
        "interrupt" => Ok(Command::Interrupt),
        "permissionResponse" => read(kind, said).map(Command::Answer),
        "set" => read(kind, said).map(Command::Set),
        "stop" => Ok(Command::Stop),
        "ping" => Ok(Command::Ping),
        _ => Err(misheard(Some(kind), format!("unknown command \"{kind}\""))),
    }
}

fn read<T: for<'de> Deserialize<'de>>(kind: &str, said: Value) -> Result<T, Misheard> {
    serde_json::from_value(said).map_err(|error| misheard(Some(kind), format!("{kind} cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(hearing: &mut Hearing, text: &str) -> Result<Command, Misheard> {
        hearing.hear(&Line { bytes: text.as_bytes().to_vec().into(), cut_from: None }).unwrap()
    }

    #[test]
    fn a_line_that_nobody_understands_is_answered_and_the_next_one_is_heard() {
        let mut hearing = Hearing::default();
        for (line, said) in [
            ("nonsense", "a host line is no JSON object with a type: nonsense"),
            ("[1]", "no JSON object with a type"),
            ("{\"type\":\"dance\"}", "unknown command \"dance\""),
            ("{\"type\":\"query\",\"prompt\":\"x\"}", "a query needs a sessionId"),
            ("{\"type\":\"query\",\"sessionId\":\"s\",\"maxTurns\":\"many\"}", "query cannot be read"),
            ("{\"type\":\"steer\",\"sessionId\":\"s\"}", "drives no session yet"),
        ] {
            let misheard = hear(&mut hearing, line).unwrap_err();
            assert!(misheard.message.contains(said), "{misheard:?}");
        }
        let query = "{\"type\":\"query\",\"sessionId\":\"s\",\"prompt\":\"hi\",\"model\":null,\"later\":{}}";
        assert!(matches!(hear(&mut hearing, query), Ok(Command::Query(query)) if query.prompt == "hi"));
        assert_eq!(hear(&mut hearing, "{\"type\":\"interrupt\"}"), Ok(Command::Interrupt));
        assert!(hear(&mut hearing, "{\"type\":\"interrupt\",\"sessionId\":\"t\"}").is_err());
        assert_eq!(hear(&mut hearing, "{\"type\":\"ping\"}"), Ok(Command::Ping));
        let long = Line { bytes: b"{".to_vec().into(), cut_from: Some(11_000_000) };
        assert!(hearing.hear(&long).unwrap().unwrap_err().message.contains("11000000 bytes"));
    }

    #[test]
    fn half_a_surrogate_pair_in_a_prompt_is_no_reason_to_lose_it() {
        let mut hearing = Hearing::default();
        let line = r#"{"type":"query","sessionId":"s","prompt":"a\ud83d"}"#;
        assert!(matches!(hear(&mut hearing, line), Ok(Command::Query(query)) if query.prompt == "a\u{fffd}"));
    }
}
