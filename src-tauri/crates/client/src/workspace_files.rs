//! Which files of a workspace does somebody mean who has typed a part of a name?
//!
//! Lists what git would list (and what is new and not ignored), keeps the list for a few seconds, and ranks it. Never asks git itself,
//! and works without a repository.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ignore::{DirEntry, WalkBuilder, WalkState};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::{COMPLETION_FILES, COMPLETION_FRESH};
use protocol::pods_view::FolderEntries;
use protocol::view::{FileMatch, FileMatches};

/// Workspaces whose lists are kept at one time.
const LISTS: usize = 4;

/// The lists that were made lately. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceFiles(Arc<Mutex<HashMap<PathBuf, Listed>>>);

#[derive(Debug, Clone)]
struct Listed {
    at: Instant,
    files: Arc<Files>,
}

/// Paths below a workspace, with `/` between their parts; folders end in one.
#[derive(Debug, Default)]
struct Files {
    paths: Vec<String>,
    cut: bool,
}

impl WorkspaceFiles {
    /// The files and folders that fit best, at most `limit`. Blocks while the workspace is being read: 100,000 files take about a second
    /// on a slow machine, and then nothing until the list is old.
    #[must_use]
    pub fn complete(&self, workspace: &Path, typed: &str, limit: usize) -> FileMatches {
        let files = self.list(workspace);
        let looked_through = files.paths.len() as u64;
        FileMatches { matches: best(&files.paths, typed, limit), looked_through, cut: files.cut }
    }

    fn list(&self, workspace: &Path) -> Arc<Files> {
        let fresh = |listed: &&Listed| listed.at.elapsed() < COMPLETION_FRESH;
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listed) = lock().get(workspace).filter(fresh) {
            return Arc::clone(&listed.files);
        }
        let files = Arc::new(read(workspace));
        let mut lists = lock();
        lists.retain(|_, listed| listed.at.elapsed() < COMPLETION_FRESH);
        if lists.len() < LISTS {
            lists.insert(workspace.to_owned(), Listed { at: Instant::now(), files: Arc::clone(&files) });
        }
        files
    }
}

/// What lies directly in a folder of the workspace, as git would list it: folders first, each with a `/` at its end. Blocks.
///
/// # Errors
/// When the folder is not in the workspace, or cannot be read.
pub fn folder(workspace: &Path, path: &str, limit: usize) -> Result<FolderEntries, WireError> {
    let failed =
        |why: String| WireError::new(ErrorCode::BadRequest, format!("the folder {path:?} cannot be listed: {why}"));
    let below = Path::new(path.trim_end_matches('/'));
    if path.starts_with('/') || !below.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(failed("it is not below the workspace".to_owned()));
    }
    let folder = workspace.join(below);
    if let Err(error) = std::fs::read_dir(&folder) {
        return Err(failed(error.to_string()));
    }
    let mut walk = WalkBuilder::new(&folder);
    walk.hidden(false).require_git(false).max_depth(Some(1)).filter_entry(|entry| entry.file_name() != ".git");
    let mut names: Vec<String> = walk.build().filter_map(|entry| named(&entry.ok()?, &folder)).collect();
    names.sort_by_key(|name| (!name.ends_with('/'), name.to_lowercase()));
    let total = names.len() as u64;
    names.truncate(limit);
    Ok(FolderEntries { names, total })
}

/// Walks the workspace. Hidden files are listed, except git's own; what .gitignore names is not.
fn read(workspace: &Path) -> Files {
    let found: Mutex<Files> = Mutex::new(Files::default());
    let mut walk = WalkBuilder::new(workspace);
    walk.hidden(false).require_git(false).filter_entry(|entry| entry.file_name() != ".git");
    walk.build_parallel().run(|| {
        Box::new(|entry| {
            let Some(path) = entry.ok().and_then(|entry| named(&entry, workspace)) else { return WalkState::Continue };
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if found.paths.len() >= COMPLETION_FILES {
                found.cut = true;
                return WalkState::Quit;
            }
            found.paths.push(path);
            WalkState::Continue
        })
    });
    let mut files = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Several threads walk, so that the order is another one each time.
    files.paths.sort_unstable();
    files
}

/// A file or folder as it is offered. One whose name is not UTF-8 cannot be typed.
fn named(entry: &DirEntry, workspace: &Path) -> Option<String> {
    let below = entry.path().strip_prefix(workspace).ok()?;
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    let mut path = parts?.join("/");
    if path.is_empty() {
        return None;
    }
    if entry.file_type().is_some_and(|kind| kind.is_dir()) {
        path.push('/');
    }
    Some(path)
}

/// The best ones, the shorter before the longer where they fit as well. Nothing typed: what lies at the top.
fn best(paths: &[String], typed: &str, limit: usize) -> Vec<FileMatch> {
    if typed.is_empty() {
        let mut top: Vec<&String> = paths.iter().filter(|path| !path.trim_end_matches('/').contains('/')).collect();
        top.sort_by_key(|path| (!path.ends_with('/'), path.starts_with('.'), *path));
        return top.into_iter().take(limit).map(|path| FileMatch { path: path.clone(), fits: Vec::new() }).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT.match_paths());
    let pattern = Pattern::new(typed, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, &String)> = paths
        .iter()
        .filter_map(|path| Some((pattern.score(Utf32Str::new(path, &mut buffer), &mut matcher)?, path)))
        .collect();
    let rank = |(score, path): &(u32, &String)| (std::cmp::Reverse(*score), path.len());
    scored.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.1.cmp(b.1)));
    scored.truncate(limit);
    let with_places = |(_, path): (u32, &String)| {
        let mut fits = Vec::new();
        pattern.indices(Utf32Str::new(path, &mut buffer), &mut matcher, &mut fits);
        fits.sort_unstable();
        fits.dedup();
        FileMatch { path: path.clone(), fits }
    };
    scored.into_iter().map(with_places).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        folder
    }

    fn found(folder: &Path, typed: &str) -> Vec<String> {
        WorkspaceFiles::default().complete(folder, typed, 8).matches.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn what_is_ignored_is_not_offered() {
        let folder =
            workspace(&["src/lamp.rs", "target/lamp.o", ".git/lamp", ".env", "deep/skip/lamp.txt", "deep/a.md"]);
        std::fs::write(folder.path().join(".gitignore"), "target\n").unwrap();
        std::fs::write(folder.path().join("deep/.gitignore"), "skip/\n").unwrap();
        assert_eq!(found(folder.path(), "lamp"), ["src/lamp.rs"]);
        assert_eq!(found(folder.path(), ""), ["deep/", "src/", ".env", ".gitignore"]);
        assert_eq!(found(folder.path(), "env"), [".env"]);
    }

    #[test]
    fn a_folder_is_listed_as_git_would_and_nothing_outside() {
        let space = workspace(&["src/lamp.rs", "src/deep/a.rs", "target/lamp.o", ".git/lamp", "Zebra.md", "apple.md"]);
        std::fs::write(space.path().join(".gitignore"), "target\n").unwrap();
        let listed = |path: &str, limit| folder(space.path(), path, limit);
        assert_eq!(listed("", 9).unwrap().names, ["src/", ".gitignore", "apple.md", "Zebra.md"]);
        assert_eq!(listed("src/", 1).unwrap(), FolderEntries { names: vec!["deep/".to_owned()], total: 2 });
        for outside in ["..", "/", "src/../..", "missing", "apple.md"] {
            assert_eq!(listed(outside, 9).unwrap_err().code, ErrorCode::BadRequest, "{outside}");
        }
    }

    #[test]
    fn letters_may_be_left_out_and_names_count_more_than_folders() {
        let folder = workspace(&["crates/keeper/src/pod_state.rs", "crates/pod/stale/x.rs", "podstate.rs", "a/$b.rs"]);
        assert_eq!(found(folder.path(), "podst")[0], "podstate.rs");
        assert!(found(folder.path(), "keepst").contains(&"crates/keeper/src/pod_state.rs".to_owned()));
        assert_eq!(found(folder.path(), "$b"), ["a/$b.rs"]);
        assert_eq!(found(folder.path(), "zzz"), Vec::<String>::new());
        let files = WorkspaceFiles::default().complete(folder.path(), "pods", 1);
        assert_eq!((files.matches[0].fits.as_slice(), files.cut), ([0, 1, 2, 3].as_slice(), false));
    }

    #[test]
    fn a_list_is_used_again_and_many_files_are_few_milliseconds() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..2000 {
            std::fs::write(folder.path().join(format!("file_{number}.rs")), "").unwrap();
        }
        let files = WorkspaceFiles::default();
        assert_eq!(files.complete(folder.path(), "file_1999", 3).matches[0].path, "file_1999.rs");
        std::fs::write(folder.path().join("later.rs"), "").unwrap();
        assert!(files.complete(folder.path(), "later", 3).matches.is_empty(), "the list is kept");
    }
}
