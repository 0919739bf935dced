//! Which process has a file open for writing, and whose is it? Proof by what the system shows of open files.
//!
//! Linux only; elsewhere nobody is found, and a write stays nobody's in particular. Processes of other users are not seen.

use std::path::PathBuf;

use protocol::scope::FileWriter;

/// A process that wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Who.
    pub(super) writer: FileWriter,
    /// Whether it was ending already when it was asked whose it is, so that no pod does not mean none.
    pub(super) unsure: bool,
}

/// Of each file the first process that has it open for writing.
pub(super) fn writers(files: &[PathBuf]) -> Vec<(PathBuf, Found)> {
    platform::writers(files)
}

#[cfg(target_os = "linux")]
pub(super) use platform::{found, pod_of};

#[cfg(target_os = "linux")]
mod platform {
    use std::fs;
    use std::path::PathBuf;

    use protocol::PodId;
    use protocol::scope::{FileWriter, WriterProof};

    use super::Found;

    /// A pod's process may be this far below the one that carries the mark, when those between have cleaned their environments.
    const GENERATIONS: usize = 32;
    /// The bits of an open file's flags that say how it was opened, and that it was for reading only.
    const ACCESS_MODE: u32 = 0o3;
    const READ_ONLY: u32 = 0o0;

    pub(in crate::watch) fn writers(files: &[PathBuf]) -> Vec<(PathBuf, Found)> {
        let mut found: Vec<(PathBuf, Found)> = Vec::new();
        let Ok(listed) = fs::read_dir("/proc") else { return found };
        let pids = listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        for pid in pids.filter(|pid| *pid != std::process::id()) {
            for file in open_for_writing(pid, files) {
                if !found.iter().any(|(path, _)| *path == file) {
                    found.push((file, self::found(pid, WriterProof::OpenFile)));
                }
            }
        }
        found
    }

    fn open_for_writing(pid: u32, files: &[PathBuf]) -> Vec<PathBuf> {
        let Ok(listed) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
        let open = listed.flatten().filter_map(|entry| {
            let path = fs::read_link(entry.path()).ok()?;
            let wanted = files.contains(&path) && writes(pid, entry.file_name().to_str()?);
            wanted.then_some(path)
        });
        open.collect()
    }

    fn writes(pid: u32, number: &str) -> bool {
        let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & ACCESS_MODE != READ_ONLY)
    }

    /// A process that wrote, with what can still be learnt of it.
    pub(in crate::watch) fn found(pid: u32, proof: WriterProof) -> Found {
        let command = process::entry(pid).map(|entry| entry.command).unwrap_or_default();
        let (pod, unsure) = pod_of(pid);
        Found { writer: FileWriter { pid, command, pod, proof }, unsure }
    }

    /// The pod of the nearest process at or above this one that carries a mark, and whether none may mean that it could not be
    /// found out: a process that ends gives its environment back before it closes its files.
    pub(in crate::watch) fn pod_of(process: u32) -> (Option<PodId>, bool) {
        let mut pid = process;
        let mut unsure = false;
        for _ in 0..GENERATIONS {
            match environment(pid) {
                Some(environment) => {
                    if let Some(mark) = mark(&environment) {
                        return (mark.parse().ok(), false);
                    }
                }
                None => unsure |= pid == process,
            }
            match parent(pid) {
                Some(parent) if parent > 1 => pid = parent,
                Some(_) => break,
                None => return (None, true),
            }
        }
        (None, unsure)
    }

    /// Of a process that has ended too, until its parent takes notice.
    fn parent(pid: u32) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in brackets may hold anything.
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    }

    fn environment(pid: u32) -> Option<Vec<u8>> {
        fs::read(format!("/proc/{pid}/environ")).ok().filter(|environment| !environment.is_empty())
    }

    fn mark(environment: &[u8]) -> Option<String> {
        let name = format!("{}=", process::MARK_VARIABLE);
        let mut variables = environment.split(|byte| *byte == 0);
        let mark = variables.find_map(|variable| variable.strip_prefix(name.as_bytes()))?;
        String::from_utf8(mark.to_vec()).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::path::PathBuf;

    use super::Found;

    pub(in crate::watch) fn writers(_files: &[PathBuf]) -> Vec<(PathBuf, Found)> {
        Vec::new()
    }
}
