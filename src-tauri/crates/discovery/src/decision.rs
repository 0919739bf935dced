//! Which of the places where a program may be is taken, and why not the others?
//!
//! Responsible for the order (set by hand, PATH, known places, managers' folders) and for a verdict on every place.
//! It knows neither CLIs nor runtimes: what is wanted is handed in by `cli` and `runtime`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use protocol::doctor::{Candidate, FoundBy, Verdict};
use semver::Version;

use crate::environment::Environment;
use crate::executable::{FileState, look, program_in};
use crate::places::Places;
use crate::probe::{Answer, Prober, Question};
use crate::program_folders::{Folder, program_folders};
use crate::settings::Settings;

/// One look around: what it learns about programs' versions is shared by all its questions.
#[derive(Debug)]
pub struct Search<'a> {
    pub(crate) env: &'a Environment,
    pub(crate) settings: &'a Settings,
    pub(crate) prober: Prober<'a>,
    folders: Vec<Folder>,
    thorough: bool,
}

/// A program that is looked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) names: Vec<String>,
    /// Only this one may be taken.
    pub(crate) by_hand: Option<(PathBuf, FoundBy)>,
    /// Places to look at after PATH.
    pub(crate) known: Vec<PathBuf>,
    pub(crate) version_args: Vec<String>,
    pub(crate) min: Option<Version>,
    /// One that does not name its version in time may be taken.
    pub(crate) unknown_will_do: bool,
}

/// What was decided.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub(crate) taken: Option<Taken>,
    pub(crate) candidates: Vec<Candidate>,
}

/// The program that is taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) path: PathBuf,
    pub(crate) resolved: PathBuf,
    pub(crate) source: FoundBy,
    pub(crate) version: Option<Version>,
}

/// A place to look at.
#[derive(Debug, Clone)]
struct Place {
    path: PathBuf,
    source: FoundBy,
}

impl<'a> Search<'a> {
    /// A search that stops at the first program that will do. `cache` is the folder for versions of unchanged programs.
    #[must_use]
    pub fn new(env: &'a Environment, settings: &'a Settings, cache: Option<&Path>) -> Self {
        let folders = program_folders(env);
        Self { env, settings, prober: Prober::new(env, cache, None), folders, thorough: false }
    }

    /// A search that asks every program everywhere and is done at the deadline.
    #[must_use]
    pub fn thorough(env: &'a Environment, settings: &'a Settings, cache: Option<&Path>, deadline: Instant) -> Self {
        let folders = program_folders(env);
        Self { env, settings, prober: Prober::new(env, cache, Some(deadline)), folders, thorough: true }
    }

    /// A search with the cache of this user's own folders.
    pub(crate) fn usual(env: &'a Environment, settings: &'a Settings) -> Self {
        Self::new(env, settings, Places::find().ok().map(|places| places.cache).as_deref())
    }

    /// What has to be asked for a program; asking it all at once before deciding saves the sum of the waits.
    pub(crate) fn questions(&self, wanted: &Wanted) -> Vec<Question> {
        let places = self.places(wanted).into_iter();
        let programs = places.filter(|place| matches!(look(&place.path), FileState::Program { .. }));
        let mut seen = HashSet::new();
        programs
            .filter(|place| seen.insert(same_program(&place.path)))
            .map(|place| (place.path, wanted.version_args.clone()))
            .collect()
    }

    /// Decides on one program.
    pub(crate) fn decide(&self, wanted: &Wanted) -> Decision {
        let mut taken: Option<Taken> = None;
        let mut seen: HashMap<_, PathBuf> = HashMap::new();
        let mut candidates = Vec::new();
        for place in self.places(wanted) {
            let by_hand = wanted.by_hand.as_ref().is_some_and(|(path, _)| *path == place.path);
            let open = taken.is_none() && (by_hand || wanted.by_hand.is_none());
            let judged = match look(&place.path) {
                FileState::Program { resolved } => match seen.insert(same_program(&place.path), place.path.clone()) {
                    Some(first) => Judged::not_tried(format!("the same program as {}", first.display())),
                    None => self.judge(wanted, &place, resolved, open),
                },
                FileState::Missing => Judged::plain(Verdict::Missing, "nothing is there"),
                FileState::BrokenLink { target } => {
                    let reason = format!("a link to {}, which does not exist", target.display());
                    Judged { verdict: Verdict::Broken, reason, taken: None }
                }
                FileState::NoFile => Judged::plain(Verdict::Broken, "no file"),
                FileState::NotExecutable => {
                    Judged::plain(Verdict::Broken, "this user may not execute it; `chmod +x` makes it a program")
                }
            };
            let version = judged.taken.as_ref().and_then(|taken| taken.version.as_ref()).map(Version::to_string);
            let path = place.path.display().to_string();
            candidates.push(Candidate {
                path,
                source: place.source,
                version,
                verdict: judged.verdict,
                reason: judged.reason,
            });
            if judged.verdict == Verdict::Chosen {
                taken = judged.taken;
            }
        }
        self.prober.save();
        Decision { taken, candidates }
    }

    fn judge(&self, wanted: &Wanted, place: &Place, resolved: PathBuf, open: bool) -> Judged {
        if !open && !self.thorough {
            return Judged::not_tried("another one was decided on before".to_owned());
        }
        let answer = self.prober.ask(&(place.path.clone(), wanted.version_args.clone()));
        let taken = |version| Some(Taken { path: place.path.clone(), resolved, source: place.source.clone(), version });
        let good = |reason: String| match (open, &wanted.by_hand) {
            (true, _) => (Verdict::Chosen, reason),
            (false, Some((path, _))) => {
                (Verdict::Spare, format!("not used, because {} was set by hand", path.display()))
            }
            (false, None) => (Verdict::Spare, "it would do, but an earlier one is used".to_owned()),
        };
        let unknown = |reason: String| if wanted.unknown_will_do { good(reason) } else { (Verdict::Broken, reason) };
        let (verdict, reason, version) = match answer {
            Answer::Version(version) => match &wanted.min {
                Some(min) if version < *min => {
                    (Verdict::TooOld, format!("version {version}; {min} or newer is needed"), Some(version))
                }
                Some(_) | None => {
                    let (verdict, reason) = good("the first that will do".to_owned());
                    (verdict, reason, Some(version))
                }
            },
            Answer::Silent { after } => {
                let (verdict, reason) = unknown(format!("version unknown: no answer within {} ms", after.as_millis()));
                (verdict, reason, None)
            }
            Answer::Unclear { said } => {
                let (verdict, reason) = unknown(format!("version unknown: it said {said:?}"));
                (verdict, reason, None)
            }
            Answer::Failed { reason } => (Verdict::Broken, reason, None),
        };
        Judged { verdict, reason, taken: taken(version) }
    }

    /// Every place, each once, in the order in which they are preferred.
    fn places(&self, wanted: &Wanted) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        let mut add = |path: PathBuf, source: FoundBy| {
            if places.iter().all(|place| place.path != path) {
                places.push(Place { path, source });
            }
        };
        if let Some((path, source)) = wanted.by_hand.clone() {
            add(path, source);
        }
        for entry in self.env.path.iter().filter(|entry| entry.folder.is_absolute()) {
            let source = if entry.from_login_shell { FoundBy::LoginPath } else { FoundBy::OwnPath };
            wanted.names.iter().for_each(|name| add(program_in(&entry.folder, name), source.clone()));
        }
        wanted.known.iter().for_each(|path| add(path.clone(), FoundBy::KnownPlace));
        for (folder, source) in &self.folders {
            wanted.names.iter().for_each(|name| add(program_in(folder, name), source.clone()));
        }
        places
    }
}

/// Two paths with one name that lead to one file are one program. The name counts, because a manager's shim is one file
/// under many names.
fn same_program(path: &Path) -> (Option<std::ffi::OsString>, PathBuf) {
    (path.file_name().map(ToOwned::to_owned), std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

struct Judged {
    verdict: Verdict,
    reason: String,
    taken: Option<Taken>,
}

impl Judged {
    fn plain(verdict: Verdict, reason: &str) -> Self {
        Self { verdict, reason: reason.to_owned(), taken: None }
    }

    fn not_tried(reason: String) -> Self {
        Self { verdict: Verdict::NotTried, reason, taken: None }
    }
}

/// Why nothing was taken, in one sentence about the program called `name`.
pub(crate) fn why_not(name: &str, wanted: &Wanted, candidates: &[Candidate]) -> String {
    if let Some((path, source)) = &wanted.by_hand {
        let reason = candidates.first().map_or("it was not looked at", |candidate| candidate.reason.as_str());
        let by = match source {
            FoundBy::Variable { name } => format!("the variable {name}"),
            FoundBy::Settings | FoundBy::LoginPath | FoundBy::OwnPath | FoundBy::KnownPlace | FoundBy::Tool { .. } => {
                "the settings".to_owned()
            }
        };
        return format!("`{name}` cannot be used: {by} names {}, and there: {reason}", path.display());
    }
    let there = |verdict| candidates.iter().find(move |candidate| candidate.verdict == verdict);
    match there(Verdict::TooOld).or_else(|| there(Verdict::Broken)) {
        Some(candidate) => format!("`{name}` was found but cannot be used: {}: {}", candidate.path, candidate.reason),
        None => format!("`{name}` was not found in any of {} places", candidates.len()),
    }
}

/// The places where nothing was, for the detail of an error.
pub(crate) fn list(candidates: &[Candidate]) -> String {
    let lines: Vec<_> =
        candidates.iter().map(|candidate| format!("{}: {}", candidate.path, candidate.reason)).collect();
    lines.join("\n")
}
