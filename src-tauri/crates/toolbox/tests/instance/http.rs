//! Servers that somebody else runs.

use outrigger_toolbox::states::State;
use serde_json::json;

use crate::stage::{Stage, file};

/// Ends with the test.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn server(folder: &std::path::Path) -> (Server, String) {
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/http.mjs");
    let port = folder.join("port");
    let child = std::process::Command::new("node").arg(script).arg(&port).spawn().unwrap();
    let server = Server(child);
    file(&port).await;
    (server, std::fs::read_to_string(port).unwrap())
}

#[tokio::test]
async fn it_is_listed_called_and_told_when_it_is_gone() {
    let temp = tempfile::tempdir().unwrap();
    let (server, port) = server(temp.path()).await;
    let manifest = format!("url = \"http://127.0.0.1:{port}/mcp\"\nheaders = {{ X-Key = \"s3cret\" }}\n");
    let stage = Stage::with(&manifest);
    stage.ready().await;
    let sum = stage.call("add", json!({ "a": 2, "b": 3 })).await.unwrap();
    assert_eq!(sum["content"][0]["text"], "5");
    assert!(stage.instance.look().process.is_none());
    stage.instance.stop(protocol::sidecar::SidecarStop::Asked).await;
    assert!(matches!(stage.instance.look().state, State::Stopped { .. }));
    drop(server);
    let gone = Stage::with(&format!("restart = \"never\"\n{manifest}"));
    let why = gone.instance.ready().await.unwrap_err();
    assert!(why.0.contains("does not run"), "{why}");
}

#[tokio::test]
async fn without_its_key_it_is_told() {
    let temp = tempfile::tempdir().unwrap();
    let (_server, port) = server(temp.path()).await;
    let stage = Stage::with(&format!("restart = \"never\"\nurl = \"http://127.0.0.1:{port}/mcp\"\n"));
    let why = stage.instance.ready().await.unwrap_err();
    assert!(why.0.contains("does not run"), "{why}");
}
