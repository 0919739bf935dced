//! `outrigger toolbox`: the process that owns the tool sidecars which sessions share.
//!
//! Started by whoever needs it first, in a session of its own: it outlives windows, terminals and keepers, and ends when nobody needs it.
//! What it does is the crate `toolbox`; here it gets its folders and the user's environment.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use toolbox::broker::Surroundings;
use toolbox::limits::{CALL_AT_MOST, OWNER_IDLE};
use toolbox::owner::{self, Ended};
use toolbox::secrets::SystemKeyring;

use crate::{home, output};

/// Owns the sidecars until nobody needs them.
pub(crate) fn toolbox() -> ExitCode {
    // A session of our own: the terminal that started us can be closed.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    let _log = home::debug_log();
    match run() {
        Ok(ended) => {
            tracing::info!(?ended, "the owner of the tool sidecars ends");
            ExitCode::SUCCESS
        }
        Err(error) => {
            output::to_stderr(&format!("outrigger: {error:#}"));
            ExitCode::from(1)
        }
    }
}

fn run() -> Result<Ended> {
    let machine = home::for_starting()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let places = machine.places.clone();
    let surroundings = Surroundings {
        config: places.config,
        run: places.run,
        files: places.data.join("tool-answers"),
        environment: Arc::new(move |workspace| machine.environment(workspace, false).vars),
        secrets: Arc::new(SystemKeyring),
        call_at_most: CALL_AT_MOST,
        taken: pods::definitions().into_iter().map(|tool| tool.name).collect::<HashSet<_>>(),
    };
    let ended = runtime.block_on(async { owner::own(surroundings, OWNER_IDLE, asked()).await });
    // A login shell that still answers would hold up the exit.
    runtime.shutdown_background();
    ended.context("the tool sidecars have no owner")
}

/// Somebody ends it by a signal.
async fn asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
