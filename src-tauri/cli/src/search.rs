//! `outrigger search`: words in all sessions, the best hits first, each with where it stands.

use std::time::Instant;

use anyhow::Result;
use archive::{Adapters, Archive, ArchiveError, Feeding};
use clap::Args;
use client::Machine;
use protocol::archive::{ArchiveState, SearchHit, SearchKind, SearchRequest, SnippetPart};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::ARCHIVE_FEED;

use crate::exit::Exit;
use crate::output::{visible, visible_line};
use crate::style::{Palette, in_style};
use crate::{home, output, since, span};

/// The narrowest and the widest that a line gets.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=120;

/// The arguments of `outrigger search`.
#[derive(Debug, Args)]
pub(crate) struct SearchOptions {
    /// Words that all have to be there, "phrases" in quotes; the last word may be the beginning of one
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    /// Only sessions of this provider
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Only what was said since then: a date (2026-11-01), or how long ago (7d, 12h)
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only sessions of this folder, or of folders in it
    #[arg(long, value_name = "DIR")]
    workspace: Option<String>,
    /// Hits at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: u32,
    /// Take in all sessions first, however long it takes
    #[arg(long)]
    wait: bool,
    /// One JSON object for each hit
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the module.
pub(crate) fn search(options: &SearchOptions) -> Result<Exit> {
    let machine = home::for_looking()?;
    let request = SearchRequest {
        text: options.text.join(" "),
        provider: options.provider.clone(),
        workspace: options.workspace.as_deref().map(absolute),
        since: options.since.as_deref().map(since::moment).transpose()?,
        kinds: Vec::new(),
        limit: options.limit.max(1),
    };
    let answer = with_archive(&machine, options.wait, |archive, feeding| archive.search(&request, feeding))?;
    tell_state(&answer.state);
    if options.json {
        answer.hits.iter().for_each(output::json);
        return Ok(Exit::Done);
    }
    if answer.hits.is_empty() {
        output::to_stderr(&nothing(&options.text.join(" ")));
        return Ok(Exit::Done);
    }
    let ids: Vec<_> = answer.hits.iter().map(|hit| hit.session).collect();
    let short = home::short_ids(&machine, &ids);
    let width = output::width().clamp(*WIDTHS.start(), *WIDTHS.end());
    let palette = Palette::of_stdout();
    for (hit, short) in answer.hits.iter().zip(&short) {
        output::to_stdout(&text(hit, short, width, &palette));
    }
    if answer.newest_first && answer.hits.len() > 1 {
        output::to_stderr("The newest are first: a word of these is in too many places to weigh them.");
    }
    if answer.more {
        output::to_stderr("There is more; ask for something rarer, or for more with --limit.");
    }
    Ok(Exit::Done)
}

/// Asks the archive, which is fed before that: for a moment, or until it has everything.
pub(crate) fn with_archive<T>(
    machine: &Machine,
    wait: bool,
    ask: impl FnOnce(&Archive, &Feeding<'_>) -> Result<T, ArchiveError>,
) -> Result<T> {
    let archive = Archive::at(&machine.places.archive, &machine.places.sessions);
    let adapters = Adapters::new(client::catalog::adapters(machine));
    let until = (!wait).then(|| Instant::now() + ARCHIVE_FEED);
    // A machine on which nothing was ever started has no folder for it.
    if !machine.places.data.exists() {
        machine.places.prepare().map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
    }
    let answer = ask(&archive, &Feeding { adapters: &adapters, until, stop: None });
    Ok(answer.map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?)
}

/// Says on stderr what could not be found yet.
pub(crate) fn tell_state(state: &ArchiveState) {
    let mib = state.bytes_behind.div_ceil(1024 * 1024);
    let sessions = match state.sessions_behind {
        0 => return,
        1 => "1 session is".to_owned(),
        count => format!("{count} sessions are"),
    };
    let why =
        if state.fed_elsewhere { "another process takes them in now" } else { "--wait takes in everything first" };
    output::to_stderr(&format!("{sessions} not in the archive to the end yet, {mib} MiB; {why}."));
}

fn nothing(text: &str) -> String {
    if text.chars().any(char::is_alphanumeric) {
        format!("Nothing was found for: {}", visible_line(text, 80))
    } else {
        "There is no word in what was asked for.".to_owned()
    }
}

fn absolute(path: &str) -> String {
    std::fs::canonicalize(path).map_or_else(|_| path.to_owned(), |path| path.to_string_lossy().into_owned())
}

/// Two lines and an empty one.
fn text(hit: &SearchHit, short: &str, width: usize, palette: &Palette) -> String {
    let kind = match hit.kind {
        SearchKind::Prompt => "you",
        SearchKind::Message => "agent",
        SearchKind::Thought => "thought",
        SearchKind::ToolCall => "tool",
        SearchKind::Error => "error",
    };
    let age = span::since(&hit.at).map(|age| format!("{age} ago")).unwrap_or_default();
    let head = format!("{short}  {}  {kind} #{}  {age}", visible_line(&hit.provider, 20), hit.seq);
    let title = visible_line(&hit.title, width.saturating_sub(head.chars().count() + 2).max(10));
    let head = format!("{}  {}", in_style(palette.strong, &title), in_style(palette.dim, &head));
    format!("{}\n  {}\n\n", head.trim_end(), snippet(&hit.snippet, width - 2, palette))
}

/// On one line, with the hits in bold.
fn snippet(parts: &[SnippetPart], width: usize, palette: &Palette) -> String {
    let (mut line, mut room, mut after_space) = (String::new(), width, true);
    for part in parts {
        let mut shown = String::new();
        for c in visible(&part.text).chars().map(|c| if c.is_whitespace() { ' ' } else { c }) {
            if room > 0 && !(after_space && c == ' ') {
                shown.push(c);
                room -= 1;
            }
            after_space = c == ' ';
        }
        line.push_str(&if part.hit { in_style(palette.strong, &shown) } else { shown });
    }
    if room == 0 { format!("{}…", line.trim()) } else { line.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(text: &str) -> SearchHit {
        SearchHit {
            session: "01a2b3c4-0001-7000-8000-000000000000".parse().unwrap(),
            title: "Mend the \u{1b}[31mlamp".to_owned(),
            provider: "demo".to_owned(),
            workspace: "/w".to_owned(),
            seq: 17,
            item: "17.0".to_owned(),
            kind: SearchKind::Message,
            at: "2020-01-01T00:00:00.000Z".to_owned(),
            snippet: vec![
                SnippetPart { text: "a\n  broken ".to_owned(), hit: false },
                SnippetPart { text: text.to_owned(), hit: true },
                SnippetPart { text: " turns".to_owned(), hit: false },
            ],
        }
    }

    #[test]
    fn a_hit_is_shown_with_its_words_in_bold() {
        let palette = Palette { strong: anstyle::Style::new().bold(), ..Palette::default() };
        let shown = text(&hit("lamp"), "01a2b3c4", 80, &palette);
        assert!(shown.starts_with("\u{1b}[1mMend the lamp\u{1b}[0m  01a2b3c4  demo  agent #17  "), "{shown:?}");
        assert!(shown.contains("\n  a broken \u{1b}[1mlamp\u{1b}[0m turns\n"), "{shown:?}");
    }

    #[test]
    fn no_line_is_wider_than_asked_for() {
        let shown = text(&hit(&"lamp ".repeat(50)), "01a2b3c4", 60, &Palette::default());
        assert!(shown.lines().all(|line| line.chars().count() <= 62), "{shown}");
        assert!(shown.contains('…'));
    }
}
