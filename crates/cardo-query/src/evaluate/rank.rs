//! The order of values by clause 4.23.2: numbers, texts, objects, arrays, truth values, times, dates
//! and moments, one after the other.

use std::cmp::Ordering;
use std::sync::Arc;

use cardo_model::{InstanceRef, Kind, NameId, Timestamp, read_shape};
use cardo_spatial::distance;
use geo_types::Geometry;

use super::any_of;
use super::instance::{instance_json, instance_scalar};
use super::order::SortKey;
use super::scalar::Scalar;
use crate::{Candidate, Collation, Path, Root};

/// The order that clause 4.23 asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// How texts stand.
    pub collation: Arc<Collation>,
    /// From where distances are taken, where geometries are ordered by them.
    pub from: Option<Arc<Geometry<f64>>>,
}

/// What a candidate is ordered by; the variants stand in their order.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Ranked {
    /// A distance in metres.
    Distance(f64),
    /// A number.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// An object.
    Object,
    /// A list.
    Array,
    /// A truth value.
    Bool(bool),
    /// A time of day, as written.
    Time(Box<str>),
    /// A date, as written.
    Date(Box<str>),
    /// A moment.
    DateTime(Timestamp),
}

impl Ranking {
    /// What the path leads to in a candidate.
    pub fn key<C: Candidate + ?Sized>(&self, path: &Path<NameId>, candidate: &C) -> SortKey {
        let Root::Attribute(name) = path.root else {
            return match SortKey::of(path, candidate) {
                SortKey::Text(text) => SortKey::Ranked(Ranked::Text(text)),
                SortKey::Time(moment) => SortKey::Ranked(Ranked::DateTime(moment)),
                _ => SortKey::Missing,
            };
        };
        let mut found = None;
        any_of(candidate, name, &path.datasets, &mut |instance| {
            found = self.of_instance(path, instance);
            found.is_some()
        });
        found.map_or(SortKey::Missing, SortKey::Ranked)
    }

    fn of_instance(&self, path: &Path<NameId>, instance: &InstanceRef<'_>) -> Option<Ranked> {
        if let Some(from) = &self.from
            && instance.kind() == Kind::GeoProperty
            && path.attributes.is_empty()
        {
            return distance(from, &read_shape(instance.value())?).map(Ranked::Distance);
        }
        let json = instance_json(path, instance);
        Some(match instance_scalar(path, instance)? {
            Scalar::Number(number) => Ranked::Number(number + 0.0),
            Scalar::Text(text) => match json.and_then(datatype) {
                Some("Date") => Ranked::Date(text.into()),
                Some("Time") => Ranked::Time(text.into()),
                _ => Ranked::Text(text.into()),
            },
            Scalar::Bool(value) => Ranked::Bool(value),
            Scalar::Time(moment) => Ranked::DateTime(moment),
            Scalar::Other => match json?.first()? {
                b'{' => Ranked::Object,
                b'[' => Ranked::Array,
                _ => return None,
            },
        })
    }

    /// How two values stand in an order that goes up.
    pub(super) fn compare(&self, one: &Ranked, other: &Ranked) -> Ordering {
        match (one, other) {
            (Ranked::Text(one), Ranked::Text(other)) => self.collation.compare(one, other),
            _ => one.partial_cmp(other).unwrap_or(Ordering::Equal),
        }
    }
}

/// `Date` or `Time` of a typed value (clause 4.6.3).
fn datatype(json: &[u8]) -> Option<&'static str> {
    let is_typed = |datatype: &str| {
        let tail = format!("{datatype}\"");
        json.windows(tail.len()).any(|window| window == tail.as_bytes())
    };
    if json.first() != Some(&b'{') || is_typed("DateTime") {
        return None;
    }
    ["Date", "Time"].into_iter().find(|datatype| is_typed(datatype))
}
