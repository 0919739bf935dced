//! Which place has this pod in the pod tree, and what is it allowed there? Asked of the ledger, in the ledger's own thread.
//!
//! What a scope covers and when a budget is used up, the crate `scopes` decides. Here is who asks when, what holds while the ledger
//! cannot be asked, and the words in which a refusal crosses the wire.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ledger::Ledger;
use process::ProcessRef;
use protocol::error::{ErrorCode, WireError};
use protocol::scope::PodOutcome;
use protocol::session::{KeeperOrder, SessionMeta};
use protocol::{PodId, SessionId};
use scopes::{Area, Begin, Holder, Keeper, Reclaimed, Refused, Scope};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::exchange::TurnRefused;
use crate::ledger_notes::LedgerNotes;

/// How long a session that needs no place in the tree is held up for it.
const ENTERS: Duration = Duration::from_secs(2);

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tree {
    notes: LedgerNotes,
    /// With which the pod would begin anew in a ledger that has lost it.
    begin: Begin,
    pod: PodId,
    strict: bool,
    /// Set where nobody waited for the place to be taken.
    entering: Option<Arc<Mutex<JoinHandle<()>>>>,
}

/// How a pod comes into the tree.
#[derive(Debug, Clone, Copy)]
enum Entry {
    /// A person starts it.
    Begin,
    /// Its parent has reserved its place.
    Host,
    /// It was there before.
    Reopen,
}

impl Tree {
    /// Takes the pod's place. With a scope, a parent or a budget the pod must not start without; others do not wait for the ledger.
    ///
    /// # Errors
    /// When the place is refused, or the ledger that has to know of it cannot be used.
    pub(crate) async fn enter(
        order: &KeeperOrder,
        meta: &SessionMeta,
        notes: LedgerNotes,
        pod: PodId,
    ) -> Result<Self, WireError> {
        let start = &order.start;
        let strict = start.scope.is_some() || start.parent.is_some() || start.budget.is_some();
        let again = meta.generation > 1;
        let entry = match (again, start.parent) {
            (true, _) => Entry::Reopen,
            (false, Some(_)) => Entry::Host,
            (false, None) => Entry::Begin,
        };
        let begin = begin(order, meta, pod)?;
        let tree = Self { notes, begin: begin.clone(), pod, strict, entering: None };
        let entered = tree.notes.ask(move |ledger| enter(ledger, &begin, entry));
        if !strict {
            let entering = tokio::spawn(async move {
                match entered.await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::warn!(%error, "the session is not in the pod tree"),
                    Err(error) => tracing::warn!(%error, "the session is not in the pod tree"),
                }
            });
            return Ok(Self { entering: Some(Arc::new(Mutex::new(entering))), ..tree });
        }
        match entered.await {
            Ok(Ok(())) => Ok(tree),
            Ok(Err(refused)) => Err(wire(&refused)),
            Err(why) => Err(unusable(&why)),
        }
    }

    /// Waits until the place is taken, so that whoever hears of the pod finds it there; not for a ledger that cannot be used.
    pub(crate) async fn entered(&self) {
        if let Some(entering) = &self.entering {
            let mut entering = entering.lock().await;
            if !entering.is_finished() {
                let _ = timeout(ENTERS, &mut *entering).await;
            }
        }
    }

    /// What the pod may do now. `None` when that cannot be told.
    pub(crate) async fn scope(&self) -> Option<Scope> {
        let session = self.begin.session;
        match self.notes.ask(move |ledger| scopes::scope_of(ledger, session)).await {
            Ok(Ok(scope)) => scope,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the pod's scope could not be read");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the pod's scope could not be read");
                None
            }
        }
    }

    /// The same where nothing may begin without an answer.
    ///
    /// # Errors
    /// When it cannot be told.
    pub(crate) async fn scope_now(&self) -> Result<Scope, WireError> {
        self.scope().await.ok_or_else(|| unusable("the pod does not stand in it, or it could not be read"))
    }

    /// Counts one more turn, if the budgets leave one.
    pub(crate) async fn begin_turn(&self) -> Result<(), TurnRefused> {
        let begin = self.begin.clone();
        let asked = self.notes.ask(move |ledger| match scopes::begin_turn(ledger, begin.session, now()) {
            // Somebody has set the ledger aside meanwhile.
            Err(Refused::Unknown { .. }) => {
                enter(ledger, &begin, Entry::Begin)?;
                scopes::begin_turn(ledger, begin.session, now())
            }
            done => done,
        });
        match asked.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Refused::Ledger(error))) => self.without_ledger(&error.to_string()),
            Ok(Err(refused)) => Err(TurnRefused::from(&refused)),
            Err(why) => self.without_ledger(&why),
        }
    }

    /// Adds what a turn has cost, in US dollars. What stands in the way of the next one.
    pub(crate) async fn end_turn(&self, cost_usd: f64) -> Option<TurnRefused> {
        let session = self.begin.session;
        match self.notes.ask(move |ledger| scopes::end_turn(ledger, session, cost_usd, now())).await {
            Ok(Ok(next)) => next.as_ref().map(TurnRefused::from),
            Ok(Err(error)) => {
                tracing::warn!(%error, cost_usd, "what a turn has cost could not be added up");
                None
            }
            Err(error) => {
                tracing::warn!(%error, cost_usd, "what a turn has cost could not be added up");
                None
            }
        }
    }

    /// Gives the place back: the scope to the parent, and the children too.
    pub(crate) async fn leave(&self, outcome: PodOutcome) -> Option<Reclaimed> {
        let (session, pod) = (self.begin.session, Some(self.pod));
        match self.notes.ask(move |ledger| scopes::end(ledger, session, pod, outcome, now())).await {
            Ok(Ok(reclaimed)) => reclaimed,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the pod's place in the tree could not be given back; it will be reclaimed");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the pod's place in the tree could not be given back; it will be reclaimed");
                None
            }
        }
    }

    /// Its session.
    pub(crate) fn session(&self) -> SessionId {
        self.begin.session
    }

    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        &self.begin.name
    }

    /// The way to the ledger.
    pub(crate) fn notes(&self) -> &LedgerNotes {
        &self.notes
    }

    /// Who has to ask goes no further while nobody answers; others go on without.
    fn without_ledger(&self, why: &str) -> Result<(), TurnRefused> {
        if self.strict {
            let WireError { code, message, detail: _ } = unusable(why);
            return Err(TurnRefused { limit: None, code, text: message });
        }
        tracing::warn!(why, "a turn begins that the ledger does not count");
        Ok(())
    }
}

impl From<&Refused> for TurnRefused {
    fn from(refused: &Refused) -> Self {
        let limit = match refused {
            Refused::Budget { limit, .. } => Some(*limit),
            Refused::Conflict { .. }
            | Refused::Outside { .. }
            | Refused::NoScope { .. }
            | Refused::NameTaken { .. }
            | Refused::SameTask { .. }
            | Refused::Closing { .. }
            | Refused::Unknown { .. }
            | Refused::Ended { .. }
            | Refused::Ledger(_) => None,
        };
        let WireError { code, message, detail: _ } = wire(refused);
        Self { limit, code, text: message }
    }
}

/// Whether whoever holds something is proved dead. Blocks for two looks at most.
pub(crate) fn proved_dead(holder: &Holder) -> bool {
    let processes: Vec<ProcessRef> =
        holder.processes.iter().map(|(pid, started)| ProcessRef { pid: *pid, started: *started }).collect();
    process::proved_dead(&processes, holder.pod.map(|pod| pod.to_string()).as_deref())
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn enter(ledger: &Ledger, begin: &Begin, entry: Entry) -> Result<(), Refused> {
    let begun = || scopes::begin(ledger, begin, now(), &proved_dead);
    match entry {
        Entry::Begin => begun(),
        Entry::Host => scopes::host(ledger, begin.session, begin.keeper),
        Entry::Reopen => match scopes::reopen(ledger, begin.session, begin.keeper, now(), &proved_dead) {
            // A session of an older Outrigger, or of a ledger that was set aside.
            Err(Refused::Unknown { .. }) => begun(),
            done => done,
        },
    }
}

fn begin(order: &KeeperOrder, meta: &SessionMeta, pod: PodId) -> Result<Begin, WireError> {
    let start = &order.start;
    let kept = kept(order);
    let area = Area { workspace: Path::new(&meta.workspace), kept: &kept };
    let rules = start.scope.as_ref().map(|rules| scopes::resolve(rules, area)).transpose();
    let rules = rules.map_err(|error| WireError::new(ErrorCode::ScopeRefused, error.to_string()))?;
    let ProcessRef { pid, started } = ProcessRef::current();
    let name = start.name.clone().or_else(|| Some(meta.title.clone()).filter(|title| !title.is_empty()));
    Ok(Begin {
        session: order.session,
        spawned_by: start.parent,
        name: name.unwrap_or_else(|| order.provider_name.clone()),
        workspace: meta.workspace.clone(),
        rules,
        budget: start.budget.clone(),
        keeper: Keeper { pod: Some(pod), pid, started },
    })
}

/// What no pod may write: journals with the tokens of pods, sockets, logs, the ledger, settings.
fn kept(order: &KeeperOrder) -> Vec<PathBuf> {
    let mut kept = vec![PathBuf::from(&order.sessions), PathBuf::from(&order.run), PathBuf::from(&order.logs)];
    kept.extend(order.ledger.iter().map(PathBuf::from));
    kept.extend(order.workspace_rules.iter().filter_map(|file| Path::new(file).parent().map(Path::to_owned)));
    kept
}

fn wire(refused: &Refused) -> WireError {
    let code = match refused {
        Refused::Budget { .. } => ErrorCode::BudgetUsed,
        Refused::Closing { .. } | Refused::Ended { .. } => ErrorCode::SessionEnded,
        Refused::Ledger(error) => return unusable(&error.to_string()),
        Refused::Conflict { .. }
        | Refused::Outside { .. }
        | Refused::NoScope { .. }
        | Refused::NameTaken { .. }
        | Refused::SameTask { .. }
        | Refused::Unknown { .. } => ErrorCode::ScopeRefused,
    };
    WireError::new(code, refused.to_string())
}

fn unusable(why: &str) -> WireError {
    let message =
        format!("who holds which files and what is left to spend stands in the ledger, and that cannot be used: {why}");
    WireError::new(ErrorCode::DataFolder, message)
}
