//! What a twin is: ids, names, entities with their attributes, geometry and time, the compact
//! record of an entity, and the records of change.
//!
//! Nothing here does I/O. Constructors refuse what the NGSI-LD information model
//! (ETSI GS CIM 009, clauses 4.5 to 4.8) does not allow.

mod amendment;
mod change;
pub mod codec;
mod entity;
mod geometry;
mod iri;
mod json;
mod name;
mod record;
mod scope;
mod time;
mod twin;

pub use amendment::Amendment;
pub use change::{
    DocumentChange, EntityChange, InstanceChange, InvalidLogRecord, LogRecord, SourceOffset,
};
pub use entity::{
    Attribute, AttributeFragment, Entity, Fragment, Instance, InstanceFragment, Kind, NGSI_LD_NULL,
    Value,
};
pub use geometry::{Geometry, InvalidGeometry, read_heights, read_point, read_shape};
pub use iri::{EntityId, InvalidIri, Iri, MAX_IRI_BYTES};
pub use json::{InvalidJson, JsonText, MAX_JSON_DEPTH, write_json_string};
pub use name::{NameId, NameLookup, Names};
pub use record::{
    AttributeRef, Attributes, EntityRef, InstanceRef, Instances, InvalidRecord,
    MAX_CHANGES_PER_REVISION, Names32, Record, RecordHeader, Revision, Scopes, Seq, Single,
    decode_instance, encode_instance, splice, without,
};
pub use scope::{InvalidScope, Scope};
pub use time::{InvalidTimestamp, MomentWriter, Timestamp};
pub use twin::{InvalidTwinName, TwinId};
