//! What the pod's task waits for besides asks and exits; each waits for ever when there is nothing to wait for.

use process::{Line, LineReader, Sweep};
use tokio::time::{Instant, sleep_until};

/// The next lines of a pipe that may be closed by now.
pub(crate) async fn next_batch<R: tokio::io::AsyncRead + Unpin>(
    reader: &mut Option<LineReader<R>>,
) -> std::io::Result<Option<Vec<Line>>> {
    match reader {
        Some(reader) => reader.next_batch().await,
        None => std::future::pending().await,
    }
}

/// The moment of a timer, if it is set.
pub(crate) async fn at(timer: Option<Instant>) {
    match timer {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// The end of a sweep, if one is under way.
pub(crate) async fn swept(sweeping: &mut Option<tokio::task::JoinHandle<Sweep>>) -> Sweep {
    match sweeping {
        Some(task) => {
            let swept = task.await;
            *sweeping = None;
            swept.unwrap_or_default()
        }
        None => std::future::pending().await,
    }
}
