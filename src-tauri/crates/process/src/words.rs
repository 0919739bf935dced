//! How processes are shown to people: as rows of a list, and by name in a sentence.

use protocol::processes::{ProcessInfo, ProcessPurpose};

use crate::tree::ProcessEntry;

/// So many processes are named in one sentence.
const NAMED: usize = 8;
/// So much of each command, in characters.
const COMMAND: usize = 120;

impl ProcessEntry {
    /// The process as a row of a list.
    #[must_use]
    pub fn shown(self, purpose: ProcessPurpose) -> ProcessInfo {
        ProcessInfo {
            pid: self.process.pid,
            parent: self.parent,
            command: self.command,
            rss: self.rss,
            cpu_ms: self.cpu_ms,
            purpose,
            age_ms: self.age_ms,
        }
    }
}

/// The processes in words: the commands of the first few with their numbers, and how many more there are.
#[must_use]
pub fn named(entries: &[ProcessEntry]) -> String {
    let one = |entry: &ProcessEntry| {
        let command: String = entry.command.chars().take(COMMAND).collect();
        format!("{command} (pid {})", entry.process.pid)
    };
    let mut names: Vec<String> = entries.iter().take(NAMED).map(one).collect();
    if entries.len() > NAMED {
        names.push(format!("and {} more", entries.len() - NAMED));
    }
    names.join(", ")
}
