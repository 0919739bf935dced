//! Commands about pod trees: how one stands, what happened in it, what it may spend, who may write where, and stopping it.
//!
//! A window reaches the trees of its own workspace's sessions. Who may write a file of the workspace is told of every tree.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use client::{Machine, workspace_files};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::READ_PAGE;
use protocol::pods_view::{FileHolder, FolderEntries, PodMoments, PodTree};
use protocol::scope::Budget;
use tauri::ipc::Channel;
use tauri::{State, WebviewWindow};

use crate::page_feeds::PageFeeds;
use crate::pod_moments::moments_in;
use crate::pod_trees::TreeLook;
use crate::session_access::{OwnSession, in_background};
use crate::windows;

/// Between two looks at a tree that a page shows.
const LOOK: Duration = Duration::from_secs(1);
/// Names that are told of one folder.
const NAMES: usize = 500;
/// How often a stop of everything below a session is repeated, should pods be spawned meanwhile.
const ROUNDS: usize = 5;

#[tauri::command]
pub(crate) async fn pod_tree(window: WebviewWindow, session: String) -> Result<PodTree, WireError> {
    TreeLook::at(OwnSession::of(&window, &session)?).look().await
}

/// Sends the tree now and at each change, until the page wants it no more. Its number ends it.
#[tauri::command]
pub(crate) async fn watch_pods(
    window: WebviewWindow,
    feeds: State<'_, PageFeeds>,
    session: String,
    channel: Channel<PodTree>,
) -> Result<u64, WireError> {
    let mut look = TreeLook::at(OwnSession::of(&window, &session)?);
    let mut shown = look.look().await?;
    Ok(feeds.start(window.label(), |_| async move {
        if channel.send(shown.clone()).is_err() {
            return;
        }
        loop {
            tokio::time::sleep(LOOK).await;
            match look.look().await {
                Ok(tree) if crate::pod_trees::is_other(&shown, &tree) => {
                    shown = tree;
                    if channel.send(shown.clone()).is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                // The page shows what it has; the next look may succeed.
                Err(error) => tracing::debug!(%error, "a pod tree could not be looked at"),
            }
        }
    }))
}

/// What a pod did from an item on, for a time line; without one, in the newest part of its transcript.
#[tauri::command]
pub(crate) async fn pod_moments(
    window: WebviewWindow,
    session: String,
    from: Option<usize>,
) -> Result<PodMoments, WireError> {
    OwnSession::of(&window, &session)?
        .read(move |transcript| {
            let newest = transcript.total().saturating_sub(READ_PAGE);
            let begin = from.unwrap_or(newest).max(newest);
            let moments = moments_in(&transcript.page(begin, READ_PAGE)?.items);
            let cut = begin > from.unwrap_or(0);
            Ok(PodMoments { moments, next: transcript.settled() as u64, cut })
        })
        .await
}

#[tauri::command]
pub(crate) async fn set_budget(window: WebviewWindow, session: String, budget: Budget) -> Result<(), WireError> {
    let OwnSession { machine, session } = OwnSession::of(&window, &session)?;
    client::pods::set_budget(&machine, session, move |_| budget).await.map(drop)
}

/// Stops what is below a session, and with `itself` the session too.
#[tauri::command]
pub(crate) async fn stop_tree(window: WebviewWindow, session: String, itself: bool) -> Result<(), WireError> {
    let OwnSession { machine, session } = OwnSession::of(&window, &session)?;
    let mut failed = Vec::new();
    for _ in 0..ROUNDS {
        let sessions = match itself {
            true => vec![session],
            false => {
                let tree = client::pods::tree(&machine, session).await?;
                let below = tree.iter().filter(|entry| entry.outcome.is_none() && entry.parent == Some(session));
                below.map(|entry| entry.session).collect()
            }
        };
        if sessions.is_empty() {
            break;
        }
        failed = client::pods::stop_trees(&machine, &sessions, false)
            .await
            .into_iter()
            .filter_map(|pod| {
                let name = pod.name.unwrap_or_else(|| pod.session.to_string());
                pod.result.err().map(|error| format!("{name}: {error}"))
            })
            .collect();
        // A whole tree is closed before it is stopped; below a session that goes on, more may have been spawned.
        if itself || !failed.is_empty() {
            break;
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(WireError::new(ErrorCode::Unreachable, format!("could not be stopped: {}", failed.join("; ")))),
    }
}

/// The pods whose scopes cover a path, which may be relative to the workspace.
#[tauri::command]
pub(crate) async fn who_may_write(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    path: String,
) -> Result<Vec<FileHolder>, WireError> {
    let path = settled(windows::workspace_of(&window)?.path(), Path::new(path.trim()));
    let found = client::pods::who_may_write(&machine, &path).await?;
    let holders = found.into_iter().map(|(entry, rule)| FileHolder {
        session: entry.session,
        name: entry.name,
        rule: rule.held().clone(),
    });
    Ok(holders.collect())
}

/// What git would list of a folder of the workspace.
#[tauri::command]
pub(crate) async fn list_folder(window: WebviewWindow, path: String) -> Result<FolderEntries, WireError> {
    let workspace = windows::workspace_of(&window)?;
    in_background(move || workspace_files::folder(workspace.path(), &path, NAMES)).await
}

/// An absolute path without `.` and `..`, and without links as far as it exists.
fn settled(workspace: &Path, path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for part in workspace.join(path).components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => whole.push(part),
        }
    }
    let real = whole.ancestors().find_map(|above| Some((std::fs::canonicalize(above).ok()?, above.to_owned())));
    match real {
        Some((real, above)) => whole.strip_prefix(above).map_or(real.clone(), |rest| real.join(rest)),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_settled_whether_it_exists_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(workspace.join("src")).unwrap();
        assert_eq!(settled(&workspace, Path::new("src/../src/./new.rs")), workspace.join("src/new.rs"));
        assert_eq!(settled(&workspace, Path::new(".")).components().count(), workspace.components().count());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(workspace.join("src"), workspace.join("link")).unwrap();
            assert_eq!(settled(&workspace, Path::new("link/new.rs")), workspace.join("src/new.rs"));
        }
    }
}
