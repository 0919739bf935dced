//! Budget 4: how long a huge session takes to open, beside one of 100 items, and what it costs in memory to scroll through it.

use serde_json::{Value, json};

use crate::events;
use crate::table::{Budget, Row, Table, median};
use crate::window::Window;

const RUNS: usize = 9;
/// About as many bytes as one item takes in the journal.
const ITEM_BYTES: u64 = 1050;

/// Presses the row of a session and waits until the end of its transcript is painted. Hands over the milliseconds.
const OPEN: &str = "
const [session, done] = arguments;
const row = document.querySelector(`[data-session='${session}']`);
const began = performance.now();
row.click();
const look = () => {
  const list = document.querySelector('[data-testid=transcript]');
  const shown = row.getAttribute('aria-current') === 'true' && list && list.innerText.includes('the end');
  if (!shown) return requestAnimationFrame(look);
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
};
requestAnimationFrame(look);
";

/// Scrolls through the whole transcript in jumps of its length, and back to its end.
const SCROLL: &str = "
const [jumps, done] = arguments;
const list = document.querySelector('[data-testid=transcript]');
const drawn = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(next, 20))));
(async () => {
  list.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
  for (let jump = 0; jump <= jumps; jump++) {
    list.scrollTop = (list.scrollHeight * (jumps - jump)) / jumps;
    await drawn();
  }
  done(list.querySelectorAll('[data-testid=item]').length);
})();
";

/// Measures both sessions in one window, in turn.
pub(super) async fn measure(table: &mut Table) {
    let home = super::home();
    let workspace = home.workspace();
    let many = events::size() / ITEM_BYTES;
    let huge = super::start(&home, &workspace, &format!("items {many}"));
    let small = super::start(&home, &workspace, "items 100");
    for session in [&huge, &small] {
        super::until_idle(&home, &workspace, session);
        super::outrigger(&home, &workspace, &["stop", session]);
    }
    let window = Window::open(&home, &workspace).await;
    window.see(&format!("[data-session='{huge}']")).await;
    let (mut ours, mut reference) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        reference.push(open(&window, &small).await);
        ours.push(open(&window, &huge).await);
    }
    let first = ours[0];
    add(
        table,
        format!("4 opening {many} items"),
        (median(ours), median(reference.clone())),
        "ms",
        Budget::AtMostTimesReference(1.5),
    );
    let name = format!("4 the first opening of {many} items");
    add(table, name, (first, reference[0]), "ms", Budget::Absolute(f64::INFINITY));
    open(&window, &small).await;
    scroll(&window, 50).await;
    let before = super::tree_memory(window.app());
    open(&window, &huge).await;
    scroll(&window, 400).await;
    let after = super::tree_memory(window.app());
    add(
        table,
        format!("4 memory after scrolling through {many} items"),
        (after, before),
        "MiB",
        Budget::ReferencePlus(60.0),
    );
    window.close().await;
}

async fn open(window: &Window, session: &str) -> f64 {
    super::script(window.client(), OPEN, vec![json!(session)]).await.as_f64().unwrap()
}

async fn scroll(window: &Window, jumps: u32) {
    let shown: Value = super::script(window.client(), SCROLL, vec![json!(jumps)]).await;
    assert!(shown.as_u64().unwrap() > 0, "nothing was drawn while scrolling");
}

fn add(table: &mut Table, name: String, (ours, reference): (f64, f64), unit: &'static str, budget: Budget) {
    table.add(Row { name, ours, reference, unit, budget });
}
