//! How long, for people?

use jiff::Timestamp;

/// `340 ms`, `12 s`, `3 min 20 s`, `5 h 2 min`, `3 d`.
pub(crate) fn of_ms(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..10 => format!("{}.{} s", seconds, ms % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d", seconds / 86400),
    }
}

/// The time since a moment (RFC 3339), in whole units; nothing when it is no time. A moment that is yet to come was written before
/// the clock was set back: no time has passed since.
pub(crate) fn since(moment: &str) -> Option<String> {
    since_at(moment, Timestamp::now())
}

fn since_at(moment: &str, now: Timestamp) -> Option<String> {
    let seconds = ms_between(moment.parse().ok()?, now) / 1000;
    Some(match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    })
}

/// The time until a moment (RFC 3339), in whole seconds; nothing when it has passed or is no time.
pub(crate) fn until(moment: &str) -> Option<String> {
    until_at(moment, Timestamp::now())
}

fn until_at(moment: &str, now: Timestamp) -> Option<String> {
    let moment: Timestamp = moment.parse().ok()?;
    (moment >= now).then(|| format!("{} s", ms_between(now, moment).div_ceil(1000)))
}

/// Nothing when the end is before the beginning.
fn ms_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond().saturating_sub(from.as_millisecond())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_own_form() {
        let spans: Vec<_> = [40, 1_250, 12_000, 200_000, 18_120_000, 270_000_000].into_iter().map(of_ms).collect();
        assert_eq!(spans, ["40 ms", "1.2 s", "12 s", "3 min 20 s", "5 h 2 min", "3 d"]);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_time_negative() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let since = |moment| since_at(moment, now);
        assert_eq!(since("2026-11-21T11:00:00Z").as_deref(), Some("1 h"));
        assert_eq!(since("2027-11-21T12:00:00Z").as_deref(), Some("0 s"));
        assert_eq!(since("-009999-01-02T01:59:59Z").as_deref(), Some("4392364 d"));
        assert_eq!(since("soon"), None);
        let until = |moment| until_at(moment, now);
        assert_eq!(until("2026-11-21T12:00:01.200Z").as_deref(), Some("2 s"));
        assert_eq!(until("2026-11-21T12:00:00Z").as_deref(), Some("0 s"));
        assert_eq!((until("2026-11-21T11:59:59Z"), until("9999")), (None, None));
    }
}
