//! By which marks are a sidecar's processes proved ours, also after their owner was killed?
//!
//! Responsible for new marks, for their record in the run folder, and for ending what carries one whose owner is gone.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits::INSTANCES;

/// The record of marks in the run folder.
const FILE: &str = "sidecar-marks";

/// The marks of an owner. A handle: clones share them.
#[derive(Clone)]
pub(crate) struct Marks {
    given: Arc<Mutex<Vec<String>>>,
    record: PathBuf,
}

/// Makes a mark, and puts it on record before anything carries it.
pub(crate) type MakesMarks = Arc<dyn Fn() -> String + Send + Sync>;

impl Marks {
    /// Begins anew, after what an earlier owner has left was ended.
    pub(crate) async fn begin(run: &Path) -> Self {
        sweep(run).await;
        Self { given: Arc::default(), record: run.join(FILE) }
    }

    pub(crate) fn maker(&self) -> MakesMarks {
        let this = self.clone();
        Arc::new(move || {
            let mark = format!("sidecar-{}", uuid::Uuid::now_v7().simple());
            let mut given = this.given.lock().unwrap_or_else(PoisonError::into_inner);
            if given.len() >= 2 * INSTANCES {
                given.retain(|mark| !process::marked(mark).is_empty());
            }
            given.push(mark.clone());
            let folder = this.record.parent().map(Path::to_owned).unwrap_or_default();
            let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&this.record, given.join("\n")));
            if let Err(error) = written {
                tracing::warn!(%error, "the marks of sidecars are not on record: a crash could leave them running");
            }
            mark
        })
    }

    /// Nothing of them runs any more.
    pub(crate) fn end(&self) {
        let _ = std::fs::remove_file(&self.record);
    }
}

/// Ends what an owner that is gone has left. How many processes that were.
pub(crate) async fn sweep(run: &Path) -> usize {
    let record = run.join(FILE);
    let mut ended = 0;
    for mark in std::fs::read_to_string(&record).unwrap_or_default().lines().filter(|line| !line.is_empty()) {
        let swept = process::sweep(mark, &[]).await;
        if !swept.ended.is_empty() {
            let count = swept.ended.len();
            tracing::warn!(mark, count, "a killed owner had left a sidecar running; it was ended");
            ended += count;
        }
    }
    let _ = std::fs::remove_file(record);
    crate::callback::remove_left(run);
    ended
}
