//! A conversation in the window: start, watch, allow or deny, steer, queue, stop.

use outrigger_tests::Home;

use crate::told;
use crate::window::Window;

const SUMMARY: &str = "OUTRIGGER-DEMO.md";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_streams_asks_and_writes_its_file() {
    let home = Home::new();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    window.start_demo("Summarise this project. demo:slow=60").await;
    // Text that is there while the block is still open: it streams.
    window.see("[data-testid=item][data-kind=agentMessage]").await;
    assert!(!workspace.join(SUMMARY).exists());
    let session = window.see_session("needsYou").await;
    window.picture("permission").await;
    window.press("permission-allow").await;
    window.see("[data-testid=turn-end][data-reason=endTurn]").await;
    assert!(std::fs::read_to_string(workspace.join(SUMMARY)).unwrap().contains("README.md"));
    assert_eq!(window.see_session("idle").await, session);
    let shown: Vec<String> = window.items().await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(shown, told::ids(&home, &session));
    window.picture("turn-end").await;

    window.press("session-menu").await;
    window.press("session-end").await;
    assert_eq!(window.see_session("done").await, session);
    window.see_text("[data-testid=composer-send]", "Resume").await;
    window.picture("ended").await;
    window.close().await;
    home.assert_nobody_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_carries_a_word_to_the_agent() {
    let home = Home::new();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    window.start_demo("Summarise this project.").await;
    window.type_into("permission-word", "not in this folder").await;
    window.press("permission-deny").await;
    window.see("[data-testid=turn-end]").await;
    window.see_text("[data-kind=permission]", "not in this folder").await;
    window.see_text("[data-kind=agentMessage]", "You denied it").await;
    assert!(!workspace.join(SUMMARY).exists());
    let session = window.see_session("idle").await;
    let answer = Home::journal(&home.sessions()[0])
        .into_iter()
        .find(|record| record["src"] == "host" && record.to_string().contains("not in this folder"));
    assert!(answer.is_some(), "session {session}: the word is not in the journal");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_turn_is_steered_queued_behind_and_stopped() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("First. demo:slow=150").await;
    window.type_into("composer-input", "look at the lamp").await;
    window.press("composer-steer").await;
    window.see_text("[data-kind=userMessage]", "look at the lamp").await;
    window.type_into("composer-input", "And then this. demo:slow=200").await;
    window.press("composer-queue").await;
    window.see_text("[data-testid=queued-prompt]", "And then this").await;
    window.picture("queued").await;
    window.press("permission-allow").await;
    // The turn ends, and the queued prompt goes on by itself.
    window.see_text("[data-kind=userMessage]", "And then this").await;
    window.see_no("[data-testid=queued-prompt]").await;

    window.type_into("composer-input", "Not any more").await;
    window.press("composer-queue").await;
    window.see_text("[data-testid=queued-prompt]", "Not any more").await;
    window.press("composer-stop").await;
    window.see("[data-testid=turn-end][data-reason=interrupted]").await;
    // After a turn that was stopped the user decides about what waits.
    window.see_session("idle").await;
    window.press("queued-remove").await;
    window.see_no("[data-testid=queued-prompt]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_session_is_resumed_by_a_prompt() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("First.").await;
    window.press("permission-deny").await;
    window.see("[data-testid=turn-end]").await;
    let session = window.see_session("idle").await;
    home.run(["stop", &session]).assert_code(0);
    window.see_text("[data-testid=composer-send]", "Resume").await;
    window.type_into("composer-input", "Go on.").await;
    window.press("composer-send").await;
    window.see_text("[data-kind=agentMessage]", "I resumed").await;
    assert_eq!(window.see_session("needsYou").await, session);
    assert_eq!(home.sessions().len(), 1);
}
