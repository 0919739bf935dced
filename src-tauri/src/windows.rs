//! The windows: one for each workspace.
//!
//! Responsible for opening and focusing them, for what their pages may load, and for knowing which workspace a window belongs to.
//! A page is never asked about that: its commands get the workspace of the window they came from.

use std::collections::HashMap;
use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use client::Machine;
use discovery::{IDENTIFIER, Places};
use protocol::error::{ErrorCode, WireError};
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

use crate::page_feeds::PageFeeds;
use crate::page_loss;
use crate::workspace::Workspace;

/// Size of a window that was never opened before, in logical pixels.
const SIZE: (f64, f64) = (1280.0, 800.0);
/// Below this nothing fits.
const SMALLEST: (f64, f64) = (640.0, 420.0);

/// The workspaces of the open windows, by their labels.
#[derive(Default)]
struct OpenWorkspaces(Mutex<HashMap<String, Workspace>>);

/// What names the running app to a second launch: one app for each home, so that two homes have nothing in common.
pub(crate) fn instance_name(places: &Places) -> String {
    match &places.home {
        None => IDENTIFIER.to_owned(),
        Some(home) => format!("{IDENTIFIER}.home{}", hash(home)),
    }
}

/// Opens the window of a workspace, or focuses it when it is open.
///
/// # Errors
/// When the system gives no window.
pub(crate) fn open(app: &AppHandle, workspace: &Workspace) -> tauri::Result<()> {
    let label = format!("workspace-{}", hash(workspace.path()));
    if let Some(window) = app.get_webview_window(&label) {
        return focus(&window);
    }
    if app.try_state::<OpenWorkspaces>().is_none() {
        app.manage(OpenWorkspaces::default());
    }
    remember(app, &label, workspace.clone());
    let window = build(app, &label, workspace)?;
    page_loss::watch(&window);
    let watched = window.clone();
    window.on_window_event(move |event| on_window_event(&watched, event));
    tracing::info!(window = label, workspace = %workspace.path().display(), "a window was opened");
    Ok(())
}

/// Does what a second launch of the program asks for: its PATH in a window, or the window that is there to the front.
pub(crate) fn open_for_second_launch(app: &AppHandle, arguments: &[String], folder: &str) {
    let named = Workspace::named(arguments.get(1).map(OsString::from), Path::new(folder));
    let done = match &named {
        Some(workspace) => open(app, workspace),
        None => focus_any(app),
    };
    if let Err(error) = done {
        tracing::error!(%error, "a second launch could not be followed");
    }
}

/// Brings a window to the front, the newest session's workspace if none is open.
///
/// # Errors
/// When the system gives no window.
pub(crate) fn focus_any(app: &AppHandle) -> tauri::Result<()> {
    match app.webview_windows().into_values().max_by_key(|window| window.is_focused().unwrap_or(false)) {
        Some(window) => focus(&window),
        None => open(app, &Workspace::of_first_launch(&app.state::<Machine>())),
    }
}

/// The workspace that a window belongs to.
///
/// # Errors
/// For a window that is none of ours, or is being closed.
pub(crate) fn workspace_of(window: &WebviewWindow) -> Result<Workspace, WireError> {
    let open = window.try_state::<OpenWorkspaces>();
    let found =
        open.and_then(|open| open.0.lock().unwrap_or_else(PoisonError::into_inner).get(window.label()).cloned());
    found.ok_or_else(|| WireError::new(ErrorCode::NotAuthorised, "this window belongs to no workspace"))
}

fn remember(app: &AppHandle, label: &str, workspace: Workspace) {
    let open = app.state::<OpenWorkspaces>();
    open.0.lock().unwrap_or_else(PoisonError::into_inner).insert(label.to_owned(), workspace);
}

fn build(app: &AppHandle, label: &str, workspace: &Workspace) -> tauri::Result<WebviewWindow> {
    let places = &app.state::<Machine>().places;
    WebviewWindowBuilder::new(app, label, WebviewUrl::default())
        .title(workspace.title())
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        // Drafts and the look of the window; they go where the rest of Outrigger's data goes.
        .data_directory(places.data.join("page"))
        // Files that are dropped go to the page, which shows them as attachments.
        .disable_drag_drop_handler()
        .on_navigation(is_our_page)
        .on_new_window(|url, _| {
            tracing::warn!(%url, "a page asked for a window and got none");
            NewWindowResponse::Deny
        })
        .on_page_load(|window, load| {
            // What an earlier page of this window asked for, nobody reads any more.
            if matches!(load.event(), PageLoadEvent::Started) {
                window.state::<PageFeeds>().end_all_of(window.label());
            }
        })
        .build()
}

/// The page is embedded; in development it comes from Vite on this machine.
fn is_our_page(url: &Url) -> bool {
    let embedded = url.scheme() == "tauri" || url.host_str() == Some("tauri.localhost");
    let in_development = tauri::is_dev() && url.host_str() == Some("127.0.0.1");
    if !embedded && !in_development {
        tracing::warn!(%url, "a page tried to leave for another address and was kept");
    }
    embedded || in_development
}

fn on_window_event(window: &WebviewWindow, event: &WindowEvent) {
    match event {
        // Branches are changed elsewhere, in a terminal, between two looks at the window.
        WindowEvent::Focused(true) => {
            if let Ok(workspace) = workspace_of(window) {
                let _ = window.set_title(&workspace.title());
            }
        }
        WindowEvent::Destroyed => {
            window.state::<PageFeeds>().end_all_of(window.label());
            let open = window.state::<OpenWorkspaces>();
            open.0.lock().unwrap_or_else(PoisonError::into_inner).remove(window.label());
        }
        _ => {}
    }
}

fn focus(window: &WebviewWindow) -> tauri::Result<()> {
    window.unminimize()?;
    window.show()?;
    window.set_focus()
}

/// Short and the same in every run. Should a later version count differently, remembered sizes are lost and nothing else.
fn hash(path: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
