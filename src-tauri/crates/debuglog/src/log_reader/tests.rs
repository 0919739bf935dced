use std::fs::{self, OpenOptions};

use protocol::debug_log::LogLevel;

use super::*;

fn line(second: u32, level: &str, text: &str) -> String {
    format!("2026-11-21T07:00:{second:02}.000000Z {level:<5} keeper[1] s-1 outrigger_x: {text}\n")
}

/// Two files, of five lines each: 0 to 4 in the older one, 5 to 9 in the one that is written.
fn two_files() -> (tempfile::TempDir, LogReader) {
    let folder = tempfile::tempdir().unwrap();
    let text = |from: u32| (from..from + 5).map(|n| line(n, if n % 2 == 0 { "INFO" } else { "ERROR" }, &n.to_string()));
    fs::write(folder.path().join("outrigger.2026-11-21.log"), text(0).collect::<String>()).unwrap();
    fs::write(folder.path().join(CURRENT), text(5).collect::<String>()).unwrap();
    let reader = LogReader::at(folder.path());
    (folder, reader)
}

fn asks(direction: Direction, from: Option<LogPlace>, limit: u32) -> LogRequest {
    LogRequest { filter: LogFilter::default(), from, direction, limit }
}

fn texts(page: &LogPage) -> String {
    page.lines.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn pages_go_back_over_files_to_the_beginning() {
    let (_folder, reader) = two_files();
    let (mut from, mut pages) = (None, Vec::new());
    loop {
        let page = reader.read(&asks(Direction::Backwards, from, 4)).unwrap();
        pages.push(texts(&page));
        from = page.older;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["6789", "2345", "01"]);
}

#[test]
fn what_is_written_later_is_read_once_and_whole() {
    let (folder, reader) = two_files();
    let newest = reader.read(&asks(Direction::Backwards, None, 2)).unwrap();
    assert_eq!(texts(&newest), "89");
    let nothing = reader.read(&asks(Direction::Forwards, Some(newest.newer), 10)).unwrap();
    assert_eq!(texts(&nothing), "");
    let mut file = OpenOptions::new().append(true).open(folder.path().join(CURRENT)).unwrap();
    let whole = format!("{}{}", line(10, "INFO", "a"), line(11, "INFO", "b"));
    file.write_all(&whole.as_bytes()[..whole.len() - 1]).unwrap();
    let torn = reader.read(&asks(Direction::Forwards, Some(nothing.newer), 10)).unwrap();
    assert_eq!(texts(&torn), "a");
    file.write_all(b"\n").unwrap();
    let rest = reader.read(&asks(Direction::Forwards, Some(torn.newer), 10)).unwrap();
    assert_eq!(texts(&rest), "b");
}

#[test]
fn a_place_holds_when_its_file_is_renamed_and_when_it_is_gone() {
    let (folder, reader) = two_files();
    let newest = reader.read(&asks(Direction::Backwards, None, 1)).unwrap();
    fs::rename(folder.path().join(CURRENT), folder.path().join("outrigger.2026-11-21.1.log")).unwrap();
    fs::write(folder.path().join(CURRENT), line(10, "INFO", "a")).unwrap();
    let later = reader.read(&asks(Direction::Forwards, Some(newest.newer), 10)).unwrap();
    assert_eq!(texts(&later), "a");
    let gone = LogPlace { file: "2020-01-01T00:00:00.000000Z".to_owned(), offset: 7 };
    let all = reader.read(&asks(Direction::Forwards, Some(gone), 100)).unwrap();
    assert_eq!(texts(&all), "0123456789a");
    assert_eq!(all.older, None);
}

#[test]
fn a_filter_is_looked_for_in_all_files() {
    let (_folder, reader) = two_files();
    let filter = LogFilter { level: Some(LogLevel::Error), ..LogFilter::default() };
    let page = reader.read(&LogRequest { filter, ..asks(Direction::Backwards, None, 3) }).unwrap();
    assert_eq!(texts(&page), "579");
    let filter = LogFilter { text: "nowhere".to_owned(), ..LogFilter::default() };
    let none = reader.read(&LogRequest { filter, ..asks(Direction::Backwards, None, 3) }).unwrap();
    assert_eq!((none.lines.len(), none.older), (0, None));
}

#[test]
fn a_folder_without_a_log_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    for dir in [folder.path().to_owned(), folder.path().join("none")] {
        let page = LogReader::at(&dir).read(&asks(Direction::Backwards, None, 3)).unwrap();
        assert_eq!((page.lines.len(), page.older, page.kept_bytes), (0, None, 0));
    }
}

#[test]
fn an_export_has_no_secrets_and_no_home() {
    let (folder, reader) = two_files();
    let secret = line(10, "ERROR", "key sk-abcdefghijklmnopqrstuvwxyz in /home/ada/notes");
    let mut file = OpenOptions::new().append(true).open(folder.path().join(CURRENT)).unwrap();
    file.write_all(secret.as_bytes()).unwrap();
    let filter = LogFilter { level: Some(LogLevel::Error), ..LogFilter::default() };
    let mut written = Vec::new();
    let count = reader.export(&filter, Some(Path::new("/home/ada")), &mut written).unwrap();
    let text = String::from_utf8(written).unwrap();
    assert_eq!((count, text.lines().count()), (6, 6));
    assert!(text.contains("key [redacted] in ~/notes") && !text.contains("ada"), "{text}");
}
