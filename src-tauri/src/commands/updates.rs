//! Commands about newer versions of the app, which are the same for all windows.

use protocol::error::WireError;
use protocol::updates::UpdateView;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

use crate::page_feeds::PageFeeds;
use crate::updates::Updates;

#[tauri::command]
pub(crate) async fn watch_updates(
    window: WebviewWindow,
    feeds: State<'_, PageFeeds>,
    updates: State<'_, Updates>,
    channel: Channel<UpdateView>,
) -> Result<(), WireError> {
    let mut updates = updates.watch();
    feeds.start(window.label(), |_| async move {
        loop {
            let now = updates.borrow_and_update().clone();
            if channel.send(now).is_err() || updates.changed().await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

#[tauri::command]
pub(crate) fn look_for_updates(updates: State<'_, Updates>) {
    updates.look();
}

#[tauri::command]
pub(crate) fn install_update(updates: State<'_, Updates>) {
    updates.install();
}
