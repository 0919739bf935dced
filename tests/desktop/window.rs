//! A window of the real app: what is on it, and what a user does with it.
//!
//! Parts of the page are found by their test ids. Every wait is for a state of the page and has a deadline, whose failure shows
//! what was on the page instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use outrigger_tests::{Home, program};
use serde_json::{Value, json};

use crate::desk::Desk;

/// For one thing to appear, on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(40);
/// Between two looks at the page.
const LOOK: Duration = Duration::from_millis(40);

/// See the module. Dropping it kills the app, as a crash would.
pub(crate) struct Window {
    client: Client,
    app: u32,
    pub(crate) desk: Desk,
}

impl Window {
    /// Opens the app on a workspace, at a desk of its own.
    pub(crate) async fn open(home: &Home, workspace: &Path) -> Self {
        Self::open_at(Desk::new(), home, workspace, &[]).await
    }

    /// Opens the app at a desk, with additions to its environment.
    pub(crate) async fn open_at(mut desk: Desk, home: &Home, workspace: &Path, set: &[(&str, PathBuf)]) -> Self {
        let driver = desk.start_driver(home, set);
        let app = program("outrigger-desktop");
        let options = json!({ "binary": app, "args": [workspace] });
        let mut capabilities = Capabilities::new();
        capabilities.insert("webkitgtk:browserOptions".to_owned(), options);
        let until = Instant::now() + DEADLINE;
        let client = loop {
            match ClientBuilder::new(HttpConnector::new()).capabilities(capabilities.clone()).connect(&driver).await {
                Ok(client) => break client,
                // The driver may not listen yet.
                Err(error) if Instant::now() > until => {
                    panic!("no session with the window: {error}\n{}", home.debug_log())
                }
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        };
        let app = running_app(home).expect("the app that was started runs");
        Self { client, app, desk }
    }

    /// The app's process.
    pub(crate) fn app(&self) -> u32 {
        self.app
    }

    /// The page of the current window.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for the first part of the page that fits a CSS selector.
    pub(crate) async fn see(&self, css: &str) -> Element {
        match self.client.wait().at_most(DEADLINE).every(LOOK).for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!("waited for {css} in vain ({error}). On the page:\n{}", self.text().await),
        }
    }

    /// Waits until a part of the page has a text.
    pub(crate) async fn see_text(&self, css: &str, text: &str) {
        let script = "const [css, text] = arguments; \
            return [...document.querySelectorAll(css)].some((part) => part.innerText.includes(text));";
        self.until(&format!("“{text}” in {css}"), script, json!([css, text])).await;
    }

    /// Waits until a part of the page is gone.
    pub(crate) async fn see_no(&self, css: &str) {
        self.until(&format!("{css} to be gone"), "return document.querySelector(arguments[0]) === null;", json!([css]))
            .await;
    }

    /// Waits until a script says true.
    pub(crate) async fn until(&self, what: &str, script: &str, arguments: Value) {
        let until = Instant::now() + DEADLINE;
        loop {
            let arguments = arguments.as_array().cloned().unwrap_or_default();
            // A page that is just being loaded cannot answer.
            if self.client.execute(script, arguments).await.is_ok_and(|answer| answer == json!(true)) {
                return;
            }
            assert!(Instant::now() < until, "waited for {what} in vain. On the page:\n{}", self.text().await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits for a button, then presses it.
    pub(crate) async fn press(&self, testid: &str) {
        let css = format!("[data-testid={testid}]:not(:disabled)");
        let until = Instant::now() + DEADLINE;
        // A row of the transcript cannot be touched until it has been measured, and moves while text streams above it.
        while let Err(error) = self.see(&css).await.click().await {
            assert!(Instant::now() < until, "{css} cannot be pressed: {error}. On the page:\n{}", self.text().await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Types into a field.
    pub(crate) async fn type_into(&self, testid: &str, text: &str) {
        let css = format!("[data-testid={testid}]:not(:disabled)");
        let until = Instant::now() + DEADLINE;
        while let Err(error) = self.see(&css).await.send_keys(text).await {
            assert!(Instant::now() < until, "{css} takes no text: {error}. On the page:\n{}", self.text().await);
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Starts a demo session with a prompt, from the page that a new window shows.
    pub(crate) async fn start_demo(&self, prompt: &str) {
        self.see("[data-testid=provider-select]").await;
        self.type_into("composer-input", prompt).await;
        self.press("composer-send").await;
        self.see("[data-testid=item][data-kind=userMessage]").await;
    }

    /// Waits until a session of the list has a state, and gives its id.
    pub(crate) async fn see_session(&self, state: &str) -> String {
        let row = self.see(&format!("[data-testid=session-row][data-state={state}]")).await;
        row.attr("data-session").await.unwrap().unwrap()
    }

    /// The id and the words of every item of the transcript, from top to bottom. Fails when one stands there twice.
    pub(crate) async fn items(&self) -> Vec<(String, String)> {
        let found = self.client.execute_async(COLLECT, Vec::new()).await.unwrap();
        assert_eq!(found["twice"], json!([]), "items stand in the transcript twice");
        let pair = |item: &Value| (item[0].as_str().unwrap().to_owned(), item[1].as_str().unwrap().to_owned());
        found["items"].as_array().unwrap().iter().map(pair).collect()
    }

    /// Everything that can be read on the page, for a test's failure.
    async fn text(&self) -> String {
        let text = self.client.execute("return document.body.innerText", Vec::new()).await;
        text.map_or_else(|error| format!("(no page: {error})"), |text| text.as_str().unwrap_or_default().to_owned())
    }

    /// Saves a picture of the page, for whoever wants to look: in the folder that OUTRIGGER_TEST_PICTURES names, if it does.
    pub(crate) async fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("OUTRIGGER_TEST_PICTURES") {
            fs::write(Path::new(&folder).join(format!("{name}.png")), self.client.screenshot().await.unwrap()).unwrap();
        }
    }

    /// Waits until there are so many windows, and gives their handles.
    pub(crate) async fn see_windows(&self, count: usize) -> Vec<WindowHandle> {
        let until = Instant::now() + DEADLINE;
        loop {
            let handles = self.client.windows().await.unwrap();
            if handles.len() == count {
                return handles;
            }
            assert!(Instant::now() < until, "there are {} windows and not {count}", handles.len());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Goes on in the window of a workspace, by the name in its title bar.
    pub(crate) async fn go_to_window(&self, name: &str) {
        let until = Instant::now() + DEADLINE;
        loop {
            for handle in self.client.windows().await.unwrap() {
                self.client.switch_to_window(handle).await.unwrap();
                let script = "return document.querySelector('header .name')?.innerText === arguments[0];";
                if self.client.execute(script, vec![json!(name)]).await.is_ok_and(|answer| answer == json!(true)) {
                    return;
                }
            }
            assert!(Instant::now() < until, "there is no window of {name}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Kills the app's process, as a crash would, and gives the desk away with the window.
    pub(crate) fn kill(self) {
        kill(self.app);
    }

    /// Closes the app's windows as a user would, which ends it, and waits for that.
    pub(crate) async fn close(self) {
        let app = self.app;
        // The driver may lose the app before it can answer.
        let _ = self.client.close_window().await;
        wait_until("the app to end with its last window", || !is_alive(app)).await;
    }
}

/// Reads a list that holds only what is on the screen: scrolls through it, waits for each part to be drawn, and goes back to its end.
const COLLECT: &str = "
const done = arguments[arguments.length - 1];
const list = document.querySelector('[data-testid=transcript]');
const drawn = () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(next, 30))));
const found = new Map(), order = [], twice = [];
const look = () => {
  const seen = new Set();
  for (const row of list.querySelectorAll('[data-testid=item]')) {
    const id = row.dataset.itemId;
    if (seen.has(id)) twice.push(id);
    seen.add(id);
    if (!found.has(id)) order.push([id, row.getBoundingClientRect().top + list.scrollTop]);
    found.set(id, row.innerText);
  }
};
(async () => {
  list.dispatchEvent(new WheelEvent('wheel', { deltaY: -1 }));
  list.scrollTop = 0;
  await drawn();
  for (;;) {
    look();
    const before = list.scrollTop;
    list.scrollTop = before + list.clientHeight / 2;
    await drawn();
    if (list.scrollTop <= before + 1) break;
  }
  look();
  order.sort((a, b) => a[1] - b[1]);
  done({ items: order.map(([id]) => [id, found.get(id)]), twice });
})();
";

/// Waits for something outside of the page.
pub(crate) async fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !done() {
        assert!(Instant::now() < until, "waited for {what} in vain");
        tokio::time::sleep(LOOK).await;
    }
}

/// The app's process among those of a home.
pub(crate) fn running_app(home: &Home) -> Option<u32> {
    let app = program("outrigger-desktop").display().to_string();
    home.processes().into_iter().find(|process| process.command.starts_with(&app)).map(|process| process.pid)
}

/// Ends a process at once.
pub(crate) fn kill(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

/// Whether a process is there and is more than an entry that waits for its parent.
pub(crate) fn is_alive(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z')
}
