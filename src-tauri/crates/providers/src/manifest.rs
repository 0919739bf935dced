//! Provider manifests: what a kind of agent needs and can do, as data in TOML.
//!
//! Parses and checks text; finding and reading the files is discovery's business. A manifest that is wrong is an error of its
//! own and never keeps the others from being used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use protocol::provider::{Capabilities, ModelChoice, PermissionMode, ProviderInfo};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::adapter::ADAPTERS;
use crate::confine::Confine;
use crate::driver::{DRIVERS, Driver, Options};

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {key}: {problem}; {remedy}")]
pub struct ManifestError {
    /// The file, as the caller named it.
    pub file: String,
    /// The key that is wrong, or the place in the file when it is no TOML.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// A provider, as its manifest describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The provider's id: lower case letters, digits and hyphens.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The manifest's file, as the caller named it.
    pub file: String,
    /// What is started to drive the agent.
    pub launch: Launch,
    /// The provider that this one stands in for where no JavaScript runtime is found. Lists for choosing leave it out.
    pub stands_in_for: Option<String>,
    /// Which adapter understands its events, one of [`ADAPTERS`].
    pub adapter: String,
    /// The vendor's program; None when the runner is the whole agent.
    pub cli: Option<Cli>,
    /// Which variables the agent gets.
    pub env: EnvRules,
    /// What its CLI needs for itself, whatever its scope.
    pub confine: Confine,
    /// What is used where the user chose nothing.
    pub defaults: Defaults,
    /// What the runner is handed as `providerConfig`; the user's own settings take the place of single keys.
    pub provider_config: Map<String, Value>,
    /// What its manifest promises; the runner's own answer at start is the truth.
    pub capabilities: Capabilities,
    /// Keys that this version does not know, as dotted names. They are kept out, and doctor tells of them.
    pub unknown_keys: Vec<String>,
}

/// What is started to drive an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// A script in `runners/`, or at a path of its own for a provider of the user.
    Runner {
        /// Its file name or path.
        script: String,
    },
    /// The CLI itself, which speaks `stream-json`: no script, no JavaScript runtime.
    Driver(Driver),
}

/// The vendor's program that the user installed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cli {
    /// Names to look for on PATH.
    pub names: Vec<String>,
    /// Places to look at after PATH, in order; `~` is the home folder.
    pub candidates: Vec<String>,
    /// Arguments that make it print its version.
    pub version_args: Vec<String>,
    /// The oldest version that works.
    pub min_version: Option<String>,
    /// Versions that the project's tests run.
    pub tested_versions: Vec<String>,
    /// How to install it.
    pub install_hint: Option<String>,
}

/// Which variables of the user's environment the agent gets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvRules {
    /// Prefixes that are stripped besides the ones that always are.
    pub strip: Vec<String>,
    /// Names that pass all the same.
    pub keep: Vec<String>,
    /// Names without which the agent cannot work.
    pub require: Vec<String>,
    /// The variable that points the CLI to another config folder. Known by itself for claude and codex.
    pub config_dir: Option<String>,
}

/// What is used where the user chose nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Defaults {
    /// The model; None leaves it to the CLI.
    pub model: Option<String>,
    /// The mode.
    pub permission_mode: PermissionMode,
    /// Models to choose from.
    pub models: Vec<ModelChoice>,
}

/// A manifest as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    id: Option<String>,
    name: Option<String>,
    runner: Option<String>,
    driver: Option<String>,
    adapter: Option<String>,
    stands_in_for: Option<String>,
    #[serde(default)]
    args: Vec<String>,
    session_id_field: Option<String>,
    #[serde(default)]
    control: bool,
    #[serde(default)]
    options: Options,
    #[serde(default)]
    since: BTreeMap<String, String>,
    cli: Option<Cli>,
    #[serde(default)]
    env: EnvRules,
    #[serde(default)]
    confine: Confine,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    provider_config: Map<String, Value>,
    #[serde(default)]
    capabilities: Capabilities,
}

impl Manifest {
    /// Reads and checks a manifest. `file` names it in errors.
    ///
    /// # Errors
    /// The first thing that is wrong, with what to do about it.
    pub fn parse(text: &str, file: &str) -> Result<Self, ManifestError> {
        let written: Written = toml::from_str(text).map_err(|error| not_read(&error, text, file))?;
        let unknown_keys = unknown_keys(text);
        check(written, unknown_keys, file).map_err(|(key, problem, remedy)| ManifestError {
            file: file.to_owned(),
            key: place_of(key, text),
            problem,
            remedy,
        })
    }

    /// The provider as pickers and doctor show it.
    #[must_use]
    pub fn info(&self) -> ProviderInfo {
        ProviderInfo {
            id: self.id.clone(),
            name: self.name.clone(),
            capabilities: self.capabilities,
            models: self.defaults.models.clone(),
            default_model: self.defaults.model.clone(),
            default_permission_mode: self.defaults.permission_mode,
            needs_cli: self.cli.as_ref().and_then(|cli| cli.names.first().cloned()),
            install_hint: self.cli.as_ref().and_then(|cli| cli.install_hint.clone()),
        }
    }

    /// The settings for the runner: the manifest's, with the user's own in their place.
    #[must_use]
    pub fn provider_config_with(&self, own: Option<Value>) -> Option<Value> {
        if self.provider_config.is_empty() {
            return own;
        }
        let mut config = self.provider_config.clone();
        match own {
            Some(Value::Object(own)) => config.extend(own),
            Some(own) => return Some(own),
            None => {}
        }
        Some(Value::Object(config))
    }

    /// The variable that points the agent's CLI to another config folder, if it has one.
    #[must_use]
    pub fn config_dir_variable(&self) -> Option<&str> {
        self.env.config_dir.as_deref().or(match self.adapter.as_str() {
            "claude" => Some("CLAUDE_CONFIG_DIR"),
            "codex" => Some("CODEX_HOME"),
            _ => None,
        })
    }
}

/// The providers that can be used, and the manifests that cannot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifests {
    /// By id.
    pub providers: BTreeMap<String, Manifest>,
    /// What is wrong with the others.
    pub errors: Vec<ManifestError>,
}

impl Manifests {
    /// Puts the manifests of several folders together: a later folder's provider takes the place of an earlier one with the same
    /// id, so that users can change the ones that come with the program. Two with the same id in one folder are an error.
    #[must_use]
    pub fn merge<F>(folders: impl IntoIterator<Item = F>) -> Self
    where
        F: IntoIterator<Item = (String, Result<Manifest, ManifestError>)>,
    {
        let mut merged = Self::default();
        for folder in folders {
            let mut seen: BTreeMap<String, String> = BTreeMap::new();
            for (file, manifest) in folder {
                match manifest {
                    Ok(manifest) => merged.add(manifest, file, &mut seen),
                    Err(error) => merged.errors.push(error),
                }
            }
        }
        merged
    }

    fn add(&mut self, manifest: Manifest, file: String, seen: &mut BTreeMap<String, String>) {
        if let Some(first) = seen.get(&manifest.id) {
            let problem = format!("{} has the id `{}` already", first, manifest.id);
            let remedy = "give one of the two another id".to_owned();
            return self.errors.push(ManifestError { file, key: "id".to_owned(), problem, remedy });
        }
        seen.insert(manifest.id.clone(), file);
        self.providers.insert(manifest.id.clone(), manifest);
    }

    /// The provider of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Manifest> {
        self.providers.get(id)
    }
}

/// Key, problem, remedy.
pub(crate) type Wrong = (&'static str, String, String);

fn check(mut written: Written, unknown_keys: Vec<String>, file: &str) -> Result<Manifest, Wrong> {
    let id = given(written.id.take(), "id", "add a line such as `id = \"my-agent\"`")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !id.chars().all(plain) || !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        let remedy = "use lower case letters, digits and hyphens, a letter first".to_owned();
        return Err(("id", format!("`{id}` is no provider id"), remedy));
    }
    let name = given(written.name.take(), "name", "add the name that people shall read")?;
    let adapter = given(written.adapter.take(), "adapter", &format!("name one of {}", listed(&ADAPTERS)))?;
    if !ADAPTERS.contains(&adapter.as_str()) {
        let remedy = format!("use one of {}; `raw` shows every event as it came", listed(&ADAPTERS));
        return Err(("adapter", format!("there is no adapter `{adapter}`"), remedy));
    }
    let cli = written.cli.take().map(|cli| check_cli(cli, file)).transpose()?;
    check_env(&written.env)?;
    crate::confine::check(&written.confine)?;
    let (env, defaults, capabilities) = (written.env.clone(), written.defaults.clone(), written.capabilities);
    let confine = std::mem::take(&mut written.confine);
    let provider_config = std::mem::take(&mut written.provider_config);
    let stands_in_for = written.stands_in_for.take();
    let launch = launch(written, cli.is_some(), file)?;
    let file = file.to_owned();
    Ok(Manifest {
        id,
        name,
        file,
        launch,
        stands_in_for,
        adapter,
        cli,
        env,
        confine,
        defaults,
        provider_config,
        capabilities,
        unknown_keys,
    })
}

fn given(value: Option<String>, key: &'static str, remedy: &str) -> Result<String, Wrong> {
    match value.map(|value| value.trim().to_owned()) {
        None => Err((key, "it is missing".to_owned(), remedy.to_owned())),
        Some(value) if value.is_empty() => Err((key, "it is empty".to_owned(), remedy.to_owned())),
        Some(value) => Ok(value),
    }
}

fn launch(written: Written, has_cli: bool, file: &str) -> Result<Launch, Wrong> {
    let Written { runner, driver, args, session_id_field, control, options, since, .. } = written;
    match (runner, driver) {
        (Some(_), Some(_)) => {
            Err(("driver", "a runner is given too".to_owned(), "keep one of `runner` and `driver`".to_owned()))
        }
        (None, None) => {
            let remedy = format!("name a script as `runner`, or one of {} as `driver`", listed(&DRIVERS));
            Err(("runner", "neither `runner` nor `driver` is given".to_owned(), remedy))
        }
        (Some(script), None) => {
            let script = given(Some(script), "runner", "name a script in runners/, or `./my.mjs` beside the manifest")?;
            Ok(Launch::Runner { script: beside(file, script) })
        }
        (None, Some(protocol)) if !DRIVERS.contains(&protocol.as_str()) => {
            let remedy = format!("use one of {}, or write a runner", listed(&DRIVERS));
            Err(("driver", format!("there is no driver `{protocol}`"), remedy))
        }
        (None, Some(_)) if !has_cli => {
            Err(("cli", "a driver needs a CLI to start".to_owned(), "add a table [cli] with `names`".to_owned()))
        }
        (None, Some(_)) => {
            let session_id_field = session_id_field.unwrap_or_else(|| "session_id".to_owned());
            let driver = Driver { args, session_id_field, control, options, since };
            driver.check()?;
            Ok(Launch::Driver(driver))
        }
    }
}

/// `./script` is beside the manifest, wherever the program that reads it runs.
fn beside(file: &str, path: String) -> String {
    let folder = Path::new(file).parent().filter(|folder| folder.is_absolute());
    match (path.strip_prefix("./"), folder) {
        (Some(name), Some(folder)) => folder.join(name).display().to_string(),
        (Some(_) | None, _) => path,
    }
}

/// A bare name would be looked for wherever the program happens to run.
fn is_place(path: &str) -> bool {
    path.starts_with(['~', '.']) || Path::new(path).is_absolute() || path.contains(':')
}

fn check_cli(mut cli: Cli, file: &str) -> Result<Cli, Wrong> {
    cli.names.retain(|name| !name.trim().is_empty());
    cli.candidates = cli.candidates.into_iter().map(|path| beside(file, path)).collect();
    if cli.names.is_empty() && cli.candidates.is_empty() {
        return Err((
            "cli.names",
            "no program is named".to_owned(),
            "add the program's name, or a place where it is as `candidates`, or leave [cli] out".to_owned(),
        ));
    }
    if let Some(path) = cli.candidates.iter().find(|path| !is_place(path)) {
        let remedy = format!("write `./{path}` for a file beside the manifest, an absolute path, or one below `~`");
        return Err(("cli.candidates", format!("`{path}` is no place"), remedy));
    }
    if let Some(version) = &cli.min_version
        && !is_version(version)
    {
        let remedy = "write numbers with dots, such as \"2.0.0\"".to_owned();
        return Err(("cli.minVersion", format!("`{version}` is no version"), remedy));
    }
    let version_args = if cli.version_args.is_empty() { vec!["--version".to_owned()] } else { cli.version_args };
    Ok(Cli { version_args, ..cli })
}

pub(crate) fn is_version(version: &str) -> bool {
    version.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn check_env(env: &EnvRules) -> Result<(), Wrong> {
    let lists = [("env.strip", &env.strip), ("env.keep", &env.keep), ("env.require", &env.require)];
    for (key, names) in lists {
        if let Some(name) = names.iter().find(|name| !crate::environment::is_name(name)) {
            let remedy = "use letters, digits and underscores".to_owned();
            return Err((key, format!("`{name}` is no name of a variable"), remedy));
        }
    }
    match &env.config_dir {
        Some(name) if !crate::environment::is_name(name) => Err((
            "env.configDir",
            format!("`{name}` is no name of a variable"),
            "use letters, digits and underscores".to_owned(),
        )),
        Some(_) | None => Ok(()),
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The key, with its line in the file where it stands there.
fn place_of(key: &str, text: &str) -> String {
    let (table, name) = key.rsplit_once('.').map_or((None, key), |(table, name)| (Some(table), name));
    let mut inside: Option<&str> = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = Some(line.trim_start_matches('[').split(']').next().unwrap_or_default().trim());
            if table.is_none() && inside == Some(name) {
                return format!("line {}: {key}", at + 1);
            }
        } else if inside == table && line.split_once('=').is_some_and(|(word, _)| word.trim() == name) {
            return format!("line {}: {key}", at + 1);
        }
    }
    key.to_owned()
}

fn not_read(error: &toml::de::Error, text: &str, file: &str) -> ManifestError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let written = text.lines().nth(line - 1).unwrap_or_default();
    let key = written.split_once('=').map_or(written, |(key, _)| key).trim();
    let key = if key.is_empty() { format!("line {line}") } else { format!("line {line}: {key}") };
    let remedy = "correct the line; runners/README.md lists the keys and their types".to_owned();
    ManifestError { file: file.to_owned(), key, problem: error.message().to_owned(), remedy }
}

/// The keys of the manifest that this version does not know.
fn unknown_keys(text: &str) -> Vec<String> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let mut unknown = Vec::new();
    for (key, value) in &table {
        match (known(key), value.as_table()) {
            (None, _) => unknown.push(key.clone()),
            // Their keys are the CLI's flags, or the runner's own.
            (Some(_), Some(_)) if key == "since" || key == "providerConfig" => {}
            (Some(inner), Some(table)) => {
                let strange = table.keys().filter(|name| !inner.contains(&name.as_str()));
                unknown.extend(strange.map(|name| format!("{key}.{name}")));
            }
            (Some(_), None) => {}
        }
    }
    unknown.into_iter().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The known keys inside of a known key.
fn known(key: &str) -> Option<&'static [&'static str]> {
    match key {
        "id" | "name" | "runner" | "driver" | "adapter" | "args" | "sessionIdField" | "control" | "standsInFor" => {
            Some(&[])
        }
        "since" | "providerConfig" => Some(&[]),

        "options" => Some(&[
            "newSession",
            "resume",
            "continue",
            "model",
            "systemPrompt",
            "maxTurns",
            "additionalDirectory",
            "mcpServers",
            "worktree",
            "permissionMode",
            "config",
        ]),
        "cli" => Some(&["names", "candidates", "versionArgs", "minVersion", "testedVersions", "installHint"]),
        "env" => Some(&["strip", "keep", "require", "configDir"]),
        "confine" => Some(&["config", "write", "read"]),
        "defaults" => Some(&["model", "permissionMode", "models"]),
        "capabilities" => {
            Some(&["steer", "interrupt", "resume", "permissions", "setModel", "images", "mcp", "partials", "cost"])
        }
        _ => None,
    }
}
