use crate::codec::{Reader, put_bytes, put_len, put_varint};
use crate::{
    Amendment, InstanceRef, InvalidRecord, Iri, NameId, Record, RecordHeader, Revision, Seq,
    Timestamp, splice,
};

const VERSION: u8 = 2;
/// The versions that this program reads: the first had records and instances with all their times.
const READ: std::ops::RangeInclusive<u8> = 1..=VERSION;

/// One position of a twin's log: everything that one applied request changed, and who asked.
///
/// All that is durable travels in log records; state, history, subscriptions and replicas follow
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRecord {
    /// The position.
    pub revision: Revision,
    /// When the request was applied.
    pub time: Timestamp,
    /// Who asked.
    pub principal: Box<str>,
    /// Through which face or from which source and run the request came, such as `ngsi-ld` or
    /// `ingest:trams/17`.
    pub origin: Box<str>,
    /// What happened to entities, in order; a change's place here is the ordinal of its [`Seq`].
    pub changes: Vec<EntityChange>,
    /// What happened to subscriptions, contexts and other documents.
    pub documents: Vec<DocumentChange>,
    /// How far sources have come, committed with the data they brought.
    pub offsets: Vec<SourceOffset>,
}

/// What happened to one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityChange {
    /// It came into being.
    Created(Record),
    /// It is gone; what it was.
    Deleted(Record),
    /// It was given anew as a whole, or its types, scopes or expiry changed.
    Replaced {
        /// What it was.
        was: Record,
        /// What it is.
        is: Record,
    },
    /// Some of its attributes changed.
    Updated {
        /// Its place in the order of creation.
        seq: Seq,
        /// Its id.
        id: Iri,
        /// The changed instances.
        instances: Vec<InstanceChange>,
    },
    /// Readings that belong to its history only, such as late ones; the entity stays as it is.
    Observed {
        /// Its place in the order of creation.
        seq: Seq,
        /// Its id.
        id: Iri,
        /// The readings; `was` is absent.
        instances: Vec<InstanceChange>,
    },
    /// Types and scopes that belong to its history only; an entity that is there stays as it is.
    Recorded {
        /// The id, the types and the scopes, without attributes.
        head: Record,
        /// From when on the scopes were valid.
        since: Timestamp,
    },
    /// Its history was put right, or a part of it taken out; the entity stays as it is.
    Amended {
        /// Its place in the order of creation.
        seq: Seq,
        /// Its id.
        id: Iri,
        /// What is amended.
        amendment: Amendment,
    },
}

/// What an instance of an attribute was and is, in the form of [`crate::encode_instance`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceChange {
    /// The attribute.
    pub name: NameId,
    /// What was; `None` where it did not exist.
    pub was: Option<Box<[u8]>>,
    /// What is; `None` where it was deleted.
    pub is: Option<Box<[u8]>>,
}

/// What happened to a document of the twin: a subscription, a hosted context, a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentChange {
    /// The sort of document, such as `subscription`.
    pub kind: Box<str>,
    /// Its id within the sort.
    pub id: Box<str>,
    /// Its text, or `None` where it was deleted.
    pub body: Option<Box<str>>,
}

/// How far a source has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceOffset {
    /// The source's name.
    pub source: Box<str>,
    /// The offset in the source's own terms.
    pub offset: Box<str>,
}

/// Bytes that are no log record of a version this program reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLogRecord {
    /// Written by a newer program.
    #[error(
        "a log record of version {0} was written by a newer Cardo; this one reads up to {VERSION}"
    )]
    Version(u8),
    /// Cut or damaged.
    #[error("a log record of {0} bytes is damaged")]
    Damaged(usize),
    /// It holds an entity that cannot be read.
    #[error(transparent)]
    Record(#[from] InvalidRecord),
}

impl EntityChange {
    /// Whether it is about history alone, so that the entity stays as it is.
    pub fn is_history_only(&self) -> bool {
        matches!(self, Self::Observed { .. } | Self::Recorded { .. } | Self::Amended { .. })
    }

    /// The id of the entity.
    pub fn id(&self) -> &str {
        match self {
            Self::Created(record)
            | Self::Deleted(record)
            | Self::Replaced { is: record, .. }
            | Self::Recorded { head: record, .. } => record.view().id(),
            Self::Updated { id, .. } | Self::Observed { id, .. } | Self::Amended { id, .. } => {
                id.as_str()
            }
        }
    }

    /// The entity's place in the order of creation.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Created(record)
            | Self::Deleted(record)
            | Self::Replaced { is: record, .. }
            | Self::Recorded { head: record, .. } => record.view().seq(),
            Self::Updated { seq, .. } | Self::Observed { seq, .. } | Self::Amended { seq, .. } => {
                *seq
            }
        }
    }

    /// The entity behind this change, given what it was before; `None` where it is gone.
    ///
    /// `old` has to be the entity as it was before an `Updated` change or one of history only; the
    /// other kinds say everything themselves.
    pub fn apply(
        &self,
        old: Option<&Record>,
        revision: Revision,
        time: Timestamp,
    ) -> Option<Record> {
        match self {
            Self::Created(record) | Self::Replaced { is: record, .. } => Some(record.clone()),
            Self::Deleted(_) => None,
            Self::Observed { .. } | Self::Recorded { .. } | Self::Amended { .. } => old.cloned(),
            Self::Updated { instances, .. } => {
                let old = old?;
                let header = RecordHeader { modified_at: time, revision, ..old.view().header() };
                Some(apply_instances(old, header, instances))
            }
        }
    }
}

/// Puts changed instances in their places and leaves all others as they are.
fn apply_instances(old: &Record, header: RecordHeader, changes: &[InstanceChange]) -> Record {
    let view = old.view();
    let mut changed: Vec<(NameId, Vec<InstanceRef<'_>>)> = Vec::with_capacity(changes.len());
    for change in changes {
        let at = changed.iter().position(|(name, _)| *name == change.name).unwrap_or_else(|| {
            let instances =
                view.attribute(change.name).map(|a| a.instances().collect()).unwrap_or_default();
            changed.push((change.name, instances));
            changed.len() - 1
        });
        put_instance(&mut changed[at].1, change);
    }
    splice(old, header, &changed)
}

fn put_instance<'a>(instances: &mut Vec<InstanceRef<'a>>, change: &'a InstanceChange) {
    let dataset = change.dataset_id();
    let place = instances.iter().position(|instance| instance.dataset_id() == dataset);
    match (place, change.is()) {
        (Some(at), Some(is)) => instances[at] = is,
        (Some(at), None) => {
            instances.remove(at);
        }
        // The default instance stands first.
        (None, Some(is)) if dataset.is_none() => instances.insert(0, is),
        (None, Some(is)) => instances.push(is),
        (None, None) => {}
    }
}

impl InstanceChange {
    /// The dataset id of the instance that changed.
    pub fn dataset_id(&self) -> Option<&str> {
        self.is().or_else(|| self.was())?.dataset_id()
    }

    /// What was, read in place.
    pub fn was(&self) -> Option<InstanceRef<'_>> {
        InstanceRef::from_bytes(self.was.as_deref()?)
    }

    /// What is, read in place.
    pub fn is(&self) -> Option<InstanceRef<'_>> {
        InstanceRef::from_bytes(self.is.as_deref()?)
    }
}

impl LogRecord {
    /// The binary form that the store keeps.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.estimated_bytes());
        out.push(VERSION);
        put_varint(&mut out, self.revision.0);
        out.extend_from_slice(&self.time.to_bits().to_le_bytes());
        put_bytes(&mut out, self.principal.as_bytes());
        put_bytes(&mut out, self.origin.as_bytes());
        put_len(&mut out, self.changes.len());
        for change in &self.changes {
            put_change(&mut out, change);
        }
        put_len(&mut out, self.documents.len());
        for document in &self.documents {
            put_bytes(&mut out, document.kind.as_bytes());
            put_bytes(&mut out, document.id.as_bytes());
            put_optional(&mut out, document.body.as_deref().map(str::as_bytes));
        }
        put_len(&mut out, self.offsets.len());
        for offset in &self.offsets {
            put_bytes(&mut out, offset.source.as_bytes());
            put_bytes(&mut out, offset.offset.as_bytes());
        }
        out
    }

    /// About how long the binary form is; whole records are most of it.
    fn estimated_bytes(&self) -> usize {
        let bytes = |change: &EntityChange| match change {
            EntityChange::Created(record)
            | EntityChange::Deleted(record)
            | EntityChange::Recorded { head: record, .. } => record.as_bytes().len(),
            EntityChange::Replaced { was, is } => was.as_bytes().len() + is.as_bytes().len(),
            EntityChange::Updated { .. }
            | EntityChange::Observed { .. }
            | EntityChange::Amended { .. } => 256,
        };
        128 + self.changes.iter().map(|change| bytes(change) + 16).sum::<usize>()
    }

    /// Reads the binary form.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidLogRecord> {
        let damaged = || InvalidLogRecord::Damaged(bytes.len());
        let mut reader = Reader::new(bytes);
        match reader.u8().ok_or_else(damaged)? {
            version if READ.contains(&version) => {}
            other => return Err(InvalidLogRecord::Version(other)),
        }
        let revision = Revision(reader.varint().ok_or_else(damaged)?);
        let time = Timestamp::from_bits(reader.i64().ok_or_else(damaged)?);
        let principal = reader.str().ok_or_else(damaged)?.into();
        let origin = reader.str().ok_or_else(damaged)?.into();
        let mut changes = Vec::new();
        for _ in 0..reader.len().ok_or_else(damaged)? {
            changes.push(read_change(&mut reader).ok_or_else(damaged)??);
        }
        let (documents, offsets) = read_tail(&mut reader).ok_or_else(damaged)?;
        Ok(Self { revision, time, principal, origin, changes, documents, offsets })
    }
}

fn read_tail(reader: &mut Reader<'_>) -> Option<(Vec<DocumentChange>, Vec<SourceOffset>)> {
    let mut documents = Vec::new();
    for _ in 0..reader.len()? {
        let (kind, id) = (reader.str()?.into(), reader.str()?.into());
        let body = match read_optional(reader)? {
            Some(bytes) => Some(std::str::from_utf8(bytes).ok()?.into()),
            None => None,
        };
        documents.push(DocumentChange { kind, id, body });
    }
    let mut offsets = Vec::new();
    for _ in 0..reader.len()? {
        offsets.push(SourceOffset { source: reader.str()?.into(), offset: reader.str()?.into() });
    }
    reader.is_empty().then_some((documents, offsets))
}

const CREATED: u8 = 0;
const DELETED: u8 = 1;
const REPLACED: u8 = 2;
const UPDATED: u8 = 3;
const OBSERVED: u8 = 4;
const RECORDED: u8 = 5;
const AMENDED: u8 = 6;

fn put_change(out: &mut Vec<u8>, change: &EntityChange) {
    match change {
        EntityChange::Created(record) => {
            out.push(CREATED);
            put_bytes(out, record.as_bytes());
        }
        EntityChange::Deleted(record) => {
            out.push(DELETED);
            put_bytes(out, record.as_bytes());
        }
        EntityChange::Replaced { was, is } => {
            out.push(REPLACED);
            put_bytes(out, was.as_bytes());
            put_bytes(out, is.as_bytes());
        }
        EntityChange::Updated { seq, id, instances } => {
            out.push(UPDATED);
            put_instances(out, *seq, id, instances);
        }
        EntityChange::Observed { seq, id, instances } => {
            out.push(OBSERVED);
            put_instances(out, *seq, id, instances);
        }
        EntityChange::Recorded { head, since } => {
            out.push(RECORDED);
            put_bytes(out, head.as_bytes());
            out.extend_from_slice(&since.to_bits().to_le_bytes());
        }
        EntityChange::Amended { seq, id, amendment } => {
            out.push(AMENDED);
            put_varint(out, seq.as_u64());
            put_bytes(out, id.as_str().as_bytes());
            put_bytes(out, &amendment.encode());
        }
    }
}

fn put_instances(out: &mut Vec<u8>, seq: Seq, id: &Iri, instances: &[InstanceChange]) {
    put_varint(out, seq.as_u64());
    put_bytes(out, id.as_str().as_bytes());
    put_len(out, instances.len());
    for instance in instances {
        put_varint(out, u64::from(instance.name.as_u32()));
        put_optional(out, instance.was.as_deref());
        put_optional(out, instance.is.as_deref());
    }
}

/// A length of zero stands for nothing; neither an instance nor a document is empty.
fn put_optional(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    put_bytes(out, bytes.unwrap_or_default());
}

#[expect(clippy::option_option, reason = "damaged, absent and present are three cases")]
fn read_optional<'a>(reader: &mut Reader<'a>) -> Option<Option<&'a [u8]>> {
    let bytes = reader.bytes()?;
    Some((!bytes.is_empty()).then_some(bytes))
}

fn read_change(reader: &mut Reader<'_>) -> Option<Result<EntityChange, InvalidLogRecord>> {
    let record = |bytes: &[u8]| Record::from_bytes(bytes).map_err(InvalidLogRecord::from);
    let change = match reader.u8()? {
        CREATED => record(reader.bytes()?).map(EntityChange::Created),
        DELETED => record(reader.bytes()?).map(EntityChange::Deleted),
        REPLACED => {
            let (was, is) = (record(reader.bytes()?), record(reader.bytes()?));
            was.and_then(|was| is.map(|is| EntityChange::Replaced { was, is }))
        }
        UPDATED => {
            let (seq, id, instances) = read_instances(reader)?;
            Ok(EntityChange::Updated { seq, id, instances })
        }
        OBSERVED => {
            let (seq, id, instances) = read_instances(reader)?;
            Ok(EntityChange::Observed { seq, id, instances })
        }
        RECORDED => {
            let head = record(reader.bytes()?);
            let since = Timestamp::from_bits(reader.i64()?);
            head.map(|head| EntityChange::Recorded { head, since })
        }
        AMENDED => {
            let (seq, id) = (Seq::from_u64(reader.varint()?), Iri::new(reader.str()?).ok()?);
            let amendment = Amendment::decode(reader.bytes()?)?;
            Ok(EntityChange::Amended { seq, id, amendment })
        }
        _ => return None,
    };
    Some(change)
}

fn read_instances(reader: &mut Reader<'_>) -> Option<(Seq, Iri, Vec<InstanceChange>)> {
    let seq = Seq::from_u64(reader.varint()?);
    let id = Iri::new(reader.str()?).ok()?;
    let mut instances = Vec::new();
    for _ in 0..reader.len()? {
        let name = NameId::new(reader.u32()?);
        let was = read_instance(reader)?;
        let is = read_instance(reader)?;
        instances.push(InstanceChange { name, was, is });
    }
    Some((seq, id, instances))
}

#[expect(clippy::option_option, reason = "damaged, absent and present are three cases")]
fn read_instance(reader: &mut Reader<'_>) -> Option<Option<Box<[u8]>>> {
    match read_optional(reader)? {
        None => Some(None),
        Some(bytes) => {
            InstanceRef::from_bytes(bytes)?;
            Some(Some(bytes.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attribute, Entity, Instance, JsonText, Value, encode_instance};

    fn number(text: &str) -> Instance<NameId> {
        Instance::new(Value::property(JsonText::from_canonical(text), false))
    }

    fn entity() -> Record {
        let mut entity: Entity<NameId> = Entity::new(Iri::new("urn:x:1").unwrap(), NameId::new(0));
        entity.attributes.push(Attribute::new(NameId::new(1), number("1")));
        let header = RecordHeader {
            seq: Seq::new(Revision(1), 0),
            created_at: Timestamp::from_seconds(1),
            modified_at: Timestamp::from_seconds(1),
            revision: Revision(1),
        };
        Record::encode(&entity, header)
    }

    fn log_record() -> LogRecord {
        let old = entity();
        let was = old.view().attribute(NameId::new(1)).unwrap().instance(None).unwrap();
        LogRecord {
            revision: Revision(2),
            time: Timestamp::from_seconds(5),
            principal: "anonymous".into(),
            origin: "ngsi-ld".into(),
            changes: vec![
                EntityChange::Created(old.clone()),
                EntityChange::Replaced { was: old.clone(), is: old.clone() },
                EntityChange::Updated {
                    seq: Seq::new(Revision(1), 0),
                    id: Iri::new("urn:x:1").unwrap(),
                    instances: vec![
                        InstanceChange {
                            name: NameId::new(1),
                            was: Some(was.to_bytes()),
                            is: Some(encode_instance(&number("2"))),
                        },
                        InstanceChange {
                            name: NameId::new(9),
                            was: None,
                            is: Some(encode_instance(&number("3"))),
                        },
                    ],
                },
                EntityChange::Deleted(old.clone()),
                EntityChange::Recorded { head: old, since: Timestamp::from_seconds(3) },
                EntityChange::Amended {
                    seq: Seq::new(Revision(1), 0),
                    id: Iri::new("urn:x:1").unwrap(),
                    amendment: Amendment::Attribute(NameId::new(1)),
                },
            ],
            documents: vec![DocumentChange {
                kind: "subscription".into(),
                id: "s".into(),
                body: Some("{}".into()),
            }],
            offsets: vec![SourceOffset { source: "trams".into(), offset: "17".into() }],
        }
    }

    #[test]
    fn a_log_record_survives_its_bytes() {
        let record = log_record();
        assert_eq!(LogRecord::decode(&record.encode()).unwrap(), record);
    }

    #[test]
    fn a_cut_log_record_is_refused_at_every_byte() {
        let bytes = log_record().encode();
        for end in 0..bytes.len() {
            assert!(LogRecord::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let mut newer = bytes;
        newer[0] = VERSION + 1;
        assert_eq!(LogRecord::decode(&newer), Err(InvalidLogRecord::Version(VERSION + 1)));
    }

    #[test]
    fn an_update_applies_to_what_was() {
        let log = log_record();
        let old = entity();
        let new = log.changes[2].apply(Some(&old), log.revision, log.time).unwrap();
        let value = |name| {
            new.view()
                .attribute(NameId::new(name))
                .unwrap()
                .instance(None)
                .unwrap()
                .value()
                .to_owned()
        };
        assert_eq!((value(1).as_str(), value(9).as_str()), ("2", "3"));
        assert_eq!(new.view().modified_at(), log.time);
        assert_eq!(new.view().created_at(), Timestamp::from_seconds(1));
        assert_eq!(new.view().revision(), Revision(2));
    }
}
