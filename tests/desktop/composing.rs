//! A prompt that is written in the real window: commands and files are completed, an image is dropped and goes with it, and an
//! answer makes a rule that can be taken back.

use std::fs;
use std::path::Path;

use outrigger_tests::{Home, project};
use serde_json::{Value, json};

use crate::window::{Window, wait_until};

/// A 1 by 1 image, in base64.
const DOT: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Drops a file on the prompt as a file manager would, as far as a page can see.
const DROP: &str = "
const [name, type, base64] = arguments;
const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const data = new DataTransfer();
data.items.add(new File([bytes], name, { type }));
const field = document.querySelector('[data-testid=composer-input]');
for (const type of ['dragenter', 'dragover', 'drop'])
  field.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
";

/// An agent that tells its commands and writes down what it is asked, with a session in the workspace that rests.
fn offering(home: &Home, workspace: &Path) {
    let script = project().join("tests/fixtures/runners/offering.mjs");
    let manifest =
        format!("id = \"own\"\nname = \"Own agent\"\nrunner = \"{}\"\nadapter = \"demo\"\n", script.display());
    let file = home.path().join("config/providers/own.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, manifest).unwrap();
    let workspace = workspace.to_str().unwrap();
    home.run(["run", "--provider", "own", "--cwd", workspace, "--detach", "first"]).assert_code(0);
}

async fn see_prompt(window: &Window, words: &str) {
    let script = "return document.querySelector('[data-testid=composer-input]').value === arguments[0];";
    window.until(&format!("the prompt “{words}”"), script, json!([words])).await;
}

fn prompts(workspace: &Path) -> Vec<Value> {
    let text = fs::read_to_string(workspace.join("prompts.ndjson")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_files_are_completed_and_an_image_goes_with_the_prompt() {
    let home = Home::new();
    let workspace = home.workspace();
    offering(&home, &workspace);
    let window = Window::open(&home, &workspace).await;
    window.see("[data-testid=session-row][data-state=idle]").await.click().await.unwrap();
    window.see("[data-testid=composer-send]").await;
    window.type_into("composer-input", "/lig").await;
    window.see_text("[data-testid=completion]", "Lights the lamp").await;
    window.type_into("composer-input", "\u{e007}").await;
    see_prompt(&window, "/light ").await;
    window.type_into("composer-input", "@lamp").await;
    window.see_text("[data-testid=completion][aria-selected=true]", "src/lamp.mjs").await;
    window.picture("completion").await;
    window.type_into("composer-input", "\u{e007}").await;
    see_prompt(&window, "/light @src/lamp.mjs ").await;
    let image = ["lamp.png", "image/png", DOT].map(Into::into).to_vec();
    window.client().execute(DROP, image).await.unwrap();
    window.see("[data-testid=attachment] img").await;

    // The words and the image are there again after a reload.
    window.client().refresh().await.unwrap();
    window.see("[data-testid=attachment] img").await;
    see_prompt(&window, "/light @src/lamp.mjs ").await;
    window.picture("attached").await;
    window.press("composer-send").await;
    window.see("[data-kind=userMessage] [data-testid=attached] img").await;
    window.see_no("[data-testid=attachment]").await;
    window.picture("sent").await;

    wait_until("the agent to have the prompt", || prompts(&workspace).len() == 2).await;
    let sent = prompts(&workspace)[1].clone();
    assert_eq!(sent["prompt"], "/light @src/lamp.mjs");
    let file = sent["attachments"][0]["path"].as_str().unwrap();
    assert!(Path::new(file).starts_with(home.path().join("data/attachments")) && file.ends_with("lamp.png"), "{file}");
    let session = home.sessions()[0].clone();
    let records = Home::journal(&session);
    let kept = records.iter().rev().find(|record| record["line"]["type"] == "prompt").unwrap();
    let kept = &kept["line"]["attachments"][0];
    assert_eq!((&kept["name"], &kept["mimeType"]), (&json!("lamp.png"), &json!("image/png")));
    assert_eq!(fs::read(session.join("blobs").join(kept["blob"].as_str().unwrap())).unwrap(), fs::read(file).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_for_good_is_listed_and_taken_back() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("Summarise this project.").await;
    window.see_text("[data-kind=permission]", "Always allow").await;
    window.picture("always").await;
    window.press("permission-workspace").await;
    window.see("[data-testid=turn-end][data-reason=endTurn]").await;
    window.see_text("[data-testid=answered-by]", "from now on in this workspace").await;
    let file = home.path().join("config/permissions.toml");
    let has_rule = || fs::read_to_string(&file).is_ok_and(|text| text.contains("write_file"));
    assert!(has_rule(), "it is kept with the user's settings");

    // The next request of its kind is answered by it.
    window.type_into("composer-input", "Once more. demo:write").await;
    window.press("composer-send").await;
    window.see_text("[data-testid=answered-by]", "by a rule of this workspace").await;
    window.press("inspector-toggle").await;
    window.see("[data-testid=rule][data-reach=workspace]").await;
    window.picture("rules").await;
    window.press("rule-forget").await;
    window.see_no("[data-testid=rule]").await;
    assert!(!has_rule(), "it is taken back");
}
