//! A tool sidecar in the real window: a real program that comes with the workspace appears, is looked at and trusted, called by hand,
//! built anew, and stopped; and its owner ends with nothing left.

use std::path::Path;

use outrigger_tests::Home;
use serde_json::json;

use crate::window::Window;

/// An MCP server by hand: one tool that says the text back with its process id.
const SERVER: &str = r#"
import { createInterface } from "node:readline";
const say = (id, result) => console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
const inputSchema = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (method === "initialize") {
    console.error("the parrot is awake");
    const { protocolVersion } = params;
    say(id, { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "parrot", version: "1" } });
  } else if (method === "tools/list") say(id, { tools: [{ name: "repeat", description: "Says it back", inputSchema }] });
  else if (method === "tools/call") say(id, { content: [{ type: "text", text: `${params.arguments.text} by ${process.pid}` }] });
}
"#;

fn parrot(workspace: &Path) {
    let folder = workspace.join(".outrigger/sidecars/parrot");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("server.mjs"), SERVER).unwrap();
    let manifest =
        "description = \"Says what it hears\"\nbuild = \"node --check server.mjs\"\nrun = \"node server.mjs\"\n";
    std::fs::write(folder.join("sidecar.toml"), manifest).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sidecar_is_trusted_called_restarted_and_stopped() {
    let home = Home::new();
    let workspace = home.workspace();
    let window = Window::open(&home, &workspace).await;
    window.press("open-sidecars").await;
    window.see("[data-testid=sidecars-empty]").await;
    // It appears while the place is looked at.
    parrot(&workspace);
    window.see("[data-testid=sidecar][data-name=parrot][data-trust=needed]").await;
    window.see_text("[data-testid=trust-build]", "--check").await;
    window.see_text("[data-testid=trust-run]", "server.mjs").await;
    window.see_text("[data-testid=trust-manifest]", "run = \"node server.mjs\"").await;
    window.see("[data-testid=sidecar-start]:disabled").await;
    window.picture("sidecar-trust").await;

    window.press("trust-yes").await;
    window.see_no("[data-testid=trust-question]").await;
    window.press("sidecar-start").await;
    window.see("[data-testid=sidecar-detail][data-state=connected]").await;
    let first = called(&window, "ahoy").await;
    assert!(home.processes().iter().any(|process| process.pid.to_string() == first), "it is a process of this home");

    window.see("[data-testid=sidecar-part] input[value=log]").await;
    let log = "document.querySelector('[data-testid=sidecar-part] input[value=log]').click(); return true;";
    window.client().execute(log, Vec::new()).await.unwrap();
    window.see_text("[data-testid=sidecar-log] [data-from=stderr]", "the parrot is awake").await;

    window.press("sidecar-restart").await;
    let gone =
        "return !document.querySelector('[data-testid=sidecar-uses]')?.innerText.includes('process ' + arguments[0]);";
    window.until("another process to be there", gone, json!([first])).await;
    window.see("[data-testid=sidecar-detail][data-state=connected]").await;
    let tools = "document.querySelector('[data-testid=sidecar-part] input[value=tools]').click(); return true;";
    window.client().execute(tools, Vec::new()).await.unwrap();
    assert_ne!(called(&window, "again").await, first, "it runs anew");

    window.press("sidecar-stop").await;
    window.see("[data-testid=sidecar-detail][data-state=stopped]").await;
    assert!(!home.processes().iter().any(|process| process.command.contains("server.mjs")), "nothing of it runs");
    window.close().await;
}

/// Calls the tool with a text; the process that answered.
async fn called(window: &Window, text: &str) -> String {
    if window.client().find(fantoccini::Locator::Css("[data-field=text]")).await.is_err() {
        window.see("[data-tool=repeat] > button").await.click().await.unwrap();
    }
    let field = window.see("[data-field=text]").await;
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
    window.press("call-send").await;
    window.see_text("[data-testid=call-result]", &format!("{text} by ")).await;
    let result = window.see("[data-testid=call-result]").await.text().await.unwrap();
    result.rsplit(' ').next().unwrap().trim().to_owned()
}
