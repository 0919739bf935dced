//! Applies the rules to this very process with Landlock. There is no way back, for it and for all that it starts.
//!
//! All rights, ports and scopes that the crate `landlock` knows are asked for; an older kernel takes what it has, and `support`
//! tells what is missing. Landlock binds to files, not to names: paths are opened without following links, so that nobody can
//! put a link in the way between a claim and its enforcement.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, NetPort, PathBeneath, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetStatus, Scope, make_bitflags,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};

use crate::error::ConfineError;
use crate::grants::{Allow, Grant};
use crate::spec::{Spec, TcpPorts};

/// The newest interface that we know and have read about.
const KNOWN: ABI = ABI::V9;

/// Holds this process to the grants.
pub(crate) fn restrict(spec: &Spec, grants: &[Grant]) -> Result<(), ConfineError> {
    let refused = |error: landlock::RulesetError| ConfineError::Refused { why: error.to_string() };
    let mut rules = handled(&spec.tcp).and_then(Ruleset::create).map_err(refused)?;
    for grant in grants {
        rules = with(rules, grant)?;
    }
    for (port, access) in ports(&spec.tcp) {
        rules = rules.add_rule(NetPort::new(port, access)).map_err(refused)?;
    }
    let status = rules.restrict_self().map_err(refused)?;
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(ConfineError::Refused { why: "it enforces none of them".to_owned() }),
    }
}

fn handled(tcp: &TcpPorts) -> Result<Ruleset, landlock::RulesetError> {
    let mut rules = Ruleset::default().handle_access(AccessFs::from_all(KNOWN))?.scope(Scope::from_all(KNOWN))?;
    if tcp.connect.is_some() {
        rules = rules.handle_access(AccessNet::ConnectTcp)?;
    }
    if tcp.bind.is_some() {
        rules = rules.handle_access(AccessNet::BindTcp)?;
    }
    Ok(rules)
}

fn ports(tcp: &TcpPorts) -> impl Iterator<Item = (u16, AccessNet)> {
    let connect = tcp.connect.iter().flatten().map(|port| (*port, AccessNet::ConnectTcp));
    let bind = tcp.bind.iter().flatten().map(|port| (*port, AccessNet::BindTcp));
    connect.chain(bind)
}

/// Adds one rule. What is gone meanwhile, or has become a link, gets none.
fn with(rules: RulesetCreated, grant: &Grant) -> Result<RulesetCreated, ConfineError> {
    let Some((file, is_folder)) = open(&grant.path, grant.allow)? else { return Ok(rules) };
    let mut access = access(grant.allow);
    if !is_folder {
        access &= AccessFs::from_file(KNOWN);
    }
    if access.is_empty() {
        return Ok(rules);
    }
    let rule = PathBeneath::new(file, access);
    rules.add_rule(rule).map_err(|error| ConfineError::Refused { why: format!("{}: {error}", grant.path.display()) })
}

/// The file or folder itself, and whether it is a folder.
fn open(path: &Path, allow: Allow) -> Result<Option<(OwnedFd, bool)>, ConfineError> {
    let links = match allow {
        // The system's own folders may be links, such as /bin; nobody but the system's owner changes those.
        Allow::Read | Allow::List | Allow::Device | Allow::Connect => ResolveFlags::empty(),
        Allow::WriteFile | Allow::WriteEntries | Allow::WriteTree => ResolveFlags::NO_SYMLINKS,
    };
    let file = match openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), links) {
        Ok(file) => file,
        Err(error) => return not_there(path, error.into()),
    };
    let kind = fstat(&file).map_err(|error| ConfineError::path("look at", path)(error.into()))?;
    let is_folder = FileType::from_raw_mode(kind.st_mode) == FileType::Directory;
    Ok(Some((file, is_folder)))
}

fn not_there(path: &Path, error: io::Error) -> Result<Option<(OwnedFd, bool)>, ConfineError> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory => Ok(None),
        _ => Err(ConfineError::path("open", path)(error)),
    }
}

fn access(allow: Allow) -> BitFlags<AccessFs> {
    let read = AccessFs::from_read(KNOWN);
    match allow {
        Allow::Read => read,
        Allow::List => AccessFs::ReadDir.into(),
        Allow::WriteFile => make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | Execute | ResolveUnix}),
        Allow::WriteEntries => {
            read | make_bitflags!(AccessFs::{
                WriteFile | Truncate | RemoveFile | MakeReg | MakeSym | MakeSock | MakeFifo | Refer | ResolveUnix
            })
        }
        // Nobody but root makes device files, and those would be a way to any disk.
        Allow::WriteTree => AccessFs::from_all(KNOWN) & !make_bitflags!(AccessFs::{MakeChar | MakeBlock | IoctlDev}),
        Allow::Device => make_bitflags!(AccessFs::{ReadFile | WriteFile | ReadDir | IoctlDev}),
        Allow::Connect => AccessFs::ResolveUnix.into(),
    }
}
