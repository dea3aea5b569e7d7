//! Vehicles outside of docks: `free_bike_status` before version 3, `vehicle_status` from then on.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::header::{Header, System, file};
use super::station::{belong, moment};
use super::{elements, malformed};
use crate::{
    Fault, FieldValue, Limits, Record, RecordError, RecordGeometry, geometry::coord, names::Names,
};

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, alias = "bikes")]
    vehicles: Vec<&'a RawValue>,
}

/// Reads the list of vehicles. One that stands at a station may come without coordinates.
///
/// # Errors
/// What is no such file.
pub fn vehicles(
    text: &[u8],
    system: &System,
    limits: &Limits,
) -> Result<(Vec<Result<Record, RecordError>>, Header), Fault> {
    let file = file::<List<'_>>(text)?;
    let header = file.header();
    let mut names = Names::default();
    let records = elements(file.data.vehicles, limits.raw_bytes, |record| {
        for (name, _) in &mut record.fields {
            if &**name == "bike_id" {
                *name = names.get("vehicle_id");
            }
        }
        let id = record.field("vehicle_id").map(FieldValue::to_text).filter(|id| !id.is_empty());
        record.id = Some(id.ok_or_else(|| malformed("`vehicle_id` is missing"))?);
        let number = |name: &str| record.field(name).and_then(FieldValue::as_f64);
        if let (Some(x), Some(y)) = (number("lon"), number("lat")) {
            record.geometry = Some(RecordGeometry::flat(geo_types::Point(coord(x, y)?)));
        }
        moment(record, &header, &mut names);
        let is = |name: &str| record.field(name) == Some(&FieldValue::Bool(true));
        let state = if is("is_disabled") { "outOfService" } else { "parked" };
        record.fields.push((names.get("status"), FieldValue::Text(state.to_owned())));
        belong(record, system, &mut names);
        Ok(())
    });
    Ok((records, header))
}
