//! What becomes of text that is being streamed: saved in part while it grows, and made a record of ours when its provider will not
//! finish it any more.

use protocol::limits::PARTIAL_EVERY;
use protocol::record::{BlockKind, HostRecord};
use tokio::time::Instant;

use super::PodTask;
use crate::feed::{BlockChange, Update};

impl PodTask {
    /// Text that somebody has seen, and that its provider will not finish any more, becomes a record of ours.
    pub(super) fn finish_open_blocks(&mut self) {
        for block in self.feed.open_blocks() {
            match block.kind {
                BlockKind::Message | BlockKind::Thought if !block.text.is_empty() => {}
                BlockKind::Message | BlockKind::Thought | BlockKind::ToolInput | BlockKind::ToolOutput => continue,
            }
            let record = HostRecord::Block {
                block: block.key.clone(),
                kind: block.kind,
                parent: block.parent,
                text: block.text,
            };
            let records = self.recorder.host(&record);
            let blocks = vec![BlockChange::Closed(block.key)];
            self.show(Update { records, blocks, ..Update::default() });
        }
    }

    /// Writes what open blocks have gained since the last time, so that a crash loses seconds of them.
    pub(super) fn save_partials(&mut self) {
        let blocks = self.feed.open_blocks();
        self.saved.retain(|instance, _| blocks.iter().any(|block| block.instance == *instance));
        self.partial_timer = (!blocks.is_empty()).then(|| Instant::now() + PARTIAL_EVERY);
        for block in blocks {
            match block.kind {
                BlockKind::Message | BlockKind::Thought => {}
                BlockKind::ToolInput | BlockKind::ToolOutput => continue,
            }
            let from = self.saved.get(&block.instance).copied().unwrap_or(0);
            let Some(text) = block.text.get(from..).filter(|text| !text.is_empty()) else { continue };
            let record = HostRecord::Partial {
                block: block.key.clone(),
                kind: block.kind,
                parent: block.parent.clone(),
                from: from as u64,
                text: text.to_owned(),
            };
            self.saved.insert(block.instance, block.text.len());
            let records = self.recorder.host(&record);
            self.publish(records);
        }
        self.schedule_sync();
    }
}
