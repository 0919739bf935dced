//! The debug log: one file that all processes of Outrigger write, for finding out afterwards what happened.
//!
//! Responsible for the subscriber, the form of a line, redaction, rotation and retention. It never blocks or fails its
//! caller: what can't be written is counted and told later. It is not the journal: nothing depends on its content.
//!
//! By default our own crates log from `debug`, others from `info`; `OUTRIGGER_LOG` (`warn`, `outrigger_keeper=trace`,
//! comma-separated) changes that. Every event is written by one direct append, so that a crash loses none; events
//! that come thousands of times per second belong into a [`Tally`].

mod event_line;
mod log_file;
mod log_line;
mod log_reader;
mod redaction;
mod subscriber;
mod tally;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::limits::{LOG_FILE_BYTES, LOG_FILES, LOG_LINE_BYTES};
use thiserror::Error;
use tracing_subscriber::layer::SubscriberExt;

use log_file::{Limits, LogFile};
pub use log_reader::LogReader;
pub use redaction::{hide, redact};
pub use tally::Tally;

/// The environment variable with the filter.
pub const FILTER_VARIABLE: &str = "OUTRIGGER_LOG";

/// Keeps the log going; dropping it tells in the log that the process ended in order.
#[derive(Debug)]
#[must_use = "the end of the process is logged when this is dropped"]
pub struct Guard {
    log: Arc<LogFile>,
}

/// The debug log could not be started. The program can go on without it.
#[derive(Debug, Error)]
pub enum LogError {
    /// The folder or the file can't be created or written.
    #[error(
        "failed to open the debug log {path}: {source}; make the folder writable for your user, free space on its \
         disk, or set OUTRIGGER_HOME to another folder"
    )]
    Unwritable {
        /// The folder or file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// This process has a subscriber already.
    #[error("failed to start the debug log: it was started before in this process; start it once, in main")]
    AlreadyStarted,
}

impl Guard {
    /// The file that is written now; earlier ones lie beside it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.log.path()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        tracing::debug!("the debug log ends with its process");
    }
}

/// Starts the debug log in the folder `dir` (`logs` under the data folder), which is created when it is missing.
///
/// `source` names the kind of process in every line: `keeper`, `cli`, `desktop`. Panics are logged from here on, too.
///
/// # Errors
/// [`LogError`] says what to do. A filter that can't be read is no error: the default holds and the log says so.
pub fn start(dir: &Path, source: &'static str) -> Result<Guard, LogError> {
    let limits = Limits { file_bytes: LOG_FILE_BYTES, files: LOG_FILES, line_bytes: LOG_LINE_BYTES };
    let log = LogFile::open(dir, limits, jiff::Timestamp::now)?;
    let log = Arc::new(log);
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_default();
    let (filter, complaint) = subscriber::filter(&wanted);
    let lines = subscriber::Lines::new(Arc::clone(&log), source);
    let subscriber = tracing_subscriber::registry().with(filter).with(lines);
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogError::AlreadyStarted)?;
    log_panics();
    if let Some(complaint) = complaint {
        tracing::warn!("{complaint}");
    }
    tracing::debug!(version = env!("CARGO_PKG_VERSION"), "the debug log begins");
    Ok(Guard { log })
}

fn log_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!("{panic}");
        before(panic);
    }));
}
