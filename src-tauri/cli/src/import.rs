//! `outrigger import`: conversations that the CLIs keep in their own folders become sessions, which are listed, searched and resumed like
//! every other. Nothing is written into those folders.

use anyhow::Result;
use clap::{Args, ValueEnum};
use client::earlier_sessions;
use earlier::Cli;
use protocol::earlier::EarlierSession;
use serde_json::json;

use crate::exit::Exit;
use crate::output::visible_line;
use crate::{home, output, span};

/// The arguments of `outrigger import`.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// Whose conversations; those of all without it
    #[arg(value_enum, value_name = "CLI")]
    cli: Option<Whose>,
    /// Only these, by the CLI's own ids or their beginnings
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Show them and import none
    #[arg(long)]
    list: bool,
    /// One JSON object for each
    #[arg(long)]
    pub(crate) json: bool,
}

/// A CLI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Whose {
    /// Claude Code, in ~/.claude
    Claude,
    /// Codex, in ~/.codex
    Codex,
}

/// See the module.
pub(crate) fn import(options: &ImportOptions) -> Result<Exit> {
    let machine = if options.list { home::for_looking()? } else { home::for_starting()? };
    let clis = match options.cli {
        Some(Whose::Claude) => vec![Cli::Claude],
        Some(Whose::Codex) => vec![Cli::Codex],
        None => Cli::ALL.to_vec(),
    };
    let is_meant = |id: &str| {
        options.ids.is_empty() || options.ids.iter().any(|beginning| !beginning.is_empty() && id.starts_with(beginning))
    };
    let mut found: Vec<EarlierSession> = clis.iter().flat_map(|cli| earlier_sessions::of_cli(&machine, *cli)).collect();
    found.retain(|earlier| is_meant(&earlier.native_session_id));
    if found.is_empty() {
        output::to_stderr(&nothing(&clis));
        return Ok(if options.ids.is_empty() { Exit::Done } else { Exit::Failed });
    }
    if options.list {
        found.iter().for_each(|earlier| tell(earlier, None, options.json));
        return Ok(Exit::Done);
    }
    let mut has_failed = false;
    for earlier in &found {
        match earlier_sessions::take_in(&machine, &earlier.cli, &earlier.native_session_id, None) {
            Ok(taken) => tell(earlier, Some(&taken.session.to_string()), options.json),
            Err(error) => {
                has_failed = true;
                output::to_stderr(&output::visible(&error.message));
            }
        }
    }
    Ok(if has_failed { Exit::Failed } else { Exit::Done })
}

fn nothing(clis: &[Cli]) -> String {
    let folders = clis.iter().filter_map(|cli| cli.folder()).map(|folder| folder.display().to_string());
    format!("No conversation that is not a session already was found in {}.", folders.collect::<Vec<_>>().join(" and "))
}

fn tell(earlier: &EarlierSession, session: Option<&str>, json: bool) {
    if json {
        let mut line = json!(earlier);
        line["session"] = json!(session);
        return output::json(&line);
    }
    let age = span::since(&earlier.updated_at).map(|age| format!("{age} ago")).unwrap_or_default();
    let id = session.unwrap_or(&earlier.native_session_id);
    let (title, cwd) = (visible_line(&earlier.title, 60), visible_line(&earlier.cwd, 60));
    output::line(&format!("{id}  {:<7} {age:<11} {title}  ({cwd})", earlier.cli));
}
