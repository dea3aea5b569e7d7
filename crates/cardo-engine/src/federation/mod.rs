//! Context sources that a twin knows (clauses 4.3.6 and 5.2.9), and which of them may have what is
//! asked for (clause 5.12).

mod asking;
mod compiled;
mod conflict;
mod described;
mod discover;
mod distribute;
mod evolve;
mod far;
mod gather;
mod index;
mod matching;
mod merge;
mod narrow;
mod operations;
mod parcel;
mod progress;
mod purge;
mod question;
mod reach;
mod read;
mod registration;
mod share;
mod sources;
mod space;
mod tables;
#[cfg(test)]
mod tests;
mod told;
mod wanted;

pub(crate) use compiled::Compiled;
pub use evolve::OF_SOURCES;
pub(crate) use evolve::{FarHistories, FarRow, settle};
pub use index::Registrations;
pub use matching::{Match, MatchedInformation};
pub use operations::{Operations, SourceOperation};
pub use parcel::{Distributed, Part, PartFault, SourceWrite, Written};
pub use progress::{SourceProgress, SourceState};
pub use purge::Purge;
pub use reach::{AskedBy, AskedMaps, AskedSources, Forwarding, Reach};
pub use read::InvalidRegistration;
pub use registration::{EntityInfo, Information, Interval, Management, Mode, Registration};
pub use sources::{
    ContextSources, Contributed, Contribution, Contributions, SourceEntities, SourceEntity,
    SourceEvolution, SourceEvolutions, SourceFault, SourceRequest, SourceTypes,
};
pub(crate) use tables::FarTables;
pub use wanted::{Looking, Wanted, WantedEntities};

/// The kind of document under which a twin keeps registrations, by id. The text is a JSON object
/// whose member `registration` is a registration with full names.
pub const REGISTRATION_KIND: &str = "registration";
