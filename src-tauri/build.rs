//! Prepares what Tauri embeds: the page, the resources, the capabilities.
//!
//! Responsible for the list of commands, each of which gets a permission of its own: a command that no capability names
//! cannot be called by any page.

/// Every command of `src/commands/`. `capabilities/workspace-window.json` allows them for the windows of workspaces.
const COMMANDS: &[&str] = &[
    "window_info",
    "page_shown",
    "watch_sessions",
    "provider_choices",
    "search",
    "usage",
    "place_of_item",
    "read_log",
    "export_log",
    "doctor",
    "set_cli_path",
    "start_session",
    "open_session",
    "read_items",
    "follow_session",
    "feed_credits",
    "unfollow",
    "prompt",
    "unqueue",
    "edit_queued",
    "go_on",
    "complete_files",
    "pick_files",
    "keep_file",
    "preview_file",
    "attached_image",
    "workspace_rules",
    "forget_workspace_rule",
    "forget_rule",
    "set_policy",
    "answer",
    "interrupt",
    "stop",
    "set_session",
    "read_records",
    "processes",
    "pick_folder",
    "open_workspace",
    "open_logs",
    "open_url",
    "read_settings",
    "write_setting",
    "watch_settings",
    "earlier_sessions",
    "take_in_session",
    "watch_updates",
    "look_for_updates",
    "install_update",
    "find_items",
    "read_marks",
    "watch_requests",
    "answer_request",
    "go_to_session",
    "known_workspaces",
    "watch_orders",
    "read_layout",
    "keep_layout",
    "is_notified",
    "set_notified",
    "pod_tree",
    "watch_pods",
    "pod_moments",
    "set_budget",
    "stop_tree",
    "who_may_write",
    "list_folder",
    "watch_sidecars",
    "start_sidecar",
    "stop_sidecar",
    "restart_sidecar",
    "trust_sidecar",
    "sidecar_log",
    "call_sidecar",
    "importable_servers",
    "import_servers",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    // The page is embedded. Its folder has to be there, even for tools that only check the code.
    std::fs::create_dir_all("ui/dist")?;
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(tauri_build::AppManifest::new().commands(COMMANDS));
    tauri_build::try_build(attributes)?;
    Ok(())
}
