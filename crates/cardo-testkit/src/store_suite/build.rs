use cardo_engine::{
    Append, EncodedRecord, HistoryEvent, HistoryRow, Projection, StateSink, Store, StoreError,
    Tells,
};
use cardo_model::{
    Attribute, DocumentChange, Entity, EntityId, Instance, Iri, JsonText, LogRecord, NameId,
    Record, RecordHeader, Revision, Seq, Timestamp, TwinId, Value, encode_instance,
};

/// The twin of a tenant.
pub fn twin(tenant: &str) -> TwinId {
    TwinId::of_tenant(tenant).expect("tests name their tenants well")
}

/// The id of the `n`-th sensor.
pub fn sensor(n: u64) -> EntityId {
    Iri::new(format!("urn:ngsi-ld:Sensor:{n}")).expect("a URN")
}

/// The record of the sensor that revision `created` made as its `ordinal`-th change, with a value.
pub fn record_at(created: u64, ordinal: u32, value: u64) -> Record {
    let id = sensor(created * 100_000 + u64::from(ordinal));
    let mut entity: Entity<NameId> = Entity::new(id, NameId::new(0));
    let json = JsonText::from_canonical(value.to_string());
    let value = Instance::new(Value::property(json, false));
    entity.attributes.push(Attribute::new(NameId::new(1), value));
    let moment = Timestamp::from_seconds(i64::try_from(created).unwrap_or(0));
    let header = RecordHeader {
        seq: Seq::new(Revision(created), ordinal),
        created_at: moment,
        modified_at: moment,
        revision: Revision(created),
    };
    Record::encode(&entity, header)
}

/// An append of one record for each of the revisions behind `head`, up to `to`.
pub fn append(twin: &TwinId, head: u64, to: u64) -> Append {
    let records = (head + 1..=to).map(log_record).collect();
    Append { twin: twin.clone(), expected_head: Revision(head), begins: false, records }
}

fn log_record(revision: u64) -> EncodedRecord {
    let record = LogRecord {
        revision: Revision(revision),
        time: Timestamp::from_seconds(1_700_000_000),
        principal: "tester".into(),
        origin: "suite".into(),
        changes: vec![cardo_model::EntityChange::Created(record_at(revision, 0, revision))],
        documents: Vec::new(),
        offsets: Vec::new(),
    };
    EncodedRecord { revision: Revision(revision), bytes: record.encode() }
}

/// A projection from one revision to another that changes nothing yet.
pub fn project(after: u64, to: u64) -> Projection {
    Projection { after: Revision(after), to: Revision(to), ..Projection::default() }
}

/// A document as it is, or that it was deleted.
pub fn document(kind: &str, id: &str, body: Option<&str>) -> DocumentChange {
    DocumentChange { kind: kind.into(), id: id.into(), body: body.map(Box::from) }
}

/// A reading of a sensor's attribute at so many seconds.
pub fn reading(
    n: u64,
    name: u32,
    dataset: Option<&str>,
    seconds: i64,
    revision: u64,
) -> HistoryRow {
    let time = Timestamp::from_seconds(seconds);
    let json = JsonText::from_canonical(format!("{revision}"));
    let mut instance = Instance::new(Value::property(json, false));
    instance.observed_at = Some(time);
    instance.dataset_id = dataset.map(|dataset| Iri::new(dataset).expect("an IRI"));
    let event =
        HistoryEvent::Instance { name: NameId::new(name), instance: encode_instance(&instance) };
    line(n, event, time, revision)
}

/// A line that was written at the time that it is about.
fn line(n: u64, event: HistoryEvent, time: Timestamp, revision: u64) -> HistoryRow {
    let (entity, revision, tells) = (sensor(n), Revision(revision), Tells::Both);
    HistoryRow { entity, event, time, revision, ordinal: 0, written: time, tells }
}

/// The deletion of an instance of a sensor's attribute.
pub fn instance_deleted(
    n: u64,
    name: u32,
    dataset: Option<&str>,
    seconds: i64,
    revision: u64,
) -> HistoryRow {
    let dataset_id = dataset.map(|dataset| Iri::new(dataset).expect("an IRI"));
    let event = HistoryEvent::InstanceDeleted { name: NameId::new(name), dataset_id };
    let time = Timestamp::from_seconds(seconds);
    line(n, event, time, revision)
}

/// That a sensor came into being or changed its types.
pub fn entity_event(n: u64, seconds: i64, revision: u64) -> HistoryRow {
    let event = HistoryEvent::Entity(record_at(revision, 0, n));
    let time = Timestamp::from_seconds(seconds);
    line(n, event, time, revision)
}

/// That a sensor was deleted.
pub fn deleted(n: u64, seconds: i64, revision: u64) -> HistoryRow {
    let time = Timestamp::from_seconds(seconds);
    let event = HistoryEvent::Deleted;
    line(n, event, time, revision)
}

/// A sink that keeps what it is given.
#[derive(Debug, Default)]
pub struct Collected {
    /// The entities, in the order in which they came.
    pub entities: Vec<Record>,
}

impl StateSink for Collected {
    fn entities(&mut self, records: Vec<Record>) {
        self.entities.extend(records);
    }
}

/// Appends one run of records and expects that it was taken.
pub(super) async fn append_to<S: Store>(store: &S, twin: &TwinId, head: u64, to: u64) {
    let results = store.append(vec![append(twin, head, to)]).await.expect("the log is sound");
    assert_eq!(results, [Ok(())]);
}

/// The revisions of the log behind one.
pub(super) async fn revisions<S: Store>(store: &S, twin: &TwinId, after: u64) -> Vec<u64> {
    let records = store.read_log(twin, Revision(after), usize::MAX).await.expect("it is not cut");
    records.iter().map(|record| record.revision.0).collect()
}

/// Whether a result is a refusal of the caller's mistake, and not a fault of the disk.
pub(super) fn is_refused<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Failed(_)))
}
