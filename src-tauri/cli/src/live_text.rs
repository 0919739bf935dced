//! A live session as text: words as they come, tools when they have something to tell.
//!
//! One text at a time streams; what comes in between ends its line and lets it go on after. Nothing that was printed is taken
//! back, so that the output reads the same in a terminal and in a file.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use protocol::Item;
use protocol::item::{ItemBody, PermissionState, ToolCall, ToolStatus};
use protocol::pod::SessionEvent;

use crate::output::{to_stdout, visible};
use crate::style::Palette;
use crate::{item_text, output};

/// A tool that ends sooner is told in one line.
const SOON: Duration = Duration::from_millis(400);

/// See the module.
pub(crate) struct LiveText {
    palette: Palette,
    short_id: String,
    streaming: Option<Streaming>,
    /// Texts that stream at the same time as the one that is shown; they are shown when they are whole.
    aside: Vec<String>,
    /// Tools that have begun and were not told yet.
    held: Vec<(Instant, String, ToolCall)>,
    /// What was shown of an item, so that the same is not told twice.
    told: HashMap<String, String>,
}

struct Streaming {
    id: String,
    thought: bool,
    printed: usize,
    open_line: bool,
}

impl LiveText {
    pub(crate) fn new(short_id: String) -> Self {
        Self {
            palette: Palette::of_stdout(),
            short_id,
            streaming: None,
            aside: Vec::new(),
            held: Vec::new(),
            told: HashMap::new(),
        }
    }

    pub(crate) fn event(&mut self, event: &SessionEvent) {
        match event {
            SessionEvent::Item { item, replaces } => self.item(item, replaces.as_deref()),
            SessionEvent::Append { id, text } => self.append(id, text),
            SessionEvent::Remove { id } => {
                self.aside.retain(|aside| aside != id);
                if self.streaming.as_ref().is_some_and(|streaming| streaming.id == *id) {
                    self.pause();
                    self.streaming = None;
                }
            }
            SessionEvent::Record { .. } | SessionEvent::Status { .. } | SessionEvent::CaughtUp { .. } => {}
        }
    }

    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        self.held.iter().map(|(since, _, _)| *since + SOON).min()
    }

    pub(crate) fn wake(&mut self, now: Instant) {
        let (due, held) = std::mem::take(&mut self.held).into_iter().partition(|(since, _, _)| *since + SOON <= now);
        self.held = held;
        let due: Vec<(Instant, String, ToolCall)> = due;
        for (_, _, call) in due {
            self.print(&item_text::tool_begins(&call, &self.palette));
        }
    }

    /// Ends a line that is still open.
    pub(crate) fn pause(&mut self) {
        if let Some(streaming) = &mut self.streaming
            && streaming.open_line
        {
            streaming.open_line = false;
            let style = self.palette.dim;
            let end = if streaming.thought { format!("{style:#}\n") } else { "\n".to_owned() };
            to_stdout(&end);
        }
    }

    fn item(&mut self, item: &Item, replaces: Option<&str>) {
        match &item.body {
            ItemBody::AgentMessage { text, .. } => self.text(item, replaces, text, false),
            ItemBody::Thought { text, .. } => self.text(item, replaces, text, true),
            ItemBody::ToolCall(call) => self.tool(&item.id, call),
            // What the agent says of itself comes a moment after the opening; a change of the model later is a notice of its own.
            ItemBody::Opened { native_session_id, .. } => {
                if native_session_id.is_some() && !self.told.contains_key(&item.id) {
                    self.once(item);
                }
            }
            ItemBody::Permission(permission) => match permission.state {
                // Whoever answers puts the question.
                PermissionState::Pending => {}
                PermissionState::Answered { .. } | PermissionState::Withdrawn => self.once(item),
            },
            // A session that this command ends need not tell it.
            ItemBody::Ended { survivors, .. } if survivors.is_empty() => {}
            ItemBody::UserMessage { .. }
            | ItemBody::Plan { .. }
            | ItemBody::TurnEnd { .. }
            | ItemBody::Notice { .. }
            | ItemBody::Error { .. }
            | ItemBody::Pod { .. }
            | ItemBody::Ended { .. }
            | ItemBody::Unknown { .. } => self.once(item),
        }
    }

    /// Prints an item, unless the same words of it were printed before.
    fn once(&mut self, item: &Item) {
        let text = item_text::item(&item.body, &self.palette, &self.short_id);
        if self.told.get(&item.id) != Some(&text) {
            self.print(&text);
            self.told.insert(item.id.clone(), text);
        }
    }

    fn text(&mut self, item: &Item, replaces: Option<&str>, text: &str, thought: bool) {
        let live = item.seq == 0;
        if live {
            return self.begin(&item.id, text, thought);
        }
        // The text so far that was saved against a crash; the live item shows it already.
        if matches!(&item.body, ItemBody::AgentMessage { open: true, .. } | ItemBody::Thought { open: true, .. }) {
            return;
        }
        let streamed = self.streaming.as_ref().is_some_and(|streaming| Some(streaming.id.as_str()) == replaces);
        if streamed {
            self.finish(text);
        } else {
            self.aside.retain(|aside| Some(aside.as_str()) != replaces);
            self.once(item);
        }
    }

    fn begin(&mut self, id: &str, text: &str, thought: bool) {
        match &self.streaming {
            Some(streaming) if streaming.id == id => {
                // Sent anew from its beginning after a lost connection.
                let more = text.get(streaming.printed..).unwrap_or_default().to_owned();
                self.stream(&more);
            }
            Some(_) => self.aside.push(id.to_owned()),
            None => {
                self.tell_held();
                self.streaming = Some(Streaming { id: id.to_owned(), thought, printed: 0, open_line: false });
                self.stream(text);
            }
        }
    }

    fn append(&mut self, id: &str, text: &str) {
        if self.streaming.as_ref().is_some_and(|streaming| streaming.id == id) {
            self.stream(text);
        }
    }

    fn stream(&mut self, text: &str) {
        let style = self.palette.dim;
        let Some(streaming) = &mut self.streaming else { return };
        streaming.printed += text.len();
        let shown = visible(text);
        // Blank lines before the first word only push the text down.
        let shown = if streaming.open_line { shown.as_str() } else { shown.trim_start_matches('\n') };
        if shown.is_empty() {
            return;
        }
        let begins = if streaming.thought && !streaming.open_line { format!("{style}") } else { String::new() };
        streaming.open_line = true;
        to_stdout(&format!("{begins}{shown}"));
    }

    fn finish(&mut self, whole: &str) {
        let printed = self.streaming.as_ref().map_or(0, |streaming| streaming.printed);
        let rest = whole.get(printed..).unwrap_or_default().to_owned();
        self.stream(rest.trim_end());
        self.pause();
        self.streaming = None;
    }

    fn tool(&mut self, id: &str, call: &ToolCall) {
        match call.status {
            ToolStatus::Pending | ToolStatus::Running => {
                if let Some(held) = self.held.iter_mut().find(|(_, held, _)| held == id) {
                    held.2 = call.clone();
                } else if !self.told.contains_key(id) {
                    self.told.insert(id.to_owned(), String::new());
                    self.held.push((Instant::now(), id.to_owned(), call.clone()));
                }
            }
            ToolStatus::Completed | ToolStatus::Failed | ToolStatus::Denied | ToolStatus::Cancelled => {
                self.held.retain(|(_, held, _)| held != id);
                let text = item_text::item(&ItemBody::ToolCall(call.clone()), &self.palette, &self.short_id);
                if self.told.get(id) != Some(&text) {
                    self.print(&text);
                    self.told.insert(id.to_owned(), text);
                }
            }
        }
    }

    /// What follows a tool that runs belongs after the line that says so.
    fn tell_held(&mut self) {
        for (_, _, call) in std::mem::take(&mut self.held) {
            to_stdout(&item_text::tool_begins(&call, &self.palette));
        }
    }

    fn print(&mut self, text: &str) {
        self.pause();
        output::to_stdout(text);
    }
}
