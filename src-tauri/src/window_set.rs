//! Which windows were open, where, and how were they arranged? Kept in a file, so that all of it comes back after a restart.
//!
//! The file is written a moment after each change, whole or not at all: a crash costs that moment. One that cannot be read is set
//! aside and a fresh one begun. Windows that are closed keep their place and arrangement for the next time.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use protocol::desk::WindowLayout;
use protocol::limits::{WINDOWS_KEPT, WINDOWS_RESTORED};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::window_place::Place;

/// Changes that come together, as those of a window that is being dragged, are written together.
const SETTLE: Duration = Duration::from_millis(300);

/// See the module.
pub(crate) struct WindowSet {
    file: PathBuf,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    kept: File,
    /// Those that have a window now.
    shown: HashSet<PathBuf>,
    /// The app ends: windows that are closed by that stay in the set.
    is_over: bool,
}

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct File {
    /// The one used last comes first.
    windows: Vec<Kept>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    workspace: PathBuf,
    /// It comes back at the next start.
    #[serde(default)]
    open: bool,
    #[serde(default)]
    place: Option<Place>,
    #[serde(default)]
    layout: WindowLayout,
}

impl WindowSet {
    /// Reads the set. What cannot be read is set aside beside it, and told in the debug log.
    pub(crate) fn read(data: &Path) -> Self {
        let file = data.join("window-set.json");
        let kept = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                let aside = data.join("window-set.damaged.json");
                let moved = std::fs::rename(&file, &aside);
                tracing::warn!(%error, aside = %aside.display(), ?moved, "the set of windows cannot be read and begins anew");
                File::default()
            }),
            Err(error) => {
                if error.kind() != std::io::ErrorKind::NotFound {
                    tracing::warn!(%error, file = %file.display(), "the set of windows cannot be read");
                }
                File::default()
            }
        };
        Self { file, state: Mutex::new(State { kept, ..State::default() }), changed: Notify::new() }
    }

    /// The workspaces whose windows come back, the one used last first.
    pub(crate) fn to_restore(&self) -> Vec<PathBuf> {
        let state = self.lock();
        let open = state.kept.windows.iter().filter(|kept| kept.open);
        open.take(WINDOWS_RESTORED).map(|kept| kept.workspace.clone()).collect()
    }

    /// A window was opened. Those that only waited for the next start do so no more, unless the start is what opens it.
    pub(crate) fn opened(&self, workspace: &Path, at_start: bool) {
        self.change(|state| {
            state.shown.insert(workspace.to_owned());
            state.use_one(workspace).open = true;
            if !at_start {
                let State { kept, shown, .. } = state;
                kept.windows.iter_mut().for_each(|kept| kept.open &= shown.contains(&kept.workspace));
            }
        });
    }

    /// A window has the focus.
    pub(crate) fn used(&self, workspace: &Path) {
        self.change(|state| {
            state.use_one(workspace);
        });
    }

    /// A window was moved or has another size.
    pub(crate) fn placed(&self, workspace: &Path, place: Place) {
        self.change(|state| state.one(workspace).place = Some(place));
    }

    /// A page was arranged in another way.
    pub(crate) fn arranged(&self, workspace: &Path, layout: WindowLayout) {
        self.change(|state| state.one(workspace).layout = layout);
    }

    /// A window was closed. The last one comes back at the next start.
    pub(crate) fn closed(&self, workspace: &Path) {
        self.change(|state| {
            state.shown.remove(workspace);
            if !state.shown.is_empty() && !state.is_over {
                state.one(workspace).open = false;
            }
        });
    }

    /// A workspace that cannot be opened any more.
    pub(crate) fn gone(&self, workspace: &Path) {
        self.change(|state| state.one(workspace).open = false);
    }

    /// The app ends: what is closed from now on comes back.
    pub(crate) fn over(&self) {
        self.lock().is_over = true;
        self.write();
    }

    /// Where a workspace's window was.
    pub(crate) fn place(&self, workspace: &Path) -> Option<Place> {
        self.lock().find(workspace)?.place
    }

    /// How it was arranged.
    pub(crate) fn layout(&self, workspace: &Path) -> Option<WindowLayout> {
        self.lock().find(workspace).map(|kept| kept.layout.clone())
    }

    /// Writes after each change, until the app ends.
    pub(crate) async fn keep_written(&self) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(SETTLE).await;
            self.write();
        }
    }

    /// A few kilobytes; whoever writes waits for the disk.
    fn write(&self) {
        let kept = self.lock().kept.clone();
        let written = serde_json::to_vec_pretty(&kept).map_err(std::io::Error::other).and_then(|bytes| {
            let new = self.file.with_extension("new");
            std::fs::write(&new, bytes)?;
            std::fs::rename(&new, &self.file)
        });
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.file.display(), "the set of windows was not written");
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        let before = state.kept.clone();
        change(&mut state);
        if state.kept != before {
            self.changed.notify_one();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, workspace: &Path) -> Option<&Kept> {
        self.kept.windows.iter().find(|kept| kept.workspace == workspace)
    }

    /// What is kept of a workspace, as the one used last.
    fn use_one(&mut self, workspace: &Path) -> &mut Kept {
        let windows = &mut self.kept.windows;
        let at = windows.iter().position(|kept| kept.workspace == workspace);
        let kept = at.map(|at| windows.remove(at)).unwrap_or_else(|| Kept::new(workspace));
        windows.insert(0, kept);
        self.kept.forget_old();
        &mut self.kept.windows[0]
    }

    fn one(&mut self, workspace: &Path) -> &mut Kept {
        let windows = &mut self.kept.windows;
        let at = windows.iter().position(|kept| kept.workspace == workspace).unwrap_or_else(|| {
            windows.push(Kept::new(workspace));
            windows.len() - 1
        });
        &mut windows[at]
    }
}

impl File {
    /// Beyond the limit those that were not used for longest go, the open ones last.
    fn forget_old(&mut self) {
        while self.windows.len() > WINDOWS_KEPT {
            let at = self.windows.iter().rposition(|kept| !kept.open).unwrap_or(self.windows.len() - 1);
            self.windows.remove(at);
        }
    }
}

impl Kept {
    fn new(workspace: &Path) -> Self {
        Self { workspace: workspace.to_owned(), open: false, place: None, layout: WindowLayout::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(data: &Path) -> Vec<PathBuf> {
        WindowSet::read(data).to_restore()
    }

    #[test]
    fn the_windows_that_were_open_come_back_with_their_places() {
        let data = tempfile::tempdir().unwrap();
        let [a, b, c] = ["/a", "/b", "/c"].map(Path::new);
        let set = WindowSet::read(data.path());
        [a, b, c].into_iter().for_each(|workspace| set.opened(workspace, false));
        let place = Place { x: 1, y: 2, width: 300, height: 400, maximized: true };
        set.placed(a, place);
        set.closed(b);
        set.used(a);
        set.write();
        let next = WindowSet::read(data.path());
        assert_eq!(next.to_restore(), [a, c]);
        assert_eq!(next.place(a), Some(place));
        assert_eq!(next.layout(b), Some(WindowLayout::default()));
    }

    #[test]
    fn the_last_window_and_those_closed_by_quitting_come_back() {
        let data = tempfile::tempdir().unwrap();
        let [a, b] = ["/a", "/b"].map(Path::new);
        let set = WindowSet::read(data.path());
        set.opened(a, false);
        set.closed(a);
        set.write();
        assert_eq!(restored(data.path()), [a]);
        // In the tray, another one is opened: the first is not wanted any more.
        set.opened(b, false);
        set.write();
        assert_eq!(restored(data.path()), [b]);
        set.opened(a, false);
        set.over();
        set.closed(a);
        set.closed(b);
        set.write();
        assert_eq!(restored(data.path()), [a, b]);
        // At the start, those that are not open yet still count.
        let next = WindowSet::read(data.path());
        next.opened(b, true);
        next.write();
        assert_eq!(restored(data.path()), [b, a]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_set_aside() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("window-set.json");
        std::fs::write(&file, "{\"windows\": [{").unwrap();
        let set = WindowSet::read(data.path());
        assert_eq!(set.to_restore(), [] as [PathBuf; 0]);
        assert_eq!(std::fs::read_to_string(data.path().join("window-set.damaged.json")).unwrap(), "{\"windows\": [{");
        set.opened(Path::new("/a"), false);
        set.write();
        assert_eq!(restored(data.path()), [Path::new("/a")]);
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let data = tempfile::tempdir().unwrap();
        let set = WindowSet::read(data.path());
        set.opened(Path::new("/first"), false);
        (0..2 * WINDOWS_KEPT).for_each(|n| {
            let workspace = PathBuf::from(format!("/{n}"));
            set.opened(&workspace, false);
            set.closed(&workspace);
        });
        assert_eq!(set.lock().kept.windows.len(), WINDOWS_KEPT);
        assert_eq!(set.to_restore(), [Path::new("/first")]);
    }
}
