//! Every limit of Outrigger, in one place, so that none is hidden: `outrigger doctor --limits` prints [`table`].
//!
//! A buffer, queue, log, cache or file without a line here is a mistake.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Longest line that is read from a runner, a CLI or a socket, in bytes. A longer one is cut and marked.
pub const LINE_BYTES: usize = 10 * 1024 * 1024;
/// Longest line that a client reads from a pod, in bytes: the largest record as an item, with its escapes.
pub const CLIENT_LINE_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of runner output that may wait for the journal before reading pauses.
pub const PENDING_OUTPUT_BYTES: usize = 50 * 1024 * 1024;
/// Text of one open block that is kept for readers who join, in bytes; later deltas wait for the finished block.
pub const OPEN_BLOCK_BYTES: usize = 4 * 1024 * 1024;
/// Open blocks at one time in one session.
pub const OPEN_BLOCKS: usize = 64;
/// Bytes of the newest records that a keeper holds in memory for its live readers.
pub const RECENT_BYTES: usize = 1024 * 1024;
/// Records that a keeper holds in memory while its journal cannot be written, in bytes.
pub const UNWRITTEN_BYTES: usize = 16 * 1024 * 1024;
/// A string in a record that is longer than this becomes a blob, in bytes.
pub const BLOB_BYTES: usize = 64 * 1024;
/// How much of a blob stays in the record to look at, in bytes.
pub const BLOB_PREVIEW_BYTES: usize = 1024;
/// Lines of a child's stderr that an error carries.
pub const STDERR_TAIL_LINES: usize = 24;
/// Longest line of stderr that is kept, in bytes.
pub const STDERR_LINE_BYTES: usize = 16 * 1024;
/// Prompts that may wait behind a running turn.
pub const QUEUED_PROMPTS: usize = 32;
/// Messages of other pods that may wait for the end of a turn.
pub const NOTIFICATIONS: usize = 128;
/// Permission requests that may be pending in one session.
pub const PENDING_PERMISSIONS: usize = 64;
/// Longest prompt, in bytes.
pub const PROMPT_BYTES: usize = 1024 * 1024;
/// Attachments of one prompt.
pub const ATTACHMENTS: usize = 16;
/// Largest image that is kept beside the journal and shown, in bytes; the vendors take no larger ones either.
pub const IMAGE_BYTES: usize = 5 * 1024 * 1024;
/// Images that a prompt carries in itself, in base64, in bytes: they share one line with its words.
pub const INLINE_BYTES: usize = 8 * 1024 * 1024;
/// Largest file that a page may hand over by its content (pasted or dropped), in bytes.
pub const PASTED_FILE_BYTES: usize = 20 * 1024 * 1024;
/// Rules of one session, or of one workspace.
pub const RULES: usize = 256;
/// Files of a workspace that are looked through for a completion.
pub const COMPLETION_FILES: usize = 200_000;
/// Readers of one pod at one time.
pub const POD_CLIENTS: usize = 64;
/// Records or items in one answer of `session/read`.
pub const READ_PAGE: usize = 1000;
/// Bytes of one `session/event` notification before it is split.
pub const EVENT_BYTES: usize = 256 * 1024;
/// Bytes of one frame from the desktop to its page; larger ones take the web view's slow path.
pub const PAGE_FRAME_BYTES: usize = 8 * 1024;
/// Frames that are sent to a page before it has taken in the earlier ones.
pub const PAGE_FRAMES_AHEAD: u64 = 16;
/// Events that wait for a page, in bytes, before the feed stops reading from the pod.
pub const PAGE_WAITING_BYTES: usize = 1024 * 1024;
/// Workspaces whose windows' places and arrangements are kept.
pub const WINDOWS_KEPT: usize = 64;
/// Windows that come back at the start of the desktop.
pub const WINDOWS_RESTORED: usize = 12;
/// Sessions about which nothing is notified.
pub const MUTED_SESSIONS: usize = 1000;
/// One debug log file, in bytes.
pub const LOG_FILE_BYTES: u64 = 10 * 1024 * 1024;
/// Debug log files that are kept.
pub const LOG_FILES: usize = 7;
/// Longest line of the debug log, in bytes.
pub const LOG_LINE_BYTES: usize = 8 * 1024;
/// Lines of the debug log in one answer.
pub const LOG_PAGE: usize = 1000;
/// Output of a login shell or a version probe that is read, in bytes.
pub const PROGRAM_OUTPUT_BYTES: usize = 4 * 1024 * 1024;
/// Login environments that are kept on disk.
pub const ENVIRONMENTS_KEPT: usize = 32;
/// Versions of programs that are kept on disk.
pub const VERSIONS_KEPT: usize = 256;
/// Programs that are asked for their versions at one time.
pub const PROBES_AT_ONCE: usize = 8;
/// Longest path of a socket, in bytes; the systems allow 104 to 108.
pub const SOCKET_PATH_BYTES: usize = 100;

/// A runner must say ready within this time.
pub const READY: Duration = Duration::from_secs(10);
/// A keeper must report its socket within this time.
pub const KEEPER_START: Duration = Duration::from_secs(15);
/// Stop ladder, first rung: from the `stop` line to SIGTERM.
pub const STOP_GRACE: Duration = Duration::from_secs(3);
/// Stop ladder, second rung: from SIGTERM to SIGKILL.
pub const TERM_GRACE: Duration = Duration::from_secs(5);
/// How long pipes are drained after the child exited.
pub const DRAIN: Duration = Duration::from_millis(250);
/// A client's wait for one exchange with a pod.
pub const EXCHANGE: Duration = Duration::from_secs(5);
/// Between two writes of the text so far of an open block.
pub const PARTIAL_EVERY: Duration = Duration::from_secs(2);
/// Longest time between two fsyncs while a journal is being written.
pub const FSYNC_EVERY: Duration = Duration::from_secs(1);
/// The same while nothing but the text so far of open blocks is being written. Linux writes a page out by itself after as long, so each
/// is written once.
pub const FSYNC_PARTIALS_EVERY: Duration = Duration::from_secs(30);
/// Between two attempts to write a journal that could not be written. Nobody attempts anything while it can.
pub const UNWRITTEN_AGAIN: Duration = Duration::from_secs(1);
/// The login shell must print its environment within this time.
pub const LOGIN_SHELL: Duration = Duration::from_secs(5);
/// A CLI must print its version within this time.
pub const VERSION_PROBE: Duration = Duration::from_millis(1500);
/// Doctor, from its start to its report.
pub const DOCTOR: Duration = Duration::from_millis(1600);
/// How much of that the login shell may take.
pub const DOCTOR_LOGIN_SHELL: Duration = Duration::from_millis(1000);
/// How long a login shell's environment is used again before the shell is asked anew.
pub const ENVIRONMENT_VALID: Duration = Duration::from_secs(600);
/// How long it is remembered that the login shell gave no environment.
pub const ENVIRONMENT_FAILURE_VALID: Duration = Duration::from_secs(300);
/// How long a program's version is believed while its file stays the same.
pub const VERSION_VALID: Duration = Duration::from_secs(24 * 60 * 60);
/// A working agent that has said nothing meaningful for so long is quiet.
pub const QUIET_AFTER: Duration = Duration::from_secs(30);
/// After so long it is stalled, unless a reason for its silence is seen.
pub const STALLED_AFTER: Duration = Duration::from_secs(120);
/// So many transient errors of its provider make an agent degraded …
pub const DEGRADED_ERRORS: u32 = 5;
/// … when they come within this time.
pub const DEGRADED_WITHIN: Duration = Duration::from_secs(300);
/// Between two looks at the processes of a working agent. Nobody looks at an idle one.
pub const HEALTH_LOOK: Duration = Duration::from_secs(5);
/// How often a prompt is sent once more after a failure that may pass.
pub const RETRIES: u32 = 3;
/// How long the first retry waits; each further one four times as long.
pub const RETRY_AFTER: Duration = Duration::from_secs(2);
/// The longest wait for a retry, whatever the provider says; beyond it the user decides.
pub const RETRY_AFTER_AT_MOST: Duration = Duration::from_secs(60);
/// Pods that are being started at one time, over all programs of this user.
pub const STARTS_AT_ONCE: usize = 2;
/// How long a writer waits for the ledger while others write it.
pub const LEDGER_BUSY: Duration = Duration::from_secs(5);
/// `outrigger open`: an app that has not ended after this time did not hand over to another one, and is up.
pub const DESKTOP_HAND_OVER: Duration = Duration::from_secs(3);
/// Between the two looks that prove a keeper dead.
pub const SECOND_LOOK: Duration = Duration::from_millis(150);
/// A session that was idle for so long is compressed.
pub const COMPRESS_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How much of a message, a prompt or a thought the archive can find, in bytes.
pub const ARCHIVE_TEXT_BYTES: usize = 64 * 1024;
/// The same of a tool call: its title, what it was called with, and the beginning of what came of it.
pub const ARCHIVE_CALL_BYTES: usize = 8 * 1024;
/// Text that the archive holds in memory until it writes it, in bytes.
pub const ARCHIVE_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How far before the end of what the archive has read an unfinished item still counts, in bytes.
pub const ARCHIVE_LOOK_BACK_BYTES: u64 = 4 * 1024 * 1024;
/// How long a command feeds the archive before it answers from what is there.
pub const ARCHIVE_FEED: Duration = Duration::from_secs(2);
/// Between two times that the desktop feeds the archive.
pub const ARCHIVE_FEED_EVERY: Duration = Duration::from_secs(30);
/// In how many places a word may be for the matches of a search to be weighed.
pub const SEARCH_WEIGHED: usize = 2000;
/// Hits in one answer of a search.
pub const SEARCH_HITS: usize = 500;
/// Words of one search; further ones are not looked at.
pub const SEARCH_WORDS: usize = 32;
/// How long a list of a workspace's files is used again for completions.
pub const COMPLETION_FRESH: Duration = Duration::from_secs(10);
/// How long an ended session stays in the list of live ones.
pub const ENDED_STAYS: Duration = Duration::from_secs(60);
/// Generations of pods below a session without a budget of its own.
pub const TREE_DEPTH: u32 = 3;
/// Live children of one pod, unless a budget says otherwise.
pub const TREE_CHILDREN: u32 = 8;
/// Live pods below such a session.
pub const TREE_PODS: u32 = 16;
/// Pods that such a session and those below it may ever spawn.
pub const TREE_SPAWNS: u32 = 200;
/// Pods that may be spawned below such a session within a minute.
pub const TREE_SPAWNS_PER_MINUTE: u32 = 12;
/// `wait_for_pods` waits so long, unless it is told otherwise: CLIs give up on a tool after a minute as a rule.
pub const POD_WAIT: Duration = Duration::from_secs(50);
/// `wait_for_pods` waits no longer than this.
pub const POD_WAIT_AT_MOST: Duration = Duration::from_secs(60 * 60);
/// How long a pod tree that has ended is remembered.
pub const TREE_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// One limit, as doctor shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Limit {
    /// What is limited.
    pub what: String,
    /// The number with its unit.
    pub value: String,
    /// What happens when it is reached.
    pub then: String,
}
/// Conversations of a CLI's own folder that are listed: its newest.
pub const EARLIER_LISTED: usize = 500;
/// Largest download of a newer version, in bytes.
pub const UPDATE_BYTES: usize = 512 * 1024 * 1024;
/// Between two looks for a newer version, when nobody asks for one.
pub const UPDATE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// All limits with what happens when they are hit.
#[must_use]
pub fn table() -> Vec<Limit> {
    let mut rows = sizes();
    rows.extend(times());
    rows
}

fn sizes() -> Vec<Limit> {
    vec![
        row("line from a runner or socket", bytes(LINE_BYTES), "cut, marked, reading goes on at the next line"),
        row("line from a pod to its client", bytes(CLIENT_LINE_BYTES), "the client closes the connection"),
        row("runner output waiting for the journal", bytes(PENDING_OUTPUT_BYTES), "reading pauses; nothing is dropped"),
        row("text of an open block in memory", bytes(OPEN_BLOCK_BYTES), "readers wait for the finished block"),
        row("open blocks in a session", OPEN_BLOCKS.to_string(), "the oldest is closed in memory"),
        row("newest records in memory, per pod", bytes(RECENT_BYTES), "older ones are read from the journal"),
        row(
            "records that wait for a full disk, per pod",
            bytes(UNWRITTEN_BYTES),
            "the oldest are dropped, and a notice in the journal names them",
        ),
        row(
            "string in a record",
            bytes(BLOB_BYTES),
            "kept as a file of its own beside the journal; the record has its beginning",
        ),
        row("beginning of such a string in its record", bytes(BLOB_PREVIEW_BYTES), "the rest is in the file"),
        row("retries of a failed prompt", RETRIES.to_string(), "the error stays, and the user decides"),
        row("transient errors until degraded", DEGRADED_ERRORS.to_string(), "shown; nothing is ended"),
        row("pods being started at one time", STARTS_AT_ONCE.to_string(), "further starts wait"),
        row("stderr lines in an error", STDERR_TAIL_LINES.to_string(), "older lines are in the debug log"),
        row("queued prompts", QUEUED_PROMPTS.to_string(), "further prompts are rejected"),
        row(
            "messages of pods that wait for a turn",
            NOTIFICATIONS.to_string(),
            "the oldest is dropped, and that is said",
        ),
        row(
            "pending permission requests",
            PENDING_PERMISSIONS.to_string(),
            "further requests are denied with a notice",
        ),
        row("prompt", bytes(PROMPT_BYTES), "rejected"),
        row("attachments of a prompt", ATTACHMENTS.to_string(), "rejected"),
        row("image that is kept and shown", bytes(IMAGE_BYTES), "it is named to the agent and not kept"),
        row("images inside a prompt, in base64", bytes(INLINE_BYTES), "rejected; attach them as files"),
        row("file that is pasted or dropped", bytes(PASTED_FILE_BYTES), "rejected; choose it as a file instead"),
        row("rules of a session or a workspace", RULES.to_string(), "no further one is made, and that is said"),
        row("files looked through for a completion", COMPLETION_FILES.to_string(), "further ones are not offered"),
        row("readers of one pod", POD_CLIENTS.to_string(), "further connections are refused"),
        row("page of session/read", READ_PAGE.to_string(), "ask for the next page"),
        row("frame to a page of the desktop", bytes(PAGE_FRAME_BYTES), "a larger event goes alone, by a slower path"),
        row("frames ahead of a page", PAGE_FRAMES_AHEAD.to_string(), "further ones wait until the page has drawn"),
        row("windows that come back at the start", WINDOWS_RESTORED.to_string(), "the others are opened by hand"),
        row("windows whose places are kept", WINDOWS_KEPT.to_string(), "those not used for longest are forgotten"),
        row("muted sessions", MUTED_SESSIONS.to_string(), "the one muted first is told about again"),
        row("events that wait for a page", bytes(PAGE_WAITING_BYTES), "the feed reads no more; the agent goes on"),
        row("a message in the archive", bytes(ARCHIVE_TEXT_BYTES), "the rest of it is not found by a search"),
        row("a tool call in the archive", bytes(ARCHIVE_CALL_BYTES), "the rest of its input and output is not found"),
        row("text that waits for the archive", bytes(ARCHIVE_BATCH_BYTES), "it is written, and reading goes on"),
        row(
            "unfinished items that the archive waits for",
            bytes(ARCHIVE_LOOK_BACK_BYTES as usize),
            "older ones are found as they were then",
        ),
        row(
            "places of a word that are weighed by a search",
            SEARCH_WEIGHED.to_string(),
            "of a more common word the newest are shown first, and that is said",
        ),
        row("hits in one answer of a search", SEARCH_HITS.to_string(), "ask for something rarer"),
        row("words of a search", SEARCH_WORDS.to_string(), "further ones are not looked at"),
        row("debug log file", bytes(LOG_FILE_BYTES as usize), "the next file is started"),
        row("debug log files kept", LOG_FILES.to_string(), "the oldest is deleted"),
        row("debug log lines in one answer", LOG_PAGE.to_string(), "ask for the next ones"),
        row("line of the debug log", bytes(LOG_LINE_BYTES), "cut and marked"),
        row("output of a login shell or version probe", bytes(PROGRAM_OUTPUT_BYTES), "the program is ended"),
        row("login environments on disk", ENVIRONMENTS_KEPT.to_string(), "the oldest is deleted"),
        row("versions of programs on disk", VERSIONS_KEPT.to_string(), "the oldest are forgotten"),
        row("version probes at one time", PROBES_AT_ONCE.to_string(), "further ones wait"),
        row("generations below a session", TREE_DEPTH.to_string(), "a spawn is refused, unless the budget says more"),
        row("live children of a pod", TREE_CHILDREN.to_string(), "a spawn is refused, unless the budget says more"),
        row("live pods below a session", TREE_PODS.to_string(), "a spawn is refused, unless the budget says more"),
        row("spawns below a session", TREE_SPAWNS.to_string(), "a spawn is refused, unless the budget says more"),
        row(
            "spawns within a minute",
            TREE_SPAWNS_PER_MINUTE.to_string(),
            "a spawn is refused until the minute is over",
        ),
        row("earlier conversations listed of one CLI", EARLIER_LISTED.to_string(), "older ones are not listed"),
        row("download of a newer version", bytes(UPDATE_BYTES), "given up, and that is said"),
        row("path of a socket", bytes(SOCKET_PATH_BYTES), "a short folder under the temporary one is used"),
    ]
}

fn times() -> Vec<Limit> {
    vec![
        row("runner says ready", time(READY), "the pod fails with what stderr said"),
        row("keeper reports its socket", time(KEEPER_START), "the start fails and the keeper is ended"),
        row("stop: from the request to SIGTERM", time(STOP_GRACE), "SIGTERM to the group"),
        row("stop: from SIGTERM to SIGKILL", time(TERM_GRACE), "SIGKILL to the group and to what left it"),
        row("drain of pipes after an exit", time(DRAIN), "a pipe that stays open is reported"),
        row("one exchange with a pod", time(EXCHANGE), "unreachable, which does not mean dead"),
        row("text of an open block to disk", time(PARTIAL_EVERY), "at most this much of a block is lost to a crash"),
        row("fsync of the journal", time(FSYNC_EVERY), "at most this much is lost to a power cut"),
        row(
            "the same of open blocks alone",
            time(FSYNC_PARTIALS_EVERY),
            "at most this much of a block is lost to a power cut",
        ),
        row("between two attempts to write a full disk", time(UNWRITTEN_AGAIN), "the next attempt; the agent goes on"),
        row("login shell's environment", time(LOGIN_SHELL), "the process's own environment is used, and said so"),
        row("version probe of a program", time(VERSION_PROBE), "its version is unknown"),
        row("doctor", time(DOCTOR), "what did not answer is reported as unknown"),
        row("login shell, for doctor", time(DOCTOR_LOGIN_SHELL), "an older environment or the process's own is used"),
        row("login environment used again", time(ENVIRONMENT_VALID), "the shell is asked anew"),
        row("failure of the login shell remembered", time(ENVIRONMENT_FAILURE_VALID), "the shell is asked anew"),
        row("version of an unchanged program", time(VERSION_VALID), "the program is asked anew"),
        row("silence until quiet", time(QUIET_AFTER), "shown; nothing is ended"),
        row("silence until stalled", time(STALLED_AFTER), "shown, when nothing explains it; nothing is ended"),
        row("transient errors are counted over", time(DEGRADED_WITHIN), "older ones are forgotten"),
        row("look at a working agent's processes", time(HEALTH_LOOK), "the next look"),
        row("first retry waits", time(RETRY_AFTER), "each further one waits four times as long"),
        row("longest wait for a retry", time(RETRY_AFTER_AT_MOST), "no retry; the user decides"),
        row("waiting for the ledger", time(LEDGER_BUSY), "tried again; the agent goes on meanwhile"),
        row("the app hands over to one that runs", time(DESKTOP_HAND_OVER), "it is taken for the app itself"),
        row("between two looks at a dead keeper", time(SECOND_LOOK), "only then are its processes ended"),
        row("session without use", time(COMPRESS_AFTER), "compressed; it still opens and resumes"),
        row("a command feeds the archive", time(ARCHIVE_FEED), "it answers from what is there, and says so"),
        row("between two feedings by the desktop", time(ARCHIVE_FEED_EVERY), "the next one, if something happened"),
        row("list of a workspace's files", time(COMPLETION_FRESH), "read anew with the next completion"),
        row("an agent waits for its pods", time(POD_WAIT), "it is told what they are doing, and may wait again"),
        row("longest such wait", time(POD_WAIT_AT_MOST), "it is told what they are doing, and may wait again"),
        row("pod tree after its end", time(TREE_KEPT), "forgotten; its sessions stay"),
        row("between two looks for a newer version", time(UPDATE_EVERY), "the next look, unless the settings say no"),
        row("ended session in the live list", time(ENDED_STAYS), "then only in `ps --all` and the archive"),
    ]
}

/// A row of a table of limits.
#[must_use]
pub fn row(what: &str, value: String, then: &str) -> Limit {
    Limit { what: what.to_owned(), value, then: then.to_owned() }
}

/// So many bytes, for people.
#[must_use]
pub fn bytes(n: usize) -> String {
    match n {
        n if n >= 1024 * 1024 => format!("{} MiB", n / (1024 * 1024)),
        n if n >= 1024 => format!("{} KiB", n / 1024),
        n => format!("{n} bytes"),
    }
}

/// A time in the largest unit that is whole.
#[must_use]
pub fn time(d: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match d.as_secs() {
        _ if d.subsec_millis() > 0 => format!("{} ms", d.as_millis()),
        s if s >= DAY && s % DAY == 0 => format!("{} d", s / DAY),
        s if s >= HOUR && s % HOUR == 0 => format!("{} h", s / HOUR),
        s if s > 2 * MINUTE && s % MINUTE == 0 => format!("{} min", s / MINUTE),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_the_largest_unit_that_is_whole() {
        let seconds = |seconds: &u64| time(Duration::from_secs(*seconds));
        let told: Vec<String> = [5, 90, 120, 300, 3600, 5400, 24 * 3600, 30 * 24 * 3600].iter().map(seconds).collect();
        assert_eq!(told, ["5 s", "90 s", "120 s", "5 min", "1 h", "90 min", "1 d", "30 d"]);
        assert_eq!(time(Duration::from_millis(1500)), "1500 ms");
    }
}
