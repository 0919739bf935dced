//! Makes a keeper's order of a wish: finds everything that is needed, now, and says what is missing.

use std::path::{Path, PathBuf};

use discovery::{Environment, Search};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::session::{KeeperOrder, StartSession};
use providers::environment::{clean_environment, expand_home};
use providers::manifest::Manifest;

use crate::catalog;
use crate::machine::Machine;
use crate::own_paths::{OwnPaths, Programs};
use crate::starter::Starter;
use crate::working_directory::WorkingDirectory;

/// Names, with commas between them, the variables that a program of Outrigger has set in its own environment.
pub const OWN_VARIABLES: &str = "OUTRIGGER_OWN_VARIABLES";

/// An order, and what the user should know about it.
#[derive(Debug)]
pub struct Prepared {
    /// For the keeper.
    pub order: KeeperOrder,
    /// Variables that were refused and the like, for people.
    pub notices: Vec<String>,
}

/// Prepares a start. Blocks for as long as discovery takes (an instant when it has looked before, seconds when not).
///
/// A working directory that was made for it and stayed empty is removed again when something else is missing.
///
/// # Errors
/// When the provider is unknown, the working directory is not there, or the CLI, the runtime or the runner is missing or too old.
pub fn prepare(machine: &Machine, session: SessionId, start: StartSession) -> Result<Prepared, WireError> {
    let manifest = catalog::manifest(machine, &start.provider)?;
    let place = WorkingDirectory::of(machine, &start)?;
    let prepared = prepare_in(machine, session, start, &manifest, &place);
    if prepared.is_err() {
        place.give_back();
    }
    prepared
}

fn prepare_in(
    machine: &Machine,
    session: SessionId,
    mut start: StartSession,
    manifest: &Manifest,
    place: &WorkingDirectory,
) -> Result<Prepared, WireError> {
    let cwd = &place.path;
    let env = machine.environment(cwd, false);
    let settings = machine.settings();
    let search = Search::new(&env, &settings, Some(&machine.places.cache));
    let mut notices: Vec<String> = settings.problem.iter().cloned().chain(place.warning.clone()).collect();

    let starter = Starter::find(machine, &search, manifest)?;
    let cli = cli(&search, manifest)?;
    let mut environment = environment(&env, manifest, &start, starter.runtime.as_deref(), cli.as_ref(), &mut notices)?;
    environment.insert(process::HOME_VARIABLE.to_owned(), machine.home());

    start.cwd = cwd.display().to_string();
    start.workspace = Some(start.workspace.map_or_else(|| start.cwd.clone(), |path| expanded(&path)));
    start.additional_directories = start.additional_directories.iter().map(|path| expanded(path)).collect();
    start.provider_config = manifest.provider_config_with(start.provider_config.take());
    start.model = start.model.or_else(|| manifest.defaults.model.clone());
    start.permission_mode = start.permission_mode.or(Some(manifest.defaults.permission_mode));
    let programs = Programs {
        runtime: starter.runtime.as_deref(),
        runner: &starter.runner,
        cli: cli.as_ref().map(|cli| cli.path.as_path()),
    };
    let own = OwnPaths::of(manifest, &environment, programs, &start);
    let order = KeeperOrder {
        session,
        start,
        sessions: machine.places.sessions.display().to_string(),
        run: machine.places.run.display().to_string(),
        logs: machine.places.logs.display().to_string(),
        environment,
        runtime: starter.words,
        runner: starter.runner,
        cli: cli.as_ref().map(|cli| cli.path.display().to_string()),
        cli_version: cli.and_then(|cli| cli.version),
        adapter: manifest.adapter.clone(),
        provider_name: manifest.name.clone(),
        ledger: Some(machine.places.ledger.display().to_string()),
        health: settings.health,
        workspace_rules: Some(machine.workspace_rules().file().display().to_string()),
        config: Some(machine.places.config.display().to_string()),
        program: Some(machine.program.display().to_string()),
        pod_tools: settings.pod_tools,
        write_paths: own.write,
        read_paths: own.read,
    };
    Ok(Prepared { order, notices })
}

/// With the user's home folder in the place of `~`.
pub(crate) fn expanded(path: &str) -> String {
    expand_home(path, &std::env::vars().collect())
}

struct Cli {
    path: PathBuf,
    version: Option<String>,
}

/// The provider's CLI, with its link followed as it is now: programs update themselves behind links.
fn cli(search: &Search<'_>, manifest: &Manifest) -> Result<Option<Cli>, WireError> {
    let Some(spec) = catalog::cli_spec(manifest) else { return Ok(None) };
    let looked = search.cli(&spec);
    let detail = looked.detail();
    let Some(found) = looked.found else {
        let error = missing(ErrorCode::CliUnavailable, &manifest.name, looked.problem, looked.fix);
        return Err(error.with_detail(detail));
    };
    let path = discovery::spawn_path(&found.path).map_err(|error| {
        WireError::new(ErrorCode::CliUnavailable, format!("{} cannot be started: {error}", manifest.name))
    })?;
    Ok(Some(Cli { path, version: found.version }))
}

pub(crate) fn missing(code: ErrorCode, what: &str, problem: Option<String>, fix: Option<String>) -> WireError {
    let problem = problem.unwrap_or_else(|| format!("{what} was not found"));
    let fix = fix.unwrap_or_else(|| "`outrigger doctor` shows where it was looked for".to_owned());
    WireError::new(code, format!("{}. {fix}", problem.trim_end_matches('.')))
}

fn environment(
    env: &Environment,
    manifest: &Manifest,
    start: &StartSession,
    runtime: Option<&Path>,
    cli: Option<&Cli>,
    notices: &mut Vec<String>,
) -> Result<std::collections::BTreeMap<String, String>, WireError> {
    let clean = clean_environment(&env.vars, manifest, &start.extra_env, start.config_dir.as_deref());
    for (name, reason) in &clean.rejected {
        notices.push(format!("{name} was not passed on: {reason}"));
    }
    if let Some(name) = clean.missing.first() {
        let message =
            format!("{} needs the environment variable {name}; set it in your shell's start-up file", manifest.name);
        return Err(WireError::new(ErrorCode::CliUnavailable, message));
    }
    let mut vars = clean.env;
    forget_our_own(&mut vars);
    if let Some(program) = cli.map(|cli| cli.path.as_path()).or(runtime) {
        let (name, value) = discovery::env_patch(env, program, runtime);
        vars.insert(name, value);
    }
    Ok(vars)
}

/// Variables that Outrigger set for itself, and not the user, are no agent's business.
fn forget_our_own(vars: &mut std::collections::BTreeMap<String, String>) {
    if let Some(names) = vars.remove(OWN_VARIABLES) {
        for name in names.split(',') {
            vars.remove(name);
        }
    }
}
