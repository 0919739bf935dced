//! What a manifest says about a CLI that is driven without a runner: its arguments, which options it takes, and what it speaks.
//!
//! Data and its checks; starting the CLI and speaking with it is the business of the crate `driver`.

use std::collections::BTreeMap;

use protocol::provider::PermissionMode;
use serde::Deserialize;

use crate::manifest::Wrong;

/// The drivers that need no runner script.
pub(crate) const DRIVERS: [&str; 1] = ["stream-json"];

/// What stands for an option's value in its arguments.
pub const VALUE: &str = "{}";

/// How a CLI is driven that reads messages as lines of JSON and prints its events as such lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Driver {
    /// Arguments of every start.
    pub args: Vec<String>,
    /// The field of its lines that holds the native session id; dots lead into objects.
    pub session_id_field: String,
    /// It speaks claude's control protocol on the same pipes: permission prompts, interrupt, change of model and mode.
    pub control: bool,
    /// Arguments for what a session may ask for.
    pub options: Options,
    /// Flags that came late, each with the version that has it for certain. An older CLI is asked with `--help`.
    pub since: BTreeMap<String, String>,
}

/// Arguments for what a session may ask for; `{}` in one stands for the value. An option without arguments is not offered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Options {
    /// A new conversation whose id is chosen by us, so that it is known before the CLI says a word.
    pub new_session: Vec<String>,
    /// Goes on with the conversation of a native id.
    pub resume: Vec<String>,
    /// Goes on with the most recent conversation of the folder.
    pub r#continue: Vec<String>,
    /// The model.
    pub model: Vec<String>,
    /// Added to the CLI's own system prompt.
    pub system_prompt: Vec<String>,
    /// Most turns of the agent's own loop.
    pub max_turns: Vec<String>,
    /// One more folder to work in; added for each.
    pub additional_directory: Vec<String>,
    /// MCP servers, as `{"mcpServers":{…}}`.
    pub mcp_servers: Vec<String>,
    /// A worktree that the CLI itself makes, by its name.
    pub worktree: Vec<String>,
    /// By mode.
    pub permission_mode: ModeArgs,
    /// By key of `providerConfig`: lists are joined with commas, objects written as JSON.
    pub config: BTreeMap<String, Vec<String>>,
}

/// Arguments for each permission mode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ModeArgs {
    /// Asks before it writes or runs anything that needs permission.
    pub ask: Vec<String>,
    /// File edits pass, commands ask.
    pub accept_edits: Vec<String>,
    /// Reads and plans, changes nothing.
    pub plan: Vec<String>,
    /// Never asks.
    pub bypass: Vec<String>,
}

impl ModeArgs {
    /// The arguments of a mode.
    #[must_use]
    pub fn of(&self, mode: PermissionMode) -> &[String] {
        match mode {
            PermissionMode::Ask => &self.ask,
            PermissionMode::AcceptEdits => &self.accept_edits,
            PermissionMode::Plan => &self.plan,
            PermissionMode::Bypass => &self.bypass,
        }
    }
}

impl Options {
    /// Arguments in which a value has to stand.
    fn with_value(&self) -> impl Iterator<Item = (String, &Vec<String>)> {
        let fixed = [
            ("newSession", &self.new_session),
            ("resume", &self.resume),
            ("model", &self.model),
            ("systemPrompt", &self.system_prompt),
            ("maxTurns", &self.max_turns),
            ("additionalDirectory", &self.additional_directory),
            ("mcpServers", &self.mcp_servers),
            ("worktree", &self.worktree),
        ];
        let config = self.config.iter().map(|(key, args)| (format!("config.{key}"), args));
        fixed.into_iter().map(|(key, args)| (key.to_owned(), args)).chain(config)
    }
}

impl Driver {
    /// Says what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        let lacks = |args: &Vec<String>| !args.is_empty() && !args.iter().any(|arg| arg.contains(VALUE));
        if let Some((key, args)) = self.options.with_value().find(|(_, args)| lacks(args)) {
            let problem = format!("`{key} = {args:?}` has no place for the value");
            return Err(("options", problem, format!("write `{VALUE}` where the value belongs")));
        }
        let bad = self.since.iter().find(|(_, version)| !crate::manifest::is_version(version));
        if let Some((flag, version)) = bad {
            let remedy = "write numbers with dots, such as \"2.1.0\"".to_owned();
            return Err(("since", format!("`{version}`, for {flag}, is no version"), remedy));
        }
        Ok(())
    }
}
