//! The environment of agents is the login shell's, whatever the user's start-up files do.
#![cfg(unix)]

mod machine;

use std::path::Path;
use std::time::{Duration, Instant};

use machine::{Machine, variable};
use outrigger_discovery::{EnvSource, Refresh};

fn reason(source: &EnvSource) -> &str {
    match source {
        EnvSource::OwnProcess { reason } => reason,
        EnvSource::LoginShell { .. } => panic!("the shell answered: {source:?}"),
    }
}

fn age(source: &EnvSource) -> Option<Duration> {
    match source {
        EnvSource::LoginShell { age, .. } => *age,
        EnvSource::OwnProcess { reason } => panic!("the shell gave nothing: {reason}"),
    }
}

/// A kill is done when the process is gone, or a zombie that init has not taken yet.
fn wait_until_gone(pid: &str) {
    let stat = Path::new("/proc").join(pid).join("stat");
    let began = Instant::now();
    loop {
        match std::fs::read_to_string(&stat) {
            Ok(text) if !text.contains(") Z ") => {
                assert!(began.elapsed() < Duration::from_secs(10), "it lives on: {text}")
            }
            Ok(_) | Err(_) => return,
        }
        std::thread::yield_now();
    }
}

#[test]
fn path_that_only_bashrc_sets_is_seen_first_and_our_own_behind_it() {
    let machine = Machine::new();
    machine.write(".bashrc", "case $- in *i*) ;; *) return;; esac\nexport PATH=\"$HOME/tools:$PATH\"\n");
    let mut request = machine.request();
    request.own.insert("PATH".to_owned(), "/usr/bin:/bin:/only/ours".to_owned());
    let env = request.take();
    assert_eq!(env.path[0].folder, machine.home().join("tools"));
    assert!(env.path[0].from_login_shell);
    // Debian's /etc/profile sets PATH anew, so the app's own entry comes from the app.
    assert!(env.path.iter().any(|entry| entry.folder == Path::new("/only/ours")));
    assert!(env.vars["PATH"].starts_with(&machine.home().join("tools").display().to_string()), "{}", env.vars["PATH"]);
}

#[test]
fn a_profile_that_reads_bashrc_itself_does_not_make_it_read_twice() {
    let machine = Machine::new();
    machine.write(".profile", ". ~/.bashrc\n");
    machine.write(".bashrc", "export TIMES=\"x$TIMES\"\n");
    assert_eq!(variable(&machine.request().take().vars, "TIMES"), Some("x"));
}

#[test]
fn values_with_newlines_and_functions_survive() {
    let machine = Machine::new();
    machine.write(
        ".bashrc",
        "export POEM=$'one\\ntwo = 2\\n\\nthree'\nrow() {\n  echo \"a b\"\n}\nexport -f row\nexport EMPTY=\nexport BAD=$'\\xff'\n",
    );
    let env = machine.request().take();
    assert_eq!(variable(&env.vars, "POEM"), Some("one\ntwo = 2\n\nthree"));
    assert_eq!(variable(&env.vars, "EMPTY"), Some(""));
    assert!(env.vars["BASH_FUNC_row%%"].contains("\n"), "{:?}", env.vars);
    assert_eq!(env.unreadable, ["BAD"]);
    assert_eq!(variable(&env.vars, "BAD"), None);
}

#[test]
fn greetings_on_both_sides_of_the_answer_do_not_get_into_it() {
    let machine = Machine::new();
    machine.write(
        ".bashrc",
        "echo 'Welcome aboard! A=1'\nprintf 'no newline'\nexport REAL=yes\ntrap 'echo Goodbye B=2' EXIT\n",
    );
    let env = machine.request().take();
    assert_eq!(variable(&env.vars, "REAL"), Some("yes"));
    assert!(env.vars.iter().all(|(name, value)| !name.contains("Welcome") && !value.contains("Goodbye")));
}

#[test]
fn nothing_of_the_asking_shell_itself_is_left() {
    let machine = Machine::new();
    let mut request = machine.request();
    request.own.insert("TERM".to_owned(), "xterm-256color".to_owned());
    let env = request.take();
    age(&env.source);
    for name in
        ["OUTRIGGER_RESOLVING_ENVIRONMENT", "OUTRIGGER_WORKSPACE", "SHLVL", "_", "PWD", "OLDPWD", "DISABLE_AUTO_UPDATE"]
    {
        assert_eq!(variable(&env.vars, name), None, "{name}");
    }
    assert_eq!(variable(&env.vars, "TERM"), Some("xterm-256color"));
}

#[test]
fn a_shell_that_hangs_is_ended_with_its_children_and_our_own_environment_is_used() {
    let machine = Machine::new();
    let pid_file = machine.home().join("pid");
    machine.write(".bashrc", &format!("sleep 1000 &\necho $! > '{}'\nwait\n", pid_file.display()));
    let mut request = machine.request();
    request.limit = Duration::from_secs(2);
    request.own.insert("MINE".to_owned(), "kept".to_owned());
    let began = Instant::now();
    let env = request.take();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(reason(&env.source).contains("did not print its environment within 2000 ms"), "{}", reason(&env.source));
    assert_eq!(variable(&env.vars, "MINE"), Some("kept"));
    assert!(env.path.iter().all(|entry| !entry.from_login_shell));
    let pid = std::fs::read_to_string(pid_file).unwrap();
    wait_until_gone(pid.trim());
}

#[test]
fn a_leftover_that_holds_the_pipe_open_is_not_waited_for() {
    let machine = Machine::new();
    machine.write(".bashrc", "setsid sleep 20 &\nexport REAL=yes\n");
    let began = Instant::now();
    let env = machine.request().take();
    assert_eq!(variable(&env.vars, "REAL"), Some("yes"));
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_shell_whose_files_end_it_gives_our_own_environment_and_says_why() {
    let machine = Machine::new();
    machine.write(".bash_profile", "echo 'no entry' >&2\nexit 1\n");
    let env = machine.request().take();
    let reason = reason(&env.source);
    assert!(reason.contains("exit status: 1") && reason.contains("no entry"), "{reason}");
    assert_eq!(variable(&env.vars, "HOME"), Some(machine.home().display().to_string().as_str()));
}

#[test]
fn interactive_files_that_end_the_shell_still_leave_the_login_files() {
    let machine = Machine::new();
    machine.write(".bash_profile", "export FROM_PROFILE=yes\n. ~/.bashrc\n");
    machine.write(".bashrc", "case $- in *i*) exit 3;; esac\n");
    let env = machine.request().take();
    assert_eq!(variable(&env.vars, "FROM_PROFILE"), Some("yes"));
    assert!(matches!(env.source, EnvSource::LoginShell { interactive: false, .. }), "{:?}", env.source);
}

#[test]
fn a_shell_that_is_not_there_is_named() {
    let machine = Machine::new();
    let mut request = machine.request();
    request.shell = Some(machine.home().join("no-shell"));
    assert!(reason(&request.take().source).contains("no-shell could not be started"));
}

#[test]
fn the_answer_is_kept_until_a_start_up_file_changes_or_it_is_asked_for_anew() {
    let machine = Machine::new();
    let asked = machine.home().join("asked");
    let bashrc = |colour: &str| format!("echo x >> '{}'\nexport COLOUR={colour}\n", asked.display());
    let times = || std::fs::read_to_string(&asked).unwrap().lines().count();
    machine.write(".bashrc", &bashrc("red"));
    assert_eq!(age(&machine.request().take().source), None);
    let kept = machine.request().take();
    assert!(age(&kept.source).is_some());
    assert_eq!(variable(&kept.vars, "COLOUR"), Some("red"));
    assert_eq!(times(), 1);

    machine.write(".bashrc", &bashrc("ultramarine"));
    assert_eq!(variable(&machine.request().take().vars, "COLOUR"), Some("ultramarine"));
    assert_eq!(times(), 2);

    let mut request = machine.request();
    request.refresh = Refresh::Yes;
    assert_eq!(age(&request.take().source), None);
    assert_eq!(times(), 3);
}

#[test]
fn a_shell_that_gave_nothing_is_not_asked_by_each_process_again() {
    let machine = Machine::new();
    let asked = machine.home().join("asked");
    let broken = format!("echo x >> '{}'\nexit 1\n", asked.display());
    let times = || std::fs::read_to_string(&asked).unwrap().lines().count();
    machine.write(".bash_profile", &broken);
    let first = machine.request().take();
    let asked_once = times();
    // What is known is on disk, so it holds for every process of this user.
    assert_eq!(reason(&machine.request().take().source), reason(&first.source));
    assert_eq!(times(), asked_once);
    assert_eq!(std::fs::read_dir(machine.cache().join("environments")).unwrap().count(), 1);

    let mut request = machine.request();
    request.refresh = Refresh::Yes;
    let _ = request.take();
    assert!(times() > asked_once, "asked for anew, the shell is asked");

    machine.write(".bash_profile", "export COLOUR=red\n");
    assert_eq!(variable(&machine.request().take().vars, "COLOUR"), Some("red"), "a start-up file has changed");
}

#[test]
fn each_workspace_and_each_starting_environment_has_its_own_answer() {
    let machine = Machine::new();
    machine.write(".bashrc", "export SEEN_IN=\"$PWD\"\nexport SEEN_TOKEN=\"$TOKEN\"\n");
    let other = machine.root().join("other");
    std::fs::create_dir(&other).unwrap();
    let first = machine.request().take();
    let mut request = machine.request();
    request.workspace = other.clone();
    let second = request.take();
    assert_eq!(variable(&first.vars, "SEEN_IN"), Some(machine.workspace().display().to_string().as_str()));
    assert_eq!(variable(&second.vars, "SEEN_IN"), Some(other.display().to_string().as_str()));

    let mut request = machine.request();
    request.own.insert("TOKEN".to_owned(), "t1".to_owned());
    assert_eq!(variable(&request.take().vars, "SEEN_TOKEN"), Some("t1"));
    request.own.insert("TOKEN".to_owned(), "t2".to_owned());
    assert_eq!(variable(&request.take().vars, "SEEN_TOKEN"), Some("t2"));
}

#[test]
fn kept_answers_can_be_read_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::new();
    age(&machine.request().take().source);
    let files: Vec<_> = std::fs::read_dir(machine.cache().join("environments")).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_hook_of_direnv_runs_in_the_workspace() {
    let machine = Machine::new();
    machine.write(".bashrc", "_direnv_hook() { export HOOKED=\"$PWD\"; }\n");
    assert_eq!(
        variable(&machine.request().take().vars, "HOOKED"),
        Some(machine.workspace().display().to_string().as_str())
    );
}

#[test]
fn a_plain_sh_answers_too() {
    let machine = Machine::new();
    machine.write(".profile", "export FROM_PROFILE=yes\n");
    let mut request = machine.request();
    request.shell = Some("/bin/sh".into());
    assert_eq!(variable(&request.take().vars, "FROM_PROFILE"), Some("yes"));
}
