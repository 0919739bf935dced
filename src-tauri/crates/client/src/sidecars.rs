//! The tool sidecars of this machine's user, for windows and the command line: which there are, how they stand, and what is done
//! about them.
//!
//! What runs is the owner's (`outrigger-toolbox`), which is asked over its socket. A look never starts one: without an owner nothing
//! runs, and the manifests tell the rest. Who may use what is decided by the user's rules ([`grants`]).

mod grants;
mod imports;
mod owner;
mod watching;

use std::path::Path;
use std::time::Duration;

use protocol::doctor::{SidecarProblem, SidecarsReport};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::EXCHANGE;
use protocol::pods::ToolProgress;
use protocol::session::Liveness;
use protocol::sidecar::{
    SidecarCall, SidecarLogLine, SidecarNamed, SidecarPlace, SidecarState, SidecarTrust, SidecarView, TrustAnswer,
};
use protocol::tools::{ToolAnswer, ToolDefinition, ToolList};
use serde_json::{Map, Value};
use toolbox::limits::{CALL_AT_MOST, LIST_WAIT};
use toolbox::owner::OwnerClient;

use crate::machine::Machine;
use crate::sessions::{self, Which};

pub use grants::{forget_grant, grants, set_grant};
pub use imports::{imports, keep_secret, write_imports};
pub use owner::{OwnerEnd, end_owner, settle};
pub use watching::watch;

/// For what ends processes or begins with it: the whole stop ladder.
const BY_HAND: Duration = Duration::from_secs(60);
/// Beside the time that the owner takes by itself.
const BESIDE: Duration = Duration::from_secs(10);

/// All sidecars of a place as they stand, also those that may not run, with the question that is to be put to the user.
///
/// # Errors
/// When an owner is there and does not answer.
pub async fn list(machine: &Machine, place: &SidecarPlace) -> Result<Vec<SidecarView>, WireError> {
    match owner::there(machine).await? {
        Some(owner) => owner.ask("sidecar/list", place, EXCHANGE).await,
        None => {
            let (config, place) = (machine.places.config.clone(), place.clone());
            let looked = tokio::task::spawn_blocking(move || toolbox::broker::at_rest(&config, &place)).await;
            looked.map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))
        }
    }
}

/// One sidecar as it stands.
///
/// # Errors
/// As [`list`]; [`ErrorCode::BadRequest`] when there is none of that name.
pub async fn view(machine: &Machine, place: &SidecarPlace, name: &str) -> Result<SidecarView, WireError> {
    let found = list(machine, place).await?.into_iter().find(|view| view.name == name);
    found.ok_or_else(|| {
        let message = format!("there is no sidecar `{name}` here; `outrigger sidecar list` shows those that there are");
        WireError::new(ErrorCode::BadRequest, message)
    })
}

/// Builds and starts it. Returns as soon as that has begun; [`settled`] waits for what comes of it.
///
/// # Errors
/// When there is none of that name, or it is not trusted.
pub async fn start(machine: &Machine, place: &SidecarPlace, name: &str) -> Result<SidecarState, WireError> {
    let started = by_hand(machine, place, name, "sidecar/start").await?;
    nudge(machine, place).await;
    Ok(started)
}

/// Stops it, and waits until nothing of it runs. It stays stopped until somebody starts it.
///
/// # Errors
/// When there is none of that name.
pub async fn stop(machine: &Machine, place: &SidecarPlace, name: &str) -> Result<SidecarState, WireError> {
    by_hand(machine, place, name, "sidecar/stop").await
}

/// Builds and starts it anew, whatever its state. Returns as [`start`] does.
///
/// # Errors
/// As [`start`].
pub async fn restart(machine: &Machine, place: &SidecarPlace, name: &str) -> Result<SidecarState, WireError> {
    by_hand(machine, place, name, "sidecar/restart").await
}

/// The newest lines that it and its build have printed, oldest first. Nothing is kept of one that has no owner any more.
///
/// # Errors
/// As [`view`].
pub async fn logs(machine: &Machine, place: &SidecarPlace, name: &str) -> Result<Vec<SidecarLogLine>, WireError> {
    match owner::there(machine).await? {
        Some(owner) => owner.ask("sidecar/logs", &named(place, name), EXCHANGE).await,
        None => view(machine, place, name).await.map(|_| Vec::new()),
    }
}

/// Waits until it is connected, has failed or was stopped, and returns it.
///
/// # Errors
/// As [`view`].
pub async fn settled(machine: &Machine, place: &SidecarPlace, name: &str) -> Result<SidecarView, WireError> {
    let Some(owner) = owner::there(machine).await? else { return view(machine, place, name).await };
    let mut news = owner.news();
    owner.ask::<_, Value>("subscribe", &Map::new(), EXCHANGE).await?;
    loop {
        let view = view(machine, place, name).await?;
        match view.state {
            SidecarState::Building | SidecarState::Starting | SidecarState::Stopping => {}
            SidecarState::Idle
            | SidecarState::Connected { .. }
            | SidecarState::Disconnected { .. }
            | SidecarState::Failed { .. }
            | SidecarState::Stopped { .. } => return Ok(view),
        }
        tokio::select! {
            () = owner.lost() => return self::view(machine, place, name).await,
            _ = news.recv() => {}
        }
    }
}

/// Takes the user's answer to the question with this hash, as [`SidecarView::trust`] had it. Sessions in the workspace are told.
///
/// # Errors
/// When it has changed since the question was put, or the answer cannot be kept.
pub async fn trust(
    machine: &Machine,
    place: &SidecarPlace,
    name: &str,
    hash: &str,
    trusted: bool,
) -> Result<(), WireError> {
    match owner::there(machine).await? {
        Some(owner) => {
            let SidecarNamed { place, name } = named(place, name);
            let answer = TrustAnswer { place, name, hash: hash.to_owned(), trusted };
            owner.ask::<_, Value>("sidecar/trust", &answer, BY_HAND).await?;
        }
        None => {
            let (config, place) = (machine.places.config.clone(), place.clone());
            let (name, hash) = (name.to_owned(), hash.to_owned());
            let kept = tokio::task::spawn_blocking(move || {
                toolbox::broker::answer_at_rest(&config, &place, &name, &hash, trusted)
            });
            let kept = kept.await.map_err(|error| WireError::new(ErrorCode::Internal, error.to_string()))?;
            kept.map_err(|why| WireError::new(ErrorCode::BadRequest, why))?;
        }
    }
    nudge(machine, place).await;
    Ok(())
}

/// The tools that an agent is offered in a place, under the names that it is offered them by. Starts what may run and does not yet.
///
/// # Errors
/// When the owner cannot be started or reached.
pub async fn tools(machine: &Machine, place: &SidecarPlace) -> Result<Vec<ToolDefinition>, WireError> {
    if !toolbox::roots::has_any(&machine.places.config, place.workspace.as_deref().map(Path::new)) {
        return Ok(Vec::new());
    }
    let owner = owner::connected(machine).await?;
    let list: ToolList = owner.ask("tools/list", place, LIST_WAIT + BESIDE).await?;
    Ok(list.tools)
}

/// Calls a tool by hand: `tool` is its own name in the sidecar `name`. A tool that fails answers too. Whoever drops this call cancels
/// it.
///
/// # Errors
/// When the owner cannot be started or reached.
pub async fn call(
    machine: &Machine,
    place: &SidecarPlace,
    name: &str,
    tool: &str,
    arguments: Map<String, Value>,
    on_progress: impl FnMut(ToolProgress) + Send,
) -> Result<ToolAnswer, WireError> {
    view(machine, place, name).await?;
    let owner = owner::connected(machine).await?;
    let call = SidecarCall {
        place: place.clone(),
        sidecar: Some(name.to_owned()),
        name: tool.to_owned(),
        arguments,
        call_id: "by hand".to_owned(),
        files: None,
    };
    owner.call(&call, CALL_AT_MOST + BESIDE, on_progress, std::future::pending()).await
}

/// What doctor says of them.
pub async fn report(machine: &Machine, workspace: &Path) -> SidecarsReport {
    let workspace = std::fs::canonicalize(workspace).unwrap_or_else(|_| workspace.to_owned());
    let place = SidecarPlace { workspace: Some(workspace.display().to_string()), ..SidecarPlace::default() };
    let owner = owner::process(machine);
    match list(machine, &place).await {
        Ok(views) => SidecarsReport { count: views.len(), owner, problems: views.iter().filter_map(problem).collect() },
        Err(error) => {
            let fix = "end that process; the next use starts another one".to_owned();
            let name = "all".to_owned();
            SidecarsReport { count: 0, owner, problems: vec![SidecarProblem { name, problem: error.message, fix }] }
        }
    }
}

fn problem(view: &SidecarView) -> Option<SidecarProblem> {
    let name = view.name.clone();
    let start =
        || format!("mend it, then `outrigger sidecar restart {name}`; `outrigger sidecar logs {name}` tells more");
    let (problem, fix) = match (&view.error, &view.trust, &view.state, &view.reload_failed) {
        (Some(error), ..) => (error.clone(), "correct the manifest".to_owned()),
        (None, SidecarTrust::Needed { .. }, SidecarState::Idle, _) => {
            ("it waits for your trust".to_owned(), format!("`outrigger sidecar trust {name}` shows what it would run"))
        }
        (None, _, SidecarState::Failed { failure, .. }, _) => (failure.message.clone(), start()),
        (None, _, SidecarState::Disconnected { why }, _) => (why.clone(), start()),
        (None, _, _, Some(failure)) => (format!("its last change was not taken over: {}", failure.message), start()),
        (None, _, _, None) => return None,
    };
    Some(SidecarProblem { name, problem, fix })
}

async fn by_hand(machine: &Machine, place: &SidecarPlace, name: &str, method: &str) -> Result<SidecarState, WireError> {
    view(machine, place, name).await?;
    let owner: OwnerClient = owner::connected(machine).await?;
    owner.ask(method, &named(place, name), BY_HAND).await
}

fn named(place: &SidecarPlace, name: &str) -> SidecarNamed {
    SidecarNamed { place: place.clone(), name: name.to_owned() }
}

/// Tells the live sessions of a workspace, or all, to look at their tools: those that had none have no line to the owner.
async fn nudge(machine: &Machine, place: &SidecarPlace) {
    let Ok(live) = sessions::list(machine, Which::Live).await else { return };
    let there = |workspace: &str| place.workspace.as_deref().is_none_or(|of| of == workspace);
    for summary in live.into_iter().filter(|summary| there(&summary.workspace)) {
        if !matches!(summary.liveness, Liveness::Live { .. }) {
            continue;
        }
        match sessions::connect(machine, summary.session, "client").await {
            Ok(mut pod) => drop(pod.look_at_tools().await),
            Err(error) => tracing::debug!(%error, session = %summary.session, "a session was not told of its tools"),
        }
    }
}
