//! Holds a query back until the ledger has counted its turn, and what is said meanwhile behind it. Pure.

use protocol::attachment::Attachment;
use protocol::runner::HostLine;

/// Open unless a turn is being asked for.
#[derive(Debug, Default)]
pub(crate) struct TurnGate {
    held: Option<Held>,
}

/// What waits.
#[derive(Debug, PartialEq)]
pub(crate) struct Held {
    pub(crate) prompt: String,
    pub(crate) attachments: Vec<Attachment>,
    /// In the order in which it was said.
    pub(crate) behind: Vec<HostLine>,
}

/// What becomes of a line.
#[derive(Debug, PartialEq)]
pub(crate) enum Pass {
    /// It is said at once.
    Now(HostLine),
    /// It is said when the query has been, or never.
    Waits,
}

impl TurnGate {
    /// A query waits from here on.
    pub(crate) fn close(&mut self, prompt: String, attachments: Vec<Attachment>) {
        self.held = Some(Held { prompt, attachments, behind: Vec::new() });
    }

    /// An interrupt that overtook its query would be lost. A stop ends everything, the query too.
    pub(crate) fn line(&mut self, line: HostLine) -> Pass {
        match (&mut self.held, &line) {
            (_, HostLine::Stop { .. }) => {
                self.held = None;
                Pass::Now(line)
            }
            (None, _) => Pass::Now(line),
            (Some(held), _) => {
                held.behind.push(line);
                Pass::Waits
            }
        }
    }

    /// Gives back what waited; for good or to be dropped is the caller's business.
    pub(crate) fn open(&mut self) -> Option<Held> {
        self.held.take()
    }
}

#[cfg(test)]
mod tests {
    use protocol::SessionId;

    use super::*;

    #[test]
    fn nothing_overtakes_a_query_that_waits_but_a_stop() {
        let session_id = SessionId::new();
        let interrupt = HostLine::Interrupt { session_id };
        let stop = HostLine::Stop { session_id };
        let mut gate = TurnGate::default();
        assert_eq!(gate.line(interrupt.clone()), Pass::Now(interrupt.clone()));
        gate.close("go".to_owned(), Vec::new());
        assert_eq!(gate.line(interrupt.clone()), Pass::Waits);
        let held = Held { prompt: "go".to_owned(), attachments: Vec::new(), behind: vec![interrupt] };
        assert_eq!(gate.open(), Some(held));
        gate.close("go".to_owned(), Vec::new());
        assert_eq!(gate.line(stop.clone()), Pass::Now(stop));
        assert_eq!(gate.open(), None);
    }
}
