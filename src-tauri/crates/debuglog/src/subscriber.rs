//! Turns tracing's events and spans into lines.
//!
//! Responsible for the filter and for finding the session: the event's own `session` field, or that of the nearest
//! span around it. Everything else about a line is made in `event_line`, everything about files in `log_file`.

use std::fmt::{self, Write};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::FILTER_VARIABLE;
use crate::event_line::{BoundedText, Head, line};
use crate::log_file::LogFile;

/// `outrigger` is a beginning: it covers the program and every crate `outrigger_…`.
const DEFAULT_FILTER: &str = "info,outrigger=debug";

/// The filter for what the user wrote, and what was wrong with it.
pub(crate) fn filter(wanted: &str) -> (Targets, Option<String>) {
    let parse = |text: &str| text.parse::<Targets>();
    let default = || parse(DEFAULT_FILTER).unwrap_or_default();
    if wanted.trim().is_empty() {
        return (default(), None);
    }
    match parse(wanted) {
        Ok(targets) => (targets, None),
        Err(error) => {
            let complaint = format!(
                "{FILTER_VARIABLE}={wanted} is no filter ({error}); {DEFAULT_FILTER} is used; write levels and targets \
                 such as `info,outrigger_keeper=trace`"
            );
            (default(), Some(complaint))
        }
    }
}

/// The layer that writes each event as one line.
#[derive(Debug)]
pub(crate) struct Lines {
    log: Arc<LogFile>,
    source: &'static str,
    pid: u32,
}

/// What a span adds to the events inside it.
#[derive(Debug)]
struct SpanText {
    session: Option<String>,
    fields: BoundedText,
}

impl Lines {
    pub(crate) fn new(log: Arc<LogFile>, source: &'static str) -> Lines {
        Lines { log, source, pid: std::process::id() }
    }

    fn write(&self, event: &Event<'_>, session: Option<&str>, text: &BoundedText) {
        let metadata = event.metadata();
        let head = Head {
            at: self.log.now(),
            level: *metadata.level(),
            source: self.source,
            pid: self.pid,
            session,
            target: metadata.target(),
        };
        self.log.append(&line(&head, text, self.log.line_bytes()));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::new(self.log.line_bytes());
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanText { session: fields.session, fields: fields.text });
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(known) = extensions.get_mut::<SpanText>() else { return };
        let empty = BoundedText::for_line_of(self.log.line_bytes());
        let text = std::mem::replace(&mut known.fields, empty);
        let mut fields = Fields { session: known.session.take(), text };
        values.record(&mut fields);
        known.session = fields.session;
        known.fields = fields.text;
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::new(self.log.line_bytes());
        event.record(&mut fields);
        let Fields { mut session, mut text } = fields;
        for span in context.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            let Some(around) = extensions.get::<SpanText>() else { continue };
            if session.is_none() {
                session.clone_from(&around.session);
            }
            if !around.fields.is_empty() {
                let _ = write!(text, " {}{{{}}}", span.name(), around.fields.as_str());
            }
        }
        self.write(event, session.as_deref(), &text);
    }
}

/// Collects fields: the message first as tracing passes it, others as `name=value`, the session apart.
struct Fields {
    session: Option<String>,
    text: BoundedText,
}

impl Fields {
    fn new(line_bytes: usize) -> Fields {
        Fields { session: None, text: BoundedText::for_line_of(line_bytes) }
    }

    fn put(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() == "session" {
            self.session = Some(value.to_string().trim_matches('"').to_owned());
            return;
        }
        let space = if self.text.is_empty() { "" } else { " " };
        let _ = match field.name() {
            "message" => write!(self.text, "{space}{value}"),
            name => write!(self.text, "{space}{name}={value}"),
        };
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if value.contains(|c: char| c.is_whitespace() || c == '"') {
            self.put(field, format_args!("{value:?}"));
        } else {
            self.put(field, format_args!("{value}"));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::log_file::Limits;

    fn logged(filter_text: &str, events: impl FnOnce()) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { file_bytes: 1 << 20, files: 7, line_bytes: 1000 };
        let log = Arc::new(LogFile::open(folder.path(), limits, jiff::Timestamp::now).unwrap());
        let path = log.path();
        let lines = Lines::new(log, "keeper");
        let subscriber = tracing_subscriber::registry().with(filter(filter_text).0).with(lines);
        tracing::subscriber::with_default(subscriber, events);
        fs::read_to_string(path).unwrap().lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    }

    #[test]
    fn events_carry_their_session_from_themselves_or_their_span() {
        let pid = std::process::id();
        let lines = logged("", || {
            tracing::info!(target: "outrigger_x", session = "own", count = 3, name = "a b", "hello {}", 1);
            let span =
                tracing::info_span!(target: "outrigger_x", "pod", session = %"outer", gen = tracing::field::Empty);
            span.record("gen", 2);
            let _in = span.enter();
            tracing::debug!(target: "outrigger_x", "inside");
            tracing::debug!(target: "outrigger_x", session = ?"own", "inside");
        });
        assert_eq!(
            lines,
            [
                format!("INFO  keeper[{pid}] own outrigger_x: hello 1 count=3 name=\"a b\""),
                format!("DEBUG keeper[{pid}] outer outrigger_x: inside pod{{gen=2}}"),
                format!("DEBUG keeper[{pid}] own outrigger_x: inside pod{{gen=2}}"),
            ]
        );
    }

    #[test]
    fn our_crates_log_from_debug_and_others_from_info() {
        let events = || {
            tracing::debug!(target: "outrigger_keeper::pod", "a");
            tracing::trace!(target: "outrigger_keeper::pod", "b");
            tracing::debug!(target: "mio", "c");
            tracing::info!(target: "mio", "d");
        };
        let ends = |lines: Vec<String>| lines.iter().map(|l| l.chars().last().unwrap()).collect::<String>();
        assert_eq!(ends(logged("", events)), "ad");
        assert_eq!(ends(logged("warn,outrigger_keeper=trace", events)), "ab");
        assert_eq!(ends(logged("off", events)), "");
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_told_and_replaced() {
        let (_, complaint) = filter("outrigger=loud");
        assert!(complaint.unwrap().contains("OUTRIGGER_LOG=outrigger=loud"));
        assert_eq!(filter("debug").1, None);
    }
}
