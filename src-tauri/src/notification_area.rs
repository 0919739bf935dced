//! Shows a notification by the desktop's own means, and tells when it was clicked.
//!
//! On Linux this is the bus, by which a notification can be clicked and taken back. Elsewhere a notification is shown and that is all.

#[cfg(target_os = "linux")]
pub(crate) use on_the_bus::{Area, Shown};
#[cfg(not(target_os = "linux"))]
pub(crate) use plain::{Area, Shown};

#[cfg(target_os = "linux")]
mod on_the_bus {
    use std::collections::{HashMap, VecDeque};
    use std::sync::Arc;

    use tokio::sync::{Mutex, mpsc};
    use zbus::zvariant::Value;

    use crate::news::{Target, Words};

    /// Clicks on notifications older than these lead nowhere.
    const REMEMBERED: usize = 64;

    /// Held while one is shown, so that a click that comes before the answer waits for it.
    type Targets = Arc<Mutex<VecDeque<(u32, Target)>>>;

    /// The desktop's notification service.
    pub(crate) struct Area {
        bus: Option<zbus::Connection>,
        targets: Targets,
    }

    /// A notification that was shown.
    pub(crate) struct Shown(u32);

    #[zbus::proxy(
        interface = "org.freedesktop.Notifications",
        default_service = "org.freedesktop.Notifications",
        default_path = "/org/freedesktop/Notifications"
    )]
    trait Notifications {
        #[expect(clippy::too_many_arguments, reason = "the interface has them")]
        fn notify(
            &self,
            app_name: &str,
            replaces_id: u32,
            app_icon: &str,
            summary: &str,
            body: &str,
            actions: &[&str],
            hints: HashMap<&str, Value<'_>>,
            expire_timeout: i32,
        ) -> zbus::Result<u32>;
        fn close_notification(&self, id: u32) -> zbus::Result<()>;
        fn get_capabilities(&self) -> zbus::Result<Vec<String>>;
        #[zbus(signal)]
        fn action_invoked(&self, id: u32, action_key: String) -> zbus::Result<()>;
    }

    impl Area {
        /// Reaches the service and listens for clicks. Without a bus nothing is shown.
        pub(crate) async fn open(clicked: mpsc::Sender<Target>) -> Self {
            let targets = Targets::default();
            let bus = match zbus::Connection::session().await {
                Ok(bus) => bus,
                Err(error) => {
                    tracing::warn!(%error, "nothing is notified: there is no session bus");
                    return Self { bus: None, targets };
                }
            };
            let listens = listen(bus.clone(), targets.clone(), clicked).await;
            if let Err(error) = listens {
                tracing::warn!(%error, "clicks on notifications lead nowhere");
            }
            Self { bus: Some(bus), targets }
        }

        /// Shows a notification, if there is a service for that now.
        pub(crate) async fn show(&self, words: &Words) -> Option<Shown> {
            let shown = self.try_to_show(words).await;
            match shown {
                Ok(shown) => shown,
                Err(error) => {
                    tracing::warn!(%error, title = words.title, "a notification could not be shown");
                    None
                }
            }
        }

        async fn try_to_show(&self, words: &Words) -> zbus::Result<Option<Shown>> {
            let Some(bus) = &self.bus else { return Ok(None) };
            let service = service(bus).await?;
            // Where the body may have markup, what an agent says is not that.
            let has_markup = service.get_capabilities().await?.iter().any(|can| can == "body-markup");
            let body = if has_markup { without_markup(&words.body) } else { words.body.clone() };
            let hints = HashMap::from([("desktop-entry", Value::from("Outrigger")), ("urgency", Value::from(1u8))]);
            let actions = ["default", "Open"];
            let mut targets = self.targets.lock().await;
            let id =
                service.notify("Outrigger", 0, "outrigger-desktop", &words.title, &body, &actions, hints, -1).await?;
            if targets.len() == REMEMBERED {
                targets.pop_front();
            }
            targets.push_back((id, words.target));
            Ok(Some(Shown(id)))
        }

        /// Takes a notification back. That it is gone already is no error.
        pub(crate) async fn take_back(&self, Shown(id): Shown) {
            let Some(bus) = &self.bus else { return };
            let done = async { service(bus).await?.close_notification(id).await };
            if let Err(error) = done.await {
                tracing::debug!(%error, "a notification was not taken back");
            }
        }
    }

    /// Not remembering properties: the service has none.
    async fn service(bus: &zbus::Connection) -> zbus::Result<NotificationsProxy<'static>> {
        NotificationsProxy::builder(bus).cache_properties(zbus::proxy::CacheProperties::No).build().await
    }

    async fn listen(bus: zbus::Connection, targets: Targets, clicked: mpsc::Sender<Target>) -> zbus::Result<()> {
        use futures_lite::StreamExt;

        let mut clicks = service(&bus).await?.receive_action_invoked().await?;
        tauri::async_runtime::spawn(async move {
            while let Some(click) = clicks.next().await {
                let Ok(click) = click.args() else { continue };
                if click.action_key == "default"
                    && let Some(target) = target_of(&targets, click.id).await
                {
                    let _ = clicked.send(target).await;
                }
            }
        });
        Ok(())
    }

    async fn target_of(targets: &Targets, shown: u32) -> Option<Target> {
        let known = targets.lock().await;
        known.iter().find(|(id, _)| *id == shown).map(|(_, target)| *target)
    }

    fn without_markup(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }
}

#[cfg(not(target_os = "linux"))]
mod plain {
    use tokio::sync::mpsc;

    use crate::news::{Target, Words};

    /// The system's notifications.
    pub(crate) struct Area;

    /// A notification that was shown.
    pub(crate) struct Shown;

    impl Area {
        /// Nothing has to be reached.
        pub(crate) async fn open(_: mpsc::Sender<Target>) -> Self {
            Self
        }

        /// Shows a notification.
        pub(crate) async fn show(&self, words: &Words) -> Option<Shown> {
            let mut notification = notify_rust::Notification::new();
            notification.appname("Outrigger").summary(&words.title).body(&words.body);
            let shown = tauri::async_runtime::spawn_blocking(move || notification.show().map(drop)).await;
            match shown {
                Ok(Ok(())) => Some(Shown),
                Ok(Err(error)) => {
                    tracing::warn!(%error, title = words.title, "a notification could not be shown");
                    None
                }
                Err(_) => None,
            }
        }

        /// The system keeps it until the user has seen it.
        pub(crate) async fn take_back(&self, _: Shown) {}
    }
}
