//! Commands of the places beside the sessions: search, usage and the debug log.
//!
//! Search and usage cover every workspace of the machine. What they find there is text; opening it stays a matter of the
//! window of its workspace.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use archive::{Adapters, Archive, ArchiveError, Feeding};
use client::Machine;
use debuglog::LogReader;
use protocol::archive::{SearchAnswer, SearchRequest, UsageReport, UsageRequest};
use protocol::debug_log::{LogExport, LogFilter, LogPage, LogRequest};
use protocol::error::{ErrorCode, WireError};
use tauri::{State, WebviewWindow};
use tauri_plugin_dialog::DialogExt;

use crate::session_access::{OwnSession, in_background};

/// How long a question takes in what is new before it is answered. Somebody types, and the desktop feeds in the background.
const FEED: Duration = Duration::from_millis(300);

#[tauri::command]
pub(crate) async fn search(machine: State<'_, Machine>, request: SearchRequest) -> Result<SearchAnswer, WireError> {
    with_archive(&machine, move |archive, feeding| archive.search(&request, feeding)).await
}

#[tauri::command]
pub(crate) async fn usage(machine: State<'_, Machine>, request: UsageRequest) -> Result<UsageReport, WireError> {
    with_archive(&machine, move |archive, feeding| archive.usage(&request, feeding)).await
}

async fn with_archive<T: Send + 'static>(
    machine: &Machine,
    ask: impl FnOnce(&Archive, &Feeding<'_>) -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, WireError> {
    let machine = machine.clone();
    in_background(move || {
        let archive = Archive::at(&machine.places.archive, &machine.places.sessions);
        let adapters = Adapters::new(client::catalog::adapters(&machine));
        let feeding = Feeding { adapters: &adapters, until: Some(Instant::now() + FEED), stop: None };
        ask(&archive, &feeding).map_err(|error| WireError::new(ErrorCode::DataFolder, error.to_string()))
    })
    .await
}

/// Where in its transcript an item stands that a search found: its id begins with the record that opened it.
#[tauri::command]
pub(crate) async fn place_of_item(window: WebviewWindow, session: String, item: String) -> Result<usize, WireError> {
    let unknown = || WireError::new(ErrorCode::BadRequest, format!("{item:?} is no item of a transcript"));
    let (seq, place) = item.split_once('.').ok_or_else(unknown)?;
    let (seq, place): (u64, usize) = (seq.parse().map_err(|_| unknown())?, place.parse().map_err(|_| unknown())?);
    OwnSession::of(&window, &session)?
        .read(move |transcript| Ok((transcript.place_of(seq) + place).min(transcript.total().saturating_sub(1))))
        .await
}

#[tauri::command]
pub(crate) async fn read_log(machine: State<'_, Machine>, request: LogRequest) -> Result<LogPage, WireError> {
    let logs = machine.places.logs.clone();
    in_background(move || {
        LogReader::at(&logs).read(&request).map_err(|error| failed("read the debug log", &logs, &error))
    })
    .await
}

/// Asks where to, and writes the lines that the filter lets through; nothing when nobody says where.
#[tauri::command]
pub(crate) async fn export_log(
    window: WebviewWindow,
    machine: State<'_, Machine>,
    filter: LogFilter,
    name: String,
) -> Result<Option<LogExport>, WireError> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    let ask = window.dialog().file().set_parent(&window).set_title("Export the debug log").set_file_name(name);
    ask.save_file(|file| drop(chosen.send(file)));
    let file = choice.await.ok().flatten().and_then(|file| file.into_path().ok());
    let (Some(path), logs) = (file, machine.places.logs.clone()) else { return Ok(None) };
    in_background(move || {
        let lines = write(&logs, &path, &filter).map_err(|error| failed("write", &path, &error))?;
        Ok(Some(LogExport { path: path.display().to_string(), lines }))
    })
    .await
}

fn write(logs: &Path, path: &PathBuf, filter: &LogFilter) -> std::io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(
        file,
        "# Debug log of Outrigger {}. Secrets and the home folder are taken out.",
        env!("CARGO_PKG_VERSION")
    )?;
    let lines = LogReader::at(logs).export(filter, dirs::home_dir().as_deref(), &mut file)?;
    file.flush()?;
    Ok(lines)
}

fn failed(attempt: &str, path: &Path, error: &std::io::Error) -> WireError {
    WireError::new(ErrorCode::DataFolder, format!("failed to {attempt} {}: {error}", path.display()))
}
