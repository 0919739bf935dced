//! Budget 3: from a line that a runner writes to the callback in the page, with 1 and with 50 sessions that stream 200 lines a
//! second each, and with one more that floods. Beside it the same line over a bare channel.

use outrigger_tests::Home;
use serde_json::{Value, json};

use crate::bare_window::BareWindow;
use crate::picture::{Axis, Picture, plain};
use crate::table::{Budget, Row, Table};
use crate::window::Window;

const SESSIONS: usize = 50;
const SECONDS: u32 = 15;
const RATE: u32 = 200;
/// For all sessions to be started one by one, beside those that stream already.
const STARTING: u32 = 180;

/// Follows sessions as the page does, and hands over how old each line was when it came, in milliseconds. What came in the first
/// two seconds is left out: the feeds catch up then.
const FOLLOW: &str = "
const [sessions, seconds, done] = arguments;
const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
const ages = [];
let from = Infinity;
const follow = async (session) => {
  const { page } = await invoke('open_session', { session });
  const early = [];
  let feed = null;
  const take = ({ message }) => {
    if (!message) return;
    const at = Date.now();
    for (const event of message.events ?? []) {
      if (event.type !== 'append') continue;
      for (const [, sent] of event.text.matchAll(/@([0-9.]+)@/g)) if (Number(sent) > from) ages.push(at - Number(sent));
    }
    if (feed === null) early.push(message.frame);
    else invoke('feed_credit', { feed, frame: message.frame });
  };
  const channel = `__CHANNEL__:${transformCallback(take)}`;
  feed = await invoke('follow_session', { session, fromSeq: page.lastSeq, channel });
  for (const frame of early) invoke('feed_credit', { feed, frame });
  return feed;
};
(async () => {
  const feeds = await Promise.all(sessions.map(follow));
  from = Date.now() + 2000;
  await new Promise((next) => setTimeout(next, 2000 + seconds * 1000));
  for (const feed of feeds) invoke('unfollow', { feed });
  done(ages);
})().catch((error) => done(String(error?.message ?? error)));
";

/// Measures one session, all, and all beside a flood.
pub(crate) fn measure(table: &mut Table) {
    super::run(compare(table));
}

async fn compare(table: &mut Table) {
    let bare = reference().await;
    let one = ages(1, false).await;
    let all = ages(SESSIONS, false).await;
    let beside = ages(SESSIONS, true).await;
    for (what, ages) in [("1 session", &one), ("50 sessions", &all)] {
        for (of, part, most) in [("p50", 0.5, 16.0), ("p99", 0.99, 32.0)] {
            let (ours, reference) = (super::quantile(ages, part), super::quantile(&bare, part));
            let name = format!("3 latency, {what}, {of}");
            table.add(Row { name, ours, reference, unit: "ms", budget: Budget::Absolute(most) });
        }
    }
    let (ours, reference) = (super::quantile(&beside, 0.99), super::quantile(&all, 0.99));
    let name = "3 p99 of 50 sessions beside a flood".to_owned();
    table.add(Row { name, ours, reference, unit: "ms", budget: Budget::ReferencePlus(16.0) });
    let lines = [("bare channel", bare), ("1 session", one), ("50 sessions", all), ("50 sessions and a flood", beside)];
    draw(lines.map(|(name, ages)| (name.to_owned(), percentiles(&ages))).into());
}

/// What part of the lines was not older than that. The axis gives each nine of the part the same room.
fn percentiles(ages: &[f64]) -> Vec<(f64, f64)> {
    let nines = (0..=120).map(|step| f64::from(step) / 40.0);
    nines.map(|nines| (nines, super::quantile(ages, 1.0 - 10_f64.powf(-nines)))).collect()
}

fn draw(lines: Vec<(String, Vec<(f64, f64)>)>) {
    let most = lines.iter().flat_map(|line| &line.1).map(|point| point.1).fold(20.0, f64::max);
    let part = |nines: f64| match nines {
        ..0.5 => "0 %".to_owned(),
        0.5..1.5 => "90 %".to_owned(),
        1.5..2.5 => "99 %".to_owned(),
        _ => "99.9 %".to_owned(),
    };
    let picture = Picture {
        name: "latency",
        title: "How old a line is when it reaches the page, 200 lines a second from each session",
        across: Axis { title: "part of the lines that are not older", from: 0.0, to: 3.0, words: part },
        up: Axis { title: "milliseconds", from: 0.0, to: most * 1.1, words: plain },
        lines,
    };
    picture.write();
}

/// The ages of the lines of so many sessions.
async fn ages(sessions: usize, with_flood: bool) -> Vec<f64> {
    let home = super::home();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    let long = SECONDS + STARTING;
    let start = |prompt: String| super::start(&home, &workspace, &prompt);
    let mut all: Vec<String> = (0..sessions).map(|_| start(format!("stream {RATE} {long}"))).collect();
    if with_flood {
        all.push(start(format!("flood {long}")));
    }
    let found = super::script(window.client(), FOLLOW, vec![json!(all), json!(SECONDS)]).await;
    stop_all(&home);
    window.close().await;
    numbers(&format!("{sessions} sessions"), &found)
}

/// The same lines over a bare channel, one session's worth.
async fn reference() -> Vec<f64> {
    let window = BareWindow::open().await;
    let script = "
        const [lines, every, done] = arguments;
        const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
        const ages = [];
        const take = ({ message }) => {
          if (!message) return;
          const at = Date.now();
          for (const [, sent] of JSON.stringify(message).matchAll(/@([0-9.]+)@/g)) ages.push(at - Number(sent));
        };
        const channel = `__CHANNEL__:${transformCallback(take)}`;
        invoke('stream', { channel, lines, everyMicros: every, words: 'word' }).then(() => setTimeout(() => done(ages), 200));";
    let lines = RATE * SECONDS;
    let found = super::script(window.client(), script, vec![json!(lines), json!(1_000_000 / RATE)]).await;
    numbers("a bare channel", &found)
}

fn numbers(of: &str, found: &Value) -> Vec<f64> {
    let list = found.as_array().unwrap_or_else(|| panic!("the page has no figures: {found}"));
    assert!(list.len() > 100, "only {} lines came of {of}", list.len());
    list.iter().filter_map(Value::as_f64).collect()
}

fn stop_all(home: &Home) {
    super::outrigger(home, &home.workspace(), &["stop", "--all", "--force"]);
}
