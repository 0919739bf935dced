//! What does a program print before it ends or a limit is reached?
//!
//! Responsible for running a short question (`--version`, a login shell) in a session of its own, without a terminal
//! and without input, and for leaving nothing behind: the whole group is killed when the answer is in or the time is
//! up. Agents are not started here.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};
use protocol::limits::{DRAIN, PROGRAM_OUTPUT_BYTES};

/// How often a child that closed no pipe is asked whether it has exited.
const TICK: Duration = Duration::from_millis(10);

/// What a program printed.
#[derive(Debug)]
pub(crate) struct Captured {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) end: End,
}

/// Why no more was read.
#[derive(Debug)]
pub(crate) enum End {
    /// It exited by itself.
    Exited(ExitStatus),
    /// The caller had what it wanted.
    Enough,
    /// The limit was reached.
    OutOfTime,
    /// It printed more than is read.
    TooMuch,
}

enum Chunk {
    Out(Vec<u8>),
    Err(Vec<u8>),
}

/// Runs a program until `enough` says so of its stdout, it exits, or the limit is reached; then kills what is left.
pub(crate) fn capture(mut command: Command, limit: Duration, enough: &dyn Fn(&[u8]) -> bool) -> io::Result<Captured> {
    let deadline = Instant::now() + limit;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command, deadline)?;
    // Bounded, so that a program that prints without end waits in its pipe instead of in our memory.
    let (sender, chunks) = sync_channel(16);
    if let Some(pipe) = child.stdout().take() {
        read_on(pipe, sender.clone(), Chunk::Out);
    }
    if let Some(pipe) = child.stderr().take() {
        read_on(pipe, sender.clone(), Chunk::Err);
    }
    drop(sender);
    let captured = collect(child.as_mut(), &chunks, deadline, enough);
    put_down(child);
    captured
}

/// A file that another process has just written is busy for a moment; that is not yet a failure.
fn spawn(command: Command, deadline: Instant) -> io::Result<Box<dyn ChildWrapper>> {
    let mut command = CommandWrap::from(command);
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessSession);
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
    loop {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && Instant::now() < deadline => {
                std::thread::sleep(TICK);
            }
            result => return result,
        }
    }
}

fn read_on(mut pipe: impl Read + Send + 'static, sender: SyncSender<Chunk>, wrap: fn(Vec<u8>) -> Chunk) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 32 * 1024];
        while let Ok(n @ 1..) = pipe.read(&mut buffer) {
            if sender.send(wrap(buffer[..n].to_vec())).is_err() {
                return;
            }
        }
    });
}

/// Exit is not the end of output: after it the pipes get a moment to run dry. A leftover that holds them open is not
/// waited for.
fn collect(
    child: &mut dyn ChildWrapper,
    chunks: &Receiver<Chunk>,
    deadline: Instant,
    enough: &dyn Fn(&[u8]) -> bool,
) -> io::Result<Captured> {
    let mut captured = Captured { stdout: Vec::new(), stderr: Vec::new(), end: End::OutOfTime };
    let mut exited: Option<(ExitStatus, Instant)> = None;
    let mut pipes_open = true;
    loop {
        let received = if pipes_open {
            chunks.recv_timeout(TICK)
        } else {
            std::thread::sleep(TICK / 5);
            Err(RecvTimeoutError::Timeout)
        };
        match received {
            Ok(Chunk::Out(bytes)) => captured.stdout.extend(bytes),
            Ok(Chunk::Err(bytes)) => captured.stderr.extend(bytes),
            Err(RecvTimeoutError::Disconnected) => pipes_open = false,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if exited.is_none() {
            exited = child.try_wait()?.map(|status| (status, Instant::now() + DRAIN));
        }
        if enough(&captured.stdout) {
            captured.end = End::Enough;
            return Ok(captured);
        }
        if captured.stdout.len() + captured.stderr.len() > PROGRAM_OUTPUT_BYTES {
            captured.end = End::TooMuch;
            return Ok(captured);
        }
        match exited {
            Some((status, drained)) if !pipes_open || Instant::now() >= drained => {
                captured.end = End::Exited(status);
                return Ok(captured);
            }
            None if Instant::now() >= deadline => return Ok(captured),
            Some(_) | None => {}
        }
    }
}

/// Kills the group, also when its leader has exited: what it left behind was started by our question.
fn put_down(mut child: Box<dyn ChildWrapper>) {
    // An error means that nobody is left.
    let _ = child.start_kill();
    if !matches!(child.try_wait(), Ok(Some(_))) {
        // Reaped aside, because a process that hangs in the kernel would hold up the search.
        std::thread::spawn(move || drop(child.wait()));
    }
}

/// The last line with something in it, for a reason that fits in one line.
pub(crate) fn last_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}
