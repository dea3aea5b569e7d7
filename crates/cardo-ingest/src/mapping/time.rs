//! Moments in the forms that sources write them.

use cardo_formats::FieldValue;
use cardo_model::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;
use serde::de::{self, Deserialize, Deserializer};

/// How a moment is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum TimeFormat {
    /// ISO 8601, a date alone included.
    #[default]
    Iso,
    /// Seconds after 1970.
    Unix,
    /// Milliseconds after 1970.
    UnixMillis,
    /// Directives such as `%d.%m.%Y %H:%M`.
    Pattern(String),
}

/// A zone of the time zone database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Zone(TimeZone);

/// A value that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a moment{hint}")]
pub(crate) struct InvalidTime {
    text: String,
    hint: String,
}

impl TimeFormat {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "iso" => Ok(Self::Iso),
            "unix" => Ok(Self::Unix),
            "unix-ms" => Ok(Self::UnixMillis),
            _ if text.contains('%') => {
                strtime::format(text, &jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC))
                    .map_err(|error| format!("{text:?} is not a time format: {error}"))?;
                Ok(Self::Pattern(text.to_owned()))
            }
            _ => Err(format!(
                "{text:?} is not a time format; known are iso, unix, unix-ms and directives such as %Y-%m-%d"
            )),
        }
    }

    /// Reads a value; a text without an offset is a time of `zone`.
    pub(crate) fn read(&self, value: &FieldValue, zone: &Zone) -> Result<Timestamp, InvalidTime> {
        let read = match self {
            Self::Iso => value.as_str().and_then(|text| read_iso(text.trim(), &zone.0)),
            Self::Unix => number(value).and_then(|seconds| from_seconds(seconds, 1_000_000)),
            Self::UnixMillis => number(value).and_then(|millis| from_seconds(millis, 1_000)),
            Self::Pattern(pattern) => read_pattern(pattern, value.to_text().trim(), &zone.0),
        };
        read.ok_or_else(|| InvalidTime {
            text: value.to_text().chars().take(64).collect(),
            hint: match self {
                Self::Iso => " such as 2026-01-31T12:00:00Z".into(),
                Self::Unix => ", in seconds after 1970".into(),
                Self::UnixMillis => ", in milliseconds after 1970".into(),
                Self::Pattern(pattern) => format!(" written as {pattern:?}"),
            },
        })
    }
}

/// Reads ISO 8601 with an offset, as `2026-01-31 12:00:00.5+02:00`; nothing less is taken.
pub(crate) fn read_with_offset(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let looks_right = bytes.len() >= 20
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't' | b' ')
        && bytes[13] == b':';
    if !looks_right {
        return None;
    }
    Timestamp::parse(text).ok().or_else(|| text.parse().ok().map(from_jiff))
}

/// Whether a text is a date with a time, or a date alone, in ISO 8601.
pub(crate) fn is_moment(text: &str) -> bool {
    text.len() >= 10 && read_iso(text, &TimeZone::UTC).is_some()
}

fn read_iso(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(moment) = read_with_offset(text) {
        return Some(moment);
    }
    if let Ok(moment) = text.parse::<DateTime>() {
        return in_zone(moment, zone);
    }
    in_zone(text.parse::<Date>().ok()?.to_datetime(Time::midnight()), zone)
}

fn read_pattern(pattern: &str, text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let parts = BrokenDownTime::parse(pattern, text).ok()?;
    if parts.offset().is_some() || parts.iana_time_zone().is_some() {
        return parts.to_timestamp().ok().map(from_jiff);
    }
    if let Ok(moment) = parts.to_timestamp() {
        return Some(from_jiff(moment));
    }
    let date = parts.to_date().ok()?;
    in_zone(date.to_datetime(parts.to_time().unwrap_or(Time::midnight())), zone)
}

fn in_zone(moment: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_zoned(moment).compatible().ok().map(|zoned| from_jiff(zoned.timestamp()))
}

fn number(value: &FieldValue) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok()).filter(|n| n.is_finite())
}

fn from_seconds(number: f64, micros_each: i64) -> Option<Timestamp> {
    let micros = (number * micros_each as f64).round();
    // Beyond the year 9999 the number is no moment, and the cast below would not be exact.
    if micros.abs() > 253_402_300_799_999_999.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to fit above")]
    let micros = micros as i64;
    Some(from_micros(micros))
}

fn from_jiff(moment: jiff::Timestamp) -> Timestamp {
    from_micros(moment.as_microsecond())
}

fn from_micros(micros: i64) -> Timestamp {
    if micros % 1_000_000 == 0 {
        Timestamp::from_seconds(micros / 1_000_000)
    } else {
        Timestamp::from_micros(micros)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = |_| {
            de::Error::custom(format!(
                "{name:?} is not a time zone; try one such as Europe/Helsinki or UTC"
            ))
        };
        TimeZone::get(&name).map(Self).map_err(unknown)
    }
}

impl<'de> Deserialize<'de> for TimeFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str, zone: &str) -> Result<String, String> {
        let zone = Zone(TimeZone::get(zone).unwrap());
        let value = FieldValue::Text(text.into());
        let read = TimeFormat::parse(format).unwrap().read(&value, &zone);
        read.map(|moment| moment.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn local_times_become_utc_by_their_zone() {
        let read = |format, text| read(format, text, "Europe/Helsinki").unwrap();
        assert_eq!(read("iso", "2024-06-01 00:00"), "2024-05-31T21:00:00Z");
        assert_eq!(read("iso", "2024-01-01"), "2023-12-31T22:00:00Z");
        assert_eq!(read("%d.%m.%Y %H:%M", "1.7.2024 12:30"), "2024-07-01T09:30:00Z");
        assert_eq!(read("%Y-%m-%d %H:%M", "2024-6-1 01:00"), "2024-05-31T22:00:00Z");
        assert_eq!(read("%d.%m.%Y", "24.12.2024"), "2024-12-23T22:00:00Z");
        assert_eq!(
            read("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -0700"),
            "2000-10-10T20:55:36Z"
        );
    }

    #[test]
    fn offsets_and_numbers_need_no_zone() {
        let read = |format, text| read(format, text, "Europe/Helsinki").unwrap();
        assert_eq!(read("iso", "2025-03-01 08:03:38.255000+00:00"), "2025-03-01T08:03:38.255Z");
        assert_eq!(read("iso", "2025-02-14T12:03:58+02:00"), "2025-02-14T10:03:58Z");
        assert_eq!(read("unix", "1740816217"), "2025-03-01T08:03:37Z");
        assert_eq!(read("unix-ms", "1740816217255"), "2025-03-01T08:03:37.255Z");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for (format, text) in [
            ("iso", "yesterday"),
            ("iso", "2024-13-01"),
            ("unix", "1e300"),
            ("unix", "NaN"),
            ("%d.%m.%Y", "2024-01-01"),
        ] {
            assert!(read(format, text, "UTC").is_err(), "{text} was read");
        }
        assert!(TimeFormat::parse("%!").is_err());
        assert!(TimeFormat::parse("rfc822").is_err());
    }
}
