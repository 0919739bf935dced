//! A desk for the app: a display, a session bus and a web driver that belong to one app and end with it.
//!
//! Each app gets a bus of its own, because one that starts while the last one on the same bus dies may be told that it runs
//! already.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use outrigger_tests::Home;
use tempfile::TempDir;

use crate::window::wait_until;

/// See the module. Dropping it ends everything on it.
pub(crate) struct Desk {
    runtime: TempDir,
    display: String,
    bus_address: String,
    children: Vec<Child>,
}

impl Desk {
    /// Sets up a display and a bus.
    pub(crate) fn new() -> Self {
        let runtime = tempfile::Builder::new().prefix("or-desk-").tempdir().unwrap();
        let (display_server, display) = start_display();
        let (bus, bus_address) = start_bus(runtime.path(), &display);
        Self { runtime, display, bus_address, children: vec![display_server, bus] }
    }

    /// Where the bus listens.
    pub(crate) fn bus_address(&self) -> &str {
        &self.bus_address
    }

    /// Gives `command` the home's environment and this desk's display and bus.
    pub(crate) fn furnish(&self, command: &mut Command, home: &Home) {
        home.furnish(command);
        command
            .env("DISPLAY", &self.display)
            .env("GDK_BACKEND", "x11")
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus_address)
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .env("NO_AT_BRIDGE", "1");
    }

    /// Starts a web driver, whose environment is that of the app which it will start, and gives its address.
    pub(crate) fn start_driver(&mut self, home: &Home, set: &[(&str, PathBuf)]) -> String {
        let port = free_port();
        // By its path, since the app may get another PATH.
        let mut driver = Command::new(on_path("WebKitWebDriver"));
        self.furnish(&mut driver, home);
        driver.env("TAURI_WEBVIEW_AUTOMATION", "true").envs(set.iter().map(|(name, value)| (name, value)));
        driver
            .args([format!("--port={port}"), "--host=127.0.0.1".to_owned()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let message = "WebKitWebDriver starts (Debian package webkit2gtk-driver)";
        self.children.push(driver.spawn().expect(message));
        format!("http://127.0.0.1:{port}")
    }

    /// Presses keys in the window, which has no window manager to give it the focus, until they have done something.
    pub(crate) async fn press_until(&self, keys: &str, done: impl Fn() -> bool) {
        let press = || {
            let mut xdotool = Command::new(on_path("xdotool"));
            xdotool.env("DISPLAY", &self.display).stdout(Stdio::null()).stderr(Stdio::null());
            xdotool.args(["search", "--onlyvisible", "--name", ".", "windowfocus", "key", keys]);
            xdotool.status().expect("xdotool runs (Debian package xdotool)");
            done()
        };
        wait_until(&format!("{keys} to do something"), press).await;
    }
}

impl Desk {
    /// Saves a picture of the whole display, for whoever wants to look: in the folder that OUTRIGGER_TEST_PICTURES names, if it does.
    pub(crate) fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("OUTRIGGER_TEST_PICTURES") {
            let file = PathBuf::from(folder).join(format!("{name}.png"));
            // A tool for people, which the tests do without.
            let _ = Command::new("import").args(["-display", &self.display, "-window", "root"]).arg(file).status();
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // The driver first, the display last: nobody loses what it stands on.
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Where a program is, or its name when it is nowhere; starting it then says so.
fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| name.into())
}

/// The server chooses a free number for the display and tells it through a pipe.
fn start_display() -> (Child, String) {
    let (read, write) = std::io::pipe().unwrap();
    let server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"])
        .stdin(Stdio::null())
        .stdout(write)
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb starts (Debian package xvfb)");
    (server, format!(":{}", first_line(read)))
}

/// What the bus starts, the accessibility bus above all, has its sockets with this desk too and not with another one.
fn start_bus(runtime: &Path, display: &str) -> (Child, String) {
    let mut bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--print-address=1"])
        .env("XDG_RUNTIME_DIR", runtime)
        .env("DISPLAY", display)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dbus-daemon starts (Debian package dbus)");
    let address = first_line(bus.stdout.take().unwrap());
    (bus, address)
}

fn first_line(stream: impl Read) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(!line.trim().is_empty(), "the program ended without saying where it listens");
    line.trim().to_owned()
}

/// The driver cannot choose a port itself. Between here and its start somebody else could take it; then it says so and the test fails.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
