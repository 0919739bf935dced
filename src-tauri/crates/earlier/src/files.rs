//! Which files of a CLI's folder are conversations, and which are the newest? Told by their names and times alone.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use protocol::limits::EARLIER_LISTED;

use crate::Cli;

/// Folders in folders that are looked into: Codex has one for each year, month and day.
const DEPTH: usize = 3;
/// The digits and dashes of an id.
const ID: usize = 36;

/// A file that looks like a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) file: PathBuf,
    pub(crate) native_id: String,
    changed: SystemTime,
    pub(crate) bytes: u64,
}

impl Found {
    /// When it was changed last, RFC 3339.
    pub(crate) fn changed(&self) -> String {
        Timestamp::try_from(self.changed).unwrap_or_default().to_string()
    }
}

/// The newest, newest first. What cannot be read is passed over: it is not ours to mend.
pub(crate) fn newest(cli: Cli, folder: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    collect(cli, folder, DEPTH, &mut found);
    found.sort_by_key(|found| std::cmp::Reverse(found.changed));
    found.truncate(EARLIER_LISTED);
    found
}

fn collect(cli: Cli, folder: &Path, depth: usize, found: &mut Vec<Found>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        // Links are not followed: a folder that leads back to itself would have no end.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_file() {
            found.extend(conversation(cli, &entry));
        } else if kind.is_dir() && depth > levels_left(cli) {
            collect(cli, &entry.path(), depth - 1, found);
        }
    }
}

/// Claude has one folder for each folder that it worked in; what lies deeper are the conversations of its sub-agents.
fn levels_left(cli: Cli) -> usize {
    match cli {
        Cli::Claude => DEPTH - 1,
        Cli::Codex => 0,
    }
}

fn conversation(cli: Cli, entry: &DirEntry) -> Option<Found> {
    let file = entry.path();
    let stem = file.file_name()?.to_str()?.strip_suffix(".jsonl")?;
    let native_id = match cli {
        Cli::Claude => stem,
        Cli::Codex => stem.strip_prefix("rollout-")?.get(stem.len().checked_sub("rollout-".len() + ID)?..)?,
    };
    let meta = entry.metadata().ok()?;
    let (changed, bytes) = (meta.modified().ok()?, meta.len());
    (is_id(native_id) && bytes > 0).then(|| Found {
        native_id: native_id.to_owned(),
        changed,
        bytes,
        file: file.clone(),
    })
}

fn is_id(text: &str) -> bool {
    let is_dash = |at: usize| [8, 13, 18, 23].contains(&at);
    text.len() == ID
        && text.bytes().enumerate().all(|(at, byte)| if is_dash(at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "01a1fd23-7c2c-7a12-be0e-2370b8dfd2bc";

    fn file(folder: &Path, path: &str) {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "{}\n").unwrap();
    }

    #[test]
    fn conversations_are_told_from_everything_else_by_their_names() {
        let claude = tempfile::tempdir().unwrap();
        for path in [format!("-home-a/{ONE}.jsonl"), format!("-home-a/{ONE}/subagents/{ONE}.jsonl")] {
            file(claude.path(), &path);
        }
        for path in ["-home-a/agent-12.jsonl", "-home-a/notes.jsonl", "-home-a/memory/MEMORY.md"] {
            file(claude.path(), path);
        }
        let ids: Vec<String> = newest(Cli::Claude, claude.path()).into_iter().map(|found| found.native_id).collect();
        assert_eq!(ids, [ONE]);

        let codex = tempfile::tempdir().unwrap();
        file(codex.path(), &format!("2026/11/21/rollout-2026-11-21T08-05-23-{ONE}.jsonl"));
        file(codex.path(), "2026/11/21/rollout-short.jsonl");
        file(codex.path(), &format!("2026/11/21/{ONE}.jsonl"));
        let found = newest(Cli::Codex, codex.path());
        assert_eq!((found.len(), found[0].native_id.as_str()), (1, ONE));
        assert!(newest(Cli::Codex, &codex.path().join("nowhere")).is_empty());
    }
}
