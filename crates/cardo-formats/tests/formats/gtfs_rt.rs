use cardo_formats::{
    FieldValue, Format, Limits,
    gtfs_rt::{
        FeedEntity, FeedHeader, FeedMessage, OccupancyStatus, Position, Recording, TripDescriptor,
        VehicleDescriptor, VehiclePosition, VehicleStopStatus, records_of, write_recording,
    },
};
use geo_types::{Geometry, Point};
use prost::Message;

use crate::read;

fn tram(id: &str, longitude: f32) -> FeedEntity {
    FeedEntity {
        id: id.to_owned(),
        is_deleted: None,
        vehicle: Some(VehiclePosition {
            trip: Some(TripDescriptor {
                route_id: Some("1004".to_owned()),
                direction_id: Some(1),
                ..TripDescriptor::default()
            }),
            position: Some(Position {
                latitude: Some(60.17),
                longitude: Some(longitude),
                bearing: Some(90.0),
                speed: Some(8.5),
                odometer: None,
            }),
            current_status: Some(VehicleStopStatus::StoppedAt as i32),
            timestamp: Some(1_745_845_454),
            occupancy_status: Some(OccupancyStatus::FewSeatsAvailable as i32),
            vehicle: Some(VehicleDescriptor {
                id: Some(format!("40/{id}")),
                ..VehicleDescriptor::default()
            }),
            ..VehiclePosition::default()
        }),
    }
}

fn feed(entity: Vec<FeedEntity>) -> FeedMessage {
    FeedMessage {
        header: Some(FeedHeader {
            gtfs_realtime_version: "2.0".to_owned(),
            incrementality: None,
            timestamp: Some(1_745_845_460),
        }),
        entity,
    }
}

#[test]
fn a_vehicle_position_becomes_a_record() {
    let bytes = feed(vec![tram("1", 24.94)]).encode_to_vec();
    let record = &read(Format::GtfsRealtime, &bytes).clean()[0];
    assert_eq!(record.id.as_deref(), Some("1"));
    let shape = &record.geometry.as_ref().unwrap().shape;
    assert_eq!(*shape, Geometry::Point(Point::new(24.94, 60.17)));
    let text = |name: &str| record.field(name).and_then(FieldValue::as_str);
    assert_eq!(text("route_id"), Some("1004"));
    assert_eq!(text("current_status"), Some("STOPPED_AT"));
    assert_eq!(text("occupancy_status"), Some("FEW_SEATS_AVAILABLE"));
    let moment = FieldValue::DateTime("2025-04-28T13:04:14Z".to_owned());
    assert_eq!(record.field("timestamp"), Some(&moment));
    assert_eq!(record.field("speed"), Some(&FieldValue::Float(8.5)));
    assert_eq!(record.field("odometer"), None);
}

#[test]
fn a_broken_entity_leaves_its_neighbours() {
    let mut bytes = feed(vec![tram("1", 24.94)]).encode_to_vec();
    bytes.extend([0x12, 3, 0x0A, 50, b'x']);
    bytes.extend(feed(vec![tram("2", f32::NAN), tram("3", 24.95)]).encode_to_vec());
    let outcome = read(Format::GtfsRealtime, &bytes);
    assert_eq!(outcome.records.len(), 2);
    let ordinals: Vec<u64> = outcome.errors.iter().map(|error| error.ordinal).collect();
    assert_eq!(ordinals, [1, 2]);
    assert!(outcome.errors.iter().all(|error| !error.fatal));
}

#[test]
fn a_deleted_vehicle_is_told_and_other_entities_are_counted() {
    let mut message = feed(vec![tram("1", 24.94)]);
    message.entity.push(FeedEntity {
        id: "gone".to_owned(),
        is_deleted: Some(true),
        vehicle: None,
    });
    message.entity.push(FeedEntity { id: "alert".to_owned(), ..FeedEntity::default() });
    let records = read(Format::GtfsRealtime, message.encode_to_vec()).clean();
    assert_eq!(records.len(), 2);
    assert_eq!(records[1].field("is_deleted"), Some(&FieldValue::Bool(true)));
    assert_eq!(records_of(message).count(), 2);
}

#[test]
fn a_recording_gives_its_messages_back() {
    let messages = [feed(vec![tram("1", 24.94)]), feed(vec![tram("1", 24.95)])];
    let mut bytes = Vec::new();
    write_recording(&mut bytes, &messages).unwrap();
    let heard: Vec<FeedMessage> =
        Recording::new(&*bytes, Limits::default()).collect::<Result<_, _>>().unwrap();
    assert_eq!(heard, messages);
    let cut = &bytes[..bytes.len() - 1];
    let heard: Vec<_> = Recording::new(cut, Limits::default()).collect();
    assert!(heard[0].is_ok() && heard[1].as_ref().unwrap_err().fatal);
}

#[test]
fn a_file_that_is_no_feed_is_a_fatal_error() {
    for bytes in [&b""[..], b"hello, world", &[0xFF; 40]] {
        let outcome = read(Format::GtfsRealtime, bytes);
        assert!(outcome.errors.last().unwrap().fatal);
    }
}
