//! Which tables does the ledger have, and how does an older one become a current one?
//!
//! The file's `user_version` counts the steps that were applied. A step is never changed once it was released; a new one is added.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::LedgerError;
use crate::pod_tree;

/// The steps from an empty file to the current tables.
pub(crate) const STEPS: &[&str] = &[
    r"
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE workspaces (path TEXT PRIMARY KEY, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL) STRICT;
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, provider TEXT NOT NULL, workspace TEXT NOT NULL, cwd TEXT NOT NULL, title TEXT NOT NULL,
    native_id TEXT, parent TEXT, created_at TEXT NOT NULL, updated_at TEXT NOT NULL, ended_at TEXT, outcome TEXT,
    statistics TEXT NOT NULL
) STRICT;
CREATE TABLE pods (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, generation INTEGER NOT NULL, pid INTEGER NOT NULL, started INTEGER NOT NULL,
    socket TEXT NOT NULL, parent TEXT, state TEXT NOT NULL, since TEXT NOT NULL, ended_at TEXT,
    UNIQUE (session, generation)
) STRICT;
CREATE TABLE processes (
    pid INTEGER NOT NULL, started INTEGER NOT NULL, pod TEXT NOT NULL, purpose TEXT NOT NULL, command TEXT NOT NULL,
    seen_at TEXT NOT NULL, PRIMARY KEY (pid, started)
) STRICT;
CREATE INDEX processes_of_pod ON processes (pod);
INSERT INTO notes VALUES ('rebuild', '');
",
    pod_tree::TABLES,
];

/// Brings the tables up to date. Several processes may do so at once: one of them does, the others find it done.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, steps: &[&str]) -> Result<(), LedgerError> {
    const ATTEMPT: &str = "bring the tables up to date";
    let ours = i64::try_from(steps.len()).unwrap_or(i64::MAX);
    if version(connection, path, ours)? == ours {
        return Ok(());
    }
    let change = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(LedgerError::sql(ATTEMPT, path))?;
    let done = usize::try_from(version(&change, path, ours)?).unwrap_or(0);
    for step in steps.iter().skip(done) {
        change.execute_batch(step).map_err(LedgerError::sql(ATTEMPT, path))?;
    }
    change.pragma_update(None, "user_version", ours).map_err(LedgerError::sql(ATTEMPT, path))?;
    change.commit().map_err(LedgerError::sql(ATTEMPT, path))
}

fn version(connection: &Connection, path: &Path, ours: i64) -> Result<i64, LedgerError> {
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(LedgerError::sql("read the version", path))?;
    if found > ours {
        return Err(LedgerError::Newer { path: path.to_owned(), found, ours });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_missing_steps_are_applied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let mut connection = Connection::open(&path).unwrap();
        let first = "CREATE TABLE one (a INTEGER); INSERT INTO one VALUES (1);";
        migrate(&mut connection, &path, &[first]).unwrap();
        let second = "ALTER TABLE one ADD COLUMN b INTEGER; UPDATE one SET b = a + 1;";
        migrate(&mut connection, &path, &[first, second]).unwrap();
        migrate(&mut connection, &path, &[first, second]).unwrap();
        let sum: i64 = connection.query_row("SELECT sum(a + b) FROM one", [], |row| row.get(0)).unwrap();
        assert_eq!(sum, 3);
        let refused = migrate(&mut connection, &path, &[first]).unwrap_err();
        assert!(matches!(refused, LedgerError::Newer { found: 2, ours: 1, .. }), "{refused}");
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger");
        let mut connection = Connection::open(&path).unwrap();
        migrate(&mut connection, &path, &["CREATE TABLE one (a INTEGER);", "CREATE TABLE one (a INTEGER);"])
            .unwrap_err();
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 0);
    }
}
