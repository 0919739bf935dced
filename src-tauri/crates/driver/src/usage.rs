//! What did a turn use? Read from the CLI's `result`.
//!
//! `total_cost_usd` is cumulative, in newer versions of claude over resumes too; so the cost of a turn is taken from
//! `model_usage_since_last_result`, or from the difference to the result before.

use protocol::runner::Usage;
use serde_json::Value;

use crate::cli_line::CliLine;

/// Adds up what each turn used, and keeps what the context holds.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    total_cost: f64,
    context_used: Option<u64>,
}

impl Meter {
    /// Notes the context's size from the beginning and the end of each message of the main conversation.
    pub(crate) fn note(&mut self, line: &CliLine) {
        let event = line.field("event");
        if !line.field("parent_tool_use_id").is_null() {
            return;
        }
        let usage = match event["type"].as_str() {
            Some("message_start") => &event["message"]["usage"],
            Some("message_delta") => &event["usage"],
            Some(_) | None => return,
        };
        let Some(input) = usage["input_tokens"].as_u64() else { return };
        let rest = ["cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"];
        let rest: u64 = rest.iter().filter_map(|name| usage[*name].as_u64()).sum();
        self.context_used = Some(input + rest);
    }

    /// What the turn of this result used. `model` is the conversation's main one.
    pub(crate) fn of_turn(&mut self, result: &CliLine, model: Option<&str>) -> Usage {
        let usage = result.field("usage");
        Usage {
            input_tokens: usage["input_tokens"].as_u64(),
            output_tokens: usage["output_tokens"].as_u64(),
            cache_read_tokens: usage["cache_read_input_tokens"].as_u64(),
            cache_write_tokens: usage["cache_creation_input_tokens"].as_u64(),
            cost_usd: self.cost(result),
            context_used: self.context_used,
            context_size: context_size(result.field("modelUsage"), model),
        }
    }

    fn cost(&mut self, result: &CliLine) -> Option<f64> {
        let total = result.field("total_cost_usd").as_f64();
        let before = total.map_or(self.total_cost, |total| std::mem::replace(&mut self.total_cost, total));
        match result.field("model_usage_since_last_result") {
            Value::Object(models) => Some(models.values().filter_map(|used| used["costUSD"].as_f64()).sum()),
            _ => total.map(|total| (total - before).max(0.0)),
        }
    }
}

fn context_size(models: &Value, model: Option<&str>) -> Option<u64> {
    let models = models.as_object()?;
    let main = model.and_then(|model| models.get(model)).or_else(|| models.values().next())?;
    main["contextWindow"].as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CliLine {
        CliLine::read(text.as_bytes(), true).unwrap()
    }

    #[test]
    fn the_cost_of_a_turn_is_not_the_cost_of_the_session() {
        let mut meter = Meter::default();
        let cost = |meter: &mut Meter, text: &str| meter.of_turn(&line(text), None).cost_usd;
        assert_eq!(cost(&mut meter, r#"{"type":"result","total_cost_usd":0.5}"#), Some(0.5));
        assert_eq!(cost(&mut meter, r#"{"type":"result","total_cost_usd":0.75}"#), Some(0.25));
        assert_eq!(cost(&mut meter, r#"{"type":"result","total_cost_usd":0.1}"#), Some(0.0), "it began anew");
        let resumed =
            r#"{"type":"result","total_cost_usd":9.5,"model_usage_since_last_result":{"a":{"costUSD":0.25},"b":{}}}"#;
        assert_eq!(cost(&mut meter, resumed), Some(0.25));
        assert_eq!(cost(&mut meter, r#"{"type":"result"}"#), None, "unknown is not free");
    }

    #[test]
    fn the_context_is_that_of_the_main_conversation() {
        let mut meter = Meter::default();
        meter.note(&line(
            r#"{"type":"stream_event","event":{"type":"message_start","message":{"usage":{"input_tokens":10,"cache_read_input_tokens":5}}}}"#,
        ));
        meter.note(&line(
            r#"{"type":"stream_event","parent_tool_use_id":"t","event":{"type":"message_delta","usage":{"input_tokens":9000}}}"#,
        ));
        meter.note(&line(r#"{"type":"stream_event","event":{"type":"content_block_delta"}}"#));
        let result = r#"{"type":"result","usage":{"input_tokens":3},"modelUsage":{"a":{"contextWindow":1},"b":{"contextWindow":200000}}}"#;
        let usage = meter.of_turn(&line(result), Some("b"));
        assert_eq!((usage.context_used, usage.context_size, usage.input_tokens), (Some(15), Some(200_000), Some(3)));
    }
}
