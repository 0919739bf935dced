//! The tray: how many agents work and wait, stop them all, quit.

use outrigger_tests::Home;

use crate::desk::Desk;
use crate::told;
use crate::tray_host::TrayHost;
use crate::window::{Window, is_alive, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_counts_agents_stops_them_and_quits() {
    let home = Home::new();
    let desk = Desk::new();
    let host = TrayHost::on(desk.bus_address());
    let window = Window::open_at(desk, &home, &home.workspace(), &[]).await;
    let icon = tokio::task::spawn_blocking(move || {
        let icon = host.icon();
        icon.see("No agents", false);
        (icon, host)
    });
    let (icon, _host) = icon.await.unwrap();
    window.start_demo("Work. demo:slow=200").await;
    icon.see("1 working", false);
    let session = window.see_session("needsYou").await;
    icon.see("1 waiting for you", false);

    told::until(&home, &session, "the request", |item| item["body"]["type"] == "permission").await;
    icon.choose("Stop all agents");
    assert_eq!(window.see_session("stopped").await, session);
    icon.see("No agents", false);

    // Where nobody lives there is nothing to ask.
    let app = window.app();
    icon.choose("Quit");
    wait_until("the app to quit", || !is_alive(app)).await;
    drop(window);
    home.assert_nobody_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_leads_to_requests_sessions_and_workspaces() {
    let home = Home::new();
    let other = home.user_home().join("other");
    std::fs::create_dir_all(&other).unwrap();
    let desk = Desk::new();
    let host = TrayHost::on(desk.bus_address());
    let window = Window::open_at(desk, &home, &home.workspace(), &[]).await;
    let (icon, _host) = tokio::task::spawn_blocking(move || (host.icon(), host)).await.unwrap();
    window.see("[data-testid=composer-input]").await;
    home.run(["run", "--detach", "--provider", "demo", "--cwd", other.to_str().unwrap(), "Far away"]).assert_code(0);

    // What would be approved is shown in the window of its workspace before anybody can answer.
    icon.choose("Approve next…");
    window.see_windows(2).await;
    window.go_to_window("other").await;
    window.see_text("[data-testid=inbox-request]:focus", "Far away").await;
    window.see_text("[data-testid=inbox-request]:focus", "OUTRIGGER-DEMO.md").await;
    window.picture("approve-next").await;

    icon.choose_in(&["other", "Far away", "Open"]);
    window.see_text("h1", "Far away").await;
    icon.choose_in(&["Open workspace", "workspace —"]);
    window.go_to_window("workspace").await;
    icon.choose_in(&["other", "Far away", "Stop"]);
    window.go_to_window("other").await;
    window.see_session("stopped").await;
    icon.see("No agents", false);
    icon.choose("New session");
    window.see_windows(2).await;
}
