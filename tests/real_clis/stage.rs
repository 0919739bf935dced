//! A home with a real CLI in it that talks to the stand-in of its vendor's API.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use outrigger_tests::{Ended, Home, Program, RealClis, Standin, project};
use serde_json::{Value, json};

use crate::drivers::Driver;

/// What the stand-in was asked, one line for each request.
const REQUESTS: &str = "requests.ndjson";

/// A CLI on its stage.
pub(crate) struct Stage {
    pub(crate) home: Home,
    pub(crate) provider: &'static str,
    driver: &'static Driver,
    standin: Standin,
}

impl Stage {
    pub(crate) fn set(driver: &'static Driver) -> Self {
        Self::set_for(driver, &[])
    }

    /// With more arguments for the stand-in.
    pub(crate) fn set_for(driver: &'static Driver, standin: &[&str]) -> Self {
        let clis = RealClis::installed();
        let home = Home::within(&clis.homes());
        let log = home.user_home().parent().unwrap().join(REQUESTS);
        let standin = Standin::start(&[&["--log", log.to_str().unwrap()], standin].concat());
        let direct = driver.name.strip_suffix("-direct");
        clis.settle_in(&home, direct.unwrap_or(driver.name), &standin.url());
        if direct.is_some() {
            home.hide_runtimes();
        }
        // An older release of a CLI is the same provider with another path.
        let provider = driver.name.strip_suffix("-older").unwrap_or(driver.name);
        Self { home, provider, driver, standin }
    }

    /// Settles another CLI in the same home, at the same stand-in.
    pub(crate) fn with(self, provider: &str) -> Self {
        RealClis::installed().settle_in(&self.home, provider, &self.standin.url());
        self
    }

    /// Lets Ollama's agent find its server in the stand-in.
    pub(crate) fn with_ollama(self) -> Self {
        let profile = self.home.user_home().join(".profile");
        let text = fs::read_to_string(&profile).unwrap();
        fs::write(&profile, format!("{text}export OLLAMA_HOST='{}'\n", self.url())).unwrap();
        self
    }

    /// The stand-in's address.
    pub(crate) fn url(&self) -> String {
        self.standin.url()
    }

    /// Starts `outrigger ARGS`, with the driver's patience.
    pub(crate) fn start(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Program {
        self.home.start(args).with_patience(self.driver.patience)
    }

    /// Runs `outrigger ARGS` to its end.
    pub(crate) fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ended {
        self.start(args).finish()
    }

    /// The settings of an MCP server on stdio, which notes in `log` what it is called with.
    pub(crate) fn mcp_server(&self, log: &Path) -> String {
        // The server is a script of the user's; that it needs a runtime is not our business, where ours has none.
        let node = std::env::split_paths(&std::env::var("PATH").unwrap())
            .map(|folder| folder.join("node"))
            .find(|file| file.is_file());
        let server = project().join("tests/real_clis/mcp_server.mjs");
        json!({"light": {"command": node.unwrap(), "args": [server, log]}}).to_string()
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
        let ended = self.run(self.args(&all, prompt));
        ended.assert_code(0);
        let session = ended.json()[0]["session"].as_str().unwrap().to_owned();
        let items = self.start(["logs", &session, "--follow", "--json"]);
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
