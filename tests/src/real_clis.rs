//! The real agents' CLIs in a home of a test, with accounts at the stand-in in place of their vendors.
//!
//! Responsible for installing them once per machine (`claude` and `codex` together, the others when they are wanted) and for the
//! settings of a home. What they are asked is the test's business.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::built::project;
use crate::home::Home;

/// The CLIs as they are installed on this machine.
#[derive(Debug)]
pub struct RealClis {
    installed: Value,
}

impl RealClis {
    /// Installs them at the first use of the machine (about 1 GB).
    ///
    /// # Panics
    /// When they cannot be installed.
    #[must_use]
    pub fn installed() -> &'static Self {
        static INSTALLED: OnceLock<RealClis> = OnceLock::new();
        INSTALLED.get_or_init(|| {
            let script = project().join("tests/real_clis/install.mjs");
            let output = Command::new("node").arg(script).output();
            let output = output.unwrap_or_else(|error| panic!("cannot run node: {error}"));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let last = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned();
            let installed = serde_json::from_str(&last).unwrap_or_else(|error| panic!("{error}: {last}"));
            Self { installed }
        })
    }

    /// Where a home for them can be. Not under the temporary folder: codex refuses to sandbox commands when its home is there.
    #[must_use]
    pub fn homes(&self) -> PathBuf {
        PathBuf::from(self.text(&self.installed["home"]))
    }

    /// Lets a home's CLI be the installed one, with an account at the stand-in whose address is `url`.
    ///
    /// # Panics
    /// When the home cannot be written.
    pub fn settle_in(&self, home: &Home, provider: &str, url: &str) {
        let pinned = || pinned(provider);
        let cli = self.installed["clis"][provider]["path"].as_str().map_or_else(pinned, str::to_owned);
        // An older release of a CLI is the same provider with another path.
        let provider = provider.strip_suffix("-older").unwrap_or(provider);
        let settings = home.path().join("config/settings.toml");
        let paths = if settings.exists() { "" } else { "[paths]\n" };
        append(&settings, &format!("{paths}{provider} = \"{cli}\"\n"));
        let mut account = account(provider, url);
        match provider {
            "codex" | "codex-acp" => append(&home.user_home().join(".codex/config.toml"), &codex_config(url)),
            "gemini" => append(&home.user_home().join(".gemini/settings.json"), &gemini_settings()),
            "qwen" => append(&home.user_home().join(".qwen/settings.json"), &qwen_settings()),
            "opencode" => {
                let file = home.user_home().join("opencode.json");
                append(&file, &opencode_config(url));
                account.push(("OPENCODE_CONFIG", file.display().to_string()));
            }
            _ => {}
        }
        for (name, value) in account {
            append(&home.user_home().join(".profile"), &format!("export {name}='{value}'\n"));
        }
    }

    fn text<'a>(&self, value: &'a Value) -> &'a str {
        value.as_str().unwrap_or_else(|| panic!("install.mjs left something out: {}", self.installed))
    }
}

/// The path of an agent that is installed when it is wanted, see `tests/real_clis/pins.mjs`.
fn pinned(provider: &str) -> String {
    let script = project().join("tests/real_clis/pins.mjs");
    let output = Command::new("node").arg(script).arg(provider).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run node: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let installed: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("pins.mjs: {error}"));
    let path = installed[provider]["path"].as_str();
    path.unwrap_or_else(|| panic!("pins.mjs does not say where {provider} is: {installed}")).to_owned()
}

fn append(file: &Path, text: &str) {
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(file.parent().unwrap_or(file))?;
        fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes())
    };
    write().unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
}

fn account(provider: &str, url: &str) -> Vec<(&'static str, String)> {
    let account: &[(&'static str, &str)] = match provider {
        "codex" | "codex-acp" => &[("STANDIN_API_KEY", "no-secret")],
        "gemini" => &[("GEMINI_API_KEY", "no-secret"), ("GOOGLE_GEMINI_BASE_URL", url)],
        "qwen" => {
            let url = format!("{url}/v1");
            let names = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"];
            return names.into_iter().zip(["no-secret".to_owned(), url, "standin-model".to_owned()]).collect();
        }
        "opencode" => &[
            ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
            ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
            ("OPENCODE_DISABLE_DEFAULT_PLUGINS", "1"),
        ],
        _ => return claude_account(url),
    };
    account.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

fn claude_account(url: &str) -> Vec<(&'static str, String)> {
    let account = [
        ("ANTHROPIC_BASE_URL", url),
        ("ANTHROPIC_API_KEY", "no-secret"),
        ("CLAUDE_CODE_MAX_RETRIES", "2"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("DISABLE_AUTOUPDATER", "1"),
        // Without it claude refuses to go without questions when its user is root, as in a container.
        ("IS_SANDBOX", "1"),
    ];
    account.map(|(name, value)| (name, value.to_owned())).into()
}

fn opencode_config(url: &str) -> String {
    let model = json!({
        "name": "Stand-in",
        "reasoning": true,
        "tool_call": true,
        "limit": {"context": 200_000, "output": 8000},
        "cost": {"input": 3, "output": 15},
    });
    let provider = json!({
        "npm": "@ai-sdk/anthropic",
        "name": "Stand-in",
        "options": {"baseURL": format!("{url}/v1"), "apiKey": "no-secret"},
        "models": {"one": model},
    });
    let (one, providers) = ("standin/one", json!({"standin": provider}));
    json!({"model": one, "small_model": one, "share": "disabled", "provider": providers}).to_string()
}

fn gemini_settings() -> String {
    json!({
        // A folder that is not trusted gets no MCP servers.
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": false}},
        // Otherwise it asks a model in a form of its own which model to ask.
        "model": {"name": "gemini-2.5-pro"},
        "privacy": {"usageStatisticsEnabled": false},
        "general": {"disableAutoUpdate": true, "disableUpdateNag": true, "maxAttempts": 2},
    })
    .to_string()
}

fn qwen_settings() -> String {
    json!({
        "privacy": {"usageStatisticsEnabled": false},
        "general": {"disableAutoUpdate": true, "enableAutoUpdate": false},
        // Otherwise the tools of MCP servers are offered to those who search for them only.
        "tools": {"toolSearch": {"enabled": false}},
    })
    .to_string()
}

fn codex_config(url: &str) -> String {
    format!(
        "model = \"gpt-5.5\"\nmodel_provider = \"standin\"\n\n[model_providers.standin]\nname = \"stand-in\"\n\
         base_url = \"{url}/v1\"\nenv_key = \"STANDIN_API_KEY\"\nwire_api = \"responses\"\nrequest_max_retries = 1\n\
         stream_max_retries = 1\n\n[analytics]\nenabled = false\n"
    )
}
