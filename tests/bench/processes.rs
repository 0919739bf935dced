//! Which processes does a home have, of which kind, and what do they hold? Looked at from outside, in `/proc`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::memory;

/// What a process is for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The desktop app itself.
    App,
    /// What draws its page.
    Page,
    /// Whatever else the web view starts.
    WebView,
    Keeper,
    /// A runner: JavaScript.
    Runner,
    /// The owner of the tool sidecars.
    Toolbox,
    Other,
}

impl Kind {
    pub(crate) const ALL: [Self; 7] =
        [Self::App, Self::Page, Self::WebView, Self::Keeper, Self::Runner, Self::Toolbox, Self::Other];

    /// For a picture or a table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::App => "the app",
            Self::Page => "its page",
            Self::WebView => "the rest of the web view",
            Self::Keeper => "a keeper",
            Self::Runner => "a runner",
            Self::Toolbox => "the toolbox",
            Self::Other => "others",
        }
    }

    /// Nothing for what belongs to the bench: the web driver, and commands of a moment.
    fn of(pid: u32, command: &str) -> Option<Self> {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = program.file_name()?.to_str()?.trim_end_matches(" (deleted)").to_owned();
        match name.as_str() {
            "outrigger-desktop" => Some(Self::App),
            "WebKitWebProcess" => Some(Self::Page),
            "WebKitWebDriver" | "Xvfb" | "dbus-daemon" => None,
            "outrigger-toolbox" => Some(Self::Toolbox),
            "node" => Some(Self::Runner),
            _ if name.starts_with("WebKit") => Some(Self::WebView),
            _ if name.starts_with("outrigger") => command.contains("keep").then_some(Self::Keeper),
            _ => Some(Self::Other),
        }
    }
}

/// All processes of a kind together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    pub(crate) processes: u64,
    /// Memory (PSS) in MiB.
    pub(crate) mib: f64,
    /// Of it what no file is behind: what other programs on the machine do changes nothing of it.
    pub(crate) own_mib: f64,
    /// Open file descriptors.
    pub(crate) files: u64,
    /// The most of one of them.
    pub(crate) most_files: u64,
    pub(crate) threads: u64,
}

impl Held {
    /// Of one of them.
    pub(crate) fn own_mib_each(&self) -> f64 {
        self.own_mib / (self.processes.max(1) as f64)
    }

    /// Of one of them, in the middle.
    pub(crate) fn mib_each(&self) -> f64 {
        self.mib / (self.processes.max(1) as f64)
    }

    /// The same.
    pub(crate) fn files_each(&self) -> f64 {
        self.files as f64 / (self.processes.max(1) as f64)
    }
}

/// What the processes of a home hold now.
pub(crate) fn held(home: &Path) -> BTreeMap<Kind, Held> {
    let mut all: BTreeMap<Kind, Held> = BTreeMap::new();
    for (kind, pid) in of(home) {
        let files = count(&format!("/proc/{pid}/fd"));
        let held = all.entry(kind).or_default();
        held.processes += 1;
        held.mib += memory::pss(pid);
        held.own_mib += memory::own(pid);
        held.files += files;
        held.most_files = held.most_files.max(files);
        held.threads += count(&format!("/proc/{pid}/task"));
    }
    all
}

/// The processes of a home.
pub(crate) fn of(home: &Path) -> Vec<(Kind, u32)> {
    let found = outrigger_tests::survivors(home).into_iter();
    found.filter_map(|process| Some((Kind::of(process.pid, &process.command)?, process.pid))).collect()
}

fn count(folder: &str) -> u64 {
    std::fs::read_dir(folder).map_or(0, |entries| entries.count() as u64)
}
