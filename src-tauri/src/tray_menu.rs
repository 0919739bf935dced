//! What stands in the tray's menu, and what does each entry mean?
//!
//! The contents are values, so that a menu is made anew only when something in it changed. Titles of sessions are an agent's words:
//! they are bounded, and what cannot be seen is spelled out.

use client::links;
use protocol::SessionId;
use protocol::session::{Liveness, SessionSummary};
use tauri::menu::{IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Wry};

use crate::tally::Tally;

/// Sessions of one workspace that the menu names; the window has them all.
const SESSIONS: usize = 12;
/// Workspaces that can be opened from the menu.
const WORKSPACES: usize = 12;
/// Characters of a title.
const TITLE: usize = 60;

/// What the menu shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contents {
    counts: String,
    waiting: u32,
    lives: bool,
    /// Workspaces in which agents live, with those.
    groups: Vec<Group>,
    /// Workspaces that can be opened.
    known: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    sessions: Vec<(SessionId, String)>,
    more: usize,
}

/// An entry that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The oldest request, to be looked at.
    Approve,
    /// A new session.
    NewSession,
    /// A session, to be looked at.
    OpenSession(SessionId),
    /// A session, to be ended.
    StopSession(SessionId),
    /// A known workspace.
    OpenWorkspace(String),
    /// A workspace that is to be chosen.
    ChooseWorkspace,
    /// Any window.
    OpenWindow,
    /// All agents.
    StopAll,
    /// The app.
    Quit,
}

impl Choice {
    /// The choice that an entry's id stands for.
    pub(crate) fn of(id: &str) -> Option<Self> {
        let session = |prefix: &str| id.strip_prefix(prefix)?.parse().ok();
        match id {
            "approve" => Some(Self::Approve),
            "new" => Some(Self::NewSession),
            "choose" => Some(Self::ChooseWorkspace),
            "open" => Some(Self::OpenWindow),
            "stop-all" => Some(Self::StopAll),
            "quit" => Some(Self::Quit),
            _ => session("open:")
                .map(Self::OpenSession)
                .or_else(|| session("stop:").map(Self::StopSession))
                .or_else(|| id.strip_prefix("workspace:").map(|path| Self::OpenWorkspace(path.to_owned()))),
        }
    }
}

impl Contents {
    /// What the menu shows of these sessions and workspaces.
    pub(crate) fn of(sessions: &[SessionSummary], known: Vec<String>) -> Self {
        let tally = Tally::of(sessions);
        let mut groups: Vec<(String, Group)> = Vec::new();
        for summary in sessions.iter().filter(|summary| lives(&summary.liveness)) {
            let at = groups.iter().position(|(path, _)| *path == summary.workspace).unwrap_or_else(|| {
                let group = Group { name: name_of(&summary.workspace), sessions: Vec::new(), more: 0 };
                groups.push((summary.workspace.clone(), group));
                groups.len() - 1
            });
            let group = &mut groups[at].1;
            if group.sessions.len() < SESSIONS {
                group.sessions.push((summary.session, entry_of(summary)));
            } else {
                group.more += 1;
            }
        }
        let known = known.into_iter().filter(|path| std::path::Path::new(path).is_dir()).take(WORKSPACES);
        Self {
            counts: tally.words(),
            waiting: tally.waiting,
            lives: tally != Tally::default(),
            groups: groups.into_iter().map(|(_, group)| group).collect(),
            known: known.map(|path| (label(&format!("{} — {path}", name_of(&path))), path)).collect(),
        }
    }

    /// The menu.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn menu(&self, app: &AppHandle) -> tauri::Result<Menu<Wry>> {
        let item = |id: &str, words: &str, enabled| MenuItem::with_id(app, id, words, enabled, None::<&str>);
        let line = || PredefinedMenuItem::separator(app);
        let menu = Menu::new(app)?;
        menu.append_items(&[
            &item("counts", &self.counts, false)?,
            &line()?,
            &item("approve", "Approve next…", self.waiting > 0)?,
            &item("new", "New session", true)?,
            &line()?,
        ])?;
        for group in &self.groups {
            menu.append(&group.menu(app)?)?;
        }
        let known: Vec<_> = self
            .known
            .iter()
            .map(|(words, path)| item(&format!("workspace:{path}"), words, true))
            .collect::<Result<_, _>>()?;
        let mut known: Vec<&dyn IsMenuItem<Wry>> = known.iter().map(|item| item as &dyn IsMenuItem<Wry>).collect();
        let (between, choose) = (line()?, item("choose", "Choose a folder…", true)?);
        known.extend([&between as &dyn IsMenuItem<Wry>, &choose]);
        menu.append_items(&[
            &Submenu::with_items(app, "Open workspace…", true, &known)?,
            &item("open", "Open window", true)?,
            &item("stop-all", "Stop all agents", self.lives)?,
            &line()?,
            &item("quit", "Quit", true)?,
        ])?;
        Ok(menu)
    }
}

impl Group {
    fn menu(&self, app: &AppHandle) -> tauri::Result<Submenu<Wry>> {
        let item = |id: String, words: &str, enabled| MenuItem::with_id(app, id, words, enabled, None::<&str>);
        let menu = Submenu::new(app, label(&self.name), true)?;
        for (session, words) in &self.sessions {
            let open = item(format!("open:{session}"), "Open", true)?;
            let stop = item(format!("stop:{session}"), "Stop", true)?;
            menu.append(&Submenu::with_items(app, label(words), true, &[&open, &stop])?)?;
        }
        if self.more > 0 {
            menu.append(&item("more".to_owned(), &format!("and {} more in the window", self.more), false)?)?;
        }
        Ok(menu)
    }
}

/// A name in a menu: `&` would underline the letter behind it.
fn label(text: &str) -> String {
    text.replace('&', "&&")
}

fn entry_of(summary: &SessionSummary) -> String {
    let title: String = links::shown(&summary.title).chars().take(TITLE).collect();
    let title = if title.is_empty() { "Untitled" } else { &title };
    match &summary.liveness {
        Liveness::Live { waiting, .. } if *waiting > 0 => format!("{title} (needs you)"),
        Liveness::Unknown { .. } => format!("{title} (not answering)"),
        Liveness::Live { .. } | Liveness::Ended { .. } | Liveness::Interrupted => title.to_owned(),
    }
}

fn name_of(path: &str) -> String {
    let name = std::path::Path::new(path).file_name();
    name.map_or_else(|| path.to_owned(), |name| links::shown(&name.to_string_lossy()))
}

fn lives(liveness: &Liveness) -> bool {
    match liveness {
        Liveness::Live { .. } | Liveness::Unknown { .. } => true,
        Liveness::Ended { .. } | Liveness::Interrupted => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn session(workspace: &str, title: &str, liveness: Value) -> SessionSummary {
        let summary = json!({ "session": SessionId::new(), "provider": "demo", "workspace": workspace, "cwd": workspace,
            "title": title, "parent": null, "createdAt": "", "updatedAt": "", "model": null, "nativeSessionId": null, "usage": {},
            "permissionPolicy": "ask", "liveness": liveness });
        serde_json::from_value(summary).unwrap()
    }

    fn live(waiting: u32) -> Value {
        json!({ "type": "live", "state": { "type": "idle" }, "waiting": waiting, "queued": 0 })
    }

    #[test]
    fn live_sessions_stand_under_their_workspaces() {
        let gone = json!({ "type": "interrupted" });
        let mut sessions = vec![session("/b/two", "Ask", live(1)), session("/a/one", "Over", gone)];
        sessions.extend((0..SESSIONS + 3).map(|n| session("/a/one", &format!("Task {n}\u{202e}"), live(0))));
        let contents = Contents::of(&sessions, vec!["/nowhere/at/all".to_owned(), "/".to_owned()]);
        assert_eq!((contents.waiting, contents.lives), (1, true));
        let names: Vec<&str> = contents.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["two", "one"]);
        assert_eq!(contents.groups[0].sessions[0].1, "Ask (needs you)");
        assert_eq!(contents.groups[1].sessions[0].1, "Task 0\\u{202e}");
        assert_eq!((contents.groups[1].sessions.len(), contents.groups[1].more), (SESSIONS, 3));
        assert_eq!(contents.known, [("/ — /".to_owned(), "/".to_owned())]);
    }

    #[test]
    fn an_entry_is_a_choice_by_its_id() {
        let id = SessionId::new();
        assert_eq!(Choice::of(&format!("stop:{id}")), Some(Choice::StopSession(id)));
        assert_eq!(Choice::of("workspace:/a:b"), Some(Choice::OpenWorkspace("/a:b".to_owned())));
        assert_eq!(Choice::of("counts"), None);
        assert_eq!(Choice::of("open:nobody"), None);
    }
}
