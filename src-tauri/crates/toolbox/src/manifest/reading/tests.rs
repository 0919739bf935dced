//! What a manifest may say, and how it is told that it may not.

use super::*;

fn parsed(text: &str) -> Result<Manifest, ManifestError> {
    parse(Path::new("/w/.outrigger/sidecars/lint"), text)
}

fn words(command: &CommandWords) -> Vec<&str> {
    command.words().iter().map(String::as_str).collect()
}

#[test]
fn the_shortest_manifest_has_the_usual_limits() {
    let manifest = parsed("run = \"node server.mjs\"").unwrap();
    assert_eq!(manifest.name, "lint");
    assert!(matches!(&manifest.run, Run::Stdio(command) if words(command) == ["node", "server.mjs"]));
    assert_eq!((manifest.restart, manifest.share), (Restart::OnFailure, Share::Workspace));
    assert_eq!(manifest.timeouts.call, Duration::from_secs(300));
    assert_eq!(manifest.timeouts.list, Duration::from_secs(10));
    assert_eq!(manifest.idle_stop, Some(limits::IDLE_STOP));
    assert!(manifest.build.is_empty());
}

#[test]
fn everything_that_may_be_said() {
    let manifest = parsed(
        r#"
description = "Looks after style"
build = ["npm ci", ["npm", "run", "build it"]]
run = ["node", "my server.mjs", "${workspace}"]
transport = "socket"
restart = "never"
share = "machine"
idleStop = "1h 30m"
watch = ["src", "sidecar.toml"]
[env]
pass = ["SSH_AUTH_SOCK"]
set = { MODE = "strict" }
secret = { KEY = "keyring:lint", OTHER = "env:LINT_KEY" }
[timeouts]
build = "2m"
call = "20s"
"#,
    )
    .unwrap();
    assert_eq!(words(&manifest.build[1]), ["npm", "run", "build it"]);
    assert!(matches!(&manifest.run, Run::Socket(command) if command.words()[1] == "my server.mjs"));
    assert_eq!(manifest.idle_stop, Some(Duration::from_secs(5400)));
    assert_eq!(manifest.environment.set["MODE"], "strict");
    assert_eq!(manifest.environment.secret["KEY"], SecretRef::Keyring("lint".to_owned()));
    assert_eq!(manifest.timeouts.call, Duration::from_secs(20));
    assert_eq!(manifest.watch, Watch::Only(vec!["src".into(), "sidecar.toml".into()]));
    let Run::Socket(run) = &manifest.run else { panic!("{:?}", manifest.run) };
    let filled = run.filled(Path::new("/f"), Path::new("/a b"));
    assert_eq!(filled, ["node", "my server.mjs", "/a b"], "a path with a space stays one word");
}

#[test]
fn a_server_that_is_reached_by_http() {
    let manifest =
        parsed("url = \"https://example.org/mcp\"\nsecretHeaders = { Authorization = \"env:TOKEN\" }").unwrap();
    assert!(matches!(&manifest.run, Run::Http { url, secret_headers, .. }
        if url == "https://example.org/mcp" && secret_headers["Authorization"] == SecretRef::Environment("TOKEN".to_owned())));
    assert!(!manifest.has_process());
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (text, line, part) in [
        ("run = \"node 'x\"", Some(1), "a quote in `node 'x` is not closed"),
        ("\nrun = \"\"", Some(2), "names no program"),
        ("run = 3", Some(1), "a command is a string"),
        ("build = [\"x\"]", None, "`run` is missing"),
        ("run = \"x\"\ntransport = \"pigeon\"", Some(2), "\"stdio\", \"socket\" or \"http\""),
        ("run = \"x\"\n\nshare = \"all\"", Some(3), "\"machine\", \"workspace\", \"session\""),
        ("run = \"x\"\nrestart = \"yes\"", Some(2), "\"onFailure\""),
        ("run = \"x\"\nidleStop = \"soon\"", Some(2), "such as \"90s\""),
        ("run = \"x\"\nidleStop = \"0s\"", Some(2), "more than nothing"),
        ("run = \"x\"\n[timeouts]\ncall = \"900h\"", Some(3), "at most"),
        ("run = \"x\"\nidelStop = \"1m\"", Some(2), "unknown field"),
        ("run = \"x\"\n[env]\npass = [\"A=B\"]", Some(3), "no name of a variable"),
        ("run = \"x\"\n[env.set]\nOUTRIGGER_X = \"1\"", Some(3), "set by Outrigger itself"),
        ("run = \"x\"\n[env.secret]\nK = \"hunter2\"", Some(3), "keyring:NAME"),
        ("run = \"x\"\nwatch = [\"../..\"]", Some(2), "inside the sidecar's folder"),
        ("url = \"ftp://x\"", Some(1), "http://"),
        ("url = \"http://x\"\nrun = \"x\"", Some(2), "no meaning"),
        ("run = ", Some(1), ""),
    ] {
        let error = parsed(text).expect_err(text);
        assert_eq!(error.line, line, "{text:?}: {error}");
        assert!(error.what.contains(part), "{text:?}: {error}");
        assert!(error.to_string().contains("sidecar.toml"), "{error}");
    }
}

#[test]
fn a_folder_with_a_name_that_is_no_word_is_refused() {
    let error = parse(Path::new("/w/my tools"), "run = \"x\"").unwrap_err();
    assert!(error.what.contains("letters, digits"), "{error}");
}
