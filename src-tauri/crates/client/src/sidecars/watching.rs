//! Tells how the sidecars of a place stand, from now on: by the owner's news while there is one, and by the folders otherwise.

use std::path::Path;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use protocol::limits::EXCHANGE;
use protocol::sidecar::{SidecarNews, SidecarPlace, SidecarView};
use serde_json::{Map, Value};
use tokio::sync::{broadcast, mpsc, watch};
use toolbox::owner::{FILE, OwnerClient};
use toolbox::roots::{RootWatch, roots};

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
    let (came, mut owners) = mpsc::channel(1);
    // Kept as long as somebody listens: dropping it ends the watching.
    let _watcher = watch_owner(&machine, came);
    let mut folders = folders(&machine, &place);
    let mut news = None;
    loop {
        if news.is_none() {
            news = subscribed(&machine).await;
        }
        match list(&machine, &place).await {
            Ok(now) => {
                views.send_if_modified(|before| {
                    let is_other = *before != now;
                    *before = now;
                    is_other
                });
            }
            Err(error) => tracing::warn!(%error, "the sidecars could not be listed"),
        }
        tokio::select! {
            () = views.closed() => return,
            Some(()) = owners.recv() => {}
            () = folders.changed() => {}
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
    let Some((owner, heard)) = news else { return std::future::pending().await };
    tokio::select! {
        () = owner.lost() => false,
        _ = heard.recv() => true,
    }
}

fn folders(machine: &Machine, place: &SidecarPlace) -> RootWatch {
    let mut watch = RootWatch::new();
    let (config, workspace) = (&machine.places.config, place.workspace.as_deref().map(Path::new));
    for root in roots(config, workspace) {
        let top = workspace.filter(|workspace| root.starts_with(workspace)).unwrap_or(config);
        watch.add(&root, top);
    }
    watch
}

/// Notices that an owner begins or ends.
fn watch_owner(machine: &Machine, came: mpsc::Sender<()>) -> Option<notify::RecommendedWatcher> {
    let is_owner = |event: &notify::Event| {
        !event.kind.is_access() && event.paths.iter().any(|path| path.file_name().is_some_and(|name| name == FILE))
    };
    let watching = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_owner(&event)) {
            let _ = came.try_send(());
        }
    });
    let watched = watching.and_then(|mut watcher| {
        watcher.watch(&machine.places.run, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watched.inspect_err(|error| tracing::error!(%error, "changed sidecars will not show by themselves")).ok()
}
