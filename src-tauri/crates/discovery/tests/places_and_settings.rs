//! Folders, settings and runners: where they are, and what is said when they are not as they should be.
#![cfg(unix)]

mod machine;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use machine::Machine;
use outrigger_discovery::{Places, RunnerSearch, Settings, manifests_dirs};

#[test]
fn one_folder_holds_everything_and_sockets_are_closed_to_others() {
    let machine = Machine::new();
    let home = machine.root().join("outrigger");
    let places = Places::under(&home);
    places.prepare().unwrap();
    for (name, path) in places.named() {
        assert!(path.is_dir() && path.starts_with(&home), "{name}: {}", path.display());
    }
    assert_eq!(places.logs, places.data.join("logs"));
    std::fs::set_permissions(&places.run, std::fs::Permissions::from_mode(0o777)).unwrap();
    places.prepare().unwrap();
    assert_eq!(std::fs::metadata(&places.run).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_dir(&places.cache).unwrap().count(), 0, "nothing is left of the attempt to write");
}

#[test]
fn a_folder_too_deep_for_sockets_gets_a_short_one_that_everybody_computes_alike() {
    let deep = Path::new("/tmp").join("x".repeat(90));
    let places = Places::under(&deep);
    assert!(!places.run.starts_with(&deep));
    let socket = places.run.join(format!("{}.sock", "0".repeat(32)));
    assert!(socket.as_os_str().len() <= 100, "{}", socket.display());
    assert_eq!(places.run, Places::under(&deep).run);
    assert_ne!(places.run, Places::under(&deep.join("y")).run);
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let machine = Machine::new();
    let in_the_way = machine.root().join("outrigger");
    std::fs::write(&in_the_way, "a file").unwrap();
    let error = Places::under(&in_the_way).prepare().unwrap_err().to_string();
    assert!(error.contains(&in_the_way.join("data").display().to_string()), "{error}");
    assert!(error.contains("data folder") && error.contains("OUTRIGGER_HOME"), "{error}");
    // A folder that exists but takes no file: also for root, whom permissions do not stop.
    let error = Places::under(Path::new("/proc/self")).prepare().unwrap_err().to_string();
    assert!(error.contains("/proc/self/data"), "{error}");
}

#[test]
fn malformed_settings_leave_the_defaults_and_name_the_line() {
    let machine = Machine::new();
    let file = machine.settings_file("[paths]\nclaude = \"/a\"\nnode = /b\n");
    let mut settings = Settings::load(&machine.config());
    let problem = settings.problem.clone().unwrap();
    assert!(problem.contains("settings.toml") && problem.contains("line 3"), "{problem}");
    assert!(settings.paths.is_empty());
    let error = settings.choose("claude", Some(Path::new("/b"))).unwrap_err().to_string();
    assert!(error.contains("Correct the file"), "{error}");
    assert!(std::fs::read_to_string(file).unwrap().contains("node = /b"));

    machine.settings_file("paths = 3\n");
    assert!(Settings::load(&machine.config()).problem.is_some());
}

#[test]
fn settings_that_others_read_and_comments_stay_when_a_path_is_set() {
    let machine = Machine::new();
    let file = machine.settings_file("# mine\n[view]\ntheme = \"dark\" # nice\n\n[paths]\ncodex = \"~/codex\"\n");
    let mut settings = Settings::load(&machine.config());
    assert_eq!(settings.problem, None);
    assert!(settings.paths["codex"].is_absolute());
    settings.choose("claude", Some(Path::new("/opt/claude"))).unwrap();
    settings.choose("codex", None).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, "# mine\n[view]\ntheme = \"dark\" # nice\n\n[paths]\nclaude = \"/opt/claude\"\n");
    assert_eq!(Settings::load(&machine.config()), settings);
    assert_eq!(Settings::load(Path::new("/nowhere")).problem, None);
}

#[test]
fn runners_are_found_by_root_resources_installation_and_checkout() {
    let machine = Machine::new();
    let root = machine.root();
    let put = |folder: &str| {
        let file = root.join(folder).join("runners/demo.mjs");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "").unwrap();
        file
    };
    let from = |search: &RunnerSearch| search.find("demo.mjs").unwrap();
    let checkout = put("checkout");
    std::fs::write(root.join("checkout/Cargo.toml"), "").unwrap();
    let program = Some(root.join("checkout/target/debug/outrigger"));
    let mut search = RunnerSearch { root: None, resource_dirs: Vec::new(), program };
    assert_eq!(from(&search), checkout);

    let installed = put("usr/lib/outrigger");
    search.program = Some(root.join("usr/bin/outrigger"));
    assert_eq!(from(&search), installed);
    let resources = put("resources");
    search.resource_dirs = vec![root.join("resources")];
    assert_eq!(from(&search), resources);
    let own = put("own");
    search.root = Some(root.join("own"));
    assert_eq!(from(&search), own);

    search.root = Some(root.join("empty"));
    let error = search.find("demo.mjs").unwrap_err();
    assert_eq!(error.tried, [root.join("empty/runners/demo.mjs")]);
    search.root = None;
    let error = search.find("other.mjs").unwrap_err();
    assert!(error.tried.len() >= 5);
    assert!(error.tried.iter().all(|path| error.to_string().contains(&path.display().to_string())), "{error}");
    assert!(error.to_string().contains("OUTRIGGER_ROOT"));
}

#[test]
fn the_users_manifests_come_after_our_own() {
    let machine = Machine::new();
    let places = Places::under(&machine.root().join("o"));
    let resources = machine.root().join("resources");
    std::fs::create_dir_all(resources.join("runners/manifests")).unwrap();
    std::fs::create_dir_all(places.config.join("providers")).unwrap();
    let dirs = manifests_dirs(&places, std::slice::from_ref(&resources));
    assert_eq!(dirs, [resources.join("runners/manifests"), places.config.join("providers")]);
}
