//! After a restart everything is where it was: the windows, their sizes and places, what stood in them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use outrigger_tests::{Home, Program};
use serde_json::{Value, json};

use crate::window::{Window, wait_until};

fn other(home: &Home) -> PathBuf {
    let other = home.user_home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    other
}

fn set(home: &Home) -> PathBuf {
    home.path().join("data/window-set.json")
}

/// What is kept of the window of a workspace.
fn kept(home: &Home, name: &str) -> Value {
    let file: Value = serde_json::from_slice(&std::fs::read(set(home)).unwrap_or_default()).unwrap_or_default();
    let windows = file["windows"].as_array().cloned().unwrap_or_default();
    windows.into_iter().find(|kept| kept["workspace"].as_str().unwrap().ends_with(name)).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_app_comes_back_with_its_windows_panes_and_inspector() {
    let home = Home::new();
    let (workspace, other) = (home.workspace(), other(&home));
    let window = Window::open(&home, &workspace).await;
    window.start_demo("First.").await;
    let first = window.see_session("needsYou").await;
    window.press("permission-deny").await;
    window.see_session("idle").await;
    // Two panes, the second with the keyboard; the inspector at one of its tabs; another size.
    window.press("new-session").await;
    window.start_demo("Second.").await;
    window.press("permission-deny").await;
    window.see_text("h1", "Second.").await;
    window.see_no("[data-testid=permission-deny]").await;
    let row = format!("[data-testid=session-row][data-session='{first}']");
    window.client().execute("document.querySelector(arguments[0]).focus()", vec![json!(row)]).await.unwrap();
    window.until("two panes", SPLIT, json!([row])).await;
    window.client().execute(INSPECT, Vec::new()).await.unwrap();
    window.see("[data-testid=inspector]").await;
    window.client().set_window_rect(40, 30, 1000, 640).await.unwrap();
    let mut command: Command = home.command(["open", other.to_str().unwrap()]);
    window.desk.furnish(&mut command, &home);
    Program::start(command).finish().assert_code(0);
    window.see_windows(2).await;
    let is_kept = || {
        let kept = kept(&home, "workspace");
        kept["place"]["width"] == 1000 && kept["layout"]["sessions"].as_array().is_some_and(|all| all.len() == 2)
    };
    wait_until("the set to be written", || is_kept() && kept(&home, "other")["open"] == true).await;
    window.kill();

    let window = Window::open(&home, &workspace).await;
    window.see_windows(2).await;
    window.go_to_window("workspace").await;
    let titles = "const titles = [...document.querySelectorAll('[data-testid=pane] h1')].map((title) => title.innerText); \
        return titles.join() === arguments[0];";
    window.until("both sessions in their panes", titles, json!(["Second.,First."])).await;
    window.see("[data-testid=pane]:nth-child(2)[data-active=true]").await;
    window.see("[data-testid=inspector] [role=tab][aria-selected=true]").await;
    window.picture("restored").await;
    let place = kept(&home, "workspace")["place"].clone();
    assert_eq!(
        (&place["x"], &place["y"], &place["width"], &place["height"]),
        (&json!(40), &json!(30), &json!(1000), &json!(640))
    );
    let size = window.client().execute("return [innerWidth, innerHeight]", Vec::new()).await.unwrap();
    assert_eq!(size, json!([1000, 640]));
}

/// Ctrl and Enter on a row of the list.
const SPLIT: &str = "
if (document.querySelectorAll('[data-testid=pane] h1').length === 2) return true;
const row = document.querySelector(arguments[0]);
row.focus();
row.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', ctrlKey: true, bubbles: true, cancelable: true }));
return false;
";

const INSPECT: &str =
    "window.dispatchEvent(new KeyboardEvent('keydown', { key: 'i', ctrlKey: true, bubbles: true, cancelable: true }))";

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_set_a_folder_that_is_gone_and_a_monitor_that_is_gone_do_no_harm() {
    let home = Home::new();
    let workspace = home.workspace();
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    std::fs::write(set(&home), "{ \"windows\": [ {").unwrap();
    let window = Window::open(&home, &workspace).await;
    window.see("[data-testid=composer-input]").await;
    let aside = home.path().join("data/window-set.damaged.json");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "{ \"windows\": [ {");
    wait_until("a fresh set", || kept(&home, "workspace")["open"] == true).await;
    window.close().await;

    let far = json!({ "x": 5000, "y": 200, "width": 3000, "height": 900 });
    let windows = json!({ "windows": [
        { "workspace": workspace, "open": true, "place": far, "layout": { "sessions": ["0196e8a0-0000-7000-8000-000000000000"] } },
        { "workspace": "/nowhere/at/all", "open": true },
    ] });
    std::fs::write(set(&home), windows.to_string()).unwrap();
    let window = Window::open(&home, &workspace).await;
    window.see("[data-testid=session-list], [data-testid=new-session]").await;
    let size = window.client().execute("return [innerWidth, innerHeight]", Vec::new()).await.unwrap();
    assert_eq!(size, json!([1280, 800]), "no larger than the monitor");
    let place = "return [screenX, screenY]";
    let place = window.client().execute(place, Vec::new()).await.unwrap();
    assert!(place[0].as_i64().unwrap() < 1280 && place[1].as_i64().unwrap() < 800, "{place}");
    assert_eq!(window.client().windows().await.unwrap().len(), 1);
    assert!(home.debug_log().contains("a window of last time does not come back"));
    tokio::time::timeout(Duration::from_secs(20), window.close()).await.unwrap();
}
