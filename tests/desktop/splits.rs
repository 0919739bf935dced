//! Sessions side by side in the real engine: a session is dragged beside another one, by the mouse.

use outrigger_tests::Home;
use serde_json::json;

use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_dragged_beside_another_one() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("First.").await;
    let first = window.see_session("needsYou").await;
    window.press("permission-deny").await;
    window.see_session("idle").await;
    window.press("new-session").await;
    window.start_demo("Second.").await;
    let _ = window.see_session("needsYou").await;
    drag(&window, &first, "drop-beside").await;
    see_titles(&window, &["Second.", "First."]).await;
    window.picture("split").await;
}

async fn see_titles(window: &Window, titles: &[&str]) {
    let script = "const titles = [...document.querySelectorAll('[data-testid=pane]')].map((pane) => \
        pane.querySelector('h1')?.innerText ?? ''); \
        return arguments[0].length === titles.length && arguments[0].every((title, at) => titles[at].includes(title));";
    window.until(&format!("the panes {titles:?}"), script, json!([titles])).await;
}

/// Drags the row of a session to a zone of the first pane by the display's own mouse, since the engine hands a drag over to the
/// system. The zones are there only while it drags.
async fn drag(window: &Window, session: &str, zone: &str) {
    let row = format!("[data-testid=session-row][data-session='{session}']");
    window.see(&row).await;
    let (x, y) = middle(window, &row).await;
    let to = |x: i64, y: i64| ["mousemove".to_owned(), x.to_string(), y.to_string()];
    window.desk.mouse(&to(x, y));
    window.desk.mouse(&["mousedown".to_owned(), "1".to_owned()]);
    for step in 1..=8 {
        window.desk.mouse(&to(x + 6 * step, y + 3 * step));
    }
    let zone = format!("[data-testid=pane] [data-testid={zone}]");
    window.see(&zone).await;
    let (x, y) = middle(window, &zone).await;
    for step in (0..=8).rev() {
        window.desk.mouse(&to(x - 4 * step, y - 4 * step));
    }
    window
        .until(
            "the mouse to be over the zone",
            "return document.querySelector(arguments[0]).classList.contains('over');",
            json!([zone]),
        )
        .await;
    window.desk.mouse(&["mouseup".to_owned(), "1".to_owned()]);
}

/// The middle of a part of the page, on the display.
async fn middle(window: &Window, css: &str) -> (i64, i64) {
    let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect(); \
        return [screenX + box.x + box.width / 2, screenY + box.y + box.height / 2].map(Math.round);";
    let place = window.client().execute(script, vec![json!(css)]).await.unwrap();
    (place[0].as_i64().unwrap(), place[1].as_i64().unwrap())
}
