//! A home with a real CLI in it that talks to the stand-in of its vendor's API.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::sync::OnceLock;

use outrigger_tests::{Home, Program, Standin, project};
use serde_json::Value;

/// What the stand-in was asked, one line for each request.
const REQUESTS: &str = "requests.ndjson";

/// A CLI on its stage.
pub(crate) struct Stage {
    pub(crate) home: Home,
    pub(crate) provider: &'static str,
    _standin: Standin,
}

impl Stage {
    pub(crate) fn set(provider: &'static str) -> Self {
        let clis = installed();
        // Not under the temporary folder: codex refuses to sandbox commands when its home is there.
        let home = Home::within(clis["home"].as_str().unwrap().as_ref());
        let log = home.user_home().parent().unwrap().join(REQUESTS);
        let standin = Standin::start(&["--log", log.to_str().unwrap()]);
        let cli = clis["clis"][provider]["path"].as_str().unwrap();
        write(&home, "outrigger/config/settings.toml", &format!("[paths]\n{provider} = \"{cli}\"\n"));
        if provider == "codex" {
            write(&home, "user/.codex/config.toml", &codex_config(&standin.url()));
        }
        let mut profile = fs::OpenOptions::new().append(true).open(home.user_home().join(".profile")).unwrap();
        for (name, value) in account(provider, standin.url()) {
            writeln!(profile, "export {name}='{value}'").unwrap();
        }
        Self { home, provider, _standin: standin }
    }

    pub(crate) fn args(&self, more: &[&str], prompt: &str) -> Vec<String> {
        let workspace = self.home.workspace();
        let fixed = ["run", "--json", "--provider", self.provider, "--cwd", workspace.to_str().unwrap()];
        fixed.iter().chain(more).chain(&[prompt]).map(|word| (*word).to_owned()).collect()
    }

    /// Starts a session that goes on by itself; its id and its items.
    pub(crate) fn detached(&self, more: &[&str], prompt: &str) -> (String, Program) {
        let mut all = vec!["--detach"];
        all.extend(more);
        let ended = self.home.run(self.args(&all, prompt));
        ended.assert_code(0);
        let session = ended.json()[0]["session"].as_str().unwrap().to_owned();
        let items = self.home.start(["logs", &session, "--follow", "--json"]);
        (session, items)
    }

    /// What the CLI sent to its vendor, oldest first.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.home.user_home().parent().unwrap().join(REQUESTS)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn session(&self) -> String {
        self.home.sessions()[0].file_name().unwrap().to_str().unwrap().to_owned()
    }
}

/// Installs the CLIs at the first use of the machine.
fn installed() -> &'static Value {
    static INSTALLED: OnceLock<Value> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let output = Command::new("node").arg(project().join("tests/real_clis/install.mjs")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let stdout = String::from_utf8(output.stdout).unwrap();
        serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
    })
}

fn write(home: &Home, file: &str, text: &str) {
    let file = home.user_home().parent().unwrap().join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn account(provider: &str, url: String) -> Vec<(&'static str, String)> {
    if provider == "codex" {
        return vec![("STANDIN_API_KEY", "no-secret".to_owned())];
    }
    vec![
        ("ANTHROPIC_BASE_URL", url),
        ("ANTHROPIC_API_KEY", "no-secret".to_owned()),
        ("CLAUDE_CODE_MAX_RETRIES", "2".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        // Without it claude refuses to go without questions when its user is root, as in a container.
        ("IS_SANDBOX", "1".to_owned()),
    ]
}

fn codex_config(url: &str) -> String {
    format!(
        "model = \"gpt-5.5\"\nmodel_provider = \"standin\"\n\n[model_providers.standin]\nname = \"stand-in\"\n\
         base_url = \"{url}/v1\"\nenv_key = \"STANDIN_API_KEY\"\nwire_api = \"responses\"\nrequest_max_retries = 1\n\
         stream_max_retries = 1\n\n[analytics]\nenabled = false\n"
    )
}

pub(crate) fn is_kind<'a>(kind: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |item| item["body"]["type"] == kind
}

pub(crate) fn is_pending(item: &Value) -> bool {
    item["body"]["type"] == "permission" && item["body"]["state"]["type"] == "pending"
}

pub(crate) fn says<'a>(words: &'a str) -> impl Fn(&Value) -> bool + 'a {
    move |item| item["body"]["type"] == "agentMessage" && item["body"]["text"].as_str().unwrap_or("").contains(words)
}

/// Whether one of the items is as wanted.
pub(crate) fn any(items: &[Value], wanted: impl Fn(&Value) -> bool) -> bool {
    items.iter().any(wanted)
}
