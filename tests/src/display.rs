//! A display without a screen and a session bus, for programs that open a window.
//!
//! Responsible for the two and for everything that the bus starts: it has its sockets in a folder of its own. Which program is
//! shown there, and what is done in it, is the test's business.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::Home;

/// See the module. Dropping it ends both.
#[derive(Debug)]
pub struct Display {
    runtime: TempDir,
    name: String,
    bus_address: String,
    // The bus first, since it ends in this order: nobody loses what it stands on.
    children: [Child; 2],
}

impl Display {
    /// Starts both.
    ///
    /// # Panics
    /// When a program is missing or ends at once; the message names its Debian package.
    #[must_use]
    pub fn start() -> Self {
        let runtime = tempfile::Builder::new()
            .prefix("or-desk-")
            .tempdir()
            .unwrap_or_else(|error| panic!("cannot make a folder for a display: {error}"));
        let (server, name) = start_server();
        let (bus, bus_address) = start_bus(runtime.path(), &name);
        Self { runtime, name, bus_address, children: [bus, server] }
    }

    /// What `DISPLAY` has to be.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the bus listens.
    #[must_use]
    pub fn bus_address(&self) -> &str {
        &self.bus_address
    }

    /// Gives `command` the home's environment and this display and bus.
    pub fn furnish(&self, command: &mut Command, home: &Home) {
        home.furnish(command);
        command
            .env("DISPLAY", &self.name)
            .env("GDK_BACKEND", "x11")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env("NO_AT_BRIDGE", "1");
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for child in &mut self.children {
            // An error means that it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The server chooses a free number for the display and tells it through a pipe.
fn start_server() -> (Child, String) {
    let (read, write) = std::io::pipe().unwrap_or_else(|error| panic!("cannot make a pipe: {error}"));
    let server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
        .stdin(Stdio::null())
        .stdout(write)
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start Xvfb (Debian package xvfb): {error}"));
    (server, format!(":{}", first_line(read, "Xvfb")))
}

/// What the bus starts, the accessibility bus above all, has its sockets with this display too and not with another one.
fn start_bus(runtime: &Path, display: &str) -> (Child, String) {
    let mut bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
        .env("XDG_RUNTIME_DIR", runtime)
        .env("DISPLAY", display)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start dbus-daemon (Debian package dbus-daemon): {error}"));
    let stdout = bus.stdout.take().unwrap_or_else(|| panic!("dbus-daemon was started without a pipe"));
    (bus, first_line(stdout, "dbus-daemon"))
}

fn first_line(stream: impl Read, of: &str) -> String {
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line);
    assert!(read.is_ok() && !line.trim().is_empty(), "{of} ended without saying where it listens");
    line.trim().to_owned()
}
