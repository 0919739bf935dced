//! What `pod/status` tells, put together from those who know.

use protocol::health::Health;
use protocol::pod::PodStatus;
use protocol::session::{KeeperOrder, SessionMeta};

use crate::holding::Holding;
use crate::pod_state::Pod;
use crate::recorder::Recorder;

/// The pod as it is now. Its version is counted where it is published.
pub(crate) fn status(
    order: &KeeperOrder,
    meta: &SessionMeta,
    pod: &Pod,
    recorder: &Recorder,
    health: &Health,
    holding: &Holding,
) -> PodStatus {
    let facts = pod.facts();
    PodStatus {
        session: order.session,
        generation: meta.generation,
        state: pod.state(),
        last_turn: pod.last_turn(),
        queue: pod.queue(),
        permissions: pod.permissions(),
        background_tasks: pod.background_tasks(),
        usage: facts.usage,
        capabilities: Some(facts.capabilities),
        model: facts.model.clone(),
        permission_mode: facts.permission_mode,
        permission_policy: facts.policy,
        rules: facts.rules.clone(),
        native_session_id: facts.native_session_id.clone(),
        cli_version: facts.cli_version.clone(),
        auth: facts.auth.clone(),
        offers: facts.offers.clone(),
        recording: recorder.recording().clone(),
        version: 0,
        health: health.clone(),
        retry: pod.retry(),
        statistics: meta.statistics.clone(),
        parent: meta.parent,
        confinement: holding.confinement(),
    }
}
