//! Is there an owner of the tool sidecars, and how does it come and go?

use std::time::Duration;

use process::{Liveness, ProcessRef};
use protocol::error::{ErrorCode, WireError};
use protocol::limits::EXCHANGE;
use serde_json::{Map, Value};
use toolbox::owner::{OwnerClient, OwnerFile, connect, spawn};

use crate::machine::Machine;

/// How we name ourselves.
const CLIENT: &str = "client";
/// Everything that an owner owns ends with it: the whole stop ladder, for all at once.
const ENDING: Duration = Duration::from_secs(30);

/// How [`end_owner`] went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerEnd {
    /// There was none.
    NotThere,
    /// It has ended with all that it owned.
    Ended,
    /// It did not answer and was killed; what it owned was ended too.
    Killed,
}

/// The owner, if there is one.
pub(super) async fn there(machine: &Machine) -> Result<Option<OwnerClient>, WireError> {
    let run = &machine.places.run;
    let Some(file) = OwnerFile::read(run) else { return Ok(None) };
    match OwnerClient::open(run, CLIENT).await {
        Ok(owner) => Ok(Some(owner)),
        // One that was killed, or has just ended.
        Err(_) if !lives(&file) || OwnerFile::read(run).is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The owner, started if there is none.
pub(super) async fn connected(machine: &Machine) -> Result<OwnerClient, WireError> {
    connect(&machine.places.run, CLIENT, || spawn(&machine.program)).await
}

/// Ends the owner and everything that it owns, and waits for that.
///
/// # Errors
/// When it cannot be ended.
pub async fn end_owner(machine: &Machine) -> Result<OwnerEnd, WireError> {
    let Some(file) = OwnerFile::read(&machine.places.run) else { return Ok(OwnerEnd::NotThere) };
    let process = ProcessRef { pid: file.pid, started: file.started };
    if !lives(&file) {
        settle(machine).await;
        return Ok(OwnerEnd::NotThere);
    }
    let asked = match OwnerClient::open(&machine.places.run, CLIENT).await {
        Ok(owner) => owner.ask::<_, Value>("toolbox/end", &Map::new(), EXCHANGE).await.is_ok(),
        Err(_) => false,
    };
    let patience = if asked { ENDING } else { Duration::ZERO };
    if process::wait_gone(&[process], patience).await.is_empty() {
        return Ok(OwnerEnd::Ended);
    }
    process::kill_processes(&[process]);
    if !process::wait_gone(&[process], EXCHANGE).await.is_empty() {
        let message = format!("the owner of the tool sidecars (process {}) could not be ended", file.pid);
        return Err(WireError::new(ErrorCode::Internal, message));
    }
    settle(machine).await;
    Ok(OwnerEnd::Killed)
}

/// Ends what a killed owner has left, and says how many processes that were. Does nothing while one lives.
pub async fn settle(machine: &Machine) -> usize {
    toolbox::owner::settle(&machine.places.run).await
}

/// The owner's process id, while there is one.
pub(super) fn process(machine: &Machine) -> Option<u32> {
    OwnerFile::read(&machine.places.run).filter(lives).map(|file| file.pid)
}

fn lives(file: &OwnerFile) -> bool {
    match (ProcessRef { pid: file.pid, started: file.started }).liveness() {
        Liveness::Alive | Liveness::Unknown(_) => true,
        Liveness::Zombie | Liveness::Dead => false,
    }
}
