//! Dates and times of day as clause 4.6.3 writes them.

use cardo_model::{InvalidTimestamp, Timestamp};

/// A date and a time of day in UTC, which end with `Z`; none where the text does not.
pub(crate) fn utc(text: &str) -> Option<Result<Timestamp, InvalidTimestamp>> {
    text.ends_with('Z').then(|| Timestamp::parse(text))
}

/// Whether the text is a date of the calendar: `YYYY-MM-DD`.
pub(crate) fn is_date(text: &str) -> bool {
    text.len() == 10 && Timestamp::parse(&format!("{text}T00:00:00Z")).is_ok()
}

/// The microseconds since midnight of `hh:mm:ssZ`, with a fraction or without.
pub(crate) fn time_of_day(text: &str) -> Option<i64> {
    if !text.ends_with('Z') || text.len() > 24 {
        return None;
    }
    Timestamp::parse(&format!("1970-01-01T{text}")).ok().map(Timestamp::as_micros)
}
