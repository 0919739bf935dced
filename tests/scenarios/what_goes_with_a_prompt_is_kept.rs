//! Images and files that go with a prompt: what the agent gets, what the journal keeps of them, and how they are shown.

use std::fs;
use std::path::PathBuf;

use outrigger_tests::Home;
use serde_json::{Value, json};

use crate::stage::{self, detached, follow, is_kind, is_pending, last_of, own_provider, run_of};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand the rest of it";

/// An image and a text, outside of the workspace.
fn files(home: &Home) -> [PathBuf; 2] {
    let (image, text) = (home.user_home().join("a lamp.png"), home.user_home().join("notes.txt"));
    fs::create_dir_all(home.user_home()).unwrap();
    fs::write(&image, PNG).unwrap();
    fs::write(&text, "hello").unwrap();
    [image, text]
}

fn attached(items: &[Value], prompt: usize) -> Vec<Value> {
    last_of(items, "userMessage")[prompt]["body"]["attachments"].as_array().cloned().unwrap_or_default()
}

#[test]
fn the_journal_names_them_and_keeps_the_image() {
    let home = stage::home();
    own_provider(&home, "recording", "");
    let [image, text] = files(&home);
    let attach = ["--attach", image.to_str().unwrap(), "--attach", text.to_str().unwrap()];
    home.run(run_of(&home, "own", &attach, "look")).assert_code(0);
    let seen: Value = serde_json::from_str(&fs::read_to_string(home.workspace().join("seen.json")).unwrap()).unwrap();
    assert_eq!(seen["query"]["attachments"], json!([{ "path": image }, { "path": text }]), "the runner has the files");
    // The files may go; what was shown stays.
    fs::remove_file(&image).unwrap();
    fs::remove_file(&text).unwrap();
    let session = home.sessions()[0].clone();
    let id = session.file_name().unwrap().to_str().unwrap();
    let kept = attached(&home.run(["logs", id, "--json"]).json(), 0);
    assert_eq!(kept[0]["name"], "a lamp.png");
    assert_eq!((&kept[0]["mimeType"], &kept[0]["bytes"]), (&json!("image/png"), &json!(PNG.len())));
    assert_eq!(fs::read(session.join("blobs").join(kept[0]["blob"].as_str().unwrap())).unwrap(), PNG);
    assert_eq!((&kept[1]["name"], &kept[1]["bytes"]), (&json!("notes.txt"), &json!(5)));
    assert_eq!(kept[1].get("blob"), None, "a file that is no image is named, not copied");
    let shown = home.run(["logs", id]).stdout.join("\n");
    assert!(shown.contains("+ a lamp.png (image/png, 26 bytes)") && shown.contains("+ notes.txt"), "{shown}");
    home.assert_nobody_left();
}

#[test]
fn they_wait_in_the_queue_and_come_with_a_resume() {
    let home = stage::home();
    let [image, text] = files(&home);
    let session = detached(&home, "demo", &[], "first");
    let mut items = follow(&home, &session);
    items.wait_for("a request", is_pending);
    let queue = ["send", &session, "--queue", "--attach", image.to_str().unwrap(), "second"];
    home.run(queue).assert_code(0);
    home.run(["answer", &session, "-", "deny"]).assert_code(0);
    items.wait_for("the end of the first turn", is_kind("turnEnd"));
    items.wait_for("the end of the queued one", is_kind("turnEnd"));
    home.run(["stop", &session]).assert_code(0);
    items.finish().assert_code(0);
    let resume = ["run", "--resume", &session, "--permissions", "deny", "--attach", text.to_str().unwrap(), "third"];
    home.run(resume).assert_code(0);
    let all = home.run(["logs", &session, "--json"]).json();
    let names: Vec<Value> = (0..3)
        .map(|prompt| attached(&all, prompt).first().map(|file| file["name"].clone()).unwrap_or_default())
        .collect();
    assert_eq!(names, [Value::Null, json!("a lamp.png"), json!("notes.txt")]);
    home.assert_nobody_left();
}

#[test]
fn what_cannot_be_attached_starts_nothing() {
    let home = stage::home();
    let [image, _] = files(&home);
    let many: Vec<&str> = std::iter::repeat_n(["--attach", image.to_str().unwrap()], 17).flatten().collect();
    let ended = home.run(stage::demo(&home, &many, "look"));
    stage::assert_refused(&home, &ended, 2, &["17 attachments are too many; 16 may go with a prompt"]);
}
