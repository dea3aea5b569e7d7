//! Records that could not be taken in, kept until somebody mends them or their mapping.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use cardo_engine::Snapshot;
use cardo_formats::geojson::{parse_feature, write_feature};
use cardo_formats::{Limits, Record, RecordError};
use cardo_model::{DocumentChange, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::options::hex;

/// The sort of document that the entries are.
pub(crate) const KIND: &str = "quarantine";

/// So many entries are kept of a source.
const MAX_ENTRIES: usize = 1_000;
/// So many bytes of entries are kept of a source, since documents live in memory.
const MAX_BYTES: usize = 8 << 20;
/// So much of a record is kept.
const MAX_RECORD: usize = 64 << 10;

/// A record that could not be taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// The source.
    pub source: String,
    /// The record's place in the source, from 0.
    pub record: u64,
    /// The byte at which it starts.
    pub offset: u64,
    /// The line at which it starts, in formats made of lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Why it could not be taken in.
    pub reason: String,
    /// When it was put here.
    pub at: String,
    /// The reference system that the source named for its coordinates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<String>,
    /// The field that ids were made of, where a field was found for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The record as a GeoJSON feature, where it could be read as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// Its text as it stood, where it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its bytes in hexadecimal digits, where they are no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Whether only its beginning was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl Quarantined {
    /// A record that was read and is no entity.
    pub(crate) fn of_record(source: &str, crs: Option<&str>, record: &Record, why: String) -> Self {
        let mut entry = Self::at(source, record.ordinal, record.offset, record.line, why);
        entry.crs = crs.map(str::to_owned);
        let feature = write_feature(record);
        if feature.len() <= MAX_RECORD {
            entry.feature = Some(feature);
        } else {
            entry.keep_raw(feature.as_bytes());
        }
        entry
    }

    /// A record that could not be read.
    pub(crate) fn of_error(source: &str, crs: Option<&str>, error: &RecordError) -> Self {
        let why = error.fault.to_string();
        let mut entry = Self::at(source, error.ordinal, error.offset, error.line, why);
        entry.crs = crs.map(str::to_owned);
        if let Some(raw) = &error.raw {
            entry.keep_raw(raw);
        }
        entry
    }

    /// What a source was told and could not be read, such as a message. It is numbered by its
    /// content, so that the same text twice is one entry.
    pub(crate) fn of_text(source: &str, why: String, raw: &[u8]) -> Self {
        let mut entry = Self::at(source, number_of(&[raw]), 0, None, why);
        entry.keep_raw(raw);
        entry
    }

    /// A record that could not be read, at a place of its own.
    pub(crate) fn of_listed(source: &str, record: u64, error: &RecordError) -> Self {
        Self { record, ..Self::of_error(source, None, error) }
    }

    /// Something that was not kept; `place` tells it from others.
    pub(crate) fn of_nothing(source: &str, why: String, place: &[u8]) -> Self {
        Self { is_cut: true, ..Self::at(source, number_of(&[place]), 0, None, why) }
    }

    fn at(source: &str, record: u64, offset: u64, line: Option<u64>, reason: String) -> Self {
        Self {
            source: source.to_owned(),
            record,
            offset,
            line,
            reason,
            at: Timestamp::now().to_string(),
            crs: None,
            key: None,
            feature: None,
            text: None,
            hex: None,
            is_cut: false,
        }
    }

    fn keep_raw(&mut self, raw: &[u8]) {
        self.is_cut = raw.len() >= MAX_RECORD;
        let kept = &raw[..raw.len().min(MAX_RECORD)];
        match std::str::from_utf8(kept) {
            Ok(text) => self.text = Some(text.to_owned()),
            // The cut may have gone through a character.
            Err(error) if self.is_cut && error.valid_up_to() + 4 > kept.len() => {
                let text = String::from_utf8_lossy(&kept[..error.valid_up_to()]);
                self.text = Some(text.into_owned());
            }
            Err(_) => self.hex = Some(hex(&kept[..kept.len().min(MAX_RECORD / 2)])),
        }
    }

    /// The record, where enough of it was kept to try again.
    pub(crate) fn to_record(&self) -> Option<Record> {
        let text = match (&self.feature, &self.text) {
            (Some(feature), _) => feature,
            (None, Some(text)) if !self.is_cut => text,
            _ => return None,
        };
        let record = parse_feature(text.as_bytes(), &Limits::default()).ok()?;
        Some(Record { ordinal: self.record, offset: self.offset, line: self.line, ..record })
    }

    pub(crate) fn id(&self) -> String {
        document_id(&self.source, self.record)
    }

    /// Whether both tell of the same fault, whenever they were written.
    fn says_the_same(&self, other: &Self) -> bool {
        Self { at: String::new(), ..self.clone() } == Self { at: String::new(), ..other.clone() }
    }

    fn document(&self) -> DocumentChange {
        let body = serde_json::to_string(self).expect("texts and numbers are always JSON");
        DocumentChange { kind: KIND.into(), id: self.id().into(), body: Some(body.into()) }
    }
}

impl std::fmt::Display for Quarantined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, record {} at byte {}", self.source, self.record, self.offset)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// A number for a record without a place, made of its content.
pub(crate) fn number_of(parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    // Six bytes, so that the number survives readers of JSON that know floats only.
    hash.finalize()[..6].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// How many entries a source has, without reading them.
pub(crate) fn count(snapshot: Option<&Snapshot>, source: &str) -> usize {
    let documents = snapshot.map(|snapshot| snapshot.documents(KIND)).unwrap_or_default();
    let is_of = |id: &str| id.rsplit_once('#').is_some_and(|(name, _)| name == source);
    documents.iter().filter(|(id, _)| is_of(id)).count()
}

/// What takes every entry of a source away.
pub(crate) fn removals(snapshot: Option<&Snapshot>, source: &str) -> Vec<DocumentChange> {
    let documents = snapshot.map(|snapshot| snapshot.documents(KIND)).unwrap_or_default();
    let is_of = |id: &str| id.rsplit_once('#').is_some_and(|(name, _)| name == source);
    let ids = documents.into_iter().map(|(id, _)| id).filter(|id| is_of(id));
    ids.map(|id| DocumentChange { kind: KIND.into(), id: (*id).into(), body: None }).collect()
}

/// Ten digits keep the order of ids that of the source.
fn document_id(source: &str, record: u64) -> String {
    format!("{source}#{record:010}")
}

/// The entries of all sources, or of one.
pub(crate) fn list(snapshot: Option<&Snapshot>, source: Option<&str>) -> Vec<Quarantined> {
    let documents =
        snapshot.map(|snapshot| snapshot.documents(KIND)).unwrap_or_default().into_iter();
    let entries = documents.filter_map(|(_, body)| serde_json::from_str::<Quarantined>(&body).ok());
    entries.filter(|entry| source.is_none_or(|source| entry.source == source)).collect()
}

/// The quarantine of one source while a run fills and empties it.
#[derive(Debug)]
pub(crate) struct Keeper {
    source: Arc<str>,
    existing: HashMap<u64, Quarantined>,
    bytes: usize,
    touched: HashSet<u64>,
    /// In a feed a fault comes again and again with other times in it; its reason is enough.
    by_reason: bool,
}

impl Keeper {
    pub(crate) fn new(snapshot: Option<&Snapshot>, source: &str, by_reason: bool) -> Self {
        let entries = list(snapshot, Some(source));
        Self {
            source: source.into(),
            bytes: entries.iter().map(size).sum(),
            existing: entries.into_iter().map(|entry| (entry.record, entry)).collect(),
            touched: HashSet::new(),
            by_reason,
        }
    }

    /// The same source with what its quarantine holds now.
    pub(crate) fn reload(&mut self, snapshot: Option<&Snapshot>) {
        let source = Arc::clone(&self.source);
        *self = Self::new(snapshot, &source, self.by_reason);
    }

    /// Begins a new round over all records of the source.
    pub(crate) fn forget_touched(&mut self) {
        self.touched.clear();
    }

    /// What has to be written to keep an entry; `Err` where there is no room for it.
    pub(crate) fn put(&mut self, entry: Quarantined) -> Result<Option<DocumentChange>, Full> {
        if let Some(known) = self.existing.get(&entry.record) {
            self.touched.insert(entry.record);
            let is_known = if self.by_reason {
                known.reason == entry.reason
            } else {
                known.says_the_same(&entry)
            };
            if is_known {
                return Ok(None);
            }
            self.bytes -= size(known);
        } else if self.existing.len() >= MAX_ENTRIES || self.bytes + size(&entry) > MAX_BYTES {
            return Err(Full);
        }
        self.touched.insert(entry.record);
        self.bytes += size(&entry);
        let document = entry.document();
        self.existing.insert(entry.record, entry);
        Ok(Some(document))
    }

    /// Takes an entry out.
    pub(crate) fn release(&mut self, record: u64) -> Option<DocumentChange> {
        let entry = self.existing.remove(&record)?;
        self.bytes -= size(&entry);
        Some(DocumentChange { kind: KIND.into(), id: entry.id().into(), body: None })
    }

    /// Takes out the entries within a range of records that this run has not met again: their
    /// records are good now, or gone.
    pub(crate) fn release_untouched(&mut self, from: u64, to: u64) -> Vec<DocumentChange> {
        let mut stale: Vec<u64> = self.existing.keys().copied().collect();
        stale.retain(|record| (from..to).contains(record) && !self.touched.contains(record));
        stale.sort_unstable();
        stale.into_iter().filter_map(|record| self.release(record)).collect()
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }
}

/// The quarantine of a source holds as much as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

fn size(entry: &Quarantined) -> usize {
    let texts = [&entry.feature, &entry.text, &entry.hex];
    256 + entry.reason.len() + texts.into_iter().flatten().map(String::len).sum::<usize>()
}
