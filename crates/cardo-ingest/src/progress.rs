//! How far a long run has come, for those who watch it.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Is told how far a run has come.
pub trait Progress: Send + Sync {
    /// A source of so many bytes is begun.
    fn begin(&self, source: &str, bytes: u64);
    /// So many of its bytes are taken in, with so many records.
    fn advance(&self, bytes: u64, records: u64);
    /// It is at its end.
    fn end(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _source: &str, _bytes: u64) {}
    fn advance(&self, _bytes: u64, _records: u64) {}
    fn end(&self) {}
}

/// A bar where the error output is a terminal, a line every ten seconds elsewhere.
pub fn terminal_progress() -> Box<dyn Progress> {
    if std::io::stderr().is_terminal() {
        Box::new(Bar(ProgressBar::hidden().into()))
    } else {
        Box::new(Lines(Mutex::default()))
    }
}

struct Bar(Mutex<ProgressBar>);

const STYLE: &str =
    "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left, {msg} records";

impl Progress for Bar {
    fn begin(&self, source: &str, bytes: u64) {
        let bar = ProgressBar::new(bytes).with_prefix(source.to_owned()).with_message("0");
        if let Ok(style) = ProgressStyle::with_template(STYLE) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        self.replace(bar);
    }

    fn advance(&self, bytes: u64, records: u64) {
        if let Ok(bar) = self.0.lock() {
            bar.set_position(bytes);
            bar.set_message(records.to_string());
        }
    }

    fn end(&self) {
        if let Ok(bar) = self.0.lock() {
            bar.finish_and_clear();
        }
    }
}

impl Bar {
    fn replace(&self, bar: ProgressBar) {
        if let Ok(mut held) = self.0.lock() {
            *held = bar;
        }
    }
}

#[derive(Default)]
struct Line {
    source: String,
    bytes: u64,
    begun: Option<Instant>,
    told: Option<Instant>,
}

struct Lines(Mutex<Line>);

const BETWEEN_LINES: Duration = Duration::from_secs(10);

impl Progress for Lines {
    fn begin(&self, source: &str, bytes: u64) {
        if let Ok(mut line) = self.0.lock() {
            let now = Some(Instant::now());
            *line = Line { source: source.to_owned(), bytes, begun: now, told: now };
        }
    }

    fn advance(&self, bytes: u64, records: u64) {
        let Ok(mut line) = self.0.lock() else { return };
        let (Some(begun), Some(told)) = (line.begun, line.told) else { return };
        if told.elapsed() < BETWEEN_LINES {
            return;
        }
        line.told = Some(Instant::now());
        let seconds = begun.elapsed().as_secs_f64();
        let share = bytes as f64 / (line.bytes.max(1)) as f64;
        let left = if share > 0.0 { seconds / share - seconds } else { 0.0 };
        // Nobody has to read this.
        let _ = writeln!(
            std::io::stderr().lock(),
            "{}: {:.0} %, {records} records, {:.0}/s, about {left:.0} s left",
            line.source,
            (share * 100.0).min(100.0),
            records as f64 / seconds.max(1e-6),
        );
    }

    fn end(&self) {}
}
