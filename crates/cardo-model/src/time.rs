use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in UTC with microseconds, and how many digits of a fraction it was written with.
///
/// The digits travel along so that a client gets back the text that it sent; they play no part in
/// comparisons (ETSI GS CIM 009, clause 4.6.3).
#[derive(Clone, Copy)]
pub struct Timestamp {
    micros: i64,
    digits: u8,
}

/// A text that is not a date and time of clause 4.6.3.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a date-time such as 2026-01-31T12:00:00Z")]
pub struct InvalidTimestamp(String);

const MICROS_PER_SECOND: i64 = 1_000_000;
/// The bytes of a moment with all digits.
const LONGEST: usize = 27;
const SECONDS_PER_DAY: i64 = 86_400;
/// 9999-12-31T23:59:59.999999Z, the last moment that four digits of a year can say.
const LATEST_MICROS: i64 = 253_402_300_799_999_999;
/// 0000-01-01T00:00:00Z.
const EARLIEST_MICROS: i64 = -62_167_219_200_000_000;

impl Timestamp {
    /// The first moment that can be written.
    pub const MIN: Self = Self { micros: EARLIEST_MICROS, digits: 0 };
    /// The last moment that can be written.
    pub const MAX: Self = Self { micros: LATEST_MICROS, digits: 6 };

    /// The moment so many microseconds after 1970, written with three digits where that loses
    /// nothing and six otherwise. Moments beyond the years 0 to 9999 are moved to the nearest.
    pub fn from_micros(micros: i64) -> Self {
        let micros = micros.clamp(EARLIEST_MICROS, LATEST_MICROS);
        Self { micros, digits: if micros % 1_000 == 0 { 3 } else { 6 } }
    }

    /// The moment so many seconds after 1970, written without a fraction.
    pub fn from_seconds(seconds: i64) -> Self {
        let micros = seconds.saturating_mul(MICROS_PER_SECOND);
        Self { micros: micros.clamp(EARLIEST_MICROS, LATEST_MICROS), digits: 0 }
    }

    /// The time of the machine's clock, to the millisecond.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since.as_millis()).unwrap_or(i64::MAX / 1_000);
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds after 1970.
    #[inline]
    pub fn as_micros(self) -> i64 {
        self.micros
    }

    /// Reads `YYYY-MM-DDThh:mm:ss`, a fraction behind `.` or `,`, and `Z` or an offset.
    ///
    /// Digits of a fraction beyond the sixth are dropped. A leap second counts as the second
    /// before it.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        parse(text.as_bytes()).ok_or_else(|| InvalidTimestamp(text.chars().take(64).collect()))
    }

    /// Appends the text of the moment, always with `Z`.
    #[inline]
    pub fn write_to(self, out: &mut Vec<u8>) {
        let (text, len) = self.text();
        out.extend_from_slice(&text[..len]);
    }

    fn text(self) -> ([u8; LONGEST], usize) {
        let seconds = self.micros.div_euclid(MICROS_PER_SECOND);
        let fraction = self.micros.rem_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let second_of_day = small(seconds.rem_euclid(SECONDS_PER_DAY));
        let mut text: [u8; LONGEST] = *b"0000-00-00T00:00:00.000000Z";
        put_digits(&mut text[0..4], small(year));
        put_digits(&mut text[5..7], small(month));
        put_digits(&mut text[8..10], small(day));
        put_digits(&mut text[11..13], second_of_day / 3_600);
        put_digits(&mut text[14..16], second_of_day / 60 % 60);
        put_digits(&mut text[17..19], second_of_day % 60);
        if self.digits > 0 {
            put_digits(&mut text[20..26], small(fraction));
        }
        let end = if self.digits == 0 { 19 } else { 20 + usize::from(self.digits) };
        text[end] = b'Z';
        (text, end + 1)
    }

    /// The same time of day so many months later; on the last of the month where that is shorter.
    pub fn plus_months(self, months: i64) -> Self {
        let day_micros = SECONDS_PER_DAY * MICROS_PER_SECOND;
        let (year, month, day) = civil_from_days(self.micros.div_euclid(day_micros));
        let month = year.saturating_mul(12).saturating_add(month - 1).saturating_add(months);
        // Beyond what can be written there is nothing to count.
        let (year, month) = (month.div_euclid(12).clamp(-1, 10_000), month.rem_euclid(12) + 1);
        let days = days_from_civil(year, month, day.min(days_in_month(year, month)));
        let micros = days * day_micros + self.micros.rem_euclid(day_micros);
        Self { micros: micros.clamp(EARLIEST_MICROS, LATEST_MICROS), digits: self.digits }
    }

    /// The moment so many microseconds later, written with as many digits as it needs.
    pub fn plus_micros(self, micros: i64) -> Self {
        let micros = self.micros.saturating_add(micros).clamp(EARLIEST_MICROS, LATEST_MICROS);
        let needed = match micros {
            _ if micros % MICROS_PER_SECOND == 0 => 0,
            _ if micros % 1_000 == 0 => 3,
            _ => 6,
        };
        Self { micros, digits: self.digits.max(needed) }
    }

    /// One integer that holds both the moment and its digits; its order is that of the moments.
    #[inline]
    pub fn to_bits(self) -> i64 {
        self.micros * 8 + i64::from(self.digits)
    }

    /// The inverse of [`Timestamp::to_bits`].
    #[inline]
    pub fn from_bits(bits: i64) -> Self {
        let digits = u8::try_from(bits.rem_euclid(8)).expect("a remainder by 8").min(6);
        Self { micros: bits.div_euclid(8), digits }
    }
}

/// Writes moments one after the other. Readings that came together have the same, whose text is
/// made once.
#[derive(Clone, Debug, Default)]
pub struct MomentWriter {
    last: Option<i64>,
    text: [u8; LONGEST],
    len: usize,
}

impl MomentWriter {
    /// Appends the text of a moment, as [`Timestamp::write_to`] does.
    #[inline]
    pub fn write(&mut self, moment: Timestamp, out: &mut Vec<u8>) {
        let bits = moment.to_bits();
        if self.last != Some(bits) {
            (self.text, self.len) = moment.text();
            self.last = Some(bits);
        }
        // A copy of fixed size needs no call.
        let end = out.len() + self.len;
        out.extend_from_slice(&self.text);
        out.truncate(end);
    }
}

/// A part of a date, none of which is negative or needs more bits.
#[inline]
fn small(part: i64) -> u32 {
    u32::try_from(part).unwrap_or(0)
}

#[inline]
fn put_digits(target: &mut [u8], mut value: u32) {
    for byte in target.iter_mut().rev() {
        *byte = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let digit_pair = |at: usize| number(text.get(at..at + 2)?);
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if text.len() < 20 || separators.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    if !matches!(text[10], b'T' | b't') {
        return None;
    }
    let (year, month, day) = (number(&text[0..4])?, digit_pair(5)?, digit_pair(8)?);
    let (hour, minute, second) = (digit_pair(11)?, digit_pair(14)?, digit_pair(17)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction, digits, zone) = parse_fraction(&text[19..])?;
    let offset = parse_zone(zone)?;
    let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY
        + hour * 3_600
        + minute * 60
        + second.min(59)
        - offset;
    let micros = seconds * MICROS_PER_SECOND + fraction;
    (EARLIEST_MICROS..=LATEST_MICROS).contains(&micros).then_some(Timestamp { micros, digits })
}

fn parse_fraction(text: &[u8]) -> Option<(i64, u8, &[u8])> {
    if !matches!(text[0], b'.' | b',') {
        return Some((0, 0, text));
    }
    let count = text[1..].iter().take_while(|b| b.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let kept = count.min(6);
    let scale = 10_i64.pow(u32::try_from(6 - kept).ok()?);
    let fraction = number(&text[1..=kept])? * scale;
    Some((fraction, u8::try_from(kept).ok()?, &text[1 + count..]))
}

/// The offset in seconds east of Greenwich.
fn parse_zone(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest {
                [_, _, b':', _, _] => (number(&rest[..2])?, number(&rest[3..])?),
                [_, _, _, _] => (number(&rest[..2])?, number(&rest[2..])?),
                _ => return None,
            };
            let seconds = (hours <= 23 && minutes <= 59).then_some(hours * 3_600 + minutes * 60)?;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0_i64, |value, byte| {
        byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days after 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that
/// begin on the first of March, so that the leap day ends each year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.micros == other.micros
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.micros.cmp(&other.micros)
    }
}

impl std::hash::Hash for Timestamp {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.micros.hash(state);
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(27);
        self.write_to(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn months_are_added_on_the_calendar() {
        let plus =
            |text: &str, months| Timestamp::parse(text).unwrap().plus_months(months).to_string();
        assert_eq!(plus("2024-01-31T12:00:00.5Z", 1), "2024-02-29T12:00:00.5Z");
        assert_eq!(plus("2023-01-31T12:00:00Z", 1), "2023-02-28T12:00:00Z");
        assert_eq!(plus("2023-11-15T00:00:00Z", 14), "2025-01-15T00:00:00Z");
        assert_eq!(plus("2023-03-31T00:00:00Z", -1), "2023-02-28T00:00:00Z");
        assert!(plus("2023-03-31T00:00:00Z", i64::MAX).starts_with("9999-12-31"));
        let micros = Timestamp::parse("2023-01-01T00:00:00Z").unwrap().plus_micros(1_500_000);
        assert_eq!(micros.to_string(), "2023-01-01T00:00:01.500Z");
    }

    #[test]
    fn a_text_comes_back_as_it_was_written() {
        for text in [
            "2018-12-04T12:00:00Z",
            "2018-12-04T12:00:00.5Z",
            "2018-12-04T12:00:00.123456Z",
            "2000-02-29T23:59:59.000Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn moments_written_one_after_the_other_have_their_own_texts() {
        let texts = [
            "2018-12-04T12:00:00Z",
            "2018-12-04T12:00:00Z",
            "2018-12-04T12:00:00.000Z",
            "0000-01-01T00:00:00Z",
            "2018-12-04T12:00:00Z",
        ];
        let (mut writer, mut out) = (MomentWriter::default(), Vec::new());
        for text in texts {
            writer.write(Timestamp::parse(text).unwrap(), &mut out);
        }
        assert_eq!(String::from_utf8(out).unwrap(), texts.concat());
    }

    #[test]
    fn offsets_become_utc_and_commas_become_points() {
        let moment = |text| Timestamp::parse(text).unwrap().to_string();
        assert_eq!(moment("2018-12-04T12:00:00+02:00"), "2018-12-04T10:00:00Z");
        assert_eq!(moment("2018-12-31T23:30:00-0100"), "2019-01-01T00:30:00Z");
        assert_eq!(moment("2018-12-04T12:00:00,25Z"), "2018-12-04T12:00:00.25Z");
        assert_eq!(moment("2018-12-04T12:00:00.123456789Z"), "2018-12-04T12:00:00.123456Z");
    }

    #[test]
    fn broken_texts_are_refused() {
        for text in [
            "",
            "2018",
            "2018-12-04",
            "2018-12-04T12:00:00",
            "2018-13-04T12:00:00Z",
            "2018-02-29T12:00:00Z",
            "2018-12-04T24:00:00Z",
            "2018-12-04T12:60:00Z",
            "2018-12-04 12:00:00Z",
            "2018-12-04T12:00:00.Z",
            "2018-12-04T12:00:00+25:00",
            "２018-12-04T12:00:00Z",
            "0000-01-01T00:00:00+23:00",
        ] {
            assert!(Timestamp::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn any_moment_survives_text_and_bits(micros in EARLIEST_MICROS..=LATEST_MICROS) {
            let moment = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()).unwrap(), moment);
            let bits = Timestamp::from_bits(moment.to_bits());
            prop_assert_eq!(bits.to_string(), moment.to_string());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = Timestamp::parse(&text);
        }
    }
}
