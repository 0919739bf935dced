//! The start at login: an entry of the user's that comes and goes with the setting, and what it starts, which is there without a window.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use outrigger_tests::{Home, program};

use crate::desk::Desk;
use crate::tray_host::TrayHost;
use crate::window::{Window, is_alive, wait_until};

/// An Outrigger that is not portable, with folders of the user's that are all below the test's home.
fn of_the_user(home: &Home) -> Vec<(&'static str, PathBuf)> {
    let folder = |name: &str| {
        let folder = home.user_home().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    };
    vec![
        ("OUTRIGGER_HOME", PathBuf::new()),
        ("XDG_CONFIG_HOME", folder("settings")),
        ("XDG_DATA_HOME", folder("data")),
        ("XDG_CACHE_HOME", folder("cache")),
        ("XDG_RUNTIME_DIR", folder("run")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entry_comes_and_goes_with_the_setting() {
    let home = Home::new();
    let set = of_the_user(&home);
    let entry = home.user_home().join("settings/autostart/Outrigger.desktop");
    let window = Window::open_at(Desk::new(), &home, &home.workspace(), &set).await;
    window.press("open-settings").await;
    let switch = "[data-testid=setting][data-key='windows.at_login'] [data-testid=setting-switch]";
    window.see(&format!("{switch}[aria-checked=false]")).await.click().await.unwrap();
    wait_until("the entry to be there", || entry.exists()).await;
    let text = std::fs::read_to_string(&entry).unwrap();
    assert!(text.contains(&format!("\nExec=\"{}\" --hidden\n", program("outrigger-desktop").display())), "{text}");
    window.see(&format!("{switch}[aria-checked=true]")).await.click().await.unwrap();
    wait_until("the entry to be gone", || !entry.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portable_outrigger_makes_no_entry() {
    let home = Home::new();
    let config = home.user_home().join("settings");
    let set = [("XDG_CONFIG_HOME", config.clone())];
    let window = Window::open_at(Desk::new(), &home, &home.workspace(), &set).await;
    window.press("open-settings").await;
    let switch = "[data-testid=setting][data-key='windows.at_login'] [data-testid=setting-switch]";
    window.see(switch).await.click().await.unwrap();
    window.see(&format!("{switch}[aria-checked=true]")).await;
    wait_until("the log to say so", || home.debug_log().contains("a portable Outrigger does not start")).await;
    assert!(!config.join("autostart").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_entry_starts_is_in_the_tray_and_has_no_window_until_it_is_asked_for_one() {
    let home = Home::new();
    let desk = Desk::new();
    let host = TrayHost::on(desk.bus_address());
    let mut command = Command::new(program("outrigger-desktop"));
    desk.furnish(&mut command, &home);
    command.arg("--hidden").stdout(Stdio::null()).stderr(Stdio::null());
    let mut app = command.spawn().unwrap();
    let (icon, _host) = tokio::task::spawn_blocking(move || (host.icon(), host)).await.unwrap();
    icon.see("No agents", false);
    assert_eq!(home.debug_log().matches("a window was opened").count(), 0);
    // At login the session's programs may be started twice: still no window.
    let mut again = Command::new(program("outrigger-desktop"));
    desk.furnish(&mut again, &home);
    assert!(again.arg("--hidden").status().unwrap().success());
    icon.see("No agents", false);
    assert_eq!(home.debug_log().matches("a window was opened").count(), 0);
    icon.choose("Open window");
    wait_until("a window", || home.debug_log().matches("a window was opened").count() == 1).await;
    icon.choose("Quit");
    let pid = app.id();
    wait_until("the app to quit", || {
        let _ = app.try_wait();
        !is_alive(pid)
    })
    .await;
}
