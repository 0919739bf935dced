//! What is the agent's plan? Either `TodoWrite` gives it whole, or the task tools change one list step by step.
//!
//! The list begins where folding begins: a fold from the middle of a journal knows the tasks that it has seen.

use protocol::item::{ItemBody, PlanEntry};
use serde_json::Value;

use crate::plan::{plan, plan_entry};
use crate::sheet::Sheet;

/// Tasks that are kept; an agent that makes more loses sight of the oldest.
const TASKS: usize = 500;

#[derive(Debug)]
struct Task {
    /// The call that made it, until its result gives the id.
    call: String,
    id: Option<String>,
    entry: PlanEntry,
}

/// The list that `TaskCreate` and `TaskUpdate` keep.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    list: Vec<Task>,
}

impl Tasks {
    /// A call that changes the plan adds the plan as it is now. Whether it does depends on the call alone.
    pub(super) fn note_call(&mut self, block: &Value, parent: Option<&str>, sheet: &mut Sheet) {
        let input = &block["input"];
        match block["name"].as_str().unwrap_or_default() {
            "TodoWrite" if input["todos"].is_array() => {
                sheet.add(parent, ItemBody::Plan { entries: plan(&input["todos"]) });
                return;
            }
            "TaskCreate" => self.create(block["id"].as_str().unwrap_or_default(), input),
            "TaskUpdate" => self.update(input),
            _ => return,
        }
        sheet.add(parent, ItemBody::Plan { entries: self.list.iter().map(|task| task.entry.clone()).collect() });
    }

    fn create(&mut self, call: &str, input: &Value) {
        if self.list.len() >= TASKS {
            self.list.remove(0);
        }
        let entry = plan_entry(input["subject"].as_str().unwrap_or_default(), &Value::Null);
        self.list.push(Task { call: call.to_owned(), id: None, entry });
    }

    fn update(&mut self, input: &Value) {
        let Some(id) = id_of(&input["taskId"]) else { return };
        let status = &input["status"];
        if status == "deleted" {
            return self.list.retain(|task| task.id.as_deref() != Some(&id));
        }
        let Some(task) = self.list.iter_mut().find(|task| task.id.as_deref() == Some(&id)) else {
            let entry = plan_entry(input["subject"].as_str().unwrap_or(&format!("Task {id}")), status);
            return self.list.push(Task { call: String::new(), id: Some(id), entry });
        };
        if let Some(subject) = input["subject"].as_str() {
            subject.clone_into(&mut task.entry.content);
        }
        if status.is_string() {
            task.entry.status = plan_entry("", status).status;
        }
    }

    /// The result of a call tells the id of the task that it made.
    pub(super) fn note_result(&mut self, call: &str, structured: &Value) {
        if let Some(task) = self.list.iter_mut().find(|task| task.call == call && !call.is_empty()) {
            task.id = id_of(&structured["task"]["id"]);
            task.call.clear();
        }
    }
}

fn id_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|id| id.to_string()))
}
