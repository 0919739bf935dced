//! `outrigger doctor --orphans`: what crashes left running, how that was proved, and its end if the user wants it. What belongs to
//! another Outrigger home is shown and left alone.

use std::io::IsTerminal;

use anyhow::Result;
use client::orphans;
use protocol::SessionId;
use protocol::processes::Orphan;

use crate::exit::Exit;
use crate::processes_text::mebibytes;
use crate::{home, output, span};

/// See the module. Ends with 1 when orphans of this home are still there.
pub(crate) async fn orphans(end: bool, json: bool) -> Result<Exit> {
    let machine = home::for_looking()?;
    let found = orphans::find(&machine).await?;
    if json {
        found.iter().for_each(output::json);
    } else {
        output::to_stdout(&list(&found, output::width()));
    }
    let (others, ours): (Vec<Orphan>, Vec<Orphan>) = found.into_iter().partition(|orphan| orphan.other_home.is_some());
    if !others.is_empty() && !json {
        let belong = if others.len() == 1 { "belongs" } else { "belong" };
        let count = processes(others.len());
        output::to_stderr(&format!("{count} {belong} to another Outrigger home, and can only be ended from there."));
    }
    if ours.is_empty() {
        if !json {
            output::to_stderr("There are no orphans: every process of this Outrigger has a living keeper.");
        }
        return Ok(Exit::Done);
    }
    if !end && (json || !asked(ours.len())) {
        output::to_stderr("They are still running; `outrigger doctor --orphans --end` ends them.");
        return Ok(Exit::Failed);
    }
    let ended = orphans::end(&machine, &ours).await?;
    if ended.survivors.is_empty() {
        output::to_stderr(&format!("Ended {}; none is left.", processes(ended.ended)));
        return Ok(Exit::Done);
    }
    output::to_stderr(&format!("Ended {}. These are still running:", processes(ended.ended)));
    output::words_to_stderr(&list(&ended.survivors, output::width()));
    Ok(Exit::Failed)
}

/// Asks on the terminal; without one nobody can say yes.
fn asked(count: usize) -> bool {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return false;
    }
    output::words_to_stderr(&format!("End {} {}? [y/N] ", if count == 1 { "this" } else { "these" }, processes(count)));
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer).is_ok();
    read && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn processes(count: usize) -> String {
    if count == 1 { "1 process".to_owned() } else { format!("{count} processes") }
}

/// One line for the process, one for the proof.
fn list(orphans: &[Orphan], width: usize) -> String {
    let mut text = String::new();
    for orphan in orphans {
        let age = orphan.age_ms.map_or_else(|| "?".to_owned(), span::of_ms);
        let line = format!("{:>9}  {:>9}  {age:>12}  {}", orphan.pid, mebibytes(orphan.rss), orphan.command);
        let indent = line.len() - line.trim_start().len();
        text += &line[..indent];
        text += &output::visible_line(&line, width.saturating_sub(indent));
        let session = orphan.session.as_ref().map_or_else(|| "no known session".to_owned(), SessionId::to_string);
        text += &format!("\n           of {session}: {}\n", orphan.proof);
        if let Some(home) = &orphan.other_home {
            text += &match home.as_str() {
                "?" => "           it does not say to which Outrigger home it belongs, and is not ended\n".to_owned(),
                home => format!("           belongs to another Outrigger home, {home}, and is not ended\n"),
            };
        }
    }
    text
}
