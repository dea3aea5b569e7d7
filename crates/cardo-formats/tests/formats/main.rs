//! The readers and writers from outside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod csv;
mod flatgeobuf;
mod gbfs;
mod geojson;
mod geopackage;
mod gtfs_rt;
mod json;
mod random;
mod rows;
mod samples;
mod shapefile;
mod survive;
mod wkt;

use std::io::Cursor;

use cardo_formats::{Format, ReadOptions, Record, RecordError, open};

/// Everything that a source gives: good records, errors, and its system.
struct Outcome {
    records: Vec<Record>,
    errors: Vec<RecordError>,
    crs: Option<String>,
}

fn read_with(format: Format, bytes: &[u8], options: &ReadOptions) -> Outcome {
    let mut outcome = Outcome { records: Vec::new(), errors: Vec::new(), crs: None };
    match open(format, Cursor::new(bytes), options) {
        Ok(mut reader) => {
            for item in &mut reader {
                match item {
                    Ok(record) => outcome.records.push(record),
                    Err(error) => outcome.errors.push(error),
                }
            }
            assert!(reader.next().is_none(), "an ended reader stays ended");
            outcome.crs = reader.crs().map(str::to_owned);
        }
        Err(error) => {
            assert!(error.fatal, "an opening that fails is fatal");
            outcome.errors.push(error);
        }
    }
    outcome
}

fn read(format: Format, bytes: impl AsRef<[u8]>) -> Outcome {
    read_with(format, bytes.as_ref(), &ReadOptions::default())
}

impl Outcome {
    fn clean(self) -> Vec<Record> {
        assert!(self.errors.is_empty(), "{:?}", self.errors);
        self.records
    }
}
