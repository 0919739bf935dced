//! `outrigger sidecar`: the user's own tool programs: which there are, what they would run, and what is done about them.

mod by_hand;
mod granting;
mod importing;
mod listing;
mod secret;
mod trusting;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use protocol::error::{ErrorCode, WireError};
use protocol::sidecar::SidecarPlace;

use crate::exit::Exit;
use crate::{home, sidecar_new};

/// The arguments of `outrigger sidecar`.
#[derive(Debug, Args)]
pub(crate) struct SidecarOptions {
    /// The workspace; the current folder without it
    #[arg(long, global = true, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// One JSON object for each thing that is told
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    command: SidecarCommand,
}

#[derive(Debug, Subcommand)]
enum SidecarCommand {
    /// List the sidecars of the workspace and your own, and how they stand
    List,
    /// Show exactly what a sidecar of the workspace would run, and trust it or not
    Trust(trusting::TrustOptions),
    /// Build and start a sidecar, and wait until it can be called
    Start(by_hand::Named),
    /// Stop a sidecar; it stays stopped until somebody starts it
    Stop(by_hand::Named),
    /// Build and start a sidecar anew
    Restart(by_hand::Named),
    /// Show what a sidecar and its build have printed lately
    Logs(by_hand::Named),
    /// List the tools that an agent is offered here
    Tools(by_hand::ToolsOptions),
    /// Call a tool by hand
    Call(by_hand::CallOptions),
    /// List the MCP servers that you have set up in other tools, and make sidecars of them
    Import(importing::ImportOptions),
    /// Keep a secret in the system's keyring, for manifests that name it as keyring:NAME
    Secret(secret::SecretOptions),
    /// List the rules about who may use which sidecar
    Grants,
    /// Make a sidecar that works, to be changed into another one: your own, or with --workspace DIR one of that workspace
    New(sidecar_new::NewOptions),
    /// Let sessions use a sidecar, or some of its tools
    Grant(granting::GrantOptions),
    /// Keep sessions from using a sidecar, or some of its tools
    Deny(granting::GrantOptions),
}

/// See the module.
pub(crate) async fn sidecar(options: SidecarOptions) -> Result<Exit> {
    let SidecarOptions { workspace, json, command } = options;
    if let SidecarCommand::New(options) = &command {
        return sidecar_new::new(options, workspace.as_deref(), json);
    }
    let workspace = folder(workspace.as_deref())?;
    let place = SidecarPlace { workspace: Some(workspace.display().to_string()), ..SidecarPlace::default() };
    match command {
        SidecarCommand::List => listing::list(&home::for_looking()?, &place, json).await,
        SidecarCommand::Trust(options) => trusting::trust(&home::for_starting()?, &place, options, json).await,
        SidecarCommand::Start(named) => by_hand::start(&home::for_starting()?, &place, &named, json).await,
        SidecarCommand::Stop(named) => by_hand::stop(&home::for_starting()?, &place, &named, json).await,
        SidecarCommand::Restart(named) => by_hand::restart(&home::for_starting()?, &place, &named, json).await,
        SidecarCommand::Logs(named) => by_hand::logs(&home::for_looking()?, &place, &named, json).await,
        SidecarCommand::Tools(options) => by_hand::tools(&home::for_starting()?, &place, &options, json).await,
        SidecarCommand::Call(options) => by_hand::call(&home::for_starting()?, &place, options, json).await,
        SidecarCommand::Import(options) => importing::import(&home::for_starting()?, &workspace, options, json).await,
        SidecarCommand::Secret(options) => secret::secret(&home::for_starting()?, &options).await,
        SidecarCommand::New(_) => Ok(Exit::Usage),
        SidecarCommand::Grants => granting::grants(&home::for_looking()?, json),
        SidecarCommand::Grant(options) => granting::set(&home::for_starting()?, &workspace, options, true, json).await,
        SidecarCommand::Deny(options) => granting::set(&home::for_starting()?, &workspace, options, false, json).await,
    }
}

/// As sessions name it: with links followed.
fn folder(given: Option<&Path>) -> Result<PathBuf, WireError> {
    let given = given.unwrap_or(Path::new("."));
    let bad = |error: std::io::Error| {
        let message = format!("the workspace {} cannot be used: {error}", given.display());
        WireError::new(ErrorCode::BadWorkingDirectory, message)
    };
    std::fs::canonicalize(given).map_err(bad)
}
