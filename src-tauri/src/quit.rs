//! Quitting from the tray: asks once what becomes of the agents that live, does it, and says what it did.
//!
//! Closing the last window is no quitting and asks nothing; agents go on then as well.

use std::sync::atomic::{AtomicBool, Ordering};

use client::Machine;
use protocol::session::SessionSummary;
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind, MessageDialogResult};

use crate::stop_all::{live, stop_all};

const LEAVE: &str = "Leave agents running";
const STOP: &str = "Stop them and quit";
const CANCEL: &str = "Cancel";

/// So many sessions are named in the question; the list of the window has them all.
const NAMED: usize = 8;

/// Whether somebody is being asked, or what was chosen is being done: Quit is chosen once.
#[derive(Default)]
pub(crate) struct Quitting(AtomicBool);

/// What the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Leave,
    Stop,
    Cancel,
}

/// Quits, after a question if any agent lives. Does nothing while it is at it already.
pub(crate) async fn quit(app: AppHandle) {
    let quitting = app.state::<Quitting>();
    if quitting.0.swap(true, Ordering::AcqRel) {
        return;
    }
    ask_and_quit(&app).await;
    quitting.0.store(false, Ordering::Release);
}

async fn ask_and_quit(app: &AppHandle) {
    let machine = app.state::<Machine>().inner().clone();
    let living = match live(&machine).await {
        Ok(sessions) => sessions,
        Err(error) => {
            // Whoever cannot see the agents cannot stop them; they outlive the app.
            tracing::error!(%error, "the sessions could not be listed at the end; agents go on");
            Vec::new()
        }
    };
    let choice = if living.is_empty() { Choice::Leave } else { ask(app, &living).await };
    tracing::info!(living = living.len(), ?choice, "the user quits");
    match choice {
        Choice::Leave => app.exit(0),
        Choice::Stop => stop_and_quit(app, &machine).await,
        Choice::Cancel => {}
    }
}

async fn stop_and_quit(app: &AppHandle, machine: &Machine) {
    let (title, words, kind) = match stop_all(machine).await {
        Ok(stopped) if stopped.is_clean() => ("All agents were stopped", stopped.words(), MessageDialogKind::Info),
        Ok(stopped) => ("Not everything could be stopped", stopped.words(), MessageDialogKind::Warning),
        Err(error) => ("The agents could not be stopped", error.to_string(), MessageDialogKind::Error),
    };
    let (done, seen) = tokio::sync::oneshot::channel();
    app.dialog().message(words).title(title).kind(kind).show(|_| {
        let _ = done.send(());
    });
    // However the dialog went away, it has been shown.
    let _ = seen.await;
    app.exit(0);
}

async fn ask(app: &AppHandle, living: &[SessionSummary]) -> Choice {
    let question = question(living.iter().map(|session| session.title.as_str()).collect());
    let buttons = MessageDialogButtons::YesNoCancelCustom(LEAVE.to_owned(), STOP.to_owned(), CANCEL.to_owned());
    let (chosen, choice) = tokio::sync::oneshot::channel();
    let dialog = app.dialog().message(question).title("Quit Outrigger?").buttons(buttons);
    dialog.show_with_result(|result| {
        let _ = chosen.send(choice_of(&result));
    });
    choice.await.unwrap_or(Choice::Cancel)
}

fn question(titles: Vec<&str>) -> String {
    let mut lines = vec![match titles.len() {
        1 => "1 agent is live. It can go on without the app, and is there when the app is opened again:".to_owned(),
        n => format!("{n} agents are live. They can go on without the app, and are there when it is opened again:"),
    }];
    lines.extend(titles.iter().take(NAMED).map(|title| format!("- {title}")));
    if titles.len() > NAMED {
        lines.push(format!("and {} more", titles.len() - NAMED));
    }
    lines.join("\n")
}

/// Platforms answer with the button's place or with its words. Whatever is not an answer changes nothing.
fn choice_of(result: &MessageDialogResult) -> Choice {
    match result {
        MessageDialogResult::Yes => Choice::Leave,
        MessageDialogResult::No => Choice::Stop,
        MessageDialogResult::Custom(words) if words == LEAVE => Choice::Leave,
        MessageDialogResult::Custom(words) if words == STOP => Choice::Stop,
        MessageDialogResult::Custom(_) | MessageDialogResult::Ok | MessageDialogResult::Cancel => Choice::Cancel,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_who_lives() {
        assert!(question(vec!["Fix it"]).ends_with("again:\n- Fix it"));
        let many = question(vec!["One"; NAMED + 2]);
        assert!(many.starts_with("10 agents are live.") && many.ends_with("- One\nand 2 more"), "{many}");
    }

    #[test]
    fn only_a_clear_answer_stops_anybody_or_quits() {
        let custom = |words: &str| choice_of(&MessageDialogResult::Custom(words.to_owned()));
        assert_eq!(custom(LEAVE), Choice::Leave);
        assert_eq!(custom(STOP), Choice::Stop);
        assert_eq!(custom(CANCEL), Choice::Cancel);
        assert_eq!(choice_of(&MessageDialogResult::No), Choice::Stop);
        assert_eq!(choice_of(&MessageDialogResult::Ok), Choice::Cancel);
    }
}
