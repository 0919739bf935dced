#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "a test that fails may panic")]
//! A kernel without Landlock: nothing starts unless advised is good enough; then it is told, and the watcher sees what was written.
//!
//! The confined process really has no Landlock: its system calls are answered as an older kernel would.

mod stage;

use std::cell::RefCell;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use outrigger_confine::watch::{Owner, Seen, Watch, Watcher, watch};
use protocol::scope::{ConfinementLevel, FileChange, ForeignWrite, WriterProof};
use protocol::{PodId, SessionId};
use stage::{Stage, act, become_confined};

/// Runs this program's confined side; see [`stage`].
#[test]
fn confined_side() {
    become_confined();
}

/// The attacks themselves, in the confined process.
#[test]
fn attacker() {
    act();
}

#[test]
fn nothing_starts_that_is_not_held() {
    let stage = Stage::without_landlock(false);
    let before = stage.outside();
    assert_eq!(stage.attack("write", "outside"), 126);
    assert_eq!(stage.outside(), before);
    assert!(!stage.root().join("report.json").exists());
}

#[test]
fn advised_is_told() {
    let stage = Stage::without_landlock(true);
    assert_eq!(stage.attack("work", "inside"), 0);
    let report = stage.report();
    assert_eq!((report.level, report.by), (ConfinementLevel::Advised, None));
    assert!(report.why[0].contains("no Landlock"), "{:?}", report.why);
}

struct Seat {
    stage: Stage,
    pod: PodId,
    session: SessionId,
    other: SessionId,
    seen: Receiver<Seen>,
    /// What was told before that which was waited for.
    before: RefCell<Vec<Seen>>,
    _watcher: Watcher,
}

impl Seat {
    /// Our pod may write inside, another one in `outside/deep`, and nobody in the rest.
    fn new() -> Self {
        let stage = Stage::without_landlock(true);
        let (pod, session, other) = (PodId::new(), SessionId::new(), SessionId::new());
        let (inside, deep) = (stage.root().join("inside"), stage.root().join("outside/deep"));
        let owner = move |path: &Path| match (path.starts_with(&inside), path.starts_with(&deep)) {
            (true, _) => Owner::Ours(session),
            (false, true) => Owner::Other(other),
            (false, false) => Owner::Nobody,
        };
        let (sender, seen) = channel();
        let roots = ["inside", "outside"].map(|within| stage.root().join(within)).to_vec();
        let locked = stage.root().join("locked");
        std::fs::create_dir(&locked).unwrap();
        let what = Watch { roots, locked: vec![locked], pod };
        let watcher = watch(&what, owner, move |event| drop(sender.send(event))).unwrap();
        Self { stage, pod, session, other, seen, before: RefCell::default(), _watcher: watcher }
    }

    /// Attacks as a process that a shell of the pod starts.
    fn attack(&self, attack: &str, folder: &str) -> i32 {
        let target = self.stage.root().join(folder);
        let attacker = self.stage.command(attack, target.to_str().unwrap());
        let mut shell = Command::new("sh");
        shell.args(["-c", r#""$@"; exit $?"#, "sh"]).arg(attacker.get_program()).args(attacker.get_args());
        shell.envs(attacker.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env(process::MARK_VARIABLE, self.pod.to_string()).stdin(Stdio::null());
        shell.output().unwrap().status.code().unwrap()
    }

    /// What is told about this file.
    fn foreign(&self, path: &Path) -> ForeignWrite {
        loop {
            match self
                .seen
                .recv_timeout(Duration::from_secs(20))
                .unwrap_or_else(|_| panic!("nothing is told of {}, but {:?}", path.display(), self.before))
            {
                Seen::Foreign(write) if Path::new(&write.path) == path => return write,
                other @ (Seen::Foreign(_) | Seen::More(_)) => self.before.borrow_mut().push(other),
                Seen::Blind(why) => panic!("{why}"),
            }
        }
    }
}

#[test]
fn the_same_attacks_succeed_and_are_told() {
    let tells: [(&str, &str, FileChange); 7] = [
        ("write", "outside/file", FileChange::Written),
        ("create", "outside/new", FileChange::Created),
        ("shell", "outside/file", FileChange::Written),
        ("symlink", "outside/file", FileChange::Written),
        ("child", "outside/file", FileChange::Written),
        ("mkdir", "outside/folder", FileChange::Created),
        ("bind", "outside/bound", FileChange::Created),
    ];
    for (attack, path, change) in tells {
        let seat = Seat::new();
        assert_eq!(seat.attack(attack, "outside"), 0, "{attack}");
        let told = seat.foreign(&seat.stage.root().join(path));
        assert_eq!(told.change, change, "{attack}: {told:?}");
        assert_eq!(told.holder, None, "{attack}: {told:?}");
    }
}

/// A note names the name that was used, and that lies inside.
#[test]
fn a_file_outside_that_was_reached_by_a_hard_link_is_told() {
    let seat = Seat::new();
    assert_eq!(seat.attack("hardlink", "outside"), 0);
    let told = seat.foreign(&seat.stage.root().join("outside/file"));
    assert!([FileChange::Changed, FileChange::Written].contains(&told.change), "{told:?}");
}

#[test]
fn a_file_with_two_names_inside_is_nobody_elses() {
    let seat = Seat::new();
    let names = ["inside/one", "inside/two", "outside/last"].map(|name| seat.stage.root().join(name));
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"echo x > "$0" && ln "$0" "$1" && echo x >> "$1" && echo x > "$2""#]).args(&names);
    assert!(shell.env(process::MARK_VARIABLE, seat.pod.to_string()).status().unwrap().success());
    seat.foreign(&names[2]);
    let before: Vec<Seen> = seat.before.borrow_mut().drain(..).collect();
    let of_ours = |seen: &&Seen| matches!(seen, Seen::Foreign(write) if write.path.contains("inside"));
    assert_eq!(before.iter().find(of_ours), None);
}

#[test]
fn who_has_the_file_open_is_proved() {
    let seat = Seat::new();
    let target = seat.stage.root().join("outside/deep");
    let mut command = seat.stage.command("pause-after-write", target.to_str().unwrap());
    command.env(process::MARK_VARIABLE, seat.pod.to_string()).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut writer = command.spawn().unwrap();
    let told = seat.foreign(&target.join("file"));
    let by = told.by.expect("the file is open");
    assert_eq!((told.holder, told.change), (Some(seat.other), FileChange::Written));
    assert_eq!((by.pid, by.pod, by.proof), (writer.id(), Some(seat.pod), WriterProof::OpenFile));
    assert!(by.command.contains("attacker"), "{}", by.command);
    drop(writer.stdin.take());
    assert!(writer.wait().unwrap().success());
}

#[test]
fn a_short_write_is_proved_where_the_kernel_tells() {
    if !is_root() {
        eprintln!("NOT TESTED: only root is told by the kernel who wrote");
        return;
    }
    let seat = Seat::new();
    assert_eq!(seat.attack("write", "outside/deep"), 0);
    let told = seat.foreign(&seat.stage.root().join("outside/deep/file"));
    let by = told.by.expect("the kernel tells");
    assert_eq!(by.pod, Some(seat.pod), "{by:?}");
}

#[test]
fn a_stranger_in_our_scope_is_told_and_our_own_work_is_not() {
    let seat = Seat::new();
    assert_eq!(seat.attack("work", "inside"), 0);
    let ours = seat.stage.root().join("inside/file");
    let mut stranger = Command::new("sh");
    stranger.args(["-c", r#"exec >>"$0"; echo x; exec sleep 600"#]).arg(&ours).env_remove(process::MARK_VARIABLE);
    let stranger = Ended(stranger.spawn().unwrap());
    let write = seat.foreign(&ours);
    assert_eq!(write.holder, Some(seat.session));
    assert_eq!(write.by.map(|by| (by.pid, by.pod)), Some((stranger.0.id(), None)));
    let others: Vec<Seen> = seat.before.borrow_mut().drain(..).collect();
    assert_eq!(others, Vec::new(), "our own work is not foreign");
}

struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// As root the kernel's witness listens to the whole file system, this process's own files among it; without it there is nothing
/// that could go wrong.
#[test]
fn what_this_process_has_locked_stays_locked() {
    use std::os::unix::fs::MetadataExt;

    let seat = Seat::new();
    let ours = seat.stage.root().join("locked/base");
    let file = std::fs::File::create(&ours).unwrap();
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let other = seat.stage.root().join("outside/file");
    let write = |path: &Path| {
        let mut shell = Command::new("sh");
        shell.args(["-c", r#"echo more >> "$1""#, "sh"]).arg(path).env(process::MARK_VARIABLE, seat.pod.to_string());
        assert!(shell.status().unwrap().success());
    };
    write(&ours);
    write(&other);
    // What came before this has been read by then.
    seat.foreign(&other);
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let is_held = |line: &str| {
        let mut words = line.split_whitespace();
        words.any(|word| word == std::process::id().to_string())
            && words.any(|word| word.ends_with(&format!(":{}", file.metadata().unwrap().ino())))
    };
    assert!(locks.lines().any(is_held), "{locks}");
}
