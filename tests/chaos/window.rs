//! The real app on a display of its own, on the workspace of some sessions: it is up all the time, whatever is killed.
//!
//! Its process is started again whenever it was killed, and nothing of the killed one may stay. Its page's process is the app's own
//! to bring back. What its page shows is what the tests of the window look at; here it only has to be there. At the end it is
//! told to end, and the agents have to stay as they are.

use std::fs::{self, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use outrigger_tests::{Display, Home, program};
use rustix::process::Signal;

use crate::census::{Census, Process, signal};
use crate::events::is_runner;
use crate::findings::{Fault, lock};
use crate::world::World;

/// Between two looks at the app.
const LOOK: Duration = Duration::from_millis(250);
/// From a start to the process of the page, in a debug build on a busy machine.
const OPENS: Duration = Duration::from_secs(30);
/// From the end of a page's process to the next one.
const COMES_BACK: Duration = Duration::from_secs(15);
/// What a killed app leaves ends by itself within this time.
const ALL_GONE: Duration = Duration::from_secs(10);
/// From SIGTERM to the end of the app.
const ENDS: Duration = Duration::from_secs(20);

/// See the module.
#[derive(Debug)]
pub(crate) struct Window {
    display: Display,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    app: App,
    /// What was below an app that has ended, with the moment of its end.
    leaving: Vec<(Instant, Process)>,
}

#[derive(Debug)]
enum App {
    /// The next look starts one.
    Down,
    Running(Running),
    /// The run is over.
    Closed,
}

#[derive(Debug)]
struct Running {
    child: Child,
    page: Page,
    /// Whether it was us who ended it.
    killed: bool,
    below: Vec<Process>,
}

#[derive(Debug)]
enum Page {
    /// The app was started then, and has to open it.
    Opening(Instant),
    Shown,
    /// This process of it was killed then.
    Lost(Instant, Process),
}

impl Window {
    /// Sets up its display. The app comes with [`Window::attend`].
    pub(crate) fn new() -> Self {
        Self { display: Display::start(), state: Mutex::new(State { app: App::Down, leaving: Vec::new() }) }
    }

    /// Keeps the app up until it is closed.
    pub(crate) fn attend(&self, world: &World) {
        while self.look(world) {
            // The pause between two looks.
            thread::park_timeout(LOOK);
        }
    }

    /// Kills the app's process, which is started again at the next look.
    pub(crate) fn kill_app(&self, world: &World) -> Option<String> {
        let mut state = lock(&self.state);
        let app = state.app.running()?;
        app.meet_end(&world.census());
        app.child.kill().ok()?;
        Some(format!("{} and {} below it to go", app.child.id(), app.below.len()))
    }

    /// Kills the process of its page, if it shows one.
    pub(crate) fn kill_page(&self, world: &World) -> Option<String> {
        let mut state = lock(&self.state);
        let app = state.app.running()?;
        if !matches!(app.page, Page::Shown) {
            return None;
        }
        let page = world.census().below(app.child.id()).into_iter().find(|process| is_page(process)).cloned()?;
        let killed = signal(page.pid, page.started, Signal::KILL);
        killed.then(|| {
            let told = format!("{} of {}", page.pid, app.child.id());
            app.page = Page::Lost(Instant::now(), page);
            told
        })
    }

    /// Does something that kills the app along with others; it is not started again before that is over.
    pub(crate) fn is_killed_by<T>(&self, world: &World, kill: impl FnOnce() -> T) -> T {
        let mut state = lock(&self.state);
        if let Some(app) = state.app.running() {
            app.meet_end(&world.census());
        }
        kill()
    }

    /// Tells the app to end. Nothing of it may stay, and every agent has to.
    pub(crate) fn close(&self, world: &World) {
        let until = Instant::now() + OPENS;
        while !self.shows_a_page() && Instant::now() < until {
            thread::park_timeout(LOOK);
        }
        let before = agents(world);
        let app = std::mem::replace(&mut lock(&self.state).app, App::Closed);
        match app {
            App::Running(app) => self.end(world, app),
            App::Down | App::Closed => world.findings.add(Fault::Broken, "no window was there after the storm"),
        }
        self.wait_for_leaving(world);
        let census = world.census();
        for agent in before.iter().filter(|agent| census.get(agent.pid).is_none_or(|now| now.started != agent.started))
        {
            let Process { pid, command, .. } = agent;
            world.findings.add(Fault::Broken, format!("process {pid} of an agent ended with the window: {command}"));
        }
        world.findings.count("processes of agents that outlived the window", before.len() as u64);
    }

    fn shows_a_page(&self) -> bool {
        lock(&self.state).app.running().is_some_and(|app| matches!(app.page, Page::Shown))
    }

    fn end(&self, world: &World, mut app: Running) {
        app.meet_end(&world.census());
        // As at the end of a desktop's session.
        if let Some(process) = world.census().get(app.child.id()) {
            signal(process.pid, process.started, Signal::TERM);
        }
        let until = Instant::now() + ENDS;
        let status = loop {
            match app.child.try_wait() {
                Ok(None) if Instant::now() < until => thread::park_timeout(LOOK),
                ended => break ended.ok().flatten(),
            }
        };
        match status {
            Some(status) if status.success() || status.signal() == Some(Signal::TERM.as_raw()) => {
                world.findings.count("windows that ended when they were told to", 1);
            }
            Some(status) => {
                world.findings.add(Fault::Broken, format!("the app was told to end, and did with {status}"))
            }
            None => {
                world.findings.add(Fault::LeftOver, "the app was told to end and goes on");
                let _ = app.child.kill();
                let _ = app.child.wait();
            }
        }
        lock(&self.state).leaving.extend(app.leaves());
    }

    fn wait_for_leaving(&self, world: &World) {
        loop {
            let mut state = lock(&self.state);
            state.look_at_leaving(world, &world.census());
            if state.leaving.is_empty() {
                return;
            }
            drop(state);
            thread::park_timeout(LOOK);
        }
    }

    /// Brings the app up and the books up to date. False when it is closed.
    fn look(&self, world: &World) -> bool {
        let mut state = lock(&self.state);
        let census = world.census();
        state.look_at_leaving(world, &census);
        state.app = match std::mem::replace(&mut state.app, App::Down) {
            App::Closed => {
                state.app = App::Closed;
                return false;
            }
            App::Down => self.start(world),
            App::Running(mut app) => match app.child.try_wait() {
                Ok(Some(status)) => {
                    app.judge_end(world, status);
                    state.leaving.extend(app.leaves());
                    self.start(world)
                }
                Ok(None) | Err(_) => {
                    app.look_at_page(world, &census);
                    App::Running(app)
                }
            },
        };
        true
    }

    fn start(&self, world: &World) -> App {
        let mut command = Command::new(program("outrigger-desktop"));
        self.display.furnish(&mut command, &world.home);
        command.arg(workspace(&world.home)).stdin(Stdio::null()).stdout(Stdio::null());
        // Kept with the home, for whoever wonders at a finding.
        let said = OpenOptions::new().create(true).append(true).open(world.root().join("window-stderr.txt"));
        match said.and_then(|file| command.stderr(file).spawn()) {
            Ok(child) => {
                world.findings.write(&format!("the window is started: {}", child.id()));
                App::Running(Running { child, page: Page::Opening(Instant::now()), killed: false, below: Vec::new() })
            }
            Err(error) => {
                world.findings.add(Fault::Broken, format!("cannot start {command:?}: {error}"));
                App::Closed
            }
        }
    }
}

impl State {
    /// Drops those who have gone, and tells of those who should have.
    fn look_at_leaving(&mut self, world: &World, census: &Census) {
        let gone = |process: &Process| census.get(process.pid).is_none_or(|now| now.started != process.started);
        self.leaving.retain(|(since, process)| {
            if gone(process) {
                world.findings.count("processes of ended windows that went", 1);
                return false;
            }
            let late = since.elapsed() > ALL_GONE;
            if late {
                let Process { pid, command, .. } = process;
                world.findings.add(Fault::LeftOver, format!("process {pid} outlived its window's app: {command}"));
                // So that it is found once.
                signal(*pid, process.started, Signal::KILL);
            }
            !late
        });
    }
}

impl App {
    /// The one that runs and was not killed.
    fn running(&mut self) -> Option<&mut Running> {
        match self {
            Self::Running(app) if !app.killed => Some(app),
            Self::Running(_) | Self::Down | Self::Closed => None,
        }
    }
}

impl Running {
    /// It ends now, by us: who is below it is written down.
    fn meet_end(&mut self, census: &Census) {
        self.killed = true;
        self.below = census.below(self.child.id()).into_iter().cloned().collect();
    }

    fn leaves(&mut self) -> impl Iterator<Item = (Instant, Process)> + use<> {
        let now = Instant::now();
        std::mem::take(&mut self.below).into_iter().map(move |process| (now, process))
    }

    fn judge_end(&self, world: &World, status: ExitStatus) {
        if self.killed {
            return;
        }
        if status.success() && matches!(self.page, Page::Opening(_)) {
            // The bus had not noticed yet that the last one was gone.
            world.findings.count("windows that took the killed one for a live one", 1);
        } else {
            world.findings.add(Fault::Broken, format!("the app ended by itself, in {:?}: {status}", self.page));
        }
    }

    fn look_at_page(&mut self, world: &World, census: &Census) {
        self.below = census.below(self.child.id()).into_iter().cloned().collect();
        let (since, limit, lost) = match &self.page {
            Page::Shown => return,
            Page::Opening(since) => (*since, OPENS, None),
            Page::Lost(since, page) => (*since, COMES_BACK, Some(page)),
        };
        if self.below.iter().any(|process| is_page(process) && lost != Some(process)) {
            world.findings.count(if lost.is_some() { "pages that came back" } else { "windows that opened" }, 1);
            self.page = Page::Shown;
        } else if since.elapsed() > limit {
            let what = format!("the app {} has no page after {} s: {:?}", self.child.id(), limit.as_secs(), self.page);
            world.findings.add(Fault::Broken, what);
            // So that it is found once; the next look starts another one.
            self.meet_end(census);
            let _ = self.child.kill();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The first of the sessions' workspaces.
fn workspace(home: &Home) -> std::path::PathBuf {
    home.workspace().with_file_name("workspace-0")
}

/// The keepers and runners of all live sessions.
fn agents(world: &World) -> Vec<Process> {
    let census = world.census();
    let of = |pid: u32| census.get(pid).into_iter().chain(census.below(pid).into_iter().filter(|one| is_runner(one)));
    world.live_keepers().into_iter().flat_map(|(_, keeper)| of(keeper.pid).cloned().collect::<Vec<_>>()).collect()
}

/// A page's process that has met its app: the thread is there that takes what the app sends. WebKit itself ends an app whose page dies
/// before that ("readPIDFromPeer: Unexpected short read"), and nothing in the app can help it.
fn is_page(process: &Process) -> bool {
    let threads = || fs::read_dir(format!("/proc/{}/task", process.pid)).into_iter().flatten().flatten();
    let takes = |thread: &fs::DirEntry| {
        fs::read(thread.path().join("comm")).is_ok_and(|name| name.trim_ascii() == b"ReceiveQueue")
    };
    process.command.contains("WebKitWebProcess") && threads().any(|thread| takes(&thread))
}
