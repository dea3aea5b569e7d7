//! Context sources that a twin knows (clauses 4.3.6 and 5.2.9), and which of them may have what is
//! asked for (clause 5.12).

mod compiled;
mod described;
mod index;
mod matching;
mod operations;
mod progress;
mod read;
mod registration;
mod space;
#[cfg(test)]
mod tests;
mod wanted;

pub(crate) use compiled::Compiled;
pub use index::Registrations;
pub use matching::{Match, MatchedInformation};
pub use operations::{Operations, SourceOperation};
pub use progress::{SourceProgress, SourceState};
pub use read::InvalidRegistration;
pub use registration::{EntityInfo, Information, Interval, Management, Mode, Registration};
pub use wanted::{Looking, Wanted, WantedEntities};

/// The kind of document under which a twin keeps registrations, by id. The text is a JSON object
/// whose member `registration` is a registration with full names.
pub const REGISTRATION_KIND: &str = "registration";
