//! The tools of the user's sidecars, as a source of tools: listed and called over a line to the process that owns the sidecars.
//!
//! That line is opened by the first list or call, and again when its owner has gone; a session without a sidecar that may run has none
//! and starts no owner. What the sidecars do is the owner's business. Here is known what the agent was told last, so that it is told
//! of another list only when it is another one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use protocol::limits::EXCHANGE;
use protocol::pods::ToolProgress;
use protocol::session::KeeperOrder;
use protocol::sidecar::{SidecarCall, SidecarNews, SidecarPlace};
use protocol::tools::{ToolAnswer, ToolCall, ToolDefinition, ToolList};
use serde_json::{Map, Value};
use tokio::sync::{broadcast, oneshot};
use tokio::task::AbortHandle;
use toolbox::limits::{CALL_AT_MOST, LIST_WAIT};
use toolbox::owner::{OwnerClient, connect, spawn};

use crate::tools::{Changed, Heard, Later, ToolSource};

/// How we name ourselves to the owner.
const CLIENT: &str = "keeper";
/// Beside the time that a list takes by itself; in all it is less than the bridge waits.
const BESIDE_LIST: Duration = Duration::from_secs(2);
/// Beside the longest time that a call may be given. How long it may take the owner knows; this is for an owner that is stuck.
const BESIDE_CALL: Duration = Duration::from_secs(60);
/// The folder in that of the runner's own files where long answers are written: the agent can read there, whatever its scope.
const ANSWERS: &str = "answers";

/// See the module. A handle: clones share it.
#[derive(Clone)]
pub(crate) struct Sidecars(Arc<Inner>);

struct Inner {
    program: PathBuf,
    run: PathBuf,
    config: PathBuf,
    workspace: PathBuf,
    place: SidecarPlace,
    files: String,
    line: tokio::sync::Mutex<Option<Line>>,
    /// What the agent was told last; none before its first list.
    told: Mutex<Option<Vec<ToolDefinition>>>,
    /// Whose each name is that the agent was ever told of.
    whose: Mutex<HashMap<String, String>>,
    next_call: AtomicU64,
    changed: Changed,
}

/// The line to an owner. The task that hears its news ends with it.
struct Line {
    owner: OwnerClient,
    hearing: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}

impl Sidecars {
    /// Those of a session's place. None without a program that could own them, or a folder where they would be.
    pub(crate) fn of(order: &KeeperOrder, workspace: &str, changed: Changed) -> Option<Self> {
        let place = SidecarPlace {
            workspace: Some(workspace.to_owned()),
            session: Some(order.session),
            only: order.start.sidecars.clone(),
        };
        Some(Self(Arc::new(Inner {
            program: PathBuf::from(order.program.as_ref()?),
            run: PathBuf::from(&order.run),
            config: PathBuf::from(order.config.as_ref()?),
            workspace: PathBuf::from(workspace),
            place,
            files: Path::new(&order.state_dir()).join(ANSWERS).display().to_string(),
            line: tokio::sync::Mutex::new(None),
            told: Mutex::default(),
            whose: Mutex::default(),
            next_call: AtomicU64::new(1),
            changed,
        })))
    }

    /// The sidecar of a tool that the agent was told of.
    pub(crate) fn whose(&self, tool: &str) -> Option<String> {
        self.0.whose().get(tool).cloned()
    }

    /// Looks whether the tools are others than the agent was told last, and has it told if so.
    pub(crate) async fn look(&self) {
        if self.0.told().is_none() {
            return;
        }
        match self.0.ask_for_list().await {
            Ok(now) if self.0.told().as_ref() != Some(&now) => self.0.changed.tell(),
            Ok(_) => {}
            Err(why) => tracing::warn!(why, "it is not known whether the sidecars offer other tools"),
        }
    }
}

impl Inner {
    fn told(&self) -> MutexGuard<'_, Option<Vec<ToolDefinition>>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn whose(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.whose.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask_for_list(self: &Arc<Self>) -> Result<Vec<ToolDefinition>, String> {
        // There is no need for an owner where nothing may run. One that is there knows better what serves still.
        if !self.has_line().await && !self.any_may_run().await? {
            return Ok(Vec::new());
        }
        let (owner, is_new) = self.owner().await?;
        // What has come to rest since it was listed is not started for a list.
        let method = if is_new { "tools/list" } else { "tools/again" };
        let list: ToolList =
            owner.ask(method, &self.place, LIST_WAIT + BESIDE_LIST).await.map_err(|error| error.message)?;
        Ok(list.tools)
    }

    async fn has_line(&self) -> bool {
        self.line.lock().await.as_ref().is_some_and(|line| !line.owner.is_lost())
    }

    async fn any_may_run(&self) -> Result<bool, String> {
        let (config, workspace) = (self.config.clone(), self.workspace.clone());
        let looked = tokio::task::spawn_blocking(move || toolbox::broker::any_may_run(&config, &workspace));
        looked.await.map_err(|error| error.to_string())
    }

    /// The owner, started if there is none. Whether the line to it was opened just now.
    async fn owner(self: &Arc<Self>) -> Result<(OwnerClient, bool), String> {
        let mut line = self.line.lock().await;
        if let Some(line) = line.as_ref().filter(|line| !line.owner.is_lost()) {
            return Ok((line.owner.clone(), false));
        }
        let opened = connect(&self.run, CLIENT, || spawn(&self.program)).await;
        let owner = opened.map_err(|error| error.message)?;
        let news = owner.news();
        owner.ask::<_, Value>("subscribe", &Map::new(), EXCHANGE).await.map_err(|error| error.message)?;
        let hearing = tokio::spawn(hear(Arc::downgrade(self), news)).abort_handle();
        *line = Some(Line { owner: owner.clone(), hearing });
        Ok((owner, true))
    }

    async fn answer(
        self: &Arc<Self>,
        call: ToolCall,
        heard: Heard,
        nobody_waits: oneshot::Receiver<()>,
    ) -> Result<ToolAnswer, String> {
        let (owner, _) = self.owner().await?;
        // Several bridges count from the same number; one line carries the calls of all.
        let number = self.next_call.fetch_add(1, Ordering::Relaxed);
        let ToolCall { name, arguments, call_id } = call;
        let call = SidecarCall {
            place: self.place.clone(),
            sidecar: None,
            name,
            arguments,
            call_id: number.to_string(),
            files: Some(self.files.clone()),
        };
        // Both a word and the loss of the bridge mean that nobody waits any more.
        let nobody = async { drop(nobody_waits.await) };
        let tell = |progress: ToolProgress| heard.tell(ToolProgress { call_id: call_id.clone(), ..progress });
        let answered = owner.call(&call, CALL_AT_MOST + BESIDE_CALL, tell, nobody).await;
        answered.map_err(|error| format!("{}; it is started again with the next call", error.message))
    }
}

/// Hears of other tools as long as the line is there. What was missed may have been that as well. Boxed, because what it does may open
/// a line and hear of that.
fn hear(sidecars: Weak<Inner>, mut news: broadcast::Receiver<SidecarNews>) -> Later<'static, ()> {
    Box::pin(async move {
        loop {
            let may_be_others = match news.recv().await {
                Ok(SidecarNews::ToolsChanged { .. } | SidecarNews::CameOrWent | SidecarNews::Missed) => true,
                Ok(SidecarNews::State { .. } | SidecarNews::ReloadFailed { .. } | SidecarNews::Progress { .. }) => {
                    false
                }
                Err(broadcast::error::RecvError::Lagged(_)) => true,
                Err(broadcast::error::RecvError::Closed) => return,
            };
            if may_be_others {
                let Some(sidecars) = sidecars.upgrade() else { return };
                Sidecars(sidecars).look().await;
            }
        }
    })
}

impl ToolSource for Sidecars {
    fn list(&self) -> Later<'_, Result<Vec<ToolDefinition>, String>> {
        Box::pin(async {
            let tools = self.0.ask_for_list().await?;
            let named = tools.iter().filter_map(|tool| Some((tool.name.clone(), tool.sidecar.clone()?)));
            self.0.whose().extend(named);
            *self.0.told() = Some(tools.clone());
            Ok(tools)
        })
    }

    fn offers<'a>(&'a self, name: &'a str) -> Later<'a, bool> {
        Box::pin(async move {
            // A name that the agent was told of stays good; the owner says what became of it.
            self.whose(name).is_some()
                || self.list().await.is_ok_and(|tools| tools.iter().any(|tool| tool.name == name))
        })
    }

    fn call(&self, call: ToolCall, heard: Heard, nobody_waits: oneshot::Receiver<()>) -> Later<'_, ToolAnswer> {
        Box::pin(async move {
            let name = call.name.clone();
            let answer = self.0.answer(call, heard, nobody_waits).await;
            answer.unwrap_or_else(|why| ToolAnswer::failed(format!("{name} gave no answer: {why}.")))
        })
    }

    fn sidecar_of(&self, name: &str) -> Option<String> {
        self.whose(name)
    }
}
