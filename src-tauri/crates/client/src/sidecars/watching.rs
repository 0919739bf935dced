//! Tells how the sidecars of a place stand, from now on: by the owner's news while there is one, and by the folders otherwise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use protocol::limits::EXCHANGE;
use protocol::sidecar::{SidecarNews, SidecarPlace, SidecarView};
use serde_json::{Map, Value};
use tokio::sync::{broadcast, mpsc, watch};
use toolbox::manifest::{CONFIG_FOLDER, WORKSPACE_FOLDER};
use toolbox::owner::{FILE, OwnerClient};

use super::{list, owner};
use crate::machine::Machine;

/// Changes that come together are told together.
const SETTLE: Duration = Duration::from_millis(60);

/// All sidecars of a place from now on, until the receiver is dropped. Memory and processor time are as they were when something
/// else changed; [`list`] tells them as they are.
#[must_use]
pub fn watch(machine: Machine, place: SidecarPlace) -> watch::Receiver<Vec<SidecarView>> {
    let (sender, receiver) = watch::channel(Vec::new());
    tokio::spawn(run(machine, place, sender));
    receiver
}

async fn run(machine: Machine, place: SidecarPlace, views: watch::Sender<Vec<SidecarView>>) {
    let (changed, mut changes) = mpsc::channel(1);
    // Kept as long as somebody listens: dropping it ends the watching.
    let _watcher = watch_folders(&machine, &place, changed);
    let mut news = None;
    loop {
        if news.is_none() {
            news = subscribed(&machine).await;
        }
        match list(&machine, &place).await {
            Ok(now) => drop(views.send_replace(now)),
            Err(error) => tracing::warn!(%error, "the sidecars could not be listed"),
        }
        tokio::select! {
            () = views.closed() => return,
            change = changes.recv() => if change.is_none() { return },
            open = told(&mut news) => if !open { news = None },
        }
        tokio::time::sleep(SETTLE).await;
        // What else came meanwhile is seen with the next look.
        while let Some((_, heard)) = &mut news
            && heard.try_recv().is_ok()
        {}
    }
}

async fn subscribed(machine: &Machine) -> Option<(OwnerClient, broadcast::Receiver<SidecarNews>)> {
    let owner = owner::there(machine).await.ok().flatten()?;
    let heard = owner.news();
    owner.ask::<_, Value>("subscribe", &Map::new(), EXCHANGE).await.ok()?;
    Some((owner, heard))
}

/// Waits for news. False when the owner is gone.
async fn told(news: &mut Option<(OwnerClient, broadcast::Receiver<SidecarNews>)>) -> bool {
    match news {
        None => std::future::pending().await,
        Some((_, heard)) => !matches!(heard.recv().await, Err(broadcast::error::RecvError::Closed)),
    }
}

/// The folders of sidecars, those in which these would appear, and the owner's file. What builds write is not looked at.
fn watch_folders(
    machine: &Machine,
    place: &SidecarPlace,
    changed: mpsc::Sender<()>,
) -> Option<notify::RecommendedWatcher> {
    let workspace = place.workspace.as_ref().map(PathBuf::from);
    let roots: Vec<PathBuf> = std::iter::once(machine.places.config.join(CONFIG_FOLDER))
        .chain(workspace.iter().map(|workspace| workspace.join(WORKSPACE_FOLDER)))
        .collect();
    let counts = move |path: &Path| {
        let near = roots.iter().any(|root| root.starts_with(path) || path.parent().is_some_and(|up| up == root));
        near || path.file_name().is_some_and(|name| name == FILE || name == toolbox::manifest::FILE)
    };
    let watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(|path| counts(path))) {
            let _ = changed.try_send(());
        }
    });
    let config = &machine.places.config;
    let own = config.join(CONFIG_FOLDER);
    let of_workspace = workspace.iter().flat_map(|at| [at.clone(), at.join(".outrigger"), at.join(WORKSPACE_FOLDER)]);
    let mut folders: Vec<PathBuf> = vec![machine.places.run.clone(), config.clone(), own.clone()];
    folders.extend(of_workspace);
    let all = toolbox::broker::roots(config, workspace.as_deref());
    folders.extend(all.iter().flat_map(|root| toolbox::manifest::folders(root)));
    let mut watcher =
        watching.inspect_err(|error| tracing::error!(%error, "changed sidecars will not show by themselves")).ok()?;
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
            tracing::warn!(%error, folder = %folder.display(), "changed sidecars will not show by themselves");
        }
    }
    Some(watcher)
}
