//! 10,000 sessions that are over: what do a list, a start, the archive and an open window cost, beside 20 of them?

use std::path::Path;
use std::time::{Duration, Instant};

use outrigger_tests::Home;
use serde_json::json;

use super::{beside, timed, told};
use crate::idle::{between, spent};
use crate::processes::{self, Kind};
use crate::table::{Table, median};
use crate::window::Window;
use crate::{journals, options, page};

const SESSIONS: u64 = 10_000;
const FEW: u64 = 20;
const RUNS: usize = 5;
/// While one session streams in the window.
const STREAMING: Duration = Duration::from_secs(15);

/// Scrolls the list a little at each frame, and hands over the longest time from frame to frame, and what is in the page.
const SCROLL: &str = "
const [done] = arguments;
const row = document.querySelector('[data-testid=session-row]');
let list = row;
while (list && list.scrollHeight <= list.clientHeight + 1) list = list.parentElement;
const gaps = [];
let last = performance.now(), frames = 0;
const step = () => {
  const now = performance.now();
  gaps.push(now - last);
  last = now;
  if (list) list.scrollTop += 400;
  if (++frames < 200) return requestAnimationFrame(step);
  done([Math.max(...gaps.slice(2)), gaps.length, list ? list.scrollHeight : 0, document.querySelectorAll('*').length]);
};
requestAnimationFrame(step);
";

/// What one home costs.
struct Costs {
    ps_all: f64,
    ps: f64,
    archive: f64,
    archive_again: f64,
    start: f64,
    app: f64,
    page: f64,
    scroll: f64,
    elements: f64,
    cpu: [f64; 2],
}

/// Measures many, and few beside them.
pub(crate) fn measure(table: &mut Table) {
    let many = options::sessions(SESSIONS);
    let (few, ours) = (costs(FEW), costs(many));
    let mut row = |what: &str, of: fn(&Costs) -> f64, unit: &'static str| {
        beside(table, &format!("{many} sessions: {what}"), of(&ours), of(&few), unit);
    };
    row("`outrigger ps --all`", |costs| costs.ps_all, "ms");
    row("`outrigger ps`", |costs| costs.ps, "ms");
    row("the archive takes them in", |costs| costs.archive, "ms");
    row("a search that finds nothing new to take in", |costs| costs.archive_again, "ms");
    row("from the launch to a list that can be used", |costs| costs.start, "ms");
    row("memory of the app (PSS)", |costs| costs.app, "MiB");
    row("memory of its page (PSS)", |costs| costs.page, "MiB");
    row("longest frame while the list scrolls", |costs| costs.scroll, "ms");
    row("elements of the page", |costs| costs.elements, "elements");
    row("CPU of the app while one session streams", |costs| costs.cpu[0], "% of a core");
    row("CPU of the page while one session streams", |costs| costs.cpu[1], "% of a core");
    told(table, "sessions in the list", many as f64, "sessions");
}

fn costs(sessions: u64) -> Costs {
    let home = page::home();
    let workspace = home.workspace();
    journals::write_short(&home.path().join("data/sessions"), sessions, &workspace.display().to_string());
    let time = |args: &[&str]| timed(|| page::outrigger(&home, &workspace, args)).0;
    // The first one fills the ledger.
    time(&["ps"]);
    let middle = |args: &[&str]| median((0..RUNS).map(|_| time(args)).collect());
    let (ps_all, ps) = (middle(&["ps", "--all"]), middle(&["ps"]));
    let (archive, archive_again) = (time(&["search", "--wait", "keeper"]), middle(&["search", "lantern7"]));
    let costs = Costs {
        ps_all,
        ps,
        archive,
        archive_again,
        start: 0.0,
        app: 0.0,
        page: 0.0,
        scroll: 0.0,
        elements: 0.0,
        cpu: [0.0; 2],
    };
    page::run(in_a_window(&home, &workspace, costs))
}

async fn in_a_window(home: &Home, workspace: &Path, costs: Costs) -> Costs {
    let start = median((0..RUNS).map(|_| page::cold_start::ours(home, &workspace.to_path_buf()).0).collect());
    let window = Window::open(home, workspace).await;
    window.see("[data-testid=session-row]").await;
    window.desk.focus();
    let scrolled = page::script(window.client(), SCROLL, Vec::new()).await;
    eprintln!("   scrolled: {scrolled}");
    let root = home.path().parent().map(Path::to_owned).unwrap_or_default();
    let held = processes::held(&root);
    let mib = |kind| held.get(&kind).map_or(0.0, processes::Held::mib_each);
    let session = page::start(home, workspace, &format!("stream 20 {}", STREAMING.as_secs() + 10));
    window.see(&format!("[data-testid=session-row][data-session='{session}']")).await.click().await.unwrap();
    page::go(workspace);
    window.see_text("[data-testid=transcript]", "word @").await;
    let cpu = cpu(&root).await;
    page::outrigger(home, workspace, &["stop", "--all", "--force"]);
    window.picture("many_sessions").await;
    window.close().await;
    home.assert_nobody_left();
    let number = |at: usize| scrolled[at].as_f64().unwrap_or_default();
    assert_ne!(scrolled, json!(null));
    Costs { start, app: mib(Kind::App), page: mib(Kind::Page), scroll: number(0), elements: number(3), cpu, ..costs }
}

/// Percent of a core that the app and its page use.
async fn cpu(home: &Path) -> [f64; 2] {
    let all = processes::of(home);
    let pids =
        [Kind::App, Kind::Page].map(|kind| all.iter().filter(|one| one.0 == kind).map(|one| one.1).collect::<Vec<_>>());
    let before = pids.clone().map(|pids| spent(&pids));
    let began = Instant::now();
    tokio::time::sleep(STREAMING).await;
    let seconds = began.elapsed().as_secs_f64();
    std::array::from_fn(|at| 100.0 * between(&before[at], &spent(&pids[at])).0 / seconds)
}
