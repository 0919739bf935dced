//! Budget 11: frames a second while a transcript of 100,000 items is scrolled and streams, beside an empty page.

use serde_json::{Value, json};

use crate::bare_window::BareWindow;
use crate::table::{Budget, Row, Table};
use crate::window::Window;

const ITEMS: u64 = 100_000;
const SECONDS: u32 = 10;

/// Scrolls a little at each frame, up and down again, and hands over the frames a second and the longest time between two looks of
/// a loop that does nothing: what a key press would have waited.
const WATCH: &str = "
const [seconds, done] = arguments;
const list = document.querySelector('[data-testid=transcript]');
list?.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
let frames = 0, longest = 0, watching = true, up = true;
const began = performance.now();
const { port1, port2 } = new MessageChannel();
let last = began;
port1.onmessage = () => {
  const at = performance.now();
  longest = Math.max(longest, at - last);
  last = at;
  if (watching) setTimeout(() => port2.postMessage(0), 4);
};
port2.postMessage(0);
const frame = () => {
  frames += 1;
  if (list) {
    list.scrollTop += up ? -90 : 90;
    if (frames % 240 === 0) up = !up;
  }
  const past = performance.now() - began;
  if (past < seconds * 1000) return requestAnimationFrame(frame);
  watching = false;
  done([(frames * 1000) / past, longest]);
};
requestAnimationFrame(frame);
";

/// Measures the page, then the empty one.
pub(super) async fn measure(table: &mut Table) {
    let home = super::home();
    let workspace = home.workspace();
    let session = super::start(&home, &workspace, &format!("items {ITEMS}"));
    super::until_idle(&home, &workspace, &session);
    let window = Window::open(&home, &workspace).await;
    window.see(&format!("[data-session='{session}']")).await.click().await.unwrap();
    window.see("[data-testid=item]").await;
    super::outrigger(&home, &workspace, &["send", "--detach", &session, &format!("stream 200 {}", SECONDS + 30)]);
    window.see_session("working").await;
    let ours = watched(&super::script(window.client(), WATCH, vec![json!(SECONDS)]).await);
    super::outrigger(&home, &workspace, &["stop", "--force", &session]);
    window.close().await;
    let bare = BareWindow::open().await;
    let reference = watched(&super::script(bare.client(), WATCH, vec![json!(SECONDS)]).await);
    let name = format!("11 frames while {ITEMS} items scroll and stream");
    table.add(Row {
        name,
        ours: ours.0,
        reference: reference.0,
        unit: "/s",
        budget: Budget::TimesReference(55.0 / 60.0),
    });
    let name = "11 the longest task meanwhile".to_owned();
    table.add(Row { name, ours: ours.1, reference: reference.1, unit: "ms", budget: Budget::Absolute(50.0) });
}

fn watched(found: &Value) -> (f64, f64) {
    (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
}
