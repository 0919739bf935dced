//! The places beside the sessions, over what really happened: search, usage, the debug log, doctor and settings.

use outrigger_tests::Home;

use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_session_did_is_found_summed_up_and_logged() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("Summarise this project for the lighthouse keeper.").await;
    window.press("permission-allow").await;
    window.see("[data-testid=turn-end][data-reason=endTurn]").await;
    let session = window.see_session("idle").await;

    window.press("open-search").await;
    window.type_into("search-input", "lighthouse keep").await;
    let hit = format!("[data-testid=search-session][data-session='{session}'] [data-kind=prompt]");
    window.see_text(&format!("{hit} mark"), "lighthouse").await;
    window.picture("search").await;
    window.see(&hit).await.click().await.unwrap();
    window.see_no("[data-testid=search]").await;
    window.see_text("[data-testid=item][data-kind=userMessage]", "lighthouse keeper").await;

    window.press("open-usage").await;
    window.see("[data-testid=usage-row]").await;
    window.see("[data-testid=usage-chart] svg").await;
    window.picture("usage").await;

    window.press("open-debugLog").await;
    window.see("[data-testid=log-line][data-source=keeper]").await;
    window.type_into("log-text", &session).await;
    window.press("log-source-app").await;
    window.see("[data-testid=log-line][data-source=app]").await;
    window.see_no("[data-testid=log-line][data-source=keeper]").await;
    window.picture("debug-log").await;
    window.press("place-close").await;
    window.see_no("[data-testid=debug-log]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_of_this_machine_and_settings_are_written_to_the_file() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.press("doctor-open").await;
    window.see("[data-testid=doctor-verdict]").await;
    window.see_text("[data-testid=doctor]", "Sandbox of the system").await;
    window.see("[data-testid=doctor-folder] td").await;
    window.picture("doctor").await;

    window.press("open-settings").await;
    let restore = "[data-testid=setting][data-key='windows.restore'] [data-testid=setting-switch]";
    window.see(&format!("{restore}[aria-checked=true]")).await.click().await.unwrap();
    window.see(&format!("{restore}[aria-checked=false]")).await;
    window.picture("settings").await;
    let file = window.see("[data-testid=settings] footer code").await.text().await.unwrap();
    assert!(std::fs::read_to_string(file).unwrap().contains("restore = false"));
}
