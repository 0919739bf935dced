//! The manifests of the ACP agents, and the settings that a manifest hands to its runner.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking, in its helpers too")]

use outrigger_providers::{Launch, Manifest};
use serde_json::json;

const AGENTS: [(&str, &str); 4] = [
    ("gemini", include_str!("../../../../runners/manifests/gemini.toml")),
    ("qwen", include_str!("../../../../runners/manifests/qwen.toml")),
    ("claude-acp", include_str!("../../../../runners/manifests/claude-acp.toml")),
    ("codex-acp", include_str!("../../../../runners/manifests/codex-acp.toml")),
];

#[test]
fn every_agent_is_driven_by_the_one_runner_which_is_told_its_name() {
    for (id, text) in AGENTS {
        let manifest = Manifest::parse(text, id).unwrap();
        assert_eq!(manifest.id, id);
        assert_eq!(manifest.launch, Launch::Runner { script: "acp.mjs".into() });
        assert_eq!(manifest.adapter, "acp");
        assert_eq!(manifest.provider_config["agent"], id);
        assert!(manifest.provider_config["args"].is_array());
        assert_eq!(manifest.unknown_keys, Vec::<String>::new());
        let cli = manifest.cli.unwrap();
        assert!(!cli.tested_versions.is_empty() && cli.min_version.is_some() && cli.install_hint.is_some());
    }
}

#[test]
fn the_users_own_settings_take_the_place_of_the_manifests() {
    let gemini = Manifest::parse(AGENTS[0].1, "gemini").unwrap();
    assert_eq!(gemini.provider_config_with(None), Some(json!({"agent": "gemini", "args": ["--acp"]})));
    let own = json!({"args": ["--acp", "-m", "x"], "authMethod": "oauth-personal"});
    let expected = json!({"agent": "gemini", "args": ["--acp", "-m", "x"], "authMethod": "oauth-personal"});
    assert_eq!(gemini.provider_config_with(Some(own.clone())), Some(expected));
    let none = "id = \"x\"\nname = \"X\"\nrunner = \"x.mjs\"\nadapter = \"raw\"\n";
    let plain = Manifest::parse(none, "x").unwrap();
    assert_eq!(plain.provider_config_with(None), None);
    assert_eq!(plain.provider_config_with(Some(own.clone())), Some(own));
}
