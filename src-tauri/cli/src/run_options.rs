//! What can `outrigger run` be told?

use std::collections::BTreeMap;
use std::io::Read;

use clap::{Args, ValueEnum};
use protocol::attachment::Attachment;
use protocol::error::{ErrorCode, WireError};
use protocol::permission::PermissionPolicy;
use protocol::provider::PermissionMode;
use protocol::scope::ScopeRule;
use serde_json::Value;

use crate::budget::{self, Limit};
use crate::scope_option;

/// The arguments of `outrigger run`.
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Which agent: claude, codex, demo or one of your own. Without it: the first of these that can be started here
    #[arg(long, short)]
    pub(crate) provider: Option<String>,
    /// Which model; the agent's own default without it
    #[arg(long, short)]
    pub(crate) model: Option<String>,
    /// How far the agent may go without asking
    #[arg(long)]
    pub(crate) mode: Option<Mode>,
    /// Where the agent works; the current folder without it
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub(crate) cwd: Option<String>,
    /// Make that folder when it is not there
    #[arg(long, requires = "cwd", conflicts_with = "continue_newest")]
    pub(crate) create_cwd: bool,
    /// Go on with this session; a beginning of its id will do
    #[arg(long, value_name = "ID", conflicts_with_all = ["continue_newest", "provider"])]
    pub(crate) resume: Option<String>,
    /// Go on with the newest session of the folder (and of the provider, if one is named)
    #[arg(long = "continue")]
    pub(crate) continue_newest: bool,
    /// Who answers permission requests: you on the terminal, or always the same answer, which holds until the session ends
    #[arg(long, value_enum, default_value_t = Policy::Ask, value_name = "WHO")]
    pub(crate) permissions: Policy,
    /// Print the session's id when the turn has begun, and leave the session running
    #[arg(long)]
    pub(crate) detach: bool,
    /// One JSON object per line on stdout: each item whenever it is new or has changed (the same id again is its newer state)
    #[arg(long)]
    pub(crate) json: bool,
    /// Added to the agent's own system prompt
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) system_prompt: Option<String>,
    /// Most turns of the agent's own loop
    #[arg(long, value_name = "N", conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) max_turns: Option<u32>,
    /// A folder besides the working one; may be given more than once
    #[arg(long = "add-dir", value_name = "DIR", conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) add_dirs: Vec<String>,
    /// A worktree that the agent's CLI makes and works in
    #[arg(long, value_name = "NAME", conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) worktree: Option<String>,
    /// A variable for the agent's environment; may be given more than once
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// The config folder of the agent's CLI (a profile)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) config_dir: Option<String>,
    /// Settings for the provider's runner, a JSON object
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub(crate) provider_config: Option<Value>,
    /// MCP servers for the agent: a JSON object `{name: {command, args, env}}` or `{name: {type, url, headers}}`, or a file with
    /// one; as in `.mcp.json`, it may stand under `mcpServers`
    #[arg(long, value_name = "JSON|FILE", value_parser = servers, conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) mcp_config: Option<BTreeMap<String, Value>>,
    /// An image or another file for the agent to look at; may be given more than once
    #[arg(long = "attach", value_name = "FILE", value_parser = attachment)]
    pub(crate) attachments: Vec<Attachment>,
    #[arg(long = "scope", value_name = "RULE", value_parser = scope_option::rule, help = scope_option::HELP,
        conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) scope: Vec<ScopeRule>,
    /// A limit of the session and all pods below it, such as turns=20, cost=1.50 or time=1h; may be given more than once.
    /// `outrigger budget --help` lists the keys
    #[arg(long = "budget", value_name = "KEY=VALUE", value_parser = budget::limit,
        conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) budget: Vec<Limit>,
    /// Only these tool sidecars, or tools of them (`git`, `git/log`), for it and all pods below it; an empty text is none
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with_all = ["resume", "continue_newest"])]
    pub(crate) sidecars: Option<Vec<String>>,
    /// What the agent is to do; `-` reads it from stdin
    pub(crate) prompt: String,
}

/// How far the agent may go.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Mode {
    /// Asks before it writes or runs anything that needs permission
    Ask,
    /// File edits in the workspace pass, commands ask
    AcceptEdits,
    /// Reads and plans, changes nothing
    Plan,
    /// Never asks
    Bypass,
}

impl From<Mode> for PermissionMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Ask => Self::Ask,
            Mode::AcceptEdits => Self::AcceptEdits,
            Mode::Plan => Self::Plan,
            Mode::Bypass => Self::Bypass,
        }
    }
}

/// Who answers permission requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// You, on the terminal; without one the session is stopped with exit code 6
    Ask,
    /// Every request is denied
    Deny,
    /// Every request is allowed
    Allow,
}

impl From<Policy> for PermissionPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Ask => Self::Ask,
            Policy::Deny => Self::Deny,
            Policy::Allow => Self::Allow,
        }
    }
}

impl RunOptions {
    /// What clap cannot check.
    pub(crate) fn check(&self) -> Result<(), WireError> {
        if !self.env.is_empty() && (self.resume.is_some() || self.continue_newest) {
            let message = "`--env` cannot be changed on a session that is resumed; start a new session with it";
            return Err(WireError::new(ErrorCode::BadRequest, message));
        }
        Ok(())
    }

    /// The prompt, read from stdin if that was asked for.
    pub(crate) fn read_prompt(&self) -> Result<String, WireError> {
        let bad = |why: String| WireError::new(ErrorCode::BadRequest, why);
        let prompt = match self.prompt.as_str() {
            "-" => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|error| bad(format!("the prompt could not be read from stdin: {error}")))?;
                text
            }
            prompt => prompt.to_owned(),
        };
        if prompt.trim().is_empty() { Err(bad("the prompt is empty; say what to do".to_owned())) } else { Ok(prompt) }
    }

    /// The extra variables.
    pub(crate) fn extra_env(&self) -> BTreeMap<String, String> {
        self.env.iter().cloned().collect()
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected NAME=VALUE".to_owned()),
    }
}

fn object(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("expected a JSON object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn servers(given: &str) -> Result<BTreeMap<String, Value>, String> {
    let read = || std::fs::read_to_string(given).map_err(|error| format!("{given} cannot be read: {error}"));
    let text = if given.trim_start().starts_with('{') { given.to_owned() } else { read()? };
    let Value::Object(mut all) = object(&text)? else { return Err("expected a JSON object".to_owned()) };
    let named = match all.remove("mcpServers") {
        Some(Value::Object(named)) => named,
        Some(_) => return Err("`mcpServers` is no JSON object".to_owned()),
        None => all,
    };
    match named.iter().find(|(_, server)| !server.is_object()) {
        Some((name, _)) => Err(format!("the server `{name}` is no JSON object")),
        None => Ok(named.into_iter().collect()),
    }
}

/// A file for the agent, by its absolute path. Its runner reads it, or lets the agent read it.
pub(crate) fn attachment(path: &str) -> Result<Attachment, String> {
    let cannot = |error: std::io::Error| format!("{path} cannot be read: {error}");
    std::fs::File::open(path).map_err(cannot)?;
    let path = std::path::absolute(path).map_err(cannot)?;
    Ok(Attachment { path: Some(path.display().to_string()), ..Attachment::default() })
}
