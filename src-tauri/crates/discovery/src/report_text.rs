//! How does doctor's report read in a terminal?
//!
//! Pure. Aligned plain text without colours; each problem is followed by what to do about it.

use std::fmt::Write;

use protocol::doctor::{
    Candidate, DoctorReport, EnvironmentSource, Found, FoundBy, PlaceReport, ProviderReport, RuntimeReport,
    SandboxReport, SidecarsReport, Verdict,
};

/// The report for people.
#[must_use]
pub fn render_text(report: &DoctorReport) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut text, report);
    text
}

fn write_all(text: &mut String, report: &DoctorReport) -> std::fmt::Result {
    writeln!(text, "Outrigger {}", report.version)?;
    writeln!(text, "\nProviders")?;
    report.providers.iter().try_for_each(|provider| write_provider(text, provider))?;
    writeln!(text, "\nJavaScript runtimes (the first that is new enough is used)")?;
    report.runtimes.iter().try_for_each(|runtime| write_runtime(text, runtime))?;
    let missing: Vec<_> = report.runners.iter().filter(|runner| runner.path.is_none()).collect();
    if !missing.is_empty() {
        writeln!(text, "\nRunners")?;
        for runner in missing {
            writeln!(text, "  missing  {}; looked for it at", runner.name)?;
            runner.tried.iter().try_for_each(|path| writeln!(text, "             {path}"))?;
        }
    }
    if !report.manifest_errors.is_empty() {
        writeln!(text, "\nManifests that cannot be used")?;
        report
            .manifest_errors
            .iter()
            .try_for_each(|error| writeln!(text, "  {}\n    {}", error.path, error.message))?;
    }
    write_sidecars(text, &report.sidecars)?;
    write_environment(text, report)?;
    writeln!(text, "\nFolders")?;
    report.places.iter().try_for_each(|place| write_place(text, place))?;
    let state = if report.settings.exists { "" } else { " (not there; the defaults are in use)" };
    let mark = if report.settings.problem.is_some() { "problem" } else { "ok" };
    writeln!(text, "  {mark:<8} settings  {}{state}", report.settings.path)?;
    if let Some(problem) = &report.settings.problem {
        writeln!(text, "           problem: {problem}")?;
    }
    writeln!(text, "  {:<8} {:<9} {}  ({} live)", "ok", "sockets", report.sockets.folder, report.sockets.count)?;
    writeln!(text, "\nSandbox of the system\n  {}", sandbox(&report.sandbox))?;
    let verdict = if report.ok { "Everything that is needed is here" } else { "Something is missing; see above" };
    writeln!(text, "\n{verdict} ({} ms).", report.took_ms)
}

fn write_sidecars(text: &mut String, sidecars: &SidecarsReport) -> std::fmt::Result {
    if sidecars.count == 0 {
        return Ok(());
    }
    let owner = match sidecars.owner {
        Some(pid) => format!("owned by process {pid}"),
        None => "none runs".to_owned(),
    };
    writeln!(text, "\nTool sidecars ({}, {owner})", sidecars.count)?;
    for one in &sidecars.problems {
        writeln!(text, "  problem  {}: {}\n           fix:     {}", one.name, one.problem, one.fix)?;
    }
    Ok(())
}

fn write_provider(text: &mut String, provider: &ProviderReport) -> std::fmt::Result {
    let mark = if provider.usable { "ok" } else { "missing" };
    write!(text, "  {mark:<8} {:<14}", provider.name)?;
    match (&provider.found, provider.needs_cli) {
        (Some(found), _) => write_found(text, found)?,
        (None, false) => writeln!(text, " built in; needs no CLI")?,
        (None, true) => writeln!(text)?,
    }
    write_problem(text, provider.problem.as_deref(), provider.fix.as_deref())?;
    provider.warnings.iter().try_for_each(|warning| writeln!(text, "           note:    {warning}"))?;
    if provider.found.is_none() {
        write_where(text, &provider.candidates)
    } else {
        write_others(text, &provider.candidates)
    }
}

fn write_runtime(text: &mut String, runtime: &RuntimeReport) -> std::fmt::Result {
    let mark = match (runtime.chosen, &runtime.found) {
        (true, _) => "used",
        (false, Some(_)) => "spare",
        (false, None) => "-",
    };
    write!(text, "  {mark:<8} {:<14}", runtime.id)?;
    match &runtime.found {
        Some(found) => write_found(text, found)?,
        None => writeln!(
            text,
            " {} (needed: {} or newer)",
            runtime.problem.as_deref().unwrap_or("not found"),
            runtime.min_version
        )?,
    }
    write_others(text, &runtime.candidates)
}

fn write_found(text: &mut String, found: &Found) -> std::fmt::Result {
    let version = found.version.as_deref().unwrap_or("version unknown");
    writeln!(text, " {version:<10} {} ({})", found.path, how(&found.source))?;
    if found.resolved != found.path {
        writeln!(text, "{:26}-> {}", "", found.resolved)?;
    }
    Ok(())
}

fn write_problem(text: &mut String, problem: Option<&str>, fix: Option<&str>) -> std::fmt::Result {
    if let Some(problem) = problem {
        writeln!(text, "           problem: {problem}")?;
    }
    if let Some(fix) = fix {
        writeln!(text, "           to do:   {fix}")?;
    }
    Ok(())
}

/// Programs that are there and were not taken.
fn write_others(text: &mut String, candidates: &[Candidate]) -> std::fmt::Result {
    for candidate in candidates.iter().filter(|candidate| match candidate.verdict {
        Verdict::Spare | Verdict::TooOld | Verdict::Broken => true,
        Verdict::Chosen | Verdict::NotTried | Verdict::Missing => false,
    }) {
        let version = candidate.version.as_ref().map(|version| format!("{version}, ")).unwrap_or_default();
        writeln!(
            text,
            "           also:    {} ({version}{}: {})",
            candidate.path,
            how(&candidate.source),
            candidate.reason
        )?;
    }
    Ok(())
}

/// Every place, when nothing was found.
fn write_where(text: &mut String, candidates: &[Candidate]) -> std::fmt::Result {
    write_others(text, candidates)?;
    let mut heading = "looked:  ";
    for candidate in candidates.iter().filter(|candidate| candidate.verdict == Verdict::Missing) {
        writeln!(text, "           {heading}{} ({})", candidate.path, how(&candidate.source))?;
        heading = "         ";
    }
    Ok(())
}

fn write_environment(text: &mut String, report: &DoctorReport) -> std::fmt::Result {
    let environment = &report.environment;
    writeln!(text, "\nEnvironment for agents in {}", environment.workspace)?;
    match &environment.source {
        EnvironmentSource::LoginShell { shell, interactive, age_seconds } => {
            let kind = if *interactive {
                "interactive login shell"
            } else {
                "login shell (its interactive start-up files ended it)"
            };
            let when =
                age_seconds.map_or_else(|| format!("in {} ms", environment.took_ms), |age| format!("{age} s ago"));
            writeln!(text, "  ok       from the {kind} {shell}, asked {when}")?;
        }
        EnvironmentSource::OwnProcess { reason } => {
            writeln!(text, "  caution  Outrigger's own, because the login shell gave none: {reason}")?;
        }
    }
    for entry in &environment.path_entries {
        let note = if entry.from_login_shell { "" } else { "  (from Outrigger's own PATH)" };
        writeln!(text, "           {}{note}", entry.folder)?;
    }
    if !environment.unreadable.is_empty() {
        writeln!(
            text,
            "  caution  not passed on, because their values are no UTF-8: {}",
            environment.unreadable.join(", ")
        )?;
    }
    Ok(())
}

fn write_place(text: &mut String, place: &PlaceReport) -> std::fmt::Result {
    let mark = if place.writable { "ok" } else { "problem" };
    let used = place.used_bytes.map(|bytes| format!("{} used", size(bytes)));
    let free = place.free_bytes.map(|bytes| format!("{} free", size(bytes)));
    let sizes: Vec<String> = used.into_iter().chain(free).collect();
    let sizes = if sizes.is_empty() { String::new() } else { format!("  ({})", sizes.join(", ")) };
    writeln!(text, "  {mark:<8} {:<9} {}{sizes}", place.name, place.path)?;
    write_problem(text, place.problem.as_deref(), None)
}

/// Whether agents are kept to their folders is another matter, and not claimed here.
fn sandbox(report: &SandboxReport) -> String {
    match report {
        SandboxReport::Landlock { abi } => format!("Landlock, ABI {abi}"),
        SandboxReport::Missing { reason } => format!("none: {reason}"),
        SandboxReport::NotLookedFor => "not looked for on this system".to_owned(),
    }
}

fn size(bytes: u64) -> String {
    let mebibytes = bytes / (1024 * 1024);
    if mebibytes >= 10 * 1024 { format!("{} GiB", mebibytes / 1024) } else { format!("{mebibytes} MiB") }
}

fn how(source: &FoundBy) -> String {
    match source {
        FoundBy::Variable { name } => format!("set by {name}"),
        FoundBy::Settings => "set by hand".to_owned(),
        FoundBy::LoginPath => "login shell's PATH".to_owned(),
        FoundBy::OwnPath => "own PATH".to_owned(),
        FoundBy::KnownPlace => "known place".to_owned(),
        FoundBy::Tool { name } => name.clone(),
    }
}
