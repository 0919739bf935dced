//! The adapter `raw`, for a provider of the user's own whose events nobody knows: each becomes an item that can be unfolded.

use crate::adapter::{Adapter, Hint, Weight, fold_text_line, readable, unknown};
use crate::sheet::Sheet;

/// Knows no event.
#[derive(Debug)]
pub(crate) struct Raw;

impl Adapter for Raw {
    fn weigh(&mut self, _event: &str) -> Weight {
        // Nobody knows whether it was work, so nothing of this turn is done once more.
        Weight::Durable { closes: None, hints: vec![Hint::Said] }
    }

    fn fold(&mut self, event: &str, sheet: &mut Sheet) {
        let Some(event) = readable(event, sheet) else { return };
        if fold_text_line(&event, sheet) {
            return;
        }
        let label = event["type"].as_str().or_else(|| event["method"].as_str()).unwrap_or("event").to_owned();
        sheet.add(None, unknown(&label, event));
    }
}
