//! What becomes of the app when its last window is closed: it ends, or it stays in the tray and goes on telling what agents need.
//!
//! Asked once, while agents live and only where there is a tray to stay in; the answer becomes the setting `windows.last_closed`.
//! Agents go on either way.

use client::Machine;
use discovery::LastClosed;
use serde_json::json;
use tauri::{AppHandle, Manager, WebviewWindow};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogResult};

use crate::Sessions;
use crate::tally::Tally;
use crate::tray::TrayShown;

const STAY: &str = "Stay in the tray";
const QUIT: &str = "Quit the app";
const CANCEL: &str = "Cancel";

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// The window is closed; if it was the last one, the app ends.
    Close,
    /// The window is closed and the app stays.
    Stay,
    /// The user is asked first.
    Ask,
}

/// What closing this window means. Reads the settings, which takes a moment.
pub(crate) fn closing(window: &WebviewWindow) -> Closing {
    let app = window.app_handle();
    let is_last = app.webview_windows().len() == 1;
    if !is_last || !app.state::<TrayShown>().is_shown() {
        return Closing::Close;
    }
    let lives = Tally::of(&app.state::<Sessions>().borrow()) != Tally::default();
    decide(app.state::<Machine>().settings().last_closed, lives)
}

fn decide(setting: LastClosed, agents_live: bool) -> Closing {
    match setting {
        LastClosed::Tray => Closing::Stay,
        LastClosed::Quit => Closing::Close,
        LastClosed::Ask if agents_live => Closing::Ask,
        LastClosed::Ask => Closing::Close,
    }
}

/// Asks, keeps the answer, and does it.
pub(crate) async fn ask(app: AppHandle, window: WebviewWindow) {
    let words = "Agents are at work and go on without the app. In the tray it can still tell you when one needs you.\n\
        You are asked once; Settings has this under Windows.";
    let (chosen, choice) = tokio::sync::oneshot::channel();
    let buttons = MessageDialogButtons::YesNoCancelCustom(STAY.to_owned(), QUIT.to_owned(), CANCEL.to_owned());
    let dialog = app.dialog().message(words).title("Keep Outrigger in the tray?").parent(&window).buttons(buttons);
    dialog.show_with_result(|result| {
        let _ = chosen.send(answer_of(&result));
    });
    let Some(answer) = choice.await.ok().flatten() else { return };
    let machine = app.state::<Machine>().inner().clone();
    let kept = tauri::async_runtime::spawn_blocking(move || {
        client::settings::write(&machine, "windows.last_closed", Some(&json!(answer)))
    });
    if let Ok(Err(error)) = kept.await {
        tracing::warn!(%error, "what becomes of the app with its last window will be asked again");
    }
    if answer == "tray" { stay(&window) } else { app.exit(0) }
}

/// Closes the window and keeps the app.
pub(crate) fn stay(window: &WebviewWindow) {
    window.state::<Staying>().0.store(true, std::sync::atomic::Ordering::Release);
    if let Err(error) = window.destroy() {
        tracing::error!(%error, "the last window could not be closed");
    }
}

/// Whether the app stays although it has no window.
#[derive(Default)]
pub(crate) struct Staying(std::sync::atomic::AtomicBool);

impl Staying {
    /// Whether it does; asked once for each last window.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, std::sync::atomic::Ordering::AcqRel)
    }
}

fn answer_of(result: &MessageDialogResult) -> Option<&'static str> {
    match result {
        MessageDialogResult::Yes => Some("tray"),
        MessageDialogResult::No => Some("quit"),
        MessageDialogResult::Custom(words) if words == STAY => Some("tray"),
        MessageDialogResult::Custom(words) if words == QUIT => Some("quit"),
        MessageDialogResult::Custom(_) | MessageDialogResult::Ok | MessageDialogResult::Cancel => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_only_while_agents_live() {
        assert_eq!(decide(LastClosed::Ask, true), Closing::Ask);
        assert_eq!(decide(LastClosed::Ask, false), Closing::Close);
        assert_eq!(decide(LastClosed::Tray, false), Closing::Stay);
        assert_eq!(decide(LastClosed::Quit, true), Closing::Close);
    }

    #[test]
    fn whatever_is_no_answer_closes_nothing() {
        assert_eq!(answer_of(&MessageDialogResult::Cancel), None);
        assert_eq!(answer_of(&MessageDialogResult::Ok), None);
        assert_eq!(answer_of(&MessageDialogResult::Custom(STAY.to_owned())), Some("tray"));
    }
}
