//! What can be said on the command line, and which command is meant?

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::exit::{self, Exit};
use crate::{
    answer, budget, confine, doctor, home, import, interrupt, logs, manual, mcp, open, pod_tool, ps, run, run_options,
    search, send, sidecar, stop, uninstall, usage,
};

/// Runs coding agents, keeps what they do, and lets you answer, steer and stop them.
#[derive(Debug, Parser)]
#[command(name = "outrigger", version, after_help = exit::TABLE, arg_required_else_help = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a session, or resume one, and show it live
    #[command(after_help = exit::TABLE)]
    Run(Box<run_options::RunOptions>),
    /// List live sessions as a tree
    Ps(ps::PsOptions),
    /// Show the transcript of a session
    Logs(logs::LogsOptions),
    /// Send a prompt to a live session
    Send(send::SendOptions),
    /// Answer a permission request
    Answer(answer::AnswerOptions),
    /// End the running turn and keep the session
    Interrupt(interrupt::InterruptOptions),
    /// End sessions with all pods below them and all their processes
    Stop(stop::StopOptions),
    /// Show or change what a session and all pods below it may use
    #[command(after_help = budget::KEYS)]
    Budget(budget::BudgetOptions),
    /// Find words in all sessions
    Search(search::SearchOptions),
    /// Show the tokens and the cost of all sessions
    Usage(usage::UsageOptions),
    /// Show what was found on this machine, and what to do about what was not
    Doctor(doctor::DoctorOptions),
    /// Make sessions of the conversations that Claude Code and Codex keep in their own folders
    Import(import::ImportOptions),
    /// Show, trust, start, stop and call the tool programs of your own that agents are offered
    Sidecar(sidecar::SidecarOptions),
    /// Open a folder or a session in a window
    Open(open::OpenOptions),
    /// Run a command that the kernel holds to a scope
    Confine(confine::ConfineOptions),
    /// Show what stays on this machine when Outrigger is removed, and delete it
    Uninstall(uninstall::UninstallOptions),
    /// Print what makes a shell complete these commands
    Completions(manual::CompletionsOptions),
    /// Writes manual pages and completions, for packages
    #[command(hide = true)]
    Manual(manual::ManualOptions),
    /// Keeps one pod; started by Outrigger itself
    #[command(hide = true)]
    Keep,
    /// Drives an agent's CLI without a runner; started by a keeper
    #[command(hide = true)]
    Drive(DriveOptions),
    /// Offers the keeper's tools to an agent; started by the agent's CLI
    #[command(hide = true)]
    Mcp,
    /// Does one call of such a tool; started by a keeper
    #[command(hide = true)]
    PodTool(pod_tool::PodToolOptions),
}

/// The arguments of `outrigger drive`.
#[derive(Debug, clap::Args)]
struct DriveOptions {
    /// Words for the transcript
    #[arg(long)]
    notice: Option<String>,
    /// The provider's manifest
    manifest: std::path::PathBuf,
}

impl Command {
    /// Whether it begins with ending what killed keepers left. Answers and interrupts go to one live pod and are in a
    /// hurry; the archive has nothing to do with lives.
    fn looks_around(&self) -> bool {
        match self {
            Self::Answer(_)
            | Self::Interrupt(_)
            | Self::Search(_)
            | Self::Usage(_)
            | Self::Import(_)
            | Self::Open(_)
            | Self::Sidecar(_)
            | Self::Confine(_)
            | Self::Uninstall(_)
            | Self::Completions(_)
            | Self::Manual(_)
            | Self::Keep
            | Self::Drive(_)
            | Self::Mcp
            | Self::PodTool(_) => false,
            Self::Run(_) | Self::Ps(_) | Self::Logs(_) | Self::Send(_) | Self::Stop(_) | Self::Budget(_) => true,
            // Whoever asks what was left behind decides about it.
            Self::Doctor(options) => !options.orphans,
        }
    }

    /// Errors are told in the form of the answers.
    fn wants_json(&self) -> bool {
        match self {
            Self::Run(options) => options.json,
            Self::Ps(options) => options.json,
            Self::Logs(options) => options.json,
            Self::Send(options) => options.json,
            Self::Answer(options) => options.json,
            Self::Interrupt(options) => options.json,
            Self::Stop(options) => options.json,
            Self::Budget(options) => options.json,
            Self::Search(options) => options.json,
            Self::Usage(options) => options.json,
            Self::Doctor(options) => options.json,
            Self::Import(options) => options.json,
            Self::Open(options) => options.json,
            Self::Sidecar(options) => options.json,
            Self::Uninstall(options) => options.json,
            Self::Confine(_)
            | Self::Completions(_)
            | Self::Manual(_)
            | Self::Keep
            | Self::Drive(_)
            | Self::Mcp
            | Self::PodTool(_) => false,
        }
    }
}

/// The program.
pub(crate) fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    if let Command::Confine(options) = command {
        return confine::confine(&options);
    }
    if matches!(command, Command::Keep) {
        // A keeper starts its own log and runtime, in a session of its own.
        return keeper::run();
    }
    if let Command::Drive(DriveOptions { manifest, notice }) = command {
        return driver::run(&driver::Drive { manifest, notice });
    }
    if matches!(command, Command::Mcp) {
        return mcp::mcp();
    }
    if let Command::PodTool(options) = command {
        return pod_tool::pod_tool(&options);
    }
    // What is deleted must not be written at the same time.
    let _log = if matches!(command, Command::Uninstall(_)) { None } else { home::debug_log() };
    let json = command.wants_json();
    match block_on(command) {
        Ok(exit) => exit.code(),
        Err(error) => {
            exit::tell(&error, json);
            Exit::of(&error).code()
        }
    }
}

fn block_on(command: Command) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(execute(command));
    // A thread that still reads the terminal would hold up the exit.
    runtime.shutdown_background();
    done
}

async fn execute(command: Command) -> Result<Exit> {
    if command.looks_around() {
        home::settle().await;
    }
    match command {
        Command::Run(options) => run::run(*options).await,
        Command::Ps(options) => ps::ps(options).await,
        Command::Logs(options) => logs::logs(options).await,
        Command::Send(options) => send::send(options).await,
        Command::Answer(options) => answer::answer(options).await,
        Command::Interrupt(options) => interrupt::interrupt(options).await,
        Command::Stop(options) => stop::stop(options).await,
        Command::Budget(options) => budget::budget(options).await,
        Command::Search(options) => search::search(&options),
        Command::Usage(options) => usage::usage(&options),
        Command::Doctor(options) => doctor::doctor(&options).await,
        Command::Import(options) => import::import(&options),
        Command::Open(options) => open::open(options).await,
        Command::Sidecar(options) => sidecar::sidecar(options).await,
        Command::Uninstall(options) => uninstall::uninstall(options).await,
        Command::Completions(options) => Ok(manual::completions(&mut CommandLine::command(), &options)),
        Command::Manual(options) => manual::manual(CommandLine::command(), &options),
        Command::Confine(_) | Command::Keep | Command::Drive(_) | Command::Mcp | Command::PodTool(_) => Ok(Exit::Usage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn one_session_is_named_in_one_way() {
        assert!(CommandLine::try_parse_from(["outrigger", "run", "--resume", "a", "--continue", "x"]).is_err());
        assert!(CommandLine::try_parse_from(["outrigger", "run", "--resume", "a", "--cwd", "/", "x"]).is_err());
    }
}
