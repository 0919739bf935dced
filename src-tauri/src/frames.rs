//! Packs the events of a session into frames for a page.
//!
//! Responsible for their size: small frames take the web view's quick path. A single event that is larger goes alone. Text that
//! continues the same item is joined while it waits, so that a slow page gets fewer events, not more.

use std::collections::VecDeque;

use protocol::limits::PAGE_FRAME_BYTES;
use protocol::pod::SessionEvent;
use serde::Serialize;
use serde_json::value::RawValue;

/// Room for the frame around the events, in bytes.
const AROUND: usize = 96;
/// Joined text stays below this, so that its JSON still fits a frame when many characters need an escape.
const JOINED_BYTES: usize = PAGE_FRAME_BYTES / 4;

/// Events that wait to be sent.
#[derive(Default)]
pub(crate) struct Frames {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    sent: u64,
}

enum Waiting {
    Text { id: String, text: String },
    Ready(Box<RawValue>),
}

/// A [`protocol::view::FeedFrame::Events`] whose events are JSON already.
#[derive(Serialize)]
struct EventsFrame<'a> {
    r#type: &'static str,
    frame: u64,
    events: &'a [Box<RawValue>],
}

impl Frames {
    /// Lets an event wait for the next frame.
    pub(crate) fn push(&mut self, event: SessionEvent) -> serde_json::Result<()> {
        match event {
            SessionEvent::Append { id, text } => self.push_text(id, text),
            event @ (SessionEvent::Item { .. }
            | SessionEvent::Remove { .. }
            | SessionEvent::Record { .. }
            | SessionEvent::Status { .. }
            | SessionEvent::CaughtUp { .. }) => {
                let json = serde_json::value::to_raw_value(&event)?;
                self.bytes += json.get().len();
                self.waiting.push_back(Waiting::Ready(json));
            }
        }
        Ok(())
    }

    fn push_text(&mut self, id: String, text: String) {
        self.bytes += text.len();
        match self.waiting.back_mut() {
            Some(Waiting::Text { id: last, text: before })
                if *last == id && before.len() + text.len() <= JOINED_BYTES =>
            {
                before.push_str(&text);
            }
            Some(Waiting::Text { .. } | Waiting::Ready(_)) | None => {
                self.waiting.push_back(Waiting::Text { id, text });
            }
        }
    }

    /// How much waits, in bytes of text and JSON.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The number of the newest frame; 0 before the first.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// The next frame as JSON, if anything waits.
    pub(crate) fn next(&mut self) -> serde_json::Result<Option<String>> {
        let mut events: Vec<Box<RawValue>> = Vec::new();
        let mut size = AROUND;
        while let Some(waiting) = self.waiting.pop_front() {
            let was = waiting.bytes();
            let json = waiting.into_json()?;
            if !events.is_empty() && size + json.get().len() + 1 > PAGE_FRAME_BYTES {
                self.bytes = self.bytes.saturating_sub(was) + json.get().len();
                self.waiting.push_front(Waiting::Ready(json));
                break;
            }
            self.bytes = self.bytes.saturating_sub(was);
            size += json.get().len() + 1;
            events.push(json);
        }
        if events.is_empty() {
            return Ok(None);
        }
        self.sent += 1;
        serde_json::to_string(&EventsFrame { r#type: "events", frame: self.sent, events: &events }).map(Some)
    }
}

impl Waiting {
    fn bytes(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.len(),
            Self::Ready(json) => json.get().len(),
        }
    }

    fn into_json(self) -> serde_json::Result<Box<RawValue>> {
        match self {
            Self::Text { id, text } => serde_json::value::to_raw_value(&SessionEvent::Append { id, text }),
            Self::Ready(json) => Ok(json),
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::view::FeedFrame;

    use super::*;

    fn append(id: &str, text: &str) -> SessionEvent {
        SessionEvent::Append { id: id.to_owned(), text: text.to_owned() }
    }

    fn all(frames: &mut Frames) -> Vec<String> {
        std::iter::from_fn(|| frames.next().unwrap()).collect()
    }

    fn events(json: &str) -> (u64, Vec<SessionEvent>) {
        match serde_json::from_str(json).unwrap() {
            FeedFrame::Events { frame, events } => (frame, events),
            FeedFrame::Closed { reason } => panic!("closed: {reason}"),
        }
    }

    #[test]
    fn frames_are_small_and_carry_everything_in_order() {
        let mut frames = Frames::default();
        let sent: Vec<SessionEvent> = (0..200)
            .flat_map(|n| [append(&n.to_string(), &"\u{1}é".repeat(n)), SessionEvent::CaughtUp { seq: n as u64 }])
            .collect();
        sent.iter().cloned().for_each(|event| frames.push(event).unwrap());
        let all = all(&mut frames);
        assert!(all.len() > 10);
        assert!(all.iter().all(|json| json.len() <= PAGE_FRAME_BYTES), "{:?}", all.iter().map(String::len).max());
        let (numbers, got): (Vec<u64>, Vec<Vec<SessionEvent>>) = all.iter().map(|json| events(json)).unzip();
        assert_eq!(numbers, (1..=all.len() as u64).collect::<Vec<_>>());
        assert_eq!(got.concat(), sent);
        assert_eq!(frames.bytes(), 0);
    }

    #[test]
    fn a_large_event_goes_alone() {
        let mut frames = Frames::default();
        frames.push(append("a", "x")).unwrap();
        frames.push(append("b", &"y".repeat(3 * PAGE_FRAME_BYTES))).unwrap();
        frames.push(append("c", "z")).unwrap();
        assert_eq!(all(&mut frames).iter().map(|json| events(json).1.len()).collect::<Vec<_>>(), [1, 1, 1]);
        assert!(frames.is_empty());
    }

    #[test]
    fn text_of_one_item_is_joined_while_it_waits() {
        let mut frames = Frames::default();
        for word in ["one ", "two ", "three"] {
            frames.push(append("a", word)).unwrap();
        }
        frames.push(append("b", "four")).unwrap();
        frames.push(append("a", "five")).unwrap();
        let json = frames.next().unwrap().unwrap();
        assert_eq!(events(&json).1, [append("a", "one two three"), append("b", "four"), append("a", "five")]);
    }
}
