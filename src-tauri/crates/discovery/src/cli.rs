//! Where is the user's agent CLI?
//!
//! Responsible for turning what a provider says about its CLI into a search, and the result into words. Which
//! providers there are, and what they are called, is the caller's data.

use std::path::PathBuf;

use protocol::doctor::{Candidate, Found, FoundBy};

use crate::decision::{Search, Wanted, list, why_not};
use crate::environment::Environment;
use crate::settings::{Settings, expand_in};
use crate::version::{in_tested_range, parse, untested};

/// What a provider says about its CLI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CliSpec {
    /// The provider's id: the key in the settings, and part of the variable `OUTRIGGER_<ID>_PATH`.
    pub id: String,
    /// Names of the program, best first.
    pub names: Vec<String>,
    /// Places to look at after PATH; `~` is the home folder.
    pub candidates: Vec<String>,
    /// Arguments that make it print its version. Empty means `--version`.
    pub version_args: Vec<String>,
    /// The least version that will do.
    pub min_version: Option<String>,
    /// Versions that Outrigger was tested with.
    pub tested_versions: Vec<String>,
    /// How to install it.
    pub install_hint: Option<String>,
}

/// A CLI that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCli {
    /// As it was found. Start this one, through [`crate::launch()`], so that links are followed at each start.
    pub path: PathBuf,
    /// The file behind the links at the time of looking; for people.
    pub resolved: PathBuf,
    /// How it was found.
    pub source: FoundBy,
    /// Its version; `None` if it did not name one in time.
    pub version: Option<String>,
    /// Whether the version lies between those that were tested; `None` if that is not known.
    pub in_tested_range: Option<bool>,
}

/// What came of looking for a CLI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliSearch {
    /// The CLI.
    pub found: Option<FoundCli>,
    /// Every place with what became of it.
    pub candidates: Vec<Candidate>,
    /// What is wrong, if nothing was found.
    pub problem: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
    /// Versions that Outrigger was tested with.
    pub tested_versions: Vec<String>,
}

impl CliSearch {
    /// What to know of the version that was found.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let version = self.found.as_ref()?.version.as_deref().and_then(parse)?;
        untested(&version, &self.tested_versions)
    }

    /// Every place with what became of it, a line each: the detail of an error.
    #[must_use]
    pub fn detail(&self) -> String {
        list(&self.candidates)
    }
}

/// Looks for a CLI, anew at each call; a version is remembered only for an unchanged file.
#[must_use]
pub fn find_cli(spec: &CliSpec, env: &Environment, settings: &Settings) -> CliSearch {
    Search::usual(env, settings).cli(spec)
}

impl Search<'_> {
    /// Looks for a CLI.
    #[must_use]
    pub fn cli(&self, spec: &CliSpec) -> CliSearch {
        let wanted = self.wanted_cli(spec);
        let decision = self.decide(&wanted);
        let found = decision.taken.map(|taken| FoundCli {
            in_tested_range: taken.version.as_ref().and_then(|version| in_tested_range(version, &spec.tested_versions)),
            path: taken.path,
            resolved: taken.resolved,
            source: taken.source,
            version: taken.version.map(|version| version.to_string()),
        });
        let name = spec.names.first().unwrap_or(&spec.id);
        let problem = found.is_none().then(|| why_not(name, &wanted, &decision.candidates));
        let fix = found.is_none().then(|| self.fix(spec, name, &wanted));
        let tested_versions = spec.tested_versions.clone();
        CliSearch { found, candidates: decision.candidates, problem, fix, tested_versions }
    }

    pub(crate) fn wanted_cli(&self, spec: &CliSpec) -> Wanted {
        let home = self.env.home();
        let version_args =
            if spec.version_args.is_empty() { vec!["--version".to_owned()] } else { spec.version_args.clone() };
        Wanted {
            names: spec.names.clone(),
            by_hand: self.by_hand(&spec.id),
            known: spec
                .candidates
                .iter()
                .map(|path| expand_in(path, home.as_deref()))
                .filter(|p| p.is_absolute())
                .collect(),
            version_args,
            min: spec.min_version.as_deref().and_then(parse),
            unknown_will_do: true,
        }
    }

    /// The path that the user set: by a variable, which is for one start, before the settings, which are for all.
    pub(crate) fn by_hand(&self, id: &str) -> Option<(PathBuf, FoundBy)> {
        let name = variable_for(id);
        let variable = self.env.vars.get(&name).filter(|path| !path.is_empty());
        let home = self.env.home();
        let by_variable = variable.map(|path| (expand_in(path, home.as_deref()), FoundBy::Variable { name }));
        by_variable.or_else(|| self.settings.paths.get(id).map(|path| (path.clone(), FoundBy::Settings)))
    }

    fn fix(&self, spec: &CliSpec, name: &str, wanted: &Wanted) -> String {
        let file = self.settings.file.display();
        match &wanted.by_hand {
            Some((_, FoundBy::Variable { name })) => format!("correct or unset {name}"),
            Some(_) => format!("correct or remove `{}` under [paths] in {file}", spec.id),
            None => {
                let install =
                    spec.install_hint.as_deref().map(|hint| format!("install it: {hint}; or ")).unwrap_or_default();
                format!("{install}name it by hand: `{} = \"/path/to/{name}\"` under [paths] in {file}", spec.id)
            }
        }
    }
}

/// `OUTRIGGER_CLAUDE_PATH` for `claude`.
fn variable_for(id: &str) -> String {
    let id: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("OUTRIGGER_{id}_PATH")
}

impl From<&FoundCli> for Found {
    fn from(found: &FoundCli) -> Self {
        Self {
            path: found.path.display().to_string(),
            resolved: found.resolved.display().to_string(),
            source: found.source.clone(),
            version: found.version.clone(),
            in_tested_range: found.in_tested_range,
        }
    }
}
