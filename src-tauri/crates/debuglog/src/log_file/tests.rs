use std::collections::BTreeMap;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

const LIMITS: Limits = Limits { file_bytes: 1000, files: 7, line_bytes: 200 };

fn at_noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn stamped(log: &LogFile, text: &str) {
    log.append(&format!("{:.6} {text}\n", log.now()));
}

fn names(dir: &Path) -> Vec<String> {
    let all = fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = all.filter(|name| name != LOCK).collect();
    names.sort();
    names
}

fn all_lines(dir: &Path) -> Vec<String> {
    names(dir)
        .iter()
        .flat_map(|n| fs::read_to_string(dir.join(n)).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_full_file_is_rotated_and_no_file_is_over_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    for n in 0..40 {
        stamped(&log, &format!("line {n:04} {}", "x".repeat(50)));
    }
    assert_eq!(
        names(folder.path()),
        ["outrigger.2026-11-21.1.log", "outrigger.2026-11-21.2.log", "outrigger.2026-11-21.log", CURRENT]
    );
    for name in names(folder.path()) {
        assert!(fs::metadata(folder.path().join(name)).unwrap().len() <= LIMITS.file_bytes);
    }
    assert_eq!(all_lines(folder.path()).len(), 40);
    assert!(fs::read_to_string(log.path()).unwrap().contains("line 0039"));
}

#[test]
fn only_seven_files_are_kept_and_the_newest_of_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("outrigger.2026-11-20.12.log"), "old\n").unwrap();
    fs::write(folder.path().join("notes.log"), "of the user\n").unwrap();
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    for n in 0..300 {
        stamped(&log, &format!("line {n:04} {}", "x".repeat(50)));
    }
    let names = names(folder.path());
    assert_eq!(names.iter().filter(|n| n.starts_with("outrigger.")).count(), 7, "{names:?}");
    assert!(!names.iter().any(|n| n.contains("11-20")) && names.iter().any(|n| n == "notes.log"));
    let kept: Vec<String> = all_lines(folder.path()).into_iter().filter(|l| l.contains("line ")).collect();
    assert!(kept.iter().any(|l| l.contains("line 0299")) && !kept.iter().any(|l| l.contains("line 0100")));
}

#[test]
fn a_new_day_begins_a_new_file_named_after_the_day_that_ended() {
    static SECONDS: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        Timestamp::from_second(SECONDS.load(Ordering::SeqCst)).unwrap()
    }
    SECONDS.store(at_noon().as_second(), Ordering::SeqCst);
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path(), LIMITS, clock).unwrap();
    stamped(&log, "saturday");
    SECONDS.fetch_add(12 * 3600, Ordering::SeqCst);
    stamped(&log, "sunday");
    assert_eq!(names(folder.path()), ["outrigger.2026-11-21.log", CURRENT]);
    assert!(fs::read_to_string(folder.path().join("outrigger.2026-11-21.log")).unwrap().ends_with("saturday\n"));
    drop(log);
    SECONDS.fetch_add(24 * 3600, Ordering::SeqCst);
    let log = LogFile::open(folder.path(), LIMITS, clock).unwrap();
    stamped(&log, "monday, another process");
    assert_eq!(names(folder.path()), ["outrigger.2026-11-21.log", "outrigger.2026-11-22.log", CURRENT]);
}

#[test]
fn files_of_days_that_are_yet_to_come_make_room_first() {
    let folder = tempfile::tempdir().unwrap();
    for day in 10..20 {
        fs::write(folder.path().join(format!("outrigger.2027-01-{day}.log")), "before the clock was set back\n")
            .unwrap();
    }
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    for n in 0..300 {
        stamped(&log, &format!("line {n:04} {}", "x".repeat(50)));
    }
    let names = names(folder.path());
    assert!(names.iter().all(|name| !name.contains("2027")), "{names:?}");
    assert_eq!(names.len(), 7);
}

#[test]
fn a_rotation_that_another_process_has_done_is_not_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    stamped(&log, "the first line of the new file");
    log.rotate("2026-11-21", 50).unwrap();
    assert_eq!(names(folder.path()), [CURRENT]);
}

#[test]
fn a_rotation_that_another_process_is_at_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    let other = File::create(folder.path().join(LOCK)).unwrap();
    other.lock().unwrap();
    for n in 0..20 {
        stamped(&log, &format!("line {n:04} {}", "x".repeat(50)));
    }
    assert_eq!((names(folder.path()).len(), all_lines(folder.path()).len()), (1, 20));
    drop(other);
    stamped(&log, "and now it is rotated");
    assert_eq!((names(folder.path()).len(), all_lines(folder.path()).len()), (2, 21));
}

#[test]
fn a_removed_file_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    stamped(&log, "before");
    fs::remove_file(log.path()).unwrap();
    stamped(&log, "after");
    assert!(fs::read_to_string(log.path()).unwrap().ends_with("after\n"));
}

const WRITERS: usize = 4;
const LINES_EACH: usize = 400;
const SHARED: Limits = Limits { file_bytes: 40_000, files: 50, line_bytes: 200 };
const DIR_VARIABLE: &str = "DEBUGLOG_TEST_DIR";

/// What each of the processes of the next test runs; alone it does nothing.
#[test]
fn writes_from_one_of_several_processes() {
    let Ok(dir) = std::env::var(DIR_VARIABLE) else { return };
    let log = LogFile::open(Path::new(&dir), SHARED, at_noon).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..LINES_EACH {
                    stamped(log, &format!("{}-{thread} {n} {}end", std::process::id(), "x".repeat(n % 120)));
                }
            });
        }
    });
}

#[test]
fn processes_and_threads_that_write_and_rotate_at_once_lose_and_mix_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let test = "log_file::tests::writes_from_one_of_several_processes";
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([test, "--exact", "--quiet"]).env(DIR_VARIABLE, folder.path()).stdout(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    let writers: Vec<_> = (0..WRITERS).map(|_| start()).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for line in all_lines(folder.path()) {
        let parts: Vec<&str> = line.split(' ').collect();
        assert_eq!(parts.len(), 4, "{line}");
        let n: usize = parts[2].parse().unwrap();
        assert_eq!(parts[3], format!("{}end", "x".repeat(n % 120)));
        seen.entry(parts[1].to_owned()).or_default().push(n);
    }
    assert_eq!(seen.len(), WRITERS * 2);
    for lines in seen.values_mut() {
        lines.sort_unstable();
        assert_eq!(*lines, (0..LINES_EACH).collect::<Vec<_>>());
    }
    for rotated in names(folder.path()).iter().filter(|name| *name != CURRENT) {
        let size = fs::metadata(folder.path().join(rotated)).unwrap().len();
        assert!(size > SHARED.file_bytes - 200, "{rotated} was rotated twice: {size} bytes");
    }
    let files = names(folder.path()).len();
    assert!(files > 5 && files < SHARED.files, "{files} files");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_costs_lines_and_the_log_says_how_many() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    let path = log.path();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    stamped(&log, "lost one");
    stamped(&log, "lost two");
    fs::remove_file(&path).unwrap();
    stamped(&log, "written again");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("2 lines could not be written") && lines[1].ends_with("written again"));
}

#[test]
fn a_line_that_was_torn_by_a_full_disk_does_not_swallow_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path(), LIMITS, at_noon).unwrap();
    {
        let mut state = log.state.lock().unwrap();
        state.open.as_mut().unwrap().file.write_all(b"2026-11-21 half a li").unwrap();
        state.torn = true;
        state.lost = 1;
    }
    stamped(&log, "next");
    let lines = all_lines(folder.path());
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].ends_with("half a li") && lines[1].contains("1 lines could not") && lines[2].ends_with("next"));
}

#[test]
fn a_folder_that_cannot_be_written_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    let error = LogFile::open(&file.join("logs"), LIMITS, at_noon).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("a-file/logs") && text.contains("OUTRIGGER_HOME"), "{text}");
}

#[test]
#[cfg(unix)]
fn the_log_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(&folder.path().join("logs"), LIMITS, at_noon).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path().join("logs")), mode(&log.path())), (0o700, 0o600));
}
