//! Arguments as conditions of the one filter tree.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Value};
use cardo_engine::{ColumnType, Order, OrderBy, Table};
use cardo_model::{EntityId, Geometry, Iri, Scope, Timestamp};
use cardo_query::{
    Comparison, Filter, GeoCondition, GeoTest, Literal, Operand, Operator, Path, Pattern, Root,
    ScopeTest,
};
use cardo_spatial::GeoRelation;
use geo_types::{Geometry as Shape, MultiPolygon, Point, Polygon, Rect, coord};

use crate::fault::Fault;
use crate::model::{MEMBERS, Model};
use crate::value::to_json;

type Members = IndexMap<Name, Value>;

/// How deep `and`, `or` and `not` may stand in one another.
const MAX_NESTING: usize = 32;

/// The condition of a `filter` argument on entities of a type, or of any type.
pub(crate) fn filter(model: &Model, of: Option<usize>, value: &Value) -> Result<Filter, Fault> {
    Reader { model, of }.all(value, "filter", 0)
}

/// The condition of a type's argument.
pub(crate) fn of_type(model: &Model, of: Option<usize>) -> Filter {
    of.map_or(Filter::True, |of| Filter::Type(model.table(of).type_name.clone()))
}

/// An area that news are about: inside a geometry, or near a position.
pub(crate) fn area(model: &Model, of: usize, value: &Value, near: bool) -> Result<Filter, Fault> {
    let table = model.table(of);
    let Some(at) = table.geometry else {
        return Err(Fault::input(format!("{} has no geometry", table.name)));
    };
    let path = &table.columns[at].path;
    if near {
        return near_condition(path, value, "near");
    }
    geo(path, GeoRelation::Intersects, &shape(value, "area")?)
}

struct Reader<'a> {
    model: &'a Model,
    of: Option<usize>,
}

impl Reader<'_> {
    fn all(&self, value: &Value, at: &str, depth: usize) -> Result<Filter, Fault> {
        if depth > MAX_NESTING {
            return Err(Fault::input(format!("{at} is nested deeper than {MAX_NESTING} levels")));
        }
        let mut all = Filter::True;
        for (name, value) in members(value, at)? {
            if value == &Value::Null {
                continue;
            }
            all = all.and(self.member(name, value, &format!("{at}.{name}"), depth)?);
        }
        Ok(all)
    }

    fn member(&self, name: &str, value: &Value, at: &str, depth: usize) -> Result<Filter, Fault> {
        let parts = |value: &Value| -> Result<Vec<Filter>, Fault> {
            items(value).iter().map(|part| self.all(part, at, depth + 1)).collect()
        };
        match name {
            "and" => Ok(Filter::And(parts(value)?)),
            "or" => Ok(Filter::Or(parts(value)?)),
            "not" => Ok(Filter::Not(Box::new(self.all(value, at, depth + 1)?))),
            "id" => conditions(&Path::of_root(Root::Id), value, at),
            "createdAt" => conditions(&Path::of_root(Root::CreatedAt), value, at),
            "modifiedAt" => conditions(&Path::of_root(Root::ModifiedAt), value, at),
            "expiresAt" => conditions(&Path::of_root(Root::ExpiresAt), value, at),
            "scope" => scope(value, at),
            "location" if self.of.is_none() => self.anywhere(value, at),
            _ => {
                let column = self.of.and_then(|of| {
                    let fields = &self.model.types[of].fields;
                    let place = fields.iter().position(|field| field.filter == name)?;
                    Some(self.model.column(of, place))
                });
                let Some(column) = column else {
                    return Err(Fault::input(format!("{at} is no member of this filter")));
                };
                if column.datatype == ColumnType::Vocab {
                    let named = self.of.map(|of| full_names(self.model.table(of), value));
                    return conditions(&column.path, named.as_ref().unwrap_or(value), at);
                }
                conditions(&column.path, value, at)
            }
        }
    }

    /// Conditions on the geometry of entities of any type: of each the one that is its features'.
    fn anywhere(&self, value: &Value, at: &str) -> Result<Filter, Fault> {
        let mut places: Vec<(&Path<Iri>, Vec<Filter>)> = Vec::new();
        for table in self.model.tables.all() {
            let Some(place) = table.geometry else { continue };
            let path = &table.columns[place].path;
            let of = Filter::Type(table.type_name.clone());
            match places.iter_mut().find(|(other, _)| *other == path) {
                Some((_, types)) => types.push(of),
                None => places.push((path, vec![of])),
            }
        }
        // Where all agree, types that are yet to come will too.
        if let [(path, _)] = places[..] {
            return conditions(path, value, at);
        }
        let each = places
            .into_iter()
            .map(|(path, types)| Ok(Filter::Or(types).and(conditions(path, value, at)?)));
        Ok(Filter::Or(each.collect::<Result<_, Fault>>()?))
    }
}

/// Conditions on names of a vocabulary, each by its IRI; patterns are of the IRI as well.
fn full_names(table: &Table, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let part = |(name, part): (&Name, &Value)| {
                let is_pattern = matches!(name.as_str(), "like" | "matches");
                let part = if is_pattern { part.clone() } else { full_names(table, part) };
                (name.clone(), part)
            };
            Value::Object(members.iter().map(part).collect())
        }
        Value::List(items) => {
            Value::List(items.iter().map(|item| full_names(table, item)).collect())
        }
        Value::String(name) => Value::String(table.full_name(name).into_owned()),
        other => other.clone(),
    }
}

/// Every condition of one field.
fn conditions(path: &Path<Iri>, value: &Value, at: &str) -> Result<Filter, Fault> {
    let mut all = Filter::True;
    for (name, value) in members(value, at)? {
        if value == &Value::Null {
            continue;
        }
        all = all.and(condition(path, name, value, &format!("{at}.{name}"))?);
    }
    Ok(all)
}

fn condition(path: &Path<Iri>, name: &str, value: &Value, at: &str) -> Result<Filter, Fault> {
    // By its id a feature of a layer is found without a look at others.
    if let ("eq", Value::String(id), Root::Id) = (name, value, &path.root)
        && EntityId::parse_feature(id).is_some()
    {
        return one_of(path, value, at);
    }
    let operator = match name {
        "eq" => Operator::Equal,
        "ne" => Operator::Unequal,
        "lt" => Operator::Less,
        "le" => Operator::LessOrEqual,
        "gt" => Operator::Greater,
        "ge" => Operator::GreaterOrEqual,
        "in" => return one_of(path, value, at),
        "like" => return matches(path, &like(text(value, at)?), at),
        "matches" => return matches(path, text(value, at)?, at),
        "exists" => return exists(path, value, at),
        "near" => return near_condition(path, value, at),
        "bbox" => return geo(path, GeoRelation::Intersects, &bbox(value, at)?),
        "within" => return geo(path, GeoRelation::Within, &shape(value, at)?),
        "contains" => return geo(path, GeoRelation::Contains, &shape(value, at)?),
        "intersects" => return geo(path, GeoRelation::Intersects, &shape(value, at)?),
        "disjoint" => return geo(path, GeoRelation::Disjoint, &shape(value, at)?),
        "overlaps" => return geo(path, GeoRelation::Overlaps, &shape(value, at)?),
        "equals" => return geo(path, GeoRelation::Equals, &shape(value, at)?),
        _ => return Err(Fault::input(format!("{at} is no condition"))),
    };
    let operand = Operand::One(literal(path, value, at)?);
    Ok(Filter::Compare(Comparison { path: path.clone(), operator, operand }))
}

fn one_of(path: &Path<Iri>, value: &Value, at: &str) -> Result<Filter, Fault> {
    if path.root == Root::Id {
        let id = |value: &Value| {
            let text = text(value, at)?;
            let feature = EntityId::parse_feature(text);
            feature.map_or_else(|| Ok(EntityId::new(text.to_owned())?), Ok)
        };
        return Ok(Filter::Ids(items(value).iter().map(id).collect::<Result<_, Fault>>()?));
    }
    let literals: Vec<Literal> =
        items(value).iter().map(|value| literal(path, value, at)).collect::<Result<_, Fault>>()?;
    if literals.is_empty() {
        return Ok(Filter::False);
    }
    let (operator, operand) = (Operator::Equal, Operand::List(literals));
    Ok(Filter::Compare(Comparison { path: path.clone(), operator, operand }))
}

fn matches(path: &Path<Iri>, pattern: &str, at: &str) -> Result<Filter, Fault> {
    let pattern = Pattern::new(pattern).map_err(|error| Fault::input(format!("{at}: {error}")))?;
    if path.root == Root::Id {
        return Ok(Filter::IdPattern(pattern));
    }
    let (operator, operand) = (Operator::Matches, Operand::Pattern(pattern));
    Ok(Filter::Compare(Comparison { path: path.clone(), operator, operand }))
}

/// `%` stands for any characters, `_` for one.
fn like(text: &str) -> String {
    let mut pattern = String::from("(?s)^");
    for c in text.chars() {
        match c {
            '%' => pattern.push_str(".*"),
            '_' => pattern.push('.'),
            c if c.is_ascii_punctuation() => pattern.extend(['\\', c]),
            c => pattern.push(c),
        }
    }
    pattern.push('$');
    pattern
}

fn exists(path: &Path<Iri>, value: &Value, at: &str) -> Result<Filter, Fault> {
    let exists = Filter::Exists(path.clone());
    match value {
        Value::Boolean(true) => Ok(exists),
        Value::Boolean(false) => Ok(Filter::Not(Box::new(exists))),
        other => Err(Fault::input(format!("{at} is {other}, and has to be true or false"))),
    }
}

fn literal(path: &Path<Iri>, value: &Value, at: &str) -> Result<Literal, Fault> {
    let is_time = matches!(path.root, Root::CreatedAt | Root::ModifiedAt | Root::ExpiresAt)
        || path.member == cardo_query::Member::ObservedAt;
    match value {
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| number.is_finite());
            number.map(Literal::Number).ok_or_else(|| Fault::input(format!("{at} is out of range")))
        }
        Value::String(text) if is_time => Ok(Literal::DateTime(Timestamp::parse(text)?)),
        Value::String(text) => Ok(Literal::Text(text.as_str().into())),
        Value::Boolean(value) => Ok(Literal::Bool(*value)),
        other => Err(Fault::input(format!("{at} is {other}, and has to be a single value"))),
    }
}

fn scope(value: &Value, at: &str) -> Result<Filter, Fault> {
    let mut all = Filter::True;
    for (name, value) in members(value, at)? {
        let test = match (name.as_str(), value) {
            (_, Value::Null) => continue,
            ("exists", Value::Boolean(true)) => Filter::Scope(ScopeTest::Any),
            ("exists", Value::Boolean(false)) => {
                Filter::Not(Box::new(Filter::Scope(ScopeTest::Any)))
            }
            ("eq", value) => Filter::Scope(ScopeTest::Exactly(Scope::new(text(value, at)?)?)),
            ("below", value) => {
                let scope = Scope::new(text(value, at)?)?;
                let levels = scope.as_str().trim_start_matches('/').split('/');
                Filter::Scope(ScopeTest::Below(levels.map(|level| Some(level.into())).collect()))
            }
            (name, _) => return Err(Fault::input(format!("{at}.{name} is no condition"))),
        };
        all = all.and(test);
    }
    Ok(all)
}

fn geo(path: &Path<Iri>, relation: GeoRelation, reference: &Shape<f64>) -> Result<Filter, Fault> {
    let Root::Attribute(property) = &path.root else {
        return Err(Fault::input("the field has no geometry"));
    };
    if !path.attributes.is_empty() {
        return Err(Fault::input("geometries of sub-attributes cannot be asked for"));
    }
    Ok(Filter::Geo(GeoCondition {
        property: property.clone(),
        test: Arc::new(GeoTest::new(relation, reference.clone())),
        missing_matches: false,
        datasets: path.datasets.clone(),
    }))
}

fn near_condition(path: &Path<Iri>, value: &Value, at: &str) -> Result<Filter, Fault> {
    let given = members(value, at)?;
    let metres = |name: &str| -> Result<Option<f64>, Fault> {
        match given.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => {
                let metres = number.as_f64().filter(|metres| metres.is_finite() && *metres > 0.0);
                let bad =
                    || Fault::input(format!("{at}.{name} is {number}, and has to be more than 0"));
                metres.map(Some).ok_or_else(bad)
            }
            Some(other) => Err(Fault::input(format!("{at}.{name} is {other} and no number"))),
        }
    };
    let (max, min) = (metres("maxDistance")?, metres("minDistance")?);
    if max.is_none() && min.is_none() {
        return Err(Fault::input(format!("{at} needs maxDistance or minDistance, in metres")));
    }
    let geometry = given.get("geometry").filter(|value| **value != Value::Null);
    let reference = match (geometry, given.get("lon"), given.get("lat")) {
        (Some(geometry), None, None) => shape(geometry, at)?,
        (None, Some(Value::Number(lon)), Some(Value::Number(lat))) => {
            position(lon.as_f64().unwrap_or(f64::NAN), lat.as_f64().unwrap_or(f64::NAN), at)?
        }
        _ => return Err(Fault::input(format!("{at} needs lon and lat, or geometry"))),
    };
    geo(path, GeoRelation::Near { min, max }, &reference)
}

fn position(lon: f64, lat: f64, at: &str) -> Result<Shape<f64>, Fault> {
    let is_on_earth = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
    if !is_on_earth {
        return Err(Fault::input(format!("{at}: {lon}, {lat} is no longitude and latitude")));
    }
    Ok(Shape::Point(Point::new(lon, lat)))
}

fn shape(value: &Value, at: &str) -> Result<Shape<f64>, Fault> {
    Ok(geometry(value, at)?.shape())
}

/// A GeoJSON geometry, given as an object or as text.
pub(crate) fn geometry(value: &Value, at: &str) -> Result<Geometry, Fault> {
    let text = match value {
        Value::String(text) => text.clone(),
        other => to_json(other).unwrap_or_default().to_string(),
    };
    Geometry::parse(&text).map_err(|error| Fault::input(format!("{at}: {error}")))
}

/// West, south, east and north; west may lie east of east, across the antimeridian.
fn bbox(value: &Value, at: &str) -> Result<Shape<f64>, Fault> {
    let numbers: Vec<f64> = items(value)
        .iter()
        .filter_map(|number| match number {
            Value::Number(number) => number.as_f64(),
            _ => None,
        })
        .collect();
    let [west, south, east, north] = numbers.as_slice() else {
        return Err(Fault::input(format!("{at} has to be [west, south, east, north]")));
    };
    let (west, south, east, north) = (*west, *south, *east, *north);
    position(west, south, at)?;
    position(east, north, at)?;
    if south > north {
        return Err(Fault::input(format!("{at}: the south {south} lies above the north {north}")));
    }
    let part = |west: f64, east: f64| -> Polygon<f64> {
        Rect::new(coord! { x: west, y: south }, coord! { x: east, y: north }).to_polygon()
    };
    if west <= east {
        return Ok(Shape::Polygon(part(west, east)));
    }
    Ok(Shape::MultiPolygon(MultiPolygon(vec![part(west, 180.0), part(-180.0, east)])))
}

/// The order of an `orderBy` argument.
pub(crate) fn order(model: &Model, of: Option<usize>, value: &Value) -> Result<Order, Fault> {
    let mut by = Vec::new();
    for item in items(value) {
        let given = members(item, "orderBy")?;
        let field = match given.get("field") {
            Some(Value::Enum(name)) => name.as_str(),
            Some(Value::String(name)) => name.as_str(),
            _ => return Err(Fault::input("orderBy needs a field")),
        };
        let path = path_of(model, of, field)
            .ok_or_else(|| Fault::input(format!("orderBy: {field:?} is no field of an order")))?;
        let descending = match given.get("direction") {
            Some(Value::Enum(name)) => name.as_str() == "DESC",
            Some(Value::String(name)) => name == "DESC",
            _ => false,
        };
        by.push(OrderBy { path, descending, ranking: None });
    }
    Ok(Order { by, from: Vec::new() })
}

fn path_of(model: &Model, of: Option<usize>, field: &str) -> Option<Path<Iri>> {
    let member = |field: &str| match field {
        "id" => Some(Root::Id),
        "createdAt" => Some(Root::CreatedAt),
        "modifiedAt" => Some(Root::ModifiedAt),
        "expiresAt" => Some(Root::ExpiresAt),
        _ => None,
    };
    if MEMBERS.contains(&field) && of.is_none_or(|of| model.members(of).contains(&field)) {
        return member(field).map(Path::of_root);
    }
    let table: &Table = model.table(of?);
    table.column(field).map(|column| column.path.clone())
}

fn members<'a>(value: &'a Value, at: &str) -> Result<&'a Members, Fault> {
    match value {
        Value::Object(members) => Ok(members),
        other => Err(Fault::input(format!("{at} is {other}, and has to be an object"))),
    }
}

/// The items of a list; a single value stands for a list of it.
fn items(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        other => std::slice::from_ref(other),
    }
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str, Fault> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(Fault::input(format!("{at} is {other}, and has to be a text"))),
    }
}
