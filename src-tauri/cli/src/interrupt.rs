//! `outrigger interrupt`: ends the running turn and keeps the session.

use anyhow::Result;
use clap::Args;
use client::sessions;

use crate::exit::Exit;
use crate::{home, output};

/// The arguments of `outrigger interrupt`.
#[derive(Debug, Args)]
pub(crate) struct InterruptOptions {
    /// The session; a beginning of its id will do
    id: String,
    /// Errors as JSON objects
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module.
pub(crate) async fn interrupt(options: InterruptOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let session = home::session(&machine, &options.id)?;
    sessions::connect(&machine, session, "cli").await?.interrupt().await?;
    if !options.json {
        output::to_stderr("The turn has ended.");
    }
    Ok(Exit::Done)
}
