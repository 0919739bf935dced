//! What does the journal say first when a keeper has taken a session?

use std::path::Path;

use journal::Recovery;
use protocol::record::{HostRecord, NoticeLevel};
use protocol::session::{KeeperOrder, SessionMeta};

use crate::recorder::Recorder;

/// Tells that the session is hosted, what was repaired, and whether the conversation could be resumed.
pub(crate) fn tell(recorder: &mut Recorder, order: &KeeperOrder, meta: &SessionMeta, recovery: &Recovery) {
    recorder.host(&opened_record(order));
    tell_recovery(recorder, recovery);
    tell_fresh_start(recorder, order, meta);
    tell_untrusted(recorder, order, meta);
}

/// Sidecars that nobody has trusted offer nothing, which must not go unnoticed.
fn tell_untrusted(recorder: &mut Recorder, order: &KeeperOrder, meta: &SessionMeta) {
    let Some(config) = &order.config else { return };
    let text = match toolbox::broker::untrusted(Path::new(config), Path::new(&meta.workspace)) {
        0 => return,
        1 => "1 tool sidecar of this workspace waits for your trust, so its tools are not offered.".to_owned(),
        count => {
            format!("{count} tool sidecars of this workspace wait for your trust, so their tools are not offered.")
        }
    };
    let text = format!(
        "{text} `outrigger sidecar list` names what waits, and `outrigger sidecar trust NAME` shows what it would run."
    );
    recorder.host(&HostRecord::Notice { level: NoticeLevel::Info, code: "sidecars_untrusted".to_owned(), text });
}

fn opened_record(order: &KeeperOrder) -> HostRecord {
    HostRecord::Opened {
        provider: order.start.provider.clone(),
        cwd: order.start.cwd.clone(),
        model: order.start.model.clone(),
        permission_mode: order.start.permission_mode.unwrap_or_default(),
        resumes: order.start.resume_session_id.clone(),
        permissions: order.start.permissions,
    }
}

fn tell_recovery(recorder: &mut Recorder, recovery: &Recovery) {
    if !recovery.missing.is_empty() {
        // The journal says so itself, in its first new record.
        tracing::warn!(missing = ?recovery.missing, "records that were shown on a full disk are not in the journal");
    }
    if recovery.torn > 0 {
        let text = format!(
            "The journal's last line had been torn by a crash; its {} bytes were cut off. Everything before is whole.",
            recovery.torn
        );
        tracing::warn!(torn = recovery.torn, "the journal's torn end was cut off");
        recorder.host(&HostRecord::Notice { level: NoticeLevel::Warning, code: "torn_tail".to_owned(), text });
    }
}

/// A session that goes on without its conversation says so: the agent knows nothing of what stands above.
fn tell_fresh_start(recorder: &mut Recorder, order: &KeeperOrder, meta: &SessionMeta) {
    if meta.generation <= 1 || order.start.resume_session_id.is_some() {
        return;
    }
    let provider = &order.provider_name;
    let text = match meta.lost_native_ids.last() {
        Some(lost) => format!(
            "{provider} no longer knows the conversation {lost}, so it could not be resumed. This is a new conversation: \
             the agent knows nothing of what stands above."
        ),
        None => format!(
            "{provider} never told an id for the conversation above, so it could not be resumed. This is a new \
             conversation: the agent knows nothing of what stands above."
        ),
    };
    recorder.host(&HostRecord::Notice { level: NoticeLevel::Warning, code: "not_resumed".to_owned(), text });
}
