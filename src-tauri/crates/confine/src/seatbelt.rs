//! The profile for macOS: the same spec in the words of Seatbelt, which `sandbox-exec` applies.
//!
//! Text only, so that it is tested on every system. Of the rules that match the last one counts; so what is taken comes after what
//! is given. Unlike Landlock it can take back further down, and can name the files of one folder.

use std::path::Path;

use protocol::scope::{HeldRule, ScopePermission, ScopeReach};

use crate::spec::{ReadAccess, Spec};
use crate::toolchain::toolchain;

/// What applies a profile.
pub(crate) const PROGRAM: &str = "/usr/bin/sandbox-exec";

/// Devices, and what every program of macOS writes to.
const WRITABLE: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/dtracehelper"];

/// Where all users' homes, disks and temporary files are: what is secret lies there and not in the system's folders.
const PERSONAL: &[&str] = &["/Users", "/Volumes", "/private/tmp", "/private/var/folders", "/private/var/root"];

/// The profile for a spec.
#[must_use]
pub fn profile(spec: &Spec) -> String {
    let mut lines = vec!["(version 1)".to_owned(), "(allow default)".to_owned()];
    read(spec, &mut lines);
    write(spec, &mut lines);
    lines.push("(deny signal)".to_owned());
    lines.push("(allow signal (target same-sandbox))".to_owned());
    network(spec, &mut lines);
    lines.join("\n") + "\n"
}

fn read(spec: &Spec, lines: &mut Vec<String>) {
    match &spec.read {
        ReadAccess::Toolchain { paths } => {
            let personal = PERSONAL.iter().map(|path| below(Path::new(path)));
            lines.push(format!("(deny file-read-data {})", joined(personal)));
            lines.push("(deny file-map-executable (subpath \"/Users\") (subpath \"/Volumes\"))".to_owned());
            let own = spec.write_paths.iter().chain(&spec.temp).chain(paths).cloned();
            let paths: Vec<String> = toolchain().into_iter().chain(own).map(|path| below(&path)).collect();
            let rules = spec.rules.iter().map(matching);
            let all = joined(paths.into_iter().chain(rules));
            lines.push(format!("(allow file-read* file-map-executable {all})"));
        }
        ReadAccess::Everything { but } if but.is_empty() => {}
        ReadAccess::Everything { but } => {
            lines.push(format!("(deny file-read* {})", joined(but.iter().map(|path| below(path)))));
        }
    }
}

fn write(spec: &Spec, lines: &mut Vec<String>) {
    lines.push("(deny file-write*)".to_owned());
    let devices = WRITABLE.iter().map(|path| format!("(literal {})", quoted(path)));
    let own = spec.write_paths.iter().chain(&spec.temp).map(|path| below(path));
    let writes = |rule: &&HeldRule| rule.permission == ScopePermission::Write;
    let scope = spec.rules.iter().filter(writes).map(matching);
    let own: Vec<String> = own.collect();
    lines.push(format!("(allow file-write* {})", joined(devices.chain(scope))));
    if !spec.taken.is_empty() {
        lines.push(format!("(deny file-write* {})", joined(spec.taken.iter().map(matching))));
    }
    if !own.is_empty() {
        lines.push(format!("(allow file-write* {})", joined(own.into_iter())));
    }
}

fn network(spec: &Spec, lines: &mut Vec<String>) {
    lines.push("(deny network-outbound (remote unix-socket))".to_owned());
    // Names are looked up through a socket of the system.
    let system = ["/private/var/run/mDNSResponder", "/private/var/run/syslog"].map(Path::new);
    let own = spec.sockets.iter().chain(&spec.temp).map(std::path::PathBuf::as_path);
    let scope = spec.rules.iter().filter(|rule| rule.permission == ScopePermission::Write).map(|r| Path::new(&r.path));
    for path in system.into_iter().chain(own).chain(scope) {
        lines.push(format!("(allow network-outbound (remote unix-socket {}))", below(path)));
    }
    let mut ports = |ports: &Option<Vec<u16>>, what: &str, side: &str| {
        let Some(ports) = ports else { return };
        lines.push(format!("(deny {what} ({side} tcp))"));
        for port in ports {
            lines.push(format!("(allow {what} ({side} tcp \"*:{port}\"))"));
        }
    };
    ports(&spec.tcp.connect, "network-outbound", "remote");
    ports(&spec.tcp.bind, "network-bind", "local");
}

fn matching(rule: &HeldRule) -> String {
    match rule.reach {
        ScopeReach::File => format!("(literal {})", quoted(&rule.path)),
        ScopeReach::Entries => format!("(regex {})", quoted(&format!("^{}/[^/]+$", escaped(&rule.path)))),
        ScopeReach::Tree => format!("(subpath {})", quoted(&rule.path)),
    }
}

fn below(path: &Path) -> String {
    format!("(subpath {})", quoted(&path.to_string_lossy()))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<String>>().join(" ")
}

/// A string of the profile's language.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    quoted
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        if "\\^$.|?*+()[]{}".contains(letter) {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::spec::TcpPorts;

    fn rule(path: &str, reach: ScopeReach) -> HeldRule {
        HeldRule { permission: ScopePermission::Write, path: path.to_owned(), reach }
    }

    #[test]
    fn what_is_taken_comes_after_what_is_given() {
        let spec = Spec {
            rules: vec![rule("/w", ScopeReach::Tree)],
            taken: vec![rule("/w/src", ScopeReach::Tree)],
            write_paths: vec![PathBuf::from("/Users/me/.claude")],
            read: ReadAccess::Everything { but: vec![PathBuf::from("/Users/me/.ssh")] },
            ..Spec::default()
        };
        let text = profile(&spec);
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in\n{text}"));
        assert!(at("(deny file-write*)") < at("(subpath \"/w\")"));
        assert!(at("(subpath \"/w\")") < at("(deny file-write* (subpath \"/w/src\"))"));
        assert!(
            at("(deny file-write* (subpath \"/w/src\"))") < at("(allow file-write* (subpath \"/Users/me/.claude\"))")
        );
        at("(deny file-read* (subpath \"/Users/me/.ssh\"))");
        at("(allow signal (target same-sandbox))");
    }

    #[test]
    fn names_are_quoted_and_escaped() {
        let odd = rule("/w/a\"b.(c)", ScopeReach::Entries);
        assert_eq!(matching(&odd), r#"(regex "^/w/a\"b\\.\\(c\\)/[^/]+$")"#);
        assert_eq!(matching(&rule("/w/a\\b", ScopeReach::File)), r#"(literal "/w/a\\b")"#);
    }

    #[test]
    fn ports_are_named_one_by_one() {
        let tcp = TcpPorts { connect: Some(vec![443]), bind: Some(Vec::new()) };
        let text = profile(&Spec { tcp, ..Spec::default() });
        assert!(text.contains("(deny network-outbound (remote tcp))\n(allow network-outbound (remote tcp \"*:443\"))"));
        assert!(text.contains("(deny network-bind (local tcp))"));
        assert!(!profile(&Spec::default()).contains("tcp"));
    }
}
