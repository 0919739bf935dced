//! Gives back the memory in which a process holds its program's files, for those that wait for hours: a keeper between turns, and
//! the bridge beside an agent.
//!
//! A start touches most of a program, and the system puts more pages beside each one that is touched. They are the file's own and
//! stay in the system's cache; of what is given back here, what is needed again is there again without the disk. Only Linux is
//! asked this way; elsewhere nothing happens.

/// Gives them back. Takes less than a millisecond; what is executed next is put back bit by bit.
#[cfg(target_os = "linux")]
pub fn give_back() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/smaps") else { return };
    for Mapping { begin, end } in untouched(&maps) {
        // SAFETY: the mapping is of a file, private, not writable, and holds no page of our own: dropping its pages loses nothing,
        // and the next access reads the same bytes from the same file. Nobody unmaps a part of a running program.
        #[allow(unsafe_code, reason = "there is no safe way to say this, because of mappings that are not like these")]
        let given = unsafe {
            rustix::mm::madvise(
                std::ptr::with_exposed_provenance_mut(begin),
                end - begin,
                rustix::mm::Advice::LinuxDontNeed,
            )
        };
        if let Err(error) = given {
            tracing::debug!(%error, "pages of the program were not given back");
        }
    }
}

/// Does nothing here.
#[cfg(not(target_os = "linux"))]
pub fn give_back() {}

/// Where a mapping begins and ends.
#[cfg(target_os = "linux")]
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    begin: usize,
    end: usize,
}

/// The private mappings of files that cannot be written and of which no page was changed: what the loader has adapted to where the
/// program lies, and what a debugger has written into, is left alone.
#[cfg(target_os = "linux")]
fn untouched(maps: &str) -> Vec<Mapping> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in maps.lines() {
        if let Some(own) = line.strip_prefix("Anonymous:") {
            found.extend(candidate.take().filter(|_| own.trim() == "0 kB"));
        } else if let Some(head) = Head::read(line) {
            candidate = head.is_unwritable_file().then_some(head.mapping);
        }
    }
    found
}

/// The line that begins a mapping's account: `begin-end permissions offset device inode path`.
#[cfg(target_os = "linux")]
struct Head<'a> {
    mapping: Mapping,
    permissions: &'a str,
    inode: &'a str,
}

#[cfg(target_os = "linux")]
impl<'a> Head<'a> {
    /// Nothing for the other lines, which have a word with a colon first.
    fn read(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (begin, end) = words.next()?.split_once('-')?;
        let number = |digits| usize::from_str_radix(digits, 16).ok();
        let mapping = Mapping { begin: number(begin)?, end: number(end)? };
        Some(Self { mapping, permissions: words.next()?, inode: words.nth(2)? })
    }

    fn is_unwritable_file(&self) -> bool {
        matches!(self.permissions, "r-xp" | "r--p") && self.inode != "0"
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Kibibytes of our program's code that this process holds.
    fn held() -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let program = std::env::current_exe().unwrap();
        let mut of_program = false;
        let mut held = 0;
        for line in maps.lines() {
            if Head::read(line).is_some() {
                of_program = line.contains(" r-xp ") && line.ends_with(program.to_str().unwrap());
            } else if let Some(size) = line.strip_prefix("Rss:").filter(|_| of_program) {
                held += size.trim().trim_end_matches(" kB").parse::<u64>().unwrap();
            }
        }
        held
    }

    #[test]
    fn what_was_used_is_given_back_and_comes_again_when_it_is_needed() {
        let work = || (0..1000).map(|n| format!("{n:?} {:?}", std::time::Duration::from_millis(n))).collect::<Vec<_>>();
        let done = work();
        let before = held();
        give_back();
        let after = held();
        // Looking at it has put some back.
        assert!(after < before, "of {before} KiB {after} are held");
        assert_eq!(work(), done);
    }

    #[test]
    fn what_is_ours_is_kept() {
        let maps = "\
5600-5700 r--p 00000000 fe:00 77 /bin/x y
Size: 4 kB
Anonymous:             0 kB
5700-5800 r-xp 00001000 fe:00 77 /bin/x y
Anonymous:             4 kB
5800-5900 r--p 00002000 fe:00 77 /bin/x y
Anonymous:           180 kB
5900-5a00 rw-p 00003000 fe:00 77 /bin/x y
Anonymous:             0 kB
5a00-5b00 rw-s 00003000 fe:00 78 /data/shm
Anonymous:             0 kB
5b00-5c00 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
5c00-5d00 r-xp 00000000 fe:00 79 /lib/c.so (deleted)
Anonymous:             0 kB
";
        let kept = |begin, end| Mapping { begin, end };
        assert_eq!(untouched(maps), [kept(0x5600, 0x5700), kept(0x5c00, 0x5d00)]);
    }
}
