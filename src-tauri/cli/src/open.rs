//! `outrigger open`: opens or focuses a window of the desktop.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use client::links::{self, Link};
use protocol::error::{ErrorCode, WireError};

use crate::exit::Exit;
use crate::home;

/// The arguments of `outrigger open`.
#[derive(Debug, Args)]
pub(crate) struct OpenOptions {
    /// A folder, or a link like outrigger://session/ID; without it the current folder
    target: Option<String>,
    /// Errors as JSON objects
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module.
pub(crate) async fn open(options: OpenOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let target = options.target.unwrap_or_else(|| ".".to_owned());
    let what = if links::is_link(&target) {
        // What the desktop would refuse is refused here, where whoever typed it sees why.
        if let Link::Session(session) = links::parse(&target)? {
            home::session(&machine, &session.to_string())?;
        }
        target
    } else {
        folder(Path::new(&target))?.display().to_string()
    };
    client::desktop::open(&machine, &what).await?;
    Ok(Exit::Done)
}

fn folder(path: &Path) -> Result<PathBuf, WireError> {
    let bad = |why: String| {
        let message = format!("{} cannot be opened as a workspace: {why}; choose a folder", path.display());
        WireError::new(ErrorCode::BadWorkingDirectory, message)
    };
    let found = std::fs::canonicalize(path).map_err(|error| bad(error.to_string()))?;
    if found.is_dir() { Ok(found) } else { Err(bad("it is no folder".to_owned())) }
}
