//! A turn to start a keeper: only so many are being started at one time, over all programs of the user.
//!
//! Each turn is a locked file in the folder of sockets. The system gives a lock back when its holder dies, however it dies.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use protocol::limits::STARTS_AT_ONCE;

/// Between two looks for a free turn.
const BETWEEN: Duration = Duration::from_millis(20);

/// Held while a keeper is being started.
#[derive(Debug)]
pub struct StartTurn {
    _file: Option<File>,
}

impl StartTurn {
    /// Waits for a turn. Where the files cannot be locked nobody waits: a start matters more than the order of starts.
    pub async fn take(run: &Path) -> Self {
        loop {
            match free(run) {
                Ok(Some(file)) => return Self { _file: Some(file) },
                Ok(None) => tokio::time::sleep(BETWEEN).await,
                Err(error) => {
                    tracing::warn!(%error, folder = %run.display(), "starts do not wait for each other");
                    return Self { _file: None };
                }
            }
        }
    }
}

fn free(run: &Path) -> std::io::Result<Option<File>> {
    for turn in 0..STARTS_AT_ONCE {
        let path = run.join(format!("start-{turn}.lock"));
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_than_the_limit_have_a_turn_at_one_time() {
        let run = tempfile::tempdir().unwrap();
        let mut turns = Vec::new();
        for _ in 0..STARTS_AT_ONCE {
            turns.push(StartTurn::take(run.path()).await);
        }
        assert!(free(run.path()).unwrap().is_none());
        turns.pop();
        assert!(free(run.path()).unwrap().is_some());
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_stops_no_start() {
        let turn = StartTurn::take(Path::new("/nowhere/at/all")).await;
        assert!(turn._file.is_none());
    }
}
