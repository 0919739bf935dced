//! Newer versions of the app: looked for once a day, downloaded in the background, installed when the user says so.
//!
//! One task owns all of it; pages watch what it tells and give it orders. A build that names no place of updates and no key looks for
//! none. What was installed by the system's package manager is only downloaded here: the user is told the command that installs it.
//! Agents are not touched: their keepers go on with the program that started them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use client::Machine;
use jiff::Timestamp;
use protocol::limits::{UPDATE_BYTES, UPDATE_EVERY};
use protocol::updates::{UpdateInstall, UpdateOffer, UpdateState, UpdateView};
use tauri::utils::config::BundleType;
use tauri::{AppHandle, Context, Manager, Wry};
use tauri_plugin_updater::{Error, Update, UpdaterExt};
use tokio::sync::{mpsc, oneshot, watch};

/// From the start of the app to the first look: the start itself is not held up by it.
const FIRST_LOOK: Duration = Duration::from_secs(20);
/// For the announcement.
const LOOK: Duration = Duration::from_secs(30);
/// For the download.
const DOWNLOAD: Duration = Duration::from_secs(30 * 60);
/// Bytes between two words about how far a download is.
const WORD: u64 = 256 * 1024;

/// See the module.
pub(crate) struct Updates {
    view: watch::Receiver<UpdateView>,
    orders: mpsc::Sender<Order>,
}

/// What a page wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Look,
    Install,
}

/// A download that waits for the user.
struct Waiting {
    update: Update,
    offer: UpdateOffer,
    /// The download, unless it lies in a file for the user's own command.
    bytes: Vec<u8>,
}

impl Updates {
    /// Starts the task. `can_look` as [`prepare`] told.
    pub(crate) fn start(app: &AppHandle, can_look: bool) -> Self {
        let current = app.package_info().version.to_string();
        let (sender, view) = watch::channel(UpdateView { current, can_look, state: UpdateState::NotLooked });
        let (orders, received) = mpsc::channel(4);
        if can_look {
            let task = Task { app: app.clone(), view: sender, waiting: None };
            tauri::async_runtime::spawn(task.run(received));
        }
        Self { view, orders }
    }

    /// What is known now, and word of every change.
    pub(crate) fn watch(&self) -> watch::Receiver<UpdateView> {
        self.view.clone()
    }

    /// Looks now, unless it is at it already.
    pub(crate) fn look(&self) {
        let _ = self.orders.try_send(Order::Look);
    }

    /// Installs what waits, if anything does.
    pub(crate) fn install(&self) {
        let _ = self.orders.try_send(Order::Install);
    }
}

/// Whether this build names a place where newer versions are announced. A development build can be told one by the environment.
pub(crate) fn prepare(context: &mut Context<Wry>) -> bool {
    const PLUGIN: &str = "updater";
    #[cfg(debug_assertions)]
    if let (Ok(endpoint), Ok(key)) = (std::env::var("OUTRIGGER_UPDATES"), std::env::var("OUTRIGGER_UPDATE_KEY")) {
        let config = serde_json::json!({ "endpoints": [endpoint], "pubkey": key });
        context.config_mut().plugins.0.insert(PLUGIN.to_owned(), config);
    }
    context.config().plugins.0.contains_key(PLUGIN)
}

struct Task {
    app: AppHandle,
    view: watch::Sender<UpdateView>,
    waiting: Option<Waiting>,
}

impl Task {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut next = FIRST_LOOK;
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Look) => self.look().await,
                    Some(Order::Install) => self.install().await,
                    None => return,
                },
                () = tokio::time::sleep(next) => {
                    next = UPDATE_EVERY;
                    let machine = self.app.state::<Machine>().inner().clone();
                    // What waits for the user is not replaced behind his back.
                    if self.waiting.is_none() && machine.settings().looks_for_updates {
                        self.look().await;
                    }
                }
            }
        }
    }

    async fn look(&mut self) {
        self.tell(UpdateState::Looking);
        let state = match self.found().await {
            Ok(None) => UpdateState::Newest { at: now() },
            Ok(Some(state)) => state,
            Err(message) => failed(message),
        };
        self.tell(state);
    }

    async fn found(&mut self) -> Result<Option<UpdateState>, String> {
        let failed = |error: Error| format!("failed to look for updates: {error}. Try again later");
        let updater = self.app.updater_builder().timeout(LOOK).build().map_err(failed)?;
        let Some(mut update) = updater.check().await.map_err(failed)? else { return Ok(None) };
        update.timeout = Some(DOWNLOAD);
        let offer = UpdateOffer {
            version: update.version.clone(),
            notes: update.body.clone().unwrap_or_default(),
            date: update.date.map(|date| date.unix_timestamp()).and_then(rfc3339),
        };
        let bytes = self.download(&update, &offer).await?;
        let install = self.put_down(&update, &bytes)?;
        tracing::info!(version = offer.version, ?install, "a newer version was downloaded and waits");
        // What lies in a file need not lie in memory as well.
        let bytes = if install == UpdateInstall::Restart { bytes } else { Vec::new() };
        self.waiting = Some(Waiting { update, offer: offer.clone(), bytes });
        Ok(Some(UpdateState::Ready { offer, install }))
    }

    /// The download, whose signature is right.
    async fn download(&self, update: &Update, offer: &UpdateOffer) -> Result<Vec<u8>, String> {
        let (received, told) = (AtomicU64::new(0), AtomicU64::new(0));
        let (too_much, stop) = oneshot::channel::<()>();
        let mut too_much = Some(too_much);
        let on_piece = |bytes: usize, total: Option<u64>| {
            let received = received.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
            if received > UPDATE_BYTES as u64 {
                too_much.take();
            }
            if received >= told.load(Ordering::Relaxed) + WORD {
                told.store(received, Ordering::Relaxed);
                self.tell(UpdateState::Downloading { offer: offer.clone(), received, total });
            }
        };
        self.tell(UpdateState::Downloading { offer: offer.clone(), received: 0, total: None });
        let version = &offer.version;
        tokio::select! {
            downloaded = update.download(on_piece, || {}) => downloaded.map_err(|error| refusal(version, &error)),
            _ = stop => Err(format!("version {version} was not downloaded: it is larger than an update can be")),
        }
    }

    /// Leaves a package where a command of the user's finds it.
    fn put_down(&self, update: &Update, bytes: &[u8]) -> Result<UpdateInstall, String> {
        let by = tauri::utils::platform::bundle_type();
        if let Some(BundleType::AppImage | BundleType::App | BundleType::Dmg | BundleType::Nsis | BundleType::Msi) = by
        {
            return Ok(UpdateInstall::Restart);
        }
        let folder = self.app.state::<Machine>().places.cache.join("updates");
        let name = file_name(update.download_url.path(), &update.version);
        let file = keep(&folder, &name, bytes)
            .map_err(|error| format!("failed to keep the update in {}: {error}", folder.display()))?;
        Ok(install_of(by, &file))
    }

    async fn install(&mut self) {
        // What the user's own command installs is not ours to install.
        let installs_itself = |waiting: &Waiting| !waiting.bytes.is_empty();
        let Some(Waiting { update, offer, bytes }) = self.waiting.take_if(|waiting| installs_itself(waiting)) else {
            return;
        };
        tracing::info!(version = offer.version, "the user wants the newer version; agents go on");
        self.tell(UpdateState::Installing { offer: offer.clone() });
        let installed = tauri::async_runtime::spawn_blocking(move || update.install(bytes)).await;
        match installed.map_err(|error| error.to_string()).and_then(|done| done.map_err(|error| error.to_string())) {
            Ok(()) => self.app.request_restart(),
            Err(error) => {
                self.tell(failed(format!("failed to install version {}: {error}. Look again", offer.version)));
            }
        }
    }

    fn tell(&self, state: UpdateState) {
        if let UpdateState::Failed { message, .. } = &state {
            tracing::warn!("{message}");
        }
        self.view.send_modify(|view| view.state = state);
    }
}

fn failed(message: String) -> UpdateState {
    UpdateState::Failed { message, at: now() }
}

/// Why a download was not taken.
fn refusal(version: &str, error: &Error) -> String {
    match error {
        Error::Minisign(_) | Error::SignatureUtf8(_) | Error::Base64(_) => format!(
            "version {version} was refused: it is not signed by the publisher of this one ({error}). Do not install it by hand; \
             tell the publisher"
        ),
        _ => format!("failed to download version {version}: {error}. Try again later"),
    }
}

/// What installs a file, by what installed this program.
fn install_of(by: Option<BundleType>, file: &Path) -> UpdateInstall {
    let file = file.display().to_string();
    // The name has been made of harmless letters; the folder may have any.
    let quoted = format!("'{}'", file.replace('\'', r"'\''"));
    let shown = if file.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._+-~".contains(letter)) {
        file.clone()
    } else {
        quoted
    };
    match by {
        Some(BundleType::Deb) => UpdateInstall::Command { command: format!("sudo apt install {shown}"), file },
        Some(BundleType::Rpm) => UpdateInstall::Command { command: format!("sudo dnf install {shown}"), file },
        Some(_) | None => UpdateInstall::ByHand { file },
    }
}

/// A name for the download without anything that means something to a shell or leads to another folder.
fn file_name(path: &str, version: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let harmless = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    if name.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && name.chars().all(harmless) {
        return name.to_owned();
    }
    let version: String = version.chars().filter(|letter| harmless(*letter)).collect();
    format!("outrigger-{version}")
}

/// Writes the download in place of earlier ones.
fn keep(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<PathBuf> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    let file = folder.join(name);
    let part = folder.join("part");
    std::fs::write(&part, bytes)?;
    std::fs::rename(part, &file)?;
    Ok(file)
}

fn now() -> String {
    Timestamp::now().to_string()
}

fn rfc3339(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_told_the_command_of_what_installed_the_program() {
        let file = Path::new("/home/a/.cache/updates/outrigger_0.2.0_amd64.deb");
        let command = |by| match install_of(by, file) {
            UpdateInstall::Command { command, .. } => command,
            UpdateInstall::Restart | UpdateInstall::ByHand { .. } => String::new(),
        };
        assert_eq!(command(Some(BundleType::Deb)), format!("sudo apt install {}", file.display()));
        assert_eq!(command(Some(BundleType::Rpm)), format!("sudo dnf install {}", file.display()));
        assert_eq!(install_of(None, file), UpdateInstall::ByHand { file: file.display().to_string() });
        let odd = install_of(Some(BundleType::Deb), Path::new("/home/it's me/o.deb"));
        assert!(
            matches!(odd, UpdateInstall::Command { command, .. } if command == r"sudo apt install '/home/it'\''s me/o.deb'")
        );
    }

    #[test]
    fn a_download_has_a_harmless_name_and_replaces_the_one_before() {
        assert_eq!(file_name("/v0.2.0/outrigger_0.2.0_amd64.deb", "0.2.0"), "outrigger_0.2.0_amd64.deb");
        assert_eq!(file_name("/v0.2.0/a%20b;rm.deb", "0.2.0$(x)"), "outrigger-0.2.0x");
        assert_eq!(file_name("/a/..", "1"), "outrigger-1");
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("updates");
        keep(&folder, "one", b"1").unwrap();
        assert_eq!(std::fs::read(keep(&folder, "two", b"2").unwrap()).unwrap(), b"2");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    }
}
