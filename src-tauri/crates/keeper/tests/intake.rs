//! What becomes of a runner's lines: nothing is lost, whatever they are, and deltas never reach the journal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use outrigger_keeper::exchange::Input;
use outrigger_keeper::feed::BlockChange;
use outrigger_keeper::intake::{Intake, Piece, Taken};
use process::Line;
use protocol::runner::RunnerLine;

fn intake() -> Intake {
    Intake::new(providers::adapter("demo").unwrap())
}

fn line(bytes: &[u8]) -> Line {
    Line { bytes: bytes.to_vec().into(), cut_from: None }
}

fn recorded(taken: &Taken<'_>) -> Vec<String> {
    taken
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Json { text, .. } => format!("json {text}"),
            Piece::Text { bytes, cut_from } => format!("text {} {cut_from:?}", bytes.len()),
        })
        .collect()
}

#[test]
fn a_delta_is_streamed_and_the_finished_block_is_recorded() {
    let lines = [
        line(br#"{"type":"agent_event","sessionId":"s","event":{"type":"text_delta","block":0,"text":"Hel"}}"#),
        line(br#"{"type":"agent_event","sessionId":"s","event":{"type":"text_delta","block":0,"text":"lo"}}"#),
        line(br#"{"type":"agent_event","sessionId":"s","event":{"type":"text","block":0,"text":"Hello"}}"#),
    ];
    let mut intake = intake();
    let taken = intake.take(&lines);
    assert_eq!(taken.lines, 3);
    assert_eq!(recorded(&taken).len(), 1, "the deltas are not records");
    let (grown, closed): (Vec<_>, Vec<_>) =
        taken.blocks.iter().partition(|change| matches!(change, BlockChange::Grew(_)));
    assert_eq!((grown.len(), closed.len()), (2, 1));
    let closes = taken.pieces.iter().any(|piece| matches!(piece, Piece::Json { closes: Some(_), .. }));
    assert!(closes, "the record names the block that it finishes");
}

#[test]
fn garbage_cut_and_broken_lines_are_kept_and_later_lines_are_understood() {
    let mut cut = line(&[b'x'; 100]);
    cut.cut_from = Some(12 << 20);
    let lines = [
        line(b"this is no JSON"),
        line(b"[1,2]"),
        line(b""),
        line(b"   "),
        line(b"{\"type\":\"agent_event\",\"event\":{\"type\":\"text\",\"block\":0,\"text\":\"a\xff\"}}"),
        cut,
        line(br#"{"type":"turn_started","turnId":"t"}"#),
    ];
    let mut intake = intake();
    let taken = intake.take(&lines);
    let recorded = recorded(&taken);
    assert_eq!(recorded.len(), 6, "{recorded:?}");
    assert_eq!(recorded[0], "text 15 None");
    assert_eq!(recorded[1], "text 5 None", "JSON, but no object");
    assert!(recorded[2].starts_with("text"), "the bytes as they came");
    assert!(recorded[3].contains("a\u{fffd}"), "and the event with the byte replaced");
    assert_eq!(recorded[4], "text 100 Some(12582912)");
    assert!(matches!(taken.inputs[..], [Input::Output, Input::Hinted(_), Input::Line(RunnerLine::TurnStarted { .. })]));
}

#[test]
fn unknown_types_are_recorded_and_handed_on_as_unknown() {
    let lines = [line(br#"{"type":"from_the_future","x":1}"#), line(br#"{"no":"type"}"#)];
    let mut intake = intake();
    let taken = intake.take(&lines);
    assert_eq!(recorded(&taken).len(), 2);
    assert!(matches!(taken.inputs[0], Input::Line(RunnerLine::Unknown)));
}

#[test]
fn a_line_that_ends_a_turn_is_taken_alone() {
    let lines = [
        line(br#"{"type":"agent_event","event":{"type":"text_delta","block":0,"text":"never finished"}}"#),
        line(br#"{"type":"turn_ended","turnId":"t","stopReason":"interrupted"}"#),
        line(br#"{"type":"turn_started","turnId":"u"}"#),
    ];
    let mut intake = intake();
    let first = intake.take(&lines);
    assert_eq!((first.lines, first.ends_blocks), (1, false));
    let second = intake.take(&lines[1..]);
    assert_eq!((second.lines, second.ends_blocks), (1, true));
    let third = intake.take(&lines[2..]);
    assert_eq!((third.lines, third.ends_blocks), (1, false));
}

#[test]
fn output_is_told_once_and_a_retry_of_the_cli_or_a_keep_alive_is_none() {
    let event = |event: &str| line(format!(r#"{{"type":"agent_event","event":{event}}}"#).as_bytes());
    let mut intake = Intake::new(providers::adapter("claude").unwrap());
    let retry = r#"{"type":"system","subtype":"api_retry","attempt":1,"max_retries":2,"error":"overloaded"}"#;
    let lines =
        [event(r#"{"type":"keep_alive"}"#), event(retry), line(br#"{"type":"log","level":"info","message":"x"}"#)];
    assert!(matches!(intake.take(&lines).inputs[..], [Input::Hinted(_)]));
    let spoken = r#"{"type":"stream_event","event":{"type":"message_stop"}}"#;
    let lines = [event(spoken), event(spoken), event(retry), event(spoken)];
    assert!(matches!(intake.take(&lines).inputs[..], [Input::Output, Input::Hinted(_), Input::Output]));
}

/// What a line comes to, in words, with the frame that it came in left out.
fn told(taken: &Taken<'_>) -> String {
    let pieces: Vec<String> = taken
        .pieces
        .iter()
        .map(|piece| match piece {
            Piece::Json { closes, .. } => format!("json {closes:?}"),
            Piece::Text { bytes, .. } => format!("text {}", bytes.len()),
        })
        .collect();
    format!("{pieces:?} {:?} {:?}", taken.blocks, taken.inputs)
}

#[test]
fn an_event_comes_to_the_same_in_the_usual_frame_and_in_any_other() {
    let streams = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/streams");
    let mut seen = 0;
    for adapter in ["claude", "codex", "acp", "opencode", "ollama", "demo"] {
        for file in std::fs::read_dir(streams.join(adapter)).into_iter().flatten().flatten() {
            let text = std::fs::read_to_string(file.path()).unwrap();
            let [mut usual, mut other] = [(); 2].map(|()| Intake::new(providers::adapter(adapter).unwrap()));
            for event in text.lines().filter(|line| line.starts_with('{')) {
                let broken = &event[..event.len() - 1];
                for event in [event, broken, &format!("{event},\"event\":{{}}")] {
                    let framed =
                        line(format!(r#"{{"type":"agent_event","sessionId":"s","event":{event}}}"#).as_bytes());
                    let turned =
                        line(format!(r#"{{"type":"agent_event","event":{event},"sessionId":"s"}}"#).as_bytes());
                    let (framed, turned) = ([framed], [turned]);
                    let (framed, turned) = (told(&usual.take(&framed)), told(&other.take(&turned)));
                    let same = framed == turned || framed.starts_with("[\"text") && turned.starts_with("[\"text");
                    assert!(same, "{}: {event}\n{framed}\n{turned}", file.path().display());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 1000, "{seen}");
}
