use cardo_engine::Duration;
use cardo_model::Timestamp;
use cardo_query::{Filter, Observed, TimeCondition};

use super::{ParamFault, shorten};

const DAY: i64 = 86_400_000_000;

/// Reads `datetime`: an instant, or an interval with `..` or nothing where it is open, or with a duration
/// in the place of one of its ends (ISO 8601-1, clause 5.5.2.4); dates are whole days in UTC. Features without a
/// time meet it (requirement /req/core/fc-time-response, C).
pub(super) fn parse(text: &str) -> Result<Filter, ParamFault> {
    let mut parts = text.split('/').map(str::trim);
    let (from, until) = match (parts.next().unwrap_or(""), parts.next(), parts.next()) {
        (instant, None, _) => {
            let span = Span::parse(text, instant)?;
            (Some(span.first), Some(span.last))
        }
        (begin, Some(end), None) => interval(text, begin, end)?,
        _ => return Err(ParamFault::DatetimeParts(shorten(text))),
    };
    match (from, until) {
        (None, None) => Err(ParamFault::DatetimeOpen(shorten(text))),
        (Some(from), Some(until)) if from > until => Err(ParamFault::DatetimeOrder(shorten(text))),
        _ => Ok(Filter::Time(TimeCondition {
            from,
            until,
            missing_matches: true,
            observed: Observed::All,
        })),
    }
}

type Bounds = (Option<Timestamp>, Option<Timestamp>);

fn interval(text: &str, begin: &str, end: &str) -> Result<Bounds, ParamFault> {
    let bound = |part: &str| match part {
        "" | ".." => Ok(None),
        part => Span::parse(text, part).map(Some),
    };
    if end.starts_with('P') {
        let (long, span) = (duration(text, end)?, bound(begin)?);
        let span = span.ok_or_else(|| ParamFault::DatetimeDuration(shorten(text), shorten(end)))?;
        let last = long.after(span.first).plus_micros(-span.tick);
        return Ok((Some(span.first), Some(last)));
    }
    if begin.starts_with('P') {
        let (long, span) = (duration(text, begin)?, bound(end)?);
        let span =
            span.ok_or_else(|| ParamFault::DatetimeDuration(shorten(text), shorten(begin)))?;
        let first = long.before(span.last.plus_micros(span.tick));
        return Ok((Some(first), Some(span.last)));
    }
    Ok((bound(begin)?.map(|span| span.first), bound(end)?.map(|span| span.last)))
}

fn duration(text: &str, part: &str) -> Result<Duration, ParamFault> {
    let long = Duration::parse(part).ok().filter(|long| !long.is_zero());
    long.ok_or_else(|| ParamFault::Duration(shorten(text), shorten(part)))
}

/// What a date or a date-time stands for.
struct Span {
    first: Timestamp,
    last: Timestamp,
    /// How long before its end the last moment of it is.
    tick: i64,
}

impl Span {
    fn parse(text: &str, part: &str) -> Result<Self, ParamFault> {
        if let Ok(moment) = Timestamp::parse(part) {
            return Ok(Self { first: moment, last: moment, tick: 0 });
        }
        let begin = Timestamp::parse(&format!("{part}T00:00:00Z")).ok();
        let begin = begin.filter(|_| part.len() == 10);
        let first = begin.ok_or_else(|| ParamFault::Moment(shorten(text), shorten(part)))?;
        Ok(Self { first, last: Timestamp::from_micros(first.as_micros() + DAY - 1), tick: 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(text: &str) -> (Option<String>, Option<String>) {
        let Filter::Time(TimeCondition { from, until, .. }) = parse(text).unwrap() else {
            panic!("a condition on time")
        };
        let written = |moment: Timestamp| {
            let mut out = Vec::new();
            moment.write_to(&mut out);
            String::from_utf8(out).unwrap()
        };
        (from.map(written), until.map(written))
    }

    #[test]
    fn instants_intervals_and_days_are_read() {
        let some = |text: &str| Some(text.to_owned());
        let noon = "2026-02-12T12:00:00Z";
        assert_eq!(bounds(noon), (some(noon), some(noon)));
        assert_eq!(bounds("2026-02-12t14:00:00+02:00"), (some(noon), some(noon)));
        assert_eq!(bounds(&format!("{noon}/..")), (some(noon), None));
        assert_eq!(bounds(&format!("{noon}/")), (some(noon), None));
        assert_eq!(bounds(&format!("../{noon}")), (None, some(noon)));
        assert_eq!(bounds(&format!("/{noon}")), (None, some(noon)));
        let day = (some("2026-02-12T00:00:00.000Z"), some("2026-02-13T23:59:59.999999Z"));
        let (from, until) = bounds("2026-02-12/2026-02-13");
        assert_eq!(from.map(|t| t[..19].to_owned()), day.0.map(|t| t[..19].to_owned()));
        assert_eq!(until, day.1);
    }

    #[test]
    fn f33_a_duration_takes_the_place_of_an_end() {
        let read = |text: &str| {
            let (from, until) = bounds(text);
            (from.unwrap(), until.unwrap())
        };
        let is = |text: &str, from: &str, until: &str| {
            let moment = |text: &str| Timestamp::parse(text).unwrap();
            let (first, last) = read(text);
            assert_eq!((moment(&first), moment(&last)), (moment(from), moment(until)), "{text}");
        };
        // Days are counted whole.
        is("2026-02-12/P2D", "2026-02-12T00:00:00Z", "2026-02-13T23:59:59.999999Z");
        is("P2D/2026-02-13", "2026-02-12T00:00:00Z", "2026-02-13T23:59:59.999999Z");
        is("P1M/2026-02-28", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59.999999Z");
        is("2024-02-29/P1Y", "2024-02-29T00:00:00Z", "2025-02-27T23:59:59.999999Z");
        is("2026-02-12/PT12H", "2026-02-12T00:00:00Z", "2026-02-12T11:59:59.999999Z");
        is("2026-02-12T10:00:00Z/P1DT2H", "2026-02-12T10:00:00Z", "2026-02-13T12:00:00Z");
        is("P1W/2026-02-12T10:00:00+02:00", "2026-02-05T08:00:00Z", "2026-02-12T08:00:00Z");
        // Beyond what can be written there is nothing.
        is("9999-12-31/P9Y", "9999-12-31T00:00:00Z", "9999-12-31T23:59:59.999998Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for (text, says) in [
            ("", "\"\" is neither"),
            ("yesterday", "\"yesterday\" is neither"),
            ("2018-13-01", "\"2018-13-01\" is neither"),
            ("2018-02-12T25:00:00Z", "is neither"),
            ("2018-02-12T23:20:50", "is neither"),
            ("../..", "open at both ends"),
            ("/", "open at both ends"),
            ("2026-02-13/2026-02-12", "ends before it begins"),
            ("2026-02-12/2026-02-13/2026-02-14", "more than two parts"),
            ("P2D", "\"P2D\" is neither"),
            ("2026-02-12/P", "\"P\" is no duration"),
            ("2026-02-12/PT", "\"PT\" is no duration"),
            ("2026-02-12/P2", "\"P2\" is no duration"),
            ("2026-02-12/P2H", "\"P2H\" is no duration"),
            ("2026-02-12/P-2D", "\"P-2D\" is no duration"),
            ("2026-02-12/P0D", "\"P0D\" is no duration"),
            ("2026-02-12/p2d", "\"p2d\" is neither"),
            ("P99999999999D/2026-02-12", "is no duration"),
            ("P2D/P2D", "\"P2D\" is neither"),
            ("../P2D", "no end that \"P2D\" is counted from"),
            ("P2D/", "no end that \"P2D\" is counted from"),
            ("P2D/..", "no end that \"P2D\" is counted from"),
        ] {
            let fault = parse(text).unwrap_err().to_string();
            assert!(fault.contains(says), "{text}: {fault}");
        }
    }
}
