//! Manifests: the ones that come with the program, what is said about wrong ones, and the environment that they lead to.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

use std::collections::BTreeMap;

use outrigger_providers::{Driver, Launch, Manifest, Manifests, clean_environment, expand_home};
use protocol::provider::PermissionMode;

const CLAUDE: &str = include_str!("../../../../runners/manifests/claude.toml");
const CODEX: &str = include_str!("../../../../runners/manifests/codex.toml");
const CLAUDE_DIRECT: &str = include_str!("../../../../runners/manifests/claude-direct.toml");
const DEMO: &str = include_str!("../../../../runners/manifests/demo.toml");

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_manifests_that_come_with_the_program_are_good() {
    for (file, text) in [("claude", CLAUDE), ("codex", CODEX), ("demo", DEMO)] {
        let manifest = Manifest::parse(text, file).unwrap();
        assert_eq!(manifest.id, file);
        assert_eq!(manifest.launch, Launch::Runner { script: format!("{file}.mjs") });
        assert_eq!(manifest.unknown_keys, Vec::<String>::new());
        assert!(manifest.capabilities.steer && manifest.capabilities.partials);
        assert_eq!(manifest.info().needs_cli.as_deref(), (file != "demo").then_some(file));
    }
    let claude = Manifest::parse(CLAUDE, "claude").unwrap();
    assert!(claude.info().install_hint.is_some());
    assert_eq!(claude.defaults.permission_mode, PermissionMode::Ask);
}

#[test]
fn a_wrong_manifest_says_where_what_and_what_to_do() {
    let good = "id = \"x\"\nname = \"X\"\nrunner = \"x.mjs\"\nadapter = \"raw\"\n";
    assert!(Manifest::parse(good, "x.toml").is_ok());
    let without = |key: &str| good.lines().filter(|line| !line.starts_with(key)).collect::<Vec<_>>().join("\n");
    let cases = [
        (without("id"), "x.toml: id: it is missing"),
        (good.replace("id = \"x\"", "id = \"My Agent\""), "x.toml: line 1: id: `My Agent` is no provider id"),
        (without("name"), "x.toml: name: it is missing"),
        (without("runner"), "x.toml: runner: neither `runner` nor `driver` is given"),
        (format!("driver = \"stream-json\"\n{good}"), "x.toml: line 1: driver: a runner is given too"),
        (good.replace("\"raw\"", "\"gpt\""), "x.toml: line 4: adapter: there is no adapter `gpt`"),
        (without("adapter"), "x.toml: adapter: it is missing"),
        (format!("{good}[cli]\nnames = []"), "x.toml: line 6: cli.names: no program is named"),
        (format!("{good}[cli]\ncandidates = [\"x.py\"]"), "x.toml: line 6: cli.candidates: `x.py` is no place"),
        (
            format!("{good}[cli]\nnames = [\"x\"]\nminVersion = \"v2\""),
            "x.toml: line 7: cli.minVersion: `v2` is no version",
        ),
        (format!("{good}[env]\nkeep = [\"A B\"]"), "x.toml: line 6: env.keep: `A B` is no name of a variable"),
        (
            format!("{good}[defaults]\npermissionMode = \"yolo\""),
            "x.toml: line 6: permissionMode: unknown variant `yolo`",
        ),
        (format!("{good}[capabilities]\nsteer = 1"), "x.toml: line 6: steer: invalid type: integer `1`"),
        (format!("{good}what is this"), "x.toml: line 5"),
        (good.replace("runner = \"x.mjs\"", "driver = \"stream-json\""), "x.toml: cli: a driver needs a CLI"),
        (
            format!(
                "{}[cli]\nnames = [\"x\"]\n[options]\nresume = [\"--resume\"]",
                good.replace("runner = \"x.mjs\"", "driver = \"stream-json\"")
            ),
            "x.toml: line 7: options: `resume = [\"--resume\"]` has no place for the value; write `{}`",
        ),
        (
            format!(
                "{}[cli]\nnames = [\"x\"]\n[since]\n\"--new\" = \"soon\"",
                good.replace("runner = \"x.mjs\"", "driver = \"stream-json\"")
            ),
            "x.toml: line 7: since: `soon`, for --new, is no version",
        ),
        (good.replace("runner = \"x.mjs\"", "driver = \"http\""), "x.toml: line 3: driver: there is no driver `http`"),
    ];
    for (text, expected) in cases {
        let error = Manifest::parse(&text, "x.toml").unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(!error.remedy.is_empty());
    }
}

#[test]
fn a_driver_needs_no_script_and_unknown_keys_are_told() {
    let text = "id = \"mine\"\nname = \"Mine\"\ndriver = \"stream-json\"\nadapter = \"claude\"\nargs = [\"-p\"]\ncolour = 1\n\
        [cli]\nnames = [\"mine\"]\nflavour = 2";
    let manifest = Manifest::parse(text, "mine.toml").unwrap();
    let driver =
        Launch::Driver(Driver { args: vec!["-p".into()], session_id_field: "session_id".into(), ..Driver::default() });
    assert_eq!(manifest.launch, driver);
    assert_eq!(manifest.cli.unwrap().version_args, ["--version"]);
    assert_eq!(manifest.unknown_keys, ["cli.flavour", "colour"]);
}

#[test]
fn the_direct_claude_differs_from_claude_only_in_how_it_is_driven() {
    let claude = Manifest::parse(CLAUDE, "claude.toml").unwrap();
    let direct = Manifest::parse(CLAUDE_DIRECT, "claude-direct.toml").unwrap();
    assert_eq!(direct.stands_in_for.as_deref(), Some("claude"));
    assert_eq!(direct.unknown_keys, Vec::<String>::new());
    let hint = "copy the section from claude.toml to claude-direct.toml";
    assert_eq!(direct.adapter, claude.adapter, "{hint}");
    assert_eq!(direct.cli, claude.cli, "{hint}");
    assert_eq!(direct.env, claude.env, "{hint}");
    assert_eq!(direct.defaults, claude.defaults, "{hint}");
    assert_eq!(direct.capabilities, claude.capabilities, "{hint}");
}

#[test]
fn what_begins_with_a_dot_is_beside_the_manifest() {
    let text =
        "id = \"x\"\nname = \"X\"\nrunner = \"./x.mjs\"\nadapter = \"raw\"\n[cli]\ncandidates = [\"./x\", \"~/x\"]";
    let manifest = Manifest::parse(text, "/config/providers/x.toml").unwrap();
    assert_eq!(manifest.launch, Launch::Runner { script: "/config/providers/x.mjs".into() });
    assert_eq!(manifest.cli.unwrap().candidates, ["/config/providers/x", "~/x"]);
    let elsewhere = Manifest::parse(text, "x.toml").unwrap();
    assert_eq!(elsewhere.launch, Launch::Runner { script: "./x.mjs".into() }, "nobody knows where that is");
}

#[test]
fn a_broken_manifest_keeps_no_other_from_being_used_and_the_users_own_come_last() {
    let parse = |file: &str, text: &str| (file.to_owned(), Manifest::parse(text, file));
    let own = DEMO.replace("Demo agent", "My demo");
    let merged = Manifests::merge([
        vec![
            parse("demo.toml", DEMO),
            parse("bad.toml", "id = 3"),
            parse("twin.toml", DEMO),
            parse("codex.toml", CODEX),
        ],
        vec![parse("own.toml", &own)],
    ]);
    assert_eq!(merged.providers.keys().collect::<Vec<_>>(), ["codex", "demo"]);
    assert_eq!(merged.get("demo").unwrap().name, "My demo");
    let errors: Vec<_> = merged.errors.iter().map(|error| error.file.as_str()).collect();
    assert_eq!(errors, ["bad.toml", "twin.toml"]);
    assert!(merged.errors[1].to_string().contains("demo.toml has the id `demo` already"));
}

#[test]
fn the_marks_of_a_surrounding_agent_are_stripped_and_the_users_own_keys_pass() {
    let base = env(&[
        ("PATH", "/bin"),
        ("HOME", "/home/me"),
        ("CLAUDECODE", "1"),
        ("CLAUDE_CODE_ENTRYPOINT", "cli"),
        ("CLAUDE_CONFIG_DIR", "/elsewhere"),
        ("CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS", "1"),
        ("ANTHROPIC_API_KEY", "key"),
        ("ANTHROPIC_MODEL", "forced"),
        ("CODEX_THREAD_ID", "t"),
        ("OLLAMA_HOST", "h"),
        ("GEMINI_CLI", "1"),
        ("GEMINI_API_KEY", "mine"),
        ("AI_AGENT", "x"),
        ("OPENAI_API_KEY", "mine"),
        ("OUTRIGGER_DEMO_PACE", "0"),
    ]);
    let claude = Manifest::parse(CLAUDE, "claude").unwrap();
    let clean = clean_environment(&base, &claude, &BTreeMap::new(), None);
    let passed: Vec<_> = clean.env.keys().map(String::as_str).collect();
    let expected = [
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS",
        "GEMINI_API_KEY",
        "HOME",
        "OPENAI_API_KEY",
        "OUTRIGGER_DEMO_PACE",
        "PATH",
    ];
    assert_eq!(passed, expected);
    assert!(
        clean.stripped.contains(&"ANTHROPIC_MODEL".to_owned())
            && clean.stripped.contains(&"CLAUDE_CONFIG_DIR".to_owned())
    );
    let demo = Manifest::parse(DEMO, "demo").unwrap();
    let clean = clean_environment(&base, &demo, &BTreeMap::new(), None);
    assert!(clean.env.contains_key("OUTRIGGER_DEMO_PACE") && !clean.env.contains_key("ANTHROPIC_API_KEY"));
}

#[test]
fn extra_variables_pass_unless_they_are_a_providers() {
    let base = env(&[("HOME", "/home/me/"), ("CODEX_HOME", "/old")]);
    let extra = env(&[
        ("RUST_LOG", "debug"),
        ("DATA", "~/data"),
        ("CLAUDE_CODE_EXPERIMENTAL_X", "1"),
        ("ANTHROPIC_API_KEY", "k"),
        ("codex_home", "/sneaky"),
        ("BAD NAME", "x"),
        ("NUL", "a\0b"),
    ]);
    let codex = Manifest::parse(CODEX, "codex").unwrap();
    let clean = clean_environment(&base, &codex, &extra, Some("~/.codex-work"));
    let expected = env(&[
        ("HOME", "/home/me/"),
        ("RUST_LOG", "debug"),
        ("DATA", "/home/me/data"),
        ("CLAUDE_CODE_EXPERIMENTAL_X", "1"),
        ("CODEX_HOME", "/home/me/.codex-work"),
    ]);
    assert_eq!(clean.env, expected);
    let rejected: Vec<_> = clean.rejected.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(rejected, ["ANTHROPIC_API_KEY", "BAD NAME", "NUL", "codex_home"]);
    assert!(clean.rejected.iter().all(|(_, reason)| !reason.contains("sneaky") && reason.len() > 20));
}

#[test]
fn a_config_folder_goes_to_the_variable_of_the_provider() {
    let base = env(&[("HOME", "/home/me"), ("CLAUDE_CONFIG_DIR", "/elsewhere")]);
    let claude = Manifest::parse(CLAUDE, "claude").unwrap();
    let clean = clean_environment(&base, &claude, &BTreeMap::new(), Some("~/work-profile"));
    assert_eq!(clean.env["CLAUDE_CONFIG_DIR"], "/home/me/work-profile");
    let demo = Manifest::parse(DEMO, "demo").unwrap();
    let clean = clean_environment(&base, &demo, &BTreeMap::new(), Some("/x"));
    assert_eq!(clean.rejected[0].0, "configDir");
}

#[test]
fn what_a_provider_requires_and_does_not_get_is_named() {
    let text = DEMO.replace("require = []", "require = [\"TOKEN\", \"HOME\"]");
    let manifest = Manifest::parse(&text, "demo").unwrap();
    let clean = clean_environment(&env(&[("HOME", "/h"), ("TOKEN", "")]), &manifest, &BTreeMap::new(), None);
    assert_eq!(clean.missing, ["TOKEN"]);
}

#[test]
fn only_a_leading_tilde_of_ones_own_home_is_expanded() {
    let env = env(&[("HOME", "/home/me")]);
    let cases = [("~", "/home/me"), ("~/x", "/home/me/x"), ("~other/x", "~other/x"), ("/a/~/b", "/a/~/b"), ("", "")];
    for (value, expected) in cases {
        assert_eq!(expand_home(value, &env), expected);
    }
    assert_eq!(expand_home("~/x", &BTreeMap::new()), "~/x");
}
