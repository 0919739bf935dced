//! The providers that can be started: manifests from the folders of this machine, and whether what they need is here.

use std::path::Path;

use discovery::{CliSpec, ProviderToCheck, Search};
use protocol::doctor::Verdict;
use protocol::error::{ErrorCode, WireError};
use protocol::provider::{Capabilities, PermissionMode, ProviderInfo};
use protocol::view::ProviderChoice;
use providers::manifest::{Launch, Manifest, ManifestError, Manifests};

use crate::machine::Machine;

/// Reads all manifests. What is wrong with one is told and keeps no other from being used.
#[must_use]
pub fn load(machine: &Machine) -> Manifests {
    let folders = discovery::manifests_dirs(&machine.places, &machine.resource_dirs);
    Manifests::merge(folders.iter().map(|folder| read_folder(folder)))
}

/// The manifest of a provider.
///
/// # Errors
/// When there is none, or it cannot be read; the message names the providers that there are.
pub fn manifest(machine: &Machine, id: &str) -> Result<Manifest, WireError> {
    let manifests = load(machine);
    if let Some(manifest) = manifests.get(id) {
        return Ok(manifest.clone());
    }
    // A manifest that cannot be read has no id; its file is named after it.
    let broken =
        manifests.errors.iter().find(|error| Path::new(&error.file).file_stem().is_some_and(|stem| stem == id));
    if let Some(error) = broken {
        return Err(WireError::new(ErrorCode::BadManifest, error.to_string()));
    }
    let known: Vec<&str> = manifests.providers.keys().map(String::as_str).collect();
    let message = match known.as_slice() {
        [] => format!(
            "there is no provider `{id}`, nor any other: no manifests were found. Reinstall Outrigger, or name the folder that holds runners/ with OUTRIGGER_ROOT"
        ),
        known => format!("there is no provider `{id}`; there are: {}", known.join(", ")),
    };
    Err(WireError::new(ErrorCode::UnknownProvider, message))
}

/// The adapter that folds the events of each provider, by the provider's id.
#[must_use]
pub fn adapters(machine: &Machine) -> Vec<(String, String)> {
    load(machine).providers.into_values().map(|manifest| (manifest.id, manifest.adapter)).collect()
}

/// All providers with what stands in the way of each. Asks programs for their versions; takes a second or two.
#[must_use]
pub fn choices(machine: &Machine, workspace: &Path, refresh: bool) -> Vec<ProviderChoice> {
    let env = machine.environment(workspace, refresh);
    let settings = machine.settings();
    let search = Search::new(&env, &settings, Some(&machine.places.cache));
    let runtime = search.runtime();
    let runners = machine.runners();
    let manifests = load(machine);
    let choice = |manifest: &Manifest| {
        // What stands in for it needs no runtime.
        let no_runtime = if stand_in(&manifests, &manifest.id).is_some() { None } else { runtime.problem.as_deref() };
        let (available, note) = match needs(manifest, &search, &runners, no_runtime) {
            Ok(note) => (true, note),
            Err(note) => (false, note),
        };
        ProviderChoice { provider: manifest.info(), available, note }
    };
    let mut choices: Vec<_> =
        manifests.providers.values().filter(|manifest| manifest.stands_in_for.is_none()).map(choice).collect();
    choices.extend(manifests.errors.iter().map(broken));
    // What can be started stands first; the demo agent, which always can, last among those.
    choices.sort_by_key(|choice| (!choice.available, choice.provider.needs_cli.is_none(), choice.provider.id.clone()));
    choices
}

/// A provider whose manifest cannot be used: it is named after its file, and says what is wrong.
fn broken(error: &ManifestError) -> ProviderChoice {
    let file = Path::new(&error.file);
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let provider = ProviderInfo {
        id: format!("broken:{}", error.file),
        name,
        capabilities: Capabilities::default(),
        models: Vec::new(),
        default_model: None,
        default_permission_mode: PermissionMode::default(),
        needs_cli: None,
        install_hint: None,
    };
    ProviderChoice { provider, available: false, note: error.to_string() }
}

/// The provider that drives the CLI of this one where no JavaScript runtime is found.
#[must_use]
pub fn stand_in<'a>(manifests: &'a Manifests, id: &str) -> Option<&'a Manifest> {
    manifests.providers.values().find(|manifest| manifest.stands_in_for.as_deref() == Some(id))
}

/// Where the provider's CLI was found, or what is missing and what to do.
fn needs(
    manifest: &Manifest,
    search: &Search<'_>,
    runners: &discovery::RunnerSearch,
    no_runtime: Option<&str>,
) -> Result<String, String> {
    if let Launch::Runner { script } = &manifest.launch {
        if let Some(problem) = no_runtime {
            return Err(problem.to_owned());
        }
        runners.find(script).map_err(|error| error.to_string())?;
    }
    let Some(spec) = cli_spec(manifest) else {
        return Ok("built in: no account, no network".to_owned());
    };
    let found = search.cli(&spec);
    let warning = found.warning();
    match found.found {
        Some(cli) => {
            let version = cli.version.as_deref().unwrap_or("unknown version");
            let note = format!("{} ({version})", cli.path.display());
            Ok(warning.map_or(note.clone(), |warning| format!("{note}. {}", sentence(&warning))))
        }
        None => {
            // Where nothing was found, the page shows the command that installs it; where something was, what is wrong with it.
            let nothing = found.candidates.iter().all(|candidate| candidate.verdict == Verdict::Missing);
            let fix = if nothing && spec.install_hint.is_some() { None } else { found.fix };
            Err([found.problem, fix].into_iter().flatten().map(|words| sentence(&words)).collect::<Vec<_>>().join(" "))
        }
    }
}

/// With a capital and a full stop.
fn sentence(words: &str) -> String {
    let mut letters = words.trim_end_matches('.').chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).chain(['.']).collect()
}

/// A provider's CLI, as discovery looks for it.
#[must_use]
pub fn cli_spec(manifest: &Manifest) -> Option<CliSpec> {
    manifest.cli.as_ref().map(|cli| CliSpec {
        // A path that the user set for a CLI holds for whatever drives it.
        id: manifest.stands_in_for.as_ref().unwrap_or(&manifest.id).clone(),
        names: cli.names.clone(),
        candidates: cli.candidates.clone(),
        version_args: cli.version_args.clone(),
        min_version: cli.min_version.clone(),
        tested_versions: cli.tested_versions.clone(),
        install_hint: cli.install_hint.clone(),
    })
}

/// A provider, as doctor looks at it.
#[must_use]
pub fn to_check(manifests: &Manifests, manifest: &Manifest) -> ProviderToCheck {
    let runner = match &manifest.launch {
        Launch::Runner { script } => Some(script.clone()),
        Launch::Driver { .. } => None,
    };
    let strange = &manifest.unknown_keys;
    let strange = (!strange.is_empty())
        .then(|| format!("{} has keys that this version does not know: {}", manifest.file, strange.join(", ")));
    ProviderToCheck {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        cli: cli_spec(manifest),
        runner,
        has_stand_in: stand_in(manifests, &manifest.id).is_some(),
        warnings: strange.into_iter().collect(),
    }
}

/// A manifest that could not be read, as doctor shows it.
#[must_use]
pub fn manifest_error(error: &ManifestError) -> protocol::doctor::ManifestError {
    protocol::doctor::ManifestError { path: error.file.clone(), message: error.to_string() }
}

fn read_folder(folder: &Path) -> Vec<(String, Result<Manifest, ManifestError>)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    files.iter().map(|path| read_manifest(path)).collect()
}

fn read_manifest(path: &Path) -> (String, Result<Manifest, ManifestError>) {
    let file = path.display().to_string();
    let manifest = match std::fs::read_to_string(path) {
        Ok(text) => Manifest::parse(&text, &file),
        Err(error) => Err(ManifestError {
            file: file.clone(),
            key: String::new(),
            problem: format!("the file cannot be read: {error}"),
            remedy: "make it a readable text file, or remove it".to_owned(),
        }),
    };
    (file, manifest)
}
