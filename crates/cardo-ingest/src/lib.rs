//! Reads sources and hands what they tell to the engine.
//!
//! A source is a file (GeoJSON, GeoJSON sequences, CSV with coordinates, FlatGeobuf, GeoPackage,
//! Shapefile, GTFS-Realtime vehicle positions, JSON), an address that is asked again and again, a
//! sharing system (GBFS), a broker (MQTT), what others push, or a recording of a feed that is
//! replayed. [`Ingestor::run_file`] takes a file in; [`Sources`] runs the sources of a
//! configuration and tells how they are.
//!
//! A reading thread decodes records and makes entities of them; batches of up to 1,000 go through
//! a short queue to the engine, which applies each as one revision with the offset of the source
//! beside it. So memory stays flat on files of any size, and a run that was interrupted goes on
//! behind the last batch that was acknowledged. A record equal to what the twin holds changes
//! nothing, and an older reading goes to history only: the same file twice leaves the log as it is.
//!
//! # Quarantine
//!
//! A record that cannot be read, or that makes no valid entity, goes to the quarantine with its
//! source, its offset, the reason and what it said; its neighbours go on. The entries are documents
//! of the twin, of the sort `quarantine`, and not a file beside the store: they become durable in
//! the same log record as the offset behind them, so no crash loses or repeats one; they come
//! along in backups and replicas; and they go by tenant like all else. Since documents live in
//! memory they are bounded: 64 KiB of each record, 1,000 records and 8 MiB of each source. What
//! comes beyond that is counted in the [`Report`] only.
//!
//! When a source is taken in again, entries of records that are good now, or gone, leave the
//! quarantine by themselves. [`Ingestor::replay_quarantine`] tries the kept records again with
//! another mapping.
//!
#![doc = include_str!("mapping.md")]

mod clock;
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
mod suggest;
mod system;
mod topic;

pub use contexts::{BuiltIn, Contexts};
pub use error::IngestError;
pub use mapping::{Mapping, MappingError};
pub use options::{FileJob, JobOptions};
pub use progress::{Progress, Silent, terminal_progress};
pub use quarantine::Quarantined;
pub use report::Report;
pub use run::Ingestor;
pub use source::{
    GbfsFeed, HeaderText, Interval, InvalidSource, PushError, Pushed, PushedEntity, ReadEntities,
    RunningSource, SourceConfig, SourceCounts, SourceKind, SourceState, SourceStatus, Sources,
    Told, spawn_sources,
};
pub use suggest::suggest_mapping;
