//! Reads sources and hands what they tell to the engine.

mod contexts;
mod error;
mod feed;
mod identity;
mod input;
mod mapping;
mod naming;
mod options;
mod progress;
mod quarantine;
mod report;
mod run;
mod source;

pub use contexts::{BuiltIn, Contexts};
pub use error::IngestError;
pub use mapping::{Mapping, MappingError};
pub use options::{FileJob, JobOptions};
pub use progress::{Progress, Silent, terminal_progress};
pub use quarantine::Quarantined;
pub use report::Report;
pub use run::Ingestor;
pub use source::{Interval, InvalidSource, SourceConfig, spawn_sources};
