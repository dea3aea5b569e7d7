//! GTFS-Realtime vehicle positions.

mod messages;
mod reader;
mod record;
mod recording;

pub use messages::{
    CongestionLevel, FeedEntity, FeedHeader, FeedMessage, Incrementality, OccupancyStatus,
    Position, ScheduleRelationship, TripDescriptor, VehicleDescriptor, VehiclePosition,
    VehicleStopStatus,
};
pub use reader::GtfsRealtimeReader;
pub use record::records_of;
pub use recording::{Recording, write_recording};
