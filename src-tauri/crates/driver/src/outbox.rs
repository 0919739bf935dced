//! How do lines get to the host, and when is it too slow for more?
//!
//! One task owns stdout. What was said leaves in order; whoever could say more waits for room.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// Bytes that may wait for the host before the CLI's output is no longer read.
const WAITING_BYTES: usize = 1024 * 1024;

/// The way to the host.
#[derive(Debug)]
pub(crate) struct Outbox {
    lines: mpsc::UnboundedSender<Vec<u8>>,
    state: Arc<State>,
    writer: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    waiting: AtomicUsize,
    drained: Notify,
}

impl Outbox {
    /// An outbox whose lines are written to `output`.
    pub(crate) fn to(output: impl AsyncWrite + Unpin + Send + 'static) -> Self {
        let (lines, waiting) = mpsc::unbounded_channel();
        let state = Arc::new(State::default());
        let writer = tokio::spawn(write(output, waiting, Arc::clone(&state)));
        Self { lines, state, writer }
    }

    /// Puts a line in. A host that no longer reads is gone, which the end of our stdin tells.
    pub(crate) fn put(&self, line: Vec<u8>) {
        self.state.waiting.fetch_add(line.len(), Ordering::Relaxed);
        let _ = self.lines.send(line);
    }

    /// Returns as soon as there is room for more.
    pub(crate) async fn room(&self) {
        while self.state.waiting.load(Ordering::Relaxed) > WAITING_BYTES {
            self.state.drained.notified().await;
        }
    }

    /// Returns when everything was written, or the host is gone.
    pub(crate) async fn finish(self) {
        drop(self.lines);
        let _ = self.writer.await;
    }
}

async fn write(mut output: impl AsyncWrite + Unpin, mut waiting: mpsc::UnboundedReceiver<Vec<u8>>, state: Arc<State>) {
    let mut together = Vec::new();
    let mut gone = false;
    while let Some(line) = waiting.recv().await {
        together.clear();
        together.extend_from_slice(&line);
        // Lines that came at once leave at once.
        while together.len() < WAITING_BYTES
            && let Ok(line) = waiting.try_recv()
        {
            together.extend_from_slice(&line);
        }
        if !gone {
            gone = output.write_all(&together).await.is_err() || output.flush().await.is_err();
        }
        state.waiting.fetch_sub(together.len(), Ordering::Relaxed);
        // Stored when nobody waits yet, so that it cannot be missed.
        state.drained.notify_one();
        if together.capacity() > 2 * WAITING_BYTES {
            together = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_slow_host_holds_up_what_could_be_said() {
        let (output, mut host) = tokio::io::duplex(1024);
        let outbox = Outbox::to(output);
        outbox.room().await;
        outbox.put(vec![b'x'; WAITING_BYTES + 2048]);
        outbox.put(b"\nlast\n".to_vec());
        tokio::select! {
            biased;
            () = outbox.room() => panic!("there is no room while the host does not read"),
            () = tokio::task::yield_now() => {}
        }
        let read = tokio::spawn(async move {
            let mut all = Vec::new();
            host.read_to_end(&mut all).await.unwrap();
            all
        });
        outbox.room().await;
        outbox.finish().await;
        let all = read.await.unwrap();
        assert_eq!(all.len(), WAITING_BYTES + 2048 + 6);
        assert!(all.ends_with(b"\nlast\n"));
    }

    #[tokio::test]
    async fn a_host_that_is_gone_holds_up_nothing() {
        let (output, host) = tokio::io::duplex(16);
        drop(host);
        let outbox = Outbox::to(output);
        outbox.put(vec![b'x'; 3 * WAITING_BYTES]);
        outbox.room().await;
        outbox.finish().await;
    }
}
