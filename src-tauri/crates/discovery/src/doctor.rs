//! Is everything here that Outrigger needs, and if not, what is to be done?
//!
//! Responsible for one report within a deadline: programs are asked side by side, and what does not answer is
//! reported as unknown. It repairs nothing; the folders are made, as any start would make them.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::doctor::{
    DoctorReport, EnvironmentReport, EnvironmentSource, Found, ManifestError, PathFolder, PlaceReport, ProviderReport,
    RunnerReport, RuntimeReport, SettingsReport, SidecarsReport, SocketsReport, Verdict,
};
use protocol::limits::{DOCTOR, DOCTOR_LOGIN_SHELL, table};

use crate::cli::CliSpec;
use crate::decision::Search;
use crate::environment::{EnvSource, Environment, EnvironmentRequest};
use crate::places::Places;
use crate::runner::{RunnerSearch, remedy_for_missing_runner};
use crate::runtime::{OfKind, RuntimeKind};
use crate::settings::Settings;
use crate::{disk_use, sandbox};

/// All folders are counted within this time.
const DISK_USE: Duration = Duration::from_millis(400);

/// What doctor looks at.
#[derive(Debug, Clone)]
pub struct DoctorOptions {
    /// The folders of Outrigger.
    pub places: Places,
    /// Whose environment is looked at. Doctor shortens the limit and takes an outdated answer rather than none.
    pub environment: EnvironmentRequest,
    /// The providers whose manifests could be read.
    pub providers: Vec<ProviderToCheck>,
    /// The manifests that could not.
    pub manifest_errors: Vec<ManifestError>,
    /// Where the runners may be.
    pub runners: RunnerSearch,
    /// The version of Outrigger, for the report.
    pub version: String,
}

/// A provider as doctor needs it.
#[derive(Debug, Clone, Default)]
pub struct ProviderToCheck {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The CLI it drives, if any.
    pub cli: Option<CliSpec>,
    /// Its runner's file name; a provider that speaks with its CLI directly has none.
    pub runner: Option<String>,
    /// Another one drives its CLI where no JavaScript runtime is found.
    pub has_stand_in: bool,
    /// What to know of its manifest.
    pub warnings: Vec<String>,
}

impl DoctorOptions {
    /// The usual questions for a workspace.
    #[must_use]
    pub fn new(places: Places, workspace: &Path, providers: Vec<ProviderToCheck>, resource_dirs: &[PathBuf]) -> Self {
        let mut environment = EnvironmentRequest::new(workspace);
        environment.cache = Some(places.cache.clone());
        Self {
            places,
            environment,
            providers,
            manifest_errors: Vec::new(),
            runners: RunnerSearch::usual(resource_dirs),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Looks at everything, within two seconds.
#[must_use]
pub fn doctor(options: &DoctorOptions) -> DoctorReport {
    let began = Instant::now();
    let counted = began + DISK_USE;
    let looked_at = |(name, path)| place(&options.places, name, path, counted);
    let places: Vec<_> = options.places.named().into_iter().map(looked_at).collect();
    let settings = Settings::load(&options.places.config);
    let environment = EnvironmentRequest { outdated_will_do: true, ..options.environment.clone() };
    let limit = environment.limit.min(DOCTOR_LOGIN_SHELL);
    let env = EnvironmentRequest { limit, ..environment }.take();

    let search = Search::thorough(&env, &settings, Some(&options.places.cache), began + DOCTOR);
    ask_everyone(&search, &options.providers);
    let looked = search.all_runtimes();
    let chosen = search.choose(looked.clone());
    let runners: Vec<_> = options.providers.iter().filter_map(|provider| runner(options, provider)).collect();
    let has_runtime = chosen.found.is_some();
    let providers: Vec<_> = options.providers.iter().map(|one| provider(&search, one, &runners, has_runtime)).collect();
    let runtimes = looked.iter().map(|one| runtime(one, chosen.found.as_ref().map(|found| found.kind))).collect();
    let settings = SettingsReport {
        path: settings.file.display().to_string(),
        exists: settings.file.exists(),
        problem: settings.problem.clone(),
    };
    let ok = places.iter().all(|place| place.writable)
        && settings.problem.is_none()
        && options.manifest_errors.is_empty()
        && providers.iter().any(|provider| provider.usable);
    DoctorReport {
        ok,
        version: options.version.clone(),
        environment: environment_report(&env),
        places,
        settings,
        runtimes,
        providers,
        runners,
        sandbox: sandbox::look(),
        sockets: SocketsReport {
            folder: options.places.run.display().to_string(),
            count: disk_use::sockets(&options.places.run),
        },
        // Whoever knows of them tells.
        sidecars: SidecarsReport::default(),
        manifest_errors: options.manifest_errors.clone(),
        limits: table(),
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// All programs of all kinds at once.
fn ask_everyone(search: &Search<'_>, providers: &[ProviderToCheck]) {
    let clis = providers.iter().filter_map(|provider| provider.cli.as_ref()).map(|spec| search.wanted_cli(spec));
    let runtimes = RuntimeKind::ALL.into_iter().map(|kind| search.wanted_runtime(kind, false));
    let per_program: Vec<_> = runtimes.chain(clis).map(|wanted| search.questions(&wanted)).collect();
    // The best place of each program first, so that a deadline cuts off the spare ones.
    let longest = per_program.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn =
        (0..longest).flat_map(|at| per_program.iter().filter_map(move |questions| questions.get(at).cloned()));
    search.prober.ask_all(&in_turn.collect::<Vec<_>>());
}

fn provider(search: &Search<'_>, one: &ProviderToCheck, runners: &[RunnerReport], has_runtime: bool) -> ProviderReport {
    let cli = one.cli.as_ref().map(|spec| search.cli(spec));
    let runner_missing = runners.iter().any(|runner| runner.provider == one.id && runner.path.is_none());
    let needs_runtime = one.runner.is_some() && !one.has_stand_in;
    let cli_missing = cli.as_ref().is_some_and(|cli| cli.found.is_none());
    let mut report = ProviderReport {
        id: one.id.clone(),
        name: one.name.clone(),
        needs_cli: one.cli.is_some(),
        usable: !cli_missing && !runner_missing && (has_runtime || !needs_runtime),
        found: None,
        candidates: Vec::new(),
        problem: None,
        fix: None,
        warnings: one.warnings.clone(),
    };
    if one.runner.is_some() && one.has_stand_in && !has_runtime {
        report.warnings.push("there is no JavaScript runtime for its runner, so it is driven without one".to_owned());
    }
    if let Some(cli) = cli {
        report.warnings.extend(cli.warning());
        report.found = cli.found.as_ref().map(Found::from);
        (report.candidates, report.problem, report.fix) = (cli.candidates, cli.problem, cli.fix);
    }
    if report.problem.is_none() && runner_missing {
        let runner = one.runner.as_deref().unwrap_or_default();
        report.problem = Some(format!("its runner {runner} is missing"));
        report.fix = Some(remedy_for_missing_runner(runner).to_owned());
    } else if report.problem.is_none() && needs_runtime && !has_runtime {
        report.problem = Some("there is no JavaScript runtime to run it with".to_owned());
        report.fix = Some("install Node 18.17 or newer, or Deno 2".to_owned());
    }
    report
}

fn runtime(one: &OfKind, chosen: Option<RuntimeKind>) -> RuntimeReport {
    let (name, min) = (one.kind.name(), one.kind.min_version());
    let chosen = chosen == Some(one.kind);
    let found = one.found.as_ref().map(Found::from);
    let there = one.candidates.iter().find(|c| matches!(c.verdict, Verdict::TooOld | Verdict::Broken));
    let problem = match (&found, there) {
        (Some(_), _) => None,
        (None, Some(candidate)) => Some(format!("{}: {}", candidate.path, candidate.reason)),
        (None, None) => Some("not installed".to_owned()),
    };
    let fix = (found.is_none() && !chosen)
        .then(|| format!("only needed if no other runtime is there: install {name} {min} or newer"));
    RuntimeReport {
        id: name.to_owned(),
        chosen,
        min_version: min.to_string(),
        found,
        candidates: one.candidates.clone(),
        problem,
        fix,
    }
}

fn runner(options: &DoctorOptions, provider: &ProviderToCheck) -> Option<RunnerReport> {
    let name = provider.runner.clone()?;
    let (path, tried) = match options.runners.find(&name) {
        Ok(path) => (Some(path.display().to_string()), Vec::new()),
        Err(error) => (None, error.tried.iter().map(|path| path.display().to_string()).collect()),
    };
    Some(RunnerReport { provider: provider.id.clone(), name, path, tried })
}

fn place(places: &Places, name: &'static str, path: &Path, counted: Instant) -> PlaceReport {
    let problem = places.prepare_one(name, path).err().map(|error| error.to_string());
    let shown = path.display().to_string();
    PlaceReport {
        name: name.to_owned(),
        path: shown,
        writable: problem.is_none(),
        free_bytes: free_bytes(path),
        used_bytes: disk_use::used_bytes(path, counted),
        problem,
    }
}

#[cfg(unix)]
fn free_bytes(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

fn environment_report(env: &Environment) -> EnvironmentReport {
    let source = match &env.source {
        EnvSource::LoginShell { shell, interactive, age } => EnvironmentSource::LoginShell {
            shell: shell.display().to_string(),
            interactive: *interactive,
            age_seconds: age.map(|age| age.as_secs()),
        },
        EnvSource::OwnProcess { reason } => EnvironmentSource::OwnProcess { reason: reason.clone() },
    };
    let folder = |entry: &crate::environment::PathEntry| PathFolder {
        folder: entry.folder.display().to_string(),
        from_login_shell: entry.from_login_shell,
    };
    EnvironmentReport {
        source,
        workspace: env.workspace.display().to_string(),
        took_ms: env.took_ms,
        path_entries: env.path.iter().map(folder).collect(),
        unreadable: env.unreadable.clone(),
    }
}
