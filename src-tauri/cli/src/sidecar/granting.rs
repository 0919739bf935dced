//! Who may use which sidecar: the rules, and changes of them.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use client::{Machine, sidecars};
use protocol::sidecar::SidecarGrant;

use crate::exit::Exit;
use crate::home;
use crate::output::{self, visible_line};

/// The arguments of `outrigger sidecar grant` and `deny`.
#[derive(Debug, Args)]
pub(crate) struct GrantOptions {
    /// The sidecar; `*` is all of them
    name: String,
    /// Only these of its tools, by their own names
    #[arg(value_name = "TOOL")]
    tools: Vec<String>,
    /// For sessions in all workspaces, and not only in this one
    #[arg(long, conflicts_with = "session")]
    everywhere: bool,
    /// For this session alone; a beginning of its id will do
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Take the rule back
    #[arg(long)]
    forget: bool,
}

pub(super) fn grants(machine: &Machine, json: bool) -> Result<Exit> {
    tell(&sidecars::grants(machine)?, json);
    Ok(Exit::Done)
}

pub(super) async fn set(
    machine: &Machine,
    workspace: &Path,
    options: GrantOptions,
    allow: bool,
    json: bool,
) -> Result<Exit> {
    let session = options.session.as_deref().map(|id| home::session(machine, id)).transpose()?;
    let in_workspace = !options.everywhere && session.is_none();
    let grant = SidecarGrant {
        sidecar: options.name,
        workspace: in_workspace.then(|| workspace.display().to_string()),
        session: session.map(|session| session.to_string()),
        tools: (!options.tools.is_empty()).then_some(options.tools),
        allow,
    };
    let rules = match options.forget {
        true => sidecars::forget_grant(machine, &grant).await?,
        false => sidecars::set_grant(machine, grant).await?,
    };
    tell(&rules, json);
    Ok(Exit::Done)
}

fn tell(rules: &[SidecarGrant], json: bool) {
    if json {
        rules.iter().for_each(output::json);
        return;
    }
    if rules.is_empty() {
        output::to_stderr("There is no rule: every session may use every sidecar that may run where it works.");
    }
    for rule in rules {
        let what = match &rule.tools {
            Some(tools) => format!("{}: {}", rule.sidecar, tools.join(", ")),
            None => rule.sidecar.clone(),
        };
        let to = match (&rule.session, &rule.workspace) {
            (Some(session), _) => format!("session {session}"),
            (None, Some(workspace)) => format!("sessions in {workspace}"),
            (None, None) => "all sessions".to_owned(),
        };
        let verb = if rule.allow { "granted" } else { "denied " };
        output::line(&visible_line(&format!("{verb}  {what}  to {to}"), 400));
    }
}
