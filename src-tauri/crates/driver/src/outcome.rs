//! How did a turn end, and what went wrong? Read from the CLI's `result`.
//!
//! Its `subtype` alone says little: an API error comes as `success` with `is_error`.

use protocol::runner::StopReason;
use serde_json::Value;

use crate::cli_line::CliLine;
use crate::provider_failure::provider_failure;
use crate::told::Failure;

/// The conversation that the CLI was asked to go on with, until it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resuming {
    /// Its id, when it was named.
    pub(crate) id: Option<String>,
    /// Where.
    pub(crate) cwd: String,
}

/// Why the turn ended. `interrupted` says whether we asked for its end.
pub(crate) fn stop_reason(result: &CliLine, interrupted: bool) -> StopReason {
    let word = |name: &str| result.field(name).as_str().unwrap_or_default();
    let subtype = word("subtype");
    if word("terminal_reason").starts_with("aborted") || (interrupted && subtype == "error_during_execution") {
        StopReason::Interrupted
    } else if subtype == "error_max_turns" {
        StopReason::MaxTurns
    } else if *result.field("is_error") == true {
        StopReason::Error
    } else {
        match word("stop_reason") {
            "refusal" => StopReason::Refused,
            "max_tokens" => StopReason::MaxTurns,
            _ => StopReason::EndTurn,
        }
    }
}

/// What to tell of a turn that failed. `name` is the provider's.
pub(crate) fn failure(result: &CliLine, name: &str, resuming: Option<&Resuming>) -> Failure {
    let errors = result.field("errors").as_array().map(Vec::as_slice).unwrap_or_default();
    let said = std::iter::once(result.field("result")).chain(errors).filter_map(Value::as_str);
    let said: Vec<&str> = said.filter(|text| !text.is_empty()).collect();
    let subtype = result.field("subtype").as_str().unwrap_or("an error");
    let message = if said.is_empty() { format!("{name} ended the turn with {subtype}") } else { said.join("; ") };
    if let Some(resuming) = resuming
        && is_unknown_conversation(&message)
    {
        return unknown_conversation(name, resuming);
    }
    if subtype == "error_max_turns" {
        let message = format!("{name} has taken as many steps as it may in one turn; prompt it to go on");
        return Failure::lasting("max_turns", message);
    }
    let kinds = ["api_error_type", "api_error"].map(|field| result.field(field).as_str().unwrap_or_default());
    let hints = format!("{message} {} {}", kinds[0], kinds[1]);
    provider_failure(result.field("api_error_status").as_u64(), &hints, message)
}

/// Whether this says that the conversation to be gone on with is not known.
pub(crate) fn is_unknown_conversation(said: &str) -> bool {
    said.to_lowercase().contains("no conversation found")
}

/// What to tell then.
pub(crate) fn unknown_conversation(name: &str, resuming: &Resuming) -> Failure {
    let which = match &resuming.id {
        Some(id) => format!("no longer knows the conversation {id}"),
        None => format!("knows no earlier conversation in {}", resuming.cwd),
    };
    let message = format!("{name} {which}. Nothing was sent to it; the next prompt begins a new conversation.");
    Failure::lasting("conversation_unknown", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CliLine {
        CliLine::read(text.as_bytes(), true).unwrap()
    }

    #[test]
    fn a_turn_ends_for_a_reason_that_the_subtype_alone_does_not_tell() {
        for (text, asked, reason) in [
            (r#"{"subtype":"success"}"#, false, StopReason::EndTurn),
            (r#"{"subtype":"success","is_error":true,"api_error_status":400}"#, false, StopReason::Error),
            (r#"{"subtype":"error_during_execution","is_error":true}"#, true, StopReason::Interrupted),
            (r#"{"subtype":"error_during_execution","is_error":true}"#, false, StopReason::Error),
            (r#"{"subtype":"success","terminal_reason":"aborted_streaming"}"#, false, StopReason::Interrupted),
            (r#"{"subtype":"error_max_turns","is_error":true}"#, false, StopReason::MaxTurns),
            (r#"{"subtype":"success","stop_reason":"refusal"}"#, false, StopReason::Refused),
            (r#"{"subtype":"success","stop_reason":"max_tokens"}"#, false, StopReason::MaxTurns),
            ("{}", false, StopReason::EndTurn),
        ] {
            assert_eq!(stop_reason(&line(text), asked), reason, "{text}");
        }
    }

    #[test]
    fn failures_have_our_own_words() {
        let of = |text: &str| failure(&line(text), "Claude", None);
        let limited = of(r#"{"is_error":true,"result":"Too many requests, try again in 3s","api_error_status":429}"#);
        assert_eq!((limited.code, limited.retryable, limited.retry_after_ms), ("rate_limited", true, Some(3000)));
        let dropped = of(r#"{"is_error":true,"result":"","api_error":"connection_failed"}"#);
        assert_eq!((dropped.code, dropped.retryable), ("network", true));
        assert!(dropped.message.starts_with("Claude ended the turn with"), "{dropped:?}");
        assert_eq!(of(r#"{"subtype":"error_max_turns"}"#).code, "max_turns");
    }

    #[test]
    fn a_forgotten_conversation_is_one_only_when_it_was_asked_for() {
        let said = line(
            r#"{"is_error":true,"subtype":"error_during_execution","errors":["No conversation found with session ID: x"]}"#,
        );
        let resuming = Resuming { id: Some("x".into()), cwd: "/w".into() };
        let told = failure(&said, "Claude", Some(&resuming));
        assert_eq!(told.code, "conversation_unknown");
        assert!(told.message.contains("no longer knows the conversation x"));
        assert_ne!(failure(&said, "Claude", None).code, "conversation_unknown");
    }
}
