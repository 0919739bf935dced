//! When does the archive take in what agents said? At the start, and at most every half minute after something happened.
//!
//! In the background, by a thread of its own; whatever is not taken in when the app ends, the next one takes in. Nothing is polled.

use archive::{Adapters, Archive, Feeding};
use client::{Machine, catalog};
use protocol::limits::ARCHIVE_FEED_EVERY;

use crate::Sessions;

/// Feeds the archive for as long as the list of sessions is kept.
pub(crate) fn start(machine: Machine, mut sessions: Sessions) {
    tauri::async_runtime::spawn(async move {
        loop {
            let here = machine.clone();
            // A thread that panicked has told so; the next change is a new attempt.
            let _ = tauri::async_runtime::spawn_blocking(move || feed(&here)).await;
            tokio::time::sleep(ARCHIVE_FEED_EVERY).await;
            if sessions.changed().await.is_err() {
                return;
            }
        }
    });
}

fn feed(machine: &Machine) {
    let archive = Archive::at(&machine.places.archive, &machine.places.sessions);
    let adapters = Adapters::new(catalog::adapters(machine));
    match archive.feed(&Feeding { adapters: &adapters, until: None, stop: None }) {
        Ok(state) => tracing::debug!(behind = state.sessions_behind, "the archive was fed"),
        Err(error) => tracing::warn!(%error, "the archive could not be fed"),
    }
}
