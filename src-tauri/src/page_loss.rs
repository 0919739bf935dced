//! What happens when the process behind a page is gone: the page is loaded again, and finds everything as it was.
//!
//! A page that is lost again and again is left alone after a few times, so that a broken web engine does not take the machine
//! with it; the agents do not notice either way.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tauri::{Builder, WebviewWindow, Wry};

/// So many pages may be lost within [`PERIOD`], over all windows.
const AT_MOST: usize = 6;
const PERIOD: Duration = Duration::from_secs(60);

static LOST: Mutex<VecDeque<Instant>> = Mutex::new(VecDeque::new());

/// Watches all pages, where the system tells of them all at one place.
#[cfg(target_os = "macos")]
pub(crate) fn watch_all(builder: Builder<Wry>) -> Builder<Wry> {
    builder.on_web_content_process_terminate(|webview| {
        if may_reload(webview.label()) {
            let _ = webview.reload();
        }
    })
}

/// Pages are watched one by one here, or, on Windows, reloaded by the web view itself.
#[cfg(not(target_os = "macos"))]
pub(crate) fn watch_all(builder: Builder<Wry>) -> Builder<Wry> {
    builder
}

/// Watches one page.
#[cfg(target_os = "linux")]
pub(crate) fn watch(window: &WebviewWindow) {
    use webkit2gtk::WebViewExt;

    let label = window.label().to_owned();
    let watched = window.with_webview(move |webview| {
        webview.inner().connect_web_process_terminated(move |view, reason| {
            tracing::error!(window = label, ?reason, "the process behind a page is gone");
            if may_reload(&label) {
                view.reload();
            }
        });
    });
    if let Err(error) = watched {
        tracing::warn!(%error, "a lost page will not come back by itself");
    }
}

/// Nothing to do for a single page.
#[cfg(not(target_os = "linux"))]
pub(crate) fn watch(_: &WebviewWindow) {}

#[cfg_attr(windows, expect(dead_code, reason = "the web view reloads its page itself there"))]
fn may_reload(label: &str) -> bool {
    let mut lost = LOST.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    lost.retain(|at| now.duration_since(*at) < PERIOD);
    lost.push_back(now);
    let may = lost.len() <= AT_MOST;
    if !may {
        tracing::error!(window = label, "pages were lost too often; this one stays empty until it is reloaded by hand");
    }
    may
}
