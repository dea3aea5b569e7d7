use std::borrow::Cow;
use std::sync::Arc;

use cardo_spatial::{centroid, distance};
use geo_types::{Geometry as Shape, Point};
use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use crate::predicate::{Datum, Function, Instant};

/// What a function makes of its arguments; nothing where they are of another sort than it takes,
/// or have no result, such as a division by 0.
pub(super) fn call(function: Function, arguments: &[Cow<'_, Datum>]) -> Option<Datum> {
    match arguments {
        [one] => of_one(function, one),
        [one, other] => match (one.as_ref(), other.as_ref()) {
            (Datum::Number(one), Datum::Number(other)) => of_numbers(function, *one, *other),
            (Datum::Text(one), Datum::Text(other)) => of_texts(function, one, other),
            (Datum::Geometry(one), Datum::Geometry(other)) => {
                distance(one, other).and_then(Datum::finite)
            }
            _ => None,
        },
        _ => None,
    }
}

fn of_one(function: Function, datum: &Datum) -> Option<Datum> {
    match datum {
        Datum::Number(number) => of_number(function, *number),
        Datum::Text(text) => of_text(function, text),
        Datum::Instant(instant) => of_instant(function, *instant),
        Datum::Geometry(shape) => of_geometry(function, shape),
        Datum::Array(_) | Datum::Bool(_) | Datum::Interval(..) => None,
    }
}

fn of_number(function: Function, number: f64) -> Option<Datum> {
    Datum::finite(match function {
        Function::Abs => number.abs(),
        Function::Floor => number.floor(),
        Function::Ceil => number.ceil(),
        Function::Round => number.round(),
        Function::Sqrt => number.sqrt(),
        _ => return None,
    })
}

fn of_numbers(function: Function, one: f64, other: f64) -> Option<Datum> {
    Datum::finite(match function {
        Function::Add => one + other,
        Function::Subtract => one - other,
        Function::Multiply => one * other,
        Function::Divide => one / other,
        Function::Modulo => one % other,
        Function::IntegerDivide => (one / other).trunc(),
        Function::Power => one.powf(other),
        Function::Least => one.min(other),
        Function::Greatest => one.max(other),
        _ => return None,
    })
}

fn of_text(function: Function, text: &str) -> Option<Datum> {
    let text = match function {
        Function::CaseFolded => case_folded(text),
        Function::Unaccented => unaccented(text),
        Function::Lower => text.to_lowercase(),
        Function::Upper => text.to_uppercase(),
        Function::Length => return count(text.chars().count()),
        _ => return of_instant(function, Instant::parse(text)?),
    };
    Some(Datum::Text(text.into()))
}

fn of_texts(function: Function, one: &str, other: &str) -> Option<Datum> {
    Some(match function {
        Function::Concat => Datum::Text(format!("{one}{other}").into()),
        Function::StartsWith => Datum::Bool(one.starts_with(other)),
        Function::EndsWith => Datum::Bool(one.ends_with(other)),
        Function::Includes => Datum::Bool(one.contains(other)),
        _ => return None,
    })
}

fn of_instant(function: Function, instant: Instant) -> Option<Datum> {
    const MICROS_PER_HOUR: i64 = 3_600_000_000;
    let [year, month, day] = instant.calendar();
    let number = match (function, instant) {
        (Function::Year, _) => year,
        (Function::Month, _) => month,
        (Function::Day, _) => day,
        (Function::Hour, Instant::Moment(moment)) => {
            moment.as_micros().div_euclid(MICROS_PER_HOUR).rem_euclid(24)
        }
        _ => return None,
    };
    count(usize::try_from(number).ok()?)
}

fn of_geometry(function: Function, shape: &Shape<f64>) -> Option<Datum> {
    if function == Function::Dimension {
        return count(dimension(shape));
    }
    let [lon, lat] = centroid(shape)?;
    match function {
        Function::Centroid => Some(Datum::Geometry(Arc::new(Shape::Point(Point::new(lon, lat))))),
        Function::Longitude => Datum::finite(lon),
        Function::Latitude => Datum::finite(lat),
        _ => None,
    }
}

fn dimension(shape: &Shape<f64>) -> usize {
    match shape {
        Shape::Point(_) | Shape::MultiPoint(_) => 0,
        Shape::Line(_) | Shape::LineString(_) | Shape::MultiLineString(_) => 1,
        Shape::Polygon(_) | Shape::MultiPolygon(_) | Shape::Rect(_) | Shape::Triangle(_) => 2,
        Shape::GeometryCollection(all) => all.iter().map(dimension).max().unwrap_or(0),
    }
}

fn count(number: usize) -> Option<Datum> {
    u32::try_from(number).ok().map(|number| Datum::Number(f64::from(number)))
}

/// A text as it is compared without regard to case: by the full case folding of Unicode.
fn case_folded(text: &str) -> String {
    CaseMapper::new().fold_string(text).into_owned()
}

/// A text as it is compared without regard to accents: decomposed, without nonspacing marks, and
/// composed again (OGC 21-065r2, clause 7.4). The voicing marks of Japanese are no accents
/// (recommendation /rec/accent-insensitive-comparison/special-japanese-non-spacing-marks).
fn unaccented(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let categories = CodePointMapData::<GeneralCategory>::new();
    let is_accent = |c: char| {
        categories.get(c) == GeneralCategory::NonspacingMark
            && !matches!(c, '\u{3099}' | '\u{309A}')
    };
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let plain: String = decomposed.chars().filter(|c| !is_accent(*c)).collect();
    ComposingNormalizerBorrowed::new_nfc().normalize(&plain).into_owned()
}
