//! The soak: many sessions that talk for half an hour, four of them in an open window. Does anything grow that is not content?
//!
//! Memory (PSS) and file descriptors of every process are looked at from outside every few seconds, drawn per kind of process, and a
//! line is laid through what comes after the first part of the time, in which caches fill. `--minutes` and `--sessions` say how long
//! and how many, `--looks target/bench/soak.json` tells and draws an earlier one again; only run when it is named
//! (`./dev bench soak`).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use outrigger_tests::{Home, project};
use serde_json::{Value, json};

use crate::picture::{Axis, Picture, plain};
use crate::processes::{self, Held, Kind};
use crate::table::{Budget, Row, Table};
use crate::window::Window;
use crate::{options, page};

const SESSIONS: u64 = 20;
const PANES: usize = 4;
/// Lines a second of each session, while it has a turn.
const RATE: u32 = 8;
/// A turn, and the time from one prompt to the next.
const TURN: Duration = Duration::from_secs(50);
const PROMPTS: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOKS: Duration = Duration::from_secs(10);
/// The part of the time that is left out of the lines: a pod keeps its newest records in memory, and twenty minutes fill that.
const WARMING: f64 = 0.6;
const MANIFEST: &str = "id = \"soak\"\nname = \"Soak\"\nrunner = \"./soak_runner.mjs\"\nadapter = \"plain\"\n\n[capabilities]\npartials = true\n";

/// Opens sessions side by side, as a user does who presses Ctrl and clicks.
const OPEN: &str = "
const [sessions] = arguments;
sessions.forEach((session, at) => {
  const row = document.querySelector(`[data-testid=session-row][data-session='${session}']`);
  row.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, ctrlKey: at > 0 }));
});
";

/// One look.
struct Look {
    minutes: f64,
    held: BTreeMap<Kind, Held>,
    /// MiB of all journals.
    content: f64,
}

/// Runs it, draws it, and says how fast each kind of process grew.
pub(crate) fn measure(table: &mut Table) {
    let looks = match options::looks() {
        Some(file) => read(&file),
        None => page::run(soak()),
    };
    tell(table, &looks);
    draw(&looks);
}

async fn soak() -> Vec<Look> {
    let home = home();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    let talk = format!("talk {RATE} {}", TURN.as_secs());
    let start =
        || page::outrigger(&home, &workspace, &["run", "--provider", "soak", "--mode", "bypass", "--detach", &talk]);
    let sessions: Vec<String> = (0..options::sessions(SESSIONS)).map(|_| start()).collect();
    let shown = &sessions[..PANES.min(sessions.len())];
    for session in shown {
        window.see(&format!("[data-testid=session-row][data-session='{session}']")).await;
    }
    window.client().execute(OPEN, vec![json!(shown)]).await.unwrap();
    let panes = "return document.querySelectorAll('[data-testid=pane]').length === arguments[0];";
    window.until("the sessions side by side", panes, json!([shown.len()])).await;
    window.see_text("[data-testid=transcript]", "keeper").await;
    let looks = watch(&home, &workspace, &sessions, &talk);
    window.picture("soak").await;
    page::outrigger(&home, &workspace, &["stop", "--all"]);
    window.close().await;
    home.assert_nobody_left();
    write(&looks);
    looks
}

fn home() -> Home {
    let home = Home::new();
    let folder = home.path().join("config/providers");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("soak.toml"), MANIFEST).unwrap();
    std::fs::copy(project().join("tests/bench/soak_runner.mjs"), folder.join("soak_runner.mjs")).unwrap();
    home
}

/// Gives each session a prompt in its turn, and looks at everything, until the time is over.
fn watch(home: &Home, workspace: &Path, sessions: &[String], talk: &str) -> Vec<Look> {
    let (began, mut looks) = (Instant::now(), Vec::new());
    let (mut next_look, mut next_prompt, mut turn) = (Duration::ZERO, PROMPTS, 0);
    while began.elapsed() < options::soak() {
        let now = began.elapsed();
        if now >= next_look {
            next_look += LOOKS;
            looks.push(look(home, now));
        }
        if now >= next_prompt {
            next_prompt += PROMPTS / u32::try_from(sessions.len()).unwrap();
            page::outrigger(home, workspace, &["send", &sessions[turn % sessions.len()], talk]);
            turn += 1;
        }
        let next = next_look.min(next_prompt).saturating_sub(began.elapsed());
        std::thread::sleep(next.max(Duration::from_millis(1)));
    }
    looks
}

fn look(home: &Home, now: Duration) -> Look {
    let folder = home.path();
    let held = processes::held(folder.parent().unwrap_or(&folder));
    let sizes = home.sessions().into_iter().filter_map(|session| session.join("journal.ndjson").metadata().ok());
    let content = sizes.map(|file| file.len()).sum::<u64>() as f64 / 1_048_576.0;
    let look = Look { minutes: now.as_secs_f64() / 60.0, held, content };
    let words =
        look.held.iter().map(|(kind, held)| format!("{} {:.1} MiB {} files", kind.name(), held.mib, held.files));
    eprintln!("   {:.1} min, {content:.1} MiB of journals: {}", look.minutes, words.collect::<Vec<_>>().join(", "));
    look
}

/// What each kind may grow in an hour, in MiB for each process, whatever the content. JavaScript collects when it likes.
fn most_growth(kind: Kind) -> f64 {
    match kind {
        Kind::Keeper | Kind::Toolbox => 2.0,
        Kind::Runner | Kind::App | Kind::WebView | Kind::Other => 12.0,
        Kind::Page => 60.0,
    }
}

fn tell(table: &mut Table, looks: &[Look]) {
    let from = looks.last().map_or(0.0, |look| look.minutes) * WARMING;
    let later: Vec<&Look> = looks.iter().filter(|look| look.minutes >= from).collect();
    let content = line(&later.iter().map(|look| (look.minutes / 60.0, look.content)).collect::<Vec<_>>());
    for kind in Kind::ALL {
        let held = || later.iter().filter_map(|look| Some((look.minutes / 60.0, look.held.get(&kind)?)));
        // What lives for a moment now and then is no process that grows.
        if held().count() * 2 < later.len() || later.is_empty() {
            continue;
        }
        let memory = line(&held().map(|(hours, held)| (hours, held.own_mib_each())).collect::<Vec<_>>());
        let files = line(&held().map(|(hours, held)| (hours, held.files_each())).collect::<Vec<_>>());
        let name = format!("soak: {} grows in an hour", kind.name());
        let budget = Budget::Absolute(most_growth(kind));
        table.add(Row { name, ours: memory.surely(), reference: content.slope, unit: "MiB", budget });
        let name = format!("soak: {} opens in an hour", kind.name());
        table.add(Row { name, ours: files.surely(), reference: 0.0, unit: "files", budget: Budget::Absolute(4.0) });
    }
}

/// A straight line through points, by least squares.
struct Line {
    slope: f64,
    /// The standard error of the slope.
    error: f64,
}

impl Line {
    /// What is left of the slope when two standard errors are taken as noise.
    fn surely(&self) -> f64 {
        if self.slope >= 0.0 {
            (self.slope - 2.0 * self.error).max(0.0)
        } else {
            (self.slope + 2.0 * self.error).min(0.0)
        }
    }
}

fn line(points: &[(f64, f64)]) -> Line {
    let count = points.len() as f64;
    let middle = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (middle(|point| point.0), middle(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if points.len() < 3 || spread <= 0.0 {
        return Line { slope: 0.0, error: 0.0 };
    }
    let slope = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread;
    let off: f64 = points.iter().map(|point| (point.1 - y - slope * (point.0 - x)).powi(2)).sum();
    Line { slope, error: (off / (count - 2.0) / spread).sqrt() }
}

fn write(looks: &[Look]) {
    let of = |held: &Held| json!({"processes": held.processes, "mib": held.mib, "ownMib": held.own_mib, "files": held.files, "mostFiles": held.most_files, "threads": held.threads});
    let one = |look: &Look| {
        let kinds: BTreeMap<_, _> = look.held.iter().map(|(kind, held)| (kind.name(), of(held))).collect();
        json!({"minutes": look.minutes, "journalsMib": look.content, "kinds": kinds})
    };
    let folder = project().join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let looks: Vec<_> = looks.iter().map(one).collect();
    std::fs::write(folder.join("soak.json"), serde_json::to_vec(&looks).unwrap()).unwrap();
}

/// What an earlier soak wrote.
fn read(file: &str) -> Vec<Look> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("cannot read {file}: {error}"));
    let looks: Vec<Value> = serde_json::from_str(&text).unwrap();
    let held = |one: &Value| {
        let number = |name: &str| one[name].as_u64().unwrap_or_default();
        Held {
            processes: number("processes"),
            mib: one["mib"].as_f64().unwrap_or_default(),
            own_mib: one["ownMib"].as_f64().unwrap_or_default(),
            files: number("files"),
            most_files: number("mostFiles"),
            threads: number("threads"),
        }
    };
    let kinds = |one: &Value| {
        let there = Kind::ALL.into_iter().filter(|kind| one["kinds"][kind.name()].is_object());
        there.map(|kind| (kind, held(&one["kinds"][kind.name()]))).collect()
    };
    let look = |one: &Value| Look {
        minutes: one["minutes"].as_f64().unwrap_or_default(),
        held: kinds(one),
        content: one["journalsMib"].as_f64().unwrap_or_default(),
    };
    looks.iter().map(look).collect()
}

fn draw(looks: &[Look]) {
    let minutes = looks.last().map_or(1.0, |look| look.minutes.ceil());
    let across = || Axis { title: "minutes", from: 0.0, to: minutes, words: plain };
    let kinds = [Kind::App, Kind::Page, Kind::Keeper, Kind::Runner];
    let lines = |of: &dyn Fn(&Held) -> f64| -> Vec<(String, Vec<(f64, f64)>)> {
        let points = |kind| looks.iter().filter_map(|look| Some((look.minutes, of(look.held.get(&kind)?)))).collect();
        kinds.into_iter().map(|kind| (kind.name().to_owned(), points(kind))).collect()
    };
    let top = |lines: &[(String, Vec<(f64, f64)>)]| {
        lines.iter().flat_map(|line| &line.1).fold(1.0, |most: f64, point| most.max(point.1))
    };
    let mut memory = lines(&Held::mib_each);
    memory.insert(
        0,
        ("all journals together".to_owned(), looks.iter().map(|look| (look.minutes, look.content)).collect()),
    );
    let up = Axis { title: "MiB", from: 0.0, to: top(&memory) * 1.1, words: plain };
    let title = "Memory (PSS) while sessions stream, four of them in a window";
    Picture { name: "soak_memory", title, across: across(), up, lines: memory }.write();
    let files = lines(&Held::files_each);
    let up = Axis { title: "open file descriptors", from: 0.0, to: top(&files) * 1.1, words: plain };
    Picture { name: "soak_files", title: "Open files meanwhile", across: across(), up, lines: files }.write();
}
