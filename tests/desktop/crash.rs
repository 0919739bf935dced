//! What is seen when a process behind a session is killed or crashes: why, what is left of it, and one way on.

use std::path::Path;

use outrigger_tests::{Home, project};
use serde_json::Value;

use crate::told;
use crate::window::{Window, is_alive, kill, wait_until};

/// The keeper of the only session, as its pod file names it.
fn keeper(session: &Path) -> u32 {
    let pod: Value = serde_json::from_slice(&std::fs::read(session.join("pod.json")).unwrap()).unwrap();
    u32::try_from(pod["pid"].as_u64().unwrap()).unwrap()
}

/// The process of the home whose command has these words in it.
async fn running(home: &Home, words: &str) -> u32 {
    let find = || home.processes().into_iter().find(|process| process.command.contains(words)).map(|found| found.pid);
    wait_until(&format!("`{words}` to run"), || find().is_some()).await;
    find().unwrap()
}

/// Kills the runner and the keeper at one time, so that the tool which runs below them is left behind.
async fn kill_and_leave_the_tool(home: &Home) -> u32 {
    let tool = running(home, "sleep 600").await;
    let (keeper, runner) = (keeper(&home.sessions()[0]), running(home, "demo.mjs").await);
    kill(runner);
    kill(keeper);
    tool
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_keeper_is_killed_is_shown_as_interrupted_and_resumed_by_a_prompt_again_and_again() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("Wait for it. demo:ask demo:run=\"exec sleep 600\"").await;
    let mut native_ids = Vec::new();
    for round in 1..=3 {
        window.press("permission-allow").await;
        let session = window.see_session("working").await;
        let tool = kill_and_leave_the_tool(&home).await;

        // Nothing is clicked from here to the next prompt.
        assert_eq!(window.see_session("interrupted").await, session);
        window.see_text("[data-testid=interrupted]", "was killed, or the machine restarted").await;
        let notices = "return document.querySelectorAll('[data-testid=notice][data-code=keeper_killed]').length >= 1 \
            && [...document.querySelectorAll('[data-code=keeper_killed]')].at(-1).innerText.includes('sleep 600');";
        window.until("what happened, in the transcript", notices, Value::Array(Vec::new())).await;
        wait_until("what was left to be ended", || !is_alive(tool)).await;
        let told = told::items(&home, &session);
        assert_eq!(told.iter().filter(|item| item["body"]["code"] == "keeper_killed").count(), round, "{told:#?}");
        assert_eq!(resume_offers(&window).await, 1);
        if round == 1 {
            window.picture("interrupted").await;
        }

        window.type_into("composer-input", "Go on. demo:ask demo:run=\"exec sleep 600\"").await;
        window.press("composer-send").await;
        assert_eq!(window.see_session("needsYou").await, session);
        window.see_no("[data-testid=interrupted]").await;
        let resumed = told::items(&home, &session).into_iter().filter_map(|item| {
            let resumes = item["body"]["resumes"].as_str()?;
            (item["body"]["type"] == "opened").then(|| resumes.to_owned())
        });
        native_ids = resumed.collect();
        assert_eq!(native_ids.len(), round);
        let resumed = format!("Resumed conversation {}", native_ids[0].split('-').nth(1).unwrap());
        let rows = window.items().await;
        assert_eq!(rows.iter().filter(|(_, words)| words.contains(&resumed)).count(), round, "{rows:#?}");
    }
    native_ids.dedup();
    assert_eq!(native_ids.len(), 1, "it is one conversation all the time");
    window.picture("resumed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_crashes_in_mid_turn_tells_its_exit_code_and_last_words_and_makes_one_offer() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("Break off. demo:stderr=40 demo:crash").await;
    window.see_text("[data-testid=error-facts]", "Exit code 7").await;
    window.see_session("failed").await;
    // Of 40 lines the last 24, and what the program said when it broke off.
    let tail = last_words(&window).await;
    assert_eq!(tail.len(), 24, "{tail:#?}");
    window.picture("crash").await;
    assert_eq!(resume_offers(&window).await, 1);
    window.press("error-resume").await;
    window.press("composer-send").await;
    window.see("[data-testid=opened][data-resumes]").await;
    window.see_session("needsYou").await;
    assert_eq!(resume_offers(&window).await, 0, "an offer that was taken up is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_is_killed_in_mid_turn_tells_the_signal() {
    let home = Home::new();
    let window = Window::open(&home, &home.workspace()).await;
    window.start_demo("Be killed. demo:slow=200").await;
    window.see("[data-testid=item][data-kind=agentMessage]").await;
    kill(running(&home, "demo.mjs").await);
    window.see_text("[data-testid=error-facts]", "SIGKILL").await;
    window.see_session("failed").await;
    assert_eq!(resume_offers(&window).await, 1);
    window.picture("killed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cli_that_is_killed_in_mid_turn_tells_the_signal_and_what_it_left_and_the_session_goes_on() {
    let home = Home::new();
    let runner = project().join("tests/fixtures/runners/leaving.mjs");
    let manifest = format!("id = \"own\"\nname = \"Own\"\nrunner = \"{}\"\nadapter = \"demo\"\n", runner.display());
    let providers = home.path().join("config/providers");
    std::fs::create_dir_all(&providers).unwrap();
    std::fs::write(providers.join("own.toml"), manifest).unwrap();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    home.run(["run", "--detach", "--provider", "own", "--cwd", workspace.to_str().unwrap(), "stay"]).assert_code(0);
    let session = window.see_session("working").await;
    window.see(&format!("[data-testid=session-row][data-session='{session}']")).await.click().await.unwrap();
    window.see_text("[data-kind=agentMessage]", "up").await;
    let tools = [running(&home, "sleep 613").await, running(&home, "sleep 614").await];

    kill(running(&home, "sh -c setsid").await);
    window.see_text("[data-testid=error-facts]", "SIGKILL").await;
    window.see_text("[data-testid=notice][data-code=leftovers_ended]", "sleep 613").await;
    wait_until("what the CLI left to be ended", || !tools.iter().any(|tool| is_alive(*tool))).await;
    assert_eq!(resume_offers(&window).await, 1);
    window.picture("cli-killed").await;

    window.type_into("composer-input", "Go on").await;
    window.press("composer-send").await;
    window.see_text("[data-kind=userMessage]", "Go on").await;
    assert_eq!(window.see_session("working").await, session);
    running(&home, "sleep 613").await;
    assert_eq!(resume_offers(&window).await, 0, "an offer that was taken up is gone");
    home.run(["stop", &session]).assert_code(0);
}

/// Unfolds what the program printed, and gives its lines.
async fn last_words(window: &Window) -> Vec<String> {
    window.press("error-tail").await;
    window.see("[data-testid=error-item] pre").await;
    let text = "return document.querySelector('[data-testid=error-item] pre').innerText;";
    let text = window.client().execute(text, Vec::new()).await.unwrap();
    text.as_str().unwrap().trim_end().lines().map(str::to_owned).collect()
}

/// How many buttons offer to resume, besides the composer's own.
async fn resume_offers(window: &Window) -> u64 {
    let count = "return [...document.querySelectorAll('button')].filter((button) => \
        ['Resume', 'Try again'].includes(button.innerText.trim()) && !button.dataset.testid?.startsWith('composer')).length;";
    window.client().execute(count, Vec::new()).await.unwrap().as_u64().unwrap()
}
