//! Lists and calls the tools of all sidecars for everybody who may.
//!
//! Responsible for finding the sidecars of a place (a workspace, a session), for starting them when they are first needed, for one name
//! to each tool, and for calls that end. Who asks comes in by another door: the owner's socket. It decides nothing about an agent's
//! permissions; the keeper has asked for those before.

pub mod answers;
mod finding;
pub mod grants;
pub mod names;
pub mod schema;
pub(crate) mod shelf;
mod shelves;
mod watching;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use protocol::sidecar::{SidecarCall, SidecarNews, SidecarPlace, SidecarTrust, SidecarView};
use protocol::tools::{ToolAnswer, ToolDefinition};
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;

use crate::instance::UserEnvironment;
use crate::limits::LISTED_PLACES;
use crate::mcp::ears::Progress;
use crate::mcp::link::CallError;
use crate::roots::{RootWatch, roots};
use crate::secrets::SecretStore;
use finding::{Found, none_of};
use grants::Grants;
use shelf::Shelf;
use shelves::Shelves;

pub use finding::{answer_at_rest, any_may_run, at_rest, trusted_folders, untrusted};

/// What the broker works with.
#[derive(Clone)]
pub struct Surroundings {
    /// The user's config folder: own sidecars, trust, grants.
    pub config: PathBuf,
    /// Sockets and the record of marks; only its user may enter.
    pub run: PathBuf,
    /// Long answers, unless a call names a folder of its own.
    pub files: PathBuf,
    /// The user's environment.
    pub environment: UserEnvironment,
    /// The system's keyring.
    pub secrets: Arc<dyn SecretStore>,
    /// The most that a call may take, whatever it says.
    pub call_at_most: Duration,
    /// Names that no sidecar's tool gets: those of the tools that agents have anyway.
    pub taken: HashSet<String>,
}

/// See the module. A handle: clones share it.
#[derive(Clone)]
pub struct Broker {
    inner: Arc<Inner>,
}

struct Inner {
    surroundings: Surroundings,
    shelves: Shelves,
    /// What each name meant when it was last offered in a place. A name stays good although the list has changed since.
    offered: Mutex<HashMap<PlaceKey, HashMap<String, Target>>>,
    news: broadcast::Sender<SidecarNews>,
    /// Workspaces that somebody has asked from, on their way to who watches them.
    places: mpsc::UnboundedSender<PathBuf>,
    asked_from: Mutex<HashSet<PathBuf>>,
}

type PlaceKey = (Option<String>, Option<protocol::SessionId>);

/// One tool of one sidecar.
#[derive(Clone)]
struct Target {
    shelf: Arc<Shelf>,
    tool: String,
    timeout_added: bool,
}

impl Broker {
    /// A broker without any sidecar running. Must be made inside a tokio runtime. What a killed one before it left behind is ended.
    pub async fn new(surroundings: Surroundings) -> Self {
        // Whoever does not read for so long is told that news were missed.
        let (news, _) = broadcast::channel(1024);
        let shelves = Shelves::new(surroundings.clone(), news.clone()).await;
        // One message for each workspace.
        let (places, asked) = mpsc::unbounded_channel();
        let (offered, asked_from) = (Mutex::default(), Mutex::default());
        let inner = Arc::new(Inner { surroundings, shelves, offered, news, places, asked_from });
        tokio::spawn(look_after(Arc::downgrade(&inner), asked));
        Self { inner }
    }

    /// The news from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<SidecarNews> {
        self.inner.news.subscribe()
    }

    /// All sidecars of a place as they stand.
    #[must_use]
    pub fn sidecars(&self, place: &SidecarPlace) -> Vec<SidecarView> {
        self.asked_from(place);
        self.inner.shelves.found(place).iter().map(|found| self.inner.shelves.view(place, found)).collect()
    }

    /// The tools that are granted in a place. Sidecars that may run are started for it; one that is not ready in
    /// [`crate::limits::LIST_WAIT`] is left out, and [`SidecarNews::ToolsChanged`] tells when it is. One that was stopped because nobody
    /// used it is not: the next call starts it.
    pub async fn tools(&self, place: &SidecarPlace) -> Vec<ToolDefinition> {
        self.listed(place, true).await
    }

    /// The same for who has asked before: what has come to rest since, by itself or by a person, is not started for it.
    pub async fn tools_again(&self, place: &SidecarPlace) -> Vec<ToolDefinition> {
        self.listed(place, false).await
    }

    async fn listed(&self, place: &SidecarPlace, wake: bool) -> Vec<ToolDefinition> {
        self.asked_from(place);
        let rules = self.grants().read();
        let mut waiting = tokio::task::JoinSet::new();
        let mut shelves = self.inner.shelves.usable(place);
        // What nobody there may use is not started for it.
        shelves.retain(|shelf| rules.allow_any(place, &shelf.manifest().name));
        for (index, shelf) in shelves.iter().enumerate() {
            let shelf = Arc::clone(shelf);
            waiting.spawn(async move { (index, shelf.offers(wake).await) });
        }
        let mut listed: Vec<_> = shelves.iter().map(|_| None).collect();
        while let Some(done) = waiting.join_next().await {
            if let Ok((index, listing)) = done {
                listed[index] = listing;
            }
        }
        let mut all: Vec<(Arc<Shelf>, ToolDefinition)> = Vec::new();
        for (shelf, listing) in shelves.into_iter().zip(listed) {
            let name = shelf.manifest().name.clone();
            let tools = listing.iter().flat_map(|listing| &listing.tools);
            all.extend(
                tools
                    .filter(|tool| rules.allow(place, &name, &tool.name))
                    .map(|tool| (Arc::clone(&shelf), tool.clone())),
            );
        }
        self.named(place, all)
    }

    fn named(&self, place: &SidecarPlace, tools: Vec<(Arc<Shelf>, ToolDefinition)>) -> Vec<ToolDefinition> {
        let manifests: Vec<_> = tools.iter().map(|(shelf, _)| shelf.manifest()).collect();
        let pairs: Vec<(&str, &str)> = tools
            .iter()
            .zip(&manifests)
            .map(|((_, tool), manifest)| (manifest.name.as_str(), tool.name.as_str()))
            .collect();
        let names = names::offered(&pairs, &self.inner.surroundings.taken);
        let most = self.inner.surroundings.call_at_most;
        let mut targets = HashMap::new();
        let mut offered = Vec::with_capacity(tools.len());
        for (((shelf, tool), manifest), name) in tools.into_iter().zip(manifests).zip(names) {
            let (input_schema, timeout_added) = schema::with_timeout(&tool.input_schema, manifest.timeouts.call, most);
            targets.insert(name.clone(), Target { shelf, tool: tool.name.clone(), timeout_added });
            offered.push(ToolDefinition { name, input_schema, sidecar: Some(manifest.name.clone()), ..tool });
        }
        let mut all = self.offered();
        if all.len() >= LISTED_PLACES {
            all.clear();
        }
        all.entry(key(place)).or_default().extend(targets);
        offered
    }

    /// Calls a tool by the name that it is offered under. A tool that fails answers too.
    pub async fn call(
        &self,
        mut call: SidecarCall,
        progress: mpsc::Sender<Progress>,
        cancelled: impl Future<Output = ()>,
    ) -> ToolAnswer {
        let Some(target) = self.target(&call).await else {
            return ToolAnswer::failed(format!(
                "There is no tool `{}` here any more. List the tools again.",
                call.name
            ));
        };
        let manifest = target.shelf.manifest();
        // What a person calls by hand needs no grant.
        if call.sidecar.is_none() && !self.grants().read().allow(&call.place, &manifest.name, &target.tool) {
            return ToolAnswer::failed(format!("The user has not granted the tool `{}` here.", call.name));
        }
        let (usual, most) = (manifest.timeouts.call, self.inner.surroundings.call_at_most);
        let limit = match target.timeout_added {
            true => schema::taken_out(&mut call.arguments, usual, most),
            false => Ok(usual.min(most)),
        };
        let limit = match limit {
            Ok(limit) => limit,
            Err(why) => return ToolAnswer::failed(why),
        };
        target.shelf.used_by(call.place.session);
        let answered = self.answered(&target, call, limit, progress, cancelled).await;
        answered.unwrap_or_else(|why| ToolAnswer::failed(format!("The sidecar `{}` {why}", manifest.name)))
    }

    async fn answered(
        &self,
        target: &Target,
        call: SidecarCall,
        limit: Duration,
        progress: mpsc::Sender<Progress>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<ToolAnswer, String> {
        tokio::pin!(cancelled);
        let (instance, deadline) = (target.shelf.instance(), Instant::now() + limit);
        // The words name the time that the caller gave, whatever was left of it.
        let words = |why: CallError| match why {
            CallError::Refused(why) => format!("refused the call: {why}"),
            CallError::TimedOut(_) => format!("gave no answer: {}.", CallError::TimedOut(limit)),
            CallError::Cancelled | CallError::Lost => format!("gave no answer: {why}."),
        };
        tokio::select! {
            ready = instance.ready() => ready.map_err(|why| format!("{why}."))?,
            () = &mut cancelled => return Err(words(CallError::Cancelled)),
            () = tokio::time::sleep_until(deadline) => return Err(words(CallError::TimedOut(limit))),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let result = instance.call(&target.tool, call.arguments, left, progress, cancelled).await.map_err(words)?;
        let folder = call.files.map_or_else(|| self.inner.surroundings.files.clone(), PathBuf::from);
        let bounded = tokio::task::spawn_blocking(move || answers::bounded(&result, &folder));
        bounded.await.map_err(|error| format!("gave an answer that could not be handed on: {error}"))
    }

    /// What a name means in a place. A name that is not known is looked for once more: the caller may have it from an earlier owner.
    async fn target(&self, call: &SidecarCall) -> Option<Target> {
        if let Some(sidecar) = &call.sidecar {
            return self.named_target(call, sidecar).await;
        }
        let known =
            |broker: &Self| broker.offered().get(&key(&call.place)).and_then(|names| names.get(&call.name)).cloned();
        let target = match known(self) {
            Some(target) => target,
            None => {
                self.tools(&call.place).await;
                known(self)?
            }
        };
        // Its manifest may be gone, or its trust withdrawn.
        self.inner.shelves.usable(&call.place).iter().any(|shelf| Arc::ptr_eq(shelf, &target.shelf)).then_some(target)
    }

    /// A tool by its own name in its sidecar.
    async fn named_target(&self, call: &SidecarCall, sidecar: &str) -> Option<Target> {
        let usable = self.inner.shelves.usable(&call.place);
        let shelf = usable.into_iter().find(|shelf| shelf.manifest().name == sidecar)?;
        let listing = shelf.instance().ready().await.ok();
        let tool = listing.as_ref().and_then(|listing| listing.tools.iter().find(|tool| tool.name == call.name));
        let manifest = shelf.manifest();
        let most = self.inner.surroundings.call_at_most;
        let added = tool.is_some_and(|tool| schema::with_timeout(&tool.input_schema, manifest.timeouts.call, most).1);
        Some(Target { shelf, tool: call.name.clone(), timeout_added: added })
    }

    /// One sidecar of a place, to be started, stopped or looked at by hand.
    ///
    /// # Errors
    /// In words: there is none of that name, its manifest cannot be used, or it is not trusted.
    pub fn named_sidecar(&self, place: &SidecarPlace, name: &str) -> Result<crate::instance::Instance, String> {
        let found = self.find(place, name)?;
        match found.trust(&self.inner.surroundings.config)? {
            SidecarTrust::Own | SidecarTrust::Trusted => {}
            SidecarTrust::Needed { .. } => {
                return Err(format!(
                    "the sidecar `{name}` comes with the workspace and is not trusted yet; `outrigger sidecar trust {name}` shows what it would run"
                ));
            }
        }
        let shelf = self
            .inner
            .shelves
            .shelf(place, &found)
            .ok_or_else(|| format!("the sidecar `{name}` has no usable manifest"))?;
        Ok(shelf.instance())
    }

    /// Takes the user's answer to the trust question with this hash. Withdrawn, it stops what runs.
    ///
    /// # Errors
    /// In words.
    pub async fn trust(&self, place: &SidecarPlace, name: &str, hash: &str, trusted: bool) -> Result<(), String> {
        let found = self.find(place, name)?;
        self.inner.shelves.answer(&found, hash, trusted).await?;
        let folder = found.folder.to_string_lossy().into_owned();
        let _ = self.inner.news.send(SidecarNews::ToolsChanged { name: name.to_owned(), folder });
        Ok(())
    }

    /// Whether anything runs, or is called.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.inner.shelves.is_busy()
    }

    /// Stops everything and waits until nothing runs.
    pub async fn stop_all(&self) {
        self.inner.shelves.stop_all().await;
    }

    fn find(&self, place: &SidecarPlace, name: &str) -> Result<Found, String> {
        let found = self.inner.shelves.found(place).into_iter().find(|found| found.name() == name);
        found.ok_or_else(|| none_of(name))
    }

    /// From now on it is noticed when sidecars come and go there.
    fn asked_from(&self, place: &SidecarPlace) {
        let Some(workspace) = place.workspace.as_ref().map(PathBuf::from) else { return };
        let mut known = self.inner.asked_from.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < LISTED_PLACES && known.insert(workspace.clone()) {
            let _ = self.inner.places.send(workspace);
        }
    }

    fn grants(&self) -> Grants {
        Grants::in_config(&self.inner.surroundings.config)
    }

    fn offered(&self) -> MutexGuard<'_, HashMap<PlaceKey, HashMap<String, Target>>> {
        self.inner.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells when sidecars come and go, and forgets those that are gone. Ends with the broker.
async fn look_after(broker: Weak<Inner>, mut places: mpsc::UnboundedReceiver<PathBuf>) {
    let Some(config) = broker.upgrade().map(|inner| inner.surroundings.config.clone()) else { return };
    let mut watch = RootWatch::new();
    if let [own] = roots(&config, None).as_slice() {
        watch.add(own, &config);
    }
    loop {
        tokio::select! {
            place = places.recv() => match place {
                Some(workspace) => {
                    if let [root, _] = roots(&config, Some(&workspace)).as_slice() {
                        watch.add(root, &workspace);
                    }
                }
                None => return,
            },
            () = watch.changed() => {
                let Some(inner) = broker.upgrade() else { return };
                inner.shelves.forget_gone().await;
                let _ = inner.news.send(SidecarNews::CameOrWent);
            }
        }
    }
}

fn key(place: &SidecarPlace) -> PlaceKey {
    (place.workspace.clone(), place.session)
}
