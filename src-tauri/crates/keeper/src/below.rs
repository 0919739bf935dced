//! What of the processes below a keeper is its agent's? Not the keepers of its children, and what these have started: they outlive it.

use std::collections::HashSet;

use process::ProcessEntry;

use crate::own_program::is_ours_beside_the_agent;

/// The entries, parents before their children, less other keepers and calls of tools, with all below these.
pub(crate) fn of_agent(entries: Vec<ProcessEntry>) -> Vec<ProcessEntry> {
    let mut others: HashSet<u32> = HashSet::new();
    entries
        .into_iter()
        .filter(|entry| {
            let other = is_ours_beside_the_agent(&entry.command) || others.contains(&entry.parent);
            if other {
                others.insert(entry.process.pid);
            }
            !other
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use process::ProcessRef;

    use super::*;

    #[test]
    fn children_of_other_keepers_are_theirs() {
        let own = std::env::current_exe().unwrap().display().to_string();
        let entry = |pid, parent, command: &str| ProcessEntry {
            process: ProcessRef { pid, started: 1 },
            parent,
            group: pid,
            command: command.to_owned(),
            rss: 0,
            cpu_ms: 0,
            io_bytes: 0,
            age_ms: None,
        };
        let entries = vec![
            entry(2, 1, "node runner.mjs"),
            entry(3, 2, "claude"),
            entry(4, 1, &format!("{own} keep")),
            entry(5, 4, "node runner.mjs"),
            entry(6, 5, "sh"),
            entry(7, 1, &format!("{own} pod-tool")),
            entry(8, 3, "sh -c x keep"),
            entry(9, 1, "/usr/bin/outrigger-toolbox"),
            entry(10, 9, "node server.mjs"),
        ];
        let left: Vec<u32> = of_agent(entries).iter().map(|entry| entry.process.pid).collect();
        assert_eq!(left, [2, 3, 8]);
    }
}
