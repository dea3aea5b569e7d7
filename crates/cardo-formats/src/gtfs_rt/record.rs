//! Vehicle positions as records.

use std::sync::Arc;

use geo_types::Point;

use super::messages::{
    CongestionLevel, FeedEntity, FeedMessage, OccupancyStatus, Position, ScheduleRelationship,
    TripDescriptor, VehicleDescriptor, VehiclePosition, VehicleStopStatus,
};
use crate::{
    Fault, FieldValue, Record, RecordError, RecordGeometry,
    error::Place,
    geometry::{coord, finite},
    names::Names,
};

/// The vehicle positions of a message; other entities are passed over.
pub fn records_of(
    message: FeedMessage,
) -> impl Iterator<Item = Result<Record, RecordError>> + Send {
    let time = message.header.and_then(|header| header.timestamp);
    let mut entities = Entities::new(time);
    let numbered = (0..).zip(message.entity);
    numbered.filter_map(move |(ordinal, entity)| {
        let place = Place { ordinal, ..Place::default() };
        let record = entities.record(entity, place).transpose()?;
        Some(record.map_err(|fault| RecordError::new(place, fault)))
    })
}

/// Turns entities into records, with what the header said about all of them.
#[derive(Debug, Default)]
pub(super) struct Entities {
    names: Names,
    pub(super) feed_time: Option<u64>,
}

impl Entities {
    pub(super) fn new(feed_time: Option<u64>) -> Self {
        Self { names: Names::default(), feed_time }
    }

    /// The record of a vehicle, or `None` for an entity of another kind.
    pub(super) fn record(
        &mut self,
        entity: FeedEntity,
        place: Place,
    ) -> Result<Option<Record>, Fault> {
        let deleted = entity.is_deleted == Some(true);
        if entity.vehicle.is_none() && !deleted {
            return Ok(None);
        }
        let feed_time = self.feed_time;
        let mut fields = Fields { names: &mut self.names, list: Vec::with_capacity(16) };
        let mut geometry = None;
        if let Some(vehicle) = entity.vehicle {
            geometry = fields.vehicle(vehicle, feed_time)?;
        }
        fields.moment("feed_timestamp", feed_time)?;
        if deleted {
            fields.add("is_deleted", Some(FieldValue::Bool(true)));
        } else if geometry.is_none() {
            return Err(Fault::geometry("a vehicle without a position"));
        }
        Ok(Some(Record { id: Some(entity.id), geometry, fields: fields.list, ..Record::at(place) }))
    }
}

struct Fields<'n> {
    names: &'n mut Names,
    list: Vec<(Arc<str>, FieldValue)>,
}

impl Fields<'_> {
    fn add(&mut self, name: &str, value: Option<FieldValue>) {
        if let Some(value) = value {
            self.list.push((self.names.get(name), value));
        }
    }

    fn text(&mut self, name: &str, value: Option<String>) {
        self.add(name, value.map(FieldValue::Text));
    }

    fn int(&mut self, name: &str, value: Option<u32>) {
        self.add(name, value.map(|value| FieldValue::Int(value.into())));
    }

    /// A code by its name in the specification; one unknown to it by its number.
    fn code<E: TryFrom<i32>>(
        &mut self,
        name: &str,
        code: Option<i32>,
        text: fn(E) -> &'static str,
    ) {
        let value = code.map(|code| match E::try_from(code) {
            Ok(known) => FieldValue::Text(text(known).to_owned()),
            Err(_) => FieldValue::Int(code.into()),
        });
        self.add(name, value);
    }

    fn number(&mut self, name: &str, value: Option<f64>) -> Result<(), Fault> {
        let value = value.map(finite).transpose()?;
        self.add(name, value.map(FieldValue::Float));
        Ok(())
    }

    /// Seconds since 1970; 0 stands for unknown.
    fn moment(&mut self, name: &str, seconds: Option<u64>) -> Result<(), Fault> {
        let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else {
            return Ok(());
        };
        let moment = i64::try_from(seconds)
            .ok()
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            .ok_or_else(|| {
                Fault::malformed("GTFS-Realtime", format_args!("{name} {seconds} is no moment"))
            })?;
        self.add(name, Some(FieldValue::DateTime(moment.to_string())));
        Ok(())
    }

    fn vehicle(
        &mut self,
        vehicle: VehiclePosition,
        feed_time: Option<u64>,
    ) -> Result<Option<RecordGeometry>, Fault> {
        self.descriptor(vehicle.vehicle.unwrap_or_default());
        self.trip(vehicle.trip.unwrap_or_default());
        self.int("current_stop_sequence", vehicle.current_stop_sequence);
        self.text("stop_id", vehicle.stop_id);
        self.code("current_status", vehicle.current_status, VehicleStopStatus::name);
        // A position without a time of its own is as old as the message at most.
        let own_time = vehicle.timestamp.filter(|seconds| *seconds > 0);
        self.moment("timestamp", own_time.or(feed_time))?;
        self.code("congestion_level", vehicle.congestion_level, CongestionLevel::name);
        self.code("occupancy_status", vehicle.occupancy_status, OccupancyStatus::name);
        self.int("occupancy_percentage", vehicle.occupancy_percentage);
        vehicle.position.map(|position| self.position(position)).transpose()
    }

    fn descriptor(&mut self, vehicle: VehicleDescriptor) {
        self.text("vehicle_id", vehicle.id);
        self.text("label", vehicle.label);
        self.text("license_plate", vehicle.license_plate);
    }

    fn trip(&mut self, trip: TripDescriptor) {
        self.text("trip_id", trip.trip_id);
        self.text("route_id", trip.route_id);
        self.int("direction_id", trip.direction_id);
        self.text("start_time", trip.start_time);
        self.text("start_date", trip.start_date);
        self.code("schedule_relationship", trip.schedule_relationship, ScheduleRelationship::name);
    }

    fn position(&mut self, position: Position) -> Result<RecordGeometry, Fault> {
        self.number("bearing", position.bearing.map(as_written))?;
        self.number("speed", position.speed.map(as_written))?;
        self.number("odometer", position.odometer)?;
        let (Some(x), Some(y)) = (position.longitude, position.latitude) else {
            return Err(Fault::geometry("a position without latitude and longitude"));
        };
        let point = Point(coord(as_written(x), as_written(y))?);
        Ok(RecordGeometry::flat(point))
    }
}

/// The number that a feed wrote into 32 bits: 24.94 and not 24.940000534.
fn as_written(value: f32) -> f64 {
    ryu::Buffer::new().format(value).parse().unwrap_or(f64::from(value))
}
