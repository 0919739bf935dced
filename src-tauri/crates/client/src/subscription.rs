//! The events of a session, as they come.

use process::Line;
use protocol::error::{ErrorCode, WireError};
use protocol::json::parse_tolerant;
use protocol::pod::{EventParams, SessionEvent};
use serde::Deserialize;

use crate::connection::PodConnection;

/// Owns its connection. Dropping it ends the subscription; the session does not notice.
pub struct Subscription {
    connection: PodConnection,
}

#[derive(Deserialize)]
struct Notification {
    params: EventParams,
}

impl Subscription {
    pub(crate) fn new(connection: PodConnection) -> Self {
        Self { connection }
    }

    /// The next notifications as they are on the wire, for those who pass them on without looking inside.
    /// Cancel-safe.
    pub async fn next_raw(&mut self) -> Option<Vec<Line>> {
        if !self.connection.early.is_empty() {
            return Some(self.connection.early.drain(..).collect());
        }
        self.connection.lines.next_batch().await.ok().flatten()
    }

    /// The next events, in order; nothing when the session is over or the connection broke.
    /// Cancel-safe: what has been read is delivered by the next call.
    ///
    /// # Errors
    /// When the pod says something that is no event.
    pub async fn next(&mut self) -> Result<Option<Vec<SessionEvent>>, WireError> {
        loop {
            if let Some(line) = self.connection.early.pop_front() {
                return events(&line.bytes).map(Some);
            }
            match self.connection.lines.next_batch().await {
                Ok(Some(batch)) => self.connection.early.extend(batch),
                Ok(None) | Err(_) => return Ok(None),
            }
        }
    }
}

fn events(line: &[u8]) -> Result<Vec<SessionEvent>, WireError> {
    let text = String::from_utf8_lossy(line);
    let notification: Notification = parse_tolerant(&text).map_err(|error| {
        WireError::new(ErrorCode::Internal, format!("the pod sent an event that cannot be understood: {error}"))
    })?;
    Ok(notification.params.events)
}
