//! Becomes the command, held to the spec: makes what the scope names, applies the rules, tells how far they reach, and execs.
//!
//! It is called by a process that has one thread and nothing else to do. Inherited files are closed, because the kernel asks no
//! rule about a file that is open already.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use protocol::scope::{Confinement, ConfinementLevel, HeldRule, ScopePermission, ScopeReach};

use crate::error::ConfineError;
use crate::grants::{Grants, grants};
use crate::spec::Spec;
use crate::support::{Support, support};

/// Variables that tell programs where temporary files go.
const TEMP_VARIABLES: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];

/// How far a process with this spec would be held on this machine. It applies nothing; what does not exist yet counts as made.
///
/// # Errors
/// When the scope cannot be turned into rules.
pub fn foresee(spec: &Spec) -> Result<Confinement, ConfineError> {
    let support = support();
    let there = |rule: &&HeldRule| Path::new(&rule.path).exists();
    let spec = Spec { rules: spec.rules.iter().filter(there).cloned().collect(), ..spec.clone() };
    let left_out = left_out(&support, &spec)?.map(|grants| grants.left_out);
    Ok(support.confinement(left_out.unwrap_or_default()))
}

/// Becomes the command. It returns only when that failed; by then this process may be held to the spec.
pub fn launch(spec: &Spec, command: &[OsString], tell: impl FnOnce(&Confinement)) -> ConfineError {
    match prepare(spec, command, tell) {
        Ok(mut ready) => run(&mut ready),
        Err(error) => error,
    }
}

fn prepare(spec: &Spec, command: &[OsString], tell: impl FnOnce(&Confinement)) -> Result<Command, ConfineError> {
    let [program, arguments @ ..] = command else { return Err(ConfineError::NoCommand) };
    let support = support();
    if let Support::None(why) = &support
        && !spec.advise
    {
        return Err(ConfineError::CannotEnforce { why: why.clone() });
    }
    make_temp(spec)?;
    make_missing(&spec.rules)?;
    let grants = left_out(&support, spec)?;
    let confinement = support.confinement(grants.as_ref().map(|grants| grants.left_out.clone()).unwrap_or_default());
    // It is written before, because afterwards it might not be; a refusal is told by the exit.
    report(spec, &confinement)?;
    close_inherited()?;
    let mut ready = held(&support, spec, grants.as_ref(), program, arguments)?;
    if confinement.level != ConfinementLevel::Enforced {
        tell(&confinement);
    }
    if let Some(temp) = &spec.temp {
        TEMP_VARIABLES.iter().for_each(|name| {
            ready.env(name, temp);
        });
    }
    Ok(ready)
}

/// The rules for Landlock; the other ways need none.
fn left_out(support: &Support, spec: &Spec) -> Result<Option<Grants>, ConfineError> {
    match support {
        Support::Landlock(_) => grants(spec).map(Some),
        Support::Seatbelt | Support::None(_) => Ok(None),
    }
}

/// The command that is to be become, with the rules applied or wrapped around it.
fn held(
    support: &Support,
    spec: &Spec,
    grants: Option<&Grants>,
    program: &OsString,
    arguments: &[OsString],
) -> Result<Command, ConfineError> {
    let mut plain = Command::new(program);
    plain.args(arguments);
    match support {
        Support::Landlock(_) => restrict(spec, grants)?,
        Support::Seatbelt => {
            let mut wrapped = Command::new(crate::seatbelt::PROGRAM);
            wrapped.arg("-p").arg(crate::seatbelt::profile(spec)).arg(program).args(arguments);
            return Ok(wrapped);
        }
        Support::None(_) => {}
    }
    Ok(plain)
}

#[cfg(target_os = "linux")]
fn restrict(spec: &Spec, grants: Option<&Grants>) -> Result<(), ConfineError> {
    crate::landlocked::restrict(spec, grants.map(|grants| grants.list.as_slice()).unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn restrict(_spec: &Spec, _grants: Option<&Grants>) -> Result<(), ConfineError> {
    Ok(())
}

/// A folder for temporary files that is this user's alone.
fn make_temp(spec: &Spec) -> Result<(), ConfineError> {
    let Some(temp) = &spec.temp else { return Ok(()) };
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        folder.mode(0o700);
    }
    folder.create(temp).map_err(ConfineError::path("make", temp))
}

/// What is to be written has to exist for the kernel to know it. Links on the way are refused.
fn make_missing(rules: &[HeldRule]) -> Result<(), ConfineError> {
    for rule in rules.iter().filter(|rule| rule.permission == ScopePermission::Write) {
        let path = Path::new(&rule.path);
        if fs::symlink_metadata(path).is_ok() {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(ConfineError::path("make", folder))?;
            check_no_link(folder)?;
        }
        match rule.reach {
            ScopeReach::File => drop(File::create_new(path).map_err(ConfineError::path("make", path))?),
            ScopeReach::Entries | ScopeReach::Tree => fs::create_dir(path).map_err(ConfineError::path("make", path))?,
        }
    }
    Ok(())
}

fn check_no_link(folder: &Path) -> Result<(), ConfineError> {
    let real = fs::canonicalize(folder).map_err(ConfineError::path("look at", folder))?;
    if real == folder {
        return Ok(());
    }
    let source = io::Error::other(format!("a link there leads to {}", real.display()));
    Err(ConfineError::path("make something in", folder)(source))
}

fn report(spec: &Spec, confinement: &Confinement) -> Result<(), ConfineError> {
    let Some(path) = &spec.report else { return Ok(()) };
    let text = serde_json::to_vec(confinement).map_err(io::Error::other);
    let write = |text: Vec<u8>| {
        let partial = path.with_extension("partial");
        File::create(&partial)?.write_all(&text)?;
        fs::rename(&partial, path)
    };
    text.and_then(write).map_err(ConfineError::path("write", path))
}

/// Marks all files but stdin, stdout and stderr to be closed when this process becomes the command.
#[cfg(unix)]
fn close_inherited() -> Result<(), ConfineError> {
    use std::os::fd::BorrowedFd;

    use rustix::io::{FdFlags, fcntl_setfd};

    let folder = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let listed = fs::read_dir(folder).map_err(ConfineError::path("list", folder))?;
    let numbers: Vec<i32> = listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        #[allow(
            unsafe_code,
            reason = "this process has one thread, and nothing closes the file between the list and here"
        )]
        // SAFETY: the number was listed as open, except for the list's own, which is refused as closed.
        let file = unsafe { BorrowedFd::borrow_raw(number) };
        match fcntl_setfd(file, FdFlags::CLOEXEC) {
            Ok(()) | Err(rustix::io::Errno::BADF) => {}
            Err(error) => return Err(ConfineError::path("close", format!("{folder}/{number}"))(error.into())),
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn close_inherited() -> Result<(), ConfineError> {
    Ok(())
}

#[cfg(unix)]
fn run(ready: &mut Command) -> ConfineError {
    use std::os::unix::process::CommandExt;
    let source = ready.exec();
    ConfineError::Exec { command: ready.get_program().to_string_lossy().into_owned(), source }
}

/// Without exec the command is a child, and its exit is ours.
#[cfg(not(unix))]
fn run(ready: &mut Command) -> ConfineError {
    match ready.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(source) => ConfineError::Exec { command: ready.get_program().to_string_lossy().into_owned(), source },
    }
}
