use std::cmp::Ordering;
use std::sync::Arc;

use cardo_model::Timestamp;
use geo_types::Geometry as Shape;

/// A value that conditions compare and functions compute with.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// A truth value.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// A date or a moment.
    Instant(Instant),
    /// From one instant to another, both included; open where there is none.
    Interval(Option<Instant>, Option<Instant>),
    /// A geometry, heights left out.
    Geometry(Arc<Shape<f64>>),
    /// Several values, some of which may be missing.
    Array(Vec<Option<Datum>>),
}

/// A point in time, as exact as a day or a microsecond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instant {
    /// A date, as days since 1970.
    Day(i64),
    /// A moment.
    Moment(Timestamp),
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Instant {
    /// The date that a text of the form `YYYY-MM-DD` names.
    pub fn date(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        let midnight = Timestamp::parse(&format!("{text}T00:00:00Z")).ok()?;
        Some(Self::Day(midnight.as_micros().div_euclid(MICROS_PER_DAY)))
    }

    /// The date or moment that a text names.
    pub fn parse(text: &str) -> Option<Self> {
        Self::date(text).or_else(|| Timestamp::parse(text).ok().map(Self::Moment))
    }

    /// The first and the last microsecond: a date is its day in UTC.
    pub fn span(self) -> [i64; 2] {
        match self {
            Self::Day(day) => {
                let first = day.saturating_mul(MICROS_PER_DAY);
                [first, first.saturating_add(MICROS_PER_DAY - 1)]
            }
            Self::Moment(moment) => [moment.as_micros(), moment.as_micros()],
        }
    }

    /// How two stand; a moment within a day is equal to it.
    pub fn order(self, other: Self) -> Ordering {
        let ([first, last], [other_first, other_last]) = (self.span(), other.span());
        if last < other_first {
            Ordering::Less
        } else if first > other_last {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    }

    /// Year, month and day in UTC.
    pub fn calendar(self) -> [i64; 3] {
        let day = self.span()[0].div_euclid(MICROS_PER_DAY);
        let text = format!("{:?}", Timestamp::from_seconds(day.saturating_mul(86_400)));
        let part = |range: std::ops::Range<usize>| {
            text.get(range).and_then(|digits| digits.parse().ok()).unwrap_or_default()
        };
        [part(0..4), part(5..7), part(8..10)]
    }
}

impl Datum {
    /// How two values stand that have an order; `None` where their types differ. A text is compared
    /// to a date or moment as the one that it names.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => a.partial_cmp(b),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Instant(a), Self::Instant(b)) => Some(a.order(*b)),
            (Self::Text(a), Self::Instant(b)) => Some(Instant::parse(a)?.order(*b)),
            (Self::Instant(a), Self::Text(b)) => Some(a.order(Instant::parse(b)?)),
            _ => None,
        }
    }

    /// Whether two items of arrays are the same.
    pub fn is_same(&self, other: &Self) -> bool {
        match self.order(other) {
            Some(ordering) => ordering.is_eq(),
            None => self == other,
        }
    }

    /// A number, unless it is none or without end.
    pub fn finite(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self::Number(number))
    }
}
