//! What does a person need of doctor's report? What can be used, what is wrong, and what to do about it; each told once.
//!
//! Pure. Where everything was looked for is in the whole report, [`crate::render_text`].

use std::fmt::Write;

use protocol::doctor::{DoctorReport, EnvironmentSource, ProviderReport};

/// The report in short.
#[must_use]
pub fn render_summary(report: &DoctorReport) -> String {
    let mut summary = Summary::default();
    summary.line(&format!("Outrigger {}", report.version));
    summary.runtime(report);
    summary.line("\nAgents");
    report.providers.iter().for_each(|provider| summary.provider(provider));
    summary.rest(report);
    let verdict = if report.ok { "Everything that is needed is here" } else { "Something is missing" };
    summary.line(&format!("\n{verdict}. `outrigger doctor --verbose` tells what was looked at, and where."));
    summary.text
}

#[derive(Default)]
struct Summary {
    text: String,
    told: Vec<String>,
}

impl Summary {
    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }

    /// What has been told is not told again.
    fn trouble(&mut self, what: &str, words: Option<&str>) {
        let Some(words) = words.filter(|words| !self.told.iter().any(|told| told == words)) else { return };
        self.told.push(words.to_owned());
        self.line(&format!("           {what:<8} {words}"));
    }

    fn runtime(&mut self, report: &DoctorReport) {
        self.line("\nRuntime of the runners");
        let chosen = report.runtimes.iter().find(|runtime| runtime.chosen);
        match chosen.and_then(|runtime| Some((runtime, runtime.found.as_ref()?))) {
            Some((runtime, found)) => {
                let version = found.version.as_deref().unwrap_or("version unknown");
                self.line(&format!("  ok       {} {version}  {}", runtime.id, found.path));
            }
            None => {
                let least: Vec<String> =
                    report.runtimes.iter().map(|runtime| format!("{} {}", runtime.id, runtime.min_version)).collect();
                self.line(&format!("  missing  {} or newer", least.join(" or ")));
            }
        }
    }

    fn provider(&mut self, provider: &ProviderReport) {
        let mark = if provider.usable { "ok" } else { "missing" };
        let facts = match (&provider.found, provider.needs_cli) {
            (Some(found), _) => found.version.clone().unwrap_or_else(|| "version unknown".to_owned()),
            (None, false) => "built in".to_owned(),
            (None, true) => String::new(),
        };
        self.line(format!("  {mark:<8} {:<16} {facts}", provider.name).trim_end());
        self.trouble(
            "problem:",
            provider.problem.as_deref().filter(|_| provider.found.is_some() || !provider.needs_cli),
        );
        self.trouble("to do:", provider.fix.as_deref());
        for warning in &provider.warnings {
            self.trouble("note:   ", Some(warning));
        }
    }

    /// Only what is wrong.
    fn rest(&mut self, report: &DoctorReport) {
        let mut wrong = Summary { told: std::mem::take(&mut self.told), ..Self::default() };
        if let EnvironmentSource::OwnProcess { reason } = &report.environment.source {
            wrong.line(&format!(
                "  caution  the login shell gave no environment, so agents get Outrigger's own: {reason}"
            ));
        }
        for place in report.places.iter().filter(|place| !place.writable) {
            wrong.line(&format!("  problem  {} folder {}", place.name, place.path));
            wrong.trouble("why:", place.problem.as_deref());
        }
        if let Some(problem) = &report.settings.problem {
            wrong.line(&format!("  problem  settings: {problem}"));
        }
        for error in &report.manifest_errors {
            wrong.line(&format!("  problem  {}: {}", error.path, error.message));
        }
        for runner in report.runners.iter().filter(|runner| runner.path.is_none()) {
            wrong.line(&format!("  missing  the runner {}: install Outrigger again", runner.name));
        }
        for one in &report.sidecars.problems {
            wrong.line(&format!("  problem  tool sidecar {}: {}", one.name, one.problem));
            wrong.trouble("to do:", Some(&one.fix));
        }
        if !wrong.text.is_empty() {
            self.line("\nBesides");
            self.text.push_str(&wrong.text);
        }
    }
}
