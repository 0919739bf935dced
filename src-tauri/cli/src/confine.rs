//! `outrigger confine`: becomes a command that is held to a scope by the kernel.
//!
//! A keeper hands over a spec; a person says the folders. It starts no thread and opens no log, because the kernel's rules are for
//! the thread that asks for them and for what it becomes.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use confine::{ReadAccess, Spec};
use protocol::scope::{Confinement, ConfinementLevel, ScopePermission, ScopeRule};

use crate::output;

/// The arguments of `outrigger confine`.
#[derive(Debug, clap::Args)]
pub(crate) struct ConfineOptions {
    /// The whole spec as JSON, from a file or, with -, from stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["read", "write", "temp", "advise"])]
    spec: Option<PathBuf>,
    /// May be read, with all below it; toolchains and the system's programs may be read anyway
    #[arg(long, value_name = "PATH")]
    read: Vec<PathBuf>,
    /// May be written, with all below it; a folder that is to be made ends with /
    #[arg(long, value_name = "PATH")]
    write: Vec<PathBuf>,
    /// A folder for temporary files, named to the command in TMPDIR
    #[arg(long, value_name = "FOLDER")]
    temp: Option<PathBuf>,
    /// Run the command even where the kernel cannot hold it to the scope
    #[arg(long)]
    advise: bool,
    /// The command with its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Becomes the command. It returns when that failed.
pub(crate) fn confine(options: &ConfineOptions) -> ExitCode {
    let error = match spec(options) {
        Ok(spec) => confine::launch(&spec, &options.command, say),
        Err(error) => {
            output::to_stderr(&format!("outrigger: {error:#}"));
            return ExitCode::from(2);
        }
    };
    output::to_stderr(&format!("outrigger: {error}"));
    ExitCode::from(error.exit_code())
}

fn spec(options: &ConfineOptions) -> Result<Spec> {
    match &options.spec {
        None => said(options),
        Some(file) => {
            let mut text = String::new();
            if file.as_os_str() == "-" {
                std::io::stdin().read_to_string(&mut text).context("failed to read the spec from stdin")?;
            } else {
                text =
                    fs::read_to_string(file).with_context(|| format!("failed to read the spec {}", file.display()))?;
            }
            serde_json::from_str(&text).with_context(|| format!("{} is no spec", file.display()))
        }
    }
}

/// The spec that a person's arguments mean.
fn said(options: &ConfineOptions) -> Result<Spec> {
    let here = std::env::current_dir().context("the working directory is gone")?;
    let rule = |permission| {
        move |path: &PathBuf| ScopeRule { permission, path: path.to_string_lossy().into_owned(), recursive: true }
    };
    let reads = options.read.iter().map(rule(ScopePermission::Read));
    let rules: Vec<ScopeRule> = reads.chain(options.write.iter().map(rule(ScopePermission::Write))).collect();
    let rules = scopes::resolve(&rules, scopes::Area { workspace: &here, kept: &[] })?;
    let temp =
        options.temp.as_ref().map(std::path::absolute).transpose().context("the temporary folder has no path")?;
    Ok(Spec {
        rules: rules.iter().map(|rule| rule.held().clone()).collect(),
        read: ReadAccess::Toolchain { paths: Vec::new() },
        temp,
        advise: options.advise,
        ..Spec::default()
    })
}

fn say(confinement: &Confinement) {
    let level = match confinement.level {
        ConfinementLevel::Enforced => return,
        ConfinementLevel::Partial => "The scope is enforced in part.",
        ConfinementLevel::Advised => "The scope is advised only.",
    };
    output::to_stderr(&format!("outrigger: {level} {}", confinement.why.join(" ")));
}
