//! Commands about the user's settings, which are the same for all windows.

use client::Machine;
use protocol::error::WireError;
use protocol::settings::SettingsView;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

use crate::UserSettings;
use crate::page_feeds::PageFeeds;
use crate::session_access::in_background;

#[tauri::command]
pub(crate) async fn read_settings(machine: State<'_, Machine>) -> Result<SettingsView, WireError> {
    let machine = machine.inner().clone();
    in_background(move || Ok(client::settings::view(&machine))).await
}

#[tauri::command]
pub(crate) async fn write_setting(
    machine: State<'_, Machine>,
    key: String,
    value: Option<Value>,
) -> Result<SettingsView, WireError> {
    let machine = machine.inner().clone();
    in_background(move || client::settings::write(&machine, &key, value.as_ref())).await
}

#[tauri::command]
pub(crate) async fn watch_settings(
    window: WebviewWindow,
    feeds: State<'_, PageFeeds>,
    settings: State<'_, UserSettings>,
    channel: Channel<SettingsView>,
) -> Result<(), WireError> {
    let mut settings = settings.inner().clone();
    feeds.start(window.label(), |_| async move {
        loop {
            let now = settings.borrow_and_update().clone();
            if channel.send(now).is_err() || settings.changed().await.is_err() {
                return;
            }
        }
    });
    Ok(())
}
