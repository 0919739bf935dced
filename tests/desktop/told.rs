//! What the command line tells of a session, to compare the window with.

use std::time::{Duration, Instant};

use outrigger_tests::Home;
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(40);

/// The items of a session, as `outrigger logs` has them.
pub(crate) fn items(home: &Home, session: &str) -> Vec<Value> {
    let ended = home.run(["logs", session, "--json"]);
    ended.assert_code(0);
    ended.json()
}

/// The ids of those items that a page shows as rows.
pub(crate) fn ids(home: &Home, session: &str) -> Vec<String> {
    items(home, session).iter().filter_map(|item| item["id"].as_str()).map(str::to_owned).collect()
}

/// Waits until a session has an item that is wanted, without a window: by asking again.
pub(crate) async fn until(home: &Home, session: &str, what: &str, wanted: impl Fn(&Value) -> bool) {
    let until = Instant::now() + DEADLINE;
    while !items(home, session).iter().any(&wanted) {
        assert!(Instant::now() < until, "session {session}: waited for {what} in vain: {:#?}", items(home, session));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
