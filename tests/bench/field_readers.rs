//! The straightforward ways to read a runner, as many programs of the field do it: references for budget 2.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use tokio::io::AsyncBufReadExt;

/// Seconds for a JavaScript host that decodes chunks to a string, splits it, parses each line and appends a debug line to a file
/// synchronously.
pub(crate) fn javascript(folder: &Path, file: &Path) -> f64 {
    let script = outrigger_tests::project().join("tests/bench/field_reader.mjs");
    let began = Instant::now();
    let mut cat = Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let from = cat.stdout.take().unwrap();
    let node = Command::new("node").arg(script).arg(folder.join("debug.log")).stdin(from).status().unwrap();
    assert!(node.success() && cat.wait().unwrap().success());
    began.elapsed().as_secs_f64()
}

/// Seconds for a tokio loop over `lines()` that parses each to a `serde_json::Value`, appends it to a file and publishes it to one
/// subscriber.
pub(crate) fn lines_loop(folder: &Path, file: &Path) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let journal = folder.join("lines.ndjson");
    runtime.block_on(async {
        let began = Instant::now();
        let mut cat = tokio::process::Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = tokio::io::BufReader::new(cat.stdout.take().unwrap()).lines();
        let mut journal = std::fs::OpenOptions::new().create(true).append(true).open(journal).unwrap();
        let (publish, mut subscriber) = tokio::sync::mpsc::channel::<serde_json::Value>(1024);
        let reading = tokio::spawn(async move {
            let mut seen = 0_u64;
            while subscriber.recv().await.is_some() {
                seen += 1;
            }
            seen
        });
        while let Some(line) = lines.next_line().await.unwrap() {
            let Ok(value) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            let mut text = value.to_string();
            text.push('\n');
            journal.write_all(text.as_bytes()).unwrap();
            publish.send(value).await.unwrap();
        }
        drop(publish);
        assert!(reading.await.unwrap() > 0);
        cat.wait().await.unwrap();
        began.elapsed().as_secs_f64()
    })
}
