//! Stands in for the part of a desktop that shows tray icons: takes the app's icon in, reads its menu, clicks on entries.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, Proxy, connection};
use zbus::message::Header;
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Structure, Value};

const DEADLINE: Duration = Duration::from_secs(40);

/// See the module.
pub(crate) struct TrayHost {
    connection: Connection,
    icons: Receiver<(String, String)>,
}

/// The icon of an app, with its menu.
pub(crate) struct TrayIcon {
    menu: Proxy<'static>,
}

struct Watcher(Sender<(String, String)>);

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, item: &str, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let _ = self.0.send((sender, item.to_owned()));
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

impl TrayHost {
    /// Takes the tray's place on a bus.
    pub(crate) fn on(bus: &str) -> Self {
        let (sender, icons) = channel();
        let connection = connection::Builder::address(bus)
            .and_then(|builder| builder.name("org.kde.StatusNotifierWatcher"))
            .and_then(|builder| builder.serve_at("/StatusNotifierWatcher", Watcher(sender)))
            .and_then(connection::Builder::build)
            .unwrap();
        Self { connection, icons }
    }

    /// Waits for an app to show its icon.
    pub(crate) fn icon(&self) -> TrayIcon {
        let (app, path) = self.icons.recv_timeout(DEADLINE).expect("the app shows an icon");
        let item = Proxy::new(&self.connection, app.clone(), path, "org.kde.StatusNotifierItem").unwrap();
        let menu: OwnedObjectPath = item.get_property("Menu").unwrap();
        let menu = ObjectPath::try_from(menu.as_str().to_owned()).unwrap();
        TrayIcon { menu: Proxy::new(&self.connection, app, menu, "com.canonical.dbusmenu").unwrap() }
    }
}

impl TrayIcon {
    /// The entries by their words, each with its number and whether it can be chosen.
    pub(crate) fn entries(&self) -> Vec<(i32, String, bool)> {
        self.layout().2.iter().filter_map(entry).collect()
    }

    fn layout(&self) -> (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>) {
        type Layout = (u32, (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>));
        let (_, layout): Layout = self.menu.call("GetLayout", &(0i32, -1i32, Vec::<String>::new())).unwrap();
        layout
    }

    /// Waits until there is an entry with these words that can be chosen, or cannot.
    pub(crate) fn see(&self, words: &str, enabled: bool) -> i32 {
        let until = Instant::now() + DEADLINE;
        loop {
            let entries = self.entries();
            if let Some((id, _, _)) = entries.iter().find(|(_, label, can)| label == words && *can == enabled) {
                return *id;
            }
            assert!(Instant::now() < until, "the tray does not show {words:?} but {entries:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for an entry inside of others, by the beginnings of their words, and chooses it.
    pub(crate) fn choose_in(&self, path: &[&str]) {
        let until = Instant::now() + DEADLINE;
        let id = loop {
            if let Some(id) = find(&self.layout().2, path) {
                break id;
            }
            assert!(Instant::now() < until, "the tray has no {path:?} but {:?}", self.entries());
            std::thread::sleep(Duration::from_millis(50));
        };
        let () = self.menu.call("Event", &(id, "clicked", Value::I32(0), 0u32)).unwrap();
    }

    /// Chooses an entry.
    pub(crate) fn choose(&self, words: &str) {
        let id = self.see(words, true);
        let () = self.menu.call("Event", &(id, "clicked", Value::I32(0), 0u32)).unwrap();
    }
}

/// The number of the entry at the end of a path.
fn find(children: &[OwnedValue], path: &[&str]) -> Option<i32> {
    let (first, rest) = path.split_first()?;
    let child = children.iter().find(|child| entry(child).is_some_and(|(_, words, _)| words.starts_with(first)))?;
    if rest.is_empty() {
        return entry(child).map(|(id, _, _)| id);
    }
    let fields = Structure::try_from(child.try_clone().ok()?).ok()?;
    let below: Vec<OwnedValue> = fields.fields().get(2)?.try_clone().ok()?.try_into().ok()?;
    find(&below, rest)
}

fn entry(child: &OwnedValue) -> Option<(i32, String, bool)> {
    let fields = Structure::try_from(child.try_clone().ok()?).ok()?;
    let [id, properties, _] = fields.fields() else { return None };
    let properties: HashMap<String, OwnedValue> = properties.try_clone().ok()?.try_into().ok()?;
    let label = String::try_from(properties.get("label")?.try_clone().ok()?).ok()?;
    let enabled = properties.get("enabled").is_none_or(|enabled| bool::try_from(enabled).unwrap_or(true));
    Some((i32::try_from(id).ok()?, label.replace('_', ""), enabled))
}
