//! What do moments on the wall's clock say, when somebody may have set that clock?
//!
//! Pure, and total: a moment that is yet to come was written before the clock was set back, and is not trusted; what is no moment
//! says nothing. Nothing about life and death is decided by a moment.

use std::time::Duration;

use jiff::Timestamp;

/// Whether the moment is less than `span` away from now. Either way: a clock that was set by a little moves nothing.
pub(crate) fn is_near(moment: &str, now: Timestamp, span: Duration) -> bool {
    let Ok(moment) = moment.parse::<Timestamp>() else { return false };
    let away = now.as_millisecond().abs_diff(moment.as_millisecond());
    u128::from(away) < span.as_millis()
}

/// By which the newest comes last: those that say that they are yet to come are older than all others.
pub(crate) fn by_age(moment: &str, now: Timestamp) -> (bool, Timestamp) {
    match moment.parse::<Timestamp>() {
        Ok(moment) => (moment <= now, moment),
        Err(_) => (false, Timestamp::MIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn noon() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn near_is_near_on_both_sides_of_now() {
        let near = |moment| is_near(moment, noon(), MINUTE);
        assert!(near("2026-11-21T12:00:00Z") && near("2026-11-21T11:59:01Z") && near("2026-11-21T12:00:59Z"));
        assert!(!near("2026-11-21T11:59:00Z"));
        assert!(!near("2026-11-21T12:01:00Z"), "an hour that was set back keeps nothing in a list for an hour");
        assert!(!near("9999-12-30T22:00:00Z") && !near("-009999-01-02T01:59:59Z") && !near("yesterday") && !near(""));
    }

    #[test]
    fn a_moment_that_is_yet_to_come_is_older_than_any_other() {
        let moments =
            ["2026-11-21T12:00:00Z", "2027-01-01T00:00:00Z", "2026-11-20T00:00:00Z", "no time", "2026-12-01T00:00:00Z"];
        let mut sorted = moments.to_vec();
        sorted.sort_by_key(|moment| by_age(moment, noon()));
        assert_eq!(sorted, [moments[3], moments[4], moments[1], moments[2], moments[0]]);
    }
}
