#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, reason = "a test that fails may panic")]
//! Everything that a confined process may try to get out of its scope, against the kernel of this machine: one test for each way.
//!
//! The confined process is this test's own program, started again. Each attack is tried inside the scope first, where it must work,
//! so that a refusal means the scope and nothing else. A kernel without Landlock is said, and `advised.rs` tests that case.

mod stage;

use outrigger_confine::{Spec, Support, TcpPorts, support};
use protocol::scope::ConfinementLevel;
use stage::{Stage, act, become_confined};

/// Runs this program's confined side; see [`stage`].
#[test]
fn confined_side() {
    become_confined();
}

/// The attacks themselves, in the confined process.
#[test]
fn attacker() {
    act();
}

/// Tries the same inside the scope and outside: the first must work, and the second must be refused with one of these errors.
fn refused(attack: &str, errors: &[i32]) {
    refused_from(attack, errors, 1);
}

/// The same for what the kernel can refuse since a version of Landlock.
fn refused_from(attack: &str, errors: &[i32], since: u32) {
    let Some(abi) = abi() else { return };
    let stage = Stage::new();
    let before = stage.outside();
    assert_eq!(stage.attack(attack, "inside"), 0, "{attack} does not work inside the scope");
    if abi < since {
        eprintln!("{attack} is refused since Landlock {since}; this kernel has {abi}");
        return;
    }
    let error = stage.attack(attack, "outside");
    assert!(errors.contains(&error), "{attack} outside the scope: {error}, and not one of {errors:?}");
    assert_eq!(stage.outside(), before, "{attack} has changed what is outside");
}

fn abi() -> Option<u32> {
    match support() {
        Support::Landlock(abi) => Some(abi),
        Support::Seatbelt => None,
        Support::None(why) => {
            eprintln!("NOT TESTED, this kernel cannot enforce: {why}");
            None
        }
    }
}

const EPERM: i32 = 1;
const EBADF: i32 = 9;
const EACCES: i32 = 13;
const EXDEV: i32 = 18;

#[test]
fn its_own_tool_writes() {
    refused("write", &[EACCES]);
}

#[test]
fn its_own_tool_makes_a_new_file() {
    refused("create", &[EACCES]);
}

#[test]
fn a_shell_writes() {
    // The shell's own exit code when it may not open a file.
    refused("shell", &[2]);
}

#[test]
fn a_symbolic_link_leads_out() {
    refused("symlink", &[EACCES]);
}

#[test]
fn a_hard_link_brings_a_file_in() {
    refused("hardlink", &[EACCES, EXDEV]);
}

#[test]
fn a_rename_brings_a_file_in() {
    refused("rename-in", &[EACCES, EXDEV]);
}

#[test]
fn a_rename_replaces_a_file_outside() {
    refused("rename-out", &[EACCES, EXDEV]);
}

#[test]
fn a_file_is_removed() {
    refused("remove", &[EACCES]);
}

#[test]
fn a_child_in_a_session_of_its_own_writes() {
    refused("child", &[2]);
}

#[test]
fn a_folder_is_made() {
    refused("mkdir", &[EACCES]);
}

#[test]
fn a_pipe_is_made() {
    refused("mkfifo", &[EACCES]);
}

#[test]
fn a_file_is_cut_by_its_path() {
    refused_from("truncate", &[EACCES], 3);
}

#[test]
fn a_socket_is_bound() {
    refused("bind", &[EACCES]);
}

#[test]
fn a_file_outside_is_read() {
    refused("read", &[EACCES]);
}

/// The root, the working folder and the open files of a process outside lead to the whole file system.
#[test]
fn proc_leads_out() {
    let Some(_) = abi() else { return };
    for way in ["proc-root", "proc-cwd", "proc-fd", "proc-mem"] {
        let stage = Stage::new();
        let before = stage.outside();
        let error = stage.attack(way, "outside");
        assert!([EACCES, EPERM].contains(&error), "{way}: {error}");
        assert_eq!(stage.outside(), before, "{way} has changed what is outside");
    }
}

#[test]
fn a_file_that_was_open_before_is_closed() {
    let Some(_) = abi() else { return };
    let stage = Stage::new();
    let before = stage.outside();
    assert_eq!(stage.attack_with_open_file("inherited"), EBADF);
    assert_eq!(stage.outside(), before);
}

#[test]
fn a_device_takes_no_commands() {
    let Some(abi) = abi() else { return };
    let stage = Stage::new();
    let Some(device) = stage.device() else {
        eprintln!("NOT TESTED: only root makes devices");
        return;
    };
    let error = stage.attack_at("ioctl", &device);
    assert!(if abi >= 5 { error == EACCES } else { error != 0 }, "{error}");
    // The terminal's own devices take theirs.
    assert_eq!(stage.attack_at("ioctl", std::path::Path::new("/dev/ptmx")), 0);
}

#[test]
fn a_device_is_made() {
    let Some(_) = abi() else { return };
    assert!([EACCES, EPERM].contains(&Stage::new().attack("mknod", "inside")));
}

#[test]
fn a_signal_goes_to_a_process_outside() {
    let Some(abi) = abi() else { return };
    let stage = Stage::new();
    assert_eq!(stage.attack("signal", "inside"), 0);
    if abi >= 6 {
        assert_eq!(stage.attack("signal", "outside"), EPERM);
    }
}

#[test]
fn an_abstract_socket_is_reached() {
    let Some(abi) = abi() else { return };
    let stage = Stage::new();
    assert_eq!(stage.attack("abstract", "inside"), 0);
    if abi >= 6 {
        assert_eq!(stage.attack("abstract", "outside"), EPERM);
    }
}

/// Landlock refuses this since its ninth version. Before, it must be told that it does not.
#[test]
fn a_socket_file_is_reached() {
    let Some(abi) = abi() else { return };
    let stage = Stage::new();
    assert_eq!(stage.attack("connect", "inside"), 0);
    let error = stage.attack("connect", "outside");
    let told = stage.report().open.iter().any(|open| open.contains("socket files"));
    assert_eq!((error == EACCES, told), (abi >= 9, abi < 9), "{error}");
}

#[test]
fn a_port_that_was_not_given_is_used() {
    let Some(abi) = abi() else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let tcp = |connect: Vec<u16>| TcpPorts { connect: Some(connect), bind: Some(Vec::new()) };
    let given = Stage::with(|spec| Spec { tcp: tcp(vec![port]), ..spec });
    assert_eq!(given.attack_with("tcp", &port.to_string()), 0);
    assert_eq!(given.attack_with("listen", "0"), if abi >= 4 { EACCES } else { 0 });
    let other = Stage::with(|spec| Spec { tcp: tcp(vec![1]), ..spec });
    assert_eq!(other.attack_with("tcp", &port.to_string()), if abi >= 4 { EACCES } else { 0 });
    assert_eq!(Stage::new().attack_with("listen", "0"), 0, "all ports are given unless some are named");
}

#[test]
fn a_folder_is_mounted_over() {
    let Some(_) = abi() else { return };
    assert_ne!(Stage::new().attack("mount", "outside"), 0);
}

#[test]
fn rights_are_not_gained_by_a_program() {
    let Some(_) = abi() else { return };
    assert_eq!(Stage::new().attack("no-new-privileges", "inside"), 0);
}

#[test]
fn within_its_scope_everything_works() {
    let Some(abi) = abi() else { return };
    let stage = Stage::new();
    assert_eq!(stage.attack("work", "inside"), 0);
    let report = stage.report();
    let level = if abi >= 5 { ConfinementLevel::Enforced } else { ConfinementLevel::Partial };
    assert_eq!((report.level, report.by), (level, Some(format!("landlock {abi}"))));
    assert_eq!(report.why.is_empty(), abi >= 5, "{:?}", report.why);
}

#[test]
fn what_a_child_holds_is_refused_to_its_parent() {
    let Some(_) = abi() else { return };
    let stage = Stage::with_child_in("inside/child");
    assert_eq!(stage.attack("write", "inside/deep"), 0);
    assert_eq!(stage.attack("write", "inside/child"), EACCES);
    assert_eq!(stage.attack("create", "inside/child"), EACCES);
    assert_eq!(stage.attack("read", "inside/child"), 0, "reading stays");
    // Refused more than the scope says, and told.
    assert_eq!(stage.attack("create", "inside"), EACCES);
    let report = stage.report();
    assert_eq!(report.level, ConfinementLevel::Partial);
    assert!(report.why.iter().any(|why| why.contains("directly in")), "{report:?}");
}
