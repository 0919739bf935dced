//! `outrigger pod-tool`: does one call of a pod tool for a keeper, and answers with one line of JSON.
//!
//! A process of its own, so that a keeper stays small and a call that hangs can be ended. It runs outside of the agent's scope:
//! what the agent may reach is decided by whose call it is. It ends when its keeper hangs up.

use std::io::Read;
use std::process::ExitCode;

use anyhow::{Context, Result};
use protocol::tools::{PodToolOrder, ToolAnswer, ToolList};
use tokio::sync::watch;

use crate::{home, output};

/// The arguments of `outrigger pod-tool`.
#[derive(Debug, clap::Args)]
pub(crate) struct PodToolOptions {
    /// Only tell which tools there are
    #[arg(long)]
    list: bool,
}

/// See the module.
pub(crate) fn pod_tool(options: &PodToolOptions) -> ExitCode {
    if options.list {
        output::json(&ToolList { tools: pods::definitions() });
        return ExitCode::SUCCESS;
    }
    let _log = home::debug_log();
    let answer = call().unwrap_or_else(|error| ToolAnswer::failed(format!("the tool failed: {error:#}")));
    output::json(&answer);
    ExitCode::SUCCESS
}

fn call() -> Result<ToolAnswer> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("no order was read from stdin")?;
    let order: PodToolOrder = serde_json::from_str(&text).context("what was read from stdin is no order")?;
    let machine = home::for_starting()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let (cancel, cancelled) = watch::channel(false);
        tokio::spawn(async move {
            nobody_waits().await;
            cancel.send_replace(true);
            // The channel stays open, so that `true` is what everybody finds.
            std::future::pending::<()>().await;
        });
        pods::call(&machine, &order, cancelled).await
    });
    runtime.shutdown_background();
    Ok(answer)
}

/// Ends when whoever waits for the answer says so, or is gone.
#[cfg(unix)]
async fn nobody_waits() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut asked) = signal(SignalKind::terminate()) else { return hung_up().await };
    tokio::select! {
        _ = asked.recv() => {}
        () = hung_up() => {}
    }
}

/// Ends when nobody reads our stdout any more; never where that cannot be told.
#[cfg(unix)]
async fn hung_up() {
    use std::os::fd::AsFd;
    use tokio::io::Interest;
    use tokio::net::unix::pipe::Sender;

    let pipe = std::io::stdout().as_fd().try_clone_to_owned().and_then(Sender::from_owned_fd);
    let Ok(pipe) = pipe else { return std::future::pending().await };
    loop {
        match pipe.ready(Interest::ERROR).await {
            Ok(ready) if ready.is_error() || ready.is_write_closed() => return,
            Ok(_) => {}
            Err(_) => return std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
async fn nobody_waits() {
    std::future::pending().await
}
