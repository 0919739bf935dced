//! How much a sidecar may take of time and memory, and when it is tried again.
//!
//! A buffer, queue, log or file of this crate without a line here is a mistake.

use std::time::Duration;

use protocol::limits::{Limit, bytes, row, time};

/// Longest manifest, in bytes.
pub const MANIFEST_BYTES: usize = 64 * 1024;
/// Sidecars of one folder; further ones are not looked at.
pub const SIDECARS: usize = 256;
/// Longest name of a sidecar, in bytes.
pub const NAME_BYTES: usize = 48;
/// Steps of one build.
pub const BUILD_STEPS: usize = 32;
/// All build steps together, unless the manifest says otherwise.
pub const BUILD: Duration = Duration::from_secs(600);
/// The most that a manifest may say for it.
pub const BUILD_AT_MOST: Duration = Duration::from_secs(2 * 60 * 60);
/// From the start of a process to its first word.
pub const CONNECT: Duration = Duration::from_secs(30);
/// Listing the tools of a sidecar.
pub const LIST_TOOLS: Duration = Duration::from_secs(10);
/// One call, unless the caller says otherwise.
pub const CALL: Duration = Duration::from_secs(300);
/// The most that anybody may say for it.
pub const CALL_AT_MOST: Duration = Duration::from_secs(24 * 60 * 60);
/// A sidecar that nobody has called for so long is stopped.
pub const IDLE_STOP: Duration = Duration::from_secs(600);
/// The most that a manifest may say for it; longer is `never`.
pub const IDLE_STOP_AT_MOST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How often a sidecar that failed is tried again by itself.
pub const RESTARTS: u32 = 5;
/// How long each of these tries waits.
pub const RESTART_AFTER: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];
/// The longest wait, should there ever be more tries.
pub const RESTART_AFTER_AT_MOST: Duration = Duration::from_secs(30);
/// A sidecar that was connected for so long has all its tries again.
pub const STABLE: Duration = Duration::from_secs(300);
/// Longest line that is read from a sidecar, in bytes.
pub const LINE_BYTES: usize = 64 * 1024 * 1024;
/// Tools of one sidecar; further ones are left out.
pub const TOOLS: usize = 512;
/// Pages of one list of tools.
pub const TOOL_PAGES: usize = 64;
/// Longest description and schema of one tool, in bytes.
pub const TOOL_BYTES: usize = 256 * 1024;
/// Longest name of a tool as it is offered, in bytes; the vendors take no longer ones.
pub const TOOL_NAME_BYTES: usize = 64;
/// A part of an answer that is longer is handed out as a file, in bytes.
pub const PART_BYTES: usize = 64 * 1024;
/// All parts of an answer that stay in it, in bytes.
pub const ANSWER_BYTES: usize = 256 * 1024;
/// How much of such a part is shown in its place, in bytes.
pub const PREVIEW_BYTES: usize = 1024;
/// Parts of one answer.
pub const PARTS: usize = 256;
/// Answers that are handed out as files, all together, in bytes; the oldest give way.
pub const ANSWER_FILES_BYTES: u64 = 512 * 1024 * 1024;
/// Calls that may be under way at one sidecar; further ones wait.
pub const CALLS_AT_ONCE: usize = 64;
/// Progress of one call that waits for its reader; what does not fit is left out.
pub const PROGRESS_WAITING: usize = 64;
/// Lines of a sidecar's log that are kept in memory.
pub const LOG_LINES: usize = 1000;
/// Longest line of it, in bytes.
pub const LOG_LINE_BYTES: usize = 8 * 1024;
/// Changes within this time are one change.
pub const DEBOUNCE: Duration = Duration::from_millis(300);
/// The owner ends when nobody was connected and nothing ran for so long.
pub const OWNER_IDLE: Duration = Duration::from_secs(60);
/// Clients of the owner at one time.
pub const CLIENTS: usize = 256;
/// Sidecars that the owner has instances of at one time.
pub const INSTANCES: usize = 256;
/// Messages on their way to a sidecar; whoever sends more waits.
pub const SENDING: usize = 64;
/// Progress that came before its call was known, in messages.
pub const EARLY_PROGRESS: usize = 64;
/// How long a `socket` sidecar may take for its token once it is connected.
pub const GREETING: Duration = Duration::from_secs(10);
/// How long a list of tools waits for sidecars that are still getting ready.
pub const LIST_WAIT: Duration = Duration::from_secs(12);
/// Places whose offered names are remembered; then all are forgotten, and listed again when they are called.
pub const LISTED_PLACES: usize = 1000;
/// An owner that was started must be reachable within this time.
pub const OWNER_START: Duration = Duration::from_secs(15);

/// Every limit of tool sidecars, as `doctor --limits` prints them.
#[must_use]
pub fn table() -> Vec<Limit> {
    let mut rows = of_sidecars();
    rows.extend(of_calls());
    rows.extend(of_the_owner());
    rows
}

fn of_sidecars() -> Vec<Limit> {
    vec![
        row("manifest of a tool sidecar", bytes(MANIFEST_BYTES), "it is refused"),
        row("tool sidecars of one folder", SIDECARS.to_string(), "further ones are not looked at"),
        row(
            "build of a tool sidecar",
            time(BUILD),
            "it is ended, and the sidecar has failed; its manifest may say otherwise",
        ),
        row(
            "first word of a tool sidecar",
            time(CONNECT),
            "it is ended and tried again; its manifest may say otherwise",
        ),
        row(
            "list of a tool sidecar's tools",
            time(LIST_TOOLS),
            "it is ended and tried again; its manifest may say otherwise",
        ),
        row("tries of a tool sidecar that fails", RESTARTS.to_string(), "it stays failed until somebody starts it"),
        row("connected until all tries are there again", time(STABLE), "they are counted anew"),
        row(
            "tool sidecar that nobody calls",
            time(IDLE_STOP),
            "it is stopped; the next call starts it. Its manifest may say otherwise",
        ),
        row("changes of a tool sidecar's folder", time(DEBOUNCE), "what comes within this time is one change"),
        row("tools of one sidecar", TOOLS.to_string(), "further ones are left out"),
        row("description and schema of one tool", bytes(TOOL_BYTES), "the tool is left out, and named"),
        row("lines of a tool sidecar's log", LOG_LINES.to_string(), "the oldest are forgotten"),
    ]
}

fn of_calls() -> Vec<Limit> {
    vec![
        row(
            "call of a sidecar's tool",
            time(CALL),
            "it ends with an error; the model may say otherwise with `timeout_ms`",
        ),
        row("longest that a model may say", time(CALL_AT_MOST), "more counts as this"),
        row("calls at one sidecar at one time", CALLS_AT_ONCE.to_string(), "further ones wait"),
        row(
            "line from a tool sidecar",
            bytes(LINE_BYTES),
            "the call ends with an error; reading goes on at the next line",
        ),
        row("part of an answer", bytes(PART_BYTES), "it is a file; the answer has its beginning and its path"),
        row("answer of a tool", bytes(ANSWER_BYTES), "what is beyond is in files"),
        row(
            "files of answers, per session",
            bytes(usize::try_from(ANSWER_FILES_BYTES).unwrap_or(usize::MAX)),
            "the oldest are removed",
        ),
        row("steps of a call's progress that wait", PROGRESS_WAITING.to_string(), "further ones are left out"),
    ]
}

fn of_the_owner() -> Vec<Limit> {
    vec![
        row(
            "list of tools for an agent",
            time(LIST_WAIT),
            "sidecars that are not ready are left out, and told of when they are",
        ),
        row("owner of the tool sidecars that nobody needs", time(OWNER_IDLE), "it ends"),
        row("programs that use it at one time", CLIENTS.to_string(), "further ones are refused"),
        row("tool sidecars that run at one time", INSTANCES.to_string(), "further ones are not started"),
    ]
}
