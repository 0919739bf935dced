//! What can each provider do, as the tests of this folder have seen it? Each test notes its cells of the table provider × scenario in
//! files; `./dev test real-clis` prints them at its end with `table.mjs`.
//!
//! A scenario begins with
//!
//! ```ignore
//! let cells = Cells::of(driver.name, &[Scenario::Text, Scenario::Thinking]);
//! ```
//!
//! and its cells say `yes` when it comes to its end, `FAILED` when it does not. `cells.say("queued")` puts another word in place of
//! `yes`. What a CLI cannot do is noted with its reason, which its driver gives:
//!
//! ```ignore
//! table::cannot(driver.name, Scenario::SteerOrQueue, "a second prompt cancels the first");
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use outrigger_tests::project;
use serde_json::json;

/// The columns, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Text,
    Thinking,
    ToolWritesFile,
    Allowed,
    Denied,
    ApiError,
    RateLimit,
    TwoTurns,
    SteerOrQueue,
    Interrupt,
    Resume,
    McpToolCall,
}

impl Scenario {
    fn title(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Thinking => "thinking",
            Self::ToolWritesFile => "file written",
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::ApiError => "API error",
            Self::RateLimit => "rate limit",
            Self::TwoTurns => "two turns",
            Self::SteerOrQueue => "steer or queue",
            Self::Interrupt => "interrupt",
            Self::Resume => "resume",
            Self::McpToolCall => "MCP tool call",
        }
    }
}

/// The cells that a test fills by coming to its end.
#[must_use = "the cells say `yes` when this is dropped at the end of the test"]
pub(crate) struct Cells {
    provider: &'static str,
    scenarios: Vec<Scenario>,
    word: &'static str,
}

impl Cells {
    /// Until the test has come to its end, its cells say that it has not.
    pub(crate) fn of(provider: &'static str, scenarios: &[Scenario]) -> Self {
        scenarios.iter().for_each(|scenario| note(provider, *scenario, "FAILED", ""));
        Self { provider, scenarios: scenarios.to_vec(), word: "yes" }
    }

    /// What stands in the cells in place of `yes`.
    pub(crate) fn say(&mut self, word: &'static str) {
        self.word = word;
    }
}

impl Drop for Cells {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.scenarios.iter().for_each(|scenario| note(self.provider, *scenario, self.word, ""));
        }
    }
}

/// A provider that does not have something to try; the reason stands below the table.
pub(crate) fn cannot(provider: &str, scenario: Scenario, reason: &str) {
    note(provider, scenario, "n/a", reason);
}

/// One file for each cell, because each test may run in a process of its own.
fn note(provider: &str, scenario: Scenario, word: &str, reason: &str) {
    let folder = folder();
    fs::create_dir_all(&folder).unwrap();
    let cell = json!({
        "provider": provider,
        "column": scenario as usize,
        "title": scenario.title(),
        "word": word,
        "reason": reason,
    });
    fs::write(folder.join(format!("{provider}.{scenario:?}.json")), cell.to_string()).unwrap();
}

fn folder() -> PathBuf {
    std::env::var_os("OUTRIGGER_TEST_TABLE")
        .map_or_else(|| Path::new(project()).join("target/real-clis-table"), PathBuf::from)
}
