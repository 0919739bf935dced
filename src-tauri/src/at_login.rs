//! Whether the app starts when the user logs in: in the tray, without a window. Off until the setting `windows.at_login` says so.
//!
//! On Linux that is a desktop entry of the user's, written here, because the plugin for it does not look where `XDG_CONFIG_HOME` says.
//! An entry that the user has changed, or turned off in the desktop's own settings, is left alone. A portable Outrigger writes
//! nothing outside of its folder, and so starts with no login.

use client::Machine;
use tauri::{AppHandle, Manager};

use crate::UserSettings;

/// The argument that the entry starts the app with.
pub(crate) const HIDDEN: &str = "--hidden";

/// Keeps the entry as the setting says until the app ends.
pub(crate) fn keep(app: &AppHandle, mut settings: UserSettings) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut now = None;
        loop {
            settings.borrow_and_update();
            let machine = app.state::<Machine>();
            let wanted = machine.settings().starts_at_login;
            if now != Some(wanted) {
                match &machine.places.home {
                    Some(_) if wanted => tracing::warn!("a portable Outrigger does not start when its user logs in"),
                    Some(_) => {}
                    None => put(&app, wanted),
                }
                now = Some(wanted);
            }
            if settings.changed().await.is_err() {
                return;
            }
        }
    });
}

fn put(app: &AppHandle, wanted: bool) {
    match system::put(app, wanted) {
        Ok(()) => tracing::debug!(wanted, "the start at login is as the settings say"),
        Err(error) => tracing::error!(%error, wanted, "the start at login could not be changed"),
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::path::{Path, PathBuf};

    use anyhow::Context;
    use tauri::{AppHandle, Manager};

    use super::HIDDEN;

    /// Our program, in an entry: no other one is removed.
    const OURS: &str = "outrigger-desktop";

    pub(super) fn put(app: &AppHandle, wanted: bool) -> anyhow::Result<()> {
        let config = dirs::config_dir().context("the system names no folder for settings")?;
        let file = config.join("autostart/Outrigger.desktop");
        if wanted { write(&file, &program(app)?) } else { remove(&file) }
    }

    /// Where we are. The system says so of a program that was replaced while it ran, and means the new one.
    fn program(app: &AppHandle) -> anyhow::Result<String> {
        let image = app.env().appimage.map(PathBuf::from);
        let program = image.map_or_else(std::env::current_exe, Ok).context("our own path is unknown")?;
        let program = program.to_str().context("our own path is no text, which an entry has to be")?;
        Ok(program.strip_suffix(" (deleted)").unwrap_or(program).to_owned())
    }

    /// One that is there for the same program stays as it is: it may say that the user wants no start after all.
    pub(super) fn write(file: &Path, program: &str) -> anyhow::Result<()> {
        let exec = format!("Exec={} {HIDDEN}", quoted(program));
        if std::fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line == exec)) {
            return Ok(());
        }
        let text = format!(
            "[Desktop Entry]\nType=Application\nName=Outrigger\nComment=Tells from the tray when a coding agent needs you\n\
             {exec}\nIcon=outrigger-desktop\nTerminal=false\nStartupNotify=false\n"
        );
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        std::fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))
    }

    pub(super) fn remove(file: &Path) -> anyhow::Result<()> {
        let removed = match std::fs::read_to_string(file) {
            Ok(text) if text.contains(OURS) => std::fs::remove_file(file),
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => Err(error),
        };
        removed.with_context(|| format!("failed to remove {}", file.display()))
    }

    /// A program's path as `Exec` has it: quoted for the command, and that escaped for the file.
    fn quoted(path: &str) -> String {
        let mut quoted = String::from('"');
        for letter in path.chars() {
            match letter {
                '"' | '`' | '$' => quoted.extend(['\\', '\\', letter]),
                '\\' => quoted.push_str(r"\\\\"),
                '%' => quoted.push_str("%%"),
                other => quoted.push(other),
            }
        }
        quoted.push('"');
        quoted
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_entry_comes_and_goes_and_one_of_somebody_else_stays() {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("autostart/Outrigger.desktop");
            write(&file, "/opt/my apps/100%/outrigger-desktop").unwrap();
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.contains("\nExec=\"/opt/my apps/100%%/outrigger-desktop\" --hidden\n"), "{text}");
            // Turned off in the desktop's settings.
            std::fs::write(&file, format!("{text}Hidden=true\n")).unwrap();
            write(&file, "/opt/my apps/100%/outrigger-desktop").unwrap();
            assert!(std::fs::read_to_string(&file).unwrap().ends_with("Hidden=true\n"));
            // Installed elsewhere since.
            write(&file, "/usr/bin/outrigger-desktop").unwrap();
            assert!(std::fs::read_to_string(&file).unwrap().contains("Exec=\"/usr/bin/outrigger-desktop\""));
            remove(&file).unwrap();
            remove(&file).unwrap();
            assert!(!file.exists());
            std::fs::write(&file, "[Desktop Entry]\nExec=rowing\n").unwrap();
            remove(&file).unwrap();
            assert!(file.exists());
        }

        #[test]
        fn what_a_shell_would_read_is_escaped_twice() {
            assert_eq!(quoted(r#"/a$b\c"d`"#), r#""/a\\$b\\\\c\\"d\\`""#);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use tauri::AppHandle;
    use tauri_plugin_autostart::ManagerExt;

    pub(super) fn put(app: &AppHandle, wanted: bool) -> anyhow::Result<()> {
        let autostart = app.autolaunch();
        // To disable what is not there is an error on some systems.
        match (wanted, autostart.is_enabled()?) {
            (true, _) => autostart.enable()?,
            (false, true) => autostart.disable()?,
            (false, false) => {}
        }
        Ok(())
    }
}
