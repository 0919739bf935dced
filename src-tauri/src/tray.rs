//! The icon in the system's tray: how many agents work and wait, and what can be done with them without a window.
//!
//! A desktop without a tray has none; the app goes on without it. On Linux there is a menu and nothing else: no clicks, no
//! tooltip. Nothing is approved from the menu itself, which has no room for what exactly would happen. Quitting asks what becomes
//! of the agents; stopping them all is an entry of its own, too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use client::Machine;
use protocol::SessionId;
use protocol::desk::PageOrder;
use protocol::error::{ErrorCode, WireError};
use tauri::menu::Menu;
use tauri::tray::{TrayIcon, TrayIconBuilder};
use tauri::{AppHandle, Manager, Wry};

use crate::Sessions;
use crate::going;
use crate::quit::quit;
use crate::stop_all::stop_all;
use crate::tally::Tally;
use crate::tray_drawing::Drawing;
use crate::tray_menu::{Choice, Contents};
use crate::windows;
use crate::workspace::Workspace;

/// Between two menus: one that is open on the screen closes when it is replaced.
const SETTLE: Duration = Duration::from_millis(250);

/// Whether there is an icon that somebody shows.
#[derive(Default)]
pub(crate) struct TrayShown(AtomicBool);

impl TrayShown {
    /// Whether the app can be reached without a window.
    pub(crate) fn is_shown(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Shows the icon and keeps it up to date until the app ends.
pub(crate) fn show(app: &AppHandle, mut sessions: Sessions) {
    // The library that draws it on Linux may not be installed, and is reported missing by a panic.
    let icon = match catch_unwind(AssertUnwindSafe(|| build(app))) {
        Ok(Ok(icon)) => icon,
        Ok(Err(error)) => return tracing::warn!(%error, "there is no tray icon"),
        Err(_) => return tracing::warn!("there is no tray icon: its library is missing (libayatana-appindicator3)"),
    };
    app.state::<TrayShown>().0.store(true, Ordering::Release);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let (mut shown, mut drawn) = (None, None);
        loop {
            let list = sessions.borrow_and_update().clone();
            let tally = Tally::of(&list);
            let contents = Contents::of(&list, going::known(&app).await.unwrap_or_default());
            if shown.as_ref() != Some(&contents) {
                if let Err(error) = bring_up_to_date(&app, &icon, &contents, tally) {
                    tracing::warn!(%error, "the tray could not be brought up to date");
                }
                shown = Some(contents);
            }
            let drawing = Drawing::of(&app, tally.waiting > 0);
            if drawn != Some(drawing) {
                if let Err(error) = icon.set_icon(Some(drawing.image())) {
                    tracing::warn!(%error, "the tray keeps an older drawing");
                }
                drawn = Some(drawing);
            }
            tokio::time::sleep(SETTLE).await;
            if sessions.changed().await.is_err() {
                return;
            }
        }
    });
}

fn bring_up_to_date(app: &AppHandle, icon: &TrayIcon, contents: &Contents, tally: Tally) -> tauri::Result<()> {
    icon.set_menu(Some(contents.menu(app)?))?;
    icon.set_title(tally.mark())?;
    icon.set_tooltip(Some(format!("Outrigger: {}", tally.words())))
}

fn build(app: &AppHandle) -> tauri::Result<TrayIcon<Wry>> {
    let menu: Menu<Wry> = Contents::of(&[], Vec::new()).menu(app)?;
    TrayIconBuilder::with_id("outrigger")
        .icon(Drawing::of(app, false).image())
        .icon_as_template(cfg!(target_os = "macos"))
        .temp_dir_path(app.state::<Machine>().places.cache.join("tray"))
        .menu(&menu)
        .show_menu_on_left_click(true)
        .on_menu_event(|app, event| on_menu(app, event.id().as_ref()))
        .build(app)
}

/// Windows are opened by a thread that may wait for the main one, which is where menus are.
fn on_menu(app: &AppHandle, entry: &str) {
    let Some(choice) = Choice::of(entry) else {
        return tracing::warn!(entry, "an entry of the tray's menu does nothing");
    };
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = choose(&app, choice).await {
            tracing::error!(%error, "what was chosen in the tray could not be done");
        }
    });
}

async fn choose(app: &AppHandle, choice: Choice) -> Result<(), WireError> {
    match choice {
        // What is asked is shown in the window, where it is answered.
        Choice::Approve => going::to_oldest_request(app),
        Choice::NewSession => {
            let workspace = windows::in_front(app).unwrap_or_else(|| Workspace::used_last(app));
            going::to_window(app, &workspace, Some(PageOrder::NewSession))
        }
        Choice::OpenSession(session) => going::to_session(app, session),
        Choice::StopSession(session) => stop(app, session).await,
        Choice::OpenWorkspace(path) => going::to_window(app, &Workspace::at(Path::new(&path))?, None),
        Choice::ChooseWorkspace => going::to_chosen_folder(app).await,
        Choice::OpenWindow => {
            windows::focus_any(app).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))
        }
        // What became of it stands in the debug log, and each session says it.
        Choice::StopAll => {
            let machine = app.state::<Machine>().inner().clone();
            stop_all(&machine).await.map(drop)
        }
        Choice::Quit => {
            quit(app.clone()).await;
            Ok(())
        }
    }
}

async fn stop(app: &AppHandle, session: SessionId) -> Result<(), WireError> {
    let machine = app.state::<Machine>().inner().clone();
    client::sessions::connect(&machine, session, "desktop").await?.stop(false).await.map(drop)
}
