use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A span of time in the form `500ms`, `10s`, `5m`, `1h` or `1d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval(Duration);

/// A text that is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a span of time such as 500ms, 10s, 5m or 1h, from 100ms to 365d")]
pub struct InvalidInterval(String);

const UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SHORTEST: u64 = 100;
const LONGEST: u64 = 365 * 86_400_000;

impl Interval {
    /// The span.
    pub fn as_duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Interval {
    type Err = InvalidInterval;

    fn from_str(text: &str) -> Result<Self, InvalidInterval> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let each = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, each)| *each);
        let millis = number.parse::<u64>().ok().zip(each).and_then(|(n, each)| n.checked_mul(each));
        millis
            .filter(|millis| (SHORTEST..=LONGEST).contains(millis))
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(|| InvalidInterval(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Interval {
    type Error = InvalidInterval;

    fn try_from(text: String) -> Result<Self, InvalidInterval> {
        text.parse()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let (name, each) = UNITS
            .into_iter()
            .rev()
            .find(|(_, each)| millis.is_multiple_of(u128::from(*each)))
            .unwrap_or(("ms", 1));
        write!(f, "{}{name}", millis / u128::from(each))
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_survive_their_text() {
        for text in ["500ms", "10s", "5m", "1h", "7d"] {
            assert_eq!(text.parse::<Interval>().unwrap().to_string(), text);
        }
        assert_eq!("120s".parse::<Interval>().unwrap().to_string(), "2m");
        for text in ["", "10", "s", "-1s", "1 fortnight", "1ms", "99999999999999999999s", "366d"] {
            assert!(text.parse::<Interval>().is_err(), "{text:?} was accepted");
        }
    }
}
