use cardo_model::Timestamp;
use cardo_query::{Filter, Observed, TimeCondition};

use super::{ParamFault, shorten};

const LAST_MICRO_OF_DAY: i64 = 86_400_000_000 - 1;

/// Reads `datetime`: an instant, or an interval with `..` or nothing where it is open; dates are
/// whole days in UTC. Features without a time meet it (requirement /req/core/fc-time-response, C).
pub(super) fn parse(text: &str) -> Result<Filter, ParamFault> {
    let moment =
        |part: &str| moment(part).ok_or_else(|| ParamFault::Moment(shorten(text), shorten(part)));
    let mut parts = text.split('/').map(str::trim);
    let (from, until) = match (parts.next().unwrap_or(""), parts.next(), parts.next()) {
        (instant, None, _) => {
            let (from, until) = moment(instant)?;
            (Some(from), Some(until))
        }
        (begin, Some(end), None) => {
            let bound = |part: &str| match part {
                "" | ".." => Ok(None),
                part => moment(part).map(Some),
            };
            (bound(begin)?.map(|(from, _)| from), bound(end)?.map(|(_, until)| until))
        }
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

/// The first and the last moment that a text means.
fn moment(text: &str) -> Option<(Timestamp, Timestamp)> {
    if let Ok(moment) = Timestamp::parse(text) {
        return Some((moment, moment));
    }
    if text.len() != 10 {
        return None;
    }
    let begin = Timestamp::parse(&format!("{text}T00:00:00Z")).ok()?;
    Some((begin, Timestamp::from_micros(begin.as_micros() + LAST_MICRO_OF_DAY)))
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
            ("2026-02-12/P2D", "\"P2D\" is neither"),
        ] {
            let fault = parse(text).unwrap_err().to_string();
            assert!(fault.contains(says), "{text}: {fault}");
        }
    }
}
