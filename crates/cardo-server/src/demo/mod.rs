//! The demonstration city: Helsinki, in the binary.

mod files;
mod questions;

use std::path::{Path, PathBuf};

use axum::Router;
use cardo_engine::Caller;
use cardo_ingest::{FileJob, Ingestor, JobOptions, Mapping, Progress, Report, SourceConfig};

pub(crate) use files::unpack;
pub(crate) use questions::ask_all;

/// What the demonstration says of its data, wherever they are shown.
pub(crate) const NOTICE: &str = "Helsinki, from public data of OpenStreetMap contributors (ODbL), the City of Helsinki (MIT), \
     Helsinki Region Transport HSL, Helsinki Region Environmental Services HSY, Statistics Finland \
     and the Finnish Meteorological Institute (CC BY 4.0). The trams are simulated: they start \
     where trams were on 28 April 2025 and run along the real tracks from there; their entities \
     say simulated: true.";

/// Layers in the order in which they are taken in.
const LAYERS: [&str; 16] = [
    "districts.geojson",
    "major-districts.geojson",
    "stops.geojson",
    "weather-stations.csv",
    "weather-kumpula.csv",
    "bike-stations.csv",
    "trees.csv",
    "parks.geojson",
    "water.geojson",
    "land-use.geojson",
    "population.geojson",
    "tracks.geojson",
    "traffic-plans.csv",
    "buildings.fgb",
    "places.geojsonseq",
    "streets.geojsonl",
];

/// The source that replays the recording of the trams for as long as the server runs.
pub(crate) fn trams(folder: &Path) -> SourceConfig {
    SourceConfig {
        name: "trams".into(),
        replay: Some(folder.join("trams.rec")),
        mapping: Some(mapping_of(folder, "trams.rec")),
        simulated: true,
        ..SourceConfig::default()
    }
}

/// What came of all layers, in a line.
pub(crate) fn summary(reports: &[(&'static str, Report)]) -> String {
    let sum = |of: fn(&Report) -> u64| reports.iter().map(|(_, report)| of(report)).sum::<u64>();
    let (created, quarantined) = (sum(|r| r.created), sum(|r| r.quarantined));
    let told = sum(|r| r.updated + r.history_only);
    format!(
        "Taken in: {} layers, {created} new entities, {told} readings, {quarantined} records put aside.",
        reports.len()
    )
}

/// Why the city could not be taken in.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}")]
pub(crate) struct LayerError {
    file: &'static str,
    reason: String,
}

/// Takes all layers in by the way that every file takes. Layers that are there already are not
/// read again.
pub(crate) async fn take_in(
    ingestor: &Ingestor,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<(&'static str, Report)>, LayerError> {
    let mut reports = Vec::new();
    for file in LAYERS {
        let failed = |reason: String| LayerError { file, reason };
        let mapping = Mapping::read(&mapping_of(folder, file));
        let mapping = mapping.map_err(|error| failed(error.to_string()))?;
        let options = JobOptions { mapping: Some(mapping.into()), ..JobOptions::default() };
        let job = FileJob::new(folder.join(file), options);
        let caller = Caller::local(&format!("ingest:{file}"));
        let report = ingestor.run_file_if_changed(&caller, &job, progress).await;
        let report = report.map_err(|error| failed(error.to_string()))?;
        reports.push((file, report.unwrap_or_default()));
    }
    Ok(reports)
}

fn mapping_of(folder: &Path, file: &str) -> PathBuf {
    let stem = file.split('.').next().unwrap_or(file);
    folder.join("mappings").join(format!("{stem}.toml"))
}

/// What the demonstration needs to ask itself.
pub(crate) struct Asker {
    /// Everything the server answers.
    pub(crate) router: Router,
    /// Where it answers, without a slash at the end.
    pub(crate) base: String,
}
