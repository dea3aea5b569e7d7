//! The sources of the configuration as Prometheus text; their number bounds the labels.

use cardo_ingest::{SourceKind, SourceState, SourceStatus, Sources};

use crate::metrics::Exposition;

/// A source at a moment.
pub(crate) struct Reading {
    tenant: String,
    name: String,
    kind: &'static str,
    status: SourceStatus,
    quarantine: Option<usize>,
}

/// How all sources are now.
pub(crate) async fn read(sources: &Sources) -> Vec<Reading> {
    let mut readings = Vec::new();
    for source in sources.all() {
        readings.push(Reading {
            tenant: source.twin().tenant().to_owned(),
            name: source.config().name.clone(),
            kind: source.config().kind().map_or("", SourceKind::name),
            status: source.status(),
            quarantine: source.quarantine_size().await.ok(),
        });
    }
    readings
}

impl Reading {
    fn labels(&self) -> [(&'static str, &str); 3] {
        [("tenant", &self.tenant), ("source", &self.name), ("kind", self.kind)]
    }
}

pub(crate) fn write(text: &mut Exposition, readings: &[Reading]) {
    if readings.is_empty() {
        return;
    }
    text.family("cardo_source_state", "gauge", "1 for the state that a source is in.");
    for reading in readings {
        for state in SourceState::ALL {
            let [tenant, source, kind] = reading.labels();
            let labels = [tenant, source, kind, ("state", state.name())];
            let is = reading.status.state == state;
            text.sample("cardo_source_state", &labels, f64::from(u8::from(is)));
        }
    }
    text.family("cardo_source_records_total", "counter", "Records by what became of them.");
    for reading in readings {
        let counts = &reading.status.counts;
        let fresh = counts.taken.saturating_sub(counts.unchanged + counts.late);
        let outcomes = [
            ("new", fresh),
            ("unchanged", counts.unchanged),
            ("late", counts.late),
            ("quarantined", counts.quarantined),
            ("skipped", counts.skipped),
        ];
        for (outcome, count) in outcomes {
            let [tenant, source, kind] = reading.labels();
            let labels = [tenant, source, kind, ("outcome", outcome)];
            text.sample("cardo_source_records_total", &labels, count as f64);
        }
    }
    write_singles(text, readings);
}

/// A family of one sample a source.
type Family = (&'static str, &'static str, &'static str, fn(&Reading) -> Option<f64>);

const SINGLES: [Family; 4] = [
    (
        "cardo_source_failures_total",
        "counter",
        "Times a source could not get at its data.",
        |reading| Some(reading.status.counts.failures as f64),
    ),
    ("cardo_source_record_rate", "gauge", "Records a second over the last minute.", |reading| {
        Some(reading.status.rate)
    }),
    (
        "cardo_source_last_record_timestamp_seconds",
        "gauge",
        "When the last record came.",
        |reading| Some(reading.status.last_record?.as_micros() as f64 / 1e6),
    ),
    ("cardo_source_quarantine_records", "gauge", "Records in quarantine.", |reading| {
        Some(reading.quarantine? as f64)
    }),
];

fn write_singles(text: &mut Exposition, readings: &[Reading]) {
    for (name, kind, help, value) in SINGLES {
        text.family(name, kind, help);
        for reading in readings {
            if let Some(value) = value(reading) {
                text.sample(name, &reading.labels(), value);
            }
        }
    }
}
