//! Notifications: what is told of agents that nobody looks at, what is not, and where a click leads.

use std::path::Path;

use outrigger_tests::Home;

use crate::desk::Desk;
use crate::notification_host::NotificationHost;
use crate::window::{Window, wait_until};

/// A window that nobody looks at: without a window manager it has no focus until somebody gives it.
async fn stage(home: &Home) -> (Window, NotificationHost) {
    let desk = Desk::new();
    let host = NotificationHost::on(desk.bus_address());
    let window = Window::open_at(desk, home, &home.workspace(), &[]).await;
    window.see("[data-testid=composer-input]").await;
    (window, host)
}

/// Starts a session outside of the window, as a script would.
fn start(home: &Home, workspace: &Path, prompt: &str) {
    home.run(["run", "--detach", "--provider", "demo", "--cwd", workspace.to_str().unwrap(), prompt]).assert_code(0);
}

/// The same with an agent that is allowed what it asks for, so that its turn comes to an end.
fn start_allowed(home: &Home, prompt: &str) {
    let workspace = home.workspace();
    let of = ["run", "--detach", "--provider", "demo", "--permissions", "allow", "--cwd", workspace.to_str().unwrap()];
    home.run(of.into_iter().chain([prompt])).assert_code(0);
}

/// The next notification, without holding up what answers the window.
async fn after(host: &NotificationHost, seen: usize) -> crate::notification_host::Notification {
    tokio::task::block_in_place(|| host.after(seen))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_told_and_a_click_shows_its_session() {
    let home = Home::new();
    let (window, host) = stage(&home).await;
    start(&home, &home.workspace(), "Paint <b>the</b> lamp.");
    let session = window.see_session("needsYou").await;
    let told = after(&host, 0).await;
    assert_eq!(told.title, "Paint <b>the</b> lamp. needs you");
    assert!(!told.body.is_empty() && !told.body.contains('<'), "{told:?}");
    assert_eq!(told.actions, ["default", "Open"]);
    // Nothing is open yet; the click opens the session, where the request is.
    host.click(told.id);
    window.see("[data-testid=permission-allow]").await;
    window.see(&format!("[data-testid=session-row][data-session='{session}'][aria-current=true]")).await;
    window.press("permission-allow").await;
    tokio::task::block_in_place(|| host.see_closed(told.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_at_a_time_are_one() {
    let home = Home::new();
    let (window, host) = stage(&home).await;
    let workspace = home.workspace();
    for name in ["One", "Two"] {
        start(&home, &workspace, name);
    }
    let told = after(&host, 0).await;
    assert_eq!(told.title, "Agents: 2 need you");
    let mut names: Vec<&str> = told.body.lines().collect();
    names.sort_unstable();
    assert_eq!(names, ["One", "Two"]);
    host.click(told.id);
    // The requests, the oldest with the keyboard.
    window.see_text("[data-testid=inbox-request]:focus", "One").await;
    assert_eq!(host.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_of_what_is_looked_at_muted_or_not_wanted() {
    let home = Home::new();
    let (window, host) = stage(&home).await;
    let settings = home.path().join("config/settings.toml");
    // The whole day but one minute is quiet, whatever the time is.
    std::fs::write(&settings, "[notifications]\nquiet_from = \"00:00\"\nquiet_until = \"23:59\"\n").unwrap();
    window.start_demo("In the quiet hours.").await;
    let quiet = window.see_session("needsYou").await;
    let left_out = |times: usize| home.debug_log().matches("nothing is notified in the quiet hours").count() >= times;
    wait_until("the quiet hours to be kept", || left_out(1)).await;
    std::fs::write(&settings, "[notifications]\nneeds_you = false\n").unwrap();
    home.run(["stop", &quiet]).assert_code(0);
    start(&home, &home.workspace(), "Not wanted");
    wait_until("news to be left out", || home.debug_log().contains("no news is for telling")).await;
    // What is looked at: the window gets the focus, and shows the session that asks.
    std::fs::write(&settings, "").unwrap();
    window.press("new-session").await;
    window.desk.focus();
    window.start_demo("Looked at").await;
    window.see("[data-testid=permission-allow]").await;
    // News of somewhere else come after all that would have been told before.
    let other = home.user_home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    start(&home, &other, "Elsewhere");
    let told = after(&host, 0).await;
    assert_eq!(told.title, "Elsewhere needs you");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_turn_is_told_as_what_it_was() {
    let home = Home::new();
    let (window, host) = stage(&home).await;
    start_allowed(&home, "Paint the lamp.");
    let told = after(&host, 0).await;
    assert_eq!(
        (told.title.as_str(), told.body.as_str()),
        ("Paint the lamp. is done", "It waits for your next prompt.")
    );
    // The agent lives on after a turn that failed, and waits like one that is done.
    start_allowed(&home, "Break it. demo:fail");
    let told = after(&host, 1).await;
    assert_eq!(told.title, "Break it. demo:fail failed");
    window.see_text("[data-testid=row-trouble]", "Turn failed").await;
    let listed = home.run(["ps"]);
    listed.assert_code(0);
    assert!(listed.stdout.iter().any(|line| line.contains("idle, turn failed")), "{:?}", listed.stdout);
    host.click(told.id);
    window.see("[data-testid=session-row][aria-current=true] [data-testid=row-trouble]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_be_left_out_and_taken_in_again() {
    let home = Home::new();
    let (window, host) = stage(&home).await;
    start(&home, &home.workspace(), "Keep quiet");
    after(&host, 0).await;
    let session = window.see_session("needsYou").await;
    turn_notified(&window, "You are not notified about this session").await;
    home.run(["answer", &session, "-", "allow"]).assert_code(0);
    wait_until("its end to be left out", || home.debug_log().contains("no news is for telling")).await;
    turn_notified(&window, "You are notified about this session").await;
    home.run(["send", &session, "Once more. demo:fail"]).assert_code(0);
    let told = after(&host, 1).await;
    assert_eq!(told.title, "Keep quiet failed");
}

/// Turns notifications of the only session on or off by the palette, and leaves the session: what is looked at is left out anyway.
async fn turn_notified(window: &Window, says: &str) {
    window.see("[data-testid=session-row]").await.click().await.unwrap();
    window.see("[data-testid=transcript]").await;
    window.press("palette-open").await;
    window.type_into("palette-input", "notifications of this session").await;
    window.see("[data-testid=palette] [role=option]").await;
    window.type_into("palette-input", "\u{e007}").await;
    window.see_text("[data-testid=status-line]", says).await;
    window.press("new-session").await;
    window.see("[data-testid=provider-select]").await;
}
