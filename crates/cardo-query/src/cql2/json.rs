//! CQL2 JSON (OGC 21-065r2, clause 8.3 and annex C).

use serde_json::{Map, Value, json};

use super::error::shorten;
use super::geometry::{Literal, Position};
use super::reading::{check_arity, date, instant, timestamp};
use super::{
    Cql2Error, Expression, Kind, MAX_FILTER_BYTES, MAX_FILTER_NESTING, MAX_FILTER_TERMS, Operation,
    Place,
};

/// Reads a filter in CQL2 JSON.
pub fn parse_json(text: &str) -> Result<Expression, Cql2Error> {
    if text.len() > MAX_FILTER_BYTES {
        return Err(Cql2Error::TooLong(text.len()));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| Cql2Error::Json(error.to_string()))?;
    Reader { terms: 0 }.expression(&value, &At::TOP)
}

/// Where the reader is: a chain of steps from the top.
struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
    depth: usize,
}

enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    const TOP: Self = Self { above: None, step: Step::Item(0), depth: 0 };

    fn member(&'a self, name: &'a str) -> Self {
        Self { above: Some(self), step: Step::Member(name), depth: self.depth }
    }

    fn item(&'a self, nth: usize) -> Self {
        Self { above: Some(self), step: Step::Item(nth), depth: self.depth + 1 }
    }

    fn pointer(&self) -> String {
        let Some(above) = self.above else { return String::new() };
        match self.step {
            Step::Member(name) => format!("{}/{name}", above.pointer()),
            Step::Item(nth) => format!("{}/{nth}", above.pointer()),
        }
    }

    fn place(&self) -> Place {
        Place::Pointer(self.pointer().into())
    }

    fn expected(&self, expected: &'static str, found: &Value) -> Cql2Error {
        let found = shorten(&found.to_string());
        Cql2Error::Syntax { place: self.place(), expected, found }
    }
}

struct Reader {
    terms: usize,
}

type Members = Map<String, Value>;

impl Reader {
    fn expression(&mut self, value: &Value, at: &At<'_>) -> Result<Expression, Cql2Error> {
        if at.depth > MAX_FILTER_NESTING {
            return Err(Cql2Error::TooDeep(at.place()));
        }
        self.terms += 1;
        if self.terms > MAX_FILTER_TERMS {
            return Err(Cql2Error::TooManyTerms(at.place()));
        }
        let kind = match value {
            Value::Bool(value) => Kind::Bool(*value),
            Value::Number(_) => Kind::Number(number(value, at)?),
            Value::String(text) => Kind::Text(text.as_str().into()),
            Value::Array(items) => Kind::Array(self.all(items, at)?),
            Value::Object(members) => self.object(members, value, at)?,
            Value::Null => return Err(at.expected("a condition or a value", value)),
        };
        Ok(Expression::new(at.place(), kind))
    }

    fn all(&mut self, items: &[Value], at: &At<'_>) -> Result<Vec<Expression>, Cql2Error> {
        items.iter().enumerate().map(|(nth, item)| self.expression(item, &at.item(nth))).collect()
    }

    fn object(&mut self, members: &Members, value: &Value, at: &At<'_>) -> Result<Kind, Cql2Error> {
        let text = |name| text_member(members, name, at);
        if members.contains_key("op") {
            return self.call(members, &text("op")?, at);
        }
        if members.contains_key("property") {
            return text("property").map(|name| Kind::Property(name.into()));
        }
        if members.contains_key("date") {
            return date(&at.member("date").place(), &text("date")?);
        }
        if members.contains_key("timestamp") {
            return timestamp(&at.member("timestamp").place(), &text("timestamp")?);
        }
        if let Some(ends) = members.get("interval") {
            return self.interval(ends, &at.member("interval"));
        }
        if members.contains_key("type") {
            return geometry(members, at, true).map(Kind::Geometry);
        }
        if let Some(numbers) = members.get("bbox") {
            return list(numbers, &at.member("bbox"), number).map(Kind::Bbox);
        }
        Err(at.expected(
            "an object with op, property, date, timestamp, interval, type or bbox",
            value,
        ))
    }

    fn call(&mut self, members: &Members, name: &str, at: &At<'_>) -> Result<Kind, Cql2Error> {
        let at_arguments = at.member("args");
        let arguments = match members.get("args") {
            Some(Value::Array(arguments)) => self.all(arguments, &at_arguments)?,
            Some(other) => return Err(at_arguments.expected("a list of arguments", other)),
            None => {
                let reason = format!("the operator {name:?} has no member args");
                return Err(Cql2Error::meaning(&at.place(), reason));
            }
        };
        let operation = Operation::of_json(name);
        check_arity(&at.place(), &operation, arguments.len())?;
        if operation == Operation::In && !matches!(arguments[1].kind, Kind::Array(_)) {
            let reason =
                format!("the second argument of in is a list, and not {}", arguments[1].noun());
            return Err(Cql2Error::meaning(&arguments[1].place, reason));
        }
        Ok(Kind::Call(operation, arguments))
    }

    fn interval(&mut self, ends: &Value, at: &At<'_>) -> Result<Kind, Cql2Error> {
        let Value::Array(ends) = ends else {
            return Err(at.expected("a list of two ends", ends));
        };
        let [from, until] = ends.as_slice() else {
            let reason = format!("an interval has two ends, and not {}", ends.len());
            return Err(Cql2Error::meaning(&at.place(), reason));
        };
        let mut end = |value: &Value, nth| {
            let at = at.item(nth);
            match value {
                Value::String(text) => {
                    self.terms += 1;
                    Ok(Expression::new(at.place(), instant(&at.place(), text)?))
                }
                other => self.expression(other, &at),
            }
        };
        Ok(Kind::Interval(Box::new([end(from, 0)?, end(until, 1)?])))
    }
}

fn text_member(members: &Members, name: &'static str, at: &At<'_>) -> Result<String, Cql2Error> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        other => Err(at.member(name).expected("a text", other.unwrap_or(&Value::Null))),
    }
}

fn number(value: &Value, at: &At<'_>) -> Result<f64, Cql2Error> {
    let number = value.as_f64().filter(|number| number.is_finite());
    number.ok_or_else(|| at.expected("a number", value))
}

fn list<T>(
    value: &Value,
    at: &At<'_>,
    item: impl Fn(&Value, &At<'_>) -> Result<T, Cql2Error>,
) -> Result<Vec<T>, Cql2Error> {
    let Value::Array(items) = value else { return Err(at.expected("a list", value)) };
    items.iter().enumerate().map(|(nth, value)| item(value, &at.item(nth))).collect()
}

/// A GeoJSON geometry; a collection has no collections in it.
fn geometry(members: &Members, at: &At<'_>, is_outer: bool) -> Result<Literal, Cql2Error> {
    let kind = text_member(members, "type", at)?;
    let coordinates = members.get("coordinates").unwrap_or(&Value::Null);
    let within = at.member("coordinates");
    match kind.as_str() {
        "Point" => position(coordinates, &within).map(Literal::Point),
        "LineString" => positions(coordinates, &within).map(Literal::LineString),
        "MultiPoint" => positions(coordinates, &within).map(Literal::MultiPoint),
        "Polygon" => list(coordinates, &within, positions).map(Literal::Polygon),
        "MultiLineString" => list(coordinates, &within, positions).map(Literal::MultiLineString),
        "MultiPolygon" => list(coordinates, &within, |rings, at| list(rings, at, positions))
            .map(Literal::MultiPolygon),
        "GeometryCollection" if is_outer => {
            let geometries = members.get("geometries").unwrap_or(&Value::Null);
            list(geometries, &at.member("geometries"), |value, at| match value {
                Value::Object(members) => geometry(members, at, false),
                other => Err(at.expected("a geometry", other)),
            })
            .map(Literal::GeometryCollection)
        }
        other => {
            let reason = format!("{:?} is no type of geometry that can stand here", shorten(other));
            Err(Cql2Error::meaning(&at.member("type").place(), reason))
        }
    }
}

fn positions(value: &Value, at: &At<'_>) -> Result<Vec<Position>, Cql2Error> {
    list(value, at, position)
}

fn position(value: &Value, at: &At<'_>) -> Result<Position, Cql2Error> {
    match list(value, at, number)?[..] {
        [x, y] => Ok(Position { x, y, z: None }),
        [x, y, z] => Ok(Position { x, y, z: Some(z) }),
        _ => Err(at.expected("a position of two or three numbers", value)),
    }
}

/// Writes an expression as CQL2 JSON, which reads as the same expression.
pub fn write_json(expression: &Expression) -> Value {
    match &expression.kind {
        Kind::Call(operation, arguments) => json!({
            "op": operation.name(),
            "args": arguments.iter().map(write_json).collect::<Vec<_>>(),
        }),
        Kind::Property(name) => json!({ "property": name }),
        Kind::Text(text) => json!(text),
        Kind::Number(number) => plain(*number),
        Kind::Bool(value) => json!(value),
        Kind::Date(date) => json!({ "date": date }),
        Kind::Timestamp(moment) => json!({ "timestamp": moment.to_string() }),
        Kind::Interval(ends) => json!({ "interval": ends.each_ref().map(end) }),
        Kind::Open => json!(".."),
        Kind::Geometry(literal) => geojson(literal),
        Kind::Bbox(numbers) => {
            json!({ "bbox": numbers.iter().copied().map(plain).collect::<Vec<_>>() })
        }
        Kind::Array(items) => items.iter().map(write_json).collect(),
    }
}

fn end(expression: &Expression) -> Value {
    match &expression.kind {
        Kind::Date(date) => json!(date),
        Kind::Timestamp(moment) => json!(moment.to_string()),
        _ => write_json(expression),
    }
}

/// Whole numbers without a fraction, as far as they are exact.
fn plain(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    if number.fract() == 0.0 && number.abs() < 1e15 && !(number == 0.0 && number.is_sign_negative())
    {
        return json!(number as i64);
    }
    json!(number)
}

fn geojson(literal: &Literal) -> Value {
    let point = |Position { x, y, z }: &Position| -> Value {
        [Some(*x), Some(*y), *z].into_iter().flatten().map(plain).collect()
    };
    let line = |line: &Vec<Position>| -> Value { line.iter().map(point).collect() };
    let lines = |lines: &Vec<Vec<Position>>| -> Value { lines.iter().map(line).collect() };
    let (kind, coordinates) = match literal {
        Literal::Point(at) => ("Point", point(at)),
        Literal::LineString(positions) => ("LineString", line(positions)),
        Literal::MultiPoint(positions) => ("MultiPoint", line(positions)),
        Literal::Polygon(rings) => ("Polygon", lines(rings)),
        Literal::MultiLineString(all) => ("MultiLineString", lines(all)),
        Literal::MultiPolygon(polygons) => ("MultiPolygon", polygons.iter().map(lines).collect()),
        Literal::GeometryCollection(all) => {
            let geometries: Value = all.iter().map(geojson).collect();
            return json!({ "type": "GeometryCollection", "geometries": geometries });
        }
    };
    json!({ "type": kind, "coordinates": coordinates })
}
