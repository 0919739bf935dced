//! What the threads of a run share: the home, its sessions, the commands that run now, and what was found.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use outrigger_tests::Home;
use serde_json::Value;
use shared_child::SharedChild;
use shared_child::unix::SharedChildExt;

use crate::agents::Agents;
use crate::census::{Census, Keeper, PodFile};
use crate::damage::Destroyed;
use crate::findings::{Fault, Findings, lock};
use crate::journals::Seen;
use crate::window::Window;

/// What one of our own commands is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Follows a session.
    Reader,
    /// Anything else: a prompt, a list, a start.
    Client,
}

/// One session, from its start to the end of the run.
#[derive(Debug)]
pub(crate) struct Session {
    /// Its place among the sessions, from 0.
    pub(crate) number: usize,
    pub(crate) id: String,
    pub(crate) folder: PathBuf,
    /// Whether it was live when somebody last looked.
    pub(crate) live: AtomicBool,
    pub(crate) seen: Mutex<Seen>,
    /// Records that an event made unreadable.
    pub(crate) destroyed: Mutex<Vec<Destroyed>>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) agents: Agents,
    pub(crate) sessions: Vec<Session>,
    pub(crate) findings: Findings,
    /// The app, when the run has one.
    pub(crate) window: Option<Window>,
    /// Held for reading around each prompt, for writing while everything is checked.
    pub(crate) calm: RwLock<()>,
    storm_over: AtomicBool,
    all_stopped: AtomicBool,
    looks: Mutex<u64>,
    looked: Condvar,
    running: Mutex<BTreeMap<u32, (Role, Arc<SharedChild>)>>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its exit code; `None` when it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    pub(crate) fn new(home: Home, agents: Agents, sessions: Vec<String>, findings: Findings) -> Self {
        let folder = |id: &str| home.path().join("data/sessions").join(id);
        let sessions = sessions
            .into_iter()
            .enumerate()
            .map(|(number, id)| Session {
                number,
                folder: folder(&id),
                id,
                live: AtomicBool::new(true),
                seen: Mutex::default(),
                destroyed: Mutex::default(),
            })
            .collect();
        Self {
            home,
            agents,
            sessions,
            findings,
            window: None,
            calm: RwLock::new(()),
            storm_over: AtomicBool::new(false),
            all_stopped: AtomicBool::new(false),
            looks: Mutex::new(0),
            looked: Condvar::new(),
            running: Mutex::default(),
        }
    }

    /// The folder that every process of the home carries in its environment.
    pub(crate) fn root(&self) -> PathBuf {
        self.home.path().parent().map(Path::to_owned).unwrap_or_default()
    }

    pub(crate) fn census(&self) -> Census {
        Census::take(&self.root())
    }

    /// The keepers that the sessions' folders name, with the number of their session.
    pub(crate) fn keepers(&self) -> Vec<(usize, Keeper)> {
        let of = |(index, session): (usize, &Session)| Some((index, Keeper::of(&session.folder)?));
        self.sessions.iter().enumerate().filter_map(of).collect()
    }

    /// The pods of the live keepers, with the number of their session.
    pub(crate) fn live_pods(&self) -> Vec<(usize, PodFile)> {
        let of = |(index, session): (usize, &Session)| Some((index, PodFile::of(&session.folder)?));
        self.sessions.iter().enumerate().filter_map(of).filter(|(_, pod)| pod.keeper.lives()).collect()
    }

    pub(crate) fn live_keepers(&self) -> Vec<(usize, Keeper)> {
        self.keepers().into_iter().filter(|(_, keeper)| keeper.lives()).collect()
    }

    /// Starts `outrigger ARGS` as one of the commands that events may hit. Its lines of stdout come to `line`, whole ones only.
    pub(crate) fn run(&self, role: Role, args: &[&str], line: impl FnMut(Vec<u8>)) -> Done {
        let mut command = self.home.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match SharedChild::spawn(&mut command) {
            Ok(child) => self.attend(role, &command, &Arc::new(child), line),
            Err(error) => {
                self.findings.add(Fault::Broken, format!("cannot start {command:?}: {error}"));
                Done { code: Some(-1), stdout: String::new(), stderr: error.to_string() }
            }
        }
    }

    fn attend(&self, role: Role, command: &Command, child: &Arc<SharedChild>, mut line: impl FnMut(Vec<u8>)) -> Done {
        lock(&self.running).insert(child.id(), (role, Arc::clone(child)));
        let stderr = child.take_stderr();
        let stderr = thread::spawn(move || {
            let mut text = Vec::new();
            // A pipe that breaks has ended; what came before is kept.
            let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        if let Some(stdout) = child.take_stdout() {
            let mut stdout = BufReader::with_capacity(256 * 1024, stdout);
            let mut bytes = Vec::new();
            while stdout.read_until(b'\n', &mut bytes).is_ok_and(|size| size > 0) {
                if bytes.last() == Some(&b'\n') {
                    line(std::mem::take(&mut bytes));
                }
                bytes.clear();
            }
        }
        let code = child.wait().ok().and_then(|status| status.code());
        lock(&self.running).remove(&child.id());
        let stderr = stderr.join().unwrap_or_default();
        if stderr.contains("panicked at") {
            self.findings.add(Fault::Broken, format!("{command:?} panicked: {stderr}"));
        }
        Done { code, stdout: String::new(), stderr }
    }

    /// Runs `outrigger ARGS` to its end and keeps what it printed.
    pub(crate) fn ask(&self, args: &[&str]) -> Done {
        let mut stdout = Vec::new();
        let mut done = self.run(Role::Client, args, |line| stdout.extend(line));
        done.stdout = String::from_utf8_lossy(&stdout).into_owned();
        done
    }

    /// The commands of a role that run now.
    pub(crate) fn running(&self, role: Role) -> Vec<Arc<SharedChild>> {
        lock(&self.running).values().filter(|(its, _)| *its == role).map(|(_, child)| Arc::clone(child)).collect()
    }

    /// Lets whoever was stopped go on.
    pub(crate) fn wake_readers(&self) {
        for child in self.running(Role::Reader) {
            // An error means that it ended in between.
            let _ = child.send_signal(rustix::process::Signal::CONT.as_raw());
        }
    }

    /// Somebody has looked at all sessions.
    pub(crate) fn tell_of_look(&self) {
        *lock(&self.looks) += 1;
        self.looked.notify_all();
    }

    /// Waits for the next look, or for the end of everything.
    pub(crate) fn wait_for_look(&self) {
        let looks = lock(&self.looks);
        let before = *looks;
        let unchanged = |now: &mut u64| *now == before && !self.all_stopped();
        drop(self.looked.wait_while(looks, unchanged).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits for the end of the storm, at most this long: the pause of a schedule. True when it goes on.
    pub(crate) fn pause(&self, at_most: Duration) -> bool {
        let looks = lock(&self.looks);
        let storm = |_: &mut u64| !self.storm_over.load(Ordering::SeqCst);
        drop(self.looked.wait_timeout_while(looks, at_most, storm).unwrap_or_else(PoisonError::into_inner));
        !self.storm_over.load(Ordering::SeqCst)
    }

    pub(crate) fn end_storm(&self) {
        self.storm_over.store(true, Ordering::SeqCst);
        self.tell_of_look();
    }

    pub(crate) fn all_stopped(&self) -> bool {
        self.all_stopped.load(Ordering::SeqCst)
    }

    pub(crate) fn tell_all_stopped(&self) {
        self.all_stopped.store(true, Ordering::SeqCst);
        self.tell_of_look();
    }
}

/// The JSON objects of some lines.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
