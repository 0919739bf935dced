//! Doctor says within two seconds what is there, what is not, and what to do.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "test code outside of test functions")]

mod machine;

use std::path::Path;
use std::time::{Duration, Instant};

use machine::{CLI, Machine};
use outrigger_discovery::{DoctorOptions, Places, ProviderToCheck, RunnerSearch, doctor, render_summary, render_text};
use protocol::doctor::{DoctorReport, EnvironmentSource, ManifestError, Verdict};

fn options(machine: &Machine) -> DoctorOptions {
    let places = Places::under(&machine.root().join("outrigger"));
    let runners = machine.root().join("resources/runners");
    std::fs::create_dir_all(&runners).unwrap();
    std::fs::write(runners.join("demo.mjs"), "").unwrap();
    std::fs::write(runners.join("oarsman.mjs"), "").unwrap();
    let provider = |id: &str, name: &str, cli| ProviderToCheck {
        id: id.to_owned(),
        name: name.to_owned(),
        cli,
        runner: Some(format!("{id}.mjs")),
        ..ProviderToCheck::default()
    };
    let mut environment = machine.request();
    environment.cache = Some(places.cache.clone());
    DoctorOptions {
        environment,
        places,
        providers: vec![provider(CLI, "Oarsman", Some(machine.spec())), provider("demo", "Demo agent", None)],
        manifest_errors: Vec::new(),
        runners: RunnerSearch { root: None, resource_dirs: vec![machine.root().join("resources")], program: None },
        version: "1.2.3".to_owned(),
    }
}

fn of<'a>(report: &'a DoctorReport, id: &str) -> &'a protocol::doctor::ProviderReport {
    report.providers.iter().find(|provider| provider.id == id).unwrap()
}

#[test]
fn a_good_machine_is_reported_as_such_and_survives_the_wire() {
    let machine = Machine::new();
    machine.install("tools/oarsman", "2.2.0");
    machine.install("known/oarsman", "2.1.0");
    machine.script("tools/deno", "echo 'deno 2.4.0'");
    machine.write(".bashrc", "export PATH=\"$HOME/tools:$PATH\"\n");
    let report = doctor(&options(&machine));
    assert!(report.ok, "{}", render_text(&report));
    assert!(of(&report, CLI).usable && of(&report, "demo").usable);
    assert_eq!(of(&report, CLI).found.as_ref().unwrap().version.as_deref(), Some("2.2.0"));
    let spare = of(&report, CLI).candidates.iter().find(|candidate| candidate.verdict == Verdict::Spare).unwrap();
    assert_eq!(spare.version.as_deref(), Some("2.1.0"));
    let chosen: Vec<_> =
        report.runtimes.iter().filter(|runtime| runtime.chosen).map(|runtime| runtime.id.as_str()).collect();
    assert_eq!(chosen, ["deno"]);
    assert!(report.places.iter().all(|place| place.writable && place.free_bytes.is_some()));
    assert!(!report.limits.is_empty());
    let text = render_text(&report);
    for part in ["Oarsman", "2.2.0", "login shell's PATH", "Everything that is needed is here", "/bin/bash"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let wire = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<DoctorReport>(&wire).unwrap(), report);
}

#[test]
fn a_version_that_was_not_tested_is_used_with_a_word_about_it() {
    for (version, told) in [("9.0.0", "9.0.0 is newer than"), ("2.0.0", "2.0.0 is older than")] {
        let machine = Machine::new();
        machine.install("known/oarsman", version);
        let mut options = options(&machine);
        if let Some(cli) = &mut options.providers[0].cli {
            cli.tested_versions = vec!["2.1.0".to_owned(), "3.0.0".to_owned()];
        }
        let report = doctor(&options);
        let warnings = &of(&report, CLI).warnings;
        assert!(warnings.iter().any(|warning| warning.starts_with(told)), "{warnings:?}");
        assert!(render_text(&report).contains(&format!("note:    {told}")), "{}", render_text(&report));
    }
    let machine = Machine::new();
    machine.install("known/oarsman", "1.0.0");
    let report = doctor(&options(&machine));
    let oarsman = of(&report, CLI);
    assert!(!oarsman.usable && oarsman.problem.is_some(), "below the least version it is not used: {oarsman:?}");
}

#[test]
fn where_another_stands_in_no_runtime_is_needed_and_that_is_told() {
    let machine = Machine::new();
    machine.install("known/oarsman", "2.2.0");
    let mut options = options(&machine);
    std::fs::create_dir_all(&options.places.config).unwrap();
    std::fs::write(options.places.config.join("settings.toml"), "[paths]\nruntime = \"/nowhere/node\"\n").unwrap();
    assert!(!of(&doctor(&options), CLI).usable);
    options.providers[0].has_stand_in = true;
    let report = doctor(&options);
    assert!(of(&report, CLI).usable && !of(&report, "demo").usable);
    assert!(of(&report, CLI).warnings.iter().any(|warning| warning.contains("driven without one")));
}

#[test]
fn hanging_programs_and_a_hanging_shell_do_not_hold_it_up() {
    let machine = Machine::new();
    for number in 0..20 {
        machine.script(&format!(".nvm/versions/node/v{number}.0.0/bin/oarsman"), "sleep 1000");
    }
    machine.script(".local/bin/deno", "sleep 1000");
    machine.write(".bashrc", "sleep 1000\n");
    let began = Instant::now();
    let report = doctor(&options(&machine));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(
        matches!(&report.environment.source, EnvironmentSource::OwnProcess { reason } if reason.contains("1000 ms"))
    );
    let found = of(&report, CLI).found.as_ref().unwrap();
    assert_eq!(found.version, None);
    assert!(render_text(&report).contains("version unknown"));
}

#[test]
fn doctor_uses_an_outdated_environment_rather_than_none() {
    let machine = Machine::new();
    machine.install("tools/oarsman", "2.2.0");
    machine.write(".bashrc", "export PATH=\"$HOME/tools:$PATH\"\n");
    assert!(of(&doctor(&options(&machine)), CLI).usable);
    machine.write(".bashrc", "sleep 1000 # has just begun to hang\n");
    let report = doctor(&options(&machine));
    assert!(matches!(report.environment.source, EnvironmentSource::LoginShell { age_seconds: Some(_), .. }));
    assert!(of(&report, CLI).usable);
}

#[test]
fn what_is_missing_comes_with_what_to_do() {
    let machine = Machine::new();
    let mut options = options(&machine);
    std::fs::remove_file(machine.root().join("resources/runners/demo.mjs")).unwrap();
    let file = machine.root().join("broken.toml").display().to_string();
    options.manifest_errors.push(ManifestError { path: file.clone(), message: "adapter \"x\" is unknown".to_owned() });
    std::fs::create_dir_all(&options.places.config).unwrap();
    std::fs::write(options.places.config.join("settings.toml"), "[paths\n").unwrap();
    std::fs::write(&options.places.cache, "in the way").unwrap();
    let report = doctor(&options);
    assert!(!report.ok);
    assert!(!of(&report, CLI).usable && !of(&report, "demo").usable);
    let text = render_text(&report);
    for part in [
        "get oarsman",
        ".local/bin/oarsman (local)",
        "its runner demo.mjs is missing",
        "resources/runners/demo.mjs",
        &file,
        "adapter \"x\"",
        "settings.toml",
        "problem  cache",
        "problem  settings",
        "OUTRIGGER_HOME",
        "Something is missing",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // In short: the same troubles and cures, each once, without the places that were looked at.
    let short = render_summary(&report);
    for part in
        ["get oarsman", &file, "adapter \"x\"", "settings.toml", "cache folder", "OUTRIGGER_HOME", "doctor --verbose"]
    {
        assert!(short.contains(part), "{part}\n{short}");
    }
    assert_eq!((short.matches("get oarsman").count(), short.contains(".local/bin/oarsman")), (1, false), "{short}");
    assert!(short.lines().count() < text.lines().count() / 2, "{short}");
}

#[test]
fn a_second_look_asks_no_program_again() {
    let machine = Machine::new();
    let asked = machine.home().join("asked");
    machine.script("known/oarsman", &format!("echo x >> '{}'; echo 2.2.0", asked.display()));
    let options = options(&machine);
    for _ in 0..2 {
        assert!(of(&doctor(&options), CLI).usable);
    }
    assert_eq!(std::fs::read_to_string(asked).unwrap().lines().count(), 1);
    assert!(Path::new(&options.places.cache).join("versions.json").is_file());
}
