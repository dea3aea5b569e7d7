//! What both encodings read alike.

use cardo_model::Timestamp;

use super::error::shorten;
use super::operator::Arity;
use super::{Cql2Error, Kind, Operation, Place};
use crate::predicate::Instant;

/// Refuses an operator with too many or too few arguments.
pub(super) fn check_arity(
    place: &Place,
    operation: &Operation,
    count: usize,
) -> Result<(), Cql2Error> {
    let name = operation.name();
    match operation.arity() {
        Arity::Exactly(needed) if needed != count => Err(Cql2Error::meaning(
            place,
            format!("{name} takes {needed} arguments and has {count}"),
        )),
        Arity::AtLeast(needed) if count < needed => Err(Cql2Error::meaning(
            place,
            format!("{name} takes {needed} arguments or more and has {count}"),
        )),
        _ => Ok(()),
    }
}

/// A date of the calendar.
pub(super) fn date(place: &Place, text: &str) -> Result<Kind, Cql2Error> {
    let wrong = || format!("{:?} is no date such as 2026-01-31", shorten(text));
    Instant::date(text).ok_or_else(|| Cql2Error::meaning(place, wrong()))?;
    Ok(Kind::Date(text.into()))
}

/// A moment in UTC (rule `timestampInstant`).
pub(super) fn timestamp(place: &Place, text: &str) -> Result<Kind, Cql2Error> {
    let moment = Timestamp::parse(text).ok().filter(|_| text.ends_with('Z'));
    let wrong = || format!("{:?} is no timestamp such as 2026-01-31T12:00:00Z", shorten(text));
    moment.map(Kind::Timestamp).ok_or_else(|| Cql2Error::meaning(place, wrong()))
}

/// The end of an interval: a date, a timestamp or `..`.
pub(super) fn instant(place: &Place, text: &str) -> Result<Kind, Cql2Error> {
    match text {
        ".." => Ok(Kind::Open),
        _ if text.contains('T') => timestamp(place, text),
        _ => date(place, text),
    }
}
