//! Who may use which sidecar: the user's rules, read and changed.

use protocol::error::{ErrorCode, WireError};
use protocol::sidecar::{SidecarGrant, SidecarPlace};
use toolbox::broker::grants::Grants;

use super::nudge;
use crate::machine::Machine;

/// All rules, in their order. What none speaks of is granted.
///
/// # Errors
/// When the file cannot be read; then nothing is granted.
pub fn grants(machine: &Machine) -> Result<Vec<SidecarGrant>, WireError> {
    file(machine).rules().map(|rules| rules.rule).map_err(refused)
}

/// Adds a rule, in the place of an earlier one about the same. Live sessions are told.
///
/// # Errors
/// When the file cannot be read or written.
pub async fn set_grant(machine: &Machine, grant: SidecarGrant) -> Result<Vec<SidecarGrant>, WireError> {
    let kept = file(machine).set(grant).map_err(refused)?;
    told(machine).await;
    Ok(kept.rule)
}

/// Takes a rule back: the one about the same sidecar, workspace, session and tools. Live sessions are told.
///
/// # Errors
/// As [`set_grant`].
pub async fn forget_grant(machine: &Machine, grant: &SidecarGrant) -> Result<Vec<SidecarGrant>, WireError> {
    let kept = file(machine).forget(grant).map_err(refused)?;
    told(machine).await;
    Ok(kept.rule)
}

async fn told(machine: &Machine) {
    nudge(machine, &SidecarPlace::default()).await;
}

fn file(machine: &Machine) -> Grants {
    Grants::in_config(&machine.places.config)
}

fn refused(why: String) -> WireError {
    WireError::new(ErrorCode::DataFolder, why)
}
