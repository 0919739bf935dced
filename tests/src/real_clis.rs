//! The real `claude` and `codex` in a home of a test, with accounts at the stand-in in place of their vendors.
//!
//! Responsible for installing them once per machine and for the settings of a home. What they are asked is the test's business.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

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

    /// Lets a home's `claude` or `codex` be the installed one, with an account at the stand-in whose address is `url`.
    ///
    /// # Panics
    /// When the home cannot be written.
    pub fn settle_in(&self, home: &Home, provider: &str, url: &str) {
        let cli = self.text(&self.installed["clis"][provider]["path"]);
        let settings = home.path().join("config/settings.toml");
        let paths = if settings.exists() { "" } else { "[paths]\n" };
        append(&settings, &format!("{paths}{provider} = \"{cli}\"\n"));
        if provider == "codex" {
            append(&home.user_home().join(".codex/config.toml"), &codex_config(url));
        }
        for (name, value) in account(provider, url) {
            append(&home.user_home().join(".profile"), &format!("export {name}='{value}'\n"));
        }
    }

    fn text<'a>(&self, value: &'a Value) -> &'a str {
        value.as_str().unwrap_or_else(|| panic!("install.mjs left something out: {}", self.installed))
    }
}

fn append(file: &Path, text: &str) {
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(file.parent().unwrap_or(file))?;
        fs::OpenOptions::new().create(true).append(true).open(file)?.write_all(text.as_bytes())
    };
    write().unwrap_or_else(|error| panic!("cannot write {}: {error}", file.display()));
}

fn account<'a>(provider: &str, url: &'a str) -> Vec<(&'static str, &'a str)> {
    if provider == "codex" {
        return vec![("STANDIN_API_KEY", "no-secret")];
    }
    vec![
        ("ANTHROPIC_BASE_URL", url),
        ("ANTHROPIC_API_KEY", "no-secret"),
        ("CLAUDE_CODE_MAX_RETRIES", "2"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("DISABLE_AUTOUPDATER", "1"),
        // Without it claude refuses to go without questions when its user is root, as in a container.
        ("IS_SANDBOX", "1"),
    ]
}

fn codex_config(url: &str) -> String {
    format!(
        "model = \"gpt-5.5\"\nmodel_provider = \"standin\"\n\n[model_providers.standin]\nname = \"stand-in\"\n\
         base_url = \"{url}/v1\"\nenv_key = \"STANDIN_API_KEY\"\nwire_api = \"responses\"\nrequest_max_retries = 1\n\
         stream_max_retries = 1\n\n[analytics]\nenabled = false\n"
    )
}
