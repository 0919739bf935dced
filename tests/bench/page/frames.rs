//! Budget 11: frames a second while a transcript of 100,000 items is scrolled and streams, beside an empty page.

use outrigger_tests::Home;
use serde_json::{Value, json};

use crate::bare_window::BareWindow;
use crate::picture::{Axis, Picture, plain};
use crate::table::{Budget, Row, Table};
use crate::window::Window;

const ITEMS: u64 = 100_000;
const SECONDS: u32 = 10;

/// Scrolls a little at each frame, up and down again, and hands over when frames were drawn, and how long each turn of a loop that
/// does nothing had to wait: what a key press would have waited. All in milliseconds.
const WATCH: &str = "
const [seconds, done] = arguments;
const list = document.querySelector('[data-testid=transcript]');
const frames = [], waits = [];
let watching = true, up = true;
const EVERY = 4;
const { port1, port2 } = new MessageChannel();
let last;
port1.onmessage = () => {
  const at = performance.now();
  if (last !== undefined) waits.push(Math.max(0, at - last - EVERY));
  last = at;
  if (watching) setTimeout(() => port2.postMessage(0), EVERY);
};
let began;
const frame = () => {
  frames.push(performance.now() - began);
  if (list) {
    if (up) list.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
    list.scrollTop += up ? -90 : 90;
    if (frames.length % 240 === 0) up = !up;
  }
  if (performance.now() - began < seconds * 1000) return requestAnimationFrame(frame);
  watching = false;
  done([frames, waits, list ? list.querySelectorAll('[data-testid=item]').length : 0]);
};
requestAnimationFrame(() => {
  began = performance.now();
  port2.postMessage(0);
  requestAnimationFrame(frame);
});
";

/// What was seen of one page.
struct Seen {
    /// When frames were drawn, in milliseconds.
    frames: Vec<f64>,
    /// Milliseconds.
    waits: Vec<f64>,
}

/// Measures the page, then the empty one.
pub(crate) fn measure(table: &mut Table) {
    super::run(compare(table));
}

async fn compare(table: &mut Table) {
    let home = super::home();
    let ours = ours(&home).await;
    let bare = BareWindow::open().await;
    bare.focus();
    let reference = Seen::from(&super::script(bare.client(), WATCH, vec![json!(SECONDS)]).await);
    let name = format!("11 frames while {ITEMS} items scroll and stream");
    let (a, b, budget) = (ours.rate(), reference.rate(), Budget::TimesReference(55.0 / 60.0));
    table.add(Row { name, ours: a, reference: b, unit: "/s", budget });
    for (what, part, most) in
        [("the longest task meanwhile", 1.0, 50.0), ("p99 of tasks meanwhile", 0.99, f64::INFINITY)]
    {
        let (a, b) = (super::quantile(&ours.waits, part), super::quantile(&reference.waits, part));
        let budget = Budget::Absolute(most);
        table.add(Row { name: format!("11 {what}"), ours: a, reference: b, unit: "ms", budget });
    }
    draw(&ours, &reference);
}

async fn ours(home: &Home) -> Seen {
    let workspace = home.workspace();
    let session = super::start(home, &workspace, "items 1");
    super::until_idle(home, &workspace, &session);
    super::outrigger(home, &workspace, &["send", &session, &format!("items {ITEMS}")]);
    super::until_written(home, &workspace, &session, ITEMS);
    // Otherwise the app takes them into its archive while it is measured.
    super::outrigger(home, &workspace, &["search", "--wait", "keeper"]);
    let window = Window::open(home, &workspace).await;
    window.see(&format!("[data-session='{session}']")).await.click().await.unwrap();
    window.see("[data-testid=item]").await;
    super::outrigger(home, &workspace, &["send", &session, &format!("stream 200 {}", SECONDS + 60)]);
    super::go(&workspace);
    window.see_session("working").await;
    window.see_text("[data-testid=transcript]", "word @").await;
    // WebKit lets a page without the focus, in which nobody does anything, draw one frame in ten seconds.
    window.desk.focus();
    let found = super::script(window.client(), WATCH, vec![json!(SECONDS)]).await;
    assert!(found[2].as_u64() > Some(0), "nothing is in the transcript after scrolling");
    super::outrigger(home, &workspace, &["stop", "--force", &session]);
    window.close().await;
    Seen::from(&found)
}

impl Seen {
    fn from(found: &Value) -> Self {
        let list = |place: usize| found[place].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
        Self { frames: list(0), waits: list(1) }
    }

    /// Frames a second.
    fn rate(&self) -> f64 {
        let (Some(first), Some(last)) = (self.frames.first(), self.frames.last()) else { return 0.0 };
        (self.frames.len() - 1) as f64 * 1000.0 / (last - first)
    }

    /// When each frame was drawn in seconds, and how long after the one before in milliseconds.
    fn gaps(&self) -> Vec<(f64, f64)> {
        self.frames.windows(2).map(|pair| (pair[1] / 1000.0, pair[1] - pair[0])).collect()
    }
}

fn draw(ours: &Seen, reference: &Seen) {
    let lines = vec![("an empty page".to_owned(), reference.gaps()), ("the transcript".to_owned(), ours.gaps())];
    let most = lines.iter().flat_map(|line| &line.1).map(|point| point.1).fold(50.0, f64::max);
    let picture = Picture {
        name: "frames",
        title: "From frame to frame while 100,000 items scroll and stream",
        across: Axis { title: "seconds", from: 0.0, to: f64::from(SECONDS), words: plain },
        up: Axis { title: "milliseconds", from: 0.0, to: most * 1.3, words: plain },
        lines,
    };
    picture.write();
}
