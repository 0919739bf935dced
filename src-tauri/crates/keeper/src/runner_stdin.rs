//! Owns the runner's stdin: writes the host's lines in order, so that a runner that does not read never holds up its pod.

use process::ChildStdin;
use protocol::runner::HostLine;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

/// Lines that may wait for a runner that does not read.
const WAITING_LINES: usize = 256;

/// The sending end. Dropping it closes the runner's stdin, after what was said before has been written.
#[derive(Debug)]
pub(crate) struct RunnerStdin {
    lines: mpsc::Sender<Vec<u8>>,
}

impl RunnerStdin {
    pub(crate) fn open(mut stdin: ChildStdin) -> Self {
        let (lines, mut waiting) = mpsc::channel::<Vec<u8>>(WAITING_LINES);
        tokio::spawn(async move {
            while let Some(line) = waiting.recv().await {
                if let Err(error) = stdin.write_all(&line).await {
                    // Its end is noticed on its stdout and by its exit.
                    tracing::warn!(%error, "failed to write to the runner");
                    return;
                }
                let _ = stdin.flush().await;
            }
        });
        Self { lines }
    }

    pub(crate) fn send(&self, line: &HostLine) {
        let mut bytes = match serde_json::to_vec(line) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(%error, "a line for the runner could not be serialised");
                return;
            }
        };
        bytes.push(b'\n');
        tracing::debug!(source = "host", line_type = name(line), bytes = bytes.len(), "line");
        if self.lines.try_send(bytes).is_err() {
            tracing::error!(line_type = name(line), "the runner does not read its stdin; a line was not sent");
        }
    }
}

fn name(line: &HostLine) -> &'static str {
    match line {
        HostLine::Query(_) => "query",
        HostLine::Steer { .. } => "steer",
        HostLine::Interrupt { .. } => "interrupt",
        HostLine::PermissionResponse { .. } => "permissionResponse",
        HostLine::Set { .. } => "set",
        HostLine::Stop { .. } => "stop",
        HostLine::Ping => "ping",
    }
}
