//! The windows: one for each workspace.
//!
//! Responsible for opening and focusing them, for what their pages may load, and for knowing which workspace a window belongs to.
//! A page is never asked about that: its commands get the workspace of the window they came from. Where a window is and was is
//! known to the window set.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use client::Machine;
use discovery::{IDENTIFIER, Places};
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use tauri::webview::{NewWindowResponse, PageLoadEvent};
use tauri::{
    AppHandle, Manager, PhysicalPosition, PhysicalSize, Url, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

use crate::last_window::{self, Closing};
use crate::page_begin::{self, Documents};
use crate::page_feeds::PageFeeds;
use crate::page_loss;
use crate::page_orders::PageOrders;
use crate::window_place::{Area, Place, fitted};
use crate::window_set::WindowSet;
use crate::workspace::Workspace;

/// Size of a window that was never opened before, in logical pixels.
const SIZE: (f64, f64) = (1280.0, 800.0);
/// Below this nothing fits.
const SMALLEST: (f64, f64) = (640.0, 420.0);

/// The workspaces of the open windows, by their labels.
#[derive(Default)]
struct OpenWorkspaces(Mutex<HashMap<String, Workspace>>);

/// Whether the app has shown no window since its start, because it was started without one: the first that is asked for brings those
/// of last time along.
#[derive(Default)]
pub(crate) struct StartedHidden(AtomicBool);

impl StartedHidden {
    /// The app stays without a window for now.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it was so until now.
    fn over(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}

/// What names the running app to a second launch: one app for each home, so that two homes have nothing in common.
pub(crate) fn instance_name(places: &Places) -> String {
    match &places.home {
        None => IDENTIFIER.to_owned(),
        Some(home) => format!("{IDENTIFIER}.home{}", hash(home)),
    }
}

/// Opens the window of a workspace, or focuses it when it is open, and gives its label.
///
/// # Errors
/// When the system gives no window.
pub(crate) fn open(app: &AppHandle, workspace: &Workspace) -> tauri::Result<String> {
    let label = label_of(workspace.path());
    match app.get_webview_window(&label) {
        Some(window) => focus(&window)?,
        None => show(app, &label, workspace, false)?,
    }
    Ok(label)
}

/// Opens the windows that were open when the app ran last, and `first` before them. With that one in front, since it was asked for.
///
/// # Errors
/// When the system gives no window for `first`.
pub(crate) fn open_all_again(app: &AppHandle, first: &Workspace, others: bool) -> tauri::Result<()> {
    let set = app.state::<WindowSet>();
    let again = if others { set.to_restore() } else { Vec::new() };
    let label = label_of(first.path());
    show(app, &label, first, others)?;
    for path in again.iter().filter(|path| *path != first.path()).rev() {
        let opened = Workspace::at(path).map_err(|error| error.message).and_then(|workspace| {
            let label = label_of(workspace.path());
            if app.get_webview_window(&label).is_some() {
                return Ok(());
            }
            show(app, &label, &workspace, true).map_err(|error| error.to_string())
        });
        if let Err(error) = opened {
            tracing::warn!(%error, "a window of last time does not come back");
            set.gone(path);
        }
    }
    set.used(first.path());
    app.get_webview_window(&label).map_or(Ok(()), |window| focus(&window))
}

/// Whether the user looks at a session: its window has the focus, and it stands in one of the panes.
pub(crate) fn is_looked_at(app: &AppHandle, session: SessionId) -> bool {
    let set = app.state::<WindowSet>();
    app.webview_windows().values().any(|window| {
        let shows = || {
            let layout = workspace_of(window).ok().and_then(|workspace| set.layout(workspace.path()));
            layout.is_some_and(|layout| layout.sessions.contains(&Some(session)))
        };
        window.is_focused().unwrap_or(false) && shows()
    })
}

/// Whether a workspace has a window now.
pub(crate) fn is_open(app: &AppHandle, workspace: &Path) -> bool {
    app.get_webview_window(&label_of(workspace)).is_some()
}

fn show(app: &AppHandle, label: &str, workspace: &Workspace, at_start: bool) -> tauri::Result<()> {
    if app.try_state::<OpenWorkspaces>().is_none() {
        app.manage(OpenWorkspaces::default());
    }
    app.state::<StartedHidden>().over();
    remember(app, label, workspace.clone());
    let place = app.state::<WindowSet>().place(workspace.path());
    let window = build(app, label, workspace)?;
    app.state::<WindowSet>().opened(workspace.path(), at_start);
    page_loss::watch(&window);
    let watched = window.clone();
    window.on_window_event(move |event| on_window_event(&watched, event));
    if let Some(place) = place
        && let Err(error) = put(&window, place)
    {
        tracing::warn!(%error, ?place, "a window is not where it was");
    }
    window.show()?;
    note_opened(app, workspace);
    tracing::info!(window = label, workspace = %workspace.path().display(), "a window was opened");
    Ok(())
}

/// Puts a window where it was, as far as the monitors are still there.
fn put(window: &WebviewWindow, place: Place) -> tauri::Result<()> {
    let monitors: Vec<Area> = window.available_monitors()?.iter().map(area).collect();
    let (position, (width, height)) = fitted(place, &monitors);
    window.set_size(PhysicalSize { width, height })?;
    if let Some((x, y)) = position {
        window.set_position(PhysicalPosition { x, y })?;
    }
    if place.maximized { window.maximize() } else { Ok(()) }
}

fn area(monitor: &tauri::Monitor) -> Area {
    let (position, size) = (monitor.position(), monitor.size());
    Area { x: position.x, y: position.y, width: size.width, height: size.height }
}

/// So that it is among the known workspaces from now on. The ledger may have to be waited for.
fn note_opened(app: &AppHandle, workspace: &Workspace) {
    let (machine, path) = (app.state::<Machine>().inner().clone(), workspace.text());
    tauri::async_runtime::spawn_blocking(move || client::workspaces::note(&machine, &path));
}

/// Brings a window to the front, the newest session's workspace if none is open.
///
/// # Errors
/// When the system gives no window.
pub(crate) fn focus_any(app: &AppHandle) -> tauri::Result<()> {
    match app.webview_windows().into_values().max_by_key(|window| window.is_focused().unwrap_or(false)) {
        Some(window) => focus(&window),
        None if app.state::<StartedHidden>().over() => {
            let others = app.state::<Machine>().settings().restores_windows;
            open_all_again(app, &Workspace::used_last(app), others)
        }
        None => open(app, &Workspace::used_last(app)).map(drop),
    }
}

/// The workspace of the window that has the focus, or of any.
pub(crate) fn in_front(app: &AppHandle) -> Option<Workspace> {
    let window = app.webview_windows().into_values().max_by_key(|window| window.is_focused().unwrap_or(false))?;
    workspace_of(&window).ok()
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
    WebviewWindowBuilder::new(app, label, app.state::<Documents>().address_for(workspace))
        .title(workspace.title())
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SMALLEST.0, SMALLEST.1)
        // It is shown when it is where it was.
        .visible(false)
        // Drafts and the look of the window; they go where the rest of Outrigger's data goes.
        .data_directory(places.data.join("page"))
        // Files that are dropped go to the page, which shows them as attachments.
        .disable_drag_drop_handler()
        .on_navigation(is_our_page)
        .on_web_resource_request(page_begin::given_with_documents(app))
        .on_new_window(|url, _| {
            tracing::warn!(%url, "a page asked for a window and got none");
            NewWindowResponse::Deny
        })
        .on_page_load(|window, load| {
            // What an earlier page of this window asked for, nobody reads any more.
            if matches!(load.event(), PageLoadEvent::Started) {
                window.state::<PageFeeds>().end_all_of(window.label());
                window.state::<PageOrders>().page_gone(window.label());
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
                window.state::<WindowSet>().used(workspace.path());
            }
        }
        WindowEvent::CloseRequested { api, .. } => match last_window::closing(window) {
            Closing::Close => {}
            Closing::Stay => {
                api.prevent_close();
                last_window::stay(window);
            }
            Closing::Ask => {
                api.prevent_close();
                let (app, window) = (window.app_handle().clone(), window.clone());
                tauri::async_runtime::spawn(last_window::ask(app, window));
            }
        },
        WindowEvent::Moved(_) | WindowEvent::Resized(_) => note_place(window),
        WindowEvent::Destroyed => {
            window.state::<PageFeeds>().end_all_of(window.label());
            window.state::<PageOrders>().window_gone(window.label());
            let open = window.state::<OpenWorkspaces>();
            let closed = open.0.lock().unwrap_or_else(PoisonError::into_inner).remove(window.label());
            closed.iter().for_each(|workspace| window.state::<WindowSet>().closed(workspace.path()));
        }
        _ => {}
    }
}

/// What fills a monitor goes back to its own size there.
fn note_place(window: &WebviewWindow) {
    let (Ok(workspace), Ok(false)) = (workspace_of(window), window.is_minimized()) else { return };
    let set = window.state::<WindowSet>();
    let maximized = window.is_maximized().unwrap_or(false);
    let place = match (maximized, set.place(workspace.path())) {
        (true, Some(before)) => Some(Place { maximized: true, ..before }),
        (true, None) | (false, _) => place_of(window, maximized),
    };
    if let Some(place) = place {
        set.placed(workspace.path(), place);
    }
}

fn place_of(window: &WebviewWindow, maximized: bool) -> Option<Place> {
    let (position, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
    let has_size = size.width > 0 && size.height > 0;
    has_size.then_some(Place { x: position.x, y: position.y, width: size.width, height: size.height, maximized })
}

fn focus(window: &WebviewWindow) -> tauri::Result<()> {
    window.unminimize()?;
    window.show()?;
    window.set_focus()
}

fn label_of(workspace: &Path) -> String {
    format!("workspace-{}", hash(workspace))
}

/// Short and the same in every run. Should a later version count differently, remembered sizes are lost and nothing else.
fn hash(path: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
