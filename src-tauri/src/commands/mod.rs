//! What a page can call. Each command reads its arguments, asks `client` one thing, and passes on what it says.
//!
//! The names are those of `ui/src/host/tauri.ts`; the permissions for them are made in `build.rs`.

mod attachments;
mod desk;
mod earlier;
pub(crate) mod feeds;
mod places;
mod pods;
mod providers;
mod rules;
mod sessions;
mod settings;
mod sidecars;
mod transcripts;
mod updates;
mod window;

use tauri::Wry;
use tauri::ipc::Invoke;

/// All commands.
pub(crate) fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    tauri::generate_handler![
        window::window_info,
        window::page_shown,
        window::pick_folder,
        window::open_workspace,
        window::open_logs,
        window::open_url,
        pods::pod_tree,
        pods::watch_pods,
        pods::pod_moments,
        pods::set_budget,
        pods::stop_tree,
        pods::who_may_write,
        pods::list_folder,
        places::search,
        places::usage,
        places::place_of_item,
        places::read_log,
        places::export_log,
        providers::provider_choices,
        providers::doctor,
        providers::set_cli_path,
        sessions::start_session,
        sessions::prompt,
        sessions::unqueue,
        sessions::edit_queued,
        sessions::go_on,
        sessions::answer,
        sessions::interrupt,
        sessions::stop,
        sessions::set_session,
        sessions::processes,
        attachments::complete_files,
        attachments::pick_files,
        attachments::keep_file,
        attachments::preview_file,
        attachments::attached_image,
        rules::workspace_rules,
        rules::forget_workspace_rule,
        rules::forget_rule,
        rules::set_policy,
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
        desk::is_notified,
        desk::set_notified,
        desk::read_layout,
        desk::keep_layout,
        feeds::watch_sessions,
        feeds::follow_session,
        feeds::feed_credits,
        feeds::unfollow,
        sidecars::watch_sidecars,
        sidecars::start_sidecar,
        sidecars::stop_sidecar,
        sidecars::restart_sidecar,
        sidecars::trust_sidecar,
        sidecars::sidecar_log,
        sidecars::call_sidecar,
        sidecars::importable_servers,
        sidecars::import_servers,
        settings::read_settings,
        settings::write_setting,
        settings::watch_settings,
        earlier::earlier_sessions,
        earlier::take_in_session,
        updates::watch_updates,
        updates::look_for_updates,
        updates::install_update,
    ]
}
