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

/// The time since a moment (RFC 3339), in whole units; nothing when it is no time.
pub(crate) fn since(moment: &str) -> Option<String> {
    let moment: Timestamp = moment.parse().ok()?;
    let ms = Timestamp::now().as_millisecond() - moment.as_millisecond();
    let seconds = u64::try_from(ms).unwrap_or(0) / 1000;
    Some(match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86400),
    })
}

/// The time until a moment (RFC 3339), in whole seconds; nothing when it has passed or is no time.
pub(crate) fn until(moment: &str) -> Option<String> {
    let moment: Timestamp = moment.parse().ok()?;
    let left = u64::try_from(moment.as_millisecond() - Timestamp::now().as_millisecond()).ok()?;
    Some(format!("{} s", left.div_ceil(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_own_form() {
        let spans: Vec<_> = [40, 1_250, 12_000, 200_000, 18_120_000, 270_000_000].into_iter().map(of_ms).collect();
        assert_eq!(spans, ["40 ms", "1.2 s", "12 s", "3 min 20 s", "5 h 2 min", "3 d"]);
    }
}
