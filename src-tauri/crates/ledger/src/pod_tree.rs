//! The pod tree in the ledger: who spawned whom, which rules each pod holds, what is limited, and what was used.
//!
//! Responsible for rows, and for one transaction around whatever the crate `scopes` decides from them. It judges nothing.

use std::cell::Cell;

use protocol::scope::{Budget, HeldRule, PodOutcome, ScopePermission, ScopeReach};
use protocol::{PodId, SessionId};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::error::LedgerError;
use crate::open::Ledger;
use crate::rows::{from_word, odd, parsed, parsed_option, word};

/// The tables, as step of the migrations.
pub(crate) const TABLES: &str = r"
CREATE TABLE tree_pods (
    session TEXT PRIMARY KEY, tree TEXT NOT NULL, spawned_by TEXT, name TEXT NOT NULL, task TEXT NOT NULL,
    workspace TEXT NOT NULL, scoped INTEGER NOT NULL, pod TEXT, pid INTEGER NOT NULL, started INTEGER NOT NULL,
    spawned_at INTEGER NOT NULL, closing INTEGER NOT NULL, ended_at INTEGER, outcome TEXT,
    turns INTEGER NOT NULL, cost_micros INTEGER NOT NULL, budget TEXT, budget_since INTEGER NOT NULL
) STRICT;
CREATE INDEX tree_pods_of_tree ON tree_pods (tree);
CREATE TABLE scope_rules (
    session TEXT NOT NULL REFERENCES tree_pods (session) ON DELETE CASCADE, place INTEGER NOT NULL, permission TEXT NOT NULL,
    path TEXT NOT NULL, same TEXT NOT NULL, reach TEXT NOT NULL, PRIMARY KEY (session, place)
) STRICT;
CREATE TABLE read_cursors (
    reader TEXT NOT NULL, pod TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (reader, pod)
) STRICT;
";

/// A pod of a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct TreePod {
    /// Its session.
    pub session: SessionId,
    /// The session at the root of its tree.
    pub tree: SessionId,
    /// The session that spawned it. It stays so when that one ends.
    pub spawned_by: Option<SessionId>,
    /// What its spawner calls it.
    pub name: String,
    /// What it was asked to do, as a digest.
    pub task: String,
    /// The workspace that its paths are relative to.
    pub workspace: String,
    /// Whether it has a scope; without one it holds nothing, and nothing is refused to it.
    pub scoped: bool,
    /// Its pod, once its keeper runs.
    pub pod: Option<PodId>,
    /// The process that answers for it: its keeper, and until that runs its spawner's.
    pub pid: u32,
    /// When that process started, in the platform's own unit.
    pub started: u64,
    /// When it was spawned, in milliseconds since 1970.
    pub spawned_at: i64,
    /// Whether it is being stopped, and may spawn no more.
    pub closing: bool,
    /// When it ended, in milliseconds since 1970, and how.
    pub ended: Option<(i64, PodOutcome)>,
    /// Turns so far.
    pub turns: u64,
    /// Cost so far, in millionths of a US dollar.
    pub cost_micros: i64,
    /// What it and all that it spawns may use, and since when, in milliseconds since 1970.
    pub budget: Option<(Budget, i64)>,
    /// What it holds.
    pub rules: Vec<TreeRule>,
}

/// A rule that a pod holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreeRule {
    /// The rule.
    pub held: HeldRule,
    /// Its path in a form in which two names of one file are equal.
    pub same: String,
}

/// One transaction over the pod tree. It holds the write lock from its beginning.
#[derive(Debug)]
pub struct TreeChange<'a> {
    change: Transaction<'a>,
    ledger: &'a Ledger,
    writes: Cell<bool>,
}

impl Ledger {
    /// Does `work` in one transaction that holds the write lock from its beginning: what it reads is still so when it writes,
    /// whatever other processes attempt. When it returns an error nothing has changed.
    ///
    /// # Errors
    /// What `work` returns, and when the ledger cannot be written.
    pub fn change_tree<T, E: From<LedgerError>>(
        &self,
        work: impl FnOnce(&TreeChange<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let change = self.begin("change the pod tree")?;
        let change = TreeChange { change, ledger: self, writes: Cell::new(false) };
        let done = work(&change)?;
        if change.writes.get() {
            let TreeChange { change, .. } = change;
            change.commit().map_err(LedgerError::sql("change the pod tree", self.path()))?;
        }
        Ok(done)
    }

    /// The pods of the tree with this session, ended ones too, in the order in which they were spawned.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn tree_pods(&self, session: SessionId) -> Result<Vec<TreePod>, LedgerError> {
        let query = format!("{PODS} WHERE tree = (SELECT tree FROM tree_pods WHERE session = ?1) ORDER BY session");
        let pods = self.rows("list a pod tree", &query, [session.to_string()], pod)?;
        self.with_rules(pods)
    }

    /// The pods of all trees that have a live one, ended ones too, in the order in which they were spawned.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn live_trees(&self) -> Result<Vec<TreePod>, LedgerError> {
        let pods = self.rows("list the pod trees", &format!("{PODS} {OF_LIVE_TREES} ORDER BY session"), [], pod)?;
        self.with_rules(pods)
    }

    fn with_rules(&self, pods: Vec<TreePod>) -> Result<Vec<TreePod>, LedgerError> {
        let one = |mut pod: TreePod| {
            pod.rules = self.rows("list a pod's scope", RULES, [pod.session.to_string()], rule)?;
            Ok(pod)
        };
        pods.into_iter().map(one).collect()
    }

    /// How far `reader` has read what `pod` said: the number of the last record. 0 before it read anything.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read_cursor(&self, reader: SessionId, pod: SessionId) -> Result<u64, LedgerError> {
        let query = "SELECT seq FROM read_cursors WHERE reader = ?1 AND pod = ?2";
        let given = [reader.to_string(), pod.to_string()];
        let found: Vec<u64> = self.rows("read a cursor", query, given, |row| row.get(0))?;
        Ok(found.first().copied().unwrap_or(0))
    }

    /// Moves the cursor of `reader` forward to `seq`. It never goes back.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn set_read_cursor(&self, reader: SessionId, pod: SessionId, seq: u64) -> Result<(), LedgerError> {
        let query = "INSERT INTO read_cursors VALUES (?1, ?2, ?3)
                     ON CONFLICT (reader, pod) DO UPDATE SET seq = max(seq, excluded.seq)";
        let (reader, pod) = (reader.to_string(), pod.to_string());
        self.change("move a cursor", |change| change.execute(query, params![reader, pod, seq]))?;
        Ok(())
    }
}

impl TreeChange<'_> {
    /// The pods of all trees that have a live one, and of the tree with this session, ended ones too.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn pods(&self, of: Option<SessionId>) -> Result<Vec<TreePod>, LedgerError> {
        self.tried("list the pod trees", |change| {
            let query = format!(
                "{PODS} {OF_LIVE_TREES} OR tree = (SELECT tree FROM tree_pods WHERE session = ?1) ORDER BY session"
            );
            let mut statement = change.prepare_cached(&query)?;
            let of = of.map(|session| session.to_string());
            let mut pods = statement.query_map([of], pod)?.collect::<rusqlite::Result<Vec<TreePod>>>()?;
            let mut rules = change.prepare_cached(RULES)?;
            for pod in &mut pods {
                pod.rules = rules.query_map([pod.session.to_string()], rule)?.collect::<rusqlite::Result<_>>()?;
            }
            Ok(pods)
        })
    }

    /// Writes a pod with its rules, over what stood there.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn put(&self, pod: &TreePod) -> Result<(), LedgerError> {
        self.writes.set(true);
        self.tried("write a pod of a tree", |change| {
            let session = pod.session.to_string();
            change.prepare_cached("DELETE FROM scope_rules WHERE session = ?1")?.execute([&session])?;
            insert(change, pod)?;
            let mut rules = change.prepare_cached("INSERT INTO scope_rules VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
            for (place, TreeRule { held, same }) in pod.rules.iter().enumerate() {
                let place = i64::try_from(place).unwrap_or(i64::MAX);
                let (permission, reach) = (word(&held.permission)?, word(&held.reach)?);
                rules.execute(params![session, place, permission, held.path, same, reach])?;
            }
            Ok(())
        })
    }

    /// Writes what a pod has used so far, and nothing else of it: each turn does so, and changes no more of the file than it must.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn put_used(&self, pod: &TreePod) -> Result<(), LedgerError> {
        self.writes.set(true);
        self.tried("write what a pod has used", |change| {
            let query = "UPDATE tree_pods SET turns = ?2, cost_micros = ?3 WHERE session = ?1";
            change.prepare_cached(query)?.execute(params![pod.session.to_string(), pod.turns, pod.cost_micros])?;
            Ok(())
        })
    }

    /// The processes that the session's pod has noted, by id and start time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn processes_of(&self, pod: PodId) -> Result<Vec<(u32, u64)>, LedgerError> {
        self.tried("list a pod's processes", |change| {
            let mut query = change.prepare_cached("SELECT pid, started FROM processes WHERE pod = ?1")?;
            query.query_map([pod.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
    }

    /// Forgets the trees whose last pod ended before `before`, in milliseconds since 1970, with their cursors.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn forget_trees(&self, before: i64) -> Result<(), LedgerError> {
        let old = "SELECT tree FROM tree_pods GROUP BY tree HAVING max(coalesce(ended_at, 9223372036854775807)) < ?1";
        self.tried("forget old pod trees", |change| {
            let found: Option<i64> = change
                .prepare_cached(&format!("SELECT 1 FROM ({old}) LIMIT 1"))?
                .query_row([before], |row| row.get(0))
                .optional()?;
            if found.is_none() {
                return Ok(());
            }
            self.writes.set(true);
            let sessions = format!("SELECT session FROM tree_pods WHERE tree IN ({old})");
            change.execute(&format!("DELETE FROM read_cursors WHERE pod IN ({sessions})"), [before])?;
            change.execute(&format!("DELETE FROM scope_rules WHERE session IN ({sessions})"), [before])?;
            change.execute(&format!("DELETE FROM tree_pods WHERE tree IN ({old})"), [before])?;
            Ok(())
        })
    }

    fn tried<T>(
        &self,
        attempt: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        work(&self.change).map_err(LedgerError::sql(attempt, self.ledger.path()))
    }
}

const PODS: &str = "SELECT * FROM tree_pods";
const OF_LIVE_TREES: &str = "WHERE tree IN (SELECT tree FROM tree_pods WHERE ended_at IS NULL)";
const RULES: &str = "SELECT * FROM scope_rules WHERE session = ?1 ORDER BY place";

fn insert(change: &Transaction<'_>, pod: &TreePod) -> rusqlite::Result<()> {
    let query = "INSERT OR REPLACE INTO tree_pods VALUES
                 (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    let budget = pod.budget.as_ref().map(|(budget, _)| serde_json::to_string(budget)).transpose();
    let budget = budget.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    change.prepare_cached(query)?.execute(params![
        pod.session.to_string(),
        pod.tree.to_string(),
        pod.spawned_by.map(|session| session.to_string()),
        pod.name,
        pod.task,
        pod.workspace,
        pod.scoped,
        pod.pod.map(|pod| pod.to_string()),
        pod.pid,
        pod.started,
        pod.spawned_at,
        pod.closing,
        pod.ended.map(|(at, _)| at),
        pod.ended.as_ref().map(|(_, outcome)| word(outcome)).transpose()?,
        pod.turns,
        pod.cost_micros,
        budget,
        pod.budget.as_ref().map_or(0, |(_, since)| *since),
    ])?;
    Ok(())
}

fn pod(row: &Row<'_>) -> rusqlite::Result<TreePod> {
    let budget: Option<String> = row.get("budget")?;
    let budget = budget.map(|text| serde_json::from_str(&text).map_err(odd)).transpose()?;
    let ended: Option<i64> = row.get("ended_at")?;
    let outcome: Option<String> = row.get("outcome")?;
    let outcome = outcome.map(|word| from_word(&word)).transpose()?.unwrap_or(PodOutcome::Disconnected);
    Ok(TreePod {
        session: parsed(row, "session")?,
        tree: parsed(row, "tree")?,
        spawned_by: parsed_option(row, "spawned_by")?,
        name: row.get("name")?,
        task: row.get("task")?,
        workspace: row.get("workspace")?,
        scoped: row.get("scoped")?,
        pod: parsed_option(row, "pod")?,
        pid: row.get("pid")?,
        started: row.get("started")?,
        spawned_at: row.get("spawned_at")?,
        closing: row.get("closing")?,
        ended: ended.map(|at| (at, outcome)),
        turns: row.get("turns")?,
        cost_micros: row.get("cost_micros")?,
        budget: budget.map(|budget| row.get("budget_since").map(|since| (budget, since))).transpose()?,
        rules: Vec::new(),
    })
}

fn rule(row: &Row<'_>) -> rusqlite::Result<TreeRule> {
    let permission: ScopePermission = from_word(&row.get::<_, String>("permission")?)?;
    let reach: ScopeReach = from_word(&row.get::<_, String>("reach")?)?;
    Ok(TreeRule { held: HeldRule { permission, path: row.get("path")?, reach }, same: row.get("same")? })
}
