//! A sidecar's folder with a manifest, and an instance of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outrigger_toolbox::instance::{Instance, InstanceOrder, Look};
use outrigger_toolbox::log::Log;
use outrigger_toolbox::manifest::Manifest;
use outrigger_toolbox::secrets::SecretStore;
use outrigger_toolbox::states::State;
use outrigger_toolbox::{CallError, Progress};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Nothing here may take so long; a slow machine is given time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// For sidecars that need no secret: this machine need not have a keyring.
pub(crate) struct NoSecrets;

impl SecretStore for NoSecrets {
    fn secret(&self, _: &str) -> Result<Option<String>, String> {
        Ok(None)
    }
}

pub(crate) struct Stage {
    pub(crate) folder: PathBuf,
    pub(crate) mark: String,
    pub(crate) instance: Instance,
    _temp: tempfile::TempDir,
}

/// The test's own sidecar in this mode.
pub(crate) fn node(mode: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sidecar.mjs");
    format!("run = [\"node\", {:?}, {mode:?}]\n", script.to_str().unwrap())
}

impl Stage {
    /// An instance of the sidecar in this mode, with more lines in its manifest.
    pub(crate) fn of(mode: &str, more: &str) -> Self {
        Self::with(&format!("{}{more}", node(mode)))
    }

    pub(crate) fn with(manifest: &str) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("probe");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("sidecar.toml"), manifest).unwrap();
        let manifest = Arc::new(Manifest::read(&folder).unwrap());
        let mark = format!("sidecar-test-{}", uuid::Uuid::now_v7());
        let environment = |_: &Path| {
            let mut all: BTreeMap<String, String> = std::env::vars().collect();
            all.insert("NOT_FOR_SIDECARS".to_owned(), "x".to_owned());
            all
        };
        let instance = Instance::new(InstanceOrder {
            manifest,
            workspace: temp.path().to_owned(),
            environment: Arc::new(environment),
            secrets: Arc::new(NoSecrets),
            run: temp.path().join("run"),
            mark: mark.clone(),
            log: Log::default(),
        });
        Self { folder, mark, instance, _temp: temp }
    }

    /// Waits for a state.
    pub(crate) async fn until(&self, what: &str, mut is: impl FnMut(&Look) -> bool) -> Look {
        let mut look = self.instance.changes();
        match tokio::time::timeout(PATIENCE, look.wait_for(|look| is(look))).await {
            Ok(look) => look.unwrap().clone(),
            Err(_) => panic!("never {what}: {:?}\n{:?}", self.instance.look(), self.instance.log().lines()),
        }
    }

    pub(crate) async fn until_failed(&self) -> String {
        let look = self.until("failed", |look| matches!(look.state, State::Failed { .. })).await;
        let State::Failed { failure, .. } = look.state else { panic!() };
        format!("{}\n{}", failure.message, failure.output.join("\n"))
    }

    pub(crate) async fn ready(&self) {
        let ready = tokio::time::timeout(PATIENCE, self.instance.ready()).await.expect("it is ready in time");
        ready.unwrap_or_else(|why| panic!("{why}: {:?}", self.instance.log().lines()));
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Result<Value, CallError> {
        self.call_within(tool, arguments, PATIENCE).await
    }

    pub(crate) async fn call_within(&self, tool: &str, arguments: Value, limit: Duration) -> Result<Value, CallError> {
        let (progress, _heard) = mpsc::channel::<Progress>(1);
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.instance.call(tool, arguments, limit, progress, std::future::pending()).await
    }

    /// The text of a call that goes well.
    pub(crate) async fn said(&self, tool: &str) -> String {
        let answer = self.call(tool, json!({})).await.unwrap();
        answer["content"][0]["text"].as_str().unwrap().to_owned()
    }

    /// Nothing with its mark runs.
    pub(crate) fn assert_nothing_is_left(&self) {
        let left = process::marked(&self.mark);
        assert!(left.is_empty(), "{left:?}");
    }
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
