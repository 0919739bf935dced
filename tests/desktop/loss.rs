//! A reload, a lost page and a killed app are three sizes of the same case: nothing is missing afterwards, and nothing is there twice.

use outrigger_tests::Home;

use crate::told;
use crate::window::{Window, kill, wait_until};

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
        assert_eq!(letters(words), letters(item["body"]["text"].as_str().unwrap()));
    }
}

/// What is left of a text when its markdown, or the space that it became, is taken away.
fn letters(text: &str) -> String {
    text.chars().filter(|character| character.is_alphanumeric()).collect()
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
async fn a_page_whose_process_is_gone_comes_back_by_itself() {
    let home = Home::new();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    window.start_demo(PROMPT).await;
    window.see("[data-testid=item][data-kind=thought]").await;
    let session = window.see_session("working").await;
    let tells = |line: &str| line.contains(&session) && line.contains("a page follows a session");
    let follows = || home.debug_log().lines().filter(|line| tells(line)).count();
    assert_eq!(follows(), 1);
    let page = home.processes().into_iter().find(|process| process.command.contains("WebKitWebProcess"));
    kill(page.expect("the page has a process of its own").pid);
    told::until(&home, &session, "the request", |item| item["body"]["type"] == "permission").await;
    wait_until("the page to follow its session again", || follows() == 2).await;
    // The web driver lost the page with its process. The keyboard did not: what it does shows that the page is back and knows
    // of the request.
    window.desk.press_until("alt+y", || workspace.join("OUTRIGGER-DEMO.md").exists()).await;
    told::until(&home, &session, "the end of the turn", |item| item["body"]["type"] == "turnEnd").await;
}
