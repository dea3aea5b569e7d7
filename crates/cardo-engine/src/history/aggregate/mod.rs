//! Aggregates of the values in a history over periods of time (clause 4.5.19).

mod duration;
mod fold;

use cardo_model::{InstanceRef, Kind, NameId, Timestamp};
use cardo_query::TemporalProperty;

use super::{EntityHistory, moment};
use crate::ports::HistoryEvent;
use fold::Fold;

pub use duration::{Duration, InvalidDuration};

/// What is made of the values of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// How many there are.
    TotalCount,
    /// How many different ones there are.
    DistinctCount,
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The least of them.
    Min,
    /// The greatest of them.
    Max,
    /// Their standard deviation, as of all there are and not of a sample.
    Stddev,
    /// The sum of their squares.
    Sumsq,
}

/// What is made of a history.
#[derive(Clone, Debug)]
pub struct Aggregation {
    /// The methods.
    pub methods: Vec<Method>,
    /// How long a period is.
    pub period: Duration,
    /// Where the first period begins; at the first value where that is not given.
    pub from: Option<Timestamp>,
    /// Where the last period ends; where it is full, if that is not given.
    pub until: Option<Timestamp>,
    /// The temporal property by which values are placed.
    pub property: TemporalProperty,
}

/// The aggregates of one dataset of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributeAggregates {
    /// The attribute.
    pub name: NameId,
    /// The dataset; none is that of the default instance.
    pub dataset_id: Option<Box<str>>,
    /// The kind of attribute.
    pub kind: Kind,
    /// What each method makes of it, those that have nothing to go by left out.
    pub methods: Vec<(Method, Vec<Aggregate>)>,
}

/// What a method makes of one period.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// What came out.
    pub value: AggregateValue,
    /// Where the period begins, this moment included.
    pub start: Timestamp,
    /// Where it ends, this moment excluded.
    pub end: Timestamp,
}

/// What came out of an aggregation.
#[derive(Clone, Debug, PartialEq)]
pub enum AggregateValue {
    /// A number.
    Number(f64),
    /// A count.
    Count(u64),
    /// A text, or a date or a time as text.
    Text(Box<str>),
    /// Nothing can be made of what the period holds.
    Nothing,
}

impl Method {
    /// All methods, in the order of the clause.
    pub const ALL: [Self; 8] = [
        Self::TotalCount,
        Self::DistinctCount,
        Self::Sum,
        Self::Avg,
        Self::Min,
        Self::Max,
        Self::Stddev,
        Self::Sumsq,
    ];

    /// The name that the specification gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TotalCount => "totalCount",
            Self::DistinctCount => "distinctCount",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Stddev => "stddev",
            Self::Sumsq => "sumsq",
        }
    }

    /// What it makes of no value at all.
    fn of_nothing(self) -> AggregateValue {
        match self {
            Self::TotalCount | Self::DistinctCount => AggregateValue::Count(0),
            Self::Sum | Self::Sumsq => AggregateValue::Number(0.0),
            Self::Avg | Self::Min | Self::Max | Self::Stddev => AggregateValue::Nothing,
        }
    }
}

impl std::str::FromStr for Method {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|method| method.as_str() == text).ok_or(())
    }
}

impl Aggregation {
    /// How many periods there are; none can be said where the range of time has no beginning or no
    /// end.
    pub fn periods(&self) -> Option<u64> {
        let (from, until) = (self.from?, self.until?);
        if from >= until {
            return Some(0);
        }
        if self.period.is_zero() {
            return Some(1);
        }
        let last = self.period.number(from, Timestamp::from_micros(until.as_micros() - 1));
        u64::try_from(last).ok().map(|last| last + 1)
    }

    /// Puts in the periods of which a method has made nothing, so that all of a range of time that has
    /// a beginning and an end are there (clause 4.5.19.0).
    pub fn complete(&self, aggregates: &mut AttributeAggregates) {
        let (Some(count), Some(origin)) = (self.periods(), self.from) else { return };
        let period = self.period;
        let periods = Periods { period, origin, until: self.until, last: origin };
        for (method, made) in &mut aggregates.methods {
            let mut there = std::mem::take(made).into_iter().peekable();
            let all = (0..i64::try_from(count).unwrap_or(i64::MAX)).map(|number| {
                let (start, end) = periods.bounds(number);
                let own = there.next_if(|aggregate| aggregate.start == start);
                own.unwrap_or_else(|| Aggregate { value: method.of_nothing(), start, end })
            });
            *made = all.collect();
        }
    }

    /// The aggregates of a history, in the order of its rows, of the periods that have a value.
    /// Deletions are no values.
    pub fn of(&self, history: &EntityHistory) -> Vec<AttributeAggregates> {
        let values: Vec<Placed<'_>> =
            history.rows.iter().filter_map(|row| self.placed(row)).collect();
        let Some(periods) = Periods::new(self, &values) else { return Vec::new() };
        let same = |a: &Placed<'_>, b: &Placed<'_>| {
            a.name == b.name && a.instance.dataset_id() == b.instance.dataset_id()
        };
        values.chunk_by(same).map(|series| self.series(series, &periods)).collect()
    }

    fn placed<'a>(&self, row: &'a crate::HistoryRow) -> Option<Placed<'a>> {
        let HistoryEvent::Instance { name, instance } = &row.event else { return None };
        let instance = InstanceRef::from_bytes(instance)?;
        let is_null =
            matches!(instance.value(), "\"urn:ngsi-ld:null\"" | "{\"@none\":\"urn:ngsi-ld:null\"}");
        let moment = moment(row, self.property).unwrap_or(row.time);
        (!is_null).then_some(Placed { name: *name, instance, moment })
    }

    fn series(&self, series: &[Placed<'_>], periods: &Periods) -> AttributeAggregates {
        let kind = series[0].instance.kind();
        let mut folds: Vec<(i64, Fold)> = Vec::new();
        for value in series {
            let number = periods.number(value.moment);
            let at = match folds.last() {
                Some((last, _)) if *last == number => folds.len() - 1,
                _ => match folds.binary_search_by_key(&number, |(number, _)| *number) {
                    Ok(at) => at,
                    Err(at) => {
                        folds.insert(at, (number, Fold::new(&self.methods)));
                        at
                    }
                },
            };
            folds[at].1.add(&value.instance);
        }
        let aggregates = |method: &Method| {
            let all: Vec<Aggregate> = folds
                .iter()
                .filter_map(|(number, fold)| {
                    let (start, end) = periods.bounds(*number);
                    Some(Aggregate { value: fold.result(*method)?, start, end })
                })
                .collect();
            (!all.is_empty()).then_some((*method, all))
        };
        AttributeAggregates {
            name: series[0].name,
            dataset_id: series[0].instance.dataset_id().map(Box::from),
            kind,
            methods: self.methods.iter().filter_map(aggregates).collect(),
        }
    }
}

/// A value with its place in time.
struct Placed<'a> {
    name: NameId,
    instance: InstanceRef<'a>,
    moment: Timestamp,
}

/// The periods of an aggregation.
struct Periods {
    period: Duration,
    origin: Timestamp,
    until: Option<Timestamp>,
    last: Timestamp,
}

impl Periods {
    fn new(aggregation: &Aggregation, values: &[Placed<'_>]) -> Option<Self> {
        let first = values.iter().map(|value| value.moment).min()?;
        let last = values.iter().map(|value| value.moment).max()?;
        let origin = aggregation.from.unwrap_or(first);
        Some(Self { period: aggregation.period, origin, until: aggregation.until, last })
    }

    fn number(&self, moment: Timestamp) -> i64 {
        if self.period.is_zero() { 0 } else { self.period.number(self.origin, moment) }
    }

    fn bounds(&self, number: i64) -> (Timestamp, Timestamp) {
        if self.period.is_zero() {
            return (self.origin, self.until.unwrap_or(self.last));
        }
        let end = self.period.start(self.origin, number + 1);
        let end = self.until.map_or(end, |until| until.min(end));
        (self.period.start(self.origin, number), end)
    }
}
