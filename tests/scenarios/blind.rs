//! A kernel without Landlock, for one program and all that it starts: its system calls are answered as an older kernel would.

use std::os::unix::process::CommandExt;
use std::process::Command;

const COMMAND: &str = "OUTRIGGER_TEST_BLIND_COMMAND";

/// The same command, which sees no Landlock.
pub(crate) fn without_landlock(command: &Command) -> Command {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let mut blind = Command::new(std::env::current_exe().unwrap());
    blind.args(["--exact", "a_scope_is_held::blind_side", "--nocapture", "--test-threads=1"]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => blind.env(name, value),
            None => blind.env_remove(name),
        };
    }
    blind.env(COMMAND, serde_json::to_string(&words).unwrap());
    blind
}

/// In that process: becomes the command.
pub(crate) fn become_blind() {
    let Ok(words) = std::env::var(COMMAND) else { return };
    take_landlock_away();
    let words: Vec<String> = serde_json::from_str(&words).unwrap();
    panic!("{}", Command::new(&words[0]).args(&words[1..]).env_remove(COMMAND).exec());
}

fn take_landlock_away() {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    const ENOSYS: u32 = 38;
    let calls = [444, 445, 446].map(|call| (call, Vec::new())).into_iter().collect();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, SeccompAction::Errno(ENOSYS), arch).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    apply_filter(&filter).unwrap();
}
