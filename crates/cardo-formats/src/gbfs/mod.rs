//! The General Bikeshare Feed Specification, versions 2.x and 3.x (and 1.x, which differs from 2.x
//! in nothing that is read here): stations and vehicles as records of the same fields, whatever
//! the version.

mod header;
mod station;
mod text;
mod vehicle;

pub use header::{Discovery, Header, System, discovery, header, system};
pub use station::{Stations, stations};
pub use vehicle::vehicles;

use serde_json::value::RawValue;

use crate::{Fault, Record, RecordError, error::Place, geojson::object_fields, names::Names};

const FORMAT: &str = "GBFS";

fn malformed(detail: impl std::fmt::Display) -> Fault {
    Fault::malformed(FORMAT, detail)
}

/// Reads each element of a list by itself, so that a wrong one leaves its neighbours.
fn elements(
    list: Vec<&RawValue>,
    raw_bytes: usize,
    mut read: impl FnMut(&mut Record) -> Result<(), Fault>,
) -> Vec<Result<Record, RecordError>> {
    let mut names = Names::default();
    let numbered = (0_u64..).zip(list);
    let records = numbered.map(|(ordinal, element)| {
        let place = Place { ordinal, ..Place::default() };
        let fields = object_fields(element.get(), &mut names);
        let record = fields.and_then(|fields| {
            let mut record = Record { fields, ..Record::at(place) };
            read(&mut record).map(|()| record)
        });
        record.map_err(|fault| {
            RecordError::new(place, fault).with_raw(element.get().as_bytes(), raw_bytes)
        })
    });
    records.collect()
}
