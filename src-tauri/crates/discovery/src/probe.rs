//! What does a program say when it is asked for its version?
//!
//! Responsible for asking, many programs at a time and each within a limit, and for not asking twice. Judging the
//! answer is done in `decision`.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use protocol::limits::{PROBES_AT_ONCE, VERSION_PROBE};
use semver::Version;

use crate::capture::{Captured, End, capture, last_line};
use crate::environment::Environment;
use crate::executable::interpreter_by_env;
use crate::launch::{env_patch, finds, launch};
use crate::version::version_in;
use crate::version_cache::{VersionCache, key};

/// A question: this program, with these arguments.
pub(crate) type Question = (PathBuf, Vec<String>);

/// What a program said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A version.
    Version(Version),
    /// It ran well and named no version.
    Unclear { said: String },
    /// It did not answer in time.
    Silent { after: Duration },
    /// It could not be started, or failed.
    Failed { reason: String },
}

/// Asks programs for their versions.
#[derive(Debug)]
pub(crate) struct Prober<'a> {
    env: &'a Environment,
    /// When everything must be answered.
    deadline: Option<Instant>,
    answers: Mutex<HashMap<Question, Answer>>,
    cache: Mutex<VersionCache>,
}

impl<'a> Prober<'a> {
    pub(crate) fn new(env: &'a Environment, cache: Option<&Path>, deadline: Option<Instant>) -> Self {
        Self { env, deadline, answers: Mutex::default(), cache: Mutex::new(VersionCache::open(cache)) }
    }

    /// Asks one program, or repeats what it said before.
    pub(crate) fn ask(&self, question: &Question) -> Answer {
        if let Some(answer) = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get(question) {
            return answer.clone();
        }
        let answer = self.ask_now(question);
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(question.clone(), answer.clone());
        answer
    }

    /// Asks many programs side by side, so that the slowest decides and not the sum.
    pub(crate) fn ask_all(&self, questions: &[Question]) {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..questions.len().min(PROBES_AT_ONCE) {
                scope.spawn(|| {
                    while let Some(question) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
                        self.ask(question);
                    }
                });
            }
        });
    }

    /// Writes what was learned for the next search.
    pub(crate) fn save(&self) {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).save();
    }

    fn ask_now(&self, (path, args): &Question) -> Answer {
        let launch = match launch(path) {
            Ok(launch) => launch,
            Err(error) => return Answer::Failed { reason: error.to_string() },
        };
        let (path_name, path_value) = env_patch(self.env, path, None);
        // Asked before the cache, because what it says would outlive an interpreter that was removed.
        if let Some(interpreter) = interpreter_by_env(&launch.resolved)
            && !finds(&path_value, &interpreter)
        {
            return Answer::Failed {
                reason: format!("it is a script for {interpreter}, which is not in PATH and not beside it"),
            };
        }
        let key = key(path, &launch.resolved, args);
        let recalled = key
            .as_ref()
            .and_then(|key| self.cache.lock().unwrap_or_else(PoisonError::into_inner).recall(key).and_then(version_in));
        if let Some(version) = recalled {
            return Answer::Version(version);
        }
        let left = self.deadline.map_or(VERSION_PROBE, |deadline| deadline.saturating_duration_since(Instant::now()));
        let limit = left.min(VERSION_PROBE);
        if limit.is_zero() {
            return Answer::Silent { after: limit };
        }
        let mut command = Command::new(&launch.program);
        command.args(&launch.args).args(args).env_clear().envs(&self.env.vars).env(path_name, path_value);
        command.current_dir(&self.env.workspace);
        let answer = understand(capture(command, limit, &|_| false), limit);
        if let (Answer::Version(version), Some(key)) = (&answer, key) {
            self.cache.lock().unwrap_or_else(PoisonError::into_inner).keep(key, version.to_string());
        }
        answer
    }
}

fn understand(captured: io::Result<Captured>, limit: Duration) -> Answer {
    let captured = match captured {
        Ok(captured) => captured,
        Err(error) => return Answer::Failed { reason: format!("it could not be started: {error}") },
    };
    let stdout = String::from_utf8_lossy(&captured.stdout);
    match captured.end {
        End::OutOfTime => Answer::Silent { after: limit },
        End::Exited(status) if !status.success() => {
            let said =
                if captured.stderr.is_empty() { last_line(&captured.stdout) } else { last_line(&captured.stderr) };
            let said = if said.is_empty() { said } else { format!(": {said}") };
            Answer::Failed { reason: format!("it failed when asked for its version ({status}){said}") }
        }
        End::Exited(_) | End::Enough | End::TooMuch => match version_in(&stdout) {
            Some(version) => Answer::Version(version),
            None => Answer::Unclear { said: last_line(&captured.stdout) },
        },
    }
}
