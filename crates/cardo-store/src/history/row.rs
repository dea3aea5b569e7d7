//! The binary form of history rows.
//!
//! ```text
//! group = hash id length row*        row = time revision ordinal tag [written] [name] payload
//! ```
//!
//! A group holds rows of one entity. A tag has flags beside the event: whether the row is of the
//! history alone or of the state alone, and whether the moment at which it was written follows, which
//! else is when the instance was modified, or the time of the row.

use cardo_engine::{HistoryEvent, HistoryRow, Tells};
use cardo_model::{Amendment, EntityId, InstanceRef, Iri, NameId, Record, Revision, Timestamp};

use crate::bytes::{Reader, put_bytes, put_varint};

const INSTANCE: u8 = 0;
const DEFAULT_DELETED: u8 = 1;
const DATASET_DELETED: u8 = 2;
const ENTITY: u8 = 3;
const DELETED: u8 = 4;
const HEAD: u8 = 5;
const AMENDED: u8 = 6;

const EVENT: u8 = 0x0f;
const OF_HISTORY: u8 = 0x10;
const OF_STATE: u8 = 0x20;
const HAS_WRITTEN: u8 = 0x40;

/// A row read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawRow<'a> {
    pub(crate) time: Timestamp,
    pub(crate) revision: Revision,
    pub(crate) ordinal: u32,
    /// The attribute, where the row is about one.
    pub(crate) name: Option<NameId>,
    pub(crate) tells: Tells,
    stated: Option<Timestamp>,
    tag: u8,
    payload: &'a [u8],
    /// The whole row as it is written.
    pub(crate) bytes: &'a [u8],
}

/// By which rows of one entity are ordered: those about the entity itself come first.
pub(crate) type RowKey<'a> = (Option<NameId>, Option<&'a str>, Timestamp, Revision, u32);

/// The key of a row in memory; see [`RowKey`].
pub(crate) fn key_of(row: &HistoryRow) -> RowKey<'_> {
    let (name, dataset) = series_of(row);
    (name, dataset, row.time, row.revision, row.ordinal)
}

/// The attribute and the dataset of a row.
pub(crate) fn series_of(row: &HistoryRow) -> (Option<NameId>, Option<&str>) {
    match &row.event {
        HistoryEvent::Instance { name, instance } => {
            (Some(*name), InstanceRef::from_bytes(instance).and_then(|i| i.dataset_id()))
        }
        HistoryEvent::InstanceDeleted { name, dataset_id } => {
            (Some(*name), dataset_id.as_ref().map(Iri::as_str))
        }
        HistoryEvent::Entity(_)
        | HistoryEvent::Head(_)
        | HistoryEvent::Amended(_)
        | HistoryEvent::Deleted => (None, None),
    }
}

impl<'a> RawRow<'a> {
    /// Reads the next row; `None` where the bytes are no row.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let start = reader.rest();
        let time = Timestamp::from_bits(reader.i64()?);
        let revision = Revision(reader.varint()?);
        let ordinal = reader.u32()?;
        let flags = reader.u8()?;
        let tag = flags & EVENT;
        let tells = match flags & !(EVENT | HAS_WRITTEN) {
            0 => Tells::Both,
            OF_HISTORY => Tells::History,
            OF_STATE => Tells::State,
            _ => return None,
        };
        let stated = match flags & HAS_WRITTEN {
            0 => None,
            _ => Some(Timestamp::from_bits(reader.i64()?)),
        };
        let name = match tag {
            INSTANCE | DEFAULT_DELETED | DATASET_DELETED => Some(NameId::new(reader.u32()?)),
            ENTITY | DELETED | HEAD | AMENDED => None,
            _ => return None,
        };
        let payload = match tag {
            DEFAULT_DELETED | DELETED => &[],
            _ => reader.bytes()?,
        };
        let bytes = &start[..start.len() - reader.rest().len()];
        Some(Self { time, revision, ordinal, name, tells, stated, tag, payload, bytes })
    }

    /// When it was written.
    pub(crate) fn written(&self) -> Timestamp {
        self.stated.unwrap_or_else(|| {
            let instance = (self.tag == INSTANCE).then(|| InstanceRef::from_bytes(self.payload));
            instance.flatten().map_or(self.time, |instance| instance.modified_at())
        })
    }

    /// The dataset of the instance.
    pub(crate) fn dataset(&self) -> Option<&'a str> {
        match self.tag {
            INSTANCE => InstanceRef::from_bytes(self.payload)?.dataset_id(),
            DATASET_DELETED => std::str::from_utf8(self.payload).ok(),
            _ => None,
        }
    }

    /// Whether the row puts others right.
    pub(crate) fn is_amendment(&self) -> bool {
        self.tag == AMENDED
    }

    /// By which the row is ordered.
    pub(crate) fn key(&self) -> RowKey<'a> {
        (self.name, self.dataset(), self.time, self.revision, self.ordinal)
    }

    /// The row as the engine takes it; `None` where it is damaged.
    pub(crate) fn to_row(self, entity: &EntityId) -> Option<HistoryRow> {
        let event = match (self.tag, self.name) {
            (INSTANCE, Some(name)) => {
                InstanceRef::from_bytes(self.payload)?;
                HistoryEvent::Instance { name, instance: self.payload.into() }
            }
            (DEFAULT_DELETED, Some(name)) => {
                HistoryEvent::InstanceDeleted { name, dataset_id: None }
            }
            (DATASET_DELETED, Some(name)) => HistoryEvent::InstanceDeleted {
                name,
                dataset_id: Some(Iri::new(std::str::from_utf8(self.payload).ok()?).ok()?),
            },
            (ENTITY, _) => HistoryEvent::Entity(Record::from_bytes(self.payload).ok()?),
            (HEAD, _) => HistoryEvent::Head(Record::from_bytes(self.payload).ok()?),
            (AMENDED, _) => HistoryEvent::Amended(Amendment::decode(self.payload)?),
            _ => HistoryEvent::Deleted,
        };
        let Self { time, revision, ordinal, tells, .. } = self;
        let (entity, written) = (entity.clone(), self.written());
        Some(HistoryRow { entity, event, time, revision, ordinal, written, tells })
    }
}

/// Appends one row.
pub(crate) fn put_row(out: &mut Vec<u8>, row: &HistoryRow) {
    out.extend_from_slice(&row.time.to_bits().to_le_bytes());
    put_varint(out, row.revision.0);
    put_varint(out, u64::from(row.ordinal));
    let of = match row.tells {
        Tells::Both => 0,
        Tells::History => OF_HISTORY,
        Tells::State => OF_STATE,
    };
    let mut put_tag = |tag: u8, implied: Timestamp| {
        if implied.to_bits() == row.written.to_bits() {
            return out.push(tag | of);
        }
        out.push(tag | of | HAS_WRITTEN);
        out.extend_from_slice(&row.written.to_bits().to_le_bytes());
    };
    match &row.event {
        HistoryEvent::Instance { name, instance } => {
            let read = InstanceRef::from_bytes(instance);
            put_tag(INSTANCE, read.map_or(row.time, |instance| instance.modified_at()));
            put_varint(out, u64::from(name.as_u32()));
            put_bytes(out, instance);
        }
        HistoryEvent::InstanceDeleted { name, dataset_id } => {
            put_tag(if dataset_id.is_some() { DATASET_DELETED } else { DEFAULT_DELETED }, row.time);
            put_varint(out, u64::from(name.as_u32()));
            if let Some(dataset_id) = dataset_id {
                put_bytes(out, dataset_id.as_str().as_bytes());
            }
        }
        HistoryEvent::Entity(record) => {
            put_tag(ENTITY, row.time);
            put_bytes(out, record.as_bytes());
        }
        HistoryEvent::Head(record) => {
            put_tag(HEAD, row.time);
            put_bytes(out, record.as_bytes());
        }
        HistoryEvent::Amended(amendment) => {
            put_tag(AMENDED, row.time);
            put_bytes(out, &amendment.encode());
        }
        HistoryEvent::Deleted => put_tag(DELETED, row.time),
    }
}

/// Rows of one entity, read in place.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a> {
    pub(crate) hash: u64,
    pub(crate) id: &'a str,
    /// The rows in their binary form.
    pub(crate) bytes: &'a [u8],
}

impl<'a> Group<'a> {
    /// Reads the next group; `None` where the bytes are none.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let hash = reader.u64()?;
        let id = reader.str()?;
        let bytes = reader.bytes()?;
        Some(Self { hash, id, bytes })
    }

    /// The rows; one that is damaged comes as `None`, and none behind it.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Option<RawRow<'a>>> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        let mut is_sound = true;
        std::iter::from_fn(move || {
            if reader.is_empty() || !is_sound {
                return None;
            }
            let row = RawRow::read(&mut reader);
            is_sound = row.is_some();
            Some(row)
        })
    }
}

/// Appends a group whose rows are already in their binary form.
pub(crate) fn put_group(out: &mut Vec<u8>, hash: u64, id: &str, rows: &[&[u8]]) {
    out.extend_from_slice(&hash.to_le_bytes());
    put_bytes(out, id.as_bytes());
    put_varint(out, rows.iter().map(|rows| rows.len() as u64).sum());
    for rows in rows {
        out.extend_from_slice(rows);
    }
}
