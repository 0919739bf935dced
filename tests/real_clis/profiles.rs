//! Several accounts of one vendor, side by side: each session has the config folder that it was begun with, also when it is resumed,
//! and nothing of one gets into the other's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::drivers::{CLAUDE, CODEX, Driver};
use crate::stage::{Stage, is_kind, says};

#[test]
fn of_claude() {
    let settings = |model: &str| format!("{{\"model\": \"{model}\"}}");
    two_profiles(&CLAUDE, "settings.json", settings, ["claude-opus-4-5", "claude-sonnet-4-5"]);
}

#[test]
fn of_codex() {
    let settings = |model: &str| format!("model = \"{model}\"\n");
    two_profiles(&CODEX, "config.toml", settings, ["gpt-5.5", "gpt-5.4"]);
}

fn two_profiles(driver: &'static Driver, file: &str, settings: impl Fn(&str) -> String, models: [&str; 2]) {
    let stage = Stage::set(driver);
    let folders = ["work", "home"].map(|name| stage.home.user_home().join(name));
    for (folder, model) in folders.iter().zip(models) {
        fs::create_dir_all(folder).unwrap();
        let account = fs::read_to_string(stage.home.user_home().join(".codex/config.toml")).unwrap_or_default();
        // What is the same for both stands behind the model, in a section of its own or not at all.
        let rest = account.split_once('\n').map_or("", |(_, rest)| rest);
        fs::write(folder.join(file), settings(model) + rest).unwrap();
    }
    let [(work, mut at_work), (home, mut at_home)] = [0, 1].map(|at| {
        let args = ["--config-dir", folders[at].to_str().unwrap()];
        stage.detached(&args, &format!("SCENARIO:echo say=from-{at}"))
    });
    at_work.wait_for("the answer at work", says("You said: from-0"));
    at_home.wait_for("the answer at home", says("You said: from-1"));
    for (session, items) in [(&work, &mut at_work), (&home, &mut at_home)] {
        items.wait_for("the end", is_kind("turnEnd"));
        stage.run(["stop", session]).assert_code(0);
    }
    stage.run(["run", "--json", "--resume", &work, "SCENARIO:echo say=again"]).assert_code(0);
    let requests = stage.requests();
    for (say, model) in [("say=from-0", models[0]), ("say=from-1", models[1]), ("say=again", models[0])] {
        let asked = requests.iter().find(|request| request["lastUser"].as_str().is_some_and(|text| text.contains(say)));
        assert_eq!(asked.unwrap()["model"], model, "{say}: {asked:?}");
    }
    let resumed = requests.iter().rfind(|request| request["lastUser"].to_string().contains("say=again")).unwrap();
    assert!(resumed["history"].to_string().contains("from-0"), "{resumed}");
    for (folder, [own, other]) in folders.iter().zip([["from-0", "from-1"], ["from-1", "from-0"]]) {
        assert!(holds(folder, own) && !holds(folder, other), "{}", folder.display());
    }
    stage.home.assert_nobody_left();
}

/// Whether a conversation in the folder, or below it, has these words.
fn holds(folder: &Path, words: &str) -> bool {
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let is_conversation = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "jsonl");
    entries.into_iter().any(|path| {
        if path.is_dir() {
            return holds(&path, words);
        }
        is_conversation(&path) && fs::read_to_string(&path).unwrap_or_default().contains(words)
    })
}
