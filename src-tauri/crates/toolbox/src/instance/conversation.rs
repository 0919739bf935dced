//! One connection from its first word to its last: handshake, list of tools, and what becomes of that list.

use std::time::Duration;

use protocol::sidecar::{FailedAt, SidecarFailure};
use rmcp::service::RoleClient;
use rmcp::transport::Transport;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::log::LogSource;
use crate::manifest::Timeouts;
use crate::mcp::ears::Ears;
use crate::mcp::link::Link;
use crate::mcp::listing::Listing;
use crate::states::failure;

/// A connection that ends before the tools are listed most often means that the process has ended: so long its exit is waited for,
/// which tells more.
const EXIT_FIRST: Duration = Duration::from_secs(2);

/// What came of it so far.
#[derive(Debug)]
pub(super) enum Said {
    /// The tools are listed.
    Connected(Link, Listing),
    /// They were listed anew.
    Listed(Listing),
    /// It did not come to that.
    NotConnected(SidecarFailure),
    /// The connection ended.
    Lost(String),
}

/// Talks until the connection ends.
pub(super) async fn converse<T>(
    transport: T,
    ears: &Ears,
    limits: Timeouts,
    tell: impl Fn(Said),
    mut gone: watch::Receiver<bool>,
) where
    T: Transport<RoleClient> + 'static,
{
    let (link, lost) = match timeout(limits.connect, Link::open(transport, ears.clone())).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(why)) => return closed_early(FailedAt::Connect, why, &tell, &mut gone).await,
        Err(_) => {
            let why = format!("it said no word of MCP within {} s", limits.connect.as_secs_f32());
            return tell(Said::NotConnected(failure(FailedAt::Connect, why)));
        }
    };
    match link.tools(limits.list).await {
        Ok(listing) => tell(Said::Connected(link.clone(), listing)),
        Err(why) if link.is_closed() => return closed_early(FailedAt::List, why, &tell, &mut gone).await,
        Err(why) => return tell(Said::NotConnected(failure(FailedAt::List, why))),
    }
    let lost = lost.lost();
    tokio::pin!(lost);
    loop {
        tokio::select! {
            () = &mut lost => break tell(Said::Lost("it closed its connection".to_owned())),
            () = ears.list_changed() => match link.tools(limits.list).await {
                Ok(listing) => tell(Said::Listed(listing)),
                // The earlier list holds until it says better, or the connection ends.
                Err(why) => ears.log(LogSource::Outrigger, why.as_bytes()),
            },
        }
    }
}

async fn closed_early(at: FailedAt, why: String, tell: &impl Fn(Said), gone: &mut watch::Receiver<bool>) {
    tokio::select! {
        _ = gone.wait_for(|gone| *gone) => {}
        () = tokio::time::sleep(EXIT_FIRST) => tell(Said::NotConnected(failure(at, why))),
    }
}
