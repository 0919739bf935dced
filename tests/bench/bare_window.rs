//! The bare Tauri window, driven as the app is.

use std::time::{Duration, Instant};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use outrigger_tests::{Home, program};
use serde_json::json;

use crate::desk::Desk;

/// See the module. Dropping it ends the window.
pub(crate) struct BareWindow {
    client: Client,
    desk: Desk,
    _home: Home,
}

impl BareWindow {
    /// Opens it at a desk of its own.
    pub(crate) async fn open() -> Self {
        let (home, mut desk) = (Home::new(), Desk::new());
        let driver = desk.start_driver(&home, &[]);
        let mut capabilities = Capabilities::new();
        let options = json!({ "binary": program("outrigger-bare-window"), "args": [] });
        capabilities.insert("webkitgtk:browserOptions".to_owned(), options);
        let until = Instant::now() + Duration::from_secs(40);
        let client = loop {
            match ClientBuilder::new(HttpConnector::new()).capabilities(capabilities.clone()).connect(&driver).await {
                Ok(client) => break client,
                Err(error) => assert!(Instant::now() < until, "no session with the bare window: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        };
        Self { client, desk, _home: home }
    }

    /// Gives it the focus.
    pub(crate) fn focus(&self) {
        self.desk.focus();
    }

    /// Its page.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}
