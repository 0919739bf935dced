//! Which JavaScript runtime executes the runners?
//!
//! Responsible for the order (deno, node, bun), the least versions, and the arguments before a script.

use std::path::{Path, PathBuf};

use protocol::doctor::{Candidate, Found, FoundBy};
use semver::Version;

use crate::decision::{Search, Taken, Wanted, list};
use crate::environment::Environment;
use crate::places::Places;
use crate::settings::Settings;

/// A kind of runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeKind {
    /// Deno 2 or newer.
    Deno,
    /// Node 18.17 or newer, which Debian 12 has: the runners pass their tests on it.
    Node,
    /// Bun 1.1 or newer.
    Bun,
}

impl RuntimeKind {
    /// All kinds, best first.
    pub const ALL: [Self; 3] = [Self::Deno, Self::Node, Self::Bun];

    /// Its name, of the program and in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deno => "deno",
            Self::Node => "node",
            Self::Bun => "bun",
        }
    }

    /// The least version that will do.
    #[must_use]
    pub fn min_version(self) -> Version {
        match self {
            Self::Deno => Version::new(2, 0, 0),
            Self::Node => Version::new(18, 17, 0),
            Self::Bun => Version::new(1, 1, 0),
        }
    }

    /// Arguments before the script. A runner is our own code and needs what any program may do; what it must not do is
    /// pick up a `deno.json` or a lock file of the workspace.
    #[must_use]
    pub fn args(self) -> &'static [&'static str] {
        match self {
            Self::Deno => &["run", "--allow-all", "--no-prompt", "--quiet", "--no-config", "--no-lock"],
            Self::Node => &[],
            Self::Bun => &["run", "--no-install"],
        }
    }

    /// By the program's name: `/opt/node-22/bin/node`, `bun.exe`.
    fn of(program: &Path) -> Option<Self> {
        let name = program.file_stem()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| name.starts_with(kind.name()))
    }
}

/// A runtime that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRuntime {
    /// Its kind.
    pub kind: RuntimeKind,
    /// As it was found; start this one, through [`crate::launch()`].
    pub path: PathBuf,
    /// The file behind the links at the time of looking.
    pub resolved: PathBuf,
    /// How it was found.
    pub source: FoundBy,
    /// Its version; `None` if it did not name one in time and no other runtime was there.
    pub version: Option<String>,
    /// Arguments before the script.
    pub args: Vec<String>,
}

/// What came of looking for a runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeSearch {
    /// The runtime.
    pub found: Option<FoundRuntime>,
    /// Every place by kind, with what became of it.
    pub candidates: Vec<(RuntimeKind, Candidate)>,
    /// What is wrong, if nothing was found.
    pub problem: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

impl RuntimeSearch {
    /// Every place with what became of it, a line each: the detail of an error.
    #[must_use]
    pub fn detail(&self) -> String {
        list(&self.candidates.iter().map(|(_, candidate)| candidate.clone()).collect::<Vec<_>>())
    }
}

/// One kind, and what came of looking for it.
#[derive(Debug, Clone)]
pub(crate) struct OfKind {
    pub(crate) kind: RuntimeKind,
    pub(crate) found: Option<FoundRuntime>,
    pub(crate) candidates: Vec<Candidate>,
}

/// Looks for a runtime, anew at each call. `chosen` is a path set by hand, which wins over everything; where the
/// settings are at hand, [`Search::runtime`] goes by them.
#[must_use]
pub fn find_runtime(env: &Environment, chosen: Option<&Path>) -> RuntimeSearch {
    let mut settings = Places::find().map_or_else(|_| Settings::default(), |places| Settings::at(&places.config));
    settings.paths.extend(chosen.map(|path| ("runtime".to_owned(), path.to_owned())));
    Search::usual(env, &settings).runtime()
}

impl Search<'_> {
    /// Looks for a runtime: the one that `runtime` in the settings (or `OUTRIGGER_RUNTIME_PATH`) names, else the
    /// first kind that is there and new enough.
    #[must_use]
    pub fn runtime(&self) -> RuntimeSearch {
        self.choose(self.runtimes_until_found())
    }

    /// The first kind that will do decides; the kinds after it are not asked.
    fn runtimes_until_found(&self) -> Vec<OfKind> {
        for unknown_will_do in [false, true] {
            let mut looked = Vec::new();
            for kind in self.kinds() {
                looked.push(self.of_kind(kind, unknown_will_do));
                if looked.last().is_some_and(|last| last.found.is_some()) {
                    return looked;
                }
            }
            if unknown_will_do {
                return looked;
            }
        }
        Vec::new()
    }

    /// Every kind, for doctor.
    pub(crate) fn all_runtimes(&self) -> Vec<OfKind> {
        let sure: Vec<_> = self.kinds().into_iter().map(|kind| self.of_kind(kind, false)).collect();
        if sure.iter().any(|one| one.found.is_some()) {
            return sure;
        }
        self.kinds().into_iter().map(|kind| self.of_kind(kind, true)).collect()
    }

    pub(crate) fn choose(&self, looked: Vec<OfKind>) -> RuntimeSearch {
        let found = looked.iter().find_map(|one| one.found.clone());
        let by_hand = self.by_hand("runtime");
        let candidates: Vec<_> = looked
            .into_iter()
            .flat_map(|one| one.candidates.into_iter().map(move |candidate| (one.kind, candidate)))
            .collect();
        let problem = found.is_none().then(|| match &by_hand {
            Some((path, _)) => {
                let reason =
                    candidates.first().map_or("it was not looked at", |(_, candidate)| candidate.reason.as_str());
                format!("the JavaScript runtime that was set by hand cannot be used: {}: {reason}", path.display())
            }
            None => "no JavaScript runtime was found that is new enough: deno 2.0, node 18.17 or bun 1.1".to_owned(),
        });
        let file = self.settings.file.display();
        let fix = found.is_none().then(|| {
            format!(
                "install Node 18.17 or newer (https://nodejs.org) or Deno 2 (https://deno.com), or name one by hand: \
                 `runtime = \"/path/to/node\"` under [paths] in {file}"
            )
        });
        RuntimeSearch { found, candidates, problem, fix }
    }

    /// A runtime set by hand is the only one to look at.
    fn kinds(&self) -> Vec<RuntimeKind> {
        match self.by_hand("runtime") {
            Some((path, _)) => vec![RuntimeKind::of(&path).unwrap_or(RuntimeKind::Node)],
            None => RuntimeKind::ALL.to_vec(),
        }
    }

    fn of_kind(&self, kind: RuntimeKind, unknown_will_do: bool) -> OfKind {
        let decision = self.decide(&self.wanted_runtime(kind, unknown_will_do));
        let found = decision.taken.map(|Taken { path, resolved, source, version }| FoundRuntime {
            kind,
            path,
            resolved,
            source,
            version: version.map(|version| version.to_string()),
            args: kind.args().iter().map(|&arg| arg.to_owned()).collect(),
        });
        OfKind { kind, found, candidates: decision.candidates }
    }

    pub(crate) fn wanted_runtime(&self, kind: RuntimeKind, unknown_will_do: bool) -> Wanted {
        Wanted {
            names: vec![kind.name().to_owned()],
            by_hand: self.by_hand("runtime").or_else(|| self.by_hand(kind.name())),
            known: Vec::new(),
            version_args: vec!["--version".to_owned()],
            min: Some(kind.min_version()),
            unknown_will_do,
        }
    }
}

impl From<&FoundRuntime> for Found {
    fn from(found: &FoundRuntime) -> Self {
        Self {
            path: found.path.display().to_string(),
            resolved: found.resolved.display().to_string(),
            source: found.source.clone(),
            version: found.version.clone(),
            in_tested_range: None,
        }
    }
}
