//! Budget 3: from a line that a runner writes to the callback in the page, with 1 and with 50 sessions that stream 200 lines a
//! second each, and with one of the fifty that floods. Beside it the same line over a bare channel. The page follows as many as a
//! window shows, then all of them, which none does.

use outrigger_tests::Home;
use serde_json::{Value, json};

use crate::bare_window::BareWindow;
use crate::picture::{Axis, Picture, plain, power};
use crate::table::{Budget, Row, Table};
use crate::window::Window;

const SESSIONS: usize = 50;
/// So many, all followed, for the curve between one and all.
const BETWEEN: [usize; 3] = [5, 10, 20];
/// As many as a window shows at one time.
const PANES: usize = 4;
const SECONDS: u32 = 15;
/// The page's clock has steps of a whole one; anything below is drawn as this many milliseconds.
const LEAST: f64 = 0.1;
const RATE: u32 = 200;
/// Left out at the beginning: everybody begins at once, which no user sees.
const WARMING: u32 = 3;

/// Follows sessions as the page does.
const FOLLOW: &str = "
const [sessions, done] = arguments;
const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
const bench = (window.bench = { ages: [], from: Infinity, feeds: [] });
const due = new Map();
// After the next picture; a window that draws none waits no longer than this.
const soon = (give) => {
  const once = () => (clearTimeout(late), cancelAnimationFrame(drawn), setTimeout(give));
  const late = setTimeout(once, 120), drawn = requestAnimationFrame(once);
};
const credit = (feed, frame) => {
  if (due.size === 0) soon(() => {
    const credits = [...due];
    due.clear();
    invoke('feed_credits', { credits });
  });
  due.set(feed, frame);
};
const follow = async (session) => {
  const { page } = await invoke('open_session', { session });
  const early = [];
  let feed = null;
  const take = ({ message }) => {
    if (!message) return;
    const at = Date.now();
    for (const event of message.events ?? []) {
      if (event.type !== 'append') continue;
      for (const [, sent] of event.text.matchAll(/@([0-9.]+)@/g))
        if (Number(sent) > bench.from) bench.ages.push(at - Number(sent));
    }
    if (feed === null) early.push(message.frame);
    else credit(feed, message.frame);
  };
  const channel = `__CHANNEL__:${transformCallback(take)}`;
  feed = await invoke('follow_session', { session, fromSeq: page.lastSeq, channel });
  for (const frame of early) credit(feed, frame);
  return feed;
};
Promise.all(sessions.map(follow)).then((feeds) => done((bench.feeds = feeds).length), (error) => done(String(error?.message ?? error)));
";

/// Hands over how old each line was when it came, in milliseconds.
const COLLECT: &str = "
const [warming, seconds, done] = arguments;
window.bench.from = Date.now() + warming * 1000;
setTimeout(() => {
  for (const feed of window.bench.feeds) window.__TAURI_INTERNALS__.invoke('unfollow', { feed });
  done(window.bench.ages);
}, (warming + seconds) * 1000);
";

/// Measures one session, what a window shows of many, all of them, and all beside a flood.
pub(crate) fn measure(table: &mut Table) {
    super::run(compare(table));
}

async fn compare(table: &mut Table) {
    let bare = reference(1).await;
    let bare_many = reference(SESSIONS).await;
    let one = ages(1, 1, false).await;
    add(table, "1 session", &one, &bare);
    let shown = ages(SESSIONS, PANES, false).await;
    add(table, &format!("{SESSIONS} sessions of which {PANES} are shown"), &shown, &bare);
    let flooded = ages(SESSIONS, PANES, true).await;
    beside_flood(
        table,
        &format!("{SESSIONS} sessions of which {PANES} are shown"),
        [&flooded, &shown],
        Budget::ReferencePlus(16.0),
    );
    let all = ages(SESSIONS, SESSIONS, false).await;
    add(table, &format!("{SESSIONS} sessions, all followed, beside so many bare channels"), &all, &bare_many);
    let all_flooded = ages(SESSIONS, SESSIONS, true).await;
    beside_flood(
        table,
        &format!("{SESSIONS} sessions, all followed"),
        [&all_flooded, &all],
        Budget::Absolute(f64::INFINITY),
    );
    let mut counts = vec![(1, one.clone())];
    for sessions in BETWEEN {
        counts.push((sessions, ages(sessions, sessions, false).await));
    }
    counts.push((SESSIONS, all.clone()));
    draw_counts(&counts);
    let lines = [
        ("bare channel", bare),
        ("50 bare channels", bare_many),
        ("1 session", one),
        ("50 sessions, 4 of them shown", shown),
        ("the same, one of the 4 floods", flooded),
        ("50 sessions, all followed", all),
        ("the same, one of them floods", all_flooded),
    ];
    draw(lines.map(|(name, ages)| (name.to_owned(), percentiles(&ages))).into());
}

fn add(table: &mut Table, what: &str, ages: &[f64], bare: &[f64]) {
    for (of, part, most) in [("p50", 0.5, 16.0), ("p99", 0.99, 32.0)] {
        let (ours, reference) = (super::quantile(ages, part), super::quantile(bare, part));
        let name = format!("3 latency, {what}, {of}");
        table.add(Row { name, ours, reference, unit: "ms", budget: Budget::Absolute(most) });
    }
}

/// What a flood does to the other sessions: their ages beside it, and without it.
fn beside_flood(table: &mut Table, what: &str, [with, without]: [&[f64]; 2], budget: Budget) {
    let (ours, reference) = (super::quantile(with, 0.99), super::quantile(without, 0.99));
    let name = format!("3 p99 of {what}, beside a flood");
    table.add(Row { name, ours, reference, unit: "ms", budget });
}

/// What part of the lines was not older than that. The axes give each nine of the part the same room, and each power of ten of
/// the milliseconds.
fn percentiles(ages: &[f64]) -> Vec<(f64, f64)> {
    let nines = (0..=120).map(|step| f64::from(step) / 40.0);
    let age = |nines: f64| super::quantile(ages, 1.0 - 10_f64.powf(-nines)).max(LEAST).log10();
    nines.map(|nines| (nines, age(nines))).collect()
}

fn draw(lines: Vec<(String, Vec<(f64, f64)>)>) {
    let most = lines.iter().flat_map(|line| &line.1).map(|point| point.1).fold(2.0, f64::max);
    let part = |nines: f64| match (nines * 10.0).round() as i32 {
        0 => "0 %".to_owned(),
        10 => "90 %".to_owned(),
        20 => "99 %".to_owned(),
        30 => "99.9 %".to_owned(),
        _ => String::new(),
    };
    let picture = Picture {
        name: "latency",
        title: "How old a line is when it reaches the page, 200 lines a second from each session",
        across: Axis { title: "part of the lines that are not older", from: 0.0, to: 3.05, words: part },
        up: Axis { title: "milliseconds", from: LEAST.log10(), to: most.ceil() + 1.0, words: power },
        lines,
    };
    picture.write();
}

/// How the age of a line grows with the number of sessions that one page follows.
fn draw_counts(counts: &[(usize, Vec<f64>)]) {
    let of = |part: f64| {
        let age = |ages: &[f64]| super::quantile(ages, part).max(LEAST).log10();
        counts.iter().map(|(sessions, ages)| (*sessions as f64, age(ages))).collect::<Vec<_>>()
    };
    for (sessions, ages) in counts {
        let (half, most) = (super::quantile(ages, 0.5), super::quantile(ages, 0.99));
        eprintln!("   {sessions} sessions, all followed: p50 {half:.0} ms, p99 {most:.0} ms");
    }
    let lines = vec![("p50".to_owned(), of(0.5)), ("p99".to_owned(), of(0.99))];
    let most = lines.iter().flat_map(|line| &line.1).map(|point| point.1).fold(2.0, f64::max);
    let picture = Picture {
        name: "latency_sessions",
        title: "How old a line is when it reaches a page that follows so many sessions",
        across: Axis { title: "sessions of 200 lines a second", from: 0.0, to: SESSIONS as f64, words: plain },
        up: Axis { title: "milliseconds", from: LEAST.log10(), to: most.ceil(), words: power },
        lines,
    };
    picture.write();
}

/// The ages of the lines of so many sessions, of which the page follows the first ones. One that floods is among both.
async fn ages(sessions: usize, shown: usize, with_flood: bool) -> Vec<f64> {
    let home = super::home();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    let long = WARMING + SECONDS + 5;
    let start = |prompt: String| super::start(&home, &workspace, &prompt);
    let writer = std::env::current_exe().unwrap();
    let stream = || start(format!("stream {RATE} {long} {}", writer.display()));
    let floods = usize::from(with_flood);
    let mut all: Vec<String> = (floods..sessions).map(|_| stream()).collect();
    all.truncate(shown - floods);
    if with_flood {
        all.push(start(format!("flood {long}")));
    }
    let followed = super::script(window.client(), FOLLOW, vec![json!(all)]).await;
    assert_eq!(followed, json!(all.len()), "not all sessions could be followed");
    super::go(&workspace);
    let found = super::script(window.client(), COLLECT, vec![json!(WARMING), json!(SECONDS)]).await;
    stop_all(&home);
    window.close().await;
    numbers(&format!("{shown} of {sessions} sessions"), &found)
}

/// The same lines over so many bare channels, one session's worth over each.
async fn reference(channels: usize) -> Vec<f64> {
    let window = BareWindow::open().await;
    let script = "
        const [channels, lines, every, done] = arguments;
        const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
        const ages = [];
        let came = 0;
        const take = ({ message }) => {
          if (!message) return;
          const at = Date.now();
          came++;
          for (const [, sent] of JSON.stringify(message).matchAll(/@([0-9.]+)@/g)) ages.push(at - Number(sent));
        };
        const stream = () => {
          const channel = `__CHANNEL__:${transformCallback(take)}`;
          return invoke('stream', { channel, lines, everyMicros: every, words: 'word' });
        };
        const over = () => (came < channels * lines ? setTimeout(over, 100) : done(ages));
        Promise.all(Array.from({ length: channels }, stream)).then(over, (error) => done(String(error)));";
    let lines = RATE * SECONDS;
    let arguments = vec![json!(channels), json!(lines), json!(1_000_000 / RATE)];
    let found = super::script(window.client(), script, arguments).await;
    numbers(&format!("{channels} bare channels"), &found)
}

fn numbers(of: &str, found: &Value) -> Vec<f64> {
    let list = found.as_array().unwrap_or_else(|| panic!("the page has no figures: {found}"));
    assert!(list.len() > 100, "only {} lines came of {of}", list.len());
    list.iter().filter_map(Value::as_f64).collect()
}

fn stop_all(home: &Home) {
    super::outrigger(home, &home.workspace(), &["stop", "--all", "--force"]);
}
