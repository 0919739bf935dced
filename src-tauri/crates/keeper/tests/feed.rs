//! What readers pull from: each gets every record and every character once, whenever it looks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use bytes::Bytes;
use journal::Appended;
use outrigger_keeper::feed::{BlockChange, Cursor, Feed, Records, Unwritten, Update};
use protocol::limits::RECENT_BYTES;
use protocol::pod::{PodState, PodStatus, Recording};
use protocol::provider::PermissionMode;
use protocol::record::BlockKind;
use protocol::runner::Usage;
use providers::Delta;

fn status() -> PodStatus {
    PodStatus {
        session: protocol::SessionId::new(),
        generation: 1,
        state: PodState::Idle,
        last_turn: None,
        queue: vec![],
        permissions: vec![],
        background_tasks: 0,
        usage: Usage::default(),
        capabilities: None,
        model: None,
        permission_mode: PermissionMode::Ask,
        permission_policy: protocol::permission::PermissionPolicy::Ask,
        rules: Vec::new(),
        native_session_id: None,
        cli_version: None,
        auth: None,
        offers: protocol::offers::AgentOffers::default(),
        recording: Recording::On,
        version: 0,
        health: protocol::health::Health::default(),
        retry: None,
        statistics: protocol::session::SessionStatistics::default(),
        parent: None,
        confinement: None,
    }
}

fn records(first: u64, last: u64, size: usize) -> Update {
    let records = Some(Appended { first, last, bytes: Bytes::from(vec![b'x'; size]) });
    Update { records, ..Update::default() }
}

fn grew(key: &str, text: &str) -> Update {
    let delta = Delta { block: key.into(), kind: BlockKind::Message, parent: None, text: text.into() };
    Update { blocks: vec![BlockChange::Grew(delta)], ..Update::default() }
}

/// Looks, and moves the cursor as a reader does.
fn read_text(feed: &Feed, cursor: &mut Cursor) -> String {
    let look = feed.look(cursor, true);
    let mut text = String::new();
    for (block, has) in look.blocks {
        text.push_str(&block.text);
        cursor.blocks.insert(block.instance, has + block.text.len());
    }
    text
}

#[test]
fn a_reader_that_joins_in_the_middle_of_a_block_gets_the_block_so_far_and_then_the_rest() {
    let feed = Feed::new(0, status());
    let mut early = Cursor::default();
    feed.publish(grew("b", "one "), "t");
    assert_eq!(read_text(&feed, &mut early), "one ");
    feed.publish(grew("b", "two "), "t");
    let mut late = Cursor::default();
    assert_eq!(read_text(&feed, &mut late), "one two ");
    feed.publish(grew("b", "drei – drü"), "t");
    assert_eq!(read_text(&feed, &mut early), "two drei – drü", "a slow reader gets more at once");
    assert_eq!(read_text(&feed, &mut late), "drei – drü");
    assert_eq!(read_text(&feed, &mut late), "");
}

#[test]
fn a_block_of_the_same_key_is_another_block_after_the_first_was_closed() {
    let feed = Feed::new(0, status());
    let mut cursor = Cursor::default();
    feed.publish(grew("b", "first"), "t");
    read_text(&feed, &mut cursor);
    feed.publish(Update { blocks: vec![BlockChange::Closed("b".into())], ..Update::default() }, "t");
    feed.publish(grew("b", "second"), "t");
    assert_eq!(read_text(&feed, &mut cursor), "second");
}

#[test]
fn records_are_in_memory_while_they_are_new_and_in_the_journal_after() {
    let feed = Feed::new(10, status());
    let cursor = |seq| Cursor { seq, ..Cursor::default() };
    assert!(matches!(feed.look(&cursor(10), false).records, Records::None));
    assert!(matches!(feed.look(&cursor(4), false).records, Records::InJournal { oldest_recent: None }));
    feed.publish(records(11, 12, 100), "t");
    feed.publish(records(13, 13, 100), "t");
    assert!(matches!(&feed.look(&cursor(10), false).records, Records::Recent(pieces) if pieces.len() == 2));
    assert!(matches!(&feed.look(&cursor(12), false).records, Records::Recent(pieces) if pieces.len() == 1));
    feed.publish(records(14, 14, RECENT_BYTES), "t");
    assert!(matches!(feed.look(&cursor(12), false).records, Records::InJournal { oldest_recent: Some(14) }));
    assert!(matches!(&feed.look(&cursor(13), false).records, Records::Recent(_)));
}

/// Lines of records with these numbers.
fn lines(seqs: std::ops::RangeInclusive<u64>, size: usize) -> Appended {
    let line = |seq: u64| format!("{{\"seq\":{seq},\"pad\":\"{}\"}}\n", "x".repeat(size));
    let (first, last) = (*seqs.start(), *seqs.end());
    Appended { first, last, bytes: Bytes::from(seqs.map(line).collect::<String>()) }
}

fn remember(feed: &Feed, records: &Appended) {
    feed.publish(Update { records: Some(records.clone()), ..Update::default() }, "t");
}

#[test]
fn what_the_journal_does_not_have_stays_in_memory_until_it_has_it() {
    let feed = Feed::new(10, status());
    let cursor = |seq| Cursor { seq, ..Cursor::default() };
    let pieces: Vec<Appended> = (0..8).map(|n| lines(11 + 2 * n..=12 + 2 * n, RECENT_BYTES / 4)).collect();
    remember(&feed, &pieces[0]);
    assert_eq!(feed.unwritten(), None);
    feed.hold(Some(Unwritten { first: 13, written_bytes: 500 }));
    pieces[1..].iter().for_each(|records| remember(&feed, records));
    let Records::Recent(all) = feed.look(&cursor(12), false).records else { panic!("records were let go of") };
    assert_eq!(all.concat(), pieces[1..].iter().flat_map(|records| records.bytes.to_vec()).collect::<Vec<u8>>());
    assert!(matches!(feed.look(&cursor(10), false).records, Records::InJournal { oldest_recent: Some(13) }));

    let (written, unwritten) = feed.unwritten().unwrap();
    assert_eq!((written, unwritten.to_vec()), (500, all.concat()));
    // The oldest one was dropped, and the reader that comes now is not told of it.
    feed.hold(Some(Unwritten { first: 14, written_bytes: 500 }));
    assert!(feed.unwritten().unwrap().1.starts_with(b"{\"seq\":14,"));

    feed.hold(None);
    assert_eq!(feed.unwritten(), None);
    assert!(matches!(feed.look(&cursor(12), false).records, Records::InJournal { .. }), "as small as ever");
    assert!(matches!(feed.look(&cursor(24), false).records, Records::Recent(_)));
}

#[test]
fn the_status_is_told_once_for_each_change() {
    let feed = Feed::new(0, status());
    let first = feed.look(&Cursor::default(), false).status.unwrap();
    let seen = Cursor { status_version: first.1, ..Cursor::default() };
    feed.publish(Update { status: Some((*first.0).clone()), ..Update::default() }, "t");
    assert!(feed.look(&seen, false).status.is_none(), "the same again is no change");
    let working = PodState::Working { on: protocol::pod::Work::Model, since: "t".into() };
    feed.publish(Update { status: Some(PodStatus { state: working, ..(*first.0).clone() }), ..Update::default() }, "t");
    assert!(feed.look(&seen, false).status.is_some());
}

#[test]
fn the_version_of_the_status_counts_changes_and_nothing_else() {
    let first = status();
    let feed = Feed::new(0, first.clone());
    assert_eq!(feed.status().version, 1);
    let publish =
        |status: &PodStatus| feed.publish(Update { status: Some(status.clone()), ..Update::default() }, "now");
    publish(&first);
    assert_eq!(feed.status().version, 1, "nothing changed");
    publish(&PodStatus { background_tasks: 3, ..first.clone() });
    publish(&PodStatus { background_tasks: 3, ..first.clone() });
    assert_eq!(feed.status().version, 2);
    publish(&first);
    let (seen, version) = feed.look(&Cursor::default(), false).status.unwrap();
    assert_eq!((seen.version, version), (3, 3));
}
