//! Budget 7: from the launch to a window that shows 20 old sessions and can be used, beside a bare Tauri window with one line of
//! text. And budget 6: the memory of both without their web views.
//!
//! Both draw with the same renderer: the app turns off one that starts slowly, so the bare window gets the same.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use outrigger_tests::{Display, Home, program};

use crate::memory;
use crate::table::{Budget, Row, Table, median};

const RUNS: usize = 9;
const SESSIONS: usize = 20;

/// Measures both, in turn. Each start has a display and a bus of its own.
pub(crate) fn measure(table: &mut Table) {
    let home = super::home();
    let workspace = home.workspace();
    for number in 0..SESSIONS {
        let session = super::start(&home, &workspace, &format!("items {}", 10 + number));
        super::until_idle(&home, &workspace, &session);
        super::outrigger(&home, &workspace, &["stop", &session]);
    }
    // The first start asks the login shell and lays caches down; a user has it once.
    ours(&home, &workspace);
    let (mut started, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        started.push(ours(&home, &workspace));
        bare.push(reference(&home));
    }
    let middle = |figures: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| median(figures.iter().map(of).collect());
    table.add(Row {
        name: format!("7 cold start with {SESSIONS} sessions"),
        ours: middle(&started, |one| one.0),
        reference: middle(&bare, |one| one.0),
        unit: "ms",
        budget: Budget::AtMostTimesReference(1.3),
    });
    table.add(Row {
        name: "6 the desktop process (PSS)".to_owned(),
        ours: middle(&started, |one| one.1),
        reference: middle(&bare, |one| one.1),
        unit: "MiB",
        budget: Budget::AtMostTimesReference(1.5),
    });
}

/// Milliseconds until the window shows its sessions, and the app's memory then.
pub(crate) fn ours(home: &Home, workspace: &PathBuf) -> (f64, f64) {
    let display = Display::start();
    // The logs of the starts before: what is waited for must be new.
    let logs = home.path().join("data/logs");
    let _ = fs::remove_dir_all(&logs);
    let mut app = Command::new(program("outrigger-desktop"));
    display.furnish(&mut app, home);
    let app = app.arg(workspace).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let mut app = app.spawn().unwrap();
    while !home.debug_log().contains("the window shows its sessions") {
        assert!(began.elapsed() < Duration::from_secs(60), "the window shows nothing:\n{}", home.debug_log());
        std::thread::sleep(Duration::from_millis(1));
    }
    finish(began, &mut app)
}

/// The same for the bare window.
fn reference(home: &Home) -> (f64, f64) {
    let display = Display::start();
    let mut window = Command::new(program("outrigger-bare-window"));
    display.furnish(&mut window, home);
    window.env("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
    let window = window.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let began = Instant::now();
    let mut window = window.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(window.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "shown");
    finish(began, &mut window)
}

fn finish(began: Instant, program: &mut Child) -> (f64, f64) {
    let time = began.elapsed().as_secs_f64() * 1000.0;
    let memory = memory::pss(program.id());
    let _ = program.kill();
    let _ = program.wait();
    (time, memory)
}
