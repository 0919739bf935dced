//! What the pages are being sent: one task for each list or session that a page follows.
//!
//! Responsible for ending them: when the page says so, when it is reloaded or lost, and when its window closes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tauri::async_runtime::JoinHandle;
use tokio::sync::watch;

/// All feeds of all windows.
#[derive(Default)]
pub(crate) struct PageFeeds(Mutex<Open>);

#[derive(Default)]
struct Open {
    last: u64,
    feeds: HashMap<u64, Feed>,
}

struct Feed {
    window: String,
    task: JoinHandle<()>,
    credit: watch::Sender<u64>,
}

impl PageFeeds {
    /// Starts a feed for a window and gives its number. `run` gets what the page has taken in: the number of a frame.
    pub(crate) fn start<F>(&self, window: &str, run: impl FnOnce(watch::Receiver<u64>) -> F) -> u64
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (credit, credits) = watch::channel(0);
        let task = tauri::async_runtime::spawn(run(credits));
        let mut open = self.lock();
        // Feeds that ended by themselves are let go when the next one begins.
        open.feeds.retain(|_, feed| !feed.task.inner().is_finished());
        open.last += 1;
        let number = open.last;
        open.feeds.insert(number, Feed { window: window.to_owned(), task, credit });
        number
    }

    /// The page has taken in everything up to this frame. Feeds of other windows are out of reach.
    pub(crate) fn credit(&self, window: &str, number: u64, frame: u64) {
        if let Some(feed) = self.lock().feeds.get(&number).filter(|feed| feed.window == window) {
            feed.credit.send_if_modified(|credit| {
                let more = frame > *credit;
                *credit = frame.max(*credit);
                more
            });
        }
    }

    /// Ends one feed of a window.
    pub(crate) fn end(&self, window: &str, number: u64) {
        self.end_those(|&open, feed| open == number && feed.window == window);
    }

    /// Ends all feeds of a window.
    pub(crate) fn end_all_of(&self, window: &str) {
        self.end_those(|_, feed| feed.window == window);
    }

    fn end_those(&self, ended: impl Fn(&u64, &Feed) -> bool) {
        self.lock().feeds.retain(|number, feed| {
            let ends = ended(number, feed);
            if ends {
                feed.task.abort();
            }
            !ends
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(feeds: &PageFeeds) -> Vec<u64> {
        let mut open: Vec<u64> = feeds.lock().feeds.keys().copied().collect();
        open.sort_unstable();
        open
    }

    #[test]
    fn a_window_reaches_only_its_own_feeds() {
        let feeds = PageFeeds::default();
        let mut credits = None;
        let first = feeds.start("a", |credit| {
            credits = Some(credit);
            std::future::pending()
        });
        let second = feeds.start("b", |_| std::future::pending());
        feeds.credit("b", first, 7);
        assert_eq!(credits.as_ref().map(|credit| *credit.borrow()), Some(0));
        feeds.credit("a", first, 7);
        feeds.credit("a", first, 3);
        assert_eq!(credits.as_ref().map(|credit| *credit.borrow()), Some(7));
        feeds.end("b", first);
        assert_eq!(open(&feeds), [first, second]);
        feeds.end_all_of("a");
        assert_eq!(open(&feeds), [second]);
    }
}
