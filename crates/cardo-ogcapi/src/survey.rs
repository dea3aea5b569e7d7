//! What the features of a collection have now: what a schema cannot know of tables alone.

use std::collections::{BTreeMap, BTreeSet};

use cardo_engine::{
    Cell, ColumnPart, ColumnType, EntityQuery, Order, PageRequest, PageStart, Snapshot, Table,
    Tables,
};
use cardo_model::{NameId, Record, Timestamp};
use cardo_query::Filter;
use serde_json::{Value, json};

use crate::documents::Schema;
use crate::face::Face;
use crate::fault::Fault;
use crate::params::{Domain, SchemaProfiles};
use crate::represent::{cell_json, is_reference, referenced};
use crate::request::Ask;

/// Of collections with more features, schemas say what holds for any.
const MOST_FEATURES: usize = 1_000_000;
/// How many features are looked at before others come.
const CHECKED_TOGETHER: usize = 256;
/// So many features are looked at for anybody.
const WITHOUT_PERMIT: usize = 1_024;
/// The most values that a list of values has.
const MOST_VALUES: usize = 50;
/// The most names that a list of codes has.
const MOST_CODES: usize = 1_000;

/// What was seen of the columns of a table.
#[derive(Default)]
pub(crate) struct Survey {
    /// By the place of the column.
    columns: BTreeMap<usize, Seen>,
    /// Which values the schema tells of.
    pub(crate) profiles: SchemaProfiles,
}

/// What was seen of a column.
enum Seen {
    /// The types that all features have to which references lead.
    Targets(Option<Vec<NameId>>),
    Numbers(Option<[f64; 2]>),
    Texts(Texts),
    /// What all texts are, once there was one; nothing of both where they are neither.
    Times(Option<[bool; 2]>),
    /// The types of geometries.
    Shapes(BTreeSet<String>),
    /// What members of lists are.
    Members(Members),
    /// Names of a vocabulary; `None` where there are too many.
    Codes(Option<BTreeSet<String>>),
}

/// What members of lists are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Members {
    /// There was none yet.
    Unseen,
    /// All are of this type of JSON.
    Alike(&'static str),
    Mixed,
}

#[derive(Default)]
struct Texts {
    /// `None` where there are too many.
    values: Option<BTreeSet<String>>,
    /// The fewest and the most characters.
    lengths: Option<[usize; 2]>,
}

impl Face {
    /// Looks at the features of a collection, as far as a schema needs it.
    pub(crate) async fn survey(
        &self,
        ask: &Ask<'_>,
        tables: &Tables,
        table: &Table,
        profiles: SchemaProfiles,
        schema: Schema,
    ) -> Result<Survey, Fault> {
        let mut survey = Survey::of(table, profiles, schema);
        // References do not lead into files, and what is in a file would have to be read whole.
        if survey.is_settled() || self.layer_of(ask, table).is_some() {
            return Ok(Survey::default());
        }
        let query = EntityQuery {
            filter: Filter::Type(table.type_name.clone()),
            page: PageRequest { limit: MOST_FEATURES, start: PageStart::Offset(0) },
            order: Order::default(),
            count: false,
        };
        let listing = self.engine.listing(&ask.caller, &query).await?;
        if listing.has_more {
            return Ok(Survey::default());
        }
        let mut permit = None;
        let snapshot = self.snapshot(ask).await?;
        for start in (0..listing.len()).step_by(CHECKED_TOGETHER) {
            // Who has much looked at takes the room of a large answer.
            if start >= WITHOUT_PERMIT && permit.is_none() {
                permit = Some(self.streams.try_acquire().map_err(|_| {
                    Fault::busy("too many surveys and large answers are under way")
                })?);
            }
            for record in listing.look(start..start + CHECKED_TOGETHER) {
                survey.add(table, &snapshot, &record);
            }
            if survey.is_settled() {
                break;
            }
            tokio::task::yield_now().await;
        }
        survey.keep_known(tables);
        Ok(survey)
    }
}

impl Survey {
    fn of(table: &Table, profiles: SchemaProfiles, schema: Schema) -> Self {
        let domain = profiles.domain;
        let mut columns = BTreeMap::new();
        for (at, column) in table.columns.iter().enumerate() {
            let is_value = column.part != ColumnPart::UnitCode || domain == Domain::Actual;
            let seen = match (column.datatype, domain) {
                (ColumnType::Relationship, _) if is_reference(column) => Seen::Targets(None),
                (ColumnType::Text, _) if schema == Schema::Feature => Seen::Times(None),
                (ColumnType::Number, Domain::Actual) => Seen::Numbers(None),
                (ColumnType::List, _) if domain == Domain::Actual || schema == Schema::Feature => {
                    Seen::Members(Members::Unseen)
                }
                (ColumnType::Vocab, _) if profiles.codelists => Seen::Codes(Some(BTreeSet::new())),
                (ColumnType::Text | ColumnType::Vocab, Domain::Actual) if is_value => {
                    Seen::Texts(Texts { values: Some(BTreeSet::new()), lengths: None })
                }
                (ColumnType::Geometry, Domain::Actual) => Seen::Shapes(BTreeSet::new()),
                _ => continue,
            };
            columns.insert(at, seen);
        }
        Self { columns, profiles }
    }

    /// Whether nothing can come of looking further.
    fn is_settled(&self) -> bool {
        let is_settled = |seen: &Seen| match seen {
            Seen::Targets(types) => types.as_ref().is_some_and(Vec::is_empty),
            Seen::Times(times) => *times == Some([false; 2]),
            Seen::Members(members) => *members == Members::Mixed,
            _ => false,
        };
        self.columns.values().all(is_settled)
    }

    fn add(&mut self, table: &Table, snapshot: &Snapshot, record: &Record) {
        let columns = &mut self.columns;
        table.read(&record.view(), &mut |at: usize, cell: Cell<'_>| {
            let Some(seen) = columns.get_mut(&at) else { return };
            let mut json = Vec::new();
            cell_json(&cell, table.columns[at].datatype, &mut json);
            seen.add(&json, snapshot);
        });
    }

    /// Leaves out types that are no collections here.
    fn keep_known(&mut self, tables: &Tables) {
        for seen in self.columns.values_mut() {
            if let Seen::Targets(Some(types)) = seen {
                types.retain(|id| tables.of_id(*id).is_some());
            }
        }
    }

    /// The collection to which all references of a column lead.
    pub(crate) fn collection<'t>(&self, at: usize, tables: &'t Tables) -> Option<&'t Table> {
        match self.columns.get(&at)? {
            Seen::Targets(types) => tables.of_id(*types.as_ref()?.first()?),
            _ => None,
        }
    }

    /// Puts what the values of a column are to its schema (/req/profile-domains/actual-domain,
    /// /req/profile-codelists/codelist-inline).
    pub(crate) fn constrain(&self, at: usize, table: &Table, schema: &mut Value) {
        match self.columns.get(&at) {
            // GDAL takes texts that are all times as such whatever it is told, and would write them in
            // its own way where it is not.
            Some(Seen::Times(Some([true, _]))) => schema["format"] = "date".into(),
            Some(Seen::Times(Some([_, true]))) => schema["format"] = "date-time".into(),
            Some(Seen::Members(Members::Alike(kind))) => schema["items"] = json!({ "type": kind }),
            Some(Seen::Codes(Some(codes))) if !codes.is_empty() => {
                schema["oneOf"] = codes.iter().map(|code| code_of(table, code)).collect();
            }
            Some(Seen::Numbers(Some([least, most]))) => {
                schema["minimum"] = (*least).into();
                schema["maximum"] = (*most).into();
            }
            Some(Seen::Texts(Texts { values: Some(values), .. })) if !values.is_empty() => {
                schema["enum"] = values.iter().map(String::as_str).collect();
            }
            Some(Seen::Texts(Texts { lengths: Some([least, most]), .. })) => {
                schema["minLength"] = (*least).into();
                schema["maxLength"] = (*most).into();
            }
            Some(Seen::Shapes(kinds)) => schema["format"] = format_of(kinds).into(),
            _ => {}
        }
    }
}

impl Seen {
    fn add(&mut self, json: &[u8], snapshot: &Snapshot) {
        match self {
            Self::Targets(types) => {
                for id in referenced(json) {
                    let record = snapshot.retrieve(&id);
                    let found = record.map(|record| record.view().types().collect::<Vec<_>>());
                    let found = found.unwrap_or_default();
                    match types {
                        None => *types = Some(found),
                        Some(types) => types.retain(|one| found.contains(one)),
                    }
                }
            }
            Self::Numbers(range) => {
                let Ok(number) = serde_json::from_slice::<f64>(json) else { return };
                let [least, most] = range.unwrap_or([number, number]);
                *range = Some([least.min(number), most.max(number)]);
            }
            Self::Texts(texts) => {
                let Ok(text) = serde_json::from_slice::<String>(json) else { return };
                let length = text.chars().count();
                let [least, most] = texts.lengths.unwrap_or([length, length]);
                texts.lengths = Some([least.min(length), most.max(length)]);
                let Some(values) = &mut texts.values else { return };
                values.insert(text);
                if values.len() > MOST_VALUES {
                    texts.values = None;
                }
            }
            Self::Times(times) => {
                let Ok(text) = serde_json::from_slice::<String>(json) else { return };
                let [dates, moments] = times.unwrap_or([true; 2]);
                let is = |text: &str| Timestamp::parse(text).is_ok();
                *times = Some([dates && is(&format!("{text}T00:00:00Z")), moments && is(&text)]);
            }
            Self::Members(seen) => {
                let Ok(Value::Array(members)) = serde_json::from_slice(json) else { return };
                for kind in members.iter().map(kind_of) {
                    let is_alike = *seen == Members::Unseen || *seen == Members::Alike(kind);
                    *seen = if is_alike { Members::Alike(kind) } else { Members::Mixed };
                }
            }
            Self::Codes(codes) => {
                let (Ok(code), Some(known)) = (serde_json::from_slice(json), &mut *codes) else {
                    return;
                };
                known.insert(code);
                if known.len() > MOST_CODES {
                    *codes = None;
                }
            }
            Self::Shapes(kinds) => {
                let Ok(shape) = serde_json::from_slice::<Value>(json) else { return };
                if let Some(kind) = shape["type"].as_str().filter(|kind| !kinds.contains(*kind)) {
                    kinds.insert(kind.to_owned());
                }
            }
        }
    }
}

/// The type of a member of a list.
fn kind_of(member: &Value) -> &'static str {
    match member {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// A name of a vocabulary, and what it stands for.
fn code_of(table: &Table, code: &str) -> Value {
    let full = table.full_name(code);
    let mut schema = json!({ "const": code, "title": code });
    if full.contains(':') {
        schema["x-ogc-definition"] = full.as_ref().into();
    }
    schema
}

/// The format that says which geometries there are (/req/schemas/properties, C).
fn format_of(kinds: &BTreeSet<String>) -> String {
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    match kinds.as_slice() {
        [one] => format!("geometry-{}", one.to_lowercase()),
        [a, b] if *b == format!("Multi{a}") || *a == format!("Multi{b}") => {
            let one = a.trim_start_matches("Multi").to_lowercase();
            format!("geometry-{one}-or-multi{one}")
        }
        _ => "geometry-any".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_names_the_types_that_occur() {
        let format = |kinds: &[&str]| format_of(&kinds.iter().map(|kind| (*kind).into()).collect());
        assert_eq!(format(&["Point"]), "geometry-point");
        assert_eq!(format(&["MultiLineString"]), "geometry-multilinestring");
        let either = "geometry-linestring-or-multilinestring";
        assert_eq!(format(&["LineString", "MultiLineString"]), either);
        assert_eq!(format(&["MultiPoint", "Point"]), "geometry-point-or-multipoint");
        assert_eq!(format(&["Point", "Polygon"]), "geometry-any");
        assert_eq!(format(&[]), "geometry-any");
    }
}
