//! What does a line of the log say? The reverse of `event_line`, and which lines a filter lets through.
//!
//! Pure. A line that has another form is kept whole, because it may be the one that matters.

use protocol::debug_log::{LogFilter, LogLevel, LogLine, LogSource};

/// How a keeper marks what a runner wrote to its error output.
const OF_A_RUNNER: &str = " source=\"runner stderr\"";

/// Takes a line apart; nothing for an empty one.
pub(crate) fn read(line: &str) -> Option<LogLine> {
    if line.trim().is_empty() {
        return None;
    }
    Some(columns(line).unwrap_or_else(|| LogLine {
        at: String::new(),
        level: LogLevel::Info,
        source: LogSource::Other,
        pid: None,
        session: None,
        target: String::new(),
        text: line.to_owned(),
    }))
}

/// `2026-11-21T07:00:00.123456Z INFO  keeper[4711] <session or -> target: message …`.
fn columns(line: &str) -> Option<LogLine> {
    let (at, rest) = line.split_once(' ')?;
    let (level, rest) = rest.split_once(' ')?;
    let (process, rest) = rest.trim_start().split_once(' ')?;
    let (session, rest) = rest.split_once(' ')?;
    let (target, text) = rest.split_once(": ").or_else(|| rest.strip_suffix(':').map(|target| (target, "")))?;
    let (name, pid) = process.strip_suffix(']')?.split_once('[')?;
    let (source, text) = match (source(name), text.split_once(OF_A_RUNNER)) {
        (LogSource::Keeper, Some((said, after))) => (LogSource::Runner, format!("{said}{after}")),
        (source, _) => (source, text.to_owned()),
    };
    Some(LogLine {
        at: at.to_owned(),
        level: self::level(level)?,
        source,
        pid: pid.parse().ok(),
        session: (session != "-").then(|| session.to_owned()),
        target: target.to_owned(),
        text,
    })
}

fn level(word: &str) -> Option<LogLevel> {
    match word {
        "ERROR" => Some(LogLevel::Error),
        "WARN" => Some(LogLevel::Warn),
        "INFO" => Some(LogLevel::Info),
        "DEBUG" => Some(LogLevel::Debug),
        "TRACE" => Some(LogLevel::Trace),
        _ => None,
    }
}

fn source(name: &str) -> LogSource {
    match name {
        "desktop" => LogSource::App,
        "keeper" => LogSource::Keeper,
        "sidecar" => LogSource::Sidecar,
        "cli" => LogSource::Cli,
        _ => LogSource::Other,
    }
}

/// Whether the filter lets a line through.
pub(crate) fn passes(line: &LogLine, filter: &LogFilter) -> bool {
    let holds = |text: &str, part: &str| part.is_empty() || text.to_lowercase().contains(&part.to_lowercase());
    let words = filter.text.trim();
    filter.level.is_none_or(|level| line.level <= level)
        && (filter.sources.is_empty() || filter.sources.contains(&line.source))
        && filter.session.as_ref().is_none_or(|wanted| line.session.as_ref().is_some_and(|own| holds(own, wanted)))
        && [Some(&line.text), Some(&line.target), line.session.as_ref()]
            .into_iter()
            .flatten()
            .any(|part| holds(part, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "2026-11-21T07:00:00.123456Z WARN  keeper[4711] s-1 outrigger_keeper::pod: slow: 3 s";

    #[test]
    fn columns_are_read_as_they_are_written() {
        let line = read(LINE).unwrap();
        assert_eq!((line.level, line.source, line.pid), (LogLevel::Warn, LogSource::Keeper, Some(4711)));
        assert_eq!((line.session.as_deref(), line.target.as_str()), (Some("s-1"), "outrigger_keeper::pod"));
        assert_eq!(line.text, "slow: 3 s");
        assert_eq!(read(&LINE.replace("s-1", "-")).unwrap().session, None);
    }

    #[test]
    fn what_a_runner_said_is_its_own() {
        let line = read(&LINE.replace("slow: 3 s", "boom source=\"runner stderr\" pod{gen=2}")).unwrap();
        assert_eq!((line.source, line.text.as_str()), (LogSource::Runner, "boom pod{gen=2}"));
    }

    #[test]
    fn other_lines_are_kept_whole() {
        for text in ["half a li", "2026 WARN x y z: a", "— ok", ": "] {
            let line = read(text);
            assert_eq!(
                line.map(|line| (line.source, line.text)),
                (!text.trim().is_empty()).then(|| (LogSource::Other, text.to_owned()))
            );
        }
        assert_eq!(read("  "), None);
    }

    #[test]
    fn a_filter_asks_for_all_of_its_parts() {
        let line = read(LINE).unwrap();
        let passes = |filter: LogFilter| passes(&line, &filter);
        assert!(passes(LogFilter::default()));
        assert!(passes(LogFilter { level: Some(LogLevel::Warn), ..LogFilter::default() }));
        assert!(!passes(LogFilter { level: Some(LogLevel::Error), ..LogFilter::default() }));
        assert!(!passes(LogFilter { sources: vec![LogSource::App], ..LogFilter::default() }));
        assert!(passes(LogFilter {
            session: Some("S-".to_owned()),
            text: " SLOW ".to_owned(),
            ..LogFilter::default()
        }));
        assert!(passes(LogFilter { text: "keeper::pod".to_owned(), ..LogFilter::default() }));
        assert!(passes(LogFilter { text: "s-1".to_owned(), ..LogFilter::default() }));
        assert!(!passes(LogFilter { text: "elsewhere".to_owned(), ..LogFilter::default() }));
        assert!(!passes(LogFilter { session: Some("s-2".to_owned()), ..LogFilter::default() }));
    }
}
