//! Budget 3: from a line that a runner writes to the callback in the page, with 1 and with 50 sessions that stream 200 lines a
//! second each, and with one more that floods. Beside it the same line over a bare channel.

use std::time::Duration;

use outrigger_tests::Home;
use serde_json::{Value, json};

use crate::bare_window::BareWindow;
use crate::table::{Budget, Row, Table};
use crate::window::Window;

const SESSIONS: usize = 50;
const SECONDS: u32 = 15;
const RATE: u32 = 200;

/// Follows sessions as the page does, and hands over how old each line was when it came, in milliseconds.
const FOLLOW: &str = "
const [sessions, seconds, done] = arguments;
const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
const ages = [];
const clock = () => performance.timeOrigin + performance.now();
const began = clock();
const follow = async (session) => {
  const summary = await invoke('open_session', { session });
  const early = [];
  let feed = null;
  const take = ({ message }) => {
    if (!message) return;
    const at = clock();
    if (at - began > 2000) {
      for (const [, sent] of JSON.stringify(message).matchAll(/@([0-9.]+)@/g)) {
        if (Number(sent) > began + 2000) ages.push(at - Number(sent));
      }
    }
    if (feed === null) early.push(message.frame);
    else invoke('feed_credit', { feed, frame: message.frame });
  };
  const channel = `__CHANNEL__:${transformCallback(take)}`;
  feed = await invoke('follow_session', { session, fromSeq: summary.page.toSeq ?? 0, channel });
  for (const frame of early) invoke('feed_credit', { feed, frame });
  return feed;
};
(async () => {
  const feeds = await Promise.all(sessions.map(follow));
  await new Promise((next) => setTimeout(next, seconds * 1000));
  for (const feed of feeds) invoke('unfollow', { feed });
  done(ages);
})().catch((error) => done(String(error?.message ?? error)));
";

/// Measures one session, all, and all beside a flood.
pub(super) async fn measure(table: &mut Table) {
    let mut bare = reference().await;
    let (p50, p99) = (super::quantile(&mut bare, 0.5), super::quantile(&mut bare, 0.99));
    let one = ages(1, false).await;
    add(table, "1 session", one, (p50, p99), 0.0);
    let all = ages(SESSIONS, false).await;
    add(table, "50 sessions", all.clone(), (p50, p99), 0.0);
    let beside = ages(SESSIONS, true).await;
    let mut alone = all;
    let alone = super::quantile(&mut alone, 0.99);
    let mut beside = beside;
    let (name, ours) = ("3 p99 of 50 sessions beside a flood".to_owned(), super::quantile(&mut beside, 0.99));
    table.add(Row { name, ours, reference: alone, unit: "ms", budget: Budget::ReferencePlus(16.0) });
}

fn add(table: &mut Table, what: &str, mut ages: Vec<f64>, (p50, p99): (f64, f64), _: f64) {
    let row = |name, ours, reference, most| Row { name, ours, reference, unit: "ms", budget: Budget::Absolute(most) };
    table.add(row(format!("3 latency, {what}, p50"), super::quantile(&mut ages, 0.5), p50, 16.0));
    table.add(row(format!("3 latency, {what}, p99"), super::quantile(&mut ages, 0.99), p99, 32.0));
}

/// The ages of the lines of so many sessions.
async fn ages(sessions: usize, with_flood: bool) -> Vec<f64> {
    let home = super::home();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    let long = SECONDS + 60;
    let start = |prompt: String| super::start(&home, &workspace, &prompt);
    let followed: Vec<String> = (0..sessions).map(|_| start(format!("stream {RATE} {long}"))).collect();
    let mut all = followed.clone();
    if with_flood {
        all.push(start(format!("flood {long}")));
    }
    let client = window.client();
    client.update_timeouts(patient()).await.unwrap();
    let found =
        super::script(client, FOLLOW, vec![json!(if with_flood { &all } else { &followed }), json!(SECONDS)]).await;
    stop_all(&home);
    window.close().await;
    numbers(&found)
}

/// The same lines over a bare channel, one session's worth.
async fn reference() -> Vec<f64> {
    let window = BareWindow::open().await;
    window.client().update_timeouts(patient()).await.unwrap();
    let script = "
        const [lines, every, done] = arguments;
        const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
        const ages = [];
        const take = ({ message }) => {
          if (!message) return;
          const at = performance.timeOrigin + performance.now();
          for (const [, sent] of JSON.stringify(message).matchAll(/@([0-9.]+)@/g)) ages.push(at - Number(sent));
        };
        const channel = `__CHANNEL__:${transformCallback(take)}`;
        invoke('stream', { channel, lines, everyMicros: every, words: 'word' }).then(() => setTimeout(() => done(ages), 200));";
    let lines = RATE * SECONDS;
    let found = super::script(window.client(), script, vec![json!(lines), json!(1_000_000 / RATE)]).await;
    numbers(&found)
}

fn numbers(found: &Value) -> Vec<f64> {
    let list = found.as_array().unwrap_or_else(|| panic!("the page has no figures: {found}"));
    assert!(list.len() > 100, "only {} lines came", list.len());
    list.iter().filter_map(Value::as_f64).collect()
}

fn patient() -> fantoccini::wd::TimeoutConfiguration {
    fantoccini::wd::TimeoutConfiguration::new(Some(Duration::from_secs(u64::from(SECONDS) + 120)), None, None)
}

fn stop_all(home: &Home) {
    super::outrigger(home, &home.workspace(), &["stop", "--all", "--force"]);
}
