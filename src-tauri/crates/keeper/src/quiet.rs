//! What does a keeper do when nothing happens any more? It gives memory back, once, until something happens again.

use std::time::Duration;

use tokio::sync::watch;

use crate::program_pages;

/// For so long nothing has to have changed. A keeper that is at work is looked at no more often than this.
const QUIET: Duration = Duration::from_secs(1);

/// Gives the program's pages back whenever what readers are shown has not changed for a while; until the pod is over.
pub(crate) async fn give_back_when_quiet(mut changes: watch::Receiver<u64>) {
    loop {
        changes.mark_unchanged();
        tokio::time::sleep(QUIET).await;
        match changes.has_changed() {
            Ok(true) => {}
            Ok(false) => {
                program_pages::give_back();
                if changes.changed().await.is_err() {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}
