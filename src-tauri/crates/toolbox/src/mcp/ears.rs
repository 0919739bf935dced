//! What a server says without being asked: progress, log lines, and that its tools have changed.
//!
//! Responsible for bringing each to whom it concerns in bounded memory. A server may say any of it as often as it likes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::handler::client::ClientHandler;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, NumberOrString, ProgressNotificationParam};
use rmcp::service::{NotificationContext, RoleClient};
use tokio::sync::{Notify, mpsc};

use crate::limits::EARLY_PROGRESS;
use crate::log::{Log, LogSource};

/// How a call gets on.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// So far.
    pub progress: f64,
    /// Of so much, where that is known.
    pub total: Option<f64>,
    /// In words.
    pub message: Option<String>,
}

/// See the module. A handle: clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Ears {
    log: Log,
    routes: Arc<Mutex<Routes>>,
    list_changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Routes {
    calls: HashMap<String, mpsc::Sender<Progress>>,
    /// Progress may come before the call is known here: the server was told its token first.
    early: VecDeque<(String, Progress)>,
}

impl Ears {
    pub(crate) fn new(log: Log) -> Self {
        Self { log, routes: Arc::default(), list_changed: Arc::default() }
    }

    /// The server says that it offers other tools. Said often, it is heard once.
    pub(crate) fn list_has_changed(&self) {
        self.list_changed.notify_one();
    }

    /// Waits until it says so.
    pub(crate) async fn list_changed(&self) {
        self.list_changed.notified().await;
    }

    /// From now on the progress of this token goes there, and first what came before.
    pub(crate) fn expect(&self, token: &str, to: mpsc::Sender<Progress>) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let (early, kept): (Vec<_>, Vec<_>) = routes.early.drain(..).partition(|(of, _)| of == token);
        routes.early = kept.into();
        for (_, progress) in early {
            let _ = to.try_send(progress);
        }
        routes.calls.insert(token.to_owned(), to);
    }

    /// The call is over.
    pub(crate) fn forget(&self, token: &str) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.calls.remove(token);
    }

    pub(crate) fn progress(&self, token: String, progress: Progress) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(to) = routes.calls.get(&token) {
            // Who does not read fast enough misses some of it.
            let _ = to.try_send(progress);
            return;
        }
        if routes.early.len() == EARLY_PROGRESS {
            routes.early.pop_front();
        }
        routes.early.push_back((token, progress));
    }

    pub(crate) fn log(&self, from: LogSource, line: &[u8]) {
        self.log.push(from, line);
    }
}

/// The text of an id or token, in which numbers and strings do not meet.
pub(crate) fn key(id: &NumberOrString) -> String {
    match id {
        NumberOrString::Number(number) => number.to_string(),
        NumberOrString::String(text) => format!("\"{text}\""),
    }
}

/// For servers that are reached by http; those of a wire are heard there.
impl ClientHandler for Ears {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("outrigger", env!("CARGO_PKG_VERSION")))
    }

    async fn on_progress(&self, params: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        let progress = Progress { progress: params.progress, total: params.total, message: params.message };
        self.progress(key(&params.progress_token.0), progress);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.list_has_changed();
    }
}
