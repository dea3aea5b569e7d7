//! Stations: what they are and how they are, joined.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::header::{Header, System, file, seconds};
use super::text::plain;
use super::{elements, malformed};
use crate::{
    Fault, FieldValue, Limits, Record, RecordError, RecordGeometry, geometry::coord, names::Names,
};

/// The stations of a system, in the order of `station_information`.
#[derive(Debug, Default)]
pub struct Stations {
    known: HashMap<String, Record>,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    stations: Vec<&'a RawValue>,
}

/// Names that changed with version 3.
const RENAMED: [(&str, &str); 2] = [
    ("num_bikes_available", "num_vehicles_available"),
    ("num_bikes_disabled", "num_vehicles_disabled"),
];

/// Reads `station_information`: the stations, and what is wrong with others.
///
/// # Errors
/// What is no such file.
pub fn stations(
    text: &[u8],
    language: Option<&str>,
    limits: &Limits,
) -> Result<(Stations, Header, Vec<RecordError>), Fault> {
    let file = file::<List<'_>>(text)?;
    let header = file.header();
    let mut names = Names::default();
    let records = elements(file.data.stations, limits.raw_bytes, |record| {
        record.id = Some(id_of(record)?);
        let number = |name: &str| record.field(name).and_then(FieldValue::as_f64);
        let (Some(x), Some(y)) = (number("lon"), number("lat")) else {
            return Err(malformed("a station without `lat` and `lon`"));
        };
        record.geometry = Some(RecordGeometry::flat(geo_types::Point(coord(x, y)?)));
        plain(record, "name", &mut names, language);
        plain(record, "short_name", &mut names, language);
        Ok(())
    });
    let mut stations = Stations::default();
    let mut errors = Vec::new();
    for record in records {
        match record {
            Ok(record) => {
                let id = record.id.clone().unwrap_or_default();
                stations.known.insert(id, record);
            }
            Err(error) => errors.push(error),
        }
    }
    Ok((stations, header, errors))
}

impl Stations {
    /// How many stations are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Reads `station_status` and joins it with what is known of each station. A station that
    /// only one of both files has is told with what that says.
    ///
    /// # Errors
    /// What is no such file.
    pub fn with_status(
        &self,
        text: &[u8],
        system: &System,
        limits: &Limits,
    ) -> Result<(Vec<Result<Record, RecordError>>, Header), Fault> {
        let file = file::<List<'_>>(text)?;
        let header = file.header();
        let mut names = Names::default();
        let mut met: Vec<String> = Vec::new();
        let mut records = elements(file.data.stations, limits.raw_bytes, |record| {
            let id = id_of(record)?;
            settle(record, &header, &mut names);
            let status = std::mem::take(&mut record.fields);
            if let Some(known) = self.known.get(&id) {
                record.geometry.clone_from(&known.geometry);
                record.fields.clone_from(&known.fields);
            }
            for (name, value) in status {
                if record.field(&name).is_none() {
                    record.fields.push((name, value));
                }
            }
            belong(record, system, &mut names);
            met.push(id.clone());
            record.id = Some(id);
            Ok(())
        });
        let met: std::collections::HashSet<String> = met.into_iter().collect();
        let mut rest: Vec<&Record> =
            self.known.iter().filter(|(id, _)| !met.contains(*id)).map(|(_, r)| r).collect();
        rest.sort_by_key(|record| record.ordinal);
        let first = records.len() as u64;
        records.extend((first..).zip(rest).map(|(ordinal, known)| {
            let mut record = Record { ordinal, ..known.clone() };
            belong(&mut record, system, &mut names);
            Ok(record)
        }));
        Ok((records, header))
    }
}

/// Whose it is.
pub(super) fn belong(record: &mut Record, system: &System, names: &mut Names) {
    record.fields.push((names.get("system_id"), FieldValue::Text(system.id.clone())));
    if let Some(name) = &system.name {
        record.fields.push((names.get("system_name"), FieldValue::Text(name.clone())));
    }
}

fn id_of(record: &Record) -> Result<String, Fault> {
    let id = record.field("station_id").map(FieldValue::to_text).filter(|id| !id.is_empty());
    id.ok_or_else(|| malformed("`station_id` is missing"))
}

/// Gives the fields of a status the names and forms of version 3, and tells its state in a word.
fn settle(record: &mut Record, header: &Header, names: &mut Names) {
    for (name, _) in &mut record.fields {
        if let Some((_, now)) = RENAMED.iter().find(|(before, _)| **name == **before) {
            *name = names.get(now);
        }
    }
    moment(record, header, names);
    let is = |name: &str| match record.field(name) {
        Some(FieldValue::Bool(is)) => Some(*is),
        // Version 1 writes 0 and 1.
        Some(FieldValue::Int(number)) => Some(*number != 0),
        _ => None,
    };
    let is_shut = is("is_installed") == Some(false)
        || (is("is_renting") == Some(false) && is("is_returning") == Some(false));
    let count = |name: &str| record.field(name).and_then(FieldValue::as_i64);
    let state = match (count("num_vehicles_available"), count("num_docks_available")) {
        _ if is_shut => "outOfService",
        (Some(0), _) => "empty",
        (_, Some(0)) => "full",
        _ => "working",
    };
    record.fields.push((names.get("status"), FieldValue::Text(state.to_owned())));
}

/// Makes ISO text of `last_reported`; where it is missing, the file was made at that moment.
pub(super) fn moment(record: &mut Record, header: &Header, names: &mut Names) {
    let at = record.fields.iter().position(|(name, _)| &**name == "last_reported");
    let own = at.and_then(|at| match &record.fields[at].1 {
        FieldValue::Int(number) => seconds(&(*number).into()),
        FieldValue::Text(text) => seconds(&text.as_str().into()),
        _ => None,
    });
    let moment = own.or(header.last_updated).and_then(|s| jiff::Timestamp::from_second(s).ok());
    let Some(moment) = moment else { return };
    let value = FieldValue::DateTime(moment.to_string());
    match at {
        Some(at) => record.fields[at].1 = value,
        None => record.fields.push((names.get("last_reported"), value)),
    }
}
