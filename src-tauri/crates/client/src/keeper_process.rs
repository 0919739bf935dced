//! Starts a keeper and hears its one report.

use std::process::Stdio;

use protocol::error::{ErrorCode, WireError};
use protocol::limits::KEEPER_START;
use protocol::programs;
use protocol::session::{KeeperOrder, KeeperReport, PodFile};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use crate::machine::Machine;

/// Longest report, in bytes.
const REPORT: u64 = 1024 * 1024;

/// Starts a keeper with an order. When this returns, the pod can be reached; when it fails, nothing was left behind.
///
/// # Errors
/// What the keeper reported, or that it reported nothing.
pub async fn start(machine: &Machine, order: &KeeperOrder) -> Result<PodFile, WireError> {
    let mut keeper = spawn(machine)?;
    let report = tokio::time::timeout(KEEPER_START, exchange(&mut keeper, order)).await;
    match report {
        Ok(Ok(KeeperReport::Ready { pod })) => Ok(pod),
        Ok(Ok(KeeperReport::Failed { error })) => {
            let _ = keeper.wait().await;
            Err(error)
        }
        Ok(Err(why)) => Err(give_up(keeper, &why).await),
        Err(_) => {
            let why = format!("it did not report within {} s", KEEPER_START.as_secs());
            Err(give_up(keeper, &why).await)
        }
    }
}

fn spawn(machine: &Machine) -> Result<Child, WireError> {
    let program = programs::keeper(&machine.program);
    Command::new(&program)
        .arg("keep")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // The mark of a pod that we may run in belongs to what that pod started, not to a keeper, which outlives it.
        .env(process::MARK_VARIABLE, process::OWNER_MARK)
        .env_remove(process::HOME_VARIABLE)
        .spawn()
        .map_err(|error| {
            let message = format!("failed to start {}: {error}; reinstall Outrigger", program.display());
            WireError::new(ErrorCode::Internal, message)
        })
}

async fn exchange(keeper: &mut Child, order: &KeeperOrder) -> Result<KeeperReport, String> {
    let (Some(mut stdin), Some(stdout)) = (keeper.stdin.take(), keeper.stdout.take()) else {
        return Err("it was started without pipes".to_owned());
    };
    let order = serde_json::to_vec(order).map_err(|error| error.to_string())?;
    stdin.write_all(&order).await.map_err(|error| format!("it did not take its order: {error}"))?;
    drop(stdin);
    let mut line = String::new();
    BufReader::new(stdout.take(REPORT)).read_line(&mut line).await.map_err(|error| error.to_string())?;
    if line.is_empty() {
        return Err("it ended without a report".to_owned());
    }
    serde_json::from_str(&line).map_err(|error| format!("its report could not be understood: {error}"))
}

/// Ends a keeper that is of no use. Its runner watches its parent and ends with it.
async fn give_up(mut keeper: Child, why: &str) -> WireError {
    let _ = keeper.kill().await;
    let message = format!("the keeper could not be started: {why}. The debug log tells more");
    WireError::new(ErrorCode::Internal, message)
}
