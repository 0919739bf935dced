//! `outrigger-toolbox`: the process that owns the tool sidecars which sessions share.
//!
//! Started by whoever needs it first, in a session of its own: it outlives windows, terminals and keepers, and ends when nobody needs it.
//! What it does is the crate `toolbox`; here it gets its folders and the user's environment. It is a program of its own because it
//! speaks to servers and to the system's keyring, and what that takes would stand in the memory of every keeper.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use client::Machine;
use discovery::Places;
use toolbox::broker::Surroundings;
use toolbox::limits::{CALL_AT_MOST, OWNER_IDLE};
use toolbox::owner::{self, Ended};
use toolbox::secrets::SystemKeyring;

/// Owns the sidecars until nobody needs them.
fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    match (words.next().as_deref(), words.next()) {
        (Some("keep-secret"), Some(name)) => return keep_secret(&name, true),
        (Some("forget-secret"), Some(name)) => return keep_secret(&name, false),
        (Some(_), _) => return ExitCode::from(2),
        (None, _) => {}
    }
    // A session of our own: the terminal that started us can be closed.
    #[cfg(unix)]
    let _ = rustix::process::setsid();
    // That the log cannot be opened stops nobody: what needs the folder says so itself.
    let _log = Places::find().ok().and_then(|places| debuglog::start(&places.logs, "toolbox").ok());
    match run() {
        Ok(ended) => {
            tracing::info!(?ended, "the owner of the tool sidecars ends");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::from(1)
        }
    }
}

/// Keeps what comes on stdin in the system's keyring, or forgets what is there. Started by the command line and by windows.
fn keep_secret(name: &str, keep: bool) -> ExitCode {
    let mut secret = String::new();
    let read = if keep { std::io::stdin().read_to_string(&mut secret).map(drop) } else { Ok(()) };
    let kept = read
        .map_err(|error| error.to_string())
        .and_then(|()| SystemKeyring::keep(name, keep.then_some(secret.as_str())).map_err(|error| error.to_string()));
    match kept {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "{why}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Ended> {
    let machine = Machine::find(Vec::new())?;
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
    let ended = runtime.block_on(async { owner::own(surroundings, OWNER_IDLE, say_ready, asked()).await });
    // A login shell that still answers would hold up the exit.
    runtime.shutdown_background();
    ended.context("the tool sidecars have no owner")
}

/// Whoever started us waits for one word.
fn say_ready() {
    let mut stdout = std::io::stdout();
    // It may have gone; others come.
    let _ = stdout.write_all(b"\n").and_then(|()| stdout.flush());
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
