//! What a model is told of the tools: their names, what they do, and the schema of their arguments.
//!
//! Schemas are plain (no references, no alternatives of types), because not every provider takes more. That they agree with what
//! is really taken is checked by a test in `arguments`.

use protocol::limits::{POD_WAIT, POD_WAIT_AT_MOST};
use protocol::tools::ToolDefinition;
use serde_json::{Map, Value, json};

const SPAWN: &str = "Start another agent (a pod) below you, in the same checkout, and hand it a task. It begins at once and works while \
you go on; you are told when its turn ends. Give it a scope: what it may write is taken from you until it ends, and no two pods may \
write to the same files, so split the work by folders. The answer is an error when a scope overlaps with another pod's, does not lie \
within yours, or a budget is used up; then nothing was started. Read what it says with read_pod_output, and stop it with stop_pod \
when it is no longer needed: only then may you write in its scope again.";
const SEND: &str = "Send a message to a pod that you started. It becomes its next turn, and keeps all that the pod knows so far. Fails \
when the pod is running a turn: wait for it with wait_for_pods and retry. Does not wait for the turn to end.";
const READ: &str = "Read what a pod has said since you last read it, and what it is doing now. Only text that is new to you is returned, \
so ask again later for more. Works for pods that have ended, too.";
const STOP: &str = "Stop a pod with all pods below it. What it could write is yours again. Its work in the files stays, and so does what \
it said: read_pod_output still returns it.";
const LIST: &str = "List the pods that you started: what each is doing, how it is, what it may use, and whether it has said something \
that you have not read. Pods whose process has died are cleaned up, and their scopes are yours again.";
const WAIT: &str = "Wait until one of these pods has ended its turn, or has ended. Cheaper than asking again and again. Returns at once \
when one of them did so since you last read it, and after the time limit at the latest. Leave `names` out to wait for any of your pods.";

/// All of them.
#[must_use]
pub fn definitions() -> Vec<ToolDefinition> {
    vec![
        tool("spawn_pod", "Start a pod", SPAWN, spawn_schema()),
        tool("send_to_pod", "Send to a pod", SEND, send_schema()),
        read_only(tool("read_pod_output", "Read a pod's output", READ, name_schema())),
        tool("stop_pod", "Stop a pod", STOP, name_schema()),
        read_only(tool("list_pods", "List pods", LIST, schema(json!({}), &[]))),
        read_only(tool("wait_for_pods", "Wait for pods", WAIT, wait_schema())),
    ]
}

fn tool(name: &str, title: &str, description: &str, input_schema: Map<String, Value>) -> ToolDefinition {
    let (name, title) = (name.to_owned(), Some(title.to_owned()));
    ToolDefinition { name, title, description: description.to_owned(), input_schema, read_only: false, sidecar: None }
}

fn read_only(tool: ToolDefinition) -> ToolDefinition {
    ToolDefinition { read_only: true, ..tool }
}

fn schema(properties: Value, required: &[&str]) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), properties);
    schema.insert("required".to_owned(), json!(required));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

const NAME: &str = "The pod's name. A pod further below is `name/name-of-its-child`.";

fn name_schema() -> Map<String, Value> {
    schema(json!({ "name": text(NAME) }), &["name"])
}

fn send_schema() -> Map<String, Value> {
    let message = text("What the pod shall do or know, as its next user message.");
    schema(json!({ "name": text(NAME), "message": message }), &["name", "message"])
}

fn wait_schema() -> Map<String, Value> {
    let (usual, most) = (POD_WAIT.as_secs(), POD_WAIT_AT_MOST.as_secs());
    let names = json!({ "type": "array", "items": { "type": "string" }, "description": "The pods; all of yours when left out." });
    let seconds = json!({
        "type": "integer", "minimum": 1, "maximum": most,
        "description": format!("How long to wait at most, in seconds; {usual} when left out."),
    });
    schema(json!({ "names": names, "timeoutSeconds": seconds }), &[])
}

fn spawn_schema() -> Map<String, Value> {
    let properties = json!({
        "name": text("A short name by which you call the pod, unique among your live pods, without `/`."),
        "task": text("What the pod shall do, as its first user message. It knows nothing of your conversation: say all that it needs, \
                      and what it shall report at the end."),
        "provider": text("Which kind of agent, such as `claude`, `codex` or `gemini`; the same as you when left out."),
        "model": text("Which model; the provider's own default, or yours, when left out."),
        "instructions": text("Added to the pod's system prompt: its role, and rules that hold for all of its turns."),
        "scope": scope_schema(),
        "budget": budget_schema(),
    });
    schema(properties, &["name", "task"])
}

fn scope_schema() -> Value {
    let rule = json!({
        "permission": {
            "type": "string", "enum": ["read", "write"],
            "description": "`write` includes reading, and nobody else may write there meanwhile. Any number of pods may read the same.",
        },
        "path": text("A file or a folder, relative to the workspace; `.` is all of it. Patterns are not understood. A new folder ends with `/`."),
        "recursive": {
            "type": "boolean",
            "description": "Whether everything below a folder counts; true when left out. False: only the files directly in it, or this one \
                            file, which need not exist yet.",
        },
    });
    json!({
        "type": "array", "items": schema(rule, &["permission", "path"]),
        "description": "What the pod may use. It must lie within your own scope. The kernel enforces it: every write elsewhere is refused, \
                        and with a `read` rule only what is named may be read in the workspace. Without it the pod may do all that you may, \
                        if you work without a scope yourself.",
    })
}

fn budget_schema() -> Value {
    let count = |description: &str| json!({ "type": "integer", "minimum": 0, "description": description });
    let properties = json!({
        "depth": count("Generations of pods below it; 0 when it shall have none."),
        "children": count("Live pods below any one pod."),
        "pods": count("Live pods below it in all."),
        "spawns": count("Pods that may ever be started below it."),
        "spawnsPerMinute": count("Pods that may be started below it within a minute."),
        "turns": count("Turns of it and all below it."),
        "costUsd": { "type": "number", "minimum": 0, "description": "US dollars that it and all below it may cost." },
        "wallSeconds": count("Seconds from now on; then no further turn begins."),
    });
    let mut budget = schema(properties, &[]);
    let words = "Limits of the pod and all that it starts, beside yours, which hold for it anyway. What is left out is not limited.";
    budget.insert("description".to_owned(), json!(words));
    Value::Object(budget)
}
