//! Which environment did the login shell give a moment ago?
//!
//! Responsible for keeping answers on disk, under everything that they depend on: the shell, the workspace, what the
//! shell was started with, and the start-up files' times. That it gave none is kept there too, for a shorter time: a
//! shell that hangs would cost each new process its whole limit. The files can hold the user's keys, so only the user
//! can read them.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::limits::{ENVIRONMENT_FAILURE_VALID, ENVIRONMENT_VALID, ENVIRONMENTS_KEPT};
use serde::{Deserialize, Serialize};

use crate::fingerprint::fingerprint;
use crate::login_shell::{ShellAnswer, Variables};
use crate::settings_file::write_whole;

/// Variables that differ between any two terminals and that no start-up file decides by.
const NOISE: [&str; 14] = [
    "_",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "TERM",
    "COLUMNS",
    "LINES",
    "WINDOWID",
    "TERM_SESSION_ID",
    "ITERM_SESSION_ID",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "DESKTOP_STARTUP_ID",
    "XDG_ACTIVATION_TOKEN",
];
/// Start-up files in the home folder.
const AT_HOME: [&str; 14] = [
    ".profile",
    ".bash_profile",
    ".bash_login",
    ".bashrc",
    ".zshenv",
    ".zprofile",
    ".zshrc",
    ".zlogin",
    ".kshrc",
    ".cshrc",
    ".tcshrc",
    ".config/fish/config.fish",
    ".config/mise/config.toml",
    ".tool-versions",
];
/// Start-up files of the machine.
const OF_MACHINE: [&str; 6] =
    ["/etc/profile", "/etc/bash.bashrc", "/etc/environment", "/etc/zprofile", "/etc/zsh/zshrc", "/etc/paths"];
/// Files of a workspace that change the environment in it.
const IN_WORKSPACE: [&str; 6] = [".envrc", "mise.toml", ".mise.toml", ".tool-versions", ".nvmrc", ".node-version"];

/// What a kept answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    shell: PathBuf,
    workspace: PathBuf,
    started_with: String,
}

impl Key {
    pub(crate) fn new(shell: &Path, workspace: &Path, own: &Variables) -> Self {
        let mut text = Vec::new();
        for (name, value) in own.iter().filter(|(name, _)| !NOISE.contains(&name.as_str())) {
            text.extend_from_slice(name.as_bytes());
            text.push(b'=');
            text.extend_from_slice(value.as_bytes());
            text.push(0);
        }
        Self { shell: shell.to_owned(), workspace: workspace.to_owned(), started_with: fingerprint(&text) }
    }

    fn file(&self, folder: &Path) -> PathBuf {
        let text = format!("{}\0{}\0{}", self.shell.display(), self.workspace.display(), self.started_with);
        folder.join(format!("{}.json", fingerprint(text.as_bytes())))
    }

    fn failure_file(&self, folder: &Path) -> PathBuf {
        self.file(folder).with_extension("failure.json")
    }
}

/// The times and sizes of every file that decides what the shell answers.
pub(crate) fn startup_files(workspace: &Path, home: Option<&Path>) -> String {
    let at_home = home.into_iter().flat_map(|home| AT_HOME.iter().map(move |name| home.join(name)));
    let in_workspace = IN_WORKSPACE.iter().map(|name| workspace.join(name));
    let all = at_home.chain(OF_MACHINE.iter().map(PathBuf::from)).chain(in_workspace);
    let text: String = all
        .map(|file| match std::fs::metadata(&file) {
            Ok(meta) => format!("{:?} {};", meta.modified().ok(), meta.len()),
            Err(_) => "-;".to_owned(),
        })
        .collect();
    fingerprint(text.as_bytes())
}

/// An answer with the time it was given.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) age: Duration,
    pub(crate) answer: ShellAnswer,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeptFile {
    format: u32,
    key: Key,
    startup_files: String,
    /// Seconds since 1970.
    taken_at: u64,
    interactive: bool,
    variables: Variables,
    unreadable: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FailureFile {
    format: u32,
    key: Key,
    startup_files: String,
    /// Seconds since 1970.
    failed_at: u64,
    reason: String,
}

/// The answer kept on disk that still holds, or with `any_age` the newest one for this key.
pub(crate) fn recall(cache: &Path, key: &Key, startup_files: &str, any_age: bool) -> Option<Kept> {
    let bytes = std::fs::read(key.file(&folder(cache))).ok()?;
    let kept: KeptFile = serde_json::from_slice(&bytes).ok()?;
    let age = age_of(kept.taken_at, SystemTime::now());
    let holds = kept.startup_files == startup_files && age.is_some_and(|age| age <= ENVIRONMENT_VALID);
    if kept.format != 1 || kept.key != *key || !(holds || any_age) {
        return None;
    }
    let KeptFile { interactive, variables, unreadable, .. } = kept;
    Some(Kept { age: age.unwrap_or_default(), answer: ShellAnswer { variables, unreadable, interactive } })
}

/// Unknown when it was taken in the future: then the clock was set back since.
fn age_of(taken_at: u64, now: SystemTime) -> Option<Duration> {
    now.duration_since(UNIX_EPOCH).ok()?.checked_sub(Duration::from_secs(taken_at))
}

/// Keeps an answer. A cache that cannot be written costs time at the next question and nothing else, so nothing is
/// reported.
pub(crate) fn keep(cache: &Path, key: &Key, startup_files: &str, answer: &ShellAnswer) {
    let folder = folder(cache);
    let taken_at = seconds_since_1970();
    let ShellAnswer { variables, unreadable, interactive } = answer.clone();
    let startup_files = startup_files.to_owned();
    let kept = KeptFile { format: 1, key: key.clone(), startup_files, taken_at, interactive, variables, unreadable };
    if let Ok(bytes) = serde_json::to_vec(&kept) {
        let _ = write_whole(&key.file(&folder), &bytes);
    }
    let _ = std::fs::remove_file(key.failure_file(&folder));
    forget_oldest(&folder);
}

fn forget_oldest(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> =
        entries.flatten().filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    files.sort();
    for (_, file) in files.iter().take(files.len().saturating_sub(ENVIRONMENTS_KEPT)) {
        let _ = std::fs::remove_file(file);
    }
}

/// Why the shell gave nothing a moment ago; only until a start-up file changes.
pub(crate) fn recall_failure(cache: &Path, key: &Key, startup_files: &str) -> Option<String> {
    let bytes = std::fs::read(key.failure_file(&folder(cache))).ok()?;
    let kept: FailureFile = serde_json::from_slice(&bytes).ok()?;
    let is_young = age_of(kept.failed_at, SystemTime::now()).is_some_and(|age| age <= ENVIRONMENT_FAILURE_VALID);
    let holds = kept.format == 1 && kept.key == *key && kept.startup_files == startup_files && is_young;
    holds.then_some(kept.reason)
}

/// Remembers for a short time that the shell gave nothing, so that not every session waits for it.
pub(crate) fn keep_failure(cache: &Path, key: &Key, startup_files: &str, reason: &str) {
    let folder = folder(cache);
    let failed_at = seconds_since_1970();
    let (startup_files, reason) = (startup_files.to_owned(), reason.to_owned());
    let kept = FailureFile { format: 1, key: key.clone(), startup_files, failed_at, reason };
    if let Ok(bytes) = serde_json::to_vec(&kept) {
        let _ = write_whole(&key.failure_file(&folder), &bytes);
    }
    forget_oldest(&folder);
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn folder(cache: &Path) -> PathBuf {
    cache.join("environments")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_answer_of_a_time_that_is_yet_to_come_is_of_unknown_age() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(age_of(1000, at(1060)), Some(Duration::from_secs(60)));
        assert_eq!(age_of(1000, at(1000)), Some(Duration::ZERO));
        assert_eq!((age_of(1001, at(1000)), age_of(u64::MAX, at(1000))), (None, None));
        assert_eq!(age_of(0, UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn an_answer_of_unknown_age_holds_only_where_any_age_will_do() {
        let cache = tempfile::tempdir().unwrap();
        let key = Key::new(Path::new("/bin/sh"), Path::new("/"), &BTreeMap::new());
        let answer = ShellAnswer { variables: BTreeMap::new(), unreadable: Vec::new(), interactive: true };
        keep(cache.path(), &key, "files", &answer);
        assert!(recall(cache.path(), &key, "files", false).is_some());
        let file = key.file(&folder(cache.path()));
        let mut kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        kept["takenAt"] = u64::MAX.into();
        std::fs::write(&file, kept.to_string()).unwrap();
        assert!(recall(cache.path(), &key, "files", false).is_none());
        assert_eq!(recall(cache.path(), &key, "files", true).unwrap().answer, answer);
    }
}
