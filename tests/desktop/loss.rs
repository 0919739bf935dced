//! A reload, a lost page and a killed app are three sizes of the same case: nothing is missing afterwards, and nothing is there twice.

use outrigger_tests::Home;

use crate::told;
use crate::window::{Window, kill};

/// Slow enough that a turn is not over before the test has done its part, and with some tool calls to count.
const PROMPT: &str = "Summarise this project. demo:slow=120 demo:tools=4";

async fn shows_everything(window: &Window, home: &Home, session: &str) {
    window.press("permission-allow").await;
    window.see("[data-testid=turn-end][data-reason=endTurn]").await;
    let shown = window.items().await;
    let ids: Vec<&str> = shown.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, told::ids(home, session));
    for item in told::items(home, session).iter().filter(|item| item["body"]["type"] == "agentMessage") {
        let (_, words) = shown.iter().find(|(id, _)| *id == item["id"]).unwrap();
        let first = item["body"]["text"].as_str().unwrap().split(&['*', '`', '\n', '“'][..]).next().unwrap().trim();
        let last = item["body"]["text"].as_str().unwrap().rsplit(&['*', '`', '\n', '“'][..]).next().unwrap().trim();
        assert!(words.contains(first) && words.contains(last), "{words:?} is not all of {item}");
        assert_eq!(words.matches(last).count(), 1, "{words:?} repeats {last:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_in_mid_stream_loses_and_repeats_nothing() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo(PROMPT).await;
    window.see("[data-testid=item][data-kind=thought]").await;
    window.client().refresh().await.unwrap();
    window.see_text("[data-kind=agentMessage]", "You asked").await;
    window.client().refresh().await.unwrap();
    let session = window.see_session("needsYou").await;
    shows_everything(&window, &home, &session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_app_leaves_the_agent_alone_and_a_new_one_shows_all_of_it() {
    let home = Home::new();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    window.start_demo(PROMPT).await;
    window.see("[data-testid=item][data-kind=toolCall]").await;
    let session = window.see_session("working").await;
    window.kill();
    // Nobody looks, and the agent goes on to the place where it needs somebody.
    told::until(&home, &session, "the request", |item| item["body"]["type"] == "permission").await;
    let window = Window::open(&home, &workspace).await;
    let row = window.see(&format!("[data-testid=session-row][data-session='{session}']")).await;
    row.click().await.unwrap();
    shows_everything(&window, &home, &session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_process_is_gone_comes_back_with_everything() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo(PROMPT).await;
    window.see("[data-testid=item][data-kind=thought]").await;
    window.client().execute("window.isTheOldPage = true", Vec::new()).await.unwrap();
    let page = home.processes().into_iter().find(|process| process.command.contains("WebKitWebProcess"));
    kill(page.expect("the page has a process of its own").pid);
    window.until("the page to come back", "return !window.isTheOldPage", serde_json::json!([])).await;
    let session = window.see_session("needsYou").await;
    shows_everything(&window, &home, &session).await;
}
