use cardo_model::{InvalidTimestamp, Timestamp};

use crate::time_text::utc;

/// The parameters of a temporal query as they came (clause 4.11 and Table 5.2.21-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemporalParameters<'a> {
    /// `timerel`.
    pub relation: Option<&'a str>,
    /// `timeAt`.
    pub time_at: Option<&'a str>,
    /// `endTimeAt`.
    pub end_time_at: Option<&'a str>,
    /// `timeproperty`.
    pub property: Option<&'a str>,
}

/// A temporal query (clause 4.11): which moments of a temporal property match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporalRange {
    /// The property whose moments are looked at.
    pub property: TemporalProperty,
    /// How they lie.
    pub relation: TimeRelation,
}

/// How a moment lies to the bounds of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeRelation {
    /// Earlier than this one.
    Before(Timestamp),
    /// Not earlier than this one.
    After(Timestamp),
    /// Not earlier than the first, and earlier than the second.
    Between(Timestamp, Timestamp),
}

/// The temporal properties that a temporal query may look at (clause 4.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TemporalProperty {
    /// `observedAt`.
    #[default]
    ObservedAt,
    /// `createdAt`.
    CreatedAt,
    /// `modifiedAt`.
    ModifiedAt,
    /// `deletedAt`.
    DeletedAt,
}

/// Why temporal parameters were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemporalError {
    /// A relation that does not exist.
    #[error("timerel {0:?} is not one of before, after, between")]
    Relation(String),
    /// A property that is no temporal one.
    #[error("timeproperty {0:?} is not one of observedAt, createdAt, modifiedAt, deletedAt")]
    Property(String),
    /// A parameter that another one needs.
    #[error("{missing} is missing, which {needed_by} needs")]
    Missing {
        /// The parameter that is not there.
        missing: &'static str,
        /// What asks for it.
        needed_by: &'static str,
    },
    /// A bound that no relation uses.
    #[error("endTimeAt stands only with timerel=between")]
    EndWithoutBetween,
    /// A bound that is no date and time.
    #[error("{parameter}: {source}")]
    Time {
        /// Which one.
        parameter: &'static str,
        /// Why.
        source: InvalidTimestamp,
    },
    /// A bound that does not end with `Z` (clause 4.6.3).
    #[error("{parameter}: {text:?} is not a time in UTC such as 2026-01-31T12:00:00Z")]
    NotUtc {
        /// Which one.
        parameter: &'static str,
        /// What was given.
        text: String,
    },
    /// An end that lies before the start.
    #[error("endTimeAt {end} lies before timeAt {start}")]
    Reversed {
        /// The start.
        start: Timestamp,
        /// The end.
        end: Timestamp,
    },
}

impl TemporalProperty {
    /// The name that the specification gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ObservedAt => "observedAt",
            Self::CreatedAt => "createdAt",
            Self::ModifiedAt => "modifiedAt",
            Self::DeletedAt => "deletedAt",
        }
    }

    fn parse(text: &str) -> Result<Self, TemporalError> {
        [Self::ObservedAt, Self::CreatedAt, Self::ModifiedAt, Self::DeletedAt]
            .into_iter()
            .find(|property| property.as_str() == text)
            .ok_or_else(|| TemporalError::Property(shorten(text)))
    }
}

impl TemporalRange {
    /// Whether a moment of the property matches.
    pub fn contains(&self, moment: Timestamp) -> bool {
        match self.relation {
            TimeRelation::Before(end) => moment < end,
            TimeRelation::After(start) => start <= moment,
            TimeRelation::Between(start, end) => start <= moment && moment < end,
        }
    }

    /// The first moment that matches, where there is one.
    pub fn start(&self) -> Option<Timestamp> {
        match self.relation {
            TimeRelation::Before(_) => None,
            TimeRelation::After(start) | TimeRelation::Between(start, _) => Some(start),
        }
    }

    /// The first moment that no longer matches, where there is one.
    pub fn end(&self) -> Option<Timestamp> {
        match self.relation {
            TimeRelation::After(_) => None,
            TimeRelation::Before(end) | TimeRelation::Between(_, end) => Some(end),
        }
    }
}

/// Reads a temporal query; `None` where no parameter but perhaps `timeproperty` was given.
pub fn parse_temporal(
    parameters: TemporalParameters<'_>,
) -> Result<Option<TemporalRange>, TemporalError> {
    let TemporalParameters { relation, time_at, end_time_at, property } = parameters;
    let property = property.map(TemporalProperty::parse).transpose()?.unwrap_or_default();
    let Some(relation) = relation else {
        return match (time_at, end_time_at) {
            (None, None) => Ok(None),
            (Some(_), _) => Err(TemporalError::Missing { missing: "timerel", needed_by: "timeAt" }),
            (None, Some(_)) => {
                Err(TemporalError::Missing { missing: "timerel", needed_by: "endTimeAt" })
            }
        };
    };
    let relation = match (relation, end_time_at) {
        ("before" | "after", Some(_)) => return Err(TemporalError::EndWithoutBetween),
        ("before", None) => TimeRelation::Before(moment("timeAt", time_at)?),
        ("after", None) => TimeRelation::After(moment("timeAt", time_at)?),
        ("between", end) => between(moment("timeAt", time_at)?, moment("endTimeAt", end)?)?,
        (other, _) => return Err(TemporalError::Relation(shorten(other))),
    };
    Ok(Some(TemporalRange { property, relation }))
}

fn between(start: Timestamp, end: Timestamp) -> Result<TimeRelation, TemporalError> {
    if end < start {
        return Err(TemporalError::Reversed { start, end });
    }
    Ok(TimeRelation::Between(start, end))
}

fn moment(parameter: &'static str, text: Option<&str>) -> Result<Timestamp, TemporalError> {
    let text =
        text.ok_or(TemporalError::Missing { missing: parameter, needed_by: "this timerel" })?;
    match utc(text) {
        Some(moment) => moment.map_err(|source| TemporalError::Time { parameter, source }),
        None => Err(TemporalError::NotUtc { parameter, text: shorten(text) }),
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}
