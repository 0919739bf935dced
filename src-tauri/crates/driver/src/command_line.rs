//! With which arguments is the CLI started for this session? Pure.
//!
//! What a session asks for and the manifest has no arguments for is left out and told; a conversation that cannot be gone on with, and
//! a worktree that cannot be made, are refused, because the agent would work elsewhere than the user believes.

use protocol::runner::ResumeMode;
use providers::driver::{Driver, VALUE};
use serde_json::{Value, json};

use crate::host_line::Query;
use crate::told::Failure;
use crate::version::Flags;

/// The arguments, and the wishes that they do not carry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) args: Vec<String>,
    /// Wishes for which the manifest has no arguments, for people.
    pub(crate) left_out: Vec<String>,
}

/// The arguments for a session. `chosen_id` is used where the CLI takes an id for a new conversation.
///
/// # Errors
/// When the session cannot be what was asked for.
pub(crate) fn command_line(
    driver: &Driver,
    query: &Query,
    chosen_id: &str,
    flags: &Flags,
    name: &str,
) -> Result<CommandLine, Failure> {
    let mut line = CommandLine::default();
    line.args.extend(driver.args.iter().filter(|arg| flags.has(arg)).cloned());
    line.args.extend(driver.options.permission_mode.of(query.permission_mode).iter().cloned());
    line.args.extend(conversation(driver, query, chosen_id, name)?);
    wishes(driver, query, flags, &mut line);
    if let Some(worktree) = &query.worktree_name {
        let args = &driver.options.worktree;
        if args.is_empty() || !args.first().is_none_or(|flag| flags.has(flag)) {
            let message = format!("this {name} makes no worktrees; update it, or start without a worktree");
            return Err(Failure::lasting("internal", message));
        }
        line.args.extend(filled(args, worktree));
    }
    Ok(line)
}

/// The native id where it is known before the CLI says a word.
pub(crate) fn id_before_output(driver: &Driver, query: &Query, chosen_id: &str) -> Option<String> {
    match query.resume_mode {
        ResumeMode::Resume => query.resume_session_id.clone(),
        ResumeMode::Continue => None,
        ResumeMode::New => (!driver.options.new_session.is_empty()).then(|| chosen_id.to_owned()),
    }
}

fn conversation(driver: &Driver, query: &Query, chosen_id: &str, name: &str) -> Result<Vec<String>, Failure> {
    let options = &driver.options;
    let refused = |what: &str| {
        let message = format!(
            "{name} cannot {what}: its manifest has no arguments for it. The next prompt begins a new conversation."
        );
        Err(Failure::lasting("conversation_unknown", message))
    };
    match query.resume_mode {
        ResumeMode::New => Ok(filled(&options.new_session, chosen_id)),
        ResumeMode::Continue if options.r#continue.is_empty() => refused("go on with its newest conversation"),
        ResumeMode::Continue => Ok(options.r#continue.clone()),
        ResumeMode::Resume if options.resume.is_empty() => refused("resume a conversation"),
        ResumeMode::Resume => Ok(filled(&options.resume, query.resume_session_id.as_deref().unwrap_or_default())),
    }
}

fn wishes(driver: &Driver, query: &Query, flags: &Flags, line: &mut CommandLine) {
    let options = &driver.options;
    let mut add = |what: &str, args: &[String], value: Option<String>| {
        let Some(value) = value else { return };
        if args.first().is_some_and(|flag| flags.has(flag)) {
            line.args.extend(filled(args, &value));
        } else {
            line.left_out.push(what.to_owned());
        }
    };
    let servers = (!query.mcp_servers.is_empty()).then(|| json!({ "mcpServers": query.mcp_servers }).to_string());
    add("the model", &options.model, query.model.clone());
    add("the system prompt", &options.system_prompt, query.system_prompt.clone());
    add("the limit of turns", &options.max_turns, query.max_turns.map(|turns| turns.to_string()));
    for folder in &query.additional_directories {
        add(&format!("the folder {folder}"), &options.additional_directory, Some(folder.clone()));
    }
    add("the MCP servers", &options.mcp_servers, servers);
    for (key, value) in &query.provider_config {
        let args = options.config.get(key).map(Vec::as_slice).unwrap_or_default();
        add(&format!("the setting {key}"), args, written(value));
    }
}

/// A setting as one argument; None for one that says nothing.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) if parts.is_empty() => None,
        Value::Array(parts) => Some(parts.iter().filter_map(written).collect::<Vec<_>>().join(",")),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => Some(value.to_string()),
    }
}

fn filled(args: &[String], value: &str) -> Vec<String> {
    args.iter().map(|arg| arg.replace(VALUE, value)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use protocol::provider::PermissionMode;
    use providers::{Launch, Manifest};

    use super::*;

    const CLAUDE: &str = include_str!("../../../../runners/manifests/claude-direct.toml");

    fn claude() -> Driver {
        match Manifest::parse(CLAUDE, "claude-direct.toml").unwrap().launch {
            Launch::Driver(driver) => driver,
            Launch::Runner { script } => panic!("{script}"),
        }
    }

    fn args(query: &Query, version: Option<&str>, help: &str) -> String {
        let driver = claude();
        let flags = Flags::of(&driver.since, version, help);
        command_line(&driver, query, "new-id", &flags, "Claude").unwrap().args.join(" ")
    }

    #[test]
    fn a_new_conversation_of_claude() {
        let expected = "-p --input-format stream-json --output-format stream-json --verbose --include-partial-messages \
            --permission-prompt-tool stdio --forward-subagent-text --permission-mode default --session-id new-id";
        assert_eq!(args(&Query::default(), Some("2.1.329"), ""), expected);
        let older = expected.replace(" --forward-subagent-text", "");
        assert_eq!(args(&Query::default(), Some("2.1.197"), "--worktree"), older, "an unknown flag would end it");
    }

    #[test]
    fn everything_that_a_session_can_ask_for() {
        let query = Query {
            model: Some("opus".into()),
            system_prompt: Some("be brief".into()),
            max_turns: Some(3),
            permission_mode: PermissionMode::Bypass,
            additional_directories: vec!["/a".into(), "/b".into()],
            worktree_name: Some("try".into()),
            resume_mode: ResumeMode::Resume,
            resume_session_id: Some("old-id".into()),
            mcp_servers: BTreeMap::from([("x".to_owned(), json!({"command": "y"}))]),
            provider_config: BTreeMap::from([
                ("effort".to_owned(), json!("high")),
                ("allowedTools".to_owned(), json!(["Read", "Bash(ls:*)"])),
                ("settings".to_owned(), json!({"a": 1})),
                ("disallowedTools".to_owned(), json!([])),
            ]),
            ..Query::default()
        };
        let all = args(&query, Some("2.1.329"), "");
        for part in [
            " --dangerously-skip-permissions --resume old-id --model opus --append-system-prompt be brief --max-turns 3",
            " --add-dir /a --add-dir /b --mcp-config {\"mcpServers\":{\"x\":{\"command\":\"y\"}}}",
            " --allowedTools Read,Bash(ls:*) --effort high --settings {\"a\":1}",
            " --worktree try",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(!all.contains("--disallowedTools"));
        assert!(
            args(&Query { resume_mode: ResumeMode::Continue, ..Query::default() }, None, "").ends_with(" --continue")
        );
    }

    #[test]
    fn what_a_cli_cannot_do_is_told_or_refused() {
        let driver = Driver { args: vec!["go".into()], ..Driver::default() };
        let line = |query: &Query| command_line(&driver, query, "id", &Flags::default(), "Mine");
        let query = Query { model: Some("m".into()), additional_directories: vec!["/a".into()], ..Query::default() };
        let told = line(&query).unwrap();
        assert_eq!((told.args, told.left_out), (vec!["go".into()], vec!["the model".into(), "the folder /a".into()]));
        let query = Query { resume_mode: ResumeMode::Resume, ..Query::default() };
        assert_eq!(line(&query).unwrap_err().code, "conversation_unknown");
        let query = Query { worktree_name: Some("w".into()), ..Query::default() };
        assert!(line(&query).unwrap_err().message.contains("makes no worktrees"));
        let flags = Flags::of(&claude().since, Some("2.0.5"), "");
        assert!(command_line(&claude(), &query, "id", &flags, "Claude").is_err(), "this claude is too old for it");
    }

    #[test]
    fn the_id_is_known_early_where_it_can_be() {
        let of = |mode, resumes: Option<&str>| {
            let query = Query { resume_mode: mode, resume_session_id: resumes.map(str::to_owned), ..Query::default() };
            id_before_output(&claude(), &query, "new-id")
        };
        assert_eq!(of(ResumeMode::New, None).as_deref(), Some("new-id"));
        assert_eq!(of(ResumeMode::Resume, Some("old")).as_deref(), Some("old"));
        assert_eq!(of(ResumeMode::Continue, None), None);
        assert_eq!(id_before_output(&Driver::default(), &Query::default(), "new-id"), None);
    }
}
