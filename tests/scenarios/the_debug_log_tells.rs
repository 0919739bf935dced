//! The debug log tells what happened, and no secret.

use crate::stage::{self, demo, own_provider, run_of};

#[test]
fn spawns_lines_states_and_stderr_are_in_it() {
    let home = stage::home();
    stage::export(&home, "DISTINCT_NAME", "distinct-value");
    home.run(demo(&home, &[], "demo:crash")).assert_code(1);
    let log = home.debug_log();
    for part in ["demo.mjs", "pid=", "DISTINCT_NAME", "agent_started", "turn_started", "something terrible happened"] {
        assert!(log.contains(part), "{part} is not in the log:\n{log}");
    }
    assert!(!log.contains("distinct-value"), "variables are told by name only");
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(
        log.lines().any(|line| line.contains(&session) && line.contains("bytes")),
        "lines with their sizes:\n{log}"
    );
    let states = states_of(&log, &session);
    assert_eq!(states.first(), Some(&"working: model"), "the turn begins:\n{log}");
    assert_eq!(states.last(), Some(&"failed"), "the runner crashes: {states:?}");
}

#[test]
fn a_tool_that_runs_is_a_state_in_it() {
    let home = stage::home();
    // States that come and go between two looks at what the agent printed are not told; this one lasts.
    home.run(demo(&home, &["--permissions", "allow"], "demo:run=\"sleep 1\"")).assert_code(0);
    let session = home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned();
    let log = home.debug_log();
    let states = states_of(&log, &session);
    assert!(states.contains(&"working: tool"), "{states:?}");
    assert_eq!(states.last(), Some(&"ended"), "{states:?}");
}

/// The states that the log tells of a session, in order.
fn states_of<'a>(log: &'a str, session: &str) -> Vec<&'a str> {
    log.lines()
        .filter(|line| line.contains(session) && line.contains("the pod's state"))
        .filter_map(|line| Some(line.split_once("state=")?.1.trim_matches('"')))
        .collect()
}

#[test]
fn a_secret_is_not_in_it() {
    let home = stage::home();
    let secret = "sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789";
    stage::export(&home, "SERVICE_TOKEN", "a-very-private-token-value");
    own_provider(&home, "leaking", "");
    home.run(run_of(&home, "own", &["--env", &format!("MY_SECRET={secret}")], "x")).assert_code(0);
    let log = home.debug_log();
    assert!(log.contains("it leaks"), "what was around it is there:\n{log}");
    assert!(!log.contains(secret) && !log.contains("a-very-private-token-value"), "{log}");
}

#[test]
fn doctor_works_and_is_quick() {
    let home = stage::home();
    let began = std::time::Instant::now();
    let doctor = home.run(["doctor", "--json"]);
    let took = began.elapsed();
    doctor.assert_code(0);
    assert!(took.as_secs_f64() < 2.0, "{took:?}");
    let report = &doctor.json()[0];
    assert!(report["providers"].as_array().unwrap().iter().any(|one| one["id"] == "demo" && one["usable"] == true));
    let limits = home.run(["doctor", "--limits"]);
    assert!(limits.stdout.iter().any(|line| line.contains("line from a runner") && line.contains("10 MiB")));
    assert!(home.run(["doctor"]).stdout[0].starts_with("Outrigger "));
}
