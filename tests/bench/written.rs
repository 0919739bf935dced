//! Budget 9: what a long answer costs the disk. A turn of 10,000 token deltas at the pace of a fast model, then its finished text;
//! beside that text. The kernel counts for the keeper what it made dirty in files, page by page, and again after each flush: journal,
//! meta, ledger, debug log, everything.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use client::keeper_process;
use protocol::pod::{SubscribeParams, Want};

use crate::ingest::{machine, prompt, runner_order, turn_is_over};
use crate::options;
use crate::table::{Budget, Row, Table};

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

/// Measures one turn.
pub(crate) fn measure(table: &mut Table) {
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
    let written = runtime.block_on(async {
        let pod = keeper_process::start(&machine, &order).await.unwrap();
        let mut asking = client::PodConnection::open(&pod, "bench").await.unwrap();
        let reading = client::PodConnection::open(&pod, "bench").await.unwrap();
        let params = SubscribeParams { from_seq: 0, want: Want::Records, deltas: false };
        let (_, mut events) = reading.subscribe(params).await.unwrap();
        let before = written_by(pod.pid);
        asking.prompt(prompt()).await.unwrap();
        turn_is_over(&mut events).await;
        // What the end of the turn has written is put on the disk when the session is over.
        let written = written_by(pod.pid) - before;
        asking.stop(false).await.unwrap();
        written
    });
    table.add(Row {
        name: "9 written to disk for an answer of 10000 deltas".into(),
        ours: written / 1024.0,
        reference: text / 1024.0,
        unit: "KiB",
        budget: Budget::AtMostTimesReference(3.0),
    });
    table.add(Row {
        name: "9 beside a bare file that gets the text as it streams and once more whole".into(),
        ours: written / 1024.0,
        reference: bare_file(folder.path(), text as usize) / 1024.0,
        unit: "KiB",
        budget: Budget::Absolute(f64::INFINITY),
    });
}

/// The least that a journal of this answer costs: its text every two seconds of forty, flushed every ten of those, and the whole of it.
fn bare_file(folder: &Path, text: usize) -> f64 {
    const PARTS: usize = 20;
    let mut file = std::fs::File::create(folder.join("bare")).unwrap();
    let words = vec![b'a'; text];
    let before = written_by(std::process::id());
    for part in 1..=PARTS {
        file.write_all(&words[..text / PARTS]).unwrap();
        if part % (PARTS / 2) == 0 {
            file.sync_data().unwrap();
        }
    }
    file.write_all(&words).unwrap();
    file.sync_data().unwrap();
    written_by(std::process::id()) - before
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

/// What the process made dirty in files, in bytes.
fn written_by(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes:")).unwrap();
    line.trim().parse().unwrap()
}
