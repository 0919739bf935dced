//! A workspace and a config folder with sidecars, and a broker over them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outrigger_toolbox::broker::{Broker, Surroundings};
use outrigger_toolbox::secrets::SecretStore;
use protocol::SessionId;
use protocol::sidecar::{SidecarCall, SidecarNews, SidecarPlace, SidecarTrust, SidecarView};
use protocol::tools::ToolAnswer;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// For sidecars that need no secret: this machine need not have a keyring.
struct NoSecrets;

impl SecretStore for NoSecrets {
    fn secret(&self, _: &str) -> Result<Option<String>, String> {
        Ok(None)
    }
}

pub(crate) struct Stage {
    pub(crate) temp: tempfile::TempDir,
    pub(crate) broker: Broker,
}

pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sidecar.mjs")
}

pub(crate) fn surroundings(root: &Path) -> Surroundings {
    Surroundings {
        config: root.join("config"),
        run: root.join("run"),
        files: root.join("answers"),
        environment: Arc::new(|_: &Path| std::env::vars().collect::<BTreeMap<_, _>>()),
        secrets: Arc::new(NoSecrets),
        call_at_most: PATIENCE,
        taken: HashSet::from(["spawn_pod".to_owned()]),
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let broker = Broker::new(surroundings(temp.path())).await;
        Self { temp, broker }
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.temp.path().join("workspace")
    }

    pub(crate) fn place(&self, session: Option<SessionId>) -> SidecarPlace {
        SidecarPlace { workspace: Some(self.workspace().to_string_lossy().into_owned()), session, only: None }
    }

    /// The user's own sidecar; its starts are counted in a file.
    pub(crate) fn own(&self, name: &str, more: &str) -> PathBuf {
        self.sidecar(&self.temp.path().join("config/sidecars"), name, more)
    }

    /// One that comes with the workspace.
    pub(crate) fn of_workspace(&self, name: &str, more: &str) -> PathBuf {
        self.sidecar(&self.workspace().join(".outrigger/sidecars"), name, more)
    }

    fn sidecar(&self, root: &Path, name: &str, more: &str) -> PathBuf {
        let folder = root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let starts = self.temp.path().join(format!("{name}.starts"));
        let manifest = format!(
            "run = [\"node\", {:?}]\n{more}\n[env.set]\nCOUNT_FILE = {:?}\nTOOL = \"of_{name}\"\n",
            script().to_str().unwrap(),
            starts.to_str().unwrap()
        );
        std::fs::write(folder.join("sidecar.toml"), manifest).unwrap();
        folder
    }

    /// How often the sidecar was started.
    pub(crate) fn starts(&self, name: &str) -> usize {
        let file = self.temp.path().join(format!("{name}.starts"));
        std::fs::read_to_string(file).unwrap_or_default().lines().count()
    }

    pub(crate) fn view(&self, name: &str) -> SidecarView {
        self.broker.sidecars(&self.place(None)).into_iter().find(|view| view.name == name).unwrap()
    }

    pub(crate) async fn trust(&self, name: &str) {
        let SidecarTrust::Needed { question, .. } = self.view(name).trust else { panic!("it is trusted already") };
        self.broker.trust(&self.place(None), name, &question.hash, true).await.unwrap();
    }

    pub(crate) async fn names(&self) -> Vec<String> {
        self.broker.tools(&self.place(None)).await.into_iter().map(|tool| tool.name).collect()
    }

    pub(crate) async fn call(&self, session: Option<SessionId>, name: &str, arguments: Value) -> ToolAnswer {
        let call = SidecarCall {
            place: self.place(session),
            name: name.to_owned(),
            arguments: arguments.as_object().unwrap().clone(),
            ..SidecarCall::default()
        };
        let (progress, _heard) = mpsc::channel(1);
        self.broker.call(call, progress, std::future::pending()).await
    }

    pub(crate) async fn said(&self, name: &str) -> String {
        let answer = self.call(None, name, json!({})).await;
        assert!(!answer.is_error, "{}", answer.text());
        answer.text()
    }
}

/// Waits for news of a kind.
pub(crate) async fn until(
    news: &mut broadcast::Receiver<SidecarNews>,
    what: &str,
    is: impl Fn(&SidecarNews) -> bool,
) -> SidecarNews {
    let waiting = async {
        loop {
            let one = news.recv().await.unwrap();
            if is(&one) {
                return one;
            }
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// A session's id that ends in this number.
pub(crate) fn session(number: usize) -> SessionId {
    format!("01900000-0000-7000-8000-{number:012}").parse().unwrap()
}

/// Waits until a file is there.
pub(crate) async fn file(path: &Path) {
    let waiting = async {
        while !path.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never there: {}", path.display()));
}
