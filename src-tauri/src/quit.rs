//! Quitting from the tray: asks once what becomes of the agents that live, does it, and says what it did.
//!
//! Closing the last window is no quitting and asks nothing; agents go on then as well.

use client::Machine;
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind, MessageDialogResult};

use crate::stop_all::{live, stop_all};

const LEAVE: &str = "Leave agents running";
const STOP: &str = "Stop them and quit";
const CANCEL: &str = "Cancel";

/// What the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Leave,
    Stop,
    Cancel,
}

/// Quits, after a question if any agent lives.
pub(crate) async fn quit(app: AppHandle) {
    let machine = app.state::<Machine>().inner().clone();
    let living = match live(&machine).await {
        Ok(sessions) => sessions.len(),
        Err(error) => {
            // Whoever cannot see the agents cannot stop them; they outlive the app.
            tracing::error!(%error, "the sessions could not be listed at the end; agents go on");
            0
        }
    };
    let choice = if living == 0 { Choice::Leave } else { ask(&app, living).await };
    tracing::info!(living, ?choice, "the user quits");
    match choice {
        Choice::Leave => app.exit(0),
        Choice::Stop => stop_and_quit(&app, &machine).await,
        Choice::Cancel => {}
    }
}

async fn stop_and_quit(app: &AppHandle, machine: &Machine) {
    let (words, kind) = match stop_all(machine).await {
        Ok(stopped) if stopped.is_clean() => (stopped.words(), MessageDialogKind::Info),
        Ok(stopped) => (stopped.words(), MessageDialogKind::Warning),
        Err(error) => (format!("The agents could not be stopped: {error}"), MessageDialogKind::Error),
    };
    let (done, seen) = tokio::sync::oneshot::channel();
    app.dialog().message(words).title("Outrigger").kind(kind).show(|_| {
        let _ = done.send(());
    });
    // However the dialog went away, it has been shown.
    let _ = seen.await;
    app.exit(0);
}

async fn ask(app: &AppHandle, living: usize) -> Choice {
    let question = match living {
        1 => "1 agent is live. It can go on without the app.".to_owned(),
        n => format!("{n} agents are live. They can go on without the app."),
    };
    let buttons = MessageDialogButtons::YesNoCancelCustom(LEAVE.to_owned(), STOP.to_owned(), CANCEL.to_owned());
    let (chosen, choice) = tokio::sync::oneshot::channel();
    let dialog = app.dialog().message(question).title("Quit Outrigger").buttons(buttons);
    dialog.show_with_result(|result| {
        let _ = chosen.send(choice_of(&result));
    });
    choice.await.unwrap_or(Choice::Cancel)
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
    fn only_a_clear_answer_stops_anybody_or_quits() {
        let custom = |words: &str| choice_of(&MessageDialogResult::Custom(words.to_owned()));
        assert_eq!(custom(LEAVE), Choice::Leave);
        assert_eq!(custom(STOP), Choice::Stop);
        assert_eq!(custom(CANCEL), Choice::Cancel);
        assert_eq!(choice_of(&MessageDialogResult::No), Choice::Stop);
        assert_eq!(choice_of(&MessageDialogResult::Ok), Choice::Cancel);
    }
}
