//! Several workspaces, each with a window: what one of them shows and does about the others.

use std::path::{Path, PathBuf};
use std::process::Command;

use outrigger_tests::{Home, Program};

use crate::window::Window;

const SUMMARY: &str = "OUTRIGGER-DEMO.md";

/// A second workspace, called `other`.
fn other(home: &Home) -> PathBuf {
    let other = home.user_home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("README.md"), "# Other\n").unwrap();
    other
}

/// `outrigger open …` at the window's desk.
fn open(window: &Window, home: &Home, target: &str, code: i32) -> String {
    let mut command: Command = home.command(["open", target]);
    window.desk.furnish(&mut command, home);
    let ended = Program::start(command).finish();
    ended.assert_code(code);
    ended.stderr
}

fn start(home: &Home, workspace: &Path, prompt: &str) {
    home.run(["run", "--detach", "--provider", "demo", "--cwd", workspace.to_str().unwrap(), prompt]).assert_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_shows_and_answers_the_requests_of_all_windows() {
    let home = Home::new();
    let (workspace, other) = (home.workspace(), other(&home));
    let window = Window::open(&home, &workspace).await;
    window.see("[data-testid=composer-input]").await;
    // Nobody has a window of the other workspace yet.
    start(&home, &other, "Far away");
    window.see_text("[data-testid=inbox-open]", "1").await;
    window.press("inbox-open").await;
    window.see_text("[data-testid=inbox-request]", "Far away").await;
    window.see_text("[data-testid=inbox-request]", &other.display().to_string()).await;
    window.picture("inbox-elsewhere").await;
    window.press("inbox-permission-allow").await;
    window.see_no("[data-testid=inbox-request]").await;
    crate::window::wait_until("the file of the other workspace", || other.join(SUMMARY).exists()).await;
    assert!(!workspace.join(SUMMARY).exists());
    assert_eq!(window.client().windows().await.unwrap().len(), 1);

    // Its title leads there: a window of that workspace, at that session.
    start(&home, &other, "And again");
    window.see_text("[data-testid=inbox-request] .session", "And again").await;
    window.see("[data-testid=inbox-request] .who button").await.click().await.unwrap();
    window.see_windows(2).await;
    window.go_to_window("other").await;
    window.see_text("h1", "And again").await;
    window.see("[data-testid=permission-allow]").await;
    // Both windows know of it, and either may answer.
    window.press("permission-deny").await;
    window.go_to_window("workspace").await;
    window.see_no("[data-testid=inbox-request]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_cannot_answer_what_no_inbox_shows() {
    let home = Home::new();
    let (workspace, other) = (home.workspace(), other(&home));
    let window = Window::open(&home, &workspace).await;
    start(&home, &other, "Far away");
    window.see_text("[data-testid=inbox-open]", "1").await;
    let session = home.sessions()[0].file_name().unwrap().to_string_lossy().into_owned();
    let script = "const [session, done] = arguments; \
        window.__TAURI_INTERNALS__.invoke('answer_request', { session, params: { requestId: 'made-up', outcome: 'allow' } }) \
        .then(() => done('done'), (error) => done(error.code));";
    let answer = window.client().execute_async(script, vec![session.into()]).await.unwrap();
    assert_eq!(answer, "notPending");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_reuses_the_app_and_known_workspaces_are_in_the_palette() {
    let home = Home::new();
    let (workspace, other) = (home.workspace(), other(&home));
    let window = Window::open(&home, &workspace).await;
    window.see("[data-testid=composer-input]").await;
    // An agent was there, so the folder is known. The palette opens its window once, and then only focuses it.
    start(&home, &other, "Far away");
    window.see_text("[data-testid=inbox-open]", "1").await;
    for _ in 0..2 {
        window.go_to_window("workspace").await;
        window.press("palette-open").await;
        window.type_into("palette-input", "other").await;
        window.see_text("[role=option][aria-selected=true]", "other").await;
        window.type_into("palette-input", "\u{e007}").await;
        window.see_windows(2).await;
        window.see_no("[data-testid=palette]").await;
    }
    // So does the command line.
    open(&window, &home, other.to_str().unwrap(), 0);
    open(&window, &home, &format!("{}/../other", other.display()), 0);
    window.see_windows(2).await;
    let third = home.user_home().join("third");
    std::fs::create_dir_all(&third).unwrap();
    open(&window, &home, third.to_str().unwrap(), 0);
    window.see_windows(3).await;
    let missing = open(&window, &home, "/nowhere/at/all", 2);
    assert!(missing.contains("cannot be opened as a workspace"), "{missing}");
    assert_eq!(home.debug_log().matches("a window was opened").count(), 3);
}
