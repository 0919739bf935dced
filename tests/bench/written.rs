//! Budget 9: what a long answer costs the disk. A turn of 10,000 token deltas at the pace of a fast model, then its finished text;
//! beside that text. The kernel counts for the keeper what it made dirty in files, page by page, and again after each flush: journal,
//! meta, ledger, debug log, everything.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use client::keeper_process;
use protocol::pod::{SubscribeParams, Want};

use crate::ingest::{machine, prompt, runner_order, turn_is_over};
use crate::options;
use crate::table::{Budget, Row, Table, median};

const DELTAS: usize = 10_000;
/// So many deltas come at once, and so often.
const AT_ONCE: usize = 50;
const EVERY_MS: &str = "200";
const EVERY_MS_IN_A_HURRY: &str = "50";
/// What a token is on the average.
const TOKEN: &str = "lamp ";

/// Says ready, waits for the query, becomes the writer: one process, as a CLI is one.
const RUNNER: &str = r#"printf '%s\n' '{"type":"ready","protocol":1,"provider":"bench","runnerVersion":"1","capabilities":{}}'
read -r query
exec "$OUTRIGGER_BENCH_WRITER" --write-parts "$OUTRIGGER_BENCH_EVENTS" "$OUTRIGGER_BENCH_EVERY"
"#;

/// Measures some turns, each of a session of its own: what a file system adds to a flush depends on where it finds room.
pub(crate) fn measure(table: &mut Table) {
    let turns = if options::is_quick() { 1 } else { 3 };
    let turns: Vec<Turn> = (0..turns).map(|_| turn()).collect();
    let middle = |of: fn(&Turn) -> f64| median(turns.iter().map(of).collect()) / 1024.0;
    table.add(Row {
        name: "9 written to disk for an answer of 10000 deltas".into(),
        ours: middle(|turn| turn.written),
        reference: middle(|turn| turn.text),
        unit: "KiB",
        budget: Budget::AtMostTimesReference(3.0),
    });
    table.add(Row {
        name: "9 beside two bare files with the same text, pace, flushes and replacements".into(),
        ours: middle(|turn| turn.written),
        reference: middle(|turn| turn.bare),
        unit: "KiB",
        budget: Budget::Absolute(f64::INFINITY),
    });
}

/// Bytes: of the answer, and written for it by the keeper and by the two bare files.
struct Turn {
    text: f64,
    written: f64,
    bare: f64,
}

fn turn() -> Turn {
    let folder = tempfile::Builder::new().prefix("or-bench-").tempdir().unwrap();
    let parts = folder.path().join("parts");
    std::fs::create_dir(&parts).unwrap();
    let text = parts_of_a_turn(&parts);
    let machine = machine(folder.path());
    let every = if options::is_quick() { EVERY_MS_IN_A_HURRY } else { EVERY_MS };
    let writer = std::env::current_exe().unwrap().display().to_string();
    let mut order = runner_order(&machine, folder.path(), RUNNER, &parts);
    order.environment.insert("OUTRIGGER_BENCH_EVERY".to_owned(), every.to_owned());
    order.environment.insert("OUTRIGGER_BENCH_WRITER".to_owned(), writer);
    order.ledger = Some(machine.places.ledger.display().to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bare = Bare::new(folder.path(), text as usize, every.parse().unwrap());
    let (written, bare) = runtime.block_on(async {
        let pod = keeper_process::start(&machine, &order).await.unwrap();
        let mut asking = client::PodConnection::open(&pod, "bench").await.unwrap();
        let reading = client::PodConnection::open(&pod, "bench").await.unwrap();
        let params = SubscribeParams { from_seq: 0, want: Want::Records, deltas: false };
        let (_, mut events) = reading.subscribe(params).await.unwrap();
        // The session's own beginning is no part of the turn.
        at_rest(pod.pid).await;
        let before = written_by(pod.pid);
        let bare = std::thread::spawn(move || bare.write());
        asking.prompt(prompt()).await.unwrap();
        turn_is_over(&mut events).await;
        // The turn's last words are written beside its end.
        at_rest(pod.pid).await;
        let written = written_by(pod.pid) - before;
        asking.stop(false).await.unwrap();
        (written, bare.join().unwrap())
    });
    Turn { text, written, bare }
}

/// Waits until a process has written nothing for a while, and longer than the flush of its first records takes to come.
async fn at_rest(pid: u32) {
    const REST: Duration = Duration::from_millis(1500);
    let mut before = f64::NAN;
    while before.to_bits() != written_by(pid).to_bits() {
        before = written_by(pid);
        tokio::time::sleep(REST).await;
    }
}

/// The least that this answer costs whoever promises what a session's folder does: a file that gets the text as it streams and once more
/// whole, flushed as often as a journal is, and a small one that is replaced whole at the turn's begin and end, as `meta.json` is. No
/// ledger, no debug log, no word around the text.
struct Bare {
    folder: PathBuf,
    words: Vec<u8>,
    /// Between two of the turn's batches.
    every: Duration,
}

impl Bare {
    /// The text comes in so many parts.
    const PARTS: usize = 20;
    /// What `meta.json` of such a session has.
    const SMALL: usize = 1200;

    fn new(folder: &Path, text: usize, every_ms: u64) -> Self {
        let folder = folder.join("bare");
        std::fs::create_dir(&folder).unwrap();
        let bare = Self { folder, words: vec![b'a'; text], every: Duration::from_millis(every_ms) };
        bare.replace_small();
        bare
    }

    /// In a thread of its own, of which the kernel keeps count.
    fn write(&self) -> f64 {
        let every = self.every * u32::try_from(DELTAS / AT_ONCE / Self::PARTS).unwrap();
        let mut file = File::create(self.folder.join("bare")).unwrap();
        let before = written_by("thread-self");
        file.write_all(b"prompt").unwrap();
        self.replace_small();
        for part in 0..Self::PARTS {
            // The prompt within a second, the text so far within thirty.
            if part == 0 || part == Self::PARTS * 3 / 4 {
                file.sync_data().unwrap();
            }
            std::thread::sleep(every);
            file.write_all(&self.words[..self.words.len() / Self::PARTS]).unwrap();
        }
        file.write_all(&self.words).unwrap();
        file.sync_data().unwrap();
        self.replace_small();
        written_by("thread-self") - before
    }

    fn replace_small(&self) {
        let (new, small) = (self.folder.join("small.new"), self.folder.join("small"));
        let mut file = File::create(&new).unwrap();
        file.write_all(&self.words[..Self::SMALL]).unwrap();
        file.sync_data().unwrap();
        std::fs::rename(new, small).unwrap();
    }
}

/// Writes the turn in parts. How long its finished text is, in bytes.
fn parts_of_a_turn(folder: &Path) -> f64 {
    let event = |event: &str| format!("{{\"type\":\"agent_event\",\"sessionId\":\"s\",\"event\":{event}}}\n");
    let stream = |inner: &str| event(&format!("{{\"type\":\"stream_event\",\"event\":{inner},\"session_id\":\"n\"}}"));
    let mut part = "{\"type\":\"turn_started\",\"sessionId\":\"s\",\"turnId\":\"t1\"}\n".to_owned();
    part += &stream(r#"{"type":"message_start","message":{"id":"m1"}}"#);
    let mut text = String::new();
    for number in 0..DELTAS {
        let token = if number % 20 == 19 { format!("{number}. ") } else { TOKEN.to_owned() };
        let delta = format!(r#"{{"type":"text_delta","text":"{token}"}}"#);
        part += &stream(&format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#));
        text += &token;
        if number % AT_ONCE == AT_ONCE - 1 {
            std::fs::write(folder.join(format!("{:04}", number / AT_ONCE)), std::mem::take(&mut part)).unwrap();
        }
    }
    let content = format!(r#"[{{"type":"text","text":"{text}"}}]"#);
    part += &event(&format!(r#"{{"type":"assistant","message":{{"id":"m1","content":{content}}},"session_id":"n"}}"#));
    let _ = writeln!(part, r#"{{"type":"turn_ended","sessionId":"s","turnId":"t1","stopReason":"endTurn"}}"#);
    std::fs::write(folder.join("9999"), part).unwrap();
    text.len() as f64
}

/// What a process, or a thread of this one, made dirty in files, in bytes.
fn written_by(process: impl std::fmt::Display) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes:")).unwrap();
    line.trim().parse().unwrap()
}
