//! The settings of this machine's user: all of them at once, one of them changed, and word of every change.
//!
//! Which keys there are depends on the providers: each CLI may have its path set by hand. The file is watched, so that a change by
//! an editor or another program counts as one from a page does.

use std::time::Duration;

use discovery::{SettingKey, SettingsError, SettingsFile, setting_keys};
use notify::{RecursiveMode, Watcher};
use protocol::error::{ErrorCode, WireError};
use protocol::settings::SettingsView;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::catalog;
use crate::machine::Machine;

/// An editor writes a file in several steps.
const SETTLE: Duration = Duration::from_millis(60);

/// Every setting, read now.
#[must_use]
pub fn view(machine: &Machine) -> SettingsView {
    SettingsFile::read(&machine.places.config).view(&keys(machine))
}

/// Sets one setting, or with `None` gives it its default again. Comments and everything else in the file stay.
///
/// # Errors
/// When there is no such setting, the value may not be, or the file is malformed or cannot be written; nothing is changed then.
pub fn write(machine: &Machine, key: &str, value: Option<&Value>) -> Result<SettingsView, WireError> {
    let keys = keys(machine);
    let known = keys.iter().find(|known| known.key == key);
    let known = known.ok_or_else(|| refused(&SettingsError::NoSuchKey { key: key.to_owned() }))?;
    SettingsFile::read(&machine.places.config).write(known, value).map_err(|error| refused(&error))?;
    Ok(SettingsFile::read(&machine.places.config).view(&keys))
}

/// All settings from now on, until the receiver is dropped.
#[must_use]
pub fn watch(machine: Machine) -> watch::Receiver<SettingsView> {
    let (sender, receiver) = watch::channel(view(&machine));
    tokio::spawn(async move {
        let (changed, mut changes) = mpsc::channel(1);
        // Kept as long as somebody listens: dropping it ends the watching.
        let _watcher = watch_folder(&machine, changed);
        loop {
            tokio::select! {
                () = sender.closed() => return,
                change = changes.recv() => if change.is_none() { return },
            }
            tokio::time::sleep(SETTLE).await;
            let machine = machine.clone();
            let Ok(now) = tokio::task::spawn_blocking(move || view(&machine)).await else { return };
            sender.send_if_modified(|before| {
                let is_other = *before != now;
                *before = now;
                is_other
            });
        }
    });
    receiver
}

fn keys(machine: &Machine) -> Vec<SettingKey> {
    let manifests = catalog::load(machine);
    let with_cli = manifests.providers.values().filter(|manifest| manifest.cli.is_some());
    let clis: Vec<(String, String)> = with_cli.map(|manifest| (manifest.id.clone(), manifest.name.clone())).collect();
    setting_keys(&clis)
}

fn refused(error: &SettingsError) -> WireError {
    let code = match error {
        SettingsError::Invalid { .. } | SettingsError::NoSuchKey { .. } => ErrorCode::BadRequest,
        SettingsError::Malformed { .. } | SettingsError::Unwritable { .. } => ErrorCode::DataFolder,
    };
    WireError::new(code, error.to_string())
}

fn watch_folder(machine: &Machine, changed: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let is_settings = |event: &notify::Event| {
        let reads_only = matches!(event.kind, notify::EventKind::Access(_));
        !reads_only && event.paths.iter().any(|path| path.file_name().is_some_and(|name| name == "settings.toml"))
    };
    let watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_settings(&event)) {
            let _ = changed.try_send(());
        }
    });
    let watched = watching.and_then(|mut watcher| {
        watcher.watch(&machine.places.config, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched.inspect_err(|error| tracing::error!(%error, "changed settings will not show by themselves")).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn machine(home: &std::path::Path) -> Machine {
        let places = discovery::Places::under(home);
        places.prepare().unwrap();
        let providers = places.config.join("providers");
        std::fs::create_dir_all(&providers).unwrap();
        let manifest =
            "id = \"own\"\nname = \"My own\"\nrunner = \"own.mjs\"\nadapter = \"demo\"\n\n[cli]\nnames = [\"own\"]\n";
        std::fs::write(providers.join("own.toml"), manifest).unwrap();
        Machine { places, resource_dirs: Vec::new(), program: home.join("outrigger") }
    }

    #[test]
    fn a_provider_of_ones_own_has_a_path_to_set() {
        let home = tempfile::tempdir().unwrap();
        let machine = machine(home.path());
        let view = write(&machine, "paths.own", Some(&json!("/opt/own"))).unwrap();
        let own = view.settings.iter().find(|setting| setting.key == "paths.own").unwrap();
        assert_eq!((own.title.as_str(), &own.value), ("My own", &json!("/opt/own")));
        assert_eq!(machine.settings().paths["own"], std::path::Path::new("/opt/own"));
        assert_eq!(write(&machine, "paths.other", Some(&json!("/a"))).unwrap_err().code, ErrorCode::BadRequest);
        assert_eq!(write(&machine, "appearance.theme", Some(&json!("green"))).unwrap_err().code, ErrorCode::BadRequest);
    }

    #[tokio::test]
    async fn a_change_by_an_editor_is_told() {
        let home = tempfile::tempdir().unwrap();
        let machine = machine(home.path());
        let file = machine.places.config.join("settings.toml");
        let mut settings = watch(machine);
        // The watching begins a moment later: the file is written again until it is seen.
        let wait = async {
            loop {
                std::fs::write(&file, "[appearance]\ntheme = \"dark\"\n").unwrap();
                let changed = tokio::time::timeout(Duration::from_millis(200), settings.changed()).await;
                if changed.is_ok_and(|changed| changed.is_ok()) {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the change was not told");
        let view = settings.borrow_and_update().clone();
        assert!(view.settings.iter().any(|setting| setting.key == "appearance.theme" && setting.value == "dark"));
    }
}
