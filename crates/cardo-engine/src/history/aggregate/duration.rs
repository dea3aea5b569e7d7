use cardo_model::Timestamp;

/// How long the periods of an aggregation are (clause 4.5.19.1): months, which differ in length, and
/// a time that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Duration {
    months: i64,
    micros: i64,
}

/// A text that is no duration of ISO 8601 as clause 4.5.19.1 has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration such as PT1H, P1D, P1M or P2W")]
pub struct InvalidDuration(String);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// A month has at least so many days.
const SHORTEST_MONTH: i64 = 28 * DAY;

impl Duration {
    /// Reads a duration: years, months and days, then hours, minutes and seconds; or weeks.
    pub fn parse(text: &str) -> Result<Self, InvalidDuration> {
        read(text).ok_or_else(|| InvalidDuration(text.chars().take(64).collect()))
    }

    /// Whether it stands for the whole range of time.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// The moment that lies so long behind another.
    pub fn after(self, moment: Timestamp) -> Timestamp {
        self.start(moment, 1)
    }

    /// The moment that lies so long before another.
    pub fn before(self, moment: Timestamp) -> Timestamp {
        self.start(moment, -1)
    }

    /// When the period of this number begins, counted from an origin.
    pub(super) fn start(self, origin: Timestamp, number: i64) -> Timestamp {
        let by_months = match self.months.saturating_mul(number) {
            0 => origin,
            months => origin.plus_months(months),
        };
        by_months.plus_micros(self.micros.saturating_mul(number))
    }

    /// The number of the period in which a moment lies.
    pub(super) fn number(self, origin: Timestamp, moment: Timestamp) -> i64 {
        let distance = moment.as_micros().saturating_sub(origin.as_micros());
        if self.months == 0 {
            return distance.div_euclid(self.micros.max(1));
        }
        // Not more than this many are possible, and the starts of periods grow with their numbers.
        let shortest = self.months.saturating_mul(SHORTEST_MONTH).saturating_add(self.micros);
        let most = distance.abs() / shortest.max(1) + 1;
        let (mut low, mut high) = if distance < 0 { (-most, 0) } else { (0, most) };
        while low < high {
            let middle = low + (high - low + 1) / 2;
            if self.start(origin, middle) <= moment { low = middle } else { high = middle - 1 }
        }
        low
    }
}

fn read(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix('P')?;
    if let Some(weeks) = rest.strip_suffix('W') {
        let micros = number(weeks)?.checked_mul(7 * DAY)?;
        return Some(Duration { months: 0, micros });
    }
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (rest, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut duration = Duration::default();
    for (count, unit) in elements(date, "YMD")? {
        match unit {
            'Y' => duration.months = count.checked_mul(12)?.checked_add(duration.months)?,
            'M' => duration.months = duration.months.checked_add(count)?,
            _ => duration.micros = duration.micros.checked_add(count.checked_mul(DAY)?)?,
        }
    }
    for (count, unit) in elements(time, "HMS")? {
        let seconds = match unit {
            'H' => 3_600,
            'M' => 60,
            _ => 1,
        };
        let micros = count.checked_mul(seconds)?.checked_mul(SECOND)?;
        duration.micros = duration.micros.checked_add(micros)?;
    }
    // Longer ones than all of time that can be written are none.
    let is_sane = duration.months <= 12 * 10_000 && duration.micros <= 4_000_000 * DAY;
    is_sane.then_some(duration)
}

/// Numbers with their units, each unit at most once and in this order.
fn elements(text: &str, units: &str) -> Option<Vec<(i64, char)>> {
    let mut all = Vec::new();
    let (mut text, mut units) = (text, units);
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let unit = text[end..].chars().next()?;
        let place = units.find(unit)?;
        units = &units[place + 1..];
        all.push((number(&text[..end])?, unit));
        text = &text[end + unit.len_utf8()..];
    }
    Some(all)
}

fn number(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_the_clause_writes_them() {
        let read = |text| Duration::parse(text).unwrap();
        assert_eq!(
            read("P3Y6M4DT12H30M5S"),
            Duration { months: 42, micros: 4 * DAY + (12 * 3_600 + 30 * 60 + 5) * SECOND }
        );
        assert_eq!(read("P2W"), Duration { months: 0, micros: 14 * DAY });
        assert!(read("PT0S").is_zero() && read("P0D").is_zero() && !read("PT1S").is_zero());
        let wrong =
            ["", "P", "PT", "P1", "1D", "P1H", "PT1D", "P1D1M", "P1W2D", "P-1D", "P1.5D", "P1DT"];
        for text in wrong {
            assert_eq!(Duration::parse(text), Err(InvalidDuration(text.to_owned())));
        }
        assert!(Duration::parse("P99999999999999999999Y").is_err());
    }

    #[test]
    fn months_and_years_are_those_of_the_calendar_and_days_are_of_24_hours() {
        let starts = |period: &str, origin: &str| -> Vec<String> {
            let (period, origin) =
                (Duration::parse(period).unwrap(), Timestamp::parse(origin).unwrap());
            (0..4).map(|number| period.start(origin, number).to_string()).collect()
        };
        assert_eq!(
            starts("P1M", "2024-01-31T06:00:00Z"),
            [
                "2024-01-31T06:00:00Z",
                "2024-02-29T06:00:00Z",
                "2024-03-31T06:00:00Z",
                "2024-04-30T06:00:00Z"
            ]
        );
        assert_eq!(
            starts("P1Y", "2024-02-29T00:00:00Z"),
            [
                "2024-02-29T00:00:00Z",
                "2025-02-28T00:00:00Z",
                "2026-02-28T00:00:00Z",
                "2027-02-28T00:00:00Z"
            ]
        );
        // Where clocks are put back on the 25th, in UTC no day is longer than others.
        assert_eq!(
            starts("P1D", "2026-10-24T22:00:00Z"),
            [
                "2026-10-24T22:00:00Z",
                "2026-10-25T22:00:00Z",
                "2026-10-26T22:00:00Z",
                "2026-10-27T22:00:00Z"
            ]
        );
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_the_period_of_its_number(
            months in 0_i64..30, days in 0_i64..40, seconds in 1_i64..100_000,
            origin in 0_i64..2_000_000_000, moment in 0_i64..2_000_000_000,
        ) {
            let duration = Duration { months, micros: days * DAY + seconds * SECOND };
            let (origin, moment) = (Timestamp::from_seconds(origin), Timestamp::from_seconds(moment));
            let number = duration.number(origin, moment);
            prop_assert!(duration.start(origin, number) <= moment);
            prop_assert!(moment < duration.start(origin, number + 1));
        }
    }
}
