//! The native dialogs of an app: what they say and which buttons they have, read and pressed over the accessibility bus as a screen
//! reader would. The web driver sees pages only.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use zbus::blocking::{Connection, Proxy, connection};
use zbus::names::OwnedBusName;
use zbus::zvariant::OwnedObjectPath;

const DEADLINE: Duration = Duration::from_secs(40);
const LOOK: Duration = Duration::from_millis(50);
/// A dialog is a few boxes deep; a page in the window beside it is deeper and nobody's business here.
const DEEPEST: usize = 8;

/// What an app needs in its environment to be seen here.
pub(crate) fn visible() -> (&'static str, PathBuf) {
    ("NO_AT_BRIDGE", "0".into())
}

/// See the module.
pub(crate) struct Dialogs {
    bus: Connection,
}

/// A dialog that is shown.
pub(crate) struct Dialog<'a> {
    parts: Vec<Part>,
    bus: &'a Connection,
}

type Address = (OwnedBusName, OwnedObjectPath);

struct Part {
    role: String,
    name: String,
    address: Address,
}

impl Dialogs {
    /// Those of the apps on a session bus.
    pub(crate) fn on(session_bus: &str) -> Self {
        let session = connection::Builder::address(session_bus).and_then(connection::Builder::build).unwrap();
        let launcher = Proxy::new(&session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus").unwrap();
        let address: String = launcher.call("GetAddress", &()).expect("the accessibility bus (at-spi2-core)");
        Self { bus: connection::Builder::address(address.as_str()).and_then(connection::Builder::build).unwrap() }
    }

    /// Waits for a dialog with this title.
    pub(crate) fn see(&self, title: &str) -> Dialog<'_> {
        let until = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = self.all().into_iter().find(|dialog| dialog.title() == title) {
                return found;
            }
            let shown: Vec<_> = self.all().iter().map(|dialog| dialog.title().to_owned()).collect();
            assert!(Instant::now() < until, "no dialog “{title}” is shown, but {shown:?}");
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until none is shown.
    pub(crate) fn see_none(&self) {
        let until = Instant::now() + DEADLINE;
        while let Some(dialog) = self.all().first() {
            assert!(Instant::now() < until, "a dialog is still shown: {:?}", dialog.words());
            std::thread::sleep(LOOK);
        }
    }

    /// Those that are shown now.
    pub(crate) fn all(&self) -> Vec<Dialog<'_>> {
        let registry = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root");
        let registry = (registry.0.try_into().unwrap(), registry.1.try_into().unwrap());
        let windows = self.children(&registry).into_iter().flat_map(|app| self.children(&app));
        windows.filter(|window| self.role(window) == "alert").map(|window| self.read(window)).collect()
    }

    fn read(&self, window: Address) -> Dialog<'_> {
        let mut parts = Vec::new();
        self.collect(window, &mut parts, DEEPEST);
        Dialog { parts, bus: &self.bus }
    }

    fn collect(&self, address: Address, parts: &mut Vec<Part>, deepest: usize) {
        let children = if deepest == 0 { Vec::new() } else { self.children(&address) };
        parts.push(Part { role: self.role(&address), name: self.name(&address), address });
        children.into_iter().for_each(|child| self.collect(child, parts, deepest - 1));
    }

    // A part may go away between two questions; then it has nothing to say.

    fn children(&self, (app, path): &Address) -> Vec<Address> {
        accessible(&self.bus, app, path).and_then(|part| part.call("GetChildren", &())).unwrap_or_default()
    }

    fn role(&self, (app, path): &Address) -> String {
        accessible(&self.bus, app, path).and_then(|part| part.call("GetRoleName", &())).unwrap_or_default()
    }

    fn name(&self, (app, path): &Address) -> String {
        accessible(&self.bus, app, path).and_then(|part| part.get_property("Name")).unwrap_or_default()
    }
}

impl Dialog<'_> {
    /// The line at its top.
    pub(crate) fn title(&self) -> &str {
        self.named("label").first().copied().unwrap_or_default()
    }

    /// What it says below that.
    pub(crate) fn words(&self) -> String {
        self.named("label").into_iter().skip(1).collect::<Vec<_>>().join("\n")
    }

    /// The words on its buttons.
    pub(crate) fn buttons(&self) -> Vec<&str> {
        self.named("push button")
    }

    /// Presses a button.
    pub(crate) fn press(&self, words: &str) {
        let button = self.parts.iter().find(|part| part.role == "push button" && part.name == words);
        let (app, path) = &button.unwrap_or_else(|| panic!("no “{words}” among {:?}", self.buttons())).address;
        let action = Proxy::new(self.bus, app, path, "org.a11y.atspi.Action").unwrap();
        let done: bool = action.call("DoAction", &0i32).unwrap();
        assert!(done, "“{words}” could not be pressed");
    }

    fn named(&self, role: &str) -> Vec<&str> {
        let with_role = self.parts.iter().filter(|part| part.role == role);
        with_role.map(|part| part.name.as_str()).filter(|name| !name.is_empty()).collect()
    }
}

fn accessible<'a>(bus: &Connection, app: &'a OwnedBusName, path: &'a OwnedObjectPath) -> zbus::Result<Proxy<'a>> {
    Proxy::new(bus, app, path, "org.a11y.atspi.Accessible")
}
