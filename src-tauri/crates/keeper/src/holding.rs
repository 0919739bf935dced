//! What may this pod write now, what holds it to that, and who reports what nothing holds back?
//!
//! The kernel holds the runner to what the scope was when it was started, if it can. What a child has been given since is refused
//! where the agent asks for permission, and watched.

use std::path::{Path, PathBuf};

use confine::watch::{Owner, Seen, Watch, WatchError, Watcher, watch};
use ledger::Ledger;
use permissions::written_files;
use protocol::record::{HostRecord, NoticeLevel};
use protocol::runner::PermissionAsk;
use protocol::scope::{Confinement, ConfinementLevel, HeldRule};
use protocol::{PodId, SessionId};
use scopes::{Access, Scope};
use tokio::sync::mpsc;

use crate::confinement::Confined;

/// What was seen and waits for the pod's task; what is beyond it is in the debug log only.
const SEEN: usize = 1024;

/// See the module.
pub(crate) struct Holding {
    session: SessionId,
    pod: PodId,
    ledger: Option<PathBuf>,
    scope: Option<Scope>,
    /// What the kernel was asked to hold, and its answer. None without a scope.
    kernel: Option<Kernel>,
    watcher: Option<Watcher>,
    seen: Option<mpsc::Receiver<Seen>>,
    asked_to_watch: bool,
}

/// A watcher, and what it has seen.
pub(crate) type Watching = (Watcher, mpsc::Receiver<Seen>);
/// Begins to watch.
pub(crate) type Begins = Box<dyn FnOnce() -> Result<Watching, WatchError> + Send>;

struct Kernel {
    confined: Confined,
    answer: Confinement,
    /// What the children held then.
    taken: Vec<HeldRule>,
}

impl Holding {
    /// Before a runner is started.
    pub(crate) fn new(session: SessionId, pod: PodId, ledger: Option<&str>, scope: Option<Scope>) -> Self {
        let (ledger, kernel, watcher, seen) = (ledger.map(PathBuf::from), None, None, None);
        Self { session, pod, ledger, scope, kernel, watcher, seen, asked_to_watch: false }
    }

    /// The runner was started confined.
    pub(crate) fn held_by(&mut self, confined: Confined, answer: Confinement) {
        self.kernel = Some(Kernel { confined, answer, taken: self.taken() });
    }

    /// Whether the kernel holds the runner, so that a sandbox of its CLI's own would only be in the way.
    pub(crate) fn by_kernel(&self) -> bool {
        self.kernel.as_ref().is_some_and(|kernel| kernel.answer.level != ConfinementLevel::Advised)
    }

    /// How far the pod is held to what its scope is now; none without a scope.
    pub(crate) fn confinement(&self) -> Option<Confinement> {
        let Kernel { answer, taken, .. } = self.kernel.as_ref()?;
        let mut now = answer.clone();
        let (given, back) = (self.given_since(taken), taken.iter().any(|rule| !self.taken().contains(rule)));
        if now.level == ConfinementLevel::Enforced && (given || back) {
            now.level = ConfinementLevel::Partial;
        }
        if given && answer.level != ConfinementLevel::Advised {
            now.why.push(
                "What a child was given while this agent runs is refused where it asks, and watched; the kernel refuses it \
                 from the next start."
                    .to_owned(),
            );
        }
        if back && answer.level != ConfinementLevel::Advised {
            now.why.push("What a child has given back the kernel lets through from the next start.".to_owned());
        }
        Some(now)
    }

    /// The scope as it holds from here on, for the journal. None without a scope.
    pub(crate) fn as_record(&self) -> Option<HostRecord> {
        let confinement = self.confinement()?;
        let rules = self.scope.as_ref()?.rules.as_ref()?;
        let rules = Some(rules.iter().map(|rule| rule.held().clone()).collect());
        Some(HostRecord::Scoped { rules, taken: self.taken(), confinement })
    }

    /// Takes over what the scope is now. Whether that is another one.
    pub(crate) fn take(&mut self, scope: Scope) -> bool {
        let changed = self.scope.as_ref() != Some(&scope);
        self.scope = Some(scope);
        changed
    }

    /// Why a request is refused whatever else is said: it would write where the pod may not. For the agent.
    pub(crate) fn refusal(&self, ask: &PermissionAsk, cwd: &Path) -> Option<String> {
        let scope = self.scope.as_ref()?;
        written_files(ask).iter().find_map(|file| {
            let path = cwd.join(file);
            let why = match scope.access(&path) {
                Access::Write => return None,
                Access::Read(Some(taken)) => format!(
                    "pod `{}` (session {}) may write there while it lives; send it a message, or stop it first",
                    taken.name, taken.session
                ),
                Access::Read(None) | Access::Nothing => {
                    format!("it is not within the scope of this pod, which is {}", scope.words())
                }
            };
            Some(format!("{} was not written: {why}.", path.display()))
        })
    }

    /// What begins to watch, where the kernel does not refuse everything and nobody watches yet. It blocks for as long as it takes
    /// to walk through the workspace.
    pub(crate) fn watching(&mut self) -> Option<Begins> {
        if self.asked_to_watch || !self.wants_watcher() {
            return None;
        }
        self.asked_to_watch = true;
        let scope = self.scope.as_ref()?;
        let own = self.kernel.as_ref().map(|kernel| kernel.confined.own_paths()).unwrap_or_default();
        let locked = self.ledger.iter().filter_map(|ledger| ledger.parent().map(Path::to_owned)).collect();
        let what = Watch { roots: vec![scope.workspace.clone()], locked, pod: self.pod };
        let owner = self.owner(own);
        Some(Box::new(move || {
            let (sender, seen) = mpsc::channel(SEEN);
            let tell = move |seen: Seen| {
                if let Err(error) = sender.try_send(seen) {
                    tracing::warn!(%error, "a foreign write was not recorded");
                }
            };
            watch(&what, owner, tell).map(|watcher| (watcher, seen))
        }))
    }

    /// It watches, or cannot: then that is told in the journal.
    pub(crate) fn watches(&mut self, began: Result<Watching, WatchError>) -> Option<HostRecord> {
        match began {
            Ok((watcher, seen)) => {
                (self.watcher, self.seen) = (Some(watcher), Some(seen));
                None
            }
            Err(error) => {
                let text = format!("Writes past the scope will not be reported: {error}.");
                Some(HostRecord::Notice { level: NoticeLevel::Warning, code: "not_watched".to_owned(), text })
            }
        }
    }

    /// The next that the watcher saw. Waits for ever without one; cancel-safe.
    pub(crate) async fn seen(&mut self) -> Seen {
        match &mut self.seen {
            Some(seen) => match seen.recv().await {
                Some(seen) => seen,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    /// Gives the watcher away, to be ended without holding anybody up.
    pub(crate) fn unwatch(&mut self) -> Option<Watching> {
        self.watcher.take().zip(self.seen.take())
    }

    /// What is removed with the pod.
    pub(crate) fn clean_up(&self) {
        if let Some(kernel) = &self.kernel {
            kernel.confined.remove_temp();
        }
    }

    fn taken(&self) -> Vec<HeldRule> {
        let taken = self.scope.iter().flat_map(|scope| &scope.taken);
        taken.map(|taken| taken.rule.held().clone()).collect()
    }

    fn given_since(&self, then: &[HeldRule]) -> bool {
        self.taken().iter().any(|rule| !then.contains(rule))
    }

    fn wants_watcher(&self) -> bool {
        match &self.kernel {
            Some(_) => self.confinement().is_some_and(|now| now.level != ConfinementLevel::Enforced),
            // Nothing holds it back from what its children hold.
            None => !self.taken().is_empty(),
        }
    }

    /// Who may write at a path, for the watcher's thread. The ledger is opened there when it is first asked.
    fn owner(&self, own: Vec<PathBuf>) -> impl Fn(&Path) -> Owner + Send + 'static {
        let (session, path) = (self.session, self.ledger.clone());
        let unscoped = self.kernel.is_none();
        let open = std::cell::RefCell::new(None);
        move |at: &Path| {
            if own.iter().any(|folder| at.starts_with(folder)) {
                return Owner::Ours(session);
            }
            let mut open = open.borrow_mut();
            if open.is_none() {
                *open = path.as_ref().and_then(|path| Ledger::open(path).ok()).map(|opened| opened.ledger);
            }
            let holders = open.as_ref().and_then(|ledger| scopes::who_may_write(ledger, at).ok()).unwrap_or_default();
            match holders.first().map(|(entry, _)| entry.session) {
                Some(holder) if holder == session => Owner::Ours(session),
                Some(holder) => Owner::Other(holder),
                None if unscoped => Owner::Ours(session),
                None => Owner::Nobody,
            }
        }
    }
}

/// What was seen, for the journal.
pub(crate) fn told(seen: Seen) -> HostRecord {
    let notice =
        |code: &str, text: String| HostRecord::Notice { level: NoticeLevel::Warning, code: code.to_owned(), text };
    match seen {
        Seen::Foreign(write) => HostRecord::ForeignWrite { write },
        Seen::More(count) => notice(
            "foreign_writes",
            format!("{count} more files were changed at once; who changed them was not looked at."),
        ),
        Seen::Blind(why) => notice(
            "not_watched",
            format!("Some changes of files could not be watched: {why}. Writes past the scope may be missing."),
        ),
    }
}
