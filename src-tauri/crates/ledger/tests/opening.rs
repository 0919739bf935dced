#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]
//! Whatever lies where the ledger should be: it is used, set aside, or left alone with a clear word.

use std::fs;
use std::path::{Path, PathBuf};

use outrigger_ledger::{Ledger, LedgerError, Opened};

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite3");
    (folder, path)
}

/// A ledger with so many workspaces that it has many pages.
fn filled(path: &Path) {
    let ledger = Ledger::open(path).unwrap().ledger;
    for number in 0..300 {
        ledger.note_workspace(&format!("/a/rather/long/path/to/a/workspace/{number:0100}")).unwrap();
    }
    ledger.rebuilt().unwrap();
}

/// Opens what is there; it must be set aside, the fresh one must work and say that it wants to be rebuilt.
fn assert_set_aside(path: &Path) {
    let Opened { ledger, set_aside } = Ledger::open(path).unwrap();
    let aside = set_aside.unwrap();
    assert!(aside.path.to_string_lossy().contains("ledger.sqlite3.corrupt-"), "{aside:?}");
    assert!(fs::symlink_metadata(&aside.path).is_ok(), "what was damaged was not kept");
    assert!(!aside.why.is_empty());
    ledger.note_workspace("/after").unwrap();
    assert_eq!(ledger.workspaces().unwrap(), ["/after"]);
    assert_eq!(ledger.wants_rebuild().unwrap(), Some(aside.path.display().to_string()));
    drop(ledger);
    assert_eq!(Ledger::open(path).unwrap().set_aside, None, "the fresh one is whole");
}

#[test]
fn a_new_ledger_has_small_pages_since_each_note_costs_whole_ones() {
    let (_folder, path) = place();
    drop(Ledger::open(&path).unwrap());
    // https://www.sqlite.org/fileformat.html#page_size
    let size = u16::from_be_bytes(fs::read(&path).unwrap()[16..18].try_into().unwrap());
    assert_eq!(size, 1024);
}

#[test]
fn a_new_ledger_wants_to_be_filled_until_it_was() {
    let (_folder, path) = place();
    let opened = Ledger::open(&path).unwrap();
    assert_eq!(opened.set_aside, None);
    assert_eq!(opened.ledger.wants_rebuild().unwrap(), Some(String::new()));
    opened.ledger.rebuilt().unwrap();
    assert_eq!(Ledger::open(&path).unwrap().ledger.wants_rebuild().unwrap(), None);
}

#[test]
fn a_whole_ledger_is_kept() {
    let (_folder, path) = place();
    filled(&path);
    let opened = Ledger::open(&path).unwrap();
    assert_eq!(opened.set_aside, None);
    assert_eq!(opened.ledger.workspaces().unwrap().len(), 300);
}

#[test]
fn garbage_is_set_aside() {
    let (_folder, path) = place();
    fs::write(&path, vec![0xA5; 50_000]).unwrap();
    assert_set_aside(&path);
}

#[test]
fn damaged_pages_are_found() {
    let (_folder, path) = place();
    filled(&path);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0xFF);
    fs::write(&path, bytes).unwrap();
    assert_set_aside(&path);
}

#[test]
fn a_truncated_ledger_is_set_aside() {
    let (_folder, path) = place();
    filled(&path);
    let length = fs::metadata(&path).unwrap().len();
    fs::File::options().write(true).open(&path).unwrap().set_len(length / 2 + 100).unwrap();
    assert_set_aside(&path);
}

#[test]
fn a_folder_in_its_place_is_set_aside() {
    let (_folder, path) = place();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("somebody's"), "file").unwrap();
    assert_set_aside(&path);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_set_aside() {
    let (_folder, path) = place();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    assert_set_aside(&path);
}

#[cfg(unix)]
#[test]
fn an_unreadable_ledger_is_set_aside() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place();
    filled(&path);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&path).is_ok() {
        // Nothing is unreadable for root.
        assert_eq!(Ledger::open(&path).unwrap().set_aside, None);
    } else {
        assert_set_aside(&path);
    }
}

#[test]
fn a_newer_ledger_is_refused_and_left_alone() {
    let (folder, path) = place();
    filled(&path);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    drop(other);
    let error = Ledger::open(&path).unwrap_err();
    assert!(matches!(error, LedgerError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("newer Outrigger"), "{error}");
    let names = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("corrupt")));
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let (folder, _) = place();
    let error = Ledger::open(&folder.path().join("nowhere/ledger.sqlite3")).unwrap_err();
    assert!(error.to_string().contains("nowhere/ledger.sqlite3"), "{error}");
}
