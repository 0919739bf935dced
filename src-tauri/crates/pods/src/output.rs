//! What has a pod said that its reader has not read? From its journal, so that it is the same whether the pod lives or not.

use client::Machine;
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::item::{Item, ItemBody};
use protocol::runner::StopReason;
use transcript::Transcript;

use crate::answer::Failed;

/// So many characters are handed out at once; CLIs cut longer answers of tools.
const AT_ONCE: usize = 40_000;
/// Items that are looked at in one go.
const PAGE: usize = 200;

/// What is new to a reader.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct News {
    /// The reader's cursor until now; 0 when it has read nothing yet.
    pub(crate) from: u64,
    /// What the agent has said, one message a part, with errors among them.
    pub(crate) parts: Vec<String>,
    /// Whether a turn has ended since.
    pub(crate) turn_ended: bool,
    /// How the newest of these turns ended.
    pub(crate) stop_reason: Option<StopReason>,
    /// The record up to which this goes: the reader's next cursor.
    pub(crate) until: u64,
    /// Whether there is more, left for the next call.
    pub(crate) more: bool,
}

impl News {
    /// Whether there is nothing to read and nothing has happened.
    pub(crate) fn is_nothing(&self) -> bool {
        self.parts.is_empty() && !self.turn_ended
    }

    pub(crate) fn lines(&self) -> usize {
        self.parts.iter().map(|part| part.lines().count()).sum()
    }

    pub(crate) fn text(&self) -> String {
        self.parts.join("\n\n")
    }
}

/// What `pod` has said since `reader` has read it.
pub(crate) async fn since_read(machine: &Machine, reader: SessionId, pod: SessionId) -> Result<News, Failed> {
    let machine = machine.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let cursor = client::pods::read_cursor(&machine, reader, pod)?;
        news(&machine, pod, cursor)
    });
    let broke = |error| WireError::new(ErrorCode::Internal, format!("reading a pod's output broke off: {error}"));
    Ok(reading.await.map_err(broke)??)
}

fn news(machine: &Machine, pod: SessionId, cursor: u64) -> Result<News, WireError> {
    let failed = |why: String| WireError::new(ErrorCode::DataFolder, why);
    let folder = machine.folder(pod);
    let Some(meta) = folder.read_meta().map_err(|error| failed(error.to_string()))? else {
        return Ok(News { from: cursor, until: cursor, ..News::default() });
    };
    let adapter = client::catalog::manifest(machine, &meta.provider).map(|manifest| manifest.adapter);
    let transcript = Transcript::open(&folder, &adapter.unwrap_or_default());
    let transcript = transcript.map_err(|error| failed(error.to_string()))?;
    let mut gathered = Gathered::new(cursor, transcript.last_seq());
    let mut place = transcript.place_of(cursor + 1);
    while place < transcript.total() {
        let page = transcript.page(place, PAGE).map_err(|error| failed(error.to_string()))?;
        place += page.items.len().max(1);
        if !page.items.into_iter().all(|item| gathered.take(item)) {
            break;
        }
    }
    Ok(gathered.news)
}

struct Gathered {
    news: News,
    characters: usize,
}

impl Gathered {
    fn new(cursor: u64, last_seq: u64) -> Self {
        Self { news: News { from: cursor, until: last_seq.max(cursor), ..News::default() }, characters: 0 }
    }

    /// Takes an item; false when it is left for the next call, with all that follow it.
    fn take(&mut self, item: Item) -> bool {
        // What the agent's own sub-agents say is its own business.
        if item.parent.is_some() {
            return true;
        }
        let text = match item.body {
            ItemBody::AgentMessage { open: true, .. } => {
                self.news.until = item.seq.saturating_sub(1);
                return false;
            }
            ItemBody::AgentMessage { text, open: false } => text,
            ItemBody::Error { message, .. } => format!("[error: {message}]"),
            ItemBody::TurnEnd { stop_reason, .. } => {
                self.news.turn_ended = true;
                self.news.stop_reason = Some(stop_reason);
                return true;
            }
            ItemBody::UserMessage { .. }
            | ItemBody::Thought { .. }
            | ItemBody::ToolCall(_)
            | ItemBody::Plan { .. }
            | ItemBody::Permission(_)
            | ItemBody::Opened { .. }
            | ItemBody::Notice { .. }
            | ItemBody::Pod { .. }
            | ItemBody::Ended { .. }
            | ItemBody::Unknown { .. } => return true,
        };
        self.say(text, item.seq)
    }

    fn say(&mut self, text: String, seq: u64) -> bool {
        if text.trim().is_empty() {
            return true;
        }
        let length = text.chars().count();
        if self.characters > 0 && self.characters + length > AT_ONCE {
            self.news.until = seq.saturating_sub(1);
            self.news.more = true;
            return false;
        }
        self.characters += length;
        self.news.parts.push(shortened(text, length));
        true
    }
}

/// A message that is longer than all that is handed out at once keeps its beginning and its end.
fn shortened(text: String, length: usize) -> String {
    if length <= AT_ONCE {
        return text;
    }
    let half = AT_ONCE / 2;
    let beginning: String = text.chars().take(half).collect();
    let end: String = text.chars().skip(length - half).collect();
    format!("{beginning}\n[… {} characters left out …]\n{end}", length - 2 * half)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(seq: u64, body: ItemBody) -> Item {
        Item { id: format!("{seq}.0"), seq, last_seq: seq, at: String::new(), parent: None, body }
    }

    fn said(seq: u64, text: &str, open: bool) -> Item {
        item(seq, ItemBody::AgentMessage { text: text.to_owned(), open })
    }

    fn turn_end(seq: u64) -> Item {
        item(seq, ItemBody::TurnEnd { stop_reason: StopReason::EndTurn, usage: None, duration_ms: None })
    }

    fn gathered(items: Vec<Item>) -> News {
        let mut gathered = Gathered::new(3, 20);
        let _all = items.into_iter().all(|item| gathered.take(item));
        gathered.news
    }

    #[test]
    fn what_is_not_finished_is_left_for_the_next_call() {
        let news = gathered(vec![said(4, "one", false), said(9, "two is not", true), said(12, "three", false)]);
        assert_eq!((news.parts, news.until, news.more), (vec!["one".to_owned()], 8, false));
    }

    #[test]
    fn all_that_is_there_moves_the_cursor_to_its_end() {
        let mut of_sub_agent = said(5, "hidden", false);
        of_sub_agent.parent = Some("call".to_owned());
        let news = gathered(vec![said(4, "one\ntwo", false), of_sub_agent, turn_end(7)]);
        assert_eq!((news.lines(), news.until, news.turn_ended), (2, 20, true));
        assert!(gathered(vec![]).is_nothing());
    }

    #[test]
    fn an_answer_has_a_limit_and_loses_nothing() {
        let long = "x".repeat(AT_ONCE - 10);
        let news = gathered(vec![said(4, &long, false), said(6, "twelve chars", false), turn_end(8)]);
        assert_eq!((news.parts.len(), news.until, news.more, news.turn_ended), (1, 5, true, false));
        let news = gathered(vec![said(4, &"y".repeat(AT_ONCE + 100), false), turn_end(8)]);
        assert!(news.parts[0].contains("[… 100 characters left out …]"));
        assert_eq!((news.until, news.more), (20, false));
    }
}
