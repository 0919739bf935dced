//! Sends a session's events to a page, as they come.
//!
//! Responsible for the pace: a frame at most every 16 ms unless much waits, and no more frames than the page has taken in, since
//! the channel to it knows no back-pressure. A page that is slow makes this feed stop reading; the keeper then goes on without it
//! and serves it from the journal, so the agent never waits. When the session ends, or its pod is lost, what the journal holds
//! beyond that is sent too, then the end is told.

use std::time::Duration;

use client::{Machine, Subscription};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{PAGE_FRAME_BYTES, PAGE_FRAMES_AHEAD, PAGE_WAITING_BYTES, READ_PAGE};
use protocol::pod::{SessionEvent, SubscribeParams, Want};
use protocol::view::FeedFrame;
use tauri::ipc::{Channel, InvokeResponseBody};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::frames::Frames;
use crate::session_access::transcript_of;

/// One picture of a screen.
const FRAME: Duration = Duration::from_millis(16);
/// Frames that are not full and are sent to a page before it has taken in the earlier ones: one that it draws, one on its way, and
/// one so that the next picture has something new too.
const SMALL_FRAMES_AHEAD: u64 = 3;

/// A feed before it runs.
pub(crate) struct LiveFeed {
    pub(crate) machine: Machine,
    pub(crate) session: SessionId,
    /// The newest record that the page has seen.
    pub(crate) from_seq: u64,
    pub(crate) page: Channel<InvokeResponseBody>,
}

/// Why a feed stops without a word: the page is gone.
struct PageGone;

impl LiveFeed {
    /// Runs until the session is over or the page is gone.
    pub(crate) async fn run(self, credits: watch::Receiver<u64>) {
        let session = self.session;
        let mut running = Running { feed: self, credits, frames: Frames::default(), next_at: Instant::now() };
        match running.run().await {
            Ok(reason) => tracing::debug!(%session, reason, "a feed ended"),
            Err(PageGone) => tracing::debug!(%session, "a feed lost its page"),
        }
    }
}

struct Running {
    feed: LiveFeed,
    credits: watch::Receiver<u64>,
    frames: Frames,
    next_at: Instant,
}

impl Running {
    async fn run(&mut self) -> Result<String, PageGone> {
        let reason = match self.subscribe().await {
            Ok(mut events) => self.pass_on(&mut events).await?,
            Err(error) => error.message,
        };
        self.add_what_the_journal_has().await;
        while !self.frames.is_empty() {
            self.wait_and_send().await?;
        }
        let closed = FeedFrame::Closed { reason: reason.clone() };
        self.send(serde_json::to_string(&closed).unwrap_or_default())?;
        Ok(reason)
    }

    async fn subscribe(&self) -> Result<Subscription, WireError> {
        let connection = client::sessions::connect(&self.feed.machine, self.feed.session, "desktop").await?;
        let params = SubscribeParams { from_seq: self.feed.from_seq, want: Want::Items, deltas: true };
        connection.subscribe(params).await.map(|(_, events)| events)
    }

    async fn pass_on(&mut self, events: &mut Subscription) -> Result<String, PageGone> {
        loop {
            let may_read = self.frames.bytes() < PAGE_WAITING_BYTES;
            tokio::select! {
                next = events.next(), if may_read => match next {
                    Ok(Some(batch)) => batch.into_iter().for_each(|event| self.take(event)),
                    Ok(None) => return Ok("the session is over".to_owned()),
                    Err(error) => return Ok(error.message),
                },
                sent = Self::wait(self.next_at, &mut self.credits, &self.frames), if !self.frames.is_empty() => {
                    sent?;
                    self.send_what_may_be_sent()?;
                }
            }
        }
    }

    fn take(&mut self, event: SessionEvent) {
        match &event {
            SessionEvent::Item { item, .. } => self.feed.from_seq = self.feed.from_seq.max(item.last_seq),
            SessionEvent::CaughtUp { seq } => self.feed.from_seq = self.feed.from_seq.max(*seq),
            SessionEvent::Append { .. }
            | SessionEvent::Remove { .. }
            | SessionEvent::Record { .. }
            | SessionEvent::Status { .. } => {}
        }
        if let Err(error) = self.frames.push(event) {
            tracing::error!(session = %self.feed.session, %error, "an event could not be written as JSON");
        }
    }

    /// A pod that was killed could not send its last records. They are looked for among the newest items.
    async fn add_what_the_journal_has(&mut self) {
        let (machine, session, seen) = (self.feed.machine.clone(), self.feed.session, self.feed.from_seq);
        let read = tokio::task::spawn_blocking(move || {
            let transcript = transcript_of(&machine, session)?;
            let page = transcript
                .newest(READ_PAGE)
                .map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
            Ok::<_, WireError>((page.items, transcript.last_seq()))
        });
        let Ok(Ok((items, seq))) = read.await else { return };
        if seq <= seen {
            return;
        }
        for item in items.into_iter().filter(|item| item.last_seq > seen) {
            self.take(SessionEvent::Item { item, replaces: None });
        }
        self.take(SessionEvent::CaughtUp { seq });
    }

    async fn wait_and_send(&mut self) -> Result<(), PageGone> {
        Self::wait(self.next_at, &mut self.credits, &self.frames).await?;
        self.send_what_may_be_sent()
    }

    /// Waits until a frame is due and the page has room for it. Cancel-safe.
    async fn wait(at: Instant, credits: &mut watch::Receiver<u64>, frames: &Frames) -> Result<(), PageGone> {
        sleep_until(at).await;
        credits.wait_for(|credit| has_room(frames, *credit)).await.map(drop).map_err(|_| PageGone)
    }

    fn send_what_may_be_sent(&mut self) -> Result<(), PageGone> {
        let credit = *self.credits.borrow();
        while has_room(&self.frames, credit) {
            match self.frames.next() {
                Ok(Some(frame)) => self.send(frame)?,
                Ok(None) => break,
                Err(error) => {
                    tracing::error!(session = %self.feed.session, %error, "a frame could not be written as JSON");
                    break;
                }
            }
        }
        self.next_at = Instant::now() + FRAME;
        Ok(())
    }

    fn send(&self, json: String) -> Result<(), PageGone> {
        self.feed.page.send(InvokeResponseBody::Json(json)).map_err(|_| PageGone)
    }
}

/// Whether the page may be sent a frame. One that is not full waits for fewer others: while a page is slow its frames become larger, and
/// not more.
fn has_room(frames: &Frames, credit: u64) -> bool {
    let most = if frames.bytes() < PAGE_FRAME_BYTES { SMALL_FRAMES_AHEAD } else { PAGE_FRAMES_AHEAD };
    frames.sent().saturating_sub(credit) < most
}
