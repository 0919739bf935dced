//! `outrigger confine`: becomes a command that is held to a scope by the kernel.
//!
//! A keeper hands over a spec; a person says the folders. It starts no thread and opens no log, because the kernel's rules are for
//! the thread that asks for them and for what it becomes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use confine::{ReadAccess, Spec};
use protocol::scope::{ScopePermission, ScopeRule};

use crate::held;

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
    let spec = options.spec.as_deref().map_or_else(|| said(options), held::spec);
    held::become_command(spec, &options.command)
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
