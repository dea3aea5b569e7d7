//! The messages of GTFS-Realtime 2.0 that carry vehicle positions. Fields not
//! listed here are passed over when a message is read.

use prost::{Enumeration, Message};

/// Codes with their numbers and their names in the specification.
macro_rules! codes {
    ($(#[$about:meta])* $name:ident {
        $($(#[$each:meta])* $code:ident = $number:literal, $text:literal;)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
        #[repr(i32)]
        pub enum $name {
            $($(#[$each])* $code = $number,)*
        }

        impl $name {
            /// The name of the code in the specification.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)*
                }
            }
        }
    };
}

/// A feed, or one moment of it.
#[derive(Clone, PartialEq, Message)]
pub struct FeedMessage {
    /// About the feed.
    #[prost(message, optional, tag = "1")]
    pub header: Option<FeedHeader>,
    /// What the feed tells of.
    #[prost(message, repeated, tag = "2")]
    pub entity: Vec<FeedEntity>,
}

/// About a feed.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct FeedHeader {
    /// Version of the specification: `2.0`.
    #[prost(string, required, tag = "1")]
    pub gtfs_realtime_version: String,
    /// Whether the message replaces the one before.
    #[prost(enumeration = "Incrementality", optional, tag = "2")]
    pub incrementality: Option<i32>,
    /// When it was made, in seconds since 1970.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
}

codes! {
    /// Whether a message replaces the one before.
    Incrementality {
        /// It does.
        FullDataset = 0, "FULL_DATASET";
        /// It adds to it.
        Differential = 1, "DIFFERENTIAL";
    }
}

/// One thing a feed tells of.
#[derive(Clone, PartialEq, Message)]
pub struct FeedEntity {
    /// Unique in the feed.
    #[prost(string, required, tag = "1")]
    pub id: String,
    /// Whether the entity is gone.
    #[prost(bool, optional, tag = "2")]
    pub is_deleted: Option<bool>,
    /// A vehicle and where it is.
    #[prost(message, optional, tag = "4")]
    pub vehicle: Option<VehiclePosition>,
}

/// A vehicle and where it is.
#[derive(Clone, PartialEq, Message)]
pub struct VehiclePosition {
    /// The trip it serves.
    #[prost(message, optional, tag = "1")]
    pub trip: Option<TripDescriptor>,
    /// Where it is.
    #[prost(message, optional, tag = "2")]
    pub position: Option<Position>,
    /// Place of the current stop in the trip.
    #[prost(uint32, optional, tag = "3")]
    pub current_stop_sequence: Option<u32>,
    /// How it stands to the current stop.
    #[prost(enumeration = "VehicleStopStatus", optional, tag = "4")]
    pub current_status: Option<i32>,
    /// When the position was measured, in seconds since 1970.
    #[prost(uint64, optional, tag = "5")]
    pub timestamp: Option<u64>,
    /// How dense the traffic is.
    #[prost(enumeration = "CongestionLevel", optional, tag = "6")]
    pub congestion_level: Option<i32>,
    /// The current stop.
    #[prost(string, optional, tag = "7")]
    pub stop_id: Option<String>,
    /// Which vehicle it is.
    #[prost(message, optional, tag = "8")]
    pub vehicle: Option<VehicleDescriptor>,
    /// How full it is.
    #[prost(enumeration = "OccupancyStatus", optional, tag = "9")]
    pub occupancy_status: Option<i32>,
    /// How full it is, in per cent of its places.
    #[prost(uint32, optional, tag = "10")]
    pub occupancy_percentage: Option<u32>,
}

/// A trip of the timetable.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct TripDescriptor {
    /// The trip.
    #[prost(string, optional, tag = "1")]
    pub trip_id: Option<String>,
    /// Its start, as `HH:MM:SS`, beyond 24 hours for trips of the day before.
    #[prost(string, optional, tag = "2")]
    pub start_time: Option<String>,
    /// Its day, as `YYYYMMDD`.
    #[prost(string, optional, tag = "3")]
    pub start_date: Option<String>,
    /// Whether it runs as planned.
    #[prost(enumeration = "ScheduleRelationship", optional, tag = "4")]
    pub schedule_relationship: Option<i32>,
    /// The route.
    #[prost(string, optional, tag = "5")]
    pub route_id: Option<String>,
    /// One of the two directions of the route.
    #[prost(uint32, optional, tag = "6")]
    pub direction_id: Option<u32>,
}

/// A vehicle.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct VehicleDescriptor {
    /// Known to the operator.
    #[prost(string, optional, tag = "1")]
    pub id: Option<String>,
    /// Shown to passengers.
    #[prost(string, optional, tag = "2")]
    pub label: Option<String>,
    /// The number plate.
    #[prost(string, optional, tag = "3")]
    pub license_plate: Option<String>,
}

/// A position on the earth, in WGS 84.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Position {
    /// Degrees north.
    #[prost(float, optional, tag = "1")]
    pub latitude: Option<f32>,
    /// Degrees east.
    #[prost(float, optional, tag = "2")]
    pub longitude: Option<f32>,
    /// Degrees clockwise from north.
    #[prost(float, optional, tag = "3")]
    pub bearing: Option<f32>,
    /// Metres.
    #[prost(double, optional, tag = "4")]
    pub odometer: Option<f64>,
    /// Metres a second.
    #[prost(float, optional, tag = "5")]
    pub speed: Option<f32>,
}

codes! {
    /// How a vehicle stands to its current stop.
    VehicleStopStatus {
        /// About to arrive.
        IncomingAt = 0, "INCOMING_AT";
        /// Standing there.
        StoppedAt = 1, "STOPPED_AT";
        /// On the way to it.
        InTransitTo = 2, "IN_TRANSIT_TO";
    }
}

codes! {
    /// How dense the traffic is.
    CongestionLevel {
        /// Unknown.
        UnknownCongestionLevel = 0, "UNKNOWN_CONGESTION_LEVEL";
        /// Flowing.
        RunningSmoothly = 1, "RUNNING_SMOOTHLY";
        /// Halting again and again.
        StopAndGo = 2, "STOP_AND_GO";
        /// Dense.
        Congestion = 3, "CONGESTION";
        /// At a standstill.
        SevereCongestion = 4, "SEVERE_CONGESTION";
    }
}

codes! {
    /// How full a vehicle is.
    OccupancyStatus {
        /// Nobody aboard.
        Empty = 0, "EMPTY";
        /// Many seats free.
        ManySeatsAvailable = 1, "MANY_SEATS_AVAILABLE";
        /// Few seats free.
        FewSeatsAvailable = 2, "FEW_SEATS_AVAILABLE";
        /// Room to stand.
        StandingRoomOnly = 3, "STANDING_ROOM_ONLY";
        /// Little room to stand.
        CrushedStandingRoomOnly = 4, "CRUSHED_STANDING_ROOM_ONLY";
        /// No room.
        Full = 5, "FULL";
        /// Nobody may board.
        NotAcceptingPassengers = 6, "NOT_ACCEPTING_PASSENGERS";
        /// Not known.
        NoDataAvailable = 7, "NO_DATA_AVAILABLE";
        /// Never for passengers.
        NotBoardable = 8, "NOT_BOARDABLE";
    }
}

codes! {
    /// How a trip stands to the timetable.
    ScheduleRelationship {
        /// As planned.
        Scheduled = 0, "SCHEDULED";
        /// Added to it.
        Added = 1, "ADDED";
        /// Without a plan.
        Unscheduled = 2, "UNSCHEDULED";
        /// Cancelled.
        Canceled = 3, "CANCELED";
        /// In place of a planned one.
        Replacement = 5, "REPLACEMENT";
        /// Like a planned one, at another time.
        Duplicated = 6, "DUPLICATED";
        /// Taken out of it.
        Deleted = 7, "DELETED";
    }
}
