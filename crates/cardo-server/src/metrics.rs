//! Counts and latencies by operation, and everything as Prometheus text.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::StatusCode;
use cardo_http::Observer;

/// Upper bounds of the latency buckets, in microseconds.
const BOUNDS: [u64; 14] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000,
    10_000_000,
];

const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What was answered, by operation. Cheap to tell of a request: a look-up and three atomics.
#[derive(Default)]
pub struct RequestMetrics {
    operations: ArcSwap<HashMap<&'static str, Arc<Operation>, foldhash::fast::RandomState>>,
}

#[derive(Default)]
struct Operation {
    classes: [AtomicU64; CLASSES.len()],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Observer for RequestMetrics {
    fn answered(&self, operation: &'static str, status: StatusCode, took: Duration) {
        let operations = self.operations.load();
        match operations.get(operation) {
            Some(known) => known.count(status, took),
            None => self.add(operation).count(status, took),
        }
    }
}

impl RequestMetrics {
    #[cold]
    fn add(&self, operation: &'static str) -> Arc<Operation> {
        self.operations.rcu(|known| {
            let mut known = HashMap::clone(known);
            known.entry(operation).or_default();
            known
        });
        Arc::clone(&self.operations.load()[operation])
    }

    /// Writes the counters and histograms of all operations.
    pub(crate) fn write(&self, text: &mut Exposition) {
        let known = self.operations.load();
        let mut operations: Vec<_> = known.iter().collect();
        operations.sort_by_key(|(name, _)| **name);
        text.family("cardo_requests_total", "counter", "Answered requests.");
        for (name, operation) in &operations {
            for (class, count) in CLASSES.iter().zip(&operation.classes) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("operation", **name), ("status", *class)];
                    text.sample("cardo_requests_total", &labels, count as f64);
                }
            }
        }
        text.family("cardo_request_seconds", "histogram", "Time from request to answer.");
        for (name, operation) in &operations {
            operation.write(name, text);
        }
    }
}

impl Operation {
    fn count(&self, status: StatusCode, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let bucket = BOUNDS.partition_point(|bound| *bound < micros);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn write(&self, name: &str, text: &mut Exposition) {
        let mut below = 0;
        let mut buckets = Vec::with_capacity(BOUNDS.len());
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            below += bucket.load(Ordering::Relaxed);
            buckets.push((*bound as f64 / 1e6, below));
        }
        let count = below + self.buckets[BOUNDS.len()].load(Ordering::Relaxed);
        let sum = self.micros.load(Ordering::Relaxed) as f64 / 1e6;
        text.histogram("cardo_request_seconds", &[("operation", name)], &buckets, count, sum);
    }
}

/// The Prometheus text format, written family by family.
#[derive(Default)]
pub(crate) struct Exposition {
    text: String,
}

impl Exposition {
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.text.push_str(name);
        for (at, (label, content)) in labels.iter().enumerate() {
            self.text.push(if at == 0 { '{' } else { ',' });
            let _ = write!(self.text, "{label}=\"{}\"", escaped(content));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    /// A family of one sample without labels.
    pub(crate) fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// A histogram; the counts of the buckets hold those below.
    pub(crate) fn histogram(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        buckets: &[(f64, u64)],
        count: u64,
        sum: f64,
    ) {
        let bucket_name = format!("{name}_bucket");
        for (bound, below) in buckets {
            let bound = bound.to_string();
            let labels: Vec<_> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            self.sample(&bucket_name, &labels, *below as f64);
        }
        let all: Vec<_> = labels.iter().copied().chain([("le", "+Inf")]).collect();
        self.sample(&bucket_name, &all, count as f64);
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, count as f64);
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// How much memory of the process is resident, in bytes, where the system tells.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_operation_and_class() {
        let metrics = RequestMetrics::default();
        metrics.answered("retrieve-entity", StatusCode::OK, Duration::from_micros(40));
        metrics.answered("retrieve-entity", StatusCode::OK, Duration::from_millis(3));
        metrics.answered("retrieve-entity", StatusCode::NOT_FOUND, Duration::from_secs(60));
        let mut text = Exposition::default();
        metrics.write(&mut text);
        let text = text.into_text();
        for line in [
            "cardo_requests_total{operation=\"retrieve-entity\",status=\"2xx\"} 2",
            "cardo_requests_total{operation=\"retrieve-entity\",status=\"4xx\"} 1",
            "cardo_request_seconds_bucket{operation=\"retrieve-entity\",le=\"0.00005\"} 1",
            "cardo_request_seconds_bucket{operation=\"retrieve-entity\",le=\"0.005\"} 2",
            "cardo_request_seconds_bucket{operation=\"retrieve-entity\",le=\"+Inf\"} 3",
            "cardo_request_seconds_sum{operation=\"retrieve-entity\"} 60.00304",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = Exposition::default();
        text.sample("m", &[("type", "a\"b\\c\nd")], 1.5);
        assert_eq!(text.into_text(), "m{type=\"a\\\"b\\\\c\\nd\"} 1.5\n");
    }
}
