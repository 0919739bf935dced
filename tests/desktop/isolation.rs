//! What a page may not do, even when somebody gets words of their own into it.

use outrigger_tests::Home;
use serde_json::json;

use crate::window::Window;

/// Calls one of the app's commands as the page could.
const INVOKE: &str = "
const [command, args, done] = arguments;
window.__TAURI_INTERNALS__.invoke(command, args).then((value) => done({ value }), (error) => done({ error }));
";

#[tokio::test(flavor = "multi_thread")]
async fn injected_scripts_do_not_run_and_nothing_is_loaded_from_outside() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.see("[data-testid=composer-input]").await;
    let inject = "
        const done = arguments[arguments.length - 1];
        const refused = [];
        document.addEventListener('securitypolicyviolation', (event) => {
          refused.push(event.effectiveDirective);
          if (refused.length === 3) done({ refused: refused.sort(), ran: window.injected === true });
        });
        const script = document.createElement('script');
        script.textContent = 'window.injected = true';
        document.body.append(script);
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:9/picture.png';
        image.setAttribute('onerror', 'window.injected = true');
        document.body.append(image);
    ";
    let told = window.client().execute_async(inject, Vec::new()).await.unwrap();
    assert_eq!(told["refused"], json!(["img-src", "script-src-attr", "script-src-elem"]));
    assert_eq!(told["ran"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_reaches_only_sessions_of_its_own_workspace() {
    let home = Home::new();
    let elsewhere = home.user_home().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let elsewhere_text = elsewhere.to_str().unwrap();
    home.run(["run", "--provider", "demo", "--permissions", "deny", "--cwd", elsewhere_text, "hello"]).assert_code(0);
    let foreign = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();

    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("Hello.").await;
    let own = window.see_session("needsYou").await;
    let opened = window.client().execute_async(INVOKE, vec![json!("open_session"), json!({ "session": own })]).await;
    assert_eq!(opened.unwrap()["value"]["session"], json!(own));
    for (command, args) in [
        ("open_session", json!({ "session": foreign })),
        ("read_items", json!({ "session": foreign, "from": 0, "limit": 10 })),
        ("read_records", json!({ "session": foreign, "fromSeq": 0, "limit": 10, "direction": "forwards" })),
        ("prompt", json!({ "session": foreign, "params": { "text": "hello" } })),
        ("stop", json!({ "session": foreign, "force": true })),
    ] {
        let told = window.client().execute_async(INVOKE, vec![json!(command), args]).await.unwrap();
        assert_eq!(told["error"]["code"], json!("noSuchSession"), "{command}: {told}");
    }
    let start = json!({ "start": { "provider": "demo", "cwd": elsewhere_text } });
    let told = window.client().execute_async(INVOKE, vec![json!("start_session"), start]).await.unwrap();
    assert_eq!(told["error"]["code"], json!("badWorkingDirectory"), "{told}");
    // Tauri's own commands and those of its plugins are not for pages.
    let plugin = json!({ "path": "/" });
    let told = window.client().execute_async(INVOKE, vec![json!("plugin:opener|open_path"), plugin]).await.unwrap();
    assert!(told["error"].to_string().contains("not allowed"), "{told}");
}
