//! The icon in the system's tray: how many agents work and wait, and what can be done with all of them.
//!
//! A desktop without a tray has none; the app goes on without it. On Linux there is a menu and nothing else: no clicks, no
//! tooltip. Quitting asks what becomes of the agents; stopping them all is an entry of its own, too.

use std::panic::{AssertUnwindSafe, catch_unwind};

use client::Machine;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry, include_image};

use crate::Sessions;
use crate::going;
use crate::quit::quit;
use crate::stop_all::stop_all;
use crate::tally::Tally;
use crate::windows;

struct Tray {
    icon: TrayIcon,
    counts: MenuItem<Wry>,
    approve: MenuItem<Wry>,
    stop_all: MenuItem<Wry>,
}

/// Shows the icon and keeps it up to date until the app ends.
pub(crate) fn show(app: &AppHandle, mut sessions: Sessions) {
    // The library that draws it on Linux may not be installed, and is reported missing by a panic.
    let tray = match catch_unwind(AssertUnwindSafe(|| build(app))) {
        Ok(Ok(tray)) => tray,
        Ok(Err(error)) => return tracing::warn!(%error, "there is no tray icon"),
        Err(_) => return tracing::warn!("there is no tray icon: its library is missing (libayatana-appindicator3)"),
    };
    tauri::async_runtime::spawn(async move {
        loop {
            let tally = Tally::of(&sessions.borrow_and_update());
            if let Err(error) = tray.show(tally) {
                tracing::warn!(%error, "the tray could not be brought up to date");
            }
            if sessions.changed().await.is_err() {
                return;
            }
        }
    });
}

impl Tray {
    fn show(&self, tally: Tally) -> tauri::Result<()> {
        let words = tally.words();
        self.counts.set_text(&words)?;
        self.approve.set_enabled(tally.waiting > 0)?;
        self.stop_all.set_enabled(tally != Tally::default())?;
        self.icon.set_title(tally.mark())?;
        self.icon.set_tooltip(Some(format!("Outrigger: {words}")))
    }
}

fn build(app: &AppHandle) -> tauri::Result<Tray> {
    let counts = MenuItem::with_id(app, "counts", Tally::default().words(), false, None::<&str>)?;
    let approve = MenuItem::with_id(app, "approve", "Approve next…", false, None::<&str>)?;
    let open = MenuItem::with_id(app, "open", "Open window", true, None::<&str>)?;
    let stop_all = MenuItem::with_id(app, "stop-all", "Stop all agents", false, None::<&str>)?;
    let quit = MenuItem::with_id(app, "quit", "Quit", true, None::<&str>)?;
    let line = PredefinedMenuItem::separator(app)?;
    let menu = Menu::with_items(
        app,
        &[&counts, &line, &approve, &open, &stop_all, &PredefinedMenuItem::separator(app)?, &quit],
    )?;
    let icon = TrayIconBuilder::with_id("outrigger")
        .icon(include_image!("src-tauri/icons/32x32.png"))
        .temp_dir_path(app.state::<Machine>().places.cache.join("tray"))
        .menu(&menu)
        .show_menu_on_left_click(true)
        .on_menu_event(|app, event| on_menu(app, event.id().as_ref()))
        .build(app)?;
    Ok(Tray { icon, counts, approve, stop_all })
}

fn on_menu(app: &AppHandle, entry: &str) {
    match entry {
        "open" => {
            if let Err(error) = windows::focus_any(app) {
                tracing::error!(%error, "the window could not be opened");
            }
        }
        // What is asked is shown in the window, where it is answered.
        "approve" => {
            if let Err(error) = going::to_oldest_request(app) {
                tracing::error!(%error, "the oldest request could not be shown");
            }
        }
        "stop-all" => {
            let machine = app.state::<Machine>().inner().clone();
            tauri::async_runtime::spawn(async move {
                // What became of it stands in the debug log, and each session says it.
                if let Err(error) = stop_all(&machine).await {
                    tracing::error!(%error, "the agents could not be stopped: the sessions could not be listed");
                }
            });
        }
        "quit" => drop(tauri::async_runtime::spawn(quit(app.clone()))),
        other => tracing::warn!(entry = other, "an entry of the tray's menu does nothing"),
    }
}
