//! What does a line of the CLI say? Looks at its type, and reads the whole of it only where something follows from it.

use protocol::json::parse_tolerant;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A line that is a JSON object.
#[derive(Debug)]
pub(crate) struct CliLine {
    /// Its type.
    pub(crate) kind: Kind,
    /// The whole of it, for the kinds that are acted upon, or when it was asked for.
    pub(crate) object: Map<String, Value>,
}

/// The types that are acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The end of a turn.
    Result,
    /// The CLI asks something.
    ControlRequest,
    /// It no longer waits for an answer.
    ControlCancel,
    /// Its answer to us.
    ControlResponse,
    /// About the session: `init`, background tasks and more.
    System,
    /// A piece of a message as it streams.
    StreamEvent,
    /// Anything else.
    Event,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    r#type: Option<&'a RawValue>,
}

impl CliLine {
    /// Reads a line; None when it is no JSON object. `whole` reads all of it whatever it is.
    pub(crate) fn read(bytes: &[u8], whole: bool) -> Option<Self> {
        // Bytes that are no UTF-8 are replaced for our own reading only.
        let text = String::from_utf8_lossy(bytes);
        // A list would be taken for the fields of the head.
        if !text.trim_ascii_start().starts_with('{') {
            return None;
        }
        let looked = serde_json::from_str::<Head<'_>>(&text).ok();
        let kind = looked.map(|head| head.r#type.map_or(Kind::Event, |kind| Kind::of(kind.get().trim_matches('"'))));
        match kind {
            Some(Kind::Event) if !whole => Some(Self { kind: Kind::Event, object: Map::new() }),
            // Half a surrogate pair, or a field that stands there twice, stops the quick look and not the thorough one.
            Some(_) | None => {
                let object: Map<String, Value> = parse_tolerant(&text).ok()?;
                let kind = object.get("type").and_then(Value::as_str).map_or(Kind::Event, Kind::of);
                Some(Self { kind, object })
            }
        }
    }

    /// A field of the object.
    pub(crate) fn field(&self, name: &str) -> &Value {
        self.object.get(name).unwrap_or(&Value::Null)
    }

    /// Whether it says that a turn begins: claude prints `init` before each one.
    pub(crate) fn is_init(&self) -> bool {
        self.kind == Kind::System && self.field("subtype") == "init"
    }

    /// The text at a path with dots (`session_id`, `session.id`).
    pub(crate) fn text_at(&self, path: &str) -> Option<&str> {
        let mut parts = path.split('.');
        let mut value = self.object.get(parts.next()?)?;
        for part in parts {
            value = value.get(part)?;
        }
        value.as_str().filter(|text| !text.is_empty())
    }
}

impl Kind {
    fn of(name: &str) -> Self {
        match name {
            "result" => Self::Result,
            "control_request" => Self::ControlRequest,
            "control_cancel_request" => Self::ControlCancel,
            "control_response" => Self::ControlResponse,
            "system" => Self::System,
            "stream_event" => Self::StreamEvent,
            _ => Self::Event,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_acted_upon_is_read_and_the_rest_only_looked_at() {
        let line = CliLine::read(br#"{"type":"result","is_error":true}"#, false).unwrap();
        assert_eq!((line.kind, line.field("is_error")), (Kind::Result, &true.into()));
        let line = CliLine::read(br#"{"type":"assistant","session":{"id":"s1"}}"#, false).unwrap();
        assert_eq!((line.kind, line.object.len()), (Kind::Event, 0));
        let line = CliLine::read(br#"{"type":"assistant","session":{"id":"s1"}}"#, true).unwrap();
        assert_eq!((line.text_at("session.id"), line.text_at("session.name")), (Some("s1"), None));
        assert!(CliLine::read(br#"{"type":"system","subtype":"init"}"#, false).unwrap().is_init());
        assert_eq!(CliLine::read(br#"{"type":7}"#, false).unwrap().kind, Kind::Event);
    }

    #[test]
    fn damaged_objects_are_objects_and_other_lines_are_not() {
        for good in [
            &br#"{"type":"result","text":"\ud83d"}"#[..],
            b"{\"type\":\"result\",\"text\":\"\xff\"}",
            b"{\"type\":\"result\",\"type\":\"result\"}",
        ] {
            assert_eq!(CliLine::read(good, false).unwrap().kind, Kind::Result);
        }
        for bad in [&b"not json"[..], b"[1]", b"{\"type\":\"result\"", b"\"result\"", b"null", b""] {
            assert!(CliLine::read(bad, false).is_none(), "{bad:?}");
        }
    }
}
