//! The stage of the attacks: a folder inside a scope and one outside, and a process that is confined to the first.
//!
//! One program plays all parts, told by its environment: it becomes confined, and then tries one attack. Its exit code is the
//! number of the error, 0 when the attack worked.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use outrigger_confine::{ReadAccess, Spec, launch};
use protocol::scope::{Confinement, HeldRule, ScopePermission, ScopeReach};

const SPEC: &str = "CONFINE_TEST_SPEC";
const ATTACK: &str = "CONFINE_TEST_ATTACK";
const TARGET: &str = "CONFINE_TEST_TARGET";
const OUTSIDER: &str = "CONFINE_TEST_OUTSIDER";
const BLIND: &str = "CONFINE_TEST_WITHOUT_LANDLOCK";

pub(crate) struct Stage {
    folder: tempfile::TempDir,
    spec: PathBuf,
    outsider: Child,
    _listeners: [UnixListener; 3],
    blind: bool,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.outsider.kill().unwrap();
        self.outsider.wait().unwrap();
    }
}

#[allow(dead_code, reason = "each test program uses a part of it")]
impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(|spec| spec)
    }

    /// A parent whose child holds this folder.
    pub(crate) fn with_child_in(folder: &'static str) -> Self {
        Self::with(move |spec| {
            let root = Path::new(&spec.rules[0].path).parent().unwrap();
            Spec { taken: vec![tree(&root.join(folder))], ..spec }
        })
    }

    /// On a kernel without Landlock, as the confined process sees it.
    pub(crate) fn without_landlock(advise: bool) -> Self {
        let mut stage = Self::with(|spec| Spec { advise, ..spec });
        stage.blind = true;
        stage
    }

    pub(crate) fn with(change: impl FnOnce(Spec) -> Spec) -> Self {
        let folder = tempfile::Builder::new().prefix("or-confine-").tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for within in ["inside/deep", "inside/child", "outside/deep"] {
            fs::create_dir_all(root.join(within)).unwrap();
        }
        for within in ["inside", "inside/deep", "inside/child", "outside", "outside/deep"] {
            fs::write(root.join(within).join("file"), "as it was").unwrap();
        }
        let program = std::env::current_exe().unwrap();
        let spec = change(Spec {
            rules: vec![tree(&root.join("inside"))],
            read: ReadAccess::Toolchain { paths: vec![program.parent().unwrap().to_owned()] },
            temp: Some(root.join("temp")),
            report: Some(root.join("report.json")),
            ..Spec::default()
        });
        let path = root.join("spec.json");
        fs::write(&path, serde_json::to_vec(&spec).unwrap()).unwrap();
        let socket = |within: &str| UnixListener::bind(root.join(within).join("socket")).unwrap();
        let hidden = UnixListener::bind_addr(&abstract_address(&root)).unwrap();
        Self {
            outsider: outsider(&root),
            _listeners: [socket("inside"), socket("outside"), hidden],
            folder,
            spec: path,
            blind: false,
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// All that is outside the scope, with its content.
    pub(crate) fn outside(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        let mut next = vec![self.root().join("outside")];
        while let Some(folder) = next.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    next.push(entry.path());
                }
                let is_file = entry.file_type().unwrap().is_file();
                let text = if is_file { fs::read_to_string(entry.path()).unwrap() } else { String::new() };
                found.push((entry.path(), text));
            }
        }
        found.sort();
        found
    }

    pub(crate) fn report(&self) -> Confinement {
        serde_json::from_slice(&fs::read(self.root().join("report.json")).unwrap()).unwrap()
    }

    /// A device in the scope that is nobody's terminal, if we may make one.
    pub(crate) fn device(&self) -> Option<PathBuf> {
        use nix::sys::stat::{Mode, SFlag, makedev, mknod};
        let path = self.root().join("inside/device");
        mknod(&path, SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), makedev(1, 3)).ok()?;
        // Some file systems carry devices that nobody can open.
        File::open(&path).ok().map(|_| path)
    }

    /// Tries an attack on what is in a folder of the stage. The number of the error, 0 when it worked.
    pub(crate) fn attack(&self, attack: &str, folder: &str) -> i32 {
        self.attack_at(attack, &self.root().join(folder))
    }

    pub(crate) fn attack_at(&self, attack: &str, target: &Path) -> i32 {
        self.attack_with(attack, target.to_str().unwrap())
    }

    pub(crate) fn attack_with(&self, attack: &str, target: &str) -> i32 {
        let mut command = self.command(attack, target);
        let output = command.output().unwrap();
        output.status.code().unwrap_or_else(|| panic!("{attack}: {output:?}"))
    }

    pub(crate) fn command(&self, attack: &str, target: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "confined_side", "--nocapture", "--test-threads=1"]);
        self.told(&mut command, attack, target);
        command
    }

    /// The same with a file outside that is open already, with number 9.
    pub(crate) fn attack_with_open_file(&self, attack: &str) -> i32 {
        let mut shell = Command::new("sh");
        let line = r#"exec 9>>"$0"; exec "$1" --exact confined_side --nocapture --test-threads=1"#;
        shell.args(["-c", line]).arg(self.root().join("outside/file")).arg(std::env::current_exe().unwrap());
        self.told(&mut shell, attack, "");
        shell.output().unwrap().status.code().unwrap()
    }

    fn told(&self, command: &mut Command, attack: &str, target: &str) {
        command.env(SPEC, &self.spec).env(ATTACK, attack).env(TARGET, target);
        command.env(OUTSIDER, self.outsider.id().to_string()).stdin(Stdio::null());
        if self.blind {
            command.env(BLIND, "1");
        }
    }
}

fn tree(path: &Path) -> HeldRule {
    let path = path.to_str().unwrap().to_owned();
    HeldRule { permission: ScopePermission::Write, path, reach: ScopeReach::Tree }
}

fn abstract_address(root: &Path) -> SocketAddr {
    SocketAddr::from_abstract_name(format!("{}/abstract", root.display())).unwrap()
}

/// A process outside: its root, its working folder, and a file that it has open as number 9.
fn outsider(root: &Path) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"exec 9>>"$0"; echo ready; exec sleep 600"#]).arg(root.join("outside/held"));
    let mut outsider = shell.current_dir(root).stdout(Stdio::piped()).spawn().unwrap();
    let mut ready = [0; 6];
    outsider.stdout.take().unwrap().read_exact(&mut ready).unwrap();
    outsider
}

/// In the second process: becomes the third, confined.
pub(crate) fn become_confined() {
    let Some(spec) = std::env::var_os(SPEC) else { return };
    if std::env::var_os(BLIND).is_some() {
        take_landlock_away();
    }
    let spec: Spec = serde_json::from_slice(&fs::read(spec).unwrap()).unwrap();
    let program = std::env::current_exe().unwrap().into_os_string();
    let attacker = ["--exact", "attacker", "--nocapture", "--test-threads=1"].map(Into::into);
    let command: Vec<_> = [program].into_iter().chain(attacker).collect();
    let error = launch(&spec, &command, |confinement| eprintln!("{confinement:?}"));
    eprintln!("{error}");
    std::process::exit(error.exit_code().into());
}

/// The system calls of Landlock are answered as by a kernel that does not have them.
fn take_landlock_away() {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
    const ENOSYS: u32 = 38;
    let calls = [444, 445, 446].map(|call| (call, Vec::new())).into_iter().collect();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, SeccompAction::Errno(ENOSYS), arch).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    apply_filter(&filter).unwrap();
}

/// In the third process: the attack, and its error as exit code.
pub(crate) fn act() {
    let Ok(attack) = std::env::var(ATTACK) else { return };
    let target = PathBuf::from(std::env::var_os(TARGET).unwrap());
    let code = match attempt(&attack, &target) {
        Ok(code) => code,
        Err(error) => error.raw_os_error().unwrap_or(99),
    };
    std::process::exit(code);
}

/// The folder of the scope, for what has to begin inside.
fn inside() -> PathBuf {
    let spec: PathBuf = std::env::var_os(SPEC).unwrap().into();
    spec.with_file_name("inside")
}

fn outsider_pid() -> u32 {
    std::env::var(OUTSIDER).unwrap().parse().unwrap()
}

fn attempt(attack: &str, target: &Path) -> std::io::Result<i32> {
    let file = target.join("file");
    let done = |result: std::io::Result<()>| result.map(|()| 0);
    match attack {
        "write" => done(fs::OpenOptions::new().append(true).open(&file)?.write_all(b"x")),
        "create" => done(File::create_new(target.join("new")).map(drop)),
        "read" => fs::read(&file).map(|_| 0),
        "remove" => done(fs::remove_file(target.join("deep/file"))),
        "mkdir" => done(fs::create_dir(target.join("folder"))),
        "mkfifo" => {
            nix::unistd::mkfifo(&target.join("pipe"), nix::sys::stat::Mode::S_IRWXU).map(|()| 0).map_err(Into::into)
        }
        "truncate" => nix::unistd::truncate(&file, 1).map(|()| 0).map_err(Into::into),
        "bind" => UnixListener::bind(target.join("bound")).map(|_| 0),
        "connect" => UnixStream::connect(target.join("socket")).map(|_| 0),
        "tcp" | "listen" => tcp(attack, target),
        "symlink" | "hardlink" | "rename-in" | "rename-out" => by_name(attack, target, &file),
        "shell" | "child" | "mount" => by_program(attack, target, &file),
        "proc-root" | "proc-cwd" | "proc-fd" | "proc-mem" => by_proc(attack, &file),
        "inherited" => done(fs::OpenOptions::new().append(true).open("/proc/self/fd/9").map(drop)).or_else(closed),
        "ioctl" => rustix::termios::tcgetattr(File::options().read(true).write(true).open(target)?)
            .map(|_| 0)
            .map_err(Into::into),
        "mknod" => device(target),
        "signal" => signal(target),
        "abstract" => by_abstract_socket(target),
        "no-new-privileges" => {
            let status = fs::read_to_string("/proc/self/status")?;
            Ok(i32::from(!status.lines().any(|line| line == "NoNewPrivs:\t1")))
        }
        "work" => work(target),
        "pause-after-write" => pause_after_write(&file),
        other => panic!("no such attack: {other}"),
    }
}

/// A number that is not there is a closed file.
fn closed(error: std::io::Error) -> std::io::Result<i32> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(9) } else { Err(error) }
}

fn tcp(attack: &str, target: &Path) -> std::io::Result<i32> {
    let port: u16 = target.to_str().unwrap().parse().unwrap();
    match attack {
        "tcp" => TcpStream::connect(("127.0.0.1", port)).map(|_| 0),
        _ => TcpListener::bind(("127.0.0.1", port)).map(|_| 0),
    }
}

fn by_name(attack: &str, target: &Path, file: &Path) -> std::io::Result<i32> {
    let mine = inside().join(format!("mine-{}", target.file_name().unwrap().display()));
    match attack {
        "symlink" => {
            std::os::unix::fs::symlink(file, &mine)?;
            fs::OpenOptions::new().append(true).open(&mine)?.write_all(b"x")?;
        }
        "hardlink" => {
            fs::hard_link(file, &mine)?;
            fs::OpenOptions::new().append(true).open(&mine)?.write_all(b"x")?;
        }
        "rename-in" => fs::rename(target.join("deep/file"), &mine)?,
        _ => {
            fs::write(&mine, "mine")?;
            fs::rename(&mine, file)?;
        }
    }
    Ok(0)
}

fn by_program(attack: &str, target: &Path, file: &Path) -> std::io::Result<i32> {
    let mut command = match attack {
        "shell" => Command::new("sh"),
        "child" => Command::new("setsid"),
        _ => {
            let mut mount = Command::new("mount");
            mount.arg("--bind").arg(inside()).arg(target);
            return Ok(mount.stderr(Stdio::null()).status()?.code().unwrap_or(1));
        }
    };
    if attack == "child" {
        command.args(["--wait", "sh"]);
    }
    command.arg("-c").arg(r#"echo x >>"$0""#).arg(file).stderr(Stdio::null()).process_group(0);
    Ok(command.status()?.code().unwrap_or(1))
}

fn by_proc(attack: &str, file: &Path) -> std::io::Result<i32> {
    let of = PathBuf::from(format!("/proc/{}", outsider_pid()));
    let path = match attack {
        "proc-root" => of.join("root").join(file.strip_prefix("/").unwrap()),
        "proc-cwd" => of.join("cwd/outside/file"),
        "proc-fd" => of.join("fd/9"),
        _ => of.join("mem"),
    };
    fs::OpenOptions::new().append(true).open(path)?.write_all(b"x")?;
    Ok(0)
}

fn device(target: &Path) -> std::io::Result<i32> {
    use nix::sys::stat::{Mode, SFlag, makedev, mknod};
    mknod(&target.join("null"), SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 3)).map(|()| 0).map_err(Into::into)
}

fn signal(target: &Path) -> std::io::Result<i32> {
    let mut own = Command::new("sleep").arg("600").spawn()?;
    let pid = if target.ends_with("inside") { own.id() } else { outsider_pid() };
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let sent = rustix::process::kill_process(pid, rustix::process::Signal::CONT);
    own.kill()?;
    own.wait()?;
    sent.map(|()| 0).map_err(Into::into)
}

fn by_abstract_socket(target: &Path) -> std::io::Result<i32> {
    if target.ends_with("inside") {
        let address = SocketAddr::from_abstract_name(format!("{}/own", target.display()))?;
        let _listener = UnixListener::bind_addr(&address)?;
        return UnixStream::connect_addr(&address).map(|_| 0);
    }
    UnixStream::connect_addr(&abstract_address(target.parent().unwrap())).map(|_| 0)
}

/// What an agent does all day: edits by rename, moves between folders, temporary files, devices, programs, threads, local sockets.
fn work(target: &Path) -> std::io::Result<i32> {
    fs::write(target.join("file.new"), "edited")?;
    fs::rename(target.join("file.new"), target.join("file"))?;
    fs::create_dir_all(target.join("one/two"))?;
    fs::rename(target.join("file"), target.join("one/two/file"))?;
    fs::hard_link(target.join("one/two/file"), target.join("file"))?;
    fs::remove_dir_all(target.join("one"))?;
    fs::write(std::env::temp_dir().join("temporary"), "")?;
    if !std::env::temp_dir().ends_with("temp") {
        return Ok(98);
    }
    fs::write("/dev/null", "nothing")?;
    std::thread::spawn(|| ()).join().unwrap();
    let listener = UnixListener::bind(target.join("own"))?;
    UnixStream::connect(target.join("own"))?;
    drop(listener);
    let git =
        r#"cd "$0" && git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && cat file"#;
    let output = Command::new("sh").args(["-c", git]).arg(target).output()?;
    if !output.status.success() || output.stdout != b"edited" {
        eprintln!("{output:?}");
        return Ok(97);
    }
    Ok(0)
}

/// Writes, and keeps the file open until stdin ends.
fn pause_after_write(file: &Path) -> std::io::Result<i32> {
    let mut file = fs::OpenOptions::new().append(true).open(file)?;
    file.write_all(b"x")?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(0)
}
