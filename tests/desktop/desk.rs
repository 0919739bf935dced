//! A desk for the app: a display, a session bus and a web driver that belong to one app and end with it.
//!
//! Each app gets a bus of its own, because one that starts while the last one on the same bus dies may be told that it runs
//! already.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use outrigger_tests::{Display, Home};

use crate::window::wait_until;

/// See the module. Dropping it ends everything on it.
pub(crate) struct Desk {
    display: Display,
    driver: Option<Child>,
}

impl Desk {
    /// Sets up a display and a bus.
    pub(crate) fn new() -> Self {
        Self { display: Display::start(), driver: None }
    }

    /// Where the bus listens.
    pub(crate) fn bus_address(&self) -> &str {
        self.display.bus_address()
    }

    /// Gives `command` the home's environment and this desk's display and bus.
    pub(crate) fn furnish(&self, command: &mut Command, home: &Home) {
        self.display.furnish(command, home);
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
        self.driver = Some(driver.spawn().expect(message));
        format!("http://127.0.0.1:{port}")
    }

    /// Gives the window the focus, as a click into it would where there is a window manager.
    pub(crate) fn focus(&self) {
        let mut xdotool = Command::new(on_path("xdotool"));
        xdotool.env("DISPLAY", self.display.name()).stdout(Stdio::null()).stderr(Stdio::null());
        xdotool.args(["search", "--onlyvisible", "--name", ".", "windowfocus", "--sync"]);
        xdotool.status().expect("xdotool runs (Debian package xdotool)");
    }

    /// Moves or presses the display's mouse, as xdotool's arguments say.
    pub(crate) fn mouse(&self, arguments: &[String]) {
        let mut xdotool = Command::new(on_path("xdotool"));
        xdotool.env("DISPLAY", self.display.name()).stdout(Stdio::null()).stderr(Stdio::null()).args(arguments);
        xdotool.status().expect("xdotool runs (Debian package xdotool)");
    }

    /// Presses keys in the window, which has no window manager to give it the focus, until they have done something.
    pub(crate) async fn press_until(&self, keys: &str, done: impl Fn() -> bool) {
        let press = || {
            let mut xdotool = Command::new(on_path("xdotool"));
            xdotool.env("DISPLAY", self.display.name()).stdout(Stdio::null()).stderr(Stdio::null());
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
            let _ =
                Command::new("import").args(["-display", self.display.name(), "-window", "root"]).arg(file).status();
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Before the display, which goes after this: nobody loses what it stands on.
        if let Some(driver) = &mut self.driver {
            let _ = driver.kill();
            let _ = driver.wait();
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

/// The driver cannot choose a port itself. Between here and its start somebody else could take it; then it says so and the test fails.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
