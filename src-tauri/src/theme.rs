//! Light or dark, as the user's settings say; the pages follow what their windows have.

use client::Machine;
use discovery::Theme;
use tauri::{AppHandle, Manager};

use crate::UserSettings;

/// Keeps the theme of all windows until the app ends.
pub(crate) fn keep(app: &AppHandle, mut settings: UserSettings) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut now = Theme::System;
        loop {
            settings.borrow_and_update();
            let wanted = app.state::<Machine>().settings().theme;
            if wanted != now {
                app.set_theme(match wanted {
                    Theme::System => None,
                    Theme::Light => Some(tauri::Theme::Light),
                    Theme::Dark => Some(tauri::Theme::Dark),
                });
                now = wanted;
            }
            if settings.changed().await.is_err() {
                return;
            }
        }
    });
}
