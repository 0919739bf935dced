//! The tools by which an agent commands other agents: spawn_pod, send_to_pod, read_pod_output, stop_pod, list_pods, wait_for_pods.
//!
//! Responsible for what a model reads (names, descriptions, schemas, answers) and for who may reach whom: an agent reaches what it
//! has spawned, and what these have. What is decided, is decided in the ledger by `scopes`; what is done, is done by `client`.

mod answer;
mod arguments;
mod definitions;
mod family;
mod list;
mod output;
mod read;
mod send;
mod spawn;
mod state;
mod stop;
mod wait;

use client::Machine;
use protocol::SessionId;
use protocol::tools::{PodToolOrder, ToolAnswer};
use tokio::sync::watch;

use crate::answer::Failed;

pub use definitions::definitions;

/// Who calls, from where, and whether somebody still waits.
pub(crate) struct Call<'a> {
    pub(crate) machine: &'a Machine,
    /// The session whose agent calls.
    pub(crate) caller: SessionId,
    /// True once nobody waits for the answer any more.
    pub(crate) cancelled: watch::Receiver<bool>,
}

/// Does one call. What goes wrong is an answer too, in words for the model. When `cancelled` becomes true, what waits ends its
/// wait, and a pod that was spawned for nobody is stopped again.
pub async fn call(machine: &Machine, order: &PodToolOrder, cancelled: watch::Receiver<bool>) -> ToolAnswer {
    let call = Call { machine, caller: order.session, cancelled };
    let arguments = &order.call.arguments;
    let answer = match order.call.name.as_str() {
        "spawn_pod" => spawn::spawn(call, arguments).await,
        "send_to_pod" => send::send(call, arguments).await,
        "read_pod_output" => read::read(call, arguments).await,
        "stop_pod" => stop::stop(call, arguments).await,
        "list_pods" => list::list(call, arguments).await,
        "wait_for_pods" => wait::wait(call, arguments).await,
        other => Err(Failed::unknown_tool(other)),
    };
    answer.unwrap_or_else(|failed| ToolAnswer::failed(failed.words()))
}
