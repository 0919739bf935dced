//! The user's MCP servers in other tools, and sidecars that are made of them.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use clap::Args;
use client::{Machine, sidecars};
use protocol::sidecar::{ImportedServer, ServerAddress, WrittenImport};

use crate::exit::Exit;
use crate::output::{self, visible_line};

/// The arguments of `outrigger sidecar import`.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    /// Make sidecars of these, by their ids, such as claude/github
    #[arg(long, value_name = "ID", num_args = 1..)]
    write: Vec<String>,
}

pub(super) async fn import(machine: &Machine, workspace: &Path, options: ImportOptions, json: bool) -> Result<Exit> {
    if !options.write.is_empty() {
        let written = sidecars::write_imports(machine, Some(workspace), &options.write).await?;
        written.iter().for_each(|one| tell(one, json));
        return Ok(Exit::Done);
    }
    let found = sidecars::imports(machine, Some(workspace))?;
    if json {
        found.servers.iter().for_each(output::json);
    } else {
        show(&found.servers);
    }
    for why in &found.unreadable {
        output::to_stderr(&visible_line(&format!("could not be read: {why}"), 400));
    }
    Ok(Exit::Done)
}

fn tell(written: &WrittenImport, json: bool) {
    if json {
        output::json(written);
        return;
    }
    output::line(&format!("{}  is the sidecar `{}` now, in {}", written.id, written.name, written.folder));
    for wants in &written.wants {
        let how = match wants.strip_prefix("keyring:") {
            Some(name) => format!("keep it in the keyring: outrigger sidecar secret {name}"),
            None => "set it in your shell's profile".to_owned(),
        };
        output::line(&visible_line(&format!("  It wants the secret {wants}; {how}"), 400));
    }
}

fn show(servers: &[ImportedServer]) {
    if servers.is_empty() {
        output::to_stderr("No MCP server is set up in Claude Code, Codex, Gemini CLI, VS Code or this project.");
        return;
    }
    let mut first: HashMap<&str, &str> = HashMap::new();
    for server in servers {
        let twin = first.get(server.identity.as_str()).copied();
        first.entry(&server.identity).or_insert(&server.id);
        let marks: Vec<String> = [
            server.known_as.as_ref().map(|name| format!("is the sidecar `{name}` already")),
            twin.map(|id| format!("the same as {id}")),
            server.disabled.then(|| "switched off there".to_owned()),
            (!server.secret.is_empty()).then(|| format!("secrets: {}", server.secret.join(", "))),
        ]
        .into_iter()
        .flatten()
        .collect();
        let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join("; ")) };
        output::line(&visible_line(&format!("{}{marks}", server.id), 300));
        let reached = match &server.server {
            ServerAddress::Stdio { command } => command.join(" "),
            ServerAddress::Http { url } => url.clone(),
        };
        output::line(&format!("    {}\n    from {}", visible_line(&reached, 200), visible_line(&server.file, 200)));
    }
    output::to_stderr("To make sidecars of some of them: outrigger sidecar import --write ID…");
}
