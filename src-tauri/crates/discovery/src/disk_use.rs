//! How much is in a folder? Counted within a time, because a folder may hold anything.

use std::fs;
use std::path::Path;
use std::time::Instant;

/// Files between two looks at the clock.
const BETWEEN_LOOKS: u32 = 256;

/// Bytes of the files below a folder, links not followed; nothing if it takes longer than until then. What cannot be read counts
/// as nothing.
pub(crate) fn used_bytes(folder: &Path, until: Instant) -> Option<u64> {
    let (mut folders, mut bytes, mut looked_at) = (vec![folder.to_owned()], 0_u64, 0_u32);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            looked_at += 1;
            if looked_at.is_multiple_of(BETWEEN_LOOKS) && Instant::now() >= until {
                return None;
            }
            let Ok(found) = entry.metadata() else { continue };
            if found.is_dir() {
                folders.push(entry.path());
            } else {
                bytes = bytes.saturating_add(found.len());
            }
        }
    }
    Some(bytes)
}

/// How the names of sockets begin by which no session is reached: those of tool sidecars and of their owner.
const OTHERS: [&str; 2] = ["toolbox", "sidecar-"];

/// Sockets of sessions in a folder.
pub(crate) fn sockets(folder: &Path) -> u64 {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    let of_session = |name: &str| !OTHERS.iter().any(|other| name.starts_with(other));
    names
        .filter(|entry| of_session(&entry.file_name().to_string_lossy()))
        .filter(|entry| entry.file_type().is_ok_and(|kind| is_socket(&kind)))
        .count() as u64
}

#[cfg(unix)]
fn is_socket(kind: &fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_socket()
}

#[cfg(not(unix))]
fn is_socket(_: &fs::FileType) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn files_count_at_any_depth_and_links_do_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/file"), [0; 700]).unwrap();
        fs::write(folder.path().join("file"), [0; 50]).unwrap();
        let soon = Instant::now() + Duration::from_secs(60);
        assert_eq!(used_bytes(folder.path(), soon), Some(750));
        assert_eq!(used_bytes(&folder.path().join("none"), soon), Some(0));
    }

    #[test]
    fn counting_ends_in_time() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..BETWEEN_LOOKS {
            fs::write(folder.path().join(n.to_string()), "x").unwrap();
        }
        assert_eq!(used_bytes(folder.path(), Instant::now()), None);
    }

    #[cfg(unix)]
    #[test]
    fn only_sockets_are_counted_as_such() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        let _owner = std::os::unix::net::UnixListener::bind(folder.path().join("toolbox.sock")).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
        assert_eq!(sockets(folder.path()), 1);
    }
}
