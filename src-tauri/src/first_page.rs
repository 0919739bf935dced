//! When can the user see the first window's sessions? What nobody waits for begins then: the tray, the archive.
//!
//! A page that shows nothing does not hold these up for long.

use std::time::Duration;

use tauri::{AppHandle, Manager};
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest that they wait for a page.
const AT_MOST: Duration = Duration::from_secs(3);

/// Whether a page has shown its sessions.
pub(crate) struct FirstPage(watch::Sender<bool>);

impl Default for FirstPage {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl FirstPage {
    /// One has.
    pub(crate) fn shown(&self) {
        self.0.send_replace(true);
    }
}

/// Runs something then, in a task.
pub(crate) fn then(app: &AppHandle, run: impl FnOnce(AppHandle) + Send + 'static) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut shown = app.state::<FirstPage>().0.subscribe();
        // The sender lives as long as the app.
        let _ = timeout(AT_MOST, shown.wait_for(|shown| *shown)).await;
        run(app);
    });
}
