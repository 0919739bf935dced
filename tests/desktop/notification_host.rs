//! Stands in for the part of a desktop that shows notifications: takes them in, and clicks on them. It is a server on the test's own
//! bus with the interface of the real ones, since no desktop runs beside a display without a screen.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, connection};
use zbus::zvariant::OwnedValue;

const DEADLINE: Duration = Duration::from_secs(40);
const PATH: &str = "/org/freedesktop/Notifications";
const INTERFACE: &str = "org.freedesktop.Notifications";

/// See the module.
pub(crate) struct NotificationHost {
    connection: Connection,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    shown: Vec<Notification>,
    closed: Vec<u32>,
}

/// What was to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) id: u32,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) actions: Vec<String>,
}

struct Server(Arc<Mutex<State>>);

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Server {
    #[expect(clippy::too_many_arguments, reason = "the interface has them")]
    fn notify(
        &self,
        _app_name: &str,
        _replaces_id: u32,
        _app_icon: &str,
        summary: &str,
        body: &str,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expire_timeout: i32,
    ) -> u32 {
        let mut state = self.0.lock().unwrap();
        let id = u32::try_from(state.shown.len()).unwrap() + 1;
        state.shown.push(Notification { id, title: summary.to_owned(), body: body.to_owned(), actions });
        id
    }

    fn close_notification(&self, id: u32) {
        self.0.lock().unwrap().closed.push(id);
    }

    fn get_capabilities(&self) -> Vec<&str> {
        vec!["actions", "body", "body-markup"]
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("stand-in", "outrigger", "1", "1.2")
    }
}

impl NotificationHost {
    /// Takes the service's place on a bus.
    pub(crate) fn on(bus: &str) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let builder = connection::Builder::address(bus).unwrap().serve_at(PATH, Server(state.clone())).unwrap();
        let connection = builder.name(INTERFACE).unwrap().build().unwrap();
        Self { connection, state }
    }

    /// Everything that was shown so far.
    pub(crate) fn all(&self) -> Vec<Notification> {
        self.state.lock().unwrap().shown.clone()
    }

    /// Waits for the next notification after the first `seen`.
    pub(crate) fn after(&self, seen: usize) -> Notification {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(notification) = self.all().get(seen) {
                return notification.clone();
            }
            assert!(Instant::now() < until, "waited for a notification in vain; there were {:#?}", self.all());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until a notification was taken back.
    pub(crate) fn see_closed(&self, id: u32) {
        let until = Instant::now() + DEADLINE;
        while !self.state.lock().unwrap().closed.contains(&id) {
            assert!(Instant::now() < until, "notification {id} was not taken back");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks on a notification.
    pub(crate) fn click(&self, id: u32) {
        let nobody = None::<&str>;
        self.connection.emit_signal(nobody, PATH, INTERFACE, "ActionInvoked", &(id, "default")).unwrap();
    }
}
