//! The straightforward ways to read a runner, as many programs of the field do it: references for budget 2.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::io::AsyncBufReadExt;

/// Seconds for `tee` to write the same stream, read from the same kind of pipe; with its file put on the disk so often.
pub(crate) fn tee(folder: &Path, file: &Path, flushed: Option<Duration>) -> f64 {
    let journal = folder.join("tee.ndjson");
    let began = Instant::now();
    let mut cat = Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let from = cat.stdout.take().unwrap();
    let mut tee = Command::new("tee").arg(&journal).stdin(from).stdout(Stdio::null()).spawn().unwrap();
    if let Some(every) = flushed {
        let (over, is_over) = mpsc::channel();
        let path = journal.clone();
        let flushing = std::thread::spawn(move || {
            while is_over.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                File::open(&path).unwrap().sync_data().unwrap();
            }
        });
        assert!(tee.wait().unwrap().success());
        over.send(()).unwrap();
        flushing.join().unwrap();
    }
    assert!(tee.wait().unwrap().success() && cat.wait().unwrap().success());
    let seconds = began.elapsed().as_secs_f64();
    std::fs::remove_file(journal).unwrap();
    seconds
}

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

/// What the least is that a keeper could do with a line.
#[derive(Clone, Copy)]
pub(crate) enum Least {
    /// Splits, frames as a record, writes to a file, hands to one reader over a socket.
    Frames,
    /// The same, and reads each line once to know that it is JSON.
    FramesAndReads,
}

/// Seconds for a loop that does the least with the same stream: what this machine could reach with a journal and a subscriber at all.
/// It recovers nothing, keeps nothing for those who are late, and knows no pod.
pub(crate) fn bare_loop(folder: &Path, file: &Path, least: Least) -> f64 {
    let journal = folder.join("bare.ndjson");
    let (mut to, from) = UnixStream::pair().unwrap();
    let reading = std::thread::spawn(move || drain(from));
    let began = Instant::now();
    let mut cat = Command::new("cat").arg(file).stdout(Stdio::piped()).spawn().unwrap();
    let mut stream = cat.stdout.take().unwrap();
    let _ = rustix::pipe::fcntl_setpipe_size(&stream, BLOCK);
    let mut journal_file = File::create(&journal).unwrap();
    let (mut block, mut length, mut seq) = (vec![0; 4 * BLOCK], 0, 0_u64);
    loop {
        if length == block.len() {
            block.resize(2 * length, 0);
        }
        let room = block.len().min(length + BLOCK);
        let read = stream.read(&mut block[length..room]).unwrap();
        length += read;
        let whole = memchr::memrchr(b'\n', &block[..length]).map_or(0, |end| end + 1);
        let records = framed(&block[..whole], &mut seq, least);
        journal_file.write_all(&records).unwrap();
        to.write_all(&records).unwrap();
        block.copy_within(whole..length, 0);
        length -= whole;
        if read == 0 {
            break;
        }
    }
    drop(to);
    assert!(reading.join().unwrap() > 0 && cat.wait().unwrap().success());
    let seconds = began.elapsed().as_secs_f64();
    std::fs::remove_file(journal).unwrap();
    seconds
}

/// As much as a keeper takes at once, in bytes.
const BLOCK: usize = 256 * 1024;

fn framed(lines: &[u8], seq: &mut u64, least: Least) -> Vec<u8> {
    let mut records = Vec::with_capacity(lines.len() + lines.len() / 4);
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', lines) {
        let line = &lines[start..end];
        start = end + 1;
        if let Least::FramesAndReads = least {
            let read: Result<&serde_json::value::RawValue, _> = serde_json::from_slice(line);
            assert!(read.is_ok());
        }
        *seq += 1;
        let _ = write!(
            records,
            "{{\"seq\":{seq},\"at\":\"2026-01-01T00:00:00.000Z\",\"src\":\"runner\",\"gen\":1,\"line\":"
        );
        records.extend_from_slice(line);
        records.extend_from_slice(b"}\n");
    }
    records
}

/// How many lines come.
fn drain(mut from: UnixStream) -> usize {
    let (mut block, mut lines) = (vec![0; BLOCK], 0);
    loop {
        let read = from.read(&mut block).unwrap();
        if read == 0 {
            return lines;
        }
        lines += memchr::memchr_iter(b'\n', &block[..read]).count();
    }
}
