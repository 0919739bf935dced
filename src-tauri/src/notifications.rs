//! Tells a user who looks elsewhere what has happened: gathers news for a moment, leaves out what he does not want to be told, and
//! shows the rest as one.
//!
//! What is shown goes away again when it has been seen to: a request that is answered anywhere takes its notification with it.

use std::time::Duration;

use client::Machine;
use discovery::Notifications as Wanted;
use protocol::SessionId;
use protocol::desk::WaitingRequest;
use tauri::{AppHandle, Manager};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Sessions;
use crate::going;
use crate::muted::Muted;
use crate::news::{self, News, Target, What};
use crate::notification_area::{Area, Shown};
use crate::requests::Requests;
use crate::windows;

/// News that come within this time are told together. It also leaves time to answer what was asked while one looks.
const GATHER: Duration = Duration::from_secs(2);
/// Notifications of requests that are taken back when those are answered; older ones stay.
const TRACKED: usize = 16;

/// Tells until the app ends.
pub(crate) fn start(app: &AppHandle, sessions: Sessions, requests: Requests) {
    let (clicked, clicks) = mpsc::channel(8);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let area = Area::open(clicked).await;
        let began = format!("{:.3}", jiff::Timestamp::now());
        let teller = Teller { app, area, began, gathered: Vec::new(), due: None, shown: Vec::new() };
        teller.run(sessions, requests, clicks).await;
    });
}

struct Teller {
    app: AppHandle,
    area: Area,
    /// When the app began, RFC 3339.
    began: String,
    gathered: Vec<News>,
    due: Option<Instant>,
    /// Notifications that are only about requests, with those.
    shown: Vec<(Shown, Vec<(SessionId, String)>)>,
}

impl Teller {
    async fn run(mut self, mut sessions: Sessions, mut requests: Requests, mut clicks: mpsc::Receiver<Target>) {
        let mut list = sessions.borrow_and_update().clone();
        let mut waiting = requests.borrow_and_update().clone();
        loop {
            let due = self.due;
            tokio::select! {
                changed = sessions.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let now = sessions.borrow_and_update().clone();
                    self.gather(news::between(&list, &now, &self.began));
                    list = now;
                }
                Ok(()) = requests.changed() => {
                    let now = requests.borrow_and_update().clone();
                    self.gather(news::asked(&waiting, &now, &self.began));
                    self.take_back(&now).await;
                    waiting = now;
                }
                Some(target) = clicks.recv() => self.go(target),
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.tell(&waiting).await;
                }
            }
        }
    }

    fn gather(&mut self, news: Vec<News>) {
        if !news.is_empty() {
            self.due.get_or_insert_with(|| Instant::now() + GATHER);
            self.gathered.extend(news);
        }
    }

    async fn tell(&mut self, waiting: &[WaitingRequest]) {
        self.due = None;
        let gathered = std::mem::take(&mut self.gathered);
        let wanted = self.app.state::<Machine>().settings().notifications;
        let now = jiff::Zoned::now();
        if news::is_quiet((now.hour(), now.minute()), wanted.quiet) {
            return tracing::debug!(left_out = gathered.len(), "nothing is notified in the quiet hours");
        }
        let news: Vec<News> = gathered.into_iter().filter(|news| self.is_for_telling(news, wanted, waiting)).collect();
        let Some(words) = news::summed_up(&news) else {
            return tracing::debug!("no news is for telling");
        };
        tracing::debug!(title = words.title, "a notification is shown");
        let Some(shown) = self.area.show(&words).await else { return };
        let asked: Vec<_> = news.iter().filter_map(request_of).collect();
        if asked.len() == news.len() {
            self.shown.push((shown, asked));
            let over = self.shown.len().saturating_sub(TRACKED);
            self.shown.drain(..over);
        }
    }

    fn is_for_telling(&self, news: &News, wanted: Wanted, waiting: &[WaitingRequest]) -> bool {
        let is_wanted = match &news.what {
            What::NeedsYou { request_id, .. } => wanted.needs_you && still_waits(waiting, news.session, request_id),
            What::Finished => wanted.finished,
            What::Failed => wanted.failed,
        };
        is_wanted
            && !self.app.state::<Muted>().contains(news.session)
            && !windows::is_looked_at(&self.app, news.session)
    }

    async fn take_back(&mut self, waiting: &[WaitingRequest]) {
        let waits = |(_, asked): &(Shown, Vec<(SessionId, String)>)| {
            asked.iter().any(|(session, request)| still_waits(waiting, *session, request))
        };
        let (stay, over): (Vec<_>, Vec<_>) = std::mem::take(&mut self.shown).into_iter().partition(waits);
        self.shown = stay;
        for (shown, _) in over {
            self.area.take_back(shown).await;
        }
    }

    /// Windows are opened by a thread that may wait for the main one.
    fn go(&self, target: Target) {
        let app = self.app.clone();
        tauri::async_runtime::spawn(async move {
            let gone = match target {
                Target::Session(session) => going::to_session(&app, session),
                Target::Requests => going::to_oldest_request(&app),
            };
            if let Err(error) = gone {
                tracing::error!(%error, "a click on a notification led nowhere");
            }
        });
    }
}

fn still_waits(waiting: &[WaitingRequest], session: SessionId, request: &str) -> bool {
    waiting.iter().any(|waiting| waiting.summary.session == session && waiting.request.ask.request_id == request)
}

fn request_of(news: &News) -> Option<(SessionId, String)> {
    match &news.what {
        What::NeedsYou { request_id, .. } => Some((news.session, request_id.clone())),
        What::Finished | What::Failed => None,
    }
}
