//! Child processes: spawned into a group of their own, read line by line in bounded memory, watched and ended.
//!
//! Responsible for what holds of any child: a clean environment, pipes, exits, the process tree, the stop ladder and
//! the proof that a leftover is ours. It knows nothing of agents, protocols, journals or sessions, and it decides
//! nothing: whoever owns a child asks the [`Ladder`] what comes next and performs it.
//!
//! Linux is complete and tested. On macOS and Windows the process table comes from the `sysinfo` crate and is less
//! exact (start times in whole seconds, no subreaper); each place that is weaker there says so.

mod child;
mod command;
mod ladder;
mod lines;
mod own_children;
mod proof;
mod stderr_tail;
mod stop;
mod sweep;
mod tree;
mod whose;
mod words;

pub use child::{Child, Exit};
pub use command::{Command, HOME_VARIABLE, MARK_VARIABLE, OWNER_MARK, SpawnError};
pub use ladder::{Action, EndedBy, Input, Ladder, Pipes, Rung};
pub use lines::{Line, LineReader};
pub use proof::proved_dead;
pub use stderr_tail::StderrTail;
pub use stop::{Group, kill_processes, terminate_processes, wait_gone};
pub use sweep::{Sweep, sweep, sweep_beside, sweep_except};
pub use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
pub use tree::{
    Liveness, Marked, ProcessEntry, ProcessRef, all_marked, become_subreaper, below, descendants, entry, marked,
    reap_orphans, table,
};
pub use whose::{and_above, part_of_pod};
pub use words::named;
