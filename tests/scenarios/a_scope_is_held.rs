//! What an agent may not write it cannot write, whichever way it tries, and the transcript says so. Where the kernel cannot refuse it,
//! the session says that the scope is advised, and tells of each write past it.

use std::fs;
use std::path::PathBuf;

use outrigger_tests::{Ended, Home, Program};
use serde_json::Value;

use crate::blind;
use crate::stage::{self, demo, last_of};

/// A workspace with a folder in the scope, and one outside of it.
struct Ground {
    home: Home,
}

impl Ground {
    fn new() -> Self {
        let home = stage::home();
        for folder in ["src", "other"] {
            stage::write(&home.workspace().join(folder).join("file"), "as it was\n");
        }
        Self { home }
    }

    fn file(&self, path: &str) -> PathBuf {
        self.home.workspace().join(path)
    }

    fn arguments(&self, more: &[&str], command: &str) -> Vec<String> {
        let prompt = format!("demo:run='{command}' hello");
        let all: Vec<&str> = ["--scope", "src"].iter().chain(more).copied().collect();
        demo(&self.home, &all, &prompt)
    }

    /// The agent runs a command in its shell, without asking.
    fn run(&self, command: &str) -> Ended {
        let ended = self.home.run(self.arguments(&["--mode", "bypass"], command));
        ended.assert_code(0);
        ended
    }

    /// With a program that binds a socket where it is told to.
    fn with_binder(&self) {
        let script = "import { createServer } from 'node:net';
const server = createServer().on('error', ({ code }) => (console.log(code), process.exit(1)));
server.listen(process.argv[2], () => process.exit(0));";
        stage::write(&self.file("src/bind.mjs"), script);
    }

    /// All that is outside of the scope.
    fn outside(&self) -> Vec<(PathBuf, Option<String>)> {
        let mut found: Vec<_> = fs::read_dir(self.file("other"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read_to_string(&path).ok()))
            .collect();
        found.sort();
        found
    }

    /// The command comes to nothing outside of the scope, and the transcript shows that it was refused.
    fn is_refused(&self, command: &str) {
        let before = self.outside();
        let ended = self.run(command);
        let call = shell_call(&ended);
        let shown = call.to_string().to_lowercase();
        assert_eq!(self.outside(), before, "{shown}");
        assert!(
            ["permission denied", "eacces", "operation not permitted", "cross-device"]
                .iter()
                .any(|why| shown.contains(why)),
            "{shown}"
        );
        assert_eq!(call["body"]["status"], "failed", "{shown}");
        self.home.assert_nobody_left();
    }
}

fn shell_call(ended: &Ended) -> Value {
    let calls = last_of(&ended.json(), "toolCall");
    let shell = calls.into_iter().find(|call| call["body"]["name"] == "shell");
    shell.unwrap_or_else(|| panic!("no command was run: {:?}", ended.stdout))
}

fn notice(ended: &Ended, code: &str) -> String {
    let notices = last_of(&ended.json(), "notice");
    let found = notices.iter().find(|notice| notice["body"]["code"] == code);
    found.unwrap_or_else(|| panic!("no notice {code}: {notices:?}"))["body"]["text"].as_str().unwrap().to_owned()
}

#[test]
fn within_its_scope_it_works_and_the_transcript_says_what_holds_it() {
    let ground = Ground::new();
    let ended =
        ground.run("cd src && echo new > made && mv made file && ln -s file link && mkdir deep && touch $TMPDIR/x");
    assert_eq!(shell_call(&ended)["body"]["status"], "completed", "{:?}", ended.stdout);
    assert_eq!(fs::read_to_string(ground.file("src/file")).unwrap(), "new\n");
    let told = notice(&ended, "scope");
    assert!(told.contains("The kernel enforces it (landlock") && told.contains("/src/"), "{told}");
    ground.home.assert_nobody_left();
}

#[test]
fn its_own_tools_are_refused() {
    let ground = Ground::new();
    // The demo agent writes its summary into the workspace itself.
    let ended = ground.run("true");
    assert!(!ground.file("OUTRIGGER-DEMO.md").exists());
    let calls = last_of(&ended.json(), "toolCall");
    let write = calls.iter().find(|call| call["body"]["name"] == "write_file").unwrap();
    assert!(write.to_string().contains("EACCES"), "{write}");
    assert_eq!(write["body"]["status"], "failed");
}

#[test]
fn what_asks_is_denied_with_words_that_name_the_scope() {
    let ground = Ground::new();
    let ended = ground.home.run(ground.arguments(&["--permissions", "allow"], "true"));
    ended.assert_code(0);
    assert!(!ground.file("OUTRIGGER-DEMO.md").exists());
    let permissions = last_of(&ended.json(), "permission");
    let denied = permissions.iter().find(|item| item["body"]["state"]["outcome"] == "deny");
    let denied = denied.unwrap_or_else(|| panic!("{permissions:?}")).to_string();
    for part in ["\"by\":\"scope\"", "OUTRIGGER-DEMO.md was not written", "write src (with all below it)"] {
        assert!(denied.contains(part), "{denied}");
    }
}

#[test]
fn a_shell_is_refused() {
    Ground::new().is_refused("echo x >> other/file");
}

#[test]
fn a_new_file_is_refused() {
    Ground::new().is_refused("touch other/new");
}

#[test]
fn a_symbolic_link_is_refused() {
    Ground::new().is_refused("ln -s ../other/file src/link && echo x >> src/link");
}

#[test]
fn a_hard_link_is_refused() {
    Ground::new().is_refused("ln other/file src/link && echo x >> src/link");
}

#[test]
fn a_rename_is_refused() {
    Ground::new().is_refused("echo x > src/mine && mv -f src/mine other/file");
}

#[test]
fn a_child_process_in_a_session_of_its_own_is_refused() {
    Ground::new().is_refused("setsid --wait sh -c \"echo x >> other/file\"");
}

#[test]
fn the_ways_through_proc_are_refused() {
    for way in ["self/root$PWD", "self/cwd", "$PPID/root$PWD", "$PPID/cwd"] {
        Ground::new().is_refused(&format!("echo x >> /proc/{way}/other/file"));
    }
}

#[test]
fn a_file_that_the_keeper_has_open_is_refused() {
    let ground = Ground::new();
    // Its journal, by the open files of the processes above the shell.
    ground.is_refused("for file in /proc/[0-9]*/fd/*; do case $(readlink $file) in *journal.ndjson) echo x >> $file && exit 0; esac; done; echo x >> other/file");
}

#[test]
fn a_socket_outside_is_refused() {
    let ground = Ground::new();
    ground.with_binder();
    ground.is_refused("node src/bind.mjs other/socket");
}

#[test]
fn what_another_session_may_write_is_given_to_nobody_else() {
    let ground = Ground::new();
    let first = stage::detached(&ground.home, "demo", &["--scope", "src", "--mode", "plan"], "hello");
    for scope in ["src", "src/deep/", ".", "src/file"] {
        let second = ground.home.run(demo(&ground.home, &["--scope", scope], "hello"));
        second.assert_code(2);
        for part in ["overlaps", "`Demo agent`", first.as_str()] {
            assert!(second.stderr.contains(part), "{scope}: {}", second.stderr);
        }
    }
    assert_eq!(ground.home.sessions().len(), 1, "a refused session leaves nothing");
    ground.home.run(demo(&ground.home, &["--scope", "other", "--mode", "plan"], "beside it")).assert_code(0);
    ground.home.run(["stop", &first]).assert_code(0);
    ground.home.run(demo(&ground.home, &["--scope", "src", "--mode", "plan"], "after it")).assert_code(0);
    ground.home.assert_nobody_left();
}

/// The same on a kernel without Landlock.
struct Blind {
    ground: Ground,
}

impl Blind {
    /// Runs a command that succeeds, and waits until a write to this file is told.
    fn is_told(command: &str, file: &str) {
        Self::is_told_on(Ground::new(), command, file);
    }

    fn is_told_on(ground: Ground, command: &str, file: &str) {
        let blind = Self { ground };
        let path = blind.ground.file(file).display().to_string();
        let mut arguments = blind.ground.arguments(&["--mode", "bypass", "--detach"], command);
        arguments.retain(|word| word != "--json");
        let outrigger = blind.ground.home.command(&arguments);
        let ended = Program::start(blind::without_landlock(&outrigger)).finish();
        ended.assert_code(0);
        let home = &blind.ground.home;
        let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
        let mut items = stage::follow(home, &session);
        let scope = items.wait_for("what holds it", |item| item["body"]["code"] == "scope");
        assert!(scope["body"]["text"].as_str().unwrap().contains("it is advised"), "{scope}");
        let told = items.wait_for("the write", |item| {
            item["body"]["code"] == "foreign_write" && item["body"]["text"].as_str().unwrap().contains(&path)
        });
        assert!(told["body"]["text"].as_str().unwrap().starts_with("Written past a scope"), "{told}");
        home.run(["stop", &session]).assert_code(0);
        home.assert_nobody_left();
    }
}

/// In the process that becomes `outrigger` on a kernel without Landlock.
#[test]
fn blind_side() {
    blind::become_blind();
}

#[test]
fn without_the_kernel_a_shell_is_told() {
    Blind::is_told("echo x >> other/file", "other/file");
}

#[test]
fn without_the_kernel_a_link_is_told() {
    Blind::is_told("ln -s ../other/file src/link && echo x >> src/link", "other/file");
}

#[test]
fn without_the_kernel_its_own_tools_are_told() {
    // The demo agent writes its summary into the workspace itself.
    Blind::is_told("true", "OUTRIGGER-DEMO.md");
}

#[test]
fn without_the_kernel_a_hard_link_is_told() {
    Blind::is_told("ln other/file src/link && echo x >> src/link", "other/file");
}

#[test]
fn without_the_kernel_a_socket_is_told() {
    let ground = Ground::new();
    ground.with_binder();
    Blind::is_told_on(ground, "node src/bind.mjs other/socket", "other/socket");
}

#[test]
fn without_the_kernel_a_rename_is_told() {
    Blind::is_told("echo x > src/mine && mv -f src/mine other/file", "other/file");
}

#[test]
fn without_the_kernel_a_child_process_is_told() {
    Blind::is_told("setsid --wait sh -c \"echo x >> other/new\"", "other/new");
}

#[test]
fn without_the_kernel_a_way_through_proc_is_told() {
    Blind::is_told("echo x >> /proc/self/root$PWD/other/file", "other/file");
}
