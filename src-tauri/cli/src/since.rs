//! Which moment does a user mean? A date, a time, or how long ago.

use jiff::civil::{Date, DateTime};
use jiff::{Span, Timestamp, Zoned};
use protocol::error::{ErrorCode, WireError};

/// For `--since`: `2026-11-01` and `2026-11-01T10:00` in the local time zone, `2026-11-01T10:00:00Z`, `today`, `yesterday`, or
/// `7d`, `12h`, `2 weeks` ago.
pub(crate) fn moment(text: &str) -> Result<String, WireError> {
    moment_at(text, &Zoned::now()).map(|moment| moment.to_string()).ok_or_else(|| {
        let message = format!("--since {text}: that is no moment; write a date (2026-11-01) or how long ago (7d, 12h)");
        WireError::new(ErrorCode::BadRequest, message)
    })
}

fn moment_at(text: &str, now: &Zoned) -> Option<Timestamp> {
    let text = text.trim();
    let zone = || now.time_zone().clone();
    let day = |date: Date| date.to_zoned(zone()).ok().map(|zoned| zoned.timestamp());
    match text {
        "today" => return day(now.date()),
        "yesterday" => return day(now.date().yesterday().ok()?),
        _ => {}
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Ok(date) = text.parse::<Date>()
        && !text.contains(['T', ' '])
    {
        return day(date);
    }
    if let Ok(time) = text.parse::<DateTime>() {
        return time.to_zoned(zone()).ok().map(|zoned| zoned.timestamp());
    }
    let span: Span = text.parse().ok()?;
    now.checked_sub(span.abs()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_spans_are_moments() {
        let now: Zoned = "2026-11-21T12:00:00[UTC]".parse().unwrap();
        let at = |text| moment_at(text, &now).map(|moment| moment.to_string());
        assert_eq!(at("7d").as_deref(), Some("2026-11-14T12:00:00Z"));
        assert_eq!(at("12h").as_deref(), Some("2026-11-21T00:00:00Z"));
        assert_eq!(at("2 weeks").as_deref(), Some("2026-11-07T12:00:00Z"));
        assert_eq!(at("1 month ago").as_deref(), Some("2026-10-21T12:00:00Z"));
        assert_eq!(at("2026-11-01").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(at("2026-11-01T10:30").as_deref(), Some("2026-11-01T10:30:00Z"));
        assert_eq!(at("2026-11-01T10:30:00+02:00").as_deref(), Some("2026-11-01T08:30:00Z"));
        assert_eq!(at("today").as_deref(), Some("2026-11-21T00:00:00Z"));
        assert_eq!(at("yesterday").as_deref(), Some("2026-11-20T00:00:00Z"));
        assert_eq!((at(""), at("soon"), at("-9999999999999y")), (None, None, None));
    }
}
