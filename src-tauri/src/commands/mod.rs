//! What a page can call. Each command reads its arguments, asks `client` one thing, and passes on what it says.
//!
//! The names are those of `ui/src/host/tauri.ts`; the permissions for them are made in `build.rs`.

mod desk;
mod feeds;
mod providers;
mod sessions;
mod settings;
mod transcripts;
mod window;

use tauri::Wry;
use tauri::ipc::Invoke;

/// All commands.
pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        window::window_info,
        window::pick_folder,
        window::open_workspace,
        window::open_logs,
        window::open_url,
        providers::provider_choices,
        providers::doctor,
        providers::set_cli_path,
        sessions::start_session,
        sessions::prompt,
        sessions::unqueue,
        sessions::answer,
        sessions::interrupt,
        sessions::stop,
        sessions::set_session,
        sessions::processes,
        transcripts::open_session,
        transcripts::read_items,
        transcripts::read_records,
        transcripts::find_items,
        transcripts::read_marks,
        desk::watch_requests,
        desk::answer_request,
        desk::go_to_session,
        desk::known_workspaces,
        desk::watch_orders,
        desk::read_layout,
        desk::keep_layout,
        feeds::watch_sessions,
        feeds::follow_session,
        feeds::feed_credit,
        feeds::unfollow,
        settings::read_settings,
        settings::write_setting,
        settings::watch_settings,
    ]
}
