//! `outrigger doctor`: what was found on this machine, how, and what to do about what was not.
//!
//! What crashes left running is told by its own module.

use anyhow::Result;
use clap::Args;
use protocol::limits;

use crate::exit::Exit;
use crate::{home, orphans, output};

/// The arguments of `outrigger doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorOptions {
    /// Every limit with what happens when it is reached
    #[arg(long)]
    limits: bool,
    /// Everything that was looked at, and where
    #[arg(long)]
    verbose: bool,
    /// Ask the login shell anew
    #[arg(long)]
    refresh: bool,
    /// Processes that a crash left behind; on a terminal you are asked whether to end them
    #[arg(long, conflicts_with_all = ["limits", "refresh"])]
    pub(crate) orphans: bool,
    /// End them without asking
    #[arg(long, requires = "orphans")]
    end: bool,
    /// One JSON object; with `--orphans` one for each of them
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module. Ends with 3 when something that is needed is missing.
pub(crate) async fn doctor(options: &DoctorOptions) -> Result<Exit> {
    if options.orphans {
        return orphans::orphans(options.end, options.json).await;
    }
    if options.limits {
        show_limits(options.json);
        return Ok(Exit::Done);
    }
    let (machine, workspace) = (home::for_looking()?, std::env::current_dir()?);
    let mut report = machine.doctor(&workspace, options.refresh);
    report.sidecars = client::sidecars::report(&machine, &workspace).await;
    if options.json {
        output::json(&report);
    } else if options.verbose {
        output::to_stdout(&discovery::render_text(&report));
    } else {
        output::to_stdout(&discovery::render_summary(&report));
    }
    Ok(if report.ok { Exit::Done } else { Exit::Unavailable })
}

fn show_limits(json: bool) {
    let mut table = limits::table();
    table.extend(toolbox::limits::table());
    if json {
        table.iter().for_each(output::json);
        return;
    }
    let width = |length: fn(&limits::Limit) -> usize| table.iter().map(length).max().unwrap_or(0);
    let (what, value) = (width(|row| row.what.len()), width(|row| row.value.len()));
    for row in &table {
        output::line(&format!("{:<what$}  {:>value$}  {}", row.what, row.value, row.then));
    }
}
