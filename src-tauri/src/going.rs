//! Ways to what somebody outside of a page wants to see: a session, a folder, a link, the oldest request.
//!
//! Each ends with a window in front and an order to its page. What a link may ask for is `client`'s business; that it is refused is
//! shown here.

use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use client::Machine;
use client::links::{self, Link};
use protocol::SessionId;
use protocol::desk::PageOrder;
use protocol::error::{ErrorCode, WireError};
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons, MessageDialogKind, MessageDialogResult};

use crate::at_login::HIDDEN;
use crate::page_orders::PageOrders;
use crate::requests::Requests;
use crate::session_access::in_background;
use crate::windows;
use crate::workspace::{CHOOSE, Workspace};

const OPEN: &str = "Open it";

/// Whether a dialog about a link is on the screen: a page that calls for links again and again fills no screen with them.
#[derive(Default)]
pub(crate) struct LinkDialog(AtomicBool);

/// Shows a session in the window of its workspace.
///
/// # Errors
/// When there is no such session, its folder is gone, or the system gives no window.
pub(crate) fn to_session(app: &AppHandle, session: SessionId) -> Result<(), WireError> {
    let workspace = workspace_of(app, session)?;
    to_window(app, &workspace, Some(PageOrder::OpenSession { session }))
}

/// Opens the window of a folder, or brings it to the front, and has it show something.
///
/// # Errors
/// When the system gives no window.
pub(crate) fn to_window(app: &AppHandle, workspace: &Workspace, order: Option<PageOrder>) -> Result<(), WireError> {
    let failed = |error: tauri::Error| {
        WireError::new(ErrorCode::Internal, format!("failed to open the window of {}: {error}", workspace.text()))
    };
    let label = windows::open(app, workspace).map_err(failed)?;
    if let Some(order) = order {
        app.state::<PageOrders>().give(&label, order);
    }
    Ok(())
}

/// Opens the requests that wait, at the oldest one, in the window of the session that asks it. What it is about is shown there
/// before anybody can answer.
///
/// # Errors
/// When the system gives no window.
pub(crate) fn to_oldest_request(app: &AppHandle) -> Result<(), WireError> {
    let oldest = app.state::<Requests>().borrow().first().cloned();
    let at = oldest.map(|waiting| (waiting.summary.session, waiting.request.ask.request_id));
    let workspace = at.as_ref().and_then(|(session, _)| workspace_of(app, *session).ok());
    let (session, request_id) = at.unzip();
    // Where its folder is gone, another window shows it as well.
    let workspace = workspace.unwrap_or_else(|| windows::in_front(app).unwrap_or_else(|| Workspace::used_last(app)));
    to_window(app, &workspace, Some(PageOrder::OpenInbox { session, request_id }))
}

/// Does what a launch of the program beside the one that runs asks for: its PATH or link, or the window that is there to the front.
pub(crate) fn for_second_launch(app: &AppHandle, arguments: &[String], folder: &str) {
    if app.try_state::<Machine>().is_none() {
        return tracing::warn!(?arguments, "a second launch came before the first one was through");
    }
    let argument = arguments.get(1).cloned();
    if let Some(link) = argument.as_deref().filter(|argument| links::is_link(argument)) {
        return follow(app, link);
    }
    match argument.as_deref() {
        Some(CHOOSE) => return choose_folder(app),
        // It is in the tray, or has windows already.
        Some(HIDDEN) => return,
        Some(_) | None => {}
    }
    let done = match Workspace::named(argument.map(OsString::from), Path::new(folder)) {
        Some(workspace) => to_window(app, &workspace, None),
        None => windows::focus_any(app).map_err(|error| WireError::new(ErrorCode::Internal, error.to_string())),
    };
    if let Err(error) = done {
        tracing::error!(%error, "a second launch could not be followed");
    }
}

/// Asks for a folder and opens its window.
pub(crate) fn choose_folder(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = to_chosen_folder(&app).await {
            tracing::error!(%error, "the folder that was chosen could not be opened");
        }
    });
}

/// The window of the folder that the user chooses; nothing when he chooses none.
///
/// # Errors
/// When it is no folder, or the system gives no window.
pub(crate) async fn to_chosen_folder(app: &AppHandle) -> Result<(), WireError> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    app.dialog().file().pick_folder(|folder| drop(chosen.send(folder)));
    match choice.await.ok().flatten() {
        Some(folder) => to_window(app, &Workspace::at(Path::new(&folder.to_string()))?, None),
        None => Ok(()),
    }
}

/// Follows a link, or shows why not.
pub(crate) fn follow(app: &AppHandle, link: &str) {
    tracing::info!(link = links::shown(link), "a link is followed");
    let (app, link) = (app.clone(), link.to_owned());
    tauri::async_runtime::spawn(async move {
        let done = match links::parse(&link) {
            Ok(Link::Session(session)) => to_session(&app, session),
            Ok(Link::Workspace(folder)) => to_folder(&app, &folder).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            refuse(&app, &error);
        }
    });
}

/// A folder that was never a workspace is opened only when the user says so: a link may come from anywhere.
async fn to_folder(app: &AppHandle, folder: &Path) -> Result<(), WireError> {
    let workspace = Workspace::at(folder)?;
    let is_known = windows::is_open(app, workspace.path()) || known(app).await?.contains(&workspace.text());
    if is_known || ask(app, &workspace).await {
        return to_window(app, &workspace, None);
    }
    tracing::info!(workspace = workspace.text(), "the user did not want to follow a link");
    Ok(())
}

/// The folders that were used as workspaces, the newest use first.
///
/// # Errors
/// When looking broke off.
pub(crate) async fn known(app: &AppHandle) -> Result<Vec<String>, WireError> {
    let machine = app.state::<Machine>().inner().clone();
    let sessions = app.state::<crate::Sessions>().borrow().clone();
    in_background(move || Ok(client::workspaces::known(&machine, &sessions))).await
}

async fn ask(app: &AppHandle, workspace: &Workspace) -> bool {
    let Some(_shown) = Shown::begin(app) else { return false };
    let words = format!(
        "A link wants to open this folder as a workspace:\n{}\nNothing runs in it until you start an agent there.",
        links::shown(&workspace.text())
    );
    let (chosen, choice) = tokio::sync::oneshot::channel();
    let buttons = MessageDialogButtons::OkCancelCustom(OPEN.to_owned(), "Cancel".to_owned());
    app.dialog().message(words).title("Open a folder?").buttons(buttons).show_with_result(|result| {
        let _ = chosen.send(match result {
            MessageDialogResult::Ok => true,
            MessageDialogResult::Custom(words) => words == OPEN,
            MessageDialogResult::Yes | MessageDialogResult::No | MessageDialogResult::Cancel => false,
        });
    });
    choice.await.unwrap_or(false)
}

fn refuse(app: &AppHandle, error: &WireError) {
    tracing::warn!(%error, "a link was refused");
    let Some(shown) = Shown::begin(app) else { return };
    let words = app.dialog().message(links::shown_whole(&error.message)).title("The link was not opened");
    words.kind(MessageDialogKind::Warning).show(move |_| drop(shown));
}

/// One dialog about links at a time; it is over when this is dropped.
struct Shown(AppHandle);

impl Shown {
    fn begin(app: &AppHandle) -> Option<Self> {
        let is_shown = app.state::<LinkDialog>().0.swap(true, Ordering::AcqRel);
        if is_shown {
            tracing::warn!("a link was not followed, because the user is being told about another one");
        }
        (!is_shown).then(|| Self(app.clone()))
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.state::<LinkDialog>().0.store(false, Ordering::Release);
    }
}

fn workspace_of(app: &AppHandle, session: SessionId) -> Result<Workspace, WireError> {
    let machine = app.state::<Machine>();
    let failed = |error: &dyn std::fmt::Display| WireError::new(ErrorCode::DataFolder, error.to_string());
    let meta = machine.folder(session).read_meta().map_err(|error| failed(&error))?;
    let meta = meta.ok_or_else(|| client::sessions::no_such(&session.to_string()))?;
    Workspace::at(Path::new(&meta.workspace))
}
