//! The archive over real session folders: what is found, what is summed up, and what happens when somebody else was at the files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use journal::SessionFolder;
use outrigger_archive::{Adapters, Archive, Feeding};
use proptest::prelude::*;
use protocol::SessionId;
use protocol::archive::{SearchAnswer, SearchKind, SearchRequest, UsageBy, UsageReport, UsageRequest};
use protocol::limits::SEARCH_WEIGHED;
use serde_json::{Value, json};

/// Sessions and an archive over them.
struct Place {
    folder: tempfile::TempDir,
    archive: Archive,
    adapters: Adapters,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::at(&folder.path().join("archive.sqlite3"), &folder.path().join("sessions"));
        Self { folder, archive, adapters: Adapters::new([("demo".to_owned(), "demo".to_owned())]) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("archive.sqlite3")
    }

    fn session(&self, provider: &str, workspace: &str, title: &str) -> Session {
        self.child(provider, workspace, title, None)
    }

    fn child(&self, provider: &str, workspace: &str, title: &str, parent: Option<SessionId>) -> Session {
        let id = SessionId::new();
        let folder = SessionFolder::create(&self.folder.path().join("sessions"), id).unwrap();
        let meta = json!({"session": id, "provider": provider, "workspace": workspace, "cwd": workspace, "title": title, "parent": parent,
            "createdAt": "2026-11-01T00:00:00.000Z", "updatedAt": "2026-11-01T00:00:00.000Z", "generation": 1,
            "start": {"provider": provider, "cwd": workspace}});
        fs::write(folder.meta(), meta.to_string()).unwrap();
        let mut session = Session { id, folder, seq: 0 };
        session.line(&json!({"type": "journal", "format": 1, "session": id}));
        session
    }

    fn feeding(&self) -> Feeding<'_> {
        Feeding { adapters: &self.adapters, until: None, stop: None }
    }

    fn search(&self, text: &str) -> SearchAnswer {
        self.search_for(SearchRequest { text: text.to_owned(), ..SearchRequest::default() })
    }

    fn search_for(&self, request: SearchRequest) -> SearchAnswer {
        self.archive.search(&request, &self.feeding()).unwrap()
    }

    fn usage(&self, by: UsageBy) -> UsageReport {
        self.archive.usage(&UsageRequest { by, since: None, provider: None, workspace: None }, &self.feeding()).unwrap()
    }
}

struct Session {
    id: SessionId,
    folder: SessionFolder,
    seq: u64,
}

impl Session {
    fn line(&mut self, value: &Value) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.folder.journal()).unwrap();
        writeln!(file, "{value}").unwrap();
    }

    fn record(&mut self, at: &str, src: &str, line: &Value) -> u64 {
        self.seq += 1;
        // The number stands first, as in every journal.
        let text = format!(r#"{{"seq":{},"at":"{at}","src":"{src}","gen":1,"line":{line}}}"#, self.seq);
        let mut file = OpenOptions::new().append(true).open(self.folder.journal()).unwrap();
        writeln!(file, "{text}").unwrap();
        self.seq
    }

    fn prompt(&mut self, at: &str, text: &str) -> u64 {
        let line = json!({"type": "prompt", "text": text, "delivery": "prompt", "from": null, "promptId": "p"});
        self.record(at, "host", &line)
    }

    fn says(&mut self, at: &str, text: &str) -> u64 {
        let line = json!({"type": "block", "block": "b", "kind": "message", "parent": null, "text": text});
        self.record(at, "host", &line)
    }

    fn opened(&mut self, at: &str, provider: &str, model: Option<&str>) {
        let line = json!({"type": "opened", "provider": provider, "cwd": "/w", "model": model, "permissionMode": "ask",
            "resumes": null});
        self.record(at, "host", &line);
    }

    fn turn(&mut self, at: &str, usage: &Value) {
        let line =
            json!({"type": "turn_ended", "sessionId": "s", "turnId": "t", "stopReason": "endTurn", "usage": usage});
        self.record(at, "runner", &line);
    }
}

const MONDAY: &str = "2026-11-16T12:00:00.000Z";
const TUESDAY: &str = "2026-11-17T12:00:00.000Z";

fn titles(answer: &SearchAnswer) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.title.as_str()).collect()
}

#[test]
fn words_beginnings_and_phrases_are_found_where_they_stand() {
    let place = Place::new();
    let mut first = place.session("demo", "/w/one", "first");
    first.prompt(MONDAY, "Mend the broken lamp");
    let seq = first.says(MONDAY, "The café lamp was not broken, its lens was.");
    place.session("demo", "/w/two", "second").prompt(TUESDAY, "Paint the lighthouse");
    let hit = &place.search("cafe LENS").hits[0];
    assert_eq!((hit.session, hit.seq, hit.item.as_str()), (first.id, seq, "2.0"));
    assert_eq!((hit.kind, hit.at.as_str(), hit.workspace.as_str()), (SearchKind::Message, MONDAY, "/w/one"));
    let marked: Vec<&str> = hit.snippet.iter().filter(|part| part.hit).map(|part| part.text.as_str()).collect();
    assert_eq!(marked, ["café", "lens"]);
    assert_eq!(titles(&place.search("ligh")), ["second"], "the last word may be a beginning");
    assert!(place.search("ligh paint").hits.is_empty(), "only the last one");
    assert_eq!(place.search("\"broken lamp\"").hits.len(), 1, "a phrase stands together");
    assert_eq!(place.search("broken lamp").hits.len(), 2);
}

#[test]
fn filters_narrow_what_is_found() {
    let place = Place::new();
    place.session("demo", "/w/one", "one").prompt(MONDAY, "lamp");
    place.session("other", "/w/one/deep", "two").prompt(TUESDAY, "lamp");
    place.session("other", "/w/onerous", "three").prompt(TUESDAY, "lamp");
    let with = |request: SearchRequest| {
        let answer = place.search_for(SearchRequest { text: "lamp".to_owned(), ..request });
        let mut found: Vec<String> = answer.hits.into_iter().map(|hit| hit.title).collect();
        found.sort();
        found
    };
    let none = SearchRequest::default;
    assert_eq!(with(SearchRequest { provider: Some("other".into()), ..none() }), ["three", "two"]);
    assert_eq!(with(SearchRequest { workspace: Some("/w/one/".into()), ..none() }), ["one", "two"]);
    assert_eq!(with(SearchRequest { since: Some("2026-11-17T00:00:00Z".into()), ..none() }), ["three", "two"]);
    let answer = place.search_for(SearchRequest { text: "lamp".into(), limit: 2, ..none() });
    assert!(answer.hits.len() == 2 && answer.more);
    let bad = SearchRequest { since: Some("soon".into()), ..none() };
    assert!(place.archive.search(&bad, &place.feeding()).unwrap_err().to_string().contains("soon"));
}

#[test]
fn of_a_common_word_the_newest_are_found_first_and_every_filter_reaches_the_oldest() {
    let place = Place::new();
    place.session("other", "/w/old", "oldest").prompt("2026-01-01T00:00:00.000Z", "lamp and lens");
    place.session("third", "/w/old", "lamps").prompt("2026-01-02T00:00:00.000Z", "lamps");
    let mut session = place.session("demo", "/w/new", "new");
    let common = SEARCH_WEIGHED as u64 + 100;
    for number in 0..common {
        session.prompt(
            &format!("2026-11-16T{:02}:{:02}:{:02}.000Z", number / 3600, number / 60 % 60, number % 60),
            "lamp",
        );
    }
    session.says(TUESDAY, "lamp lamp lamp");
    let answer = place.search("lamp");
    assert!(answer.newest_first && answer.more && answer.hits.len() == 20);
    let seqs: Vec<u64> = answer.hits.iter().map(|hit| hit.seq).collect();
    assert_eq!(seqs, (common - 18..=common + 1).rev().collect::<Vec<_>>());
    let with = |text: &str, request: SearchRequest| {
        let answer = place.search_for(SearchRequest { text: text.to_owned(), ..request });
        (titles(&answer).join(","), answer.newest_first, answer.more)
    };
    let none = SearchRequest::default;
    let of = |provider: &str| SearchRequest { provider: Some(provider.to_owned()), ..none() };
    let only = |title: &str| (title.to_owned(), true, false);
    assert_eq!(with("lamp", of("other")), only("oldest"));
    assert_eq!(with("lamp", of("third")), only("lamps"), "where the word itself is not, it may be a beginning");
    assert_eq!(with("lamp", SearchRequest { workspace: Some("/w/old".into()), ..none() }), only("lamps,oldest"));
    assert_eq!(with("lamp", SearchRequest { kinds: vec![SearchKind::Message], ..none() }), only("new"));
    assert_eq!(with("lamp", SearchRequest { since: Some(TUESDAY.into()), ..none() }), only("new"));
    assert_eq!(with("lens lamp", none()), only("oldest"), "with a rare word beside it");
    assert_eq!(with("lam", of("other")), only("oldest"), "a beginning may be common too");
    assert_eq!(with("lens", none()), ("oldest".to_owned(), false, false), "a rare word is weighed");
    let marked = place.search_for(SearchRequest { text: "lam".to_owned(), limit: 500, ..none() });
    assert!(
        marked.hits.len() == 500
            && marked.more
            && marked.hits.iter().all(|hit| hit.snippet.iter().any(|part| part.hit))
    );
}

#[test]
fn a_session_that_grows_is_found_as_it_is_now() {
    let place = Place::new();
    let mut session = place.session("demo", "/w", "growing");
    session.prompt(MONDAY, "lamp");
    let partial = |text: &str, from: u64| json!({"type": "partial", "block": "b", "kind": "message", "parent": null, "from": from, "text": text});
    session.record(MONDAY, "host", &partial("half a keeper", 0));
    assert_eq!(place.search("keeper").hits.len(), 1);
    // Half a line is none yet.
    let mut file = OpenOptions::new().append(true).open(session.folder.journal()).unwrap();
    write!(file, r#"{{"seq":3,"at":"{MONDAY}","src":"host","gen":1,"line":{{"type":"block","block":"b","#).unwrap();
    assert!(place.search("whole").hits.is_empty());
    writeln!(file, r#""kind":"message","parent":null,"text":"a whole lantern"}}}}"#).unwrap();
    let whole = place.search("whole lantern");
    assert_eq!((whole.hits.len(), whole.hits[0].item.as_str()), (1, "2.0"));
    assert!(place.search("half").hits.is_empty(), "the finished block takes the place of its beginning");
    assert_eq!(place.search("lamp").hits.len(), 1, "nothing is there twice");
    fs::remove_dir_all(session.folder.path()).unwrap();
    assert!(place.search("lamp").hits.is_empty(), "a session that is no more is not found");
}

#[test]
fn a_feeding_that_was_ended_goes_on_where_it_was() {
    let place = Place::new();
    for number in 0..3 {
        let mut session = place.session("demo", "/w", &format!("s{number}"));
        session.prompt(MONDAY, &format!("lamp{number} {}", "filler ".repeat(1000)));
    }
    let over = Feeding { until: Some(Instant::now()), ..place.feeding() };
    let request = SearchRequest { text: "lamp1".to_owned(), ..SearchRequest::default() };
    let answer = place.archive.search(&request, &over).unwrap();
    assert!(answer.hits.is_empty() && answer.state.sessions_behind == 3 && answer.state.bytes_behind > 20_000);
    let answer = place.search("lamp1");
    assert_eq!((answer.hits.len(), answer.state.sessions_behind), (1, 0));
    assert_eq!(place.archive.search(&request, &over).unwrap().state.sessions_behind, 0, "all is there already");
}

#[test]
fn a_compressed_session_is_found_before_and_after() {
    let place = Place::new();
    let mut session = place.session("demo", "/w", "old");
    session.prompt(MONDAY, "lamp");
    let pack = |session: &Session| {
        assert!(journal::retention::compress(&session.folder).unwrap().is_some());
        assert!(!session.folder.journal().exists());
    };
    pack(&session);
    assert_eq!(place.search("lamp").hits.len(), 1);
    let mut read = place.session("demo", "/w", "read before");
    read.prompt(MONDAY, "lens");
    assert_eq!(place.search("lens").hits.len(), 1);
    pack(&read);
    assert_eq!(place.search("lens").hits.len(), 1);
    assert_eq!(place.search("lens").state.sessions_behind, 0);
}

#[test]
fn usage_is_summed_up_by_each_question() {
    let place = Place::new();
    let mut paid = place.session("demo", "/w/one", "paid");
    paid.opened(MONDAY, "demo", Some("small"));
    paid.turn(MONDAY, &json!({"inputTokens": 10, "outputTokens": 5, "cacheReadTokens": 2, "costUsd": 0.5}));
    paid.record(MONDAY, "host", &json!({"type": "changed", "model": "large", "permissionMode": null}));
    paid.turn(TUESDAY, &json!({"inputTokens": 100, "outputTokens": 50, "costUsd": 1.0}));
    let mut free = place.session("local", "/w/two", "free");
    free.turn(TUESDAY, &json!({"inputTokens": 7}));
    free.turn(TUESDAY, &Value::Null);
    let rows = |by| place.usage(by).rows.into_iter().map(|row| (row.key, row.turns, row.cost_usd)).collect::<Vec<_>>();
    let row = |key: &str, turns, cost| (key.to_owned(), turns, cost);
    assert_eq!(rows(UsageBy::Provider), [row("demo", 2, Some(1.5)), row("local", 2, None)]);
    assert_eq!(rows(UsageBy::Workspace), [row("/w/one", 2, Some(1.5)), row("/w/two", 2, None)]);
    assert_eq!(rows(UsageBy::Model), [row("large", 1, Some(1.0)), row("small", 1, Some(0.5)), row("", 2, None)]);
    assert_eq!(rows(UsageBy::Day).iter().map(|row| row.1).collect::<Vec<_>>(), [1, 3], "days come in order");
    assert_eq!(rows(UsageBy::Session)[0].0, paid.id.to_string());
    let report = place.usage(UsageBy::Day);
    let total = report.total;
    assert_eq!((total.sessions, total.turns, total.input_tokens, total.output_tokens), (2, 4, 117, 55));
    assert_eq!((total.cost_usd, total.turns_without_cost, total.turns_without_usage), (Some(1.5), 2, 1));
    assert_eq!(report.no_cost, ["local"]);
}

#[test]
fn only_the_sorts_of_items_that_are_asked_for_are_found() {
    let place = Place::new();
    let mut session = place.session("demo", "/w", "one");
    session.prompt(MONDAY, "lamp");
    session.says(MONDAY, "The lamp turns.");
    let of = |kinds: &[SearchKind]| {
        let request = SearchRequest { text: "lamp".to_owned(), kinds: kinds.to_vec(), ..SearchRequest::default() };
        place.search_for(request).hits.into_iter().map(|hit| hit.kind).collect::<Vec<_>>()
    };
    assert_eq!(of(&[SearchKind::Prompt]), [SearchKind::Prompt]);
    assert_eq!(of(&[SearchKind::Message, SearchKind::Error]), [SearchKind::Message]);
    assert_eq!(of(&[SearchKind::Thought]), []);
    assert_eq!((of(&[]).len(), of(&[SearchKind::Prompt, SearchKind::Message]).len()), (2, 2));
}

#[test]
fn usage_of_a_tree_is_that_of_its_root_and_tells_who_has_which_share() {
    let place = Place::new();
    let mut root = place.session("demo", "/w", "root");
    root.turn(MONDAY, &json!({"inputTokens": 10, "costUsd": 0.5}));
    let mut child = place.child("other", "/w", "child", Some(root.id));
    child.turn(TUESDAY, &json!({"inputTokens": 7, "outputTokens": 3, "costUsd": 1.0}));
    let mut grandchild = place.child("demo", "/w", "grandchild", Some(child.id));
    grandchild.turn(TUESDAY, &json!({"inputTokens": 1}));
    place.child("demo", "/w", "orphan", Some(SessionId::new())).turn(TUESDAY, &json!({"inputTokens": 1}));
    let rows = place.usage(UsageBy::Tree).rows;
    assert_eq!(rows.iter().map(|row| row.sessions).collect::<Vec<_>>(), [3, 1]);
    assert_eq!((rows[0].key.clone(), rows[0].cost_usd), (root.id.to_string(), Some(1.5)));
    assert_eq!(rows[0].session.as_ref().map(|session| session.title.as_str()), Some("root"));
    let shares: Vec<_> = rows[0].shares.iter().map(|one| (one.provider.as_str(), one.tokens, one.cost_usd)).collect();
    assert_eq!(shares, [("other", 10, Some(1.0)), ("demo", 11, Some(0.5))]);
    let narrowed =
        UsageRequest { by: UsageBy::Day, since: None, provider: Some("other".into()), workspace: Some("/w".into()) };
    assert_eq!(place.archive.usage(&narrowed, &place.feeding()).unwrap().total.turns, 1);
    let elsewhere = UsageRequest { workspace: Some("/v".into()), ..narrowed };
    assert_eq!(place.archive.usage(&elsewhere, &place.feeding()).unwrap().total.turns, 0);
}

#[test]
fn a_file_that_cannot_be_used_is_made_anew() {
    let place = Place::new();
    for number in 0..40 {
        place
            .session("demo", "/w", &format!("s{number}"))
            .prompt(MONDAY, &format!("lamp{number} {}", "words ".repeat(500)));
    }
    assert_eq!(place.search("lamp1").hits.len(), 11);
    let whole = fs::read(place.file()).unwrap();
    let wal = || place.folder.path().join("archive.sqlite3-wal");
    let spoilt: [Box<dyn Fn()>; 5] = [
        Box::new(|| {
            fs::write(place.file(), b"this is no database, and long enough to look like one".repeat(9)).unwrap()
        }),
        Box::new(|| fs::write(place.file(), &whole[..whole.len() / 2]).unwrap()),
        Box::new(|| {
            let mut bytes = whole.clone();
            bytes[4096..].fill(0x5a);
            fs::write(place.file(), bytes).unwrap();
        }),
        Box::new(|| {
            let other = rusqlite::Connection::open(place.file()).unwrap();
            other.pragma_update(None, "user_version", 4711).unwrap();
        }),
        Box::new(|| {
            let other = rusqlite::Connection::open(place.file()).unwrap();
            other.execute_batch("DROP TABLE items").unwrap();
        }),
    ];
    for (number, spoil) in spoilt.iter().enumerate() {
        let _ = fs::remove_file(wal());
        spoil();
        assert_eq!(place.search("lamp1").hits.len(), 11, "case {number}");
        assert_eq!(place.search("lamp39 words").hits.len(), 1, "case {number}");
    }
}

#[test]
fn while_another_one_feeds_what_is_there_is_found() {
    let place = Place::new();
    place.session("demo", "/w", "first").prompt(MONDAY, "lamp");
    assert_eq!(place.search("lamp").hits.len(), 1);
    place.session("demo", "/w", "second").prompt(MONDAY, "lamp");
    let lock = File::options().write(true).open(place.folder.path().join("archive.sqlite3.lock")).unwrap();
    lock.lock().unwrap();
    let answer = place.search("lamp");
    assert_eq!(titles(&answer), ["first"]);
    assert!(answer.state.fed_elsewhere && answer.state.sessions_behind == 1);
    lock.unlock().unwrap();
    assert_eq!(place.search("lamp").hits.len(), 2);
}

#[test]
fn a_damaged_journal_costs_only_its_damaged_lines() {
    let place = Place::new();
    let mut session = place.session("demo", "/w", "torn");
    session.prompt(MONDAY, "lamp");
    let mut file = OpenOptions::new().append(true).open(session.folder.journal()).unwrap();
    file.write_all(b"{\"seq\":2,\xff\xfe\x00 no json\n").unwrap();
    session.seq = 2;
    session.prompt(MONDAY, "lens");
    let other = place.session("demo", "/w", "without meta");
    fs::write(other.folder.meta(), b"{").unwrap();
    assert_eq!((place.search("lamp").hits.len(), place.search("lens").hits.len()), (1, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_is_an_error(text in r#"(\PC|["*^:(){}+,.\\'-]|AND|OR|NOT|NEAR|\x00|\n| ){0,60}"#) {
        thread_local!(static PLACE: Place = {
            let place = Place::new();
            place.session("demo", "/w", "one").prompt(MONDAY, "lamp AND lens");
            place.search("lamp");
            place
        });
        PLACE.with(|place| place.search(&text));
    }

    #[test]
    fn every_word_of_a_text_finds_it(words in prop::collection::vec("[a-zA-Zäöüß0-9_/.-]{2,12}", 1..6)) {
        prop_assume!(words.iter().all(|word| word.chars().filter(|c| c.is_alphanumeric()).count() > 1));
        let place = Place::new();
        place.session("demo", "/w", "one").prompt(MONDAY, &words.join(" "));
        for word in &words {
            prop_assert_eq!(place.search(word).hits.len(), 1, "{}", word);
        }
        let phrase = format!("\"{}\"", words.join(" "));
        prop_assert_eq!(place.search(&phrase).hits.len(), 1);
    }
}
