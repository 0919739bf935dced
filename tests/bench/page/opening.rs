//! Budget 4: how long a huge session takes to open, beside one of 100 items, and what it costs in memory to scroll through it.

use std::path::Path;
use std::time::Duration;

use outrigger_tests::Home;
use serde_json::{Value, json};

use crate::events;
use crate::picture::{Axis, Picture, plain, power};
use crate::table::{Budget, Row, Table, median};
use crate::window::Window;

const RUNS: usize = 15;
/// Through what the list shows at one time.
const JUMPS: u32 = 150;
/// About as many bytes as one item takes in the journal.
const ITEM_BYTES: u64 = 1050;
/// Sessions of these sizes make up the curve, and a last one as large as the bench.
const SMALL: u64 = 100;
const SIZES: [u64; 3] = [1_000, 10_000, 100_000];

/// Presses the row of a session and waits until the end of its transcript is painted. Hands over the milliseconds.
const OPEN: &str = "
const [session, end, done] = arguments;
const row = document.querySelector(`[data-session='${session}']`);
const began = performance.now();
row.click();
const look = () => {
  const list = document.querySelector('[data-testid=transcript]');
  const last = list && [...list.querySelectorAll('[data-testid=item]')].some((item) => item.innerText.trim() === end);
  if (!last) return requestAnimationFrame(look);
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
};
requestAnimationFrame(look);
";

/// Scrolls from the end of the transcript to its first item in jumps, and waits at each place for what stands there. Hands over how
/// often it stopped, and whether it came to the first item.
const SCROLL: &str = "
const [jumps, done] = arguments;
const list = document.querySelector('[data-testid=transcript]');
const drawn = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(next, 20))));
const isFirst = () => list.querySelector('[data-row=\"0\"]') !== null;
(async () => {
  const step = list.scrollHeight / jumps;
  let stops = 0;
  for (; stops < 20 * jumps && !isFirst(); stops++) {
    list.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
    list.scrollTop = Math.max(0, list.scrollTop - step);
    await drawn();
    for (let wait = 0; wait < 100 && !list.querySelector('[data-testid=item]'); wait++) await drawn();
  }
  done([stops, isFirst()]);
})();
";

/// Measures all of them in one window, in turn, and the memory in a window of its own each.
pub(crate) fn measure(table: &mut Table) {
    super::run(compare(table));
}

async fn compare(table: &mut Table) {
    let home = super::home();
    let workspace = home.workspace();
    let many = events::size() / ITEM_BYTES;
    let sizes: Vec<u64> =
        std::iter::once(SMALL).chain(SIZES.into_iter().filter(|size| *size < many)).chain([many]).collect();
    let sessions: Vec<(u64, String)> =
        sizes.iter().map(|size| (*size, super::finished(&home, &workspace, *size))).collect();
    // Otherwise the app takes them into its archive while it is measured.
    super::outrigger(&home, &workspace, &["search", "--wait", "keeper"]);
    let times = times(&home, &workspace, &sessions).await;
    let ([(_, reference), ..], [.., (_, ours)]) = (&times[..], &times[..]) else { unreachable!() };
    let name = format!("4 opening {many} items");
    let (middle, budget) = ((median(ours.clone()), median(reference.clone())), Budget::AtMostTimesReference(1.5));
    add(table, name, middle, "ms", budget);
    let name = format!("4 the first opening of {many} items");
    add(table, name, (ours[0], reference[0]), "ms", Budget::Absolute(f64::INFINITY));
    draw(&times);
    let small = memory(&home, &workspace, &sessions[0]).await;
    let huge = memory(&home, &workspace, &sessions[sessions.len() - 1]).await;
    let memory = |what: &str, of: fn(&Memory) -> f64, budget| {
        let name = format!("4 memory after scrolling through {many} items{what}");
        (name, (of(&huge), of(&small)), budget)
    };
    let told = || Budget::Absolute(f64::INFINITY);
    for (name, figures, budget) in [
        memory("", |memory| memory.at_rest.whole(), Budget::ReferencePlus(60.0)),
        memory(": of it the app", |memory| memory.at_rest.app, told()),
        memory(": of it its web view", |memory| memory.at_rest.below, told()),
        memory(", at once, with what the page has let go of", |memory| memory.at_once.whole(), told()),
    ] {
        add(table, name, figures, "MiB", budget);
    }
}

/// Milliseconds of each opening, by the size of the session. The first ones of a session are the first ones in the window too.
async fn times(home: &Home, workspace: &Path, sessions: &[(u64, String)]) -> Vec<(u64, Vec<f64>)> {
    let window = Window::open(home, workspace).await;
    let mut times: Vec<(u64, Vec<f64>)> = sessions.iter().map(|(size, _)| (*size, Vec::new())).collect();
    for _ in 0..RUNS {
        for (one, session) in times.iter_mut().zip(sessions) {
            one.1.push(open(&window, session).await);
        }
    }
    window.close().await;
    times
}

/// What the app and its web view take after scrolling, in MiB (PSS).
struct Memory {
    /// When the last row was drawn. What a page lets go of stays for some seconds: its web view collects it by a clock of its own.
    at_once: Parts,
    /// When it has stopped shrinking.
    at_rest: Parts,
}

#[derive(Clone, Copy)]
struct Parts {
    app: f64,
    /// All processes of the web view.
    below: f64,
}

impl Parts {
    fn now(app: u32) -> Self {
        let own = crate::memory::pss(app);
        Self { app: own, below: super::tree_memory(app) - own }
    }

    fn whole(&self) -> f64 {
        self.app + self.below
    }
}

/// The memory of a window in which nothing but this session has been open.
async fn memory(home: &Home, workspace: &Path, session: &(u64, String)) -> Memory {
    let window = Window::open(home, workspace).await;
    open(&window, session).await;
    let seen: Value = super::script(window.client(), SCROLL, vec![json!(JUMPS)]).await;
    assert_eq!(seen[1], json!(true), "the beginning of the transcript was not shown: {seen}");
    let at_once = Parts::now(window.app());
    let at_rest = rest(window.app()).await;
    window.close().await;
    Memory { at_once, at_rest }
}

/// Looks once a second until there has been no less for a while.
async fn rest(app: u32) -> Parts {
    /// In seconds.
    const QUIET: u32 = 15;
    const LONGEST: u32 = 90;
    let (mut least, mut quiet) = (Parts::now(app), 0);
    for _ in 0..LONGEST {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = Parts::now(app);
        quiet = if now.whole() < least.whole() - 1.0 { 0 } else { quiet + 1 };
        if now.whole() < least.whole() {
            least = now;
        }
        if quiet == QUIET {
            break;
        }
    }
    least
}

async fn open(window: &Window, (size, session): &(u64, String)) -> f64 {
    window.see(&format!("[data-session='{session}']")).await;
    let end = format!("the end of {size}");
    super::script(window.client(), OPEN, vec![json!(session), json!(end)]).await.as_f64().unwrap()
}

fn draw(times: &[(u64, Vec<f64>)]) {
    let at = |part: f64| {
        let point = |(size, times): &(u64, Vec<f64>)| ((*size as f64).log10(), super::quantile(times, part));
        times.iter().map(point).collect::<Vec<_>>()
    };
    let (middle, worst) = (at(0.5), at(1.0));
    let most = worst.iter().map(|point| point.1).fold(50.0, f64::max);
    let picture = Picture {
        name: "opening",
        title: "From the click on a session to its last screen painted",
        across: Axis { title: "items of the session", from: 2.0, to: 6.1, words: power },
        up: Axis { title: "milliseconds", from: 0.0, to: most * 1.3, words: plain },
        lines: vec![(format!("slowest of {RUNS}"), worst), (format!("median of {RUNS}"), middle)],
    };
    picture.write();
}

fn add(table: &mut Table, name: String, (ours, reference): (f64, f64), unit: &'static str, budget: Budget) {
    table.add(Row { name, ours, reference, unit, budget });
}
