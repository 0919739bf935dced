//! Starts a pod below a live one: reserved in the ledger, announced in the parent's journal, then started. All of it or nothing.

use std::path::Path;

use process::ProcessRef;
use protocol::SessionId;
use protocol::error::{ErrorCode, WireError};
use protocol::pod::PodStatus;
use protocol::pods::{ChildSpawned, Notify};
use protocol::scope::{Budget, HeldRule, PodOutcome, ScopeRule};
use protocol::session::{SessionMeta, StartSession};
use scopes::{Keeper, Rule, Spawn};

use crate::connection::PodConnection;
use crate::machine::Machine;
use crate::pods::{in_ledger, now, proof, resolved};
use crate::start::{Started, start_as};
use crate::{catalog, sessions};

/// A child that somebody wants. What is left out is as its parent has it.
#[derive(Debug, Clone, Default)]
pub struct ChildWish {
    /// What it is called, unique among the live children of its parent.
    pub name: String,
    /// Its first prompt.
    pub task: String,
    /// Which kind of agent.
    pub provider: Option<String>,
    /// Which model.
    pub model: Option<String>,
    /// Added to its system prompt.
    pub instructions: Option<String>,
    /// What it may use, a part of what its parent may. Paths are relative to the workspace.
    pub scope: Option<Vec<ScopeRule>>,
    /// What it and all below it may use, beside what the budgets above leave.
    pub budget: Option<Budget>,
}

/// Starts a child below a live session. It works in the same folder, with the same mode and the same policy.
///
/// Until its keeper runs, this process answers for what is reserved: when it is killed, nothing stays.
///
/// # Errors
/// What is in the way, or why the child did not start (`detail` has the end of what it wrote to stderr). Then nothing is left of it.
pub async fn spawn(machine: &Machine, parent: SessionId, wish: ChildWish) -> Result<Started, WireError> {
    let machine = machine.clone();
    // In a task of its own: who waits no longer leaves no half child behind.
    let task = tokio::spawn(async move { spawn_whole(&machine, parent, wish).await });
    task.await.map_err(|error| WireError::new(ErrorCode::Internal, format!("starting a pod broke off: {error}")))?
}

async fn spawn_whole(machine: &Machine, parent: SessionId, wish: ChildWish) -> Result<Started, WireError> {
    let mut above = Above::find(machine, parent).await?;
    let provider = wish.provider.clone().unwrap_or_else(|| above.meta.provider.clone());
    catalog::manifest(machine, &provider)?;
    let session = SessionId::new();
    let name = wish.name.clone();
    let start = start_session(&above, &wish, provider);
    let rules = reserve(machine, session, &above, wish).await?;
    let rules = rules.map(|rules| rules.iter().map(|rule| rule.held().clone()).collect::<Vec<HeldRule>>());
    match launch(machine, &mut above, session, start, rules).await {
        Ok(started) => Ok(started),
        Err(error) => {
            give_back(machine, &mut above, session, name).await;
            Err(error)
        }
    }
}

/// The parent, as it is now.
struct Above {
    meta: SessionMeta,
    status: PodStatus,
    pod: PodConnection,
}

impl Above {
    async fn find(machine: &Machine, session: SessionId) -> Result<Self, WireError> {
        let mut pod = sessions::connect(machine, session, "client").await?;
        let status = pod.status().await?;
        let meta = machine.folder(session).read_meta();
        let meta = meta.map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))?;
        Ok(Self { meta: meta.ok_or_else(|| sessions::no_such(&session.to_string()))?, status, pod })
    }
}

fn start_session(above: &Above, wish: &ChildWish, provider: String) -> StartSession {
    let Above { meta, status, .. } = above;
    let same = provider == meta.provider;
    let inherited = |model: &Option<String>| if same { model.clone() } else { None };
    StartSession {
        workspace: Some(meta.workspace.clone()),
        prompt: Some(wish.task.clone()),
        model: wish.model.clone().or_else(|| inherited(&status.model)),
        system_prompt: wish.instructions.clone(),
        permission_mode: Some(status.permission_mode),
        permissions: status.permission_policy,
        config_dir: if same { meta.start.config_dir.clone() } else { None },
        provider_config: if same { meta.start.provider_config.clone() } else { None },
        scope: wish.scope.clone(),
        budget: wish.budget.clone(),
        parent: Some(meta.session),
        name: Some(wish.name.clone()),
        // A child is offered no tool that its parent is not.
        sidecars: meta.start.sidecars.clone(),
        ..StartSession::new(provider, meta.cwd.clone())
    }
}

/// Takes the scope and the place in the tree, if they are to be had.
async fn reserve(
    machine: &Machine,
    session: SessionId,
    above: &Above,
    wish: ChildWish,
) -> Result<Option<Vec<Rule>>, WireError> {
    let (parent, workspace) = (above.meta.session, above.meta.workspace.clone());
    let rules = wish.scope.as_deref().map(|rules| resolved(machine, Path::new(&workspace), rules)).transpose()?;
    let ProcessRef { pid, started } = ProcessRef::current();
    let spawn = Spawn {
        session,
        parent,
        name: wish.name,
        task: wish.task,
        workspace,
        rules: rules.clone(),
        budget: wish.budget,
        by: Keeper { pod: None, pid, started },
    };
    in_ledger(machine, move |ledger| scopes::spawn(ledger, &spawn, now(), &proof::is_dead)).await?;
    Ok(rules)
}

/// Announces the child, so that it stands in its parent's journal before its own first event, and starts it.
async fn launch(
    machine: &Machine,
    above: &mut Above,
    session: SessionId,
    start: StartSession,
    rules: Option<Vec<HeldRule>>,
) -> Result<Started, WireError> {
    let child = ChildSpawned {
        session,
        name: start.name.clone().unwrap_or_default(),
        provider: start.provider.clone(),
        task: start.prompt.clone().unwrap_or_default(),
        rules,
    };
    above.pod.child_spawned(child).await?;
    start_as(machine, session, start).await
}

/// Gives back what was reserved for a child that did not start.
async fn give_back(machine: &Machine, above: &mut Above, session: SessionId, name: String) {
    let ended =
        in_ledger(machine, move |ledger| Ok(scopes::end(ledger, session, None, PodOutcome::Failed, now())?)).await;
    if let Err(error) = ended {
        tracing::warn!(%error, %session, "what was reserved for a pod stays so until this process ends");
    }
    let text = format!("Pod {name} could not be started.");
    let news = Notify { session, from: name, text, outcome: Some(PodOutcome::Failed), quiet: true };
    if let Err(error) = above.pod.notify(news).await {
        tracing::warn!(%error, %session, "a parent was not told that its child did not start");
    }
}
