//! The tray: how many agents work and wait, stop them all, quit and leave them alone.

use outrigger_tests::Home;

use crate::desk::Desk;
use crate::told;
use crate::tray_host::TrayHost;
use crate::window::{Window, is_alive, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_counts_agents_stops_them_and_quits_without_them() {
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

    icon.choose("Stop all agents");
    assert_eq!(window.see_session("stopped").await, session);
    icon.see("No agents", false);

    window.press("new-session").await;
    window.start_demo("Work again. demo:slow=200").await;
    let again = window.see_session("working").await;
    let app = window.app();
    icon.choose("Quit (agents go on)");
    wait_until("the app to quit", || !is_alive(app)).await;
    told::until(&home, &again, "the request", |item| item["body"]["type"] == "permission").await;
    home.run(["stop", &again]).assert_code(0);
    drop(window);
    home.assert_nobody_left();
}
