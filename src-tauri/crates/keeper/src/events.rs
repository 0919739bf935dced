//! Collects events into one `session/event` notification.

use protocol::pod::SessionEvent;

const HEAD: &[u8] = br#"{"jsonrpc":"2.0","method":"session/event","params":{"events":["#;
const TAIL: &[u8] = b"]}}\n";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
}

impl Events {
    /// How much has been collected, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.line.len()
    }

    /// Adds an event.
    pub(crate) fn push(&mut self, event: &SessionEvent) {
        self.separate();
        if let Err(error) = serde_json::to_writer(&mut self.line, event) {
            // Our own types serialise; should one not, the notification stays valid JSON.
            tracing::error!(%error, "an event could not be serialised");
            self.line.extend_from_slice(b"null");
        }
    }

    /// Adds a journal line as it is.
    pub(crate) fn push_record(&mut self, line: &[u8]) {
        self.separate();
        self.line.extend_from_slice(br#"{"type":"record","record":"#);
        self.line.extend_from_slice(line);
        self.line.push(b'}');
    }

    /// The notification, if there is anything to tell.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        if self.line.is_empty() {
            return None;
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(TAIL);
        Some(line)
    }

    fn separate(&mut self) {
        if self.line.is_empty() {
            self.line.extend_from_slice(HEAD);
        } else {
            self.line.push(b',');
        }
    }
}
