//! Quit in the tray's menu while agents live: what it asks, what each answer does, and what it says was stopped.

use outrigger_tests::Home;

use crate::desk::Desk;
use crate::dialogs::{self, Dialogs};
use crate::told;
use crate::tray_host::{TrayHost, TrayIcon};
use crate::window::{Window, is_alive, wait_until};

const QUESTION: &str = "Quit Outrigger?";
const STOP: &str = "Stop them and quit";
const LEAVE: &str = "Leave agents running";

/// A window with a live agent, its tray icon, and whoever looks at the app's dialogs.
struct Stage {
    window: Window,
    session: String,
    icon: TrayIcon,
    dialogs: Dialogs,
    _host: TrayHost,
}

impl Stage {
    async fn with_an_agent(home: &Home) -> Self {
        let desk = Desk::new();
        let host = TrayHost::on(desk.bus_address());
        let bus = desk.bus_address().to_owned();
        let window = Window::open_at(desk, home, &home.workspace(), &[dialogs::visible()]).await;
        let reach = move || (host.icon(), Dialogs::on(&bus), host);
        let (icon, dialogs, host) = tokio::task::spawn_blocking(reach).await.unwrap();
        window.start_demo("Keep watch.").await;
        let session = window.see_session("needsYou").await;
        icon.see("1 waiting for you", false);
        Self { window, session, icon, dialogs, _host: host }
    }
}

/// The agent's keeper and runner, which belong to it and not to the app.
fn agent_of(home: &Home) -> Vec<u32> {
    let is_agent = |command: &str| command.ends_with(" keep") || command.contains("demo.mjs");
    home.processes().into_iter().filter(|process| is_agent(&process.command)).map(|process| process.pid).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_asks_once_and_cancelled_it_changes_nothing() {
    let home = Home::new();
    let stage = Stage::with_an_agent(&home).await;
    let agent = agent_of(&home);
    assert_eq!(agent.len(), 2, "{:?}", home.processes());

    stage.icon.choose("Quit");
    let question = stage.dialogs.see(QUESTION);
    assert_eq!(question.buttons(), [LEAVE, STOP, "Cancel"]);
    let words = question.words();
    assert!(words.starts_with("1 agent is live.") && words.ends_with("- Keep watch."), "{words}");
    stage.window.desk.picture("quit-question");
    stage.icon.choose("Quit");
    // The app answers to the tray in the order in which it was asked, so a second question would be there by now.
    stage.icon.see("1 waiting for you", false);
    assert_eq!(stage.dialogs.all().len(), 1, "it asks once");

    question.press("Cancel");
    stage.dialogs.see_none();
    assert!(is_alive(stage.window.app()));
    assert_eq!(agent_of(&home), agent);
    // It can be chosen again.
    stage.icon.choose("Quit");
    stage.dialogs.see(QUESTION).press("Cancel");
    stage.dialogs.see_none();
    stage.window.press("permission-allow").await;
    stage.window.see("[data-testid=turn-end][data-reason=endTurn]").await;
    assert_eq!(agent_of(&home), agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_the_agents_lists_them_and_proves_that_nothing_is_left() {
    let home = Home::new();
    let stage = Stage::with_an_agent(&home).await;
    stage.icon.choose("Quit");
    stage.dialogs.see(QUESTION).press(STOP);

    let report = stage.dialogs.see("All agents were stopped");
    stage.window.desk.picture("quit-report");
    assert_eq!(report.words(), "1 agent was stopped:\n- Keep watch.\nOf their processes, 0 are left.");
    assert!(agent_of(&home).is_empty(), "what the report says is so");
    let app = stage.window.app();
    assert!(is_alive(app), "the report can be read");
    assert_eq!(stage.window.see_session("stopped").await, stage.session);
    let [ok] = report.buttons()[..] else { panic!("a report has one button: {:?}", report.buttons()) };
    report.press(ok);
    wait_until("the app to quit", || !is_alive(app)).await;
    drop(stage);
    home.assert_nobody_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn agents_that_are_left_running_outlive_the_app_and_its_windows() {
    let home = Home::new();
    let stage = Stage::with_an_agent(&home).await;
    let (agent, session, app) = (agent_of(&home), stage.session.clone(), stage.window.app());
    stage.icon.choose("Quit");
    stage.dialogs.see(QUESTION).press(LEAVE);
    wait_until("the app to quit", || !is_alive(app)).await;
    drop(stage);
    assert_eq!(agent_of(&home), agent);

    // Closing the last window asks nobody, and leaves them as well.
    let window = Window::open(&home, &home.workspace()).await;
    assert_eq!(window.see_session("needsYou").await, session);
    window.close().await;
    assert_eq!(agent_of(&home), agent);

    let window = Window::open(&home, &home.workspace()).await;
    window.see("[data-testid=session-row]").await.click().await.unwrap();
    window.press("permission-allow").await;
    told::until(&home, &session, "the end of the turn", |item| item["body"]["type"] == "turnEnd").await;
    assert_eq!(agent_of(&home), agent);
}
