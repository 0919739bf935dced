//! The settings by the commands of a page: one file, whose comments stay; every window hears of a change, and the theme follows.

use outrigger_tests::Home;
use serde_json::{Value, json};

use crate::window::{Window, wait_until};

async fn ask(window: &Window, command: &str, arguments: Value) -> Value {
    let script = "const [command, given, done] = arguments; \
        window.__TAURI_INTERNALS__.invoke(command, given).then(done, (error) => done({ refused: error }));";
    window.client().execute_async(script, vec![json!(command), arguments]).await.unwrap()
}

fn value<'a>(view: &'a Value, key: &str) -> &'a Value {
    let settings = view["settings"].as_array().unwrap_or_else(|| panic!("no settings: {view}"));
    &settings.iter().find(|setting| setting["key"] == key).unwrap()["value"]
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_written_and_watched_and_a_malformed_file_is_left_alone() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.see("[data-testid=composer-input]").await;
    let file = home.path().join("config/settings.toml");
    std::fs::write(&file, "# mine\n[health]\nquiet_after_seconds = 9 # short\n").unwrap();
    assert_eq!(value(&ask(&window, "read_settings", json!({})).await, "health.quiet_after_seconds"), 9);

    let dark = json!({ "key": "appearance.theme", "value": "dark" });
    assert_eq!(value(&ask(&window, "write_setting", dark.clone()).await, "appearance.theme"), "dark");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "# mine\n[health]\nquiet_after_seconds = 9 # short\n\n[appearance]\ntheme = \"dark\"\n");
    window.until("the page to be dark", "return matchMedia('(prefers-color-scheme: dark)').matches;", json!([])).await;
    // By an editor: the page hears of it, too.
    std::fs::write(&file, text.replace("dark", "light")).unwrap();
    window
        .until("the page to be light", "return matchMedia('(prefers-color-scheme: light)').matches;", json!([]))
        .await;

    let refused = ask(&window, "write_setting", json!({ "key": "appearance.theme", "value": "green" })).await;
    assert_eq!(refused["refused"]["code"], "badRequest", "{refused}");
    std::fs::write(&file, "[health\n").unwrap();
    let view = ask(&window, "read_settings", json!({})).await;
    assert!(view["problem"].as_str().unwrap().contains("line 1"), "{view}");
    let refused = ask(&window, "write_setting", dark).await;
    assert!(refused["refused"]["message"].as_str().unwrap().contains("Correct the file"), "{refused}");
    wait_until("the file to be as it was", || std::fs::read_to_string(&file).unwrap() == "[health\n").await;
}
