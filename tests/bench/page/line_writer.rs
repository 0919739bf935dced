//! The lines of a session that streams, written by this program when a runner starts it: fifty runtimes that wake up fifty times a
//! second each would take most of a small machine from what is measured, and a shell would start a process for each pause.
//!
//! Responsible for two ways to write: lines of so many a second, of which what is due is written every 20 ms, as it comes from a
//! network; and prepared parts, with a pause behind each.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The argument by which a runner asks for it; behind it stand lines a second, seconds, the block and the session.
pub(crate) const WRITE_LINES: &str = "--write-lines";
/// The argument by which a shell asks for prepared parts; behind it stand their folder and the pause in milliseconds.
pub(crate) const WRITE_PARTS: &str = "--write-parts";
/// Between two writes.
const EVERY: Duration = Duration::from_millis(20);
/// Agents write paragraphs; one begins about every so many words.
const PARAGRAPH: u64 = 40;

/// Writes lines when that was asked for.
pub(crate) fn written() -> Option<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &String| text.parse::<u64>().unwrap();
    // Whoever reads may have ended; that is no failure of the bench.
    let _ = match arguments.as_slice() {
        [asked, rate, seconds, block, session] if asked == WRITE_LINES => {
            write(number(rate), Duration::from_secs(number(seconds)), number(block), session)
        }
        [asked, folder, pause] if asked == WRITE_PARTS => {
            parts(Path::new(folder), Duration::from_millis(number(pause)))
        }
        _ => return None,
    };
    Some(ExitCode::SUCCESS)
}

/// Writes the files of a folder, by their names, and stays until nobody writes to it any more, as an agent does.
fn parts(folder: &Path, pause: Duration) -> std::io::Result<()> {
    let entries = std::fs::read_dir(folder)?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    let mut out = std::io::stdout().lock();
    for file in files {
        out.write_all(&std::fs::read(file)?)?;
        out.flush()?;
        std::thread::sleep(pause);
    }
    std::io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

fn write(rate: u64, lasts: Duration, block: u64, session: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let began = Instant::now();
    let (mut sent, mut text) = (0, String::new());
    while began.elapsed() < lasts {
        let due = began.elapsed().as_millis() as u64 * rate / 1000;
        let begins = if due / PARAGRAPH > sent / PARAGRAPH { "\\n\\n" } else { "" };
        let line = format!(
            r#"{{"type":"agent_event","sessionId":"{session}","event":{{"type":"text_delta","block":{block},"text":"word @{}@ {begins}"}}}}"#,
            now()
        );
        text.clear();
        for _ in sent..due {
            text.push_str(&line);
            text.push('\n');
        }
        sent = due;
        out.write_all(text.as_bytes())?;
        out.flush()?;
        std::thread::sleep(EVERY);
    }
    Ok(())
}

/// The clock that the page has too, in milliseconds.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}
